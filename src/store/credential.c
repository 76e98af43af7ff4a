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
#include "mailsync/base/clock.h"
#include "mailsync/base/command.h"
#include "mailsync/oauth/flow.h"
#include "mailsync/store/tokens.h"

#define CHUNK_SIZE 4096
#define POLL_MS    50 /* a signal is heeded that soon */

struct credential {
	struct credential_params params;
	pthread_mutex_t mutex; /* guards `kept`, and is held while the command runs */
	struct secret refused; /* by the server; not set: none was */
	struct secret mark;    /* what stands for it (credential_identity) */
	struct secret kept;    /* what the command gave; not set: it is to be asked */
	pid_t pid;             /* of the command, which gave its line; 0: none runs */
	int out;    /* what else it prints; open, so that printing more does not end it */
	int errors; /* likewise; -1: these are ours */
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
	secret_init(&created->refused);
	secret_init(&created->mark);
	*credential = created;
	return 0;
}

static void close_ends(struct credential *credential)
{
	(void)close(credential->out);
	if (credential->errors >= 0) {
		(void)close(credential->errors);
	}
}

/* What the last command left running (an agent that it started, say) goes on without us. */
static void command_leave(struct credential *credential)
{
	if (credential->pid == 0) {
		return;
	}
	close_ends(credential);
	(void)waitpid(credential->pid, NULL, WNOHANG);
	credential->pid = 0;
}

void credential_destroy(struct credential **credential)
{
	if (!*credential) {
		return;
	}
	command_leave(*credential);
	secret_finish(&(*credential)->kept);
	secret_finish(&(*credential)->refused);
	secret_finish(&(*credential)->mark);
	pthread_mutex_destroy(&(*credential)->mutex);
	free(*credential);
	*credential = NULL;
}

/* --- what a file or a command gives --- */

/* How long to read from FD, and up to where. */
struct reading {
	int fd;
	int errors;               /* what comes here goes to our standard error; -1: nothing does */
	const volatile int *stop; /* NULL: never */
	int64_t until_ms;         /* of the monotonic clock; 0: no end */
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
			       "the first line that %s of account %s gives is empty",
			       key_of(credential), credential->params.account);
	}
	return secret_set(secret, line, err);
}

/* --- the command --- */

/* It is of no use any more: it ends, and with its group all that it started. */
static void command_end(struct credential *credential)
{
	(void)kill(credential->params.timeout_s != 0 ? -credential->pid : credential->pid, SIGTERM);
	command_leave(credential);
}

static int command_failed(struct credential *credential, int errnum, struct err *err)
{
	const char *account = credential->params.account;
	const char *key = key_of(credential);

	command_end(credential);
	if (errnum == EINTR) {
		return err_set(err, ERR_INTERRUPTED, SCOPE_RUN,
			       "stopped by a signal while %s of account %s ran", key, account);
	}
	if (errnum == ETIMEDOUT) {
		return err_set(err, ERR_TEMPORARY, SCOPE_ACCOUNT,
			       "%s of account %s gave no line within %d s (timeout)", key, account,
			       credential->params.timeout_s);
	}
	return err_set_errno(err, ERR_LOGIN, SCOPE_ACCOUNT, errnum,
			     "%s of account %s cannot be read", key, account);
}

/* It closed its output without a line: how it ended. One that runs on has the time of READING. */
static int command_check_end(struct credential *credential, const struct reading *reading,
			     struct err *err)
{
	const char *account = credential->params.account;
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
		return err_set_errno(err, ERR_LOGIN, SCOPE_ACCOUNT, errno,
				     "%s of account %s is lost", key, account);
	}
	if (WIFSIGNALED(status)) {
		return err_set(err, ERR_LOGIN, SCOPE_ACCOUNT,
			       "%s of account %s was ended by signal %d", key, account,
			       WTERMSIG(status));
	}
	if (WEXITSTATUS(status) != 0) {
		return err_set(err, ERR_LOGIN, SCOPE_ACCOUNT,
			       "%s of account %s ended with status %d; run it by hand "
			       "to see why",
			       key, account, WEXITSTATUS(status));
	}
	return 0;
}

/* Its first line counts as soon as it is there, whatever the command does then. Where it ends
 * without one its status tells why. */
static int command_run(struct credential *credential, const volatile int *stop, struct buf *text,
		       struct err *err)
{
	const struct credential_params *params = &credential->params;
	int timeout_s = params->timeout_s;

	command_leave(credential);
	/* Where nobody can be asked what it leaves running does not hold our standard error. */
	credential->errors = -1;
	int errnum = command_read(params->command, &credential->out,
				  timeout_s != 0 ? &credential->errors : NULL, &credential->pid);
	if (errnum != 0) {
		credential->pid = 0;
		return err_set_errno(err, ERR_LOCAL, SCOPE_ACCOUNT, errnum,
				     "%s of account %s cannot be started", key_of(credential),
				     params->account);
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
static int command_take_turn(struct credential *credential, const volatile int *stop,
			     struct buf *text, struct err *err)
{
	const struct credential_params *params = &credential->params;
	int code;

	if (params->turn) {
		pthread_mutex_lock(params->turn);
	}
	if (stop && *stop != 0) {
		code = err_set(err, ERR_INTERRUPTED, SCOPE_RUN,
			       "stopped by a signal before %s of account %s ran",
			       key_of(credential), params->account);
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
	code = take_first_line(credential, &text, &credential->kept, err);
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
		errnum = read_line(&(struct reading){.fd = fd, .errors = -1}, text);
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
	code = take_first_line(credential, &text, secret, err);
finish:
	buf_finish_secret(&text);
	return code;
}

/* --- the token --- */

static bool is_same(const struct secret *secret, const struct secret *other)
{
	return secret->data && other->data && secret_same(secret_span(secret), secret_span(other));
}

/* What the server refused last; it is not set where nothing was. */
static int copy_refused(struct credential *credential, struct secret *refused, struct err *err)
{
	pthread_mutex_lock(&credential->mutex);
	int code = credential->refused.data
			 ? secret_set(refused, secret_span(&credential->refused), err)
			 : 0;
	pthread_mutex_unlock(&credential->mutex);
	return code;
}

static int token_secret(struct credential *credential, const volatile int *stop,
			struct secret *secret, struct err *err)
{
	struct secret refused;

	secret_init(&refused);
	int code = copy_refused(credential, &refused, err);
	code = code < 0 ? code
			: tokens_take(credential->params.tokens, &refused, stop, secret, NULL, err);
	secret_finish(&refused);
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
	case CREDENTIAL_OAUTH:
		return token_secret(credential, stop, secret, err);
	case CREDENTIAL_PASSWORD:
		break;
	}
	return secret_set(secret, secret_span(credential->params.password), err);
}

int credential_identity(struct credential *credential, const volatile int *stop,
			struct secret *identity, struct err *err)
{
	if (credential->params.kind == CREDENTIAL_OAUTH) {
		return tokens_text(credential->params.tokens, identity, err);
	}
	return credential_secret(credential, stop, identity, err);
}

void credential_refused(struct credential *credential, const struct secret *secret)
{
	bool is_token = credential->params.kind == CREDENTIAL_OAUTH;
	struct err ignored;

	pthread_mutex_lock(&credential->mutex);
	if (is_same(&credential->kept, secret)) {
		secret_finish(&credential->kept);
	}
	(void)secret_set(&credential->refused, secret_span(secret), &ignored);
	if (!is_token || tokens_text(credential->params.tokens, &credential->mark, &ignored) < 0) {
		(void)secret_set(&credential->mark, secret_span(secret), &ignored);
	}
	pthread_mutex_unlock(&credential->mutex);
}

const struct secret *credential_refused_secret(const struct credential *credential)
{
	return credential->mark.data ? &credential->mark : NULL;
}

int credential_renew(struct credential *credential, const volatile int *stop, struct err *err)
{
	bool is_token = credential->params.kind == CREDENTIAL_OAUTH;
	struct secret now, refused;
	struct err why;

	if (credential->params.kind == CREDENTIAL_PASSWORD) {
		return 0;
	}
	secret_init(&now);
	secret_init(&refused);
	int code = copy_refused(credential, &refused, &why);
	if (code == 0 && (code = credential_secret(credential, stop, &now, &why)) == 0) {
		code = refused.data && !is_same(&now, &refused) ? 1 : 0;
	}
	secret_finish(&refused);
	secret_finish(&now);
	/* What the mail server said of the old one tells more than a command that fails. */
	if (code < 0 && !is_token && code != -ERR_INTERRUPTED) {
		return 0;
	}
	if (code < 0) {
		*err = why;
	}
	return code;
}

/* --- words for people --- */

static void advise_of_token(const struct credential *credential, struct span words, struct buf *out)
{
	const char *account = credential->params.account;
	struct oauth_challenge challenge;
	struct buf missing;

	buf_init(&missing, sizeof(challenge.scope) + 1);
	if (oauth_challenge_read(words, &challenge)) {
		tokens_missing(credential->params.tokens, challenge.scope, &missing);
	}
	if (missing.len > 0) {
		buf_printf(out,
			   "the scope \"%s\" was not granted: check `oauth_scope` and the "
			   "registration of the client, then run `mailsync login %s`",
			   buf_span(&missing).data, account);
	} else {
		buf_printf(
			out,
			"the token may be of another account than `user`, or this account's mail "
			"be switched off for programs: see there, then run `mailsync login %s`",
			account);
	}
	buf_finish(&missing);
}

void credential_advise(const struct credential *credential, struct span words, struct buf *out)
{
	if (credential && credential->params.kind == CREDENTIAL_OAUTH) {
		advise_of_token(credential, words, out);
	} else {
		buf_append_cstr(out, "check user and password");
	}
}

int credential_explain(const struct credential *credential, struct strlist *lines, struct err *err)
{
	bool is_token = credential && credential->params.kind == CREDENTIAL_OAUTH;

	return is_token ? tokens_explain(credential->params.tokens, lines, err) : 0;
}
