/* Whose Maildir is whose. */
#include "places.h"

#include <stdio.h>
#include <string.h>

#include "mailsync/base/buf.h"

#define TEXT_MAX  65536
#define PATH_SIZE 128

/* One is the other, or lies in it. */
static bool are_nested(const char *one, const char *other)
{
	size_t one_len = strlen(one), other_len = strlen(other);
	size_t len = one_len < other_len ? one_len : other_len;
	const char *longer = one_len < other_len ? other : one;

	return strncmp(one, other, len) == 0 && (longer[len] == '\0' || longer[len] == '/');
}

/* INNER, another account's Maildir, lies in the open account's: its folders are no mailboxes of
 * this one, and go to no server but their own. */
static void leave_inner(struct facts *facts, const char *inner)
{
	const char *outer = facts_value(facts, "maildir");
	const char *layout = facts_value(facts, "layout");
	struct buf name;

	if (facts_has(facts, "protocol") || (layout && strcmp(layout, "fs") != 0)) {
		return; /* it has no folders, or has them by other names */
	}
	if (!facts_has(facts, "mailboxes")) {
		facts_set(facts, 0, "mailboxes", "*");
	}
	buf_init(&name, TEXT_MAX);
	buf_append_cstr(&name, inner + strlen(outer) + 1);
	facts_add_name(facts, 0, name.data, true);
	buf_append_cstr(&name, "/*");
	facts_add_pattern(facts, 0, name.data, true);
	buf_finish(&name);
}

/* A Maildir is one account's: the first's. The open one's is, holds or lies in that of OTHER,
 * before it. */
static void part_maildir(struct facts *facts, struct migrate_account *other)
{
	struct migrate_account *account = facts->account;
	const char *own = facts_value(facts, "maildir");
	const char *others = migrate_value(other, "maildir");
	size_t own_len = strlen(own), others_len = strlen(others);

	if (own_len == others_len) {
		facts_note(facts, 0, "maildir",
			   "account %s has %s, and mailsync a Maildir for each account: what this "
			   "one fetched lies there, and what of it is still on the server comes "
			   "once more",
			   other->name, others);
		facts_unset(facts, "inbox");
	} else if (own_len > others_len) {
		facts_note(facts, 0, "maildir",
			   "%s lies in %s, the Maildir of account %s, and mailsync has each apart: "
			   "move it to the `maildir` named here before the first run, or what of "
			   "it is still on the server comes once more",
			   own, others, other->name);
		facts->account = other;
		leave_inner(facts, own);
		facts->account = account;
	} else {
		facts_note(
			facts, 0, "maildir",
			"%s, the Maildir of account %s, lies in %s, and mailsync has each apart: "
			"move what else is there to the `maildir` named here before the first "
			"run, or what of it is still on the server comes once more",
			others, other->name, own);
	}
	facts_unset(facts, "maildir");
}

/* The place where an account's Maildir comes by itself is not another's. */
static bool is_free(const struct facts *facts, const char *path)
{
	for (size_t i = 0; i < facts->migrate->count; i++) {
		const char *other = migrate_value(&facts->migrate->accounts[i], "maildir");
		if (other && are_nested(path, other)) {
			return false;
		}
	}
	return true;
}

#define PLACES_MAX 100

static void find_place(struct facts *facts)
{
	const char *name = facts->account->name;
	char path[PATH_SIZE];

	snprintf(path, sizeof(path), PLACE_BY_NAME, name);
	for (unsigned number = 1; !is_free(facts, path) && number < PLACES_MAX; number++) {
		if (number == 1) {
			snprintf(path, sizeof(path), "~/Mail-%s", name);
		} else {
			snprintf(path, sizeof(path), "~/Mail-%s-%u", name, number);
		}
		if (is_free(facts, path)) {
			facts_set_path(facts, 0, "maildir", path);
			return;
		}
	}
}

void places_part(struct facts *facts)
{
	struct migrate *migrate = facts->migrate;

	for (size_t i = 0; i < migrate->count && facts->code == 0; i++) {
		facts->account = &migrate->accounts[i];
		for (size_t k = 0; k < i && facts->code == 0; k++) {
			const char *own = facts_value(facts, "maildir");
			const char *other = migrate_value(&migrate->accounts[k], "maildir");
			if (own && other && are_nested(own, other)) {
				part_maildir(facts, &migrate->accounts[k]);
			}
		}
	}
	for (size_t i = 0; i < migrate->count && facts->code == 0; i++) {
		facts->account = &migrate->accounts[i];
		if (!facts_has(facts, "maildir")) {
			find_place(facts);
		}
	}
}
