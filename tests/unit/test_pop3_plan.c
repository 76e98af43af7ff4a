#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "rules/pop3_rules.h"

#define MANY 8

/* A listing, rows and headers on the stack. */
struct scene {
	struct pop3_item items[MANY];
	struct pop3_row rows[MANY];
	struct pair_candidate headers[MANY];
	bool is_listed[MANY];
	enum pop3_news news[MANY];
	size_t header_count;
	struct pop3_view view;
};

static void scene_init(struct scene *scene)
{
	memset(scene, 0, sizeof(*scene));
	scene->view = (struct pop3_view){.items = scene->items,
					 .headers = scene->headers,
					 .rows = scene->rows,
					 .is_listed = scene->is_listed,
					 .news = scene->news,
					 .whose = WHOSE_OURS};
}

static struct pop3_item *add_item(struct scene *scene, const char *key, uint64_t size_bytes)
{
	struct pop3_item *item = &scene->items[scene->view.count++];

	*item = (struct pop3_item){.number = (uint32_t)scene->view.count,
				   .row = POP3_NO_ROW,
				   .header = POP3_NO_ROW,
				   .size = told_unless_0(size_bytes),
				   .key = key};
	return item;
}

static struct pop3_row *add_row(struct scene *scene, char *uidl, uint32_t occurrence,
				uint64_t size_bytes)
{
	static char unique[] = "1.x";
	struct pop3_row *row = &scene->rows[scene->view.row_count++];

	*row = (struct pop3_row){.id = (int64_t)scene->view.row_count,
				 .uidl = uidl,
				 .occurrence = occurrence,
				 .size = told_unless_0(size_bytes),
				 .unique = unique};
	return row;
}

static void give_header(struct scene *scene, struct pop3_item *item, uint8_t digest)
{
	struct pair_candidate *header = &scene->headers[scene->header_count];

	*header = (struct pair_candidate){.header_date = INT64_MIN, .size = item->size};
	memset(header->digest, digest, ROW_DIGEST_SIZE);
	item->header = (uint32_t)scene->header_count++;
}

static void give_digest(struct pop3_row *row, uint8_t digest)
{
	memset(row->digest, digest, ROW_DIGEST_SIZE);
	row->has_digest = true;
}

static void match(struct scene *scene)
{
	struct err err;

	assert_int_equal(pop3_match(&scene->view, &err), 0);
	assert_int_equal(pop3_mark_doubts(&scene->view, false, &err), 0);
}

static void settle(struct scene *scene)
{
	struct err err;

	assert_int_equal(pop3_settle_doubts(&scene->view, &err), 0);
}

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

static const struct pop3_policy open_policy = {.now = 1000,
					       .leave = LEAVE_NO,
					       .may_delete = true,
					       .may_download = true,
					       .oldest = INT64_MIN};

/* A4 to A7. */
static void A4_to_A7_new_messages_are_downloaded_unless_a_key_says_otherwise(void **state)
{
	struct pop3_policy policy = open_policy;
	struct scene scene;

	(void)state;
	scene_init(&scene);
	struct pop3_item *small = add_item(&scene, "a", 10);
	struct pop3_item *large = add_item(&scene, "b", 100);
	struct pop3_item *old = add_item(&scene, "c", 10);
	give_header(&scene, old, 1);
	scene.headers[0].header_date = 499;
	policy.max_size_bytes = 99;
	policy.oldest = 500;
	pop3_decide(&scene.view, &policy);
	assert_int_equal(small->act, POP3_ACT_DOWNLOAD);
	assert_int_equal(large->act, POP3_ACT_SKIP);
	assert_int_equal(old->act, POP3_ACT_OLD);
	small->act = POP3_ACT_NONE;
	policy.may_download = false;
	pop3_decide(&scene.view, &policy);
	assert_int_equal(small->act, POP3_ACT_NONE);
}

static void A2_what_was_too_old_is_downloaded_once_max_age_covers_it(void **state)
{
	struct pop3_policy policy = open_policy;
	struct scene scene;

	(void)state;
	scene_init(&scene);
	struct pop3_row *row = add_row(&scene, key_a, 1, 10);
	row->reason = REASON_TOO_OLD;
	row->first_seen = 400;
	struct pop3_item *item = add_item(&scene, "a", 10);
	match(&scene);
	policy.oldest = 500;
	pop3_decide(&scene.view, &policy);
	assert_int_equal(item->act, POP3_ACT_NONE);
	assert_false(pop3_is_due(row, &policy));
	policy.oldest = 300;
	pop3_decide(&scene.view, &policy);
	assert_int_equal(item->act, POP3_ACT_DOWNLOAD);
}

/* A1, A3, A8. */
static void A8_only_what_was_downloaded_here_is_ever_due(void **state)
{
	static char none[] = "", unique[] = "1.x";
	struct pop3_policy policy = open_policy;
	struct pop3_row row = {.unique = unique, .first_seen = 900};

	(void)state;
	assert_true(pop3_is_due(&row, &policy));
	policy.leave = LEAVE_AGE;
	policy.leave_age_s = 100;
	assert_true(pop3_is_due(&row, &policy));
	policy.leave_age_s = 101;
	assert_false(pop3_is_due(&row, &policy));
	policy.leave = LEAVE_YES;
	assert_false(pop3_is_due(&row, &policy));
	policy = open_policy;
	policy.may_delete = false;
	assert_false(pop3_is_due(&row, &policy));
	row.unique = none;
	assert_false(pop3_is_due(&row, &open_policy));
	row.unique = unique;
	row.reason = REASON_POLICY;
	assert_false(pop3_is_due(&row, &open_policy));
}

static void K9_pairing_is_one_to_one_by_digest_then_by_message_id_and_date(void **state)
{
	struct pair_candidate locals[2] = {{.message_id = 4, .header_date = 5},
					   {.header_date = INT64_MIN, .index = 1}};
	struct scene scene;
	struct err err;

	(void)state;
	scene_init(&scene);
	memset(locals[0].digest, 9, ROW_DIGEST_SIZE);
	memset(locals[1].digest, 2, ROW_DIGEST_SIZE);
	for (uint8_t digest = 1; digest <= 4; digest++) {
		give_header(&scene, add_item(&scene, "k", digest), digest == 3 ? 2 : digest);
	}
	/* Same Message-ID, another Date. */
	for (int i = 0; i < 4; i += 3) {
		scene.headers[i].message_id = 4;
		scene.headers[i].header_date = i == 0 ? 5 : 6;
	}
	assert_int_equal(pop3_pair(&scene.view, locals, 2, &err), 0);
	assert_int_equal(scene.items[0].act, POP3_ACT_KNOWN);
	assert_int_equal(scene.items[1].act, POP3_ACT_KNOWN);
	assert_int_equal(scene.items[2].act, POP3_ACT_NONE);
	assert_int_equal(scene.items[3].act, POP3_ACT_NONE);
}

static void K6_a_new_database_or_nobodys_rows_make_a_first_run(void **state)
{
	(void)state;
	assert_true(pop3_is_first_run(true, WHOSE_OURS));
	assert_true(pop3_is_first_run(false, WHOSE_NOBODYS));
	assert_false(pop3_is_first_run(false, WHOSE_OURS));
	assert_false(pop3_is_first_run(false, WHOSE_OTHERS));
}

static void K7_K8_only_what_no_row_is_of_may_be_known_from_elsewhere(void **state)
{
	struct scene scene;

	(void)state;
	scene_init(&scene);
	struct pop3_item *item = add_item(&scene, "a", 10);
	assert_true(pop3_is_unknown(item));
	item->act = POP3_ACT_ADOPT;
	assert_false(pop3_is_unknown(item));
	item->act = POP3_ACT_NONE;
	item->row = 0;
	assert_false(pop3_is_unknown(item));
	item->row = POP3_NO_ROW;
	item->key = "";
	assert_false(pop3_is_unknown(item));
}

/* As a step makes one: for the rule to fill. */
static struct pop3_row *new_row(struct scene *scene, struct pop3_item *item)
{
	item->row = (uint32_t)scene->view.row_count++;
	return &scene->rows[item->row];
}

static void K7_a_file_of_ours_makes_a_row_of_the_second_of_its_delivery(void **state)
{
	struct scene scene;

	(void)state;
	scene_init(&scene);
	struct pop3_item *item = add_item(&scene, "a", 10);
	item->act = POP3_ACT_ADOPT;
	item->unique = "1700000000.x_p_y.host";
	struct pop3_row *row = new_row(&scene, item);
	pop3_remember_as(&scene.view, item, 2000000000);
	assert_int_equal(row->first_seen, 1700000000);
	assert_int_equal(row->reason, REASON_NONE);
	assert_false(row->has_digest);
}

static void K8_A6_what_is_not_downloaded_is_remembered_for_its_reason(void **state)
{
	struct scene scene;

	(void)state;
	scene_init(&scene);
	struct pop3_item *item = add_item(&scene, "a", 10);
	assert_false(pop3_is_remembered(item));
	give_header(&scene, item, 3);
	scene.headers[0].header_date = 400;
	item->act = POP3_ACT_KNOWN;
	assert_true(pop3_is_remembered(item));
	struct pop3_row *row = new_row(&scene, item);
	pop3_remember_as(&scene.view, item, 1000);
	assert_int_equal(row->reason, REASON_POLICY);
	assert_int_equal(row->first_seen, 1000);
	assert_true(row->has_digest && row->digest[0] == 3);
	item->act = POP3_ACT_OLD;
	pop3_remember_as(&scene.view, item, 1000);
	assert_int_equal(row->reason, REASON_TOO_OLD);
	assert_int_equal(row->first_seen, 400);
}

static void K10_a_listing_tells_news_once(void **state)
{
	struct scene scene;

	(void)state;
	scene_init(&scene);
	struct pop3_row *row = add_row(&scene, key_a, 1, 10);
	struct pop3_item *item = add_item(&scene, "a", 12);
	item->row = 0;
	row->is_deleted = true;
	row->gone_since = 5;
	give_header(&scene, item, 4);
	scene.is_listed[0] = true;
	assert_true(pop3_learn(&scene.view, 1000));
	assert_int_equal(scene.news[0], POP3_NEWS);
	assert_false(row->is_deleted);
	assert_int_equal(row->gone_since, 0);
	assert_true(told_is(row->size, 12));
	assert_true(row->has_digest && row->digest[0] == 4);
	assert_false(pop3_learn(&scene.view, 1000));
	assert_int_equal(scene.news[0], POP3_NO_NEWS);
	item->size = UNTOLD;
	assert_false(pop3_learn(&scene.view, 1000));
	assert_true(told_is(row->size, 12));
}

static enum pop3_news missing(struct scene *scene, int64_t now)
{
	bool has_news = pop3_learn(&scene->view, now);

	assert_int_equal(has_news, scene->news[0] != POP3_NO_NEWS);
	return scene->news[0];
}

/* K11 to K13. */
static void K11_to_K13_a_row_that_is_not_listed_is_kept_for_thirty_days(void **state)
{
	struct scene scene;

	(void)state;
	scene_init(&scene);
	struct pop3_row *row = add_row(&scene, key_a, 1, 10);
	assert_int_equal(missing(&scene, 1000), POP3_NEWS);
	assert_int_equal(row->gone_since, 1000);
	assert_int_equal(missing(&scene, 1000 + POP3_GONE_KEPT_S), POP3_NO_NEWS);
	assert_int_equal(row->gone_since, 1000);
	assert_int_equal(missing(&scene, 1001 + POP3_GONE_KEPT_S), POP3_NEWS_OVER);
	row->gone_since = 0;
	row->reason = REASON_TOO_OLD;
	assert_int_equal(missing(&scene, 1000), POP3_NEWS_OVER);
	scene.view.is_partial = true;
	assert_int_equal(missing(&scene, 1000), POP3_NO_NEWS);
	assert_int_equal(row->gone_since, 0);
	scene.view.is_partial = false;
	scene.is_listed[0] = true;
	assert_int_equal(missing(&scene, 1000), POP3_NO_NEWS);
	assert_int_equal(row->gone_since, 0);
}

static void K14_a_header_is_told_with_its_end_or_with_the_whole_message(void **state)
{
	(void)state;
	assert_true(pop3_header_is_told(
		&(struct pop3_header_facts){.is_complete = true, .came_bytes = 50}));
	/* A blank line, or nothing, is no header of TOP's. */
	assert_false(pop3_header_is_told(
		&(struct pop3_header_facts){.is_complete = true, .came_bytes = 2}));
	assert_false(pop3_header_is_told(&(struct pop3_header_facts){.listed = told_unless_0(0)}));
	assert_false(pop3_header_is_told(&(struct pop3_header_facts){.came_bytes = 50}));
	assert_false(pop3_header_is_told(
		&(struct pop3_header_facts){.came_bytes = 50, .listed = told_unless_0(50)}));
	assert_true(pop3_header_is_told(&(struct pop3_header_facts){
		.is_all = true, .came_bytes = 50, .listed = told_unless_0(50)}));
	assert_true(pop3_header_is_told(&(struct pop3_header_facts){
		.is_all = true, .came_bytes = 50, .listed = told_unless_0(53), .slack_bytes = 3}));
	assert_false(pop3_header_is_told(&(struct pop3_header_facts){
		.is_all = true, .came_bytes = 50, .listed = told_unless_0(54), .slack_bytes = 3}));
	assert_false(
		pop3_header_is_told(&(struct pop3_header_facts){.is_all = true, .came_bytes = 50}));
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
		cmocka_unit_test(K3_many_that_are_alike_are_found_one_by_one),
		cmocka_unit_test(A4_to_A7_new_messages_are_downloaded_unless_a_key_says_otherwise),
		cmocka_unit_test(A2_what_was_too_old_is_downloaded_once_max_age_covers_it),
		cmocka_unit_test(A8_only_what_was_downloaded_here_is_ever_due),
		cmocka_unit_test(K9_pairing_is_one_to_one_by_digest_then_by_message_id_and_date),
		cmocka_unit_test(K6_a_new_database_or_nobodys_rows_make_a_first_run),
		cmocka_unit_test(K7_K8_only_what_no_row_is_of_may_be_known_from_elsewhere),
		cmocka_unit_test(K7_a_file_of_ours_makes_a_row_of_the_second_of_its_delivery),
		cmocka_unit_test(K8_A6_what_is_not_downloaded_is_remembered_for_its_reason),
		cmocka_unit_test(K10_a_listing_tells_news_once),
		cmocka_unit_test(K11_to_K13_a_row_that_is_not_listed_is_kept_for_thirty_days),
		cmocka_unit_test(K14_a_header_is_told_with_its_end_or_with_the_whole_message),
		cmocka_unit_test(K15_a_doubt_without_a_header_waits_and_teaches_nothing),
		cmocka_unit_test(K16_without_its_id_what_may_be_another_programs_waits),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
