/* What lies in the Maildir already: files that we delivered before a crash, and other programs'
 * files. */
#include <stdlib.h>
#include <string.h>

#include "mailsync/base/array.h"
#include "mailsync/base/digest.h"

#include "pop3_private.h"

int pop3_item_digest(const struct pop3_item *item, char digest[POP3_DIGEST_SIZE], struct err *err)
{
	uint8_t bytes[DIGEST_MAX_SIZE];
	struct buf text;
	int code;
	buf_init(&text, POP3_UIDL_MAX + 128);
	buf_append_cstr(&text, item->key);
	buf_printf(&text, "\n%llu\n%u", (unsigned long long)item->size_bytes,
		   (unsigned)item->occurrence);
	if ((code = buf_status(&text, "a unique-id", err)) == 0 &&
	    (code = digest_of(DIGEST_SHA256, buf_span(&text), bytes, err)) == 0) {
		hex_encode(bytes, (POP3_DIGEST_SIZE - 1) / 2, digest);
	}
	buf_finish(&text);
	return code;
}

static bool is_ours(const struct pop3_job *job, struct span unique, struct maildir_unique *parsed)
{
	return maildir_unique_parse(unique, parsed) && parsed->is_pop3 &&
	       strcmp(parsed->key, job->local.key) == 0;
}

static int note_delivered(struct pop3_job *job, const struct maildir_entry *entry, bool *is_found,
			  struct err *err)
{
	struct span unique = {entry->name, entry->unique_len};
	struct maildir_unique parsed;
	struct buf line;
	if (!is_ours(job, unique, &parsed)) {
		return 0;
	}
	*is_found = true;
	buf_init(&line, 2 * MAILDIR_NAME_MAX + 128);
	buf_printf(&line, "%s ", parsed.pop3_digest);
	buf_append_span(&line, unique);
	int code = strlist_add(&job->local.delivered, buf_span(&line), err);
	buf_finish(&line);
	return code;
}

static int gather_delivered(struct pop3_job *job, struct maildir_folder *folder, struct err *err)
{
	struct maildir_scan scan = {0};
	struct keywords keywords;
	bool is_found = false;
	keywords_init(&keywords);
	int code = maildir_folder_scan(folder, &keywords, &scan, err);
	for (size_t i = 0; code == 0 && i < scan.count; i++) {
		code = note_delivered(job, &scan.entries[i], &is_found, err);
	}
	/* J1: a crash may have left names that are not durable yet. */
	if (code == 0 && is_found) {
		code = maildir_folder_sync_names(folder, err);
	}
	maildir_scan_finish(&scan);
	keywords_finish(&keywords);
	return code;
}

int pop3_find_delivered(struct pop3_job *job, struct err *err)
{
	struct maildir *maildir = job->run->session->maildir;
	struct strlist names;
	if (job->local.is_known) {
		return 0;
	}
	strlist_init(&names);
	job->local.is_known = true;
	int code = maildir_exists(maildir) ? maildir_list(maildir, &names, err) : 0;
	for (size_t i = 0; code == 0 && i < names.count; i++) {
		struct maildir_folder *folder = NULL;
		code = maildir_folder_open(maildir, names.items[i], &folder, err);
		if (code == 0) {
			code = gather_delivered(job, folder, err);
			maildir_folder_close(&folder);
		} else if (code == -ERR_CHANGED) {
			code = 0;
		}
	}
	strlist_finish(&names);
	strlist_sort(&job->local.delivered);
	return code;
}

static int compare_digest(const void *digest, const void *line)
{
	return strncmp(digest, *(char *const *)line, POP3_DIGEST_SIZE - 1);
}

int pop3_delivered(const struct pop3_job *job, const struct pop3_item *item, const char **unique,
		   struct err *err)
{
	const struct strlist *lines = &job->local.delivered;
	char digest[POP3_DIGEST_SIZE];
	*unique = NULL;
	if (lines->count == 0) {
		return 0;
	}
	int code = pop3_item_digest(item, digest, err);
	if (code < 0) {
		return code;
	}
	char **line = array_find(lines->items, lines->count, sizeof(*lines->items), digest,
				 compare_digest);
	*unique = line == NULL ? NULL : *line + POP3_DIGEST_SIZE;
	return 0;
}

/* Once this run has delivered something, a file of ours may be that. */
static bool is_other(const struct pop3_job *job, struct span unique, bool is_foreign)
{
	char name[MAILDIR_NAME_MAX + 1];
	if (is_foreign || job->mailbox->done.counts.downloaded > 0) {
		return is_foreign;
	}
	snprintf(name, sizeof(name), "%.*s", (int)unique.len, unique.data);
	return strlist_find(&job->local.adopted, name) < 0;
}

/* A file that went meanwhile is none. */
static int note_other(struct pop3_job *job, struct maildir_folder *folder,
		      const struct maildir_entry *entry, struct pop3_others *others,
		      struct err *err)
{
	struct span unique = {entry->name, entry->unique_len};
	struct pair_candidate *other = &others->items[others->count];
	struct header_identity identity;
	struct maildir_unique parsed;
	struct maildir_file file;
	bool is_foreign = !is_ours(job, unique, &parsed);
	int code;
	if (!is_other(job, unique, is_foreign)) {
		return 0;
	}
	if ((code = maildir_folder_stat_file(folder, entry->name, entry->in_new, &file, err)) < 0 ||
	    (code = maildir_folder_identify(folder, entry->name, entry->in_new, &identity, err)) <
		    0) {
		return code == -ERR_CHANGED ? 0 : code;
	}
	*other = (struct pair_candidate){.size = file.size_bytes, .index = others->count++};
	pair_identify(other, &identity);
	others->has_foreign = others->has_foreign || is_foreign;
	return 0;
}

static int note_others(struct pop3_job *job, struct maildir_folder *folder,
		       struct pop3_others *others, struct err *err)
{
	struct maildir_scan scan = {0};
	struct keywords keywords;
	keywords_init(&keywords);
	int code = maildir_folder_scan(folder, &keywords, &scan, err);
	if (code == 0) {
		others->items = calloc(scan.count + 1, sizeof(*others->items));
		code = others->items != NULL ? 0 : err_nomem(err);
	}
	for (size_t i = 0; code == 0 && i < scan.count; i++) {
		code = note_other(job, folder, &scan.entries[i], others, err);
	}
	maildir_scan_finish(&scan);
	keywords_finish(&keywords);
	return code;
}

int pop3_read_others(struct pop3_job *job, struct pop3_others *others, struct err *err)
{
	struct maildir *maildir = job->run->session->maildir;
	struct maildir_folder *folder = NULL;
	*others = (struct pop3_others){0};
	if (!maildir_exists(maildir)) {
		return 0;
	}
	int code = maildir_folder_open(maildir, "INBOX", &folder, err);
	if (code < 0) {
		return code == -ERR_CHANGED ? 0 : code;
	}
	code = note_others(job, folder, others, err);
	maildir_folder_close(&folder);
	return code;
}
