/* Flags, copies, moves, expunges, and mailboxes made, renamed and removed: queued, and answered one
 * by one. */
#include <stdlib.h>
#include <string.h>

#include "mailsync/model/flags.h"

#include "imap_private.h"

#define COPYUID_MAX 100000 /* UIDs of one command of ours at most */

int imap_store_queue(struct imap *imap, const struct imap_store_request *request, uint64_t cookie,
		     struct err *err)
{
	imap_line_begin(imap);
	buf_append_cstr(&imap->line, "UID STORE ");
	buf_append_span(&imap->line, request->uids);
	buf_append_cstr(&imap->line, request->add ? " +FLAGS.SILENT (" : " -FLAGS.SILENT (");
	flags_to_imap(request->flags, request->keywords, &imap->line);
	buf_append_char(&imap->line, ')');
	return imap_line_end(imap, IMAP_COMMAND_CHANGE, cookie, err);
}

int imap_expunge_queue(struct imap *imap, struct span uids, uint64_t cookie, struct err *err)
{
	imap_line_begin(imap);
	if (uids.len == 0) {
		buf_append_cstr(&imap->line, "EXPUNGE");
	} else {
		buf_append_cstr(&imap->line, "UID EXPUNGE ");
		buf_append_span(&imap->line, uids);
	}
	return imap_line_end(imap, IMAP_COMMAND_CHANGE, cookie, err);
}

int imap_copy_queue(struct imap *imap, struct span uids, const char *wire, bool move,
		    uint64_t cookie, struct err *err)
{
	imap_line_begin(imap);
	buf_append_cstr(&imap->line, move ? "UID MOVE " : "UID COPY ");
	buf_append_span(&imap->line, uids);
	buf_append_char(&imap->line, ' ');
	int code = imap_line_string(imap, wire, err);
	return code < 0 ? code : imap_line_end(imap, IMAP_COMMAND_CHANGE, cookie, err);
}

int imap_admin_queue(struct imap *imap, enum imap_admin what, const char *wire, uint64_t cookie,
		     struct err *err)
{
	static const char *const verbs[] = {
		[IMAP_CREATE] = "CREATE ",
		[IMAP_DELETE] = "DELETE ",
		[IMAP_SUBSCRIBE] = "SUBSCRIBE ",
		[IMAP_UNSUBSCRIBE] = "UNSUBSCRIBE ",
	};
	imap_line_begin(imap);
	buf_append_cstr(&imap->line, verbs[what]);
	int code = imap_line_string(imap, wire, err);
	return code < 0 ? code : imap_line_end(imap, IMAP_COMMAND_CHANGE, cookie, err);
}

int imap_rename_queue(struct imap *imap, const char *from, const char *to, uint64_t cookie,
		      struct err *err)
{
	imap_line_begin(imap);
	buf_append_cstr(&imap->line, "RENAME ");
	int code = imap_line_string(imap, from, err);
	if (code == 0) {
		buf_append_char(&imap->line, ' ');
		code = imap_line_string(imap, to, err);
	}
	return code < 0 ? code : imap_line_end(imap, IMAP_COMMAND_CHANGE, cookie, err);
}

void imap_done_init(struct imap_done *done)
{
	memset(done, 0, sizeof(*done));
	uidset_init(&done->appended);
}

void imap_done_finish(struct imap_done *done)
{
	uidset_finish(&done->appended);
	imap_copyuid_finish(&done->copied);
	memset(done, 0, sizeof(*done));
}

/* A malformed APPENDUID or COPYUID counts as none: the result is then looked for. */
static void note_uids(struct imap *imap, const struct imap_code *code, struct imap_done *done)
{
	struct err why;
	if (code->type == IMAP_CODE_APPENDUID) {
		done->has_appenduid = imap_code_appenduid(code, COPYUID_MAX, &done->uidvalidity,
							  &done->appended, &why) == 0;
	} else if (code->type == IMAP_CODE_COPYUID && !done->has_copyuid) {
		done->has_copyuid = imap_code_copyuid(code, COPYUID_MAX, &done->copied, &why) == 0;
		done->uidvalidity = done->has_copyuid ? done->copied.uidvalidity : 0;
	}
	if (!done->has_appenduid && code->type == IMAP_CODE_APPENDUID) {
		log_line(imap->log, LOG_INFO, "%s: the server's APPENDUID makes no sense: %s",
			 imap->label, why.text);
	}
}

static void done_of_tagged(const struct imap_event *event, const struct imap_command *command,
			   struct imap_done *done)
{
	done->cookie = command->cookie;
	done->code = event->code.type;
	done->is_bad = event->status == IMAP_BAD;
	done->status = imap_status_error(event, "a change", &done->err);
}

int imap_done_next(struct imap *imap, struct imap_done *done, struct err *err)
{
	if (imap->append_no != NULL) {
		*done = *imap->append_no;
		free(imap->append_no);
		imap->append_no = NULL;
		return 0;
	}
	for (;;) {
		struct imap_event event;
		struct imap_command command;
		int code = imap_event_next(imap, &event, err);
		if (code < 0) {
			return code;
		}
		if (event.type == IMAP_UNTAGGED || event.type == IMAP_TAGGED) {
			/* COPYUID of MOVE comes untagged (RFC 6851 4.3). */
			note_uids(imap, &event.code, done);
		}
		if (event.type == IMAP_TAGGED && imap_command_answered(imap, &event, &command) &&
		    command.kind == IMAP_COMMAND_CHANGE) {
			done_of_tagged(&event, &command, done);
			return 0;
		}
	}
}
