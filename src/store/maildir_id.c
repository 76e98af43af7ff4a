/*
 * The small files that say whose tree this is: our `mailsync-id`, mbsync's `.uidvalidity`.
 *
 *     mailsync 1
 *     account NAME
 *     database ID
 *     generation NUMBER
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "maildir_private.h"
#include "mailsync/base/file.h"
#include "mailsync/base/there.h"

#define ID_FILE          "mailsync-id"
#define ID_SIZE_MAX      1024
#define UIDVALIDITY_FILE ".uidvalidity"

/* 1 when NAME is a regular file, 0 when there is none; a link or a pipe is not read. */
static int small_file_read(int dirfd, const char *name, struct buf *out, struct err *err)
{
	struct stat st;

	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) != 0) {
		return is_absent(errno) ? 0
					: maildir_fail(err, SCOPE_ACCOUNT, errno, "look at", name);
	}
	if (!S_ISREG(st.st_mode)) {
		return err_set(err, ERR_LOCAL, SCOPE_ACCOUNT, "%s is no regular file", name);
	}
	int code = file_read(dirfd, name, out, err);
	return code == 0 ? 1 : code == -ERR_CHANGED ? 0 : code;
}

/* Takes the line "WORD value" off TEXT. */
static bool line_take(struct span *text, const char *word, struct span *value)
{
	size_t word_len = strlen(word);
	const char *end = text->len > 0 ? memchr(text->data, '\n', text->len) : NULL;

	if (!end || (size_t)(end - text->data) <= word_len + 1 ||
	    memcmp(text->data, word, word_len) != 0 || text->data[word_len] != ' ') {
		return false;
	}
	value->data = text->data + word_len + 1;
	value->len = (size_t)(end - value->data);
	text->len -= (size_t)(end + 1 - text->data);
	text->data = end + 1;
	return true;
}

static bool text_fits(struct span value, char *out, size_t size)
{
	if (value.len >= size || memchr(value.data, '\0', value.len)) {
		return false;
	}
	memcpy(out, value.data, value.len);
	out[value.len] = '\0';
	return true;
}

static bool id_parse(struct span text, struct maildir_id *id)
{
	struct span version, account, database, generation;
	struct maildir_id result;

	if (!line_take(&text, "mailsync", &version) || !span_equal_cstr(version, "1") ||
	    !line_take(&text, "account", &account) || !line_take(&text, "database", &database) ||
	    !line_take(&text, "generation", &generation) ||
	    !text_fits(account, result.account, sizeof(result.account)) ||
	    !text_fits(database, result.database, sizeof(result.database)) ||
	    !span_to_u64(generation, &result.generation)) {
		return false;
	}
	*id = result;
	return true;
}

int maildir_id_read(struct maildir *maildir, struct maildir_id *id, bool *found, struct err *err)
{
	struct buf text;

	if (maildir->root_fd < 0) {
		*found = false;
		return 0;
	}
	buf_init(&text, ID_SIZE_MAX);
	int code = small_file_read(maildir->root_fd, ID_FILE, &text, err);
	if (code == 0) {
		*found = false;
	} else if (code > 0 && id_parse(buf_span(&text), id)) {
		*found = true;
		code = 0;
	} else if (code > 0 || code == -ERR_LIMIT) {
		code = err_set(err, ERR_CONFIG, SCOPE_ACCOUNT,
			       "%s/" ID_FILE ": it does not read as one of ours", maildir->root);
	} else {
		err->scope = SCOPE_ACCOUNT;
		err_prefix(err, "%s/" ID_FILE, maildir->root);
	}
	buf_finish(&text);
	return code;
}

int maildir_id_write(struct maildir *maildir, const struct maildir_id *id, struct err *err)
{
	struct maildir_id again;
	struct buf text;

	if (maildir->root_fd < 0) {
		return err_set(err, ERR_LOCAL, SCOPE_ACCOUNT, "there is no directory %s",
			       maildir->root);
	}
	buf_init(&text, ID_SIZE_MAX);
	buf_printf(&text, "mailsync 1\naccount %s\ndatabase %s\ngeneration %" PRIu64 "\n",
		   id->account, id->database, id->generation);
	int code = buf_status(&text, ID_FILE, err);
	if (code == 0 && !id_parse(buf_span(&text), &again)) {
		code = err_set(err, ERR_INTERNAL, SCOPE_ACCOUNT,
			       "account or database name cannot be kept in " ID_FILE);
	}
	if (code == 0) {
		code = file_write_atomic(maildir->root_fd, ID_FILE, buf_span(&text), err);
	}
	buf_finish(&text);
	if (code < 0) {
		err->scope = SCOPE_ACCOUNT;
	}
	return code;
}

uint32_t maildir_folder_mbsync_uidvalidity(struct maildir_folder *folder)
{
	struct err ignored;
	struct buf text;
	uint32_t value = 0;

	buf_init(&text, 256);
	if (small_file_read(folder->fd, UIDVALIDITY_FILE, &text, &ignored) > 0) {
		struct span line = {text.data, strcspn(text.data, "\r\n")};
		if (!span_to_u32(line, &value)) {
			value = 0;
		}
	}
	buf_finish(&text);
	return value;
}
