/*
 * Providers of accounts, as sections: `[provider NAME]` of the file, or one that is built in, which
 * becomes a section of the source without lines (0) once an account names it. What a section gives
 * to an account depends on the account's protocol.
 */
#ifndef MAILSYNC_CONF_PROVIDER_SECTION_H
#define MAILSYNC_CONF_PROVIDER_SECTION_H

#include "mailsync/conf/conf.h"
#include "conf_source.h"

/* Complains of bad values in the sections of the file, and makes providers of them, which the
 * caller finishes. */
int conf_providers_read(struct conf_source *source, struct providers *own, struct err *err);
void conf_providers_finish(struct providers *own);

/* The section of the provider that ENTRY names. -ERR_CONFIG: there is none, a sentence with the one
 * most like it. */
int conf_provider_section(struct conf_source *source, const struct providers *own,
			  const struct conf_entry *entry, size_t *section, struct err *err);
/* The key that a provider's entry of KEY sets in an account; NULL: none. */
const struct conf_key *conf_provider_key(const struct conf_key *key, enum conf_protocol protocol);

#endif
