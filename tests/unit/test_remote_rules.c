/* The rules of the remote delta (rules/remote_rules.h), by their numbers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "mailsync/model/flags.h"
#include "mailsync/model/uidset.h"
#include "rules/remote_rules.h"

#define KEYWORD FLAG_KEYWORD(0)

/* A mailbox as base knows it, and all numbers told as they were. */
static const struct view_facts idle = {
	.base = {.uidvalidity = {true, 7},
		 .uidnext = {true, 20},
		 .messages = {true, 3},
		 .modseq = {true, 100}},
	.told = {.uidvalidity = {true, 7},
		 .uidnext = {true, 20},
		 .messages = {true, 3},
		 .modseq = {true, 100}},
	.has_counts = true,
	.may_write = true,
};

static void D20_only_numbers_that_were_told_and_are_equal_spare_a_view(void **state)
{
	struct view_facts facts = idle;

	(void)state;
	assert_false(view_is_needed(&idle));
	facts.has_counts = false;
	assert_true(view_is_needed(&facts));
	facts = idle;
	facts.told.uidvalidity.number++;
	assert_true(view_is_needed(&facts));
	facts = idle;
	facts.told.uidnext.number++;
	assert_true(view_is_needed(&facts));
	facts = idle;
	facts.told.messages.number--;
	assert_true(view_is_needed(&facts));
	facts = idle;
	facts.told.modseq.number++;
	assert_true(view_is_needed(&facts));
	facts = idle;
	facts.base.uidvalidity = facts.told.uidvalidity = UNTOLD; /* never selected, and untold */
	assert_true(view_is_needed(&facts));
}

static void D20_without_modseq_only_an_empty_mailbox_cannot_have_changed_flags(void **state)
{
	struct view_facts facts = idle;

	(void)state;
	facts.base.modseq = facts.told.modseq = UNTOLD;
	assert_true(view_is_needed(&facts));
	facts.base.messages = facts.told.messages = told(0);
	assert_false(view_is_needed(&facts));
}

static void D42_flags_that_nobody_told_of_may_wait_where_no_number_tells(void **state)
{
	struct view_facts facts = idle;

	(void)state;
	facts.base.modseq = facts.told.modseq = UNTOLD;
	facts.leaves_flags = true;
	assert_false(view_is_needed(&facts));
	facts.has_local_changes = true;
	assert_true(view_is_needed(&facts));
	facts.has_local_changes = false;
	facts.has_pending = true;
	assert_true(view_is_needed(&facts));
	facts.has_pending = false;
	facts.told.messages.number++;
	assert_true(view_is_needed(&facts));
	facts = idle; /* a number tells, or told once */
	facts.leaves_flags = true;
	facts.told.modseq.number++;
	assert_true(view_is_needed(&facts));
	facts.told.modseq = UNTOLD;
	assert_true(view_is_needed(&facts));
}

static void D20_what_is_to_be_settled_needs_a_view_whatever_the_numbers_say(void **state)
{
	struct view_facts intents = idle;
	struct view_facts pairs = idle;
	struct view_facts new_here = idle;
	struct view_facts refused = idle;

	(void)state;
	intents.has_intents = true;
	pairs.must_pair = true;
	new_here.lacks_folder = true;
	refused.has_refused_flags = true;
	assert_true(view_is_needed(&refused));
	assert_true(view_is_needed(&intents));
	assert_true(view_is_needed(&pairs));
	assert_true(view_is_needed(&new_here));
}

static void D21_what_changed_since_base_is_asked_for(void **state)
{
	struct remote_view_request request = view_request(&idle, VIEW_SINCE_COUNTS);

	(void)state;
	assert_true(told_is(request.uidvalidity, 7));
	assert_true(told_is(request.uidnext, 20));
	assert_true(told_is(request.modseq, 100));
	assert_true(request.skip_new);
	assert_false(request.is_empty);
}

static void D21_under_another_uidvalidity_everything_is_listed(void **state)
{
	struct view_facts facts = idle;

	(void)state;
	facts.told.uidvalidity = told(8);
	struct remote_view_request request = view_request(&facts, VIEW_SINCE_COUNTS);
	assert_false(request.uidvalidity.is_told);
	assert_false(request.uidnext.is_told);
	assert_false(request.modseq.is_told);
	assert_false(request.skip_new);
	facts.has_counts = false; /* untold is not another one */
	request = view_request(&facts, VIEW_SINCE_COUNTS);
	assert_true(told_is(request.uidvalidity, 7));
	assert_false(request.skip_new);
}

static void D21_numbers_told_before_our_own_changes_prove_nothing(void **state)
{
	struct view_facts empty = idle;

	(void)state;
	assert_false(view_request(&idle, VIEW_SINCE_CHANGES).skip_new);
	assert_false(view_request(&idle, VIEW_ALL).skip_new);
	assert_true(told_is(view_request(&idle, VIEW_SINCE_CHANGES).uidnext, 20));
	assert_false(view_request(&idle, VIEW_ALL).uidvalidity.is_told);
	empty.base.messages = empty.told.messages = told(0);
	assert_true(view_request(&empty, VIEW_SINCE_COUNTS).is_empty);
	assert_false(view_request(&empty, VIEW_SINCE_CHANGES).is_empty);
	assert_false(view_request(&empty, VIEW_ALL).is_empty);
	empty.base.messages = told(1);
	assert_false(view_request(&empty, VIEW_SINCE_COUNTS).is_empty);
}

static void D22_it_is_opened_for_writing_only_with_something_to_write(void **state)
{
	struct view_facts facts = idle;

	(void)state;
	assert_false(view_request(&facts, VIEW_SINCE_COUNTS).is_writable);
	facts.has_pending = true;
	assert_true(view_request(&facts, VIEW_SINCE_COUNTS).is_writable);
	assert_false(view_request(&facts, VIEW_SINCE_CHANGES).is_writable);
	facts.may_write = false;
	assert_false(view_request(&facts, VIEW_SINCE_COUNTS).is_writable);
	facts = idle;
	facts.has_local_changes = true;
	assert_true(view_request(&facts, VIEW_SINCE_COUNTS).is_writable);
	facts = idle;
	facts.expunges = true;
	assert_true(view_request(&facts, VIEW_SINCE_COUNTS).is_writable);
	facts = idle;
	facts.base.uidvalidity = UNTOLD;
	assert_true(view_request(&facts, VIEW_SINCE_COUNTS).is_writable);
}

static void D23_without_uidvalidity_uids_mean_nothing(void **state)
{
	struct numbers untold = {.uidnext = {true, 5}, .messages = {true, 2}, .modseq = {true, 9}};

	(void)state;
	assert_true(view_is_usable(&idle.told));
	assert_false(view_is_usable(&untold));
}

static void D24_numbers_never_go_back(void **state)
{
	struct numbers base = idle.base;
	struct numbers now = base;
	struct numbers never = {0};

	(void)state;
	assert_false(view_is_renumbered(&base, &now));
	now.uidnext.number++, now.modseq.number++;
	assert_false(view_is_renumbered(&base, &now));
	now = base;
	now.uidvalidity.number++;
	assert_true(view_is_renumbered(&base, &now));
	assert_false(view_is_renumbered(&never, &now));
	now = base;
	now.uidnext.number--;
	assert_true(view_is_renumbered(&base, &now));
	now.uidnext = UNTOLD; /* untold did not go back */
	assert_false(view_is_renumbered(&base, &now));
	now.modseq.number--;
	assert_true(view_is_renumbered(&base, &now));
	now.modseq = UNTOLD;
	assert_false(view_is_renumbered(&base, &now));
}

static char no_name[] = "";
static const struct row there = {.id = 1,
				 .uid = 5,
				 .unique = no_name,
				 .is_agreed = true,
				 .remote = MESSAGE_PRESENT,
				 .flags = FLAG_SEEN,
				 .remote_flags = FLAG_SEEN};
static const struct remote_view_message message_of_it = {
	.uid = 5, .has_flags = true, .flags = FLAG_SEEN};
static const struct delta_facts listing = {
	.is_full = true, .uidnext = {true, 20}, .believes_gone = true};
static const struct delta_facts changes = {.uidnext = {true, 20}, .believes_gone = true};

static void D25_only_what_was_asked_for_tells_of_unknown_messages(void **state)
{
	struct remote_view_message asked = {
		.uid = 9, .has_flags = true, .size = {true, 10}, .date = {true, 5}};
	struct remote_view_message bare = {.uid = 9, .has_flags = true};
	struct remote_view_message without = {.uid = 9, .date = {true, 5}};
	struct delta_facts untold = listing;

	(void)state;
	assert_int_equal(remote_news_of(&changes, &asked, NULL), REMOTE_NEW);
	assert_int_equal(remote_news_of(&listing, &asked, NULL), REMOTE_NEW);
	assert_int_equal(remote_news_of(&changes, &bare, NULL), REMOTE_SAME);
	assert_int_equal(remote_news_of(&listing, &bare, NULL), REMOTE_NEW);
	assert_int_equal(remote_news_of(&listing, &without, NULL), REMOTE_SAME);
	bare.uid = 20; /* not below UIDNEXT */
	assert_int_equal(remote_news_of(&listing, &bare, NULL), REMOTE_SAME);
	untold.uidnext = UNTOLD;
	assert_int_equal(remote_news_of(&untold, &bare, NULL), REMOTE_NEW);
}

static void D26_what_was_gone_and_is_told_of_is_back(void **state)
{
	struct row gone = there;

	(void)state;
	gone.remote = MESSAGE_GONE;
	assert_int_equal(remote_news_of(&changes, &message_of_it, &gone), REMOTE_BACK);
	assert_int_equal(remote_news_of(&listing, &message_of_it, &gone), REMOTE_BACK);
}

static void D27_only_flags_that_were_told_are_a_change(void **state)
{
	struct remote_view_message flagged = message_of_it;

	(void)state;
	assert_int_equal(remote_news_of(&changes, &message_of_it, &there), REMOTE_SAME);
	flagged.flags = FLAG_FLAGGED;
	assert_int_equal(remote_news_of(&changes, &flagged, &there), REMOTE_FLAGS);
	flagged.has_flags = false;
	assert_int_equal(remote_news_of(&changes, &flagged, &there), REMOTE_SAME);
}

static void D28_keywords_that_are_not_read_stay_what_they_were(void **state)
{
	struct delta_facts without = changes;
	struct row tagged = there;
	struct remote_view_message told = message_of_it;

	(void)state;
	without.keeps_keywords = true;
	tagged.remote_flags |= KEYWORD;
	told.flags |= FLAG_KEYWORD(1);
	assert_int_equal(remote_news_of(&without, &told, &tagged), REMOTE_SAME);
	assert_int_equal(remote_news_of(&changes, &told, &tagged), REMOTE_FLAGS);
	assert_true(remote_flags_of(&without, &told, &tagged) == (FLAG_SEEN | KEYWORD));
	assert_true(remote_flags_of(&without, &told, NULL) == FLAG_SEEN);
}

static void D29_only_a_believed_listing_lacks_what_is_gone(void **state)
{
	struct delta_facts doubted = listing;
	struct row gone = there;

	(void)state;
	assert_int_equal(remote_news_of(&listing, NULL, &there), REMOTE_GONE);
	assert_int_equal(remote_news_of(&changes, NULL, &there), REMOTE_SAME);
	doubted.believes_gone = false;
	assert_int_equal(remote_news_of(&doubted, NULL, &there), REMOTE_SAME);
	gone.remote = MESSAGE_GONE;
	assert_int_equal(remote_news_of(&listing, NULL, &gone), REMOTE_SAME);
}

static void D30_rows_have_to_be_as_many_as_messages(void **state)
{
	(void)state;
	assert_true(rows_fit(3, told(3), false));
	assert_false(rows_fit(2, told(3), false));
	assert_false(rows_fit(4, told(3), false));
	assert_false(rows_fit(0, UNTOLD, false));
}

static void D31_below_a_window_nothing_is_gone(void **state)
{
	struct delta_facts window = listing;

	(void)state;
	assert_true(view_is_window(0, 10000, told(10000))); /* of any server */
	assert_false(view_is_window(0, 9999, told(9999)));
	assert_false(view_is_window(0, 10000, told(10001)));
	assert_false(view_is_window(0, 10000, UNTOLD));
	assert_true(view_is_window(1000, 1000, told(4000))); /* RFC 9738 */
	assert_true(view_is_window(1000, 1000, told(1000)));
	assert_false(view_is_window(1000, 999, told(4000)));
	assert_false(view_is_window(1000, 1000, told(999)));
	window.gone_from = 6;
	assert_int_equal(remote_news_of(&window, NULL, &there), REMOTE_SAME);
	window.gone_from = 5;
	assert_int_equal(remote_news_of(&window, NULL, &there), REMOTE_GONE);
	assert_true(rows_fit(12000, told(10000), true));
}

static void expect_gaps(struct uidset *uids, uint32_t from, const struct uidrange *expected,
			size_t count)
{
	struct uidset gaps;
	struct err err;

	uidset_init(&gaps);
	assert_int_equal(uidset_gaps(uids, from, &gaps, &err), 0);
	assert_int_equal(gaps.count, count);
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(gaps.ranges[i].first, expected[i].first);
		assert_int_equal(gaps.ranges[i].last, expected[i].last);
	}
	uidset_finish(&gaps);
}

static void D32_what_lies_between_the_uids_listed_is_gone(void **state)
{
	struct uidrange ranges[] = {{1, 2}, {5, 9}, {20, 20}};
	struct uidrange to_the_end[] = {{4, UINT32_MAX}};
	struct uidset uids = {ranges, 3, 3};
	struct uidset last = {to_the_end, 1, 1};
	struct uidset none = {NULL, 0, 0};

	(void)state;
	expect_gaps(&uids, 1, (struct uidrange[]){{3, 4}, {10, 19}, {21, UINT32_MAX}}, 3);
	expect_gaps(&none, 1, (struct uidrange[]){{1, UINT32_MAX}}, 1);
	expect_gaps(&last, 1, (struct uidrange[]){{1, 3}}, 1);
	expect_gaps(&last, 4, NULL, 0); /* a window */
}

static void D32_a_listing_of_another_size_than_the_mailbox_proves_nothing(void **state)
{
	(void)state;
	assert_true(rows_fit(3, told(3), false));
	assert_false(rows_fit(3, told(4), false));
	assert_false(rows_fit(3, told(2), false));
}

static void D33_messages_that_base_does_not_know_are_listed(void **state)
{
	struct uid_facts facts = {.listed = 3, .present = 3};

	(void)state;
	assert_int_equal(uids_next_state(&facts), VIEW_NONE);
	facts.present = 2;
	assert_int_equal(uids_next_state(&facts), VIEW_INCOMPLETE);
	facts.present = 4;
	assert_int_equal(uids_next_state(&facts), VIEW_NONE);
}

static void D34_after_uid_search_the_numbers_viewed_are_stored_once_rows_fit(void **state)
{
	struct numbers viewed = {.uidvalidity = {true, 7}, .modseq = {true, 50}};
	struct uid_facts facts = {.listed = 3, .present = 3, .modseq = {true, 50}};

	(void)state;
	assert_true(uids_prove_numbers(&facts, &viewed));
	facts.modseq = told(49);
	assert_false(uids_prove_numbers(&facts, &viewed));
	facts.modseq = told(51);
	facts.present = 2;
	assert_false(uids_prove_numbers(&facts, &viewed));
	facts.is_window = true;
	assert_true(uids_prove_numbers(&facts, &viewed));
}

static void D35_a_view_is_whole_when_all_was_read_and_new_and_old_are_counted_apart(void **state)
{
	const struct view_tally changes_only = {.from = {true, 6}, .uidnext = {true, 8}};
	struct view_tally tally = changes_only;

	(void)state;
	tally.fresh = 2;
	assert_true(view_is_whole(&tally));
	tally.fresh = 1; /* the other one came and went, or was not told of */
	assert_false(view_is_whole(&tally));
	tally = changes_only;
	tally.uidnext = told(6);
	assert_true(view_is_whole(&tally));
	tally.uidnext = UNTOLD;
	assert_false(view_is_whole(&tally));
	tally.is_full = true; /* the count tells */
	assert_true(view_is_whole(&tally));
	tally.unread = 1;
	assert_false(view_is_whole(&tally));
}

static void D36_what_was_not_read_is_asked_for_again_then_all_then_search(void **state)
{
	struct view_tally tally = {.unread = 1};
	struct view_asked asked = {.was_again = false};

	(void)state;
	assert_int_equal(view_next_state(&tally, &asked), VIEW_AGAIN);
	asked.was_again = true;
	assert_int_equal(view_next_state(&tally, &asked), VIEW_INCOMPLETE);
	asked.was_listed = true;
	assert_int_equal(view_next_state(&tally, &asked), VIEW_MISCOUNTED);
	asked = (struct view_asked){0};
	tally.is_full = true;
	assert_int_equal(view_next_state(&tally, &asked), VIEW_MISCOUNTED);
	tally = (struct view_tally){0}; /* read, but the counts do not fit */
	assert_int_equal(view_next_state(&tally, &asked), VIEW_MISCOUNTED);
}

static void D37_what_is_not_shown_is_not_gone_and_comes_back_with_its_flags(void **state)
{
	struct row unseen = there;
	struct remote_view_message bare = message_of_it;
	struct uid_facts facts = {.listed = 3, .present = 2, .was_listed = true};

	(void)state;
	unseen.is_agreed = false;
	unseen.reason = REASON_UNSEEN;
	assert_int_equal(remote_news_of(&listing, NULL, &unseen), REMOTE_SAME);
	assert_int_equal(remote_news_of(&listing, &message_of_it, &unseen), REMOTE_BACK);
	bare.has_flags = false;
	assert_int_equal(remote_news_of(&listing, &bare, &unseen), REMOTE_SAME);
	assert_int_equal(uids_next_state(&facts), VIEW_NONE);
}

static void D38_a_surplus_counts_once_it_was_the_same_for_an_hour(void **state)
{
	struct surplus none = {0};
	struct surplus known = surplus_next(&none, 5, told(6), 1000);

	(void)state;
	assert_int_equal(known.offset, 1);
	assert_false(known.is_proven);
	assert_true(told_is(surplus_less(&known, told(6)), 6));
	known = surplus_next(&known, 7, told(8), 1000 + 3599);
	assert_false(known.is_proven);
	known = surplus_next(&known, 7, told(8), 1000 + 3600);
	assert_true(known.is_proven);
	assert_true(told_is(surplus_less(&known, told(8)), 7));
	assert_false(surplus_less(&known, UNTOLD).is_told);
	assert_true(told_is(surplus_less(&known, told(0)), 0));
	struct surplus other = surplus_next(&known, 7, told(9), 9000);
	assert_int_equal(other.offset, 2);
	assert_false(other.is_proven);
	other = surplus_next(&known, 7, told(7), 9000);
	assert_int_equal(other.offset, 0);
	other = surplus_next(&known, 7, told(8), 10); /* the clock was set back */
	assert_false(other.is_proven);
	known = surplus_next(&none, 7, told(5), 1000);
	assert_int_equal(known.offset, -2);
	known = surplus_next(&known, 7, told(5), 9000);
	assert_true(told_is(surplus_less(&known, told(5)), 7));
}

static void D34_uidnext_that_is_not_told_lies_above_all_that_was_seen(void **state)
{
	struct numbers base = idle.base;
	struct numbers now = {.uidvalidity = {true, 7},
			      .uidnext = {true, 30},
			      .messages = {true, 9},
			      .modseq = {true, 5}};
	struct numbers stored = numbers_to_store(&base, &now, 40);

	(void)state;
	assert_true(told_is(stored.uidnext, 30));
	assert_true(told_is(stored.messages, 9));
	assert_true(told_is(stored.modseq, 5));
	now.uidnext = UNTOLD;
	assert_true(told_is(numbers_to_store(&base, &now, 40).uidnext, 41));
	assert_true(told_is(numbers_to_store(&base, &now, 3).uidnext, 20));
	assert_true(told_is(numbers_to_store(&base, &now, UINT32_MAX).uidnext, UINT32_MAX));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(D20_only_numbers_that_were_told_and_are_equal_spare_a_view),
		cmocka_unit_test(
			D20_without_modseq_only_an_empty_mailbox_cannot_have_changed_flags),
		cmocka_unit_test(D42_flags_that_nobody_told_of_may_wait_where_no_number_tells),
		cmocka_unit_test(D20_what_is_to_be_settled_needs_a_view_whatever_the_numbers_say),
		cmocka_unit_test(D21_what_changed_since_base_is_asked_for),
		cmocka_unit_test(D21_under_another_uidvalidity_everything_is_listed),
		cmocka_unit_test(D21_numbers_told_before_our_own_changes_prove_nothing),
		cmocka_unit_test(D22_it_is_opened_for_writing_only_with_something_to_write),
		cmocka_unit_test(D23_without_uidvalidity_uids_mean_nothing),
		cmocka_unit_test(D24_numbers_never_go_back),
		cmocka_unit_test(D25_only_what_was_asked_for_tells_of_unknown_messages),
		cmocka_unit_test(D26_what_was_gone_and_is_told_of_is_back),
		cmocka_unit_test(D27_only_flags_that_were_told_are_a_change),
		cmocka_unit_test(D28_keywords_that_are_not_read_stay_what_they_were),
		cmocka_unit_test(D29_only_a_believed_listing_lacks_what_is_gone),
		cmocka_unit_test(D30_rows_have_to_be_as_many_as_messages),
		cmocka_unit_test(D31_below_a_window_nothing_is_gone),
		cmocka_unit_test(D32_what_lies_between_the_uids_listed_is_gone),
		cmocka_unit_test(D32_a_listing_of_another_size_than_the_mailbox_proves_nothing),
		cmocka_unit_test(D33_messages_that_base_does_not_know_are_listed),
		cmocka_unit_test(D34_after_uid_search_the_numbers_viewed_are_stored_once_rows_fit),
		cmocka_unit_test(D34_uidnext_that_is_not_told_lies_above_all_that_was_seen),
		cmocka_unit_test(
			D35_a_view_is_whole_when_all_was_read_and_new_and_old_are_counted_apart),
		cmocka_unit_test(D36_what_was_not_read_is_asked_for_again_then_all_then_search),
		cmocka_unit_test(D37_what_is_not_shown_is_not_gone_and_comes_back_with_its_flags),
		cmocka_unit_test(D38_a_surplus_counts_once_it_was_the_same_for_an_hour),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
