/*
 * Folders that bear the name of another one that base knows, since folders here were renamed to
 * names that others had (M57). Where no folder is missing nothing tells that from messages that
 * were moved, and as such it is carried out.
 */
#include "observe_private.h"

#define SAMPLE_MAX 8

static bool has_lost(const struct run *run)
{
	bool is_any = false;
	for (size_t i = 0; i < run->mailboxes.count; i++) {
		const struct mailbox_facts facts = mailbox_facts(run, &run->mailboxes.items[i]);
		is_any |= mailbox_is_lost(&facts, SIDE_LOCAL);
	}
	return is_any;
}

/* Another directory is in its place, which may be a copy of it as well. */
static int is_other_directory(struct run *run, const struct mailbox *mailbox, bool *is_so,
			      struct err *err)
{
	struct stamp stamp;
	*is_so = false;
	if (!mailbox->in_base || !mailbox->base.had_local || !mailbox->base.has_stamp ||
	    !(mailbox->seen.in & SIDE_LOCAL)) {
		return 0;
	}
	int code = maildir_stat(run->session->maildir, mailbox->name, &stamp, err);
	if (code == 0) {
		const struct stamp_folder known = stamp_folder_of(&mailbox->base.stamp);
		const struct stamp_folder now = stamp_folder_of(&stamp);
		*is_so = !stamp_folder_equal(&known, &now);
	}
	return code;
}

/* How much of base's sample is in the folder, by name. */
static int look_for_own(struct run *run, struct mailbox *mailbox, struct sample_found *sample,
			struct err *err)
{
	struct maildir_scan scan = {0};
	struct row_list rows;
	struct keywords ignored;
	row_list_init(&rows);
	keywords_init(&ignored);
	int code = state_rows_sample(run->session->state, mailbox->base.id, SAMPLE_MAX, &rows, err);
	code = code < 0 ? code : mailbox_open_dir(run, mailbox, err);
	code = code < 0 ? code : maildir_folder_scan(mailbox->dir, &ignored, &scan, err);
	sample->count = rows.count;
	for (size_t i = 0; code == 0 && i < rows.count; i++) {
		sample->found += maildir_scan_find(&scan, span_of(rows.items[i].unique)) != NULL;
	}
	maildir_scan_finish(&scan);
	mailbox_release(mailbox);
	keywords_finish(&ignored);
	row_list_finish(&rows);
	return code;
}

int mailboxes_note_replaced_here(struct run *run, struct err *err)
{
	int code = 0;
	if (!has_lost(run)) {
		return 0;
	}
	for (size_t i = 0; code == 0 && i < run->mailboxes.count; i++) {
		struct mailbox *mailbox = &run->mailboxes.items[i];
		struct sample_found sample = {0};
		bool is_other = false;
		code = is_other_directory(run, mailbox, &is_other, err);
		code = code < 0 || !is_other ? code : look_for_own(run, mailbox, &sample, err);
		if (code == 0 && is_other && folder_is_another(&sample)) {
			mailbox->seen.replaced |= SIDE_LOCAL;
		} else if (code < 0 && !run_is_fatal_in_folder(err)) {
			code = 0; /* it is told of when it is read */
		}
	}
	return code;
}
