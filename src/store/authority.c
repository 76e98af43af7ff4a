#include "authority_private.h"

#include <stdlib.h>

#include "mailsync/base/clock.h"
#include "mailsync/net/http.h"
#include "mailsync/store/credential.h"

#define FORM_TYPE "application/x-www-form-urlencoded"
#define URL_MAX   4096
#define FORM_MAX  ((size_t)HTTP_BODY_MAX * 4) /* a token that came in a reply, encoded */

void authority_now(struct oauth_now *now)
{
	now->real_s = clock_real_s();
	now->monotonic_ms = clock_monotonic_ms();
	clock_boot_id(now->boot);
}

static int take_secret(struct authority *authority, struct err *err)
{
	struct credential *credential = authority->params->client_secret;
	struct secret *secret = &authority->client.secret;
	int code = 0;

	if (credential) {
		code = credential_secret(credential, authority->stop, secret, err);
	}
	return code < 0 ? code : blot_add(&authority->blot, secret_span(secret), err);
}

int authority_open(struct authority **authority, const struct authority_params *params,
		   const stop_flag *stop, struct err *err)
{
	struct authority *opened = calloc(1, sizeof(*opened));
	int code;

	if (!opened) {
		return err_nomem(err);
	}
	opened->params = params;
	opened->stop = stop;
	oauth_client_init(&opened->client);
	blot_init(&opened->blot);
	if ((code = oauth_client_resolve(&opened->client, params->settings, err)) < 0 ||
	    (code = take_secret(opened, err)) < 0) {
		authority_close(&opened);
		return code;
	}
	*authority = opened;
	return 0;
}

void authority_close(struct authority **authority)
{
	if (*authority) {
		oauth_client_finish(&(*authority)->client);
		blot_finish(&(*authority)->blot);
		free(*authority);
		*authority = NULL;
	}
}

const struct oauth_client *authority_client(const struct authority *authority)
{
	return &authority->client;
}

/* --- one request --- */

static int ask(const struct authority *authority, const struct http_request *request,
	       struct http_reply *reply, struct err *err)
{
	const struct authority_params *params = authority->params;
	const struct http_params http = {
		.ca_file = params->ca_file,
		.proxy = params->proxy,
		.timeout_s = params->timeout_s,
		.stop = authority->stop,
		.log = params->log,
		.label = params->account,
	};

	return http_ask(&http, request, reply, err);
}

static bool is_success(const struct http_reply *reply)
{
	return reply->status >= 200 && reply->status < 300 &&
	       !oauth_reply_is_error(buf_span(&reply->body));
}

/* Why REPLY is none of success; *REFUSAL (may be NULL) how. */
static int refused(const struct authority *authority, const struct http_reply *reply,
		   enum oauth_refusal *refusal, struct err *err)
{
	const struct oauth_reply words = {
		.status = reply->status,
		.text = buf_span(&reply->body),
		.retry_s = reply->retry_s,
	};
	enum oauth_refusal found =
		oauth_refusal_read(&authority->client, &words, &authority->blot, err);

	if (refusal) {
		*refusal = found;
	}
	return -(int)err->code;
}

/* Sends the form BODY, with what proves the client, to URL. WHAT: its name, where it is missing. */
static int send_form(const struct authority *authority, const char *url, const char *what,
		     const struct buf *body, struct http_reply *reply, struct err *err)
{
	struct buf basic;
	int code;

	if (!url) {
		return err_set(
			err, ERR_CONFIG, SCOPE_ACCOUNT,
			"account %s has no address for %s, and its authorization server tells "
			"none",
			authority->params->account, what);
	}
	buf_init(&basic, FORM_MAX);
	if ((code = oauth_write_basic(&authority->client, &basic, err)) < 0) {
		goto finish;
	}
	const struct http_request request = {
		.url = url,
		.content_type = FORM_TYPE,
		.body = buf_span(body),
		.authorization = buf_span(&basic),
		.is_act = true, /* what it gives in turn is given once */
	};
	code = ask(authority, &request, reply, err);
finish:
	buf_finish_secret(&basic);
	return code;
}

/* --- who it is --- */

/* True when the ATTEMPT-th place has the metadata; else ERR tells why the last one had not. */
static int discover_at(struct authority *authority, const char *url, bool *found, struct err *err)
{
	const struct http_request request = {.url = url};
	struct http_reply reply;

	http_reply_init(&reply);
	int code = ask(authority, &request, &reply, err);
	if (code == 0 && is_success(&reply)) {
		code = oauth_client_take_metadata(&authority->client, buf_span(&reply.body), err);
		*found = code == 0;
	} else if (code == 0) {
		(void)refused(authority, &reply, NULL, err);
		code = err->code == ERR_TEMPORARY ? -ERR_TEMPORARY : 0;
	}
	http_reply_finish(&reply);
	return code;
}

int authority_discover(struct authority *authority, struct err *err)
{
	const char *issuer = authority->client.issuer;
	bool found = issuer == NULL;
	struct buf url;
	int code = 0;

	buf_init(&url, URL_MAX);
	for (unsigned i = 0;
	     code == 0 && !found && oauth_client_metadata_url(&authority->client, i, &url); i++) {
		code = discover_at(authority, url.data, &found, err);
		buf_clear(&url);
	}
	buf_finish(&url);
	if (code == 0 && !found) {
		return err_set(err, ERR_SERVER, SCOPE_ACCOUNT,
			       "%s tells nothing of itself (no metadata of RFC 8414 or OpenID): "
			       "check the key `oauth`",
			       issuer);
	}
	return code;
}

static int register_client(struct authority *authority, const struct buf *body, struct err *err)
{
	const struct http_request request = {
		.url = authority->client.register_url,
		.content_type = "application/json",
		.body = buf_span(body),
	};
	struct http_reply reply;

	http_reply_init(&reply);
	int code = ask(authority, &request, &reply, err);
	if (code == 0) {
		code = is_success(&reply) ? oauth_client_take_registration(
						    &authority->client, buf_span(&reply.body), err)
					  : refused(authority, &reply, NULL, err);
	}
	http_reply_finish(&reply);
	return code < 0 ? code
			: blot_add(&authority->blot, secret_span(&authority->client.secret), err);
}

int authority_register(struct authority *authority, const char *redirect, struct err *err)
{
	struct buf body;
	int code = 0;

	if (oauth_client_needs_registration(&authority->client)) {
		buf_init(&body, FORM_MAX);
		code = oauth_client_write_registration(&authority->client, redirect, &body, err);
		code = code < 0 ? code : register_client(authority, &body, err);
		buf_finish(&body);
	}
	return code < 0 ? code : oauth_client_check_id(&authority->client, err);
}

/* --- tokens --- */

/* What the words of the server must not show. */
static int blot_tokens(struct authority *authority, const struct oauth_token *token,
		       struct err *err)
{
	const struct secret *secrets[] = {&token->access, &token->refresh, &token->before};
	int code = 0;

	for (size_t i = 0; code == 0 && i < sizeof(secrets) / sizeof(secrets[0]); i++) {
		code = blot_add(&authority->blot, secret_span(secrets[i]), err);
	}
	return code;
}

/* BODY gets a token, into TOKEN. */
static int take_token(struct authority *authority, const struct buf *body,
		      struct oauth_token *token, enum oauth_refusal *refusal, struct err *err)
{
	struct http_reply reply;
	struct err ignored;
	struct oauth_now now;

	*refusal = OAUTH_REFUSED;
	http_reply_init(&reply);
	int code = send_form(authority, authority->client.token_url, "tokens (`oauth_token_url`)",
			     body, &reply, err);
	authority_now(&now);
	if (code == 0) {
		code = is_success(&reply)
			     ? oauth_token_take_reply(token, buf_span(&reply.body), &now, err)
			     : refused(authority, &reply, refusal, err);
	} else if (is_success(&reply) &&
		   oauth_token_take_reply(token, buf_span(&reply.body), &now, &ignored) == 0) {
		code = 0; /* it broke off behind the tokens */
	}
	http_reply_finish(&reply);
	return code;
}

int authority_take_code(struct authority *authority, const struct oauth_flow *flow,
			const struct secret *code_secret, struct oauth_token *token,
			struct err *err)
{
	enum oauth_refusal refusal;
	struct buf body;
	int code;

	buf_init(&body, FORM_MAX);
	if ((code = blot_add(&authority->blot, secret_span(code_secret), err)) < 0 ||
	    (code = blot_add(&authority->blot, span_of(flow->verifier), err)) < 0 ||
	    (code = oauth_write_code(flow, &authority->client, code_secret, &body, err)) < 0) {
		goto finish;
	}
	code = take_token(authority, &body, token, &refusal, err);
finish:
	buf_finish_secret(&body);
	return code;
}

int authority_begin_device(struct authority *authority, struct oauth_device *device,
			   struct err *err)
{
	struct http_reply reply;
	struct buf body;
	int code;

	http_reply_init(&reply);
	buf_init(&body, FORM_MAX);
	if ((code = oauth_write_device(&authority->client, &body, err)) < 0 ||
	    (code = send_form(authority, authority->client.device_url,
			      "the device flow (`oauth_device_url`)", &body, &reply, err)) < 0) {
		goto finish;
	}
	code = is_success(&reply) ? oauth_device_read(device, buf_span(&reply.body), err)
				  : refused(authority, &reply, NULL, err);
finish:
	buf_finish_secret(&body);
	http_reply_finish(&reply);
	return code < 0 ? code : blot_add(&authority->blot, secret_span(&device->code), err);
}

int authority_take_device(struct authority *authority, struct oauth_device *device,
			  struct oauth_token *token, struct err *err)
{
	struct buf body;

	buf_init(&body, FORM_MAX);
	int code = oauth_write_poll(&authority->client, device, &body, err);
	code = code < 0 ? code : take_token(authority, &body, token, &device->refusal, err);
	buf_finish_secret(&body);
	return code;
}

int authority_refresh(struct authority *authority, const struct secret *refresh,
		      struct oauth_token *token, enum oauth_refusal *refusal, struct err *err)
{
	struct buf body;
	int code;

	*refusal = OAUTH_REFUSED;
	buf_init(&body, FORM_MAX);
	if ((code = blot_tokens(authority, token, err)) < 0 ||
	    (code = oauth_write_refresh(&authority->client, refresh, &body, err)) < 0) {
		goto finish;
	}
	code = take_token(authority, &body, token, refusal, err);
finish:
	buf_finish_secret(&body);
	return code;
}

int authority_revoke(struct authority *authority, const struct oauth_token *token, struct err *err)
{
	const struct secret *secret = token->refresh.data ? &token->refresh : &token->access;
	struct http_reply reply;
	struct buf body;
	int code;

	if (!authority->client.revoke_url) {
		return 0;
	}
	http_reply_init(&reply);
	buf_init(&body, FORM_MAX);
	if ((code = blot_tokens(authority, token, err)) < 0 ||
	    (code = oauth_write_revoke(&authority->client, secret, &body, err)) < 0 ||
	    (code = send_form(authority, authority->client.revoke_url, "revocation", &body, &reply,
			      err)) < 0) {
		goto finish;
	}
	/* 400 is what some answer for a token that is over already. */
	if (!is_success(&reply) && reply.status != 400) {
		code = refused(authority, &reply, NULL, err);
	}
finish:
	buf_finish_secret(&body);
	http_reply_finish(&reply);
	return code;
}
