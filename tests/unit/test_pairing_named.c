/* Pairing of a mailbox so large that files which bear names of ours are matched a slice at a time
 * (W1), and the rest at once: nothing is copied, whatever of it goes wrong. */
#include "pairing_scene.h"
#include "scripted_door.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MANY   4200 /* of each side: more than two slices of 4,000 rows */
#define SLICES 2    /* that hold files */

static void expect_paired(struct run_scene *scene)
{
	expect_run(scene, 0, 0);
	run_scene_expect_idle(scene, 0);
}

/* The name in INBOX/new of the file of UID, whose path goes to PATH. */
static void path_of(struct run_scene *scene, unsigned uid, char path[512])
{
	char folder[128], end[16];
	snprintf(folder, sizeof(folder), "%s/INBOX/new", scene->maildir);
	snprintf(end, sizeof(end), "_%u", uid);
	DIR *dir = opendir(folder);
	assert_non_null(dir);
	path[0] = '\0';
	for (const struct dirent *entry; (entry = readdir(dir)) != NULL;) {
		const char *at = strstr(entry->d_name, end);
		if (at != NULL && (at[strlen(end)] < '0' || at[strlen(end)] > '9')) {
			snprintf(path, 512, "%s/%s", folder, entry->d_name);
		}
	}
	closedir(dir);
	assert_true(path[0] != '\0');
}

static void headers_are_asked_for_in_slices(void **state) /* W1 */
{
	struct run_scene *scene = *state;
	lose_base(scene, MANY);
	expect_run(scene, 0, 0);
	assert_int_equal(scene->server->asked[SCRIPTED_FETCH], SLICES);
	run_scene_expect_idle(scene, 0);
}

static void what_was_paired_stays_so_when_the_connection_ends(void **state)
{
	struct run_scene *scene = *state;
	lose_base(scene, MANY);
	scripted_fault(scene->server, &(struct scripted_fault){.op = SCRIPTED_FETCH,
							       .what = SCRIPTED_ENDS,
							       .nth = 2,
							       .for_good = true});
	assert_true(run_scene_sync(scene) < 0);
	expect_copied(scene, 0, 0);
	scene->server->is_down = false;
	scripted_forget_faults(scene->server);
	expect_paired(scene);
}

static void names_that_lie_are_left_to_the_matching_of_all(void **state)
{
	struct run_scene *scene = *state;
	char one[512], other[512], aside[600];
	lose_base(scene, MANY);
	path_of(scene, 7, one);
	path_of(scene, 4100, other);
	snprintf(aside, sizeof(aside), "%s/aside", scene->root);
	assert_int_equal(rename(one, aside), 0);
	assert_int_equal(rename(other, one), 0);
	assert_int_equal(rename(aside, other), 0);
	expect_paired(scene);
}

static void refused_headers_make_all_wait_that_is_not_paired(void **state) /* W19 */
{
	struct run_scene *scene = *state;
	lose_base(scene, MANY);
	scripted_fault(scene->server, &(struct scripted_fault){.op = SCRIPTED_FETCH,
							       .what = SCRIPTED_REFUSED,
							       .nth = 2,
							       .always = true});
	expect_run(scene, 0, 0);
	assert_int_equal(scene->report.total.errors, 1);
	scripted_forget_faults(scene->server);
	expect_paired(scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RUN_TEST(headers_are_asked_for_in_slices),
		RUN_TEST(what_was_paired_stays_so_when_the_connection_ends),
		RUN_TEST(names_that_lie_are_left_to_the_matching_of_all),
		RUN_TEST(refused_headers_make_all_wait_that_is_not_paired),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
