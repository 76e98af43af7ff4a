#include "cli_plan.h"

#include <inttypes.h>
#include <string.h>

#include "cli_clean.h"
#include "cli_json.h"
#include "cli_progress.h"

#define FOLD_ABOVE 10 /* operations of a kind in a mailbox */

/* In the order in which they are told. */
static const struct {
	const char *name;
	const char *verb;  /* "download" */
	const char *where; /* behind what it is done to */
	bool is_of_mailboxes;
} ops[CLI_PLAN_OPS] = {
	[REPORT_DOWNLOAD] = {"download", "download", "", false},
	[REPORT_UPLOAD] = {"upload", "upload", "", false},
	[REPORT_MOVE] = {"move", "move", "", false},
	[REPORT_FLAGS_LOCAL] = {"flags_local", "change flags", " here", false},
	[REPORT_FLAGS_REMOTE] = {"flags_remote", "change flags", " on the server", false},
	[REPORT_DELETE_LOCAL] = {"delete_local", "delete", " here", false},
	[REPORT_DELETE_REMOTE] = {"delete_remote", "delete", " on the server", false},
	[REPORT_CREATE_LOCAL] = {"create_local", "create", " here", true},
	[REPORT_CREATE_REMOTE] = {"create_remote", "create", " on the server", true},
	[REPORT_REMOVE_LOCAL] = {"remove_local", "remove", " here", true},
	[REPORT_REMOVE_REMOTE] = {"remove_remote", "remove", " on the server", true},
	[REPORT_RENAME_LOCAL] = {"rename_local", "rename", " here", true},
	[REPORT_RENAME_REMOTE] = {"rename_remote", "rename", " on the server", true},
};

void cli_plan_json(struct buf *out, const char *account, const struct report *report)
{
	for (size_t i = 0; i < report->plan_count; i++) {
		const struct report_plan *plan = &report->plan[i];
		event_begin(out, "plan");
		event_text(out, "account", account);
		event_text(out, "mailbox", plan->mailbox);
		event_text(out, "op", ops[plan->op].name);
		if (plan->uid != 0) {
			event_number(out, "uid", plan->uid);
		} else {
			event_null(out, "uid");
		}
		event_text(out, "file", plan->file);
		event_text(out, "why", plan->why);
		if (plan->size_bytes > 0) {
			event_number(out, "size", plan->size_bytes);
		}
		event_end(out);
	}
}

static void begin_line(struct buf *out, const char *account, const struct report_plan *plan)
{
	buf_printf(out, "%s/", account);
	cli_clean(out, plan->mailbox ? plan->mailbox : "");
	buf_append_cstr(out, ": ");
}

static void end_line(struct buf *out, const char *why)
{
	if (why && *why) {
		buf_append_cstr(out, " (");
		cli_clean(out, why);
		buf_append_char(out, ')');
	}
	buf_append_char(out, '\n');
}

/* "download UID 7 cur/1.x (new on the server)" */
static void print_one(struct buf *out, const char *account, const struct report_plan *plan)
{
	bool is_creation = plan->op == REPORT_CREATE_LOCAL || plan->op == REPORT_CREATE_REMOTE;
	bool names_mailbox = ops[plan->op].is_of_mailboxes && !is_creation;

	begin_line(out, account, plan);
	buf_printf(out, "%s%s%s", ops[plan->op].verb, names_mailbox ? " the mailbox" : "",
		   ops[plan->op].where);
	if (plan->uid != 0) {
		buf_printf(out, " UID %" PRIu32, plan->uid);
	}
	if (plan->file) {
		buf_append_char(out, ' ');
		cli_clean(out, plan->file);
	}
	end_line(out, plan->why);
}

/* "download 1,240 messages, 9.3 MB" */
static void print_many(struct buf *out, enum report_op op, uint64_t count, uint64_t bytes)
{
	bool is_of_mailboxes = ops[op].is_of_mailboxes;

	buf_printf(out, "%s%s ", ops[op].verb,
		   op == REPORT_FLAGS_LOCAL || op == REPORT_FLAGS_REMOTE ? " of" : "");
	cli_print_count(out, count);
	buf_append_cstr(out, is_of_mailboxes ? " mailbox" : " message");
	buf_append_cstr(out, count == 1 ? "" : is_of_mailboxes ? "es" : "s");
	buf_append_cstr(out, ops[op].where);
	if (bytes > 0) {
		buf_append_cstr(out, ", ");
		cli_print_size(out, bytes);
	}
}

/* What the operations of one mailbox have in common. */
struct fold {
	const struct report_plan *first; /* NULL: there is none */
	uint64_t count;
	uint64_t bytes;
	bool is_one_why;
};

static void fold_add(struct fold *fold, const struct report_plan *plan)
{
	if (fold->count++ == 0) {
		fold->first = plan;
		fold->is_one_why = true;
	}
	fold->bytes += plan->size_bytes;
	fold->is_one_why = fold->is_one_why && plan->why && fold->first->why &&
			   strcmp(plan->why, fold->first->why) == 0;
}

static bool is_of_same_mailbox(const struct report_plan *one, const struct report_plan *other)
{
	return one->mailbox && other->mailbox && strcmp(one->mailbox, other->mailbox) == 0;
}

/* The COUNT operations at PLAN, all of one mailbox; a fold stands where its first one would. */
static void print_mailbox(struct buf *out, const char *account, const struct report_plan *plan,
			  size_t count)
{
	struct fold folds[CLI_PLAN_OPS] = {{NULL, 0, 0, false}};

	for (size_t i = 0; i < count; i++) {
		fold_add(&folds[plan[i].op], &plan[i]);
	}
	for (size_t i = 0; i < count; i++) {
		const struct fold *fold = &folds[plan[i].op];
		if (fold->count <= FOLD_ABOVE) {
			print_one(out, account, &plan[i]);
		} else if (fold->first == &plan[i]) {
			begin_line(out, account, &plan[i]);
			print_many(out, plan[i].op, fold->count, fold->bytes);
			end_line(out, fold->is_one_why ? plan[i].why : NULL);
		}
	}
}

void cli_plan_text(struct buf *out, const char *account, const struct report *report, bool folds)
{
	const struct report_plan *plan = report->plan;
	size_t count;

	for (size_t i = 0; i < report->plan_count; i += count) {
		count = 1;
		while (folds && i + count < report->plan_count &&
		       is_of_same_mailbox(&plan[i], &plan[i + count])) {
			count++;
		}
		if (count > 1) {
			print_mailbox(out, account, &plan[i], count);
		} else {
			print_one(out, account, &plan[i]);
		}
	}
}

void cli_plan_add(struct cli_plan_sum *sum, const struct report *report)
{
	for (size_t i = 0; i < report->plan_count; i++) {
		sum->counts[report->plan[i].op]++;
		sum->bytes[report->plan[i].op] += report->plan[i].size_bytes;
	}
}

void cli_plan_sum_add(struct cli_plan_sum *sum, const struct cli_plan_sum *other)
{
	for (size_t i = 0; i < CLI_PLAN_OPS; i++) {
		sum->counts[i] += other->counts[i];
		sum->bytes[i] += other->bytes[i];
	}
}

bool cli_plan_is_empty(const struct cli_plan_sum *sum)
{
	for (size_t i = 0; i < CLI_PLAN_OPS; i++) {
		if (sum->counts[i] > 0) {
			return false;
		}
	}
	return true;
}

void cli_plan_summary(struct buf *out, const char *whom, const struct cli_plan_sum *sum)
{
	const char *joint = "would ";

	buf_printf(out, "mailsync: %s: %s", whom, cli_plan_is_empty(sum) ? "nothing to do" : "");
	for (size_t i = 0; i < CLI_PLAN_OPS; i++) {
		if (sum->counts[i] > 0) {
			buf_append_cstr(out, joint);
			print_many(out, (enum report_op)i, sum->counts[i], sum->bytes[i]);
			joint = "; ";
		}
	}
	buf_append_char(out, '\n');
}
