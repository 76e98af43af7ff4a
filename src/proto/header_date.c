/* The Date: field, as people and programs have written it since 1982. */
#include "calendar.h"
#include "mailsync/proto/header.h"

/* Words of a date, without comments and commas. */
struct date_words {
	struct span rest;
};

struct zone_name {
	const char *name;
	int minutes;
};

/* obs-zone (RFC 5322 4.3); a zone that is not known counts as UTC. */
static const struct zone_name zone_names[] = {
	{"UT", 0},     {"GMT", 0},    {"UTC", 0},    {"Z", 0},      {"EST", -300}, {"EDT", -240},
	{"CST", -360}, {"CDT", -300}, {"MST", -420}, {"MDT", -360}, {"PST", -480}, {"PDT", -420},
	{"CET", 60},   {"MET", 60},   {"CEST", 120}, {"MEST", 120}, {"BST", 60},   {"JST", 540},
};

static bool char_is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool char_is_letter(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/* comment = "(" *(ctext / quoted-pair / comment) ")" */
static void comment_skip(struct span *rest)
{
	unsigned depth = 0;
	do {
		char c = rest->data[0];
		depth += c == '(' ? 1 : 0;
		depth -= c == ')' ? 1 : 0;
		rest->data++;
		rest->len--;
	} while (depth > 0 && rest->len > 0);
}

/* The next word: a run of letters or digits, or one other sign. */
static bool word_next(struct date_words *words, struct span *word)
{
	struct span *rest = &words->rest;
	while (rest->len > 0) {
		char c = rest->data[0];
		if (c == '(') {
			comment_skip(rest);
			continue;
		}
		bool is_sign = c == '+' || c == '-' || c == ':' || c == '.' || c == '/';
		if (!char_is_digit(c) && !char_is_letter(c) && !is_sign) {
			rest->data++;
			rest->len--;
			continue;
		}
		size_t len = 1;
		while (!is_sign && len < rest->len &&
		       (char_is_digit(c) ? char_is_digit(rest->data[len])
					 : char_is_letter(rest->data[len]))) {
			len++;
		}
		*word = (struct span){rest->data, len};
		rest->data += len;
		rest->len -= len;
		return true;
	}
	return false;
}

static bool number_read(struct span word, int *value)
{
	uint32_t number;
	if (word.len > 4 || !span_to_u32(word, &number)) {
		return false;
	}
	*value = (int)number;
	return true;
}

/* time-of-day = hour sep minute [sep second]; the hour is HOUR. */
static bool time_read(struct date_words *words, struct span hour, struct calendar *date)
{
	struct span word;
	struct date_words ahead;
	if (!number_read(hour, &date->hour) || !word_next(words, &word) ||
	    (!span_equal_cstr(word, ":") && !span_equal_cstr(word, ".")) ||
	    !word_next(words, &word) || !number_read(word, &date->minute)) {
		return false;
	}
	ahead = *words;
	if (word_next(&ahead, &word) &&
	    (span_equal_cstr(word, ":") || span_equal_cstr(word, ".")) &&
	    word_next(&ahead, &word) && number_read(word, &date->second)) {
		*words = ahead;
	}
	return true;
}

/* 4DIGIT / 2DIGIT ":" 2DIGIT */
static void offset_read(struct date_words *words, bool is_west, struct calendar *date)
{
	struct span word;
	int value;
	int more = 0;
	if (!word_next(words, &word) || !number_read(word, &value)) {
		return;
	}
	int minutes = value / 100 * 60 + value % 100;
	if (word.len == 2) {
		bool has_more = word_next(words, &word) && span_equal_cstr(word, ":") &&
				word_next(words, &word) && number_read(word, &more);
		minutes = value * 60 + (has_more ? more : 0);
	} else if (word.len != 4) {
		return;
	}
	date->zone_minutes = is_west ? -minutes : minutes;
}

/* zone = ("+" / "-") 4DIGIT / obs-zone */
static void zone_read(struct date_words *words, struct calendar *date)
{
	struct span word;
	if (!word_next(words, &word)) {
		return;
	}
	/* A fraction of the second. */
	if (span_equal_cstr(word, ".") && (!word_next(words, &word) || !word_next(words, &word))) {
		return;
	}
	if (span_equal_cstr(word, "-") || span_equal_cstr(word, "+")) {
		offset_read(words, span_equal_cstr(word, "-"), date);
		return;
	}
	for (size_t i = 0; i < sizeof(zone_names) / sizeof(zone_names[0]); i++) {
		if (span_equal_nocase(word, zone_names[i].name)) {
			date->zone_minutes = zone_names[i].minutes;
		}
	}
}

/* obs-year = 2*DIGIT: 00 to 49 are of this century; else two or three digits count from 1900. */
static int year_of(int value, size_t digits)
{
	if (digits == 4) {
		return value;
	}
	return digits == 2 && value < 50 ? 2000 + value : 1900 + value;
}

/* The word behind any "-", which some write between the parts of a date. */
static bool part_next(struct date_words *words, struct span *word)
{
	do {
		if (!word_next(words, word)) {
			return false;
		}
	} while (span_equal_cstr(*word, "-"));
	return true;
}

/* day month year time zone, the day's name before it already taken off. FIRST: the day. */
static bool rfc_date_read(struct date_words *words, struct span first, struct calendar *date)
{
	struct span word;
	int value;
	if (!number_read(first, &date->day) || !part_next(words, &word)) {
		return false;
	}
	date->month = calendar_month(word);
	if (date->month == 0 || !part_next(words, &word) || !number_read(word, &value) ||
	    word.len < 2) {
		return false;
	}
	date->year = year_of(value, word.len);
	if (!word_next(words, &word) || !time_read(words, word, date)) {
		return false;
	}
	zone_read(words, date);
	return true;
}

/* asctime: month day time [zone] year, or the year before the time. FIRST: the month. */
static bool asctime_read(struct date_words *words, struct span first, struct calendar *date)
{
	struct span word;
	date->month = calendar_month(first);
	if (!part_next(words, &word) || !number_read(word, &date->day) ||
	    !part_next(words, &word)) {
		return false;
	}
	if (word.len == 4 && number_read(word, &date->year)) {
		bool has_time = word_next(words, &word) && time_read(words, word, date);
		zone_read(words, date);
		return has_time;
	}
	if (!time_read(words, word, date)) {
		return false;
	}
	while (word_next(words, &word)) {
		if (span_equal_cstr(word, "+") || span_equal_cstr(word, "-")) {
			offset_read(words, span_equal_cstr(word, "-"), date);
			continue;
		}
		if (word.len == 4 && number_read(word, &date->year)) {
			zone_read(words, date);
			return true;
		}
		for (size_t i = 0; i < sizeof(zone_names) / sizeof(zone_names[0]); i++) {
			if (span_equal_nocase(word, zone_names[i].name)) {
				date->zone_minutes = zone_names[i].minutes;
			}
		}
	}
	return false;
}

/* ISO 8601: year "-" month "-" day ["T"] time [zone]. FIRST: the year. */
static bool iso_date_read(struct date_words *words, struct span first, struct calendar *date)
{
	struct span word;
	if (!number_read(first, &date->year) || !part_next(words, &word) ||
	    !number_read(word, &date->month) || !part_next(words, &word) ||
	    !number_read(word, &date->day) || !word_next(words, &word)) {
		return false;
	}
	if (span_equal_nocase(word, "T") && !word_next(words, &word)) {
		return false;
	}
	if (!time_read(words, word, date)) {
		return false;
	}
	zone_read(words, date);
	return true;
}

/* date-time = [day-of-week ","] date time [CFWS], and what is written instead. */
bool header_parse_date(struct span value, int64_t *seconds)
{
	struct date_words words = {value};
	struct calendar date = {0};
	struct span word;
	bool is_read = false;
	while (!is_read && word_next(&words, &word)) {
		if (char_is_digit(word.data[0])) {
			is_read = word.len == 4 ? iso_date_read(&words, word, &date)
						: rfc_date_read(&words, word, &date);
			break;
		}
		if (calendar_month(word) != 0) {
			is_read = asctime_read(&words, word, &date);
			break;
		}
	}
	return is_read && calendar_to_seconds(&date, seconds);
}
