#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "mailsync/base/strlist.h"

static void strlist_finds_every_item_after_sorting(void **state)
{
	struct strlist list;
	struct err err;
	char name[16];

	(void)state;
	strlist_init(&list);
	assert_int_equal(strlist_find(&list, "any"), -1);
	assert_false(strlist_has(&list, "any") || strlist_has(NULL, "any"));
	strlist_sort(&list);
	for (int i = 100; i > 0; i--) {
		snprintf(name, sizeof(name), "%d", i);
		assert_int_equal(strlist_add(&list, span_of(name), &err), 0);
	}
	assert_true(strlist_has(&list, "1") && strlist_has(&list, "100"));
	assert_false(strlist_has(&list, "10 ") || strlist_has(&list, ""));
	strlist_sort(&list);
	for (int i = 100; i > 0; i--) {
		snprintf(name, sizeof(name), "%d", i);
		long at = strlist_find(&list, name);
		assert_true(at >= 0);
		assert_string_equal(list.items[at], name);
	}
	assert_int_equal(strlist_find(&list, "101"), -1);
	assert_int_equal(strlist_find(&list, ""), -1);
	strlist_finish(&list);
	assert_int_equal(list.count, 0);
}

static void strlist_refuses_an_inner_nul(void **state)
{
	struct strlist list;
	struct err err;

	(void)state;
	strlist_init(&list);
	assert_int_equal(strlist_add(&list, SPAN_LIT("a\0b"), &err), -ERR_PROTOCOL);
	assert_int_equal(list.count, 0);
	strlist_finish(&list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(strlist_finds_every_item_after_sorting),
		cmocka_unit_test(strlist_refuses_an_inner_nul),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
