/* Mailboxes that are chosen by their special use: whole runs on a scripted server and a Maildir. */
#include "run_scene.h"
#include "scripted_door.h"

#include <unistd.h>

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		RUN_TEST(a_use_leaves_a_mailbox_out_on_both_sides),
		RUN_TEST(one_may_be_all_that_is_chosen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
