/* What a folder says that changed (local_rules.h). */
#include "local_rules.h"

#include "mailsync/model/flags.h"

bool local_is_unchanged(const struct stamp *base, const struct stamp *now, bool was_unclean)
{
	return base != NULL && !was_unclean && stamp_equal(base, now) && stamp_is_proven(base);
}

bool local_names_are_known(const struct stamp *base, const struct stamp *now)
{
	return local_is_unchanged(base, now, false);
}

bool local_stands_as_read(const struct stamp *read, const struct stamp *now)
{
	return read != NULL && stamp_equal(read, now);
}

bool local_needs_size(const struct local_facts *facts, const struct row *row)
{
	return facts->lost_power && row->is_agreed && row->local == MESSAGE_PRESENT;
}

/* D9: FILE of ours is what a power cut left of ROW's. */
static bool is_damaged(const struct local_file *file, const struct row *row)
{
	bool may_be_its = row->mark.inode == 0 || row->mark.inode == file->inode;
	return file->size_bytes < told_or(row->size, 0) && (file->size_bytes == 0 || may_be_its);
}

enum local_change local_change_of(const struct local_facts *facts, const struct local_file *file,
				  const struct row *row)
{
	bool may_be_torn = facts->lost_power && file != NULL && file->is_ours && file->has_size;
	bool was_ours = facts->lost_power && row != NULL && row->is_agreed;
	if (row == NULL) {
		return may_be_torn && file->size_bytes == 0 ? LOCAL_STUB : LOCAL_NEW;
	}
	if (file == NULL) {
		if (!facts->is_still || row->local != MESSAGE_PRESENT) {
			return LOCAL_SAME;
		}
		return was_ours ? LOCAL_LOST : LOCAL_GONE;
	}
	if (!file->is_message) {
		return LOCAL_SAME;
	}
	if (row->local != MESSAGE_PRESENT) {
		return LOCAL_BACK;
	}
	if (may_be_torn && was_ours && is_damaged(file, row)) {
		return LOCAL_DAMAGED;
	}
	struct local_flags told = local_flags_of(facts, file, row);
	if (row->local_flags == told.flags && row->unlettered == told.unlettered) {
		return LOCAL_SAME;
	}
	return facts->lost_power ? LOCAL_FLAGS_LOST : LOCAL_FLAGS;
}

/* D17 to D19: of GONE, keywords of BEFORE whose letters FILE lacks, those that stay. */
static uint64_t kept_keywords(const struct local_facts *facts, const struct local_file *file,
			      const struct row *row, uint64_t before, uint64_t gone)
{
	bool has_other_change = ((before ^ file->flags) & FLAGS_SYSTEM & file->known) != 0;
	if (!facts->trusts_letters ||
	    (!file->has_letters && (has_other_change || facts->is_move) && !facts->has_uidlist)) {
		return gone;
	}
	return gone & row->unlettered;
}

struct local_flags local_flags_of(const struct local_facts *facts, const struct local_file *file,
				  const struct row *row)
{
	const uint64_t keywords = ~FLAGS_SYSTEM;
	struct local_flags told = {.flags = file->flags};
	if (row == NULL) {
		told.flags &= facts->keywords == KEYWORDS_YES ? ~UINT64_C(0) : FLAGS_SYSTEM;
		return told;
	}
	uint64_t before = row->local == MESSAGE_PRESENT ? row->local_flags : row->flags;
	uint64_t gone = before & file->known & ~file->flags & keywords;
	if (facts->keywords != KEYWORDS_YES) {
		told.flags = (file->flags & FLAGS_SYSTEM) | (before & keywords);
	} else {
		told.flags |= kept_keywords(facts, file, row, before, gone);
	}
	told.flags |= before & ~file->known;
	told.unlettered = facts->keywords == KEYWORDS_NO ? row->unlettered
							 : told.flags & ~file->flags & keywords;
	return told;
}

bool local_is_as_known(const struct local_facts *facts, const struct local_file *file,
		       const struct row *row)
{
	struct local_flags told = local_flags_of(facts, file, row);
	return row->local == MESSAGE_PRESENT && (file->known & FLAGS_SYSTEM) != 0 &&
	       told.flags == row->local_flags && told.unlettered == row->unlettered;
}

void local_change_row(enum local_change change, const struct local_flags *flags, struct row *row)
{
	row->reason = REASON_NONE;
	row->unlettered = flags->unlettered;
	row->held = change == LOCAL_FLAGS_LOST ? row->held : HELD_NOT;
	if (change == LOCAL_LOST || change == LOCAL_DAMAGED) {
		row->is_agreed = false;
		row->local = MESSAGE_ABSENT;
		row->local_flags = 0;
		row->unlettered = 0;
		row->flags = 0;
		return;
	}
	row->local = MESSAGE_PRESENT;
	row->local_flags = flags->flags;
	if (change == LOCAL_FLAGS_LOST) {
		row->flags &= flags->flags;
	}
}

bool local_must_pair_all(struct told uidvalidity, int64_t synced_at, uint32_t pending)
{
	return !uidvalidity.is_told || (synced_at == 0 && pending > 0);
}

bool local_is_unjoined(const struct row *row, bool is_ours)
{
	bool waits = !row->is_agreed && row->reason == REASON_UNIDENTIFIED;
	return waits ||
	       (!row->is_agreed && row->local == MESSAGE_PRESENT && row->uid == 0 && is_ours);
}
