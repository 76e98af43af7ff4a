/*
 * Invariants:
 * 1. Only regular files in tmp/ with our prefix go, and none of this run's: those bear its tag.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "maildir_dir.h"
#include "maildir_keywords.h"
#include "maildir_private.h"
#include "mailsync/base/file.h"

/* The mtime of a draft is the message's date: only ctime tells its age. */
static bool is_leftover(const struct maildir_folder *folder, const char *name, struct stat *st)
{
	const struct maildir *maildir = folder->maildir;

	return strncmp(name, MAILDIR_TEMP_PREFIX, strlen(MAILDIR_TEMP_PREFIX)) == 0 &&
	       strncmp(name, maildir->temp_tag, strlen(maildir->temp_tag)) != 0 &&
	       fstatat(folder->dirs[MAILDIR_TMP], name, st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       S_ISREG(st->st_mode) && maildir_time_ns(st->st_ctim) < maildir->opened_ns;
}

int maildir_folder_sweep(struct maildir_folder *folder, struct err *err)
{
	struct dir_stream stream;
	enum dir_kind kind;
	const char *name;
	struct stat st;

	if (folder->dirs[MAILDIR_TMP] < 0) {
		return 0;
	}
	int code = dir_stream_open(&stream, folder->dirs[MAILDIR_TMP], folder->name, err);
	if (code < 0) {
		return code;
	}
	while ((code = dir_stream_next(&stream, &name, &kind, err)) > 0) {
		if (kind == DIR_KIND_FILE && is_leftover(folder, name, &st)) {
			maildir_table_sweep(folder, &st);
			code = file_unlink(folder->dirs[MAILDIR_TMP], name, err);
			if (code < 0) {
				break;
			}
		}
	}
	dir_stream_close(&stream);
	return code;
}
