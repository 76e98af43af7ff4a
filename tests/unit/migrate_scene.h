/* What the tests of the readers share: a configuration of another program, and what it comes to. */
#ifndef TESTS_MIGRATE_SCENE_H
#define TESTS_MIGRATE_SCENE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "mailsync/conf/conf.h"
#include "mailsync/migrate/migrate.h"

static const struct migrate_place place = {"~/.rc", "~/.config/mailsync"};

/* The sections are read as a configuration, too. */
static inline void expect_readable(const struct buf *text)
{
	char path[] = "/tmp/test-migrate-XXXXXX";
	struct conf *conf = NULL;
	struct conf_errors errors;
	struct err err;
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text->data, text->len), text->len);
	close(fd);
	if (conf_load(&conf, path, &errors, &err) < 0) {
		fail_msg("%s", errors.count > 0 ? errors.items[0].text : err.text);
	}
	conf_destroy(&conf);
	conf_errors_finish(&errors);
	unlink(path);
}

/* TEXT, of KIND, comes to SECTIONS. */
static inline void expect(enum migrate_kind kind, const char *text, const char *sections)
{
	struct migrate migrate;
	struct buf out;
	struct err err;

	buf_init(&out, 1 << 20);
	migrate_init(&migrate);
	if (migrate_read(&migrate, span_of(text), "/home/me/.rc", &err) < 0) {
		fail_msg("%s", err.text);
	}
	assert_int_equal(migrate.kind, kind);
	for (size_t i = 0; i < migrate.count; i++) {
		migrate_write(&migrate.accounts[i], kind, &place, &out);
	}
	migrate_write_rest(&migrate, &place, &out);
	assert_string_equal(out.data, sections);
	expect_readable(&out);
	buf_finish(&out);
	migrate_finish(&migrate);
}

/* mbsync's: one account, whose section begins with SIDES. */
#define FAR                                                                             \
	"IMAPStore far\nHost imap.example.org\nUser me\nPassCmd \"pass \\\"a b\\\"\"\n" \
	"SSLType IMAPS\n\n"
#define NEAR "MaildirStore near\nPath ~/Mail/x/\nInbox ~/Mail/x/INBOX\nSubFolders Verbatim\n\n"
#define SIDES                                                                        \
	"# From mbsync's ~/.rc\n[account far]\nhost = imap.example.org\nuser = me\n" \
	"tls = implicit\npassword_command = pass \"a b\"\nmaildir = ~/Mail/x\n"
#define CHANNEL "Channel c\nFar :far:\nNear :near:\nCreate Both\nExpunge Both\nPatterns *\n"

#endif
