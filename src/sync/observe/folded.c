/*
 * Servers that take two names for one: "archive", an NFD form or a blank at the end for "Archive".
 * One mailbox under two names would be there twice here, and what is deleted in one be deleted in
 * the other. So one that is new is compared with those that are known (M47 of
 * rules/mailbox_rules.h), and a name that is to be made is asked after first, and looked for
 * afterwards (M48, M49).
 */
#include "observe.h"
#include "observe_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "guard/guard.h"

#define KEY_SIZE (MBNAME_MAX + 16)

static void leave_alone(struct run *run, struct mailbox *mailbox, const struct err *why)
{
	run_report_error(run, mailbox, 0, why);
	mailbox_exclude(mailbox, EXCLUDED_FAILED);
	mailbox->seen.in &= ~(unsigned)SIDE_REMOTE;
}

/* Mailboxes other than KNOWN and MAILBOX have the same UIDVALIDITY. */
static bool is_usual(const struct run *run, const struct mailbox *known,
		     const struct mailbox *mailbox)
{
	bool is_so = false;
	for (size_t i = 0; i < run->mailboxes.count; i++) {
		const struct mailbox *other = &run->mailboxes.items[i];
		is_so |= other != known && other != mailbox &&
			 (told_equal(other->seen.numbers.uidvalidity,
				     mailbox->seen.numbers.uidvalidity) ||
			  told_equal(other->base.numbers.uidvalidity,
				     mailbox->seen.numbers.uidvalidity));
	}
	return is_so;
}

static struct folded_facts facts_of(const struct run *run, const struct mailbox *known,
				    const struct mailbox *mailbox)
{
	bool has_ids = known->base.mailboxid != NULL && mailbox->seen.mailboxid != NULL;
	return (struct folded_facts){
		.has_ids = has_ids,
		.is_same_id =
			has_ids && strcmp(known->base.mailboxid, mailbox->seen.mailboxid) == 0,
		.has_counts = known->seen.has_counts && mailbox->seen.has_counts,
		.known = known->seen.has_counts ? known->seen.numbers : known->base.numbers,
		.now = mailbox->seen.numbers,
		.is_usual = is_usual(run, known, mailbox),
		.is_alike = names_are_alike(known->name, mailbox->name),
	};
}

static bool is_known(const struct mailbox *mailbox)
{
	return mailbox->in_base && mailbox->base.had_remote && (mailbox->seen.in & SIDE_REMOTE);
}

static bool is_new(const struct mailbox *mailbox)
{
	return !(mailbox->in_base && mailbox->base.had_remote) &&
	       (mailbox->seen.in & SIDE_REMOTE) && mailbox->wire != NULL &&
	       mailbox->decided.exclusion == EXCLUDED_NOT;
}

static int compare_with(struct run *run, struct mailbox *known, struct mailbox *mailbox,
			bool *is_same, struct err *err)
{
	const struct folded_facts facts = facts_of(run, known, mailbox);
	enum likeness likeness = mailbox_is_folded(&facts);
	*is_same = likeness == LIKENESS_YES;
	return likeness == LIKENESS_BY_SAMPLE
		     ? mailbox_compare_sample(run, known, mailbox, is_same, err)
		     : 0;
}

/* M47 */
static int check_new(struct run *run, struct mailbox *mailbox, struct err *err)
{
	bool is_same = false;
	int code = mailbox->seen.numbers.uidvalidity.is_told
			 ? 0
			 : server_ask_numbers(run->session->remote, mailbox, err);
	for (size_t i = 0; code == 0 && !is_same && i < run->mailboxes.count; i++) {
		struct mailbox *known = &run->mailboxes.items[i];
		if (!is_known(known) ||
		    (code = compare_with(run, known, mailbox, &is_same, err)) < 0 || !is_same) {
			continue;
		}
		struct err why;
		err_set(&why, ERR_PARTIAL, SCOPE_MAILBOX,
			"the server takes this name for that of %s (letters' case, Unicode form or "
			"blanks): it is left alone, or all would be there twice; give it another "
			"name",
			known->name);
		leave_alone(run, mailbox, &why);
	}
	/* One that cannot be looked at is looked at in its turn. */
	return code < 0 && !run_is_fatal(err) ? 0 : code;
}

static void key_of(const struct mailbox *mailbox, char key[KEY_SIZE])
{
	snprintf(key, KEY_SIZE, "unlisted %s", mailbox->name);
}

/* M49: it was made once, and not listed then. */
static int was_unlisted(struct run *run, const struct mailbox *mailbox, bool *was, struct err *err)
{
	char key[KEY_SIZE], value[4];
	key_of(mailbox, key);
	int code = state_get(run->session->state, key, value, sizeof(value), err);
	*was = code == 0 && value[0] != '\0';
	return code;
}

static int note_unlisted(struct run *run, const struct mailbox *mailbox, bool is_so,
			 struct err *err)
{
	char key[KEY_SIZE];
	key_of(mailbox, key);
	return state_set(run->session->state, key, is_so ? "1" : "", err);
}

static int note_listed(struct run *run, const struct mailbox *mailbox, struct err *err)
{
	bool was = false;
	int code = was_unlisted(run, mailbox, &was, err);
	return code < 0 || !was ? code : note_unlisted(run, mailbox, false, err);
}

int observe_folded(struct run *run, struct err *err)
{
	bool has_known = false;
	int code = 0;
	for (size_t i = 0; i < run->mailboxes.count; i++) {
		has_known |= is_known(&run->mailboxes.items[i]);
	}
	for (size_t i = 0; code == 0 && i < run->mailboxes.count; i++) {
		struct mailbox *mailbox = &run->mailboxes.items[i];
		if (is_new(mailbox) && (code = note_listed(run, mailbox, err)) == 0 && has_known) {
			code = check_new(run, mailbox, err);
		}
	}
	return code;
}

static void leave_unlisted(struct run *run, struct mailbox *mailbox)
{
	struct err why;
	err_set(&why, ERR_PARTIAL, SCOPE_MAILBOX,
		"the server has a mailbox of this name and does not list it: it takes it for "
		"another one's (letters' case, Unicode form or blanks), or hides it; the folder is "
		"left alone, give it another name");
	leave_alone(run, mailbox, &why);
}

/* M51: whether the server says of WIRE, which its listing lacks, that it is not there. */
static int is_not_there(struct run *run, const char *wire, bool is_list_whole, bool *is_so,
			enum remote_refusal *refusal, struct err *err)
{
	const char *const wires[] = {wire, "INBOX"};
	struct remote_counts counts[2] = {0};
	int code = remote_count_names(run->session->remote, wires, 2, counts, err);
	const struct vanished_facts facts = {
		.told = counts[0].numbers,
		.refusal = counts[0].refusal,
		.inbox_told = counts[1].numbers,
		.is_list_whole = is_list_whole,
	};
	*is_so = code == 0 && mailbox_absence(&facts) == THERE_NO;
	*refusal = facts.refusal;
	remote_counts_finish(&counts[0]);
	remote_counts_finish(&counts[1]);
	return code;
}

/* M49, M51: one that was made and was not listed then stays left alone, until the server says that
 * it is not there. */
static int check_unlisted(struct run *run, struct mailbox *mailbox, bool has_it, struct err *err)
{
	enum remote_refusal refusal = REMOTE_REFUSAL_NONE;
	bool is_gone = false;
	int code = has_it ? 0
			  : is_not_there(run, mailbox->wire, run->seen.is_list_whole, &is_gone,
					 &refusal, err);
	if (code == 0 && is_gone && refusal == REMOTE_REFUSAL_NONEXISTENT) {
		return note_unlisted(run, mailbox, false, err);
	}
	leave_unlisted(run, mailbox);
	return code;
}

/* M48 */
int observe_unmade(struct run *run, struct mailbox *const *mailboxes, size_t count, struct err *err)
{
	const char **wires = calloc(count + 1, sizeof(*wires));
	struct remote_counts *counts = calloc(count + 1, sizeof(*counts));
	int64_t ignored_ms = 0;
	int code = wires == NULL || counts == NULL ? err_nomem(err) : 0;
	for (size_t i = 0; code == 0 && i < count; i++) {
		wires[i] = mailboxes[i]->wire;
	}
	code = code < 0 ? code
			: remote_count_names(run->session->remote, wires, count, counts, err);
	for (size_t i = 0; code == 0 && i < count; i++) {
		bool has_it = numbers_tell_something(&counts[i].numbers);
		bool was = false;
		if ((code = was_unlisted(run, mailboxes[i], &was, err)) == 0 && (was || has_it)) {
			code = check_unlisted(run, mailboxes[i], has_it, err);
		}
	}
	for (size_t i = 0; counts != NULL && i < count; i++) {
		remote_counts_finish(&counts[i]);
	}
	remote_busy_take(run->session->remote, &ignored_ms); /* CREATE will tell */
	free(counts);
	free(wires);
	return code;
}

static struct remote_mailbox *find_listed(struct remote_mailboxes *listed, const char *wire)
{
	for (size_t i = 0; i < listed->count; i++) {
		struct remote_mailbox *item = &listed->items[i];
		if (strcmp(item->wire, wire) == 0 && !(item->attributes & REMOTE_NOSELECT)) {
			return item;
		}
	}
	return NULL;
}

/* M51, M49: what was made is not listed. */
static int check_unmade(struct run *run, struct mailbox *mailbox, bool is_list_whole,
			struct err *err)
{
	enum remote_refusal refusal = REMOTE_REFUSAL_NONE;
	struct err why;
	bool is_gone = false;
	int code = mailbox->done.was_found_there
			 ? 0
			 : is_not_there(run, mailbox->wire, is_list_whole, &is_gone, &refusal, err);
	if (code < 0) {
		return code;
	}
	if (is_gone) {
		err_set(&why, ERR_PARTIAL, SCOPE_MAILBOX,
			"the server answered that it made the mailbox, and does not have it; its "
			"folder waits, and the next run asks for it again");
		leave_alone(run, mailbox, &why);
		return 0;
	}
	leave_unlisted(run, mailbox);
	return note_unlisted(run, mailbox, true, err);
}

/* M49, M47 */
static int check_made(struct run *run, struct mailbox *mailbox, struct remote_mailboxes *listed,
		      struct err *err)
{
	struct remote_mailbox *found = find_listed(listed, mailbox->wire);
	if (found == NULL) {
		return check_unmade(run, mailbox, listed->is_whole, err);
	}
	mailbox->seen.numbers = found->counts.numbers;
	free(mailbox->seen.mailboxid);
	mailbox->seen.mailboxid = found->counts.mailboxid;
	found->counts.mailboxid = NULL;
	return check_new(run, mailbox, err);
}

int observe_made(struct run *run, struct mailbox *const *mailboxes, size_t count, struct err *err)
{
	struct remote_mailboxes listed = {0};
	int code = remote_list(run->session->remote, false, &listed, err);
	for (size_t i = 0; code == 0 && i < count; i++) {
		code = check_made(run, mailboxes[i], &listed, err);
	}
	remote_mailboxes_finish(&listed);
	return code;
}
