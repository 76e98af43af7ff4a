/*
 * What letters mean: dovecot-keywords, joined with what is remembered of it (maildir_memory.c).
 *
 * Invariants:
 * 1. Where the file gives a letter another name than the remembered one, the letter means nothing.
 *    What it meant before is then not told by the lack of another letter of that name either.
 * 2. No letter that is named, remembered or borne by a file is given to a new keyword. Numbers that
 *    were never given come first; then gaps, which nobody can have named as far as is known.
 */
#include "maildir_keywords.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "maildir_name.h"
#include "mailsync/base/file.h"
#include "mailsync/base/there.h"

void maildir_table_clear(struct maildir_table *table)
{
	for (int i = 0; i < MAILDIR_LETTERS; i++) {
		free(table->names[i]);
		free(table->others[i]);
		table->names[i] = NULL;
		table->others[i] = NULL;
	}
	table->next = 0;
	table->lined = 0;
	table->lost = 0;
	table->doubted = 0;
	table->cut = -1;
	table->has_cr = false;
}

void maildir_table_finish(struct maildir_table *table)
{
	maildir_table_clear(table);
	table->was_read = false;
}

bool maildir_table_next_line(struct span *text, struct maildir_table_line *line)
{
	const char *end = text->len > 0 ? memchr(text->data, '\n', text->len) : NULL;
	size_t len = end ? (size_t)(end - text->data) : text->len;
	uint32_t number;

	if (text->len == 0) {
		return false;
	}
	*line = (struct maildir_table_line){.letter = -1, .has_end = end != NULL};
	line->text = (struct span){text->data, len};
	line->has_cr = len > 0 && text->data[len - 1] == '\r';
	line->text.len -= line->has_cr;
	text->data += len + line->has_end;
	text->len -= len + line->has_end;
	const char *space =
		line->text.len > 0 ? memchr(line->text.data, ' ', line->text.len) : NULL;
	if (space == NULL) {
		return true;
	}
	struct span digits = {line->text.data, (size_t)(space - line->text.data)};
	if (span_to_u32(digits, &number) && number < MAILDIR_LETTERS) {
		line->letter = (int)number;
		line->name = (struct span){space + 1, line->text.len - digits.len - 1};
	}
	return true;
}

int maildir_table_parse(struct maildir_table *table, struct span text, struct err *err)
{
	struct maildir_table_line line;

	while (maildir_table_next_line(&text, &line)) {
		table->has_cr |= line.has_cr;
		if (line.letter < 0) {
			continue;
		}
		if (line.letter >= table->next) {
			table->next = line.letter + 1;
		}
		table->lined |= UINT32_C(1) << line.letter;
		char **name = &table->names[line.letter];
		if (*name != NULL || !keyword_is_atom(line.name)) {
			continue;
		}
		table->cut = line.has_end ? -1 : line.letter;
		if ((*name = span_dup(line.name)) == NULL) {
			return err_nomem(err);
		}
	}
	return 0;
}

/* What the file is now, all zeroes when it is not there. False where that cannot be told, or it is
 * no regular file. */
static bool table_look(const struct maildir_folder *folder, struct maildir_file *seen)
{
	struct stat st;

	memset(seen, 0, sizeof(*seen));
	if (fstatat(folder->fd, TABLE_FILE, &st, AT_SYMLINK_NOFOLLOW) != 0) {
		return is_absent(errno);
	}
	if (S_ISREG(st.st_mode)) {
		maildir_file_of(&st, seen);
	}
	return S_ISREG(st.st_mode);
}

static bool table_is_same(const struct maildir_file *one, const struct maildir_file *other)
{
	return one->inode == other->inode && one->mtime_ns == other->mtime_ns &&
	       one->size_bytes == other->size_bytes;
}

/* A file that cannot be read has no names: what is remembered serves, and nothing is written. */
static int table_bar(struct maildir_folder *folder, const char *why, struct err *err)
{
	struct maildir_table *table = &folder->table;

	if (!table->is_barred && maildir_tells_first(folder, MAILDIR_TELLS_BARRED)) {
		log_line(folder->maildir->log, LOG_WARN,
			 "mailbox %s: %s cannot be read (%s): the names that are remembered serve, "
			 "and new keywords wait",
			 folder->name, TABLE_FILE, why);
	}
	table->is_barred = true;
	maildir_table_clear(table);
	return maildir_table_join(folder, err);
}

int maildir_table_read(struct maildir_folder *folder, struct buf *out, struct err *err)
{
	struct maildir_table *table = &folder->table;
	struct maildir_file seen;
	int code = 0;

	table->was_read = false;
	maildir_table_clear(table);
	bool is_sound = table_look(folder, &seen);
	if (is_sound && seen.inode != 0) {
		code = file_read(folder->fd, TABLE_FILE, out, err);
		is_sound = code == 0 || code == -ERR_CHANGED; /* removed just now */
	}
	if (code == -ERR_NOMEM) {
		return code;
	}
	if (is_sound) {
		table->is_barred = false;
		if ((code = maildir_table_parse(table, buf_span(out), err)) == 0) {
			code = maildir_table_join(folder, err);
		}
	} else {
		code = table_bar(folder, code < 0 ? err->text : "it is no regular file", err);
	}
	table->seen = seen;
	table->was_read = code == 0 && is_sound;
	return code;
}

int maildir_table_refresh(struct maildir_folder *folder, struct err *err)
{
	struct maildir_file seen;
	struct buf text;

	if (!folder->maildir->has_keywords ||
	    (folder->table.was_read && table_look(folder, &seen) &&
	     table_is_same(&seen, &folder->table.seen))) {
		return 0;
	}
	buf_init(&text, TABLE_SIZE_MAX);
	int code = maildir_table_read(folder, &text, err);
	buf_finish(&text);
	return code;
}

bool maildir_table_is_other(const struct maildir_folder *folder, const char *name)
{
	for (int i = 0; i < MAILDIR_LETTERS; i++) {
		const char *other = folder->table.others[i];
		if (other != NULL && span_equal_nocase(span_of(name), other)) {
			return true;
		}
	}
	return false;
}

uint64_t maildir_table_flag(const struct maildir_folder *folder, char letter,
			    struct keywords *keywords)
{
	const char *name = folder->table.names[letter - 'a'];

	if (!folder->maildir->has_keywords || !name || !keywords) {
		return 0;
	}
	int index = keywords_intern(keywords, span_of(name));
	return index < 0 ? 0 : FLAG_KEYWORD(index);
}

int maildir_table_find(const struct maildir_table *table, const char *name)
{
	for (int i = 0; i < MAILDIR_LETTERS; i++) {
		if (table->names[i] && span_equal_nocase(span_of(name), table->names[i])) {
			return i;
		}
	}
	return -1;
}

/* The letters that the file names NAME: it may name several so. */
static uint64_t letters_named(const struct maildir_table *table, const char *name)
{
	uint64_t letters = 0;

	for (int i = 0; i < MAILDIR_LETTERS; i++) {
		if (table->names[i] != NULL && span_equal_nocase(span_of(name), table->names[i])) {
			letters |= maildir_letter((char)('a' + i));
		}
	}
	return letters;
}

/* The letters there are; *MISSING: the flags without one. */
static uint64_t letters_known(const struct maildir_folder *folder, uint64_t flags,
			      const struct keywords *keywords, uint64_t *missing)
{
	uint64_t letters = 0;

	*missing = 0;
	for (int i = 0; i < keywords->count; i++) {
		if ((flags & FLAG_KEYWORD(i)) == 0) {
			continue;
		}
		int number = maildir_table_find(&folder->table, keywords->names[i]);
		if (number >= 0) {
			letters |= maildir_letter((char)('a' + number));
		} else {
			*missing |= FLAG_KEYWORD(i);
		}
	}
	return letters;
}

int maildir_table_letters(struct maildir_folder *folder, uint64_t flags,
			  const struct keywords *keywords, bool allot, uint64_t *letters,
			  struct err *err)
{
	uint64_t missing;

	if (!folder->maildir->has_keywords || !keywords || (flags & ~FLAGS_SYSTEM) == 0) {
		*letters = 0;
		return 0;
	}
	int code = maildir_table_refresh(folder, err);
	if (code < 0) {
		return code;
	}
	uint64_t known = letters_known(folder, flags, keywords, &missing);
	bool may_give = missing != 0 && allot && !folder->table.gave_up && !folder->table.is_barred;
	uint32_t free_letters = 0;
	if (may_give && ((code = maildir_table_free(folder, &free_letters, err)) < 0 ||
			 (free_letters != 0 &&
			  (code = maildir_table_allot(folder, missing, keywords, err)) < 0))) {
		return code;
	}
	if (free_letters != 0) {
		known = letters_known(folder, flags, keywords, &missing);
	}
	for (int i = 0; !allot && i < keywords->count; i++) {
		known |= (flags & FLAG_KEYWORD(i)) != 0
			       ? letters_named(&folder->table, keywords->names[i])
			       : 0;
	}
	*letters = known;
	return 0;
}

int maildir_folder_grant(struct maildir_folder *folder, uint64_t flags,
			 const struct keywords *keywords, uint64_t *granted, struct err *err)
{
	uint64_t letters, missing = flags & ~FLAGS_SYSTEM;

	int code = maildir_table_letters(folder, flags, keywords, true, &letters, err);
	if (code == 0 && folder->maildir->has_keywords && keywords) {
		(void)letters_known(folder, flags, keywords, &missing);
	}
	if (code == 0) {
		*granted = flags & ~missing;
	}
	return code;
}

uint64_t maildir_table_meant(const struct maildir_folder *folder)
{
	const struct maildir_table *table = &folder->table;
	uint64_t letters = 0;

	for (int i = 0; i < MAILDIR_LETTERS; i++) {
		if (table->names[i] != NULL || table->others[i] != NULL) {
			letters |= maildir_letter((char)('a' + i));
		}
	}
	return letters;
}

uint64_t maildir_table_lettered(const struct maildir_folder *folder,
				const struct keywords *keywords)
{
	uint64_t result = 0;

	for (int i = 0; i < keywords->count && folder->maildir->has_keywords; i++) {
		if (maildir_table_find(&folder->table, keywords->names[i]) >= 0) {
			result |= FLAG_KEYWORD(i);
		}
	}
	return result;
}

uint64_t maildir_table_told(const struct maildir_folder *folder, const struct keywords *keywords)
{
	uint64_t result = maildir_table_lettered(folder, keywords);

	for (int i = 0; i < keywords->count && result != 0; i++) {
		int letter = maildir_table_find(&folder->table, keywords->names[i]);
		if (letter >= 0 && (folder->table.doubted >> letter & 1) != 0) {
			result &= ~FLAG_KEYWORD(i);
		}
	}
	return result;
}

void maildir_folder_know_borne(struct maildir_folder *folder, uint32_t borne)
{
	folder->table.borne = borne;
	folder->table.knows_borne = true;
}

/* Letters that have a line in the file, of whatever kind, or are remembered. */
static uint32_t letters_taken(const struct maildir_table *table)
{
	uint32_t taken = table->lined;

	for (int i = 0; i < MAILDIR_LETTERS; i++) {
		taken |= table->names[i] != NULL ? UINT32_C(1) << i : 0;
	}
	return taken;
}

int maildir_table_free(struct maildir_folder *folder, uint32_t *letters, struct err *err)
{
	struct maildir_table *table = &folder->table;
	const uint32_t all = (UINT32_C(1) << MAILDIR_LETTERS) - 1;

	*letters = all & ~letters_taken(table);
	if (*letters != 0 && !table->knows_borne) {
		int code = maildir_letters_borne(folder, &table->borne, err);
		if (code < 0) {
			return code;
		}
		table->knows_borne = true;
	}
	*letters &= ~table->borne;
	return 0;
}

int maildir_table_take_free(const struct maildir_folder *folder, uint32_t *letters)
{
	int next = folder->table.next;

	for (int i = 0; i < MAILDIR_LETTERS; i++) {
		int letter = (next + i) % MAILDIR_LETTERS;
		if ((*letters >> letter & 1) != 0) {
			*letters &= ~(UINT32_C(1) << letter);
			return letter;
		}
	}
	return -1;
}

int maildir_folder_keyword_mask(struct maildir_folder *folder, const struct keywords *keywords,
				uint64_t *mask, struct err *err)
{
	uint32_t letters = 0;
	bool has_read = false;

	int code = maildir_table_refresh(folder, err);
	if (code < 0) {
		return code;
	}
	uint64_t result = maildir_table_lettered(folder, keywords);
	/* A table that cannot be read or written now is tried again. */
	for (int i = 0; i < keywords->count && folder->maildir->has_keywords; i++) {
		if ((result & FLAG_KEYWORD(i)) != 0 ||
		    maildir_table_is_other(folder, keywords->names[i])) {
			continue;
		}
		if (!has_read && (code = maildir_table_free(folder, &letters, err)) < 0) {
			return code;
		}
		has_read = true;
		if (maildir_table_take_free(folder, &letters) < 0) {
			break;
		}
		result |= FLAG_KEYWORD(i);
	}
	*mask = result;
	return 0;
}
