#include "mailsync/model/flags.h"

struct flag_name {
	uint64_t flag;
	char letter;
	const char *imap;
};

static const struct flag_name flag_names[] = {
	{FLAG_DRAFT, 'D', "\\Draft"},        {FLAG_FLAGGED, 'F', "\\Flagged"},
	{FLAG_FORWARDED, 'P', "$Forwarded"}, {FLAG_ANSWERED, 'R', "\\Answered"},
	{FLAG_SEEN, 'S', "\\Seen"},          {FLAG_DELETED, 'T', "\\Deleted"},
};

#define FLAG_NAME_COUNT (sizeof(flag_names) / sizeof(flag_names[0]))

uint64_t flag_of_letter(char letter)
{
	for (size_t i = 0; i < FLAG_NAME_COUNT; i++) {
		if (flag_names[i].letter == letter) {
			return flag_names[i].flag;
		}
	}
	return 0;
}

char letter_of_flag(uint64_t flag)
{
	for (size_t i = 0; i < FLAG_NAME_COUNT; i++) {
		if (flag_names[i].flag == flag) {
			return flag_names[i].letter;
		}
	}
	return '\0';
}

static uint64_t flag_of_imap(struct span word)
{
	for (size_t i = 0; i < FLAG_NAME_COUNT; i++) {
		if (span_equal_nocase(word, flag_names[i].imap)) {
			return flag_names[i].flag;
		}
	}
	return 0;
}

static uint64_t flag_of_keyword(struct span word, struct keywords *keywords, bool intern)
{
	int index = intern ? keywords_intern(keywords, word) : keywords_find(keywords, word);
	return index < 0 ? 0 : FLAG_KEYWORD(index);
}

uint64_t flags_from_imap(struct span list, struct keywords *keywords, bool intern, bool *has_star)
{
	uint64_t flags = 0;
	bool star = false;
	size_t at = 0;
	while (at < list.len) {
		size_t end = at;
		while (end < list.len && (unsigned char)list.data[end] > ' ') {
			end++;
		}
		struct span word = {list.data + at, end - at};
		at = end + 1;
		if (word.len == 0) {
			continue;
		}
		uint64_t flag = flag_of_imap(word);
		if (flag == 0 && word.data[0] != '\\' && keywords != NULL) {
			flag = flag_of_keyword(word, keywords, intern);
		}
		star = star || span_equal_cstr(word, "\\*");
		flags |= flag;
	}
	if (has_star != NULL) {
		*has_star = star;
	}
	return flags;
}

void flags_to_imap(uint64_t flags, const struct keywords *keywords, struct buf *out)
{
	bool is_first = true;
	for (size_t i = 0; i < FLAG_NAME_COUNT; i++) {
		if ((flags & flag_names[i].flag) != 0) {
			if (!is_first) {
				buf_append_char(out, ' ');
			}
			buf_append_cstr(out, flag_names[i].imap);
			is_first = false;
		}
	}
	for (int i = 0; keywords != NULL && i < keywords->count; i++) {
		if ((flags & FLAG_KEYWORD(i)) != 0) {
			if (!is_first) {
				buf_append_char(out, ' ');
			}
			buf_append_cstr(out, keywords->names[i]);
			is_first = false;
		}
	}
}
