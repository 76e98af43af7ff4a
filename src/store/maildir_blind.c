/* What could not be looked at below the root (maildir.h). */
#include "maildir_private.h"

#include <stdlib.h>

void maildir_blind_init(struct maildir_blind *blind)
{
	blind->has_lost_found = false;
	blind->other_inbox = NULL;
	strlist_init(&blind->names);
	strlist_init(&blind->why);
	strlist_init(&blind->left_out);
}

void maildir_blind_finish(struct maildir_blind *blind)
{
	strlist_finish(&blind->names);
	strlist_finish(&blind->why);
	strlist_finish(&blind->left_out);
	free(blind->other_inbox);
	blind->other_inbox = NULL;
}

/* A folder a.b of offlineimap's may be the mailbox a/b. */
static bool is_at_or_below(const char *name, const char *above, bool has_below)
{
	size_t len = 0;
	while (above[len] != '\0' &&
	       (name[len] == above[len] || (above[len] == '.' && name[len] == '/'))) {
		len++;
	}
	return above[len] == '\0' && (name[len] == '\0' || (has_below && name[len] == '/'));
}

const char *maildir_blind_why(const struct maildir *maildir, const struct maildir_blind *blind,
			      const char *name)
{
	for (size_t i = 0; i < blind->names.count; i++) {
		if (is_at_or_below(name, blind->names.items[i], maildir->layout == LAYOUT_FS)) {
			return blind->why.items[i];
		}
	}
	if (blind->other_inbox != NULL && is_at_or_below(name, "INBOX", true)) {
		return blind->other_inbox;
	}
	return blind->has_lost_found ? "the folder of the mailbox is not there, and a lost+found "
				       "in the Maildir holds something, where a repair of the file "
				       "system may have put it; look there, and remove what is left"
				     : NULL;
}
