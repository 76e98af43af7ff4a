/* Configurations of other programs, and the sections they come to. mbsync has a file of its own. */
#include "migrate_scene.h"

static void offlineimap_accounts_are_pairs_of_repositories(void **state)
{
	(void)state;
	expect(MIGRATE_OFFLINEIMAP,
	       "[general]\naccounts = A , B\n[Account A]\nlocalrepository: L\nremoterepository: R\n"
	       "maxage = 30\n[Repository L]\ntype = Maildir\nlocalfolders = ~/Mail/a/\nsep = /\n"
	       "[Repository R]\ntype = Gmail\nremoteuser = m%%e\nreadonly = yes\n"
	       "folderfilter = lambda f: f in ['INBOX',\n    \"A B\"]\n",
	       "# From offlineimap's ~/.rc\n[account A]\nuser = m%e\n"
	       "password_file = ~/.config/mailsync/A.password\nhost = imap.gmail.com\n"
	       "tls = implicit\nmaildir = ~/Mail/a\nmailboxes = INBOX \"A B\"\ndirection = pull\n"
	       "max_age = 30d\n");
}

static void offlineimap_folders_that_it_did_not_see_are_not_made(void **state)
{
	(void)state;
	expect(MIGRATE_OFFLINEIMAP,
	       "[general]\naccounts = A\n[Account A]\nlocalrepository: L\nremoterepository: R\n"
	       "[Repository L]\ntype = Maildir\nlocalfolders = ~/Mail/a/\nsep = /\n"
	       "folderfilter = lambda f: f != 'notes'\n"
	       "[Repository R]\ntype = Gmail\nremoteuser = me\nreference = Mail\n",
	       "# From offlineimap's ~/.rc\n[account A]\nuser = me\n"
	       "password_file = ~/.config/mailsync/A.password\nhost = imap.gmail.com\n"
	       "tls = implicit\nmaildir = ~/Mail/a\ncreate = none\n"
	       "# Not carried over from ~/.rc, or to be looked at:\n"
	       "#   line 10, folderfilter: it is Python, which is not run here. Take out of "
	       "`mailboxes` what it keeps here. Until then no mailbox is made on either side "
	       "(`create = none`)\n"
	       "#   line 14, reference: offlineimap saw only what lies below it. Put that into "
	       "`mailboxes`, without the server's own prefix (NAMESPACE). Until then no mailbox "
	       "is made on either side (`create = none`)\n");
}

/* What cannot be written is not taken in, and what is left out stays out. */
static void a_name_that_means_something_here_selects_no_more(void **state)
{
	(void)state;
	expect(MIGRATE_OFFLINEIMAP,
	       "[general]\naccounts = A\n[Account A]\nlocalrepository: L\nremoterepository: R\n"
	       "[Repository L]\ntype = Maildir\nlocalfolders = ~/Mail/a/\nsep = /\n"
	       "[Repository R]\ntype = Gmail\nremoteuser = me\n"
	       "folderfilter = lambda f: f in ['!a', '\\\\All', 'a*', 'b']\n",
	       "# From offlineimap's ~/.rc\n[account A]\nuser = me\n"
	       "password_file = ~/.config/mailsync/A.password\nhost = imap.gmail.com\n"
	       "tls = implicit\nmaildir = ~/Mail/a\nmailboxes = b\n"
	       "# Not carried over from ~/.rc, or to be looked at:\n"
	       "#   line 13, mailboxes: a pattern that cannot be written here\n"
	       "#   line 13, mailboxes: a pattern that cannot be written here\n"
	       "#   line 13, mailboxes: a name with * or % in it, which stand for others here\n");
	expect(MIGRATE_MBSYNC, FAR NEAR CHANNEL "Patterns * \"!a, b,\" \"!&AMk-\" !c&ACI-\n",
	       SIDES "mailboxes = * * \"!a% b%\" !É !c&ACI-\nexpunge = both\n"
		     "# Not carried over from ~/.rc, or to be looked at:\n"
		     "#   line 18, mailboxes: a pattern that cannot be written here: what comes "
		     "near to it is left out\n");
}

static void mpop_accounts_take_over_from_others(void **state)
{
	(void)state;
	expect(MIGRATE_MPOP,
	       "defaults\ntls on\n\naccount a\nhost h.example\nuser \"me\"\npasswordeval pw\n"
	       "delivery maildir ~/in\n# comment\naccount b : a\nuser you\npassword hidden\n"
	       "keep\ntls_starttls off\ndelivery maildir ~/on\naccount default : b\n",
	       "# From mpop's ~/.rc\n[account a]\nprotocol = pop3\nhost = h.example\nuser = me\n"
	       "password_command = pw\ntls = starttls\nmaildir = ~/in\ninbox = .\n"
	       "leave_on_server = no\n"
	       "# From mpop's ~/.rc\n[account b]\nprotocol = pop3\nhost = h.example\nuser = you\n"
	       "# The password stands in clear in ~/.rc, line 12, and is not shown here;\n"
	       "# with --write it is copied to this file, which nobody else may read.\n"
	       "# Better: password_command, such as `pass NAME`.\n"
	       "password_file = ~/.config/mailsync/b.password\ntls = implicit\nmaildir = ~/on\n"
	       "inbox = .\nleave_on_server = yes\n");
	/* A Maildir has one account. */
	expect(MIGRATE_MPOP,
	       "account a\nhost h.example\nuser me\npasswordeval pw\ntls on\ndelivery maildir "
	       "~/in\n"
	       "account b : a\nuser you\n",
	       "# From mpop's ~/.rc\n[account a]\nprotocol = pop3\nhost = h.example\nuser = me\n"
	       "password_command = pw\ntls = starttls\nmaildir = ~/in\ninbox = .\n"
	       "leave_on_server = no\n"
	       "# From mpop's ~/.rc\n[account b]\nprotocol = pop3\nhost = h.example\nuser = you\n"
	       "password_command = pw\ntls = starttls\nleave_on_server = no\nmaildir = ~/Mail/b\n"
	       "# Not carried over from ~/.rc, or to be looked at:\n"
	       "#   maildir: account a has ~/in, and mailsync a Maildir for each account: what "
	       "this "
	       "one fetched lies there, and what of it is still on the server comes once more\n");
}

static void getmail_has_one_account(void **state)
{
	(void)state;
	expect(MIGRATE_GETMAIL,
	       "[retriever]\ntype = SimplePOP3SSLRetriever\nserver = pop.example.org\n"
	       "username = me\npassword_command = (\"pass\", 'it''s \"x\"',)\n[destination]\n"
	       "type = Maildir\npath = ~/Maildir/\n[options]\ndelete_after = 7\n",
	       "# From getmail's ~/.rc\n[account example.org]\nprotocol = pop3\n"
	       "host = pop.example.org\nuser = me\n"
	       "password_file = ~/.config/mailsync/example.org.password\ntls = implicit\n"
	       "maildir = ~/Maildir\ninbox = .\nleave_on_server = 7d\n"
	       "# Not carried over from ~/.rc, or to be looked at:\n"
	       "#   line 5, password_command: it is no list of words\n");
}

static void fetchmail_has_an_account_for_each_user(void **state)
{
	(void)state;
	expect(MIGRATE_FETCHMAIL,
	       "poll imap.example.org proto imap, user \"me\" there with pass \"x\\x20y\" is me "
	       "here "
	       "ssl keep\n",
	       "# From fetchmail's ~/.rc\n[account example.org]\nhost = imap.example.org\nuser = "
	       "me\n"
	       "# The password stands in clear in ~/.rc, line 1, and is not shown here;\n"
	       "# with --write it is copied to this file, which nobody else may read.\n"
	       "# Better: password_command, such as `pass NAME`.\n"
	       "password_file = ~/.config/mailsync/example.org.password\ntls = implicit\n"
	       "mailboxes = INBOX\ndirection = pull\ndelete = none\nmaildir = ~/Mail/example.org\n"
	       "# Not carried over from ~/.rc, or to be looked at:\n"
	       "#   delivery: where mail went is not known here: name in `maildir` the Maildir "
	       "that "
	       "has it, and add `inbox = .`; else all that is on the server comes once more, "
	       "into a "
	       "new one\n");
}

/* What 0 is there: no limit, or a mistake. Neither is a value of ours. */
static void a_number_of_nothing_is_no_value(void **state)
{
	static const char *const texts[] = {
		"IMAPStore far\nHost h\nUser u\nPassCmd p\nTimeout 0\n\n" NEAR CHANNEL,
		"[general]\naccounts = A\n[Account A]\nlocalrepository = L\nremoterepository = R\n"
		"maxsize = 0\n[Repository L]\ntype = Maildir\nlocalfolders = ~/Mail\n"
		"[Repository R]\ntype = IMAP\nremotehost = h\nremoteuser = u\nremoteport = 00\n"
		"maxconnections = 0\n",
		"account a\nhost h\nuser u\npasswordeval p\ndelivery maildir ~/in\nport 0\n"
		"timeout 0\nskipsize 0\n",
		"account a\nhost h\nuser u\npasswordeval p\ndelivery maildir ~/in\ntimeout off\n"
		"skipsize off\n",
		"[retriever]\ntype = SimplePOP3Retriever\nserver = h\nusername = u\ntimeout = 0\n"
		"[options]\nmax_message_size = 0\n",
		"poll h proto pop3 timeout 0 port 0 user u pass p limit 0\n",
	};
	static const char *const keys[] = {"port", "timeout", "connections", "max_message_size"};
	struct migrate migrate;
	struct buf out;
	struct err err;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		buf_init(&out, 1 << 20);
		migrate_init(&migrate);
		assert_int_equal(migrate_read(&migrate, span_of(texts[i]), "x", &err), 0);
		assert_int_equal(migrate.count, 1);
		for (size_t k = 0; k < sizeof(keys) / sizeof(keys[0]); k++) {
			assert_null(migrate_value(&migrate.accounts[0], keys[k]));
		}
		migrate_write(&migrate.accounts[0], migrate.kind, &place, &out);
		expect_readable(&out);
		buf_finish(&out);
		migrate_finish(&migrate);
	}
}

static void a_password_is_kept_apart(void **state)
{
	struct migrate migrate;
	struct err err;

	(void)state;
	migrate_init(&migrate);
	assert_int_equal(
		migrate_read(&migrate,
			     SPAN_LIT("poll h.example proto pop3 user me pass 'a\\x20\"b'\n"),
			     ".fetchmailrc", &err),
		0);
	assert_int_equal(migrate.count, 1);
	assert_string_equal(migrate.accounts[0].password.data, "a \"b");
	assert_true(migrate_needs_password(&migrate.accounts[0]));
	migrate_finish(&migrate);
}

static void what_is_no_configuration_is_refused(void **state)
{
	static const struct {
		const char *text, *file;
	} cases[] = {
		{"", "x"},
		{"hello\n", "notes.txt"},
		{"hello\n", ".mbsyncrc"},
		{"[retriever]\ntype = x\n", "getmailrc"},
		{"IMAPStore a\nHost b\n", "x"},
		{"[Account x]\n", "x"},
	};
	struct migrate migrate;
	struct err err;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		migrate_init(&migrate);
		assert_int_equal(
			migrate_read(&migrate, span_of(cases[i].text), cases[i].file, &err),
			-ERR_CONFIG);
		migrate_finish(&migrate);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(offlineimap_accounts_are_pairs_of_repositories),
		cmocka_unit_test(offlineimap_folders_that_it_did_not_see_are_not_made),
		cmocka_unit_test(a_name_that_means_something_here_selects_no_more),
		cmocka_unit_test(mpop_accounts_take_over_from_others),
		cmocka_unit_test(getmail_has_one_account),
		cmocka_unit_test(fetchmail_has_an_account_for_each_user),
		cmocka_unit_test(a_number_of_nothing_is_no_value),
		cmocka_unit_test(a_password_is_kept_apart),
		cmocka_unit_test(what_is_no_configuration_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
