/* What lies in the Maildir already: files that we delivered before a crash, and other tools'
 * files. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mailsync/base/digest.h"

#include "pop3_private.h"

int pop3_item_digest(const struct pop3_item *item, char digest[POP3_DIGEST_SIZE], struct err *err)
{
	uint8_t bytes[DIGEST_MAX_SIZE];
	struct buf text;

	buf_init(&text, POP3_UIDL_MAX + 128);
	buf_append_cstr(&text, item->key);
	buf_printf(&text, "\n%llu\n%u", (unsigned long long)item->size_bytes,
		   (unsigned)item->occurrence);
	int code = buf_status(&text, "a unique-id", err);
	if (!code) {
		code = digest_of(DIGEST_SHA256, buf_span(&text), bytes, err);
	}
	if (!code) {
		hex_encode(bytes, (POP3_DIGEST_SIZE - 1) / 2, digest);
	}
	buf_finish(&text);
	return code;
}

static bool is_ours(const struct pop3_job *job, struct span unique, struct maildir_unique *parsed)
{
	return maildir_unique_parse(unique, parsed) && parsed->is_pop3 &&
	       strcmp(parsed->key, job->key) == 0;
}

static int gather_ours(struct pop3_job *job, struct maildir_folder *dir, struct err *err)
{
	struct maildir_scan scan = {0};
	struct keywords keywords;
	struct maildir_unique parsed;
	struct buf line;

	keywords_init(&keywords);
	buf_init(&line, 2 * MAILDIR_NAME_MAX + 128);
	int code = maildir_folder_scan(dir, &keywords, &scan, err);
	bool is_found = false;
	for (size_t i = 0; !code && i < scan.count; i++) {
		struct span unique = {scan.entries[i].name, scan.entries[i].unique_len};
		if (!is_ours(job, unique, &parsed)) {
			continue;
		}
		is_found = true;
		buf_clear(&line);
		buf_printf(&line, "%s ", parsed.pop3_digest);
		buf_append_span(&line, unique);
		code = strlist_add(&job->adoptable, buf_span(&line), err);
	}
	/* J1: a crash may have left names that are not durable yet. */
	if (!code && is_found && !job->run.options->dry_run) {
		code = maildir_folder_sync_names(dir, err);
	}
	maildir_scan_finish(&scan);
	buf_finish(&line);
	keywords_finish(&keywords);
	return code;
}

int pop3_find_adoptable(struct pop3_job *job, struct err *err)
{
	struct strlist names;
	int code;

	strlist_init(&names);
	job->adoptable_known = true;
	code = maildir_exists(job->run.session->maildir)
		     ? maildir_list(job->run.session->maildir, &names, err)
		     : 0;
	for (size_t i = 0; !code && i < names.count; i++) {
		struct maildir_folder *dir = NULL;
		code = maildir_folder_open(job->run.session->maildir, names.items[i], &dir, err);
		if (!code) {
			code = gather_ours(job, dir, err);
			maildir_folder_close(&dir);
		} else if (code == -ERR_CHANGED) {
			code = 0;
		}
	}
	strlist_finish(&names);
	strlist_sort(&job->adoptable);
	return code;
}

int pop3_adoptable(const struct pop3_job *job, const struct pop3_item *item, char **unique,
		   struct err *err)
{
	char digest[POP3_DIGEST_SIZE];
	size_t low = 0, high = job->adoptable.count;

	*unique = NULL;
	if (high == 0) {
		return 0;
	}
	int code = pop3_item_digest(item, digest, err);
	while (!code && low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strncmp(job->adoptable.items[middle], digest, POP3_DIGEST_SIZE - 1);
		if (order == 0) {
			*unique = job->adoptable.items[middle] + POP3_DIGEST_SIZE;
			return 0;
		}
		if (order < 0) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	return code;
}

static int identify(struct maildir_folder *dir, const struct maildir_entry *entry,
		    struct pop3_header *header, bool *is_read, struct err *err)
{
	struct header_identity identity;
	struct maildir_file file;
	int code = maildir_folder_stat_file(dir, entry->name, entry->in_new, &file, err);

	if (!code) {
		code = maildir_folder_identify(dir, entry->name, entry->in_new, &identity, err);
	}
	*is_read = code == 0;
	if (code == -ERR_CHANGED) {
		return 0;
	}
	if (!code) {
		code = pop3_header_of(&identity, header, err);
		header->size_bytes = file.size_bytes;
	}
	return code;
}

/* Once this run has delivered something, a file of ours may be that. */
static bool is_other(const struct pop3_job *job, struct span unique, bool is_foreign)
{
	char name[MAILDIR_NAME_MAX + 1];

	if (is_foreign || job->mailbox.done.counts.downloaded > 0) {
		return is_foreign;
	}
	snprintf(name, sizeof(name), "%.*s", (int)unique.len, unique.data);
	return strlist_find(&job->adopted, name) < 0;
}

int pop3_read_others(struct pop3_job *job, struct pop3_header **headers, size_t *count,
		     bool *has_foreign, struct err *err)
{
	struct maildir_folder *dir = NULL;
	struct maildir_scan scan = {0};
	struct keywords keywords;
	struct maildir_unique parsed;
	struct pop3_header *found = NULL;
	size_t found_count = 0;
	int code = 0;

	*headers = NULL;
	*count = 0;
	if (!maildir_exists(job->run.session->maildir)) {
		return 0;
	}
	code = maildir_folder_open(job->run.session->maildir, "INBOX", &dir, err);
	if (code) {
		return code == -ERR_CHANGED ? 0 : code;
	}
	keywords_init(&keywords);
	code = maildir_folder_scan(dir, &keywords, &scan, err);
	if (!code) {
		found = calloc(scan.count + 1, sizeof(*found));
		code = found ? 0 : err_nomem(err);
	}
	for (size_t i = 0; !code && i < scan.count; i++) {
		const struct maildir_entry *entry = &scan.entries[i];
		struct span unique = {entry->name, entry->unique_len};
		bool is_foreign = !is_ours(job, unique, &parsed);
		bool is_read = false;
		if (is_other(job, unique, is_foreign)) {
			code = identify(dir, entry, &found[found_count], &is_read, err);
			found_count += is_read;
			*has_foreign = *has_foreign || (is_read && is_foreign);
		}
	}
	maildir_scan_finish(&scan);
	keywords_finish(&keywords);
	maildir_folder_close(&dir);
	if (code) {
		free(found);
		return code;
	}
	*headers = found;
	*count = found_count;
	return 0;
}
