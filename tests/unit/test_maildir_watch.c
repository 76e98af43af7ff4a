#include <sys/resource.h>

#include "maildir_fixture.h"
#include "mailsync/store/maildir_watch.h"

struct scene {
	struct fixture fixture;
	struct maildir_watcher *watcher;
	struct maildir_watch *watch;
};

static void scene_watch(struct scene *scene, enum mbname_layout layout)
{
	struct fixture *fixture = &scene->fixture;
	const struct maildir_params params = {.root = fixture->root, .layout = layout};
	if (!scene->watcher) {
		must(fixture, maildir_watcher_create(&scene->watcher, &fixture->err));
	}
	must(fixture, maildir_watch_open(&scene->watch, scene->watcher, &params, &fixture->err));
}

/* With INBOX and "Work". */
static void scene_open(struct scene *scene)
{
	memset(scene, 0, sizeof(*scene));
	fixture_open(&scene->fixture);
	make_folder(&scene->fixture, "Work");
	scene_watch(scene, LAYOUT_FS);
	assert_null(maildir_watch_why(scene->watch));
}

static void scene_close(struct scene *scene)
{
	maildir_watch_close(&scene->watch);
	maildir_watcher_destroy(&scene->watcher);
	fixture_close(&scene->fixture);
}

/* "INBOX Work all ": what is news now, and none of it any more. */
static const char *news_of(struct scene *scene, struct maildir_watch *watch)
{
	static char text[512];
	struct fixture *fixture = &scene->fixture;
	struct maildir_news news;
	size_t len = 0;
	text[0] = '\0';
	must(fixture, maildir_watcher_read(scene->watcher, &fixture->err));
	bool has_news = maildir_watch_has_news(watch);
	must(fixture, maildir_watch_take(watch, &news, &fixture->err));
	for (size_t i = 0; i < news.mailboxes.count; i++) {
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s ",
					news.mailboxes.items[i]);
	}
	if (news.all) {
		snprintf(text + len, sizeof(text) - len, "all ");
	}
	assert_int_equal(has_news, text[0] != '\0');
	maildir_news_finish(&news);
	return text;
}

static void heard(struct scene *scene, const char *expected)
{
	assert_string_equal(news_of(scene, scene->watch), expected);
}

static void rename_below(struct fixture *fixture, const char *from, const char *to)
{
	char old_path[512], new_path[512];
	path_below(fixture, from, old_path);
	path_below(fixture, to, new_path);
	assert_int_equal(rename(old_path, new_path), 0);
}

static void remove_below(struct fixture *fixture, const char *path)
{
	char full[512];
	path_below(fixture, path, full);
	tree_remove(full);
}

static void messages_that_come_change_and_go_are_news_of_their_mailbox(void **state)
{
	struct scene scene;
	(void)state;
	scene_open(&scene);
	heard(&scene, "");
	write_file(&scene.fixture, "INBOX/tmp/1.a", "x");
	heard(&scene, "");
	rename_below(&scene.fixture, "INBOX/tmp/1.a", "INBOX/new/1.a");
	heard(&scene, "INBOX ");
	rename_below(&scene.fixture, "INBOX/new/1.a", "INBOX/cur/1.a:2,S");
	write_file(&scene.fixture, "Work/cur/2.b:2,", "y");
	heard(&scene, "INBOX Work ");
	heard(&scene, "");
	remove_below(&scene.fixture, "Work/cur/2.b:2,");
	heard(&scene, "Work ");
	scene_close(&scene);
}

static void what_is_no_message_is_no_news_but_for_the_names_of_keywords(void **state)
{
	struct scene scene;
	(void)state;
	scene_open(&scene);
	write_file(&scene.fixture, "INBOX/dovecot.index.log", "");
	write_file(&scene.fixture, "INBOX/cur/.hidden", "");
	write_file(&scene.fixture, "INBOX/tmp/1.a", "");
	make_dirs(&scene.fixture, ".git/objects");
	heard(&scene, "");
	write_file(&scene.fixture, "INBOX/dovecot-keywords.lock", "0 a\n");
	rename_below(&scene.fixture, "INBOX/dovecot-keywords.lock", "INBOX/dovecot-keywords");
	heard(&scene, "INBOX ");
	scene_close(&scene);
}

static void a_folder_that_comes_joins_with_what_is_in_it(void **state)
{
	struct scene scene;
	(void)state;
	scene_open(&scene);
	make_folder(&scene.fixture, "a/b/c");
	heard(&scene, "all ");
	write_file(&scene.fixture, "a/b/c/new/1.a", "x");
	heard(&scene, "a/b/c ");
	make_folder(&scene.fixture, "a/b");
	heard(&scene, "all ");
	write_file(&scene.fixture, "a/b/cur/1.a:2,", "x");
	heard(&scene, "a/b ");
	scene_close(&scene);
}

static void a_renamed_folder_is_heard_under_its_new_name_only(void **state)
{
	struct scene scene;
	(void)state;
	scene_open(&scene);
	make_folder(&scene.fixture, "Work/old");
	heard(&scene, "all ");
	rename_below(&scene.fixture, "Work", "Home");
	heard(&scene, "all ");
	write_file(&scene.fixture, "Home/old/new/1.a", "x");
	heard(&scene, "Home/old ");
	remove_below(&scene.fixture, "Home/old");
	heard(&scene, "all ");
	/* Out of the Maildir, and another in its place. */
	rename_below(&scene.fixture, "Home", ".Home");
	make_folder(&scene.fixture, "Home");
	heard(&scene, "all ");
	write_file(&scene.fixture, ".Home/new/1.a", "x");
	heard(&scene, "");
	write_file(&scene.fixture, "Home/new/1.a", "x");
	heard(&scene, "Home ");
	scene_close(&scene);
}

static void a_mailbox_has_its_name_whatever_its_directory(void **state)
{
	struct scene scene;
	struct maildir_params params = {.layout = LAYOUT_MAILDIRPP};
	(void)state;
	memset(&scene, 0, sizeof(scene));
	fixture_open_as(&scene.fixture, &params);
	make_folder(&scene.fixture, ".");
	make_folder(&scene.fixture, ".Archive.2026");
	make_folder(&scene.fixture, "plain");
	scene_watch(&scene, LAYOUT_MAILDIRPP);
	write_file(&scene.fixture, "new/1.a", "x");
	write_file(&scene.fixture, ".Archive.2026/cur/1.a:2,S", "x");
	write_file(&scene.fixture, "plain/cur/1.a:2,S", "x");
	heard(&scene, "Archive/2026 INBOX ");
	make_folder(&scene.fixture, ".Entw&APw-rfe");
	heard(&scene, "all ");
	write_file(&scene.fixture, ".Entw&APw-rfe/new/1.a", "x");
	heard(&scene, "Entw\xc3\xbcrfe ");
	scene_close(&scene);
}

static void a_root_that_went_is_heard_again_when_it_is_back(void **state)
{
	struct scene scene;
	char away[80];
	(void)state;
	scene_open(&scene);
	struct fixture *fixture = &scene.fixture;
	snprintf(away, sizeof(away), "%s.away", fixture->root);
	assert_int_equal(rename(fixture->root, away), 0);
	heard(&scene, "all ");
	assert_non_null(strstr(maildir_watch_why(scene.watch), fixture->root));
	must(fixture, maildir_watch_renew(scene.watch, &fixture->err));
	heard(&scene, "");
	assert_int_equal(rename(away, fixture->root), 0);
	must(fixture, maildir_watch_renew(scene.watch, &fixture->err));
	heard(&scene, "all ");
	assert_null(maildir_watch_why(scene.watch));
	must(fixture, maildir_watch_renew(scene.watch, &fixture->err));
	heard(&scene, "");
	write_file(fixture, "INBOX/new/1.a", "x");
	heard(&scene, "INBOX ");
	scene_close(&scene);
}

/* As when a disk is mounted on an empty directory. */
static void another_root_in_its_place_is_found_by_looking(void **state)
{
	struct scene scene;
	char parent[64], root[128], other[128];
	(void)state;
	memset(&scene, 0, sizeof(scene));
	struct fixture *fixture = &scene.fixture;
	fixture_open(fixture);
	snprintf(parent, sizeof(parent), "%s", fixture->root);
	snprintf(root, sizeof(root), "%s/INBOX", parent);
	snprintf(other, sizeof(other), "%s/INBOX2", parent);
	must(fixture, maildir_watcher_create(&scene.watcher, &fixture->err));
	const struct maildir_params params = {.root = root, .inbox_folder = "."};
	must(fixture, maildir_watch_open(&scene.watch, scene.watcher, &params, &fixture->err));
	make_folder(fixture, "INBOX2");
	/* The watched directory itself stays under another name. */
	rename_below(fixture, "INBOX", "INBOX3");
	assert_int_equal(rename(other, root), 0);
	must(fixture, maildir_watch_renew(scene.watch, &fixture->err));
	heard(&scene, "all ");
	write_file(fixture, "INBOX/new/1.a", "x");
	heard(&scene, "INBOX ");
	scene_close(&scene);
}

static void a_queue_that_ran_over_is_news_of_all_and_hearing_goes_on(void **state)
{
	struct scene scene;
	char from[512], to[512];
	(void)state;
	scene_open(&scene);
	write_file(&scene.fixture, "INBOX/cur/1.a:2,", "x");
	path_below(&scene.fixture, "INBOX/cur/1.a:2,", from);
	path_below(&scene.fixture, "INBOX/cur/1.a:2,S", to);
	for (int i = 0; i < 20000; i++) {
		assert_int_equal(rename(i % 2 ? to : from, i % 2 ? from : to), 0);
	}
	make_folder(&scene.fixture, "Late"); /* nothing tells of it */
	heard(&scene, "all ");
	heard(&scene, "");
	write_file(&scene.fixture, "Late/new/1.a", "x");
	heard(&scene, "Late ");
	scene_close(&scene);
}

static void maildirs_do_not_hear_each_other(void **state)
{
	struct scene scene, other;
	(void)state;
	scene_open(&scene);
	memset(&other, 0, sizeof(other));
	fixture_open(&other.fixture);
	other.watcher = scene.watcher;
	scene_watch(&other, LAYOUT_FS);
	write_file(&other.fixture, "INBOX/new/1.a", "x");
	heard(&scene, "");
	heard(&other, "INBOX ");
	/* One directory cannot be heard for two. */
	const struct maildir_params params = {.root = scene.fixture.root};
	struct maildir_watch *second;
	must(&scene.fixture,
	     maildir_watch_open(&second, scene.watcher, &params, &scene.fixture.err));
	assert_non_null(strstr(maildir_watch_why(second), "two accounts"));
	maildir_watch_close(&second);
	write_file(&scene.fixture, "INBOX/new/1.a", "x");
	heard(&scene, "INBOX ");
	maildir_watch_close(&other.watch);
	fixture_close(&other.fixture);
	heard(&scene, "");
	scene_close(&scene);
}

static void without_anything_to_hear_by_it_says_so_and_works(void **state)
{
	struct scene scene;
	struct rlimit limit, none;
	(void)state;
	memset(&scene, 0, sizeof(scene));
	fixture_open(&scene.fixture);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	none = limit;
	none.rlim_cur = 3;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	int code = maildir_watcher_create(&scene.watcher, &scene.fixture.err);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	assert_int_equal(code, 0);
	assert_int_equal(maildir_watcher_fd(scene.watcher), -1);
	scene_watch(&scene, LAYOUT_FS);
	assert_non_null(maildir_watch_why(scene.watch));
	(void)news_of(&scene, scene.watch);
	must(&scene.fixture, maildir_watch_renew(scene.watch, &scene.fixture.err));
	heard(&scene, "");
	scene_close(&scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(messages_that_come_change_and_go_are_news_of_their_mailbox),
		cmocka_unit_test(what_is_no_message_is_no_news_but_for_the_names_of_keywords),
		cmocka_unit_test(a_folder_that_comes_joins_with_what_is_in_it),
		cmocka_unit_test(a_renamed_folder_is_heard_under_its_new_name_only),
		cmocka_unit_test(a_mailbox_has_its_name_whatever_its_directory),
		cmocka_unit_test(a_root_that_went_is_heard_again_when_it_is_back),
		cmocka_unit_test(another_root_in_its_place_is_found_by_looking),
		cmocka_unit_test(a_queue_that_ran_over_is_news_of_all_and_hearing_goes_on),
		cmocka_unit_test(maildirs_do_not_hear_each_other),
		cmocka_unit_test(without_anything_to_hear_by_it_says_so_and_works),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
