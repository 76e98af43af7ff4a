#include "effect.h"

#include <string.h>

/* Base's flags become what both sides now share; bits on which they differ keep base's value. */
static void settle_flags(struct row *row)
{
	uint64_t shared = ~(row->local_flags ^ row->remote_flags);
	row->flags = (row->local_flags & shared) | (row->flags & ~shared);
}

void effect_downloaded(struct row *row, uint64_t flags)
{
	row->local = MESSAGE_PRESENT;
	row->local_flags = flags;
	/* A keyword that the file could not take must not look removed there. */
	effect_agreed(row, flags & row->remote_flags);
}

void effect_uploaded(struct row *row, uint32_t uid, uint64_t flags)
{
	row->uid = uid;
	row->remote = MESSAGE_PRESENT;
	row->remote_flags = flags;
	effect_agreed(row, flags & row->local_flags);
}

void effect_flags(struct row *row, enum side side, uint64_t add, uint64_t remove)
{
	uint64_t *flags = side == SIDE_LOCAL ? &row->local_flags : &row->remote_flags;
	*flags = (*flags | add) & ~remove;
	settle_flags(row);
	row->reason = REASON_NONE;
}

void effect_agreed(struct row *row, uint64_t flags)
{
	row->is_agreed = true;
	row->flags = flags;
	row->reason = REASON_NONE;
}

void effect_deleted(struct row *row, enum side side)
{
	enum presence *presence = side == SIDE_LOCAL ? &row->local : &row->remote;
	*presence = row->is_agreed ? MESSAGE_GONE : MESSAGE_ABSENT;
	row->reason = REASON_NONE;
}

void effect_held(struct row *row, enum row_reason reason)
{
	row->reason = reason;
}

void effect_paired(struct row *row, uint32_t uid, uint64_t flags)
{
	effect_uploaded(row, uid, flags);
}

void effect_moved(struct row *fresh, const struct row *gone, enum side side, uint64_t agreed,
		  uint64_t flags)
{
	if (side == SIDE_LOCAL) {
		fresh->local = MESSAGE_PRESENT;
		fresh->local_flags = flags;
		fresh->size_bytes = gone->size_bytes;
	} else {
		fresh->remote = MESSAGE_PRESENT;
		fresh->remote_flags = flags;
	}
	fresh->has_digest = gone->has_digest;
	memcpy(fresh->digest, gone->digest, ROW_DIGEST_SIZE);
	effect_agreed(fresh, agreed);
}
