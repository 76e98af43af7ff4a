/*
 * A section is put behind all that is there: into a copy, which is read again as a configuration
 * and takes the file's place only where it is one. What is cut off on the way, by whatever, leaves
 * the file as it was.
 */
#define _DEFAULT_SOURCE /* fchown, fchmod */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mailsync/base/file.h"
#include "mailsync/conf/conf.h"

#define CONF_SIZE_MAX (16 * 1024 * 1024)

struct change {
	const char *path;
	struct buf folder; /* of the file itself, where PATH leads to it by a link */
	const char *name;  /* in FOLDER */
	struct buf real;
	int dirfd;
	struct buf before;
	bool is_new;
	char temp[64];
};

static int read_before(const struct change *change, struct buf *text, bool *is_new, struct err *err)
{
	int code = file_read(change->dirfd, change->name, text, err);

	*is_new = code == -ERR_CHANGED;
	return *is_new ? 0 : code;
}

/* Splits the path and opens the folder, which is made where it is not there. */
static int open_folder(struct change *change, struct err *err)
{
	struct err ignored;
	int code;

	struct stat link;

	if (file_real_path(change->path, &change->real, &ignored) < 0) {
		/* Not to be replaced: what it leads to is away just now. */
		if (lstat(change->path, &link) == 0 && S_ISLNK(link.st_mode)) {
			return err_set(err, ERR_LOCAL, SCOPE_RUN,
				       "%s is a link that leads nowhere; nothing is written",
				       change->path);
		}
		buf_append_cstr(&change->real, change->path);
	}
	if ((code = buf_status(&change->real, "a path", err)) < 0) {
		return code;
	}
	const char *slash = strrchr(change->real.data, '/');
	change->name = slash ? slash + 1 : change->real.data;
	buf_append_cstr(&change->folder, slash ? "" : ".");
	buf_append(&change->folder, change->real.data, (size_t)(change->name - change->real.data));
	if ((code = buf_status(&change->folder, "a path", err)) < 0 ||
	    (code = file_make_dirs(change->folder.data, err)) < 0) {
		return code;
	}
	return file_open_dir(AT_FDCWD, change->folder.data, false, &change->dirfd, err);
}

/* The copy is readable to those who could read the file. */
static int keep_mode(const struct change *change, int fd, struct err *err)
{
	struct stat before;

	if (change->is_new) {
		return 0;
	}
	if (fstatat(change->dirfd, change->name, &before, 0) != 0 ||
	    fchmod(fd, before.st_mode & 0777) != 0) {
		return err_set(err, ERR_LOCAL, SCOPE_RUN, "the mode of %s cannot be kept",
			       change->path);
	}
	/* Another's file stays his, where we may; else no group that could not read it may. */
	if (fchown(fd, before.st_uid, before.st_gid) != 0 &&
	    fchmod(fd, before.st_mode & 0700) != 0) {
		return err_set(err, ERR_LOCAL, SCOPE_RUN, "the mode of %s cannot be kept",
			       change->path);
	}
	return 0;
}

static int write_copy(const struct change *change, struct span section, struct err *err)
{
	const struct buf *before = &change->before;
	const char *gap = before->len == 0                      ? ""
			: before->data[before->len - 1] == '\n' ? "\n"
								: "\n\n";
	int fd = -1;
	int code;

	if ((code = file_create(change->dirfd, change->temp, &fd, err)) < 0 ||
	    (code = keep_mode(change, fd, err)) < 0 ||
	    (code = file_write(fd, before->data, before->len, err)) < 0 ||
	    (code = file_write(fd, gap, strlen(gap), err)) < 0 ||
	    (code = file_write(fd, section.data, section.len, err)) < 0) {
		goto finish;
	}
	code = file_sync(fd, err);
finish:
	if (fd >= 0) {
		close(fd);
	}
	return code;
}

static int check_copy(const struct change *change, struct err *err)
{
	struct conf_errors errors;
	struct conf *conf = NULL;
	struct buf path;
	int code;

	buf_init(&path, CONF_SIZE_MAX);
	buf_printf(&path, "%s/%s", change->folder.data, change->temp);
	if ((code = buf_status(&path, "a path", err)) < 0) {
		goto finish;
	}
	code = conf_load(&conf, path.data, &errors, err);
	if (code == -ERR_CONFIG && errors.count > 0) {
		/* "FILE:LINE: ...", of a file that is gone by then. */
		const char *text = errors.items[0].text;
		bool is_named = strncmp(text, path.data, path.len) == 0 && text[path.len] == ':';
		code = err_set(err, ERR_CONFIG, SCOPE_RUN,
			       "nothing was written, since %s could not be read any more: %s%s",
			       change->path, is_named ? "line " : "",
			       is_named ? text + path.len + 1 : text);
	}
	conf_errors_finish(&errors);
	conf_destroy(&conf);
finish:
	buf_finish(&path);
	return code;
}

/* The file is as it was read: an editor may have saved it meanwhile. */
static int check_unchanged(const struct change *change, struct err *err)
{
	struct buf now;
	bool is_new;

	buf_init(&now, CONF_SIZE_MAX);
	int code = read_before(change, &now, &is_new, err);
	if (code == 0 &&
	    (is_new != change->is_new || !span_equal(buf_span(&now), buf_span(&change->before)))) {
		code = err_set(err, ERR_TEMPORARY, SCOPE_RUN,
			       "%s was changed meanwhile, so nothing was written; try again",
			       change->path);
	}
	buf_finish_secret(&now);
	return code;
}

static int append(struct change *change, struct span section, struct err *err)
{
	struct err ignored;
	int code;

	if ((code = open_folder(change, err)) < 0 ||
	    (code = read_before(change, &change->before, &change->is_new, err)) < 0) {
		return code;
	}
	if ((code = write_copy(change, section, err)) < 0 || (code = check_copy(change, err)) < 0 ||
	    (code = check_unchanged(change, err)) < 0 ||
	    (code = file_replace(change->dirfd, change->temp, change->dirfd, change->name, err)) <
		    0) {
		(void)file_unlink(change->dirfd, change->temp, &ignored);
		return code;
	}
	return file_sync_dir(change->dirfd, err);
}

int conf_append(const char *path, struct span section, struct err *err)
{
	struct change change = {.path = path, .dirfd = -1};

	buf_init(&change.folder, FILE_PATH_SIZE);
	buf_init(&change.real, FILE_PATH_SIZE);
	buf_init(&change.before, CONF_SIZE_MAX);
	(void)snprintf(change.temp, sizeof(change.temp), ".mailsync.conf.%ld.tmp", (long)getpid());
	int code = append(&change, section, err);
	if (change.dirfd >= 0) {
		close(change.dirfd);
	}
	buf_finish_secret(&change.before);
	buf_finish(&change.real);
	buf_finish(&change.folder);
	return code;
}
