/* What an operation does to its row (effect.h). */
#include "effect.h"

#include <string.h>

#include "mailsync/model/flags.h"

uint64_t effect_agreed_bits(uint64_t base, uint64_t local, uint64_t remote)
{
	uint64_t shared = ~(local ^ remote);
	return (local & shared) | (base & ~shared);
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
	row->flags = effect_agreed_bits(row->flags, row->local_flags, row->remote_flags);
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

void effect_file_is_other(struct row *row, struct row *file, const struct found_file *found)
{
	file->mailbox = row->mailbox;
	file->local = MESSAGE_PRESENT;
	file->local_flags = row->local_flags;
	file->size_bytes = found->size_bytes;
	file->date = found->date;
	row_set_file(file, &found->mark, NULL);
	effect_deleted(row, SIDE_LOCAL);
}

void effect_held(struct row *row, enum row_reason reason)
{
	row->reason = reason;
}

uint64_t effect_moved_letters(const struct row *gone, uint64_t by_old, uint64_t by_new,
			      const struct keywords *from, struct keywords *to)
{
	uint64_t known = keywords_translate(gone->local_flags, from, to);
	bool is_rewritten = ((known ^ by_new) & ~FLAGS_SYSTEM) == 0;
	return is_rewritten ? by_new : keywords_translate(by_old, from, to);
}

void effect_move_begun(const struct row *gone, struct row *fresh, uint64_t letters)
{
	fresh->local_flags = letters;
	fresh->has_digest = gone->has_digest;
	memcpy(fresh->digest, gone->digest, ROW_DIGEST_SIZE);
	row_set_file(fresh, &gone->mark, gone->has_content ? gone->content : NULL);
}

void effect_moved_there(const struct row *gone, struct row *fresh, uint32_t uid,
			const struct keywords *from, struct keywords *to)
{
	effect_move_begun(gone, fresh, fresh->local_flags);
	fresh->uid = uid;
	fresh->remote = MESSAGE_PRESENT;
	fresh->remote_flags = keywords_translate(gone->remote_flags, from, to);
	effect_agreed(fresh, keywords_translate(gone->flags, from, to));
}

void effect_moved_here(const struct row *gone, struct row *fresh, uint64_t letters,
		       const struct keywords *from, struct keywords *to)
{
	effect_move_begun(gone, fresh, letters);
	fresh->local = MESSAGE_PRESENT;
	fresh->size_bytes = gone->size_bytes;
	effect_agreed(fresh, keywords_translate(gone->flags, from, to));
}
