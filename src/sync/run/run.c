/* What every step of a run asks: may it go on, how much does an error end, what may be changed. */
#include "run.h"

#include <inttypes.h>
#include <stdio.h>

#include "mailsync/base/clock.h"
#include "mailsync/base/digest.h"

int run_check_stop(struct run *run, struct err *err)
{
	if (run->options->stop == NULL || *run->options->stop == 0) {
		return 0;
	}
	return err_set(err, ERR_INTERRUPTED, SCOPE_RUN,
		       "stopped by a signal; the next run goes on from here");
}

bool run_is_fatal(const struct err *err)
{
	return err->scope >= SCOPE_ACCOUNT || err->code == ERR_NOMEM || err->code == ERR_LOCAL ||
	       err->code == ERR_INTERRUPTED || err->code == ERR_PROTOCOL ||
	       err->code == ERR_INTERNAL;
}

int run_connect(struct run *run, size_t number, struct remote **remote, struct err *err)
{
	char label[160];
	snprintf(label, sizeof(label), "%s#%zu", run->account->name, number);
	struct remote_params params = {
		.server = &run->account->server,
		.log = run->log,
		.label = label,
		.stop = run->options->stop,
	};
	return remote_open_imap(remote, &params, err);
}

enum side run_sides(const struct run *run)
{
	switch (run->account->direction) {
	case DIRECTION_PULL:
		return SIDE_LOCAL;
	case DIRECTION_PUSH:
		return SIDE_REMOTE;
	case DIRECTION_BOTH:
		break;
	}
	return SIDE_LOCAL | SIDE_REMOTE;
}

/* The keys, capped by direction and by this run's options. */
void run_policy_init(struct run *run)
{
	const struct account *account = run->account;
	enum side sides = run_sides(run);
	if (run->options->pull) {
		sides &= ~SIDE_REMOTE;
	}
	if (run->options->push) {
		sides &= ~SIDE_LOCAL;
	}
	run->policy.may_write_remote = (sides & SIDE_REMOTE) != 0;
	run->policy.may_write_local = (sides & SIDE_LOCAL) != 0;
	run->policy.messages = (struct plan_policy){
		.copy = account->copy & sides,
		.flags = account->flags & sides,
		.delete_ = account->delete_ & sides,
		.expunge = account->expunge & sides,
		.max_size_bytes = account->max_message_size,
		.oldest = account->max_age_s == 0
				? INT64_MIN
				: clock_real_ns() / 1000000000 - account->max_age_s,
	};
	run->policy.create = account->create & sides;
	run->policy.remove_mailboxes = account->remove_mailboxes & sides;
}

/* Under another hash, pending rows that were left alone are planned again. */
int run_policy_hash(struct run *run, struct err *err)
{
	const struct plan_policy *policy = &run->policy.messages;
	char text[256];
	uint8_t digest[DIGEST_MAX_SIZE];
	int len = snprintf(text, sizeof(text), "%u %u %u %u %" PRIu64 " %" PRId64 " %u %d %s",
			   policy->copy, policy->flags, policy->delete_, policy->expunge,
			   policy->max_size_bytes, run->account->max_age_s,
			   run->account->max_delete_percent, run->account->keywords,
			   run->account->trash == NULL ? "" : run->account->trash);
	if (len > (int)sizeof(text) - 1) {
		len = (int)sizeof(text) - 1;
	}
	int code = digest_of(DIGEST_SHA256, (struct span){text, (size_t)len}, digest, err);
	run->policy.hash = 0;
	for (size_t i = 0; code == 0 && i < 7;
	     i++) { /* 56 bits: fits SQLite's integers, signs aside */
		run->policy.hash = run->policy.hash << 8 | digest[i];
	}
	run->policy.hash |= 1; /* 0 means "look again" */
	return code;
}
