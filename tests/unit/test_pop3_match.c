/* Rules K1 to K5, K15, K16 and K18: which message of a listing is which row. */
#include "pop3_scene.h"

#include <stdlib.h>

static char key_a[] = "a", key_b[] = "b", key_c[] = "c";

/* K4. */
static void known_keys_are_their_rows_and_unknown_ones_are_new(void **state)
{
	struct scene scene;

	(void)state;
	scene_init(&scene);
	add_row(&scene, key_b, 1, 10);
	struct pop3_item *fresh = add_item(&scene, "c", 30);
	struct pop3_item *known = add_item(&scene, "b", 10);
	match(&scene);
	assert_int_equal(known->row, 0);
	assert_false(known->wants_header);
	assert_int_equal(fresh->row, POP3_NO_ROW);
	assert_int_equal(fresh->occurrence, 1);
	assert_true(scene.is_listed[0]);
}

static void K1_another_size_is_a_doubt_that_the_header_settles(void **state)
{
	for (uint8_t digest = 1; digest <= 2; digest++) {
		struct scene scene;
		scene_init(&scene);
		give_digest(add_row(&scene, key_a, 1, 10), 1);
		struct pop3_item *item = add_item(&scene, "a", 11);
		match(&scene);
		assert_true(item->wants_header);
		give_header(&scene, item, digest);
		settle(&scene);
		assert_int_equal(item->row, digest == 1 ? 0 : POP3_NO_ROW);
		assert_int_equal(item->occurrence, digest == 1 ? 0 : 2);
		assert_int_equal(scene.is_listed[0], digest == 1);
	}
	(void)state;
}

static void K1_a_deleted_key_that_comes_back_is_a_doubt(void **state)
{
	struct scene scene;

	(void)state;
	scene_init(&scene);
	add_row(&scene, key_a, 1, 10)->is_deleted = true;
	struct pop3_item *item = add_item(&scene, "a", 10);
	match(&scene);
	assert_true(item->wants_header);
	/* Its row has no digest: rather twice than never. */
	give_header(&scene, item, 1);
	settle(&scene);
	assert_int_equal(item->row, POP3_NO_ROW);
}

static void K2_of_equals_the_header_tells_which_one_went_and_which_came(void **state)
{
	struct scene scene;

	(void)state;
	scene_init(&scene);
	give_digest(add_row(&scene, key_a, 1, 10), 1);
	give_digest(add_row(&scene, key_a, 2, 10), 2);
	struct pop3_item *second = add_item(&scene, "a", 10);
	struct pop3_item *third = add_item(&scene, "a", 10);
	match(&scene);
	assert_true(second->wants_header);
	assert_true(third->wants_header);
	give_header(&scene, second, 2);
	give_header(&scene, third, 3);
	settle(&scene);
	assert_int_equal(second->row, 1);
	assert_int_equal(third->row, POP3_NO_ROW);
	assert_false(scene.is_listed[0]);
}

static void K3_when_all_rows_vanish_a_message_id_makes_up_for_another_size(void **state)
{
	for (int has_id = 0; has_id <= 1; has_id++) {
		struct scene scene;
		scene_init(&scene);
		give_digest(add_row(&scene, key_a, 1, 10), 1);
		struct pop3_item *item = add_item(&scene, "x", 11);
		match(&scene);
		assert_true(item->wants_header);
		give_header(&scene, item, 1);
		scene.headers[0].message_id = has_id == 1 ? 7 : 0;
		settle(&scene);
		assert_int_equal(item->row, has_id ? 0 : POP3_NO_ROW);
	}
	(void)state;
}

static void K5_behind_another_server_every_row_is_a_doubt(void **state)
{
	struct scene scene;

	(void)state;
	scene_init(&scene);
	scene.view.whose = WHOSE_OTHERS;
	give_digest(add_row(&scene, key_a, 1, 10), 1);
	struct pop3_item *item = add_item(&scene, "a", 10);
	match(&scene);
	assert_true(item->wants_header);
	give_header(&scene, item, 2);
	settle(&scene);
	assert_int_equal(item->row, POP3_NO_ROW);
}

static void K2_one_key_twice_is_joined_by_size(void **state)
{
	struct scene scene;

	(void)state;
	scene_init(&scene);
	add_row(&scene, key_a, 1, 10);
	add_row(&scene, key_a, 2, 20);
	struct pop3_item *second = add_item(&scene, "a", 20);
	struct pop3_item *third = add_item(&scene, "a", 30);
	struct pop3_item *first = add_item(&scene, "a", 10);
	match(&scene);
	assert_int_equal(first->row, 0);
	assert_int_equal(second->row, 1);
	assert_int_equal(third->row, POP3_NO_ROW);
	assert_int_equal(third->occurrence, 3);
}

static void K2_of_equals_the_one_that_was_not_deleted_is_left(void **state)
{
	struct scene scene;

	(void)state;
	scene_init(&scene);
	add_row(&scene, key_a, 1, 10)->is_deleted = true;
	add_row(&scene, key_a, 2, 10);
	struct pop3_item *item = add_item(&scene, "a", 10);
	match(&scene);
	assert_int_equal(item->row, 1);
	assert_true(item->is_doubtful);
}

static void K3_a_row_that_vanished_is_found_under_a_new_key(void **state)
{
	struct scene scene;

	(void)state;
	scene_init(&scene);
	give_digest(add_row(&scene, key_a, 1, 10), 1);
	give_digest(add_row(&scene, key_b, 1, 10), 2);
	add_row(&scene, key_c, 1, 12);
	add_item(&scene, "c", 12);
	struct pop3_item *other_size = add_item(&scene, "x", 11);
	struct pop3_item *second = add_item(&scene, "y", 10);
	struct pop3_item *fresh = add_item(&scene, "z", 10);
	match(&scene);
	assert_false(other_size->wants_header);
	assert_true(second->wants_header);
	give_header(&scene, second, 2);
	give_header(&scene, fresh, 3);
	scene.headers[0].message_id = scene.headers[1].message_id = 7;
	settle(&scene);
	assert_int_equal(second->row, 1);
	assert_true(second->is_renamed);
	assert_int_equal(fresh->row, POP3_NO_ROW);
}

static void K3_one_of_another_size_takes_no_row_that_has_its_message(void **state)
{
	struct scene scene;

	(void)state;
	scene_init(&scene);
	give_digest(add_row(&scene, key_a, 1, 10), 1);
	give_digest(add_row(&scene, key_b, 1, 12), 1);
	struct pop3_item *smaller = add_item(&scene, "x", 9);
	struct pop3_item *equal = add_item(&scene, "y", 10);
	match(&scene);
	for (int i = 0; i < 2; i++) {
		give_header(&scene, &scene.items[i], 1);
		scene.headers[i].message_id = 7;
	}
	settle(&scene);
	assert_int_equal(equal->row, 0);
	assert_int_equal(smaller->row, 1);
}

static void K3_a_size_that_was_not_told_may_be_any(void **state)
{
	for (int untold = 0; untold < 2; untold++) {
		struct scene scene;
		scene_init(&scene);
		give_digest(add_row(&scene, key_a, 1, untold == 0 ? 0 : 10), 1);
		add_row(&scene, key_b, 1, 12);
		add_item(&scene, "b", 12);
		struct pop3_item *item = add_item(&scene, "x", untold == 1 ? 0 : 10);
		match(&scene);
		assert_true(item->wants_header);
		give_header(&scene, item, 1);
		scene.headers[0].message_id = 7;
		settle(&scene);
		assert_int_equal(item->row, 0);
	}
	(void)state;
}

/* K1 and K3: of what we downloaded, and of what another program did. */
static void K18_a_header_without_a_message_id_is_no_proof(void **state)
{
	enum {
		DELETED,
		MISSING,
		OTHERS,
		OTHER_KEY,
		LISTED,
		SEEDED,
		CASES
	};
	static char none[] = "";
	for (int which = 0; which < CASES; which++) {
		struct scene scene;
		scene_init(&scene);
		struct pop3_row *row = add_row(&scene, key_a, 1, 10);
		give_digest(row, 1);
		row->has_content = true;
		memset(row->content, 5, ROW_CONTENT_SIZE);
		row->is_deleted = which == DELETED || which == SEEDED;
		row->gone_since = which == MISSING ? 5 : 0;
		row->unique = which == SEEDED ? none : row->unique;
		scene.view.whose = which == OTHERS ? WHOSE_OTHERS : WHOSE_OURS;
		/* LISTED: a doubt for its size alone. */
		struct pop3_item *item =
			add_item(&scene, which == OTHER_KEY ? "x" : "a", which == LISTED ? 11 : 10);
		match(&scene);
		assert_true(item->wants_header);
		give_header(&scene, item, 1);
		settle(&scene);
		bool is_row = which == LISTED || which == SEEDED;
		assert_int_equal(item->row, is_row ? 0 : POP3_NO_ROW);
		assert_int_equal(item->wants_content, !is_row);
		uint8_t content[ROW_CONTENT_SIZE] = {0};
		assert_int_equal(pop3_row_of_content(&scene.view, content), POP3_NO_ROW);
		memset(content, 5, sizeof(content));
		assert_int_equal(pop3_row_of_content(&scene.view, content),
				 is_row ? POP3_NO_ROW : 0);
	}
	(void)state;
}

/* Were each looked at for each, this would take minutes. */
static void K3_many_that_are_alike_are_found_one_by_one(void **state)
{
	enum {
		COUNT = 200000
	};
	struct pop3_view view = {
		.items = calloc(COUNT, sizeof(struct pop3_item)),
		.headers = calloc(1, sizeof(struct pair_candidate)),
		.rows = calloc(COUNT, sizeof(struct pop3_row)),
		.is_listed = calloc(COUNT, sizeof(bool)),
		.count = COUNT,
		.row_count = COUNT,
		.header_count = 1,
	};
	struct err err;

	(void)state;
	view.headers[0].message_id = 7;
	for (size_t i = 0; i < COUNT; i++) {
		view.rows[i] = (struct pop3_row){
			.uidl = key_a, .occurrence = 1, .size = told(10), .has_digest = true};
		view.items[i] = (struct pop3_item){
			.key = "b", .row = POP3_NO_ROW, .size = told(10 + i % 2)};
	}
	assert_int_equal(pop3_settle_doubts(&view, &err), 0);
	for (size_t i = 0; i < COUNT; i++) {
		assert_true(view.is_listed[i]);
		assert_int_equal(view.items[i].row, i % 2 == 0 ? i / 2 : COUNT / 2 + i / 2);
	}
	free(view.items);
	free(view.headers);
	free(view.rows);
	free(view.is_listed);
}

static void K15_a_doubt_without_a_header_waits_and_teaches_nothing(void **state)
{
	struct scene scene;

	(void)state;
	scene_init(&scene);
	give_digest(add_row(&scene, key_a, 1, 10), 1);
	struct pop3_item *resized = add_item(&scene, "a", 11);
	match(&scene);
	settle(&scene);
	assert_true(resized->waits);
	assert_int_equal(resized->row, 0);
	pop3_decide(&scene.view, &open_policy);
	assert_int_equal(resized->act, POP3_ACT_NONE);
	pop3_learn(&scene.view, 100);
	assert_true(told_is(scene.rows[0].size, 10));
	assert_int_equal(scene.rows[0].gone_since, 0);

	/* An unknown one that may be the row that is not listed any more. */
	scene_init(&scene);
	give_digest(add_row(&scene, key_a, 1, 10), 1);
	struct pop3_item *fresh = add_item(&scene, "b", 10);
	match(&scene);
	settle(&scene);
	assert_true(fresh->waits);
	pop3_decide(&scene.view, &open_policy);
	assert_int_equal(fresh->act, POP3_ACT_NONE);
	assert_false(pop3_is_unknown(fresh));
}

static void K15_one_that_failed_is_no_other_for_lack_of_a_header(void **state)
{
	struct scene scene;

	(void)state;
	scene_init(&scene);
	struct pop3_row *row = add_row(&scene, key_a, 1, 10);
	give_digest(row, 1);
	row->is_deleted = true;
	struct pop3_item *item = add_item(&scene, "a", 10);
	item->is_failed = true;
	match(&scene);
	settle(&scene);
	assert_true(item->waits);
	assert_int_equal(item->row, 0);
}

static void K16_without_its_id_what_may_be_another_programs_waits(void **state)
{
	for (int is_same_size = 0; is_same_size <= 1; is_same_size++) {
		struct scene scene;
		scene_init(&scene);
		add_row(&scene, key_a, 1, 10)->reason = REASON_POLICY;
		struct pop3_item *item = add_item(&scene, "header 00", is_same_size ? 10 : 11);
		match(&scene);
		give_header(&scene, item, 5);
		settle(&scene);
		assert_int_equal(item->waits, is_same_size);
		pop3_decide(&scene.view, &open_policy);
		assert_int_equal(item->act, is_same_size ? POP3_ACT_NONE : POP3_ACT_DOWNLOAD);
	}
	(void)state;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_keys_are_their_rows_and_unknown_ones_are_new),
		cmocka_unit_test(K1_another_size_is_a_doubt_that_the_header_settles),
		cmocka_unit_test(K1_a_deleted_key_that_comes_back_is_a_doubt),
		cmocka_unit_test(K2_of_equals_the_header_tells_which_one_went_and_which_came),
		cmocka_unit_test(K3_when_all_rows_vanish_a_message_id_makes_up_for_another_size),
		cmocka_unit_test(K5_behind_another_server_every_row_is_a_doubt),
		cmocka_unit_test(K2_one_key_twice_is_joined_by_size),
		cmocka_unit_test(K2_of_equals_the_one_that_was_not_deleted_is_left),
		cmocka_unit_test(K3_a_row_that_vanished_is_found_under_a_new_key),
		cmocka_unit_test(K3_one_of_another_size_takes_no_row_that_has_its_message),
		cmocka_unit_test(K3_a_size_that_was_not_told_may_be_any),
		cmocka_unit_test(K18_a_header_without_a_message_id_is_no_proof),
		cmocka_unit_test(K3_many_that_are_alike_are_found_one_by_one),
		cmocka_unit_test(K15_a_doubt_without_a_header_waits_and_teaches_nothing),
		cmocka_unit_test(K15_one_that_failed_is_no_other_for_lack_of_a_header),
		cmocka_unit_test(K16_without_its_id_what_may_be_another_programs_waits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
