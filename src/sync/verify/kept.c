/* Files that are to be here and that base has no more: an archive's, of messages or of whole
 * mailboxes that the server lost. */
#include "verify_private.h"

#include <string.h>

static int prove(struct verify_mailbox *at, const struct state_kept_file *file,
		 const struct maildir_entry *entry, const struct row *row, struct err *err)
{
	struct verify_report *report = at->verify->report;
	struct maildir_proof proof;
	char path[VERIFY_PATH_SIZE];
	if (!file->has_content || !share_takes_name(&at->share, file->unique)) {
		return 0;
	}
	int code = maildir_prover_read(at->verify->prover, at->mailbox->dir, entry->name,
				       entry->in_new, &proof, err);
	report->messages += code != -ERR_CHANGED;
	if (code < 0) {
		return verify_outlives_file(at, row, entry, code, err);
	}
	report->bytes += proof.file.size_bytes;
	if (memcmp(proof.content, file->content, ROW_CONTENT_SIZE) == 0) {
		return 0;
	}
	verify_path(entry, path);
	return verify_find(at, VERIFY_DIFFERS_HERE, row, path, err,
			   "the file's bytes are not those that were delivered or sent");
}

static int look_at(struct verify_mailbox *at, const struct state_kept_file *file, struct err *err)
{
	const struct maildir_entry *entry = maildir_scan_find(&at->scan, span_of(file->unique));
	bool is_there = false;
	struct row row;
	row_init(&row);
	int code = row_set_unique(&row, file->unique, strlen(file->unique), err);
	if (code == 0 && entry != NULL) {
		code = prove(at, file, entry, &row, err);
	} else if (code == 0 &&
		   (code = verify_is_elsewhere(at, file->unique, &is_there, err)) == 0 &&
		   !is_there) {
		code = verify_tell_missing(at, &row, VERIFY_GONE_EVERYWHERE, err);
	}
	row_finish(&row);
	return code;
}

int verify_kept(struct verify_mailbox *at, struct err *err)
{
	struct state_kept kept = {0};
	int code = state_kept_load(at->verify->proofs, at->mailbox->name, at->mailbox->base.id,
				   &kept, err);
	for (size_t i = 0; code == 0 && i < kept.count; i++) {
		code = look_at(at, &kept.items[i], err);
		code = code < 0 ? code : run_check_stop(at->verify->run, err);
	}
	state_kept_finish(&kept);
	return code;
}
