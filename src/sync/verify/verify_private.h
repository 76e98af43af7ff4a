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
	struct state_moves moves;    /* files that the next sync finds in another folder */
	struct verify_wishes wishes; /* what --repair is to fetch */
	bool lacks_times;            /* the file system keeps none (run_release) */
	int64_t now;
};

/* A mailbox that is looked at. */
struct verify_mailbox {
	struct verify *verify;
	struct mailbox *mailbox;
	struct share share;
	struct maildir_scan scan; /* empty where it has no folder */
	struct plan_facts facts;  /* once verify_pending was called */
	struct uidset
		damaged;      /* here, as verify_files found: nothing else is said of these files */
	struct uidset listed; /* what the server has, once verify_server was */
};

/* One problem more. ROW or FILE may be NULL. The rest is its message, as printf takes it. */
int verify_find(struct verify_mailbox *at, enum verify_problem problem, const struct row *row,
		const char *file, struct err *err, const char *format, ...)
	__attribute__((format(printf, 6, 7)));
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
bool share_takes(struct share *share, int64_t row);
/* The same once more, of a row that was asked for: all of them where the share is a random one. */
bool share_is_of(const struct share *share, int64_t row);
int share_end(struct share *share, struct verify *verify, const struct mailbox *mailbox,
	      struct err *err);

/* Opens and reads its folder, where it has one. */
int verify_open_folder(struct verify_mailbox *at, struct err *err);

/* In this order. Each file of base, also of a POP3 account (files.c); what the next sync would
 * settle (pending.c); both sides against base (server.c); bodies (bytes.c). */
int verify_files(struct verify_mailbox *at, struct err *err);
int verify_pending(struct verify_mailbox *at, struct err *err);
int verify_server(struct verify_mailbox *at, struct err *err);
int verify_bytes(struct verify_mailbox *at, struct err *err);

#endif
