/* The ways of renaming that file systems without RENAME_NOREPLACE get: private to
 * file_move.c, which is therefore compiled in here. */
#include "../../src/base/file_move.c"

#include <setjmp.h>
#include <stdbool.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static char place[] = "/tmp/mailsync-move-XXXXXX";
static int place_fd = -1;

static int place_make(void **state)
{
	(void)state;
	if (!mkdtemp(place)) {
		return -1;
	}
	place_fd = open(place, O_RDONLY | O_DIRECTORY);
	return place_fd >= 0 ? 0 : -1;
}

static int place_remove(void **state)
{
	(void)state;
	unlinkat(place_fd, "one", 0);
	unlinkat(place_fd, "two", 0);
	close(place_fd);
	return rmdir(place);
}

static void touch(const char *name)
{
	int fd = openat(place_fd, name, O_WRONLY | O_CREAT, 0600);

	assert_true(fd >= 0);
	close(fd);
}

static bool is_there(const char *name)
{
	return faccessat(place_fd, name, F_OK, 0) == 0;
}

/* One way of renaming "one" to "two" keeps the promises of file_rename. */
static void assert_way(int (*way)(const struct move *move))
{
	struct move move = {place_fd, "one", place_fd, "two"};

	assert_int_equal(way(&move), ENOENT);
	touch("one");
	touch("two");
	assert_int_equal(way(&move), EEXIST);
	assert_true(is_there("one") && is_there("two"));
	unlinkat(place_fd, "two", 0);
	assert_int_equal(way(&move), 0);
	assert_true(!is_there("one") && is_there("two"));
	unlinkat(place_fd, "two", 0);
}

static void move_by_link_never_replaces(void **state)
{
	(void)state;
	assert_way(move_by_link);
}

static void move_looking_first_never_replaces(void **state)
{
	(void)state;
	assert_way(move_looking_first);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(move_by_link_never_replaces),
		cmocka_unit_test(move_looking_first_never_replaces),
	};

	return cmocka_run_group_tests(tests, place_make, place_remove);
}
