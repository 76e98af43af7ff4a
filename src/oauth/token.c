#include "mailsync/oauth/token.h"

#include <stdlib.h>
#include <string.h>

#include "object.h"
#include "preset.h"

#define AHEAD_S     300
#define AHEAD_SHARE 10                       /* of a short life */
#define TIME_MAX    INT64_C(100000000000000) /* in s or ms, far off in either */

void oauth_token_init(struct oauth_token *token)
{
	*token = (struct oauth_token){0};
	secret_init(&token->access);
	secret_init(&token->refresh);
	secret_init(&token->before);
	oauth_client_init(&token->client);
}

void oauth_token_finish(struct oauth_token *token)
{
	secret_finish(&token->access);
	secret_finish(&token->refresh);
	secret_finish(&token->before);
	free(token->scope);
	oauth_client_finish(&token->client);
	oauth_token_init(token);
}

/* --- the file --- */

static int take_secret(const struct object *object, const char *key, struct secret *secret,
		       struct err *err)
{
	const char *text = object_text(object, key);

	return text ? secret_set(secret, span_of(text), err) : 0;
}

static int take_string(const struct object *object, const char *key, char **place, struct err *err)
{
	const char *text = object_text(object, key);

	if (!text) {
		return 0;
	}
	*place = span_dup(span_of(text));
	return *place ? 0 : err_nomem(err);
}

/* A time or a span of it; 0 where it is none. */
static int64_t time_of(const struct object *object, const char *key)
{
	int64_t number = 0;

	(void)object_number(object, key, &number);
	return number > 0 && number <= TIME_MAX ? number : 0;
}

static void take_text(const struct object *object, const char *key, char *place, size_t size)
{
	const char *text = object_text(object, key);

	if (text && strlen(text) < size) {
		memcpy(place, text, strlen(text) + 1);
	}
}

/* None, or one that is over before it begins, is not told. */
static void take_lifetime(struct oauth_token *token, const struct object *object, const char *key)
{
	int64_t lifetime = 0;

	token->is_lifetime_told = object_number(object, key, &lifetime) && lifetime > 0;
	token->lifetime_s = !token->is_lifetime_told      ? OAUTH_LIFETIME_S
			  : lifetime > OAUTH_LIFETIME_MAX ? OAUTH_LIFETIME_MAX
							  : lifetime;
}

static int take_file(struct oauth_token *token, const struct object *file, struct err *err)
{
	struct oauth_client *client = &token->client;
	int code;

	if ((code = take_secret(file, "access_token", &token->access, err)) < 0 ||
	    (code = take_secret(file, "refresh_token", &token->refresh, err)) < 0 ||
	    (code = take_secret(file, "refresh_token_before", &token->before, err)) < 0 ||
	    (code = take_string(file, "scope", &token->scope, err)) < 0 ||
	    (code = take_string(file, "issuer", &client->issuer, err)) < 0 ||
	    (code = take_string(file, "token_url", &client->token_url, err)) < 0 ||
	    (code = take_string(file, "revoke_url", &client->revoke_url, err)) < 0 ||
	    (code = take_string(file, "client_id", &client->id, err)) < 0 ||
	    (code = take_secret(file, "client_secret", &client->secret, err)) < 0) {
		return code;
	}
	client->is_registered = object_is_true(file, "client_is_registered");
	client->wants_basic = object_is_true(file, "wants_basic");
	take_text(file, "grant", token->grant, sizeof(token->grant));
	token->granted_s = time_of(file, "granted_at");
	token->received.real_s = time_of(file, "received_at");
	token->received.monotonic_ms = time_of(file, "received_ms");
	take_text(file, "received_boot", token->received.boot, sizeof(token->received.boot));
	take_lifetime(token, file, "lifetime");
	return 0;
}

int oauth_token_read(struct oauth_token *token, struct span text, struct err *err)
{
	struct object *file = NULL;
	struct err why;
	int code = object_read(&file, text, &why);

	if (code == -ERR_NOMEM) {
		*err = why;
		return code;
	}
	if (code < 0) {
		return err_set(err, ERR_LOGIN, SCOPE_ACCOUNT, "%s", why.text);
	}
	code = take_file(token, file, err);
	if (code == 0 && (!token->access.data || !token->client.id || token->grant[0] == '\0')) {
		code = err_set(err, ERR_LOGIN, SCOPE_ACCOUNT, "it holds no token");
	}
	object_finish(&file);
	return code;
}

static int fill_client(const struct oauth_client *client, struct object *file, struct err *err)
{
	int code;

	if ((code = object_set_text(file, "issuer", client->issuer, err)) < 0 ||
	    (code = object_set_text(file, "token_url", client->token_url, err)) < 0 ||
	    (code = object_set_text(file, "revoke_url", client->revoke_url, err)) < 0 ||
	    (code = object_set_text(file, "client_id", client->id, err)) < 0) {
		return code;
	}
	/* One of the configuration stays there. */
	if (client->is_registered &&
	    ((code = object_set_text(file, "client_secret", client->secret.data, err)) < 0 ||
	     (code = object_set_true(file, "client_is_registered", err)) < 0)) {
		return code;
	}
	return client->wants_basic ? object_set_true(file, "wants_basic", err) : 0;
}

static int fill_file(const struct oauth_token *token, struct object *file, struct err *err)
{
	const struct oauth_now *received = &token->received;
	int code;

	if ((code = object_set_text(file, "access_token", token->access.data, err)) < 0 ||
	    (code = object_set_text(file, "refresh_token", token->refresh.data, err)) < 0 ||
	    (code = object_set_text(file, "refresh_token_before", token->before.data, err)) < 0 ||
	    (code = object_set_text(file, "scope", token->scope, err)) < 0 ||
	    (code = object_set_text(file, "grant", token->grant, err)) < 0 ||
	    (code = object_set_number(file, "granted_at", token->granted_s, err)) < 0 ||
	    (code = object_set_number(file, "received_at", received->real_s, err)) < 0 ||
	    (code = object_set_number(file, "received_ms", received->monotonic_ms, err)) < 0 ||
	    (code = object_set_text(file, "received_boot", received->boot, err)) < 0) {
		return code;
	}
	if (token->is_lifetime_told &&
	    (code = object_set_number(file, "lifetime", token->lifetime_s, err)) < 0) {
		return code;
	}
	return fill_client(&token->client, file, err);
}

int oauth_token_write(const struct oauth_token *token, struct buf *text, struct err *err)
{
	struct object *file = NULL;
	int code = object_create(&file, err);

	if (code < 0 || (code = fill_file(token, file, err)) < 0) {
		goto finish;
	}
	code = object_write(file, text, err);
	buf_append_char(text, '\n');
finish:
	object_finish(&file);
	return code < 0 ? code : buf_status(text, "a token file", err);
}

/* --- how fresh --- */

bool oauth_token_is_fresh(const struct oauth_token *token, const struct oauth_now *now)
{
	int64_t life = token->lifetime_s;
	int64_t ahead = life / AHEAD_SHARE < AHEAD_S ? life / AHEAD_SHARE : AHEAD_S;
	int64_t age = now->real_s - token->received.real_s;

	if (!token->access.data || age < 0 || age >= life - ahead) {
		return false;
	}
	/* In one boot the clock that nobody sets tells, too. */
	if (now->boot[0] == '\0' || strcmp(now->boot, token->received.boot) != 0) {
		return true;
	}
	int64_t age_ms = now->monotonic_ms - token->received.monotonic_ms;
	return age_ms >= 0 && age_ms / 1000 < life - ahead;
}

int64_t oauth_token_end_s(const struct oauth_token *token)
{
	return token->received.real_s + token->lifetime_s;
}

static bool same_text(const char *x, const char *y)
{
	return x && y ? strcmp(x, y) == 0 : x == y;
}

bool oauth_token_is_of(const struct oauth_token *token, const struct oauth_client *client)
{
	const struct oauth_client *own = &token->client;

	return same_text(own->issuer, client->issuer) &&
	       (client->id ? same_text(own->id, client->id) : own->is_registered);
}

bool oauth_token_ended_in_testing(const struct oauth_token *token, const struct oauth_now *now)
{
	int64_t end = token->granted_s + OAUTH_TESTING_S;

	return token->granted_s > 0 && token->received.real_s < end && end <= now->real_s;
}

/* --- replies --- */

static int check_reply(const struct object *reply, struct err *err)
{
	const char *access = object_text(reply, "access_token");
	const char *type = object_text(reply, "token_type");

	if (!access || !*access) {
		return err_set(err, ERR_PROTOCOL, SCOPE_ACCOUNT,
			       "the authorization server's answer holds no access token");
	}
	if (type && !span_equal_nocase(span_of(type), "bearer")) {
		return err_set(err, ERR_PROTOCOL, SCOPE_ACCOUNT,
			       "the authorization server gives a token of a kind that mail cannot "
			       "use (it is not Bearer)");
	}
	return 0;
}

/* Another refresh token than before: that one is kept, too. */
static int take_refresh(struct oauth_token *token, const struct object *reply, struct err *err)
{
	const char *refresh = object_text(reply, "refresh_token");
	int code = 0;

	if (!refresh || !*refresh || secret_same(secret_span(&token->refresh), span_of(refresh))) {
		return 0;
	}
	if (token->refresh.data) {
		code = secret_set(&token->before, secret_span(&token->refresh), err);
	}
	code = code < 0 ? code : secret_set(&token->refresh, span_of(refresh), err);
	token->is_unsaved = token->is_unsaved || code == 0;
	return code;
}

static int take_access(struct oauth_token *token, const struct object *reply,
		       const struct oauth_now *now, struct err *err)
{
	const char *scope = object_text(reply, "scope");
	char *copy = NULL;
	int code = check_reply(reply, err);

	if (code < 0) {
		return code;
	}
	if (scope && !(copy = span_dup(span_of(scope)))) {
		return err_nomem(err);
	}
	if ((code = secret_set(&token->access, span_of(object_text(reply, "access_token")), err)) <
	    0) {
		free(copy);
		return code;
	}
	if (copy) {
		free(token->scope);
		token->scope = copy;
	}
	take_lifetime(token, reply, "expires_in");
	token->received = *now;
	token->is_unsaved = true;
	return 0;
}

int oauth_token_take_reply(struct oauth_token *token, struct span text, const struct oauth_now *now,
			   struct err *err)
{
	struct object *reply = NULL;
	struct err why;
	int code = object_salvage(&reply, text, &why);
	bool is_damaged = code != 0;

	if (code == -ERR_NOMEM) {
		*err = why;
		return code;
	}
	if (code >= 0 && (code = take_refresh(token, reply, err)) == 0) {
		code = take_access(token, reply, now, err);
	}
	object_finish(&reply);
	if (code == -ERR_PROTOCOL && is_damaged) {
		return err_set(err, ERR_PROTOCOL, SCOPE_ACCOUNT,
			       "the authorization server's answer makes no sense: %s", why.text);
	}
	return code;
}

/* --- scopes --- */

/* The next word of *REST. */
static bool next_word(struct span *rest, struct span *word)
{
	while (rest->len > 0 && rest->data[0] == ' ') {
		*rest = (struct span){rest->data + 1, rest->len - 1};
	}
	size_t len = 0;
	while (len < rest->len && rest->data[len] != ' ') {
		len++;
	}
	*word = (struct span){rest->data, len};
	*rest = (struct span){rest->data + len, rest->len - len};
	return len > 0;
}

static bool has_word(const char *scope, struct span wanted)
{
	struct span rest = span_of(scope), word;

	while (next_word(&rest, &word)) {
		if (word.len == wanted.len && memcmp(word.data, wanted.data, word.len) == 0) {
			return true;
		}
	}
	return false;
}

void oauth_token_missing(const struct oauth_token *token, const char *scope, struct buf *out)
{
	/* What servers take, and do not name in what they granted. */
	static const char silent[] = "offline_access openid email profile";
	struct span rest = span_of(scope), word;

	while (token->scope && next_word(&rest, &word)) {
		if (!has_word(token->scope, word) && !has_word(silent, word)) {
			buf_append_cstr(out, out->len > 0 ? " " : "");
			buf_append_span(out, word);
		}
	}
}
