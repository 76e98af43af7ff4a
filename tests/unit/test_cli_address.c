#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "cli_address.h"

static void an_address_is_taken_apart(void **state)
{
	static const struct {
		const char *given, *text, *local, *domain, *name;
	} cases[] = {
		{"me@gmail.com", "me@gmail.com", "me", "gmail.com", "gmail"},
		{"Me.Too@GMAIL.com", "Me.Too@gmail.com", "Me.Too", "gmail.com", "gmail"},
		{"me+lists@example.org", "me+lists@example.org", "me+lists", "example.org",
		 "example"},
		{"\"john doe\"@example.org", "\"john doe\"@example.org", "john doe", "example.org",
		 "example"},
		{"\"a@b\\\"c\\\\d\"@example.org", "\"a@b\\\"c\\\\d\"@example.org", "a@b\"c\\d",
		 "example.org", "example"},
		{"me@mail.example.co.uk", "me@mail.example.co.uk", "me", "mail.example.co.uk",
		 "example"},
		{"me@co.uk", "me@co.uk", "me", "co.uk", "co"},
		{"me@example.org.", "me@example.org", "me", "example.org", "example"},
		{"m\303\274ller@b\303\274cher.example", "m\303\274ller@b\303\274cher.example",
		 "m\303\274ller", "xn--bcher-kva.example", "xn--bcher-kva"},
		{"me@xn--bcher-kva.example", "me@xn--bcher-kva.example", "me",
		 "xn--bcher-kva.example", "xn--bcher-kva"},
		{"#me@example.org", "#me@example.org", "#me", "example.org", "example"},
	};
	struct cli_address address;
	struct buf name;
	struct err err;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (cli_address_read(&address, cases[i].given, &err) < 0) {
			fail_msg("%s", err.text);
		}
		assert_string_equal(address.text, cases[i].text);
		assert_int_equal(address.text[address.at], '@');
		assert_string_equal(address.local, cases[i].local);
		assert_string_equal(address.domain, cases[i].domain);
		buf_init(&name, 100);
		cli_address_append_name(&address, &name);
		assert_string_equal(name.data, cases[i].name);
		buf_finish(&name);
		cli_address_finish(&address);
	}
}

static void what_is_no_address_is_refused(void **state)
{
	static const char *const texts[] = {
		"",
		"me",
		"@example.org",
		"me@",
		"me@localhost",
		"me@example..org",
		"me@exa mple.org",
		"me@[192.0.2.1]",
		"me too@example.org",
		"Me <me@example.org>",
		"me@@example.org",
		"me@example.org/INBOX",
		"me@example.org:993",
		"\"me@example.org",
		"\"me\"too\"@example.org",
		"\"me\\\"@example.org",
		"\"\"@example.org",
		"\" me\"@example.org",
		"me\n@example.org",
		"me@example.org\r\nhost = evil",
		"me\x7F@example.org",
		"me\xC2\x85@example.org",
		"me\xE2\x80\xAE@example.org",
		"me\xFF@example.org",
	};
	struct cli_address address;
	struct err err;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		if (cli_address_read(&address, texts[i], &err) != -ERR_USAGE) {
			fail_msg("taken: %s", texts[i]);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_address_is_taken_apart),
		cmocka_unit_test(what_is_no_address_is_refused),
	};

	(void)setlocale(LC_CTYPE, "C.UTF-8");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
