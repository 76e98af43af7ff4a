/* Flags, copies, moves, expunges, and mailboxes made, renamed and removed: queued, and answered one
 * by one. */
#include <stdlib.h>
#include <string.h>

#include "mailsync/model/flags.h"

#include "imap_private.h"

#define COPYUID_MAX 100000 /* UIDs of one command of ours at most */

static const char *verb_of(const struct remote_change *change)
{
	static const char *const verbs[] = {
		[REMOTE_STORE] = "UID STORE ",         [REMOTE_EXPUNGE] = "UID EXPUNGE ",
		[REMOTE_EXPUNGE_ALL] = "EXPUNGE",      [REMOTE_COPY] = "UID COPY ",
		[REMOTE_MOVE] = "UID MOVE ",           [REMOTE_CREATE] = "CREATE ",
		[REMOTE_DELETE] = "DELETE ",           [REMOTE_SUBSCRIBE] = "SUBSCRIBE ",
		[REMOTE_UNSUBSCRIBE] = "UNSUBSCRIBE ", [REMOTE_RENAME] = "RENAME ",
	};
	return verbs[change->kind];
}

static void append_flags(struct imap *imap, const struct remote_change *change)
{
	buf_append_cstr(&imap->line, change->is_add ? " +FLAGS.SILENT (" : " -FLAGS.SILENT (");
	flags_to_imap(change->flags, change->keywords, &imap->line);
	buf_append_char(&imap->line, ')');
}

/* What follows the verb. */
static int append_rest(struct imap *imap, const struct remote_change *change, struct err *err)
{
	int code = 0;
	switch (change->kind) {
	case REMOTE_EXPUNGE_ALL:
		return 0;
	case REMOTE_EXPUNGE:
		imap_line_uids(imap, change->uids);
		return 0;
	case REMOTE_STORE:
		imap_line_uids(imap, change->uids);
		append_flags(imap, change);
		return 0;
	case REMOTE_COPY:
	case REMOTE_MOVE:
		imap_line_uids(imap, change->uids);
		buf_append_char(&imap->line, ' ');
		return imap_line_string(imap, change->wire, err);
	case REMOTE_RENAME:
		code = imap_line_string(imap, change->wire, err);
		buf_append_char(&imap->line, ' ');
		return code < 0 ? code : imap_line_string(imap, change->to, err);
	case REMOTE_CREATE:
	case REMOTE_DELETE:
	case REMOTE_SUBSCRIBE:
	case REMOTE_UNSUBSCRIBE:
		break;
	}
	return imap_line_string(imap, change->wire, err);
}

int imap_change_queue(struct remote *remote, const struct remote_change *change, uint64_t number,
		      struct err *err)
{
	struct imap *imap = imap_of(remote);
	imap_line_begin(imap);
	buf_append_cstr(&imap->line, verb_of(change));
	int code = append_rest(imap, change, err);
	return code < 0 ? code : imap_line_end(imap, IMAP_COMMAND_CHANGE, number, err);
}

static bool note_copied(const struct imap_code *code, struct remote_done *done)
{
	struct imap_copyuid copied;
	struct err why;
	if (imap_code_copyuid(code, COPYUID_MAX, &copied, &why) < 0) {
		return false;
	}
	done->copied = (struct remote_copied){copied.from, copied.to, copied.count};
	done->uidvalidity = copied.uidvalidity;
	return true;
}

/* A malformed APPENDUID or COPYUID counts as none: the result is then looked for. */
static void note_uids(struct imap *imap, const struct imap_code *code, struct remote_done *done)
{
	struct err why;
	if (code->type == IMAP_CODE_COPYUID && !done->has_copied) {
		done->has_copied = note_copied(code, done);
	} else if (code->type == IMAP_CODE_APPENDUID) {
		done->has_appended = imap_code_appenduid(code, COPYUID_MAX, &done->uidvalidity,
							 &done->appended, &why) == 0;
		if (!done->has_appended) {
			log_line(imap->log, LOG_INFO,
				 "%s: the server's APPENDUID makes no sense: %s", imap->label,
				 why.text);
		}
	}
}

void imap_done_of_tagged(const struct imap_event *event, const struct imap_command *command,
			 const char *what, struct remote_done *done)
{
	done->cookie = command->cookie;
	done->refusal = imap_refusal(event);
	done->status = imap_status_error(event, what, &done->err);
}

int imap_done_next(struct remote *remote, struct remote_done *done, struct err *err)
{
	struct imap *imap = imap_of(remote);
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
			imap_done_of_tagged(&event, &command, "a change", done);
			return 0;
		}
	}
}
