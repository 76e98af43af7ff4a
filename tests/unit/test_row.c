#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "mailsync/model/row.h"

static struct row settled_row(void)
{
	struct row row;

	row_init(&row);
	row.uid = 7;
	row.is_agreed = true;
	row.local = MESSAGE_PRESENT;
	row.remote = MESSAGE_PRESENT;
	row.flags = row.local_flags = row.remote_flags = 3;
	return row;
}

static void row_that_both_sides_agree_on_is_settled(void **state)
{
	(void)state;
	struct row row = settled_row();

	assert_true(row_is_settled(&row));
	assert_false(row_is_void(&row));
}

static void row_with_any_difference_is_pending(void **state)
{
	(void)state;
	struct row row = settled_row();

	row.local_flags = 1;
	assert_false(row_is_settled(&row));
	row = settled_row();
	row.remote_flags = 1;
	assert_false(row_is_settled(&row));
	row = settled_row();
	row.is_agreed = false;
	assert_false(row_is_settled(&row));
	row = settled_row();
	row.remote = MESSAGE_GONE;
	assert_false(row_is_settled(&row));
	assert_false(row_is_void(&row));
}

static void row_present_nowhere_is_void(void **state)
{
	(void)state;
	struct row row = settled_row();

	row.local = MESSAGE_GONE;
	assert_false(row_is_void(&row));
	row.remote = MESSAGE_GONE;
	assert_true(row_is_void(&row));
	row_init(&row);
	assert_true(row_is_void(&row));
	row.local = MESSAGE_PRESENT;
	assert_false(row_is_void(&row));
}

static void row_list_grows_and_frees(void **state)
{
	(void)state;
	struct err err;
	struct row_list list;

	row_list_init(&list);
	for (uint32_t uid = 1; uid <= 100; uid++) {
		struct row *row = row_list_add(&list, &err);
		assert_non_null(row);
		assert_string_equal(row->unique, "");
		row->uid = uid;
		assert_int_equal(row_set_unique(row, "name", 4, &err), 0);
	}
	assert_int_equal(list.count, 100);
	assert_int_equal(list.items[41].uid, 42);
	assert_string_equal(list.items[99].unique, "name");
	row_list_finish(&list);
	assert_int_equal(list.count, 0);
}

static void a_mark_that_is_not_known_equals_none(void **state)
{
	const struct file_mark mark = {5, 6, 7};
	const struct file_mark none = {0};
	(void)state;
	assert_true(file_mark_equal(&mark, &(struct file_mark){5, 6, 7}));
	assert_false(file_mark_equal(&mark, &(struct file_mark){4, 6, 7}));
	assert_false(file_mark_equal(&mark, &(struct file_mark){5, 5, 7}));
	assert_false(file_mark_equal(&mark, &(struct file_mark){5, 6, 8}));
	assert_false(file_mark_equal(&none, &none));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(row_that_both_sides_agree_on_is_settled),
		cmocka_unit_test(row_with_any_difference_is_pending),
		cmocka_unit_test(row_present_nowhere_is_void),
		cmocka_unit_test(row_list_grows_and_frees),
		cmocka_unit_test(a_mark_that_is_not_known_equals_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
