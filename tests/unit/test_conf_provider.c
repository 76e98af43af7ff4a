#include "conf_scene.h"

#define REST     "user = me\npassword_command = x\nmaildir = /mail\n"
#define OF(name) "[account work]\nprovider = " name "\n" REST

/* Loads TEXT, which is good; its first account. */
static const struct conf_account *load_good(struct loaded *loaded, const char *text)
{
	load(loaded, text);
	for (size_t i = 0; i < loaded->errors.count; i++) {
		print_error("got: %s\n", loaded->errors.items[i].text);
	}
	assert_int_equal(loaded->rc, 0);
	return &loaded->conf->accounts[0];
}

/* Each row as an account of either protocol: no value of the table is bad. */
static void each_provider_makes_an_account(void **state)
{
	char text[512];

	(void)state;
	for (size_t i = 0; i < provider_table.count; i++) {
		const struct provider *provider = &provider_table.items[i];
		const char *port = provider_value(provider, "port");
		struct loaded loaded;
		snprintf(text, sizeof(text), "[account work]\nprovider = %s\n%s", provider->name,
			 REST);
		const struct conf_account *account = load_good(&loaded, text);
		assert_string_equal(account->host, provider_value(provider, "host"));
		assert_int_equal(account->port, port ? strtoul(port, NULL, 10) : 993);
		assert_null(account->oauth); /* password_command replaces it */
		unload(&loaded);
		snprintf(text, sizeof(text), "[account work]\nprovider = %s\nprotocol = pop3\n%s",
			 provider->name, REST);
		const char *host = provider_value(provider, "pop3_host");
		if (!host) {
			expect_error(text, 2, "names no server for POP3");
			continue;
		}
		account = load_good(&loaded, text);
		assert_string_equal(account->host, host);
		assert_int_equal(account->port, 995);
		unload(&loaded);
	}
}

/* As sections of a file: their keys may stand there, and each value is good. */
static void each_provider_may_stand_in_a_file(void **state)
{
	struct buf text;
	struct loaded loaded;

	(void)state;
	buf_init(&text, 1 << 20);
	for (size_t i = 0; i < provider_table.count; i++) {
		const struct provider *provider = &provider_table.items[i];
		buf_printf(&text, "[provider %s]\n", provider->name);
		for (size_t j = 0; j < provider->count; j++) {
			buf_printf(&text, "%s = %s\n", provider->pairs[j].key,
				   provider->pairs[j].value);
		}
	}
	buf_append_cstr(&text, OF("gmail"));
	load_good(&loaded, text.data);
	assert_int_equal(loaded.conf->providers.count, provider_table.count);
	for (size_t i = 0; i < provider_table.count; i++) {
		assert_int_equal(loaded.conf->providers.items[i].count,
				 provider_table.items[i].count);
	}
	unload(&loaded);
	buf_finish(&text);
}

static void the_accounts_keys_come_before_it_and_those_of_defaults_after_it(void **state)
{
	struct loaded loaded;

	(void)state;
	const struct conf_account *account = load_good(
		&loaded, "[defaults]\nhost = of.defaults\nconnections = 9\ntrash = Bin\nport = 1\n"
			 "timeout = 7\npassword_command = x\n"
			 "[account work]\nprovider = outlook\nuser = me\nmaildir = /mail\n"
			 "connections = 3\n");
	assert_string_equal(account->host, "outlook.office365.com");
	assert_int_equal(account->connections, 3);
	assert_string_equal(account->trash, "Bin");
	assert_int_equal(account->timeout_s, 7);
	assert_int_equal(account->watch_renew_s, 600);
	assert_string_equal(account->oauth, "microsoft");
	assert_null(account->password_command);
	unload(&loaded);
	account = load_good(&loaded, "[defaults]\nprovider = icloud\n[account work]\n" REST
				     "tunnel = ssh host\n");
	assert_null(account->host);
	assert_string_equal(account->provider, "icloud");
	unload(&loaded);
	account = load_good(&loaded, "[defaults]\nprovider = icloud\n[account work]\nprovider =\n"
				     "host = h\n" REST);
	assert_int_equal(account->disable_extensions.count, 0);
	assert_int_equal(account->connections, 4);
	unload(&loaded);
}

static void disable_extensions_adds_up(void **state)
{
	static const struct {
		const char *text;
		size_t count;
	} cases[] = {
		{OF("icloud"), 1},
		{OF("icloud") "disable_extensions = Condstore qresync\n", 2},
		{OF("icloud") "disable_extensions =\n", 0},
		{"[defaults]\ndisable_extensions = IDLE\n" OF("icloud"), 2},
		{"[defaults]\ndisable_extensions = IDLE\n" OF(
			 "icloud") "disable_extensions = MOVE\n",
		 2},
		{"[defaults]\ndisable_extensions = IDLE\n" OF("163") "protocol = pop3\n", 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct loaded loaded;
		const struct conf_account *account = load_good(&loaded, cases[i].text);
		assert_int_equal(account->disable_extensions.count, cases[i].count);
		unload(&loaded);
	}
}

static void ones_own_provider_is_added_or_replaces(void **state)
{
	struct loaded loaded;
	const char *text = "[account work]\nprovider = Home\n" REST
			   "[account old]\nprovider = home\nprotocol = pop3\nuser = me\n"
			   "password_command = x\nmaildir = /old\n"
			   "[account mine]\nprovider = gmail\nuser = me\npassword_command = x\n"
			   "maildir = /mine\n"
			   "[provider home]\nhost = imap.home\nport = 1143\ntls = starttls\n"
			   "pop3_host = pop.home\npop3_port = 1110\nlogin = local\n"
			   "compress = yes\nmailboxes = INBOX\n"
			   "[provider gmail]\nhost = imap.mine\ndomains = mine.example\n";

	(void)state;
	const struct conf_account *account = load_good(&loaded, text);
	assert_string_equal(account->host, "imap.home");
	assert_int_equal(account->port, 1143);
	assert_int_equal(account->tls, CONF_TLS_STARTTLS);
	assert_int_equal(account->compress, CONF_COMPRESS_YES);
	assert_string_equal(account[1].host, "pop.home");
	assert_int_equal(account[1].port, 1110);
	assert_int_equal(account[1].tls, CONF_TLS_STARTTLS);
	assert_int_equal(account[1].compress, CONF_COMPRESS_NO);
	assert_string_equal(account[2].host, "imap.mine");
	assert_null(account[2].trash);
	assert_int_equal(loaded.conf->providers.count, 2);
	const struct provider *own = provider_by_domain(&loaded.conf->providers, "mine.example");
	assert_string_equal(provider_value(own, "host"), "imap.mine");
	unload(&loaded);
}

static void a_domain_is_a_name_of_its_provider(void **state)
{
	struct loaded loaded;

	(void)state;
	assert_string_equal(load_good(&loaded, OF("GMX.at"))->host, "imap.gmx.net");
	unload(&loaded);
}

static void what_is_wrong_is_told_with_its_line(void **state)
{
	static const struct {
		const char *text;
		int line;
		const char *part;
	} cases[] = {
		{OF("gmial"), 2,
		 "provider = gmial: there is no such provider; did you mean 'gmail'?"},
		{OF("example.org"), 2,
		 "provider = example.org: there is no such provider; `mailsync init --list` names "
		 "them"},
		{"[provider lokal]\nhost = h\n" OF("local"), 4, "did you mean 'lokal'?"},
		{OF("gmail") "[provider home]\nhots = x\n", 7,
		 "unknown key 'hots' in [provider home]; did you mean 'host'?"},
		{OF("gmail") "[provider home]\nmaildir = /x\n", 7,
		 "key 'maildir' belongs in [account NAME], not in [provider home]"},
		{OF("gmail") "[provider home]\nstate_dir = /x\n", 7,
		 "key 'state_dir' belongs in [defaults], not in [provider home]"},
		{OF("gmail") "login = local\n", 6,
		 "key 'login' belongs in [provider NAME], not in [account work]"},
		{OF("gmail") "[provider home]\nlogin = x\n", 7, "it can be address or local"},
		{OF("gmail") "[provider home]\nport = x\n", 7, "1 to 65535"},
		{OF("gmail") "[provider home]\npop3_port = 0\n", 7, "1 to 65535"},
		{OF("gmail") "[provider home]\nport = 1\nport = 2\n", 8, "given twice"},
		{OF("gmail") "[provider home]\n[provider home]\n", 7,
		 "section [provider home] is there already, in line 6"},
		{OF("gmail") "[provider]\n", 6, "as in [provider work]"},
		{OF("gmail") "[provder x]\n", 6, "did you mean [provider NAME]?"},
		{OF("home") "[provider home]\nhost = imap.home\ntls = none\n", 8, "in the clear"},
		{OF("home") "[provider home]\nconnections = 2\n", 2, "names no server for IMAP"},
		{OF("gmail") "oauth_client_id = x\n", 6, "without oauth"},
		{OF("gmail") "protocol = pop3\ntrash = x\n", 7, "only for IMAP"},
		{"[defaults]\nprovider = gmial\n" OF("gmail"), 2, "did you mean 'gmail'?"},
		{"[account work]\nprovider = outlook\nauth = plain\nuser = me\nmaildir = /m\n", 3,
		 "takes no token"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		expect_error(cases[i].text, cases[i].line, cases[i].part);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_provider_makes_an_account),
		cmocka_unit_test(each_provider_may_stand_in_a_file),
		cmocka_unit_test(the_accounts_keys_come_before_it_and_those_of_defaults_after_it),
		cmocka_unit_test(disable_extensions_adds_up),
		cmocka_unit_test(ones_own_provider_is_added_or_replaces),
		cmocka_unit_test(a_domain_is_a_name_of_its_provider),
		cmocka_unit_test(what_is_wrong_is_told_with_its_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
