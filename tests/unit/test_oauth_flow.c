#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "mailsync/oauth/flow.h"

struct scene {
	struct oauth_client client;
	struct oauth_flow flow;
};

static const struct oauth_settings settings = {
	.account = "work",
	.oauth = "custom",
	.client_id = "my id",
	.scope = "mail send",
	.auth_url = "https://example.org/authorize?tenant=1",
	.token_url = "https://example.org/token",
};

static void scene_init(struct scene *scene)
{
	uint8_t random[64];
	struct err err;

	for (size_t i = 0; i < sizeof(random); i++) {
		random[i] = (uint8_t)(i * 7);
	}
	oauth_client_init(&scene->client);
	assert_int_equal(oauth_client_resolve(&scene->client, &settings, &err), 0);
	assert_int_equal(oauth_flow_init(&scene->flow, random, "http://127.0.0.1:9/", &err), 0);
}

static void scene_finish(struct scene *scene)
{
	oauth_flow_finish(&scene->flow);
	oauth_client_finish(&scene->client);
}

/* RFC 7636, appendix B. */
static void the_challenge_is_that_of_rfc_7636(void **state)
{
	struct scene scene;
	struct buf url;
	struct err err;

	(void)state;
	scene_init(&scene);
	buf_init(&url, 4096);
	memcpy(scene.flow.verifier, "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", OAUTH_WORD_SIZE);
	assert_int_equal(
		oauth_flow_write_url(&scene.flow, &scene.client, "me@example.org", &url, &err), 0);
	assert_non_null(strstr(url.data,
			       "&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
			       "&code_challenge_method=S256"));
	assert_non_null(strstr(url.data, "https://example.org/authorize?tenant=1&response_type=code"
					 "&client_id=my%20id"
					 "&redirect_uri=http%3A%2F%2F127.0.0.1%3A9%2F"
					 "&scope=mail%20send&state="));
	assert_non_null(strstr(url.data, "&login_hint=me%40example.org"));
	assert_null(strstr(url.data, scene.flow.verifier));
	buf_finish(&url);
	scene_finish(&scene);
}

/* Reads FORMAT with the flow's state in place of %s. */
static enum oauth_answer answer_to(struct scene *scene, const char *format, struct secret *code,
				   struct err *err)
{
	char query[512];

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	snprintf(query, sizeof(query), format, scene->flow.state);
#pragma GCC diagnostic pop
	return oauth_flow_read(&scene->flow, &scene->client, span_of(query), code, err);
}

static void only_the_answer_to_this_flow_is_one(void **state)
{
	static const struct {
		const char *format;
		enum oauth_answer answer;
	} cases[] = {
		{"state=%s&code=abc", OAUTH_ANSWER_CODE},
		{"code=a%%2Fb+c&state=%s&scope=x", OAUTH_ANSWER_CODE},
		{"state=%s&error=access_denied", OAUTH_ANSWER_REFUSED},
		{"state=%s&error=access_denied&code=abc", OAUTH_ANSWER_REFUSED},
		{"state=%s", OAUTH_ANSWER_STRAY},
		{"state=%s&code=", OAUTH_ANSWER_STRAY},
		{"state=%sx&code=abc", OAUTH_ANSWER_STRAY},
		{"code=abc&x=%s", OAUTH_ANSWER_STRAY},
		{"error=access_denied&x=%s", OAUTH_ANSWER_STRAY},
		{"state=%s&code=abc&code=abd", OAUTH_ANSWER_STRAY},
		{"state=%s&code=abc&state=x", OAUTH_ANSWER_STRAY},
		{"state=%s&error=x&error_description=AADSTS65004%%3a+declined%%0d%%0aTrace",
		 OAUTH_ANSWER_REFUSED},
		{"state=%s&error=a%%0Ab", OAUTH_ANSWER_STRAY},
		{"state=%s&code=a%%00b", OAUTH_ANSWER_STRAY},
		{"state=%s&code=a%%0Ab", OAUTH_ANSWER_STRAY},
		{"state=%s&code=a%%zz", OAUTH_ANSWER_STRAY},
		{"state=%s&code=a%%2", OAUTH_ANSWER_STRAY},
	};
	struct secret code;
	struct scene scene;
	struct err err;

	(void)state;
	scene_init(&scene);
	secret_init(&code);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		enum oauth_answer answer = answer_to(&scene, cases[i].format, &code, &err);
		if (answer != cases[i].answer) {
			fail_msg("%s: %d, expected %d", cases[i].format, (int)answer,
				 (int)cases[i].answer);
		}
	}
	assert_int_equal(answer_to(&scene, cases[1].format, &code, &err), OAUTH_ANSWER_CODE);
	assert_string_equal(code.data, "a/b c");
	secret_finish(&code);
	scene_finish(&scene);
}

static void another_issuer_in_the_answer_ends_the_flow(void **state)
{
	struct secret code;
	struct scene scene;
	struct err err;

	(void)state;
	scene_init(&scene);
	secret_init(&code);
	scene.client.issuer = strdup("https://example.org");
	assert_int_equal(
		answer_to(&scene, "state=%s&code=a&iss=https%%3A%%2F%%2Fexample.org", &code, &err),
		OAUTH_ANSWER_CODE);
	assert_int_equal(
		answer_to(&scene, "state=%s&code=a&iss=https%%3A%%2F%%2Fevil.org", &code, &err),
		OAUTH_ANSWER_REFUSED);
	assert_int_equal(err.code, ERR_SERVER);
	assert_int_equal(answer_to(&scene, "state=%s&code=a&iss=https%%3A%%2F%%2Fexample.org%%2F",
				   &code, &err),
			 OAUTH_ANSWER_CODE);
	assert_int_equal(answer_to(&scene, "state=%s&code=a&iss=", &code, &err),
			 OAUTH_ANSWER_REFUSED);
	assert_int_equal(answer_to(&scene, "state=%s&code=a", &code, &err), OAUTH_ANSWER_CODE);
	scene.client.sends_iss = true;
	assert_int_equal(answer_to(&scene, "state=%s&code=a", &code, &err), OAUTH_ANSWER_REFUSED);
	secret_finish(&code);
	scene_finish(&scene);
}

static void a_pasted_address_gives_its_query(void **state)
{
	static const char *const cases[][2] = {
		{"http://127.0.0.1:9/?code=a&state=b\r\n", "code=a&state=b"},
		{"  code=a&state=b ", "code=a&state=b"},
		{"?code=a", "code=a"},
		{"http://localhost:9/?code=a#frag", "code=a"},
		{"<http://127.0.0.1:9/?code=a&state=b>", "code=a&state=b"},
		{"  \"http://127.0.0.1:9/?code=a&state=b\" \n", "code=a&state=b"},
		{"'?code=a&state=b'", "code=a&state=b"},
		{"(< \"code=a&state=b\" >)", "code=a&state=b"},
		{"[http://[::1]:9/?code=a&state=b]", "code=a&state=b"},
		{"“http://localhost/?code=a&state=b”", "code=a&state=b"},
		{"http://localhost/?code=a&state=b>", "code=a&state=b>"}, /* it may be of it */
		{"<>", ""},
		{"\"", "\""},
		{" \t\n", ""},
		{"", ""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_true(span_equal_cstr(oauth_query_of(span_of(cases[i][0])), cases[i][1]));
	}
}

static void a_secret_goes_into_the_body_or_a_header(void **state)
{
	struct secret refresh;
	struct scene scene;
	struct buf body, header;
	struct err err;

	(void)state;
	scene_init(&scene);
	buf_init(&body, 4096);
	buf_init(&header, 4096);
	secret_init(&refresh);
	assert_int_equal(secret_set(&refresh, SPAN_LIT("r&r"), &err), 0);
	assert_int_equal(oauth_write_refresh(&scene.client, &refresh, &body, &err), 0);
	assert_string_equal(body.data,
			    "grant_type=refresh_token&refresh_token=r%26r&client_id=my%20id");
	assert_int_equal(secret_set(&scene.client.secret, SPAN_LIT("s:s"), &err), 0);
	buf_clear(&body);
	assert_int_equal(oauth_write_refresh(&scene.client, &refresh, &body, &err), 0);
	assert_non_null(strstr(body.data, "&client_id=my%20id&client_secret=s%3As"));
	assert_int_equal(oauth_write_basic(&scene.client, &header, &err), 0);
	assert_int_equal(header.len, 0);
	scene.client.wants_basic = true;
	buf_clear(&body);
	assert_int_equal(oauth_write_refresh(&scene.client, &refresh, &body, &err), 0);
	assert_null(strstr(body.data, "client"));
	assert_int_equal(oauth_write_basic(&scene.client, &header, &err), 0);
	assert_string_equal(header.data, "Basic bXklMjBpZDpzJTNBcw==");
	secret_finish(&refresh);
	buf_finish(&header);
	buf_finish(&body);
	scene_finish(&scene);
}

/* --- refusals --- */

static void each_refusal_says_what_to_do(void **state)
{
	static const struct {
		long status;
		const char *text;
		enum oauth_refusal refusal;
		enum err_code code;
		const char *words;
	} cases[] = {
		{400, "{\"error\":\"invalid_grant\"}", OAUTH_REFUSED_GRANT, ERR_LOGIN,
		 "run `mailsync login work`"},
		{400, "{\"error\":\"authorization_pending\"}", OAUTH_REFUSED_PENDING, ERR_SERVER,
		 ""},
		{400, "{\"error\":\"slow_down\"}", OAUTH_REFUSED_SLOWLY, ERR_TEMPORARY, ""},
		{429, "{\"error\":\"slow_down\"}", OAUTH_REFUSED_SLOWLY, ERR_TEMPORARY, ""},
		{400, "{\"error\":\"access_denied\"}", OAUTH_REFUSED, ERR_LOGIN, "consent"},
		{400, "{\"error\":\"expired_token\"}", OAUTH_REFUSED, ERR_LOGIN, "time"},
		{401, "{\"error\":\"invalid_client\"}", OAUTH_REFUSED, ERR_CONFIG,
		 "`oauth_client_id`"},
		{400, "{\"error\":\"unauthorized_client\"}", OAUTH_REFUSED, ERR_CONFIG,
		 "registration"},
		{400, "{\"error\":\"invalid_scope\"}", OAUTH_REFUSED, ERR_CONFIG, "`oauth_scope`"},
		{400, "{\"error\":\"temporarily_unavailable\"}", OAUTH_REFUSED, ERR_TEMPORARY, ""},
		{400, "{\"error\":\"brand_new\"}", OAUTH_REFUSED, ERR_SERVER, "brand_new"},
		{503, "", OAUTH_REFUSED, ERR_TEMPORARY, "503"},
		{408, "", OAUTH_REFUSED, ERR_TEMPORARY, "408"},
		{425, "{\"error\":\"invalid_grant\"}", OAUTH_REFUSED, ERR_TEMPORARY, "425"},
		{500, "{\"error\":\"invalid_grant\"}", OAUTH_REFUSED, ERR_TEMPORARY, "500"},
		{599, "", OAUTH_REFUSED, ERR_TEMPORARY, "599"},
		{429, "<html>", OAUTH_REFUSED, ERR_TEMPORARY, "7 s"},
		{302, "", OAUTH_REFUSED, ERR_SERVER, "elsewhere"},
		{400, "<html>", OAUTH_REFUSED, ERR_PROTOCOL, "400"},
		{400, "{\"error\":17}", OAUTH_REFUSED, ERR_PROTOCOL, "400"},
		{400, "{\"error\":\"invalid_grant\",\"error_description\":\"\xfc\"}",
		 OAUTH_REFUSED_GRANT, ERR_LOGIN, "holds no longer"},
	};
	struct scene scene;
	struct err err;

	(void)state;
	scene_init(&scene);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct oauth_reply reply = {cases[i].status, span_of(cases[i].text), 7};
		enum oauth_refusal refusal = oauth_refusal_read(&scene.client, &reply, NULL, &err);
		if (refusal != cases[i].refusal || err.code != cases[i].code ||
		    !strstr(err.text, cases[i].words)) {
			fail_msg("%ld %s: %d %d %s", cases[i].status, cases[i].text, (int)refusal,
				 (int)err.code, err.text);
		}
	}
	scene_finish(&scene);
}

static void each_number_of_microsofts_has_a_sentence(void **state)
{
	static const struct {
		const char *number;
		enum err_code code;
		const char *words;
	} cases[] = {
		{"50011", ERR_CONFIG, "redirect"},
		{"50034", ERR_LOGIN, "user"},
		{"50076", ERR_LOGIN, "second factor"},
		{"50079", ERR_LOGIN, "second factor"},
		{"50126", ERR_LOGIN, "password"},
		{"53003", ERR_LOGIN, "Conditional Access"},
		{"65001", ERR_LOGIN, "consented"},
		{"70008", ERR_LOGIN, "90 days"},
		{"700082", ERR_LOGIN, "90 days"},
		{"700016", ERR_CONFIG, "`oauth_tenant`"},
		{"7000112", ERR_CONFIG, "disabled"},
		{"700025", ERR_CONFIG, "leave out"},
		{"7000218", ERR_CONFIG, "public client flows"},
		{"90094", ERR_LOGIN, "administrator"},
		{"500011", ERR_CONFIG, "`oauth_scope`"},
		{"70002: Error validating credentials. AADSTS70008", ERR_LOGIN, "90 days"},
		{"700082: expired.\\r\\nTrace ID: 0", ERR_LOGIN, "90 days"},
		{"1", ERR_LOGIN, "holds no longer"},
	};
	struct scene scene;
	char text[256];
	struct err err;

	(void)state;
	scene_init(&scene);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(text, sizeof(text),
			 "{\"error\":\"invalid_grant\",\"error_description\":\"AADSTS%s: words\"}",
			 cases[i].number);
		struct oauth_reply reply = {400, span_of(text), 0};
		enum oauth_refusal refusal = oauth_refusal_read(&scene.client, &reply, NULL, &err);
		if (refusal != OAUTH_REFUSED_GRANT || err.code != cases[i].code ||
		    !strstr(err.text, cases[i].words)) {
			fail_msg("%s: %d %d %s", text, (int)refusal, (int)err.code, err.text);
		}
	}
	scene_finish(&scene);
}

static void an_error_is_one_with_any_status(void **state)
{
	(void)state;
	assert_true(oauth_reply_is_error(SPAN_LIT("{\"error\":\"authorization_pending\"}")));
	assert_false(oauth_reply_is_error(SPAN_LIT("{\"access_token\":\"a\",\"error\":\"\"}")));
	assert_false(oauth_reply_is_error(SPAN_LIT("{}")));
	assert_false(oauth_reply_is_error(SPAN_LIT("<html>")));
}

static void a_registered_client_that_is_forgotten_signs_in_again(void **state)
{
	struct oauth_reply reply = {401, SPAN_LIT("{\"error\":\"invalid_client\"}"), 0};
	struct scene scene;
	struct err err;

	(void)state;
	scene_init(&scene);
	scene.client.is_registered = true;
	assert_int_equal(oauth_refusal_read(&scene.client, &reply, NULL, &err), OAUTH_REFUSED);
	assert_int_equal(err.code, ERR_LOGIN);
	assert_non_null(strstr(err.text, "run `mailsync login work`"));
	scene_finish(&scene);
}

static void a_refusal_repeats_no_secret(void **state)
{
	static const char text[] = "{\"error\":\"invalid_grant\",\"error_description\":"
				   "\"no such token: 1//0refresh-token-of-mine\"}";
	struct oauth_reply reply = {400, span_of(text), 0};
	struct scene scene;
	struct blot blot;
	struct err err;

	(void)state;
	scene_init(&scene);
	blot_init(&blot);
	assert_int_equal(blot_add(&blot, SPAN_LIT("1//0refresh-token-of-mine"), &err), 0);
	(void)oauth_refusal_read(&scene.client, &reply, &blot, &err);
	assert_null(strstr(err.text, "refresh-token-of-mine"));
	blot_finish(&blot);
	scene_finish(&scene);
}

/* --- the device flow --- */

#define CODES "{\"device_code\":\"d\",\"user_code\":\"u\""

static void a_device_reply_needs_codes_and_an_address(void **state)
{
	static const struct {
		const char *text;
		int code;
		int interval_s;
	} cases[] = {
		{CODES ",\"verification_uri\":\"https://x.org/\"}", 0, 5},
		{CODES ",\"verification_url\":\"https://x.org/\","
		       "\"interval\":\"9\",\"expires_in\":\"60\"}",
		 0, 9},
		{CODES ",\"verification_uri\":\"http://x.org/\"}", -ERR_PROTOCOL, 0},
		{"{\"user_code\":\"u\",\"verification_uri\":\"https://x.org/\"}", -ERR_PROTOCOL, 0},
		{"{\"device_code\":\"d\",\"user_code\":\"u\\n\",\"verification_uri\":"
		 "\"https://x.org/\"}",
		 -ERR_PROTOCOL, 0},
		{"{\"device_code\":\"\",\"user_code\":\"u\",\"verification_uri\":"
		 "\"https://x.org/\"}",
		 -ERR_PROTOCOL, 0},
		{"{\"device_code\":\"d\",\"user_code\":\"\",\"verification_uri\":"
		 "\"https://x.org/\"}",
		 -ERR_PROTOCOL, 0},
		{"{\"device_code\":\"d\",\"user_code\":\"\\u009b2J\",\"verification_uri\":"
		 "\"https://x.org/\"}",
		 -ERR_PROTOCOL, 0},
		{"nonsense", -ERR_PROTOCOL, 0},
	};
	struct err err;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct oauth_device device;
		oauth_device_init(&device);
		assert_int_equal(oauth_device_read(&device, span_of(cases[i].text), &err),
				 cases[i].code);
		assert_int_equal(device.interval_s, cases[i].interval_s);
		oauth_device_finish(&device);
	}
}

/* --- what a mail server says --- */

static void a_challenge_tells_status_and_scope(void **state)
{
	struct oauth_challenge challenge;

	(void)state;
	assert_true(oauth_challenge_read(
		SPAN_LIT("{\"status\":\"401\",\"schemes\":\"bearer\",\"scope\":\"mail\"}"),
		&challenge));
	assert_int_equal(challenge.status, 401);
	assert_string_equal(challenge.scope, "mail");
	assert_true(oauth_challenge_read(SPAN_LIT("{\"status\":400}"), &challenge));
	assert_int_equal(challenge.status, 400);
	assert_string_equal(challenge.scope, "");
	assert_true(oauth_challenge_read(SPAN_LIT("{\"status\":\"-1\",\"scope\":[]}"), &challenge));
	assert_int_equal(challenge.status, 0);
	assert_false(oauth_challenge_read(SPAN_LIT("no"), &challenge));
	assert_false(oauth_challenge_read(SPAN_LIT(""), &challenge));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_challenge_is_that_of_rfc_7636),
		cmocka_unit_test(only_the_answer_to_this_flow_is_one),
		cmocka_unit_test(another_issuer_in_the_answer_ends_the_flow),
		cmocka_unit_test(a_pasted_address_gives_its_query),
		cmocka_unit_test(a_secret_goes_into_the_body_or_a_header),
		cmocka_unit_test(each_refusal_says_what_to_do),
		cmocka_unit_test(each_number_of_microsofts_has_a_sentence),
		cmocka_unit_test(an_error_is_one_with_any_status),
		cmocka_unit_test(a_registered_client_that_is_forgotten_signs_in_again),
		cmocka_unit_test(a_refusal_repeats_no_secret),
		cmocka_unit_test(a_device_reply_needs_codes_and_an_address),
		cmocka_unit_test(a_challenge_tells_status_and_scope),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
