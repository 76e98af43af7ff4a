/* Who takes part in pairing, and what becomes of what was sent (rules/match.h). */
#include "rules/match.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static char nothing[] = "";
static char name[] = "17.key_1_5.host";

static struct row file_row(void)
{
	return (struct row){.unique = name, .local = MESSAGE_PRESENT, .date = {true, 1000}};
}

static struct row message_row(void)
{
	return (struct row){.unique = nothing, .remote = MESSAGE_PRESENT, .uid = 5};
}

static void W10_a_file_without_a_message_may_be_half_of_a_pair(void **state)
{
	(void)state;
	struct row row = file_row();
	assert_true(pair_is_lone_file(&row));
	row.uid = 5;
	assert_false(pair_is_lone_file(&row));
	row = file_row();
	row.is_agreed = true;
	assert_false(pair_is_lone_file(&row));
	row = file_row();
	row.local = MESSAGE_GONE;
	assert_false(pair_is_lone_file(&row));
	row = message_row();
	assert_false(pair_is_lone_file(&row));
}

static void W11_so_may_a_message_without_a_file(void **state)
{
	(void)state;
	struct row row = message_row();
	struct pair_candidate candidate;
	assert_true(pair_is_lone_message(&row));
	row.size = told(7);
	row.date = told_time(9);
	pair_begin_remote(&row, &candidate);
	assert_int_equal(candidate.uid, 5);
	assert_true(told_is(candidate.size, 7));
	assert_true(told_time_equal(candidate.date, told_time(9)));
	assert_false(candidate.has_identity);
	row.unique = name;
	assert_false(pair_is_lone_message(&row));
	row = message_row();
	row.is_agreed = true;
	assert_false(pair_is_lone_message(&row));
	row = message_row();
	row.remote = MESSAGE_GONE;
	assert_false(pair_is_lone_message(&row));
}

static void W12_with_base_only_what_was_sent_or_bears_our_name_takes_part(void **state)
{
	(void)state;
	struct row row = file_row();
	struct pair_candidate candidate;
	struct pair_file file = {.row = &row};
	assert_true(pair_begin_local(&file, &candidate));
	file.has_base = true;
	assert_false(pair_begin_local(&file, &candidate));
	file.others_uid = 8;
	assert_false(pair_begin_local(&file, &candidate));
	file.own_uid = 5;
	assert_true(pair_begin_local(&file, &candidate));
	file.own_uid = 0;
	file.was_sent = true;
	assert_true(pair_begin_local(&file, &candidate));
}

static void W24_what_was_moved_from_where_its_message_is_gone_takes_part(void **state)
{
	(void)state;
	struct row row = file_row();
	struct pair_candidate candidate;
	struct pair_file file = {.row = &row, .has_base = true, .was_moved = true};
	assert_true(pair_begin_local(&file, &candidate));
	assert_int_equal(candidate.uid, 0);
	assert_int_equal(candidate.bound, 0);
	assert_false(candidate.was_sent);
}

static void W13_names_propose_a_uid_but_not_of_what_was_sent(void **state)
{
	(void)state;
	struct row row = file_row();
	struct pair_candidate candidate;
	struct pair_file file = {.row = &row, .own_uid = 5, .others_uid = 8, .bound = 40};
	pair_begin_local(&file, &candidate);
	assert_int_equal(candidate.uid, 5);
	assert_int_equal(candidate.bound, 0);
	assert_true(told_time_equal(candidate.date, told_time(1000)));
	file.own_uid = 0;
	pair_begin_local(&file, &candidate);
	assert_int_equal(candidate.uid, 8);
	file.own_uid = 5;
	file.was_sent = true;
	pair_begin_local(&file, &candidate);
	assert_int_equal(candidate.uid, 0);
	assert_int_equal(candidate.bound, 40);
	assert_false(candidate.was_sent);
	row.reason = REASON_AMBIGUOUS;
	pair_begin_local(&file, &candidate);
	assert_true(candidate.was_sent);
}

static void W14_a_sent_file_that_is_gone_is_known_by_its_noted_header(void **state)
{
	(void)state;
	struct row row = file_row();
	struct pair_candidate candidate;
	struct pair_file file = {.row = &row, .was_sent = true, .bound = 40};
	assert_false(pair_begin_sent(&file, &candidate));
	row.has_digest = true;
	memset(row.digest, 'a', sizeof(row.digest));
	assert_true(pair_begin_sent(&file, &candidate));
	assert_true(candidate.has_identity);
	assert_int_equal(candidate.bound, 40);
	assert_memory_equal(candidate.digest, row.digest, ROW_DIGEST_SIZE);
	file.was_sent = false;
	assert_false(pair_begin_sent(&file, &candidate));
}

static void W14_but_not_by_one_that_a_nameless_message_has(void **state)
{
	(void)state;
	struct pair_candidate local = {.has_identity = true};
	struct pair_candidate remotes[2] = {{.header_date = 7}, {.header_date = INT64_MIN}};
	assert_false(pair_is_nameless_there(&local, remotes, 1));
	assert_true(pair_is_nameless_there(&local, remotes, 2));
	remotes[1].digest[0] = 'x';
	assert_false(pair_is_nameless_there(&local, remotes, 2));
}

static void W15_only_messages_that_can_have_a_partner_are_looked_at(void **state)
{
	(void)state;
	struct pair_candidate locals[2] = {{.uid = 5}, {.bound = 40}};
	struct pair_candidate remote = {.uid = 5};
	assert_true(pair_is_wanted(&remote, true, locals, 2));
	remote.uid = 6;
	assert_false(pair_is_wanted(&remote, true, locals, 2));
	assert_true(pair_is_wanted(&remote, false, locals, 2));
	remote.uid = 39;
	assert_false(pair_is_wanted(&remote, true, locals, 2));
	remote.uid = 40;
	assert_true(pair_is_wanted(&remote, true, locals, 2));
	assert_false(pair_is_wanted(&remote, true, locals, 1));
}

static void W15_for_a_file_that_waits_messages_that_wait_are_looked_at(void **state)
{
	(void)state;
	struct pair_candidate local = {.has_waited = true};
	struct pair_candidate remote = {.uid = 6};
	assert_false(pair_is_wanted(&remote, true, &local, 1));
	remote.has_waited = true;
	assert_true(pair_is_wanted(&remote, true, &local, 1));
	remote.has_waited = false;
	local.uid = 6;
	assert_true(pair_is_wanted(&remote, true, &local, 1));
}

static void W12_so_does_what_waits(void **state)
{
	(void)state;
	struct row row = file_row();
	struct pair_candidate candidate;
	struct pair_file file = {.row = &row, .has_base = true};
	row.reason = REASON_UNIDENTIFIED;
	assert_true(pair_begin_local(&file, &candidate));
	assert_true(candidate.has_waited);
	row = message_row();
	pair_begin_remote(&row, &candidate);
	assert_false(candidate.has_waited);
	row.reason = REASON_UNIDENTIFIED;
	pair_begin_remote(&row, &candidate);
	assert_true(candidate.has_waited);
}

static void W19_what_could_not_be_had_waits_while_a_file_may_be_it(void **state)
{
	(void)state;
	struct pair_candidate locals[2] = {{.uid = 5, .is_taken = true}, {.bound = 40}};
	struct pair_candidate missing = {.uid = 39};
	assert_true(pair_message_waits(&missing, false, locals, 2));
	assert_false(pair_message_waits(&missing, false, locals, 1)); /* no file is left */
	assert_false(pair_message_waits(&missing, true, locals, 2));
	missing.uid = 40;
	assert_true(pair_message_waits(&missing, true, locals, 2));
	assert_true(pair_file_waits(&locals[1], true, &missing, 1));
	assert_false(pair_file_waits(&locals[1], true, &missing, 0));
	assert_false(pair_file_waits(&locals[0], false, &missing, 1));
	locals[1].is_ambiguous = true;
	assert_false(pair_message_waits(&missing, false, locals, 2));
}

static void W23_what_may_be_a_file_that_cannot_be_read_waits_with_it(void **state)
{
	(void)state;
	struct pair_candidate unread = {.uid = 7}; /* its name proposes that UID */
	struct pair_candidate remote = {.uid = 7, .has_identity = true};
	assert_true(pair_message_waits(&remote, true, &unread, 1));
	assert_true(pair_file_waits(&unread, true, &remote, 1));
	remote.uid = 8;
	assert_false(pair_message_waits(&remote, true, &unread, 1));
	assert_true(pair_message_waits(&remote, false, &unread, 1));
	/* In the next run. */
	unread.has_waited = remote.has_waited = true;
	assert_true(pair_message_waits(&remote, true, &unread, 1));
}

static void what_may_have_been_sent_has_a_uid_from_the_bound_on(void **state)
{
	(void)state;
	struct pair_candidate missing[2] = {{.uid = 39}, {.uid = 41}};
	assert_true(pair_has_any_from(41, missing, 2));
	assert_false(pair_has_any_from(42, missing, 2));
	assert_true(pair_has_any_from(0, missing, 1));
	assert_false(pair_has_any_from(0, missing, 0));
}

/* Sizes that servers tell may be wrong, or not told at all. */
static void W16_a_nameless_message_is_read_when_a_nameless_file_has_its_header(void **state)
{
	(void)state;
	struct pair_candidate locals[1] = {{.size = {true, 10}, .has_content = true}};
	struct pair_candidate remote = {.header_date = INT64_MIN};
	assert_true(pair_wants_content(&remote, locals, 1));
	assert_false(pair_wants_content(&remote, locals, 0));
	remote.header[0] = 1;
	assert_false(pair_wants_content(&remote, locals, 1));
	remote.header[0] = 0;
	locals[0].has_content = false;
	assert_false(pair_wants_content(&remote, locals, 1));
	locals[0].has_content = true;
	remote.message_id = 3;
	assert_false(pair_wants_content(&remote, locals, 1));
}

static void W17_right_after_sending_a_stranger_is_what_the_server_made_of_it(void **state)
{
	(void)state;
	struct pair_candidate remotes[2] = {{.uid = 39}, {.uid = 40, .is_taken = true}};
	struct row row = file_row();
	struct pair_sent sent = {.row = &row, .has_strangers = true};
	row.reason = REASON_AMBIGUOUS;
	assert_int_equal(pair_fate(&sent), PAIR_CHANGED);
	assert_false(pair_has_strangers(40, remotes, 2));
	assert_true(pair_has_strangers(39, remotes, 2));
	remotes[1].is_taken = false;
	assert_true(pair_has_strangers(40, remotes, 2));
	assert_false(pair_has_strangers(40, remotes, 0));
}

static void W18_else_what_is_not_found_is_new_again(void **state)
{
	(void)state;
	struct row row = file_row();
	struct pair_sent sent = {.row = &row};
	row.reason = REASON_AMBIGUOUS;
	assert_int_equal(pair_fate(&sent), PAIR_NEW);
	sent.has_strangers = true;
	sent.is_late = true;
	assert_int_equal(pair_fate(&sent), PAIR_NEW);
	sent.is_ambiguous = true;
	assert_int_equal(pair_fate(&sent), PAIR_STAYS);
	sent.is_ambiguous = false;
	row.is_agreed = true;
	assert_int_equal(pair_fate(&sent), PAIR_STAYS);
}

static void W26_what_is_not_under_the_uid_that_was_told_was_not_kept(void **state)
{
	(void)state;
	struct row row = file_row();
	struct pair_sent sent = {.row = &row, .has_strangers = true};
	row.reason = REASON_UNPROVEN;
	assert_int_equal(pair_fate(&sent), PAIR_UNKEPT);
	sent.is_ambiguous = true;
	assert_int_equal(pair_fate(&sent), PAIR_STAYS);
}

static void W25_what_was_refused_and_is_not_found_was_not_taken(void **state)
{
	(void)state;
	struct row row = file_row();
	struct pair_sent sent = {.row = &row, .has_strangers = true};
	assert_int_equal(pair_fate(&sent), PAIR_NOT_TAKEN);
	sent.is_late = true;
	assert_int_equal(pair_fate(&sent), PAIR_NOT_TAKEN);
	sent.is_ambiguous = true;
	assert_int_equal(pair_fate(&sent), PAIR_STAYS);
	sent.is_ambiguous = false;
	row.is_agreed = true;
	assert_int_equal(pair_fate(&sent), PAIR_STAYS);
}

static void W21_the_file_of_a_message_that_is_not_shown_waits(void **state)
{
	const struct pair_candidate unseen[] = {{.uid = 3}, {.uid = 9}};
	struct pair_candidate local = {.uid = 9};
	struct row row;

	(void)state;
	assert_true(pair_file_is_hidden(&local, false, unseen, 2));
	local.is_taken = true;
	assert_false(pair_file_is_hidden(&local, false, unseen, 2));
	local = (struct pair_candidate){.uid = 4};
	assert_false(pair_file_is_hidden(&local, false, unseen, 2));
	row_init(&row);
	row.remote = MESSAGE_PRESENT;
	row.uid = 3;
	assert_true(pair_is_lone_message(&row));
	assert_false(pair_is_unseen(&row));
	row.reason = REASON_UNSEEN;
	assert_false(pair_is_lone_message(&row));
	assert_true(pair_is_unseen(&row));
	row.date = told_time(1000);
	assert_true(pair_is_unseen_lately(&row, 1000 + 3599));
	assert_false(pair_is_unseen_lately(&row, 1000 + 3600));
}

static void W22_below_a_window_may_lie_what_has_no_partner(void **state)
{
	struct pair_candidate local = {.uid = 0};

	(void)state;
	assert_true(pair_file_is_hidden(&local, true, NULL, 0));
	assert_false(pair_file_is_hidden(&local, false, NULL, 0));
	local.is_ambiguous = true;
	assert_false(pair_file_is_hidden(&local, true, NULL, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(W10_a_file_without_a_message_may_be_half_of_a_pair),
		cmocka_unit_test(W11_so_may_a_message_without_a_file),
		cmocka_unit_test(W24_what_was_moved_from_where_its_message_is_gone_takes_part),
		cmocka_unit_test(W12_with_base_only_what_was_sent_or_bears_our_name_takes_part),
		cmocka_unit_test(W13_names_propose_a_uid_but_not_of_what_was_sent),
		cmocka_unit_test(W14_a_sent_file_that_is_gone_is_known_by_its_noted_header),
		cmocka_unit_test(W14_but_not_by_one_that_a_nameless_message_has),
		cmocka_unit_test(W15_only_messages_that_can_have_a_partner_are_looked_at),
		cmocka_unit_test(W15_for_a_file_that_waits_messages_that_wait_are_looked_at),
		cmocka_unit_test(W12_so_does_what_waits),
		cmocka_unit_test(W19_what_could_not_be_had_waits_while_a_file_may_be_it),
		cmocka_unit_test(W23_what_may_be_a_file_that_cannot_be_read_waits_with_it),
		cmocka_unit_test(what_may_have_been_sent_has_a_uid_from_the_bound_on),
		cmocka_unit_test(
			W16_a_nameless_message_is_read_when_a_nameless_file_has_its_header),
		cmocka_unit_test(W17_right_after_sending_a_stranger_is_what_the_server_made_of_it),
		cmocka_unit_test(W18_else_what_is_not_found_is_new_again),
		cmocka_unit_test(W26_what_is_not_under_the_uid_that_was_told_was_not_kept),
		cmocka_unit_test(W25_what_was_refused_and_is_not_found_was_not_taken),
		cmocka_unit_test(W21_the_file_of_a_message_that_is_not_shown_waits),
		cmocka_unit_test(W22_below_a_window_may_lie_what_has_no_partner),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
