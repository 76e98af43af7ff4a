/* Where INBOX's mail may be, when its folder is not there: in a Maildir that another program
 * filled. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "maildir_dir.h"
#include "maildir_private.h"
#include "mailsync/base/file.h"
#include "mailsync/base/there.h"

/* 1 when PATH is a directory, 0 when it is not or is not there. */
static int is_directory(const struct maildir *maildir, const char *path, struct err *err)
{
	struct stat st;

	if (fstatat(maildir->root_fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0) {
		return S_ISDIR(st.st_mode);
	}
	return is_absent(errno)
		     ? 0
		     : maildir_fail(err, SCOPE_ACCOUNT, errno, "look at directory", path);
}

/* 1 when PATH has cur, new or tmp, 0 when it has none of them. */
int maildir_has_parts(const struct maildir *maildir, const char *path, struct err *err)
{
	int code = 0;

	for (int i = 0; i < MAILDIR_DIRS && code == 0; i++) {
		struct buf part;
		buf_init(&part, MBNAME_MAX);
		buf_printf(&part, "%s/%s", path, maildir_dir_names[i]);
		if (part.failed == 0) {
			code = is_directory(maildir, part.data, err);
		}
		buf_finish(&part);
	}
	return code;
}

/* Whether the directory NAME of the root holds anything that can be seen. */
static bool holds_files(const struct maildir *maildir, const char *name)
{
	struct dir_stream stream;
	enum dir_kind kind;
	const char *entry;
	struct err ignored;
	bool holds = false;
	int fd;

	if (file_open_dir(maildir->root_fd, name, true, &fd, &ignored) < 0 ||
	    dir_stream_adopt(&stream, fd, name, &ignored) < 0) {
		return false;
	}
	while (!holds && dir_stream_next(&stream, &entry, &kind, &ignored) > 0) {
		holds = entry[0] != '.';
	}
	dir_stream_close(&stream);
	return holds;
}

bool maildir_has_mail(const struct maildir *maildir, const char *path)
{
	char cur[sizeof("INBOX/cur")], new[sizeof("INBOX/new")];

	snprintf(cur, sizeof(cur), "%s/cur", path);
	snprintf(new, sizeof(new), "%s/new", path);
	return holds_files(maildir, cur) || holds_files(maildir, new);
}

void maildir_inbox_advice(const struct maildir *maildir, const char *path, bool has_dotted,
			  struct buf *out)
{
	const char *root = maildir->root, *folder = maildir->inbox_folder;

	if (maildir->layout != LAYOUT_FS) {
		buf_printf(out,
			   "its mail may be in the folder %s of %s: if so, set `layout = fs`; if "
			   "not, rename that folder",
			   path, root);
	} else if (strcmp(path, ".") == 0) {
		buf_printf(out,
			   "its mail may be what lies in %s itself: if so, set `%s`; if not, make "
			   "a folder for it: mkdir -p %s/%s/cur",
			   root, has_dotted ? "layout = maildir++" : "inbox = .", root, folder);
	} else {
		buf_printf(out,
			   "its mail may be in the folder %s of %s, where none is called %s: if "
			   "so, set `inbox = %s`; if not, rename that folder",
			   path, root, folder, path);
	}
}
