/* One mailbox's messages: its plan is made when its turn comes, and concluded when it is done. */
#include "plan.h"

#include <stdlib.h>
#include <string.h>

#include "mailsync/base/clock.h"

#include "guard/guard.h"
#include "rules/effect.h"

bool mailbox_is_idle(const struct run *run, const struct mailbox *mailbox)
{
	const struct idle_facts facts = {
		.is_active = mailbox_is_active(mailbox),
		.in_base = mailbox->in_base,
		.has_intents = mailbox->open.has_intents,
		.was_left = mailbox->base.held_policy == run->policy.hash,
		.pending = mailbox->base.pending,
		.expunge = run->policy.messages.expunge,
	};
	return message_is_idle(&facts);
}

static bool is_of_intent(const struct intents *intents, const struct row *row)
{
	for (size_t i = 0; i < intents->count; i++) {
		const struct intent *intent = &intents->items[i];
		if (intent->row == row->id && intent->kind != INTENT_TRASHED &&
		    intent->kind != INTENT_MOVED) {
			return true;
		}
	}
	return false;
}

static void drop_rows(struct job *job)
{
	const struct run *run = job->run;
	struct row_list *rows = &job->rows;
	size_t kept = 0;
	for (size_t i = 0; i < rows->count; i++) {
		struct row *row = &rows->items[i];
		const struct left_out_facts facts = {
			.is_later_round = run->round > 0,
			.is_moving = run->seen.is_moving,
			.is_of_move = move_has_row(&run->plan->moves, row->id),
			.has_intent = is_of_intent(&job->intents, row),
			.is_not_wanted = run_leaves(run, row),
		};
		if (message_is_left_out(row, &facts)) {
			/* The next run has to look at it, though nothing fails now. */
			job->failures += row->reason == REASON_FAILED;
			row_finish(row);
		} else {
			rows->items[kept++] = *row;
		}
	}
	rows->count = kept;
}

static int compare_ids(const void *x, const void *y)
{
	int64_t one = *(const int64_t *)x;
	int64_t two = *(const int64_t *)y;
	return (one > two) - (one < two);
}

/* R26 */
static int gather_moved(struct job *job, struct err *err)
{
	const struct intents *intents = &job->intents;
	size_t count = 0;
	job->moved = intents->count == 0 ? NULL : calloc(intents->count, sizeof(*job->moved));
	if (intents->count > 0 && job->moved == NULL) {
		return err_nomem(err);
	}
	for (size_t i = 0; i < intents->count; i++) {
		if (intents->items[i].kind == INTENT_MOVED) {
			job->moved[count++] = intents->items[i].row;
		}
	}
	if (count > 1) {
		qsort(job->moved, count, sizeof(*job->moved), compare_ids);
	}
	job->facts.moved = job->moved;
	job->facts.moved_count = count;
	return 0;
}

/* R32. The rows are in the order of their ids. */
static int gather_suspects(struct job *job, struct err *err)
{
	struct run *run = job->run;
	const struct row_list *rows = &job->rows;
	size_t count = 0;
	free(job->suspects); /* of the slice before */
	job->suspects = NULL;
	job->facts.suspects = NULL;
	job->facts.suspect_count = 0;
	if (!suspects_are_any(run) || rows->count == 0) {
		return 0;
	}
	job->suspects = calloc(rows->count, sizeof(*job->suspects));
	if (job->suspects == NULL) {
		return err_nomem(err);
	}
	for (size_t i = 0; i < rows->count; i++) {
		int64_t id = rows->items[i].id;
		enum suspect_place place =
			suspects_place(run, SUSPECT_MESSAGE, job->mailbox->name, id);
		if (place != SUSPECT_GOES) {
			job->suspects[count++] = (struct suspect_row){id, place == SUSPECT_IS_LEFT};
		}
	}
	job->facts.suspects = job->suspects;
	job->facts.suspect_count = count;
	return 0;
}

/* The server's trash, or its junk: by its special use, or as the account names it. */
static bool mailbox_is_waste(const struct run *run, const struct mailbox *mailbox)
{
	const char *trash = run->account->trash;
	return (run_uses_of(run, mailbox->name) & (REMOTE_TRASH | REMOTE_JUNK)) != 0 ||
	       (trash != NULL && strcmp(mailbox->name, trash) == 0);
}

static int gather_facts(struct job *job, struct err *err)
{
	struct run *run = job->run;
	struct mailbox *mailbox = job->mailbox;
	const struct state_mailbox *base = &mailbox->base;
	/* A server that has not said what it keeps is taken to keep all. */
	bool is_told = base->has_permanent;
	int code;
	job->facts = (struct plan_facts){
		.permanent_flags = is_told ? base->permanent_flags : FLAGS_SYSTEM,
		.permanent_any = !is_told || base->permanent_any,
		.keeps_keywords = run->account->keywords != KEYWORDS_YES,
		.is_read_only = mailbox->seen.is_read_only,
		.has_unreadable = run->seen.has_unreadable,
		.braked = mailbox->decided.braked,
		.releases_held = run->policy.releases_held,
		.is_waste = mailbox_is_waste(run, mailbox),
	};
	if (!run->account->keywords || base->keywords.count == 0 ||
	    !(mailbox->seen.in & SIDE_LOCAL)) {
		return 0;
	}
	if ((code = mailbox_open_dir(run, mailbox, err)) < 0) {
		return code;
	}
	job_ask_names(job);
	return maildir_folder_keyword_mask(mailbox->dir, &base->keywords,
					   &job->facts.local_keywords, err);
}

int job_replan(struct job *job, struct err *err)
{
	message_plan_finish(&job->plan);
	job->facts.braked = job->mailbox->decided.braked;
	return message_plan_make(job->rows.items, job->rows.count, &job->run->policy.messages,
				 &job->facts, &job->plan, err);
}

static int plan_slice(struct job *job, struct err *err)
{
	row_list_finish(&job->rows);
	int code = state_rows_pending(job->run->session->state, job->mailbox->base.id, &job->slice,
				      &job->rows, err);
	if (code < 0) {
		return code;
	}
	drop_rows(job);
	if ((code = gather_suspects(job, err)) < 0) {
		return code;
	}
	code = job_set_aside(job, err);
	return code < 0 ? code : job_replan(job, err);
}

int job_plan(struct job *job, struct run *run, struct mailbox *mailbox, int64_t after,
	     struct err *err)
{
	struct state *state = run->session->state;
	int code;
	*job = (struct job){.run = run, .mailbox = mailbox};
	job->slice.deleted_too = run->policy.messages.expunge != SIDE_NONE;
	job->slice.most = run->options->slice_rows;
	job->slice.after = after;
	row_list_init(&job->rows);
	if ((code = state_intents_load(state, mailbox->base.id, &job->intents, err)) < 0 ||
	    (code = gather_facts(job, err)) < 0 || (code = gather_moved(job, err)) < 0 ||
	    (code = plan_slice(job, err)) < 0) {
		return code;
	}
	job->is_part = after != 0 || !job->slice.is_last;
	return 0;
}

int job_plan_next(struct job *job, bool *is_there, struct err *err)
{
	*is_there = !job->slice.is_last;
	if (job->slice.is_last) {
		return 0;
	}
	plan_sum_add(&job->before, &job->plan, job->rows.items);
	return plan_slice(job, err);
}

static void sum_slice(const struct job *job, struct job_sum *sum)
{
	plan_sum_add(&sum->plan, &job->plan, job->rows.items);
	sum->has_news |= job_has_news(job);
}

int job_plan_all(const struct job *job, struct job_sum *sum, struct err *err)
{
	struct job rest = *job;
	int code = 0;
	*sum = (struct job_sum){.has_news = false};
	sum_slice(job, sum);
	row_list_init(&rest.rows);
	rest.plan = (struct message_plan){0};
	rest.aside = NULL;
	rest.suspects = NULL;
	rest.refused = (struct refusals){0};
	while (code == 0 && !rest.slice.is_last) {
		if ((code = plan_slice(&rest, err)) == 0) {
			sum_slice(&rest, sum);
		}
	}
	message_plan_finish(&rest.plan);
	free(rest.aside);
	free(rest.suspects);
	refusals_finish(&rest.refused);
	row_list_finish(&rest.rows);
	return code;
}

size_t job_skipped(const struct job *job)
{
	return job->before.skipped + job->plan.skipped;
}

void job_finish(struct job *job)
{
	if (job->has_scan) {
		maildir_scan_finish(&job->scan);
	}
	message_plan_finish(&job->plan);
	state_intents_finish(&job->intents);
	free(job->moved);
	free(job->aside);
	free(job->suspects);
	refusals_finish(&job->refused);
	row_list_finish(&job->rows);
	mailbox_release(job->mailbox);
}

bool job_is_retry(const struct job *job)
{
	return message_plan_is_retry(&job->plan, job->rows.items);
}

int job_claim(struct job *job, struct err *err)
{
	return job_is_retry(job) ? 0 : run_claim(job->run, err);
}

int job_prepare(struct job *job, struct err *err)
{
	int code = job_claim(job, err);
	return code < 0 ? code : mailbox_open_dir(job->run, job->mailbox, err);
}

struct op *job_next(const struct job *job, enum op_kind kind, size_t *at)
{
	while (*at < job->plan.count) {
		struct op *op = &job->plan.ops[(*at)++];
		if (op->kind == kind) {
			return op;
		}
	}
	return NULL;
}

struct row *job_row(const struct job *job, const struct op *op)
{
	return &job->rows.items[op->row];
}

int job_take_news(struct job *job, struct err *err)
{
	struct row now;
	int code = 0;
	for (size_t i = 0; code == 0 && i < job->rows.count; i++) {
		struct row *row = &job->rows.items[i];
		bool found = false;
		row_init(&now);
		code = state_row_by_id(job->run->session->state, row->id, &now, &found, err);
		if (code == 0 && found && now.uid == row->uid) {
			row->remote = now.remote;
			row->remote_flags = now.remote_flags;
		} else if (code == 0 && !found) {
			row->remote = MESSAGE_ABSENT; /* void: storing it must not bring it back */
		}
		row_finish(&now);
	}
	return code;
}

int job_commit(struct job *job, struct err *err)
{
	struct state *state = job->run->session->state;
	int code = state_begin(state, err);
	for (size_t i = 0; code == 0 && i < job->plan.count; i++) {
		struct op *op = &job->plan.ops[i];
		if (op->is_done) {
			op->is_done = false;
			code = state_row_put(state, job_row(job, op), err);
		}
	}
	if (code == 0) {
		code = brake_note_deleted(job->run, job->mailbox->base.id, SIDE_LOCAL,
					  job->deleted_here, err);
	}
	job->deleted_here = 0;
	return state_end(state, code, err);
}

static bool is_news(const struct job *job, const struct op *op)
{
	const struct row *row = job_row(job, op);
	return row->reason != op->reason || row->held != op->held;
}

bool job_has_news(const struct job *job)
{
	const struct op *op;
	bool has_news = false;
	for (size_t at = 0; !has_news && (op = job_next(job, OP_HOLD, &at)) != NULL;) {
		has_news = is_news(job, op);
	}
	return has_news;
}

int job_note_holds(struct job *job, struct err *err)
{
	const struct op *op;
	int code = 0;
	for (size_t at = 0; code == 0 && (op = job_next(job, OP_HOLD, &at)) != NULL;) {
		struct row *row = job_row(job, op);
		if (is_news(job, op)) {
			effect_held(row, op->reason);
			effect_braked(row, op->held, clock_real_s());
			code = state_row_put(job->run->session->state, row, err);
		}
	}
	return code;
}

int job_select(struct job *job, bool is_writable, struct err *err)
{
	struct mailbox *mailbox = job->mailbox;
	struct remote_opened opened = {0};
	int code = remote_open(job->remote, mailbox->wire, is_writable ? REMOTE_WRITE : REMOTE_READ,
			       mailbox->base.numbers.uidvalidity, &opened, err);
	mailbox->seen.is_read_only |= code < 0 && opened.is_read_only;
	if (code == 0 && !mailbox->base.numbers.uidvalidity.is_told &&
	    opened.numbers.uidvalidity.is_told) {
		code = err_set(err, ERR_TEMPORARY, SCOPE_MAILBOX,
			       "this mailbox was not looked at yet; the next run pairs it");
	}
	remote_opened_finish(&opened);
	return code;
}

int job_message_failed(struct job *job, struct row *row, const struct err *err)
{
	struct err ignored; /* the message is told of; the next run tries it either way */
	if (run_is_fatal(err)) {
		return -(int)err->code;
	}
	job->failures++;
	effect_held(row, REASON_FAILED);
	run_report_error(job->run, job->mailbox, row->uid, err);
	return state_row_put(job->run->session->state, row, &ignored);
}

/* True when every row left pending was left so by policy alone (HOLDS_OTHERS: in the plan, not all
 * are): this very policy need not look again. Rows seen since the plan was made, and those of an
 * open move, are not in it. */
static bool only_policy_holds(const struct job *job, bool holds_others)
{
	const struct mailbox *mailbox = job->mailbox;
	return job->failures == 0 && !mailbox->open.has_intents && !mailbox->open.has_new_rows &&
	       !move_is_open(&job->run->plan->moves, mailbox) && !holds_others;
}

bool job_changes_nothing(const struct job *job)
{
	const struct mailbox *mailbox = job->mailbox;
	return mailbox->decided.shape == PLAN_IDLE && !job->all.has_news &&
	       mailbox->base.synced_at != 0 && mailbox->base.held_policy == 0 &&
	       !only_policy_holds(job, job->all.plan.holds_others);
}

int job_conclude(struct job *job, struct err *err)
{
	struct run *run = job->run;
	struct mailbox *mailbox = job->mailbox;
	struct state *state = run->session->state;
	int code;
	bool holds_others = job->before.holds_others || !message_plan_holds_by_policy(&job->plan);
	mailbox->base.held_policy = only_policy_holds(job, holds_others) ? run->policy.hash : 0;
	mailbox->base.synced_at = clock_real_s();
	if ((code = state_begin(state, err)) == 0 && (code = job_note_holds(job, err)) == 0 &&
	    (code = mailbox_store(run, mailbox, err)) == 0 &&
	    (code = state_mailbox_count(state, &mailbox->base, err)) == 0) {
		mailbox->done.counts.skipped = job_skipped(job);
	}
	return state_end(state, code, err);
}
