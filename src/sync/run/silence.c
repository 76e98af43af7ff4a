/* What was said of an account lately, and what failed: the notes that rules/silence_rules.h goes
 * by. They are in base's named values; a run that is well and was well before writes none. */
#include <inttypes.h>
#include <stdio.h>

#include "mailsync/base/clock.h"

#include "run.h"
#include "rules/silence_rules.h"

#define FAILURES_KEY    "failures"
#define FAILURES_FORMAT "%" PRId64 " %" PRId64 " %d"
#define HELD_KEY        "held"
#define HELD_FORMAT     "%" PRIu64 " %" PRId64 " %d"
#define NOTE_SIZE       80

static int failures_load(struct state *state, struct silence_failures *failures, struct err *err)
{
	char note[NOTE_SIZE];
	int renewed = 0;
	int code = state_get(state, FAILURES_KEY, note, sizeof(note), err);
	*failures = (struct silence_failures){0};
	if (code == 0 && sscanf(note, "%" SCNd64 " %" SCNd64 " %d", &failures->first,
				&failures->last, &renewed) != 3) {
		*failures = (struct silence_failures){0};
	}
	failures->was_renewed = renewed != 0;
	return code;
}

static int failures_store(struct state *state, const struct silence_failures *failures,
			  struct err *err)
{
	char note[NOTE_SIZE] = "";
	if (failures->first != 0) {
		snprintf(note, sizeof(note), FAILURES_FORMAT, failures->first, failures->last,
			 failures->was_renewed);
	}
	return state_set(state, FAILURES_KEY, note, err);
}

int silence_note_failure(struct state *state, int64_t patience_s, bool *is_borne, struct err *err)
{
	struct silence_facts facts = {.now = clock_real_s(), .patience_s = patience_s};
	struct silence_failures failures;
	int code;
	if ((code = failures_load(state, &failures, err)) < 0 ||
	    (code = state_was_synced(state, &facts.was_synced, err)) < 0) {
		return code;
	}
	*is_borne = silence_bears(&failures, &facts);
	return failures_store(state, &failures, err);
}

/* A run that ended otherwise than by a temporary failure. */
static int note_other_end(struct state *state, bool is_success, struct err *err)
{
	struct silence_failures failures;
	int code = failures_load(state, &failures, err);
	if (code < 0 || failures.first == 0) {
		return code;
	}
	failures.first = is_success ? 0 : failures.first;
	failures.last = clock_real_s();
	return failures_store(state, &failures, err);
}

static int held_load(struct state *state, struct silence_held *said, bool *was_heard,
		     struct err *err)
{
	char note[NOTE_SIZE];
	int heard = 0;
	int code = state_get(state, HELD_KEY, note, sizeof(note), err);
	*said = (struct silence_held){0};
	if (code == 0 &&
	    sscanf(note, "%" SCNu64 " %" SCNd64 " %d", &said->number, &said->at, &heard) != 3) {
		*said = (struct silence_held){0};
	}
	*was_heard = heard != 0;
	return code;
}

static int held_store(struct state *state, const struct silence_held *said, bool was_heard,
		      struct err *err)
{
	char note[NOTE_SIZE] = "";
	if (said->number > 0) {
		snprintf(note, sizeof(note), HELD_FORMAT, said->number, said->at, was_heard);
	}
	return state_set(state, HELD_KEY, note, err);
}

static int note_held(struct run *run, uint64_t number, struct err *err)
{
	struct state *state = run->session->state;
	struct report *report = run->report;
	const struct silence_held now = {.number = number, .at = clock_real_s()};
	struct silence_held said;
	bool was_heard = false;
	int code = held_load(state, &said, &was_heard, err);
	if (code < 0 || (now.number == 0 && said.number == 0)) {
		return code;
	}
	report->is_held_known = was_heard && silence_knows_held(&said, now.number, now.at);
	report->is_to_be_heard |= now.number > 0 && !report->is_held_known;
	return report->is_held_known ? 0 : held_store(state, &now, false, err);
}

int silence_held_heard(struct state *state, struct err *err)
{
	struct silence_held said;
	bool was_heard = false;
	int code = held_load(state, &said, &was_heard, err);
	return code < 0 || said.number == 0 || was_heard ? code
							 : held_store(state, &said, true, err);
}

void silence_note(struct run *run, int outcome)
{
	struct session *session = run->session;
	struct report *report = run->report;
	struct err ignored; /* more is said then than has to be */
	if (session->state == NULL || session->is_scratch) {
		report->is_borne = outcome == -ERR_LOCKED;
		return;
	}
	if (report->status == err_exit_status(ERR_TEMPORARY)) {
		(void)silence_note_failure(session->state, run->account->patience_s,
					   &report->is_borne, &ignored);
		/* What is told once waits until all is told. */
		report->is_to_be_heard &= !report->is_borne;
		return;
	}
	/* An account that the brake stopped as a whole counts as one that it holds. */
	bool is_stopped = outcome == -ERR_BRAKE;
	bool is_success = outcome == 0 || is_stopped;
	state_hold(session->state);
	(void)note_other_end(session->state, is_success, &ignored);
	if (is_success) {
		(void)note_held(run, is_stopped ? 1 : run->done.held, &ignored);
	}
	state_let_go(session->state);
}
