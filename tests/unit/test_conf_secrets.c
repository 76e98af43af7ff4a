/* What may stand in a file that others can read, and what in none. */
#include "conf_scene.h"

#define ACCOUNT                                                \
	"[account work]\nhost = imap.example.org\nuser = me\n" \
	"password_command = echo secret\nmaildir = /mail\n"

static void a_password_that_others_can_read_is_refused(void **state)
{
	struct loaded loaded;

	(void)state;
	static const char text[] =
		"[account a]\nhost = h\nuser = u\nmaildir = /m\npassword = hunter2\n";
	load_mode(&loaded, text, 0644);
	assert_true(complains(&loaded, 5, "others can read it"));
	assert_null(strstr(loaded.errors.items[0].text, "hunter2"));
	unload(&loaded);
	load_mode(&loaded, text, 0600);
	assert_int_equal(loaded.rc, 0);
	unload(&loaded);
	load_mode(&loaded, ACCOUNT, 0644);
	assert_int_equal(loaded.rc, 0);
	unload(&loaded);
	expect_error(ACCOUNT "password = hunter2\n", 6, "beside 'password_command'");
}

/* Whatever key holds one, of accounts and of providers. */
static void other_secrets_that_others_can_read_are_refused_too(void **state)
{
	static const struct {
		const char *text, *says;
		int line;
	} cases[] = {
		{"[account a]\nhost = h\nuser = u\nmaildir = /m\noauth = google\n"
		 "oauth_client_id = x\noauth_client_secret = hunter2\n",
		 "the file holds the secret of an OAuth2 client, but others can read it (mode "
		 "0644); chmod 600 it, or use oauth_client_secret_command",
		 7},
		{ACCOUNT "[provider p]\noauth_client_secret = hunter2\n",
		 "the file holds the secret of an OAuth2 client", 7},
		{ACCOUNT "[defaults]\nproxy = socks5h://me:hunter2@127.0.0.1:9\n",
		 "the file holds a proxy's password, but others can read it (mode 0644); chmod 600 "
		 "it",
		 7},
		{ACCOUNT "proxy = http://me@127.0.0.1:9\n", NULL, 0},
		{ACCOUNT "proxy = socks5h://127.0.0.1:9\n", NULL, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct loaded loaded;
		load_mode(&loaded, cases[i].text, 0644);
		if (cases[i].says) {
			assert_true(complains(&loaded, cases[i].line, cases[i].says));
			assert_null(strstr(loaded.errors.items[0].text, "hunter2"));
		} else {
			assert_int_equal(loaded.rc, 0);
		}
		unload(&loaded);
		load_mode(&loaded, cases[i].text, 0600);
		assert_int_equal(loaded.rc, 0);
		unload(&loaded);
	}
}

static void a_control_character_is_no_part_of_a_line(void **state)
{
	static const char *const lines[] = {"title = a\rb\n", "title = \033[31m\n",
					    "ti\177tle = x\n", "[provider q\r]\n"};
	char text[512];
	struct loaded loaded;

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		snprintf(text, sizeof(text), ACCOUNT "[provider p]\n%s", lines[i]);
		expect_error(text, 7, "a control character is in this line");
	}
	load(&loaded, "# \033[1m\r\n" ACCOUNT "[provider p]\r\ntitle\t=\ta\tb\r\n");
	assert_int_equal(loaded.rc, 0);
	assert_string_equal(provider_value(&loaded.conf->providers.items[0], "title"), "a\tb");
	unload(&loaded);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_password_that_others_can_read_is_refused),
		cmocka_unit_test(other_secrets_that_others_can_read_are_refused_too),
		cmocka_unit_test(a_control_character_is_no_part_of_a_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
