/* What a folder says that changed (local_rules.h). */
#include "local_rules.h"

#include "mailsync/model/flags.h"

bool local_is_unchanged(const struct stamp *base, const struct stamp *now, bool was_unclean)
{
	return base != NULL && !was_unclean && stamp_equal(base, now) && stamp_is_proven(base);
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
	return file->size_bytes < row->size_bytes && (file->size_bytes == 0 || may_be_its);
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
	if (row->local_flags == local_flags_of(facts, file, row)) {
		return LOCAL_SAME;
	}
	return facts->lost_power ? LOCAL_FLAGS_LOST : LOCAL_FLAGS;
}

uint64_t local_flags_of(const struct local_facts *facts, const struct local_file *file,
			const struct row *row)
{
	bool keeps = facts->keeps_keywords && row != NULL;
	return file->flags | (keeps ? row->local_flags & ~FLAGS_SYSTEM : 0);
}

void local_change_row(enum local_change change, uint64_t flags, struct row *row)
{
	row->reason = REASON_NONE;
	if (change == LOCAL_LOST || change == LOCAL_DAMAGED) {
		row->is_agreed = false;
		row->local = MESSAGE_ABSENT;
		row->local_flags = 0;
		row->flags = 0;
		return;
	}
	row->local = MESSAGE_PRESENT;
	row->local_flags = flags;
	if (change == LOCAL_FLAGS_LOST) {
		row->flags &= flags;
	}
}

bool local_must_pair_all(struct told uidvalidity, int64_t synced_at, uint32_t pending)
{
	return !uidvalidity.is_told || (synced_at == 0 && pending > 0);
}

bool local_is_unjoined(const struct row *row, bool is_ours)
{
	return !row->is_agreed && row->local == MESSAGE_PRESENT && row->uid == 0 && is_ours;
}
