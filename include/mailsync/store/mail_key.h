/*
 * What tells whether two files hold one message, though programs put fields of their own into their
 * copy: a digest of the header without those (proto/header.h, with what mbox writers add), which
 * covers the Message-ID, and one of the body.
 *
 *     mail_scan_create, mail_scan_feed ..., mail_scan_result     and the next message
 *     mail_scan_destroy
 *
 * Threads: one at a time.
 */
#ifndef MAILSYNC_STORE_MAIL_KEY_H
#define MAILSYNC_STORE_MAIL_KEY_H

#include "mailsync/store/maildir.h"

struct mail_key {
	uint8_t header[HEADER_DIGEST_SIZE];
	uint8_t body[CONTENT_DIGEST_SIZE];
	bool has_date; /* Date: */
	int64_t date;
};

struct mail_scan;

int mail_scan_create(struct mail_scan **scan, struct err *err);
/* *SCAN may be NULL. */
void mail_scan_destroy(struct mail_scan **scan);
int mail_scan_feed(struct mail_scan *scan, struct span data, struct err *err);
/* As if the data ended here; makes the scan ready for the next message. */
int mail_scan_result(struct mail_scan *scan, struct mail_key *key, struct err *err);

/* That of a message of FOLDER; without WITH_BODY no more is read than the header, and the body's
 * digest means nothing. -ERR_CHANGED when there is no such file. */
int mail_key_of_file(struct maildir_folder *folder, const struct maildir_entry *entry,
		     struct mail_scan *scan, bool with_body, struct mail_key *key, struct err *err);

#endif
