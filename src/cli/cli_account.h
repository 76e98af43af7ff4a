/* From an account's configuration to what the engine takes. */
#ifndef MAILSYNC_CLI_ACCOUNT_H
#define MAILSYNC_CLI_ACCOUNT_H

#include "mailsync/conf/conf.h"
#include "mailsync/store/credential.h"
#include "mailsync/sync/account.h"

/* Fills ACCOUNT with what CONF says; it borrows from CONF, and CREDENTIAL (NULL: none). TRASH is
 * the canonical form of CONF's trash, owned by the caller, NULL for none. */
void cli_account_fill(struct account *account, const struct conf_account *conf,
		      struct credential *credential, const char *trash);
/* Fills PARAMS with where CONF's secret comes from, and borrows from CONF. */
void cli_account_credential(const struct conf_account *conf, struct credential_params *params);
/* CONF's trash in canonical form: a heap string or NULL for none, into *TRASH. */
int cli_account_trash(const struct conf_account *conf, char **trash, struct err *err);

#endif
