/* What the letters of a file name mean by a folder's table, outside a scan. */
#include <fcntl.h>
#include <unistd.h>

#include "maildir_dir.h"
#include "maildir_keywords.h"
#include "maildir_name.h"
#include "maildir_private.h"

uint8_t maildir_name_tells(const struct maildir_name *name, bool in_new)
{
	if (name->is_garbled || (!name->has_info && !in_new)) {
		return MAILDIR_TELLS_NOTHING;
	}
	return name->has_info ? MAILDIR_TELLS_ALL : MAILDIR_TELLS_SYSTEM;
}

static uint64_t known_flags(uint8_t tells, uint64_t lettered)
{
	return (tells != MAILDIR_TELLS_NOTHING ? FLAGS_SYSTEM : 0) |
	       (tells == MAILDIR_TELLS_ALL ? lettered : 0);
}

struct maildir_told maildir_scan_told(const struct maildir_scan *scan,
				      const struct maildir_entry *entry)
{
	return (struct maildir_told){
		.flags = entry->flags,
		.known = known_flags(entry->tells, scan->lettered),
		.has_letters = entry->has_letters,
	};
}

bool maildir_folder_has_uidlist(const struct maildir_folder *folder)
{
	return faccessat(folder->fd, "dovecot-uidlist", F_OK, 0) == 0;
}

int maildir_folder_read_letters(struct maildir_folder *folder, const char *file, bool in_new,
				struct keywords *keywords, struct maildir_told *told,
				struct err *err)
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
	uint64_t lettered = maildir_table_told(folder, keywords);
	told->known = known_flags(maildir_name_tells(&name, in_new), lettered);
	told->flags = result & told->known;
	told->has_letters = letters >> 26 != 0;
	return 0;
}

static int borne_in(struct maildir_folder *folder, enum maildir_dir dir, uint32_t *borne,
		    struct err *err)
{
	struct dir_stream stream;
	struct maildir_name name;
	enum dir_kind kind;
	const char *file;

	int code = folder->dirs[dir] < 0
			 ? 0
			 : dir_stream_open(&stream, folder->dirs[dir], folder->name, err);
	if (code < 0 || folder->dirs[dir] < 0) {
		return code;
	}
	while ((code = dir_stream_next(&stream, &file, &kind, err)) > 0) {
		maildir_name_parse(file, folder->maildir->info_delimiter, &name);
		*borne |= (uint32_t)(maildir_name_letters(file, &name) >> 26);
	}
	dir_stream_close(&stream);
	return code;
}

int maildir_letters_borne(struct maildir_folder *folder, uint32_t *borne, struct err *err)
{
	*borne = 0;
	int code = borne_in(folder, MAILDIR_NEW, borne, err);

	return code < 0 ? code : borne_in(folder, MAILDIR_CUR, borne, err);
}
