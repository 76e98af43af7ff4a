/* File names of other programs: no crash; what we change reads back as changed and keeps the
 * rest; what we take for a name of ours has its form. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "maildir_name.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_change(const char *file, char delimiter, uint64_t add, uint64_t remove)
{
	const uint64_t letters[2] = {add, remove & ~add};
	char out[MAILDIR_NAME_MAX + 1], again[MAILDIR_NAME_MAX + 1];
	struct maildir_name before, after;
	struct err err;

	maildir_name_parse(file, delimiter, &before);
	assert(before.unique_len <= before.base_len && before.base_len <= before.len);
	if (maildir_name_change(file, delimiter, letters, out, &err) < 0) {
		return;
	}
	maildir_name_parse(out, delimiter, &after);
	assert(after.has_info);
	assert(after.unique_len == before.unique_len);
	assert(memcmp(out, file, before.base_len) == 0);
	assert(maildir_name_letters(out, &after) ==
	       ((maildir_name_letters(file, &before) & ~letters[1]) | letters[0]));
	assert(maildir_name_change(out, delimiter, letters, again, &err) == 0);
	assert(strcmp(out, again) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char delimiters[] = {':', ';', '!'};
	char file[MAILDIR_NAME_MAX + 1];
	struct maildir_unique unique;
	uint64_t change[2];
	struct err err;

	if (size < sizeof(change) + 1 || size - sizeof(change) - 1 > MAILDIR_NAME_MAX) {
		return 0;
	}
	memcpy(change, data, sizeof(change));
	size_t len = size - sizeof(change) - 1;
	memcpy(file, data + sizeof(change) + 1, len);
	file[len] = '\0';
	const uint64_t all = (UINT64_C(1) << 52) - 1;
	check_change(file, delimiters[data[sizeof(change)] % 3], change[0] & all, change[1] & all);
	if (maildir_unique_parse((struct span){file, len}, &unique)) {
		assert(strlen(unique.key) == MAILDIR_KEY_SIZE - 1);
		assert(unique.is_pop3 ? unique.pop3_digest[0] != '\0' : unique.uid != 0);
	}
	(void)maildir_mbsync_uid(file);
	(void)maildir_name_check(file, &err);
	return 0;
}
