#include "mailsync/proto/sasl.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "sasl_private.h"

#define NONCE_MIN 18

#define STEP(id, word, name, step, marks) [AUTH_##id] = sasl_##step##_step,
static sasl_step_fn *const steps[AUTH_COUNT] = {[AUTH_NONE] = sasl_none_step,
						AUTH_TABLE(STEP, STEP)};

/* The step of what is no SASL exchange. */
int sasl_none_step(struct sasl *sasl, struct span challenge, struct buf *response, struct err *err)
{
	(void)challenge;
	(void)response;
	return sasl_unexpected(sasl, err);
}

const char *sasl_name(enum auth mech)
{
	return auth_row(mech)->name;
}

enum auth sasl_by_name(struct span name)
{
	for (enum auth mech = AUTH_NONE + 1; mech < AUTH_COUNT; mech++) {
		if (steps[mech] != sasl_none_step && span_equal_nocase(name, sasl_name(mech))) {
			return mech;
		}
	}
	return AUTH_NONE;
}

static bool is_wanted(enum auth mech, enum auth wanted, bool has_token)
{
	const struct auth_row *row = auth_row(mech);

	if (wanted != AUTH_AUTO) {
		return row->asked_as == wanted;
	}
	return has_token ? (row->marks & AUTH_TAKES_TOKEN) != 0
			 : (row->marks & AUTH_ASKED_ONLY) == 0;
}

static bool is_usable(enum auth mech, const struct sasl_offer *offer)
{
	unsigned marks = auth_row(mech)->marks;

	return (offer->mechs & AUTH_BIT(mech)) != 0 &&
	       (offer->is_protected || (marks & AUTH_SENDS_SECRET) == 0) &&
	       (offer->has_binding || (marks & AUTH_NEEDS_BINDING) == 0);
}

enum auth sasl_choose(enum auth wanted, const struct sasl_offer *offer, unsigned tried)
{
	for (enum auth mech = AUTH_NONE + 1; mech < AUTH_COUNT; mech++) {
		if ((tried & AUTH_BIT(mech)) == 0 && is_wanted(mech, wanted, offer->has_token) &&
		    is_usable(mech, offer)) {
			return mech;
		}
	}
	return AUTH_NONE;
}

static bool secret_has(const struct secret *secret, int c)
{
	return secret != NULL && secret->len > 0 && memchr(secret->data, c, secret->len) != NULL;
}

/* NUL ends the parts of PLAIN, ^A those of the OAuth ones. A user name is a C string already. */
static int params_check(const struct auth_row *row, const struct sasl_params *params,
			struct err *err)
{
	if ((row->marks & AUTH_NO_SECRET) != 0) {
		return 0;
	}
	if (params->user == NULL || params->user[0] == '\0') {
		return err_set(err, ERR_LOGIN, SCOPE_ACCOUNT, "%s needs a user name: set `user`",
			       row->name);
	}
	if (params->secret == NULL || params->secret->data == NULL) {
		return err_set(err, ERR_LOGIN, SCOPE_ACCOUNT, "%s needs a password", row->name);
	}
	if (secret_has(params->secret, '\0')) {
		return err_set(err, ERR_LOGIN, SCOPE_ACCOUNT,
			       "the password holds a NUL byte, which no login can carry");
	}
	if ((row->marks & AUTH_TAKES_TOKEN) != 0 &&
	    (secret_has(params->secret, '\1') || strchr(params->user, '\1') != NULL)) {
		return err_set(err, ERR_LOGIN, SCOPE_ACCOUNT,
			       "user name or token holds a ^A, which %s cannot carry", row->name);
	}
	return 0;
}

int sasl_create(struct sasl **sasl, enum auth mech, const struct sasl_params *params,
		struct err *err)
{
	const struct auth_row *row = auth_row(mech);

	assert(steps[mech] != sasl_none_step);
	assert((row->marks & AUTH_PROVES_SERVER) == 0 || params->nonce.len >= NONCE_MIN);
	int code = params_check(row, params, err);
	if (code < 0) {
		return code;
	}
	struct sasl *created = calloc(1, sizeof(*created));
	if (created == NULL) {
		return err_nomem(err);
	}
	created->row = row;
	created->step = steps[mech];
	created->params = *params;
	buf_init(&created->error_text, SASL_ERROR_MAX);
	buf_init(&created->scram.bare, SASL_CHALLENGE_MAX);
	*sasl = created;
	return 0;
}

void sasl_destroy(struct sasl **sasl)
{
	if (*sasl == NULL) {
		return;
	}
	buf_finish(&(*sasl)->scram.bare);
	buf_finish(&(*sasl)->error_text);
	secret_wipe(*sasl, sizeof(**sasl));
	free(*sasl);
	*sasl = NULL;
}

bool sasl_has_initial(const struct sasl *sasl)
{
	return (sasl->row->marks & AUTH_HAS_INITIAL) != 0;
}

int sasl_unexpected(const struct sasl *sasl, struct err *err)
{
	return err_set(err, ERR_PROTOCOL, SCOPE_ACCOUNT,
		       "the server's part of %s makes no sense (message %u)", sasl->row->name,
		       sasl->steps);
}

void sasl_keep_error(struct sasl *sasl, struct span text)
{
	buf_clear(&sasl->error_text);
	if (text.len > SASL_ERROR_MAX) {
		text.len = SASL_ERROR_MAX;
	}
	buf_append_span(&sasl->error_text, text);
}

int sasl_step(struct sasl *sasl, struct span challenge, struct buf *response, struct err *err)
{
	int code;

	buf_clear(response);
	if (challenge.len > SASL_CHALLENGE_MAX ||
	    (sasl->steps == 0 && sasl_has_initial(sasl) && challenge.len != 0)) {
		return sasl_unexpected(sasl, err);
	}
	if ((code = sasl->step(sasl, challenge, response, err)) < 0 ||
	    (code = buf_status(response, "an answer of the login", err)) < 0) {
		buf_clear(response);
		return code;
	}
	sasl->steps++;
	return 0;
}

int sasl_check_done(const struct sasl *sasl, struct err *err)
{
	if (sasl->steps == 0) {
		return err_set(err, ERR_PROTOCOL, SCOPE_ACCOUNT,
			       "the server ended %s before it began", sasl->row->name);
	}
	if ((sasl->row->marks & AUTH_PROVES_SERVER) != 0 && !sasl->is_proven) {
		return err_set(err, ERR_SERVER, SCOPE_ACCOUNT,
			       "the server did not prove that it knows the password (%s), it may "
			       "not be the one it should be",
			       sasl->row->name);
	}
	return 0;
}

const char *sasl_error_text(const struct sasl *sasl)
{
	return sasl->error_text.failed == 0 && sasl->error_text.len > 0 ? sasl->error_text.data
									: "";
}
