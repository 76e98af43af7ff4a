/* Configurations of other programs, and the sections they come to. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "mailsync/conf/conf.h"
#include "mailsync/migrate/migrate.h"

static const struct migrate_place place = {"~/.rc", "~/.config/mailsync"};

/* The sections are read as a configuration, too. */
static void expect_readable(const struct buf *text)
{
	char path[] = "/tmp/test-migrate-XXXXXX";
	struct conf *conf = NULL;
	struct conf_errors errors;
	struct err err;
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text->data, text->len), text->len);
	close(fd);
	if (conf_load(&conf, path, &errors, &err) < 0) {
		fail_msg("%s", errors.count > 0 ? errors.items[0].text : err.text);
	}
	conf_destroy(&conf);
	conf_errors_finish(&errors);
	unlink(path);
}

/* TEXT, of KIND, comes to SECTIONS. */
static void expect(enum migrate_kind kind, const char *text, const char *sections)
{
	struct migrate migrate;
	struct buf out;
	struct err err;

	buf_init(&out, 1 << 20);
	migrate_init(&migrate);
	if (migrate_read(&migrate, span_of(text), "/home/me/.rc", &err) < 0) {
		fail_msg("%s", err.text);
	}
	assert_int_equal(migrate.kind, kind);
	for (size_t i = 0; i < migrate.count; i++) {
		migrate_write(&migrate.accounts[i], kind, &place, &out);
	}
	migrate_write_rest(&migrate, &place, &out);
	assert_string_equal(out.data, sections);
	expect_readable(&out);
	buf_finish(&out);
	migrate_finish(&migrate);
}

#define FAR                                                                             \
	"IMAPStore far\nHost imap.example.org\nUser me\nPassCmd \"pass \\\"a b\\\"\"\n" \
	"SSLType IMAPS\n\n"
#define NEAR "MaildirStore near\nPath ~/Mail/x/\nInbox ~/Mail/x/INBOX\nSubFolders Verbatim\n\n"
#define SIDES                                                                        \
	"# From mbsync's ~/.rc\n[account far]\nhost = imap.example.org\nuser = me\n" \
	"tls = implicit\npassword_command = pass \"a b\"\nmaildir = ~/Mail/x\n"
#define SIDES_INBOX                                                                         \
	"# From mbsync's ~/.rc\n[account far-inbox]\nhost = imap.example.org\nuser = me\n"  \
	"tls = implicit\npassword_command = pass \"a b\"\nmaildir = ~/Maildir\ninbox = .\n" \
	"mailboxes = INBOX\nexpunge = both\n"
#define APART                                                                   \
	"MaildirStore near\nPath ~/Mail/x/\nSubFolders Verbatim\n\nChannel c\n" \
	"Far :far:\nNear :near:\nCreate Both\nExpunge Both\n"
#define FAR_BELOW                                                                       \
	"IMAPStore far\nHost imap.example.org\nUser me\nPassCmd \"pass \\\"a b\\\"\"\n" \
	"SSLType IMAPS\nPath [Gmail]/\n\n"
#define CHANNEL "Channel c\nFar :far:\nNear :near:\nCreate Both\nExpunge Both\nPatterns *\n"

static void mbsync_channels_become_an_account(void **state)
{
	(void)state;
	expect(MIGRATE_MBSYNC, FAR NEAR CHANNEL, SIDES "mailboxes = *\nexpunge = both\n");
	/* One store for all; Master and Slave as before 1.4. */
	expect(MIGRATE_MBSYNC,
	       FAR NEAR "Channel c\nMaster :far:\nSlave :near:\nCreate Slave\nExpunge Master\n"
			"Pattern \"A B\" \nPattern !&AMk-t&AOk-\n",
	       SIDES
	       "mailboxes = \"A B\" !Été\ndelete = remote\nexpunge = remote\ncreate = local\n"
	       "# Not carried over from ~/.rc, or to be looked at:\n"
	       "#   line 12, expunge: without it mbsync only marks as deleted what is gone from "
	       "the other side; mailsync leaves it alone there (`delete`)\n");
}

static void mbsync_sync_says_what_goes_where(void **state)
{
	static const struct {
		const char *sync, *keys;
	} cases[] = {
		{"All", ""},
		{"Full", ""},
		{"New Delete Flags", ""},
		{"Pull New", "copy = local\nflags = none\ndelete = none\n"},
		{"PullNew Push", "copy = both\nflags = remote\ndelete = remote\n"},
		{"Push", "copy = remote\nflags = remote\ndelete = remote\n"},
		{"None", "copy = none\nflags = none\ndelete = none\n"},
		{"Pull Gone", "copy = none\nflags = none\ndelete = local\n"},
		{"PullFlags PushNew", "copy = remote\nflags = local\ndelete = none\n"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct buf text, want;
		const char *keys = cases[i].keys;
		buf_init(&text, 4096);
		buf_init(&want, 4096);
		buf_printf(&text, "%sSync %s\n", FAR NEAR CHANNEL, cases[i].sync);
		keys += strncmp(keys, "copy = both\n", 12) == 0 ? 12 : 0;
		buf_printf(&want, "%s%sexpunge = both\n", SIDES "mailboxes = *\n", keys);
		expect(MIGRATE_MBSYNC, text.data, want.data);
		buf_finish(&want);
		buf_finish(&text);
	}
}

#define DIFFERS                                                                              \
	": channel b differs in this from channel a: the account does only what all of its " \
	"channels do\n"

static void mbsync_channels_that_differ_do_what_all_of_them_do(void **state)
{
	(void)state;
	expect(MIGRATE_MBSYNC,
	       "Create Both\nExpunge Near\n\n" FAR NEAR
	       "Channel a\nFar :far:A\nNear :near:A\nSync Pull\n\n"
	       "Channel b\nFar :far:B\nNear :near:B\nExpunge Both\nCreate Near\n",
	       SIDES "mailboxes = A B\ndirection = pull\ncopy = local\nflags = local\n"
		     "delete = local\nexpunge = local\ncreate = local\n"
		     "# Not carried over from ~/.rc, or to be looked at:\n"
		     "#   line 20, copy" DIFFERS "#   line 20, flags" DIFFERS
		     "#   line 20, delete" DIFFERS "#   line 20, expunge" DIFFERS
		     "#   line 20, create" DIFFERS);
	/* Who is far and who near may differ, too: one fetches, the other sends. */
	expect(MIGRATE_MBSYNC,
	       "Create Both\nExpunge Both\n\n" FAR NEAR
	       "Channel a\nFar :far:A\nNear :near:A\nSync Pull\n\n"
	       "Channel b\nFar :near:B\nNear :far:B\nSync Pull\n",
	       SIDES "mailboxes = A B\ncopy = none\nflags = none\ndelete = none\n"
		     "expunge = both\n"
		     "# Not carried over from ~/.rc, or to be looked at:\n"
		     "#   line 20, copy" DIFFERS "#   line 20, flags" DIFFERS
		     "#   line 20, delete" DIFFERS);
}

static void mbsync_removal_of_empty_mailboxes_is_none_of_full_ones(void **state)
{
	(void)state;
	expect(MIGRATE_MBSYNC, "Remove Both\n\n" FAR NEAR CHANNEL,
	       SIDES "mailboxes = *\nexpunge = both\n"
		     "# Not carried over from ~/.rc, or to be looked at:\n"
		     "#   line 1, remove: mbsync removes only mailboxes that are empty, mailsync "
		     "what is in them, too: see the key `remove_mailboxes`, without which it "
		     "removes none\n");
	/* Once, though each channel asks. */
	expect(MIGRATE_MBSYNC,
	       "Remove Near\nMaxMessages 9\nCreate Both\nExpunge Both\n\n" FAR NEAR
	       "Channel a\nFar :far:A\nNear :near:A\n\n"
	       "Channel b\nFar :far:B\nNear :near:B\nRemove None\nMaxMessages 0\n",
	       SIDES "mailboxes = A B\nexpunge = both\n"
		     "# Not carried over from ~/.rc, or to be looked at:\n"
		     "#   line 2, maxmessages: mailsync does not count messages: what is on the "
		     "server and not here will be downloaded, unless you limit it by max_age\n"
		     "#   line 1, remove: mbsync removes only mailboxes that are empty, mailsync "
		     "what is in them, too: see the key `remove_mailboxes`, without which it "
		     "removes none\n");
}

static void mbsync_layouts_that_differ_are_guarded(void **state)
{
	(void)state;
	expect(MIGRATE_MBSYNC,
	       FAR "MaildirStore near\nInbox ~/Maildir\nSubFolders Maildir++\n\n" CHANNEL,
	       "# From mbsync's ~/.rc\n[account far]\nhost = imap.example.org\nuser = me\n"
	       "tls = implicit\npassword_command = pass \"a b\"\nmaildir = ~/Maildir\n"
	       "layout = maildir++\nmailboxes = *\nexpunge = both\n");
	expect(MIGRATE_MBSYNC,
	       FAR "MaildirStore near\nPath ~/Mail/x/\nInbox ~/Mail/x/in\nFlatten _\n\n" CHANNEL,
	       SIDES "inbox = in\nmailboxes = * !*/*\nexpunge = both\ncreate = none\n"
		     "# Not carried over from ~/.rc, or to be looked at:\n"
		     "#   line 10, flatten: the folder of a mailbox a/b is not a/b here: these "
		     "mailboxes are left out, and none is made, until you rename the folders; then "
		     "take \"!*/*\" and `create` away\n");
	/* A folder of the store for each account. */
	expect(MIGRATE_MBSYNC,
	       FAR NEAR "Channel c\nFar :far:\nNear :near:work/\nCreate Both\nExpunge Both\n"
			"Patterns *\n",
	       "# From mbsync's ~/.rc\n[account far]\nhost = imap.example.org\nuser = me\n"
	       "tls = implicit\npassword_command = pass \"a b\"\nmaildir = ~/Mail/x/work\n"
	       "mailboxes = *\nexpunge = both\n");
}

static void mbsync_inboxes_of_one_store_are_maildirs_of_their_own(void **state)
{
	(void)state;
	expect(MIGRATE_MBSYNC,
	       "IMAPStore far\nHost imaps:a.example\nUser me\nPassCmd a\n\n"
	       "IMAPStore other\nHost b.example\nPassCmd b\nUser you\n\n"
	       "MaildirStore near\nPath ~/Mail/\n\n"
	       "Create Both\nExpunge Both\n\n"
	       "Channel a\nFar :far:\nNear :near:work\n\n"
	       "Channel b\nFar :other:\nNear :near:home\n",
	       "# From mbsync's ~/.rc\n[account far]\nhost = a.example\nuser = me\ntls = implicit\n"
	       "password_command = a\nmaildir = ~/Mail/work\ninbox = .\nmailboxes = INBOX\n"
	       "expunge = both\n"
	       "# From mbsync's ~/.rc\n[account other]\nhost = b.example\nuser = you\n"
	       "tls = starttls\npassword_command = b\nmaildir = ~/Mail/home\ninbox = .\n"
	       "mailboxes = INBOX\nexpunge = both\n");
}

/* PATTERNS of a channel whose server's INBOX lies outside of Path: the account's sections. */
static void expect_apart(const char *patterns, const char *mailboxes, bool has_inbox)
{
	struct buf text, want;

	buf_init(&text, 4096);
	buf_init(&want, 4096);
	buf_printf(&text, "%s%sPatterns %s\n", FAR, APART, patterns);
	buf_printf(&want, "%smailboxes = %s\nexpunge = both\n%s", SIDES, mailboxes,
		   has_inbox ? SIDES_INBOX : "");
	expect(MIGRATE_MBSYNC, text.data, want.data);
	buf_finish(&want);
	buf_finish(&text);
}

static void mbsync_patterns_tell_whether_inbox_is_among_the_mailboxes(void **state)
{
	(void)state;
	expect_apart("*", "* !INBOX !INBOX/*", true);
	expect_apart("% !INBOX", "% !INBOX !INBOX/*", false);
	expect_apart("Lists/* Archive%", "Lists/* Archive% !INBOX/*", false);
	expect_apart("\"a b\" INB* !Spam", "\"a b\" INB* !Spam !INBOX !INBOX/*", true);
	expect_apart("INBOX2", "INBOX2 !INBOX/*", false);
}

static void mbsync_selects_nothing_before_the_first_pattern(void **state)
{
	(void)state;
	expect(MIGRATE_MBSYNC, FAR APART "Patterns !Spam\n",
	       SIDES "expunge = both\nmailboxes = !*\n");
	expect_apart("!Spam Lists/* !Lists/x", "Lists/* !Lists/x !INBOX/*", false);
}

#define PREFIX_NOTE                                                                            \
	"# Not carried over from ~/.rc, or to be looked at:\n"                                 \
	"#   line 6, path: on the server the names of all mailboxes but INBOX begin with it, " \
	"and here they do not: they are left out. Where it is the server's own prefix "        \
	"(NAMESPACE), which mailsync leaves out of names, too, put the patterns into "         \
	"`mailboxes`; else rename the folders before\n"

static void mbsync_mailboxes_below_a_path_of_the_server_are_left_out(void **state)
{
	(void)state;
	expect(MIGRATE_MBSYNC, FAR_BELOW NEAR CHANNEL,
	       SIDES "expunge = both\nmailboxes = !*\n" PREFIX_NOTE
		     "#   line 15, c: what is [Gmail]/... on the server is ... here; mailsync has "
		     "equal names only. Rename the folders, then put the names into `mailboxes`\n");
	expect(MIGRATE_MBSYNC,
	       FAR_BELOW NEAR "Channel c\nFar :far:\nNear :near:\nCreate Both\nExpunge Both\n\n"
			      "Channel d\nFar :far:Drafts\nNear :near:Drafts\nCreate Both\n"
			      "Expunge Both\n",
	       SIDES "mailboxes = INBOX\nexpunge = both\n" PREFIX_NOTE
		     "#   line 21, d: the server's [Gmail]/Drafts is Drafts here; mailsync has "
		     "equal names only. Rename the folder Drafts to [Gmail]/Drafts, then put "
		     "\"[Gmail]/Drafts\" into `mailboxes`\n");
}

static void mbsync_other_names_of_inbox_are_left_out(void **state)
{
	(void)state;
	expect(MIGRATE_MBSYNC,
	       "IMAPStore far\nHost imap.example.org\nUser me\nPassCmd \"pass \\\"a b\\\"\"\n"
	       "SSLType IMAPS\nMapInbox In\nUseNamespace no\n\n"
	       "MaildirStore near\nPath ~/Mail/x/\nInbox ~/Mail/x/INBOX\nMapInbox \"In Box\"\n"
	       "\n" CHANNEL,
	       SIDES
	       "mailboxes = * !In \"!In Box\"\nexpunge = both\ncreate = none\n"
	       "# Not carried over from ~/.rc, or to be looked at:\n"
	       "#   line 6, mapinbox: the folder of that name has INBOX's mail: it is left out; "
	       "name it in `inbox`\n"
	       "#   line 12, mapinbox: mbsync had the server's mailbox of that name in INBOX's "
	       "folder: it is left out\n"
	       "#   line 7, usenamespace: the server's own prefix (NAMESPACE) is left out of "
	       "names. Where it has one, rename the folders; until then no mailbox is made on "
	       "either side (`create = none`)\n");
	expect(MIGRATE_MBSYNC,
	       FAR NEAR "Channel c\nFar :far:INBOX\nNear :near:\nCreate Both\nExpunge Both\n",
	       SIDES "mailboxes = INBOX\nexpunge = both\n");
}

static void mbsync_inbox_in_a_store_of_an_unknown_place_stays_there(void **state)
{
	(void)state;
	expect(MIGRATE_MBSYNC,
	       FAR "MaildirStore near\nPath Mail/\nInbox Mail/INBOX\n\n"
		   "Channel c\nFar :far:\nNear :near:work\nCreate Both\nExpunge Both\n",
	       "# From mbsync's ~/.rc\n[account far]\nhost = imap.example.org\nuser = me\n"
	       "tls = implicit\npassword_command = pass \"a b\"\ninbox = work\n"
	       "mailboxes = INBOX\nexpunge = both\nmaildir = ~/Mail/far\n"
	       "# Not carried over from ~/.rc, or to be looked at:\n"
	       "#   line 7, maildir: the path is neither absolute nor below ~/; put the whole of "
	       "it here\n");
}

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
		cmocka_unit_test(mbsync_channels_become_an_account),
		cmocka_unit_test(mbsync_sync_says_what_goes_where),
		cmocka_unit_test(mbsync_channels_that_differ_do_what_all_of_them_do),
		cmocka_unit_test(mbsync_removal_of_empty_mailboxes_is_none_of_full_ones),
		cmocka_unit_test(mbsync_layouts_that_differ_are_guarded),
		cmocka_unit_test(mbsync_inboxes_of_one_store_are_maildirs_of_their_own),
		cmocka_unit_test(mbsync_patterns_tell_whether_inbox_is_among_the_mailboxes),
		cmocka_unit_test(mbsync_selects_nothing_before_the_first_pattern),
		cmocka_unit_test(mbsync_mailboxes_below_a_path_of_the_server_are_left_out),
		cmocka_unit_test(mbsync_other_names_of_inbox_are_left_out),
		cmocka_unit_test(mbsync_inbox_in_a_store_of_an_unknown_place_stays_there),
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
