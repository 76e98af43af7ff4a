/* Whose mail the rows are: unique-ids of another server or user are other messages' ones. */
#include <string.h>

#include "mailsync/base/buf.h"

#include "pop3_job.h"

#define WHOSE_MAX 4096

/* Not the port: tunnels and forwarded ports come and go. */
static int make_whose(const struct pop3_job *job, struct buf *whose, struct err *err)
{
	const struct server *server = &job->run.account->server;
	const char *host = server->host ? server->host : server->tunnel;

	buf_append_cstr(whose, server->user ? server->user : "");
	buf_append_char(whose, '@');
	buf_append_cstr(whose, host ? host : "");
	return buf_status(whose, "the names of server and user", err);
}

int pop3_whose_check(struct pop3_job *job, struct err *err)
{
	struct buf now, then;
	bool is_found = false;

	buf_init(&now, WHOSE_MAX);
	buf_init(&then, WHOSE_MAX);
	int code = make_whose(job, &now, err);
	if (!code) {
		code = state_get(job->run.state, "pop3_whose", &then, &is_found, err);
	}
	if (!code) {
		job->is_nobodys = !is_found || then.len == 0;
		job->is_other = !job->is_nobodys &&
				(now.len != then.len || memcmp(now.data, then.data, now.len) != 0);
	}
	if (job->is_other) {
		log_line(job->run.log, LOG_INFO,
			 "%s: another server or user than last time; known messages are told by "
			 "their headers",
			 job->run.account->name);
	}
	buf_finish(&now);
	buf_finish(&then);
	return code;
}

int pop3_whose_put(struct pop3_job *job, struct err *err)
{
	struct buf now;

	buf_init(&now, WHOSE_MAX);
	int code = make_whose(job, &now, err);
	if (!code) {
		code = state_set(job->run.state, "pop3_whose", now.data, err);
	}
	buf_finish(&now);
	return code;
}
