/* Mailboxes with more than is planned, or told, at a time: two rows, two messages. */
#include "brake_scene.h"

static void begin(struct run_scene *scene)
{
	scene->options.slice_rows = 2;
	scene->server->view_part = 2;
}

static void expect_brought(struct run_scene *scene, uint64_t downloaded, uint64_t deleted_local)
{
	assert_int_equal(scene->report.total.downloaded, downloaded);
	assert_int_equal(scene->report.total.deleted_local, deleted_local);
}

static void all_that_is_new_there_comes(void **state)
{
	struct run_scene *scene = *state;
	begin(scene);
	add_many(scene, "INBOX", 1, 5);
	sync_to(scene, 0);
	expect_brought(scene, 5, 0);
	run_scene_expect_both(scene, "INBOX", "01/ 02/ 03/ 04/ 05/");
	run_scene_expect_idle(scene, 0);
}

/* Then they are downloaded side by side, and each in slices. */
static void so_does_that_of_several_mailboxes(void **state)
{
	struct run_scene *scene = *state;
	begin(scene);
	scripted_make(scene->server, "Work");
	add_many(scene, "INBOX", 1, 5);
	add_many(scene, "Work", 11, 4);
	sync_to(scene, 0);
	expect_brought(scene, 9, 0);
	run_scene_expect_both(scene, "INBOX", "01/ 02/ 03/ 04/ 05/");
	run_scene_expect_both(scene, "Work", "11/ 12/ 13/ 14/");
	run_scene_expect_idle(scene, 0);
}

static void write_five(struct run_scene *scene)
{
	for (int i = 1; i <= 5; i++) {
		char path[64];
		snprintf(path, sizeof(path), "INBOX/cur/%d.m:2,S", i);
		run_scene_write(scene, path, "Subject: x\n\ntext\n");
	}
}

static void all_that_is_new_here_goes_up(void **state)
{
	struct run_scene *scene = *state;
	begin(scene);
	write_five(scene);
	sync_to(scene, 0);
	assert_int_equal(scene->report.total.uploaded, 5);
	run_scene_expect_both(scene, "INBOX", "x/S x/S x/S x/S x/S");
	run_scene_expect_idle(scene, 0);
}

static void without_base_all_are_paired(void **state)
{
	struct run_scene *scene = *state;
	begin(scene);
	add_many(scene, "INBOX", 1, 5);
	settle(scene);
	run_scene_forget_base(scene);
	add(scene, "INBOX", 6);
	sync_to(scene, 0);
	expect_brought(scene, 1, 0);
	run_scene_expect_both(scene, "INBOX", "01/ 02/ 03/ 04/ 05/ 06/");
	run_scene_expect_idle(scene, 0);
}

/* Flags of the first, and the removal of the last, are in slices of their own. */
static void each_change_is_carried_out(void **state)
{
	struct run_scene *scene = *state;
	begin(scene);
	shared(scene, "INBOX", 7);
	for (uint32_t uid = 1; uid <= 5; uid++) {
		scripted_flag(scene->server, "INBOX", uid, "\\Seen");
	}
	scripted_expunge(scene->server, "INBOX", 7);
	add(scene, "INBOX", 8);
	sync_to(scene, 0);
	expect_brought(scene, 1, 1);
	run_scene_expect_both(scene, "INBOX", "01/S 02/S 03/S 04/S 05/S 06/ 08/");
	run_scene_expect_idle(scene, 0);
}

/* None of the slices is over the limit by itself. */
static void remove_many_there(struct run_scene *scene)
{
	begin(scene);
	shared(scene, "INBOX", 20);
	for (uint32_t uid = 1; uid <= 11; uid++) {
		scripted_expunge(scene->server, "INBOX", uid);
	}
	sync_to(scene, HELD);
}

static void the_brake_counts_all_of_them(void **state) /* B1 */
{
	struct run_scene *scene = *state;
	remove_many_there(scene);
	expect_brought(scene, 0, 0);
	sync_to(scene, HELD);
	run_scene_expect_idle(scene, HELD);
	scene->options.allow_mass_delete = true;
	sync_to(scene, 0);
	expect_brought(scene, 0, 11);
	scene->options.allow_mass_delete = false;
	run_scene_expect_idle(scene, 0);
}

static void what_is_held_comes_back_from_all_of_them(void **state) /* B12 */
{
	struct run_scene *scene = *state;
	remove_many_there(scene);
	scene->options.bring_back = true;
	sync_to(scene, 0);
	assert_int_equal(scene->report.total.uploaded, 11);
	scene->options.bring_back = false;
	run_scene_expect_idle(scene, 0);
}

static void what_policy_leaves_is_left_in_all_of_them(void **state)
{
	struct run_scene *scene = *state;
	begin(scene);
	scene->account.max_message_size = 5;
	add_many(scene, "INBOX", 1, 5);
	sync_to(scene, 0);
	expect_brought(scene, 0, 0);
	assert_int_equal(scene->report.total.skipped, 5);
	run_scene_expect_idle(scene, 0);
	assert_int_equal(scene->report.total.skipped, 5);
}

static void a_full_server_is_asked_once(void **state)
{
	struct run_scene *scene = *state;
	begin(scene);
	scene->server->facts.takes_many_appends = false;
	scene->server->facts.appends_without_wait = false;
	write_five(scene);
	scripted_fault(scene->server, &(struct scripted_fault){.op = SCRIPTED_APPEND,
							       .what = SCRIPTED_REFUSED,
							       .code = REMOTE_REFUSAL_OVERQUOTA});
	(void)run_scene_sync(scene);
	assert_int_equal(scene->server->asked[SCRIPTED_APPEND], 1);
	scripted_forget_faults(scene->server);
	settle(scene);
	run_scene_expect_both(scene, "INBOX", "x/S x/S x/S x/S x/S");
}

/* What came of it before is known to the next run, which asks for all of it. */
static void a_listing_that_breaks_off_is_taken_up(void **state)
{
	struct run_scene *scene = *state;
	begin(scene);
	add_many(scene, "INBOX", 1, 5);
	scripted_fault(scene->server, &(struct scripted_fault){.op = SCRIPTED_VIEW,
							       .what = SCRIPTED_LOST,
							       .for_good = true});
	assert_true(run_scene_sync(scene) < 0);
	expect_brought(scene, 0, 0);
	scripted_forget_faults(scene->server);
	settle(scene);
	run_scene_expect_both(scene, "INBOX", "01/ 02/ 03/ 04/ 05/");
}

/* The server tells of no changes: all is listed each time. */
static void what_a_listing_lacks_is_gone(void **state) /* D29 */
{
	struct run_scene *scene = *state;
	begin(scene);
	scene->server->facts.tells_changes = false;
	shared(scene, "INBOX", 9);
	scripted_expunge(scene->server, "INBOX", 1);
	scripted_expunge(scene->server, "INBOX", 4);
	scripted_expunge(scene->server, "INBOX", 9);
	scripted_flag(scene->server, "INBOX", 5, "\\Seen");
	scene->server->asked[SCRIPTED_UIDS] = 0;
	sync_to(scene, 0);
	expect_brought(scene, 0, 3);
	assert_int_equal(scene->server->asked[SCRIPTED_UIDS], 0);
	run_scene_expect_both(scene, "INBOX", "02/ 03/ 05/S 06/ 07/ 08/");
	run_scene_expect_idle(scene, 0);
}

/* One is not told of in the listing, and SEARCH tells that it is there. */
static void what_a_listing_omits_is_not_gone(void **state) /* D30 */
{
	struct run_scene *scene = *state;
	begin(scene);
	scene->server->facts.tells_changes = false;
	shared(scene, "INBOX", 7);
	scripted_fault(scene->server, &(struct scripted_fault){.op = SCRIPTED_VIEW,
							       .what = SCRIPTED_OMITTED,
							       .always = true,
							       .uid = 2});
	scripted_flag(scene->server, "INBOX", 5, "\\Seen");
	(void)run_scene_sync(scene);
	expect_brought(scene, 0, 0);
	scripted_forget_faults(scene->server);
	settle(scene);
	run_scene_expect_both(scene, "INBOX", "01/ 02/ 03/ 04/ 05/S 06/ 07/");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RUN_TEST(all_that_is_new_there_comes),
		RUN_TEST(so_does_that_of_several_mailboxes),
		RUN_TEST(all_that_is_new_here_goes_up),
		RUN_TEST(without_base_all_are_paired),
		RUN_TEST(each_change_is_carried_out),
		RUN_TEST(the_brake_counts_all_of_them),
		RUN_TEST(what_is_held_comes_back_from_all_of_them),
		RUN_TEST(what_policy_leaves_is_left_in_all_of_them),
		RUN_TEST(a_full_server_is_asked_once),
		RUN_TEST(a_listing_that_breaks_off_is_taken_up),
		RUN_TEST(what_a_listing_lacks_is_gone),
		RUN_TEST(what_a_listing_omits_is_not_gone),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
