/* A sync beside a watch of the account, which has the lock for a moment at a time. */
#include "run_scene.h"
#include "scripted_door.h"

#include <time.h>

#include "mailsync/base/file.h"

static struct file_lock held; /* by the watch, while it is at work */

/* The watch is done by then. */
int nanosleep(const struct timespec *wanted, struct timespec *left)
{
	(void)wanted;
	(void)left;
	file_lock_finish(&held);
	return 0;
}

static void take(struct run_scene *scene, const char *suffix, struct file_lock *lock)
{
	char path[FILE_PATH_SIZE];
	file_lock_init(lock);
	account_path(&scene->account, &scene->options, suffix, path);
	RUN_OK(scene, file_lock_acquire(lock, path, false, NULL, &scene->err));
}

static void begin(struct run_scene *scene, struct file_lock *watch)
{
	RUN_OK(scene, run_scene_sync(scene));
	take(scene, ".watch", watch);
	take(scene, ".lock", &held);
}

static void it_waits_for_the_watch_to_be_done(void **state)
{
	struct run_scene *scene = *state;
	struct file_lock watch;
	begin(scene, &watch);
	RUN_OK(scene, run_scene_sync(scene));
	assert_int_equal(scene->report.status, 0);
	file_lock_finish(&watch);
}

static void it_can_be_stopped_while_it_waits(void **state)
{
	struct run_scene *scene = *state;
	stop_flag stop = 1;
	struct file_lock watch;
	begin(scene, &watch);
	scene->options.stop = &stop;
	assert_int_equal(run_scene_sync(scene), -ERR_INTERRUPTED);
	file_lock_finish(&watch);
	file_lock_finish(&held);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RUN_TEST(it_waits_for_the_watch_to_be_done),
		RUN_TEST(it_can_be_stopped_while_it_waits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
