#include "maildir_fixture.h"

/* The mailboxes, one a line. */
static void list(struct fixture *fixture, char out[4096])
{
	struct strlist names;
	strlist_init(&names);
	must(fixture, maildir_list(fixture->maildir, &names, &fixture->err));
	out[0] = '\0';
	for (size_t i = 0; i < names.count; i++) {
		size_t len = strlen(out);
		snprintf(out + len, 4096 - len, "%s\n", names.items[i]);
	}
	strlist_finish(&names);
}

static void open_layout(struct fixture *fixture, enum mbname_layout layout, const char *inbox)
{
	struct maildir_params params = {.layout = layout,
					.inbox_folder = inbox,
					.info_delimiter = ':',
					.durability = MAILDIR_SYNC_NONE};
	fixture_open_as(fixture, &params);
}

static void list_finds_mailboxes_of_the_fs_layout(void **state)
{
	struct fixture fixture;
	char names[4096], path[512];
	(void)state;
	open_layout(&fixture, LAYOUT_FS, "INBOX");
	make_folder(&fixture, "INBOX");
	make_folder(&fixture, "a/b/c");
	make_dirs(&fixture, "only-new/new");
	make_dirs(&fixture, "empty");
	make_folder(&fixture, ".hidden");
	make_folder(&fixture, "INBOX/cur/inside");
	make_dirs(&fixture, "cur");
	path_below(&fixture, "link", path);
	assert_int_equal(symlink("INBOX", path), 0);
	write_file(&fixture, "file", "");
	list(&fixture, names);
	assert_string_equal(names, "INBOX\na/b/c\nonly-new\n");
	fixture_close(&fixture);
}

static void list_finds_inbox_where_the_configuration_says(void **state)
{
	struct fixture fixture;
	char names[4096];
	(void)state;
	open_layout(&fixture, LAYOUT_FS, ".");
	make_folder(&fixture, ".");
	make_folder(&fixture, "a");
	list(&fixture, names);
	assert_string_equal(names, "INBOX\na\n");
	fixture_close(&fixture);
	open_layout(&fixture, LAYOUT_FS, "Mail/Inbox");
	must(&fixture, maildir_create_folder(fixture.maildir, "INBOX", &fixture.err));
	assert_true(is_there(&fixture, "Mail/Inbox/cur"));
	list(&fixture, names);
	assert_string_equal(names, "INBOX\n");
	fixture_close(&fixture);
}

static void list_finds_mailboxes_of_maildirpp(void **state)
{
	struct fixture fixture;
	char names[4096];
	(void)state;
	open_layout(&fixture, LAYOUT_MAILDIRPP, NULL);
	must(&fixture, maildir_create_folder(fixture.maildir, "INBOX", &fixture.err));
	must(&fixture, maildir_create_folder(fixture.maildir, "a/b", &fixture.err));
	make_folder(&fixture, "plain");
	make_dirs(&fixture, ".git");
	assert_true(is_there(&fixture, ".a.b/maildirfolder"));
	assert_true(is_there(&fixture, "cur"));
	assert_false(is_there(&fixture, "maildirfolder"));
	list(&fixture, names);
	assert_string_equal(names, "INBOX\na/b\n");
	fixture_close(&fixture);
}

static void modified_utf7_directories_are_given_decoded(void **state)
{
	struct fixture fixture;
	struct maildir_folder *folder = NULL;
	struct stamp stamp;
	char names[4096];
	(void)state;
	open_layout(&fixture, LAYOUT_FS, "INBOX");
	make_folder(&fixture, "Entw&APw-rfe");
	make_folder(&fixture, "Entw&APw-rfe/R&-D");
	make_folder(&fixture, "A&B");
	make_folder(&fixture, "G&APw-n");
	make_folder(&fixture, "G\xc3\xbcn");
	list(&fixture, names);
	assert_string_equal(names, "A&B\nEntw\xc3\xbcrfe\nEntw\xc3\xbcrfe/R&D\nG\xc3\xbcn\n");
	must(&fixture, maildir_stat(fixture.maildir, "Entw\xc3\xbcrfe/R&D", &stamp, &fixture.err));
	must(&fixture,
	     maildir_folder_open(fixture.maildir, "Entw\xc3\xbcrfe", &folder, &fixture.err));
	maildir_folder_close(&folder);
	must(&fixture,
	     maildir_create_folder(fixture.maildir, "Entw\xc3\xbcrfe/new/x", &fixture.err));
	assert_true(is_there(&fixture, "Entw&APw-rfe/%6Eew/x/cur"));
	assert_int_equal(maildir_create_folder(fixture.maildir, "B&APw-r", &fixture.err),
			 -ERR_PARTIAL);
	must(&fixture,
	     maildir_rename_folder(fixture.maildir, "Entw\xc3\xbcrfe", "Drafts", &fixture.err));
	must(&fixture, maildir_folder_open(fixture.maildir, "Drafts/R&D", &folder, &fixture.err));
	maildir_folder_close(&folder);
	assert_true(is_there(&fixture, "Drafts/R&-D/cur"));
	fixture_close(&fixture);
}

static void modified_utf7_works_under_maildirpp(void **state)
{
	struct fixture fixture;
	char names[4096];
	(void)state;
	open_layout(&fixture, LAYOUT_MAILDIRPP, NULL);
	make_folder(&fixture, ".Entw&APw-rfe");
	list(&fixture, names);
	assert_string_equal(names, "Entw\xc3\xbcrfe\n");
	must(&fixture, maildir_create_folder(fixture.maildir, "Entw\xc3\xbcrfe/x", &fixture.err));
	assert_true(is_there(&fixture, ".Entw&APw-rfe.x/cur"));
	fixture_close(&fixture);
}

static void listed_names_lead_back_and_created_ones_are_listed(void **state)
{
	static const char *const created[] = {"INBOX/x", "a/b/c", "cur",        "x/.hidden",
					      "100%",    "a.b",   "t\xc3\xa4st"};
	static const enum mbname_layout layouts[] = {LAYOUT_FS, LAYOUT_MAILDIRPP};
	(void)state;
	for (size_t layout = 0; layout < 2; layout++) {
		struct fixture fixture;
		struct strlist names;
		open_layout(&fixture, layouts[layout], "INBOX");
		strlist_init(&names);
		for (size_t i = 0; i < sizeof(created) / sizeof(created[0]); i++) {
			must(&fixture,
			     maildir_create_folder(fixture.maildir, created[i], &fixture.err));
			must(&fixture,
			     maildir_create_folder(fixture.maildir, created[i], &fixture.err));
		}
		must(&fixture, maildir_list(fixture.maildir, &names, &fixture.err));
		assert_int_equal(names.count, sizeof(created) / sizeof(created[0]));
		for (size_t i = 0; i < sizeof(created) / sizeof(created[0]); i++) {
			struct maildir_folder *folder = NULL;
			assert_true(strlist_find(&names, created[i]) >= 0);
			must(&fixture, maildir_folder_open(fixture.maildir, created[i], &folder,
							   &fixture.err));
			maildir_folder_close(&folder);
		}
		strlist_finish(&names);
		fixture_close(&fixture);
	}
}

static void missing_root_is_made_only_when_allowed(void **state)
{
	struct fixture fixture;
	struct maildir *other = NULL;
	struct maildir_folder *folder = NULL;
	struct maildir_id id;
	struct strlist names;
	char path[512];
	bool found = true;
	(void)state;
	open_layout(&fixture, LAYOUT_FS, "INBOX");
	path_below(&fixture, "x/y", path);
	struct maildir_params params = {.root = path, .info_delimiter = ':'};
	must(&fixture, maildir_open(&other, &params, false, &fixture.err));
	assert_false(maildir_exists(other));
	assert_null(maildir_real_root(other));
	strlist_init(&names);
	must(&fixture, maildir_list(other, &names, &fixture.err));
	assert_int_equal(names.count, 0);
	assert_int_equal(maildir_folder_open(other, "INBOX", &folder, &fixture.err), -ERR_CHANGED);
	assert_int_equal(maildir_create_folder(other, "INBOX", &fixture.err), -ERR_LOCAL);
	must(&fixture, maildir_id_read(other, &id, &found, &fixture.err));
	assert_false(found);
	maildir_close(&other);
	must(&fixture, maildir_open(&other, &params, true, &fixture.err));
	assert_true(maildir_exists(other));
	char *real = maildir_real_root(other);
	assert_non_null(real);
	free(real);
	maildir_close(&other);
	fixture_close(&fixture);
}

static void removing_a_mailbox_needs_it_empty_and_spares_children(void **state)
{
	struct fixture fixture;
	struct maildir_folder *folder = NULL;
	(void)state;
	open_layout(&fixture, LAYOUT_FS, "INBOX");
	make_folder(&fixture, "a");
	make_folder(&fixture, "a/b");
	write_file(&fixture, "a/cur/1.a.h:2,S", "");
	write_file(&fixture, "a/dovecot-uidlist", "");
	assert_int_equal(maildir_remove_folder(fixture.maildir, "a", &fixture.err), -ERR_CHANGED);
	assert_true(is_there(&fixture, "a/tmp"));
	must(&fixture, maildir_folder_open(fixture.maildir, "a", &folder, &fixture.err));
	must(&fixture, maildir_folder_remove(folder, "1.a.h:2,S", false, &fixture.err));
	maildir_folder_close(&folder);
	write_file(&fixture, "a/tmp/9.a.h", "being delivered");
	assert_int_equal(maildir_remove_folder(fixture.maildir, "a", &fixture.err), -ERR_CHANGED);
	assert_true(is_there(&fixture, "a/cur"));
	assert_true(is_there(&fixture, "a/dovecot-uidlist"));
	fixture_close(&fixture);
}

static void removing_an_empty_mailbox_removes_its_directory(void **state)
{
	struct fixture fixture;
	(void)state;
	open_layout(&fixture, LAYOUT_FS, "INBOX");
	make_folder(&fixture, "a");
	make_folder(&fixture, "a/b");
	write_file(&fixture, "a/dovecot-keywords", "");
	write_file(&fixture, "a/b/notes", "");
	must(&fixture, maildir_remove_folder(fixture.maildir, "a", &fixture.err));
	assert_true(is_there(&fixture, "a/b/cur"));
	assert_false(is_there(&fixture, "a/cur"));
	assert_false(is_there(&fixture, "a/dovecot-keywords"));
	must(&fixture, maildir_remove_folder(fixture.maildir, "a/b", &fixture.err));
	assert_true(is_there(&fixture, "a/b/notes"));
	make_folder(&fixture, "c");
	must(&fixture, maildir_remove_folder(fixture.maildir, "c", &fixture.err));
	assert_false(is_there(&fixture, "c"));
	assert_int_equal(maildir_remove_folder(fixture.maildir, "c", &fixture.err), -ERR_CHANGED);
	fixture_close(&fixture);
}

static void renaming_takes_children_along_and_replaces_nothing(void **state)
{
	static const enum mbname_layout layouts[] = {LAYOUT_FS, LAYOUT_MAILDIRPP};
	(void)state;
	for (size_t layout = 0; layout < 2; layout++) {
		struct fixture fixture;
		char names[4096];
		open_layout(&fixture, layouts[layout], "INBOX");
		must(&fixture, maildir_create_folder(fixture.maildir, "a", &fixture.err));
		must(&fixture, maildir_create_folder(fixture.maildir, "a/b", &fixture.err));
		must(&fixture, maildir_create_folder(fixture.maildir, "ab", &fixture.err));
		must(&fixture, maildir_rename_folder(fixture.maildir, "a", "x/y", &fixture.err));
		list(&fixture, names);
		assert_string_equal(names, "ab\nx/y\nx/y/b\n");
		assert_int_equal(maildir_rename_folder(fixture.maildir, "ab", "x/y", &fixture.err),
				 -ERR_CHANGED);
		assert_int_equal(maildir_rename_folder(fixture.maildir, "a", "z", &fixture.err),
				 -ERR_CHANGED);
		list(&fixture, names);
		assert_string_equal(names, "ab\nx/y\nx/y/b\n");
		fixture_close(&fixture);
	}
}

static void links_below_the_root_are_not_followed(void **state)
{
	struct fixture fixture;
	struct maildir_folder *folder = NULL;
	struct maildir_params params = {.info_delimiter = ':'};
	struct fixture outside;
	char path[512];
	(void)state;
	fixture_open_as(&outside, &params);
	make_folder(&outside, "b");
	open_layout(&fixture, LAYOUT_FS, "INBOX");
	path_below(&fixture, "a", path);
	assert_int_equal(symlink(outside.root, path), 0);
	assert_int_equal(maildir_folder_open(fixture.maildir, "a/b", &folder, &fixture.err),
			 -ERR_LOCAL); /* untold: a link is no answer */
	assert_true(maildir_create_folder(fixture.maildir, "a/c", &fixture.err) < 0);
	assert_false(is_there(&outside, "c"));
	fixture_close(&fixture);
	fixture_close(&outside);
}

static void id_is_kept_in_the_root(void **state)
{
	struct fixture fixture;
	struct maildir_id id = {"account-1", "0123456789abcdef", 18446744073709551615u}, again;
	bool found = true;
	(void)state;
	open_layout(&fixture, LAYOUT_FS, "INBOX");
	must(&fixture, maildir_id_read(fixture.maildir, &again, &found, &fixture.err));
	assert_false(found);
	must(&fixture, maildir_id_write(fixture.maildir, &id, &fixture.err));
	must(&fixture, maildir_id_write(fixture.maildir, &id, &fixture.err));
	must(&fixture, maildir_id_read(fixture.maildir, &again, &found, &fixture.err));
	assert_true(found);
	assert_string_equal(again.account, id.account);
	assert_string_equal(again.database, id.database);
	assert_int_equal(again.generation, id.generation);
	write_file(&fixture, "mailsync-id", "mailsync 1\naccount x\n");
	assert_int_equal(maildir_id_read(fixture.maildir, &again, &found, &fixture.err),
			 -ERR_CONFIG);
	fixture_close(&fixture);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(list_finds_mailboxes_of_the_fs_layout),
		cmocka_unit_test(list_finds_inbox_where_the_configuration_says),
		cmocka_unit_test(list_finds_mailboxes_of_maildirpp),
		cmocka_unit_test(modified_utf7_directories_are_given_decoded),
		cmocka_unit_test(modified_utf7_works_under_maildirpp),
		cmocka_unit_test(listed_names_lead_back_and_created_ones_are_listed),
		cmocka_unit_test(missing_root_is_made_only_when_allowed),
		cmocka_unit_test(removing_a_mailbox_needs_it_empty_and_spares_children),
		cmocka_unit_test(removing_an_empty_mailbox_removes_its_directory),
		cmocka_unit_test(renaming_takes_children_along_and_replaces_nothing),
		cmocka_unit_test(links_below_the_root_are_not_followed),
		cmocka_unit_test(id_is_kept_in_the_root),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
