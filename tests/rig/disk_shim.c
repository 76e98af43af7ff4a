/*
 * Preloaded into the program: a disk that fails calls at random, below two roots.
 *
 *   LIAR_DISK       SEED:RATE:CALLS     one call in RATE fails; CALLS: a bit for each of `calls`
 *   LIAR_DISK_ROOTS DIR:DIR
 *   LIAR_DISK_LOG   a file that gets a line for each failure, with its number
 *   LIAR_DISK_ONLY  ",3,7,": only these fail
 *   LIAR_DISK_ERRNO with this one error
 *
 * It never says ENOENT and never ends a directory early without an error: those would be answers.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum call {
	CALL_OPEN,
	CALL_STAT,
	CALL_LIST,
	CALL_READ,
	CALL_WRITE,
	CALL_SYNC,
	CALL_RENAME,
	CALL_LINK,
	CALL_UNLINK,
	CALL_MKDIR,
	CALL_TIMES,
	CALL_LOCK,
	CALLS,
};

static const struct {
	const char *name;
	int errnums[5]; /* 0 ends them */
} calls[] = {
	[CALL_OPEN] = {"open", {EIO, EACCES, ESTALE, EMFILE, EINTR}},
	[CALL_STAT] = {"stat", {EIO, EACCES, ESTALE, ENOMEM}},
	[CALL_LIST] = {"readdir", {EIO, ESTALE}},
	[CALL_READ] = {"read", {EIO, ESTALE, EINTR}},
	[CALL_WRITE] = {"write", {ENOSPC, EIO, EDQUOT, EINTR}},
	[CALL_SYNC] = {"sync", {EIO, ENOSPC, EDQUOT}},
	[CALL_RENAME] = {"rename", {EIO, EACCES, ENOSPC, EROFS, ESTALE}},
	[CALL_LINK] = {"link", {EIO, EACCES, ENOSPC, EROFS, EPERM}},
	[CALL_UNLINK] = {"unlink", {EIO, EACCES, EROFS, ESTALE}},
	[CALL_MKDIR] = {"mkdir", {EIO, EACCES, ENOSPC, EROFS, ESTALE}},
	[CALL_TIMES] = {"utimens", {EPERM, EIO, EACCES, EROFS}},
	[CALL_LOCK] = {"flock", {ENOLCK, EIO}},
};

static struct {
	bool is_set;
	unsigned long rate, mask;
	char roots[2][4096];
	int log;
	const char *only;
	int errnum; /* 0: one that the call may give */
} disk;
static atomic_uint_fast64_t seed;
static atomic_int failures;

#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

__attribute__((constructor)) static void disk_begin(void)
{
	const char *how = getenv("LIAR_DISK");
	const char *roots = getenv("LIAR_DISK_ROOTS");
	unsigned long long first = 0;
	if (how == NULL || roots == NULL ||
	    sscanf(how, "%llu:%lu:%lu", &first, &disk.rate, &disk.mask) != 3 ||
	    sscanf(roots, "%4095[^:]:%4095s", disk.roots[0], disk.roots[1]) != 2) {
		return;
	}
	disk.log = NEXT(open)(getenv("LIAR_DISK_LOG"), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC,
			      0600);
	disk.only = getenv("LIAR_DISK_ONLY");
	const char *errnum = getenv("LIAR_DISK_ERRNO");
	disk.errnum = errnum == NULL ? 0 : (int)strtol(errnum, NULL, 10);
	atomic_store(&seed, first);
	disk.is_set = true;
}

/* SplitMix64 */
static uint64_t draw(void)
{
	uint64_t z = atomic_fetch_add(&seed, 0x9e3779b97f4a7c15u) + 0x9e3779b97f4a7c15u;
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

static bool is_below(const char *path)
{
	for (int i = 0; i < 2; i++) {
		size_t len = strlen(disk.roots[i]);
		if (strncmp(path, disk.roots[i], len) == 0 &&
		    (path[len] == '/' || path[len] == '\0')) {
			return true;
		}
	}
	return false;
}

/* The path of FD, or of PATH as seen from there. */
static void full_path(int fd, const char *path, char *out, size_t size)
{
	char link[64], base[4096];
	if (path != NULL && path[0] == '/') {
		snprintf(out, size, "%s", path);
		return;
	}
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	ssize_t len = readlink(link, base, sizeof(base) - 1);
	base[len < 0 ? 0 : len] = '\0';
	snprintf(out, size, path == NULL ? "%s%s" : "%s/%s", base, path == NULL ? "" : path);
}

static bool is_wanted(int number)
{
	char text[16];
	snprintf(text, sizeof(text), ",%d,", number);
	return disk.only == NULL || strstr(disk.only, text) != NULL;
}

/* Whether this call is to fail; errno is set then. */
static bool fails(enum call call, int fd, const char *path)
{
	char full[8300], line[8500];
	if (!disk.is_set || (disk.mask >> call & 1) == 0 || draw() % disk.rate != 0) {
		return false;
	}
	int saved = errno;
	full_path(fd, path, full, sizeof(full));
	int number = is_below(full) ? atomic_fetch_add(&failures, 1) + 1 : 0;
	uint64_t which = draw();
	if (number == 0 || !is_wanted(number)) {
		errno = saved;
		return false;
	}
	int count = 0;
	while (count < 5 && calls[call].errnums[count] != 0) {
		count++;
	}
	int errnum = disk.errnum ? disk.errnum : calls[call].errnums[which % (unsigned)count];
	int len = snprintf(line, sizeof(line), "%d %s %s %s\n", number, calls[call].name,
			   strerrorname_np(errnum), full);
	if (NEXT(write)(disk.log, line, (size_t)len) < 0) {
		abort();
	}
	errno = errnum;
	return true;
}

int openat(int fd, const char *path, int flags, ...)
{
	va_list rest;
	va_start(rest, flags);
	mode_t mode = va_arg(rest, mode_t);
	va_end(rest);
	return fails(CALL_OPEN, fd, path) ? -1 : NEXT(openat)(fd, path, flags, mode);
}

int __openat_2(int fd, const char *path, int flags);
int __openat_2(int fd, const char *path, int flags)
{
	return fails(CALL_OPEN, fd, path) ? -1 : NEXT(openat)(fd, path, flags);
}

int open64(const char *path, int flags, ...)
{
	va_list rest;
	va_start(rest, flags);
	mode_t mode = va_arg(rest, mode_t);
	va_end(rest);
	return fails(CALL_OPEN, AT_FDCWD, path) ? -1 : NEXT(open64)(path, flags, mode);
}

DIR *opendir(const char *path)
{
	return fails(CALL_OPEN, AT_FDCWD, path) ? NULL : NEXT(opendir)(path);
}

int fstatat(int fd, const char *restrict path, struct stat *restrict st, int flags)
{
	return fails(CALL_STAT, fd, path) ? -1 : NEXT(fstatat)(fd, path, st, flags);
}

int stat(const char *restrict path, struct stat *restrict st)
{
	return fails(CALL_STAT, AT_FDCWD, path) ? -1 : NEXT(stat)(path, st);
}

int fstat(int fd, struct stat *st)
{
	return fails(CALL_STAT, fd, NULL) ? -1 : NEXT(fstat)(fd, st);
}

struct dirent *readdir(DIR *stream)
{
	return fails(CALL_LIST, dirfd(stream), NULL) ? NULL : NEXT(readdir)(stream);
}

ssize_t read(int fd, void *data, size_t size)
{
	return fails(CALL_READ, fd, NULL) ? -1 : NEXT(read)(fd, data, size);
}

ssize_t pread64(int fd, void *data, size_t size, off64_t at)
{
	return fails(CALL_READ, fd, NULL) ? -1 : NEXT(pread64)(fd, data, size, at);
}

/* What does not fit is said by how much was written. */
ssize_t write(int fd, const void *data, size_t size)
{
	if (fails(CALL_WRITE, fd, NULL)) {
		return size > 1 && (draw() & 1) ? NEXT(write)(fd, data, size / 2) : -1;
	}
	return NEXT(write)(fd, data, size);
}

ssize_t pwrite64(int fd, const void *data, size_t size, off64_t at)
{
	return fails(CALL_WRITE, fd, NULL) ? -1 : NEXT(pwrite64)(fd, data, size, at);
}

int fsync(int fd)
{
	return fails(CALL_SYNC, fd, NULL) ? -1 : NEXT(fsync)(fd);
}

int fdatasync(int fd)
{
	return fails(CALL_SYNC, fd, NULL) ? -1 : NEXT(fdatasync)(fd);
}

int syncfs(int fd)
{
	return fails(CALL_SYNC, fd, NULL) ? -1 : NEXT(syncfs)(fd);
}

int renameat(int from_fd, const char *from, int to_fd, const char *to)
{
	return fails(CALL_RENAME, from_fd, from) ? -1 : NEXT(renameat)(from_fd, from, to_fd, to);
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
	if (number == SYS_renameat2 &&
	    fails(CALL_RENAME, (int)argument[0], (const char *)argument[1])) {
		return -1;
	}
	return NEXT(syscall)(number, argument[0], argument[1], argument[2], argument[3],
			     argument[4], argument[5]);
}

int linkat(int from_fd, const char *from, int to_fd, const char *to, int flags)
{
	return fails(CALL_LINK, from_fd, from) ? -1 : NEXT(linkat)(from_fd, from, to_fd, to, flags);
}

int unlinkat(int fd, const char *path, int flags)
{
	return fails(CALL_UNLINK, fd, path) ? -1 : NEXT(unlinkat)(fd, path, flags);
}

int unlink(const char *path)
{
	return fails(CALL_UNLINK, AT_FDCWD, path) ? -1 : NEXT(unlink)(path);
}

int mkdirat(int fd, const char *path, mode_t mode)
{
	return fails(CALL_MKDIR, fd, path) ? -1 : NEXT(mkdirat)(fd, path, mode);
}

int futimens(int fd, const struct timespec times[2])
{
	return fails(CALL_TIMES, fd, NULL) ? -1 : NEXT(futimens)(fd, times);
}

int flock(int fd, int operation)
{
	return fails(CALL_LOCK, fd, NULL) ? -1 : NEXT(flock)(fd, operation);
}
