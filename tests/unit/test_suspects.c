/* What the connection ends on each time (rules/suspect_rules.h), in whole runs against the scripted
 * server: the same run does everything else, names it, and ends with 1; later runs try it last. */
#include "run_scene.h"
#include "scripted_door.h"

#include <string.h>
#include <unistd.h>

#define PARTIAL   err_exit_status(ERR_PARTIAL)
#define TEMPORARY err_exit_status(ERR_TEMPORARY)

static void text_of(const char *subject, char text[256])
{
	snprintf(text, 256, "Subject: %s\nMessage-ID: <%s@x>\n\n%s\n", subject, subject, subject);
}

static uint32_t add(struct run_scene *scene, const char *wire, const char *subject)
{
	char text[256];
	text_of(subject, text);
	return scripted_add(scene->server, wire, "", text);
}

static void deliver(struct run_scene *scene, const char *folder, const char *subject)
{
	char path[128];
	char text[256];
	snprintf(path, sizeof(path), "%s/cur/%s.here:2,", folder, subject);
	text_of(subject, text);
	run_scene_write(scene, path, text);
}

static void end_at(struct run_scene *scene, enum scripted_op op, const char *wire, uint32_t uid)
{
	const struct scripted_fault fault = {
		.op = op, .what = SCRIPTED_ENDS, .wire = wire, .uid = uid, .always = true};
	scripted_fault(scene->server, &fault);
}

/* A run that ends with STATUS, and how many connections it made. */
static size_t sync_to(struct run_scene *scene, int status)
{
	size_t before = scene->server->connections;
	(void)run_scene_sync(scene);
	if (scene->report.status != status) {
		fail_msg("status %d, not %d: %s; %s", scene->report.status, status, scene->err.text,
			 scene->report.error_count > 0 ? scene->report.errors[0].text : "");
	}
	return scene->server->connections - before;
}

static void expect_named(struct run_scene *scene, const char *mailbox, uint32_t uid)
{
	const struct report *report = &scene->report;
	assert_int_equal(report->error_count, 1);
	assert_string_equal(report->errors[0].mailbox, mailbox);
	assert_int_equal(report->errors[0].uid, uid);
	assert_int_equal(report->total.errors, 1);
	assert_non_null(strstr(report->errors[0].text, "the connection ends each time"));
}

/* In ten more runs it costs ten connections beyond one a run at most. */
static void expect_cheap(struct run_scene *scene, const char *mailbox, uint32_t uid)
{
	size_t made = 0;
	for (int i = 0; i < 10; i++) {
		made += sync_to(scene, PARTIAL);
		expect_named(scene, mailbox, uid);
	}
	assert_in_range(made, 10, 20);
}

static void X8_X9_a_message_at_its_fetch_holds_up_no_other(void **state)
{
	struct run_scene *scene = *state;
	scripted_make(scene->server, "Work");
	add(scene, "INBOX", "1");
	sync_to(scene, 0);
	uint32_t uid = add(scene, "INBOX", "2");
	add(scene, "INBOX", "3");
	add(scene, "Work", "4");
	deliver(scene, "INBOX", "5");
	end_at(scene, SCRIPTED_FETCH, "INBOX", uid);
	sync_to(scene, PARTIAL);
	expect_named(scene, "INBOX", uid);
	run_scene_expect_here(scene, "INBOX", "1/ 3/ 5/");
	run_scene_expect_here(scene, "Work", "4/");
	run_scene_expect_there(scene, "INBOX", "1/ 2/ 3/ 5/");
	expect_cheap(scene, "INBOX", uid);
	scripted_forget_faults(scene->server);
	sync_to(scene, 0);
	run_scene_expect_both(scene, "INBOX", "1/ 2/ 3/ 5/");
	run_scene_expect_idle(scene, 0);
}

static void X7_a_message_in_the_middle_of_its_body_holds_up_no_other(void **state)
{
	struct run_scene *scene = *state;
	add(scene, "INBOX", "1");
	uint32_t uid = add(scene, "INBOX", "2");
	add(scene, "INBOX", "3");
	const struct scripted_fault fault = {
		.op = SCRIPTED_FETCH, .what = SCRIPTED_CUT, .uid = uid, .always = true};
	scripted_fault(scene->server, &fault);
	sync_to(scene, PARTIAL);
	expect_named(scene, "INBOX", uid);
	run_scene_expect_here(scene, "INBOX", "1/ 3/");
	expect_cheap(scene, "INBOX", uid);
	scripted_forget_faults(scene->server);
	sync_to(scene, 0);
	run_scene_expect_both(scene, "INBOX", "1/ 2/ 3/");
}

static void X6_a_mailbox_at_its_view_holds_up_no_other(void **state)
{
	struct run_scene *scene = *state;
	scripted_make(scene->server, "Bad");
	scripted_make(scene->server, "Work");
	add(scene, "INBOX", "1");
	add(scene, "Bad", "2");
	add(scene, "Work", "3");
	run_scene_folder(scene, "Work");
	deliver(scene, "Work", "4");
	end_at(scene, SCRIPTED_VIEW, "Bad", 0);
	sync_to(scene, PARTIAL);
	expect_named(scene, "Bad", 0);
	run_scene_expect_both(scene, "INBOX", "1/");
	run_scene_expect_both(scene, "Work", "3/ 4/");
	expect_cheap(scene, "Bad", 0);
	scripted_forget_faults(scene->server);
	sync_to(scene, 0);
	run_scene_expect_both(scene, "Bad", "2/");
	run_scene_expect_idle(scene, 0);
}

static void a_message_that_goes_through_later_is_no_suspect(void **state)
{
	struct run_scene *scene = *state;
	add(scene, "INBOX", "1");
	uint32_t uid = add(scene, "INBOX", "2");
	const struct scripted_fault fault = {
		.op = SCRIPTED_FETCH, .what = SCRIPTED_ENDS, .uid = uid};
	scripted_fault(scene->server, &fault);
	sync_to(scene, TEMPORARY);
	run_scene_expect_both(scene, "INBOX", "1/ 2/");
	run_scene_expect_idle(scene, 0);
}

/* Whether the file is the message cannot be known: neither is copied, and nothing else waits. */
static void X6_a_message_whose_header_cannot_be_had_holds_up_no_other(void **state)
{
	struct run_scene *scene = *state;
	add(scene, "INBOX", "1");
	uint32_t uid = add(scene, "INBOX", "2");
	add(scene, "INBOX", "3");
	deliver(scene, "INBOX", "2");
	deliver(scene, "INBOX", "3");
	end_at(scene, SCRIPTED_FETCH, "INBOX", uid);
	sync_to(scene, PARTIAL);
	run_scene_expect_both(scene, "INBOX", "1/ 2/ 3/");
	scripted_forget_faults(scene->server);
	sync_to(scene, 0);
	run_scene_expect_both(scene, "INBOX", "1/ 2/ 3/");
	run_scene_expect_idle(scene, 0);
}

/* A file of another size than all others. */
static uint64_t deliver_bad(struct run_scene *scene)
{
	run_scene_write(scene, "INBOX/cur/bad.here:2,",
			"Subject: bad\nMessage-ID: <bad@x>\n\nxx\n");
	return strlen("Subject: bad\r\nMessage-ID: <bad@x>\r\n\r\nxx\r\n");
}

static void check_append(struct run_scene *scene, enum scripted_what what)
{
	scripted_make(scene->server, "Work");
	run_scene_folder(scene, "Work");
	sync_to(scene, 0);
	deliver(scene, "INBOX", "1");
	deliver(scene, "INBOX", "2");
	deliver(scene, "Work", "3");
	add(scene, "Work", "4");
	const struct scripted_fault fault = {
		.op = SCRIPTED_APPEND, .what = what, .size = deliver_bad(scene), .always = true};
	scripted_fault(scene->server, &fault);
}

static void check_append_ends(struct run_scene *scene)
{
	check_append(scene, SCRIPTED_ENDS);
	sync_to(scene, PARTIAL);
	expect_named(scene, "INBOX", 0);
	run_scene_expect_there(scene, "INBOX", "1/ 2/");
	run_scene_expect_both(scene, "Work", "3/ 4/");
	expect_cheap(scene, "INBOX", 0);
	scripted_forget_faults(scene->server);
	sync_to(scene, 0);
	run_scene_expect_both(scene, "INBOX", "1/ 2/ bad/");
	run_scene_expect_idle(scene, 0);
}

static void X6_a_message_at_its_append_holds_up_no_other(void **state)
{
	check_append_ends(*state);
}

static void X6_nor_does_it_where_each_upload_waits(void **state)
{
	struct run_scene *scene = *state;
	scene->server->facts.takes_many_appends = false;
	scene->server->facts.appends_without_wait = false;
	check_append_ends(scene);
}

/* It is taken each time: found by its intent, and not sent again. */
static void X12_what_was_taken_though_the_connection_ended_is_found(void **state)
{
	struct run_scene *scene = *state;
	check_append(scene, SCRIPTED_LOST);
	sync_to(scene, TEMPORARY);
	run_scene_expect_both(scene, "INBOX", "1/ 2/ bad/");
	run_scene_expect_both(scene, "Work", "3/ 4/");
	run_scene_expect_idle(scene, 0);
}

static void begin(struct run_scene *scene)
{
	scripted_make(scene->server, "Work");
	add(scene, "INBOX", "1");
	add(scene, "INBOX", "2");
	add(scene, "INBOX", "3");
	sync_to(scene, 0);
	add(scene, "Work", "4");
}

static void X6_a_message_at_its_store_holds_up_no_other(void **state)
{
	struct run_scene *scene = *state;
	begin(scene);
	for (char subject[] = "1"; subject[0] <= '3'; subject[0]++) {
		run_scene_move_file(scene, "INBOX", subject, "INBOX", "F");
	}
	end_at(scene, SCRIPTED_STORE, "INBOX", 2);
	sync_to(scene, PARTIAL);
	expect_named(scene, "INBOX", 2);
	run_scene_expect_there(scene, "INBOX", "1/F 2/ 3/F");
	run_scene_expect_both(scene, "Work", "4/");
	expect_cheap(scene, "INBOX", 2);
	scripted_forget_faults(scene->server);
	sync_to(scene, 0);
	run_scene_expect_both(scene, "INBOX", "1/F 2/F 3/F");
	run_scene_expect_idle(scene, 0);
}

static void check_removal(struct run_scene *scene, enum scripted_op op)
{
	begin(scene);
	run_scene_remove_file(scene, "INBOX", "2");
	run_scene_remove_file(scene, "INBOX", "3");
	end_at(scene, op, "INBOX", 2);
	sync_to(scene, PARTIAL);
	expect_named(scene, "INBOX", 2);
	run_scene_expect_there(scene, "INBOX", op == SCRIPTED_EXPUNGE ? "1/ 2/T" : "1/ 2/");
	run_scene_expect_both(scene, "Work", "4/");
	expect_cheap(scene, "INBOX", 2);
	scripted_forget_faults(scene->server);
	sync_to(scene, 0);
	run_scene_expect_both(scene, "INBOX", "1/");
	run_scene_expect_idle(scene, 0);
}

static void X6_a_message_at_its_expunge_holds_up_no_other(void **state)
{
	check_removal(*state, SCRIPTED_EXPUNGE);
}

static void X6_a_message_at_its_move_to_the_trash_holds_up_no_other(void **state)
{
	struct run_scene *scene = *state;
	scene->account.trash = "Trash";
	scripted_make(scene->server, "Trash");
	check_removal(scene, SCRIPTED_MOVE);
}

static void check_move(struct run_scene *scene, enum scripted_op op)
{
	begin(scene);
	run_scene_move_file(scene, "INBOX", "2", "Work", "");
	run_scene_move_file(scene, "INBOX", "3", "Work", "");
	end_at(scene, op, "INBOX", 2);
	sync_to(scene, PARTIAL);
	expect_named(scene, "INBOX", 2);
	run_scene_expect_there(scene, "INBOX", "1/ 2/");
	run_scene_expect_there(scene, "Work", "3/ 4/");
	expect_cheap(scene, "INBOX", 2);
	scripted_forget_faults(scene->server);
	sync_to(scene, 0);
	run_scene_expect_both(scene, "INBOX", "1/");
	run_scene_expect_both(scene, "Work", "2/ 3/ 4/");
	run_scene_expect_idle(scene, 0);
}

static void X6_a_message_at_its_move_holds_up_no_other(void **state)
{
	check_move(*state, SCRIPTED_MOVE);
}

static void X6_a_message_at_its_copy_holds_up_no_other(void **state)
{
	struct run_scene *scene = *state;
	scene->server->facts.has_move = false;
	check_move(scene, SCRIPTED_COPY);
}

static void check_counts(struct run_scene *scene, enum scripted_op op)
{
	scripted_make(scene->server, "Bad");
	scripted_make(scene->server, "Work");
	add(scene, "INBOX", "1");
	add(scene, "Bad", "2");
	add(scene, "Work", "3");
	end_at(scene, op, op == SCRIPTED_LIST ? NULL : "Bad", 0);
}

static void X6_a_mailbox_at_its_status_holds_up_no_other(void **state)
{
	struct run_scene *scene = *state;
	scene->server->facts.lists_counts = false;
	check_counts(scene, SCRIPTED_COUNT);
	sync_to(scene, PARTIAL);
	expect_named(scene, "Bad", 0);
	run_scene_expect_both(scene, "INBOX", "1/");
	run_scene_expect_both(scene, "Work", "3/");
	expect_cheap(scene, "Bad", 0);
	scripted_forget_faults(scene->server);
	sync_to(scene, 0);
	run_scene_expect_both(scene, "Bad", "2/");
	run_scene_expect_idle(scene, 0);
}

/* In the pass in which it is set aside it cannot be told from the one that is gone: no failure. */
static void a_suspect_that_may_be_a_renamed_mailbox_waits_for_its_turn(void **state)
{
	struct run_scene *scene = *state;
	scene->server->facts.lists_counts = false;
	scripted_make(scene->server, "Old");
	add(scene, "INBOX", "1");
	add(scene, "Old", "2");
	sync_to(scene, 0);
	scripted_rename(scene->server, "Old", "New");
	end_at(scene, SCRIPTED_COUNT, "New", 0);
	(void)run_scene_sync(scene);
	scripted_forget_faults(scene->server);
	sync_to(scene, 0);
	run_scene_expect_both(scene, "New", "2/");
	run_scene_expect_idle(scene, 0);
}

static void X10_where_every_mailbox_ends_it_nobody_is_a_suspect(void **state)
{
	struct run_scene *scene = *state;
	scripted_make(scene->server, "Work");
	add(scene, "INBOX", "1");
	add(scene, "Work", "2");
	end_at(scene, SCRIPTED_VIEW, NULL, 0);
	for (int i = 0; i < 3; i++) {
		assert_in_range(sync_to(scene, TEMPORARY), 2, 9); /* X13 */
	}
	scripted_forget_faults(scene->server);
	assert_int_equal(sync_to(scene, 0), 1);
	run_scene_expect_both(scene, "INBOX", "1/");
	run_scene_expect_both(scene, "Work", "2/");
	run_scene_expect_idle(scene, 0);
}

/* As if it had been confirmed in three runs over an hour. */
static void age(struct run_scene *scene, int64_t seconds)
{
	struct state_suspects known = {0};
	struct state *state = NULL;
	char path[256];
	snprintf(path, sizeof(path), "%s/%s.db", scene->state_dir, scene->account.name);
	RUN_OK(scene, state_open(&state, path, STATE_WRITE, &scene->err));
	RUN_OK(scene, state_suspects_load(state, &known, &scene->err));
	assert_int_equal(known.count, 1);
	known.items[0].mark.first_at -= seconds;
	known.items[0].mark.last_at -= seconds;
	RUN_OK(scene, state_suspect_put(state, &known.items[0], &scene->err));
	state_suspects_finish(&known);
	state_close(&state);
}

static void X3_after_an_hour_of_that_a_message_is_tried_once_a_day(void **state)
{
	struct run_scene *scene = *state;
	add(scene, "INBOX", "1");
	uint32_t uid = add(scene, "INBOX", "2");
	end_at(scene, SCRIPTED_FETCH, "INBOX", uid);
	sync_to(scene, PARTIAL);
	sync_to(scene, PARTIAL);
	age(scene, 3601); /* an hour ago, and now: */
	sync_to(scene, PARTIAL);
	assert_non_null(strstr(scene->report.errors[0].text, "again in a day"));
	for (int i = 0; i < 3; i++) {
		assert_int_equal(sync_to(scene, 0), 1);
		assert_int_equal(scene->report.total.skipped, 1);
		assert_int_equal(scene->report.error_count, 0);
	}
	run_scene_expect_idle(scene, 0);
	age(scene, INT64_C(24) * 3600);
	assert_int_equal(sync_to(scene, PARTIAL), 2);
	assert_int_equal(sync_to(scene, 0), 1);
	age(scene, INT64_C(24) * 3600);
	scripted_forget_faults(scene->server);
	assert_int_equal(sync_to(scene, 0), 1);
	run_scene_expect_both(scene, "INBOX", "1/ 2/");
	run_scene_expect_idle(scene, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RUN_TEST(X8_X9_a_message_at_its_fetch_holds_up_no_other),
		RUN_TEST(X7_a_message_in_the_middle_of_its_body_holds_up_no_other),
		RUN_TEST(X6_a_mailbox_at_its_view_holds_up_no_other),
		RUN_TEST(X6_a_message_whose_header_cannot_be_had_holds_up_no_other),
		RUN_TEST(X6_a_message_at_its_append_holds_up_no_other),
		RUN_TEST(X6_nor_does_it_where_each_upload_waits),
		RUN_TEST(X12_what_was_taken_though_the_connection_ended_is_found),
		RUN_TEST(X6_a_message_at_its_store_holds_up_no_other),
		RUN_TEST(X6_a_message_at_its_expunge_holds_up_no_other),
		RUN_TEST(X6_a_message_at_its_move_to_the_trash_holds_up_no_other),
		RUN_TEST(X6_a_message_at_its_move_holds_up_no_other),
		RUN_TEST(X6_a_message_at_its_copy_holds_up_no_other),
		RUN_TEST(X6_a_mailbox_at_its_status_holds_up_no_other),
		RUN_TEST(a_suspect_that_may_be_a_renamed_mailbox_waits_for_its_turn),
		RUN_TEST(X10_where_every_mailbox_ends_it_nobody_is_a_suspect),
		RUN_TEST(X3_after_an_hour_of_that_a_message_is_tried_once_a_day),
		RUN_TEST(a_message_that_goes_through_later_is_no_suspect),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
