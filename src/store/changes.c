#include "mailsync/store/changes.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mailsync/base/there.h"
#include "maildir_private.h"

/* PATH-SUFFIX; an error where that is too long. No account's file is called so. */
static int name_of(const char *path, const char *suffix, char name[FILE_PATH_SIZE], struct err *err)
{
	int len = snprintf(name, FILE_PATH_SIZE, "%s-%s", path, suffix);

	return len < FILE_PATH_SIZE
		     ? 0
		     : err_set(err, ERR_LOCAL, SCOPE_ACCOUNT,
			       "the path of the list of changes is too long: %s", path);
}

/* *SIZE: 0 where there is none. */
static int size_of(const char *name, uint64_t *size, struct err *err)
{
	struct stat st;

	*size = 0;
	if (stat(name, &st) == 0) {
		*size = (uint64_t)st.st_size;
		return 0;
	}
	return is_absent(errno) ? 0 : maildir_fail(err, SCOPE_ACCOUNT, errno, "look at", name);
}

/* Puts what FROM holds behind what TO does, whole or not at all, and removes FROM. */
static int append(const char *from, const char *to, struct err *err)
{
	int source = -1, target = -1;
	uint64_t before = 0;
	int code;

	if ((code = size_of(to, &before, err)) < 0) {
		return code;
	}
	if (before == 0) {
		return file_replace(AT_FDCWD, from, AT_FDCWD, to, err);
	}
	source = open(from, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (source < 0) {
		return maildir_fail(err, SCOPE_ACCOUNT, errno, "open", from);
	}
	code = file_open_append(AT_FDCWD, to, &target, err);
	if (code == 0 && ((code = file_copy(source, target, from, err)) < 0 ||
			  (code = file_sync(target, err)) < 0)) {
		struct err ignored;
		(void)file_truncate(target, before, &ignored);
	}
	code = code < 0 ? code : file_unlink(AT_FDCWD, from, err);
	if (target >= 0) {
		close(target);
	}
	close(source);
	return code;
}

/* Held while lists change their names: a run that ends, and hooks of the one before. */
static int lock_names(const char *path, struct file_lock *lock, struct err *err)
{
	char name[FILE_PATH_SIZE];
	int code = name_of(path, "lock", name, err);

	file_lock_init(lock);
	return code < 0 ? code : file_lock_acquire(lock, name, true, NULL, err);
}

int changes_hand_over(const char *path, struct err *err)
{
	char next[FILE_PATH_SIZE];
	struct file_lock lock;
	uint64_t size;
	int code;

	if ((code = size_of(path, &size, err)) < 0 || size == 0 ||
	    (code = name_of(path, "next", next, err)) < 0) {
		return code;
	}
	code = lock_names(path, &lock, err);
	code = code < 0 ? code : append(path, next, err);
	file_lock_finish(&lock);
	return code;
}

/* The file itself, empty: what it is for is to be found there. */
static int make_empty(const char *list, struct err *err)
{
	int fd;
	int code = file_open_append(AT_FDCWD, list, &fd, err);

	if (code == 0) {
		close(fd);
	}
	return code;
}

int changes_take(const char *path, char list[FILE_PATH_SIZE], uint64_t *size, struct err *err)
{
	char next[FILE_PATH_SIZE];
	struct file_lock lock;
	uint64_t waiting;
	int code;

	if ((code = name_of(path, "next", next, err)) < 0 ||
	    (code = name_of(path, "list", list, err)) < 0 ||
	    (code = lock_names(path, &lock, err)) < 0) {
		return code;
	}
	code = size_of(next, &waiting, err);
	code = code < 0 || waiting == 0 ? code : append(next, list, err);
	file_lock_finish(&lock);
	code = code < 0 ? code : size_of(list, size, err);
	return code < 0 || *size > 0 ? code : make_empty(list, err);
}

int changes_drop(const char *list, struct err *err)
{
	return file_unlink(AT_FDCWD, list, err);
}
