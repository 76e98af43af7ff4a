#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "mailsync/model/uidset.h"

static void expect_text(const struct uidset *set, const char *expected)
{
	struct buf out;
	buf_init(&out, 65536);
	uidset_format(set, &out);
	assert_int_equal(out.failed, 0);
	assert_string_equal(out.len == 0 ? "" : out.data, expected);
	buf_finish(&out);
}

static void expect_parsed(const char *text, const char *expected)
{
	struct err err;
	struct uidset set;
	uidset_init(&set);
	assert_int_equal(uidset_parse(&set, span_of(text), UINT64_MAX, &err), 0);
	expect_text(&set, expected);
	uidset_finish(&set);
}

static void uidset_merges_adjacent_ranges(void **state)
{
	(void)state;
	expect_parsed("1:5,6,8:9", "1:6,8:9");
	expect_parsed("8:9,6,1:5,7", "1:9");
	expect_parsed("1,3,5,2:4", "1:5");
	expect_parsed("12:10,4294967295:4294967290", "10:12,4294967290:4294967295");
	expect_parsed("1:4294967295,7", "1:4294967295");
	expect_parsed("", "");
}

static void uidset_refuses_malformed_text(void **state)
{
	static const char *const bad[] = {"0",  "1:",   ":1",         "1,,2",
					  ",1", "1,",   "*",          "1:*",
					  "a",  "1 2",  "4294967296", "1:99999999999999999999",
					  "-1", "1:2:3"};
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct err err;
		struct uidset set;
		uidset_init(&set);
		assert_int_equal(uidset_add(&set, 7, 7, &err), 0);
		assert_int_equal(uidset_parse(&set, span_of(bad[i]), UINT64_MAX, &err),
				 -ERR_PROTOCOL);
		expect_text(&set, "7");
		uidset_finish(&set);
	}
}

static void uidset_bounds_the_number_of_uids(void **state)
{
	struct err err;
	struct uidset set;
	(void)state;
	uidset_init(&set);
	assert_int_equal(uidset_parse(&set, SPAN_LIT("1:10"), 10, &err), 0);
	assert_int_equal(uidset_parse(&set, SPAN_LIT("1:11"), 10, &err), -ERR_PROTOCOL);
	assert_int_equal(uidset_size(&set), 10);
	uidset_finish(&set);
}

static void uidset_zero_is_never_a_member(void **state)
{
	struct err err;
	struct uidset set;
	(void)state;
	uidset_init(&set);
	assert_int_equal(uidset_add(&set, 0, 0, &err), 0);
	expect_text(&set, "");
	assert_int_equal(uidset_add(&set, 3, 0, &err), 0);
	expect_text(&set, "1:3");
	assert_false(uidset_contains(&set, 0));
	uidset_finish(&set);
}

#define MODEL_SIZE 64

static void expect_same(const struct uidset *set, const bool *members)
{
	uint64_t size = 0;
	struct uidset_cursor cursor = {0, 0};
	uint32_t uid;
	for (uint32_t i = 0; i < MODEL_SIZE; i++) {
		assert_int_equal(uidset_contains(set, i), members[i]);
		if (members[i]) {
			assert_true(uidset_next(set, &cursor, &uid));
			assert_int_equal(uid, i);
			size++;
		}
	}
	assert_false(uidset_next(set, &cursor, &uid));
	assert_int_equal(uidset_size(set), size);
	for (size_t i = 0; i + 1 < set->count; i++) {
		assert_true(set->ranges[i].last + 1 < set->ranges[i + 1].first);
	}
}

static void uidset_behaves_like_an_array_of_booleans(void **state)
{
	unsigned seed = 20240229;
	(void)state;
	print_message("seed %u\n", seed);
	srand(seed);
	for (int round = 0; round < 300; round++) {
		struct err err;
		struct uidset set;
		bool members[MODEL_SIZE] = {false};
		uidset_init(&set);
		for (int step = 0; step < 40; step++) {
			uint32_t first = (uint32_t)(rand() % (MODEL_SIZE - 8));
			uint32_t last = first + (uint32_t)(rand() % 8);
			bool is_add = rand() % 2 == 0;
			int code = is_add ? uidset_add(&set, last, first, &err)
					  : uidset_remove(&set, first, last, &err);
			assert_int_equal(code, 0);
			for (uint32_t i = first; i <= last; i++) {
				members[i] = is_add && i != 0;
			}
			expect_same(&set, members);
		}
		uidset_finish(&set);
	}
}

static void uidset_reaches_the_largest_uid(void **state)
{
	struct err err;
	struct uidset set;
	(void)state;
	uidset_init(&set);
	assert_int_equal(uidset_add(&set, 4294967295u, 4294967294u, &err), 0);
	assert_int_equal(uidset_remove(&set, 4294967295u, 4294967295u, &err), 0);
	expect_text(&set, "4294967294");
	assert_int_equal(uidset_add(&set, 4294967295u, 4294967295u, &err), 0);
	assert_int_equal(uidset_remove(&set, 0, 4294967294u, &err), 0);
	expect_text(&set, "4294967295");
	uidset_finish(&set);
}

static void uidset_is_written_in_pieces_of_a_length(void **state)
{
	struct err err;
	struct uidset set;
	struct uidset joined;
	size_t from = 0;
	(void)state;
	uidset_init(&set);
	uidset_init(&joined);
	for (uint32_t uid = 1; uid < 4000; uid += 3) {
		assert_int_equal(uidset_add(&set, uid, uid + uid % 2, &err), 0);
	}
	struct buf piece;
	buf_init(&piece, 4096);
	while (uidset_format_some(&set, &from, 100, &piece)) {
		struct uidset part;
		assert_in_range(piece.len, 1, 100);
		uidset_init(&part);
		assert_int_equal(uidset_parse(&part, buf_span(&piece), 1000, &err), 0);
		for (size_t i = 0; i < part.count; i++) {
			uidset_add(&joined, part.ranges[i].first, part.ranges[i].last, &err);
		}
		uidset_finish(&part);
		buf_clear(&piece);
	}
	assert_int_equal(joined.count, set.count);
	assert_memory_equal(joined.ranges, set.ranges, set.count * sizeof(*set.ranges));
	from = 0;
	assert_true(uidset_format_some(&set, &from, 0, &piece));
	assert_int_equal(from, 1);
	buf_finish(&piece);
	uidset_finish(&joined);
	uidset_finish(&set);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(uidset_merges_adjacent_ranges),
		cmocka_unit_test(uidset_refuses_malformed_text),
		cmocka_unit_test(uidset_bounds_the_number_of_uids),
		cmocka_unit_test(uidset_zero_is_never_a_member),
		cmocka_unit_test(uidset_behaves_like_an_array_of_booleans),
		cmocka_unit_test(uidset_reaches_the_largest_uid),
		cmocka_unit_test(uidset_is_written_in_pieces_of_a_length),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
