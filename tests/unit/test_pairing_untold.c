/*
 * Pairing where the server does not tell what it was asked for (W19, W20): nothing is copied of
 * what may be on both sides already, all else goes on, and a later run pairs it.
 */
#include "pairing_scene.h"
#include "scripted_door.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HIDDEN 3 /* the UID that it is about */

/* FAULT befalls fetches of two runs, in which it waits; then the lie ends. */
static void expect_to_wait(struct run_scene *scene, const struct scripted_fault *fault)
{
	lose_base(scene, 5);
	scripted_fault(scene->server, fault);
	for (int run = 0; run < 2; run++) {
		expect_run(scene, 0, 0);
		assert_int_equal(scene->report.total.errors, 1);
		assert_int_not_equal(scene->report.status, 0);
	}
	scripted_forget_faults(scene->server);
	expect_run(scene, 0, 0);
	assert_int_equal(scene->report.status, 0);
	run_scene_expect_both(scene, "INBOX", "1/ 2/ 3/ 4/ 5/");
	run_scene_expect_idle(scene, 0);
}

static void refused_headers_make_all_wait(void **state) /* W19 */
{
	expect_to_wait(*state, &(struct scripted_fault){.op = SCRIPTED_FETCH,
							.what = SCRIPTED_REFUSED,
							.always = true});
}

static void a_server_too_busy_for_headers_makes_all_wait(void **state) /* W19 */
{
	expect_to_wait(*state, &(struct scripted_fault){.op = SCRIPTED_FETCH,
							.what = SCRIPTED_BUSY,
							.busy_ms = 1,
							.always = true});
}

static void a_header_that_is_left_out_is_waited_for(void **state) /* W19 */
{
	expect_to_wait(*state, &(struct scripted_fault){.op = SCRIPTED_FETCH,
							.what = SCRIPTED_OMITTED,
							.uid = HIDDEN,
							.always = true});
}

static void a_header_that_is_nil_is_waited_for(void **state) /* W19 */
{
	expect_to_wait(*state, &(struct scripted_fault){.op = SCRIPTED_FETCH,
							.what = SCRIPTED_NIL,
							.uid = HIDDEN,
							.always = true});
}

static void a_header_without_a_byte_is_waited_for(void **state) /* W19 */
{
	expect_to_wait(*state, &(struct scripted_fault){.op = SCRIPTED_FETCH,
							.what = SCRIPTED_EMPTY,
							.uid = HIDDEN,
							.always = true});
}

static void withhold_header(struct run_scene *scene, enum scripted_what what, uint32_t uid)
{
	scripted_fault(scene->server,
		       &(struct scripted_fault){
			       .op = SCRIPTED_FETCH, .what = what, .uid = uid, .always = true});
}

/* Withheld for good, but there: the next run asks for all of the message. */
static void expect_to_be_read_whole(struct run_scene *scene, enum scripted_what what)
{
	lose_base(scene, 5);
	withhold_header(scene, what, HIDDEN);
	expect_run(scene, 0, 0);
	assert_int_equal(scene->report.total.errors, 1);
	expect_run(scene, 0, 0);
	assert_int_equal(scene->report.status, 0);
	run_scene_expect_both(scene, "INBOX", "1/ 2/ 3/ 4/ 5/");
	run_scene_expect_idle(scene, 0);
}

static void a_header_that_is_withheld_for_good_is_read_off_the_whole(void **state) /* W20 */
{
	expect_to_be_read_whole(*state, SCRIPTED_NO_HEADER);
}

static void a_blank_header_of_a_message_that_has_one_was_not_told(void **state) /* W20 */
{
	expect_to_be_read_whole(*state, SCRIPTED_BLANK);
}

static void messages_without_a_header_pair_at_once(void **state) /* W20 */
{
	struct run_scene *scene = *state;
	scripted_add(scene->server, "INBOX", "", "\none\n");
	scripted_add(scene->server, "INBOX", "", "\ntwo\n");
	RUN_OK(scene, run_scene_sync(scene));
	run_scene_forget_base(scene);
	expect_run(scene, 0, 0);
	assert_int_equal(scene->report.status, 0);
	run_scene_expect_idle(scene, 0);
}

static void nameless_messages_pair_whatever_size_is_told(void **state) /* W16 */
{
	struct run_scene *scene = *state;
	scripted_add(scene->server, "INBOX", "", "Subject: a\n\none\n");
	scripted_add(scene->server, "INBOX", "", "Subject: a\n\ntwo\n");
	scripted_message(scene->server, "INBOX", 1)->size = 0; /* untold */
	scripted_message(scene->server, "INBOX", 2)->size = 7;
	RUN_OK(scene, run_scene_sync(scene));
	run_scene_forget_base(scene);
	expect_run(scene, 0, 0);
	assert_int_equal(scene->report.status, 0);
	run_scene_expect_idle(scene, 0);
}

static void a_nameless_message_that_cannot_be_read_is_waited_for(void **state) /* W19 */
{
	struct run_scene *scene = *state;
	scripted_add(scene->server, "INBOX", "", "Subject: a\n\none\n");
	RUN_OK(scene, run_scene_sync(scene));
	run_scene_forget_base(scene);
	/* Its header comes, its whole does not. */
	scripted_fault(scene->server, &(struct scripted_fault){.op = SCRIPTED_FETCH,
							       .what = SCRIPTED_NIL,
							       .uid = 1,
							       .nth = 2,
							       .always = true});
	expect_run(scene, 0, 0);
	assert_int_equal(scene->report.total.errors, 1);
	scripted_forget_faults(scene->server);
	expect_run(scene, 0, 0);
	run_scene_expect_both(scene, "INBOX", "a/");
	run_scene_expect_idle(scene, 0);
}

static void what_is_waited_for_holds_up_nothing_else(void **state) /* W19 */
{
	struct run_scene *scene = *state;
	lose_base(scene, 5);
	withhold_header(scene, SCRIPTED_OMITTED, HIDDEN);
	scripted_flag(scene->server, "INBOX", 1, "\\Flagged");
	scripted_add(scene->server, "INBOX", "", "Subject: 6\nMessage-ID: <6@x>\n\nsix\n");
	expect_run(scene, 1, 0);
	run_scene_expect_both(scene, "INBOX", "1/F 2/ 3/ 4/ 5/ 6/");
	/* Mail of either side that comes later is not held up, either. */
	scripted_add(scene->server, "INBOX", "", "Subject: 7\nMessage-ID: <7@x>\n\nseven\n");
	run_scene_write(scene, "INBOX/cur/8.m:2,", "Subject: 8\nMessage-ID: <8@x>\n\neight\n");
	expect_run(scene, 1, 1);
	run_scene_expect_both(scene, "INBOX", "1/F 2/ 3/ 4/ 5/ 6/ 7/ 8/");
	scripted_forget_faults(scene->server);
	expect_run(scene, 0, 0);
	run_scene_expect_idle(scene, 0);
}

static void where_no_file_is_left_it_is_new_mail(void **state) /* W19 */
{
	struct run_scene *scene = *state;
	lose_base(scene, 5);
	scripted_add(scene->server, "INBOX", "", "Subject: 6\nMessage-ID: <6@x>\n\nsix\n");
	withhold_header(scene, SCRIPTED_NO_HEADER, 6);
	expect_run(scene, 1, 0);
	assert_int_equal(scene->report.status, 0);
	run_scene_expect_both(scene, "INBOX", "1/ 2/ 3/ 4/ 5/ 6/");
	run_scene_expect_idle(scene, 0);
}

static void what_waited_and_is_gone_on_a_side_lets_the_other_go(void **state) /* W19 */
{
	struct run_scene *scene = *state;
	lose_base(scene, 5);
	withhold_header(scene, SCRIPTED_OMITTED, HIDDEN);
	withhold_header(scene, SCRIPTED_OMITTED, 4);
	expect_run(scene, 0, 0);
	run_scene_remove_file(scene, "INBOX", "3");
	scripted_expunge(scene->server, "INBOX", 4);
	scripted_forget_faults(scene->server);
	expect_run(scene, 1, 1);
	run_scene_expect_both(scene, "INBOX", "1/ 2/ 3/ 4/ 5/");
	run_scene_expect_idle(scene, 0);
}

static void where_no_message_is_left_the_file_is_new_mail(void **state) /* W19 */
{
	struct run_scene *scene = *state;
	lose_base(scene, 5);
	for (uint32_t uid = 1; uid <= 5; uid++) {
		withhold_header(scene, SCRIPTED_OMITTED, uid);
	}
	expect_run(scene, 0, 0);
	for (uint32_t uid = 1; uid <= 5; uid++) {
		scripted_expunge(scene->server, "INBOX", uid);
	}
	scripted_forget_faults(scene->server);
	expect_run(scene, 0, 5);
	run_scene_expect_idle(scene, 0);
}

/* Fresh is new on both sides, with a message whose header is not told once. */
static void a_moved_file_that_waits_keeps_its_original(void **state) /* V17 */
{
	struct run_scene *scene = *state;
	add_letters(scene, 5);
	RUN_OK(scene, run_scene_sync(scene));
	scripted_make(scene->server, "Fresh");
	scripted_add(scene->server, "Fresh", "", "Message-ID: <old@x>\n\nold\n");
	withhold_header(scene, SCRIPTED_OMITTED, 1);
	run_scene_folder(scene, "Fresh");
	run_scene_move_file(scene, "INBOX", "3", "Fresh", "");
	expect_run(scene, 0, 0);
	assert_int_equal(scene->report.total.moved, 0);
	run_scene_expect_there(scene, "INBOX", "1/ 2/ 3/ 4/ 5/");
	scripted_forget_faults(scene->server);
	expect_run(scene, 1, 0);
	assert_int_equal(scene->report.total.moved, 1);
	run_scene_expect_both(scene, "INBOX", "1/ 2/ 4/ 5/");
	run_scene_expect_idle(scene, 0);
}

/* A COPY whose answer did not come, and whose copy no line tells of but the one of UID SEARCH. */
static void a_copy_that_is_not_shown_yet_is_not_made_again(void **state) /* V16 */
{
	struct run_scene *scene = *state;
	scene->server->facts.has_move = false;
	scene->server->tells_appended_uid = false;
	scripted_make(scene->server, "Work");
	add_letters(scene, 5);
	RUN_OK(scene, run_scene_sync(scene));
	run_scene_move_file(scene, "INBOX", "3", "Work", "");
	scripted_fault(scene->server, &(struct scripted_fault){.op = SCRIPTED_COPY,
							       .what = SCRIPTED_LOST,
							       .for_good = true});
	assert_true(run_scene_sync(scene) < 0);
	run_scene_expect_there(scene, "Work", "3/");
	scripted_fault(scene->server, &(struct scripted_fault){.op = SCRIPTED_VIEW,
							       .what = SCRIPTED_OMITTED,
							       .wire = "Work",
							       .always = true,
							       .uid = 1});
	expect_run(scene, 0, 0);
	run_scene_expect_there(scene, "INBOX", "1/ 2/ 3/ 4/ 5/");
	run_scene_expect_there(scene, "Work", "3/");
	scripted_forget_faults(scene->server);
	expect_run(scene, 0, 0);
	run_scene_expect_both(scene, "INBOX", "1/ 2/ 4/ 5/");
	run_scene_expect_both(scene, "Work", "3/");
	run_scene_expect_idle(scene, 0);
}

/* The server tells no UID of it and withholds its header once. */
static void an_upload_whose_header_is_withheld_does_not_come_down(void **state) /* W19 */
{
	struct run_scene *scene = *state;
	scene->server->tells_appended_uid = false;
	RUN_OK(scene, run_scene_sync(scene));
	withhold_header(scene, SCRIPTED_NO_HEADER, 1);
	run_scene_write(scene, "INBOX/cur/1.m:2,S", "Subject: 1\nMessage-ID: <1@x>\n\none\n");
	expect_run(scene, 0, 1);
	run_scene_expect_both(scene, "INBOX", "1/S");
	assert_true(scene->report.total.errors > 0);
	scripted_forget_faults(scene->server);
	expect_run(scene, 0, 0);
	run_scene_expect_both(scene, "INBOX", "1/S");
	run_scene_expect_idle(scene, 0);
}

/* Mail that came beside it, and whose header is told, is not held up. */
static void nor_does_it_hold_up_what_came_beside_it(void **state) /* W19 */
{
	struct run_scene *scene = *state;
	scene->server->tells_appended_uid = false;
	add_letters(scene, 5);
	RUN_OK(scene, run_scene_sync(scene));
	withhold_header(scene, SCRIPTED_OMITTED, 6);
	run_scene_write(scene, "INBOX/cur/6.m:2,S", "Subject: 6\nMessage-ID: <6@x>\n\nsix\n");
	expect_run(scene, 0, 1);
	scripted_add(scene->server, "INBOX", "", "Subject: 7\nMessage-ID: <7@x>\n\nseven\n");
	expect_run(scene, 1, 0);
	run_scene_expect_both(scene, "INBOX", "1/ 2/ 3/ 4/ 5/ 6/S 7/");
	scripted_forget_faults(scene->server);
	expect_run(scene, 0, 0);
	run_scene_expect_both(scene, "INBOX", "1/ 2/ 3/ 4/ 5/ 6/S 7/");
	run_scene_expect_idle(scene, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RUN_TEST(refused_headers_make_all_wait),
		RUN_TEST(a_server_too_busy_for_headers_makes_all_wait),
		RUN_TEST(a_header_that_is_left_out_is_waited_for),
		RUN_TEST(a_header_that_is_nil_is_waited_for),
		RUN_TEST(a_header_without_a_byte_is_waited_for),
		RUN_TEST(a_header_that_is_withheld_for_good_is_read_off_the_whole),
		RUN_TEST(a_blank_header_of_a_message_that_has_one_was_not_told),
		RUN_TEST(messages_without_a_header_pair_at_once),
		RUN_TEST(nameless_messages_pair_whatever_size_is_told),
		RUN_TEST(a_nameless_message_that_cannot_be_read_is_waited_for),
		RUN_TEST(what_is_waited_for_holds_up_nothing_else),
		RUN_TEST(where_no_file_is_left_it_is_new_mail),
		RUN_TEST(what_waited_and_is_gone_on_a_side_lets_the_other_go),
		RUN_TEST(where_no_message_is_left_the_file_is_new_mail),
		RUN_TEST(a_moved_file_that_waits_keeps_its_original),
		RUN_TEST(a_copy_that_is_not_shown_yet_is_not_made_again),
		RUN_TEST(an_upload_whose_header_is_withheld_does_not_come_down),
		RUN_TEST(nor_does_it_hold_up_what_came_beside_it),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
