/*
 * Invariants:
 * 1. Between the reading of a refresh token and the writing of the next one the file is locked.
 * 2. A token is durable before it is used.
 */
#include "mailsync/store/tokens.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "mailsync/base/digest.h"
#include "mailsync/base/log.h"
#include "authority_private.h"
#include "token_file.h"

#define MARK_SIZE  32
#define SCOPE_MAX  4096
#define SOON_S     86400 /* a clock may be that wrong */
#define ROUNDS_MAX 3     /* of a file that others change while we refresh */

struct tokens {
	const struct authority_params *params;
	pthread_mutex_t mutex; /* one thread of an account at a time */
};

int tokens_create(struct tokens **tokens, const struct authority_params *params, struct err *err)
{
	struct tokens *created = calloc(1, sizeof(*created));

	if (!created) {
		return err_nomem(err);
	}
	if (pthread_mutex_init(&created->mutex, NULL) != 0) {
		free(created);
		return err_nomem(err);
	}
	created->params = params;
	*tokens = created;
	return 0;
}

void tokens_destroy(struct tokens **tokens)
{
	if (*tokens) {
		pthread_mutex_destroy(&(*tokens)->mutex);
		free(*tokens);
		*tokens = NULL;
	}
}

static int open_file(const struct authority_params *params, struct token_file *file,
		     struct err *err)
{
	return token_file_init(file, params->state_dir, params->account, err);
}

/* --- refreshing --- */

/* One refresh under way, the file locked. */
struct renewal {
	struct token_file *file;
	struct authority *authority;
	struct oauth_token token;
	const struct secret *refused; /* an access token that the mail server would not have */
	bool is_done;                 /* `token` is to be used */
	enum oauth_refusal refusal;   /* the last one */
};

/* True where the mail server would not have this very one. */
static bool is_refused(const struct oauth_token *token, const struct secret *refused)
{
	return refused && refused->data &&
	       secret_same(secret_span(&token->access), secret_span(refused));
}

static bool is_usable(const struct oauth_token *token, const struct secret *refused,
		      const struct oauth_now *now)
{
	return !is_refused(token, refused) && oauth_token_is_fresh(token, now);
}

/* Who may refresh it. */
static int check_client(struct renewal *renewal, struct err *err)
{
	struct oauth_client *client = &renewal->authority->client;
	const char *account = renewal->file->account;
	int code;

	if (!oauth_token_is_of(&renewal->token, client)) {
		return err_set(
			err, ERR_LOGIN, SCOPE_ACCOUNT,
			"account %s signed in with another `oauth` or `oauth_client_id` than "
			"it has now; run `mailsync login %s`",
			account, account);
	}
	if ((code = oauth_client_take_saved(client, &renewal->token.client, err)) < 0 ||
	    (code = oauth_client_check_id(client, err)) < 0) {
		return code;
	}
	if (!renewal->token.refresh.data) {
		return err_set(
			err, ERR_LOGIN, SCOPE_ACCOUNT,
			"the access token of account %s is over, and %s gave none to refresh "
			"it with; run `mailsync login %s`",
			account, oauth_client_name(client), account);
	}
	return 0;
}

/* Asks with REFRESH, and keeps what comes: the next refresh token also of a reply that is of no use
 * else. The file is written as it is first, lest a full disk costs what is given only once. */
static int renew_with(struct renewal *renewal, const struct secret *refresh, struct err *err)
{
	struct err why;
	int code = token_file_write(renewal->file, &renewal->token, err);

	if (code < 0) {
		return code;
	}
	code = authority_refresh(renewal->authority, refresh, &renewal->token, &renewal->refusal,
				 err);

	if (renewal->token.is_unsaved &&
	    token_file_write(renewal->file, &renewal->token, &why) < 0 && code == 0) {
		*err = why;
		code = -(int)why.code;
	}
	renewal->is_done = code == 0;
	return code;
}

/* Reads the file again. True when it has another refresh token than TRIED. */
static bool has_changed(struct renewal *renewal, const struct secret *tried)
{
	struct oauth_token other;
	struct err ignored;
	bool is_other = token_file_read(renewal->file, &other, &ignored) == 0 &&
			!secret_same(secret_span(&other.refresh), secret_span(tried));

	oauth_token_finish(&other);
	return is_other;
}

/* What the server said may be the end of the grant: another try, with the token before. */
static int renew_before(struct renewal *renewal, struct err *err)
{
	struct secret before;
	struct err why = *err;
	int code;

	if (!renewal->token.before.data) {
		return -(int)err->code;
	}
	secret_init(&before);
	if ((code = secret_set(&before, secret_span(&renewal->token.before), err)) < 0) {
		return code;
	}
	code = renew_with(renewal, &before, err);
	secret_finish(&before);
	if (code < 0 && renewal->refusal == OAUTH_REFUSED_GRANT) {
		*err = why;
	}
	return code;
}

static int tell_dead(const struct renewal *renewal, struct err *err)
{
	const char *account = renewal->file->account;
	struct oauth_now now;

	authority_now(&now);
	if (oauth_client_has_testing(&renewal->authority->client) &&
	    oauth_token_ended_in_testing(&renewal->token, &now)) {
		return err_set(
			err, ERR_LOGIN, SCOPE_ACCOUNT,
			"the sign-in of account %s ended 7 days after `login`, as it does "
			"while the Google project's publishing status is \"Testing\": set it "
			"to \"In production\", then run `mailsync login %s`",
			account, account);
	}
	return -(int)err->code;
}

/* One round: the file is read, and where it is not fresh the server is asked. *AGAIN: another
 * program has changed it meanwhile. */
static int renew_once(struct renewal *renewal, bool *again, struct err *err)
{
	struct secret tried;
	struct oauth_now now;
	int code;

	*again = false;
	oauth_token_finish(&renewal->token);
	if ((code = token_file_read(renewal->file, &renewal->token, err)) < 0) {
		return code;
	}
	authority_now(&now);
	if (is_usable(&renewal->token, renewal->refused, &now)) {
		renewal->is_done = true;
		return 0;
	}
	secret_init(&tried);
	if ((code = check_client(renewal, err)) < 0 ||
	    (code = secret_set(&tried, secret_span(&renewal->token.refresh), err)) < 0) {
		goto finish;
	}
	code = renew_with(renewal, &tried, err);
	if (code < 0 && renewal->refusal == OAUTH_REFUSED_GRANT) {
		*again = has_changed(renewal, &tried);
		code = *again ? 0 : renew_before(renewal, err);
	}
	if (code < 0 && renewal->refusal == OAUTH_REFUSED_GRANT) {
		code = tell_dead(renewal, err);
	}
finish:
	secret_finish(&tried);
	return code;
}

static int renew(struct renewal *renewal, struct err *err)
{
	bool again = true;
	int code = 0;

	for (int i = 0; code == 0 && again && i < ROUNDS_MAX; i++) {
		code = renew_once(renewal, &again, err);
	}
	if (code == 0 && !renewal->is_done) {
		return err_set(err, ERR_TEMPORARY, SCOPE_ACCOUNT,
			       "another program changes the token file %s all the time",
			       renewal->file->path);
	}
	return code;
}

static int give(const struct oauth_token *token, struct secret *access, int64_t *end_s,
		struct err *err)
{
	if (end_s) {
		*end_s = token->is_lifetime_told ? oauth_token_end_s(token) : 0;
	}
	return secret_set(access, secret_span(&token->access), err);
}

/* Where nothing can be had now, one that is not quite over serves as well. */
static bool serves_still(const struct renewal *renewal)
{
	const struct oauth_token *token = &renewal->token;
	struct oauth_now now;

	authority_now(&now);
	return token->access.data && !is_refused(token, renewal->refused) &&
	       now.real_s >= token->received.real_s && now.real_s < oauth_token_end_s(token);
}

static int take_renewed(const struct authority_params *params, struct renewal *renewal,
			const stop_flag *stop, struct secret *access, int64_t *end_s,
			struct err *err)
{
	int code;

	if ((code = token_file_lock(renewal->file, stop, err)) < 0 ||
	    (code = authority_open(&renewal->authority, params, stop, err)) < 0) {
		return code;
	}
	code = renew(renewal, err);
	if (code == -ERR_TEMPORARY && serves_still(renewal)) {
		log_line(params->log, LOG_INFO, "%s: %s; the token of before serves a while yet",
			 params->account, err->text);
		code = 0;
	}
	return code < 0 ? code : give(&renewal->token, access, end_s, err);
}

/* The common case takes no lock: the file is replaced whole. */
static int take_fresh(const struct token_file *file, const struct secret *refused,
		      struct secret *access, int64_t *end_s, bool *is_done, struct err *err)
{
	struct oauth_token token;
	struct oauth_now now;
	int code = token_file_read(file, &token, err);

	authority_now(&now);
	*is_done = code == 0 && is_usable(&token, refused, &now);
	if (*is_done) {
		code = give(&token, access, end_s, err);
	}
	oauth_token_finish(&token);
	return code;
}

static int take(struct tokens *tokens, const struct secret *refused, const stop_flag *stop,
		struct secret *access, int64_t *end_s, struct err *err)
{
	const struct authority_params *params = tokens->params;
	struct token_file file;
	bool is_done;
	int code;

	if ((code = open_file(params, &file, err)) < 0 ||
	    (code = take_fresh(&file, refused, access, end_s, &is_done, err)) < 0 || is_done) {
		return code;
	}
	struct renewal renewal = {.file = &file, .refused = refused};
	oauth_token_init(&renewal.token);
	code = take_renewed(params, &renewal, stop, access, end_s, err);
	oauth_token_finish(&renewal.token);
	authority_close(&renewal.authority);
	token_file_finish(&file);
	return code;
}

int tokens_take(struct tokens *tokens, const struct secret *refused, const stop_flag *stop,
		struct secret *access, int64_t *end_s, struct err *err)
{
	pthread_mutex_lock(&tokens->mutex);
	int code = take(tokens, refused, stop, access, end_s, err);
	pthread_mutex_unlock(&tokens->mutex);
	return code;
}

/* --- asking --- */

int tokens_mark(struct tokens *tokens, struct secret *mark, struct err *err)
{
	uint8_t digest[DIGEST_MAX_SIZE];
	struct token_file file;
	struct buf text;
	int code;

	buf_init(&text, OAUTH_FILE_MAX);
	if ((code = open_file(tokens->params, &file, err)) < 0 ||
	    (code = token_file_text(&file, &text, err)) < 0 ||
	    (code = digest_of(DIGEST_SHA256, buf_span(&text), digest, err)) < 0) {
		goto finish;
	}
	code = secret_set(mark, (struct span){(const char *)digest, MARK_SIZE}, err);
finish:
	buf_finish_secret(&text);
	return code;
}

static int read_token(const struct authority_params *params, struct oauth_token *token,
		      struct err *err)
{
	struct token_file file;
	int code;

	oauth_token_init(token);
	code = open_file(params, &file, err);
	return code < 0 ? code : token_file_read(&file, token, err);
}

void tokens_missing(struct tokens *tokens, const char *scope, struct buf *out)
{
	struct oauth_token token;
	struct err ignored;

	if (read_token(tokens->params, &token, &ignored) == 0) {
		oauth_token_missing(&token, scope, out);
	}
	oauth_token_finish(&token);
}

/* As tokens_lacking, of TOKEN. */
static int append_lacking(const struct authority_params *params, const struct oauth_token *token,
			  struct buf *out, struct err *err)
{
	struct oauth_settings settings = *params->settings;
	struct oauth_client client;
	struct buf scope;

	settings.is_shared = false;
	oauth_client_init(&client);
	buf_init(&scope, SCOPE_MAX);
	int code = oauth_client_resolve(&client, &settings, err);
	if (code == 0) {
		buf_append_span(&scope, oauth_client_mail_scope(&client));
		oauth_token_missing(token, scope.data, out);
		code = buf_status(&scope, "a scope", err);
	}
	buf_finish(&scope);
	oauth_client_finish(&client);
	return code;
}

void tokens_lacking(struct tokens *tokens, struct buf *out)
{
	struct oauth_token token;
	struct err ignored;

	if (read_token(tokens->params, &token, &ignored) == 0) {
		(void)append_lacking(tokens->params, &token, out, &ignored);
	}
	oauth_token_finish(&token);
}

static void format_time(int64_t seconds, char text[32])
{
	time_t time = (time_t)seconds;
	struct tm tm;

	if (!localtime_r(&time, &tm) || strftime(text, 32, "%Y-%m-%d %H:%M", &tm) == 0) {
		snprintf(text, 32, "?");
	}
}

static int add_line(struct strlist *lines, struct buf *line, struct err *err)
{
	int code = line->len > 0 ? strlist_add(lines, buf_span(line), err) : 0;

	buf_clear(line);
	return code;
}

/* When it was granted, and how long that is ago; nothing of a file that tells no sensible time. */
static void append_grant(const struct oauth_token *token, int64_t now_s, struct buf *line)
{
	int64_t age_s = now_s - token->granted_s;
	char text[32];

	if (token->granted_s <= 0 || age_s < -SOON_S) {
		return;
	}
	int64_t days = age_s < 0 ? 0 : age_s / 86400;
	format_time(token->granted_s, text);
	buf_printf(line, " on %s (%lld day%s ago)", text, (long long)days, days == 1 ? "" : "s");
}

static void append_end(const struct oauth_token *token, int64_t now_s, struct buf *line)
{
	bool is_sensible = token->received.real_s > 0 && token->received.real_s <= now_s + SOON_S;
	int64_t end_s = oauth_token_end_s(token);
	char text[32];

	if (!is_sensible) {
		buf_append_cstr(line, "; the access token of now is of no known age");
	} else {
		format_time(end_s, text);
		buf_printf(line, "; the access token of now %s %s",
			   end_s > now_s ? "ends at" : "ended at", text);
	}
	buf_append_cstr(line, token->refresh.data ? ", and is refreshed" : "");
}

/* What keeps it from reading mail, or will. */
static int add_wants(const struct authority_params *params, const struct oauth_token *token,
		     struct strlist *lines, struct err *err)
{
	struct buf lacking, line;
	int code;

	buf_init(&lacking, SCOPE_MAX);
	buf_init(&line, SCOPE_MAX * 2);
	if ((code = append_lacking(params, token, &lacking, err)) < 0) {
		goto finish;
	}
	if (lacking.len > 0) {
		buf_printf(&line, "the scope %s was not granted: run `mailsync login %s`",
			   lacking.data, params->account);
	}
	if ((code = add_line(lines, &line, err)) < 0 || token->refresh.data) {
		goto finish;
	}
	buf_printf(&line, "there is no token to refresh it with: then `mailsync login %s`",
		   params->account);
	code = add_line(lines, &line, err);
finish:
	buf_finish(&line);
	buf_finish(&lacking);
	return code;
}

static int explain(const struct authority_params *params, const struct oauth_token *token,
		   const struct oauth_client *client, struct strlist *lines, struct err *err)
{
	const char *rules = oauth_client_rules(client);
	struct oauth_now now;
	struct buf line;
	int code;

	authority_now(&now);
	buf_init(&line, 1024);
	buf_printf(&line, "signed in by %s", oauth_client_name(client));
	append_grant(token, now.real_s, &line);
	append_end(token, now.real_s, &line);
	if ((code = add_line(lines, &line, err)) < 0 ||
	    (code = add_wants(params, token, lines, err)) < 0) {
		goto finish;
	}
	code = rules ? strlist_add(lines, span_of(rules), err) : 0;
finish:
	buf_finish(&line);
	return code;
}

int tokens_explain(struct tokens *tokens, struct strlist *lines, struct err *err)
{
	const struct authority_params *params = tokens->params;
	struct oauth_client client;
	struct oauth_token token;
	int code = read_token(params, &token, err);

	oauth_client_init(&client);
	if (code < 0 || (code = oauth_client_resolve(&client, params->settings, err)) < 0) {
		goto finish;
	}
	code = explain(params, &token, &client, lines, err);
finish:
	oauth_client_finish(&client);
	oauth_token_finish(&token);
	return code;
}

/* --- signing in and out --- */

int tokens_keep(const struct authority_params *params, const struct oauth_token *token,
		const stop_flag *stop, struct err *err)
{
	struct token_file file;
	int code = open_file(params, &file, err);

	if (code < 0 || (code = token_file_lock(&file, stop, err)) < 0) {
		return code;
	}
	code = token_file_write(&file, token, err);
	token_file_finish(&file);
	return code;
}

/* Tells the server; what keeps it from that keeps nobody from signing out. */
static int revoke(const struct authority_params *params, const struct token_file *file,
		  const stop_flag *stop, struct err *err)
{
	struct authority *authority = NULL;
	struct oauth_token token;
	int code = token_file_read(file, &token, err);

	if (code < 0 || (code = authority_open(&authority, params, stop, err)) < 0 ||
	    (code = oauth_client_take_saved(&authority->client, &token.client, err)) < 0 ||
	    (code = oauth_client_check_id(&authority->client, err)) < 0) {
		goto finish;
	}
	code = authority_revoke(authority, &token, err);
finish:
	authority_close(&authority);
	oauth_token_finish(&token);
	return code;
}

int tokens_forget(const struct authority_params *params, const stop_flag *stop, bool *was_there,
		  struct err *err)
{
	struct token_file file;
	struct err why;
	int code = open_file(params, &file, err);

	*was_there = code == 0 && token_file_is_there(&file);
	if (code < 0 || !*was_there || (code = token_file_lock(&file, stop, err)) < 0) {
		return code;
	}
	int revoked = revoke(params, &file, stop, &why);
	code = token_file_remove(&file, err);
	token_file_finish(&file);
	if (code == 0 && revoked < 0) {
		code = err_set(err, ERR_PARTIAL, SCOPE_ACCOUNT,
			       "the sign-in is forgotten here, but the provider could not be told "
			       "(%s); take it back on its web site",
			       why.text);
	}
	return code;
}
