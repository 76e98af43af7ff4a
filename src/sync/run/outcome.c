#include "outcome.h"

#include <stdlib.h>

#include "mailsync/base/clock.h"

static void add_counts(struct sync_counts *total, const struct sync_counts *counts)
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

static bool is_changed(const struct mailbox *mailbox)
{
	const struct sync_counts *c = &mailbox->done.counts;
	return mailbox->done.has_news || c->downloaded + c->uploaded + c->moved + c->flags_local +
							 c->flags_remote + c->deleted_local +
							 c->deleted_remote >
						 0;
}

static int add_mailbox(struct report *report, const struct mailbox *mailbox, struct err *err)
{
	struct report_mailbox entry = {
		.counts = mailbox->done.counts,
		.is_changed = is_changed(mailbox),
	};
	report->mailboxes_selected += mailbox->decided.exclusion != EXCLUDED_BY_NAME &&
				      (mailbox->seen.in_local || mailbox->seen.in_remote);
	report->mailboxes_changed += entry.is_changed;
	add_counts(&report->total, &entry.counts);
	if (!entry.is_changed && entry.counts.skipped == 0 && entry.counts.errors == 0) {
		return 0;
	}
	entry.name = span_dup(span_of(mailbox->name));
	if (entry.name == NULL) {
		return err_nomem(err);
	}
	report->mailboxes[report->mailbox_count++] = entry;
	return 0;
}

static int add_mailboxes(struct report *report, const struct mailboxes *mailboxes, struct err *err)
{
	report->mailboxes = calloc(mailboxes->count + 1, sizeof(*report->mailboxes));
	int code = report->mailboxes == NULL ? err_nomem(err) : 0;
	for (size_t i = 0; code == 0 && i < mailboxes->count; i++) {
		code = add_mailbox(report, &mailboxes->items[i], err);
	}
	return code;
}

static int exit_status(const struct run *run, int code, const struct err *err)
{
	const struct report *report = run->report;
	if (code < 0) {
		return err_exit_status(err->code);
	}
	if (run->done.brake_hit) {
		return err_exit_status(ERR_BRAKE);
	}
	if (run->done.was_put_off) {
		return err_exit_status(ERR_TEMPORARY);
	}
	return report->total.errors > 0 || report->error_count > 0 ? err_exit_status(ERR_PARTIAL)
								   : 0;
}

int run_outcome(struct run *run, int code, struct err *err)
{
	struct err why;
	if (code < 0) {
		run_report_error(run, NULL, 0, err);
	}
	int added = add_mailboxes(run->report, &run->mailboxes, &why);
	if (added < 0 && code == 0) {
		*err = why;
		code = added;
	}
	run->report->status = exit_status(run, code, err);
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
