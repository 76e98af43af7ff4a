/*
 * Invariants:
 * 1. A record is in the list before its act is done (changes.h).
 * 2. The list holds whole records only.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "maildir_dir.h"
#include "maildir_private.h"
#include "mailsync/base/file.h"

#define RECORDS_MAX (4 * (size_t)FILE_PATH_SIZE)

/* Where the last record before END begins, in the LEN bytes that end there; END where none does. */
static size_t record_before(const char *bytes, size_t end)
{
	size_t at = end > 0 ? end - 1 : 0;

	while (at > 0 && bytes[at - 1] != '\0') {
		at--;
	}
	return at;
}

/* How much of the LEN bytes that a list ends with is whole: a run may have died amid a record, or
 * between the two of a rename. */
static size_t whole_part(const char *bytes, size_t len)
{
	while (len > 0 && bytes[len - 1] != '\0') {
		len--;
	}
	size_t last = record_before(bytes, len);

	return len > 0 && bytes[last] == '=' ? last : len;
}

/* Cuts off what a dead run left unfinished. *SIZE: of the list. */
static int mend(int fd, const char *path, uint64_t *size, struct err *err)
{
	struct stat st;
	char *bytes;
	ssize_t len;

	if (fstat(fd, &st) != 0) {
		return maildir_fail(err, SCOPE_ACCOUNT, errno, "look at", path);
	}
	*size = (uint64_t)st.st_size;
	size_t wanted = *size < RECORDS_MAX ? (size_t)*size : RECORDS_MAX;
	if (wanted == 0) {
		return 0;
	}
	if (!(bytes = malloc(wanted))) {
		return err_nomem(err);
	}
	len = pread(fd, bytes, wanted, (off_t)(*size - wanted));
	int errnum = len < 0 ? errno : 0;
	size_t whole = len == (ssize_t)wanted ? whole_part(bytes, wanted) : wanted;
	free(bytes);
	if (errnum != 0) {
		return maildir_fail(err, SCOPE_ACCOUNT, errnum, "read", path);
	}
	*size -= wanted - whole;
	return whole == wanted ? 0 : file_truncate(fd, *size, err);
}

static int list_open(struct maildir *maildir, struct err *err)
{
	struct maildir_list *list = &maildir->changes;
	int fd;

	if (list->fd >= 0) {
		return 0;
	}
	int code = file_open_append(AT_FDCWD, list->path, &fd, err);
	if (code < 0) {
		return code;
	}
	if ((code = mend(fd, list->path, &list->size, err)) < 0) {
		close(fd);
		return code;
	}
	list->fd = fd;
	return 0;
}

static int list_append(struct maildir *maildir, struct span records, struct err *err)
{
	struct maildir_list *list = &maildir->changes;
	struct err ignored;

	pthread_mutex_lock(&maildir->mutex);
	int code = list_open(maildir, err);
	if (code == 0 && (code = file_write(list->fd, records.data, records.len, err)) < 0) {
		(void)file_truncate(list->fd, list->size, &ignored);
	} else if (code == 0) {
		list->size += records.len;
		list->is_synced = false;
	}
	pthread_mutex_unlock(&maildir->mutex);
	return code;
}

/* Of a message below the root. */
struct record_path {
	const char *folder;
	const char *rest; /* a cur or new in it */
	const char *file;
};

static void record_add(struct buf *records, char sign, const struct maildir *maildir,
		       const struct record_path *path)
{
	buf_append_char(records, sign);
	buf_append_cstr(records, maildir->root);
	if (strcmp(path->folder, ".") != 0) {
		buf_printf(records, "/%s", path->folder);
	}
	buf_printf(records, "/%s/%s", path->rest, path->file);
	buf_append_char(records, '\0');
}

static int records_end(struct buf *records, struct maildir *maildir, struct err *err)
{
	int code = buf_status(records, "a record of the list of changes", err);

	code = code < 0 ? code : list_append(maildir, buf_span(records), err);
	buf_finish(records);
	return code;
}

static void spot_add(struct buf *records, char sign, const struct maildir_spot *spot)
{
	const struct record_path path = {spot->folder->path, maildir_dir_names[spot->dir],
					 spot->file};

	record_add(records, sign, spot->folder->maildir, &path);
}

int maildir_note(const struct maildir_spot *from, const struct maildir_spot *to, struct err *err)
{
	struct maildir *maildir = (from ? from : to)->folder->maildir;
	struct buf records;

	if (!maildir->changes.path) {
		return 0;
	}
	buf_init(&records, RECORDS_MAX);
	if (from) {
		spot_add(&records, to ? '=' : '-', from);
	}
	if (to) {
		spot_add(&records, from ? '>' : '+', to);
	}
	return records_end(&records, maildir, err);
}

int maildir_note_end(const struct maildir_spot *from, const struct maildir_spot *to, int code)
{
	struct err ignored; /* it is one record too many, then */

	if (code < 0) {
		(void)maildir_note(to, from, &ignored);
		return code;
	}
	if (from) {
		maildir_alone_note(from, false);
	}
	if (to) {
		maildir_alone_note(to, true);
	}
	return code;
}

/* A folder that is going to be renamed, and how far what is in it is noted. */
struct renaming {
	struct maildir *maildir;
	const char *from; /* paths below the root */
	const char *to;
	struct strlist queue; /* folders below it, and itself: "" */
};

/* The path of NAME in the folder PREFIX of the queue, which is not freed. */
static int below(const char *prefix, const char *name, struct buf *path, struct err *err)
{
	buf_init(path, FILE_PATH_SIZE);
	buf_printf(path, "%s%s%s", prefix, *prefix ? "/" : "", name);
	return buf_status(path, "a path", err);
}

static int open_below(const struct renaming *renaming, const char *rest, struct dir_stream *stream,
		      struct err *err)
{
	struct buf path;
	int fd;

	buf_init(&path, FILE_PATH_SIZE);
	buf_printf(&path, "%s%s%s", renaming->from, *rest ? "/" : "", rest);
	int code = buf_status(&path, "a path", err);
	code = code < 0 ? code : maildir_open_path(renaming->maildir, path.data, &fd, err);
	code = code < 0 ? code : dir_stream_adopt(stream, fd, renaming->from, err);
	buf_finish(&path);
	return code;
}

/* All messages of REST, a cur or new. */
static int note_messages(const struct renaming *renaming, const char *rest, struct err *err)
{
	struct dir_stream stream;
	enum dir_kind kind;
	const char *file;
	int code = open_below(renaming, rest, &stream, err);

	if (code < 0) {
		return code;
	}
	while ((code = dir_stream_next(&stream, &file, &kind, err)) > 0) {
		struct buf records;
		if (kind != DIR_KIND_FILE || file[0] == '.') {
			continue;
		}
		buf_init(&records, RECORDS_MAX);
		const struct record_path was = {renaming->from, rest, file};
		const struct record_path is = {renaming->to, rest, file};
		record_add(&records, '=', renaming->maildir, &was);
		record_add(&records, '>', renaming->maildir, &is);
		if ((code = records_end(&records, renaming->maildir, err)) < 0) {
			break;
		}
	}
	dir_stream_close(&stream);
	return code;
}

/* The messages of one folder; those below it are queued. */
static int note_one(struct renaming *renaming, const char *prefix, struct err *err)
{
	struct dir_stream stream;
	enum dir_kind kind;
	const char *name;
	int code = open_below(renaming, prefix, &stream, err);

	if (code < 0) {
		return code;
	}
	while ((code = dir_stream_next(&stream, &name, &kind, err)) > 0) {
		struct buf path;
		if (kind != DIR_KIND_DIR || name[0] == '.' || strcmp(name, "tmp") == 0) {
			continue;
		}
		code = below(prefix, name, &path, err);
		if (code == 0 && (strcmp(name, "cur") == 0 || strcmp(name, "new") == 0)) {
			code = note_messages(renaming, path.data, err);
		} else if (code == 0) {
			code = strlist_add(&renaming->queue, buf_span(&path), err);
		}
		buf_finish(&path);
		if (code < 0) {
			break;
		}
	}
	dir_stream_close(&stream);
	return code;
}

int maildir_note_folder(struct maildir *maildir, const char *from, const char *to, struct err *err)
{
	struct renaming renaming = {.maildir = maildir, .from = from, .to = to};
	int code;

	if (!maildir->changes.path) {
		return 0;
	}
	strlist_init(&renaming.queue);
	code = strlist_add(&renaming.queue, SPAN_LIT(""), err);
	for (size_t i = 0; code == 0 && i < renaming.queue.count; i++) {
		code = note_one(&renaming, renaming.queue.items[i], err);
	}
	strlist_finish(&renaming.queue);
	return code;
}

uint64_t maildir_note_mark(struct maildir *maildir)
{
	struct err ignored;

	pthread_mutex_lock(&maildir->mutex);
	bool is_open = maildir->changes.path && list_open(maildir, &ignored) == 0;
	uint64_t mark = is_open ? maildir->changes.size : 0;
	pthread_mutex_unlock(&maildir->mutex);
	return mark;
}

void maildir_note_cut(struct maildir *maildir, uint64_t mark)
{
	struct maildir_list *list = &maildir->changes;
	struct err ignored;

	pthread_mutex_lock(&maildir->mutex);
	if (list->fd >= 0 && file_truncate(list->fd, mark, &ignored) == 0) {
		list->size = mark;
	}
	pthread_mutex_unlock(&maildir->mutex);
}

int maildir_note_sync(struct maildir *maildir, struct err *err)
{
	struct maildir_list *list = &maildir->changes;
	int code = 0;

	pthread_mutex_lock(&maildir->mutex);
	if (list->fd >= 0 && !list->is_synced) {
		code = file_sync(list->fd, err);
		list->is_synced = code == 0;
	}
	pthread_mutex_unlock(&maildir->mutex);
	return code;
}
