/*
 * Renaming takes children along on both sides: those that were renamed alike are done with their
 * parent, the others are put back. What a run leaves that is cut meanwhile: recover/recover.h.
 */
#include "act_private.h"

#include "guard/guard.h"
#include "observe/observe.h"
#include "recover/recover.h"

/* OP itself, and what goes along with it and was not done with another parent. */
static bool is_of(const struct rename_op *op, const struct rename_op *parent)
{
	return op->state == RENAME_PENDING && (op == parent || rename_op_goes_along(op, parent));
}

/* What became of OP and all that goes along with it is written down in one transaction: to be tried
 * (RENAME_PENDING), done, or not. Where the name was taken its children may still be renamed; one
 * that failed fails with them: a child renamed alone would take its parent's new name. */
static int commit(struct run *run, struct rename_op *op, enum rename_state became, struct err *err)
{
	const struct rename_ops *ops = &run->plan->renames;
	/* The server may refuse it in every run: then nothing has come of it (R32). */
	bool is_claimed = became == RENAME_DONE || op->side == SIDE_LOCAL;
	int code = is_claimed ? run_begin(run, err) : state_begin(run->session->state, err);
	for (size_t i = 0; code == 0 && i < ops->count; i++) {
		const struct rename_op *each = &ops->items[i];
		struct mailbox *from = run_mailbox(run, each->from);
		struct mailbox *to = run_mailbox(run, each->to);
		if (!is_of(each, op)) {
			continue;
		}
		code = became == RENAME_PENDING ? rename_intent_add(run, from, to, err)
		     : became == RENAME_DONE    ? rename_base_follow(run, from, to, err)
						: rename_intent_drop(run, from, err);
	}
	if ((code = state_end(run->session->state, code, err)) < 0) {
		return code;
	}
	for (size_t i = 0; became != RENAME_TAKEN && i < ops->count; i++) {
		if (is_of(&ops->items[i], op)) {
			ops->items[i].state = became;
		}
	}
	op->state = became;
	return 0;
}

static int fail(struct run *run, struct rename_op *op, struct err *why, struct err *err)
{
	err_prefix(why, op->side == SIDE_REMOTE
				? "the mailbox could not be renamed on the server"
				: "the mailbox could not be renamed in the Maildir");
	run_report_error(run, run_mailbox(run, op->to), 0, why);
	return commit(run, op, RENAME_FAILED, err);
}

/* On the server a refusal shows in the next listing. */
static int put_one_back(struct run *run, enum side side, const char *now, const char *before,
			struct err *err)
{
	if (side == SIDE_LOCAL) {
		int code = maildir_rename_folder(run->session->maildir, now, before, err);
		return code == -ERR_CHANGED ? 0 : code; /* it went back with its parent */
	}
	const struct remote_change change = {.kind = REMOTE_RENAME, .wire = now, .to = before};
	struct remote_done done = {0};
	int code = remote_change_now(run->session->remote, &change, &done, err);
	remote_done_finish(&done);
	return code;
}

/* The children that nobody renamed get their names back. */
static int put_back(struct run *run, const struct rename_op *op, const char *from, const char *to,
		    struct err *err)
{
	struct buf now;
	struct buf before;
	int code = 0;
	buf_init(&now, 2 * MBNAME_MAX);
	buf_init(&before, 2 * MBNAME_MAX);
	for (size_t i = 0; code == 0 && i < op->strays.count; i++) {
		buf_clear(&now);
		buf_clear(&before);
		buf_printf(&now, "%s%s", to, op->strays.items[i]);
		buf_printf(&before, "%s%s", from, op->strays.items[i]);
		if ((code = buf_status(&now, "a mailbox name", err)) == 0 &&
		    (code = buf_status(&before, "a mailbox name", err)) == 0) {
			code = put_one_back(run, op->side, now.data, before.data, err);
		}
	}
	buf_finish(&before);
	buf_finish(&now);
	return code;
}

/* Subscriptions are of names: they move too. Refusals do not matter. */
static int resubscribe(struct run *run, const char *from, const char *to, struct err *err)
{
	struct remote *remote = run->session->remote;
	const struct remote_change changes[] = {{.kind = REMOTE_SUBSCRIBE, .wire = to},
						{.kind = REMOTE_UNSUBSCRIBE, .wire = from}};
	int code;
	if ((code = remote_change_queue(remote, &changes[0], 0, err)) == 0 &&
	    (code = remote_change_queue(remote, &changes[1], 0, err)) == 0) {
		code = act_ignore_answers(remote, err);
	}
	return code;
}

static int rename_there(struct run *run, struct rename_op *op, struct err *err)
{
	const char *wire = run_mailbox(run, op->from)->wire;
	const struct remote_change change = {.kind = REMOTE_RENAME, .wire = wire, .to = op->wire};
	struct remote_done done = {0};
	int code;
	if ((code = commit(run, op, RENAME_PENDING, err)) < 0 ||
	    (code = remote_change_now(run->session->remote, &change, &done, err)) < 0) {
		goto finish;
	}
	if (done.status < 0) {
		code = fail(run, op, &done.err, err);
	} else if ((code = put_back(run, op, wire, op->wire, err)) == 0 &&
		   (code = commit(run, op, RENAME_DONE, err)) == 0) {
		code = resubscribe(run, wire, op->wire, err);
	}
finish:
	remote_done_finish(&done);
	return code;
}

static int rename_here(struct run *run, struct rename_op *op, struct err *err)
{
	int code = commit(run, op, RENAME_PENDING, err);
	if (code < 0) {
		return code;
	}
	code = maildir_rename_folder(run->session->maildir, op->from, op->to, err);
	if (code == -ERR_CHANGED) {
		return commit(run, op, RENAME_TAKEN, err);
	}
	if (code < 0) {
		struct err why = *err;
		return run_is_fatal_in_folder(err) ? code : fail(run, op, &why, err);
	}
	code = put_back(run, op, op->from, op->to, err);
	return code < 0 ? code : commit(run, op, RENAME_DONE, err);
}

/* The server answered that it renamed it, and tells now that it has it under its old name alone. */
static bool was_undone(const struct rename_op *op, const struct mailbox *from,
		       const struct mailbox *to)
{
	return op->state == RENAME_DONE && op->side == SIDE_REMOTE && from != NULL && to != NULL &&
	       to->seen.untold == SIDE_NONE && !(to->seen.in & SIDE_REMOTE) &&
	       (from->seen.in & SIDE_REMOTE);
}

/* Base goes back to the old names, parents and children alike. */
static int undo(struct run *run, struct rename_op *op, bool *has_undone, struct err *err)
{
	struct mailbox *from = run_mailbox(run, op->from);
	struct mailbox *to = run_mailbox(run, op->to);
	struct err why;
	if (!was_undone(op, from, to)) {
		return 0;
	}
	if (op->kind == RENAME_ITSELF) {
		err_set(&why, ERR_PARTIAL, SCOPE_MAILBOX,
			"the server answered that it renamed %s, and still has it under its old "
			"name; both wait, and the next run tries again",
			op->from);
		run_report_error(run, to, 0, &why);
	}
	op->state = RENAME_FAILED;
	*has_undone = true;
	int code = run_begin(run, err);
	code = code < 0 ? code : rename_base_follow(run, to, from, err);
	return state_end(run->session->state, code, err);
}

static int gather_again(struct run *run, struct err *err)
{
	const struct rename_ops *ops = &run->plan->renames;
	bool has_undone = false;
	int code = observe_mailboxes(run, err);
	for (size_t i = 0; code == 0 && i < ops->count; i++) {
		code = undo(run, &ops->items[i], &has_undone, err);
	}
	if (code == 0 && has_undone) {
		code = observe_mailboxes(run, err);
	}
	return code;
}

/* What was renamed, in several rounds, while mailboxes were gathered anew. */
static int note_renamed(const struct rename_ops *ops, struct strlist *renamed, struct err *err)
{
	int code = 0;
	for (size_t i = 0; code == 0 && i < ops->count; i++) {
		if (ops->items[i].state == RENAME_DONE) {
			code = strlist_add(renamed, span_of(ops->items[i].to), err);
		}
	}
	return code;
}

static void tell_renamed(struct run *run, const struct strlist *renamed)
{
	for (size_t i = 0; i < renamed->count; i++) {
		struct mailbox *mailbox = run_mailbox(run, renamed->items[i]);
		if (mailbox != NULL) {
			mailbox->done.has_news = true;
		}
	}
}

/* Those whose names are free. */
static int rename_some(struct run *run, bool *has_done, bool *has_failed, struct err *err)
{
	const struct rename_ops *ops = &run->plan->renames;
	int code = 0;
	for (size_t i = 0; code == 0 && i < ops->count; i++) {
		struct rename_op *op = &ops->items[i];
		if (op->kind == RENAME_WAITS || op->kind == RENAME_LATER ||
		    op->state != RENAME_PENDING) {
			continue;
		}
		if ((code = run_check_stop(run, err)) == 0) {
			code = op->side == SIDE_REMOTE ? rename_there(run, op, err)
						       : rename_here(run, op, err);
		}
		*has_done |= op->state == RENAME_DONE;
		*has_failed |= op->state == RENAME_FAILED;
	}
	return code;
}

/* What can be renamed is; where each only waits for another's name, one is put aside. *AGAIN: more
 * of them may be done after that. */
static int rename_round(struct run *run, struct strlist *renamed, bool *again, struct err *err)
{
	bool has_more = rename_ops_wait(&run->plan->renames);
	bool has_done = false;
	bool has_failed = false;
	bool is_aside = false;
	int code = rename_some(run, &has_done, &has_failed, err);
	if (code == 0 && !has_done && !has_failed && has_more &&
	    (code = plan_aside(run, &is_aside, err)) == 0 && is_aside) {
		code = rename_some(run, &has_done, &has_failed, err);
	}
	*again = code == 0 && has_done && !has_failed && has_more;
	if (code < 0 || !has_done || (code = gather_again(run, err)) < 0) {
		return code;
	}
	return note_renamed(&run->plan->renames, renamed, err);
}

int act_rename_mailboxes(struct run *run, struct err *err)
{
	size_t rounds_max = 2 * run->mailboxes.count;
	struct strlist renamed;
	bool again = true;
	strlist_init(&renamed);
	int code = rename_round(run, &renamed, &again, err);
	for (size_t round = 0; code == 0 && again && round < rounds_max; round++) {
		if ((code = plan_renames(run, err)) == 0) {
			code = rename_round(run, &renamed, &again, err);
		}
	}
	tell_renamed(run, &renamed);
	strlist_finish(&renamed);
	return code;
}
