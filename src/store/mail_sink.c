/*
 * Invariants:
 * 1. Nothing that is there is written into: each file is made under another name, and gets its own
 *    once it is whole.
 */
#define _DEFAULT_SOURCE /* O_CLOEXEC */
#include "mailsync/store/mail_sink.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "mailsync/base/digest.h"
#include "mailsync/base/file.h"
#include "mailsync/model/content.h"
#include "mailsync/model/mbname.h"
#include "mailsync/proto/mbox.h"

#define OUT_SIZE     (256 * 1024)
#define DIGEST_SHOWN 12 /* bytes of it in a name */

struct mail_sink {
	const struct mail_sink_params *params;
	int fd;         /* what is being written; -1: none */
	bool is_direct; /* it is standard output, or no file that could be replaced */
	bool is_unread;
	struct buf temp;   /* the path of what is being written, unless it is that */
	struct buf folder; /* of a message: where it goes, with a slash at its end */
	struct buf out;    /* not written yet */
	struct mbox_quote quote;
	struct content_scan *content;
	int64_t date;
};

static int failed(const char *what, const char *name, struct err *err)
{
	return err_set_errno(err, ERR_LOCAL, SCOPE_RUN, errno, "cannot %s %s", what, name);
}

static int create_temp(struct mail_sink *sink, struct err *err)
{
	int code = buf_status(&sink->temp, "a path", err);

	if (code < 0) {
		return code;
	}
	if ((code = file_create(AT_FDCWD, sink->temp.data, &sink->fd, err)) < 0) {
		buf_clear(&sink->temp); /* it may be another's */
	}
	return code;
}

/* Something that is there and no regular file (/dev/null, a pipe) is written into. */
static int open_mbox(struct mail_sink *sink, struct err *err)
{
	const char *path = sink->params->path;
	struct stat status;

	if (!path) {
		sink->fd = STDOUT_FILENO;
		sink->is_direct = true;
		return 0;
	}
	if (stat(path, &status) == 0 && !S_ISREG(status.st_mode)) {
		sink->fd = open(path, O_WRONLY | O_CLOEXEC);
		sink->is_direct = true;
		return sink->fd < 0 ? failed("open", path, err) : 0;
	}
	buf_printf(&sink->temp, "%s.mailsync-%ld.tmp", path, (long)getpid());
	return create_temp(sink, err);
}

int mail_sink_open(struct mail_sink **sink, const struct mail_sink_params *params, struct err *err)
{
	struct mail_sink *opened = calloc(1, sizeof(*opened));
	int code;

	if (!opened) {
		return err_nomem(err);
	}
	opened->params = params;
	opened->fd = -1;
	buf_init(&opened->temp, FILE_PATH_SIZE);
	buf_init(&opened->folder, FILE_PATH_SIZE);
	buf_init(&opened->out, (size_t)OUT_SIZE * 2 + 4096);
	code = params->is_folder ? content_scan_create(&opened->content, err)
				 : open_mbox(opened, err);
	if (code < 0) {
		mail_sink_close(&opened);
		return code;
	}
	*sink = opened;
	return 0;
}

static void close_fd(struct mail_sink *sink)
{
	if (sink->fd >= 0 && sink->fd != STDOUT_FILENO) {
		(void)close(sink->fd);
	}
	sink->fd = -1;
}

void mail_sink_close(struct mail_sink **sink)
{
	struct mail_sink *closed = *sink;
	struct err ignored;

	if (!closed) {
		return;
	}
	close_fd(closed);
	if (closed->temp.len > 0) {
		(void)file_unlink(AT_FDCWD, closed->temp.data, &ignored);
	}
	content_scan_destroy(&closed->content);
	buf_finish(&closed->temp);
	buf_finish(&closed->folder);
	buf_finish(&closed->out);
	free(closed);
	*sink = NULL;
}

bool mail_sink_is_unread(const struct mail_sink *sink)
{
	return sink->is_unread;
}

static int flush(struct mail_sink *sink, struct err *err)
{
	size_t done = 0;
	int code = buf_status(&sink->out, "mail on its way out", err);

	if (code == 0 && !sink->is_direct) {
		code = file_write(sink->fd, sink->out.data, sink->out.len, err);
		done = sink->out.len;
	}
	while (code == 0 && done < sink->out.len && !sink->is_unread) {
		ssize_t got = write(sink->fd, sink->out.data + done, sink->out.len - done);
		if (got >= 0) {
			done += (size_t)got;
		} else if (errno == EPIPE) {
			sink->is_unread = true;
		} else if (errno != EINTR) {
			code = failed("write",
				      sink->params->path ? sink->params->path : "standard output",
				      err);
		}
	}
	buf_clear(&sink->out);
	return code;
}

/* --- messages by themselves --- */

static int begin_file(struct mail_sink *sink, const char *folder, const char *mailbox,
		      struct err *err)
{
	int code;

	buf_clear(&sink->folder);
	buf_printf(&sink->folder, "%s/%s%s", sink->params->path, folder ? folder : "",
		   folder ? "/" : "");
	if ((code = mbname_to_path(LAYOUT_FS, "INBOX", mailbox, &sink->folder, err)) < 0 ||
	    (code = buf_status(&sink->folder, "a path", err)) < 0 ||
	    (code = file_make_dirs(sink->folder.data, err)) < 0) {
		return code;
	}
	buf_append_char(&sink->folder, '/');
	buf_clear(&sink->temp);
	buf_printf(&sink->temp, "%s.mailsync-%ld.tmp", sink->folder.data, (long)getpid());
	return create_temp(sink, err);
}

/* "2026-11-29T010203Z-0123456789abcdef01234567.eml" */
static int append_name(struct mail_sink *sink, struct buf *path, struct err *err)
{
	uint8_t digest[CONTENT_DIGEST_SIZE];
	char hex[2 * DIGEST_SHOWN + 1];
	time_t date = (time_t)sink->date;
	struct tm tm = {0};
	int code = content_scan_result(sink->content, digest, err);

	if (code < 0) {
		return code;
	}
	hex_encode(digest, DIGEST_SHOWN, hex);
	(void)gmtime_r(&date, &tm);
	buf_printf(path, "%s%04d-%02d-%02dT%02d%02d%02dZ-%s.eml", sink->folder.data,
		   tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec,
		   hex);
	return buf_status(path, "a path", err);
}

static int end_file(struct mail_sink *sink, struct err *err)
{
	struct buf path;
	int code;

	buf_init(&path, FILE_PATH_SIZE);
	if ((code = flush(sink, err)) < 0 || (code = append_name(sink, &path, err)) < 0) {
		goto finish;
	}
	(void)file_set_mtime(sink->fd, sink->date, err); /* some file systems keep none */
	close_fd(sink);
	code = file_replace(AT_FDCWD, sink->temp.data, AT_FDCWD, path.data, err);
	if (code == 0) {
		buf_clear(&sink->temp);
	}
finish:
	buf_finish(&path);
	return code;
}

/* --- any --- */

int mail_sink_begin(struct mail_sink *sink, const char *folder, const char *mailbox, int64_t date,
		    struct err *err)
{
	char from[MBOX_FROM_SIZE];

	sink->date = date;
	if (sink->params->is_folder) {
		return begin_file(sink, folder, mailbox, err);
	}
	sink->quote = (struct mbox_quote){0};
	mbox_format_from(date, from);
	buf_append_cstr(&sink->out, from);
	return 0;
}

int mail_sink_write(struct mail_sink *sink, struct span data, struct err *err)
{
	int code = 0;

	while (code == 0 && data.len > 0) {
		struct span part = {data.data, data.len < 65536 ? data.len : 65536};
		if (sink->params->is_folder) {
			buf_append_span(&sink->out, part);
			code = content_scan_feed(sink->content, part, err);
		} else {
			mbox_quote(&sink->quote, part, &sink->out);
		}
		if (code == 0 && sink->out.len >= OUT_SIZE) {
			code = flush(sink, err);
		}
		data = (struct span){data.data + part.len, data.len - part.len};
	}
	return code;
}

int mail_sink_end(struct mail_sink *sink, struct err *err)
{
	if (sink->params->is_folder) {
		return end_file(sink, err);
	}
	mbox_quote_end(&sink->quote, &sink->out);
	return sink->out.len >= OUT_SIZE ? flush(sink, err) : 0;
}

static int sync_folder(struct mail_sink *sink, struct err *err)
{
	int fd = -1;

	if (file_open_dir(AT_FDCWD, sink->params->path, false, &fd, err) < 0) {
		return 0; /* no message, so it was not made */
	}
	int code = file_sync_fs(fd, err);
	(void)close(fd);
	return code == -ERR_LIMIT ? 0 : code;
}

int mail_sink_finish(struct mail_sink *sink, struct err *err)
{
	int code;

	if (sink->params->is_folder) {
		return sync_folder(sink, err);
	}
	if ((code = flush(sink, err)) < 0 || sink->is_direct) {
		return code;
	}
	if ((code = file_sync(sink->fd, err)) < 0 ||
	    (code = file_replace(AT_FDCWD, sink->temp.data, AT_FDCWD, sink->params->path, err)) <
		    0) {
		return code;
	}
	buf_clear(&sink->temp);
	return 0;
}
