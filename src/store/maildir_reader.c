/*
 * Invariants:
 * 1. Never more bytes are handed out than the wire size that was announced, and never the last of
 *    them unless the file is still what was counted.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "maildir_private.h"

#define READ_SIZE 32768

struct maildir_reader {
	int fd;
	struct maildir_file file;
	uint64_t wire_size;
	uint8_t content[CONTENT_DIGEST_SIZE];
	uint64_t given;
	bool after_cr;    /* the byte before the next one is a CR */
	bool is_buffered; /* IN holds the whole file, from counting it */
	size_t in_len;
	char *in;   /* READ_SIZE */
	char *out;  /* twice that: every byte may be a LF */
	char *name; /* for messages */
};

/* The wire form of DATA into OUT (NULL: only counted); returns its size. */
static size_t convert(const char *data, size_t len, bool *after_cr, char *out)
{
	size_t size = 0;

	for (const char *end = data + len; data < end;) {
		const char *lf = memchr(data, '\n', (size_t)(end - data));
		size_t part = (size_t)((lf ? lf : end) - data);
		if (out && part > 0) {
			memcpy(out + size, data, part);
		}
		size += part;
		*after_cr = part > 0 ? data[part - 1] == '\r' : *after_cr;
		data += part;
		if (lf) {
			if (out && !*after_cr) {
				out[size] = '\r';
			}
			size += !*after_cr;
			if (out) {
				out[size] = '\n';
			}
			size++;
			data++;
			*after_cr = false;
		}
	}
	return size;
}

static int reader_changed(const struct maildir_reader *reader, struct err *err)
{
	return err_set(err, ERR_CHANGED, SCOPE_MESSAGE,
		       "file %s changed while it was read; it is left for the next run",
		       reader->name);
}

static int reader_verify(const struct maildir_reader *reader, struct err *err)
{
	struct maildir_file now;
	struct stat st;

	if (fstat(reader->fd, &st) != 0) {
		return reader_changed(reader, err);
	}
	maildir_file_of(&st, &now);
	return now.size_bytes == reader->file.size_bytes && now.mtime_ns == reader->file.mtime_ns &&
			       now.inode == reader->file.inode
		     ? 0
		     : reader_changed(reader, err);
}

static int reader_count(struct maildir_reader *reader, struct content_scan *scan, struct err *err)
{
	uint64_t total = 0;
	bool after_cr = false;
	int code = 0;

	/* That there is more by now shows when the file is looked at again, at the end. */
	while (total < reader->file.size_bytes) {
		ssize_t len = maildir_read(reader->fd, reader->in, READ_SIZE, reader->name, err);
		if (len <= 0) {
			code = (int)len;
			break;
		}
		reader->is_buffered = total == 0;
		reader->in_len = (size_t)len;
		total += (uint64_t)len;
		reader->wire_size += convert(reader->in, (size_t)len, &after_cr, NULL);
		code = content_scan_feed(scan, (struct span){reader->in, (size_t)len}, err);
		if (code < 0) {
			return code;
		}
		if (total > reader->file.size_bytes) { /* it grows as fast as we read */
			return reader_changed(reader, err);
		}
	}
	if (code == 0 && total != reader->file.size_bytes) {
		code = reader_changed(reader, err);
	}
	if (code == 0 && !reader->is_buffered && lseek(reader->fd, 0, SEEK_SET) != 0) {
		code = reader_changed(reader, err);
	}
	return code == 0 ? content_scan_result(scan, reader->content, err) : code;
}

int maildir_reader_open(struct maildir_folder *folder, const char *file, bool in_new,
			struct maildir_reader **reader, struct err *err)
{
	struct maildir_reader *opened = calloc(1, sizeof(*opened));
	struct content_scan *scan = NULL;
	int code;

	if (!opened) {
		return err_nomem(err);
	}
	opened->fd = -1;
	opened->in = malloc(READ_SIZE);
	opened->out = malloc((size_t)2 * READ_SIZE);
	opened->name = strdup(file);
	if (!opened->in || !opened->out || !opened->name) {
		code = err_nomem(err);
		goto fail;
	}
	if ((code = maildir_folder_open_file(folder, file, in_new, &opened->fd, &opened->file,
					     err)) < 0 ||
	    (code = maildir_content_take(folder, &scan, err)) < 0 ||
	    (code = reader_count(opened, scan, err)) < 0) {
		goto fail;
	}
	maildir_content_give_back(folder, &scan);
	*reader = opened;
	return 0;
fail:
	content_scan_destroy(&scan);
	maildir_reader_close(&opened);
	return code;
}

void maildir_reader_close(struct maildir_reader **reader)
{
	struct maildir_reader *closing = *reader;

	if (!closing) {
		return;
	}
	if (closing->fd >= 0) {
		close(closing->fd);
	}
	free(closing->in);
	free(closing->out);
	free(closing->name);
	free(closing);
	*reader = NULL;
}

uint64_t maildir_reader_wire_size(const struct maildir_reader *reader)
{
	return reader->wire_size;
}

const struct maildir_file *maildir_reader_file(const struct maildir_reader *reader)
{
	return &reader->file;
}

const uint8_t *maildir_reader_content(const struct maildir_reader *reader)
{
	return reader->content;
}

int maildir_reader_next(struct maildir_reader *reader, struct span *piece, struct err *err)
{
	if (reader->given == reader->wire_size) {
		int code = reader_verify(reader, err);
		if (code == 0) {
			*piece = (struct span){"", 0};
		}
		return code;
	}
	if (!reader->is_buffered) {
		ssize_t len = maildir_read(reader->fd, reader->in, READ_SIZE, reader->name, err);
		if (len < 0) {
			return (int)len;
		}
		reader->in_len = (size_t)len;
	}
	reader->is_buffered = false;
	size_t size = convert(reader->in, reader->in_len, &reader->after_cr, reader->out);
	if (size == 0 || size > reader->wire_size - reader->given) {
		return reader_changed(reader, err);
	}
	/* Before the last byte goes out: without it the server does not take the message. */
	if (reader->given + size == reader->wire_size) {
		int code = reader_verify(reader, err);
		if (code < 0) {
			return code;
		}
	}
	reader->given += size;
	*piece = (struct span){reader->out, size};
	return 0;
}
