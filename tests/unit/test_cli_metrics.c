#define _DEFAULT_SOURCE /* setgroups */
#include <fcntl.h>
#include <grp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "mailsync/base/file.h"
#include "cli_metrics.h"

static char dir[64], path[96];

static int make_dir(void **state)
{
	(void)state;
	snprintf(dir, sizeof(dir), "/tmp/mailsync-metrics-XXXXXX");
	int failed = mkdtemp(dir) == NULL;
	snprintf(path, sizeof(path), "%s/m.prom", dir);
	return failed;
}

static int remove_dir(void **state)
{
	char temp[128];

	(void)state;
	snprintf(temp, sizeof(temp), "%s.tmp", path);
	(void)unlink(path);
	(void)unlink(temp);
	return rmdir(dir);
}

static bool has_line(const char *text, const char *line)
{
	size_t len = strlen(line);

	for (const char *at = text; (at = strstr(at, line)) != NULL; at++) {
		if ((at == text || at[-1] == '\n') && at[len] == '\n') {
			return true;
		}
	}
	return false;
}

static void each_name_has_one_head_and_stands_together(void **state)
{
	const struct cli_measured accounts[] = {
		{"work",
		 {.is_known = true,
		  .ended_at = 100,
		  .success_at = 100,
		  .seconds = 1.5,
		  .counts = {.downloaded = 3},
		  .bytes_in = 10,
		  .bytes_out = 7,
		  .has_state = true,
		  .messages = 9,
		  .pending = 2,
		  .held = 1,
		  .skipped = 4,
		  .unproven = 5}},
		{"home", {.is_known = true, .ended_at = 101, .status = 75}},
		{"never", {0}},
	};
	struct buf out;

	(void)state;
	buf_init(&out, 65536);
	cli_metrics_write(&out, "m.prom", accounts, 3, 200);
	assert_int_equal(out.failed, 0);
	static const char *const lines[] = {
		"mailsync_accounts{file=\"m.prom\"} 3",
		"mailsync_written_timestamp_seconds{file=\"m.prom\"} 200",
		"# TYPE mailsync_status gauge",
		"mailsync_status{account=\"work\"} 0",
		"mailsync_status{account=\"home\"} 75",
		"mailsync_last_success_timestamp_seconds{account=\"work\"} 100",
		"mailsync_last_run_duration_seconds{account=\"work\"} 1.500",
		"mailsync_last_run_messages{account=\"work\",kind=\"downloaded\"} 3",
		"mailsync_last_run_messages{account=\"home\",kind=\"errors\"} 0",
		"mailsync_last_run_bytes{account=\"work\",direction=\"in\"} 10",
		"mailsync_last_run_bytes{account=\"work\",direction=\"out\"} 7",
		"mailsync_messages{account=\"work\"} 9",
		"mailsync_pending_messages{account=\"work\"} 2",
		"mailsync_held_messages{account=\"work\"} 1",
		"mailsync_skipped_messages{account=\"work\"} 4",
		"mailsync_unproven_messages{account=\"work\"} 5",
	};
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		assert_true(has_line(out.data, lines[i]));
	}
	/* What is not known is no sample. */
	assert_null(strstr(out.data, "\"never\""));
	assert_null(strstr(out.data, "mailsync_last_success_timestamp_seconds{account=\"home\""));
	assert_null(strstr(out.data, "mailsync_messages{account=\"home\""));
	assert_null(strstr(out.data, "mailsync_oldest_proof_timestamp_seconds{"));
	const char *first = strstr(out.data, "# TYPE mailsync_last_run_messages gauge\n");
	assert_non_null(first);
	assert_null(strstr(first + 1, "# TYPE mailsync_last_run_messages gauge\n"));
	buf_finish(&out);
}

static void labels_are_escaped(void **state)
{
	const struct cli_measured odd = {"a\"b\\c\nd",
					 {.is_known = true, .status = 1, .success_at = 7}};
	struct buf out;

	(void)state;
	buf_init(&out, 65536);
	cli_metrics_write(&out, "m\"", &odd, 1, 200);
	assert_true(has_line(out.data, "mailsync_status{account=\"a\\\"b\\\\c\\nd\"} 1"));
	assert_true(has_line(out.data, "mailsync_accounts{file=\"m\\\"\"} 1"));
	assert_int_equal(cli_metrics_recall(out.data, odd.name), 7);
	buf_finish(&out);
}

static void what_was_written_before_is_recalled(void **state)
{
	static const char text[] = "x 1\n"
				   "mailsync_last_success_timestamp_seconds{account=\"ab\"} 12\n"
				   "mailsync_last_success_timestamp_seconds{account=\"a\"} 34\n"
				   "mailsync_last_success_timestamp_seconds{account=\"n\"} -5\n"
				   "mailsync_last_success_timestamp_seconds{account=\"x\"} much";

	(void)state;
	assert_int_equal(cli_metrics_recall(text, "a"), 34);
	assert_int_equal(cli_metrics_recall(text, "ab"), 12);
	assert_int_equal(cli_metrics_recall(text, "b"), 0);
	assert_int_equal(cli_metrics_recall(text, "n"), 0);
	assert_int_equal(cli_metrics_recall(text, "x"), 0);
	assert_int_equal(cli_metrics_recall("", "a"), 0);
}

static void a_failure_does_not_forget_the_last_success(void **state)
{
	struct cli_measured account = {"a", {.is_known = true, .ended_at = 50, .success_at = 50}};
	struct err err;
	struct stat st;

	(void)state;
	assert_int_equal(cli_metrics_save(path, &account, 1, NULL, &err), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	account.measure = (struct cli_measure){.is_known = true, .ended_at = 60, .status = 77};
	assert_int_equal(cli_metrics_save(path, &account, 1, NULL, &err), 0);
	assert_int_equal(account.measure.success_at, 50);
}

static void an_account_that_has_not_run_keeps_its_last_success(void **state)
{
	const struct cli_measured ran = {
		"a", {.is_known = true, .ended_at = 70, .success_at = 70, .oldest_proof = 60}};
	struct cli_measured accounts[] = {{"a", {0}}, {"new", {0}}};
	struct buf text;
	struct err err;

	(void)state;
	accounts[0] = ran;
	assert_int_equal(cli_metrics_save(path, accounts, 2, NULL, &err), 0);
	for (int again = 0; again < 2; again++) {
		accounts[0].measure = (struct cli_measure){0};
		assert_int_equal(cli_metrics_save(path, accounts, 2, NULL, &err), 0);
		buf_init(&text, 65536);
		assert_int_equal(file_read(AT_FDCWD, path, &text, &err), 0);
		assert_int_equal(cli_metrics_recall(text.data, "a"), 70);
		assert_int_equal(cli_metrics_recall(text.data, "new"), 0);
		/* And nothing is made up of a run that there was not. */
		assert_null(strstr(text.data, "mailsync_status{"));
		assert_null(strstr(text.data, "mailsync_last_run_timestamp_seconds{"));
		assert_null(strstr(text.data, "mailsync_last_run_bytes{"));
		assert_null(strstr(text.data, "mailsync_oldest_proof_timestamp_seconds{"));
		buf_finish(&text);
	}
}

static void expect_left_alone(const char *other)
{
	struct cli_measured account = {"a", {.is_known = true}};
	struct stat before, after;
	struct err err;
	char temp[128];

	snprintf(temp, sizeof(temp), "%s.tmp", other);
	assert_int_equal(lstat(other, &before), 0);
	assert_int_equal(cli_metrics_save(other, &account, 1, NULL, &err), -ERR_LOCAL);
	assert_non_null(strstr(err.text, "is no regular file: metrics cannot take its place"));
	assert_int_equal(lstat(other, &after), 0);
	assert_true(after.st_ino == before.st_ino && after.st_mode == before.st_mode);
	assert_int_equal(access(temp, F_OK), -1);
}

static void what_is_no_regular_file_is_left_alone(void **state)
{
	char other[128];

	(void)state;
	snprintf(other, sizeof(other), "%s/other", dir);
	assert_int_equal(mkfifo(other, 0600), 0);
	expect_left_alone(other); /* and is not read: that would wait for ever */
	assert_int_equal(unlink(other), 0);
	assert_int_equal(symlink("/dev/null", other), 0);
	expect_left_alone(other);
	assert_int_equal(unlink(other), 0);
	assert_int_equal(symlink("m.prom", other), 0);
	expect_left_alone(other);
	assert_int_equal(unlink(other), 0);
}

static void who_waits_for_another_that_writes_it_stops_when_asked(void **state)
{
	struct cli_measured account = {"a", {.is_known = true}};
	const stop_flag stop = 1;
	struct file_lock other;
	struct err err;
	char temp[128];

	(void)state;
	snprintf(temp, sizeof(temp), "%s.tmp", path);
	file_lock_init(&other);
	assert_int_equal(file_lock_acquire(&other, temp, false, NULL, &err), 0);
	assert_int_equal(cli_metrics_save(path, &account, 1, &stop, &err), -ERR_INTERRUPTED);
	file_lock_finish(&other);
	/* Nobody writes it: it is written all the same. */
	assert_int_equal(cli_metrics_save(path, &account, 1, &stop, &err), 0);
}

/* Like a run of another user than the file's, who is of its group, or is not. */
static int save_as(uid_t user, gid_t group)
{
	struct cli_measured account = {"a", {.is_known = true}};
	struct err err;
	pid_t child = fork();
	int status = -1;

	assert_true(child >= 0);
	if (child == 0) {
		int failed = setgroups(1, &group) != 0 || setgid(user) != 0 || setuid(user) != 0 ||
			     cli_metrics_save(path, &account, 1, NULL, &err) != 0;
		_exit(failed);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	return status;
}

static void its_group_goes_on_reading_it_where_it_may(void **state)
{
	const uid_t user = 65001, readers = 65002, others = 65003;
	struct stat st;

	(void)state;
	if (geteuid() != 0) {
		skip();
	}
	assert_int_equal(chown(dir, user, user), 0);
	assert_int_equal(chown(path, 0, readers), 0);
	assert_int_equal(chmod(path, 0640), 0);
	assert_int_equal(save_as(user, readers), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_gid, readers);
	assert_int_equal(st.st_mode & 0777, 0640);
	assert_int_equal(chown(path, 0, readers), 0);
	assert_int_equal(chmod(path, 0664), 0);
	assert_int_equal(save_as(user, others), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_gid, user);
	assert_int_equal(st.st_mode & 0777, 0604);
}

static void the_file_keeps_its_mode_and_is_another_one(void **state)
{
	struct cli_measured account = {"a", {.is_known = true}};
	struct stat before, after;
	struct err err;
	char temp[128];

	(void)state;
	snprintf(temp, sizeof(temp), "%s.tmp", path);
	assert_int_equal(chmod(path, 0644), 0);
	assert_int_equal(stat(path, &before), 0);
	/* Of a run that died. */
	int fd = open(temp, O_WRONLY | O_CREAT, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, "half a fi", 9), 9);
	close(fd);
	assert_int_equal(cli_metrics_save(path, &account, 1, NULL, &err), 0);
	assert_int_equal(stat(path, &after), 0);
	assert_int_equal(after.st_mode & 0777, 0644);
	assert_int_not_equal(after.st_ino, before.st_ino);
	assert_int_equal(access(temp, F_OK), -1);
}

static void where_it_cannot_be_written_that_is_said(void **state)
{
	struct cli_measured account = {"a", {.is_known = true}};
	struct err err;

	(void)state;
	assert_int_equal(cli_metrics_save("/nowhere/m.prom", &account, 1, NULL, &err), -ERR_LOCAL);
	assert_non_null(strstr(err.text, "/nowhere/m.prom"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_name_has_one_head_and_stands_together),
		cmocka_unit_test(labels_are_escaped),
		cmocka_unit_test(what_was_written_before_is_recalled),
		cmocka_unit_test(a_failure_does_not_forget_the_last_success),
		cmocka_unit_test(an_account_that_has_not_run_keeps_its_last_success),
		cmocka_unit_test(what_is_no_regular_file_is_left_alone),
		cmocka_unit_test(who_waits_for_another_that_writes_it_stops_when_asked),
		cmocka_unit_test(its_group_goes_on_reading_it_where_it_may),
		cmocka_unit_test(the_file_keeps_its_mode_and_is_another_one),
		cmocka_unit_test(where_it_cannot_be_written_that_is_said),
	};
	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
