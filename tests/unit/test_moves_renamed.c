/* A file that was filed elsewhere under another name (V19): whole runs on a scripted server. */
#include "run_scene.h"
#include "scripted_door.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ONE "Subject: one\nMessage-ID: <one@x>\n\nthe text of one\n"
#define TWO "Subject: two\nMessage-ID: <two@x>\n\nthe text of two\n"

/* INBOX has ONE on both sides; then it is written anew in Archive, and removed. */
static void begin(struct run_scene *scene)
{
	char path[512];
	scripted_make(scene->server, "Archive");
	run_scene_write(scene, "INBOX/cur/17.one:2,S", ONE);
	RUN_OK(scene, run_scene_sync(scene));
	run_scene_expect_both(scene, "INBOX", "one/S");
	snprintf(path, sizeof(path), "%s/INBOX/cur/17.one:2,S", scene->maildir);
	assert_int_equal(unlink(path), 0);
	run_scene_write(scene, "Archive/cur/99.saved:2,S", ONE);
}

static void V19_one_that_was_written_anew_has_moved(void **state)
{
	struct run_scene *scene = *state;
	begin(scene);
	run_scene_write(scene, "Archive/cur/98.other:2,", TWO);
	RUN_OK(scene, run_scene_sync(scene));
	assert_int_equal(scene->report.total.moved, 1);
	assert_int_equal(scene->report.total.uploaded, 1);
	assert_int_equal(scene->report.total.deleted_remote, 0);
	run_scene_expect_both(scene, "INBOX", "");
	run_scene_expect_both(scene, "Archive", "one/S two/");
	run_scene_expect_idle(scene, 0);
}

static void V19_of_two_copies_one_is_new_mail(void **state)
{
	struct run_scene *scene = *state;
	begin(scene);
	run_scene_write(scene, "Archive/cur/98.again:2,S", ONE);
	RUN_OK(scene, run_scene_sync(scene));
	assert_int_equal(scene->report.total.moved, 1);
	assert_int_equal(scene->report.total.uploaded, 1);
	run_scene_expect_both(scene, "Archive", "one/S one/S");
	run_scene_expect_idle(scene, 0);
}

static void V19_where_it_may_not_be_moved_it_is_new_mail(void **state)
{
	struct run_scene *scene = *state;
	begin(scene);
	scene->account.delete_ = SIDE_NONE;
	RUN_OK(scene, run_scene_sync(scene));
	assert_int_equal(scene->report.total.moved, 0);
	assert_int_equal(scene->report.total.uploaded, 1);
	run_scene_expect_there(scene, "INBOX", "one/S");
}

/* Hundreds of them are no deletions. */
static void V19_many_do_not_meet_the_brake(void **state)
{
	struct run_scene *scene = *state;
	char path[512];
	char text[128];
	scripted_make(scene->server, "Archive");
	for (int i = 0; i < 30; i++) {
		snprintf(path, sizeof(path), "INBOX/cur/17.%d:2,S", i);
		snprintf(text, sizeof(text), "Subject: %d\nMessage-ID: <%d@x>\n\ntext\n", i, i);
		run_scene_write(scene, path, text);
	}
	RUN_OK(scene, run_scene_sync(scene));
	for (int i = 0; i < 30; i++) {
		snprintf(path, sizeof(path), "Archive/cur/99.%d:2,S", i);
		snprintf(text, sizeof(text), "Subject: %d\nMessage-ID: <%d@x>\n\ntext\n", i, i);
		run_scene_write(scene, path, text);
		snprintf(path, sizeof(path), "%s/INBOX/cur/17.%d:2,S", scene->maildir, i);
		assert_int_equal(unlink(path), 0);
	}
	RUN_OK(scene, run_scene_sync(scene));
	assert_int_equal(scene->report.status, 0);
	assert_int_equal(scene->report.total.moved, 30);
	assert_int_equal(scene->report.total.uploaded, 0);
	run_scene_expect_both(scene, "INBOX", "");
	run_scene_expect_idle(scene, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RUN_TEST(V19_one_that_was_written_anew_has_moved),
		RUN_TEST(V19_of_two_copies_one_is_new_mail),
		RUN_TEST(V19_where_it_may_not_be_moved_it_is_new_mail),
		RUN_TEST(V19_many_do_not_meet_the_brake),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
