/* Any bytes as a configuration of another program: no crash; what comes out are lines of ours. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "mailsync/migrate/migrate.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_text(const struct buf *text)
{
	for (size_t i = 0; i < text->len; i++) {
		unsigned char sign = (unsigned char)text->data[i];
		assert(sign >= ' ' || sign == '\n');
	}
}

/* What leaves out comes behind what takes in: else all but that would be meant. */
static void check_patterns(const char *patterns)
{
	patterns += *patterns == '"';
	assert(*patterns != '!' || strncmp(patterns, "!*", 2) == 0);
	assert(*patterns != '\\');
}

static void check_account(const struct migrate_account *account)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				    "0123456789._-";

	assert(*account->name && strspn(account->name, plain) == strlen(account->name));
	for (size_t i = 0; i < account->pair_count; i++) {
		assert(err_shows(account->pairs[i].value) && *account->pairs[i].value);
		if (strcmp(account->pairs[i].key, "mailboxes") == 0) {
			check_patterns(account->pairs[i].value);
		}
		for (size_t k = 0; k < i; k++) {
			assert(strcmp(account->pairs[i].key, account->pairs[k].key) != 0);
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const files[] = {"?",    "mbsync",  "offlineimap",
					    "mpop", "getmail", "fetchmail"};
	const struct migrate_place place = {"~/.rc", "~/.config/mailsync"};
	struct migrate migrate;
	struct buf text;
	struct err err;

	if (size == 0 || size > 16384) {
		return 0;
	}
	migrate_init(&migrate);
	buf_init(&text, 64 << 20);
	if (migrate_read(&migrate, (struct span){(const char *)data + 1, size - 1},
			 files[data[0] % 6], &err) == 0) {
		assert(migrate.count > 0);
	} else {
		assert(err.text[0] != '\0');
	}
	for (size_t i = 0; i < migrate.count; i++) {
		check_account(&migrate.accounts[i]);
		migrate_write(&migrate.accounts[i], migrate.kind, &place, &text);
	}
	migrate_write_rest(&migrate, &place, &text);
	check_text(&text);
	buf_finish(&text);
	migrate_finish(&migrate);
	return 0;
}
