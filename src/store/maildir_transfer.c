/*
 * Messages from one mailbox to another.
 *
 * Invariants:
 * 1. The old name never goes before the new one is there.
 * 2. The copy is byte for byte, and made whole and durable in tmp/ before it gets its name.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "maildir_name.h"
#include "maildir_private.h"
#include "mailsync/base/file.h"

/* Where a message goes: an open directory and a name in it. */
struct target {
	enum maildir_dir dir;
	int fd;
	char name[MAILDIR_NAME_MAX + 1];
};

static int target_find(const struct maildir_transfer *transfer, struct target *target,
		       struct err *err)
{
	struct maildir_folder *to = transfer->to;
	uint64_t letters;

	int code = maildir_name_check(transfer->unique, err);
	if (code == 0) {
		code = maildir_folder_letters(to, transfer->flags, transfer->keywords, &letters,
					      err);
	}
	if (code == 0) {
		code = maildir_name_make(transfer->unique, to->maildir->info_delimiter, letters,
					 target->name, err);
	}
	if (code == 0) {
		target->dir = letters == 0 ? MAILDIR_NEW : MAILDIR_CUR;
		code = maildir_folder_dir(to, target->dir, &target->fd, err);
	}
	return code;
}

/* Copies the open file FROM into tmp/ of the target's mailbox under NAME. */
static int copy_to_temp(const struct maildir_transfer *transfer, int from,
			const struct maildir_file *info, const char *name, struct err *err)
{
	struct maildir_folder *to = transfer->to;
	int fd;

	int code = file_create(to->dirs[MAILDIR_TMP], name, &fd, err);
	if (code < 0) {
		return code;
	}
	code = file_copy(from, fd, transfer->file, err);
	if (code == 0) {
		code = maildir_set_mtime(to->maildir, fd, info->mtime, err);
	}
	if (code == 0 && to->maildir->durability != MAILDIR_SYNC_NONE) {
		code = file_sync(fd, err);
	}
	if (close(fd) != 0 && errno != EINTR && code == 0) {
		code = maildir_fail_in(err, errno, "write", to->dirs[MAILDIR_TMP], name);
	}
	return code;
}

static int transfer_by_copy(const struct maildir_transfer *transfer, const struct target *target,
			    struct err *err)
{
	char name[sizeof(((struct maildir_draft *)NULL)->temp_name)];
	struct maildir_file info;
	struct err ignored;
	int from, tmp_fd;

	int code = maildir_folder_dir(transfer->to, MAILDIR_TMP, &tmp_fd, err);
	if (code == 0) {
		code = maildir_folder_open_file(transfer->from, transfer->file, transfer->in_new,
						&from, &info, err);
	}
	if (code < 0) {
		return code;
	}
	maildir_temp_name(transfer->to->maildir, name, sizeof(name));
	code = copy_to_temp(transfer, from, &info, name, err);
	close(from);
	if (code == 0) {
		code = file_publish(tmp_fd, name, target->fd, target->name, err);
	}
	if (code < 0) {
		(void)file_unlink(tmp_fd, name, &ignored);
	}
	return code;
}

/* 1 when done, 0 when these two places cannot share a file. */
static int transfer_by_link(const struct maildir_transfer *transfer, const struct target *target,
			    struct err *err)
{
	int from = transfer->from->dirs[transfer->in_new ? MAILDIR_NEW : MAILDIR_CUR];
	int code = file_link(from, transfer->file, target->fd, target->name, err);

	if (code == -ERR_LIMIT) {
		return 0;
	}
	return code == 0 ? 1 : code;
}

static int transfer_copy(const struct maildir_transfer *transfer, const struct target *target,
			 struct err *err)
{
	int code = transfer_by_link(transfer, target, err);

	if (code == 0) {
		return transfer_by_copy(transfer, target, err);
	}
	return code > 0 ? 0 : code;
}

static bool on_one_device(int from_fd, int to_fd)
{
	struct stat from, to;

	return fstat(from_fd, &from) == 0 && fstat(to_fd, &to) == 0 && from.st_dev == to.st_dev;
}

static int transfer_move(const struct maildir_transfer *transfer, const struct target *target,
			 struct err *err)
{
	enum maildir_dir dir = transfer->in_new ? MAILDIR_NEW : MAILDIR_CUR;
	struct maildir_folder *from = transfer->from;

	if (on_one_device(from->dirs[dir], target->fd)) {
		return file_rename(from->dirs[dir], transfer->file, target->fd, target->name, err);
	}
	int code = transfer_by_copy(transfer, target, err);
	if (code == 0 && from->maildir->durability != MAILDIR_SYNC_NONE) {
		code = file_sync_dir(target->fd, err);
	}
	return code == 0 ? file_remove(from->dirs[dir], transfer->file, err) : code;
}

int maildir_transfer(const struct maildir_transfer *transfer, struct err *err)
{
	enum maildir_dir dir = transfer->in_new ? MAILDIR_NEW : MAILDIR_CUR;
	struct maildir_file info;
	struct target target;

	int code = maildir_folder_stat_file(transfer->from, transfer->file, transfer->in_new, &info,
					    err);
	if (code == 0) {
		code = target_find(transfer, &target, err);
	}
	const struct maildir_spot was = {transfer->from, dir, transfer->file};
	const struct maildir_spot is = {transfer->to, target.dir, target.name};
	const struct maildir_spot *from = transfer->copy ? NULL : &was;
	if (code < 0 || (code = maildir_note(from, &is, err)) < 0) {
		return code;
	}
	code = transfer->copy ? transfer_copy(transfer, &target, err)
			      : transfer_move(transfer, &target, err);
	code = maildir_note_end(from, &is, code);
	if (code == 0) {
		transfer->to->touched[target.dir] = true;
		transfer->from->touched[dir] = transfer->from->touched[dir] || !transfer->copy;
	}
	return code;
}
