/*
 * What the sync engine needs to know of an account: the checked configuration in the engine's own
 * terms. `sync` may not use `conf`; cli translates (cli_account.c). All strings are borrowed and
 * outlive the run.
 */
#ifndef MAILSYNC_SYNC_ACCOUNT_H
#define MAILSYNC_SYNC_ACCOUNT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mailsync/base/secret.h"
#include "mailsync/base/side.h"
#include "mailsync/model/server.h"
#include "mailsync/store/maildir.h"

enum account_leave {
	LEAVE_YES,
	LEAVE_NO,
	LEAVE_AGE
};
enum account_keywords {
	KEYWORDS_NO, /* what they are on either side changes nothing on the other */
	KEYWORDS_YES,
	KEYWORDS_PULL /* they come; what happens to letters changes nothing on the server */
};

enum account_direction {
	DIRECTION_BOTH,
	DIRECTION_PULL,
	DIRECTION_PUSH
};

struct account {
	const char *name;
	bool is_pop3;
	struct server server;          /* where and how to connect and log in */
	struct maildir_params maildir; /* .log is set by the engine */
	int connections;
	const char *const *patterns; /* `mailboxes` */
	size_t pattern_count;
	bool subscribed_only;
	enum account_direction direction;
	enum side copy; /* SIDE_LOCAL | SIDE_REMOTE as configured, not yet capped by direction */
	enum side flags;
	enum side delete_;
	enum side expunge;
	enum side create;
	enum side remove_mailboxes;
	const char *trash; /* canonical name or "\\Trash"; NULL none */
	uint64_t max_message_size;
	int64_t max_age_s;
	unsigned max_delete_percent;
	enum account_keywords keywords;
	enum account_leave leave_on_server;
	int64_t leave_age_s;
	int64_t patience_s; /* how long temporary failures are borne */
};

#endif
