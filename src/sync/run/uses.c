/* Which mailboxes an account's patterns select, those by special use among them. */
#include "run.h"

#include <stdlib.h>
#include <string.h>

#include "mailsync/base/array.h"

static int add(struct run *run, const struct remote_mailbox *found, const struct mbname_wire *wire,
	       struct err *err)
{
	struct run_uses *uses = &run->uses;
	struct err ignored;
	struct buf name;
	int code = 0;
	buf_init(&name, MBNAME_MAX);
	if (mbname_from_wire(wire, span_of(found->wire), &name, &ignored) == 0) {
		code = ARRAY_RESERVE(&uses->items, uses->count + 1, &uses->cap, err);
		char *copy = code == 0 ? buf_steal(&name) : NULL;
		if (copy != NULL) {
			uses->items[uses->count++] = (struct run_use){copy, found->attributes};
		} else {
			code = err_nomem(err);
		}
	}
	buf_finish(&name);
	return code;
}

int run_uses_learn(struct run *run, const struct remote_mailboxes *found, struct err *err)
{
	int code = 0;
	run_uses_finish(run);
	for (size_t i = 0; code == 0 && i < found->count; i++) {
		if (found->items[i].attributes & REMOTE_USES) {
			code = add(run, &found->items[i], &found->wire, err);
		}
	}
	return code;
}

void run_uses_finish(struct run *run)
{
	for (size_t i = 0; i < run->uses.count; i++) {
		free(run->uses.items[i].name);
	}
	free(run->uses.items);
	run->uses = (struct run_uses){0};
}

bool run_selects(const struct run *run, const char *name)
{
	const struct account *account = run->account;
	unsigned attributes = 0;
	for (size_t i = 0; i < run->uses.count; i++) {
		if (strcmp(run->uses.items[i].name, name) == 0) {
			attributes = run->uses.items[i].attributes;
		}
	}
	return remote_is_chosen(account->patterns, account->pattern_count, name, attributes);
}
