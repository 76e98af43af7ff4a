#include "cli_signal.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "mailsync/base/stop.h"

#define EXIT_TEMPORARY 75

_Static_assert(ATOMIC_INT_LOCK_FREE == 2, "the flag is set from a handler");

/* Variables of the whole process because a handler can reach no other. This one is only set here,
 * never cleared. */
static stop_flag stop;

static atomic_int is_to_reload, is_to_sync;
static int wake_read = -1, wake_write = -1;

void cli_signal_wake(void)
{
	if (wake_write >= 0) {
		ssize_t ignored = write(wake_write, "", 1); /* full: it is readable already */
		(void)ignored;
	}
}

static void take_signal(int number)
{
	int errnum = errno;

	(void)number;
	if (stop) {
		_exit(EXIT_TEMPORARY);
	}
	stop = 1;
	cli_signal_wake();
	errno = errnum;
}

static void take_request(int number)
{
	int errnum = errno;

	if (number == SIGHUP) {
		is_to_reload = 1;
	} else {
		is_to_sync = 1;
	}
	cli_signal_wake();
	errno = errnum;
}

void cli_signal_install(void)
{
	static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
	struct sigaction action, before;

	memset(&action, 0, sizeof(action));
	sigemptyset(&action.sa_mask);
	action.sa_handler = take_signal; /* without SA_RESTART: waits are to end */
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		/* nohup and background jobs of a shell ignore some: so do we then. */
		if (sigaction(numbers[i], NULL, &before) == 0 && before.sa_handler != SIG_IGN) {
			(void)sigaction(numbers[i], &action, NULL);
		}
	}
	action.sa_handler = SIG_IGN;
	(void)sigaction(SIGPIPE, &action, NULL);
}

const stop_flag *cli_signal_stop(void)
{
	return &stop;
}

static int make_pipe(struct err *err)
{
	int ends[2];

	if (pipe(ends) != 0) {
		return err_set_errno(err, ERR_INTERNAL, SCOPE_RUN, errno, "no pipe");
	}
	for (int i = 0; i < 2; i++) {
		(void)fcntl(ends[i], F_SETFD, FD_CLOEXEC);
		(void)fcntl(ends[i], F_SETFL, O_NONBLOCK);
	}
	wake_read = ends[0];
	wake_write = ends[1];
	return 0;
}

int cli_signal_stay(struct err *err)
{
	struct sigaction action;
	int code = wake_read < 0 ? make_pipe(err) : 0;

	memset(&action, 0, sizeof(action));
	sigemptyset(&action.sa_mask);
	action.sa_handler = take_request;
	action.sa_flags = SA_RESTART; /* neither is meant for a sync that is under way */
	if (code == 0) {
		(void)sigaction(SIGHUP, &action, NULL);
		(void)sigaction(SIGUSR1, &action, NULL);
	}
	return code;
}

int cli_signal_fd(void)
{
	return wake_read;
}

unsigned cli_signal_take(void)
{
	char bytes[64];
	unsigned taken = 0;

	while (read(wake_read, bytes, sizeof(bytes)) > 0) {
	}
	if (is_to_reload) {
		is_to_reload = 0;
		taken |= CLI_SIGNAL_RELOAD;
	}
	if (is_to_sync) {
		is_to_sync = 0;
		taken |= CLI_SIGNAL_NOW;
	}
	return taken;
}
