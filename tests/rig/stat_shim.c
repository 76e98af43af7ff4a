/*
 * Preloaded into the program: to look at $STAT_FAIL_PATH, as the program names it, fails with the
 * error number $STAT_FAIL_ERRNO, as on a disk that is failing or a server that is away. With
 * $STAT_NO_TYPES directories do not tell what their entries are, as on some file systems.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int fstatat(int dirfd, const char *restrict path, struct stat *restrict st, int flags)
{
	int (*next)(int, const char *, struct stat *, int) = dlsym(RTLD_NEXT, "fstatat");
	const char *failing = getenv("STAT_FAIL_PATH");
	if (failing != NULL && strcmp(path, failing) == 0) {
		errno = (int)strtol(getenv("STAT_FAIL_ERRNO"), NULL, 10);
		return -1;
	}
	return next(dirfd, path, st, flags);
}

struct dirent *readdir(DIR *stream)
{
	struct dirent *(*next)(DIR *) = dlsym(RTLD_NEXT, "readdir");
	struct dirent *entry = next(stream);
	if (entry != NULL && getenv("STAT_NO_TYPES") != NULL) {
		entry->d_type = DT_UNKNOWN;
	}
	return entry;
}
