/*
 * The document by which a mail domain tells where its servers are, and its proof (PACC,
 * draft-ietf-mailmaint-pacc). Without I/O; none of it is trusted.
 *
 * The document is JSON at https://ua-auto-config.DOMAIN/.well-known/user-agent-configuration.json.
 * Its servers are reached by TLS at once, on the protocol's port for that. The TXT records of
 * _ua-auto-config.DOMAIN hold its digest: "v=UAAC1; a=sha256; d=BASE64"; one that is right is
 * enough, since a domain that changes the document has two for a while.
 *
 *     pacc_init(&pacc)
 *     pacc_read(&pacc, text, &err)
 *     pacc_record(text, "v=UAAC1; ...")
 *     pacc_finish(&pacc)
 */
#ifndef MAILSYNC_OAUTH_PACC_H
#define MAILSYNC_OAUTH_PACC_H

#include <stdbool.h>

#include "mailsync/base/err.h"
#include "mailsync/base/span.h"

/* Strings are owned; NULL where not told. */
struct pacc {
	char *imap_host; /* lower case, letters, digits, "-" and dots */
	char *pop3_host;
	char *issuer;        /* an https address: tokens for it are taken */
	char *provider;      /* its name; one line */
	char *help;          /* an https address for people; one line */
	bool is_token_alone; /* it says that it takes no password */
};

enum pacc_record {
	PACC_RECORD_OTHER, /* no digest that can be checked here */
	PACC_RECORD_RIGHT,
	PACC_RECORD_WRONG
};

void pacc_init(struct pacc *pacc);
void pacc_finish(struct pacc *pacc);

/* -ERR_PROTOCOL for what is no such document. One that tells of no server is one. */
int pacc_read(struct pacc *pacc, struct span text, struct err *err);
/* What a TXT record says of the document TEXT. */
enum pacc_record pacc_record(struct span text, const char *record);

#endif
