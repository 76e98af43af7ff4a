/* Commands for an account that signs in by OAuth2. */
#ifndef MAILSYNC_CLI_JOB_SIGN_H
#define MAILSYNC_CLI_JOB_SIGN_H

#include "cli_job.h"

void cli_job_login(struct cli_job *job, const struct cli_options *cli,
		   const struct sync_options *options);
void cli_job_token(struct cli_job *job, const struct sync_options *options);
void cli_job_logout(struct cli_job *job, const struct cli_options *cli,
		    const struct sync_options *options);

#endif
