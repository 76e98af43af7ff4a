#include "mailboxes.h"

#include <stdlib.h>
#include <string.h>

#include "guard/claim.h"

static bool is_selected(const struct run *run, const char *name)
{
	return mbname_selected(run->account->patterns, run->account->pattern_count, name);
}

/* Not named on the command line, which names some. */
static bool is_left_out(const struct run *run, const char *name)
{
	const struct strlist *only = run->options->only;
	if (only == NULL || only->count == 0) {
		return false;
	}
	for (size_t i = 0; i < only->count; i++) {
		if (strcmp(only->items[i], name) == 0) {
			return false;
		}
	}
	return true;
}

static int compare_mailbox(const void *x, const void *y)
{
	return strcmp(((const struct mailbox *)x)->name, ((const struct mailbox *)y)->name);
}

/* Appends an empty mailbox; the table is sorted and made unique later. */
static struct mailbox *mailbox_add(struct run *run, const char *name, struct err *err)
{
	size_t count = run->mailboxes.count;
	if ((count & (count - 1)) == 0) {
		struct mailbox *items = realloc(run->mailboxes.items,
						(count == 0 ? 1 : count * 2) * sizeof(*items));
		if (items == NULL) {
			err_nomem(err);
			return NULL;
		}
		run->mailboxes.items = items;
	}
	struct mailbox *mailbox = &run->mailboxes.items[count];
	memset(mailbox, 0, sizeof(*mailbox));
	state_mailbox_init(&mailbox->base);
	mailbox->name = span_dup(span_of(name));
	if (mailbox->name == NULL) {
		err_nomem(err);
		return NULL;
	}
	run->mailboxes.count++;
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

static int gather_local(struct run *run, struct err *err)
{
	struct strlist names;
	strlist_init(&names);
	int code = maildir_exists(run->session->maildir)
			 ? maildir_list(run->session->maildir, &names, err)
			 : 0;
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
	strlist_init(&names);
	int code = maildir_exists(run->session->maildir)
			 ? maildir_list(run->session->maildir, &names, err)
			 : 0;
	*has_more = false;
	for (size_t i = 0; code == 0 && i < names.count; i++) {
		const struct mailbox *mailbox = run_mailbox(run, names.items[i]);
		*has_more |= is_selected(run, names.items[i]) &&
			     (mailbox == NULL || !mailbox->seen.in_local);
	}
	strlist_finish(&names);
	return code;
}

static void mailbox_take_counts(struct mailbox *mailbox, const struct remote_mailbox *found)
{
	unsigned needed = REMOTE_TOLD_NUMBERS;
	mailbox->seen.has_counts = (found->counts.told & needed) == needed;
	mailbox->seen.messages = found->counts.messages;
	mailbox->seen.uidnext = found->counts.uidnext;
	mailbox->seen.uidvalidity = found->counts.uidvalidity;
	mailbox->seen.modseq = (found->counts.told & REMOTE_TOLD_MODSEQ) ? found->counts.modseq : 0;
	mailbox->seen.mailboxid =
		found->counts.mailboxid == NULL ? NULL : span_dup(span_of(found->counts.mailboxid));
}

static int gather_one_remote(struct run *run, const struct remote_mailbox *found,
			     const struct mbname_wire *wire, struct err *err)
{
	struct buf name;
	if (found->attributes & REMOTE_NOSELECT) {
		return 0;
	}
	buf_init(&name, MBNAME_MAX);
	int code = mbname_from_wire(wire, span_of(found->wire), &name, err);
	if (code < 0) {
		if (err->code != ERR_NOMEM) {
			run_report_error(run, NULL, 0, err);
			code = 0;
		}
		buf_finish(&name);
		return code;
	}
	bool unsubscribed = run->account->subscribed_only &&
			    (found->attributes & REMOTE_SUBSCRIBED) == 0 &&
			    strcmp(name.data, "INBOX") != 0;
	if (is_selected(run, name.data)) {
		struct mailbox *mailbox = mailbox_add(run, name.data, err);
		if (mailbox == NULL) {
			code = -(int)err->code;
		} else {
			mailbox->seen.in_remote = !unsubscribed;
			mailbox->seen.is_unsubscribed = unsubscribed;
			mailbox->seen.attributes = found->attributes;
			mailbox->seen.wire = span_dup(span_of(found->wire));
			mailbox_take_counts(mailbox, found);
			code = mailbox->seen.wire == NULL ? err_nomem(err) : 0;
		}
	}
	buf_finish(&name);
	return code;
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
	into->seen.is_unsubscribed |= from->seen.is_unsubscribed;
	if (from->seen.in_remote && into->seen.in_remote) {
		struct err err;
		err_set(&err, ERR_PARTIAL, SCOPE_MAILBOX,
			"the server's mailboxes \"%s\" and \"%s\" come to one name here; the "
			"second is left out",
			into->seen.wire, from->seen.wire);
		run_report_error(run, into, 0, &err);
	} else if (from->seen.in_remote || from->seen.is_unsubscribed) {
		into->seen.in_remote = from->seen.in_remote;
		into->seen.attributes = from->seen.attributes;
		into->seen.has_counts = from->seen.has_counts;
		into->seen.messages = from->seen.messages;
		into->seen.uidnext = from->seen.uidnext;
		into->seen.uidvalidity = from->seen.uidvalidity;
		into->seen.modseq = from->seen.modseq;
		char *wire = from->seen.wire;
		char *mailboxid = from->seen.mailboxid;
		from->seen.wire = NULL;
		from->seen.mailboxid = NULL;
		into->seen.wire = wire;
		into->seen.mailboxid = mailboxid;
	}
	mailbox_finish(from);
}

/* A folder that the user put elsewhere and linked to is not gone, and nothing is made in its place.
 */
static void leave_out_barred(struct run *run, struct mailbox *mailbox)
{
	struct err err;
	if (mailbox->seen.in_local || mailbox->decided.exclusion != EXCLUDED_NOT ||
	    !maildir_is_barred(run->session->maildir, mailbox->name)) {
		return;
	}
	err_set(&err, ERR_PARTIAL, SCOPE_MAILBOX,
		"the mailbox is left out: in the place of its folder is a symbolic link or a "
		"file, which mailsync does not follow (a bind mount would do)");
	run_report_error(run, mailbox, 0, &err);
	mailbox_exclude(mailbox, EXCLUDED_BARRED);
}

/* Who removes a folder removes its directory. One that is empty may be a mount point. */
static void leave_out_hollow(struct run *run, struct mailbox *mailbox)
{
	struct err err;
	if (mailbox->seen.in_local || !mailbox->seen.in_remote ||
	    mailbox->decided.exclusion != EXCLUDED_NOT || !mailbox->in_base ||
	    !mailbox->base.had_local || run->options->allow_mass_delete ||
	    !maildir_is_hollow(run->session->maildir, mailbox->name)) {
		return;
	}
	err_set(&err, ERR_BRAKE, SCOPE_MAILBOX,
		"the directory of the mailbox is empty: is a disk not mounted there? It is left "
		"out; if it was emptied on purpose, run once with --allow-mass-delete");
	run_report_error(run, mailbox, 0, &err);
	run->done.brake_hit = true;
	mailbox_exclude(mailbox, EXCLUDED_HOLLOW);
}

/*
 * offlineimap by default keeps a/b in a directory a.b. Where the server has (or base knows) a/b,
 * which no directory of that name holds, and nobody knows a mailbox a.b, it is that one.
 */
static int adopt_flat(struct run *run, struct mailbox *flat, struct err *err)
{
	if (!flat->seen.in_local || flat->seen.in_remote || flat->in_base ||
	    strchr(flat->name, '.') == NULL) {
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
	int code = 0;
	if (mailbox != NULL && !mailbox->seen.in_local &&
	    (mailbox->seen.in_remote || mailbox->in_base)) {
		code = maildir_adopt(run->session->maildir, name, flat->name, err);
		mailbox->seen.in_local = code == 0;
		flat->seen.in_local = false;
		mailbox_exclude(flat, EXCLUDED_ADOPTED);
	}
	free(name);
	return code;
}

/* Unsubscribed is not removed: what base knows of it waits for it to be subscribed again. One that
 * base does not know is met by a folder of its name, or not at all. */
static void leave_out_unsubscribed(struct mailbox *mailbox)
{
	if (mailbox->seen.is_unsubscribed && mailbox->in_base && mailbox->base.had_remote) {
		mailbox->seen.in_remote = true;
		mailbox_exclude(mailbox, EXCLUDED_UNSUBSCRIBED);
	} else if (mailbox->seen.is_unsubscribed && !mailbox->seen.in_local) {
		mailbox_exclude(mailbox, EXCLUDED_UNSUBSCRIBED);
	}
}

static int settle_names(struct run *run, struct err *err)
{
	int code = 0;
	for (size_t i = 0; i < run->mailboxes.count; i++) {
		struct mailbox *mailbox = &run->mailboxes.items[i];
		if (is_left_out(run, mailbox->name)) {
			mailbox_exclude(mailbox, EXCLUDED_BY_NAME);
		}
	}
	for (size_t i = 0; code == 0 && i < run->mailboxes.count; i++) {
		code = adopt_flat(run, &run->mailboxes.items[i], err);
	}
	for (size_t i = 0; code == 0 && i < run->mailboxes.count; i++) {
		leave_out_barred(run, &run->mailboxes.items[i]);
		leave_out_hollow(run, &run->mailboxes.items[i]);
		leave_out_unsubscribed(&run->mailboxes.items[i]);
	}
	return code;
}

int mailboxes_gather(struct run *run, const struct remote_mailboxes *remote, struct err *err)
{
	int code = gather_base(run, err);
	if (code == 0) {
		code = gather_local(run, err);
	}
	for (size_t i = 0; code == 0 && i < remote->count; i++) {
		code = gather_one_remote(run, &remote->items[i], &remote->wire, err);
	}
	if (code < 0 || run->mailboxes.count == 0) {
		return code;
	}
	qsort(run->mailboxes.items, run->mailboxes.count, sizeof(*run->mailboxes.items),
	      compare_mailbox);
	size_t kept = 0;
	for (size_t i = 1; i < run->mailboxes.count; i++) {
		struct mailbox *mailbox = &run->mailboxes.items[i];
		if (strcmp(run->mailboxes.items[kept].name, mailbox->name) == 0) {
			mailbox_join(run, &run->mailboxes.items[kept], mailbox);
		} else {
			run->mailboxes.items[++kept] = *mailbox;
		}
	}
	run->mailboxes.count = kept + 1;
	return settle_names(run, err);
}

int mailboxes_check_accidents(struct run *run, struct err *err)
{
	size_t local = 0;
	size_t remote = 0;
	size_t had_local = 0;
	size_t had_remote = 0;
	for (size_t i = 0; i < run->mailboxes.count; i++) {
		const struct mailbox *mailbox = &run->mailboxes.items[i];
		local += mailbox->seen.in_local;
		remote += mailbox->seen.in_remote;
		had_local += mailbox->in_base && mailbox->base.had_local;
		had_remote += mailbox->in_base && mailbox->base.had_remote;
	}
	uint64_t agreed = 0;
	if (run->options->allow_mass_delete || (local > 0 && remote > 0) ||
	    (had_local == 0 && had_remote == 0)) {
		return 0;
	}
	int code = state_count_agreed(run->session->state, 0, &agreed, err);
	if (code < 0 || agreed == 0) {
		return code;
	}
	if (local == 0 && had_local > 0) {
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
	if (remote == 0 && had_remote > 0) {
		return err_set(
			err, ERR_BRAKE, SCOPE_ACCOUNT,
			"the server lists no mailbox, though %llu messages were synced with it; "
			"nothing was done. If that is right, run once with --allow-mass-delete",
			(unsigned long long)agreed);
	}
	return 0;
}

/* The mailboxes' numbers on a server that cannot give them with LIST. */
static int ask_status(struct run *run, struct remote_mailboxes *found, struct err *err)
{
	if (remote_facts(run->session->remote)->lists_counts) {
		return 0;
	}
	if (!remote_facts(run->session->remote)->tells_changes) {
		return 0; /* every mailbox is opened anyway */
	}
	bool *wanted = calloc(found->count + 1, sizeof(*wanted));
	if (wanted == NULL) {
		return err_nomem(err);
	}
	for (size_t i = 0; i < found->count; i++) {
		struct buf name;
		struct err ignored;
		buf_init(&name, MBNAME_MAX);
		wanted[i] = (found->items[i].attributes & REMOTE_NOSELECT) == 0 &&
			    mbname_from_wire(&found->wire, span_of(found->items[i].wire), &name,
					     &ignored) == 0 &&
			    mbname_selected(run->account->patterns, run->account->pattern_count,
					    name.data);
		buf_finish(&name);
	}
	int code = remote_count(run->session->remote, found, wanted, err);
	free(wanted);
	return code;
}

int run_discover(struct run *run, struct err *err)
{
	struct remote_mailboxes found = {0};
	int code = remote_list(run->session->remote, run->account->subscribed_only, &found, err);
	if (code == 0) {
		code = ask_status(run, &found, err);
	}
	if (code == 0) {
		run->session->wire = found.wire;
		code = mailboxes_gather(run, &found, err);
	}
	remote_mailboxes_finish(&found);
	return code;
}
