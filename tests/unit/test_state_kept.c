#include "state_scene.h"

/* The file "UID.x". */
static struct row put(struct scene *scene, int64_t mailbox, uint32_t uid, enum presence local,
		      enum presence remote)
{
	char unique[16];
	snprintf(unique, sizeof(unique), "%u.x", (unsigned)uid);
	struct row row = scene_row(scene, mailbox, uid, unique);
	const struct file_mark mark = {7, 8, 9};
	uint8_t content[ROW_CONTENT_SIZE];

	memset(content, (int)uid, sizeof(content));
	row_set_file(&row, &mark, content);
	row.is_agreed = true;
	row.local = local;
	row.remote = remote;
	OK(scene, state_row_put(scene->state, &row, &scene->err));
	return row;
}

static size_t count_kept(struct scene *scene, const char *name, int64_t mailbox)
{
	struct state_kept kept = {0};
	OK(scene, state_kept_load(scene->state, name, mailbox, &kept, &scene->err));
	size_t count = kept.count;
	state_kept_finish(&kept);
	return count;
}

static void what_is_to_be_here_outlives_its_rows(void **state)
{
	struct scene *scene = *state;
	int64_t box = scene_mailbox(scene, "Box");
	struct row one = put(scene, box, 1, MESSAGE_PRESENT, MESSAGE_GONE);
	struct row two = put(scene, box, 2, MESSAGE_GONE, MESSAGE_PRESENT);
	struct state_kept kept = {0};
	struct strlist names;

	OK(scene, state_kept_note_mailbox(scene->state, box, false, &scene->err));
	assert_int_equal(count_kept(scene, "Box", box), 0); /* base has them */
	OK(scene, state_mailbox_drop(scene->state, box, &scene->err));
	OK(scene, state_kept_load(scene->state, "Box", 0, &kept, &scene->err));
	assert_int_equal(kept.count, 2);
	assert_string_equal(kept.items[0].unique, "1.x");
	assert_true(kept.items[0].has_content);
	assert_memory_equal(kept.items[0].content, one.content, ROW_CONTENT_SIZE);
	state_kept_finish(&kept);
	strlist_init(&names);
	OK(scene, state_kept_names(scene->state, &names, &scene->err));
	assert_int_equal(names.count, 1);
	assert_string_equal(names.items[0], "Box");
	strlist_finish(&names);

	/* Base has one again, under another name. */
	int64_t again = scene_mailbox(scene, "Box");
	struct row back = put(scene, again, 2, MESSAGE_PRESENT, MESSAGE_PRESENT);
	OK(scene, row_set_unique(&back, "3.x", 3, &scene->err));
	OK(scene, state_row_put(scene->state, &back, &scene->err));
	assert_int_equal(count_kept(scene, "Box", again), 1);
	row_finish(&one);
	row_finish(&two);
	row_finish(&back);
}

static void only_what_the_server_lost_where_the_rest_comes_again(void **state)
{
	struct scene *scene = *state;
	int64_t box = scene_mailbox(scene, "Box");
	struct row one = put(scene, box, 1, MESSAGE_PRESENT, MESSAGE_GONE);
	struct row two = put(scene, box, 2, MESSAGE_PRESENT, MESSAGE_PRESENT);

	OK(scene, state_kept_note_mailbox(scene->state, box, true, &scene->err));
	OK(scene, state_mailbox_drop(scene->state, box, &scene->err));
	assert_int_equal(count_kept(scene, "Box", 0), 1);
	row_finish(&one);
	row_finish(&two);
}

static void a_loss_is_noted_on_whichever_side_it_comes_last(void **state)
{
	struct scene *scene = *state;
	int64_t box = scene_mailbox(scene, "Box");
	struct row here = put(scene, box, 1, MESSAGE_PRESENT, MESSAGE_GONE);
	struct row there = put(scene, box, 2, MESSAGE_GONE, MESSAGE_PRESENT);
	struct row both = put(scene, box, 3, MESSAGE_PRESENT, MESSAGE_PRESENT);
	uint64_t count = 0;
	bool is_meant = true;

	OK(scene, state_kept_note_row(scene->state, here.id, &scene->err));
	OK(scene, state_see_local_gone(scene->state, here.id, &scene->err));
	OK(scene, state_kept_note_row(scene->state, both.id, &scene->err));
	OK(scene, state_kept_note_gone(scene->state, box, 1, UINT32_MAX, &scene->err));
	OK(scene, state_see_remote_gone(scene->state, box, 1, UINT32_MAX, &count, &scene->err));
	assert_int_equal(count_kept(scene, "Box", box), 2);

	OK(scene, state_kept_mean(scene->state, "Box", "2.x", &scene->err));
	OK(scene, state_kept_mean(scene->state, "Box", "9.x", &scene->err));
	assert_int_equal(count_kept(scene, "Box", box), 1);
	OK(scene, state_kept_is_meant(scene->state, "Box", "9.x", &is_meant, &scene->err));
	assert_true(is_meant);
	OK(scene, state_kept_is_meant(scene->state, "Box", "1.x", &is_meant, &scene->err));
	assert_false(is_meant);
	row_finish(&here);
	row_finish(&there);
	row_finish(&both);
}

static bool is_meant(struct scene *scene, const char *unique)
{
	bool is_so = false;
	OK(scene, state_kept_is_meant(scene->state, "Box", unique, &is_so, &scene->err));
	return is_so;
}

/* That it is well that a file is gone says nothing of the next time. */
static void what_came_back_is_missed_when_it_is_lost_again(void **state)
{
	struct scene *scene = *state;
	int64_t box = scene_mailbox(scene, "Box");
	struct row there = put(scene, box, 1, MESSAGE_GONE, MESSAGE_PRESENT);
	struct row nowhere = put(scene, box, 2, MESSAGE_GONE, MESSAGE_PRESENT);
	uint64_t count = 0;

	OK(scene, state_kept_mean(scene->state, "Box", "1.x", &scene->err));
	OK(scene, state_kept_mean(scene->state, "Box", "2.x", &scene->err));
	OK(scene, state_kept_note_gone(scene->state, box, 2, 2, &scene->err));
	OK(scene, state_see_remote_gone(scene->state, box, 2, 2, &count, &scene->err));
	assert_int_equal(count, 1);
	assert_true(is_meant(scene, "1.x") && is_meant(scene, "2.x"));
	assert_int_equal(count_kept(scene, "Box", box), 0);

	OK(scene, state_kept_back(scene->state, "Box", "1.x", &scene->err));
	OK(scene, state_kept_back(scene->state, "Box", "2.x", &scene->err));
	OK(scene, state_kept_back(scene->state, "Other", "2.x", &scene->err));
	assert_false(is_meant(scene, "1.x") || is_meant(scene, "2.x"));
	/* Of the one base's row tells; of the other nothing else. */
	assert_int_equal(count_kept(scene, "Box", box), 1);
	row_finish(&there);
	row_finish(&nowhere);
}

/* Nothing more is told of a loss that is well; that a removal on the server fails is. */
static void what_is_meant_waits_for_a_policy_unseen(void **state)
{
	static const enum row_reason reasons[] = {REASON_POLICY, REASON_OBSTACLE};
	struct scene *scene = *state;
	int64_t box = scene_mailbox(scene, "Box");
	struct row row = put(scene, box, 1, MESSAGE_GONE, MESSAGE_PRESENT);

	OK(scene, state_kept_mean(scene->state, "Box", "1.x", &scene->err));
	for (size_t i = 0; i < 2; i++) {
		struct state_waiting waiting = {0};
		row.reason = reasons[i];
		OK(scene, state_row_put(scene->state, &row, &scene->err));
		OK(scene, state_waiting_load(scene->state, &waiting, &scene->err));
		assert_int_equal(waiting.count, i);
		state_waiting_finish(&waiting);
	}
	row_finish(&row);
}

static void rename_to(struct scene *scene, int64_t id, const char *name)
{
	struct state_mailboxes mailboxes = {0};
	OK(scene, state_mailboxes_load(scene->state, &mailboxes, &scene->err));
	for (size_t i = 0; i < mailboxes.count; i++) {
		if (mailboxes.items[i].id == id) {
			free(mailboxes.items[i].name);
			mailboxes.items[i].name = strdup(name);
			OK(scene,
			   state_mailbox_put(scene->state, &mailboxes.items[i], &scene->err));
		}
	}
	state_mailboxes_finish(&mailboxes);
}

static void a_renamed_mailbox_takes_them_along(void **state)
{
	struct scene *scene = *state;
	int64_t first = scene_mailbox(scene, "Box");
	struct row one = put(scene, first, 1, MESSAGE_PRESENT, MESSAGE_GONE);
	struct row two = put(scene, first, 2, MESSAGE_PRESENT, MESSAGE_GONE);

	OK(scene, state_kept_note_mailbox(scene->state, first, false, &scene->err));
	OK(scene, state_mailbox_drop(scene->state, first, &scene->err));
	int64_t other = scene_mailbox(scene, "Other");
	struct row same = put(scene, other, 1, MESSAGE_PRESENT, MESSAGE_GONE);
	struct row three = put(scene, other, 3, MESSAGE_PRESENT, MESSAGE_GONE);
	OK(scene, state_kept_note_mailbox(scene->state, other, false, &scene->err));
	rename_to(scene, other, "Box"); /* of which the same file is kept already */
	assert_int_equal(count_kept(scene, "Box", 0), 3);
	assert_int_equal(count_kept(scene, "Other", 0), 0);
	row_finish(&one);
	row_finish(&two);
	row_finish(&same);
	row_finish(&three);
}

static int scanned; /* rows that were read without an index */

static int note_scan(unsigned kind, void *context, void *statement, void *ignored)
{
	(void)kind;
	(void)context;
	(void)ignored;
	scanned += sqlite3_stmt_status(statement, SQLITE_STMTSTATUS_FULLSCAN_STEP, 1);
	return 0;
}

static int watch_scans(sqlite3 *db)
{
	return sqlite3_trace_v2(db, SQLITE_TRACE_PROFILE, note_scan, NULL);
}

static void they_are_found_without_reading_all_rows(void **state)
{
	struct scene *scene = *state;
	int64_t box = scene_mailbox(scene, "Box");

	for (uint32_t uid = 1; uid <= 20; uid++) {
		struct row row = put(scene, box, uid, MESSAGE_PRESENT, MESSAGE_GONE);
		row_finish(&row);
	}
	OK(scene, state_kept_note_mailbox(scene->state, box, false, &scene->err));
	sqlite3_auto_extension((void (*)(void))watch_scans);
	scene_reopen(scene, STATE_WRITE);
	sqlite3_reset_auto_extension();
	scanned = 0;
	assert_int_equal(count_kept(scene, "Box", box), 0);
	assert_int_equal(scanned, 0);
	assert_int_equal(count_kept(scene, "Box", 0), 20);
	assert_int_equal(scanned, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCENE_TEST(what_is_to_be_here_outlives_its_rows),
		SCENE_TEST(only_what_the_server_lost_where_the_rest_comes_again),
		SCENE_TEST(a_loss_is_noted_on_whichever_side_it_comes_last),
		SCENE_TEST(what_came_back_is_missed_when_it_is_lost_again),
		SCENE_TEST(what_is_meant_waits_for_a_policy_unseen),
		SCENE_TEST(a_renamed_mailbox_takes_them_along),
		SCENE_TEST(they_are_found_without_reading_all_rows),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
