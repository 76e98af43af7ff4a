/*
 * Reading text cases: files *.case, each of one family of rules.
 *
 *   family NAME                       first, once; without it the file is of the messages' rules
 *   case R13 a title, with the numbers of the rules
 *   WORD words...                     what the family says
 *
 * Empty lines and those that begin with # are left out.
 */
#ifndef CASES_H
#define CASES_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mailsync/base/side.h"
#include "mailsync/model/row.h"

#define CASE_LINE_MAX 512

/* What a family does with a case. SCENARIO is its own; begin() makes it empty. */
struct case_family {
	const char *name; /* NULL: the messages' rules */
	void *scenario;
	void (*begin)(void *scenario, const char *title);
	/* A line but "case": its first word and what follows. False: unknown syntax. */
	bool (*line)(void *scenario, const char *word, char *rest);
	void (*end)(void *scenario);
};

static const char case_letters[] = "DFPRSTabcdefghijklmnopqrstuvwxyz";

/* Cuts the next word off *REST; NULL at the end. */
static inline char *case_next_word(char **rest)
{
	char *word = *rest + strspn(*rest, " ");
	size_t len = strcspn(word, " ");

	if (len == 0) {
		return NULL;
	}
	*rest = word + len;
	if (**rest != '\0') {
		*(*rest)++ = '\0';
	}
	return word;
}

/* Splits "key=value"; VALUE is "" without one. */
static inline char *case_value(char *word)
{
	char *equals = strchr(word, '=');

	if (equals == NULL) {
		return word + strlen(word);
	}
	*equals = '\0';
	return equals + 1;
}

static inline bool case_read_flags(const char *text, uint64_t *flags)
{
	uint64_t result = 0;

	for (; *text != '\0'; text++) {
		const char *at = strchr(case_letters, *text);
		if (at == NULL) {
			return false;
		}
		result |= UINT64_C(1) << (at - case_letters);
	}
	*flags = result;
	return true;
}

/* One side of a row: "-" not there, "!" gone, "=" there without flags, else letters. */
static inline bool case_read_presence(const char *text, enum presence *side, uint64_t *flags)
{
	*flags = 0;
	if (strcmp(text, "-") == 0 || strcmp(text, "!") == 0) {
		*side = text[0] == '-' ? MESSAGE_ABSENT : MESSAGE_GONE;
		return true;
	}
	*side = MESSAGE_PRESENT;
	return strcmp(text, "=") == 0 || case_read_flags(text, flags);
}

static inline bool case_read_sides(const char *text, enum side *sides)
{
	static const char *const names[] = {"none", "local", "remote", "both"};

	for (unsigned i = 0; i < 4; i++) {
		if (strcmp(text, names[i]) == 0) {
			*sides = (enum side)i;
			return true;
		}
	}
	return false;
}

/* A row's words: BASE LOCAL REMOTE, then key=value. */
static inline bool case_read_row(struct row *row, char *rest)
{
	enum presence base = MESSAGE_ABSENT;
	const char *sides[3];

	for (size_t i = 0; i < 3; i++) {
		sides[i] = case_next_word(&rest);
		if (sides[i] == NULL) {
			return false;
		}
	}
	if (!case_read_presence(sides[0], &base, &row->flags) || base == MESSAGE_GONE ||
	    !case_read_presence(sides[1], &row->local, &row->local_flags) ||
	    !case_read_presence(sides[2], &row->remote, &row->remote_flags)) {
		return false;
	}
	row->is_agreed = base == MESSAGE_PRESENT;
	for (char *word = case_next_word(&rest); word != NULL; word = case_next_word(&rest)) {
		char *value = case_value(word);
		if (strcmp(word, "size") == 0) {
			row->size = told_unless_0(strtoull(value, NULL, 10));
		} else if (strcmp(word, "date") == 0) {
			row->date = told_time(strtoll(value, NULL, 10));
			row->date.is_told = row->date.seconds != 0;
		} else if (strcmp(word, "reason") == 0 && strcmp(value, "ambiguous") == 0) {
			row->reason = REASON_AMBIGUOUS;
		} else if (strcmp(word, "reason") == 0 && strcmp(value, "unidentified") == 0) {
			row->reason = REASON_UNIDENTIFIED;
		} else if (strcmp(word, "reason") == 0 && strcmp(value, "brake") == 0) {
			row->reason = REASON_BRAKE;
		} else if (strcmp(word, "reason") == 0 && strcmp(value, "unseen") == 0) {
			row->reason = REASON_UNSEEN;
		} else if (strcmp(word, "held") == 0 && strcmp(value, "removal") == 0) {
			row->held |= HELD_REMOVAL;
		} else if (strcmp(word, "held") == 0 && strcmp(value, "flags") == 0) {
			row->held |= HELD_FLAGS;
		} else {
			return false;
		}
	}
	return true;
}

struct case_file {
	const char *path;
	unsigned number; /* of the line */
	size_t cases;
};

static inline void case_take_line(const struct case_family *family, struct case_file *file,
				  char *line)
{
	char copy[CASE_LINE_MAX];
	char title[2 * CASE_LINE_MAX];
	char *rest = line;

	memcpy(copy, line, sizeof(copy));
	const char *word = case_next_word(&rest);
	if (word == NULL || word[0] == '#') {
		return;
	}
	if (strcmp(word, "case") == 0) {
		if (file->cases++ > 0) {
			family->end(family->scenario);
		}
		snprintf(title, sizeof(title), "%.200s:%u: %s", file->path, file->number, rest);
		family->begin(family->scenario, title);
	} else if (file->cases == 0 || !family->line(family->scenario, word, rest)) {
		fail_msg("%s:%u: cannot read: %s", file->path, file->number, copy);
	}
}

/* Its cases; 0 where it is another family's. */
static inline size_t case_run_file(const struct case_family *family, const char *path)
{
	struct case_file file = {.path = path};
	char line[CASE_LINE_MAX] = "";
	bool is_ours = family->name == NULL;
	FILE *stream = fopen(path, "r");

	if (stream == NULL) {
		fail_msg("cannot open %s", path);
		return 0;
	}
	while (fgets(line, sizeof(line), stream) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		if (file.number++ == 0 && strncmp(line, "family ", 7) == 0) {
			is_ours = family->name != NULL && strcmp(line + 7, family->name) == 0;
		} else if (is_ours) {
			case_take_line(family, &file, line);
		}
		if (!is_ours) {
			break;
		}
	}
	if (file.cases > 0) {
		family->end(family->scenario);
	}
	fclose(stream);
	return file.cases;
}

/* All cases of FAMILY in the files of DIR; how many there are. */
static inline size_t case_run_all(const struct case_family *family, const char *dir)
{
	const struct dirent *entry;
	size_t cases = 0;
	char path[CASE_LINE_MAX];
	DIR *stream = opendir(dir);

	if (stream == NULL) {
		fail_msg("no directory %s", dir);
		return 0;
	}
	while ((entry = readdir(stream)) != NULL) {
		size_t len = strlen(entry->d_name);
		if (len > 5 && strcmp(entry->d_name + len - 5, ".case") == 0) {
			snprintf(path, sizeof(path), "%s/%.200s", dir, entry->d_name);
			cases += case_run_file(family, path);
		}
	}
	closedir(stream);
	print_message("%zu cases\n", cases);
	return cases;
}

#endif
