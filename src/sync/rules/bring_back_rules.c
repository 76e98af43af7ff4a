/* What --bring-back undoes (B12 of brake.h). */
#include "effect.h"
#include "message_rules.h"

int message_is_brought_back(const struct row *row, const struct plan_policy *policy,
			    const struct plan_facts *mailbox, bool *is_due, struct err *err)
{
	bool is_here = row->local == MESSAGE_PRESENT;
	bool is_there = row->remote == MESSAGE_PRESENT;
	bool is_gone = (row->held & HELD_REMOVAL) != 0 && row->is_agreed && is_here != is_there;
	struct message_plan plan = {0};
	struct row back = *row; /* borrows its strings */
	*is_due = false;
	if (!is_gone && ((row->held & HELD_FLAGS) == 0 || !is_here || !is_there)) {
		return 0;
	}
	effect_brought_back(&back);
	int code = message_plan_make(&back, 1, policy, mailbox, &plan, err);
	const enum op_kind wanted = !is_gone ? OP_FLAGS_LOCAL : is_there ? OP_DOWNLOAD : OP_UPLOAD;
	for (size_t i = 0; code == 0 && i < plan.count; i++) {
		*is_due |= plan.ops[i].kind == wanted;
	}
	message_plan_finish(&plan);
	return code;
}
