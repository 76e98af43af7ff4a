/* What all of a file's bytes tell. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "maildir_private.h"

#define CHUNK_SIZE        65536
#define PROVER_CHUNK_SIZE 262144

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

struct maildir_prover {
	char *chunk;
	struct content_scan *content;
};

int maildir_prover_create(struct maildir_prover **prover, struct err *err)
{
	struct maildir_prover *made = calloc(1, sizeof(*made));

	if (!made) {
		return err_nomem(err);
	}
	made->chunk = malloc(PROVER_CHUNK_SIZE);
	int code = made->chunk ? content_scan_create(&made->content, err) : err_nomem(err);
	if (code < 0) {
		maildir_prover_destroy(&made);
		return code;
	}
	*prover = made;
	return 0;
}

void maildir_prover_destroy(struct maildir_prover **prover)
{
	if (*prover) {
		content_scan_destroy(&(*prover)->content);
		free((*prover)->chunk);
		free(*prover);
		*prover = NULL;
	}
}

/* As many bytes as the file was told to have: check_unchanged finds that there are more. */
static int prove_all(struct maildir_prover *prover, const struct reading *reading, uint64_t left,
		     struct err *err)
{
	int code = 0;

	while (code == 0 && left > 0) {
		ssize_t len = maildir_read(reading->fd, prover->chunk, PROVER_CHUNK_SIZE,
					   reading->name, err);
		if (len <= 0) {
			return (int)len; /* shorter now: that shows, too */
		}
		struct span data = {prover->chunk, (size_t)len};
		code = content_scan_feed(prover->content, data, err);
		left -= (uint64_t)len < left ? (uint64_t)len : left;
	}
	return code;
}

int maildir_prover_read(struct maildir_prover *prover, struct maildir_folder *folder,
			const char *file, bool in_new, struct maildir_proof *proof, struct err *err)
{
	struct reading work = {.name = file, .fd = -1};
	uint8_t unfinished[CONTENT_DIGEST_SIZE];
	struct err ignored;
	int code = maildir_folder_open_file(folder, file, in_new, &work.fd, &proof->file, err);

	if (code < 0) {
		return code;
	}
	if ((code = prove_all(prover, &work, proof->file.size_bytes, err)) == 0 &&
	    (code = check_unchanged(&work, &proof->file, err)) == 0) {
		code = content_scan_result(prover->content, proof->content, err);
	} else {
		(void)content_scan_result(prover->content, unfinished, &ignored);
	}
	close(work.fd);
	return code;
}
