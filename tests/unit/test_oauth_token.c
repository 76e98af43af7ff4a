#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "mailsync/oauth/token.h"

#define T0 INT64_C(1700000000)

static const struct oauth_now then = {T0, 5000000, "boot"};

#define REPLY "\"access_token\":\"acc\",\"token_type\":\"Bearer\""

static int take(struct oauth_token *token, const char *text, struct err *err)
{
	return oauth_token_take_reply(token, span_of(text), &then, err);
}

static void a_reply_is_read_in_all_its_forms(void **state)
{
	static const struct {
		const char *text;
		int code;
		int64_t lifetime_s;
		bool is_told;
	} cases[] = {
		{"{" REPLY ",\"expires_in\":3599}", 0, 3599, true},
		{"{" REPLY ",\"expires_in\":\"3599\"}", 0, 3599, true},
		{"{" REPLY ",\"expires_in\":59.9}", 0, 59, true},
		{"{" REPLY "}", 0, OAUTH_LIFETIME_S, false},
		{"{" REPLY ",\"expires_in\":null}", 0, OAUTH_LIFETIME_S, false},
		{"{" REPLY ",\"expires_in\":\"soon\"}", 0, OAUTH_LIFETIME_S, false},
		{"{" REPLY ",\"expires_in\":-5}", 0, OAUTH_LIFETIME_S, false},
		{"{" REPLY ",\"expires_in\":0}", 0, OAUTH_LIFETIME_S, false},
		{"{" REPLY ",\"expires_in\":\"3599.5\"}", 0, OAUTH_LIFETIME_S, false},
		{"{" REPLY ",\"expires_in\":99999999999999999999}", 0, OAUTH_LIFETIME_S, false},
		{"{\"expires_in\":-99999999999999999999," REPLY "}", 0, OAUTH_LIFETIME_S, false},
		{"{" REPLY ",\"expires_in\":1e999}", 0, OAUTH_LIFETIME_S, false},
		{"{" REPLY ",\"expires_in\":1e18}", 0, OAUTH_LIFETIME_S, false},
		{"{" REPLY ",\"expires_in\":[60]}", 0, OAUTH_LIFETIME_S, false},
		{"{" REPLY ",\"expires_in\":01}", 0, OAUTH_LIFETIME_S, false},
		{"{" REPLY ",\"expires_in\":1,\"expires_in\":2}", 0, OAUTH_LIFETIME_S, false},
		{"{" REPLY ",\"expires_in\":60,\"x\":\"\xff\"}", 0, 60, true},
		{"{\"x\":\"a\\u0000b\"," REPLY ",\"expires_in\":60}", 0, 60, true},
		{"{\"x\":\"\n\"," REPLY ",\"expires_in\":60}", 0, 60, true},
		{"{\"x\":[\"}\",{\"y\":\"\\\"]\"}]"
		 "]," REPLY ",\"expires_in\":60}",
		 0, 60, true},
		{"\xEF\xBB\xBF{" REPLY ",\"expires_in\":60}\r\n", 0, 60, true},
		{"{" REPLY ",\"expires_in\":60,\"x\":\"cut", 0, 60, true},
		{"{" REPLY ",\"expires_in\":9223372036854775807}", 0, OAUTH_LIFETIME_MAX, true},
		{"{\"access_token\":\"acc\"}", 0, OAUTH_LIFETIME_S, false},
		{"{\"access_token\":\"acc\",\"token_type\":\"mac\"}", -ERR_PROTOCOL, 0, false},
		{"{\"access_token\":\"\"}", -ERR_PROTOCOL, 0, false},
		{"{\"access_token\":\"a\\u0001b\"}", -ERR_PROTOCOL, 0, false},
		{"{\"access_token\":\"a\\r\\nb\"}", -ERR_PROTOCOL, 0, false},
		{"{\"access_token\":\"a\\u0000b\"}", -ERR_PROTOCOL, 0, false},
		{"{\"access_token\":\"a\",\"access_token\":\"b\"}", -ERR_PROTOCOL, 0, false},
		{"{\"access_token\":[\"a\"]}", -ERR_PROTOCOL, 0, false},
		{"{}", -ERR_PROTOCOL, 0, false},
		{"{\"access_token\":\"cut", -ERR_PROTOCOL, 0, false},
		{"{\"access_token\":\"cut\"", -ERR_PROTOCOL, 0, false},
		{"{\"access_token\":\"a\",\"token_type\":\"Bearer\",\"access_token\":\"b\"}",
		 -ERR_PROTOCOL, 0, false},
		{"{" REPLY "} {}", 0, OAUTH_LIFETIME_S, false},
	};
	struct err err;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct oauth_token token;
		oauth_token_init(&token);
		int code = take(&token, cases[i].text, &err);
		if (code != cases[i].code || token.lifetime_s != cases[i].lifetime_s ||
		    token.is_lifetime_told != cases[i].is_told) {
			fail_msg("%s: %d, %lld s", cases[i].text, code,
				 (long long)token.lifetime_s);
		}
		oauth_token_finish(&token);
	}
}

static void too_much_is_refused(void **state)
{
	static char large[OAUTH_FILE_MAX + 2];
	struct oauth_token token;
	struct err err;

	(void)state;
	oauth_token_init(&token);
	memset(large, ' ', OAUTH_FILE_MAX + 1);
	assert_int_equal(take(&token, large, &err), -ERR_PROTOCOL);
	memset(large, '[', 2000);
	large[2000] = '\0';
	assert_int_equal(take(&token, large, &err), -ERR_PROTOCOL);
	oauth_token_finish(&token);
}

static void the_refresh_token_before_is_kept_when_another_comes(void **state)
{
	struct oauth_token token;
	struct err err;

	(void)state;
	oauth_token_init(&token);
	assert_int_equal(take(&token, "{" REPLY ",\"refresh_token\":\"one\"}", &err), 0);
	assert_string_equal(token.refresh.data, "one");
	assert_null(token.before.data);
	assert_int_equal(take(&token, "{" REPLY "}", &err), 0);
	assert_string_equal(token.refresh.data, "one");
	assert_null(token.before.data);
	assert_int_equal(take(&token, "{" REPLY ",\"refresh_token\":\"two\"}", &err), 0);
	assert_string_equal(token.refresh.data, "two");
	assert_string_equal(token.before.data, "one");
	oauth_token_finish(&token);
}

/* The one before may be spent: what can be read of the next is not lost. */
static void a_refresh_token_is_taken_whatever_else_a_reply_says(void **state)
{
	static const char *const replies[] = {
		"{\"refresh_token\":\"two\"}",
		"{\"refresh_token\":\"two\",\"access_token\":7}",
		"{\"refresh_token\":\"two\",\"access_token\":\"a\",\"token_type\":\"mac\"}",
		"{\"refresh_token\":\"two\",\"access_token\":\"a\",\"access_token\":\"b\"}",
		"{\"refresh_token\":\"two\",\"access_token\":\"\xff\"}",
		"{\"expires_in\":1e999,\"refresh_token\":\"two\"",
		"{\"refresh_token\":\"two\",",
	};
	struct oauth_token token;
	struct err err;

	(void)state;
	for (size_t i = 0; i < sizeof(replies) / sizeof(replies[0]); i++) {
		oauth_token_init(&token);
		assert_int_equal(take(&token, "{" REPLY ",\"refresh_token\":\"one\"}", &err), 0);
		token.is_unsaved = false;
		bool is_cut = i == 5;
		if (take(&token, replies[i], &err) != -ERR_PROTOCOL ||
		    strcmp(token.access.data, "acc") != 0 || token.is_unsaved == is_cut ||
		    strcmp(token.refresh.data, is_cut ? "one" : "two") != 0) {
			fail_msg("%s: %s", replies[i], token.refresh.data);
		}
		oauth_token_finish(&token);
	}
}

/* Times and numbers that no `login` wrote. */
static void a_file_with_absurd_times_is_read(void **state)
{
	static const char *const times[] = {"-1", "9223372036854775807", "\"x\"", "1e300",
					    "-9223372036854775808"};
	static const struct oauth_now now = {T0, 5000000, "boot"};
	struct oauth_token token;
	char file[512];
	struct err err;

	(void)state;
	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		snprintf(file, sizeof(file),
			 "{\"access_token\":\"a\",\"client_id\":\"i\",\"grant\":\"g\","
			 "\"granted_at\":%s,"
			 "\"received_at\":%s,\"received_ms\":%s,\"lifetime\":%s,"
			 "\"received_boot\":\"boot\"}",
			 times[i], times[i], times[i], times[i]);
		oauth_token_init(&token);
		assert_int_equal(oauth_token_read(&token, span_of(file), &err), 0);
		assert_int_equal(token.granted_s, 0);
		assert_true(oauth_token_end_s(&token) <= OAUTH_LIFETIME_MAX);
		assert_false(oauth_token_is_fresh(&token, &now));
		assert_false(oauth_token_ended_in_testing(&token, &now));
		oauth_token_finish(&token);
	}
}

/* Each reply has 64 KiB at most; the file has room for what several of them told. */
static void tokens_of_any_size_go_into_the_file(void **state)
{
	static char access[30001], refresh[30001], reply[65536];
	struct oauth_token token;
	struct buf text;
	struct err err;

	(void)state;
	buf_init(&text, OAUTH_FILE_MAX);
	oauth_token_init(&token);
	memset(access, 'a', 30000);
	for (char c = 'r'; c < 't'; c++) {
		memset(refresh, c, 30000);
		snprintf(reply, sizeof(reply), "{\"access_token\":\"%s\",\"refresh_token\":\"%s\"}",
			 access, refresh);
		assert_int_equal(take(&token, reply, &err), 0);
	}
	memcpy(token.grant, "g", 2);
	assert_int_equal(oauth_token_write(&token, &text, &err), 0);
	oauth_token_finish(&token);
	buf_finish_secret(&text);
}

static void freshness_goes_by_both_clocks(void **state)
{
	static const struct {
		int64_t lifetime_s;
		struct oauth_now now;
		bool is_fresh;
	} cases[] = {
		{3600, {T0, 5000000, "boot"}, true},
		{3600, {T0 + 3299, 5000000, "boot"}, true},
		{3600, {T0 + 3300, 5000000, "boot"}, false}, /* 5 minutes ahead */
		{100, {T0 + 89, 5000000, "boot"}, true},
		{100, {T0 + 90, 5000000, "boot"}, false}, /* 10 % of a short life */
		{3600, {T0 - 1, 5000000, "boot"}, false}, /* from the future */
		{3600, {T0 - 99999, 5000000, "boot"}, false},
		{3600,
		 {T0 + 10, 5000000 + 3300 * 1000, "boot"},
		 false}, /* the wall clock went back */
		{3600, {T0 + 10, 5000000 + 3299 * 1000, "boot"}, true},
		{3600, {T0 + 10, 4000000, "boot"}, false}, /* another boot of that name? */
		{3600, {T0 + 10, 1000, "other"}, true},
		{3600, {T0 + 10, 1000, ""}, true},
		{0, {T0, 5000000, "boot"}, false},
	};
	struct oauth_token token;
	struct err err;

	(void)state;
	oauth_token_init(&token);
	assert_int_equal(take(&token, "{" REPLY "}", &err), 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		token.lifetime_s = cases[i].lifetime_s;
		if (oauth_token_is_fresh(&token, &cases[i].now) != cases[i].is_fresh) {
			fail_msg("case %zu", i);
		}
	}
	oauth_token_finish(&token);
}

static void the_file_is_read_as_it_was_written(void **state)
{
	struct oauth_token token, read;
	struct buf text;
	struct err err;

	(void)state;
	buf_init(&text, OAUTH_FILE_MAX);
	oauth_token_init(&token);
	oauth_token_init(&read);
	assert_int_equal(take(&token,
			      "{" REPLY ",\"refresh_token\":\"one\",\"expires_in\":60,"
			      "\"scope\":\"a b\"}",
			      &err),
			 0);
	assert_int_equal(take(&token, "{" REPLY ",\"refresh_token\":\"two\"}", &err), 0);
	struct oauth_settings settings = {
		.account = "x", .oauth = "https://example.org", .client_id = "id"};
	assert_int_equal(oauth_client_resolve(&token.client, &settings, &err), 0);
	assert_int_equal(secret_set(&token.client.secret, SPAN_LIT("configured"), &err), 0);
	memcpy(token.grant, "00112233445566778899aabbccddeeff", OAUTH_GRANT_SIZE);
	token.granted_s = T0 - 1000;
	assert_int_equal(oauth_token_write(&token, &text, &err), 0);
	assert_null(strstr(text.data, "configured")); /* that stays in the configuration */
	assert_int_equal(oauth_token_read(&read, buf_span(&text), &err), 0);
	assert_string_equal(read.access.data, "acc");
	assert_string_equal(read.refresh.data, "two");
	assert_string_equal(read.before.data, "one");
	assert_string_equal(read.scope, "a b");
	assert_string_equal(read.grant, token.grant);
	assert_int_equal(read.granted_s, T0 - 1000);
	assert_int_equal(read.received.real_s, T0);
	assert_int_equal(read.received.monotonic_ms, 5000000);
	assert_string_equal(read.received.boot, "boot");
	assert_false(read.is_lifetime_told);
	assert_string_equal(read.client.id, "id");
	assert_true(oauth_token_is_of(&read, &token.client));
	read.client.id[0] = 'x';
	assert_false(oauth_token_is_of(&read, &token.client));
	oauth_token_finish(&read);
	oauth_token_finish(&token);
	buf_finish_secret(&text);
}

static void a_file_that_makes_no_sense_is_a_sign_in_lost(void **state)
{
	static const char *const texts[] = {"",    "{", "{}", "[]", "{\"access_token\":\"a\"}",
					    "\xff"};
	struct err err;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct oauth_token token;
		oauth_token_init(&token);
		assert_int_equal(oauth_token_read(&token, span_of(texts[i]), &err), -ERR_LOGIN);
		oauth_token_finish(&token);
	}
}

static void what_was_asked_for_and_not_granted_is_told(void **state)
{
	static const struct {
		const char *granted, *asked, *missing;
	} cases[] = {
		{"\"a b\"", "a b", ""},   {"\"a\"", "a b offline_access", "b"},
		{"\"ab\"", "a b", "a b"}, {"null", "a b", ""}, /* not told: as asked */
		{"\"\"", "a", "a"},
	};
	struct err err;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct oauth_token token;
		struct buf missing;
		char reply[128];
		oauth_token_init(&token);
		buf_init(&missing, 128);
		snprintf(reply, sizeof(reply), "{" REPLY ",\"scope\":%s}", cases[i].granted);
		assert_int_equal(take(&token, reply, &err), 0);
		oauth_token_missing(&token, cases[i].asked, &missing);
		assert_string_equal(missing.data, cases[i].missing);
		buf_finish(&missing);
		oauth_token_finish(&token);
	}
}

static void googles_seven_days_are_recognised(void **state)
{
	struct oauth_token token;
	struct oauth_now now = {.real_s = T0 + OAUTH_TESTING_S + 60};

	(void)state;
	oauth_token_init(&token);
	token.granted_s = T0;
	token.received.real_s = T0 + OAUTH_TESTING_S - 60;
	assert_true(oauth_token_ended_in_testing(&token, &now));
	now.real_s = T0 + OAUTH_TESTING_S - 1; /* before */
	assert_false(oauth_token_ended_in_testing(&token, &now));
	now.real_s = T0 + 2 * OAUTH_TESTING_S; /* it was refreshed after the 7 days */
	token.received.real_s = T0 + OAUTH_TESTING_S + 60;
	assert_false(oauth_token_ended_in_testing(&token, &now));
	token = (struct oauth_token){.granted_s = 0}; /* a file that does not tell when */
	assert_false(oauth_token_ended_in_testing(&token, &now));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_reply_is_read_in_all_its_forms),
		cmocka_unit_test(too_much_is_refused),
		cmocka_unit_test(the_refresh_token_before_is_kept_when_another_comes),
		cmocka_unit_test(a_refresh_token_is_taken_whatever_else_a_reply_says),
		cmocka_unit_test(a_file_with_absurd_times_is_read),
		cmocka_unit_test(tokens_of_any_size_go_into_the_file),
		cmocka_unit_test(freshness_goes_by_both_clocks),
		cmocka_unit_test(the_file_is_read_as_it_was_written),
		cmocka_unit_test(a_file_that_makes_no_sense_is_a_sign_in_lost),
		cmocka_unit_test(what_was_asked_for_and_not_granted_is_told),
		cmocka_unit_test(googles_seven_days_are_recognised),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
