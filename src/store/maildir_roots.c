/* Roots that must not share a directory. */
#include <stdlib.h>
#include <string.h>

#include "mailsync/base/buf.h"
#include "mailsync/base/file.h"
#include "mailsync/store/maildir.h"

/* The real path of a root, or of its nearest ancestor that exists with the rest as written. */
static int real_root(const struct maildir_params *params, struct buf *out, struct err *err)
{
	struct maildir *maildir = NULL;
	int code = maildir_open(&maildir, params, false, err);
	if (code < 0) {
		return code;
	}
	char *real = maildir_real_root(maildir);
	buf_append_cstr(out, real != NULL ? real : params->root);
	free(real);
	maildir_close(&maildir);
	while (out->len > 1 && out->data[out->len - 1] == '/') {
		buf_truncate(out, out->len - 1);
	}
	return buf_status(out, "a Maildir root", err);
}

static bool is_at_or_below(const char *path, const char *root)
{
	size_t len = strlen(root);
	return strncmp(path, root, len) == 0 && (path[len] == '\0' || path[len] == '/');
}

static int compare_roots(const struct maildir_root *earlier, const struct maildir_root *later,
			 const char *earlier_path, const char *later_path, struct err *err)
{
	if (!is_at_or_below(earlier_path, later_path) &&
	    !is_at_or_below(later_path, earlier_path)) {
		return 0;
	}
	return err_set(
		err, ERR_CONFIG, SCOPE_ACCOUNT,
		"the Maildir root %s is equal to, inside or around that of account \"%s\" (%s); "
		"give each account a root of its own",
		later->params->root, earlier->owner, earlier->params->root);
}

/* In an order in which what lies below a directory comes right behind it. */
static int order_of(const void *one, const void *other)
{
	const unsigned char *x = *(const unsigned char *const *)one;
	const unsigned char *y = *(const unsigned char *const *)other;
	while (*x == *y && *x != '\0') {
		x++;
		y++;
	}
	int left = *x == '/' ? 1 : *x == '\0' ? 0 : *x + 1;
	int right = *y == '/' ? 1 : *y == '\0' ? 0 : *y + 1;
	return left - right;
}

/* Whether any of them is, holds or lies in another: neighbours tell. */
static bool is_any_shared(const struct buf *paths, size_t count)
{
	const char **sorted = calloc(count + 1, sizeof(*sorted));
	bool is_shared = sorted == NULL; /* it is looked at one by one then */
	for (size_t i = 0; sorted != NULL && i < count; i++) {
		sorted[i] = paths[i].data;
	}
	if (sorted != NULL) {
		qsort(sorted, count, sizeof(*sorted), order_of);
	}
	for (size_t i = 1; !is_shared && i < count; i++) {
		is_shared = is_at_or_below(sorted[i], sorted[i - 1]);
	}
	free((void *)sorted);
	return is_shared;
}

/* Fills PATHS, and compares each with those before. */
static int compare_all(const struct maildir_root *roots, size_t count, struct buf *paths,
		       size_t *culprit, size_t *around, struct err *err)
{
	struct err why;
	int code = 0;
	size_t filled = 0;
	for (; filled < count && code == 0; filled++) {
		code = real_root(roots[filled].params, &paths[filled], &why);
	}
	filled -= code != 0;
	size_t suspects = is_any_shared(paths, filled) ? filled : 0;
	for (size_t i = 0; i < suspects; i++) {
		*culprit = i;
		for (size_t k = 0; k < i; k++) {
			int shared = compare_roots(&roots[k], &roots[i], paths[k].data,
						   paths[i].data, err);
			if (shared < 0) {
				/* In it, not around it, nor it. */
				*around = paths[i].len > paths[k].len ? k : count;
				return shared;
			}
		}
	}
	if (code < 0) {
		*culprit = filled;
		*err = why;
	}
	return code;
}

int maildir_check_roots(const struct maildir_root *roots, size_t count, size_t *culprit,
			size_t *around, struct err *err)
{
	*around = count;
	struct buf *paths = calloc(count + 1, sizeof(*paths));
	if (paths == NULL) {
		return err_nomem(err);
	}
	for (size_t i = 0; i < count; i++) {
		buf_init(&paths[i], FILE_PATH_SIZE);
	}
	int code = compare_all(roots, count, paths, culprit, around, err);
	for (size_t i = 0; i < count; i++) {
		buf_finish(&paths[i]);
	}
	free(paths);
	return code;
}
