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

/* Until POP3 has noted whose the rows are, there are none of it. */
static int forget(struct state *state, struct ownership *ownership, struct err *err)
{
	ownership->must_pair = true;
	int code = state_forget_all(state, err);
	return code < 0 ? code : state_set(state, "pop3_whose", "", err);
}

static const char *protocol_name(const struct account *account)
{
	return account->is_pop3 ? "pop3" : "imap";
}

/* What the other protocol has fetched, or deleted, base does not tell. */
static int check_protocol(struct state *state, const struct account *account,
			  struct ownership *ownership, struct err *err)
{
	char last[16];
	int code = get_text(state, "protocol", last, sizeof(last), err);
	ownership->is_other_protocol =
		code == 0 && last[0] != '\0' && strcmp(last, protocol_name(account)) != 0;
	return code == 0 && ownership->is_other_protocol ? forget(state, ownership, err) : code;
}

static int check_account(const struct maildir_id *id, const char *account, struct err *err)
{
	if (strcmp(id->account, account) == 0) {
		return 0;
	}
	return err_set(
		err, ERR_CONFIG, SCOPE_ACCOUNT,
		"this Maildir belongs to account \"%s\" (see mailsync-id in it); give account "
		"\"%s\" a root of its own, or remove that file if the account was renamed",
		id->account, account);
}

/*
 * Base has rows, the root has no id. A root without any mailbox may be an unmounted disk: base is
 * kept, the brake will stop the account. A root with mailboxes is another tree than base's.
 */
static int check_no_id(struct maildir *maildir, struct state *state, const char *clean,
		       struct ownership *ownership, struct err *err)
{
	struct strlist names;
	strlist_init(&names);
	int code = maildir_exists(maildir) ? maildir_list(maildir, &names, err) : 0;
	if (code == 0 && names.count > 0 && strcmp(clean, CLEAN_CLAIMING) != 0) {
		code = forget(state, ownership, err);
	}
	strlist_finish(&names);
	return code;
}

/* "boot": under which boot rows were committed whose files no run has made durable since. */
static int check_boot(struct state *state, struct ownership *ownership, struct err *err)
{
	char committed[BOOT_ID_SIZE];
	char now[BOOT_ID_SIZE];
	int code = get_text(state, "boot", committed, sizeof(committed), err);
	clock_boot_id(now);
	ownership->lost_power = code == 0 && committed[0] != '\0' && strcmp(committed, now) != 0;
	ownership->was_unclean |= ownership->lost_power;
	return code;
}

int ownership_check(struct maildir *maildir, struct state *state, const struct account *account,
		    struct ownership *ownership, struct err *err)
{
	struct maildir_id id = {0};
	bool found = false;
	char database[40];
	char clean[16];
	uint64_t generation = 0;
	memset(ownership, 0, sizeof(*ownership));
	int code = maildir_exists(maildir) ? maildir_id_read(maildir, &id, &found, err) : 0;
	if (code == 0 && found) {
		code = check_account(&id, account->name, err);
	}
	if (code == 0) {
		code = database_id(state, database, err);
	}
	if (code == 0) {
		code = generation_of(state, &generation, err);
	}
	if (code == 0) {
		code = get_text(state, "clean", clean, sizeof(clean), err);
	}
	if (code < 0) {
		return code;
	}
	/* A run that was cut while it claimed may have followed one that was cut at work. */
	ownership->was_unclean = clean[0] != '\0' && strcmp(clean, CLEAN_YES) != 0;
	code = check_boot(state, ownership, err);
	if (code < 0) {
		return code;
	}
	if (generation == 0) {
		ownership->must_pair = true;
		return 0;
	}
	if (!found) {
		return check_no_id(maildir, state, clean, ownership, err);
	}
	bool claim_cut = strcmp(clean, CLEAN_CLAIMING) == 0 && generation == id.generation + 1;
	if (strcmp(id.database, database) != 0 || (generation != id.generation && !claim_cut)) {
		return forget(state, ownership, err);
	}
	return check_protocol(state, account, ownership, err);
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
	code = state_set(state, "generation", text, err);
	if (code == 0) {
		code = state_set(state, "clean", CLEAN_CLAIMING, err);
	}
	if (code == 0) {
		code = state_set(state, "account", id->account, err);
	}
	if (code == 0) {
		code = state_set(state, "protocol", protocol_name(account), err);
	}
	if (code == 0 && account->maildir.durability == MAILDIR_SYNC_NONE) {
		code = claim_boot(state, err);
	}
	if (code < 0) {
		state_rollback(state);
		return code;
	}
	return state_commit(state, err);
}

int ownership_claim(struct maildir *maildir, struct state *state, const struct account *account,
		    struct err *err)
{
	struct maildir_id id = {0};
	uint64_t generation = 0;
	bool found = false;
	int code = generation_of(state, &generation, err);
	if (code == 0) {
		code = maildir_id_read(maildir, &id, &found, err);
	}
	if (code == 0) {
		code = database_id(state, id.database, err);
	}
	if (code < 0) {
		return code;
	}
	/* After a stop between the two writes the number that the file lacks is claimed again, lest
	 * the two drift apart. */
	id.generation = found && id.generation + 1 == generation ? generation : generation + 1;
	snprintf(id.account, sizeof(id.account), "%s", account->name);
	code = claim_in_state(state, &id, account, err);
	if (code == 0) {
		code = maildir_id_write(maildir, &id, err);
	}
	if (code == 0) {
		code = state_set(state, "clean", CLEAN_NOT, err);
	}
	return code;
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
