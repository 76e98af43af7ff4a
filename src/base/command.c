#define _GNU_SOURCE /* pipe2 */
#include "mailsync/base/command.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stddef.h>
#include <unistd.h>

extern char **environ;

/* We ignore SIGPIPE, which exec would hand on; a shell pipeline counts on it. */
static int set_attributes(posix_spawnattr_t *attributes, bool leads_group)
{
	sigset_t defaults, unblocked;

	(void)sigemptyset(&unblocked);
	(void)sigemptyset(&defaults);
	(void)sigaddset(&defaults, SIGPIPE);
	int errnum = posix_spawnattr_setsigdefault(attributes, &defaults);
	if (errnum == 0) {
		errnum = posix_spawnattr_setsigmask(attributes, &unblocked);
	}
	if (errnum == 0) {
		errnum = posix_spawnattr_setpgroup(attributes, 0);
	}
	if (errnum == 0) {
		int group = leads_group ? POSIX_SPAWN_SETPGROUP : 0;
		errnum = posix_spawnattr_setflags(
			attributes,
			(short)(POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK | group));
	}
	return errnum;
}

static int redirect(posix_spawn_file_actions_t *actions, const struct command_ends *ends)
{
	int errnum;

	if (ends->in == COMMAND_NULL) {
		errnum = posix_spawn_file_actions_addopen(actions, STDIN_FILENO, "/dev/null",
							  O_RDONLY, 0);
	} else {
		errnum = posix_spawn_file_actions_adddup2(actions, ends->in, STDIN_FILENO);
	}
	if (errnum == 0) {
		errnum = posix_spawn_file_actions_adddup2(
			actions, ends->out == COMMAND_STDERR ? STDERR_FILENO : ends->out,
			STDOUT_FILENO);
	}
	if (errnum == 0 && ends->errors != COMMAND_STDERR) {
		errnum = posix_spawn_file_actions_adddup2(actions, ends->errors, STDERR_FILENO);
	}
	return errnum;
}

int command_start(const char *text, const struct command_ends *ends, char *const *environment,
		  pid_t *pid)
{
	char shell[] = "sh", option[] = "-c";
	char *const arguments[] = {shell, option, (char *)text, NULL};
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;

	int errnum = posix_spawn_file_actions_init(&actions);
	if (errnum != 0) {
		return errnum;
	}
	errnum = posix_spawnattr_init(&attributes);
	if (errnum != 0) {
		goto out_actions;
	}
	errnum = set_attributes(&attributes, ends->leads_group);
	if (errnum == 0) {
		errnum = redirect(&actions, ends);
	}
	if (errnum == 0) {
		errnum = posix_spawn(pid, "/bin/sh", &actions, &attributes, arguments,
				     environment ? environment : environ);
	}
	(void)posix_spawnattr_destroy(&attributes);
out_actions:
	(void)posix_spawn_file_actions_destroy(&actions);
	return errnum;
}

int command_pipe(int ends[2])
{
#ifdef __linux__
	return pipe2(ends, O_CLOEXEC) == 0 ? 0 : errno;
#else
	if (pipe(ends) != 0) {
		return errno;
	}
	(void)fcntl(ends[0], F_SETFD, FD_CLOEXEC);
	(void)fcntl(ends[1], F_SETFD, FD_CLOEXEC);
	return 0;
#endif
}

int command_read(const char *text, int *out, int *errors, pid_t *pid)
{
	int outs[2];
	int errs[2] = {-1, COMMAND_STDERR};
	int errnum = command_pipe(outs);

	if (errnum != 0) {
		return errnum;
	}
	if (errors && (errnum = command_pipe(errs)) != 0) {
		goto close_outs;
	}
	const struct command_ends ends = {.in = COMMAND_NULL,
					  .out = outs[1],
					  .errors = errs[1],
					  .leads_group = errors != NULL};
	errnum = command_start(text, &ends, NULL, pid);
	if (errors) {
		(void)close(errs[1]);
		(void)fcntl(errs[0], F_SETFL, O_NONBLOCK);
		*errors = errs[0];
	}
	if (errnum == 0) {
		(void)close(outs[1]);
		*out = outs[0];
		return 0;
	}
	if (errors) {
		(void)close(errs[0]);
	}
close_outs:
	(void)close(outs[0]);
	(void)close(outs[1]);
	return errnum;
}
