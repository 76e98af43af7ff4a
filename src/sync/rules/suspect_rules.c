/* What is a suspect, and when it is tried (suspect_rules.h). */
#include "suspect_rules.h"

#define RUNS_TO_REST      3
#define SPREAD_S          (INT64_C(60) * 60)
#define HOUR_S            (INT64_C(60) * 60)
#define DAY_S             (INT64_C(24) * HOUR_S)
#define MANY              96
#define DOZENS            36
#define LOSSES_ALIKE      3
#define LOSSES_UNLIKE     8
#define NEAR_BYTES        16
#define NEAR_SHARE        64
#define LOSSES_MAX        20
#define LOSSES_IN_ROW_MAX 6

int64_t suspect_next_try(enum suspect_kind kind, const struct suspect_mark *mark)
{
	if (kind == SUSPECT_LISTING && mark->runs > 0) { /* X4 */
		return mark->last_at + DAY_S;
	}
	if (mark->runs < RUNS_TO_REST || mark->last_at - mark->first_at < SPREAD_S) {
		return 0;
	}
	return mark->last_at + (kind == SUSPECT_MAILBOX ? HOUR_S : DAY_S); /* X3 */
}

enum suspect_turn suspect_turn(enum suspect_kind kind, const struct suspect_mark *mark, int64_t now)
{
	if (mark == NULL) {
		return SUSPECT_WITH_OTHERS; /* X1 */
	}
	if (now < mark->last_at || now >= suspect_next_try(kind, mark)) {
		return SUSPECT_LAST; /* X2, X5 */
	}
	return SUSPECT_NOT_NOW;
}

void suspect_confirm(struct suspect_mark *mark, int64_t now)
{
	if (mark->runs == 0 || now < mark->first_at) {
		mark->first_at = now;
	}
	mark->last_at = now;
	mark->runs++;
}

/* A server that dies of something does it at one place, give or take a number's digits. A line that
 * is cut is cut anywhere. */
static bool is_near(uint64_t one, uint64_t other)
{
	uint64_t more = one > other ? one : other, less = one > other ? other : one;
	return more - less <= NEAR_BYTES + less / NEAR_SHARE;
}

static bool is_alike(const struct suspect_mark *mark, const struct suspect_loss *loss)
{
	if (mark->losses == 0 || mark->end != loss->end) {
		return false;
	}
	switch (loss->end) {
	case ERR_END_CUT:
		return loss->act != SUSPECT_AT_APPEND && is_near(mark->end_at, loss->end_at);
	case ERR_END_SILENT:
		return is_near(mark->end_at, loss->end_at);
	case ERR_END_SAID:
		break;
	}
	return true;
}

enum suspect_stage suspect_after_loss(enum suspect_stage stage, struct suspect_mark *mark,
				      const struct suspect_loss *loss)
{
	bool is_enough;
	if (!loss->was_alone) { /* X6 */
		return stage == SUSPECT_CANDIDATE ? stage : SUSPECT_DOUBTED;
	}
	is_enough = mark->runs > 0 ||
		    mark->losses + 1 >= (is_alike(mark, loss) ? LOSSES_ALIKE : LOSSES_UNLIKE);
	mark->losses++;
	mark->end = loss->end;
	mark->end_at = loss->end_at;
	return is_enough ? SUSPECT_ENDED : SUSPECT_CANDIDATE; /* X7, X8 */
}

enum suspect_step suspect_next_step(const struct suspect_tally *tally)
{
	if (tally->losses > LOSSES_MAX || tally->losses_in_a_row > LOSSES_IN_ROW_MAX) {
		return SUSPECT_STEP_GIVE_UP;
	}
	if (!tally->rest_is_done) {
		return SUSPECT_STEP_REST;
	}
	if (tally->candidates > 0) {
		return SUSPECT_STEP_FRESH;
	}
	if (tally->doubted > 0 || tally->due > 0) {
		return SUSPECT_STEP_SINGLY;
	}
	return tally->ended > 0 ? SUSPECT_STEP_REST : SUSPECT_STEP_DONE;
}

size_t suspect_batch(enum suspect_step step, size_t doubted)
{
	return step == SUSPECT_STEP_SINGLY && doubted > MANY ? DOZENS : 1;
}

bool suspects_are_believed(size_t proven, size_t went)
{
	return proven < 2 || went > 0;
}
