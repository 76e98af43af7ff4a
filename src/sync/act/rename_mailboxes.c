/*
 * Carries renames out.
 *
 * Invariants:
 * 1. Base's rows follow a mailbox to its new name only when both sides have it there.
 * 2. Before either side is touched an intent for the mailbox, and for each child that goes along,
 *    is durable. At the next start the names that exist tell how far it came: on both sides the
 *    new one alone means done; anything else is looked at as if nothing had been tried.
 */
#include "rename_mailboxes.h"

#include <stdlib.h>
#include <string.h>

#include "observe/mailboxes.h"
#include "observe/find_renames.h"
#include "guard/claim.h"

#include "mailsync/store/imap.h" /* until it is converted */

struct renaming {
	struct run *run;
	struct rename_pairs pairs;
	struct strlist held;    /* names that this run leaves alone */
	struct strlist renamed; /* new names */
	struct remote_mailboxes listed;
	bool has_listing;
};

/* What follows PARENT in NAME, from the separator on; NULL when it is no child. */
static const char *below(const char *name, const char *parent, char separator)
{
	size_t len = strlen(parent);
	return strncmp(name, parent, len) == 0 && name[len] == separator ? name + len : NULL;
}

/* Whether renaming PARENT renames CHILD as wanted. */
static bool goes_along(const struct rename_pair *child, const struct rename_pair *parent)
{
	const char *rest = below(child->from->name, parent->from->name, '/');
	const char *rest_to = below(child->to->name, parent->to->name, '/');
	return child->side == parent->side && rest != NULL && rest_to != NULL &&
	       strcmp(rest, rest_to) == 0;
}

static int drop_intents(struct run *run, const struct mailbox *mailbox, struct err *err)
{
	struct intents intents = {0};
	int code = state_intents_load(run->session->state, mailbox->base.id, &intents, err);
	for (size_t i = 0; code == 0 && i < intents.count; i++) {
		if (intents.items[i].kind == INTENT_RENAME) {
			code = state_intent_drop(run->session->state, intents.items[i].id, err);
		}
	}
	state_intents_finish(&intents);
	return code;
}

static int add_intent(struct run *run, const struct rename_pair *pair, struct err *err)
{
	struct intent intent = {.kind = INTENT_RENAME,
				.mailbox = pair->from->base.id,
				.uidvalidity = pair->from->base.uidvalidity,
				.text = pair->to->name};
	return state_intent_add(run->session->state, &intent, err);
}

/* Base's half: FROM's rows are TO's; what was seen of TO alone is seen again. In a transaction. */
static int move_base(struct run *run, struct mailbox *from, struct mailbox *to, struct err *err)
{
	int code = to->in_base ? state_mailbox_drop(run->session->state, to->base.id, err) : 0;
	char *name = span_dup(span_of(to->name));
	if (code == 0 && name == NULL) {
		code = err_nomem(err);
	}
	if (code < 0) {
		free(name);
		return code;
	}
	free(from->base.name);
	from->base.name = name;
	code = state_mailbox_put(run->session->state, &from->base, err);
	return code < 0 ? code : drop_intents(run, from, err);
}

enum step {
	STEP_INTENT,
	STEP_BASE,
	STEP_FORGET
};

static int pair_step(struct run *run, const struct rename_pair *pair, enum step step,
		     struct err *err)
{
	switch (step) {
	case STEP_INTENT:
		return add_intent(run, pair, err);
	case STEP_BASE:
		return move_base(run, pair->from, pair->to, err);
	case STEP_FORGET:
		return drop_intents(run, pair->from, err);
	}
	return 0;
}

/* One step for a pair and all that go along with it, in one transaction. */
static int commit_step(struct renaming *renaming, const struct rename_pair *pair, enum step step,
		       struct err *err)
{
	struct run *run = renaming->run;
	int code = run_claim(run, err);
	if (code == 0) {
		code = state_begin(run->session->state, err);
	}
	if (code < 0) {
		return code;
	}
	code = pair_step(run, pair, step, err);
	for (size_t i = 0; code == 0 && i < renaming->pairs.count; i++) {
		const struct rename_pair *child = &renaming->pairs.items[i];
		if (!child->is_settled && goes_along(child, pair)) {
			code = pair_step(run, child, step, err);
		}
	}
	if (code < 0) {
		state_rollback(run->session->state);
		return code;
	}
	return state_commit(run->session->state, err);
}

/* Neither name takes part in this run. */
static int hold(struct renaming *renaming, struct rename_pair *pair, struct err *err)
{
	pair->is_settled = true;
	int code = strlist_add(&renaming->held, span_of(pair->from->name), err);
	return code < 0 ? code : strlist_add(&renaming->held, span_of(pair->to->name), err);
}

static int hold_failed(struct renaming *renaming, struct rename_pair *pair, struct err *err)
{
	struct err why = *err;
	err_prefix(&why, pair->side == SIDE_REMOTE
				 ? "the mailbox could not be renamed on the server"
				 : "the mailbox could not be renamed in the Maildir");
	run_report_error(renaming->run, pair->to, 0, &why);
	int code = commit_step(renaming, pair, STEP_FORGET, err);
	if (code == 0) {
		code = hold(renaming, pair, err);
	}
	/* A child renamed alone would take its parent's new name. */
	for (size_t i = 0; code == 0 && i < renaming->pairs.count; i++) {
		struct rename_pair *child = &renaming->pairs.items[i];
		if (!child->is_settled && goes_along(child, pair)) {
			code = hold(renaming, child, err);
		}
	}
	return code;
}

static int settle(struct renaming *renaming, struct rename_pair *pair, struct err *err)
{
	int code = commit_step(renaming, pair, STEP_BASE, err);
	for (size_t i = 0; code == 0 && i < renaming->pairs.count; i++) {
		struct rename_pair *child = &renaming->pairs.items[i];
		if (!child->is_settled && (child == pair || goes_along(child, pair))) {
			child->is_settled = true;
			code = strlist_add(&renaming->renamed, span_of(child->to->name), err);
		}
	}
	return code;
}

/* The server's side */

/* One command and its answer; a refusal is in DONE. */
static int answer(struct run *run, struct imap_done *done, struct err *err)
{
	imap_done_init(done);
	return imap_done_next(remote_imap(run->session->remote), done, err);
}

static int list_mailboxes(struct renaming *renaming, struct err *err)
{
	if (renaming->has_listing) {
		return 0;
	}
	int code = remote_list(renaming->run->session->remote, false, &renaming->listed, err);
	renaming->has_listing = code == 0;
	return code;
}

static bool is_listed(const struct renaming *renaming, const char *wire)
{
	for (size_t i = 0; i < renaming->listed.count; i++) {
		if (strcmp(renaming->listed.items[i].wire, wire) == 0) {
			return true;
		}
	}
	return false;
}

static bool wire_goes_along(const struct renaming *renaming, const struct rename_pair *pair,
			    const char *wire)
{
	for (size_t i = 0; i < renaming->pairs.count; i++) {
		const struct rename_pair *child = &renaming->pairs.items[i];
		if (strcmp(child->from->seen.wire == NULL ? "" : child->from->seen.wire, wire) ==
			    0 &&
		    goes_along(child, pair)) {
			return true;
		}
	}
	return false;
}

/* Children on the server that nobody renamed go back. A refusal shows in the next listing. */
static int put_back_remote(struct renaming *renaming, const struct rename_pair *pair,
			   const char *target, struct err *err)
{
	struct run *run = renaming->run;
	int code = 0;
	for (size_t i = 0; code == 0 && i < renaming->listed.count; i++) {
		const struct remote_mailbox *mailbox = &renaming->listed.items[i];
		const char *rest =
			below(mailbox->wire, pair->from->seen.wire, run->session->wire.separator);
		if (rest == NULL || (mailbox->attributes & REMOTE_NOSELECT) ||
		    wire_goes_along(renaming, pair, mailbox->wire)) {
			continue;
		}
		struct buf name;
		struct imap_done done;
		buf_init(&name, 2 * MBNAME_MAX);
		buf_printf(&name, "%s%s", target, rest);
		code = buf_status(&name, "a mailbox name", err);
		if (code == 0) {
			code = imap_rename_queue(remote_imap(run->session->remote), name.data,
						 mailbox->wire, 0, err);
		}
		if (code == 0) {
			code = answer(run, &done, err);
			imap_done_finish(&done);
		}
		buf_finish(&name);
	}
	return code;
}

/* Subscriptions are of names: they move too. Refusals do not matter. */
static int resubscribe(struct run *run, const char *from, const char *to, struct err *err)
{
	int code = imap_admin_queue(remote_imap(run->session->remote), IMAP_SUBSCRIBE, to, 0, err);
	if (code == 0) {
		code = imap_admin_queue(remote_imap(run->session->remote), IMAP_UNSUBSCRIBE, from,
					0, err);
	}
	while (code == 0 && imap_outstanding(remote_imap(run->session->remote)) > 0) {
		struct imap_done done;
		code = answer(run, &done, err);
		imap_done_finish(&done);
	}
	return code;
}

static int rename_remote(struct renaming *renaming, struct rename_pair *pair, const char *target,
			 struct err *err)
{
	struct run *run = renaming->run;
	struct imap_done done;
	int code = commit_step(renaming, pair, STEP_INTENT, err);
	if (code == 0) {
		code = imap_rename_queue(remote_imap(run->session->remote), pair->from->seen.wire,
					 target, 0, err);
	}
	if (code < 0) {
		return code;
	}
	code = answer(run, &done, err);
	if (code == 0 && done.status < 0) {
		*err = done.err;
		code = hold_failed(renaming, pair, err);
	} else if (code == 0) {
		code = put_back_remote(renaming, pair, target, err);
		if (code == 0) {
			code = settle(renaming, pair, err);
		}
		if (code == 0) {
			code = resubscribe(run, pair->from->seen.wire, target, err);
		}
	}
	imap_done_finish(&done);
	return code;
}

static int carry_out_remote(struct renaming *renaming, struct rename_pair *pair, struct err *err)
{
	struct buf target;
	int code = list_mailboxes(renaming, err);
	if (code < 0) {
		return code;
	}
	buf_init(&target, MBNAME_MAX);
	code = mbname_to_wire(&renaming->run->session->wire, pair->to->name, &target, err);
	if (code == 0 && !is_listed(renaming, target.data)) {
		code = rename_remote(renaming, pair, target.data, err);
	} else if (code < 0 && !run_is_fatal(err)) {
		code = 0; /* a name that the server cannot have, as one that it has: no rename */
	}
	buf_finish(&target);
	return code;
}

/* The Maildir's side */

static bool name_goes_along(const struct renaming *renaming, const struct rename_pair *pair,
			    const struct mailbox *mailbox)
{
	for (size_t i = 0; i < renaming->pairs.count; i++) {
		const struct rename_pair *child = &renaming->pairs.items[i];
		if (child->from == mailbox && goes_along(child, pair)) {
			return true;
		}
	}
	return false;
}

/* Children that the server still has under the old name keep it. */
static int put_back_local(struct renaming *renaming, const struct rename_pair *pair,
			  struct err *err)
{
	struct run *run = renaming->run;
	int code = 0;
	for (size_t i = 0; code == 0 && i < run->mailboxes.count; i++) {
		const struct mailbox *mailbox = &run->mailboxes.items[i];
		const char *rest = below(mailbox->name, pair->from->name, '/');
		if (rest == NULL || !mailbox->seen.in_local || !mailbox->seen.in_remote ||
		    name_goes_along(renaming, pair, mailbox)) {
			continue;
		}
		struct buf name;
		buf_init(&name, 2 * MBNAME_MAX);
		buf_printf(&name, "%s%s", pair->to->name, rest);
		code = buf_status(&name, "a mailbox name", err);
		if (code == 0) {
			code = maildir_rename_folder(run->session->maildir, name.data,
						     mailbox->name, err);
			code = code == -ERR_CHANGED ? 0 : code; /* it went back with its parent */
		}
		buf_finish(&name);
	}
	return code;
}

static int carry_out_local(struct renaming *renaming, struct rename_pair *pair, struct err *err)
{
	struct run *run = renaming->run;
	struct err why;
	int code = commit_step(renaming, pair, STEP_INTENT, err);
	if (code < 0) {
		return code;
	}
	code = maildir_rename_folder(run->session->maildir, pair->from->name, pair->to->name, err);
	if (code == -ERR_CHANGED) {
		return commit_step(renaming, pair, STEP_FORGET,
				   &why); /* the name is taken: no rename */
	}
	if (code < 0) {
		return run_is_fatal(err) && err->scope >= SCOPE_ACCOUNT
			     ? code
			     : hold_failed(renaming, pair, err);
	}
	code = put_back_local(renaming, pair, err);
	return code < 0 ? code : settle(renaming, pair, err);
}

/* Which pairs, and whether now */

static void report(struct run *run, const struct rename_pair *pair)
{
	struct buf why;
	buf_init(&why, 2 * MBNAME_MAX);
	buf_printf(&why, "renamed %s from %s",
		   pair->side == SIDE_REMOTE ? "locally" : "on the server", pair->from->name);
	struct plan_entry entry = {.mailbox = pair->to->name,
				   .op = pair->side == SIDE_REMOTE ? REPORT_RENAME_REMOTE
								   : REPORT_RENAME_LOCAL,
				   .why = why.data};
	run_report_plan(run, &entry);
	buf_finish(&why);
}

static int carry_out(struct renaming *renaming, struct rename_pair *pair, struct err *err)
{
	struct run *run = renaming->run;
	if (pair->is_settled || (run->account->create & run_sides(run) & pair->side) == 0 ||
	    below(pair->to->name, pair->from->name, '/') != NULL) {
		return 0;
	}
	bool is_left_out = pair->from->decided.exclusion != EXCLUDED_NOT ||
			   pair->to->decided.exclusion != EXCLUDED_NOT;
	if (is_left_out || (run->policy.create & pair->side) == 0) {
		log_line(run->log, LOG_INFO,
			 "%s/%s: renamed to %s; this run may not do that %s and leaves both alone",
			 run->account->name, pair->from->name, pair->to->name,
			 pair->side == SIDE_REMOTE ? "on the server" : "in the Maildir");
		return hold(renaming, pair, err);
	}
	if (run->options->dry_run) {
		report(run, pair);
		return hold(renaming, pair, err);
	}
	return pair->side == SIDE_REMOTE ? carry_out_remote(renaming, pair, err)
					 : carry_out_local(renaming, pair, err);
}

static int gather_again(struct renaming *renaming, struct err *err)
{
	struct run *run = renaming->run;
	mailboxes_finish(run);
	int code = run_discover(run, err);
	for (size_t i = 0; code == 0 && i < renaming->renamed.count; i++) {
		struct mailbox *mailbox = run_mailbox(run, renaming->renamed.items[i]);
		if (mailbox != NULL) {
			mailbox->done.has_news = true;
		}
	}
	return code;
}

static struct mailbox *mailbox_of_base(struct run *run, int64_t id)
{
	for (size_t i = 0; i < run->mailboxes.count; i++) {
		struct mailbox *mailbox = &run->mailboxes.items[i];
		if (mailbox->in_base && mailbox->base.id == id) {
			return mailbox;
		}
	}
	return NULL;
}

static int settle_intent(struct renaming *renaming, const struct intent *intent, struct err *err)
{
	struct run *run = renaming->run;
	struct mailbox *from = mailbox_of_base(run, intent->mailbox);
	struct mailbox *to = intent->text == NULL ? NULL : run_mailbox(run, intent->text);
	if (from == NULL || to == NULL || from->seen.in_local || from->seen.in_remote ||
	    !to->seen.in_local || !to->seen.in_remote) {
		int code = run_claim(run, err);
		return code < 0 ? code : state_intent_drop(run->session->state, intent->id, err);
	}
	struct rename_pair pair = {.from = from, .to = to};
	return settle(renaming, &pair, err);
}

/* Renames that a run was cut in. */
static int settle_intents(struct renaming *renaming, struct err *err)
{
	struct intents intents = {0};
	int code = state_intents_load(renaming->run->session->state, 0, &intents, err);
	bool any = false;
	for (size_t i = 0; code == 0 && i < intents.count; i++) {
		if (intents.items[i].kind == INTENT_RENAME) {
			any = true;
			code = settle_intent(renaming, &intents.items[i], err);
		}
	}
	state_intents_finish(&intents);
	return code < 0 || !any ? code : gather_again(renaming, err);
}

int rename_mailboxes(struct run *run, struct err *err)
{
	struct renaming renaming = {.run = run};
	strlist_init(&renaming.held);
	strlist_init(&renaming.renamed);
	int code = settle_intents(&renaming, err);
	if (code == 0) {
		code = rename_find(run, &renaming.pairs, err);
	}
	for (size_t i = 0; code == 0 && i < renaming.pairs.count; i++) {
		code = run_check_stop(run, err);
		if (code == 0) {
			code = carry_out(&renaming, &renaming.pairs.items[i], err);
		}
	}
	if (code == 0 && renaming.renamed.count > 0) {
		code = gather_again(&renaming, err);
	}
	for (size_t i = 0; code == 0 && i < renaming.held.count; i++) {
		struct mailbox *mailbox = run_mailbox(run, renaming.held.items[i]);
		if (mailbox != NULL) {
			mailbox_exclude(mailbox, EXCLUDED_WAITING);
		}
	}
	remote_mailboxes_finish(&renaming.listed);
	rename_pairs_finish(&renaming.pairs);
	strlist_finish(&renaming.renamed);
	strlist_finish(&renaming.held);
	return code;
}
