/* For good or for now, when again, and in which order (rules/refusal_rules.h). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rules/refusal_rules.h"

#define MINUTE      60
#define HOUR        3600
#define DAY         (24 * HOUR)
#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

static const int64_t start = 1700000000;

/* Refused as KIND by a run that begins NOW and asks ten seconds later. */
static struct refusal refused(const struct refusal *known, enum refusal_kind kind, int64_t now)
{
	const struct refusal_event event = {
		.kind = kind, .now = now + 10, .run = now, .flags = 1, .size_bytes = 100};
	return refusal_after(known, &event);
}

static void codes_of_the_message_are_for_good(void **state) /* N1 */
{
	(void)state;
	assert_int_equal(refusal_kind_of(REMOTE_REFUSAL_TOOBIG), REFUSAL_LASTING);
	assert_int_equal(refusal_kind_of(REMOTE_REFUSAL_CANNOT), REFUSAL_LASTING);
	assert_int_equal(refusal_kind_of(REMOTE_REFUSAL_NONE), REFUSAL_NONE);
	struct refusal first = refused(NULL, REFUSAL_LASTING, start);
	assert_true(refusal_is_lasting(&first));
	assert_int_equal(first.flags, 1);
	assert_int_equal(first.size_bytes, 100);
}

static void larger_than_the_server_takes_is_for_good(void **state) /* N2 */
{
	(void)state;
	struct refusal first = refused(NULL, REFUSAL_LIMIT, start);
	assert_true(refusal_is_lasting(&first));
}

static void without_a_reason_company_decides(void **state) /* N3 */
{
	(void)state;
	assert_int_equal(refusal_kind_of(REMOTE_REFUSAL_UNCODED), REFUSAL_OPEN);
	assert_int_equal(refusal_kind_of(REMOTE_REFUSAL_OTHER), REFUSAL_OPEN);
	struct refusal first = refused(NULL, REFUSAL_OPEN, start);
	assert_false(refusal_is_lasting(&first));
	assert_int_equal(refusal_in_company(&first, start), REFUSAL_LASTING);
	assert_int_equal(refusal_in_company(&first, start + MINUTE), REFUSAL_OPEN);
	struct refusal now = refused(NULL, REFUSAL_NOW, start);
	assert_int_equal(refusal_in_company(&now, start), REFUSAL_NOW);
}

static void alone_three_runs_over_an_hour_decide(void **state) /* N4 */
{
	(void)state;
	struct refusal one = refused(NULL, REFUSAL_OPEN, start);
	struct refusal two = refused(&one, REFUSAL_OPEN, start + HOUR);
	assert_int_equal(two.runs, 2);
	assert_false(refusal_is_lasting(&two));
	/* One run that tries it twice counts once. */
	const struct refusal_event same = {
		.kind = REFUSAL_OPEN, .now = start + 2 * HOUR, .run = start + HOUR};
	struct refusal again = refusal_after(&two, &same);
	assert_int_equal(again.runs, 2);
	assert_false(refusal_is_lasting(&again));
	struct refusal three = refused(&two, REFUSAL_OPEN, start + HOUR + MINUTE);
	assert_true(refusal_is_lasting(&three));
	/* Three that are not an hour apart prove nothing. */
	two = refused(&one, REFUSAL_OPEN, start + MINUTE);
	three = refused(&two, REFUSAL_OPEN, start + 2 * MINUTE);
	assert_false(refusal_is_lasting(&three));
	three = refused(&three, REFUSAL_OPEN, start + HOUR);
	assert_true(refusal_is_lasting(&three));
	/* A clock that went back begins anew. */
	two = refused(&one, REFUSAL_OPEN, start - DAY);
	assert_int_equal(two.runs, 1);
	assert_int_equal(two.since, start - DAY + 10);
}

static void other_reasons_are_never_for_good(void **state) /* N5 */
{
	static const enum remote_refusal codes[] = {
		REMOTE_REFUSAL_BUSY,        REMOTE_REFUSAL_PASSING,
		REMOTE_REFUSAL_NOPERM,      REMOTE_REFUSAL_TRYCREATE,
		REMOTE_REFUSAL_NONEXISTENT, REMOTE_REFUSAL_ALREADY_EXISTS};
	struct refusal known = refused(NULL, REFUSAL_OPEN, start);
	(void)state;
	for (size_t i = 0; i < COUNT(codes); i++) {
		assert_int_equal(refusal_kind_of(codes[i]), REFUSAL_NOW);
	}
	assert_int_equal(refusal_kind_of(REMOTE_REFUSAL_OVERQUOTA), REFUSAL_QUOTA);
	for (int day = 0; day < 30; day++) {
		known = refused(&known, day % 2 == 0 ? REFUSAL_NOW : REFUSAL_QUOTA,
				start + day * DAY);
		assert_false(refusal_is_lasting(&known));
		assert_int_equal(known.runs, 1);
	}
	known = refused(NULL, REFUSAL_LASTING, start);
	known.is_told = true;
	struct refusal next = refused(&known, REFUSAL_NOW, start + DAY);
	assert_false(refusal_is_lasting(&next));
	/* Nothing new is what was for good and is refused without a reason. */
	next = refused(&known, REFUSAL_OPEN, start + DAY);
	assert_true(refusal_is_lasting(&next) && next.is_told);
	next = refused(&known, REFUSAL_LIMIT, start + DAY);
	assert_true(refusal_is_lasting(&next) && !next.is_told);
}

static void what_is_for_good_is_tried_again_when_it_may_pass(void **state) /* N6 */
{
	(void)state;
	struct refusal known = refused(NULL, REFUSAL_LASTING, start);
	struct refusal_facts facts = {.is_same_file = true, .flags = 1, .now = start + HOUR};
	assert_false(refusal_is_due(&known, &facts));
	facts.flags = 3;
	assert_true(refusal_is_due(&known, &facts));
	facts.flags = 1;
	facts.is_same_file = false;
	assert_true(refusal_is_due(&known, &facts));
	facts.is_same_file = true;
	facts.now = start + DAY;
	assert_false(refusal_is_due(&known, &facts));
	facts.now = known.last + DAY;
	assert_true(refusal_is_due(&known, &facts));
	facts.now = start - MINUTE;
	assert_true(refusal_is_due(&known, &facts));
	facts.now = start + HOUR;
	facts.limit = told(1000); /* says nothing of another reason */
	assert_false(refusal_is_due(&known, &facts));
	known.kind = REFUSAL_LIMIT;
	assert_true(refusal_is_due(&known, &facts));
	facts.limit = told(100);
	assert_true(refusal_is_due(&known, &facts));
	facts.limit = told(99);
	facts.now = start + 2 * DAY;
	assert_false(refusal_is_due(&known, &facts));
	facts.limit = UNTOLD;
	assert_true(refusal_is_due(&known, &facts));
	known.kind = REFUSAL_OPEN;
	assert_true(refusal_is_due(&known, &facts));
}

static void goes_before(struct refusal_turn one, struct refusal_turn other, bool by_size)
{
	one.by_size = other.by_size = by_size;
	assert_true(refusal_turn_compare(&one, &other) < 0);
	assert_true(refusal_turn_compare(&other, &one) > 0);
}

static void what_was_refused_goes_last(void **state) /* N7, N8 */
{
	const struct refusal_turn large = {REFUSAL_NONE, 900, false, 0, false};
	const struct refusal_turn small = {REFUSAL_NONE, 100, false, 1, false};
	const struct refusal_turn open = {REFUSAL_OPEN, 50, false, 2, false};
	const struct refusal_turn now = {REFUSAL_NOW, 40, false, 3, false};
	const struct refusal_turn full = {REFUSAL_QUOTA, 500, false, 4, false};
	const struct refusal_turn failed = {REFUSAL_NONE, 10, true, 5, false};
	(void)state;
	goes_before(large, failed, false);
	goes_before(full, failed, true);
	goes_before(large, small, false);
	goes_before(small, now, false);
	goes_before(now, open, false);
	goes_before(small, full, true);
	goes_before(full, large, true);
	goes_before(large, now, true);
	assert_int_equal(refusal_turn_compare(&large, &large), 0);
}

static void after_overquota_only_smaller_ones_go(void **state) /* N8 */
{
	struct refusal_course course = {0};
	(void)state;
	refusal_course_note(&course, REMOTE_REFUSAL_NONE, 100);
	assert_false(course.is_wary);
	refusal_course_note(&course, REMOTE_REFUSAL_OVERQUOTA, 500);
	assert_true(course.is_wary && !course.is_over);
	assert_true(refusal_course_admits(&course, 499));
	assert_false(refusal_course_admits(&course, 500));
	refusal_course_note(&course, REMOTE_REFUSAL_NONE, 100);
	assert_true(course.is_wary); /* there is little room */
	refusal_course_note(&course, REMOTE_REFUSAL_OVERQUOTA, 600);
	assert_true(refusal_course_admits(&course, 499));
	refusal_course_note(&course, REMOTE_REFUSAL_OVERQUOTA, 200);
	assert_false(refusal_course_admits(&course, 200));
	course = (struct refusal_course){.is_wary = true};
	refusal_course_note(&course, REMOTE_REFUSAL_UNCODED, 100);
	assert_true(course.is_wary);
	refusal_course_note(&course, REMOTE_REFUSAL_NONE, 100);
	assert_false(course.is_wary);
}

static void patience_is_heeded(void **state) /* N9 */
{
	struct refusal_course course = {0};
	(void)state;
	refusal_course_note(&course, REMOTE_REFUSAL_NOPERM, 100);
	assert_true(course.is_wary && !course.is_over);
	refusal_course_note(&course, REMOTE_REFUSAL_NONE, 100);
	assert_false(course.is_wary);
	refusal_course_note(&course, REMOTE_REFUSAL_PASSING, 100);
	refusal_course_note(&course, REMOTE_REFUSAL_CANNOT, 100);
	refusal_course_note(&course, REMOTE_REFUSAL_PASSING, 100);
	assert_false(course.is_over);
	refusal_course_note(&course, REMOTE_REFUSAL_NOPERM, 100);
	assert_true(course.is_over);
	course = (struct refusal_course){0};
	refusal_course_note(&course, REMOTE_REFUSAL_BUSY, 100);
	assert_true(course.is_over);
}

static void for_good_is_told_once(void **state) /* N10 */
{
	(void)state;
	struct refusal known = refused(NULL, REFUSAL_LASTING, start);
	assert_true(refusal_is_to_be_told(&known, start));
	assert_true(refusal_is_to_be_told(&known, start + DAY)); /* that run died */
	known.is_told = true;
	assert_false(refusal_is_to_be_told(&known, start));
	known = refused(NULL, REFUSAL_NOW, start);
	assert_true(refusal_is_to_be_told(&known, start));
	assert_false(refusal_is_to_be_told(&known, start + MINUTE));
}

static void what_may_be_the_fault_of_one_goes_singly(void **state) /* N11 */
{
	(void)state;
	assert_true(refusal_may_be_of_one(REMOTE_REFUSAL_UNCODED, 2));
	assert_true(refusal_may_be_of_one(REMOTE_REFUSAL_CANNOT, 200));
	assert_true(refusal_may_be_of_one(REMOTE_REFUSAL_OVERQUOTA, 2));
	assert_false(refusal_may_be_of_one(REMOTE_REFUSAL_UNCODED, 1));
	assert_false(refusal_may_be_of_one(REMOTE_REFUSAL_NOPERM, 2));
	assert_false(refusal_may_be_of_one(REMOTE_REFUSAL_BUSY, 2));
	assert_false(refusal_may_be_of_one(REMOTE_REFUSAL_TRYCREATE, 2));
	assert_false(refusal_may_be_of_one(REMOTE_REFUSAL_NONE, 2));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(codes_of_the_message_are_for_good),
		cmocka_unit_test(larger_than_the_server_takes_is_for_good),
		cmocka_unit_test(without_a_reason_company_decides),
		cmocka_unit_test(alone_three_runs_over_an_hour_decide),
		cmocka_unit_test(other_reasons_are_never_for_good),
		cmocka_unit_test(what_is_for_good_is_tried_again_when_it_may_pass),
		cmocka_unit_test(what_was_refused_goes_last),
		cmocka_unit_test(after_overquota_only_smaller_ones_go),
		cmocka_unit_test(patience_is_heeded),
		cmocka_unit_test(for_good_is_told_once),
		cmocka_unit_test(what_may_be_the_fault_of_one_goes_singly),
	};
	return cmocka_run_group_tests_name("refusal rules", tests, NULL, NULL);
}
