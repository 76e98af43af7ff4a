/* What the TLS of all accounts shares: the files of certificate authorities that they name, each
 * read once, and the sessions that further connections take up. A file that cannot be read is left
 * to the connection, which then says why. */
#ifndef MAILSYNC_CLI_TRUST_H
#define MAILSYNC_CLI_TRUST_H

#include <stddef.h>

#include "mailsync/base/trust.h"
#include "mailsync/model/server.h"
#include "mailsync/net/tls_cache.h"

struct cli_trust_file {
	const char *path;
	struct trust *trust; /* NULL: it could not be read */
};

struct cli_trusts {
	struct cli_trust_file *items;
	size_t count, cap;
	struct tls_cache *cache; /* NULL until the first is lent, or if there was no memory */
};

/* SERVER, whose ca_file is borrowed, gets what is shared; no sessions where connections are made
 * FOR_LONG: certificates end meanwhile. */
void cli_trusts_lend(struct cli_trusts *trusts, bool is_for_long, struct server *server);
/* Once no connection is left. */
void cli_trusts_finish(struct cli_trusts *trusts);

#endif
