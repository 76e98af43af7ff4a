/*
 * What is there, and what changed since base, written down before anything is planned (I8): facts
 * only; rules say what they mean. In the order of a run:
 *
 *     observe_mailboxes                 which mailboxes there are
 *     rename_find                       which of them may have been renamed
 *     observe_local, observe_remote     what changed in them
 *     find_moves                        what may have moved from one to another
 *
 * and, after our own changes to a mailbox, observe_remote_mailbox.
 */
#ifndef SYNC_OBSERVE_OBSERVE_H
#define SYNC_OBSERVE_OBSERVE_H

#include "rules/content_rules.h"
#include "rules/move_rules.h"
#include "run/run.h"

/* Notes whether keywords are synced. Those that changed while they were not are not told again, so
 * everything is looked at anew. */
int observe_keywords(struct run *run, struct err *err);

/* Which mailboxes there are (rules/mailbox_rules.h) */

/* Lists the server's mailboxes and gathers run->mailboxes anew: the union of base's, those here and
 * those there, those that `mailboxes` leaves out as if they were not there. */
int observe_mailboxes(struct run *run, struct err *err);

/* The same without a server: of that side it is taken for granted what base says. */
int observe_mailboxes_here(struct run *run, struct err *err);

/* Leaves out what is new on the server and a known mailbox under another name. */
int observe_folded(struct run *run, struct err *err);
/* Of MAILBOXES, which are to be made on the server, those that it has already and does not list are
 * reported and left out. */
int observe_unmade(struct run *run, struct mailbox *const *mailboxes, size_t count,
		   struct err *err);
/* MAILBOXES were just made: those that are not listed now, or are known under another name,
 * likewise. */
int observe_made(struct run *run, struct mailbox *const *mailboxes, size_t count, struct err *err);

/* What the server says of MAILBOX now, into its counts. */
int mailboxes_ask_counts(struct remote *remote, struct mailbox *mailbox, struct err *err);

/* One that is gone from one side, and one that is new on the same side and verifiably the same, as
 * MAILBOXIDs, numbers, directories and a sample of base's messages show. They are of
 * run->mailboxes. */
struct rename_pair {
	struct mailbox *from; /* in base, gone from one side */
	struct mailbox *to;   /* new on that side, unknown on the other */
	enum side side;       /* the other one, where it is still to be renamed */
};
struct rename_pairs {
	struct rename_pair *items; /* by the old name: parents before children */
	size_t count;
};
int rename_find(struct run *run, struct rename_pairs *pairs, struct err *err);
/* M59. PAIRS: those that were renamed on both sides, and which of both names is to be base's, so
 * that it is one that SIDE is to rename. Where the first says no there are none. */
bool rename_may_be_twice(const struct run *run);
int rename_find_twice(struct run *run, struct rename_pairs *pairs, struct err *err);
void rename_pairs_finish(struct rename_pairs *pairs);

/* What changed (rules/local_rules.h, rules/remote_rules.h) */

/* Folders whose stamp changed are scanned. */
int observe_local(struct run *run, struct err *err);
/* MAILBOX's folder cannot be read, as ERR tells: reported, and nothing of it is believed in this
 * run. */
void observe_unreadable(struct run *run, struct mailbox *mailbox, const struct err *err);

/* What ENTRY, a file of the open folder DIR, is to ROW, whose message its name proposes. 0: the
 * verdict is SAME or OTHER. -ERR_CHANGED: it is not there any more, or changes just now. Else it
 * could not be read: -ERR_PARTIAL, which tells of it. */
struct file_look {
	enum content_verdict verdict;
	struct maildir_file file; /* as it is now */
};
int observe_file(struct maildir_folder *dir, const struct row *row,
		 const struct maildir_entry *entry, struct file_look *look, struct err *err);

/* Mailboxes whose numbers changed are viewed, all in one pipeline. Fails with seen.begins_anew
 * where one turns out to be renumbered that may have changed its name with another one: the run has
 * to be begun anew, and asks for the numbers of all. */
int observe_remote(struct run *run, struct err *err);
enum look {
	LOOK_FIRST, /* nothing was done yet: one that was renumbered may be another one; else as
		     * ANEW */
	LOOK_ANEW,  /* base of one that was renumbered is forgotten, and all paired */
	LOOK_IN_JOB /* a job needs the rows: such a one is reported and left to the next run */
};
/* One mailbox, over any connection, after our own changes to it: its numbers are learnt. */
int observe_remote_mailbox(struct run *run, struct remote *remote, struct mailbox *mailbox,
			   enum look why, struct err *err);

/* What may be a move (rules/move_rules.h): pairs of a row that is gone from one mailbox and a row
 * that is new in another. HERE: files of one unique part; a gone one may come with several.
 * UNREADABLE: new files whose unique part base has in a folder that could not be read. THERE: one
 * to one, by EMAILID, date and header, or on a server without EMAILIDs by date and header, which is
 * fetched where the rest agrees. */
int find_moves(struct run *run, enum move_seen seen, struct state_moves *pairs, struct err *err);

/* Messages that were moved on both sides, to different mailboxes (V15): what is gone from both, its
 * file, and the new row on the server. One to one. The caller finishes LIST. */
struct crossed {
	struct state_move here;
	int64_t new_row;
};
struct crossed_list {
	struct crossed *items;
	size_t count, cap;
};
int find_crossed(struct run *run, struct crossed_list *found, struct err *err);
void crossed_list_finish(struct crossed_list *list);
/* Whether messages that are new on the server may have come into MAILBOX by a move. */
bool mailbox_may_have_arrivals(const struct mailbox *mailbox);

/* Both rows as they are now; finished by the caller in any case. */
struct move_rows {
	struct row gone;
	struct row fresh;
	bool are_there; /* false: one of them is no more */
};
int move_rows_load(struct run *run, const struct state_move *pair, struct move_rows *rows,
		   struct err *err);
void move_rows_finish(struct move_rows *rows);

/* What the new file of a move, in MAILBOX, is to the old row. Commonly its mark tells; else the
 * folder is searched, once for all moves that follow one another. UNKNOWN: it is not there any
 * more, or could not be read, which is reported. FOLDER is zeroed before the first, and finished in
 * any case. */
struct folder_look {
	struct mailbox *mailbox;
	struct maildir_scan scan;
};
int observe_moved(struct run *run, struct folder_look *folder, struct mailbox *mailbox,
		  const struct move_rows *rows, enum content_verdict *verdict, struct err *err);
/* Into FRESH, one that is new: the digest of its file, in MAILBOX; *IS_TOLD: it could be read. */
int observe_content(struct run *run, struct folder_look *folder, struct mailbox *mailbox,
		    struct state_trace *fresh, bool *is_told, struct err *err);
void folder_look_finish(struct folder_look *folder);

/* What a file's name tells, for the rules. */
struct local_file local_file_of(const struct maildir_told *told);
/* What of the mailbox and its folder, which is open, decides how letters are taken. */
struct local_facts letter_facts_of(const struct run *run, const struct mailbox *mailbox);
/* C9. Of ROW's names in SCAN the one that tells what base has of it; NULL: none does. */
const struct maildir_entry *observe_known_name(const struct maildir_scan *scan,
					       const struct local_facts *facts,
					       const struct row *row);

/* Where a file that a MUA moved is in the folder that it came to, and what its letters mean in the
 * words of that mailbox. -ERR_CHANGED when it is not there any more. */
struct moved_file {
	char name[MAILDIR_NAME_MAX + 1];
	bool in_new;
	bool has_letters; /* a to z, whatever they mean */
	struct local_flags told;
};
int find_moved_file(struct run *run, struct mailbox *from, struct mailbox *to,
		    const struct move_rows *rows, struct moved_file *file, struct err *err);

#endif
