/*
 * The few questions to the DNS that finding a mail domain's servers takes: MX, SRV and TXT, by the
 * resolver of the C library, which knows the system's name servers. Nothing of an answer is
 * proven: whoever is on the way can make one up. Any thread.
 *
 *     dns_answer_init(&answer)
 *     dns_ask(&answer, "_imaps._tcp.example.org", DNS_SRV, &err)    blocks, DNS_WAIT_S at most
 *     dns_answer_finish(&answer)
 */
#ifndef MAILSYNC_NET_DNS_H
#define MAILSYNC_NET_DNS_H

#include <stdbool.h>
#include <stddef.h>

#include "mailsync/base/buf.h"
#include "mailsync/base/err.h"

#define DNS_WAIT_S      5
#define DNS_RECORDS_MAX 64 /* more of an answer are left out */
#define DNS_TEXT_MAX    1024
#define DNS_NAME_MAX    253 /* of a host's name, without the dot at its end */

enum dns_type {
	DNS_MX,
	DNS_TXT,
	DNS_SRV
};

/* Lower case, letters, digits, "-", "_" and dots only, so that HOST may stand in a file or on a
 * terminal; what a record says else is no record here. TEXT is printable ASCII, likewise. */
struct dns_record {
	unsigned priority; /* of SRV, and the preference of MX */
	unsigned weight;   /* of SRV, as the port */
	unsigned port;
	char host[DNS_NAME_MAX + 1]; /* of MX and SRV; "": none, the target was the root */
	char text[DNS_TEXT_MAX + 1]; /* of TXT, its strings in one */
};

struct dns_answer {
	struct dns_record *items; /* SRV and MX: first to last to be tried */
	size_t count;
	size_t cap;
	bool is_no_name; /* not even the name is there */
};

void dns_answer_init(struct dns_answer *answer);
void dns_answer_finish(struct dns_answer *answer);

/* A name without such a record is an answer with none. -ERR_TEMPORARY: nobody answered, or the
 * answer was that it cannot be told now; -ERR_PROTOCOL: it makes no sense; -ERR_CONFIG: this system
 * has no resolver to ask by. */
int dns_ask(struct dns_answer *answer, const char *name, enum dns_type type, struct err *err);

/* Appends the ASCII form of DOMAIN ("xn--..." where it is an internationalised one), in lower
 * case. -ERR_USAGE for what is no domain's name. */
int dns_domain(struct span domain, struct buf *out, struct err *err);

#endif
