/* What `init` finds in the configuration that it is to add to.
 *
 *     cli_there_read, then the others, cli_there_finish; finish in any case
 */
#ifndef MAILSYNC_CLI_THERE_H
#define MAILSYNC_CLI_THERE_H

#include "mailsync/conf/conf.h"
#include "cli_init_next.h"
#include "cli_options.h"

struct cli_there {
	struct cli_place place;
	struct conf *conf; /* without accounts where there is none yet */
	bool is_said;      /* what is wrong with it */
};

/* THERE is zeroed before. */
int cli_there_read(struct cli_there *there, const struct cli_options *options, struct err *err);
void cli_there_finish(struct cli_there *there);
/* It has an account of that NAME, in whatever case: files are named after accounts. */
bool cli_there_has(const struct cli_there *there, const char *name);
/* Its account for the same mailbox, or NULL. HOST and USER may be NULL. */
const struct conf_account *cli_there_twin(const struct cli_there *there, const char *host,
					  const char *user);
/* TWIN is there, so nothing is written. */
int cli_there_refuse(const struct cli_there *there, const struct conf_account *twin,
		     struct err *err);
void cli_there_say(const struct conf_account *twin);

#endif
