/*
 * Preloaded into the program: its clock is off by CLOCK_BY seconds, from the CLOCK_AFTER-th look
 * on, or by those that stand in the file CLOCK_FILE. The kernel's, which stamps files, is not.
 * Where CLOCK_TIMES is set, the clock that time-outs go by is so many times as fast.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static long looks;

static long by_file(const char *path)
{
	char text[32] = "";
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t len = fd >= 0 ? read(fd, text, sizeof(text) - 1) : 0;
	if (fd >= 0) {
		close(fd);
	}
	return len > 0 ? strtol(text, NULL, 10) : 0;
}

static long off_by(void)
{
	const char *path = getenv("CLOCK_FILE"), *by = getenv("CLOCK_BY");
	if (path != NULL) {
		return by_file(path);
	}
	return by != NULL && ++looks > strtol(getenv("CLOCK_AFTER"), NULL, 10)
		     ? strtol(by, NULL, 10)
		     : 0;
}

static void hasten(struct timespec *now)
{
	const char *times = getenv("CLOCK_TIMES");
	static long long start;
	long long ns = now->tv_sec * 1000000000LL + now->tv_nsec;
	if (times == NULL) {
		return;
	}
	start = start == 0 ? ns : start;
	ns = start + (ns - start) * strtol(times, NULL, 10);
	now->tv_sec = ns / 1000000000;
	now->tv_nsec = ns % 1000000000;
}

int clock_gettime(clockid_t id, struct timespec *now)
{
	int (*next)(clockid_t, struct timespec *) = dlsym(RTLD_NEXT, "clock_gettime");
	int rc = next(id, now);
	if (rc == 0 && id == CLOCK_MONOTONIC) {
		hasten(now);
	}
	if (rc == 0 && id == CLOCK_REALTIME) {
		now->tv_sec += off_by();
	}
	return rc;
}

time_t time(time_t *seconds)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	if (seconds != NULL) {
		*seconds = now.tv_sec;
	}
	return now.tv_sec;
}

int gettimeofday(struct timeval *time, void *zone)
{
	struct timespec now;
	(void)zone;
	clock_gettime(CLOCK_REALTIME, &now);
	time->tv_sec = now.tv_sec;
	time->tv_usec = now.tv_nsec / 1000;
	return 0;
}
