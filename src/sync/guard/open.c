#include "open.h"

#include <stdio.h>

#include "mailsync/base/file.h"

#include "ownership.h"

#define PATH_LIMIT 4096

int run_open_lock(struct run *run, struct err *err)
{
	char path[PATH_LIMIT];
	int code = file_make_dirs(run->options->state_dir, err);
	if (code < 0) {
		return code;
	}
	snprintf(path, sizeof(path), "%s/%s.lock", run->options->state_dir, run->account->name);
	return file_lock_acquire(&run->session->lock, path, run->options->wait, run->options->stop,
				 err);
}

static void tell_verdict(const struct run *run, enum ownership_verdict verdict, const char *path)
{
	const struct session *session = run->session;
	if (session->lost_power) {
		log_line(run->log, LOG_INFO,
			 "%s: the system went down before all was on disk; what is missing is "
			 "downloaded again",
			 run->account->name);
	}
	if (state_was_damaged(session->state)) {
		log_line(run->log, LOG_WARN,
			 "%s: the state database %s was damaged and is kept beside; pairing what "
			 "both sides have, deleting nothing",
			 run->account->name, path);
	}
	if (session->pair_all && !state_was_reset(session->state)) {
		log_line(run->log, LOG_INFO,
			 "%s: %s; pairing what both sides have, deleting nothing",
			 run->account->name,
			 verdict == OWNERSHIP_FORGET_PROTOCOL
				 ? "the last run was by another protocol"
				 : "the state database and the Maildir are not of one time");
	}
}

int run_open_local(struct run *run, struct err *err)
{
	struct session *session = run->session;
	bool is_scratch = run->options->dry_run;
	char path[PATH_LIMIT];
	struct maildir_params params = run->account->maildir;
	enum ownership_verdict verdict = OWNERSHIP_OURS;
	int code;
	params.log = run->log;
	snprintf(path, sizeof(path), "%s/%s.db", run->options->state_dir, run->account->name);
	if (session->is_second_try && is_scratch) {
		path[0] = '\0'; /* a real run would have moved it aside */
	}
	session->is_scratch = is_scratch;
	if ((code = state_open(&session->state, path, is_scratch ? STATE_SCRATCH : STATE_WRITE,
			       err)) < 0 ||
	    (code = maildir_open(&session->maildir, &params, false, err)) < 0 ||
	    (code = ownership_check(session, &verdict, err)) < 0) {
		return code;
	}
	tell_verdict(run, verdict, path);
	return 0;
}
