/*
 * Mail out of an account's Maildir into files, and in from them: `export` and `import`. Neither
 * uses the network, nor the rows: what comes in is new mail, which the next sync uploads.
 */
#ifndef MAILSYNC_SYNC_TRANSFER_H
#define MAILSYNC_SYNC_TRANSFER_H

#include "mailsync/store/mail_sink.h"
#include "mailsync/sync/sync.h"

struct export_result {
	uint64_t messages;
	uint64_t bytes;         /* of them */
	uint64_t gone;          /* they went away meanwhile */
	struct strlist missing; /* mailboxes that were named and are not there */
};
void export_result_init(struct export_result *result);
void export_result_finish(struct export_result *result);

/* Writes the mailboxes that take part and that OPTIONS name, or all, into SINK, in the order of
 * dates; those of one second in that of their contents, so that equal mail gives equal files.
 * FOLDER: where the folders of mailboxes go; or NULL. */
int sync_export(const struct account *account, const struct sync_options *options,
		struct mail_sink *sink, const char *folder, struct export_result *result,
		struct err *err);

struct import_result {
	uint64_t imported;
	uint64_t bytes;   /* of these */
	uint64_t held;    /* the mailbox had them already */
	uint64_t unlike;  /* of the imported: there is one of the same header, with another body */
	uint64_t cut;     /* the file ended in them */
	uint64_t strange; /* files that are no mail */
	uint64_t failed;  /* messages that could not be delivered */
	struct strlist told; /* sentences: what of these there was, and files that are no mail */
};
void import_result_init(struct import_result *result);
void import_result_finish(struct import_result *result);

/* Which files, and where to: a canonical name. */
struct import_files {
	const char *mailbox;
	char *const *paths;
	size_t count;
};

/* Delivers what FILES hold and their mailbox, which is made where it is missing, does not
 * (mail_key.h). RESULT is filled as far as it came. Waits for the account's lock, or not, as
 * OPTIONS say. A file that is no mail is told, and is no failure. */
int sync_import(const struct account *account, const struct sync_options *options,
		const struct import_files *files, struct import_result *result, struct err *err);

#endif
