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

static bool is_same_list(const uint32_t *one, const uint32_t *two, size_t count)
{
	return memcmp(one, two, count * sizeof(*one)) == 0;
}

/* What MORE adds to what was told before of the same command: some servers tell in parts, some tell
 * all of it twice. */
static int add_copied(struct remote_copied *copied, const struct imap_copyuid *more,
		      struct err *err)
{
	bool is_again = copied->count == more->count &&
			is_same_list(copied->from, more->from, more->count) &&
			is_same_list(copied->to, more->to, more->count);
	size_t count = copied->count + more->count;
	if (is_again || count > COPYUID_MAX) {
		return 0;
	}
	uint32_t *from = realloc(copied->from, count * sizeof(*from));
	copied->from = from == NULL ? copied->from : from;
	uint32_t *to = realloc(copied->to, count * sizeof(*to));
	copied->to = to == NULL ? copied->to : to;
	if (from == NULL || to == NULL) {
		return err_nomem(err);
	}
	memcpy(from + copied->count, more->from, more->count * sizeof(*from));
	memcpy(to + copied->count, more->to, more->count * sizeof(*to));
	copied->count = count;
	return 0;
}

static int note_copied(const struct imap_code *code, struct remote_done *done, struct err *err)
{
	struct imap_copyuid more;
	struct err why;
	int status = 0;
	if (imap_code_copyuid(code, COPYUID_MAX, &more, &why) < 0) {
		return 0;
	}
	if (!done->has_copied) {
		done->copied = (struct remote_copied){more.from, more.to, more.count};
		done->uidvalidity = told(more.uidvalidity);
		done->has_copied = true;
		return 0;
	}
	if (told_is(done->uidvalidity, more.uidvalidity)) {
		status = add_copied(&done->copied, &more, err);
	}
	imap_copyuid_finish(&more);
	return status;
}

/* A malformed APPENDUID or COPYUID counts as none: the result is then looked for. */
static int note_uids(struct imap *imap, const struct imap_code *code, struct remote_done *done,
		     struct err *err)
{
	struct err why;
	if (code->type == IMAP_CODE_COPYUID) {
		return note_copied(code, done, err);
	}
	if (code->type == IMAP_CODE_APPENDUID) {
		uint32_t uidvalidity = 0;
		done->has_appended = imap_code_appenduid(code, COPYUID_MAX, &uidvalidity,
							 &done->appended, &why) == 0;
		done->uidvalidity = done->has_appended ? told(uidvalidity) : UNTOLD;
		if (!done->has_appended) {
			log_line(imap->log, LOG_INFO,
				 "%s: the server's APPENDUID makes no sense: %s", imap->label,
				 why.text);
		}
	}
	return 0;
}

/* [MODIFIED set]: these were left as they were, though the command was answered OK (RFC 7162
 * 3.1.3). Where the set cannot be read they may be any. */
static void note_modified(const struct imap_code *code, struct remote_done *done)
{
	struct err why;
	if (done->status == 0 && code->type == IMAP_CODE_MODIFIED &&
	    uidset_parse(&done->refused, code->args, COPYUID_MAX, &why) < 0) {
		done->refusal = REMOTE_REFUSAL_OTHER;
		done->status = err_set(&done->err, ERR_REFUSED, SCOPE_MAILBOX,
				       "the server left some messages as they were and does not "
				       "tell which");
	}
}

void imap_done_of_tagged(const struct imap_event *event, const struct imap_command *command,
			 const char *what, struct remote_done *done)
{
	/* What was done is done, whatever line beside it cannot be read; but the UIDs are then not
	 * all told, and what became of the rest is looked for. */
	done->has_copied &= command->broken == 0;
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
			code = note_uids(imap, &event.code, done, err);
			if (code < 0) {
				return code;
			}
		}
		if (event.type == IMAP_TAGGED && imap_command_answered(imap, &event, &command) &&
		    command.kind == IMAP_COMMAND_CHANGE) {
			imap_done_of_tagged(&event, &command, "a change", done);
			note_modified(&event.code, done);
			return 0;
		}
	}
}
