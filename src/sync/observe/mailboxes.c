/* Which mailboxes there are: base's, those here and those on the server, in one table. */
#include "observe.h"
#include "observe_private.h"

#include "guard/guard.h"
#include "rules/listing_rules.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool mailbox_is_selected(const struct run *run, const char *name)
{
	return mailbox_is_aside(name) || run_selects(run, name);
}

/* *MAILBOX is the one of NAME in the table; NULL where `mailboxes` leaves it out. The table may
 * move. */
static int table_add(struct run *run, const char *name, struct mailbox **mailbox, struct err *err)
{
	bool is_wanted = mailbox_is_selected(run, name);
	*mailbox = is_wanted ? run_mailbox_add(run, name, err) : NULL;
	return is_wanted && *mailbox == NULL ? -ERR_NOMEM : 0;
}

static int gather_base(struct run *run, struct err *err)
{
	struct state_mailboxes known = {0};
	int code = state_mailboxes_load(run->session->state, &known, err);
	for (size_t i = 0; code == 0 && i < known.count; i++) {
		struct mailbox *mailbox = NULL;
		code = table_add(run, known.items[i].name, &mailbox, err);
		if (mailbox != NULL) {
			state_mailbox_finish(&mailbox->base);
			mailbox->base = known.items[i];
			mailbox->in_base = true;
			state_mailbox_init(&known.items[i]);
		}
	}
	state_mailboxes_finish(&known);
	return code;
}

static int gather_local(struct run *run, struct maildir_blind *blind, struct err *err)
{
	struct strlist names;
	strlist_init(&names);
	struct err why;
	int code = maildir_list_seen(run->session->maildir, &names, blind, err);
	for (size_t i = 0; i < blind->left_out.count; i++) {
		err_set(&why, ERR_PARTIAL, SCOPE_ACCOUNT, "%s", blind->left_out.items[i]);
		run_report_error(run, NULL, 0, &why);
	}
	for (size_t i = 0; code == 0 && i < names.count; i++) {
		struct mailbox *mailbox = NULL;
		code = table_add(run, names.items[i], &mailbox, err);
		if (mailbox != NULL) {
			mailbox->seen.in |= SIDE_LOCAL;
		}
	}
	for (size_t i = 0; code == 0 && i < blind->names.count; i++) {
		struct mailbox *unused = NULL;
		code = table_add(run, blind->names.items[i], &unused, err);
	}
	strlist_finish(&names);
	return code;
}

int mailboxes_have_more_folders(struct run *run, bool *has_more, struct err *err)
{
	struct maildir_blind ignored; /* was reported when they were gathered */
	struct strlist names;
	strlist_init(&names);
	maildir_blind_init(&ignored);
	int code = maildir_list_seen(run->session->maildir, &names, &ignored, err);
	*has_more = false;
	for (size_t i = 0; code == 0 && i < names.count; i++) {
		const struct mailbox *mailbox = run_mailbox(run, names.items[i]);
		*has_more |= mailbox_is_selected(run, names.items[i]) &&
			     (mailbox == NULL || !(mailbox->seen.in & SIDE_LOCAL));
	}
	maildir_blind_finish(&ignored);
	strlist_finish(&names);
	return code;
}

int mailboxes_ask_counts(struct remote *remote, struct mailbox *mailbox, struct err *err)
{
	struct remote_counts counts = {0};
	int code = remote_count_one(remote, mailbox->wire, &counts, err);
	if (code == 0) {
		mailbox_take_counts(&mailbox->seen, &counts);
	}
	remote_counts_finish(&counts);
	return code;
}

/* Takes FOUND's strings over. */
static void take_remote(struct run *run, struct mailbox *mailbox, struct remote_mailbox *found)
{
	struct mailbox_seen *seen = &mailbox->seen;
	struct err err;
	if (mailbox->wire != NULL) {
		err_set(&err, ERR_PARTIAL, SCOPE_MAILBOX,
			"the server's mailboxes \"%s\" and \"%s\" come to one name here; the "
			"second is left out",
			mailbox->wire, found->wire);
		run_report_error(run, mailbox, 0, &err);
		return;
	}
	bool is_subscribed = run->seen.lacks_subscriptions
				   ? mailbox->in_base && mailbox->base.had_remote /* L6 */
				   : (found->attributes & REMOTE_SUBSCRIBED) != 0;
	seen->is_unsubscribed = run->account->subscribed_only && !is_subscribed &&
				strcmp(mailbox->name, "INBOX") != 0;
	seen->in |= seen->is_unsubscribed ? SIDE_NONE : SIDE_REMOTE;
	mailbox->wire = found->wire;
	seen->mailboxid = found->counts.mailboxid;
	mailbox_take_counts(seen, &found->counts);
	seen->numbers.modseq = found->counts.numbers.modseq;
	found->wire = NULL;
	found->counts.mailboxid = NULL;
}

static int gather_one_remote(struct run *run, struct remote_mailbox *found,
			     const struct remote_mailboxes *all, struct err *err)
{
	struct mailbox *mailbox = NULL;
	struct buf name;
	buf_init(&name, MBNAME_MAX);
	int code = mbname_from_wire(&all->wire, span_of(found->wire), &name, err);
	if (code == 0) {
		code = table_add(run, name.data, &mailbox, err);
		run->seen.lacks_uses |=
			!all->has_uses && mailbox == NULL && run_may_select(run, name.data);
	} else if (err->code != ERR_NOMEM) {
		run_report_error(run, NULL, 0, err);
		/* Any may be meant by an empty name. */
		run->seen.is_list_read &= found->wire[0] != '\0';
		code = 0;
	}
	if (mailbox != NULL) {
		take_remote(run, mailbox, found);
	}
	buf_finish(&name);
	return code;
}

/* L6 of rules/listing_rules.h, before the server's mailboxes are taken over. */
static void check_subscriptions(struct run *run, const struct remote_mailboxes *found)
{
	struct subscription_facts facts = {.are_told = found->has_subscriptions};
	struct err err;
	if (!run->account->subscribed_only) {
		return;
	}
	for (size_t i = 0; i < found->count; i++) {
		facts.subscribed += (found->items[i].attributes & REMOTE_SUBSCRIBED) != 0;
	}
	for (size_t i = 0; i < run->mailboxes.count; i++) {
		const struct mailbox *mailbox = &run->mailboxes.items[i];
		facts.had += mailbox->in_base && mailbox->base.had_remote &&
			     strcmp(mailbox->name, "INBOX") != 0;
	}
	run->seen.lacks_subscriptions = subscriptions_are_missing(&facts);
	if (run->seen.lacks_subscriptions) {
		err_set(&err, ERR_PARTIAL, SCOPE_ACCOUNT,
			"the server does not tell which mailboxes you are subscribed to; those "
			"that are known take part, and no new ones");
		run_report_error(run, NULL, 0, &err);
	}
}

/* offlineimap by default keeps a/b in a directory a.b. */
static int adopt_flat(struct run *run, struct mailbox *flat, struct err *err)
{
	char name[MBNAME_MAX + 1];
	snprintf(name, sizeof(name), "%s", flat->name);
	for (char *at = name; *at != '\0'; at++) {
		*at = *at == '.' ? '/' : *at;
	}
	struct mailbox *mailbox = run_mailbox(run, name);
	if (mailbox == NULL || mailbox == flat) {
		return 0;
	}
	const struct mailbox_facts flat_facts = mailbox_facts(run, flat);
	const struct mailbox_facts facts = mailbox_facts(run, mailbox);
	if (!mailbox_is_flat(&flat_facts, &facts)) {
		return 0;
	}
	int code = maildir_adopt(run->session->maildir, name, flat->name, err);
	mailbox->seen.in |= code == 0 ? SIDE_LOCAL : SIDE_NONE;
	flat->seen.in = SIDE_NONE;
	mailbox_exclude(flat, EXCLUDED_ADOPTED);
	return code;
}

static void report_left_out(struct run *run, struct mailbox *mailbox)
{
	struct err err;
	if (mailbox->decided.exclusion == EXCLUDED_BARRED) {
		err_set(&err, ERR_PARTIAL, SCOPE_MAILBOX,
			"the mailbox is left out: in the place of its folder is a symbolic link or "
			"a file, which mailsync does not follow (a bind mount would do)");
	} else if (mailbox->decided.exclusion == EXCLUDED_HOLLOW) {
		err_set(&err, ERR_BRAKE, SCOPE_MAILBOX,
			"the directory of the mailbox is empty: is a disk not mounted there? It is "
			"left out; if it was emptied on purpose, run once with "
			"--allow-mass-delete");
		run->done.brake_hit = true;
		run->done.held++;
	} else {
		return;
	}
	run_report_error(run, mailbox, 0, &err);
}

/* What is in the place of a folder that is not listed. */
static void look_at_place(struct run *run, struct mailbox *mailbox, struct mailbox_facts *facts)
{
	enum maildir_place place = MAILDIR_PLACE_FREE;
	struct err err;
	if (maildir_place(run->session->maildir, mailbox->name, &place, &err) < 0) {
		observe_untold_here(run, mailbox, &err);
	}
	facts->is_barred = place == MAILDIR_PLACE_BARRED;
	facts->is_hollow = facts->in_base && place == MAILDIR_PLACE_HOLLOW;
}

static void leave_out(struct run *run, struct mailbox *mailbox)
{
	struct mailbox_facts facts = mailbox_facts(run, mailbox);
	if (mailbox->decided.exclusion == EXCLUDED_NOT) {
		if (!(mailbox->seen.in & SIDE_LOCAL)) {
			look_at_place(run, mailbox, &facts);
		}
		mailbox_exclude(mailbox, mailbox_exclusion(&facts));
		report_left_out(run, mailbox);
	}
	/* It is still there: what base knows of it waits for it to be subscribed again. */
	mailbox->seen.in |= mailbox->seen.is_unsubscribed ? facts.had & SIDE_REMOTE : SIDE_NONE;
}

static int gather(struct run *run, struct remote_mailboxes *remote, struct maildir_blind *blind,
		  struct err *err)
{
	struct mailboxes *mailboxes = &run->mailboxes;
	int code = gather_base(run, err);
	code = code < 0 ? code : gather_local(run, blind, err);
	check_subscriptions(run, remote);
	for (size_t i = 0; code == 0 && i < remote->count; i++) {
		if ((remote->items[i].attributes & REMOTE_NOSELECT) == 0) {
			code = gather_one_remote(run, &remote->items[i], remote, err);
		}
	}
	for (size_t i = 0; code == 0 && i < mailboxes->count; i++) {
		code = adopt_flat(run, &mailboxes->items[i], err);
	}
	if (code < 0 || (observe_blind(run, blind), code = observe_absent(run, err)) < 0) {
		return code;
	}
	for (size_t i = 0; code == 0 && i < mailboxes->count; i++) {
		struct mailbox *mailbox = &mailboxes->items[i];
		leave_out(run, mailbox);
		mailbox->seen.place = suspects_place(run, SUSPECT_MAILBOX, mailbox->name, 0);
		mailbox->done.counts.skipped = mailbox->seen.place == SUSPECT_IS_LEFT;
	}
	return code;
}

/* Into NAME, which is empty: what FOUND is called here. False: it is not asked after. */
static bool is_asked_after(struct run *run, const struct remote_mailbox *found,
			   const struct mbname_wire *wire, struct buf *name)
{
	struct err ignored;
	return (found->attributes & REMOTE_NOSELECT) == 0 &&
	       mbname_from_wire(wire, span_of(found->wire), name, &ignored) == 0 &&
	       mailbox_is_selected(run, name->data) &&
	       suspects_place(run, SUSPECT_MAILBOX, name->data, 0) == SUSPECT_GOES;
}

/* Who was asked after has answered, or the connection has ended on one of them. */
static void note_asked(struct run *run, const struct strlist *names, int code,
		       const struct err *err)
{
	struct suspect_item *items = calloc(names->count + 1, sizeof(*items));
	for (size_t i = 0; items != NULL && i < names->count; i++) {
		items[i] = (struct suspect_item){
			.kind = SUSPECT_MAILBOX,
			.act = SUSPECT_AT_COUNT,
			.mailbox = names->items[i],
		};
		if (code == 0) {
			suspects_went(run, &items[i]);
		}
	}
	if (items != NULL && code < 0) {
		suspects_lost(run, items, names->count, err);
	}
	free(items);
}

/* Those that are marked so, which are called NAMES, and no more afterwards. */
static int ask_marked(struct run *run, struct remote_mailboxes *found, struct strlist *names,
		      struct err *err)
{
	int code = remote_count(run->session->remote, found, err);
	note_asked(run, names, code, err);
	for (size_t i = 0; i < found->count; i++) {
		found->items[i].is_asked = false;
	}
	strlist_finish(names);
	strlist_init(names);
	return code;
}

/* Marks FOUND, where it is asked after, and adds its name to NAMES. */
static int mark_asked(struct run *run, struct remote_mailbox *found, const struct mbname_wire *wire,
		      struct strlist *names, struct err *err)
{
	struct buf name;
	int code = 0;
	buf_init(&name, MBNAME_MAX);
	found->is_asked = is_asked_after(run, found, wire, &name);
	if (found->is_asked) {
		code = strlist_add(names, buf_span(&name), err);
	}
	buf_finish(&name);
	return code;
}

/* The mailboxes' numbers on a server that cannot give them with LIST. Where it tells no changes
 * either, every mailbox is opened anyway, unless flags are left to a later run. */
static int ask_counts(struct run *run, struct remote_mailboxes *found, struct err *err)
{
	const struct remote_facts *facts = remote_facts(run->session->remote);
	if (facts->lists_counts || (!facts->tells_changes && run->options->flags_told == NULL)) {
		return 0;
	}
	size_t most = suspects_batch(run, SIZE_MAX);
	struct strlist names;
	int code = 0;
	strlist_init(&names);
	for (size_t i = 0; code == 0 && i < found->count; i++) {
		code = mark_asked(run, &found->items[i], &found->wire, &names, err);
		if (code == 0 && names.count == most) {
			code = ask_marked(run, found, &names, err);
		}
	}
	if (code == 0 && names.count > 0) {
		code = ask_marked(run, found, &names, err);
	}
	strlist_finish(&names);
	return code;
}

/* With their numbers, where the server can bear that. */
static int list_all(struct run *run, struct remote_mailboxes *found, struct err *err)
{
	const struct suspect_item item = {
		.kind = SUSPECT_LISTING,
		.act = SUSPECT_AT_LIST,
		.mailbox = "",
	};
	struct remote *remote = run->session->remote;
	remote_list_plainly(remote, suspects_place(run, SUSPECT_LISTING, "", 0) != SUSPECT_GOES);
	bool has_counts = remote_facts(remote)->lists_counts;
	int code = remote_list(remote, run->account->subscribed_only, found, err);
	if (has_counts && code == 0) {
		suspects_went(run, &item);
	} else if (has_counts) {
		suspects_lost(run, &item, 1, err);
	}
	return code;
}

/* Which folder is INBOX's may stay open where it is left out. */
static bool is_all_read(const struct run *run, const struct maildir_blind *blind)
{
	bool lacks_inbox = blind->other_inbox != NULL && mailbox_is_selected(run, "INBOX");
	return blind->names.count == 0 && !blind->has_lost_found && !lacks_inbox;
}

int observe_mailboxes_here(struct run *run, struct err *err)
{
	struct maildir_blind blind;
	mailboxes_finish(run);
	maildir_blind_init(&blind);
	int code = gather_base(run, err);
	code = code < 0 ? code : gather_local(run, &blind, err);
	if (code == 0) {
		observe_blind(run, &blind);
	}
	for (size_t i = 0; code == 0 && i < run->mailboxes.count; i++) {
		struct mailbox *mailbox = &run->mailboxes.items[i];
		mailbox->seen.in |= mailbox->base.had_remote ? SIDE_REMOTE : SIDE_NONE;
	}
	run->seen.is_tree_read = is_all_read(run, &blind);
	maildir_blind_finish(&blind);
	return code;
}

/* By what base knows of names and uses. */
static int know_listed(struct run *run, struct remote_mailboxes *found, struct err *err)
{
	struct state *state = run->session->state;
	int code;
	state_hold(state);
	if ((code = observe_naming(run, found, err)) == 0 &&
	    (code = whose_uses(run->account, state, &run->uses, err)) == 0) {
		code = uses_learn(&run->uses, found, err);
	}
	state_let_go(state);
	return code;
}

int observe_mailboxes(struct run *run, struct err *err)
{
	struct remote_mailboxes found = {0};
	struct maildir_blind blind;
	int code;
	mailboxes_finish(run);
	maildir_blind_init(&blind);
	if ((code = list_all(run, &found, err)) < 0 || (code = know_listed(run, &found, err)) < 0 ||
	    (code = ask_counts(run, &found, err)) < 0) {
		goto finish;
	}
	run->seen.is_list_read = found.is_read;
	run->seen.is_list_whole = found.is_whole;
	run->seen.lacks_uses = false;
	code = gather(run, &found, &blind, err);
	run->seen.is_tree_read = is_all_read(run, &blind);
	if (code == 0) {
		code = observe_listing_note(run, err);
	}
finish:
	maildir_blind_finish(&blind);
	remote_mailboxes_finish(&found);
	return code;
}
