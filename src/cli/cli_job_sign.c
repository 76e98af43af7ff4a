#include "cli_job_sign.h"

#include "mailsync/base/secret.h"
#include "cli_login.h"

/* True where the account signs in by itself; else it is told why not. */
static bool job_signs_in(struct cli_job *job)
{
	struct err err;

	if (job->conf->oauth) {
		return true;
	}
	if (job->conf->oauth_account) {
		err_set(&err, ERR_CONFIG, SCOPE_ACCOUNT,
			"it uses the token of account %s: name that one", job->conf->oauth_account);
	} else {
		err_set(&err, ERR_CONFIG, SCOPE_ACCOUNT,
			"it has no key `oauth`, so there is nothing to sign in to");
	}
	cli_job_fail(job, &err);
	return false;
}

/* Ends with one real login: the consent may have been another user's, or not enough. */
void cli_job_login(struct cli_job *job, const struct cli_options *cli,
		   const struct sync_options *options)
{
	struct strlist lines;
	struct err err;

	if (!job_signs_in(job)) {
		return;
	}
	strlist_init(&lines);
	int code = cli_login_run(&job->authority, cli, options->stop, &err);
	if (code == 0 && (code = sync_check(&job->account, options, &lines, &err)) < 0) {
		err_prefix(&err, "signed in, but the mail server does not let us in");
	}
	if (code < 0) {
		cli_job_fail(job, &err);
	} else if (cli->level > LOG_ERROR) {
		buf_printf(&job->output.err,
			   "mailsync: %s: signed in; the mail server lets %s in\n", job->conf->name,
			   job->conf->user ? job->conf->user : "us");
	}
	strlist_finish(&lines);
}

void cli_job_token(struct cli_job *job, const struct sync_options *options)
{
	struct secret access;
	int64_t end_s;
	struct err err;

	if (!job->tokens) {
		(void)job_signs_in(job);
		return;
	}
	secret_init(&access);
	if (tokens_take(job->tokens, NULL, options->stop, &access, &end_s, &err) < 0) {
		cli_job_fail(job, &err);
	} else {
		cli_print_token(&job->output, job->conf->name, access.data, end_s);
	}
	secret_finish(&access);
}

void cli_job_logout(struct cli_job *job, const struct cli_options *cli,
		    const struct sync_options *options)
{
	bool was_there = false;
	struct err err;

	if (!job_signs_in(job)) {
		return;
	}
	if (tokens_forget(&job->authority, options->stop, &was_there, &err) < 0) {
		cli_job_fail(job, &err);
	} else if (cli->level > LOG_ERROR) {
		buf_printf(&job->output.err, "mailsync: %s: %s\n", job->conf->name,
			   was_there ? "signed out" : "was not signed in");
	}
}
