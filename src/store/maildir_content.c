/* What all of a file's bytes tell. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "maildir_private.h"

#define CHUNK_SIZE 65536

int maildir_content_take(struct maildir_folder *folder, struct content_scan **scan, struct err *err)
{
	if (!folder->spare_content) {
		return content_scan_create(scan, err);
	}
	*scan = folder->spare_content;
	folder->spare_content = NULL;
	return 0;
}

void maildir_content_give_back(struct maildir_folder *folder, struct content_scan **scan)
{
	if (folder->spare_content) {
		content_scan_destroy(scan);
	} else {
		folder->spare_content = *scan;
		*scan = NULL;
	}
}

struct reading {
	const char *name;
	int fd;
	char *chunk;
	struct header_scan *header;
	struct content_scan *content;
};

static int read_all(struct reading *reading, struct err *err)
{
	ssize_t len;
	int code = 0;

	while (code == 0 && (len = maildir_read(reading->fd, reading->chunk, CHUNK_SIZE,
						reading->name, err)) != 0) {
		struct span data = {reading->chunk, len > 0 ? (size_t)len : 0};
		if ((code = len < 0 ? (int)len : 0) == 0 &&
		    (code = header_scan_feed(reading->header, data, err)) == 0) {
			code = content_scan_feed(reading->content, data, err);
		}
	}
	return code;
}

/* Still as it was opened: what was read is one state of it. */
static int check_unchanged(const struct reading *reading, const struct maildir_file *file,
			   struct err *err)
{
	const struct file_mark was = maildir_file_mark(file);
	struct maildir_file now = {0};
	struct stat st;

	if (fstat(reading->fd, &st) == 0) {
		maildir_file_of(&st, &now);
	}
	const struct file_mark is = maildir_file_mark(&now);
	return file_mark_equal(&was, &is)
		     ? 0
		     : err_set(err, ERR_CHANGED, SCOPE_MESSAGE,
			       "file %s changed while it was read; it is left for the next run",
			       reading->name);
}

int maildir_folder_read(struct maildir_folder *folder, const char *file, bool in_new,
			struct maildir_reading *reading, struct err *err)
{
	struct reading work = {.name = file, .fd = -1, .chunk = malloc(CHUNK_SIZE)};
	int code = work.chunk ? 0 : err_nomem(err);

	if (code < 0 ||
	    (code = maildir_folder_open_file(folder, file, in_new, &work.fd, &reading->file, err)) <
		    0 ||
	    (code = header_scan_create(&work.header, err)) < 0 ||
	    (code = content_scan_create(&work.content, err)) < 0 ||
	    (code = read_all(&work, err)) < 0 ||
	    (code = check_unchanged(&work, &reading->file, err)) < 0 ||
	    (code = header_scan_result(work.header, &reading->identity, err)) < 0) {
		goto finish;
	}
	code = content_scan_result(work.content, reading->content, err);
finish:
	content_scan_destroy(&work.content);
	header_scan_destroy(&work.header);
	if (work.fd >= 0) {
		close(work.fd);
	}
	free(work.chunk);
	return code;
}
