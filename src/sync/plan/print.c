/* The plan as --dry-run prints it; run_report_plan says in which form. */
#include "plan.h"

#include <stdio.h>

#include "mailsync/model/mbname.h"

#include "observe/observe.h"
#include "rules/effect.h"

/* "cur/NAME" */
struct file_text {
	char text[MAILDIR_NAME_MAX + 8];
};

static const char *file_text(struct file_text *out, const char *name, bool in_new)
{
	snprintf(out->text, sizeof(out->text), "%s/%s", in_new ? "new" : "cur", name);
	return out->text;
}

static void print_rename(struct run *run, const struct rename_op *op)
{
	struct buf why;
	buf_init(&why, 2 * MBNAME_MAX);
	buf_printf(&why, "renamed %s from %s", side_text(side_other(op->side)), op->from);
	const struct plan_entry entry = {
		.mailbox = op->to,
		.op = op->side == SIDE_REMOTE ? REPORT_RENAME_REMOTE : REPORT_RENAME_LOCAL,
		.why = why.data,
	};
	run_report_plan(run, &entry);
	buf_finish(&why);
}

static void print_op(struct run *run, const struct mailbox_op *op)
{
	bool is_remote = op->decision.side == SIDE_REMOTE;
	struct plan_entry entry = {
		.mailbox = op->mailbox->name,
		.op = is_remote ? REPORT_CREATE_REMOTE : REPORT_CREATE_LOCAL,
		.why = is_remote ? "the mailbox is new in the Maildir"
				 : "the mailbox is new on the server",
	};
	if (op->decision.kind == MAILBOX_REMOVE) {
		entry.op = is_remote ? REPORT_REMOVE_REMOTE : REPORT_REMOVE_LOCAL;
		entry.why = "the mailbox was removed on the other side";
	}
	run_report_plan(run, &entry);
}

/* Removals, but for those that the brake holds, or the others. */
static void print_ops(struct run *run, bool removals)
{
	const struct mailbox_ops *ops = &run->plan->mailboxes;
	for (size_t i = 0; i < ops->count; i++) {
		const struct mailbox_op *op = &ops->items[i];
		bool is_removal = op->decision.kind == MAILBOX_REMOVE;
		if (is_removal == removals &&
		    (!is_removal || op->mailbox->decided.braked == SIDE_NONE)) {
			print_op(run, op);
		}
	}
}

/* UID and file are those in the mailbox that the move goes to, where they are known already. */
static void print_move(struct run *run, const struct move *move, const struct move_rows *rows,
		       const struct moved_file *file)
{
	bool is_there = move->side == SIDE_REMOTE;
	struct file_text name;
	struct buf why;
	buf_init(&why, 2 * MBNAME_MAX);
	buf_printf(&why, "moved %s from %s", side_text(side_other(move->side)), move->from->name);
	if (is_there) {
		buf_printf(&why, ", there UID %u", (unsigned)rows->gone.uid);
	}
	const struct plan_entry entry = {
		.mailbox = move->to->name,
		.op = REPORT_MOVE,
		.uid = is_there ? 0 : rows->fresh.uid,
		.file = file->name[0] == '\0' ? NULL : file_text(&name, file->name, file->in_new),
		.why = why.data,
	};
	run_report_plan(run, &entry);
	buf_finish(&why);
}

/* The file of a move on the server, as far as it can be seen. Where it cannot its keywords are
 * taken to be as they were. */
static void look_at_file(struct run *run, const struct move *move, const struct move_rows *rows,
			 struct moved_file *file)
{
	struct mailbox *to = move->to;
	uint64_t known = keywords_translate(rows->gone.local_flags, &move->from->base.keywords,
					    &to->base.keywords);
	struct err ignored;
	if (find_moved_file(run, move->from, to, rows, file, &ignored) < 0) {
		file->told.flags =
			(rows->fresh.local_flags & FLAGS_SYSTEM) | (known & ~FLAGS_SYSTEM);
	}
}

/* The rows as the move would leave them, by the effects of the acts (rules/effect.h), so that what
 * is printed of its messages afterwards is what would be done. */
static int move_on_paper(struct run *run, struct move *move, struct move_rows *rows,
			 const struct moved_file *file, struct err *err)
{
	struct state *state = run->session->state;
	struct keywords *from = &move->from->base.keywords;
	struct keywords *to = &move->to->base.keywords;
	int code;
	if (move->side == SIDE_REMOTE) {
		effect_move_begun(&rows->gone, &rows->fresh, &file->told);
		effect_moved_there(&rows->gone, &rows->fresh, 0, from, to);
	} else {
		const struct local_flags told = {
			.flags = keywords_translate(rows->gone.local_flags, from, to)};
		effect_moved_here(&rows->gone, &rows->fresh, &told, from, to);
	}
	move->from->base.held_policy = 0;
	move->to->base.held_policy = 0;
	move->state = MOVE_DONE;
	if ((code = state_begin(state, err)) == 0 &&
	    (code = state_row_drop(state, rows->gone.id, err)) == 0) {
		code = state_row_put(state, &rows->fresh, err);
	}
	return state_end(state, code, err);
}

static int take_move(struct run *run, struct move *move, struct err *err)
{
	struct move_rows rows;
	struct moved_file file = {0};
	int code = move_rows_load(run, &move->pair, &rows, err);
	if (code == 0 && rows.are_there) {
		if (move->side == SIDE_REMOTE) {
			look_at_file(run, move, &rows, &file);
		}
		print_move(run, move, &rows, &file);
		code = move_on_paper(run, move, &rows, &file, err);
	}
	mailbox_release(move->from);
	mailbox_release(move->to);
	move_rows_finish(&rows);
	return code;
}

/* The file of ROW, or NULL. */
static const char *row_file(struct mailbox *mailbox, const struct row *row, struct file_text *out)
{
	char name[MAILDIR_NAME_MAX + 1];
	bool in_new = false;
	struct err ignored;
	return row->unique[0] != '\0' && mailbox->dir != NULL &&
			       maildir_folder_find(mailbox->dir, span_of(row->unique), name,
						   &in_new, &ignored) == 0
		     ? file_text(out, name, in_new)
		     : NULL;
}

static void print_messages(struct run *run, struct mailbox *mailbox, const struct job *job)
{
	/* What does nothing to a message is nothing that people are told of. */
	static const enum report_op told[] = {
		[OP_DOWNLOAD] = REPORT_DOWNLOAD,         [OP_UPLOAD] = REPORT_UPLOAD,
		[OP_FLAGS_LOCAL] = REPORT_FLAGS_LOCAL,   [OP_FLAGS_REMOTE] = REPORT_FLAGS_REMOTE,
		[OP_DELETE_LOCAL] = REPORT_DELETE_LOCAL, [OP_DELETE_REMOTE] = REPORT_DELETE_REMOTE,
	};
	for (size_t i = 0; i < job->plan.count; i++) {
		const struct op *op = &job->plan.ops[i];
		const struct row *row = job_row(job, op);
		struct file_text file;
		if (op->kind < sizeof(told) / sizeof(told[0])) {
			bool is_copy = op->kind == OP_DOWNLOAD || op->kind == OP_UPLOAD;
			const struct plan_entry entry = {
				.mailbox = mailbox->name,
				.op = told[op->kind],
				.uid = row->uid,
				.size_bytes = is_copy ? row->size.number : 0,
				.file = row_file(mailbox, row, &file),
				.why = op->why,
			};
			run_report_plan(run, &entry);
		}
	}
}

static int print_mailbox(struct run *run, struct mailbox *mailbox, struct err *err)
{
	struct job job;
	bool is_there = true;
	int code;
	if (mailbox_is_idle(run, mailbox)) {
		mailbox->done.counts.skipped = mailbox->base.skipped;
		return 0;
	}
	if ((code = job_plan(&job, run, mailbox, 0, err)) == 0) {
		code = (mailbox->seen.in & SIDE_LOCAL) ? mailbox_open_dir(run, mailbox, err) : 0;
	}
	while (code == 0 && is_there) {
		print_messages(run, mailbox, &job);
		code = job_plan_next(&job, &is_there, err);
	}
	mailbox->done.counts.skipped = job_skipped(&job);
	job_finish(&job);
	return code;
}

int plan_print(struct run *run, struct err *err)
{
	const struct rename_ops *renames = &run->plan->renames;
	struct move_list *moves = &run->plan->moves;
	int code = 0;
	run_report_forget_plan(run);
	for (size_t i = 0; i < renames->count; i++) {
		if (renames->items[i].kind != RENAME_WAITS) {
			print_rename(run, &renames->items[i]);
		}
	}
	print_ops(run, false);
	print_ops(run, true);
	for (size_t i = 0; code == 0 && i < moves->count; i++) {
		if (moves->items[i].state == MOVE_PLANNED) {
			code = take_move(run, &moves->items[i], err);
		}
	}
	for (size_t i = 0; code == 0 && i < run->mailboxes.count; i++) {
		code = print_mailbox(run, &run->mailboxes.items[i], err);
	}
	return code;
}
