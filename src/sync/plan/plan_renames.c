#include <stdlib.h>
#include <string.h>

#include "mailsync/base/array.h"

#include "observe/observe.h"
#include "plan.h"

void rename_ops_finish(struct rename_ops *ops)
{
	for (size_t i = 0; i < ops->count; i++) {
		free(ops->items[i].from);
		free(ops->items[i].to);
		free(ops->items[i].wire);
		strlist_finish(&ops->items[i].strays);
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

/* Whether renaming PARENT renames the mailbox CHILD to CHILD_TO. */
static bool moves_along(const char *child, const char *child_to, const char *parent,
			const char *parent_to)
{
	const char *rest = below(child, parent, '/');
	const char *rest_to = below(child_to, parent_to, '/');
	return rest != NULL && rest_to != NULL && strcmp(rest, rest_to) == 0;
}

bool rename_op_goes_along(const struct rename_op *child, const struct rename_op *parent)
{
	return child != parent && child->side == parent->side &&
	       moves_along(child->from, child->to, parent->from, parent->to);
}

/* What the planning of renames goes by. */
struct planning {
	struct run *run;
	struct rename_pairs pairs;
	struct remote_mailboxes listed; /* on the server, once one may have to be renamed there */
};

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
	bool is_asked = false;
	for (size_t i = 0; i < planning->pairs.count; i++) {
		is_asked |= (planning->pairs.items[i].side & run->policy.mailboxes.create &
			     SIDE_REMOTE) != 0;
	}
	return is_asked ? remote_list(run->session->remote, false, &planning->listed, err) : 0;
}

/* The wire name of what PAIR becomes on the server; *IS_POSSIBLE false: there can be none. */
static int name_there(const struct planning *planning, const struct rename_pair *pair, char **wire,
		      struct err *err)
{
	struct buf name;
	buf_init(&name, MBNAME_MAX);
	int code = mbname_to_wire(&planning->run->session->wire, pair->to->name, &name, err);
	if (code == 0) {
		*wire = buf_steal(&name);
		code = *wire == NULL ? err_nomem(err) : 0;
	} else if (!run_is_fatal(err)) {
		code = 0;
	}
	buf_finish(&name);
	return code;
}

static bool has_parent(const struct planning *planning, const struct rename_pair *pair)
{
	const struct rename_ops *ops = &planning->run->plan->renames;
	for (size_t i = 0; i < ops->count; i++) {
		const struct rename_op *op = &ops->items[i];
		if (op->kind == RENAME_ITSELF && op->side == pair->side &&
		    moves_along(pair->from->name, pair->to->name, op->from, op->to)) {
			return true;
		}
	}
	return false;
}

/* Whether the mailbox NAMED so is a pair of its own that goes along with PARENT. */
static bool goes_along(const struct planning *planning, const char *name, bool is_wire,
		       const struct rename_pair *parent)
{
	for (size_t i = 0; i < planning->pairs.count; i++) {
		const struct rename_pair *child = &planning->pairs.items[i];
		const char *own = is_wire ? child->from->seen.wire : child->from->name;
		if (own != NULL && strcmp(own, name) == 0 && child->side == parent->side &&
		    moves_along(child->from->name, child->to->name, parent->from->name,
				parent->to->name)) {
			return true;
		}
	}
	return false;
}

static int find_strays_there(const struct planning *planning, const struct rename_pair *pair,
			     struct strlist *strays, struct err *err)
{
	char separator = planning->run->session->wire.separator;
	int code = 0;
	for (size_t i = 0; code == 0 && i < planning->listed.count; i++) {
		const struct remote_mailbox *mailbox = &planning->listed.items[i];
		const char *rest = below(mailbox->wire, pair->from->seen.wire, separator);
		if (rest != NULL && (mailbox->attributes & REMOTE_NOSELECT) == 0 &&
		    !goes_along(planning, mailbox->wire, true, pair)) {
			code = strlist_add(strays, span_of(rest), err);
		}
	}
	return code;
}

/* Those that the server still has under the old name. */
static int find_strays_here(const struct planning *planning, const struct rename_pair *pair,
			    struct strlist *strays, struct err *err)
{
	const struct mailboxes *mailboxes = &planning->run->mailboxes;
	int code = 0;
	for (size_t i = 0; code == 0 && i < mailboxes->count; i++) {
		const struct mailbox *mailbox = &mailboxes->items[i];
		const char *rest = below(mailbox->name, pair->from->name, '/');
		if (rest != NULL && mailbox->seen.in_local && mailbox->seen.in_remote &&
		    !goes_along(planning, mailbox->name, false, pair)) {
			code = strlist_add(strays, span_of(rest), err);
		}
	}
	return code;
}

static void say_waits(const struct run *run, const struct rename_pair *pair)
{
	log_line(run->log, LOG_INFO,
		 "%s/%s: renamed to %s; this run may not do that %s and leaves both alone",
		 run->account->name, pair->from->name, pair->to->name,
		 pair->side == SIDE_REMOTE ? "on the server" : "in the Maildir");
}

/* Takes WIRE over. */
static int op_add(struct planning *planning, const struct rename_pair *pair, enum rename_kind kind,
		  char *wire, struct err *err)
{
	struct rename_ops *ops = &planning->run->plan->renames;
	if (ARRAY_RESERVE(&ops->items, ops->count + 1, &ops->cap, err) < 0) {
		free(wire);
		return -ERR_NOMEM;
	}
	struct rename_op *op = &ops->items[ops->count++];
	*op = (struct rename_op){
		.kind = kind,
		.from = span_dup(span_of(pair->from->name)),
		.to = span_dup(span_of(pair->to->name)),
		.side = pair->side,
		.wire = wire,
	};
	strlist_init(&op->strays);
	if (op->from == NULL || op->to == NULL) {
		return err_nomem(err);
	}
	if (kind == RENAME_WAITS) {
		return 0;
	}
	return pair->side == SIDE_REMOTE ? find_strays_there(planning, pair, &op->strays, err)
					 : find_strays_here(planning, pair, &op->strays, err);
}

static int plan_pair(struct planning *planning, const struct rename_pair *pair, struct err *err)
{
	const struct run *run = planning->run;
	bool is_remote = pair->side == SIDE_REMOTE;
	char *wire = NULL;
	int code = is_remote ? name_there(planning, pair, &wire, err) : 0;
	if (code < 0) {
		return code;
	}
	const struct rename_facts facts = {
		.side = pair->side,
		.is_along = has_parent(planning, pair),
		.is_below = below(pair->to->name, pair->from->name, '/') != NULL,
		.is_left_out = pair->from->decided.exclusion != EXCLUDED_NOT ||
			       pair->to->decided.exclusion != EXCLUDED_NOT,
		.is_unavailable = is_remote && (wire == NULL || is_listed(planning, wire)),
	};
	enum rename_kind kind = rename_decide(&facts, &run->policy.mailboxes);
	if (kind == RENAME_WAITS) {
		say_waits(run, pair);
	}
	if (kind == RENAME_NOT) {
		free(wire);
		return 0;
	}
	return op_add(planning, pair, kind, wire, err);
}

int plan_renames(struct run *run, struct err *err)
{
	struct planning planning = {.run = run};
	int code;
	if ((code = rename_find(run, &planning.pairs, err)) < 0 ||
	    (code = list_server(&planning, err)) < 0) {
		goto finish;
	}
	for (size_t i = 0; code == 0 && i < planning.pairs.count; i++) {
		code = plan_pair(&planning, &planning.pairs.items[i], err);
	}
finish:
	remote_mailboxes_finish(&planning.listed);
	rename_pairs_finish(&planning.pairs);
	return code;
}
