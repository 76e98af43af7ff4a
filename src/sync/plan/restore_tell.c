/* What a restore is going to send, said before it does. */
#include "plan.h"

#include <inttypes.h>

struct figures {
	uint64_t messages;
	uint64_t bytes;
	uint64_t largest;
	uint64_t too_large; /* over APPENDLIMIT */
	uint64_t bare;      /* with flags or keywords that the server does not keep */
};

static void add_op(struct figures *figures, const struct job *job, const struct op *op)
{
	const struct row *row = &job->rows.items[op->row];
	struct told limit = plan_append_limit(job->run, job->mailbox);
	uint64_t size = told_or(row->size, 0);
	if (op->kind != OP_UPLOAD) {
		return;
	}
	figures->messages++;
	figures->bytes += size;
	figures->largest = size > figures->largest ? size : figures->largest;
	figures->too_large += limit.is_told && size > limit.number;
	figures->bare += (row->local_flags & ~message_remote_flags(&job->facts)) != 0;
}

static int add_mailbox(struct figures *figures, struct run *run, struct mailbox *mailbox,
		       struct err *err)
{
	struct job job;
	bool is_there = true;
	if (mailbox_is_idle(run, mailbox)) {
		return 0;
	}
	int code = job_plan(&job, run, mailbox, 0, err);
	while (code == 0 && is_there) {
		for (size_t i = 0; i < job.plan.count; i++) {
			add_op(figures, &job, &job.plan.ops[i]);
		}
		code = job_plan_next(&job, &is_there, err);
	}
	job_finish(&job);
	return code;
}

static void tell(const struct run *run, const struct figures *figures)
{
	const char *name = run->account->name;
	log_line(run->log, LOG_WARN, "%s: %" PRIu64 " message%s of %" PRIu64 " bytes to be sent",
		 name, figures->messages, figures->messages == 1 ? "" : "s", figures->bytes);
	if (figures->too_large > 0) {
		log_line(run->log, LOG_WARN,
			 "%s: %" PRIu64 " of these are over the largest size that the server takes "
			 "(APPENDLIMIT); the largest has %" PRIu64 " bytes",
			 name, figures->too_large, figures->largest);
	}
	if (figures->bare > 0) {
		log_line(run->log, LOG_WARN,
			 "%s: %" PRIu64 " of these have flags or keywords that the server does not "
			 "keep; they go without",
			 name, figures->bare);
	}
}

/* Whether it fits what the server lets its user keep; it is sent as far as that goes. */
static int tell_quota(const struct run *run, const struct figures *figures, struct err *err)
{
	struct remote_quota quota = {0};
	int code = remote_quota(run->session->remote, "INBOX", &quota, err);
	if (code < 0 || !quota.limit.is_told) {
		return code;
	}
	uint64_t left =
		quota.limit.number > quota.used.number ? quota.limit.number - quota.used.number : 0;
	log_line(run->log, LOG_WARN,
		 "%s: the server has room for %" PRIu64 " bytes of %" PRIu64 " (quota)%s",
		 run->account->name, left, quota.limit.number,
		 figures->bytes > left ? ": that is not enough, and the rest is refused" : "");
	return 0;
}

int restore_tell(struct run *run, struct err *err)
{
	struct figures figures = {0};
	int code = 0;
	if (run->options->restore == NULL) {
		return 0;
	}
	for (size_t i = 0; code == 0 && i < run->mailboxes.count; i++) {
		code = add_mailbox(&figures, run, &run->mailboxes.items[i], err);
	}
	if (code == 0 && figures.messages > 0) {
		tell(run, &figures);
		code = tell_quota(run, &figures, err);
	}
	return code;
}
