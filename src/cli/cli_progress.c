#include "cli_progress.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define COLUMNS_MIN 20
#define NAME_SHARE  3    /* of a line, at most one in so many columns is the account's name */
#define MEMORY_MS   3000 /* over which a rate is taken */
#define SHARE_MIN   0.2  /* of that time, before a rate foretells anything */
#define PART_MAX    64
#define SHORT_BELOW 60     /* columns; then "messages" is left to be understood */
#define DONE_KNOWN  5      /* accounts after which it is known how long one takes */
#define LOOK_BYTES  100000 /* of a look at the server that is worth a number */

static bool is_terminal(FILE *stream)
{
	const char *term = getenv("TERM");

	return isatty(fileno(stream)) && term && strcmp(term, "dumb") != 0;
}

bool cli_has_colours(FILE *stream)
{
	const char *no_color = getenv("NO_COLOR"); /* https://no-color.org */

	return is_terminal(stream) && (!no_color || *no_color == '\0');
}

enum cli_progress_kind cli_progress_kind(const struct cli_options *options, FILE *stream)
{
	bool is_wanted = options->progress == CLI_PROGRESS_ALWAYS ||
			 (options->progress == CLI_PROGRESS_AUTO && options->level > LOG_ERROR);

	if (options->command != CLI_SYNC || !is_wanted) {
		return CLI_PROGRESS_NONE;
	}
	if (is_terminal(stream)) {
		return CLI_PROGRESS_LINE;
	}
	return options->progress == CLI_PROGRESS_ALWAYS ? CLI_PROGRESS_LINES : CLI_PROGRESS_NONE;
}

struct cli_screen cli_screen_of(FILE *stream)
{
	struct cli_screen screen = {.columns = 80, .rows = 24};
	struct winsize size;

	if (ioctl(fileno(stream), TIOCGWINSZ, &size) == 0 && size.ws_col > 0 && size.ws_row > 0) {
		screen.columns = size.ws_col < COLUMNS_MIN ? COLUMNS_MIN : size.ws_col;
		screen.rows = size.ws_row;
	}
	return screen;
}

/* The mean of the last seconds, of which what is older counts less, and what was before the first
 * look nothing: *SHARE is what has been seen. */
static double mean_rate(double rate, uint64_t before, uint64_t now, double ms, double *share)
{
	double fresh = (double)(now > before ? now - before : 0) * 1000 / ms;
	double part = ms / (ms + MEMORY_MS);

	*share += (1 - *share) * part;
	return rate + (fresh - rate) * part / *share;
}

/* Time counts from the first message on: what comes before it, as the first turns of the server,
 * says nothing of how long the others take. */
static void look_at_messages(const struct cli_meter *meter, struct cli_meter *seen, double ms)
{
	if (meter->copied == 0 || seen->copied < meter->copied) {
		seen->message_rate = seen->message_share = 0;
	} else {
		seen->message_rate = mean_rate(meter->message_rate, meter->copied, seen->copied, ms,
					       &seen->message_share);
	}
}

void cli_meter_look(struct cli_meter *meter, const struct progress *progress, int64_t now)
{
	struct cli_meter seen = *meter;

	seen.planned = atomic_load_explicit(&progress->planned, memory_order_relaxed);
	seen.planned_bytes = atomic_load_explicit(&progress->planned_bytes, memory_order_relaxed);
	seen.copied = atomic_load_explicit(&progress->copied, memory_order_relaxed);
	seen.copied_bytes = atomic_load_explicit(&progress->copied_bytes, memory_order_relaxed);
	seen.bytes = atomic_load_explicit(&progress->bytes, memory_order_relaxed);
	seen.looked_at = now;
	double ms = (double)(now - meter->looked_at);
	if (meter->looked_at > 0 && ms > 0) {
		look_at_messages(meter, &seen, ms);
		seen.byte_rate =
			mean_rate(meter->byte_rate, meter->bytes, seen.bytes, ms, &seen.byte_share);
	}
	*meter = seen;
}

void cli_meter_add(struct cli_meter *meter, const struct cli_meter *other)
{
	meter->planned += other->planned;
	meter->copied += other->copied;
	meter->bytes += other->bytes;
	meter->message_rate += other->message_rate;
	meter->byte_rate += other->byte_rate;
	if (other->message_share > meter->message_share) {
		meter->message_share = other->message_share;
	}
}

void cli_print_count(struct buf *out, uint64_t number)
{
	char digits[24];
	int len = snprintf(digits, sizeof(digits), "%" PRIu64, number);

	for (int i = 0; i < len; i++) {
		if (i > 0 && (len - i) % 3 == 0) {
			buf_append_char(out, ',');
		}
		buf_append_char(out, digits[i]);
	}
}

/* 1000^UNIT is the unit that BYTES are told in. */
static unsigned unit_of(uint64_t bytes)
{
	unsigned unit = 0;

	for (; bytes >= 1000 && unit < 5; bytes /= 1000) {
		unit++;
	}
	return unit;
}

static void print_in_unit(struct buf *out, uint64_t bytes, unsigned unit)
{
	uint64_t tenths = bytes * 10;

	for (unsigned i = 0; i < unit; i++) {
		tenths /= 1000;
	}
	if (unit > 0 && tenths > 0 && tenths < 1000) {
		buf_printf(out, "%" PRIu64 ".%u", tenths / 10, (unsigned)(tenths % 10));
	} else {
		buf_printf(out, "%" PRIu64, tenths / 10);
	}
}

static const char *unit_name(unsigned unit)
{
	static const char *const names[] = {"bytes", "kB", "MB", "GB", "TB", "PB"};

	return names[unit];
}

void cli_print_size(struct buf *out, uint64_t bytes)
{
	print_in_unit(out, bytes, unit_of(bytes));
	buf_printf(out, " %s", unit_name(unit_of(bytes)));
}

static void print_messages(struct buf *out, const struct cli_meter *meter, bool is_short)
{
	if (meter->planned == 0) {
		buf_append_cstr(out, meter->bytes == 0 ? "connecting" : "looking");
		return;
	}
	cli_print_count(out, meter->copied < meter->planned ? meter->copied : meter->planned);
	buf_append_cstr(out, " of ");
	cli_print_count(out, meter->planned);
	if (!is_short) {
		buf_append_cstr(out, meter->planned == 1 ? " message" : " messages");
	}
}

/* Before there is a plan, only what takes its time to look at is worth a number. */
static void print_bytes(struct buf *out, const struct cli_meter *meter)
{
	unsigned unit = unit_of(meter->planned_bytes);

	if (meter->planned == 0 && meter->bytes < LOOK_BYTES) {
		return;
	}
	if (meter->planned_bytes == 0 || meter->copied_bytes > meter->planned_bytes) {
		cli_print_size(out, meter->bytes);
		return;
	}
	print_in_unit(out, meter->copied_bytes, unit);
	buf_append_cstr(out, " of ");
	print_in_unit(out, meter->planned_bytes, unit);
	buf_printf(out, " %s", unit_name(unit));
}

static void print_seconds_left(struct buf *out, uint64_t seconds)
{
	if (seconds < 90) {
		buf_printf(out, "%" PRIu64 " s left", seconds);
	} else if (seconds < 5400) {
		buf_printf(out, "%" PRIu64 " min left", (seconds + 30) / 60);
	} else if (seconds < 100 * 3600) {
		buf_printf(out, "%" PRIu64 " h left", (seconds + 1800) / 3600);
	}
}

static void print_left(struct buf *out, const struct cli_meter *meter)
{
	uint64_t left = meter->planned > meter->copied ? meter->planned - meter->copied : 0;

	if (left > 0 && meter->message_rate >= 0.01 && meter->message_share >= SHARE_MIN) {
		print_seconds_left(out, (uint64_t)((double)left / meter->message_rate) + 1);
	}
}

static void print_rate(struct buf *out, const struct cli_meter *meter)
{
	bool is_worth_it = meter->planned > 0 || meter->bytes >= LOOK_BYTES;

	if (meter->byte_rate >= 1 && is_worth_it) {
		cli_print_size(out, (uint64_t)meter->byte_rate);
		buf_append_cstr(out, "/s");
	}
}

enum part {
	PART_MESSAGES,
	PART_BYTES,
	PART_LEFT,
	PART_RATE,
	PARTS
};

/* A line: what it begins with, and parts of which as many follow as there is room for. */
struct line {
	struct buf begin;
	struct buf parts[PARTS];
	const char *joint; /* before the first of them */
};

static void line_init(struct line *line)
{
	buf_init(&line->begin, 2 * PART_MAX);
	for (size_t i = 0; i < PARTS; i++) {
		buf_init(&line->parts[i], PART_MAX);
	}
}

/* Appends the line and frees it. The last column stays free, or the terminal would go on in the
 * next row. */
static void line_finish(struct line *line, struct buf *out, size_t columns)
{
	static const enum part by_worth[] = {PART_LEFT, PART_MESSAGES, PART_BYTES, PART_RATE};
	size_t used = line->begin.len;
	bool is_in[PARTS] = {false};
	const char *joint = line->joint;

	for (size_t i = 0; i < PARTS; i++) {
		size_t len = line->parts[by_worth[i]].len;
		is_in[by_worth[i]] = len > 0 && used + 2 + len < columns;
		used += is_in[by_worth[i]] ? 2 + len : 0;
	}
	buf_append_span(out, buf_span(&line->begin));
	for (size_t i = 0; i < PARTS; i++) {
		if (is_in[i]) {
			buf_append_cstr(out, joint);
			buf_append_span(out, buf_span(&line->parts[i]));
			joint = ", ";
		}
		buf_finish(&line->parts[i]);
	}
	buf_finish(&line->begin);
}

void cli_progress_line(struct buf *out, const char *account, const struct cli_meter *meter,
		       size_t columns)
{
	size_t room = columns / NAME_SHARE;
	struct line line;

	line_init(&line);
	line.joint = ": ";
	buf_printf(&line.begin, "%.*s", (int)(room < PART_MAX ? room : PART_MAX), account);
	print_messages(&line.parts[PART_MESSAGES], meter, columns < SHORT_BELOW);
	print_bytes(&line.parts[PART_BYTES], meter);
	print_left(&line.parts[PART_LEFT], meter);
	print_rate(&line.parts[PART_RATE], meter);
	line_finish(&line, out, columns);
}

/* While accounts have not begun, nobody knows what they will have to do: then they are taken to
 * last as long as those that are done. */
static void print_sum_left(struct buf *out, const struct cli_progress_sum *sum)
{
	if (sum->begun == sum->wanted) {
		print_left(out, &sum->all);
	} else if (sum->done >= DONE_KNOWN) {
		double left = (double)(sum->wanted - sum->done) / (double)sum->done;
		print_seconds_left(out, (uint64_t)(left * (double)sum->ms / 1000) + 1);
	}
}

void cli_progress_sum(struct buf *out, const struct cli_progress_sum *sum, size_t columns)
{
	struct buf *messages;
	struct line line;

	line_init(&line);
	line.joint = ", ";
	buf_printf(&line.begin, "%zu of %zu accounts%s", sum->done, sum->wanted,
		   columns < SHORT_BELOW ? "" : " done");
	messages = &line.parts[PART_MESSAGES];
	if (sum->begun == sum->wanted && sum->all.planned > 0) {
		print_messages(messages, &sum->all, columns < SHORT_BELOW);
	} else {
		cli_print_count(messages, sum->all.copied);
		buf_append_cstr(messages, sum->all.copied == 1 ? " message" : " messages");
	}
	cli_print_size(&line.parts[PART_BYTES], sum->all.bytes);
	print_sum_left(&line.parts[PART_LEFT], sum);
	if (sum->all.byte_rate >= 1) {
		cli_print_size(&line.parts[PART_RATE], (uint64_t)sum->all.byte_rate);
		buf_append_cstr(&line.parts[PART_RATE], "/s");
	}
	line_finish(&line, out, columns);
}
