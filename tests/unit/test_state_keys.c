/* Rows and what finds them: UID, name, EMAILID. */
#include "state_scene.h"

static void expect_stored(struct scene *scene, struct row *row)
{
	struct row back;
	bool found = false;

	row_init(&back);
	OK(scene, state_row_put(scene->state, row, &scene->err));
	OK(scene,
	   state_row_by_uid(scene->state, row->mailbox, row->uid, &back, &found, &scene->err));
	assert_true(found);
	assert_int_equal(back.id, row->id);
	assert_string_equal(back.unique, row->unique);
	assert_int_equal(back.emailid == NULL, row->emailid == NULL);
	if (row->emailid != NULL) {
		assert_string_equal(back.emailid, row->emailid);
	}
	row_finish(&back);
}

static void state_row_is_stored_whatever_changes_of_what_finds_it(void **state)
{
	struct scene *scene = *state;
	struct row row = scene_row(scene, scene_mailbox(scene, "INBOX"), 7, "1.x.host");
	int64_t other = scene_mailbox(scene, "other");

	expect_stored(scene, &row);
	OK(scene, row_set_unique(&row, "2.x.host", 8, &scene->err));
	expect_stored(scene, &row);
	OK(scene, row_set_emailid(&row, "M1", 2, &scene->err));
	expect_stored(scene, &row);
	OK(scene, row_set_emailid(&row, "M2", 2, &scene->err));
	expect_stored(scene, &row);
	row_forget_emailid(&row);
	expect_stored(scene, &row);
	row.uid = 8;
	expect_stored(scene, &row);
	row.mailbox = other;
	expect_stored(scene, &row);
	row_finish(&row);
}

static void state_finds_a_unique_part_in_its_own_mailbox_only(void **state)
{
	struct scene *scene = *state;
	int64_t inbox = scene_mailbox(scene, "INBOX");
	int64_t other = scene_mailbox(scene, "other");
	struct row row = scene_row(scene, inbox, 7, "1.x.host");
	struct row nameless = scene_row(scene, other, 8, "");
	bool found = false;

	OK(scene, state_row_put(scene->state, &row, &scene->err));
	OK(scene, state_row_put(scene->state, &nameless, &scene->err));
	OK(scene, state_has_unique(scene->state, inbox, "1.x.host", &found, &scene->err));
	assert_true(found);
	OK(scene, state_has_unique(scene->state, other, "1.x.host", &found, &scene->err));
	assert_false(found);
	found = true;
	OK(scene, state_has_unique(scene->state, other, "", &found, &scene->err));
	assert_false(found);
	row_finish(&nameless);
	row_finish(&row);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCENE_TEST(state_row_is_stored_whatever_changes_of_what_finds_it),
		SCENE_TEST(state_finds_a_unique_part_in_its_own_mailbox_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
