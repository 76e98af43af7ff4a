/* What was observed on a side, written without loading the row. */
#include "state_scene.h"

static enum row_reason reason_of(struct scene *scene, int64_t id)
{
	struct row row;
	bool found;
	row_init(&row);
	OK(scene, state_row_by_id(scene->state, id, &row, &found, &scene->err));
	assert_true(found);
	enum row_reason reason = row.reason;
	row_finish(&row);
	return reason;
}

/* Other UIDs, other mailboxes, other reasons, and what is to be settled, stay as they are. */
static void state_seen_as_sent_is_proven(void **state)
{
	static const struct {
		bool is_other, is_unsettled;
		uint32_t uid;
		enum row_reason reason, then;
	} cases[] = {
		{false, false, 1, REASON_UNPROVEN, REASON_UNPROVEN},
		{false, false, 2, REASON_UNPROVEN, REASON_NONE},
		{false, true, 3, REASON_UNPROVEN, REASON_UNPROVEN},
		{false, false, 4, REASON_FAILED, REASON_FAILED},
		{false, false, 5, REASON_UNPROVEN, REASON_NONE},
		{false, false, 6, REASON_UNPROVEN, REASON_UNPROVEN},
		{true, false, 2, REASON_UNPROVEN, REASON_UNPROVEN},
	};
	struct scene *scene = *state;
	int64_t mailboxes[] = {scene_mailbox(scene, "INBOX"), scene_mailbox(scene, "other")};
	int64_t ids[sizeof(cases) / sizeof(cases[0])];
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char unique[8];
		snprintf(unique, sizeof(unique), "%zu", i);
		struct row row =
			scene_row(scene, mailboxes[cases[i].is_other], cases[i].uid, unique);
		row.reason = cases[i].reason;
		row.local_flags |= cases[i].is_unsettled ? FLAG_SEEN : 0;
		OK(scene, state_row_put(scene->state, &row, &scene->err));
		ids[i] = row.id;
		row_finish(&row);
	}
	OK(scene, state_see_as_sent(scene->state, mailboxes[0], 2, 5, &scene->err));
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(reason_of(scene, ids[i]), cases[i].then);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCENE_TEST(state_seen_as_sent_is_proven),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
