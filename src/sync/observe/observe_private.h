/* What the files of this room share; observe.h is for the neighbours. */
#ifndef SYNC_OBSERVE_OBSERVE_PRIVATE_H
#define SYNC_OBSERVE_OBSERVE_PRIVATE_H

#include "run/run.h"

/* True when there are folders of this account that were not there when they were gathered. */
int mailboxes_have_more_folders(struct run *run, bool *has_more, struct err *err);

/* By what prefix and separator the listing is read: run->session->wire. */
int observe_naming(struct run *run, struct remote_mailboxes *found, struct err *err);
/* Notes them, and special uses, once all mailboxes are gathered. */
int observe_listing_note(struct run *run, struct err *err);

/* Whether MAILBOX is KNOWN under another name, by a sample of its messages. */
int mailbox_compare_sample(struct run *run, struct mailbox *known, struct mailbox *mailbox,
			   bool *is_same, struct err *err);

/* Whether MAILBOX, which has no folder, is there cannot be told, as WHY says. */
void observe_untold_here(struct run *run, struct mailbox *mailbox, const struct err *why);
/* The same of those in BLIND, once all mailboxes are gathered. */
void observe_blind(struct run *run, const struct maildir_blind *blind);
/* Asks after those that base had on the server and that it does not list. */
int observe_absent(struct run *run, struct err *err);

/* M58. Lists the server's mailboxes again; *IS_SAME: it tells of those that it told of before, and
 * of no others. A refusal is none. */
int observe_listed_again(struct run *run, bool *is_same, struct err *err);
/* By the account's patterns. */
bool mailbox_is_selected(const struct run *run, const char *name);

/* Scans the open folder of MAILBOX, and gives different messages that share a unique part one each.
 * SCAN is zeroed before, and finished by the caller in any case. */
int observe_scan(struct run *run, struct mailbox *mailbox, struct maildir_scan *scan,
		 struct err *err);
/* One folder, scanned whatever its stamp says. */
int observe_local_mailbox(struct run *run, struct mailbox *mailbox, struct err *err);

/* HIGHEST: the highest UID told of, 0: none (D34). */
void numbers_store(struct state_mailbox *base, const struct numbers *told, uint32_t highest);

/* Notes in all mailboxes what may have to be settled whatever their numbers say: open intents,
 * files and messages to be paired. */
int view_needs_note(struct run *run, struct err *err);
/* Whether MAILBOX holds files that we delivered (ANY_NAME: or any other) and whose rows a run that
 * died did not join: what the scan noted then is settled only now. */
int observe_unjoined(struct run *run, struct mailbox *mailbox, bool any_name, bool *found,
		     struct err *err);
/* What decides whether and how MAILBOX is viewed. */
struct view_facts view_facts_of(const struct run *run, const struct mailbox *mailbox);

/* D38. What is known of MAILBOX's count; zeroed where it is right. */
int surplus_load(struct run *run, const struct mailbox *mailbox, struct surplus *surplus,
		 struct err *err);
int surplus_store(struct run *run, const struct mailbox *mailbox, const struct surplus *surplus,
		  struct err *err);

/* What is known of a view that comes in parts, of those that were taken. */
struct view_parts {           /* zeroed: there was none */
	uint64_t listed;      /* messages */
	uint32_t first, last; /* the lowest and the highest UID */
	struct uidset absent; /* rows up to LAST that are not listed: gone, if that is believed */
	uint64_t unseen;      /* rows of messages that are not shown (D37) */
	uint64_t changes;     /* of rows, committed */
};
void view_parts_finish(struct view_parts *parts);
/* Commits what there is in PART: what is not, and numbers, have to wait for the whole. */
int remote_delta_apply_part(struct run *run, struct mailbox *mailbox,
			    const struct remote_view *part, struct view_parts *parts,
			    struct err *err);
/* Commits what VIEW tells, behind its PARTS, and the numbers with it. Where it is not whole, or the
 * counts do not fit, nothing is taken for gone, no number is advanced, and the view's state is what
 * follows (D36). */
int remote_delta_apply(struct run *run, struct mailbox *mailbox, const struct remote_view *view,
		       struct view_parts *parts, struct err *err);

/* MAILBOX as it is now, after CHANGES rows were changed. In a transaction. */
int remote_delta_store(struct run *run, struct mailbox *mailbox, uint64_t changes, struct err *err);

/* UID SEARCH decides what is gone. The view's state is VIEW_INCOMPLETE where all has to be listed
 * first, else VIEW_NONE: the mailbox is whole then, or it is reported and view.is_short. */
int remote_uids_apply(struct run *run, struct remote *remote, struct mailbox *mailbox,
		      struct err *err);

/* --- replaced.c --- */

/* Fills seen.replaced, seen.shares_id and seen.shares_known_id of all mailboxes. */
int mailboxes_note_replaced(struct run *run, struct err *err);
int mailboxes_note_replaced_here(struct run *run, struct err *err); /* replaced_here.c */
/* What tells whether the mailbox that base knows as KNOWN is NOW, without a sample. */
struct mailbox_evidence mailbox_evidence_of(const struct mailbox *known, const struct mailbox *now);

/* The messages FIRST to LAST are not on the server any more; *COUNT: how many rows changed. Notes
 * the files of an archive that are gone here already: no row is left of these. */
int observe_gone_there(struct run *run, const struct mailbox *mailbox, uint32_t first,
		       uint32_t last, uint64_t *count, struct err *err);

/* --- unkept.c --- */

/* D40, in a transaction: what we put there is not there as UID. */
int unkept_put(struct run *run, struct mailbox *mailbox, uint32_t uid, struct err *err);
/* The same of all such, from FROM on, that UIDS lack; *COUNT: how many. */
int unkept_put_all(struct run *run, struct mailbox *mailbox, const struct uidset *uids,
		   uint32_t from, size_t *count, struct err *err);

/* Of find_moves, MOVE_SEEN_RENAMED. */
int find_renamed(struct run *run, struct state_moves *pairs, struct err *err);

#endif
