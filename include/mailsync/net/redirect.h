/*
 * Where a browser brings the answer of an authorization server: a listener on the loopback
 * addresses, for one right request. The same answer may be pasted on a descriptor: another source
 * of the same words. What is right the caller decides.
 *
 *     redirect_open(&redirect, port, listens, &err)
 *     redirect_port(redirect)                               goes into the address to open
 *     while (redirect_next(redirect, &wait, &query, &err) == 0) {
 *             ... is QUERY right?
 *             redirect_answer(redirect, is_right)           before the next one
 *     }
 *     redirect_close(&redirect)
 *
 * Others than the browser can connect, too: a request is at most 8 KiB, has 10 s, and holds up no
 * other; whatever is not a GET of the path is answered and forgotten; no answer holds a word of
 * what was asked. One thread.
 */
#ifndef MAILSYNC_NET_REDIRECT_H
#define MAILSYNC_NET_REDIRECT_H

#include <stdbool.h>
#include <stdint.h>

#include "mailsync/base/err.h"
#include "mailsync/base/span.h"
#include "mailsync/base/stop.h"

struct redirect;

struct redirect_wait {
	const char *path;      /* of the right request, "/" at least */
	int input;             /* what is pasted here, line by line; -1: nothing */
	int64_t until_ms;      /* of the monotonic clock */
	const stop_flag *stop; /* non-zero: -ERR_INTERRUPTED; or NULL */
};

/* PORT 0: one that the system chooses. Without LISTENS the port is only taken, so that whoever
 * connects is refused and the address stays in the browser. -ERR_LOCAL. */
int redirect_open(struct redirect **redirect, unsigned port, bool listens, struct err *err);
void redirect_close(struct redirect **redirect);
unsigned redirect_port(const struct redirect *redirect);

/* TEXT: the query of a request, or the line pasted; borrowed until the next call, and a secret.
 * -ERR_LOGIN when the time is over, or there is nothing left to wait for. */
struct redirect_query {
	struct span text;
	bool is_pasted;
};
int redirect_next(struct redirect *redirect, const struct redirect_wait *wait,
		  struct redirect_query *query, struct err *err);
/* Answers the request that gave the query, with a page that says whether that was it. */
void redirect_answer(struct redirect *redirect, bool is_right);

#endif
