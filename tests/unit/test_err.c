#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "mailsync/base/err.h"

static void err_set_returns_the_negative_code(void **state)
{
	struct err err;

	(void)state;
	assert_int_equal(err_set(&err, ERR_LOGIN, SCOPE_ACCOUNT, "no %d", 5), -ERR_LOGIN);
	assert_int_equal(err.code, ERR_LOGIN);
	assert_int_equal(err.scope, SCOPE_ACCOUNT);
	assert_string_equal(err.text, "no 5");
	err_clear(&err);
	assert_int_equal(err.code, ERR_NONE);
	assert_string_equal(err.text, "");
}

static void err_text_cannot_write_to_a_terminal(void **state)
{
	struct err err;

	(void)state;
	err_set(&err, ERR_SERVER, SCOPE_ACCOUNT, "%s", "\x1b[2J\r\n\t\x7f\xc2\x9b");
	assert_string_equal(err.text, "?[2J?????");
	err_set(&err, ERR_SERVER, SCOPE_ACCOUNT, "%s",
		"B\xc3\xbc"
		"cher \xff\xc0\x80 \xe2\x82\xac");
	assert_string_equal(err.text, "B\xc3\xbc"
				      "cher ??? \xe2\x82\xac");
	err_set(&err, ERR_SERVER, SCOPE_ACCOUNT, "%s", /* lines and directions; a joiner may stay */
		"a\u2028b\u2029c\u202Ed\u202Ce\u2066f\u2069g\u200Eh\u200Fi\u061Cj\u200Dk");
	assert_string_equal(err.text, "a?b?c?d?e?f?g?h?i?j\u200Dk");
}

static void err_text_is_cut_at_whole_characters(void **state)
{
	char euros[3 * ERR_TEXT_SIZE + 1];
	struct err err;

	(void)state;
	for (size_t i = 0; i < ERR_TEXT_SIZE; i++) {
		memcpy(euros + 3 * i, "\xe2\x82\xac", 3);
	}
	euros[sizeof(euros) - 1] = '\0';
	for (int shift = 0; shift < 3; shift++) {
		err_set(&err, ERR_SERVER, SCOPE_RUN, "%.*s%s", shift, "xx", euros);
		size_t len = strlen(err.text);
		assert_true(len < ERR_TEXT_SIZE && len >= ERR_TEXT_SIZE - 4);
		assert_int_equal((len - (size_t)shift) % 3, 0);
		assert_null(strchr(err.text, '?'));
	}
}

static void err_set_errno_keeps_the_reason_of_a_long_sentence(void **state)
{
	char name[2000];
	struct err err;

	(void)state;
	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	assert_int_equal(err_set_errno(&err, ERR_LOCAL, SCOPE_MAILBOX, ENOSPC, "open %s", name),
			 -ERR_LOCAL);
	assert_non_null(strstr(err.text, ": No space left on device"));
}

static void err_set_errno_tells_memory_from_disk(void **state)
{
	struct err err;

	(void)state;
	assert_int_equal(err_set_errno(&err, ERR_LOCAL, SCOPE_MAILBOX, ENOMEM, "open"), -ERR_NOMEM);
}

static void err_prefix_keeps_code_and_scope(void **state)
{
	struct err err;

	(void)state;
	err_set(&err, ERR_REFUSED, SCOPE_MAILBOX, "it said \"%s\"", "no");
	err_prefix(&err, "mailbox %s", "Work");
	assert_string_equal(err.text, "mailbox Work: it said \"no\"");
	assert_int_equal(err.code, ERR_REFUSED);
	assert_int_equal(err.scope, SCOPE_MAILBOX);
	assert_int_equal(err_set(&err, ERR_SERVER, SCOPE_RUN, "<%s>", err.text), -ERR_SERVER);
	assert_string_equal(err.text, "<mailbox Work: it said \"no\">");
}

static void err_append_puts_more_behind_what_was_said(void **state)
{
	char longer[2 * ERR_TEXT_SIZE];
	struct err err;

	(void)state;
	err_set(&err, ERR_LOGIN, SCOPE_ACCOUNT, "refused");
	err_append(&err, " (%s)", "not\x1b now");
	assert_string_equal(err.text, "refused (not? now)");
	assert_int_equal(err.code, ERR_LOGIN);
	assert_int_equal(err.scope, SCOPE_ACCOUNT);
	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	err_append(&err, "%s", longer);
	assert_int_equal(strlen(err.text), ERR_TEXT_SIZE - 1);
	err_append(&err, "more");
	assert_int_equal(strlen(err.text), ERR_TEXT_SIZE - 1);
}

static void err_codes_have_the_documented_exit_status(void **state)
{
	(void)state;
	assert_int_equal(err_exit_status(ERR_NONE), 0);
	assert_int_equal(err_exit_status(ERR_PARTIAL), 1);
	assert_int_equal(err_exit_status(ERR_USAGE), 64);
	assert_int_equal(err_exit_status(ERR_SERVER), 69);
	assert_int_equal(err_exit_status(ERR_INTERNAL), 70);
	assert_int_equal(err_exit_status(ERR_LOCAL), 74);
	assert_int_equal(err_exit_status(ERR_TEMPORARY), 75);
	assert_int_equal(err_exit_status(ERR_LOCKED), 75);
	assert_int_equal(err_exit_status(ERR_PROTOCOL), 76);
	assert_int_equal(err_exit_status(ERR_LOGIN), 77);
	assert_int_equal(err_exit_status(ERR_CONFIG), 78);
	assert_int_equal(err_exit_status(ERR_BRAKE), 79);
}

static void err_codes_have_names_of_their_own(void **state)
{
	(void)state;
	for (int x = 0; x < ERR_CODE_COUNT; x++) {
		assert_non_null(err_code_name((enum err_code)x));
		for (int y = 0; y < x; y++) {
			assert_string_not_equal(err_code_name((enum err_code)x),
						err_code_name((enum err_code)y));
		}
	}
	assert_string_equal(err_code_name(ERR_LOGIN), "login");
}

static void a_text_that_would_be_changed_is_not_shown(void **state)
{
	char longest[ERR_TEXT_SIZE + 1];

	(void)state;
	assert_true(err_shows(""));
	assert_true(err_shows("B\303\274ro & S\303\266hne"));
	assert_false(err_shows("a\nb"));
	assert_false(err_shows("\342\200\256gpj"));
	assert_false(err_shows("\302\233"));
	assert_false(err_shows("\377"));
	memset(longest, 'a', sizeof(longest));
	longest[ERR_TEXT_SIZE - 1] = '\0';
	assert_true(err_shows(longest));
	longest[ERR_TEXT_SIZE - 1] = 'a';
	longest[ERR_TEXT_SIZE] = '\0';
	assert_false(err_shows(longest));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(err_set_returns_the_negative_code),
		cmocka_unit_test(err_text_cannot_write_to_a_terminal),
		cmocka_unit_test(err_text_is_cut_at_whole_characters),
		cmocka_unit_test(err_set_errno_keeps_the_reason_of_a_long_sentence),
		cmocka_unit_test(err_set_errno_tells_memory_from_disk),
		cmocka_unit_test(err_prefix_keeps_code_and_scope),
		cmocka_unit_test(err_append_puts_more_behind_what_was_said),
		cmocka_unit_test(err_codes_have_the_documented_exit_status),
		cmocka_unit_test(err_codes_have_names_of_their_own),
		cmocka_unit_test(a_text_that_would_be_changed_is_not_shown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
