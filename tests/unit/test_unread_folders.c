/* What is done for one message reads no folder: names of files are counted as they are read. */
#define _GNU_SOURCE /* RTLD_NEXT */
#include "next_call.h"
#include "run_scene.h"
#include "scripted_door.h"

#include <ctype.h>
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static size_t names_read;

struct dirent *readdir(DIR *stream)
{
	struct dirent *(*next)(DIR *) = (struct dirent * (*)(DIR *)) NEXT_CALL(readdir);
	struct dirent *entry = next(stream);
	names_read += entry != NULL && isdigit((unsigned char)entry->d_name[0]);
	return entry;
}

/* It runs ahead: the stamps of what was written just now are old enough to prove something. */
int clock_gettime(clockid_t id, struct timespec *now)
{
	int (*next)(clockid_t, struct timespec *) =
		(int (*)(clockid_t, struct timespec *))NEXT_CALL(clock_gettime);
	int code = next(id, now);
	now->tv_sec += id == CLOCK_REALTIME ? 60 : 0;
	return code;
}

/* Messages "1" to "3" on both sides, seen, and base knows their folder. */
static void begin(struct run_scene *scene)
{
	for (int i = 1; i <= 3; i++) {
		char text[64];
		snprintf(text, sizeof(text), "Subject: %d\n\ntext\n", i);
		scripted_add(scene->server, "INBOX", "\\Seen", text);
	}
	RUN_OK(scene, run_scene_sync(scene));
	RUN_OK(scene, run_scene_sync(scene));
	names_read = 0;
}

static void end(struct run_scene *scene, size_t expected_names, const char *expected)
{
	RUN_OK(scene, run_scene_sync(scene));
	assert_int_equal(scene->report.status, 0);
	assert_int_equal(names_read, expected_names);
	run_scene_expect_both(scene, "INBOX", expected);
	run_scene_expect_idle(scene, 0);
}

static void a_flag_there(void **state) /* D41 */
{
	begin(*state);
	scripted_flag(((struct run_scene *)*state)->server, "INBOX", 2, "\\Seen \\Flagged");
	end(*state, 0, "1/S 2/FS 3/S");
}

static void all_flags_taken_off_there(void **state) /* D41 */
{
	struct run_scene *scene = *state;
	begin(scene);
	scripted_flag(scene->server, "INBOX", 2, "");
	end(scene, 0, "1/S 2/ 3/S");
	scripted_flag(scene->server, "INBOX", 2, "\\Answered");
	RUN_OK(scene, run_scene_sync(scene));
	RUN_OK(scene, run_scene_sync(scene));
	names_read = 0;
	scripted_flag(scene->server, "INBOX", 2, "\\Answered \\Seen");
	end(scene, 0, "1/S 2/RS 3/S");
}

static void a_keyword_there(void **state) /* D41 */
{
	struct run_scene *scene = *state;
	begin(scene);
	scripted_flag(scene->server, "INBOX", 2, "\\Seen $Junk");
	RUN_OK(scene, run_scene_sync(scene));
	assert_int_equal(names_read, 0);
	RUN_OK(scene, run_scene_sync(scene));
	names_read = 0;
	scripted_flag(scene->server, "INBOX", 2, "$Junk \\Flagged"); /* the name has its letter */
	RUN_OK(scene, run_scene_sync(scene));
	assert_int_equal(names_read, 0);
	run_scene_expect_idle(scene, 0);
}

static void a_deletion_there(void **state) /* D41 */
{
	begin(*state);
	scripted_expunge(((struct run_scene *)*state)->server, "INBOX", 2);
	end(*state, 0, "1/S 3/S");
}

static void a_new_message_there(void **state)
{
	begin(*state);
	scripted_add(((struct run_scene *)*state)->server, "INBOX", "\\Seen",
		     "Subject: 4\n\ntext\n");
	end(*state, 0, "1/S 2/S 3/S 4/S");
}

/* The first of the files in cur. */
static void first_file(struct run_scene *scene, char path[512])
{
	char *names = run_scene_files(scene, "INBOX");
	snprintf(path, 512, "%s/INBOX/cur/%.*s", scene->maildir, (int)strcspn(names, " "), names);
	free(names);
}

static void a_name_that_does_not_follow_from_the_flags(void **state) /* D41 */
{
	struct run_scene *scene = *state;
	char from[512];
	char to[600];
	begin(scene);
	first_file(scene, from);
	snprintf(to, sizeof(to), "%sX", from); /* a letter that nobody knows */
	assert_int_equal(rename(from, to), 0);
	RUN_OK(scene, run_scene_sync(scene));
	names_read = 0;
	scripted_flag(scene->server, "INBOX", 1, "\\Seen \\Flagged");
	RUN_OK(scene, run_scene_sync(scene));
	assert_int_equal(names_read, 3);
	run_scene_expect_here(scene, "INBOX", "1/FSX 2/S 3/S");
	run_scene_expect_idle(scene, 0);
}

static void of_two_names_both_go(void **state) /* C6, D41 */
{
	struct run_scene *scene = *state;
	char from[512];
	char to[600];
	begin(scene);
	first_file(scene, from);
	snprintf(to, sizeof(to), "%.*sF", (int)strlen(from) - 1, from);
	assert_int_equal(link(from, to), 0);
	RUN_OK(scene, run_scene_sync(scene));
	scripted_flag(scene->server, "INBOX", 1, "\\Seen \\Flagged");
	RUN_OK(scene, run_scene_sync(scene));
	RUN_OK(scene, run_scene_sync(scene));
	names_read = 0;
	scripted_expunge(scene->server, "INBOX", 1);
	RUN_OK(scene, run_scene_sync(scene));
	assert_int_equal(names_read, 4);
	run_scene_expect_both(scene, "INBOX", "2/S 3/S");
	run_scene_expect_idle(scene, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RUN_TEST(a_flag_there),
		RUN_TEST(all_flags_taken_off_there),
		RUN_TEST(a_keyword_there),
		RUN_TEST(a_deletion_there),
		RUN_TEST(a_new_message_there),
		RUN_TEST(a_name_that_does_not_follow_from_the_flags),
		RUN_TEST(of_two_names_both_go),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
