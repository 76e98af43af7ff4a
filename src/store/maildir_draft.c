/*
 * Invariants:
 * 1. A message gets its name in new/ or cur/ only by a rename of a whole, closed file that is
 *    durable as far as the setting promises.
 * 2. A name that is there is never taken over.
 *
 * Why one syncfs before a batch of renames is enough: it returns when the data and the inodes of
 * every file written before it are on disk. What a power cut can undo afterwards is only the
 * renames, and each is atomic: the file is whole in tmp/ (swept and fetched again) or whole under
 * its name. Renaming first would let the name reach the disk before the data. Write errors are
 * reported to descriptors that were open when they happened, hence the one of tmp/ that the folder
 * has held since before the first draft.
 */
#include <sys/stat.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "maildir_keywords.h"
#include "maildir_name.h"
#include "maildir_private.h"
#include "mailsync/base/file.h"

#define PENDING_SIZE 65536

void maildir_temp_name(struct maildir *maildir, char *name, size_t size)
{
	pthread_mutex_lock(&maildir->mutex);
	uint32_t count = maildir->temp_count++;
	pthread_mutex_unlock(&maildir->mutex);
	snprintf(name, size, "%s%" PRIu32, maildir->temp_tag, count);
}

static int memory_take(struct maildir_draft *draft, struct err *err)
{
	struct maildir_folder *folder = draft->folder;

	draft->pending = folder->spare_pending ? folder->spare_pending : malloc(PENDING_SIZE);
	folder->spare_pending = NULL;
	if (!draft->pending) {
		return err_nomem(err);
	}
	int code;
	if ((code = maildir_scan_take(folder, &draft->scan, err)) == 0 &&
	    (code = maildir_content_take(folder, &draft->content_scan, err)) < 0) {
		maildir_scan_give_back(folder, &draft->scan);
	}
	if (code < 0) {
		folder->spare_pending = draft->pending;
		draft->pending = NULL;
	}
	return code;
}

/* The scans must be ready for the next message: their results were taken. */
static void memory_give_back(struct maildir_draft *draft)
{
	struct maildir_folder *folder = draft->folder;

	if (folder->spare_pending) {
		free(draft->pending);
	} else {
		folder->spare_pending = draft->pending;
	}
	draft->pending = NULL;
	maildir_scan_give_back(folder, &draft->scan);
	maildir_content_give_back(folder, &draft->content_scan);
}

int maildir_draft_create(struct maildir_folder *folder, struct maildir_draft *draft,
			 struct err *err)
{
	int tmp_fd, code;

	memset(draft, 0, sizeof(*draft));
	draft->fd = -1;
	draft->folder = folder;
	code = maildir_folder_dir(folder, MAILDIR_TMP, &tmp_fd, err);
	if (code == 0) {
		code = memory_take(draft, err);
	}
	if (code < 0) {
		return code;
	}
	char name[sizeof(draft->temp_name)];
	maildir_temp_name(folder->maildir, name, sizeof(name));
	code = file_create(tmp_fd, name, &draft->fd, err);
	if (code < 0) {
		memory_give_back(draft);
		return code;
	}
	memcpy(draft->temp_name, name, sizeof(name));
	return 0;
}

static int pending_flush(struct maildir_draft *draft, struct err *err)
{
	struct span pending = {draft->pending, draft->pending_len};

	draft->pending_len = 0;
	int code = content_scan_feed(draft->content_scan, pending, err);
	return code == 0 && pending.len > 0 ? file_write(draft->fd, pending.data, pending.len, err)
					    : code;
}

static int pending_add(struct maildir_draft *draft, const char *data, size_t len, struct err *err)
{
	draft->size_bytes += len;
	while (len > 0) {
		size_t room = PENDING_SIZE - draft->pending_len;
		size_t part = len < room ? len : room;
		memcpy(draft->pending + draft->pending_len, data, part);
		draft->pending_len += part;
		data += part;
		len -= part;
		if (draft->pending_len == PENDING_SIZE) {
			int code = pending_flush(draft, err);
			if (code < 0) {
				return code;
			}
		}
	}
	return 0;
}

int maildir_draft_write(struct maildir_draft *draft, struct span data, struct err *err)
{
	int code = 0;

	if (data.len == 0) {
		return 0;
	}
	if (draft->scan) {
		code = header_scan_feed(draft->scan, data, err);
	}
	if (code == 0 && draft->had_cr && data.data[0] != '\n') {
		code = pending_add(draft, "\r", 1, err);
	}
	draft->had_cr = false;
	while (code == 0 && data.len > 0) {
		const char *cr = memchr(data.data, '\r', data.len);
		size_t len = cr ? (size_t)(cr - data.data) : data.len;
		bool is_last = cr && len + 1 == data.len;
		bool is_kept = cr && !is_last && cr[1] != '\n';
		code = pending_add(draft, data.data, len + is_kept, err);
		draft->had_cr = is_last;
		len += cr != NULL;
		data.data += len;
		data.len -= len;
	}
	return code;
}

/* After the last change to the file. What cannot be told is no mark, and the file is read before it
 * is removed. */
static void note_mark(struct maildir_draft *draft)
{
	struct maildir_file file;
	struct stat st;

	draft->mark = (struct file_mark){0};
	if (fstat(draft->fd, &st) == 0) {
		maildir_file_of(&st, &file);
		draft->mark = maildir_file_mark(&file);
	}
}

static int note_digests(struct maildir_draft *draft, struct err *err)
{
	struct header_identity identity;
	int code;

	if ((code = header_scan_result(draft->scan, &identity, err)) < 0) {
		return code;
	}
	memcpy(draft->digest, identity.digest, sizeof(draft->digest));
	return content_scan_result(draft->content_scan, draft->content, err);
}

int maildir_draft_close(struct maildir_draft *draft, struct told_time mtime, struct err *err)
{
	int code = 0;

	if (draft->had_cr) {
		code = pending_add(draft, "\r", 1, err);
		draft->had_cr = false;
	}
	if (code == 0) {
		code = pending_flush(draft, err);
	}
	if (code == 0) {
		code = note_digests(draft, err);
	}
	/* Before the sync, so that it is durable with the rest of the inode. */
	if (code == 0 && mtime.is_told) {
		code = maildir_set_mtime(draft->folder->maildir, draft->fd, mtime.seconds, err);
	}
	if (code == 0 && draft->folder->maildir->durability == MAILDIR_SYNC_FILE) {
		code = file_sync(draft->fd, err);
	}
	if (code < 0) {
		return code;
	}
	note_mark(draft);
	int fd = draft->fd;
	draft->fd = -1;
	memory_give_back(draft);
	if (close(fd) != 0 && errno != EINTR) { /* network file systems report a full disk here */
		return maildir_fail_in(err, errno, "write", draft->folder->dirs[MAILDIR_TMP],
				       draft->temp_name);
	}
	return 0;
}

void maildir_draft_discard(struct maildir_folder *folder, struct maildir_draft *draft)
{
	struct header_identity unused;
	uint8_t content[CONTENT_DIGEST_SIZE];
	struct err ignored;

	if (!draft->folder) { /* never created: a zeroed fd is not ours */
		return;
	}
	if (draft->fd >= 0) {
		close(draft->fd);
		draft->fd = -1;
	}
	if (draft->scan && header_scan_result(draft->scan, &unused, &ignored) < 0) {
		header_scan_destroy(&draft->scan);
	}
	if (draft->content_scan &&
	    content_scan_result(draft->content_scan, content, &ignored) < 0) {
		content_scan_destroy(&draft->content_scan);
	}
	if (draft->pending) {
		memory_give_back(draft);
	}
	/* One that cannot be removed is swept by a later run. */
	if (draft->temp_name[0] != '\0' && folder->dirs[MAILDIR_TMP] >= 0) {
		(void)file_unlink(folder->dirs[MAILDIR_TMP], draft->temp_name, &ignored);
		draft->temp_name[0] = '\0';
	}
}

static int sync_one(const struct maildir_draft *draft, struct err *err)
{
	int fd = openat(draft->folder->dirs[MAILDIR_TMP], draft->temp_name,
			O_RDWR | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0) {
		return maildir_fail(err, SCOPE_MAILBOX, errno, "open", draft->temp_name);
	}
	int code = file_sync(fd, err);
	close(fd);
	return code;
}

/* Where a folder's drafts are, as far as one syncfs reaches. */
static int folder_device(const struct maildir_folder *folder, uint64_t *device, struct err *err)
{
	struct stat st;

	if (fstat(folder->dirs[MAILDIR_TMP], &st) < 0) {
		return maildir_fail(err, SCOPE_MAILBOX, errno, "look at tmp of", folder->name);
	}
	*device = (uint64_t)st.st_dev;
	return 0;
}

int maildir_sync_drafts(const struct maildir_draft *const *drafts, size_t count, struct err *err)
{
	const struct maildir_folder *folder = NULL;
	uint64_t device = 0, synced = 0;
	bool has_synced = false, has_syncfs = true;
	int code = 0;

	for (size_t i = 0; code == 0 && i < count; i++) {
		const struct maildir_draft *draft = drafts[i];
		if (draft->folder->maildir->durability != MAILDIR_SYNC_BATCH) {
			continue;
		}
		if (has_syncfs && draft->folder != folder) {
			folder = draft->folder;
			code = folder_device(folder, &device, err);
		}
		if (code == 0 && has_syncfs && (!has_synced || synced != device)) {
			code = file_sync_fs(folder->dirs[MAILDIR_TMP], err);
			has_syncfs = code != -ERR_LIMIT;
			has_synced = code == 0;
			synced = device;
		}
		if (!has_syncfs) {
			code = sync_one(draft, err);
		}
	}
	return code;
}

int maildir_folder_letters(struct maildir_folder *folder, uint64_t flags,
			   const struct keywords *keywords, uint64_t *letters, struct err *err)
{
	int code = maildir_table_letters(folder, flags, keywords, true, letters, err);

	if (code == 0) {
		*letters |= maildir_letters_of_system(flags);
	}
	return code;
}

int maildir_draft_publish(struct maildir_folder *folder, struct maildir_draft *draft,
			  const char *unique, uint64_t flags, const struct keywords *keywords,
			  struct err *err)
{
	char name[MAILDIR_NAME_MAX + 1];
	uint64_t letters;
	int fd;

	int code = maildir_name_check(unique, err);
	if (code == 0) {
		code = maildir_folder_letters(folder, flags, keywords, &letters, err);
	}
	if (code == 0) {
		code = maildir_name_make(unique, folder->maildir->info_delimiter, letters, name,
					 err);
	}
	if (code < 0) {
		return code;
	}
	enum maildir_dir dir = letters == 0 ? MAILDIR_NEW : MAILDIR_CUR;
	code = maildir_folder_dir(folder, dir, &fd, err);
	const struct maildir_spot spot = {folder, dir, name};
	if (code < 0 || (code = maildir_note(NULL, &spot, err)) < 0) {
		return code;
	}
	code = file_publish(folder->dirs[MAILDIR_TMP], draft->temp_name, fd, name, err);
	code = maildir_note_end(NULL, &spot, code);
	if (code == 0) {
		folder->touched[dir] = true;
		draft->temp_name[0] = '\0';
	}
	return code;
}

static bool is_still(int dirfd, const char *file, const struct file_mark *was)
{
	struct maildir_file found = {0};
	struct stat st;

	if (fstatat(dirfd, file, &st, AT_SYMLINK_NOFOLLOW) == 0) {
		maildir_file_of(&st, &found);
	}
	const struct file_mark is = maildir_file_mark(&found);
	return file_mark_equal(&is, was);
}

/* What was taken out of DIRFD is another file than was thought: it goes back. Where its name is not
 * there to change places with, for a program renamed the file that came for it, it goes back by
 * itself; where it cannot, it is in any case no draft of ours to be removed. */
static int put_back(int tmp, struct maildir_draft *draft, int dirfd, const char *file,
		    struct err *err)
{
	int code = file_exchange(tmp, draft->temp_name, dirfd, file, err);

	if (code == 0) {
		return 0;
	}
	if ((code = file_rename(tmp, draft->temp_name, dirfd, file, err)) < 0) {
		code = file_rename(tmp, draft->temp_name, dirfd, draft->temp_name, err);
	}
	draft->temp_name[0] = '\0';
	return code;
}

int maildir_draft_exchange(struct maildir_folder *folder, struct maildir_draft *draft,
			   const char *file, bool in_new, const struct file_mark *was,
			   struct err *err)
{
	enum maildir_dir dir = in_new ? MAILDIR_NEW : MAILDIR_CUR;
	int tmp = folder->dirs[MAILDIR_TMP];

	int code = maildir_name_check(file, err);
	if (code < 0) {
		return code;
	}
	bool is_same = is_still(folder->dirs[dir], file, was);
	if (is_same) {
		if ((code = file_exchange(tmp, draft->temp_name, folder->dirs[dir], file, err)) <
		    0) {
			return code;
		}
		folder->touched[dir] = true;
		is_same = is_still(tmp, draft->temp_name, was);
		code = is_same ? 0 : put_back(tmp, draft, folder->dirs[dir], file, err);
	}
	if (code < 0 || !is_same) {
		return code < 0 ? code
				: err_set(err, ERR_CHANGED, SCOPE_MESSAGE,
					  "file %s was changed just now; it stays", file);
	}
	code = file_unlink(tmp, draft->temp_name, err);
	draft->temp_name[0] = '\0';
	return code;
}
