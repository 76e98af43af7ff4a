/*
 * One POP3 account's run: what sync.h promises for accounts with is_pop3. It is a run like one over
 * IMAP but for its steps: the tables of pop3_run.c, two for the run, one for each session.
 *
 * Gmail lists only some messages a session, so its sessions are repeated until one brings nothing.
 */
#ifndef SYNC_POP3_POP3_RUN_H
#define SYNC_POP3_POP3_RUN_H

#include "mailsync/base/err.h"
#include "mailsync/base/strlist.h"
#include "mailsync/sync/sync.h"

#include "run/run.h"

/* Its account went through pop3_account_of(). INBOX is the run's one mailbox afterwards. */
int pop3_run(struct run *run, struct err *err);
/* `list` and `check`: INBOX into LISTING; where that is NULL, what there is to tell into LINES. */
int pop3_inspect(const struct account *account, const struct sync_options *options,
		 struct listing *listing, struct strlist *lines, struct err *err);

/*
 * `verify`: what the maildrop has of base, by the looks of a session; nothing is decided, and
 * nothing done. `run->pop3` is there from begin, where that is well, to end.
 */
int pop3_look_begin(struct run *run, struct mailbox *inbox, struct err *err);
void pop3_look_end(struct run *run, bool is_well);

struct pop3_looked {
	bool is_partial; /* the server lists only some messages a session */
	uint64_t known;  /* rows whose messages it lists */
	uint64_t news;   /* what the next sync fetches, or remembers */
	/* It does not tell which messages these are, or the connection ends on them. */
	uint64_t unknown;
};
struct pop3_looked pop3_look_sum(const struct run *run);

/* Of each message of a row that is listed, and WANTED: begin, data and end; or refused. */
struct pop3_reader {
	void *context;
	bool (*wants)(void *context, const struct pop3_row *row);
	int (*begin)(void *context, const struct pop3_row *row, struct err *err);
	int (*data)(void *context, struct span data, struct err *err);
	/* IS_WHOLE: as far as the server tells. */
	int (*end)(void *context, const struct pop3_row *row, bool is_whole, struct err *err);
	int (*refused)(void *context, const struct pop3_row *row, struct span words,
		       struct err *err);
};
/* RETR, many in flight. */
int pop3_look_read(struct run *run, const struct pop3_reader *reader, struct err *err);

#endif
