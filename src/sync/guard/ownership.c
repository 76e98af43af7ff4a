/*
 * What a run opens on this machine, claims and gives back.
 *
 * The database's generation is written first, then that of `mailsync-id` in the Maildir's root,
 * then rows: a crash between leaves the database one ahead, which is no contradiction, as no row
 * was written.
 */
#include "guard.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "mailsync/base/clock.h"
#include "mailsync/base/digest.h"
#include "mailsync/base/file.h"

#define DATABASE_ID_SIZE sizeof(((struct maildir_id *)NULL)->database)

/* A sync waits so long for a watch that has the lock just now. */
#define WATCH_WAIT_MS 2000
#define WATCH_LOOK_MS 50

/* The value "clean". */
#define CLEAN_YES      "1"
#define CLEAN_NOT      "0"        /* a run that changes things is under way, or was cut */
#define CLEAN_CLAIMING "claiming" /* the database has the new generation, the file may not */

static int database_id(struct state *state, char out[DATABASE_ID_SIZE], struct err *err)
{
	uint8_t random[16];
	char text[2 * sizeof(random) + 1];
	int code = state_get(state, "database", out, DATABASE_ID_SIZE, err);
	if (code < 0 || out[0] != '\0' || (code = random_bytes(random, sizeof(random), err)) < 0) {
		return code;
	}
	hex_encode(random, sizeof(random), text);
	snprintf(out, DATABASE_ID_SIZE, "%s", text);
	return state_set(state, "database", text, err);
}

static int generation_of(struct state *state, uint64_t *generation, struct err *err)
{
	char text[32];
	int code = state_get(state, "generation", text, sizeof(text), err);
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

/* What the database says. "boot": under which boot rows were committed whose files no run has made
 * durable since. */
static int gather_state(const struct session *session, struct ownership_facts *facts,
			struct err *err)
{
	struct state *state = session->state;
	const char *name = protocol_name(session->account);
	char clean[16], protocol[16], boot[BOOT_ID_SIZE], now[BOOT_ID_SIZE];
	int code;
	if ((code = generation_of(state, &facts->generation, err)) < 0 ||
	    (code = state_get(state, "clean", clean, sizeof(clean), err)) < 0 ||
	    (code = state_get(state, "boot", boot, sizeof(boot), err)) < 0 ||
	    (code = state_get(state, "protocol", protocol, sizeof(protocol), err)) < 0) {
		return code;
	}
	clock_boot_id(now);
	facts->last_run = run_end_of(clean);
	facts->has_unsynced = boot[0] != '\0';
	facts->is_same_boot = strcmp(boot, now) == 0;
	facts->is_other_protocol = protocol[0] != '\0' && strcmp(protocol, name) != 0;
	return 0;
}

/* What the root says. Its mailboxes matter only where it should have an id and has none. */
static int gather_root(const struct session *session, struct maildir_id *id,
		       struct ownership_facts *facts, struct err *err)
{
	const struct restore_wanted *restore = session->options->restore;
	/* Another tree, such as one of a backup, is whose it may: it is only read. */
	bool is_there =
		maildir_exists(session->maildir) && (restore == NULL || !restore->is_foreign);
	struct strlist names;
	int code = is_there ? maildir_id_read(session->maildir, id, &facts->has_id, err) : 0;
	if (code < 0 || !is_there || facts->has_id || facts->generation == 0) {
		return code;
	}
	strlist_init(&names);
	code = maildir_list(session->maildir, &names, err);
	facts->has_mailboxes = names.count > 0;
	strlist_finish(&names);
	return code;
}

/* Before anything is believed. */
static int check(struct session *session, enum ownership_verdict *verdict, struct err *err)
{
	const char *name = session->account->name;
	struct maildir_id id = {0};
	struct ownership_facts facts = {0};
	char database[DATABASE_ID_SIZE];
	int code;
	if ((code = database_id(session->state, database, err)) < 0 ||
	    (code = gather_state(session, &facts, err)) < 0 ||
	    (code = gather_root(session, &id, &facts, err)) < 0) {
		return code;
	}
	facts.is_other_account = strcmp(id.account, name) != 0;
	facts.is_other_database = strcmp(id.database, database) != 0;
	facts.id_generation = id.generation;
	*verdict = ownership_verdict(&facts);
	session->was_unclean = ownership_was_unclean(&facts);
	session->lost_power = ownership_lost_power(&facts);
	session->pair_all = *verdict != OWNERSHIP_OURS;
	if (*verdict == OWNERSHIP_REFUSED) {
		return err_set(
			err, ERR_CONFIG, SCOPE_ACCOUNT,
			"this Maildir belongs to account \"%s\" (see mailsync-id in it); give "
			"account \"%s\" a root of its own, or remove that file if the account was "
			"renamed",
			id.account, name);
	}
	if (*verdict == OWNERSHIP_OURS || *verdict == OWNERSHIP_NEW) {
		return 0;
	}
	/* Until POP3 has noted whose the rows are, there are none of it. */
	code = state_forget_all(session->state, err);
	return code < 0 ? code : state_set(session->state, "pop3_whose", "", err);
}

static void tell_verdict(const struct run *run, enum ownership_verdict verdict, const char *path)
{
	const struct session *session = run->session;
	const char *name = run->account->name;
	if (session->lost_power) {
		log_line(run->log, LOG_INFO,
			 "%s: the system went down before all was on disk; what is missing is "
			 "downloaded again",
			 name);
	}
	if (state_was_damaged(session->state)) {
		log_line(run->log, LOG_WARN,
			 "%s: the state database %s was damaged and is kept beside; pairing what "
			 "both sides have, deleting nothing",
			 name, path);
	}
	if (session->pair_all && !state_was_reset(session->state)) {
		log_line(run->log, LOG_INFO,
			 "%s: %s; pairing what both sides have, deleting nothing", name,
			 verdict == OWNERSHIP_FORGET_PROTOCOL
				 ? "the last run was by another protocol"
				 : "the state database and the Maildir are not of one time");
	}
}

/* A `watch` of the account lives: it holds a lock of its own as long. */
static bool is_watched(const struct run *run)
{
	struct file_lock lock;
	struct err ignored;
	char path[FILE_PATH_SIZE];
	account_path(run->account, run->options, ".watch", path);
	file_lock_init(&lock);
	bool is_so = access(path, F_OK) == 0 &&
		     file_lock_acquire(&lock, path, false, NULL, &ignored) == -ERR_LOCKED;
	file_lock_finish(&lock);
	return is_so;
}

/* Another run has the lock. A watch has it for a moment at a time. */
static int lock_beside_watch(struct run *run, const char *path, struct err *err)
{
	const struct sync_options *options = run->options;
	int code = -ERR_LOCKED;
	for (int ms = 0; code == -ERR_LOCKED && ms < WATCH_WAIT_MS; ms += WATCH_LOOK_MS) {
		clock_sleep_ms(WATCH_LOOK_MS);
		code = run_check_stop(run, err);
		code = code < 0 ? code
				: file_lock_acquire(&run->session->lock, path, false, options->stop,
						    err);
	}
	return code;
}

int run_open_lock(struct run *run, struct err *err)
{
	const struct sync_options *options = run->options;
	char path[FILE_PATH_SIZE];
	int code = file_make_dirs(options->state_dir, err);
	if (code < 0) {
		return code;
	}
	account_path(run->account, options, ".lock", path);
	code = file_lock_acquire(&run->session->lock, path, options->wait, options->stop, err);
	return code == -ERR_LOCKED && !options->is_watch && is_watched(run)
		     ? lock_beside_watch(run, path, err)
		     : code;
}

static int open_maildir(struct run *run, bool may_create, struct err *err)
{
	struct maildir_params params = run->account->maildir;
	params.log = run->log;
	return maildir_open(&run->session->maildir, &params, may_create, err);
}

int run_open_local(struct run *run, struct err *err)
{
	struct session *session = run->session;
	enum state_mode mode = run->options->dry_run ? STATE_SCRATCH : STATE_WRITE;
	enum ownership_verdict verdict = OWNERSHIP_OURS;
	char path[FILE_PATH_SIZE];
	int code;
	account_path(run->account, run->options, ".db", path);
	session->is_scratch = mode == STATE_SCRATCH;
	if (session->is_second_try && session->is_scratch) {
		path[0] = '\0'; /* a real run would have moved it aside */
	}
	if ((code = state_open(&session->state, path, mode, err)) < 0 ||
	    (code = whose_uses(run->account, session->state, &run->uses, err)) < 0 ||
	    (code = open_maildir(run, false, err)) < 0) {
		return code;
	}
	state_hold(session->state);
	code = check(session, &verdict, err);
	state_let_go(session->state);
	if (code < 0) {
		return code;
	}
	tell_verdict(run, verdict, path);
	return 0;
}

/* An older boot's name stays: what was lost then is not all found yet. */
static int claim_boot(struct state *state, struct err *err)
{
	char boot[BOOT_ID_SIZE];
	int code = state_get(state, "boot", boot, sizeof(boot), err);
	if (code < 0 || boot[0] != '\0') {
		return code;
	}
	clock_boot_id(boot);
	return state_set(state, "boot", boot[0] == '\0' ? "unknown" : boot, err);
}

/* The database's half of a claim. */
static int claim_in_state(struct state *state, uint64_t generation, const struct account *account,
			  struct err *err)
{
	bool is_synced = account->maildir.durability != MAILDIR_SYNC_NONE;
	char text[32];
	int code = state_begin(state, err);
	if (code < 0) {
		return code;
	}
	snprintf(text, sizeof(text), "%" PRIu64, generation);
	if ((code = state_set(state, "generation", text, err)) == 0 &&
	    (code = state_set(state, "clean", CLEAN_CLAIMING, err)) == 0 &&
	    (code = state_set(state, "account", account->name, err)) == 0 &&
	    (code = state_set(state, "protocol", protocol_name(account), err)) == 0) {
		code = is_synced ? 0 : claim_boot(state, err);
	}
	return state_end(state, code, err);
}

static int claim(struct session *session, struct err *err)
{
	struct state *state = session->state;
	struct maildir_id id = {0};
	uint64_t generation = 0;
	bool found = false;
	int code;
	if ((code = generation_of(state, &generation, err)) < 0 ||
	    (code = maildir_id_read(session->maildir, &id, &found, err)) < 0 ||
	    (code = database_id(state, id.database, err)) < 0) {
		return code;
	}
	/* After a stop between the two writes the number that the file lacks is claimed again, lest
	 * the two drift apart. */
	id.generation = found && id.generation + 1 == generation ? generation : generation + 1;
	snprintf(id.account, sizeof(id.account), "%s", session->account->name);
	const struct restore_wanted *restore = session->options->restore;
	bool is_foreign = restore != NULL && restore->is_foreign;
	if ((code = claim_in_state(state, id.generation, session->account, err)) < 0 ||
	    (!is_foreign && (code = maildir_id_write(session->maildir, &id, err)) < 0)) {
		return code;
	}
	return state_set(state, "clean", CLEAN_NOT, err);
}

int run_claim(struct run *run, struct err *err)
{
	struct session *session = run->session;
	int code = 0;
	if (session->has_generation || session->is_scratch) {
		return 0;
	}
	if (!maildir_exists(session->maildir)) {
		maildir_close(&session->maildir);
		code = open_maildir(run, true, err);
	}
	code = code < 0 ? code : claim(session, err);
	session->has_generation = code == 0;
	return code;
}

int run_begin(struct run *run, struct err *err)
{
	int code = run_claim(run, err);
	return code < 0 ? code : state_begin(run->session->state, err);
}

/* Told once, as it stays so. */
static int note_times(const struct run *run, struct err *err)
{
	struct session *session = run->session;
	char times[8];
	int code = state_get(session->state, "times", times, sizeof(times), err);
	if (code < 0 || times[0] != '\0' || !maildir_refuses_times(session->maildir)) {
		return code;
	}
	log_line(run->log, LOG_WARN,
		 "%s: the file system of %s lets no file's time be set; the dates of messages are "
		 "kept in the database alone",
		 run->account->name, run->account->maildir.root);
	return state_set(session->state, "times", "refused", err);
}

int run_release(struct run *run, struct err *err)
{
	struct session *session = run->session;
	char boot[BOOT_ID_SIZE];
	int code;
	if (!session->has_generation) {
		return 0;
	}
	code = state_get(session->state, "boot", boot, sizeof(boot), err);
	if (code == 0 && boot[0] != '\0' && (code = maildir_sync_all(session->maildir, err)) == 0) {
		code = state_set(session->state, "boot", "", err);
	}
	/* -ERR_LIMIT: no syncfs here; the next boot is one to be careful after. */
	if ((code < 0 && code != -ERR_LIMIT) || (code = note_times(run, err)) < 0) {
		return code;
	}
	return state_set(session->state, "clean", CLEAN_YES, err);
}

int mailbox_forget_base(struct run *run, struct mailbox *mailbox, struct err *err)
{
	struct state_mailbox *base = &mailbox->base;
	int code;
	if ((code = run_claim(run, err)) < 0 ||
	    (run->policy.is_archive &&
	     (code = state_kept_note_mailbox(run->session->state, base->id, false, err)) < 0) ||
	    (code = state_mailbox_clear(run->session->state, base->id, err)) < 0) {
		return code;
	}
	base->numbers = (struct numbers){0};
	base->has_stamp = false;
	base->synced_at = 0; /* until it is paired and synced, by whichever run */
	mailbox->decided.pairing = PAIRING_ALL;
	return 0;
}
