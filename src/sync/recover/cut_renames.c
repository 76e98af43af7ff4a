/* What a run leaves that is cut while it renames mailboxes, and what base does about a rename. */
#include <stdlib.h>

#include "guard/guard.h"
#include "observe/observe.h"

#include "recover.h"

/* The side that is renamed decides where the other one has the old name still, for another. */
static enum intent_kind kind_of(const struct mailbox *from, const struct mailbox *to)
{
	if ((from->seen.replaced & SIDE_REMOTE) || mailbox_is_aside(to->name)) {
		return INTENT_RENAME_HERE;
	}
	return (from->seen.replaced & SIDE_LOCAL) ? INTENT_RENAME_THERE : INTENT_RENAME;
}

int rename_intent_add(struct run *run, const struct mailbox *from, const struct mailbox *to,
		      struct err *err)
{
	struct intent intent = {.kind = kind_of(from, to),
				.mailbox = from->base.id,
				.uidvalidity = from->base.numbers.uidvalidity,
				.text = to->name};
	return state_intent_add(run->session->state, &intent, err);
}

static bool is_of_rename(const struct intent *intent)
{
	return intent->kind == INTENT_RENAME || intent->kind == INTENT_RENAME_HERE ||
	       intent->kind == INTENT_RENAME_THERE;
}

int rename_intent_drop(struct run *run, const struct mailbox *from, struct err *err)
{
	struct intents intents = {0};
	int code = state_intents_load(run->session->state, from->base.id, &intents, err);
	for (size_t i = 0; code == 0 && i < intents.count; i++) {
		if (is_of_rename(&intents.items[i])) {
			code = state_intent_drop(run->session->state, intents.items[i].id, err);
		}
	}
	state_intents_finish(&intents);
	return code;
}

int rename_base_follow(struct run *run, struct mailbox *from, struct mailbox *to, struct err *err)
{
	struct state *state = run->session->state;
	int code = 0;
	char *name = span_dup(span_of(to->name));
	if (name == NULL) {
		return err_nomem(err);
	}
	free(from->base.name);
	from->base.name = name;
	if ((to->in_base && (code = state_mailbox_drop(state, to->base.id, err)) < 0) ||
	    (code = state_mailbox_put(state, &from->base, err)) < 0) {
		return code;
	}
	return rename_intent_drop(run, from, err);
}

static bool was_renamed(const struct intent *intent, const struct mailbox *from,
			const struct mailbox *to)
{
	if (intent->kind == INTENT_RENAME) {
		return rename_was_done(from->seen.in, to->seen.in);
	}
	enum side side = intent->kind == INTENT_RENAME_HERE ? SIDE_LOCAL : SIDE_REMOTE;
	return rename_was_done_on(side, from->seen.in, to->seen.in);
}

/* Where it cannot be told whether the old name is gone the intent stays. */
static int settle(struct run *run, const struct intent *intent, struct err *err)
{
	struct mailbox *from = run_mailbox_by_id(run, intent->mailbox);
	struct mailbox *to = intent->text == NULL ? NULL : run_mailbox(run, intent->text);
	if ((from != NULL && from->seen.untold != SIDE_NONE) ||
	    (to != NULL && to->seen.untold != SIDE_NONE)) {
		return 0;
	}
	bool was_done = from != NULL && to != NULL && was_renamed(intent, from, to);
	return was_done ? rename_base_follow(run, from, to, err)
			: state_intent_drop(run->session->state, intent->id, err);
}

int rename_settle_cut(struct run *run, struct err *err)
{
	struct state *state = run->session->state;
	struct intents intents = {0};
	bool has_any = false;
	int code = state_intents_load(state, 0, &intents, err);
	for (size_t i = 0; code == 0 && i < intents.count; i++) {
		if (!is_of_rename(&intents.items[i])) {
			continue;
		}
		has_any = true;
		if ((code = run_begin(run, err)) == 0) {
			code = state_end(state, settle(run, &intents.items[i], err), err);
		}
	}
	state_intents_finish(&intents);
	return code < 0 || !has_any ? code : observe_mailboxes(run, err);
}

int rename_follow_twice(struct run *run, struct err *err)
{
	struct rename_pairs pairs = {0};
	size_t followed = 0;
	if (!rename_may_be_twice(run)) {
		return 0;
	}
	int code = rename_find_twice(run, &pairs, err);
	for (size_t i = 0; code == 0 && i < pairs.count; i++) {
		const struct rename_pair *pair = &pairs.items[i];
		if ((code = run_begin(run, err)) == 0) {
			code = rename_base_follow(run, pair->from, pair->to, err);
			code = state_end(run->session->state, code, err);
			followed++;
		}
	}
	rename_pairs_finish(&pairs);
	return code < 0 || followed == 0 ? code : observe_mailboxes(run, err);
}
