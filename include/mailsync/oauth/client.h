/*
 * Who we are to an authorization server, and where it is asked: an account's keys, the table of
 * presets, the server's own metadata (RFC 8414, OpenID) and what it registered (RFC 7591), put
 * together. Without I/O.
 *
 *     oauth_client_init(&client)
 *     oauth_client_resolve(&client, &settings, &err)        keys and preset
 *     while (oauth_client_metadata_url(&client, attempt, &url))   an issuer's: ask there, then
 *             oauth_client_take_metadata(&client, text, &err)
 *     if (oauth_client_needs_registration(&client))         ask there, then
 *             oauth_client_take_registration(&client, text, &err)
 *     oauth_client_finish(&client)
 */
#ifndef MAILSYNC_OAUTH_CLIENT_H
#define MAILSYNC_OAUTH_CLIENT_H

#include <stdbool.h>

#include "mailsync/base/buf.h"
#include "mailsync/base/err.h"
#include "mailsync/base/secret.h"
#include "mailsync/base/span.h"

/* An account's keys. Borrowed; NULL where unset. */
struct oauth_settings {
	const char *account; /* whose name stands in errors, and in the commands that they name */
	const char *oauth;   /* the key itself */
	const char *user;
	bool is_pop3;
	bool is_shared; /* by accounts of the other protocol: the consent has to cover both */
	const char *client_id;
	const char *tenant;
	const char *scope;
	const char *auth_url;
	const char *token_url;
	const char *device_url;
	const char *register_url;
	const char *redirect;
};

struct oauth_preset;

/* How the client proves itself at the token endpoint. */
enum oauth_proof {
	OAUTH_PROOF_NONE,
	OAUTH_PROOF_BODY,
	OAUTH_PROOF_BASIC
};

/* Strings are owned; NULL where not known. */
struct oauth_client {
	const char *account;               /* borrowed, for errors; outlives it */
	const struct oauth_preset *preset; /* that of "custom" for issuers */
	char *issuer;                      /* where the key `oauth` is one */
	char *auth_url;
	char *token_url;
	char *device_url;
	char *register_url;
	char *revoke_url;
	char *scope;
	char *id;
	struct secret secret; /* not set: none */
	char *redirect;       /* without port, but where one is fixed */
	bool is_registered;   /* it was registered for this account */
	bool wants_basic;     /* the server takes the secret in a header only */
	bool sends_iss;       /* it says who it is in the redirect (RFC 9207) */
};

void oauth_client_init(struct oauth_client *client);
void oauth_client_finish(struct oauth_client *client);

/* -ERR_CONFIG for an unknown word, or for addresses that are missing. */
int oauth_client_resolve(struct oauth_client *client, const struct oauth_settings *settings,
			 struct err *err);
/* Appends the ATTEMPT-th place (from 0) of an issuer's metadata; false when there is no other. */
bool oauth_client_metadata_url(const struct oauth_client *client, unsigned attempt,
			       struct buf *url);
/* Takes what the keys do not say from the metadata TEXT. -ERR_PROTOCOL when it makes no sense,
 * -ERR_SERVER when it is another issuer's, or names addresses that no secret may be sent to. */
int oauth_client_take_metadata(struct oauth_client *client, struct span text, struct err *err);

/* Whether TOLD names the issuer of CLIENT, which has one; a slash at its end does not matter. */
bool oauth_client_is_issuer(const struct oauth_client *client, struct span told);

/* True where it has no id, and the server registers those that ask. */
bool oauth_client_needs_registration(const struct oauth_client *client);
/* The request, as JSON. REDIRECT: with the port of now. */
int oauth_client_write_registration(const struct oauth_client *client, const char *redirect,
				    struct buf *body, struct err *err);
/* The id, secret and redirect that come back count. Errors likewise. */
int oauth_client_take_registration(struct oauth_client *client, struct span text, struct err *err);
/* -ERR_CONFIG, with where to get one, when there is still no id. */
int oauth_client_check_id(const struct oauth_client *client, struct err *err);

/* Takes what an earlier sign-in found out and registered, where it is not set. */
int oauth_client_take_saved(struct oauth_client *client, const struct oauth_client *saved,
			    struct err *err);
/* What is to be saved of CLIENT for that; SAVED is empty before. */
int oauth_client_copy(struct oauth_client *saved, const struct oauth_client *client,
		      struct err *err);

/* The scope that reads mail: the first of those asked for. Empty: none is asked for. */
struct span oauth_client_mail_scope(const struct oauth_client *client);

enum oauth_proof oauth_client_proof(const struct oauth_client *client);
/* Appends the redirect with PORT where it has none of its own. */
void oauth_client_append_redirect(const struct oauth_client *client, unsigned port,
				  struct buf *out);
/* The port that the redirect fixes; 0: any. */
unsigned oauth_client_port(const struct oauth_client *client);

/* What a preset says for people. */
const char *oauth_client_name(const struct oauth_client *client);
/* Why its device flow is of no use for mail; NULL: nothing is known against it. */
const char *oauth_client_no_device(const struct oauth_client *client);
/* What the provider does to tokens, a sentence; NULL: nothing is known. */
const char *oauth_client_rules(const struct oauth_client *client);
/* True where grants of unpublished projects end after OAUTH_TESTING_S. */
bool oauth_client_has_testing(const struct oauth_client *client);
#define OAUTH_TESTING_S (7 * 24 * 3600)

#endif
