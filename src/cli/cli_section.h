/*
 * The section of a configuration that `init` makes of what was found, with the source of each fact
 * as a comment. What it is made of was checked before: one line each, no control characters. Pure.
 */
#ifndef MAILSYNC_CLI_CLI_SECTION_H
#define MAILSYNC_CLI_CLI_SECTION_H

#include <stdbool.h>

#include "mailsync/base/buf.h"
#include "mailsync/conf/provider.h"
#include "mailsync/discover/discover.h"
#include "cli_address.h"

struct cli_section {
	const char *name; /* of the account */
	const struct cli_address *address;
	const char *folder; /* of the configuration file, as keys name it */
	const char *source; /* how PROVIDER was found: "by the domain gmail.com" */

	/* A row of the table or a section [provider NAME]; or NULL, and then there is SERVER, which
	 * may stand beside one that runs it, too. */
	const struct provider *provider;
	bool is_own;    /* PROVIDER is a section of the file */
	bool is_by_dns; /* it was found by what the DNS says of another domain than its own */
	const struct discover_server *server;
	const struct discover_offer *offer; /* NULL: it was not heard */
	const char *trouble;                /* why not */
	const struct discover_found *found; /* with what PACC told */
};

bool cli_section_is_pop3(const struct cli_section *section);
const char *cli_section_host(const struct cli_section *section);
const char *cli_section_user(const struct cli_section *section);
/* The authorization server that PACC names, where it is of use; else NULL. */
const char *cli_section_issuer(const struct cli_section *section);
/* Its host is not below the address's domain. */
bool cli_section_issuer_is_outside(const struct cli_section *section);
/* True where one signs in by OAuth2; else a password is to be put into its file. */
bool cli_section_signs_in(const struct cli_section *section);
void cli_section_append_password_file(const struct cli_section *section, struct buf *out);
void cli_section_write(const struct cli_section *section, struct buf *out);
/* What is to be filled in where nothing was found: all of it comments. */
void cli_section_write_empty(const struct cli_section *section, struct buf *out);

#endif
