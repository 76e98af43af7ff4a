/*
 * What the files of this room share. Two databases are open: the real one, whose rows are what is
 * to be proven and where proofs are written down, and the run's own scratch copy, in which the next
 * sync was looked ahead at: what it would settle is no problem.
 */
#ifndef SYNC_VERIFY_VERIFY_PRIVATE_H
#define SYNC_VERIFY_VERIFY_PRIVATE_H

#include "mailsync/sync/verify.h"

#include "plan/plan.h"
#include "run/run.h"

#define VERIFY_SLICE_ROWS 2000

/* Which messages it is the turn of. */
struct share {
	const struct verify_options *options;
	unsigned turn;   /* of `shares` */
	uint64_t left;   /* of those at random: still to come, */
	uint64_t wanted; /* and to be taken of these */
	uint64_t random;
	struct row_ids taken; /* at random */
	bool is_sorted;       /* these */
};

/* Where all files lie, for those that are not in their own folder. */
struct whereabouts {
	struct whereabout *items;
	size_t count, cap;
	bool are_known;
	bool are_partial; /* a folder could not be read, which was told */
};

/* A file that the server may still have: whose, and which finding tells of it. */
struct verify_wish {
	int64_t mailbox;
	int64_t row;
	uint32_t uid;
	bool is_damaged; /* else it is gone */
	size_t finding;
};
struct verify_wishes {
	struct verify_wish *items;
	size_t count, cap;
};

struct verify {
	struct run *run;      /* its state is the scratch copy */
	struct state *proofs; /* the real one */
	const struct verify_options *options;
	struct verify_report *report;
	struct maildir_prover *prover;
	struct row_ids moved;        /* whose files the next sync finds in another folder, */
	struct row_ids moved_to;     /* and what is new there by that; sorted */
	struct verify_wishes wishes; /* what --repair is to fetch */
	struct whereabouts files;    /* elsewhere.c */
	bool lacks_times;            /* the file system keeps none (run_release) */
	int64_t now;
};

/* Rows whose files are not what they were, or cannot be read: nothing else is said of these. */
struct verify_damaged {
	struct row_ids rows;
	bool is_sorted;
};

/* A mailbox that is looked at. */
struct verify_mailbox {
	struct verify *verify;
	struct mailbox *mailbox;
	struct share share;
	struct maildir_scan scan; /* empty where it has no folder */
	struct plan_facts facts;  /* once verify_pending was called */
	struct verify_damaged damaged;
	struct uidset listed;    /* what the server has, once verify_server was */
	struct strlist accepted; /* files that are gone, which the user says is well */
};

/* One problem more. ROW or FILE may be NULL. The rest is its message, as printf takes it. */
int verify_find(struct verify_mailbox *at, enum verify_problem problem, const struct row *row,
		const char *file, struct err *err, const char *format, ...)
	__attribute__((format(printf, 6, 7)));
/* COUNT messages of AT were not compared with the server, since WHY: so they are not proven there,
 * which is an error. 0: nothing. */
void verify_left_out(struct verify_mailbox *at, uint64_t count, const char *why);
/* ROW's file is gone, and that is a loss: WHAT says so. Unless the user says, or said, that it is
 * well. */
#define VERIFY_GONE_EVERYWHERE "the file is gone, and the server does not have it any more"
int verify_tell_missing(struct verify_mailbox *at, const struct row *row, const char *what,
			struct err *err);
/* Writes down what the user says, when all of AT was looked at. */
int verify_write_accepted(struct verify_mailbox *at, struct err *err);
/* Notes that what was found last of ROW may be repaired. */
int verify_wish(struct verify_mailbox *at, const struct row *row, bool is_damaged, struct err *err);

/* Findings from there on may be taken back. */
struct verify_mark {
	size_t count;
	uint64_t problems;
	uint64_t pending;
};
struct verify_mark verify_mark(const struct verify_report *report);
void verify_take_back(struct verify_report *report, const struct verify_mark *mark);
/* "new/..." or "cur/..." into PATH. */
#define VERIFY_PATH_SIZE (MAILDIR_NAME_MAX + 5)
void verify_path(const struct maildir_entry *entry, char path[VERIFY_PATH_SIZE]);

/* Whose turn it is in a mailbox of MESSAGES; and, when all of it was looked at, whose is next. */
int share_begin(struct share *share, struct verify *verify, const struct mailbox *mailbox,
		uint64_t messages, struct err *err);
/* Asked of each row once. */
int share_takes(struct share *share, int64_t row, bool *takes, struct err *err);
/* Whether it did take ROW; afterwards. */
bool share_has(struct share *share, int64_t row);
/* The same for what has no row but the name UNIQUE. */
bool share_takes_name(const struct share *share, const char *unique);
int share_end(struct share *share, struct verify *verify, const struct mailbox *mailbox,
	      struct err *err);
void share_finish(struct share *share);

/* --- elsewhere.c --- */
/* Whether the file UNIQUE lies in the folder of another mailbox than AT's: what a user moved there;
 * or may lie in one that cannot be read. The folders are read once. */
int verify_is_elsewhere(struct verify_mailbox *at, const char *unique, bool *is_there,
			struct err *err);
void whereabouts_finish(struct whereabouts *files);

int verify_note_damaged(struct verify_mailbox *at, const struct row *row, struct err *err);
bool verify_is_damaged(struct verify_mailbox *at, int64_t row);
/* CODE, of reading ROW's file ENTRY. Where it concerns that file alone it is told of, and 0: it is
 * pending where somebody is at work on it just now, else damaged. */
int verify_outlives_file(struct verify_mailbox *at, const struct row *row,
			 const struct maildir_entry *entry, int code, struct err *err);

/* Opens and reads its folder, where it has one. */
int verify_open_folder(struct verify_mailbox *at, struct err *err);

/* A row that says what its file is by its header alone, or not at all, is compared with the
 * server's body where that is to be read (`bytes`): until then the file is not believed. */
bool verify_waits_for_body(const struct verify *verify, const struct row *row);
/* ROW's file is what the server has, as PROOF says. */
int verify_learn(struct verify_mailbox *at, const struct row *row,
		 const struct maildir_proof *proof, struct err *err);
/* A POP3 row as far as its file goes. */
int verify_pop3_row(struct row_list *rows, int64_t mailbox, const struct pop3_row *pop3,
		    struct err *err);
/* When ROW's file was delivered, as its name tells, in seconds; 0: it does not. */
int64_t verify_delivered_at(const struct row *row);
#define VERIFY_UNLIKE_SERVER \
	"the file is not what the server has, and base does not say which of them changed"
int verify_tell_differs_there(struct verify_mailbox *at, const struct row *row, struct err *err);

/* In this order. Each file of base, also of a POP3 account (files.c); those that base has no more
 * (kept.c); what the next sync would settle (pending.c); both sides against base (server.c); bodies
 * (bytes.c). maildrop.c: the last two over POP3. */
int verify_files(struct verify_mailbox *at, struct err *err);
int verify_kept(struct verify_mailbox *at, struct err *err);
int verify_maildrop(struct verify_mailbox *at, struct err *err);
int verify_pending(struct verify_mailbox *at, struct err *err);
int verify_server(struct verify_mailbox *at, struct err *err);
int verify_bytes(struct verify_mailbox *at, struct err *err);

#endif
