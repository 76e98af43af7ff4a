/* What rows are planned at all, what a side can keep, and what is asked of a plan that is made. */
#include <stdlib.h>

#include "mailsync/base/array.h"
#include "mailsync/model/flags.h"

#include "message_rules.h"

void message_plan_finish(struct message_plan *plan)
{
	free(plan->ops);
	*plan = (struct message_plan){0};
}

uint64_t message_remote_flags(const struct plan_facts *mailbox)
{
	/* $Forwarded is a keyword on the wire. */
	uint64_t any = ~FLAGS_SYSTEM | FLAG_FORWARDED;
	uint64_t may = mailbox->keeps_keywords ? FLAGS_SYSTEM : ~UINT64_C(0);
	return (mailbox->permanent_flags | (mailbox->permanent_any ? any : 0)) & may;
}

uint64_t message_local_flags(const struct plan_facts *mailbox)
{
	return FLAGS_SYSTEM | mailbox->local_keywords;
}

static int compare_suspect(const void *key, const void *item)
{
	int64_t wanted = *(const int64_t *)key;
	int64_t row = ((const struct suspect_row *)item)->row;
	return (wanted > row) - (wanted < row);
}

enum row_reason message_suspect_reason(const struct plan_facts *mailbox, const struct row *row)
{
	const struct suspect_row *suspect =
		array_find(mailbox->suspects, mailbox->suspect_count, sizeof(*mailbox->suspects),
			   &row->id, compare_suspect);
	if (suspect == NULL) {
		return REASON_NONE;
	}
	return suspect->is_left ? REASON_SUSPECT : REASON_FAILED;
}

bool message_is_waste(const struct plan_facts *mailbox, const struct row *row, enum side side)
{
	return mailbox->is_waste && side == SIDE_LOCAL && row->remote == MESSAGE_GONE;
}

bool message_is_idle(const struct idle_facts *mailbox)
{
	return !mailbox->is_active || !mailbox->in_base ||
	       (mailbox->was_left && !mailbox->has_intents) ||
	       (mailbox->pending == 0 && mailbox->expunge == SIDE_NONE);
}

bool message_is_left_out(const struct row *row, const struct left_out_facts *facts)
{
	return (facts->is_later_round && row->reason == REASON_FAILED) ||
	       (facts->is_moving && row->local == MESSAGE_GONE) || facts->is_of_move ||
	       facts->has_intent || facts->is_not_wanted;
}

enum plan_shape message_plan_shape(const struct message_plan *plan)
{
	enum plan_shape shape = PLAN_IDLE;
	for (size_t i = 0; i < plan->count && shape != PLAN_MIXED; i++) {
		if (plan->ops[i].kind != OP_HOLD) {
			shape = plan->ops[i].kind == OP_DOWNLOAD ? PLAN_DOWNLOADS : PLAN_MIXED;
		}
	}
	return shape;
}

bool message_plan_holds_by_policy(const struct message_plan *plan)
{
	for (size_t i = 0; i < plan->count; i++) {
		enum row_reason reason = plan->ops[i].reason;
		if (plan->ops[i].kind == OP_HOLD && reason != REASON_POLICY &&
		    reason != REASON_TOO_LARGE && reason != REASON_TOO_OLD &&
		    reason != REASON_DELETED) {
			return false;
		}
	}
	return true;
}

bool message_plan_is_retry(const struct message_plan *plan, const struct row *rows)
{
	for (size_t i = 0; i < plan->count; i++) {
		const struct op *op = &plan->ops[i];
		enum row_reason reason = rows[op->row].reason;
		bool is_of_server = op->kind == OP_UPLOAD || op->kind == OP_DOWNLOAD ||
				    op->kind == OP_FLAGS_REMOTE || op->kind == OP_DELETE_REMOTE;
		bool has_failed = reason == REASON_FAILED || reason == REASON_OBSTACLE;
		if (op->kind != OP_HOLD && !(is_of_server && has_failed)) {
			return false;
		}
	}
	return true;
}

static void add_copies(struct plan_sum *sum, const struct message_plan *plan,
		       const struct row *rows)
{
	for (size_t i = 0; i < plan->count; i++) {
		if (plan->ops[i].kind == OP_DOWNLOAD || plan->ops[i].kind == OP_UPLOAD) {
			struct told size = rows[plan->ops[i].row].size;
			sum->copies++;
			sum->copy_bytes += size.number;
			sum->has_unsized |= !size.is_told;
		}
	}
}

void plan_sum_add(struct plan_sum *sum, const struct message_plan *plan, const struct row *rows)
{
	enum plan_shape shape = message_plan_shape(plan);
	sum->shape = shape > sum->shape ? shape : sum->shape;
	sum->holds_others |= !message_plan_holds_by_policy(plan);
	brake_add(&sum->deletes, &plan->deletes, SIDE_NONE);
	sum->skipped += plan->skipped;
	add_copies(sum, plan, rows);
}
