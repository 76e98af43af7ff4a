/* The rules of the local delta (rules/local_rules.h), by their numbers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "mailsync/model/flags.h"
#include "rules/local_rules.h"

#define KEYWORD FLAG_KEYWORD(0)

static struct stamp stamp_at(int64_t changed_ns, int64_t taken_ns)
{
	struct stamp stamp = {.taken_ns = taken_ns};

	for (size_t i = 0; i < STAMP_DIRS; i++) {
		stamp.dirs[i] = (struct stamp_dir){1, i + 1, changed_ns, changed_ns};
	}
	return stamp;
}

static void D1_only_a_proven_equal_stamp_after_a_good_end_spares_reading(void **state)
{
	struct stamp proven = stamp_at(0, STAMP_SETTLE_NS + 1);
	struct stamp young = stamp_at(0, 1);
	struct stamp other = stamp_at(5, STAMP_SETTLE_NS + 9);

	(void)state;
	assert_true(local_is_unchanged(&proven, &proven, false));
	assert_false(local_is_unchanged(&proven, &proven, true));
	assert_false(local_is_unchanged(&young, &proven, false));
	assert_false(local_is_unchanged(&proven, &other, false));
	assert_false(local_is_unchanged(NULL, &proven, false));
}

static void D2_a_folder_stands_under_the_stamp_it_was_read_under(void **state)
{
	struct stamp young = stamp_at(0, 1);
	struct stamp other = stamp_at(5, 9);

	(void)state;
	assert_true(local_stands_as_read(&young, &young));
	assert_false(local_stands_as_read(&young, &other));
	assert_false(local_stands_as_read(NULL, &young));
}

/* Facts of a scan that stood still in a run like any other; and what a row and a file are like. */
static const struct local_facts usual = {
	.is_still = true, .keywords = KEYWORDS_YES, .trusts_letters = true};
static const struct local_facts after_power_cut = {
	.is_still = true, .lost_power = true, .keywords = KEYWORDS_YES, .trusts_letters = true};
static char unique[] = "x";
static const struct row here = {.id = 1,
				.unique = unique,
				.is_agreed = true,
				.local = MESSAGE_PRESENT,
				.flags = FLAG_SEEN,
				.local_flags = FLAG_SEEN,
				.size = {true, 10}};
static const struct local_file file_of_it = {.is_message = true,
					     .is_ours = true,
					     .has_size = true,
					     .size_bytes = 10,
					     .flags = FLAG_SEEN,
					     .known = ~UINT64_C(0)};

static void what_is_as_base_knows_it_is_no_change(void **state)
{
	(void)state;
	assert_int_equal(local_change_of(&usual, &file_of_it, &here), LOCAL_SAME);
	assert_int_equal(local_change_of(&after_power_cut, &file_of_it, &here), LOCAL_SAME);
}

static void D3_only_a_power_cut_makes_a_stub_and_only_of_an_empty_file_of_ours(void **state)
{
	struct local_file empty = file_of_it;
	struct local_file users = file_of_it;

	(void)state;
	empty.size_bytes = 0;
	users.size_bytes = 0;
	users.is_ours = false;
	assert_int_equal(local_change_of(&after_power_cut, &empty, NULL), LOCAL_STUB);
	assert_int_equal(local_change_of(&usual, &empty, NULL), LOCAL_NEW);
	assert_int_equal(local_change_of(&after_power_cut, &users, NULL), LOCAL_NEW);
	empty.has_size = false;
	assert_int_equal(local_change_of(&after_power_cut, &empty, NULL), LOCAL_NEW);
}

static void D4_a_file_without_a_row_is_new(void **state)
{
	(void)state;
	assert_int_equal(local_change_of(&usual, &file_of_it, NULL), LOCAL_NEW);
}

static void D5_a_file_that_was_gone_is_back(void **state)
{
	struct row gone = here;

	(void)state;
	gone.local = MESSAGE_GONE;
	gone.local_flags = 0;
	assert_int_equal(local_change_of(&usual, &file_of_it, &gone), LOCAL_BACK);
	assert_int_equal(local_change_of(&after_power_cut, &file_of_it, &gone), LOCAL_BACK);
	gone.reason = REASON_POLICY;
	local_change_row(LOCAL_BACK, &(struct local_flags){FLAG_SEEN, KEYWORD}, &gone);
	assert_true(gone.unlettered == KEYWORD);
	assert_int_equal(gone.local, MESSAGE_PRESENT);
	assert_int_equal(gone.local_flags, FLAG_SEEN);
	assert_int_equal(gone.flags, here.flags);
	assert_int_equal(gone.reason, REASON_NONE);
	assert_true(gone.is_agreed);
}

static void D6_absence_needs_a_folder_that_stood_still_and_a_free_name(void **state)
{
	struct local_facts moving = {.is_still = false, .lost_power = true};
	struct local_file link = {.is_message = false};

	(void)state;
	assert_int_equal(local_change_of(&moving, NULL, &here), LOCAL_SAME);
	assert_int_equal(local_change_of(&usual, &link, &here), LOCAL_SAME);
	assert_int_equal(local_change_of(&after_power_cut, &link, &here), LOCAL_SAME);
}

static void D7_what_a_power_cut_took_was_not_downloaded(void **state)
{
	struct row row = here;

	(void)state;
	assert_int_equal(local_change_of(&after_power_cut, NULL, &row), LOCAL_LOST);
	local_change_row(LOCAL_LOST, &(struct local_flags){0, 0}, &row);
	assert_int_equal(row.local, MESSAGE_ABSENT);
	assert_int_equal(row.flags, 0);
	assert_int_equal(row.local_flags, 0);
	assert_false(row.is_agreed);
	row = here;
	row.is_agreed = false; /* never downloaded by us: its file was really there */
	assert_int_equal(local_change_of(&after_power_cut, NULL, &row), LOCAL_GONE);
}

static void D8_a_proven_absence_is_gone_once(void **state)
{
	struct row gone = here;

	(void)state;
	assert_int_equal(local_change_of(&usual, NULL, &here), LOCAL_GONE);
	gone.local = MESSAGE_GONE;
	assert_int_equal(local_change_of(&usual, NULL, &gone), LOCAL_SAME);
	assert_int_equal(local_change_of(&after_power_cut, NULL, &gone), LOCAL_SAME);
}

static void D9_damaged_is_only_a_file_of_ours_of_another_size_after_a_power_cut(void **state)
{
	struct local_file shorter = file_of_it;
	struct row unagreed = here;

	(void)state;
	shorter.size_bytes = 9;
	unagreed.is_agreed = false;
	assert_true(local_needs_size(&after_power_cut, &here));
	assert_false(local_needs_size(&usual, &here));
	assert_int_equal(local_change_of(&after_power_cut, &shorter, &here), LOCAL_DAMAGED);
	assert_int_equal(local_change_of(&usual, &shorter, &here), LOCAL_SAME);
	assert_int_equal(local_change_of(&after_power_cut, &shorter, &unagreed), LOCAL_SAME);
	shorter.is_ours = false;
	assert_int_equal(local_change_of(&after_power_cut, &shorter, &here), LOCAL_SAME);
	shorter.is_ours = true;
	shorter.has_size = false;
	assert_int_equal(local_change_of(&after_power_cut, &shorter, &here), LOCAL_SAME);
}

static void D9_what_somebody_put_there_since_is_not_damaged(void **state)
{
	struct local_file file = file_of_it;
	struct row row = here;

	(void)state;
	row.mark = (struct file_mark){10, 5, 77};
	file.size_bytes = 9;
	file.inode = 78;
	assert_int_equal(local_change_of(&after_power_cut, &file, &row), LOCAL_SAME);
	file.inode = 77;
	assert_int_equal(local_change_of(&after_power_cut, &file, &row), LOCAL_DAMAGED);
	file.size_bytes = 11;
	assert_int_equal(local_change_of(&after_power_cut, &file, &row), LOCAL_SAME);
	file.size_bytes = 0; /* no mail is lost with an empty file */
	file.inode = 78;
	assert_int_equal(local_change_of(&after_power_cut, &file, &row), LOCAL_DAMAGED);
}

static void D10_flags_that_a_power_cut_took_nobody_took_away(void **state)
{
	struct row row = here;
	struct local_file bare = file_of_it;

	(void)state;
	bare.flags = FLAG_FLAGGED;
	assert_int_equal(local_change_of(&after_power_cut, &bare, &row), LOCAL_FLAGS_LOST);
	local_change_row(LOCAL_FLAGS_LOST, &(struct local_flags){bare.flags, 0}, &row);
	assert_int_equal(row.local_flags, FLAG_FLAGGED);
	assert_int_equal(row.flags, 0); /* Seen is not agreed any more, so not removed elsewhere */
	assert_true(row.is_agreed);
}

static void D11_other_flags_are_a_change(void **state)
{
	struct local_file flagged = file_of_it;

	(void)state;
	flagged.flags |= FLAG_FLAGGED;
	assert_int_equal(local_change_of(&usual, &flagged, &here), LOCAL_FLAGS);
}

/* What FILE gives to ROW. */
static uint64_t flags_of(const struct local_facts *facts, const struct local_file *file,
			 const struct row *row)
{
	return local_flags_of(facts, file, row).flags;
}

static void D12_letters_that_are_not_read_take_no_keyword_away(void **state)
{
	struct local_facts without = {.is_still = true, .keywords = KEYWORDS_NO};
	struct row tagged = here;
	struct local_file bare = file_of_it;
	struct local_file answered = file_of_it;

	(void)state;
	tagged.local_flags |= KEYWORD;
	bare.known = FLAGS_SYSTEM;
	answered.known = FLAGS_SYSTEM;
	answered.flags |= FLAG_ANSWERED;
	assert_int_equal(local_change_of(&without, &bare, &tagged), LOCAL_SAME);
	assert_int_equal(local_change_of(&usual, &file_of_it, &tagged), LOCAL_FLAGS);
	assert_int_equal(local_change_of(&without, &answered, &tagged), LOCAL_FLAGS);
	assert_true(flags_of(&without, &answered, &tagged) ==
		    (FLAG_SEEN | FLAG_ANSWERED | KEYWORD));
	assert_true(flags_of(&without, &answered, NULL) == answered.flags);
}

static void D15_a_name_without_info_part_tells_nothing_in_cur(void **state)
{
	struct row tagged = here;
	struct local_file bare = file_of_it;

	(void)state;
	tagged.local_flags |= KEYWORD;
	tagged.unlettered = KEYWORD;
	bare.flags = 0;
	bare.known = 0;
	assert_int_equal(local_change_of(&usual, &bare, &tagged), LOCAL_SAME);
	/* In new it has none of the system flags. */
	bare.known = FLAGS_SYSTEM;
	assert_int_equal(local_change_of(&usual, &bare, &tagged), LOCAL_FLAGS);
	assert_true(flags_of(&usual, &bare, &tagged) == KEYWORD);
	assert_true(flags_of(&usual, &bare, NULL) == 0);
}

static void D15_a_file_that_is_back_under_such_a_name_has_bases_flags(void **state)
{
	struct row gone = here;
	struct local_file bare = file_of_it;

	(void)state;
	gone.local = MESSAGE_GONE;
	gone.local_flags = 0;
	bare.flags = 0;
	bare.known = 0;
	assert_true(flags_of(&usual, &bare, &gone) == FLAG_SEEN);
}

static void D16_a_keyword_without_a_letter_stays(void **state)
{
	struct row tagged = here;
	struct local_file bare = file_of_it;
	struct local_flags told;

	(void)state;
	tagged.local_flags |= KEYWORD;
	bare.known = ~KEYWORD;
	told = local_flags_of(&usual, &bare, &tagged);
	assert_true(told.flags == tagged.local_flags && told.unlettered == KEYWORD);
	/* Noted, for when it gets a letter that this file does not bear. */
	assert_int_equal(local_change_of(&usual, &bare, &tagged), LOCAL_FLAGS);
	tagged.unlettered = KEYWORD;
	assert_int_equal(local_change_of(&usual, &bare, &tagged), LOCAL_SAME);
}

static void D17_who_drops_all_letters_and_changes_more_does_not_know_them(void **state)
{
	const uint64_t other = FLAG_KEYWORD(1);
	struct local_facts dovecots = usual;
	struct row tagged = here;
	struct local_file renamed = file_of_it;
	struct local_flags told;

	(void)state;
	tagged.local_flags = KEYWORD | other;
	told = local_flags_of(&usual, &renamed, &tagged); /* Seen is new */
	assert_true(told.flags == (FLAG_SEEN | KEYWORD | other));
	assert_true(told.unlettered == (KEYWORD | other));
	renamed.has_letters = true; /* one stayed, with a name or without */
	assert_true(flags_of(&usual, &renamed, &tagged) == FLAG_SEEN);
	renamed.has_letters = false;
	dovecots.has_uidlist = true;
	assert_true(flags_of(&dovecots, &renamed, &tagged) == FLAG_SEEN);
	renamed.flags = 0; /* letters alone: the user */
	assert_true(flags_of(&usual, &renamed, &tagged) == 0);
}

static void D18_what_was_dropped_stays_until_its_letter_is_back(void **state)
{
	struct row dropped = here;
	struct local_file file = file_of_it;
	struct local_flags told;

	(void)state;
	dropped.local_flags |= KEYWORD;
	dropped.unlettered = KEYWORD;
	assert_int_equal(local_change_of(&usual, &file, &dropped), LOCAL_SAME);
	file.flags |= KEYWORD;
	file.has_letters = true;
	told = local_flags_of(&usual, &file, &dropped);
	assert_true(told.flags == dropped.local_flags && told.unlettered == 0);
	assert_int_equal(local_change_of(&usual, &file, &dropped), LOCAL_FLAGS);
}

static void D19_pulled_keywords_stay_whatever_the_letters(void **state)
{
	struct local_facts pull = usual;
	struct local_facts after = usual;
	struct row tagged = here;
	struct local_file file = file_of_it;
	struct local_flags told;

	(void)state;
	pull.keywords = KEYWORDS_PULL;
	tagged.local_flags |= KEYWORD;
	file.flags |= FLAG_KEYWORD(1) | FLAG_FLAGGED;
	told = local_flags_of(&pull, &file, &tagged);
	assert_true(told.flags == (FLAG_SEEN | FLAG_FLAGGED | KEYWORD));
	assert_true(told.unlettered == KEYWORD);
	assert_true(flags_of(&pull, &file, NULL) == (FLAG_SEEN | FLAG_FLAGGED));
	after.trusts_letters = false; /* the first look with `keywords = yes` */
	told = local_flags_of(&after, &file_of_it, &tagged);
	assert_true(told.flags == (FLAG_SEEN | KEYWORD) && told.unlettered == KEYWORD);
}

static void names_are_compared_by_bytes_and_then_by_length(void **state)
{
	(void)state;
	assert_int_equal(span_compare(SPAN_LIT("ab"), "ab"), 0);
	assert_true(span_compare(SPAN_LIT("ab"), "abc") < 0);
	assert_true(span_compare(SPAN_LIT("abc"), "ab") > 0);
	assert_true(span_compare(SPAN_LIT("b"), "abc") > 0);
}

static void D13_without_base_all_is_paired_before_it_is_copied(void **state)
{
	(void)state;
	assert_true(local_must_pair_all(UNTOLD, 0, 0));
	assert_true(local_must_pair_all(told(7), 0, 1));
	assert_false(local_must_pair_all(told(7), 0, 0));
	assert_false(local_must_pair_all(told(7), 100, 1));
}

static void D14_a_file_of_ours_without_a_message_is_to_be_joined(void **state)
{
	struct row row = {.unique = unique, .local = MESSAGE_PRESENT};

	(void)state;
	assert_true(local_is_unjoined(&row, true));
	assert_false(local_is_unjoined(&row, false));
	row.uid = 4;
	assert_false(local_is_unjoined(&row, true));
	row.uid = 0;
	row.local = MESSAGE_GONE;
	assert_false(local_is_unjoined(&row, true));
	assert_false(local_is_unjoined(&here, true));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(D1_only_a_proven_equal_stamp_after_a_good_end_spares_reading),
		cmocka_unit_test(D2_a_folder_stands_under_the_stamp_it_was_read_under),
		cmocka_unit_test(what_is_as_base_knows_it_is_no_change),
		cmocka_unit_test(
			D3_only_a_power_cut_makes_a_stub_and_only_of_an_empty_file_of_ours),
		cmocka_unit_test(D4_a_file_without_a_row_is_new),
		cmocka_unit_test(D5_a_file_that_was_gone_is_back),
		cmocka_unit_test(D6_absence_needs_a_folder_that_stood_still_and_a_free_name),
		cmocka_unit_test(D7_what_a_power_cut_took_was_not_downloaded),
		cmocka_unit_test(D8_a_proven_absence_is_gone_once),
		cmocka_unit_test(
			D9_damaged_is_only_a_file_of_ours_of_another_size_after_a_power_cut),
		cmocka_unit_test(D9_what_somebody_put_there_since_is_not_damaged),
		cmocka_unit_test(D10_flags_that_a_power_cut_took_nobody_took_away),
		cmocka_unit_test(D11_other_flags_are_a_change),
		cmocka_unit_test(D12_letters_that_are_not_read_take_no_keyword_away),
		cmocka_unit_test(D15_a_name_without_info_part_tells_nothing_in_cur),
		cmocka_unit_test(D15_a_file_that_is_back_under_such_a_name_has_bases_flags),
		cmocka_unit_test(D16_a_keyword_without_a_letter_stays),
		cmocka_unit_test(D17_who_drops_all_letters_and_changes_more_does_not_know_them),
		cmocka_unit_test(D18_what_was_dropped_stays_until_its_letter_is_back),
		cmocka_unit_test(D19_pulled_keywords_stay_whatever_the_letters),
		cmocka_unit_test(names_are_compared_by_bytes_and_then_by_length),
		cmocka_unit_test(D13_without_base_all_is_paired_before_it_is_copied),
		cmocka_unit_test(D14_a_file_of_ours_without_a_message_is_to_be_joined),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
