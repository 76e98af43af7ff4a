/* What a run has to say, collected for cli to print. */
#include <stdlib.h>
#include <string.h>

#include "mailsync/base/array.h"
#include "mailsync/base/clock.h"
#include "mailsync/model/mbname.h"

#include "run.h"

#define REPORT_ERRORS_MAX 1000

void report_init(struct report *report)
{
	*report = (struct report){0};
}

static void error_finish(struct report_error *error)
{
	free(error->mailbox);
	free(error->text);
}

static void plan_clear(struct report *report)
{
	for (size_t i = 0; i < report->plan_count; i++) {
		free(report->plan[i].mailbox);
		free(report->plan[i].file);
		free(report->plan[i].why);
	}
	report->plan_count = 0;
}

void report_finish(struct report *report)
{
	for (size_t i = 0; i < report->mailbox_count; i++) {
		free(report->mailboxes[i].name);
	}
	plan_clear(report);
	for (size_t i = 0; i < report->error_count; i++) {
		error_finish(&report->errors[i]);
	}
	free(report->mailboxes);
	free(report->plan);
	free(report->errors);
	*report = (struct report){0};
}

static char *copy_or_null(const char *text)
{
	return text == NULL ? NULL : span_dup(span_of(text));
}

static bool is_same(const char *one, const char *other)
{
	return one == NULL || other == NULL ? one == other : strcmp(one, other) == 0;
}

void report_add_error(struct report *report, const char *mailbox, uint32_t uid,
		      const struct err *err)
{
	struct err ignored;
	char *text = span_dup(span_of(err->text));
	if (text == NULL || report->error_count >= REPORT_ERRORS_MAX ||
	    ARRAY_RESERVE(&report->errors, report->error_count + 1, &report->error_cap, &ignored) <
		    0) {
		free(text);
		return;
	}
	report->errors[report->error_count++] = (struct report_error){
		.mailbox = copy_or_null(mailbox),
		.uid = uid,
		.code = err->code,
		.text = text,
	};
}

void report_hush(struct report *report)
{
	size_t kept = 0;
	for (size_t i = 0; i < report->error_count; i++) {
		struct report_error *error = &report->errors[i];
		if (report->is_borne || (report->is_held_known && error->code == ERR_BRAKE)) {
			error_finish(error);
		} else {
			report->errors[kept++] = *error;
		}
	}
	report->errors_hushed += report->error_count - kept;
	report->error_count = kept;
}

/* An earlier pass of the run has told the same. */
static bool is_told(const struct report *report, const char *mailbox, uint32_t uid,
		    const struct err *err)
{
	for (size_t i = 0; i < report->earlier_errors; i++) {
		const struct report_error *error = &report->errors[i];
		if (error->uid == uid && error->code == err->code &&
		    is_same(error->mailbox, mailbox) && strcmp(error->text, err->text) == 0) {
			return true;
		}
	}
	return false;
}

void run_report_error(struct run *run, struct mailbox *mailbox, uint32_t uid, const struct err *err)
{
	const char *name = mailbox == NULL ? NULL : mailbox->name;
	pthread_mutex_lock(&run->mutex);
	if (!is_told(run->report, name, uid, err)) {
		if (mailbox != NULL) {
			mailbox->done.counts.errors++;
		}
		report_add_error(run->report, name, uid, err);
	}
	pthread_mutex_unlock(&run->mutex);
}

void run_report_held(struct run *run, const struct mailbox *mailbox, uint64_t held,
		     const struct err *err)
{
	const char *name = mailbox == NULL ? NULL : mailbox->name;
	if (!is_told(run->report, name, 0, err)) {
		report_add_error(run->report, name, 0, err);
	}
	run->done.brake_hit = true;
	run->done.held += held;
}

void run_report_drop_held(struct run *run)
{
	struct report *report = run->report;
	size_t kept = 0;
	for (size_t i = 0; i < report->error_count; i++) {
		struct report_error *error = &report->errors[i];
		if (error->code == ERR_BRAKE) {
			error_finish(error);
		} else {
			report->errors[kept++] = *error;
		}
	}
	report->error_count = kept;
	run->done.brake_hit = false;
	run->done.held = 0;
}

static void report_unknown(struct run *run, const char *name)
{
	const struct account *account = run->account;
	struct err err;
	if (account->is_pop3) {
		err_set(&err, ERR_PARTIAL, SCOPE_MAILBOX,
			"a POP3 account has no mailbox but INBOX");
	} else if (!run_selects(run, name)) {
		err_set(&err, ERR_PARTIAL, SCOPE_MAILBOX,
			"`mailboxes` of the configuration leaves this mailbox out");
	} else {
		err_set(&err, ERR_PARTIAL, SCOPE_MAILBOX,
			"there is no such mailbox, neither here nor on the server%s; `mailsync "
			"list %s` tells which there are",
			account->subscribed_only ? ", that you are subscribed to" : "",
			account->name);
	}
	report_add_error(run->report, name, 0, &err);
	run->report->total.errors++;
}

void run_report_unknown(struct run *run)
{
	const struct strlist *only = run->options->only;
	for (size_t i = 0; only != NULL && i < only->count; i++) {
		if (run_mailbox(run, only->items[i]) == NULL) {
			report_unknown(run, only->items[i]);
		}
	}
	if ((only == NULL || only->count == 0) && run->mailboxes.count == 0) {
		log_line(run->log, LOG_WARN,
			 "%s: no mailbox takes part; `mailsync list %s` tells what `mailboxes` "
			 "leaves out",
			 run->account->name, run->account->name);
	}
}

static bool is_of(const struct report_error *error, const struct mailbox *mailbox)
{
	return error->mailbox != NULL && strcmp(error->mailbox, mailbox->name) == 0;
}

/* The first thing that the report has against MAILBOX, or NULL. */
static const char *first_trouble(const struct report *report, const struct mailbox *mailbox)
{
	for (size_t i = 0; i < report->error_count; i++) {
		if (is_of(&report->errors[i], mailbox)) {
			return report->errors[i].text;
		}
	}
	return NULL;
}

void run_store_trouble(struct run *run, int outcome, const struct err *why)
{
	struct err ignored; /* only `status` is the poorer */
	struct state *state = run->session->state;
	if (state == NULL || outcome == -ERR_INTERRUPTED) {
		return;
	}
	if (outcome < 0 && run->mailboxes.count == 0) {
		(void)state_mailbox_set_trouble(state, 0, why->text, &ignored);
	}
	for (size_t i = 0; i < run->mailboxes.count; i++) {
		const struct mailbox *mailbox = &run->mailboxes.items[i];
		const char *trouble = first_trouble(run->report, mailbox);
		bool is_known = trouble != NULL ||
				(outcome == 0 && mailbox->decided.exclusion != EXCLUDED_BY_NAME);
		if (mailbox->base.id != 0 && is_known && !is_same(trouble, mailbox->base.trouble)) {
			(void)state_mailbox_set_trouble(state, mailbox->base.id, trouble, &ignored);
		}
	}
}

void run_report_forget(struct run *run, struct mailbox *mailbox, size_t first)
{
	struct report *report = run->report;
	pthread_mutex_lock(&run->mutex);
	size_t kept = first < report->error_count ? first : report->error_count;
	for (size_t i = kept; i < report->error_count; i++) {
		struct report_error *error = &report->errors[i];
		if (is_of(error, mailbox)) {
			error_finish(error);
			mailbox->done.counts.errors -= mailbox->done.counts.errors > 0;
		} else {
			report->errors[kept++] = *error;
		}
	}
	report->error_count = kept;
	pthread_mutex_unlock(&run->mutex);
}

void run_report_begin_anew(struct run *run)
{
	struct report *report = run->report;
	pthread_mutex_lock(&run->mutex);
	for (size_t i = 0; i < report->error_count; i++) {
		error_finish(&report->errors[i]);
	}
	report->error_count = 0;
	pthread_mutex_unlock(&run->mutex);
}

void run_report_plan(struct run *run, const struct plan_entry *entry)
{
	struct report *report = run->report;
	struct err ignored;
	if (ARRAY_RESERVE(&report->plan, report->plan_count + 1, &report->plan_cap, &ignored) < 0) {
		return;
	}
	report->plan[report->plan_count++] = (struct report_plan){
		.mailbox = copy_or_null(entry->mailbox),
		.op = entry->op,
		.uid = entry->uid,
		.size_bytes = entry->size_bytes,
		.file = copy_or_null(entry->file),
		.why = copy_or_null(entry->why),
	};
}

void run_report_forget_plan(struct run *run)
{
	plan_clear(run->report);
}

void sync_counts_add(struct sync_counts *total, const struct sync_counts *counts)
{
	total->downloaded += counts->downloaded;
	total->uploaded += counts->uploaded;
	total->moved += counts->moved;
	total->flags_local += counts->flags_local;
	total->flags_remote += counts->flags_remote;
	total->deleted_local += counts->deleted_local;
	total->deleted_remote += counts->deleted_remote;
	total->skipped += counts->skipped;
	total->errors += counts->errors;
}

/* Anything but skipped messages and errors. */
static bool is_changed(const struct mailbox *mailbox)
{
	struct sync_counts counts = mailbox->done.counts;
	counts.skipped = 0;
	counts.errors = 0;
	return mailbox->done.has_news ||
	       memcmp(&counts, &(struct sync_counts){0}, sizeof(counts)) != 0;
}

/* MAILBOX's entry, which is made where it has none. NULL: no memory. */
static struct report_mailbox *entry_of(struct report *report, const struct mailbox *mailbox,
				       struct err *err)
{
	for (size_t i = 0; i < report->mailbox_count; i++) {
		if (strcmp(report->mailboxes[i].name, mailbox->name) == 0) {
			return &report->mailboxes[i];
		}
	}
	char *name = span_dup(span_of(mailbox->name));
	if (name == NULL || ARRAY_RESERVE(&report->mailboxes, report->mailbox_count + 1,
					  &report->mailbox_cap, err) < 0) {
		free(name);
		err_nomem(err);
		return NULL;
	}
	struct report_mailbox *entry = &report->mailboxes[report->mailbox_count++];
	*entry = (struct report_mailbox){.name = name};
	return entry;
}

/* What is skipped is so once, however many passes there were. */
static int add_mailbox(struct report *report, const struct mailbox *mailbox, struct err *err)
{
	const struct sync_counts *counts = &mailbox->done.counts;
	bool has_more = is_changed(mailbox);
	report->mailboxes_selected +=
		mailbox->decided.exclusion != EXCLUDED_BY_NAME && mailbox->seen.in != SIDE_NONE;
	if (!has_more && counts->skipped == 0 && counts->errors == 0) {
		return 0;
	}
	struct report_mailbox *entry = entry_of(report, mailbox, err);
	if (entry == NULL) {
		return -ERR_NOMEM;
	}
	entry->counts.skipped = 0;
	sync_counts_add(&entry->counts, counts);
	entry->is_changed |= has_more;
	return 0;
}

int run_report_pass(struct run *run, struct err *err)
{
	struct report *report = run->report;
	int code = 0;
	report->mailboxes_selected = 0;
	for (size_t i = 0; code == 0 && i < run->mailboxes.count; i++) {
		code = add_mailbox(report, &run->mailboxes.items[i], err);
	}
	report->earlier_errors = report->error_count;
	return code;
}

static void sum_up(struct report *report)
{
	for (size_t i = 0; i < report->mailbox_count; i++) {
		sync_counts_add(&report->total, &report->mailboxes[i].counts);
		report->mailboxes_changed += report->mailboxes[i].is_changed;
	}
}

static enum err_code end_of(const struct run *run, int code, const struct err *err)
{
	const struct report *report = run->report;
	if (code < 0) {
		return err->code;
	}
	if (run->done.brake_hit) {
		return ERR_BRAKE;
	}
	if (run->done.was_put_off) {
		return ERR_TEMPORARY;
	}
	if (run->done.local_failed) {
		return ERR_LOCAL;
	}
	return report->total.errors > 0 || report->error_count > 0 ? ERR_PARTIAL : ERR_NONE;
}

int run_outcome(struct run *run, int code, struct err *err)
{
	struct err why;
	if (code < 0) {
		run_report_error(run, NULL, 0, err);
		run->report->patience_ms =
			err->patience_ms != 0 ? err->patience_ms : run->report->patience_ms;
	}
	int added = run_report_pass(run, &why);
	sum_up(run->report);
	if (added < 0 && code == 0) {
		*err = why;
		code = added;
	}
	run->report->status = err_exit_status(end_of(run, code, err));
	run->report->seconds = (double)(clock_monotonic_us() - run->session->started_us) / 1e6;
	return code;
}

void run_add_totals(struct run *run, const struct remote_totals *totals)
{
	run->report->commands += totals->commands;
	run->report->round_trips += totals->round_trips;
	run->report->bytes_in += totals->bytes_in;
	run->report->bytes_out += totals->bytes_out;
}
