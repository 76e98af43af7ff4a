/* Gathers what decides whether and how a mailbox is viewed (D13, D14, D20 to D22). */
#include "observe_private.h"

#include <string.h>

#include "observe.h"

int observe_keywords(struct run *run, struct err *err)
{
	static const char *const words[] = {
		[KEYWORDS_NO] = "no", [KEYWORDS_YES] = "yes", [KEYWORDS_PULL] = "pull"};
	const char *now = words[run->account->keywords];
	struct state *state = run->session->state;
	char value[16];
	int code = state_get(state, "keywords", value, sizeof(value), err);
	if (code < 0 || strcmp(value, now) == 0 || (code = state_begin(state, err)) < 0) {
		return code;
	}
	bool is_to_look = value[0] != '\0' && run->account->keywords != KEYWORDS_NO;
	if ((code = is_to_look ? state_look_again(state, err) : 0) == 0) {
		code = state_set(state, "keywords", now, err);
	}
	return state_end(state, code, err);
}

static int note_intents(struct run *run, struct err *err)
{
	struct intents intents = {0};
	int code = state_intents_load(run->session->state, 0, &intents, err);
	for (size_t i = 0; code == 0 && i < intents.count; i++) {
		struct mailbox *mailbox = run_mailbox_by_id(run, intents.items[i].mailbox);
		if (mailbox != NULL && !intent_is_of_removal(&intents.items[i])) {
			mailbox->open.has_intents = true;
		}
	}
	state_intents_finish(&intents);
	return code;
}

static bool is_ours(const struct row *row)
{
	struct maildir_unique ours;
	return maildir_unique_parse(span_of(row->unique), &ours) && !ours.is_pop3;
}

int observe_unjoined(struct run *run, struct mailbox *mailbox, bool any_name, bool *found,
		     struct err *err)
{
	struct state *state = run->session->state;
	struct state_cursor *cursor = NULL;
	const struct row *row = NULL;
	int code;
	*found = false;
	if ((code = state_begin(state, err)) < 0) {
		return code;
	}
	code = state_cursor_open(state, mailbox->base.id, STATE_PENDING, &cursor, err);
	while (code == 0 && !*found && (code = state_cursor_next(cursor, &row, err)) == 0 &&
	       row != NULL) {
		*found = local_is_unjoined(row, any_name || is_ours(row));
	}
	state_cursor_close(&cursor);
	state_rollback(state);
	return code;
}

static int note_pairing(struct run *run, struct mailbox *mailbox, struct err *err)
{
	const struct state_mailbox *base = &mailbox->base;
	enum pairing_need *need = &mailbox->decided.pairing;
	bool is_due = false;
	int code = 0;
	if (run->options->restore != NULL ||
	    local_must_pair_all(base->numbers.uidvalidity, base->synced_at, base->pending)) {
		*need = PAIRING_ALL;
	} else if (*need == PAIRING_NONE && base->pending > 0 &&
		   base->held_policy != run->policy.hash) {
		code = observe_unjoined(run, mailbox, false, &is_due, err);
		*need = is_due ? PAIRING_NAMED : PAIRING_NONE;
	}
	return code;
}

int view_needs_note(struct run *run, struct err *err)
{
	int code = note_intents(run, err);
	for (size_t i = 0; code == 0 && i < run->mailboxes.count; i++) {
		struct mailbox *mailbox = &run->mailboxes.items[i];
		code = mailbox->in_base ? note_pairing(run, mailbox, err) : 0;
	}
	return code;
}

/* What waits under this very policy, on a server that does not keep all flags. */
static bool has_refused_flags(const struct run *run, const struct state_mailbox *base)
{
	const uint64_t usual = FLAGS_SYSTEM & ~FLAG_FORWARDED;
	return base->pending > 0 && base->held_policy == run->policy.hash && base->has_permanent &&
	       run->policy.may_write_remote &&
	       (!base->permanent_any || (base->permanent_flags & usual) != usual);
}

static bool leaves_flags(const struct run *run, const struct mailbox *mailbox)
{
	const struct remote_mailboxes *told = run->options->flags_told;
	bool is_told = told == NULL || mailbox->wire == NULL;
	for (size_t i = 0; !is_told && i < told->count; i++) {
		is_told = strcmp(told->items[i].wire, mailbox->wire) == 0;
	}
	return !is_told;
}

struct view_facts view_facts_of(const struct run *run, const struct mailbox *mailbox)
{
	const struct mailbox_seen *seen = &mailbox->seen;
	return (struct view_facts){
		.base = mailbox->base.numbers,
		.told = seen->numbers,
		.has_counts = seen->has_counts,
		.has_intents = mailbox->open.has_intents,
		.must_pair = mailbox->decided.pairing != PAIRING_NONE,
		.lacks_folder = !(seen->in & SIDE_LOCAL),
		.has_refused_flags = has_refused_flags(run, &mailbox->base),
		.may_write = run->policy.may_write_remote,
		.has_local_changes = seen->has_local_changes,
		.has_pending = mailbox->base.pending > 0,
		.leaves_flags = leaves_flags(run, mailbox),
		.expunges = (run->policy.messages.expunge & SIDE_REMOTE) != 0,
	};
}
