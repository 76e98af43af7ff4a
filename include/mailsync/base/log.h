/*
 * The log: lines for people on one stream, by level. It is the one thing below `cli` that
 * writes to stderr, on a stream that cli opened for it. Safe to use from several threads.
 * Callers never hand it a secret: log_wire() is not called for lines of ours that carry one, and
 * blots them out of the server's.
 */
#ifndef MAILSYNC_BASE_LOG_H
#define MAILSYNC_BASE_LOG_H

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>

#include "mailsync/base/blot.h"
#include "mailsync/base/span.h"

enum log_level {
	LOG_ERROR, /* always */
	LOG_WARN,  /* unless -q */
	LOG_INFO,  /* -v: what is done and which fallbacks are taken */
	LOG_WIRE   /* -vv: what goes over the wire */
};

#define LOG_PROGRESS_MAX 512 /* lines of a progress text; more are not shown */

struct log {
	FILE *stream;
	enum log_level level;
	const char *program;     /* put before each line, "mailsync" */
	unsigned progress_lines; /* of the progress text that the cursor stands behind */
	unsigned short progress_columns[LOG_PROGRESS_MAX]; /* that each of them takes */
	unsigned holds;                                    /* log_hold without its log_release */
	pthread_mutex_t mutex;
};

int log_init(struct log *log, FILE *stream, enum log_level level);
void log_finish(struct log *log);

/* True when lines of LEVEL are written, to spare the making of costly ones. */
int log_enabled(const struct log *log, enum log_level level);

/* One line, without line end. Control characters become '?'. */
void log_line(struct log *log, enum log_level level, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* For a terminal: TEXT, of one or more lines that are each shorter than the terminal is wide,
 * stands at the end until the next line or text takes its place; NULL takes it away. */
void log_progress(struct log *log, const char *text);
/* From log_hold to log_release no such text is shown: another program may be talking to the
 * terminal. LOG may be NULL. */
void log_hold(struct log *log);
void log_release(struct log *log);

/* One wire line: WHO ("account#1 >" or "account#1 <") and the bytes, long ones cut, literals
 * already replaced by their size by the caller. BLOT: what of the server's words is not to be
 * shown; NULL: they are our own. */
void log_wire(struct log *log, const char *who, struct span line, const struct blot *blot);

#endif
