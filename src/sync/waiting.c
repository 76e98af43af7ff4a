#include "waiting.h"

#include <inttypes.h>
#include <string.h>

/* What keeps messages waiting, and the way on. */
static const char *const texts[] = {
	[REASON_NONE] = "for the next sync",
	[REASON_POLICY] =
		"as `direction`, `copy`, `flags` or `delete` do not carry them over; those "
		"keys do",
	[REASON_TOO_LARGE] = "larger than `max_message_size`: a larger value lets them through",
	[REASON_TOO_OLD] = "older than `max_age`: a longer one lets them through",
	[REASON_DELETED] = "marked as deleted, and `expunge` would remove them: take the mark away "
			   "to have them",
	[REASON_BRAKE] = "for the deletion brake",
	[REASON_FAILED] = "as they failed: each sync tries again, and says why",
	[REASON_OBSTACLE] = "as the server does not take or do it: `mailsync status` has its words",
	[REASON_AMBIGUOUS] =
		"as several messages look alike, so that it is not known which is which: "
		"remove one of the copies",
	[REASON_UNIDENTIFIED] = "as the server does not give a header: each sync asks again",
	[REASON_UNSEEN] = "as the server lists them and does not show them: each sync asks again",
	[REASON_UNPROVEN] = "to be seen on the server, which took them: the next sync looks",
	[REASON_SUSPECT] =
		"as the connection ended on them: they are tried once a day, and `mailsync "
		"status` tells when",
};

static const char *text_of(const struct state_waiting_entry *entry)
{
	if (entry->held & HELD_REMOVAL) {
		return "to be removed, held by the deletion brake: `mailsync sync "
		       "--allow-mass-delete` removes them, `--bring-back` copies them again";
	}
	if (entry->held & HELD_FLAGS) {
		return "with flags to be cleared, held by the deletion brake: `mailsync sync "
		       "--allow-mass-delete` clears them, `--bring-back` sets them again";
	}
	if (entry->is_kept_here && entry->reason == REASON_POLICY) {
		return "kept here, which the server has no more: `mailsync restore` sends them";
	}
	if (entry->is_lost_here && entry->reason == REASON_POLICY) {
		return "gone here, which the server has: `mailsync verify --repair` fetches them, "
		       "`--accept-missing` says that it is well";
	}
	return entry->reason <= REASON_SUSPECT ? texts[entry->reason] : "";
}

static int add(struct strlist *lines, const char *mailbox, uint64_t messages, const char *text,
	       struct err *err)
{
	struct buf line;
	int code;

	buf_init(&line, 512);
	buf_printf(&line, "%s: %" PRIu64 " message%s wait%s: %s", mailbox, messages,
		   messages == 1 ? "" : "s", messages == 1 ? "s" : "", text);
	code = buf_status(&line, "a line", err);
	code = code < 0 ? code : strlist_add(lines, buf_span(&line), err);
	buf_finish(&line);
	return code;
}

static int tell_mailboxes(struct state *state, struct strlist *lines, struct err *err)
{
	struct state_mailboxes known = {0};
	struct buf line;
	int code = state_mailboxes_load(state, &known, err);

	buf_init(&line, 512);
	for (size_t i = 0; code == 0 && i < known.count; i++) {
		if (known.items[i].held == SIDE_NONE) {
			continue;
		}
		buf_clear(&line);
		buf_printf(&line,
			   "%s: the mailbox is to be removed, held by the deletion brake: "
			   "`mailsync sync --allow-mass-delete` removes it, `--bring-back` makes "
			   "it again",
			   known.items[i].name);
		code = strlist_add(lines, buf_span(&line), err);
	}
	buf_finish(&line);
	state_mailboxes_finish(&known);
	return code;
}

int waiting_tell(struct state *state, struct strlist *lines, struct err *err)
{
	struct state_waiting waiting = {0};
	int code = state_waiting_load(state, &waiting, err);

	for (size_t i = 0; code == 0 && i < waiting.count; i++) {
		const struct state_waiting_entry *entry = &waiting.items[i];
		code = add(lines, entry->mailbox, entry->messages, text_of(entry), err);
	}
	state_waiting_finish(&waiting);
	return code < 0 ? code : tell_mailboxes(state, lines, err);
}
