/* Reads that share a transaction (state_hold). */
#include "state_scene.h"

static void expect_kept(struct scene *scene, const char *expected)
{
	char value[100];

	OK(scene, state_get(scene->state, "key", value, sizeof(value), &scene->err));
	assert_string_equal(value, expected);
}

/* Another process sets "key" to VALUE; SQLite's code. */
static int set_elsewhere(struct scene *scene, const char *value)
{
	char sql[100];
	sqlite3 *db;

	snprintf(sql, sizeof(sql), "UPDATE value SET value = '%s' WHERE key = 'key'", value);
	assert_int_equal(sqlite3_open(scene->path, &db), SQLITE_OK);
	int code = sqlite3_exec(db, sql, NULL, NULL, NULL);
	sqlite3_close(db);
	return code;
}

static void reads_that_are_held_share_a_transaction(void **state)
{
	struct scene *scene = *state;

	OK(scene, state_set(scene->state, "key", "first", &scene->err));
	state_hold(scene->state);
	state_hold(scene->state);
	expect_kept(scene, "first");
	assert_int_equal(set_elsewhere(scene, "second"), SQLITE_BUSY);
	state_let_go(scene->state);
	state_let_go(scene->state);
	assert_int_equal(set_elsewhere(scene, "second"), SQLITE_OK);
	expect_kept(scene, "second");
	assert_int_equal(set_elsewhere(scene, "third"), SQLITE_OK);
}

static void what_is_written_while_reads_are_held_is_kept(void **state)
{
	struct scene *scene = *state;

	state_hold(scene->state);
	expect_kept(scene, "");
	OK(scene, state_set(scene->state, "key", "first", &scene->err));
	OK(scene, state_begin(scene->state, &scene->err));
	OK(scene, state_set(scene->state, "key", "lost", &scene->err));
	state_rollback(scene->state);
	assert_int_equal(set_elsewhere(scene, "second"), SQLITE_OK); /* nothing was read yet */
	expect_kept(scene, "second");
	assert_int_equal(set_elsewhere(scene, "third"), SQLITE_BUSY);
	OK(scene, state_begin(scene->state, &scene->err));
	state_hold(scene->state);
	OK(scene, state_set(scene->state, "key", "fourth", &scene->err));
	state_let_go(scene->state);
	OK(scene, state_commit(scene->state, &scene->err));
	assert_int_equal(set_elsewhere(scene, "fifth"), SQLITE_OK);
	state_hold(scene->state);
	expect_kept(scene, "fifth");
	scene_reopen(scene, STATE_WRITE);
	expect_kept(scene, "fifth");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCENE_TEST(reads_that_are_held_share_a_transaction),
		SCENE_TEST(what_is_written_while_reads_are_held_is_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
