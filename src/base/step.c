/*
 * Fail points (docs/RELIABILITY.md). Compiled to nothing but in a build with MAILSYNC_STEPS,
 * the one place where the rule against globals does not hold: a step has no owner.
 *
 *   MAILSYNC_STEP_LOG=FILE      append a line "number what" for each step as it begins
 *   MAILSYNC_STEP_FAIL=N:ERRNO  step N is not carried out and fails with that number, once
 *   MAILSYNC_STEP_STOP=N        SIGKILL right after step N was carried out; 0: before the first
 *
 * "After N" is when step N + 1 begins: all that stands between two steps changes nothing
 * outside the process. With several threads, another's step may then be half done, as in a
 * real crash. A stop after the last step never comes: the program ends by itself.
 */
#include "mailsync/base/step.h"

#ifdef MAILSYNC_STEPS

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct step_plan {
	bool has_stop;
	unsigned long stop_after;
	unsigned long fail_at; /* 0: none */
	int fail_errno;
	int log_fd;
};

static pthread_once_t step_once = PTHREAD_ONCE_INIT;
static struct step_plan step_plan;
static atomic_ulong step_count;

static void step_plan_read(void)
{
	const char *stop = getenv("MAILSYNC_STEP_STOP");
	const char *fail = getenv("MAILSYNC_STEP_FAIL");
	const char *log = getenv("MAILSYNC_STEP_LOG");
	char *end;

	if (stop && *stop) {
		step_plan.has_stop = true;
		step_plan.stop_after = strtoul(stop, NULL, 10);
	}
	if (fail && *fail) {
		step_plan.fail_at = strtoul(fail, &end, 10);
		step_plan.fail_errno = *end == ':' ? (int)strtol(end + 1, NULL, 10) : 0;
	}
	step_plan.log_fd = -1;
	if (log && *log) {
		step_plan.log_fd = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	}
}

int step_reached(const char *what)
{
	pthread_once(&step_once, step_plan_read);
	unsigned long number = atomic_fetch_add(&step_count, 1) + 1;

	if (step_plan.has_stop && number > step_plan.stop_after) {
		kill(getpid(), SIGKILL);
	}
	if (step_plan.log_fd >= 0) {
		char line[128];
		int len = snprintf(line, sizeof(line), "%lu %s\n", number, what);
		if (len > 0 && (size_t)len < sizeof(line)) {
			(void)!write(step_plan.log_fd, line, (size_t)len);
		}
	}
	return number == step_plan.fail_at ? step_plan.fail_errno : 0;
}

#endif
