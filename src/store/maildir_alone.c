/*
 * Invariants:
 * 1. Each act of ours in a folder that is listened to is counted once it is done, each that the
 *    system tells of, too. Sums of hashes are compared: their order may differ.
 * 2. The stamp is taken before the last events are read, and between the two each directory is
 *    locked once by reading from it: who changed it before the stamp has told so by then.
 * 3. The stamp is older than the last change by more than a tick of the clock that stamps files.
 */
#include "mailsync/store/maildir_alone.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "maildir_dir.h"
#include "maildir_private.h"
#include "mailsync/base/array.h"
#include "mailsync/base/clock.h"
#include "mailsync/base/file.h"
#include "mailsync/base/hash.h"
#include "mailsync/base/notify.h"

#define READ_EACH 1000 /* acts; the system keeps 16384 events */
#define WAIT_MS   5
#define WAITS_MAX 8

static const char *const parts[STAMP_DIRS] = {"", "/cur", "/new"};

struct acts {
	uint64_t count;
	uint64_t sum; /* of hashes */
};

struct alone_dir {
	int id; /* notify.h */
	struct acts ours;
	struct acts told;
};

struct alone_folder {
	char *path; /* below the root */
	struct alone_dir dirs[STAMP_DIRS];
};

struct maildir_alone {
	struct notify *notify;
	struct alone_folder *folders;
	size_t count;
	size_t cap;
	size_t unread; /* acts since events were read last */
	bool has_lost; /* it cannot be told any more */
};

static void folder_finish(struct alone_folder *folder)
{
	free(folder->path);
}

void maildir_alone_finish(struct maildir *maildir)
{
	struct maildir_alone *alone = maildir->alone;

	if (!alone) {
		return;
	}
	for (size_t i = 0; i < alone->count; i++) {
		folder_finish(&alone->folders[i]);
	}
	free(alone->folders);
	notify_destroy(&alone->notify);
	free(alone);
	maildir->alone = NULL;
}

static int alone_create(struct maildir *maildir, struct err *err)
{
	struct maildir_alone *alone = calloc(1, sizeof(*alone));
	struct err why;

	if (!alone) {
		return err_nomem(err);
	}
	if (notify_create(&alone->notify, &why) == -ERR_NOMEM) {
		free(alone);
		return err_nomem(err);
	}
	maildir->alone = alone;
	return 0;
}

static struct alone_folder *folder_of(const struct maildir_alone *alone, const char *path)
{
	for (size_t i = 0; i < alone->count; i++) {
		if (strcmp(alone->folders[i].path, path) == 0) {
			return &alone->folders[i];
		}
	}
	return NULL;
}

/* PATH is the folder's from now on. */
static int folder_add(struct maildir *maildir, char *path, struct err *err)
{
	struct maildir_alone *alone = maildir->alone;
	struct alone_folder folder = {.path = path};
	char full[FILE_PATH_SIZE];
	struct err why;

	if (ARRAY_RESERVE(&alone->folders, alone->count + 1, &alone->cap, err) < 0) {
		free(path);
		return -ERR_NOMEM;
	}
	for (int i = 0; i < STAMP_DIRS; i++) {
		int len = snprintf(full, sizeof(full), "%s/%s%s", maildir->root, path, parts[i]);
		if (len >= (int)sizeof(full) ||
		    notify_add(alone->notify, full, false, &folder.dirs[i].id, &why) < 0) {
			free(path); /* what is listened to already tells of nothing that counts */
			return 0;
		}
	}
	alone->folders[alone->count++] = folder;
	return 0;
}

static int begin(struct maildir *maildir, const char *name, struct err *err)
{
	struct buf path;
	int code = 0;

	if (!maildir->alone && (code = alone_create(maildir, err)) < 0) {
		return code;
	}
	struct maildir_alone *alone = maildir->alone;
	buf_init(&path, MBNAME_MAX);
	code = maildir_path(maildir, name, &path, err);
	if (code == 0 && alone->notify && !folder_of(alone, path.data)) {
		char *own = buf_steal(&path);
		code = own ? folder_add(maildir, own, err) : err_nomem(err);
	}
	buf_finish(&path);
	return code;
}

int maildir_alone_begin(struct maildir *maildir, const char *name, struct err *err)
{
	if (maildir->root_fd < 0 || notify_is_remote(maildir->root)) {
		return 0;
	}
	pthread_mutex_lock(&maildir->alone_mutex);
	int code = begin(maildir, name, err);
	pthread_mutex_unlock(&maildir->alone_mutex);
	return code;
}

/* Its bits mixed, since hashes are added up. */
static uint64_t hash_of(bool came, const char *name)
{
	uint64_t hash = hash_span(span_of(name)) ^ (came ? 1u : 2u);

	hash ^= hash >> 33;
	hash *= 0xff51afd7ed558ccdu;
	return hash ^ hash >> 33;
}

static void acts_add(struct acts *acts, bool came, const char *name)
{
	acts->count++;
	acts->sum += hash_of(came, name);
}

/* Whether what happens to NAME matters, in the folder itself (PART is 0) or in one of its parts:
 * what programs keep beside their messages does not. */
static bool matters(int part, const char *name)
{
	return part != 0 || strcmp(name, "cur") == 0 || strcmp(name, "new") == 0 ||
	       strcmp(name, "dovecot-keywords") == 0;
}

static void take_event(struct maildir_alone *alone, const struct notify_event *event)
{
	bool came = event->what == NOTIFY_CAME;

	if (!came && event->what != NOTIFY_WENT) {
		alone->has_lost = true;
		return;
	}
	for (size_t i = 0; i < alone->count; i++) {
		for (int part = 0; part < STAMP_DIRS; part++) {
			struct alone_dir *dir = &alone->folders[i].dirs[part];
			if (dir->id == event->id && matters(part, event->name)) {
				acts_add(&dir->told, came, event->name);
			}
		}
	}
}

/* What the system told so far. */
static void read_events(struct maildir_alone *alone)
{
	struct notify_event event;
	struct err ignored;
	int code;

	while ((code = notify_next(alone->notify, &event, &ignored)) > 0) {
		take_event(alone, &event);
	}
	alone->has_lost |= code < 0;
	alone->unread = 0;
}

void maildir_alone_note(const struct maildir_spot *spot, bool came)
{
	static const int part_of[MAILDIR_DIRS] = {[MAILDIR_CUR] = 1, [MAILDIR_NEW] = 2};
	struct maildir *maildir = spot->folder->maildir;

	pthread_mutex_lock(&maildir->alone_mutex);
	struct maildir_alone *alone = maildir->alone;
	struct alone_folder *folder = alone ? folder_of(alone, spot->folder->path) : NULL;
	if (folder) {
		acts_add(&folder->dirs[part_of[spot->dir]].ours, came, spot->file);
		if (++alone->unread >= READ_EACH) {
			read_events(alone);
		}
	}
	pthread_mutex_unlock(&maildir->alone_mutex);
}

/* Times that are not older than this, or have no more digits than a coarse file system keeps, may
 * be those of a later change, too: not yet (0), or never (-1). */
static int is_past(const struct stamp *stamp)
{
	int64_t limit = stamp->taken_ns - STAMP_TICK_NS;
	int is = 1;

	for (int i = 0; i < STAMP_DIRS; i++) {
		const struct stamp_dir *dir = &stamp->dirs[i];
		if (dir->inode == 0 || dir->mtime_ns > stamp->taken_ns ||
		    dir->ctime_ns > stamp->taken_ns || dir->ctime_ns % 1000000 == 0) {
			return -1;
		}
		is = dir->mtime_ns > limit || dir->ctime_ns > limit ? 0 : is;
	}
	return is;
}

/* Takes a stamp that is past. */
static bool take_stamp(struct maildir *maildir, const char *name, struct stamp *stamp)
{
	struct err ignored;
	int is = 0;

	for (int i = 0; is == 0 && i < WAITS_MAX; i++) {
		if (i > 0) {
			clock_sleep_ms(WAIT_MS);
		}
		if (maildir_stat(maildir, name, stamp, &ignored) < 0) {
			return false;
		}
		is = is_past(stamp);
	}
	return is > 0;
}

/* Locks each directory of the folder once. */
static bool pass_through(const struct maildir *maildir, const char *path)
{
	bool is_through = true;

	for (int i = 0; is_through && i < STAMP_DIRS; i++) {
		struct dir_stream stream;
		enum dir_kind kind;
		const char *name;
		struct err ignored;
		char part[FILE_PATH_SIZE];
		int fd;
		int len = snprintf(part, sizeof(part), "%s%s", path, parts[i]);
		is_through = len < (int)sizeof(part) &&
			     maildir_open_path(maildir, part, &fd, &ignored) == 0 &&
			     dir_stream_adopt(&stream, fd, path, &ignored) == 0;
		if (is_through) {
			is_through = dir_stream_next(&stream, &name, &kind, &ignored) >= 0;
			dir_stream_close(&stream);
		}
	}
	return is_through;
}

static bool is_ours_alone(const struct maildir_alone *alone, const struct alone_folder *folder)
{
	bool is = !alone->has_lost;

	for (int i = 0; is && i < STAMP_DIRS; i++) {
		const struct alone_dir *dir = &folder->dirs[i];
		is = dir->ours.count == dir->told.count && dir->ours.sum == dir->told.sum;
	}
	return is;
}

static bool end(struct maildir *maildir, const char *name, struct stamp *stamp)
{
	struct maildir_alone *alone = maildir->alone;
	struct err ignored;
	struct buf path;
	bool is = false;

	buf_init(&path, MBNAME_MAX);
	const struct alone_folder *folder =
		alone && maildir_path(maildir, name, &path, &ignored) == 0
			? folder_of(alone, path.data)
			: NULL;
	if (folder && take_stamp(maildir, name, stamp) && pass_through(maildir, folder->path)) {
		read_events(alone);
		is = is_ours_alone(alone, folder);
	}
	buf_finish(&path);
	return is;
}

bool maildir_alone_end(struct maildir *maildir, const char *name, struct stamp *stamp)
{
	struct stamp taken;

	pthread_mutex_lock(&maildir->alone_mutex);
	bool is = end(maildir, name, &taken);
	pthread_mutex_unlock(&maildir->alone_mutex);
	if (is) {
		*stamp = taken;
		stamp->is_heard = true;
	}
	return is;
}
