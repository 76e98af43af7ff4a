/* Mailboxes of a run: found by name, opened, written down. */
#include "run.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mailsync/base/array.h"

void mailbox_finish(struct mailbox *mailbox)
{
	mailbox_release(mailbox);
	free(mailbox->name);
	free(mailbox->wire);
	free(mailbox->seen.mailboxid);
	state_mailbox_finish(&mailbox->base);
}

void mailboxes_finish(struct run *run)
{
	for (size_t i = 0; i < run->mailboxes.count; i++) {
		mailbox_finish(&run->mailboxes.items[i]);
	}
	free(run->mailboxes.items);
	run->mailboxes = (struct mailboxes){0};
}

static int compare_to_name(const void *key, const void *item)
{
	return strcmp(key, ((const struct mailbox *)item)->name);
}

struct mailbox *run_mailbox(struct run *run, const char *name)
{
	return array_find(run->mailboxes.items, run->mailboxes.count, sizeof(struct mailbox), name,
			  compare_to_name);
}

bool run_names(const struct run *run, const char *name)
{
	const struct strlist *only = run->options->only;
	return only == NULL || only->count == 0 || strlist_has(only, name);
}

struct mailbox *run_mailbox_add(struct run *run, const char *name, struct err *err)
{
	struct mailboxes *table = &run->mailboxes;
	size_t at = array_lower_bound(table->items, table->count, sizeof(*table->items), name,
				      compare_to_name);
	if (at < table->count && strcmp(table->items[at].name, name) == 0) {
		return &table->items[at];
	}
	if (ARRAY_RESERVE(&table->items, table->count + 1, &table->cap, err) < 0) {
		return NULL;
	}
	struct mailbox made = {
		.name = span_dup(span_of(name)),
		.decided.exclusion = run_names(run, name) ? EXCLUDED_NOT : EXCLUDED_BY_NAME,
	};
	if (made.name == NULL) {
		err_nomem(err);
		return NULL;
	}
	state_mailbox_init(&made.base);
	struct mailbox *mailbox = &table->items[at];
	memmove(mailbox + 1, mailbox, (table->count - at) * sizeof(made));
	*mailbox = made;
	table->count++;
	return mailbox;
}

struct mailbox_facts mailbox_facts(const struct run *run, const struct mailbox *mailbox)
{
	const struct mailbox_seen *seen = &mailbox->seen;
	const struct state_mailbox *base = &mailbox->base;
	enum side had = (base->had_local ? SIDE_LOCAL : 0) | (base->had_remote ? SIDE_REMOTE : 0);
	return (struct mailbox_facts){
		.is_inbox = strcmp(mailbox->name, "INBOX") == 0,
		.in_base = mailbox->in_base,
		.had = mailbox->in_base ? had : SIDE_NONE,
		.in = seen->in,
		.untold = seen->untold,
		.replaced = seen->replaced,
		.is_unsubscribed = seen->is_unsubscribed,
		.is_named = mailbox->decided.exclusion != EXCLUDED_BY_NAME,
		.may_lose_many = run->options->allow_mass_delete,
		.lost_power = run->session->lost_power,
		.held = base->held,
	};
}

struct mailbox *run_mailbox_by_id(const struct run *run, int64_t id)
{
	for (size_t i = 0; i < run->mailboxes.count; i++) {
		struct mailbox *mailbox = &run->mailboxes.items[i];
		if (mailbox->in_base && mailbox->base.id == id) {
			return mailbox;
		}
	}
	return NULL;
}

#define ASIDE "mailsync-renaming-"

void mailbox_name_aside(const struct mailbox *mailbox, char name[MAILBOX_ASIDE_SIZE])
{
	snprintf(name, MAILBOX_ASIDE_SIZE, ASIDE "%" PRId64, mailbox->base.id);
}

bool mailbox_is_aside(const char *name)
{
	return strncmp(name, ASIDE, strlen(ASIDE)) == 0;
}

bool mailbox_is_active(const struct mailbox *mailbox)
{
	return mailbox->decided.exclusion == EXCLUDED_NOT && mailbox->decided.remove == 0;
}

void mailbox_take_counts(struct mailbox_seen *seen, const struct remote_counts *counts)
{
	struct told modseq = seen->numbers.modseq;
	seen->has_counts = numbers_are_told(&counts->numbers);
	seen->numbers = counts->numbers;
	seen->numbers.modseq = modseq;
	seen->append_limit = counts->append_limit;
}

void mailbox_exclude(struct mailbox *mailbox, enum exclusion reason)
{
	if (mailbox->decided.exclusion == EXCLUDED_NOT) {
		mailbox->decided.exclusion = reason;
	}
}

int mailbox_open_folder(struct run *run, const struct mailbox *mailbox,
			struct maildir_folder **folder, struct err *err)
{
	struct maildir *maildir = run->session->maildir;
	const char *letters = mailbox->base.letters == NULL ? "" : mailbox->base.letters;
	int code = maildir_remember(maildir, mailbox->name, letters, err);
	return code < 0 ? code : maildir_folder_open(maildir, mailbox->name, folder, err);
}

int mailbox_open_dir(struct run *run, struct mailbox *mailbox, struct err *err)
{
	return mailbox->dir != NULL ? 0 : mailbox_open_folder(run, mailbox, &mailbox->dir, err);
}

void mailbox_release(struct mailbox *mailbox)
{
	maildir_folder_close(&mailbox->dir);
}

/* What letters mean in the folder by now, where it was opened. */
static int take_letters(struct run *run, struct mailbox *mailbox, struct err *err)
{
	char *letters = NULL;
	if (run->session->maildir == NULL) {
		return 0; /* the root could not be opened */
	}
	int code = maildir_remembered(run->session->maildir, mailbox->name, &letters, err);
	if (letters != NULL) {
		free(mailbox->base.letters);
		mailbox->base.letters = letters;
	}
	return code;
}

int mailbox_store(struct run *run, struct mailbox *mailbox, struct err *err)
{
	struct state_mailbox *base = &mailbox->base;
	if (base->name == NULL && (base->name = span_dup(span_of(mailbox->name))) == NULL) {
		return err_nomem(err);
	}
	/* Where this run leaves it alone, its coming or going on a side is still to be settled. */
	if (mailbox->decided.exclusion == EXCLUDED_NOT || !mailbox->in_base) {
		base->had_local = (mailbox->seen.in & SIDE_LOCAL) != 0;
		base->had_remote = (mailbox->seen.in & SIDE_REMOTE) != 0;
	}
	int code = take_letters(run, mailbox, err);
	if (code < 0) {
		return code;
	}
	code = state_mailbox_put(run->session->state, base, err);
	mailbox->in_base = mailbox->in_base || code == 0;
	return code;
}
