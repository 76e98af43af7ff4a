/* No two accounts share a Maildir, nor does one lie in another's. */
#include <stdlib.h>
#include <string.h>

#include "mailsync/sync/sync.h"

#define PATH_LIMIT 4096

/* The real path of a root, or of its nearest ancestor that exists with the rest as written. */
static int real_root(const struct account *account, struct buf *out, struct err *err)
{
	struct maildir *maildir = NULL;
	struct maildir_params params = account->maildir;
	int code = maildir_open(&maildir, &params, false, err);
	if (code < 0) {
		return code;
	}
	char *real = maildir_real_root(maildir);
	buf_append_cstr(out, real != NULL ? real : account->maildir.root);
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

static int compare_roots(const struct account *earlier, const struct account *later,
			 const char *earlier_root, const char *later_root, struct err *err)
{
	if (!is_at_or_below(earlier_root, later_root) &&
	    !is_at_or_below(later_root, earlier_root)) {
		return 0;
	}
	return err_set(
		err, ERR_CONFIG, SCOPE_ACCOUNT,
		"the Maildir root %s is equal to, inside or around that of account \"%s\" (%s); "
		"give each account a root of its own",
		later->maildir.root, earlier->name, earlier->maildir.root);
}

/* Fills ROOTS, one after the other, and compares each with those before. */
static int compare_all(const struct account *accounts, size_t count, struct buf *roots,
		       size_t *culprit, struct err *err)
{
	int code = 0;
	for (size_t i = 0; code == 0 && i < count; i++) {
		*culprit = i;
		code = real_root(&accounts[i], &roots[i], err);
		for (size_t k = 0; code == 0 && k < i; k++) {
			code = compare_roots(&accounts[k], &accounts[i], roots[k].data,
					     roots[i].data, err);
		}
	}
	return code;
}

int sync_check_roots(const struct account *accounts, size_t count, size_t *culprit, struct err *err)
{
	struct buf *roots = calloc(count + 1, sizeof(*roots));
	if (roots == NULL) {
		return err_nomem(err);
	}
	for (size_t i = 0; i < count; i++) {
		buf_init(&roots[i], PATH_LIMIT);
	}
	int code = compare_all(accounts, count, roots, culprit, err);
	for (size_t i = 0; i < count; i++) {
		buf_finish(&roots[i]);
	}
	free(roots);
	return code;
}
