#include "mailsync/oauth/client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mailsync/base/url.h"
#include "object.h"
#include "preset.h"

/* A packager's clients, a build option (Makefile). */
#ifndef MAILSYNC_OAUTH_CLIENTS
#define MAILSYNC_OAUTH_CLIENTS ""
#endif

#define URL_MAX 2048

void oauth_client_init(struct oauth_client *client)
{
	*client = (struct oauth_client){0};
	secret_init(&client->secret);
}

void oauth_client_finish(struct oauth_client *client)
{
	free(client->issuer);
	free(client->auth_url);
	free(client->token_url);
	free(client->device_url);
	free(client->register_url);
	free(client->revoke_url);
	free(client->scope);
	free(client->id);
	free(client->redirect);
	secret_finish(&client->secret);
	oauth_client_init(client);
}

/* Sets *PLACE to TEXT where it is not set yet and there is a text. */
static int fill(char **place, const char *text, struct err *err)
{
	if (*place || !text) {
		return 0;
	}
	*place = span_dup(span_of(text));
	return *place ? 0 : err_nomem(err);
}

/* --- keys and presets --- */

/* TEXT of a preset, with TENANT put into it. */
static int fill_preset(char **place, const char *text, const char *tenant, struct err *err)
{
	const char *mark = text ? strstr(text, "TENANT") : NULL;
	struct buf whole;

	if (!mark) {
		return fill(place, text, err);
	}
	buf_init(&whole, URL_MAX);
	buf_append(&whole, text, (size_t)(mark - text));
	url_append_encoded(&whole, span_of(tenant ? tenant : "common"));
	buf_append_cstr(&whole, mark + strlen("TENANT"));
	int code = buf_status(&whole, "oauth_tenant", err);
	code = code < 0 ? code : fill(place, whole.data, err);
	buf_finish(&whole);
	return code;
}

static int take_keys(struct oauth_client *client, const struct oauth_settings *settings,
		     struct err *err)
{
	int code;

	if ((code = fill(&client->auth_url, settings->auth_url, err)) < 0 ||
	    (code = fill(&client->token_url, settings->token_url, err)) < 0 ||
	    (code = fill(&client->device_url, settings->device_url, err)) < 0 ||
	    (code = fill(&client->register_url, settings->register_url, err)) < 0 ||
	    (code = fill(&client->scope, settings->scope, err)) < 0 ||
	    (code = fill(&client->id, settings->client_id, err)) < 0) {
		return code;
	}
	return fill(&client->redirect, settings->redirect, err);
}

/* A preset's scope for the account's protocol; where it is shared, with what the other needs. */
static int fill_scope(char **place, const struct oauth_preset *preset,
		      const struct oauth_settings *settings, struct err *err)
{
	const char *first = settings->is_pop3 ? preset->pop_scope : preset->scope;
	const char *other = settings->is_pop3 ? preset->scope : preset->pop_scope;
	struct buf both;

	if (!preset->pop_scope || !settings->is_shared) {
		return fill(place, preset->pop_scope ? first : preset->scope, err);
	}
	buf_init(&both, URL_MAX);
	buf_printf(&both, "%s %.*s", first, (int)strcspn(other, " "), other);
	int code = buf_status(&both, "a scope", err);
	code = code < 0 ? code : fill(place, both.data, err);
	buf_finish(&both);
	return code;
}

static int take_preset(struct oauth_client *client, const struct oauth_settings *settings,
		       struct err *err)
{
	const struct oauth_preset *preset = client->preset;
	const char *tenant = settings->tenant;
	int code;

	if ((code = fill_preset(&client->auth_url, preset->auth_url, tenant, err)) < 0 ||
	    (code = fill_preset(&client->token_url, preset->token_url, tenant, err)) < 0 ||
	    (code = fill_preset(&client->device_url, preset->device_url, tenant, err)) < 0 ||
	    (code = fill(&client->register_url, preset->register_url, err)) < 0 ||
	    (code = fill(&client->revoke_url, preset->revoke_url, err)) < 0 ||
	    (code = fill_scope(&client->scope, preset, settings, err)) < 0) {
		return code;
	}
	return fill(&client->redirect, preset->redirect, err);
}

static int take_packaged(struct oauth_client *client, const char *oauth, struct err *err)
{
	struct span packaged = oauth_packaged_client(MAILSYNC_OAUTH_CLIENTS, oauth);
	const char *colon = packaged.len > 0 ? memchr(packaged.data, ':', packaged.len) : NULL;
	struct span id = packaged;

	if (client->id || packaged.len == 0) {
		return 0;
	}
	if (colon) {
		id.len = (size_t)(colon - packaged.data);
		struct span secret = {colon + 1, packaged.len - id.len - 1};
		int code = secret_set(&client->secret, secret, err);
		if (code < 0) {
			return code;
		}
	}
	client->id = span_dup(id);
	return client->id ? 0 : err_nomem(err);
}

int oauth_client_resolve(struct oauth_client *client, const struct oauth_settings *settings,
			 struct err *err)
{
	int code;

	client->account = settings->account;
	client->preset = oauth_preset_find(settings->oauth);
	if (!client->preset && !url_is_safe(span_of(settings->oauth))) {
		return err_set(
			err, ERR_CONFIG, SCOPE_ACCOUNT,
			"oauth = %s of account %s is neither a provider's word nor an address",
			settings->oauth, settings->account);
	}
	if (!client->preset) {
		client->preset = oauth_preset(PRESET_CUSTOM);
		if ((code = fill(&client->issuer, settings->oauth, err)) < 0) {
			return code;
		}
	}
	if ((code = take_keys(client, settings, err)) < 0 ||
	    (code = take_preset(client, settings, err)) < 0) {
		return code;
	}
	return take_packaged(client, settings->oauth, err);
}

/* --- metadata --- */

static struct span without_slashes(struct span text)
{
	while (text.len > 0 && text.data[text.len - 1] == '/') {
		text.len--;
	}
	return text;
}

/* Where RFC 8414 puts it: between host and path; and where OpenID does: behind the path. */
bool oauth_client_metadata_url(const struct oauth_client *client, unsigned attempt, struct buf *url)
{
	static const char *const names[] = {"oauth-authorization-server", "openid-configuration"};
	struct url parts;

	if (attempt >= 3 || !client->issuer || !url_read(span_of(client->issuer), &parts)) {
		return false;
	}
	size_t len = (size_t)(parts.path.data - client->issuer);
	struct span path = without_slashes(parts.path);
	if (attempt == 2 && path.len == 0) {
		return false; /* the same as before */
	}
	buf_append(url, client->issuer, len);
	if (attempt == 2) {
		buf_append_span(url, path);
	}
	buf_printf(url, "/.well-known/%s", names[attempt > 0]);
	if (attempt < 2) {
		buf_append_span(url, path);
	}
	return url->failed == 0;
}

/* The address under KEY of METADATA, into *PLACE where that is not set. */
static int take_url(char **place, const struct object *metadata, const char *key, struct err *err)
{
	const char *text = object_text(metadata, key);

	if (text && !url_is_safe(span_of(text))) {
		return err_set(
			err, ERR_SERVER, SCOPE_ACCOUNT,
			"the issuer's metadata has a %s that no secret may be sent to (it is "
			"not https)",
			key);
	}
	return fill(place, text, err);
}

/* What mail needs of the scopes that an issuer knows. */
static int take_scopes(struct oauth_client *client, const struct object *metadata, struct err *err)
{
	static const char *const wanted[] = {"urn:ietf:params:oauth:scope:mail", "openid", "email",
					     "mail", "offline_access"};
	const char *first = wanted[0];
	bool has_mail = object_lists(metadata, "scopes_supported", first);
	struct buf scope;

	if (!object_item(metadata, "scopes_supported", 0)) {
		/* It names none. Registration needs one all the same. */
		return fill(&client->scope, "urn:ietf:params:oauth:scope:mail offline_access", err);
	}
	buf_init(&scope, URL_MAX);
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		bool counts = i == 0 || i == 4 || !has_mail;
		if (counts && object_lists(metadata, "scopes_supported", wanted[i])) {
			buf_printf(&scope, "%s%s", scope.len > 0 ? " " : "", wanted[i]);
		}
	}
	int code = buf_status(&scope, "a scope", err);
	code = code < 0 || scope.len == 0 ? code : fill(&client->scope, scope.data, err);
	buf_finish(&scope);
	return code;
}

bool oauth_client_is_issuer(const struct oauth_client *client, struct span told)
{
	return span_equal(without_slashes(told), without_slashes(span_of(client->issuer)));
}

static int take_metadata(struct oauth_client *client, const struct object *metadata,
			 struct err *err)
{
	static const char methods[] = "token_endpoint_auth_methods_supported";
	int code;

	if (!oauth_client_is_issuer(client, span_of(object_text(metadata, "issuer")))) {
		return err_set(err, ERR_SERVER, SCOPE_ACCOUNT,
			       "the metadata of %s says that they are another issuer's",
			       client->issuer);
	}
	if ((code = take_url(&client->auth_url, metadata, "authorization_endpoint", err)) < 0 ||
	    (code = take_url(&client->token_url, metadata, "token_endpoint", err)) < 0 ||
	    (code = take_url(&client->device_url, metadata, "device_authorization_endpoint", err)) <
		    0 ||
	    (code = take_url(&client->register_url, metadata, "registration_endpoint", err)) < 0 ||
	    (code = take_url(&client->revoke_url, metadata, "revocation_endpoint", err)) < 0) {
		return code;
	}
	client->wants_basic = object_lists(metadata, methods, "client_secret_basic") &&
			      !object_lists(metadata, methods, "client_secret_post");
	client->sends_iss =
		object_is_true(metadata, "authorization_response_iss_parameter_supported");
	return client->scope ? 0 : take_scopes(client, metadata, err);
}

int oauth_client_take_metadata(struct oauth_client *client, struct span text, struct err *err)
{
	struct object *metadata = NULL;
	struct err why;
	int code = object_read(&metadata, text, &why);

	if (code < 0) {
		return err_set(err, ERR_PROTOCOL, SCOPE_ACCOUNT,
			       "the metadata of %s make no sense: %s", client->issuer, why.text);
	}
	code = take_metadata(client, metadata, err);
	object_finish(&metadata);
	return code;
}

/* --- registration --- */

bool oauth_client_needs_registration(const struct oauth_client *client)
{
	return !client->id && client->register_url;
}

static int fill_registration(const struct oauth_client *client, const char *redirect,
			     struct object *request, struct err *err)
{
	static const char device[] = "urn:ietf:params:oauth:grant-type:device_code";
	const char *const redirects[] = {redirect, NULL};
	const char *const grants[] = {"authorization_code", "refresh_token",
				      client->device_url ? device : NULL, NULL};
	const char *const responses[] = {"code", NULL};
	int code;

	if ((code = object_set_text(request, "client_name", "mailsync", err)) < 0 ||
	    (code = object_set_list(request, "redirect_uris", redirects, err)) < 0 ||
	    (code = object_set_list(request, "grant_types", grants, err)) < 0 ||
	    (code = object_set_list(request, "response_types", responses, err)) < 0 ||
	    (code = object_set_text(request, "token_endpoint_auth_method", "none", err)) < 0 ||
	    (code = object_set_text(request, "application_type", "native", err)) < 0) {
		return code;
	}
	return object_set_text(request, "scope", client->scope, err);
}

int oauth_client_write_registration(const struct oauth_client *client, const char *redirect,
				    struct buf *body, struct err *err)
{
	struct object *request = NULL;
	int code = object_create(&request, err);

	if (code < 0 || (code = fill_registration(client, redirect, request, err)) < 0) {
		goto finish;
	}
	code = object_write(request, body, err);
finish:
	object_finish(&request);
	return code;
}

/* The redirect that came back, in whose form it has to be sent: Fastmail makes localhost of
 * 127.0.0.1. */
static int take_redirect(struct oauth_client *client, const char *redirect, struct err *err)
{
	struct url url;

	if (!redirect) {
		return 0;
	}
	if (!url_read(span_of(redirect), &url) || !span_equal_nocase(url.scheme, "http") ||
	    !url_host_is_loopback(url.host)) {
		return err_set(err, ERR_SERVER, SCOPE_ACCOUNT,
			       "%s registered a redirect that does not lead to this machine",
			       client->register_url);
	}
	free(client->redirect);
	client->redirect = NULL;
	return fill(&client->redirect, redirect, err);
}

static int take_registration(struct oauth_client *client, const struct object *reply,
			     struct err *err)
{
	const char *id = object_text(reply, "client_id");
	const char *secret = object_text(reply, "client_secret");
	const char *method = object_text(reply, "token_endpoint_auth_method");
	bool is_public = method && strcmp(method, "none") == 0;
	int code;

	if (!id || !*id) {
		return err_set(err, ERR_PROTOCOL, SCOPE_ACCOUNT,
			       "%s registered us and gave no client_id", client->register_url);
	}
	if ((code = take_redirect(client, object_item(reply, "redirect_uris", 0), err)) < 0 ||
	    (code = fill(&client->id, id, err)) < 0 ||
	    (secret && !is_public &&
	     (code = secret_set(&client->secret, span_of(secret), err)) < 0)) {
		return code;
	}
	client->wants_basic = method && strcmp(method, "client_secret_basic") == 0;
	client->is_registered = true;
	return 0;
}

int oauth_client_take_registration(struct oauth_client *client, struct span text, struct err *err)
{
	struct object *reply = NULL;
	struct err why;
	int code = object_read(&reply, text, &why);

	if (code < 0) {
		return err_set(err, ERR_PROTOCOL, SCOPE_ACCOUNT,
			       "the registration by %s makes no sense: %s", client->register_url,
			       why.text);
	}
	code = take_registration(client, reply, err);
	object_finish(&reply);
	return code;
}

int oauth_client_check_id(const struct oauth_client *client, struct err *err)
{
	if (client->id) {
		return 0;
	}
	return err_set(
		err, ERR_CONFIG, SCOPE_ACCOUNT,
		"account %s needs `oauth_client_id`%s, as no client comes with this program: "
		"%s (docs/SIGNING-IN.md)",
		client->account, client->preset->has_testing ? " and `oauth_client_secret`" : "",
		client->preset->get_client);
}

/* --- what is saved --- */

int oauth_client_take_saved(struct oauth_client *client, const struct oauth_client *saved,
			    struct err *err)
{
	int code;

	if ((code = fill(&client->token_url, saved->token_url, err)) < 0 ||
	    (code = fill(&client->revoke_url, saved->revoke_url, err)) < 0) {
		return code;
	}
	client->wants_basic = client->wants_basic || saved->wants_basic;
	if (client->id || !saved->is_registered) {
		return 0;
	}
	client->is_registered = true;
	code = fill(&client->id, saved->id, err);
	return code < 0 || !saved->secret.data
		     ? code
		     : secret_set(&client->secret, secret_span(&saved->secret), err);
}

int oauth_client_copy(struct oauth_client *saved, const struct oauth_client *client,
		      struct err *err)
{
	int code;

	if ((code = fill(&saved->issuer, client->issuer, err)) < 0 ||
	    (code = fill(&saved->token_url, client->token_url, err)) < 0 ||
	    (code = fill(&saved->revoke_url, client->revoke_url, err)) < 0 ||
	    (code = fill(&saved->id, client->id, err)) < 0) {
		return code;
	}
	saved->wants_basic = client->wants_basic;
	saved->is_registered = client->is_registered;
	return client->is_registered && client->secret.data
		     ? secret_set(&saved->secret, secret_span(&client->secret), err)
		     : 0;
}

/* --- asking --- */

struct span oauth_client_mail_scope(const struct oauth_client *client)
{
	const char *scope = client->scope ? client->scope : "";

	return (struct span){scope, strcspn(scope, " ")};
}

enum oauth_proof oauth_client_proof(const struct oauth_client *client)
{
	if (!client->secret.data) {
		return OAUTH_PROOF_NONE;
	}
	return client->wants_basic ? OAUTH_PROOF_BASIC : OAUTH_PROOF_BODY;
}

void oauth_client_append_redirect(const struct oauth_client *client, unsigned port, struct buf *out)
{
	struct url url;

	if (!url_read(span_of(client->redirect), &url) || url.port.len > 0) {
		buf_append_cstr(out, client->redirect);
		return;
	}
	size_t len = (size_t)(url.path.data - client->redirect);
	buf_append(out, client->redirect, len);
	buf_printf(out, ":%u%s", port, client->redirect + len);
}

unsigned oauth_client_port(const struct oauth_client *client)
{
	struct url url;
	uint32_t port;

	return url_read(span_of(client->redirect), &url) && span_to_u32(url.port, &port) ? port : 0;
}

const char *oauth_client_name(const struct oauth_client *client)
{
	return client->preset->name;
}

const char *oauth_client_no_device(const struct oauth_client *client)
{
	return client->preset->no_device;
}

const char *oauth_client_rules(const struct oauth_client *client)
{
	return client->preset->rules;
}

bool oauth_client_has_testing(const struct oauth_client *client)
{
	return client->preset->has_testing;
}
