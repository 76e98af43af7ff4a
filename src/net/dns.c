#define _DEFAULT_SOURCE /* the resolver's header */
#include "mailsync/net/dns.h"

#include <netdb.h>
#include <netinet/in.h>
#include <stdint.h>
#include <string.h>
#include <sys/types.h>
/* Behind the three before it, which BSD's want. */
#include <arpa/nameser.h>
#include <resolv.h>

#include "mailsync/base/step.h"
#include "dns_answer.h"

#define PACKET_MAX 4096
#define FLAGS_AT   2
#define FLAG_CUT   0x02

static const int types[] = {[DNS_MX] = 15, [DNS_TXT] = 16, [DNS_SRV] = 33};

#if defined(MAILSYNC_RESOLVER_STATE)
/* The wait of one try at the first of COUNT servers; glibc divides twice, four times as much among
 * the others. In all DNS_WAIT_S at most. */
static void limit_wait(struct __res_state *resolver)
{
	resolver->retrans = 2;
	resolver->retry = resolver->nscount > 1 ? 1 : 2;
}

static int query(const char *name, int type, unsigned char *packet, int *h_error)
{
	struct __res_state resolver;

	memset(&resolver, 0, sizeof(resolver));
	if (res_ninit(&resolver) != 0) {
		*h_error = NO_RECOVERY;
		return -1;
	}
	limit_wait(&resolver);
	/* A second try by TCP knows no limit of time. */
	resolver.options |= RES_IGNTC | RES_USE_EDNS0;
	int len = res_nquery(&resolver, name, 1, type, packet, PACKET_MAX);
	*h_error = resolver.res_h_errno;
	res_nclose(&resolver);
	return len;
}
#elif defined(MAILSYNC_RESOLVER)
/* musl has no state, and waits as long as the system says: 5 s where it says nothing. */
static int query(const char *name, int type, unsigned char *packet, int *h_error)
{
	int len = res_query(name, 1, type, packet, PACKET_MAX);

	*h_error = h_errno;
	return len;
}
#else
static int query(const char *name, int type, unsigned char *packet, int *h_error)
{
	(void)name;
	(void)type;
	(void)packet;
	*h_error = NO_RECOVERY;
	return -1;
}
#endif

/* What it means that there was no record to read; PACKET is what came. */
static int no_answer(struct dns_answer *answer, int h_error, const unsigned char *packet,
		     const char *name, struct err *err)
{
	switch (h_error) {
	case HOST_NOT_FOUND:
		answer->is_no_name = true;
		return 0;
	case NO_DATA:
		/* Records may have been left out, all of them. */
		return packet[FLAGS_AT] & FLAG_CUT
			     ? err_set(err, ERR_PROTOCOL, SCOPE_ACCOUNT,
				       "%s: the name server's answer was cut short", name)
			     : 0;
	case TRY_AGAIN:
		return err_set(err, ERR_TEMPORARY, SCOPE_ACCOUNT,
			       "no name server tells of %s now (no answer, or a failure)", name);
	default:
		return err_set(err, ERR_CONFIG, SCOPE_ACCOUNT,
			       "the name servers cannot be asked for %s", name);
	}
}

int dns_ask(struct dns_answer *answer, const char *name, enum dns_type type, struct err *err)
{
	unsigned char packet[PACKET_MAX] = {0};
	int h_error = 0;
	int errnum = STEP("dns query");

	if (errnum != 0) {
		return err_set_errno(err, ERR_TEMPORARY, SCOPE_ACCOUNT, errnum,
				     "the name servers cannot be asked for %s", name);
	}
	int len = query(name, types[type], packet, &h_error);
	if (len < 0) {
		return no_answer(answer, h_error, packet, name, err);
	}
	int code = dns_answer_read(
		answer, type,
		(struct span){(const char *)packet, len < PACKET_MAX ? (size_t)len : PACKET_MAX},
		err);
	if (code < 0) {
		err_prefix(err, "%s", name);
	}
	return code;
}
