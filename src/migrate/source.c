#include "source.h"

#include <stdlib.h>
#include <string.h>

#include "mailsync/base/array.h"
#include "mailsync/base/buf.h"
#include "mailsync/base/secret.h"

#define VALUE_MAX   (1024 * 1024)
#define ENTRIES_MAX 1024

void source_init(struct source *source)
{
	*source = (struct source){0};
}

/* Any value may be a password. */
static void section_finish(struct section *section)
{
	for (size_t i = 0; i < section->count; i++) {
		struct entry *entry = &section->entries[i];
		secret_wipe(entry->value, strlen(entry->value));
		free(entry->key);
		free(entry->value);
	}
	free(section->entries);
	free(section->kind);
	free(section->name);
}

void source_finish(struct source *source)
{
	for (size_t i = 0; i < source->count; i++) {
		section_finish(&source->sections[i]);
	}
	free(source->sections);
	source_init(source);
}

/* A copy of TEXT, up to a NUL, in lower case where IS_LOWER. */
static char *copy(struct span text, bool is_lower)
{
	const char *end = text.len > 0 ? memchr(text.data, '\0', text.len) : NULL;
	struct span head = {text.data, end ? (size_t)(end - text.data) : text.len};
	char *made = span_dup(head);

	for (char *c = made; c && is_lower && *c; c++) {
		*c = *c >= 'A' && *c <= 'Z' ? (char)(*c - 'A' + 'a') : *c;
	}
	return made;
}

int source_add_section(struct source *source, int line, struct span kind, struct span name,
		       struct err *err)
{
	struct section section = {line, copy(kind, true), copy(span_trim(name), false), NULL, 0, 0,
				  false};

	if (!section.kind || !section.name ||
	    ARRAY_RESERVE(&source->sections, source->count + 1, &source->cap, err) < 0) {
		free(section.kind);
		free(section.name);
		return err_nomem(err);
	}
	source->sections[source->count++] = section;
	return 0;
}

static int section_add(struct section *section, int line, struct span key, struct span value,
		       struct err *err)
{
	struct entry entry = {line,  copy(key, true), copy(span_trim(value), false),
			      false, false,           false};

	if (!entry.key || !entry.value ||
	    ARRAY_RESERVE(&section->entries, section->count + 1, &section->cap, err) < 0) {
		free(entry.key);
		free(entry.value);
		return err_nomem(err);
	}
	section->entries[section->count++] = entry;
	return 0;
}

int source_add(struct source *source, int line, struct span key, struct span value, struct err *err)
{
	return section_add(&source->sections[source->count - 1], line, key, value, err);
}

int source_copy_entries(struct source *source, size_t from, struct err *err)
{
	const struct section *section = &source->sections[source->count - 1];
	int code = 0;

	for (size_t i = 0;
	     i < source->sections[from].count && code == 0 && section->count < ENTRIES_MAX; i++) {
		const struct entry *entry = &source->sections[from].entries[i];
		code = source_add(source, entry->line, span_of(entry->key), span_of(entry->value),
				  err);
	}
	return code;
}

/* --- lines --- */

/* Takes a line, without its end, off TEXT. */
static struct span take_line(struct span *text)
{
	const char *end = memchr(text->data, '\n', text->len);
	size_t len = end ? (size_t)(end - text->data) : text->len;
	struct span line = {text->data, len};

	text->data += len + (end != NULL);
	text->len -= len + (end != NULL);
	line.len -= line.len > 0 && line.data[line.len - 1] == '\r';
	return line;
}

/* What stands before the first of SIGNS. */
static struct span head_of(struct span line, const char *signs)
{
	size_t len = 0;

	while (len < line.len && (line.data[len] == '\0' || !strchr(signs, line.data[len]))) {
		len++;
	}
	return (struct span){line.data, len};
}

static struct span behind(struct span line, size_t len)
{
	len = len < line.len ? len : line.len;
	return (struct span){line.data + len, line.len - len};
}

/* --- words --- */

static bool is_kind(struct span word, const char *const *kinds)
{
	for (; *kinds; kinds++) {
		if (span_equal_nocase(word, *kinds)) {
			return true;
		}
	}
	return false;
}

int source_read_words(struct source *source, struct span text, const char *const *kinds,
		      bool ends_at_blank, struct err *err)
{
	int code = source_add_section(source, 0, SPAN_LIT(""), SPAN_LIT(""), err);
	size_t at = 0; /* the section that is open */

	for (int line = 1; code == 0 && text.len > 0; line++) {
		struct span whole = span_trim(take_line(&text));
		struct span word = head_of(whole, " \t");
		struct span rest = behind(whole, word.len);
		/* A group's line "Channel NAME" opens none. */
		bool is_member = strcmp(source->sections[at].kind, "group") == 0 &&
				 span_equal_nocase(word, "channel");
		if (whole.len == 0 || whole.data[0] == '#') {
			at = whole.len == 0 && ends_at_blank ? 0 : at;
		} else if (is_kind(word, kinds) && !is_member) {
			code = source_add_section(source, line, word, rest, err);
			at = source->count - 1;
		} else {
			code = section_add(&source->sections[at], line, word, rest, err);
		}
	}
	return code;
}

bool source_next_word(struct span *rest, struct buf *word)
{
	bool is_quoted = false, is_escaped = false;
	size_t at = 0;

	while (at < rest->len && (rest->data[at] == ' ' || rest->data[at] == '\t')) {
		at++;
	}
	if (at == rest->len || rest->data[at] == '#') {
		*rest = behind(*rest, rest->len);
		return false;
	}
	for (; at < rest->len; at++) {
		char sign = rest->data[at];
		bool is_blank = sign == ' ' || sign == '\t';
		if (is_blank && !is_quoted && !is_escaped) {
			break;
		}
		if (is_escaped || (sign != '\\' && sign != '"')) {
			buf_append_char(word, sign);
			is_escaped = false;
		} else if (sign == '\\') {
			is_escaped = true;
		} else {
			is_quoted = !is_quoted;
		}
	}
	*rest = behind(*rest, at);
	return true;
}

/* --- configparser --- */

static int open_section(struct source *source, int line, struct span head, struct err *err)
{
	struct span kind = head_of(head, " \t");
	/* [general], and [Account work] */
	return source_add_section(source, line, kind, behind(head, kind.len), err);
}

/* The entry that was read last in the open section, or NULL. */
static struct entry *last_entry(const struct source *source)
{
	const struct section *section = &source->sections[source->count - 1];
	return section->count > 0 ? &section->entries[section->count - 1] : NULL;
}

/* A line that goes on with the value of ENTRY, behind a blank. */
static int go_on(struct entry *entry, struct span more, struct err *err)
{
	struct buf whole;

	buf_init(&whole, VALUE_MAX);
	buf_printf(&whole, "%s%s", entry->value, *entry->value ? " " : "");
	buf_append_span(&whole, more);
	int code = buf_status(&whole, "a value", err);
	if (code == 0) {
		secret_wipe(entry->value, strlen(entry->value));
		free(entry->value);
		entry->value = buf_steal(&whole);
	}
	buf_finish_secret(&whole);
	return code;
}

/* What AT does not say by itself, of section FROM. */
static int take_defaults(struct section *at, const struct section *from, struct err *err)
{
	int code = 0;

	for (size_t i = 0; i < from->count && code == 0 && at->count < ENTRIES_MAX; i++) {
		const struct entry *entry = &from->entries[i];
		if (section_look(at, entry->key)) {
			continue;
		}
		code = section_add(at, entry->line, span_of(entry->key), span_of(entry->value),
				   err);
		if (code == 0) {
			at->entries[at->count - 1].is_default = true;
		}
	}
	return code;
}

/* [DEFAULT] is for all sections. */
static int spread_defaults(struct source *source, struct err *err)
{
	const struct section *defaults = source_find(source, "default", "");
	int code = 0;

	for (size_t i = 1; defaults && i < source->count && code == 0; i++) {
		if (&source->sections[i] != defaults) {
			code = take_defaults(&source->sections[i], defaults, err);
		}
	}
	return code;
}

int source_read_ini(struct source *source, struct span text, struct err *err)
{
	int code = source_add_section(source, 0, SPAN_LIT(""), SPAN_LIT(""), err);
	size_t indent = 0; /* of the last line that did not go on: all of a section may have one */

	for (int line = 1; code == 0 && text.len > 0; line++) {
		struct span whole = take_line(&text);
		struct span words = span_trim(whole);
		if (words.len == 0 || words.data[0] == '#' || words.data[0] == ';') {
			continue;
		}
		size_t blanks = (size_t)(words.data - whole.data);
		bool goes_on = last_entry(source) != NULL && blanks > indent;
		indent = goes_on ? indent : blanks;
		if (goes_on) {
			code = go_on(last_entry(source), words, err);
		} else if (words.data[0] == '[') {
			code = open_section(source, line, head_of(behind(words, 1), "]"), err);
		} else {
			struct span key = head_of(words, "=:");
			code = source_add(source, line, span_trim(key), behind(words, key.len + 1),
					  err);
		}
	}
	return code < 0 ? code : spread_defaults(source, err);
}

/* --- what is in it --- */

struct section *source_find(const struct source *source, const char *kind, const char *name)
{
	for (size_t i = 0; i < source->count; i++) {
		struct section *section = &source->sections[i];
		if (strcmp(section->kind, kind) == 0 &&
		    (!name || strcmp(section->name, name) == 0)) {
			return section;
		}
	}
	return NULL;
}

const struct entry *section_look(const struct section *section, const char *key)
{
	const struct entry *found = NULL;

	for (size_t i = 0; section && i < section->count; i++) {
		if (strcmp(section->entries[i].key, key) == 0) {
			found = &section->entries[i];
		}
	}
	return found;
}

void section_again(struct section *section)
{
	for (size_t i = 0; i < section->count; i++) {
		section->entries[i].is_taken = false;
	}
	section->is_taken = true;
}

const struct entry *section_take(struct section *section, const char *key)
{
	for (size_t i = 0; section && i < section->count; i++) {
		if (strcmp(section->entries[i].key, key) == 0) {
			section->entries[i].is_taken = true;
		}
	}
	return section_look(section, key);
}

bool source_has_taken(const struct source *source, const char *key)
{
	for (size_t i = 0; i < source->count; i++) {
		const struct entry *entry = section_look(&source->sections[i], key);
		if (entry && (entry->is_taken || entry->is_referred)) {
			return true;
		}
	}
	return false;
}

const char *section_value(const struct section *section, const char *key)
{
	const struct entry *entry = section_look(section, key);
	return entry ? entry->value : NULL;
}

bool section_take_word(struct section *section, const char *key, struct buf *word, int *line)
{
	const struct entry *entry = section_take(section, key);
	struct span rest = span_of(entry ? entry->value : "");

	*line = entry_line(entry);
	return source_next_word(&rest, word) && word->failed == 0;
}

/* --- values --- */

int entry_line(const struct entry *entry)
{
	return entry ? entry->line : 0;
}

static bool is_one_of(const char *value, const char *const *words)
{
	return is_kind(span_of(value), words);
}

bool source_is_yes(const char *value)
{
	static const char *const words[] = {"yes", "on", "true", "1", NULL};
	return value && is_one_of(value, words);
}

bool source_is_no(const char *value)
{
	static const char *const words[] = {"no", "off", "false", "0", NULL};
	return value && is_one_of(value, words);
}

bool entry_is_yes(const struct entry *entry)
{
	return entry && source_is_yes(entry->value);
}

bool entry_is_no(const struct entry *entry)
{
	return entry && source_is_no(entry->value);
}
