/* What the letters of a file name mean by a folder's table, outside a scan. */
#include "maildir_keywords.h"
#include "maildir_name.h"
#include "maildir_private.h"

int maildir_folder_read_letters(struct maildir_folder *folder, const char *file,
				struct keywords *keywords, uint64_t *flags, struct err *err)
{
	struct maildir_name name;
	int code = maildir_table_refresh(folder, err);
	if (code < 0) {
		return code;
	}
	maildir_name_parse(file, folder->maildir->info_delimiter, &name);
	uint64_t letters = maildir_name_letters(file, &name);
	uint64_t result = maildir_system_of_letters(letters);
	for (char c = 'a'; c <= 'z'; c++) {
		if (letters & maildir_letter(c)) {
			result |= maildir_table_flag(folder, c, keywords);
		}
	}
	*flags = result;
	return 0;
}
