/* fetchmail's words, whatever the lines: a section "server" for each server, and behind it a
 * section "user" for each of its users. */
#include <stdlib.h>
#include <string.h>

#include "mailsync/base/buf.h"
#include "readers.h"

#define WORD_MAX 65536

/* How much stands behind a word: nothing (a switch), a value, or values up to the next word. */
enum reach {
	REACH_NONE,
	REACH_ONE,
	REACH_ALL
};

static const struct option {
	const char *word, *key;
	enum reach reach;
} options[] = {
	{"proto", "protocol", REACH_ONE},
	{"protocol", "protocol", REACH_ONE},
	{"port", "port", REACH_ONE},
	{"service", "port", REACH_ONE},
	{"via", "via", REACH_ONE},
	{"auth", "auth", REACH_ONE},
	{"authenticate", "auth", REACH_ONE},
	{"timeout", "timeout", REACH_ONE},
	{"envelope", "envelope", REACH_ALL},
	{"qvirtual", "qvirtual", REACH_ONE},
	{"interface", "interface", REACH_ONE},
	{"monitor", "monitor", REACH_ONE},
	{"plugin", "plugin", REACH_ONE},
	{"plugout", "plugout", REACH_ONE},
	{"interval", "interval", REACH_ONE},
	{"principal", "principal", REACH_ONE},
	{"esmtpname", "esmtpname", REACH_ONE},
	{"esmtppassword", "esmtppassword", REACH_ONE},
	{"bad-header", "bad-header", REACH_ONE},
	{"aka", "aka", REACH_ALL},
	{"local", "localdomains", REACH_ALL},
	{"localdomains", "localdomains", REACH_ALL},
	{"uidl", "uidl", REACH_NONE},
	{"dns", "dns", REACH_NONE},
	{"checkalias", "checkalias", REACH_NONE},
	{"tracepolls", "tracepolls", REACH_NONE},
	{"is", "is", REACH_ALL},
	{"to", "is", REACH_ALL},
	{"pass", "password", REACH_ONE},
	{"password", "password", REACH_ONE},
	{"ssl", "ssl", REACH_NONE},
	{"sslcert", "sslcert", REACH_ONE},
	{"sslkey", "sslkey", REACH_ONE},
	{"sslproto", "sslproto", REACH_ONE},
	{"sslcertck", "sslcertck", REACH_NONE},
	{"sslcertfile", "sslcertfile", REACH_ONE},
	{"sslcertpath", "sslcertpath", REACH_ONE},
	{"sslcommonname", "sslcommonname", REACH_ONE},
	{"sslfingerprint", "sslfingerprint", REACH_ONE},
	{"folder", "folder", REACH_ALL},
	{"folders", "folder", REACH_ALL},
	{"smtphost", "smtphost", REACH_ALL},
	{"fetchdomains", "fetchdomains", REACH_ALL},
	{"smtpaddress", "smtpaddress", REACH_ONE},
	{"smtpname", "smtpname", REACH_ONE},
	{"antispam", "antispam", REACH_ALL},
	{"mda", "mda", REACH_ONE},
	{"bsmtp", "bsmtp", REACH_ONE},
	{"lmtp", "lmtp", REACH_NONE},
	{"preconnect", "preconnect", REACH_ONE},
	{"postconnect", "postconnect", REACH_ONE},
	{"keep", "keep", REACH_NONE},
	{"flush", "flush", REACH_NONE},
	{"limitflush", "limitflush", REACH_NONE},
	{"fetchall", "fetchall", REACH_NONE},
	{"rewrite", "rewrite", REACH_NONE},
	{"stripcr", "stripcr", REACH_NONE},
	{"forcecr", "forcecr", REACH_NONE},
	{"pass8bits", "pass8bits", REACH_NONE},
	{"dropstatus", "dropstatus", REACH_NONE},
	{"dropdelivered", "dropdelivered", REACH_NONE},
	{"mimedecode", "mimedecode", REACH_NONE},
	{"idle", "idle", REACH_NONE},
	{"limit", "limit", REACH_ONE},
	{"warnings", "warnings", REACH_ONE},
	{"batchlimit", "batchlimit", REACH_ONE},
	{"fetchlimit", "fetchlimit", REACH_ONE},
	{"fetchsizelimit", "fetchsizelimit", REACH_ONE},
	{"fastuidl", "fastuidl", REACH_ONE},
	{"expunge", "expunge", REACH_ONE},
	{"properties", "properties", REACH_ONE},
};
#define OPTIONS (sizeof(options) / sizeof(options[0]))

/* Words that say nothing; and those that begin something else. */
static const char *const noise[] = {"and",     "with", "has",   "wants",
				    "options", "here", "there", NULL};
static const char *const heads[] = {"poll", "skip",     "server", "defaults", "set",
				    "user", "username", "no",     NULL};

struct reading {
	struct source *source;
	struct span text;
	int line;
	struct buf word;
	int at;         /* the line of the word */
	bool is_quoted; /* then it is never a keyword */
	bool is_held;   /* it is to be read again */
	struct err *err;
};

/* --- words --- */

static bool is_separator(char sign)
{
	return sign == '\0' || strchr(" \t\r\n,;:=", sign) != NULL;
}

static char next_sign(struct reading *reading)
{
	char sign = reading->text.data[0];

	reading->text.data++;
	reading->text.len--;
	reading->line += sign == '\n';
	return sign;
}

static int digit_of(char sign)
{
	return sign >= '0' && sign <= '9' ? sign - '0'
	     : sign >= 'a' && sign <= 'f' ? sign - 'a' + 10
	     : sign >= 'A' && sign <= 'F' ? sign - 'A' + 10
					  : 99;
}

/* Behind a backslash: \n, \xhh, \0ooo, \ddd, and signs that stand for themselves. */
static void take_escape(struct reading *reading)
{
	static const char letters[] = "ntbr", signs[] = "\n\t\b\r";
	char sign = reading->text.len > 0 ? next_sign(reading) : '\\';
	const char *letter = sign ? strchr(letters, sign) : NULL;
	int base = sign == 'x' ? 16 : sign == '0' ? 8 : 10;
	int value = digit_of(sign) < base && base == 10 ? digit_of(sign) : 0;

	if (sign == '\n') {
		return;
	}
	if (sign != 'x' && digit_of(sign) > 9) {
		buf_append_char(&reading->word, letter && *letter ? signs[letter - letters] : sign);
		return;
	}
	for (int count = base == 10; count < (base == 16 ? 2 : 3) && reading->text.len > 0 &&
				     digit_of(reading->text.data[0]) < base;
	     count++) {
		value = value * base + digit_of(next_sign(reading));
	}
	buf_append_char(&reading->word, (char)value);
}

static void take_quoted(struct reading *reading, char quote)
{
	while (reading->text.len > 0) {
		char sign = next_sign(reading);
		if (sign == quote) {
			return;
		}
		if (sign == '\\') {
			take_escape(reading);
		} else {
			buf_append_char(&reading->word, sign);
		}
	}
}

static void skip_blanks(struct reading *reading)
{
	bool is_comment = false;

	while (reading->text.len > 0 && (is_comment || is_separator(reading->text.data[0]) ||
					 reading->text.data[0] == '#')) {
		char sign = next_sign(reading);
		is_comment = sign == '#' || (is_comment && sign != '\n');
	}
}

/* False at the end. */
static bool next_word(struct reading *reading)
{
	if (reading->is_held) {
		reading->is_held = false;
		return true;
	}
	buf_clear(&reading->word);
	skip_blanks(reading);
	reading->at = reading->line;
	reading->is_quoted = reading->text.len > 0 &&
			     (reading->text.data[0] == '"' || reading->text.data[0] == '\'');
	if (reading->text.len == 0) {
		return false;
	}
	if (reading->is_quoted) {
		take_quoted(reading, next_sign(reading));
		return true;
	}
	while (reading->text.len > 0 && !is_separator(reading->text.data[0])) {
		char sign = next_sign(reading);
		if (sign == '\\') {
			take_escape(reading);
		} else {
			buf_append_char(&reading->word, sign);
		}
	}
	return true;
}

static bool is_word(const struct reading *reading, const char *word)
{
	return !reading->is_quoted && span_equal_nocase(buf_span(&reading->word), word);
}

static bool is_among(const struct reading *reading, const char *const *words)
{
	for (; *words; words++) {
		if (is_word(reading, *words)) {
			return true;
		}
	}
	return false;
}

static const struct option *find_option(const struct reading *reading)
{
	for (size_t i = 0; i < OPTIONS; i++) {
		if (is_word(reading, options[i].word)) {
			return &options[i];
		}
	}
	return NULL;
}

/* "nokeep" is "no keep". */
static bool take_no(struct reading *reading)
{
	struct span word = buf_span(&reading->word);

	for (size_t i = 0; i < OPTIONS && !reading->is_quoted && word.len > 2; i++) {
		struct span rest = {word.data + 2, word.len - 2};
		if (options[i].reach == REACH_NONE && span_starts_nocase(word, "no") &&
		    span_equal_nocase(rest, options[i].word)) {
			buf_clear(&reading->word);
			buf_append_cstr(&reading->word, options[i].word);
			return true;
		}
	}
	return false;
}

/* --- what they come to --- */

static struct section *open_section(const struct reading *reading)
{
	return &reading->source->sections[reading->source->count - 1];
}

/* `is NAME there`: NAME, which is the last entry, is that of the user on the server. */
static void take_name(struct reading *reading)
{
	struct section *section = open_section(reading);

	if (strcmp(section->kind, "user") != 0) {
		return;
	}
	struct entry *entry = &section->entries[--section->count];
	free(section->name);
	section->name = entry->value;
	free(entry->key);
}

static int take_values(struct reading *reading, const struct option *option, int line)
{
	struct span key = span_of(option->key);

	if (option->reach == REACH_ONE) {
		return next_word(reading) ? source_add(reading->source, line, key,
						       buf_span(&reading->word), reading->err)
					  : 0;
	}
	for (size_t count = 0; next_word(reading); count++) {
		if (is_among(reading, heads) || is_among(reading, noise) || find_option(reading)) {
			if (count == 1 && strcmp(option->key, "is") == 0 &&
			    is_word(reading, "there")) {
				take_name(reading);
			}
			reading->is_held = true;
			return 0;
		}
		int code = source_add(reading->source, line, key, buf_span(&reading->word),
				      reading->err);
		if (code < 0) {
			return code;
		}
	}
	return 0;
}

static int take_option(struct reading *reading, bool is_no)
{
	const struct option *option = find_option(reading);
	int line = reading->at;

	if (option && (option->reach == REACH_NONE || is_no)) {
		return source_add(reading->source, line, span_of(option->key),
				  is_no ? SPAN_LIT("no") : SPAN_LIT("yes"), reading->err);
	}
	if (option) {
		return take_values(reading, option, line);
	}
	return source_add(reading->source, line, SPAN_LIT("?"), SPAN_LIT(""), reading->err);
}

/* `set WORD`: what is behind it comes as words that are not known. */
static int take_set(struct reading *reading)
{
	bool is_there = next_word(reading);

	if (is_there && is_word(reading, "no")) {
		is_there = next_word(reading);
	}
	return source_add_section(reading->source, reading->at, SPAN_LIT("set"),
				  is_there ? buf_span(&reading->word) : SPAN_LIT(""), reading->err);
}

static int take_head(struct reading *reading, const char *kind)
{
	int line = reading->at;
	bool is_there = strcmp(kind, "defaults") == 0 || next_word(reading);
	bool is_named = is_there && strcmp(kind, "defaults") != 0;

	return source_add_section(reading->source, line, span_of(kind),
				  is_named ? buf_span(&reading->word) : SPAN_LIT(""), reading->err);
}

/* `user NAME here is OTHER there`: NAME is none of the server's. */
static int take_user(struct reading *reading)
{
	int code = take_head(reading, "user");

	if (code < 0 || !next_word(reading)) {
		return code;
	}
	if (!is_word(reading, "here")) {
		reading->is_held = true;
		return 0;
	}
	struct section *section = open_section(reading);
	code = source_add(reading->source, section->line, SPAN_LIT("is"), span_of(section->name),
			  reading->err);
	*section->name = '\0';
	return code;
}

static int take_word(struct reading *reading)
{
	if (is_among(reading, noise)) {
		return 0;
	}
	if (is_word(reading, "set")) {
		return take_set(reading);
	}
	if (is_word(reading, "defaults")) {
		return take_head(reading, "defaults");
	}
	if (is_word(reading, "user") || is_word(reading, "username")) {
		return take_user(reading);
	}
	if (is_word(reading, "skip")) {
		return take_head(reading, "skip");
	}
	if (is_word(reading, "poll") || is_word(reading, "server")) {
		return take_head(reading, "server");
	}
	bool is_no = is_word(reading, "no");
	if (is_no && !next_word(reading)) {
		return 0;
	}
	is_no = is_no || (!find_option(reading) && take_no(reading));
	return take_option(reading, is_no);
}

int source_read_fetchmail(struct source *source, struct span text, struct err *err)
{
	struct reading reading = {.source = source, .text = text, .line = 1, .err = err};
	int code = source_add_section(source, 0, SPAN_LIT(""), SPAN_LIT(""), err);

	buf_init(&reading.word, WORD_MAX);
	while (code == 0 && next_word(&reading)) {
		code = take_word(&reading);
	}
	buf_finish_secret(&reading.word);
	return code;
}
