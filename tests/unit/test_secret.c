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

/* Sizes that lie in slots of either kind, and in a mapping of their own. */
static void secrets_of_all_sizes_stand_beside_each_other(void **state)
{
	static const size_t sizes[] = {0,    1,    126,  127,  128,  129,
				       2046, 2047, 2048, 4095, 4096, 9000};
	enum {
		COUNT = sizeof(sizes) / sizeof(sizes[0]),
		EACH = 100
	};
	static struct secret secrets[COUNT * EACH];
	char bytes[9000];
	struct err err;

	(void)state;
	for (size_t turn = 0; turn < 2; turn++) {
		for (size_t i = 0; i < COUNT * EACH; i++) {
			memset(bytes, (int)(i % 251 + 1), sizeof(bytes));
			assert_int_equal(secret_set(&secrets[i],
						    (struct span){bytes, sizes[(i + turn) % COUNT]},
						    &err),
					 0);
		}
		for (size_t i = 0; i < COUNT * EACH; i++) {
			const size_t len = sizes[(i + turn) % COUNT];
			memset(bytes, (int)(i % 251 + 1), sizeof(bytes));
			assert_int_equal(secrets[i].len, len);
			assert_memory_equal(secrets[i].data, bytes, len);
			assert_int_equal(secrets[i].data[len], '\0');
		}
	}
	for (size_t i = 0; i < COUNT * EACH; i++) {
		secret_finish(&secrets[i]);
	}
}

/* What a slot held is gone before the next secret gets it. */
static void a_secret_leaves_nothing_for_the_next_one(void **state)
{
	struct secret one = {0}, other = {0};
	struct err err;

	(void)state;
	assert_int_equal(secret_set(&one, SPAN_LIT("a long password"), &err), 0);
	const char *place = one.data;
	secret_finish(&one);
	assert_int_equal(secret_set(&other, SPAN_LIT("x"), &err), 0);
	assert_ptr_equal(other.data, place);
	assert_memory_equal(other.data, "x\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 15);
	secret_finish(&other);
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
		cmocka_unit_test(secrets_of_all_sizes_stand_beside_each_other),
		cmocka_unit_test(a_secret_leaves_nothing_for_the_next_one),
		cmocka_unit_test(secret_wipe_leaves_zeroes),
		cmocka_unit_test(secret_protect_process_forbids_core_dumps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
