#include "claim.h"

#include "ownership.h"

/* A run that is going to change something says so first. */
int run_claim(struct run *run, struct err *err)
{
	if (run->session->has_generation || run->options->dry_run) {
		return 0;
	}
	int code = 0;
	if (!maildir_exists(run->session->maildir)) {
		struct maildir_params params = run->account->maildir;
		params.log = run->log;
		maildir_close(&run->session->maildir);
		code = maildir_open(&run->session->maildir, &params, true, err);
	}
	if (code == 0) {
		code = ownership_claim(run->session->maildir, run->session->state, run->account,
				       err);
	}
	run->session->has_generation = code == 0;
	return code;
}

int mailbox_forget_base(struct run *run, struct mailbox *mailbox, struct err *err)
{
	int code = run_claim(run, err);
	if (code == 0) {
		code = state_mailbox_clear(run->session->state, mailbox->base.id, err);
	}
	if (code < 0) {
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
