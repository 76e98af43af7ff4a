/*
 * `login`: gets somebody's consent and the first tokens, by a browser or a device code. What people
 * have to do stands on standard error at once, not with the report of the account.
 */
#ifndef MAILSYNC_CLI_LOGIN_H
#define MAILSYNC_CLI_LOGIN_H

#include "mailsync/base/stop.h"
#include "mailsync/store/authority.h"
#include "cli_options.h"

/* The tokens are kept when it returns 0. -ERR_LOGIN: refused, or nobody came. */
int cli_login_run(const struct authority_params *params, const struct cli_options *options,
		  const stop_flag *stop, struct err *err);

#endif
