/* Commands that say of an account what is there. */
#ifndef MAILSYNC_CLI_JOB_LOOK_H
#define MAILSYNC_CLI_JOB_LOOK_H

#include "cli_job.h"

void cli_job_list(struct cli_job *job, const struct sync_options *options);
void cli_job_check(struct cli_job *job, const struct sync_options *options);
void cli_job_status(struct cli_job *job, const struct sync_options *options);

#endif
