#include "planning.h"

#include <stdio.h>
#include <string.h>

#include "mailsync/base/progress.h"

#include "guard/claim.h"
#include "observe/observe.h"

void mailbox_plan_init(struct mailbox_plan *plan)
{
	row_list_init(&plan->rows);
	message_plan_init(&plan->plan);
}

void mailbox_plan_finish(struct mailbox_plan *plan)
{
	message_plan_finish(&plan->plan);
	row_list_finish(&plan->rows);
}

bool planning_is_idle(const struct run *run, const struct mailbox *mailbox)
{
	if (!mailbox_is_active(mailbox) || !mailbox->in_base) {
		return true;
	}
	if (mailbox->base.held_policy == run->policy.hash && !mailbox->seen.has_intents) {
		return true;
	}
	return mailbox->base.pending == 0 && run->policy.messages.expunge == 0;
}

/* Leaves out rows that others look after: moves, and acts whose outcome is not known yet. */
static void drop_rows(const struct run *run, struct row_list *rows, const struct move_list *moves,
		      const struct intents *intents)
{
	size_t kept = 0;
	for (size_t i = 0; i < rows->count; i++) {
		const struct row *row = &rows->items[i];
		/* What failed once in this run is left to the next. */
		bool out = (run->round > 0 && row->reason == REASON_FAILED) ||
			   (run->seen.is_moving && row->local == MESSAGE_GONE) ||
			   move_has_row(moves, row->id);
		for (size_t k = 0; !out && k < intents->count; k++) {
			out = intents->items[k].row == row->id &&
			      intents->items[k].kind != INTENT_TRASHED;
		}
		if (out) {
			row_finish(&rows->items[i]);
		} else {
			if (kept != i) {
				rows->items[kept] = rows->items[i];
			}
			kept++;
		}
	}
	rows->count = kept;
}

static int facts_of(struct run *run, struct mailbox *mailbox, struct plan_facts *facts,
		    struct err *err)
{
	uint64_t local_keywords = 0;
	bool known = mailbox->base.permanent_flags != 0 || mailbox->base.permanent_any;
	int code = 0;
	if (run->account->keywords && mailbox->base.keywords.count > 0 && mailbox->seen.in_local) {
		code = mailbox_open_dir(run, mailbox, err);
		if (code == 0) {
			code = maildir_folder_keyword_mask(mailbox->dir, &mailbox->base.keywords,
							   &local_keywords, err);
		}
	}
	*facts = (struct plan_facts){
		.permanent_flags = known ? mailbox->base.permanent_flags : FLAGS_SYSTEM,
		.permanent_any = known ? mailbox->base.permanent_any : true,
		.local_keywords = local_keywords,
		.is_read_only = mailbox->seen.is_read_only,
		.has_unreadable = run->seen.has_unreadable,
		.brake_local = (mailbox->decided.braked & SIDE_LOCAL) != 0,
		.brake_remote = (mailbox->decided.braked & SIDE_REMOTE) != 0,
		.releases_held = run->policy.releases_held,
	};
	return code;
}

int planning_make(struct run *run, struct mailbox *mailbox, const struct move_list *moves,
		  struct mailbox_plan *plan, struct err *err)
{
	struct intents intents = {0};
	struct plan_facts facts;
	int code = state_rows_pending(run->session->state, mailbox->base.id,
				      run->policy.messages.expunge != 0, &plan->rows, err);
	if (code == 0) {
		code = state_intents_load(run->session->state, mailbox->base.id, &intents, err);
	}
	if (code == 0) {
		drop_rows(run, &plan->rows, moves, &intents);
		code = facts_of(run, mailbox, &facts, err);
	}
	if (code == 0) {
		code = message_plan_make(plan->rows.items, plan->rows.count, &run->policy.messages,
					 &facts, &plan->plan, err);
	}
	state_intents_finish(&intents);
	return code;
}

int planning_note_holds(struct run *run, struct mailbox_plan *plan, struct err *err)
{
	int code = 0;
	for (size_t i = 0; code == 0 && i < plan->plan.count; i++) {
		const struct op *op = &plan->plan.ops[i];
		struct row *row = &plan->rows.items[op->row];
		if (op->kind == OP_HOLD && row->reason != op->reason) {
			row->reason = op->reason;
			code = state_row_put(run->session->state, row, err);
		}
	}
	return code;
}

struct deletions {
	uint64_t local;
	uint64_t remote;
	uint64_t agreed;
	uint64_t braked_local; /* held by the brake of earlier runs: R21 */
	uint64_t braked_remote;
	uint64_t braked_agreed;
	uint64_t copies; /* not counted by the brake: what there is to watch */
};

/* What MAILBOX would have deleted, and how much it held when the run began. */
static int count_deletions(struct run *run, struct mailbox *mailbox, const struct move_list *moves,
			   struct deletions *out, struct err *err)
{
	struct mailbox_plan plan;
	int code = 0;
	memset(out, 0, sizeof(*out));
	if (mailbox->decided.remove != 0) {
		out->agreed = mailbox->decided.agreed_before;
		out->local =
			mailbox->decided.remove == SIDE_LOCAL ? mailbox->decided.agreed_before : 0;
		out->remote =
			mailbox->decided.remove == SIDE_REMOTE ? mailbox->decided.agreed_before : 0;
		return 0;
	}
	if (!planning_is_idle(run, mailbox)) {
		mailbox_plan_init(&plan);
		code = planning_make(run, mailbox, moves, &plan, err);
		out->local = plan.plan.deletes_local;
		out->remote = plan.plan.deletes_remote;
		out->braked_local = plan.plan.braked_local;
		out->braked_remote = plan.plan.braked_remote;
		out->braked_agreed = plan.plan.braked_agreed;
		for (size_t i = 0; i < plan.plan.count; i++) {
			out->copies += plan.plan.ops[i].kind == OP_DOWNLOAD ||
				       plan.plan.ops[i].kind == OP_UPLOAD;
		}
		mailbox_plan_finish(&plan);
		mailbox_release(mailbox);
	}
	return code;
}

/* MAILBOX NULL: the account. */
static void report_brake(struct run *run, const struct mailbox *mailbox, const struct err *err)
{
	struct report *report = run->report;
	run_report_error(run, NULL, 0, err);
	if (mailbox != NULL && report->error_count > 0) {
		report->errors[report->error_count - 1].mailbox = span_dup(span_of(mailbox->name));
	}
	run->done.brake_hit = true;
}

static void report_over(struct run *run, const struct mailbox *mailbox, uint64_t count,
			uint64_t agreed, const char *side)
{
	struct err err;
	err_set(&err, ERR_BRAKE, mailbox == NULL ? SCOPE_ACCOUNT : SCOPE_MAILBOX,
		"%llu of %llu messages would be deleted %s; that is over max_delete (%u%%), so "
		"none of them was. If it is right, run once with --allow-mass-delete",
		(unsigned long long)count, (unsigned long long)agreed, side,
		run->account->max_delete_percent);
	report_brake(run, mailbox, &err);
}

static void report_still_held(struct run *run, const struct mailbox *mailbox, uint64_t count,
			      const char *side)
{
	struct err err;
	/* What a pass holds is told by then. */
	if (count == 0 || run->round > 0) {
		return;
	}
	err_set(&err, ERR_BRAKE, SCOPE_MAILBOX,
		"%llu message%s would be deleted %s; an earlier run held what was over max_delete, "
		"and it stays held. If it is right, run once with --allow-mass-delete",
		(unsigned long long)count, count == 1 ? "" : "s", side);
	report_brake(run, mailbox, &err);
}

static int brake_mailbox(struct run *run, struct mailbox *mailbox,
			 const struct deletions *deletions, struct err *err)
{
	unsigned percent = run->account->max_delete_percent;
	uint64_t agreed = deletions->agreed;
	if (agreed == 0 && (deletions->local > 10 || deletions->remote > 10)) {
		int code = state_count_agreed(run->session->state, mailbox->base.id, &agreed, err);
		if (code < 0) {
			return code;
		}
		agreed -= deletions->braked_agreed;
	}
	report_still_held(run, mailbox, deletions->braked_local, "locally");
	report_still_held(run, mailbox, deletions->braked_remote, "on the server");
	if (plan_brake(deletions->local, agreed, percent)) {
		mailbox->decided.braked |= SIDE_LOCAL;
		report_over(run, mailbox, deletions->local, agreed, "locally");
	}
	if (plan_brake(deletions->remote, agreed, percent)) {
		mailbox->decided.braked |= SIDE_REMOTE;
		report_over(run, mailbox, deletions->remote, agreed, "on the server");
	}
	return 0;
}

static int brake_account(struct run *run, const struct deletions *total, struct err *err)
{
	unsigned percent = run->account->max_delete_percent;
	uint64_t agreed = 0;
	if (total->local <= 10 && total->remote <= 10) {
		return 0;
	}
	int code = state_count_agreed(run->session->state, 0, &agreed, err);
	if (code < 0) {
		return code;
	}
	agreed -= total->braked_agreed;
	bool local = plan_brake(total->local, agreed, percent);
	bool remote = plan_brake(total->remote, agreed, percent);
	for (size_t i = 0; i < run->mailboxes.count; i++) {
		run->mailboxes.items[i].decided.braked |=
			(local ? SIDE_LOCAL : SIDE_NONE) | (remote ? SIDE_REMOTE : SIDE_NONE);
	}
	if (local) {
		report_over(run, NULL, total->local, agreed, "locally");
	}
	if (remote) {
		report_over(run, NULL, total->remote, agreed, "on the server");
	}
	return 0;
}

static int brake_mailboxes(struct run *run, const struct move_list *moves, struct err *err)
{
	struct deletions total = {0};
	int code = 0;
	for (size_t i = 0; code == 0 && i < run->mailboxes.count; i++) {
		struct mailbox *mailbox = &run->mailboxes.items[i];
		struct deletions deletions;
		code = count_deletions(run, mailbox, moves, &deletions, err);
		if (code == 0) {
			code = brake_mailbox(run, mailbox, &deletions, err);
		}
		if (code == 0) {
			total.local += (mailbox->decided.braked & SIDE_LOCAL) ? 0 : deletions.local;
			total.remote +=
				(mailbox->decided.braked & SIDE_REMOTE) ? 0 : deletions.remote;
			total.braked_agreed += deletions.braked_agreed;
			total.copies += deletions.copies;
		}
	}
	progress_plan(run->account->server.progress, total.copies);
	return code < 0 ? code : brake_account(run, &total, err);
}

/* The user lets go what was held: for this run, or by a higher limit than it was held under. */
static int note_release(struct run *run, struct err *err)
{
	unsigned percent = run->account->max_delete_percent;
	struct buf held_under;
	bool is_found = false;
	uint32_t number = 0;
	buf_init(&held_under, 16);
	int code = state_get(run->session->state, "max_delete", &held_under, &is_found, err);
	bool is_raised =
		is_found && span_to_u32(buf_span(&held_under), &number) && percent > number;
	buf_finish(&held_under);
	run->policy.releases_held = run->options->allow_mass_delete || percent >= 100 || is_raised;
	return code;
}

/* In a transaction. */
static int note_held(struct run *run, const struct move_list *moves, struct err *err)
{
	char percent[16];
	snprintf(percent, sizeof(percent), "%u", run->account->max_delete_percent);
	int code = state_set(run->session->state, "max_delete", percent, err);
	for (size_t i = 0; code == 0 && i < run->mailboxes.count; i++) {
		struct mailbox *mailbox = &run->mailboxes.items[i];
		struct mailbox_plan plan;
		if (mailbox->decided.braked == SIDE_NONE || mailbox->decided.remove != 0 ||
		    planning_is_idle(run, mailbox)) {
			continue;
		}
		mailbox_plan_init(&plan);
		code = planning_make(run, mailbox, moves, &plan, err);
		if (code == 0) {
			code = planning_note_holds(run, &plan, err);
		}
		mailbox_plan_finish(&plan);
		mailbox_release(mailbox);
	}
	return code;
}

static int commit_held(struct run *run, const struct move_list *moves, struct err *err)
{
	int code = run_claim(run, err);
	if (code == 0) {
		code = state_begin(run->session->state, err);
	}
	if (code < 0) {
		return code;
	}
	code = note_held(run, moves, err);
	if (code < 0) {
		state_rollback(run->session->state);
		return code;
	}
	return state_commit(run->session->state, err);
}

static bool has_brake(const struct run *run)
{
	for (size_t i = 0; i < run->mailboxes.count; i++) {
		if (run->mailboxes.items[i].decided.braked != SIDE_NONE) {
			return true;
		}
	}
	return false;
}

int planning_brake(struct run *run, const struct move_list *moves, struct err *err)
{
	int code = note_release(run, err);
	if (code < 0 || run->options->allow_mass_delete ||
	    run->account->max_delete_percent >= 100) {
		return code;
	}
	code = brake_mailboxes(run, moves, err);
	if (code == 0 && has_brake(run) && !run->options->dry_run) {
		code = commit_held(run, moves, err);
	}
	return code;
}

static enum report_op report_op_of(enum op_kind kind)
{
	switch (kind) {
	case OP_DOWNLOAD:
		return REPORT_DOWNLOAD;
	case OP_UPLOAD:
		return REPORT_UPLOAD;
	case OP_FLAGS_LOCAL:
		return REPORT_FLAGS_LOCAL;
	case OP_FLAGS_REMOTE:
		return REPORT_FLAGS_REMOTE;
	case OP_DELETE_LOCAL:
		return REPORT_DELETE_LOCAL;
	case OP_DELETE_REMOTE:
	case OP_FORGET:
	case OP_AGREE:
	case OP_HOLD:
		break;
	}
	return REPORT_DELETE_REMOTE;
}

static void report_file(struct mailbox *mailbox, const struct row *row, char *out, size_t size)
{
	char name[MAILDIR_NAME_MAX + 1];
	bool in_new = false;
	struct err ignored;
	out[0] = '\0';
	if (row->unique[0] == '\0' || mailbox->dir == NULL ||
	    maildir_folder_find(mailbox->dir, span_of(row->unique), name, &in_new, &ignored) < 0) {
		return;
	}
	snprintf(out, size, "%s/%s", in_new ? "new" : "cur", name);
}

static void report_ops(struct run *run, struct mailbox *mailbox, const struct mailbox_plan *plan)
{
	for (size_t i = 0; i < plan->plan.count; i++) {
		const struct op *op = &plan->plan.ops[i];
		const struct row *row = &plan->rows.items[op->row];
		char file[MAILDIR_NAME_MAX + 8];
		if (op->kind == OP_HOLD || op->kind == OP_FORGET || op->kind == OP_AGREE) {
			continue;
		}
		report_file(mailbox, row, file, sizeof(file));
		struct plan_entry entry = {
			.mailbox = mailbox->name,
			.op = report_op_of(op->kind),
			.uid = row->uid,
			.file = file[0] == '\0' ? NULL : file,
			.why = op->why,
		};
		run_report_plan(run, &entry);
	}
}

static int report_mailbox(struct run *run, struct mailbox *mailbox, const struct move_list *moves,
			  struct err *err)
{
	struct mailbox_plan plan;
	if (planning_is_idle(run, mailbox)) {
		mailbox->done.counts.skipped = mailbox->base.skipped;
		return 0;
	}
	mailbox_plan_init(&plan);
	int code = planning_make(run, mailbox, moves, &plan, err);
	if (code == 0 && mailbox->seen.in_local) {
		code = mailbox_open_dir(run, mailbox, err);
	}
	if (code == 0) {
		mailbox->done.counts.skipped = plan.plan.skipped;
		report_ops(run, mailbox, &plan);
	}
	mailbox_plan_finish(&plan);
	mailbox_release(mailbox);
	return code;
}

/* UID and file are those in the mailbox that the move goes to, where they are known already. */
static int report_move(struct run *run, const struct move *move, const struct row *gone,
		       const struct row *fresh, struct err *err)
{
	char file[MAILDIR_NAME_MAX + 8] = "";
	struct buf why;
	buf_init(&why, 2 * MBNAME_MAX);
	buf_printf(&why, "moved %s from %s", move->is_remote ? "on the server" : "locally",
		   move->from->name);
	int code = 0;
	if (!move->is_remote) {
		buf_printf(&why, ", there UID %u", (unsigned)gone->uid);
		code = mailbox_open_dir(run, move->to, err);
	}
	if (!move->is_remote && code == 0) {
		report_file(move->to, fresh, file, sizeof(file));
	}
	struct plan_entry entry = {
		.mailbox = move->to->name,
		.op = REPORT_MOVE,
		.uid = move->is_remote ? fresh->uid : 0,
		.file = file[0] == '\0' ? NULL : file,
		.why = why.data,
	};
	if (code == 0) {
		run_report_plan(run, &entry);
	}
	mailbox_release(move->to);
	buf_finish(&why);
	return code;
}

/* Flags that changed too: the run merges them once the message has moved. Keywords are left out,
 * since their letters are still those of the other folder. */
static int report_moved_flags(struct run *run, const struct move *move, const struct row *gone,
			      const struct row *fresh, struct err *err)
{
	struct plan_facts facts;
	int code = facts_of(run, move->to, &facts, err);
	if (code < 0) {
		return code;
	}
	struct row merged = *fresh;
	uint64_t local = move->is_remote ? gone->local_flags : fresh->local_flags;
	uint64_t remote = move->is_remote ? fresh->remote_flags : gone->remote_flags;
	merged.is_agreed = true;
	merged.local = MESSAGE_PRESENT;
	merged.remote = MESSAGE_PRESENT;
	merged.flags = gone->flags & FLAGS_SYSTEM;
	merged.local_flags = local & FLAGS_SYSTEM;
	merged.remote_flags = remote & FLAGS_SYSTEM;
	struct mailbox_plan plan = {.rows = {.items = &merged, .count = 1}};
	message_plan_init(&plan.plan);
	code = message_plan_make(&merged, 1, &run->policy.messages, &facts, &plan.plan, err);
	if (code == 0) {
		report_ops(run, move->to, &plan);
	}
	message_plan_finish(&plan.plan); /* the row is borrowed */
	return code;
}

static int report_moves(struct run *run, const struct move_list *moves, struct err *err)
{
	int code = 0;
	for (size_t i = 0; code == 0 && i < moves->count; i++) {
		const struct move *move = &moves->items[i];
		struct row gone, fresh;
		bool found = false;
		row_init(&gone);
		row_init(&fresh);
		if (!move->is_held) {
			code = move_load_rows(run, move, &gone, &fresh, &found, err);
		}
		if (code == 0 && found) {
			code = report_move(run, move, &gone, &fresh, err);
		}
		if (code == 0 && found) {
			code = report_moved_flags(run, move, &gone, &fresh, err);
		}
		row_finish(&gone);
		row_finish(&fresh);
	}
	return code;
}

int planning_report(struct run *run, const struct move_list *moves, struct err *err)
{
	int code = 0;
	for (size_t i = 0; i < run->mailboxes.count; i++) {
		const struct mailbox *mailbox = &run->mailboxes.items[i];
		struct plan_entry entry = {.mailbox = mailbox->name,
					   .op = mailbox->decided.remove == SIDE_LOCAL
						       ? REPORT_REMOVE_LOCAL
						       : REPORT_REMOVE_REMOTE,
					   .why = "the mailbox was removed on the other side"};
		if (mailbox->decided.remove != 0 && mailbox->decided.braked == SIDE_NONE) {
			run_report_plan(run, &entry);
		}
	}
	code = report_moves(run, moves, err);
	for (size_t i = 0; code == 0 && i < run->mailboxes.count; i++) {
		code = report_mailbox(run, &run->mailboxes.items[i], moves, err);
	}
	return code;
}
