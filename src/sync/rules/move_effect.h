/*
 * What a move does to its two rows, the gone one and the new one (E8 of effect.h, in the words of
 * the new mailbox): the same whether it is carried out or only on paper (a dry run). Pure.
 *
 * Keywords are bits of a mailbox's table: what the old mailbox's bits mean is said in the words of
 * the new one, which learns those that it does not have.
 */
#ifndef SYNC_RULES_MOVE_EFFECT_H
#define SYNC_RULES_MOVE_EFFECT_H

#include "mailsync/model/keywords.h"
#include "mailsync/model/row.h"

/* FLAGS of FROM's table in the words of TO; a keyword that does not fit in there is lost. */
uint64_t effect_translate(uint64_t flags, const struct keywords *from, struct keywords *to);

/*
 * What the letters of a file mean that a MUA moved. It carries those of the folder that it came
 * from, so they are read by that folder's table (BY_OLD). But where the new folder's table (BY_NEW)
 * reads base's keywords in them, a run that died has rewritten them already: by the old table they
 * would change.
 */
uint64_t effect_moved_letters(const struct row *gone, uint64_t by_old, uint64_t by_new,
			      const struct keywords *from, struct keywords *to);

/* A move that is about to be sent: what the new row needs should the outcome not be told. LETTERS:
 * what its file says now. */
void effect_move_begun(const struct row *gone, struct row *fresh, uint64_t letters);
/* Moved on the server, where it has UID now (0: not known, on paper). */
void effect_moved_there(const struct row *gone, struct row *fresh, uint32_t uid,
			const struct keywords *from, struct keywords *to);
/* Its file was moved, and says LETTERS now. Its name is the caller's. */
void effect_moved_here(const struct row *gone, struct row *fresh, uint64_t letters,
		       const struct keywords *from, struct keywords *to);

#endif
