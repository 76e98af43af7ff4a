/*
 * Renaming and removing messages.
 *
 * Invariants:
 * 1. Only the file that the caller named is touched, under exactly that name.
 * 2. No rename replaces a file.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "maildir_keywords.h"
#include "maildir_name.h"
#include "maildir_private.h"
#include "mailsync/base/file.h"

/* What is to happen to a name's letters: those to put in, those to take out. */
static int change_letters(struct maildir_folder *folder, const struct maildir_change *change,
			  uint64_t letters[2], struct err *err)
{
	uint64_t add, remove;

	int code = maildir_table_letters(folder, change->add, change->keywords, true, &add, err);
	if (code == 0) {
		code = maildir_table_letters(folder, change->remove, change->keywords, false,
					     &remove, err);
	}
	if (code == 0) {
		letters[0] = add | maildir_letters_of_system(change->add);
		letters[1] = remove | maildir_letters_of_system(change->remove);
		letters[1] |= change->came_from == NULL ? 0
							: (maildir_table_meant(folder) |
							   maildir_table_meant(change->came_from)) &
								  ~letters[0];
	}
	return code;
}

int maildir_folder_set_flags(struct maildir_folder *folder, const struct maildir_change *change,
			     char result[MAILDIR_NAME_MAX + 1], struct err *err)
{
	enum maildir_dir from = change->in_new ? MAILDIR_NEW : MAILDIR_CUR;
	char target[MAILDIR_NAME_MAX + 1];
	uint64_t letters[2];
	struct maildir_name name;
	struct maildir_file info;
	int to_fd;

	int code = maildir_folder_stat_file(folder, change->file, change->in_new, &info, err);
	if (code == 0) {
		code = change_letters(folder, change, letters, err);
	}
	if (code < 0) {
		return code;
	}
	maildir_name_parse(change->file, folder->maildir->info_delimiter, &name);
	uint64_t old = maildir_name_letters(change->file, &name);
	uint64_t now = (old & ~letters[1]) | letters[0];
	if (now == old) {
		if (result) {
			memcpy(result, change->file, name.len + 1);
		}
		return 0;
	}
	code = maildir_name_change(change->file, folder->maildir->info_delimiter, letters, target,
				   err);
	if (code < 0) {
		return code;
	}
	enum maildir_dir to = now != 0 ? MAILDIR_CUR : from;
	const struct maildir_spot was = {folder, from, change->file}, is = {folder, to, target};
	if ((code = maildir_folder_dir(folder, to, &to_fd, err)) < 0 ||
	    (code = maildir_note(&was, &is, err)) < 0) {
		return code;
	}
	code = file_rename(folder->dirs[from], change->file, to_fd, target, err);
	if ((code = maildir_note_end(&was, &is, code)) < 0) {
		return code;
	}
	folder->touched[from] = true;
	folder->touched[to] = true;
	if (result) {
		memcpy(result, target, strlen(target) + 1);
	}
	return 0;
}

int maildir_folder_remove(struct maildir_folder *folder, const char *file, bool in_new,
			  struct err *err)
{
	enum maildir_dir dir = in_new ? MAILDIR_NEW : MAILDIR_CUR;
	struct maildir_file info;

	const struct maildir_spot spot = {folder, dir, file};
	int code;

	if ((code = maildir_folder_stat_file(folder, file, in_new, &info, err)) < 0 ||
	    (code = maildir_note(&spot, NULL, err)) < 0) {
		return code;
	}
	code = maildir_note_end(&spot, NULL, file_remove(folder->dirs[dir], file, err));
	if (code == 0) {
		folder->touched[dir] = true;
	}
	return code;
}

#define UNIQUE_TRIES 10 /* equal files have got such a name before */

int maildir_folder_set_unique(struct maildir_folder *folder, const char *file, bool in_new,
			      const uint8_t content[CONTENT_DIGEST_SIZE],
			      char result[MAILDIR_NAME_MAX + 1], struct err *err)
{
	enum maildir_dir dir = in_new ? MAILDIR_NEW : MAILDIR_CUR;
	char unique[MAILDIR_UNIQUE_MAX + 1];
	struct maildir_name name;
	struct maildir_file info;
	int code;

	if ((code = maildir_folder_stat_file(folder, file, in_new, &info, err)) < 0 ||
	    (code = maildir_unique_make_foreign(unique, info.mtime, content, err)) < 0) {
		return code;
	}
	maildir_name_parse(file, folder->maildir->info_delimiter, &name);
	code = -ERR_CHANGED;
	for (int i = 0; code == -ERR_CHANGED && i < UNIQUE_TRIES; i++) {
		int len = snprintf(result, MAILDIR_NAME_MAX + 1, "%s%s", unique,
				   file + name.unique_len);
		if (len < 0 || len > MAILDIR_NAME_MAX) {
			return err_set(err, ERR_PARTIAL, SCOPE_MESSAGE,
				       "the name of file %s is too long to be changed", file);
		}
		const struct maildir_spot was = {folder, dir, file}, is = {folder, dir, result};
		if ((code = maildir_note(&was, &is, err)) < 0) {
			return code;
		}
		code = file_rename(folder->dirs[dir], file, folder->dirs[dir], result, err);
		code = maildir_note_end(&was, &is, code);
		maildir_unique_later(unique);
	}
	folder->touched[dir] |= code == 0;
	return code;
}

bool maildir_folder_is_variant(const struct maildir_folder *folder, const char *one,
			       const char *other)
{
	/* Those that `info_delimiter` may have been before, too. */
	const char ends[] = {',', ':', ';', '!', folder->maildir->info_delimiter, '\0'};
	size_t len = strcspn(one, ends);

	return len == strcspn(other, ends) && memcmp(one, other, len) == 0;
}
