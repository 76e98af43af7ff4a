/*
 * What the steps of a POP3 run share. `run` is that of run.h for lock, state, Maildir and
 * report; its IMAP parts stay empty.
 *
 * Invariants:
 *   J1. A row is committed only after its file is durable under its name.
 *   J2. DELE is sent only for rows that pop3_is_due() names, after is_deleted and an intent are
 *       committed.
 *   J3. Rows are dropped only when complete listings lacked them for POP3_GONE_KEPT_S.
 */
#ifndef SYNC_POP3_POP3_PRIVATE_H
#define SYNC_POP3_POP3_PRIVATE_H

#include "mailsync/store/pop3.h"

#include "rules/pop3_rules.h"
#include "run/run.h"

struct pop3_job {
	struct run run;
	struct mailbox mailbox; /* INBOX */
	struct pop3_policy policy;
	char key[MAILDIR_KEY_SIZE];
	char *user;               /* as logged in */
	struct strlist adoptable; /* "DIGEST UNIQUE" of files that we delivered once, sorted */
	bool adoptable_known;
	struct strlist adopted; /* the UNIQUE of those that a message of this listing is, sorted */
	struct strlist failed;  /* keys of messages that failed in this run, sorted */
	uint64_t downloads_of_session;
	bool wants_utf8; /* the server held a message back without it */
	bool is_other;   /* another server or user than the rows are of: K5 */
	bool is_nobodys; /* the state does not tell whose the rows are */

	/* one session */
	struct pop3 *pop3;
	struct pop3_rows rows;
	size_t rows_cap;
	bool *is_listed;
	size_t listed_count; /* how many rows there were when matched */
	struct pop3_listing listing;
	struct strlist keys; /* made of headers */
	struct pop3_item *items;
	struct pop3_header *headers;
	size_t header_count;
	size_t header_cap;
	bool has_no_top;
	bool is_partial; /* Gmail */
};

/* The view that pop3_plan.h works on. */
void pop3_job_view(struct pop3_job *job, struct pop3_view *view);
/* Notes that the message of ITEM failed: counted, reported, left out for the rest of this run. */
int pop3_job_fail(struct pop3_job *job, struct pop3_item *item, const struct err *why,
		  struct err *err);

/* --- pop3_observe.c: from login to a decision for each message --- */
int pop3_observe(struct pop3_job *job, struct err *err);
/* The name that a download of ITEM gets is made of this: 32 hexadecimal digits. */
#define POP3_DIGEST_SIZE 33
int pop3_item_digest(const struct pop3_item *item, char digest[POP3_DIGEST_SIZE], struct err *err);

/* --- pop3_headers.c: TOP for the items that want it --- */
int pop3_fetch_headers(struct pop3_job *job, struct err *err);
int pop3_header_of(const struct header_identity *identity, struct pop3_header *header,
		   struct err *err);
/* --- pop3_local.c: what lies in the Maildir already --- */
/* Finds files that we delivered, in every folder. */
int pop3_find_adoptable(struct pop3_job *job, struct err *err);
/* The unique part of the file that was delivered for ITEM, or NULL. */
int pop3_adoptable(const struct pop3_job *job, const struct pop3_item *item, char **unique,
		   struct err *err);
/* Headers of the files in INBOX that were neither adopted nor delivered by this run; *HEADERS is
 * the caller's to free. *HAS_FOREIGN: one of them was not delivered by us at all. */
int pop3_read_others(struct pop3_job *job, struct pop3_header **headers, size_t *count,
		     bool *has_foreign, struct err *err);

/* --- pop3_whose.c: whose mail the rows are --- */
int pop3_whose_check(struct pop3_job *job, struct err *err);
/* The rows are of this account's server and user now. Inside a transaction. */
int pop3_whose_put(struct pop3_job *job, struct err *err);

/* --- pop3_remember.c: what was found out goes into the rows --- */
int pop3_remember(struct pop3_job *job, struct err *err);
/* Commits a new row, or one that was remembered as too old, for ITEM. Inside a transaction. */
int pop3_put_row(struct pop3_job *job, struct pop3_item *item, const struct pop3_row *row,
		 struct err *err);

/* --- pop3_download.c --- */
int pop3_download(struct pop3_job *job, struct err *err);
/* --- pop3_delete.c: DELE and QUIT --- */
int pop3_delete(struct pop3_job *job, struct err *err);

#endif
