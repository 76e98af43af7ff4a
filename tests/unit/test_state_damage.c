/* A database that is damaged, or seems to be. */
#include "state_scene.h"

#include "state_private.h"

static void state_moves_a_damaged_file_aside(void **state)
{
	struct scene *scene = *state;
	int matches;

	scene_mailbox(scene, "INBOX");
	state_close(&scene->state);
	int fd = open(scene->path, O_WRONLY);
	for (int i = 0; i < 200; i++) {
		assert_int_equal(write(fd, "not a database, no, not at all. ", 32), 32);
	}
	close(fd);
	OK(scene, state_open(&scene->state, scene->path, STATE_WRITE, &scene->err));
	assert_true(state_was_reset(scene->state));
	scene_files(scene, ".corrupt-", &matches);
	assert_int_equal(matches, 1);
	scene_mailbox(scene, "INBOX");
}

/* The first page of the mailboxes; those of the schema, which opening reads, stay sound. */
static void damage_mailboxes(const char *path)
{
	static const char sql[] = "SELECT rootpage FROM sqlite_master WHERE name = 'mailbox'";
	sqlite3_stmt *root;
	sqlite3 *db;
	char page[4096];
	memset(page, 0xa5, sizeof(page));
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &root, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(root), SQLITE_ROW);
	long at = (long)sizeof(page) * (sqlite3_column_int(root, 0) - 1);
	sqlite3_finalize(root);
	sqlite3_close_v2(db);
	FILE *file = fopen(path, "r+");
	assert_true(fseek(file, at, SEEK_SET) == 0 && fwrite(page, sizeof(page), 1, file) == 1);
	fclose(file);
}

static void open_with_damaged_mailboxes(struct scene *scene)
{
	scene_mailbox(scene, "INBOX");
	state_close(&scene->state);
	damage_mailboxes(scene->path);
	OK(scene, state_open(&scene->state, scene->path, STATE_WRITE, &scene->err));
}

static void state_moves_aside_at_the_end_what_shows_damage_late(void **state)
{
	struct scene *scene = *state;
	struct state_mailboxes mailboxes = {0};
	int matches;

	open_with_damaged_mailboxes(scene);
	assert_false(state_is_damaged(scene->state));
	assert_int_equal(state_mailboxes_load(scene->state, &mailboxes, &scene->err), -ERR_LOCAL);
	assert_true(state_is_damaged(scene->state));
	state_close(&scene->state);
	scene_files(scene, ".corrupt-", &matches);
	assert_int_equal(matches, 1);
	OK(scene, state_open(&scene->state, scene->path, STATE_WRITE, &scene->err));
	assert_true(state_was_reset(scene->state));
	scene_mailbox(scene, "INBOX");
}

/* What looks damaged where the disk failed before proves nothing: it stays, journal and all. */
static void state_sets_nothing_aside_after_a_failure_of_the_disk(void **state)
{
	struct scene *scene = *state;
	struct state_mailboxes mailboxes = {0};
	int matches;

	open_with_damaged_mailboxes(scene);
	assert_int_equal(state_fail(scene->state, SQLITE_FULL, "write", &scene->err), -ERR_LOCAL);
	assert_int_equal(state_mailboxes_load(scene->state, &mailboxes, &scene->err), -ERR_LOCAL);
	assert_false(state_is_damaged(scene->state));
	state_close(&scene->state);
	scene_files(scene, ".corrupt-", &matches);
	assert_int_equal(matches, 0);
	OK(scene, state_open(&scene->state, scene->path, STATE_WRITE, &scene->err));
	assert_int_equal(state_mailboxes_load(scene->state, &mailboxes, &scene->err), -ERR_LOCAL);
	assert_true(state_is_damaged(scene->state));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCENE_TEST(state_moves_a_damaged_file_aside),
		SCENE_TEST(state_moves_aside_at_the_end_what_shows_damage_late),
		SCENE_TEST(state_sets_nothing_aside_after_a_failure_of_the_disk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
