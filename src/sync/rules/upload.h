/*
 * What the answer to an upload means. Pure.
 *
 *   U1 taken, and as many UIDs are told as messages were sent, of the mailbox that base knows:
 *      they are there under these
 *   U2 taken, but that is not so: they are there, and are looked for. Until they are found they are
 *      not sent again, though they may look like nothing that is there: servers rewrite messages
 *   U3 refused, and the server asks for patience: none was taken, and no more is sent now
 *   U4 several together refused: none was taken, since MULTIAPPEND is atomic; which one it was
 *      shows when each goes by itself
 *   U5 one refused: it was not taken, and stays pending
 *   U6 a UID told that base has already, with a file (Gmail): an alias. Both files stay, neither is
 *      sent again
 */
#ifndef SYNC_RULES_UPLOAD_H
#define SYNC_RULES_UPLOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mailsync/model/row.h"

enum upload_outcome {
	UPLOAD_LANDED,  /* U1 */
	UPLOAD_UNKNOWN, /* U2 */
	UPLOAD_PUT_OFF, /* U3 */
	UPLOAD_SPLIT,   /* U4 */
	UPLOAD_REFUSED  /* U5 */
};

struct upload_answer {
	bool is_taken;
	bool is_busy;         /* the refusal asks for patience */
	bool tells_uids;      /* of these, that: */
	uint32_t uidvalidity; /* they are of this mailbox */
	uint64_t uids;        /* how many */
	size_t sent;          /* messages in this APPEND */
};
/* UIDVALIDITY as base knows it. */
enum upload_outcome upload_outcome(const struct upload_answer *answer, uint32_t uidvalidity);
/* U6. SEEN: the row of a UID that was told. */
bool upload_is_alias(const struct row *seen);

#endif
