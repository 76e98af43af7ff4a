/*
 * Mail that goes out into files: one mbox (proto/mbox.h: mboxrd), or a folder with a file for each
 * message. What is there already under the name of an mbox is replaced once the new one is whole;
 * files of messages are named by date and content, so that one that is there is the same.
 *
 *     mail_sink_open(&sink, &params, &err)
 *     mail_sink_begin(sink, NULL, mailbox, date, &err), mail_sink_write ..., mail_sink_end     each
 *     mail_sink_finish(sink, &err)                it is whole, and durable
 *     mail_sink_close(&sink)                      without that: what was begun goes
 *
 * Threads: one at a time.
 */
#ifndef MAILSYNC_STORE_MAIL_SINK_H
#define MAILSYNC_STORE_MAIL_SINK_H

#include <stdbool.h>
#include <stdint.h>

#include "mailsync/base/err.h"
#include "mailsync/base/span.h"

struct mail_sink_params {
	bool is_folder; /* PATH is the folder of folders, one a mailbox, made where it is missing */
	const char *path; /* NULL: standard output, an mbox */
};

struct mail_sink;

/* PARAMS are borrowed until it is closed. Errors are -ERR_LOCAL; -ERR_PARTIAL for a mailbox whose
 * name no folder can have. */
int mail_sink_open(struct mail_sink **sink, const struct mail_sink_params *params, struct err *err);
void mail_sink_close(struct mail_sink **sink);
/* FOLDER: between the folder and that of the mailbox; or NULL. */
int mail_sink_begin(struct mail_sink *sink, const char *folder, const char *mailbox, int64_t date,
		    struct err *err);
int mail_sink_write(struct mail_sink *sink, struct span data, struct err *err);
int mail_sink_end(struct mail_sink *sink, struct err *err);
int mail_sink_finish(struct mail_sink *sink, struct err *err);
/* True once whoever reads standard output went away: what is written to it since is lost, and no
 * failure. */
bool mail_sink_is_unread(const struct mail_sink *sink);

#endif
