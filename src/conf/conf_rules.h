/* What one account's keys have to be together. Each finding is a complaint with its line. */
#ifndef MAILSYNC_CONF_RULES_H
#define MAILSYNC_CONF_RULES_H

#include <stdbool.h>

#include "mailsync/conf/conf.h"
#include "conf_source.h"

/* An account as far as it could be read. */
struct conf_draft {
	struct conf_source *source;
	struct conf_account *account;
	size_t section;
	size_t defaults;              /* section; (size_t)-1: none */
	bool bad_keys[CONF_KEYS_MAX]; /* by row: its value was no good and is complained of */
};

/* Complains of a second way to the same secret in the draft's section. */
void conf_rules_check_rivals(struct conf_draft *draft);
/* All rules, that one too. */
void conf_rules_check(struct conf_draft *draft);
/* Those between accounts, once all are read. */
void conf_rules_check_accounts(struct conf_source *source, const struct conf *conf);

#endif
