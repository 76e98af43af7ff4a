#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "mailsync/base/blot.h"
#include "mailsync/base/digest.h"

#define SECRET "Sw0rd\"fi\\sh & %7+ok"

/* What is shown of WORDS where SECRET is a secret. */
static void assert_shown(const char *secret, const char *words, const char *shown)
{
	struct blot blot;
	struct buf out;
	struct err err;

	blot_init(&blot);
	buf_init(&out, 65536);
	assert_int_equal(blot_add(&blot, span_of(secret), &err), 0);
	blot_append(&blot, span_of(words), &out);
	assert_string_equal(out.data == NULL ? "" : out.data, shown);
	buf_finish(&out);
	blot_finish(&blot);
}

/* BEFORE, what FORM makes of SECRET, BEHIND: nothing but *** is between them. */
static void assert_blotted(const char *secret, const char *form)
{
	char words[4096];

	snprintf(words, sizeof(words), "[X] LOGIN bob %s is wrong!", form);
	assert_shown(secret, words, "[X] LOGIN bob *** is wrong!");
	assert_shown(secret, form, "***");
}

static void blot_finds_the_secret_as_it_is_and_in_another_case(void **state)
{
	(void)state;
	assert_blotted("hunter2", "hunter2");
	assert_blotted("hunter2", "HUNTER2");
	assert_blotted("Pass wOrd 1", "pass word 1");
	assert_shown("hunter2", "\"hunter2\" (hunter2), hunter2hunter2", "\"***\" (***), ***");
	assert_shown("hunter2", "user=bob,pass=hunter2", "user=bob,pass=***");
	assert_shown("hunter2", "nothing of it", "nothing of it");
	assert_shown("", "nothing of it", "nothing of it");
}

static void blot_finds_it_escaped(void **state)
{
	static const char *const forms[] = {
		"Sw0rd\\\"fi\\\\sh & %7+ok",         /* an IMAP string */
		"Sw0rd\\\\\\\"fi\\\\\\\\sh & %7+ok", /* and that once more */
		"Sw0rd%22fi%5Csh%20%26%20%257%2Bok", /* an address */
		"%53w0rd%22fi%5csh+%26+%257%2bok",   /* a form */
		"Sw0rd=22fi=5Csh =26 =257=2Bok",     /* quoted-printable */
		"Sw0rd&quot;fi\\sh &amp; %7+ok",     /* HTML */
		"Sw0rd&#34;fi&#x5c;sh &#38; %7&#43;ok",
		"Sw0rd\\042fi\\134sh & %7+ok", /* C */
		"Sw0rd\\x22fi\\x5Csh & %7\\u002bok",
		"Sw0rd\"\"fi\\sh & %7+ok", /* doubled */
	};
	(void)state;
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		assert_blotted(SECRET, forms[i]);
	}
	assert_blotted("p\xc3\xa4ssw\xc3\xb6rter", "p%C3%A4ssw??rter");
}

static void blot_finds_it_over_several_lines(void **state)
{
	(void)state;
	assert_shown("correcthorsebattery", "no: correct\r\n horse\n\tbattery!", "no: ***!");
	assert_shown("correcthorsebattery", "no: correct=\r\nhorsebattery!", "no: ***!");
	/* A line that the server began in the middle of it, and the line before. */
	assert_shown("hunter2", "ter2 is wrong", "*** is wrong");
	assert_shown("hunter2", "LOGIN bob \"hunt\"", "LOGIN bob \"***\"");
	assert_shown("hunter2", "LOGIN bob hunte...", "LOGIN bob ***...");
}

static void blot_finds_its_base64_wherever_it_stands(void **state)
{
	static const char *const whole[] = {"",
					    "a",
					    "ab",
					    "abc",
					    "\1user=bob\1auth=Bearer ",
					    "bob.longer@example.org\1bob.longer@example.org\1"};
	static const char *const secrets[] = {"hunter2", SECRET, "abcd", "xyz", "1234567890"};
	(void)state;
	for (size_t s = 0; s < sizeof(secrets) / sizeof(secrets[0]); s++) {
		for (size_t i = 0; i < sizeof(whole) / sizeof(whole[0]); i++) {
			struct buf plain, coded;
			buf_init(&plain, 1024);
			buf_init(&coded, 1024);
			buf_append_cstr(&plain, whole[i]);
			buf_append_cstr(&plain, secrets[s]);
			buf_append_cstr(&plain, i > 2 ? "\1\1" : "");
			base64_encode(buf_span(&plain), &coded);
			assert_blotted(secrets[s], coded.data);
			for (char *c = coded.data; *c != '\0'; c++) {
				*c = *c == '+' ? '-' : *c == '/' ? '_' : *c;
			}
			assert_blotted(secrets[s], coded.data);
			for (char *c = coded.data; *c != '\0'; c++) {
				*c = (char)(*c >= 'a' && *c <= 'z' ? *c - 32 : *c);
			}
			assert_blotted(secrets[s], coded.data);
			buf_finish(&plain);
			buf_finish(&coded);
		}
	}
}

static void blot_finds_base64_that_was_cut_or_wrapped(void **state)
{
	/* base64 of NUL bob NUL correct-horse-battery-staple */
	(void)state;
	assert_shown("correct-horse-battery-staple",
		     "PLAIN AGJvYgBjb3JyZWN0LWhvcnNl\r\n LWJhdHRlcnktc3RhcGxl no", "PLAIN *** no");
	assert_shown("correct-horse-battery-staple",
		     "PLAIN AGJvYgBjb3JyZWN0 LWhvcnNlLWJh dHRlcnktc3Rh cGxl no", "PLAIN *** no");
	assert_shown("correct-horse-battery-staple", "PLAIN AGJvYgBjb3JyZWN0LWhvcnNl... no",
		     "PLAIN ***... no");
	assert_shown("correct-horse-battery-staple", "PLAIN LWJhdHRlcnktc3RhcGxl no",
		     "PLAIN *** no");
	/* NUL bob NUL hunter2, cut in the secret */
	assert_shown("hunter2", "PLAIN AGJvYgBodW50ZX no", "PLAIN *** no");
}

static void blot_finds_its_hexadecimal_form(void **state)
{
	(void)state;
	assert_blotted("hunter2", "68756e74657232");
	assert_blotted("hunter2", "68756E74657232");
	assert_shown("hunter2", "got 68 75 6e 74 65 72 32 !", "got *** !");
	assert_shown("hunter2", "got 68:75:6e:74:65:72:32!", "got ***!");
}

static void blot_finds_any_part_of_a_long_secret(void **state)
{
	static const char token[] = "ya29.A0ARrdaM-k9Vq7GzY2pL4mQf8sT1bN6xUcJhWZoP";
	(void)state;
	assert_blotted(token, token);
	assert_shown(token, "bad token ya29.A0ARrdaM-k9Vq [cut]", "bad token *** [cut]");
	assert_shown(token, "bad token ...zY2pL4mQf8sT1bN6xU... in it",
		     "bad token ...***... in it");
	assert_shown(token, "bad token ...4mQf8s... in it", "bad token ...4mQf8s... in it");
}

static void blot_of_a_short_secret_leaves_words_alone(void **state)
{
	(void)state;
	assert_shown("a", "a bad day: LOGIN bob a", "*** bad day: LOGIN bob ***");
	assert_shown("a", "LOGIN \"bob\" \"a\" was wrong", "LOGIN \"bob\" \"***\" was wrong");
	assert_shown("pass", "password of bob: pass", "password of bob: ***");
	assert_shown("abc", "YWJj and abcdef YWJjZGVm", "*** and abcdef ***");
	assert_shown("login", "LOGIN failed for bob", "*** failed for bob");
	/* What every server says does not tell what the secret begins with. */
	assert_shown("password123", "wrong password, bob", "wrong password, bob");
	assert_shown("xyz", "authentication failed, the mailbox is locked by another session",
		     "authentication failed, the mailbox is locked by another session");
}

static void blot_holds_several(void **state)
{
	struct blot blot;
	struct buf out;
	struct err err;

	(void)state;
	blot_init(&blot);
	buf_init(&out, 1024);
	assert_int_equal(blot_add(&blot, SPAN_LIT("hunter2"), &err), 0);
	assert_int_equal(blot_add(&blot, SPAN_LIT("b913a602c7eda7a495b4e6e7334d3890"), &err), 0);
	blot_append(&blot, SPAN_LIT("bob b913a602c7eda7a495b4e6e7334d3890, hunter2\0hunter2"),
		    &out);
	assert_true(span_equal(buf_span(&out), SPAN_LIT("bob ***, ***\0***")));
	buf_finish(&out);
	blot_finish(&blot);
}

static void blot_without_any_shows_all(void **state)
{
	struct buf out;

	(void)state;
	buf_init(&out, 1024);
	blot_append(NULL, SPAN_LIT("hunter2"), &out);
	assert_string_equal(out.data, "hunter2");
	buf_finish(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(blot_finds_the_secret_as_it_is_and_in_another_case),
		cmocka_unit_test(blot_finds_it_escaped),
		cmocka_unit_test(blot_finds_it_over_several_lines),
		cmocka_unit_test(blot_finds_its_base64_wherever_it_stands),
		cmocka_unit_test(blot_finds_base64_that_was_cut_or_wrapped),
		cmocka_unit_test(blot_finds_its_hexadecimal_form),
		cmocka_unit_test(blot_finds_any_part_of_a_long_secret),
		cmocka_unit_test(blot_of_a_short_secret_leaves_words_alone),
		cmocka_unit_test(blot_holds_several),
		cmocka_unit_test(blot_without_any_shows_all),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
