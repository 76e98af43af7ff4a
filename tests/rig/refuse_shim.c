/*
 * Preloaded into the program: a file system that does not have some calls. Those that $REFUSE_CALLS
 * names (",futimens,linkat,") fail with the error number $REFUSE_ERRNO below $REFUSE_ROOT.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static bool is_below(int fd)
{
	const char *root = getenv("REFUSE_ROOT");
	char link[64], path[4096];
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	ssize_t len = readlink(link, path, sizeof(path) - 1);
	return root != NULL && len >= (ssize_t)strlen(root) &&
	       strncmp(path, root, strlen(root)) == 0;
}

static bool refuses(const char *name, int fd)
{
	const char *calls = getenv("REFUSE_CALLS");
	char word[32];
	snprintf(word, sizeof(word), ",%s,", name);
	if (calls == NULL || strstr(calls, word) == NULL || !is_below(fd)) {
		return false;
	}
	errno = (int)strtol(getenv("REFUSE_ERRNO"), NULL, 10);
	return true;
}

int futimens(int fd, const struct timespec times[2])
{
	return refuses("futimens", fd) ? -1 : NEXT(futimens)(fd, times);
}

int flock(int fd, int operation)
{
	return refuses("flock", fd) ? -1 : NEXT(flock)(fd, operation);
}

int linkat(int from_fd, const char *from, int to_fd, const char *to, int flags)
{
	return refuses("linkat", to_fd) ? -1 : NEXT(linkat)(from_fd, from, to_fd, to, flags);
}

int fsync(int fd)
{
	return refuses("fsync", fd) ? -1 : NEXT(fsync)(fd);
}

int fdatasync(int fd)
{
	return refuses("fdatasync", fd) ? -1 : NEXT(fdatasync)(fd);
}

int syncfs(int fd)
{
	return refuses("syncfs", fd) ? -1 : NEXT(syncfs)(fd);
}

/* Of files, not of directories. */
int openat(int fd, const char *name, int flags, ...)
{
	va_list rest;
	va_start(rest, flags);
	mode_t mode = (flags & O_CREAT) != 0 ? va_arg(rest, mode_t) : 0;
	va_end(rest);
	bool is_refused = (flags & O_DIRECTORY) == 0 && refuses("openat", fd);
	return is_refused ? -1 : NEXT(openat)(fd, name, flags, mode);
}

/* What becomes of it with _FORTIFY_SOURCE. */
int __openat_2(int fd, const char *name, int flags);
int __openat_2(int fd, const char *name, int flags)
{
	return openat(fd, name, flags);
}

/* The program calls renameat2 so. */
long syscall(long number, ...)
{
	long argument[6];
	va_list rest;
	va_start(rest, number);
	for (int i = 0; i < 6; i++) {
		argument[i] = va_arg(rest, long);
	}
	va_end(rest);
	if (number == SYS_renameat2 && refuses("renameat2", (int)argument[2])) {
		return -1;
	}
	return NEXT(syscall)(number, argument[0], argument[1], argument[2], argument[3],
			     argument[4], argument[5]);
}
