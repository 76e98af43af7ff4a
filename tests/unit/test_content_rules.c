/* Is a file still the message that base knows (rules/content_rules.h)? */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rules/content_rules.h"

static const struct row known = {.is_agreed = true,
				 .size = {true, 10},
				 .has_digest = true,
				 .digest = {1},
				 .has_content = true,
				 .content = {2},
				 .mark = {10, 5, 77}};
static const struct content_facts same = {
	.mark = {10, 6, 78}, .was_read = true, .digest = {1}, .content = {2}};

static void C1_a_file_that_stands_as_it_was_is_not_read(void **state)
{
	const struct content_facts facts = {.mark = {10, 5, 77}};
	(void)state;
	assert_false(content_is_in_doubt(&known, &facts.mark));
	assert_int_equal(content_verdict(&known, &facts), CONTENT_SAME);
	assert_true(content_is_in_doubt(&known, &(struct file_mark){11, 5, 77}));
	assert_true(content_is_in_doubt(&known, &(struct file_mark){10, 6, 77}));
	assert_true(content_is_in_doubt(&known, &(struct file_mark){10, 5, 78}));
}

static void C1_a_mark_that_is_not_known_leaves_a_doubt(void **state)
{
	struct row row = known;
	(void)state;
	row.mark = (struct file_mark){0};
	assert_true(content_is_in_doubt(&row, &(struct file_mark){0}));
	assert_int_equal(content_verdict(&row, &same), CONTENT_SAME);
}

static void C2_the_digest_of_the_content_decides(void **state)
{
	struct content_facts facts = same;
	(void)state;
	assert_int_equal(content_verdict(&known, &facts), CONTENT_SAME);
	facts.content[0] = 3;
	assert_int_equal(content_verdict(&known, &facts), CONTENT_OTHER);
	facts = same;
	facts.digest[0] = 9;        /* what is read is equal, whatever else is said of it: */
	facts.mark.size_bytes = 12; /* CRLF where there were LFs */
	assert_int_equal(content_verdict(&known, &facts), CONTENT_SAME);
}

static void C3_without_it_header_and_size_decide(void **state)
{
	struct row row = known;
	struct content_facts facts = same;
	(void)state;
	row.has_content = false;
	facts.content[0] = 3;
	assert_int_equal(content_verdict(&row, &facts), CONTENT_SAME);
	facts.digest[0] = 9;
	assert_int_equal(content_verdict(&row, &facts), CONTENT_OTHER);
	facts = same;
	facts.mark.size_bytes = 11;
	assert_int_equal(content_verdict(&row, &facts), CONTENT_OTHER);
	row.size = UNTOLD;
	assert_int_equal(content_verdict(&row, &facts), CONTENT_SAME);
	row.has_digest = false;
	assert_int_equal(content_verdict(&row, &facts), CONTENT_OTHER);
	row.size = told(11);
	assert_int_equal(content_verdict(&row, &facts), CONTENT_SAME);
}

static void C4_what_was_not_read_cannot_be_told(void **state)
{
	struct content_facts facts = same;
	(void)state;
	facts.was_read = false;
	assert_int_equal(content_verdict(&known, &facts), CONTENT_UNKNOWN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(C1_a_file_that_stands_as_it_was_is_not_read),
		cmocka_unit_test(C1_a_mark_that_is_not_known_leaves_a_doubt),
		cmocka_unit_test(C2_the_digest_of_the_content_decides),
		cmocka_unit_test(C3_without_it_header_and_size_decide),
		cmocka_unit_test(C4_what_was_not_read_cannot_be_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
