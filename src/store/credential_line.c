/* Secrets that are the first line of what a command prints, or of a file. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mailsync/base/buf.h"
#include "mailsync/base/clock.h"
#include "mailsync/base/command.h"

#include "credential_private.h"

#define CHUNK_SIZE 4096
#define POLL_MS    50 /* a signal is heeded that soon */

/* --- what a file or a command gives --- */

/* How long to read from FD, and up to where. */
struct reading {
	int fd;
	int errors;            /* what comes here goes to our standard error; -1: nothing does */
	const stop_flag *stop; /* NULL: never */
	int64_t until_ms;      /* of the monotonic clock; 0: no end */
};

/* What the command has said on its standard error so far. False: no more will come. */
static bool pass_errors_on(int fd)
{
	char chunk[CHUNK_SIZE];
	ssize_t got;

	while ((got = read(fd, chunk, sizeof(chunk))) > 0) {
		/* A standard error that takes no more is no reason to fail. */
		(void)!write(STDERR_FILENO, chunk, (size_t)got);
	}
	return got < 0 && (errno == EAGAIN || errno == EINTR);
}

/* 0, EINTR (*STOP) or ETIMEDOUT. */
static int time_is_up(const struct reading *reading)
{
	if (reading->stop && *reading->stop != 0) {
		return EINTR;
	}
	bool is_late = reading->until_ms != 0 && clock_monotonic_ms() >= reading->until_ms;
	return is_late ? ETIMEDOUT : 0;
}

/* Waits for input: 0, EINTR (*STOP) or ETIMEDOUT. */
static int wait_for(const struct reading *reading)
{
	struct pollfd input = {.fd = reading->fd, .events = POLLIN};

	int errnum;

	while ((errnum = time_is_up(reading)) == 0) {
		if (poll(&input, 1, POLL_MS) > 0) {
			return 0;
		}
	}
	return errnum;
}

/* Reads the first line, no further than the piece that its end comes with; at most SECRET_MAX bytes
 * are kept. */
static int read_line(const struct reading *reading, struct buf *text)
{
	char chunk[CHUNK_SIZE];
	ssize_t got;
	int errnum;

	do {
		got = 0;
		if ((errnum = wait_for(reading)) != 0) {
			break;
		}
		got = read(reading->fd, chunk, sizeof(chunk));
		errnum = got < 0 && errno != EINTR ? errno : 0;
		if (got > 0 && text->len < text->max) {
			size_t room = text->max - text->len;
			buf_append(text, chunk, (size_t)got < room ? (size_t)got : room);
		}
	} while (errnum == 0 && got != 0 && text->len < text->max &&
		 (got < 0 || !memchr(chunk, '\n', (size_t)got)));
	secret_wipe(chunk, sizeof(chunk));
	return errnum;
}

/* Where it comes from, in words of the configuration. */
static const char *key_of(const struct credential *credential)
{
	if (credential->params.key) {
		return credential->params.key;
	}
	return credential->params.kind == CREDENTIAL_COMMAND ? "password_command" : "password_file";
}

/* Sets SECRET to TEXT's first line. */
static int take_first_line(const struct credential *credential, const struct buf *text,
			   struct secret *secret, struct err *err)
{
	struct span line = buf_span(text);
	const char *end = line.len > 0 ? memchr(line.data, '\n', line.len) : NULL;
	int code = buf_status(text, "a password", err);

	if (code < 0) {
		return code;
	}
	line.len = end ? (size_t)(end - line.data) : line.len;
	while (line.len > 0 && line.data[line.len - 1] == '\r') {
		line.len--;
	}
	if (line.len == 0) {
		return err_set(err, ERR_LOGIN, SCOPE_ACCOUNT,
			       "the first line that %s gives is empty", key_of(credential));
	}
	return secret_set(secret, line, err);
}

/* --- the command --- */

static void close_ends(struct credential *credential)
{
	(void)close(credential->out);
	if (credential->errors >= 0) {
		(void)close(credential->errors);
	}
}

void credential_command_leave(struct credential *credential)
{
	if (credential->pid == 0) {
		return;
	}
	close_ends(credential);
	(void)waitpid(credential->pid, NULL, WNOHANG);
	credential->pid = 0;
}

/* It is of no use any more: it ends, and with its group all that it started. */
static void command_end(struct credential *credential)
{
	(void)kill(credential->params.timeout_s != 0 ? -credential->pid : credential->pid, SIGTERM);
	credential_command_leave(credential);
}

static int command_failed(struct credential *credential, int errnum, struct err *err)
{
	const char *key = key_of(credential);

	command_end(credential);
	if (errnum == EINTR) {
		return err_stopped(err);
	}
	if (errnum == ETIMEDOUT) {
		return err_set(err, ERR_TEMPORARY, SCOPE_ACCOUNT,
			       "%s gave no line within %d s (timeout)", key,
			       credential->params.timeout_s);
	}
	return err_set_errno(err, ERR_LOGIN, SCOPE_ACCOUNT, errnum, "%s cannot be read", key);
}

/* It closed its output without a line: how it ended. One that runs on has the time of READING. */
static int command_check_end(struct credential *credential, const struct reading *reading,
			     struct err *err)
{
	const char *key = key_of(credential);
	int status = 0;
	pid_t ended;

	while ((ended = waitpid(credential->pid, &status, WNOHANG)) == 0) {
		int errnum = time_is_up(reading);
		if (errnum != 0) {
			return command_failed(credential, errnum, err);
		}
		(void)poll(NULL, 0, POLL_MS / 10);
	}
	if (credential->errors >= 0) {
		(void)pass_errors_on(credential->errors);
	}
	close_ends(credential);
	credential->pid = 0;
	if (ended < 0) {
		return err_set_errno(err, ERR_LOGIN, SCOPE_ACCOUNT, errno, "%s is lost", key);
	}
	if (WIFSIGNALED(status)) {
		return err_set(err, ERR_LOGIN, SCOPE_ACCOUNT, "%s was ended by signal %d", key,
			       WTERMSIG(status));
	}
	if (WEXITSTATUS(status) != 0) {
		return err_set(err, ERR_LOGIN, SCOPE_ACCOUNT,
			       "%s ended with status %d; run it by hand "
			       "to see why",
			       key, WEXITSTATUS(status));
	}
	return 0;
}

/* Its first line counts as soon as it is there, whatever the command does then. Where it ends
 * without one its status tells why. */
static int command_run(struct credential *credential, const stop_flag *stop, struct buf *text,
		       struct err *err)
{
	const struct credential_params *params = &credential->params;
	int timeout_s = params->timeout_s;

	credential_command_leave(credential);
	/* Where nobody can be asked what it leaves running does not hold our standard error. */
	credential->errors = -1;
	int errnum = command_read(params->command, &credential->out,
				  timeout_s != 0 ? &credential->errors : NULL, &credential->pid);
	if (errnum != 0) {
		credential->pid = 0;
		return err_set_errno(err, ERR_LOCAL, SCOPE_ACCOUNT, errnum, "%s cannot be started",
				     key_of(credential));
	}
	const struct reading reading = {
		.fd = credential->out,
		.errors = credential->errors,
		.stop = stop,
		.until_ms = timeout_s == 0 ? 0 : clock_monotonic_ms() + timeout_s * INT64_C(1000),
	};
	if ((errnum = read_line(&reading, text)) != 0) {
		return command_failed(credential, errnum, err);
	}
	return text->len > 0 ? 0 : command_check_end(credential, &reading, err);
}

/* Its turn may come after a signal. */
static int command_take_turn(struct credential *credential, const stop_flag *stop, struct buf *text,
			     struct err *err)
{
	const struct credential_params *params = &credential->params;
	int code;

	if (params->turn) {
		pthread_mutex_lock(params->turn);
	}
	if (stop && *stop != 0) {
		code = err_stopped(err);
	} else {
		log_hold(params->log);
		code = command_run(credential, stop, text, err);
		if (code < 0 && stop && *stop != 0) {
			code = err_stopped(err); /* from a terminal it got the signal, too */
		}
		log_release(params->log);
	}
	if (params->turn) {
		pthread_mutex_unlock(params->turn);
	}
	return code;
}

/* Asks the command. The mutex is held. */
static int command_ask(struct credential *credential, const stop_flag *stop, struct err *err)
{
	struct buf text;
	int code;

	buf_init(&text, SECRET_MAX);
	if ((code = command_take_turn(credential, stop, &text, err)) < 0) {
		goto finish;
	}
	code = take_first_line(credential, &text, &credential->kept, err);
finish:
	buf_finish_secret(&text);
	return code;
}

int credential_command_secret(struct credential *credential, const stop_flag *stop,
			      struct secret *secret, struct err *err)
{
	int code = 0;

	pthread_mutex_lock(&credential->mutex);
	if (!credential->kept.data && (code = command_ask(credential, stop, err)) < 0) {
		goto finish;
	}
	code = secret_set(secret, secret_span(&credential->kept), err);
finish:
	pthread_mutex_unlock(&credential->mutex);
	return code;
}

/* --- the file --- */

static int file_read_text(const struct credential *credential, struct buf *text, struct err *err)
{
	int fd = open(credential->params.file, O_RDONLY | O_CLOEXEC);
	int errnum = fd < 0 ? errno : 0;

	if (fd >= 0) {
		errnum = read_line(&(struct reading){.fd = fd, .errors = -1}, text);
		(void)close(fd);
	}
	if (errnum != 0) {
		return err_set_errno(err, ERR_CONFIG, SCOPE_ACCOUNT, errnum,
				     "password_file %s cannot be read", credential->params.file);
	}
	return 0;
}

int credential_file_secret(const struct credential *credential, struct secret *secret,
			   struct err *err)
{
	struct buf text;
	int code;

	buf_init(&text, SECRET_MAX);
	if ((code = file_read_text(credential, &text, err)) < 0) {
		goto finish;
	}
	code = take_first_line(credential, &text, secret, err);
finish:
	buf_finish_secret(&text);
	return code;
}
