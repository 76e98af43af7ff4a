/*
 * The folder's table of keyword letters: Dovecot's `dovecot-keywords`, lines of `<number> <name>`,
 * number 0 is letter a.
 */
#ifndef MAILSYNC_STORE_MAILDIR_KEYWORDS_H
#define MAILSYNC_STORE_MAILDIR_KEYWORDS_H

#include <sys/stat.h>

#include "maildir_private.h"

#define TABLE_FILE     "dovecot-keywords"
#define TABLE_LOCK     "dovecot-keywords.lock"
#define TABLE_SIZE_MAX 65536

/* maildir_keywords.c: reading */

/* A line of the file; its text is without line end. */
struct maildir_table_line {
	struct span text;
	int letter; /* -1: it is no line "<number> <name>" */
	struct span name;
	bool has_cr;
	bool has_end;
};
/* The next one of TEXT, which is shortened by it. */
bool maildir_table_next_line(struct span *text, struct maildir_table_line *line);
void maildir_table_clear(struct maildir_table *table);
/* Into a table that is empty. */
int maildir_table_parse(struct maildir_table *table, struct span text, struct err *err);
/* Reads the file whatever is known of it, its text into OUT. */
int maildir_table_read(struct maildir_folder *folder, struct buf *out, struct err *err);
/* The number of NAME, or -1. */
int maildir_table_find(const struct maildir_table *table, const char *name);
/* The letters that mean something, or did. */
uint64_t maildir_table_meant(const struct maildir_folder *folder);
/* The keywords that have a letter. */
uint64_t maildir_table_lettered(const struct maildir_folder *folder,
				const struct keywords *keywords);
/* Of these, those that a file without the letter does not have. */
uint64_t maildir_table_told(const struct maildir_folder *folder, const struct keywords *keywords);
/* Whether the file gives NAME to a letter that is remembered under another one. */
bool maildir_table_is_other(const struct maildir_folder *folder, const char *name);
/* The letters that may be given to new keywords, by bits. */
int maildir_table_free(struct maildir_folder *folder, uint32_t *letters, struct err *err);
/* The next one of them to be given, which is taken out; -1: there is none. */
int maildir_table_take_free(const struct maildir_folder *folder, uint32_t *letters);
void maildir_table_finish(struct maildir_table *table);
/* Removes the table's lock when it is LEFTOVER, a file of a dead run's in tmp/. */
void maildir_table_sweep(struct maildir_folder *folder, const struct stat *leftover);
/* Reads the file again when it changed. */
int maildir_table_refresh(struct maildir_folder *folder, struct err *err);
/* The flag of a lower-case letter, its name interned in KEYWORDS; 0 without one. */
uint64_t maildir_table_flag(const struct maildir_folder *folder, char letter,
			    struct keywords *keywords);
/* The letters (maildir_name.h) of the keywords in FLAGS; with ALLOT, new ones are entered in the
 * file while there is room. A keyword without a letter is left out. */
int maildir_table_letters(struct maildir_folder *folder, uint64_t flags,
			  const struct keywords *keywords, bool allot, uint64_t *letters,
			  struct err *err);

/* maildir_letters.c: which letters the files of the folder bear, by bits. */
int maildir_letters_borne(struct maildir_folder *folder, uint32_t *borne, struct err *err);

/* maildir_keywords_write.c: puts back what is lost, and enters the keywords of FLAGS. */
int maildir_table_allot(struct maildir_folder *folder, uint64_t flags,
			const struct keywords *keywords, struct err *err);

/* maildir_memory.c */

/* What is said once of a folder, however often it is opened: of a letter (0 to 25) that is called
 * otherwise, and: */
enum maildir_telling {
	MAILDIR_TELLS_BARRED = MAILDIR_LETTERS, /* that its table cannot be read */
	MAILDIR_TELLS_LOCKED,                   /* that another program holds its lock */
	MAILDIR_TELLS_DOUBLES                   /* which of its files are second names */
};
/* Whether it was not said yet; it is now. */
bool maildir_tells_first(struct maildir_folder *folder, int what);

/* Joins the table as it was read with what is remembered, and remembers what is new in it. */
int maildir_table_join(struct maildir_folder *folder, struct err *err);

#endif
