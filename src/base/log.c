#include "mailsync/base/log.h"

#include <limits.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ioctl.h>

#include "mailsync/base/buf.h"
#include "mailsync/base/err.h"
#include "mailsync/base/text.h"

#define LOG_LINE_SIZE  4096
#define LOG_WIRE_SIZE  600
#define LOG_WIRE_MAX   65536
#define LOG_SCREEN_MAX ((size_t)1 << 20)

int log_init(struct log *log, FILE *stream, enum log_level level)
{
	log->stream = stream;
	log->level = level;
	log->program = "mailsync";
	log->progress_lines = 0;
	log->holds = 0;
	return pthread_mutex_init(&log->mutex, NULL) == 0 ? 0 : -ERR_NOMEM;
}

void log_finish(struct log *log)
{
	pthread_mutex_destroy(&log->mutex);
	log->stream = NULL;
}

int log_enabled(const struct log *log, enum log_level level)
{
	return log && log->stream && level <= log->level;
}

/* Rows of the terminal that the text takes. One that has become narrower since then has broken the
 * lines anew, as most do. */
static unsigned progress_rows(const struct log *log)
{
	struct winsize size;
	unsigned rows = 0, columns = 0;

	if (log->progress_lines > 0 && ioctl(fileno(log->stream), TIOCGWINSZ, &size) == 0) {
		columns = size.ws_col;
	}
	for (unsigned i = 0; i < log->progress_lines; i++) {
		unsigned used = log->progress_columns[i];
		rows += columns > 0 && used > columns ? (used + columns - 1) / columns : 1;
	}
	return rows;
}

/* What clears the rows, from the last up, and goes to the beginning (ECMA-48). */
static void append_erasing(struct log *log, struct buf *out)
{
	unsigned rows = progress_rows(log);

	for (unsigned i = 0; i < rows; i++) {
		buf_append_cstr(out, i == 0 ? "\r\033[K" : "\033[A\033[K");
	}
	log->progress_lines = 0;
}

/* In one piece: standard error has no buffer of its own, and a terminal that is shown a display
 * in parts flickers. What there was no memory for is not shown. */
static void put_whole(struct log *log, struct buf *out)
{
	if (out->len > 0) {
		fwrite(out->data, 1, out->len, log->stream);
	}
	fflush(log->stream);
	buf_finish(out);
}

/* The mutex is held. */
static void erase_progress(struct log *log)
{
	struct buf out;

	buf_init(&out, LOG_SCREEN_MAX);
	append_erasing(log, &out);
	put_whole(log, &out);
}

static void append_progress(struct log *log, const char *text, struct buf *out)
{
	while (text && log->progress_lines < LOG_PROGRESS_MAX) {
		const char *end = strchr(text, '\n');
		size_t len = end ? (size_t)(end - text) : strlen(text);

		if (log->progress_lines > 0) {
			buf_append_char(out, '\n');
		}
		buf_append(out, text, len);
		log->progress_columns[log->progress_lines++] =
			(unsigned short)(len < USHRT_MAX ? len : USHRT_MAX);
		text = end ? end + 1 : NULL;
	}
}

void log_progress(struct log *log, const char *text)
{
	struct buf out;

	buf_init(&out, LOG_SCREEN_MAX);
	pthread_mutex_lock(&log->mutex);
	append_erasing(log, &out);
	if (text && log->holds == 0) {
		append_progress(log, text, &out);
	}
	put_whole(log, &out);
	pthread_mutex_unlock(&log->mutex);
}

void log_hold(struct log *log)
{
	if (log && log->stream) {
		pthread_mutex_lock(&log->mutex);
		erase_progress(log);
		log->holds++;
		pthread_mutex_unlock(&log->mutex);
	}
}

void log_release(struct log *log)
{
	if (log && log->stream) {
		pthread_mutex_lock(&log->mutex);
		log->holds--;
		pthread_mutex_unlock(&log->mutex);
	}
}

/* A log that cannot be written is no reason to stop: nobody could be told. */
static void log_put(struct log *log, const char *line)
{
	pthread_mutex_lock(&log->mutex);
	erase_progress(log);
	fprintf(log->stream, "%s: %s\n", log->program, line);
	fflush(log->stream);
	pthread_mutex_unlock(&log->mutex);
}

void log_line(struct log *log, enum log_level level, const char *format, ...)
{
	char line[LOG_LINE_SIZE];
	va_list args;
	int len;

	if (!log_enabled(log, level)) {
		return;
	}
	va_start(args, format);
	len = vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	if (len < 0) {
		return;
	}
	size_t used = (size_t)len < sizeof(line) ? (size_t)len : sizeof(line) - 1;
	line[text_clean(line, used)] = '\0';
	log_put(log, line);
}

void log_wire(struct log *log, const char *who, struct span line, const struct blot *blot)
{
	char text[LOG_WIRE_SIZE];
	struct buf shown;

	if (!log_enabled(log, LOG_WIRE)) {
		return;
	}
	buf_init(&shown, LOG_WIRE_MAX);
	blot_append(blot, line, &shown);
	size_t used = shown.len < sizeof(text) ? shown.len : sizeof(text) - 1;
	if (used > 0) {
		memcpy(text, shown.data, used);
	}
	bool is_cut = used < shown.len || shown.failed != 0;
	buf_finish(&shown);
	text[text_clean(text, used)] = '\0';
	if (is_cut) {
		log_line(log, LOG_WIRE, "%s %s... (%zu bytes)", who, text, line.len);
	} else {
		log_line(log, LOG_WIRE, "%s %s", who, text);
	}
}
