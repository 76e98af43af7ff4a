/*
 * What the brake holds as gone from one side and what is new there (B14 of rules/brake.h): a server
 * that was restored gives its messages other UIDs, a user puts files back under other names. Only
 * what has the header digest of something new is read or asked for, so that a mailbox of which much
 * is held costs no more than its new messages.
 */
#include <stdlib.h>
#include <string.h>

#include "guard/guard.h"

#include "recover_private.h"

/* Rows of the one kind and of the other that may be the same message. */
struct held_pairing {
	struct pairing pairing;
	struct maildir_scan scan;
	struct row_list held;
	enum side lost; /* from where the rows that are looked at now are gone */
};

static bool is_held(const struct row *row, enum side lost)
{
	enum presence here = row->local;
	enum presence there = row->remote;
	return (row->held & HELD_REMOVAL) != 0 && row->is_agreed &&
	       (lost == SIDE_LOCAL ? here != MESSAGE_PRESENT && there == MESSAGE_PRESENT
				   : here == MESSAGE_PRESENT && there != MESSAGE_PRESENT);
}

/* A file without a place in the scan is not there any more. */
static int add_file(struct held_pairing *held, const struct row *row, struct err *err)
{
	const struct maildir_entry *entry = maildir_scan_find(&held->scan, span_of(row->unique));
	const struct pair_file file = {.row = row};
	struct pair_candidate candidate;
	if (entry == NULL || !pair_begin_local(&file, &candidate)) {
		return 0;
	}
	candidate.index = row->id;
	candidate.place = (size_t)(entry - held->scan.entries);
	int code = pairing_identify_file(&held->pairing, entry, &candidate, err);
	return code < 0 || !candidate.has_identity
		     ? code
		     : candidates_add(&held->pairing.locals, &candidate, err);
}

static int add_message(struct held_pairing *held, const struct row *row, struct err *err)
{
	struct pair_candidate candidate;
	pair_begin_remote(row, &candidate);
	candidate.index = row->id;
	return candidates_add(&held->pairing.remotes, &candidate, err);
}

/* What was planned before was looked at before. */
static bool is_fresh(const struct held_pairing *held, const struct row *row)
{
	bool is_untried = row->reason == REASON_NONE || row->reason == REASON_FAILED;
	return is_untried &&
	       (held->lost == SIDE_LOCAL ? pair_is_lone_file(row) : pair_is_lone_message(row));
}

static int add_fresh(struct held_pairing *held, struct err *err)
{
	struct pairing *pairing = &held->pairing;
	struct state_cursor *cursor = NULL;
	const struct row *row = NULL;
	int code = state_cursor_open(pairing->run->session->state, pairing->mailbox->base.id,
				     STATE_PENDING, &cursor, err);
	while (code == 0 && (code = state_cursor_next(cursor, &row, err)) == 0 && row != NULL) {
		if (is_fresh(held, row)) {
			code = held->lost == SIDE_LOCAL ? add_file(held, row, err)
							: add_message(held, row, err);
		}
	}
	state_cursor_close(&cursor);
	return code;
}

static bool may_be(const struct row *row, const struct candidates *fresh)
{
	bool is_one = !row->has_digest && fresh->count > 0;
	for (size_t i = 0; !is_one && i < fresh->count; i++) {
		const struct pair_candidate *candidate = &fresh->items[i];
		is_one = pair_is_nameless(candidate) ||
			 memcmp(candidate->digest, row->digest, ROW_DIGEST_SIZE) == 0;
	}
	return is_one;
}

static int add_held(struct held_pairing *held, struct err *err)
{
	struct pairing *pairing = &held->pairing;
	bool is_file = held->lost == SIDE_REMOTE;
	const struct candidates *fresh = is_file ? &pairing->remotes : &pairing->locals;
	int code = 0;
	for (size_t i = 0; code == 0 && i < held->held.count; i++) {
		const struct row *row = &held->held.items[i];
		if (is_held(row, held->lost) && may_be(row, fresh)) {
			code = is_file ? add_file(held, row, err) : add_message(held, row, err);
		}
	}
	return code;
}

/* All of them, or the mailbox waits: what is not known now would be copied again. */
static int identify_messages(struct pairing *pairing, struct err *err)
{
	struct candidates *remotes = &pairing->remotes;
	size_t known = 0;
	int code = remotes->count == 0
			 ? 0
			 : candidates_identify(pairing->remote, pairing->mailbox, remotes, err);
	for (size_t i = 0; i < remotes->count; i++) {
		known += remotes->items[i].has_identity;
	}
	return code < 0 || known == remotes->count
		     ? code
		     : err_set(err, ERR_PARTIAL, SCOPE_MAILBOX,
			       "the server does not tell whether new messages are those that the "
			       "brake holds as gone; they wait");
}

static int find(struct held_pairing *held, struct err *err)
{
	struct pairing *pairing = &held->pairing;
	struct candidates *locals = &pairing->locals;
	struct candidates *remotes = &pairing->remotes;
	bool asks_first = held->lost == SIDE_REMOTE;
	int code;
	if ((code = add_fresh(held, err)) < 0 ||
	    (code = asks_first ? identify_messages(pairing, err) : 0) < 0 ||
	    (code = add_held(held, err)) < 0 || locals->count == 0 || remotes->count == 0 ||
	    (code = asks_first ? 0 : identify_messages(pairing, err)) < 0 ||
	    (code = candidates_read(pairing->remote, remotes, locals, err)) < 0) {
		return code;
	}
	pair_match(locals->items, locals->count, remotes->items, remotes->count);
	return pairing_put_found(pairing, false, err);
}

/* What is back on the side LOST. */
static int pair_side(struct held_pairing *held, enum side lost, struct err *err)
{
	struct pairing *pairing = &held->pairing;
	bool has_any = false;
	held->lost = lost;
	pairing->remotes = (struct candidates){.run = pairing->run, .mailbox = pairing->mailbox};
	for (size_t i = 0; i < held->held.count; i++) {
		has_any |= is_held(&held->held.items[i], lost);
	}
	int code = has_any ? find(held, err) : 0;
	free(pairing->locals.items);
	free(pairing->remotes.items);
	free(pairing->unread.items);
	pairing->locals = (struct candidates){0};
	pairing->remotes = (struct candidates){0};
	pairing->unread = (struct candidates){0};
	return code;
}

int pair_held(struct run *run, struct remote *remote, struct mailbox *mailbox, struct err *err)
{
	struct held_pairing held = {
		.pairing = {.run = run, .remote = remote, .mailbox = mailbox, .has_base = true}};
	struct state *state = run->session->state;
	uint64_t count = 0;
	int code = 0;
	if (mailbox_is_active(mailbox) && mailbox->in_base && mailbox->seen.in == SIDE_BOTH &&
	    mailbox->base.pending > 0) {
		code = state_count_held(state, mailbox->base.id, &count, err);
	}
	if (code < 0 || count == 0) {
		return code;
	}
	row_list_init(&held.held);
	if ((code = state_rows_held(state, mailbox->base.id, &held.held, err)) == 0 &&
	    (code = mailbox_open_dir(run, mailbox, err)) == 0 &&
	    (code = maildir_folder_scan(mailbox->dir, &mailbox->base.keywords, &held.scan, err)) ==
		    0 &&
	    (code = pair_side(&held, SIDE_REMOTE, err)) == 0) {
		code = pair_side(&held, SIDE_LOCAL, err);
	}
	maildir_scan_finish(&held.scan);
	row_list_finish(&held.held);
	mailbox_release(mailbox);
	return code;
}
