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

int plan_print(struct run *run, struct err *err)
{
	int code = 0;
	for (size_t i = 0; code == 0 && i < run->mailboxes.count; i++) {
		code = report_mailbox(run, &run->mailboxes.items[i], err);
	}
	return code;
}
