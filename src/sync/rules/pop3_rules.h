/*
 * POP3: which message of a listing is which row of the state, and what is to be done. Pure: no
 * disk, network, clock or randomness.
 *
 * A message is known by its key: the unique-id (UIDL), or a digest of its header where there is
 * none. Keys are not trusted to be unique, stable or never reused:
 *
 *   K1  one message and one row of a key belong together. A size that changed, a row that was
 *       missing for a while or that we deleted make it a doubt: the header decides.
 *   K2  several of a key are joined by equal size, then in order, rows that were deleted last, and
 *       are a doubt, each of them.
 *   K3  a message of an unknown key whose size and header are those of a row that is not listed
 *       any more is that row (the server changed its keys); with a Message-ID the size may be
 *       another, too, which is looked at where all rows are missing at once.
 *   K5  behind another server or user, no key is trusted: all that were joined are a doubt.
 *   K4  what is left is new. In doubt a message is new: never lost before never doubled.
 *
 * What is done with a message:
 *
 *   A1  known and not downloaded by us (paired, seeded)   -> nothing, never deleted
 *   A2  known as too old: young enough for today's max_age -> download, else nothing
 *   A3  downloaded                                         -> nothing; deleted when it is due
 *   A4  new, but downloads are not covered                 -> nothing
 *   A5  new, larger than max_message_size                  -> skip
 *   A6  new, Date before max_age's cut                     -> remember as too old
 *   A7  new                                                -> download
 *
 * Due are rows that this state has downloaded (I1: durable, committed), with leave_on_server =
 * no, or an age that has passed since the download, where this run may delete on the server.
 */
#ifndef SYNC_RULES_POP3_RULES_H
#define SYNC_RULES_POP3_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mailsync/base/err.h"
#include "mailsync/state/state.h"
#include "mailsync/sync/account.h"

/* How long a row outlives its message, in case a listing was short. */
#define POP3_GONE_KEPT_S (INT64_C(30) * 86400)

struct pop3_policy {
	int64_t now;
	enum account_leave leave;
	int64_t leave_age_s;
	bool may_delete; /* on the server */
	bool may_download;
	uint64_t max_size_bytes; /* 0: none */
	int64_t oldest;          /* INT64_MIN: none */
};

enum pop3_act {
	POP3_ACT_NONE,
	POP3_ACT_DOWNLOAD,
	POP3_ACT_SKIP,  /* too large */
	POP3_ACT_OLD,   /* remember it as too old */
	POP3_ACT_KNOWN, /* remember it as fetched by another tool */
	POP3_ACT_ADOPT  /* its file is there, its row is not */
};

#define POP3_NO_ROW UINT32_MAX

/* One message of a listing. */
struct pop3_item {
	uint32_t number;
	uint32_t row;        /* index, or POP3_NO_ROW */
	uint32_t occurrence; /* of its key, for a new row */
	uint32_t header;     /* index, or POP3_NO_ROW */
	uint64_t size_bytes;
	const char *key; /* borrowed; "": not known yet */
	bool is_doubtful;
	bool is_renamed; /* the row takes this key */
	bool wants_header;
	bool is_failed;
	bool is_accepted; /* DELE was answered with +OK */
	enum pop3_act act;
};

/* What a header tells of a message's identity. */
struct pop3_header {
	uint8_t digest[ROW_DIGEST_SIZE];
	uint8_t id[ROW_DIGEST_SIZE]; /* a digest of Message-ID */
	int64_t date;
	uint64_t size_bytes;
	bool has_id;
	bool has_date;
};

struct pop3_view {
	struct pop3_item *items;
	size_t count;
	const struct pop3_header *headers;
	const struct pop3_row *rows;
	size_t row_count;
	bool *is_listed; /* of each row: some item is it */
	bool is_partial; /* the server lists only some messages: what is missing tells nothing */
	bool is_other;   /* K5 */
};

/* K1, K2 and K5. Items without a key are left alone. */
int pop3_match(struct pop3_view *view, struct err *err);
/* Marks the items whose header decides K1 and K3. */
int pop3_mark_doubts(struct pop3_view *view, struct err *err);
/* K1 and K3 by the headers that came. */
int pop3_settle_doubts(struct pop3_view *view, struct err *err);

/*
 * Pairs new items with messages that another tool stored, one to one: by header digest, then by
 * Message-ID and Date. Their act becomes POP3_ACT_KNOWN.
 */
int pop3_pair(struct pop3_view *view, const struct pop3_header *locals, size_t local_count,
	      struct err *err);

/* A1 to A7, for items without an act yet. */
void pop3_decide(struct pop3_view *view, const struct pop3_policy *policy);
bool pop3_is_due(const struct pop3_row *row, const struct pop3_policy *policy);

#endif
