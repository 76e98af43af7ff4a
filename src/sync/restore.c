/* `restore`: a run of the account whose policy lets it do one thing. */
#include "mailsync/sync/restore.h"

#include <stdio.h>
#include <stdlib.h>

#include "mailsync/base/digest.h"
#include "mailsync/base/file.h"

#include "rules/policy.h"
#include "run/run.h"

/* New files go there, into mailboxes that are made where they are gone; nothing else happens. */
static struct account account_of(const struct account *account, const char *from)
{
	struct account own = *account;
	own.direction = DIRECTION_PUSH;
	own.copy = SIDE_REMOTE;
	own.create = SIDE_REMOTE;
	own.flags = SIDE_NONE;
	own.delete_ = SIDE_NONE;
	own.expunge = SIDE_NONE;
	own.remove_mailboxes = SIDE_NONE;
	own.max_message_size = 0;
	own.max_age_s = 0;
	own.maildir.root = from != NULL ? from : account->maildir.root;
	return own;
}

/* Another tree has a state of its own, so that sending it may be interrupted, too. */
static int state_of(const char *from, const char *state_dir, char path[FILE_PATH_SIZE],
		    struct err *err)
{
	uint8_t digest[DIGEST_MAX_SIZE];
	char hex[2 * DIGEST_MAX_SIZE + 1];
	struct buf real;
	buf_init(&real, FILE_PATH_SIZE);
	int code = file_real_path(from, &real, err);
	if (code == 0 && (code = digest_of(DIGEST_SHA256, buf_span(&real), digest, err)) == 0) {
		hex_encode(digest, digest_size(DIGEST_SHA256), hex);
		snprintf(path, FILE_PATH_SIZE, "%s/restored-%.16s", state_dir, hex);
	}
	buf_finish(&real);
	return code;
}

int sync_restore(const struct account *account, const struct sync_options *options,
		 const struct restore_options *restore, struct report *report, struct err *err)
{
	const struct account own = account_of(account, restore->from);
	const struct restore_wanted wanted = {
		.all = restore->all,
		.since = restore->since,
		.is_foreign = restore->from != NULL,
		.is_archive = policy_is_archive(account),
	};
	struct sync_options used = *options;
	char state_dir[FILE_PATH_SIZE];
	int code;
	used.restore = &wanted;
	if (account->is_pop3) {
		return err_set(err, ERR_USAGE, SCOPE_ACCOUNT, "a POP3 server takes no messages");
	}
	if (restore->from != NULL) {
		if ((code = state_of(restore->from, options->state_dir, state_dir, err)) < 0) {
			return code;
		}
		used.state_dir = state_dir;
	}
	return sync_account(&own, &used, report, err);
}

void restore_days_finish(struct restore_days *days)
{
	for (size_t i = 0; i < days->count; i++) {
		free(days->items[i].mailbox);
		free(days->items[i].day);
	}
	free(days->items);
	*days = (struct restore_days){0};
}

/* Takes the strings of MISSED over. */
static int take_days(struct state_missed *missed, struct restore_days *days, struct err *err)
{
	days->items = calloc(missed->count + 1, sizeof(*days->items));
	if (days->items == NULL) {
		return err_nomem(err);
	}
	for (; days->count < missed->count; days->count++) {
		struct state_missed_day *day = &missed->items[days->count];
		days->items[days->count] = (struct restore_day){
			.mailbox = day->mailbox,
			.day = day->day,
			.messages = day->messages,
			.bytes = day->bytes,
		};
		day->mailbox = NULL;
		day->day = NULL;
	}
	return 0;
}

int sync_missed(const struct account *account, const struct sync_options *options,
		struct restore_days *days, struct err *err)
{
	char path[FILE_PATH_SIZE];
	struct state *state = NULL;
	struct state_missed missed = {0};
	int code;
	account_path(account, options, ".db", path);
	if ((code = state_open(&state, path, STATE_READ, err)) == 0 &&
	    (code = state_missed_load(state, &missed, err)) == 0) {
		code = take_days(&missed, days, err);
	}
	state_missed_finish(&missed);
	state_close(&state);
	return code;
}
