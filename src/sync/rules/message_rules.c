/*
 * Invariants:
 * 1. A row's operations depend on that row, the policy and the mailbox only: never on its
 *    neighbours.
 * 2. A deletion is planned only for an agreed row, or by R1 and R6 for one that carries \Deleted.
 * 3. The FLAGS operations of a row come before its deletions, so that what survives is right first.
 */
#include "message_rules.h"

#include "mailsync/base/array.h"
#include "mailsync/model/flags.h"

#include "effect.h"

#define READ_ONLY "the mailbox is read-only on the server"

/* What the rules for one row look at. */
struct planning {
	const struct plan_policy *policy;
	const struct plan_facts *mailbox;
	struct message_plan *plan;
	const struct row *row;
	size_t index;
	uint64_t base;        /* agreed flags; for a new pair those that both share */
	enum row_reason held; /* the strongest hold so far */
	enum row_held braked; /* what of it the brake holds */
	const char *why_held;
};

/* A row's flags on their way. */
struct merge {
	uint64_t flags; /* merged */
	uint64_t local; /* bits to change there now */
	uint64_t remote;
	uint64_t agreed; /* base's flags once these are done */
};

static int add(struct planning *planning, struct op op, struct err *err)
{
	struct message_plan *plan = planning->plan;
	int code = ARRAY_RESERVE(&plan->ops, plan->count + 1, &plan->cap, err);
	if (code == 0) {
		op.row = planning->index;
		plan->ops[plan->count++] = op;
	}
	return code;
}

static int act(struct planning *planning, enum op_kind kind, const char *why, struct err *err)
{
	return add(planning, (struct op){.kind = kind, .why = why}, err);
}

static int rank_of(enum row_reason reason)
{
	if (reason == REASON_BRAKE) {
		return 3;
	}
	return reason == REASON_OBSTACLE || reason == REASON_SUSPECT || reason == REASON_FAILED
		     ? 2
		     : reason != REASON_NONE;
}

/* Remembers a hold, and returns 0; plan_row() emits the strongest. */
static int hold(struct planning *planning, enum row_reason reason, const char *why)
{
	if (rank_of(reason) > rank_of(planning->held)) {
		planning->held = reason;
		planning->why_held = why;
	}
	return 0;
}

static void hold_braked(struct planning *planning, enum row_held held, const char *why)
{
	hold(planning, REASON_BRAKE, why);
	planning->braked |= held;
}

/* Nothing of the row can be done on the server now, and is held: a mailbox that nobody may write
 * to, where it WRITES, or R32. */
static bool is_barred(struct planning *planning, bool writes)
{
	enum row_reason reason = message_suspect_reason(planning->mailbox, planning->row);
	if (writes && planning->mailbox->is_read_only) {
		hold(planning, REASON_OBSTACLE, READ_ONLY);
	} else if (reason != REASON_NONE) {
		hold(planning, reason, "the connection ended on it");
	} else {
		return false;
	}
	return true;
}

/* The last word on a removal, which is counted, or held: true where it may be. What cannot be done
 * comes first, and is not counted. */
static bool judge_removal(struct planning *planning, enum side side)
{
	struct brake_count *deletes = &planning->plan->deletes;
	if (side == SIDE_REMOTE && is_barred(planning, true)) {
		return false;
	}
	if (message_is_waste(planning->mailbox, planning->row, side)) {
		return true;
	}
	*(side == SIDE_LOCAL ? &deletes->local : &deletes->remote) += 1;
	if ((planning->mailbox->braked & side) != 0) {
		hold_braked(planning, HELD_REMOVAL, "over max_delete");
		return false;
	}
	return true;
}

static int act_delete(struct planning *planning, enum side side, const char *why, struct err *err)
{
	return act(planning, side == SIDE_LOCAL ? OP_DELETE_LOCAL : OP_DELETE_REMOTE, why, err);
}

static int delete_if_allowed(struct planning *planning, enum side side, const char *why,
			     struct err *err)
{
	return judge_removal(planning, side) ? act_delete(planning, side, why, err) : 0;
}

/* R21: where the brake holds it already, it stays held and is counted so: true. SIDES:
 * where the policy would remove it. */
static bool hold_if_braked(struct planning *planning, enum side sides)
{
	struct brake_count *deletes = &planning->plan->deletes;
	if ((planning->row->held & HELD_REMOVAL) == 0 || planning->mailbox->releases_held) {
		return false;
	}
	deletes->held_local += (sides & SIDE_LOCAL) != 0;
	deletes->held_remote += (sides & SIDE_REMOTE) != 0;
	deletes->held_agreed += planning->row->is_agreed;
	hold_braked(planning, HELD_REMOVAL, "held by the brake");
	return true;
}

/* R30: of the bits that are to change on the server those that may. */
static uint64_t unbraked_bits(struct planning *planning, uint64_t need)
{
	const struct row *row = planning->row;
	uint64_t cleared = need & row->flags & ~row->local_flags;
	if ((row->held & HELD_FLAGS) == 0 || planning->mailbox->releases_held || cleared == 0) {
		return need;
	}
	planning->plan->deletes.held_flags++;
	hold_braked(planning, HELD_FLAGS, "cleared in the Maildir, and held by the brake");
	return need & ~cleared;
}

static bool is_too_large(const struct planning *planning)
{
	uint64_t max = planning->policy->max_size_bytes;
	return max != 0 && told_or(planning->row->size, 0) > max;
}

/* R1 to R5 */
static int plan_remote_only(struct planning *planning, struct err *err)
{
	const struct plan_policy *policy = planning->policy;
	const struct row *row = planning->row;
	if ((row->remote_flags & FLAG_DELETED) != 0 && policy->expunge != 0) { /* R1 */
		if (hold_if_braked(planning, policy->expunge & SIDE_REMOTE)) {
			return 0;
		}
		return (policy->expunge & SIDE_REMOTE) == 0
			     ? hold(planning, REASON_DELETED, "marked \\Deleted on the server")
			     : delete_if_allowed(planning, SIDE_REMOTE,
						 "new and marked \\Deleted on the server", err);
	}
	if ((policy->copy & SIDE_LOCAL) == 0) { /* R2 */
		return hold(planning, REASON_POLICY, "copy does not cover local");
	}
	if (is_too_large(planning)) { /* R3 */
		return hold(planning, REASON_TOO_LARGE, "larger than max_message_size");
	}
	/* An unknown date is no reason to leave mail behind. */
	if (row->date.is_told && row->date.seconds < policy->oldest) { /* R4 */
		return hold(planning, REASON_TOO_OLD, "older than max_age");
	}
	return is_barred(planning, false)
		     ? 0
		     : act(planning, OP_DOWNLOAD, "new on the server", err); /* R5 */
}

static int compare_ids(const void *x, const void *y)
{
	int64_t one = *(const int64_t *)x;
	int64_t two = *(const int64_t *)y;
	return (one > two) - (one < two);
}

static bool has_id(const int64_t *ids, size_t count, int64_t id)
{
	return array_find(ids, count, sizeof(*ids), &id, compare_ids) != NULL;
}

/* R6 to R11, R31, R32 */
static int plan_local_only(struct planning *planning, struct err *err)
{
	const struct plan_policy *policy = planning->policy;
	const struct row *row = planning->row;
	bool is_deleted = (row->local_flags & FLAG_DELETED) != 0 && policy->expunge != 0;
	if (is_deleted && hold_if_braked(planning, policy->expunge & SIDE_LOCAL)) {
		return 0;
	}
	if (is_deleted && (policy->expunge & SIDE_LOCAL) != 0) { /* R6 */
		return delete_if_allowed(planning, SIDE_LOCAL, "new and marked T in the Maildir",
					 err);
	}
	if (row->reason == REASON_AMBIGUOUS) { /* R10 */
		return hold(planning, REASON_AMBIGUOUS,
			    "several messages on the server could be this one");
	}
	if (is_deleted) { /* R6 */
		return hold(planning, REASON_DELETED, "marked T in the Maildir");
	}
	if ((policy->copy & SIDE_REMOTE) == 0) { /* R7 */
		return hold(planning, REASON_POLICY, "copy does not cover remote");
	}
	if (is_too_large(planning)) { /* R8 */
		return hold(planning, REASON_TOO_LARGE, "larger than max_message_size");
	}
	if (is_barred(planning, true)) { /* R9, R32 */
		return 0;
	}
	if (has_id(planning->mailbox->aside, planning->mailbox->aside_count, row->id)) { /* R31 */
		return hold(planning, REASON_OBSTACLE, "the server refuses it");
	}
	return act(planning, OP_UPLOAD, "new in the Maildir", err); /* R11 */
}

bool message_was_moved(const struct plan_facts *mailbox, const struct row *row)
{
	return row->local != MESSAGE_PRESENT &&
	       has_id(mailbox->moved, mailbox->moved_count, row->id);
}

/* R26 */
static int plan_moved(struct planning *planning, struct err *err)
{
	if ((planning->policy->delete_ & SIDE_REMOTE) == 0) {
		return hold(planning, REASON_POLICY, "delete does not cover remote");
	}
	return is_barred(planning, true)
		     ? 0
		     : act(planning, OP_DELETE_REMOTE, "moved in the Maildir", err);
}

/* R13 and R14: only one side has it still, and flags do not matter any more. */
static int plan_half_gone(struct planning *planning, struct err *err)
{
	bool is_local = planning->row->local == MESSAGE_PRESENT;
	enum side side = is_local ? SIDE_LOCAL : SIDE_REMOTE;
	enum side covered = planning->policy->delete_ & side;
	if (message_was_moved(planning->mailbox, planning->row)) {
		return plan_moved(planning, err);
	}
	if (hold_if_braked(planning, covered)) {
		return 0;
	}
	if (covered == SIDE_NONE) {
		return hold(planning, REASON_POLICY,
			    is_local ? "delete does not cover local"
				     : "delete does not cover remote");
	}
	if (!is_local && planning->mailbox->has_unreadable) {
		return hold(planning, REASON_OBSTACLE,
			    "it may have been moved to a folder that could not be read");
	}
	return delete_if_allowed(planning, side,
				 is_local ? "gone on the server" : "gone in the Maildir", err);
}

/* R16, R17: what of the bits NEED may change on SIDE. */
static uint64_t changeable_bits(struct planning *planning, enum side side, uint64_t need)
{
	const struct plan_facts *mailbox = planning->mailbox;
	bool is_local = side == SIDE_LOCAL;
	uint64_t can =
		need & (is_local ? message_local_flags(mailbox) : message_remote_flags(mailbox));
	if (need != 0 && (planning->policy->flags & side) == 0) {
		hold(planning, REASON_POLICY,
		     is_local ? "flags does not cover local" : "flags does not cover remote");
		return 0;
	}
	if (need != 0 && !is_local && is_barred(planning, true)) {
		return 0;
	}
	if (can != need) {
		hold(planning, REASON_POLICY,
		     is_local ? "a keyword without a letter"
			      : "a flag that the server does not keep");
	}
	return can;
}

/* R16 and R17 for the sides that stay; one that is REMOVED takes every bit, as if it had it
 * already. */
static struct merge merge_flags(struct planning *planning, uint64_t flags, enum side removed)
{
	const struct row *row = planning->row;
	struct merge merge = {.flags = flags};
	uint64_t local = flags;
	uint64_t remote = flags;
	if ((removed & SIDE_LOCAL) == 0) {
		merge.local = changeable_bits(planning, SIDE_LOCAL, flags ^ row->local_flags);
		local = row->local_flags ^ merge.local;
	}
	if ((removed & SIDE_REMOTE) == 0) {
		uint64_t need = unbraked_bits(planning, flags ^ row->remote_flags);
		merge.remote = changeable_bits(planning, SIDE_REMOTE, need);
		remote = row->remote_flags ^ merge.remote;
	}
	merge.agreed = effect_agreed_bits(planning->base, local, remote);
	return merge;
}

/* R20: the sides of a message that carries \Deleted that are removed in this run. */
static enum side plan_expunge(struct planning *planning)
{
	enum side expunge = planning->policy->expunge;
	enum side follow = planning->policy->delete_ & ~expunge;
	enum side removed = SIDE_NONE;
	if (hold_if_braked(planning, expunge | planning->policy->delete_)) {
		return SIDE_NONE;
	}
	if ((expunge & SIDE_REMOTE) != 0 && judge_removal(planning, SIDE_REMOTE)) {
		removed |= SIDE_REMOTE;
	}
	if ((expunge & SIDE_LOCAL) != 0 && judge_removal(planning, SIDE_LOCAL)) {
		removed |= SIDE_LOCAL;
	}
	/* Where `expunge` names but one side, that leads and the other follows. */
	if (removed != SIDE_NONE && follow != SIDE_NONE && judge_removal(planning, follow)) {
		removed |= follow;
	}
	return removed;
}

/* Of R20; SIDE_NONE: nothing. */
static int plan_expunged(struct planning *planning, enum side side, struct err *err)
{
	const char *why = side == SIDE_LOCAL ? "expunged on the server" : "expunged in the Maildir";
	if ((planning->policy->expunge & side) != 0) {
		why = "carries \\Deleted";
	}
	return side == SIDE_NONE ? 0 : act_delete(planning, side, why, err);
}

/* R18, R19 */
static int plan_flags(struct planning *planning, enum side side, const struct merge *merge,
		      struct err *err)
{
	bool is_local = side == SIDE_LOCAL;
	uint64_t bits = is_local ? merge->local : merge->remote;
	struct op op = {
		.kind = is_local ? OP_FLAGS_LOCAL : OP_FLAGS_REMOTE,
		.add = bits & merge->flags,
		.remove = bits & ~merge->flags,
		.agreed = merge->agreed,
		.why = is_local ? "flags changed on the server" : "flags changed in the Maildir",
	};
	return bits == 0 ? 0 : add(planning, op, err);
}

/* R22, R23: base moves without an act. FLAGS operations agree by themselves, and a side that is
 * REMOVED needs no agreement on flags. */
static int plan_agree(struct planning *planning, const struct merge *merge, enum side removed,
		      struct err *err)
{
	bool has_act = merge->local != 0 || merge->remote != 0 || removed != SIDE_NONE;
	struct op op = {.kind = OP_AGREE};
	if (!planning->row->is_agreed) {
		op.agreed = planning->base;
		op.why = "the same message on both sides";
	} else if (!has_act && merge->agreed != planning->base) {
		op.agreed = merge->agreed;
		op.why = "the same change on both sides";
	}
	return op.why == NULL ? 0 : add(planning, op, err);
}

/* R15 to R20, R22, R23 */
static int plan_both(struct planning *planning, struct err *err)
{
	const struct row *row = planning->row;
	enum side removed = SIDE_NONE;
	uint64_t base = row->is_agreed ? row->flags : row->local_flags & row->remote_flags;
	uint64_t flags = base ^ ((row->local_flags ^ base) | (row->remote_flags ^ base)); /* R15 */
	int code;
	planning->base = base;
	if ((flags & FLAG_DELETED) != 0 && planning->policy->expunge != 0) {
		removed = plan_expunge(planning);
	}
	struct merge merge = merge_flags(planning, flags, removed);
	if ((code = plan_agree(planning, &merge, removed, err)) < 0 ||
	    (code = plan_flags(planning, SIDE_LOCAL, &merge, err)) < 0 ||
	    (code = plan_flags(planning, SIDE_REMOTE, &merge, err)) < 0 ||
	    (code = plan_expunged(planning, removed & SIDE_REMOTE, err)) < 0) {
		return code;
	}
	return plan_expunged(planning, removed & SIDE_LOCAL, err);
}

static int plan_rules(struct planning *planning, struct err *err)
{
	const struct row *row = planning->row;
	bool is_local = row->local == MESSAGE_PRESENT;
	bool is_remote = row->remote == MESSAGE_PRESENT;
	if (is_local && is_remote) {
		bool may_go = (row->flags & FLAG_DELETED) != 0 && planning->policy->expunge != 0;
		return row_is_settled(row) && !may_go ? 0 : plan_both(planning, err);
	}
	if (!is_local && !is_remote) { /* R12 */
		return act(planning, OP_FORGET, "gone on both sides", err);
	}
	if (row->is_agreed) {
		return plan_half_gone(planning, err);
	}
	if (row->reason == REASON_UNSEEN) { /* R28 */
		return hold(planning, REASON_UNSEEN, "the server has it and does not show it");
	}
	if (row->reason == REASON_UNIDENTIFIED) { /* R27 */
		return hold(planning, REASON_UNIDENTIFIED,
			    "it is not known whether the other side has it");
	}
	return is_remote ? plan_remote_only(planning, err) : plan_local_only(planning, err);
}

static int plan_row(struct planning *planning, struct err *err)
{
	struct message_plan *plan = planning->plan;
	enum row_reason held;
	size_t first = plan->count;
	int code = plan_rules(planning, err);
	if (code < 0 || (held = planning->held) == REASON_NONE) {
		return code;
	}
	for (size_t i = first; i < plan->count; i++) {
		plan->ops[i].reason = held;
		plan->ops[i].held = planning->braked;
	}
	plan->skipped += held == REASON_TOO_LARGE || held == REASON_OBSTACLE ||
			 held == REASON_UNSEEN || held == REASON_SUSPECT;
	return add(planning,
		   (struct op){.kind = OP_HOLD,
			       .reason = held,
			       .held = planning->braked,
			       .why = planning->why_held},
		   err);
}

int message_plan_make(const struct row *rows, size_t count, const struct plan_policy *policy,
		      const struct plan_facts *mailbox, struct message_plan *plan, struct err *err)
{
	int code = 0;
	for (size_t i = 0; code == 0 && i < count; i++) {
		struct planning planning = {
			.policy = policy,
			.mailbox = mailbox,
			.plan = plan,
			.row = &rows[i],
			.index = i,
		};
		code = plan_row(&planning, err);
	}
	return code;
}
