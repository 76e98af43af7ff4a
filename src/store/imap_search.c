/* UID SEARCH: which messages there are, or are marked. */
#include "imap_private.h"

/* An answer to UID SEARCH, as it comes. */
struct search {
	struct imap_ranges found;
	bool is_told;
};

static int search_read(struct imap *imap, struct search *search, struct imap_command *command,
		       struct err *err)
{
	for (;;) {
		struct imap_event event;
		int code = imap_event_next(imap, &event, err);
		if (code == 0 && event.type == IMAP_NUMBERS) {
			code = imap_ranges_add(&search->found, event.range, err);
		}
		if (code < 0) {
			return code;
		}
		search->is_told |= event.type == IMAP_NUMBERS_END;
		if (event.type == IMAP_TAGGED && imap_command_answered(imap, &event, command)) {
			return imap_answer_error(&event, command, "SEARCH", err);
		}
	}
}

int imap_uids(struct remote *remote, enum remote_which which, struct uidset *uids,
	      struct told *exists, struct err *err)
{
	struct imap *imap = imap_of(remote);
	struct search search = {.is_told = false};
	struct imap_command command = {.tag = 0};
	const char *all = (imap->caps & IMAP_CAP_ESEARCH) != 0 ? "UID SEARCH RETURN (ALL) ALL"
							       : "UID SEARCH ALL";
	int code;
	imap_line_begin(imap);
	buf_append_cstr(&imap->line, which == REMOTE_UIDS_ALL ? all : "UID SEARCH DELETED");
	if ((code = imap_line_end(imap, IMAP_COMMAND_SIMPLE, 0, err)) < 0 ||
	    (code = search_read(imap, &search, &command, err)) < 0) {
		goto finish;
	}
	*exists = command.exists;
	if (which == REMOTE_UIDS_ALL && !command.exists.is_told) {
		code = imap_exists_untold(err);
	} else if (!search.is_told && !told_is(command.exists, 0)) {
		/* Silence is not "none". */
		code = err_set(err, ERR_PARTIAL, SCOPE_MAILBOX,
			       "the server answered SEARCH and did not say what it found");
	} else {
		code = imap_ranges_take(&search.found, uids, err);
	}
finish:
	imap_ranges_finish(&search.found);
	return code;
}
