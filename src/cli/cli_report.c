#include "cli_report.h"

#include <inttypes.h>
#include <stddef.h>

#include "cli_clean.h"
#include "cli_json.h"
#include "cli_plan.h"
#include "cli_progress.h"

/* The counts in the order in which they are told. */
static const struct {
	const char *name;
	size_t offset;
	const char *words;
} counts_table[] = {
	{"downloaded", offsetof(struct sync_counts, downloaded), "downloaded"},
	{"uploaded", offsetof(struct sync_counts, uploaded), "uploaded"},
	{"moved", offsetof(struct sync_counts, moved), "moved"},
	{"flags_local", offsetof(struct sync_counts, flags_local), "flagged here"},
	{"flags_remote", offsetof(struct sync_counts, flags_remote), "flagged on the server"},
	{"deleted_local", offsetof(struct sync_counts, deleted_local), "deleted here"},
	{"deleted_remote", offsetof(struct sync_counts, deleted_remote), "deleted on the server"},
	{"skipped", offsetof(struct sync_counts, skipped), "skipped"},
	{"errors", offsetof(struct sync_counts, errors), "failed"},
};
#define COUNTS (sizeof(counts_table) / sizeof(counts_table[0]))

static uint64_t count_at(const struct sync_counts *counts, size_t i)
{
	return *(const uint64_t *)((const char *)counts + counts_table[i].offset);
}

static void json_counts(struct buf *out, const struct sync_counts *counts)
{
	for (size_t i = 0; i < COUNTS; i++) {
		event_number(out, counts_table[i].name, count_at(counts, i));
	}
}

static void json_account(struct buf *out, const char *account, const struct report *report)
{
	event_begin(out, "account");
	event_text(out, "account", account);
	event_number(out, "status", (uint64_t)report->status);
	json_counts(out, &report->total);
	event_number(out, "mailboxes", report->mailboxes_selected);
	event_number(out, "mailboxes_changed", report->mailboxes_changed);
	event_number(out, "connections", report->connections);
	event_number(out, "commands", report->commands);
	event_number(out, "round_trips", report->round_trips);
	event_number(out, "bytes_in", report->bytes_in);
	event_number(out, "bytes_out", report->bytes_out);
	event_seconds(out, "seconds", report->seconds);
	event_end(out);
}

void cli_report_json(struct buf *out, const char *account, const struct report *report,
		     bool is_last)
{
	if (is_last) {
		json_account(out, account, report);
		return;
	}
	cli_plan_json(out, account, report);
	for (size_t i = 0; i < report->mailbox_count; i++) {
		event_begin(out, "mailbox");
		event_text(out, "account", account);
		event_text(out, "mailbox", report->mailboxes[i].name);
		json_counts(out, &report->mailboxes[i].counts);
		event_end(out);
	}
}

bool cli_report_counts(struct buf *out, const struct sync_counts *counts)
{
	bool is_first = true;

	for (size_t i = 0; i < COUNTS; i++) {
		uint64_t count = count_at(counts, i);
		if (count > 0) {
			buf_append_cstr(out, is_first ? "" : ", ");
			cli_print_count(out, count);
			buf_printf(out, " %s", counts_table[i].words);
			is_first = false;
		}
	}
	return !is_first;
}

void cli_report_text(struct buf *out, const char *account, const struct report *report)
{
	for (size_t i = 0; i < report->mailbox_count; i++) {
		const struct report_mailbox *mailbox = &report->mailboxes[i];
		if (!mailbox->is_changed && mailbox->counts.skipped == 0) {
			continue;
		}
		buf_printf(out, "mailsync: %s/", account);
		cli_clean(out, mailbox->name);
		buf_append_cstr(out, ": ");
		if (!cli_report_counts(out, &mailbox->counts)) {
			buf_append_cstr(out, "changed");
		}
		buf_append_char(out, '\n');
	}
	buf_printf(out, "mailsync: %s: ", account);
	if (!cli_report_counts(out, &report->total)) {
		buf_append_cstr(out, report->mailboxes_changed > 0 ? "mailboxes changed"
								   : "nothing to do");
	}
	buf_printf(out,
		   "; %" PRIu64 " mailbox%s, %" PRIu64 " round trips, %" PRIu64
		   " bytes in, %" PRIu64 " out, %.2f s\n",
		   report->mailboxes_selected, report->mailboxes_selected == 1 ? "" : "es",
		   report->round_trips, report->bytes_in, report->bytes_out, report->seconds);
}
