/* Where the configuration is, as `init` names it, and what to do with a section next. */
#ifndef MAILSYNC_CLI_INIT_NEXT_H
#define MAILSYNC_CLI_INIT_NEXT_H

#include <stdbool.h>

#include "mailsync/base/buf.h"
#include "mailsync/base/err.h"
#include "cli_section.h"

struct cli_place {
	const char *option; /* of --config; NULL: not given */
	char *path;
	char *folder; /* as keys name it: "~/.config/mailsync" */
};

int cli_place_find(struct cli_place *place, const char *option, struct err *err);
void cli_place_finish(struct cli_place *place);

/* What comes next, line by line: where the section goes, a command of ours, how to put a password
 * into FILE, which may want its FOLDER made. */
void cli_next_begin(struct buf *out, const struct cli_place *place, bool is_written);
void cli_next_command(struct buf *out, const struct cli_place *place, const char *command,
		      const char *account);
void cli_next_password(struct buf *out, const char *folder, const char *file);

/* Says on standard error what comes next. */
void cli_init_next(const struct cli_place *place, const struct cli_section *section,
		   bool is_written);

#endif
