/* What is a suspect, and when it is tried (suspect_rules.h). */
#include "suspect_rules.h"

#define RUNS_TO_REST      3
#define SPREAD_S          (INT64_C(60) * 60)
#define HOUR_S            (INT64_C(60) * 60)
#define DAY_S             (INT64_C(24) * HOUR_S)
#define MANY              96
#define DOZENS            36
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

enum suspect_stage suspect_after_loss(enum suspect_stage stage, const struct suspect_loss *loss)
{
	if (!loss->was_alone) { /* X6 */
		return stage == SUSPECT_CANDIDATE ? stage : SUSPECT_DOUBTED;
	}
	if (loss->was_confirmed_before || (stage == SUSPECT_CANDIDATE && loss->was_fresh)) {
		return SUSPECT_ENDED; /* X8 */
	}
	return SUSPECT_CANDIDATE; /* X7 */
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
