/* What the state database says of an account, and that its user has heard it. */
#include <stdlib.h>
#include <string.h>

#include "mailsync/state/state.h"
#include "mailsync/sync/sync.h"

#include "run/run.h"

#include "health.h"

void status_finish(struct status *status)
{
	for (size_t i = 0; i < status->count; i++) {
		free(status->items[i].name);
		free(status->items[i].trouble);
		free(status->items[i].refusal);
	}
	free(status->items);
	strlist_finish(&status->notes);
	*status = (struct status){0};
}

/* What is left out for good, with the words of the first. */
static int fill_refused(struct state *state, int64_t mailbox, struct status_entry *entry,
			struct err *err)
{
	struct refusals refusals = {0};
	int code = state_refusals_load(state, mailbox, &refusals, err);
	for (size_t i = 0; code == 0 && i < refusals.count; i++) {
		if (!refusal_is_lasting(&refusals.items[i])) {
			continue;
		}
		entry->refused++;
		if (entry->refusal == NULL &&
		    (entry->refusal = span_dup(span_of(refusals.items[i].words))) == NULL) {
			code = err_nomem(err);
		}
	}
	refusals_finish(&refusals);
	return code;
}

/* What was confirmed, and when the first of these is tried again. */
static int fill_suspects(struct state *state, struct status_entry *entry, struct err *err)
{
	struct state_suspects known = {0};
	int code = state_suspects_load(state, &known, err);
	for (size_t i = 0; code == 0 && i < known.count; i++) {
		const struct state_suspect *suspect = &known.items[i];
		if (suspect->mark.runs == 0 || strcmp(suspect->mailbox, entry->name) != 0) {
			continue;
		}
		int64_t next = suspect_next_try(suspect->kind, &suspect->mark);
		bool is_first = entry->suspects == 0 || next < entry->next_try;
		entry->next_try = is_first ? next : entry->next_try;
		entry->suspects++;
	}
	state_suspects_finish(&known);
	return code;
}

static int fill_entry(const struct account *account, struct state *state,
		      const struct state_mailbox *mailbox, struct status_entry *entry,
		      struct err *err)
{
	entry->name = span_dup(span_of(mailbox->name));
	entry->trouble = mailbox->trouble == NULL ? NULL : span_dup(span_of(mailbox->trouble));
	entry->synced_at = mailbox->synced_at;
	entry->pending = mailbox->pending;
	entry->skipped = mailbox->skipped;
	if (entry->name == NULL) {
		return err_nomem(err);
	}
	int code = fill_suspects(state, entry, err);
	if (code < 0) {
		return code;
	}
	if (account->is_pop3) {
		/* No rows are agreed on: what the server still had at the end counts. */
		entry->messages = mailbox->numbers.messages.number;
		return 0;
	}
	code = state_count_held(state, mailbox->id, &entry->held, err);
	if (code == 0) {
		code = state_count_agreed(state, mailbox->id, &entry->messages, err);
	}
	if (code == 0) {
		code = fill_refused(state, mailbox->id, entry, err);
	}
	/* One whose removal is held is held whole. */
	entry->held = mailbox->held != SIDE_NONE ? entry->messages : entry->held;
	return code;
}

static int fill(const struct account *account, struct state *state,
		const struct state_mailboxes *known, struct status *status, struct err *err)
{
	int code = 0;
	status->items = calloc(known->count + 1, sizeof(*status->items));
	if (status->items == NULL) {
		return err_nomem(err);
	}
	for (size_t i = 0; code == 0 && i < known->count; i++) {
		status->count = i + 1;
		code = fill_entry(account, state, &known->items[i], &status->items[i], err);
	}
	return code;
}

static int fill_notes(const struct account *account, struct state *state, struct status *status,
		      struct err *err)
{
	struct state_proofs proofs = {0};
	int code = state_proofs_count(state, &proofs, err);
	code = code < 0 ? code : health_quota(state, &status->quota, err);
	status->has_space = health_space(account, &status->free_bytes);
	status->oldest_proof = proofs.unproven > 0 ? 0 : proofs.oldest;
	status->unproven = proofs.unproven;
	code = code < 0 ? code : health_notes(state, &status->notes, err);
	return code < 0 ? code : health_add_space(account, &status->notes, err);
}

int sync_was_heard(const struct account *account, const struct sync_options *options,
		   struct err *err)
{
	char path[FILE_PATH_SIZE];
	struct state *state = NULL;
	account_path(account, options, ".db", path);
	int code = state_open(&state, path, STATE_WRITE, err);
	code = code < 0 ? code : state_refusals_hear(state, err);
	code = code < 0 ? code : silence_held_heard(state, err);
	state_close(&state);
	return code;
}

void sync_put_off(const struct account *account, const struct sync_options *options, bool *is_borne)
{
	char path[FILE_PATH_SIZE], lock_path[FILE_PATH_SIZE];
	struct state *state = NULL;
	struct file_lock lock;
	struct err ignored;
	account_path(account, options, ".db", path);
	account_path(account, options, ".lock", lock_path);
	file_lock_init(&lock);
	*is_borne = false;
	int code = file_lock_acquire(&lock, lock_path, false, options->stop, &ignored);
	if (code == -ERR_LOCKED) {
		*is_borne = true; /* the other run tells */
	} else if (code == 0 && state_open(&state, path, STATE_READ, &ignored) == 0) {
		state_close(&state); /* there is one, and so it can be written */
		if (state_open(&state, path, STATE_WRITE, &ignored) == 0) {
			(void)silence_note_failure(state, account->patience_s, is_borne, &ignored);
		}
	}
	state_close(&state);
	file_lock_finish(&lock);
}

int sync_status(const struct account *account, const struct sync_options *options,
		struct status *status, struct err *err)
{
	char path[FILE_PATH_SIZE];
	struct state *state = NULL;
	struct state_mailboxes known = {0};
	struct status result = {0};
	int code;
	account_path(account, options, ".db", path);
	if ((code = state_open(&state, path, STATE_READ, err)) < 0 ||
	    (code = state_mailboxes_load(state, &known, err)) < 0 ||
	    (code = fill(account, state, &known, &result, err)) < 0 ||
	    (code = fill_notes(account, state, &result, err)) < 0) {
		status_finish(&result);
		goto finish;
	}
	*status = result;
finish:
	state_mailboxes_finish(&known);
	state_close(&state);
	return code;
}
