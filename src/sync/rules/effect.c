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
	row->unlettered = 0;
	row->held = HELD_NOT;
	/* A keyword that the file could not take must not look removed there. */
	effect_agreed(row, flags & row->remote_flags);
}

void effect_repaired(struct row *row, uint64_t unlettered)
{
	row->local = MESSAGE_PRESENT;
	row->held = HELD_NOT;
	row->reason = REASON_NONE;
	row->unlettered |= unlettered;
}

void effect_uploaded(struct row *row, uint32_t uid, uint64_t flags)
{
	row->uid = uid;
	row->remote = MESSAGE_PRESENT;
	row->remote_flags = flags;
	row->held = HELD_NOT;
	effect_agreed(row, flags & row->local_flags);
}

uint64_t effect_letters_due(const struct row *row, uint64_t known, uint64_t add, uint64_t remove)
{
	return add | (row->local_flags & (~known | row->unlettered) & ~remove);
}

void effect_seen_first(struct row *row, uint64_t flags)
{
	row->flags &= flags | ~row->remote_flags;
	row->remote_flags = flags;
	row->reason = REASON_NONE;
}

void effect_unkept(struct row *row)
{
	row->uid = 0;
	row->is_agreed = false;
	row->flags = 0;
	row->remote = MESSAGE_ABSENT;
	row->remote_flags = 0;
	row->reason = REASON_UNPROVEN;
}

void effect_flags(struct row *row, enum side side, uint64_t add, uint64_t remove)
{
	uint64_t *flags = side == SIDE_LOCAL ? &row->local_flags : &row->remote_flags;
	uint64_t waits = side == SIDE_REMOTE ? add & row->unlettered : 0; /* E16 */
	row->local_flags &= ~waits;
	row->unlettered &= ~waits;
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
	file->unlettered = row->unlettered;
	file->size = told(found->size_bytes);
	file->date = told_time(found->date);
	row_set_file(file, &found->mark, NULL);
	effect_deleted(row, SIDE_LOCAL);
}

void effect_held(struct row *row, enum row_reason reason)
{
	row->reason = reason;
}

void effect_braked(struct row *row, enum row_held held, int64_t now)
{
	row->held_since = row->held != HELD_NOT ? row->held_since : now;
	row->held = held;
}

void effect_brought_back(struct row *row)
{
	bool is_here = row->local == MESSAGE_PRESENT;
	bool is_there = row->remote == MESSAGE_PRESENT;
	row->reason = REASON_NONE;
	if (is_here && is_there) {
		row->flags &= row->local_flags;
		row->held &= ~HELD_FLAGS;
		return;
	}
	row->is_agreed = false;
	row->flags = 0;
	row->held = HELD_NOT;
	if (is_there) {
		row->local = MESSAGE_ABSENT;
		row->local_flags = 0;
	} else {
		row->uid = 0;
		row->remote = MESSAGE_ABSENT;
		row->remote_flags = 0;
	}
}

struct row effect_row_in_words(const struct row *row, const struct keywords *from,
			       struct keywords *to)
{
	return (struct row){
		.local = MESSAGE_PRESENT,
		.local_flags = keywords_translate(row->local_flags, from, to),
		.unlettered = keywords_translate(row->unlettered, from, to),
	};
}

struct local_flags effect_moved_letters(const struct local_facts *facts, const struct row *gone,
					const struct moved_letters *letters,
					const struct keywords *from, struct keywords *to)
{
	const struct row before = effect_row_in_words(gone, from, to);
	const struct local_file *by_old = &letters->by_old;
	uint64_t named = letters->by_new.flags & ~FLAGS_SYSTEM;
	bool is_rewritten = ((before.local_flags & ~FLAGS_SYSTEM) == named) &&
			    (named != 0 || !letters->by_new.has_letters);
	struct local_file file = is_rewritten ? letters->by_new : *by_old;
	if (!is_rewritten) {
		/* Of keywords that nobody speaks of the new mailbox need not learn. */
		uint64_t spoken = FLAGS_SYSTEM | gone->local_flags | by_old->flags;
		file.flags = keywords_translate(by_old->flags, from, to);
		file.known = keywords_translate(by_old->known & spoken, from, to);
	}
	return local_flags_of(facts, &file, &before);
}

void effect_letters_wait(struct row *gone, struct local_flags *told, uint64_t waits,
			 struct keywords *from, struct keywords *to)
{
	uint64_t there = waits & keywords_translate(gone->remote_flags, from, to);
	told->unlettered = (told->unlettered | waits) & ~there;
	told->flags &= ~there;
	gone->flags &= ~keywords_translate(there, to, from);
}

void effect_move_begun(const struct row *gone, struct row *fresh, const struct local_flags *told)
{
	fresh->local_flags = told->flags;
	fresh->unlettered = told->unlettered;
	fresh->date = gone->date.is_told ? gone->date : fresh->date; /* MOVE and COPY keep it */
	fresh->has_digest = gone->has_digest;
	memcpy(fresh->digest, gone->digest, ROW_DIGEST_SIZE);
	row_set_file(fresh, &gone->mark, gone->has_content ? gone->content : NULL);
}

void effect_moved_there(const struct row *gone, struct row *fresh, uint32_t uid,
			const struct keywords *from, struct keywords *to)
{
	const struct local_flags told = {fresh->local_flags, fresh->unlettered};
	effect_move_begun(gone, fresh, &told);
	fresh->uid = uid;
	fresh->remote = MESSAGE_PRESENT;
	fresh->remote_flags = keywords_translate(gone->remote_flags, from, to);
	effect_agreed(fresh, keywords_translate(gone->flags, from, to));
}

void effect_crossed(const struct row *gone, struct row *file, const struct keywords *from,
		    struct keywords *to)
{
	effect_moved_there(gone, file, 0, from, to);
	file->remote = MESSAGE_GONE;
}

void effect_moved_here(const struct row *gone, struct row *fresh, const struct local_flags *told,
		       const struct keywords *from, struct keywords *to)
{
	effect_move_begun(gone, fresh, told);
	fresh->local = MESSAGE_PRESENT;
	fresh->size = gone->size;
	effect_agreed(fresh, keywords_translate(gone->flags, from, to));
}
