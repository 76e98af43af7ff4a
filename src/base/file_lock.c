#define _DEFAULT_SOURCE /* flock */
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "file_private.h"
#include "mailsync/base/file.h"
#include "mailsync/base/step.h"

#define LOCK_LOOK_MS 50

void file_lock_init(struct file_lock *lock)
{
	lock->fd = -1;
}

/* 0, EWOULDBLOCK when another process holds it, or an errno. */
static int lock_try(int fd)
{
	struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

	if (flock(fd, LOCK_EX | LOCK_NB) == 0) {
		return 0;
	}
	if (errno == EWOULDBLOCK || errno == EINTR) {
		return EWOULDBLOCK;
	}
	/* A network file system without flock. */
	if (fcntl(fd, F_SETLK, &whole) == 0) {
		return 0;
	}
	return errno == EACCES || errno == EAGAIN ? EWOULDBLOCK : errno;
}

static int lock_wait(int fd, const stop_flag *stop)
{
	const struct timespec pause = {0, LOCK_LOOK_MS * 1000000L};
	int errnum = EWOULDBLOCK;

	while (errnum == EWOULDBLOCK) {
		if (stop && *stop) {
			return ECANCELED;
		}
		nanosleep(&pause, NULL);
		errnum = lock_try(fd);
	}
	return errnum;
}

int file_lock_acquire(struct file_lock *lock, const char *path, bool wait, const stop_flag *stop,
		      struct err *err)
{
	int errnum = STEP_AT("lock", AT_FDCWD, path);
	int fd = -1;

	if (errnum == 0) {
		fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
		errnum = fd >= 0 ? lock_try(fd) : errno;
	}
	if (errnum == EWOULDBLOCK && fd >= 0 && wait) {
		errnum = lock_wait(fd, stop);
	}
	if (errnum == 0) {
		lock->fd = fd;
		return 0;
	}
	if (fd >= 0) {
		close(fd);
	}
	if (errnum == EWOULDBLOCK) {
		return err_set(err, ERR_LOCKED, SCOPE_ACCOUNT,
			       "another run holds the lock %s; --wait waits for it", path);
	}
	if (errnum == ECANCELED) {
		return err_stopped(err);
	}
	return file_fail(err, errnum, "lock", path);
}

void file_lock_finish(struct file_lock *lock)
{
	if (lock->fd >= 0) {
		close(lock->fd);
	}
	lock->fd = -1;
}
