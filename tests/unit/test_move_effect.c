/* What a move does to its rows, in the words of two mailboxes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "mailsync/model/flags.h"
#include "rules/effect.h"

/* The old mailbox knows one, two, three; the new one two. */
struct words {
	struct keywords from;
	struct keywords to;
};
#define ONE     FLAG_KEYWORD(0)
#define TWO     FLAG_KEYWORD(1)
#define THREE   FLAG_KEYWORD(2)
#define NEW_TWO FLAG_KEYWORD(0)

static int words_open(void **state)
{
	struct words *words = calloc(1, sizeof(*words));

	assert_non_null(words);
	keywords_init(&words->from);
	keywords_init(&words->to);
	keywords_parse(&words->from, span_of("one two three"));
	keywords_parse(&words->to, span_of("two"));
	*state = words;
	return 0;
}

static int words_close(void **state)
{
	struct words *words = *state;

	keywords_finish(&words->from);
	keywords_finish(&words->to);
	free(words);
	return 0;
}

static void keywords_are_said_in_the_new_words(void **state)
{
	struct words *words = *state;

	assert_true(keywords_translate(FLAG_SEEN | TWO, &words->from, &words->to) ==
		    (FLAG_SEEN | NEW_TWO));
	assert_int_equal(words->to.count, 1);
	assert_true(keywords_translate(ONE | TWO, &words->from, &words->to) ==
		    (NEW_TWO | FLAG_KEYWORD(1)));
	assert_string_equal(words->to.names[1], "one");
}

static void a_keyword_that_does_not_fit_in_is_lost(void **state)
{
	struct words *words = *state;
	char name[8];

	for (int i = words->to.count; i < KEYWORDS_MAX; i++) {
		name[0] = 'k';
		name[1] = (char)('A' + i / 8);
		name[2] = (char)('0' + i % 8);
		name[3] = '\0';
		assert_int_equal(keywords_intern(&words->to, span_of(name)), i);
	}
	assert_true(keywords_translate(FLAG_SEEN | ONE | TWO, &words->from, &words->to) ==
		    (FLAG_SEEN | NEW_TWO));
}

static const struct local_facts usual = {
	.keywords = KEYWORDS_YES, .trusts_letters = true, .is_move = true};

/* All keywords have letters in both folders, and the file bears some. */
static struct moved_letters read_as(uint64_t by_old, uint64_t by_new)
{
	return (struct moved_letters){
		{.flags = by_old, .known = ~UINT64_C(0), .has_letters = true},
		{.flags = by_new, .known = ~UINT64_C(0), .has_letters = true},
	};
}

static uint64_t moved(struct words *words, const struct row *gone, uint64_t by_old, uint64_t by_new)
{
	const struct moved_letters letters = read_as(by_old, by_new);
	const struct local_flags told =
		effect_moved_letters(&usual, gone, &letters, &words->from, &words->to);
	assert_true(told.unlettered == 0);
	return told.flags;
}

static void letters_are_read_by_the_old_table(void **state)
{
	struct words *words = *state;
	struct row gone;

	row_init(&gone);
	gone.local_flags = TWO;
	/* By the new table the letter is one without a name. */
	assert_true(moved(words, &gone, FLAG_SEEN | TWO, FLAG_SEEN) == (FLAG_SEEN | NEW_TWO));
	/* Another letter than base's: the user's change. */
	assert_true(moved(words, &gone, THREE, NEW_TWO << 5) == FLAG_KEYWORD(1));
	assert_string_equal(words->to.names[1], "three");
}

static void letters_that_were_rewritten_already_are_not_again(void **state)
{
	struct words *words = *state;
	struct row gone;

	row_init(&gone);
	gone.local_flags = TWO;
	/* The old table would call it one. */
	assert_true(moved(words, &gone, FLAG_SEEN | ONE, FLAG_SEEN | NEW_TWO) ==
		    (FLAG_SEEN | NEW_TWO));
	assert_int_equal(words->to.count, 1);
}

static void a_letter_that_the_new_table_does_not_name_is_read_by_the_old_one(void **state)
{
	struct words *words = *state;
	struct row gone = {.is_agreed = true};
	const struct local_facts facts = {.keywords = KEYWORDS_YES, .trusts_letters = true};
	const struct moved_letters letters = {
		.by_old = {.is_message = true,
			   .flags = ONE,
			   .known = ~UINT64_C(0),
			   .has_letters = true},
		.by_new = {.is_message = true, .known = FLAGS_SYSTEM, .has_letters = true},
	};

	struct local_flags told =
		effect_moved_letters(&facts, &gone, &letters, &words->from, &words->to);
	assert_true(told.flags == keywords_translate(ONE, &words->from, &words->to));
}

static void D17_a_move_that_drops_all_letters_takes_no_keyword(void **state)
{
	struct words *words = *state;
	struct moved_letters letters = read_as(FLAG_SEEN, FLAG_SEEN);
	struct local_facts facts = usual;
	struct local_flags told;
	struct row gone;

	row_init(&gone);
	gone.local_flags = FLAG_SEEN | TWO;
	letters.by_old.has_letters = false;
	letters.by_new.has_letters = false;
	told = effect_moved_letters(&facts, &gone, &letters, &words->from, &words->to);
	assert_true(told.flags == (FLAG_SEEN | NEW_TWO) && told.unlettered == NEW_TWO);
	facts.has_uidlist = true;
	told = effect_moved_letters(&facts, &gone, &letters, &words->from, &words->to);
	assert_true(told.flags == FLAG_SEEN && told.unlettered == 0);
}

static void D15_D18_what_a_moved_files_name_does_not_tell_goes_along(void **state)
{
	struct words *words = *state;
	struct moved_letters letters = read_as(0, 0);
	struct local_flags told;
	struct row gone;

	row_init(&gone);
	gone.local_flags = FLAG_SEEN | ONE | TWO;
	letters.by_old.known = 0;
	letters.by_new.known = 0;
	told = effect_moved_letters(&usual, &gone, &letters, &words->from, &words->to);
	assert_true(told.flags == (FLAG_SEEN | NEW_TWO | FLAG_KEYWORD(1)));
	/* One was dropped before, and two is there. */
	gone.unlettered = ONE;
	letters = read_as(FLAG_SEEN | TWO, 0);
	told = effect_moved_letters(&usual, &gone, &letters, &words->from, &words->to);
	assert_true(told.flags == (FLAG_SEEN | NEW_TWO | FLAG_KEYWORD(1)));
	assert_true(told.unlettered == FLAG_KEYWORD(1));
}

static void moved_there_it_is_agreed_on_in_the_new_words(void **state)
{
	struct words *words = *state;
	struct row gone, fresh;

	row_init(&gone);
	row_init(&fresh);
	gone.flags = TWO;
	gone.remote_flags = TWO | FLAG_ANSWERED;
	gone.has_digest = true;
	gone.digest[0] = 9;
	fresh.reason = REASON_POLICY;
	effect_move_begun(&gone, &fresh, &(struct local_flags){FLAG_SEEN | NEW_TWO, 0});
	assert_false(fresh.is_agreed);
	assert_true(fresh.has_digest && fresh.digest[0] == 9);
	effect_moved_there(&gone, &fresh, 12, &words->from, &words->to);
	assert_true(fresh.is_agreed && fresh.remote == MESSAGE_PRESENT);
	assert_int_equal(fresh.uid, 12);
	assert_int_equal(fresh.reason, REASON_NONE);
	assert_true(fresh.flags == NEW_TWO && fresh.remote_flags == (NEW_TWO | FLAG_ANSWERED));
	assert_true(fresh.local_flags == (FLAG_SEEN | NEW_TWO));
}

static void moved_here_its_file_says_what_it_said(void **state)
{
	struct words *words = *state;
	struct row gone, fresh;

	row_init(&gone);
	row_init(&fresh);
	gone.flags = TWO;
	gone.size = told(77);
	fresh.uid = 3;
	fresh.remote_flags = NEW_TWO;
	const struct local_flags told = {NEW_TWO | FLAG_SEEN, NEW_TWO};
	effect_moved_here(&gone, &fresh, &told, &words->from, &words->to);
	assert_true(fresh.unlettered == NEW_TWO);
	assert_true(fresh.is_agreed && fresh.local == MESSAGE_PRESENT);
	assert_true(fresh.flags == NEW_TWO && fresh.local_flags == (NEW_TWO | FLAG_SEEN));
	assert_true(fresh.remote_flags == NEW_TWO);
	assert_int_equal(fresh.uid, 3);
	assert_true(told_is(fresh.size, 77));
}

/* ONE and TWO are to be said, and have no letter now; the server has TWO. */
static void E16_what_the_server_has_comes_from_there_when_there_is_a_letter(void **state)
{
	struct words *words = *state;
	struct row gone = {.flags = TWO, .local_flags = ONE | TWO, .remote_flags = TWO};
	const uint64_t one = keywords_translate(ONE, &words->from, &words->to);
	struct local_flags told = {.flags = FLAG_SEEN | one | NEW_TWO};

	effect_letters_wait(&gone, &told, one | NEW_TWO, &words->from, &words->to);
	assert_true(told.flags == (FLAG_SEEN | one));
	assert_true(told.unlettered == one);
	assert_true(gone.flags == 0 && gone.remote_flags == TWO);
}

static void E16_what_was_set_there_comes_from_there_then(void **state)
{
	struct row row = {.local_flags = ONE | TWO, .unlettered = ONE};

	(void)state;
	effect_flags(&row, SIDE_REMOTE, ONE | TWO, 0);
	assert_true(row.remote_flags == (ONE | TWO));
	assert_true(row.local_flags == TWO && row.unlettered == 0 && row.flags == TWO);
}

#define WORDS_TEST(name) cmocka_unit_test_setup_teardown(name, words_open, words_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORDS_TEST(keywords_are_said_in_the_new_words),
		WORDS_TEST(a_keyword_that_does_not_fit_in_is_lost),
		WORDS_TEST(letters_are_read_by_the_old_table),
		WORDS_TEST(letters_that_were_rewritten_already_are_not_again),
		WORDS_TEST(a_letter_that_the_new_table_does_not_name_is_read_by_the_old_one),
		WORDS_TEST(D17_a_move_that_drops_all_letters_takes_no_keyword),
		WORDS_TEST(D15_D18_what_a_moved_files_name_does_not_tell_goes_along),
		WORDS_TEST(moved_there_it_is_agreed_on_in_the_new_words),
		WORDS_TEST(moved_here_its_file_says_what_it_said),
		WORDS_TEST(E16_what_the_server_has_comes_from_there_when_there_is_a_letter),
		cmocka_unit_test(E16_what_was_set_there_comes_from_there_then),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
