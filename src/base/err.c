#include "mailsync/base/err.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "mailsync/base/text.h"

struct err_row {
	const char *name;
	int exit_status;
};

/* clang-format off */
static const struct err_row err_rows[ERR_CODE_COUNT] = {
	[ERR_NONE] = {"none", 0},
	[ERR_PARTIAL] = {"partial", 1},
	[ERR_REFUSED] = {"refused", 1},
	[ERR_LIMIT] = {"limit", 1},
	[ERR_USAGE] = {"usage", 64},
	[ERR_SERVER] = {"server", 69},
	[ERR_INTERNAL] = {"internal", 70},
	[ERR_NOMEM] = {"nomem", 70},
	[ERR_LOCAL] = {"local", 74},
	[ERR_TEMPORARY] = {"temporary", 75},
	[ERR_LOCKED] = {"locked", 75},
	[ERR_INTERRUPTED] = {"interrupted", 75},
	[ERR_PROTOCOL] = {"protocol", 76},
	[ERR_LOGIN] = {"login", 77},
	[ERR_CONFIG] = {"config", 78},
	[ERR_BRAKE] = {"brake", 79},
	[ERR_CHANGED] = {"changed", 1},
};
/* clang-format on */

void err_clear(struct err *err)
{
	err->code = ERR_NONE;
	err->scope = SCOPE_MESSAGE;
	err_set_end(err, ERR_END_SAID, 0);
	err->patience_ms = 0;
	err->text[0] = '\0';
}

/* Formats into TEXT (of SIZE), cleaned and cut at a whole character; returns the length. */
static size_t __attribute__((format(printf, 3, 0)))
err_format(char *text, size_t size, const char *format, va_list args)
{
	int len = vsnprintf(text, size, format, args);
	size_t used = len < 0 ? 0 : (size_t)len;

	if (used > size - 1) {
		used = size - 1;
	}
	used = text_clean(text, used);
	text[used] = '\0';
	return used;
}

int err_set(struct err *err, enum err_code code, enum err_scope scope, const char *format, ...)
{
	char text[ERR_TEXT_SIZE]; /* an argument may be err->text itself */
	va_list args;

	va_start(args, format);
	err_format(text, sizeof(text), format, args);
	va_end(args);
	err->code = code;
	err->scope = scope;
	err_set_end(err, ERR_END_SAID, 0);
	err->patience_ms = 0;
	memcpy(err->text, text, sizeof(text));
	return -(int)code;
}

void err_set_patience(struct err *err, int64_t ms)
{
	err->patience_ms = ms > 0 ? ms : ERR_PATIENCE_UNTOLD;
}

void err_set_end(struct err *err, enum err_end end, uint64_t end_at)
{
	err->end = end;
	err->end_at = end_at;
}

bool err_shows(const char *text)
{
	struct err shown;

	(void)err_set(&shown, ERR_NONE, SCOPE_RUN, "%s", text);
	return strcmp(shown.text, text) == 0;
}

int err_set_errno(struct err *err, enum err_code code, enum err_scope scope, int errnum,
		  const char *format, ...)
{
	char reason[128];
	char text[ERR_TEXT_SIZE - sizeof(reason) - 2]; /* the reason is never what gets cut */
	va_list args;

	if (errnum == ENOMEM) {
		code = ERR_NOMEM;
	}
	if (strerror_r(errnum, reason, sizeof(reason)) != 0) {
		snprintf(reason, sizeof(reason), "error %d", errnum);
	}
	va_start(args, format);
	err_format(text, sizeof(text), format, args);
	va_end(args);
	return err_set(err, code, scope, "%s: %s", text, reason);
}

int err_nomem(struct err *err)
{
	return err_set(err, ERR_NOMEM, SCOPE_RUN, "out of memory");
}

int err_stopped(struct err *err)
{
	return err_set(err, ERR_INTERRUPTED, SCOPE_RUN,
		       "stopped by a signal; the next run does the rest");
}

void err_prefix(struct err *err, const char *format, ...)
{
	char prefix[ERR_TEXT_SIZE / 2];
	va_list args;

	if (err->code == ERR_INTERRUPTED) {
		return;
	}
	va_start(args, format);
	err_format(prefix, sizeof(prefix), format, args);
	va_end(args);
	enum err_end end = err->end;
	uint64_t end_at = err->end_at;
	err_set(err, err->code, err->scope, "%s: %s", prefix, err->text);
	err_set_end(err, end, end_at);
}

void err_append(struct err *err, const char *format, ...)
{
	size_t len = strlen(err->text);
	va_list args;

	va_start(args, format);
	err_format(err->text + len, sizeof(err->text) - len, format, args);
	va_end(args);
}

int err_exit_status(enum err_code code)
{
	return (unsigned)code < ERR_CODE_COUNT ? err_rows[code].exit_status : 70;
}

const char *err_code_name(enum err_code code)
{
	return (unsigned)code < ERR_CODE_COUNT ? err_rows[code].name : "internal";
}
