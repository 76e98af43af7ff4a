/* Writes down which file is which message. */
#include <string.h>

#include "guard/guard.h"
#include "rules/effect.h"

#include "recover_private.h"

void pairing_report_file(struct pairing *pairing, const char *before, const struct row *row,
			 const char *after)
{
	struct err why;
	err_set(&why, ERR_PARTIAL, SCOPE_MESSAGE, "the %s %s %s", before, row->unique, after);
	run_report_error(pairing->run, pairing->mailbox, 0, &why);
}

/* What the file's row knows of its content. Of one that was sent that is noted already, as it was
 * then: it may be another by now. */
static void note_content(struct row *row, const struct pair_candidate *local)
{
	const struct file_mark mark = row->mark;
	if (row->has_digest) {
		return;
	}
	row->has_digest = !local->has_content; /* rows hold the header's */
	memcpy(row->digest, local->digest, ROW_DIGEST_SIZE);
	row_set_file(row, &mark, local->has_content ? local->content : NULL);
}

/* The server's, by which the message is known where it is moved there (V10): a file that others
 * brought may have any time. */
static struct told_time date_of_pair(const struct row *file, const struct row *message)
{
	return message->date.is_told && !pair_is_unseen(message) ? message->date : file->date;
}

/* The file's row takes the message's in. */
static int put_pair(struct state *state, struct row *row, const struct pair_candidate *local,
		    struct err *err)
{
	struct row remote;
	bool found = false;
	row_init(&remote);
	int code = state_row_by_id(state, local->partner, &remote, &found, err);
	if (code == 0 && found) {
		char *emailid = row->emailid;
		effect_uploaded(row, remote.uid, remote.remote_flags);
		note_content(row, local);
		row->date = date_of_pair(row, &remote);
		row->emailid = remote.emailid;
		remote.emailid = emailid;
		if ((code = state_row_drop(state, remote.id, err)) == 0) {
			code = state_row_put(state, row, err);
		}
	}
	row_finish(&remote);
	return code;
}

static int put_local(struct pairing *pairing, const struct pair_candidate *local, struct err *err)
{
	struct state *state = pairing->run->session->state;
	struct row row;
	bool found = false;
	row_init(&row);
	int code = state_row_by_id(state, local->index, &row, &found, err);
	if (code == 0 && found && local->is_taken) {
		code = put_pair(state, &row, local, err);
	} else if (code == 0 && found) {
		pairing_report_file(
			pairing, "file", &row,
			"and another one look like the same message on the server; it is not "
			"sent");
		effect_held(&row, REASON_AMBIGUOUS);
		code = state_row_put(state, &row, err);
	}
	row_finish(&row);
	return code;
}

int pairing_put_locals(struct pairing *pairing, struct err *err)
{
	int code = 0;
	for (size_t i = 0; code == 0 && i < pairing->locals.count; i++) {
		const struct pair_candidate *local = &pairing->locals.items[i];
		if (local->is_taken || local->is_ambiguous) {
			code = put_local(pairing, local, err);
		}
	}
	return code;
}

/* In a transaction that is open. Counting reads all that is pending. */
static int put_mailbox(struct pairing *pairing, struct err *err)
{
	struct mailbox *mailbox = pairing->mailbox;
	int code = mailbox_store(pairing->run, mailbox, err);
	return code < 0 ? code
			: state_mailbox_count(pairing->run->session->state, &mailbox->base, err);
}

int pairing_put_found(struct pairing *pairing, bool is_part, struct err *err)
{
	struct run *run = pairing->run;
	size_t taken = 0;
	for (size_t i = 0; i < pairing->locals.count; i++) {
		pairing->locals.items[i].is_ambiguous = false;
		taken += pairing->locals.items[i].is_taken;
	}
	int code = taken == 0 ? 0 : run_begin(run, err);
	if (code < 0 || taken == 0) {
		return code;
	}
	pairing->mailbox->base.held_policy = 0;
	code = pairing_put_locals(pairing, err);
	code = code < 0 || is_part ? code : put_mailbox(pairing, err);
	return state_end(run->session->state, code, err);
}

int pairing_put_parts(struct pairing *pairing, struct err *err)
{
	int code = run_begin(pairing->run, err);
	return code < 0 ? code
			: state_end(pairing->run->session->state, put_mailbox(pairing, err), err);
}
