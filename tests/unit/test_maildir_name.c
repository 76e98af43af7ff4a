#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "maildir_name.h"

struct parse_case {
	const char *file;
	char delimiter;
	size_t unique_len;
	const char *letters; /* NULL: no info part */
};

static void maildir_name_finds_unique_part_and_letters(void **state)
{
	static const struct parse_case cases[] = {
		{"123.a.host", ':', 10, NULL},
		{"123.a.host:2,", ':', 10, ""},
		{"123.a.host:2,FS", ':', 10, "FS"},
		{"123.a.host,S=12:2,SF", ':', 10, "SF"},
		{"123.a.host,U=7,FMD5=x:2,S", ':', 10, "S"},
		{"123.a.host:1,S", ':', 10, NULL},
		{"123.a.host:2", ':', 10, NULL},
		{"123.a.host:", ':', 10, NULL},
		{"123.a.host;2,S", ':', 12, NULL},
		{"123.a.host;2,S", ';', 10, "S"},
		{"123.a.host:2,S", ';', 10, "S"},
		{"123.a.host!2,Sab", '!', 10, "Sab"},
		{"123.a.host:2,S,x=1", ':', 10, "S"},
		{":2,S", ':', 0, "S"},
		{"Invoice, 2019.eml", ':', 17, NULL},
		{"Invoice, 2019.eml:2,S", ':', 17, "S"},
		{"Re: one", ':', 7, NULL},
		{"Re: one:2,RS", ':', 7, "RS"},
		{"Re: one;2,RS", ';', 7, "RS"},
		{"a,b", ':', 3, NULL},
		{"a,S=1,b:2,S", ':', 7, "S"},
		{"a,S=1,W=2:2,S", ':', 1, "S"},
		{"a,:2,S", ':', 2, "S"},
		{"a:x,S=1", ':', 7, NULL},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct maildir_name name;
		char letters[64] = "";
		maildir_name_parse(cases[i].file, cases[i].delimiter, &name);
		if (name.has_info) {
			snprintf(letters, sizeof(letters), "%.*s", (int)name.letters_len,
				 cases[i].file + name.base_len + 3);
		}
		if (name.unique_len != cases[i].unique_len ||
		    name.has_info != (cases[i].letters != NULL) ||
		    strcmp(letters, cases[i].letters ? cases[i].letters : "") != 0) {
			fail_msg("%s: unique %zu, info %d, letters \"%s\"", cases[i].file,
				 name.unique_len, name.has_info, letters);
		}
	}
}

struct change_case {
	const char *file;
	char delimiter;
	const char *add;
	const char *remove;
	const char *expected;
};

static uint64_t letters_of(const char *text)
{
	uint64_t letters = 0;
	for (; *text; text++) {
		letters |= maildir_letter(*text);
	}
	return letters;
}

static void maildir_name_changes_only_the_letters(void **state)
{
	static const struct change_case cases[] = {
		{"1.a.h", ':', "S", "", "1.a.h:2,S"},
		{"1.a.h,S=5", ':', "S", "", "1.a.h,S=5:2,S"},
		{"1.a.h:2,", ':', "SF", "", "1.a.h:2,FS"},
		{"1.a.h:2,SR", ':', "F", "R", "1.a.h:2,FS"},
		{"1.a.h:2,SZa", ':', "b", "S", "1.a.h:2,Zab"},
		{"1.a.h:2,S", ':', "", "S", "1.a.h:2,"},
		{"1.a.h:2,S1", ':', "F", "", "1.a.h:2,1FS"},
		{"1.a.h:2,S,x=1", ':', "F", "", "1.a.h:2,FS,x=1"},
		{"1.a.h:1,x", ':', "S", "", "1.a.h:1,x:2,S"},
		{"1.a.h", ';', "S", "", "1.a.h;2,S"},
		{"1.a.h:2,F", ';', "S", "", "1.a.h:2,FS"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const uint64_t letters[2] = {letters_of(cases[i].add), letters_of(cases[i].remove)};
		char out[MAILDIR_NAME_MAX + 1];
		struct err err;
		assert_int_equal(
			maildir_name_change(cases[i].file, cases[i].delimiter, letters, out, &err),
			0);
		assert_string_equal(out, cases[i].expected);
	}
}

static void maildir_name_refuses_to_outgrow_255_bytes(void **state)
{
	const uint64_t letters[2] = {letters_of("S"), 0};
	char file[MAILDIR_NAME_MAX + 1], out[MAILDIR_NAME_MAX + 1];
	struct err err;
	(void)state;
	memset(file, 'x', MAILDIR_NAME_MAX);
	file[MAILDIR_NAME_MAX - 3] = '\0';
	assert_int_equal(maildir_name_change(file, ':', letters, out, &err), -ERR_PARTIAL);
	file[MAILDIR_NAME_MAX - 4] = '\0';
	assert_int_equal(maildir_name_change(file, ':', letters, out, &err), 0);
}

static void maildir_name_maps_system_flags_both_ways(void **state)
{
	(void)state;
	assert_int_equal(maildir_letters_of_system(FLAGS_SYSTEM), letters_of("DFPRST"));
	assert_int_equal(maildir_letters_of_system(FLAG_KEYWORD(0)), 0);
	assert_int_equal(maildir_system_of_letters(letters_of("DFPRSTabZ")), FLAGS_SYSTEM);
	assert_int_equal(maildir_system_of_letters(letters_of("S")), FLAG_SEEN);
}

static void maildir_name_refuses_paths_and_hidden_files(void **state)
{
	struct err err;
	(void)state;
	assert_int_equal(maildir_name_check("../x", &err), -ERR_PARTIAL);
	assert_int_equal(maildir_name_check("a/b", &err), -ERR_PARTIAL);
	assert_int_equal(maildir_name_check("", &err), -ERR_PARTIAL);
	assert_int_equal(maildir_name_check(".x", &err), -ERR_PARTIAL);
	assert_int_equal(maildir_name_check("1.a.h:2,S", &err), 0);
}

static void unique_names_read_back(void **state)
{
	char key[MAILDIR_KEY_SIZE], name[MAILDIR_UNIQUE_MAX + 1];
	char digest[65];
	struct maildir_unique parsed;
	struct err err;
	(void)state;
	assert_int_equal(maildir_folder_key("acc", "INBOX", key, &err), 0);
	/* printf 'acc\0INBOX' | sha256sum */
	assert_string_equal(key, "c156b81cbf03d36e");
	assert_int_equal(maildir_unique_make(name, key, 4294967295u, 12, &err), 0);
	assert_true(maildir_unique_parse(span_of(name), &parsed));
	assert_string_equal(parsed.key, key);
	assert_false(parsed.is_pop3);
	assert_int_equal(parsed.uidvalidity, 4294967295u);
	assert_int_equal(parsed.uid, 12);
	memset(digest, 'a', 64);
	digest[64] = '\0';
	snprintf(name, sizeof(name), "1999.k_1_2.h");
	maildir_unique_later(name);
	assert_string_equal(name, "2000.k_1_2.h");
	assert_int_equal(maildir_unique_make_pop3(name, key, digest, &err), 0);
	assert_true(maildir_unique_parse(span_of(name), &parsed));
	assert_true(parsed.is_pop3);
	assert_string_equal(parsed.pop3_digest, digest);
}

static void unique_names_of_others_are_not_ours(void **state)
{
	static const char *const bad[] = {
		"",
		"1700000000.M1P2.host",
		"1700000000.0123456789abcdef_7_8",
		"1700000000.0123456789abcdef_7_8.",
		"1700000000.0123456789abcdeg_7_8.h",
		"1700000000.0123456789ABCDEF_7_8.h",
		"1700000000.0123456789abcde_7_8.h",
		"1700000000.0123456789abcdef_7_.h",
		"1700000000.0123456789abcdef_7_0.h",
		"1700000000.0123456789abcdef_7_4294967296.h",
		"x.0123456789abcdef_7_8.h",
		"1700000000.0123456789abcdef_p_xyz.h",
		"1700000000.0123456789abcdef_q_ab.h",
	};
	struct maildir_unique parsed;
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (maildir_unique_parse(span_of(bad[i]), &parsed)) {
			fail_msg("taken: \"%s\"", bad[i]);
		}
	}
	assert_true(maildir_unique_parse(SPAN_LIT("1.0123456789abcdef_7_8.h.example"), &parsed));
}

static void mbsync_numbers_are_read_from_names(void **state)
{
	(void)state;
	assert_int_equal(maildir_mbsync_uid("1.2_3.h,U=12:2,S"), 12);
	assert_int_equal(maildir_mbsync_uid("1.2_3.h,U=12,FMD5=abc:2,S"), 12);
	assert_int_equal(maildir_mbsync_uid("1.2_3.h:2,S"), 0);
	assert_int_equal(maildir_mbsync_uid("1.2_3.h,U="), 0);
	assert_int_equal(maildir_mbsync_uid("1.2_3.h,U=99999999999"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(maildir_name_finds_unique_part_and_letters),
		cmocka_unit_test(maildir_name_changes_only_the_letters),
		cmocka_unit_test(maildir_name_refuses_to_outgrow_255_bytes),
		cmocka_unit_test(maildir_name_maps_system_flags_both_ways),
		cmocka_unit_test(maildir_name_refuses_paths_and_hidden_files),
		cmocka_unit_test(unique_names_read_back),
		cmocka_unit_test(unique_names_of_others_are_not_ours),
		cmocka_unit_test(mbsync_numbers_are_read_from_names),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
