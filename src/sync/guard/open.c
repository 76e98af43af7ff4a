#include "open.h"

#include <stdio.h>

#include "mailsync/base/file.h"

#include "ownership.h"

#define PATH_LIMIT 4096

int run_open_lock(struct run *run, struct err *err)
{
	char path[PATH_LIMIT];
	if (run->options->dry_run) {
		return 0; /* changes nothing, so it need not wait for anyone */
	}
	int code = file_make_dirs(run->options->state_dir, err);
	if (code < 0) {
		return code;
	}
	snprintf(path, sizeof(path), "%s/%s.lock", run->options->state_dir, run->account->name);
	return file_lock_acquire(&run->session->lock, path, run->options->wait, run->options->stop,
				 err);
}

int run_open_local(struct run *run, struct err *err)
{
	char path[PATH_LIMIT];
	struct ownership ownership;
	struct maildir_params params = run->account->maildir;
	params.log = run->log;
	snprintf(path, sizeof(path), "%s/%s.db", run->options->state_dir, run->account->name);
	if (run->session->is_second_try && run->options->dry_run) {
		path[0] = '\0'; /* a real run would have moved it aside */
	}
	int code = state_open(&run->session->state, path,
			      run->options->dry_run ? STATE_SCRATCH : STATE_WRITE, err);
	if (code == 0) {
		code = maildir_open(&run->session->maildir, &params, false, err);
	}
	if (code == 0) {
		code = ownership_check(run->session->maildir, run->session->state, run->account,
				       &ownership, err);
	}
	if (code < 0) {
		return code;
	}
	run->session->pair_all = ownership.must_pair;
	run->session->was_unclean = ownership.was_unclean;
	run->session->lost_power = ownership.lost_power;
	if (run->session->lost_power) {
		log_line(run->log, LOG_INFO,
			 "%s: the system went down before all was on disk; what is missing is "
			 "downloaded again",
			 run->account->name);
	}
	if (state_was_damaged(run->session->state)) {
		log_line(run->log, LOG_WARN,
			 "%s: the state database %s was damaged and is kept beside; pairing what "
			 "both sides have, deleting nothing",
			 run->account->name, path);
	}
	if (run->session->pair_all && !state_was_reset(run->session->state)) {
		log_line(run->log, LOG_INFO,
			 "%s: %s; pairing what both sides have, deleting nothing",
			 run->account->name,
			 ownership.is_other_protocol
				 ? "the last run was by another protocol"
				 : "the state database and the Maildir are not of one time");
	}
	return 0;
}
