/* The rules of fetching (rules/transfer_rules.h), by their numbers. */
#include "rules/transfer_rules.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define ROWS 2500

/* Rows with UIDs 1, 2, ... of 1 KiB each, all open. */
struct scene {
	struct row items[ROWS];
	struct row *rows[ROWS];
	uint8_t states[ROWS];
	struct wants wants;
};

static int open_scene(void **state)
{
	static struct scene scene;
	memset(&scene, 0, sizeof(scene));
	for (size_t i = 0; i < ROWS; i++) {
		scene.items[i] = (struct row){.uid = (uint32_t)(i + 1), .size = told(1024)};
		scene.rows[i] = &scene.items[i];
	}
	scene.wants = (struct wants){scene.rows, scene.states, 4};
	*state = &scene;
	return 0;
}

static void rows_are_sorted_and_found_by_uid(void **state)
{
	struct scene *scene = *state;
	scene->items[0].uid = 40;
	scene->items[2].uid = 7;
	wants_sort(&scene->wants);
	assert_int_equal(scene->rows[0]->uid, 2);
	assert_int_equal(scene->rows[3]->uid, 40);
	assert_int_equal(wants_find(&scene->wants, 7), 2);
	assert_int_equal(wants_find(&scene->wants, 40), 3);
	assert_true(wants_find(&scene->wants, 3) == WANT_NONE);
	assert_true(wants_find(&scene->wants, 41) == WANT_NONE);
	scene->wants.count = 0;
	assert_true(wants_find(&scene->wants, 7) == WANT_NONE);
}

static void F1_what_failed_before_is_due_only_one_by_one(void **state)
{
	struct scene *scene = *state;
	scene->items[1].reason = REASON_FAILED;
	scene->states[2] = WANT_DRAFTED;
	assert_true(want_is_due(&scene->wants, 0, false));
	assert_false(want_is_due(&scene->wants, 1, false));
	assert_true(want_is_due(&scene->wants, 1, true));
	assert_false(want_is_due(&scene->wants, 2, false));
	assert_false(want_is_due(&scene->wants, 2, true));
}

static void states_are_counted(void **state)
{
	struct scene *scene = *state;
	scene->states[0] = WANT_DONE;
	scene->states[1] = WANT_PARTLY;
	scene->states[2] = WANT_FAILED;
	assert_int_equal(wants_open(&scene->wants), 1);
	assert_int_equal(wants_failed(&scene->wants), 2);
	assert_false(wants_are_done(&scene->wants));
	scene->wants.count = 3;
	assert_false(wants_are_done(&scene->wants));
	scene->wants.count = 2;
	assert_true(wants_are_done(&scene->wants));
}

static struct fetch_answer answer_of(const char *head)
{
	return (struct fetch_answer){
		.is_wanted = true,
		.has_whole_body = true,
		.told = {true, 1000},
		.wire_bytes = 1000,
		.head = span_of(head),
	};
}

static void F2_F3_F4_only_a_whole_body_of_an_open_message_counts(void **state)
{
	(void)state;
	struct fetch_answer answer = answer_of("Subject: x\r\n\r\ntext\r\n");
	assert_int_equal(fetch_judge(&answer), FETCH_MESSAGE);
	answer.has_whole_body = false;
	assert_int_equal(fetch_judge(&answer), FETCH_BROKEN);
	answer.is_wanted = false;
	assert_int_equal(fetch_judge(&answer), FETCH_NOBODYS);
	answer = answer_of("");
	answer.wire_bytes = 0;
	assert_int_equal(fetch_judge(&answer), FETCH_EMPTY);
	answer.told = UNTOLD;
	assert_int_equal(fetch_judge(&answer), FETCH_EMPTY);
	answer.told = told(0); /* an empty message */
	assert_int_equal(fetch_judge(&answer), FETCH_MESSAGE);
}

static void F5_a_stub_of_exchange_is_no_message(void **state)
{
	(void)state;
	const char *stub = "From: x\r\nsubject: retrieval using the IMAP4 protocol failed for the "
			   "following message: 12\r\n\r\n";
	struct fetch_answer answer = answer_of(stub);
	assert_int_equal(fetch_judge(&answer), FETCH_STUB);
	answer.wire_bytes = 8193; /* one who quotes it in a real message */
	assert_int_equal(fetch_judge(&answer), FETCH_MESSAGE);
	answer = answer_of("X-Subject: Retrieval using the IMAP4 protocol failed for the "
			   "following message: 12\r\n");
	assert_int_equal(fetch_judge(&answer), FETCH_MESSAGE);
	answer = answer_of("Subject: Retrieval using the IMAP4");
	assert_int_equal(fetch_judge(&answer), FETCH_MESSAGE);
}

static void F6_the_first_that_was_due_is_to_blame(void **state)
{
	struct scene *scene = *state;
	scene->states[0] = WANT_DONE;
	scene->items[1].reason = REASON_FAILED;
	assert_int_equal(wants_suspect(&scene->wants, false), 2);
	assert_int_equal(wants_suspect(&scene->wants, true), 1);
	memset(scene->states, WANT_DRAFTED, 4);
	assert_true(wants_suspect(&scene->wants, true) == WANT_NONE);
}

static void F7_slices_hold_a_thousand_messages_or_eight_megabytes(void **state)
{
	struct scene *scene = *state;
	uint64_t cost = 0;
	scene->wants.count = ROWS;
	assert_int_equal(fetch_slice(&scene->wants, 0, &cost), 1000);
	assert_int_equal(cost, 1000 * 4096);
	assert_int_equal(fetch_slice(&scene->wants, 2000, &cost), 500);
	assert_int_equal(fetch_slice(&scene->wants, ROWS, &cost), 0);
	scene->items[1].size = told(20 << 20);
	assert_int_equal(fetch_slice(&scene->wants, 0, &cost), 2);
	assert_int_equal(cost, 4096 + (20 << 20));
	assert_int_equal(fetch_slice(&scene->wants, 1, &cost), 1);
}

static void F8_connections_are_opened_while_they_pay(void **state)
{
	(void)state;
	/* A second of transfer; a login of 320 ms. */
	struct fetch_load load = {
		.rtt_us = 40000, .cost = 50000000, .slices = 10, .connections = 8};
	assert_int_equal(fetch_connections(&load), 2);
	load.cost = UINT64_MAX;
	assert_int_equal(fetch_connections(&load), 8);
	load.slices = 3;
	assert_int_equal(fetch_connections(&load), 3);
	load.slices = 0;
	assert_int_equal(fetch_connections(&load), 1);
	load.slices = 10;
	load.connections = 1;
	assert_int_equal(fetch_connections(&load), 1);
	load.connections = 8;
	load.rtt_us = 4999;
	assert_int_equal(fetch_connections(&load), 1);
	load.rtt_us = 0; /* unknown */
	assert_int_equal(fetch_connections(&load), 1);
	load.rtt_us = 40000;
	load.cost = 4096;
	assert_int_equal(fetch_connections(&load), 1);
}

#define SCENE_TEST(name) cmocka_unit_test_setup(name, open_scene)

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCENE_TEST(rows_are_sorted_and_found_by_uid),
		SCENE_TEST(F1_what_failed_before_is_due_only_one_by_one),
		SCENE_TEST(states_are_counted),
		cmocka_unit_test(F2_F3_F4_only_a_whole_body_of_an_open_message_counts),
		cmocka_unit_test(F5_a_stub_of_exchange_is_no_message),
		SCENE_TEST(F6_the_first_that_was_due_is_to_blame),
		SCENE_TEST(F7_slices_hold_a_thousand_messages_or_eight_megabytes),
		cmocka_unit_test(F8_connections_are_opened_while_they_pay),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
