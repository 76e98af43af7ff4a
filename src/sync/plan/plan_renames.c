/* Which mailboxes are to be renamed, and on which side. */
#include <stdlib.h>
#include <string.h>

#include "mailsync/base/array.h"

#include "observe/observe.h"
#include "plan.h"

/* What the planning of renames goes by. */
struct planning {
	struct run *run;
	struct rename_ops *ops; /* the run's */
	struct rename_pairs pairs;
	struct remote_mailboxes listed; /* on the server, once one may have to be renamed there */
};

void rename_ops_finish(struct rename_ops *ops)
{
	for (size_t i = 0; i < ops->count; i++) {
		struct rename_op *op = &ops->items[i];
		free(op->from);
		free(op->to);
		free(op->wire);
		strlist_finish(&op->strays);
	}
	free(ops->items);
	*ops = (struct rename_ops){0};
}

/* What follows PARENT in NAME, from the separator on; NULL when it is no child. */
static const char *below(const char *name, const char *parent, char separator)
{
	size_t len = strlen(parent);
	return strncmp(name, parent, len) == 0 && name[len] == separator ? name + len : NULL;
}

bool rename_op_goes_along(const struct rename_op *child, const struct rename_op *parent)
{
	const char *rest = below(child->from, parent->from, '/');
	const char *rest_to = below(child->to, parent->to, '/');
	return child->side == parent->side && rest != NULL && rest_to != NULL &&
	       strcmp(rest, rest_to) == 0;
}

/* Any mailbox of the server has this name. */
static bool is_listed(const struct planning *planning, const char *wire)
{
	for (size_t i = 0; i < planning->listed.count; i++) {
		if (strcmp(planning->listed.items[i].wire, wire) == 0) {
			return true;
		}
	}
	return false;
}

static int list_server(struct planning *planning, struct err *err)
{
	const struct run *run = planning->run;
	enum side sides = SIDE_NONE;
	for (size_t i = 0; i < planning->pairs.count; i++) {
		sides |= planning->pairs.items[i].side;
	}
	return (sides & run->policy.mailboxes.create & SIDE_REMOTE) != 0
		     ? remote_list(run->session->remote, false, &planning->listed, err)
		     : 0;
}

int plan_wire_name(const struct run *run, const char *name, char **wire, struct err *err)
{
	struct buf text;
	buf_init(&text, MBNAME_MAX);
	int code = mbname_to_wire(&run->session->wire, name, &text, err);
	if (code == 0 && (*wire = buf_steal(&text)) == NULL) {
		code = err_nomem(err);
	}
	buf_finish(&text);
	return code;
}

/* One that is renamed, now or (KIND) later. */
static bool has_parent(const struct planning *planning, const struct rename_op *op,
		       enum rename_kind kind)
{
	for (size_t i = 0; i < planning->ops->count; i++) {
		const struct rename_op *parent = &planning->ops->items[i];
		if (parent->kind == kind && rename_op_goes_along(op, parent)) {
			return true;
		}
	}
	return false;
}

/* MAILBOX is to be renamed itself on SIDE. */
static bool is_leaving(const struct planning *planning, const struct mailbox *mailbox,
		       enum side side)
{
	for (size_t i = 0; i < planning->pairs.count; i++) {
		const struct rename_pair *pair = &planning->pairs.items[i];
		if (pair->side == side && pair->from == mailbox) {
			return true;
		}
	}
	return false;
}

/* Where PAIR is still to be renamed, another one has its new name, which base knows by that. */
static bool is_occupied(const struct planning *planning, const struct rename_pair *pair,
			const char *wire)
{
	if (pair->side == SIDE_LOCAL) {
		return (pair->to->seen.in & SIDE_LOCAL) != 0;
	}
	return wire != NULL && (pair->to->seen.replaced & SIDE_LOCAL) && is_listed(planning, wire);
}

/* M56 */
static void tell_occupied(struct run *run, const struct rename_op *op)
{
	struct err why;
	if (op->side == SIDE_LOCAL) {
		err_set(&why, ERR_PARTIAL, SCOPE_MAILBOX,
			"on the server %s is now named %s, and what had that name is not there any "
			"more; its folder is in the way: rename or remove the folder %s here",
			op->from, op->to, op->to);
	} else {
		err_set(&why, ERR_PARTIAL, SCOPE_MAILBOX,
			"here %s is now named %s, and what had that name is not here any more, but "
			"on the server: rename or remove the mailbox %s there",
			op->from, op->to, op->to);
	}
	run_report_error(run, run_mailbox(run, op->to), 0, &why);
}

/* Takes OP's wire name over, and a copy of the others. */
static int op_add(struct rename_ops *ops, const struct rename_op *op, struct err *err)
{
	if (ARRAY_RESERVE(&ops->items, ops->count + 1, &ops->cap, err) < 0) {
		free(op->wire);
		return -ERR_NOMEM;
	}
	struct rename_op *added = &ops->items[ops->count++];
	*added = *op;
	added->from = span_dup(span_of(op->from));
	added->to = span_dup(span_of(op->to));
	strlist_init(&added->strays);
	return added->from == NULL || added->to == NULL ? err_nomem(err) : 0;
}

static int plan_pair(struct planning *planning, const struct rename_pair *pair, struct err *err)
{
	struct run *run = planning->run;
	struct rename_op op = {.from = pair->from->name, .to = pair->to->name, .side = pair->side};
	bool is_remote = pair->side == SIDE_REMOTE;
	int code = is_remote ? plan_wire_name(run, op.to, &op.wire, err) : 0;
	if (code < 0 && run_is_fatal(err)) {
		return code;
	}
	bool is_taken = is_occupied(planning, pair, op.wire);
	const struct rename_facts facts = {
		.side = pair->side,
		.is_along = has_parent(planning, &op, RENAME_ITSELF),
		.is_along_later = has_parent(planning, &op, RENAME_LATER),
		.is_untold = pair->from->seen.untold != SIDE_NONE,
		.is_below = below(op.to, op.from, '/') != NULL,
		.is_left_out = pair->from->decided.exclusion != EXCLUDED_NOT ||
			       pair->to->decided.exclusion != EXCLUDED_NOT,
		.is_unavailable = is_remote &&
				  (op.wire == NULL || (!is_taken && is_listed(planning, op.wire))),
		.is_occupied = is_taken,
		.is_leaving = is_leaving(planning, pair->to, pair->side),
	};
	op.kind = rename_decide(&facts, &run->policy.mailboxes);
	if (op.kind == RENAME_WAITS && facts.is_occupied && !facts.is_leaving) {
		tell_occupied(run, &op);
	} else if (op.kind == RENAME_WAITS) {
		log_line(run->log, LOG_INFO,
			 "%s/%s: renamed to %s; this run may not do that %s and leaves both alone",
			 run->account->name, op.from, op.to, side_text(pair->side));
	}
	if (op.kind == RENAME_NOT) {
		free(op.wire);
		return 0;
	}
	return op_add(planning->ops, &op, err);
}

/* Whether the mailbox that FROM, its name or wire name, stands for goes along with PARENT. */
static bool goes_along(const struct planning *planning, const char *from, bool is_wire,
		       const struct rename_op *parent)
{
	for (size_t i = 0; i < planning->ops->count; i++) {
		const struct rename_op *op = &planning->ops->items[i];
		const char *own = is_wire ? run_mailbox(planning->run, op->from)->wire : op->from;
		if (own != NULL && strcmp(own, from) == 0 && rename_op_goes_along(op, parent)) {
			return true;
		}
	}
	return false;
}

static int find_strays_there(const struct planning *planning, struct rename_op *op, struct err *err)
{
	const char *wire = run_mailbox(planning->run, op->from)->wire;
	int code = 0;
	for (size_t i = 0; code == 0 && i < planning->listed.count; i++) {
		const struct remote_mailbox *mailbox = &planning->listed.items[i];
		const char *rest =
			below(mailbox->wire, wire, planning->run->session->wire.separator);
		if (rest != NULL && (mailbox->attributes & REMOTE_NOSELECT) == 0 &&
		    !goes_along(planning, mailbox->wire, true, op)) {
			code = strlist_add(&op->strays, span_of(rest), err);
		}
	}
	return code;
}

/* Those that the server still has under the old name. */
static int find_strays_here(const struct planning *planning, struct rename_op *op, struct err *err)
{
	const struct mailboxes *mailboxes = &planning->run->mailboxes;
	int code = 0;
	for (size_t i = 0; code == 0 && i < mailboxes->count; i++) {
		const struct mailbox *mailbox = &mailboxes->items[i];
		const char *rest = below(mailbox->name, op->from, '/');
		if (rest != NULL && mailbox->seen.in == SIDE_BOTH &&
		    !goes_along(planning, mailbox->name, false, op)) {
			code = strlist_add(&op->strays, span_of(rest), err);
		}
	}
	return code;
}

int plan_renames(struct run *run, struct err *err)
{
	struct planning planning = {.run = run, .ops = &run->plan->renames};
	int code;
	rename_ops_finish(planning.ops);
	if ((code = rename_find(run, &planning.pairs, err)) == 0) {
		code = list_server(&planning, err);
	}
	for (size_t i = 0; code == 0 && i < planning.pairs.count; i++) {
		code = plan_pair(&planning, &planning.pairs.items[i], err);
	}
	for (size_t i = 0; code == 0 && i < planning.ops->count; i++) {
		struct rename_op *op = &planning.ops->items[i];
		if (op->kind == RENAME_ITSELF || op->kind == RENAME_ALONG) {
			code = op->side == SIDE_REMOTE ? find_strays_there(&planning, op, err)
						       : find_strays_here(&planning, op, err);
		}
	}
	remote_mailboxes_finish(&planning.listed);
	rename_pairs_finish(&planning.pairs);
	return code;
}

bool rename_ops_wait(const struct rename_ops *ops)
{
	bool is_any = false;
	for (size_t i = 0; i < ops->count; i++) {
		is_any |= ops->items[i].kind == RENAME_LATER;
	}
	return is_any;
}

/* The one that waits under the name FROM. */
static const struct rename_op *op_from(const struct rename_ops *ops, const char *from)
{
	for (size_t i = 0; i < ops->count; i++) {
		if (ops->items[i].kind == RENAME_LATER && strcmp(ops->items[i].from, from) == 0) {
			return &ops->items[i];
		}
	}
	return NULL;
}

/* The first of those that wait for each other; NULL: there is no circle. */
static struct rename_op *find_circle(const struct rename_ops *ops)
{
	for (size_t i = 0; i < ops->count; i++) {
		struct rename_op *first = &ops->items[i];
		const struct rename_op *op = op_from(ops, first->from);
		for (size_t steps = 0; op != NULL && steps < ops->count; steps++) {
			op = op_from(ops, op->to);
			if (op == first) {
				return first;
			}
		}
	}
	return NULL;
}

/* FROM's folder as it is to be called, and so REST below it, which goes along. */
static int add_aside(struct run *run, struct rename_ops *ops, const char *from, const char *rest,
		     const char *aside, struct err *err)
{
	struct rename_op op = {.kind = rest[0] == '\0' ? RENAME_ITSELF : RENAME_ALONG,
			       .side = SIDE_LOCAL};
	struct buf old, new;
	buf_init(&old, 2 * MBNAME_MAX);
	buf_init(&new, 2 * MBNAME_MAX);
	buf_printf(&old, "%s%s", from, rest);
	buf_printf(&new, "%s%s", aside, rest);
	int code = buf_status(&old, "a mailbox name", err);
	code = code < 0 ? code : buf_status(&new, "a mailbox name", err);
	if (code == 0 && run_mailbox_add(run, new.data, err) == NULL) {
		code = -ERR_NOMEM;
	}
	if (code == 0) {
		op.from = old.data;
		op.to = new.data;
		code = op_add(ops, &op, err);
	}
	buf_finish(&new);
	buf_finish(&old);
	return code;
}

int plan_aside(struct run *run, bool *is_due, struct err *err)
{
	struct rename_op *first = find_circle(&run->plan->renames);
	struct rename_ops ops = {0};
	char aside[MAILBOX_ASIDE_SIZE];
	*is_due = first != NULL && first->side == SIDE_LOCAL;
	if (!*is_due) {
		return 0;
	}
	mailbox_name_aside(run_mailbox(run, first->from), aside);
	int code = add_aside(run, &ops, first->from, "", aside, err);
	for (size_t i = 0; code == 0 && i < run->mailboxes.count; i++) {
		const struct mailbox *mailbox = &run->mailboxes.items[i];
		const char *rest = below(mailbox->name, first->from, '/');
		if (rest != NULL && mailbox->in_base && (mailbox->seen.in & SIDE_LOCAL)) {
			code = add_aside(run, &ops, first->from, rest, aside, err);
		}
	}
	rename_ops_finish(&run->plan->renames);
	run->plan->renames = ops;
	return code;
}
