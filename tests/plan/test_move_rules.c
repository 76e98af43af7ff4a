/*
 * The cases of moves (family moves): what becomes of two rows.
 *
 *   case V5 a title
 *   seen here | there | unreadable
 *   gone BASE LOCAL REMOTE            rows, as in test_plan.c; what is not said is a plain move
 *   new BASE LOCAL REMOTE reason=ambiguous
 *   policy copy=both delete=both
 *   from absent | read_only | nowhere   takes no part; ...; is not on the server
 *   to ...
 *   taken                             one of the rows is part of another move
 *   under_way                         an act of the new row is
 *   aside                             one is set aside, since the connection ended on it
 *   content same | other | unknown    of the new file, to the old row
 *   expect none | planned | policy | obstacle | unreadable
 *
 * And V10 by traces of what is gone: who came from where.
 */
#include "cases.h"

#include "rules/move_rules.h"

struct scenario {
	char title[160];
	struct move_facts facts;
	struct row gone;
	struct row fresh;
	const char *expected;
};

static const char *const states[] = {
	[MOVE_NONE] = "none",
	[MOVE_PLANNED] = "planned",
	[MOVE_HELD_POLICY] = "policy",
	[MOVE_HELD_OBSTACLE] = "obstacle",
	[MOVE_HELD_UNREADABLE] = "unreadable",
};

static void begin(void *data, const char *title)
{
	struct scenario *scenario = data;
	const struct move_mailbox usable = {.is_active = true, .is_there = true};

	*scenario = (struct scenario){
		.facts = {.from = usable, .to = usable, .copy = SIDE_BOTH, .delete_ = SIDE_BOTH}};
	row_init(&scenario->gone);
	row_init(&scenario->fresh);
	snprintf(scenario->title, sizeof(scenario->title), "%.150s", title);
}

static bool read_seen(struct scenario *scenario, const char *word)
{
	static const char *const names[] = {
		[MOVE_SEEN_HERE] = "here",
		[MOVE_SEEN_RENAMED] = "renamed",
		[MOVE_SEEN_THERE] = "there",
		[MOVE_SEEN_UNREADABLE] = "unreadable",
	};
	/* What a plain one looks like. */
	char gone_here[] = "= ! =";
	char gone_there[] = "= = !";
	char new_here[] = "- = -";
	char new_there[] = "- - =";
	size_t seen = 0;

	while (seen < 4 && strcmp(word, names[seen]) != 0) {
		seen++;
	}
	scenario->facts.seen = (enum move_seen)seen;
	bool is_there = seen == MOVE_SEEN_THERE;
	return seen < 4 && case_read_row(&scenario->gone, is_there ? gone_there : gone_here) &&
	       case_read_row(&scenario->fresh, is_there ? new_there : new_here);
}

static bool read_mailbox(struct move_mailbox *mailbox, const char *word)
{
	if (strcmp(word, "absent") == 0) {
		mailbox->is_active = false;
	} else if (strcmp(word, "read_only") == 0) {
		mailbox->is_read_only = true;
	} else if (strcmp(word, "nowhere") == 0) {
		mailbox->is_there = false;
	} else {
		return false;
	}
	return true;
}

static bool read_policy(struct move_facts *facts, char *rest)
{
	for (char *word = case_next_word(&rest); word != NULL; word = case_next_word(&rest)) {
		const char *value = case_value(word);
		enum side *sides = strcmp(word, "copy") == 0   ? &facts->copy
				 : strcmp(word, "delete") == 0 ? &facts->delete_
							       : NULL;
		if (sides == NULL || !case_read_sides(value, sides)) {
			return false;
		}
	}
	return true;
}

static bool read_expect(struct scenario *scenario, const char *word)
{
	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
		if (strcmp(word, states[i]) == 0) {
			scenario->expected = states[i];
			return true;
		}
	}
	return false;
}

static bool read_content(struct move_facts *facts, const char *word)
{
	static const char *const names[] = {
		[CONTENT_SAME] = "same",
		[CONTENT_OTHER] = "other",
		[CONTENT_UNKNOWN] = "unknown",
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(word, names[i]) == 0) {
			facts->content = (enum content_verdict)i;
			return true;
		}
	}
	return false;
}

static bool read_line(void *data, const char *word, char *rest)
{
	struct scenario *scenario = data;

	if (strcmp(word, "seen") == 0) {
		return read_seen(scenario, rest);
	} else if (strcmp(word, "gone") == 0) {
		return case_read_row(&scenario->gone, rest);
	} else if (strcmp(word, "new") == 0) {
		return case_read_row(&scenario->fresh, rest);
	} else if (strcmp(word, "policy") == 0) {
		return read_policy(&scenario->facts, rest);
	} else if (strcmp(word, "from") == 0) {
		return read_mailbox(&scenario->facts.from, rest);
	} else if (strcmp(word, "to") == 0) {
		return read_mailbox(&scenario->facts.to, rest);
	} else if (strcmp(word, "content") == 0) {
		return read_content(&scenario->facts, rest);
	} else if (strcmp(word, "taken") == 0) {
		scenario->facts.is_taken = true;
		return true;
	} else if (strcmp(word, "under_way") == 0) {
		scenario->facts.has_intent = true;
		return true;
	} else if (strcmp(word, "aside") == 0) {
		scenario->facts.is_aside = true;
		return true;
	}
	return strcmp(word, "expect") == 0 && read_expect(scenario, rest);
}

static void end(void *data)
{
	struct scenario *scenario = data;

	scenario->facts.gone = &scenario->gone;
	scenario->facts.fresh = &scenario->fresh;
	enum move_state got = move_rule(&scenario->facts);
	assert_non_null(scenario->expected);
	assert_true(got < sizeof(states) / sizeof(states[0]));
	if (strcmp(states[got], scenario->expected) != 0) {
		fail_msg("%s: expected %s, got %s", scenario->title, scenario->expected,
			 states[got]);
	}
}

static void moves_follow_every_case(void **state)
{
	struct scenario scenario;
	const struct case_family family = {.name = "moves",
					   .scenario = &scenario,
					   .begin = begin,
					   .line = read_line,
					   .end = end};

	assert_true(case_run_all(&family, *state) >= 20);
}

/* V10 */

#define INBOX   1
#define ARCHIVE 2
#define WORK    3

static const struct header_identity one = {.has_message_id = true, .digest = {1}};
static const struct header_identity two = {.has_message_id = true, .digest = {2}};

static struct move_trace *find(struct move_trace *traces, size_t count, int64_t mailbox,
			       int64_t date, const struct header_identity *identity)
{
	const struct move_arrival arrival = {.mailbox = mailbox, .date = told_time(date)};
	return move_trace_find(traces, count, &arrival, identity);
}

static void by_date_and_header_each_original_goes_once(void **state)
{
	struct move_trace traces[] = {
		{.date = {true, 10}, .row = 1, .mailbox = INBOX, .digest = {1}},
		{.date = {true, 20}, .row = 2, .mailbox = INBOX, .digest = {2}},
		{.date = {true, 20}, .row = 3, .mailbox = ARCHIVE, .digest = {1}},
		{.date = {true, 20}, .row = 4, .mailbox = WORK, .digest = {1}},
	};
	(void)state;

	assert_non_null(find(traces, 4, ARCHIVE, 20, NULL));
	assert_null(find(traces, 4, INBOX, 10, NULL));
	assert_null(find(traces, 4, ARCHIVE, 15, NULL));
	struct move_trace *found = find(traces, 4, ARCHIVE, 20, &one);
	assert_ptr_equal(found, &traces[3]);
	found->is_taken = true;
	assert_null(find(traces, 4, ARCHIVE, 20, &one));
	assert_ptr_equal(find(traces, 4, INBOX, 20, &one), &traces[2]);
	assert_ptr_equal(find(traces, 4, ARCHIVE, 20, &two), &traces[1]);
	assert_null(find(traces, 4, ARCHIVE, 10, &two));
}

static void a_header_without_message_id_says_too_little(void **state)
{
	struct move_trace trace = {.date = {true, 10}, .row = 1, .mailbox = INBOX, .digest = {1}};
	const struct header_identity nameless = {.digest = {1}};
	(void)state;

	assert_null(find(&trace, 1, ARCHIVE, 10, &nameless));
	assert_ptr_equal(find(&trace, 1, ARCHIVE, 10, &one), &trace);
	assert_null(find(NULL, 0, ARCHIVE, 10, &one));
}

/* V10, V13 */
static void what_has_an_emailid_comes_from_what_has_none(void **state)
{
	struct move_trace trace = {.date = {true, 10}, .row = 1, .mailbox = INBOX, .digest = {1}};
	struct move_arrival arrival = {ARCHIVE, {true, 10}, .has_emailid = true};
	(void)state;

	assert_ptr_equal(move_trace_find(&trace, 1, &arrival, &one), &trace);
	trace.has_emailid = true;
	assert_null(move_trace_find(&trace, 1, &arrival, &one));
	assert_null(move_trace_find(&trace, 1, &arrival, NULL));
	arrival.has_emailid = false;
	assert_ptr_equal(move_trace_find(&trace, 1, &arrival, &one), &trace);
}

/* V13 */
static void an_emailid_proposes_and_date_and_header_decide(void **state)
{
	static char id[] = "M1";
	static char other_id[] = "M2";
	struct row gone = {.emailid = id, .date = {true, 10}, .has_digest = true, .digest = {1}};
	struct row fresh = {.emailid = id, .date = {true, 10}};
	const struct header_identity nameless = {.digest = {1}};
	(void)state;

	assert_true(move_is_proven(&gone, &fresh, &one));
	assert_true(move_is_proven(&gone, &fresh, &nameless));
	assert_false(move_is_proven(&gone, &fresh, &two));
	fresh.date = told_time(11);
	assert_false(move_is_proven(&gone, &fresh, &one));
	gone.date = fresh.date = (struct told_time){0};
	assert_false(move_is_proven(&gone, &fresh, &one));
	gone.date = fresh.date = told_time(10);
	gone.has_digest = false;
	assert_false(move_is_proven(&gone, &fresh, &one));
	gone.has_digest = true;
	fresh.emailid = other_id;
	assert_false(move_is_proven(&gone, &fresh, &one));
	gone.emailid = fresh.emailid = NULL; /* untold is not equal */
	assert_false(move_is_proven(&gone, &fresh, &one));
}

static void an_arrival_is_on_the_server_only(void **state)
{
	struct row row;
	char text[] = "- - S";
	(void)state;

	row_init(&row);
	assert_true(case_read_row(&row, text));
	assert_false(move_is_arrival(&row));
	row.uid = 7;
	assert_true(move_is_arrival(&row));
	row.is_agreed = true;
	assert_false(move_is_arrival(&row));
}

int main(int argc, char **argv)
{
	static char own[] = "tests/plan";
	char *dir = argc > 1 ? argv[1] : own;
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_prestate(moves_follow_every_case, dir),
		cmocka_unit_test(by_date_and_header_each_original_goes_once),
		cmocka_unit_test(a_header_without_message_id_says_too_little),
		cmocka_unit_test(what_has_an_emailid_comes_from_what_has_none),
		cmocka_unit_test(an_emailid_proposes_and_date_and_header_decide),
		cmocka_unit_test(an_arrival_is_on_the_server_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
