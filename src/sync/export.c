/* Mail out of the Maildir into files. No lock is taken: whatever a sync or a MUA does meanwhile, a
 * message is there whole, or it is not. */
#include "mailsync/sync/transfer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mailsync/base/array.h"

#include "guard/guard.h"

#define NAMES_MAX   ((size_t)1 << 30)
#define FOLDERS_MAX 50 /* open at a time */
#define CHUNK_SIZE  65536

/* A message that is to be written. */
struct leaving {
	int64_t date;
	uint32_t mailbox; /* index */
	size_t name;      /* where in `names` */
	bool in_new;
	uint8_t content[CONTENT_DIGEST_SIZE]; /* where another one has the same date */
};

struct outgoing {
	const struct account *account;
	const struct sync_options *options;
	struct export_result *result;
	struct maildir *maildir;
	struct mail_sink *sink;
	const char *folder;
	struct strlist mailboxes;
	struct maildir_folder **folders; /* of each; NULL: not open */
	size_t open;
	struct leaving *items;
	size_t count, cap;
	struct buf names;
	char *chunk;
};

void export_result_init(struct export_result *result)
{
	*result = (struct export_result){0};
	strlist_init(&result->missing);
}

void export_result_finish(struct export_result *result)
{
	strlist_finish(&result->missing);
}

static void close_folders(struct outgoing *outgoing)
{
	for (size_t i = 0; outgoing->folders && i < outgoing->mailboxes.count; i++) {
		maildir_folder_close(&outgoing->folders[i]);
	}
	outgoing->open = 0;
}

static int folder_of(struct outgoing *outgoing, uint32_t mailbox, struct maildir_folder **folder,
		     struct err *err)
{
	struct maildir_folder **place = &outgoing->folders[mailbox];

	if (!*place) {
		if (outgoing->open == FOLDERS_MAX) {
			close_folders(outgoing);
		}
		int code = maildir_folder_open(outgoing->maildir,
					       outgoing->mailboxes.items[mailbox], place, err);
		if (code < 0) {
			return code;
		}
		outgoing->open++;
	}
	*folder = *place;
	return 0;
}

static int check_stop(const struct outgoing *outgoing, struct err *err)
{
	const stop_flag *stop = outgoing->options->stop;

	return stop && *stop ? err_stopped(err) : 0;
}

/* --- which --- */

static bool is_named(const struct strlist *only, const char *name)
{
	return only->count == 0 || strlist_has(only, name);
}

static int choose_mailboxes(struct outgoing *outgoing, struct err *err)
{
	const struct strlist *only = outgoing->options->only;
	struct state_uses uses = {0};
	struct strlist found;
	int code;

	strlist_init(&found);
	code = maildir_list(outgoing->maildir, &found, err);
	code = code < 0 ? code
			: whose_uses_if_any(outgoing->account, outgoing->options, &uses, err);
	for (size_t i = 0; code == 0 && i < found.count; i++) {
		if (uses_select(&uses, outgoing->account, found.items[i]) &&
		    is_named(only, found.items[i])) {
			code = strlist_add(&outgoing->mailboxes, span_of(found.items[i]), err);
		}
	}
	for (size_t i = 0; code == 0 && i < only->count; i++) {
		if (strlist_find(&outgoing->mailboxes, only->items[i]) < 0) {
			code = strlist_add(&outgoing->result->missing, span_of(only->items[i]),
					   err);
		}
	}
	state_uses_finish(&uses);
	strlist_finish(&found);
	return code;
}

static int add_entry(struct outgoing *outgoing, struct maildir_folder *folder, uint32_t mailbox,
		     const struct maildir_entry *entry, struct err *err)
{
	struct maildir_file file;
	int code = maildir_folder_stat_file(folder, entry->name, entry->in_new, &file, err);

	if (code == -ERR_CHANGED) {
		outgoing->result->gone++;
		return 0;
	}
	if (code < 0 || (code = ARRAY_RESERVE(&outgoing->items, outgoing->count + 1, &outgoing->cap,
					      err)) < 0) {
		return code;
	}
	outgoing->items[outgoing->count++] = (struct leaving){
		.date = file.mtime,
		.mailbox = mailbox,
		.name = outgoing->names.len,
		.in_new = entry->in_new,
	};
	buf_append(&outgoing->names, entry->name, strlen(entry->name) + 1);
	return buf_status(&outgoing->names, "the names of messages", err);
}

static int add_mailbox(struct outgoing *outgoing, uint32_t mailbox, struct err *err)
{
	struct maildir_folder *folder;
	struct maildir_scan scan = {0};
	struct keywords keywords;
	int code = folder_of(outgoing, mailbox, &folder, err);

	keywords_init(&keywords);
	if (code == 0 && (code = maildir_folder_scan(folder, &keywords, &scan, err)) == 0) {
		for (size_t i = 0; code == 0 && i < scan.count; i++) {
			code = add_entry(outgoing, folder, mailbox, &scan.entries[i], err);
		}
		for (size_t i = 0; code == 0 && i < scan.double_count; i++) {
			code = add_entry(outgoing, folder, mailbox, &scan.doubles[i], err);
		}
		maildir_scan_finish(&scan);
	}
	keywords_finish(&keywords);
	return code == -ERR_CHANGED ? 0 : code; /* it was removed meanwhile */
}

/* --- in which order --- */

static int compare_dates(const void *x, const void *y)
{
	int64_t one = ((const struct leaving *)x)->date, other = ((const struct leaving *)y)->date;

	return one < other ? -1 : one > other;
}

static int compare_contents(const void *x, const void *y)
{
	return memcmp(((const struct leaving *)x)->content, ((const struct leaving *)y)->content,
		      CONTENT_DIGEST_SIZE);
}

/* Opens ITEM's file, which may have another name by now. -ERR_CHANGED: it went away. */
static int open_item(struct outgoing *outgoing, const struct leaving *item, int *fd,
		     struct maildir_file *file, struct err *err)
{
	const char *name = outgoing->names.data + item->name;
	char other[MAILDIR_NAME_MAX + 1];
	struct maildir_folder *folder;
	bool in_new = item->in_new;
	int code = folder_of(outgoing, item->mailbox, &folder, err);

	if (code < 0) {
		return code;
	}
	code = maildir_folder_open_file(folder, name, in_new, fd, file, err);
	if (code == -ERR_CHANGED) {
		struct span unique = {name, strcspn(name, ",:")};
		code = maildir_folder_find(folder, unique, other, &in_new, err);
		code = code < 0 ? code
				: maildir_folder_open_file(folder, other, in_new, fd, file, err);
	}
	return code;
}

static int read_chunk(int fd, char *chunk, size_t *len, struct err *err)
{
	ssize_t got;

	do {
		got = read(fd, chunk, CHUNK_SIZE);
	} while (got < 0 && errno == EINTR);
	*len = got > 0 ? (size_t)got : 0;
	return got >= 0 ? 0
			: err_set_errno(err, ERR_LOCAL, SCOPE_RUN, errno, "cannot read a message");
}

static int digest_item(struct outgoing *outgoing, struct content_scan *scan, struct leaving *item,
		       struct err *err)
{
	struct maildir_file file;
	size_t len = 1;
	int fd = -1;
	int code = open_item(outgoing, item, &fd, &file, err);

	if (code < 0) {
		return code == -ERR_CHANGED ? 0 : code;
	}
	while (code == 0 && len > 0) {
		code = read_chunk(fd, outgoing->chunk, &len, err);
		code = code < 0 ? code
				: content_scan_feed(scan, (struct span){outgoing->chunk, len}, err);
	}
	(void)close(fd);
	return code < 0 ? code : content_scan_result(scan, item->content, err);
}

/* Of one second: by content, whatever their files are called. */
static int sort_second(struct outgoing *outgoing, struct content_scan *scan, struct leaving *items,
		       size_t count, struct err *err)
{
	int code = check_stop(outgoing, err);

	for (size_t i = 0; code == 0 && i < count; i++) {
		code = digest_item(outgoing, scan, &items[i], err);
	}
	if (code == 0) {
		qsort(items, count, sizeof(*items), compare_contents);
	}
	return code;
}

static int sort(struct outgoing *outgoing, struct err *err)
{
	struct content_scan *scan = NULL;
	int code = content_scan_create(&scan, err);

	if (code == 0 && outgoing->count > 1) {
		qsort(outgoing->items, outgoing->count, sizeof(*outgoing->items), compare_dates);
	}
	for (size_t i = 0, end; code == 0 && i < outgoing->count; i = end) {
		for (end = i + 1; end < outgoing->count; end++) {
			if (outgoing->items[end].date != outgoing->items[i].date) {
				break;
			}
		}
		if (end - i > 1) {
			code = sort_second(outgoing, scan, &outgoing->items[i], end - i, err);
		}
	}
	content_scan_destroy(&scan);
	return code;
}

/* --- out --- */

static int write_item(struct outgoing *outgoing, const struct leaving *item, struct err *err)
{
	struct maildir_file file;
	size_t len = 1;
	int fd = -1;
	int code = open_item(outgoing, item, &fd, &file, err);

	if (code == -ERR_CHANGED) {
		outgoing->result->gone++;
		return 0;
	}
	if (code < 0) {
		return code;
	}
	code = mail_sink_begin(outgoing->sink, outgoing->folder,
			       outgoing->mailboxes.items[item->mailbox], item->date, err);
	while (code == 0 && len > 0) {
		if ((code = read_chunk(fd, outgoing->chunk, &len, err)) == 0) {
			code = mail_sink_write(outgoing->sink, (struct span){outgoing->chunk, len},
					       err);
			outgoing->result->bytes += len;
		}
	}
	(void)close(fd);
	code = code < 0 ? code : mail_sink_end(outgoing->sink, err);
	outgoing->result->messages += code == 0;
	return code;
}

static int write_all(struct outgoing *outgoing, struct err *err)
{
	int code = 0;

	for (size_t i = 0; code == 0 && i < outgoing->count && !mail_sink_is_unread(outgoing->sink);
	     i++) {
		code = check_stop(outgoing, err);
		code = code < 0 ? code : write_item(outgoing, &outgoing->items[i], err);
	}
	return code;
}

static int open_maildir(struct outgoing *outgoing, struct err *err)
{
	struct maildir_params params = outgoing->account->maildir;

	params.log = outgoing->options->log;
	int code = maildir_open(&outgoing->maildir, &params, false, err);
	if (code == 0 && !maildir_exists(outgoing->maildir)) {
		return err_set(err, ERR_LOCAL, SCOPE_ACCOUNT, "there is no Maildir in %s",
			       params.root);
	}
	return code;
}

static int run(struct outgoing *outgoing, struct err *err)
{
	int code;

	if (!(outgoing->chunk = malloc(CHUNK_SIZE))) {
		return err_nomem(err);
	}
	if ((code = open_maildir(outgoing, err)) < 0 ||
	    (code = choose_mailboxes(outgoing, err)) < 0) {
		return code;
	}
	outgoing->folders = calloc(outgoing->mailboxes.count + 1, sizeof(*outgoing->folders));
	code = outgoing->folders ? 0 : err_nomem(err);
	for (size_t i = 0; code == 0 && i < outgoing->mailboxes.count; i++) {
		code = add_mailbox(outgoing, (uint32_t)i, err);
	}
	if (code < 0 || (code = sort(outgoing, err)) < 0) {
		return code;
	}
	return write_all(outgoing, err);
}

int sync_export(const struct account *account, const struct sync_options *options,
		struct mail_sink *sink, const char *folder, struct export_result *result,
		struct err *err)
{
	struct outgoing outgoing = {
		.account = account,
		.options = options,
		.result = result,
		.sink = sink,
		.folder = folder,
	};

	strlist_init(&outgoing.mailboxes);
	buf_init(&outgoing.names, NAMES_MAX);
	int code = run(&outgoing, err);
	close_folders(&outgoing);
	free(outgoing.folders);
	maildir_close(&outgoing.maildir);
	strlist_finish(&outgoing.mailboxes);
	buf_finish(&outgoing.names);
	free(outgoing.items);
	free(outgoing.chunk);
	return code;
}
