#include "pop3_run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mailsync/base/clock.h"

#include "guard/open.h"
#include "guard/ownership.h"
#include "pop3_private.h"

#define SESSIONS_MAX 200 /* of one run */

int pop3_job_fail(struct pop3_job *job, struct pop3_item *item, const struct err *why,
		  struct err *err)
{
	int code = 0;

	item->is_failed = true;
	item->act = POP3_ACT_NONE;
	run_report_error(&job->run, &job->mailbox, 0, why);
	if (item->key[0] != '\0') {
		code = strlist_add(&job->failed, span_of(item->key), err);
		strlist_sort(&job->failed);
	}
	return code;
}

static void policy_init(struct pop3_job *job)
{
	const struct account *account = job->run.account;
	const struct sync_options *options = job->run.options;
	bool is_pull = account->direction == DIRECTION_PULL || options->pull;
	bool is_push = account->direction == DIRECTION_PUSH || options->push;
	int64_t now = clock_real_ns() / 1000000000;

	job->policy = (struct pop3_policy){
		.now = now,
		.leave = account->leave_on_server,
		.leave_age_s = account->leave_age_s,
		.may_delete = !is_pull && (account->delete_ & SIDE_REMOTE) != 0,
		.may_download = !is_push,
		.max_size_bytes = account->max_message_size,
		.oldest = account->max_age_s == 0 ? INT64_MIN : now - account->max_age_s,
	};
}

static int load_base(struct pop3_job *job, struct err *err)
{
	struct state_mailboxes mailboxes = {0};
	int code = state_mailboxes_load(job->run.session->state, &mailboxes, err);

	for (size_t i = 0; !code && i < mailboxes.count; i++) {
		if (strcmp(mailboxes.items[i].name, "INBOX") == 0) {
			state_mailbox_finish(&job->mailbox.base);
			job->mailbox.base = mailboxes.items[i];
			state_mailbox_init(&mailboxes.items[i]);
		}
	}
	state_mailboxes_finish(&mailboxes);
	if (!code && !job->mailbox.base.name) {
		job->mailbox.base.name = span_dup(SPAN_LIT("INBOX"));
		code = job->mailbox.base.name ? 0 : err_nomem(err);
	}
	return code;
}

static int open_local(struct pop3_job *job, struct err *err)
{
	int code = run_open_local(&job->run, err);

	if (!code) {
		code = maildir_folder_key(job->run.account->name, "INBOX", job->key, err);
	}
	return code ? code : load_base(job, err);
}

/* A root without INBOX though mail was delivered into it: a disk that is not mounted. */
static int check_accident(struct pop3_job *job, struct err *err)
{
	struct run *run = &job->run;
	struct pop3_rows rows = {0};
	struct stamp stamp;
	struct err why;
	bool is_empty = !maildir_exists(run->session->maildir) ||
			maildir_stat(run->session->maildir, "INBOX", &stamp, &why) == -ERR_CHANGED;
	int code = 0;

	if (!is_empty || run->options->allow_mass_delete) {
		return 0;
	}
	code = state_pop3_load(run->session->state, &rows, err);
	for (size_t i = 0; !code && i < rows.count; i++) {
		if (rows.items[i].unique[0] != '\0') {
			run->done.brake_hit = true;
			code = err_set(err, ERR_BRAKE, SCOPE_ACCOUNT,
				       "%s has no INBOX though mail was delivered into it; is a "
				       "disk not mounted? If this is meant, use "
				       "--allow-mass-delete",
				       run->account->maildir.root);
		}
	}
	state_pop3_finish(&rows);
	return code;
}

static void mail_session_finish(struct pop3_job *job)
{
	struct pop3_totals totals;

	if (job->pop3) {
		pop3_get_totals(job->pop3, &totals);
		job->run.report->commands += totals.commands;
		job->run.report->round_trips += totals.round_trips;
		job->run.report->bytes_in += totals.bytes_in;
		job->run.report->bytes_out += totals.bytes_out;
		pop3_close(&job->pop3);
	}
	state_pop3_finish(&job->rows);
	pop3_listing_finish(&job->listing);
	strlist_finish(&job->keys);
	strlist_init(&job->keys);
	free(job->items);
	free(job->headers);
	free(job->is_listed);
	job->items = NULL;
	job->headers = NULL;
	job->is_listed = NULL;
	job->header_count = job->header_cap = job->listed_count = job->rows_cap = 0;
}

static int connect_account(const struct account *account, const struct sync_options *options,
			   bool wants_utf8, struct pop3 **pop3, struct err *err)
{
	struct pop3_params params = {
		.server = &account->server,
		.log = options->log,
		.label = account->name,
		.stop = options->stop,
		.wants_utf8 = wants_utf8,
	};

	return pop3_open(pop3, &params, err);
}

static void report_plan(struct pop3_job *job)
{
	for (size_t i = 0; i < job->listing.count; i++) {
		const struct pop3_item *item = &job->items[i];
		bool is_download = item->act == POP3_ACT_DOWNLOAD;
		bool is_due = item->row != POP3_NO_ROW &&
			      pop3_is_due(&job->rows.items[item->row], &job->policy);
		struct plan_entry entry = {.mailbox = "INBOX", .uid = item->number};
		if (is_download) {
			entry.op = REPORT_DOWNLOAD;
			entry.why = "new on the server";
			run_report_plan(&job->run, &entry);
		}
		is_due = is_due ||
			 (is_download && job->policy.may_delete && job->policy.leave == LEAVE_NO);
		if (is_due) {
			entry.op = REPORT_DELETE_REMOTE;
			entry.why = "downloaded, and leave_on_server does not keep it";
			run_report_plan(&job->run, &entry);
		}
	}
}

static void count_skipped(struct pop3_job *job)
{
	job->mailbox.done.counts.skipped = 0;
	for (size_t i = 0; i < job->listing.count; i++) {
		job->mailbox.done.counts.skipped += job->items[i].act == POP3_ACT_SKIP;
	}
}

static int run_session(struct pop3_job *job, struct err *err)
{
	const char *user = job->run.account->server.user;
	int code = connect_account(job->run.account, job->run.options, job->wants_utf8, &job->pop3,
				   err);

	if (code) {
		return code;
	}
	job->run.report->connections = 1;
	job->is_partial = pop3_is_gmail(job->pop3) || (user && strncmp(user, "recent:", 7) == 0);
	job->downloads_of_session = 0;
	code = pop3_observe(job, err);
	if (code) {
		return code;
	}
	count_skipped(job);
	if (job->run.options->dry_run) {
		struct err ignored;
		report_plan(job);
		(void)pop3_quit(job->pop3, &ignored); /* of no consequence */
		return 0;
	}
	code = pop3_remember(job, err);
	if (!code) {
		code = pop3_download(job, err);
	}
	job->mailbox.base.messages = (uint32_t)job->listing.count;
	return code ? code : pop3_delete(job, err);
}

/* Another session is worth while after one that Gmail showed only a part in, that a message with a
 * broken end has spoilt, or that first showed that UTF8 is needed. */
static int run_sessions(struct pop3_job *job, struct err *err)
{
	int code = 0;

	for (int session = 0; session < SESSIONS_MAX; session++) {
		size_t failed_before = job->failed.count;
		bool had_utf8 = job->wants_utf8;
		code = run_session(job, err);
		bool is_spoilt = code == -ERR_PROTOCOL && job->failed.count > failed_before;
		bool may_be_more = !code && job->is_partial && job->downloads_of_session > 0;
		mail_session_finish(job);
		bool is_other_now = !code && job->wants_utf8 && !had_utf8;
		if (!is_spoilt && !may_be_more && !is_other_now) {
			break;
		}
	}
	return code;
}

/* For `status`. */
static int note_end(struct pop3_job *job, int outcome, const struct err *why, struct err *err)
{
	struct state_mailbox *base = &job->mailbox.base;

	free(base->trouble);
	base->trouble = outcome ? span_dup(span_of(why->text)) : NULL;
	base->had_local = base->had_remote = true;
	base->synced_at = outcome ? base->synced_at : job->policy.now;
	return state_mailbox_put(job->run.session->state, base, err);
}

/* In one transaction: each costs several syncs. */
static int end_account(struct pop3_job *job, int outcome, const struct err *why, struct err *err)
{
	struct run *run = &job->run;

	if (run->options->dry_run || !run->session->state || !job->mailbox.base.name) {
		return 0;
	}
	int code = state_begin(run->session->state, err);
	if (code) {
		return code;
	}
	code = note_end(job, outcome, why, err);
	if (!code && !outcome && run->session->has_generation) {
		code = ownership_release(run->session->maildir, run->session->state, err);
	}
	if (code) {
		state_rollback(run->session->state);
		return code;
	}
	return state_commit(run->session->state, err);
}

static int run_account(struct pop3_job *job, struct err *err)
{
	struct err why;
	int code = job->run.options->dry_run ? 0 : run_open_lock(&job->run, err);

	if (!code) {
		code = open_local(job, err);
	}
	if (!code) {
		code = check_accident(job, err);
	}
	if (!code) {
		code = run_sessions(job, err);
	}
	int ended = end_account(job, code, err, &why);
	if (ended && !code) {
		*err = why;
		code = ended;
	}
	return code;
}

static bool counts_changes(const struct sync_counts *counts)
{
	return counts->downloaded > 0 || counts->deleted_remote > 0;
}

static int report_mailbox(struct pop3_job *job, struct err *err)
{
	struct report *report = job->run.report;
	const struct sync_counts *counts = &job->mailbox.done.counts;

	report->mailboxes_selected = 1;
	report->total = *counts;
	if (!counts_changes(counts) && counts->skipped == 0 && counts->errors == 0) {
		return 0;
	}
	report->mailboxes = calloc(1, sizeof(*report->mailboxes));
	char *name = span_dup(SPAN_LIT("INBOX"));
	if (!report->mailboxes || !name) {
		free(name);
		return err_nomem(err);
	}
	report->mailboxes[0].name = name;
	report->mailboxes[0].counts = *counts;
	report->mailboxes[0].is_changed = counts_changes(counts);
	report->mailboxes_changed = report->mailboxes[0].is_changed;
	report->mailbox_count = 1;
	return 0;
}

static void job_finish(struct pop3_job *job)
{
	mail_session_finish(job);
	mailbox_release(&job->mailbox);
	state_mailbox_finish(&job->mailbox.base);
	strlist_finish(&job->adoptable);
	strlist_finish(&job->adopted);
	strlist_finish(&job->failed);
	struct session *session = job->run.session;
	run_finish(&job->run);
	session_finish(session);
}

static bool is_selected(const struct sync_options *options)
{
	if (!options->only || options->only->count == 0) {
		return true;
	}
	for (size_t i = 0; i < options->only->count; i++) {
		if (strcmp(options->only->items[i], "INBOX") == 0) {
			return true;
		}
	}
	return false;
}

int pop3_run(const struct account *account, const struct sync_options *options,
	     struct report *report, struct err *err)
{
	/* A power cut must not lose what DELE has removed, nor what a row says was downloaded. */
	struct account safe = *account;
	char inbox[] = "INBOX";
	if (safe.maildir.durability == MAILDIR_SYNC_NONE) {
		safe.maildir.durability = MAILDIR_SYNC_BATCH;
	}
	struct session session;
	struct pop3_job job = {.mailbox = {.name = inbox}};
	int64_t started = clock_monotonic_us();

	err_clear(err);
	if (!is_selected(options)) {
		return 0;
	}
	session_init(&session, &safe, options);
	strlist_init(&job.keys);
	strlist_init(&job.adoptable);
	strlist_init(&job.adopted);
	strlist_init(&job.failed);
	state_mailbox_init(&job.mailbox.base);
	pop3_listing_init(&job.listing);
	int code = run_init(&job.run, &session, report, err);
	if (code) {
		return code;
	}
	policy_init(&job);
	code = run_account(&job, err);
	if (code) {
		run_report_error(&job.run, NULL, 0, err);
	}
	struct err why;
	if (report_mailbox(&job, &why) && !code) {
		*err = why;
		code = -(int)why.code;
	}
	report->status = code                    ? err_exit_status(err->code)
		       : report->error_count > 0 ? err_exit_status(ERR_PARTIAL)
						 : 0;
	report->seconds = (double)(clock_monotonic_us() - started) / 1e6;
	job_finish(&job);
	return code;
}

int pop3_run_list(const struct account *account, const struct sync_options *options,
		  struct listing *listing, struct err *err)
{
	struct pop3_listing found;
	struct pop3 *pop3 = NULL;
	struct err ignored;
	int code = connect_account(account, options, false, &pop3, err);

	pop3_listing_init(&found);
	if (!code) {
		code = pop3_list(pop3, &found, err);
	}
	if (!code) {
		listing->items = calloc(1, sizeof(*listing->items));
		code = listing->items ? 0 : err_nomem(err);
	}
	if (!code) {
		struct listing_entry *entry = &listing->items[0];
		entry->name = span_dup(SPAN_LIT("INBOX"));
		entry->special_use = span_dup(SPAN_LIT(""));
		entry->messages = found.count;
		entry->has_messages = true;
		entry->is_selected = true;
		listing->count = 1;
		code = entry->name && entry->special_use ? 0 : err_nomem(err);
		(void)pop3_quit(pop3, &ignored); /* of no consequence */
	}
	pop3_listing_finish(&found);
	pop3_close(&pop3);
	return code;
}

static int add_line(struct strlist *lines, const char *what, const char *how, struct err *err)
{
	char line[256];

	snprintf(line, sizeof(line), "%s: %s", what, how);
	return strlist_add(lines, span_of(line), err);
}

int pop3_run_check(const struct account *account, const struct sync_options *options,
		   struct strlist *lines, struct err *err)
{
	struct pop3_listing found;
	struct pop3 *pop3 = NULL;
	struct err ignored;
	int code = connect_account(account, options, false, &pop3, err);

	pop3_listing_init(&found);
	if (!code) {
		code = pop3_list(pop3, &found, err);
	}
	if (!code) {
		unsigned caps = pop3_caps(pop3);
		bool is_piped = (caps & POP3_CAP_PIPELINING) != 0;
		bool has_top = !(caps & POP3_CAP_KNOWN) || (caps & POP3_CAP_TOP) != 0;
		code = add_line(lines, "login", pop3_login_name(pop3), err);
		code = code ? code
			    : add_line(lines, "connection",
				       pop3_is_tls(pop3) ? "TLS" : "without TLS", err);
		code = code ? code
			    : add_line(lines, "identity of messages",
				       found.has_uidl ? "UIDL"
						      : "digests of headers, as there is no UIDL",
				       err);
		code = code ? code
			    : add_line(lines, "commands",
				       is_piped ? "pipelined" : "one at a time (no PIPELINING)",
				       err);
		code = code ? code
			    : add_line(lines, "headers",
				       has_top ? "TOP" : "RETR, as there is no TOP", err);
		(void)pop3_quit(pop3, &ignored); /* of no consequence */
	}
	pop3_listing_finish(&found);
	pop3_close(&pop3);
	return code;
}
