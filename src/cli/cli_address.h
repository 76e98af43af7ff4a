/* A mail address, as `init` takes it (RFC 5321 4.1.2, RFC 6531). Pure but for memory. */
#ifndef MAILSYNC_CLI_CLI_ADDRESS_H
#define MAILSYNC_CLI_CLI_ADDRESS_H

#include <stddef.h>

#include "mailsync/base/buf.h"
#include "mailsync/base/err.h"

#define CLI_ADDRESS_MAX 320

struct cli_address {
	char *text;   /* as given, a domain in ASCII in lower case */
	size_t at;    /* where its '@' is */
	char *local;  /* the part before that, quotes taken off */
	char *domain; /* in ASCII, lower case */
};

/* -ERR_USAGE says what is wrong with TEXT, which may be anything. */
int cli_address_read(struct cli_address *address, const char *text, struct err *err);
void cli_address_finish(struct cli_address *address);
/* Appends the name that an account of ADDRESS gets: that label of the domain which people know it
 * by ("gmail" of gmail.com, "example" of mail.example.co.uk). */
void cli_address_append_name(const struct cli_address *address, struct buf *name);

#endif
