/*
 * Preloaded into the program: its clock is off by CLOCK_BY seconds, from the CLOCK_AFTER-th look
 * on, or by those that stand in the file CLOCK_FILE. The kernel's, which stamps files, is not.
 * Where CLOCK_TIMES is set, the clock that time-outs go by is so many times as fast.
 */
#define _GNU_SOURCE
#include "clock_shim.h"

static long looks;

static long long off_by(void)
{
	const char *path = getenv("CLOCK_FILE"), *by = getenv("CLOCK_BY");
	if (path != NULL) {
		return number_in(path);
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
	int rc = true_gettime(id, now);
	if (rc == 0 && id == CLOCK_MONOTONIC) {
		hasten(now);
	}
	if (rc == 0 && id == CLOCK_REALTIME) {
		now->tv_sec += off_by();
	}
	return rc;
}
