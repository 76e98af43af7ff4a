/*
 * For those who stand behind the seam (remote.h): a store is a struct that begins with a struct
 * remote, filled by remote_init, and a table of operations. remote_*.c splits UID sets into
 * commands, numbers the commands, and gives one answer for what was split; an operation here is
 * one command, and its cookie is that number, which comes back with the answer.
 *
 * Functions mean what those of remote.h of the same name do, unless it says otherwise here.
 */
#ifndef STORE_REMOTE_PRIVATE_H
#define STORE_REMOTE_PRIVATE_H

#include "mailsync/base/progress.h"
#include "mailsync/store/remote.h"

#define REMOTE_SET_TEXT_MAX 900 /* bytes of a set in a command: lines stay under 1,000 */
#define REMOTE_FETCHES_MAX  8   /* on their way at once */
#define REMOTE_PACE_BYTES   (512u << 10)
#define REMOTE_BATCH_BYTES  (4u << 20)

/* How many fetches the connection is good for now. */
enum remote_pace {
	REMOTE_PACE_FREE,
	REMOTE_PACE_SLOW, /* one, of REMOTE_PACE_BYTES: they show whether the wire is the brake */
	REMOTE_PACE_HOLD  /* none before what is on its way has come in */
};

struct remote_ops {
	int (*logout)(struct remote *remote, struct err *err);
	int (*rest)(struct remote *remote, struct err *err); /* NULL: never */
	int (*wake)(struct remote *remote, struct err *err);
	/* Frees all, the struct remote included. */
	void (*destroy)(struct remote *remote);

	const struct remote_facts *(*facts)(struct remote *remote);
	int (*explain)(struct remote *remote, struct strlist *lines, struct err *err);
	void (*totals)(const struct remote *remote, struct remote_totals *totals);
	bool (*busy_is_due)(const struct remote *remote);
	bool (*busy_take)(struct remote *remote, int64_t *wanted_ms);

	int (*list)(struct remote *remote, bool subscribed, struct remote_mailboxes *mailboxes,
		    struct err *err);
	int (*count)(struct remote *remote, struct remote_mailboxes *mailboxes, struct err *err);
	int (*quota)(struct remote *remote, const char *wire, struct remote_quota *quota,
		     struct err *err); /* NULL: never told */
	int (*view_queue)(struct remote *remote, const struct remote_view_request *request,
			  struct err *err);
	int (*view_next)(struct remote *remote, struct remote_view *view, struct err *err);

	/* Opens WIRE, whether it is open or not. A refusal is an error; READ-ONLY is none. */
	int (*select)(struct remote *remote, const char *wire, bool is_writable,
		      struct remote_opened *opened, struct err *err);
	struct told (*selected)(const struct remote *remote, const char *wire, bool is_writable);
	int (*uids)(struct remote *remote, enum remote_which which, struct uidset *uids,
		    struct told *exists, struct err *err);

	enum remote_pace (*pace)(const struct remote *remote);
	int (*fetch_queue)(struct remote *remote, enum remote_part part, const struct uidset *uids,
			   uint64_t number, struct err *err);
	int (*fetch_open_queue)(struct remote *remote, const char *wire, uint64_t cookie,
				struct err *err);
	/* The cookie of REMOTE_FETCHED_DONE is the number. */
	int (*fetch_next)(struct remote *remote, struct remote_body *body, struct err *err);

	int (*change_queue)(struct remote *remote, const struct remote_change *change,
			    uint64_t number, struct err *err);
	int (*append_begin)(struct remote *remote, const char *wire, uint64_t number,
			    struct err *err);
	int (*append_message)(struct remote *remote, const struct remote_append *message,
			      struct err *err);
	bool (*append_was_refused)(const struct remote *remote);
	int (*append_data)(struct remote *remote, struct span data, struct err *err);
	int (*append_end)(struct remote *remote, struct err *err);
	/* The cookie is the number; `refused`: of a change that was carried out, what it left as it
	 * was. What one that was refused did all the same is in `copied`. */
	int (*done_next)(struct remote *remote, struct remote_done *done, struct err *err);
};

/* One queue call: its commands, and what was answered so far. */
struct remote_group {
	struct remote_group *next;
	uint64_t first; /* numbers of its commands: from here on, */
	uint64_t sent;  /* so many */
	uint64_t left;  /* those not yet answered */
	bool lacks_copied;
	size_t from_cap; /* of done.copied */
	size_t to_cap;
	struct uidset uids; /* a copy */
	struct remote_done done;
};
struct remote_groups {
	struct remote_group *head;
	struct remote_group **end;
	size_t count;
	size_t complete; /* those with nothing left */
};

/* Headers on their way (remote_headers_begin). */
struct remote_headers {
	struct uidset uids;
	struct uidset told;
	size_t from;      /* the first range not yet asked for */
	size_t in_flight; /* commands */
	struct header_scan *scan;
	bool is_fed;    /* the scan holds part of a header, */
	bool has_line;  /* and something but line ends */
	bool is_broken; /* an answer lacked its UID or its header */
	int status;
	struct err err;
};

struct remote {
	const struct remote_ops *ops;
	bool lists_plainly;        /* remote_list_plainly */
	char *about;               /* remote_about, owned */
	struct progress *progress; /* whole messages that came are counted; NULL: nobody looks */
	uint64_t last_number;      /* of a command */
	struct remote_groups fetches;
	struct remote_groups changes;
	size_t fetches_in_flight; /* commands */
	size_t opens_in_flight;
	struct remote_headers headers;
};

/* The common part of a store; ops->destroy ends with remote_finish. */
void remote_init(struct remote *remote, const struct remote_ops *ops, struct progress *progress);
void remote_finish(struct remote *remote);

/* --- remote_headers.c --- */
void remote_headers_finish(struct remote_headers *headers);

/* --- remote_group.c --- */

/* The next of SET's ranges from *FROM on whose text fits a command. PIECE borrows them from SET;
 * false when none is left. */
bool remote_piece_next(const struct uidset *set, size_t *from, struct uidset *piece);

/* A group behind the last one of GROUPS, with a copy of UIDS (NULL: none). Once its commands are
 * sent remote_group_sent says so; where they cannot be, remote_group_drop takes it back. */
int remote_group_begin(struct remote *remote, struct remote_groups *groups,
		       const struct uidset *uids, struct remote_group **group, struct err *err);
/* The number of its next command. */
uint64_t remote_group_number(struct remote *remote, struct remote_group *group);
void remote_group_sent(struct remote_groups *groups, struct remote_group *group);
void remote_group_drop(struct remote_groups *groups, struct remote_group *group);
/* The group of a command's answer, or NULL. */
struct remote_group *remote_group_find(const struct remote_groups *groups, uint64_t number);
/* Adds the answer to one of its commands; takes ANSWER's sets. */
int remote_group_answer(struct remote_groups *groups, struct remote_group *group,
			struct remote_done *answer, struct err *err);
/* Moves what the first complete group came to into DONE, and drops it. False: there is none. */
bool remote_group_take(struct remote_groups *groups, struct remote_done *done);
void remote_groups_finish(struct remote_groups *groups);

#endif
