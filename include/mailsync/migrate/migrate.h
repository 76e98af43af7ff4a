/*
 * What the configuration of another program (mbsync, offlineimap, mpop, getmail, fetchmail) says,
 * as accounts of ours. Pure: a text comes in, sections go out.
 *
 *     migrate_init(&migrate);
 *     code = migrate_read(&migrate, text, "/home/me/.mbsyncrc", err);
 *     for each account: migrate_name(account, "work", err); migrate_write(account, &place, out);
 *     migrate_finish(&migrate);
 *
 * Nothing of the text is passed over in silence: what has no key of ours becomes a remark with its
 * line and the reason. A password never gets into a section; it is kept apart. Where names of
 * mailboxes would differ from those on disk, the section leaves them out or makes none, so that a
 * first run copies nothing twice.
 *
 * Sources: mbsync(1) of isync 1.5, offlineimap.conf of 8.0, mpop(1) 1.4, getmail6's
 * configuration.txt, fetchmail(1) 6.4.
 */
#ifndef MAILSYNC_MIGRATE_MIGRATE_H
#define MAILSYNC_MIGRATE_MIGRATE_H

#include <stdbool.h>
#include <stddef.h>

#include "mailsync/base/buf.h"
#include "mailsync/base/err.h"
#include "mailsync/base/secret.h"
#include "mailsync/base/span.h"

enum migrate_kind {
	MIGRATE_UNKNOWN,
	MIGRATE_MBSYNC,
	MIGRATE_OFFLINEIMAP,
	MIGRATE_MPOP,
	MIGRATE_GETMAIL,
	MIGRATE_FETCHMAIL
};

/* `host = imap.example.org`; each fit to be a line of a configuration, owned. */
struct migrate_pair {
	char *key;
	char *value;
};

/* What could not be carried over, or is to be looked at. */
struct migrate_note {
	int line;   /* of the source; 0: of no line */
	char *word; /* what stands there; never a value */
	char *why;  /* a sentence, without line end */
};

struct migrate_account {
	char *name; /* letters, digits, `.`, `_` and `-`; what the source calls it */
	struct migrate_pair *pairs;
	size_t pair_count, pair_cap;
	struct migrate_note *notes;
	size_t note_count, note_cap;
	struct secret password; /* where the source holds it in clear */
	int password_line;
};

struct migrate {
	enum migrate_kind kind;
	struct migrate_account *accounts;
	size_t count, cap;
	struct migrate_account rest; /* notes of no account */
};

/* What sections say of where things are. */
struct migrate_place {
	const char *source; /* as notes name the file */
	const char *folder; /* of our configuration, as keys name it */
};

void migrate_init(struct migrate *migrate);
void migrate_finish(struct migrate *migrate);
/* By what TEXT says, and where that is not clear by FILE's name: -ERR_CONFIG where it is neither,
 * or no account is in it. */
int migrate_read(struct migrate *migrate, struct span text, const char *file, struct err *err);

/* "mbsync" */
const char *migrate_kind_name(enum migrate_kind kind);
/* The value of KEY, or NULL. */
const char *migrate_value(const struct migrate_account *account, const char *key);
/* True where a password has to be put into the file that the section names. */
bool migrate_needs_password(const struct migrate_account *account);
/* Another name than the source's. */
int migrate_rename(struct migrate_account *account, const char *name, struct err *err);
/* Where the password belongs: FOLDER/NAME.password. */
void migrate_append_password_file(const struct migrate_account *account, const char *folder,
				  struct buf *out);

/* The section, with its notes as comments. */
void migrate_write(const struct migrate_account *account, enum migrate_kind kind,
		   const struct migrate_place *place, struct buf *out);
/* The notes of no account, as comments; nothing where there are none. */
void migrate_write_rest(const struct migrate *migrate, const struct migrate_place *place,
			struct buf *out);

#endif
