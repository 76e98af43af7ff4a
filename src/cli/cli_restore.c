#define _XOPEN_SOURCE 700 /* strptime */
#include "cli_restore.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "mailsync/base/clock.h"
#include "cli_clean.h"
#include "cli_json.h"
#include "cli_options.h"

static const struct {
	char letter;
	int64_t seconds;
} units[] = {
	{'h', 3600},
	{'d', 86400},
	{'w', 604800},
	{'m', 30 * INT64_C(86400)},
	{'y', 365 * INT64_C(86400)},
};

/* "7d": how long ago, in seconds; 0: it is none. */
static int64_t read_age(const char *text)
{
	size_t len = strlen(text);
	uint64_t number = 0;
	bool is_number = len > 1 && span_to_u64((struct span){text, len - 1}, &number) &&
			 number > 0 && number < 100000;

	for (size_t i = 0; is_number && i < sizeof(units) / sizeof(units[0]); i++) {
		if (text[len - 1] == units[i].letter) {
			return (int64_t)number * units[i].seconds;
		}
	}
	return 0;
}

/* "2026-11-01", perhaps with a time of day, as the user's clock says it. */
static bool read_day(const char *text, int64_t *seconds)
{
	static const char *const formats[] = {"%Y-%m-%d", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M",
					      "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S"};

	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		struct tm parts = {.tm_isdst = -1};
		const char *end = strptime(text, formats[i], &parts);
		time_t time = end && *end == '\0' ? mktime(&parts) : (time_t)-1;
		if (time != (time_t)-1) {
			*seconds = (int64_t)time;
			return true;
		}
	}
	return false;
}

int cli_restore_take_since(struct cli_options *options, const char *text, struct err *err)
{
	int64_t age = read_age(text);

	if (age > 0) {
		options->restore.since = clock_real_s() - age;
		return 0;
	}
	if (read_day(text, &options->restore.since) && options->restore.since > 0) {
		return 0;
	}
	return err_set(
		err, ERR_USAGE, SCOPE_RUN,
		"--lost-since can be a day such as 2026-11-01, or an age such as 7d (h, d, w, "
		"m, y), not %s",
		text);
}

static void print_day_json(struct buf *out, const char *account, const struct restore_day *day)
{
	event_begin(out, "missed");
	event_text(out, "account", account);
	event_text(out, "mailbox", day->mailbox);
	event_text(out, "day", day->day);
	event_number(out, "messages", day->messages);
	event_number(out, "bytes", day->bytes);
	event_end(out);
}

static void print_day(struct buf *out, const char *account, const struct restore_day *day)
{
	buf_printf(out, "%s/", account);
	cli_clean(out, day->mailbox);
	buf_printf(out, "  %-10s  %8" PRIu64 " messages  %12" PRIu64 " bytes\n",
		   day->day ? day->day : "unknown", day->messages, day->bytes);
}

void cli_print_missed(struct cli_output *output, const char *account,
		      const struct restore_days *missed, const struct strlist *only)
{
	uint64_t messages = 0;

	for (size_t i = 0; i < missed->count; i++) {
		const struct restore_day *day = &missed->items[i];
		if (!cli_print_wants(only, day->mailbox)) {
			continue;
		}
		messages += day->messages;
		if (output->json) {
			print_day_json(&output->out, account, day);
		} else {
			print_day(&output->out, account, day);
		}
	}
	buf_printf(&output->err, "mailsync: %s: %s; say --lost-since=TIME or --all\n", account,
		   messages > 0 ? "the server lacks these, which were first missed on these days"
				: "the server lacks nothing, as far as the last sync saw");
}
