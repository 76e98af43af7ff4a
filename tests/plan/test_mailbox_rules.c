/*
 * The cases of mailboxes (family mailboxes), and all facts under all policies.
 *
 *   case M3 a title, with the numbers of the rules
 *   policy create=both remove=none create_ever=SIDES remove_ever=SIDES    as they are by default;
 *                                     ever: where it is not said, what this run may do
 *   mailbox had=SIDES in=SIDES WORD...    base knows it where it has `had`; words: bools of
 *                                     struct mailbox_facts, `others` the command line names others
 *   decide [forget] [kept SIDE] sync | create SIDE | subscribe SIDE | remove SIDE | leave REASON
 *   part yes | REASON                 mailbox_exclusion
 *   candidate SIDE lost | perhaps | new | none  of a rename, and the side that it was renamed on
 *   flat had=SIDES in=SIDES           the folder a.b: adopts yes | no
 *
 *   rename side=SIDE WORD...          struct rename_facts: becomes not | waits | along | rename
 *   cut old=SIDES new=SIDES           done yes | no
 *   vanished told=none|some|all refusal=REFUSAL inbox=none|some|all [whole] [is_inbox]
 *   folder files=1 agreed=1 others=1 moving
 *   there told agreed=1 only_there=1 messages=1 base=UIDVALIDITY/UIDNEXT now=UIDVALIDITY/UIDNEXT
 *   verdict due | still_there | untold | holds_mail       of one of these three
 *   folders WORD... sample=8 found=4 proven=1             struct folder_evidence
 *   mailboxes same_id other_id shared_id base= now= only_one sample=8 found=4 untold=1
 *   likeness yes | no | by_sample | untold                       of one of these two
 */
#include "cases.h"

#include "rules/mailbox_rules.h"

struct scenario {
	char title[160];
	struct mailbox_policy policy;
	struct mailbox_facts mailbox;
	struct mailbox_facts flat;
	const char *answer; /* to the last question put */
};

static const char *const reasons[] = {
	[EXCLUDED_NOT] = "yes",
	[EXCLUDED_BY_NAME] = "by_name",
	[EXCLUDED_UNSUBSCRIBED] = "unsubscribed",
	[EXCLUDED_BARRED] = "barred",
	[EXCLUDED_HOLLOW] = "hollow",
	[EXCLUDED_ADOPTED] = "adopted",
	[EXCLUDED_GONE] = "gone",
	[EXCLUDED_NOT_CREATED] = "not_created",
	[EXCLUDED_WAITING] = "waiting",
	[EXCLUDED_FAILED] = "failed",
	[EXCLUDED_UNTOLD] = "untold",
};
static const char *const sides[] = {"none", "local", "remote", "both"};
static const char *const verdicts[] = {
	[REMOVAL_DUE] = "due",
	[REMOVAL_STILL_THERE] = "still_there",
	[REMOVAL_UNTOLD] = "untold",
	[REMOVAL_HOLDS_MAIL] = "holds_mail",
};
static const char *const likenesses[] = {"no", "yes", "by_sample", "untold"};
static const char *const renames[] = {
	[RENAME_NOT] = "not",
	[RENAME_WAITS] = "waits",
	[RENAME_ALONG] = "along",
	[RENAME_ITSELF] = "rename",
};
static const char *const refusals[] = {
	[REMOTE_REFUSAL_NONE] = "none",
	[REMOTE_REFUSAL_UNCODED] = "uncoded",
	[REMOTE_REFUSAL_ALREADY_EXISTS] = "already_exists",
	[REMOTE_REFUSAL_NONEXISTENT] = "nonexistent",
	[REMOTE_REFUSAL_TRYCREATE] = "trycreate",
	[REMOTE_REFUSAL_OVERQUOTA] = "overquota",
	[REMOTE_REFUSAL_TOOBIG] = "toobig",
	[REMOTE_REFUSAL_CANNOT] = "cannot",
	[REMOTE_REFUSAL_BUSY] = "busy",
	[REMOTE_REFUSAL_PASSING] = "passing",
	[REMOTE_REFUSAL_NOPERM] = "noperm",
	[REMOTE_REFUSAL_OTHER] = "other",
};

static void begin(void *data, const char *title)
{
	struct scenario *scenario = data;

	*scenario = (struct scenario){.policy = {.create = SIDE_BOTH, .create_ever = SIDE_BOTH},
				      .mailbox.is_named = true,
				      .flat.is_named = true};
	snprintf(scenario->title, sizeof(scenario->title), "%.150s", title);
}

/* The words of a line, one field each: a claim, a number, sides, or a pair of numbers. */
struct field {
	const char *name;
	bool *claim;
	size_t *number;
	enum side *set;
	struct numbers *pair;
};

static bool field_read(const struct field *field, const char *value)
{
	if (field->claim != NULL) {
		*field->claim = true;
		return true;
	}
	if (field->set != NULL) {
		return case_read_sides(value, field->set);
	}
	if (field->number != NULL) {
		*field->number = strtoull(value, NULL, 10);
		return value[0] != '\0';
	}
	unsigned uidvalidity;
	unsigned uidnext;
	bool is_read = sscanf(value, "%u/%u", &uidvalidity, &uidnext) == 2;
	field->pair->uidvalidity = told_unless_0(is_read ? uidvalidity : 0);
	field->pair->uidnext = told_unless_0(is_read ? uidnext : 0);
	return is_read;
}

/* FIELDS end at one without a name. */
static bool fields_read(const struct field *fields, char *rest)
{
	for (char *word = case_next_word(&rest); word != NULL; word = case_next_word(&rest)) {
		const char *value = case_value(word);
		const struct field *field = fields;
		while (field->name != NULL && strcmp(field->name, word) != 0) {
			field++;
		}
		if (field->name == NULL || !field_read(field, value)) {
			return false;
		}
	}
	return true;
}

static bool read_policy(struct scenario *scenario, char *rest)
{
	struct mailbox_policy *policy = &scenario->policy;
	enum side create_ever = SIDE_NONE;
	enum side remove_ever = SIDE_NONE;
	const struct field fields[] = {
		{.name = "create", .set = &policy->create},
		{.name = "create_ever", .set = &create_ever},
		{.name = "remove", .set = &policy->remove},
		{.name = "remove_ever", .set = &remove_ever},
		{0},
	};

	bool is_read = fields_read(fields, rest);
	policy->create_ever = create_ever | policy->create;
	policy->remove_ever = remove_ever | policy->remove;
	return is_read;
}

static bool read_mailbox(struct mailbox_facts *mailbox, char *rest)
{
	bool names_others = false;
	const struct field fields[] = {
		{.name = "had", .set = &mailbox->had},
		{.name = "in", .set = &mailbox->in},
		{.name = "untold", .set = &mailbox->untold},
		{.name = "inbox", .claim = &mailbox->is_inbox},
		{.name = "unsubscribed", .claim = &mailbox->is_unsubscribed},
		{.name = "others", .claim = &names_others},
		{.name = "barred", .claim = &mailbox->is_barred},
		{.name = "hollow", .claim = &mailbox->is_hollow},
		{.name = "may_lose_many", .claim = &mailbox->may_lose_many},
		{.name = "lost_power", .claim = &mailbox->lost_power},
		{0},
	};

	bool is_read = fields_read(fields, rest);
	mailbox->is_named = !names_others;
	mailbox->in_base = mailbox->had != SIDE_NONE;
	return is_read;
}

static bool read_rename(struct scenario *scenario, char *rest)
{
	struct rename_facts facts = {0};
	const struct field fields[] = {
		{.name = "side", .set = &facts.side},
		{.name = "along", .claim = &facts.is_along},
		{.name = "below", .claim = &facts.is_below},
		{.name = "left_out", .claim = &facts.is_left_out},
		{.name = "untold", .claim = &facts.is_untold},
		{.name = "unavailable", .claim = &facts.is_unavailable},
		{0},
	};

	bool is_read = fields_read(fields, rest);
	scenario->answer = renames[rename_decide(&facts, &scenario->policy)];
	return is_read;
}

static bool read_cut(struct scenario *scenario, char *rest)
{
	enum side old_name = SIDE_NONE;
	enum side new_name = SIDE_NONE;
	const struct field fields[] = {
		{.name = "old", .set = &old_name},
		{.name = "new", .set = &new_name},
		{0},
	};

	bool is_read = fields_read(fields, rest);
	scenario->answer = rename_was_done(old_name, new_name) ? "yes" : "no";
	return is_read;
}

static struct numbers told_of(const char *word)
{
	bool is_all = strcmp(word, "all") == 0;
	return (struct numbers){
		.messages = is_all || strcmp(word, "some") == 0 ? told(0) : UNTOLD,
		.uidnext = is_all ? told(1) : UNTOLD,
		.uidvalidity = is_all ? told(7) : UNTOLD,
	};
}

static bool read_vanished(struct scenario *scenario, char *rest)
{
	struct vanished_facts facts = {0};
	char told[16];
	char refusal[16];
	char inbox[16];

	if (sscanf(rest, "told=%15s refusal=%15s inbox=%15s", told, refusal, inbox) != 3) {
		return false;
	}
	facts.told = told_of(told);
	facts.is_list_whole = strstr(rest, " whole") != NULL;
	facts.is_inbox = strstr(rest, " is_inbox") != NULL;
	facts.inbox_told = told_of(inbox);
	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		facts.refusal =
			strcmp(refusal, refusals[i]) == 0 ? (enum remote_refusal)i : facts.refusal;
	}
	scenario->answer = verdicts[removal_of_vanished(&facts)];
	return true;
}

static bool read_folder(struct scenario *scenario, char *rest)
{
	struct folder_facts facts = {0};
	bool is_moving = false;
	const struct field fields[] = {
		{.name = "files", .number = &facts.files},
		{.name = "agreed", .number = &facts.agreed},
		{.name = "others", .number = &facts.others},
		{.name = "moving", .claim = &is_moving},
		{0},
	};

	bool is_read = fields_read(fields, rest);
	facts.is_still = !is_moving;
	scenario->answer = verdicts[removal_here(&facts)];
	return is_read;
}

static bool read_there(struct scenario *scenario, char *rest)
{
	struct held_there_facts facts = {0};
	size_t agreed = 0;
	size_t only_there = 0;
	size_t messages = 0;
	const struct field fields[] = {
		{.name = "told", .claim = &facts.is_told},
		{.name = "agreed", .number = &agreed},
		{.name = "only_there", .number = &only_there},
		{.name = "messages", .number = &messages},
		{.name = "base", .pair = &facts.base},
		{.name = "now", .pair = &facts.now},
		{0},
	};

	bool is_read = fields_read(fields, rest);
	facts.agreed = agreed;
	facts.only_there = only_there;
	facts.now.messages = told(messages);
	scenario->answer = verdicts[removal_there(&facts)];
	return is_read;
}

static bool read_folders(struct scenario *scenario, char *rest)
{
	struct folder_evidence evidence = {0};
	const struct field fields[] = {
		{.name = "same_directory", .claim = &evidence.is_same_directory},
		{.name = "same_cur", .claim = &evidence.is_same_cur},
		{.name = "sample", .number = &evidence.sample.count},
		{.name = "found", .number = &evidence.sample.found},
		{.name = "proven", .number = &evidence.sample.proven},
		{0},
	};

	bool is_read = fields_read(fields, rest);
	scenario->answer = folder_likeness(&evidence) ? "yes" : "no";
	return is_read;
}

static bool read_mailboxes(struct scenario *scenario, char *rest)
{
	struct mailbox_evidence evidence = {0};
	bool is_other_id = false;
	const struct field fields[] = {
		{.name = "same_id", .claim = &evidence.is_same_id},
		{.name = "shared_id", .claim = &evidence.is_shared_id},
		{.name = "other_id", .claim = &is_other_id},
		{.name = "base", .pair = &evidence.base},
		{.name = "now", .pair = &evidence.now},
		{.name = "only_one", .claim = &evidence.is_only_one},
		{.name = "sample", .number = &evidence.sample.count},
		{.name = "found", .number = &evidence.sample.found},
		{.name = "untold", .number = &evidence.sample.untold},
		{0},
	};

	evidence.has_looked = strstr(rest, "found=") != NULL;
	bool is_read = fields_read(fields, rest);
	evidence.has_ids = evidence.is_same_id || is_other_id;
	scenario->answer = likenesses[mailbox_likeness(&evidence)];
	return is_read;
}

/* What is expected. */

static void expect(const struct scenario *scenario, const char *expected, const char *got)
{
	if (strcmp(expected, got) != 0) {
		fail_msg("%s\nexpected: %s\ngot:      %s", scenario->title, expected, got);
	}
}

static void expect_decision(const struct scenario *scenario, const char *expected)
{
	static const char *const kinds[] = {
		[MAILBOX_SYNC] = "sync",     [MAILBOX_CREATE] = "create",
		[MAILBOX_REMOVE] = "remove", [MAILBOX_SUBSCRIBE] = "subscribe",
		[MAILBOX_LEAVE] = "leave",
	};
	const struct mailbox_decision decision =
		mailbox_decide(&scenario->mailbox, &scenario->policy);
	char got[128];

	snprintf(got, sizeof(got), "%s%s%s%s%s%s%s", decision.forgets ? "forget " : "",
		 decision.kept == SIDE_NONE ? "" : "kept ",
		 decision.kept == SIDE_NONE ? "" : sides[decision.kept],
		 decision.kept == SIDE_NONE ? "" : " ", kinds[decision.kind],
		 decision.kind == MAILBOX_SYNC ? "" : " ",
		 decision.kind == MAILBOX_SYNC    ? ""
		 : decision.kind == MAILBOX_LEAVE ? reasons[decision.exclusion]
						  : sides[decision.side]);
	expect(scenario, expected, got);
}

static bool expect_candidate(const struct scenario *scenario, char *rest)
{
	const struct mailbox_facts *facts = &scenario->mailbox;
	const char *name = case_next_word(&rest);
	enum side side = SIDE_NONE;

	if (name == NULL || !case_read_sides(name, &side)) {
		return false;
	}
	bool is_lost = mailbox_is_lost(facts, side);
	bool is_new = mailbox_is_new(facts, side);
	bool may_be_lost = mailbox_may_be_lost(facts, side);
	assert_true(is_lost + is_new + may_be_lost <= 1);
	expect(scenario, rest,
	       is_lost       ? "lost"
	       : may_be_lost ? "perhaps"
	       : is_new      ? "new"
			     : "none");
	return true;
}

static bool line(void *data, const char *word, char *rest)
{
	static const struct {
		const char *word;
		bool (*read)(struct scenario *scenario, char *rest);
	} questions[] = {
		{"policy", read_policy},     {"rename", read_rename},       {"cut", read_cut},
		{"vanished", read_vanished}, {"folder", read_folder},       {"there", read_there},
		{"folders", read_folders},   {"mailboxes", read_mailboxes},
	};
	struct scenario *scenario = data;

	for (size_t i = 0; i < sizeof(questions) / sizeof(questions[0]); i++) {
		if (strcmp(word, questions[i].word) == 0) {
			return questions[i].read(scenario, rest);
		}
	}
	if (strcmp(word, "mailbox") == 0 || strcmp(word, "flat") == 0) {
		return read_mailbox(word[0] == 'm' ? &scenario->mailbox : &scenario->flat, rest);
	}
	if (strcmp(word, "candidate") == 0) {
		return expect_candidate(scenario, rest);
	}
	if (strcmp(word, "decide") == 0) {
		expect_decision(scenario, rest);
	} else if (strcmp(word, "part") == 0) {
		expect(scenario, rest, reasons[mailbox_exclusion(&scenario->mailbox)]);
	} else if (strcmp(word, "adopts") == 0) {
		expect(scenario, rest,
		       mailbox_is_flat(&scenario->flat, &scenario->mailbox) ? "yes" : "no");
	} else if (scenario->answer != NULL &&
		   (strcmp(word, "becomes") == 0 || strcmp(word, "done") == 0 ||
		    strcmp(word, "verdict") == 0 || strcmp(word, "likeness") == 0)) {
		expect(scenario, rest, scenario->answer);
	} else {
		return false;
	}
	return true;
}

static void end(void *data)
{
	(void)data;
}

static void mailboxes_follow_every_case(void **state)
{
	struct scenario scenario;
	const struct case_family family = {
		.name = "mailboxes",
		.scenario = &scenario,
		.begin = begin,
		.line = line,
		.end = end,
	};

	assert_true(case_run_all(&family, *state) >= 80);
}

/* What holds whatever the facts are. */
static void check_decision(const struct mailbox_facts *facts, const struct mailbox_policy *policy)
{
	const struct mailbox_decision decision = mailbox_decide(facts, policy);
	enum side lacking = SIDE_BOTH & ~facts->in;

	if (decision.kind == MAILBOX_REMOVE) {
		assert_false(decision.forgets);
		assert_false(facts->is_inbox);
		assert_int_equal(decision.side, facts->in);
		assert_int_equal(facts->had & lacking, lacking);
		assert_true((policy->remove & decision.side) != 0);
		assert_false(lacking == SIDE_LOCAL && facts->lost_power);
	}
	if (decision.kind == MAILBOX_CREATE || decision.kind == MAILBOX_SUBSCRIBE) {
		assert_int_equal(decision.side, lacking);
		assert_true((policy->create & decision.side) != 0);
		assert_true(decision.forgets || (facts->had & lacking) == 0);
	}
	assert_int_equal(decision.kind == MAILBOX_SYNC, facts->in == SIDE_BOTH);
	assert_int_equal(decision.kind == MAILBOX_LEAVE, decision.exclusion != EXCLUDED_NOT);
	assert_true(facts->in_base || !decision.forgets);
}

static void what_is_removed_was_on_both_sides_and_may_be(void **state)
{
	(void)state;
	for (unsigned bits = 0; bits < 1u << 15; bits++) {
		const enum side had = (enum side)(bits & 3);
		const struct mailbox_facts facts = {
			.had = had,
			.in_base = had != SIDE_NONE,
			.in = (enum side)(bits >> 2 & 3),
			.is_inbox = (bits >> 4 & 1) != 0,
			.is_unsubscribed = (bits >> 5 & 1) != 0,
			.lost_power = (bits >> 6 & 1) != 0,
		};
		const struct mailbox_policy policy = {
			.create = (enum side)(bits >> 7 & 3),
			.create_ever = (enum side)(bits >> 7 & 3) | (enum side)(bits >> 9 & 3),
			.remove = (enum side)(bits >> 11 & 3),
			.remove_ever = (enum side)(bits >> 11 & 3) | (enum side)(bits >> 13 & 3),
		};
		check_decision(&facts, &policy);
	}
}

int main(int argc, char **argv)
{
	void *dir = argc > 1 ? argv[1] : (char *)"tests/plan";
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_prestate(mailboxes_follow_every_case, dir),
		cmocka_unit_test(what_is_removed_was_on_both_sides_and_may_be),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
