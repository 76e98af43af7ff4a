/* mbsync's channels, between its files: who syncs what with what, and how. */
#ifndef MAILSYNC_MIGRATE_MBSYNC_H
#define MAILSYNC_MIGRATE_MBSYNC_H

#include <stdbool.h>

#include "facts.h"

#define MBSYNC_PLACEHOLDERS                                                                  \
	"of larger messages mbsync left placeholders here, which mailsync takes for the "    \
	"messages: let mbsync fetch them whole, or remove these files before the first run " \
	"(`grep -rl '^Subject: .placeholder.' MAILDIR` finds them)"

/* As facts_apply; what is copied has its quotes taken off. */
void mbsync_apply(struct facts *facts, struct section *section, const struct rule *rules,
		  size_t count);
/* The keys for the server, and for how one logs in there. */
void mbsync_set_login(struct facts *facts, struct section *login);

/* One channel between an IMAP store and a Maildir store. */
struct channel {
	struct section *section;
	struct section *imap, *maildir;
	char *remote, *local; /* mailboxes, or what stands before patterns; owned */
	char *prefix;         /* the server's names, but INBOX, begin with it (Path); owned */
	bool is_swapped;      /* the server is the near side */
	bool has_patterns;
	int line; /* of the local side */
};

/* False where it is none between a server and a Maildir. */
bool channel_read(struct facts *facts, struct section *section, struct channel *channel);
void channel_finish(struct channel *channel);
/* Both belong into one account. */
bool channel_is_like(const struct channel *channel, const struct channel *other);

/* All of a file. */
struct channels {
	struct channel *items;
	size_t count, cap;
};

/* The keys for what is synced where to: what all channels like the one AT and behind it do, each by
 * itself or by what stands before all sections. */
void channels_set_policy(struct facts *facts, const struct channels *channels, size_t at);
/* The keys `maildir`, `layout` and `inbox`, by the store and the account's first channel. True
 * where INBOX lies elsewhere, in *INBOX (owned): it takes an account of its own. */
bool channel_set_maildir(struct facts *facts, const struct channel *channel, char **inbox);
/* It has another name on disk than on the server, which INBOX may have. */
bool channel_is_renamed(const struct facts *facts, const struct channel *channel);
/* Its mailboxes. What has another name on disk than on the server is left out and told. */
void channel_add_mailboxes(struct facts *facts, const struct channel *channel);
/* When all have theirs: a folder that is another mailbox's here must not become a mailbox of its
 * own name there, which other channels' patterns select. */
void channel_leave_renamed(struct facts *facts, const struct channel *channel);
/* Folders whose names are not those of the server's mailboxes: what may be another's is left out,
 * and none is made. Behind channels_set_policy. */
void channel_guard_names(struct facts *facts, const struct channel *channel);

#endif
