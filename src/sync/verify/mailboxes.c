/* Mailbox by mailbox. */
#include "verify.h"

#include <stdlib.h>
#include <string.h>

#include "mailsync/base/array.h"

#include "observe/observe.h"

/* Those that base knows, and that the account and the command line name. */
static bool takes_part(const struct run *run, const struct mailbox *mailbox)
{
	return mailbox->in_base && mailbox->decided.exclusion != EXCLUDED_BY_NAME &&
	       (!run->account->is_pop3 || strcmp(mailbox->name, "INBOX") == 0);
}

static void finish(struct verify_mailbox *at)
{
	maildir_scan_finish(&at->scan);
	uidset_finish(&at->listed);
	strlist_finish(&at->accepted);
	free(at->damaged.rows.items);
	share_finish(&at->share);
	mailbox_release(at->mailbox);
}

static int count_messages(struct verify_mailbox *at, uint64_t *messages, struct err *err)
{
	struct state_proofs proofs = {0};
	if (!at->verify->run->account->is_pop3) {
		return state_count_agreed(at->verify->proofs, at->mailbox->base.id, messages, err);
	}
	int code = state_proofs_count(at->verify->proofs, &proofs, err);
	*messages = proofs.messages;
	return code;
}

/* Why one takes no part where the server is looked at. */
static const char *why_left_out(const struct mailbox *mailbox)
{
	switch (mailbox->decided.exclusion) {
	case EXCLUDED_UNSUBSCRIBED:
		return "the mailbox is not subscribed to, and `subscribed_only` leaves it out";
	case EXCLUDED_NOT_CREATED:
		return "the mailbox is on one side only, and `create` does not make it on the "
		       "other";
	case EXCLUDED_SUSPECT:
		return "the connection ended on the mailbox before";
	case EXCLUDED_WAITING:
		return "a rename or a removal of the mailbox waits";
	case EXCLUDED_NOT:
	case EXCLUDED_BY_NAME:
	case EXCLUDED_BARRED:
	case EXCLUDED_HOLLOW:
	case EXCLUDED_ADOPTED:
	case EXCLUDED_GONE:
	case EXCLUDED_UNTOLD:
	case EXCLUDED_FAILED:
		break;
	}
	return "the mailbox could not be looked at";
}

/* Files of a mailbox that is here alone, and that are to be on the server. */
static uint64_t count_unsent(const struct verify_mailbox *at)
{
	const struct run_policy *policy = &at->verify->run->policy;
	bool is_to_be_there =
		at->mailbox->seen.in == SIDE_LOCAL && (policy->messages.copy & SIDE_REMOTE) != 0;
	return is_to_be_there ? at->scan.count : 0;
}

static int look_there(struct verify_mailbox *at, struct err *err)
{
	const struct mailbox *mailbox = at->mailbox;
	enum verify_level level = at->verify->options->level;
	bool is_seen = mailbox_is_active(mailbox) && mailbox->wire != NULL &&
		       (mailbox->seen.in & SIDE_REMOTE) != 0;
	uint64_t count = 0;
	int code;
	if (at->verify->run->account->is_pop3) {
		return verify_maildrop(at, err);
	}
	if (level == VERIFY_FILES || mailbox->decided.remove != SIDE_NONE) {
		return 0; /* the latter: the next sync removes it */
	}
	if (is_seen) {
		code = verify_server(at, err);
		return code < 0 || level < VERIFY_BYTES ? code : verify_bytes(at, err);
	}
	code = state_count_remote(at->verify->run->session->state, mailbox->base.id, &count, err);
	verify_left_out(at, code < 0 ? 0 : count + count_unsent(at), why_left_out(mailbox));
	return code;
}

static int look_at(struct verify_mailbox *at, struct err *err)
{
	struct verify *verify = at->verify;
	uint64_t messages = 0;
	int code;
	if ((code = count_messages(at, &messages, err)) < 0 ||
	    (code = share_begin(&at->share, verify, at->mailbox, messages, err)) < 0 ||
	    (code = verify_open_folder(at, err)) < 0 || (code = verify_files(at, err)) < 0 ||
	    (code = verify_kept(at, err)) < 0 || (code = verify_pending(at, err)) < 0 ||
	    (code = look_there(at, err)) < 0) {
		return code;
	}
	return share_end(&at->share, verify, at->mailbox, err);
}

/* One that base does not know: the next sync brings it, or nothing does. */
static int look_at_new(struct verify_mailbox *at, struct err *err)
{
	const struct mailbox *mailbox = at->mailbox;
	enum exclusion exclusion = mailbox->decided.exclusion;
	if (exclusion == EXCLUDED_BY_NAME || exclusion == EXCLUDED_GONE ||
	    exclusion == EXCLUDED_ADOPTED || exclusion == EXCLUDED_UNSUBSCRIBED) {
		return 0;
	}
	int code = verify_open_folder(at, err);
	uint64_t count = count_unsent(at) + told_or(mailbox->seen.numbers.messages, 0);
	if (code == 0 && exclusion == EXCLUDED_NOT) {
		at->verify->report->pending += count;
	} else if (code == 0) {
		verify_left_out(at, count, why_left_out(mailbox));
	}
	return code;
}

/* AT, and go on with the next one whatever comes of it. */
static int look(struct verify_mailbox *at,
		int (*look_at_it)(struct verify_mailbox *at, struct err *err), struct err *err)
{
	int code = look_at_it(at, err);
	if (code < 0 && !run_is_fatal_in_folder(err)) {
		run_report_error(at->verify->run, at->mailbox, 0, err);
		code = 0;
	}
	code = code < 0 ? code : verify_write_accepted(at, err);
	finish(at);
	return code;
}

static int look_at_kept(struct verify_mailbox *at, struct err *err)
{
	int code = share_begin(&at->share, at->verify, at->mailbox, 0, err);
	code = code < 0 ? code : verify_open_folder(at, err);
	code = code < 0 ? code : verify_kept(at, err);
	return code < 0 ? code : share_end(&at->share, at->verify, at->mailbox, err);
}

/* What is to be kept of mailboxes that base has no more. */
static int look_at_forgotten(struct verify *verify, struct err *err)
{
	struct run *run = verify->run;
	struct strlist names;
	strlist_init(&names);
	int code = state_kept_names(verify->proofs, &names, err);
	for (size_t i = 0; code == 0 && i < names.count; i++) {
		struct mailbox gone = {.name = names.items[i]};
		struct mailbox *mailbox = run_mailbox(run, names.items[i]);
		struct verify_mailbox at = {
			.verify = verify,
			.mailbox = mailbox != NULL ? mailbox : &gone,
		};
		if (run_names(run, names.items[i]) && run_selects(run, names.items[i]) &&
		    (mailbox == NULL || !takes_part(run, mailbox))) {
			code = look(&at, look_at_kept, err);
		}
	}
	strlist_finish(&names);
	return code;
}

/* Files that the next sync finds in another folder, under their name or, with another, by what they
 * hold. */
static int load_moves(struct verify *verify, struct err *err)
{
	struct run *run = verify->run;
	struct state_moves moves = {0};
	int code = state_moves_load(run->session->state, 0, &moves, err);
	code = code < 0 ? code : find_moves(run, MOVE_SEEN_RENAMED, &moves, err);
	code = code < 0 ? code
			: ARRAY_RESERVE(&verify->moved.items, moves.count, &verify->moved.cap, err);
	code = code < 0 ? code
			: ARRAY_RESERVE(&verify->moved_to.items, moves.count, &verify->moved_to.cap,
					err);
	for (size_t i = 0; code == 0 && i < moves.count; i++) {
		verify->moved.items[verify->moved.count++] = moves.items[i].gone_row;
		verify->moved_to.items[verify->moved_to.count++] = moves.items[i].new_row;
	}
	row_ids_sort(&verify->moved);
	row_ids_sort(&verify->moved_to);
	state_moves_finish(&moves);
	return code;
}

int verify_mailboxes(struct verify *verify, struct err *err)
{
	struct run *run = verify->run;
	bool is_there = !run->account->is_pop3 && verify->options->level != VERIFY_FILES;
	int code = run->account->is_pop3 ? 0 : load_moves(verify, err);
	for (size_t i = 0; code == 0 && i < run->mailboxes.count; i++) {
		struct verify_mailbox at = {
			.verify = verify,
			.mailbox = &run->mailboxes.items[i],
		};
		if (takes_part(run, at.mailbox)) {
			code = look(&at, look_at, err);
		} else if (is_there && !at.mailbox->in_base) {
			code = look(&at, look_at_new, err);
		}
	}
	return code < 0 ? code : look_at_forgotten(verify, err);
}
