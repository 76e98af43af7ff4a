/*
 * What an operation does to the row of its message, once it is done and durable (I2). The executor
 * changes rows by these and by nothing else, and so does the paper executor of tests/plan, which
 * proves that a plan carried out leaves nothing to do. Pure; the caller stores the row.
 *
 *   E1 downloaded   agreed on, with the flags that both sides then have
 *   E2 uploaded     likewise, under the UID that the server gave
 *   E3 flags        of one side, bit by bit as far as they were changed; what both sides now share
 *                   is agreed on, other bits keep what base says of them
 *   E4 agreed       a pair that both sides hold, or the same change on both: base takes the flags
 *   E5 deleted      on one side: gone there if base had it, else as if it had never been there
 *   E6 held         nothing but the reason
 *   E7 paired       a file and a message that were two rows are one: agreed on the flags that both
 *                   have, so that what one of them lacks is given to it
 *   E8 moved        what base knew of the old row goes over to the new one, and it is there on the
 *                   side that has followed now
 *   E15 crossed     its file was moved elsewhere than its message (V15): the file's row knows what
 *                   base knew, as if both had been moved to where the file is, and the message gone
 *                   from there
 *   E9 no file     the file under the row's name holds another message (C2, C3): it is new mail, by
 *                  a row of its own, and the row has lost its file
 *   E10 renamed     a name that did not tell all says all of it after our rename
 *   E11 braked      the brake's mark: what of the row is held from now on, or nothing
 *   E12 brought    what the brake held is as if the side that still has it had it anew
 *   E13 seen first  after we had put it there: what it lacks of the flags that it was given was
 *                   not kept. Base forgets these, so that they are not taken for removed there.
 *                   What it was not given, since it had been taken off there before a move, is
 *                   removed
 *   E14 unkept      it never was there, as a listing shows: its file is new mail again, and
 *                   stays UNPROVEN until it was looked for: the UID may have been a wrong one
 *   E16 letters     of a moved file (those, too, that no table told the meaning of when they
 *       wait        were taken out), or of a keyword that was set there: where the folder has
 *                   none for it now, the file is to get it from the server's, as if that had set
 *                   it (R18)
 *
 *   E17 repaired   its file is here again, under its name. What base, server and file have of
 *                   flags is as it was, and so is what waits
 *
 * All but E6, E11 and E14 end the reason why the row was pending; where the plan holds something of
 * it, E6 follows at once. E1, E2 and E7 end the brake's mark, for nothing is left to hold; else E11
 * follows. A row that neither side has any more is void (row.h), and storing it drops it.
 *
 * Keywords are bits of a mailbox's table. In a move, what the old mailbox's bits mean (FROM) is
 * said in the words of the new one (TO).
 */
#ifndef SYNC_RULES_EFFECT_H
#define SYNC_RULES_EFFECT_H

#include <stdint.h>

#include "mailsync/base/side.h"
#include "mailsync/model/keywords.h"
#include "mailsync/model/row.h"

#include "local_rules.h"

/* E1. FLAGS: those that the file got. */
void effect_downloaded(struct row *row, uint64_t flags);
/* E2. UID: 0 where it is not told. FLAGS: those that were sent. E7: those that the message has. */
void effect_uploaded(struct row *row, uint32_t uid, uint64_t flags);
/* E13. FLAGS: those that it has. */
void effect_seen_first(struct row *row, uint64_t flags);
/* E14 */
void effect_unkept(struct row *row);
/* E17. UNLETTERED: keywords that the file's name could not take. */
void effect_repaired(struct row *row, uint64_t unlettered);
/* E3. What base says once the sides have LOCAL and REMOTE, bit by bit. */
uint64_t effect_agreed_bits(uint64_t base, uint64_t local, uint64_t remote);
/*
 * E10. What a file's new name has to say when ADD and REMOVE are carried out on it: with them, what
 * the name that it has does not tell (KNOWN: what it does tell), or it would look taken away
 * afterwards. So letters that another program dropped come back.
 */
uint64_t effect_letters_due(const struct row *row, uint64_t known, uint64_t add, uint64_t remove);
/* E3, E16. SIDE: SIDE_LOCAL or SIDE_REMOTE. */
void effect_flags(struct row *row, enum side side, uint64_t add, uint64_t remove);
/* E4 */
void effect_agreed(struct row *row, uint64_t flags);
/* E5. SIDE: SIDE_LOCAL or SIDE_REMOTE. */
void effect_deleted(struct row *row, enum side side);
/* E9. FILE, which is row_init()ed, becomes the row of ROW's file, without its name, which is to be
 * moved over by the caller. SIZE, DATE and MARK are the file's. */
struct found_file {
	uint64_t size_bytes;
	int64_t date;
	struct file_mark mark;
};
void effect_file_is_other(struct row *row, struct row *file, const struct found_file *found);
/* E6 */
void effect_held(struct row *row, enum row_reason reason);
/* E12. What the brake held of ROW is not carried out but undone: gone here, it is a message that is
 * new on the server; gone there, a file that is new in the Maildir; flags that the file lost are
 * changes of the server's. Its unique part and EMAILID are the caller's. */
void effect_brought_back(struct row *row);
/* E11. NOW in seconds. A mark that stands keeps its time. */
void effect_braked(struct row *row, enum row_held held, int64_t now);
/*
 * What the letters of a file mean that a MUA moved. It carries those of the folder that it came
 * from, so they are read by that folder's table (BY_OLD). But where the new folder's table (BY_NEW)
 * reads base's keywords in them, a run that died has rewritten them already: by the old table they
 * would change. (Letters that the new table has no name for are none of these.)
 */
struct moved_letters {
	struct local_file by_old;
	struct local_file by_new;
};
struct local_flags effect_moved_letters(const struct local_facts *facts, const struct row *gone,
					const struct moved_letters *letters,
					const struct keywords *from, struct keywords *to);
/* What ROW says of the Maildir, in the words of TO. */
struct row effect_row_in_words(const struct row *row, const struct keywords *from,
			       struct keywords *to);

/* E16. Of what the moved file is TOLD to say the new folder has no letters for WAITS now. What the
 * server has of it is neither said by the file nor known to base; the rest is said until it is
 * there (E3). */
void effect_letters_wait(struct row *gone, struct local_flags *told, uint64_t waits,
			 struct keywords *from, struct keywords *to);
/* E8. A move that is about to be sent: what the new row needs should the outcome not be told.
 * TOLD: what its file says now. */
void effect_move_begun(const struct row *gone, struct row *fresh, const struct local_flags *told);
/* E8. Moved on the server, where it has UID now (0: not known, on paper). */
void effect_moved_there(const struct row *gone, struct row *fresh, uint32_t uid,
			const struct keywords *from, struct keywords *to);
/* E15 */
void effect_crossed(const struct row *gone, struct row *file, const struct keywords *from,
		    struct keywords *to);
/* E8. Its file was moved, and says what is TOLD now. Its name is the caller's. */
void effect_moved_here(const struct row *gone, struct row *fresh, const struct local_flags *told,
		       const struct keywords *from, struct keywords *to);

#endif
