#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "mailsync/oauth/pacc.h"

static int read_text(const char *text, struct pacc *pacc)
{
	struct err err;

	pacc_init(pacc);
	return pacc_read(pacc, span_of(text), &err);
}

static void what_a_domain_tells_is_read(void **state)
{
	struct pacc pacc;

	(void)state;
	assert_int_equal(read_text("{\"protocols\": {\"imap\": {\"host\": \"IMAP.example.net\"},"
				   " \"pop3\": {\"host\": \"pop.example.net\"},"
				   " \"jmap\": {\"url\": \"https://jmap.example.net/\"}},"
				   " \"authentication\": {\"oauth-public\": {\"issuer\":"
				   " \"https://auth.example.net\"}, \"password\": true},"
				   " \"info\": {\"provider\": {\"name\": \"Beispiel \\u00fc\"},"
				   " \"help\": {\"documentation\": \"https://example.net/help\"}}}",
				   &pacc),
			 0);
	assert_string_equal(pacc.imap_host, "imap.example.net");
	assert_string_equal(pacc.pop3_host, "pop.example.net");
	assert_string_equal(pacc.issuer, "https://auth.example.net");
	assert_string_equal(pacc.provider, "Beispiel \303\274");
	assert_string_equal(pacc.help, "https://example.net/help");
	assert_false(pacc.is_token_alone);
	pacc_finish(&pacc);
}

static void what_is_not_told_is_not_there(void **state)
{
	struct pacc pacc;

	(void)state;
	assert_int_equal(read_text("{}", &pacc), 0);
	assert_null(pacc.imap_host);
	assert_null(pacc.pop3_host);
	assert_null(pacc.issuer);
	assert_null(pacc.provider);
	assert_null(pacc.help);
	assert_false(pacc.is_token_alone);
	assert_int_equal(read_text("{\"authentication\": {\"password\": false}}", &pacc), 0);
	assert_true(pacc.is_token_alone);
	pacc_finish(&pacc);
}

static void what_could_be_no_host_is_none(void **state)
{
	static const char *const hosts[] = {
		"\"\"",
		"\"localhost\"",
		"\"a b.example\"",
		"\"a..b\"",
		"\".a.b\"",
		"\"a.b.\"",
		"\"-a.b\"",
		"\"a.b-\"",
		"\"a.b:1\"",
		"\"a.b\\nuser=x\"",
		"\"\\u00fc.example\"",
		"\"[::1]\"",
		"1",
		"null",
		"[\"a.b\"]",
		"{\"a.b\": 1}",
	};
	char text[256];
	struct pacc pacc;

	(void)state;
	for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
		snprintf(text, sizeof(text), "{\"protocols\": {\"imap\": {\"host\": %s}}}",
			 hosts[i]);
		assert_int_equal(read_text(text, &pacc), 0);
		assert_null(pacc.imap_host);
		pacc_finish(&pacc);
	}
}

static void only_https_addresses_count(void **state)
{
	static const char *const issuers[] = {"http://a.example", "ftp://a.example", "a.example",
					      "https://", "https://a.example/\\u0007"};
	char text[256];
	struct pacc pacc;

	(void)state;
	for (size_t i = 0; i < sizeof(issuers) / sizeof(issuers[0]); i++) {
		snprintf(text, sizeof(text),
			 "{\"authentication\": {\"oauth-public\": {\"issuer\": \"%s\"}}}",
			 issuers[i]);
		assert_int_equal(read_text(text, &pacc), 0);
		assert_null(pacc.issuer);
		pacc_finish(&pacc);
	}
}

static void a_name_that_would_not_show_as_it_is_is_none(void **state)
{
	static const char *const names[] = {"\\u202egpj", "\\u0085", "a\\u2028b", "\\u009b31m",
					    "\\u0007"};
	char text[256];
	struct pacc pacc;

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(text, sizeof(text), "{\"info\": {\"provider\": {\"name\": \"%s\"}}}",
			 names[i]);
		assert_int_equal(read_text(text, &pacc), 0);
		assert_null(pacc.provider);
		pacc_finish(&pacc);
	}
}

static void what_is_no_object_is_refused(void **state)
{
	static const char *const texts[] = {
		"", "[]", "1", "null", "<html>", "{", "{\"a\": 1, \"a\": 2}"};
	struct pacc pacc;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		assert_int_equal(read_text(texts[i], &pacc), -ERR_PROTOCOL);
	}
	assert_int_equal(read_text("{\"protocols\": []}", &pacc), 0);
	pacc_finish(&pacc);
}

#define DIGEST "RBNvo1WzZ4oRRq0W9+hknpT7T8If536DEMBg9hyq/4o=" /* of "{}" */

static void a_record_proves_the_document_or_does_not(void **state)
{
	static const struct {
		const char *record;
		enum pacc_record result;
	} cases[] = {
		{"v=UAAC1; a=sha256; d=" DIGEST, PACC_RECORD_RIGHT},
		{"v=UAAC1;a=sha256;d=" DIGEST ";", PACC_RECORD_RIGHT},
		{" v = UAAC1 ; d = " DIGEST " ; x=y; a = SHA256", PACC_RECORD_RIGHT},
		{"v=UAAC1; a=sha256; d=A" DIGEST, PACC_RECORD_WRONG},
		{"v=UAAC1; a=sha256; d=", PACC_RECORD_WRONG},
		{"v=UAAC1; a=sha256", PACC_RECORD_WRONG},
		{"v=UAAC1; a=sha256; d=???", PACC_RECORD_WRONG},
		{"v=UAAC1; a=sha512; d=" DIGEST, PACC_RECORD_OTHER},
		{"v=UAAC2; a=sha256; d=" DIGEST, PACC_RECORD_OTHER},
		{"v=spf1 -all", PACC_RECORD_OTHER},
		{"", PACC_RECORD_OTHER},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(pacc_record(SPAN_LIT("{}"), cases[i].record), cases[i].result);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_a_domain_tells_is_read),
		cmocka_unit_test(what_is_not_told_is_not_there),
		cmocka_unit_test(what_could_be_no_host_is_none),
		cmocka_unit_test(only_https_addresses_count),
		cmocka_unit_test(a_name_that_would_not_show_as_it_is_is_none),
		cmocka_unit_test(what_is_no_object_is_refused),
		cmocka_unit_test(a_record_proves_the_document_or_does_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
