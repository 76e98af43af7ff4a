#include "blot_match.h"

#include <ctype.h>
#include <stdint.h>
#include <string.h>

#define SHORT_MAX  4  /* bytes of a secret that may stand in any word */
#define PART_MIN   4  /* of a secret that was cut */
#define RUN_MIN    9  /* of a part that may stand anywhere */
#define RUN_MAX    16 /* so much of the longest secret tells too much */
#define STATUS_MAX 24
#define TOKEN_MIN  8 /* base64 digits that are not likely to be a word */

static unsigned char fold(char c)
{
	return (unsigned char)ascii_lower(c);
}

static int hex_value(char c)
{
	unsigned char low = fold(c);
	if (low >= '0' && low <= '9') {
		return low - '0';
	}
	return low >= 'a' && low <= 'f' ? low - 'a' + 10 : -1;
}

/* The number of COUNT digits to BASE at the beginning of WORDS, or -1. */
static int number_of(struct span words, size_t count, int base)
{
	int number = 0;
	if (words.len < count) {
		return -1;
	}
	for (size_t i = 0; i < count; i++) {
		int digit = hex_value(words.data[i]);
		if (digit < 0 || digit >= base) {
			return -1;
		}
		number = number * base + digit;
	}
	return number;
}

static struct span span_from(struct span words, size_t at)
{
	return (struct span){words.data + at, words.len - at};
}

/* "&#39;", "&#x27;", "&quot;": how many bytes stand for BYTE so, or 0. */
static size_t match_entity(struct span words, unsigned char byte)
{
	static const struct {
		const char *name;
		char byte;
	} names[] = {
		{"&quot;", '"'}, {"&apos;", '\''}, {"&amp;", '&'}, {"&lt;", '<'}, {"&gt;", '>'}};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (byte == (unsigned char)names[i].byte &&
		    span_starts_nocase(words, names[i].name)) {
			return strlen(names[i].name);
		}
	}
	if (!span_starts_nocase(words, "&#")) {
		return 0;
	}
	bool is_hex = words.len > 2 && fold(words.data[2]) == 'x';
	size_t start = is_hex ? 3 : 2, end = start;
	while (end < words.len && end < start + 4 && words.data[end] != ';') {
		end++;
	}
	bool is_it = end > start && end < words.len && words.data[end] == ';' &&
		     number_of(span_from(words, start), end - start, is_hex ? 16 : 10) == byte;
	return is_it ? end + 1 : 0;
}

/* How many bytes at the beginning of WORDS stand for BYTE by a number, or 0. */
static size_t match_number(struct span words, unsigned char byte)
{
	static const struct {
		const char *mark;
		size_t digits;
		int base;
	} ways[] = {{"%", 2, 16},     {"=", 2, 16}, {"\\x", 2, 16},
		    {"\\u00", 2, 16}, {"\\", 3, 8}, {"\\u{", 2, 16}};
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		size_t len = strlen(ways[i].mark);
		if (span_starts_nocase(words, ways[i].mark) &&
		    number_of(span_from(words, len), ways[i].digits, ways[i].base) == byte) {
			return len + ways[i].digits;
		}
	}
	return match_entity(words, byte);
}

/* Quotes that are doubled are not told apart from two. */
static bool is_doubled(struct span words, char byte)
{
	return (byte == '"' || byte == '\'') && words.len > 1 && words.data[0] == byte &&
	       words.data[1] == byte;
}

/* How many bytes at the beginning of WORDS stand for BYTE, or 0. NEXT: what follows it. */
static size_t match_byte(struct span words, char byte, char next)
{
	size_t escapes = 0, used;
	if (fold(words.data[0]) != fold(byte) && memchr("\\%=&?+", words.data[0], 6) == NULL) {
		return 0; /* nearly always */
	}
	if ((used = match_number(words, (unsigned char)byte)) > 0) {
		return used;
	}
	while (byte != '\\' && escapes < words.len && words.data[escapes] == '\\') {
		escapes++;
	}
	if (escapes == words.len) {
		return 0;
	}
	words = span_from(words, escapes);
	if (fold(words.data[0]) == fold(byte)) {
		return escapes + 1 + (is_doubled(words, byte) && next != byte);
	}
	bool is_lost = (unsigned char)byte >= 0x80 || (unsigned char)byte < 0x20;
	bool is_blank = byte == ' ' && words.data[0] == '+';
	return is_blank || (is_lost && words.data[0] == '?') ? escapes + 1 : 0;
}

/* Line ends, with the blanks around them and what marks them as none, at the beginning of WORDS. */
static size_t break_len(struct span words)
{
	size_t len = 0;
	while (len < words.len &&
	       (words.data[len] == '=' || words.data[len] == ' ' || words.data[len] == '\t')) {
		len++;
	}
	if (len == words.len || (words.data[len] != '\r' && words.data[len] != '\n')) {
		return 0;
	}
	while (len < words.len && strchr("\r\n\t ", words.data[len]) != NULL &&
	       words.data[len] != '\0') {
		len++;
	}
	return len;
}

static char base64_plain(char c)
{
	return c == '-' ? '+' : c == '_' ? '/' : c;
}

static bool is_base64(char c)
{
	unsigned char low = fold(base64_plain(c));
	return (low >= 'a' && low <= 'z') || (low >= '0' && low <= '9') || low == '+' || low == '/';
}

/* What may stand between two digits; but a few of them and a blank are ordinary words. */
static size_t gap_len(enum blot_kind kind, struct span pattern, struct span words)
{
	size_t len = break_len(words);
	if (len > 0 || kind == BLOT_BYTES || (kind == BLOT_BASE64 && pattern.len < RUN_MIN)) {
		return len;
	}
	const char *gaps = kind == BLOT_HEX ? " :-" : " \"";
	while (len < words.len && words.data[len] != '\0' &&
	       strchr(gaps, words.data[len]) != NULL) {
		len++;
	}
	return len;
}

static size_t match_one(enum blot_kind kind, struct span words, char wanted, char next)
{
	if (words.len == 0) {
		return 0;
	}
	if (kind == BLOT_BYTES) {
		return match_byte(words, wanted, next);
	}
	char c = kind == BLOT_BASE64 ? base64_plain(words.data[0]) : words.data[0];
	return fold(c) == fold(wanted);
}

void blot_match(enum blot_kind kind, struct span pattern, struct span words, struct blot_find *find)
{
	size_t end = find->at, i = find->skipped;
	while (i < pattern.len) {
		char next = i + 1 < pattern.len ? pattern.data[i + 1] : '\0';
		size_t gap = i == find->skipped ? 0 : gap_len(kind, pattern, span_from(words, end));
		size_t len = match_one(kind, span_from(words, end), pattern.data[i], next);
		if (len == 0 && gap > 0) {
			len = match_one(kind, span_from(words, end + gap), pattern.data[i], next);
			len += len > 0 ? gap : 0;
		}
		if (len == 0) {
			break;
		}
		end += len;
		i++;
	}
	find->len = i - find->skipped;
	find->end = end;
}

/* --- is it enough? --- */

static bool is_word(char c)
{
	return isalnum(fold(c)) || (unsigned char)c >= 0x80;
}

static bool stands_alone(struct span words, size_t at, size_t end)
{
	return (at == 0 || !is_word(words.data[at - 1])) &&
	       (end == words.len || !is_word(words.data[end]));
}

/* Nothing but quotes and the like before FROM; or a tag, a status and a code. */
static bool is_beginning(struct span words, size_t from)
{
	if (from > 0 && from <= STATUS_MAX && !is_word(words.data[from - 1])) {
		return true;
	}
	while (from > 0 && !is_word(words.data[from - 1])) {
		from--;
	}
	return from == 0;
}

static bool is_ending(struct span words, size_t from)
{
	while (from < words.len && !is_word(words.data[from])) {
		from++;
	}
	return from == words.len;
}

void blot_widen(struct span words, struct blot_find *find)
{
	while (find->at > 0 && is_base64(words.data[find->at - 1])) {
		find->at--;
	}
	while (find->end < words.len &&
	       (is_base64(words.data[find->end]) || words.data[find->end] == '=')) {
		find->end++;
	}
}

/* Words of ordinary length hold three or four digits in a row by chance. */
static bool is_token(struct span pattern, struct span words, const struct blot_find *find)
{
	struct blot_find token = *find;
	blot_widen(words, &token);
	size_t len = token.end - token.at;
	return len >= TOKEN_MIN || len <= pattern.len + 2;
}

/* A part that was cut off there: at the edge of the words, or of the base64. */
static bool is_cut(enum blot_kind kind, struct span pattern, struct span words,
		   const struct blot_find *find)
{
	size_t at = find->at, end = find->end;
	bool has_start = find->skipped == 0, has_end = find->skipped + find->len == pattern.len;
	if (kind == BLOT_BYTES) {
		return (has_start && is_ending(words, end)) || (has_end && is_beginning(words, at));
	}
	return (has_start && (end == words.len || !is_base64(words.data[end]))) ||
	       (has_end && (at == 0 || !is_base64(words.data[at - 1])));
}

bool blot_is_found(enum blot_kind kind, struct span pattern, struct span words,
		   const struct blot_find *find)
{
	size_t len = find->len, run = pattern.len - pattern.len / 4;
	run = run < RUN_MIN ? RUN_MIN : run > RUN_MAX ? RUN_MAX : run;
	if (kind == BLOT_BASE64 && len < run && !is_token(pattern, words, find)) {
		return false;
	}
	if (len == pattern.len) {
		return kind != BLOT_BYTES || len > SHORT_MAX ||
		       stands_alone(words, find->at, find->end);
	}
	if (len >= run) {
		return true;
	}
	return len >= PART_MIN && len * 3 >= pattern.len && is_cut(kind, pattern, words, find);
}
