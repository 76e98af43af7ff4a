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

#include "mailsync/store/pop3.h"

#include "rules/pop3_rules.h"
#include "rules/guard_rules.h"
#include "run/run.h"

/* Messages that the server is asked something about, in the order of its answers. Zeroed it is
 * empty; its owner frees `items`. */
struct pop3_asked {
	struct pop3_item **items;
	size_t count, cap;
	size_t queued;   /* of them */
	size_t answered; /* of them, or being answered */
};

/* One connection, what was listed over it, and which rows that is. */
struct pop3_session {
	struct pop3 *pop3;
	struct pop3_listing listing;
	struct pop3_rows rows;
	size_t known_count; /* so many rows there were when they were compared with the listing */
	struct pop3_item *items; /* one for each of the listing */
	struct strlist keys;     /* those that are made of headers */
	struct pair_candidate *headers;
	size_t header_count, header_cap;
	bool *is_listed;  /* of known_count rows */
	bool is_partial;  /* the server lists only some messages */
	enum whose whose; /* the rows are */
	/* Written by pop3_delete.c. */
	struct pop3_asked due; /* DELE is sent for them */
	struct intent intent;  /* that they are deleted; `id` 0: none is due */
};

/* What lies in the Maildir. Written by pop3_local.c. */
struct pop3_local {
	char key[MAILDIR_KEY_SIZE];
	struct strlist delivered; /* "DIGEST UNIQUE" of files that we delivered once, sorted */
	bool is_known;            /* DELIVERED was looked for */
	struct strlist adopted;   /* the UNIQUE of those that a listed message is, sorted */
};

/* What a session leaves for those after it. */
struct pop3_learnt {
	struct strlist failed; /* keys of messages that failed in this run, sorted */
	bool wants_utf8;       /* the server held a message back without it */
	bool has_no_top;       /* the server refused TOP */
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
struct pop3_view pop3_job_view(struct pop3_job *job);
/* Notes that the message of ITEM failed: it is left out for the rest of this run. */
int pop3_job_fail(struct pop3_job *job, struct pop3_item *item, struct err *err);
/* The same, and WHY is counted and reported. */
int pop3_job_report(struct pop3_job *job, struct pop3_item *item, const struct err *why,
		    struct err *err);
/* Reports that the server refused WHAT ("to delete message") NUMBER, with its WORDS. */
void pop3_job_refused(struct pop3_job *job, const char *what, uint32_t number, struct span words);
/* Makes ROW, filled but for its id, key and name, the row of ITEM in the state: a new one, or in
 * the place of the one that it has. UNIQUE is copied. */
int pop3_row_begin(struct pop3_job *job, const struct pop3_item *item, const char *unique,
		   struct pop3_row *row, struct err *err);
/* Once ROW is in the state: takes it over, as ITEM's. There has to be room in `rows`. */
void pop3_row_keep(struct pop3_job *job, struct pop3_item *item, struct pop3_row *row);
/* Not in the state: throws it away. */
void pop3_row_drop(struct pop3_row *row);

int pop3_asked_add(struct pop3_asked *asked, struct pop3_item *item, struct err *err);
/* Asks for bodies or headers of as many more as there is room for. */
int pop3_asked_queue(struct pop3_asked *asked, struct pop3 *pop3, enum pop3_want want,
		     struct err *err);
/* That of the next answer; NULL, and ERR, where none was asked for. */
struct pop3_item *pop3_asked_next(struct pop3_asked *asked, struct err *err);

/* --- pop3_headers.c: TOP for the items that want it --- */
int pop3_fetch_headers(struct pop3_job *job, struct err *err);

/* --- pop3_local.c: what lies in the Maildir already --- */
/* The name that a download of ITEM gets is made of this: 32 hexadecimal digits. */
#define POP3_DIGEST_SIZE 33
int pop3_item_digest(const struct pop3_item *item, char digest[POP3_DIGEST_SIZE], struct err *err);
/* Finds files that we delivered, in every folder; once a run. */
int pop3_find_delivered(struct pop3_job *job, struct err *err);
/* *UNIQUE: the name of the file that was delivered for ITEM, or NULL. */
int pop3_delivered(const struct pop3_job *job, const struct pop3_item *item, const char **unique,
		   struct err *err);
/* Files of INBOX that neither a row nor this run has, to be paired. *HAS_FOREIGN: one of them was
 * not delivered by us at all. */
struct pop3_others {
	struct pair_candidate *items; /* the caller's to free */
	size_t count;
	bool has_foreign;
};
int pop3_read_others(struct pop3_job *job, struct pop3_others *others, struct err *err);

/* --- pop3_sessions.c: the connections, and what is done over each --- */
int pop3_connect(const struct account *account, const struct sync_options *options, bool wants_utf8,
		 struct pop3 **pop3, struct err *err);
int pop3_run_sessions(struct run *run, struct err *err);

/* The steps of a session. */
/* --- pop3_observe.c: nothing is written --- */
int pop3_observe_list(struct run *run, struct err *err);
int pop3_observe_keys(struct run *run, struct err *err);
int pop3_observe_rows(struct run *run, struct err *err);
int pop3_observe_delivered(struct run *run, struct err *err);
int pop3_observe_new(struct run *run, struct err *err);
/* --- pop3_remember.c: what was found out goes into the rows --- */
int pop3_remember(struct run *run, struct err *err);
/* --- pop3_download.c --- */
int pop3_download(struct run *run, struct err *err);
/* --- pop3_delete.c: DELE; and QUIT, which is what deletes --- */
int pop3_delete(struct run *run, struct err *err);
int pop3_end_session(struct run *run, struct err *err);

#endif
