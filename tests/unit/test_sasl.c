#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "mailsync/base/buf.h"
#include "mailsync/base/digest.h"
#include "mailsync/base/secret.h"
#include "mailsync/proto/sasl.h"

#define ALL_MECHS (~0u)

/* One exchange with all that it needs. */
struct exchange {
	struct secret secret;
	struct sasl_params params;
	struct sasl *sasl;
	struct buf response;
	struct err err;
};

static void exchange_prepare(struct exchange *ex, const char *user, const char *password)
{
	memset(ex, 0, sizeof(*ex));
	err_clear(&ex->err);
	secret_init(&ex->secret);
	buf_init(&ex->response, 65536);
	assert_int_equal(secret_set(&ex->secret, span_of(password), &ex->err), 0);
	ex->params.user = user;
	ex->params.secret = &ex->secret;
	ex->params.host = "server.example.com";
	ex->params.port = 143;
}

static void exchange_start(struct exchange *ex, enum auth mech)
{
	assert_int_equal(sasl_create(&ex->sasl, mech, &ex->params, &ex->err), 0);
}

static void exchange_finish(struct exchange *ex)
{
	sasl_destroy(&ex->sasl);
	buf_finish_secret(&ex->response);
	secret_finish(&ex->secret);
}

static int step(struct exchange *ex, const char *challenge)
{
	return sasl_step(ex->sasl, span_of(challenge), &ex->response, &ex->err);
}

static void expect_step(struct exchange *ex, const char *challenge, const char *response)
{
	assert_int_equal(step(ex, challenge), 0);
	assert_string_equal(ex->response.data, response);
	assert_int_equal(ex->response.len, strlen(response));
}

static void plain_separates_its_parts_by_nul(void **state)
{
	struct exchange ex;

	(void)state;
	exchange_prepare(&ex, "tim", "tanstaaftanstaaf");
	exchange_start(&ex, AUTH_PLAIN);
	assert_true(sasl_has_initial(ex.sasl));
	assert_int_equal(step(&ex, ""), 0);
	assert_int_equal(ex.response.len, 21);
	assert_memory_equal(ex.response.data, "\0tim\0tanstaaftanstaaf", 21);
	assert_int_equal(sasl_check_done(ex.sasl, &ex.err), 0);
	assert_int_equal(step(&ex, "more"), -ERR_PROTOCOL);
	exchange_finish(&ex);
}

static void a_password_with_nul_is_refused(void **state)
{
	struct exchange ex;

	(void)state;
	exchange_prepare(&ex, "tim", "x");
	assert_int_equal(secret_set(&ex.secret, SPAN_LIT("a\0b"), &ex.err), 0);
	assert_int_equal(sasl_create(&ex.sasl, AUTH_PLAIN, &ex.params, &ex.err), -ERR_LOGIN);
	assert_null(ex.sasl);
	exchange_finish(&ex);
}

static void a_missing_user_or_password_is_refused(void **state)
{
	struct exchange ex;

	(void)state;
	exchange_prepare(&ex, NULL, "x");
	assert_int_equal(sasl_create(&ex.sasl, AUTH_CRAM_MD5, &ex.params, &ex.err), -ERR_LOGIN);
	ex.params.user = "tim";
	ex.params.secret = NULL;
	assert_int_equal(sasl_create(&ex.sasl, AUTH_CRAM_MD5, &ex.params, &ex.err), -ERR_LOGIN);
	exchange_finish(&ex);
}

static void login_answers_user_then_password(void **state)
{
	struct exchange ex;

	(void)state;
	exchange_prepare(&ex, "tim", "secret");
	exchange_start(&ex, AUTH_LOGIN);
	assert_false(sasl_has_initial(ex.sasl));
	expect_step(&ex, "User Name", "tim");
	expect_step(&ex, "", "secret");
	assert_int_equal(step(&ex, "Again:"), -ERR_PROTOCOL);
	exchange_finish(&ex);
}

static void cram_md5_gives_rfc_2195s_digest(void **state)
{
	struct exchange ex;

	(void)state;
	exchange_prepare(&ex, "tim", "tanstaaftanstaaf");
	exchange_start(&ex, AUTH_CRAM_MD5);
	assert_false(sasl_has_initial(ex.sasl));
	expect_step(&ex, "<1896.697170952@postoffice.reston.mci.net>",
		    "tim b913a602c7eda7a495b4e6e7334d3890");
	exchange_finish(&ex);
}

static void cram_md5_refuses_an_empty_and_an_endless_challenge(void **state)
{
	struct exchange ex;
	static char endless[9000];

	(void)state;
	memset(endless, 'x', sizeof(endless) - 1);
	exchange_prepare(&ex, "tim", "tanstaaftanstaaf");
	exchange_start(&ex, AUTH_CRAM_MD5);
	assert_int_equal(step(&ex, ""), -ERR_PROTOCOL);
	assert_int_equal(step(&ex, endless), -ERR_PROTOCOL);
	assert_int_equal(sasl_check_done(ex.sasl, &ex.err), -ERR_PROTOCOL);
	exchange_finish(&ex);
}

static void apop_gives_rfc_1939s_digest(void **state)
{
	struct exchange ex;
	char out[33];

	(void)state;
	exchange_prepare(&ex, "mrose", "tanstaaf");
	assert_int_equal(sasl_apop(SPAN_LIT("+OK POP3 server ready "
					    "<1896.697170952@dbc.mtview.ca.us>\r\n"),
				   &ex.secret, out, &ex.err),
			 0);
	assert_string_equal(out, "c4c9334bac560ecc979e58001b3e22fb");
	exchange_finish(&ex);
}

static void apop_refuses_what_is_no_timestamp(void **state)
{
	static const char *const greetings[] = {
		"",         "+OK ready",      "+OK <unfinished@host", "+OK <no-at>", "+OK <@>",
		"+OK <a@>", "+OK <a b@host>", "+OK <a\x80@host>",     "+OK >x@y<",
	};
	struct exchange ex;
	char out[33] = "untouched";
	size_t i;

	(void)state;
	exchange_prepare(&ex, "mrose", "tanstaaf");
	for (i = 0; i < sizeof(greetings) / sizeof(greetings[0]); i++) {
		assert_int_equal(sasl_apop(span_of(greetings[i]), &ex.secret, out, &ex.err),
				 -ERR_PROTOCOL);
	}
	assert_string_equal(out, "untouched");
	exchange_finish(&ex);
}

#define SHA1_NONCE "fyko+d2lbbFgONRv9qkxdawL"
#define SHA1_FIRST "r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096"
#define SHA1_FINAL \
	"c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts="

static void scram_start(struct exchange *ex)
{
	exchange_prepare(ex, "user", "pencil");
	ex->params.nonce = SPAN_LIT(SHA1_NONCE);
	exchange_start(ex, AUTH_SCRAM_SHA_1);
	expect_step(ex, "", "n,,n=user,r=" SHA1_NONCE);
}

static void scram_sha_1_follows_rfc_5802s_example(void **state)
{
	struct exchange ex;

	(void)state;
	scram_start(&ex);
	expect_step(&ex, SHA1_FIRST, SHA1_FINAL);
	assert_int_equal(sasl_check_done(ex.sasl, &ex.err), -ERR_SERVER);
	expect_step(&ex, "v=rmF9pqV8S7suAoZWja4dJRkFsKQ=", "");
	assert_int_equal(sasl_check_done(ex.sasl, &ex.err), 0);
	assert_int_equal(step(&ex, "v=rmF9pqV8S7suAoZWja4dJRkFsKQ="), -ERR_PROTOCOL);
	exchange_finish(&ex);
}

static void scram_sha_256_follows_rfc_7677s_example(void **state)
{
	struct exchange ex;

	(void)state;
	exchange_prepare(&ex, "user", "pencil");
	ex.params.nonce = SPAN_LIT("rOprNGfwEbeRWgbNEkqO");
	exchange_start(&ex, AUTH_SCRAM_SHA_256);
	expect_step(&ex, "", "n,,n=user,r=rOprNGfwEbeRWgbNEkqO");
	expect_step(&ex,
		    "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
		    "s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
		    "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
		    "p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=");
	expect_step(&ex, "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=", "");
	assert_int_equal(sasl_check_done(ex.sasl, &ex.err), 0);
	exchange_finish(&ex);
}

static void scram_refuses_a_server_without_the_password(void **state)
{
	static const char *const finals[] = {
		"v=rmF9pqV8S7suAoZWja4dJRkFtKQ=", "v=", "v=AAAA", "v=!!!!",
		"v=AAAAAAAAAAAAAAAAAAAAAAAAAAA=",
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(finals) / sizeof(finals[0]); i++) {
		struct exchange ex;

		scram_start(&ex);
		expect_step(&ex, SHA1_FIRST, SHA1_FINAL);
		assert_int_equal(step(&ex, finals[i]), -ERR_SERVER);
		assert_int_equal(sasl_check_done(ex.sasl, &ex.err), -ERR_SERVER);
		exchange_finish(&ex);
	}
}

static void scram_keeps_the_servers_refusal(void **state)
{
	struct exchange ex;

	(void)state;
	scram_start(&ex);
	expect_step(&ex, SHA1_FIRST, SHA1_FINAL);
	assert_string_equal(sasl_error_text(ex.sasl), "");
	expect_step(&ex, "e=invalid-proof", "");
	assert_string_equal(sasl_error_text(ex.sasl), "invalid-proof");
	assert_int_equal(sasl_check_done(ex.sasl, &ex.err), -ERR_SERVER);
	exchange_finish(&ex);
}

static void scram_refuses_a_senseless_first_message(void **state)
{
	static const char *const firsts[] = {
		"",
		"r=",
		"r=" SHA1_NONCE ",s=QSXCR+Q6sek8bf92,i=4096",            /* adds nothing */
		"r=zyko+d2lbbFgONRv9qkxdawL3,s=QSXCR+Q6sek8bf92,i=4096", /* not ours */
		"r=fyko,s=QSXCR+Q6sek8bf92,i=4096",
		"r=" SHA1_NONCE "3,s=,i=4096",
		"r=" SHA1_NONCE "3,s=*,i=4096",
		"r=" SHA1_NONCE "3,s=QSXCR+Q6sek8bf92,i=0",
		"r=" SHA1_NONCE "3,s=QSXCR+Q6sek8bf92,i=-1",
		"r=" SHA1_NONCE "3,s=QSXCR+Q6sek8bf92,i=10000001",
		"r=" SHA1_NONCE "3,s=QSXCR+Q6sek8bf92,i=99999999999",
		"r=" SHA1_NONCE "3,s=QSXCR+Q6sek8bf92",
		"m=x,r=" SHA1_NONCE "3,s=QSXCR+Q6sek8bf92,i=4096",
		"s=QSXCR+Q6sek8bf92,r=" SHA1_NONCE "3,i=4096",
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(firsts) / sizeof(firsts[0]); i++) {
		struct exchange ex;

		scram_start(&ex);
		assert_int_equal(step(&ex, firsts[i]), -ERR_PROTOCOL);
		assert_int_equal(ex.response.len, 0);
		exchange_finish(&ex);
	}
}

static void scram_escapes_the_user_name(void **state)
{
	struct exchange ex;

	(void)state;
	exchange_prepare(&ex, "a=b,c", "pencil");
	ex.params.nonce = SPAN_LIT(SHA1_NONCE);
	exchange_start(&ex, AUTH_SCRAM_SHA_1);
	expect_step(&ex, "", "n,,n=a=3Db=2Cc,r=" SHA1_NONCE);
	exchange_finish(&ex);
}

static void scram_plus_carries_the_channel_binding(void **state)
{
	struct exchange ex;

	(void)state;
	exchange_prepare(&ex, "user", "pencil");
	ex.params.nonce = SPAN_LIT(SHA1_NONCE);
	ex.params.binding = SPAN_LIT("bind");
	ex.params.binding_name = "tls-server-end-point";
	exchange_start(&ex, AUTH_SCRAM_SHA_1_PLUS);
	expect_step(&ex, "", "p=tls-server-end-point,,n=user,r=" SHA1_NONCE);
	assert_int_equal(step(&ex, SHA1_FIRST), 0);
	/* base64("p=tls-server-end-point,,bind") */
	assert_memory_equal(ex.response.data, "c=cD10bHMtc2VydmVyLWVuZC1wb2ludCwsYmluZA==,r=", 44);
	exchange_finish(&ex);
}

static void scram_tells_that_plus_was_not_offered(void **state)
{
	struct exchange ex;

	(void)state;
	exchange_prepare(&ex, "user", "pencil");
	ex.params.nonce = SPAN_LIT(SHA1_NONCE);
	ex.params.binding = SPAN_LIT("bind");
	exchange_start(&ex, AUTH_SCRAM_SHA_1);
	expect_step(&ex, "", "y,,n=user,r=" SHA1_NONCE);
	assert_int_equal(step(&ex, SHA1_FIRST), 0);
	assert_memory_equal(ex.response.data, "c=eSws,r=", 9);
	exchange_finish(&ex);
}

static void oauthbearer_follows_rfc_7628s_example(void **state)
{
	struct exchange ex;

	(void)state;
	exchange_prepare(&ex, "user@example.com", "vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==");
	exchange_start(&ex, AUTH_OAUTHBEARER);
	expect_step(&ex, "",
		    "n,a=user@example.com,\1host=server.example.com\1port=143\1"
		    "auth=Bearer vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==\1\1");
	expect_step(&ex, "{\"status\":\"invalid_token\"}", "\1");
	assert_string_equal(sasl_error_text(ex.sasl), "{\"status\":\"invalid_token\"}");
	assert_int_equal(step(&ex, "more"), -ERR_PROTOCOL);
	exchange_finish(&ex);
}

static void xoauth2_answers_the_error_challenge_with_nothing(void **state)
{
	struct exchange ex;

	(void)state;
	exchange_prepare(&ex, "someuser@example.com",
			 "ya29.vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg");
	exchange_start(&ex, AUTH_XOAUTH2);
	expect_step(&ex, "",
		    "user=someuser@example.com\1auth=Bearer "
		    "ya29.vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg\1\1");
	expect_step(&ex, "{\"status\":\"401\"}", "");
	assert_string_equal(sasl_error_text(ex.sasl), "{\"status\":\"401\"}");
	exchange_finish(&ex);
}

static void a_token_with_the_separator_is_refused(void **state)
{
	struct exchange ex;

	(void)state;
	exchange_prepare(&ex, "user", "tok\1en");
	assert_int_equal(sasl_create(&ex.sasl, AUTH_XOAUTH2, &ex.params, &ex.err), -ERR_LOGIN);
	exchange_finish(&ex);
}

static void external_needs_neither_user_nor_password(void **state)
{
	struct exchange ex;

	(void)state;
	exchange_prepare(&ex, NULL, "");
	ex.params.secret = NULL;
	exchange_start(&ex, AUTH_EXTERNAL);
	expect_step(&ex, "", "");
	exchange_finish(&ex);
	exchange_prepare(&ex, "tim", "");
	exchange_start(&ex, AUTH_EXTERNAL);
	expect_step(&ex, "", "tim");
	exchange_finish(&ex);
}

static void auto_takes_the_strongest_first(void **state)
{
	static const enum auth order[] = {
		AUTH_SCRAM_SHA_256_PLUS,
		AUTH_SCRAM_SHA_1_PLUS,
		AUTH_SCRAM_SHA_256,
		AUTH_SCRAM_SHA_1,
		AUTH_CRAM_MD5,
		AUTH_PLAIN,
		AUTH_LOGIN,
		AUTH_COMMAND,
		AUTH_APOP,
		AUTH_NONE,
	};
	struct sasl_offer offer = {ALL_MECHS, true, true, false};
	unsigned tried = 0;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
		assert_int_equal(sasl_choose(AUTH_AUTO, &offer, tried), order[i]);
		tried |= AUTH_BIT(order[i]);
	}
}

static void auto_takes_for_a_token_what_takes_one(void **state)
{
	struct sasl_offer offer = {ALL_MECHS, true, true, true};

	(void)state;
	assert_int_equal(sasl_choose(AUTH_AUTO, &offer, 0), AUTH_OAUTHBEARER);
	assert_int_equal(sasl_choose(AUTH_AUTO, &offer, AUTH_BIT(AUTH_OAUTHBEARER)), AUTH_XOAUTH2);
	assert_int_equal(
		sasl_choose(AUTH_AUTO, &offer, AUTH_BIT(AUTH_OAUTHBEARER) | AUTH_BIT(AUTH_XOAUTH2)),
		AUTH_NONE);
}

static void auto_sends_no_password_in_the_clear(void **state)
{
	struct sasl_offer offer = {AUTH_BIT(AUTH_PLAIN) | AUTH_BIT(AUTH_LOGIN) |
					   AUTH_BIT(AUTH_COMMAND),
				   false, false, false};

	(void)state;
	assert_int_equal(sasl_choose(AUTH_AUTO, &offer, 0), AUTH_NONE);
	assert_int_equal(sasl_choose(AUTH_PLAIN, &offer, 0), AUTH_NONE);
	offer.mechs |=
		AUTH_BIT(AUTH_APOP) | AUTH_BIT(AUTH_CRAM_MD5) | AUTH_BIT(AUTH_SCRAM_SHA_1_PLUS);
	assert_int_equal(sasl_choose(AUTH_AUTO, &offer, 0), AUTH_CRAM_MD5);
	assert_int_equal(sasl_choose(AUTH_AUTO, &offer, AUTH_BIT(AUTH_CRAM_MD5)), AUTH_APOP);
	offer.mechs = AUTH_BIT(AUTH_XOAUTH2);
	assert_int_equal(sasl_choose(AUTH_XOAUTH2, &offer, 0), AUTH_NONE);
}

static void an_asked_for_mechanism_falls_to_no_other(void **state)
{
	struct sasl_offer offer = {ALL_MECHS & ~AUTH_BIT(AUTH_PLAIN), true, true, false};

	(void)state;
	assert_int_equal(sasl_choose(AUTH_PLAIN, &offer, 0), AUTH_NONE);
	assert_int_equal(sasl_choose(AUTH_XOAUTH2, &offer, 0), AUTH_XOAUTH2);
	assert_int_equal(sasl_choose(AUTH_EXTERNAL, &offer, 0), AUTH_EXTERNAL);
	assert_int_equal(sasl_choose(AUTH_APOP, &offer, 0), AUTH_APOP);
	assert_int_equal(sasl_choose(AUTH_SCRAM_SHA_256, &offer, 0), AUTH_SCRAM_SHA_256_PLUS);
	assert_int_equal(sasl_choose(AUTH_SCRAM_SHA_256, &offer, AUTH_BIT(AUTH_SCRAM_SHA_256_PLUS)),
			 AUTH_SCRAM_SHA_256);
	assert_int_equal(sasl_choose(AUTH_LOGIN, &offer, 0), AUTH_LOGIN);
	assert_int_equal(sasl_choose(AUTH_LOGIN, &offer, AUTH_BIT(AUTH_LOGIN)), AUTH_COMMAND);
}

static void names_are_found_without_case(void **state)
{
	(void)state;
	assert_int_equal(sasl_by_name(SPAN_LIT("scram-sha-256")), AUTH_SCRAM_SHA_256);
	assert_int_equal(sasl_by_name(SPAN_LIT("SCRAM-SHA-1-PLUS")), AUTH_SCRAM_SHA_1_PLUS);
	assert_int_equal(sasl_by_name(SPAN_LIT("GSSAPI")), AUTH_NONE);
	assert_int_equal(sasl_by_name(SPAN_LIT("")), AUTH_NONE);
	assert_string_equal(sasl_name(AUTH_CRAM_MD5), "CRAM-MD5");
}

/* What the table of base/auth.h promises to those who read it. */
static void each_row_has_a_name_and_a_word_that_asks_for_it(void **state)
{
	(void)state;
	for (enum auth mech = AUTH_NONE + 1; mech < AUTH_COUNT; mech++) {
		const struct auth_row *row = auth_row(mech);
		const struct auth_row *asked = auth_row(row->asked_as);
		assert_true(row->name[0] != '\0');
		assert_non_null(asked->word);
		assert_int_equal(asked->asked_as, row->asked_as);
		assert_true((row->word == NULL) == (row->asked_as != mech));
		for (enum auth other = mech + 1; other < AUTH_COUNT; other++) {
			assert_string_not_equal(row->name, auth_row(other)->name);
			assert_false(row->word != NULL && auth_row(other)->word != NULL &&
				     strcmp(row->word, auth_row(other)->word) == 0);
		}
	}
	assert_string_equal(auth_row(AUTH_AUTO)->word, "auto");
}

static void each_exchange_is_found_by_its_name_and_can_begin(void **state)
{
	unsigned found = 0;

	(void)state;
	for (enum auth mech = AUTH_NONE + 1; mech < AUTH_COUNT; mech++) {
		struct exchange ex;
		if (sasl_by_name(span_of(sasl_name(mech))) != mech) {
			continue;
		}
		found |= AUTH_BIT(mech);
		exchange_prepare(&ex, "user", "pencil");
		ex.params.nonce = SPAN_LIT(SHA1_NONCE);
		ex.params.binding = SPAN_LIT("bind");
		ex.params.binding_name = "tls-server-end-point";
		exchange_start(&ex, mech);
		assert_int_equal(step(&ex, sasl_has_initial(ex.sasl) ? "" : "challenge"), 0);
		assert_true(ex.response.len > 0);
		exchange_finish(&ex);
	}
	unsigned others = AUTH_BIT(AUTH_NONE) | AUTH_BIT(AUTH_COMMAND) | AUTH_BIT(AUTH_APOP) |
			  AUTH_BIT(AUTH_GSSAPI) | AUTH_BIT(AUTH_NTLM);
	assert_int_equal(found, (AUTH_BIT(AUTH_COUNT) - 1) & ~others);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain_separates_its_parts_by_nul),
		cmocka_unit_test(a_password_with_nul_is_refused),
		cmocka_unit_test(a_missing_user_or_password_is_refused),
		cmocka_unit_test(login_answers_user_then_password),
		cmocka_unit_test(cram_md5_gives_rfc_2195s_digest),
		cmocka_unit_test(cram_md5_refuses_an_empty_and_an_endless_challenge),
		cmocka_unit_test(apop_gives_rfc_1939s_digest),
		cmocka_unit_test(apop_refuses_what_is_no_timestamp),
		cmocka_unit_test(scram_sha_1_follows_rfc_5802s_example),
		cmocka_unit_test(scram_sha_256_follows_rfc_7677s_example),
		cmocka_unit_test(scram_refuses_a_server_without_the_password),
		cmocka_unit_test(scram_keeps_the_servers_refusal),
		cmocka_unit_test(scram_refuses_a_senseless_first_message),
		cmocka_unit_test(scram_escapes_the_user_name),
		cmocka_unit_test(scram_plus_carries_the_channel_binding),
		cmocka_unit_test(scram_tells_that_plus_was_not_offered),
		cmocka_unit_test(oauthbearer_follows_rfc_7628s_example),
		cmocka_unit_test(xoauth2_answers_the_error_challenge_with_nothing),
		cmocka_unit_test(a_token_with_the_separator_is_refused),
		cmocka_unit_test(external_needs_neither_user_nor_password),
		cmocka_unit_test(auto_takes_the_strongest_first),
		cmocka_unit_test(auto_takes_for_a_token_what_takes_one),
		cmocka_unit_test(auto_sends_no_password_in_the_clear),
		cmocka_unit_test(an_asked_for_mechanism_falls_to_no_other),
		cmocka_unit_test(names_are_found_without_case),
		cmocka_unit_test(each_row_has_a_name_and_a_word_that_asks_for_it),
		cmocka_unit_test(each_exchange_is_found_by_its_name_and_can_begin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
