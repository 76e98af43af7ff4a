#include "delivery.h"

#include <string.h>

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
