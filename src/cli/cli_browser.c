#include "cli_browser.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mailsync/base/buf.h"
#include "mailsync/base/command.h"

#define COMMAND_MAX 16384

static bool is_set(const char *name)
{
	const char *value = getenv(name);

	return value && *value;
}

enum cli_browser cli_browser_kind(void)
{
	if (is_set("SSH_CONNECTION") || is_set("SSH_CLIENT") || is_set("SSH_TTY")) {
		return CLI_BROWSER_SSH;
	}
#ifndef __APPLE__
	if (!is_set("DISPLAY") && !is_set("WAYLAND_DISPLAY")) {
		return CLI_BROWSER_NONE;
	}
#endif
	return CLI_BROWSER_HERE;
}

/* The first of the commands in $BROWSER, which colons separate; "%s" in it is the address. */
static void write_command(const char *url, struct buf *command)
{
	const char *browser = is_set("BROWSER") ? getenv("BROWSER") : "xdg-open";
	size_t len = strcspn(browser, ":");
	const char *mark = strstr(browser, "%s");

	if (mark && mark < browser + len) {
		buf_append(command, browser, (size_t)(mark - browser));
		buf_printf(command, "'%s'", url);
		buf_append(command, mark + 2, (size_t)(browser + len - mark - 2));
	} else {
		buf_append(command, browser, len);
		buf_printf(command, " '%s'", url);
	}
}

void cli_browser_open(const char *url)
{
	struct buf command;
	int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
	const struct command_ends ends = {COMMAND_NULL, nowhere, nowhere, true};
	pid_t pid;

	buf_init(&command, COMMAND_MAX);
	/* The shell goes away at once, so that nobody has to wait for the browser. */
	buf_append_char(&command, '(');
	write_command(url, &command);
	buf_append_cstr(&command, ") &");
	if (nowhere >= 0 && command.failed == 0 &&
	    command_start(command.data, &ends, NULL, &pid) == 0) {
		(void)waitpid(pid, NULL, 0);
	}
	buf_finish(&command);
	if (nowhere >= 0) {
		(void)close(nowhere);
	}
}
