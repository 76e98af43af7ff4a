/*
 * A mail server in memory behind the seam (store/remote.h), for tests that want no network: its
 * mailboxes are made and looked at by the test, its abilities are facts that the test sets, and
 * faults that the test names befall it.
 *
 *     struct scripted *server = scripted_create();           INBOX is there, empty
 *     scripted_add(server, "INBOX", "\\Seen", "Subject: x\n\ntext\n");
 *     server->facts.has_move = false;
 *     scripted_fault(server, &(struct scripted_fault){SCRIPTED_STORE, SCRIPTED_REFUSED});
 *     struct remote *remote = scripted_connect(server);
 *     ...                                                    what is to be tested
 *     remote_close(&remote);
 *     assert_string_equal(scripted_heard(server), "...");
 *     scripted_destroy(&server);
 *
 * It behaves as an IMAP server does with the extensions that facts name: where there is no way to
 * ask for removals it tells of none, where there are no modification sequences it gives all flags,
 * and so on. A command is carried out when it is sent, in order; its answer waits until it is asked
 * for. The server outlives its connections, so that a second run finds what the first one left.
 *
 * What the test does wrong (a mailbox that is not there, no memory) ends the program. One thread.
 */
#ifndef TESTS_SCRIPTED_H
#define TESTS_SCRIPTED_H

#include "mailsync/base/buf.h"
#include "mailsync/store/remote.h"

/* What is there */

struct scripted_message {
	uint32_t uid;
	uint64_t modseq;
	uint64_t flags; /* by the mailbox's keywords */
	int64_t date;
	uint64_t size; /* as told: that of the text unless a test lies */
	char *text;    /* with CRLF, owned */
	size_t len;
	char emailid[32]; /* stays when it moves; "": none */
};

struct scripted_gone {
	uint32_t uid;
	uint64_t modseq;
};

struct scripted_mailbox {
	char *wire;
	unsigned attributes;  /* enum remote_attribute */
	uint32_t uidvalidity; /* 0: it tells none */
	uint32_t uidnext;
	uint64_t modseq; /* the highest */
	char mailboxid[32];
	struct keywords keywords;
	uint64_t permanent_flags; /* what may be stored; new keywords unless lacks_any */
	bool lacks_any;
	bool is_read_only;
	bool is_unlisted;                  /* remote_list leaves it out, though it is there */
	int32_t exists_off;                /* EXISTS and MESSAGES say so many more */
	struct scripted_message *messages; /* ascending by UID */
	size_t count;
	size_t cap;
	struct scripted_gone *gone; /* in the order in which they went */
	size_t gone_count;
	size_t gone_cap;
};

/* What befalls it */

/* In the order of enum remote_change_kind where that has the like. */
enum scripted_op {
	SCRIPTED_STORE,
	SCRIPTED_EXPUNGE,
	SCRIPTED_EXPUNGE_ALL,
	SCRIPTED_COPY,
	SCRIPTED_MOVE,
	SCRIPTED_CREATE,
	SCRIPTED_DELETE,
	SCRIPTED_SUBSCRIBE,
	SCRIPTED_UNSUBSCRIBE,
	SCRIPTED_RENAME,
	SCRIPTED_APPEND,
	SCRIPTED_LIST,
	SCRIPTED_COUNT, /* of one mailbox */
	SCRIPTED_VIEW,
	SCRIPTED_SELECT, /* also remote_fetch_open_queue */
	SCRIPTED_UIDS,
	SCRIPTED_FETCH,
	SCRIPTED_OP_COUNT
};

enum scripted_what {
	SCRIPTED_REFUSED, /* not carried out: NO, with CODE */
	SCRIPTED_BUSY,    /* the same, and patience is asked for, BUSY_MS (0: no time is named) */
	SCRIPTED_CUT,     /* the connection breaks before it; with UID in the middle of that body */
	SCRIPTED_ENDS,    /* the connection breaks before it, with UID where it names that */
	SCRIPTED_LOST,    /* it is carried out, and the connection breaks before its answer */
	SCRIPTED_UNTOLD,  /* UIDs of what was appended or copied; counts; EXISTS of the rest */
	SCRIPTED_MISTOLD, /* these UIDs are told from UID on, though they have others */
	SCRIPTED_HALF,    /* carried out below UID, then NO with CODE */
	/* UID is left out of the answer; a STORE leaves it as it was, and says so */
	SCRIPTED_OMITTED,
	SCRIPTED_UNREAD,    /* a view: the line of UID cannot be read */
	SCRIPTED_EMPTY,     /* UID's body is empty */
	SCRIPTED_BLANK,     /* UID's header is an empty line */
	SCRIPTED_NO_HEADER, /* UID's header is not given, though its whole is */
	SCRIPTED_NIL,       /* UID's body is not given */
	/* A mailbox: not made or renamed; an append: not kept, or (with UID) not its flags */
	SCRIPTED_UNKEPT,
	SCRIPTED_LATE,     /* a fetch: answered behind the next one */
	SCRIPTED_MEANWHILE /* ACT is done right before it, by somebody else */
};

struct scripted;

struct scripted_fault {
	enum scripted_op op;
	enum scripted_what what;
	const char *wire; /* of that mailbox; NULL: of any. Outlives the fault */
	unsigned nth;     /* the first such command from now (0 or 1), the second, ... */
	bool always;      /* and each after it */
	bool for_good;    /* nobody is let in afterwards, in this run */
	uint32_t uid;
	uint64_t size;            /* an append: with a message of so many bytes; 0: any */
	enum remote_refusal code; /* REMOTE_REFUSAL_NONE: words only */
	int64_t busy_ms;
	void (*act)(struct scripted *server);
};

/* The server */

struct scripted {
	struct remote_facts facts;       /* a modern server's; changed before it is connected to */
	bool tells_appended_uid;         /* of APPEND and COPY */
	bool tells_gone;                 /* with the changes, where it tells these */
	char separator;                  /* '/' */
	char prefix[64];                 /* of the personal namespace */
	bool folds_names;                /* "archive" and "Archive " are Archive */
	enum remote_naming naming;       /* what it says of PREFIX */
	bool hides_subscriptions;        /* it refuses to tell them */
	bool hides_uses;                 /* it does not tell the special uses */
	bool lists_badly;                /* a line of its listing cannot be read */
	size_t piece_len;                /* bodies come in pieces of so many bytes; 0: whole */
	size_t view_part;                /* views of all in parts of so many messages; 0: whole */
	size_t asked[SCRIPTED_OP_COUNT]; /* commands so far */
	size_t connections;              /* so far */

	/* its own */
	struct scripted_mailbox *mailboxes;
	size_t count;
	size_t cap;
	struct scripted_fault *faults;
	size_t fault_count;
	size_t fault_cap;
	struct buf heard;
	bool is_down;  /* nobody is let in */
	bool is_heard; /* by the test: the next command begins anew */
	uint32_t last_uidvalidity;
	uint64_t last_id;
	int64_t now; /* date of the next message */
};

struct scripted *scripted_create(void);
/* Its connections are closed before. NULL inside is accepted. */
void scripted_destroy(struct scripted **server);
struct remote *scripted_connect(struct scripted *server);

/* The server that scripted_door.h connects to: SERVER from now on, unless it is NULL. */
struct scripted *scripted_behind_door(struct scripted *server);

/* FAULT is copied; several may befall one command. */
void scripted_fault(struct scripted *server, const struct scripted_fault *fault);
/* Faults that did not come about are forgotten. */
void scripted_forget_faults(struct scripted *server);

/* What was asked for since this was last called, a line a command: "store INBOX 1:3 +\Seen". Valid
 * until the next command. */
const char *scripted_heard(struct scripted *server);

/* What the test, or another client, does there */

/* NULL when there is none. Valid until a mailbox is made or removed. */
struct scripted_mailbox *scripted_find(struct scripted *server, const char *wire);
struct scripted_mailbox *scripted_make(struct scripted *server, const char *wire);
void scripted_remove(struct scripted *server, const char *wire);
/* Its children too. */
void scripted_rename(struct scripted *server, const char *wire, const char *to);
/* Another UIDVALIDITY; its messages get UIDs from FIRST on. */
void scripted_renumber(struct scripted *server, const char *wire, uint32_t first);

/* A message with FLAGS ("\\Seen $Junk") and a text in which LF stands for CRLF; its UID. */
uint32_t scripted_add(struct scripted *server, const char *wire, const char *flags,
		      const char *text);
/* NULL when there is none. Valid until the mailbox changes. */
struct scripted_message *scripted_message(struct scripted *server, const char *wire, uint32_t uid);
/* These flags instead of those that it has. */
void scripted_flag(struct scripted *server, const char *wire, uint32_t uid, const char *flags);
void scripted_expunge(struct scripted *server, const char *wire, uint32_t uid);
/* Its UID in the other mailbox. */
uint32_t scripted_move(struct scripted *server, const char *wire, uint32_t uid, const char *to);

/* All of a mailbox in one line, to be compared: "1 \Seen $x, 4" (UID and flags). The caller frees
 * it. */
char *scripted_told(struct scripted *server, const char *wire);

#endif
