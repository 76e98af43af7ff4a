/* What the server does not take: remembered when it says so, judged and told at the run's end
 * (rules/refusal_rules.h). */
#include "act_private.h"

#include <string.h>

#include "mailsync/base/clock.h"

#include "guard/guard.h"
#include "rules/effect.h"

static void hold_refused(struct row *row, const struct refusal *refusal)
{
	effect_held(row, refusal_is_lasting(refusal) ? REASON_OBSTACLE : REASON_FAILED);
}

/* That ITEM is refused as EVENT says, with its intent gone. */
static int commit_refused(struct upload *upload, struct upload_item *item,
			  const struct refusal_event *event, const struct err *why, struct err *err)
{
	struct job *job = upload->job;
	struct state *state = job->run->session->state;
	const struct refusal *known = refusals_find(&job->refused, item->row->id);
	bool is_same = known != NULL && item->is_same && known->flags == item->flags;
	struct refusal refusal = refusal_after(is_same ? known : NULL, event);
	struct err sentence;
	int code;
	refusal.row = item->row->id;
	err_set(&sentence, ERR_REFUSED, SCOPE_MESSAGE, "the file %s was not uploaded: %s",
		item->row->unique, why->text);
	memcpy(refusal.words, sentence.text, sizeof(refusal.words));
	hold_refused(item->row, &refusal);
	job->plan.skipped += refusal_is_lasting(&refusal) && refusal.is_told;
	if ((code = state_begin(state, err)) == 0 &&
	    (code = void_intents(upload, item, 1, err)) == 0 &&
	    (code = state_row_put(state, item->row, err)) == 0) {
		code = state_refusal_put(state, &refusal, err);
	}
	return state_end(state, code, err);
}

int item_refused(struct upload *upload, struct upload_item *item, enum refusal_kind kind,
		 const struct err *why, struct err *err)
{
	const struct refusal_event event = {
		.kind = kind,
		.now = clock_real_s(),
		.run = upload->job->run->number,
		.flags = item->flags,
		.size_bytes = told_or(item->over, told_or(item->row->size, 0)),
	};
	upload->job->failures++;
	return commit_refused(upload, item, &event, why, err);
}

int item_too_large(struct upload *upload, struct upload_item *item, struct err *err)
{
	struct err why;
	err_set(&why, ERR_REFUSED, SCOPE_MESSAGE,
		"it has %llu bytes, and the server takes none over %llu (APPENDLIMIT)",
		(unsigned long long)item->over.number, (unsigned long long)upload->limit.number);
	return item_refused(upload, item, REFUSAL_LIMIT, &why, err);
}

/* N3. Its row says so, too. */
static int condemn(struct run *run, struct mailbox *mailbox, const struct refusal *refusal,
		   struct err *err)
{
	struct state *state = run->session->state;
	struct row row;
	bool found = false;
	int code;
	row_init(&row);
	if ((code = run_begin(run, err)) == 0 &&
	    (code = state_row_by_id(state, refusal->row, &row, &found, err)) == 0 && found) {
		hold_refused(&row, refusal);
		if ((code = state_row_put(state, &row, err)) == 0 &&
		    (code = state_refusal_put(state, refusal, err)) == 0) {
			code = state_mailbox_count(state, &mailbox->base, err);
		}
	}
	row_finish(&row);
	return state_end(state, code, err);
}

/* N10 */
static int tell(struct run *run, struct mailbox *mailbox, const struct refusal *refusal,
		struct err *err)
{
	struct err why;
	bool is_lasting = refusal_is_lasting(refusal);
	err_set(&why, ERR_REFUSED, SCOPE_MESSAGE, "%s%s", refusal->words,
		is_lasting ? "; it is left out from now on, and tried again when it is changed, or "
			     "a day later"
			   : "");
	run_report_error(run, mailbox, 0, &why);
	run->report->is_to_be_heard |= is_lasting;
	return is_lasting ? state_refusal_say(run->session->state, refusal->row, err) : 0;
}

static int conclude(struct run *run, struct mailbox *mailbox, struct refusal *refusal,
		    struct err *err)
{
	enum refusal_kind kind = refusal_in_company(refusal, run->number);
	int code = 0;
	if (mailbox->done.counts.uploaded > 0 && kind != refusal->kind) {
		refusal->kind = kind;
		code = condemn(run, mailbox, refusal, err);
	}
	return code == 0 && refusal_is_to_be_told(refusal, run->number)
		     ? tell(run, mailbox, refusal, err)
		     : code;
}

int act_tell_refused(struct run *run, struct err *err)
{
	struct refusals refusals = {0};
	int code = state_refusals_load(run->session->state, 0, &refusals, err);
	if (code == 0 && refusals.count > 0) {
		code = state_refusals_unsay(run->session->state, err); /* by a run that died */
	}
	for (size_t i = 0; code == 0 && i < refusals.count; i++) {
		struct mailbox *mailbox = run_mailbox_by_id(run, refusals.items[i].mailbox);
		if (mailbox != NULL && mailbox_is_active(mailbox)) {
			code = conclude(run, mailbox, &refusals.items[i], err);
		}
	}
	refusals_finish(&refusals);
	return code;
}
