#define _DEFAULT_SOURCE /* fchown, fchmod */
#include "cli_metrics.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mailsync/base/clock.h"
#include "mailsync/base/file.h"

#define METRICS_MAX 67108864
#define SUCCESS     "mailsync_last_success_timestamp_seconds"

/* Where a value lies in struct cli_measure, and of which type it is. */
enum metric_type {
	METRIC_STATUS,
	METRIC_COUNT,
	METRIC_TIME,
	METRIC_SECONDS
};

struct metric_row {
	const char *name;  /* rows of one name stand together */
	const char *label; /* beside the account's; "" none */
	enum metric_type type;
	size_t offset;
	bool of_state; /* told only where the database was read */
	const char *help;
};

#define AT(member)    offsetof(struct cli_measure, member)
#define MESSAGES      "mailsync_last_run_messages"
#define MESSAGES_HELP "Messages of the last run, by what was done with them."
#define KIND(word, name) \
	MESSAGES, ",kind=\"" word "\"", METRIC_COUNT, AT(counts.name), false, MESSAGES_HELP
#define BYTES      "mailsync_last_run_bytes"
#define BYTES_HELP "Bytes of the last run, inside TLS."

static const struct metric_row rows[] = {
	{"mailsync_status", "", METRIC_STATUS, AT(status), false,
	 "Exit status of the account's last run; 0 is in sync."},
	{"mailsync_last_run_timestamp_seconds", "", METRIC_TIME, AT(ended_at), false,
	 "When the last run ended."},
	{SUCCESS, "", METRIC_TIME, AT(success_at), false, "When a run last ended with status 0."},
	{"mailsync_last_run_duration_seconds", "", METRIC_SECONDS, AT(seconds), false,
	 "How long the last run took."},
	{KIND("downloaded", downloaded)},
	{KIND("uploaded", uploaded)},
	{KIND("moved", moved)},
	{KIND("flags_local", flags_local)},
	{KIND("flags_remote", flags_remote)},
	{KIND("deleted_local", deleted_local)},
	{KIND("deleted_remote", deleted_remote)},
	{KIND("errors", errors)},
	{BYTES, ",direction=\"in\"", METRIC_COUNT, AT(bytes_in), false, BYTES_HELP},
	{BYTES, ",direction=\"out\"", METRIC_COUNT, AT(bytes_out), false, BYTES_HELP},
	{"mailsync_messages", "", METRIC_COUNT, AT(messages), true,
	 "Messages that both sides hold."},
	{"mailsync_pending_messages", "", METRIC_COUNT, AT(pending), true,
	 "Messages with something still to be done."},
	{"mailsync_held_messages", "", METRIC_COUNT, AT(held), true,
	 "Messages that the deletion brake holds."},
	{"mailsync_skipped_messages", "", METRIC_COUNT, AT(skipped), true,
	 "Messages left out, for their size or because the server refuses them."},
	{"mailsync_unproven_messages", "", METRIC_COUNT, AT(unproven), true,
	 "Messages that mailsync verify never looked at."},
	{"mailsync_oldest_proof_timestamp_seconds", "", METRIC_TIME, AT(oldest_proof), true,
	 "When the message that was verified longest ago was verified."},
};
#define ROWS (sizeof(rows) / sizeof(rows[0]))

void cli_measure_run(struct cli_measure *measure, const struct report *report)
{
	int64_t success_at = measure->success_at;

	*measure = (struct cli_measure){
		.is_known = true,
		.status = report->status,
		.ended_at = clock_real_s(),
		.seconds = report->seconds,
		.counts = report->total,
		.bytes_in = report->bytes_in,
		.bytes_out = report->bytes_out,
	};
	measure->success_at = report->status == 0 ? measure->ended_at : success_at;
}

void cli_measure_state(struct cli_measure *measure, const struct status *status)
{
	measure->has_state = true;
	for (size_t i = 0; i < status->count; i++) {
		measure->messages += status->items[i].messages;
		measure->pending += status->items[i].pending;
		measure->held += status->items[i].held;
		measure->skipped += status->items[i].skipped;
	}
	measure->unproven = status->unproven;
	measure->oldest_proof = status->oldest_proof;
}

/* As a label's value is written. */
static void append_escaped(struct buf *out, const char *text)
{
	for (; *text; text++) {
		if (*text == '\n') {
			buf_append_cstr(out, "\\n");
			continue;
		}
		buf_append_cstr(out, *text == '\\' || *text == '"' ? "\\" : "");
		buf_append_char(out, *text);
	}
}

/* False, and nothing: it is not known. */
static bool append_value(struct buf *out, const struct metric_row *row,
			 const struct cli_measure *measure)
{
	const char *at = (const char *)measure + row->offset;
	int64_t time = 0;

	switch (row->type) {
	case METRIC_STATUS:
		buf_printf(out, " %d\n", *(const int *)at);
		return true;
	case METRIC_COUNT:
		buf_printf(out, " %" PRIu64 "\n", *(const uint64_t *)at);
		return true;
	case METRIC_SECONDS:
		buf_printf(out, " %.3f\n", *(const double *)at);
		return true;
	case METRIC_TIME:
		time = *(const int64_t *)at;
		buf_printf(out, " %" PRId64 "\n", time);
		break;
	}
	return time != 0;
}

static void append_sample(struct buf *out, const struct metric_row *row,
			  const struct cli_measured *account)
{
	size_t before = out->len;

	/* Of an account that has not run, what the file before told is known all the same. */
	if ((!account->measure.is_known && row->type != METRIC_TIME) ||
	    (row->of_state && !account->measure.has_state)) {
		return;
	}
	buf_printf(out, "%s{account=\"", row->name);
	append_escaped(out, account->name);
	buf_printf(out, "\"%s}", row->label);
	if (!append_value(out, row, &account->measure) && out->failed == 0) {
		buf_truncate(out, before);
	}
}

static void append_head(struct buf *out, const char *name, const char *help)
{
	buf_printf(out, "# HELP %s %s\n# TYPE %s gauge\n", name, help, name);
}

/* Of the file itself. An exporter takes no sample twice from all its files. */
static void append_own(struct buf *out, const char *file, const char *name, const char *help,
		       int64_t value)
{
	append_head(out, name, help);
	buf_printf(out, "%s{file=\"", name);
	append_escaped(out, file);
	buf_printf(out, "\"} %" PRId64 "\n", value);
}

void cli_metrics_write(struct buf *out, const char *file, const struct cli_measured *accounts,
		       size_t count, int64_t now)
{
	append_own(out, file, "mailsync_accounts", "Accounts that this file is about.",
		   (int64_t)count);
	append_own(out, file, "mailsync_written_timestamp_seconds", "When this file was written.",
		   now);
	for (size_t i = 0, end; i < ROWS; i = end) {
		append_head(out, rows[i].name, rows[i].help);
		for (end = i + 1; end < ROWS && strcmp(rows[end].name, rows[i].name) == 0;) {
			end++;
		}
		for (size_t k = 0; k < count; k++) {
			for (size_t row = i; row < end; row++) {
				append_sample(out, &rows[row], &accounts[k]);
			}
		}
	}
}

int64_t cli_metrics_recall(const char *text, const char *account)
{
	struct buf start;
	const char *found = NULL;
	int64_t time = 0;

	buf_init(&start, METRICS_MAX);
	buf_append_cstr(&start, "\n" SUCCESS "{account=\"");
	append_escaped(&start, account);
	buf_append_cstr(&start, "\"} ");
	if (start.failed == 0 && (found = strstr(text, start.data)) != NULL) {
		time = strtoll(found + start.len, NULL, 10);
	}
	buf_finish(&start);
	return time > 0 ? time : 0;
}

/* What the file was before is a help, and no more. */
static void recall_all(const char *path, struct cli_measured *accounts, size_t count)
{
	struct buf before;
	struct err ignored;

	buf_init(&before, METRICS_MAX);
	int code = file_read(AT_FDCWD, path, &before, &ignored);
	for (size_t i = 0; code == 0 && i < count; i++) {
		struct cli_measure *measure = &accounts[i].measure;
		if (measure->success_at == 0) {
			measure->success_at = cli_metrics_recall(before.data, accounts[i].name);
		}
	}
	buf_finish(&before);
}

/* Who may read the file may read what takes its place. */
static int keep_mode(const char *path, int fd, struct err *err)
{
	struct stat before;

	if (stat(path, &before) != 0) {
		return 0;
	}
	/* Only root may give it to another owner; where the group cannot be kept either, no group
	 * that could not read it may. */
	bool is_kept = fchown(fd, before.st_uid, before.st_gid) == 0 ||
		       fchown(fd, (uid_t)-1, before.st_gid) == 0;
	if (fchmod(fd, before.st_mode & (is_kept ? 0777 : 0707)) != 0) {
		return err_set(err, ERR_LOCAL, SCOPE_RUN, "the mode of %s cannot be kept", path);
	}
	return 0;
}

/* A device, a pipe or a link would be gone, with a file in its place. */
static int check_regular(const char *path, struct err *err)
{
	struct stat st;

	if (lstat(path, &st) != 0 || S_ISREG(st.st_mode)) {
		return 0;
	}
	return err_set(err, ERR_LOCAL, SCOPE_RUN,
		       "%s is no regular file: metrics cannot take its place", path);
}

/* Locks the draft TEMP, and makes sure that it is the one that still has this name: another process
 * may have made the file of it meanwhile. */
static int lock_draft(struct file_lock *lock, const char *temp, const stop_flag *stop,
		      struct err *err)
{
	struct stat opened, named;
	int code;

	file_lock_init(lock);
	while ((code = file_lock_acquire(lock, temp, true, stop, err)) == 0) {
		if (fstat(lock->fd, &opened) == 0 && stat(temp, &named) == 0 &&
		    opened.st_dev == named.st_dev && opened.st_ino == named.st_ino) {
			return 0;
		}
		file_lock_finish(lock);
	}
	return code;
}

/* Not made durable: after a power cut the next run writes it anew. */
static int replace(const char *path, const char *temp, int fd, struct cli_measured *accounts,
		   size_t count, struct err *err)
{
	const char *slash = strrchr(path, '/');
	struct buf text;

	buf_init(&text, METRICS_MAX);
	recall_all(path, accounts, count);
	cli_metrics_write(&text, slash ? slash + 1 : path, accounts, count, clock_real_s());
	int code = buf_status(&text, "the metrics", err);
	code = code < 0 ? code : file_truncate(fd, 0, err);
	code = code < 0 ? code : file_write(fd, text.data, text.len, err);
	code = code < 0 ? code : keep_mode(path, fd, err);
	code = code < 0 ? code : file_replace(AT_FDCWD, temp, AT_FDCWD, path, err);
	buf_finish(&text);
	return code;
}

int cli_metrics_save(const char *path, struct cli_measured *accounts, size_t count,
		     const stop_flag *stop, struct err *err)
{
	struct file_lock lock;
	struct buf temp;

	buf_init(&temp, FILE_PATH_SIZE - 1);
	buf_printf(&temp, "%s.tmp", path);
	int code = buf_status(&temp, "the path of the metrics", err);
	code = code < 0 ? code : check_regular(path, err);
	code = code < 0 ? code : lock_draft(&lock, temp.data, stop, err);
	if (code == 0) {
		code = replace(path, temp.data, lock.fd, accounts, count, err);
		if (code < 0) {
			struct err ignored;
			(void)file_unlink(AT_FDCWD, temp.data, &ignored);
		}
		file_lock_finish(&lock);
	}
	buf_finish(&temp);
	return code;
}
