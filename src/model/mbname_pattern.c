/* The patterns of the `mailboxes` key. */
#include <string.h>

#include "mailsync/model/mbname.h"
#include "mbname_private.h"

/* What a user writes as inbox/x means INBOX/x. */
static bool pattern_begins_inbox(const char *pattern)
{
	return span_starts_nocase(span_of(pattern), "INBOX") &&
	       (pattern[5] == '\0' || pattern[5] == '/' || pattern[5] == '*' || pattern[5] == '%');
}

/* REACHED[j]: the pattern so far matches the first j bytes of NAME. Goes on by one SIGN of it. */
static void pattern_advance(bool *reached, struct span name, char sign)
{
	bool before = reached[0];
	reached[0] = reached[0] && (sign == '*' || sign == '%');
	for (size_t j = 1; j <= name.len; j++) {
		bool was = reached[j];
		if (sign == '*') {
			reached[j] = was || reached[j - 1];
		} else if (sign == '%') {
			reached[j] = was || (reached[j - 1] && name.data[j - 1] != '/');
		} else {
			reached[j] = before && name.data[j - 1] == sign;
		}
		before = was;
	}
}

/* Time is the product of the lengths, whatever the pattern: no backtracking. */
bool mbname_matches(const char *pattern, const char *text)
{
	struct span name = span_of(text);
	bool reached[MBNAME_MAX + 1];

	if (name.len > MBNAME_MAX) {
		return false;
	}
	memset(reached, 0, sizeof(reached));
	reached[0] = true;
	bool is_inbox = pattern_begins_inbox(pattern);
	for (size_t i = 0; pattern[i] != '\0'; i++) {
		pattern_advance(reached, name, is_inbox && i < 5 ? "INBOX"[i] : pattern[i]);
	}
	return reached[name.len];
}

bool mbname_selected(const char *const *patterns, size_t count, const char *name)
{
	bool is_selected = count == 0 || patterns[0][0] == '!';
	for (size_t i = 0; i < count; i++) {
		bool excludes = patterns[i][0] == '!';
		if (mbname_matches(patterns[i] + (excludes ? 1 : 0), name)) {
			is_selected = !excludes;
		}
	}
	return is_selected;
}
