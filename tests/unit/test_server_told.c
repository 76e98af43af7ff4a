/* Whether this is the account that base knows (S): whole runs on a scripted server. */
#include "run_scene.h"
#include "scripted_door.h"

#include "gone_scene.h"

static void S1_no_folder_at_all_stops(void **state)
{
	struct run_scene *scene = *state;
	shared(scene, "a");
	move_folder(scene, "a", "../gone-a");
	move_folder(scene, "INBOX", "../gone-INBOX");
	sync_to(scene, 79);
	expect_error(scene, NULL, "is a disk not mounted?");
}

static void S10_a_server_that_renumbered_all_is_told_by_its_messages(void **state)
{
	struct run_scene *scene = *state;
	shared(scene, "a");
	scripted_renumber(scene->server, "a", 50);
	scripted_renumber(scene->server, "INBOX", 50);
	sync_to(scene, 0);
	expect_nothing_done(scene);
}

static void S12_another_server_stops_before_anything_is_done(void **state)
{
	struct run_scene *scene = *state;
	shared(scene, "a");
	struct scripted *own = scene->server;
	struct scripted *other = scripted_create();
	scripted_make(other, "a");
	scripted_add(other, "a", "", "Message-ID: <x>\n\nanother\n");
	scripted_renumber(other, "INBOX", 1);
	scripted_renumber(other, "a", 1);
	scripted_behind_door(other);
	scene->server = other;
	sync_to(scene, 79);
	expect_error(scene, NULL, "another server or account?");
	assert_null(strstr(scripted_heard(scene->server), "create"));
	scripted_behind_door(own);
	scene->server = own;
	scripted_destroy(&other);
}

/* All is renumbered, and where the messages are nothing can be asked. */
static void S16_who_cannot_be_asked_is_not_another_server(void **state)
{
	static const struct scripted_fault faults[] = {
		{.op = SCRIPTED_SELECT,
		 .what = SCRIPTED_REFUSED,
		 .wire = "a",
		 .always = true,
		 .code = REMOTE_REFUSAL_NOPERM},
		{.op = SCRIPTED_UIDS, .what = SCRIPTED_REFUSED, .wire = "a", .always = true},
		{.op = SCRIPTED_FETCH, .what = SCRIPTED_REFUSED, .wire = "a", .always = true},
		{.op = SCRIPTED_SELECT, .what = SCRIPTED_ENDS, .wire = "a", .always = true},
	};
	struct run_scene *scene = *state;
	shared(scene, "a");
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		scripted_renumber(scene->server, "a", 50 + (uint32_t)i);
		scripted_renumber(scene->server, "INBOX", 50 + (uint32_t)i);
		scripted_fault(scene->server, &faults[i]);
		(void)run_scene_sync(scene);
		assert_int_not_equal(scene->report.status, 0);
		assert_int_not_equal(scene->report.status, 79);
		expect_nothing_done(scene);
		scripted_forget_faults(scene->server);
		sync_to(scene, 0);
		expect_nothing_done(scene);
	}
}

/* The connection ends on several, so that all of them are set aside. */
static void S16_what_is_set_aside_is_asked_when_its_turn_comes(void **state)
{
	struct run_scene *scene = *state;
	shared(scene, "a");
	scripted_renumber(scene->server, "a", 50);
	scripted_renumber(scene->server, "INBOX", 50);
	scripted_fault(scene->server, &(struct scripted_fault){.op = SCRIPTED_VIEW,
							       .what = SCRIPTED_CUT,
							       .for_good = true});
	sync_to(scene, 75);
	expect_nothing_done(scene);
	scripted_forget_faults(scene->server);
	sync_to(scene, 0);
	expect_nothing_done(scene);
	sync_to(scene, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RUN_TEST(S1_no_folder_at_all_stops),
		RUN_TEST(S10_a_server_that_renumbered_all_is_told_by_its_messages),
		RUN_TEST(S12_another_server_stops_before_anything_is_done),
		RUN_TEST(S16_who_cannot_be_asked_is_not_another_server),
		RUN_TEST(S16_what_is_set_aside_is_asked_when_its_turn_comes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
