/* From an account's configuration to what the engine takes. */
#ifndef MAILSYNC_CLI_ACCOUNT_H
#define MAILSYNC_CLI_ACCOUNT_H

#include "mailsync/conf/conf.h"
#include "mailsync/oauth/client.h"
#include "mailsync/store/authority.h"
#include "mailsync/store/credential.h"
#include "mailsync/store/tokens.h"
#include "mailsync/sync/account.h"

/* Fills ACCOUNT with what CONF, of the file WHOLE, says; it borrows from both, and CREDENTIAL
 * (NULL: none). TRASH is the canonical form of CONF's trash, owned by the caller, NULL for none.
 * What a refusal usually means is told by the provider that CONF names, else by the one that its
 * server belongs to. */
void cli_account_fill(struct account *account, const struct conf_account *conf,
		      const struct conf *whole, struct credential *credential, const char *trash);
/* Fills PARAMS with where CONF's secret comes from, and borrows from CONF. TOKENS: where it signs
 * in by OAuth2; or NULL. */
void cli_account_credential(const struct conf_account *conf, struct tokens *tokens,
			    struct credential_params *params);
/* True where an account of CONF that speaks the other protocol uses OWNER's token, too. */
bool cli_account_is_shared(const struct conf *conf, const struct conf_account *owner);
/* Fills SETTINGS and PARAMS, which borrows them, with how CONF, which has `oauth`, comes to its
 * tokens; state_dir, log and the client's secret are the caller's. */
void cli_account_authority(const struct conf_account *conf, struct oauth_settings *settings,
			   struct authority_params *params);
/* The same of the client's own secret; false where it has none. */
bool cli_account_client_secret(const struct conf_account *conf, struct credential_params *params);
/* CONF's trash in canonical form: a heap string or NULL for none, into *TRASH. */
int cli_account_trash(const struct conf_account *conf, char **trash, struct err *err);

#endif
