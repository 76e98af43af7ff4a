/* What the brake says: what it holds, and both ways on as commands. */
#include "plan.h"

#include "mailsync/base/shell.h"

#define ACCOUNT_MAX 256

/* MAILBOX, or the account (NULL), as the command line names it. */
static void append_target(struct buf *out, const struct run *run, const struct mailbox *mailbox)
{
	struct buf target;
	buf_init(&target, ACCOUNT_MAX + MBNAME_MAX);
	buf_append_cstr(&target, run->account->name);
	if (mailbox != NULL) {
		buf_printf(&target, "/%s", mailbox->name);
	}
	shell_append_word(out, target.data);
	buf_finish(&target);
}

/* WHAT the brake holds, of HELD messages, and the ways on. */
static void tell(struct run *run, const struct mailbox *mailbox, uint64_t held, const char *what)
{
	struct buf target;
	struct err err;
	buf_init(&target, 4 * (ACCOUNT_MAX + MBNAME_MAX));
	append_target(&target, run, mailbox);
	err_set(&err, ERR_BRAKE, mailbox == NULL ? SCOPE_ACCOUNT : SCOPE_MAILBOX,
		"%s. If it is right: mailsync --allow-mass-delete %s; if it is not: mailsync "
		"--bring-back %s",
		what, target.data, target.data);
	run_report_held(run, mailbox, held, &err);
	buf_finish(&target);
}

void brake_tell_over(struct run *run, const struct mailbox *mailbox,
		     const struct brake_count *count, enum side side)
{
	bool is_local = side == SIDE_LOCAL;
	uint64_t recent = is_local ? count->recent_local : count->recent_remote;
	uint64_t deletes = is_local ? count->local : count->remote;
	char lately[64] = "";
	char what[256];
	if (recent > 0) {
		snprintf(lately, sizeof(lately), ", after %llu in the last minute",
			 (unsigned long long)recent);
	}
	snprintf(what, sizeof(what),
		 "%llu of %llu messages would be deleted %s%s; that is over max_delete (%u%%), so "
		 "none of them was",
		 (unsigned long long)deletes, (unsigned long long)(count->agreed + recent),
		 side_text(side), lately, run->account->max_delete_percent);
	tell(run, mailbox, deletes, what);
}

static void tell_removals(struct run *run, const struct mailbox *mailbox, uint64_t count,
			  enum side side)
{
	bool is_other_folder = side == SIDE_REMOTE && mailbox->seen.lost_folder;
	char what[256];
	if (count == 0) {
		return;
	}
	snprintf(what, sizeof(what), "%llu message%s would be deleted %s; the brake holds %s%s",
		 (unsigned long long)count, count == 1 ? "" : "s", side_text(side),
		 count == 1 ? "it" : "them",
		 is_other_folder ? ", for they are gone, and their directory is another one or not "
				   "there (is a disk not mounted?)"
				 : " until you say which is right");
	tell(run, mailbox, count, what);
}

void brake_tell_held(struct run *run, const struct mailbox *mailbox,
		     const struct brake_count *count)
{
	char what[256];
	tell_removals(run, mailbox, count->held_local, SIDE_LOCAL);
	tell_removals(run, mailbox, count->held_remote, SIDE_REMOTE);
	if (count->held_flags > 0) {
		snprintf(what, sizeof(what),
			 "flags of %llu message%s would be cleared on the server, since the files "
			 "stand in `new` now; the brake holds that",
			 (unsigned long long)count->held_flags, count->held_flags == 1 ? "" : "s");
		tell(run, mailbox, count->held_flags, what);
	}
}
