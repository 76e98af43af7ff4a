#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "mailsync/base/array.h"

struct pair {
	uint32_t key;
	uint32_t value;
};

struct pairs {
	struct pair *items;
	size_t count, cap;
};

static void pairs_add(struct pairs *pairs, uint32_t key)
{
	struct err err;

	assert_int_equal(ARRAY_RESERVE(&pairs->items, pairs->count + 1, &pairs->cap, &err), 0);
	pairs->items[pairs->count] = (struct pair){key, (uint32_t)pairs->count};
	pairs->count++;
}

static int compare_key(const void *key, const void *item)
{
	uint32_t x = *(const uint32_t *)key, y = ((const struct pair *)item)->key;

	return (x > y) - (x < y);
}

static int compare_text(const void *key, const void *item)
{
	return strcmp(key, *(const char *const *)item);
}

static size_t pairs_lower_bound(const struct pairs *pairs, uint32_t key)
{
	return array_lower_bound(pairs->items, pairs->count, sizeof(*pairs->items), &key,
				 compare_key);
}

static const struct pair *pairs_find(const struct pairs *pairs, uint32_t key)
{
	return array_find(pairs->items, pairs->count, sizeof(*pairs->items), &key, compare_key);
}

static void array_keeps_its_items_as_it_grows(void **state)
{
	struct pairs pairs = {0};
	size_t moves = 0;

	(void)state;
	for (uint32_t i = 0; i < 100000; i++) {
		size_t before = pairs.cap;
		pairs_add(&pairs, i);
		moves += pairs.cap != before;
	}
	for (uint32_t i = 0; i < 100000; i++) {
		assert_int_equal(pairs.items[i].key, i);
		assert_int_equal(pairs.items[i].value, i);
	}
	assert_true(pairs.cap >= 100000);
	assert_true(moves < 20); /* doubling, not one at a time */
	free(pairs.items);
}

static void array_does_not_move_while_there_is_room(void **state)
{
	char *text = NULL, *before;
	size_t cap = 0;
	struct err err;

	(void)state;
	assert_int_equal(ARRAY_RESERVE(&text, 0, &cap, &err), 0);
	assert_null(text);
	assert_int_equal(ARRAY_RESERVE(&text, 1000, &cap, &err), 0);
	assert_true(cap >= 1000);
	before = text;
	assert_int_equal(ARRAY_RESERVE(&text, cap, &cap, &err), 0);
	assert_ptr_equal(text, before);
	free(text);
}

static void array_refuses_more_than_memory_can_be(void **state)
{
	struct pairs pairs = {0};
	struct err err;

	(void)state;
	pairs_add(&pairs, 7);
	struct pairs before = pairs;
	const size_t sizes[] = {SIZE_MAX, SIZE_MAX / 2 + 2, SIZE_MAX / sizeof(struct pair) + 1};
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		assert_int_equal(ARRAY_RESERVE(&pairs.items, sizes[i], &pairs.cap, &err),
				 -ERR_NOMEM);
		assert_int_equal(err.code, ERR_NOMEM);
		assert_memory_equal(&pairs, &before, sizeof(pairs));
	}
	assert_int_equal(pairs.items[0].key, 7);
	free(pairs.items);
}

static void array_search_finds_the_first_of_equals_and_where_another_goes(void **state)
{
	struct pairs pairs = {0};

	(void)state;
	for (uint32_t i = 0; i < 50; i++) {
		for (uint32_t twin = 0; twin <= i % 3; twin++) {
			pairs_add(&pairs, i * 2 + 1);
		}
		for (uint32_t key = 0; key <= i * 2 + 2; key++) {
			size_t expected = 0;
			while (expected < pairs.count && pairs.items[expected].key < key) {
				expected++;
			}
			assert_int_equal(pairs_lower_bound(&pairs, key), expected);
			const struct pair *found = pairs_find(&pairs, key);
			if (key % 2 == 0) {
				assert_null(found);
			} else {
				assert_ptr_equal(found, &pairs.items[expected]);
			}
		}
	}
	free(pairs.items);
}

static void array_search_takes_an_array_of_pointers(void **state)
{
	const char *names[] = {"Archive", "Drafts", "INBOX", "Sent"};

	(void)state;
	assert_ptr_equal(array_find(names, 4, sizeof(names[0]), "INBOX", compare_text), &names[2]);
	assert_null(array_find(names, 4, sizeof(names[0]), "Trash", compare_text));
	assert_int_equal(array_lower_bound(names, 4, sizeof(names[0]), "E", compare_text), 2);
}

static void array_search_finds_nothing_in_nothing(void **state)
{
	struct pairs pairs = {0};

	(void)state;
	assert_int_equal(pairs_lower_bound(&pairs, 1), 0);
	assert_null(pairs_find(&pairs, 1));
}

static size_t compared;

static int compare_numbers(const void *one, const void *other)
{
	int x = *(const int *)one;
	int y = *(const int *)other;
	compared++;
	return (x > y) - (x < y);
}

static void what_is_sorted_is_looked_at_once(void **state)
{
	int sorted[] = {1, 2, 2, 3};
	int unsorted[] = {1, 3, 2};
	const int expected[] = {1, 2, 3};
	(void)state;
	compared = 0;
	array_sort(sorted, 4, sizeof(int), compare_numbers);
	assert_int_equal(compared, 3);
	array_sort(unsorted, 3, sizeof(int), compare_numbers);
	assert_memory_equal(unsorted, expected, sizeof(expected));
	array_sort(NULL, 0, sizeof(int), compare_numbers);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(array_keeps_its_items_as_it_grows),
		cmocka_unit_test(what_is_sorted_is_looked_at_once),
		cmocka_unit_test(array_does_not_move_while_there_is_room),
		cmocka_unit_test(array_refuses_more_than_memory_can_be),
		cmocka_unit_test(array_search_finds_the_first_of_equals_and_where_another_goes),
		cmocka_unit_test(array_search_takes_an_array_of_pointers),
		cmocka_unit_test(array_search_finds_nothing_in_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
