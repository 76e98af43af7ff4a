#include "mail_source_private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int source_read_chunk(struct mail_source *source, void *data, size_t size, size_t *len,
		      struct err *err)
{
	ssize_t got = 0;

	if (source->first > 0) { /* what is known of it already */
		*len = source->first < size ? source->first : size;
		memcpy(data, source->chunk, *len);
		source->first -= *len;
		memmove(source->chunk, source->chunk + *len, source->first);
		return 0;
	}
	while (!source->is_ended && (got = read(source->fd, data, size)) < 0 && errno == EINTR) {
	}
	if (got < 0) {
		return err_set_errno(err, ERR_LOCAL, SCOPE_RUN, errno, "cannot read %s",
				     source->path);
	}
	source->is_ended = got == 0;
	*len = (size_t)got;
	return 0;
}

/* The beginning of the file, as much as there is room for: what tells its kind. */
static int read_first(struct mail_source *source, struct err *err)
{
	size_t len = 1, have = 0;
	int code = 0;

	while (code == 0 && len > 0 && have < SOURCE_CHUNK) {
		code = source_read_chunk(source, source->chunk + have, SOURCE_CHUNK - have, &len,
					 err);
		have += code == 0 ? len : 0;
	}
	source->first = code == 0 ? have : 0;
	return code;
}

int source_open_file(struct mail_source *source, const char *name, struct err *err)
{
	struct stat status;
	struct buf path;

	buf_init(&path, 65536);
	buf_printf(&path, "%s%s%s", source->path, *name ? "/" : "", name);
	bool is_stdin = mail_source_is_stdin(source->path);
	source->fd = is_stdin ? dup(STDIN_FILENO) : open(path.data, O_RDONLY | O_CLOEXEC);
	int code = buf_status(&path, "a path", err);
	if (code == 0 && (source->fd < 0 || fstat(source->fd, &status) != 0)) {
		code = err_set_errno(err, ERR_LOCAL, SCOPE_RUN, errno, "cannot open %s", path.data);
	}
	buf_finish(&path);
	if (code < 0) {
		return code;
	}
	source->is_folder = S_ISDIR(status.st_mode);
	source->is_file = S_ISREG(status.st_mode);
	source->size = (uint64_t)status.st_size;
	source->mtime = status.st_mtime;
	return 0;
}

/* Empty lines and the mark that some programs begin files with count for nothing. */
static struct span beginning(const struct mail_source *source)
{
	struct span text = {source->chunk, source->first};

	while (text.len > 0 && (text.data[0] == '\n' || text.data[0] == '\r')) {
		text = (struct span){text.data + 1, text.len - 1};
	}
	return text;
}

bool mail_source_is_stdin(const char *path)
{
	return strcmp(path, "-") == 0;
}

int mail_source_check(const char *path, struct err *err)
{
	if (mail_source_is_stdin(path) || access(path, R_OK) == 0) {
		return 0;
	}
	return err_set_errno(err, ERR_LOCAL, SCOPE_RUN, errno, "cannot open %s", path);
}

/* A first line "Name: value", or one that a writer of mbox quoted. */
static bool is_message(struct span text)
{
	const char *lf = text.len > 0 ? memchr(text.data, '\n', text.len) : NULL;
	size_t len = 0;

	text.len = lf ? (size_t)(lf - text.data) : text.len;
	while (len < text.len && (unsigned char)text.data[len] > ' ' && text.data[len] != ':') {
		len++;
	}
	return len > 0 && len < text.len && (text.data[len] == ':' || text.data[len] == ' ') &&
	       memchr(text.data, '\0', text.len) == NULL;
}

static bool is_named_so(const char *path)
{
	size_t len = strlen(path);

	return len > 4 && span_equal_nocase(span_of(path + len - 4), ".eml");
}

static int find_kind(struct mail_source *source, struct err *err)
{
	int code = read_first(source, err);

	if (code < 0) {
		return code;
	}
	struct span text = beginning(source);
	if ((text.len == 0 && !is_named_so(source->path)) ||
	    (text.len >= 5 && memcmp(text.data, "From ", 5) == 0)) {
		return mbox_create(&source->mbox.mbox, err);
	}
	if (!is_message(text) && !is_named_so(source->path)) {
		return err_set(err, ERR_PARTIAL, SCOPE_RUN,
			       "%s is neither an mbox nor a message, nor a Maildir", source->path);
	}
	return 0;
}

int mail_source_open(struct mail_source **source, const char *path, struct err *err)
{
	struct mail_source *opened = calloc(1, sizeof(*opened));
	int code;

	if (!opened) {
		return err_nomem(err);
	}
	opened->fd = -1;
	strlist_init(&opened->files);
	keywords_init(&opened->keywords);
	opened->path = span_dup(span_of(path));
	opened->chunk = malloc(SOURCE_CHUNK);
	if (!opened->path || !opened->chunk) {
		code = err_nomem(err);
		goto failed;
	}
	if ((code = source_open_file(opened, "", err)) < 0 ||
	    (code = opened->is_folder ? source_folder_open(opened, err) : find_kind(opened, err)) <
		    0) {
		goto failed;
	}
	*source = opened;
	return 0;
failed:
	mail_source_close(&opened);
	return code;
}

void mail_source_close(struct mail_source **source)
{
	struct mail_source *closed = *source;

	if (!closed) {
		return;
	}
	source_folder_finish(closed);
	if (closed->fd >= 0) {
		(void)close(closed->fd);
	}
	mbox_destroy(&closed->mbox.mbox);
	keywords_finish(&closed->keywords);
	free(closed->chunk);
	free(closed->path);
	free(closed);
	*source = NULL;
}

/* A message by itself: the one that is open. */
static int next_single(struct mail_source *source)
{
	if (source->message.number > 0) {
		return 0;
	}
	source->message = (struct mail_source_message){
		.number = 1, .has_other_date = true, .date = source->mtime};
	return 1;
}

int mail_source_next(struct mail_source *source, struct err *err)
{
	struct span piece = {NULL, 1};
	int code = 0;

	while (source->is_inside && piece.len > 0) {
		if ((code = mail_source_read(source, &piece, err)) < 0) {
			return code;
		}
	}
	if (source->is_folder) {
		code = source_folder_next(source, err);
	} else {
		code = source->mbox.mbox ? source_mbox_next(source, err) : next_single(source);
	}
	source->is_inside = code > 0;
	return code;
}

int mail_source_read(struct mail_source *source, struct span *piece, struct err *err)
{
	size_t len = 0;
	int code;

	*piece = SPAN_LIT("");
	if (!source->is_inside) {
		return 0;
	}
	if (source->mbox.mbox) {
		code = source_mbox_read(source, piece, err);
	} else if (source->first > 0) {
		*piece = (struct span){source->chunk, source->first};
		source->first = 0;
		return 0;
	} else {
		code = source_read_chunk(source, source->chunk, SOURCE_CHUNK, &len, err);
		*piece = (struct span){source->chunk, code < 0 ? 0 : len};
	}
	source->is_inside = piece->len > 0;
	return code;
}

const struct mail_source_message *mail_source_message(const struct mail_source *source)
{
	return &source->message;
}

const struct keywords *mail_source_keywords(const struct mail_source *source)
{
	return &source->keywords;
}
