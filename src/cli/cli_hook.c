#include "cli_hook.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "mailsync/base/clock.h"
#include "mailsync/base/command.h"
#include "mailsync/base/file.h"

#define WAIT_MS   5
#define FACTS     4
#define FACT_SIZE 160 /* a variable's name, and an account's (100 at most) or a number */
#define PATH_SIZE (FILE_PATH_SIZE + FACT_SIZE)

extern char **environ;

/* Our environment and what the hook is told. A variable of that name that we were given goes. */
static char **environment_create(char *const facts[FACTS])
{
	size_t count = 0, kept = 0;

	while (environ[count]) {
		count++;
	}
	char **environment = calloc(count + FACTS + 1, sizeof(*environment));
	for (size_t i = 0; environment && i < count; i++) {
		bool is_ours = false;
		for (size_t j = 0; j < FACTS; j++) {
			size_t name = strcspn(facts[j], "=") + 1;
			is_ours = is_ours || strncmp(environ[i], facts[j], name) == 0;
		}
		if (!is_ours) {
			environment[kept++] = environ[i];
		}
	}
	for (size_t j = 0; environment && j < FACTS; j++) {
		environment[kept++] = facts[j];
	}
	return environment;
}

/* Signals come to another thread, so a hook that can be stopped is looked at now and then. */
static int hook_wait(const struct cli_hook *hook, pid_t pid, struct err *err)
{
	bool was_told = false;
	int status = 0;
	pid_t ended;

	while ((ended = waitpid(pid, &status, hook->stop ? WNOHANG : 0)) <= 0) {
		if (ended < 0 && errno != EINTR) {
			return err_set_errno(err, ERR_PARTIAL, SCOPE_ACCOUNT, errno, "%s is lost",
					     hook->key);
		}
		if (ended == 0 && *hook->stop && !was_told) {
			was_told = kill(pid, SIGTERM) == 0;
		}
		if (ended == 0) {
			clock_sleep_ms(WAIT_MS);
		}
	}
	if (WIFSIGNALED(status)) {
		return err_set(err, ERR_PARTIAL, SCOPE_ACCOUNT, "%s was ended by signal %d",
			       hook->key, WTERMSIG(status));
	}
	if (WEXITSTATUS(status) != 0) {
		return err_set(err, ERR_PARTIAL, SCOPE_ACCOUNT,
			       "%s ended with status %d; run its command by hand to see why",
			       hook->key, WEXITSTATUS(status));
	}
	return 0;
}

int cli_hook_run(const struct cli_hook *hook, struct err *err)
{
	char account[FACT_SIZE], count[FACT_SIZE], status[FACT_SIZE], changes[PATH_SIZE];
	char *const facts[FACTS] = {account, count, status, changes};
	pid_t pid;

	if (!hook->command) {
		return 0;
	}
	snprintf(account, sizeof(account), "MAILSYNC_ACCOUNT=%s", hook->account);
	snprintf(count, sizeof(count), "MAILSYNC_NEW=%" PRIu64, hook->new_messages);
	snprintf(status, sizeof(status), "MAILSYNC_STATUS=%d", hook->status);
	snprintf(changes, sizeof(changes), "MAILSYNC_CHANGES=%s",
		 hook->changes ? hook->changes : "");
	char **environment = environment_create(facts);
	if (!environment) {
		return err_nomem(err);
	}
	const struct command_ends ends = {
		.in = COMMAND_NULL, .out = COMMAND_STDERR, .errors = COMMAND_STDERR};
	int errnum = command_start(hook->command, &ends, environment, &pid);
	free(environment);
	if (errnum != 0) {
		return err_set_errno(err, ERR_PARTIAL, SCOPE_ACCOUNT, errnum,
				     "%s cannot be started", hook->key);
	}
	return hook_wait(hook, pid, err);
}
