#define _DEFAULT_SOURCE /* d_type */
#include "maildir_dir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "maildir_private.h"
#include "mailsync/base/there.h"

int dir_stream_open(struct dir_stream *stream, int dirfd, const char *label, struct err *err)
{
	int fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0) {
		return maildir_fail(err, SCOPE_MAILBOX, errno, "read directory", label);
	}
	return dir_stream_adopt(stream, fd, label, err);
}

int dir_stream_adopt(struct dir_stream *stream, int fd, const char *label, struct err *err)
{
	DIR *handle = fdopendir(fd);

	if (!handle) {
		int errnum = errno;
		close(fd);
		return maildir_fail(err, SCOPE_MAILBOX, errnum, "read directory", label);
	}
	stream->handle = handle;
	stream->fd = fd;
	stream->label = label;
	return 0;
}

/* False when it vanished meanwhile. */
static bool kind_by_stat(struct dir_stream *stream, const char *name, enum dir_kind *kind)
{
	struct stat st;

	if (fstatat(stream->fd, name, &st, AT_SYMLINK_NOFOLLOW) != 0) {
		if (is_absent(errno)) {
			return false;
		}
		stream->errnum = errno;
		*kind = DIR_KIND_UNKNOWN;
		return true;
	}
	*kind = S_ISREG(st.st_mode) ? DIR_KIND_FILE
	      : S_ISDIR(st.st_mode) ? DIR_KIND_DIR
				    : DIR_KIND_OTHER;
	return true;
}

static bool entry_kind(struct dir_stream *stream, const struct dirent *entry, enum dir_kind *kind)
{
#ifdef DT_UNKNOWN
	if (entry->d_type != DT_UNKNOWN) {
		*kind = entry->d_type == DT_REG ? DIR_KIND_FILE
		      : entry->d_type == DT_DIR ? DIR_KIND_DIR
						: DIR_KIND_OTHER;
		return true;
	}
#endif
	return kind_by_stat(stream, entry->d_name, kind);
}

int dir_stream_next(struct dir_stream *stream, const char **name, enum dir_kind *kind,
		    struct err *err)
{
	for (;;) {
		errno = 0;
		struct dirent *entry = readdir(stream->handle);
		if (!entry) {
			return errno == 0 ? 0
					  : maildir_fail(err, SCOPE_MAILBOX, errno,
							 "read directory", stream->label);
		}
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) {
			continue;
		}
		if (entry_kind(stream, entry, kind)) {
			*name = entry->d_name;
			return 1;
		}
	}
}

void dir_stream_close(struct dir_stream *stream)
{
	if (stream->handle) {
		closedir(stream->handle);
		stream->handle = NULL;
	}
}

int dir_has_entry(int dirfd, const char *name, struct err *err)
{
	struct dir_stream stream;
	enum dir_kind kind;
	const char *entry;

	int code = dir_stream_open(&stream, dirfd, name, err);
	if (code < 0) {
		return code;
	}
	do {
		code = dir_stream_next(&stream, &entry, &kind, err);
	} while (code > 0 && strcmp(entry, name) != 0);
	dir_stream_close(&stream);
	return code;
}
