/* Runs against a server that does not take a message (rules/refusal_rules.h). */
#include "run_scene.h"
#include "scripted_door.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include "mailsync/base/clock.h"

#define PARTIAL   err_exit_status(ERR_PARTIAL)
#define TEMPORARY err_exit_status(ERR_TEMPORARY)
#define DAY       (24 * 3600)

/* Files "1" to COUNT of INBOX, each as much larger than the one before. */
static void deliver(struct run_scene *scene, int first, int count)
{
	for (int i = first; i < first + count; i++) {
		char path[64];
		char text[512];
		snprintf(path, sizeof(path), "INBOX/cur/%d.here:2,S", i);
		snprintf(text, sizeof(text), "Subject: %d\nMessage-ID: <%d@x>\n\n%*d\n", i, i,
			 20 * i, i);
		run_scene_write(scene, path, text);
	}
}

static void refuse(struct run_scene *scene, enum remote_refusal code, unsigned nth)
{
	scripted_fault(scene->server, &(struct scripted_fault){.op = SCRIPTED_APPEND,
							       .what = SCRIPTED_REFUSED,
							       .code = code,
							       .nth = nth});
}

static void refuse_all(struct run_scene *scene, enum remote_refusal code)
{
	scripted_fault(scene->server, &(struct scripted_fault){.op = SCRIPTED_APPEND,
							       .what = SCRIPTED_REFUSED,
							       .code = code,
							       .always = true});
}

/* So much time goes by. */
static void wait(struct run_scene *scene, int seconds)
{
	char path[160];
	char sql[128];
	sqlite3 *db = NULL;
	snprintf(path, sizeof(path), "%s/%s.db", scene->state_dir, scene->account.name);
	snprintf(sql, sizeof(sql), "UPDATE refused SET since = since - %d, last = last - %d",
		 seconds, seconds);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

struct outcome {
	int status;
	unsigned appends;
	unsigned uploaded;
	unsigned skipped;
	unsigned errors;
};

static void run(struct run_scene *scene, struct outcome expected)
{
	size_t appends = scene->server->asked[SCRIPTED_APPEND];
	(void)run_scene_sync(scene);
	if (scene->report.is_to_be_heard) {
		RUN_OK(scene, sync_was_heard(&scene->account, &scene->options, &scene->err));
	}
	const struct sync_counts *total = &scene->report.total;
	struct outcome found = {
		scene->report.status,
		(unsigned)(scene->server->asked[SCRIPTED_APPEND] - appends),
		(unsigned)total->uploaded,
		(unsigned)total->skipped,
		(unsigned)total->errors,
	};
	if (memcmp(&found, &expected, sizeof(found)) != 0) {
		fail_msg("status %d (%d), appends %u (%u), uploaded %u (%u), skipped %u (%u), "
			 "errors %u (%u): %s",
			 found.status, expected.status, found.appends, expected.appends,
			 found.uploaded, expected.uploaded, found.skipped, expected.skipped,
			 found.errors, expected.errors,
			 scene->report.error_count > 0
				 ? scene->report.errors[scene->report.error_count - 1].text
				 : "");
	}
}

static void expect_words(const struct run_scene *scene, const char *words)
{
	assert_true(scene->report.error_count > 0);
	if (strstr(scene->report.errors[0].text, words) == NULL) {
		fail_msg("\"%s\" lacks \"%s\"", scene->report.errors[0].text, words);
	}
}

static void for_good_it_is_told_once_and_left_out_for_a_day(void **state) /* N1, N6, N10, R31 */
{
	struct run_scene *scene = *state;
	deliver(scene, 1, 1);
	refuse_all(scene, REMOTE_REFUSAL_TOOBIG);
	run(scene, (struct outcome){PARTIAL, 1, 0, 0, 1});
	expect_words(scene, "left out");
	run_scene_expect_idle(scene, 0);
	run(scene, (struct outcome){0, 0, 0, 1, 0});
	wait(scene, DAY);
	run(scene, (struct outcome){0, 1, 0, 1, 0});
	run_scene_expect_idle(scene, 0);
	scripted_forget_faults(scene->server);
	run(scene, (struct outcome){0, 0, 0, 1, 0});
	wait(scene, DAY);
	run(scene, (struct outcome){0, 1, 1, 0, 0});
	run_scene_expect_idle(scene, 0);
	run_scene_expect_both(scene, "INBOX", "1/S");
}

static void another_text_or_flag_is_tried_at_once(void **state) /* N6 */
{
	struct run_scene *scene = *state;
	deliver(scene, 1, 1);
	refuse_all(scene, REMOTE_REFUSAL_CANNOT);
	run(scene, (struct outcome){PARTIAL, 1, 0, 0, 1});
	run_scene_move_file(scene, "INBOX", "1", "INBOX", "F");
	run(scene, (struct outcome){PARTIAL, 1, 0, 0, 1});
	run(scene, (struct outcome){0, 0, 0, 1, 0});
	run_scene_write(scene, "INBOX/cur/1.here:2,F", "Subject: 1\n\nshorter\n");
	run(scene, (struct outcome){PARTIAL, 1, 0, 0, 1});
	run_scene_write(scene, "INBOX/cur/1.here:2,F", "Subject: 1\n\nshorter still\n");
	scripted_forget_faults(scene->server);
	run(scene, (struct outcome){0, 1, 1, 0, 0});
	run_scene_expect_both(scene, "INBOX", "1/F");
}

static void without_a_reason_beside_others_it_is_for_good(void **state) /* N3, N7 */
{
	struct run_scene *scene = *state;
	deliver(scene, 1, 3);
	refuse(scene, REMOTE_REFUSAL_NONE, 1); /* of all, and of the second */
	refuse(scene, REMOTE_REFUSAL_NONE, 3);
	run(scene, (struct outcome){PARTIAL, 4, 2, 0, 1});
	expect_words(scene, "left out");
	run_scene_expect_there(scene, "INBOX", "1/S 3/S");
	run_scene_expect_idle(scene, 0);
	run(scene, (struct outcome){0, 0, 0, 1, 0});
}

static void without_a_reason_alone_it_takes_three_runs(void **state) /* N4 */
{
	struct run_scene *scene = *state;
	deliver(scene, 1, 1);
	refuse_all(scene, REMOTE_REFUSAL_OTHER);
	run(scene, (struct outcome){PARTIAL, 1, 0, 0, 1});
	wait(scene, 1800);
	run(scene, (struct outcome){PARTIAL, 1, 0, 0, 1});
	wait(scene, 1800);
	run(scene, (struct outcome){PARTIAL, 1, 0, 0, 1});
	expect_words(scene, "left out");
	run(scene, (struct outcome){0, 0, 0, 1, 0});
}

static void company_that_comes_later_decides_too(void **state) /* N3 */
{
	struct run_scene *scene = *state;
	deliver(scene, 1, 1);
	refuse(scene, REMOTE_REFUSAL_NONE, 1);
	run(scene, (struct outcome){PARTIAL, 1, 0, 0, 1});
	deliver(scene, 2, 1);
	refuse(scene, REMOTE_REFUSAL_NONE, 2); /* the new one goes first */
	run(scene, (struct outcome){PARTIAL, 2, 1, 0, 1});
	expect_words(scene, "left out");
	run(scene, (struct outcome){0, 0, 0, 1, 0});
}

static void for_now_it_is_tried_in_every_run(void **state) /* N5 */
{
	static const enum remote_refusal codes[] = {REMOTE_REFUSAL_NOPERM, REMOTE_REFUSAL_OVERQUOTA,
						    REMOTE_REFUSAL_TRYCREATE};
	struct run_scene *scene = *state;
	deliver(scene, 1, 1);
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		refuse_all(scene, codes[i]);
		for (int day = 0; day < 5; day++) {
			run(scene, (struct outcome){PARTIAL, 1, 0, 0, 1});
			wait(scene, DAY);
		}
		scripted_forget_faults(scene->server);
	}
	run(scene, (struct outcome){0, 1, 1, 0, 0});
	run_scene_expect_idle(scene, 0);
}

static void what_is_larger_than_the_server_takes_is_not_sent(void **state) /* N2 */
{
	struct run_scene *scene = *state;
	deliver(scene, 1, 3);
	scene->server->facts.append_limit = told(60);
	run(scene, (struct outcome){PARTIAL, 1, 1, 0, 2});
	expect_words(scene, "APPENDLIMIT");
	run_scene_expect_idle(scene, 0);
	run(scene, (struct outcome){0, 0, 0, 2, 0});
	wait(scene, DAY);
	run(scene, (struct outcome){0, 0, 0, 2, 0});
	scene->server->facts.append_limit = told(80);
	run(scene, (struct outcome){0, 1, 1, 1, 0});
	scene->server->facts.append_limit = UNTOLD;
	run(scene, (struct outcome){0, 1, 1, 0, 0});
	run_scene_expect_both(scene, "INBOX", "1/S 2/S 3/S");
}

static void after_overquota_smaller_ones_go(void **state) /* N8 */
{
	struct run_scene *scene = *state;
	scene->server->facts.takes_many_appends = false;
	scene->server->facts.appends_without_wait = false;
	deliver(scene, 3, 3);
	refuse(scene, REMOTE_REFUSAL_OVERQUOTA, 1);
	run(scene, (struct outcome){PARTIAL, 1, 0, 0, 1});
	deliver(scene, 1, 1);
	refuse(scene, REMOTE_REFUSAL_OVERQUOTA, 2); /* the smallest first, then the next */
	run(scene, (struct outcome){PARTIAL, 2, 1, 0, 1});
	run_scene_expect_there(scene, "INBOX", "1/S");
	run(scene, (struct outcome){0, 3, 3, 0, 0});
	run_scene_expect_idle(scene, 0);
}

static void one_that_is_busy_holds_up_no_other(void **state) /* N7, N9 */
{
	struct run_scene *scene = *state;
	scene->server->facts.takes_many_appends = false;
	scene->server->facts.appends_without_wait = false;
	deliver(scene, 1, 4);
	refuse(scene, REMOTE_REFUSAL_PASSING, 1);
	run(scene, (struct outcome){PARTIAL, 4, 3, 0, 1});
	refuse(scene, REMOTE_REFUSAL_BUSY, 1);
	deliver(scene, 5, 1);
	run(scene, (struct outcome){PARTIAL, 1, 0, 0, 1});
	refuse(scene, REMOTE_REFUSAL_BUSY, 2);
	deliver(scene, 6, 1);
	run(scene, (struct outcome){PARTIAL, 2, 1, 0, 1});
	run(scene, (struct outcome){0, 2, 2, 0, 0});
	run_scene_expect_idle(scene, 0);
}

static void a_mailbox_that_takes_none_gets_no_more(void **state) /* N9 */
{
	struct run_scene *scene = *state;
	scene->server->facts.takes_many_appends = false;
	scene->server->facts.appends_without_wait = false;
	deliver(scene, 1, 9);
	refuse_all(scene, REMOTE_REFUSAL_NOPERM);
	run(scene, (struct outcome){PARTIAL, 2, 0, 0, 2});
	run(scene, (struct outcome){PARTIAL, 2, 0, 0, 2});
	scripted_forget_faults(scene->server);
	run(scene, (struct outcome){0, 9, 9, 0, 0});
}

static void a_file_that_goes_takes_its_refusal_along(void **state)
{
	struct run_scene *scene = *state;
	struct refusals refusals = {0};
	deliver(scene, 1, 2);
	refuse_all(scene, REMOTE_REFUSAL_CANNOT);
	run(scene, (struct outcome){PARTIAL, 3, 0, 0, 2});
	run_scene_remove_file(scene, "INBOX", "1");
	run(scene, (struct outcome){0, 0, 0, 1, 0});
	RUN_OK(scene, run_scene_begin(scene));
	RUN_OK(scene, state_refusals_load(scene->session.state, 0, &refusals, &scene->err));
	assert_int_equal(refusals.count, 1);
	assert_int_equal(refusals.items[0].kind, REFUSAL_LASTING);
	refusals_finish(&refusals);
	run_scene_end(scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RUN_TEST(for_good_it_is_told_once_and_left_out_for_a_day),
		RUN_TEST(another_text_or_flag_is_tried_at_once),
		RUN_TEST(without_a_reason_beside_others_it_is_for_good),
		RUN_TEST(without_a_reason_alone_it_takes_three_runs),
		RUN_TEST(company_that_comes_later_decides_too),
		RUN_TEST(for_now_it_is_tried_in_every_run),
		RUN_TEST(what_is_larger_than_the_server_takes_is_not_sent),
		RUN_TEST(after_overquota_smaller_ones_go),
		RUN_TEST(one_that_is_busy_holds_up_no_other),
		RUN_TEST(a_mailbox_that_takes_none_gets_no_more),
		RUN_TEST(a_file_that_goes_takes_its_refusal_along),
	};
	return cmocka_run_group_tests_name("refused", tests, NULL, NULL);
}
