/*
 * Fail points (docs/RELIABILITY.md). Compiled to nothing but in a build with MAILSYNC_STEPS,
 * the one place where the rule against globals does not hold: a step has no owner.
 *
 *   MAILSYNC_STEP_LOG=FILE      append a line for each step as it begins: "number what", and the
 *                               paths that it changes, each behind a tab
 *   MAILSYNC_STEP_FAIL=N:ERRNO  step N is not carried out and fails with that number, once
 *   MAILSYNC_STEP_STOP=N        SIGKILL right after step N was carried out; 0: before the first
 *   MAILSYNC_STEP_PAUSE=N       SIGSTOP before step N, once it is in the log: whoever waits for
 *                               that does what it likes meanwhile, and sends SIGCONT
 *   MAILSYNC_STEP_LOOK=N        the same before the N-th reading of a folder, which is no step: it
 *                               changes nothing. In the log its number is 0
 *   MAILSYNC_STEP_NOMEM=N       the N-th allocation fails (step_nomem.c)
 *   MAILSYNC_STEP_BOOT=ID       pass for the boot of that name (clock.c)
 *   MAILSYNC_STEP_KEEP=DIR      link what step N is about to remove or replace to DIR/N, so that
 *                               a test can take back what a power cut would
 *
 * "After N" is when step N + 1 begins: all that stands between two steps changes nothing
 * outside the process. With several threads, another's step may then be half done, as in a
 * real crash. A stop after the last step never comes: the program ends by itself.
 */
#ifdef MAILSYNC_STEPS
#define _GNU_SOURCE /* linkat with AT_FDCWD, readlink of /proc */
#endif
#include "mailsync/base/step.h"

#ifdef MAILSYNC_STEPS

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define STEP_PATH_SIZE 2048

struct step_plan {
	bool has_stop;
	unsigned long stop_after;
	unsigned long fail_at; /* 0: none */
	int fail_errno;
	unsigned long pause_at; /* 0: never */
	unsigned long pause_at_look;
	int log_fd;
	int keep_fd;
};

static pthread_once_t step_once = PTHREAD_ONCE_INIT;
static struct step_plan step_plan;
static atomic_ulong step_count;
static atomic_ulong step_look_count;

static unsigned long step_number(const char *name)
{
	const char *value = getenv(name);

	return value ? strtoul(value, NULL, 10) : 0;
}

static void step_plan_read(void)
{
	const char *stop = getenv("MAILSYNC_STEP_STOP");
	const char *fail = getenv("MAILSYNC_STEP_FAIL");
	const char *log = getenv("MAILSYNC_STEP_LOG");
	const char *keep = getenv("MAILSYNC_STEP_KEEP");
	char *end;

	if (stop && *stop) {
		step_plan.has_stop = true;
		step_plan.stop_after = strtoul(stop, NULL, 10);
	}
	if (fail && *fail) {
		step_plan.fail_at = strtoul(fail, &end, 10);
		step_plan.fail_errno = *end == ':' ? (int)strtol(end + 1, NULL, 10) : 0;
	}
	step_plan.pause_at = step_number("MAILSYNC_STEP_PAUSE");
	step_plan.pause_at_look = step_number("MAILSYNC_STEP_LOOK");
	step_plan.log_fd = -1;
	if (log && *log) {
		step_plan.log_fd = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	}
	step_plan.keep_fd = -1;
	if (keep && *keep) {
		step_plan.keep_fd = open(keep, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	}
}

/* "\tpath" of NAME in DIRFD, or of the open file DIRFD itself. Empty where it cannot be told. */
static void step_path(int dirfd, const char *name, char path[STEP_PATH_SIZE])
{
	char link[64];
	char dir[STEP_PATH_SIZE / 2];

	if (dirfd == AT_FDCWD) {
		snprintf(path, STEP_PATH_SIZE, "\t%s", name);
		return;
	}
	snprintf(link, sizeof(link), "/proc/self/fd/%d", dirfd);
	ssize_t len = readlink(link, dir, sizeof(dir) - 1);
	dir[len < 0 ? 0 : len] = '\0';
	snprintf(path, STEP_PATH_SIZE, "\t%s%s%s", dir, name ? "/" : "", name ? name : "");
}

static unsigned long step_begin(void)
{
	pthread_once(&step_once, step_plan_read);
	unsigned long number = atomic_fetch_add(&step_count, 1) + 1;

	if (step_plan.has_stop && number > step_plan.stop_after) {
		kill(getpid(), SIGKILL);
	}
	return number;
}

static void step_log(unsigned long number, const char *what, const char *one, const char *two)
{
	char line[2 * STEP_PATH_SIZE + 128];

	int len = snprintf(line, sizeof(line), "%lu %s%s%s\n", number, what, one, two);
	if (len > 0 && (size_t)len < sizeof(line)) {
		(void)!write(step_plan.log_fd, line, (size_t)len);
	}
}

static void step_keep(unsigned long number, const char *what, int dirfd, const char *name)
{
	char kept[32];

	if (strcmp(what, "unlink") == 0 || strcmp(what, "replace") == 0) {
		snprintf(kept, sizeof(kept), "%lu", number);
		(void)!linkat(dirfd, name, step_plan.keep_fd, kept, 0);
	}
}

static int step_end(unsigned long number)
{
	if (number == step_plan.pause_at) {
		raise(SIGSTOP);
	}
	return number == step_plan.fail_at ? step_plan.fail_errno : 0;
}

int step_reached(const char *what)
{
	unsigned long number = step_begin();

	if (step_plan.log_fd >= 0) {
		step_log(number, what, "", "");
	}
	return step_end(number);
}

int step_reached_at(const char *what, int dirfd, const char *name)
{
	unsigned long number = step_begin();

	if (step_plan.log_fd >= 0) {
		char path[STEP_PATH_SIZE];
		step_path(dirfd, name, path);
		step_log(number, what, path, "");
	}
	if (step_plan.keep_fd >= 0 && name) {
		step_keep(number, what, dirfd, name);
	}
	return step_end(number);
}

int step_reached_move(const char *what, int from_dirfd, const char *from, int to_dirfd,
		      const char *to)
{
	unsigned long number = step_begin();

	if (step_plan.log_fd >= 0) {
		char one[STEP_PATH_SIZE];
		char two[STEP_PATH_SIZE];
		step_path(from_dirfd, from, one);
		step_path(to_dirfd, to, two);
		step_log(number, what, one, two);
	}
	if (step_plan.keep_fd >= 0) {
		step_keep(number, what, to_dirfd, to);
	}
	return step_end(number);
}

void step_look(int dirfd)
{
	pthread_once(&step_once, step_plan_read);
	unsigned long number = atomic_fetch_add(&step_look_count, 1) + 1;

	if (step_plan.log_fd >= 0) {
		char path[STEP_PATH_SIZE];
		step_path(dirfd, NULL, path);
		step_log(0, "look", path, "");
	}
	if (number == step_plan.pause_at_look) {
		raise(SIGSTOP);
	}
}

#endif
