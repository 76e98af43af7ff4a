/*
 * Where the servers of a mail domain are, as the domain itself tells: its mail exchangers, PACC
 * (the document of mailsync/oauth/pacc.h), SRV records (RFC 6186, RFC 8314), and then what a server
 * says of itself before anybody logs in. No user name and no password leaves this machine, no
 * certificate is taken that is not right, and all of it ends within DISCOVER_WAIT_S. One thread.
 *
 *     discover_init(&discover, domain, proxy, stop, log)
 *     discover_exchangers(&discover, &answer, &err)
 *     discover_pacc(&discover, &found, &err)       each adds the servers that it finds
 *     discover_srv(&discover, &found, &err)
 *     discover_probe(&discover, &found.items[0], &offer, &err)
 *     discover_finish(&discover)
 *
 * What a source did not tell is a line in `notes`, and no error: another may. Who answers is not
 * proven, but for PACC's HTTPS: see is_outside.
 */
#ifndef MAILSYNC_DISCOVER_DISCOVER_H
#define MAILSYNC_DISCOVER_DISCOVER_H

#include <stdbool.h>
#include <stdint.h>

#include "mailsync/base/err.h"
#include "mailsync/base/log.h"
#include "mailsync/base/stop.h"
#include "mailsync/base/strlist.h"
#include "mailsync/net/conn.h"
#include "mailsync/net/dns.h"
#include "mailsync/oauth/pacc.h"

#define DISCOVER_WAIT_S      20
#define DISCOVER_SERVERS_MAX 4
#define DISCOVER_NAME_MAX    (DNS_NAME_MAX + 64) /* of what was asked for */

struct discover {
	const char *domain; /* in ASCII, lower case (dns_domain); borrowed */
	const char *proxy;  /* what all goes through, borrowed; NULL: none */
	const stop_flag *stop;
	struct log *log;
	int64_t until_ms;
	struct strlist notes; /* what each source said that found nothing */
	bool is_deaf;         /* no name server answered in time: none is asked again */
	bool is_unsure;       /* something failed that may go well another time */
	bool is_no_name;      /* there is no such domain */
	bool keeps_names;     /* PROXY is there so that the DNS here hears no name */
};

enum discover_proof {
	DISCOVER_UNPROVEN, /* there is no digest in the DNS */
	DISCOVER_UNASKED,  /* the DNS is not asked (`proxy`) */
	DISCOVER_PROVEN
};

struct discover_server {
	enum conn_protocol protocol;
	enum conn_tls tls;
	unsigned port;
	char host[DNS_NAME_MAX + 1];
	char source[DISCOVER_NAME_MAX + 1]; /* "SRV _imaps._tcp.example.org" */
	bool is_outside;                    /* its name is not below the domain's */
};

struct discover_found {
	struct discover_server items[DISCOVER_SERVERS_MAX]; /* first to last to be tried */
	size_t count;
	struct pacc pacc; /* where it told of one */
	enum discover_proof proof;
};

/* What a server lets one log in by. */
struct discover_offer {
	unsigned mechs; /* AUTH_BIT of each */
	bool is_told;   /* else it did not say */
};

/* PROXY as the key of the configuration. One that gets names instead of addresses (socks5h,
 * socks4a) is there so that nobody else hears them: the DNS is not asked then, and says nothing. */
void discover_init(struct discover *discover, const char *domain, const char *proxy,
		   const stop_flag *stop, struct log *log);
void discover_finish(struct discover *discover);
void discover_found_init(struct discover_found *found);
void discover_found_finish(struct discover_found *found);

/* Each: -ERR_INTERRUPTED, -ERR_NOMEM, or success, whatever was found. */
int discover_exchangers(struct discover *discover, struct dns_answer *answer, struct err *err);
int discover_pacc(struct discover *discover, struct discover_found *found, struct err *err);
int discover_srv(struct discover *discover, struct discover_found *found, struct err *err);

/* Connects to SERVER and hears what it offers. Errors as conn_open. */
int discover_probe(struct discover *discover, const struct discover_server *server,
		   struct discover_offer *offer, struct err *err);

#endif
