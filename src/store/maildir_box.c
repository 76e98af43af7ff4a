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

int maildir_box_open_parts(struct maildir_box *box, struct err *err)
{
	bool is_mailbox = false;

	for (int i = 0; i < MAILDIR_DIRS; i++) {
		if (box->dirs[i] >= 0) {
			is_mailbox = true;
			continue;
		}
		box->dirs[i] = openat(box->fd, maildir_dir_names[i],
				      O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (box->dirs[i] < 0 && errno != ENOENT) {
			return maildir_fail(err, SCOPE_MAILBOX, errno, "open the Maildir folder of",
					    box->name);
		}
		is_mailbox = is_mailbox || box->dirs[i] >= 0;
	}
	return is_mailbox ? 0
			  : err_set(err, ERR_CHANGED, SCOPE_MAILBOX, "there is no local mailbox %s",
				    box->name);
}

static int folder_open(struct maildir *maildir, struct maildir_box *box, struct err *err)
{
	struct buf path;

	buf_init(&path, MBNAME_MAX);
	int rc = maildir_path(maildir, box->name, &path, err);
	if (rc == 0) {
		rc = maildir_open_path(maildir, path.data, &box->fd, err);
	}
	buf_finish(&path);
	return rc;
}

int maildir_box_open(struct maildir *maildir, const char *name, struct maildir_box **box,
		     struct err *err)
{
	struct maildir_box *opened = calloc(1, sizeof(*opened));

	if (!opened) {
		return err_nomem(err);
	}
	opened->maildir = maildir;
	opened->fd = -1;
	for (int i = 0; i < MAILDIR_DIRS; i++) {
		opened->dirs[i] = -1;
	}
	opened->name = strdup(name);
	int rc = opened->name ? folder_open(maildir, opened, err) : err_nomem(err);
	if (rc == 0) {
		rc = maildir_box_open_parts(opened, err);
	}
	if (rc < 0) {
		maildir_box_close(&opened);
		return rc;
	}
	*box = opened;
	return 0;
}

void maildir_box_close(struct maildir_box **box)
{
	struct maildir_box *closing = *box;

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
	free(closing->spare_pending);
	free(closing->name);
	free(closing);
	*box = NULL;
}

int maildir_box_dir(struct maildir_box *box, enum maildir_dir dir, int *fd, struct err *err)
{
	if (box->dirs[dir] < 0) {
		int rc = file_make_dir(box->fd, maildir_dir_names[dir], NULL, err);
		if (rc == 0) {
			box->folder_touched = true;
			rc = file_open_dir(box->fd, maildir_dir_names[dir], true, &box->dirs[dir],
					   err);
		}
		if (rc < 0) {
			return rc;
		}
	}
	*fd = box->dirs[dir];
	return 0;
}

int maildir_box_sync_names(struct maildir_box *box, struct err *err)
{
	if (box->maildir->durability == MAILDIR_SYNC_NONE) {
		return 0;
	}
	for (int i = 0; i < MAILDIR_DIRS; i++) {
		/* What is in tmp need not last, and a leftover is swept. */
		if (i == MAILDIR_TMP || !box->touched[i]) {
			continue;
		}
		int rc = file_sync_dir(box->dirs[i], err);
		if (rc < 0) {
			return rc;
		}
		box->touched[i] = false;
	}
	if (box->folder_touched) {
		int rc = file_sync_dir(box->fd, err);
		if (rc < 0) {
			return rc;
		}
		box->folder_touched = false;
	}
	return 0;
}

/* Above that many folders one syncfs is cheaper than an fsync of each of their directories. */
#define SYNC_EACH_MAX 2

int maildir_sync_names(struct maildir_box *const *boxes, size_t count, struct err *err)
{
	bool by_syncfs =
		count > SYNC_EACH_MAX && boxes[0]->maildir->durability != MAILDIR_SYNC_NONE;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < count; i++) {
		struct maildir_box *box = boxes[i];
		struct stat first, here;

		if (by_syncfs && fstat(boxes[0]->fd, &first) == 0 && fstat(box->fd, &here) == 0 &&
		    first.st_dev == here.st_dev) {
			rc = i == 0 ? file_sync_fs(box->fd, err) : 0;
			if (rc == 0) {
				memset(box->touched, 0, sizeof(box->touched));
				box->folder_touched = false;
				continue;
			}
			by_syncfs = false;
		}
		rc = maildir_box_sync_names(box, err);
	}
	return rc;
}
