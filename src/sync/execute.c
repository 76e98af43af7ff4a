#include "execute.h"

#include <string.h>

#include "mailsync/base/clock.h"

#include "backoff.h"
#include "boxes.h"
#include "bulk.h"
#include "job.h"
#include "observe.h"
#include "pair.h"

/* Passes over the account at most: the second takes up what our own acts brought (the trash's new
 * messages), the third what arrived meanwhile; then the next run is near enough. */
#define PASSES_MAX 3

static int try_job(struct run *run, struct imap *imap, struct box *box,
		   const struct move_list *moves, struct err *err)
{
	struct job job;
	box->has_new_rows = false;
	int code = job_init(&job, run, imap, box);
	job.failures = box->failures;
	if (code == 0) {
		code = job_plan(&job, moves, err);
	}
	if (code == 0) {
		code = job_execute(&job, err);
	}
	box->failures = job.failures;
	job_finish(&job);
	return code;
}

/* A mailbox's job, and where the server was too busy for it once more, after the time that it asks
 * for. */
static int run_job(struct run *run, struct imap *imap, struct box *box,
		   const struct move_list *moves, struct err *err)
{
	size_t errors = run->report->error_count;
	size_t failures = box->failures;
	bool again = false;
	backoff_note(run, imap);
	int code = try_job(run, imap, box, moves, err);
	if (code == 0) {
		code = backoff_wait(run, imap, &again, err);
	}
	if (code == 0 && again) {
		run_report_forget(run, box, errors);
		box->failures = failures;
		code = try_job(run, imap, box, moves, err);
		backoff_note(run, imap);
	}
	return code;
}

/* A mailbox that our commands changed is looked at again, so that the next run need not; uploads
 * without a UID are found. One that turns out to be renumbered is paired, or all of it would be
 * copied both ways. */
static int settle_box(struct run *run, struct imap *imap, struct box *box, struct err *err)
{
	int code = 0;
	if (box->remote_touched && box->in_remote && !box->is_excluded) {
		box->remote_touched = false;
		code = observe_remote_box(run, imap, box, err);
	}
	bool must_pair = box->needs_pairing;
	if (code == 0 && (box->has_intents || must_pair) && !box->is_excluded) {
		code = pair_box(run, imap, box, err);
	}
	if (code < 0 && !run_is_fatal(err)) {
		run_report_error(run, box, 0, err);
		box->is_excluded |= must_pair;
		code = 0;
	}
	return code;
}

static bool is_due(const struct run *run, const struct box *box)
{
	return !planning_is_idle(run, box) && (run->pass == 0 || box->has_new_rows);
}

/* Nothing to do here. Once, that is written down too: it is in sync. */
static int leave_idle(struct run *run, struct box *box, struct err *err)
{
	box->counts.skipped = box->base.skipped;
	if (box->base.synced_at != 0 || box->base.pending > 0 || !box->in_local ||
	    !box->in_remote || box->base.uidvalidity == 0) {
		return 0;
	}
	box->base.synced_at = clock_real_ns() / 1000000000;
	return observe_store_box(run, box, err);
}

static int one_pass(struct run *run, struct move_list *moves, bool *again, struct err *err)
{
	int code = run->pass == 0 ? bulk_download(run, moves, err) : 0;
	if (code == 0) {
		/* What the server was too busy for is taken up by the mailboxes' jobs. */
		code = backoff_wait(run, run->imap, again, err);
	}
	*again = false;
	for (size_t i = 0; code == 0 && i < run->boxes.count; i++) {
		struct box *box = &run->boxes.items[i];
		if (is_due(run, box)) {
			code = run_job(run, run->imap, box, moves, err);
		} else if (run->pass == 0 && box->in_base && box_is_active(box)) {
			code = leave_idle(run, box, err);
		}
	}
	for (size_t i = 0; code == 0 && i < run->boxes.count; i++) {
		struct box *box = &run->boxes.items[i];
		code = settle_box(run, run->imap, box, err);
	}
	if (code == 0) {
		code = move_settle(run, moves, err);
	}
	for (size_t i = 0; code == 0 && i < run->boxes.count; i++) {
		const struct box *box = &run->boxes.items[i];
		*again |= box->has_new_rows && !planning_is_idle(run, box);
	}
	return code;
}

int execute_run(struct run *run, struct move_list *moves, struct err *err)
{
	bool again = true;
	int code = boxes_remove(run, err);
	if (code == 0) {
		code = move_execute(run, run->imap, moves, err);
	}
	for (run->pass = 0; code == 0 && again && run->pass < PASSES_MAX; run->pass++) {
		if (run->pass > 0) {
			code = planning_brake(run, moves, err);
		}
		if (code == 0) {
			code = one_pass(run, moves, &again, err);
		}
	}
	return code;
}
