/*
 * The file as text: its sections, and their entries with known keys, each with its line. inih
 * splits the lines; the reader that hands them to it counts them, keeps sections whole (inih
 * cuts their names at 49 bytes) and notices what inih would swallow: lines too long, lines that
 * are no "key = value". Values are not looked at here.
 */
#ifndef MAILSYNC_CONF_SOURCE_H
#define MAILSYNC_CONF_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "mailsync/conf/conf.h"
#include "conf_keys.h"

enum conf_section_kind {
	CONF_SECTION_BAD,
	CONF_SECTION_DEFAULTS,
	CONF_SECTION_ACCOUNT,
	CONF_SECTION_PROVIDER
};

struct conf_section {
	enum conf_section_kind kind;
	char *name;   /* of an account or provider, owned; NULL else */
	int line;     /* 0: of a provider that is built in */
	bool is_twin; /* a section before it is the same */
};

struct conf_entry {
	size_t section; /* index */
	const struct conf_key *key;
	char *value; /* owned, wiped when freed: it may be a password */
	int line;    /* 0: built in */
};

struct conf_source {
	const char *path; /* borrowed, for messages */
	struct conf_errors *errors;
	bool out_of_memory;
	struct conf_section *sections;
	size_t section_count;
	size_t section_cap;
	struct conf_entry *entries; /* those of a section stand together, in the sections' order */
	size_t entry_count;
	size_t entry_cap;
};

void conf_source_init(struct conf_source *source, const char *path, struct conf_errors *errors);
void conf_source_finish(struct conf_source *source);
/* Reads all of STREAM. Complaints go to the errors. */
int conf_source_read(struct conf_source *source, FILE *stream, struct err *err);
/* Where the entries of SECTION begin, and end: the first behind them. */
size_t conf_source_begin(const struct conf_source *source, size_t section);
size_t conf_source_end(const struct conf_source *source, size_t section);
/* The entry of KEY in a section, or NULL. */
const struct conf_entry *conf_source_find(const struct conf_source *source, size_t section,
					  const struct conf_key *key);
/* Adds a provider that is built in, as a section without lines. */
int conf_source_add_provider(struct conf_source *source, const struct provider *provider,
			     size_t *section, struct err *err);
/* Complains that an entry's value is no good; WHAT_IS_GOOD says what would be. A secret is not
 * repeated. */
void conf_source_complain_of_value(struct conf_source *source, const struct conf_entry *entry,
				   const char *what_is_good);
/* Adds "PATH:LINE: ..." to the errors (LINE 0: "PATH: ..."). */
void conf_source_complain(struct conf_source *source, int line, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
