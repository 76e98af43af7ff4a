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
	if (run->options->allow_mass_delete || accident == ACCIDENT_NONE) {
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
	if (run->options->allow_mass_delete || census.here > 0) {
		return 0;
	}
	int code = state_pop3_load(run->session->state, &rows, err);
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

/* Some of the messages that the open mailbox holds, evenly over it. */
static int sample(struct remote *remote, struct uidset *chosen, struct err *err)
{
	struct uidset uids;
	struct uidset_cursor cursor = {0};
	struct told exists;
	uint32_t uid = 0;
	uint64_t seen = 0;
	uidset_init(&uids);
	int code = remote_uids(remote, REMOTE_UIDS_ALL, &uids, &exists, err);
	uint64_t every = uidset_size(&uids) / SAMPLE_MAX + 1;
	while (code == 0 && uidset_next(&uids, &cursor, &uid)) {
		if (seen++ % every == 0) {
			code = uidset_add(chosen, uid, uid, err);
		}
	}
	uidset_finish(&uids);
	return code;
}

/* Whether base knows, by its header, one of some messages that MAILBOX holds. */
static int search_mailbox(struct run *run, struct remote *remote, const struct mailbox *mailbox,
			  bool *is_found, struct err *err)
{
	struct remote_identity seen = {0};
	struct uidset chosen;
	int code;
	uidset_init(&chosen);
	if ((code = remote_open(remote, mailbox->wire, REMOTE_READ, UNTOLD, NULL, err)) == 0 &&
	    (code = sample(remote, &chosen, err)) == 0) {
		code = remote_headers_begin(remote, &chosen, err);
	}
	while (code == 0 && (code = remote_headers_next(remote, &seen, err)) == 0 &&
	       !seen.is_done) {
		code = *is_found ? 0
				 : state_has_digest(run->session->state, mailbox->base.id,
						    seen.identity.digest, is_found, err);
	}
	uidset_finish(&chosen);
	return code < 0 && !run_is_fatal(err) ? 0 : code;
}

/* What a search of all mailboxes tells, where there is anything to be found; -ERR_BRAKE where it is
 * another server. */
static int judge_by_search(struct run *run, struct remote *remote, bool *is_found, struct err *err)
{
	const char *host = run->account->server.host;
	uint64_t agreed = 0;
	int code = state_count_agreed(run->session->state, 0, &agreed, err);
	for (size_t i = 0; code == 0 && agreed > 0 && !*is_found && i < run->mailboxes.count; i++) {
		const struct mailbox *mailbox = &run->mailboxes.items[i];
		if (sign_of(mailbox) != SIGN_NONE && (mailbox->seen.in & SIDE_REMOTE) &&
		    mailbox->seen.place == SUSPECT_GOES) {
			code = search_mailbox(run, remote, mailbox, is_found, err);
		}
	}
	if (code < 0 || server_judge_search(*is_found, agreed, run->options->allow_mass_delete) ==
				SERVER_SAME) {
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
	return code;
}

int accident_check_address(struct run *run, struct err *err)
{
	enum whose whose;
	bool is_found = false;
	int code = whose_rows(run, &whose, err);
	if (code < 0 || whose == WHOSE_OURS) {
		return code;
	}
	if (whose == WHOSE_OTHERS) {
		if ((code = judge_by_search(run, run->session->remote, &is_found, err)) < 0 ||
		    (!is_found && (code = forget_server(run, err)) < 0)) {
			return code;
		}
		run->seen.is_known_server = true;
	}
	return whose_note(run, err);
}

int accident_check_server(struct run *run, struct remote *remote, struct err *err)
{
	size_t signs[SIGN_UNTOLD + 1] = {0};
	bool is_found = false;
	int code = 0;
	for (size_t i = 0; i < run->mailboxes.count; i++) {
		signs[sign_of(&run->mailboxes.items[i])]++;
	}
	enum server_verdict verdict = server_judge(signs);
	/* Without a sign it is asked again before a mailbox is paired anew. */
	if (run->seen.is_known_server || run->options->allow_mass_delete ||
	    verdict == SERVER_NO_SIGN) {
		return 0;
	}
	if (verdict == SERVER_ASK) {
		code = ask_untold(run, remote, &verdict, err);
	}
	if (code == 0 && verdict == SERVER_SEARCH) {
		code = judge_by_search(run, remote, &is_found, err);
	}
	run->seen.is_known_server = code == 0;
	return code;
}

/* Each protocol has rows of its own. */
static const char *key_of(const struct run *run)
{
	return run->account->is_pop3 ? "pop3_whose" : "server";
}

int whose_rows(struct run *run, enum whose *whose, struct err *err)
{
	char now[SERVER_FINGERPRINT_SIZE];
	char noted[SERVER_FINGERPRINT_SIZE];
	int code;
	if ((code = server_fingerprint(&run->account->server, now, err)) == 0 &&
	    (code = state_get(run->session->state, key_of(run), noted, sizeof(noted), err)) == 0) {
		*whose = server_whose(span_of(noted), now);
	}
	return code;
}

int whose_note(struct run *run, struct err *err)
{
	char now[SERVER_FINGERPRINT_SIZE];
	int code = server_fingerprint(&run->account->server, now, err);
	return code < 0 ? code : state_set(run->session->state, key_of(run), now, err);
}
