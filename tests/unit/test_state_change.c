/* What changes in a row is written whichever statement writes it (state_row.c takes turns). */
#include "state_scene.h"

#define FIELDS 6 /* flags, unique part, UID, presence there, mailbox, EMAILID */

/* Changes of ROW the fields whose bits are in CHANGE; ROUND makes what they become another one. */
static void change_row(struct scene *scene, struct row *row, unsigned change, unsigned round)
{
	char text[16];
	snprintf(text, sizeof(text), "%u.x", round);
	row->flags ^= change & 1 ? FLAG_FLAGGED : 0;
	if (change & 2) {
		OK(scene, row_set_unique(row, text, strlen(text), &scene->err));
	}
	row->uid = change & 4 ? 1000 + round : row->uid;
	if (change & 8) {
		row->remote = row->remote == MESSAGE_PRESENT ? MESSAGE_GONE : MESSAGE_PRESENT;
	}
	row->mailbox = change & 16 ? 3 - row->mailbox : row->mailbox;
	if (change & 32) {
		OK(scene, row_set_emailid(row, text, strlen(text), &scene->err));
	}
}

static void expect_row(struct scene *scene, const struct row *row)
{
	struct row back;
	struct told_time missed_at = {0};
	bool found = false;
	row_init(&back);
	OK(scene, state_row_by_id(scene->state, row->id, &back, &found, &scene->err));
	assert_true(found);
	assert_true(back.flags == row->flags);
	assert_string_equal(back.unique, row->unique);
	assert_int_equal(back.uid, row->uid);
	assert_int_equal(back.remote, row->remote);
	assert_int_equal(back.mailbox, row->mailbox);
	assert_string_equal(back.emailid == NULL ? "" : back.emailid,
			    row->emailid == NULL ? "" : row->emailid);
	OK(scene, state_missed_at(scene->state, row->id, &missed_at, &scene->err));
	assert_int_equal(missed_at.is_told, row->remote != MESSAGE_PRESENT);
	row_finish(&back);
}

/* Each change after each other one, as the one before has a say in which statement is tried. */
static void all_that_changes_is_written_in_any_order(void **state)
{
	struct scene *scene = *state;
	int64_t inbox = scene_mailbox(scene, "INBOX");
	struct row row = scene_row(scene, inbox, 7, "1.x.host");
	unsigned round = 0;
	assert_int_equal(scene_mailbox(scene, "other"), 3 - inbox);
	/* On a copy, which waits for no disk. */
	state_close(&scene->state);
	OK(scene, state_open(&scene->state, scene->path, STATE_SCRATCH, &scene->err));
	OK(scene, state_row_put(scene->state, &row, &scene->err));
	int64_t id = row.id;
	for (unsigned first = 0; first < 1u << FIELDS; first++) {
		for (unsigned second = 0; second < 1u << FIELDS; second++) {
			OK(scene, state_begin(scene->state, &scene->err));
			change_row(scene, &row, first, ++round);
			OK(scene, state_row_put(scene->state, &row, &scene->err));
			expect_row(scene, &row);
			change_row(scene, &row, second, ++round);
			OK(scene, state_row_put(scene->state, &row, &scene->err));
			expect_row(scene, &row);
			OK(scene, state_commit(scene->state, &scene->err));
		}
	}
	assert_int_equal(row.id, id);
	row_finish(&row);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCENE_TEST(all_that_changes_is_written_in_any_order),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
