#include "cli_login.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "mailsync/base/clock.h"
#include "mailsync/base/digest.h"
#include "mailsync/base/url.h"
#include "mailsync/net/redirect.h"
#include "mailsync/oauth/flow.h"
#include "mailsync/oauth/token.h"
#include "mailsync/store/tokens.h"
#include "cli_browser.h"

#define WAIT_MS      (INT64_C(5) * 60 * 1000)
#define URL_MAX      8192
#define SLICE_MS     100 /* a signal is heeded that soon */
#define SLOWER_S     5
#define INTERVAL_MAX 60

struct sign_in {
	const struct authority_params *params;
	const struct cli_options *options;
	const stop_flag *stop;
	struct authority *authority;
	struct oauth_token token;
};

/* --- by a browser --- */

/* The redirect's own path, as a request has it. */
static void append_path(const struct oauth_client *client, struct buf *path)
{
	struct url url;

	if (url_read(span_of(client->redirect), &url) && url.path.len > 0) {
		buf_append_span(path, url.path);
	} else {
		buf_append_char(path, '/');
	}
}

/* Registers where need be; what comes back decides how the redirect is written. */
static int settle_redirect(struct sign_in *sign_in, unsigned port, struct buf *redirect,
			   struct err *err)
{
	const struct oauth_client *client = authority_client(sign_in->authority);
	int code;

	oauth_client_append_redirect(client, port, redirect);
	if ((code = buf_status(redirect, "a redirect", err)) < 0 ||
	    (code = authority_register(sign_in->authority, redirect->data, err)) < 0) {
		return code;
	}
	unsigned fixed = oauth_client_port(client);
	if (fixed != 0 && fixed != port) {
		return err_set(err, ERR_SERVER, SCOPE_ACCOUNT,
			       "the authorization server registered another port than the one that "
			       "is listened on");
	}
	buf_clear(redirect);
	oauth_client_append_redirect(client, port, redirect);
	return buf_status(redirect, "a redirect", err);
}

static void invite(const struct sign_in *sign_in, const char *url, unsigned port)
{
	enum cli_browser browser = cli_browser_kind();

	fprintf(stderr, "Open this address in a browser and sign in as %s:\n\n  %s\n\n",
		sign_in->params->settings->user ? sign_in->params->settings->user
						: "the account's user",
		url);
	if (sign_in->options->paste) {
		fputs("The browser ends at a page that it cannot open. Paste the address of that "
		      "page here:\n",
		      stderr);
	} else if (browser == CLI_BROWSER_SSH) {
		fprintf(stderr,
			"For a browser on your own machine, run there first:\n\n"
			"  ssh -L %u:localhost:%u THIS-HOST\n\n"
			"or paste here the address of the page that it ends at.\n",
			port, port);
	} else {
		fputs("If it does not come back by itself, paste the address of the page that it "
		      "ends at here.\n",
		      stderr);
	}
	fflush(stderr);
	if (!sign_in->options->paste && !sign_in->options->no_browser &&
	    browser == CLI_BROWSER_HERE) {
		cli_browser_open(url);
	}
}

/* Waits for the answer to FLOW. */
static int await_code(struct sign_in *sign_in, struct redirect *redirect, const char *path,
		      const struct oauth_flow *flow, struct secret *code_secret, struct err *err)
{
	const struct redirect_wait wait = {
		.path = path,
		.input = STDIN_FILENO,
		.until_ms = clock_monotonic_ms() + WAIT_MS,
		.stop = sign_in->stop,
	};
	enum oauth_answer answer = OAUTH_ANSWER_STRAY;
	struct redirect_query query;
	int code = 0;

	while (answer == OAUTH_ANSWER_STRAY &&
	       (code = redirect_next(redirect, &wait, &query, err)) == 0) {
		struct span text = query.is_pasted ? oauth_query_of(query.text) : query.text;
		answer = oauth_flow_read(flow, authority_client(sign_in->authority), text,
					 code_secret, err);
		if (answer == OAUTH_ANSWER_STRAY && query.is_pasted && text.len > 0) {
			fputs("This is not the address that is waited for; it has to be the one of "
			      "the page that this sign-in ended at.\n",
			      stderr);
		}
		redirect_answer(redirect, answer != OAUTH_ANSWER_STRAY);
	}
	return code < 0 ? code : answer == OAUTH_ANSWER_REFUSED ? -(int)err->code : 0;
}

static int open_flow(struct sign_in *sign_in, struct redirect *redirect, struct oauth_flow *flow,
		     struct err *err)
{
	uint8_t random[64];
	struct buf text;
	int code;

	buf_init(&text, URL_MAX);
	if ((code = settle_redirect(sign_in, redirect_port(redirect), &text, err)) < 0 ||
	    (code = random_bytes(random, sizeof(random), err)) < 0 ||
	    (code = oauth_flow_init(flow, random, text.data, err)) < 0) {
		goto finish;
	}
	buf_clear(&text);
	code = oauth_flow_write_url(flow, authority_client(sign_in->authority),
				    sign_in->params->settings->user, &text, err);
	if (code == 0) {
		invite(sign_in, text.data, redirect_port(redirect));
	}
finish:
	secret_wipe(random, sizeof(random));
	buf_finish(&text);
	return code;
}

static int take_code(struct sign_in *sign_in, struct redirect *redirect,
		     const struct oauth_flow *flow, struct err *err)
{
	struct secret code_secret;
	struct buf path;
	int code;

	secret_init(&code_secret);
	buf_init(&path, URL_MAX);
	append_path(authority_client(sign_in->authority), &path);
	if ((code = await_code(sign_in, redirect, path.data, flow, &code_secret, err)) < 0) {
		goto finish;
	}
	code = authority_take_code(sign_in->authority, flow, &code_secret, &sign_in->token, err);
finish:
	buf_finish(&path);
	secret_finish(&code_secret);
	return code;
}

static int sign_in_by_browser(struct sign_in *sign_in, struct err *err)
{
	const struct oauth_client *client = authority_client(sign_in->authority);
	struct oauth_flow flow = {.redirect = NULL};
	struct redirect *redirect = NULL;
	int code;

	if (!client->auth_url) {
		return err_set(err, ERR_CONFIG, SCOPE_ACCOUNT,
			       "account %s has no address for a browser; set `oauth_auth_url`, or "
			       "try --device",
			       sign_in->params->account);
	}
	if ((code = redirect_open(&redirect, oauth_client_port(client), !sign_in->options->paste,
				  err)) < 0 ||
	    (code = open_flow(sign_in, redirect, &flow, err)) < 0) {
		goto finish;
	}
	code = take_code(sign_in, redirect, &flow, err);
finish:
	oauth_flow_finish(&flow);
	redirect_close(&redirect);
	return code;
}

/* --- by a device code --- */

static int pause_s(const struct sign_in *sign_in, int64_t seconds, int64_t until_ms,
		   struct err *err)
{
	int64_t end_ms = clock_monotonic_ms() + seconds * 1000;

	while (clock_monotonic_ms() < end_ms) {
		if (sign_in->stop && *sign_in->stop) {
			return err_stopped(err);
		}
		if (clock_monotonic_ms() >= until_ms) {
			return err_set(err, ERR_LOGIN, SCOPE_ACCOUNT,
				       "nobody consented in time; run `mailsync login %s --device` "
				       "again",
				       sign_in->params->account);
		}
		clock_sleep_ms(SLICE_MS);
	}
	return 0;
}

static int poll_device(struct sign_in *sign_in, struct oauth_device *device, struct err *err)
{
	int64_t until_ms = clock_monotonic_ms() + device->lifetime_s * 1000;
	int interval_s = device->interval_s;
	int code;

	for (;;) {
		if ((code = pause_s(sign_in, interval_s, until_ms, err)) < 0) {
			return code;
		}
		code = authority_take_device(sign_in->authority, device, &sign_in->token, err);
		if (code == 0) {
			return 0;
		}
		enum oauth_refusal refusal = device->refusal;
		if (refusal == OAUTH_REFUSED_SLOWLY) {
			interval_s += SLOWER_S;
		} else if (refusal != OAUTH_REFUSED_PENDING && code == -ERR_TEMPORARY) {
			interval_s = interval_s < INTERVAL_MAX / 2 ? interval_s * 2 : INTERVAL_MAX;
		} else if (refusal != OAUTH_REFUSED_PENDING) {
			return code;
		}
	}
}

static int sign_in_by_device(struct sign_in *sign_in, struct err *err)
{
	const struct oauth_client *client = authority_client(sign_in->authority);
	struct oauth_device device;
	int code;

	if (oauth_client_no_device(client)) {
		return err_set(err, ERR_USAGE, SCOPE_ACCOUNT, "%s; log in without --device",
			       oauth_client_no_device(client));
	}
	oauth_device_init(&device);
	if ((code = authority_register(sign_in->authority, client->redirect, err)) < 0 ||
	    (code = authority_begin_device(sign_in->authority, &device, err)) < 0) {
		goto finish;
	}
	fprintf(stderr,
		"Open this address in a browser, on any machine, and enter the code %s:\n\n"
		"  %s\n",
		device.user_code, device.url);
	if (device.whole_url) {
		fprintf(stderr, "\nor this one, which has the code in it:\n\n  %s\n",
			device.whole_url);
	}
	fflush(stderr);
	code = poll_device(sign_in, &device, err);
finish:
	oauth_device_finish(&device);
	return code;
}

/* --- what came --- */

static void warn_of_less(const struct sign_in *sign_in)
{
	const char *scope = authority_client(sign_in->authority)->scope;
	struct log *log = sign_in->params->log;
	struct buf missing;

	buf_init(&missing, URL_MAX);
	if (scope) {
		oauth_token_missing(&sign_in->token, scope, &missing);
	}
	if (missing.len > 0) {
		log_line(log, LOG_WARN, "%s: less was granted than asked for; missing: %s",
			 sign_in->params->account, missing.data);
	}
	if (!sign_in->token.refresh.data) {
		log_line(log, LOG_WARN,
			 "%s: no token to refresh with came; this sign-in ends with the access "
			 "token",
			 sign_in->params->account);
	}
	buf_finish(&missing);
}

static int keep(struct sign_in *sign_in, struct err *err)
{
	uint8_t random[(OAUTH_GRANT_SIZE - 1) / 2];
	struct oauth_token *token = &sign_in->token;
	int code;

	if ((code = random_bytes(random, sizeof(random), err)) < 0 ||
	    (code = oauth_client_copy(&token->client, authority_client(sign_in->authority), err)) <
		    0) {
		return code;
	}
	hex_encode(random, sizeof(random), token->grant);
	token->granted_s = token->received.real_s;
	return tokens_keep(sign_in->params, token, sign_in->stop, err);
}

static int run(struct sign_in *sign_in, struct err *err)
{
	int code;

	if ((code = authority_open(&sign_in->authority, sign_in->params, sign_in->stop, err)) < 0 ||
	    (code = authority_discover(sign_in->authority, err)) < 0) {
		return code;
	}
	code = sign_in->options->device ? sign_in_by_device(sign_in, err)
					: sign_in_by_browser(sign_in, err);
	if (code < 0 || (code = keep(sign_in, err)) < 0) {
		return code;
	}
	warn_of_less(sign_in);
	return 0;
}

int cli_login_run(const struct authority_params *params, const struct cli_options *options,
		  const stop_flag *stop, struct err *err)
{
	struct sign_in sign_in = {.params = params, .options = options, .stop = stop};

	oauth_token_init(&sign_in.token);
	int code = run(&sign_in, err);
	oauth_token_finish(&sign_in.token);
	authority_close(&sign_in.authority);
	return code;
}
