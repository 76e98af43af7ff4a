/*
 * Invariants:
 * 1. Whatever changes the disk passes STEP() first, and a step that fails changes nothing.
 * 2. Nothing here follows a symbolic link to create, replace or remove a file.
 * 3. A file under its final name is whole and durable: it was synced before its rename.
 */
#define _GNU_SOURCE /* syncfs */
#include "mailsync/base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "file_private.h"
#include "mailsync/base/secret.h"
#include "mailsync/base/step.h"
#include "mailsync/base/there.h"

static enum err_scope scope_of(int errnum)
{
	switch (errnum) {
	case ENOSPC:
	case EDQUOT:
	case EROFS:
	case EIO:
	case EMFILE:
	case ENFILE:
		return SCOPE_ACCOUNT;
	default:
		return SCOPE_MAILBOX;
	}
}

int file_fail(struct err *err, int errnum, const char *what, const char *name)
{
	return err_set_errno(err, ERR_LOCAL, scope_of(errnum), errnum, "cannot %s %s", what, name);
}

/* The path of FD, where the system tells it (Linux does). */
static bool path_of(int fd, char path[FILE_SHOWN_SIZE])
{
	char link[32];

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	ssize_t len = readlink(link, path, FILE_SHOWN_SIZE - 1);
	path[len > 0 ? len : 0] = '\0';
	return len > 0;
}

void file_shown(int dirfd, const char *name, char shown[FILE_SHOWN_SIZE])
{
	char dir[FILE_SHOWN_SIZE];
	const char *slash = name[0] != '\0' ? "/" : "";
	bool is_known = dirfd >= 0 && name[0] != '/' && path_of(dirfd, dir);

	if (!is_known ||
	    snprintf(shown, FILE_SHOWN_SIZE, "%s%s%s", dir, slash, name) >= FILE_SHOWN_SIZE) {
		snprintf(shown, FILE_SHOWN_SIZE, "%s", name);
	}
}

int file_fail_in(struct err *err, int errnum, const char *what, int dirfd, const char *name)
{
	char shown[FILE_SHOWN_SIZE];

	file_shown(dirfd, name, shown);
	return file_fail(err, errnum, what, shown);
}

/* For callers that only have a descriptor; OTHERWISE stands for a path that nobody tells. */
static int fail_at(struct err *err, int errnum, const char *what, int fd, const char *otherwise)
{
	char path[FILE_SHOWN_SIZE];

	return file_fail(err, errnum, what, path_of(fd, path) ? path : otherwise);
}

int file_open_dir(int dirfd, const char *name, bool nofollow, int *fd, struct err *err)
{
	int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC | (nofollow ? O_NOFOLLOW : 0);
	int opened = openat(dirfd, name, flags);

	if (opened < 0) {
		return file_fail_in(err, errno, "open directory", dirfd, name);
	}
	*fd = opened;
	return 0;
}

int file_make_dir(int dirfd, const char *name, bool *created, struct err *err)
{
	int errnum = STEP_AT("mkdir", dirfd, name);
	struct stat st;

	if (errnum == 0 && mkdirat(dirfd, name, 0700) != 0) {
		errnum = errno;
	}
	if (errnum == EEXIST && fstatat(dirfd, name, &st, 0) == 0) {
		errnum = S_ISDIR(st.st_mode) ? 0 : ENOTDIR;
		if (errnum == 0 && created) {
			*created = false;
		}
	} else if (errnum == 0 && created) {
		*created = true;
	}
	return errnum == 0 ? 0 : file_fail_in(err, errnum, "make directory", dirfd, name);
}

int file_create(int dirfd, const char *name, int *fd, struct err *err)
{
	int flags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW;
	int errnum = STEP_AT("create", dirfd, name);
	int opened = -1;

	if (errnum == 0) {
		opened = openat(dirfd, name, flags, 0600);
		errnum = opened < 0 ? errno : 0;
	}
	if (errnum != 0) {
		return file_fail_in(err, errnum, "create", dirfd, name);
	}
	*fd = opened;
	return 0;
}

int file_open_append(int dirfd, const char *name, int *fd, struct err *err)
{
	int errnum = STEP_AT("create", dirfd, name);
	int opened = -1;

	if (errnum == 0) {
		opened = openat(dirfd, name, O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC,
				0600);
		errnum = opened >= 0 ? 0 : errno;
	}
	if (errnum != 0) {
		return file_fail_in(err, errnum, "write to", dirfd, name);
	}
	*fd = opened;
	return 0;
}

int file_truncate(int fd, uint64_t size, struct err *err)
{
	int errnum = STEP_AT("truncate", fd, NULL);

	if (errnum == 0 && ftruncate(fd, (off_t)size) != 0) {
		errnum = errno;
	}
	return errnum == 0 ? 0 : fail_at(err, errnum, "shorten", fd, "a file");
}

int file_write(int fd, const void *data, size_t len, struct err *err)
{
	const char *rest = data;
	int errnum = STEP_AT("write", fd, NULL);

	while (errnum == 0 && len > 0) {
		ssize_t done = write(fd, rest, len);
		if (done >= 0) {
			rest += done;
			len -= (size_t)done;
		} else if (errno != EINTR) {
			errnum = errno;
		}
	}
	return errnum == 0 ? 0 : fail_at(err, errnum, "write", fd, "to a file");
}

/* The nearest that this system can hold: a server may send any year. */
static time_t time_clamp(int64_t seconds)
{
	if (sizeof(time_t) < sizeof(int64_t)) {
		if (seconds > INT32_MAX) {
			return INT32_MAX;
		}
		if (seconds < INT32_MIN) {
			return INT32_MIN;
		}
	}
	return (time_t)seconds;
}

int file_copy(int from_fd, int to_fd, const char *name, struct err *err)
{
	char chunk[16384];
	ssize_t len;
	int code = 0;

	while (code == 0 && (len = read(from_fd, chunk, sizeof(chunk))) != 0) {
		if (len > 0) {
			code = file_write(to_fd, chunk, (size_t)len, err);
		} else if (errno != EINTR) {
			/* Not the disk's fault as a whole: another file may be read. */
			code = err_set_errno(err, ERR_LOCAL, SCOPE_MESSAGE, errno, "cannot read %s",
					     name);
		}
	}
	return code;
}

int file_set_mtime(int fd, int64_t seconds, struct err *err)
{
	struct timespec times[2] = {{0, UTIME_OMIT}, {time_clamp(seconds), 0}};
	int errnum = STEP_AT("set mtime", fd, NULL);

	if (errnum == 0 && futimens(fd, times) != 0) {
		errnum = errno;
	}
	if (file_is_refused(errnum)) {
		return err_set_errno(err, ERR_LIMIT, SCOPE_MESSAGE, errnum,
				     "the file system does not let the time of a file be set");
	}
	return errnum == 0 ? 0 : fail_at(err, errnum, "set the time of", fd, "a file");
}

int file_remove(int dirfd, const char *name, struct err *err)
{
	int errnum = STEP_AT("unlink", dirfd, name);

	if (errnum == 0 && unlinkat(dirfd, name, 0) != 0) {
		errnum = errno;
	}
	if (is_absent(errnum)) {
		return err_set(err, ERR_CHANGED, SCOPE_MESSAGE,
			       "file %s is not removed: it is not there any more", name);
	}
	return errnum == 0 ? 0 : file_fail_in(err, errnum, "remove", dirfd, name);
}

int file_unlink(int dirfd, const char *name, struct err *err)
{
	int code = file_remove(dirfd, name, err);
	return code == -ERR_CHANGED ? 0 : code;
}

int file_remove_dir(int dirfd, const char *name, struct err *err)
{
	int errnum = STEP_AT("rmdir", dirfd, name);

	if (errnum == 0 && unlinkat(dirfd, name, AT_REMOVEDIR) != 0) {
		errnum = errno;
	}
	if (errnum == ENOTEMPTY || errnum == EEXIST) { /* POSIX allows either */
		return err_set(err, ERR_CHANGED, SCOPE_MAILBOX,
			       "directory %s is not removed: it is not empty", name);
	}
	if (errnum != 0 && !is_absent(errnum)) {
		return file_fail_in(err, errnum, "remove directory", dirfd, name);
	}
	return 0;
}

int file_free_space(const char *path, uint64_t *bytes, struct err *err)
{
	struct statvfs fs;

	if (statvfs(path, &fs) != 0) {
		return file_fail(err, errno, "look at the file system of", path);
	}
	*bytes = (uint64_t)fs.f_bavail * fs.f_frsize;
	return 0;
}

int file_sync(int fd, struct err *err)
{
	int errnum = STEP_AT("fdatasync", fd, NULL);

	while (errnum == 0) {
#ifdef F_FULLFSYNC
		if (fcntl(fd, F_FULLFSYNC) == 0) {
			return 0;
		}
#endif
		if (fdatasync(fd) == 0) {
			return 0;
		}
		errnum = errno == EINTR ? 0 : errno;
	}
	/* Where it has neither, what was written is as durable as the file system can make it. */
	if (file_is_refused(errnum)) {
		errnum = fsync(fd) == 0 || file_is_refused(errno) ? 0 : errno;
	}
	return errnum == 0 ? 0 : fail_at(err, errnum, "make durable", fd, "a file");
}

int file_sync_dir(int dirfd, struct err *err)
{
	int errnum = STEP_AT("fsync directory", dirfd, NULL);

	while (errnum == 0) {
		if (fsync(dirfd) == 0) {
			return 0;
		}
		errnum = errno == EINTR ? 0 : errno;
	}
	/* Some file systems cannot sync a directory: they have nothing to be synced. */
	return file_is_refused(errnum) ? 0
				       : fail_at(err, errnum, "make durable", dirfd, "a directory");
}

int file_sync_fs(int fd, struct err *err)
{
#ifdef __linux__
	int errnum = STEP_AT("syncfs", fd, NULL);

	while (errnum == 0) {
		if (syncfs(fd) == 0) {
			return 0;
		}
		errnum = errno == EINTR ? 0 : errno;
	}
	if (!file_is_refused(errnum)) {
		return fail_at(err, errnum, "make durable the file system of", fd, "a directory");
	}
#else
	(void)fd;
#endif
	return err_set(err, ERR_LIMIT, SCOPE_MAILBOX, "this system has no syncfs");
}

/* All that is left to read of FD, appended to OUT: 0 or an errno. */
static int read_to_end(int fd, struct buf *out)
{
	char chunk[4096];
	ssize_t len;

	do {
		len = read(fd, chunk, sizeof(chunk));
		if (len < 0 && errno == EINTR) {
			continue;
		}
		if (len < 0) {
			break;
		}
		buf_append(out, chunk, (size_t)len);
	} while (len != 0 && out->failed == 0);
	int errnum = len < 0 ? errno : 0;
	secret_wipe(chunk, sizeof(chunk)); /* password_file is read with this */
	return errnum;
}

int file_read_fd(int fd, const char *name, struct buf *out, struct err *err)
{
	size_t before = out->len;
	int errnum = read_to_end(fd, out);
	int code =
		errnum != 0 ? fail_at(err, errnum, "read", fd, name) : buf_status(out, name, err);

	if (code < 0) {
		buf_truncate(out, before);
	}
	return code;
}

int file_read(int dirfd, const char *name, struct buf *out, struct err *err)
{
	int fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC);

	if (fd < 0 && is_absent(errno)) {
		return err_set(err, ERR_CHANGED, SCOPE_MAILBOX, "there is no file %s", name);
	}
	if (fd < 0) {
		return file_fail_in(err, errno, "open", dirfd, name);
	}
	int code = file_read_fd(fd, name, out, err);
	close(fd);
	return code;
}

/* Makes the directory entry of NAME durable. */
static int sync_parent(int dirfd, const char *name, struct err *err)
{
	const char *slash = strrchr(name, '/');
	struct buf parent;
	int fd;

	if (!slash && dirfd != AT_FDCWD) {
		return file_sync_dir(dirfd, err);
	}
	buf_init(&parent, 65536);
	if (slash) {
		buf_append(&parent, name, (size_t)(slash - name) + 1);
	} else {
		buf_append_char(&parent, '.');
	}
	int code = buf_status(&parent, "a path", err);
	if (code == 0) {
		code = file_open_dir(dirfd, parent.data, false, &fd, err);
	}
	buf_finish(&parent);
	if (code == 0) {
		code = file_sync_dir(fd, err);
		close(fd);
	}
	return code;
}

/* Creates TEMP with DATA in it, durable. */
static int write_temp(int dirfd, const char *temp, struct span data, struct err *err)
{
	int fd = -1;
	int code = file_unlink(dirfd, temp, err); /* left over from a run that died */

	if (code == 0) {
		code = file_create(dirfd, temp, &fd, err);
	}
	if (code < 0) {
		return code;
	}
	code = file_write(fd, data.data, data.len, err);
	if (code == 0) {
		code = file_sync(fd, err);
	}
	if (close(fd) != 0 && code == 0 && errno != EINTR) {
		code = file_fail_in(err, errno, "write", dirfd, temp);
	}
	return code;
}

int file_write_atomic(int dirfd, const char *name, struct span data, struct err *err)
{
	struct err ignored;
	struct buf temp;

	buf_init(&temp, 65536);
	buf_printf(&temp, "%s.tmp", name);
	int code = buf_status(&temp, "a path", err);
	if (code < 0) {
		goto out;
	}
	code = write_temp(dirfd, temp.data, data, err);
	if (code == 0) {
		code = file_replace(dirfd, temp.data, dirfd, name, err);
	}
	if (code < 0) {
		(void)file_unlink(dirfd, temp.data, &ignored);
		goto out;
	}
	code = sync_parent(dirfd, name, err);
out:
	buf_finish(&temp);
	return code;
}
