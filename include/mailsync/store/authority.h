/*
 * An account's authorization server, asked for the first tokens: each function is one HTTPS request
 * (net/http.h) whose body and reply are those of oauth/flow.h.
 *
 *     authority_open(&authority, &params, stop, &err)     keys, preset, the client's secret
 *     authority_discover(authority, &err)                 an issuer's metadata
 *     authority_register(authority, redirect, &err)       where it has no client id
 *     authority_take_code, or authority_begin_device and authority_take_device
 *     authority_close(&authority)
 *
 * One thread.
 */
#ifndef MAILSYNC_STORE_AUTHORITY_H
#define MAILSYNC_STORE_AUTHORITY_H

#include "mailsync/base/err.h"
#include "mailsync/base/log.h"
#include "mailsync/base/secret.h"
#include "mailsync/base/stop.h"

struct credential;
struct oauth_client;
struct oauth_device;
struct oauth_flow;
struct oauth_settings;
struct oauth_token;

/* An account's way to its tokens. Borrowed; outlives what is made of it. */
struct authority_params {
	const char *account;
	const struct oauth_settings *settings;
	struct credential *client_secret; /* NULL: none of its own */
	const char *state_dir;
	const char *ca_file; /* NULL: the system's */
	const char *proxy;   /* NULL: none */
	int timeout_s;       /* of each request */
	struct log *log;
};

struct authority;

int authority_open(struct authority **authority, const struct authority_params *params,
		   const stop_flag *stop, struct err *err);
void authority_close(struct authority **authority);
/* Who we are there, as far as it is known yet. */
const struct oauth_client *authority_client(const struct authority *authority);

/* Errors of all of these: those of http_ask, and of oauth_refusal_read. */
int authority_discover(struct authority *authority, struct err *err);
/* REDIRECT: with the port of now. -ERR_CONFIG when there is no client id in the end. */
int authority_register(struct authority *authority, const char *redirect, struct err *err);
/* TOKEN is filled, but for its grant. */
int authority_take_code(struct authority *authority, const struct oauth_flow *flow,
			const struct secret *code_secret, struct oauth_token *token,
			struct err *err);
int authority_begin_device(struct authority *authority, struct oauth_device *device,
			   struct err *err);
/* When it fails, `refusal` of DEVICE tells whether to ask again later. */
int authority_take_device(struct authority *authority, struct oauth_device *device,
			  struct oauth_token *token, struct err *err);

#endif
