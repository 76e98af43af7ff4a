/* What the files of IMAP behind the seam share. Each function is one of struct remote_ops. */
#ifndef STORE_REMOTE_IMAP_H
#define STORE_REMOTE_IMAP_H

#include "mailsync/store/imap.h"

#include "remote_private.h"

struct remote_imap {
	struct remote remote; /* first */
	struct imap *imap;
	struct remote_facts facts;
};

/* --- remote_imap_work.c --- */
enum remote_pace remote_imap_pace(const struct remote *remote);
int remote_imap_fetch_queue(struct remote *remote, enum remote_part part, const struct uidset *uids,
			    uint64_t number, struct err *err);
int remote_imap_fetch_open_queue(struct remote *remote, const char *wire, uint64_t cookie,
				 struct err *err);
int remote_imap_fetch_next(struct remote *remote, struct remote_body *body, struct err *err);
int remote_imap_change_queue(struct remote *remote, const struct remote_change *change,
			     uint64_t number, struct err *err);
int remote_imap_append_begin(struct remote *remote, const char *wire, uint64_t number,
			     struct err *err);
int remote_imap_append_message(struct remote *remote, const struct remote_append *message,
			       struct err *err);
bool remote_imap_append_was_refused(const struct remote *remote);
int remote_imap_append_data(struct remote *remote, struct span data, struct err *err);
int remote_imap_append_end(struct remote *remote, struct err *err);
int remote_imap_done_next(struct remote *remote, struct remote_done *done, struct err *err);

#endif
