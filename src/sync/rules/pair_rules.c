/* Who takes part in pairing, and what becomes of what was sent: W10 to W18. */
#include "match.h"

#include <string.h>

#define UNSEEN_PROOF 3600 /* seconds */

bool pair_is_lone_file(const struct row *row)
{
	return !row->is_agreed && row->local == MESSAGE_PRESENT && row->uid == 0;
}

bool pair_is_lone_message(const struct row *row)
{
	return !row->is_agreed && row->remote == MESSAGE_PRESENT && row->unique[0] == '\0' &&
	       !pair_is_unseen(row);
}

bool pair_is_unseen(const struct row *row)
{
	return row->remote == MESSAGE_PRESENT && row->reason == REASON_UNSEEN;
}

bool pair_is_unseen_lately(const struct row *row, int64_t now)
{
	return pair_is_unseen(row) && now - row->date.seconds < UNSEEN_PROOF;
}

static uint32_t proposed_uid(const struct pair_file *file)
{
	if (file->was_sent) {
		return 0;
	}
	return file->own_uid != 0 || file->has_base ? file->own_uid : file->others_uid;
}

bool pair_begin_local(const struct pair_file *file, struct pair_candidate *candidate)
{
	*candidate = (struct pair_candidate){
		.uid = proposed_uid(file),
		.date = file->row->date,
		.bound = file->was_sent ? file->bound : 0,
		.was_sent = file->was_sent && (file->row->reason == REASON_AMBIGUOUS ||
					       file->row->reason == REASON_UNPROVEN),
		.has_waited = file->row->reason == REASON_UNIDENTIFIED,
	};
	return !file->has_base || file->was_sent || file->was_moved || candidate->uid != 0 ||
	       candidate->has_waited;
}

bool pair_begin_sent(const struct pair_file *file, struct pair_candidate *candidate)
{
	*candidate = (struct pair_candidate){.bound = file->bound, .has_identity = true};
	memcpy(candidate->digest, file->row->digest, ROW_DIGEST_SIZE);
	memcpy(candidate->header, file->row->digest, ROW_DIGEST_SIZE);
	return file->was_sent && file->row->has_digest;
}

void pair_begin_remote(const struct row *row, struct pair_candidate *candidate)
{
	*candidate = (struct pair_candidate){
		.uid = row->uid,
		.date = row->date,
		.size = row->size,
		.has_waited = row->reason == REASON_UNIDENTIFIED,
	};
}

bool pair_is_nameless_there(const struct pair_candidate *local,
			    const struct pair_candidate *remotes, size_t remote_count)
{
	for (size_t i = 0; i < remote_count; i++) {
		if (pair_is_nameless(&remotes[i]) &&
		    memcmp(remotes[i].digest, local->digest, ROW_DIGEST_SIZE) == 0) {
			return true;
		}
	}
	return false;
}

/* What is known without headers. */
static bool may_be_one(const struct pair_candidate *local, const struct pair_candidate *remote)
{
	if (local->has_waited) {
		return remote->has_waited || local->uid == remote->uid;
	}
	return local->uid == remote->uid || (local->uid == 0 && remote->uid >= local->bound);
}

bool pair_is_wanted(const struct pair_candidate *remote, bool has_base,
		    const struct pair_candidate *locals, size_t local_count)
{
	for (size_t i = 0; has_base && i < local_count; i++) {
		if (may_be_one(&locals[i], remote)) {
			return true;
		}
	}
	return !has_base;
}

bool pair_file_waits(const struct pair_candidate *local, bool has_base,
		     const struct pair_candidate *missing, size_t missing_count)
{
	bool is_left = !local->is_taken && !local->is_ambiguous;
	for (size_t i = 0; is_left && i < missing_count; i++) {
		if (!has_base || may_be_one(local, &missing[i])) {
			return true;
		}
	}
	return false;
}

bool pair_file_is_hidden(const struct pair_candidate *local, bool is_below_window,
			 const struct pair_candidate *unseen, size_t unseen_count)
{
	bool is_left = !local->is_taken && !local->is_ambiguous;
	for (size_t i = 0; is_left && i < unseen_count; i++) {
		if (local->uid == unseen[i].uid) {
			return true;
		}
	}
	return is_left && is_below_window;
}

bool pair_message_waits(const struct pair_candidate *remote, bool has_base,
			const struct pair_candidate *locals, size_t local_count)
{
	for (size_t i = 0; i < local_count; i++) {
		if (pair_file_waits(&locals[i], has_base, remote, 1)) {
			return true;
		}
	}
	return false;
}

bool pair_wants_content(const struct pair_candidate *remote, const struct pair_candidate *locals,
			size_t local_count)
{
	bool is_nameless = pair_is_nameless(remote);
	for (size_t i = 0; is_nameless && i < local_count; i++) {
		if (locals[i].has_content &&
		    memcmp(locals[i].header, remote->header, ROW_DIGEST_SIZE) == 0) {
			return true;
		}
	}
	return false;
}

enum pair_fate pair_fate(const struct pair_sent *sent)
{
	const struct row *row = sent->row;
	if (row->is_agreed || sent->is_ambiguous) {
		return PAIR_STAYS;
	}
	if (row->reason != REASON_AMBIGUOUS) {
		return row->reason == REASON_UNPROVEN ? PAIR_UNKEPT : PAIR_NOT_TAKEN;
	}
	return !sent->is_late && sent->has_strangers ? PAIR_CHANGED : PAIR_NEW;
}

bool pair_has_any_from(uint32_t bound, const struct pair_candidate *remotes, size_t remote_count)
{
	for (size_t i = 0; i < remote_count; i++) {
		if (remotes[i].uid >= bound) {
			return true;
		}
	}
	return false;
}

bool pair_has_strangers(uint32_t bound, const struct pair_candidate *remotes, size_t remote_count)
{
	for (size_t i = 0; i < remote_count; i++) {
		if (!remotes[i].is_taken && remotes[i].uid >= bound) {
			return true;
		}
	}
	return false;
}
