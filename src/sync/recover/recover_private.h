/* What the files of this room share: messages and files by what identifies them. Mailboxes of any
 * size are paired, so no row is held: candidates are small, rows are loaded one by one. */
#ifndef SYNC_RECOVER_RECOVER_PRIVATE_H
#define SYNC_RECOVER_RECOVER_PRIVATE_H

#include "recover.h"

#include "rules/match.h"

struct candidates {
	struct pair_candidate *items;
	size_t count, cap;
	struct err why; /* the server refused to tell of some; code 0: it did not */
	/* Of messages whose index is a row of this mailbox: what the connection ends on is not
	 * asked for (run/suspects.h). NULL: of others. */
	struct run *run;
	const struct mailbox *mailbox;
};
int candidates_add(struct candidates *candidates, const struct pair_candidate *candidate,
		   struct err *err);
/* Those whose header is not known go to MISSING. NULL: they are forgotten, which cannot fail. */
int candidates_part(struct candidates *candidates, struct candidates *missing, struct err *err);
/* Who the messages UIDS of the open mailbox are: those that CANDIDATES holds already, sorted by
 * UID, and others behind them. *IS_WHOLE: the server told all of them. */
int candidates_fetch(struct remote *remote, const struct uidset *uids,
		     struct candidates *candidates, bool *is_whole, struct err *err);
/* Opens MAILBOX, sorts CANDIDATES by UID, and learns who they are. */
int candidates_identify(struct remote *remote, const struct mailbox *mailbox,
			struct candidates *candidates, struct err *err);
/* W20, of messages of the open mailbox: which of them have a header without a line, and who those
 * are that waited already. Of some there is no identity any more. */
int candidates_verify(struct remote *remote, struct candidates *candidates, struct err *err);
/* The whole of each nameless message of the open mailbox that one of OTHERS may be (W16); of all of
 * them where OTHERS is NULL. */
int candidates_read(struct remote *remote, struct candidates *candidates,
		    const struct candidates *others, struct err *err);
/* A digest over the header's digest (which leaves out what other programs add) and every byte of
 * the body in wire form. A message that cannot be read stays as it was, which is no error. */
int candidate_read_file(struct maildir_reader *reader, struct pair_candidate *candidate,
			struct err *err);

/* MAILBOX's intents, either those of originals to be removed or all others. */
int intents_load(struct run *run, const struct mailbox *mailbox, bool of_removal,
		 struct intents *intents, struct err *err);

#define PAIR_NO_FILE SIZE_MAX /* a candidate's place: its file is gone */

/* A mailbox that is being paired. A candidate's index is its row. */
struct pairing {
	struct run *run;
	struct remote *remote;
	struct mailbox *mailbox;
	struct intents intents;   /* those that are of no removal */
	struct candidates locals; /* their places are of the folder's scan */
	struct candidates remotes;
	struct candidates missing;  /* what they are could not be had (W19) */
	struct candidates unwanted; /* they waited, and need not any more */
	struct candidates unseen;   /* the server does not show them (W21), */
	struct candidates lately;   /* these not for long */
	struct candidates unread;   /* files that cannot be read now (W23) */
	size_t unkept;              /* messages that the server did not keep (W26) */
	bool has_base;
	bool is_first; /* they are of an earlier run, which did not count what they did */
};
/* What tells one folder's candidates. begin; then W1 of a large mailbox, in slices; then the files
 * that are left; finish, which may always be called: the names are not to be held beside the
 * messages; and the messages that are wanted by these files. */
struct gathering {
	struct pairing *pairing;
	struct maildir_scan scan;
	struct state_moves moves; /* files here that are gone from another mailbox */
	char key[MAILDIR_KEY_SIZE];
	bool has_uidvalidity; /* mbsync's file agrees with the server */
	bool has_messages;    /* some row is one's alone */
};
int gathering_begin(struct gathering *gathering, struct pairing *pairing, struct err *err);
int pairing_match_named(const struct gathering *gathering, struct err *err);
/* Those that may be pairs, and, where any message may be one, who they are. */
int gathering_add_files(struct gathering *gathering, struct err *err);
void gathering_finish(struct gathering *gathering);
int gathering_add_messages(struct gathering *gathering, struct err *err);
/* ROW, a lone file's: one of the pairing's locals, if it comes into question. */
int gathering_add_local(const struct gathering *gathering, const struct row *row, struct err *err);
/* W24: the file of MOVE is gone from where it was, and so is its message. */
int pairing_is_of_gone(struct state *state, const struct state_move *move, bool *is_so,
		       struct err *err);
/* Who a file of the scan is, into CANDIDATE: all of it is read where its header names nothing. One
 * that is not there any more stays without identity. */
int pairing_identify_file(struct pairing *pairing, const struct maildir_entry *entry,
			  struct pair_candidate *candidate, struct err *err);
/* An error about ROW's file: BEFORE its name, AFTER it. */
void pairing_report_file(struct pairing *pairing, const char *before, const struct row *row,
			 const char *after);
/* In a transaction: the rows of files that were matched, or are ambiguous. */
int pairing_put_locals(struct pairing *pairing, struct err *err);
/* Writes down what was matched, and nothing else; but for parts of it only once all of them are. */
int pairing_put_found(struct pairing *pairing, bool is_part, struct err *err);
int pairing_put_parts(struct pairing *pairing, struct err *err);
/* Whether this lone file's row, or one that was sent, is of a file that cannot be read now. */
bool pairing_is_unread(const struct pairing *pairing, int64_t row);
/* W19 and W23, in the transaction of what else came of it: who waits from now on, and who no
 * more. */
int pairing_put_waiting(struct pairing *pairing, struct err *err);

#endif
