/* Which mailboxes an account's patterns select, those by special use among them. A use that is not
 * told now is the one that was told last. */
#include "run.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "mailsync/base/array.h"

static_assert(REMOTE_ALL == 0x100 && REMOTE_ARCHIVE == 0x200 && REMOTE_DRAFTS == 0x400 &&
		      REMOTE_FLAGGED == 0x800 && REMOTE_JUNK == 0x1000 && REMOTE_SENT == 0x2000 &&
		      REMOTE_TRASH == 0x4000 && REMOTE_IMPORTANT == 0x8000,
	      "stored in the database");

static struct state_use *find(const struct state_uses *uses, const char *name)
{
	for (size_t i = 0; i < uses->count; i++) {
		if (strcmp(uses->items[i].name, name) == 0) {
			return &uses->items[i];
		}
	}
	return NULL;
}

static int add(struct state_uses *uses, const char *name, struct state_use **use, struct err *err)
{
	if (ARRAY_RESERVE(&uses->items, uses->count + 1, &uses->cap, err) < 0) {
		return -ERR_NOMEM;
	}
	*use = &uses->items[uses->count];
	**use = (struct state_use){.name = span_dup(span_of(name))};
	uses->count += (*use)->name != NULL;
	return (*use)->name != NULL ? 0 : err_nomem(err);
}

bool uses_select(const struct state_uses *uses, const struct account *account, const char *name)
{
	const struct state_use *use = find(uses, name);
	return remote_is_chosen(account->patterns, account->pattern_count, name,
				use == NULL ? 0 : use->uses);
}

bool uses_may_select(const struct state_uses *uses, const struct account *account, const char *name)
{
	return uses_select(uses, account, name) ||
	       (find(uses, name) == NULL &&
		remote_may_be_chosen(account->patterns, account->pattern_count, name));
}

/* NAME is listed as FOUND, whose special uses are told if ARE_TOLD. */
static int learn(struct state_uses *uses, const char *name, const struct remote_mailbox *found,
		 bool are_told, struct err *err)
{
	unsigned told = found->attributes & REMOTE_USES;
	struct state_use *use = find(uses, name);
	int code = use == NULL && told != 0 ? add(uses, name, &use, err) : 0;
	if (code == 0 && use != NULL) {
		use->uses = are_told ? told : use->uses;
		use->is_needed = true;
	}
	return code;
}

int uses_learn(struct state_uses *uses, const struct remote_mailboxes *found, struct err *err)
{
	int code = 0;
	/* Of those that come to one name the first counts, which is the last one that is taken. */
	for (size_t i = found->count; code == 0 && i > 0; i--) {
		const struct remote_mailbox *mailbox = &found->items[i - 1];
		struct err ignored;
		struct buf name;
		buf_init(&name, MBNAME_MAX);
		if ((mailbox->attributes & REMOTE_NOSELECT) == 0 &&
		    mbname_from_wire(&found->wire, span_of(mailbox->wire), &name, &ignored) == 0) {
			code = learn(uses, name.data, mailbox, found->has_uses, err);
		}
		buf_finish(&name);
	}
	for (size_t i = 0; code == 0 && found->is_read && i < uses->count; i++) {
		struct state_use *use = &uses->items[i];
		use->uses = use->is_needed ? use->uses : 0;
	}
	return code;
}

int run_uses_note(struct run *run, struct err *err)
{
	int code = 0;
	for (size_t i = 0; code == 0 && i < run->uses.count; i++) {
		struct state_use *use = &run->uses.items[i];
		if (use->uses != use->noted) {
			code = state_use_put(run->session->state, use->name, use->uses, err);
			use->noted = use->uses;
		}
	}
	return code;
}

bool run_may_select(const struct run *run, const char *name)
{
	return uses_may_select(&run->uses, run->account, name);
}

bool run_selects_by_use(const struct run *run, const char *name)
{
	const struct account *account = run->account;
	return run_selects(run, name) &&
	       !remote_is_chosen(account->patterns, account->pattern_count, name, 0);
}

unsigned run_uses_of(const struct run *run, const char *name)
{
	const struct state_use *use = find(&run->uses, name);
	return use == NULL ? 0 : use->uses;
}

bool run_selects(const struct run *run, const char *name)
{
	return uses_select(&run->uses, run->account, name);
}
