/*
 * One account's run, from lock to report. cli calls it, one thread an account, and prints what
 * comes back.
 */
#ifndef MAILSYNC_SYNC_SYNC_H
#define MAILSYNC_SYNC_SYNC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mailsync/base/err.h"
#include "mailsync/base/log.h"
#include "mailsync/base/stop.h"
#include "mailsync/base/strlist.h"
#include "mailsync/sync/account.h"

struct remote;
struct remote_mailboxes;

/* What a program that stays keeps of an account from one run to the next. Zeroed there is nothing;
 * sync_keep_finish where it is no more needed. */
struct sync_keep {
	struct remote *remote; /* logged in; no mailbox is open */
};
void sync_keep_finish(struct sync_keep *keep);

/* `restore`: this run sends the server what it lacks, and does nothing else. */
struct restore_wanted {
	bool all;
	int64_t since;   /* else what is missed there since then, in seconds */
	bool is_foreign; /* the Maildir is another one than the account's own */
	bool is_archive; /* as the account's own keys say */
};

struct sync_options {
	bool dry_run;
	bool pull;
	bool push;
	bool allow_mass_delete;
	bool bring_back; /* what the brake holds is copied again; never with the one above */
	bool wait;
	bool is_watch;         /* which has time, and waits for no lock */
	bool has_terminal;     /* somebody sees what is said, and may have mended something */
	const char *state_dir; /* made where missing, 0700 */
	const struct strlist
		*only; /* canonical mailboxes named on the command line; empty: all selected ones */
	size_t slice_rows; /* of a mailbox, planned at a time (STATE_SLICE_ROWS); 0: as is good */
	bool settles_at_once; /* an act whose connection is lost is done or not: as in memory */
	const struct restore_wanted *restore; /* NULL: this is no restore */
	struct sync_keep *keep; /* NULL: nothing is kept; ACCOUNT then outlives it, too */
	/* Where flags may have changed on a server without modification sequences (by `wire`, which
	 * is all that is looked at): the other mailboxes are opened only for what else there is to
	 * do in them, and the report says how many were not. NULL: anywhere. */
	const struct remote_mailboxes *flags_told;
	struct log *log;
	const stop_flag *stop; /* set non-zero by a signal handler */
};

struct sync_counts {
	uint64_t downloaded;
	uint64_t uploaded;
	uint64_t moved;
	uint64_t flags_local;
	uint64_t flags_remote;
	uint64_t deleted_local;
	uint64_t deleted_remote;
	uint64_t skipped;
	uint64_t errors;
};

void sync_counts_add(struct sync_counts *total, const struct sync_counts *counts);

struct report_mailbox {
	char *name;
	struct sync_counts counts;
	bool is_changed; /* any count but `skipped`, or created/removed/renamed */
};

enum report_op {
	REPORT_DOWNLOAD,
	REPORT_UPLOAD,
	REPORT_MOVE,
	REPORT_FLAGS_LOCAL,
	REPORT_FLAGS_REMOTE,
	REPORT_DELETE_LOCAL,
	REPORT_DELETE_REMOTE,
	REPORT_CREATE_LOCAL,
	REPORT_CREATE_REMOTE,
	REPORT_REMOVE_LOCAL,
	REPORT_REMOVE_REMOTE,
	REPORT_RENAME_LOCAL,
	REPORT_RENAME_REMOTE
};

struct report_plan { /* dry run: one operation */
	char *mailbox;
	enum report_op op;
	uint32_t uid;        /* 0 unknown */
	uint64_t size_bytes; /* of what is copied; 0: nothing is, or unknown */
	char *file;          /* "cur/...", NULL unknown */
	char *why;
};

struct report_error {
	char *mailbox; /* NULL: the account */
	uint32_t uid;  /* 0: no message */
	enum err_code code;
	char *text;
};

struct report {
	struct report_mailbox *mailboxes;
	size_t mailbox_count; /* those with something to say */
	size_t mailbox_cap;
	struct report_plan *plan;
	size_t plan_count;
	size_t plan_cap;
	struct report_error *errors;
	size_t error_count;    /* the first 1,000; counts go on */
	size_t earlier_errors; /* of these, what earlier passes of the run told */
	size_t error_cap;
	size_t errors_hushed; /* dropped from the list, by report_hush */
	struct sync_counts total;
	uint64_t mailboxes_selected; /* how many mailboxes take part */
	uint64_t mailboxes_changed;
	uint64_t flags_left; /* mailboxes that were not opened, for sync_options.flags_told */
	uint64_t connections;
	uint64_t commands;
	uint64_t round_trips;
	uint64_t bytes_in;
	uint64_t bytes_out;
	double seconds;
	int64_t patience_ms; /* the server asked for more than the run had (struct err) */
	int status;          /* exit status of this account */
	bool is_to_be_heard; /* it tells what is told once: sync_was_heard */
	/* What is not worth a word where nobody looks on: */
	bool is_borne;      /* status 75, and patience is not over; or another run holds the lock */
	bool is_held_known; /* what the brake holds was said today */
};

void report_init(struct report *report);
void report_finish(struct report *report);
/* One more error for the list, copied; left out when there are too many or memory runs out. MAILBOX
 * may be NULL, UID 0. Counts nothing. */
void report_add_error(struct report *report, const char *mailbox, uint32_t uid,
		      const struct err *err);

/* Drops the errors that are not worth a word where nobody looks on. */
void report_hush(struct report *report);

/* `sync`, and with options->dry_run the plan. Returns 0 or the error that ended the account; REPORT
 * is filled as far as the run came either way, its `status` set (0, 1, 79, ... ) and every error in
 * its list. */
int sync_account(const struct account *account, const struct sync_options *options,
		 struct report *report, struct err *err);

/* Whether what the server TOLD of mailboxes is not what base knows of them: without the network.
 * What is not told, or of a mailbox that is not known, is news. */
int sync_is_news(const struct account *account, const struct sync_options *options,
		 const struct remote_mailboxes *told, bool *is_news, struct err *err);

/* A report that is_to_be_heard was written out. Where this fails, or is not reached, the next run
 * tells the same again. */
int sync_was_heard(const struct account *account, const struct sync_options *options,
		   struct err *err);

/* What has to be there for a run of ACCOUNT is not, for now. *IS_BORNE as in a report. Where it
 * cannot be told it is not. */
void sync_put_off(const struct account *account, const struct sync_options *options,
		  bool *is_borne);

/* `list`: one entry a remote mailbox. */
struct listing_entry {
	char *name; /* canonical; for one that cannot be mapped the wire name and selected false */
	char *special_use; /* "\\Sent", or "" */
	uint64_t messages;
	bool has_messages; /* false: not selectable, unknown */
	char *trouble;     /* why they could not be asked for; or NULL */
	bool is_selected;
};
struct listing {
	struct listing_entry *items;
	size_t count;
};
void listing_finish(struct listing *listing);
int sync_list(const struct account *account, const struct sync_options *options,
	      struct listing *listing, struct err *err);

/* `check`: logs in and tells, as lines for people, what will be used. */
int sync_check(const struct account *account, const struct sync_options *options,
	       struct strlist *lines, struct err *err);

/* `status`: from the state database alone. */
struct status_entry {
	char *name;
	uint64_t messages;
	int64_t synced_at; /* seconds; 0 never */
	uint64_t pending;
	uint64_t skipped;
	uint64_t held;     /* of the pending ones, by the brake */
	uint64_t refused;  /* of the skipped ones: the server does not take them */
	char *refusal;     /* of the first of these, NULL: none */
	uint64_t suspects; /* what the connection ends on: messages, or itself */
	int64_t next_try;  /* of these, seconds; 0: in the next run */
	char *trouble;     /* NULL: none */
};
/* As `check` was told it last. */
struct status_quota {
	uint64_t used, limit; /* bytes */
	int64_t at;           /* seconds; 0: nothing is known */
};
struct status {
	struct status_entry *items;
	size_t count;
	struct strlist notes; /* of the account, for people: its oldest proof, its quota */
	int64_t oldest_proof; /* seconds; 0: some message was never verified, or there is none */
	uint64_t unproven;    /* how many were never verified */
	struct status_quota quota;
	bool has_space;
	uint64_t free_bytes; /* where the Maildir is, now */
};
void status_finish(struct status *status);
/* -ERR_CHANGED when the account was never synced. */
int sync_status(const struct account *account, const struct sync_options *options,
		struct status *status, struct err *err);

#endif
