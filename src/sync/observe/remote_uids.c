/*
 * UID SEARCH decides what is gone where views cannot (D32 to D38). What it lists and no view shows
 * is there, and gets a row that says so.
 */
#include <inttypes.h>

#include "mailsync/base/clock.h"

#include "guard/guard.h"
#include "observe_private.h"

struct uid_listing {
	struct run *run;
	struct mailbox *mailbox;
	struct uidset uids;
	struct uid_facts facts;
	struct told exists; /* as told */
	struct surplus surplus;
	uint64_t changes;
	uint64_t unseen; /* rows made for what is not shown */
	size_t unkept;   /* D40 */
};

/* What could not be read, and what a listing of all did not show, has to be looked at again. */
static bool was_read(const struct uid_listing *listing)
{
	const struct mailbox_view *look = &listing->mailbox->view;
	return look->unread + look->unseen + listing->unseen == 0 &&
	       (!look->asked.was_listed || told_is(look->listed, listing->facts.listed));
}

static void settle_numbers(struct uid_listing *listing)
{
	struct mailbox *mailbox = listing->mailbox;
	const struct uidset *uids = &listing->uids;
	struct numbers viewed = mailbox->view.numbers;
	mailbox->view.state = uids_next_state(&listing->facts);
	if (uids_prove_numbers(&listing->facts, &viewed)) {
		viewed.modseq = was_read(listing) ? viewed.modseq : UNTOLD;
		viewed.messages = listing->exists;
		numbers_store(&mailbox->base, &viewed,
			      uids->count == 0 ? 0 : uids->ranges[uids->count - 1].last);
	}
}

static int see_gone(struct uid_listing *listing, struct err *err)
{
	struct mailbox *mailbox = listing->mailbox;
	uint32_t from = listing->facts.is_window ? listing->uids.ranges[0].first : 1;
	struct uidset gone;
	uint64_t count = 0;
	uidset_init(&gone);
	int code =
		unkept_put_all(listing->run, mailbox, &listing->uids, from, &listing->unkept, err);
	listing->changes += listing->unkept;
	code = code < 0 ? code : uidset_gaps(&listing->uids, from, &gone, err);
	for (size_t i = 0; code == 0 && i < gone.count; i++) {
		code = observe_gone_there(listing->run, mailbox, gone.ranges[i].first,
					  gone.ranges[i].last, &count, err);
		listing->changes += code == 0 ? count : 0;
	}
	uidset_finish(&gone);
	return code;
}

static int put_unseen(struct uid_listing *listing, uint32_t uid, struct err *err)
{
	struct state *state = listing->run->session->state;
	struct row row;
	bool found = false;
	row_init(&row);
	int code = state_row_by_uid(state, listing->mailbox->base.id, uid, &row, &found, err);
	if (code == 0 && !found) {
		row.mailbox = listing->mailbox->base.id;
		row.uid = uid;
		row.remote = MESSAGE_PRESENT;
		row.reason = REASON_UNSEEN;
		row.date = told_time(clock_real_s()); /* since when */
		code = state_row_put(state, &row, err);
		listing->unseen++;
		listing->changes++;
		listing->facts.present++;
	}
	row_finish(&row);
	return code;
}

/* D37. What came after the view is left to the next one. */
static int see_unseen(struct uid_listing *listing, struct err *err)
{
	const struct mailbox_view *look = &listing->mailbox->view;
	struct uidset_cursor cursor = {0};
	uint32_t uid = 0;
	int code = 0;
	bool is_due = look->asked.was_listed && listing->facts.present < listing->facts.listed;
	while (is_due && code == 0 && uidset_next(&listing->uids, &cursor, &uid)) {
		if (uid < told_or(look->numbers.uidnext, UINT64_MAX)) {
			code = put_unseen(listing, uid, err);
		}
	}
	return code;
}

static int commit_listing(struct uid_listing *listing, struct err *err)
{
	struct state *state = listing->run->session->state;
	struct mailbox *mailbox = listing->mailbox;
	uint64_t *present = &listing->facts.present;
	int code;
	if ((code = run_begin(listing->run, err)) < 0) {
		return code;
	}
	if ((code = see_gone(listing, err)) == 0 &&
	    (code = state_count_remote(state, mailbox->base.id, present, err)) == 0 &&
	    (code = see_unseen(listing, err)) == 0) {
		settle_numbers(listing);
		code = remote_delta_store(listing->run, mailbox, listing->changes, err);
	}
	return state_end(state, code, err);
}

/* The mailbox was not seen whole: it is told, with what to do. */
static void report_short(struct uid_listing *listing)
{
	struct mailbox *mailbox = listing->mailbox;
	struct err why;
	err_set(&why, ERR_PARTIAL, SCOPE_MAILBOX,
		"the server counts %" PRIu64 " messages in \"%s\" and lists %" PRIu64
		": until both agree nothing of it is taken for deleted or paired. It is "
		"looked at again in each run, and an hour of the same difference is taken for the "
		"server's way of counting; if it stays, have the mailbox repaired on the server",
		listing->exists.number, mailbox->name, listing->facts.listed);
	run_report_error(listing->run, mailbox, 0, &why);
	mailbox->view.is_short = true;
}

/* The counts are off, and a listing of all says so, too (D38). *IS_FIT: they are so always. */
static int judge_surplus(struct uid_listing *listing, bool *is_fit, struct err *err)
{
	struct mailbox_view *look = &listing->mailbox->view;
	const struct uid_facts *facts = &listing->facts;
	if (!look->asked.was_listed) {
		look->state = VIEW_INCOMPLETE;
		return 0;
	}
	if (look->unread > 0 || !told_is(look->listed, facts->listed)) {
		report_short(listing);
		return 0;
	}
	listing->surplus =
		surplus_next(&listing->surplus, facts->listed, listing->exists, clock_real_s());
	*is_fit = listing->surplus.is_proven;
	if (!*is_fit) {
		report_short(listing);
	}
	return surplus_store(listing->run, listing->mailbox, &listing->surplus, err);
}

/* Flags that nobody could read are not known, and no row says so of a message that is known. */
static void report_unread(struct uid_listing *listing)
{
	const struct mailbox_view *look = &listing->mailbox->view;
	struct err why;
	if (look->state != VIEW_NONE || look->unread <= listing->unseen + look->unseen) {
		return;
	}
	err_set(&why, ERR_PARTIAL, SCOPE_MAILBOX,
		"%" PRIu64 " lines of what the server tells of \"%s\" cannot be read; the mailbox "
		"is looked at again in the next run, and if that does not help, repair it on the "
		"server",
		look->unread, listing->mailbox->name);
	run_report_error(listing->run, listing->mailbox, 0, &why);
}

static int judge_listing(struct uid_listing *listing, struct err *err)
{
	const struct uid_facts *facts = &listing->facts;
	bool is_right = rows_fit(facts->listed, listing->exists, false);
	bool is_fit =
		is_right || facts->is_window ||
		rows_fit(facts->listed, surplus_less(&listing->surplus, listing->exists), false);
	int code = 0;
	if (is_right && listing->surplus.offset != 0) {
		listing->surplus = (struct surplus){0};
		code = surplus_store(listing->run, listing->mailbox, &listing->surplus, err);
	} else if (!is_fit) {
		code = judge_surplus(listing, &is_fit, err);
	}
	if (code == 0 && is_fit && (code = commit_listing(listing, err)) == 0) {
		report_unread(listing);
	}
	return code;
}

int remote_uids_apply(struct run *run, struct remote *remote, struct mailbox *mailbox,
		      struct err *err)
{
	struct uid_listing listing = {.run = run, .mailbox = mailbox};
	struct uid_facts *facts = &listing.facts;
	struct remote_opened opened = {0};
	int code;
	mailbox->view.state = VIEW_NONE;
	uidset_init(&listing.uids);
	if ((code = surplus_load(run, mailbox, &listing.surplus, err)) < 0 ||
	    (code = remote_open(remote, mailbox->wire, REMOTE_READ | REMOTE_ANEW,
				mailbox->base.numbers.uidvalidity, &opened, err)) < 0 ||
	    (code = remote_uids(remote, REMOTE_UIDS_ALL, &listing.uids, &listing.exists, err)) <
		    0) {
		goto finish;
	}
	facts->listed = uidset_size(&listing.uids);
	facts->modseq = opened.numbers.modseq;
	facts->was_listed = mailbox->view.asked.was_listed;
	facts->is_window =
		view_is_window(remote_facts(remote)->message_limit, facts->listed, listing.exists);
	mailbox->seen.is_window |= facts->is_window;
	code = judge_listing(&listing, err);
finish:
	remote_opened_finish(&opened);
	uidset_finish(&listing.uids);
	return code;
}
