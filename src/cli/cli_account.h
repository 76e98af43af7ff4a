/* From an account's configuration to what the engine takes. */
#ifndef MAILSYNC_CLI_ACCOUNT_H
#define MAILSYNC_CLI_ACCOUNT_H

#include "mailsync/base/secret.h"
#include "mailsync/conf/conf.h"
#include "mailsync/sync/account.h"

/* Fills ACCOUNT with what CONF says; it borrows from CONF, and PASSWORD (may still be empty).
 * TRASH is the canonical form of CONF's trash, owned by the caller, NULL for none. */
void cli_account_fill(struct account *account, const struct conf_account *conf,
		      const struct secret *password, const char *trash);
/* CONF's trash in canonical form: a heap string or NULL for none, into *TRASH. */
int cli_account_trash(const struct conf_account *conf, char **trash, struct err *err);

#endif
