#include "pairing.h"

#include <stdlib.h>
#include <string.h>

#include "guard/guard.h"
#include "rules/effect.h"

#include "pairing_private.h"

const struct pair_ref *pair_ref(const struct pair_side *side,
				const struct pair_candidate *candidate)
{
	return &side->refs[candidate->index];
}

void pair_keep_identified(struct pair_side *side)
{
	size_t kept = 0;
	for (size_t i = 0; i < side->count; i++) {
		if (side->items[i].has_identity) {
			side->items[kept++] = side->items[i];
		}
	}
	side->count = kept;
}

static void side_finish(struct pair_side *side)
{
	free(side->items);
	free(side->refs);
	*side = (struct pair_side){0};
}

/* The file's row takes the message's in. */
static int join_rows(struct state *state, struct row *row, struct row *remote,
		     const struct pair_candidate *local, struct err *err)
{
	char *emailid = row->emailid;
	effect_uploaded(row, remote->uid, remote->remote_flags);
	row->has_digest = !local->has_content; /* rows hold the header's */
	memcpy(row->digest, local->digest, ROW_DIGEST_SIZE);
	row->emailid = remote->emailid;
	remote->emailid = emailid;
	int code = state_row_drop(state, remote->id, err);
	return code < 0 ? code : state_row_put(state, row, err);
}

static int put_pair(struct pairing *pairing, const struct pair_candidate *local, struct err *err)
{
	struct state *state = pairing->run->session->state;
	int64_t id = pair_ref(&pairing->locals, local)->row;
	int64_t remote_id = pairing->remotes.refs[local->partner].row;
	struct row row;
	struct row remote;
	bool has_row = false;
	bool has_remote = false;
	int code;
	row_init(&row);
	row_init(&remote);
	if ((code = state_row_by_id(state, id, &row, &has_row, err)) < 0 ||
	    (code = state_row_by_id(state, remote_id, &remote, &has_remote, err)) < 0) {
		goto finish;
	}
	if (has_row && has_remote) {
		code = join_rows(state, &row, &remote, local, err);
	}
finish:
	row_finish(&row);
	row_finish(&remote);
	return code;
}

static int put_ambiguous(struct pairing *pairing, const struct pair_candidate *local,
			 struct err *err)
{
	struct state *state = pairing->run->session->state;
	struct row row;
	struct err why;
	bool found = false;
	row_init(&row);
	int code =
		state_row_by_id(state, pair_ref(&pairing->locals, local)->row, &row, &found, err);
	if (code == 0 && found) {
		err_set(&why, ERR_PARTIAL, SCOPE_MESSAGE,
			"the file %s and another one look like the same message on the server; it "
			"is not sent",
			row.unique);
		run_report_error(pairing->run, pairing->mailbox, 0, &why);
		effect_held(&row, REASON_AMBIGUOUS);
		code = state_row_put(state, &row, err);
	}
	row_finish(&row);
	return code;
}

static int put_locals(struct pairing *pairing, struct err *err)
{
	int code = 0;
	for (size_t i = 0; code == 0 && i < pairing->locals.count; i++) {
		const struct pair_candidate *local = &pairing->locals.items[i];
		if (local->is_taken) {
			code = put_pair(pairing, local, err);
		} else if (local->is_ambiguous) {
			code = put_ambiguous(pairing, local, err);
		}
	}
	return code;
}

static bool is_ambiguous(const struct pairing *pairing, int64_t row)
{
	const struct pair_side *locals = &pairing->locals;
	for (size_t i = 0; i < locals->count; i++) {
		const struct pair_candidate *local = &locals->items[i];
		if (local->is_ambiguous && pair_ref(locals, local)->row == row) {
			return true;
		}
	}
	return false;
}

/* What becomes of the file that INTENT is about, once what could be paired is. */
static int settle_row(struct pairing *pairing, const struct intent *intent, struct row *row,
		      struct err *err)
{
	struct pair_sent sent = {
		.row = row,
		.is_ambiguous = is_ambiguous(pairing, row->id),
		.is_late = pairing->is_late,
		.has_strangers = pair_has_strangers(intent->uid_bound, pairing->remotes.items,
						    pairing->remotes.count),
	};
	struct err why;
	switch (pair_fate(&sent)) {
	case PAIR_STAYS:
		return 0;
	case PAIR_CHANGED:
		err_set(&why, ERR_PARTIAL, SCOPE_MESSAGE,
			"the server took the file %s and made of it what does not look like it; it "
			"is not sent again",
			row->unique);
		run_report_error(pairing->run, pairing->mailbox, 0, &why);
		return 0;
	case PAIR_NEW:
		effect_held(row, REASON_NONE);
		return state_row_put(pairing->run->session->state, row, err);
	}
	return 0;
}

static int settle_intent(struct pairing *pairing, const struct intent *intent, struct err *err)
{
	struct state *state = pairing->run->session->state;
	struct row row;
	bool found = false;
	row_init(&row);
	int code = state_row_by_id(state, intent->row, &row, &found, err);
	if (code == 0 && found) {
		code = settle_row(pairing, intent, &row, err);
	}
	row_finish(&row);
	return code < 0 ? code : state_intent_drop(state, intent->id, err);
}

/* While some header could not be had nothing is known to be missing. */
static int settle_intents(struct pairing *pairing, struct err *err)
{
	int code = 0;
	if (pairing->headers_missing) {
		return 0;
	}
	for (size_t i = 0; code == 0 && i < pairing->intents.count; i++) {
		code = settle_intent(pairing, &pairing->intents.items[i], err);
	}
	pairing->mailbox->seen.has_intents = false;
	return code;
}

static int commit(struct pairing *pairing, struct err *err)
{
	struct mailbox *mailbox = pairing->mailbox;
	struct state *state = pairing->run->session->state;
	int code;
	if ((code = run_claim(pairing->run, err)) < 0 || (code = state_begin(state, err)) < 0) {
		return code;
	}
	mailbox->base.held_policy = 0;
	if ((code = put_locals(pairing, err)) < 0 || (code = settle_intents(pairing, err)) < 0 ||
	    (code = mailbox_store(pairing->run, mailbox, err)) < 0) {
		goto finish;
	}
	code = state_mailbox_count(state, &mailbox->base, err);
finish:
	return state_end(state, code, err);
}

/* Those of the trash are settled elsewhere. */
static int load_intents(struct pairing *pairing, struct err *err)
{
	struct intents *intents = &pairing->intents;
	size_t kept = 0;
	int code = state_intents_load(pairing->run->session->state, pairing->mailbox->base.id,
				      intents, err);
	for (size_t i = 0; i < intents->count; i++) {
		if (intent_is_of_trash(&intents->items[i])) {
			free(intents->items[i].text);
		} else {
			intents->items[kept++] = intents->items[i];
		}
	}
	intents->count = kept;
	return code;
}

static int pairing_run(struct pairing *pairing, struct err *err)
{
	struct pair_side *locals = &pairing->locals;
	struct pair_side *remotes = &pairing->remotes;
	int code;
	if ((code = load_intents(pairing, err)) < 0 || (code = pairing_gather(pairing, err)) < 0) {
		return code;
	}
	if (locals->count == 0) {
		remotes->count = 0;
	} else if ((code = pairing_identify_remotes(pairing, err)) < 0) {
		return code;
	}
	pair_match(locals->items, locals->count, remotes->items, remotes->count);
	return locals->count > 0 || pairing->intents.count > 0 ? commit(pairing, err) : 0;
}

static int pair_one(struct run *run, struct remote *remote, struct mailbox *mailbox, bool is_late,
		    struct err *err)
{
	struct pairing pairing = {
		.run = run,
		.remote = remote,
		.mailbox = mailbox,
		.has_base = mailbox->decided.pairing != PAIRING_ALL,
		.is_late = is_late,
	};
	int code = pairing_run(&pairing, err);
	mailbox->done.was_paired = !pairing.has_base;
	mailbox->decided.pairing = PAIRING_NONE;
	state_intents_finish(&pairing.intents);
	side_finish(&pairing.locals);
	side_finish(&pairing.remotes);
	mailbox_release(mailbox);
	return code;
}

int pair_mailbox(struct run *run, struct remote *remote, struct mailbox *mailbox, struct err *err)
{
	return pair_one(run, remote, mailbox, false, err);
}

static bool is_due(const struct mailbox *mailbox)
{
	return mailbox_is_active(mailbox) && mailbox->in_base && mailbox->seen.in_local &&
	       mailbox->seen.was_viewed &&
	       (mailbox->decided.pairing != PAIRING_NONE || mailbox->seen.has_intents);
}

int pair_mailboxes(struct run *run, struct err *err)
{
	struct session *session = run->session;
	int code = 0;
	for (size_t i = 0; code == 0 && i < run->mailboxes.count; i++) {
		struct mailbox *mailbox = &run->mailboxes.items[i];
		if (!is_due(mailbox)) {
			continue;
		}
		code = run_check_stop(run, err);
		if (code == 0) {
			code = pair_one(run, session->remote, mailbox, session->was_unclean, err);
		}
		if (code < 0 && !run_is_fatal(err)) {
			run_report_error(run, mailbox, 0, err);
			/* Unpaired, it would be copied both ways. */
			mailbox_exclude(mailbox, EXCLUDED_FAILED);
			code = 0;
		}
	}
	return code;
}
