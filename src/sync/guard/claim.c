#include "claim.h"

#include "ownership.h"

static int make_root(struct session *session, struct log *log, struct err *err)
{
	struct maildir_params params = session->account->maildir;
	if (maildir_exists(session->maildir)) {
		return 0;
	}
	params.log = log;
	maildir_close(&session->maildir);
	return maildir_open(&session->maildir, &params, true, err);
}

int run_claim(struct run *run, struct err *err)
{
	struct session *session = run->session;
	int code;
	if (session->has_generation || session->is_scratch) {
		return 0;
	}
	if ((code = make_root(session, run->log, err)) < 0 ||
	    (code = ownership_claim(session->maildir, session->state, run->account, err)) < 0) {
		return code;
	}
	session->has_generation = true;
	return 0;
}

int mailbox_forget_base(struct run *run, struct mailbox *mailbox, struct err *err)
{
	int code;
	if ((code = run_claim(run, err)) < 0 ||
	    (code = state_mailbox_clear(run->session->state, mailbox->base.id, err)) < 0) {
		return code;
	}
	mailbox->base.uidvalidity = 0;
	mailbox->base.uidnext = 0;
	mailbox->base.modseq = 0;
	mailbox->base.messages = 0;
	mailbox->base.has_stamp = false;
	mailbox->base.synced_at = 0; /* until it is paired and synced, by whichever run */
	mailbox->decided.pairing = PAIRING_ALL;
	return 0;
}
