/* Of which server and user the state tells. What it noted of another one is not believed. */
#include "guard.h"

/* Each protocol has rows of its own. */
static const char *key_of(const struct account *account)
{
	return account->is_pop3 ? "pop3_whose" : "server";
}

static int whose_state(const struct account *account, struct state *state, enum whose *whose,
		       struct err *err)
{
	char now[SERVER_FINGERPRINT_SIZE];
	char noted[SERVER_FINGERPRINT_SIZE];
	int code;
	if ((code = server_fingerprint(&account->server, now, err)) == 0 &&
	    (code = state_get(state, key_of(account), noted, sizeof(noted), err)) == 0) {
		*whose = server_whose(span_of(noted), now);
	}
	return code;
}

int whose_rows(struct run *run, enum whose *whose, struct err *err)
{
	return whose_state(run->account, run->session->state, whose, err);
}

int whose_note(struct run *run, struct err *err)
{
	char now[SERVER_FINGERPRINT_SIZE];
	int code = server_fingerprint(&run->account->server, now, err);
	return code < 0 ? code : state_set(run->session->state, key_of(run->account), now, err);
}

int whose_uses(const struct account *account, struct state *state, struct state_uses *uses,
	       struct err *err)
{
	enum whose whose;
	state_uses_finish(uses);
	int code = whose_state(account, state, &whose, err);
	return code == 0 && whose == WHOSE_OURS ? state_uses_load(state, uses, err) : code;
}

int whose_uses_if_any(const struct account *account, const struct sync_options *options,
		      struct state_uses *uses, struct err *err)
{
	struct state *state = NULL;
	char path[FILE_PATH_SIZE];
	if (!remote_chooses_by_use(account->patterns, account->pattern_count)) {
		return 0;
	}
	account_path(account, options, ".db", path);
	int code = state_open(&state, path, STATE_READ, err);
	code = code < 0 ? code : whose_uses(account, state, uses, err);
	state_close(&state);
	if (code == -ERR_LOCAL || code == -ERR_TEMPORARY || code == -ERR_CONFIG) {
		log_line(options->log, LOG_WARN,
			 "%s: which mailboxes have a special use is not known: %s", account->name,
			 err->text);
		code = -ERR_CHANGED;
	}
	if (code == -ERR_CHANGED) { /* or it was never synced */
		state_uses_finish(uses);
		code = 0;
	}
	return code;
}
