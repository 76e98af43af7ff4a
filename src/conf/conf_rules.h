/* What one account's keys have to be together. Each finding is a complaint with its line. */
#ifndef MAILSYNC_CONF_RULES_H
#define MAILSYNC_CONF_RULES_H

#include "mailsync/conf/conf.h"
#include "conf_draft.h"

/* Complains of a second way to the same secret in a section. */
void conf_rules_check_rivals(struct conf_source *source, size_t section);
/* All rules, that one too. */
void conf_rules_check(struct conf_draft *draft);
/* Those between accounts, once all are read. */
void conf_rules_check_accounts(struct conf_source *source, const struct conf *conf);

#endif
