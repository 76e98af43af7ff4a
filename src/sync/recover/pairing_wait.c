/* What waits to be known: messages whose header the server did not tell and files that may be these
 * (W19), files that cannot be read and messages that may be these (W23). */
#include "guard/guard.h"
#include "rules/effect.h"

#include "recover_private.h"

/* A lone file's or message's row: WAITS, or does not any more. */
static int put_row(struct pairing *pairing, int64_t id, bool waits, struct err *err)
{
	struct state *state = pairing->run->session->state;
	struct row row;
	bool found = false;
	row_init(&row);
	int code = state_row_by_id(state, id, &row, &found, err);
	if (code == 0 && found && waits != (row.reason == REASON_UNIDENTIFIED)) {
		effect_held(&row, waits ? REASON_UNIDENTIFIED : REASON_NONE);
		code = state_row_put(state, &row, err);
	}
	row_finish(&row);
	return code;
}

/* W23 */
static bool waits_for_file(const struct pairing *pairing, const struct pair_candidate *remote)
{
	return !remote->is_taken &&
	       pair_message_waits(remote, pairing->has_base, pairing->unread.items,
				  pairing->unread.count);
}

/* Of these only those wait any more that may be an unread file. Those that were paired are no rows
 * of their own now. */
static int release(struct pairing *pairing, const struct candidates *candidates, struct err *err)
{
	int code = 0;
	for (size_t i = 0; code == 0 && i < candidates->count; i++) {
		const struct pair_candidate *candidate = &candidates->items[i];
		bool waits = waits_for_file(pairing, candidate);
		if (candidate->has_waited != waits && !candidate->is_taken) {
			code = put_row(pairing, candidate->index, waits, err);
		}
	}
	return code;
}

/* W21, W22 */
static bool is_hidden(const struct pairing *pairing, const struct pair_candidate *local)
{
	bool is_below_window =
		pairing->mailbox->seen.is_window && (!pairing->has_base || local->has_waited);
	return pair_file_is_hidden(local, is_below_window, pairing->unseen.items,
				   pairing->unseen.count) ||
	       pair_file_waits(local, pairing->has_base, pairing->lately.items,
			       pairing->lately.count);
}

static bool has_intent(const struct pairing *pairing, const struct pair_candidate *local)
{
	for (size_t i = 0; i < pairing->intents.count; i++) {
		if (pairing->intents.items[i].row == local->index) {
			return true;
		}
	}
	return false;
}

/* What was sent waits by its intent. */
static int put_files(struct pairing *pairing, size_t *waiting, struct err *err)
{
	const struct candidates *locals = &pairing->locals;
	int code = 0;
	for (size_t i = 0; code == 0 && i < locals->count; i++) {
		const struct pair_candidate *local = &locals->items[i];
		bool waits = pair_file_waits(local, pairing->has_base, pairing->missing.items,
					     pairing->missing.count);
		bool is_left = !local->is_taken && !local->is_ambiguous;
		*waiting += waits;
		waits |= is_hidden(pairing, local);
		if (is_left && waits != local->has_waited && !has_intent(pairing, local)) {
			code = put_row(pairing, local->index, waits, err);
		}
	}
	return code;
}

static int put_messages(struct pairing *pairing, bool has_waiting, struct err *err)
{
	const struct candidates *missing = &pairing->missing;
	const struct candidates *locals = &pairing->locals;
	int code = 0;
	for (size_t i = 0; code == 0 && i < missing->count; i++) {
		const struct pair_candidate *remote = &missing->items[i];
		bool waits = waits_for_file(pairing, remote) ||
			     (has_waiting && pair_message_waits(remote, pairing->has_base,
								locals->items, locals->count));
		if (waits != remote->has_waited) {
			code = put_row(pairing, remote->index, waits, err);
		}
	}
	return code;
}

static bool may_be_any(const struct pairing *pairing, const struct pair_candidate *file,
		       const struct candidates *remotes)
{
	for (size_t i = 0; i < remotes->count; i++) {
		const struct pair_candidate *remote = &remotes->items[i];
		if (!remote->is_taken && pair_file_waits(file, pairing->has_base, remote, 1)) {
			return true;
		}
	}
	return false;
}

static int put_unread(struct pairing *pairing, struct err *err)
{
	int code = 0;
	for (size_t i = 0; code == 0 && i < pairing->unread.count; i++) {
		const struct pair_candidate *file = &pairing->unread.items[i];
		bool waits = may_be_any(pairing, file, &pairing->remotes) ||
			     may_be_any(pairing, file, &pairing->missing) ||
			     is_hidden(pairing, file);
		if (waits != file->has_waited && !has_intent(pairing, file)) {
			code = put_row(pairing, file->index, waits, err);
		}
	}
	return code;
}

static void report(struct pairing *pairing, size_t waiting)
{
	struct err why = pairing->remotes.why;
	char words[ERR_TEXT_SIZE];
	snprintf(words, sizeof(words), "%s", why.code == 0 ? "" : why.text);
	err_set(&why, ERR_TEMPORARY, SCOPE_MAILBOX,
		"the server did not tell the headers of %zu messages that may be among %zu files "
		"here; these and those wait%s%s",
		pairing->missing.count, waiting, words[0] == '\0' ? "" : ": ", words);
	run_report_error(pairing->run, pairing->mailbox, 0, &why);
}

/* The connection ends on each of what is missing: that is told of them, where it is to be told. */
static bool are_suspects(const struct pairing *pairing)
{
	bool are_all = suspects_are_any(pairing->run);
	for (size_t i = 0; are_all && i < pairing->missing.count; i++) {
		are_all = suspects_place(pairing->run, SUSPECT_MESSAGE, pairing->mailbox->name,
					 pairing->missing.items[i].index) != SUSPECT_GOES;
	}
	return are_all;
}

int pairing_put_waiting(struct pairing *pairing, struct err *err)
{
	size_t waiting = 0;
	int code;
	if ((code = put_files(pairing, &waiting, err)) < 0 ||
	    (code = put_messages(pairing, waiting > 0, err)) < 0 ||
	    (code = put_unread(pairing, err)) < 0 ||
	    (code = release(pairing, &pairing->remotes, err)) < 0 ||
	    (code = release(pairing, &pairing->unwanted, err)) < 0) {
		return code;
	}
	if (waiting > 0 && !are_suspects(pairing)) {
		report(pairing, waiting);
	}
	return 0;
}
