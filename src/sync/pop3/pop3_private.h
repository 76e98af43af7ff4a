/*
 * What the steps of a POP3 run share (pop3_run.c has their order): `run->pop3`. Rows, messages and
 * rules: rules/pop3_rules.h.
 *
 * Invariants:
 *   J1. A row is committed only after its file is durable under its name (fetch/fetch.h).
 *   J2. DELE is sent only for rows that pop3_is_due() names, after is_deleted and an intent are
 *       committed.
 *   J3. Rows are dropped only by K12: a single short listing loses none.
 */
#ifndef SYNC_POP3_POP3_PRIVATE_H
#define SYNC_POP3_POP3_PRIVATE_H

#include "mailsync/base/digest.h"
#include "mailsync/store/pop3.h"

#include "rules/pop3_rules.h"
#include "run/run.h"

/* A pass: what was listed over a connection, and which rows that is. The connection goes on to the
 * next pass where it may. */
struct pop3_session {
	struct pop3 *pop3;
	bool has_utf8; /* asked for, where it is offered */
	struct pop3_listing listing;
	struct strlist keys; /* those that are made of headers */
	/* Has room for a row of each message, so that no row moves in memory when one is added. The
	 * view counts only the rows that the state had before. */
	struct pop3_rows rows;
	struct pop3_view view;
	struct intent intent; /* that those that are due are deleted; `id` 0: none is */
	bool has_quit;        /* said so: nothing more can be asked */
	bool has_read;        /* bodies, of which nothing was kept (pop3_look_read) */
	struct pop3_outcome outcome;
	size_t left; /* suspects that are not tried in this run */
};

/* What lies in the Maildir. Written by pop3_local.c. */
struct pop3_local {
	char key[MAILDIR_KEY_SIZE];
	struct digest *digest; /* made by the first that pop3_item_digest needs it for */
	/* Files that we delivered once, by the digests in their names. What follows each unique
	 * part: pop3_file_of. */
	struct strlist delivered;
	bool is_known;          /* `delivered` was looked for */
	bool may_adopt;         /* K7: in all sessions of this run */
	struct strlist adopted; /* those that a listed message is, sorted */
};

#define POP3_WORDS_MAX 300 /* of the server's, in an error */

/* What a session leaves for those after it. */
struct pop3_learnt {
	struct strlist
		failed; /* keys of messages that failed in this run; sorted by the next session */
	struct pop3_sizes sizes; /* A18; */
	bool has_sizes_news;     /* not in the state yet */
	bool was_base_listed;    /* policy.known_id is known */
	bool wants_utf8;         /* the server held a message back without it */
	bool has_no_top;         /* the server refused TOP */
	bool is_intent_open;     /* a connection was lost while something was being deleted */
};

struct pop3_job {
	struct run *run;
	struct mailbox *mailbox; /* INBOX, the run's only one */
	bool is_base_known;      /* what the state has of it was read */
	struct pop3_policy policy;
	struct pop3_local local;
	struct pop3_session session;
	struct pop3_learnt learnt;
};

/* --- pop3_job.c --- */
/* What the server is asked about messages for. */
enum pop3_purpose {
	POP3_FOR_HEADER,
	POP3_FOR_DOWNLOAD,
	POP3_FOR_DELETION
};
/* The first message from *AT on that is for PURPOSE, and *AT is behind it; or NULL. */
struct pop3_item *pop3_next(struct pop3_job *job, enum pop3_purpose purpose, size_t *at);
/* Queues WANT for the messages from *AT on that are for PURPOSE, as far as there is room. */
int pop3_ask_for(struct pop3_job *job, enum pop3_purpose purpose, enum pop3_want want, size_t *at,
		 struct err *err);
/* Notes that the message of ITEM failed: it is left out for the rest of this run. WHY, unless NULL,
 * is counted and reported. */
int pop3_job_fail(struct pop3_job *job, struct pop3_item *item, const struct err *why,
		  struct err *err);
/* Whether WORDS refuse a message to a session without UTF8: then one with it follows (A15). */
bool pop3_job_lacks_utf8(struct pop3_job *job, struct span words);
/* Reports that the server refused WHAT ("to delete message") of ITEM, with its WORDS. */
void pop3_job_refused(struct pop3_job *job, const char *what, const struct pop3_item *item,
		      struct span words);
/* The row of ITEM, made where it has none, with copies of its key and of UNIQUE; not in the state
 * yet. NULL: no memory. */
struct pop3_row *pop3_row_name(struct pop3_job *job, struct pop3_item *item, const char *unique,
			       struct err *err);

/* A refusal that was the last answer so far: it may have been a last word, with which the
 * connection ends. Zeroed there is none. */
struct pop3_refusal {
	struct pop3_item *item;
	bool is_passing;
	char words[POP3_WORDS_MAX + 1];
};
void pop3_refusal_set(struct pop3_refusal *refusal, struct pop3_item *item, struct span words);

/* --- pop3_suspects.c: what the connection ends on (run/suspects.h) --- */
/* So many commands at most go out at once in this pass. */
void pop3_suspects_limit(struct pop3_job *job);
/* Numbers those without a key among those of their size. */
int pop3_suspects_number(struct pop3_view *view, struct err *err);
/* Sets those aside that are not to be tried in this pass: by what is known of their keys. */
void pop3_suspects_set_aside(struct pop3_job *job);
/* ITEM was answered, or the connection ended with ERR while it was being. */
void pop3_suspects_went(struct pop3_job *job, const struct pop3_item *item, enum suspect_act act);
void pop3_suspects_lost(struct pop3_job *job, const struct pop3_item *item, enum suspect_act act,
			const struct err *err);

/* --- pop3_headers.c: TOP for the items that want it --- */
int pop3_fetch_headers(struct pop3_job *job, struct err *err);

/* --- pop3_local.c: what lies in the Maildir already --- */
/* The name that a download of ITEM gets is made of this: 32 hexadecimal digits. */
#define POP3_DIGEST_SIZE 33
int pop3_item_digest(struct pop3_job *job, const struct pop3_item *item,
		     char digest[POP3_DIGEST_SIZE], struct err *err);
/* Files that neither a row nor this run has, to be paired: of INBOX (K9), or, are_ours, of
 * local.delivered (K17; their `index` is the place in it). HAS_FOREIGN: one of them was not
 * delivered by us at all. */
struct pop3_others {
	struct pair_candidate *items; /* the caller's to free */
	size_t count;
	bool has_foreign;
	bool are_ours;
};
int pop3_read_others(struct pop3_job *job, struct pop3_others *others, struct err *err);
/* K17, after pop3_pair: their files are the messages'. */
void pop3_adopt_pairs(struct pop3_job *job, const struct pop3_others *others);

/* Where one of local.delivered lies, as far as was seen. All borrowed. */
#define POP3_PLACE_MAX 4096
struct pop3_file {
	const char *name;
	const char *mailbox;
	bool in_new;
};
struct pop3_file pop3_file_of(const char *delivered);
/* Those of local.delivered that ITEM got, oldest first; looks for them where that was not done. */
int pop3_find_files(struct pop3_job *job, const struct pop3_item *item, char *const **files,
		    size_t *count, struct err *err);

/* --- pop3_prove.c: bodies that are not proven (A16 to A18) --- */
/* What came for a message: a body, and its message; without one there is none. */
struct pop3_arrival {
	struct pop3_item *item;
	struct maildir_draft draft; /* closed */
	bool is_short;              /* A11 */
	uint64_t came_bytes;
	bool is_proven; /* A16 */
};
/* Judges BODY of a message that has a row: *IS_STORED: it is to be delivered, under the row's name,
 * which is a new one; else its draft was discarded. The row is as it will be. */
int pop3_prove(struct pop3_job *job, struct pop3_arrival *body, bool *is_stored, struct err *err);
/* K18: as pop3_prove(), of a message that has none. *IS_STORED false: it is that of a row, which
 * it has now. */
int pop3_recognise(struct pop3_job *job, struct pop3_arrival *body, bool *is_stored,
		   struct err *err);
/* A16 for a row that takes over a file (K7). */
int pop3_judge_adopted(struct pop3_job *job, const struct pop3_item *item, struct err *err);
/* Writes down rows whose doubts went, if any did. */
int pop3_put_proven(struct pop3_job *job, struct err *err);
int pop3_sizes_load(struct pop3_job *job, struct err *err);
/* Within a transaction. */
int pop3_sizes_store(struct pop3_job *job, struct err *err);

/* --- pop3_run.c --- */
int pop3_connect(const struct account *account, const struct sync_options *options, bool wants_utf8,
		 struct pop3 **pop3, struct err *err);

/* The steps of a session, in the files of their names. */
int pop3_observe_list(struct run *run, struct err *err);
int pop3_observe_keys(struct run *run, struct err *err);
int pop3_observe_rows(struct run *run, struct err *err);
int pop3_observe_delivered(struct run *run, struct err *err); /* pop3_local.c */
int pop3_observe_new(struct run *run, struct err *err);
int pop3_remember(struct run *run, struct err *err);
int pop3_download(struct run *run, struct err *err);
int pop3_delete(struct run *run, struct err *err);
/* QUIT, which is what deletes. */
int pop3_end_session(struct run *run, struct err *err);

#endif
