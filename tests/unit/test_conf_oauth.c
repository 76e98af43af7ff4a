#include "conf_scene.h"

#define SIGNING "[account work]\nhost = imap.example.org\nuser = me\nmaildir = /mail\n"

static void oauth_takes_the_place_of_a_password(void **state)
{
	struct loaded loaded;

	(void)state;
	load(&loaded, "[defaults]\npassword_command = x\n" SIGNING "oauth = Google\n"
		      "oauth_client_id = id\noauth_client_secret = hush\n"
		      "[account two]\nhost = h\nuser = u\nmaildir = /two\noauth_account = work\n");
	assert_int_equal(loaded.rc, 0);
	const struct conf_account *account = &loaded.conf->accounts[0];
	assert_string_equal(account->oauth, "google");
	assert_null(account->password_command);
	assert_string_equal(account->oauth_client_secret.data, "hush");
	assert_string_equal(account->oauth_tenant, "common");
	assert_string_equal(loaded.conf->accounts[1].oauth_account, "work");
	assert_null(loaded.conf->accounts[1].password_command);
	unload(&loaded);
}

static void what_oauth_keys_cannot_be_is_an_error(void **state)
{
	static const struct {
		const char *keys;
		int line;
		const char *part;
	} cases[] = {
		{"oauth = gogle\n", 5, "it can be google"},
		{"oauth = http://auth.example.org/\n", 5, "it can be google"},
		{"oauth = google\npassword = x\n", 6, "beside 'oauth'"},
		{"oauth = google\nauth = plain\n", 6, "takes no token"},
		{"oauth = google\noauth_tenant = x\n", 6, "oauth = microsoft"},
		{"oauth = google\noauth_token_url = http://example.org/\n", 6, "https"},
		{"oauth = google\noauth_redirect = https://example.org/\n", 6, "this machine"},
		{"oauth = google\noauth_redirect = http://127.0.0.1/?a=b\n", 6, "this machine"},
		{"oauth = google\noauth_client_secret = a\noauth_client_secret_command = b\n", 7,
		 "beside 'oauth_client_secret'"},
		{"oauth = custom\noauth_auth_url = https://x.org/\n", 5, "'oauth_token_url'"},
		{"oauth = custom\noauth_token_url = https://x.org/\n", 5, "'oauth_auth_url'"},
		{"password_command = x\noauth_client_id = a\n", 6, "without oauth"},
		{"oauth_account = work\n", 5, "this account itself"},
		{"oauth_account = other\n", 5, "no such account"},
		{"oauth_account = other\n[account other]\nhost = h\nuser = u\nmaildir = /o\n"
		 "password_command = x\n",
		 5, "has no 'oauth'"},
	};
	char text[512];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(text, sizeof(text), "%s%s", SIGNING, cases[i].keys);
		expect_error(text, cases[i].line, cases[i].part);
	}
}

static void a_clients_secret_is_not_repeated_in_an_error(void **state)
{
	(void)state;
	expect_unquoted(SIGNING "oauth = google\noauth_client_secret = hush-hush\n"
				"oauth_client_secret = hush-hush\n",
			"hush-hush");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(oauth_takes_the_place_of_a_password),
		cmocka_unit_test(what_oauth_keys_cannot_be_is_an_error),
		cmocka_unit_test(a_clients_secret_is_not_repeated_in_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
