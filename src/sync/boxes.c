/*
 * The table of mailboxes of a run. A mailbox is on a side or not; base knows where it was. What
 * that means:
 *
 *   local  remote  base had    then
 *   yes    yes                 sync
 *   no     yes     not local   new on the server: created locally where `create` covers it
 *   no     yes     local       removed locally: removed on the server where `remove_mailboxes`
 *                              covers it, else its rows are dropped and it is new on the server
 *   yes    no                  the same with the sides exchanged
 *   no     no                  its base is dropped
 */
#include "boxes.h"

#include <stdlib.h>
#include <string.h>

#include "boxes_create.h"

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

static void box_finish(struct box *box)
{
	box_release(box);
	free(box->name);
	free(box->wire);
	free(box->mailboxid);
	state_mailbox_finish(&box->base);
}

void boxes_finish(struct run *run)
{
	for (size_t i = 0; i < run->boxes.count; i++) {
		box_finish(&run->boxes.items[i]);
	}
	free(run->boxes.items);
	run->boxes = (struct boxes){0};
}

static int compare_box(const void *x, const void *y)
{
	return strcmp(((const struct box *)x)->name, ((const struct box *)y)->name);
}

/* Appends an empty box; the table is sorted and made unique later. */
static struct box *box_add(struct run *run, const char *name, struct err *err)
{
	size_t count = run->boxes.count;
	if ((count & (count - 1)) == 0) {
		struct box *items =
			realloc(run->boxes.items, (count == 0 ? 1 : count * 2) * sizeof(*items));
		if (items == NULL) {
			err_nomem(err);
			return NULL;
		}
		run->boxes.items = items;
	}
	struct box *box = &run->boxes.items[count];
	memset(box, 0, sizeof(*box));
	state_mailbox_init(&box->base);
	box->name = span_dup(span_of(name));
	if (box->name == NULL) {
		err_nomem(err);
		return NULL;
	}
	run->boxes.count++;
	return box;
}

static int gather_base(struct run *run, struct err *err)
{
	struct state_mailboxes known = {0};
	int code = state_mailboxes_load(run->state, &known, err);
	for (size_t i = 0; code == 0 && i < known.count; i++) {
		if (!is_selected(run, known.items[i].name)) {
			continue;
		}
		struct box *box = box_add(run, known.items[i].name, err);
		if (box == NULL) {
			code = -(int)err->code;
			break;
		}
		state_mailbox_finish(&box->base);
		box->base = known.items[i];
		state_mailbox_init(&known.items[i]);
		box->in_base = true;
	}
	state_mailboxes_finish(&known);
	return code;
}

static int gather_local(struct run *run, struct err *err)
{
	struct strlist names;
	strlist_init(&names);
	int code = maildir_exists(run->maildir) ? maildir_list(run->maildir, &names, err) : 0;
	for (size_t i = 0; code == 0 && i < names.count; i++) {
		if (!is_selected(run, names.items[i])) {
			continue;
		}
		struct box *box = box_add(run, names.items[i], err);
		if (box == NULL) {
			code = -(int)err->code;
		} else {
			box->in_local = true;
		}
	}
	strlist_finish(&names);
	return code;
}

int boxes_have_more_folders(struct run *run, bool *has_more, struct err *err)
{
	struct strlist names;
	strlist_init(&names);
	int code = maildir_exists(run->maildir) ? maildir_list(run->maildir, &names, err) : 0;
	*has_more = false;
	for (size_t i = 0; code == 0 && i < names.count; i++) {
		const struct box *box = run_box(run, names.items[i]);
		*has_more |= is_selected(run, names.items[i]) && (box == NULL || !box->in_local);
	}
	strlist_finish(&names);
	return code;
}

static void box_take_counts(struct box *box, const struct imap_mailbox *found)
{
	unsigned needed = IMAP_COUNT_MESSAGES | IMAP_COUNT_UIDNEXT | IMAP_COUNT_UIDVALIDITY;
	box->has_counts = (found->counts.has & needed) == needed;
	box->messages = found->counts.messages;
	box->uidnext = found->counts.uidnext;
	box->uidvalidity = found->counts.uidvalidity;
	box->modseq =
		(found->counts.has & IMAP_COUNT_HIGHESTMODSEQ) ? found->counts.highestmodseq : 0;
	box->mailboxid =
		found->counts.mailboxid == NULL ? NULL : span_dup(span_of(found->counts.mailboxid));
}

static int gather_one_remote(struct run *run, const struct imap_mailbox *found,
			     const struct mbname_wire *wire, struct err *err)
{
	struct buf name;
	if (found->attributes & IMAP_LIST_NOSELECT) {
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
			    (found->attributes & IMAP_LIST_SUBSCRIBED) == 0 &&
			    strcmp(name.data, "INBOX") != 0;
	if (is_selected(run, name.data)) {
		struct box *box = box_add(run, name.data, err);
		if (box == NULL) {
			code = -(int)err->code;
		} else {
			box->in_remote = !unsubscribed;
			box->is_unsubscribed = unsubscribed;
			box->attributes = found->attributes;
			box->wire = span_dup(span_of(found->wire));
			box_take_counts(box, found);
			code = box->wire == NULL ? err_nomem(err) : 0;
		}
	}
	buf_finish(&name);
	return code;
}

/* What two entries of one name know goes into the first. */
static void box_join(struct run *run, struct box *into, struct box *from)
{
	if (from->in_base) {
		state_mailbox_finish(&into->base);
		into->base = from->base;
		state_mailbox_init(&from->base);
		into->in_base = true;
	}
	into->in_local |= from->in_local;
	into->is_unsubscribed |= from->is_unsubscribed;
	if (from->in_remote && into->in_remote) {
		struct err err;
		err_set(&err, ERR_PARTIAL, SCOPE_MAILBOX,
			"the server's mailboxes \"%s\" and \"%s\" come to one name here; the "
			"second is left out",
			into->wire, from->wire);
		run_report_error(run, into, 0, &err);
	} else if (from->in_remote || from->is_unsubscribed) {
		into->in_remote = from->in_remote;
		into->attributes = from->attributes;
		into->has_counts = from->has_counts;
		into->messages = from->messages;
		into->uidnext = from->uidnext;
		into->uidvalidity = from->uidvalidity;
		into->modseq = from->modseq;
		char *wire = from->wire;
		char *mailboxid = from->mailboxid;
		from->wire = NULL;
		from->mailboxid = NULL;
		into->wire = wire;
		into->mailboxid = mailboxid;
	}
	box_finish(from);
}

/* A folder that the user put elsewhere and linked to is not gone, and nothing is made in its place.
 */
static void leave_out_barred(struct run *run, struct box *box)
{
	struct err err;
	if (box->in_local || box->is_excluded || !maildir_is_barred(run->maildir, box->name)) {
		return;
	}
	err_set(&err, ERR_PARTIAL, SCOPE_MAILBOX,
		"the mailbox is left out: in the place of its folder is a symbolic link or a "
		"file, which mailsync does not follow (a bind mount would do)");
	run_report_error(run, box, 0, &err);
	box->is_excluded = true;
}

/* Who removes a folder removes its directory. One that is empty may be a mount point. */
static void leave_out_hollow(struct run *run, struct box *box)
{
	struct err err;
	if (box->in_local || !box->in_remote || box->is_excluded || !box->in_base ||
	    !box->base.had_local || run->options->allow_mass_delete ||
	    !maildir_is_hollow(run->maildir, box->name)) {
		return;
	}
	err_set(&err, ERR_BRAKE, SCOPE_MAILBOX,
		"the directory of the mailbox is empty: is a disk not mounted there? It is left "
		"out; if it was emptied on purpose, run once with --allow-mass-delete");
	run_report_error(run, box, 0, &err);
	run->brake_hit = true;
	box->is_excluded = true;
}

/*
 * offlineimap by default keeps a/b in a directory a.b. Where the server has (or base knows) a/b,
 * which no directory of that name holds, and nobody knows a mailbox a.b, it is that one.
 */
static int adopt_flat(struct run *run, struct box *flat, struct err *err)
{
	if (!flat->in_local || flat->in_remote || flat->in_base ||
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
	struct box *box = run_box(run, name);
	int code = 0;
	if (box != NULL && !box->in_local && (box->in_remote || box->in_base)) {
		code = maildir_adopt(run->maildir, name, flat->name, err);
		box->in_local = code == 0;
		flat->in_local = false;
		flat->is_excluded = true;
	}
	free(name);
	return code;
}

/* Unsubscribed is not removed: what base knows of it waits for it to be subscribed again. One that
 * base does not know is met by a folder of its name, or not at all. */
static void leave_out_unsubscribed(struct box *box)
{
	if (box->is_unsubscribed && box->in_base && box->base.had_remote) {
		box->in_remote = true;
		box->is_excluded = true;
	} else if (box->is_unsubscribed && !box->in_local) {
		box->is_excluded = true;
	}
}

static int settle_names(struct run *run, struct err *err)
{
	int code = 0;
	for (size_t i = 0; i < run->boxes.count; i++) {
		struct box *box = &run->boxes.items[i];
		box->is_left_out = is_left_out(run, box->name);
		box->is_excluded = box->is_left_out;
	}
	for (size_t i = 0; code == 0 && i < run->boxes.count; i++) {
		code = adopt_flat(run, &run->boxes.items[i], err);
	}
	for (size_t i = 0; code == 0 && i < run->boxes.count; i++) {
		leave_out_barred(run, &run->boxes.items[i]);
		leave_out_hollow(run, &run->boxes.items[i]);
		leave_out_unsubscribed(&run->boxes.items[i]);
	}
	return code;
}

int boxes_gather(struct run *run, const struct imap_mailboxes *remote, struct err *err)
{
	int code = gather_base(run, err);
	if (code == 0) {
		code = gather_local(run, err);
	}
	for (size_t i = 0; code == 0 && i < remote->count; i++) {
		code = gather_one_remote(run, &remote->items[i], &remote->wire, err);
	}
	if (code < 0 || run->boxes.count == 0) {
		return code;
	}
	qsort(run->boxes.items, run->boxes.count, sizeof(*run->boxes.items), compare_box);
	size_t kept = 0;
	for (size_t i = 1; i < run->boxes.count; i++) {
		struct box *box = &run->boxes.items[i];
		if (strcmp(run->boxes.items[kept].name, box->name) == 0) {
			box_join(run, &run->boxes.items[kept], box);
		} else {
			run->boxes.items[++kept] = *box;
		}
	}
	run->boxes.count = kept + 1;
	return settle_names(run, err);
}

int boxes_check_accidents(struct run *run, struct err *err)
{
	size_t local = 0;
	size_t remote = 0;
	size_t had_local = 0;
	size_t had_remote = 0;
	for (size_t i = 0; i < run->boxes.count; i++) {
		const struct box *box = &run->boxes.items[i];
		local += box->in_local;
		remote += box->in_remote;
		had_local += box->in_base && box->base.had_local;
		had_remote += box->in_base && box->base.had_remote;
	}
	uint64_t agreed = 0;
	if (run->options->allow_mass_delete || (local > 0 && remote > 0) ||
	    (had_local == 0 && had_remote == 0)) {
		return 0;
	}
	int code = state_count_agreed(run->state, 0, &agreed, err);
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
			maildir_exists(run->maildir) ? "holds no mailbox" : "does not exist",
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

/* The rows of a mailbox that vanished from one side are forgotten, so that it counts as new on the
 * other. */
static int box_forget(struct run *run, struct box *box, struct err *err)
{
	int code = run_claim(run, err);
	if (code == 0) {
		code = state_mailbox_drop(run->state, box->base.id, err);
	}
	if (code == 0) {
		state_mailbox_finish(&box->base);
		state_mailbox_init(&box->base);
		box->in_base = false;
	}
	return code;
}

/* Only --pull or --push keep this run from it. */
static bool may_be_removed_later(const struct run *run, unsigned side)
{
	bool is_kept = side == SIDE_LOCAL ? run->options->push : run->options->pull;
	return is_kept && (run->account->remove_mailboxes & run_sides(run) & side) != 0;
}

/* Whether its removal on one side is to be followed; the removal itself waits for the brake. */
static int settle_vanished(struct run *run, struct box *box, unsigned gone_side, struct err *err)
{
	unsigned other = gone_side == SIDE_LOCAL ? SIDE_REMOTE : SIDE_LOCAL;
	if (gone_side == SIDE_LOCAL && run->lost_power) {
		return box_forget(run, box, err); /* its making did not reach the disk */
	}
	if ((run->remove_mailboxes & other) && strcmp(box->name, "INBOX") != 0) {
		box->remove = other;
		return state_count_agreed(run->state, box->base.id, &box->agreed_before, err);
	}
	if (may_be_removed_later(run, other) && strcmp(box->name, "INBOX") != 0) {
		box->is_excluded = true;
		return 0;
	}
	log_line(run->log, LOG_WARN,
		 "%s/%s: the mailbox was removed %s; its messages are kept %s (see "
		 "`remove_mailboxes`)",
		 run->account->name, box->name,
		 gone_side == SIDE_LOCAL ? "locally" : "on the server",
		 other == SIDE_LOCAL ? "locally" : "on the server");
	return box_forget(run, box, err);
}

static int settle_one(struct run *run, struct box *box, size_t index, struct err *err)
{
	int code = 0;
	if (box->in_base && box->base.had_local && !box->in_local && box->in_remote) {
		code = settle_vanished(run, box, SIDE_LOCAL, err);
	} else if (box->in_base && box->base.had_remote && !box->in_remote && box->in_local) {
		code = settle_vanished(run, box, SIDE_REMOTE, err);
	} else if (box->in_base && !box->in_local && !box->in_remote) {
		code = run->options->dry_run ? 0 : box_forget(run, box, err);
		box->is_excluded = true;
	}
	if (code < 0 || box->remove != 0 || box->is_excluded) {
		return code;
	}
	if (!box->in_local) {
		if ((run->create & SIDE_LOCAL) == 0) {
			box->is_excluded = true;
			return 0;
		}
		return boxes_create_local(run, box, err);
	}
	if (!box->in_remote) {
		if ((run->create & SIDE_REMOTE) == 0) {
			box->is_excluded = true;
			return 0;
		}
		return boxes_create_remote(run, box, index, err);
	}
	return 0;
}

int boxes_settle(struct run *run, struct err *err)
{
	int code = 0;
	int64_t ignored_ms = 0;
	/* A STATUS refused so far costs nothing: that mailbox is opened now. */
	imap_backoff_take(run->imap, &ignored_ms);
	for (size_t i = 0; code == 0 && i < run->boxes.count; i++) {
		struct box *box = &run->boxes.items[i];
		if (!box->is_excluded) {
			code = settle_one(run, box, i, err);
		}
	}
	return code < 0 ? code : boxes_create_finish(run, err);
}
