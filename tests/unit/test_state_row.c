#include "state_scene.h"

static void state_row_comes_back_whole(void **state)
{
	struct scene *scene = *state;
	int64_t inbox = scene_mailbox(scene, "INBOX");
	struct row row = scene_row(scene, inbox, UINT32_MAX, "1.x.host");
	struct row back;
	bool found = false;

	row.flags = UINT64_MAX;
	row.local_flags = UINT64_C(1) << 63;
	row.remote_flags = 5;
	row.reason = REASON_BRAKE;
	row.size = told(UINT64_C(1) << 40);
	row.date = told_time(-5);
	row.held = HELD_FLAGS;
	row.held_since = UINT32_MAX + INT64_C(7);
	row.has_digest = true;
	memset(row.digest, 0xab, sizeof(row.digest));
	const struct file_mark mark = {7, -8, UINT64_MAX};
	uint8_t content[ROW_CONTENT_SIZE];
	memset(content, 0xcd, sizeof(content));
	row_set_file(&row, &mark, content);
	OK(scene, row_set_emailid(&row, "M1", 2, &scene->err));
	OK(scene, state_row_put(scene->state, &row, &scene->err));
	assert_true(row.id != 0);
	row_init(&back);
	OK(scene, state_row_by_uid(scene->state, inbox, UINT32_MAX, &back, &found, &scene->err));
	assert_true(found);
	assert_int_equal(back.id, row.id);
	assert_string_equal(back.unique, "1.x.host");
	assert_true(back.is_agreed);
	assert_true(back.flags == UINT64_MAX);
	assert_true(back.local_flags == UINT64_C(1) << 63);
	assert_int_equal(back.remote_flags, 5);
	assert_int_equal(back.reason, REASON_BRAKE);
	assert_true(told_is(back.size, UINT64_C(1) << 40));
	assert_true(told_time_equal(back.date, told_time(-5)));
	assert_int_equal(back.held, HELD_FLAGS);
	assert_true(back.held_since == UINT32_MAX + INT64_C(7));
	assert_true(back.has_digest);
	assert_memory_equal(back.digest, row.digest, sizeof(row.digest));
	assert_string_equal(back.emailid, "M1");
	assert_true(back.has_content);
	assert_memory_equal(back.content, content, sizeof(content));
	assert_true(file_mark_equal(&back.mark, &mark));
	row_set_file(&row, &mark, NULL);
	OK(scene, state_row_put(scene->state, &row, &scene->err));
	OK(scene, state_row_by_id(scene->state, row.id, &back, &found, &scene->err));
	assert_false(back.has_content);
	OK(scene, state_row_by_unique(scene->state, inbox, "1.x.host", &back, &found, &scene->err));
	assert_true(found);
	OK(scene, state_row_by_id(scene->state, row.id + 1, &back, &found, &scene->err));
	assert_false(found);
	assert_int_equal(back.id, row.id);
	row_finish(&row);
	row_finish(&back);
}

static void state_finds_a_digest_in_its_own_mailbox_only(void **state)
{
	struct scene *scene = *state;
	int64_t inbox = scene_mailbox(scene, "INBOX");
	int64_t other = scene_mailbox(scene, "other");
	struct row row = scene_row(scene, inbox, 7, "1.x.host");
	uint8_t digest[ROW_DIGEST_SIZE];
	bool found = true;

	memset(digest, 0xab, sizeof(digest));
	OK(scene, state_row_put(scene->state, &row, &scene->err));
	OK(scene, state_has_digest(scene->state, inbox, digest, &found, &scene->err));
	assert_false(found);
	row.has_digest = true;
	memcpy(row.digest, digest, sizeof(digest));
	OK(scene, state_row_put(scene->state, &row, &scene->err));
	OK(scene, state_has_digest(scene->state, inbox, digest, &found, &scene->err));
	assert_true(found);
	OK(scene, state_has_digest(scene->state, other, digest, &found, &scene->err));
	assert_false(found);
	row_finish(&row);
}

static void state_row_put_removes_what_is_void_and_never_reuses_an_id(void **state)
{
	struct scene *scene = *state;
	int64_t inbox = scene_mailbox(scene, "INBOX");
	struct row row = scene_row(scene, inbox, 1, "one");
	struct row back;
	bool found = true;

	OK(scene, state_row_put(scene->state, &row, &scene->err));
	int64_t id = row.id;
	row.local = MESSAGE_GONE;
	row.remote = MESSAGE_GONE;
	OK(scene, state_row_put(scene->state, &row, &scene->err));
	assert_int_equal(row.id, 0);
	row_init(&back);
	OK(scene, state_row_by_id(scene->state, id, &back, &found, &scene->err));
	assert_false(found);
	assert_true(scene_put(scene, inbox, 2, "two") > id);
	row_finish(&row);
}

static void state_row_of_a_known_uid_is_refused(void **state)
{
	struct scene *scene = *state;
	int64_t inbox = scene_mailbox(scene, "INBOX");
	struct row row = scene_row(scene, inbox, 1, "other");

	scene_put(scene, inbox, 1, "one");
	scene_put(scene, inbox, 0, "two");
	scene_put(scene, inbox, 0, "three");
	assert_int_equal(state_row_put(scene->state, &row, &scene->err), -ERR_INTERNAL);
	assert_int_equal(row.id, 0);
	row_finish(&row);
}

static void state_pending_rows_and_deleted_ones_come_in_id_order(void **state)
{
	struct scene *scene = *state;
	int64_t inbox = scene_mailbox(scene, "INBOX");
	struct state_slice slice = {.deleted_too = true};
	struct row_list rows;

	scene_put(scene, inbox, 1, "settled");
	int64_t first = scene_put(scene, inbox, 2, "");
	struct row row = scene_row(scene, inbox, 3, "deleted");
	row.flags = row.local_flags = row.remote_flags = FLAG_DELETED | FLAG_SEEN;
	OK(scene, state_row_put(scene->state, &row, &scene->err));
	scene_put(scene, inbox, 0, "fresh");
	assert_int_equal(scene_pending(scene, inbox, false), 2);
	row_list_init(&rows);
	OK(scene, state_rows_pending(scene->state, inbox, &slice, &rows, &scene->err));
	assert_int_equal(rows.count, 3);
	assert_int_equal(rows.items[0].id, first);
	assert_int_equal(rows.items[1].id, row.id);
	assert_string_equal(rows.items[2].unique, "fresh");
	row_list_finish(&rows);
	row_finish(&row);
}

static void state_seen_flags_make_a_row_pending_and_settled_again(void **state)
{
	struct scene *scene = *state;
	int64_t inbox = scene_mailbox(scene, "INBOX");
	int64_t id = scene_put(scene, inbox, 1, "one");

	OK(scene, state_see_remote_flags(scene->state, inbox, 1, 0, &scene->err));
	assert_int_equal(scene_pending(scene, inbox, false), 0);
	OK(scene, state_see_remote_flags(scene->state, inbox, 1, UINT64_C(1) << 63, &scene->err));
	assert_int_equal(scene_pending(scene, inbox, false), 1);
	OK(scene, state_see_remote_flags(scene->state, inbox, 1, 0, &scene->err));
	assert_int_equal(scene_pending(scene, inbox, false), 0);
	OK(scene, state_see_local_flags(scene->state, id, 16, 0, &scene->err));
	assert_int_equal(scene_pending(scene, inbox, false), 1);
	OK(scene, state_see_local_flags(scene->state, id, 0, 0, &scene->err));
	assert_int_equal(scene_pending(scene, inbox, false), 0);
}

static void state_seen_flags_of_an_unknown_message_make_no_row(void **state)
{
	struct scene *scene = *state;
	int64_t inbox = scene_mailbox(scene, "INBOX");
	struct row back;
	bool found = true;

	row_init(&back);
	OK(scene, state_see_remote_flags(scene->state, inbox, 9, 1, &scene->err));
	OK(scene, state_row_by_uid(scene->state, inbox, 9, &back, &found, &scene->err));
	assert_false(found);
}

static void state_seen_flags_that_are_the_same_write_nothing(void **state)
{
	struct scene *scene = *state;
	int64_t inbox = scene_mailbox(scene, "INBOX");
	struct row row = scene_row(scene, inbox, 1, "one");
	struct row back;
	bool found;

	row.local_flags = 16;
	row.reason = REASON_POLICY;
	OK(scene, state_row_put(scene->state, &row, &scene->err));
	row_init(&back);
	OK(scene, state_see_remote_flags(scene->state, inbox, 1, 0, &scene->err));
	OK(scene, state_row_by_uid(scene->state, inbox, 1, &back, &found, &scene->err));
	assert_true(found && back.reason == REASON_POLICY);
	OK(scene, state_see_remote_flags(scene->state, inbox, 1, 8, &scene->err));
	OK(scene, state_row_by_uid(scene->state, inbox, 1, &back, &found, &scene->err));
	assert_true(found && back.reason == REASON_NONE);
	row_finish(&back);
	row_finish(&row);
}

static void state_seen_gone_keeps_agreed_rows_and_drops_others(void **state)
{
	struct scene *scene = *state;
	int64_t inbox = scene_mailbox(scene, "INBOX");
	int64_t other = scene_mailbox(scene, "other");
	struct row back;
	uint64_t count = 0;
	bool found;

	int64_t agreed = scene_put(scene, inbox, 1, "one");
	int64_t new_there = scene_put(scene, inbox, 2, "");
	int64_t half_gone = scene_put(scene, inbox, 3, "three");
	struct row pair = scene_row(scene, inbox, 4, "four");
	pair.is_agreed = false;
	OK(scene, state_row_put(scene->state, &pair, &scene->err));
	scene_put(scene, other, 1, "one");
	OK(scene, state_see_local_gone(scene->state, half_gone, &scene->err));
	assert_int_equal(scene_pending(scene, inbox, false), 3);
	OK(scene, state_see_remote_gone(scene->state, inbox, 1, UINT32_MAX, &count, &scene->err));
	assert_int_equal(count, 4);
	row_init(&back);
	OK(scene, state_row_by_id(scene->state, agreed, &back, &found, &scene->err));
	assert_true(found && back.remote == MESSAGE_GONE && back.uid == 1);
	OK(scene, state_row_by_id(scene->state, new_there, &back, &found, &scene->err));
	assert_false(found);
	OK(scene, state_row_by_id(scene->state, half_gone, &back, &found, &scene->err));
	assert_false(found);
	OK(scene, state_row_by_id(scene->state, pair.id, &back, &found, &scene->err));
	assert_true(found && back.remote == MESSAGE_ABSENT && back.uid == 0);
	OK(scene, state_see_remote_gone(scene->state, inbox, 1, UINT32_MAX, &count, &scene->err));
	assert_int_equal(count, 0);
	assert_int_equal(scene_pending(scene, other, false), 0);
	row_finish(&back);
	row_finish(&pair);
}

static void state_counts_by_exception(void **state)
{
	struct scene *scene = *state;
	int64_t inbox = scene_mailbox(scene, "INBOX");
	int64_t other = scene_mailbox(scene, "other");
	uint64_t count;

	scene_put(scene, inbox, 1, "one");
	int64_t gone = scene_put(scene, inbox, 2, "two");
	scene_put(scene, inbox, 3, "");
	scene_put(scene, inbox, 0, "four");
	scene_put(scene, other, 1, "one");
	OK(scene, state_see_local_gone(scene->state, gone, &scene->err));
	OK(scene, state_count_agreed(scene->state, inbox, &count, &scene->err));
	assert_int_equal(count, 2);
	OK(scene, state_count_agreed(scene->state, 0, &count, &scene->err));
	assert_int_equal(count, 3);
	OK(scene, state_count_remote(scene->state, inbox, &count, &scene->err));
	assert_int_equal(count, 3);
	OK(scene, state_count_remote(scene->state, 0, &count, &scene->err));
	assert_int_equal(count, 4);
	OK(scene, state_count_remote_only(scene->state, inbox, &count, &scene->err));
	assert_int_equal(count, 1);
	OK(scene, state_count_remote_only(scene->state, other, &count, &scene->err));
	assert_int_equal(count, 0);
}

static enum row_held held_of(struct scene *scene, int64_t id)
{
	struct row row;
	bool found = false;

	row_init(&row);
	OK(scene, state_row_by_id(scene->state, id, &row, &found, &scene->err));
	assert_true(found);
	enum row_held held = row.held;
	row_finish(&row);
	return held;
}

/* What the brake held is not judged anew because its flags changed; what is back was not held. */
static void state_seen_flags_keep_what_the_brake_held(void **state)
{
	struct scene *scene = *state;
	int64_t inbox = scene_mailbox(scene, "INBOX");

	int64_t id = scene_put(scene, inbox, 1, "one");
	OK(scene, state_see_local_gone(scene->state, id, &scene->err));
	OK(scene, state_row_hold(scene->state, id, HELD_REMOVAL, 100, &scene->err));
	OK(scene, state_see_remote_flags(scene->state, inbox, 1, FLAG_FLAGGED, &scene->err));
	assert_int_equal(held_of(scene, id), HELD_REMOVAL);
	OK(scene, state_see_remote_flags(scene->state, inbox, 1, 0, &scene->err));
	assert_int_equal(held_of(scene, id), HELD_REMOVAL);
	OK(scene, state_see_local_flags(scene->state, id, FLAG_SEEN, 0, &scene->err));
	assert_int_equal(held_of(scene, id), HELD_NOT);
	id = scene_put(scene, inbox, 2, "two");
	uint64_t count = 0;
	OK(scene, state_see_remote_gone(scene->state, inbox, 2, 2, &count, &scene->err));
	OK(scene, state_row_hold(scene->state, id, HELD_REMOVAL, 100, &scene->err));
	OK(scene, state_see_local_flags(scene->state, id, FLAG_SEEN, 0, &scene->err));
	assert_int_equal(held_of(scene, id), HELD_REMOVAL);
	OK(scene, state_see_remote_flags(scene->state, inbox, 2, FLAG_SEEN, &scene->err));
	assert_int_equal(held_of(scene, id), HELD_NOT);
}

/* A row that is settled holds nothing, unless it is held for its \\Deleted. */
static void state_a_mark_ends_where_the_row_is_settled(void **state)
{
	struct scene *scene = *state;
	int64_t inbox = scene_mailbox(scene, "INBOX");
	uint64_t count = 0;

	int64_t flags = scene_put(scene, inbox, 1, "one");
	int64_t marked = scene_put(scene, inbox, 2, "two");
	OK(scene, state_see_local_flags(scene->state, flags, FLAG_SEEN, 0, &scene->err));
	OK(scene, state_row_hold(scene->state, flags, HELD_FLAGS, 100, &scene->err));
	OK(scene, state_row_hold(scene->state, flags, HELD_REMOVAL, 200, &scene->err));
	assert_int_equal(held_of(scene, flags), HELD_FLAGS | HELD_REMOVAL);
	OK(scene, state_count_held(scene->state, inbox, &count, &scene->err));
	assert_int_equal(count, 1);
	OK(scene, state_see_remote_flags(scene->state, inbox, 1, FLAG_FLAGGED, &scene->err));
	assert_int_equal(held_of(scene, flags), HELD_FLAGS | HELD_REMOVAL);
	OK(scene, state_see_remote_flags(scene->state, inbox, 1, 0, &scene->err));
	OK(scene, state_see_local_flags(scene->state, flags, 0, 0, &scene->err));
	assert_int_equal(held_of(scene, flags), HELD_NOT);

	struct row row;
	bool found = false;
	row_init(&row);
	OK(scene, state_row_by_id(scene->state, marked, &row, &found, &scene->err));
	row.flags = row.local_flags = row.remote_flags = FLAG_DELETED;
	row.held = HELD_REMOVAL;
	OK(scene, state_row_put(scene->state, &row, &scene->err));
	row_finish(&row);
	OK(scene,
	   state_see_local_flags(scene->state, marked, FLAG_DELETED | FLAG_SEEN, 0, &scene->err));
	OK(scene, state_see_local_flags(scene->state, marked, FLAG_DELETED, 0, &scene->err));
	assert_int_equal(held_of(scene, marked), HELD_REMOVAL);
	OK(scene, state_see_local_gone(scene->state, marked, &scene->err));
	assert_int_equal(held_of(scene, marked), HELD_REMOVAL);
}

/* Cleared flags of a message that goes are none. */
static void state_a_mark_on_flags_ends_with_the_message(void **state)
{
	struct scene *scene = *state;
	int64_t inbox = scene_mailbox(scene, "INBOX");
	uint64_t count = 0;

	int64_t here = scene_put(scene, inbox, 1, "one");
	int64_t there = scene_put(scene, inbox, 2, "two");
	OK(scene, state_row_hold(scene->state, here, HELD_FLAGS, 100, &scene->err));
	OK(scene, state_row_hold(scene->state, there, HELD_FLAGS, 100, &scene->err));
	OK(scene, state_see_local_gone(scene->state, here, &scene->err));
	OK(scene, state_see_remote_gone(scene->state, inbox, 2, 2, &count, &scene->err));
	assert_int_equal(held_of(scene, here), HELD_NOT);
	assert_int_equal(held_of(scene, there), HELD_NOT);
}

static struct state_recent recent_of(struct scene *scene, int64_t mailbox, int64_t since,
				     int64_t now)
{
	struct state_recent recent = {0};

	OK(scene, state_deleted_recent(scene->state, mailbox, since, now, &recent, &scene->err));
	return recent;
}

static void delete_at(struct scene *scene, int64_t mailbox, enum side side, int64_t now,
		      uint64_t count)
{
	const struct state_deleted deleted = {mailbox, side, now, count};

	OK(scene, state_deleted_add(scene->state, &deleted, &scene->err));
}

static void state_knows_what_was_deleted_lately(void **state) /* B7 */
{
	struct scene *scene = *state;
	int64_t inbox = scene_mailbox(scene, "INBOX");
	int64_t other = scene_mailbox(scene, "other");

	delete_at(scene, inbox, SIDE_REMOTE, 1000, 5);
	delete_at(scene, inbox, SIDE_LOCAL, 1010, 2);
	delete_at(scene, other, SIDE_REMOTE, 1020, 7);
	assert_int_equal(recent_of(scene, inbox, 1000, 1020).remote, 5);
	assert_int_equal(recent_of(scene, inbox, 1000, 1020).local, 2);
	assert_int_equal(recent_of(scene, 0, 1000, 1020).remote, 12);
	assert_int_equal(recent_of(scene, inbox, 1001, 1020).remote, 0);
	/* Of a mailbox that is no more the account knows still, and no other one. */
	OK(scene, state_mailbox_drop(scene->state, other, &scene->err));
	assert_int_equal(recent_of(scene, 0, 1000, 1020).remote, 12);
	assert_int_equal(recent_of(scene, scene_mailbox(scene, "new"), 1000, 1020).remote, 0);
	delete_at(scene, inbox, SIDE_REMOTE, 9000, 1);
	assert_int_equal(recent_of(scene, 0, 0, 9000).remote,
			 1); /* after an hour it is forgotten */
}

static void state_a_clock_that_goes_back_neither_lets_go_nor_holds_for_ever(void **state) /* B8 */
{
	struct scene *scene = *state;
	int64_t inbox = scene_mailbox(scene, "INBOX");

	delete_at(scene, inbox, SIDE_REMOTE, 5000, 5);
	assert_int_equal(recent_of(scene, inbox, 940, 1000).remote, 5);
	assert_int_equal(recent_of(scene, inbox, 1000, 1060).remote, 5);
	assert_int_equal(recent_of(scene, inbox, 1001, 1061).remote, 0);
}

static void state_moves_join_gone_and_new(void **state)
{
	struct scene *scene = *state;
	int64_t inbox = scene_mailbox(scene, "INBOX");
	int64_t other = scene_mailbox(scene, "other");
	struct state_moves moves = {0};

	int64_t gone = scene_put(scene, inbox, 1, "one");
	int64_t stays = scene_put(scene, inbox, 2, "two");
	int64_t fresh = scene_put(scene, other, 0, "one");
	int64_t copy = scene_put(scene, other, 0, "two");
	OK(scene, state_see_local_gone(scene->state, gone, &scene->err));
	OK(scene, state_moves_load(scene->state, 0, &moves, &scene->err));
	assert_int_equal(moves.count, 1);
	assert_int_equal(moves.items[0].gone_row, gone);
	assert_int_equal(moves.items[0].new_row, fresh);
	OK(scene, state_moves_load(scene->state, inbox, &moves, &scene->err));
	assert_int_equal(moves.count, 3);
	assert_int_equal(moves.items[1].gone_row, gone);
	assert_int_equal(moves.items[1].new_row, fresh);
	assert_int_equal(moves.items[2].gone_row, stays);
	assert_int_equal(moves.items[2].new_row, copy);
	OK(scene, state_moves_load(scene->state, other, &moves, &scene->err));
	assert_int_equal(moves.count, 3);
	state_moves_finish(&moves);
}

static void state_samples_rows_evenly(void **state)
{
	struct scene *scene = *state;
	int64_t inbox = scene_mailbox(scene, "INBOX");
	char unique[8];
	struct row_list rows;
	static const uint32_t expected[] = {1, 4, 7, 10};

	for (uint32_t uid = 12; uid > 0; uid--) {
		snprintf(unique, sizeof(unique), "u%u", uid);
		int64_t id = scene_put(scene, inbox, uid, unique);
		if (uid > 11) {
			OK(scene, state_see_local_gone(scene->state, id, &scene->err));
		}
	}
	row_list_init(&rows);
	OK(scene, state_rows_sample(scene->state, inbox, 4, &rows, &scene->err));
	assert_int_equal(rows.count, 4);
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(rows.items[i].uid, expected[i]);
	}
	OK(scene, state_rows_sample(scene->state, inbox, 100, &rows, &scene->err));
	assert_int_equal(rows.count, 11);
	OK(scene, state_rows_sample(scene->state, inbox + 1, 4, &rows, &scene->err));
	assert_int_equal(rows.count, 0);
	row_list_finish(&rows);
}

static void state_finds_rows_by_emailid(void **state)
{
	struct scene *scene = *state;
	int64_t inbox = scene_mailbox(scene, "INBOX");
	int64_t other = scene_mailbox(scene, "other");
	struct row_list rows;
	struct row fresh = scene_row(scene, inbox, 0, "one");
	struct row agreed = scene_row(scene, other, 4, "one");

	OK(scene, row_set_emailid(&fresh, "M1", 2, &scene->err));
	OK(scene, row_set_emailid(&agreed, "M1", 2, &scene->err));
	OK(scene, state_row_put(scene->state, &fresh, &scene->err));
	OK(scene, state_row_put(scene->state, &agreed, &scene->err));
	row_list_init(&rows);
	OK(scene, state_rows_by_emailid(scene->state, "M1", &rows, &scene->err));
	assert_int_equal(rows.count, 2);
	assert_true(rows.items[0].is_agreed);
	row_list_finish(&rows);
	row_finish(&fresh);
	row_finish(&agreed);
}

static void state_cursor_streams_in_order_while_rows_change(void **state)
{
	struct scene *scene = *state;
	int64_t inbox = scene_mailbox(scene, "INBOX");
	struct state_cursor *cursor;
	const struct row *row;
	uint32_t expected = 1;

	scene_put(scene, inbox, 3, "b");
	scene_put(scene, inbox, 1, "c\xff");
	scene_put(scene, inbox, 2, "a");
	scene_put(scene, inbox, 0, "aa");
	OK(scene, state_begin(scene->state, &scene->err));
	OK(scene, state_cursor_open(scene->state, inbox, STATE_BY_UID, &cursor, &scene->err));
	for (;;) {
		OK(scene, state_cursor_next(cursor, &row, &scene->err));
		if (row == NULL) {
			break;
		}
		assert_int_equal(row->uid, expected++);
		struct row copy = *row;
		copy.flags = 7;
		OK(scene, state_row_put(scene->state, &copy, &scene->err));
	}
	state_cursor_close(&cursor);
	assert_int_equal(expected, 4);
	OK(scene, state_commit(scene->state, &scene->err));
	OK(scene, state_cursor_open(scene->state, inbox, STATE_BY_UNIQUE, &cursor, &scene->err));
	static const char *const names[] = {"a", "aa", "b", "c\xff"};
	for (size_t i = 0; i < 4; i++) {
		OK(scene, state_cursor_next(cursor, &row, &scene->err));
		assert_string_equal(row->unique, names[i]);
	}
	state_cursor_close(&cursor);
}

static void state_row_needs_less_than_165_bytes(void **state)
{
	struct scene *scene = *state;
	int64_t inbox = scene_mailbox(scene, "INBOX");
	struct stat empty, info;
	char unique[64];

	assert_int_equal(stat(scene->path, &empty), 0);
	for (uint32_t uid = 1; uid <= 5000;) {
		OK(scene, state_begin(scene->state, &scene->err));
		for (uint32_t end = uid + 500; uid < end; uid++) {
			snprintf(unique, sizeof(unique),
				 "1700000000.0a1b2c3d_1699999999_%" PRIu32 ".host", uid);
			struct row row = scene_row(scene, inbox, uid, unique);
			row.size = told(5000 + uid);
			row.date = told_time(1700000000 + uid);
			row.has_digest = true;
			row.flags = row.local_flags = row.remote_flags = FLAG_SEEN;
			OK(scene, state_row_put(scene->state, &row, &scene->err));
			row_finish(&row);
		}
		OK(scene, state_commit(scene->state, &scene->err));
	}
	assert_int_equal(stat(scene->path, &info), 0);
	assert_in_range((uintmax_t)(info.st_size - empty.st_size), 1, 5000 * 165);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCENE_TEST(state_row_comes_back_whole),
		SCENE_TEST(state_finds_a_digest_in_its_own_mailbox_only),
		SCENE_TEST(state_row_put_removes_what_is_void_and_never_reuses_an_id),
		SCENE_TEST(state_row_of_a_known_uid_is_refused),
		SCENE_TEST(state_pending_rows_and_deleted_ones_come_in_id_order),
		SCENE_TEST(state_seen_flags_make_a_row_pending_and_settled_again),
		SCENE_TEST(state_seen_flags_of_an_unknown_message_make_no_row),
		SCENE_TEST(state_seen_flags_that_are_the_same_write_nothing),
		SCENE_TEST(state_seen_gone_keeps_agreed_rows_and_drops_others),
		SCENE_TEST(state_counts_by_exception),
		SCENE_TEST(state_seen_flags_keep_what_the_brake_held),
		SCENE_TEST(state_a_mark_ends_where_the_row_is_settled),
		SCENE_TEST(state_a_mark_on_flags_ends_with_the_message),
		SCENE_TEST(state_knows_what_was_deleted_lately),
		SCENE_TEST(state_a_clock_that_goes_back_neither_lets_go_nor_holds_for_ever),
		SCENE_TEST(state_moves_join_gone_and_new),
		SCENE_TEST(state_finds_rows_by_emailid),
		SCENE_TEST(state_samples_rows_evenly),
		SCENE_TEST(state_cursor_streams_in_order_while_rows_change),
		SCENE_TEST(state_row_needs_less_than_165_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
