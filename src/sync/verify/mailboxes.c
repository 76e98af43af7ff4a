/* Mailbox by mailbox. */
#include "verify.h"

#include <string.h>

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
	uidset_finish(&at->damaged);
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

/* Over POP3 there is nothing to be compared but bodies. */
static int look_there(struct verify_mailbox *at, struct err *err)
{
	const struct mailbox *mailbox = at->mailbox;
	enum verify_level level = at->verify->options->level;
	bool is_seen = mailbox_is_active(mailbox) && mailbox->wire != NULL &&
		       (mailbox->seen.in & SIDE_REMOTE) != 0;
	if (level == VERIFY_FILES || !is_seen) {
		return 0;
	}
	int code = verify_server(at, err);
	return code < 0 || level < VERIFY_BYTES ? code : verify_bytes(at, err);
}

static int look_at(struct verify_mailbox *at, struct err *err)
{
	struct verify *verify = at->verify;
	uint64_t messages = 0;
	int code;
	if ((code = count_messages(at, &messages, err)) < 0 ||
	    (code = share_begin(&at->share, verify, at->mailbox, messages, err)) < 0 ||
	    (code = verify_open_folder(at, err)) < 0 || (code = verify_files(at, err)) < 0 ||
	    (code = verify_pending(at, err)) < 0 || (code = look_there(at, err)) < 0) {
		return code;
	}
	return share_end(&at->share, verify, at->mailbox, err);
}

int verify_mailboxes(struct verify *verify, struct err *err)
{
	struct run *run = verify->run;
	int code = state_moves_load(run->session->state, 0, &verify->moves, err);
	for (size_t i = 0; code == 0 && i < run->mailboxes.count; i++) {
		struct verify_mailbox at = {
			.verify = verify,
			.mailbox = &run->mailboxes.items[i],
		};
		if (!takes_part(run, at.mailbox)) {
			continue;
		}
		code = look_at(&at, err);
		if (code < 0 && !run_is_fatal_in_folder(err)) {
			run_report_error(run, at.mailbox, 0, err);
			code = 0;
		}
		finish(&at);
	}
	return code;
}
