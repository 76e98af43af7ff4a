/*
 * One account's run: what its steps share. The steps, in order (run.c calls them):
 *
 *   ownership   does the Maildir belong to this account and this database?
 *   mailboxes       which mailboxes there are on each side and in base; create, remove, rename
 *   observe     local and remote deltas become rows (what was seen is durable before anything is
 *               planned)
 *   pair        unknown files and unknown messages that are the same are joined
 *   move        files that moved between folders become moves on the server, and the other way
 *               round
 *   plan        rows become operations (pure), the brake is applied
 *   execute     operations are carried out mailbox by mailbox; what changed on the server is
 *               observed again
 *
 * Threads: a run is prepared and planned by one thread; execute may use several, each with its own
 * connection (bulk_worker.h); `run->mutex` guards the report.
 */
#ifndef SYNC_RUN_RUN_H
#define SYNC_RUN_RUN_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "mailsync/base/file.h"
#include "mailsync/state/state.h"
#include "mailsync/store/imap.h"
#include "mailsync/store/maildir.h"
#include "mailsync/sync/sync.h"

#include "rules/message.h"

struct mailbox {
	char *name; /* canonical */
	char *wire; /* NULL: not on the server */
	struct state_mailbox base;
	bool in_base;
	bool in_local;
	bool in_remote;       /* and can be selected */
	bool is_unsubscribed; /* there, but `subscribed_only` leaves it out */
	unsigned attributes;  /* IMAP_LIST_* */
	bool has_counts;      /* LIST or STATUS told these: */
	uint32_t messages;
	uint32_t uidnext;
	uint32_t uidvalidity;
	uint64_t modseq;
	bool has_uidvalidity; /* uidvalidity and uidnext were asked for by opening it */
	char *mailboxid;

	bool is_left_out; /* the command line names others */
	bool is_excluded; /* not part of this run (failed, not to be created, ...) */
	enum side
		remove; /* SIDE_LOCAL or SIDE_REMOTE: gone on the other side, to be removed here */
	bool was_created;   /* in this run, on either side */
	bool is_unreadable; /* its folder: what went from there cannot be told in this run */
	bool scanned;       /* the local delta was taken in this run */
	bool local_changed; /* and it found something */
	bool viewed;        /* the remote delta was taken in this run */
	bool is_read_only;  /* the server says so */
	bool needs_view;
	bool put_off;         /* the server was too busy to open it: worth a second try */
	bool was_put_off;     /* which it has had */
	bool lacks_rows;      /* UID SEARCH told of messages that nothing else did */
	bool needs_listing;   /* counts did not fit: UID SEARCH has to tell what is gone */
	uint64_t seen_modseq; /* numbers of the view that did not fit, to be stored once it does */
	uint32_t seen_uidnext;
	bool needs_pairing;
	bool pair_everything; /* no base for it: every unknown file may be a message of the
			       * server */
	bool was_paired;      /* with all its files, which may bear names as we give them */
	bool has_new_rows;    /* seen since its last job */
	size_t failures;      /* of its jobs in this run: it is looked at again next time */
	bool has_intents;
	bool brake_local;
	bool brake_remote;
	bool remote_touched;    /* our commands changed it: look at its numbers again */
	uint64_t agreed_before; /* the brake's measure, once known */
	bool agreed_known;
	struct maildir_folder *dir; /* open while worked on; NULL otherwise */
	struct sync_counts counts;
	bool has_news; /* something for the report */
};

struct mailboxes {
	struct mailbox *items; /* sorted by name */
	size_t count;
};

struct run {
	const struct account *account;
	const struct sync_options *options;
	struct report *report;
	struct log *log;
	pthread_mutex_t mutex;

	/* the policy in force: the keys, capped by direction, --pull and --push */
	struct plan_policy policy;
	enum side create;
	enum side remove_mailboxes;
	uint64_t policy_hash;
	bool may_write_remote;
	bool may_write_local;

	struct file_lock lock;
	struct state *state;
	struct maildir *maildir;
	struct imap *imap; /* the first connection */
	struct mbname_wire wire;
	struct mailboxes mailboxes;
	bool is_known_server; /* one of its mailboxes is as base knows it (accident.h) */
	bool is_second_try;   /* the database was damaged, which showed in the first */
	bool pair_all;        /* the database is new, or not the Maildir's: delete nothing, pair */
	bool lost_power;  /* since rows were committed whose files were not durable: ownership.h */
	bool was_unclean; /* the last run did not end properly */
	bool has_generation; /* this run has claimed its generation (before its first rows) */
	bool is_moving;      /* folders changed while they were read, and went on: what is gone in
			      * one may be in another */
	bool has_unreadable; /* a folder: is_unreadable of its mailbox */
	bool brake_hit;
	int64_t backoff_ms; /* waited so far because the server asked for patience */
	bool was_put_off;   /* it asked for more than that */
	int pass;           /* of execute: 0 first; later ones only take up what was newly seen */
};

/* Connects and logs in; NUMBER, from 1, names the connection in the log. */
int run_connect(struct run *run, size_t number, struct imap **imap, struct err *err);

/* Non-zero (-ERR_INTERRUPTED) when the user asked us to stop. */
int run_check_stop(struct run *run, struct err *err);

/* SIDE_LOCAL | SIDE_REMOTE: what `direction` lets be changed, --pull and --push left aside. */
enum side run_sides(const struct run *run);

/* The mailbox of a canonical name, or NULL. */
struct mailbox *run_mailbox(struct run *run, const char *name);

/* Notes a failure of one message (UID or 0) or of a mailbox (MAILBOX, or NULL: the account). Counts it
 * in the mailbox's errors. */
void run_report_error(struct run *run, struct mailbox *mailbox, uint32_t uid,
		      const struct err *err);
/* Says which mailboxes that the command line names are not there; warns when none takes part. */
void run_report_unknown(struct run *run);
/* The former for a POP3 account, whose run is over. */
void report_unknown_pop3(struct report *report, const struct sync_options *options);
/* For `status`: what the report has against each mailbox. OUTCOME and WHY: how the run ended. */
void run_store_trouble(struct run *run, int outcome, const struct err *why);
/* Takes back what was noted of MAILBOX from the report's FIRST error on: it is going to be tried
 * again. */
void run_report_forget(struct run *run, struct mailbox *mailbox, size_t first);

/* Notes one operation for --dry-run. FILE and WHY may be NULL. */
struct plan_entry {
	const char *mailbox;
	enum report_op op;
	uint32_t uid;
	const char *file;
	const char *why;
};
void run_report_plan(struct run *run, const struct plan_entry *entry);

/* True for failures that end the account (connection, disk, memory, stop), not only the mailbox. */
bool run_is_fatal(const struct err *err);

/* MAILBOX's folder, opened on first use; mailbox_release closes it. */
int mailbox_open_dir(struct run *run, struct mailbox *mailbox, struct err *err);
void mailbox_release(struct mailbox *mailbox);

/* Writes MAILBOX's base with what was seen of it (also where it exists), making it where it is new. */
int mailbox_store(struct run *run, struct mailbox *mailbox, struct err *err);

/* True for a mailbox that this run works on. */
bool mailbox_is_active(const struct mailbox *mailbox);

/* The keys, capped by direction and by this run's options. */
void run_policy_init(struct run *run);
int run_policy_hash(struct run *run, struct err *err);

#endif
