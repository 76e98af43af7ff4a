/* Pairing of mailboxes: matches their candidates and writes down what came of it. */
#include <stdlib.h>

#include "guard/guard.h"
#include "rules/effect.h"

#include "recover_private.h"

/* What is sent and gone and would only match a nameless one goes (W14). */
static int drop_nameless_sent(struct pairing *pairing, struct err *err)
{
	struct candidates *locals = &pairing->locals;
	const struct candidates *remotes = &pairing->remotes;
	for (size_t i = 0; i < locals->count; i++) {
		struct pair_candidate *local = &locals->items[i];
		local->has_identity &=
			local->place != PAIR_NO_FILE ||
			!pair_is_nameless_there(local, remotes->items, remotes->count);
	}
	return candidates_part(locals, NULL, err);
}

/* W16. One that cannot be read whole is as little known as one without a header. */
static int read_nameless(struct pairing *pairing, struct err *err)
{
	const struct candidates *locals = &pairing->locals;
	struct candidates *remotes = &pairing->remotes;
	int code = candidates_read(pairing->remote, remotes, locals, err);
	for (size_t i = 0; i < remotes->count; i++) {
		struct pair_candidate *remote = &remotes->items[i];
		remote->has_identity = remote->has_content ||
				       !pair_wants_content(remote, locals->items, locals->count);
	}
	return code < 0 ? code : candidates_part(remotes, &pairing->missing, err);
}

/* Who the messages are that may have a partner. */
static int identify_remotes(struct pairing *pairing, struct err *err)
{
	struct remote *remote = pairing->remote;
	struct candidates *remotes = &pairing->remotes;
	int code = 0;
	if (remotes->count == 0 ||
	    (code = candidates_identify(remote, pairing->mailbox, remotes, err)) < 0 ||
	    (code = candidates_verify(remote, remotes, err)) < 0 ||
	    (code = candidates_part(remotes, &pairing->missing, err)) < 0 ||
	    (code = drop_nameless_sent(pairing, err)) < 0) {
		return code;
	}
	return read_nameless(pairing, err);
}

/* ROW's file as it was matched; NULL: it took no part. */
static const struct pair_candidate *local_of(const struct pairing *pairing, int64_t row)
{
	for (size_t i = 0; i < pairing->locals.count; i++) {
		if (pairing->locals.items[i].index == row) {
			return &pairing->locals.items[i];
		}
	}
	return NULL;
}

/* What becomes of the file that INTENT is about, once what could be paired is. */
static int settle_row(struct pairing *pairing, const struct intent *intent, struct row *row,
		      struct err *err)
{
	const struct candidates *remotes = &pairing->remotes;
	const struct pair_candidate *local = local_of(pairing, row->id);
	struct pair_sent sent = {
		.row = row,
		.is_ambiguous = local != NULL && local->is_ambiguous,
		.is_late = pairing->is_first,
		.has_strangers =
			pair_has_strangers(intent_bound(intent), remotes->items, remotes->count),
	};
	enum pair_fate fate = pair_fate(&sent);
	switch (fate) {
	case PAIR_STAYS:
		return 0;
	case PAIR_CHANGED:
		pairing_report_file(
			pairing, "server took the file", row,
			"and made of it what does not look like it; it is not sent again");
		return 0;
	case PAIR_NOT_TAKEN:
		pairing->mailbox->open.has_new_rows |= intent->kind == INTENT_APPEND;
		return 0;
	case PAIR_UNKEPT:
		pairing->unkept++;
		effect_held(row, REASON_FAILED);
		break;
	case PAIR_NEW:
		effect_held(row, REASON_NONE);
		break;
	}
	return state_row_put(pairing->run->session->state, row, err);
}

/* A COPY or MOVE that was carried out: its original has to go, if it has not. */
static int settle_move(struct pairing *pairing, const struct intent *intent, uint32_t uid,
		       struct err *err)
{
	uint64_t original = 0;
	if (intent->text == NULL || !span_to_u64(span_of(intent->text), &original)) {
		return 0;
	}
	pairing->mailbox->done.counts.moved += pairing->is_first;
	return move_note_original(pairing->run, (int64_t)original, pairing->mailbox, uid, err);
}

/* What was carried out. Uploads that were known to be taken are counted already. */
static int settle_done(struct pairing *pairing, const struct intent *intent, const struct row *row,
		       struct err *err)
{
	const struct pair_candidate *local = local_of(pairing, row->id);
	if (intent->kind != INTENT_APPEND) {
		return settle_move(pairing, intent, row->uid, err);
	}
	pairing->mailbox->done.counts.uploaded +=
		!pairing->is_first && local != NULL && local->is_taken && !local->was_sent;
	return 0;
}

static int settle_intent(struct pairing *pairing, const struct intent *intent, struct err *err)
{
	struct state *state = pairing->run->session->state;
	struct row row;
	bool found = false;
	row_init(&row);
	int code = state_row_by_id(state, intent->row, &row, &found, err);
	bool is_known = !found || row.is_agreed ||
			(!pairing_is_unread(pairing, row.id) &&
			 !pair_has_any_from(intent_bound(intent), pairing->missing.items,
					    pairing->missing.count) &&
			 !pair_has_any_from(intent_bound(intent), pairing->lately.items,
					    pairing->lately.count));
	if (code == 0 && found && is_known) {
		code = row.is_agreed ? settle_done(pairing, intent, &row, err)
				     : settle_row(pairing, intent, &row, err);
	}
	row_finish(&row);
	pairing->mailbox->open.has_intents |= !is_known;
	return code < 0 || !is_known ? code : state_intent_drop(state, intent->id, err);
}

/* While the header of one that may be it could not be had, or its file not be read, nothing is
 * known to be missing. */
static int settle_intents(struct pairing *pairing, struct err *err)
{
	int code = 0;
	pairing->mailbox->open.has_intents = false;
	for (size_t i = 0; code == 0 && i < pairing->intents.count; i++) {
		code = settle_intent(pairing, &pairing->intents.items[i], err);
	}
	return code;
}

/* *IS_SO: something comes of it, and not only that what was refused was not done (R32). */
static int comes_to_something(const struct pairing *pairing, bool *is_so, struct err *err)
{
	const struct candidates *locals = &pairing->locals;
	int code = 0;
	*is_so = pairing->unread.count > 0 || pairing->unwanted.count > 0;
	for (size_t i = 0; i < locals->count; i++) {
		*is_so |= locals->items[i].is_taken || locals->items[i].is_ambiguous;
	}
	for (size_t i = 0; code == 0 && !*is_so && i < pairing->intents.count; i++) {
		struct row row;
		row_init(&row);
		code = state_row_by_id(pairing->run->session->state, pairing->intents.items[i].row,
				       &row, is_so, err);
		*is_so &= row.is_agreed;
		row_finish(&row);
	}
	return code;
}

static int commit(struct pairing *pairing, struct err *err)
{
	struct mailbox *mailbox = pairing->mailbox;
	struct state *state = pairing->run->session->state;
	bool is_something = true;
	int code = comes_to_something(pairing, &is_something, err);
	mailbox->base.held_policy = 0;
	if (code < 0 || (is_something && (code = run_claim(pairing->run, err)) < 0)) {
		return code;
	}
	if ((code = state_begin(state, err)) == 0 &&
	    (code = pairing_put_locals(pairing, err)) == 0 &&
	    (code = pairing_put_waiting(pairing, err)) == 0 &&
	    (code = settle_intents(pairing, err)) == 0 &&
	    (code = mailbox_store(pairing->run, mailbox, err)) == 0) {
		code = state_mailbox_count(state, &mailbox->base, err);
	}
	return state_end(state, code, err);
}

/* Which rows may be pairs; where there are any of both sides, who the files are. */
static int gather(struct pairing *pairing, struct err *err)
{
	struct gathering gathering;
	int code;
	if ((code = gathering_begin(&gathering, pairing, err)) == 0 &&
	    (code = pairing_match_named(&gathering, err)) == 0) {
		code = gathering_add_files(&gathering, err);
	}
	gathering_finish(&gathering);
	return code < 0 ? code : gathering_add_messages(&gathering, err);
}

static int pairing_run(struct pairing *pairing, struct err *err)
{
	struct candidates *locals = &pairing->locals;
	struct candidates *remotes = &pairing->remotes;
	struct intents *intents = &pairing->intents;
	int code;
	if ((code = intents_load(pairing->run, pairing->mailbox, false, intents, err)) < 0 ||
	    (code = gather(pairing, err)) < 0) {
		return code;
	}
	if ((code = identify_remotes(pairing, err)) < 0) {
		return code;
	}
	pair_match(locals->items, locals->count, remotes->items, remotes->count);
	bool has_any = locals->count > 0 || intents->count > 0 || pairing->unwanted.count > 0 ||
		       pairing->unread.count > 0;
	return has_any ? commit(pairing, err) : 0;
}

static void report_unkept(struct pairing *pairing)
{
	struct mailbox *mailbox = pairing->mailbox;
	struct err why;
	if (pairing->unkept == 0) {
		return;
	}
	if (pairing->is_first) {
		log_line(
			pairing->run->log, LOG_WARN,
			"%s/%s: the server took %zu of our messages in an earlier run, as it said, "
			"and does not have them; they are sent again",
			pairing->run->account->name, mailbox->name, pairing->unkept);
		return;
	}
	err_set(&why, ERR_PARTIAL, SCOPE_MAILBOX,
		"the server took %zu of our messages, as it said, and does not have them; the next "
		"run sends them again",
		pairing->unkept);
	mailbox->open.failures++;
	run_report_error(pairing->run, mailbox, 0, &why);
}

/* FIRST: before this run did anything itself. */
static int pair_one(struct run *run, struct remote *remote, struct mailbox *mailbox, bool is_first,
		    struct err *err)
{
	struct pairing pairing = {
		.run = run,
		.remote = remote,
		.mailbox = mailbox,
		.has_base = mailbox->decided.pairing != PAIRING_ALL,
		.remotes = {.run = run, .mailbox = mailbox},
		.is_first = is_first,
	};
	int code = pairing_run(&pairing, err);
	report_unkept(&pairing);
	mailbox->done.was_paired |= !pairing.has_base; /* a later one takes up less */
	mailbox->decided.pairing = PAIRING_NONE;
	state_intents_finish(&pairing.intents);
	free(pairing.locals.items);
	free(pairing.remotes.items);
	free(pairing.missing.items);
	free(pairing.unwanted.items);
	free(pairing.unseen.items);
	free(pairing.unread.items);
	free(pairing.lately.items);
	mailbox_release(mailbox);
	return code;
}

int pair_mailbox(struct run *run, struct remote *remote, struct mailbox *mailbox, struct err *err)
{
	return pair_one(run, remote, mailbox, false, err);
}

static bool is_due(const struct mailbox *mailbox)
{
	return mailbox_is_active(mailbox) && mailbox->in_base && (mailbox->seen.in & SIDE_LOCAL) &&
	       mailbox->seen.was_viewed &&
	       (mailbox->decided.pairing != PAIRING_NONE || mailbox->open.has_intents);
}

/* W24: pairs the mailboxes, too, that such files have come to. */
static int note_moved(struct run *run, struct err *err)
{
	struct state *state = run->session->state;
	struct state_moves moves = {0};
	int code = state_moves_load(state, 0, &moves, err);
	for (size_t i = 0; code == 0 && i < moves.count; i++) {
		struct row fresh;
		bool is_so = false, found = false;
		row_init(&fresh);
		code = pairing_is_of_gone(state, &moves.items[i], &is_so, err);
		if (code == 0 && is_so) {
			code = state_row_by_id(state, moves.items[i].new_row, &fresh, &found, err);
		}
		struct mailbox *to = found ? run_mailbox_by_id(run, fresh.mailbox) : NULL;
		if (to != NULL && to->decided.pairing == PAIRING_NONE) {
			to->decided.pairing = PAIRING_NAMED;
		}
		row_finish(&fresh);
	}
	state_moves_finish(&moves);
	return code;
}

int pair_mailboxes(struct run *run, struct err *err)
{
	int code = note_moved(run, err);
	for (size_t i = 0; code == 0 && i < run->mailboxes.count; i++) {
		struct mailbox *mailbox = &run->mailboxes.items[i];
		if ((code = run_check_stop(run, err)) == 0 && is_due(mailbox)) {
			code = pair_one(run, run->session->remote, mailbox, true, err);
		}
		code = code < 0 ? code : pair_held(run, run->session->remote, mailbox, err);
		if (code < 0 && (code = run_outlives(run, mailbox, code, NULL, err)) == 0) {
			/* Unpaired, it would be copied both ways. */
			mailbox_exclude(mailbox, EXCLUDED_FAILED);
		}
	}
	return code;
}
