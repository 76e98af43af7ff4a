/* Moves in the Maildir: what was moved on the server. */
#include "act_private.h"

#include <stdio.h>
#include <string.h>

#include "observe/observe.h"
#include "rules/effect.h"

/* A file on its way. */
struct carrying {
	struct run *run;
	const struct move *move;
	const struct row *gone;
	struct maildir_transfer transfer;
	struct local_flags
		told;          /* of the file's name; the transfer's as far as they have letters */
	struct file_look look; /* OTHER: it stays */
};

static bool may_have_others(const struct carrying *carrying)
{
	return carrying->move->from->base.names.has_doubles;
}

/* Of several names the one that speaks (C9). */
static int find_name(const struct carrying *carrying, char name[MAILDIR_NAME_MAX + 1], bool *in_new,
		     struct err *err)
{
	struct mailbox *from = carrying->move->from;
	const struct local_facts facts = letter_facts_of(carrying->run, from);
	const struct maildir_entry *known = NULL;
	struct maildir_scan scan = {0};
	int code = 0;
	if (may_have_others(carrying) &&
	    (code = maildir_folder_scan(from->dir, &from->base.keywords, &scan, err)) == 0 &&
	    (known = observe_known_name(&scan, &facts, carrying->gone)) != NULL) {
		snprintf(name, MAILDIR_NAME_MAX + 1, "%s", known->name);
		*in_new = known->in_new;
	}
	maildir_scan_finish(&scan);
	return code < 0 || known != NULL
		     ? code
		     : maildir_folder_find(from->dir, span_of(carrying->gone->unique), name, in_new,
					   err);
}

/* C6: its other names go with it. What holds another message, or cannot be read, stays. */
static int remove_others(const struct carrying *carrying, struct err *err)
{
	struct maildir_folder *from = carrying->move->from->dir;
	char name[MAILDIR_NAME_MAX + 1];
	struct maildir_entry entry = {.name = name};
	int code = may_have_others(carrying) ? 0 : -ERR_CHANGED;
	while (code == 0) {
		struct file_look look = {.verdict = CONTENT_UNKNOWN};
		if ((code = maildir_folder_find(from, span_of(carrying->gone->unique), name,
						&entry.in_new, err)) == 0 &&
		    (code = observe_file(from, carrying->gone, &entry, &look, err)) == 0) {
			code = look.verdict == CONTENT_SAME
				     ? maildir_folder_remove(from, name, entry.in_new, err)
				     : -ERR_CHANGED;
		}
	}
	return code == -ERR_CHANGED || !run_is_fatal(err) ? 0 : code;
}

/* The file under the name that it has now, with the flags which that tells. */
static int transfer_file(struct carrying *carrying, struct err *err)
{
	const struct move *move = carrying->move;
	struct maildir_transfer *transfer = &carrying->transfer;
	struct local_flags *told = &carrying->told;
	char name[MAILDIR_NAME_MAX + 1];
	struct maildir_entry entry = {.name = name};
	struct keywords *from = &move->from->base.keywords;
	struct keywords *to = &move->to->base.keywords;
	struct maildir_told letters;
	int code = 0;
	if ((code = mailbox_open_dir(carrying->run, move->from, err)) < 0 ||
	    (code = mailbox_open_dir(carrying->run, move->to, err)) < 0 ||
	    (code = find_name(carrying, name, &entry.in_new, err)) < 0 ||
	    (code = observe_file(move->from->dir, carrying->gone, &entry, &carrying->look, err)) <
		    0 ||
	    carrying->look.verdict == CONTENT_OTHER ||
	    (code = maildir_folder_read_letters(move->from->dir, name, entry.in_new, from, &letters,
						err)) < 0) {
		return code;
	}
	const struct local_facts facts = letter_facts_of(carrying->run, move->from);
	const struct local_file file = local_file_of(&letters);
	told->flags =
		keywords_translate(local_flags_of(&facts, &file, carrying->gone).flags, from, to);
	if ((code = maildir_folder_grant(move->to->dir, told->flags, to, &transfer->flags, err)) <
	    0) {
		return code;
	}
	told->unlettered = 0;
	transfer->file = name;
	transfer->in_new = entry.in_new;
	transfer->from = move->from->dir;
	transfer->to = move->to->dir;
	transfer->keywords = to;
	return maildir_transfer(transfer, err);
}

#define TRANSFER_TRIES 3 /* a MUA may rename it between our look and our act */

/* The gone row's file goes along, under the name that a download would give it. Durable. */
static int carry_file(struct carrying *carrying, struct err *err)
{
	const struct move *move = carrying->move;
	int code = -ERR_CHANGED;
	for (int i = 0; code == -ERR_CHANGED && i < TRANSFER_TRIES; i++) {
		code = transfer_file(carrying, err);
	}
	if (code < 0 || carrying->look.verdict == CONTENT_OTHER ||
	    (code = maildir_folder_sync_names(move->to->dir, err)) < 0 ||
	    (code = remove_others(carrying, err)) < 0) {
		return code;
	}
	return maildir_folder_sync_names(move->from->dir, err);
}

/* Without `keywords` no letter is waited for. */
static void note_letters(struct carrying *carrying, struct row *gone)
{
	const struct move *move = carrying->move;
	struct local_flags *told = &carrying->told;
	uint64_t lacking = told->flags & ~carrying->transfer.flags;
	if (carrying->run->account->keywords == KEYWORDS_NO) {
		told->unlettered = lacking;
	} else {
		effect_letters_wait(gone, told, lacking, &move->from->base.keywords,
				    &move->to->base.keywords);
	}
}

static int commit_file(struct run *run, const struct move *move, struct move_rows *rows,
		       struct err *err)
{
	struct state *state = run->session->state;
	int code;
	if ((code = state_begin(state, err)) == 0 &&
	    (code = state_row_drop(state, rows->gone.id, err)) == 0 &&
	    (code = state_row_put(state, &rows->fresh, err)) == 0) {
		code = state_mailbox_put(state, &move->to->base, err); /* keywords may be new */
	}
	return state_end(state, code, err);
}

int move_carry_file(struct run *run, struct move *move, struct err *err)
{
	char unique[MAILDIR_UNIQUE_MAX + 1];
	char key[MAILDIR_KEY_SIZE];
	struct move_rows rows;
	struct carrying carrying = {
		.run = run, .move = move, .gone = &rows.gone, .transfer.unique = unique};
	move->state = MOVE_TRIED; /* where it fails the next run looks again */
	int code = move_rows_load(run, &move->pair, &rows, err);
	if (code < 0 || !rows.are_there) {
		goto finish;
	}
	if ((code = maildir_folder_key(run->account->name, move->to->name, key, err)) < 0 ||
	    (code = maildir_unique_make(unique, key,
					(uint32_t)move->to->base.numbers.uidvalidity.number,
					rows.fresh.uid, err)) < 0 ||
	    (code = carry_file(&carrying, err)) < 0) {
		goto finish;
	}
	if (carrying.look.verdict == CONTENT_OTHER) {
		/* No move: the message is fetched at its new place, and the file stays. */
		move->state = MOVE_DONE;
		code = act_file_is_other(run, move->from, &rows.gone, &carrying.look.file, err);
		goto finish;
	}
	if ((code = row_set_unique(&rows.fresh, unique, strlen(unique), err)) < 0) {
		goto finish;
	}
	note_letters(&carrying, &rows.gone);
	effect_moved_here(&rows.gone, &rows.fresh, &carrying.told, &move->from->base.keywords,
			  &move->to->base.keywords);
	if ((code = commit_file(run, move, &rows, err)) == 0) {
		move->to->done.counts.moved++;
		move->state = MOVE_DONE;
	}
finish:
	move_rows_finish(&rows);
	return code == -ERR_CHANGED ? 0 : run_outlives(run, move->to, code, NULL, err);
}
