/* Whether what a server tells by itself is more than what base knows. */
#include "mailsync/sync/sync.h"

#include <string.h>

#include "mailsync/state/state.h"
#include "mailsync/store/remote.h"

#include "guard/guard.h"

/* What is not told proves nothing, but HIGHESTMODSEQ, which not every server has. */
static bool is_as_known(const struct numbers *base, const struct numbers *now)
{
	bool has_modseq = base->modseq.is_told || now->modseq.is_told;
	return told_equal(base->uidvalidity, now->uidvalidity) &&
	       told_equal(base->uidnext, now->uidnext) &&
	       told_equal(base->messages, now->messages) &&
	       (!has_modseq || told_equal(base->modseq, now->modseq));
}

/* What base knows. */
struct known {
	const struct account *account;
	struct state_mailboxes mailboxes;
	struct state_uses uses;
};

static bool is_news_of(const struct known *known, const struct remote_mailbox *told,
		       const char *name)
{
	const struct state_mailboxes *mailboxes = &known->mailboxes;
	const struct numbers *now = &told->counts.numbers;
	bool is_selected = uses_select(&known->uses, known->account, name);
	for (size_t i = 0; i < mailboxes->count; i++) {
		if (strcmp(mailboxes->items[i].name, name) == 0) {
			return is_selected && !is_as_known(&mailboxes->items[i].numbers, now);
		}
	}
	return is_selected || uses_may_select(&known->uses, known->account, name);
}

static bool compare(const struct known *known, const struct remote_mailboxes *told)
{
	bool is_news = false;
	for (size_t i = 0; !is_news && i < told->count; i++) {
		const struct remote_mailbox *mailbox = &told->items[i];
		struct buf name;
		struct err ignored;
		buf_init(&name, MBNAME_MAX);
		is_news = mbname_from_wire(&told->wire, span_of(mailbox->wire), &name, &ignored) <
				  0 ||
			  is_news_of(known, mailbox, name.data);
		buf_finish(&name);
	}
	return is_news;
}

int sync_is_news(const struct account *account, const struct sync_options *options,
		 const struct remote_mailboxes *told, bool *is_news, struct err *err)
{
	struct known known = {.account = account};
	struct state *state = NULL;
	char path[FILE_PATH_SIZE];
	int code;
	account_path(account, options, ".db", path);
	if ((code = state_open(&state, path, STATE_READ, err)) == 0 &&
	    (code = state_mailboxes_load(state, &known.mailboxes, err)) == 0 &&
	    (code = whose_uses(account, state, &known.uses, err)) == 0) {
		*is_news = compare(&known, told);
	}
	state_mailboxes_finish(&known.mailboxes);
	state_uses_finish(&known.uses);
	state_close(&state);
	return code;
}
