/*
 * From nothing to logged in: libcurl connects and reads greeting and capabilities, the dialogue
 * from there on is ours. The first command is the login itself, with a tag that libcurl does not
 * use; everything before that tag's answer is ignored but the challenge lines.
 */
#include <stdio.h>
#include <string.h>

#include "mailsync/base/digest.h"
#include "mailsync/proto/sasl.h"

#include "imap_offer.h"
#include "imap_private.h"
#include "login.h"

#define WORDS_SHOWN 300
#define ALERT_SHOWN 600

/* One line of the exchange; secret, so neither traced nor kept. */
static int send_secret(struct imap *imap, struct buf *line, struct err *err)
{
	buf_append_cstr(line, "\r\n");
	int code = buf_status(line, "a login command", err);
	return code < 0 ? code : conn_queue(imap->conn, buf_span(line), true, err);
}

static int send_response(struct imap *imap, const struct buf *response, struct err *err)
{
	struct buf line;
	buf_init(&line, LOGIN_LINE_MAX);
	base64_encode(buf_span(response), &line);
	int code = send_secret(imap, &line, err);
	buf_finish_secret(&line);
	return code;
}

/* One mechanism's try. */
struct attempt {
	struct imap *imap;
	struct login *login;
	struct sasl *sasl; /* NULL: the LOGIN command */
	enum auth mech;
	struct buf response;
	bool is_initial_due; /* no SASL-IR: the first response answers an empty "+" */
	uint32_t tag;
	bool try_next;     /* it was refused, and another may do better */
	struct buf alerts; /* what the server wants to be told, said before its answer */
};

/* SHOWN: what the log may tell of LINE. */
static int attempt_send(struct attempt *attempt, struct buf *line, const char *shown,
			struct err *err)
{
	struct imap *imap = attempt->imap;
	imap->commands++;
	log_line(imap->log, LOG_WIRE, "%s > m%u %s ...", imap->label, (unsigned)attempt->tag,
		 shown);
	return send_secret(imap, line, err);
}

/* The initial response goes into the command's line with SASL-IR, else behind the first "+". */
static int append_initial(struct attempt *attempt, bool has_ir, struct buf *line, struct err *err)
{
	if (!sasl_has_initial(attempt->sasl)) {
		return 0;
	}
	int code = sasl_step(attempt->sasl, SPAN_LIT(""), &attempt->response, err);
	if (code < 0) {
		return code;
	}
	attempt->is_initial_due = !has_ir;
	if (has_ir) {
		buf_append_cstr(line, attempt->response.len == 0 ? " =" : " ");
		base64_encode(buf_span(&attempt->response), line);
	}
	return 0;
}

static int attempt_send_first(struct attempt *attempt, bool has_ir, struct err *err)
{
	char shown[64];
	struct buf line;
	int code;
	buf_init(&line, LOGIN_LINE_MAX);
	snprintf(shown, sizeof(shown), "AUTHENTICATE %s", sasl_name(attempt->mech));
	buf_printf(&line, "m%u %s", (unsigned)attempt->tag, shown);
	if ((code = append_initial(attempt, has_ir, &line, err)) < 0) {
		goto finish;
	}
	code = attempt_send(attempt, &line, shown, err);
finish:
	buf_finish_secret(&line);
	return code;
}

static int attempt_send_login(struct attempt *attempt, struct err *err)
{
	const struct login *login = attempt->login;
	struct buf line;
	int code;
	buf_init(&line, LOGIN_LINE_MAX);
	buf_printf(&line, "m%u LOGIN ", (unsigned)attempt->tag);
	bool fits = imap_write_quoted(&line, span_of(login->server->user));
	buf_append_char(&line, ' ');
	if (!fits || !imap_write_quoted(&line, secret_span(&login->secret))) {
		code = err_set(err, ERR_LOGIN, SCOPE_ACCOUNT,
			       "user or password have characters that the LOGIN command cannot "
			       "carry, and the server offers nothing better");
		goto finish;
	}
	code = attempt_send(attempt, &line, "LOGIN", err);
finish:
	buf_finish_secret(&line);
	return code;
}

static int attempt_continue(struct attempt *attempt, struct span text, struct err *err)
{
	if (attempt->sasl == NULL) {
		return err_set(err, ERR_PROTOCOL, SCOPE_ACCOUNT,
			       "the server asked for more in the middle of LOGIN");
	}
	if (attempt->is_initial_due) {
		attempt->is_initial_due = false;
	} else {
		int code =
			login_answer(attempt->login, attempt->sasl, text, &attempt->response, err);
		if (code < 0) {
			return code;
		}
	}
	return send_response(attempt->imap, &attempt->response, err);
}

/* Words and codes that speak of the moment, not of user and password. */
static bool refusal_passes(const struct imap_event *event)
{
	struct err ignored;
	switch ((int)event->code.type) {
	case IMAP_CODE_AUTHENTICATIONFAILED:
	case IMAP_CODE_AUTHORIZATIONFAILED:
	case IMAP_CODE_EXPIRED:
	case IMAP_CODE_PRIVACYREQUIRED:
	case IMAP_CODE_CONTACTADMIN:
		return false;
	default:
		return imap_status_error(event, "login", &ignored) == -ERR_TEMPORARY;
	}
}

static void append_words(struct span words, size_t shown, struct buf *out)
{
	buf_append_char(out, '"');
	buf_append(out, words.data, words.len < shown ? words.len : shown);
	buf_append_char(out, '"');
}

/* What the server says of a refusal. Its page to open may stand in a code, or have come before. */
static void append_said(const struct attempt *attempt, const struct imap_event *event,
			struct buf *out)
{
	struct buf words;

	buf_init(&words, IMAP_ALERT_MAX);
	if (imap_is_alert(event)) {
		imap_append_alert(attempt->imap, event, &words);
	} else {
		buf_append_span(&words, event->text);
	}
	append_words(buf_span(&words), WORDS_SHOWN, out);
	if (attempt->alerts.len > 0) {
		buf_append_cstr(out, " and ");
		append_words(buf_span(&attempt->alerts), ALERT_SHOWN, out);
	}
	buf_finish(&words);
}

/* EVENT's words may pass: they speak of the moment. */
static int refused_now(const struct attempt *attempt, const struct imap_event *event,
		       struct err *err)
{
	struct buf said;

	buf_init(&said, LOGIN_WORDS_MAX);
	append_said(attempt, event, &said);
	int code =
		err_set(err, ERR_TEMPORARY, SCOPE_ACCOUNT,
			"the server does not let us in now, saying %s; try again later", said.data);
	err_set_patience(err, imap_named_backoff_ms(event->text));
	buf_finish(&said);
	return code;
}

static int attempt_refused(struct attempt *attempt, const struct imap_event *event, struct err *err)
{
	if (refusal_passes(event)) {
		return refused_now(attempt, event, err);
	}
	const char *user = attempt->login->server->user;
	/* A mechanism that the server claims but does not have is answered BAD, or NO with other
	 * codes; a wrong password too, so the next mechanism is tried only where the server did not
	 * name the password. */
	attempt->try_next = event->status == IMAP_BAD || event->code.type == IMAP_CODE_CANNOT ||
			    (event->code.type != IMAP_CODE_AUTHENTICATIONFAILED &&
			     login_binding_refused(attempt->login, attempt->sasl));
	struct buf said;
	buf_init(&said, LOGIN_WORDS_MAX);
	append_said(attempt, event, &said);
	login_append_words(attempt->login, attempt->sasl, &said);
	int code = err_set(err, ERR_LOGIN, SCOPE_ACCOUNT,
			   "the server refused the login of user %s (%s), saying %s",
			   user == NULL ? "(none)" : user, sasl_name(attempt->mech), said.data);
	buf_finish(&said);
	return code;
}

static bool is_tag(const struct imap_event *event, uint32_t tag)
{
	char text[16];
	snprintf(text, sizeof(text), "m%u", (unsigned)tag);
	return event->type == IMAP_TAGGED && span_equal_cstr(event->tag, text);
}

static int attempt_finish(struct attempt *attempt, struct err *err)
{
	struct imap *imap = attempt->imap;
	imap->caps_known = false;
	for (;;) {
		struct imap_event event;
		int code = imap_event_next(imap, &event, err);
		if (code == 0 && event.type == IMAP_CONTINUE) {
			code = attempt_continue(attempt, event.text, err);
		}
		if (code < 0) {
			return code;
		}
		if (event.type == IMAP_UNTAGGED && imap_is_alert(&event)) {
			buf_append_cstr(&attempt->alerts, attempt->alerts.len > 0 ? " " : "");
			imap_append_alert(imap, &event, &attempt->alerts);
		}
		if (!is_tag(&event, attempt->tag)) {
			continue;
		}
		if (event.status != IMAP_OK) {
			return attempt_refused(attempt, &event, err);
		}
		return attempt->sasl == NULL ? 0 : sasl_check_done(attempt->sasl, err);
	}
}

static int attempt_begin(struct attempt *attempt, const struct imap_offer *offer, struct err *err)
{
	struct imap *imap = attempt->imap;
	attempt->tag = ++imap->last_tag;
	if (attempt->mech == AUTH_COMMAND) {
		imap->login_name = "LOGIN";
		return attempt_send_login(attempt, err);
	}
	imap->login_name = sasl_name(attempt->mech);
	int code = login_exchange(attempt->login, attempt->mech, &attempt->sasl, err);
	return code < 0 ? code : attempt_send_first(attempt, offer->has_ir, err);
}

/* 0: logged in. */
static int attempt_run(struct attempt *attempt, const struct imap_offer *offer, struct err *err)
{
	struct imap *imap = attempt->imap;
	buf_init(&attempt->response, LOGIN_LINE_MAX);
	buf_init(&attempt->alerts, IMAP_ALERT_MAX);
	int code = attempt_begin(attempt, offer, err);
	if (code < 0) {
		goto finish;
	}
	imap->trace_in.hides_challenges = imap->holds_alerts = true;
	code = attempt_finish(attempt, err);
	imap->trace_in.hides_challenges = imap->holds_alerts = false;
	if (code != -ERR_LOGIN) { /* the sentence has them */
		imap_tell_alert(imap, buf_span(&attempt->alerts));
	}
finish:
	buf_finish(&attempt->alerts);
	sasl_destroy(&attempt->sasl);
	buf_finish_secret(&attempt->response);
	return code;
}

static int authenticate(struct imap *imap, struct login *login, const struct imap_offer *offer,
			struct err *err)
{
	struct attempt attempt = {.try_next = true};
	enum auth mech;
	int code = 0;
	while (attempt.try_next && (mech = login_next(login, &offer->sasl)) != AUTH_NONE) {
		attempt = (struct attempt){.imap = imap, .login = login, .mech = mech};
		code = attempt_run(&attempt, offer, err);
		if (attempt.try_next) {
			log_line(imap->log, LOG_INFO, "%s: %s; trying the next mechanism",
				 imap->label, err->text);
		}
	}
	if (login->tried == 0) {
		bool is_barred = (imap->caps & IMAP_CAP_LOGINDISABLED) != 0;
		return login_nothing_fits(login, is_barred ? " (and disables LOGIN)" : "", err);
	}
	if (code == -ERR_LOGIN && !imap->is_unconnected) {
		login_refused(login, err);
	}
	return code;
}

/* Without it 163 and 126 (NetEase) answer SELECT with "Unsafe Login". What the server says to ID
 * itself is of no consequence. */
static int send_id(struct imap *imap, struct err *err)
{
	int code;
	imap_line_begin(imap);
	buf_append_cstr(&imap->line, "ID (\"name\" \"mailsync\")");
	if ((code = imap_line_end(imap, IMAP_COMMAND_SIMPLE, 0, err)) < 0 ||
	    (code = imap_wait_simple(imap, "ID", err)) < 0) {
		return err->scope < SCOPE_ACCOUNT ? 0 : code;
	}
	return 0;
}

static int log_in(struct imap *imap, struct login *login, struct conn_params *params,
		  struct err *err)
{
	struct imap_offer offer = {0};
	int code;
	if ((code = login_connect(login, params, &imap->conn, err)) < 0 ||
	    (code = imap_offer_read(imap, &offer, err)) < 0) {
		return code;
	}
	if (params->login_mech != NULL) {
		imap->login_name = params->login_mech;
		imap->caps_known = false;
	} else if (offer.is_preauth) {
		imap->login_name = "PREAUTH";
	} else if ((code = authenticate(imap, login, &offer, err)) < 0) {
		return code;
	}
	if (!imap->caps_known && (code = imap_ask_capability(imap, NULL, err)) < 0) {
		return code;
	}
	return imap->wants_id ? send_id(imap, err) : 0;
}

int imap_login(struct imap *imap, const struct remote_params *params, struct err *err)
{
	struct conn_params conn_params = {
		.protocol = CONN_IMAP,
		.log = params->log,
		.label = imap->label,
		.stop = params->stop,
	};
	struct login login;
	login_begin(&login, params->server, &imap->blot);
	int code = log_in(imap, &login, &conn_params, err);
	login_finish(&login);
	return code;
}
