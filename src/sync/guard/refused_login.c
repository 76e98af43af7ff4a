/*
 * A login that the server refused is noted: when, how often in a row, and 16 bits of a salted,
 * slow hash of the secret, which tell whether it is another one and nothing else. The note stands
 * until a login succeeds.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "mailsync/base/clock.h"
#include "mailsync/base/digest.h"
#include "mailsync/base/file.h"
#include "mailsync/store/credential.h"

#include "guard.h"
#include "rules/login_rules.h"

#define SALT_SIZE   8
#define SALT_HEX    (2 * SALT_SIZE + 1)
#define HASH_SIZE   2
#define HASH_HEX    (2 * HASH_SIZE + 1)
#define ITERATIONS  20000
#define NOTE_SIZE   160
#define NEXT_MAX    1024
#define NOTE_FORMAT "%u %" PRId64 " %s %s %s"

struct refused_login {
	unsigned count; /* 0: none is noted */
	int64_t at;
	char salt[SALT_HEX];
	char hash[HASH_HEX];
	char where[SERVER_FINGERPRINT_SIZE];
};

static int refusal_load(struct run *run, struct refused_login *refusal, struct err *err)
{
	char note[NOTE_SIZE];
	int code = state_get(run->session->state, "refused", note, sizeof(note), err);
	*refusal = (struct refused_login){0};
	if (code == 0 && sscanf(note, "%u %" SCNd64 " %16s %4s %32s", &refusal->count, &refusal->at,
				refusal->salt, refusal->hash, refusal->where) != 5) {
		refusal->count = 0;
	}
	return code;
}

static int refusal_store(struct run *run, const struct refused_login *refusal, struct err *err)
{
	char note[NOTE_SIZE] = "";
	if (refusal->count > 0) {
		snprintf(note, sizeof(note), NOTE_FORMAT, refusal->count, refusal->at,
			 refusal->salt, refusal->hash, refusal->where);
	}
	return state_set(run->session->state, "refused", note, err);
}

static int hash_secret(const struct secret *secret, const char *salt, char hash[HASH_HEX],
		       struct err *err)
{
	uint8_t digest[DIGEST_MAX_SIZE];
	int code = digest_pbkdf2(DIGEST_SHA256, secret_span(secret), span_of(salt), ITERATIONS,
				 digest, err);
	if (code == 0) {
		hex_encode(digest, HASH_SIZE, hash);
	}
	return code;
}

/* The hash of what a login would be tried with now. */
static int hash_now(struct run *run, const char *salt, char hash[HASH_HEX], struct err *err)
{
	struct secret secret;
	secret_init(&secret);
	int code = credential_identity(run->account->server.credential, run->options->stop, &secret,
				       err);
	code = code < 0 ? code : hash_secret(&secret, salt, hash, err);
	secret_finish(&secret);
	return code;
}

#define TIME_SIZE 32
static void print_time(int64_t at_s, char text[TIME_SIZE])
{
	time_t at = (time_t)at_s;
	struct tm tm;
	text[0] = '\0';
	if (localtime_r(&at, &tm) != NULL) {
		strftime(text, TIME_SIZE, "%Y-%m-%d %H:%M", &tm);
	}
}

/* When Q3 and Q4 let it be tried again. */
static void print_next_try(const struct run *run, const struct login_facts *facts, struct buf *out)
{
	bool is_token = run->account->server.has_token;
	char again[TIME_SIZE];
	print_time(login_next_try(facts), again);
	buf_printf(out,
		   "the next try is at %s, or at once when the %s or the configuration is another, "
		   "or by `mailsync %s %s`",
		   again, is_token ? "token" : "password", is_token ? "login" : "check",
		   credential_account(run->account->server.credential));
}

static int not_now(const struct run *run, const struct login_facts *facts, struct err *err)
{
	struct buf next;
	char refused[TIME_SIZE];
	buf_init(&next, NEXT_MAX);
	print_time(facts->refused_at, refused);
	print_next_try(run, facts, &next);
	int code = err_set(err, ERR_LOGIN, SCOPE_ACCOUNT, "the server refused the login on %s; %s",
			   refused, next.data);
	buf_finish(&next);
	return code;
}

/* Behind a refusal in ERR, which nobody at a terminal reads: what will be done about it. */
static void add_next_try(const struct run *run, const struct refused_login *refusal,
			 struct err *err)
{
	const struct login_facts facts = {.refusals = refusal->count, .refused_at = refusal->at};
	struct buf next;
	buf_init(&next, NEXT_MAX);
	print_next_try(run, &facts, &next);
	err_append(err, " (%s)", next.data);
	buf_finish(&next);
}

int login_check(struct run *run, struct err *err)
{
	struct refused_login refusal;
	char now[SERVER_FINGERPRINT_SIZE];
	char hash[HASH_HEX] = "";
	int code;
	if ((code = refusal_load(run, &refusal, err)) < 0 || refusal.count == 0 ||
	    run->account->server.credential == NULL ||
	    (code = server_login_fingerprint(&run->account->server, now, err)) < 0) {
		return code;
	}
	struct login_facts facts = {
		.refusals = refusal.count,
		.refused_at = refusal.at,
		.now = clock_real_s(),
		.has_terminal = run->options->has_terminal,
		.is_same_server = strcmp(now, refusal.where) == 0,
		.is_same_secret = true,
	};
	if (login_is_due(&facts)) {
		return 0;
	}
	if ((code = hash_now(run, refusal.salt, hash, err)) < 0) {
		return code;
	}
	facts.is_same_secret = strcmp(hash, refusal.hash) == 0;
	return login_is_due(&facts) ? 0 : not_now(run, &facts, err);
}

static int note_refused(struct run *run, struct refused_login *refusal, struct err *err)
{
	uint8_t salt[SALT_SIZE];
	int code;
	refusal->count++;
	refusal->at = clock_real_s();
	if ((code = random_bytes(salt, sizeof(salt), err)) < 0) {
		return code;
	}
	hex_encode(salt, sizeof(salt), refusal->salt);
	if ((code = server_login_fingerprint(&run->account->server, refusal->where, err)) < 0 ||
	    (code = hash_secret(credential_refused_secret(run->account->server.credential),
				refusal->salt, refusal->hash, err)) < 0) {
		return code;
	}
	return refusal_store(run, refusal, err);
}

int login_note(struct run *run, int outcome, struct err *err)
{
	struct credential *credential = run->account->server.credential;
	struct refused_login refusal;
	struct err why;
	bool is_refused = outcome == -ERR_LOGIN && credential != NULL &&
			  credential_refused_secret(credential) != NULL;
	if (run->session->is_scratch || (outcome < 0 && !is_refused)) {
		return outcome;
	}
	int code = refusal_load(run, &refusal, &why);
	if (code == 0 && is_refused) {
		code = note_refused(run, &refusal, &why);
		if (code == 0 && !run->options->has_terminal) {
			add_next_try(run, &refusal, err);
		}
	} else if (code == 0 && refusal.count > 0) {
		refusal.count = 0;
		code = refusal_store(run, &refusal, &why);
	}
	if (outcome == 0 && code < 0) {
		*err = why;
	}
	return outcome < 0 ? outcome : code;
}

static bool is_noted(const char *path)
{
	struct state *state = NULL;
	struct err ignored;
	char note[NOTE_SIZE] = "";
	bool is_so = state_open(&state, path, STATE_READ, &ignored) == 0 &&
		     state_get(state, "refused", note, sizeof(note), &ignored) == 0 &&
		     note[0] != '\0';
	state_close(&state);
	return is_so;
}

void login_forget(const struct account *account, const struct sync_options *options)
{
	struct state *state = NULL;
	struct file_lock lock;
	struct err ignored;
	char path[FILE_PATH_SIZE], lock_path[FILE_PATH_SIZE];
	account_path(account, options, ".db", path);
	account_path(account, options, ".lock", lock_path);
	file_lock_init(&lock);
	if (is_noted(path) &&
	    file_lock_acquire(&lock, lock_path, false, options->stop, &ignored) == 0 &&
	    state_open(&state, path, STATE_WRITE, &ignored) == 0) {
		(void)state_set(state, "refused", "", &ignored);
	}
	state_close(&state);
	file_lock_finish(&lock);
}
