/* What lies in the Maildir already: files that we delivered before a crash, and other programs'
 * files. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mailsync/base/array.h"

#include "pop3_private.h"

int pop3_item_digest(struct pop3_job *job, const struct pop3_item *item,
		     char digest[POP3_DIGEST_SIZE], struct err *err)
{
	struct digest **sha256 = &job->local.digest;
	uint8_t bytes[DIGEST_MAX_SIZE];
	struct buf text;
	int code;
	buf_init(&text, POP3_UIDL_MAX + 128);
	buf_append_cstr(&text, item->key);
	buf_printf(&text, "\n%llu\n%u", (unsigned long long)item->size.number,
		   (unsigned)item->occurrence);
	if ((code = buf_status(&text, "a unique-id", err)) == 0 &&
	    (code = *sha256 != NULL ? 0 : digest_create(sha256, DIGEST_SHA256, err)) == 0 &&
	    (code = digest_update(*sha256, buf_span(&text), err)) == 0 &&
	    (code = digest_result(*sha256, bytes, err)) == 0) {
		hex_encode(bytes, (POP3_DIGEST_SIZE - 1) / 2, digest);
	}
	buf_finish(&text);
	return code;
}

/* A folder and its files; what their letters mean is of no interest. */
struct folder_look {
	struct maildir_folder *folder;
	struct maildir_scan scan;
};

/* LOOK is finished by the caller in any case; of a folder that is not there it is empty. */
static int look_begin(struct folder_look *look, struct maildir *maildir, const char *name,
		      struct err *err)
{
	struct keywords ignored;
	int code = maildir_folder_open(maildir, name, &look->folder, err);
	if (code < 0) {
		return code == -ERR_CHANGED ? 0 : code;
	}
	keywords_init(&ignored);
	code = maildir_folder_scan(look->folder, &ignored, &look->scan, err);
	keywords_finish(&ignored);
	return code;
}

static void look_finish(struct folder_look *look)
{
	maildir_scan_finish(&look->scan);
	maildir_folder_close(&look->folder);
}

static bool is_ours(const struct pop3_job *job, const struct maildir_entry *entry)
{
	struct maildir_unique parsed;
	return maildir_unique_parse((struct span){entry->name, entry->unique_len}, &parsed) &&
	       parsed.is_pop3 && strcmp(parsed.key, job->local.key) == 0;
}

/* Parts that end in NUL: the unique part, all of the name behind where it lies (see
 * pop3_file_of), the mailbox. */
static int add_delivered(struct strlist *delivered, const struct maildir_entry *entry,
			 const char *mailbox, struct err *err)
{
	struct buf text;
	buf_init(&text, 3 * POP3_PLACE_MAX);
	buf_append(&text, entry->name, entry->unique_len);
	buf_printf(&text, "/%c%s/%s", entry->in_new ? 'n' : 'c', entry->name, mailbox);
	int code = buf_status(&text, "a file's place", err);
	code = code < 0 ? code : strlist_add(delivered, buf_span(&text), err);
	if (code == 0) {
		char *added = delivered->items[delivered->count - 1];
		*strchr(added, '/') = '\0';
		*strchr(added + entry->unique_len + 1, '/') = '\0';
	}
	buf_finish(&text);
	return code;
}

struct pop3_file pop3_file_of(const char *delivered)
{
	const char *place = delivered + strlen(delivered) + 1;
	return (struct pop3_file){
		.name = place + 1,
		.mailbox = place + strlen(place) + 1,
		.in_new = place[0] == 'n',
	};
}

static int gather_delivered(struct pop3_job *job, const char *name, struct err *err)
{
	struct folder_look look = {0};
	struct strlist *delivered = &job->local.delivered;
	size_t before = delivered->count;
	int code = look_begin(&look, job->run->session->maildir, name, err);
	for (size_t i = 0; code == 0 && i < look.scan.count; i++) {
		const struct maildir_entry *entry = &look.scan.entries[i];
		if (is_ours(job, entry)) {
			code = add_delivered(delivered, entry, name, err);
		}
	}
	/* J1: a crash may have left names that are not durable yet. */
	if (code == 0 && delivered->count > before) {
		code = maildir_folder_sync_names(look.folder, err);
	}
	look_finish(&look);
	return code;
}

/* NAME is one of ours. */
static int compare_digest(const void *digest, const void *name)
{
	return strncmp(digest, strstr(*(char *const *)name, "_p_") + 3, POP3_DIGEST_SIZE - 1);
}

static int compare_delivered(const void *x, const void *y)
{
	const char *one = *(char *const *)x, *two = *(char *const *)y;
	int order = compare_digest(strstr(one, "_p_") + 3, y);
	return order != 0 ? order : strcmp(one, two);
}

/* In every folder; once a run. */
static int find_delivered(struct pop3_job *job, struct err *err)
{
	struct maildir *maildir = job->run->session->maildir;
	struct strlist *delivered = &job->local.delivered;
	struct strlist names;
	if (job->local.is_known) {
		return 0;
	}
	strlist_init(&names);
	job->local.is_known = true;
	int code = maildir_exists(maildir) ? maildir_list(maildir, &names, err) : 0;
	for (size_t i = 0; code == 0 && i < names.count; i++) {
		code = gather_delivered(job, names.items[i], err);
	}
	strlist_finish(&names);
	if (delivered->count > 0) {
		qsort(delivered->items, delivered->count, sizeof(*delivered->items),
		      compare_delivered);
	}
	return code;
}

int pop3_find_files(struct pop3_job *job, const struct pop3_item *item, char *const **files,
		    size_t *count, struct err *err)
{
	const struct strlist *delivered = &job->local.delivered;
	char digest[POP3_DIGEST_SIZE];
	int code;
	*files = NULL;
	*count = 0;
	if ((code = find_delivered(job, err)) < 0 || delivered->count == 0 ||
	    (code = pop3_item_digest(job, item, digest, err)) < 0) {
		return code;
	}
	char **found = array_find(delivered->items, delivered->count, sizeof(*found), digest,
				  compare_digest);
	while (found != NULL && found > delivered->items &&
	       compare_digest(digest, found - 1) == 0) {
		found--;
	}
	*files = found;
	while (found != NULL && found < delivered->items + delivered->count &&
	       compare_digest(digest, found) == 0) {
		found++;
		++*count;
	}
	return 0;
}

/* K7. Of several the one that came last. */
static int adopt(struct pop3_job *job, struct pop3_item *item, struct err *err)
{
	char *const *files;
	size_t count;
	int code = pop3_find_files(job, item, &files, &count, err);
	if (code < 0 || count == 0) {
		return code;
	}
	item->act = POP3_ACT_ADOPT;
	item->unique = files[count - 1];
	for (size_t i = 0; code == 0 && i < count; i++) {
		code = strlist_add(&job->local.adopted, span_of(files[i]), err);
	}
	return code;
}

static bool is_first_run(const struct pop3_job *job)
{
	return pop3_is_first_run(job->run->session->pair_all, job->session.view.whose);
}

int pop3_observe_delivered(struct run *run, struct err *err)
{
	struct pop3_job *job = run->pop3;
	struct pop3_local *local = &job->local;
	local->may_adopt |= is_first_run(job) || run->session->was_unclean;
	int code = local->may_adopt ? find_delivered(job, err) : 0;
	for (size_t i = 0; local->may_adopt && i < job->session.view.count; i++) {
		struct pop3_item *item = &job->session.view.items[i];
		if (code == 0 && pop3_is_unknown(item)) {
			code = adopt(job, item, err);
		}
	}
	strlist_sort(&local->adopted);
	return code;
}

/* ENTRY is ours: it is known, or, once this run has delivered something, it may be that. */
static bool is_known(const struct pop3_job *job, const struct maildir_entry *entry)
{
	char name[MAILDIR_NAME_MAX + 1];
	snprintf(name, sizeof(name), "%.*s", (int)entry->unique_len, entry->name);
	return job->mailbox->done.counts.downloaded > 0 ||
	       strlist_find(&job->local.adopted, name) >= 0;
}

/* A file that went meanwhile is none. */
static int note_other(struct pop3_job *job, struct maildir_folder *folder,
		      const struct maildir_entry *entry, struct pop3_others *others,
		      struct err *err)
{
	struct pair_candidate *other = &others->items[others->count];
	struct header_identity identity;
	struct maildir_file file;
	bool is_foreign = !is_ours(job, entry);
	int code;
	if (!is_foreign && is_known(job, entry)) {
		return 0;
	}
	if ((code = maildir_folder_stat_file(folder, entry->name, entry->in_new, &file, err)) < 0 ||
	    (code = maildir_folder_identify(folder, entry->name, entry->in_new, &identity, err)) <
		    0) {
		return code == -ERR_CHANGED ? 0 : code;
	}
	*other = (struct pair_candidate){.size = told(file.size_bytes), .index = others->count++};
	pair_identify(other, &identity);
	others->has_foreign |= is_foreign;
	return 0;
}

/* K17: which of local.delivered no row and no listed message has, since the last run that ended. */
static int list_orphans(const struct pop3_job *job, struct strlist *orphans, struct err *err)
{
	const struct strlist *delivered = &job->local.delivered;
	const struct pop3_rows *rows = &job->session.rows;
	struct strlist known;
	int code = 0;
	strlist_init(&known);
	for (size_t r = 0; code == 0 && r < rows->count; r++) {
		code = strlist_add(&known, span_of(rows->items[r].unique), err);
	}
	strlist_sort(&known);
	for (size_t i = 0; code == 0 && i < delivered->count; i++) {
		const char *name = delivered->items[i];
		if (strtoll(name, NULL, 10) >= job->mailbox->base.synced_at &&
		    strlist_find(&known, name) < 0 && strlist_find(&job->local.adopted, name) < 0) {
			code = strlist_add(orphans, span_of(name), err);
		}
	}
	strlist_finish(&known);
	strlist_sort(orphans);
	return code;
}

/* The file of local.delivered at PLACE, as one to be paired. One that went meanwhile is none. */
static int note_orphan(struct pop3_job *job, size_t place, struct pop3_others *others,
		       struct err *err)
{
	struct pop3_file file = pop3_file_of(job->local.delivered.items[place]);
	struct maildir_folder *folder = NULL;
	struct header_identity identity;
	int code = maildir_folder_open(job->run->session->maildir, file.mailbox, &folder, err);
	if (code == 0) {
		code = maildir_folder_identify(folder, file.name, file.in_new, &identity, err);
	}
	if (code == 0) {
		struct pair_candidate *other = &others->items[others->count++];
		*other = (struct pair_candidate){.index = (int64_t)place};
		pair_identify(other, &identity);
	}
	maildir_folder_close(&folder);
	return code == -ERR_CHANGED ? 0 : code;
}

static int read_orphans(struct pop3_job *job, struct pop3_others *others, struct err *err)
{
	const struct strlist *delivered = &job->local.delivered;
	struct strlist orphans;
	strlist_init(&orphans);
	int code = list_orphans(job, &orphans, err);
	if (code == 0 && orphans.count > 0) {
		others->are_ours = true;
		others->items = calloc(orphans.count, sizeof(*others->items));
		code = others->items != NULL ? 0 : err_nomem(err);
	}
	for (size_t i = 0; code == 0 && orphans.count > 0 && i < delivered->count; i++) {
		if (strlist_find(&orphans, delivered->items[i]) >= 0 &&
		    others->count < orphans.count) {
			code = note_orphan(job, i, others, err);
		}
	}
	strlist_finish(&orphans);
	return code;
}

void pop3_adopt_pairs(struct pop3_job *job, const struct pop3_others *others)
{
	for (size_t i = 0; others->are_ours && i < others->count; i++) {
		const struct pair_candidate *file = &others->items[i];
		if (file->is_taken) {
			struct pop3_item *item = &job->session.view.items[file->partner];
			item->act = pop3_is_orphans(file) ? POP3_ACT_ADOPT : POP3_ACT_NONE;
			item->unique = item->act == POP3_ACT_ADOPT
					     ? job->local.delivered.items[file->index]
					     : item->unique;
		}
	}
}

static bool has_unknown(const struct pop3_view *view)
{
	for (size_t i = 0; i < view->count; i++) {
		if (pop3_is_unknown(&view->items[i])) {
			return true;
		}
	}
	return false;
}

/* What may be known from elsewhere on a first run: over an INBOX that another program filled, or
 * that we did before the database was lost and the server changed its unique-ids. And what a run
 * that was cut delivered under a name that it would not get now. */
int pop3_read_others(struct pop3_job *job, struct pop3_others *others, struct err *err)
{
	struct maildir *maildir = job->run->session->maildir;
	struct folder_look look = {0};
	if (!has_unknown(&job->session.view) || !maildir_exists(maildir)) {
		return 0;
	}
	if (!is_first_run(job)) {
		return job->local.may_adopt ? read_orphans(job, others, err) : 0;
	}
	int code = look_begin(&look, maildir, job->mailbox->name, err);
	if (code == 0) {
		others->items = calloc(look.scan.count + 1, sizeof(*others->items));
		code = others->items != NULL ? 0 : err_nomem(err);
	}
	for (size_t i = 0; code == 0 && i < look.scan.count; i++) {
		code = note_other(job, look.folder, &look.scan.entries[i], others, err);
	}
	look_finish(&look);
	return code;
}
