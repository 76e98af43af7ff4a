/* Values: from the text of an entry to the field of its key. */
#ifndef MAILSYNC_CONF_VALUE_H
#define MAILSYNC_CONF_VALUE_H

#include "mailsync/base/err.h"
#include "conf_keys.h"

/*
 * Reads TEXT as KEY's type into its field of BASE (a struct conf_account, or struct conf for keys
 * of [defaults] alone); what the field held is freed. An empty text unsets a field that can be
 * unset. On -ERR_CONFIG the sentence says what would be good, without naming the key, and
 * never quotes a secret; the field is untouched.
 */
int conf_value_read(const struct conf_key *key, const char *text, void *base, struct err *err);
/* Makes the field empty without looking at what it held. */
void conf_value_init(const struct conf_key *key, void *base);
/* Whether the field is the same in both; of a key of accounts. */
bool conf_value_same(const struct conf_key *key, const void *one, const void *two);
void conf_value_finish(const struct conf_key *key, void *base);

#endif
