/* Databases of released versions are taken over. Their schemas stand here as they were. */
#include "state_scene.h"

static const char schema_1[] =
	"PRAGMA application_id = 1836284270;"
	"CREATE TABLE value(key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;"
	"CREATE TABLE mailbox("
	" id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, had_local INT NOT NULL,"
	" had_remote INT NOT NULL, uidvalidity INT NOT NULL, uidnext INT NOT NULL,"
	" modseq INT NOT NULL, messages INT NOT NULL, mailboxid TEXT, permanent_flags INT NOT NULL,"
	" permanent_any INT NOT NULL, keywords TEXT NOT NULL, stamp TEXT,"
	" pending INT NOT NULL DEFAULT 0, skipped INT NOT NULL DEFAULT 0,"
	" held_policy INT NOT NULL, synced_at INT NOT NULL, trouble TEXT);"
	"CREATE TABLE row("
	" id INTEGER PRIMARY KEY AUTOINCREMENT, mailbox INT NOT NULL, uid INT NOT NULL,"
	" uniq TEXT NOT NULL, pending INT NOT NULL, agreed INT NOT NULL, local INT NOT NULL,"
	" remote INT NOT NULL, reason INT NOT NULL, flags INT NOT NULL, local_flags INT NOT NULL,"
	" remote_flags INT NOT NULL, size INT NOT NULL, date INT NOT NULL, digest BLOB,"
	" emailid TEXT);"
	"CREATE UNIQUE INDEX row_uid ON row(mailbox, uid) WHERE uid <> 0;"
	"CREATE UNIQUE INDEX row_uniq ON row(mailbox, uniq) WHERE uniq <> '';"
	"CREATE INDEX row_pending ON row(mailbox) WHERE pending = 1;"
	"CREATE INDEX row_deleted ON row(mailbox) WHERE pending = 0 AND (flags & 32) <> 0;"
	"CREATE INDEX row_gone ON row(uniq) WHERE local = 2;"
	"CREATE INDEX row_fresh ON row(uniq) WHERE agreed = 0 AND local = 1 AND uid = 0;"
	"CREATE INDEX row_emailid ON row(emailid) WHERE emailid IS NOT NULL;"
	"CREATE TABLE intent("
	" id INTEGER PRIMARY KEY AUTOINCREMENT, kind INT NOT NULL, row INT NOT NULL,"
	" mailbox INT NOT NULL, uidvalidity INT NOT NULL, uid_bound INT NOT NULL, text TEXT);"
	"CREATE TABLE pop3("
	" id INTEGER PRIMARY KEY AUTOINCREMENT, uidl TEXT NOT NULL, occurrence INT NOT NULL,"
	" size INT NOT NULL, uniq TEXT NOT NULL, first_seen INT NOT NULL, deleted INT NOT NULL,"
	" reason INT NOT NULL, gone INT NOT NULL, digest BLOB, UNIQUE(uidl, occurrence));"
	"PRAGMA user_version = 1;";

static const char rows_1[] =
	"INSERT INTO mailbox VALUES(1, 'INBOX', 1, 1, 7, 3, 0, 2, NULL, 63, 1, '', NULL, 1, 0, 0,"
	" 1700000000, NULL);"
	"INSERT INTO row VALUES(1, 1, 1, '1.a.h', 0, 1, 1, 1, 0, 1, 1, 1, 123, 1600000000,"
	" x'000102030405060708090a0b0c0d0e0f', 'M1');"
	"INSERT INTO row VALUES(2, 1, 2, '', 1, 0, 0, 1, 2, 0, 0, 0, 99999, 1600000001, NULL,"
	" NULL);"
	"INSERT INTO intent VALUES(1, 0, 1, 1, 7, 3, NULL);"
	"INSERT INTO pop3 VALUES(1, 'u1', 1, 55, '1.p.h', 1600000000, 0, 0, 0,"
	" x'000102030405060708090a0b0c0d0e0f');";

/* In the place of the scene's own. */
static void make_database(struct scene *scene, const char *schema, const char *rows)
{
	sqlite3 *db;
	char *why = NULL;
	state_close(&scene->state);
	unlink(scene->path);
	assert_int_equal(sqlite3_open(scene->path, &db), SQLITE_OK);
	if (sqlite3_exec(db, schema, NULL, NULL, &why) != SQLITE_OK ||
	    sqlite3_exec(db, rows, NULL, NULL, &why) != SQLITE_OK) {
		fail_msg("%s", why);
	}
	sqlite3_close(db);
}

static void expect_rows(struct scene *scene)
{
	static const uint8_t digest[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
	struct row row;
	bool found = false;
	row_init(&row);
	OK(scene, state_row_by_uid(scene->state, 1, 1, &row, &found, &scene->err));
	assert_true(found);
	assert_string_equal(row.unique, "1.a.h");
	assert_true(row_is_settled(&row));
	assert_true(told_is(row.size, 123));
	assert_true(told_time_equal(row.date, told_time(1600000000)));
	assert_string_equal(row.emailid, "M1");
	assert_true(row.has_digest);
	assert_memory_equal(row.digest, digest, sizeof(digest));
	assert_false(row.has_content);
	assert_int_equal(row.mark.inode, 0);
	assert_true(row.unlettered == 0);
	OK(scene, state_row_by_uid(scene->state, 1, 2, &row, &found, &scene->err));
	assert_int_equal(row.reason, REASON_TOO_LARGE);
	row_finish(&row);
}

static void expect_the_rest(struct scene *scene)
{
	struct state_mailboxes mailboxes = {0};
	struct intents intents = {0};
	struct pop3_rows rows = {0};
	OK(scene, state_mailboxes_load(scene->state, &mailboxes, &scene->err));
	assert_int_equal(mailboxes.count, 1);
	assert_string_equal(mailboxes.items[0].name, "INBOX");
	assert_true(told_is(mailboxes.items[0].numbers.uidvalidity, 7));
	assert_true(told_is(mailboxes.items[0].numbers.uidnext, 3));
	assert_true(told_is(mailboxes.items[0].numbers.messages, 2));
	assert_false(mailboxes.items[0].numbers.modseq.is_told);
	assert_string_equal(mailboxes.items[0].letters, "");
	assert_true(mailboxes.items[0].trusts_letters);
	assert_true(mailboxes.items[0].has_permanent);
	assert_false(mailboxes.items[0].names.are_known);
	state_mailboxes_finish(&mailboxes);
	OK(scene, state_intents_load(scene->state, 1, &intents, &scene->err));
	assert_int_equal(intents.count, 1);
	assert_true(told_is(intents.items[0].uid_bound, 3));
	state_intents_finish(&intents);
	OK(scene, state_pop3_load(scene->state, &rows, &scene->err));
	assert_int_equal(rows.count, 1);
	assert_true(rows.items[0].has_digest);
	assert_false(rows.items[0].has_content);
	assert_int_equal(rows.items[0].doubts, 0);
	state_pop3_finish(&rows);
}

static void a_database_of_version_1_is_taken_over(void **state)
{
	struct scene *scene = *state;
	make_database(scene, schema_1, rows_1);
	OK(scene, state_open(&scene->state, scene->path, STATE_WRITE, &scene->err));
	assert_false(state_was_reset(scene->state));
	expect_rows(scene);
	expect_the_rest(scene);
	scene_reopen(scene, STATE_WRITE);
	expect_rows(scene);
}

static void letters_are_not_trusted_after_a_version_1_that_did_not_read_them(void **state)
{
	struct scene *scene = *state;
	struct state_mailboxes mailboxes = {0};
	make_database(scene, schema_1, rows_1);
	sqlite3 *db;
	assert_int_equal(sqlite3_open(scene->path, &db), SQLITE_OK);
	assert_int_equal(
		sqlite3_exec(db, "INSERT INTO value VALUES('keywords', 'no')", NULL, NULL, NULL),
		SQLITE_OK);
	sqlite3_close(db);
	OK(scene, state_open(&scene->state, scene->path, STATE_WRITE, &scene->err));
	OK(scene, state_mailboxes_load(scene->state, &mailboxes, &scene->err));
	assert_false(mailboxes.items[0].trusts_letters);
	state_mailboxes_finish(&mailboxes);
}

/* A dry run works on a copy of it, which is brought up to date. */
static void a_scratch_copy_of_version_1_is_taken_over(void **state)
{
	struct scene *scene = *state;
	make_database(scene, schema_1, rows_1);
	OK(scene, state_open(&scene->state, scene->path, STATE_SCRATCH, &scene->err));
	expect_rows(scene);
	expect_the_rest(scene);
}

/* `status` changes no database, so it reads a copy that is brought up to date. */
static void status_reads_a_database_of_version_1(void **state)
{
	struct scene *scene = *state;
	struct state_mailboxes mailboxes = {0};
	struct state_proofs proofs = {0};
	struct state_waiting waiting = {0};
	uint64_t count = 0;
	make_database(scene, schema_1, rows_1);
	OK(scene, state_open(&scene->state, scene->path, STATE_READ, &scene->err));
	OK(scene, state_mailboxes_load(scene->state, &mailboxes, &scene->err));
	assert_int_equal(mailboxes.count, 1);
	state_mailboxes_finish(&mailboxes);
	OK(scene, state_count_agreed(scene->state, 1, &count, &scene->err));
	assert_int_equal(count, 1);
	OK(scene, state_proofs_count(scene->state, &proofs, &scene->err));
	assert_int_equal(proofs.unproven, 2);
	OK(scene, state_waiting_load(scene->state, &waiting, &scene->err));
	assert_int_equal(waiting.count, 1);
	state_waiting_finish(&waiting);
}

/* What was held was a row's reason; now it is a mark. */
static void what_the_brake_held_in_version_1_is_held(void **state)
{
	static const char rows[] =
		"INSERT INTO row VALUES(3, 1, 3, '3.a.h', 1, 1, 2, 1, 5, 0, 0, 0, 9, 0, NULL,"
		" NULL);"
		"INSERT INTO row VALUES(4, 1, 4, '4.a.h', 1, 1, 2, 1, 1, 0, 0, 0, 9, 0, NULL,"
		" NULL);";
	struct scene *scene = *state;
	struct row_list held;
	make_database(scene, schema_1, rows);
	OK(scene, state_open(&scene->state, scene->path, STATE_WRITE, &scene->err));
	row_list_init(&held);
	OK(scene, state_rows_held(scene->state, 1, &held, &scene->err));
	assert_int_equal(held.count, 1);
	assert_int_equal(held.items[0].id, 3);
	assert_int_equal(held.items[0].held, HELD_REMOVAL);
	assert_true(held.items[0].held_since > 1700000000);
	row_list_finish(&held);
}

/* Version 1 wrote 0 for what was not told. */
static void what_version_1_has_as_0_is_untold(void **state)
{
	static const char rows[] =
		"INSERT INTO mailbox VALUES(2, 'new', 1, 0, 0, 0, 0, 0, NULL, 0, 0, '', NULL, 1, 0,"
		" 0, 0, 'no');"
		"INSERT INTO intent VALUES(4, 0, 9, 2, 7, 0, NULL);";
	struct scene *scene = *state;
	struct state_mailboxes mailboxes = {0};
	struct intents intents = {0};
	make_database(scene, schema_1, rows);
	OK(scene, state_open(&scene->state, scene->path, STATE_WRITE, &scene->err));
	OK(scene, state_mailboxes_load(scene->state, &mailboxes, &scene->err));
	assert_int_equal(mailboxes.count, 1);
	assert_false(mailboxes.items[0].numbers.uidvalidity.is_told);
	assert_false(mailboxes.items[0].numbers.uidnext.is_told);
	assert_false(mailboxes.items[0].numbers.messages.is_told);
	assert_string_equal(mailboxes.items[0].trouble, "no");
	state_mailboxes_finish(&mailboxes);
	OK(scene, state_intents_load(scene->state, 2, &intents, &scene->err));
	assert_int_equal(intents.items[0].id, 4);
	assert_true(told_is(intents.items[0].uidvalidity, 7));
	assert_false(intents.items[0].uid_bound.is_told);
	assert_int_equal(intent_bound(&intents.items[0]), 0);
	state_intents_finish(&intents);
}

/* What is made in the scene's database, one line each, blanks and quotes left out: where these
 * stand depends on SQLite's version. To be freed by sqlite3_free. */
static char *schema_text(struct scene *scene)
{
	sqlite3 *db;
	sqlite3_stmt *query;
	char *text = sqlite3_mprintf("");
	assert_int_equal(sqlite3_open(scene->path, &db), SQLITE_OK);
	assert_int_equal(
		sqlite3_prepare_v2(db,
				   "SELECT type || ' ' || name || ' ' || tbl_name || ' ' || "
				   "replace(replace(ifnull(sql, ''), ' ', ''), '\"', '') "
				   "FROM sqlite_master UNION ALL SELECT 'version ' || user_version "
				   "FROM pragma_user_version UNION ALL SELECT 'application ' || "
				   "application_id FROM pragma_application_id ORDER BY 1",
				   -1, &query, NULL),
		SQLITE_OK);
	while (sqlite3_step(query) == SQLITE_ROW) {
		char *longer = sqlite3_mprintf("%s%s\n", text, sqlite3_column_text(query, 0));
		sqlite3_free(text);
		text = longer;
	}
	sqlite3_finalize(query);
	sqlite3_close(db);
	return text;
}

static void a_new_database_is_as_one_that_took_all_steps(void **state)
{
	struct scene *scene = *state;
	char *at_once = schema_text(scene);
	make_database(scene, schema_1, "");
	OK(scene, state_open(&scene->state, scene->path, STATE_WRITE, &scene->err));
	char *by_steps = schema_text(scene);
	assert_non_null(strstr(at_once, "trigger missed_new row CREATETRIGGER"));
	assert_string_equal(at_once, by_steps);
	sqlite3_free(at_once);
	sqlite3_free(by_steps);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCENE_TEST(a_database_of_version_1_is_taken_over),
		SCENE_TEST(what_version_1_has_as_0_is_untold),
		SCENE_TEST(letters_are_not_trusted_after_a_version_1_that_did_not_read_them),
		SCENE_TEST(a_new_database_is_as_one_that_took_all_steps),
		SCENE_TEST(a_scratch_copy_of_version_1_is_taken_over),
		SCENE_TEST(status_reads_a_database_of_version_1),
		SCENE_TEST(what_the_brake_held_in_version_1_is_held),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
