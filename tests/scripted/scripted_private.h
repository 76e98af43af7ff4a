/* What the files of the scripted server share. */
#ifndef TESTS_SCRIPTED_PRIVATE_H
#define TESTS_SCRIPTED_PRIVATE_H

#include "remote_private.h"
#include "scripted.h"

/* An answer that waits; which of the three parts it has is its pipeline's. */
struct scripted_answer {
	struct scripted_answer *next;
	struct remote_view view;
	struct remote_body body;
	struct remote_done done;
	char *data;   /* of body, owned */
	bool is_busy; /* it asks for patience, */
	int64_t busy_ms;
	bool is_cut; /* no answer: the connection breaks here */
};
struct scripted_answers {
	struct scripted_answer *head;
	struct scripted_answer **end;
};

/* A message of an append that is under way. */
struct scripted_upload {
	char *flags; /* by name */
	int64_t date;
	uint64_t size;
	struct buf text;
};

/* What befalls one command. */
struct scripted_fate {
	bool is_refused;
	bool is_busy;
	bool is_cut;
	bool is_lost;
	bool is_untold;
	bool is_late;
	enum remote_refusal code;
	int64_t busy_ms;
	uint32_t cut_uid;
	uint32_t half_uid;    /* 0: all is carried out */
	uint32_t mistold_uid; /* 0: the right ones are told */
	bool is_unkept;
	bool is_unflagged;
	struct uidset omitted;
	struct uidset unread;
	struct uidset empty;
	struct uidset nil;
	struct uidset blank;
	struct uidset no_header;
};

struct scripted_connection {
	struct remote remote; /* first */
	struct scripted *server;
	struct remote_facts facts; /* the server's, as of late */
	struct scripted_answers views;
	struct scripted_answers bodies;
	struct scripted_answers late; /* of a fetch that the next one overtakes */
	struct scripted_answers dones;
	char *selected; /* NULL: none */
	bool selected_writable;
	struct told selected_uidvalidity;
	bool is_cut; /* what is sent from now on reaches nobody */
	bool is_busy;
	int64_t busy_ms;

	char *lent; /* the bytes of the body event that was taken last */

	char *append_wire;
	uint64_t append_number;
	bool append_is_known; /* the server has looked at the command */
	bool append_refused;  /* and said NO before its data */
	struct scripted_fate append_fate;
	struct scripted_upload *uploads;
	size_t upload_count;
	size_t upload_cap;
};

/* --- scripted.c --- */
/* Ends the program when CODE says that memory ran out. */
void scripted_must(int code, const struct err *err);
char *scripted_copy(struct span text);
/* A message at the end of MAILBOX, with the UID that comes next. */
struct scripted_message *scripted_put(struct scripted *server, struct scripted_mailbox *mailbox,
				      const struct scripted_message *like);
/* Takes it away: it counts as gone. */
void scripted_drop(struct scripted_mailbox *mailbox, uint32_t uid);
/* The place of the first message with that UID or a higher one. */
size_t scripted_place(const struct scripted_mailbox *mailbox, uint32_t uid);
/* FLAGS of one table in another's bits. */
uint64_t scripted_translate(uint64_t flags, const struct keywords *from, struct keywords *to,
			    bool intern);

/* --- scripted_fault.c --- */
/* A command is sent: OP on WIRE (NULL: none), with UIDS (NULL: none). False: it reaches nobody,
 * since the connection is cut. The caller finishes FATE. Mailboxes are looked up after this, which
 * may let somebody else do something first. */
bool scripted_begin(struct scripted_connection *connection, enum scripted_op op, const char *wire,
		    const struct uidset *uids, struct scripted_fate *fate);
void scripted_fate_finish(struct scripted_fate *fate);
/* The line that the command is heard as; called before it begins. */
void scripted_hear(struct scripted_connection *connection, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* Why FATE has it refused: sets ERR, returns its code. */
int scripted_refusal(const struct scripted_fate *fate, struct err *err);
int scripted_refuse(enum remote_refusal code, const char *words, struct err *err);
/* Cuts the connection where FATE says so before the command, or (AFTER) after it: true then, and a
 * cut waits in ANSWERS. */
bool scripted_cuts(struct scripted_connection *connection, const struct scripted_fate *fate,
		   bool after, struct scripted_answers *answers);
/* The connection breaks: -ERR_TEMPORARY. */
int scripted_cut_now(struct scripted_connection *connection, struct err *err);
/* scripted_begin and what it says of a command that is waited for: an error where it is cut or
 * refused. */
int scripted_enter(struct scripted_connection *connection, enum scripted_op op, const char *wire,
		   struct scripted_fate *fate, struct err *err);
/* The end of such a command: CODE, or an error where the answer is lost. Finishes FATE. */
int scripted_leave(struct scripted_connection *connection, struct scripted_fate *fate, int code,
		   struct err *err);

void scripted_answers_init(struct scripted_answers *answers);
struct scripted_answer *scripted_answer_add(struct scripted_answers *answers);
/* Those of FROM from LINK on go to the end of TO. */
void scripted_answers_move(struct scripted_answers *from, struct scripted_answer **link,
			   struct scripted_answers *to);
/* The next one off the queue, or NULL with ERR: none, or cut. */
struct scripted_answer *scripted_answer_take(struct scripted_connection *connection,
					     struct scripted_answers *answers, struct err *err);
void scripted_answer_destroy(struct scripted_answer *answer);

/* --- scripted_remote.c --- */
struct scripted_connection *scripted_of(const struct remote *remote);
/* The mailbox that is open, or NULL. */
struct scripted_mailbox *scripted_selected(const struct scripted_connection *connection);
/* Makes WIRE (NULL: none) the open one. */
void scripted_open(struct scripted_connection *connection, const char *wire, bool is_writable);
/* EXISTS. */
uint32_t scripted_exists(const struct scripted_mailbox *mailbox);
struct numbers scripted_numbers(const struct scripted *server,
				const struct scripted_mailbox *mailbox);
/* It was not told: -ERR_PARTIAL. */
int scripted_exists_untold(struct err *err);

/* --- scripted_view.c --- */
int scripted_view_queue(struct remote *remote, const struct remote_view_request *request,
			struct err *err);
int scripted_view_next(struct remote *remote, struct remote_view *view, struct err *err);

/* --- scripted_fetch.c --- */
int scripted_fetch_queue(struct remote *remote, enum remote_part part, const struct uidset *uids,
			 uint64_t number, struct err *err);
int scripted_fetch_open_queue(struct remote *remote, const char *wire, uint64_t cookie,
			      struct err *err);
int scripted_fetch_next(struct remote *remote, struct remote_body *body, struct err *err);

/* --- scripted_change.c --- */
int scripted_change_queue(struct remote *remote, const struct remote_change *change,
			  uint64_t number, struct err *err);
int scripted_done_next(struct remote *remote, struct remote_done *done, struct err *err);
/* DONE as FATE has it refused. */
void scripted_refuse_done(const struct scripted_fate *fate, struct remote_done *done);
/* DONE waits to be taken; its sets go along. */
void scripted_answer_done(struct scripted_connection *connection, const struct scripted_fate *fate,
			  struct remote_done *done);

/* --- scripted_append.c --- */
int scripted_append_begin(struct remote *remote, const char *wire, uint64_t number,
			  struct err *err);
int scripted_append_message(struct remote *remote, const struct remote_append *message,
			    struct err *err);
bool scripted_append_was_refused(const struct remote *remote);
int scripted_append_data(struct remote *remote, struct span data, struct err *err);
int scripted_append_end(struct remote *remote, struct err *err);
void scripted_uploads_finish(struct scripted_connection *connection);

#endif
