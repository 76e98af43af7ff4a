#include "mailsync/store/credential.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mailsync/base/buf.h"
#include "mailsync/base/command.h"

#define CHUNK_SIZE 4096
#define POLL_MS    50 /* a signal is heeded that soon */

struct credential {
	struct credential_params params;
	pthread_mutex_t mutex; /* guards `kept`, and is held while the command runs */
	struct secret kept;    /* what the command gave; not set: it is to be asked */
};

int credential_create(struct credential **credential, const struct credential_params *params,
		      struct err *err)
{
	struct credential *created = calloc(1, sizeof(*created));

	if (!created) {
		return err_nomem(err);
	}
	if (pthread_mutex_init(&created->mutex, NULL) != 0) {
		free(created);
		return err_nomem(err);
	}
	created->params = *params;
	secret_init(&created->kept);
	*credential = created;
	return 0;
}

void credential_destroy(struct credential **credential)
{
	if (!*credential) {
		return;
	}
	secret_finish(&(*credential)->kept);
	pthread_mutex_destroy(&(*credential)->mutex);
	free(*credential);
	*credential = NULL;
}

/* --- what a file or a command gives --- */

/* Waits for FD until *STOP; false: it is to end. */
static bool wait_for(int fd, const volatile int *stop)
{
	struct pollfd input = {.fd = fd, .events = POLLIN};

	while (!stop || *stop == 0) {
		if (poll(&input, 1, POLL_MS) > 0) {
			return true;
		}
	}
	return false;
}

/* Reads FD to its end (or until *STOP: EINTR) and keeps the first SECRET_MAX bytes: a command that
 * prints more is not to die of a closed pipe. */
static int read_all(int fd, const volatile int *stop, struct buf *text)
{
	char chunk[CHUNK_SIZE];
	ssize_t got;

	do {
		if (!wait_for(fd, stop)) {
			secret_wipe(chunk, sizeof(chunk));
			return EINTR;
		}
		got = read(fd, chunk, sizeof(chunk));
		if (got > 0 && text->len < text->max) {
			size_t room = text->max - text->len;
			buf_append(text, chunk, (size_t)got < room ? (size_t)got : room);
		}
	} while (got > 0 || (got < 0 && errno == EINTR));
	int errnum = got < 0 ? errno : 0;
	secret_wipe(chunk, sizeof(chunk));
	return errnum;
}

/* Sets SECRET to TEXT's first line. KEY: where it comes from. */
static int take_first_line(const struct credential *credential, const char *key,
			   const struct buf *text, struct secret *secret, struct err *err)
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
			       "the first line that %s of account %s gives is empty", key,
			       credential->params.account);
	}
	return secret_set(secret, line, err);
}

/* --- the command --- */

static int command_check_end(const char *account, pid_t pid, struct err *err)
{
	int status = 0;

	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR) {
			return err_set_errno(err, ERR_LOGIN, SCOPE_ACCOUNT, errno,
					     "password_command of account %s is lost", account);
		}
	}
	if (WIFSIGNALED(status)) {
		return err_set(err, ERR_LOGIN, SCOPE_ACCOUNT,
			       "password_command of account %s was ended by signal %d", account,
			       WTERMSIG(status));
	}
	if (WEXITSTATUS(status) != 0) {
		return err_set(
			err, ERR_LOGIN, SCOPE_ACCOUNT,
			"password_command of account %s ended with status %d; run it by hand "
			"to see why",
			account, WEXITSTATUS(status));
	}
	return 0;
}

static int command_run(const struct credential *credential, const volatile int *stop,
		       struct buf *text, struct err *err)
{
	const char *account = credential->params.account;
	int out;
	pid_t pid;

	int errnum = command_read(credential->params.command, &out, &pid);
	if (errnum != 0) {
		return err_set_errno(err, ERR_LOCAL, SCOPE_ACCOUNT, errnum,
				     "password_command of account %s cannot be started", account);
	}
	errnum = read_all(out, stop, text);
	(void)close(out);
	if (errnum == EINTR) {
		(void)kill(pid, SIGTERM);
		(void)waitpid(pid, NULL, 0);
		return err_set(err, ERR_INTERRUPTED, SCOPE_RUN,
			       "stopped by a signal while password_command of account %s ran",
			       account);
	}
	int code = command_check_end(account, pid, err);
	if (code < 0 || errnum == 0) {
		return code;
	}
	return err_set_errno(err, ERR_LOGIN, SCOPE_ACCOUNT, errnum,
			     "password_command of account %s cannot be read", account);
}

/* Its turn may come after a signal. */
static int command_take_turn(const struct credential *credential, const volatile int *stop,
			     struct buf *text, struct err *err)
{
	const struct credential_params *params = &credential->params;
	int code;

	if (params->turn) {
		pthread_mutex_lock(params->turn);
	}
	if (stop && *stop != 0) {
		code = err_set(err, ERR_INTERRUPTED, SCOPE_RUN,
			       "stopped by a signal before password_command of account %s ran",
			       params->account);
	} else {
		log_hold(params->log);
		code = command_run(credential, stop, text, err);
		log_release(params->log);
	}
	if (params->turn) {
		pthread_mutex_unlock(params->turn);
	}
	return code;
}

/* Asks the command. The mutex is held. */
static int command_ask(struct credential *credential, const volatile int *stop, struct err *err)
{
	struct buf text;
	int code;

	buf_init(&text, SECRET_MAX);
	if ((code = command_take_turn(credential, stop, &text, err)) < 0) {
		goto finish;
	}
	code = take_first_line(credential, "password_command", &text, &credential->kept, err);
finish:
	buf_finish_secret(&text);
	return code;
}

static int command_secret(struct credential *credential, const volatile int *stop,
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
		errnum = read_all(fd, NULL, text);
		(void)close(fd);
	}
	if (errnum != 0) {
		return err_set_errno(err, ERR_CONFIG, SCOPE_ACCOUNT, errnum,
				     "password_file %s of account %s cannot be read",
				     credential->params.file, credential->params.account);
	}
	return 0;
}

static int file_secret(const struct credential *credential, struct secret *secret, struct err *err)
{
	struct buf text;
	int code;

	buf_init(&text, SECRET_MAX);
	if ((code = file_read_text(credential, &text, err)) < 0) {
		goto finish;
	}
	code = take_first_line(credential, "password_file", &text, secret, err);
finish:
	buf_finish_secret(&text);
	return code;
}

/* --- any kind --- */

int credential_secret(struct credential *credential, const volatile int *stop,
		      struct secret *secret, struct err *err)
{
	switch (credential->params.kind) {
	case CREDENTIAL_COMMAND:
		return command_secret(credential, stop, secret, err);
	case CREDENTIAL_FILE:
		return file_secret(credential, secret, err);
	case CREDENTIAL_PASSWORD:
		break;
	}
	return secret_set(secret, secret_span(credential->params.password), err);
}

static bool secret_equals(const struct secret *secret, const struct secret *other)
{
	return secret->data && other->data && secret->len == other->len &&
	       memcmp(secret->data, other->data, secret->len) == 0;
}

void credential_refused(struct credential *credential, const struct secret *secret)
{
	pthread_mutex_lock(&credential->mutex);
	if (secret_equals(&credential->kept, secret)) {
		secret_finish(&credential->kept);
	}
	pthread_mutex_unlock(&credential->mutex);
}
