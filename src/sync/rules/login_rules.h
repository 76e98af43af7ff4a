/*
 * Whether to log in again after the server has refused it. Some servers (GMX) shut out addresses
 * that repeat a wrong password. Pure. In the order in which they are tried:
 *   Q1 no refusal is noted, or a `check` got in since    -> log in
 *   Q2 somebody is there, at a terminal                  -> log in
 *   Q3 the secret, or where and how to log in, is another -> log in
 *   Q4 the wait is over: a quarter of an hour after the first refusal in a row, twice as long after
 *      each one more, a day at most; or the clock was put back behind the last one -> log in
 *   Q5 else                                              -> not now
 */
#ifndef SYNC_RULES_LOGIN_RULES_H
#define SYNC_RULES_LOGIN_RULES_H

#include <stdbool.h>
#include <stdint.h>

struct login_facts {
	unsigned refusals;  /* in a row */
	int64_t refused_at; /* the last one; seconds since 1970 */
	int64_t now;
	bool has_terminal;
	bool is_same_secret; /* that was refused */
	bool is_same_server; /* and user, and way to log in */
};

/* When Q4 lets it be tried again. */
int64_t login_next_try(const struct login_facts *facts);
bool login_is_due(const struct login_facts *facts);

#endif
