/* What was found, into the report. */
#include "verify_private.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "mailsync/base/array.h"

#define MESSAGE_SIZE 512

static const char *const problem_words[] = {
	[VERIFY_MISSING_HERE] = "missing_here",
	[VERIFY_MISSING_THERE] = "missing_there",
	[VERIFY_DIFFERS_HERE] = "differs_here",
	[VERIFY_DIFFERS_THERE] = "differs_there",
	[VERIFY_FLAGS] = "flags",
	[VERIFY_KEYWORDS] = "keywords",
	[VERIFY_DATE] = "date",
	[VERIFY_UNKNOWN_HERE] = "unknown_here",
	[VERIFY_UNKNOWN_THERE] = "unknown_there",
};

static const char *const level_words[] = {
	[VERIFY_FILES] = "files",
	[VERIFY_SERVER] = "server",
	[VERIFY_BYTES] = "bytes",
};

const char *verify_problem_word(enum verify_problem problem)
{
	return problem_words[problem];
}

const char *verify_level_word(enum verify_level level)
{
	return level_words[level];
}

void verify_report_init(struct verify_report *report)
{
	*report = (struct verify_report){0};
	report_init(&report->run);
}

static void forget(struct verify_report *report, size_t first)
{
	for (size_t i = first; i < report->count; i++) {
		free(report->findings[i].mailbox);
		free(report->findings[i].file);
		free(report->findings[i].message);
	}
	report->count = first < report->count ? first : report->count;
}

struct verify_mark verify_mark(const struct verify_report *report)
{
	return (struct verify_mark){report->count, report->problems, report->pending};
}

void verify_take_back(struct verify_report *report, const struct verify_mark *mark)
{
	forget(report, mark->count);
	report->problems = mark->problems;
	report->pending = mark->pending;
}

void verify_report_finish(struct verify_report *report)
{
	forget(report, 0);
	free(report->findings);
	report_finish(&report->run);
}

void verify_path(const struct maildir_entry *entry, char path[VERIFY_PATH_SIZE])
{
	snprintf(path, VERIFY_PATH_SIZE, "%s/%s", entry->in_new ? "new" : "cur", entry->name);
}

static int keep(struct verify_report *report, struct verify_finding *finding, const char *mailbox,
		const char *file, const char *message, struct err *err)
{
	if (ARRAY_RESERVE(&report->findings, report->count + 1, &report->cap, err) < 0) {
		return -ERR_NOMEM;
	}
	finding->mailbox = span_dup(span_of(mailbox));
	finding->message = span_dup(span_of(message));
	finding->file = file == NULL ? NULL : span_dup(span_of(file));
	report->findings[report->count++] = *finding;
	bool is_whole = finding->mailbox != NULL && finding->message != NULL &&
			(file == NULL || finding->file != NULL);
	return is_whole ? 0 : err_nomem(err);
}

int verify_find(struct verify_mailbox *at, enum verify_problem problem, const struct row *row,
		const char *file, struct err *err, const char *format, ...)
{
	struct verify_report *report = at->verify->report;
	struct verify_finding finding = {.uid = row == NULL ? 0 : row->uid, .problem = problem};
	const char *name =
		file == NULL && row != NULL && row->unique[0] != '\0' ? row->unique : file;
	char message[MESSAGE_SIZE];
	va_list arguments;
	report->problems++;
	if (report->count == VERIFY_FINDINGS_MAX) {
		return 0;
	}
	va_start(arguments, format);
	vsnprintf(message, sizeof(message), format, arguments);
	va_end(arguments);
	return keep(report, &finding, at->mailbox->name, name, message, err);
}

void verify_left_out(struct verify_mailbox *at, uint64_t count, const char *why)
{
	struct err told;
	if (count == 0) {
		return;
	}
	at->verify->report->not_compared += count;
	err_set(&told, ERR_PARTIAL, SCOPE_MAILBOX,
		"%" PRIu64 " message%s not compared with the server: %s", count,
		count == 1 ? " is" : "s are", why);
	run_report_error(at->verify->run, at->mailbox, 0, &told);
}

int verify_wish(struct verify_mailbox *at, const struct row *row, bool is_damaged, struct err *err)
{
	struct verify_wishes *wishes = &at->verify->wishes;
	const struct verify_report *report = at->verify->report;
	bool is_pop3 = at->verify->run->account->is_pop3;
	if (!at->verify->options->repairs || (row->uid == 0 && !is_pop3) ||
	    report->count != report->problems) {
		return 0;
	}
	if (ARRAY_RESERVE(&wishes->items, wishes->count + 1, &wishes->cap, err) < 0) {
		return -ERR_NOMEM;
	}
	wishes->items[wishes->count++] = (struct verify_wish){
		.mailbox = row->mailbox,
		.row = row->id,
		.uid = row->uid,
		.is_damaged = is_damaged,
		.finding = report->count - 1,
	};
	return 0;
}

int verify_note_damaged(struct verify_mailbox *at, const struct row *row, struct err *err)
{
	struct row_ids *rows = &at->damaged.rows;
	if (ARRAY_RESERVE(&rows->items, rows->count + 1, &rows->cap, err) < 0) {
		return -ERR_NOMEM;
	}
	rows->items[rows->count++] = row->id;
	at->damaged.is_sorted = false;
	return 0;
}

bool verify_is_damaged(struct verify_mailbox *at, int64_t row)
{
	if (!at->damaged.is_sorted) {
		row_ids_sort(&at->damaged.rows);
		at->damaged.is_sorted = true;
	}
	return row_ids_has(&at->damaged.rows, row);
}

int verify_outlives_file(struct verify_mailbox *at, const struct row *row,
			 const struct maildir_entry *entry, int code, struct err *err)
{
	struct err why = *err;
	char path[VERIFY_PATH_SIZE];
	if (code == -ERR_CHANGED) {
		at->verify->report->pending++;
		return 0;
	}
	if (code == 0 || run_is_fatal_in_folder(err)) {
		return code;
	}
	verify_path(entry, path);
	code = verify_find(at, VERIFY_DIFFERS_HERE, row, path, err, "%s", why.text);
	return code < 0 ? code : verify_note_damaged(at, row, err);
}
