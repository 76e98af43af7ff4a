#include "mailsync/base/notify.h"

#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mailsync/base/there.h"

#ifdef __linux__
#include <sys/inotify.h>
#include <sys/vfs.h>

#define EVENTS_SIZE 16384
/* What names do. Not what is written into files: no message is written under its name. */
#define MASK                                                                               \
	(IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_MOVE_SELF | IN_ONLYDIR | \
	 IN_EXCL_UNLINK)

struct notify {
	int fd;
	size_t at; /* in events */
	size_t len;
	_Alignas(struct inotify_event) char events[EVENTS_SIZE];
};

int notify_create(struct notify **notify, struct err *err)
{
	struct notify *created = malloc(sizeof(*created));

	if (!created) {
		return err_nomem(err);
	}
	created->at = created->len = 0;
	created->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (created->fd < 0) {
		int errnum = errno;
		free(created);
		return err_set_errno(
			err, ERR_LIMIT, SCOPE_RUN, errnum,
			"directories cannot be watched (fs.inotify.max_user_instances)");
	}
	*notify = created;
	return 0;
}

void notify_destroy(struct notify **notify)
{
	if (*notify) {
		close((*notify)->fd);
		free(*notify);
		*notify = NULL;
	}
}

int notify_fd(const struct notify *notify)
{
	return notify->fd;
}

int notify_add(struct notify *notify, const char *path, bool follows, int *id, struct err *err)
{
	int watch = inotify_add_watch(notify->fd, path, MASK | (follows ? 0 : IN_DONT_FOLLOW));

	if (watch >= 0) {
		*id = watch;
		return 0;
	}
	if (is_absent(errno) || errno == ENOTDIR || errno == ELOOP) {
		return err_set(err, ERR_CHANGED, SCOPE_MAILBOX, "there is no directory %s", path);
	}
	if (errno == ENOSPC) {
		return err_set(err, ERR_LIMIT, SCOPE_RUN,
			       "the system watches no more directories (raise "
			       "fs.inotify.max_user_watches)");
	}
	return err_set_errno(err, ERR_LOCAL, SCOPE_MAILBOX, errno, "cannot watch directory %s",
			     path);
}

void notify_remove(struct notify *notify, int id)
{
	(void)inotify_rm_watch(notify->fd, id);
}

/* Whether SEEN is worth an event: then *EVENT is it. */
static bool event_of(const struct inotify_event *seen, struct notify_event *event)
{
	static const struct {
		uint32_t bits;
		enum notify_what what;
	} meanings[] = {
		{IN_Q_OVERFLOW, NOTIFY_LOST},
		{IN_IGNORED, NOTIFY_ENDED}, /* comes after IN_UNMOUNT and IN_DELETE_SELF, too */
		{IN_CREATE | IN_MOVED_TO, NOTIFY_CAME},
		{IN_DELETE | IN_MOVED_FROM, NOTIFY_WENT},
		{IN_MOVE_SELF, NOTIFY_MOVED},
	};

	for (size_t i = 0; i < sizeof(meanings) / sizeof(meanings[0]); i++) {
		if (seen->mask & meanings[i].bits) {
			*event = (struct notify_event){.what = meanings[i].what,
						       .id = seen->wd,
						       .is_dir = (seen->mask & IN_ISDIR) != 0,
						       .name = seen->len > 0 ? seen->name : ""};
			return true;
		}
	}
	return false;
}

int notify_next(struct notify *notify, struct notify_event *event, struct err *err)
{
	for (;;) {
		while (notify->at < notify->len) {
			const struct inotify_event *seen =
				(const struct inotify_event *)(const void *)(notify->events +
									     notify->at);
			notify->at += sizeof(*seen) + seen->len;
			if (event_of(seen, event)) {
				return 1;
			}
		}
		ssize_t len = read(notify->fd, notify->events, sizeof(notify->events));
		if (len <= 0 && (len == 0 || errno == EAGAIN)) {
			return 0;
		}
		if (len < 0 && errno != EINTR) {
			return err_set_errno(err, ERR_LOCAL, SCOPE_RUN, errno,
					     "cannot read what happens in directories");
		}
		notify->at = 0;
		notify->len = len > 0 ? (size_t)len : 0;
	}
}

/* What statfs(2) and the file systems' sources list; one of a user's own (FUSE) may be any. */
bool notify_is_remote(const char *path)
{
	static const uint32_t magics[] = {
		0x00006969, /* NFS */
		0x0000517B, /* SMB */
		0xFE534D42, /* SMB2 */
		0xFF534D42, /* CIFS */
		0x65735546, /* FUSE: sshfs, s3fs, rclone */
		0x01021997, /* 9P */
		0x00C36400, /* Ceph */
		0x0BD00BD0, /* Lustre */
		0x5346414F, /* AFS of OpenAFS */
		0x6B414653, /* AFS of the kernel */
		0x73757245, /* Coda */
		0x47504653, /* GPFS */
		0x01161970, /* GFS2 */
		0x7461636F, /* OCFS2 */
		0x20030528, /* OrangeFS */
		0x786F4256, /* a folder of VirtualBox's host */
		0xBACBACBC, /* a folder of VMware's host */
		0x0000564C, /* NCP */
	};
	struct statfs system;

	if (statfs(path, &system) != 0) {
		return false;
	}
	for (size_t i = 0; i < sizeof(magics) / sizeof(magics[0]); i++) {
		if ((uint32_t)system.f_type == magics[i]) {
			return true;
		}
	}
	return false;
}

#else

struct notify {
	int fd;
};

int notify_create(struct notify **notify, struct err *err)
{
	(void)notify;
	return err_set(err, ERR_LIMIT, SCOPE_RUN, "this system has no inotify");
}

void notify_destroy(struct notify **notify)
{
	*notify = NULL;
}

int notify_fd(const struct notify *notify)
{
	return notify->fd;
}

int notify_add(struct notify *notify, const char *path, bool follows, int *id, struct err *err)
{
	(void)notify, (void)path, (void)follows, (void)id;
	return err_set(err, ERR_LIMIT, SCOPE_RUN, "this system has no inotify");
}

void notify_remove(struct notify *notify, int id)
{
	(void)notify, (void)id;
}

int notify_next(struct notify *notify, struct notify_event *event, struct err *err)
{
	(void)notify, (void)event, (void)err;
	return 0;
}

bool notify_is_remote(const char *path)
{
	(void)path;
	return false;
}

#endif
