/* The files of certificate authorities that accounts name, each read once. A file that cannot be
 * read is left to the connection, which then says why. */
#ifndef MAILSYNC_CLI_TRUST_H
#define MAILSYNC_CLI_TRUST_H

#include <stddef.h>

#include "mailsync/base/trust.h"

struct cli_trust_file {
	const char *path;
	struct trust *trust; /* NULL: it could not be read */
};

struct cli_trusts {
	struct cli_trust_file *items;
	size_t count, cap;
};

/* PATH, which is borrowed; NULL: the system's. */
const struct trust *cli_trusts_get(struct cli_trusts *trusts, const char *path);
void cli_trusts_finish(struct cli_trusts *trusts);

#endif
