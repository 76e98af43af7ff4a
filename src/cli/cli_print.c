#include "cli_print.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "cli_clean.h"
#include "cli_json.h"
#include "cli_plan.h"
#include "cli_report.h"

#define RED        "\033[31m" /* ECMA-48 */
#define PLAIN      "\033[0m"
#define OUTPUT_MAX ((size_t)512 * 1024 * 1024)

void cli_output_init(struct cli_output *output, bool json, bool verbose)
{
	buf_init(&output->out, OUTPUT_MAX);
	buf_init(&output->err, OUTPUT_MAX);
	output->json = json;
	output->verbose = verbose;
	output->colours = false;
	output->folds = false;
	output->is_stopped = false;
}

void cli_output_finish(struct cli_output *output)
{
	buf_finish(&output->err);
	buf_finish_secret(&output->out); /* of `token` */
}

/* The line of TROUBLE for people. */
static void print_trouble(struct cli_output *output, const struct cli_trouble *trouble)
{
	buf_append_cstr(&output->err, output->colours ? RED "mailsync: " : "mailsync: ");
	if (trouble->account) {
		buf_append_cstr(&output->err, trouble->account);
		if (trouble->mailbox) {
			buf_append_char(&output->err, '/');
			cli_clean(&output->err, trouble->mailbox);
		}
		if (trouble->uid != 0) {
			buf_printf(&output->err, " UID %" PRIu32, trouble->uid);
		}
		buf_append_cstr(&output->err, ": ");
	}
	buf_append_cstr(&output->err, output->colours ? PLAIN : "");
	cli_clean(&output->err, trouble->text);
	buf_append_char(&output->err, '\n');
}

void cli_print_error(struct cli_output *output, const struct cli_trouble *trouble)
{
	if (trouble->account != NULL && trouble->code == ERR_INTERRUPTED) {
		output->is_stopped = true; /* which is said once, of the run */
	} else {
		print_trouble(output, trouble);
	}
	if (output->json) {
		event_begin(&output->out, "error");
		event_text(&output->out, "account", trouble->account);
		event_text(&output->out, "mailbox", trouble->mailbox);
		if (trouble->uid != 0) {
			event_number(&output->out, "uid", trouble->uid);
		} else {
			event_null(&output->out, "uid");
		}
		event_text(&output->out, "code", err_code_name(trouble->code));
		event_text(&output->out, "message", trouble->text);
		event_end(&output->out);
	}
}

/* True when NAME is to be printed. */
bool cli_print_wants(const struct strlist *only, const char *name)
{
	return only->count == 0 || strlist_has(only, name);
}

/* How many columns TEXT takes, roughly: its characters, not its bytes. */
static size_t width_of(const char *text)
{
	size_t width = 0;

	for (; *text; text++) {
		width += ((unsigned char)*text & 0xC0) != 0x80;
	}
	return width;
}

/* TEXT and blanks up to WIDTH columns, and two more. */
static void print_column(struct buf *out, const char *text, size_t width)
{
	size_t used = width_of(text);

	cli_clean(out, text);
	buf_printf(out, "%*s", (int)(used < width ? width - used : 0) + 2, "");
}

static void print_listing_json(struct buf *out, const char *account,
			       const struct listing_entry *entry)
{
	event_begin(out, "list");
	event_text(out, "account", account);
	event_text(out, "mailbox", entry->name);
	event_text(out, "special_use", entry->special_use ? entry->special_use : "");
	if (entry->has_messages) {
		event_number(out, "messages", entry->messages);
	} else {
		event_null(out, "messages");
	}
	event_bool(out, "selected", entry->is_selected);
	event_end(out);
}

static void print_listing_line(struct buf *out, const char *account,
			       const struct listing_entry *entry, size_t width)
{
	print_column(out, account, 0);
	print_column(out, entry->name, width);
	print_column(out, entry->special_use ? entry->special_use : "", 8);
	if (entry->has_messages) {
		buf_printf(out, "%8" PRIu64, entry->messages);
	} else {
		buf_printf(out, "%8s", "-");
	}
	buf_printf(out, "  %s\n", entry->is_selected ? "selected" : "left out");
}

void cli_print_listing(struct cli_output *output, const char *account,
		       const struct listing *listing, const struct strlist *only)
{
	size_t width = 0;

	for (size_t i = 0; i < listing->count; i++) {
		size_t name = width_of(listing->items[i].name);
		width = name > width ? name : width;
	}
	for (size_t i = 0; i < listing->count; i++) {
		if (!cli_print_wants(only, listing->items[i].name)) {
			continue;
		}
		if (output->json) {
			print_listing_json(&output->out, account, &listing->items[i]);
		} else {
			print_listing_line(&output->out, account, &listing->items[i], width);
		}
	}
}

/* Local time, as ls -l --time-style=long-iso has it. */
static void format_time(int64_t seconds, char text[32])
{
	time_t time = (time_t)seconds;
	struct tm parts;

	if (seconds == 0) {
		memcpy(text, "never", sizeof("never"));
	} else if (!localtime_r(&time, &parts) ||
		   strftime(text, 32, "%Y-%m-%d %H:%M:%S", &parts) == 0) {
		memcpy(text, "?", sizeof("?"));
	}
}

static void print_number_json(struct buf *out, const char *name, bool is_known, uint64_t number)
{
	if (is_known) {
		event_number(out, name, number);
	} else {
		event_null(out, name);
	}
}

static void print_room_json(struct buf *out, const struct status *status)
{
	const struct status_quota *quota = &status->quota;
	bool is_known = quota->at > 0;

	print_number_json(out, "quota_used", is_known, quota->used);
	print_number_json(out, "quota_limit", is_known, quota->limit);
	print_number_json(out, "quota_at", is_known, (uint64_t)quota->at);
	print_number_json(out, "free_bytes", status->has_space, status->free_bytes);
}

static void print_status_json(struct buf *out, const char *account, const struct status *status,
			      const struct status_entry *entry)
{
	event_begin(out, "status");
	event_text(out, "account", account);
	event_text(out, "mailbox", entry->name);
	event_number(out, "messages", entry->messages);
	if (entry->synced_at > 0) {
		event_number(out, "synced_at", (uint64_t)entry->synced_at);
	} else {
		event_null(out, "synced_at");
	}
	event_number(out, "pending", entry->pending);
	event_number(out, "skipped", entry->skipped);
	event_number(out, "held", entry->held);
	event_number(out, "suspects", entry->suspects);
	event_number(out, "refused", entry->refused);
	event_text(out, "refusal", entry->refusal);
	event_text(out, "trouble", entry->trouble);
	if (status->oldest_proof > 0) {
		event_number(out, "oldest_proof", (uint64_t)status->oldest_proof);
	} else {
		event_null(out, "oldest_proof");
	}
	event_number(out, "unproven", status->unproven);
	print_room_json(out, status);
	event_end(out);
}

static void print_status_line(struct buf *out, const char *account,
			      const struct status_entry *entry, size_t width)
{
	char when[32];

	print_column(out, account, 0);
	print_column(out, entry->name, width);
	format_time(entry->synced_at, when);
	buf_printf(out, "%8" PRIu64 "  %-19s", entry->messages, when);
	if (entry->pending > 0) {
		buf_printf(out, "  %" PRIu64 " pending", entry->pending);
	}
	if (entry->skipped > 0) {
		buf_printf(out, "  %" PRIu64 " skipped", entry->skipped);
	}
	if (entry->held > 0) {
		buf_printf(out, "  %" PRIu64 " held by the brake", entry->held);
	}
	if (entry->suspects > 0) {
		format_time(entry->next_try, when);
		buf_printf(out, "  %" PRIu64 " that the connection ends on, tried %s%s",
			   entry->suspects,
			   entry->next_try == 0 ? "last in the next run" : "again ",
			   entry->next_try == 0 ? "" : when);
	}
	if (entry->refusal) {
		buf_printf(out, "  %" PRIu64 " refused by the server:  ", entry->refused);
		cli_clean(out, entry->refusal);
	}
	/* What the last run told of a refusal is said by then. */
	bool is_said = entry->refusal && entry->trouble &&
		       strncmp(entry->trouble, entry->refusal, strlen(entry->refusal)) == 0;
	if (entry->trouble && !is_said) {
		buf_append_cstr(out, "  ");
		cli_clean(out, entry->trouble);
	}
	buf_append_char(out, '\n');
}

void cli_print_status(struct cli_output *output, const char *account, const struct status *status,
		      const struct strlist *only)
{
	size_t width = 0;

	for (size_t i = 0; i < status->count; i++) {
		size_t name = width_of(status->items[i].name);
		width = name > width ? name : width;
	}
	for (size_t i = 0; i < status->count; i++) {
		if (!cli_print_wants(only, status->items[i].name)) {
			continue;
		}
		if (output->json) {
			print_status_json(&output->out, account, status, &status->items[i]);
		} else {
			print_status_line(&output->out, account, &status->items[i], width);
		}
	}
	for (size_t i = 0; i < status->notes.count && !output->json; i++) {
		print_column(&output->out, account, 0);
		cli_clean(&output->out, status->notes.items[i]);
		buf_append_char(&output->out, '\n');
	}
}

void cli_print_never_synced(struct cli_output *output, const char *account)
{
	if (!output->json) {
		buf_printf(&output->out, "%s: never synced\n", account);
		return;
	}
	event_begin(&output->out, "status");
	event_text(&output->out, "account", account);
	event_null(&output->out, "mailbox");
	event_number(&output->out, "messages", 0);
	event_null(&output->out, "synced_at");
	event_end(&output->out);
}

void cli_print_token(struct cli_output *output, const char *account, const char *access,
		     int64_t end_s)
{
	if (!output->json) {
		buf_printf(&output->out, "%s\n", access);
		return;
	}
	event_begin(&output->out, "token");
	event_text(&output->out, "account", account);
	event_text(&output->out, "access_token", access);
	if (end_s > 0) {
		event_number(&output->out, "expires_at", (uint64_t)end_s);
	} else {
		event_null(&output->out, "expires_at");
	}
	event_end(&output->out);
}

void cli_print_check(struct cli_output *output, const char *account, const struct strlist *lines)
{
	for (size_t i = 0; i < lines->count; i++) {
		if (output->json) {
			event_begin(&output->out, "check");
			event_text(&output->out, "account", account);
			event_text(&output->out, "message", lines->items[i]);
			event_end(&output->out);
		} else {
			buf_printf(&output->out, "%s: ", account);
			cli_clean(&output->out, lines->items[i]);
			buf_append_char(&output->out, '\n');
		}
	}
}

void cli_print_report(struct cli_output *output, const char *account, const struct report *report)
{
	if (output->json) {
		cli_report_json(&output->out, account, report, false);
	} else {
		cli_plan_text(&output->out, account, report, output->folds);
	}
	for (size_t i = 0; i < report->error_count; i++) {
		const struct report_error *error = &report->errors[i];
		const struct cli_trouble trouble = {account, error->mailbox, error->uid,
						    error->code, error->text};
		cli_print_error(output, &trouble);
	}
	uint64_t known = report->error_count + report->errors_hushed;
	if (report->total.errors > known && report->error_count > 0) {
		buf_printf(&output->err, "mailsync: %s: %" PRIu64 " more errors like these\n",
			   account, report->total.errors - known);
	}
	if (output->verbose) {
		cli_report_text(&output->err, account, report);
	}
	if (output->json) {
		cli_report_json(&output->out, account, report, true);
	}
}
