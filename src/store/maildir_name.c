#include "maildir_name.h"

#include <stdio.h>
#include <string.h>

static bool is_garbled(const char *file, const struct maildir_name *name)
{
	const char *letters = file + name->base_len + 3;

	for (size_t i = 0; i < name->letters_len; i++) {
		if (maildir_letter(letters[i]) == 0) {
			return true;
		}
	}
	return false;
}

/* Where the field that begins behind AT ends, "S=12"; 0 where there is none. */
static size_t field_end(const char *file, size_t at, size_t end, char delimiter)
{
	size_t word = at;

	while (at < end &&
	       ((file[at] >= 'a' && file[at] <= 'z') || (file[at] >= 'A' && file[at] <= 'Z') ||
		(file[at] >= '0' && file[at] <= '9'))) {
		at++;
	}
	if (at == word || at == end || file[at] != '=') {
		return 0;
	}
	while (at < end && file[at] != ',' && file[at] != ':' && file[at] != delimiter) {
		at++;
	}
	return at;
}

/* Whether what stands from AT to END is what programs put behind a unique part: fields, and info
 * of another kind than ours, also of another delimiter. */
static bool is_usual_rest(const char *file, size_t at, size_t end, char delimiter)
{
	if (at >= 2 && file[at - 1] == '2' && (file[at - 2] == ';' || file[at - 2] == '!')) {
		return true;
	}
	while (at < end && file[at] == ',') {
		at = field_end(file, at + 1, end, delimiter);
		if (at == 0) {
			return false;
		}
	}
	if (at == end || at + 1 == end) {
		return at == end || file[at] != ',';
	}
	return (file[at + 1] == '1' || file[at + 1] == '2') &&
	       (at + 2 == end || file[at + 2] == ',');
}

size_t maildir_name_stem(const char *file, char delimiter)
{
	size_t at = 0;

	while (file[at] != '\0' && file[at] != ',' && file[at] != ':' && file[at] != delimiter) {
		at++;
	}
	return at;
}

void maildir_name_parse(const char *file, char delimiter, struct maildir_name *name)
{
	size_t at = maildir_name_stem(file, delimiter);

	name->has_info = false;
	name->is_garbled = false;
	name->unique_len = at;
	for (; file[at] != '\0'; at++) {
		if ((file[at] == ':' || file[at] == delimiter) && file[at + 1] == '2' &&
		    file[at + 2] == ',') {
			name->has_info = true;
			break;
		}
		name->is_garbled |= file[at] == ':' || file[at] == delimiter;
	}
	name->base_len = at;
	if (name->unique_len > 0 && !is_usual_rest(file, name->unique_len, at, delimiter)) {
		name->unique_len = at;
	}
	name->letters_len = name->has_info ? strcspn(file + at + 3, ",") : 0;
	name->is_garbled = name->has_info ? is_garbled(file, name) : name->is_garbled;
	name->len = at + strlen(file + at);
}

uint64_t maildir_letter(char letter)
{
	if (letter >= 'A' && letter <= 'Z') {
		return UINT64_C(1) << (letter - 'A');
	}
	if (letter >= 'a' && letter <= 'z') {
		return UINT64_C(1) << (26 + letter - 'a');
	}
	return 0;
}

uint64_t maildir_name_letters(const char *file, const struct maildir_name *name)
{
	uint64_t letters = 0;

	for (size_t i = 0; i < name->letters_len; i++) {
		letters |= maildir_letter(file[name->base_len + 3 + i]);
	}
	return letters;
}

uint64_t maildir_letters_of_system(uint64_t flags)
{
	uint64_t letters = 0;

	for (uint64_t flag = 1; (flag & FLAGS_SYSTEM) != 0; flag <<= 1) {
		if ((flags & flag) != 0) {
			letters |= maildir_letter(letter_of_flag(flag));
		}
	}
	return letters;
}

uint64_t maildir_system_of_letters(uint64_t letters)
{
	uint64_t flags = 0;

	for (uint64_t flag = 1; (flag & FLAGS_SYSTEM) != 0; flag <<= 1) {
		if ((letters & maildir_letter(letter_of_flag(flag))) != 0) {
			flags |= flag;
		}
	}
	return flags;
}

static int name_too_long(const char *file, struct err *err)
{
	return err_set(err, ERR_PARTIAL, SCOPE_MESSAGE,
		       "the name of file %s would be over %d bytes", file, MAILDIR_NAME_MAX);
}

/* Puts LETTER in its place among those of SORTED, once. */
static void letter_put(char *sorted, char letter)
{
	while (*sorted != '\0' && (unsigned char)*sorted < (unsigned char)letter) {
		sorted++;
	}
	if (*sorted != letter) {
		memmove(sorted + 1, sorted, strlen(sorted) + 1);
		*sorted = letter;
	}
}

int maildir_name_change(const char *file, char delimiter, const uint64_t letters[2],
			char out[MAILDIR_NAME_MAX + 1], struct err *err)
{
	char sorted[256 + 1] = "";
	struct maildir_name name;

	maildir_name_parse(file, delimiter, &name);
	const char *old = file + name.base_len + (name.has_info ? 3 : 0);
	for (size_t i = 0; i < name.letters_len; i++) {
		if ((letters[1] & maildir_letter(old[i])) == 0) {
			letter_put(sorted, old[i]);
		}
	}
	for (int i = 0; i < 52 && letters[0] >> i != 0; i++) {
		if ((letters[0] >> i & 1) != 0) {
			letter_put(sorted, (char)(i < 26 ? 'A' + i : 'a' + i - 26));
		}
	}
	size_t rest = name.has_info ? name.base_len + 3 + name.letters_len : name.len;
	int len = snprintf(out, MAILDIR_NAME_MAX + 1, "%.*s%c2,%s%s", (int)name.base_len, file,
			   name.has_info ? file[name.base_len] : delimiter, sorted, file + rest);
	return len >= 0 && len <= MAILDIR_NAME_MAX ? 0 : name_too_long(file, err);
}

int maildir_name_make(const char *unique, char delimiter, uint64_t letters,
		      char out[MAILDIR_NAME_MAX + 1], struct err *err)
{
	const uint64_t change[2] = {letters, 0};

	if (letters != 0) {
		return maildir_name_change(unique, delimiter, change, out, err);
	}
	size_t len = strlen(unique);
	if (len > MAILDIR_NAME_MAX) {
		return name_too_long(unique, err);
	}
	memcpy(out, unique, len + 1);
	return 0;
}

int maildir_name_check(const char *file, struct err *err)
{
	if (file[0] == '\0' || file[0] == '.' || strchr(file, '/')) {
		return err_set(err, ERR_PARTIAL, SCOPE_MESSAGE,
			       "\"%s\" cannot be the name of a message file", file);
	}
	return 0;
}
