/*
 * The progress display: when there is one, and what it says. base/log.h puts it on the terminal.
 *
 *     cli_meter_look(&meter, &job->progress, now);     each quarter of a second
 *     cli_progress_line(&text, "home", &meter, columns);
 */
#ifndef MAILSYNC_CLI_PROGRESS_H
#define MAILSYNC_CLI_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "mailsync/base/buf.h"
#include "mailsync/base/progress.h"
#include "cli_options.h"

enum cli_progress_kind {
	CLI_PROGRESS_NONE,
	CLI_PROGRESS_LINE, /* on a terminal, a line an account that changes */
	CLI_PROGRESS_LINES /* elsewhere, a line now and then, and one at an account's end */
};

enum cli_progress_kind cli_progress_kind(const struct cli_options *options, FILE *stream);

/* Whether what is written to STREAM may be coloured. */
bool cli_has_colours(FILE *stream);

/* As many columns and rows as the terminal behind STREAM has; 80 by 24 where it does not tell. */
struct cli_screen {
	size_t columns;
	size_t rows;
};
struct cli_screen cli_screen_of(FILE *stream);

/* How far one account is, and how fast; zeroed it has not begun. */
struct cli_meter {
	uint64_t planned, planned_bytes, copied, copied_bytes, bytes;
	int64_t looked_at;   /* ms of the monotonic clock; 0: never */
	double message_rate; /* a second, of the last seconds; 0: not known */
	double byte_rate;
	double message_share, byte_share; /* how much of these seconds was seen, 0 to 1 */
};
/* NOW: ms of the monotonic clock, above 0. */
void cli_meter_look(struct cli_meter *meter, const struct progress *progress, int64_t now);
/* Adds what OTHER has done and has to do, and its rates. */
void cli_meter_add(struct cli_meter *meter, const struct cli_meter *other);

/* Appends "home: 120 of 5,000 messages, 3.1 of 140 MB, 2 min left, 1.1 MB/s", as much of it as fits
 * into fewer than COLUMNS; no line end. */
void cli_progress_line(struct buf *out, const char *account, const struct cli_meter *meter,
		       size_t columns);

/* How far a run of several accounts is. */
struct cli_progress_sum {
	size_t wanted, begun, done; /* accounts */
	int64_t ms;                 /* since it began */
	struct cli_meter all;       /* of those that have begun (cli_meter_add) */
};
/* Likewise "12 of 300 accounts done, 1,240 messages, 9.3 MB, 52 s left". */
void cli_progress_sum(struct buf *out, const struct cli_progress_sum *sum, size_t columns);

/* Appends NUMBER as people read it: "20,000". */
void cli_print_count(struct buf *out, uint64_t number);
/* "9.3 MB", "140 MB", "12 bytes". */
void cli_print_size(struct buf *out, uint64_t bytes);

#endif
