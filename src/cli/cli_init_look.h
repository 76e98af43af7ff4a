/*
 * Who knows the servers of an address: the providers by its domain, then by its mail exchangers,
 * then the domain itself.
 *
 *     cli_look_init(&look, &address, conf, log)
 *     cli_look_run(&look, &section, &err)     fills in what was found, which lives with LOOK
 *     cli_look_finish(&look)
 */
#ifndef MAILSYNC_CLI_INIT_LOOK_H
#define MAILSYNC_CLI_INIT_LOOK_H

#include "mailsync/base/buf.h"
#include "mailsync/base/log.h"
#include "mailsync/conf/conf.h"
#include "mailsync/conf/provider.h"
#include "mailsync/discover/discover.h"
#include "cli_address.h"
#include "cli_section.h"

struct cli_look {
	const struct cli_address *address;
	const struct providers *own; /* of the configuration */
	struct log *log;
	struct discover discover;
	struct discover_found found;
	struct discover_offer offer;
	struct buf source;
	struct err trouble; /* why the server that was found could not be asked */
};

void cli_look_init(struct cli_look *look, const struct cli_address *address,
		   const struct conf *conf, struct log *log);
void cli_look_finish(struct cli_look *look);
/* Success whatever was found: nothing, where SECTION has neither a provider nor a server. */
int cli_look_run(struct cli_look *look, struct cli_section *section, struct err *err);

#endif
