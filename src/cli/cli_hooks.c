#include "cli_hooks.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mailsync/base/file.h"
#include "mailsync/store/changes.h"
#include "cli_hook.h"

struct after {
	const struct cli_hooks *hooks;
	struct report *report;
	int *status;
	char list[FILE_PATH_SIZE]; /* of changes; "" none */
	uint64_t size;
};

bool cli_hooks_want_changes(const struct conf_account *conf)
{
	return conf->on_new || conf->on_change || conf->post_sync || conf->on_error;
}

static void fail(struct after *after, const struct err *err)
{
	report_add_error(after->report, NULL, 0, err);
	after->report->total.errors++;
	if (*after->status == 0) {
		*after->status = err_exit_status(err->code);
	}
}

/* True when it ran, and well. A hook that fails is an error of the account, beside what the sync
 * itself came to. */
static bool run(struct after *after, const char *key, const char *command)
{
	const struct cli_hook hook = {
		.key = key,
		.command = command,
		.account = after->hooks->conf->name,
		.new_messages = after->report->total.downloaded,
		.status = *after->status,
		.changes = after->list,
	};
	struct err err;

	if (cli_hook_run(&hook, &err) < 0) {
		fail(after, &err);
		return false;
	}
	return command != NULL;
}

/* Temporary failures that are borne are no reason to call somebody. */
static bool is_error(const struct after *after)
{
	bool is_borne = after->report->is_borne && *after->status == err_exit_status(ERR_TEMPORARY);

	return *after->status != 0 && !is_borne && !after->hooks->was_told;
}

/* In their order. True where on_change has seen the list. */
static bool run_all(struct after *after)
{
	const struct conf_account *conf = after->hooks->conf;
	bool has_seen = false;

	if (after->hooks->is_ready) {
		run(after, "on_new", after->report->total.downloaded ? conf->on_new : NULL);
		has_seen = run(after, "on_change", after->size > 0 ? conf->on_change : NULL);
		run(after, "post_sync", conf->post_sync);
	}
	if (is_error(after)) {
		run(after, "on_error", conf->on_error);
	}
	return has_seen;
}

static void take_changes(struct after *after)
{
	struct err err;

	if (changes_take(after->hooks->changes, after->list, &after->size, &err) < 0) {
		after->list[0] = '\0';
		after->size = 0;
		fail(after, &err);
	}
}

static void drop_changes(struct after *after, bool has_seen)
{
	bool is_kept = after->hooks->conf->on_change && after->size > 0 && !has_seen;
	struct err err;

	if (after->list[0] != '\0' && !is_kept && changes_drop(after->list, &err) < 0) {
		fail(after, &err);
	}
}

static bool is_inside(const char *account)
{
	const char *outer = getenv("MAILSYNC_ACCOUNT");

	return outer && strcmp(outer, account) == 0;
}

void cli_hooks_run(const struct cli_hooks *hooks, struct report *report, int *status)
{
	struct after after = {.hooks = hooks, .report = report, .status = status};
	char path[FILE_PATH_SIZE];
	struct file_lock lock;
	struct err err;

	if (!hooks->changes || is_inside(hooks->conf->name)) {
		return;
	}
	file_lock_init(&lock);
	snprintf(path, sizeof(path), "%s/%s.hooks", hooks->state_dir, hooks->conf->name);
	int code = file_make_dirs(hooks->state_dir, &err);
	code = code < 0 ? code : file_lock_acquire(&lock, path, true, hooks->stop, &err);
	if (code == -ERR_INTERRUPTED) {
		return; /* the list waits */
	}
	if (code < 0) {
		fail(&after, &err);
	} else {
		take_changes(&after);
	}
	drop_changes(&after, run_all(&after));
	file_lock_finish(&lock);
}
