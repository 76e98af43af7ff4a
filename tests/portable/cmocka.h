/*
 * As much of cmocka as the C tests use, in one header of C11 alone, for a libc that no cmocka was
 * made for (tests/portable/run). The first check that fails ends the program. What is printed at
 * the end is what tests/run counts.
 */
#ifndef TESTS_PORTABLE_CMOCKA_H
#define TESTS_PORTABLE_CMOCKA_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef void (*CMUnitTestFunction)(void **state);
typedef int (*CMFixtureFunction)(void **state);

struct CMUnitTest {
	const char *name;
	CMUnitTestFunction test_func;
	CMFixtureFunction setup_func, teardown_func;
	void *initial_state;
};

#define cmocka_unit_test(f)             \
	{                               \
#f, f, NULL, NULL, NULL \
	}
#define cmocka_unit_test_setup(f, up) \
	{                             \
#f, f, up, NULL, NULL \
	}
#define cmocka_unit_test_teardown(f, down) \
	{                                  \
#f, f, NULL, down, NULL    \
	}
#define cmocka_unit_test_setup_teardown(f, up, down) \
	{                                            \
#f, f, up, down, NULL                \
	}
#define cmocka_unit_test_prestate(f, state) \
	{                                   \
#f, f, NULL, NULL, state    \
	}
#define cmocka_unit_test_prestate_setup_teardown(f, up, down, state) \
	{                                                            \
#f, f, up, down, state                               \
	}

static unsigned cmocka_skipped;

#define print_error(...)   ((void)fprintf(stderr, __VA_ARGS__))
#define print_message(...) ((void)printf(__VA_ARGS__))
#define skip()                    \
	do {                      \
		cmocka_skipped++; \
		return;           \
	} while (0)
#define fail()        cmocka_fail("failed", __FILE__, __LINE__)
#define fail_msg(...) (print_error(__VA_ARGS__), cmocka_fail("", __FILE__, __LINE__))

static inline void cmocka_fail(const char *what, const char *file, int line)
{
	(void)fprintf(stderr, "%s\n%s:%d: error\n", what, file, line);
	exit(EXIT_FAILURE);
}

static inline void cmocka_check(int is_so, const char *what, const char *file, int line)
{
	if (!is_so) {
		cmocka_fail(what, file, line);
	}
}

static inline void cmocka_equal(unsigned long long x, unsigned long long y, const char *what,
				const char *file, int line)
{
	if (x != y) {
		(void)fprintf(stderr, "%#llx, %#llx: ", x, y);
		cmocka_fail(what, file, line);
	}
}

static inline void cmocka_text(const char *x, const char *y, const char *file, int line)
{
	if (strcmp(x, y) != 0) {
		(void)fprintf(stderr, "\"%s\" is not \"%s\"", x, y);
		cmocka_fail("", file, line);
	}
}

#define CMOCKA_CHECK(x, what)  cmocka_check((x), what, __FILE__, __LINE__)
#define assert_true(x)         CMOCKA_CHECK(!!(x), #x)
#define assert_false(x)        CMOCKA_CHECK(!(x), "not " #x)
#define assert_null(x)         CMOCKA_CHECK((x) == NULL, #x " is NULL")
#define assert_non_null(x)     CMOCKA_CHECK((x) != NULL, #x " is not NULL")
#define assert_ptr_equal(x, y) CMOCKA_CHECK((const void *)(x) == (const void *)(y), #x " is " #y)
#define assert_ptr_not_equal(x, y) \
	CMOCKA_CHECK((const void *)(x) != (const void *)(y), #x " is not " #y)
#define assert_string_equal(x, y)     cmocka_text((x), (y), __FILE__, __LINE__)
#define assert_string_not_equal(x, y) CMOCKA_CHECK(strcmp((x), (y)) != 0, #x " is not " #y)
#define assert_memory_equal(x, y, n)  CMOCKA_CHECK(memcmp((x), (y), (n)) == 0, #x " holds " #y)
#define assert_int_equal(x, y)                                                                 \
	cmocka_equal((unsigned long long)(x), (unsigned long long)(y), #x " is " #y, __FILE__, \
		     __LINE__)
#define assert_int_not_equal(x, y) \
	CMOCKA_CHECK((unsigned long long)(x) != (unsigned long long)(y), #x " is not " #y)
#define assert_in_range(x, low, high)                                               \
	CMOCKA_CHECK((unsigned long long)(x) >= (unsigned long long)(low) &&        \
			     (unsigned long long)(x) <= (unsigned long long)(high), \
		     #x " is from " #low " to " #high)

static inline void cmocka_must(CMFixtureFunction step, void **state, const char *name)
{
	if (step && step(state) != 0) {
		cmocka_fail(name, __FILE__, __LINE__);
	}
}

static inline int cmocka_run(const struct CMUnitTest *tests, size_t count, CMFixtureFunction up,
			     CMFixtureFunction down)
{
	void *shared = NULL;

	cmocka_must(up, &shared, "set-up");
	for (size_t i = 0; i < count; i++) {
		void *state = tests[i].initial_state;
		(void)fprintf(stderr, "%s\n", tests[i].name);
		cmocka_must(tests[i].setup_func, &state, "set-up");
		tests[i].test_func(&state);
		cmocka_must(tests[i].teardown_func, &state, "teardown");
	}
	cmocka_must(down, &shared, "teardown");
	(void)printf("%u passed, 0 failed\n", (unsigned)count - cmocka_skipped);
	return 0;
}

#define cmocka_run_group_tests(tests, up, down) \
	cmocka_run((tests), sizeof(tests) / sizeof((tests)[0]), (up), (down))

#endif
