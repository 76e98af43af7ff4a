#include "server_check.h"

#include <string.h>

#include "mailsync/base/digest.h"

#include "claim.h"

#include "mailsync/store/imap.h" /* until it is converted */

#define SAMPLE_MAX   32
#define SET_TEXT_MAX 900

static bool is_known(const struct mailbox *mailbox)
{
	return mailbox->in_base && mailbox->base.had_remote && mailbox->base.uidvalidity != 0;
}

static bool has_numbers(const struct mailbox *mailbox)
{
	return mailbox->seen.has_counts || mailbox->seen.has_uidvalidity;
}

/* UIDNEXT never goes back (RFC 9051, 2.3.1.1). */
static bool is_as_it_was(const struct mailbox *mailbox)
{
	return mailbox->seen.in_remote && has_numbers(mailbox) &&
	       mailbox->seen.uidvalidity == mailbox->base.uidvalidity &&
	       (mailbox->seen.uidnext == 0 || mailbox->seen.uidnext >= mailbox->base.uidnext);
}

/* *STRANGE: mailboxes that are gone or renumbered. *IS_SAME: one is as it was. */
static void survey(const struct run *run, size_t *strange, bool *is_same)
{
	*strange = 0;
	*is_same = false;
	for (size_t i = 0; i < run->mailboxes.count; i++) {
		const struct mailbox *mailbox = &run->mailboxes.items[i];
		if (is_known(mailbox)) {
			*is_same |= is_as_it_was(mailbox);
			*strange += !mailbox->seen.in_remote ||
				    (has_numbers(mailbox) && !is_as_it_was(mailbox));
		}
	}
}

/* A mailbox that cannot be opened tells nothing. */
static int ask_numbers(struct remote *remote, struct mailbox *mailbox, struct err *err)
{
	struct imap_view opened = {0};
	int code = imap_select(remote_imap(remote), mailbox->seen.wire, false, &opened, err);
	if (code == 0) {
		mailbox->seen.uidvalidity = opened.uidvalidity;
		mailbox->seen.uidnext = opened.uidnext;
		mailbox->seen.has_uidvalidity = true;
		imap_view_finish(&opened);
	}
	return code < 0 && !run_is_fatal(err) ? 0 : code;
}

static int ask_unknown(struct run *run, struct remote *remote, bool *is_same, struct err *err)
{
	int code = 0;
	for (size_t i = 0; code == 0 && !*is_same && i < run->mailboxes.count; i++) {
		struct mailbox *mailbox = &run->mailboxes.items[i];
		if (is_known(mailbox) && mailbox->seen.in_remote && !has_numbers(mailbox)) {
			code = ask_numbers(remote, mailbox, err);
			*is_same = code == 0 && is_as_it_was(mailbox);
		}
	}
	return code;
}

/* Some of the messages that the selected mailbox holds, evenly over it. */
static int sample(struct remote *remote, struct uidset *chosen, struct err *err)
{
	struct uidset uids;
	struct uidset_cursor cursor = {0};
	uint32_t exists = 0;
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

/* To the end of the command, whatever is found. */
static int look_for(struct run *run, struct remote *remote, int64_t mailbox, bool *is_found,
		    struct err *err)
{
	struct header_scan *scan = NULL;
	bool is_done = false;
	int code = header_scan_create(&scan, err);
	while (code == 0 && !is_done) {
		struct imap_body body;
		struct header_identity seen;
		bool has_digest = false;
		code = imap_fetch_next(remote_imap(remote), &body, err);
		if (code == 0 && body.type == IMAP_FETCHED_DATA) {
			code = header_scan_feed(scan, body.data, err);
		} else if (code == 0 && body.type == IMAP_FETCHED_MESSAGE) {
			code = header_scan_result(scan, &seen, err);
			if (code == 0 && body.has_body && !*is_found) {
				code = state_has_digest(run->session->state, mailbox, seen.digest,
							&has_digest, err);
				*is_found |= has_digest;
			}
		}
		is_done = code == 0 && body.type == IMAP_FETCHED_DONE;
	}
	header_scan_destroy(&scan);
	return code;
}

static int search_mailbox(struct run *run, struct remote *remote, const struct mailbox *mailbox,
			  bool *is_found, struct err *err)
{
	struct imap_view opened = {0};
	struct uidset chosen;
	struct buf text;
	size_t from = 0;
	uidset_init(&chosen);
	buf_init(&text, SET_TEXT_MAX + 1);
	int code = imap_select(remote_imap(remote), mailbox->seen.wire, false, &opened, err);
	imap_view_finish(&opened);
	if (code == 0) {
		code = sample(remote, &chosen, err);
	}
	while (code == 0 && !*is_found && uidset_format_some(&chosen, &from, SET_TEXT_MAX, &text)) {
		code = buf_status(&text, "a set of UIDs", err);
		if (code == 0) {
			code = imap_fetch_queue(remote_imap(remote), IMAP_HEADERS, buf_span(&text),
						0, err);
		}
		if (code == 0) {
			code = look_for(run, remote, mailbox->base.id, is_found, err);
		}
		buf_clear(&text);
	}
	buf_finish(&text);
	uidset_finish(&chosen);
	return code < 0 && !run_is_fatal(err) ? 0 : code;
}

static int stop(struct run *run, uint64_t agreed, struct err *err)
{
	return err_set(
		err, ERR_BRAKE, SCOPE_ACCOUNT,
		"no mailbox on the server is the one that was synced, and none of the %llu "
		"messages was found there: is %s another server or account? Nothing was "
		"done. If it is right, run once with --allow-mass-delete: nothing is deleted "
		"then, and what is only in the Maildir is uploaded",
		(unsigned long long)agreed,
		run->account->server.host == NULL ? "it" : run->account->server.host);
}

static int search_mailboxes(struct run *run, bool *is_found, struct err *err)
{
	int code = 0;
	for (size_t i = 0; code == 0 && !*is_found && i < run->mailboxes.count; i++) {
		const struct mailbox *mailbox = &run->mailboxes.items[i];
		if (is_known(mailbox) && mailbox->seen.in_remote) {
			code = search_mailbox(run, run->session->remote, mailbox, is_found, err);
		}
	}
	return code;
}

/* Taken over with leave: what was synced with the other server is new to this one. */
static int forget_server(struct run *run, struct err *err)
{
	int code = 0;
	for (size_t i = 0; code == 0 && i < run->mailboxes.count; i++) {
		struct mailbox *mailbox = &run->mailboxes.items[i];
		if (mailbox->in_base) {
			code = mailbox_forget_base(run, mailbox, err);
			mailbox->base.had_remote &= mailbox->seen.in_remote;
		}
	}
	return code;
}

static int check_moved(struct run *run, struct err *err)
{
	uint64_t agreed = 0;
	bool is_same = false;
	int code = state_count_agreed(run->session->state, 0, &agreed, err);
	if (code == 0) {
		code = search_mailboxes(run, &is_same, err);
	}
	if (code == 0 && !is_same && agreed > 0 && !run->options->allow_mass_delete) {
		return stop(run, agreed, err);
	}
	if (code == 0 && !is_same) {
		code = forget_server(run, err);
	}
	run->seen.is_known_server = code == 0;
	return code;
}

int accident_check_address(struct run *run, struct err *err)
{
	char now[SERVER_FINGERPRINT_SIZE];
	struct buf then;
	bool is_found = false;
	buf_init(&then, SERVER_FINGERPRINT_SIZE);
	int code = server_fingerprint(&run->account->server, now, err);
	if (code == 0) {
		code = state_get(run->session->state, "server", &then, &is_found, err);
	}
	bool is_same = code == 0 && is_found && span_equal_cstr(buf_span(&then), now);
	if (code == 0 && is_found && !is_same) {
		code = check_moved(run, err);
	}
	if (code == 0 && !is_same && !run->options->dry_run) {
		code = state_set(run->session->state, "server", now, err);
	}
	buf_finish(&then);
	return code;
}

int accident_check_server(struct run *run, struct remote *remote, struct err *err)
{
	size_t strange = 0;
	bool is_same = false;
	uint64_t agreed = 0;
	if (run->seen.is_known_server || run->options->allow_mass_delete) {
		return 0;
	}
	survey(run, &strange, &is_same);
	if (strange == 0 && !is_same) {
		return 0; /* nothing to go by; asked again before a mailbox is paired anew */
	}
	int code = is_same ? 0 : ask_unknown(run, remote, &is_same, err);
	if (code == 0 && !is_same) {
		code = state_count_agreed(run->session->state, 0, &agreed, err);
	}
	for (size_t i = 0; code == 0 && agreed > 0 && !is_same && i < run->mailboxes.count; i++) {
		const struct mailbox *mailbox = &run->mailboxes.items[i];
		if (is_known(mailbox) && mailbox->seen.in_remote) {
			code = search_mailbox(run, remote, mailbox, &is_same, err);
		}
	}
	if (code == 0 && agreed > 0 && !is_same) {
		return stop(run, agreed, err);
	}
	run->seen.is_known_server = code == 0;
	return code;
}
