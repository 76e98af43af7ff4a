/*
 * Which unknown files are which unknown messages: matching of identities, one to one. Pure. Who
 * takes part: pair_rules.h.
 *
 * In this order, each step over what the ones before left:
 *   W1 a name that proposes a UID, when header digest, or Message-ID and Date, agree
 *   W2 equal header digests; several of one digest pair off by equal date, then in the order of
 *      date and size
 *   W3 equal Message-ID and Date with other differences in the header (servers rewrite); when they
 *      are not as many on both sides, those left over locally are ambiguous
 *   W4 what was sent and taken, with what came since and has the date that was sent along (some
 *      servers rewrite more than that)
 * And in all of them:
 *   W5 a *nameless* header (no Message-ID and no Date) identifies nothing: it needs the digest of
 *      all of the message; where that is not to be had, equal size on top of the header's digest,
 *      and without a proposed UID equal date too.
 */
#ifndef SYNC_RULES_MATCH_H
#define SYNC_RULES_MATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mailsync/model/identity.h"
#include "mailsync/model/row.h"

struct pair_candidate {
	uint8_t digest[ROW_DIGEST_SIZE];
	uint64_t message_id; /* a hash; 0: none */
	int64_t header_date; /* of Date: ; INT64_MIN: none */
	int64_t date;        /* INTERNALDATE or mtime */
	uint64_t size;       /* on the wire; 0 unknown */
	uint32_t uid;        /* remote: its own; local: the one that its name proposes, or 0 */
	uint32_t bound;      /* local: only UIDs from here on come into question */
	size_t index;        /* the caller's */
	bool has_identity;   /* the fields above are of its header; the caller's */
	bool has_content;    /* the digest is of all of the message (recover/content.h) */
	bool was_sent;       /* local: the server has taken it, as what is not known */
	bool is_taken;
	bool is_ambiguous; /* local, afterwards */
	size_t partner;    /* local, when taken: the remote's `index` */
};

/* A size without what other programs put into their copy of the header. */
uint64_t pair_own_size(uint64_t size, const struct header_identity *identity);
/* What a header tells, into CANDIDATE, whose size is then its own. */
void pair_identify(struct pair_candidate *candidate, const struct header_identity *identity);
/* W5 */
bool pair_is_nameless(const struct pair_candidate *candidate);

/* Reorders both arrays. */
void pair_match(struct pair_candidate *locals, size_t local_count, struct pair_candidate *remotes,
		size_t remote_count);

#endif
