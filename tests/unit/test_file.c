#include <errno.h>
#include <fcntl.h>
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

/* A directory of its own for each test. */
struct place {
	char path[64];
	int dirfd;
};

static int place_make(void **state)
{
	struct place *place = calloc(1, sizeof(*place));

	if (!place) {
		return -1;
	}
	snprintf(place->path, sizeof(place->path), "/tmp/mailsync-file-XXXXXX");
	if (!mkdtemp(place->path)) {
		free(place);
		return -1;
	}
	place->dirfd = open(place->path, O_RDONLY | O_DIRECTORY);
	*state = place;
	return 0;
}

static int place_remove(void **state)
{
	static const char *const names[] = {"one", "two", "link", "state", "state.tmp", "lock"};
	struct place *place = *state;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		unlinkat(place->dirfd, names[i], 0);
	}
	unlinkat(place->dirfd, "x/y/z", AT_REMOVEDIR);
	unlinkat(place->dirfd, "x/y", AT_REMOVEDIR);
	unlinkat(place->dirfd, "x", AT_REMOVEDIR);
	close(place->dirfd);
	int rc = rmdir(place->path);
	free(place);
	return rc;
}

static void put(const struct place *place, const char *name, const char *text)
{
	struct err err;
	int fd;

	assert_int_equal(file_create(place->dirfd, name, &fd, &err), 0);
	assert_int_equal(file_write(fd, text, strlen(text), &err), 0);
	assert_int_equal(file_sync(fd, &err), 0);
	close(fd);
}

static void assert_contents(const struct place *place, const char *name, const char *text)
{
	struct buf buf;
	struct err err;

	buf_init(&buf, 100000);
	assert_int_equal(file_read(place->dirfd, name, &buf, &err), 0);
	assert_string_equal(buf.data, text);
	buf_finish(&buf);
}

static mode_t mode_of(const struct place *place, const char *name)
{
	struct stat st;

	assert_int_equal(fstatat(place->dirfd, name, &st, AT_SYMLINK_NOFOLLOW), 0);
	return st.st_mode & 07777;
}

static void file_create_makes_a_private_file_and_never_opens_one(void **state)
{
	struct place *place = *state;
	struct err err;
	int fd = -7;

	put(place, "one", "text");
	assert_int_equal(mode_of(place, "one"), 0600);
	assert_int_equal(file_create(place->dirfd, "one", &fd, &err), -ERR_LOCAL);
	assert_int_equal(symlinkat("two", place->dirfd, "link"), 0);
	assert_int_equal(file_create(place->dirfd, "link", &fd, &err), -ERR_LOCAL);
	assert_int_equal(fd, -7);
}

static void file_rename_never_replaces_a_target(void **state)
{
	struct place *place = *state;
	struct err err;

	put(place, "one", "1");
	put(place, "two", "2");
	assert_int_equal(file_rename(place->dirfd, "one", place->dirfd, "two", &err), -ERR_CHANGED);
	assert_non_null(strstr(err.text, "File exists"));
	assert_contents(place, "one", "1");
	assert_contents(place, "two", "2");
	assert_int_equal(file_unlink(place->dirfd, "two", &err), 0);
	assert_int_equal(file_rename(place->dirfd, "one", place->dirfd, "two", &err), 0);
	assert_contents(place, "two", "1");
}

static void file_rename_of_nothing_says_that_it_changed(void **state)
{
	struct place *place = *state;
	struct err err;

	assert_int_equal(file_rename(place->dirfd, "one", place->dirfd, "two", &err), -ERR_CHANGED);
}

/* Who takes a target that is there for a success must not take a loss for one. */
static void file_publish_tells_a_target_from_a_loss(void **state)
{
	struct place *place = *state;
	struct err err;

	put(place, "one", "first");
	put(place, "two", "second");
	assert_int_equal(file_publish(place->dirfd, "one", place->dirfd, "two", &err),
			 -ERR_CHANGED);
	assert_int_equal(file_publish(place->dirfd, "x", place->dirfd, "two", &err), -ERR_PARTIAL);
	assert_int_equal(file_unlink(place->dirfd, "two", &err), 0);
	assert_int_equal(file_publish(place->dirfd, "one", place->dirfd, "two", &err), 0);
	assert_contents(place, "two", "first");
}

static void file_unlink_of_nothing_is_success(void **state)
{
	struct place *place = *state;
	struct err err;

	assert_int_equal(file_unlink(place->dirfd, "one", &err), 0);
	assert_int_equal(file_remove_dir(place->dirfd, "x", &err), 0);
}

static void file_remove_of_nothing_says_that_it_changed(void **state)
{
	struct place *place = *state;
	struct err err;

	put(place, "one", "1");
	assert_int_equal(file_remove(place->dirfd, "two", &err), -ERR_CHANGED);
	assert_int_equal(file_remove(place->dirfd, "one", &err), 0);
	assert_int_equal(file_remove(place->dirfd, "one", &err), -ERR_CHANGED);
}

static void file_read_is_bounded_and_leaves_its_output_alone_on_failure(void **state)
{
	struct place *place = *state;
	struct buf buf;
	struct err err;

	buf_init(&buf, 6);
	buf_append_cstr(&buf, "+");
	assert_int_equal(file_read(place->dirfd, "one", &buf, &err), -ERR_CHANGED);
	put(place, "one", "12345");
	put(place, "two", "123456");
	assert_int_equal(file_read(place->dirfd, "two", &buf, &err), -ERR_LIMIT);
	buf_clear(&buf);
	buf_append_cstr(&buf, "+");
	assert_int_equal(file_read(place->dirfd, "one", &buf, &err), 0);
	assert_string_equal(buf.data, "+12345");
	buf_finish(&buf);
	buf_init(&buf, 100);
	assert_int_equal(file_read(AT_FDCWD, place->path, &buf, &err), -ERR_LOCAL);
	buf_finish(&buf);
}

static void file_write_atomic_replaces_and_survives_a_stale_temporary(void **state)
{
	struct place *place = *state;
	char path[128];
	struct err err;

	put(place, "state.tmp", "half of an old o");
	assert_int_equal(file_write_atomic(place->dirfd, "state", SPAN_LIT("new"), &err), 0);
	assert_contents(place, "state", "new");
	snprintf(path, sizeof(path), "%s/state", place->path);
	assert_int_equal(file_write_atomic(AT_FDCWD, path, SPAN_LIT("newer"), &err), 0);
	assert_contents(place, "state", "newer");
	assert_int_equal(mode_of(place, "state"), 0600);
	assert_int_equal(faccessat(place->dirfd, "state.tmp", F_OK, 0), -1);
}

static void file_make_dirs_makes_what_is_missing(void **state)
{
	struct place *place = *state;
	bool created = false;
	char path[128];
	struct err err;

	snprintf(path, sizeof(path), "%s//x/y/z/", place->path);
	assert_int_equal(file_make_dirs(path, &err), 0);
	assert_int_equal(file_make_dirs(path, &err), 0);
	assert_int_equal(mode_of(place, "x/y/z"), 0700);
	assert_int_equal(file_remove_dir(place->dirfd, "x/y", &err), -ERR_CHANGED);
	assert_int_equal(file_remove_dir(place->dirfd, "x/y/z", &err), 0);
	assert_int_equal(file_make_dir(place->dirfd, "x/y/z", &created, &err), 0);
	assert_true(created);
	assert_int_equal(file_make_dir(place->dirfd, "x/y/z", &created, &err), 0);
	assert_false(created);
}

static void file_make_dir_over_a_file_is_an_error(void **state)
{
	struct place *place = *state;
	struct err err;

	put(place, "one", "");
	assert_int_equal(file_make_dir(place->dirfd, "one", NULL, &err), -ERR_LOCAL);
}

static void file_open_dir_refuses_links_where_asked(void **state)
{
	struct place *place = *state;
	struct err err;
	int fd = -7;

	assert_int_equal(symlinkat(".", place->dirfd, "link"), 0);
	assert_int_equal(file_open_dir(place->dirfd, "link", true, &fd, &err), -ERR_LOCAL);
	assert_int_equal(fd, -7);
	assert_int_equal(file_open_dir(place->dirfd, "link", false, &fd, &err), 0);
	assert_int_equal(file_sync_dir(fd, &err), 0);
	int rc = file_sync_fs(fd, &err);
	assert_true(rc == 0 || rc == -ERR_LIMIT);
	close(fd);
}

static void file_mtime_may_lie_before_1970(void **state)
{
	struct place *place = *state;
	struct stat st;
	struct err err;
	int fd;

	assert_int_equal(file_create(place->dirfd, "one", &fd, &err), 0);
	assert_int_equal(file_set_mtime(fd, -86400, &err), 0);
	assert_int_equal(fstat(fd, &st), 0);
	assert_true(st.st_mtime == -86400);
	close(fd);
}

static void file_lock_keeps_a_second_process_out_until_finished(void **state)
{
	struct place *place = *state;
	struct file_lock first, second;
	stop_flag stop = 1;
	char path[128];
	struct err err;

	snprintf(path, sizeof(path), "%s/lock", place->path);
	file_lock_init(&first);
	file_lock_init(&second);
	assert_int_equal(file_lock_acquire(&first, path, false, NULL, &err), 0);
	assert_int_equal(mode_of(place, "lock"), 0600);
	assert_int_equal(file_lock_acquire(&second, path, false, NULL, &err), -ERR_LOCKED);
	assert_int_equal(file_lock_acquire(&second, path, true, &stop, &err), -ERR_INTERRUPTED);
	file_lock_finish(&first);
	file_lock_finish(&first);
	assert_int_equal(file_lock_acquire(&second, path, true, &stop, &err), 0);
	file_lock_finish(&second);
}

static void file_lock_ends_with_its_process(void **state)
{
	struct place *place = *state;
	struct file_lock lock;
	char path[128];
	struct err err;
	int status;

	snprintf(path, sizeof(path), "%s/lock", place->path);
	file_lock_init(&lock);
	pid_t child = fork();
	if (child == 0) {
		_exit(file_lock_acquire(&lock, path, false, NULL, &err) == 0 ? 0 : 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_int_equal(file_lock_acquire(&lock, path, false, NULL, &err), 0);
	file_lock_finish(&lock);
}

static void assert_expands(const char *path, const char *expected)
{
	struct buf buf;
	struct err err;

	buf_init(&buf, 1000);
	assert_int_equal(file_expand(path, &buf, &err), 0);
	assert_string_equal(buf.data, expected);
	buf_finish(&buf);
}

#ifdef __linux__
static void a_full_disk_is_told_with_the_path(void **state)
{
	struct err err;

	(void)state;
	int fd = open("/dev/full", O_WRONLY);
	assert_true(fd >= 0);
	assert_int_equal(file_write(fd, "x", 1, &err), -ERR_LOCAL);
	assert_string_equal(err.text, "cannot write /dev/full: No space left on device");
	close(fd);
}
#endif

static void file_expand_knows_home_and_variables(void **state)
{
	(void)state;
	setenv("HOME", "/home/u", 1);
	setenv("MAILSYNC_TEST_x1", "v$HOME", 1);
	assert_expands("~", "/home/u");
	assert_expands("~/Mail", "/home/u/Mail");
	assert_expands("~other/Mail", "~other/Mail");
	assert_expands("a/~", "a/~");
	assert_expands("$HOME/m", "/home/u/m");
	assert_expands("/s/${MAILSYNC_TEST_x1}y", "/s/v$HOMEy");
	assert_expands("cost $5 $", "cost $5 $");
}

static void file_real_path_goes_through_links(void **state)
{
	struct place *place = *state;
	char path[128];
	struct buf direct, linked;
	struct err err;

	buf_init(&direct, 1000);
	buf_init(&linked, 1000);
	assert_int_equal(symlinkat(".", place->dirfd, "link"), 0);
	snprintf(path, sizeof(path), "%s/nothing", place->path);
	assert_int_equal(file_real_path(place->path, &direct, &err), 0);
	assert_int_equal(file_real_path(path, &linked, &err), -ERR_LOCAL);
	snprintf(path, sizeof(path), "%s/./link/", place->path);
	assert_int_equal(file_real_path(path, &linked, &err), 0);
	assert_string_equal(linked.data, direct.data);
	buf_finish(&direct);
	buf_finish(&linked);
}

static void file_expand_refuses_what_is_not_set(void **state)
{
	static const char *const bad[] = {"$MAILSYNC_TEST_UNSET/x", "${MAILSYNC_TEST_UNSET}",
					  "${HOME", "${}", "${9}"};
	struct buf buf;
	struct err err;

	(void)state;
	buf_init(&buf, 1000);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(file_expand(bad[i], &buf, &err), -ERR_CONFIG);
		assert_int_equal(buf.len, 0);
	}
	buf_finish(&buf);
}

#define PLACED(test) cmocka_unit_test_setup_teardown(test, place_make, place_remove)

int main(void)
{
	const struct CMUnitTest tests[] = {
#ifdef __linux__
		cmocka_unit_test(a_full_disk_is_told_with_the_path),
#endif
		PLACED(file_create_makes_a_private_file_and_never_opens_one),
		PLACED(file_rename_never_replaces_a_target),
		PLACED(file_rename_of_nothing_says_that_it_changed),
		PLACED(file_publish_tells_a_target_from_a_loss),
		PLACED(file_unlink_of_nothing_is_success),
		PLACED(file_remove_of_nothing_says_that_it_changed),
		PLACED(file_read_is_bounded_and_leaves_its_output_alone_on_failure),
		PLACED(file_write_atomic_replaces_and_survives_a_stale_temporary),
		PLACED(file_make_dirs_makes_what_is_missing),
		PLACED(file_make_dir_over_a_file_is_an_error),
		PLACED(file_open_dir_refuses_links_where_asked),
		PLACED(file_mtime_may_lie_before_1970),
		PLACED(file_lock_keeps_a_second_process_out_until_finished),
		PLACED(file_lock_ends_with_its_process),
		PLACED(file_real_path_goes_through_links),
		cmocka_unit_test(file_expand_knows_home_and_variables),
		cmocka_unit_test(file_expand_refuses_what_is_not_set),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
