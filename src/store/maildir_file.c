/* Looking at message files without changing them. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "maildir_dir.h"
#include "maildir_name.h"
#include "maildir_private.h"
#include "mailsync/base/file.h"
#include "mailsync/base/there.h"

#define HEADER_CHUNK 8192

void maildir_file_of(const struct stat *st, struct maildir_file *file)
{
	file->size_bytes = (uint64_t)st->st_size;
	file->mtime = (int64_t)st->st_mtim.tv_sec;
	file->mtime_ns = maildir_time_ns(st->st_mtim);
	file->inode = (uint64_t)st->st_ino;
}

struct file_mark maildir_file_mark(const struct maildir_file *file)
{
	return (struct file_mark){file->size_bytes, file->mtime_ns, file->inode};
}

static int file_gone(const struct maildir_folder *folder, const char *file, struct err *err)
{
	return err_set(err, ERR_CHANGED, SCOPE_MESSAGE, "mailbox %s has no file %s now",
		       folder->name, file);
}

int maildir_folder_stat_file(struct maildir_folder *folder, const char *file, bool in_new,
			     struct maildir_file *info, struct err *err)
{
	int fd = folder->dirs[in_new ? MAILDIR_NEW : MAILDIR_CUR];
	struct stat st;

	int code = maildir_name_check(file, err);
	if (code < 0) {
		return code;
	}
	if (fd < 0) {
		return file_gone(folder, file, err);
	}
	if (fstatat(fd, file, &st, AT_SYMLINK_NOFOLLOW) != 0) {
		return is_absent(errno) ? file_gone(folder, file, err)
					: maildir_fail_in(err, errno, "look at", fd, file);
	}
	if (!S_ISREG(st.st_mode)) {
		return file_gone(folder, file, err);
	}
	maildir_file_of(&st, info);
	return 0;
}

int maildir_folder_open_file(struct maildir_folder *folder, const char *file, bool in_new, int *fd,
			     struct maildir_file *info, struct err *err)
{
	/* O_NONBLOCK: a FIFO must not hold us up before it is found to be one. */
	const int flags = O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
	int dir_fd = folder->dirs[in_new ? MAILDIR_NEW : MAILDIR_CUR];
	struct stat st;

	int code = maildir_name_check(file, err);
	if (code < 0) {
		return code;
	}
	if (dir_fd < 0) {
		return file_gone(folder, file, err);
	}
	int opened = openat(dir_fd, file, flags);
	if (opened < 0) {
		return is_absent(errno) ? file_gone(folder, file, err)
					: maildir_fail_in(err, errno, "open", dir_fd, file);
	}
	code = fstat(opened, &st) != 0 ? maildir_fail_in(err, errno, "look at", dir_fd, file)
	     : !S_ISREG(st.st_mode)    ? file_gone(folder, file, err)
				       : 0;
	if (code < 0) {
		close(opened);
		return code;
	}
	maildir_file_of(&st, info);
	*fd = opened;
	return 0;
}

/* 1 when DIR has a file with that unique part. */
static int find_in(struct maildir_folder *folder, enum maildir_dir dir, struct span unique,
		   char name[MAILDIR_NAME_MAX + 1], struct err *err)
{
	struct dir_stream stream;
	enum dir_kind kind;
	const char *file;

	if (folder->dirs[dir] < 0) {
		return 0;
	}
	int code = dir_stream_open(&stream, folder->dirs[dir], folder->name, err);
	if (code < 0) {
		return code;
	}
	while ((code = dir_stream_next(&stream, &file, &kind, err)) > 0) {
		struct maildir_name parsed;
		if (file[0] == '.' || strncmp(file, unique.data, unique.len) != 0) {
			continue;
		}
		if (kind == DIR_KIND_UNKNOWN) {
			code = maildir_fail_in(err, stream.errnum, "look at", folder->dirs[dir],
					       file);
			break;
		}
		if (kind != DIR_KIND_FILE) {
			continue;
		}
		maildir_name_parse(file, folder->maildir->info_delimiter, &parsed);
		if (parsed.unique_len == unique.len && parsed.len <= MAILDIR_NAME_MAX) {
			memcpy(name, file, parsed.len + 1);
			break;
		}
	}
	dir_stream_close(&stream);
	return code;
}

int maildir_folder_find(struct maildir_folder *folder, struct span unique,
			char name[MAILDIR_NAME_MAX + 1], bool *in_new, struct err *err)
{
	struct stamp before, after;

	/* A readdir can miss what is renamed under it: then the stamps differ. */
	for (int attempt = 0; attempt < 3; attempt++) {
		int code = maildir_folder_open_parts(folder, err);
		if (code == 0) {
			code = maildir_folder_stamp(folder, &before, err);
		}
		for (int dir = MAILDIR_NEW; dir >= MAILDIR_CUR && code == 0; dir--) {
			code = find_in(folder, (enum maildir_dir)dir, unique, name, err);
			if (code > 0) {
				*in_new = dir == MAILDIR_NEW;
				return 0;
			}
		}
		if (code == 0) {
			code = maildir_folder_stamp(folder, &after, err);
		}
		if (code < 0) {
			return code;
		}
		if (stamp_equal(&before, &after)) {
			break;
		}
	}
	return err_set(err, ERR_CHANGED, SCOPE_MESSAGE, "mailbox %s has no message %.*s now",
		       folder->name, (int)unique.len, unique.data);
}

ssize_t maildir_read(int fd, void *data, size_t size, const char *name, struct err *err)
{
	ssize_t len;

	do {
		len = read(fd, data, size);
	} while (len < 0 && errno == EINTR);
	if (len < 0) {
		int errnum = errno;
		char shown[FILE_SHOWN_SIZE];
		file_shown(fd, "", shown);
		return maildir_fail(err, SCOPE_MESSAGE, errnum, "read", *shown ? shown : name);
	}
	return len;
}

/* Looks for an empty line; *AT_START: the next byte begins a line. */
static bool header_ends(const char *data, size_t len, bool *at_start)
{
	for (const char *end = data + len; data < end;) {
		if (*at_start && *data == '\n') {
			return true;
		}
		if (*at_start && *data == '\r') { /* decided by what follows */
			data++;
			continue;
		}
		const char *lf = memchr(data, '\n', (size_t)(end - data));
		*at_start = lf != NULL;
		data = lf ? lf + 1 : end;
	}
	return false;
}

int maildir_scan_take(struct maildir_folder *folder, struct header_scan **scan, struct err *err)
{
	if (!folder->spare_scan) {
		return header_scan_create(scan, err);
	}
	*scan = folder->spare_scan;
	folder->spare_scan = NULL;
	return 0;
}

void maildir_scan_give_back(struct maildir_folder *folder, struct header_scan **scan)
{
	if (folder->spare_scan) {
		header_scan_destroy(scan);
	} else {
		folder->spare_scan = *scan;
		*scan = NULL;
	}
}

int maildir_folder_read_header(struct maildir_folder *folder, const char *file, bool in_new,
			       struct maildir_reading *reading, struct err *err)
{
	char chunk[HEADER_CHUNK];
	struct header_scan *scan = NULL;
	bool at_start = true, is_end = false;
	int fd;

	int code = maildir_folder_open_file(folder, file, in_new, &fd, &reading->file, err);
	if (code < 0) {
		return code;
	}
	code = maildir_scan_take(folder, &scan, err);
	while (code == 0 && !is_end) {
		ssize_t len = maildir_read(fd, chunk, sizeof(chunk), file, err);
		if (len <= 0) {
			code = (int)len;
			break;
		}
		code = header_scan_feed(scan, (struct span){chunk, (size_t)len}, err);
		is_end = header_ends(chunk, (size_t)len, &at_start);
	}
	if (code == 0) {
		code = header_scan_result(scan, &reading->identity, err);
	}
	close(fd);
	if (code == 0) {
		maildir_scan_give_back(folder, &scan);
	}
	header_scan_destroy(&scan);
	return code;
}

int maildir_folder_identify(struct maildir_folder *folder, const char *file, bool in_new,
			    struct header_identity *identity, struct err *err)
{
	struct maildir_reading reading;

	int code = maildir_folder_read_header(folder, file, in_new, &reading, err);
	if (code == 0) {
		*identity = reading.identity;
	}
	return code;
}
