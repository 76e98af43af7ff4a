/* Preloaded into the program: what a Maildir may be watched on.
 *     NOTIFY_MOST=N    the system watches N directories, and no more (ENOSPC)
 *     NOTIFY_FILE=F    the same, as it stands in the file F
 *     NOTIFY_REMOTE=1  every file system is NFS, and other machines alone write there: nothing is
 *                      ever told */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <sys/vfs.h>
#include <unistd.h>

#define NFS_MAGIC 0x6969

static long added;

static long most(void)
{
	const char *path = getenv("NOTIFY_FILE"), *text = getenv("NOTIFY_MOST");
	char told[32] = "";
	int fd = path != NULL ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	if (fd >= 0) {
		ssize_t len = read(fd, told, sizeof(told) - 1);
		close(fd);
		text = len > 0 ? told : text;
	}
	return text != NULL ? strtol(text, NULL, 10) : -1;
}

int inotify_add_watch(int fd, const char *path, uint32_t mask)
{
	int (*next)(int, const char *, uint32_t) = dlsym(RTLD_NEXT, "inotify_add_watch");
	long limit = most();
	if (limit >= 0 && added >= limit) {
		errno = ENOSPC;
		return -1;
	}
	added++;
	return next(fd, path, getenv("NOTIFY_REMOTE") != NULL ? IN_UNMOUNT | IN_ONLYDIR : mask);
}

int statfs(const char *path, struct statfs *system)
{
	int (*next)(const char *, struct statfs *) = dlsym(RTLD_NEXT, "statfs");
	int rc = next(path, system);
	if (rc == 0 && getenv("NOTIFY_REMOTE") != NULL) {
		system->f_type = NFS_MAGIC;
	}
	return rc;
}

int statfs64(const char *path, struct statfs64 *system)
{
	int (*next)(const char *, struct statfs64 *) = dlsym(RTLD_NEXT, "statfs64");
	int rc = next(path, system);
	if (rc == 0 && getenv("NOTIFY_REMOTE") != NULL) {
		system->f_type = NFS_MAGIC;
	}
	return rc;
}
