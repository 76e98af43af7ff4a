#include "login.h"

#include <string.h>

#include "mailsync/base/digest.h"
#include "mailsync/store/credential.h"

void login_begin(struct login *login, const struct server *server, struct blot *blot)
{
	*login = (struct login){.server = server, .blot = blot};
	secret_init(&login->secret);
	binding_init(&login->binding);
}

void login_finish(struct login *login)
{
	binding_finish(&login->binding);
	secret_finish(&login->secret);
}

static void fill_params(const struct login *login, struct conn_params *params)
{
	static const enum conn_tls tls[] = {
		[SERVER_TLS_IMPLICIT] = CONN_TLS_IMPLICIT,
		[SERVER_TLS_STARTTLS] = CONN_TLS_STARTTLS,
		[SERVER_TLS_NONE] = CONN_TLS_NONE,
	};
	const struct server *server = login->server;
	const struct auth_row *auth = auth_row(server->auth);

	params->host = server->host;
	params->port = server->port;
	params->tls = tls[server->tls];
	params->ca_file = server->ca_file;
	params->trust = server->trust;
	params->tls_cache = server->tls_cache;
	params->cert_file = server->cert_file;
	params->key_file = server->key_file;
	params->pin_sha256 = server->pin_sha256;
	params->tls_min = server->tls_min;
	params->proxy = server->proxy;
	params->tunnel = server->tunnel;
	params->timeout_s = server->timeout_s;
	params->progress = server->progress;
	if ((auth->marks & AUTH_BY_LIBCURL) != 0) {
		params->login_mech = auth->name;
		params->user = server->user;
		params->password = &login->secret;
	}
}

static int ask_secret(struct login *login, const stop_flag *stop, struct err *err)
{
	struct credential *credential = login->server->credential;

	return credential ? credential_secret(credential, stop, &login->secret, err) : 0;
}

int login_connect(struct login *login, struct conn_params *params, struct conn **conn,
		  struct err *err)
{
	int code = ask_secret(login, params->stop, err);

	if (code < 0 || (code = blot_add(login->blot, secret_span(&login->secret), err)) < 0) {
		return code;
	}
	fill_params(login, params);
	params->blot = login->blot;
	code = conn_open(conn, params, err);
	if (code == -ERR_LOGIN) {
		login_refused(login, err);
	} else if (code == -ERR_TEMPORARY || code == -ERR_SERVER) {
		login_help(login->server, LOGIN_NO_CONNECTION, err);
	}
	if (code == 0) {
		binding_begin(&login->binding, *conn);
	}
	return code;
}

enum auth login_next(struct login *login, const struct sasl_offer *offer)
{
	struct sasl_offer own = *offer;

	own.has_binding = binding_can(&login->binding);
	own.has_token = login->server->has_token;
	login->offer = own;
	enum auth mech = sasl_choose(login->server->auth, &own, login->tried);

	if (mech != AUTH_NONE) {
		login->tried |= AUTH_BIT(mech);
		login->mech = mech;
	}
	return mech;
}

bool login_binding_refused(struct login *login, const struct sasl *sasl)
{
	if (sasl == NULL || !sasl_is_binding_refused(sasl)) {
		return false;
	}
	binding_refused(&login->binding);
	if (binding_can(&login->binding)) {
		login->tried &= ~AUTH_BIT(login->mech);
	}
	return true;
}

/* What SCRAM binds to, or says that it could bind to: nothing where the server offers to bind and
 * takes no kind that we have, which is what "n,," means. */
static int take_binding(struct login *login, enum auth mech, struct sasl_params *params,
			struct err *err)
{
	bool is_needed = (auth_row(mech)->marks & AUTH_NEEDS_BINDING) != 0;
	int code;

	if (!is_needed && login->binding.was_refused) {
		return 0;
	}
	if ((code = binding_take(&login->binding, err)) < 0) {
		return code;
	}
	params->binding = buf_span(&login->binding.data);
	params->binding_name = binding_name(&login->binding);
	return 0;
}

int login_exchange(struct login *login, enum auth mech, struct sasl **sasl, struct err *err)
{
	uint8_t random[(LOGIN_NONCE_SIZE - 1) / 2];
	int code = random_bytes(random, sizeof(random), err);

	if (code < 0) {
		return code;
	}
	hex_encode(random, sizeof(random), login->nonce);
	struct sasl_params params = {
		.user = login->server->user,
		.secret = &login->secret,
		.host = login->server->host,
		.port = login->server->port,
		.nonce = span_of(login->nonce),
	};
	if ((code = take_binding(login, mech, &params, err)) < 0) {
		return code;
	}
	return sasl_create(sasl, mech, &params, err);
}

/* What stands behind the last MARK of TEXT; nothing where there is none. */
static struct span behind_last(struct span text, const char *mark)
{
	size_t len = strlen(mark);
	for (size_t at = text.len; at >= len; at--) {
		if (memcmp(text.data + at - len, mark, len) == 0) {
			return (struct span){text.data + at, text.len - at};
		}
	}
	return SPAN_LIT("");
}

/* What is made of the secret: with the challenge it is enough to try passwords against. */
static int blot_proof(struct login *login, struct span response, struct err *err)
{
	switch ((int)login->mech) {
	case AUTH_CRAM_MD5: /* user SP digest */
		return blot_add(login->blot, behind_last(response, " "), err);
	case AUTH_SCRAM_SHA_1:
	case AUTH_SCRAM_SHA_1_PLUS:
	case AUTH_SCRAM_SHA_256:
	case AUTH_SCRAM_SHA_256_PLUS:
		return blot_add(login->blot, behind_last(response, ",p="), err);
	default: /* the secret itself, or nothing of it */
		return 0;
	}
}

int login_answer(struct login *login, struct sasl *sasl, struct span text, struct buf *response,
		 struct err *err)
{
	struct buf challenge;
	struct err why;
	int code;
	buf_init(&challenge, LOGIN_LINE_MAX);
	if (base64_decode(text, &challenge, &why) < 0) {
		code = err_set(err, ERR_PROTOCOL, SCOPE_ACCOUNT,
			       "the server's challenge in the login is no base64");
		goto finish;
	}
	code = sasl_step(sasl, buf_span(&challenge), response, err);
	code = code < 0 ? code : blot_proof(login, buf_span(response), err);
finish:
	buf_finish_secret(&challenge);
	return code;
}

void login_append_words(const struct login *login, const struct sasl *sasl, struct buf *out)
{
	const char *words = sasl == NULL ? "" : sasl_error_text(sasl);
	struct buf clean;

	buf_init(&clean, LOGIN_WORDS_MAX);
	blot_append(login->blot, span_of(words), &clean);
	if (clean.len > 0) {
		buf_append_char(out, ' ');
		buf_append_span(out, buf_span(&clean));
	}
	buf_append_cstr(out, "; ");
	credential_advise(login->server->credential, buf_span(&clean), out);
	login_append_another_way(login, out);
	buf_finish(&clean);
}

bool login_is_unconnected(struct span words)
{
	return span_contains_nocase(words, "authenticated but not connected");
}

int login_unconnected(const struct server *server, const char *protocol, struct err *err)
{
	const char *account = server->credential ? credential_account(server->credential) : "";

	err_set(err, ERR_LOGIN, SCOPE_ACCOUNT,
		"the server takes the token and has no mailbox for it (\"User is "
		"authenticated but not connected\"): `user` is not the account that signed "
		"in, or that account has no mailbox or licence, or %s is switched off for it, "
		"or the client lacks the permission for %s, or too many sessions are open; "
		"where `user` is right, sign in as that user with `mailsync login %s`",
		protocol, protocol, account);
	login_help(server, LOGIN_REFUSED, err);
	return -ERR_LOGIN;
}

static bool is_token(const struct server *server)
{
	return server->has_token || (auth_row(server->auth)->marks & AUTH_TAKES_TOKEN) != 0;
}

int login_again(const struct server *server, const stop_flag *stop, struct err *err)
{
	if (!server->credential || !is_token(server) ||
	    !credential_refused_secret(server->credential)) {
		return -(int)err->code;
	}
	int code = credential_renew(server->credential, stop, err);
	return code == 0 ? -(int)err->code : code;
}

void login_refused(const struct login *login, struct err *err)
{
	if (login->server->credential) {
		credential_refused(login->server->credential, &login->secret);
	}
	login_help(login->server, LOGIN_REFUSED, err);
}
