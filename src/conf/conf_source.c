#include "conf_source.h"

#include <ini.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "mailsync/base/array.h"
#include "mailsync/conf/nearest.h"

/*
 * Debian exports inih's settings as variables (tests/rig/configure finds out). Where they are
 * fixed, lines are limited by them, and " ;" in a line is an error.
 */
#ifdef MAILSYNC_INIH_VARIABLES
#define LINE_SIZE 16384
#else
#define LINE_SIZE INI_MAX_LINE
#endif
#define LINE_ROOM (LINE_SIZE - 3) /* inih: "3 more than the longest line" */

#define ITEMS_MAX  100000 /* sections or entries of a file */
#define NO_SECTION ((size_t)-1)

/* One pass over the file. */
struct pass {
	struct conf_source *source;
	FILE *stream;
	int line;
	size_t section;     /* index; NO_SECTION before the first */
	bool expects_entry; /* inih was given a line that has to come back as an entry */
};

void conf_source_init(struct conf_source *source, const char *path, struct conf_errors *errors)
{
	memset(source, 0, sizeof(*source));
	source->path = path;
	source->errors = errors;
}

void conf_source_finish(struct conf_source *source)
{
	for (size_t i = 0; i < source->section_count; i++) {
		free(source->sections[i].name);
	}
	free(source->sections);
	for (size_t i = 0; i < source->entry_count; i++) {
		secret_wipe(source->entries[i].value, strlen(source->entries[i].value));
		free(source->entries[i].value);
	}
	free(source->entries);
	conf_source_init(source, NULL, NULL);
}

void conf_source_complain(struct conf_source *source, int line, const char *format, ...)
{
	struct err where, what;
	char text[ERR_TEXT_SIZE];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	err_set(&what, ERR_CONFIG, SCOPE_RUN, "%s", text);
	if (line > 0) {
		err_set(&where, ERR_CONFIG, SCOPE_RUN, "%s:%d: %s", source->path, line, what.text);
	} else {
		err_set(&where, ERR_CONFIG, SCOPE_RUN, "%s: %s", source->path, what.text);
	}
	struct conf_errors *errors = source->errors;
	char *copy = span_dup(span_of(where.text));
	if (!copy || ARRAY_RESERVE(&errors->items, errors->count + 1, &errors->cap, &what) < 0) {
		free(copy);
		source->out_of_memory = true;
		return;
	}
	errors->items[errors->count++] = (struct conf_error){line, copy};
}

void conf_source_complain_of_value(struct conf_source *source, const struct conf_entry *entry,
				   const char *what_is_good)
{
	/* A proxy's URL may name a user and his password. */
	bool is_secret =
		entry->key->type == CONF_TYPE_SECRET || entry->key->type == CONF_TYPE_PROXY;

	conf_source_complain(source, entry->line, "%s%s%s: %s", entry->key->name,
			     is_secret ? "" : " = ", is_secret ? "" : entry->value, what_is_good);
}

size_t conf_source_begin(const struct conf_source *source, size_t section)
{
	size_t low = 0, high = source->entry_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (source->entries[middle].section < section) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	return low;
}

size_t conf_source_end(const struct conf_source *source, size_t section)
{
	return conf_source_begin(source, section + 1);
}

const struct conf_entry *conf_source_find(const struct conf_source *source, size_t section,
					  const struct conf_key *key)
{
	size_t i = conf_source_begin(source, section);

	for (; i < source->entry_count && source->entries[i].section == section; i++) {
		if (source->entries[i].key == key) {
			return &source->entries[i];
		}
	}
	return NULL;
}

static const char *const kind_words[] = {
	[CONF_SECTION_BAD] = "",
	[CONF_SECTION_DEFAULTS] = "defaults",
	[CONF_SECTION_ACCOUNT] = "account",
	[CONF_SECTION_PROVIDER] = "provider",
};

/* "[account work]" of a section, for messages. */
static void section_title(const struct conf_section *item, char *text, size_t size)
{
	if (item->name) {
		snprintf(text, size, "[%s %s]", kind_words[item->kind], item->name);
	} else {
		snprintf(text, size, "[%s]", kind_words[item->kind]);
	}
}

static bool is_name(const char *name)
{
	static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				      "0123456789._-";

	return *name && strlen(name) <= 100 && strspn(name, allowed) == strlen(name) &&
	       strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

/* Tells a second section of the same kind and name. */
static void find_twin(struct pass *pass, struct conf_section *section)
{
	struct conf_source *source = pass->source;
	char title[128];

	for (size_t i = 0; i < source->section_count && section->kind != CONF_SECTION_BAD; i++) {
		const struct conf_section *other = &source->sections[i];
		if (other->kind == section->kind &&
		    (!section->name || strcmp(other->name, section->name) == 0)) {
			section->is_twin = true;
			section_title(section, title, sizeof(title));
			conf_source_complain(source, section->line,
					     "section %s is there already, in line %d; "
					     "put the keys of both into one",
					     title, other->line);
			return;
		}
	}
}

/* Takes over SECTION (its name too). */
static bool source_add_section(struct conf_source *source, struct conf_section section)
{
	struct err err;

	if (source->section_count == ITEMS_MAX ||
	    ARRAY_RESERVE(&source->sections, source->section_count + 1, &source->section_cap,
			  &err) < 0) {
		free(section.name);
		source->out_of_memory = true;
		return false;
	}
	source->sections[source->section_count++] = section;
	return true;
}

/* An entry of the last section. */
static bool source_add_entry(struct conf_source *source, const struct conf_key *key,
			     const char *value, int line)
{
	char *copy = span_dup(span_of(value));
	struct err err;

	if (!copy || source->entry_count == ITEMS_MAX ||
	    ARRAY_RESERVE(&source->entries, source->entry_count + 1, &source->entry_cap, &err) <
		    0) {
		free(copy);
		source->out_of_memory = true;
		return false;
	}
	source->entries[source->entry_count++] =
		(struct conf_entry){source->section_count - 1, key, copy, line};
	return true;
}

int conf_source_add_provider(struct conf_source *source, const struct provider *provider,
			     size_t *section, struct err *err)
{
	char *name = span_dup(span_of(provider->name));
	bool is_whole =
		name && source_add_section(source, (struct conf_section){CONF_SECTION_PROVIDER,
									 name, 0, false});

	for (size_t i = 0; i < provider->count && is_whole; i++) {
		const struct provider_pair *pair = &provider->pairs[i];
		const struct conf_key *key = conf_key_find(pair->key);
		if (!key) {
			return err_set(err, ERR_INTERNAL, SCOPE_RUN, "provider %s has a key %s",
				       provider->name, pair->key);
		}
		is_whole = source_add_entry(source, key, pair->value, 0);
	}
	if (!is_whole) {
		return err_nomem(err);
	}
	*section = source->section_count - 1;
	return 0;
}

/* Takes over SECTION (its name too). */
static void pass_add_section(struct pass *pass, struct conf_section section)
{
	find_twin(pass, &section);
	if (source_add_section(pass->source, section)) {
		pass->section = pass->source->section_count - 1;
	}
}

static void complain_of_section(struct pass *pass, const char *title, const char *word)
{
	struct nearest nearest;

	nearest_init(&nearest, word);
	for (size_t i = CONF_SECTION_DEFAULTS; i <= CONF_SECTION_PROVIDER; i++) {
		nearest_offer(&nearest, kind_words[i]);
	}
	if (nearest.best) {
		bool has_name = strcmp(nearest.best, "defaults") != 0;
		conf_source_complain(pass->source, pass->line,
				     "unknown section [%s]; did you mean [%s%s]?", title,
				     nearest.best, has_name ? " NAME" : "");
	} else {
		conf_source_complain(pass->source, pass->line,
				     "unknown section [%s]; there are [defaults], [account NAME] "
				     "and [provider NAME]",
				     title);
	}
}

/* A section that bears a name: account or provider. */
static bool pass_name_section(struct pass *pass, struct conf_section *section,
			      enum conf_section_kind kind, const char *name)
{
	section->kind = kind;
	section->name = span_dup(span_of(name));
	pass->source->out_of_memory = pass->source->out_of_memory || !section->name;
	return section->name != NULL;
}

/* Reads a section's title, the text between the brackets. TITLE is changed. */
static void pass_read_title(struct pass *pass, char *title)
{
	struct conf_section section = {CONF_SECTION_BAD, NULL, pass->line, false};
	char whole[128];

	snprintf(whole, sizeof(whole), "%s", title);
	char *word = title + strspn(title, " \t");
	size_t word_len = strcspn(word, " \t");
	char *name = word + word_len;
	name += strspn(name, " \t");
	word[word_len] = '\0';
	for (size_t len = strlen(name); len > 0 && strchr(" \t", name[len - 1]); len--) {
		name[len - 1] = '\0';
	}
	bool is_account = strcmp(word, "account") == 0;
	bool has_name = is_account || strcmp(word, "provider") == 0;
	if (strcmp(word, "defaults") == 0 && !*name) {
		section.kind = CONF_SECTION_DEFAULTS;
	} else if (has_name && is_name(name)) {
		if (!pass_name_section(pass, &section,
				       is_account ? CONF_SECTION_ACCOUNT : CONF_SECTION_PROVIDER,
				       name)) {
			return;
		}
	} else if (has_name) {
		conf_source_complain(pass->source, pass->line,
				     "[%s] needs a name of letters, digits, '.', '_' and '-', "
				     "as in [%s work]",
				     whole, word);
	} else {
		complain_of_section(pass, whole, word);
	}
	pass_add_section(pass, section);
}

static void pass_read_section(struct pass *pass, char *line)
{
	char *end = strchr(line, ']');

	if (!end) {
		conf_source_complain(pass->source, pass->line, "a section's ']' is missing");
		pass_add_section(pass,
				 (struct conf_section){CONF_SECTION_BAD, NULL, pass->line, false});
		return;
	}
	const char *rest = end + 1 + strspn(end + 1, " \t\r\n");
	if (*rest && *rest != ';' && *rest != '#') {
		conf_source_complain(pass->source, pass->line,
				     "nothing may follow a section's ']'; put keys on lines of "
				     "their own");
	}
	*end = '\0';
	pass_read_title(pass, line + 1);
	*end = ']';
}

/* After each line: a line that should have been an entry and was none. */
static void pass_settle(struct pass *pass)
{
	if (pass->expects_entry) {
		pass->expects_entry = false;
		conf_source_complain(pass->source, pass->line, "not a 'key = value'");
	}
}

/* Whether LINE, but for its end, holds what belongs into no line of text. */
static bool has_control(const char *line)
{
	size_t len = strcspn(line, "\n");

	len -= len > 0 && line[len - 1] == '\r';
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)line[i];
		if ((c < ' ' && c != '\t') || c == 0x7F) {
			return true;
		}
	}
	return false;
}

/* Looks at one line on its way to inih. False: inih shall not see it. */
static bool pass_inspect(struct pass *pass, char *line, bool is_cut)
{
	bool is_blank = line[strspn(line, " \t\r\n")] == '\0';

	if (is_blank || *line == ';' || *line == '#') {
		return false;
	}
	if (is_cut) {
		conf_source_complain(pass->source, pass->line,
				     "a line over %d bytes, or one that holds a NUL byte, "
				     "cannot be read",
				     LINE_ROOM - 1);
		return false;
	}
	if (has_control(line)) {
		conf_source_complain(pass->source, pass->line,
				     "a control character is in this line; no value may hold one");
		return false;
	}
	if (*line == '[') {
		pass_read_section(pass, line);
		return false;
	}
#ifndef MAILSYNC_INIH_VARIABLES
	if (strstr(line, " ;") || strstr(line, "\t;")) {
		conf_source_complain(pass->source, pass->line,
				     "this build of mailsync cannot read ' ;' in a value");
		return false;
	}
#endif
	pass->expects_entry = true;
	return true;
}

/* Reads a line without its leading blanks (inih would take an indented line for the
 * continuation of a value) and with a line end. False at the end of the file. */
static bool pass_next_line(struct pass *pass, char *line, size_t room, bool *is_cut)
{
	size_t len = 0;
	int c = getc(pass->stream);

	*is_cut = false;
	if (c == EOF) {
		return false;
	}
	pass->line++;
	while (c != EOF && c != '\n') {
		bool is_leading = len == 0 && (c == ' ' || c == '\t');
		if (c == '\0' || (len + 2 >= room && !is_leading)) {
			*is_cut = true;
		} else if (!is_leading) {
			line[len++] = (char)c;
		}
		c = getc(pass->stream);
	}
	if (pass->line == 1 && len >= 3 && memcmp(line, "\xEF\xBB\xBF", 3) == 0) {
		len -= 3;
		memmove(line, line + 3, len);
	}
	line[len] = '\n';
	line[len + 1] = '\0';
	return true;
}

/* inih's reader of lines: the next one worth its while, as fgets() gives it. */
static char *pass_read(char *line, int size, void *context)
{
	struct pass *pass = context;
	bool is_cut;
	size_t room = size > LINE_ROOM ? LINE_ROOM : (size_t)size;

	pass_settle(pass);
	while (pass_next_line(pass, line, room, &is_cut)) {
		if (pass_inspect(pass, line, is_cut)) {
			return line;
		}
	}
	return NULL;
}

/* Whether KEY may stand in a section of KIND, or where it belongs. */
static bool is_at_home(const struct conf_key *key, enum conf_section_kind kind, const char **home)
{
	if (kind == CONF_SECTION_PROVIDER) {
		*home = key->marks & CONF_DEFAULTS_ONLY ? "[defaults]" : "[account NAME]";
		return (key->marks & (CONF_OF_PROVIDERS | CONF_PROVIDER_ONLY)) != 0;
	}
	*home = key->marks & CONF_PROVIDER_ONLY ? "[provider NAME]" : "[defaults]";
	return !(key->marks & CONF_OF_OTHERS) ||
	       (kind == CONF_SECTION_DEFAULTS && (key->marks & CONF_DEFAULTS_ONLY));
}

static void pass_check_entry(struct pass *pass, const char *name, const char *value)
{
	struct conf_source *source = pass->source;
	const struct conf_section *section = &source->sections[pass->section];
	const struct conf_key *key = conf_key_find(name);
	const char *home;
	char title[128];

	section_title(section, title, sizeof(title));
	if (!key) {
		bool is_provider = section->kind == CONF_SECTION_PROVIDER;
		const char *nearest = conf_key_nearest(name, is_provider);
		conf_source_complain(source, pass->line, "unknown key '%s' in %s%s%s%s", name,
				     title, nearest ? "; did you mean '" : "",
				     nearest ? nearest : "", nearest ? "'?" : "");
		return;
	}
	const struct conf_entry *twin = conf_source_find(source, pass->section, key);
	if (twin) {
		conf_source_complain(source, pass->line,
				     "key '%s' is given twice in %s, first in line %d", name, title,
				     twin->line);
		return;
	}
	if (!is_at_home(key, section->kind, &home)) {
		conf_source_complain(source, pass->line, "key '%s' belongs in %s, not in %s", name,
				     home, title);
		return;
	}
	(void)source_add_entry(source, key, value, pass->line);
}

/* inih's handler of entries. */
static int pass_take(void *context, const char *section, const char *name, const char *value)
{
	struct pass *pass = context;

	(void)section;
	pass->expects_entry = false;
	if (!*name) {
		conf_source_complain(pass->source, pass->line, "there is no key before the '='");
	} else if (pass->section == NO_SECTION) {
		conf_source_complain(pass->source, pass->line,
				     "key '%s' stands before the first section; put it under "
				     "[defaults] or [account NAME]",
				     name);
	} else if (pass->source->sections[pass->section].kind != CONF_SECTION_BAD) {
		pass_check_entry(pass, name, value);
	}
	return 1;
}

int conf_source_read(struct conf_source *source, FILE *stream, struct err *err)
{
	struct pass pass = {source, stream, 0, NO_SECTION, false};

#ifdef MAILSYNC_INIH_VARIABLES
	ini_max_line = LINE_SIZE;
	ini_use_stack = false;
	ini_allow_realloc = false;
	ini_initial_alloc = LINE_SIZE;
	ini_allow_inline_comments = false;
	ini_allow_multiline = false;
	ini_allow_bom = false;
	ini_allow_no_value = false;
	ini_stop_on_first_error = false;
#endif
	int code = ini_parse_stream(pass_read, &pass, pass_take, &pass);
	pass_settle(&pass);
	if (code == -2 || source->out_of_memory) {
		return err_nomem(err);
	}
	if (ferror(stream)) {
		conf_source_complain(source, 0, "cannot be read");
	}
	return 0;
}
