/*
 * What is not seen is not gone yet. A mailbox that the server does not list is asked after (M20,
 * M21 of rules/mailbox_rules.h) before anything is concluded, all of them and INBOX in one
 * pipeline; a folder in or below a place that could not be looked at is untold.
 */
#include "observe_private.h"

#include <stdlib.h>
#include <string.h>

#include "observe.h"

void observe_unreadable(struct run *run, struct mailbox *mailbox, const struct err *err)
{
	run_report_error(run, mailbox, 0, err);
	mailbox_exclude(mailbox, EXCLUDED_FAILED);
	mailbox->seen.is_unreadable = true;
	run->seen.has_unreadable = true;
	run->done.local_failed |= err->code == ERR_LOCAL;
}

static void note_untold(struct mailbox *mailbox, enum side side)
{
	mailbox->seen.untold |= side;
	mailbox_exclude(mailbox, EXCLUDED_UNTOLD);
}

void observe_untold_here(struct run *run, struct mailbox *mailbox, const struct err *why)
{
	if (mailbox->decided.exclusion == EXCLUDED_NOT) {
		observe_unreadable(run, mailbox, why);
	}
	note_untold(mailbox, SIDE_LOCAL);
}

void observe_blind(struct run *run, const struct maildir_blind *blind)
{
	struct err err;
	for (size_t i = 0; i < run->mailboxes.count; i++) {
		struct mailbox *mailbox = &run->mailboxes.items[i];
		const char *why = maildir_blind_why(run->session->maildir, blind, mailbox->name);
		bool is_known = mailbox->in_base && mailbox->base.had_local;
		bool is_inbox = why != NULL && why == blind->other_inbox;
		if (why != NULL && !(mailbox->seen.in & SIDE_LOCAL) &&
		    (is_known || is_inbox || !blind->has_lost_found)) {
			err_set(&err, is_inbox ? ERR_PARTIAL : ERR_LOCAL, SCOPE_MAILBOX, "%s", why);
			observe_untold_here(run, mailbox, &err);
		}
	}
	if (blind->has_lost_found) {
		err_set(&err, ERR_LOCAL, SCOPE_ACCOUNT,
			"a lost+found in the Maildir %s holds something: what is missing here may "
			"lie there, so nothing is deleted on the server for it; look, and remove "
			"what is left",
			run->account->maildir.root);
		run_report_error(run, NULL, 0, &err);
		run->seen.has_unreadable = true;
		run->done.local_failed = true;
	}
}

static bool is_lacking(const struct mailbox *mailbox)
{
	return mailbox->in_base && mailbox->base.had_remote && !(mailbox->seen.in & SIDE_REMOTE) &&
	       !mailbox->seen.is_unsubscribed;
}

/* Those that the server does not list, with their names there. */
struct lacking {
	struct mailbox **mailboxes;
	char **wires; /* owned; INBOX's is behind them */
	struct remote_counts *counts;
	size_t count;
};

static void lacking_finish(struct lacking *lacking)
{
	for (size_t i = 0; lacking->wires != NULL && lacking->counts != NULL && i <= lacking->count;
	     i++) {
		free(lacking->wires[i]);
		remote_counts_finish(&lacking->counts[i]);
	}
	free(lacking->mailboxes);
	free(lacking->wires);
	free(lacking->counts);
}

static char *wire_of(const struct run *run, const struct mailbox *mailbox)
{
	struct err ignored;
	struct buf text;
	buf_init(&text, MBNAME_MAX);
	char *wire = mbname_to_wire(&run->session->wire, mailbox->name, &text, &ignored) == 0
			   ? buf_steal(&text)
			   : NULL;
	buf_finish(&text);
	return wire;
}

static int lacking_gather(struct run *run, struct lacking *lacking, struct err *err)
{
	size_t most = run->mailboxes.count + 1;
	lacking->mailboxes = calloc(most, sizeof(*lacking->mailboxes));
	lacking->wires = calloc(most, sizeof(*lacking->wires));
	lacking->counts = calloc(most, sizeof(*lacking->counts));
	if (lacking->mailboxes == NULL || lacking->wires == NULL || lacking->counts == NULL) {
		return err_nomem(err);
	}
	for (size_t i = 0; i < run->mailboxes.count; i++) {
		struct mailbox *mailbox = &run->mailboxes.items[i];
		if (!is_lacking(mailbox)) {
			continue;
		}
		/* One that the command line leaves out is not asked after. */
		char *wire =
			mailbox->decided.exclusion == EXCLUDED_NOT ? wire_of(run, mailbox) : NULL;
		if (wire == NULL) {
			note_untold(mailbox, SIDE_REMOTE);
			continue;
		}
		lacking->mailboxes[lacking->count] = mailbox;
		lacking->wires[lacking->count++] = wire;
	}
	lacking->wires[lacking->count] = span_dup(SPAN_LIT("INBOX"));
	return lacking->wires[lacking->count] == NULL ? err_nomem(err) : 0;
}

static void tell(struct run *run, struct mailbox *mailbox, enum there there, bool may_be_left_out)
{
	struct err err;
	err_set(&err, ERR_PARTIAL, SCOPE_MAILBOX, "%s",
		there != THERE_YES && may_be_left_out
			? "the server does not list the mailbox any more, nor does it tell which "
			  "one has its special use now; it is left alone"
		: there == THERE_YES
			? "the server does not list the mailbox any more, and yet has it; it is "
			  "left alone"
			: "the server does not list the mailbox any more, and does not say either "
			  "that it is gone; it is left alone");
	run_report_error(run, mailbox, 0, &err);
}

static void conclude(struct run *run, struct mailbox *mailbox, char **wire,
		     const struct vanished_facts *facts, struct remote_counts *counts)
{
	enum there there = mailbox_absence(facts);
	if (there == THERE_NO) {
		return;
	}
	if (mailbox_is_always_there(facts)) { /* INBOX need not be listed */
		mailbox->seen.in |= SIDE_REMOTE;
		mailbox->seen.is_unlisted = true;
		mailbox->wire = *wire;
		*wire = NULL;
		mailbox_take_counts(&mailbox->seen, counts);
		return;
	}
	tell(run, mailbox, there, facts->may_be_left_out);
	note_untold(mailbox, SIDE_REMOTE);
}

/* L5 of rules/listing_rules.h: by this prefix and separator known mailboxes are missing. */
static int check_naming(const struct run *run, const struct lacking *lacking, struct err *err)
{
	if (!run->seen.is_named_otherwise || lacking->count == 0) {
		return 0;
	}
	return err_set(
		err, ERR_BRAKE, SCOPE_ACCOUNT,
		"the server names its mailboxes otherwise than before (prefix \"%s\", "
		"separator %c), and %s is not among them; nothing was done. If that is right, "
		"run once with --allow-mass-delete",
		run->session->wire.prefix, run->session->wire.separator,
		lacking->mailboxes[0]->name);
}

int observe_absent(struct run *run, struct err *err)
{
	struct lacking lacking = {0};
	int code = lacking_gather(run, &lacking, err);
	code = code < 0 ? code : check_naming(run, &lacking, err);
	if (code < 0 || lacking.count == 0) {
		goto finish;
	}
	code = remote_count_names(run->session->remote, (const char *const *)lacking.wires,
				  lacking.count + 1, lacking.counts, err);
	for (size_t i = 0; code == 0 && i < lacking.count; i++) {
		struct mailbox *mailbox = lacking.mailboxes[i];
		const struct vanished_facts facts = {
			.is_inbox = strcmp(mailbox->name, "INBOX") == 0,
			.told = lacking.counts[i].numbers,
			.refusal = lacking.counts[i].refusal,
			.inbox_told = lacking.counts[lacking.count].numbers,
			.is_list_whole = run->seen.is_list_whole,
			.may_be_left_out =
				run->seen.lacks_uses && run_selects_by_use(run, mailbox->name),
		};
		conclude(run, mailbox, &lacking.wires[i], &facts, &lacking.counts[i]);
	}
finish:
	lacking_finish(&lacking);
	return code;
}
