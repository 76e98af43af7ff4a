/* What a login that fails most likely needs. */
#include <string.h>

#include "login.h"

#define OFFER_MAX 512

/* "it offers PLAIN, LOGIN": without the forms that only bind. */
static void append_offer(unsigned mechs, struct buf *out)
{
	const char *before = "it offers ";

	for (enum auth mech = AUTH_NONE + 1; mech < AUTH_COUNT; mech++) {
		const struct auth_row *row = auth_row(mech);
		if ((mechs & AUTH_BIT(mech)) != 0 && (row->marks & AUTH_NEEDS_BINDING) == 0) {
			buf_printf(out, "%s%s", before,
				   mech == AUTH_COMMAND ? "the login command" : row->name);
			before = ", ";
		}
	}
	buf_append_cstr(out, out->len > 0 ? "" : "it offers nothing that mailsync knows");
}

static bool offers_any(unsigned mechs, unsigned marks)
{
	for (enum auth mech = AUTH_NONE + 1; mech < AUTH_COUNT; mech++) {
		if ((mechs & AUTH_BIT(mech)) != 0 && (auth_row(mech)->marks & marks) != 0) {
			return true;
		}
	}
	return false;
}

/* OFFER: "it offers PLAIN". */
static int say_not_offered(const struct login *login, const char *offer, struct err *err)
{
	const struct auth_row *wanted = auth_row(login->server->auth);

	if (login->server->auth != AUTH_AUTO) {
		return err_set(err, ERR_LOGIN, SCOPE_ACCOUNT,
			       "the server does not offer %s, which `auth = %s` asks for; %s; "
			       "without `auth` the best of what is on offer is taken",
			       wanted->name, wanted->word, offer);
	}
	if (login->server->has_token) {
		return err_set(err, ERR_LOGIN, SCOPE_ACCOUNT,
			       "the server takes no access tokens (OAUTHBEARER, XOAUTH2); %s: give "
			       "a password instead of `oauth`",
			       offer);
	}
	if (offers_any(login->offer.mechs, AUTH_TAKES_TOKEN)) {
		return err_set(err, ERR_LOGIN, SCOPE_ACCOUNT,
			       "the server takes no password; %s: set `oauth` instead of the "
			       "password",
			       offer);
	}
	return err_set(err, ERR_LOGIN, SCOPE_ACCOUNT,
		       "the server offers no way to log in by a password; %s", offer);
}

int login_nothing_fits(const struct login *login, const char *more, struct err *err)
{
	struct buf offer;

	if (!login->offer.is_protected) {
		return err_set(err, ERR_LOGIN, SCOPE_ACCOUNT,
			       "no way to log in without sending the password in the clear; set "
			       "`tls`");
	}
	buf_init(&offer, OFFER_MAX);
	append_offer(login->offer.mechs, &offer);
	buf_append_cstr(&offer, more);
	int code = buf_status(&offer, "a server's offer", err);
	code = code < 0 ? code : say_not_offered(login, offer.data, err);
	buf_finish(&offer);
	if (code == -ERR_LOGIN) {
		login_help(login->server, LOGIN_NOT_OFFERED, err);
	}
	return code;
}

void login_append_another_way(const struct login *login, struct buf *out)
{
	unsigned proofs = AUTH_BIT(AUTH_CRAM_MD5) | AUTH_BIT(AUTH_SCRAM_SHA_1) |
			  AUTH_BIT(AUTH_SCRAM_SHA_256) | AUTH_BIT(AUTH_SCRAM_SHA_1_PLUS) |
			  AUTH_BIT(AUTH_SCRAM_SHA_256_PLUS) | AUTH_BIT(AUTH_APOP);
	unsigned plain = AUTH_BIT(AUTH_PLAIN);
	unsigned login_forms = AUTH_BIT(AUTH_LOGIN) | AUTH_BIT(AUTH_COMMAND);

	if ((AUTH_BIT(login->mech) & proofs) == 0 || !login->offer.is_protected ||
	    (login->offer.mechs & (plain | login_forms)) == 0) {
		return;
	}
	buf_printf(out, ", or try `auth = %s`: some servers offer %s and cannot do it",
		   (login->offer.mechs & plain) != 0 ? "plain" : "login", sasl_name(login->mech));
}

/* Whether HELP may be the cause of TROUBLE. */
static bool is_cause(const struct server *server, enum login_trouble trouble, enum server_help help)
{
	bool has_password = !server->has_token && (auth_row(server->auth)->marks &
						   (AUTH_TAKES_TOKEN | AUTH_NO_SECRET)) == 0;

	switch (trouble) {
	case LOGIN_NO_CONNECTION:
		return help == SERVER_HELP_CONNECT;
	case LOGIN_NOT_OFFERED:
		return help == SERVER_HELP_OAUTH_ONLY && has_password;
	case LOGIN_REFUSED:
		return help == SERVER_HELP_IMAP_OFF ||
		       (has_password && help != SERVER_HELP_CONNECT);
	}
	return false;
}

void login_help(const struct server *server, enum login_trouble trouble, struct err *err)
{
	const char *causes[SERVER_HELP_COUNT];
	size_t count = 0;

	for (enum server_help help = 0; help < SERVER_HELP_COUNT; help++) {
		if (server->help[help] != NULL && is_cause(server, trouble, help)) {
			causes[count++] = server->help[help];
		}
	}
	if (count == 1) {
		err_append(err, ". The usual cause: %s", causes[0]);
	}
	for (size_t i = 0; count > 1 && i < count; i++) {
		err_append(err, "%s (%zu) %s", i == 0 ? ". Usual causes:" : "", i + 1, causes[i]);
	}
}
