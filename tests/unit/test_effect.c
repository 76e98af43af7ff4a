/* What operations do to rows (rules/effect.h). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "mailsync/model/flags.h"
#include "rules/effect.h"

static struct row pending_row(enum presence local, enum presence remote)
{
	struct row row;

	row_init(&row);
	row.local = local;
	row.remote = remote;
	row.reason = REASON_FAILED;
	return row;
}

static void downloaded_is_agreed_on_what_the_file_got(void **state) /* E1 */
{
	struct row row = pending_row(MESSAGE_ABSENT, MESSAGE_PRESENT);

	(void)state;
	row.remote_flags = FLAG_SEEN | FLAG_KEYWORD(0);
	effect_downloaded(&row, FLAG_SEEN);
	assert_true(row.is_agreed);
	assert_int_equal(row.local, MESSAGE_PRESENT);
	assert_true(row.local_flags == FLAG_SEEN && row.flags == FLAG_SEEN);
	assert_int_equal(row.reason, REASON_NONE);
}

static void repaired_changes_nothing_but_that_it_is_here(void **state) /* E17 */
{
	struct row row = pending_row(MESSAGE_GONE, MESSAGE_PRESENT);

	(void)state;
	row.is_agreed = true;
	row.flags = FLAG_SEEN;
	row.local_flags = FLAG_SEEN | FLAG_FLAGGED;
	row.remote_flags = FLAG_ANSWERED;
	row.held = HELD_REMOVAL;
	effect_repaired(&row, FLAG_KEYWORD(1));
	assert_int_equal(row.local, MESSAGE_PRESENT);
	assert_true(row.flags == FLAG_SEEN && row.local_flags == (FLAG_SEEN | FLAG_FLAGGED));
	assert_true(row.remote_flags == FLAG_ANSWERED && row.unlettered == FLAG_KEYWORD(1));
	assert_int_equal(row.held, HELD_NOT);
}

static void uploaded_is_agreed_on_what_was_sent(void **state) /* E2 */
{
	struct row row = pending_row(MESSAGE_PRESENT, MESSAGE_ABSENT);

	(void)state;
	row.local_flags = FLAG_SEEN | FLAG_KEYWORD(0);
	effect_uploaded(&row, 7, FLAG_SEEN);
	assert_true(row.is_agreed);
	assert_int_equal(row.uid, 7);
	assert_int_equal(row.remote, MESSAGE_PRESENT);
	assert_true(row.remote_flags == FLAG_SEEN && row.flags == FLAG_SEEN);
	assert_int_equal(row.reason, REASON_NONE);
}

static void flags_are_agreed_on_bit_by_bit(void **state) /* E3 */
{
	struct row row = pending_row(MESSAGE_PRESENT, MESSAGE_PRESENT);

	(void)state;
	row.is_agreed = true;
	row.flags = FLAG_SEEN;
	row.local_flags = FLAG_SEEN | FLAG_FLAGGED;
	row.remote_flags = FLAG_ANSWERED;
	effect_flags(&row, SIDE_LOCAL, FLAG_ANSWERED, FLAG_SEEN);
	assert_true(row.local_flags == (FLAG_FLAGGED | FLAG_ANSWERED));
	assert_true(row.flags == FLAG_ANSWERED); /* FLAG_FLAGGED has still to go to the server */
	assert_false(row_is_settled(&row));
	effect_flags(&row, SIDE_REMOTE, FLAG_FLAGGED, 0);
	assert_true(row.flags == (FLAG_FLAGGED | FLAG_ANSWERED));
	assert_true(row_is_settled(&row));
}

static void a_pair_that_is_agreed_on_is_agreed(void **state) /* E4 */
{
	struct row row = pending_row(MESSAGE_PRESENT, MESSAGE_PRESENT);

	(void)state;
	row.local_flags = row.remote_flags = FLAG_SEEN;
	effect_agreed(&row, FLAG_SEEN);
	assert_true(row.is_agreed);
	assert_true(row_is_settled(&row));
}

static void deleted_is_gone_where_base_had_it(void **state) /* E5 */
{
	struct row row = pending_row(MESSAGE_PRESENT, MESSAGE_PRESENT);

	(void)state;
	effect_deleted(&row, SIDE_LOCAL);
	assert_int_equal(row.local, MESSAGE_ABSENT);
	row.is_agreed = true;
	effect_deleted(&row, SIDE_REMOTE);
	assert_int_equal(row.remote, MESSAGE_GONE);
	assert_true(row_is_void(&row));
}

static void held_changes_the_reason_only(void **state) /* E6 */
{
	struct row row = pending_row(MESSAGE_PRESENT, MESSAGE_ABSENT);

	(void)state;
	effect_held(&row, REASON_POLICY);
	assert_int_equal(row.reason, REASON_POLICY);
	assert_false(row.is_agreed);
}

static void braked_keeps_the_time_of_a_mark_that_stands(void **state) /* E11 */
{
	struct row row = pending_row(MESSAGE_PRESENT, MESSAGE_ABSENT);

	(void)state;
	effect_braked(&row, HELD_REMOVAL, 100);
	effect_braked(&row, HELD_REMOVAL | HELD_FLAGS, 200);
	assert_int_equal(row.held, HELD_REMOVAL | HELD_FLAGS);
	assert_int_equal(row.held_since, 100);
	effect_held(&row, REASON_OBSTACLE); /* another reason does not end it */
	assert_int_equal(row.held, HELD_REMOVAL | HELD_FLAGS);
	effect_braked(&row, HELD_NOT, 300);
	effect_braked(&row, HELD_FLAGS, 400);
	assert_int_equal(row.held_since, 400);
	effect_downloaded(&row, 0);
	assert_int_equal(row.held, HELD_NOT);
}

static void brought_back_is_new_on_the_side_that_has_it(void **state) /* E12 */
{
	struct row row = pending_row(MESSAGE_GONE, MESSAGE_PRESENT);

	(void)state;
	row.is_agreed = true;
	row.uid = 7;
	row.flags = row.remote_flags = FLAG_SEEN;
	row.held = HELD_REMOVAL;
	effect_brought_back(&row);
	assert_false(row.is_agreed);
	assert_int_equal(row.local, MESSAGE_ABSENT);
	assert_int_equal(row.remote, MESSAGE_PRESENT);
	assert_int_equal(row.uid, 7);
	assert_true(row.flags == 0 && row.remote_flags == FLAG_SEEN);
	assert_int_equal(row.held, HELD_NOT);
	row.is_agreed = true;
	row.local = MESSAGE_PRESENT;
	row.remote = MESSAGE_GONE;
	effect_brought_back(&row);
	assert_int_equal(row.uid, 0);
	assert_int_equal(row.remote, MESSAGE_ABSENT);
	assert_false(row.is_agreed);
	row = pending_row(MESSAGE_PRESENT, MESSAGE_PRESENT);
	row.is_agreed = true;
	row.flags = row.remote_flags = FLAG_SEEN | FLAG_FLAGGED;
	row.local_flags = FLAG_FLAGGED;
	row.held = HELD_FLAGS | HELD_REMOVAL;
	effect_brought_back(&row);
	assert_true(row.flags == FLAG_FLAGGED); /* the rest is the server's change */
	assert_int_equal(row.held, HELD_REMOVAL);
}

static void paired_is_agreed_on_what_both_have(void **state) /* E7 */
{
	struct row row = pending_row(MESSAGE_PRESENT, MESSAGE_ABSENT);

	(void)state;
	row.local_flags = FLAG_SEEN | FLAG_FLAGGED;
	effect_uploaded(&row, 9, FLAG_SEEN | FLAG_ANSWERED);
	assert_true(row.is_agreed);
	assert_int_equal(row.uid, 9);
	assert_true(row.flags == FLAG_SEEN);
}

static void moved_takes_over_what_base_knew(void **state) /* E8 */
{
	struct row gone = pending_row(MESSAGE_GONE, MESSAGE_PRESENT);
	struct row fresh = pending_row(MESSAGE_PRESENT, MESSAGE_ABSENT);
	struct keywords none = {0};

	(void)state;
	gone.has_digest = true;
	gone.digest[0] = 5;
	fresh.local_flags = FLAG_SEEN;
	gone.flags = FLAG_ANSWERED;
	gone.remote_flags = FLAG_FLAGGED;
	effect_moved_there(&gone, &fresh, 4, &none, &none);
	assert_int_equal(fresh.uid, 4);
	assert_true(fresh.is_agreed);
	assert_int_equal(fresh.remote, MESSAGE_PRESENT);
	assert_true(fresh.flags == FLAG_ANSWERED && fresh.remote_flags == FLAG_FLAGGED);
	assert_true(fresh.local_flags == FLAG_SEEN);
	assert_true(fresh.has_digest && fresh.digest[0] == 5);
	gone.size = told(12);
	effect_moved_here(&gone, &fresh, &(struct local_flags){FLAG_SEEN, 0}, &none, &none);
	assert_int_equal(fresh.local, MESSAGE_PRESENT);
	assert_true(fresh.local_flags == FLAG_SEEN);
	assert_true(told_is(fresh.size, 12));
}

static void E13_what_was_given_and_is_not_there_was_not_kept(void **state)
{
	struct row row = pending_row(MESSAGE_PRESENT, MESSAGE_ABSENT);

	(void)state;
	row.local_flags = FLAG_SEEN | FLAG_FLAGGED;
	effect_uploaded(&row, 7, row.local_flags);
	effect_held(&row, REASON_UNPROVEN);
	effect_seen_first(&row, FLAG_FLAGGED | FLAG_ANSWERED);
	assert_true(row.flags == FLAG_FLAGGED);
	assert_true(row.remote_flags == (FLAG_FLAGGED | FLAG_ANSWERED));
	assert_int_equal(row.reason, REASON_NONE);
}

/* Another client's change, which the file has not followed yet. */
static void E13_what_was_taken_off_before_a_move_stays_taken_off(void **state)
{
	struct keywords none = {0};
	struct row gone = pending_row(MESSAGE_GONE, MESSAGE_PRESENT);
	struct row fresh = pending_row(MESSAGE_PRESENT, MESSAGE_ABSENT);

	(void)state;
	gone.is_agreed = true;
	gone.flags = gone.local_flags = FLAG_SEEN | FLAG_FLAGGED;
	gone.remote_flags = FLAG_FLAGGED;
	fresh.local_flags = FLAG_SEEN | FLAG_FLAGGED;
	effect_moved_there(&gone, &fresh, 7, &none, &none);
	effect_held(&fresh, REASON_UNPROVEN);
	effect_seen_first(&fresh, 0);
	assert_true(fresh.flags == FLAG_SEEN); /* here, too, it goes; \Flagged was lost there */
	assert_true(fresh.local_flags == (FLAG_SEEN | FLAG_FLAGGED) && fresh.remote_flags == 0);
}

static void the_file_of_another_message_is_new_mail(void **state) /* E9 */
{
	const struct found_file found = {12, 34, {12, 5, 6}};
	struct row row = pending_row(MESSAGE_PRESENT, MESSAGE_GONE);
	struct row file = {.id = 0};

	(void)state;
	row.mailbox = 3;
	row.uid = 9;
	row.is_agreed = true;
	row.local_flags = FLAG_DRAFT;
	effect_file_is_other(&row, &file, &found);
	assert_true(row_is_void(&row));
	assert_int_equal(file.mailbox, 3);
	assert_int_equal(file.uid, 0);
	assert_false(file.is_agreed || file.has_digest || file.has_content);
	assert_int_equal(file.local, MESSAGE_PRESENT);
	assert_int_equal(file.remote, MESSAGE_ABSENT);
	assert_true(file.local_flags == FLAG_DRAFT);
	assert_true(told_is(file.size, 12));
	assert_true(told_time_equal(file.date, told_time(34)));
	assert_true(file_mark_equal(&file.mark, &found.mark));
}

static void E10_a_rename_says_what_the_name_before_it_did_not_tell(void **state)
{
	const uint64_t one = FLAG_KEYWORD(0), two = FLAG_KEYWORD(1);
	struct row row = {.local_flags = FLAG_SEEN | one | two, .unlettered = one};

	(void)state;
	assert_true(effect_letters_due(&row, ~UINT64_C(0), FLAG_FLAGGED, 0) ==
		    (FLAG_FLAGGED | one));
	assert_true(effect_letters_due(&row, ~UINT64_C(0), 0, one) == 0);
	/* A name without info part. */
	assert_true(effect_letters_due(&row, 0, FLAG_FLAGGED, FLAG_SEEN) ==
		    (FLAG_FLAGGED | one | two));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(E10_a_rename_says_what_the_name_before_it_did_not_tell),
		cmocka_unit_test(downloaded_is_agreed_on_what_the_file_got),
		cmocka_unit_test(repaired_changes_nothing_but_that_it_is_here),
		cmocka_unit_test(uploaded_is_agreed_on_what_was_sent),
		cmocka_unit_test(flags_are_agreed_on_bit_by_bit),
		cmocka_unit_test(a_pair_that_is_agreed_on_is_agreed),
		cmocka_unit_test(deleted_is_gone_where_base_had_it),
		cmocka_unit_test(held_changes_the_reason_only),
		cmocka_unit_test(braked_keeps_the_time_of_a_mark_that_stands),
		cmocka_unit_test(brought_back_is_new_on_the_side_that_has_it),
		cmocka_unit_test(paired_is_agreed_on_what_both_have),
		cmocka_unit_test(moved_takes_over_what_base_knew),
		cmocka_unit_test(E13_what_was_given_and_is_not_there_was_not_kept),
		cmocka_unit_test(E13_what_was_taken_off_before_a_move_stays_taken_off),
		cmocka_unit_test(the_file_of_another_message_is_new_mail),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
