/*
 * A foreign configuration as sections of entries. Who takes an entry marks it; what nobody took is
 * told at the end (facts.h), so that nothing is passed over in silence.
 */
#ifndef MAILSYNC_MIGRATE_SOURCE_H
#define MAILSYNC_MIGRATE_SOURCE_H

#include <stdbool.h>
#include <stddef.h>

#include "mailsync/base/buf.h"
#include "mailsync/base/err.h"
#include "mailsync/base/span.h"

struct entry {
	int line;
	char *key;   /* lower case */
	char *value; /* without blanks at its ends */
	bool is_taken;
	bool is_default;  /* it stands in a section for all others */
	bool is_referred; /* another value has it in it: of use, whatever its name */
};

struct section {
	int line;
	char *kind; /* lower case: "channel", "repository"; "" of what stands before all sections */
	char *name; /* "" */
	struct entry *entries;
	size_t count, cap;
	bool is_taken; /* it belongs to an account; else it is told that nobody needs it */
};

struct source {
	struct section *sections;
	size_t count, cap;
};

void source_init(struct source *source);
void source_finish(struct source *source);

/* A section behind all others. */
int source_add_section(struct source *source, int line, struct span kind, struct span name,
		       struct err *err);
/* An entry of the last section. */
int source_add(struct source *source, int line, struct span key, struct span value,
	       struct err *err);

/* mbsync's and mpop's way: WORD REST, "#" begins a comment. A line whose word is one of KINDS
 * (NULL ends them) opens a section; where ENDS_AT_BLANK, an empty line ends it, and what comes then
 * belongs to the first section. */
int source_read_words(struct source *source, struct span text, const char *const *kinds,
		      bool ends_at_blank, struct err *err);
/* Python's configparser's way: [KIND NAME], KEY = VALUE or KEY: VALUE; lines that begin further to
 * the right than their key go on. What [DEFAULT] says, all sections say that do not themselves. */
int source_read_ini(struct source *source, struct span text, struct err *err);

/* The first section of that kind and, where it is not NULL, name (case counts there); else NULL. */
struct section *source_find(const struct source *source, const char *kind, const char *name);
/* Takes all entries of KEY; the last one, which is the one that holds, or NULL. */
const struct entry *section_take(struct section *section, const char *key);
/* All entries are there again, for another account; the section itself is taken. */
void section_again(struct section *section);
/* The same, without a mark. */
const struct entry *section_look(const struct section *section, const char *key);
/* An entry of KEY was taken, or another value has it in it, in whichever section. */
bool source_has_taken(const struct source *source, const char *key);
/* Its value, or NULL; not marked. */
const char *section_value(const struct section *section, const char *key);

/* Its line, or 0; whether its value says yes, or no. NULL: not there. */
int entry_line(const struct entry *entry);
bool entry_is_yes(const struct entry *entry);
bool entry_is_no(const struct entry *entry);

/* The last section has the entries of section FROM, too; of an account no more than a bound, since
 * the other program's sections may take over each other's. */
int source_copy_entries(struct source *source, size_t from, struct err *err);

/* Takes a word off *REST, blanks before it left out, quotes and backslashes taken off as mbsync
 * does; false at the end or a comment. WORD is empty before. */
bool source_next_word(struct span *rest, struct buf *word);
/* Takes KEY: the first word of its value, and its line, 0 where it is not there. False: no word.
 * WORD is empty before. */
bool section_take_word(struct section *section, const char *key, struct buf *word, int *line);

/* yes, on, true, 1; other words are not. */
bool source_is_yes(const char *value);
bool source_is_no(const char *value);

#endif
