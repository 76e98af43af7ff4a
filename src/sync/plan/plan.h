/*
 * The one plan of a run: what is going to happen, decided by rules/ before anything does. The brake
 * counts it, --dry-run prints it, act/ carries it out and decides nothing. In the order of a run:
 *
 *     plan_renames     first, since what was renamed is one mailbox afterwards
 *     plan_mailboxes   what is to be created, subscribed or removed
 *     plan_moves, brake_plan, plan_print
 *
 * Mailboxes and moves stand here whole. Messages are too many for that: those of one mailbox are
 * planned when its turn comes (struct job), from rows that are in the database by then, so that it
 * may be done again and comes out the same.
 *
 * Ownership: the top has one for each run, at run->plan. Threads: written before execution begins,
 * then read by all.
 */
#ifndef SYNC_PLAN_PLAN_H
#define SYNC_PLAN_PLAN_H

#include "mailsync/model/refusal.h"

#include "rules/message_rules.h"
#include "rules/move_rules.h"
#include "rules/refusal_rules.h"
#include "rules/trash_rules.h"
#include "run/run.h"

/* How far act/ has come. */
enum rename_state {
	RENAME_PENDING,
	RENAME_DONE,
	RENAME_TAKEN, /* the new name turned out to be taken: one mailbox is gone, another new */
	RENAME_FAILED /* reported */
};

/* A mailbox that has a new name on one side. All strings are owned: mailboxes are gathered anew
 * while this stands. */
struct rename_op {
	enum rename_kind kind; /* never RENAME_NOT */
	char *from;
	char *to;
	enum side side; /* where it is still to be renamed */
	char *wire;     /* TO on the server, where it is to be renamed there */
	/* Children that keep their name and have to be put back, since a rename takes all along:
	 * what follows FROM in their names, on the server in their wire names. */
	struct strlist strays;
	enum rename_state state;
};
struct rename_ops {
	struct rename_op *items; /* by the old name: parents before children */
	size_t count, cap;
};

struct mailbox_op {
	struct mailbox *mailbox;
	struct mailbox_decision decision; /* MAILBOX_CREATE, _SUBSCRIBE or _REMOVE */
};
struct mailbox_ops {
	struct mailbox_op *items; /* by name */
	size_t count, cap;
};

struct move {
	struct state_move pair;
	struct mailbox *from; /* where its row is gone, and */
	struct mailbox *to;   /* where it is new */
	enum side side;       /* where it is to be carried out */
	uint32_t uid;         /* that it had in FROM */
	bool is_retry;        /* the server refused it before */
	enum move_state state;
};
struct move_list {
	struct move *items;
	size_t count, cap;
	struct move_row *rows; /* of all moves, sorted */
	size_t row_count, row_cap;
};

struct plan { /* zeroed it is empty */
	struct rename_ops renames;
	struct mailbox_ops mailboxes;
	struct move_list moves;
};
void plan_finish(struct plan *plan);
void rename_ops_finish(struct rename_ops *ops); /* it is empty then */

/* Fills run->plan->renames, anew where there were any. */
int plan_renames(struct run *run, struct err *err);
/* Some of OPS are to be done once the names that they get are free (M54). */
bool rename_ops_wait(const struct rename_ops *ops);
/* Where some wait for each other in a circle, *IS_DUE: one of them, with all below it, gets a name
 * out of the way, and run->plan->renames is that alone. */
int plan_aside(struct run *run, bool *is_due, struct err *err);
/* Whether CHILD is done with PARENT, which is renamed itself. */
bool rename_op_goes_along(const struct rename_op *child, const struct rename_op *parent);
/* What mailbox NAME is called on the server, to be freed. Refused: it can have no such name. */
int plan_wire_name(const struct run *run, const char *name, char **wire, struct err *err);

/* Fills run->plan->mailboxes, and in the mailboxes decided.exclusion and decided.remove. What the
 * rules let base forget it forgets at once: what follows is planned on the base that is left. */
int plan_mailboxes(struct run *run, struct err *err);

/* Fills run->plan->moves. A row that is part of a move is not planned by itself until that is
 * done. */
int plan_moves(struct run *run, struct err *err);
bool move_has_row(const struct move_list *moves, int64_t row);
/* One of its rows is left to a move that was tried and is not done, or that something else than
 * policy holds: the mailbox is not settled. */
bool move_is_open(const struct move_list *moves, const struct mailbox *mailbox);

/* How messages of a mailbox are removed on the server. *TRASH: where they go; NULL when they are
 * expunged, or there is none. */
enum removal_way plan_removals(struct run *run, const struct mailbox *mailbox,
			       struct mailbox **trash);

/* Plans every mailbox once to count what would be deleted, and sets `decided.braked`. What is held
 * is noted in its rows at once: a run that dies later must not leave it to be judged anew. */
int brake_plan(struct run *run, struct err *err);
/* What is said of it: how many of MAILBOX, or of the account (NULL), are over the limit on SIDE,
 * and what stays held; each with the commands that say whether it is right. */
void brake_tell_over(struct run *run, const struct mailbox *mailbox,
		     const struct brake_count *count, enum side side);
void brake_tell_held(struct run *run, const struct mailbox *mailbox,
		     const struct brake_count *count);
/* --bring-back: what is marked, and this run may copy again, is made what is new on the side that
 * still has it (B12). */
int bring_back(struct run *run, struct err *err);
/* In a restore, before anything is sent: says how many and how large, and whether the server takes
 * so much. Else nothing. */
int restore_tell(struct run *run, struct err *err);
/* Notes COUNT messages of base's MAILBOX (0: it is no more) as deleted on SIDE, for B7. In the
 * transaction that records that they are. */
int brake_note_deleted(struct run *run, int64_t mailbox, enum side side, size_t count,
		       struct err *err);
/* Completes COUNT, of base's MAILBOX (0: of all), with what was deleted lately and, where it
 * matters, how many messages there were when the run began, SINCE then so many more. */
int brake_complete_count(struct run *run, int64_t mailbox, uint64_t since,
			 struct brake_count *count, struct err *err);

/* Dry run: what would be done, into the report. Moves are carried out on paper, that is on the rows
 * of the scratch copy, so that the messages' plan is the one that follows them. */
int plan_print(struct run *run, struct err *err);

/*
 * The work on one mailbox: its share of the plan, and the connection and folder it is carried out
 * with. The steps of a job, in order: local flags and removals, downloads, uploads, remote flags,
 * remote removals. Each commits what it did before the next begins; a failing message is reported,
 * keeps its row pending (REASON_FAILED) and holds up nothing else. What a step returns as an error
 * ends the job.
 *
 *     job_begin, job_prepare, steps..., job_go_on, steps..., job_conclude, job_finish
 *
 * Rows come in slices, each of which goes through all steps before the next: a mailbox may have
 * more of them than memory is to hold.
 *
 * A row is changed only after what it states is durable (I2), by rules/effect.h.
 */
/* How files are found (D41). */
enum job_names {
	NAMES_NOT_ASKED,
	NAMES_KNOWN,  /* by base's rows */
	NAMES_TO_READ /* from the folder: `scan` */
};
/* What a job comes to, from one of its slices on. */
struct job_sum {
	struct plan_sum plan;
	bool has_news;
};
struct job {
	struct run *run;
	struct remote *remote;
	struct mailbox *mailbox;
	struct row_list rows; /* pending, by id, but for those of R25; a slice of them */
	struct state_slice slice;
	bool is_part; /* there are others */
	struct intents intents;
	int64_t *moved;               /* facts.moved */
	int64_t *aside;               /* facts.aside */
	struct suspect_row *suspects; /* facts.suspects */
	struct refusals refused;      /* of these rows, before this job */
	struct plan_facts facts;
	struct message_plan plan; /* its ops name ROWS by their index */
	struct plan_sum before;   /* of the slices before */
	struct job_sum all;       /* as far as job_begin had to know it */
	enum job_names names;
	char name[MAILDIR_NAME_MAX + 1]; /* of the file found last, where it was guessed */
	struct maildir_scan scan;        /* where the files of the rows are, once it is read */
	bool has_scan;
	size_t deleted_here; /* files removed and not committed yet, that the brake counts */
	struct refusal_course course; /* of its uploads */
	size_t failures; /* what was left undone: the next run looks at this mailbox again */
	bool is_put_off; /* the server asks for patience: no further step is taken now */
};

/* R24: nothing to plan in MAILBOX. */
bool mailbox_is_idle(const struct run *run, const struct mailbox *mailbox);
/* Loads a slice of MAILBOX's rows, behind the row AFTER (0: the first), and plans them. The caller
 * finishes JOB in any case. */
int job_plan(struct job *job, struct run *run, struct mailbox *mailbox, int64_t after,
	     struct err *err);
/* The same of the next slice; *IS_THERE false: there is none, and all stays as it is. */
int job_plan_next(struct job *job, bool *is_there, struct err *err);
/* What this slice and those behind it come to. */
int job_plan_all(const struct job *job, struct job_sum *sum, struct err *err);
/* job_plan, to be carried out on REMOTE. Its rows may be others by now than when the brake counted
 * all: they are counted anew, with what was deleted meanwhile, and held where that is too much. So
 * nothing is deleted that the brake was not asked about. */
int job_begin(struct job *job, struct run *run, struct remote *remote, struct mailbox *mailbox,
	      int64_t after, struct err *err);
/* This slice is carried out: why rows were left is noted, and the next one begun. */
int job_go_on(struct job *job, bool *is_there, struct err *err);
/* A hold is news to its row. */
bool job_has_news(const struct job *job);
/* Plans the same rows by what is decided now. */
int job_replan(struct job *job, struct err *err);
/* How many messages of the mailbox are left out, up to this slice. */
size_t job_skipped(const struct job *job);
void job_finish(struct job *job);

/* Nothing but holds that its rows tell already: it need not be carried out, and the Maildir not be
 * claimed for it. */
bool job_changes_nothing(const struct job *job);

/* The largest message that MAILBOX takes, as far as the server has told (APPENDLIMIT). */
struct told plan_append_limit(const struct run *run, const struct mailbox *mailbox);
/* Loads what was refused of JOB's rows before, in place of that of others, and sets aside what
 * is not due (N6). */
int job_set_aside(struct job *job, struct err *err);

/* R32: whoever makes something of it claims. */
bool job_is_retry(const struct job *job);
/* For this slice, unless it is one. */
int job_claim(struct job *job, struct err *err);
/* Before its first step: this run's claim, and the folder. */
int job_prepare(struct job *job, struct err *err);
/* After its last: why rows were left, and the mailbox's figures. */
int job_conclude(struct job *job, struct err *err);

/* The next op of KIND from *AT on, which goes behind it; NULL at the end. */
struct op *job_next(const struct job *job, enum op_kind kind, size_t *at);
/* The row of an operation. */
struct row *job_row(const struct job *job, const struct op *op);
/* Takes what a look in the job (LOOK_IN_JOB) told of its rows, which are written as a whole. */
int job_take_news(struct job *job, struct err *err);
/* Commits the rows of the ops that were carried out (is_done). */
int job_commit(struct job *job, struct err *err);
/* Why rows are left alone goes into them, for `status` and the next run. In a transaction. */
int job_note_holds(struct job *job, struct err *err);

/* Opens the mailbox on the job's connection and makes sure that its UIDs are still those of
 * base. */
int job_select(struct job *job, bool is_writable, struct err *err);
/* Where the folder, which is open, is as it was read: what is known of its names (D41). Once for a
 * job: our own first change makes it another one. */
void job_ask_names(struct job *job);
/* Where a row's file is now; -ERR_CHANGED when it is not there any more. ENTRY's name is valid
 * until the next call. */
int job_find_file(struct job *job, const struct row *row, struct maildir_entry *entry,
		  struct err *err);
/* The same of the name that speaks where there are several (C9). */
int job_find_name(struct job *job, const struct row *row, struct maildir_entry *entry,
		  struct err *err);
/* The other files of its unique part, as of then (C6); NULL: none. */
const struct maildir_entry *job_doubles(const struct job *job, const struct row *row,
					size_t *count);
/* A message failed: reported, counted, its row stays pending. Fatal errors are passed on. */
int job_message_failed(struct job *job, struct row *row, const struct err *err);

#endif
