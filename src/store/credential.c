#include "mailsync/store/credential.h"

#include <stdbool.h>
#include <stdlib.h>

#include "mailsync/oauth/flow.h"
#include "mailsync/store/tokens.h"
#include "credential_private.h"

#define SCOPE_MAX 4096

int credential_create(struct credential **credential, const struct credential_params *params,
		      struct err *err)
{
	struct credential *created = calloc(1, sizeof(*created));

	if (!created) {
		return err_nomem(err);
	}
	if (pthread_mutex_init(&created->mutex, NULL) != 0) {
		free(created);
		return err_nomem(err);
	}
	created->params = *params;
	secret_init(&created->kept);
	secret_init(&created->refused);
	secret_init(&created->mark);
	*credential = created;
	return 0;
}

void credential_destroy(struct credential **credential)
{
	if (!*credential) {
		return;
	}
	credential_command_leave(*credential);
	secret_finish(&(*credential)->kept);
	secret_finish(&(*credential)->refused);
	secret_finish(&(*credential)->mark);
	pthread_mutex_destroy(&(*credential)->mutex);
	free(*credential);
	*credential = NULL;
}

/* --- the token --- */

static bool is_same(const struct secret *secret, const struct secret *other)
{
	return secret->data && other->data && secret_same(secret_span(secret), secret_span(other));
}

/* What the server refused last; it is not set where nothing was. */
static int copy_refused(struct credential *credential, struct secret *refused, struct err *err)
{
	pthread_mutex_lock(&credential->mutex);
	int code = credential->refused.data
			 ? secret_set(refused, secret_span(&credential->refused), err)
			 : 0;
	pthread_mutex_unlock(&credential->mutex);
	return code;
}

static int token_secret(struct credential *credential, const stop_flag *stop, struct secret *secret,
			struct err *err)
{
	struct secret refused;

	secret_init(&refused);
	int code = copy_refused(credential, &refused, err);
	code = code < 0 ? code
			: tokens_take(credential->params.tokens, &refused, stop, secret, NULL, err);
	secret_finish(&refused);
	return code;
}

/* --- any kind --- */

int credential_secret(struct credential *credential, const stop_flag *stop, struct secret *secret,
		      struct err *err)
{
	switch (credential->params.kind) {
	case CREDENTIAL_COMMAND:
		return credential_command_secret(credential, stop, secret, err);
	case CREDENTIAL_FILE:
		return credential_file_secret(credential, secret, err);
	case CREDENTIAL_OAUTH:
		return token_secret(credential, stop, secret, err);
	case CREDENTIAL_PASSWORD:
		break;
	}
	return secret_set(secret, secret_span(credential->params.password), err);
}

int credential_identity(struct credential *credential, const stop_flag *stop,
			struct secret *identity, struct err *err)
{
	if (credential->params.kind == CREDENTIAL_OAUTH) {
		return tokens_mark(credential->params.tokens, identity, err);
	}
	return credential_secret(credential, stop, identity, err);
}

void credential_refused(struct credential *credential, const struct secret *secret)
{
	bool is_token = credential->params.kind == CREDENTIAL_OAUTH;
	struct err ignored;

	pthread_mutex_lock(&credential->mutex);
	if (is_same(&credential->kept, secret)) {
		secret_finish(&credential->kept);
	}
	(void)secret_set(&credential->refused, secret_span(secret), &ignored);
	if (!is_token || tokens_mark(credential->params.tokens, &credential->mark, &ignored) < 0) {
		(void)secret_set(&credential->mark, secret_span(secret), &ignored);
	}
	pthread_mutex_unlock(&credential->mutex);
}

const struct secret *credential_refused_secret(const struct credential *credential)
{
	return credential->mark.data ? &credential->mark : NULL;
}

int credential_renew(struct credential *credential, const stop_flag *stop, struct err *err)
{
	bool is_token = credential->params.kind == CREDENTIAL_OAUTH;
	struct secret now, refused;
	struct err why;

	if (credential->params.kind == CREDENTIAL_PASSWORD) {
		return 0;
	}
	secret_init(&now);
	secret_init(&refused);
	int code = copy_refused(credential, &refused, &why);
	if (code == 0 && (code = credential_secret(credential, stop, &now, &why)) == 0) {
		code = refused.data && !is_same(&now, &refused) ? 1 : 0;
	}
	secret_finish(&refused);
	secret_finish(&now);
	/* What the mail server said of the old one tells more than a command that fails. */
	if (code < 0 && !is_token && code != -ERR_INTERRUPTED) {
		return 0;
	}
	if (code < 0) {
		*err = why;
	}
	return code;
}

/* --- words for people --- */

const char *credential_account(const struct credential *credential)
{
	return credential->params.account;
}

static void advise_of_token(const struct credential *credential, struct span words, struct buf *out)
{
	const char *account = credential->params.account;
	struct oauth_challenge challenge = {0};
	struct buf missing;

	buf_init(&missing, SCOPE_MAX);
	if (oauth_challenge_read(words, &challenge)) {
		tokens_missing(credential->params.tokens, challenge.scope, &missing);
	}
	if (missing.len == 0) {
		tokens_lacking(credential->params.tokens, &missing);
	}
	if (missing.len > 0) {
		buf_printf(out,
			   "the scope \"%s\" was not granted: check `oauth_scope` and the "
			   "registration of the client, then run `mailsync login %s`",
			   buf_span(&missing).data, account);
	} else if (challenge.status == 400) {
		buf_printf(
			out,
			"the server calls a fresh token invalid: it may be meant for something "
			"else than mail (`oauth_scope`), or be of another account than `user`; run "
			"`mailsync login %s`",
			account);
	} else {
		buf_printf(
			out,
			"the token may be of another account than `user`, or this account's mail "
			"be switched off for programs: see there, then run `mailsync login %s`",
			account);
	}
	buf_finish(&missing);
}

void credential_advise(const struct credential *credential, struct span words, struct buf *out)
{
	if (credential && credential->params.kind == CREDENTIAL_OAUTH) {
		advise_of_token(credential, words, out);
	} else {
		buf_append_cstr(out, "check user and password");
	}
}

int credential_explain(const struct credential *credential, struct strlist *lines, struct err *err)
{
	bool is_token = credential && credential->params.kind == CREDENTIAL_OAUTH;

	return is_token ? tokens_explain(credential->params.tokens, lines, err) : 0;
}
