/*
 * The folder's table of keyword letters: Dovecot's `dovecot-keywords`, lines of `<number> <name>`,
 * number 0 is letter a.
 */
#ifndef MAILSYNC_STORE_MAILDIR_KEYWORDS_H
#define MAILSYNC_STORE_MAILDIR_KEYWORDS_H

#include <sys/stat.h>

#include "maildir_private.h"

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

#endif
