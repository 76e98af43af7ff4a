#include "refusal.h"

#include <stdio.h>
#include <string.h>

#include "mailsync/oauth/flow.h"
#include "object.h"
#include "preset.h"

#define WORDS_MAX 200

/* What to do about it. LOGIN: the command `login` is named behind the sentence. */
struct meaning {
	const char *name; /* the error code; or the number behind "AADSTS", Microsoft's own */
	enum err_code code;
	const char *sentence;
};

static const struct meaning meanings[] = {
	{"invalid_grant", ERR_LOGIN, "what was given out for this account holds no longer"},
	{"access_denied", ERR_LOGIN, "the consent was refused"},
	{"expired_token", ERR_LOGIN, "the time to consent ran out"},
	{"consent_required", ERR_LOGIN, "consent has to be given again"},
	{"interaction_required", ERR_LOGIN, "somebody has to sign in again"},
	{"login_required", ERR_LOGIN, "somebody has to sign in again"},
	{"invalid_client", ERR_CONFIG,
	 "the client is not known, or its secret is wrong: check `oauth_client_id` and "
	 "`oauth_client_secret`"},
	{"unauthorized_client", ERR_CONFIG,
	 "the client may not sign in in this way: check its registration and `oauth_client_id`"},
	{"invalid_scope", ERR_CONFIG,
	 "the client may not ask for this scope: check its registration and `oauth_scope`"},
	{"invalid_target", ERR_CONFIG, "the server knows no such resource: check `oauth_scope`"},
	{"redirect_uri_mismatch", ERR_CONFIG,
	 "the redirect is not registered for the client: check `oauth_redirect`"},
	{"invalid_redirect_uri", ERR_CONFIG,
	 "the redirect is not taken for the client: check `oauth_redirect`"},
	{"invalid_client_metadata", ERR_CONFIG,
	 "the server registers no such client: set `oauth_client_id`"},
	{"invalid_request", ERR_CONFIG, "the request is not taken: check the oauth keys"},
	{"unsupported_grant_type", ERR_CONFIG, "the server has no such way to sign in"},
	{"unsupported_response_type", ERR_CONFIG, "the server has no such way to sign in"},
	{"temporarily_unavailable", ERR_TEMPORARY, "the server has no time now"},
	{"server_error", ERR_TEMPORARY, "the server has trouble of its own"},
	{"slow_down", ERR_TEMPORARY, "the server wants to be asked less often"},
};

static const struct meaning aadsts[] = {
	{"50011", ERR_CONFIG,
	 "the redirect is not registered: add http://localhost to the application, under mobile "
	 "and desktop applications"},
	{"50034", ERR_LOGIN,
	 "there is no such user in this directory: check `user` and "
	 "`oauth_tenant`, and who signs in in the browser"},
	{"50076", ERR_LOGIN, "a second factor is asked for"},
	{"50079", ERR_LOGIN, "a second factor has to be set up, which the browser asks for"},
	{"50126", ERR_LOGIN, "user name or password was wrong"},
	{"53003", ERR_LOGIN,
	 "a rule of the organisation (Conditional Access) forbids it, as it may do for --device "
	 "alone; else ask its administrator"},
	{"65001", ERR_LOGIN,
	 "nobody has consented to this application yet; the organisation's "
	 "administrator may have to"},
	{"70008", ERR_LOGIN, "the refresh token has expired, as it was not used for 90 days"},
	{"700082", ERR_LOGIN, "the refresh token has expired, as it was not used for 90 days"},
	{"700016", ERR_CONFIG,
	 "this directory knows no such application: check `oauth_client_id` "
	 "and `oauth_tenant`"},
	{"7000112", ERR_CONFIG, "the application is disabled: check `oauth_client_id`"},
	{"700025", ERR_CONFIG,
	 "the application is a public client, which has no secret: leave out "
	 "`oauth_client_secret`"},
	{"7000218", ERR_CONFIG,
	 "the application is registered as one that has a secret: allow public client flows for "
	 "it, or set `oauth_client_secret`"},
	{"90094", ERR_LOGIN, "the organisation's administrator has to consent to this application"},
	{"500011", ERR_CONFIG,
	 "the directory does not know what the scope is for: check `oauth_scope` and "
	 "`oauth_tenant`"},
};

static const struct meaning *find(const struct meaning *rows, size_t count, struct span name)
{
	for (size_t i = 0; i < count; i++) {
		if (span_equal_cstr(name, rows[i].name)) {
			return &rows[i];
		}
	}
	return NULL;
}

/* Of the first number behind an "AADSTS" that is known; the first ones are often general. */
static const struct meaning *find_aadsts(const char *description)
{
	static const char mark[] = "AADSTS";
	const struct meaning *found = NULL;

	while (!found && description && (description = strstr(description, mark)) != NULL) {
		description += sizeof(mark) - 1;
		struct span number = {description, strspn(description, "0123456789")};
		found = find(aadsts, sizeof(aadsts) / sizeof(aadsts[0]), number);
	}
	return found;
}

/* The beginning of TEXT, in one line: Microsoft's has several. */
static void append_shown(const char *text, const struct blot *blot, struct buf *words)
{
	struct span shown = span_of(text);
	size_t from = words->len;

	shown.len = shown.len < WORDS_MAX ? shown.len : WORDS_MAX;
	blot_append(blot, shown, words);
	for (size_t i = from; i < words->len; i++) {
		char *c = &words->data[i];
		*c = (unsigned char)*c < ' ' || *c == 0x7F ? ' ' : *c;
	}
}

static void append_words(const char *name, const char *description, const struct blot *blot,
			 struct buf *words)
{
	append_shown(name, blot, words);
	if (description && *description) {
		buf_append_cstr(words, ": ");
		append_shown(description, blot, words);
	}
}

static const struct meaning *find_meaning(const struct oauth_client *client, const char *name,
					  const char *description)
{
	static const struct meaning other = {"", ERR_SERVER, "the server refuses"};
	static const struct meaning forgotten = {
		"", ERR_LOGIN, "it has forgotten the client that it registered for this account"};
	const struct meaning *meaning = find_aadsts(description);

	if (meaning) {
		return meaning;
	}
	if (client->is_registered && strcmp(name, "invalid_client") == 0) {
		return &forgotten;
	}
	meaning = find(meanings, sizeof(meanings) / sizeof(meanings[0]), span_of(name));
	return meaning ? meaning : &other;
}

int oauth_refusal_tell(const struct oauth_client *client, const char *name, const char *description,
		       const struct blot *blot, struct err *err)
{
	const struct meaning *meaning = find_meaning(client, name, description);
	struct buf words;

	buf_init(&words, 2048);
	append_words(name, description, blot, &words);
	int code = err_set(err, meaning->code, SCOPE_ACCOUNT, "%s: %s (%s)%s%s%s",
			   client->preset->name, meaning->sentence, buf_span(&words).data,
			   meaning->code == ERR_LOGIN ? "; run `mailsync login " : "",
			   meaning->code == ERR_LOGIN ? client->account : "",
			   meaning->code == ERR_LOGIN ? "`" : "");
	buf_finish(&words);
	return code;
}

/* 408: it waited for us too long; 425: too early. */
static bool is_passing(long status)
{
	return status == 408 || status == 425 || status == 429 || status >= 500;
}

/* Statuses that speak for themselves, whatever the body says. */
static int tell_status(const struct oauth_client *client, const struct oauth_reply *reply,
		       struct err *err)
{
	const char *name = client->preset->name;

	if (is_passing(reply->status)) {
		char wait[64] = "";
		if (reply->retry_s > 0) {
			snprintf(wait, sizeof(wait), ", and asks for %ld s of patience",
				 reply->retry_s);
		}
		return err_set(err, ERR_TEMPORARY, SCOPE_ACCOUNT,
			       "%s has no time for tokens now (HTTP status %ld%s); try again later",
			       name, reply->status, wait);
	}
	if (reply->status >= 300 && reply->status < 400) {
		return err_set(err, ERR_SERVER, SCOPE_ACCOUNT,
			       "%s sends us elsewhere (HTTP status %ld), where no secret is sent; "
			       "check the oauth keys",
			       name, reply->status);
	}
	return 0;
}

static enum oauth_refusal kind_of(const char *name)
{
	if (strcmp(name, "invalid_grant") == 0) {
		return OAUTH_REFUSED_GRANT;
	}
	if (strcmp(name, "authorization_pending") == 0) {
		return OAUTH_REFUSED_PENDING;
	}
	return strcmp(name, "slow_down") == 0 ? OAUTH_REFUSED_SLOWLY : OAUTH_REFUSED;
}

enum oauth_refusal oauth_refusal_read(const struct oauth_client *client,
				      const struct oauth_reply *reply, const struct blot *blot,
				      struct err *err)
{
	enum oauth_refusal kind = OAUTH_REFUSED;
	struct object *object = NULL;
	struct err ignored;
	const char *name = NULL;

	if (object_salvage(&object, reply->text, &ignored) >= 0) {
		name = object_text(object, "error");
	}
	if (name && strcmp(name, "slow_down") == 0) {
		kind = OAUTH_REFUSED_SLOWLY; /* some send it with 429 */
	}
	if (tell_status(client, reply, err) < 0) {
		goto finish;
	}
	if (name) {
		kind = kind_of(name);
		(void)oauth_refusal_tell(client, name, object_words(object, "error_description"),
					 blot, err);
	} else {
		err_set(err, ERR_PROTOCOL, SCOPE_ACCOUNT,
			"%s answers with HTTP status %ld and nothing that makes sense; check the "
			"oauth keys",
			client->preset->name, reply->status);
	}
finish:
	object_finish(&object);
	return kind;
}

bool oauth_reply_is_error(struct span text)
{
	struct object *object = NULL;
	struct err ignored;
	bool is_error = object_salvage(&object, text, &ignored) >= 0 &&
			object_text(object, "error") && !object_text(object, "access_token");

	object_finish(&object);
	return is_error;
}

bool oauth_challenge_read(struct span text, struct oauth_challenge *challenge)
{
	struct object *object = NULL;
	struct err ignored;
	int64_t status = 0;

	*challenge = (struct oauth_challenge){0};
	if (object_salvage(&object, text, &ignored) < 0) {
		return false;
	}
	(void)object_number(object, "status", &status);
	challenge->status = status > 0 && status < 1000 ? (long)status : 0;
	const char *scope = object_text(object, "scope");
	if (scope && strlen(scope) < sizeof(challenge->scope)) {
		memcpy(challenge->scope, scope, strlen(scope) + 1);
	}
	object_finish(&object);
	return true;
}
