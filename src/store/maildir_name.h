/*
 * Maildir file names: `unique[,fields]:2,LETTERS`. Pure: no disk. Letters travel as a set, bits 0
 * to 25 for A to Z, 26 to 51 for a to z.
 */
#ifndef MAILSYNC_STORE_MAILDIR_NAME_H
#define MAILSYNC_STORE_MAILDIR_NAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mailsync/base/err.h"
#include "mailsync/store/maildir.h"

struct maildir_name {
	size_t unique_len;  /* to the first `,` or `:`; but all of the base where what follows is
			    * nothing that a mail program puts there ("Invoice, 2019.eml") */
	size_t base_len;    /* all before the info part's delimiter */
	bool has_info;      /* a delimiter and "2,"; other kinds belong to the base */
	bool is_garbled;    /* the info part is another one, or has more than letters in it */
	size_t letters_len; /* of the letters behind "2,", up to a `,` or the end */
	size_t len;
};

/* DELIMITER is known beside ':'. */
void maildir_name_parse(const char *file, char delimiter, struct maildir_name *name);

/* enum maildir_tells. */
uint8_t maildir_name_tells(const struct maildir_name *name, bool in_new);

/* How long the name is to the first `,` or `:`. */
size_t maildir_name_stem(const char *file, char delimiter);

/* The bit of a letter, 0 for anything else. */
uint64_t maildir_letter(char letter);
/* The letters of a parsed name. */
uint64_t maildir_name_letters(const char *file, const struct maildir_name *name);
uint64_t maildir_letters_of_system(uint64_t flags);
uint64_t maildir_system_of_letters(uint64_t letters);

/* FILE with its letters changed, everything else as it was; letters come out sorted. */
int maildir_name_change(const char *file, char delimiter, const uint64_t letters[2],
			char out[MAILDIR_NAME_MAX + 1], struct err *err);
/* UNIQUE with LETTERS: without any the plain name. */
int maildir_name_make(const char *unique, char delimiter, uint64_t letters,
		      char out[MAILDIR_NAME_MAX + 1], struct err *err);

/* Refuses what could leave the directory or is hidden: -ERR_PARTIAL. */
int maildir_name_check(const char *file, struct err *err);

#endif
