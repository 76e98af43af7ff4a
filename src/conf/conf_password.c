#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mailsync/base/command.h"
#include "mailsync/conf/conf.h"

#define CHUNK_SIZE 4096
#define POLL_MS    50 /* a signal is heeded that soon */

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

static int set_first_line(struct secret *secret, const struct buf *text, struct err *err)
{
	struct span line = buf_span(text);
	const char *end = line.len > 0 ? memchr(line.data, '\n', line.len) : NULL;

	if (end) {
		line.len = (size_t)(end - line.data);
	}
	while (line.len > 0 && line.data[line.len - 1] == '\r') {
		line.len--;
	}
	return secret_set(secret, line, err);
}

static int pipe_open(int ends[2])
{
	if (pipe(ends) != 0) {
		return errno;
	}
	(void)fcntl(ends[0], F_SETFD, FD_CLOEXEC);
	(void)fcntl(ends[1], F_SETFD, FD_CLOEXEC);
	return 0;
}

static int command_check_end(const struct conf_account *account, pid_t pid, struct err *err)
{
	int status = 0;

	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR) {
			return err_set_errno(err, ERR_LOGIN, SCOPE_ACCOUNT, errno,
					     "password_command of account %s is lost",
					     account->name);
		}
	}
	if (WIFSIGNALED(status)) {
		return err_set(err, ERR_LOGIN, SCOPE_ACCOUNT,
			       "password_command of account %s was ended by signal %d",
			       account->name, WTERMSIG(status));
	}
	if (WEXITSTATUS(status) != 0) {
		return err_set(
			err, ERR_LOGIN, SCOPE_ACCOUNT,
			"password_command of account %s ended with status %d; run it by hand "
			"to see why",
			account->name, WEXITSTATUS(status));
	}
	return 0;
}

static int command_stop(const struct conf_account *account, pid_t pid, struct err *err)
{
	(void)kill(pid, SIGTERM);
	(void)waitpid(pid, NULL, 0);
	return err_set(err, ERR_INTERRUPTED, SCOPE_RUN,
		       "stopped by a signal while password_command of account %s ran",
		       account->name);
}

static int run_command(const struct conf_account *account, const volatile int *stop,
		       struct buf *text, struct err *err)
{
	int ends[2];
	pid_t pid;

	int errnum = pipe_open(ends);
	if (errnum == 0) {
		errnum =
			command_start(account->password_command, COMMAND_NULL, ends[1], NULL, &pid);
		close(ends[1]);
		if (errnum != 0) {
			close(ends[0]);
		}
	}
	if (errnum != 0) {
		return err_set_errno(err, ERR_LOCAL, SCOPE_ACCOUNT, errnum,
				     "password_command of account %s cannot be started",
				     account->name);
	}
	errnum = read_all(ends[0], stop, text);
	close(ends[0]);
	if (errnum == EINTR) {
		return command_stop(account, pid, err);
	}
	int rc = command_check_end(account, pid, err);
	if (rc == 0 && errnum != 0) {
		rc = err_set_errno(err, ERR_LOGIN, SCOPE_ACCOUNT, errnum,
				   "password_command of account %s cannot be read", account->name);
	}
	return rc;
}

static int read_file(const struct conf_account *account, struct buf *text, struct err *err)
{
	int fd = open(account->password_file, O_RDONLY | O_CLOEXEC);
	int errnum = fd < 0 ? errno : 0;

	if (fd >= 0) {
		errnum = read_all(fd, NULL, text);
		close(fd);
	}
	if (errnum != 0) {
		return err_set_errno(err, ERR_CONFIG, SCOPE_ACCOUNT, errnum,
				     "password_file %s of account %s cannot be read",
				     account->password_file, account->name);
	}
	return 0;
}

int conf_password(const struct conf_account *account, const volatile int *stop,
		  struct secret *secret, struct err *err)
{
	const char *source = account->password_command ? "password_command" : "password_file";
	struct buf text;
	int rc;

	if (!account->password_command && !account->password_file) {
		return secret_set(secret, secret_span(&account->password), err);
	}
	buf_init(&text, SECRET_MAX);
	if (account->password_command) {
		rc = run_command(account, stop, &text, err);
	} else {
		rc = read_file(account, &text, err);
	}
	if (rc == 0) {
		rc = buf_status(&text, "a password", err);
	}
	if (rc == 0) {
		rc = set_first_line(secret, &text, err);
	}
	if (rc == 0 && secret->len == 0) {
		rc = err_set(err, ERR_LOGIN, SCOPE_ACCOUNT,
			     "the first line that %s of account %s gives is empty", source,
			     account->name);
	}
	buf_finish_secret(&text);
	return rc;
}

bool conf_password_file_is_exposed(const struct conf_account *account)
{
	struct stat status;

	return account->password_file && stat(account->password_file, &status) == 0 &&
	       (status.st_mode & (S_IRGRP | S_IROTH)) != 0;
}
