/* The file of mbsync: accounts and stores, put together by channels. */
#include "migrate_scene.h"

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

#define SENT                                                                                     \
	"the server's Sent is sent here; mailsync has equal names only. Rename the folder sent " \
	"to Sent, then put \"Sent\" into `mailboxes`\n"

/* Where INBOX alone is an account's, what is to be renamed has its place all the same. */
static void mbsync_folders_to_be_renamed_stay_in_the_maildir(void **state)
{
	(void)state;
	expect(MIGRATE_MBSYNC,
	       FAR
	       "MaildirStore near\nPath ~/Mail/x/\nInbox ~/Mail/x/in\n\n"
	       "Create Both\nExpunge Both\n\n"
	       "Channel a\nFar :far:\nNear :near:\n\nChannel b\nFar :far:Sent\nNear :near:sent\n",
	       SIDES "inbox = in\nmailboxes = INBOX\nexpunge = both\n"
		     "# Not carried over from ~/.rc, or to be looked at:\n"
		     "#   line 20, b: " SENT);
	/* Of a store that is others', too, each has his own folder. */
	expect(MIGRATE_MBSYNC,
	       "IMAPStore far\nHost a.example\nUser me\nPassCmd a\n\n"
	       "IMAPStore other\nHost b.example\nPassCmd b\nUser you\n\n"
	       "MaildirStore near\nPath ~/Mail/\n\n"
	       "Create Both\nExpunge Both\n\n"
	       "Channel a\nFar :far:\nNear :near:work\n\n"
	       "Channel as\nFar :far:Sent\nNear :near:sent\n\n"
	       "Channel b\nFar :other:\nNear :near:home\n",
	       "# From mbsync's ~/.rc\n[account far]\nhost = a.example\nuser = me\n"
	       "tls = starttls\npassword_command = a\nmaildir = ~/Mail/work\ninbox = .\n"
	       "mailboxes = INBOX\nexpunge = both\n"
	       "# Not carried over from ~/.rc, or to be looked at:\n"
	       "#   line 23, as: " SENT
	       "#   line 19, maildir: what is to be renamed goes below it, since the folder around "
	       "it is other accounts', too\n"
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

/* Behind values, which may stand in quotes like any word. */
static void mbsync_comments_may_stand_behind_values(void **state)
{
	(void)state;
	expect(MIGRATE_MBSYNC,
	       "IMAPAccount \"my work\" # w\nHost h.example # h\nUser me\n"
	       "PassCmd \"p # q\" # p\n"
	       "SSLType IMAPS # s\nSSLVersions TLSv1.3 # not TLSv1.2-\nTimeout 60 # t\n\n"
	       "IMAPStore far\nAccount \"my work\" # a\nSubscribedOnly yes # s\n\n"
	       "MaildirStore near # n\nInbox ~/Maildir # i\nSubFolders Maildir++ # f\n\n"
	       "Channel \"c\" # c\nFar :far:\nNear :near:\nCreate \"Both\" # b\n"
	       "Expunge Near # e\nMaxMessages 0 # m\nSync All # s\nPatterns * !x # y\n",
	       "# From mbsync's ~/.rc\n[account my_work]\nhost = h.example\nuser = me\n"
	       "tls = implicit\ntls_min_version = 1.3\npassword_command = p # q\ntimeout = 60\n"
	       "subscribed_only = yes\nmaildir = ~/Maildir\nlayout = maildir++\n"
	       "mailboxes = * !x\ndelete = local\nexpunge = local\n"
	       "# Not carried over from ~/.rc, or to be looked at:\n"
	       "#   line 17, expunge: without it mbsync only marks as deleted what is gone from "
	       "the other side; mailsync leaves it alone there (`delete`)\n");
}

/* Its mail is in a mailbox of another name there: it is not to be sent to one of its own. */
static void mbsync_folders_of_other_names_become_no_mailboxes(void **state)
{
	(void)state;
	expect(MIGRATE_MBSYNC,
	       FAR NEAR CHANNEL
	       "\nChannel s\nFar :far:\"[Gmail]/Sent Mail\"\nNear :near:sent\nCreate Both\n"
	       "Expunge Both\n\nChannel p\nFar :far:Lists/\nNear :near:l/\nPatterns *\n"
	       "Create Both\nExpunge Both\n",
	       SIDES "mailboxes = * !sent !l/*\nexpunge = both\n"
		     "# Not carried over from ~/.rc, or to be looked at:\n"
		     "#   line 21, s: the server's [Gmail]/Sent Mail is sent here; mailsync has "
		     "equal names only. Rename the folder sent to [Gmail]/Sent Mail, then put "
		     "\"[Gmail]/Sent Mail\" into `mailboxes`\n"
		     "#   line 27, p: what is Lists/... on the server is l/... here; mailsync has "
		     "equal names only. Rename the folders, then put the names into "
		     "`mailboxes`\n");
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
		cmocka_unit_test(mbsync_folders_to_be_renamed_stay_in_the_maildir),
		cmocka_unit_test(mbsync_patterns_tell_whether_inbox_is_among_the_mailboxes),
		cmocka_unit_test(mbsync_selects_nothing_before_the_first_pattern),
		cmocka_unit_test(mbsync_mailboxes_below_a_path_of_the_server_are_left_out),
		cmocka_unit_test(mbsync_other_names_of_inbox_are_left_out),
		cmocka_unit_test(mbsync_inbox_in_a_store_of_an_unknown_place_stays_there),
		cmocka_unit_test(mbsync_comments_may_stand_behind_values),
		cmocka_unit_test(mbsync_folders_of_other_names_become_no_mailboxes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
