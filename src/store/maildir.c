/*
 * Invariants:
 * 1. Nothing outside the root is opened: paths come from mbname_to_path or from a walk below the
 *    root, and are opened a component at a time without following links.
 * 2. A root that is not there is never made unless the caller says so: it may be an unmounted disk.
 */
#include "mailsync/base/there.h"
#include "mailsync/store/maildir.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "maildir_dir.h"
#include "maildir_private.h"
#include "mailsync/base/clock.h"
#include "mailsync/base/file.h"

const char *const maildir_dir_names[MAILDIR_DIRS] = {"cur", "new", "tmp"};

int maildir_fail(struct err *err, enum err_scope scope, int errnum, const char *what,
		 const char *name)
{
	/* Not EIO, which may be one folder's: what fails in looking at that holds up no other. */
	if (errnum == ENOSPC || errnum == EDQUOT || errnum == EROFS || errnum == EMFILE ||
	    errnum == ENFILE) {
		scope = SCOPE_ACCOUNT;
	}
	return err_set_errno(err, ERR_LOCAL, scope, errnum, "cannot %s %s", what, name);
}

int maildir_fail_in(struct err *err, int errnum, const char *what, int dirfd, const char *file)
{
	char shown[FILE_SHOWN_SIZE];

	file_shown(dirfd, file, shown);
	return maildir_fail(err, SCOPE_MESSAGE, errnum, what, shown);
}

/* A name in tmp/ must be unlike those of other processes, other hosts and earlier runs. */
static void temp_tag_make(struct maildir *maildir)
{
	char host[25] = "";

	(void)gethostname(host, sizeof(host) - 1);
	for (char *at = host; *at; at++) {
		if (*at == '/' || *at == ':') {
			*at = '_';
		}
	}
	snprintf(maildir->temp_tag, sizeof(maildir->temp_tag),
		 MAILDIR_TEMP_PREFIX "%" PRIx64 ".%ld.%s.", (uint64_t)maildir->opened_ns,
		 (long)getpid(), host);
}

/* Leaves root_fd at -1 when there is no root. */
static int root_open(struct maildir *maildir, bool may_create, struct err *err)
{
	struct stat st;

	if (stat(maildir->root, &st) != 0) {
		if (!is_absent(errno)) {
			return maildir_fail(err, SCOPE_ACCOUNT, errno, "look at", maildir->root);
		}
		if (!may_create) {
			return 0;
		}
		int code = file_make_dirs(maildir->root, err);
		if (code < 0) {
			err->scope = SCOPE_ACCOUNT;
			return code;
		}
	}
	int code = file_open_dir(AT_FDCWD, maildir->root, false, &maildir->root_fd, err);
	if (code < 0) {
		err->scope = SCOPE_ACCOUNT;
	}
	return code;
}

int maildir_open(struct maildir **maildir, const struct maildir_params *params, bool may_create,
		 struct err *err)
{
	struct maildir *opened = calloc(1, sizeof(*opened));

	if (!opened || pthread_mutex_init(&opened->mutex, NULL) != 0) {
		free(opened);
		return err_nomem(err);
	}
	if (pthread_mutex_init(&opened->alone_mutex, NULL) != 0) {
		pthread_mutex_destroy(&opened->mutex);
		free(opened);
		return err_nomem(err);
	}
	opened->root_fd = -1;
	opened->changes.fd = -1;
	opened->layout = params->layout;
	opened->info_delimiter = params->info_delimiter;
	opened->has_keywords = params->keywords;
	opened->durability = params->durability;
	opened->log = params->log;
	opened->opened_ns = clock_real_ns();
	temp_tag_make(opened);
	opened->root = strdup(params->root);
	opened->inbox_folder = strdup(params->inbox_folder ? params->inbox_folder : "INBOX");
	opened->changes.path = params->changes ? strdup(params->changes) : NULL;
	bool has_memory =
		opened->root && opened->inbox_folder && (opened->changes.path || !params->changes);
	int code = has_memory ? root_open(opened, may_create, err) : err_nomem(err);
	if (code < 0) {
		maildir_close(&opened);
		return code;
	}
	*maildir = opened;
	return 0;
}

int maildir_sync_all(struct maildir *maildir, struct err *err)
{
	return maildir->root_fd < 0 ? 0 : file_sync_fs(maildir->root_fd, err);
}

int maildir_set_mtime(struct maildir *maildir, int fd, int64_t seconds, struct err *err)
{
	int code = file_set_mtime(fd, seconds, err);

	if (code != -ERR_LIMIT) {
		return code;
	}
	pthread_mutex_lock(&maildir->mutex);
	maildir->refuses_times = true;
	pthread_mutex_unlock(&maildir->mutex);
	return 0;
}

bool maildir_refuses_times(struct maildir *maildir)
{
	pthread_mutex_lock(&maildir->mutex);
	bool refuses = maildir->refuses_times;
	pthread_mutex_unlock(&maildir->mutex);
	return refuses;
}

void maildir_close(struct maildir **maildir)
{
	struct maildir *closing = *maildir;

	if (!closing) {
		return;
	}
	if (closing->root_fd >= 0) {
		close(closing->root_fd);
	}
	if (closing->changes.fd >= 0) {
		close(closing->changes.fd);
	}
	free(closing->changes.path);
	maildir_aliases_finish(&closing->aliases);
	maildir_aliases_finish(&closing->adopted);
	maildir_memories_finish(&closing->memories);
	maildir_alone_finish(closing);
	pthread_mutex_destroy(&closing->alone_mutex);
	pthread_mutex_destroy(&closing->mutex);
	free(closing->inbox_folder);
	free(closing->root);
	free(closing);
	*maildir = NULL;
}

bool maildir_exists(const struct maildir *maildir)
{
	return maildir->root_fd >= 0;
}

char *maildir_real_root(const struct maildir *maildir)
{
	struct err ignored;
	struct buf path;

	buf_init(&path, 65536);
	if (file_real_path(maildir->root, &path, &ignored) < 0) {
		buf_finish(&path);
		return NULL;
	}
	return buf_steal(&path);
}

static int folder_missing(struct err *err, const char *path)
{
	return err_set(err, ERR_CHANGED, SCOPE_MAILBOX, "there is no directory %s", path);
}

static int open_failed(struct err *err, int errnum, const char *path)
{
	if (is_absent(errnum)) {
		return folder_missing(err, path);
	}
	return maildir_fail(err, SCOPE_MAILBOX, errnum, "open directory", path);
}

int maildir_open_path(const struct maildir *maildir, const char *path, int *fd, struct err *err)
{
	const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	char component[NAME_MAX + 1];
	int at = -1;

	if (maildir->root_fd < 0) {
		return folder_missing(err, path);
	}
	for (const char *rest = path; *rest;) {
		size_t len = strcspn(rest, "/");
		if (len == 0 || len > NAME_MAX || (len == 2 && memcmp(rest, "..", 2) == 0)) {
			if (at >= 0) {
				close(at);
			}
			return open_failed(err, len > NAME_MAX ? ENAMETOOLONG : EINVAL, path);
		}
		memcpy(component, rest, len);
		component[len] = '\0';
		int next = openat(at < 0 ? maildir->root_fd : at, component, flags);
		int errnum = errno;
		if (at >= 0) {
			close(at);
		}
		if (next < 0) {
			return open_failed(err, errnum, path);
		}
		at = next;
		rest += len + (rest[len] == '/');
	}
	if (at < 0) {
		return open_failed(err, EINVAL, path);
	}
	*fd = at;
	return 0;
}

/* Whether PATH is a directory, and nothing above it a link or a file. */
static int place_of_path(const struct maildir *maildir, char *path, enum maildir_place *place,
			 struct err *err)
{
	struct stat st;

	*place = MAILDIR_PLACE_TAKEN;
	/* Each component, the last one last. */
	for (char *end = path; *place == MAILDIR_PLACE_TAKEN && *end != '\0';) {
		end += strcspn(end, "/");
		char separator = *end;
		*end = '\0';
		bool is_seen = fstatat(maildir->root_fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0;
		if (!is_seen && !is_absent(errno)) {
			return maildir_fail(err, SCOPE_MAILBOX, errno, "look at directory", path);
		}
		*place = !is_seen            ? MAILDIR_PLACE_FREE
		       : S_ISDIR(st.st_mode) ? MAILDIR_PLACE_TAKEN
					     : MAILDIR_PLACE_BARRED;
		*end = separator;
		end += separator != '\0';
	}
	return 0;
}

static int path_is_hollow(const struct maildir *maildir, const char *path, struct err *err)
{
	struct dir_stream stream;
	enum dir_kind kind;
	const char *entry;
	int fd;

	int code = maildir_open_path(maildir, path, &fd, err);
	if (code < 0 || (code = dir_stream_adopt(&stream, fd, path, err)) < 0) {
		return code;
	}
	do {
		code = dir_stream_next(&stream, &entry, &kind, err);
	} while (code > 0 && strcmp(entry, MAILDIR_LOST_FOUND) == 0);
	dir_stream_close(&stream);
	return code < 0 ? code : code == 0;
}

int maildir_place(struct maildir *maildir, const char *name, enum maildir_place *place,
		  struct err *err)
{
	enum maildir_place found = MAILDIR_PLACE_FREE;
	struct err ignored;
	struct buf path;
	int code = 0;

	buf_init(&path, MBNAME_MAX);
	if (maildir->root_fd >= 0 && maildir_path(maildir, name, &path, &ignored) == 0) {
		code = place_of_path(maildir, path.data, &found, err);
	}
	if (code == 0 && found == MAILDIR_PLACE_TAKEN && strcmp(path.data, ".") != 0) {
		code = path_is_hollow(maildir, path.data, err);
		found = code > 0 ? MAILDIR_PLACE_HOLLOW : found;
	}
	buf_finish(&path);
	if (code < 0) {
		return code;
	}
	*place = found;
	return 0;
}

int64_t maildir_time_ns(struct timespec time)
{
	/* A damaged inode may bear any time. */
	if (time.tv_sec > INT64_MAX / 1000000000 - 1) {
		return INT64_MAX;
	}
	if (time.tv_sec < INT64_MIN / 1000000000 + 1) {
		return INT64_MIN + 1;
	}
	return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

static void stamp_dir_of(const struct stat *st, struct stamp_dir *dir)
{
	dir->dev = (uint64_t)st->st_dev;
	dir->inode = (uint64_t)st->st_ino;
	dir->mtime_ns = maildir_time_ns(st->st_mtim);
	dir->ctime_ns = maildir_time_ns(st->st_ctim);
}

int maildir_folder_stamp(const struct maildir_folder *folder, struct stamp *stamp, struct err *err)
{
	const int fds[STAMP_DIRS] = {folder->fd, folder->dirs[MAILDIR_CUR],
				     folder->dirs[MAILDIR_NEW]};
	struct stat st;

	memset(stamp, 0, sizeof(*stamp));
	stamp->taken_ns = clock_real_ns();
	for (int i = 0; i < STAMP_DIRS; i++) {
		if (fds[i] < 0) {
			continue;
		}
		if (fstat(fds[i], &st) != 0) {
			return maildir_fail(err, SCOPE_MAILBOX, errno, "look at", folder->name);
		}
		stamp_dir_of(&st, &stamp->dirs[i]);
	}
	return 0;
}

int maildir_stat(struct maildir *maildir, const char *name, struct stamp *stamp, struct err *err)
{
	static const char *const ends[STAMP_DIRS] = {"", "/cur", "/new"};
	struct stamp result = {.taken_ns = clock_real_ns()};
	struct buf path;
	struct stat st;

	buf_init(&path, MBNAME_MAX + 16);
	int code = maildir->root_fd < 0 ? folder_missing(err, name)
					: maildir_path(maildir, name, &path, err);
	size_t len = path.len;
	for (int i = 0; i < STAMP_DIRS && code == 0; i++) {
		buf_truncate(&path, len);
		buf_append_cstr(&path, ends[i]);
		code = buf_status(&path, "a path", err);
		if (code < 0) {
			break;
		}
		if (fstatat(maildir->root_fd, path.data, &st, AT_SYMLINK_NOFOLLOW) == 0) {
			if (S_ISDIR(st.st_mode)) {
				stamp_dir_of(&st, &result.dirs[i]);
			} else {
				code = open_failed(err, ENOTDIR, path.data);
			}
		} else if (i == 0 || !is_absent(errno)) {
			code = open_failed(err, errno, path.data);
		}
	}
	buf_finish(&path);
	if (code == 0) {
		*stamp = result;
	}
	return code;
}
