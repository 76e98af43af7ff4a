#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "mailsync/store/maildir.h"

#define ROOTS_MAX 6
#define MANY      2000

struct scene {
	const char *roots[ROOTS_MAX]; /* NULL behind the last */
	size_t culprit;               /* the count: none */
	bool is_inside;               /* in the first */
};

static int check(const char *const *paths, size_t count, size_t *culprit, size_t *around,
		 struct err *err)
{
	static struct maildir_params params[MANY];
	static struct maildir_root roots[MANY];

	for (size_t i = 0; i < count; i++) {
		params[i] = (struct maildir_params){.root = paths[i], .inbox_folder = "INBOX"};
		roots[i] = (struct maildir_root){"account", &params[i]};
	}
	*culprit = count;
	return maildir_check_roots(roots, count, culprit, around, err);
}

static void a_root_in_or_around_an_earlier_one_is_the_culprit(void **state)
{
	static const struct scene scenes[] = {
		{{"/nowhere/a", "/nowhere/b"}, 2, false},
		{{"/nowhere/a", "/nowhere/a"}, 1, false},
		{{"/nowhere/a", "/nowhere/b", "/nowhere/a/c"}, 2, true},
		{{"/nowhere/a/c", "/nowhere/b", "/nowhere/a"}, 2, false},
		{{"/nowhere/a/", "/nowhere/b", "/nowhere/a"}, 2, false},
		/* What sorts between a directory and what lies in it. */
		{{"/nowhere/a", "/nowhere/a-b", "/nowhere/a.b", "/nowhere/a b", "/nowhere/ab"},
		 5,
		 false},
		{{"/nowhere/a", "/nowhere/a-b", "/nowhere/a!", "/nowhere/a/x/y"}, 3, true},
		{{"/nowhere/a/x/y", "/nowhere/a-b", "/nowhere/a!", "/nowhere/a"}, 3, false},
		/* The first one that is in the way of an earlier one. */
		{{"/nowhere/b", "/nowhere/a", "/nowhere/b/x", "/nowhere/a/x"}, 2, true},
		{{"/nowhere/\xC3\xA4", "/nowhere/\xC3\xA4/x"}, 1, true},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(scenes) / sizeof(scenes[0]); i++) {
		size_t count = 0, culprit, around;
		struct err err;
		while (count < ROOTS_MAX && scenes[i].roots[count] != NULL) {
			count++;
		}
		int code = check(scenes[i].roots, count, &culprit, &around, &err);
		assert_int_equal(around, scenes[i].is_inside ? 0 : count);
		if (scenes[i].culprit == count) {
			assert_int_equal(code, 0);
		} else {
			assert_int_equal(code, -ERR_CONFIG);
			assert_int_equal(culprit, scenes[i].culprit);
			assert_non_null(strstr(err.text, scenes[i].roots[culprit]));
		}
	}
}

static void one_among_many_is_found(void **state)
{
	static char names[MANY][32];
	static const char *paths[MANY];
	static char inside[64];
	size_t culprit, around;
	struct err err;

	(void)state;
	for (size_t i = 0; i < MANY; i++) {
		snprintf(names[i], sizeof(names[i]), "/nowhere/%zu", i * 7919 % MANY);
		paths[i] = names[i];
	}
	assert_int_equal(check(paths, MANY, &culprit, &around, &err), 0);
	snprintf(inside, sizeof(inside), "%s/in", names[3]);
	paths[1500] = inside;
	assert_int_equal(check(paths, MANY, &culprit, &around, &err), -ERR_CONFIG);
	assert_int_equal(culprit, 1500);
	assert_int_equal(around, 3);
	assert_non_null(strstr(err.text, names[3]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_root_in_or_around_an_earlier_one_is_the_culprit),
		cmocka_unit_test(one_among_many_is_found),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
