/*
 * One account's run: what its steps share. account.c has the steps and their order.
 *
 * Threads: a run is prepared and planned by one thread; its downloads may use several, each with
 * its own connection (fetch/fetch.h). `run->mutex` guards what these write in common: the report
 * and the mailboxes' counts of errors.
 */
#ifndef SYNC_RUN_RUN_H
#define SYNC_RUN_RUN_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "mailsync/base/file.h"
#include "mailsync/state/state.h"
#include "mailsync/store/remote.h"
#include "mailsync/store/maildir.h"
#include "mailsync/sync/sync.h"

#include "rules/local_rules.h"
#include "rules/mailbox_rules.h"
#include "rules/policy.h"
#include "rules/remote_rules.h"

#include "suspects.h"

/* What is there. Written by observe/ and guard/; what our own acts change is changed here, too. */
struct mailbox_seen {
	enum side in;         /* on the server: and can be selected */
	enum side untold;     /* whether it is there cannot be told in this run */
	bool is_unlisted;     /* INBOX, which the server has and does not list */
	bool is_listed_again; /* the second listing had it (M58) */
	bool is_unsubscribed; /* there, but `subscribed_only` leaves it out */
	bool is_listened_to;  /* its folder, from before the last look at it (alone.c) */
	bool is_unreadable;   /* its folder: what went from there cannot be told in this run */
	bool is_read_only;    /* the server says so */
	bool has_local_changes;
	bool has_strays;          /* told: something in its folder can be no message */
	bool lost_folder;         /* with all that was in it (brake.h, B9) */
	bool was_viewed;          /* the remote delta was taken in this run */
	bool is_window;           /* the server shows only the newest of it */
	struct told append_limit; /* the largest message that it takes, where it has its own */
	enum suspect_place place; /* what the connection ends on is not opened in this pass */
	bool has_counts;          /* LIST or STATUS told these; else only what opening it told: */
	struct numbers numbers;
	char *mailboxid;    /* owned, NULL: untold */
	enum side replaced; /* where another one bears its name now (M53, M57) */
	bool shares_id;     /* its id, or base's of it, is another one's, too (M37) */
	bool shares_known_id;
};

/* How far the look at a mailbox on the server has come. Written by observe/. */
struct mailbox_view {
	enum view_state state;
	struct view_asked asked;
	uint64_t unread;        /* of the last view */
	uint64_t unseen;        /* rows that it does not show, as was known before */
	struct told listed;     /* how many messages the last listing of all showed */
	bool is_short;          /* it could not be seen whole */
	bool was_put_off;       /* the second try, of a server too busy, was had */
	struct numbers numbers; /* MISCOUNTED: the view's, to be stored once rows fit */
};

/* What is still open. Each room writes it: whoever finds or leaves something open notes that, and
 * who settles it takes the note back. */
struct mailbox_open {
	bool has_intents;  /* acts whose outcome is not known */
	bool has_new_rows; /* seen since its last job */
	size_t failures;   /* while any is counted the next run looks at it again */
};

/* What is to be done with it. Written by whoever finds the reason. */
struct mailbox_decided {
	enum exclusion exclusion;
	enum side remove;           /* gone on the other side, to be removed here */
	bool is_to_be_made;         /* on the server; a dry run leaves it at that */
	enum side braked;           /* where the brake holds its deletions */
	struct brake_count deletes; /* those that it let pass and that are still to be done */
	enum pairing_need pairing;
	uint64_t agreed_before; /* the brake's measure of one that is to be removed */
	enum plan_shape shape;  /* of its plan, when that was last made */
};

/* What happened to it in this run. Written by the rooms that change something, for the report and
 * for what comes after. */
struct mailbox_done {
	bool was_put_off;    /* its creation: the server was too busy, worth a second try */
	bool was_made_there; /* on the server, or it said that it is there: */
	bool was_found_there;
	bool was_paired;           /* with all its files, which may bear names as we give them */
	bool was_changed_there;    /* by our commands: its numbers are to be looked at again */
	bool was_refused_together; /* an APPEND of several: from now on each goes by itself */
	bool has_news;             /* for the report, beside the counts */
	struct sync_counts counts;
};

struct mailbox {
	char *name; /* canonical */
	char *wire; /* on the server, where it is or is to be made; owned, else NULL */
	bool in_base;
	struct state_mailbox base;
	struct maildir_folder *dir; /* open while it is worked on, else NULL */
	struct mailbox_seen seen;
	struct mailbox_view view;
	struct mailbox_open open;
	struct mailbox_decided decided;
	struct mailbox_done done;
};

struct mailboxes {
	struct mailbox *items; /* sorted by name */
	size_t count;
	size_t cap;
};

/*
 * The handles, from the lock to the last logout, and what opening them told. One `sync` is a
 * session with one run; a program that watches has many runs in one session.
 */
struct session {
	const struct account *account;
	const struct sync_options *options;
	struct log *log;
	struct file_lock lock;
	struct state *state;
	struct maildir *maildir;
	struct remote *remote;       /* the first connection, and */
	struct remote_totals before; /* what it had cost when this session took it over */
	struct mbname_wire wire;
	struct suspects suspects; /* suspects.h */
	int64_t started_us;
	bool is_scratch;    /* `state` is a copy for a dry run: nothing is claimed */
	bool is_second_try; /* the database was damaged, which showed in the first */
	bool pair_all;      /* the database is new, or not the Maildir's: delete nothing, pair */
	bool lost_power;  /* with files that were not durable, though their rows were there (O8) */
	bool was_unclean; /* the last run did not end properly */
	bool has_generation; /* claimed, before the first rows (guard/guard.h) */
};

/* What is there, of the account as a whole. Written by observe/ and guard/. */
struct run_seen {
	bool is_known_server;  /* one of its mailboxes is as base knows it (guard/guard.h) */
	bool is_untold_server; /* whether it is that of base: in this pass all waits (S16) */
	bool is_moving;        /* folders changed while they were read, and went on: what is gone in
			       * one may be in another */
	bool is_list_read;     /* the server's listing: every line of it */
	bool is_list_whole;    /* and INBOX was in it */
	bool is_tree_read;     /* the Maildir's: every directory was looked into */
	bool lacks_numbers;    /* of a mailbox that base knows, before it is opened */
	bool asks_numbers;     /* they are to be asked for */
	bool begins_anew;      /* what was seen so far is to be seen anew, with these */
	bool lacks_subscriptions; /* they were not told (L6) */
	bool lacks_uses;          /* and one that is left out may have any */
	bool is_named_otherwise;  /* by another prefix or separator than is known (L5) */
	bool has_unreadable;      /* a folder: seen.is_unreadable of its mailbox */
};

/* What happened, of the account as a whole. */
struct run_done {
	bool brake_hit;
	uint64_t held;      /* by the brake: messages, and mailboxes left out */
	bool local_failed;  /* a folder could not be read: status 74 */
	bool was_put_off;   /* the server asked for more patience than this run has */
	int64_t backoff_ms; /* waited so far because it asked for some */
};

struct row_ids {
	int64_t *items;
	size_t count, cap;
};

void row_ids_sort(struct row_ids *ids);
/* Of sorted IDS. */
bool row_ids_has(const struct row_ids *ids, int64_t id);

struct plan;
struct pop3_job;

/* One run over an account: what one sync knows. */
struct run {
	struct session *session;
	const struct account *account; /* the session's, as are these: */
	const struct sync_options *options;
	struct log *log;
	struct report *report;
	pthread_mutex_t mutex; /* see above */
	struct run_policy policy;
	struct mailboxes mailboxes;
	struct run_seen seen;
	struct state_uses uses; /* of the server's mailboxes, as LIST tells, or told last */
	struct plan *plan;      /* plan/plan.h */
	struct pop3_job *pop3;  /* pop3/pop3_private.h; NULL for IMAP */
	struct run_done done;
	struct row_ids restored; /* of a restore: the rows that it sends, sorted */
	int64_t number;          /* of all runs its own: when it began, nanoseconds since 1970 */
	int round; /* of act_on_plan: 0 first; later ones only take up what was newly seen */
};

/* ACCOUNT and OPTIONS are borrowed for as long as the session lasts, which begins now. Nothing is
 * opened yet. */
void session_init(struct session *session, const struct account *account,
		  const struct sync_options *options);
/* Drops the connection, closes the rest and gives the lock back. */
void session_finish(struct session *session);

/* A pass over SESSION's account, told of in REPORT. */
void run_init(struct run *run, struct session *session, struct report *report);
void run_finish(struct run *run);

/* Whether ACCOUNT's patterns select the mailbox NAME, which has the special uses that USES tell. */
bool uses_select(const struct state_uses *uses, const struct account *account, const char *name);
/* The same, or its special use is not known and may be one that they are for. */
bool uses_may_select(const struct state_uses *uses, const struct account *account,
		     const char *name);
/* Into USES: what FOUND tells now, by the names that its mailboxes have here. */
int uses_learn(struct state_uses *uses, const struct remote_mailboxes *found, struct err *err);
/* Notes what was learned. */
int run_uses_note(struct run *run, struct err *err);
/* Those of the mailbox NAME, among REMOTE_USES. */
unsigned run_uses_of(const struct run *run, const char *name);
/* As uses_select, */
bool run_selects(const struct run *run, const char *name);
/* for a special use alone, */
bool run_selects_by_use(const struct run *run, const char *name);
/* and as uses_may_select. */
bool run_may_select(const struct run *run, const char *name);
/* The command line names the mailbox NAME, or none. */
bool run_names(const struct run *run, const char *name);

void mailbox_finish(struct mailbox *mailbox);
/* Forgets all mailboxes of the run. */
void mailboxes_finish(struct run *run);

/* A step of a run; the tables of them are its order. */
enum step_kind {
	STEP_LOOKS,  /* changes nothing but rows: in a dry run these are a scratch copy */
	STEP_ACTS,   /* left out of a dry run */
	STEP_DRY_RUN /* only in a dry run */
};
struct step {
	const char *name; /* for the log */
	int (*take)(struct run *run, struct err *err);
	enum step_kind kind;
};
/* Takes one after another, up to the first that fails. */
int run_take_steps(struct run *run, const struct step *steps, size_t count, struct err *err);

/* ACCOUNT's file in the directory of states that ends in SUFFIX: ".db", ".lock". */
void account_path(const struct account *account, const struct sync_options *options,
		  const char *suffix, char path[FILE_PATH_SIZE]);

/* Connects and logs in; NUMBER, from 1, names the connection in the log. */
int account_connect(const struct account *account, const struct sync_options *options,
		    size_t number, struct remote **remote, struct err *err);
int run_connect(struct run *run, size_t number, struct remote **remote, struct err *err);

/* A restore is to leave ROW, a file that the server lacks, where it is. */
bool run_leaves(const struct run *run, const struct row *row);

/* Non-zero (-ERR_INTERRUPTED) when the user asked us to stop. */
int run_check_stop(struct run *run, struct err *err);

/* The mailbox of NAME, put into the table at its place where it is new, without part in the run
 * where the command line names others. NULL: no memory. The table may move. */
struct mailbox *run_mailbox_add(struct run *run, const char *name, struct err *err);
/* The mailbox of a canonical name, or NULL. */
struct mailbox *run_mailbox(struct run *run, const char *name);
/* That of base's ID, or NULL. */
struct mailbox *run_mailbox_by_id(const struct run *run, int64_t id);

/* Notes a failure of one message (UID or 0) or of a mailbox (MAILBOX, or NULL: the account). Counts
 * it in the mailbox's errors. */
void run_report_error(struct run *run, struct mailbox *mailbox, uint32_t uid,
		      const struct err *err);
/* The same of what the brake holds, HELD messages: no error, nothing failed. */
void run_report_held(struct run *run, const struct mailbox *mailbox, uint64_t held,
		     const struct err *err);
/* What the brake said so far is a matter of the sync that is looked ahead at. */
void run_report_drop_held(struct run *run);
/* Says which mailboxes that the command line names are not there; warns when none takes part. */
void run_report_unknown(struct run *run);
/* Writes what the report has against each mailbox into the state, for `status`. OUTCOME and WHY:
 * how the run ended. */
void run_store_trouble(struct run *run, int outcome, const struct err *why);
/* Takes back what was noted of MAILBOX from the report's FIRST error on: it is going to be tried
 * again. */
void run_report_forget(struct run *run, struct mailbox *mailbox, size_t first);
/* All that was noted: all is going to be. */
void run_report_begin_anew(struct run *run);

/* At the end of a pass: what each of its mailboxes has to say goes into the report. */
int run_report_pass(struct run *run, struct err *err);
/* After a run that ended with CODE and ERR: what each of its mailboxes has to say and their sum,
 * the exit status, the time since run_init. Returns CODE, or a failure of its own in its place. */
int run_outcome(struct run *run, int code, struct err *err);
/*
 * What is worth a word (rules/silence_rules.h): into the report of a run that ended with OUTCOME,
 * whose status it has, and into base for the runs to come.
 */
void silence_note(struct run *run, int outcome);
/* A temporary failure, whatever of: *IS_BORNE. */
int silence_note_failure(struct state *state, int64_t patience_s, bool *is_borne, struct err *err);
/* What the report says of the brake was read. */
int silence_held_heard(struct state *state, struct err *err);
/* Adds what a connection cost. */
void run_add_totals(struct run *run, const struct remote_totals *totals);

/* Notes one operation for --dry-run. FILE and WHY may be NULL. */
struct plan_entry {
	const char *mailbox;
	enum report_op op;
	uint32_t uid;
	uint64_t size_bytes; /* of what is copied; 0: unknown */
	const char *file;
	const char *why;
};
void run_report_plan(struct run *run, const struct plan_entry *entry);
/* What an earlier pass planned and, in a dry run, did not do is planned again by the next one. */
void run_report_forget_plan(struct run *run);

/* True for failures that end the account (connection, disk, memory, stop), not only the mailbox.
 * One file that cannot be read ends nothing. */
bool run_is_fatal(const struct err *err);
/* The same where one folder of the Maildir is worked on: there ERR_LOCAL may mean no more than that
 * this folder cannot be read, so only what the failure itself says of its scope counts. */
bool run_is_fatal_in_folder(const struct err *err);
/* CODE, of what was done for MAILBOX: passed on where it is 0 or fatal. Else it is reported, and 0;
 * *FAILURES, which may be NULL, counts it. */
int run_outlives(struct run *run, struct mailbox *mailbox, int code, size_t *failures,
		 const struct err *err);

/*
 * When a server asks for patience ([THROTTLED], [LIMIT], [UNAVAILABLE], "Suggested Backoff Time: N
 * milliseconds"): it is waited for as told, for at most the account's timeout in all of a run, and
 * then the mailbox's step is tried once more (*AGAIN). Where that is not enough, which is noted,
 * the run goes on with the other mailboxes and ends with status 75.
 */
int backoff_wait(struct run *run, struct remote *remote, bool *again, struct err *err);
/* What was asked for and not waited for so far counts as put off. */
void backoff_note(struct run *run, struct remote *remote);

/* MAILBOX's folder, opened on first use; mailbox_release closes it. */
int mailbox_open_dir(struct run *run, struct mailbox *mailbox, struct err *err);
/* The same, a handle of the caller's own. */
int mailbox_open_folder(struct run *run, const struct mailbox *mailbox,
			struct maildir_folder **folder, struct err *err);
void mailbox_release(struct mailbox *mailbox);

/*
 * Whether this run alone changes a folder (alone.c): begin, before it is looked at; or as_known,
 * before it is changed, where it stands as base knows it. conclude, when all is done and well:
 * what was proven spares the next run a look.
 */
int alone_begin(struct run *run, struct mailbox *mailbox, struct err *err);
int alone_begin_as_known(struct run *run, struct mailbox *mailbox, struct err *err);
int alone_conclude(struct run *run, struct err *err);

/* Writes MAILBOX's base with what was seen of it (also where it exists), making it where it is new.
 */
int mailbox_store(struct run *run, struct mailbox *mailbox, struct err *err);

/* The name that one has while it gives its own to another (M54): another mailbox, which is not on
 * the server. NAME has room for it. */
#define MAILBOX_ASIDE_SIZE 48
void mailbox_name_aside(const struct mailbox *mailbox, char name[MAILBOX_ASIDE_SIZE]);
bool mailbox_is_aside(const char *name);

/* True for a mailbox that this run works on. */
bool mailbox_is_active(const struct mailbox *mailbox);
/* What the rules for mailboxes go by, but for what lies in the place of its folder. */
struct mailbox_facts mailbox_facts(const struct run *run, const struct mailbox *mailbox);
/* Into SEEN: what COUNTS tell. */
void mailbox_take_counts(struct mailbox_seen *seen, const struct remote_counts *counts);
/* It takes no part from now on. The first reason stays. */
void mailbox_exclude(struct mailbox *mailbox, enum exclusion reason);

#endif
