/*
 * A file's name without reading its directory. Names are made of the unique part and of letters,
 * which all programs sort. What else may stand in them (",S=123", letters that mean nothing here)
 * is not known to who asks: such files are not found so.
 */
#include <stdio.h>
#include <string.h>

#include "maildir_keywords.h"
#include "maildir_name.h"
#include "maildir_private.h"

/* Where a file may be, with its letters or without an info part. */
struct guess {
	bool in_new;
	bool has_info;
};

static int guess_name(const struct maildir_folder *folder, const char *unique, uint64_t letters,
		      const struct guess *guess, char name[MAILDIR_NAME_MAX + 1], struct err *err)
{
	char delimiter = folder->maildir->info_delimiter;
	const uint64_t change[2] = {letters, 0};
	return guess->has_info ? maildir_name_change(unique, delimiter, change, name, err)
			       : maildir_name_make(unique, delimiter, 0, name, err);
}

int maildir_folder_guess(struct maildir_folder *folder, const struct maildir_known *known,
			 char name[MAILDIR_NAME_MAX + 1], bool *in_new, struct err *err)
{
	/* The likely ones first. A name without info part tells no flags: it goes with any. */
	static const struct guess guesses[] = {
		{false, true}, {true, false}, {false, false}, {true, true}};
	struct maildir_file ignored;
	uint64_t letters = 0;
	int code =
		maildir_table_letters(folder, known->flags, known->keywords, false, &letters, err);
	if (code < 0) {
		return code;
	}
	letters |= maildir_letters_of_system(known->flags);
	code = -ERR_CHANGED;
	for (size_t i = 0; code == -ERR_CHANGED && i < sizeof(guesses) / sizeof(guesses[0]); i++) {
		code = guess_name(folder, known->unique, letters, &guesses[i], name, err);
		if (code == 0) {
			*in_new = guesses[i].in_new;
			code = maildir_folder_stat_file(folder, name, *in_new, &ignored, err);
		}
	}
	return code;
}
