#define _XOPEN_SOURCE 700 /* realpath */
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file_private.h"
#include "mailsync/base/file.h"

#define PATH_LEN_MAX 65536

int file_make_dirs(const char *path, struct err *err)
{
	struct buf part;
	struct stat info;
	int code = 0;

	if (stat(path, &info) == 0 && S_ISDIR(info.st_mode)) {
		return 0;
	}
	buf_init(&part, PATH_LEN_MAX);
	for (const char *at = path; *at && code == 0;) {
		size_t slashes = strspn(at, "/");
		size_t name = strcspn(at + slashes, "/");

		buf_append(&part, at, slashes + name);
		code = buf_status(&part, "a path", err);
		at += slashes + name;
		if (code == 0 && name > 0) {
			code = file_make_dir(AT_FDCWD, part.data, NULL, err);
		}
	}
	buf_finish(&part);
	return code;
}

static int expand_home(struct buf *out, struct err *err)
{
	const char *home = getenv("HOME");
	struct passwd entry, *found = NULL;
	char strings[4096];

	if (!home || !*home) {
		(void)getpwuid_r(getuid(), &entry, strings, sizeof(strings), &found);
		home = found ? found->pw_dir : NULL;
	}
	if (!home || !*home) {
		return err_set(err, ERR_CONFIG, SCOPE_RUN, "~ cannot be expanded: HOME is not set");
	}
	buf_append_cstr(out, home);
	return 0;
}

/* Not isalpha(): what a name is does not depend on the locale. */
static size_t variable_name_len(const char *name)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_";

	if (*name == '\0' || !strchr(letters, *name)) {
		return 0;
	}
	size_t len = 1;
	while (name[len] != '\0' &&
	       (strchr(letters, name[len]) || strchr("0123456789", name[len]))) {
		len++;
	}
	return len;
}

/* Expands the $VAR or ${VAR} at *AT and moves *AT behind it. A $ before anything else is
 * itself. */
static int expand_variable(const char **at, struct buf *out, struct err *err)
{
	bool braced = (*at)[1] == '{';
	const char *start = *at + 1 + braced;
	size_t len = variable_name_len(start);

	if (len == 0 && !braced) {
		buf_append_char(out, '$');
		*at += 1;
		return 0;
	}
	if (len == 0 || (braced && start[len] != '}')) {
		return err_set(err, ERR_CONFIG, SCOPE_RUN, "\"%s\" is not a ${VARIABLE}", *at);
	}
	char *name = span_dup((struct span){start, len});
	if (!name) {
		return err_nomem(err);
	}
	const char *value = getenv(name);
	int code = 0;
	if (value) {
		buf_append_cstr(out, value);
		*at = start + len + braced;
	} else {
		code = err_set(err, ERR_CONFIG, SCOPE_RUN, "the environment has no variable %s",
			       name);
	}
	free(name);
	return code;
}

int file_expand(const char *path, struct buf *out, struct err *err)
{
	size_t before = out->len;
	int code = 0;

	if (path[0] == '~' && (path[1] == '/' || path[1] == '\0')) {
		code = expand_home(out, err);
		path++;
	}
	while (*path && code == 0) {
		if (*path == '$') {
			code = expand_variable(&path, out, err);
		} else {
			buf_append_char(out, *path++);
		}
	}
	if (code == 0) {
		code = buf_status(out, "an expanded path", err);
	}
	if (code < 0) {
		buf_truncate(out, before);
	}
	return code;
}

int file_real_path(const char *path, struct buf *out, struct err *err)
{
	char *resolved = realpath(path, NULL);

	if (!resolved) {
		return file_fail(err, errno, "find", path);
	}
	size_t before = out->len;
	buf_append_cstr(out, resolved);
	free(resolved);
	int code = buf_status(out, "a path", err);
	if (code < 0) {
		buf_truncate(out, before);
	}
	return code;
}
