#include "print.h"

#include <stdio.h>

#include "mailbox_plan.h"
#include "plan.h"

/* What people are told of; what does nothing to a message is none of it. */
static const struct {
	bool is_told;
	enum report_op op;
} told[] = {
	[OP_DOWNLOAD] = {true, REPORT_DOWNLOAD},
	[OP_UPLOAD] = {true, REPORT_UPLOAD},
	[OP_FLAGS_LOCAL] = {true, REPORT_FLAGS_LOCAL},
	[OP_FLAGS_REMOTE] = {true, REPORT_FLAGS_REMOTE},
	[OP_DELETE_LOCAL] = {true, REPORT_DELETE_LOCAL},
	[OP_DELETE_REMOTE] = {true, REPORT_DELETE_REMOTE},
	[OP_HOLD] = {false, 0},
};

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
		if (!told[op->kind].is_told) {
			continue;
		}
		report_file(mailbox, row, file, sizeof(file));
		struct plan_entry entry = {
			.mailbox = mailbox->name,
			.op = told[op->kind].op,
			.uid = row->uid,
			.file = file[0] == '\0' ? NULL : file,
			.why = op->why,
		};
		run_report_plan(run, &entry);
	}
}

static int report_mailbox(struct run *run, struct mailbox *mailbox, struct err *err)
{
	struct mailbox_plan plan;
	if (mailbox_is_idle(run, mailbox)) {
		mailbox->done.counts.skipped = mailbox->base.skipped;
		return 0;
	}
	mailbox_plan_init(&plan);
	int code;
	if ((code = mailbox_plan_make(run, mailbox, &plan, err)) < 0 ||
	    (code = mailbox->seen.in_local ? mailbox_open_dir(run, mailbox, err) : 0) < 0) {
		goto finish;
	}
	mailbox->done.counts.skipped = plan.plan.skipped;
	report_ops(run, mailbox, &plan);
finish:
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
	int code = mailbox_plan_facts(run, move->to, &facts, err);
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

static int report_one_move(struct run *run, const struct move *move, struct err *err)
{
	struct row gone, fresh;
	bool found = false;
	row_init(&gone);
	row_init(&fresh);
	int code = move_load_rows(run, move, &gone, &fresh, &found, err);
	if (code < 0 || !found || (code = report_move(run, move, &gone, &fresh, err)) < 0) {
		goto finish;
	}
	code = report_moved_flags(run, move, &gone, &fresh, err);
finish:
	row_finish(&gone);
	row_finish(&fresh);
	return code;
}

static int report_moves(struct run *run, struct err *err)
{
	const struct move_list *moves = &run->plan->moves;
	int code = 0;
	for (size_t i = 0; code == 0 && i < moves->count; i++) {
		if (!moves->items[i].is_held) {
			code = report_one_move(run, &moves->items[i], err);
		}
	}
	return code;
}

int plan_print(struct run *run, struct err *err)
{
	int code = report_moves(run, err);
	for (size_t i = 0; code == 0 && i < run->mailboxes.count; i++) {
		code = report_mailbox(run, &run->mailboxes.items[i], err);
	}
	return code;
}
