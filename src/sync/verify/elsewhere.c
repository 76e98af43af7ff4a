/* Where files lie that are not in the folder of their row. */
#include "verify_private.h"

#include <stdlib.h>
#include <string.h>

#include "mailsync/base/array.h"
#include "mailsync/base/hash.h"

/* By a hash of the unique part: 12 bytes a file, of 50,000 files or more. */
struct whereabout {
	uint64_t hash;
	uint32_t mailbox; /* its place in run->mailboxes */
};

static int compare(const void *x, const void *y)
{
	const struct whereabout *one = x, *other = y;
	if (one->hash != other->hash) {
		return one->hash < other->hash ? -1 : 1;
	}
	return (one->mailbox > other->mailbox) - (one->mailbox < other->mailbox);
}

static int add_folder(struct verify *verify, uint32_t number, struct err *err)
{
	struct run *run = verify->run;
	struct whereabouts *files = &verify->files;
	struct maildir_folder *folder = NULL;
	struct maildir_scan scan = {0};
	struct keywords keywords;
	keywords_init(&keywords);
	int code = mailbox_open_folder(run, &run->mailboxes.items[number], &folder, err);
	code = code < 0 ? code : maildir_folder_scan(folder, &keywords, &scan, err);
	code = code < 0 ? code
			: ARRAY_RESERVE(&files->items, files->count + scan.count, &files->cap, err);
	for (size_t i = 0; code == 0 && i < scan.count; i++) {
		const struct maildir_entry *entry = &scan.entries[i];
		files->items[files->count++] = (struct whereabout){
			.hash = hash_span((struct span){entry->name, entry->unique_len}),
			.mailbox = number,
		};
	}
	maildir_scan_finish(&scan);
	keywords_finish(&keywords);
	maildir_folder_close(&folder);
	return code;
}

/* What lies in a folder that cannot be read is not known. */
static int learn(struct verify *verify, struct err *err)
{
	const struct mailboxes *mailboxes = &verify->run->mailboxes;
	struct whereabouts *files = &verify->files;
	int code = 0;
	files->are_partial = !verify->run->seen.is_tree_read;
	for (uint32_t i = 0; code == 0 && i < mailboxes->count; i++) {
		struct mailbox *mailbox = &mailboxes->items[i];
		if (!(mailbox->seen.in & SIDE_LOCAL)) {
			continue;
		}
		code = add_folder(verify, i, err);
		if (code < 0 && !run_is_fatal_in_folder(err)) {
			run_report_error(verify->run, mailbox, 0, err);
			files->are_partial = true;
			code = 0;
		}
	}
	if (files->count > 0) {
		qsort(files->items, files->count, sizeof(*files->items), compare);
	}
	files->are_known = code == 0;
	return code;
}

int verify_is_elsewhere(struct verify_mailbox *at, const char *unique, bool *is_there,
			struct err *err)
{
	struct whereabouts *files = &at->verify->files;
	const struct whereabout wanted = {.hash = hash_span(span_of(unique))};
	int code = files->are_known ? 0 : learn(at->verify, err);
	*is_there = code == 0 && files->are_partial;
	if (code < 0) {
		return code;
	}
	size_t i = array_lower_bound(files->items, files->count, sizeof(wanted), &wanted, compare);
	for (; i < files->count && files->items[i].hash == wanted.hash; i++) {
		*is_there |=
			&at->verify->run->mailboxes.items[files->items[i].mailbox] != at->mailbox;
	}
	return 0;
}

void whereabouts_finish(struct whereabouts *files)
{
	free(files->items);
	*files = (struct whereabouts){0};
}
