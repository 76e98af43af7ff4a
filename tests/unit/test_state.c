#include "state_scene.h"

static void state_file_is_private_and_leaves_no_litter(void **state)
{
	struct scene *scene = *state;
	struct stat info;
	int matches;

	assert_true(state_was_reset(scene->state));
	scene_mailbox(scene, "INBOX");
	assert_int_equal(stat(scene->path, &info), 0);
	assert_int_equal(info.st_mode & 0777, 0600);
	scene_reopen(scene, STATE_READ);
	assert_false(state_was_reset(scene->state));
	assert_int_equal(scene_files(scene, "a.db", &matches), 1);
	assert_int_equal(info.st_mode & 0777, 0600);
}

static void state_journal_is_private_too(void **state)
{
	struct scene *scene = *state;
	struct stat info;
	char journal[128];

	snprintf(journal, sizeof(journal), "%s-journal", scene->path);
	mode_t old = umask(0);
	scene_mailbox(scene, "INBOX");
	umask(old);
	assert_int_equal(stat(journal, &info), 0);
	assert_int_equal(info.st_mode & 0777, 0600);
}

static void state_read_of_nothing_tells_so(void **state)
{
	struct scene *scene = *state;
	struct state *other = NULL;
	char path[128];

	snprintf(path, sizeof(path), "%s/none.db", scene->dir);
	assert_int_equal(state_open(&other, path, STATE_READ, &scene->err), -ERR_CHANGED);
	assert_null(other);
	assert_int_not_equal(access(path, F_OK), 0);
}

static void state_refuses_a_later_schema(void **state)
{
	struct scene *scene = *state;
	struct state *other = NULL;
	sqlite3 *db;

	assert_int_equal(sqlite3_open(scene->path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "PRAGMA user_version = 99", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	assert_int_equal(state_open(&other, scene->path, STATE_WRITE, &scene->err), -ERR_CONFIG);
	assert_int_equal(state_open(&other, scene->path, STATE_SCRATCH, &scene->err), -ERR_CONFIG);
	assert_non_null(strstr(scene->err.text, "newer mailsync"));
}

static void state_scratch_changes_nothing(void **state)
{
	struct scene *scene = *state;
	struct stat before;
	struct stat after;
	struct state_mailboxes mailboxes;
	int matches;

	int64_t inbox = scene_mailbox(scene, "INBOX");
	scene_put(scene, inbox, 1, "one");
	scene_reopen(scene, STATE_SCRATCH);
	assert_int_equal(stat(scene->path, &before), 0);
	assert_false(state_was_reset(scene->state));
	OK(scene, state_mailbox_drop(scene->state, inbox, &scene->err));
	assert_int_equal(scene_files(scene, "a.db", &matches), 1);
	scene_reopen(scene, STATE_READ);
	assert_int_equal(stat(scene->path, &after), 0);
	assert_int_equal(before.st_mtim.tv_nsec, after.st_mtim.tv_nsec);
	OK(scene, state_mailboxes_load(scene->state, &mailboxes, &scene->err));
	assert_int_equal(mailboxes.count, 1);
	state_mailboxes_finish(&mailboxes);
}

static void state_scratch_of_nothing_is_empty(void **state)
{
	struct scene *scene = *state;
	struct state *other;
	char path[128];

	snprintf(path, sizeof(path), "%s/none.db", scene->dir);
	OK(scene, state_open(&other, path, STATE_SCRATCH, &scene->err));
	assert_true(state_was_reset(other));
	OK(scene, state_set(other, "database", "x", &scene->err));
	state_close(&other);
	assert_int_not_equal(access(path, F_OK), 0);
}

/* Copies the database and its journal as they are in the middle of a transaction. */
static void scene_crash_copy(struct scene *scene, const char *suffix)
{
	char from[128];
	char to[128];
	char data[65536];

	snprintf(from, sizeof(from), "%s%s", scene->path, suffix);
	snprintf(to, sizeof(to), "%s/sub/crashed.db%s", scene->dir, suffix);
	int in = open(from, O_RDONLY);
	int out = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	assert_true(in >= 0 && out >= 0);
	ssize_t len;
	while ((len = read(in, data, sizeof(data))) > 0) {
		assert_int_equal(write(out, data, (size_t)len), len);
	}
	close(in);
	close(out);
}

static void scene_expect_value(struct scene *scene, struct state *state, const char *key,
			       const char *expected)
{
	char value[100];

	OK(scene, state_get(state, key, value, sizeof(value), &scene->err));
	assert_string_equal(value, expected);
}

static void state_readers_see_through_a_journal_left_by_a_crash(void **state)
{
	struct scene *scene = *state;
	struct state *other;
	struct stat before;
	struct stat after;
	sqlite3 *db;
	char path[128];

	OK(scene, state_set(scene->state, "key", "kept", &scene->err));
	state_close(&scene->state);
	assert_int_equal(sqlite3_open(scene->path, &db), SQLITE_OK);
	/* A cache of a page spills at once: both files are half written. */
	assert_int_equal(
		sqlite3_exec(db,
			     "PRAGMA cache_size = 1; BEGIN; UPDATE value SET value = 'lost';"
			     "CREATE TABLE filler(x); WITH RECURSIVE n(i) AS (SELECT 1 UNION"
			     " ALL SELECT i + 1 FROM n WHERE i < 500) INSERT INTO filler"
			     " SELECT randomblob(500) FROM n",
			     NULL, NULL, NULL),
		SQLITE_OK);
	scene_crash_copy(scene, "");
	scene_crash_copy(scene, "-journal");
	sqlite3_close(db);
	snprintf(path, sizeof(path), "%s/sub/crashed.db", scene->dir);
	assert_int_equal(stat(path, &before), 0);
	OK(scene, state_open(&other, path, STATE_READ, &scene->err));
	scene_expect_value(scene, other, "key", "kept");
	state_close(&other);
	OK(scene, state_open(&other, path, STATE_SCRATCH, &scene->err));
	scene_expect_value(scene, other, "key", "kept");
	state_close(&other);
	assert_int_equal(stat(path, &after), 0);
	assert_int_equal(before.st_size, after.st_size);
	assert_int_equal(before.st_mtim.tv_nsec, after.st_mtim.tv_nsec);
	OK(scene, state_open(&other, path, STATE_WRITE, &scene->err));
	scene_expect_value(scene, other, "key", "kept");
	state_close(&other);
}

static void state_keeps_values(void **state)
{
	struct scene *scene = *state;

	scene_expect_value(scene, scene->state, "database", "");
	OK(scene, state_set(scene->state, "database", "first", &scene->err));
	OK(scene, state_set(scene->state, "database", "second", &scene->err));
	scene_mailbox(scene, "INBOX");
	OK(scene, state_forget_all(scene->state, &scene->err));
	scene_reopen(scene, STATE_WRITE);
	scene_expect_value(scene, scene->state, "database", "second");
}

static void state_rollback_forgets(void **state)
{
	struct scene *scene = *state;
	struct state_mailboxes mailboxes;

	OK(scene, state_begin(scene->state, &scene->err));
	scene_mailbox(scene, "INBOX");
	state_rollback(scene->state);
	state_rollback(scene->state); /* without a transaction: nothing */
	OK(scene, state_mailboxes_load(scene->state, &mailboxes, &scene->err));
	assert_int_equal(mailboxes.count, 0);
	state_mailboxes_finish(&mailboxes);
}

/* Of the two mailboxes that there are, by name; NULL: none. */
static void expect_trouble(struct scene *scene, const char *first, const char *second)
{
	const char *const expected[] = {first, second};
	struct state_mailboxes all = {0};

	OK(scene, state_mailboxes_load(scene->state, &all, &scene->err));
	assert_int_equal(all.count, 2);
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(all.items[i].trouble == NULL, expected[i] == NULL);
		if (expected[i] != NULL) {
			assert_string_equal(all.items[i].trouble, expected[i]);
		}
	}
	state_mailboxes_finish(&all);
}

static void state_mailbox_comes_back_whole(void **state)
{
	struct scene *scene = *state;
	struct state_mailboxes all;
	struct state_mailbox mailbox;

	scene_mailbox(scene, "b");
	state_mailbox_init(&mailbox);
	mailbox.name = strdup("a");
	mailbox.had_remote = true;
	mailbox.numbers.uidvalidity = told(UINT32_MAX);
	mailbox.numbers.uidnext = told(UINT32_MAX);
	mailbox.numbers.modseq = told(UINT64_MAX);
	mailbox.numbers.messages = told(3);
	mailbox.mailboxid = strdup("F1");
	mailbox.permanent_flags = UINT64_MAX;
	mailbox.has_permanent = true;
	mailbox.permanent_any = true;
	assert_int_equal(keywords_intern(&mailbox.keywords, SPAN_LIT("Work")), 0);
	mailbox.has_stamp = true;
	mailbox.stamp = (struct stamp){.dirs = {{1, 2, 3, 4}, {5, 6, 7, 8}, {9, 10, 11, 12}},
				       .taken_ns = 13};
	mailbox.held_policy = UINT64_MAX - 1;
	mailbox.synced_at = 1700000000;
	mailbox.trouble = strdup("no room");
	OK(scene, state_mailbox_put(scene->state, &mailbox, &scene->err));
	OK(scene, state_mailbox_put(scene->state, &mailbox, &scene->err));
	OK(scene, state_mailboxes_load(scene->state, &all, &scene->err));
	assert_int_equal(all.count, 2);
	const struct state_mailbox *back = &all.items[0];
	assert_int_equal(back->id, mailbox.id);
	assert_string_equal(back->name, "a");
	assert_false(back->had_local);
	assert_true(back->had_remote);
	assert_true(told_is(back->numbers.uidvalidity, UINT32_MAX));
	assert_true(told_is(back->numbers.uidnext, UINT32_MAX));
	assert_true(told_is(back->numbers.modseq, UINT64_MAX));
	assert_true(told_is(back->numbers.messages, 3));
	assert_string_equal(back->mailboxid, "F1");
	assert_true(back->permanent_flags == UINT64_MAX);
	assert_true(back->has_permanent);
	assert_true(back->permanent_any);
	assert_int_equal(back->keywords.count, 1);
	assert_string_equal(back->keywords.names[0], "Work");
	assert_true(back->has_stamp);
	assert_true(stamp_equal(&back->stamp, &mailbox.stamp));
	assert_true(back->held_policy == UINT64_MAX - 1);
	assert_int_equal(back->synced_at, 1700000000);
	assert_string_equal(back->trouble, "no room");
	OK(scene, state_mailbox_set_trouble(scene->state, mailbox.id, NULL, &scene->err));
	expect_trouble(scene, NULL, NULL);
	OK(scene, state_mailbox_set_trouble(scene->state, mailbox.id, "again", &scene->err));
	expect_trouble(scene, "again", NULL);
	OK(scene, state_mailbox_set_trouble(scene->state, 0, "login", &scene->err));
	expect_trouble(scene, "login", "login");
	assert_string_equal(all.items[1].name, "b");
	assert_null(all.items[1].mailboxid);
	assert_false(all.items[1].has_stamp);
	state_mailboxes_finish(&all);
	state_mailbox_finish(&mailbox);
}

static void state_pending_rows_come_in_slices(void **state)
{
	struct scene *scene = *state;
	int64_t inbox = scene_mailbox(scene, "INBOX");
	struct state_slice slice = {.most = 2};
	struct row_list rows;

	row_list_init(&rows);
	for (uint32_t uid = 1; uid <= 5; uid++) {
		scene_put(scene, inbox, uid, uid == 2 ? "settled" : "");
	}
	OK(scene, state_rows_pending(scene->state, inbox, &slice, &rows, &scene->err));
	assert_int_equal(rows.count, 2);
	assert_int_equal(rows.items[1].uid, 3);
	assert_false(slice.is_last);
	OK(scene, state_rows_pending(scene->state, inbox, &slice, &rows, &scene->err));
	assert_int_equal(rows.count, 2);
	assert_int_equal(rows.items[0].uid, 4);
	assert_false(slice.is_last);
	OK(scene, state_rows_pending(scene->state, inbox, &slice, &rows, &scene->err));
	assert_int_equal(rows.count, 0);
	assert_true(slice.is_last);
	row_list_finish(&rows);
}

static void state_mailbox_knows_its_names(void **state)
{
	struct scene *scene = *state;
	struct state_mailboxes all;
	struct state_mailbox mailbox;

	scene_mailbox(scene, "b");
	state_mailbox_init(&mailbox);
	mailbox.name = strdup("a");
	mailbox.names = (struct state_names){.are_known = true, .has_strays = true, .borne = 5};
	OK(scene, state_mailbox_put(scene->state, &mailbox, &scene->err));
	OK(scene, state_mailboxes_load(scene->state, &all, &scene->err));
	assert_true(all.items[0].names.are_known);
	assert_true(all.items[0].names.has_strays && !all.items[0].names.has_doubles);
	assert_int_equal(all.items[0].names.borne, 5);
	assert_false(all.items[1].names.are_known);
	state_mailboxes_finish(&all);
	state_mailbox_finish(&mailbox);
}

static void state_mailbox_count_tells_pending_and_skipped(void **state)
{
	struct scene *scene = *state;
	struct state_mailbox mailbox;

	state_mailbox_init(&mailbox);
	mailbox.name = strdup("INBOX");
	OK(scene, state_mailbox_put(scene->state, &mailbox, &scene->err));
	scene_put(scene, mailbox.id, 1, "settled");
	scene_put(scene, mailbox.id, 2, "");
	struct row row = scene_row(scene, mailbox.id, 3, "");
	row.reason = REASON_TOO_LARGE;
	OK(scene, state_row_put(scene->state, &row, &scene->err));
	row_finish(&row);
	OK(scene, state_mailbox_count(scene->state, &mailbox, &scene->err));
	assert_int_equal(mailbox.pending, 2);
	assert_int_equal(mailbox.skipped, 1);
	OK(scene, state_mailbox_clear(scene->state, mailbox.id, &scene->err));
	OK(scene, state_mailbox_count(scene->state, &mailbox, &scene->err));
	assert_int_equal(mailbox.pending, 0);
	state_mailbox_finish(&mailbox);
}

/* A run may die between this and the pairing; the next one has to know. */
static void a_mailbox_that_is_cleared_was_never_synced(void **state)
{
	struct scene *scene = *state;
	struct state_mailboxes mailboxes;
	struct state_mailbox mailbox;

	state_mailbox_init(&mailbox);
	mailbox.name = strdup("INBOX");
	mailbox.synced_at = 5;
	OK(scene, state_mailbox_put(scene->state, &mailbox, &scene->err));
	OK(scene, state_mailbox_clear(scene->state, mailbox.id, &scene->err));
	OK(scene, state_mailboxes_load(scene->state, &mailboxes, &scene->err));
	assert_int_equal(mailboxes.items[0].synced_at, 0);
	state_mailboxes_finish(&mailboxes);
	state_mailbox_finish(&mailbox);
}

static void state_keeps_intents(void **state)
{
	struct scene *scene = *state;
	int64_t inbox = scene_mailbox(scene, "INBOX");
	struct intent append = {.kind = INTENT_APPEND,
				.row = 5,
				.mailbox = inbox,
				.uidvalidity = told(6),
				.uid_bound = told(UINT32_MAX)};
	struct intent rename = {.kind = INTENT_RENAME, .mailbox = inbox + 1, .text = (char *)"new"};
	struct intents intents;

	OK(scene, state_intent_add(scene->state, &append, &scene->err));
	OK(scene, state_intent_add(scene->state, &rename, &scene->err));
	OK(scene, state_intents_load(scene->state, inbox, &intents, &scene->err));
	assert_int_equal(intents.count, 1);
	assert_int_equal(intents.items[0].row, 5);
	assert_true(told_is(intents.items[0].uid_bound, UINT32_MAX));
	assert_null(intents.items[0].text);
	state_intents_finish(&intents);
	OK(scene, state_intent_drop(scene->state, append.id, &scene->err));
	OK(scene, state_intents_load(scene->state, 0, &intents, &scene->err));
	assert_int_equal(intents.count, 1);
	assert_int_equal(intents.items[0].kind, INTENT_RENAME);
	assert_string_equal(intents.items[0].text, "new");
	state_intents_finish(&intents);
}

static void state_keeps_pop3_rows(void **state)
{
	struct scene *scene = *state;
	struct pop3_row row = {.uidl = (char *)"u1",
			       .occurrence = 1,
			       .size = {true, 9},
			       .unique = (char *)"",
			       .first_seen = 5,
			       .has_content = true,
			       .content = {1, 2, 3}};
	struct pop3_rows rows;

	OK(scene, state_pop3_put(scene->state, &row, &scene->err));
	row.unique = (char *)"file";
	row.is_deleted = true;
	OK(scene, state_pop3_put(scene->state, &row, &scene->err));
	OK(scene, state_pop3_load(scene->state, &rows, &scene->err));
	assert_int_equal(rows.count, 1);
	assert_string_equal(rows.items[0].unique, "file");
	assert_true(rows.items[0].is_deleted);
	assert_true(rows.items[0].has_content);
	assert_memory_equal(rows.items[0].content, row.content, sizeof(row.content));
	state_pop3_finish(&rows);
	OK(scene, state_pop3_drop(scene->state, row.id, &scene->err));
	OK(scene, state_pop3_load(scene->state, &rows, &scene->err));
	assert_int_equal(rows.count, 0);
	state_pop3_finish(&rows);
}

static void assert_earlier(struct scene *scene, const struct pop3_row *row, uint8_t content,
			   const char *expected)
{
	const uint8_t digest[ROW_CONTENT_SIZE] = {content};
	char *unique;
	OK(scene, state_pop3_earlier(scene->state, row, digest, &unique, &scene->err));
	if (expected == NULL) {
		assert_null(unique);
	} else {
		assert_non_null(unique);
		assert_string_equal(unique, expected);
	}
	free(unique);
}

static void put_body(struct scene *scene, struct pop3_row *row, const char *unique, uint8_t content)
{
	row->unique = (char *)unique;
	row->has_content = true;
	row->content[0] = content;
	OK(scene, state_pop3_put(scene->state, row, &scene->err));
}

/* A17 */
static void state_knows_what_came_of_a_pop3_message_before(void **state)
{
	struct scene *scene = *state;
	struct pop3_row row = {.uidl = (char *)"u1", .occurrence = 1, .unique = (char *)""};
	struct pop3_row other = {.uidl = (char *)"u2", .occurrence = 1};

	OK(scene, state_pop3_put(scene->state, &row, &scene->err));
	put_body(scene, &other, "other", 9);
	put_body(scene, &row, "first", 1);
	put_body(scene, &row, "first renamed", 1);
	assert_earlier(scene, &row, 1, NULL);
	put_body(scene, &row, "second", 2);
	put_body(scene, &row, "third", 3);
	assert_earlier(scene, &row, 1, "first renamed");
	assert_earlier(scene, &row, 2, "second");
	assert_earlier(scene, &row, 3, NULL);
	assert_earlier(scene, &other, 1, NULL);
	put_body(scene, &row, "first renamed", 1);
	put_body(scene, &row, "fourth", 4); /* what is known is no error */
	assert_earlier(scene, &row, 1, "first renamed");
	OK(scene, state_pop3_drop(scene->state, row.id, &scene->err));
	assert_earlier(scene, &row, 1, NULL);
}

static void state_status_reads_while_another_writes(void **state)
{
	struct scene *scene = *state;
	struct state *reader;
	struct state_mailboxes mailboxes;

	scene_mailbox(scene, "INBOX");
	OK(scene, state_begin(scene->state, &scene->err));
	scene_mailbox(scene, "uncommitted");
	OK(scene, state_open(&reader, scene->path, STATE_READ, &scene->err));
	OK(scene, state_mailboxes_load(reader, &mailboxes, &scene->err));
	assert_int_equal(mailboxes.count, 1);
	state_mailboxes_finish(&mailboxes);
	assert_int_equal(state_set(reader, "key", "value", &scene->err), -ERR_LOCAL);
	state_close(&reader);
	OK(scene, state_commit(scene->state, &scene->err));
}

static void *scene_writer(void *argument)
{
	struct scene *scene = argument;
	struct err err;
	char value[16];

	for (int i = 0; i < 20; i++) {
		snprintf(value, sizeof(value), "%d", i);
		if (state_begin(scene->state, &err) != 0 ||
		    state_set(scene->state, "key", value, &err) != 0 ||
		    state_commit(scene->state, &err) != 0) {
			return argument;
		}
	}
	return NULL;
}

static void state_transactions_of_threads_take_turns(void **state)
{
	struct scene *scene = *state;
	pthread_t threads[3];
	void *failed;

	for (int i = 0; i < 3; i++) {
		assert_int_equal(pthread_create(&threads[i], NULL, scene_writer, scene), 0);
	}
	for (int i = 0; i < 3; i++) {
		assert_int_equal(pthread_join(threads[i], &failed), 0);
		assert_null(failed);
	}
	scene_expect_value(scene, scene->state, "key", "19");
}

static void put_suspect(struct scene *scene, enum suspect_kind kind, const char *mailbox,
			int64_t row, unsigned runs)
{
	const struct state_suspect suspect = {
		.kind = kind,
		.mailbox = (char *)mailbox,
		.row = row,
		.uid = 7,
		.act = SUSPECT_AT_FETCH,
		.mark = {.runs = runs, .first_at = 100, .last_at = 200},
	};
	OK(scene, state_suspect_put(scene->state, &suspect, &scene->err));
}

static void state_keeps_suspects_but_not_of_messages_that_are_gone(void **state)
{
	struct scene *scene = *state;
	struct state_suspects suspects = {0};
	struct row row;
	row_init(&row);
	row.mailbox = 1;
	row.uid = 7;
	row.remote = MESSAGE_PRESENT;
	OK(scene, state_row_put(scene->state, &row, &scene->err));
	put_suspect(scene, SUSPECT_MESSAGE, "INBOX", row.id, 1);
	put_suspect(scene, SUSPECT_MESSAGE, "INBOX", row.id, 2); /* in its place */
	put_suspect(scene, SUSPECT_MESSAGE, "INBOX", row.id + 1, 1);
	put_suspect(scene, SUSPECT_MAILBOX, "Work", 0, 3);

	OK(scene, state_suspects_load(scene->state, &suspects, &scene->err));
	assert_int_equal(suspects.count, 2);
	assert_int_equal(suspects.items[0].kind, SUSPECT_MAILBOX);
	assert_string_equal(suspects.items[0].mailbox, "Work");
	assert_int_equal(suspects.items[1].row, row.id);
	assert_int_equal(suspects.items[1].uid, 7);
	assert_int_equal(suspects.items[1].act, SUSPECT_AT_FETCH);
	assert_int_equal(suspects.items[1].mark.runs, 2);
	assert_int_equal(suspects.items[1].mark.first_at, 100);
	assert_int_equal(suspects.items[1].mark.last_at, 200);
	OK(scene, state_suspects_sweep(scene->state, &scene->err));
	OK(scene, state_suspect_drop(scene->state, &suspects.items[0], &scene->err));
	state_suspects_finish(&suspects);
	OK(scene, state_row_drop(scene->state, row.id, &scene->err));
	OK(scene, state_suspects_load(scene->state, &suspects, &scene->err));
	assert_int_equal(suspects.count, 0);
	state_suspects_finish(&suspects);
	row_finish(&row);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCENE_TEST(state_file_is_private_and_leaves_no_litter),
		SCENE_TEST(state_journal_is_private_too),
		SCENE_TEST(state_read_of_nothing_tells_so),
		SCENE_TEST(state_refuses_a_later_schema),
		SCENE_TEST(state_scratch_changes_nothing),
		SCENE_TEST(state_scratch_of_nothing_is_empty),
		SCENE_TEST(state_readers_see_through_a_journal_left_by_a_crash),
		SCENE_TEST(state_keeps_values),
		SCENE_TEST(state_rollback_forgets),
		SCENE_TEST(state_mailbox_comes_back_whole),
		SCENE_TEST(state_mailbox_knows_its_names),
		SCENE_TEST(state_pending_rows_come_in_slices),
		SCENE_TEST(state_mailbox_count_tells_pending_and_skipped),
		SCENE_TEST(a_mailbox_that_is_cleared_was_never_synced),
		SCENE_TEST(state_keeps_intents),
		SCENE_TEST(state_keeps_pop3_rows),
		SCENE_TEST(state_knows_what_came_of_a_pop3_message_before),
		SCENE_TEST(state_keeps_suspects_but_not_of_messages_that_are_gone),
		SCENE_TEST(state_status_reads_while_another_writes),
		SCENE_TEST(state_transactions_of_threads_take_turns),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
