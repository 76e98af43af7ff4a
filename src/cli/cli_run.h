/*
 * One command over the accounts of a configuration: which take part, a thread each, and their
 * output in file order.
 *
 *     cli_run_create(&run, &options, conf, &err);   cli_run_select(run, &err);
 *     status = cli_run_all(run);                    cli_run_destroy(&run);
 */
#ifndef MAILSYNC_CLI_RUN_H
#define MAILSYNC_CLI_RUN_H

#include <stdio.h>

#include "mailsync/base/stop.h"
#include "mailsync/conf/conf.h"
#include "cli_job.h"
#include "cli_options.h"
#include "cli_select.h"

struct cli_run;

/* OPTIONS and CONF are borrowed. STOP: non-zero asks for an end. */
int cli_run_create(struct cli_run **run, const struct cli_options *options, const struct conf *conf,
		   const stop_flag *stop, struct err *err);
void cli_run_destroy(struct cli_run **run);
/* Takes the arguments ACCOUNT[/MAILBOX] apart; none: all accounts. -ERR_USAGE for an unknown
 * account. */
int cli_run_select(struct cli_run *run, struct err *err);
/* Runs, writes to OUT and ERR_STREAM, and returns the exit status: that of the first failing
 * account. */
int cli_run_all(struct cli_run *run, FILE *out, FILE *err_stream);

/* For who runs the jobs by itself, as a program that stays does. Begin makes ready what they need;
 * an exit status, 0: go on. */
int cli_run_begin(struct cli_run *run, FILE *err_stream);
/* All of the configuration, in its order; they are RUN's. */
struct cli_jobs cli_run_jobs(const struct cli_run *run);
const struct sync_options *cli_run_options(const struct cli_run *run);
/* Writes what is to be said of JOB; an exit status, 0: it was written. */
int cli_run_tell(struct cli_run *run, struct cli_job *job, FILE *out, FILE *err_stream);
/* Writes what is not a job's, whose thread may be at work meanwhile. */
void cli_run_say(struct cli_run *run, const struct cli_output *output);
void cli_run_end(struct cli_run *run);

#endif
