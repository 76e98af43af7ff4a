/*
 * Every act on the local disk that changes something goes through this file, so that
 * durability is reasoned about in one place, and a test build can stop the program after any
 * one of them, or make it fail (step.h). All errors are ERR_LOCAL unless said otherwise.
 *
 * Names are relative to a directory descriptor; AT_FDCWD works.
 */
#ifndef MAILSYNC_BASE_FILE_H
#define MAILSYNC_BASE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "mailsync/base/buf.h"
#include "mailsync/base/err.h"
#include "mailsync/base/stop.h"

#define FILE_PATH_SIZE  4096 /* of a path in whole */
#define FILE_SHOWN_SIZE 1024 /* of one that people are told of */

/* The path of NAME in the directory DIRFD, for people; NAME alone where the system does not tell.
 * An empty NAME: of DIRFD itself, which may be a file. */
void file_shown(int dirfd, const char *name, char shown[FILE_SHOWN_SIZE]);

/* Opens an existing directory (O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW on the last component
 * when NOFOLLOW). *FD is the caller's to close. */
int file_open_dir(int dirfd, const char *name, bool nofollow, int *fd, struct err *err);
/* mkdir with mode 0700; an existing directory is success. *CREATED tells which, may be NULL. */
int file_make_dir(int dirfd, const char *name, bool *created, struct err *err);
/* file_make_dir for every missing component of an absolute or relative PATH. */
int file_make_dirs(const char *path, struct err *err);

/* Creates NAME exclusively (O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW), mode 0600. */
int file_create(int dirfd, const char *name, int *fd, struct err *err);
/* Opens NAME for reading, and for writing behind what is there; it is made, mode 0600, where it is
 * missing; no link is followed. */
int file_open_append(int dirfd, const char *name, int *fd, struct err *err);
/* To SIZE bytes. */
int file_truncate(int fd, uint64_t size, struct err *err);
/* Writes all of DATA, resuming after short writes and EINTR. */
int file_write(int fd, const void *data, size_t len, struct err *err);
/* -ERR_LIMIT where the file system refuses. */
int file_set_mtime(int fd, int64_t seconds, struct err *err);

/* Renames; never over an existing target: -ERR_CHANGED with errno-like detail in the text
 * when the target exists or the source is gone. RENAME_NOREPLACE, else link and unlink. */
int file_rename(int from_dirfd, const char *from, int to_dirfd, const char *to, struct err *err);
/* The same of a file that the caller made, to whom a target that is there may mean that all is
 * well: -ERR_CHANGED says that alone; -ERR_PARTIAL: the file, or the folder that it was to go to,
 * is gone. */
int file_publish(int from_dirfd, const char *from, int to_dirfd, const char *to, struct err *err);
/* The two files get each other's name, at once: -ERR_CHANGED where one is not there, -ERR_LIMIT
 * where the system cannot do that. */
int file_exchange(int one_dirfd, const char *one, int other_dirfd, const char *other,
		  struct err *err);
/* All that FROM_FD has left to read is written to TO_FD; NAME is for errors. */
int file_copy(int from_fd, int to_fd, const char *name, struct err *err);
/* Renames over whatever is there (for our own state files only). */
int file_replace(int from_dirfd, const char *from, int to_dirfd, const char *to, struct err *err);
/* A second name for a file, never over an existing target: -ERR_CHANGED as for file_rename;
 * -ERR_LIMIT where these two places cannot share a file. */
int file_link(int from_dirfd, const char *from, int to_dirfd, const char *to, struct err *err);
/* Unlinks. A file that is not there is success. */
int file_unlink(int dirfd, const char *name, struct err *err);
/* The same of a file whose absence means that it lives on under another name: -ERR_CHANGED. */
int file_remove(int dirfd, const char *name, struct err *err);
/* A directory that is not there is success; one that is not empty is -ERR_CHANGED. */
int file_remove_dir(int dirfd, const char *name, struct err *err);

/* How many bytes more a user may write to the file system of PATH, which is there. */
int file_free_space(const char *path, uint64_t *bytes, struct err *err);

/* Durability: fdatasync of a file, fsync of a directory, syncfs of the file system that FD
 * is on (fsync of each written file is the caller's fallback: -ERR_LIMIT when there is no
 * syncfs here). A file system that has no such call is taken to need none. */
int file_sync(int fd, struct err *err);
int file_sync_dir(int dirfd, struct err *err);
int file_sync_fs(int fd, struct err *err);

/* Appends a whole small file; OUT's maximum bounds it. -ERR_CHANGED when there is none. */
int file_read(int dirfd, const char *name, struct buf *out, struct err *err);
/* The same of an open file; NAME is for errors. */
int file_read_fd(int fd, const char *name, struct buf *out, struct err *err);
/* Writes DATA to a temporary name beside NAME (mode 0600), makes it durable and replaces
 * NAME; the directory is synced too. The temporary name is NAME.tmp: the caller holds a lock
 * that keeps other writers of NAME away. */
int file_write_atomic(int dirfd, const char *name, struct span data, struct err *err);

/* An advisory whole-file lock (flock, else fcntl), released when finished or when the
 * process dies. The file is created with mode 0600 and left behind. */
struct file_lock {
	int fd;
};
void file_lock_init(struct file_lock *lock);
/* WAIT: block until it is free (interrupted by STOP turning non-zero, checked often; NULL
 * for never); else -ERR_LOCKED at once. */
int file_lock_acquire(struct file_lock *lock, const char *path, bool wait, const stop_flag *stop,
		      struct err *err);
void file_lock_finish(struct file_lock *lock);

/* Appends PATH with a leading "~" or "~/" and $VAR / ${VAR} expanded. A variable that is not
 * set is ERR_CONFIG. OUT is as before on failure. */
int file_expand(const char *path, struct buf *out, struct err *err);

/* Appends the absolute path that PATH leads to, without links, "." and "..". OUT is as before
 * on failure. */
int file_real_path(const char *path, struct buf *out, struct err *err);

#endif
