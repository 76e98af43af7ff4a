/* UID SEARCH decides what is gone where a view's counts do not fit (D32 to D34). */
#include <inttypes.h>

#include "guard/guard.h"
#include "observe_private.h"

struct uid_listing {
	struct run *run;
	struct mailbox *mailbox;
	struct uidset uids;
	struct uid_facts facts;
};

static void settle_numbers(struct uid_listing *listing)
{
	struct mailbox *mailbox = listing->mailbox;
	const struct uidset *uids = &listing->uids;
	struct numbers viewed = mailbox->view.numbers;
	mailbox->view.state = uids_next_state(&listing->facts);
	if (uids_prove_numbers(&listing->facts, &viewed)) {
		viewed.messages = told(listing->facts.listed);
		numbers_store(&mailbox->base, &viewed,
			      uids->count == 0 ? 0 : uids->ranges[uids->count - 1].last);
	}
}

static int commit_listing(struct uid_listing *listing, struct err *err)
{
	struct state *state = listing->run->session->state;
	struct mailbox *mailbox = listing->mailbox;
	uint32_t from = listing->facts.is_window ? listing->uids.ranges[0].first : 1;
	struct uidset gone;
	uint64_t changes = 0;
	uint64_t count = 0;
	int code;
	if ((code = run_begin(listing->run, err)) < 0) {
		return code;
	}
	uidset_init(&gone);
	code = uidset_gaps(&listing->uids, from, &gone, err);
	for (size_t i = 0; code == 0 && i < gone.count; i++) {
		code = state_see_remote_gone(state, mailbox->base.id, gone.ranges[i].first,
					     gone.ranges[i].last, &count, err);
		changes += code == 0 ? count : 0;
	}
	if (code == 0 && (code = state_count_remote(state, mailbox->base.id,
						    &listing->facts.present, err)) == 0) {
		settle_numbers(listing);
		code = remote_delta_store(listing->run, mailbox, changes, err);
	}
	uidset_finish(&gone);
	return state_end(state, code, err);
}

int remote_uids_apply(struct run *run, struct remote *remote, struct mailbox *mailbox,
		      struct err *err)
{
	struct uid_listing listing = {.run = run, .mailbox = mailbox};
	struct uid_facts *facts = &listing.facts;
	struct remote_opened opened = {0};
	struct told exists;
	int code;
	mailbox->view.state = VIEW_NONE;
	uidset_init(&listing.uids);
	if ((code = remote_open(remote, mailbox->wire, REMOTE_READ | REMOTE_ANEW,
				mailbox->base.numbers.uidvalidity, &opened, err)) < 0 ||
	    (code = remote_uids(remote, REMOTE_UIDS_ALL, &listing.uids, &exists, err)) < 0) {
		goto finish;
	}
	facts->listed = uidset_size(&listing.uids);
	facts->modseq = opened.numbers.modseq;
	facts->is_window =
		view_is_window(remote_facts(remote)->shows_window, facts->listed, exists);
	if (rows_fit(facts->listed, exists, false)) {
		code = commit_listing(&listing, err);
	} else {
		log_line(run->log, LOG_INFO,
			 "%s/%s: the server lists %" PRIu64 " of %" PRIu64
			 " messages; nothing is taken for removed",
			 run->account->name, mailbox->name, facts->listed, exists.number);
	}
finish:
	remote_opened_finish(&opened);
	uidset_finish(&listing.uids);
	return code;
}
