/* Which messages come with which command, and who is to blame (transfer_rules.h). */
#include "transfer_rules.h"

#include <stdlib.h>
#include <string.h>

#include "mailsync/base/array.h"

#define STUB_BYTES_MAX 8192
#define COST_MIN       4096 /* bytes: small messages cost more than they weigh */

#define SLICE_MESSAGES 1000
#define SLICE_COST     (8u << 20)

/* Measured on loopback with delays of 40 and 50 ms: one connection moves some 50 MB/s, a login
 * costs some 8 round trips, and below 5 ms a second connection gains nothing. */
#define RTT_MIN_US   5000
#define BYTES_PER_MS 50000
#define LOGIN_TURNS  8

static int compare_uid(const void *x, const void *y)
{
	const struct row *one = *(struct row *const *)x;
	const struct row *two = *(struct row *const *)y;
	return one->uid < two->uid ? -1 : one->uid > two->uid;
}

void wants_sort(struct wants *wants)
{
	qsort(wants->rows, wants->count, sizeof(*wants->rows), compare_uid);
}

size_t wants_find(const struct wants *wants, uint32_t uid)
{
	const struct row *key = &(struct row){.uid = uid};
	struct row **found =
		array_find(wants->rows, wants->count, sizeof(*wants->rows), &key, compare_uid);
	return found == NULL ? WANT_NONE : (size_t)(found - wants->rows);
}

/* How many of them are in one of two states. */
static size_t wants_in(const struct wants *wants, enum want_state one, enum want_state other)
{
	size_t count = 0;
	for (size_t i = 0; i < wants->count; i++) {
		count += wants->states[i] == one || wants->states[i] == other;
	}
	return count;
}

size_t wants_open(const struct wants *wants)
{
	return wants_in(wants, WANT_OPEN, WANT_OPEN);
}

size_t wants_failed(const struct wants *wants)
{
	return wants_in(wants, WANT_FAILED, WANT_PARTLY);
}

bool wants_are_done(const struct wants *wants)
{
	return wants_in(wants, WANT_DONE, WANT_PARTLY) == wants->count;
}

bool want_is_due(const struct wants *wants, size_t index, bool one_by_one)
{
	bool has_failed = wants->rows[index]->reason == REASON_FAILED;
	return wants->states[index] == WANT_OPEN && (one_by_one || !has_failed);
}

size_t wants_suspect(const struct wants *wants, bool one_by_one)
{
	for (size_t i = 0; i < wants->count; i++) {
		if (want_is_due(wants, i, one_by_one)) {
			return i;
		}
	}
	return WANT_NONE;
}

static bool is_stub(const struct fetch_answer *answer)
{
	static const char subject[] =
		"Subject: Retrieval using the IMAP4 protocol failed for the following message:";
	const char *line = answer->head.data;
	const char *end = line + answer->head.len;
	while (answer->wire_bytes <= STUB_BYTES_MAX && line != NULL && line < end) {
		if (span_starts_nocase((struct span){line, (size_t)(end - line)}, subject)) {
			return true;
		}
		line = memchr(line, '\n', (size_t)(end - line));
		line = line == NULL ? NULL : line + 1;
	}
	return false;
}

enum fetch_verdict fetch_judge(const struct fetch_answer *answer)
{
	if (!answer->is_wanted) {
		return FETCH_NOBODYS;
	}
	if (!answer->has_whole_body) {
		return FETCH_BROKEN;
	}
	if (answer->wire_bytes == 0 && !told_is(answer->told, 0)) {
		return FETCH_EMPTY;
	}
	return is_stub(answer) ? FETCH_STUB : FETCH_MESSAGE;
}

size_t fetch_slice(const struct wants *wants, size_t first, uint64_t *cost)
{
	size_t count = 0;
	*cost = 0;
	while (first + count < wants->count && count < SLICE_MESSAGES && *cost < SLICE_COST) {
		uint64_t size_bytes = wants->rows[first + count]->size.number;
		*cost += size_bytes < COST_MIN ? COST_MIN : size_bytes;
		count++;
	}
	return count;
}

size_t fetch_connections(const struct fetch_load *load)
{
	if (load->rtt_us < RTT_MIN_US || load->connections < 2 || load->slices < 2) {
		return 1;
	}
	size_t most = load->connections < load->slices ? load->connections : load->slices;
	uint64_t transfer_ms = load->cost / BYTES_PER_MS;
	uint64_t login_ms = (uint64_t)load->rtt_us * LOGIN_TURNS / 1000;
	uint64_t count = 1 + transfer_ms / (2 * login_ms + 1);
	return count > most ? most : (size_t)count;
}

enum upload_outcome upload_outcome(const struct upload_answer *answer, struct told uidvalidity)
{
	if (answer->is_taken) {
		bool is_told = answer->tells_uids && told_equal(answer->uidvalidity, uidvalidity) &&
			       answer->uids == answer->sent;
		return is_told ? UPLOAD_LANDED : UPLOAD_UNKNOWN;
	}
	if (answer->is_busy) {
		return UPLOAD_PUT_OFF;
	}
	return answer->sent > 1 ? UPLOAD_SPLIT : UPLOAD_REFUSED;
}

bool uid_is_taken(const struct row *seen)
{
	return seen->unique[0] != '\0';
}

enum upload_landing upload_landing(uint32_t uid, struct told uidnext, const struct row *seen,
				   const struct row *sent)
{
	bool is_old = uid < told_or(uidnext, 0);
	if (seen != NULL && uid_is_taken(seen)) {
		bool is_other = seen->has_digest && sent->has_digest &&
				memcmp(seen->digest, sent->digest, ROW_DIGEST_SIZE) != 0;
		return is_other ? LANDING_UNTOLD : LANDING_ALIAS;
	}
	if (!is_old) {
		return LANDING_THERE;
	}
	return seen != NULL ? LANDING_LOOK : LANDING_UNTOLD;
}

/* Whether the UID at AT stands before it, too. No more are told than a batch has. */
static bool is_repeated(const uint32_t *uids, size_t at)
{
	size_t first = 0;
	while (uids[first] != uids[at]) {
		first++;
	}
	return first < at;
}

bool copies_are_told(const struct remote_done *done, const struct uidset *asked,
		     const struct numbers *base)
{
	const struct remote_copied *copied = &done->copied;
	bool is_told = copied->count > 0 && copied->count <= uidset_size(asked) &&
		       told_equal(done->uidvalidity, base->uidvalidity);
	for (size_t i = 0; is_told && i < copied->count; i++) {
		is_told = uidset_contains(asked, copied->from[i]) &&
			  copied->to[i] >= told_or(base->uidnext, 0) &&
			  !is_repeated(copied->from, i) && !is_repeated(copied->to, i);
	}
	return is_told;
}
