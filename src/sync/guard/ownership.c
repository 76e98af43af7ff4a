#include "ownership.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mailsync/base/clock.h"
#include "mailsync/base/digest.h"

#define VALUE_MAX 256

/* The value "clean". */
#define CLEAN_YES      "1"
#define CLEAN_NOT      "0"        /* a run that changes things is under way, or was cut */
#define CLEAN_CLAIMING "claiming" /* the database has the new generation, the file may not */

static int get_text(struct state *state, const char *key, char *out, size_t size, struct err *err)
{
	struct buf value;
	bool found = false;
	buf_init(&value, VALUE_MAX);
	int code = state_get(state, key, &value, &found, err);
	if (code == 0) {
		snprintf(out, size, "%s", found ? value.data : "");
	}
	buf_finish(&value);
	return code;
}

static int database_id(struct state *state, char out[40], struct err *err)
{
	int code = get_text(state, "database", out, 40, err);
	if (code < 0 || out[0] != '\0') {
		return code;
	}
	uint8_t random[16];
	code = random_bytes(random, sizeof(random), err);
	if (code == 0) {
		char text[2 * sizeof(random) + 1];
		hex_encode(random, sizeof(random), text);
		code = state_set(state, "database", text, err);
		snprintf(out, 40, "%s", text);
	}
	return code;
}

static int generation_of(struct state *state, uint64_t *generation, struct err *err)
{
	char text[32];
	int code = get_text(state, "generation", text, sizeof(text), err);
	if (code == 0) {
		*generation = 0;
		span_to_u64(span_of(text), generation);
	}
	return code;
}

static const char *protocol_name(const struct account *account)
{
	return account->is_pop3 ? "pop3" : "imap";
}

static enum run_end run_end_of(const char *clean)
{
	return clean[0] == '\0'                   ? RUN_END_NONE
	     : strcmp(clean, CLEAN_YES) == 0      ? RUN_END_PROPER
	     : strcmp(clean, CLEAN_CLAIMING) == 0 ? RUN_END_CLAIMING
						  : RUN_END_CUT;
}

static int gather_id(const struct session *session, struct maildir_id *id,
		     struct ownership_facts *facts, struct err *err)
{
	int code = 0;
	if (maildir_exists(session->maildir)) {
		code = maildir_id_read(session->maildir, id, &facts->has_id, err);
	}
	facts->is_other_account = strcmp(id->account, session->account->name) != 0;
	facts->id_generation = id->generation;
	return code;
}

/* What the database says. "boot": under which boot rows were committed whose files no run has made
 * durable since. */
static int gather_state(const struct session *session, const struct maildir_id *id,
			struct ownership_facts *facts, struct err *err)
{
	struct state *state = session->state;
	char database[40], clean[16], protocol[16], boot[BOOT_ID_SIZE], now[BOOT_ID_SIZE];
	int code;
	if ((code = database_id(state, database, err)) < 0 ||
	    (code = generation_of(state, &facts->generation, err)) < 0 ||
	    (code = get_text(state, "clean", clean, sizeof(clean), err)) < 0 ||
	    (code = get_text(state, "boot", boot, sizeof(boot), err)) < 0 ||
	    (code = get_text(state, "protocol", protocol, sizeof(protocol), err)) < 0) {
		return code;
	}
	clock_boot_id(now);
	facts->is_other_database = strcmp(id->database, database) != 0;
	facts->last_run = run_end_of(clean);
	facts->has_unsynced = boot[0] != '\0';
	facts->is_same_boot = strcmp(boot, now) == 0;
	facts->is_other_protocol =
		protocol[0] != '\0' && strcmp(protocol, protocol_name(session->account)) != 0;
	return 0;
}

/* Needed only of a root that should have an id and has none. */
static int gather_mailboxes(const struct session *session, struct ownership_facts *facts,
			    struct err *err)
{
	struct strlist names;
	int code = 0;
	if (facts->has_id || facts->generation == 0 || !maildir_exists(session->maildir)) {
		return 0;
	}
	strlist_init(&names);
	code = maildir_list(session->maildir, &names, err);
	facts->has_mailboxes = names.count > 0;
	strlist_finish(&names);
	return code;
}

/* Until POP3 has noted whose the rows are, there are none of it. */
static int forget(struct state *state, struct err *err)
{
	int code = state_forget_all(state, err);
	return code < 0 ? code : state_set(state, "pop3_whose", "", err);
}

int ownership_check(struct session *session, enum ownership_verdict *verdict, struct err *err)
{
	struct maildir_id id = {0};
	struct ownership_facts facts = {0};
	int code;
	if ((code = gather_id(session, &id, &facts, err)) < 0 ||
	    (code = gather_state(session, &id, &facts, err)) < 0 ||
	    (code = gather_mailboxes(session, &facts, err)) < 0) {
		return code;
	}
	*verdict = ownership_verdict(&facts);
	session->was_unclean = ownership_was_unclean(&facts);
	session->lost_power = ownership_lost_power(&facts);
	session->pair_all = *verdict != OWNERSHIP_OURS;
	switch (*verdict) {
	case OWNERSHIP_OURS:
	case OWNERSHIP_NEW:
		return 0;
	case OWNERSHIP_FORGET:
	case OWNERSHIP_FORGET_PROTOCOL:
		return forget(session->state, err);
	case OWNERSHIP_REFUSED:
		break;
	}
	return err_set(
		err, ERR_CONFIG, SCOPE_ACCOUNT,
		"this Maildir belongs to account \"%s\" (see mailsync-id in it); give account "
		"\"%s\" a root of its own, or remove that file if the account was renamed",
		id.account, session->account->name);
}

/* An older boot's name stays: what was lost then is not all found yet. */
static int claim_boot(struct state *state, struct err *err)
{
	char boot[BOOT_ID_SIZE];
	int code = get_text(state, "boot", boot, sizeof(boot), err);
	if (code < 0 || boot[0] != '\0') {
		return code;
	}
	clock_boot_id(boot);
	return state_set(state, "boot", boot[0] == '\0' ? "unknown" : boot, err);
}

/* The database's half of a claim. */
static int claim_in_state(struct state *state, const struct maildir_id *id,
			  const struct account *account, struct err *err)
{
	char text[32];
	snprintf(text, sizeof(text), "%" PRIu64, id->generation);
	int code = state_begin(state, err);
	if (code < 0) {
		return code;
	}
	if ((code = state_set(state, "generation", text, err)) < 0 ||
	    (code = state_set(state, "clean", CLEAN_CLAIMING, err)) < 0 ||
	    (code = state_set(state, "account", id->account, err)) < 0 ||
	    (code = state_set(state, "protocol", protocol_name(account), err)) < 0 ||
	    account->maildir.durability != MAILDIR_SYNC_NONE) {
		return state_end(state, code, err);
	}
	return state_end(state, claim_boot(state, err), err);
}

int ownership_claim(struct maildir *maildir, struct state *state, const struct account *account,
		    struct err *err)
{
	struct maildir_id id = {0};
	uint64_t generation = 0;
	bool found = false;
	int code;
	if ((code = generation_of(state, &generation, err)) < 0 ||
	    (code = maildir_id_read(maildir, &id, &found, err)) < 0 ||
	    (code = database_id(state, id.database, err)) < 0) {
		return code;
	}
	/* After a stop between the two writes the number that the file lacks is claimed again, lest
	 * the two drift apart. */
	id.generation = found && id.generation + 1 == generation ? generation : generation + 1;
	snprintf(id.account, sizeof(id.account), "%s", account->name);
	if ((code = claim_in_state(state, &id, account, err)) < 0 ||
	    (code = maildir_id_write(maildir, &id, err)) < 0) {
		return code;
	}
	return state_set(state, "clean", CLEAN_NOT, err);
}

int ownership_release(struct maildir *maildir, struct state *state, struct err *err)
{
	char boot[BOOT_ID_SIZE];
	int code = get_text(state, "boot", boot, sizeof(boot), err);
	if (code == 0 && boot[0] != '\0') {
		code = maildir_sync_all(maildir, err);
		if (code == 0) {
			code = state_set(state, "boot", "", err);
		} else if (code == -ERR_LIMIT) {
			code = 0; /* no syncfs here: the next boot is one to be careful after */
		}
	}
	return code < 0 ? code : state_set(state, "clean", CLEAN_YES, err);
}
