#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "mailsync/base/file.h"
#include "mailsync/conf/conf.h"
#include "mailsync/conf/nearest.h"

#include "conf_keys.h"
#include "conf_scene.h"

#define ACCOUNT                                                \
	"[account work]\nhost = imap.example.org\nuser = me\n" \
	"password_command = echo secret\nmaildir = /mail\n"

/* The account of ACCOUNT and EXTRA, which has no error. */
static const struct conf_account *load_good(struct loaded *loaded, const char *text)
{
	load(loaded, text);
	for (size_t i = 0; i < loaded->errors.count; i++) {
		print_error("got: %s\n", loaded->errors.items[i].text);
	}
	assert_int_equal(loaded->rc, 0);
	return &loaded->conf->accounts[0];
}

static void defaults_are_those_of_the_table(void **state)
{
	struct loaded loaded;

	(void)state;
	const struct conf_account *account = load_good(&loaded, ACCOUNT);
	assert_string_equal(account->name, "work");
	assert_int_equal(account->protocol, CONF_IMAP);
	assert_int_equal(account->port, 993);
	assert_int_equal(account->tls, CONF_TLS_IMPLICIT);
	assert_int_equal(account->tls_min_version, 12);
	assert_int_equal(account->timeout_s, 60);
	assert_int_equal(account->connections, 4);
	assert_int_equal(account->info_delimiter, ':');
	assert_string_equal(account->inbox, "INBOX");
	assert_int_equal(account->mailboxes.count, 1);
	assert_int_equal(account->copy, SIDE_LOCAL | SIDE_REMOTE);
	assert_int_equal(account->expunge, 0);
	assert_int_equal(account->max_delete_percent, 50);
	assert_int_equal(account->keywords, CONF_KEYWORDS_YES);
	assert_int_equal(account->leave_on_server, CONF_LEAVE_YES);
	assert_null(account->trash);
	unload(&loaded);
}

static void ports_follow_protocol_and_tls(void **state)
{
	struct loaded loaded;

	(void)state;
	assert_int_equal(load_good(&loaded, ACCOUNT "tls = starttls\n")->port, 143);
	unload(&loaded);
	assert_int_equal(load_good(&loaded, ACCOUNT "protocol = pop3\n")->port, 995);
	unload(&loaded);
	assert_int_equal(load_good(&loaded, ACCOUNT "protocol = pop3\ntls = starttls\n")->port,
			 110);
	unload(&loaded);
	assert_int_equal(load_good(&loaded, ACCOUNT "port = 1143\n")->port, 1143);
	unload(&loaded);
}

static void an_account_wins_over_defaults_wherever_these_stand(void **state)
{
	struct loaded loaded;

	(void)state;
	const struct conf_account *account = load_good(
		&loaded, ACCOUNT "timeout = 7\n[defaults]\ntimeout = 8\nconnections = 2\n");
	assert_int_equal(account->timeout_s, 7);
	assert_int_equal(account->connections, 2);
	unload(&loaded);
}

static void an_accounts_way_to_the_password_replaces_that_of_defaults(void **state)
{
	struct loaded loaded;

	(void)state;
	const struct conf_account *account =
		load_good(&loaded, "[defaults]\npassword_file = /secret\n" ACCOUNT);
	assert_null(account->password_file);
	assert_string_equal(account->password_command, "echo secret");
	unload(&loaded);
}

static void semicolons_inside_a_value_are_part_of_it(void **state)
{
	struct loaded loaded;

	(void)state;
	const struct conf_account *account = load_good(
		&loaded, "[account a] ; comment\n  # comment\nhost = h\nuser = u\nmaildir = /m\n"
			 "password_command = echo a ; echo \"b # c\"\ninfo_delimiter = ;\n");
	assert_string_equal(account->password_command, "echo a ; echo \"b # c\"");
	assert_int_equal(account->info_delimiter, ';');
	unload(&loaded);
	account = load_good(&loaded, "[account a]\nhost = h\nuser = u\nmaildir = /m\n"
				     "password = a ; b\n");
	assert_string_equal(account->password.data, "a ; b");
	unload(&loaded);
}

static void an_indented_line_is_an_entry_of_its_own(void **state)
{
	struct loaded loaded;

	(void)state;
	const struct conf_account *account =
		load_good(&loaded, "[account a]\n  host = h\n\tuser = u\n  maildir = /m\n"
				   "    password_command = x\n");
	assert_string_equal(account->host, "h");
	assert_string_equal(account->user, "u");
	unload(&loaded);
}

/* ACCOUNT, then "user = xxx..." whose line has LEN bytes. */
static char *long_line(size_t len)
{
	static const char head[] = "[account a]\nhost = h\nmaildir = /m\npassword_command = x\n";
	char *text = malloc(sizeof(head) + len + 1);

	assert_non_null(text);
	memcpy(text, head, sizeof(head) - 1);
	char *line = text + sizeof(head) - 1;
	memset(line, 'x', len);
	memcpy(line, "user = ", 7);
	line[len] = '\n';
	line[len + 1] = '\0';
	return text;
}

static void lines_of_4_kib_work_and_a_cut_line_is_an_error(void **state)
{
	struct loaded loaded;
	char *text = long_line(4096);

	(void)state;
	assert_int_equal(strlen(load_good(&loaded, text)->user), 4096 - 7);
	unload(&loaded);
	free(text);
	text = long_line(20000);
	load(&loaded, text);
	assert_true(complains(&loaded, 5, "cannot be read"));
	unload(&loaded);
	free(text);
}

static void unknown_names_come_with_the_nearest_known_one(void **state)
{
	(void)state;
	expect_error(ACCOUNT "mailbxes = *\n", 6,
		     "unknown key 'mailbxes' in [account work]; did you "
		     "mean 'mailboxes'?");
	expect_error(ACCOUNT "Tls-CA-file = x\n", 6, "'tls_ca_file'");
	expect_error(ACCOUNT "[defautls]\n", 6, "did you mean [defaults]?");
	expect_error(ACCOUNT "[acount b]\n", 6, "did you mean [account NAME]?");
	expect_error(ACCOUNT "[x\n", 6, "']' is missing");
	expect_error(ACCOUNT "[account a/b]\n", 6, "needs a name");
}

static void a_port_behind_the_host_is_an_error(void **state)
{
	static const char rest[] = "user = me\npassword_command = echo x\nmaildir = /mail\n";
	static const char *const hosts[] = {"imap.example.org:993", "192.0.2.1:993",
					    "[2001:db8::1]:993"};
	char text[200];

	(void)state;
	for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
		snprintf(text, sizeof(text), "[account work]\nhost = %s\n%s", hosts[i], rest);
		expect_error(text, 2, "the port goes into the key port");
	}
}

static void a_key_or_section_given_twice_is_an_error(void **state)
{
	(void)state;
	expect_error(ACCOUNT "host = b\n", 6, "given twice in [account work], first in line 2");
	expect_error(ACCOUNT "[account work]\nuser = b\n", 6, "is there already, in line 1");
	expect_error("[defaults]\n[defaults]\n" ACCOUNT, 2, "is there already");
}

static void all_errors_of_a_file_are_told_in_line_order(void **state)
{
	struct loaded loaded;

	(void)state;
	load(&loaded, "x = 1\n[defaults]\ntimeout = 0\n[account a]\nport = 70000\nnonsense\n"
		      "tls_min_version = 1.1\n[account b]\n");
	assert_int_equal(loaded.rc, -ERR_CONFIG);
	assert_true(complains(&loaded, 1, "before the first section"));
	assert_true(complains(&loaded, 3,
			      "timeout = 0: it can be a duration such as 90s, 5m, "
			      "1h or 2d, of 1 to 86400 seconds"));
	assert_true(complains(&loaded, 4, "needs 'host'"));
	assert_true(complains(&loaded, 4, "needs 'maildir'"));
	assert_true(complains(&loaded, 4, "needs 'user'"));
	assert_true(complains(&loaded, 4, "needs one of 'password'"));
	assert_true(complains(&loaded, 5, "1 to 65535"));
	assert_true(complains(&loaded, 6, "not a 'key = value'"));
	assert_true(complains(&loaded, 7, "1.2 or 1.3"));
	assert_true(complains(&loaded, 8, "[account b] needs 'host'"));
	for (size_t i = 1; i < loaded.errors.count; i++) {
		assert_true(loaded.errors.items[i - 1].line <= loaded.errors.items[i].line);
	}
	unload(&loaded);
}

static void a_bad_value_is_told_with_what_would_be_good(void **state)
{
	(void)state;
	expect_error(ACCOUNT "tls = maybe\n", 6,
		     "tls = maybe: it can be implicit, starttls or none");
	expect_error(ACCOUNT "keywords = 1\n", 6, "yes, pull or no");
	expect_error(ACCOUNT "subscribed_only = 1\n", 6, "yes or no");
	expect_error(ACCOUNT "max_age = 3\n", 6, "90d");
	expect_error(ACCOUNT "max_age = 3q\n", 6, "90d");
	expect_error(ACCOUNT "max_message_size = 10X\n", 6, "10M");
	expect_error(ACCOUNT "max_delete = 101%\n", 6, "0% to 100%");
	expect_error(ACCOUNT "max_delete = 50\n", 6, "50%");
	expect_error(ACCOUNT "mailboxes = \"a\n", 6, "closing");
	expect_error(ACCOUNT "inbox = ../x\n", 6, "below maildir");
	expect_error(ACCOUNT "info_delimiter = ,\n", 6, "one of");
	expect_error(ACCOUNT "trash = \\Junk\n", 6, "\\Trash");
	expect_error(ACCOUNT "proxy = localhost:9050\n", 6, "socks5h://");
	expect_unquoted(ACCOUNT "proxy = ftp://me:hidden@localhost\n", "hidden");
	expect_error(ACCOUNT "tls_pin_sha256 = abc\n", 6, "base64");
	expect_error(ACCOUNT "tls_ca_file = ~other/ca.pem\n", 6, "whole path");
	expect_error(ACCOUNT "tls_ca_file = $MAILSYNC_UNSET_X/y\n", 6, "MAILSYNC_UNSET_X");
}

static void durations_are_seconds_or_have_their_unit_behind_them(void **state)
{
	struct loaded loaded;

	(void)state;
	const struct conf_account *account = load_good(
		&loaded, ACCOUNT "timeout = 90\nwatch_interval = 2h\nwatch_renew = 240s\n");
	assert_int_equal(account->timeout_s, 90);
	assert_int_equal(account->watch_interval_s, 7200);
	assert_int_equal(account->watch_renew_s, 240);
	assert_int_equal(account->patience_s, 3600);
	unload(&loaded);
	account = load_good(&loaded, ACCOUNT "timeout = 2min\nwatch_interval = 7d\n"
					     "watch_mailboxes = INBOX a/*\nwatch = idle\n"
					     "patience = 0\n");
	assert_int_equal(account->timeout_s, 120);
	assert_int_equal(account->patience_s, 0);
	assert_int_equal(account->watch_interval_s, 7 * 86400);
	assert_int_equal(account->watch_renew_s, 9 * 60);
	assert_int_equal(account->watch_mailboxes.count, 2);
	assert_int_equal(account->watch, CONF_WATCH_IDLE);
	unload(&loaded);
	expect_error(ACCOUNT "timeout = 5x\n", 6, "90s, 5m, 1h or 2d");
	expect_error(ACCOUNT "watch_interval = 8d\n", 6, "604800 seconds");
	expect_error(ACCOUNT "watch = push\n", 6, "auto, notify, idle or poll");
}

static void values_are_read_in_their_units(void **state)
{
	struct loaded loaded;

	(void)state;
	const struct conf_account *account = load_good(
		&loaded, ACCOUNT "max_age = 12w\nmax_message_size = 10M\nmax_delete = 5%\n"
				 "tls_min_version = 1.3\ndelete = remote\ntrash = My Trash\n"
				 "disable_extensions = qresync Condstore\n"
				 "mailboxes = \"My Box\" !\"Old \\\"x\\\"\" a/%\n");
	assert_int_equal(account->max_age_s, 12 * 7 * 86400);
	assert_int_equal(account->max_message_size, 10 * 1024 * 1024);
	assert_int_equal(account->max_delete_percent, 5);
	assert_int_equal(account->tls_min_version, 13);
	assert_int_equal(account->delete_, SIDE_REMOTE);
	assert_string_equal(account->trash, "My Trash");
	assert_string_equal(account->disable_extensions.items[0], "QRESYNC");
	assert_string_equal(account->disable_extensions.items[1], "CONDSTORE");
	assert_int_equal(account->mailboxes.count, 3);
	assert_string_equal(account->mailboxes.items[0], "My Box");
	assert_string_equal(account->mailboxes.items[1], "!Old \"x\"");
	assert_string_equal(account->mailboxes.items[2], "a/%");
	unload(&loaded);
}

static void quotes_are_for_patterns_and_shells(void **state)
{
	(void)state;
	expect_error(ACCOUNT "trash = \"My Trash\"\n", 6, "leave them out");
	expect_error(ACCOUNT "tls_ca_file = '/etc/ca.pem'\n", 6, "leave them out");
	expect_error(ACCOUNT "mailboxes = INBOX, Work\n", 6, "leave out the comma behind 'INBOX'");
	struct loaded loaded;
	const struct conf_account *account = load_good(
		&loaded, ACCOUNT "on_change = \"a b\" \"c\"\non_error = 'a' 'b'\n"
				 "on_new = \"notmuch\" \"new\"\nmailboxes = \"My Box\"\n");
	assert_string_equal(account->on_new, "\"notmuch\" \"new\"");
	assert_string_equal(account->on_change, "\"a b\" \"c\"");
	assert_string_equal(account->mailboxes.items[0], "My Box");
	unload(&loaded);
}

static void a_key_of_other_programs_is_known_by_what_it_means(void **state)
{
	static const char *const cases[][2] = {
		{"passwordcmd", "password_command"},
		{"PassCmd", "password_command"},
		{"pass_file", "password_file"},
		{"username", "user"},
		{"Server", "host"},
		{"SSLType", "tls"},
		{"fingerprint", "tls_pin_sha256"},
		{"patterns", "mailboxes"},
		{"max-size", "max_message_size"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[128], words[64];
		snprintf(text, sizeof(text), ACCOUNT "%s = x\n", cases[i][0]);
		snprintf(words, sizeof(words), "did you mean '%s'?", cases[i][1]);
		expect_error(text, 6, words);
		assert_non_null(conf_key_find(cases[i][1]));
	}
}

static void an_empty_value_unsets_what_defaults_set(void **state)
{
	struct loaded loaded;

	(void)state;
	const struct conf_account *account =
		load_good(&loaded, "[defaults]\ntrash = Trash\nmax_age = 1y\n" ACCOUNT
				   "trash =\nmax_age = none\n");
	assert_null(account->trash);
	assert_int_equal(account->max_age_s, 0);
	unload(&loaded);
}

static void home_and_variables_expand_in_paths(void **state)
{
	struct loaded loaded;

	(void)state;
	setenv("HOME", "/home/me", 1);
	setenv("MAILSYNC_TEST_DIR", "mail", 1);
	unsetenv("XDG_STATE_HOME");
	const struct conf_account *account =
		load_good(&loaded, "[account a]\nhost = h\nuser = u\npassword_command = x\n"
				   "maildir = ~/${MAILSYNC_TEST_DIR}/\n");
	assert_string_equal(account->maildir, "/home/me/mail");
	assert_string_equal(loaded.conf->state_dir, "/home/me/.local/state/mailsync");
	unload(&loaded);
	load_good(&loaded, "[defaults]\nstate_dir = ~/s\n" ACCOUNT);
	assert_string_equal(loaded.conf->state_dir, "/home/me/s");
	unload(&loaded);
	expect_error(ACCOUNT "state_dir = /s\n", 6, "belongs in [defaults]");
}

static void clear_text_is_refused_except_to_this_machine(void **state)
{
	static const char *const near[] = {"localhost", "127.0.0.1", "127.1.2.3", "::1", "[::1]"};
	static const char *const far[] = {"example.org", "128.0.0.1", "localhost.example.org",
					  "127.0.0.1.example.org", "::2"};
	struct loaded loaded;
	char text[256];

	(void)state;
	for (size_t i = 0; i < 5; i++) {
		snprintf(text, sizeof(text),
			 "[account a]\nuser = u\npassword_command = x\nmaildir = /m\n"
			 "tls = none\nhost = %s\n",
			 near[i]);
		load_good(&loaded, text);
		unload(&loaded);
		snprintf(text, sizeof(text),
			 "[account a]\nuser = u\npassword_command = x\nmaildir = /m\n"
			 "tls = none\nhost = %s\n",
			 far[i]);
		expect_error(text, 5, "in the clear");
	}
}

static void a_tunnel_needs_neither_host_nor_login(void **state)
{
	struct loaded loaded;

	(void)state;
	load_good(&loaded, "[account a]\ntunnel = ssh h imapd\nmaildir = /m\n");
	unload(&loaded);
	load_good(&loaded, "[account a]\nhost = h\nauth = external\nmaildir = /m\n");
	unload(&loaded);
	expect_error("[account a]\ntunnel = x\nmaildir = /m\ntls = starttls\n", 4, "no effect");
}

static void pop3_accounts_take_pop3_keys(void **state)
{
	struct loaded loaded;

	(void)state;
	const struct conf_account *account =
		load_good(&loaded, "[defaults]\nmailboxes = a\ntrash = b\n" ACCOUNT
				   "protocol = pop3\nleave_on_server = 2w\nmax_age = 1y\n"
				   "auth = apop\n");
	assert_int_equal(account->leave_on_server, CONF_LEAVE_AGE);
	assert_int_equal(account->leave_age_s, 14 * 86400);
	assert_string_equal(account->mailboxes.items[0], "*");
	assert_null(account->trash);
	unload(&loaded);
	expect_error(ACCOUNT "leave_on_server = no\n", 6, "only for POP3 accounts");
	expect_error(ACCOUNT "auth = apop\n", 6, "pop3");
	expect_error(ACCOUNT "protocol = pop3\ndirection = pull\nleave_on_server = no\n", 8,
		     "must not be no");
	account = load_good(&loaded,
			    ACCOUNT "protocol = pop3\ndirection = pull\nleave_on_server = 14d\n");
	assert_int_equal(account->leave_on_server, CONF_LEAVE_AGE);
	unload(&loaded);
}

static void imap_keys_are_errors_in_pop3_accounts_and_without_effect_from_defaults(void **state)
{
	static const char *const keys[] = {
		"compress = yes",   "disable_extensions = QRESYNC",
		"mailboxes = a",    "subscribed_only = yes",
		"copy = none",      "flags = none",
		"expunge = both",   "create = none",
		"trash = Trash",    "remove_mailboxes = both",
		"max_delete = 10%", "keywords = no",
	};
	struct loaded loaded;
	char text[512];

	(void)state;
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		snprintf(text, sizeof(text), ACCOUNT "protocol = pop3\n%s\n", keys[i]);
		expect_error(text, 7, "only for IMAP accounts");
		snprintf(text, sizeof(text), "[defaults]\n%s\n" ACCOUNT "protocol = pop3\n",
			 keys[i]);
		assert_string_equal(load_good(&loaded, text)->mailboxes.items[0], "*");
		unload(&loaded);
	}
}

static void each_word_of_the_table_of_mechanisms_is_one_of_auth(void **state)
{
	struct loaded loaded;
	char text[512];

	(void)state;
	for (enum auth mech = AUTH_NONE; mech < AUTH_COUNT; mech++) {
		const struct auth_row *row = auth_row(mech);
		if (row->word) {
			snprintf(text, sizeof(text), ACCOUNT "protocol = pop3\nauth = %s\n",
				 row->word);
			assert_int_equal(load_good(&loaded, text)->auth, mech);
			unload(&loaded);
		}
		if ((row->marks & AUTH_NO_SECRET) != 0) {
			assert_non_null(strstr(conf_key_find("user")->shown, row->word));
		}
	}
}

static void a_mechanism_that_cannot_work_in_its_account_is_an_error(void **state)
{
	static const char tunnel[] = "[account a]\ntunnel = x\nmaildir = /m\nauth = %s\n";
	static const char *const curls[] = {"gssapi", "ntlm"};
	struct loaded loaded;
	char text[512];

	(void)state;
	expect_error(ACCOUNT "auth = apop\n", 6, "auth = apop is for protocol = pop3");
	for (size_t i = 0; i < 2; i++) {
		snprintf(text, sizeof(text), tunnel, curls[i]);
		expect_error(text, 4, "does not work through a tunnel");
	}
	load_good(&loaded, "[account a]\nhost = h\nmaildir = /m\nauth = gssapi\n");
	unload(&loaded);
	load_good(&loaded, "[account a]\nhost = h\nmaildir = /m\nauth = external\n");
	unload(&loaded);
}

static void a_missing_file_and_a_file_without_accounts_are_errors(void **state)
{
	struct conf *conf = NULL;
	struct conf_errors errors;
	struct err err;

	(void)state;
	assert_int_equal(conf_load(&conf, "/nonexistent/x.conf", &errors, &err), -ERR_CONFIG);
	assert_int_equal(errors.count, 1);
	conf_errors_finish(&errors);
	expect_error("", 0, "no [account NAME]");
}

static void nearest_takes_the_closest_name(void **state)
{
	struct nearest nearest;

	(void)state;
	nearest_init(&nearest, "uesr");
	nearest_offer(&nearest, "port");
	assert_null(nearest.best);
	nearest_offer(&nearest, "user");
	assert_string_equal(nearest.best, "user");
	nearest_init(&nearest, "wholly_different");
	nearest_offer(&nearest, "tls");
	assert_null(nearest.best);
}

/* Compares what is made with the committed FILE. Run from the root of the tree, as make does. */
static void expect_committed(const char *file, int (*write_text)(struct buf *out, struct err *err))
{
	struct buf made, committed;
	struct err err;

	buf_init(&made, 1 << 20);
	buf_init(&committed, 1 << 20);
	assert_int_equal(write_text(&made, &err), 0);
	if (file_read(AT_FDCWD, file, &committed, &err) < 0) {
		fail_msg("%s: %s (tests run in the top folder)", file, err.text);
	}
	assert_string_equal(made.data, committed.data);
	buf_finish(&committed);
	buf_finish(&made);
}

static void the_committed_example_is_the_generated_one(void **state)
{
	(void)state;
	expect_committed("mailsync.conf.example", conf_write_example);
}

static void the_committed_documentation_is_the_generated_one(void **state)
{
	(void)state;
	expect_committed("docs/CONFIG.md", conf_write_docs);
}

static void the_committed_man_page_is_the_generated_one(void **state)
{
	(void)state;
	expect_committed("docs/mailsync.conf.5", conf_write_man);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults_are_those_of_the_table),
		cmocka_unit_test(ports_follow_protocol_and_tls),
		cmocka_unit_test(an_account_wins_over_defaults_wherever_these_stand),
		cmocka_unit_test(an_accounts_way_to_the_password_replaces_that_of_defaults),
		cmocka_unit_test(semicolons_inside_a_value_are_part_of_it),
		cmocka_unit_test(an_indented_line_is_an_entry_of_its_own),
		cmocka_unit_test(lines_of_4_kib_work_and_a_cut_line_is_an_error),
		cmocka_unit_test(unknown_names_come_with_the_nearest_known_one),
		cmocka_unit_test(a_port_behind_the_host_is_an_error),
		cmocka_unit_test(a_key_or_section_given_twice_is_an_error),
		cmocka_unit_test(all_errors_of_a_file_are_told_in_line_order),
		cmocka_unit_test(a_bad_value_is_told_with_what_would_be_good),
		cmocka_unit_test(durations_are_seconds_or_have_their_unit_behind_them),
		cmocka_unit_test(values_are_read_in_their_units),
		cmocka_unit_test(quotes_are_for_patterns_and_shells),
		cmocka_unit_test(a_key_of_other_programs_is_known_by_what_it_means),
		cmocka_unit_test(an_empty_value_unsets_what_defaults_set),
		cmocka_unit_test(home_and_variables_expand_in_paths),
		cmocka_unit_test(clear_text_is_refused_except_to_this_machine),
		cmocka_unit_test(a_tunnel_needs_neither_host_nor_login),
		cmocka_unit_test(pop3_accounts_take_pop3_keys),
		cmocka_unit_test(
			imap_keys_are_errors_in_pop3_accounts_and_without_effect_from_defaults),
		cmocka_unit_test(each_word_of_the_table_of_mechanisms_is_one_of_auth),
		cmocka_unit_test(a_mechanism_that_cannot_work_in_its_account_is_an_error),
		cmocka_unit_test(a_missing_file_and_a_file_without_accounts_are_errors),
		cmocka_unit_test(nearest_takes_the_closest_name),
		cmocka_unit_test(the_committed_example_is_the_generated_one),
		cmocka_unit_test(the_committed_documentation_is_the_generated_one),
		cmocka_unit_test(the_committed_man_page_is_the_generated_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
