/* `restore`: which files are sent to the server again. */
#include "recover.h"

#include <string.h>

#include "mailsync/base/array.h"

#include "guard/guard.h"
#include "rules/effect.h"

/* A mailbox that is restored. */
struct restoring {
	struct run *run;
	struct mailbox *mailbox;
	struct state_contents there;
};

static int compare_contents(const void *key, const void *item)
{
	return memcmp(key, ((const struct state_content *)item)->content, ROW_CONTENT_SIZE);
}

/* Somebody has brought the message of ROW, missed since AT, back to the server, and a sync fetched
 * it as a new one. What was there twice before is lacking once. */
static bool came_back(const struct restoring *restoring, const struct row *row, struct told_time at)
{
	const struct state_contents *there = &restoring->there;
	const struct state_content *found =
		!row->has_content ? NULL
				  : array_find(there->items, there->count, sizeof(*found),
					       row->content, compare_contents);
	return found != NULL && (!at.is_told || found->since >= at.seconds);
}

/* Whether ROW, a file that the server lacks, was asked for. */
static int is_wanted(const struct restoring *restoring, const struct row *row, bool *is_wanted,
		     struct err *err)
{
	const struct restore_wanted *restore = restoring->run->options->restore;
	struct told_time at = {0};
	int code = state_missed_at(restoring->run->session->state, row->id, &at, err);
	bool is_asked = restore->all || (at.is_told && at.seconds >= restore->since);
	*is_wanted = code == 0 && is_asked && !(row->is_agreed && came_back(restoring, row, at));
	return code;
}

/* One that the server had is a new file from now on; it was missed there since it went. */
static int choose_row(struct run *run, struct row *row, struct err *err)
{
	struct row_ids *chosen = &run->restored;
	int code = ARRAY_RESERVE(&chosen->items, chosen->count + 1, &chosen->cap, err);
	if (code < 0) {
		return code;
	}
	chosen->items[chosen->count++] = row->id;
	if (!row->is_agreed) {
		return 0;
	}
	effect_brought_back(row);
	row_forget_emailid(row);
	return state_row_put(run->session->state, row, err);
}

static int choose_rows(const struct restoring *restoring, struct row_list *rows, struct err *err)
{
	struct run *run = restoring->run;
	struct mailbox *mailbox = restoring->mailbox;
	size_t before = run->restored.count;
	int code = run_begin(run, err);
	for (size_t i = 0; code == 0 && i < rows->count; i++) {
		struct row *row = &rows->items[i];
		bool is_due = false;
		if (row->local != MESSAGE_PRESENT || row->remote == MESSAGE_PRESENT) {
			continue;
		}
		if ((code = is_wanted(restoring, row, &is_due, err)) == 0 && is_due) {
			code = choose_row(run, row, err);
		}
	}
	if (code == 0 && run->restored.count > before) {
		mailbox->base.held_policy = 0;
		mailbox->open.has_new_rows = true;
		if ((code = mailbox_store(run, mailbox, err)) == 0) {
			code = state_mailbox_count(run->session->state, &mailbox->base, err);
		}
	}
	return state_end(run->session->state, code, err);
}

/* Where the server shows a part of the mailbox, what does not pair may lie below it (D31). */
static bool is_hidden(const struct run *run, const struct mailbox *mailbox)
{
	if (mailbox->seen.is_window) {
		log_line(run->log, LOG_WARN,
			 "%s/%s: the server shows its newest messages only, so nothing is sent",
			 run->account->name, mailbox->name);
	}
	return mailbox->seen.is_window;
}

static int choose_in(struct run *run, struct mailbox *mailbox, struct err *err)
{
	struct state_slice slice = {.most = run->options->slice_rows};
	struct restoring restoring = {.run = run, .mailbox = mailbox};
	struct row_list rows;
	row_list_init(&rows);
	int code =
		state_contents_load(run->session->state, mailbox->base.id, &restoring.there, err);
	while (code == 0 && !slice.is_last) {
		if ((code = state_rows_pending(run->session->state, mailbox->base.id, &slice, &rows,
					       err)) == 0 &&
		    rows.count > 0) {
			code = choose_rows(&restoring, &rows, err);
		}
	}
	row_list_finish(&rows);
	state_contents_finish(&restoring.there);
	return code;
}

int restore_choose(struct run *run, struct err *err)
{
	int code = 0;
	if (run->options->restore == NULL) {
		return 0;
	}
	for (size_t i = 0; code == 0 && i < run->mailboxes.count; i++) {
		struct mailbox *mailbox = &run->mailboxes.items[i];
		if (mailbox_is_active(mailbox) && mailbox->in_base && !is_hidden(run, mailbox)) {
			code = choose_in(run, mailbox, err);
		}
	}
	row_ids_sort(&run->restored);
	return code;
}
