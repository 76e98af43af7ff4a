#include "whose.h"

/* Each protocol has rows of its own. */
static const char *key_of(const struct run *run)
{
	return run->account->is_pop3 ? "pop3_whose" : "server";
}

int whose_rows(struct run *run, enum whose *whose, struct err *err)
{
	char now[SERVER_FINGERPRINT_SIZE];
	struct buf noted;
	bool is_found = false;
	int code;
	buf_init(&noted, SERVER_FINGERPRINT_SIZE);
	if ((code = server_fingerprint(&run->account->server, now, err)) == 0 &&
	    (code = state_get(run->session->state, key_of(run), &noted, &is_found, err)) == 0) {
		*whose = server_whose(buf_span(&noted), now);
	}
	buf_finish(&noted);
	return code;
}

int whose_note(struct run *run, struct err *err)
{
	char now[SERVER_FINGERPRINT_SIZE];
	int code = server_fingerprint(&run->account->server, now, err);
	return code < 0 ? code : state_set(run->session->state, key_of(run), now, err);
}
