/* What a file holds, read only where a doubt is left (rules/content_rules.h). */
#include "observe.h"

#include <string.h>

/* The file could not be read: a matter of this message alone. */
static int tell_unread(const struct row *row, struct err *err)
{
	struct err why = *err;
	return err_set(err, ERR_PARTIAL, SCOPE_MESSAGE,
		       "the file %s is not as it was left, and cannot be read (%s); it stays",
		       row->unique, why.text);
}

int observe_file(struct maildir_folder *dir, const struct row *row,
		 const struct maildir_entry *entry, struct file_look *look, struct err *err)
{
	struct maildir_reading reading;
	struct content_facts facts = {.was_read = false};
	int code = maildir_folder_stat_file(dir, entry->name, entry->in_new, &look->file, err);
	if (code < 0) {
		goto finish;
	}
	facts.mark = maildir_file_mark(&look->file);
	if (content_is_in_doubt(row, &facts.mark) &&
	    (code = maildir_folder_read(dir, entry->name, entry->in_new, &reading, err)) == 0) {
		look->file = reading.file;
		facts.was_read = true;
		facts.mark = maildir_file_mark(&reading.file);
		memcpy(facts.digest, reading.identity.digest, sizeof(facts.digest));
		memcpy(facts.content, reading.content, sizeof(facts.content));
	}
finish:
	look->verdict = code < 0 ? CONTENT_UNKNOWN : content_verdict(row, &facts);
	return code == 0 || err->code == ERR_CHANGED || err->code == ERR_NOMEM
		     ? code
		     : tell_unread(row, err);
}

void folder_look_finish(struct folder_look *folder)
{
	if (folder->mailbox != NULL) {
		maildir_scan_finish(&folder->scan);
		mailbox_release(folder->mailbox);
	}
	*folder = (struct folder_look){0};
}

static int look_into(struct run *run, struct folder_look *folder, struct mailbox *mailbox,
		     struct err *err)
{
	int code;
	if (folder->mailbox == mailbox) {
		return 0;
	}
	folder_look_finish(folder);
	if ((code = mailbox_open_dir(run, mailbox, err)) < 0 ||
	    (code = maildir_folder_scan(mailbox->dir, &mailbox->base.keywords, &folder->scan,
					err)) < 0) {
		mailbox_release(mailbox);
		return code;
	}
	folder->mailbox = mailbox;
	return 0;
}

int observe_moved(struct run *run, struct folder_look *folder, struct mailbox *mailbox,
		  const struct move_rows *rows, enum content_verdict *verdict, struct err *err)
{
	const struct maildir_entry *entry = NULL;
	struct file_look look = {.verdict = CONTENT_UNKNOWN};
	int code = 0;
	if (!content_is_in_doubt(&rows->gone, &rows->fresh.mark)) {
		look.verdict = CONTENT_SAME;
	} else if ((code = look_into(run, folder, mailbox, err)) == 0) {
		entry = maildir_scan_find(&folder->scan, span_of(rows->fresh.unique));
	}
	if (entry != NULL) {
		code = observe_file(mailbox->dir, &rows->gone, entry, &look, err);
	}
	*verdict = look.verdict;
	return code == -ERR_CHANGED ? 0 : run_outlives(run, mailbox, code, NULL, err);
}

int observe_content(struct run *run, struct folder_look *folder, struct mailbox *mailbox,
		    struct state_trace *fresh, bool *is_told, struct err *err)
{
	const struct maildir_entry *entry = NULL;
	struct maildir_reading reading;
	struct row row;
	row_init(&row);
	*is_told = false;
	int code = state_row_by_id(run->session->state, fresh->row, &row, is_told, err);
	if (code == 0 && *is_told && (code = look_into(run, folder, mailbox, err)) == 0) {
		entry = maildir_scan_find(&folder->scan, span_of(row.unique));
	}
	*is_told = entry != NULL;
	if (entry != NULL && (code = maildir_folder_read(mailbox->dir, entry->name, entry->in_new,
							 &reading, err)) == 0) {
		memcpy(fresh->content, reading.content, ROW_CONTENT_SIZE);
	}
	row_finish(&row);
	/* One that cannot be read is no move: its upload will tell. */
	*is_told &= code == 0;
	return code < 0 && run_is_fatal_in_folder(err) ? code : 0;
}
