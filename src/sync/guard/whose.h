/* Of which server and user are the rows? By a fingerprint of host, user and tunnel that is noted
 * with them; rules/server_rules.h, S13 to S15. */
#ifndef SYNC_GUARD_WHOSE_H
#define SYNC_GUARD_WHOSE_H

#include "rules/server_rules.h"
#include "run/run.h"

int whose_rows(struct run *run, enum whose *whose, struct err *err);
/* They are this account's from now on. */
int whose_note(struct run *run, struct err *err);

#endif
