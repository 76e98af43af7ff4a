/* A session and its runs, from the lock to the last logout, and what every step of a run asks. */
#include "run.h"

#include <stdio.h>
#include <stdlib.h>

#include "mailsync/base/array.h"

#include "mailsync/base/clock.h"
#include "mailsync/store/changes.h"

#define SLICE_MS     50 /* a signal ends the wait that soon */
#define UNTOLD_SHARE 10 /* of the timeout, where the server names no time */

void session_init(struct session *session, const struct account *account,
		  const struct sync_options *options)
{
	*session = (struct session){
		.account = account,
		.options = options,
		.log = options->log,
		.started_us = clock_monotonic_us(),
	};
	file_lock_init(&session->lock);
}

/* While the lock is held. What cannot be handed over now stays for the next run to do. */
static void hand_over_changes(const struct session *session)
{
	const char *changes = session->account->maildir.changes;
	struct err err;
	if (changes != NULL && session->lock.fd >= 0 && changes_hand_over(changes, &err) < 0) {
		log_line(session->log, LOG_WARN, "%s: %s", session->account->name, err.text);
	}
}

void session_finish(struct session *session)
{
	remote_close(&session->remote);
	suspects_finish(&session->suspects);
	maildir_close(&session->maildir);
	hand_over_changes(session);
	state_close(&session->state);
	file_lock_finish(&session->lock);
}

void run_init(struct run *run, struct session *session, struct report *report)
{
	*run = (struct run){
		.session = session,
		.account = session->account,
		.options = session->options,
		.log = session->log,
		.report = report,
		.mutex = PTHREAD_MUTEX_INITIALIZER,
		.number = clock_real_ns(),
	};
}

void run_finish(struct run *run)
{
	mailboxes_finish(run);
	state_uses_finish(&run->uses);
	free(run->restored.items);
	pthread_mutex_destroy(&run->mutex);
}

int run_take_steps(struct run *run, const struct step *steps, size_t count, struct err *err)
{
	enum step_kind left_out = run->options->dry_run ? STEP_ACTS : STEP_DRY_RUN;
	int code = 0;
	for (size_t i = 0; code == 0 && i < count; i++) {
		if (steps[i].kind != left_out) {
			log_line(run->log, LOG_WIRE, "%s: %s", run->account->name, steps[i].name);
			code = steps[i].take(run, err);
		}
	}
	return code;
}

static int compare_ids(const void *x, const void *y)
{
	int64_t one = *(const int64_t *)x;
	int64_t two = *(const int64_t *)y;
	return (one > two) - (one < two);
}

void row_ids_sort(struct row_ids *ids)
{
	if (ids->count > 1) {
		qsort(ids->items, ids->count, sizeof(*ids->items), compare_ids);
	}
}

bool row_ids_has(const struct row_ids *ids, int64_t id)
{
	return array_find(ids->items, ids->count, sizeof(id), &id, compare_ids) != NULL;
}

bool run_leaves(const struct run *run, const struct row *row)
{
	const struct row_ids *restored = &run->restored;
	return run->options->restore != NULL && !row->is_agreed && row->local == MESSAGE_PRESENT &&
	       row->remote != MESSAGE_PRESENT && !row_ids_has(restored, row->id);
}

int run_check_stop(struct run *run, struct err *err)
{
	if (run->options->stop == NULL || *run->options->stop == 0) {
		return 0;
	}
	return err_stopped(err);
}

bool run_is_fatal(const struct err *err)
{
	bool is_of_disk = err->code == ERR_LOCAL && err->scope > SCOPE_MESSAGE;
	return err->scope >= SCOPE_ACCOUNT || is_of_disk || err->code == ERR_NOMEM ||
	       err->code == ERR_INTERRUPTED || err->code == ERR_PROTOCOL ||
	       err->code == ERR_INTERNAL;
}

bool run_is_fatal_in_folder(const struct err *err)
{
	return err->scope >= SCOPE_ACCOUNT;
}

int run_outlives(struct run *run, struct mailbox *mailbox, int code, size_t *failures,
		 const struct err *err)
{
	if (code == 0 || run_is_fatal(err)) {
		return code;
	}
	run_report_error(run, mailbox, 0, err);
	if (failures != NULL) {
		(*failures)++;
	}
	return 0;
}

void account_path(const struct account *account, const struct sync_options *options,
		  const char *suffix, char path[FILE_PATH_SIZE])
{
	snprintf(path, FILE_PATH_SIZE, "%s/%s%s", options->state_dir, account->name, suffix);
}

int account_connect(const struct account *account, const struct sync_options *options,
		    size_t number, struct remote **remote, struct err *err)
{
	char label[160];
	snprintf(label, sizeof(label), "%s#%zu", account->name, number);
	struct remote_params params = {
		.server = &account->server,
		.log = options->log,
		.label = label,
		.stop = options->stop,
	};
	return remote_open_imap(remote, &params, err);
}

int run_connect(struct run *run, size_t number, struct remote **remote, struct err *err)
{
	return account_connect(run->account, run->options, number, remote, err);
}

/* What the run does not wait for itself, who comes back has to. MS: 0 where no time was named. */
static void note_patience(struct run *run, int64_t ms)
{
	int64_t *patience_ms = &run->report->patience_ms;
	if (ms > *patience_ms || *patience_ms == 0) {
		*patience_ms = ms > 0 ? ms : ERR_PATIENCE_UNTOLD;
	}
}

void backoff_note(struct run *run, struct remote *remote)
{
	int64_t wanted_ms = 0;
	if (remote_busy_take(remote, &wanted_ms)) {
		run->done.was_put_off = true;
		note_patience(run, wanted_ms);
	}
}

int backoff_wait(struct run *run, struct remote *remote, bool *again, struct err *err)
{
	int64_t wanted_ms = 0;
	int64_t limit_ms = (int64_t)run->account->server.timeout_s * 1000;
	*again = false;
	if (!remote_busy_take(remote, &wanted_ms)) {
		return 0;
	}
	int64_t named_ms = wanted_ms;
	wanted_ms = wanted_ms > 0 ? wanted_ms : limit_ms / UNTOLD_SHARE;
	if (wanted_ms > limit_ms - run->done.backoff_ms) {
		run->done.was_put_off = true;
		note_patience(run, named_ms);
		return 0;
	}
	log_line(run->log, LOG_INFO, "%s: the server is busy; waiting %lld ms", run->account->name,
		 (long long)wanted_ms);
	run->done.backoff_ms += wanted_ms;
	int64_t end_ms = clock_monotonic_ms() + wanted_ms;
	int64_t left_ms = wanted_ms;
	int code = 0;
	for (; left_ms > 0 && (code = run_check_stop(run, err)) == 0;
	     left_ms = end_ms - clock_monotonic_ms()) {
		clock_sleep_ms(left_ms < SLICE_MS ? left_ms : SLICE_MS);
	}
	*again = code == 0;
	return code;
}
