#include "mailsync/proto/sasl.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "sasl_private.h"

#define BIT(mech) (1u << (mech))
#define NONCE_MIN 18

static const struct sasl_row rows[SASL_MECH_COUNT] = {
	[SASL_NONE] = {.name = ""},
	[SASL_SCRAM_SHA_256_PLUS] = {.name = "SCRAM-SHA-256-PLUS",
				     .has_initial = true,
				     .needs_binding = true,
				     .digest = DIGEST_SHA256,
				     .step = sasl_scram_step},
	[SASL_SCRAM_SHA_1_PLUS] = {.name = "SCRAM-SHA-1-PLUS",
				   .has_initial = true,
				   .needs_binding = true,
				   .digest = DIGEST_SHA1,
				   .step = sasl_scram_step},
	[SASL_SCRAM_SHA_256] = {.name = "SCRAM-SHA-256",
				.has_initial = true,
				.digest = DIGEST_SHA256,
				.step = sasl_scram_step},
	[SASL_SCRAM_SHA_1] = {.name = "SCRAM-SHA-1",
			      .has_initial = true,
			      .digest = DIGEST_SHA1,
			      .step = sasl_scram_step},
	[SASL_CRAM_MD5] = {.name = "CRAM-MD5", .digest = DIGEST_MD5, .step = sasl_cram_step},
	[SASL_PLAIN] = {.name = "PLAIN",
			.has_initial = true,
			.sends_secret = true,
			.step = sasl_plain_step},
	[SASL_LOGIN] = {.name = "LOGIN", .sends_secret = true, .step = sasl_login_step},
	[SASL_XOAUTH2] = {.name = "XOAUTH2",
			  .has_initial = true,
			  .sends_secret = true,
			  .step = sasl_xoauth2_step},
	[SASL_OAUTHBEARER] = {.name = "OAUTHBEARER",
			      .has_initial = true,
			      .sends_secret = true,
			      .step = sasl_oauthbearer_step},
	[SASL_EXTERNAL] = {.name = "EXTERNAL", .has_initial = true, .step = sasl_external_step},
	[SASL_APOP] = {.name = "APOP"},
	[SASL_COMMAND] = {.name = "LOGIN command", .sends_secret = true},
};

/*
 * Strongest first. APOP's MD5 of the password spares the wire a cleartext one, and is worth that
 * only; where TLS does, it comes last, since servers announce it for users who cannot use it.
 */
static const enum sasl_mech order_protected[] = {
	SASL_SCRAM_SHA_256_PLUS,
	SASL_SCRAM_SHA_1_PLUS,
	SASL_SCRAM_SHA_256,
	SASL_SCRAM_SHA_1,
	SASL_CRAM_MD5,
	SASL_PLAIN,
	SASL_LOGIN,
	SASL_COMMAND,
	SASL_APOP,
	SASL_NONE,
};
static const enum sasl_mech order_clear[] = {
	SASL_SCRAM_SHA_256, SASL_SCRAM_SHA_1, SASL_CRAM_MD5, SASL_APOP, SASL_NONE,
};

const char *sasl_name(enum sasl_mech mech)
{
	return rows[mech].name;
}

enum sasl_mech sasl_by_name(struct span name)
{
	int mech;

	for (mech = SASL_NONE + 1; mech < SASL_MECH_COUNT; mech++) {
		if (rows[mech].step != NULL && span_equal_nocase(name, rows[mech].name)) {
			return (enum sasl_mech)mech;
		}
	}
	return SASL_NONE;
}

static bool is_usable(enum sasl_mech mech, const struct sasl_offer *offer, unsigned tried)
{
	return (offer->mechs & BIT(mech)) != 0 && (tried & BIT(mech)) == 0 &&
	       (offer->is_protected || !rows[mech].sends_secret) &&
	       (offer->has_binding || !rows[mech].needs_binding);
}

/* What else an asked-for mechanism stands for. */
static unsigned wanted_widened(unsigned wanted)
{
	if ((wanted & BIT(SASL_SCRAM_SHA_256)) != 0) {
		wanted |= BIT(SASL_SCRAM_SHA_256_PLUS);
	}
	if ((wanted & BIT(SASL_SCRAM_SHA_1)) != 0) {
		wanted |= BIT(SASL_SCRAM_SHA_1_PLUS);
	}
	if ((wanted & BIT(SASL_LOGIN)) != 0) {
		wanted |= BIT(SASL_COMMAND);
	}
	return wanted;
}

enum sasl_mech sasl_choose(unsigned wanted, const struct sasl_offer *offer, unsigned tried)
{
	const enum sasl_mech *order = offer->is_protected ? order_protected : order_clear;
	int mech;

	if (wanted == 0) {
		while (*order != SASL_NONE && !is_usable(*order, offer, tried)) {
			order++;
		}
		return *order;
	}
	wanted = wanted_widened(wanted);
	for (mech = SASL_NONE + 1; mech < SASL_MECH_COUNT; mech++) {
		if ((wanted & BIT(mech)) != 0 && is_usable((enum sasl_mech)mech, offer, tried)) {
			return (enum sasl_mech)mech;
		}
	}
	return SASL_NONE;
}

static bool secret_has(const struct secret *secret, int c)
{
	return secret != NULL && secret->len > 0 && memchr(secret->data, c, secret->len) != NULL;
}

/* NUL ends the parts of PLAIN, ^A those of the OAuth ones. A user name is a C string already. */
static int params_check(enum sasl_mech mech, const struct sasl_params *params, struct err *err)
{
	bool is_oauth = mech == SASL_XOAUTH2 || mech == SASL_OAUTHBEARER;

	if (mech != SASL_EXTERNAL && (params->user == NULL || params->user[0] == '\0')) {
		return err_set(err, ERR_LOGIN, SCOPE_ACCOUNT, "%s needs a user name: set `user`",
			       rows[mech].name);
	}
	if (mech != SASL_EXTERNAL && (params->secret == NULL || params->secret->data == NULL)) {
		return err_set(err, ERR_LOGIN, SCOPE_ACCOUNT, "%s needs a password",
			       rows[mech].name);
	}
	if (mech != SASL_EXTERNAL && secret_has(params->secret, '\0')) {
		return err_set(err, ERR_LOGIN, SCOPE_ACCOUNT,
			       "the password holds a NUL byte, which no login can carry");
	}
	if (is_oauth && (secret_has(params->secret, '\1') || strchr(params->user, '\1') != NULL)) {
		return err_set(err, ERR_LOGIN, SCOPE_ACCOUNT,
			       "user name or token holds a ^A, which %s cannot carry",
			       rows[mech].name);
	}
	return 0;
}

int sasl_create(struct sasl **sasl, enum sasl_mech mech, const struct sasl_params *params,
		struct err *err)
{
	struct sasl *new_sasl;
	int rc;

	assert(mech > SASL_NONE && mech < SASL_MECH_COUNT && rows[mech].step != NULL);
	assert(rows[mech].step != sasl_scram_step || params->nonce.len >= NONCE_MIN);
	rc = params_check(mech, params, err);
	if (rc != 0) {
		return rc;
	}
	new_sasl = calloc(1, sizeof(*new_sasl));
	if (new_sasl == NULL) {
		return err_nomem(err);
	}
	new_sasl->mech = mech;
	new_sasl->row = &rows[mech];
	new_sasl->params = *params;
	buf_init(&new_sasl->error_text, SASL_ERROR_MAX);
	buf_init(&new_sasl->scram.bare, SASL_CHALLENGE_MAX);
	*sasl = new_sasl;
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
	return sasl->row->has_initial;
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
	int rc;

	buf_clear(response);
	if (challenge.len > SASL_CHALLENGE_MAX ||
	    (sasl->steps == 0 && sasl->row->has_initial && challenge.len != 0)) {
		return sasl_unexpected(sasl, err);
	}
	rc = sasl->row->step(sasl, challenge, response, err);
	if (rc == 0) {
		rc = buf_status(response, "an answer of the login", err);
	}
	if (rc == 0) {
		sasl->steps++;
	} else {
		buf_clear(response);
	}
	return rc;
}

int sasl_check_done(const struct sasl *sasl, struct err *err)
{
	if (sasl->steps == 0) {
		return err_set(err, ERR_PROTOCOL, SCOPE_ACCOUNT,
			       "the server ended %s before it began", sasl->row->name);
	}
	if (sasl->row->step == sasl_scram_step && !sasl->is_proven) {
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
