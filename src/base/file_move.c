/*
 * Renaming. Invariant: file_rename never makes a file disappear. Where the system offers no
 * rename that refuses an existing target, link and unlink do the same in two steps; a crash
 * between them leaves one message under both names (the same inode).
 */
#define _GNU_SOURCE /* syscall */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#ifdef __linux__
#include <sys/syscall.h>
#endif

#include "file_private.h"
#include "mailsync/base/file.h"
#include "mailsync/base/step.h"
#include "mailsync/base/there.h"

#ifndef RENAME_NOREPLACE
#define RENAME_NOREPLACE 1 /* linux/fs.h, which clashes with the C library's headers */
#endif

#ifndef RENAME_EXCHANGE
#define RENAME_EXCHANGE 2
#endif

struct move {
	int from_dirfd;
	const char *from;
	int to_dirfd;
	const char *to;
};

/* MODE: RENAME_NOREPLACE or RENAME_EXCHANGE. Through syscall(): musl has had renameat2 only for a
 * short time. */
static int move_by(const struct move *move, unsigned mode)
{
#if defined(__linux__) && defined(SYS_renameat2)
	if (syscall(SYS_renameat2, move->from_dirfd, move->from, move->to_dirfd, move->to, mode) ==
	    0) {
		return 0;
	}
	return errno;
#else
	(void)move, (void)mode;
	return ENOSYS;
#endif
}

/* For file systems with neither: a target made in between is lost, there is no better way. */
static int move_looking_first(const struct move *move)
{
	struct stat st;

	if (fstatat(move->to_dirfd, move->to, &st, AT_SYMLINK_NOFOLLOW) == 0) {
		return EEXIST;
	}
	if (!is_absent(errno)) {
		return errno;
	}
	return renameat(move->from_dirfd, move->from, move->to_dirfd, move->to) == 0 ? 0 : errno;
}

static int move_by_link(const struct move *move)
{
	if (linkat(move->from_dirfd, move->from, move->to_dirfd, move->to, 0) != 0) {
		return file_is_refused(errno) ? move_looking_first(move) : errno;
	}
	int errnum = STEP_AT("unlink", move->from_dirfd, move->from);
	if (errnum == 0 && unlinkat(move->from_dirfd, move->from, 0) != 0 && !is_absent(errno)) {
		errnum = errno;
	}
	return errnum;
}

/* Which of the two folders would not have it, nobody tells. */
static int fail_move(struct err *err, int errnum, const char *what, const struct move *move)
{
	char from[FILE_SHOWN_SIZE], to[FILE_SHOWN_SIZE], both[2 * FILE_SHOWN_SIZE + 8];

	file_shown(move->from_dirfd, move->from, from);
	file_shown(move->to_dirfd, move->to, to);
	snprintf(both, sizeof(both), "%s to %s", from, to);
	return file_fail(err, errnum, what, both);
}

/* WHEN_ABSENT: the code of a source, or a target's folder, that is gone. */
static int rename_to_new(const struct move *move, enum err_code when_absent, struct err *err)
{
	int errnum = STEP_MOVE("rename", move->from_dirfd, move->from, move->to_dirfd, move->to);

	if (errnum == 0) {
		errnum = move_by(move, RENAME_NOREPLACE);
		if (file_is_refused(errnum)) {
			errnum = move_by_link(move);
		}
	}
	if (errnum == EEXIST || is_absent(errnum)) {
		return err_set_errno(err, errnum == EEXIST ? ERR_CHANGED : when_absent,
				     SCOPE_MESSAGE, errnum, "%s is not renamed to %s", move->from,
				     move->to);
	}
	return errnum == 0 ? 0 : fail_move(err, errnum, "rename", move);
}

int file_rename(int from_dirfd, const char *from, int to_dirfd, const char *to, struct err *err)
{
	const struct move move = {from_dirfd, from, to_dirfd, to};

	return rename_to_new(&move, ERR_CHANGED, err);
}

int file_publish(int from_dirfd, const char *from, int to_dirfd, const char *to, struct err *err)
{
	const struct move move = {from_dirfd, from, to_dirfd, to};

	return rename_to_new(&move, ERR_PARTIAL, err);
}

int file_exchange(int one_dirfd, const char *one, int other_dirfd, const char *other,
		  struct err *err)
{
	const struct move move = {one_dirfd, one, other_dirfd, other};
	int errnum = STEP_MOVE("exchange", one_dirfd, one, other_dirfd, other);

	if (errnum == 0) {
		errnum = move_by(&move, RENAME_EXCHANGE);
	}
	if (is_absent(errnum)) {
		return err_set_errno(err, ERR_CHANGED, SCOPE_MESSAGE, errnum,
				     "%s is not put in the place of %s", one, other);
	}
	if (file_is_refused(errnum)) {
		return err_set_errno(
			err, ERR_LIMIT, SCOPE_MESSAGE, errnum,
			"this file system cannot put one file in the place of another");
	}
	return errnum == 0 ? 0 : fail_move(err, errnum, "exchange", &move);
}

int file_link(int from_dirfd, const char *from, int to_dirfd, const char *to, struct err *err)
{
	int errnum = STEP_MOVE("link", from_dirfd, from, to_dirfd, to);

	if (errnum == 0 && linkat(from_dirfd, from, to_dirfd, to, 0) != 0) {
		errnum = errno;
	}
	if (errnum == EEXIST || is_absent(errnum)) {
		return err_set_errno(err, ERR_CHANGED, SCOPE_MESSAGE, errnum,
				     "%s is not linked to %s", from, to);
	}
	if (errnum == EXDEV || errnum == EMLINK || file_is_refused(errnum)) {
		return err_set_errno(err, ERR_LIMIT, SCOPE_MESSAGE, errnum,
				     "%s cannot be linked to %s", from, to);
	}
	return errnum == 0 ? 0 : file_fail_in(err, errnum, "link", to_dirfd, to);
}

int file_replace(int from_dirfd, const char *from, int to_dirfd, const char *to, struct err *err)
{
	int errnum = STEP_MOVE("replace", from_dirfd, from, to_dirfd, to);

	if (errnum == 0 && renameat(from_dirfd, from, to_dirfd, to) != 0) {
		errnum = errno;
	}
	return errnum == 0 ? 0 : file_fail_in(err, errnum, "replace", to_dirfd, to);
}
