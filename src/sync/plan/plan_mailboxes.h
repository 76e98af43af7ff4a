/*
 * The mailboxes' part of the plan, by rules/mailbox_rules.h. First the renames, since what was
 * renamed is one mailbox afterwards; then what is to be created, subscribed or removed.
 *
 *     plan_renames            from what recover/ left and observe/ found
 *     act_rename_mailboxes    (not in a dry run) mailboxes are gathered anew
 *     plan_mailboxes
 *     act_create_mailboxes    (not in a dry run)
 *     plan_print_mailboxes    (only in a dry run)
 */
#ifndef SYNC_PLAN_PLAN_MAILBOXES_H
#define SYNC_PLAN_PLAN_MAILBOXES_H

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
	size_t count;
	size_t cap;
};
void rename_ops_finish(struct rename_ops *ops);
/* Whether CHILD is done with PARENT, which is renamed itself. */
bool rename_op_goes_along(const struct rename_op *child, const struct rename_op *parent);

struct mailbox_op {
	struct mailbox *mailbox;
	struct mailbox_decision decision; /* MAILBOX_CREATE, _SUBSCRIBE or _REMOVE */
};
struct mailbox_ops {
	struct mailbox_op *items; /* by name */
	size_t count;
	size_t cap;
};
void mailbox_ops_finish(struct mailbox_ops *ops);

/* Fills run->plan->renames. */
int plan_renames(struct run *run, struct err *err);

/* Fills run->plan->mailboxes, and in the mailboxes decided.exclusion and decided.remove. What the
 * rules let base forget it forgets at once: what follows is planned on the base that is left. */
int plan_mailboxes(struct run *run, struct err *err);

/* What of it would be done, into the report. */
int plan_print_mailboxes(struct run *run, struct err *err);

#endif
