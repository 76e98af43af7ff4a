/* One open mailbox: its directories, its pooled memory, and what is left to make durable. */
#include <sys/stat.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "maildir_keywords.h"
#include "maildir_private.h"
#include "mailsync/base/file.h"
#include "mailsync/base/there.h"

int maildir_folder_open_parts(struct maildir_folder *folder, struct err *err)
{
	bool is_mailbox = false;

	for (int i = 0; i < MAILDIR_DIRS; i++) {
		if (folder->dirs[i] >= 0) {
			is_mailbox = true;
			continue;
		}
		folder->dirs[i] = openat(folder->fd, maildir_dir_names[i],
					 O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (folder->dirs[i] < 0 && !is_absent(errno)) {
			return maildir_fail(err, SCOPE_MAILBOX, errno, "open the Maildir folder of",
					    folder->name);
		}
		is_mailbox = is_mailbox || folder->dirs[i] >= 0;
	}
	return is_mailbox ? 0
			  : err_set(err, ERR_CHANGED, SCOPE_MAILBOX, "there is no local mailbox %s",
				    folder->name);
}

static int folder_open(struct maildir *maildir, struct maildir_folder *folder, struct err *err)
{
	struct buf path;

	buf_init(&path, MBNAME_MAX);
	int code = maildir_path(maildir, folder->name, &path, err);
	if (code == 0) {
		code = maildir_open_path(maildir, path.data, &folder->fd, err);
	}
	if (code == 0) {
		folder->path = buf_steal(&path);
		code = folder->path ? 0 : err_nomem(err);
	}
	buf_finish(&path);
	return code;
}

int maildir_folder_open(struct maildir *maildir, const char *name, struct maildir_folder **folder,
			struct err *err)
{
	struct maildir_folder *opened = calloc(1, sizeof(*opened));

	if (!opened) {
		return err_nomem(err);
	}
	opened->maildir = maildir;
	opened->fd = -1;
	for (int i = 0; i < MAILDIR_DIRS; i++) {
		opened->dirs[i] = -1;
	}
	opened->name = strdup(name);
	int code = opened->name ? folder_open(maildir, opened, err) : err_nomem(err);
	if (code == 0) {
		code = maildir_folder_open_parts(opened, err);
	}
	if (code < 0) {
		maildir_folder_close(&opened);
		return code;
	}
	*folder = opened;
	return 0;
}

void maildir_folder_close(struct maildir_folder **folder)
{
	struct maildir_folder *closing = *folder;

	if (!closing) {
		return;
	}
	for (int i = 0; i < MAILDIR_DIRS; i++) {
		if (closing->dirs[i] >= 0) {
			close(closing->dirs[i]);
		}
	}
	if (closing->fd >= 0) {
		close(closing->fd);
	}
	maildir_table_finish(&closing->table);
	header_scan_destroy(&closing->spare_scan);
	content_scan_destroy(&closing->spare_content);
	free(closing->spare_pending);
	free(closing->name);
	free(closing->path);
	free(closing);
	*folder = NULL;
}

int maildir_folder_dir(struct maildir_folder *folder, enum maildir_dir dir, int *fd,
		       struct err *err)
{
	if (folder->dirs[dir] < 0) {
		int code = file_make_dir(folder->fd, maildir_dir_names[dir], NULL, err);
		if (code == 0) {
			folder->folder_touched = true;
			code = file_open_dir(folder->fd, maildir_dir_names[dir], true,
					     &folder->dirs[dir], err);
		}
		if (code < 0) {
			return code;
		}
	}
	*fd = folder->dirs[dir];
	return 0;
}

int maildir_folder_sync_names(struct maildir_folder *folder, struct err *err)
{
	if (folder->maildir->durability == MAILDIR_SYNC_NONE) {
		return 0;
	}
	int noted = maildir_note_sync(folder->maildir, err);
	if (noted < 0) {
		return noted;
	}
	/* First the table of keywords, without which the letters of names mean nothing. */
	if (folder->folder_touched) {
		int code = file_sync_dir(folder->fd, err);
		if (code < 0) {
			return code;
		}
		folder->folder_touched = false;
	}
	for (int i = 0; i < MAILDIR_DIRS; i++) {
		/* What is in tmp need not last, and a leftover is swept. */
		if (i == MAILDIR_TMP || !folder->touched[i]) {
			continue;
		}
		int code = file_sync_dir(folder->dirs[i], err);
		if (code < 0) {
			return code;
		}
		folder->touched[i] = false;
	}
	return 0;
}

/* Above that many folders one syncfs is cheaper than an fsync of each of their directories. */
#define SYNC_EACH_MAX 2

int maildir_sync_names(struct maildir_folder *const *folders, size_t count, struct err *err)
{
	bool by_syncfs =
		count > SYNC_EACH_MAX && folders[0]->maildir->durability != MAILDIR_SYNC_NONE;
	int code = by_syncfs ? maildir_note_sync(folders[0]->maildir, err) : 0;

	for (size_t i = 0; code == 0 && i < count; i++) {
		struct maildir_folder *folder = folders[i];
		struct stat first, here;

		if (by_syncfs && fstat(folders[0]->fd, &first) == 0 &&
		    fstat(folder->fd, &here) == 0 && first.st_dev == here.st_dev) {
			code = i == 0 ? file_sync_fs(folder->fd, err) : 0;
			if (code == 0) {
				memset(folder->touched, 0, sizeof(folder->touched));
				folder->folder_touched = false;
				continue;
			}
			by_syncfs = false;
		}
		code = maildir_folder_sync_names(folder, err);
	}
	return code;
}
