/* `check`: logs in and tells what will be used. */
#include "pop3/pop3_run.h"
#include "run/run.h"

static int add_login(const struct account *account, struct remote *remote, struct strlist *lines,
		     struct err *err)
{
	const struct remote_facts *facts = remote_facts(remote);
	const char *user = account->server.user;
	struct buf line;
	buf_init(&line, 512);
	buf_printf(&line, "logged in as %s by %s, %s", user == NULL ? "(nobody)" : user,
		   facts->login_name, facts->is_tls ? "over TLS" : "without TLS");
	int code = strlist_add(lines, buf_span(&line), err);
	buf_finish(&line);
	return code;
}

static int add_mailboxes(const struct remote_mailboxes *found, struct strlist *lines,
			 struct err *err)
{
	char separator = found->wire.separator;
	struct buf line;
	buf_init(&line, 512);
	buf_printf(&line, "%zu mailbox%s, separator \"%c\", prefix \"%s\"", found->count,
		   found->count == 1 ? "" : "es", separator == 0 ? ' ' : separator,
		   found->wire.prefix);
	int code = strlist_add(lines, buf_span(&line), err);
	buf_finish(&line);
	return code;
}

int sync_check(const struct account *account, const struct sync_options *options,
	       struct strlist *lines, struct err *err)
{
	if (account->is_pop3) {
		return pop3_run_check(account, options, lines, err);
	}
	struct remote *remote = NULL;
	struct remote_mailboxes found = {0};
	struct err ignored;
	int code;
	if ((code = account_connect(account, options, 1, &remote, err)) < 0 ||
	    (code = remote_list(remote, account->subscribed_only, &found, err)) < 0 ||
	    (code = add_login(account, remote, lines, err)) < 0 ||
	    (code = add_mailboxes(&found, lines, err)) < 0 ||
	    (code = remote_explain(remote, lines, err)) < 0) {
		goto finish;
	}
	remote_logout(remote, &ignored);
finish:
	remote_mailboxes_finish(&found);
	remote_close(&remote);
	return code;
}
