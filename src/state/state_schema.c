/*
 * The schema, whole for a new database, and as the steps that an older one takes: PRAGMA
 * user_version is 1 and those that it has taken. A step that was released is never edited; a change
 * is a new step at the end, which a new database takes, too, until schema_new has it.
 *
 * Flags are the 64 bits of a `uint64_t` in SQLite's signed integer. `side` columns hold enum
 * presence (0 absent, 1 present, 2 gone), `reason` enum row_reason: the numbers are part of
 * the file format.
 *
 * The indexes of `row` are partial, so that a settled row, the common one, stands in two of them
 * only: by UID and by unique part. row_pending, row_deleted and row_gone/row_fresh (moves) hold
 * the exceptions and cost nothing where there are none. A rowid table, since the unique part
 * (half of a row's bytes) would otherwise be repeated in every index instead of in one.
 */
#include "state_private.h"

#include <assert.h>

#include "mailsync/model/flags.h"

#define STATE_APPLICATION_ID 0x6d73796e /* "msyn" */

static_assert(MESSAGE_ABSENT == 0 && MESSAGE_PRESENT == 1 && MESSAGE_GONE == 2,
	      "stored in the database");
static_assert(REASON_TOO_LARGE == 2 && REASON_OBSTACLE == 7 && REASON_AMBIGUOUS == 8 &&
		      REASON_UNIDENTIFIED == 9 && REASON_UNSEEN == 10 && REASON_UNPROVEN == 11 &&
		      REASON_SUSPECT == 12,
	      "stored in the database");
static_assert(FLAG_DELETED == 32, "stands in the index row_deleted");
static_assert(REFUSAL_NOW == 1 && REFUSAL_QUOTA == 2 && REFUSAL_OPEN == 3 && REFUSAL_LASTING == 4 &&
		      REFUSAL_LIMIT == 5,
	      "stored in the database");
static_assert(HELD_REMOVAL == 1 && HELD_FLAGS == 2, "stored in the database");

/* What tells a file's content. Rows of before have none of it: their header digest and size
 * decide. */
static const char schema_contents[] =
	"ALTER TABLE row ADD COLUMN content BLOB;"
	"ALTER TABLE row ADD COLUMN mark_size INT NOT NULL DEFAULT 0;"
	"ALTER TABLE row ADD COLUMN mark_mtime INT NOT NULL DEFAULT 0;"
	"ALTER TABLE row ADD COLUMN mark_inode INT NOT NULL DEFAULT 0;"
	"ALTER TABLE pop3 ADD COLUMN content BLOB;"
	"PRAGMA user_version = 2;";

/* What a server did not tell is NULL, no longer 0. */
static const char schema_told[] =
	"ALTER TABLE mailbox RENAME TO mailbox_first;"
	"CREATE TABLE mailbox("
	" id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, had_local INT NOT NULL,"
	" had_remote INT NOT NULL, uidvalidity INT, uidnext INT,"
	" modseq INT, messages INT, mailboxid TEXT, permanent_flags INT NOT NULL,"
	" permanent_any INT NOT NULL, keywords TEXT NOT NULL, stamp TEXT,"
	" pending INT NOT NULL DEFAULT 0, skipped INT NOT NULL DEFAULT 0,"
	" held_policy INT NOT NULL, synced_at INT NOT NULL, trouble TEXT);"
	"INSERT INTO mailbox SELECT id, name, had_local, had_remote, nullif(uidvalidity, 0),"
	" nullif(uidnext, 0), nullif(modseq, 0),"
	" CASE uidvalidity WHEN 0 THEN NULL ELSE messages END,"
	" mailboxid, permanent_flags, permanent_any, keywords, stamp, pending, skipped,"
	" held_policy, synced_at, trouble FROM mailbox_first;"
	"DROP TABLE mailbox_first;"
	"ALTER TABLE intent RENAME TO intent_first;"
	"CREATE TABLE intent("
	" id INTEGER PRIMARY KEY AUTOINCREMENT, kind INT NOT NULL, row INT NOT NULL,"
	" mailbox INT NOT NULL, uidvalidity INT, uid_bound INT, text TEXT);"
	"INSERT INTO intent SELECT id, kind, row, mailbox, nullif(uidvalidity, 0),"
	" nullif(uid_bound, 0), text FROM intent_first;"
	"DROP TABLE intent_first;"
	"PRAGMA user_version = 3;";

/* Letters of keywords: what they mean by base, which the next look at each folder learns; whether
 * the last look took them for the user's; and what of a row's keywords its file does not bear. */
static const char schema_letters[] =
	"ALTER TABLE mailbox ADD COLUMN letters TEXT NOT NULL DEFAULT '';"
	"ALTER TABLE mailbox ADD COLUMN trusts_letters INT NOT NULL DEFAULT 1;"
	"UPDATE mailbox SET trusts_letters = 0 WHERE EXISTS"
	" (SELECT 1 FROM value WHERE key = 'keywords' AND value = 'no');"
	"UPDATE mailbox SET stamp = NULL;"
	"ALTER TABLE row ADD COLUMN unlettered INT NOT NULL DEFAULT 0;"
	"PRAGMA user_version = 4;";

/* POP3 bodies that no size and no other session proved whole. Those of before count as proven. */
static const char schema_doubts[] = "ALTER TABLE pop3 ADD COLUMN doubts INT NOT NULL DEFAULT 0;"
				    "PRAGMA user_version = 5;";

/* That no flag can be stored is not the same as that nothing was told. */
static const char schema_permanent[] =
	"ALTER TABLE mailbox ADD COLUMN has_permanent INT NOT NULL DEFAULT 0;"
	"UPDATE mailbox SET has_permanent = permanent_flags <> 0 OR permanent_any <> 0;"
	"PRAGMA user_version = 6;";

/* The brake's marks (rules/brake.h): of rows, of mailboxes to be removed (a side), what each folder
 * was by device and inode, and what was deleted lately (mailbox 0: of one that is no more). */
static const char schema_brake[] =
	"ALTER TABLE row ADD COLUMN held INT NOT NULL DEFAULT 0;"
	"ALTER TABLE row ADD COLUMN held_since INT NOT NULL DEFAULT 0;"
	"UPDATE row SET held = 1, held_since = CAST(strftime('%s', 'now') AS INT)"
	" WHERE reason = 5;"
	"CREATE INDEX row_held ON row(mailbox) WHERE held <> 0;"
	"ALTER TABLE mailbox ADD COLUMN held INT NOT NULL DEFAULT 0;"
	"ALTER TABLE mailbox ADD COLUMN held_since INT NOT NULL DEFAULT 0;"
	"ALTER TABLE mailbox ADD COLUMN folder_inode INT;"
	"ALTER TABLE mailbox ADD COLUMN cur_inode INT;"
	"CREATE TABLE deleted(mailbox INT NOT NULL, side INT NOT NULL, time INT NOT NULL,"
	" count INT NOT NULL);"
	"PRAGMA user_version = 7;";

/* So are size and date of a message. */
static const char schema_told_rows[] =
	"ALTER TABLE row RENAME COLUMN size TO size_first;"
	"ALTER TABLE row RENAME COLUMN date TO date_first;"
	"ALTER TABLE row ADD COLUMN size INT;"
	"ALTER TABLE row ADD COLUMN date INT;"
	"UPDATE row SET size = nullif(size_first, 0), date = nullif(date_first, 0);"
	"ALTER TABLE row DROP COLUMN size_first;"
	"ALTER TABLE row DROP COLUMN date_first;"
	"PRAGMA user_version = 8;";

static const char schema_told_pop3[] = "ALTER TABLE pop3 RENAME COLUMN size TO size_first;"
				       "ALTER TABLE pop3 ADD COLUMN size INT;"
				       "UPDATE pop3 SET size = nullif(size_first, 0);"
				       "ALTER TABLE pop3 DROP COLUMN size_first;"
				       "PRAGMA user_version = 9;";

/* What the connection ended on (model/suspect.h). */
static const char schema_suspects[] =
	"CREATE TABLE suspect(kind INT NOT NULL, mailbox TEXT NOT NULL, row INT NOT NULL,"
	" uid INT NOT NULL, act INT NOT NULL, runs INT NOT NULL, first_at INT NOT NULL,"
	" last_at INT NOT NULL, PRIMARY KEY(kind, mailbox, row)) WITHOUT ROWID;"
	"PRAGMA user_version = 10;";

/* What the names in a folder were like when it was last read; before that nothing is known. */
static const char schema_names[] =
	"ALTER TABLE mailbox ADD COLUMN names_doubled INT NOT NULL DEFAULT 0;"
	"ALTER TABLE mailbox ADD COLUMN names_borne INT;"
	"PRAGMA user_version = 11;";

/* What the server did not take (model/refusal.h). A row that goes takes it along. */
static const char schema_refused[] =
	"CREATE TABLE refused(row INTEGER PRIMARY KEY, kind INT NOT NULL, told INT NOT NULL,"
	" since INT NOT NULL, last INT NOT NULL, run INT NOT NULL, runs INT NOT NULL,"
	" flags INT NOT NULL, size INT NOT NULL, words TEXT NOT NULL);"
	"CREATE TRIGGER refused_goes AFTER DELETE ON row"
	" BEGIN DELETE FROM refused WHERE row = old.id; END;"
	"PRAGMA user_version = 12;";

/* How the last connection ended on it, and how many did in a row. */
static const char schema_endings[] =
	"ALTER TABLE suspect ADD COLUMN losses INT NOT NULL DEFAULT 0;"
	"ALTER TABLE suspect ADD COLUMN ended INT NOT NULL DEFAULT 0;"
	"ALTER TABLE suspect ADD COLUMN ended_at INT NOT NULL DEFAULT 0;"
	"PRAGMA user_version = 13;";

/* When a row's file was last shown to be whole; and since when the server lacks a row's message:
 * none of what it has, nor of what it lost under an older version. Tables of their own, since 165
 * bytes a row are dear. A row that goes takes both along. */
static const char schema_proofs[] =
	"CREATE TABLE proof(row INTEGER PRIMARY KEY, at INT NOT NULL);"
	"CREATE TABLE missed(row INTEGER PRIMARY KEY, at INT NOT NULL);"
	"ALTER TABLE pop3 ADD COLUMN verified_at INT NOT NULL DEFAULT 0;"
	"CREATE TRIGGER missed_gone AFTER UPDATE OF remote ON row"
	" WHEN new.remote <> 1 AND old.remote = 1 BEGIN INSERT OR REPLACE INTO missed"
	" VALUES(new.id, CAST(strftime('%s', 'now') AS INT)); END;"
	"CREATE TRIGGER missed_new AFTER INSERT ON row WHEN new.remote <> 1"
	" BEGIN INSERT OR REPLACE INTO missed"
	" VALUES(new.id, CAST(strftime('%s', 'now') AS INT)); END;"
	"CREATE TRIGGER missed_back AFTER UPDATE OF remote ON row"
	" WHEN new.remote = 1 AND old.remote <> 1"
	" BEGIN DELETE FROM missed WHERE row = new.id; END;"
	"CREATE TRIGGER proof_goes AFTER DELETE ON row"
	" BEGIN DELETE FROM proof WHERE row = old.id; DELETE FROM missed WHERE row = old.id; END;"
	"PRAGMA user_version = 14;";

/* Files that an archive lost, of messages that the server had lost before: no row is left. */
static const char schema_lost[] =
	"CREATE TABLE lost(mailbox INT NOT NULL, uniq TEXT NOT NULL, at INT NOT NULL,"
	" PRIMARY KEY(mailbox, uniq)) WITHOUT ROWID;"
	"CREATE INDEX lost_at ON lost(at);" /* each that is noted forgets old ones */
	"PRAGMA user_version = 15;";

/* Files that are to be here and that base has no more, by their mailboxes' names: of messages that
 * the server lost, too. `meant`: the user said that it is well that one is gone. */
static const char schema_kept[] =
	"CREATE TABLE kept(mailbox TEXT NOT NULL, uniq TEXT NOT NULL, at INT NOT NULL,"
	" meant INT NOT NULL DEFAULT 0, content BLOB, PRIMARY KEY(mailbox, uniq)) WITHOUT ROWID;"
	"INSERT INTO kept SELECT mailbox.name, lost.uniq, lost.at, 0, NULL FROM lost"
	" JOIN mailbox ON mailbox.id = lost.mailbox;"
	"DROP TABLE lost;"
	"CREATE TRIGGER kept_renamed AFTER UPDATE OF name ON mailbox WHEN new.name <> old.name"
	" BEGIN UPDATE OR REPLACE kept SET mailbox = new.name WHERE mailbox = old.name; END;"
	"PRAGMA user_version = 16;";

/* A mailbox is renamed by an upsert, whose way with conflicts is that of its triggers, too: OR
 * REPLACE says nothing there. */
static const char schema_kept_renamed[] =
	"DROP TRIGGER kept_renamed;"
	"CREATE TRIGGER kept_renamed AFTER UPDATE OF name ON mailbox WHEN new.name <> old.name"
	" BEGIN DELETE FROM kept WHERE mailbox = new.name"
	" AND uniq IN (SELECT uniq FROM kept WHERE mailbox = old.name);"
	" UPDATE kept SET mailbox = new.name WHERE mailbox = old.name; END;"
	"PRAGMA user_version = 17;";

/* What the server said last of the special uses of mailboxes, by name, as bits (run/uses.c). */
static const char schema_uses[] = "CREATE TABLE special_use(name TEXT PRIMARY KEY,"
				  " uses INT NOT NULL) WITHOUT ROWID;"
				  "PRAGMA user_version = 18;";

/* What came of a POP3 message before its row's content: each content once, with the name that its
 * file got. The row is written by an upsert (above), so that nothing may conflict. */
static const char schema_earlier[] =
	"CREATE TABLE pop3_earlier(row INT NOT NULL, content BLOB NOT NULL, uniq TEXT NOT NULL,"
	" PRIMARY KEY(row, content)) WITHOUT ROWID;"
	"CREATE TRIGGER pop3_earlier_noted AFTER UPDATE OF content ON pop3"
	" WHEN old.content IS NOT NULL AND new.content IS NOT old.content AND NOT EXISTS("
	"SELECT 1 FROM pop3_earlier WHERE row = old.id AND content = old.content)"
	" BEGIN INSERT INTO pop3_earlier VALUES(old.id, old.content, old.uniq); END;"
	"CREATE TRIGGER pop3_earlier_goes AFTER DELETE ON pop3"
	" BEGIN DELETE FROM pop3_earlier WHERE row = old.id; END;"
	"PRAGMA user_version = 19;";

static const char *const schema_steps[] = {
	schema_contents,     schema_told,      schema_letters,   schema_doubts,   schema_permanent,
	schema_brake,        schema_told_rows, schema_told_pop3, schema_suspects, schema_names,
	schema_refused,      schema_endings,   schema_proofs,    schema_lost,     schema_kept,
	schema_kept_renamed, schema_uses,      schema_earlier};
#define SCHEMA_VERSION ((int64_t)(sizeof(schema_steps) / sizeof(schema_steps[0]) + 1))

/* What the steps up to its version make of a database of version 1, as a unit test shows. Taken one
 * by one they cost a new database ten times as much. */
static const char schema_new[] =
	"PRAGMA application_id = 1836284270;"
	"CREATE TABLE value(key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;"
	"CREATE TABLE mailbox(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE,"
	" had_local INT NOT NULL, had_remote INT NOT NULL, uidvalidity INT, uidnext INT,"
	" modseq INT, messages INT, mailboxid TEXT, permanent_flags INT NOT NULL,"
	" permanent_any INT NOT NULL, keywords TEXT NOT NULL, stamp TEXT,"
	" pending INT NOT NULL DEFAULT 0, skipped INT NOT NULL DEFAULT 0,"
	" held_policy INT NOT NULL, synced_at INT NOT NULL, trouble TEXT,"
	" letters TEXT NOT NULL DEFAULT '', trusts_letters INT NOT NULL DEFAULT 1,"
	" has_permanent INT NOT NULL DEFAULT 0, held INT NOT NULL DEFAULT 0,"
	" held_since INT NOT NULL DEFAULT 0, folder_inode INT, cur_inode INT,"
	" names_doubled INT NOT NULL DEFAULT 0, names_borne INT);"
	/* AUTOINCREMENT: intents name rows, so a dropped row's id must not become another's. */
	"CREATE TABLE row(id INTEGER PRIMARY KEY AUTOINCREMENT, mailbox INT NOT NULL,"
	" uid INT NOT NULL, uniq TEXT NOT NULL, pending INT NOT NULL, agreed INT NOT NULL,"
	" local INT NOT NULL, remote INT NOT NULL, reason INT NOT NULL, flags INT NOT NULL,"
	" local_flags INT NOT NULL, remote_flags INT NOT NULL, digest BLOB, emailid TEXT,"
	" content BLOB, mark_size INT NOT NULL DEFAULT 0, mark_mtime INT NOT NULL DEFAULT 0,"
	" mark_inode INT NOT NULL DEFAULT 0, unlettered INT NOT NULL DEFAULT 0,"
	" held INT NOT NULL DEFAULT 0, held_since INT NOT NULL DEFAULT 0, size INT, date INT);"
	"CREATE UNIQUE INDEX row_uid ON row(mailbox, uid) WHERE uid <> 0;"
	"CREATE UNIQUE INDEX row_uniq ON row(mailbox, uniq) WHERE uniq <> '';"
	"CREATE INDEX row_pending ON row(mailbox) WHERE pending = 1;"
	"CREATE INDEX row_deleted ON row(mailbox) WHERE pending = 0 AND (flags & 32) <> 0;"
	"CREATE INDEX row_gone ON row(uniq) WHERE local = 2;"
	"CREATE INDEX row_fresh ON row(uniq) WHERE agreed = 0 AND local = 1 AND uid = 0;"
	"CREATE INDEX row_emailid ON row(emailid) WHERE emailid IS NOT NULL;"
	"CREATE INDEX row_held ON row(mailbox) WHERE held <> 0;"
	"CREATE TABLE intent(id INTEGER PRIMARY KEY AUTOINCREMENT, kind INT NOT NULL,"
	" row INT NOT NULL, mailbox INT NOT NULL, uidvalidity INT, uid_bound INT, text TEXT);"
	"CREATE TABLE pop3(id INTEGER PRIMARY KEY AUTOINCREMENT, uidl TEXT NOT NULL,"
	" occurrence INT NOT NULL, uniq TEXT NOT NULL, first_seen INT NOT NULL,"
	" deleted INT NOT NULL, reason INT NOT NULL, gone INT NOT NULL, digest BLOB,"
	" content BLOB, doubts INT NOT NULL DEFAULT 0, size INT,"
	" verified_at INT NOT NULL DEFAULT 0, UNIQUE(uidl, occurrence));"
	"CREATE TABLE deleted(mailbox INT NOT NULL, side INT NOT NULL, time INT NOT NULL,"
	" count INT NOT NULL);"
	"CREATE TABLE suspect(kind INT NOT NULL, mailbox TEXT NOT NULL, row INT NOT NULL,"
	" uid INT NOT NULL, act INT NOT NULL, runs INT NOT NULL, first_at INT NOT NULL,"
	" last_at INT NOT NULL, losses INT NOT NULL DEFAULT 0, ended INT NOT NULL DEFAULT 0,"
	" ended_at INT NOT NULL DEFAULT 0, PRIMARY KEY(kind, mailbox, row)) WITHOUT ROWID;"
	"CREATE TABLE refused(row INTEGER PRIMARY KEY, kind INT NOT NULL, told INT NOT NULL,"
	" since INT NOT NULL, last INT NOT NULL, run INT NOT NULL, runs INT NOT NULL,"
	" flags INT NOT NULL, size INT NOT NULL, words TEXT NOT NULL);"
	"CREATE TABLE proof(row INTEGER PRIMARY KEY, at INT NOT NULL);"
	"CREATE TABLE missed(row INTEGER PRIMARY KEY, at INT NOT NULL);"
	"CREATE TABLE kept(mailbox TEXT NOT NULL, uniq TEXT NOT NULL, at INT NOT NULL,"
	" meant INT NOT NULL DEFAULT 0, content BLOB, PRIMARY KEY(mailbox,"
	" uniq)) WITHOUT ROWID;"
	"CREATE TABLE special_use(name TEXT PRIMARY KEY, uses INT NOT NULL) WITHOUT ROWID;"
	"CREATE TABLE pop3_earlier(row INT NOT NULL, content BLOB NOT NULL, uniq TEXT NOT NULL,"
	" PRIMARY KEY(row, content)) WITHOUT ROWID;"
	"CREATE TRIGGER refused_goes AFTER DELETE ON row"
	" BEGIN DELETE FROM refused WHERE row = old.id; END;"
	"CREATE TRIGGER missed_gone AFTER UPDATE OF remote ON row WHEN new.remote <> 1"
	" AND old.remote = 1"
	" BEGIN INSERT OR REPLACE INTO missed VALUES(new.id, CAST(strftime('%s', 'now') AS INT));"
	" END;"
	"CREATE TRIGGER missed_new AFTER INSERT ON row WHEN new.remote <> 1"
	" BEGIN INSERT OR REPLACE INTO missed VALUES(new.id, CAST(strftime('%s', 'now') AS INT));"
	" END;"
	"CREATE TRIGGER missed_back AFTER UPDATE OF remote ON row WHEN new.remote = 1"
	" AND old.remote <> 1 BEGIN DELETE FROM missed WHERE row = new.id; END;"
	"CREATE TRIGGER proof_goes AFTER DELETE ON row"
	" BEGIN DELETE FROM proof WHERE row = old.id; DELETE FROM missed WHERE row = old.id;"
	" END;"
	"CREATE TRIGGER kept_renamed AFTER UPDATE OF name ON mailbox WHEN new.name <> old.name"
	" BEGIN DELETE FROM kept WHERE mailbox = new.name"
	" AND uniq IN (SELECT uniq FROM kept WHERE mailbox = old.name);"
	" UPDATE kept SET mailbox = new.name WHERE mailbox = old.name; END;"
	"CREATE TRIGGER pop3_earlier_noted AFTER UPDATE OF content ON pop3"
	" WHEN old.content IS NOT NULL AND new.content IS NOT old.content AND NOT EXISTS("
	"SELECT 1 FROM pop3_earlier WHERE row = old.id AND content = old.content)"
	" BEGIN INSERT INTO pop3_earlier VALUES(old.id, old.content, old.uniq); END;"
	"CREATE TRIGGER pop3_earlier_goes AFTER DELETE ON pop3"
	" BEGIN DELETE FROM pop3_earlier WHERE row = old.id; END;"
	"PRAGMA user_version = 19;";
#define SCHEMA_NEW_VERSION 19

static int schema_number(struct state *state, const char *sql, int64_t *number, struct err *err)
{
	struct query query;
	bool has_row;
	int status = query_init_private(&query, state, sql, err);

	if (status != 0) {
		return status;
	}
	status = query_next(&query, &has_row, err);
	if (status == 0) {
		*number = has_row ? query_get_int(&query, 0) : 0;
	}
	query_finish(&query);
	return status;
}

/* Refuses a database that some other program, or a later mailsync, made. */
static int schema_check(struct state *state, int64_t *version, struct err *err)
{
	int64_t application;
	int status = schema_number(state, "PRAGMA user_version", version, err);

	if (status == 0) {
		status = schema_number(state, "PRAGMA application_id", &application, err);
	}
	if (status != 0) {
		return status;
	}
	if (*version > SCHEMA_VERSION) {
		return err_set(err, ERR_CONFIG, SCOPE_ACCOUNT,
			       "%s was written by a newer mailsync (schema %d, this one knows %d): "
			       "use that version, or another state_dir",
			       state->path, (int)*version, (int)SCHEMA_VERSION);
	}
	int64_t tables = 0;
	if (*version == 0) {
		status = schema_number(state, "SELECT count(*) FROM sqlite_master", &tables, err);
	}
	if (status == 0 &&
	    (tables != 0 || (*version != 0 && application != STATE_APPLICATION_ID))) {
		return err_set(err, ERR_CONFIG, SCOPE_ACCOUNT,
			       "%s is a database of another program: use another state_dir",
			       state->path);
	}
	return status;
}

int state_schema_apply(struct state *state, bool *is_new, struct err *err)
{
	int64_t version;

	state_hold(state);
	int status = schema_check(state, &version, err);
	state_let_go(state);
	if (status != 0) {
		return status;
	}
	*is_new = version == 0;
	state->is_older = !*is_new && version < SCHEMA_VERSION && state->mode == STATE_READ;
	if (version == SCHEMA_VERSION || state->mode == STATE_READ) {
		return 0;
	}
	status = state_begin(state, err);
	if (status != 0) {
		return status;
	}
	/* Again, now that nobody else writes: another process may have been here first. */
	status = schema_check(state, &version, err);
	if (status == 0 && version == 0) {
		status = state_exec(state, schema_new, err);
		version = SCHEMA_NEW_VERSION;
	}
	for (; status == 0 && version < SCHEMA_VERSION; version++) {
		status = state_exec(state, schema_steps[version - 1], err);
	}
	if (status == 0) {
		return state_commit(state, err);
	}
	state_rollback(state);
	return status;
}
