/* What a run has to say, collected for cli to print. */
#include <stdlib.h>
#include <string.h>

#include "mailsync/base/array.h"
#include "mailsync/model/mbname.h"

#include "run.h"

#define REPORT_ERRORS_MAX 1000

void report_init(struct report *report)
{
	memset(report, 0, sizeof(*report));
}

void report_finish(struct report *report)
{
	for (size_t i = 0; i < report->mailbox_count; i++) {
		free(report->mailboxes[i].name);
	}
	for (size_t i = 0; i < report->plan_count; i++) {
		free(report->plan[i].mailbox);
		free(report->plan[i].file);
		free(report->plan[i].why);
	}
	for (size_t i = 0; i < report->error_count; i++) {
		free(report->errors[i].mailbox);
		free(report->errors[i].text);
	}
	free(report->mailboxes);
	free(report->plan);
	free(report->errors);
	memset(report, 0, sizeof(*report));
}

static char *copy_or_null(const char *text)
{
	return text == NULL ? NULL : span_dup(span_of(text));
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

void run_report_error(struct run *run, struct mailbox *mailbox, uint32_t uid, const struct err *err)
{
	pthread_mutex_lock(&run->mutex);
	if (mailbox != NULL) {
		mailbox->done.counts.errors++;
	}
	report_add_error(run->report, mailbox == NULL ? NULL : mailbox->name, uid, err);
	pthread_mutex_unlock(&run->mutex);
}

void run_report_held(struct run *run, const struct mailbox *mailbox, const struct err *err)
{
	report_add_error(run->report, mailbox == NULL ? NULL : mailbox->name, 0, err);
	run->done.brake_hit = true;
}

static void report_unknown(struct run *run, const char *name)
{
	const struct account *account = run->account;
	struct err err;
	if (account->is_pop3) {
		err_set(&err, ERR_PARTIAL, SCOPE_MAILBOX,
			"a POP3 account has no mailbox but INBOX");
	} else if (!mbname_selected(account->patterns, account->pattern_count, name)) {
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

/* The first thing that the report has against MAILBOX, or NULL. */
static const char *first_trouble(const struct report *report, const struct mailbox *mailbox)
{
	for (size_t i = 0; i < report->error_count; i++) {
		const struct report_error *error = &report->errors[i];
		if (error->mailbox != NULL && strcmp(error->mailbox, mailbox->name) == 0) {
			return error->text;
		}
	}
	return NULL;
}

static bool is_same(const char *one, const char *other)
{
	return one == NULL || other == NULL ? one == other : strcmp(one, other) == 0;
}

void run_store_trouble(struct run *run, int outcome, const struct err *why)
{
	struct err ignored; /* only `status` is the poorer */
	if (run->session->state == NULL || outcome == -ERR_INTERRUPTED) {
		return;
	}
	if (outcome < 0 && run->mailboxes.count == 0) {
		(void)state_mailbox_set_trouble(run->session->state, 0, why->text, &ignored);
	}
	for (size_t i = 0; i < run->mailboxes.count; i++) {
		const struct mailbox *mailbox = &run->mailboxes.items[i];
		const char *trouble = first_trouble(run->report, mailbox);
		bool is_known = trouble != NULL ||
				(outcome == 0 && mailbox->decided.exclusion != EXCLUDED_BY_NAME);
		if (mailbox->base.id != 0 && is_known && !is_same(trouble, mailbox->base.trouble)) {
			(void)state_mailbox_set_trouble(run->session->state, mailbox->base.id,
							trouble, &ignored);
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
		if (error->mailbox != NULL && strcmp(error->mailbox, mailbox->name) == 0) {
			free(error->mailbox);
			free(error->text);
			mailbox->done.counts.errors -= mailbox->done.counts.errors > 0;
		} else {
			report->errors[kept++] = *error;
		}
	}
	report->error_count = kept;
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
		.file = copy_or_null(entry->file),
		.why = copy_or_null(entry->why),
	};
}
