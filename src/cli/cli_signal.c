#include "cli_signal.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

#define EXIT_TEMPORARY 75

_Static_assert(sizeof(sig_atomic_t) == sizeof(int), "the flag is set from a handler");

/* A variable of the whole process because a handler can reach no other. Only set here, never
 * cleared. */
static volatile int stop;

static void take_signal(int number)
{
	(void)number;
	if (stop) {
		_exit(EXIT_TEMPORARY);
	}
	stop = 1;
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

const volatile int *cli_signal_stop(void)
{
	return &stop;
}
