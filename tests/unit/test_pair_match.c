/* How files and messages are matched (rules/match.h), by the numbers of the rules. */
#include "rules/match.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#define MANY 64

/* A header: DIGEST as a letter; ID 0 none; DATE 0 none. */
static struct pair_candidate header(size_t index, char digest, uint64_t id, int64_t date)
{
	struct pair_candidate candidate = {
		.index = index, .message_id = id, .header_date = date == 0 ? INT64_MIN : date};
	memset(candidate.digest, digest, sizeof(candidate.digest));
	return candidate;
}

static struct pair_candidate local(size_t index, char digest, uint64_t id, int64_t date)
{
	return header(index, digest, id, date);
}

static struct pair_candidate remote(uint32_t uid, char digest, uint64_t id, int64_t date)
{
	struct pair_candidate candidate = header(1000 + uid, digest, id, date);
	candidate.uid = uid;
	return candidate;
}

static const struct pair_candidate *find(const struct pair_candidate *items, size_t count,
					 int64_t index)
{
	for (size_t i = 0; i < count; i++) {
		if (items[i].index == index) {
			return &items[i];
		}
	}
	fail_msg("candidate %lld is gone", (long long)index);
	return NULL;
}

/* The UID that the local one of that index was joined with; 0: none. */
static uint32_t partner(const struct pair_candidate *locals, size_t count, int64_t index)
{
	const struct pair_candidate *candidate = find(locals, count, index);
	return candidate->is_taken ? (uint32_t)(candidate->partner - 1000) : 0;
}

static bool is_ambiguous(const struct pair_candidate *locals, size_t count, int64_t index)
{
	return find(locals, count, index)->is_ambiguous;
}

static void nothing_matches_nothing(void **state)
{
	(void)state;
	struct pair_candidate one[] = {local(1, 'a', 1, 1)};
	pair_match(one, 0, one, 0);
	pair_match(one, 1, NULL, 0);
	assert_false(one[0].is_taken || one[0].is_ambiguous);
}

static void W1_a_proposed_uid_joins_when_the_digest_agrees(void **state)
{
	(void)state;
	struct pair_candidate locals[] = {local(1, 'a', 1, 1), local(2, 'a', 1, 1)};
	struct pair_candidate remotes[] = {remote(5, 'a', 1, 1), remote(6, 'a', 1, 1)};
	locals[0].uid = 6;
	locals[1].uid = 5;
	pair_match(locals, 2, remotes, 2);
	assert_int_equal(partner(locals, 2, 1), 6);
	assert_int_equal(partner(locals, 2, 2), 5);
}

static void W1_a_proposed_uid_joins_when_id_and_date_agree(void **state)
{
	(void)state;
	struct pair_candidate locals[] = {local(1, 'a', 7, 1), local(2, 'b', 7, 1)};
	struct pair_candidate remotes[] = {remote(5, 'x', 7, 1), remote(6, 'y', 7, 1)};
	locals[0].uid = 6;
	locals[1].uid = 5;
	pair_match(locals, 2, remotes, 2);
	assert_int_equal(partner(locals, 2, 1), 6);
	assert_int_equal(partner(locals, 2, 2), 5);
}

static void W1_a_proposal_of_another_message_is_not_believed(void **state)
{
	(void)state;
	struct pair_candidate locals[] = {local(1, 'a', 7, 1)};
	struct pair_candidate remotes[] = {remote(5, 'x', 8, 1), remote(6, 'y', 7, 2)};
	locals[0].uid = 5;
	pair_match(locals, 1, remotes, 2);
	assert_int_equal(partner(locals, 1, 1), 0);
	assert_false(is_ambiguous(locals, 1, 1));
}

static void W1_W2_a_disbelieved_proposal_still_pairs_by_digest(void **state)
{
	(void)state;
	struct pair_candidate locals[] = {local(1, 'a', 7, 1)};
	struct pair_candidate remotes[] = {remote(5, 'x', 8, 1), remote(6, 'a', 7, 1)};
	locals[0].uid = 5;
	pair_match(locals, 1, remotes, 2);
	assert_int_equal(partner(locals, 1, 1), 6);
}

static void W1_W2_a_proposed_uid_that_is_gone_pairs_by_digest(void **state)
{
	(void)state;
	struct pair_candidate locals[] = {local(1, 'a', 7, 1)};
	struct pair_candidate remotes[] = {remote(6, 'a', 7, 1)};
	locals[0].uid = 5;
	pair_match(locals, 1, remotes, 1);
	assert_int_equal(partner(locals, 1, 1), 6);
}

static void W1_one_uid_proposed_twice_joins_once(void **state)
{
	(void)state;
	struct pair_candidate locals[] = {local(1, 'a', 7, 1), local(2, 'a', 7, 1)};
	struct pair_candidate remotes[] = {remote(5, 'a', 7, 1)};
	locals[0].uid = locals[1].uid = 5;
	pair_match(locals, 2, remotes, 1);
	assert_int_equal(partner(locals, 2, 1) + partner(locals, 2, 2), 5);
}

static void W1_W5_a_weak_proposal_needs_equal_size_but_no_date(void **state)
{
	(void)state;
	struct pair_candidate locals[] = {local(1, 'a', 0, 0), local(2, 'a', 0, 0)};
	struct pair_candidate remotes[] = {remote(5, 'a', 0, 0), remote(6, 'a', 0, 0)};
	locals[0].uid = 5;
	locals[1].uid = 6;
	locals[0].size = told(10);
	locals[1].size = told(20);
	locals[0].date = locals[1].date = told_time(99);
	remotes[0].size = told(10);
	remotes[1].size = told(21);
	pair_match(locals, 2, remotes, 2);
	assert_int_equal(partner(locals, 2, 1), 5);
	assert_int_equal(partner(locals, 2, 2), 0);
}

static void W2_equal_digests_join_whatever_the_dates(void **state)
{
	(void)state;
	struct pair_candidate locals[] = {local(1, 'b', 2, 1), local(2, 'a', 1, 1)};
	struct pair_candidate remotes[] = {remote(5, 'a', 1, 1), remote(6, 'b', 2, 1)};
	locals[0].date = told_time(12345);
	pair_match(locals, 2, remotes, 2);
	assert_int_equal(partner(locals, 2, 1), 6);
	assert_int_equal(partner(locals, 2, 2), 5);
}

static void W5_a_header_with_a_date_alone_is_not_weak(void **state)
{
	(void)state;
	struct pair_candidate locals[] = {local(1, 'a', 0, 8)};
	struct pair_candidate remotes[] = {remote(5, 'a', 0, 8)};
	locals[0].date = told_time(12345);
	pair_match(locals, 1, remotes, 1);
	assert_int_equal(partner(locals, 1, 1), 5);
}

static void W2_copies_pair_off_by_equal_date_first(void **state)
{
	(void)state;
	struct pair_candidate locals[] = {local(1, 'a', 1, 1), local(2, 'a', 1, 1)};
	struct pair_candidate remotes[] = {remote(5, 'a', 1, 1)};
	locals[0].date = told_time(100);
	locals[1].date = told_time(200);
	remotes[0].date = told_time(200);
	pair_match(locals, 2, remotes, 1);
	assert_int_equal(partner(locals, 2, 1), 0);
	assert_int_equal(partner(locals, 2, 2), 5);
	/* The other copy is a copy, to be sent: it has a digest of its own right. */
	assert_false(is_ambiguous(locals, 2, 1));
}

static void W2_copies_without_equal_dates_pair_off_in_their_order(void **state)
{
	(void)state;
	struct pair_candidate locals[] = {local(1, 'a', 1, 1), local(2, 'a', 1, 1),
					  local(3, 'a', 1, 1)};
	struct pair_candidate remotes[] = {remote(5, 'a', 1, 1), remote(6, 'a', 1, 1),
					   remote(7, 'a', 1, 1)};
	locals[0].date = told_time(30);
	locals[1].date = told_time(20);
	locals[2].date = told_time(10);
	remotes[0].date = told_time(3);
	remotes[1].date = told_time(2);
	remotes[2].date = told_time(20);
	pair_match(locals, 3, remotes, 3);
	assert_int_equal(partner(locals, 3, 2), 7);
	assert_int_equal(partner(locals, 3, 3), 6);
	assert_int_equal(partner(locals, 3, 1), 5);
}

static void W2_more_messages_than_files_leave_messages(void **state)
{
	(void)state;
	struct pair_candidate locals[] = {local(1, 'a', 1, 1)};
	struct pair_candidate remotes[] = {remote(5, 'a', 1, 1), remote(6, 'a', 1, 1)};
	pair_match(locals, 1, remotes, 2);
	assert_int_equal(remotes[0].is_taken + remotes[1].is_taken, 1);
	assert_true(partner(locals, 1, 1) != 0);
}

static void W5_weak_headers_need_equal_size_and_date(void **state)
{
	(void)state;
	struct pair_candidate locals[] = {local(1, 'a', 0, 0), local(2, 'a', 0, 0),
					  local(3, 'a', 0, 0)};
	struct pair_candidate remotes[] = {remote(5, 'a', 0, 0), remote(6, 'a', 0, 0),
					   remote(7, 'a', 0, 0)};
	for (int i = 0; i < 3; i++) {
		locals[i].date = remotes[i].date = told_time(100);
		locals[i].size = remotes[i].size = told(10);
	}
	locals[1].size = told(11);       /* no message of that size */
	locals[2].date = told_time(101); /* no message of that date */
	remotes[2].size = told(12);
	pair_match(locals, 3, remotes, 3);
	assert_true(partner(locals, 3, 1) == 5 || partner(locals, 3, 1) == 6);
	assert_int_equal(partner(locals, 3, 2), 0);
	assert_int_equal(partner(locals, 3, 3), 0);
	assert_false(is_ambiguous(locals, 3, 2) || is_ambiguous(locals, 3, 3));
}

static void W5_weak_headers_of_one_date_find_their_size(void **state)
{
	(void)state;
	struct pair_candidate locals[] = {local(1, 'a', 0, 0), local(2, 'a', 0, 0)};
	struct pair_candidate remotes[] = {remote(5, 'a', 0, 0), remote(6, 'a', 0, 0),
					   remote(7, 'a', 0, 0)};
	locals[0].size = told(20);
	locals[1].size = told(30);
	remotes[0].size = told(10);
	remotes[1].size = told(30);
	remotes[2].size = told(20);
	pair_match(locals, 2, remotes, 3);
	assert_int_equal(partner(locals, 2, 1), 0); /* no date is told */
	assert_int_equal(partner(locals, 2, 2), 0);
	for (size_t i = 0; i < 3; i++) {
		remotes[i].date = locals[i % 2].date = told_time(0);
	}
	pair_match(locals, 2, remotes, 3);
	assert_int_equal(partner(locals, 2, 1), 7);
	assert_int_equal(partner(locals, 2, 2), 6);
}

static void W13_below_its_bound_nothing_is_joined(void **state)
{
	(void)state;
	struct pair_candidate locals[] = {local(1, 'a', 1, 1), local(2, 'b', 2, 1)};
	struct pair_candidate remotes[] = {remote(5, 'a', 1, 1), remote(6, 'x', 2, 1)};
	locals[0].bound = locals[1].bound = 7;
	pair_match(locals, 2, remotes, 2);
	assert_int_equal(partner(locals, 2, 1), 0);
	assert_int_equal(partner(locals, 2, 2), 0);
}

static void W13_a_bound_leaves_what_is_below_to_others(void **state)
{
	(void)state;
	struct pair_candidate locals[] = {local(1, 'a', 1, 1), local(2, 'a', 1, 1)};
	struct pair_candidate remotes[] = {remote(5, 'a', 1, 1), remote(9, 'a', 1, 1)};
	locals[0].bound = 9;
	pair_match(locals, 2, remotes, 2);
	assert_int_equal(partner(locals, 2, 1), 9);
	assert_int_equal(partner(locals, 2, 2), 5);
}

static void W3_a_rewritten_header_joins_by_id_and_date(void **state)
{
	(void)state;
	struct pair_candidate locals[] = {local(1, 'a', 7, 1), local(2, 'b', 8, 1),
					  local(3, 'c', 0, 3)};
	struct pair_candidate remotes[] = {remote(5, 'x', 7, 1), remote(6, 'y', 8, 2),
					   remote(7, 'z', 0, 3)};
	pair_match(locals, 3, remotes, 3);
	assert_int_equal(partner(locals, 3, 1), 5);
	assert_int_equal(partner(locals, 3, 2), 0); /* another date */
	assert_int_equal(partner(locals, 3, 3), 0); /* a date alone */
}

static void W3_an_id_without_a_date_joins_one_without(void **state)
{
	(void)state;
	struct pair_candidate locals[] = {local(1, 'a', 7, 0), local(2, 'b', 8, 0)};
	struct pair_candidate remotes[] = {remote(5, 'x', 7, 0), remote(6, 'y', 8, 4)};
	pair_match(locals, 2, remotes, 2);
	assert_int_equal(partner(locals, 2, 1), 5);
	assert_int_equal(partner(locals, 2, 2), 0);
}

static void W3_a_digest_goes_before_an_id(void **state)
{
	(void)state;
	struct pair_candidate locals[] = {local(1, 'a', 7, 1), local(2, 'b', 7, 1)};
	struct pair_candidate remotes[] = {remote(5, 'x', 7, 1), remote(6, 'a', 7, 1)};
	pair_match(locals, 2, remotes, 2);
	assert_int_equal(partner(locals, 2, 1), 6);
	assert_int_equal(partner(locals, 2, 2), 5);
}

static void W3_files_left_over_of_one_id_are_ambiguous(void **state)
{
	(void)state;
	struct pair_candidate locals[] = {local(1, 'a', 7, 1), local(2, 'b', 7, 1),
					  local(3, 'c', 9, 1)};
	struct pair_candidate remotes[] = {remote(5, 'x', 7, 1)};
	pair_match(locals, 3, remotes, 1);
	assert_int_equal(partner(locals, 3, 1) + partner(locals, 3, 2), 5);
	assert_int_equal(is_ambiguous(locals, 3, 1) + is_ambiguous(locals, 3, 2), 1);
	assert_false(is_ambiguous(locals, 3, 3));
}

static void W3_one_that_is_joined_is_never_ambiguous(void **state)
{
	(void)state;
	struct pair_candidate locals[] = {local(1, 'a', 7, 1), local(2, 'b', 7, 1)};
	struct pair_candidate remotes[] = {remote(5, 'x', 7, 1), remote(6, 'y', 7, 1),
					   remote(7, 'z', 7, 1)};
	pair_match(locals, 2, remotes, 3);
	assert_true(partner(locals, 2, 1) != 0 && partner(locals, 2, 2) != 0);
	assert_false(is_ambiguous(locals, 2, 1) || is_ambiguous(locals, 2, 2));
}

static void W4_what_was_sent_joins_what_came_since_with_its_date(void **state)
{
	(void)state;
	struct pair_candidate locals[] = {local(0, 'a', 1, 100)};
	struct pair_candidate remotes[] = {remote(5, 'x', 2, 7), remote(12, 'y', 3, 8)};
	locals[0].bound = 10;
	locals[0].date = told_time(1000);
	remotes[0].date = told_time(1000);
	remotes[1].date = told_time(1000);
	pair_match(locals, 1, remotes, 2);
	assert_int_equal(partner(locals, 1, 0), 0);
	locals[0].was_sent = true;
	pair_match(locals, 1, remotes, 2);
	assert_int_equal(partner(locals, 1, 0), 12);
}

static void W4_another_date_is_another_message(void **state)
{
	(void)state;
	struct pair_candidate locals[] = {local(0, 'a', 1, 100)};
	struct pair_candidate remotes[] = {remote(12, 'y', 3, 8)};
	locals[0].was_sent = true;
	locals[0].date = told_time(1000);
	remotes[0].date = told_time(1001);
	pair_match(locals, 1, remotes, 1);
	assert_int_equal(partner(locals, 1, 0), 0);
}

static unsigned next_random(unsigned *seed)
{
	*seed = *seed * 1103515245u + 12345u;
	return *seed >> 16;
}

static struct pair_candidate random_candidate(size_t index, unsigned *seed)
{
	struct pair_candidate candidate =
		header(index, (char)('a' + next_random(seed) % 5), next_random(seed) % 4,
		       (int64_t)(next_random(seed) % 3));
	candidate.date = told_time(next_random(seed) % 4);
	candidate.size = told(next_random(seed) % 3);
	return candidate;
}

/* Why the two may be one message, by the header's own words. */
static bool may_be_same(const struct pair_candidate *one, const struct pair_candidate *two)
{
	bool same_digest = memcmp(one->digest, two->digest, sizeof(one->digest)) == 0;
	bool same_id = one->message_id != 0 && one->message_id == two->message_id &&
		       one->header_date == two->header_date;
	return two->uid >= one->bound && (same_digest || same_id);
}

static void check_pairs(const struct pair_candidate *locals, size_t local_count,
			const struct pair_candidate *remotes, size_t remote_count)
{
	size_t taken_locals = 0;
	size_t taken_remotes = 0;
	bool is_used[MANY] = {false};
	for (size_t i = 0; i < remote_count; i++) {
		taken_remotes += remotes[i].is_taken;
	}
	for (size_t i = 0; i < local_count; i++) {
		if (!locals[i].is_taken) {
			continue;
		}
		taken_locals++;
		const struct pair_candidate *other = find(remotes, remote_count, locals[i].partner);
		assert_false(is_used[other->uid]);
		is_used[other->uid] = true;
		assert_true(other->is_taken && may_be_same(&locals[i], other));
		assert_false(locals[i].is_ambiguous);
	}
	assert_int_equal(taken_locals, taken_remotes);
}

static void whatever_is_given_joins_one_to_one(void **state)
{
	(void)state;
	unsigned seed = (unsigned)time(NULL);
	print_message("seed %u\n", seed);
	for (int round = 0; round < 2000; round++) {
		struct pair_candidate locals[MANY];
		struct pair_candidate remotes[MANY];
		size_t local_count = next_random(&seed) % 20;
		size_t remote_count = next_random(&seed) % 20;
		for (size_t i = 0; i < local_count; i++) {
			locals[i] = random_candidate(i, &seed);
			locals[i].uid = next_random(&seed) % 2 == 0
					      ? (uint32_t)(next_random(&seed) % 20)
					      : 0;
			locals[i].bound = next_random(&seed) % 4 == 0
						? (uint32_t)(next_random(&seed) % 20)
						: 0;
		}
		for (size_t i = 0; i < remote_count; i++) {
			remotes[i] = random_candidate(1001 + i, &seed);
			remotes[i].uid = (uint32_t)(i + 1);
		}
		pair_match(locals, local_count, remotes, remote_count);
		check_pairs(locals, local_count, remotes, remote_count);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_matches_nothing),
		cmocka_unit_test(W1_a_proposed_uid_joins_when_the_digest_agrees),
		cmocka_unit_test(W1_a_proposed_uid_joins_when_id_and_date_agree),
		cmocka_unit_test(W1_a_proposal_of_another_message_is_not_believed),
		cmocka_unit_test(W1_W2_a_disbelieved_proposal_still_pairs_by_digest),
		cmocka_unit_test(W1_W2_a_proposed_uid_that_is_gone_pairs_by_digest),
		cmocka_unit_test(W1_one_uid_proposed_twice_joins_once),
		cmocka_unit_test(W1_W5_a_weak_proposal_needs_equal_size_but_no_date),
		cmocka_unit_test(W2_equal_digests_join_whatever_the_dates),
		cmocka_unit_test(W5_a_header_with_a_date_alone_is_not_weak),
		cmocka_unit_test(W2_copies_pair_off_by_equal_date_first),
		cmocka_unit_test(W2_copies_without_equal_dates_pair_off_in_their_order),
		cmocka_unit_test(W2_more_messages_than_files_leave_messages),
		cmocka_unit_test(W5_weak_headers_need_equal_size_and_date),
		cmocka_unit_test(W5_weak_headers_of_one_date_find_their_size),
		cmocka_unit_test(W13_below_its_bound_nothing_is_joined),
		cmocka_unit_test(W13_a_bound_leaves_what_is_below_to_others),
		cmocka_unit_test(W3_a_rewritten_header_joins_by_id_and_date),
		cmocka_unit_test(W3_an_id_without_a_date_joins_one_without),
		cmocka_unit_test(W3_a_digest_goes_before_an_id),
		cmocka_unit_test(W3_files_left_over_of_one_id_are_ambiguous),
		cmocka_unit_test(W3_one_that_is_joined_is_never_ambiguous),
		cmocka_unit_test(W4_what_was_sent_joins_what_came_since_with_its_date),
		cmocka_unit_test(W4_another_date_is_another_message),
		cmocka_unit_test(whatever_is_given_joins_one_to_one),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
