/*
 * What the connection ends on (rules/suspect_rules.h), over all the ways that one session goes
 * through its account. A connection that is lost ends a *pass*; the next pass goes on from what the
 * state says, with the item that it was lost on set aside.
 *
 *     suspects_load                         once, when the state is open
 *     for each pass:
 *             suspects_place                may this item be tried in this pass?
 *             suspects_batch                how many may be on their way at once?
 *             suspects_went                 something went through an act
 *             suspects_lost                 these were on their way when a connection ended
 *             suspects_after                the pass is over: what is next (X12)
 *     suspects_conclude                     confirmed ones are named and all is remembered
 *
 * Who sends something to the server asks and tells here; nobody else need know. `suspects_went` and
 * `suspects_lost` may be called by several threads.
 */
#ifndef SYNC_RUN_SUSPECTS_H
#define SYNC_RUN_SUSPECTS_H

#include "rules/suspect_rules.h"

#include "mailsync/state/state.h"

struct run;
struct mailbox;

struct suspect {
	struct state_suspect of; /* as it is remembered, or would be */
	bool is_marked;          /* in the state */
	bool is_of_before;       /* an earlier run was lost on it, alone */
	bool is_seen;            /* its place was asked for */
	enum suspect_turn turn;  /* of one that was marked by an earlier run */
	enum suspect_stage stage;
	bool is_alone;     /* the one that SUSPECT_STEP_FRESH is for */
	unsigned ended_on; /* which of the losses it was, when it ended its connection */
	char *why;         /* how that ended, owned; NULL: it did not in this run */
};

/* In a session; zeroed there are none. */
struct suspects {
	struct suspect *items; /* sorted by kind, row and mailbox */
	size_t count, cap;
	enum suspect_step step; /* what this pass is */
	size_t batch;           /* so many items of this pass may be on their way at once */
	bool rest_is_done;
	unsigned losses;
	unsigned losses_in_a_row;
	struct err loss;                    /* the last one */
	bool has_no_mailbox;                /* any of them ends the connection (X10) */
	bool has_cause;                     /* what was on its way at the last loss is known */
	size_t went[SUSPECT_ACT_COUNT];     /* in this run, and */
	size_t went_now[SUSPECT_ACT_COUNT]; /* by this connection */
};

/* An item, as who works on it knows it. */
struct suspect_item {
	enum suspect_kind kind;
	enum suspect_act act;
	const char *mailbox; /* canonical */
	int64_t row;         /* of a message; else 0 */
	uint32_t uid;        /* 0: none */
};

int suspects_load(struct run *run, struct err *err);
void suspects_finish(struct suspects *suspects);

enum suspect_place {
	SUSPECT_GOES,     /* it is tried in this pass */
	SUSPECT_IS_LATER, /* not in this one */
	SUSPECT_IS_LEFT   /* nor in any of this run: `skipped` */
};
/* ROW: 0 of a mailbox. */
enum suspect_place suspects_place(struct run *run, enum suspect_kind kind, const char *mailbox,
				  int64_t row);
/* Those of KIND of which nobody asked for the place, though all that are there were asked for, are
 * there no more. */
void suspects_forget_unseen(struct run *run, enum suspect_kind kind);
/* One mailbox has ended its connection, and no other was opened in this run: one that has nothing
 * to do is to be, as it shows whether the server ends with all of them (X10). */
bool suspects_want_control(const struct run *run);
/* What came of that. */
void suspects_note_control(struct run *run, int code, const struct err *err);
/* Whether there are any, so that it is worth to ask for each item. */
bool suspects_are_any(const struct run *run);
/* So many items may be on their way at once, MOST at most; where it is less than that, what is sent
 * is waited for before more is. */
size_t suspects_batch(const struct run *run, size_t most);

/* ITEM was answered, by whatever. */
void suspects_went(struct run *run, const struct suspect_item *item);
/* True for what ends a connection and not the account. */
bool suspects_is_loss(const struct err *err);
/* The item that MAILBOX is, at ACT. */
struct suspect_item mailbox_item(const struct mailbox *mailbox, enum suspect_act act);
/* The item that ROW is, of MAILBOX. */
struct suspect_item message_item(const struct mailbox *mailbox, const struct row *row,
				 enum suspect_act act);
/* These, all of them, were on their way when a connection ended with ERR. Where that says another
 * thing they are left alone. */
void suspects_lost(struct run *run, const struct suspect_item *items, size_t count,
		   const struct err *err);

/*
 * A pass ended with CODE and ERR. *STEP: what is next. SUSPECT_STEP_GIVE_UP: the run ends with CODE
 * and ERR; with SUSPECT_STEP_DONE it ends well. *IS_CUT: the connection has to be made anew before.
 */
int suspects_after(struct run *run, int code, enum suspect_step *step, bool *is_cut,
		   struct err *err);
/* What is on its way may have been carried out, though nobody told. */
bool suspects_has_unsettled(const struct run *run);
/* At the end of a run, which came to CODE and ERR so far; what it comes to now. */
int suspects_conclude(struct run *run, int code, struct err *err);

#endif
