#include "pop3_scene.h"

static char key_a[] = "a";

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

static void K17_a_file_of_ours_without_a_row_is_the_message_of_its_id(void **state)
{
	(void)state;
	assert_true(pop3_is_orphans(&(struct pair_candidate){.message_id = 7}));
	assert_false(pop3_is_orphans(&(struct pair_candidate){0}));
}

static void K11_a_message_without_a_key_may_be_any_row(void **state)
{
	struct scene scene;

	(void)state;
	scene_init(&scene);
	add_row(&scene, key_a, 1, 10);
	add_item(&scene, "", 10);
	assert_false(pop3_learn(&scene.view, 1000));
	assert_int_equal(scene.rows[0].gone_since, 0);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
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
		cmocka_unit_test(K17_a_file_of_ours_without_a_row_is_the_message_of_its_id),
		cmocka_unit_test(K11_a_message_without_a_key_may_be_any_row),
		cmocka_unit_test(K14_a_header_is_told_with_its_end_or_with_the_whole_message),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
