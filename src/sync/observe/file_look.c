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
