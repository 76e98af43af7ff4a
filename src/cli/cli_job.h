/* One account's part in a run: a command carried out by the engine, and what is said of it. */
#ifndef MAILSYNC_CLI_JOB_H
#define MAILSYNC_CLI_JOB_H

#include <stdbool.h>

#include "mailsync/base/progress.h"
#include "mailsync/base/strlist.h"
#include "mailsync/conf/conf.h"
#include "mailsync/oauth/client.h"
#include "mailsync/store/authority.h"
#include "mailsync/store/credential.h"
#include "mailsync/store/tokens.h"
#include "mailsync/sync/transfer.h"
#include "cli_metrics.h"
#include "cli_options.h"
#include "cli_plan.h"
#include "cli_progress.h"
#include "cli_print.h"

struct cli_job {
	const struct conf_account *conf;
	struct account account;
	struct credential *credential;
	/* Where the account signs in by OAuth2; else none. */
	struct oauth_settings oauth;
	struct authority_params authority;
	struct credential *client_secret;
	struct tokens *tokens;
	char *trash;            /* owned */
	char *changes;          /* of the list of changes, owned; NULL: no hook reads one */
	bool is_wanted;         /* takes part in this run */
	bool is_whole;          /* named without a mailbox, or not at all */
	struct strlist only;    /* mailboxes named */
	struct err refusal;     /* code other than ERR_NONE: do not run, say this */
	struct mail_sink *sink; /* of export, borrowed */
	bool is_one_of_many;    /* of the accounts that are exported there */
	struct cli_output output;
	struct progress progress;
	struct cli_meter meter; /* what the display made of it */
	int status;
	struct strlist brought;   /* mailboxes whose messages the server changed: new, or gone */
	uint64_t flags_left;      /* of its report */
	struct sync_counts total; /* of a sync, as are: */
	uint64_t bytes;           /* over the wire, both ways */
	double seconds;
	struct cli_plan_sum plan;   /* of a dry run */
	bool is_measured;           /* for --metrics: */
	struct cli_measure measure; /* its thread's, and as it was told of last: */
	struct cli_measure measured;
	bool is_measured_anew; /* and that is not written yet */
	bool stays;            /* this process does: what stays as it is, is said once */
	uint64_t said;         /* a hash of the errors of its last run */
	int64_t patience_ms;   /* of its report */
	enum err_code ended;   /* what ended the account, ERR_NONE: nothing did */
	bool is_done;
	bool was_refused;    /* the login, in the run before */
	bool is_unattended;  /* nobody looks on (cli_silence.h) */
	bool is_to_be_heard; /* its report, once it is written (sync_was_heard) */
};

void cli_job_init(struct cli_job *job, const struct conf_account *conf,
		  const struct cli_options *options);
void cli_job_finish(struct cli_job *job);
/* Where hooks run behind a sync, what it does to files is listed for them. `account` is filled. */
int cli_job_keep_changes(struct cli_job *job, const char *state_dir, struct err *err);
/* Forgets what the last run of it said: it is going to be run once more. */
void cli_job_again(struct cli_job *job);
/* Says ERR, which ended the account, and takes its status. */
void cli_job_fail(struct cli_job *job, const struct err *err);
/* Runs the command of CLI on the account, with OPTIONS, whose `only` is replaced; fills output and
 * status. */
void cli_job_run(struct cli_job *job, const struct cli_options *cli,
		 const struct sync_options *options);

#endif
