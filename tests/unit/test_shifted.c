/*
 * Mailboxes that were renamed on one side to names that others had, between two runs: swapped,
 * shifted, renamed and made anew (M53 to M57). Whole runs on a scripted server.
 */
#include "run_scene.h"
#include "scripted_door.h"

#include "gone_scene.h"

#define HEARD(scene, command) (strstr(scripted_heard((scene)->server), command) != NULL)

/* What was renamed to what. */
struct shift {
	const char *from;
	const char *to;
};

static void expect_done(const struct run_scene *scene, uint64_t downloaded, uint64_t uploaded)
{
	const struct sync_counts *total = &scene->report.total;
	assert_int_equal(total->downloaded, downloaded);
	assert_int_equal(total->uploaded, uploaded);
	assert_int_equal(total->moved, 0);
	assert_int_equal(total->deleted_local, 0);
	assert_int_equal(total->deleted_remote, 0);
}

/* A mailbox with three messages that bear its name, which both sides hold. */
static void share(struct run_scene *scene, const char *name)
{
	scripted_make(scene->server, name);
	for (int i = 1; i <= 3; i++) {
		char text[128];
		snprintf(text, sizeof(text), "Subject: %s%d\nMessage-ID: <%d@%s>\n\ntext\n", name,
			 i, i, name);
		scripted_add(scene->server, name, "", text);
	}
	sync_to(scene, 0);
	assert_int_equal(scene->report.total.downloaded, 3);
}

/* Both sides hold what was the mailbox WAS under NAME. */
static void expect_is(struct run_scene *scene, const char *name, const char *was)
{
	char subjects[128];
	snprintf(subjects, sizeof(subjects), "%s1/ %s2/ %s3/", was, was, was);
	run_scene_expect_both(scene, name, subjects);
}

static void rename_all(struct run_scene *scene, const struct shift *shifts, size_t count)
{
	char aside[32];
	for (size_t i = 0; i < count; i++) {
		snprintf(aside, sizeof(aside), "aside%zu", i);
		scripted_rename(scene->server, shifts[i].from, aside);
	}
	for (size_t i = 0; i < count; i++) {
		snprintf(aside, sizeof(aside), "aside%zu", i);
		scripted_rename(scene->server, aside, shifts[i].to);
	}
}

static void begin(struct run_scene *scene, const struct shift *shifts, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		share(scene, shifts[i].from);
	}
	rename_all(scene, shifts, count);
}

static void expect_settled(struct run_scene *scene)
{
	sync_to(scene, 0);
	assert_string_equal(scripted_heard(scene->server), "list\nlogout\n");
}

/* One run, and base knows which is which. */
static void expect_shifted(struct run_scene *scene, const struct shift *shifts, size_t count)
{
	sync_to(scene, 0);
	expect_done(scene, 0, 0);
	assert_false(HEARD(scene, "rename") || HEARD(scene, "create"));
	for (size_t i = 0; i < count; i++) {
		expect_is(scene, shifts[i].to, shifts[i].from);
	}
	if (scene->server->facts.tells_changes) {
		expect_settled(scene);
	}
	scripted_expunge(scene->server, shifts[0].to, 1);
	sync_to(scene, 0);
	assert_int_equal(scene->report.total.deleted_local, 1);
	assert_int_equal(scene->report.total.downloaded, 0);
}

static const struct shift swapped[] = {{"a", "b"}, {"b", "a"}};
static const struct shift shifted_up[] = {{"a", "b"}, {"b", "c"}, {"c", "d"}};
static const struct shift shifted_down[] = {{"d", "c"}, {"c", "b"}, {"b", "a"}};

static void M53_M54_swapped_there_is_swapped_here(void **state)
{
	begin(*state, swapped, 2);
	expect_shifted(*state, swapped, 2);
}

static void M53_M54_so_they_are_by_uidvalidity_and_a_sample(void **state)
{
	((struct run_scene *)*state)->server->facts.has_message_ids = false;
	begin(*state, swapped, 2);
	expect_shifted(*state, swapped, 2);
}

static void M54_shifted_there_is_shifted_here(void **state)
{
	begin(*state, shifted_up, 3);
	expect_shifted(*state, shifted_up, 3);
}

static void M54_so_it_is_down_the_alphabet_and_without_ids(void **state)
{
	((struct run_scene *)*state)->server->facts.has_message_ids = false;
	begin(*state, shifted_down, 3);
	expect_shifted(*state, shifted_down, 3);
}

static void M54_two_circles_at_once_with_children(void **state)
{
	static const struct shift shifts[] = {{"a", "b"},        {"b", "c"}, {"c", "a"},
					      {"x", "y"},        {"y", "x"}, {"a/one", "b/one"},
					      {"b/two", "c/two"}};
	struct run_scene *scene = *state;
	for (size_t i = 0; i < 7; i++) {
		share(scene, shifts[i].from);
	}
	rename_all(scene, shifts, 5); /* children go along */
	expect_shifted(scene, shifts, 7);
}

static void M54_a_dry_run_says_so(void **state)
{
	struct run_scene *scene = *state;
	begin(scene, swapped, 2);
	scene->options.dry_run = true;
	sync_to(scene, 0);
	assert_int_equal(scene->report.plan_count, 2);
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(scene->report.plan[i].op, REPORT_RENAME_LOCAL);
		assert_string_equal(scene->report.plan[i].mailbox, swapped[i].to);
	}
	run_scene_expect_here(scene, "a", "a1/ a2/ a3/");
}

/* No ids, no counts, no changes. */
static void be_plain(struct run_scene *scene)
{
	scene->server->facts.lists_counts = false;
	scene->server->facts.tells_changes = false;
	scene->server->facts.has_message_ids = false;
}

static void M53_a_server_that_tells_little_is_asked_once_one_shows_to_be_another(void **state)
{
	be_plain(*state);
	begin(*state, swapped, 2);
	expect_shifted(*state, swapped, 2);
}

static void M53_and_where_one_is_new(void **state)
{
	be_plain(*state);
	begin(*state, shifted_up, 3);
	expect_shifted(*state, shifted_up, 3);
}

static void M53_one_that_was_renumbered_is_no_other(void **state)
{
	struct run_scene *scene = *state;
	be_plain(scene);
	share(scene, "a");
	share(scene, "b");
	scripted_renumber(scene->server, "a", 7);
	sync_to(scene, 0);
	expect_done(scene, 0, 0);
	expect_is(scene, "a", "a");
	expect_is(scene, "b", "b");
}

static void M55_a_run_that_is_cut_between_two_of_them_is_taken_up(void **state)
{
	static const struct shift shifts[] = {{"a", "b"}, {"b", "a"}, {"c", "d"}};
	struct run_scene *scene = *state;
	begin(scene, shifts, 3);
	for (int i = 0; i < 3; i++) {
		scripted_fault(scene->server, &(struct scripted_fault){.op = SCRIPTED_LIST,
								       .what = SCRIPTED_CUT,
								       .nth = 2,
								       .for_good = true});
		sync_to(scene, 75);
		scripted_forget_faults(scene->server);
	}
	expect_shifted(scene, shifts, 3);
}

static void M53_one_that_was_renamed_and_made_anew_is_two(void **state)
{
	static const struct shift shifts[] = {{"a", "b"}};
	struct run_scene *scene = *state;
	begin(scene, shifts, 1);
	scripted_make(scene->server, "a");
	scripted_add(scene->server, "a", "", "Subject: new\nMessage-ID: <new@a>\n\ntext\n");
	sync_to(scene, 0);
	expect_done(scene, 1, 0);
	expect_is(scene, "b", "a");
	run_scene_expect_both(scene, "a", "new/");
	expect_settled(scene);
}

static void M53_an_id_that_is_not_told_any_more_makes_no_other(void **state)
{
	struct run_scene *scene = *state;
	share(scene, "a");
	scene->server->facts.has_message_ids = false;
	move_folder(scene, "a", "b");
	sync_to(scene, 0);
	assert_true(HEARD(scene, "rename a b\n"));
	expect_done(scene, 0, 0);
	expect_is(scene, "b", "a");
	expect_settled(scene);
}

static void M57_shifted_here_is_shifted_there(void **state)
{
	struct run_scene *scene = *state;
	share(scene, "a");
	share(scene, "b");
	share(scene, "c");
	move_folder(scene, "c", "d");
	move_folder(scene, "b", "c");
	move_folder(scene, "a", "b");
	sync_to(scene, 0);
	assert_non_null(strstr(scripted_heard(scene->server), "rename c d\n"));
	expect_done(scene, 0, 0);
	expect_is(scene, "b", "a");
	expect_is(scene, "c", "b");
	expect_is(scene, "d", "c");
	expect_settled(scene);
}

static void M55_a_run_that_is_cut_between_two_of_these_is_taken_up(void **state)
{
	struct run_scene *scene = *state;
	share(scene, "a");
	share(scene, "b");
	move_folder(scene, "b", "c");
	move_folder(scene, "a", "b");
	for (unsigned i = 0; i < 4; i++) {
		scripted_fault(scene->server, &(struct scripted_fault){.op = SCRIPTED_RENAME,
								       .what = SCRIPTED_LOST});
		(void)run_scene_sync(scene);
		scripted_forget_faults(scene->server);
		expect_done(scene, 0, 0);
	}
	expect_is(scene, "b", "a");
	expect_is(scene, "c", "b");
	expect_settled(scene);
}

static void M57_a_copy_in_its_place_is_no_other(void **state)
{
	struct run_scene *scene = *state;
	share(scene, "a");
	share(scene, "b");
	move_folder(scene, "b", "../other");
	run_scene_folder(scene, "b");
	move_folder(scene, "../other/new", "b/new");
	move_folder(scene, "a", "z");
	sync_to(scene, 0);
	expect_done(scene, 0, 0);
	expect_is(scene, "z", "a");
	expect_is(scene, "b", "b");
	expect_settled(scene);
}

static void M56_one_in_the_place_of_another_that_is_gone_here_waits_too(void **state)
{
	struct run_scene *scene = *state;
	share(scene, "a");
	share(scene, "b");
	move_folder(scene, "a", "../gone");
	move_folder(scene, "b", "a");
	for (int i = 0; i < 2; i++) {
		sync_to(scene, 1);
		expect_error(scene, "a", "here b is now named a");
		expect_nothing_done(scene);
	}
	scripted_remove(scene->server, "a");
	sync_to(scene, 0);
	expect_done(scene, 0, 0);
	expect_is(scene, "a", "b");
	expect_settled(scene);
}

static void M56_one_in_the_place_of_another_that_is_gone_waits_for_the_user(void **state)
{
	static const struct shift shifts[] = {{"b", "a"}};
	struct run_scene *scene = *state;
	share(scene, "a");
	share(scene, "b");
	scripted_remove(scene->server, "a");
	rename_all(scene, shifts, 1);
	for (int i = 0; i < 2; i++) {
		sync_to(scene, 1);
		expect_error(scene, "a", "its folder is in the way");
		expect_nothing_done(scene);
	}
	move_folder(scene, "a", "old");
	sync_to(scene, 0);
	expect_done(scene, 0, 3);
	expect_is(scene, "a", "b");
	expect_is(scene, "old", "a");
	expect_settled(scene);
}

static void expect_told(struct run_scene *scene, const char *wire, const char *expected)
{
	char *told = scripted_told(scene->server, wire);
	assert_string_equal(told, expected);
	free(told);
}

/* Its only file bears letter a. */
static void expect_lettered(struct run_scene *scene, const char *folder)
{
	char *files = run_scene_files(scene, folder);
	assert_null(strchr(files, ' '));
	assert_non_null(strstr(files, ":2,Sa"));
	free(files);
}

/* By mv, with their dovecot-keywords: letter a has the other name in both. */
static void E16_swapped_here_their_messages_move_and_get_their_letters_back(void **state)
{
	struct run_scene *scene = *state;
	scripted_make(scene->server, "a");
	scripted_make(scene->server, "b");
	scripted_add(scene->server, "a", "\\Seen $a", "Subject: a1\nMessage-ID: <1@a>\n\ntext\n");
	scripted_add(scene->server, "b", "\\Seen $b", "Subject: b1\nMessage-ID: <1@b>\n\ntext\n");
	sync_to(scene, 0);
	move_folder(scene, "a", "../aside");
	move_folder(scene, "b", "a");
	move_folder(scene, "../aside", "b");
	sync_to(scene, 0);
	assert_int_equal(scene->report.total.moved, 2);
	sync_to(scene, 0);
	assert_int_equal(scene->report.total.flags_local, 2);
	assert_int_equal(scene->report.total.flags_remote, 0);
	expect_told(scene, "a", "2 \\Seen $b");
	expect_told(scene, "b", "2 \\Seen $a");
	expect_lettered(scene, "a");
	expect_lettered(scene, "b");
	run_scene_expect_idle(scene, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RUN_TEST(M53_M54_swapped_there_is_swapped_here),
		RUN_TEST(M53_M54_so_they_are_by_uidvalidity_and_a_sample),
		RUN_TEST(M54_shifted_there_is_shifted_here),
		RUN_TEST(M54_so_it_is_down_the_alphabet_and_without_ids),
		RUN_TEST(M54_two_circles_at_once_with_children),
		RUN_TEST(M54_a_dry_run_says_so),
		RUN_TEST(M53_a_server_that_tells_little_is_asked_once_one_shows_to_be_another),
		RUN_TEST(M53_and_where_one_is_new),
		RUN_TEST(M53_one_that_was_renumbered_is_no_other),
		RUN_TEST(M55_a_run_that_is_cut_between_two_of_them_is_taken_up),
		RUN_TEST(M53_one_that_was_renamed_and_made_anew_is_two),
		RUN_TEST(M53_an_id_that_is_not_told_any_more_makes_no_other),
		RUN_TEST(M57_shifted_here_is_shifted_there),
		RUN_TEST(M55_a_run_that_is_cut_between_two_of_these_is_taken_up),
		RUN_TEST(M57_a_copy_in_its_place_is_no_other),
		RUN_TEST(M56_one_in_the_place_of_another_that_is_gone_here_waits_too),
		RUN_TEST(M56_one_in_the_place_of_another_that_is_gone_waits_for_the_user),
		RUN_TEST(E16_swapped_here_their_messages_move_and_get_their_letters_back),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
