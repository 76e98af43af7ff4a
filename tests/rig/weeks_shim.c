/*
 * Preloaded into the program: time that its first thread would only wait for is over at once,
 * while no other thread is at work. So weeks of a program that mostly waits go by in minutes, and
 * what takes its time takes its time.
 *     WEEKS_UNTIL   a file: the milliseconds that may be passed over so, in all
 *     WEEKS_AT      a file: where it writes how many were
 *     WEEKS_SLEPT   a file: the seconds that the machine slept
 */
#define _GNU_SOURCE
#include "clock_shim.h"

#include <dirent.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>

#define GRACE_MS 15

static atomic_llong passed_ms;

static void pass(long long ms)
{
	char text[32];
	passed_ms += ms;
	int len = snprintf(text, sizeof(text), "%lld\n", (long long)passed_ms);
	int fd = open(getenv("WEEKS_AT"), O_WRONLY | O_CLOEXEC);
	if (fd >= 0) {
		ssize_t ignored = pwrite(fd, text, (size_t)len, 0);
		(void)ignored;
		close(fd);
	}
}

static int is_alone(void)
{
	DIR *tasks = opendir("/proc/self/task");
	int count = 0;
	while (tasks != NULL && readdir(tasks) != NULL) {
		count++;
	}
	if (tasks != NULL) {
		closedir(tasks);
	}
	return getpid() == gettid() && count == 3; /* ".", "..", this one */
}

int poll(struct pollfd *fds, nfds_t count, int timeout)
{
	static int (*next)(struct pollfd *, nfds_t, int);
	if (next == NULL) {
		next = (int (*)(struct pollfd *, nfds_t, int))dlsym(RTLD_NEXT, "poll");
	}
	while (timeout > GRACE_MS && getpid() == gettid()) {
		int rc = next(fds, count, GRACE_MS);
		if (rc != 0) {
			return rc;
		}
		timeout -= GRACE_MS;
		long long room = is_alone() ? number_in(getenv("WEEKS_UNTIL")) - passed_ms : 0;
		if (room > 0) {
			long long step = room < timeout ? room : timeout;
			pass(step);
			timeout -= (int)step;
		}
	}
	return next(fds, count, timeout);
}

int clock_gettime(clockid_t id, struct timespec *now)
{
	int rc = true_gettime(id, now);
	if (rc == 0 && (id == CLOCK_MONOTONIC || id == CLOCK_BOOTTIME || id == CLOCK_REALTIME)) {
		long long slept_s = id == CLOCK_MONOTONIC ? 0 : number_in(getenv("WEEKS_SLEPT"));
		long long ns = now->tv_nsec + passed_ms % 1000 * 1000000;
		now->tv_sec += passed_ms / 1000 + slept_s + ns / 1000000000;
		now->tv_nsec = ns % 1000000000;
	}
	return rc;
}
