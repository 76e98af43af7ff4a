/* Whose mail the rows are: unique-ids of another server or user are other messages' ones. */
#include "pop3_private.h"

int pop3_whose_check(struct pop3_job *job, struct err *err)
{
	char now[SERVER_FINGERPRINT_SIZE];
	struct buf then;
	bool is_found = false;

	buf_init(&then, SERVER_FINGERPRINT_SIZE);
	int code = server_fingerprint(&job->run.account->server, now, err);
	if (!code) {
		code = state_get(job->run.session->state, "pop3_whose", &then, &is_found, err);
	}
	if (!code) {
		job->is_nobodys = !is_found || then.len == 0;
		job->is_other = !job->is_nobodys && !span_equal_cstr(buf_span(&then), now);
	}
	if (job->is_other) {
		log_line(job->run.log, LOG_INFO,
			 "%s: another server or user than last time; known messages are told by "
			 "their headers",
			 job->run.account->name);
	}
	buf_finish(&then);
	return code;
}

int pop3_whose_put(struct pop3_job *job, struct err *err)
{
	char now[SERVER_FINGERPRINT_SIZE];
	int code = server_fingerprint(&job->run.account->server, now, err);

	return code ? code : state_set(job->run.session->state, "pop3_whose", now, err);
}
