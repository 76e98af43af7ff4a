/*
 * The cases of removals on the server (family removals).
 *
 *   case T4 a title
 *   server trash there inside move uidplus   a trash is asked for; it is on the server; the message
 *                                            is in it; abilities
 *   ours 1:3
 *   marked 1:4                         \Deleted on the server
 *   expect refuse | move | copy | expunge      T1 to T5
 *   expunge uids | hold | all                  T6 to T8
 *
 *   original BASE LOCAL REMOTE expunge         T9: expect void | open
 *
 *   sent UID digest=x bound=5 trash=1 certain void unknown    T10, T11
 *   copy UID digest=x
 *   found UID | lost UID | untold UID
 */
#include "cases.h"

#include "rules/trash_rules.h"

#define MESSAGES_MAX 16

struct scenario {
	char title[160];
	struct removal_facts facts;
	bool has_uidplus;
	struct uidset ours;
	struct uidset marked;
	bool is_void;
	struct trash_original originals[MESSAGES_MAX];
	size_t count;
	struct pair_candidate copies[MESSAGES_MAX];
	size_t copy_count;
	bool is_matched;
	size_t claims;
};

static void begin(void *data, const char *title)
{
	struct scenario *scenario = data;

	*scenario = (struct scenario){0};
	snprintf(scenario->title, sizeof(scenario->title), "%.150s", title);
}

static bool read_server(struct scenario *scenario, char *rest)
{
	for (char *word = case_next_word(&rest); word != NULL; word = case_next_word(&rest)) {
		bool *claim = strcmp(word, "trash") == 0   ? &scenario->facts.wants_trash
			    : strcmp(word, "there") == 0   ? &scenario->facts.has_trash
			    : strcmp(word, "inside") == 0  ? &scenario->facts.is_trash
			    : strcmp(word, "move") == 0    ? &scenario->facts.has_move
			    : strcmp(word, "uidplus") == 0 ? &scenario->has_uidplus
							   : NULL;
		if (claim == NULL) {
			return false;
		}
		*claim = true;
	}
	return true;
}

static bool read_set(struct uidset *set, const char *text)
{
	struct err err;

	return uidset_parse(set, span_of(text), 100, &err) == 0;
}

static bool read_original(struct scenario *scenario, char *rest)
{
	struct row row;
	char sides[16];
	char *base = case_next_word(&rest);
	char *local = case_next_word(&rest);
	char *remote = case_next_word(&rest);

	if (remote == NULL) {
		return false;
	}
	row_init(&row);
	snprintf(sides, sizeof(sides), "%.4s %.4s %.4s", base, local, remote);
	scenario->is_void =
		case_read_row(&row, sides) && trash_is_void(&row, strcmp(rest, "expunge") == 0);
	return true;
}

static bool read_sent(struct scenario *scenario, char *rest)
{
	struct trash_original *original = &scenario->originals[scenario->count++];

	original->uid = (uint32_t)strtoul(case_next_word(&rest), NULL, 10);
	original->is_known = true;
	for (char *word = case_next_word(&rest); word != NULL; word = case_next_word(&rest)) {
		const char *value = case_value(word);
		if (strcmp(word, "digest") == 0) {
			original->header.digest[0] = (uint8_t)value[0];
		} else if (strcmp(word, "bound") == 0) {
			original->bound = (uint32_t)strtoul(value, NULL, 10);
		} else if (strcmp(word, "trash") == 0) {
			original->trash = strtoul(value, NULL, 10);
		} else if (strcmp(word, "certain") == 0) {
			original->is_certain = true;
		} else if (strcmp(word, "void") == 0) {
			original->is_void = true;
		} else if (strcmp(word, "unknown") == 0) {
			original->is_known = false;
		} else {
			return false;
		}
	}
	return scenario->count < MESSAGES_MAX;
}

static bool read_copy(struct scenario *scenario, char *rest)
{
	struct pair_candidate *copy = &scenario->copies[scenario->copy_count++];

	copy->uid = (uint32_t)strtoul(case_next_word(&rest), NULL, 10);
	const char *word = case_next_word(&rest);
	if (word == NULL || strncmp(word, "digest=", 7) != 0) {
		return false;
	}
	copy->digest[0] = (uint8_t)word[7];
	return scenario->copy_count < MESSAGES_MAX;
}

static void claim(struct scenario *scenario, const char *expected, const char *got)
{
	scenario->claims++;
	if (strcmp(expected, got) != 0) {
		fail_msg("%s: expected %s, got %s", scenario->title, expected, got);
	}
}

static void claim_way(struct scenario *scenario, const char *expected)
{
	static const char *const ways[] = {
		[REMOVAL_REFUSE] = "refuse",
		[REMOVAL_EXPUNGE] = "expunge",
		[REMOVAL_MOVE] = "move",
		[REMOVAL_COPY] = "copy",
	};

	claim(scenario, expected, ways[trash_rule(&scenario->facts)]);
}

static void claim_expunge(struct scenario *scenario, const char *expected)
{
	static const char *const ways[] = {
		[EXPUNGE_UIDS] = "uids", [EXPUNGE_HOLD] = "hold", [EXPUNGE_ALL] = "all"};

	claim(scenario, expected,
	      ways[expunge_rule(scenario->has_uidplus, &scenario->marked, &scenario->ours)]);
}

/* Of those that went to the trash number 0. */
static void claim_match(struct scenario *scenario, const char *expected, uint32_t uid)
{
	if (!scenario->is_matched) {
		trash_match(scenario->originals, scenario->count, 0, scenario->copies,
			    scenario->copy_count);
		scenario->is_matched = true;
	}
	for (size_t i = 0; i < scenario->count; i++) {
		const struct trash_original *original = &scenario->originals[i];
		if (original->uid == uid) {
			claim(scenario, expected,
			      !original->is_looked_at ? "untold"
			      : original->is_found    ? "found"
						      : "lost");
			return;
		}
	}
	fail_msg("%s: no UID %u", scenario->title, (unsigned)uid);
}

static bool read_line(void *data, const char *word, char *rest)
{
	struct scenario *scenario = data;

	if (strcmp(word, "server") == 0) {
		return read_server(scenario, rest);
	} else if (strcmp(word, "ours") == 0) {
		return read_set(&scenario->ours, rest);
	} else if (strcmp(word, "marked") == 0) {
		return read_set(&scenario->marked, rest);
	} else if (strcmp(word, "original") == 0) {
		return read_original(scenario, rest);
	} else if (strcmp(word, "sent") == 0) {
		return read_sent(scenario, rest);
	} else if (strcmp(word, "copy") == 0) {
		return read_copy(scenario, rest);
	} else if (strcmp(word, "found") == 0 || strcmp(word, "lost") == 0 ||
		   strcmp(word, "untold") == 0) {
		claim_match(scenario, word, (uint32_t)strtoul(rest, NULL, 10));
	} else if (strcmp(word, "expunge") == 0) {
		claim_expunge(scenario, rest);
	} else if (strcmp(word, "expect") == 0 &&
		   (strcmp(rest, "void") == 0 || strcmp(rest, "open") == 0)) {
		claim(scenario, rest, scenario->is_void ? "void" : "open");
	} else if (strcmp(word, "expect") == 0) {
		claim_way(scenario, rest);
	} else {
		return false;
	}
	return true;
}

static void end(void *data)
{
	struct scenario *scenario = data;

	if (scenario->claims == 0) {
		fail_msg("%s: expects nothing", scenario->title);
	}
	uidset_finish(&scenario->ours);
	uidset_finish(&scenario->marked);
}

static void removals_follow_every_case(void **state)
{
	struct scenario scenario;
	const struct case_family family = {.name = "removals",
					   .scenario = &scenario,
					   .begin = begin,
					   .line = read_line,
					   .end = end};

	assert_true(case_run_all(&family, *state) >= 20);
}

static void what_is_no_more_is_void(void **state)
{
	(void)state;
	assert_true(trash_is_void(NULL, false));
	assert_true(trash_is_void(NULL, true));
}

int main(int argc, char **argv)
{
	static char own[] = "tests/plan";
	char *dir = argc > 1 ? argv[1] : own;
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_prestate(removals_follow_every_case, dir),
		cmocka_unit_test(what_is_no_more_is_void),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
