/* The steps of an account's run, for the other commands at the top. */
#ifndef SYNC_ACCOUNT_H
#define SYNC_ACCOUNT_H

#include "run/run.h"

/* In a session of a dry run whose lock and local side are open: connects, and looks at what the
 * next sync would do, up to the brake. Nothing is done, and nothing told. */
int account_look(struct run *run, struct err *err);
/* Says good-bye where the server IS_WELL, and adds up what the connection cost. */
void account_take_leave(struct run *run, bool is_well);

#endif
