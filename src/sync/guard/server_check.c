/* Is it the server that base knows? The facts for rules/guard_rules.h are gathered here. */
#include "guard.h"

#define SAMPLE_MAX 32

int accident_check_mailboxes(struct run *run, struct err *err)
{
	struct census census = {0};
	uint64_t agreed = 0;
	for (size_t i = 0; i < run->mailboxes.count; i++) {
		const struct mailbox *mailbox = &run->mailboxes.items[i];
		census.here += ((mailbox->seen.in | mailbox->seen.untold) & SIDE_LOCAL) != 0;
		census.there += (mailbox->seen.in & SIDE_REMOTE) && !mailbox->seen.is_unlisted;
		census.had_here += mailbox->in_base && mailbox->base.had_local;
		census.had_there += mailbox->in_base && mailbox->base.had_remote;
	}
	enum accident accident = accident_of(&census);
	bool has_leave = run->options->allow_mass_delete ||
			 (run->options->restore != NULL && accident != ACCIDENT_NO_FOLDER);
	if (has_leave || accident == ACCIDENT_NONE) {
		return 0;
	}
	int code = state_count_agreed(run->session->state, 0, &agreed, err);
	if (code < 0 || agreed == 0) {
		return code;
	}
	if (accident == ACCIDENT_NO_FOLDER) {
		return err_set(
			err, ERR_BRAKE, SCOPE_ACCOUNT,
			"the Maildir %s %s, though %llu messages were synced there: is a disk "
			"not mounted? Nothing was done. To fetch everything anew, run once with "
			"--allow-mass-delete",
			run->account->maildir.root,
			maildir_exists(run->session->maildir) ? "holds no mailbox"
							      : "does not exist",
			(unsigned long long)agreed);
	}
	return err_set(err, ERR_BRAKE, SCOPE_ACCOUNT,
		       "the server lists no mailbox, though %llu messages were synced with it; "
		       "nothing was done. If that is right, run once with --allow-mass-delete",
		       (unsigned long long)agreed);
}

/* INBOX's folder is not there, and another directory may be meant. */
static int check_other_inbox(struct run *run, struct err *err)
{
	struct maildir_blind blind;
	struct strlist names;

	strlist_init(&names);
	maildir_blind_init(&blind);
	int code = maildir_list_seen(run->session->maildir, &names, &blind, err);
	if (code == 0 && blind.other_inbox != NULL) {
		code = err_set(err, ERR_PARTIAL, SCOPE_ACCOUNT, "INBOX: %s", blind.other_inbox);
	}
	maildir_blind_finish(&blind);
	strlist_finish(&names);
	return code;
}

int accident_check_inbox(struct run *run, struct err *err)
{
	struct maildir *maildir = run->session->maildir;
	struct pop3_rows rows = {0};
	struct stamp stamp;
	struct err why;
	struct census census = {
		.here = maildir_exists(maildir) &&
			maildir_stat(maildir, "INBOX", &stamp, &why) != -ERR_CHANGED,
	};
	int code = census.here > 0 ? 0 : check_other_inbox(run, err);
	if (code < 0 || run->options->allow_mass_delete || census.here > 0) {
		return code;
	}
	code = state_pop3_load(run->session->state, &rows, err);
	for (size_t i = 0; i < rows.count; i++) {
		census.had_here += rows.items[i].unique[0] != '\0';
	}
	state_pop3_finish(&rows);
	if (code < 0 || accident_of(&census) == ACCIDENT_NONE) {
		return code;
	}
	return err_set(err, ERR_BRAKE, SCOPE_ACCOUNT,
		       "%s has no INBOX though mail was delivered into it; is a disk not mounted? "
		       "If this is meant, use --allow-mass-delete",
		       run->account->maildir.root);
}

static enum server_sign sign_of(const struct mailbox *mailbox)
{
	const struct state_mailbox *base = &mailbox->base;
	const struct server_facts facts = {
		.was_known =
			mailbox->in_base && base->had_remote && base->numbers.uidvalidity.is_told,
		.is_there = (mailbox->seen.in & SIDE_REMOTE) != 0,
		.is_untold = (mailbox->seen.untold & SIDE_REMOTE) != 0,
		.has_numbers =
			mailbox->seen.has_counts || mailbox->seen.numbers.uidvalidity.is_told,
		.now = mailbox->seen.numbers,
		.base = base->numbers,
	};
	return server_sign(&facts);
}

int server_ask_numbers(struct remote *remote, struct mailbox *mailbox, struct err *err)
{
	struct mailbox_seen *seen = &mailbox->seen;
	struct remote_opened opened = {0};
	if (seen->place != SUSPECT_GOES) {
		return err_set(err, ERR_REFUSED, SCOPE_MAILBOX,
			       "the connection ended on this mailbox; it is not opened now");
	}
	int code =
		remote_open(remote, mailbox->wire, REMOTE_READ | REMOTE_ANEW, UNTOLD, &opened, err);
	if (code == 0) {
		seen->numbers.uidvalidity = opened.numbers.uidvalidity;
		seen->numbers.uidnext = opened.numbers.uidnext;
		if (seen->mailboxid == NULL) {
			seen->mailboxid = opened.mailboxid;
			opened.mailboxid = NULL;
		}
	}
	remote_opened_finish(&opened);
	return code;
}

static int ask_untold(struct run *run, struct remote *remote, enum server_verdict *verdict,
		      struct err *err)
{
	*verdict = SERVER_SEARCH;
	for (size_t i = 0; *verdict != SERVER_SAME && i < run->mailboxes.count; i++) {
		struct mailbox *mailbox = &run->mailboxes.items[i];
		if (sign_of(mailbox) != SIGN_UNTOLD) {
			continue;
		}
		/* One that cannot be opened tells nothing. */
		int code = server_ask_numbers(remote, mailbox, err);
		if (code < 0 && run_is_fatal(err)) {
			return code;
		}
		*verdict = sign_of(mailbox) == SIGN_SAME ? SERVER_SAME : SERVER_SEARCH;
	}
	return 0;
}

/* A search for a message of base's, and what it told. */
struct search {
	struct run *run;
	struct remote *remote;
	bool is_found;
	bool is_short;    /* something that could have told did not: */
	bool comes_later; /* some of that is asked in another pass of this run */
	struct err why;   /* the first of that */
};

static void search_falls_short(struct search *search, const struct mailbox *mailbox,
			       const char *why)
{
	if (!search->is_short) {
		err_set(&search->why, ERR_PARTIAL, SCOPE_MAILBOX, "%s: %s", mailbox->name, why);
	}
	search->is_short = true;
}

/* Some of the messages that the open mailbox holds, evenly over it. *IS_WHOLE: it told all. */
static int sample(struct remote *remote, struct uidset *chosen, bool *is_whole, struct err *err)
{
	struct uidset uids;
	struct uidset_cursor cursor = {0};
	struct told exists;
	uint32_t uid = 0;
	uint64_t seen = 0;
	uidset_init(&uids);
	int code = remote_uids(remote, REMOTE_UIDS_ALL, &uids, &exists, err);
	uint64_t every = uidset_size(&uids) / SAMPLE_MAX + 1;
	*is_whole = code == 0 && told_is(exists, uidset_size(&uids));
	while (code == 0 && uidset_next(&uids, &cursor, &uid)) {
		if (seen++ % every == 0) {
			code = uidset_add(chosen, uid, uid, err);
		}
	}
	uidset_finish(&uids);
	return code;
}

/* Whether base knows one of CHOSEN, of the open MAILBOX, by its header. *IS_WHOLE: it stays so if
 * each was told. */
static int search_headers(struct search *search, const struct mailbox *mailbox,
			  const struct uidset *chosen, bool *is_whole, struct err *err)
{
	struct remote_identity seen = {0};
	int code = remote_headers_begin(search->remote, chosen, err);
	while (code == 0 && (code = remote_headers_next(search->remote, &seen, err)) == 0 &&
	       !seen.is_done) {
		*is_whole &= !seen.is_blank;
		code = search->is_found
			     ? 0
			     : state_has_digest(search->run->session->state, mailbox->base.id,
						seen.identity.digest, &search->is_found, err);
	}
	*is_whole &= code == 0 && seen.is_whole && seen.told == uidset_size(chosen);
	return code;
}

/* Whether base knows, by its header, one of some messages that MAILBOX holds. */
static int search_mailbox(struct search *search, const struct mailbox *mailbox, struct err *err)
{
	struct remote *remote = search->remote;
	struct uidset chosen;
	bool is_whole = false;
	int code;
	uidset_init(&chosen);
	if ((code = remote_open(remote, mailbox->wire, REMOTE_READ, UNTOLD, NULL, err)) == 0 &&
	    (code = sample(remote, &chosen, &is_whole, err)) == 0) {
		code = search_headers(search, mailbox, &chosen, &is_whole, err);
	}
	uidset_finish(&chosen);
	if (code < 0 && run_is_fatal(err)) {
		return code;
	}
	if (code < 0 || !is_whole) {
		search_falls_short(search, mailbox,
				   code < 0 ? err->text : "it does not tell all that it holds");
	}
	return 0;
}

/* One that base had there. */
static int search_in(struct search *search, const struct mailbox *mailbox, struct err *err)
{
	if (mailbox->seen.untold & SIDE_REMOTE) {
		search_falls_short(search, mailbox, "whether it is there is not told");
		return 0;
	}
	if (!(mailbox->seen.in & SIDE_REMOTE)) {
		return 0;
	}
	if (mailbox->seen.place != SUSPECT_GOES) {
		search->comes_later |= mailbox->seen.place == SUSPECT_IS_LATER;
		search_falls_short(search, mailbox, "the connection ended on it");
		return 0;
	}
	return search_mailbox(search, mailbox, err);
}

/* S16: all waits. */
static void hold_all(const struct search *search)
{
	struct run *run = search->run;
	struct err err;
	run->seen.is_untold_server = true;
	for (size_t i = 0; i < run->mailboxes.count; i++) {
		mailbox_exclude(&run->mailboxes.items[i], EXCLUDED_UNTOLD);
	}
	if (search->comes_later) {
		return;
	}
	err_set(&err, ERR_PARTIAL, SCOPE_ACCOUNT,
		"no mailbox on the server has the numbers that it had, and whether it is the "
		"server that was synced cannot be told now, so nothing is done (%s)",
		search->why.text);
	run_report_error(run, NULL, 0, &err);
}

/* What a search of all mailboxes tells, where there is anything to be found; -ERR_BRAKE where it is
 * another server. */
static int judge_by_search(struct run *run, struct remote *remote, struct search *search,
			   struct err *err)
{
	const char *host = run->account->server.host;
	uint64_t agreed = 0;
	int code = state_count_agreed(run->session->state, 0, &agreed, err);
	*search = (struct search){.run = run, .remote = remote};
	for (size_t i = 0; code == 0 && agreed > 0 && !search->is_found && i < run->mailboxes.count;
	     i++) {
		const struct mailbox *mailbox = &run->mailboxes.items[i];
		if (mailbox->in_base && mailbox->base.had_remote) {
			code = search_in(search, mailbox, err);
		}
	}
	const struct search_facts facts = {
		.is_found = search->is_found,
		.is_short = search->is_short,
		.agreed = agreed,
		.has_leave = run->options->allow_mass_delete || run->options->restore != NULL,
	};
	enum server_verdict verdict = server_judge_search(&facts);
	if (code == 0 && verdict == SERVER_UNTOLD) {
		hold_all(search);
	}
	if (code < 0 || verdict != SERVER_OTHER) {
		return code;
	}
	return err_set(
		err, ERR_BRAKE, SCOPE_ACCOUNT,
		"no mailbox on the server is the one that was synced, and none of the %llu "
		"messages was found there: is %s another server or account? Nothing was "
		"done. If it is right, run once with --allow-mass-delete: nothing is deleted "
		"then, and what is only in the Maildir is uploaded",
		(unsigned long long)agreed, host == NULL ? "it" : host);
}

/* What was synced with the other server is new to this one. */
static int forget_server(struct run *run, struct err *err)
{
	int code = 0;
	for (size_t i = 0; code == 0 && i < run->mailboxes.count; i++) {
		struct mailbox *mailbox = &run->mailboxes.items[i];
		if (mailbox->in_base) {
			code = mailbox_forget_base(run, mailbox, err);
			mailbox->base.had_remote &= (mailbox->seen.in & SIDE_REMOTE) != 0;
		}
	}
	return code < 0 ? code : state_uses_forget(run->session->state, err);
}

int accident_check_address(struct run *run, struct err *err)
{
	enum whose whose;
	struct search search;
	int code = whose_rows(run, &whose, err);
	if (code < 0 || whose == WHOSE_OURS) {
		return code;
	}
	if (whose == WHOSE_OTHERS) {
		code = judge_by_search(run, run->session->remote, &search, err);
		if (code < 0 || run->seen.is_untold_server ||
		    (!search.is_found && (code = forget_server(run, err)) < 0)) {
			return code;
		}
		run->seen.is_known_server = true;
	}
	return whose_note(run, err);
}

int accident_check_server(struct run *run, struct remote *remote, struct err *err)
{
	size_t signs[SIGN_UNTOLD + 1] = {0};
	struct search search = {0};
	int code = 0;
	for (size_t i = 0; i < run->mailboxes.count; i++) {
		signs[sign_of(&run->mailboxes.items[i])]++;
	}
	enum server_verdict verdict = server_judge(signs);
	/* Without a sign it is asked again before a mailbox is paired anew. */
	if (run->seen.is_known_server || run->options->allow_mass_delete ||
	    run->options->restore != NULL || verdict == SERVER_NO_SIGN) {
		return 0;
	}
	if (verdict == SERVER_ASK) {
		code = ask_untold(run, remote, &verdict, err);
	}
	if (code == 0 && verdict == SERVER_SEARCH) {
		code = judge_by_search(run, remote, &search, err);
	}
	run->seen.is_known_server = code == 0 && !run->seen.is_untold_server;
	return code;
}
