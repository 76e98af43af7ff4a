#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "mailsync/model/mutf7.h"

static void expect_both_ways(const char *utf8, const char *mutf7)
{
	struct buf out;
	struct err err;
	buf_init(&out, 4096);
	assert_int_equal(mutf7_encode(span_of(utf8), &out, &err), 0);
	assert_string_equal(out.data, mutf7);
	buf_clear(&out);
	assert_int_equal(mutf7_decode(span_of(mutf7), &out, &err), 0);
	assert_string_equal(out.data, utf8);
	buf_finish(&out);
}

static void names_are_encoded_and_decoded_alike(void **state)
{
	(void)state;
	expect_both_ways("", "");
	expect_both_ways("Work/2024", "Work/2024");
	expect_both_ways("a & b", "a &- b");
	expect_both_ways("Entw\xc3\xbcrfe", "Entw&APw-rfe");
	expect_both_ways("\xe2\x82\xac\xe2\x82\xac", "&IKwgrA-");
	expect_both_ways("\xf0\x9f\x98\x80!", "&2D3eAA-!");
	expect_both_ways("\xc3\xa9&\xc3\xa9", "&AOk-&-&AOk-");
	expect_both_ways("tab\t", "tab&AAk-");
}

static void decoding_refuses_what_no_encoder_writes(void **state)
{
	static const char *const bad[] = {"&",          "a&AOk", "&AGE-", "&2D0-",       "&3gA-",
					  "&AOl-",      "&AO-",  "&A-",   "caf\xc3\xa9", "&AO k-",
					  "&AOk-&AOk-", "&/+8-", "a\tb",  "&AOkA-"};
	struct buf out;
	struct err err;
	(void)state;
	buf_init(&out, 4096);
	buf_append_cstr(&out, "kept");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (mutf7_decode(span_of(bad[i]), &out, &err) != -ERR_PARTIAL) {
			fail_msg("accepted %s", bad[i]);
		}
		assert_string_equal(out.data, "kept");
	}
	buf_finish(&out);
}

static void encoding_refuses_what_is_no_utf8(void **state)
{
	static const char *const bad[] = {
		"\x80",     "\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80",
		"\xe2\x82", "\xff",     "a\xc3"};
	struct buf out;
	struct err err;
	(void)state;
	buf_init(&out, 4096);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(mutf7_encode(span_of(bad[i]), &out, &err), -ERR_PARTIAL);
		assert_false(utf8_is_valid(span_of(bad[i])));
		assert_int_equal(out.len, 0);
	}
	assert_false(utf8_is_valid((struct span){"a\0b", 3}));
	assert_true(utf8_is_valid(SPAN_LIT("a\xf4\x8f\xbf\xbf")));
	buf_finish(&out);
}

static void what_decodes_encodes_to_itself(void **state)
{
	static const char signs[] = "&-AOkDz2,9e ";
	unsigned seed = 31337;
	int accepted = 0;
	(void)state;
	print_message("seed %u\n", seed);
	srand(seed);
	for (int round = 0; round < 200000; round++) {
		char name[12];
		size_t len = (size_t)(rand() % 12);
		struct buf utf8;
		struct buf again;
		struct err err;
		for (size_t i = 0; i < len; i++) {
			name[i] = signs[(size_t)rand() % (sizeof(signs) - 1)];
		}
		buf_init(&utf8, 256);
		buf_init(&again, 256);
		struct span text = {name, len};
		if (mutf7_decode(text, &utf8, &err) == 0) {
			assert_int_equal(mutf7_encode(buf_span(&utf8), &again, &err), 0);
			assert_true(span_equal(buf_span(&again), text));
			accepted++;
		}
		buf_finish(&again);
		buf_finish(&utf8);
	}
	assert_true(accepted > 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_encoded_and_decoded_alike),
		cmocka_unit_test(decoding_refuses_what_no_encoder_writes),
		cmocka_unit_test(encoding_refuses_what_is_no_utf8),
		cmocka_unit_test(what_decodes_encodes_to_itself),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
