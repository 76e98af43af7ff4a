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
	       "max_age = 30d\n"
	       "# Not carried over from ~/.rc, or to be looked at:\n"
	       "#   line 2, accounts: there is no [Account B]\n");
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

/* All of a section may stand further to the right; what stands further still goes on. */
static void ini_keys_may_be_indented(void **state)
{
	(void)state;
	expect(MIGRATE_OFFLINEIMAP,
	       "[general]\naccounts = A\n[Account A]\n  localrepository = L\n"
	       "  remoterepository = R\n[Repository L]\n\ttype = Maildir\n"
	       "\tlocalfolders = ~/Mail/a\n\tsep = /\n [Repository R]\n    type = IMAP\n"
	       "    remotehost = h\n    remoteuser = me\n    remotepass = x\n"
	       "    readonly = yes\n    folderfilter = lambda f: f in ['INBOX',\n"
	       "       # a comment\n\n      'b']\n",
	       "# From offlineimap's ~/.rc\n[account A]\nhost = h\nuser = me\n"
	       "# The password stands in clear in ~/.rc, line 14, and is not shown here;\n"
	       "# with --write it is copied to this file, which nobody else may read.\n"
	       "# Better: password_command, such as `pass NAME`.\n"
	       "password_file = ~/.config/mailsync/A.password\ntls = implicit\n"
	       "maildir = ~/Mail/a\nmailboxes = INBOX b\ndirection = pull\n");
}

static void ini_defaults_are_for_all_sections(void **state)
{
	(void)state;
	expect(MIGRATE_OFFLINEIMAP,
	       "[DEFAULT]\nreadonly = yes\ngmailtrash = x\ntype = IMAP\n[general]\n"
	       "accounts = A\n"
	       "[Account A]\nlocalrepository = L\nremoterepository = R\n[Repository L]\n"
	       "type = Maildir\nreadonly = no\nlocalfolders = ~/Mail/a\nsep = /\n"
	       "[Repository R]\nremotehost = h\nremoteuser = me\nremotepassfile = ~/pw\n",
	       "# From offlineimap's ~/.rc\n[account A]\nhost = h\nuser = me\n"
	       "password_file = ~/pw\ntls = implicit\nmaildir = ~/Mail/a\ndirection = pull\n"
	       "# Not carried over from ~/.rc, or to be looked at:\n"
	       "#   line 3, gmailtrash: it is not known here; see whether it is needed\n");
}

/* "%(NAME)s" is another value of the section, or of [DEFAULT]. */
static void ini_values_refer_to_others(void **state)
{
	(void)state;
	expect(MIGRATE_OFFLINEIMAP,
	       "[DEFAULT]\ndomain = example.org\nro = yes\n[general]\naccounts = A\n"
	       "[Account A]\nlocalrepository = L\nremoterepository = R\n[Repository L]\n"
	       "type = Maildir\nbase = ~/Mail\nlocalfolders = %(BASE)s/50%%/x\nsep = /\n"
	       "[Repository R]\ntype = IMAP\nremotehost = imap.%(domain)s\n"
	       "remoteuser = me@%(domain)s\nremotepassfile = ~/pw\nreadonly = %(ro)s\n"
	       "remoteport = %(round)s\nround = %(remoteport)s\n",
	       "# From offlineimap's ~/.rc\n[account A]\nhost = imap.example.org\n"
	       "user = me@example.org\npassword_file = ~/pw\ntls = implicit\n"
	       "maildir = ~/Mail/50%/x\ndirection = pull\n"
	       "# Not carried over from ~/.rc, or to be looked at:\n"
	       "#   line 20, remoteport: it refers to another value, which is not there\n"
	       "#   line 21, round: it refers to another value, which is not there\n");
}

/* What is only taken out of a folder there is not to go to the trash here, which is emptied. */
static void offlineimap_trash_is_one_only_where_it_moved_there(void **state)
{
	static const char *const keys[] = {"trashfolder = Bin\n", "realdelete = yes\n",
					   "realdelete = yes\ntrashfolder = Bin\n"};
	static const char *const lines[] = {"", "trash = [Gmail]/Trash\n", "trash = Bin\n"};
	static const char *const notes[] = {
		"# Not carried over from ~/.rc, or to be looked at:\n"
		"#   line 14, trashfolder: offlineimap does not move there what is deleted, but "
		"takes it out of its folder alone; the key `trash` moves it\n",
		"", ""};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct buf text, want;
		buf_init(&text, 4096);
		buf_init(&want, 4096);
		buf_printf(&text,
			   "[general]\naccounts = A\n[Account A]\nlocalrepository = L\n"
			   "remoterepository = R\n[Repository L]\ntype = Maildir\n"
			   "localfolders = ~/Mail/a\nsep = /\n[Repository R]\ntype = Gmail\n"
			   "remoteuser = me\nremotepassfile = ~/pw\n%s",
			   keys[i]);
		buf_printf(&want,
			   "# From offlineimap's ~/.rc\n[account A]\nuser = me\n"
			   "password_file = ~/pw\nhost = imap.gmail.com\n%stls = implicit\n"
			   "maildir = ~/Mail/a\n%s",
			   lines[i], notes[i]);
		expect(MIGRATE_OFFLINEIMAP, text.data, want.data);
		buf_finish(&want);
		buf_finish(&text);
	}
}

/* A tunnel that leads to the greeting alone: the password is not lost. */
static void a_password_beside_a_tunnel_is_kept(void **state)
{
	(void)state;
	expect(MIGRATE_OFFLINEIMAP,
	       "[general]\naccounts = A\n[Account A]\nlocalrepository = L\n"
	       "remoterepository = R\n[Repository L]\ntype = Maildir\n"
	       "localfolders = ~/Mail/a\nsep = /\n[Repository R]\ntype = IMAP\n"
	       "transporttunnel = openssl s_client -quiet h:993\nremoteuser = me\n"
	       "remotepass = 50%%off\n",
	       "# From offlineimap's ~/.rc\n[account A]\nuser = me\n"
	       "# The password stands in clear in ~/.rc, line 14, and is not shown here;\n"
	       "# with --write it is copied to this file, which nobody else may read.\n"
	       "# Better: password_command, such as `pass NAME`.\n"
	       "password_file = ~/.config/mailsync/A.password\n"
	       "tunnel = openssl s_client -quiet h:993\nmaildir = ~/Mail/a\n");
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

#define OF_TWO                                                                                  \
	"[general]\naccounts = A, B\n[Account A]\nlocalrepository = LA\nremoterepository = R\n" \
	"[Account B]\nlocalrepository = LB\nremoterepository = R\n"                             \
	"[Repository R]\ntype = IMAP\nremotehost = h\nremoteuser = me\nremotepassfile = ~/pw\n"
#define LOCAL(name, path) \
	"[Repository " name "]\ntype = Maildir\nsep = /\nlocalfolders = " path "\n"
#define SECTION(name)                                                           \
	"# From offlineimap's ~/.rc\n[account " name "]\nhost = h\nuser = me\n" \
	"password_file = ~/pw\ntls = implicit\n"
#define IN_FILE "# Not carried over from ~/.rc, or to be looked at:\n"
#define APART   "and mailsync has each apart: move "
#define AGAIN                                                                               \
	" to the `maildir` named here before the first run, or what of it is still on the " \
	"server comes once more\n"

/* The mail of the one would be sent to the other's server. */
static void a_maildir_in_anothers_is_left_out_there(void **state)
{
	(void)state;
	expect(MIGRATE_OFFLINEIMAP, OF_TWO LOCAL("LA", "~/Mail") LOCAL("LB", "~/Mail/b c"),
	       SECTION("A") "maildir = ~/Mail\nmailboxes = * \"!b c\" \"!b c/*\"\n" SECTION(
		       "B") "maildir = ~/Mail-B\n" IN_FILE
			    "#   maildir: ~/Mail/b c lies in ~/Mail, the Maildir of "
			    "account A, " APART "it" AGAIN);
	expect(MIGRATE_OFFLINEIMAP, OF_TWO LOCAL("LA", "~/Mail/a") LOCAL("LB", "~/Mail"),
	       SECTION("A") "maildir = ~/Mail/a\n" SECTION(
		       "B") "maildir = ~/Mail/B\n" IN_FILE
			    "#   maildir: ~/Mail/a, the Maildir of account A, lies in "
			    "~/Mail, " APART "what else is there" AGAIN);
	/* POP3 has no folders, but lies apart, too. */
	expect(MIGRATE_MPOP,
	       "defaults\ntls on\nkeep\nhost h\nuser me\npasswordeval pw\n"
	       "account a\ndelivery maildir ~/Mail\naccount b\ndelivery mda x\n",
	       "# From mpop's ~/.rc\n[account a]\nprotocol = pop3\nhost = h\nuser = me\n"
	       "password_command = pw\ntls = starttls\nmaildir = ~/Mail\ninbox = .\n"
	       "leave_on_server = yes\n"
	       "# From mpop's ~/.rc\n[account b]\nprotocol = pop3\nhost = h\nuser = me\n"
	       "password_command = pw\ntls = starttls\nleave_on_server = yes\n"
	       "maildir = ~/Mail-b\n"
	       "# Not carried over from ~/.rc, or to be looked at:\n"
	       "#   line 10, delivery: where mail went is not known here: name in `maildir` the "
	       "Maildir that has it, and add `inbox = .`; else all that is on the server comes "
	       "once more, into a new one\n");
}

/* Whatever stands in quotes as a whole, and a proxy's address with colons. */
static void mpop_arguments_may_stand_in_quotes(void **state)
{
	(void)state;
	expect(MIGRATE_MPOP,
	       "defaults\ntls on\nkeep on\naccount \"a\"\nhost \"h.example\"\nuser me\n"
	       "passwordeval \"pass 'a b'\"\ndelivery maildir ~/in\nproxy_host ::1\n"
	       "account \"b : a\"\nuser you\ndelivery \"maildir ~/on\"\n",
	       "# From mpop's ~/.rc\n[account a]\nprotocol = pop3\nhost = h.example\nuser = me\n"
	       "password_command = pass 'a b'\ntls = starttls\nmaildir = ~/in\ninbox = .\n"
	       "leave_on_server = yes\nproxy = socks5h://[::1]:1080\n"
	       "# From mpop's ~/.rc\n[account b]\nprotocol = pop3\nhost = h.example\n"
	       "user = you\npassword_command = pass 'a b'\ntls = starttls\nmaildir = ~/on\n"
	       "inbox = .\nleave_on_server = yes\nproxy = socks5h://[::1]:1080\n");
}

/* What is no duration of ours keeps all; nothing is deleted at once. */
static void mpop_keeps_as_long_as_it_says(void **state)
{
	static const struct {
		const char *keep, *leave;
		bool is_told;
	} cases[] = {
		{"", "no", false},
		{"keep", "yes", false},
		{"keep on", "yes", false},
		{"keep off", "no", false},
		{"keep 030", "30d", false},
		{"keep 30d", "30d", false},
		{"keep 2w", "2w", false},
		{"keep 12h", "yes", true},
		{"keep 3 days", "yes", true},
		{"keep 0", "no", false},
		{"keep 123456", "yes", true},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct migrate migrate;
		struct buf text;
		struct err err;
		buf_init(&text, 4096);
		buf_printf(&text,
			   "account a\nhost h\nuser u\npasswordeval p\ntls on\n"
			   "delivery maildir ~/in\n%s\n",
			   cases[i].keep);
		migrate_init(&migrate);
		assert_int_equal(migrate_read(&migrate, buf_span(&text), "x", &err), 0);
		assert_string_equal(migrate_value(&migrate.accounts[0], "leave_on_server"),
				    cases[i].leave);
		assert_int_equal(migrate.accounts[0].note_count, cases[i].is_told);
		migrate_finish(&migrate);
		buf_finish(&text);
	}
}

static void mpop_accounts_that_are_not_there_are_told(void **state)
{
	(void)state;
	expect(MIGRATE_MPOP,
	       "account a : none\nhost h.example\nuser me\npasswordeval pw\ntls on\nkeep\n"
	       "delivery maildir ~/in\n",
	       "# From mpop's ~/.rc\n[account a]\nprotocol = pop3\nhost = h.example\nuser = me\n"
	       "password_command = pw\ntls = starttls\nmaildir = ~/in\ninbox = .\n"
	       "leave_on_server = yes\n"
	       "# Not carried over from ~/.rc, or to be looked at:\n"
	       "#   line 1, account: there is no account none before it\n");
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

#define GETMAIL_IMAP                                                                   \
	"[retriever]\ntype = SimpleIMAPSSLRetriever\nserver = imap.example.org\n"      \
	"username = me\npassword_command = (\"pw\",)\n[destination]\ntype = Maildir\n" \
	"path = ~/Maildir/\n"
#define GETMAIL_ACCOUNT                                                            \
	"# From getmail's ~/.rc\n[account example.org]\nhost = imap.example.org\n" \
	"user = me\npassword_command = pw\ntls = implicit\n"
#define NEW_FOLDERS                                                                    \
	"mailsync has a folder for each mailbox, below `maildir`: all that is on the " \
	"server comes once more, unless you move the Maildir that has it there, "      \
	"under the mailbox's name\n"

/* INBOX has no business in the Maildir of another mailbox. */
static void getmail_mailboxes_without_inbox_are_not_inbox(void **state)
{
	(void)state;
	expect(MIGRATE_GETMAIL,
	       "[retriever]\ntype = SimpleIMAPSSLRetriever\nserver = imap.example.org\n"
	       "username = me\npassword_command = (\"pw\",)\n"
	       "mailboxes = ('INBOX.Lists.x', \"A b\")\n[destination]\ntype = Maildir\n"
	       "path = ~/Maildir/\n",
	       GETMAIL_ACCOUNT "direction = pull\ndelete = none\n"
			       "mailboxes = INBOX.Lists.x Lists/x \"A b\"\n"
			       "maildir = ~/Mail/example.org\n"
			       "# Not carried over from ~/.rc, or to be looked at:\n"
			       "#   line 6, mailboxes: " NEW_FOLDERS);
}

static void getmail_sections_that_are_not_ours_are_told(void **state)
{
	(void)state;
	expect(MIGRATE_GETMAIL,
	       GETMAIL_IMAP "[maildir-a]\ntype = Maildir\n[filter-spam]\ntype = x\n",
	       GETMAIL_ACCOUNT "maildir = ~/Maildir\ninbox = .\nmailboxes = INBOX\n"
			       "direction = pull\ndelete = none\n"
			       "# Not carried over from ~/.rc, or to be looked at:\n"
			       "#   line 9, maildir-a: mailsync has one place for an account's "
			       "mail: see `maildir`\n"
			       "#   line 11, filter-spam: mailsync filters nothing; do it behind "
			       "it (on_new)\n");
}

#define FETCHMAIL_DELIVERY                                                          \
	"#   delivery: where mail went is not known here: name in `maildir` the "   \
	"Maildir that has it, and add `inbox = .`; else all that is on the server " \
	"comes once more, into a new one\n"
#define NOTES "# Not carried over from ~/.rc, or to be looked at:\n"
#define FETCHMAIL_PASSWORD                                                          \
	"# The password stands in clear in ~/.rc, line 1, and is not shown here;\n" \
	"# with --write it is copied to this file, which nobody else may read.\n"   \
	"# Better: password_command, such as `pass NAME`.\n"                        \
	"password_file = ~/.config/mailsync/example.org.password\n"
#define FETCHMAIL_POP3                                                       \
	"# From fetchmail's ~/.rc\n[account example.org]\nprotocol = pop3\n" \
	"host = pop.example.org\n"

/* The name before `there` is the server's, whichever comes first. */
static void fetchmail_users_have_names_here_and_there(void **state)
{
	(void)state;
	expect(MIGRATE_FETCHMAIL,
	       "poll pop.example.org proto pop3 keep user me here is 'you@x' there with pass x\n",
	       FETCHMAIL_POP3 "user = you@x\n" FETCHMAIL_PASSWORD
			      "tls = starttls\nleave_on_server = yes\n"
			      "maildir = ~/Mail/example.org\n" NOTES FETCHMAIL_DELIVERY);
	expect(MIGRATE_FETCHMAIL,
	       "poll pop.example.org proto kpop user you there is me here pass x\n",
	       FETCHMAIL_POP3 "user = you\n" FETCHMAIL_PASSWORD
			      "tls = starttls\nleave_on_server = no\n"
			      "maildir = ~/Mail/example.org\n" NOTES
			      "#   line 1, protocol: mailsync speaks IMAP and POP3 alone; "
			      "POP3 is taken\n" FETCHMAIL_DELIVERY);
}

static void fetchmail_folders_without_inbox_are_not_inbox(void **state)
{
	(void)state;
	expect(MIGRATE_FETCHMAIL,
	       "poll imap.example.org proto imap user me pass x keep folder Lists, 'A b' ssl\n",
	       "# From fetchmail's ~/.rc\n[account example.org]\nhost = imap.example.org\n"
	       "user = me\n" FETCHMAIL_PASSWORD "tls = implicit\ndirection = pull\n"
	       "delete = none\nmailboxes = Lists \"A b\"\nmaildir = ~/Mail/example.org\n" NOTES
		       FETCHMAIL_DELIVERY "#   line 1, folder: " NEW_FOLDERS);
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

/* The user of `defaults` is that of a server that names none, as is what stands behind it. */
static void fetchmail_takes_the_user_of_the_defaults(void **state)
{
	(void)state;
	expect(MIGRATE_FETCHMAIL,
	       "defaults proto pop3 user me ssl keep\n"
	       "poll pop.example.org pass x sslproto TLS1.3\n"
	       "poll pop.example.com user you pass y nokeep sslproto TLS1\n",
	       FETCHMAIL_POP3
	       "user = me\n"
	       "# The password stands in clear in ~/.rc, line 2, and is not shown "
	       "here;\n"
	       "# with --write it is copied to this file, which nobody else may "
	       "read.\n"
	       "# Better: password_command, such as `pass NAME`.\n"
	       "password_file = ~/.config/mailsync/example.org.password\n"
	       "tls = implicit\ntls_min_version = 1.3\nleave_on_server = yes\n"
	       "maildir = ~/Mail/example.org\n" NOTES FETCHMAIL_DELIVERY
	       "# From fetchmail's ~/.rc\n[account example.com]\nprotocol = pop3\n"
	       "host = pop.example.com\nuser = you\n"
	       "# The password stands in clear in ~/.rc, line 3, and is not shown "
	       "here;\n"
	       "# with --write it is copied to this file, which nobody else may "
	       "read.\n"
	       "# Better: password_command, such as `pass NAME`.\n"
	       "password_file = ~/.config/mailsync/example.com.password\n"
	       "tls = implicit\nleave_on_server = no\n"
	       "maildir = ~/Mail/example.com\n" NOTES
	       "#   line 3, sslproto: TLS from 1.2 on is spoken alone\n" FETCHMAIL_DELIVERY);
}

static void mpop_lines_before_all_sections_are_told(void **state)
{
	(void)state;
	expect(MIGRATE_MPOP,
	       "eval echo defaults\naccount a\nhost h\nuser me\npasswordeval pw\ntls on\nkeep\n"
	       "delivery maildir ~/in\n",
	       "# From mpop's ~/.rc\n[account a]\nprotocol = pop3\nhost = h\nuser = me\n"
	       "password_command = pw\ntls = starttls\nmaildir = ~/in\ninbox = .\n"
	       "leave_on_server = yes\n"
	       "# Not carried over from ~/.rc, or to be looked at:\n"
	       "#   line 1, eval: put the line itself in its place\n");
}

/* What 0 is there: no limit, or a mistake; so is what is no number, or too large. None is a value
 * of ours. */
static void a_number_of_nothing_is_no_value(void **state)
{
	static const char *const texts[] = {
		"IMAPStore far\nHost h\nUser u\nPassCmd p\nTimeout 0\n\n" NEAR CHANNEL,
		"[general]\naccounts = A\n[Account A]\nlocalrepository = L\nremoterepository = R\n"
		"maxsize = 0\n[Repository L]\ntype = Maildir\nlocalfolders = ~/Mail\n"
		"[Repository R]\ntype = IMAP\nremotehost = h\nremoteuser = u\nremoteport = 00\n"
		"maxconnections = 0\n",
		"[general]\naccounts = A\n[Account A]\nlocalrepository = L\nremoterepository = R\n"
		"[Repository L]\ntype = Maildir\nlocalfolders = ~/Mail\n"
		"[Repository R]\ntype = IMAP\nremotehost = h\nremoteuser = u\n"
		"remoteport = 65536\nmaxconnections = many\n",
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
		cmocka_unit_test(ini_keys_may_be_indented),
		cmocka_unit_test(ini_defaults_are_for_all_sections),
		cmocka_unit_test(ini_values_refer_to_others),
		cmocka_unit_test(offlineimap_trash_is_one_only_where_it_moved_there),
		cmocka_unit_test(a_password_beside_a_tunnel_is_kept),
		cmocka_unit_test(a_name_that_means_something_here_selects_no_more),
		cmocka_unit_test(mpop_accounts_take_over_from_others),
		cmocka_unit_test(a_maildir_in_anothers_is_left_out_there),
		cmocka_unit_test(mpop_arguments_may_stand_in_quotes),
		cmocka_unit_test(mpop_lines_before_all_sections_are_told),
		cmocka_unit_test(mpop_keeps_as_long_as_it_says),
		cmocka_unit_test(mpop_accounts_that_are_not_there_are_told),
		cmocka_unit_test(getmail_has_one_account),
		cmocka_unit_test(getmail_mailboxes_without_inbox_are_not_inbox),
		cmocka_unit_test(getmail_sections_that_are_not_ours_are_told),
		cmocka_unit_test(fetchmail_users_have_names_here_and_there),
		cmocka_unit_test(fetchmail_folders_without_inbox_are_not_inbox),
		cmocka_unit_test(fetchmail_has_an_account_for_each_user),
		cmocka_unit_test(fetchmail_takes_the_user_of_the_defaults),
		cmocka_unit_test(a_number_of_nothing_is_no_value),
		cmocka_unit_test(a_password_is_kept_apart),
		cmocka_unit_test(what_is_no_configuration_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
