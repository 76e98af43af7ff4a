#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mailsync/base/buf.h"
#include "mailsync/model/flags.h"
#include "mailsync/state/state.h"

/* A directory of its own for each test, with one open database in it. */
struct scene {
	char dir[64];
	char path[96];
	struct state *state;
	struct err err;
};

#define OK(scene, call)                                               \
	do {                                                          \
		if ((call) != 0) {                                    \
			fail_msg("%s: %s", #call, (scene)->err.text); \
		}                                                     \
	} while (0)

static int scene_open(void **state)
{
	struct scene *scene = calloc(1, sizeof(*scene));
	const char *tmp = getenv("TMPDIR");

	snprintf(scene->dir, sizeof(scene->dir), "%.40s/state-XXXXXX", tmp == NULL ? "/tmp" : tmp);
	if (mkdtemp(scene->dir) == NULL) {
		return -1;
	}
	snprintf(scene->path, sizeof(scene->path), "%s/sub/a.db", scene->dir);
	*state = scene;
	return state_open(&scene->state, scene->path, STATE_WRITE, &scene->err);
}

static void scene_clear_dir(const char *dir)
{
	char name[512];
	DIR *stream = opendir(dir);
	struct dirent *entry;

	if (stream == NULL) {
		return;
	}
	while ((entry = readdir(stream)) != NULL) {
		if (entry->d_name[0] != '.') {
			snprintf(name, sizeof(name), "%s/%s", dir, entry->d_name);
			unlink(name);
		}
	}
	closedir(stream);
	rmdir(dir);
}

static int scene_close(void **state)
{
	struct scene *scene = *state;
	char sub[80];

	state_close(&scene->state);
	snprintf(sub, sizeof(sub), "%s/sub", scene->dir);
	scene_clear_dir(sub);
	scene_clear_dir(scene->dir);
	free(scene);
	return 0;
}

static void scene_reopen(struct scene *scene, enum state_mode mode)
{
	state_close(&scene->state);
	OK(scene, state_open(&scene->state, scene->path, mode, &scene->err));
}

/* The names in the database's directory, and how many. */
static int scene_files(const struct scene *scene, const char *needle, int *matches)
{
	char sub[80];
	int count = 0;
	struct dirent *entry;

	snprintf(sub, sizeof(sub), "%s/sub", scene->dir);
	DIR *stream = opendir(sub);
	assert_non_null(stream);
	*matches = 0;
	while ((entry = readdir(stream)) != NULL) {
		if (entry->d_name[0] != '.') {
			count++;
			*matches += strstr(entry->d_name, needle) != NULL;
		}
	}
	closedir(stream);
	return count;
}

static int64_t scene_mailbox(struct scene *scene, const char *name)
{
	struct state_mailbox mailbox;

	state_mailbox_init(&mailbox);
	mailbox.name = strdup(name);
	OK(scene, state_mailbox_put(scene->state, &mailbox, &scene->err));
	int64_t id = mailbox.id;
	state_mailbox_finish(&mailbox);
	return id;
}

static struct row scene_row(struct scene *scene, int64_t mailbox, uint32_t uid, const char *unique)
{
	struct row row;

	row_init(&row);
	row.mailbox = mailbox;
	row.uid = uid;
	row.remote = uid != 0 ? SIDE_PRESENT : SIDE_ABSENT;
	row.local = unique[0] != '\0' ? SIDE_PRESENT : SIDE_ABSENT;
	row.is_agreed = uid != 0 && unique[0] != '\0';
	OK(scene, row_set_unique(&row, unique, strlen(unique), &scene->err));
	return row;
}

static int64_t scene_put(struct scene *scene, int64_t mailbox, uint32_t uid, const char *unique)
{
	struct row row = scene_row(scene, mailbox, uid, unique);

	OK(scene, state_row_put(scene->state, &row, &scene->err));
	int64_t id = row.id;
	row_finish(&row);
	return id;
}

static size_t scene_pending(struct scene *scene, int64_t mailbox, bool deleted_too)
{
	struct row_list rows;

	row_list_init(&rows);
	OK(scene, state_rows_pending(scene->state, mailbox, deleted_too, &rows, &scene->err));
	size_t count = rows.count;
	row_list_finish(&rows);
	return count;
}

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
	struct buf value;
	bool found = false;

	buf_init(&value, 100);
	OK(scene, state_get(state, key, &value, &found, &scene->err));
	assert_true(found);
	assert_string_equal(value.data, expected);
	buf_finish(&value);
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
	struct buf value;
	bool found = true;

	buf_init(&value, 100);
	OK(scene, state_get(scene->state, "database", &value, &found, &scene->err));
	assert_false(found);
	OK(scene, state_set(scene->state, "database", "first", &scene->err));
	OK(scene, state_set(scene->state, "database", "second", &scene->err));
	scene_mailbox(scene, "INBOX");
	OK(scene, state_forget_all(scene->state, &scene->err));
	scene_reopen(scene, STATE_WRITE);
	scene_expect_value(scene, scene->state, "database", "second");
	buf_finish(&value);
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

static void state_mailbox_comes_back_whole(void **state)
{
	struct scene *scene = *state;
	struct state_mailboxes all;
	struct state_mailbox box;

	scene_mailbox(scene, "b");
	state_mailbox_init(&box);
	box.name = strdup("a");
	box.had_remote = true;
	box.uidvalidity = UINT32_MAX;
	box.uidnext = UINT32_MAX;
	box.modseq = UINT64_MAX;
	box.messages = 3;
	box.mailboxid = strdup("F1");
	box.permanent_flags = UINT64_MAX;
	box.permanent_any = true;
	assert_int_equal(keywords_intern(&box.keywords, SPAN_LIT("Work")), 0);
	box.has_stamp = true;
	box.stamp = (struct stamp){.dirs = {{1, 2, 3, 4}, {5, 6, 7, 8}, {9, 10, 11, 12}},
				   .taken_ns = 13};
	box.held_policy = UINT64_MAX - 1;
	box.synced_at = 1700000000;
	box.trouble = strdup("no room");
	OK(scene, state_mailbox_put(scene->state, &box, &scene->err));
	OK(scene, state_mailbox_put(scene->state, &box, &scene->err));
	OK(scene, state_mailboxes_load(scene->state, &all, &scene->err));
	assert_int_equal(all.count, 2);
	const struct state_mailbox *back = &all.items[0];
	assert_int_equal(back->id, box.id);
	assert_string_equal(back->name, "a");
	assert_false(back->had_local);
	assert_true(back->had_remote);
	assert_int_equal(back->uidvalidity, UINT32_MAX);
	assert_int_equal(back->uidnext, UINT32_MAX);
	assert_true(back->modseq == UINT64_MAX);
	assert_int_equal(back->messages, 3);
	assert_string_equal(back->mailboxid, "F1");
	assert_true(back->permanent_flags == UINT64_MAX);
	assert_true(back->permanent_any);
	assert_int_equal(back->keywords.count, 1);
	assert_string_equal(back->keywords.names[0], "Work");
	assert_true(back->has_stamp);
	assert_true(stamp_equal(&back->stamp, &box.stamp));
	assert_true(back->held_policy == UINT64_MAX - 1);
	assert_int_equal(back->synced_at, 1700000000);
	assert_string_equal(back->trouble, "no room");
	assert_string_equal(all.items[1].name, "b");
	assert_null(all.items[1].mailboxid);
	assert_false(all.items[1].has_stamp);
	state_mailboxes_finish(&all);
	state_mailbox_finish(&box);
}

static void state_mailbox_count_tells_pending_and_skipped(void **state)
{
	struct scene *scene = *state;
	struct state_mailbox box;

	state_mailbox_init(&box);
	box.name = strdup("INBOX");
	OK(scene, state_mailbox_put(scene->state, &box, &scene->err));
	scene_put(scene, box.id, 1, "settled");
	scene_put(scene, box.id, 2, "");
	struct row row = scene_row(scene, box.id, 3, "");
	row.reason = REASON_TOO_LARGE;
	OK(scene, state_row_put(scene->state, &row, &scene->err));
	row_finish(&row);
	OK(scene, state_mailbox_count(scene->state, &box, &scene->err));
	assert_int_equal(box.pending, 2);
	assert_int_equal(box.skipped, 1);
	OK(scene, state_mailbox_clear(scene->state, box.id, &scene->err));
	OK(scene, state_mailbox_count(scene->state, &box, &scene->err));
	assert_int_equal(box.pending, 0);
	state_mailbox_finish(&box);
}

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
	row.size_bytes = UINT64_C(1) << 40;
	row.date = -5;
	row.has_digest = true;
	memset(row.digest, 0xab, sizeof(row.digest));
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
	assert_true(back.size_bytes == UINT64_C(1) << 40);
	assert_int_equal(back.date, -5);
	assert_true(back.has_digest);
	assert_memory_equal(back.digest, row.digest, sizeof(row.digest));
	assert_string_equal(back.emailid, "M1");
	OK(scene, state_row_by_unique(scene->state, inbox, "1.x.host", &back, &found, &scene->err));
	assert_true(found);
	OK(scene, state_row_by_id(scene->state, row.id + 1, &back, &found, &scene->err));
	assert_false(found);
	assert_int_equal(back.id, row.id);
	row_finish(&row);
	row_finish(&back);
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
	row.local = SIDE_GONE;
	row.remote = SIDE_GONE;
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
	struct row_list rows;

	scene_put(scene, inbox, 1, "settled");
	int64_t first = scene_put(scene, inbox, 2, "");
	struct row row = scene_row(scene, inbox, 3, "deleted");
	row.flags = row.local_flags = row.remote_flags = FLAG_DELETED | FLAG_SEEN;
	OK(scene, state_row_put(scene->state, &row, &scene->err));
	scene_put(scene, inbox, 0, "fresh");
	assert_int_equal(scene_pending(scene, inbox, false), 2);
	row_list_init(&rows);
	OK(scene, state_rows_pending(scene->state, inbox, true, &rows, &scene->err));
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
	struct state_seen seen;

	OK(scene, state_see_remote_flags(scene->state, inbox, 1, 0, &seen, &scene->err));
	assert_true(seen.found);
	assert_false(seen.changed);
	OK(scene, state_see_remote_flags(scene->state, inbox, 9, 0, &seen, &scene->err));
	assert_false(seen.found);
	OK(scene,
	   state_see_remote_flags(scene->state, inbox, 1, UINT64_C(1) << 63, &seen, &scene->err));
	assert_true(seen.found && seen.changed);
	assert_int_equal(scene_pending(scene, inbox, false), 1);
	OK(scene, state_see_remote_flags(scene->state, inbox, 1, 0, &seen, &scene->err));
	assert_int_equal(scene_pending(scene, inbox, false), 0);
	OK(scene, state_see_local_flags(scene->state, id, 16, &scene->err));
	assert_int_equal(scene_pending(scene, inbox, false), 1);
	OK(scene, state_see_local_flags(scene->state, id, 0, &scene->err));
	assert_int_equal(scene_pending(scene, inbox, false), 0);
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
	assert_true(found && back.remote == SIDE_GONE && back.uid == 1);
	OK(scene, state_row_by_id(scene->state, new_there, &back, &found, &scene->err));
	assert_false(found);
	OK(scene, state_row_by_id(scene->state, half_gone, &back, &found, &scene->err));
	assert_false(found);
	OK(scene, state_row_by_id(scene->state, pair.id, &back, &found, &scene->err));
	assert_true(found && back.remote == SIDE_ABSENT && back.uid == 0);
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
}

static void state_moves_join_gone_and_new(void **state)
{
	struct scene *scene = *state;
	int64_t inbox = scene_mailbox(scene, "INBOX");
	int64_t other = scene_mailbox(scene, "other");
	struct state_moves moves;

	int64_t gone = scene_put(scene, inbox, 1, "one");
	int64_t stays = scene_put(scene, inbox, 2, "two");
	int64_t fresh = scene_put(scene, other, 0, "one");
	scene_put(scene, other, 0, "two");
	(void)stays;
	OK(scene, state_see_local_gone(scene->state, gone, &scene->err));
	OK(scene, state_moves_load(scene->state, &moves, &scene->err));
	assert_int_equal(moves.count, 1);
	assert_int_equal(moves.items[0].gone_row, gone);
	assert_int_equal(moves.items[0].new_row, fresh);
	state_moves_finish(&moves);
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
	struct row copy;
	uint32_t expected = 1;

	scene_put(scene, inbox, 3, "b");
	scene_put(scene, inbox, 1, "c\xff");
	scene_put(scene, inbox, 2, "a");
	scene_put(scene, inbox, 0, "aa");
	row_init(&copy);
	OK(scene, state_begin(scene->state, &scene->err));
	OK(scene, state_cursor_open(scene->state, inbox, STATE_BY_UID, &cursor, &scene->err));
	for (;;) {
		OK(scene, state_cursor_next(cursor, &row, &scene->err));
		if (row == NULL) {
			break;
		}
		assert_int_equal(row->uid, expected++);
		OK(scene, row_copy(&copy, row, &scene->err));
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
	row_finish(&copy);
}

static void state_keeps_intents(void **state)
{
	struct scene *scene = *state;
	int64_t inbox = scene_mailbox(scene, "INBOX");
	struct intent append = {.kind = INTENT_APPEND,
				.row = 5,
				.mailbox = inbox,
				.uidvalidity = 6,
				.uid_bound = UINT32_MAX};
	struct intent rename = {.kind = INTENT_RENAME, .mailbox = inbox + 1, .text = (char *)"new"};
	struct intents intents;

	OK(scene, state_intent_add(scene->state, &append, &scene->err));
	OK(scene, state_intent_add(scene->state, &rename, &scene->err));
	OK(scene, state_intents_load(scene->state, inbox, &intents, &scene->err));
	assert_int_equal(intents.count, 1);
	assert_int_equal(intents.items[0].row, 5);
	assert_int_equal(intents.items[0].uid_bound, UINT32_MAX);
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
			       .size_bytes = 9,
			       .unique = (char *)"",
			       .first_seen = 5};
	struct pop3_rows rows;

	OK(scene, state_pop3_put(scene->state, &row, &scene->err));
	row.unique = (char *)"file";
	row.is_deleted = true;
	OK(scene, state_pop3_put(scene->state, &row, &scene->err));
	OK(scene, state_pop3_load(scene->state, &rows, &scene->err));
	assert_int_equal(rows.count, 1);
	assert_string_equal(rows.items[0].unique, "file");
	assert_true(rows.items[0].is_deleted);
	state_pop3_finish(&rows);
	OK(scene, state_pop3_drop(scene->state, row.id, &scene->err));
	OK(scene, state_pop3_load(scene->state, &rows, &scene->err));
	assert_int_equal(rows.count, 0);
	state_pop3_finish(&rows);
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

static void state_row_needs_less_than_180_bytes(void **state)
{
	struct scene *scene = *state;
	int64_t inbox = scene_mailbox(scene, "INBOX");
	struct stat info;
	char unique[64];

	for (uint32_t uid = 1; uid <= 5000;) {
		OK(scene, state_begin(scene->state, &scene->err));
		for (uint32_t end = uid + 500; uid < end; uid++) {
			snprintf(unique, sizeof(unique),
				 "1700000000.0a1b2c3d_1699999999_%" PRIu32 ".host", uid);
			struct row row = scene_row(scene, inbox, uid, unique);
			row.size_bytes = 5000 + uid;
			row.date = 1700000000 + uid;
			row.has_digest = true;
			row.flags = row.local_flags = row.remote_flags = FLAG_SEEN;
			OK(scene, state_row_put(scene->state, &row, &scene->err));
			row_finish(&row);
		}
		OK(scene, state_commit(scene->state, &scene->err));
	}
	assert_int_equal(stat(scene->path, &info), 0);
	assert_in_range((uintmax_t)info.st_size, 1, 5000 * 180);
}

#define SCENE_TEST(name) cmocka_unit_test_setup_teardown(name, scene_open, scene_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCENE_TEST(state_file_is_private_and_leaves_no_litter),
		SCENE_TEST(state_journal_is_private_too),
		SCENE_TEST(state_read_of_nothing_tells_so),
		SCENE_TEST(state_moves_a_damaged_file_aside),
		SCENE_TEST(state_refuses_a_later_schema),
		SCENE_TEST(state_scratch_changes_nothing),
		SCENE_TEST(state_scratch_of_nothing_is_empty),
		SCENE_TEST(state_readers_see_through_a_journal_left_by_a_crash),
		SCENE_TEST(state_keeps_values),
		SCENE_TEST(state_rollback_forgets),
		SCENE_TEST(state_mailbox_comes_back_whole),
		SCENE_TEST(state_mailbox_count_tells_pending_and_skipped),
		SCENE_TEST(state_row_comes_back_whole),
		SCENE_TEST(state_row_put_removes_what_is_void_and_never_reuses_an_id),
		SCENE_TEST(state_row_of_a_known_uid_is_refused),
		SCENE_TEST(state_pending_rows_and_deleted_ones_come_in_id_order),
		SCENE_TEST(state_seen_flags_make_a_row_pending_and_settled_again),
		SCENE_TEST(state_seen_gone_keeps_agreed_rows_and_drops_others),
		SCENE_TEST(state_counts_by_exception),
		SCENE_TEST(state_moves_join_gone_and_new),
		SCENE_TEST(state_finds_rows_by_emailid),
		SCENE_TEST(state_cursor_streams_in_order_while_rows_change),
		SCENE_TEST(state_keeps_intents),
		SCENE_TEST(state_keeps_pop3_rows),
		SCENE_TEST(state_status_reads_while_another_writes),
		SCENE_TEST(state_transactions_of_threads_take_turns),
		SCENE_TEST(state_row_needs_less_than_180_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
