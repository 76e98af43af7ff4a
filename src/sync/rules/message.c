/*
 * Invariants:
 * 1. A row's operations depend on that row, the policy and the mailbox only: never on its
 *    neighbours.
 * 2. A deletion is planned only for an agreed row, or by R1 and R6 for one that carries \Deleted.
 * 3. The FLAGS operations of a row come before its deletions, so that what survives is right first.
 */
#include "message.h"

#include "mailsync/base/array.h"
#include "mailsync/model/flags.h"

/* What the rules for one row look at. */
struct planning {
	const struct plan_policy *policy;
	const struct plan_facts *mailbox;
	struct message_plan *plan;
	const struct row *row;
	size_t index;
	uint64_t base;        /* agreed flags; for a new pair those that both share */
	enum row_reason held; /* the strongest hold so far */
	const char *why_held;
};

/* An agreed row's flags on their way. */
struct merge {
	uint64_t flags; /* merged */
	uint64_t local; /* bits to change there now */
	uint64_t remote;
	uint64_t agreed; /* base's flags once these are done */
};

/* A wanted removal: from the rule down to what is left of it. */
struct removal {
	bool local;
	bool remote;
	const char *why_local;
	const char *why_remote;
};

static int plan_add(struct planning *planning, const struct op *op, struct err *err)
{
	struct message_plan *plan = planning->plan;
	int code = ARRAY_RESERVE(&plan->ops, plan->count + 1, &plan->cap, err);

	if (code == 0) {
		plan->ops[plan->count] = *op;
		plan->ops[plan->count].row = planning->index;
		plan->count++;
	}
	return code;
}

static int plan_act(struct planning *planning, enum op_kind kind, const char *why, struct err *err)
{
	return plan_add(planning, &(struct op){.kind = kind, .why = why}, err);
}

static int reason_rank(enum row_reason reason)
{
	if (reason == REASON_BRAKE) {
		return 3;
	}
	if (reason == REASON_OBSTACLE) {
		return 2;
	}
	return reason == REASON_NONE ? 0 : 1;
}

/* Remembers a hold; plan_row() emits the strongest. */
static void plan_hold(struct planning *planning, enum row_reason reason, const char *why)
{
	if (reason_rank(reason) > reason_rank(planning->held)) {
		planning->held = reason;
		planning->why_held = why;
	}
}

/* The brake's count and the brake, the last word on a local removal. */
static bool plan_may_delete_local(struct planning *planning)
{
	planning->plan->deletes_local++;
	if (planning->mailbox->brake_local) {
		plan_hold(planning, REASON_BRAKE, "over max_delete");
		return false;
	}
	return true;
}

/* A read-only mailbox first: what cannot be done is not counted by the brake. */
static bool plan_may_delete_remote(struct planning *planning)
{
	if (planning->mailbox->is_read_only) {
		plan_hold(planning, REASON_OBSTACLE, "the mailbox is read-only on the server");
		return false;
	}
	planning->plan->deletes_remote++;
	if (planning->mailbox->brake_remote) {
		plan_hold(planning, REASON_BRAKE, "over max_delete");
		return false;
	}
	return true;
}

/* R21: true where the brake of an earlier run holds it. SIDES: where the policy would remove it. */
static bool plan_stays_braked(struct planning *planning, unsigned sides)
{
	if (planning->row->reason != REASON_BRAKE || planning->mailbox->releases_held) {
		return false;
	}
	planning->plan->braked_local += (sides & SIDE_LOCAL) != 0;
	planning->plan->braked_remote += (sides & SIDE_REMOTE) != 0;
	planning->plan->braked_agreed += planning->row->is_agreed;
	plan_hold(planning, REASON_BRAKE, "held by the brake in an earlier run");
	return true;
}

static bool plan_is_too_large(const struct planning *planning)
{
	uint64_t max = planning->policy->max_size_bytes;

	return max != 0 && planning->row->size_bytes > max;
}

static bool plan_is_too_old(const struct planning *planning)
{
	/* 0 is an unknown date: not a reason to leave mail behind. */
	return planning->row->date != 0 && planning->row->date < planning->policy->oldest;
}

/* R1 to R5 */
static int plan_remote_only(struct planning *planning, struct err *err)
{
	const struct plan_policy *policy = planning->policy;

	if ((planning->row->remote_flags & FLAG_DELETED) != 0 && policy->expunge != 0) { /* R1 */
		if (plan_stays_braked(planning, policy->expunge & SIDE_REMOTE)) {
			return 0;
		}
		if ((policy->expunge & SIDE_REMOTE) == 0) {
			plan_hold(planning, REASON_DELETED, "marked \\Deleted on the server");
		} else if (plan_may_delete_remote(planning)) {
			return plan_act(planning, OP_DELETE_REMOTE,
					"new and marked \\Deleted on the server", err);
		}
		return 0;
	}
	if ((policy->copy & SIDE_LOCAL) == 0) { /* R2 */
		plan_hold(planning, REASON_POLICY, "copy does not cover local");
	} else if (plan_is_too_large(planning)) { /* R3 */
		plan_hold(planning, REASON_TOO_LARGE, "larger than max_message_size");
	} else if (plan_is_too_old(planning)) { /* R4 */
		plan_hold(planning, REASON_TOO_OLD, "older than max_age");
	} else { /* R5 */
		return plan_act(planning, OP_DOWNLOAD, "new on the server", err);
	}
	return 0;
}

/* R6 to R11 */
static int plan_local_only(struct planning *planning, struct err *err)
{
	const struct plan_policy *policy = planning->policy;
	const struct row *row = planning->row;
	bool is_deleted = (row->local_flags & FLAG_DELETED) != 0;

	if (is_deleted && policy->expunge != 0 &&
	    plan_stays_braked(planning, policy->expunge & SIDE_LOCAL)) {
		return 0;
	}
	if (is_deleted && (policy->expunge & SIDE_LOCAL) != 0) { /* R6 */
		if (plan_may_delete_local(planning)) {
			return plan_act(planning, OP_DELETE_LOCAL,
					"new and marked T in the Maildir", err);
		}
		return 0;
	}
	if (row->reason == REASON_AMBIGUOUS) { /* R10 */
		plan_hold(planning, REASON_AMBIGUOUS,
			  "several messages on the server could be this one");
	} else if (is_deleted && policy->expunge != 0) { /* R6 */
		plan_hold(planning, REASON_DELETED, "marked T in the Maildir");
	} else if ((policy->copy & SIDE_REMOTE) == 0) { /* R7 */
		plan_hold(planning, REASON_POLICY, "copy does not cover remote");
	} else if (plan_is_too_large(planning)) { /* R8 */
		plan_hold(planning, REASON_TOO_LARGE, "larger than max_message_size");
	} else if (planning->mailbox->is_read_only) { /* R9 */
		plan_hold(planning, REASON_OBSTACLE, "the mailbox is read-only on the server");
	} else { /* R11 */
		return plan_act(planning, OP_UPLOAD, "new in the Maildir", err);
	}
	return 0;
}

/* R13 and R14: only one side has it still, and flags do not matter any more. */
static int plan_half_gone(struct planning *planning, struct err *err)
{
	const struct plan_policy *policy = planning->policy;
	bool is_local = planning->row->local == MESSAGE_PRESENT;

	if (plan_stays_braked(planning, policy->delete_ & (is_local ? SIDE_LOCAL : SIDE_REMOTE))) {
		return 0;
	}
	if (is_local) { /* R13 */
		if ((policy->delete_ & SIDE_LOCAL) == 0) {
			plan_hold(planning, REASON_POLICY, "delete does not cover local");
		} else if (plan_may_delete_local(planning)) {
			return plan_act(planning, OP_DELETE_LOCAL, "gone on the server", err);
		}
		return 0;
	}
	if ((policy->delete_ & SIDE_REMOTE) == 0) { /* R14 */
		plan_hold(planning, REASON_POLICY, "delete does not cover remote");
	} else if (planning->mailbox->has_unreadable) {
		plan_hold(planning, REASON_OBSTACLE,
			  "it may have been moved to a folder that could not be read");
	} else if (plan_may_delete_remote(planning)) {
		return plan_act(planning, OP_DELETE_REMOTE, "gone in the Maildir", err);
	}
	return 0;
}

/* R16: what of the bits NEED may change in the Maildir. */
static uint64_t plan_local_bits(struct planning *planning, uint64_t need)
{
	if (need == 0) {
		return 0;
	}
	if ((planning->policy->flags & SIDE_LOCAL) == 0) {
		plan_hold(planning, REASON_POLICY, "flags does not cover local");
		return 0;
	}
	uint64_t can = need & message_local_flags(planning->mailbox);
	if (can != need) {
		plan_hold(planning, REASON_POLICY, "a keyword without a letter");
	}
	return can;
}

/* R17: what of the bits NEED may change on the server. */
static uint64_t plan_remote_bits(struct planning *planning, uint64_t need)
{
	uint64_t can = need & message_remote_flags(planning->mailbox);

	if (need == 0) {
		return 0;
	}
	if ((planning->policy->flags & SIDE_REMOTE) == 0) {
		plan_hold(planning, REASON_POLICY, "flags does not cover remote");
		return 0;
	}
	if (planning->mailbox->is_read_only) {
		plan_hold(planning, REASON_OBSTACLE, "the mailbox is read-only on the server");
		return 0;
	}
	if (can != need) {
		plan_hold(planning, REASON_POLICY, "a flag that the server does not keep");
	}
	return can;
}

/* R15: bit by bit, what either side changed since base. */
static uint64_t plan_merged_flags(const struct planning *planning)
{
	const struct row *row = planning->row;
	uint64_t base = planning->base;

	return base ^ ((row->local_flags ^ base) | (row->remote_flags ^ base));
}

/* R16 and R17 for the sides that stay; one that is removed takes every bit, as if it had it
 * already. */
static void plan_merge(struct planning *planning, const struct removal *removal,
		       struct merge *merge)
{
	const struct row *row = planning->row;
	uint64_t local = merge->flags;
	uint64_t remote = merge->flags;

	merge->local = 0;
	merge->remote = 0;
	if (!removal->local) {
		merge->local = plan_local_bits(planning, merge->flags ^ row->local_flags);
		local = row->local_flags ^ merge->local;
	}
	if (!removal->remote) {
		merge->remote = plan_remote_bits(planning, merge->flags ^ row->remote_flags);
		remote = row->remote_flags ^ merge->remote;
	}
	uint64_t shared = ~(local ^ remote);
	merge->agreed = (local & shared) | (planning->base & ~shared);
}

/* R20: which sides of a message that carries \Deleted are removed in this run. */
static void plan_expunge(struct planning *planning, struct removal *removal)
{
	enum side expunge = planning->policy->expunge;
	enum side follow = planning->policy->delete_ & ~expunge;
	const char *carries = "carries \\Deleted";

	if (plan_stays_braked(planning, expunge | planning->policy->delete_)) {
		return;
	}
	removal->why_local = carries;
	removal->why_remote = carries;
	if ((expunge & SIDE_REMOTE) != 0) {
		removal->remote = plan_may_delete_remote(planning);
	}
	if ((expunge & SIDE_LOCAL) != 0) {
		removal->local = plan_may_delete_local(planning);
	}
	/* At most one of these two: the side that `expunge` names led, the other follows. */
	if (removal->remote && (follow & SIDE_LOCAL) != 0) {
		removal->local = plan_may_delete_local(planning);
		removal->why_local = "expunged on the server";
	} else if (removal->local && (follow & SIDE_REMOTE) != 0) {
		removal->remote = plan_may_delete_remote(planning);
		removal->why_remote = "expunged in the Maildir";
	}
}

/* R18, R19 */
static int plan_flag_op(struct planning *planning, enum op_kind kind, const struct merge *merge,
			struct err *err)
{
	uint64_t bits = kind == OP_FLAGS_LOCAL ? merge->local : merge->remote;
	struct op op = {
		.kind = kind,
		.add = bits & merge->flags,
		.remove = bits & ~merge->flags,
		.agreed = merge->agreed,
		.why = kind == OP_FLAGS_LOCAL ? "flags changed on the server"
					      : "flags changed in the Maildir",
	};

	return plan_add(planning, &op, err);
}

/* R22, R23: base moves without an act. */
static int plan_agree(struct planning *planning, const struct merge *merge, bool has_act,
		      struct err *err)
{
	struct op op = {.kind = OP_AGREE};

	if (!planning->row->is_agreed) {
		op.agreed = planning->base;
		op.why = "the same message on both sides";
	} else if (!has_act && merge->agreed != planning->base) {
		op.agreed = merge->agreed;
		op.why = "the same change on both sides";
	} else {
		return 0;
	}
	return plan_add(planning, &op, err);
}

/* R15 to R20, R22, R23 */
static int plan_both(struct planning *planning, struct err *err)
{
	const struct row *row = planning->row;
	struct merge merge;
	struct removal removal = {0};

	planning->base = row->is_agreed ? row->flags : row->local_flags & row->remote_flags;
	merge.flags = plan_merged_flags(planning);
	if ((merge.flags & FLAG_DELETED) != 0 && planning->policy->expunge != 0) {
		plan_expunge(planning, &removal);
	}
	plan_merge(planning, &removal, &merge);
	/* FLAGS operations agree by themselves, and a removed side needs no agreement on flags. */
	bool has_act = merge.local != 0 || merge.remote != 0 || removal.local || removal.remote;
	int code = plan_agree(planning, &merge, has_act, err);
	if (code == 0 && merge.local != 0) {
		code = plan_flag_op(planning, OP_FLAGS_LOCAL, &merge, err);
	}
	if (code == 0 && merge.remote != 0) {
		code = plan_flag_op(planning, OP_FLAGS_REMOTE, &merge, err);
	}
	if (code == 0 && removal.remote) {
		code = plan_act(planning, OP_DELETE_REMOTE, removal.why_remote, err);
	}
	if (code == 0 && removal.local) {
		code = plan_act(planning, OP_DELETE_LOCAL, removal.why_local, err);
	}
	return code;
}

static int plan_rules(struct planning *planning, struct err *err)
{
	const struct row *row = planning->row;
	bool is_local = row->local == MESSAGE_PRESENT;
	bool is_remote = row->remote == MESSAGE_PRESENT;

	if (is_local && is_remote) {
		return row_is_settled(row) && ((row->flags & FLAG_DELETED) == 0 ||
					       planning->policy->expunge == 0)
			     ? 0
			     : plan_both(planning, err);
	}
	if (!is_local && !is_remote) { /* R12 */
		return plan_act(planning, OP_FORGET, "gone on both sides", err);
	}
	if (row->is_agreed) {
		return plan_half_gone(planning, err);
	}
	return is_remote ? plan_remote_only(planning, err) : plan_local_only(planning, err);
}

static int plan_row(struct planning *planning, struct err *err)
{
	struct message_plan *plan = planning->plan;
	size_t first = plan->count;
	int code = plan_rules(planning, err);

	if (code < 0 || planning->held == REASON_NONE) {
		return code;
	}
	for (size_t i = first; i < plan->count; i++) {
		plan->ops[i].reason = planning->held;
	}
	plan->held++;
	if (planning->held == REASON_TOO_LARGE || planning->held == REASON_OBSTACLE) {
		plan->skipped++;
	}
	return plan_add(
		planning,
		&(struct op){.kind = OP_HOLD, .reason = planning->held, .why = planning->why_held},
		err);
}

int message_plan_make(const struct row *rows, size_t count, const struct plan_policy *policy,
		      const struct plan_facts *mailbox, struct message_plan *plan, struct err *err)
{
	struct message_plan made;

	message_plan_init(&made);
	for (size_t i = 0; i < count; i++) {
		struct planning planning = {
			.policy = policy,
			.mailbox = mailbox,
			.plan = &made,
			.row = &rows[i],
			.index = i,
		};
		int code = plan_row(&planning, err);
		if (code < 0) {
			message_plan_finish(&made);
			return code;
		}
	}
	message_plan_finish(plan);
	*plan = made;
	return 0;
}
