/*
 * What went wrong: a code (what the caller can do about it), a scope (how much to abandon)
 * and one finished sentence, written where it happened, that says what to do and quotes the
 * server's words as such. Never a secret.
 *
 * Fallible functions return 0 or a negative code (-ERR_LOGIN) and leave their outputs
 * untouched on failure; the last parameter is `struct err *`, never NULL.
 */
#ifndef MAILSYNC_BASE_ERR_H
#define MAILSYNC_BASE_ERR_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>

enum err_code {
	ERR_NONE = 0,
	ERR_PARTIAL, /* some message or mailbox could not be synced */
	ERR_REFUSED, /* the server said NO to a command for a message or mailbox */
	ERR_LIMIT,   /* something outgrew its maximum */
	ERR_USAGE,
	ERR_SERVER,   /* not the server it should be, or it refuses for good */
	ERR_INTERNAL, /* our own bug */
	ERR_NOMEM,
	ERR_LOCAL,       /* local disk: full, read-only, permission */
	ERR_TEMPORARY,   /* network, name, timeout, busy */
	ERR_LOCKED,      /* another run holds the lock */
	ERR_INTERRUPTED, /* SIGINT or SIGTERM asked us to stop */
	ERR_PROTOCOL,    /* the server broke the protocol */
	ERR_LOGIN,       /* login refused */
	ERR_CONFIG,
	ERR_BRAKE,   /* the deletion brake stopped something */
	ERR_CHANGED, /* a local file changed under us: look again */
	ERR_CODE_COUNT
};

/* How much the failure makes pointless. */
enum err_scope {
	SCOPE_MESSAGE,
	SCOPE_MAILBOX,
	SCOPE_ACCOUNT,
	SCOPE_RUN
};

/* How a connection was lost. */
enum err_end {
	ERR_END_SAID,  /* the server said something that ends it; also of all that is no loss */
	ERR_END_CUT,   /* it ended */
	ERR_END_SILENT /* nothing more came */
};

#define ERR_TEXT_SIZE       1536
#define ERR_PATIENCE_UNTOLD (-1)

struct err {
	enum err_code code;
	enum err_scope scope;
	enum err_end end;
	uint64_t end_at;          /* so many bytes had come since we last sent something */
	int64_t patience_ms;      /* the server asked to be left alone: for so long, or
			      * ERR_PATIENCE_UNTOLD; 0: it did not */
	char text[ERR_TEXT_SIZE]; /* a sentence, without line end; cut at whole characters */
};

void err_clear(struct err *err);

/* Fills ERR and returns -CODE. Control characters in the result become '?' so that a
 * server's words cannot write to a terminal. */
int err_set(struct err *err, enum err_code code, enum err_scope scope, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* Adds how the connection was lost. */
void err_set_end(struct err *err, enum err_end end, uint64_t end_at);
/* Adds that the server asked for patience; MS: 0 where it does not say for how long. */
void err_set_patience(struct err *err, int64_t ms);

/* True when err_set would show TEXT as it is: it is short enough, one line, and has nothing in it
 * that cannot be seen or turns the line around. For what others gave us and we write down. */
bool err_shows(const char *text);

/* err_set with ": " and strerror(ERRNUM) appended. ENOMEM becomes ERR_NOMEM whatever CODE. */
int err_set_errno(struct err *err, enum err_code code, enum err_scope scope, int errnum,
		  const char *format, ...) __attribute__((format(printf, 5, 6)));

/* Out of memory, scope run. */
int err_nomem(struct err *err);

/* A signal asked for an end: ERR_INTERRUPTED, scope run, and the one text that there is for it,
 * whatever was going on. */
int err_stopped(struct err *err);

/* Puts "PREFIX: " before the sentence, but for that of err_stopped. */
void err_prefix(struct err *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Puts more behind the sentence, which may be said in two places: what happened where it did, and
 * what follows from it above. */
void err_append(struct err *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The exit status of sysexits.h that docs/mailsync.1 documents for the code: ERR_LOGIN is 77. */
int err_exit_status(enum err_code code);

/* A stable lower-case word for machines: "login", "temporary", ... */
const char *err_code_name(enum err_code code);

#endif
