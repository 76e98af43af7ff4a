/*
 * What a name server's answer says (RFC 1035 4.1). Pure: the packet comes from anybody. Nothing in
 * it makes this read beyond its end, turn in circles, or keep more than DNS_RECORDS_MAX records.
 */
#ifndef NET_DNS_ANSWER_H
#define NET_DNS_ANSWER_H

#include "mailsync/base/span.h"
#include "mailsync/net/dns.h"

/* Adds the records of TYPE in PACKET to ANSWER, which is empty, and puts them in order. Where the
 * packet says that there is none, there is none. -ERR_PROTOCOL: it is broken, or cut short;
 * -ERR_TEMPORARY: it says that the server failed. */
int dns_answer_read(struct dns_answer *answer, enum dns_type type, struct span packet,
		    struct err *err);

#endif
