/*
 * What the shims that move the clock share. Each has a clock_gettime() of its own; time() and
 * gettimeofday() go by it. It wants _GNU_SOURCE before all.
 */
#ifndef TESTS_CLOCK_SHIM_H
#define TESTS_CLOCK_SHIM_H

#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

/* The number that stands in the file; 0: none. */
static long long number_in(const char *path)
{
	char text[32] = "";
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t len = fd >= 0 ? read(fd, text, sizeof(text) - 1) : 0;
	if (fd >= 0) {
		close(fd);
	}
	return len > 0 ? strtoll(text, NULL, 10) : 0;
}

/* The clock that the shim stands before. */
static int true_gettime(clockid_t id, struct timespec *now)
{
	static int (*next)(clockid_t, struct timespec *);
	if (next == NULL) {
		next = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
	}
	return next(id, now);
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

int gettimeofday(struct timeval *now, void *zone)
{
	struct timespec exact;
	(void)zone;
	clock_gettime(CLOCK_REALTIME, &exact);
	now->tv_sec = exact.tv_sec;
	now->tv_usec = exact.tv_nsec / 1000;
	return 0;
}

#endif
