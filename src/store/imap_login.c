/*
 * From nothing to logged in: libcurl connects and reads greeting and
 * capabilities, the dialogue from there on is ours. The first command is the login itself, with a
 * tag that libcurl does not use; everything before that tag's answer is ignored but the challenge
 * lines.
 */
#include <stdio.h>
#include <string.h>

#include "mailsync/base/digest.h"
#include "mailsync/proto/sasl.h"

#include "imap_private.h"
#include "login.h"

#define LOGIN_LINE_MAX (SECRET_MAX * 2 + 1024)

static const struct {
	const char *name;
	unsigned cap;
} cap_names[] = {
	{"ENABLE", IMAP_CAP_ENABLE},
	{"CONDSTORE", IMAP_CAP_CONDSTORE},
	{"QRESYNC", IMAP_CAP_QRESYNC},
	{"UIDPLUS", IMAP_CAP_UIDPLUS},
	{"MOVE", IMAP_CAP_MOVE},
	{"LITERAL+", IMAP_CAP_LITERAL_PLUS},
	{"LITERAL-", IMAP_CAP_LITERAL_MINUS},
	{"MULTIAPPEND", IMAP_CAP_MULTIAPPEND},
	{"LIST-EXTENDED", IMAP_CAP_LIST_EXTENDED},
	{"LIST-STATUS", IMAP_CAP_LIST_STATUS},
	{"SPECIAL-USE", IMAP_CAP_SPECIAL_USE},
	{"NAMESPACE", IMAP_CAP_NAMESPACE},
	{"ESEARCH", IMAP_CAP_ESEARCH},
	{"UNSELECT", IMAP_CAP_UNSELECT},
	{"OBJECTID", IMAP_CAP_OBJECTID},
	{"X-GM-EXT-1", IMAP_CAP_GMAIL},
	{"COMPRESS=DEFLATE", IMAP_CAP_COMPRESS},
	{"XYMHIGHESTMODSEQ", IMAP_CAP_YAHOO},
	{"SASL-IR", IMAP_CAP_SASL_IR},
	{"LOGINDISABLED", IMAP_CAP_LOGINDISABLED},
	{"IMAP4REV2", IMAP_CAP_IMAP4REV2},
};

static bool is_disabled(const struct imap *imap, const char *name)
{
	const struct strlist *disabled = imap->server->disabled;
	for (size_t i = 0; disabled != NULL && i < disabled->count; i++) {
		if (strcmp(disabled->items[i], name) == 0) {
			return true;
		}
	}
	return false;
}

void imap_note_caps(struct imap *imap, struct span names)
{
	unsigned caps = 0;
	struct span word;
	while (imap_next_word(&names, &word)) {
		imap->wants_id |= span_equal_nocase(word, "X-CM-EXT-1");
		for (size_t i = 0; i < sizeof(cap_names) / sizeof(cap_names[0]); i++) {
			if (span_equal_nocase(word, cap_names[i].name) &&
			    !is_disabled(imap, cap_names[i].name)) {
				caps |= cap_names[i].cap;
			}
		}
	}
	if (caps & IMAP_CAP_QRESYNC) {
		caps |= is_disabled(imap, "CONDSTORE") ? 0 : IMAP_CAP_CONDSTORE;
	}
	if ((caps & IMAP_CAP_CONDSTORE) == 0 || (caps & IMAP_CAP_ENABLE) == 0) {
		caps &= ~IMAP_CAP_QRESYNC;
	}
	imap->caps = caps;
	imap->caps_known = true;
}

/* What the greeting and CAPABILITY told before login. */
struct offer {
	struct sasl_offer sasl;
	bool is_preauth;
	bool has_capability;
	bool has_ir;
};

static void offer_note(struct imap *imap, struct offer *offer, struct span names)
{
	offer->has_capability = true;
	offer->sasl.mechs = AUTH_BIT(AUTH_COMMAND);
	struct span word;
	struct span rest = names;
	while (imap_next_word(&rest, &word)) {
		if (span_starts_nocase(word, "AUTH=")) {
			enum auth mech = sasl_by_name((struct span){word.data + 5, word.len - 5});
			offer->sasl.mechs |= mech == AUTH_NONE ? 0 : AUTH_BIT(mech);
		} else if (span_equal_nocase(word, "LOGINDISABLED")) {
			offer->sasl.mechs &= ~AUTH_BIT(AUTH_COMMAND);
		}
	}
	imap_note_caps(imap, names);
	offer->has_ir = (imap->caps & IMAP_CAP_SASL_IR) != 0;
}

static void offer_event(struct imap *imap, struct offer *offer, const struct imap_event *event)
{
	if (event->type == IMAP_UNTAGGED) {
		offer->is_preauth |= event->status == IMAP_PREAUTH;
		imap->wants_id |= span_contains_nocase(event->text, "Coremail");
	}
	if (event->type == IMAP_CAPABILITY) {
		offer_note(imap, offer, event->names);
	} else if (event->code.type == IMAP_CODE_CAPABILITY) {
		offer_note(imap, offer, event->code.args);
	}
}

/* With STARTTLS what the greeting claimed in the clear is not believed. */
static int offer_from_events(struct imap *imap, struct imap_parser *parser, struct offer *offer,
			     struct err *err)
{
	bool is_greeting = true;
	for (;;) {
		struct imap_event event;
		int code = imap_parser_next(parser, &event, err);
		if (code < 0 || event.type == IMAP_MORE) {
			return code;
		}
		if (is_greeting && imap->server->tls == SERVER_TLS_STARTTLS) {
			event.code.type = IMAP_CODE_NONE;
		}
		is_greeting = false;
		offer_event(imap, offer, &event);
	}
}

/* Reads what libcurl saw. */
static int offer_from_preamble(struct imap *imap, struct offer *offer, struct err *err)
{
	struct span preamble = conn_preamble(imap->conn);
	struct imap_parser *parser = NULL;
	int code = imap_parser_create(&parser, 1024, err);
	if (code < 0) {
		return code;
	}
	char *room = imap_parser_reserve(parser, preamble.len, err);
	if (room == NULL) {
		code = -(int)err->code;
		goto finish;
	}
	memcpy(room, preamble.data, preamble.len);
	imap_parser_commit(parser, preamble.len);
	code = offer_from_events(imap, parser, offer, err);
finish:
	imap_parser_destroy(&parser);
	return code;
}

/* A tunnel: the greeting is still to come. */
static int read_greeting(struct imap *imap, struct offer *offer, struct err *err)
{
	struct imap_event event;
	int code = imap_event_next(imap, &event, err);
	if (code < 0) {
		return code;
	}
	if (event.type != IMAP_UNTAGGED ||
	    (event.status != IMAP_OK && event.status != IMAP_PREAUTH)) {
		return err_set(err, ERR_SERVER, SCOPE_ACCOUNT,
			       "what the tunnel command gave is no IMAP greeting; check `tunnel`");
	}
	offer_event(imap, offer, &event);
	return 0;
}

static int ask_capability(struct imap *imap, struct offer *offer, struct err *err)
{
	imap_line_begin(imap);
	buf_append_cstr(&imap->line, "CAPABILITY");
	int code = imap_line_end(imap, IMAP_COMMAND_SIMPLE, 0, err);
	if (code < 0) {
		return code;
	}
	for (;;) {
		struct imap_event event;
		struct imap_command command;
		code = imap_event_next(imap, &event, err);
		if (code < 0) {
			return code;
		}
		if (offer != NULL) {
			offer_event(imap, offer, &event);
		}
		if (event.type == IMAP_TAGGED && imap_command_answered(imap, &event, &command)) {
			return imap_status_error(&event, "CAPABILITY", err);
		}
	}
}

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
	bool try_next; /* it was refused, and another may do better */
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

/* Answers the challenge TEXT. */
static int attempt_answer(struct attempt *attempt, struct span text, struct err *err)
{
	struct buf challenge;
	struct err why;
	int code;
	buf_init(&challenge, LOGIN_LINE_MAX);
	if (base64_decode(text, &challenge, &why) < 0) {
		code = err_set(err, ERR_PROTOCOL, SCOPE_ACCOUNT,
			       "the server's challenge in AUTHENTICATE %s is no base64",
			       sasl_name(attempt->mech));
		goto finish;
	}
	code = sasl_step(attempt->sasl, buf_span(&challenge), &attempt->response, err);
finish:
	buf_finish_secret(&challenge);
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
		int code = attempt_answer(attempt, text, err);
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

static int attempt_refused(struct attempt *attempt, const struct imap_event *event, struct err *err)
{
	const char *user = attempt->login->server->user;
	const char *more = attempt->sasl == NULL ? "" : sasl_error_text(attempt->sasl);
	int words = (int)(event->text.len > 300 ? 300 : event->text.len);
	const char *text = event->text.data == NULL ? "" : event->text.data;
	if (refusal_passes(event)) {
		return err_set(
			err, ERR_TEMPORARY, SCOPE_ACCOUNT,
			"the server does not let us in now, saying \"%.*s\"; try again later",
			words, text);
	}
	/* A mechanism that the server claims but does not have is answered BAD, or NO with other
	 * codes; a wrong password too, so the next mechanism is tried only where the server did not
	 * name the password. */
	attempt->try_next = event->status == IMAP_BAD || event->code.type == IMAP_CODE_CANNOT;
	return err_set(err, ERR_LOGIN, SCOPE_ACCOUNT,
		       "the server refused the login of user %s (%s), saying \"%.*s\"%s%s; check "
		       "user and password",
		       user == NULL ? "(none)" : user, sasl_name(attempt->mech), words, text,
		       *more == '\0' ? "" : " ", more);
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
		if (!is_tag(&event, attempt->tag)) {
			continue;
		}
		if (event.status != IMAP_OK) {
			return attempt_refused(attempt, &event, err);
		}
		return attempt->sasl == NULL ? 0 : sasl_check_done(attempt->sasl, err);
	}
}

static int attempt_begin(struct attempt *attempt, const struct offer *offer, struct err *err)
{
	struct imap *imap = attempt->imap;
	attempt->tag = ++imap->last_tag;
	if (attempt->mech == AUTH_COMMAND) {
		imap->login_name = "LOGIN";
		return attempt_send_login(attempt, err);
	}
	imap->login_name = sasl_name(attempt->mech);
	int code = login_exchange(attempt->login, imap->conn, attempt->mech, &attempt->sasl, err);
	return code < 0 ? code : attempt_send_first(attempt, offer->has_ir, err);
}

/* 0: logged in. */
static int attempt_run(struct attempt *attempt, const struct offer *offer, struct err *err)
{
	struct imap *imap = attempt->imap;
	buf_init(&attempt->response, LOGIN_LINE_MAX);
	int code = attempt_begin(attempt, offer, err);
	if (code < 0) {
		goto finish;
	}
	imap->trace_in.hides_challenges = true;
	code = attempt_finish(attempt, err);
	imap->trace_in.hides_challenges = false;
finish:
	sasl_destroy(&attempt->sasl);
	buf_finish_secret(&attempt->response);
	return code;
}

static int authenticate(struct imap *imap, struct login *login, const struct offer *offer,
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
		return login_nothing_fits(&offer->sasl, is_barred ? " (and disables LOGIN)" : "",
					  err);
	}
	if (code == -ERR_LOGIN) {
		login_refused(login);
	}
	return code;
}

/* 163 and 126 answer SELECT with "Unsafe Login" without it. Whatever it says to this one. */
static int send_id(struct imap *imap, struct err *err)
{
	imap_line_begin(imap);
	buf_append_cstr(&imap->line, "ID (\"name\" \"mailsync\")");
	int code = imap_line_end(imap, IMAP_COMMAND_SIMPLE, 0, err);
	if (code == 0) {
		code = imap_wait_simple(imap, "ID", err);
	}
	return code < 0 && err->scope < SCOPE_ACCOUNT ? 0 : code;
}

/* Connects and reads what the server offers. */
static int connect_to(struct imap *imap, struct login *login, struct conn_params *params,
		      struct offer *offer, struct err *err)
{
	int code = login_connect(login, params, &imap->conn, err);
	if (code < 0) {
		return code;
	}
	code = params->tunnel != NULL ? read_greeting(imap, offer, err)
				      : offer_from_preamble(imap, offer, err);
	if (code < 0 || (!offer->has_capability && (code = ask_capability(imap, offer, err)) < 0)) {
		return code;
	}
	offer->sasl.is_protected = conn_is_tls(imap->conn) || conn_is_local(imap->conn);
	offer->sasl.has_binding = conn_channel_binding(imap->conn).len > 0;
	if (params->login_mech != NULL) {
		imap->login_name = params->login_mech;
		imap->caps_known = false;
	} else if (offer->is_preauth) {
		imap->login_name = "PREAUTH";
	}
	return 0;
}

static int log_in(struct imap *imap, struct login *login, struct conn_params *params,
		  struct err *err)
{
	struct offer offer = {0};
	int code = connect_to(imap, login, params, &offer, err);
	if (code < 0) {
		return code;
	}
	bool is_in = params->login_mech != NULL || offer.is_preauth;
	if ((!is_in && (code = authenticate(imap, login, &offer, err)) < 0) ||
	    (!imap->caps_known && (code = ask_capability(imap, NULL, err)) < 0)) {
		return code;
	}
	return imap->wants_id ? send_id(imap, err) : 0;
}

int imap_login(struct imap *imap, const struct imap_params *params, struct err *err)
{
	struct conn_params conn_params = {
		.protocol = CONN_IMAP,
		.log = params->log,
		.label = params->label,
		.stop = params->stop,
	};
	struct login login;
	login_begin(&login, params->server);
	int code = log_in(imap, &login, &conn_params, err);
	login_finish(&login);
	return code;
}
