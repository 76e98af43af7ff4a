#include "delivery.h"

#include <string.h>
#include <strings.h>

void delivery_begin(struct facts *facts, const char *host)
{
	static const char *const heads[] = {"imap.",  "pop.",  "pop3.", "mail.",
					    "imaps.", "pops.", NULL};

	for (const char *const *head = heads; *head; head++) {
		size_t len = strlen(*head);
		if (strncmp(host, *head, len) == 0 && strchr(host + len, '.')) {
			host += len;
			break;
		}
	}
	facts_begin(facts, host);
}

void delivery_set_maildir(struct facts *facts, int line, const char *path)
{
	facts_set_path(facts, line, "maildir", path);
	facts_set(facts, line, "inbox", ".");
}

void delivery_tell_elsewhere(struct facts *facts, int line, const char *word)
{
	facts_note(
		facts, line, word,
		"where mail went is not known here: name in `maildir` the Maildir that has it, and "
		"add `inbox = .`; else all that is on the server comes once more, into a new one");
}

void delivery_set_policy(struct facts *facts, int line, bool is_pop3, bool deletes)
{
	if (is_pop3) {
		facts_set(facts, line, "leave_on_server", deletes ? "no" : "yes");
		return;
	}
	facts_set(facts, line, "mailboxes", "INBOX");
	facts_set(facts, line, "direction", "pull");
	facts_set(facts, line, "delete", "none");
	if (deletes) {
		facts_note(
			facts, line, "delete",
			"mailsync deletes nothing on an IMAP server because it was fetched: what "
			"is "
			"there stays");
	}
}

static bool has_inbox(const struct strlist *names)
{
	for (size_t i = 0; i < names->count; i++) {
		if (strcasecmp(names->items[i], "INBOX") == 0) {
			return true;
		}
	}
	return names->count == 0;
}

void delivery_set_mailboxes(struct facts *facts, int line, const char *word,
			    const struct strlist *names)
{
	if (has_inbox(names)) {
		if (names->count > 1) {
			facts_note(facts, line, word,
				   "several mailboxes went into one place; mailsync has a folder "
				   "for each. INBOX alone is synced into it, and nothing goes to "
				   "the server");
		}
		return;
	}
	facts_unset(facts, "mailboxes");
	facts_unset(facts, "maildir");
	facts_unset(facts, "inbox");
	for (size_t i = 0; i < names->count; i++) {
		facts_add_wire_name(facts, line, names->items[i], false);
	}
	if (!facts_has(facts, "mailboxes")) {
		facts_set(facts, line, "mailboxes", "!*");
	}
	facts_note(facts, line, word,
		   "mailsync has a folder for each mailbox, below `maildir`: all that is on the "
		   "server comes once more, unless you move the Maildir that has it there, under "
		   "the mailbox's name");
}
