/*
 * From nothing to logged in: libcurl connects, does TLS and reads greeting and CAPA
 * (net/conn.h); the login is ours, the strongest mechanism first.
 */
#include <stdlib.h>
#include <string.h>

#include "mailsync/base/digest.h"
#include "mailsync/proto/sasl.h"

#include "pop3_private.h"
#include "login.h"

#define INITIAL_MAX 255 /* RFC 5034: the whole line, when it carries an initial response */

/* --- what the server said before login --- */

static int note_greeting(struct pop3 *pop3, const struct pop3_event *event, struct err *err)
{
	if (event->type != POP3_STATUS || !event->is_ok) {
		struct pop3_event refusal = *event;
		pop3_blot_words(pop3, &refusal);
		return pop3_refused(&refusal, "the connection", ERR_SERVER, err);
	}
	/* NUL in a greeting: nothing in it is of use then. */
	pop3->greeting = span_dup(event->text);
	return 0;
}

static int note_preamble(struct pop3 *pop3, struct pop3_parser *parser, struct err *err)
{
	struct pop3_event event;
	bool is_greeting = true;
	int code;

	while ((code = pop3_parser_next(parser, &event, err)) == 0) {
		if (event.type == POP3_MORE || event.type == POP3_STRAY) {
			return 0;
		}
		if (is_greeting) {
			is_greeting = false;
			if ((code = note_greeting(pop3, &event, err)) < 0) {
				return code;
			}
		} else if (event.type == POP3_CAPA) {
			pop3_note_cap(pop3, event.text);
		} else if (event.type == POP3_END) {
			pop3->caps |= POP3_CAP_KNOWN;
		}
	}
	return code;
}

/* Reads what libcurl saw: greeting, then the answer to CAPA. */
static int read_preamble(struct pop3 *pop3, struct err *err)
{
	struct span preamble = conn_preamble(pop3->conn);
	struct pop3_parser *parser = NULL;
	int code;

	if ((code = pop3_parser_create(&parser, err)) < 0 ||
	    (code = pop3_parser_expect(parser, POP3_REPLY_STATUS, err)) < 0 ||
	    (code = pop3_parser_expect(parser, POP3_REPLY_CAPA, err)) < 0) {
		goto finish;
	}
	char *room = pop3_parser_reserve(parser, preamble.len + 1, err);
	if (!room) {
		code = -(int)err->code;
		goto finish;
	}
	memcpy(room, preamble.data, preamble.len);
	pop3_parser_commit(parser, preamble.len);
	code = note_preamble(pop3, parser, err);
finish:
	pop3_parser_destroy(&parser);
	return code;
}

/* A tunnel: the greeting is still to come. APOP has use for all of it. */
static int read_greeting(struct pop3 *pop3, struct err *err)
{
	struct pop3_event event;
	int code;

	if ((code = pop3_parser_expect(pop3->parser, POP3_REPLY_STATUS, err)) < 0 ||
	    (code = pop3_event_raw(pop3, &event, err)) < 0) {
		return code;
	}
	if (event.is_broken) {
		return err_set(err, ERR_SERVER, SCOPE_ACCOUNT,
			       "what the tunnel command gave is no POP3 greeting; check `tunnel`");
	}
	code = note_greeting(pop3, &event, err);
	return code < 0 ? code : pop3_ask_caps(pop3, err);
}

/* --- one attempt --- */

struct attempt {
	struct pop3 *pop3;
	struct login *login;
	enum auth mech;
	struct sasl *sasl; /* NULL: USER and PASS, or APOP */
	struct buf response;
	bool is_initial_due; /* the first response answers an empty challenge */
	bool was_challenged;
	bool try_next; /* it was refused, and another may do better */
};

/* A line that holds a secret: neither traced nor kept. */
static int send_secret(struct pop3 *pop3, struct buf *line, const char *shown,
		       enum pop3_reply reply, struct err *err)
{
	int code = 0;

	log_line(pop3->log, LOG_WIRE, "%s > %s ...", pop3->label, shown);
	buf_append_cstr(line, "\r\n");
	code = buf_status(line, "a login command", err);
	if (!code && reply != POP3_REPLY_AUTH) {
		code = pop3_parser_expect(pop3->parser, reply, err);
		pop3->commands++;
	}
	return code ? code : conn_queue(pop3->conn, buf_span(line), true, err);
}

/* True when TEXT can stand in a command line. */
static bool fits_line(struct span text)
{
	return !memchr(text.data, '\r', text.len) && !memchr(text.data, '\n', text.len) &&
	       !memchr(text.data, '\0', text.len);
}

static int send_with(struct pop3 *pop3, const char *command, struct span text, struct err *err)
{
	struct buf line;

	if (text.len > 0 && !fits_line(text)) {
		return err_set(err, ERR_LOGIN, SCOPE_ACCOUNT,
			       "user or password have characters that POP3's %s command cannot "
			       "carry, and the server offers nothing better",
			       command);
	}
	buf_init(&line, LOGIN_LINE_MAX);
	buf_printf(&line, "%s ", command);
	buf_append_span(&line, text);
	int code = send_secret(pop3, &line, command, POP3_REPLY_STATUS, err);
	buf_finish_secret(&line);
	return code;
}

static int login_user_pass(struct attempt *attempt, struct pop3_event *status, struct err *err)
{
	struct pop3 *pop3 = attempt->pop3;
	int code;

	if ((code = send_with(pop3, "USER", span_of(pop3->server->user), err)) < 0 ||
	    (code = pop3_event_next(pop3, status, err)) < 0 || !status->is_ok ||
	    (code = send_with(pop3, "PASS", secret_span(&attempt->login->secret), err)) < 0) {
		return code;
	}
	return pop3_event_next(pop3, status, err);
}

static int login_apop(struct attempt *attempt, struct pop3_event *status, struct err *err)
{
	struct pop3 *pop3 = attempt->pop3;
	char digest[33];
	struct buf text;
	int code;

	buf_init(&text, LOGIN_LINE_MAX);
	if ((code = sasl_apop(span_of(pop3->greeting), &attempt->login->secret, digest, err)) < 0 ||
	    (code = blot_add(&pop3->blot, span_of(digest), err)) < 0) {
		goto finish;
	}
	buf_printf(&text, "%s %s", pop3->server->user, digest);
	if ((code = send_with(pop3, "APOP", buf_span(&text), err)) < 0) {
		goto finish;
	}
	code = pop3_event_next(pop3, status, err);
finish:
	buf_finish_secret(&text);
	return code;
}

/* The initial response, unless it is too long for AUTH's line. Outlook wants OAuth's in a turn of
 * its own. */
static int append_initial(struct attempt *attempt, struct buf *line, struct err *err)
{
	bool may_attach = (auth_row(attempt->mech)->marks & AUTH_TAKES_TOKEN) == 0;
	size_t bare_len = line->len;

	if (!sasl_has_initial(attempt->sasl)) {
		return 0;
	}
	int code = sasl_step(attempt->sasl, SPAN_LIT(""), &attempt->response, err);
	if (code < 0) {
		return code;
	}
	buf_append_cstr(line, attempt->response.len == 0 ? " =" : " ");
	base64_encode(buf_span(&attempt->response), line);
	if (!may_attach || line->len + 2 > INITIAL_MAX) {
		buf_truncate(line, bare_len);
		attempt->is_initial_due = true;
	}
	return 0;
}

/* AUTH mechanism [initial-response] */
static int send_auth(struct attempt *attempt, struct err *err)
{
	struct pop3 *pop3 = attempt->pop3;
	struct buf line;
	int code;

	buf_init(&line, LOGIN_LINE_MAX);
	buf_printf(&line, "AUTH %s", sasl_name(attempt->mech));
	if ((code = append_initial(attempt, &line, err)) < 0 ||
	    (code = pop3_parser_expect(pop3->parser, POP3_REPLY_AUTH, err)) < 0) {
		goto finish;
	}
	pop3->commands++;
	code = send_secret(pop3, &line, "AUTH", POP3_REPLY_AUTH, err);
finish:
	buf_finish_secret(&line);
	return code;
}

static int answer_challenge(struct attempt *attempt, struct span text, struct err *err)
{
	bool is_initial = attempt->is_initial_due;
	struct buf line;
	int code;

	buf_init(&line, LOGIN_LINE_MAX);
	attempt->was_challenged = true;
	attempt->is_initial_due = false;
	if (!is_initial && (code = login_answer(attempt->login, attempt->sasl, text,
						&attempt->response, err)) < 0) {
		goto finish;
	}
	base64_encode(buf_span(&attempt->response), &line);
	code = send_secret(attempt->pop3, &line, "(response)", POP3_REPLY_AUTH, err);
finish:
	buf_finish_secret(&line);
	return code;
}

static int login_sasl(struct attempt *attempt, struct pop3_event *status, struct err *err)
{
	struct pop3 *pop3 = attempt->pop3;
	int code;

	if ((code = login_exchange(attempt->login, attempt->mech, &attempt->sasl, err)) < 0 ||
	    (code = send_auth(attempt, err)) < 0) {
		return code;
	}
	while ((code = pop3_event_next(pop3, status, err)) == 0) {
		if (status->type != POP3_CONTINUE) {
			return status->is_ok ? sasl_check_done(attempt->sasl, err) : 0;
		}
		if ((code = answer_challenge(attempt, status->text, err)) < 0) {
			return code;
		}
	}
	return code;
}

/* True when the server refused the mechanism, not the user or the password. */
static bool is_mech_refused(const struct attempt *attempt, const struct pop3_event *status)
{
	if (status->code == POP3_CODE_AUTH) {
		return false;
	}
	if (attempt->mech == AUTH_APOP) {
		/* Many greet with a timestamp and keep no secret that APOP could use. */
		return true;
	}
	return !attempt->was_challenged && attempt->mech != AUTH_COMMAND &&
	       (attempt->pop3->caps & POP3_CAP_AUTH_RESP_CODE) != 0;
}

static int attempt_refused(struct attempt *attempt, const struct pop3_event *status,
			   struct err *err)
{
	const struct server *server = attempt->pop3->server;
	int len = (int)(status->text.len > 300 ? 300 : status->text.len);

	if (status->is_broken || pop3_is_passing(status) || status->code == POP3_CODE_SYS_PERM) {
		return pop3_refused(status, "the login", ERR_LOGIN, err);
	}
	attempt->try_next = is_mech_refused(attempt, status) ||
			    (status->code != POP3_CODE_AUTH &&
			     login_binding_refused(attempt->login, attempt->sasl));
	struct buf more;
	buf_init(&more, LOGIN_WORDS_MAX);
	login_append_words(attempt->login, attempt->sasl, &more);
	int code = err_set(err, ERR_LOGIN, SCOPE_ACCOUNT,
			   "the server refused the login of user %s (%s), saying \"%.*s\"%s",
			   server->user ? server->user : "(none)", attempt->pop3->login_name, len,
			   status->text.data, buf_span(&more).data);
	buf_finish(&more);
	return code;
}

static const char *mech_shown(enum auth mech)
{
	return mech == AUTH_COMMAND ? "USER" : mech == AUTH_APOP ? "APOP" : sasl_name(mech);
}

static int send_mech(struct attempt *attempt, struct pop3_event *status, struct err *err)
{
	switch ((int)attempt->mech) {
	case AUTH_COMMAND:
		return login_user_pass(attempt, status, err);
	case AUTH_APOP:
		return login_apop(attempt, status, err);
	default:
		return login_sasl(attempt, status, err);
	}
}

/* 0: logged in. */
static int attempt_run(struct attempt *attempt, struct err *err)
{
	struct pop3_event status = {.type = POP3_MORE};

	buf_init(&attempt->response, LOGIN_LINE_MAX);
	attempt->pop3->login_name = mech_shown(attempt->mech);
	int code = send_mech(attempt, &status, err);
	if (code == 0 && !status.is_ok) {
		code = attempt_refused(attempt, &status, err);
	}
	sasl_destroy(&attempt->sasl);
	buf_finish_secret(&attempt->response);
	return code;
}

/* --- which one --- */

/* USER and PASS where CAPA names USER, or where there is no CAPA (RFC 1939 servers) or it names no
 * way in at all. */
static void make_offer(const struct pop3 *pop3, struct sasl_offer *offer)
{
	const char *mark = pop3->greeting ? strchr(pop3->greeting, '<') : NULL;

	*offer = (struct sasl_offer){.mechs = pop3->mechs};
	if (mark && strchr(mark, '>')) {
		offer->mechs |= AUTH_BIT(AUTH_APOP);
	}
	if ((pop3->caps & POP3_CAP_USER) || !(pop3->caps & POP3_CAP_KNOWN) || pop3->mechs == 0) {
		offer->mechs |= AUTH_BIT(AUTH_COMMAND);
	}
	offer->is_protected = conn_is_tls(pop3->conn) || conn_is_local(pop3->conn);
}

/* Only messages that the server holds back else need it: it may do other things to the rest. */
static int ask_utf8(struct pop3 *pop3, struct err *err)
{
	struct pop3_event status;

	return pop3_ask(pop3, "UTF8", POP3_REPLY_STATUS, &status, err);
}

static int authenticate(struct pop3 *pop3, struct login *login, struct err *err)
{
	struct attempt attempt = {.try_next = true};
	struct sasl_offer offer;
	enum auth mech;
	int code = 0;

	make_offer(pop3, &offer);
	while (attempt.try_next && (mech = login_next(login, &offer)) != AUTH_NONE) {
		attempt = (struct attempt){.pop3 = pop3, .login = login, .mech = mech};
		code = attempt_run(&attempt, err);
		if (attempt.try_next) {
			log_line(pop3->log, LOG_INFO, "%s: %s; trying the next mechanism",
				 pop3->label, err->text);
		}
	}
	if (login->tried == 0) {
		return login_nothing_fits(login, "", err);
	}
	if (code == -ERR_LOGIN && !pop3->is_unconnected) {
		login_refused(login, err);
	}
	return code;
}

static int log_in(struct pop3 *pop3, const struct pop3_params *params, struct login *login,
		  struct err *err)
{
	const struct server *server = params->server;
	struct conn_params conn_params = {
		.protocol = CONN_POP3,
		.log = params->log,
		.label = pop3->label,
		.stop = params->stop,
	};
	int code = login_connect(login, &conn_params, &pop3->conn, err);

	if (code < 0) {
		return code;
	}
	if ((code = server->tunnel ? read_greeting(pop3, err) : read_preamble(pop3, err)) < 0) {
		return code;
	}
	if (conn_params.login_mech) {
		pop3->login_name = conn_params.login_mech;
		return 0;
	}
	if (server->tunnel && !server->user) {
		pop3->login_name = "the tunnel";
		return 0;
	}
	if (params->wants_utf8 && (pop3->caps & POP3_CAP_UTF8) &&
	    (code = ask_utf8(pop3, err)) < 0) {
		return code;
	}
	return authenticate(pop3, login, err);
}

int pop3_login(struct pop3 *pop3, const struct pop3_params *params, struct err *err)
{
	struct login login;

	login_begin(&login, params->server, &pop3->blot);
	int code = log_in(pop3, params, &login, err);
	login_finish(&login);
	return code;
}
