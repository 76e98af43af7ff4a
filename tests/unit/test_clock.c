#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "mailsync/base/clock.h"

static void clock_monotonic_never_goes_back(void **state)
{
	int64_t before = clock_monotonic_us();

	(void)state;
	for (int i = 0; i < 1000; i++) {
		int64_t now = clock_monotonic_us();
		assert_true(now >= before);
		before = now;
	}
	assert_true(clock_monotonic_ms() - before / 1000 < 60000);
}

static void clock_real_counts_from_1970(void **state)
{
	(void)state;
	assert_true(clock_real_ns() > INT64_C(1700000000) * 1000000000);
}

static void clock_boot_id_stays_while_running(void **state)
{
	char first[BOOT_ID_SIZE], second[BOOT_ID_SIZE];

	(void)state;
	clock_boot_id(first);
	clock_boot_id(second);
	assert_string_equal(first, second);
	assert_null(strchr(first, '\n'));
#ifdef __linux__
	assert_int_equal(strlen(first), 36);
#endif
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(clock_monotonic_never_goes_back),
		cmocka_unit_test(clock_real_counts_from_1970),
		cmocka_unit_test(clock_boot_id_stays_while_running),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
