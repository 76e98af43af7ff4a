/*
 * The planner's cases: text files *.case in tests/plan (or the directory given as argument), and
 * random rows.
 *
 *   case R13 a title, with the numbers of the rules
 *   policy copy=both flags=both delete=both expunge=none max_size=1000 oldest=100
 *   mailbox permanent=DFRST* keywords=ab read_only brake_local brake_remote
 *   row BASE LOCAL REMOTE size=10 date=20 reason=ambiguous
 *   expect ROW OP +ADDED -REMOVED | expect ROW hold REASON | expect none
 *
 * BASE, LOCAL, REMOTE: "-" not there (base: not agreed), "!" gone, "=" there without flags, else
 * letters: DFPRST and a to z for keywords. What is not said is: everything both, expunge none,
 * no limits, all flags permanent, all keywords with letters. Every case is also carried out on
 * paper and planned again: only holds may be left (I5).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mailsync/model/flags.h"
#include "sync/plan.h"

#define ROWS_MAX 16
#define TEXT_MAX 4096

struct scenario {
	char title[160];
	struct plan_policy policy;
	struct plan_mailbox mailbox;
	struct row rows[ROWS_MAX];
	size_t count;
	char expected[TEXT_MAX];
};

static const char *const op_names[] = {
	[OP_DOWNLOAD] = "download",
	[OP_UPLOAD] = "upload",
	[OP_FLAGS_LOCAL] = "flags_local",
	[OP_FLAGS_REMOTE] = "flags_remote",
	[OP_DELETE_LOCAL] = "delete_local",
	[OP_DELETE_REMOTE] = "delete_remote",
	[OP_FORGET] = "forget",
	[OP_AGREE] = "agree",
	[OP_HOLD] = "hold",
};
static const char *const reason_names[] = {
	[REASON_NONE] = "none",           [REASON_POLICY] = "policy",
	[REASON_TOO_LARGE] = "too_large", [REASON_TOO_OLD] = "too_old",
	[REASON_DELETED] = "deleted",     [REASON_BRAKE] = "brake",
	[REASON_FAILED] = "failed",       [REASON_OBSTACLE] = "obstacle",
	[REASON_AMBIGUOUS] = "ambiguous",
};
static const char letters[] = "DFPRSTabcdefghijklmnopqrstuvwxyz";

static void scenario_init(struct scenario *scenario)
{
	memset(scenario, 0, sizeof(*scenario));
	scenario->policy =
		(struct plan_policy){.copy = 3, .flags = 3, .delete_ = 3, .oldest = INT64_MIN};
	scenario->mailbox = (struct plan_mailbox){.permanent_flags = FLAGS_SYSTEM,
						  .permanent_any = true,
						  .local_keywords = ~FLAGS_SYSTEM};
}

/* Writing what was planned. */

static void text_flags(char *out, size_t size, char sign, uint64_t flags)
{
	size_t len = strlen(out);

	if (flags == 0) {
		return;
	}
	len += (size_t)snprintf(out + len, size - len, " %c", sign);
	for (size_t i = 0; letters[i] != '\0' && len + 1 < size; i++) {
		if ((flags & (UINT64_C(1) << i)) != 0) {
			out[len++] = letters[i];
		}
	}
	out[len] = '\0';
}

static void text_op(const struct op *op, char *line, size_t size)
{
	snprintf(line, size, "%zu %s", op->row, op_names[op->kind]);
	text_flags(line, size, '+', op->add);
	text_flags(line, size, '-', op->remove);
	if (op->kind == OP_HOLD) {
		size_t len = strlen(line);
		snprintf(line + len, size - len, " %s", reason_names[op->reason]);
	}
}

static void text_plan(const struct plan *plan, char *text, size_t size)
{
	char line[128];
	size_t len = 0;

	text[0] = '\0';
	for (size_t i = 0; i < plan->count; i++) {
		text_op(&plan->ops[i], line, sizeof(line));
		assert_non_null(plan->ops[i].why);
		len += (size_t)snprintf(text + len, size - len, "%s\n", line);
		assert_true(len < size);
	}
}

static void scenario_plan(const struct scenario *scenario, struct plan *plan)
{
	struct err err;

	plan_init(plan);
	assert_int_equal(plan_make(scenario->rows, scenario->count, &scenario->policy,
				   &scenario->mailbox, plan, &err),
			 0);
}

/* Carrying a plan out on paper, written apart from the planner. */

static uint64_t paper_remote_allowed(const struct plan_mailbox *mailbox)
{
	uint64_t any = mailbox->permanent_any ? ~(FLAGS_SYSTEM & ~FLAG_FORWARDED) : 0;

	return mailbox->permanent_flags | any;
}

static void paper_op(struct scenario *scenario, const struct op *op)
{
	struct row *row = &scenario->rows[op->row];

	switch (op->kind) {
	case OP_DOWNLOAD:
		row->local = SIDE_PRESENT;
		row->local_flags =
			row->remote_flags & (FLAGS_SYSTEM | scenario->mailbox.local_keywords);
		row->is_agreed = true;
		row->flags = row->local_flags & row->remote_flags;
		break;
	case OP_UPLOAD:
		row->remote = SIDE_PRESENT;
		row->remote_flags = row->local_flags & paper_remote_allowed(&scenario->mailbox);
		row->is_agreed = true;
		row->flags = row->local_flags & row->remote_flags;
		break;
	case OP_FLAGS_LOCAL:
		assert_int_equal(row->local_flags & op->add, 0);
		assert_int_equal(~row->local_flags & op->remove, 0);
		row->local_flags = (row->local_flags | op->add) & ~op->remove;
		break;
	case OP_FLAGS_REMOTE:
		assert_int_equal(row->remote_flags & op->add, 0);
		assert_int_equal(~row->remote_flags & op->remove, 0);
		row->remote_flags = (row->remote_flags | op->add) & ~op->remove;
		break;
	case OP_DELETE_LOCAL:
		assert_int_equal(row->local, SIDE_PRESENT);
		row->local = SIDE_GONE;
		break;
	case OP_DELETE_REMOTE:
		assert_int_equal(row->remote, SIDE_PRESENT);
		row->remote = SIDE_GONE;
		break;
	case OP_FORGET:
		row->local = row->remote = SIDE_GONE;
		break;
	case OP_AGREE:
		row->is_agreed = true;
		row->flags = op->agreed;
		break;
	case OP_HOLD:
		row->reason = op->reason;
		break;
	}
}

static bool paper_is_flag_op(const struct op *op)
{
	return op->kind == OP_FLAGS_LOCAL || op->kind == OP_FLAGS_REMOTE;
}

/* Carries out PLAN, settles flags bit by bit, and drops rows that are void. */
static void paper_apply(struct scenario *scenario, const struct plan *plan)
{
	for (size_t i = 0; i < plan->count; i++) {
		paper_op(scenario, &plan->ops[i]);
	}
	for (size_t i = 0; i < plan->count; i++) {
		struct row *row = &scenario->rows[plan->ops[i].row];
		if (!paper_is_flag_op(&plan->ops[i])) {
			continue;
		}
		for (uint64_t bit = 1; bit != 0; bit <<= 1) {
			if ((row->local_flags & bit) == (row->remote_flags & bit)) {
				row->flags = (row->flags & ~bit) | (row->local_flags & bit);
			}
		}
		if (row->local == SIDE_PRESENT && row->remote == SIDE_PRESENT) {
			assert_true(row->flags == plan->ops[i].agreed);
		}
	}
	size_t kept = 0;
	for (size_t i = 0; i < scenario->count; i++) {
		if (scenario->rows[i].local == SIDE_PRESENT ||
		    scenario->rows[i].remote == SIDE_PRESENT) {
			scenario->rows[kept++] = scenario->rows[i];
		}
	}
	scenario->count = kept;
}

/* I5 */
static void paper_expect_only_holds(struct scenario *scenario, const struct plan *plan)
{
	struct plan second;
	char text[TEXT_MAX];

	paper_apply(scenario, plan);
	scenario_plan(scenario, &second);
	text_plan(&second, text, sizeof(text));
	for (size_t i = 0; i < second.count; i++) {
		if (second.ops[i].kind != OP_HOLD) {
			fail_msg("%s: the second plan still acts:\n%s", scenario->title, text);
		}
	}
	plan_finish(&second);
}

/* Reading cases. */

static bool read_flags(const char *text, uint64_t *flags)
{
	uint64_t result = 0;

	for (; *text != '\0'; text++) {
		const char *at = strchr(letters, *text);
		if (at == NULL) {
			return false;
		}
		result |= UINT64_C(1) << (at - letters);
	}
	*flags = result;
	return true;
}

static bool read_side(const char *text, enum side_state *side, uint64_t *flags)
{
	*flags = 0;
	if (strcmp(text, "-") == 0 || strcmp(text, "!") == 0) {
		*side = text[0] == '-' ? SIDE_ABSENT : SIDE_GONE;
		return true;
	}
	*side = SIDE_PRESENT;
	return strcmp(text, "=") == 0 || read_flags(text, flags);
}

static bool read_sides(const char *text, unsigned *sides)
{
	static const char *const names[] = {"none", "local", "remote", "both"};

	for (unsigned i = 0; i < 4; i++) {
		if (strcmp(text, names[i]) == 0) {
			*sides = i;
			return true;
		}
	}
	return false;
}

/* Splits "key=value"; VALUE is "" without one. */
static char *word_value(char *word)
{
	char *equals = strchr(word, '=');

	if (equals == NULL) {
		return word + strlen(word);
	}
	*equals = '\0';
	return equals + 1;
}

static bool read_policy(struct plan_policy *policy, char *word)
{
	char *value = word_value(word);

	if (strcmp(word, "copy") == 0) {
		return read_sides(value, &policy->copy);
	} else if (strcmp(word, "flags") == 0) {
		return read_sides(value, &policy->flags);
	} else if (strcmp(word, "delete") == 0) {
		return read_sides(value, &policy->delete_);
	} else if (strcmp(word, "expunge") == 0) {
		return read_sides(value, &policy->expunge);
	} else if (strcmp(word, "max_size") == 0) {
		policy->max_size_bytes = strtoull(value, NULL, 10);
		return true;
	} else if (strcmp(word, "oldest") == 0) {
		policy->oldest = strtoll(value, NULL, 10);
		return true;
	}
	return false;
}

static bool read_mailbox(struct plan_mailbox *mailbox, char *word)
{
	char *value = word_value(word);

	if (strcmp(word, "permanent") == 0) {
		size_t len = strlen(value);
		mailbox->permanent_any = len > 0 && value[len - 1] == '*';
		value[mailbox->permanent_any ? len - 1 : len] = '\0';
		return read_flags(value, &mailbox->permanent_flags);
	} else if (strcmp(word, "keywords") == 0) {
		return read_flags(value, &mailbox->local_keywords);
	}
	bool *claim = strcmp(word, "read_only") == 0    ? &mailbox->is_read_only
		    : strcmp(word, "brake_local") == 0  ? &mailbox->brake_local
		    : strcmp(word, "brake_remote") == 0 ? &mailbox->brake_remote
							: NULL;
	if (claim != NULL) {
		*claim = true;
	}
	return claim != NULL;
}

static bool read_row_word(struct row *row, size_t index, char *word)
{
	enum side_state base;

	if (index == 0) {
		bool is_read = read_side(word, &base, &row->flags);
		row->is_agreed = base == SIDE_PRESENT;
		return is_read && base != SIDE_GONE;
	} else if (index == 1) {
		return read_side(word, &row->local, &row->local_flags);
	} else if (index == 2) {
		return read_side(word, &row->remote, &row->remote_flags);
	}
	char *value = word_value(word);
	if (strcmp(word, "size") == 0) {
		row->size_bytes = strtoull(value, NULL, 10);
		return true;
	} else if (strcmp(word, "date") == 0) {
		row->date = strtoll(value, NULL, 10);
		return true;
	}
	if (strcmp(word, "reason") == 0 && strcmp(value, "ambiguous") == 0) {
		row->reason = REASON_AMBIGUOUS;
		return true;
	}
	return false;
}

static void read_expect(struct scenario *scenario, const char *rest)
{
	size_t len = strlen(scenario->expected);

	if (strcmp(rest, "none") != 0) {
		snprintf(scenario->expected + len, sizeof(scenario->expected) - len, "%s\n", rest);
	}
}

/* Cuts the next word off *REST; NULL at the end. */
static char *next_word(char **rest)
{
	char *word = *rest + strspn(*rest, " ");
	size_t len = strcspn(word, " ");

	if (len == 0) {
		return NULL;
	}
	*rest = word + len;
	if (**rest != '\0') {
		*(*rest)++ = '\0';
	}
	return word;
}

/* One line but "case". False: unknown syntax. */
static bool read_line(struct scenario *scenario, char *line)
{
	char *rest = strchr(line, ' ');
	size_t index = 0;

	if (rest == NULL) {
		return false;
	}
	*rest++ = '\0';
	if (strcmp(line, "expect") == 0) {
		read_expect(scenario, rest);
		return true;
	}
	bool is_row = strcmp(line, "row") == 0;
	if (is_row) {
		if (scenario->count == ROWS_MAX) {
			return false;
		}
		row_init(&scenario->rows[scenario->count++]);
	}
	for (char *word = next_word(&rest); word != NULL; word = next_word(&rest), index++) {
		bool is_known =
			is_row ? read_row_word(&scenario->rows[scenario->count - 1], index, word)
			: strcmp(line, "policy") == 0  ? read_policy(&scenario->policy, word)
			: strcmp(line, "mailbox") == 0 ? read_mailbox(&scenario->mailbox, word)
						       : false;
		if (!is_known) {
			return false;
		}
	}
	return !is_row || index >= 3;
}

static void scenario_run(struct scenario *scenario)
{
	struct plan plan;
	char got[TEXT_MAX];

	scenario_plan(scenario, &plan);
	text_plan(&plan, got, sizeof(got));
	if (strcmp(got, scenario->expected) != 0) {
		fail_msg("%s\nexpected:\n%sgot:\n%s", scenario->title, scenario->expected, got);
	}
	paper_expect_only_holds(scenario, &plan);
	plan_finish(&plan);
}

static size_t run_file(const char *path)
{
	struct scenario scenario;
	char line[512];
	size_t cases = 0;
	unsigned number = 0;
	FILE *file = fopen(path, "r");

	if (file == NULL) {
		fail_msg("cannot open %s", path);
		return 0;
	}
	while (fgets(line, sizeof(line), file) != NULL) {
		number++;
		line[strcspn(line, "\n")] = '\0';
		if (line[0] == '\0' || line[0] == '#') {
			continue;
		}
		if (strncmp(line, "case ", 5) == 0) {
			if (cases++ > 0) {
				scenario_run(&scenario);
			}
			scenario_init(&scenario);
			snprintf(scenario.title, sizeof(scenario.title), "%s:%u: %.100s", path,
				 number, line + 5);
			continue;
		}
		char copy[512];
		memcpy(copy, line, sizeof(copy));
		if (cases == 0 || !read_line(&scenario, line)) {
			fail_msg("%s:%u: cannot read: %s", path, number, copy);
		}
	}
	if (cases > 0) {
		scenario_run(&scenario);
	}
	fclose(file);
	return cases;
}

static const char *cases_dir(void **state)
{
	return *state;
}

static void plan_follows_every_case(void **state)
{
	const char *dir = cases_dir(state);
	struct dirent *entry;
	size_t cases = 0;
	char path[512];
	DIR *stream = opendir(dir);

	if (stream == NULL) {
		fail_msg("no directory %s", dir);
		return;
	}
	while ((entry = readdir(stream)) != NULL) {
		size_t len = strlen(entry->d_name);
		if (len > 5 && strcmp(entry->d_name + len - 5, ".case") == 0) {
			snprintf(path, sizeof(path), "%s/%s", dir, entry->d_name);
			cases += run_file(path);
		}
	}
	closedir(stream);
	print_message("%zu cases\n", cases);
	assert_true(cases >= 50);
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
	row->local = (enum side_state)(random_next(seed) % 3);
	row->remote = (enum side_state)(random_next(seed) % 3);
	row->flags = row->is_agreed ? random_flags(seed) : 0;
	row->local_flags = random_bool(seed) ? row->flags : random_flags(seed);
	row->remote_flags = random_bool(seed) ? row->flags : random_flags(seed);
	row->reason = (enum row_reason)(random_next(seed) % (REASON_AMBIGUOUS + 1));
	row->size_bytes = random_next(seed) % 3;
	row->date = (int64_t)(random_next(seed) % 3);
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
	scenario->mailbox.brake_local = random_next(seed) % 4 == 0;
	scenario->mailbox.brake_remote = random_next(seed) % 4 == 0;
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
	unsigned side = is_local ? PLAN_LOCAL : PLAN_REMOTE;
	bool is_both = row->local == SIDE_PRESENT && row->remote == SIDE_PRESENT;
	uint64_t here = is_local ? row->local_flags : row->remote_flags;

	assert_false(is_local ? scenario->mailbox.brake_local : scenario->mailbox.brake_remote);
	assert_false(!is_local && scenario->mailbox.is_read_only);
	if (is_both) {
		assert_int_not_equal((row->local_flags | row->remote_flags) & FLAG_DELETED, 0);
		assert_true((policy->expunge & side) != 0 ||
			    (policy->expunge != 0 && (policy->delete_ & side) != 0));
	} else if (row->is_agreed) {
		assert_int_not_equal(policy->delete_ & side, 0);
	} else {
		assert_int_not_equal(policy->expunge & side, 0);
		assert_int_not_equal(here & FLAG_DELETED, 0);
	}
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
		assert_int_not_equal(policy->copy & PLAN_LOCAL, 0);
		break;
	case OP_UPLOAD:
		assert_int_not_equal(policy->copy & PLAN_REMOTE, 0);
		assert_false(scenario->mailbox.is_read_only);
		assert_int_not_equal(scenario->rows[op->row].reason, REASON_AMBIGUOUS);
		break;
	case OP_FLAGS_LOCAL:
		assert_int_not_equal(bits, 0);
		assert_int_not_equal(policy->flags & PLAN_LOCAL, 0);
		assert_true((bits & ~FLAGS_SYSTEM & ~scenario->mailbox.local_keywords) == 0);
		break;
	case OP_FLAGS_REMOTE:
		assert_int_not_equal(bits, 0);
		assert_int_not_equal(policy->flags & PLAN_REMOTE, 0);
		assert_false(scenario->mailbox.is_read_only);
		assert_true((bits & ~paper_remote_allowed(&scenario->mailbox)) == 0);
		break;
	case OP_FORGET:
	case OP_AGREE:
	case OP_HOLD:
		break;
	}
}

/* The same rows backwards give the same operations, row by row. */
static void expect_order_does_not_matter(const struct scenario *scenario, const struct plan *plan)
{
	struct scenario reversed = *scenario;
	struct plan backwards;
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
	assert_int_equal(backwards.deletes_local, plan->deletes_local);
	assert_int_equal(backwards.held, plan->held);
	plan_finish(&backwards);
}

static void plan_of_random_rows_is_allowed_complete_and_ordered(void **state)
{
	const char *given = getenv("MAILSYNC_SEED");
	uint64_t seed = given == NULL ? UINT64_C(0x5eed5eed) : strtoull(given, NULL, 0);
	struct scenario scenario;
	struct plan plan;

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
		plan_finish(&plan);
	}
}

static void plan_counts_what_the_brake_held(void **state)
{
	struct scenario scenario;
	struct plan plan;

	(void)state;
	scenario_init(&scenario);
	for (scenario.count = 0; scenario.count < 4; scenario.count++) {
		struct row *row = &scenario.rows[scenario.count];
		row_init(row);
		row->is_agreed = true;
		row->local = SIDE_PRESENT;
		row->remote = SIDE_GONE;
	}
	scenario_plan(&scenario, &plan);
	assert_int_equal(plan.deletes_local, 4);
	plan_finish(&plan);
	scenario.mailbox.brake_local = true;
	scenario_plan(&scenario, &plan);
	assert_int_equal(plan.deletes_local, 4);
	assert_int_equal(plan.deletes_remote, 0);
	assert_int_equal(plan.held, 4);
	assert_int_equal(plan.skipped, 0);
	plan_finish(&plan);
}

static void brake_needs_more_than_ten_and_more_than_the_share(void **state)
{
	(void)state;
	assert_false(plan_brake(10, 10, 50));
	assert_true(plan_brake(11, 21, 50));
	assert_false(plan_brake(11, 22, 50));
	assert_false(plan_brake(100, 100, 100));
	assert_false(plan_brake(100, 0, 100));
	assert_true(plan_brake(11, 100000, 0));
}

int main(int argc, char **argv)
{
	void *dir = argc > 1 ? argv[1] : (char *)"tests/plan";
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_prestate(plan_follows_every_case, dir),
		cmocka_unit_test(plan_of_random_rows_is_allowed_complete_and_ordered),
		cmocka_unit_test(plan_counts_what_the_brake_held),
		cmocka_unit_test(brake_needs_more_than_ten_and_more_than_the_share),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
