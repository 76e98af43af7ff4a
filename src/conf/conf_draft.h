/* One account being read: its own keys, and those of the sections behind it. */
#ifndef MAILSYNC_CONF_DRAFT_H
#define MAILSYNC_CONF_DRAFT_H

#include <stdbool.h>

#include "mailsync/conf/conf.h"
#include "conf_source.h"

#define CONF_NO_SECTION ((size_t)-1)

/* An account as far as it could be read. */
struct conf_draft {
	struct conf_source *source;
	struct conf_account *account;
	const struct providers *providers; /* of the file */
	size_t section;
	size_t defaults; /* sections behind it; CONF_NO_SECTION: none */
	size_t provider;
	bool bad_keys[CONF_KEYS_MAX]; /* by row: its value was no good and is complained of */
};

/* Makes all fields empty without looking at what they held. */
void conf_account_init(struct conf_account *account);
void conf_account_finish(struct conf_account *account);

/* Reads the account of the draft's section, an initialised one. Complaints go to the source. */
int conf_draft_read(struct conf_draft *draft, struct err *err);
/* Complains of bad values in [defaults] once, whatever accounts there are. */
int conf_draft_check_defaults(struct conf_source *source, const struct providers *providers,
			      size_t defaults, struct err *err);
/* The entry of the key NAME in the draft's own section, else in [defaults]; NULL: in neither. */
const struct conf_entry *conf_draft_find(const struct conf_draft *draft, const char *name);

#endif
