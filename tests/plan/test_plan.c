/*
 * The planner's cases: text files *.case in tests/plan (or the directory given as argument), and
 * random rows.
 *
 *   case R13 a title, with the numbers of the rules
 *   policy copy=both flags=both delete=both expunge=none max_size=1000 oldest=100
 *   mailbox permanent=DFRST* keywords=ab read_only brake_local brake_remote releases waste
 *   row BASE LOCAL REMOTE size=10 date=20 reason=ambiguous held=removal
 *   expect ROW OP +ADDED -REMOVED | expect ROW hold REASON | expect none
 *
 * BASE, LOCAL, REMOTE: "-" not there (base: not agreed), "!" gone, "=" there without flags, else
 * letters: DFPRST and a to z for keywords. What is not said is: everything both, expunge none,
 * no limits, all flags permanent, all keywords with letters. Every case is also carried out on
 * paper and planned again: only holds may be left (I5).
 */
#include "paper.h"

/* Reading cases. */

static bool read_policy(struct plan_policy *policy, char *word)
{
	char *value = case_value(word);

	if (strcmp(word, "copy") == 0) {
		return case_read_sides(value, &policy->copy);
	} else if (strcmp(word, "flags") == 0) {
		return case_read_sides(value, &policy->flags);
	} else if (strcmp(word, "delete") == 0) {
		return case_read_sides(value, &policy->delete_);
	} else if (strcmp(word, "expunge") == 0) {
		return case_read_sides(value, &policy->expunge);
	} else if (strcmp(word, "max_size") == 0) {
		policy->max_size_bytes = strtoull(value, NULL, 10);
		return true;
	} else if (strcmp(word, "oldest") == 0) {
		policy->oldest = strtoll(value, NULL, 10);
		return true;
	}
	return false;
}

static bool read_mailbox(struct plan_facts *mailbox, char *word)
{
	char *value = case_value(word);

	if (strcmp(word, "permanent") == 0) {
		size_t len = strlen(value);
		mailbox->permanent_any = len > 0 && value[len - 1] == '*';
		value[mailbox->permanent_any ? len - 1 : len] = '\0';
		return case_read_flags(value, &mailbox->permanent_flags);
	} else if (strcmp(word, "keywords") == 0) {
		return case_read_flags(value, &mailbox->local_keywords);
	}
	if (strcmp(word, "brake_local") == 0 || strcmp(word, "brake_remote") == 0) {
		mailbox->braked |= strcmp(word, "brake_local") == 0 ? SIDE_LOCAL : SIDE_REMOTE;
		return true;
	}
	bool *claim = strcmp(word, "read_only") == 0  ? &mailbox->is_read_only
		    : strcmp(word, "unreadable") == 0 ? &mailbox->has_unreadable
		    : strcmp(word, "releases") == 0   ? &mailbox->releases_held
		    : strcmp(word, "waste") == 0      ? &mailbox->is_waste
						      : NULL;
	if (claim != NULL) {
		*claim = true;
	}
	return claim != NULL;
}

static void read_expect(struct scenario *scenario, const char *rest)
{
	size_t len = strlen(scenario->expected);

	if (strcmp(rest, "none") != 0) {
		snprintf(scenario->expected + len, sizeof(scenario->expected) - len, "%s\n", rest);
	}
}

static bool read_line(void *data, const char *name, char *rest)
{
	struct scenario *scenario = data;
	bool is_policy = strcmp(name, "policy") == 0;

	if (strcmp(name, "expect") == 0) {
		read_expect(scenario, rest);
		return true;
	}
	if (strcmp(name, "row") == 0 && scenario->count < ROWS_MAX) {
		row_init(&scenario->rows[scenario->count++]);
		return case_read_row(&scenario->rows[scenario->count - 1], rest);
	}
	if (!is_policy && strcmp(name, "mailbox") != 0) {
		return false;
	}
	for (char *word = case_next_word(&rest); word != NULL; word = case_next_word(&rest)) {
		if (is_policy ? !read_policy(&scenario->policy, word)
			      : !read_mailbox(&scenario->mailbox, word)) {
			return false;
		}
	}
	return true;
}

static void scenario_begin(void *data, const char *title)
{
	struct scenario *scenario = data;

	scenario_init(scenario);
	snprintf(scenario->title, sizeof(scenario->title), "%.150s", title);
}

static void scenario_run(void *data)
{
	struct scenario *scenario = data;
	struct message_plan plan;
	char got[TEXT_MAX];

	scenario_plan(scenario, &plan);
	text_plan(&plan, got, sizeof(got));
	if (strcmp(got, scenario->expected) != 0) {
		fail_msg("%s\nexpected:\n%sgot:\n%s", scenario->title, scenario->expected, got);
	}
	paper_expect_only_holds(scenario, &plan);
	message_plan_finish(&plan);
}

static void plan_follows_every_case(void **state)
{
	struct scenario scenario;
	const struct case_family family = {
		.scenario = &scenario,
		.begin = scenario_begin,
		.line = read_line,
		.end = scenario_run,
	};

	assert_true(case_run_all(&family, *state) >= 50);
}

/* Random rows. */

static uint64_t random_next(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed >> 16;
}

static bool random_bool(uint64_t *seed)
{
	return (random_next(seed) & 1) != 0;
}

static uint64_t random_flags(uint64_t *seed)
{
	return random_next(seed) &
	       (FLAG_DELETED | FLAG_SEEN | FLAG_FORWARDED | FLAG_KEYWORD(0) | FLAG_KEYWORD(1));
}

static void random_row(uint64_t *seed, struct row *row)
{
	row_init(row);
	row->is_agreed = random_bool(seed);
	row->local = (enum presence)(random_next(seed) % 3);
	row->remote = (enum presence)(random_next(seed) % 3);
	row->flags = row->is_agreed ? random_flags(seed) : 0;
	row->local_flags = random_bool(seed) ? row->flags : random_flags(seed);
	row->remote_flags = random_bool(seed) ? row->flags : random_flags(seed);
	row->reason = (enum row_reason)(random_next(seed) % (REASON_UNSEEN + 1));
	row->size = told_unless_0(random_next(seed) % 3);
	row->date = told_time((int64_t)(random_next(seed) % 3));
	row->held = (enum row_held)(random_next(seed) % 4);
}

static void random_scenario(uint64_t *seed, struct scenario *scenario)
{
	scenario_init(scenario);
	scenario->policy.copy = (unsigned)random_next(seed) & 3;
	scenario->policy.flags = (unsigned)random_next(seed) & 3;
	scenario->policy.delete_ = (unsigned)random_next(seed) & 3;
	scenario->policy.expunge = (unsigned)random_next(seed) & 3;
	scenario->policy.max_size_bytes = random_next(seed) % 3;
	scenario->policy.oldest = (int64_t)(random_next(seed) % 3);
	scenario->mailbox.permanent_flags = random_flags(seed);
	scenario->mailbox.permanent_any = random_bool(seed);
	scenario->mailbox.local_keywords = random_flags(seed) & ~FLAGS_SYSTEM;
	scenario->mailbox.is_read_only = random_next(seed) % 4 == 0;
	scenario->mailbox.has_unreadable = random_next(seed) % 4 == 0;
	scenario->mailbox.braked = random_next(seed) % 4 == 0 ? SIDE_LOCAL : SIDE_NONE;
	scenario->mailbox.braked |= random_next(seed) % 4 == 0 ? SIDE_REMOTE : SIDE_NONE;
	scenario->mailbox.releases_held = random_next(seed) % 4 == 0;
	/* Where the user lets go the brake holds nothing. */
	scenario->mailbox.is_waste = random_next(seed) % 4 == 0 && !scenario->mailbox.releases_held;
	scenario->count = 1 + random_next(seed) % ROWS_MAX;
	for (size_t i = 0; i < scenario->count; i++) {
		random_row(seed, &scenario->rows[i]);
	}
}

/* Invariant I1, and that nothing is done that the policy does not cover. */
static void expect_deletion_allowed(const struct scenario *scenario, const struct op *op)
{
	const struct row *row = &scenario->rows[op->row];
	const struct plan_policy *policy = &scenario->policy;
	bool is_local = op->kind == OP_DELETE_LOCAL;
	enum side side = is_local ? SIDE_LOCAL : SIDE_REMOTE;
	bool is_both = row->local == MESSAGE_PRESENT && row->remote == MESSAGE_PRESENT;
	uint64_t here = is_local ? row->local_flags : row->remote_flags;

	assert_true((scenario->mailbox.braked & side) == 0 ||
		    message_is_waste(&scenario->mailbox, row, side));
	assert_false(!is_local && scenario->mailbox.is_read_only);
	assert_true((row->held & HELD_REMOVAL) == 0 || scenario->mailbox.releases_held);
	if (is_both) {
		assert_int_not_equal((row->local_flags | row->remote_flags) & FLAG_DELETED, 0);
		assert_true((policy->expunge & side) != 0 ||
			    (policy->expunge != 0 && (policy->delete_ & side) != 0));
	} else if (row->is_agreed) {
		assert_int_not_equal(policy->delete_ & side, 0);
		assert_false(!is_local && scenario->mailbox.has_unreadable);
	} else {
		assert_int_not_equal(policy->expunge & side, 0);
		assert_int_not_equal(here & FLAG_DELETED, 0);
	}
}

/* R17, written apart from the planner. */
static uint64_t remote_allowed(const struct plan_facts *mailbox)
{
	uint64_t any = mailbox->permanent_any ? ~(FLAGS_SYSTEM & ~FLAG_FORWARDED) : 0;

	return mailbox->permanent_flags | any;
}

/* R30 */
static void expect_clearing_allowed(const struct scenario *scenario, const struct op *op)
{
	const struct row *row = &scenario->rows[op->row];

	assert_true((row->held & HELD_FLAGS) == 0 || scenario->mailbox.releases_held ||
		    (op->remove & row->flags & ~row->local_flags) == 0);
}

static void expect_op_allowed(const struct scenario *scenario, const struct op *op)
{
	const struct plan_policy *policy = &scenario->policy;
	uint64_t bits = op->add | op->remove;

	switch (op->kind) {
	case OP_DELETE_LOCAL:
	case OP_DELETE_REMOTE:
		expect_deletion_allowed(scenario, op);
		break;
	case OP_DOWNLOAD:
		assert_int_not_equal(policy->copy & SIDE_LOCAL, 0);
		assert_int_not_equal(scenario->rows[op->row].reason, REASON_UNIDENTIFIED);
		assert_int_not_equal(scenario->rows[op->row].reason, REASON_UNSEEN);
		break;
	case OP_UPLOAD:
		assert_int_not_equal(policy->copy & SIDE_REMOTE, 0);
		assert_false(scenario->mailbox.is_read_only);
		assert_int_not_equal(scenario->rows[op->row].reason, REASON_AMBIGUOUS);
		assert_int_not_equal(scenario->rows[op->row].reason, REASON_UNIDENTIFIED);
		break;
	case OP_FLAGS_LOCAL:
		assert_int_not_equal(bits, 0);
		assert_int_not_equal(policy->flags & SIDE_LOCAL, 0);
		assert_true((bits & ~FLAGS_SYSTEM & ~scenario->mailbox.local_keywords) == 0);
		break;
	case OP_FLAGS_REMOTE:
		assert_int_not_equal(bits, 0);
		assert_int_not_equal(policy->flags & SIDE_REMOTE, 0);
		assert_false(scenario->mailbox.is_read_only);
		assert_true((bits & ~remote_allowed(&scenario->mailbox)) == 0);
		expect_clearing_allowed(scenario, op);
		break;
	case OP_FORGET:
	case OP_AGREE:
	case OP_HOLD:
		break;
	}
}

static size_t count_holds(const struct message_plan *plan)
{
	size_t holds = 0;
	for (size_t i = 0; i < plan->count; i++) {
		holds += plan->ops[i].kind == OP_HOLD;
	}
	return holds;
}

/* The same rows backwards give the same operations, row by row. */
static void expect_order_does_not_matter(const struct scenario *scenario,
					 const struct message_plan *plan)
{
	struct scenario reversed = *scenario;
	struct message_plan backwards;
	size_t at = plan->count;

	for (size_t i = 0; i < scenario->count; i++) {
		reversed.rows[i] = scenario->rows[scenario->count - 1 - i];
	}
	scenario_plan(&reversed, &backwards);
	assert_int_equal(backwards.count, plan->count);
	for (size_t i = 0; i < backwards.count;) {
		size_t row = backwards.ops[i].row;
		size_t run = 0;
		while (i + run < backwards.count && backwards.ops[i + run].row == row) {
			run++;
		}
		at -= run;
		for (size_t k = 0; k < run; k++) {
			const struct op *op = &plan->ops[at + k];
			const struct op *other = &backwards.ops[i + k];
			assert_int_equal(op->row, scenario->count - 1 - row);
			assert_int_equal(op->kind, other->kind);
			assert_true(op->add == other->add && op->remove == other->remove);
			assert_int_equal(op->reason, other->reason);
		}
		i += run;
	}
	assert_int_equal(backwards.deletes.local, plan->deletes.local);
	assert_int_equal(count_holds(&backwards), count_holds(plan));
	message_plan_finish(&backwards);
}

static void plan_of_random_rows_is_allowed_complete_and_ordered(void **state)
{
	const char *given = getenv("MAILSYNC_SEED");
	uint64_t seed = given == NULL ? UINT64_C(0x5eed5eed) : strtoull(given, NULL, 0);
	struct scenario scenario;
	struct message_plan plan;

	(void)state;
	for (int i = 0; i < 20000; i++) {
		uint64_t start = seed;
		random_scenario(&seed, &scenario);
		snprintf(scenario.title, sizeof(scenario.title), "MAILSYNC_SEED=%" PRIu64, start);
		scenario_plan(&scenario, &plan);
		for (size_t k = 0; k < plan.count; k++) {
			expect_op_allowed(&scenario, &plan.ops[k]);
		}
		expect_order_does_not_matter(&scenario, &plan);
		paper_expect_only_holds(&scenario, &plan);
		message_plan_finish(&plan);
	}
}

static void plan_counts_what_the_brake_held(void **state)
{
	struct scenario scenario;
	struct message_plan plan;

	(void)state;
	scenario_init(&scenario);
	for (scenario.count = 0; scenario.count < 4; scenario.count++) {
		struct row *row = &scenario.rows[scenario.count];
		row_init(row);
		row->is_agreed = true;
		row->local = MESSAGE_PRESENT;
		row->remote = MESSAGE_GONE;
	}
	scenario_plan(&scenario, &plan);
	assert_int_equal(plan.deletes.local, 4);
	message_plan_finish(&plan);
	scenario.mailbox.braked = SIDE_LOCAL;
	scenario_plan(&scenario, &plan);
	assert_int_equal(plan.deletes.local, 4);
	assert_int_equal(plan.deletes.remote, 0);
	assert_int_equal(count_holds(&plan), 4);
	assert_int_equal(plan.skipped, 0);
	message_plan_finish(&plan);
}

static void plan_counts_what_an_earlier_brake_holds_apart(void **state)
{
	struct scenario scenario;
	struct message_plan plan;

	(void)state;
	scenario_init(&scenario);
	for (scenario.count = 0; scenario.count < 4; scenario.count++) {
		struct row *row = &scenario.rows[scenario.count];
		row_init(row);
		row->is_agreed = true;
		row->local = scenario.count < 3 ? MESSAGE_GONE : MESSAGE_PRESENT;
		row->remote = scenario.count < 3 ? MESSAGE_PRESENT : MESSAGE_GONE;
		row->held = scenario.count == 0 ? HELD_NOT : HELD_REMOVAL;
	}
	scenario_plan(&scenario, &plan);
	assert_int_equal(plan.deletes.remote, 1);
	assert_int_equal(plan.deletes.local, 0);
	assert_int_equal(plan.deletes.held_remote, 2);
	assert_int_equal(plan.deletes.held_local, 1);
	assert_int_equal(plan.deletes.held_agreed, 3);
	message_plan_finish(&plan);
	scenario.policy.delete_ =
		SIDE_LOCAL; /* what is not covered is not told, and not forgotten */
	scenario_plan(&scenario, &plan);
	assert_int_equal(plan.deletes.held_remote, 0);
	assert_int_equal(plan.deletes.held_agreed, 3);
	message_plan_finish(&plan);
	scenario.policy.delete_ = SIDE_LOCAL | SIDE_REMOTE;
	scenario.mailbox.releases_held = true;
	scenario_plan(&scenario, &plan);
	assert_int_equal(plan.deletes.remote, 3);
	assert_int_equal(plan.deletes.local, 1);
	assert_int_equal(plan.deletes.held_agreed, 0);
	message_plan_finish(&plan);
}

/* A run that dies once the flags are stored must not leave the brake to judge it anew. */
static void flags_of_a_braked_row_keep_the_brake_s_mark(void **state) /* R21 */
{
	struct scenario scenario;
	struct message_plan plan;

	(void)state;
	scenario_init(&scenario);
	scenario.policy.expunge = SIDE_LOCAL | SIDE_REMOTE;
	struct row *row = &scenario.rows[scenario.count++];
	row_init(row);
	row->is_agreed = true;
	row->local = row->remote = MESSAGE_PRESENT;
	row->flags = row->remote_flags = FLAG_DELETED;
	row->local_flags = FLAG_DELETED | FLAG_SEEN;
	row->held = HELD_REMOVAL;
	scenario_plan(&scenario, &plan);
	assert_int_equal(plan.count, 2);
	assert_int_equal(plan.ops[0].kind, OP_FLAGS_REMOTE);
	assert_int_equal(plan.ops[0].reason, REASON_BRAKE);
	assert_int_equal(plan.ops[0].held, HELD_REMOVAL);
	assert_int_equal(plan.ops[1].kind, OP_HOLD);
	message_plan_finish(&plan);
}

/* A row of each that the brake may hold, and what --bring-back makes of it. */
static const struct {
	const char *row;
	const char *policy;
	bool read_only;
	const char *plan; /* NULL: it stays held */
} brought_back[] = {
	{"S ! S held=removal", "", false, "0 download\n"},
	{"S F ! held=removal", "", false, "0 upload\n"},
	{"S = SR held=flags", "", false, "0 flags_local +RS\n"},
	{"S ! S held=removal", "copy=remote", false, NULL},
	{"S ! S held=removal size=5", "max_size=4", false, NULL},
	{"S ! S held=removal date=5", "oldest=6", false, NULL},
	{"S F ! held=removal", "copy=local", false, NULL},
	{"S F ! held=removal size=5", "max_size=4", false, NULL},
	{"S F ! held=removal", "", true, NULL},
	{"S = S held=flags", "flags=remote", false, NULL},
	{"T T T held=removal", "expunge=both", false, NULL},
	{"- - T held=removal", "expunge=remote", false, NULL},
	{"S ! S", "", false, NULL},
};

static void what_is_held_is_brought_back(void **state) /* B12 */
{
	(void)state;
	for (size_t i = 0; i < sizeof(brought_back) / sizeof(brought_back[0]); i++) {
		struct scenario scenario;
		struct message_plan plan;
		char line[128], got[TEXT_MAX] = "";
		bool is_due = false;
		struct err err;
		scenario_begin(&scenario, brought_back[i].row);
		snprintf(line, sizeof(line), "%s", brought_back[i].row);
		assert_true(read_line(&scenario, "row", line));
		snprintf(line, sizeof(line), "%s", brought_back[i].policy);
		assert_true(read_line(&scenario, "policy", line));
		scenario.mailbox.is_read_only = brought_back[i].read_only;
		assert_int_equal(message_is_brought_back(&scenario.rows[0], &scenario.policy,
							 &scenario.mailbox, &is_due, &err),
				 0);
		if (is_due != (brought_back[i].plan != NULL)) {
			fail_msg("%s: %d", brought_back[i].row, is_due);
		}
		if (is_due) {
			effect_brought_back(&scenario.rows[0]);
			scenario_plan(&scenario, &plan);
			text_plan(&plan, got, sizeof(got));
			assert_string_equal(got, brought_back[i].plan);
			paper_expect_only_holds(&scenario, &plan);
			assert_true(row_is_settled(&scenario.rows[0]));
			message_plan_finish(&plan);
		}
	}
}

int main(int argc, char **argv)
{
	void *dir = argc > 1 ? argv[1] : (char *)"tests/plan";
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_prestate(plan_follows_every_case, dir),
		cmocka_unit_test(plan_of_random_rows_is_allowed_complete_and_ordered),
		cmocka_unit_test(plan_counts_what_the_brake_held),
		cmocka_unit_test(plan_counts_what_an_earlier_brake_holds_apart),
		cmocka_unit_test(flags_of_a_braked_row_keep_the_brake_s_mark),
		cmocka_unit_test(what_is_held_is_brought_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
