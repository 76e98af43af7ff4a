#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include <cmocka.h>

#include "mailsync/base/secret.h"

static void secret_holds_any_bytes_and_a_terminator(void **state)
{
	struct secret secret;
	struct err err;

	(void)state;
	secret_init(&secret);
	assert_int_equal(secret_span(&secret).len, 0);
	assert_int_equal(secret_set(&secret, SPAN_LIT("p\0w"), &err), 0);
	assert_true(span_equal(secret_span(&secret), SPAN_LIT("p\0w")));
	assert_int_equal(secret.data[3], '\0');
	assert_int_equal(secret_set(&secret, span_of(NULL), &err), 0);
	assert_string_equal(secret.data, "");
	secret_finish(&secret);
	assert_null(secret.data);
	secret_finish(&secret);
}

static void secret_may_be_set_from_its_own_bytes(void **state)
{
	struct secret secret;
	struct err err;

	(void)state;
	secret_init(&secret);
	assert_int_equal(secret_set(&secret, SPAN_LIT("hunter2\n"), &err), 0);
	struct span line = {secret.data, secret.len - 1};
	assert_int_equal(secret_set(&secret, line, &err), 0);
	assert_string_equal(secret.data, "hunter2");
	secret_finish(&secret);
}

static void secret_over_its_maximum_changes_nothing_and_is_not_told(void **state)
{
	char *token = calloc(1, SECRET_MAX + 1);
	struct secret secret;
	struct err err;

	(void)state;
	assert_non_null(token);
	memset(token, 'T', SECRET_MAX + 1);
	secret_init(&secret);
	assert_int_equal(secret_set(&secret, (struct span){token, SECRET_MAX}, &err), 0);
	assert_int_equal(secret.len, SECRET_MAX);
	assert_int_equal(secret_set(&secret, (struct span){token, SECRET_MAX + 1}, &err),
			 -ERR_CONFIG);
	assert_int_equal(secret.len, SECRET_MAX);
	assert_null(strstr(err.text, "TTT"));
	secret_finish(&secret);
	free(token);
}

static void secret_wipe_leaves_zeroes(void **state)
{
	char bytes[4] = {'a', 'b', 'c', 'd'};

	(void)state;
	secret_wipe(bytes, 3);
	assert_memory_equal(bytes, "\0\0\0d", 4);
}

static void secret_protect_process_forbids_core_dumps(void **state)
{
	struct rlimit limit;

	(void)state;
	secret_protect_process();
	assert_int_equal(getrlimit(RLIMIT_CORE, &limit), 0);
	assert_true(limit.rlim_cur <= 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(secret_holds_any_bytes_and_a_terminator),
		cmocka_unit_test(secret_may_be_set_from_its_own_bytes),
		cmocka_unit_test(secret_over_its_maximum_changes_nothing_and_is_not_told),
		cmocka_unit_test(secret_wipe_leaves_zeroes),
		cmocka_unit_test(secret_protect_process_forbids_core_dumps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
