/*
 * The planner: pending rows of one mailbox and a policy in, operations out. Pure, so --dry-run
 * prints what sync would do. The rules, in the order in which they are tried for each row:
 *
 * A row that is not agreed and has REASON_UNIDENTIFIED:
 *   R27 hold UNIDENTIFIED, before all that follows: it may be a message that both sides have
 * A row that is not agreed and has REASON_UNSEEN:
 *   R28 hold UNSEEN, before all that follows: what the server does not show cannot be had
 * A row that is not agreed, on the server only (remote PRESENT, local not):
 *   R1  carries \Deleted and `expunge` is set: covers remote -> DELETE_REMOTE (brake; read-only
 *       mailbox: hold OBSTACLE); else hold DELETED
 *   R2  `copy` does not cover local                       -> hold POLICY
 *   R3  larger than max_message_size (size known)         -> hold TOO_LARGE
 *   R4  INTERNALDATE (known) before max_age's cut         -> hold TOO_OLD
 *   R5  else                                              -> DOWNLOAD
 * A row that is not agreed, in the Maildir only:
 *   R6  carries T and `expunge` covers local              -> DELETE_LOCAL (brake)
 *   R10 row.reason is AMBIGUOUS                           -> hold AMBIGUOUS. Before all other
 *       holds: another reason would take its place, and a later run send the message twice.
 *   R6  carries T and `expunge` is set                    -> hold DELETED
 *   R7  `copy` does not cover remote                      -> hold POLICY
 *   R8  larger than max_message_size                      -> hold TOO_LARGE
 *   R9  mailbox is read-only on the server                -> hold OBSTACLE
 *   R31 the server refused it for good, and it is not due (refusal_rules.h, N6) -> hold OBSTACLE
 *   R11 else                                              -> UPLOAD
 * A row that is not agreed but present on both sides (a pair just found):
 *   R22 AGREE on the flags that both share; then, with these, R15 to R20: flags are joined.
 * An agreed row:
 *   R12 gone on both sides                                -> FORGET
 *   R13 gone on the server: `delete` covers local         -> DELETE_LOCAL (brake), else hold POLICY
 *   R14 gone in the Maildir: `delete` covers remote       -> DELETE_REMOTE (brake; read-only
 *       mailbox, or a folder that could not be read, where the file may lie: hold OBSTACLE),
 *       else hold POLICY
 *       (R13 and R14 beat flag changes of the surviving side.)
 *   R15 both present: merged = flags ^ (local_flags ^ flags | remote_flags ^ flags), bit by bit.
 *       What has to change locally: merged ^ local_flags; on the server: merged ^ remote_flags.
 *   R16 `flags` does not cover local, or a bit cannot be kept locally (keyword without letter):
 *       those bits are held (POLICY)
 *   R17 `flags` does not cover remote, or bit not in permanent_flags (keywords new to the mailbox:
 *       permanent_any): those bits are held (POLICY: no message is left out, so it is not
 *       `skipped`), or a keyword while `keywords` is not yes: the same; read-only mailbox: held
 *       (OBSTACLE)
 *   R18 remaining local bits  -> FLAGS_LOCAL(add, remove)
 *   R19 remaining remote bits -> FLAGS_REMOTE(add, remove)
 *   R20 merged has \Deleted and `expunge` is set: covers remote -> DELETE_REMOTE, covers local
 *       -> DELETE_LOCAL; if one side is so removed, the other is too where `delete` covers it, in
 *       the same plan (else that copy stays, and is held POLICY by R13/R14 later). Where it
 *       removes a side, flag operations and held bits for that side are dropped.
 *       A removal that the brake or an obstacle holds leaves the flag operations.
 * A row that the brake holds (row.held):
 *   R21 REMOVAL: what R1, R6, R13, R14 or R20 would remove stays held BRAKE until releases_held,
 *       however the mailbox has grown; before all other holds and whatever the policy of this run.
 *       It counts as held, not as deleted. What they do not want removed any more is planned as if
 *       it had not been held, and the mark ends.
 *   R30 FLAGS: what R19 would clear on the server because the Maildir has cleared it stays held
 *       BRAKE until releases_held; other bits go on
 * An agreed row of which the server has a copy where its file was moved to (INTENT_MOVED):
 *   R26 what is left of it is its removal, by R14, but as part of the move: it is no deletion, so
 *       that the brake neither counts nor holds it, and no unreadable folder matters. It has no
 *       file any more: one that comes back under the old name is the moved message.
 * Flags that changed alike on both sides, where no FLAGS operation carries it:
 *   R23 -> AGREE (no act, base is updated)
 *
 * A row that is set aside, since the connection ended on it (suspect_rules.h):
 *   R32 what R1, R5, R11, R14, R19, R20 or R26 would do on the server is held: FAILED where this
 *       run tries it later, or has tried it, else SUSPECT. What is to be done here is done
 *
 * Before rows are looked at:
 *   R24 a mailbox is idle, and not planned, when nothing of it is pending (with `expunge`, settled
 *       rows count), or all that is was left alone under this very policy
 *   R25 a row is left out, for others look after it: part of a move; an open intent (the outcome of
 *       its act is not known yet); gone locally while folders were changing (it may be in another
 *       by now); failed already in this run; not asked for by `restore`
 *
 * Before it is carried out:
 *   R32 a plan of nothing but what failed, or was refused, in an earlier run, and that changes no
 *       file by itself, is a retry: the Maildir is not claimed before something comes of it
 *
 * The brake (brake.h): on the sides `braked`, DELETE_LOCAL/DELETE_REMOTE become hold BRAKE. A row
 * gets one HOLD at most: BRAKE is told before OBSTACLE, OBSTACLE before POLICY. The operations of a
 * row stand together: AGREE, FLAGS, DELETE, HOLD. What they do to it: effect.h.
 *
 * A FLAGS op carries `agreed`, the value of row.flags once all ops of this row have succeeded, for
 * the proofs in tests/plan: the executor works bit-wise from what really succeeded.
 */
#ifndef SYNC_RULES_MESSAGE_RULES_H
#define SYNC_RULES_MESSAGE_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mailsync/base/err.h"
#include "mailsync/base/side.h"
#include "mailsync/model/row.h"

#include "brake.h"

struct plan_policy {
	enum side copy; /* as the next three, capped by direction and --pull/--push */
	enum side flags;
	enum side delete_;
	enum side expunge;
	uint64_t max_size_bytes; /* 0: none */
	int64_t oldest; /* seconds; older INTERNALDATEs are not downloaded; INT64_MIN: none */
};

/* A row that is set aside (R32). */
struct suspect_row {
	int64_t row;
	bool is_left; /* it is not tried in this run at all */
};

struct plan_facts {
	uint64_t permanent_flags;
	bool permanent_any;
	uint64_t local_keywords; /* keyword bits that have or can get a letter here; system bits are
				 * always allowed */
	bool keeps_keywords;     /* `keywords` lets none be changed there */
	bool is_read_only;       /* the server lets nothing be written */
	bool has_unreadable;     /* some folder of the account could not be read */
	enum side braked;        /* where the brake holds deletions */
	bool releases_held;      /* the user lets go what the brake held in earlier runs */
	const int64_t *moved;    /* ids of rows, sorted: R26's originals */
	size_t moved_count;
	const int64_t *aside; /* likewise: R31's */
	size_t aside_count;
	const struct suspect_row *suspects; /* sorted: R32's */
	size_t suspect_count;
	bool is_waste; /* the server's trash or junk (brake.h, B11) */
};

enum op_kind {
	OP_DOWNLOAD,
	OP_UPLOAD,
	OP_FLAGS_LOCAL,
	OP_FLAGS_REMOTE,
	OP_DELETE_LOCAL,
	OP_DELETE_REMOTE,
	OP_FORGET,
	OP_AGREE,
	OP_HOLD /* no act: row.reason becomes `reason` */
};

struct op {
	enum op_kind kind;
	size_t row;   /* index in the rows given */
	bool is_done; /* carried out, and its row is still to be stored; the executor's */
	uint64_t add; /* FLAGS_* */
	uint64_t remove;
	uint64_t agreed;        /* AGREE: row.flags from now on; FLAGS_*: what they are to become */
	enum row_reason reason; /* what the row is left pending for, all its ops being done */
	enum row_held held;     /* what of it the brake holds then */
	const char *why;        /* a static phrase for people: "new on the server" */
};

struct message_plan {
	struct op *ops;
	size_t count;
	size_t cap;
	struct brake_count deletes; /* ops of that kind, and those that became holds BRAKE; all but
				     * `agreed` */
	size_t skipped;             /* HOLDs for TOO_LARGE, OBSTACLE, UNSEEN or SUSPECT */
};

/* R17: the flags that can be stored on the server, whatever sends them. */
uint64_t message_remote_flags(const struct plan_facts *mailbox);
/* R16: the flags that a file can bear. */
uint64_t message_local_flags(const struct plan_facts *mailbox);

/* B11: the removal of ROW's message from SIDE is nothing to the brake. */
bool message_is_waste(const struct plan_facts *mailbox, const struct row *row, enum side side);

/* B12: whether --bring-back undoes what the brake holds of ROW: what is gone from one side is held,
 * or flags are, and by these rules it would be copied to that side, or they would be set again. */
int message_is_brought_back(const struct row *row, const struct plan_policy *policy,
			    const struct plan_facts *mailbox, bool *is_due, struct err *err);

/* R24 */
struct idle_facts {
	bool is_active;   /* the mailbox takes part */
	bool in_base;     /* and has rows */
	bool has_intents; /* acts whose outcome is not known */
	bool was_left;    /* what is pending was left alone under this policy */
	uint32_t pending;
	enum side expunge;
};
bool message_is_idle(const struct idle_facts *mailbox);

/* R25 */
struct left_out_facts {
	bool is_later_round; /* of the acts of this run */
	bool is_moving;      /* folders changed while they were read */
	bool is_of_move;     /* the row */
	bool is_not_wanted;  /* by a restore, which sends others */
	bool has_intent;     /* the row, of an act under way: neither INTENT_TRASHED nor _MOVED */
};
bool message_is_left_out(const struct row *row, const struct left_out_facts *facts);

/* R32: REASON_NONE where ROW is not set aside. */
enum row_reason message_suspect_reason(const struct plan_facts *mailbox, const struct row *row);

/* R26 */
bool message_was_moved(const struct plan_facts *mailbox, const struct row *row);

void message_plan_finish(struct message_plan *plan);
/* Into PLAN, which is {0} before; on failure it has part of it. */
int message_plan_make(const struct row *rows, size_t count, const struct plan_policy *policy,
		      const struct plan_facts *mailbox, struct message_plan *plan, struct err *err);

/* What a mailbox's plan consists of. */
enum plan_shape {     /* what is more stands behind what is less */
	PLAN_UNKNOWN, /* it was not planned yet */
	PLAN_IDLE,    /* nothing but holds */
	PLAN_DOWNLOADS,
	PLAN_MIXED /* something else, too */
};
enum plan_shape message_plan_shape(const struct message_plan *plan);
/* R32. ROWS: those that it was made of. */
bool message_plan_is_retry(const struct message_plan *plan, const struct row *rows);
/* True when all HOLDs are of the kind that only another policy would settle. */
bool message_plan_holds_by_policy(const struct message_plan *plan);

/* What the plans of several slices of a mailbox's rows come to. */
struct plan_sum { /* zeroed it is that of none */
	enum plan_shape shape;
	bool holds_others; /* some HOLD is of another kind than only another policy would settle */
	struct brake_count deletes;
	size_t skipped;
	size_t copies;       /* of messages, either way */
	uint64_t copy_bytes; /* as far as their sizes are told */
	bool has_unsized;    /* some is not */
};
/* ROWS: those that PLAN was made of. */
void plan_sum_add(struct plan_sum *sum, const struct message_plan *plan, const struct row *rows);

#endif
