/*
 * Making, renaming and removing mailboxes.
 *
 * Invariants:
 * 1. A directory with a message in it is never removed: only empty directories are (rmdir). tmp
 *    goes first, so that nobody can begin a delivery meanwhile, and what was removed is made again
 *    when another part turns out not to be empty.
 * 2. A mailbox is made only in a directory that bears exactly its name.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "maildir_dir.h"
#include "maildir_private.h"
#include "mailsync/base/clock.h"
#include "mailsync/base/file.h"

/* What nobody wrote to for so long is no delivery under way (maildir(5)). */
#define TEMP_STALE_NS (INT64_C(36) * 3600 * 1000000000)

static int root_required(const struct maildir *maildir, struct err *err)
{
	return maildir->root_fd >= 0 ? 0
				     : err_set(err, ERR_LOCAL, SCOPE_ACCOUNT,
					       "there is no directory %s", maildir->root);
}

static int sync_dir(const struct maildir *maildir, int fd, struct err *err)
{
	return maildir->durability == MAILDIR_SYNC_NONE ? 0 : file_sync_dir(fd, err);
}

/* Refuses a directory that the file system shows under another name than it was made with. */
static int component_check(int parent, const char *name, bool is_new, struct err *err)
{
	bool is_ascii = true;

	for (const char *at = name; *at; at++) {
		is_ascii = is_ascii && (unsigned char)*at < 0x80;
	}
	if (is_new && is_ascii) {
		return 0;
	}
	int code = dir_has_entry(parent, name, err);
	if (code != 0) {
		return code < 0 ? code : 0;
	}
	if (is_new) {
		struct err ignored;
		(void)file_remove_dir(parent, name, &ignored);
	}
	return err_set(err, ERR_PARTIAL, SCOPE_MAILBOX,
		       "a mailbox cannot be kept in directory %s: the file system takes that name "
		       "for another one's (letters' case or Unicode form)",
		       name);
}

static int component_make(const struct maildir *maildir, int parent, const char *name, int *fd,
			  struct err *err)
{
	bool is_new = false;

	int code = file_make_dir(parent, name, &is_new, err);
	if (code == 0) {
		code = component_check(parent, name, is_new, err);
	}
	if (code == 0 && is_new) {
		code = sync_dir(maildir, parent, err);
	}
	if (code == 0) {
		code = file_open_dir(parent, name, true, fd, err);
	}
	return code;
}

/* Makes and opens the directory PATH below the root, with those above it. */
static int path_make(const struct maildir *maildir, const char *path, int *fd, struct err *err)
{
	int at;

	int code = file_open_dir(maildir->root_fd, ".", true, &at, err);
	if (code < 0) {
		return code;
	}
	while (*path && code == 0) {
		size_t len = strcspn(path, "/");
		char *name = span_dup((struct span){path, len});
		int next = -1;
		if (!name) {
			code = err_nomem(err);
		} else if (strcmp(name, ".") != 0) {
			code = component_make(maildir, at, name, &next, err);
		}
		free(name);
		if (next >= 0) {
			close(at);
			at = next;
		}
		path += len + (path[len] == '/');
	}
	if (code < 0) {
		close(at);
		return code;
	}
	*fd = at;
	return 0;
}

/* Maildir++ marks its folders with this file. */
static int marker_make(int fd, struct err *err)
{
	struct stat st;
	int marker;

	if (fstatat(fd, "maildirfolder", &st, AT_SYMLINK_NOFOLLOW) == 0) {
		return 0;
	}
	int code = file_create(fd, "maildirfolder", &marker, err);
	if (code == 0) {
		close(marker);
	}
	return code;
}

/* Refuses a name that the next listing would decode, and so take for another one. */
static int refuse_decodable(const struct maildir *maildir, const char *name, const char *path,
			    struct err *err)
{
	struct buf decoded, plain;
	struct err ignored;
	int code = 0;

	buf_init(&decoded, MBNAME_MAX);
	buf_init(&plain, MBNAME_MAX);
	bool is_alias = mbname_to_path(maildir->layout, maildir->inbox_folder, name, &plain,
				       &ignored) != 0 ||
			strcmp(plain.data, path) != 0;
	if (!is_alias && maildir_name_decode(maildir, name, &decoded)) {
		code = err_set(err, ERR_PARTIAL, SCOPE_MAILBOX,
			       "mailbox %s cannot be kept in a directory: its name reads as the "
			       "modified UTF-7 of %s",
			       name, decoded.data);
	}
	buf_finish(&plain);
	buf_finish(&decoded);
	return code;
}

int maildir_create_folder(struct maildir *maildir, const char *name, struct err *err)
{
	struct buf path;
	int fd = -1;

	buf_init(&path, MBNAME_MAX);
	int code = root_required(maildir, err);
	if (code == 0) {
		code = maildir_path(maildir, name, &path, err);
	}
	if (code == 0) {
		code = refuse_decodable(maildir, name, path.data, err);
	}
	if (code == 0) {
		code = path_make(maildir, path.data, &fd, err);
	}
	if (code == 0 && maildir->layout == LAYOUT_MAILDIRPP && strcmp(path.data, ".") != 0) {
		code = marker_make(fd, err);
	}
	for (int i = MAILDIR_DIRS - 1; i >= 0 && code == 0; i--) {
		code = file_make_dir(fd, maildir_dir_names[i], NULL, err);
	}
	if (code == 0) {
		code = sync_dir(maildir, fd, err);
	}
	if (fd >= 0) {
		close(fd);
	}
	buf_finish(&path);
	return code;
}

/* Removes what is stale, or ours, from tmp/. */
static int temp_clear(struct maildir_folder *folder, struct err *err)
{
	struct dir_stream stream;
	enum dir_kind kind;
	const char *name;
	struct stat st;

	int code = dir_stream_open(&stream, folder->dirs[MAILDIR_TMP], folder->name, err);
	if (code < 0) {
		return code;
	}
	while ((code = dir_stream_next(&stream, &name, &kind, err)) > 0) {
		if (kind != DIR_KIND_FILE ||
		    fstatat(folder->dirs[MAILDIR_TMP], name, &st, AT_SYMLINK_NOFOLLOW) != 0 ||
		    maildir_time_ns(st.st_ctim) > clock_real_ns() - TEMP_STALE_NS) {
			continue;
		}
		code = file_unlink(folder->dirs[MAILDIR_TMP], name, err);
		if (code < 0) {
			break;
		}
	}
	dir_stream_close(&stream);
	return code;
}

/* -ERR_CHANGED when cur or new holds anything. */
static int folder_require_empty(struct maildir_folder *folder, struct err *err)
{
	for (int i = MAILDIR_CUR; i <= MAILDIR_NEW; i++) {
		struct dir_stream stream;
		enum dir_kind kind;
		const char *name;
		if (folder->dirs[i] < 0) {
			continue;
		}
		int code = dir_stream_open(&stream, folder->dirs[i], folder->name, err);
		if (code < 0) {
			return code;
		}
		code = dir_stream_next(&stream, &name, &kind, err);
		if (code > 0) {
			code = err_set(err, ERR_CHANGED, SCOPE_MAILBOX,
				       "mailbox %s is not removed: it holds %s/%s", folder->name,
				       maildir_dir_names[i], name);
		}
		dir_stream_close(&stream);
		if (code < 0) {
			return code;
		}
	}
	return 0;
}

static int parts_remove(struct maildir_folder *folder, struct err *err)
{
	static const enum maildir_dir order[MAILDIR_DIRS] = {MAILDIR_TMP, MAILDIR_NEW, MAILDIR_CUR};
	int code = 0;

	for (int i = 0; i < MAILDIR_DIRS && code == 0; i++) {
		code = file_remove_dir(folder->fd, maildir_dir_names[order[i]], err);
	}
	if (code < 0) {
		struct err ignored;
		for (int i = 0; i < MAILDIR_DIRS; i++) {
			(void)file_make_dir(folder->fd, maildir_dir_names[i], NULL, &ignored);
		}
	}
	return code;
}

/* What belongs to a mailbox beside its messages and is worth nothing without them. */
static bool is_index_file(const char *name)
{
	return strncmp(name, "dovecot", 7) == 0 || strcmp(name, "maildirfolder") == 0 ||
	       strcmp(name, ".uidvalidity") == 0;
}

static int index_files_remove(struct maildir_folder *folder, struct err *err)
{
	struct dir_stream stream;
	enum dir_kind kind;
	const char *name;

	int code = dir_stream_open(&stream, folder->fd, folder->name, err);
	if (code < 0) {
		return code;
	}
	while ((code = dir_stream_next(&stream, &name, &kind, err)) > 0) {
		if (kind == DIR_KIND_FILE && is_index_file(name)) {
			code = file_unlink(folder->fd, name, err);
			if (code < 0) {
				break;
			}
		}
	}
	dir_stream_close(&stream);
	return code;
}

/* Opens the directory that PATH (not ".") is in; *NAME: its last component. */
static int parent_open(const struct maildir *maildir, const char *path, int *fd, const char **name,
		       struct err *err)
{
	const char *slash = strrchr(path, '/');

	*name = slash ? slash + 1 : path;
	if (!slash) {
		return file_open_dir(maildir->root_fd, ".", true, fd, err);
	}
	char *above = span_dup((struct span){path, (size_t)(slash - path)});
	if (!above) {
		return err_nomem(err);
	}
	int code = maildir_open_path(maildir, above, fd, err);
	free(above);
	return code;
}

/* Removes the mailbox's own directory, unless it has children or files of others. */
static int folder_remove(struct maildir *maildir, struct maildir_folder *folder, const char *path,
			 struct err *err)
{
	const char *name;
	int parent;

	int code = index_files_remove(folder, err);
	if (code == 0) {
		code = parent_open(maildir, path, &parent, &name, err);
	}
	if (code < 0) {
		return code;
	}
	code = file_remove_dir(parent, name, err);
	if (code == -ERR_CHANGED) {
		code = 0;
	}
	if (code == 0) {
		code = sync_dir(maildir, parent, err);
	}
	close(parent);
	return code;
}

int maildir_remove_folder(struct maildir *maildir, const char *name, struct err *err)
{
	struct maildir_folder *folder = NULL;
	struct buf path;

	buf_init(&path, MBNAME_MAX);
	int code = maildir_path(maildir, name, &path, err);
	if (code == 0) {
		code = maildir_folder_open(maildir, name, &folder, err);
	}
	if (code == 0) {
		code = folder_require_empty(folder, err);
	}
	if (code == 0 && folder->dirs[MAILDIR_TMP] >= 0) {
		code = maildir_folder_sweep(folder, err);
		if (code == 0) {
			code = temp_clear(folder, err);
		}
	}
	if (code == 0) {
		code = parts_remove(folder, err);
	}
	if (code == 0) {
		code = sync_dir(maildir, folder->fd, err);
	}
	/* The root stays, with what it holds for the other mailboxes. */
	if (code == 0 && strcmp(path.data, ".") != 0) {
		code = folder_remove(maildir, folder, path.data, err);
	}
	maildir_folder_close(&folder);
	buf_finish(&path);
	return code;
}

/* Makes the directories above PATH. */
static int parent_make(const struct maildir *maildir, const char *path, struct err *err)
{
	const char *slash = strrchr(path, '/');
	int fd;

	if (!slash) {
		return 0;
	}
	char *above = span_dup((struct span){path, (size_t)(slash - path)});
	if (!above) {
		return err_nomem(err);
	}
	int code = path_make(maildir, above, &fd, err);
	free(above);
	if (code == 0) {
		close(fd);
	}
	return code;
}

static int names_sync(struct maildir *maildir, int from_fd, int to_fd, struct err *err)
{
	int code;

	if (maildir->durability == MAILDIR_SYNC_NONE) {
		return 0;
	}
	if ((code = maildir_note_sync(maildir, err)) < 0 ||
	    (code = file_sync_dir(to_fd, err)) < 0) {
		return code;
	}
	return file_sync_dir(from_fd, err);
}

static int directory_rename(struct maildir *maildir, const char *from, const char *to,
			    struct err *err)
{
	int from_fd = -1, to_fd = -1;
	const char *from_name, *to_name;
	uint64_t mark = maildir_note_mark(maildir);

	int code = parent_make(maildir, to, err);
	if (code == 0) {
		code = parent_open(maildir, from, &from_fd, &from_name, err);
	}
	if (code == 0) {
		code = parent_open(maildir, to, &to_fd, &to_name, err);
	}
	if (code == 0) {
		code = maildir_note_folder(maildir, from, to, err);
	}
	if (code == 0) {
		code = file_rename(from_fd, from_name, to_fd, to_name, err);
	}
	if (code < 0) {
		maildir_note_cut(maildir, mark);
	}
	if (code == 0) {
		code = names_sync(maildir, from_fd, to_fd, err);
	}
	if (to_fd >= 0) {
		close(to_fd);
	}
	if (from_fd >= 0) {
		close(from_fd);
	}
	return code;
}

/* Maildir++ keeps children beside their parent: those of FROM go along. */
static int children_rename(struct maildir *maildir, const char *from, const char *to,
			   struct err *err)
{
	size_t len = strlen(from);
	struct strlist children;
	struct dir_stream stream;
	enum dir_kind kind;
	const char *name;

	int code = dir_stream_open(&stream, maildir->root_fd, maildir->root, err);
	if (code < 0) {
		return code;
	}
	strlist_init(&children);
	while ((code = dir_stream_next(&stream, &name, &kind, err)) > 0) {
		if ((kind == DIR_KIND_DIR || kind == DIR_KIND_UNKNOWN) &&
		    strncmp(name, from, len) == 0 && name[len] == '.') {
			code = strlist_add(&children, span_of(name), err);
			if (code < 0) {
				break;
			}
		}
	}
	dir_stream_close(&stream);
	for (size_t i = 0; i < children.count && code == 0; i++) {
		struct buf target;
		buf_init(&target, MBNAME_MAX);
		buf_printf(&target, "%s%s", to, children.items[i] + len);
		code = buf_status(&target, "a path", err);
		if (code == 0) {
			code = directory_rename(maildir, children.items[i], target.data, err);
		}
		buf_finish(&target);
	}
	strlist_finish(&children);
	return code;
}

/* The aliases below the old name are found anew. */
static int aliases_renew(struct maildir *maildir, struct err *err)
{
	struct maildir_blind blind;
	struct strlist names;

	strlist_init(&names);
	maildir_blind_init(&blind);
	int code = maildir_list_seen(maildir, &names, &blind, err);
	maildir_blind_finish(&blind);
	strlist_finish(&names);
	return code;
}

int maildir_rename_folder(struct maildir *maildir, const char *from, const char *to,
			  struct err *err)
{
	struct buf from_path, to_path;

	buf_init(&from_path, MBNAME_MAX);
	buf_init(&to_path, MBNAME_MAX);
	int code = root_required(maildir, err);
	if (code == 0) {
		code = maildir_path(maildir, from, &from_path, err);
	}
	if (code == 0) {
		code = maildir_path(maildir, to, &to_path, err);
	}
	if (code == 0) {
		code = refuse_decodable(maildir, to, to_path.data, err);
	}
	if (code == 0 && (strcmp(from_path.data, ".") == 0 || strcmp(to_path.data, ".") == 0)) {
		code = err_set(err, ERR_PARTIAL, SCOPE_MAILBOX,
			       "%s cannot be renamed to %s: the root of the Maildir stays", from,
			       to);
	}
	if (code == 0) {
		code = directory_rename(maildir, from_path.data, to_path.data, err);
	}
	if (code == 0 && maildir->layout == LAYOUT_MAILDIRPP) {
		code = children_rename(maildir, from_path.data, to_path.data, err);
	}
	if (code == 0 && maildir->aliases.count > 0) {
		code = aliases_renew(maildir, err);
	}
	maildir_memories_forget(maildir);
	if (code == -ERR_CHANGED) {
		err->scope = SCOPE_MAILBOX;
	}
	buf_finish(&to_path);
	buf_finish(&from_path);
	return code;
}
