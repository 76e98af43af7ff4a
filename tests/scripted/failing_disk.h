/*
 * In a test program that includes this, the disk fails where the test says so: the linker finds
 * these functions before the C library's, which they call for all else. One thread.
 *
 *     failing_disk = (struct failing_disk){.call = FAILING_OPEN, .name = "cur", .errnum = EIO};
 *     ...
 *     failing_disk = (struct failing_disk){0};
 */
#ifndef TESTS_FAILING_DISK_H
#define TESTS_FAILING_DISK_H

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>

#include "next_call.h"

enum failing_call {
	FAILING_NONE = 0,
	FAILING_OPEN,
	FAILING_STAT,
	FAILING_READ /* of a directory: the entry NAME and what is behind it */
};

struct failing_disk {
	enum failing_call call;
	const char *name; /* as the program names it */
	int errnum;
	int spared; /* so many such calls still succeed */
};

static struct failing_disk failing_disk;

static bool disk_fails(enum failing_call call, const char *name)
{
	if (failing_disk.call != call || strcmp(failing_disk.name, name) != 0 ||
	    failing_disk.spared-- > 0) {
		return false;
	}
	failing_disk.spared = 0;
	errno = failing_disk.errnum;
	return true;
}

int openat(int dirfd, const char *path, int flags, ...)
{
	int (*next)(int, const char *, int, ...) =
		(int (*)(int, const char *, int, ...))NEXT_CALL(openat);
	va_list args;
	va_start(args, flags);
	mode_t mode = flags & O_CREAT ? (mode_t)va_arg(args, int) : 0;
	va_end(args);
	return disk_fails(FAILING_OPEN, path) ? -1 : next(dirfd, path, flags, mode);
}

/* What openat is under _FORTIFY_SOURCE. */
int __openat_2(int dirfd, const char *path, int flags);
int __openat_2(int dirfd, const char *path, int flags)
{
	return openat(dirfd, path, flags);
}

int fstatat(int dirfd, const char *restrict path, struct stat *restrict st, int flags)
{
	int (*next)(int, const char *, struct stat *, int) =
		(int (*)(int, const char *, struct stat *, int))NEXT_CALL(fstatat);
	return disk_fails(FAILING_STAT, path) ? -1 : next(dirfd, path, st, flags);
}

int stat(const char *restrict path, struct stat *restrict st)
{
	int (*next)(const char *, struct stat *) =
		(int (*)(const char *, struct stat *))NEXT_CALL(stat);
	return disk_fails(FAILING_STAT, path) ? -1 : next(path, st);
}

struct dirent *readdir(DIR *stream)
{
	struct dirent *(*next)(DIR *) = (struct dirent * (*)(DIR *)) NEXT_CALL(readdir);
	struct dirent *entry = next(stream);
	return entry != NULL && disk_fails(FAILING_READ, entry->d_name) ? NULL : entry;
}

#endif
