/*
 * Invariants:
 * 1. What others can read is no secret, and is not used.
 * 2. A token that was written is durable, name and all, before the caller goes on.
 */
#define _DEFAULT_SOURCE /* O_NOFOLLOW */
#include "token_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mailsync/base/there.h"

static int compose(char path[FILE_PATH_SIZE], const char *state_dir, const char *account,
		   const char *suffix, struct err *err)
{
	int len = snprintf(path, FILE_PATH_SIZE, "%s%s%s%s", state_dir, *account ? "/" : "",
			   account, suffix);

	if (len < 0 || len >= FILE_PATH_SIZE) {
		return err_set(err, ERR_CONFIG, SCOPE_ACCOUNT, "state_dir is too long a path");
	}
	return 0;
}

int token_file_init(struct token_file *file, const char *state_dir, const char *account,
		    struct err *err)
{
	int code;

	file->account = account;
	file_lock_init(&file->lock);
	if ((code = compose(file->dir, state_dir, "", "", err)) < 0) {
		return code;
	}
	return compose(file->path, state_dir, account, ".token", err);
}

void token_file_finish(struct token_file *file)
{
	file_lock_finish(&file->lock);
}

int token_file_lock(struct token_file *file, const stop_flag *stop, struct err *err)
{
	char path[FILE_PATH_SIZE];
	int code;

	if ((code = compose(path, file->dir, file->account, ".token.lock", err)) < 0 ||
	    (code = file_make_dirs(file->dir, err)) < 0) {
		return code;
	}
	return file_lock_acquire(&file->lock, path, true, stop, err);
}

/* Whether the open file FD may hold secrets. */
static int check_owner(const struct token_file *file, int fd, struct err *err)
{
	struct stat status;

	if (fstat(fd, &status) != 0) {
		return err_set_errno(err, ERR_LOCAL, SCOPE_ACCOUNT, errno, "cannot look at %s",
				     file->path);
	}
	if (!S_ISREG(status.st_mode)) {
		return err_set(err, ERR_CONFIG, SCOPE_ACCOUNT,
			       "the token file %s is no regular file; remove it, and run "
			       "`mailsync login %s`",
			       file->path, file->account);
	}
	if ((status.st_mode & 077) != 0) {
		return err_set(
			err, ERR_CONFIG, SCOPE_ACCOUNT,
			"others can read the token file %s (mode %04o); chmod 600 it, and run "
			"`mailsync login %s` if somebody may have done so",
			file->path, (unsigned)(status.st_mode & 07777), file->account);
	}
	if (status.st_uid != geteuid()) {
		return err_set(err, ERR_CONFIG, SCOPE_ACCOUNT,
			       "the token file %s is another user's", file->path);
	}
	return 0;
}

static int open_file(const struct token_file *file, int *fd, struct err *err)
{
	*fd = open(file->path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (*fd >= 0) {
		return 0;
	}
	if (is_absent(errno)) {
		return err_set(err, ERR_LOGIN, SCOPE_ACCOUNT,
			       "account %s is not signed in; run `mailsync login %s`",
			       file->account, file->account);
	}
	return err_set_errno(err, ERR_LOCAL, SCOPE_ACCOUNT, errno, "cannot open the token file %s",
			     file->path);
}

int token_file_text(const struct token_file *file, struct buf *text, struct err *err)
{
	int fd = -1;
	int code = open_file(file, &fd, err);

	if (code < 0) {
		return code;
	}
	code = check_owner(file, fd, err);
	code = code < 0 ? code : file_read_fd(fd, file->path, text, err);
	(void)close(fd);
	return code;
}

int token_file_read(const struct token_file *file, struct oauth_token *token, struct err *err)
{
	struct buf text;
	int code;

	oauth_token_init(token);
	buf_init(&text, OAUTH_FILE_MAX);
	if ((code = token_file_text(file, &text, err)) < 0) {
		goto finish;
	}
	code = oauth_token_read(token, buf_span(&text), err);
	if (code == -ERR_LOGIN) {
		struct err why = *err;
		code = err_set(err, ERR_LOGIN, SCOPE_ACCOUNT,
			       "the token file %s is damaged (%s); run `mailsync login %s`",
			       file->path, why.text, file->account);
	}
finish:
	buf_finish_secret(&text);
	return code;
}

int token_file_write(const struct token_file *file, const struct oauth_token *token,
		     struct err *err)
{
	struct buf text;

	buf_init(&text, OAUTH_FILE_MAX);
	int code = oauth_token_write(token, &text, err);
	code = code < 0 ? code : file_write_atomic(AT_FDCWD, file->path, buf_span(&text), err);
	buf_finish_secret(&text);
	return code;
}

int token_file_remove(const struct token_file *file, struct err *err)
{
	char temp[FILE_PATH_SIZE];
	int dirfd = -1;
	int code;

	/* A run that died may have left the next tokens there. */
	if ((code = compose(temp, file->dir, file->account, ".token.tmp", err)) < 0 ||
	    (code = file_unlink(AT_FDCWD, temp, err)) < 0 ||
	    (code = file_unlink(AT_FDCWD, file->path, err)) < 0 ||
	    (code = file_open_dir(AT_FDCWD, file->dir, false, &dirfd, err)) < 0) {
		return code;
	}
	code = file_sync_dir(dirfd, err);
	(void)close(dirfd);
	return code;
}

bool token_file_is_there(const struct token_file *file)
{
	struct stat status;

	return lstat(file->path, &status) == 0 || !is_absent(errno);
}
