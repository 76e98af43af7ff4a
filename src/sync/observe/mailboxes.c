#include "observe.h"
#include "observe_private.h"

#include <stdlib.h>
#include <string.h>

#include "mailsync/base/array.h"

static bool is_selected(const struct run *run, const char *name)
{
	return mbname_selected(run->account->patterns, run->account->pattern_count, name);
}

/* By the command line, or that names none. */
static bool is_named(const struct run *run, const char *name)
{
	const struct strlist *only = run->options->only;
	bool is_named = only == NULL || only->count == 0;
	for (size_t i = 0; !is_named && i < only->count; i++) {
		is_named = strcmp(only->items[i], name) == 0;
	}
	return is_named;
}

static int compare_mailbox(const void *x, const void *y)
{
	return strcmp(((const struct mailbox *)x)->name, ((const struct mailbox *)y)->name);
}

/* Appends an empty mailbox; the table is sorted and made unique later. */
static struct mailbox *mailbox_add(struct run *run, const char *name, struct err *err)
{
	struct mailboxes *mailboxes = &run->mailboxes;
	if (ARRAY_RESERVE(&mailboxes->items, mailboxes->count + 1, &mailboxes->cap, err) < 0) {
		return NULL;
	}
	struct mailbox *mailbox = &mailboxes->items[mailboxes->count];
	memset(mailbox, 0, sizeof(*mailbox));
	state_mailbox_init(&mailbox->base);
	mailbox->name = span_dup(span_of(name));
	if (mailbox->name == NULL) {
		err_nomem(err);
		return NULL;
	}
	mailboxes->count++;
	return mailbox;
}

static int gather_base(struct run *run, struct err *err)
{
	struct state_mailboxes known = {0};
	int code = state_mailboxes_load(run->session->state, &known, err);
	for (size_t i = 0; code == 0 && i < known.count; i++) {
		if (!is_selected(run, known.items[i].name)) {
			continue;
		}
		struct mailbox *mailbox = mailbox_add(run, known.items[i].name, err);
		if (mailbox == NULL) {
			code = -(int)err->code;
			break;
		}
		state_mailbox_finish(&mailbox->base);
		mailbox->base = known.items[i];
		state_mailbox_init(&known.items[i]);
		mailbox->in_base = true;
	}
	state_mailboxes_finish(&known);
	return code;
}

/* Names of the folders that there are now. */
static int list_folders(struct run *run, struct strlist *names, struct err *err)
{
	strlist_init(names);
	return maildir_exists(run->session->maildir)
		     ? maildir_list(run->session->maildir, names, err)
		     : 0;
}

static int gather_local(struct run *run, struct err *err)
{
	struct strlist names;
	int code = list_folders(run, &names, err);
	for (size_t i = 0; code == 0 && i < names.count; i++) {
		if (!is_selected(run, names.items[i])) {
			continue;
		}
		struct mailbox *mailbox = mailbox_add(run, names.items[i], err);
		if (mailbox == NULL) {
			code = -(int)err->code;
		} else {
			mailbox->seen.in_local = true;
		}
	}
	strlist_finish(&names);
	return code;
}

int mailboxes_have_more_folders(struct run *run, bool *has_more, struct err *err)
{
	struct strlist names;
	int code = list_folders(run, &names, err);
	*has_more = false;
	for (size_t i = 0; code == 0 && i < names.count; i++) {
		const struct mailbox *mailbox = run_mailbox(run, names.items[i]);
		*has_more |= is_selected(run, names.items[i]) &&
			     (mailbox == NULL || !mailbox->seen.in_local);
	}
	strlist_finish(&names);
	return code;
}

static void take_counts(struct mailbox *mailbox, const struct remote_counts *counts)
{
	mailbox->seen.has_counts = (counts->told & REMOTE_TOLD_NUMBERS) == REMOTE_TOLD_NUMBERS;
	mailbox->seen.messages = counts->messages;
	mailbox->seen.uidnext = counts->uidnext;
	mailbox->seen.uidvalidity = counts->uidvalidity;
}

int mailboxes_ask_counts(struct remote *remote, struct mailbox *mailbox, struct err *err)
{
	struct remote_counts counts = {0};
	int code = remote_count_one(remote, mailbox->seen.wire, &counts, err);
	if (code == 0) {
		take_counts(mailbox, &counts);
	}
	remote_counts_finish(&counts);
	return code;
}

static int add_remote(struct run *run, struct remote_mailbox *found, const char *name,
		      struct err *err)
{
	bool is_unsubscribed = run->account->subscribed_only &&
			       (found->attributes & REMOTE_SUBSCRIBED) == 0 &&
			       strcmp(name, "INBOX") != 0;
	struct mailbox *mailbox = mailbox_add(run, name, err);
	if (mailbox == NULL) {
		return -(int)err->code;
	}
	mailbox->seen.in_remote = !is_unsubscribed;
	mailbox->seen.is_unsubscribed = is_unsubscribed;
	mailbox->seen.attributes = found->attributes;
	mailbox->seen.wire = found->wire;
	mailbox->seen.mailboxid = found->counts.mailboxid;
	mailbox->seen.modseq = (found->counts.told & REMOTE_TOLD_MODSEQ) ? found->counts.modseq : 0;
	take_counts(mailbox, &found->counts);
	found->wire = NULL;
	found->counts.mailboxid = NULL;
	return 0;
}

/* Takes FOUND's strings over. */
static int gather_one_remote(struct run *run, struct remote_mailbox *found,
			     const struct mbname_wire *wire, struct err *err)
{
	struct buf name;
	if (found->attributes & REMOTE_NOSELECT) {
		return 0;
	}
	buf_init(&name, MBNAME_MAX);
	int code = mbname_from_wire(wire, span_of(found->wire), &name, err);
	if (code == 0 && is_selected(run, name.data)) {
		code = add_remote(run, found, name.data, err);
	} else if (code < 0 && err->code != ERR_NOMEM) {
		run_report_error(run, NULL, 0, err);
		code = 0;
	}
	buf_finish(&name);
	return code;
}

static void take_remote(struct mailbox *into, struct mailbox *from)
{
	bool in_local = into->seen.in_local;
	into->seen = from->seen;
	into->seen.in_local = in_local;
	from->seen.wire = NULL;
	from->seen.mailboxid = NULL;
}

/* What two entries of one name know goes into the first. */
static void mailbox_join(struct run *run, struct mailbox *into, struct mailbox *from)
{
	if (from->in_base) {
		state_mailbox_finish(&into->base);
		into->base = from->base;
		state_mailbox_init(&from->base);
		into->in_base = true;
	}
	into->seen.in_local |= from->seen.in_local;
	if (into->seen.wire != NULL && from->seen.wire != NULL) {
		struct err err;
		err_set(&err, ERR_PARTIAL, SCOPE_MAILBOX,
			"the server's mailboxes \"%s\" and \"%s\" come to one name here; the "
			"second is left out",
			into->seen.wire, from->seen.wire);
		run_report_error(run, into, 0, &err);
	} else if (from->seen.wire != NULL) {
		take_remote(into, from);
	}
	mailbox_finish(from);
}

/* Sorts the table and joins what bears one name. */
static void join_mailboxes(struct run *run)
{
	struct mailboxes *mailboxes = &run->mailboxes;
	size_t kept = 0;
	qsort(mailboxes->items, mailboxes->count, sizeof(*mailboxes->items), compare_mailbox);
	for (size_t i = 1; i < mailboxes->count; i++) {
		struct mailbox *mailbox = &mailboxes->items[i];
		if (strcmp(mailboxes->items[kept].name, mailbox->name) == 0) {
			mailbox_join(run, &mailboxes->items[kept], mailbox);
		} else {
			mailboxes->items[++kept] = *mailbox;
		}
	}
	mailboxes->count = kept + 1;
}

/* offlineimap by default keeps a/b in a directory a.b. */
static int adopt_flat(struct run *run, struct mailbox *flat, struct err *err)
{
	int code = 0;
	if (strchr(flat->name, '.') == NULL) {
		return 0;
	}
	char *name = span_dup(span_of(flat->name));
	if (name == NULL) {
		return err_nomem(err);
	}
	for (char *at = name; *at != '\0'; at++) {
		*at = *at == '.' ? '/' : *at;
	}
	struct mailbox *mailbox = run_mailbox(run, name);
	if (mailbox != NULL) {
		const struct mailbox_facts flat_facts = mailbox_facts(run, flat);
		const struct mailbox_facts facts = mailbox_facts(run, mailbox);
		if (mailbox_is_flat(&flat_facts, &facts)) {
			code = maildir_adopt(run->session->maildir, name, flat->name, err);
			mailbox->seen.in_local = code == 0;
			flat->seen.in_local = false;
			mailbox_exclude(flat, EXCLUDED_ADOPTED);
		}
	}
	free(name);
	return code;
}

static void report_left_out(struct run *run, struct mailbox *mailbox, enum exclusion why)
{
	struct err err;
	if (why == EXCLUDED_BARRED) {
		err_set(&err, ERR_PARTIAL, SCOPE_MAILBOX,
			"the mailbox is left out: in the place of its folder is a symbolic link or "
			"a file, which mailsync does not follow (a bind mount would do)");
		run_report_error(run, mailbox, 0, &err);
	} else if (why == EXCLUDED_HOLLOW) {
		err_set(&err, ERR_BRAKE, SCOPE_MAILBOX,
			"the directory of the mailbox is empty: is a disk not mounted there? It is "
			"left out; if it was emptied on purpose, run once with "
			"--allow-mass-delete");
		run_report_error(run, mailbox, 0, &err);
		run->done.brake_hit = true;
	}
}

static void leave_out(struct run *run, struct mailbox *mailbox)
{
	struct mailbox_facts facts = mailbox_facts(run, mailbox);
	if (!mailbox->seen.in_local && mailbox->decided.exclusion == EXCLUDED_NOT) {
		facts.is_barred = maildir_is_barred(run->session->maildir, mailbox->name);
		facts.is_hollow =
			facts.in_base && maildir_is_hollow(run->session->maildir, mailbox->name);
	}
	enum exclusion why = mailbox_exclusion(&facts);
	if (mailbox->decided.exclusion == EXCLUDED_NOT) {
		mailbox_exclude(mailbox, why);
		report_left_out(run, mailbox, why);
	}
	/* It is still there: what base knows of it waits for it to be subscribed again. */
	mailbox->seen.in_remote |= mailbox->seen.is_unsubscribed && (facts.had & SIDE_REMOTE);
}

/* Which of them take part. */
static int settle_names(struct run *run, struct err *err)
{
	int code = 0;
	for (size_t i = 0; i < run->mailboxes.count; i++) {
		if (!is_named(run, run->mailboxes.items[i].name)) {
			mailbox_exclude(&run->mailboxes.items[i], EXCLUDED_BY_NAME);
		}
	}
	for (size_t i = 0; code == 0 && i < run->mailboxes.count; i++) {
		code = adopt_flat(run, &run->mailboxes.items[i], err);
	}
	for (size_t i = 0; code == 0 && i < run->mailboxes.count; i++) {
		leave_out(run, &run->mailboxes.items[i]);
	}
	return code;
}

/* The union of base's, local and remote mailboxes, those that `mailboxes` leaves out as if they
 * were not there. */
static int gather(struct run *run, struct remote_mailboxes *remote, struct err *err)
{
	int code;
	if ((code = gather_base(run, err)) < 0 || (code = gather_local(run, err)) < 0) {
		return code;
	}
	for (size_t i = 0; code == 0 && i < remote->count; i++) {
		code = gather_one_remote(run, &remote->items[i], &remote->wire, err);
	}
	if (code < 0 || run->mailboxes.count == 0) {
		return code;
	}
	join_mailboxes(run);
	return settle_names(run, err);
}

static bool is_asked_after(const struct run *run, const struct remote_mailbox *found,
			   const struct mbname_wire *wire)
{
	struct buf name;
	struct err ignored;
	buf_init(&name, MBNAME_MAX);
	bool is_asked = (found->attributes & REMOTE_NOSELECT) == 0 &&
			mbname_from_wire(wire, span_of(found->wire), &name, &ignored) == 0 &&
			is_selected(run, name.data);
	buf_finish(&name);
	return is_asked;
}

/* The mailboxes' numbers on a server that cannot give them with LIST. Where it tells no changes
 * either, every mailbox is opened anyway. */
static int ask_counts(struct run *run, struct remote_mailboxes *found, struct err *err)
{
	const struct remote_facts *facts = remote_facts(run->session->remote);
	if (facts->lists_counts || !facts->tells_changes) {
		return 0;
	}
	bool *wanted = calloc(found->count + 1, sizeof(*wanted));
	if (wanted == NULL) {
		return err_nomem(err);
	}
	for (size_t i = 0; i < found->count; i++) {
		wanted[i] = is_asked_after(run, &found->items[i], &found->wire);
	}
	int code = remote_count(run->session->remote, found, wanted, err);
	free(wanted);
	return code;
}

int run_discover(struct run *run, struct err *err)
{
	struct remote_mailboxes found = {0};
	int code;
	mailboxes_finish(run);
	if ((code = remote_list(run->session->remote, run->account->subscribed_only, &found,
				err)) == 0 &&
	    (code = ask_counts(run, &found, err)) == 0) {
		run->session->wire = found.wire;
		code = gather(run, &found, err);
	}
	remote_mailboxes_finish(&found);
	return code;
}
