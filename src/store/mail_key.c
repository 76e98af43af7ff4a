#include "mailsync/store/mail_key.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mailsync/proto/header.h"
#include "maildir_private.h"

#define CHUNK_SIZE 65536
#define FIRST_SIZE 4096 /* of a file whose header alone is wanted */

struct mail_scan {
	struct header_scan *header;
	struct content_scan *body;
	bool has_header; /* it has ended */
	bool is_empty;   /* the line so far */
};

static void reset(struct mail_scan *scan)
{
	scan->has_header = false;
	scan->is_empty = true;
}

int mail_scan_create(struct mail_scan **scan, struct err *err)
{
	struct mail_scan *created = calloc(1, sizeof(*created));
	int code;

	if (!created) {
		return err_nomem(err);
	}
	if ((code = header_scan_create(&created->header, err)) < 0 ||
	    (code = content_scan_create(&created->body, err)) < 0) {
		mail_scan_destroy(&created);
		return code;
	}
	header_scan_set_mbox(created->header);
	reset(created);
	*scan = created;
	return 0;
}

void mail_scan_destroy(struct mail_scan **scan)
{
	if (*scan) {
		header_scan_destroy(&(*scan)->header);
		content_scan_destroy(&(*scan)->body);
		free(*scan);
		*scan = NULL;
	}
}

/* Bytes of DATA up to the end of the header, the empty line included. */
static size_t header_len(struct mail_scan *scan, struct span data)
{
	size_t i = 0;

	while (i < data.len) {
		const char *lf = memchr(data.data + i, '\n', data.len - i);
		size_t end = lf ? (size_t)(lf - data.data) : data.len;
		for (; scan->is_empty && i < end; i++) {
			scan->is_empty = data.data[i] == '\r';
		}
		if (!lf) {
			return data.len;
		}
		i = end + 1;
		if (scan->is_empty) {
			scan->has_header = true;
			return i;
		}
		scan->is_empty = true;
	}
	return i;
}

int mail_scan_feed(struct mail_scan *scan, struct span data, struct err *err)
{
	if (!scan->has_header) {
		size_t len = header_len(scan, data);
		int code = header_scan_feed(scan->header, (struct span){data.data, len}, err);
		if (code < 0) {
			return code;
		}
		data = (struct span){data.data + len, data.len - len};
	}
	return data.len > 0 ? content_scan_feed(scan->body, data, err) : 0;
}

int mail_scan_result(struct mail_scan *scan, struct mail_key *key, struct err *err)
{
	struct header_identity identity;
	int code;

	reset(scan);
	if ((code = header_scan_result(scan->header, &identity, err)) < 0 ||
	    (code = content_scan_result(scan->body, key->body, err)) < 0) {
		return code;
	}
	memcpy(key->header, identity.digest, HEADER_DIGEST_SIZE);
	key->has_date = identity.has_date;
	key->date = identity.date;
	return 0;
}

static int feed_file(int fd, const char *name, struct mail_scan *scan, bool with_body,
		     struct err *err)
{
	size_t size = with_body ? CHUNK_SIZE : FIRST_SIZE;
	char *chunk = malloc(size);
	int code = chunk ? 0 : err_nomem(err);

	while (code == 0 && (with_body || !scan->has_header)) {
		ssize_t len = maildir_read(fd, chunk, size, name, err);
		if (len <= 0) {
			code = (int)len;
			break;
		}
		code = mail_scan_feed(scan, (struct span){chunk, (size_t)len}, err);
	}
	free(chunk);
	return code;
}

/* Under the name that a MUA may have given it since. */
static int open_entry(struct maildir_folder *folder, const struct maildir_entry *entry, int *fd,
		      struct err *err)
{
	struct span unique = {entry->name, entry->unique_len};
	char name[MAILDIR_NAME_MAX + 1];
	struct maildir_file file;
	bool in_new;
	int code = maildir_folder_open_file(folder, entry->name, entry->in_new, fd, &file, err);

	if (code != -ERR_CHANGED) {
		return code;
	}
	code = maildir_folder_find(folder, unique, name, &in_new, err);
	return code < 0 ? code : maildir_folder_open_file(folder, name, in_new, fd, &file, err);
}

int mail_key_of_file(struct maildir_folder *folder, const struct maildir_entry *entry,
		     struct mail_scan *scan, bool with_body, struct mail_key *key, struct err *err)
{
	struct err ignored;
	int fd = -1;
	int code = open_entry(folder, entry, &fd, err);

	if (code < 0) {
		return code;
	}
	code = feed_file(fd, entry->name, scan, with_body, err);
	(void)close(fd);
	if (code < 0) {
		(void)mail_scan_result(scan, key, &ignored); /* ready for the next */
		return code;
	}
	return mail_scan_result(scan, key, err);
}
