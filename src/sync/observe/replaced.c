/*
 * Which mailboxes stand on the server under the name of another one that base knows (M53), since
 * they were swapped or shifted there, and whose MAILBOXIDs say nothing (M37). Once a run, before
 * renames are looked for.
 */
#include "observe_private.h"

#include <stdlib.h>
#include <string.h>

/* Ids of the mailboxes, in base or on the server, sorted. */
struct ids {
	const char **items;
	size_t count;
};

static int compare_ids(const void *x, const void *y)
{
	return strcmp(*(const char *const *)x, *(const char *const *)y);
}

static int ids_gather(const struct run *run, bool of_base, struct ids *ids, struct err *err)
{
	ids->items = calloc(run->mailboxes.count + 1, sizeof(*ids->items));
	if (ids->items == NULL) {
		return err_nomem(err);
	}
	for (size_t i = 0; i < run->mailboxes.count; i++) {
		const struct mailbox *mailbox = &run->mailboxes.items[i];
		const char *id = of_base ? mailbox->base.mailboxid : mailbox->seen.mailboxid;
		if (id != NULL) {
			ids->items[ids->count++] = id;
		}
	}
	qsort(ids->items, ids->count, sizeof(*ids->items), compare_ids);
	return 0;
}

/* Two mailboxes bear ID. */
static bool is_shared_in(const struct ids *ids, const char *id)
{
	const char **found = bsearch(&id, ids->items, ids->count, sizeof(id), compare_ids);
	return found != NULL &&
	       ((found > ids->items && strcmp(found[-1], id) == 0) ||
		(found + 1 < ids->items + ids->count && strcmp(found[1], id) == 0));
}

static bool is_shared(const struct ids *known, const struct ids *there, const char *id)
{
	return id != NULL && (is_shared_in(known, id) || is_shared_in(there, id));
}

struct mailbox_evidence mailbox_evidence_of(const struct mailbox *known, const struct mailbox *now)
{
	bool has_ids = known->base.mailboxid != NULL && now->seen.mailboxid != NULL;
	return (struct mailbox_evidence){
		.has_ids = has_ids,
		.is_shared_id = has_ids && (known->seen.shares_known_id || now->seen.shares_id),
		.is_same_id = has_ids && strcmp(known->base.mailboxid, now->seen.mailboxid) == 0,
		.base = known->base.numbers,
		.now = now->seen.numbers,
	};
}

static bool is_untold(const struct mailbox *mailbox)
{
	return mailbox->in_base && mailbox->wire != NULL && (mailbox->seen.in & SIDE_REMOTE) &&
	       !mailbox->seen.numbers.uidvalidity.is_told;
}

/* Of all that the listing did not tell, in one turn. */
static int ask_numbers(struct run *run, struct err *err)
{
	size_t most = run->mailboxes.count + 1;
	struct mailbox **untold = calloc(most, sizeof(*untold));
	const char **wires = calloc(most, sizeof(*wires));
	struct remote_counts *counts = calloc(most, sizeof(*counts));
	size_t count = 0;
	int code = untold == NULL || wires == NULL || counts == NULL ? err_nomem(err) : 0;
	for (size_t i = 0; code == 0 && i < run->mailboxes.count; i++) {
		struct mailbox *mailbox = &run->mailboxes.items[i];
		if (is_untold(mailbox)) {
			untold[count] = mailbox;
			wires[count++] = mailbox->wire;
		}
	}
	if (code == 0 && count > 0) {
		code = remote_count_names(run->session->remote, wires, count, counts, err);
	}
	for (size_t i = 0; counts != NULL && i < count; i++) {
		if (code == 0) {
			mailbox_take_counts(&untold[i]->seen, &counts[i]);
		}
		remote_counts_finish(&counts[i]);
	}
	free(counts);
	free(wires);
	free(untold);
	return code;
}

/* Only where one is gone or new it can be that others have new names, unless opening them showed
 * that (begins_anew). */
static int take_numbers(struct run *run, struct err *err)
{
	bool is_due = run->seen.asks_numbers;
	bool has_untold = false;
	for (size_t i = 0; i < run->mailboxes.count; i++) {
		const struct mailbox *mailbox = &run->mailboxes.items[i];
		const struct mailbox_facts facts = mailbox_facts(run, mailbox);
		has_untold |= is_untold(mailbox);
		is_due |= mailbox_is_lost(&facts, SIDE_REMOTE) ||
			  (mailbox_is_new(&facts, SIDE_REMOTE) &&
			   (run->policy.mailboxes.create_ever & SIDE_LOCAL) != 0);
	}
	run->seen.lacks_numbers = has_untold && !is_due;
	return is_due && has_untold ? ask_numbers(run, err) : 0;
}

int mailboxes_note_replaced(struct run *run, struct err *err)
{
	struct ids known = {0};
	struct ids there = {0};
	int code = take_numbers(run, err);
	code = code < 0 ? code : ids_gather(run, true, &known, err);
	code = code < 0 ? code : ids_gather(run, false, &there, err);
	for (size_t i = 0; code == 0 && i < run->mailboxes.count; i++) {
		struct mailbox *mailbox = &run->mailboxes.items[i];
		mailbox->seen.shares_known_id = is_shared(&known, &there, mailbox->base.mailboxid);
		mailbox->seen.shares_id = is_shared(&known, &there, mailbox->seen.mailboxid);
	}
	for (size_t i = 0; code == 0 && i < run->mailboxes.count; i++) {
		struct mailbox *mailbox = &run->mailboxes.items[i];
		const struct mailbox_evidence evidence = mailbox_evidence_of(mailbox, mailbox);
		if (mailbox->in_base && (mailbox->seen.in & SIDE_REMOTE) &&
		    mailbox_is_another(&evidence)) {
			mailbox->seen.replaced |= SIDE_REMOTE;
		}
	}
	free(known.items);
	free(there.items);
	return code < 0 ? code : mailboxes_note_replaced_here(run, err);
}
