/* From the lock to the last logout. */
#include "mailsync/base/clock.h"

#include "run.h"

void session_init(struct session *session, const struct account *account,
		  const struct sync_options *options)
{
	*session = (struct session){
		.account = account,
		.options = options,
		.log = options->log,
		.started_us = clock_monotonic_us(),
	};
	file_lock_init(&session->lock);
}

void session_finish(struct session *session)
{
	remote_close(&session->remote);
	maildir_close(&session->maildir);
	state_close(&session->state);
	file_lock_finish(&session->lock);
}

int run_init(struct run *run, struct session *session, struct report *report, struct err *err)
{
	*run = (struct run){
		.session = session,
		.account = session->account,
		.options = session->options,
		.log = session->log,
		.report = report,
	};
	return pthread_mutex_init(&run->mutex, NULL) != 0 ? err_nomem(err) : 0;
}

void run_finish(struct run *run)
{
	mailboxes_finish(run);
	pthread_mutex_destroy(&run->mutex);
}
