#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "mailsync/base/url.h"
#include "mailsync/oauth/client.h"
#include "preset.h"

static const struct oauth_settings custom = {
	.account = "work",
	.oauth = "custom",
	.user = "me@example.org",
	.client_id = "id",
	.auth_url = "https://auth.example.org/authorize",
	.token_url = "https://auth.example.org/token",
};

static struct oauth_client resolved(const struct oauth_settings *settings)
{
	struct oauth_client client;
	struct err err;

	oauth_client_init(&client);
	if (oauth_client_resolve(&client, settings, &err) < 0) {
		fail_msg("%s", err.text);
	}
	return client;
}

static void each_preset_is_whole(void **state)
{
	(void)state;
	for (size_t i = 0; i < PRESET_COUNT; i++) {
		const struct oauth_preset *preset = oauth_preset((enum oauth_preset_id)i);
		assert_non_null(preset->name);
		assert_non_null(preset->redirect);
		assert_non_null(preset->get_client);
		if (i != PRESET_CUSTOM) {
			assert_true(url_is_safe(span_of(preset->auth_url)));
			assert_true(url_is_safe(span_of(preset->token_url)));
			assert_non_null(preset->scope);
		}
	}
	assert_ptr_equal(oauth_preset_find("google"), oauth_preset(PRESET_GOOGLE));
	assert_null(oauth_preset_find("gogle"));
}

static void a_tenant_goes_into_microsofts_addresses(void **state)
{
	struct oauth_settings settings = custom;

	(void)state;
	settings.oauth = "microsoft";
	settings.tenant = "example.org/x";
	settings.auth_url = settings.token_url = NULL;
	struct oauth_client client = resolved(&settings);
	assert_string_equal(client.token_url,
			    "https://login.microsoftonline.com/example.org%2Fx/oauth2/v2.0/token");
	assert_non_null(strstr(client.scope, "IMAP.AccessAsUser.All"));
	assert_non_null(strstr(client.scope, "SMTP.Send"));
	oauth_client_finish(&client);
	settings.is_pop3 = true;
	client = resolved(&settings);
	assert_non_null(strstr(client.scope, "POP.AccessAsUser.All"));
	assert_null(strstr(client.scope, "IMAP."));
	oauth_client_finish(&client);
}

static void a_consent_that_both_protocols_use_covers_both(void **state)
{
	struct oauth_settings settings = custom;

	(void)state;
	settings.oauth = "microsoft";
	settings.is_pop3 = settings.is_shared = true;
	struct oauth_client client = resolved(&settings);
	assert_string_equal(client.scope, "https://outlook.office.com/POP.AccessAsUser.All "
					  "https://outlook.office.com/SMTP.Send offline_access "
					  "https://outlook.office.com/IMAP.AccessAsUser.All");
	assert_true(span_equal_cstr(oauth_client_mail_scope(&client),
				    "https://outlook.office.com/POP.AccessAsUser.All"));
	oauth_client_finish(&client);
	settings.oauth = "google"; /* one scope for all */
	client = resolved(&settings);
	assert_string_equal(client.scope, "https://mail.google.com/");
	oauth_client_finish(&client);
}

static void keys_come_before_a_preset(void **state)
{
	struct oauth_settings settings = custom;

	(void)state;
	settings.oauth = "google";
	settings.scope = "mine";
	struct oauth_client client = resolved(&settings);
	assert_string_equal(client.auth_url, custom.auth_url);
	assert_string_equal(client.scope, "mine");
	assert_string_equal(client.revoke_url, "https://oauth2.googleapis.com/revoke");
	oauth_client_finish(&client);
}

static void a_packagers_client_is_found_by_its_word(void **state)
{
	static const char clients[] = "google=g-id:secret https://auth.example.org/=o-id";

	(void)state;
	assert_true(span_equal_cstr(oauth_packaged_client(clients, "google"), "g-id:secret"));
	assert_true(span_equal_cstr(oauth_packaged_client(clients, "https://auth.example.org/"),
				    "o-id"));
	assert_int_equal(oauth_packaged_client(clients, "microsoft").len, 0);
	assert_int_equal(oauth_packaged_client(clients, "goo").len, 0);
	assert_int_equal(oauth_packaged_client("", "google").len, 0);
}

static void without_a_client_id_it_is_said_where_to_get_one(void **state)
{
	struct oauth_settings settings = custom;
	struct err err;

	(void)state;
	settings.oauth = "google";
	settings.client_id = NULL;
	struct oauth_client client = resolved(&settings);
	assert_int_equal(oauth_client_check_id(&client, &err), -ERR_CONFIG);
	assert_non_null(strstr(err.text, "console.cloud.google.com"));
	oauth_client_finish(&client);
}

/* --- metadata --- */

static void expect_url(const struct oauth_client *client, unsigned attempt, const char *expected)
{
	struct buf url;

	buf_init(&url, 1024);
	assert_int_equal(oauth_client_metadata_url(client, attempt, &url), expected != NULL);
	if (expected) {
		assert_string_equal(url.data, expected);
	}
	buf_finish(&url);
}

static struct oauth_client issuer(const char *address)
{
	struct oauth_settings settings = {.account = "work", .oauth = address, .client_id = "id"};

	return resolved(&settings);
}

static void metadata_lie_where_the_standards_put_them(void **state)
{
	struct oauth_client client = issuer("https://example.org/realms/one/");

	(void)state;
	expect_url(&client, 0,
		   "https://example.org/.well-known/oauth-authorization-server/realms/one");
	expect_url(&client, 1, "https://example.org/.well-known/openid-configuration/realms/one");
	expect_url(&client, 2, "https://example.org/realms/one/.well-known/openid-configuration");
	expect_url(&client, 3, NULL);
	oauth_client_finish(&client);
	client = issuer("https://example.org");
	expect_url(&client, 0, "https://example.org/.well-known/oauth-authorization-server");
	expect_url(&client, 1, "https://example.org/.well-known/openid-configuration");
	expect_url(&client, 2, NULL);
	oauth_client_finish(&client);
}

#define ISSUER "\"issuer\":\"https://example.org\""

static void metadata_are_not_trusted(void **state)
{
	static const struct {
		const char *text;
		int code;
	} cases[] = {
		{"{" ISSUER ",\"token_endpoint\":\"https://example.org/t\"}", 0},
		{"{\"issuer\":\"https://example.org/\"}", 0},
		{"{\"issuer\":\"https://example.org.evil.org\"}", -ERR_SERVER},
		{"{\"issuer\":\"https://other.org\"}", -ERR_SERVER},
		{"{}", -ERR_SERVER},
		{"{" ISSUER ",\"token_endpoint\":\"http://example.org/t\"}", -ERR_SERVER},
		{"{" ISSUER ",\"token_endpoint\":\"https://u@example.org/t\"}", -ERR_SERVER},
		{"{" ISSUER ",\"token_endpoint\":\"file:///etc/passwd\"}", -ERR_SERVER},
		{"{" ISSUER "," ISSUER "}", -ERR_PROTOCOL},
		{"[" ISSUER "]", -ERR_PROTOCOL},
		{"{" ISSUER, -ERR_PROTOCOL},
		{"{" ISSUER ",\"x\":\"\\u0000\"}", -ERR_PROTOCOL},
		{"", -ERR_PROTOCOL},
		{"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[", -ERR_PROTOCOL},
	};
	struct err err;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct oauth_client client = issuer("https://example.org");
		int code = oauth_client_take_metadata(&client, span_of(cases[i].text), &err);
		if (code != cases[i].code) {
			fail_msg("%s: %d, expected %d", cases[i].text, code, cases[i].code);
		}
		oauth_client_finish(&client);
	}
}

static void of_an_issuers_scopes_those_for_mail_are_asked_for(void **state)
{
	static const char text[] =
		"{" ISSUER ",\"scopes_supported\":[\"profile\",\"offline_access\","
		"\"urn:ietf:params:oauth:scope:mail\",\"openid\"]}";
	struct oauth_client client = issuer("https://example.org");
	struct err err;

	(void)state;
	assert_int_equal(oauth_client_take_metadata(&client, span_of(text), &err), 0);
	assert_string_equal(client.scope, "urn:ietf:params:oauth:scope:mail offline_access");
	oauth_client_finish(&client);
	client = issuer("https://example.org");
	assert_int_equal(oauth_client_take_metadata(&client, SPAN_LIT("{" ISSUER "}"), &err), 0);
	assert_string_equal(client.scope, "urn:ietf:params:oauth:scope:mail offline_access");
	oauth_client_finish(&client);
	client = issuer("https://example.org");
	assert_int_equal(
		oauth_client_take_metadata(
			&client,
			SPAN_LIT("{" ISSUER ",\"scopes_supported\":[\"email\",\"openid\"]}"), &err),
		0);
	assert_string_equal(client.scope, "openid email");
	oauth_client_finish(&client);
}

/* --- registration --- */

static void a_registration_says_what_comes_back_is_to_be_used(void **state)
{
	static const char reply[] =
		"{\"client_id\":\"new\",\"redirect_uris\":[\"http://localhost/callback\"]}";
	struct oauth_client client = issuer("https://example.org");
	struct buf text;
	struct err err;

	(void)state;
	buf_init(&text, 4096);
	client.id[0] = '\0';
	assert_int_equal(
		oauth_client_write_registration(&client, "http://127.0.0.1:8080/", &text, &err), 0);
	assert_non_null(strstr(text.data, "\"http://127.0.0.1:8080/\""));
	buf_clear(&text);
	assert_int_equal(oauth_client_take_registration(&client, span_of(reply), &err), 0);
	oauth_client_append_redirect(&client, 8080, &text);
	assert_string_equal(text.data, "http://localhost:8080/callback");
	buf_finish(&text);
	oauth_client_finish(&client);
}

static void a_registered_redirect_leads_to_this_machine(void **state)
{
	static const char reply[] =
		"{\"client_id\":\"new\",\"redirect_uris\":[\"http://evil.example.org/\"]}";
	struct oauth_client client = issuer("https://example.org");
	struct err err;

	(void)state;
	assert_int_equal(oauth_client_take_registration(&client, span_of(reply), &err),
			 -ERR_SERVER);
	oauth_client_finish(&client);
}

static void the_port_goes_behind_the_host_of_a_redirect(void **state)
{
	static const char *const cases[][2] = {
		{"http://127.0.0.1/", "http://127.0.0.1:99/"},
		{"http://localhost", "http://localhost:99"},
		{"http://[::1]/x", "http://[::1]:99/x"},
		{"http://127.0.0.1:1234/x", "http://127.0.0.1:1234/x"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct oauth_settings settings = custom;
		struct buf text;
		settings.redirect = cases[i][0];
		struct oauth_client client = resolved(&settings);
		buf_init(&text, 128);
		oauth_client_append_redirect(&client, 99, &text);
		assert_string_equal(text.data, cases[i][1]);
		buf_finish(&text);
		oauth_client_finish(&client);
	}
}

static void secrets_go_to_https_or_to_this_machine(void **state)
{
	static const char *const good[] = {"https://example.org",  "https://example.org:8443/a?b=c",
					   "http://127.0.0.1:80/", "http://127.9.9.9/",
					   "http://localhost/",    "http://[::1]:8080/x"};
	static const char *const bad[] = {"http://example.org/",
					  "http://127.0.0.1.example.org/",
					  "http://localhost.example.org/",
					  "https://user@example.org/",
					  "https://example.org/#x",
					  "https://example.org:0/",
					  "https://example.org:99999/",
					  "https:///x",
					  "https://exa mple.org/",
					  "https://example.org/'",
					  "ftp://example.org/",
					  "example.org",
					  "",
					  "https://[::1",
					  "http://0x7f.1/"};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_true(url_is_safe(span_of(good[i])));
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (url_is_safe(span_of(bad[i]))) {
			fail_msg("%s", bad[i]);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_preset_is_whole),
		cmocka_unit_test(a_consent_that_both_protocols_use_covers_both),
		cmocka_unit_test(a_tenant_goes_into_microsofts_addresses),
		cmocka_unit_test(keys_come_before_a_preset),
		cmocka_unit_test(a_packagers_client_is_found_by_its_word),
		cmocka_unit_test(without_a_client_id_it_is_said_where_to_get_one),
		cmocka_unit_test(metadata_lie_where_the_standards_put_them),
		cmocka_unit_test(metadata_are_not_trusted),
		cmocka_unit_test(of_an_issuers_scopes_those_for_mail_are_asked_for),
		cmocka_unit_test(a_registration_says_what_comes_back_is_to_be_used),
		cmocka_unit_test(a_registered_redirect_leads_to_this_machine),
		cmocka_unit_test(the_port_goes_behind_the_host_of_a_redirect),
		cmocka_unit_test(secrets_go_to_https_or_to_this_machine),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
