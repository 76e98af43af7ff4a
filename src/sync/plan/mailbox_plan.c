#include "mailbox_plan.h"

#include "rules/effect.h"

#include "plan.h"

void mailbox_plan_init(struct mailbox_plan *plan)
{
	*plan = (struct mailbox_plan){0};
	row_list_init(&plan->rows);
}

void mailbox_plan_finish(struct mailbox_plan *plan)
{
	message_plan_finish(&plan->plan);
	row_list_finish(&plan->rows);
}

bool mailbox_is_idle(const struct run *run, const struct mailbox *mailbox)
{
	struct idle_facts facts = {
		.is_active = mailbox_is_active(mailbox),
		.in_base = mailbox->in_base,
		.has_intents = mailbox->seen.has_intents,
		.was_left = mailbox->base.held_policy == run->policy.hash,
		.pending = mailbox->base.pending,
		.expunge = run->policy.messages.expunge,
	};
	return message_is_idle(&facts);
}

static bool is_of_intent(const struct intents *intents, const struct row *row)
{
	for (size_t i = 0; i < intents->count; i++) {
		if (intents->items[i].row == row->id && intents->items[i].kind != INTENT_TRASHED) {
			return true;
		}
	}
	return false;
}

static void drop_rows(const struct run *run, const struct intents *intents, struct row_list *rows)
{
	size_t kept = 0;
	for (size_t i = 0; i < rows->count; i++) {
		struct row *row = &rows->items[i];
		struct left_out_facts facts = {
			.is_later_pass = run->round > 0,
			.is_moving = run->seen.is_moving,
			.is_of_move = move_has_row(&run->plan->moves, row->id),
			.has_intent = is_of_intent(intents, row),
		};
		if (message_is_left_out(row, &facts)) {
			row_finish(row);
		} else {
			rows->items[kept++] = *row;
		}
	}
	rows->count = kept;
}

static int facts_of(struct run *run, struct mailbox *mailbox, struct plan_facts *facts,
		    struct err *err)
{
	/* A server that has not said what it keeps is taken to keep all. */
	bool is_told = mailbox->base.permanent_flags != 0 || mailbox->base.permanent_any;
	*facts = (struct plan_facts){
		.permanent_flags = is_told ? mailbox->base.permanent_flags : FLAGS_SYSTEM,
		.permanent_any = !is_told || mailbox->base.permanent_any,
		.is_read_only = mailbox->seen.is_read_only,
		.has_unreadable = run->seen.has_unreadable,
		.braked = mailbox->decided.braked,
		.releases_held = run->policy.releases_held,
	};
	if (!run->account->keywords || mailbox->base.keywords.count == 0 ||
	    !mailbox->seen.in_local) {
		return 0;
	}
	int code = mailbox_open_dir(run, mailbox, err);
	return code < 0 ? code
			: maildir_folder_keyword_mask(mailbox->dir, &mailbox->base.keywords,
						      &facts->local_keywords, err);
}

int mailbox_plan_make(struct run *run, struct mailbox *mailbox, struct mailbox_plan *plan,
		      struct err *err)
{
	struct state *state = run->session->state;
	const struct plan_policy *policy = &run->policy.messages;
	struct intents intents = {0};
	int code;
	if ((code = state_rows_pending(state, mailbox->base.id, policy->expunge != 0, &plan->rows,
				       err)) < 0 ||
	    (code = state_intents_load(state, mailbox->base.id, &intents, err)) < 0 ||
	    (code = facts_of(run, mailbox, &plan->facts, err)) < 0) {
		goto finish;
	}
	drop_rows(run, &intents, &plan->rows);
	code = message_plan_make(plan->rows.items, plan->rows.count, policy, &plan->facts,
				 &plan->plan, err);
	mailbox->decided.shape = message_plan_shape(&plan->plan);
finish:
	state_intents_finish(&intents);
	return code;
}

int mailbox_plan_note_holds(struct run *run, struct mailbox_plan *plan, struct err *err)
{
	int code = 0;
	for (size_t i = 0; code == 0 && i < plan->plan.count; i++) {
		const struct op *op = &plan->plan.ops[i];
		struct row *row = &plan->rows.items[op->row];
		if (op->kind == OP_HOLD && row->reason != op->reason) {
			effect_held(row, op->reason);
			code = state_row_put(run->session->state, row, err);
		}
	}
	return code;
}
