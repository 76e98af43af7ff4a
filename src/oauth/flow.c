#include "mailsync/oauth/flow.h"

#include <stdlib.h>
#include <string.h>

#include "mailsync/base/digest.h"
#include "mailsync/base/url.h"
#include "object.h"
#include "preset.h"
#include "refusal.h"

#define RANDOM_SIZE     32
#define CODE_MAX        8192
#define USER_CODE_MAX   64
#define INTERVAL_S      5
#define INTERVAL_MAX    300
#define DEVICE_LIFE_S   (15 * 60)
#define DEVICE_LIFE_MAX 3600

static int encode_word(const uint8_t *bytes, char word[OAUTH_WORD_SIZE], struct err *err)
{
	struct buf text;

	buf_init(&text, OAUTH_WORD_SIZE);
	base64url_encode((struct span){(const char *)bytes, RANDOM_SIZE}, &text);
	int code = buf_status(&text, "a random word", err);
	if (code == 0) {
		memcpy(word, text.data, OAUTH_WORD_SIZE);
	}
	buf_finish_secret(&text);
	return code;
}

int oauth_flow_init(struct oauth_flow *flow, const uint8_t random[64], const char *redirect,
		    struct err *err)
{
	int code;

	*flow = (struct oauth_flow){0};
	if ((code = encode_word(random, flow->state, err)) < 0 ||
	    (code = encode_word(random + RANDOM_SIZE, flow->verifier, err)) < 0) {
		return code;
	}
	flow->redirect = span_dup(span_of(redirect));
	return flow->redirect ? 0 : err_nomem(err);
}

void oauth_flow_finish(struct oauth_flow *flow)
{
	free(flow->redirect);
	secret_wipe(flow, sizeof(*flow));
	flow->redirect = NULL;
}

/* --- the address to open --- */

static int make_challenge(const struct oauth_flow *flow, char challenge[OAUTH_WORD_SIZE],
			  struct err *err)
{
	uint8_t digest[DIGEST_MAX_SIZE];
	int code = digest_of(DIGEST_SHA256, span_of(flow->verifier), digest, err);

	return code < 0 ? code : encode_word(digest, challenge, err);
}

int oauth_flow_write_url(const struct oauth_flow *flow, const struct oauth_client *client,
			 const char *user, struct buf *url, struct err *err)
{
	char challenge[OAUTH_WORD_SIZE];
	int code = make_challenge(flow, challenge, err);

	if (code < 0) {
		return code;
	}
	buf_append_cstr(url, client->auth_url);
	if (!strchr(client->auth_url, '?')) {
		buf_append_char(url, '?');
	}
	url_append_field(url, "response_type", SPAN_LIT("code"));
	url_append_field(url, "client_id", span_of(client->id));
	url_append_field(url, "redirect_uri", span_of(flow->redirect));
	if (client->scope) {
		url_append_field(url, "scope", span_of(client->scope));
	}
	url_append_field(url, "state", span_of(flow->state));
	url_append_field(url, "code_challenge", span_of(challenge));
	url_append_field(url, "code_challenge_method", SPAN_LIT("S256"));
	if (user) {
		url_append_field(url, "login_hint", span_of(user));
	}
	if (client->preset->extra) {
		buf_printf(url, "&%s", client->preset->extra);
	}
	return buf_status(url, "the address to open", err);
}

/* --- the redirect --- */

enum {
	FIELD_STATE,
	FIELD_CODE,
	FIELD_ISS,
	FIELD_ERROR,
	FIELD_DESCRIPTION,
	FIELD_COUNT
};

/* The fields of a redirect's query, decoded. */
struct fields {
	struct buf values[FIELD_COUNT];
	bool is_there[FIELD_COUNT];
};

static bool has_controls(struct span text)
{
	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.data[i];
		if (c < ' ' || c == 0x7F) {
			return true;
		}
	}
	return false;
}

/* False where the query is not well made, or has one of them twice. */
static bool fields_read(struct fields *fields, struct span query)
{
	static const char *const names[FIELD_COUNT] = {"state", "code", "iss", "error",
						       "error_description"};
	struct span rest = query, name, value;

	while (url_field_next(&rest, &name, &value)) {
		for (int i = 0; i < FIELD_COUNT; i++) {
			if (!span_equal_cstr(name, names[i])) {
				continue;
			}
			/* Words for people come in several lines at Microsoft. */
			bool is_words = i == FIELD_DESCRIPTION;
			if (fields->is_there[i] || !url_append_decoded(&fields->values[i], value) ||
			    (!is_words && has_controls(buf_span(&fields->values[i])))) {
				return false;
			}
			fields->is_there[i] = true;
		}
	}
	return true;
}

static enum oauth_answer refuse_iss(const struct oauth_client *client, struct err *err)
{
	err_set(err, ERR_SERVER, SCOPE_ACCOUNT,
		"the answer in the browser came from another issuer than %s, and was not used",
		client->issuer);
	return OAUTH_ANSWER_REFUSED;
}

static enum oauth_answer judge(const struct oauth_flow *flow, const struct oauth_client *client,
			       const struct fields *fields, struct secret *code, struct err *err)
{
	struct span given = buf_span(&fields->values[FIELD_CODE]);
	struct span iss = buf_span(&fields->values[FIELD_ISS]);

	if (!secret_same(buf_span(&fields->values[FIELD_STATE]), span_of(flow->state))) {
		return OAUTH_ANSWER_STRAY;
	}
	/* RFC 9207: else one server could pass another's code off as its own. */
	if (client->issuer && (fields->is_there[FIELD_ISS] ? !oauth_client_is_issuer(client, iss)
							   : client->sends_iss)) {
		return refuse_iss(client, err);
	}
	if (fields->is_there[FIELD_ERROR]) {
		const struct buf *words = &fields->values[FIELD_DESCRIPTION];
		(void)oauth_refusal_tell(client, fields->values[FIELD_ERROR].data,
					 words->len > 0 ? words->data : NULL, NULL, err);
		return OAUTH_ANSWER_REFUSED;
	}
	if (given.len == 0) {
		return OAUTH_ANSWER_STRAY;
	}
	return secret_set(code, given, err) < 0 ? OAUTH_ANSWER_REFUSED : OAUTH_ANSWER_CODE;
}

enum oauth_answer oauth_flow_read(const struct oauth_flow *flow, const struct oauth_client *client,
				  struct span query, struct secret *code, struct err *err)
{
	enum oauth_answer answer = OAUTH_ANSWER_STRAY;
	struct fields fields = {0};

	for (int i = 0; i < FIELD_COUNT; i++) {
		buf_init(&fields.values[i], CODE_MAX);
	}
	if (fields_read(&fields, query)) {
		answer = judge(flow, client, &fields, code, err);
	}
	for (int i = 0; i < FIELD_COUNT; i++) {
		buf_finish_secret(&fields.values[i]);
	}
	return answer;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static struct span without_blanks(struct span text)
{
	while (text.len > 0 && is_blank(text.data[0])) {
		text = (struct span){text.data + 1, text.len - 1};
	}
	while (text.len > 0 && is_blank(text.data[text.len - 1])) {
		text.len--;
	}
	return text;
}

/* What people and programs put around an address. */
static bool unwrap(struct span *text)
{
	static const char *const pairs[][2] = {{"<", ">"}, {"\"", "\""}, {"'", "'"}, {"[", "]"},
					       {"(", ")"}, {"{", "}"},   {"`", "`"}, {"“", "”"},
					       {"„", "“"}, {"‘", "’"},   {"«", "»"}};

	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		size_t open = strlen(pairs[i][0]), close = strlen(pairs[i][1]);
		if (text->len >= open + close && memcmp(text->data, pairs[i][0], open) == 0 &&
		    memcmp(text->data + text->len - close, pairs[i][1], close) == 0) {
			*text = (struct span){text->data + open, text->len - open - close};
			return true;
		}
	}
	return false;
}

struct span oauth_query_of(struct span text)
{
	do {
		text = without_blanks(text);
	} while (unwrap(&text));
	const char *mark = text.len > 0 ? memchr(text.data, '?', text.len) : NULL;
	if (mark) {
		text = (struct span){mark + 1, text.len - (size_t)(mark + 1 - text.data)};
	}
	const char *hash = text.len > 0 ? memchr(text.data, '#', text.len) : NULL;
	if (hash) {
		text.len = (size_t)(hash - text.data);
	}
	return text;
}

/* --- bodies --- */

static int end_body(const struct oauth_client *client, struct buf *body, struct err *err)
{
	if (oauth_client_proof(client) != OAUTH_PROOF_BASIC) {
		url_append_field(body, "client_id", span_of(client->id));
	}
	if (oauth_client_proof(client) == OAUTH_PROOF_BODY) {
		url_append_field(body, "client_secret", secret_span(&client->secret));
	}
	return buf_status(body, "a request for a token", err);
}

int oauth_write_code(const struct oauth_flow *flow, const struct oauth_client *client,
		     const struct secret *code, struct buf *body, struct err *err)
{
	url_append_field(body, "grant_type", SPAN_LIT("authorization_code"));
	url_append_field(body, "code", secret_span(code));
	url_append_field(body, "redirect_uri", span_of(flow->redirect));
	url_append_field(body, "code_verifier", span_of(flow->verifier));
	return end_body(client, body, err);
}

int oauth_write_refresh(const struct oauth_client *client, const struct secret *refresh,
			struct buf *body, struct err *err)
{
	url_append_field(body, "grant_type", SPAN_LIT("refresh_token"));
	url_append_field(body, "refresh_token", secret_span(refresh));
	return end_body(client, body, err);
}

int oauth_write_revoke(const struct oauth_client *client, const struct secret *token,
		       struct buf *body, struct err *err)
{
	url_append_field(body, "token", secret_span(token));
	return end_body(client, body, err);
}

int oauth_write_basic(const struct oauth_client *client, struct buf *out, struct err *err)
{
	struct buf pair;

	if (oauth_client_proof(client) != OAUTH_PROOF_BASIC) {
		return 0;
	}
	buf_init(&pair, CODE_MAX);
	url_append_encoded(&pair, span_of(client->id));
	buf_append_char(&pair, ':');
	url_append_encoded(&pair, secret_span(&client->secret));
	int code = buf_status(&pair, "a client's secret", err);
	if (code == 0) {
		buf_append_cstr(out, "Basic ");
		base64_encode(buf_span(&pair), out);
		code = buf_status(out, "a client's secret", err);
	}
	buf_finish_secret(&pair);
	return code;
}

/* --- the device flow --- */

void oauth_device_init(struct oauth_device *device)
{
	*device = (struct oauth_device){0};
	secret_init(&device->code);
}

void oauth_device_finish(struct oauth_device *device)
{
	secret_finish(&device->code);
	free(device->user_code);
	free(device->url);
	free(device->whole_url);
	oauth_device_init(device);
}

int oauth_write_device(const struct oauth_client *client, struct buf *body, struct err *err)
{
	if (client->scope) {
		url_append_field(body, "scope", span_of(client->scope));
	}
	return end_body(client, body, err);
}

static int64_t bounded(const struct object *reply, const char *key, int64_t otherwise, int64_t max)
{
	int64_t number = otherwise;

	(void)object_number(reply, key, &number);
	return number < 1 ? 1 : number > max ? max : number;
}

/* Short, and nothing that a terminal obeys. */
static bool is_user_code(const char *text)
{
	size_t len = strlen(text);

	for (size_t i = 0; i < len; i++) {
		if (text[i] < ' ' || text[i] > '~') {
			return false;
		}
	}
	return len > 0 && len <= USER_CODE_MAX;
}

static int take_device(struct oauth_device *device, const struct object *reply, struct err *err)
{
	const char *code_text = object_text(reply, "device_code");
	const char *user_code = object_text(reply, "user_code");
	const char *url = object_text(reply, "verification_uri");
	const char *whole = object_text(reply, "verification_uri_complete");

	url = url ? url : object_text(reply, "verification_url");
	if (!code_text || !*code_text || !user_code || !is_user_code(user_code) || !url ||
	    !url_is_safe(span_of(url))) {
		return err_set(err, ERR_PROTOCOL, SCOPE_ACCOUNT,
			       "the answer to the device flow's request has no code, or no address "
			       "to open");
	}
	device->lifetime_s = bounded(reply, "expires_in", DEVICE_LIFE_S, DEVICE_LIFE_MAX);
	device->interval_s = (int)bounded(reply, "interval", INTERVAL_S, INTERVAL_MAX);
	device->user_code = span_dup(span_of(user_code));
	device->url = span_dup(span_of(url));
	if (!device->user_code || !device->url) {
		return err_nomem(err);
	}
	if (whole && url_is_safe(span_of(whole)) &&
	    !(device->whole_url = span_dup(span_of(whole)))) {
		return err_nomem(err);
	}
	return secret_set(&device->code, span_of(code_text), err);
}

int oauth_device_read(struct oauth_device *device, struct span text, struct err *err)
{
	struct object *reply = NULL;
	struct err why;
	int code = object_salvage(&reply, text, &why);

	if (code < 0) {
		return err_set(err, ERR_PROTOCOL, SCOPE_ACCOUNT,
			       "the answer to the device flow's request makes no sense: %s",
			       why.text);
	}
	code = take_device(device, reply, err);
	object_finish(&reply);
	return code;
}

int oauth_write_poll(const struct oauth_client *client, const struct oauth_device *device,
		     struct buf *body, struct err *err)
{
	const char *grant = client->preset->grant;
	bool is_own = grant != NULL;

	url_append_field(body, "grant_type",
			 is_own ? span_of(grant)
				: SPAN_LIT("urn:ietf:params:oauth:grant-type:device_code"));
	/* A server with a name of its own for the grant has one for the code, too. */
	url_append_field(body, is_own ? "code" : "device_code", secret_span(&device->code));
	return end_body(client, body, err);
}
