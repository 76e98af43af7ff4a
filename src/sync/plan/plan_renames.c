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

static bool has_parent(const struct planning *planning, const struct rename_op *op)
{
	for (size_t i = 0; i < planning->ops->count; i++) {
		const struct rename_op *parent = &planning->ops->items[i];
		if (parent->kind == RENAME_ITSELF && rename_op_goes_along(op, parent)) {
			return true;
		}
	}
	return false;
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
	const struct run *run = planning->run;
	struct rename_op op = {.from = pair->from->name, .to = pair->to->name, .side = pair->side};
	bool is_remote = pair->side == SIDE_REMOTE;
	int code = is_remote ? plan_wire_name(run, op.to, &op.wire, err) : 0;
	if (code < 0 && run_is_fatal(err)) {
		return code;
	}
	const struct rename_facts facts = {
		.side = pair->side,
		.is_along = has_parent(planning, &op),
		.is_untold = pair->from->seen.untold != SIDE_NONE,
		.is_below = below(op.to, op.from, '/') != NULL,
		.is_left_out = pair->from->decided.exclusion != EXCLUDED_NOT ||
			       pair->to->decided.exclusion != EXCLUDED_NOT,
		.is_unavailable = is_remote && (op.wire == NULL || is_listed(planning, op.wire)),
	};
	op.kind = rename_decide(&facts, &run->policy.mailboxes);
	if (op.kind == RENAME_WAITS) {
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
	if ((code = rename_find(run, &planning.pairs, err)) == 0) {
		code = list_server(&planning, err);
	}
	for (size_t i = 0; code == 0 && i < planning.pairs.count; i++) {
		code = plan_pair(&planning, &planning.pairs.items[i], err);
	}
	for (size_t i = 0; code == 0 && i < planning.ops->count; i++) {
		struct rename_op *op = &planning.ops->items[i];
		if (op->kind != RENAME_WAITS) {
			code = op->side == SIDE_REMOTE ? find_strays_there(&planning, op, err)
						       : find_strays_here(&planning, op, err);
		}
	}
	remote_mailboxes_finish(&planning.listed);
	rename_pairs_finish(&planning.pairs);
	return code;
}
