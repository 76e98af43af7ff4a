#include "move_effect.h"

#include <string.h>

#include "mailsync/model/flags.h"

#include "effect.h"

uint64_t effect_translate(uint64_t flags, const struct keywords *from, struct keywords *to)
{
	uint64_t result = flags & FLAGS_SYSTEM;
	for (int i = 0; i < from->count; i++) {
		int index = (flags & FLAG_KEYWORD(i)) ? keywords_intern(to, span_of(from->names[i]))
						      : -1;
		if (index >= 0) {
			result |= FLAG_KEYWORD(index);
		}
	}
	return result;
}

uint64_t effect_moved_letters(const struct row *gone, uint64_t by_old, uint64_t by_new,
			      const struct keywords *from, struct keywords *to)
{
	uint64_t known = effect_translate(gone->local_flags, from, to);
	bool is_rewritten = ((known ^ by_new) & ~FLAGS_SYSTEM) == 0;
	return is_rewritten ? by_new : effect_translate(by_old, from, to);
}

void effect_move_begun(const struct row *gone, struct row *fresh, uint64_t letters)
{
	fresh->local_flags = letters;
	fresh->has_digest = gone->has_digest;
	memcpy(fresh->digest, gone->digest, ROW_DIGEST_SIZE);
}

void effect_moved_there(const struct row *gone, struct row *fresh, uint32_t uid,
			const struct keywords *from, struct keywords *to)
{
	fresh->uid = uid;
	effect_moved(fresh, gone, SIDE_REMOTE, effect_translate(gone->flags, from, to),
		     effect_translate(gone->remote_flags, from, to));
}

void effect_moved_here(const struct row *gone, struct row *fresh, uint64_t letters,
		       const struct keywords *from, struct keywords *to)
{
	effect_moved(fresh, gone, SIDE_LOCAL, effect_translate(gone->flags, from, to), letters);
}
