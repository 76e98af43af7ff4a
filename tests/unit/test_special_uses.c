/* Mailboxes that are chosen by their special use: whole runs on a scripted server and a Maildir. */
#include "run_scene.h"
#include "scripted_door.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mailsync/sync/verify.h"

static void sync_in_peace(struct run_scene *scene)
{
	RUN_OK(scene, run_scene_sync(scene));
	assert_int_equal(scene->report.status, 0);
}

/* Synced until now, and then no longer: what happens to its folder is nobody's business. */
static void a_use_leaves_a_mailbox_out_on_both_sides(void **state)
{
	static const char *const patterns[] = {"*", "!\\all"};
	struct run_scene *scene = *state;
	char old[512], new[512];

	scripted_make(scene->server, "alle");
	scripted_add(scene->server, "alle", "", "Message-ID: <1@x>\n\ntext\n");
	sync_in_peace(scene);
	snprintf(old, sizeof(old), "%s/alle", scene->maildir);
	snprintf(new, sizeof(new), "%s/gone", scene->root);
	assert_int_equal(rename(old, new), 0);
	scripted_find(scene->server, "alle")->attributes |= REMOTE_ALL;
	scene->account.patterns = patterns;
	scene->account.pattern_count = 2;
	scene->account.remove_mailboxes = SIDE_BOTH;
	sync_in_peace(scene);
	assert_non_null(scripted_find(scene->server, "alle"));
	assert_int_not_equal(access(old, F_OK), 0);
	run_scene_expect_idle(scene, 0);
}

static void one_may_be_all_that_is_chosen(void **state)
{
	static const char *const patterns[] = {"\\Sent"};
	struct run_scene *scene = *state;
	char path[512];

	scripted_make(scene->server, "Gesendet")->attributes |= REMOTE_SENT;
	scripted_make(scene->server, "Other");
	scene->account.patterns = patterns;
	scene->account.pattern_count = 1;
	sync_in_peace(scene);
	snprintf(path, sizeof(path), "%s/Gesendet/cur", scene->maildir);
	assert_int_equal(access(path, F_OK), 0);
	snprintf(path, sizeof(path), "%s/Other", scene->maildir);
	assert_int_not_equal(access(path, F_OK), 0);
}

static const char *const sent[] = {"INBOX", "\\Sent"};

static struct run_scene *choose_sent(void **state)
{
	struct run_scene *scene = *state;
	scene->account.patterns = sent;
	scene->account.pattern_count = 2;
	scripted_make(scene->server, "Gesendet")->attributes |= REMOTE_SENT;
	scripted_add(scene->server, "Gesendet", "", "Message-ID: <1@x>\n\ntext\n");
	sync_in_peace(scene);
	return scene;
}

static size_t count_files(struct run_scene *scene, const char *folder)
{
	char *files = run_scene_files(scene, folder);
	size_t count = files[0] != '\0';
	for (const char *at = files; *at != '\0'; at++) {
		count += *at == ' ';
	}
	free(files);
	return count;
}

static void a_use_that_is_not_told_is_the_one_that_was_told_last(void **state)
{
	struct run_scene *scene = choose_sent(state);

	scene->server->hides_uses = true;
	scripted_add(scene->server, "Gesendet", "", "Message-ID: <2@x>\n\ntext\n");
	sync_in_peace(scene);
	assert_int_equal(count_files(scene, "Gesendet"), 2);
	run_scene_expect_idle(scene, 0);
}

static void a_use_that_is_told_no_more_is_none(void **state)
{
	struct run_scene *scene = choose_sent(state);

	scripted_find(scene->server, "Gesendet")->attributes &= ~(unsigned)REMOTE_SENT;
	scripted_add(scene->server, "Gesendet", "", "Message-ID: <2@x>\n\ntext\n");
	sync_in_peace(scene);
	scene->server->hides_uses = true;
	sync_in_peace(scene);
	assert_int_equal(count_files(scene, "Gesendet"), 1);
}

static void one_that_is_renamed_there_is_renamed_here(void **state)
{
	struct run_scene *scene = choose_sent(state);
	char old[512];

	scripted_rename(scene->server, "Gesendet", "Versandt");
	(void)scripted_heard(scene->server);
	sync_in_peace(scene);
	assert_null(strstr(scripted_heard(scene->server), "fetch"));
	snprintf(old, sizeof(old), "%s/Gesendet", scene->maildir);
	assert_int_not_equal(access(old, F_OK), 0);
	assert_int_equal(count_files(scene, "Versandt"), 1);
	run_scene_expect_idle(scene, 0);
}

/* It was downloaded once, and is still, under its new name. */
static void expect_followed(struct run_scene *scene)
{
	char old[512];

	sync_in_peace(scene);
	snprintf(old, sizeof(old), "%s/Gesendet", scene->maildir);
	assert_int_not_equal(access(old, F_OK), 0);
	assert_int_equal(count_files(scene, "Versandt"), 1);
	assert_null(scripted_find(scene->server, "Gesendet"));
	run_scene_expect_idle(scene, 0);
}

static void expect_waits(struct run_scene *scene)
{
	RUN_OK(scene, run_scene_sync(scene));
	assert_int_equal(scene->report.status, 1);
	assert_null(scripted_find(scene->server, "Gesendet"));
	assert_int_equal(count_files(scene, "Gesendet"), 1);
}

static void list_versandt(struct scripted *server)
{
	scripted_find(server, "Versandt")->is_unlisted = false;
}

static void hide_uses(struct scripted *server)
{
	list_versandt(server);
	server->hides_uses = true;
}

static void wait_for_second_listing(void **state, void (*before_it)(struct scripted *server))
{
	struct run_scene *scene = choose_sent(state);

	scripted_rename(scene->server, "Gesendet", "Versandt");
	scripted_find(scene->server, "Versandt")->is_unlisted = true;
	scripted_fault(scene->server, &(struct scripted_fault){.op = SCRIPTED_LIST,
							       .what = SCRIPTED_MEANWHILE,
							       .nth = 2,
							       .act = before_it});
	expect_waits(scene);
	scene->server->hides_uses = false;
	expect_followed(scene);
}

static void M58_one_may_be_what_a_second_listing_has(void **state)
{
	wait_for_second_listing(state, list_versandt);
}

static void M58_a_second_listing_without_uses_is_not_the_same(void **state)
{
	wait_for_second_listing(state, hide_uses);
}

static void M60_while_uses_are_not_told_one_may_have_another_name(void **state)
{
	struct run_scene *scene = choose_sent(state);

	scripted_rename(scene->server, "Gesendet", "Versandt");
	scene->server->hides_uses = true;
	expect_waits(scene);
	expect_waits(scene);
	scene->server->hides_uses = false;
	expect_followed(scene);
}

static void M60_where_none_is_left_out_it_is_gone(void **state)
{
	struct run_scene *scene = choose_sent(state);

	scene->account.remove_mailboxes = SIDE_BOTH;
	scripted_remove(scene->server, "Gesendet");
	scene->server->hides_uses = true;
	sync_in_peace(scene);
	assert_int_equal(count_files(scene, "Gesendet"), 0);
}

static void M60_one_that_is_chosen_by_its_name_is_gone(void **state)
{
	static const char *const patterns[] = {"INBOX", "Gesendet", "\\Sent"};
	struct run_scene *scene = choose_sent(state);

	scene->account.patterns = patterns;
	scene->account.pattern_count = 3;
	scene->account.remove_mailboxes = SIDE_BOTH;
	scripted_make(scene->server, "Other");
	scripted_remove(scene->server, "Gesendet");
	scene->server->hides_uses = true;
	sync_in_peace(scene);
	assert_int_equal(count_files(scene, "Gesendet"), 0);
}

/* As in take_remote: the first is the one that is synced. */
static void of_two_names_that_come_to_one_the_first_tells_the_use(void **state)
{
	static const char *const patterns[] = {"*", "!\\Trash"};
	struct run_scene *scene = *state;

	scene->account.patterns = patterns;
	scene->account.pattern_count = 2;
	scene->server->separator = '.';
	scene->server->naming = REMOTE_NAMING_TOLD;
	snprintf(scene->server->prefix, sizeof(scene->server->prefix), "INBOX.");
	scripted_make(scene->server, "INBOX.Trash")->attributes |= REMOTE_TRASH;
	scripted_add(scene->server, "INBOX.Trash", "", "Message-ID: <1@x>\n\ntext\n");
	scripted_make(scene->server, "Trash");
	scripted_make(scene->server, "INBOX.Work");
	scripted_add(scene->server, "INBOX.Work", "", "Message-ID: <2@x>\n\ntext\n");
	sync_in_peace(scene);
	assert_int_equal(count_files(scene, "Trash"), 0);
	scene->account.remove_mailboxes = SIDE_BOTH;
	scripted_remove(scene->server, "INBOX.Work");
	sync_in_peace(scene); /* M58 takes both listings for the same */
	assert_int_equal(count_files(scene, "Work"), 0);
}

/* After an answer by another account of the same file nothing of the first one is left. */
static void what_another_server_told_is_not_believed(void **state)
{
	struct run_scene *scene = choose_sent(state);
	char user[] = "another";

	scene->account.server.user = user;
	scene->options.allow_mass_delete = true;
	scene->server->hides_uses = true;
	scripted_remove(scene->server, "Gesendet");
	scripted_make(scene->server, "Gesendet");
	scripted_add(scene->server, "Gesendet", "", "Message-ID: <2@x>\n\ntext\n");
	sync_in_peace(scene);
	assert_int_equal(count_files(scene, "Gesendet"), 1);
	sync_in_peace(scene);
	assert_int_equal(count_files(scene, "Gesendet"), 1);
	assert_int_equal(scripted_find(scene->server, "Gesendet")->count, 1);
}

static bool is_listed_as_selected(struct run_scene *scene, const char *name)
{
	struct listing listing = {0};
	bool is_selected = false;

	RUN_OK(scene, sync_list(&scene->account, &scene->options, &listing, &scene->err));
	for (size_t i = 0; i < listing.count; i++) {
		is_selected |=
			listing.items[i].is_selected && strcmp(listing.items[i].name, name) == 0;
	}
	listing_finish(&listing);
	return is_selected;
}

static void a_list_says_what_a_sync_takes(void **state)
{
	struct run_scene *scene = choose_sent(state);

	scripted_make(scene->server, "Other");
	assert_true(is_listed_as_selected(scene, "Gesendet"));
	scene->server->hides_uses = true;
	assert_true(is_listed_as_selected(scene, "Gesendet"));
	assert_false(is_listed_as_selected(scene, "Other"));
	scene->server->hides_uses = false;
	scripted_find(scene->server, "Gesendet")->attributes &= ~(unsigned)REMOTE_SENT;
	assert_false(is_listed_as_selected(scene, "Gesendet"));
}

static bool is_news(struct run_scene *scene, const char *name)
{
	char wire[32];
	struct remote_mailbox mailbox = {.wire = wire};
	const struct scripted_mailbox *there = scripted_find(scene->server, name);
	const struct remote_mailboxes told_of = {.items = &mailbox, .count = 1};
	bool is_so = false;

	snprintf(wire, sizeof(wire), "%s", name);
	mailbox.counts.numbers = (struct numbers){
		.uidvalidity = told(there->uidvalidity),
		.uidnext = told(there->uidnext),
		.messages = told(there->count),
		.modseq = told(there->modseq),
	};
	RUN_OK(scene,
	       sync_is_news(&scene->account, &scene->options, &told_of, &is_so, &scene->err));
	return is_so;
}

static void one_whose_use_is_not_known_may_be_news(void **state)
{
	static const char *const patterns[] = {"INBOX", "G*"};
	struct run_scene *scene = choose_sent(state);

	scripted_make(scene->server, "Other");
	assert_false(is_news(scene, "Gesendet"));
	assert_true(is_news(scene, "Other"));
	scene->account.patterns = patterns;
	assert_false(is_news(scene, "Other"));
}

static void the_trash_is_one_that_takes_part(void **state)
{
	struct run_scene *scene = *state;

	scene->account.trash = "\\Trash";
	scene->account.subscribed_only = true;
	scripted_make(scene->server, "Trash")->attributes |= REMOTE_TRASH;
	scripted_make(scene->server, "Trash of old")->attributes = REMOTE_TRASH;
	scripted_add(scene->server, "INBOX", "", "Subject: 1\n\none\n");
	sync_in_peace(scene);
	run_scene_remove_file(scene, "INBOX", "1");
	sync_in_peace(scene);
	run_scene_expect_there(scene, "INBOX", "");
	run_scene_expect_there(scene, "Trash", "1/");
}

static void one_is_proven_without_a_connection(void **state)
{
	struct run_scene *scene = choose_sent(state);
	const struct verify_options options = {.level = VERIFY_FILES};
	struct verify_report report;

	scene->server->is_down = true;
	verify_report_init(&report);
	RUN_OK(scene,
	       sync_verify(&scene->account, &scene->options, &options, &report, &scene->err));
	assert_int_equal(report.messages, 1);
	assert_int_equal(report.problems, 0);
	verify_report_finish(&report);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RUN_TEST(a_use_leaves_a_mailbox_out_on_both_sides),
		RUN_TEST(one_may_be_all_that_is_chosen),
		RUN_TEST(a_use_that_is_not_told_is_the_one_that_was_told_last),
		RUN_TEST(a_use_that_is_told_no_more_is_none),
		RUN_TEST(one_that_is_renamed_there_is_renamed_here),
		RUN_TEST(M58_one_may_be_what_a_second_listing_has),
		RUN_TEST(M58_a_second_listing_without_uses_is_not_the_same),
		RUN_TEST(M60_while_uses_are_not_told_one_may_have_another_name),
		RUN_TEST(M60_where_none_is_left_out_it_is_gone),
		RUN_TEST(M60_one_that_is_chosen_by_its_name_is_gone),
		RUN_TEST(of_two_names_that_come_to_one_the_first_tells_the_use),
		RUN_TEST(what_another_server_told_is_not_believed),
		RUN_TEST(a_list_says_what_a_sync_takes),
		RUN_TEST(one_whose_use_is_not_known_may_be_news),
		RUN_TEST(the_trash_is_one_that_takes_part),
		RUN_TEST(one_is_proven_without_a_connection),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
