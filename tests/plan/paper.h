/* Scenarios, plans as text, and carrying a plan out on paper. */
#ifndef PAPER_H
#define PAPER_H

#include <inttypes.h>

#include "mailsync/model/flags.h"
#include "rules/effect.h"
#include "rules/message_rules.h"

#include "cases.h"

#define ROWS_MAX 16
#define TEXT_MAX 4096

struct scenario {
	char title[160];
	struct plan_policy policy;
	struct plan_facts mailbox;
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
	[REASON_AMBIGUOUS] = "ambiguous", [REASON_UNIDENTIFIED] = "unidentified",
	[REASON_UNSEEN] = "unseen",
};

static inline void scenario_init(struct scenario *scenario)
{
	memset(scenario, 0, sizeof(*scenario));
	scenario->policy =
		(struct plan_policy){.copy = 3, .flags = 3, .delete_ = 3, .oldest = INT64_MIN};
	scenario->mailbox = (struct plan_facts){.permanent_flags = FLAGS_SYSTEM,
						.permanent_any = true,
						.local_keywords = ~FLAGS_SYSTEM};
}

/* Writing what was planned. */

static inline void text_flags(char *out, size_t size, char sign, uint64_t flags)
{
	size_t len = strlen(out);

	if (flags == 0) {
		return;
	}
	len += (size_t)snprintf(out + len, size - len, " %c", sign);
	for (size_t i = 0; case_letters[i] != '\0' && len + 1 < size; i++) {
		if ((flags & (UINT64_C(1) << i)) != 0) {
			out[len++] = case_letters[i];
		}
	}
	out[len] = '\0';
}

static inline void text_op(const struct op *op, char *line, size_t size)
{
	snprintf(line, size, "%zu %s", op->row, op_names[op->kind]);
	text_flags(line, size, '+', op->add);
	text_flags(line, size, '-', op->remove);
	if (op->kind == OP_HOLD) {
		size_t len = strlen(line);
		snprintf(line + len, size - len, " %s", reason_names[op->reason]);
	}
}

static inline void text_plan(const struct message_plan *plan, char *text, size_t size)
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

static inline void scenario_plan(const struct scenario *scenario, struct message_plan *plan)
{
	struct err err;

	*plan = (struct message_plan){0};
	assert_int_equal(message_plan_make(scenario->rows, scenario->count, &scenario->policy,
					   &scenario->mailbox, plan, &err),
			 0);
}

/* Carrying a plan out on paper, as act/ does it: by rules/effect.h, what is local first. */

/* As what act/ does with an operation of each kind; -1: nothing. */
static const int paper_step[] = {
	[OP_FLAGS_LOCAL] = 0,  [OP_DELETE_LOCAL] = 0,  [OP_AGREE] = 0,
	[OP_FORGET] = 0,       [OP_DOWNLOAD] = 1,      [OP_UPLOAD] = 2,
	[OP_FLAGS_REMOTE] = 3, [OP_DELETE_REMOTE] = 4, [OP_HOLD] = 5,
};
#define PAPER_STEPS 6

static inline void paper_op(struct scenario *scenario, const struct op *op)
{
	struct row *row = &scenario->rows[op->row];

	switch (op->kind) {
	case OP_DOWNLOAD:
		effect_downloaded(row, row->remote_flags & message_local_flags(&scenario->mailbox));
		break;
	case OP_UPLOAD:
		effect_uploaded(row, 1,
				row->local_flags & message_remote_flags(&scenario->mailbox));
		break;
	case OP_FLAGS_LOCAL:
		assert_int_equal(row->local_flags & op->add, 0);
		assert_int_equal(~row->local_flags & op->remove, 0);
		effect_flags(row, SIDE_LOCAL, op->add, op->remove);
		break;
	case OP_FLAGS_REMOTE:
		assert_int_equal(row->remote_flags & op->add, 0);
		assert_int_equal(~row->remote_flags & op->remove, 0);
		effect_flags(row, SIDE_REMOTE, op->add, op->remove);
		break;
	case OP_DELETE_LOCAL:
		assert_int_equal(row->local, MESSAGE_PRESENT);
		effect_deleted(row, SIDE_LOCAL);
		break;
	case OP_DELETE_REMOTE:
		assert_int_equal(row->remote, MESSAGE_PRESENT);
		effect_deleted(row, SIDE_REMOTE);
		break;
	case OP_FORGET:
		assert_true(row_is_void(row));
		break;
	case OP_AGREE:
		effect_agreed(row, op->agreed);
		break;
	case OP_HOLD:
		effect_held(row, op->reason);
		break;
	}
	effect_braked(row, op->held, 1);
}

static inline bool paper_is_flag_op(const struct op *op)
{
	return op->kind == OP_FLAGS_LOCAL || op->kind == OP_FLAGS_REMOTE;
}

/* Carries out PLAN, and drops rows that are void. */
static inline void paper_apply(struct scenario *scenario, const struct message_plan *plan)
{
	for (int step = 0; step < PAPER_STEPS; step++) {
		for (size_t i = 0; i < plan->count; i++) {
			if (paper_step[plan->ops[i].kind] == step) {
				paper_op(scenario, &plan->ops[i]);
			}
		}
	}
	for (size_t i = 0; i < plan->count; i++) {
		const struct row *row = &scenario->rows[plan->ops[i].row];
		if (paper_is_flag_op(&plan->ops[i]) && row->local == MESSAGE_PRESENT &&
		    row->remote == MESSAGE_PRESENT) {
			assert_true(row->flags == plan->ops[i].agreed);
			assert_true(row->is_agreed);
		}
	}
	size_t kept = 0;
	for (size_t i = 0; i < scenario->count; i++) {
		if (!row_is_void(&scenario->rows[i])) {
			scenario->rows[kept++] = scenario->rows[i];
		}
	}
	scenario->count = kept;
}

/* I5 */
static inline void paper_expect_only_holds(struct scenario *scenario,
					   const struct message_plan *plan)
{
	struct message_plan second;
	char text[TEXT_MAX];

	paper_apply(scenario, plan);
	scenario_plan(scenario, &second);
	text_plan(&second, text, sizeof(text));
	for (size_t i = 0; i < second.count; i++) {
		if (second.ops[i].kind != OP_HOLD) {
			fail_msg("%s: the second plan still acts:\n%s", scenario->title, text);
		}
	}
	message_plan_finish(&second);
}

#endif
