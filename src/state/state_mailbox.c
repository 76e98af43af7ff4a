/* Mailboxes and the small named values. */
#include "state_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mailsync/base/array.h"

/* Bytes of the names with spaces between: 58 keywords, each longer than any server sends. */
#define KEYWORDS_TEXT_MAX 65536

/* The bits of the column `names_doubled`. */
enum {
	NAMES_DOUBLES = 1,
	NAMES_STRAYS = 2
};

static const char value_select[] = "SELECT value FROM value WHERE key = ?";
static const char value_upsert[] = "INSERT INTO value(key, value) VALUES(?1, ?2)"
				   " ON CONFLICT(key) DO UPDATE SET value = ?2 WHERE value <> ?2";
#define MAILBOX_COLUMNS                                                                       \
	"id, name, had_local, had_remote, uidvalidity, uidnext, modseq, messages, mailboxid," \
	" permanent_flags, permanent_any, keywords, stamp, pending, skipped, held_policy,"    \
	" synced_at, trouble"
static const char mailbox_select[] =
	"SELECT " MAILBOX_COLUMNS ", letters, trusts_letters, has_permanent, held, held_since,"
	" folder_inode, cur_inode, names_doubled, names_borne FROM mailbox ORDER BY name";
static const char mailbox_upsert[] =
	"INSERT INTO mailbox(id, name, had_local, had_remote, uidvalidity, uidnext, modseq,"
	" messages, mailboxid, permanent_flags, permanent_any, keywords, stamp, held_policy,"
	" synced_at, trouble, letters, trusts_letters, has_permanent, held, held_since,"
	" folder_inode, cur_inode, names_doubled, names_borne)"
	" VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18,"
	" ?19, ?20, ?21, ?22, ?23, ?24, ?25)"
	" ON CONFLICT(id) DO UPDATE SET name = ?2, had_local = ?3, had_remote = ?4,"
	" uidvalidity = ?5, uidnext = ?6, modseq = ?7, messages = ?8, mailboxid = ?9,"
	" permanent_flags = ?10, permanent_any = ?11, keywords = ?12, stamp = ?13,"
	" held_policy = ?14, synced_at = ?15,"
	" trouble = ?16, letters = ?17, trusts_letters = ?18, has_permanent = ?19, held = ?20,"
	" held_since = ?21, folder_inode = ?22, cur_inode = ?23, names_doubled = ?24,"
	" names_borne = ?25";
static const char mailbox_counts[] =
	"SELECT count(*), count(CASE WHEN reason IN (2, 7, 10, 12) THEN 1 END)"
	" FROM row WHERE mailbox = ? AND pending = 1";
static const char mailbox_store_counts[] = "UPDATE mailbox SET pending = ?2, skipped = ?3"
					   " WHERE id = ?1 AND (pending <> ?2 OR skipped <> ?3)";
/* A row has a UID or a name or both; each statement finds its rows by a partial index. */
static const char mailbox_delete_uids[] = "DELETE FROM row WHERE mailbox = ? AND uid <> 0";
static const char mailbox_delete_names[] = "DELETE FROM row WHERE mailbox = ? AND uniq <> ''";
static const char mailbox_delete_intents[] = "DELETE FROM intent WHERE mailbox = ?";
static const char mailbox_delete[] = "DELETE FROM mailbox WHERE id = ?";
/* Its id may become another one's. */
static const char mailbox_delete_recent[] = "UPDATE deleted SET mailbox = 0 WHERE mailbox = ?";
static const char mailbox_reset[] =
	"UPDATE mailbox SET uidvalidity = NULL, uidnext = NULL, modseq = NULL, messages = NULL,"
	" stamp = NULL, pending = 0, skipped = 0, held_policy = 0, synced_at = 0 WHERE id = ?";
static const char mailbox_store_trouble[] =
	"UPDATE mailbox SET trouble = ?2 WHERE ?1 IN (0, id) AND trouble IS NOT ?2";
static const char mailboxes_look_again[] =
	"UPDATE mailbox SET modseq = NULL, stamp = NULL, held_policy = 0";
static const char forget_all[] =
	"DELETE FROM refused; DELETE FROM row; DELETE FROM mailbox; DELETE FROM intent;"
	" DELETE FROM pop3; DELETE FROM suspect; DELETE FROM kept; UPDATE deleted SET mailbox = 0";

int state_get(struct state *state, const char *key, char *value, size_t size, struct err *err)
{
	struct query query;
	bool has_row = false;

	state_lock(state);
	int status = query_init(&query, state, value_select, err);
	if (status == 0) {
		query_text(&query, key);
		status = query_next(&query, &has_row, err);
		if (status == 0) {
			struct span found = has_row ? query_get_text(&query, 0) : span_of("");
			snprintf(value, size, "%.*s", (int)found.len, found.data);
		}
		query_finish(&query);
	}
	state_unlock(state);
	return status;
}

int state_set(struct state *state, const char *key, const char *value, struct err *err)
{
	struct query query;
	int status = query_begin_write(&query, state, value_upsert, err);

	if (status == 0) {
		query_text(&query, key);
		query_text(&query, value);
		status = query_end_write(&query, err);
	}
	return status;
}

int state_forget_all(struct state *state, struct err *err)
{
	return state_write_exec(state, forget_all, err);
}

void state_mailbox_init(struct state_mailbox *mailbox)
{
	memset(mailbox, 0, sizeof(*mailbox));
	mailbox->name = NULL;
	mailbox->mailboxid = NULL;
	mailbox->trouble = NULL;
	mailbox->letters = NULL;
	mailbox->trusts_letters = true;
	keywords_init(&mailbox->keywords);
}

void state_mailbox_finish(struct state_mailbox *mailbox)
{
	free(mailbox->name);
	free(mailbox->mailboxid);
	free(mailbox->trouble);
	free(mailbox->letters);
	keywords_finish(&mailbox->keywords);
	state_mailbox_init(mailbox);
}

static int mailbox_read(const struct query *query, struct state_mailbox *mailbox, struct err *err)
{
	mailbox->id = query_get_int(query, 0);
	mailbox->had_local = query_get_bool(query, 2);
	mailbox->had_remote = query_get_bool(query, 3);
	mailbox->numbers.uidvalidity = query_get_told(query, 4);
	mailbox->numbers.uidnext = query_get_told(query, 5);
	mailbox->numbers.modseq = query_get_told(query, 6);
	mailbox->numbers.messages = query_get_told(query, 7);
	mailbox->permanent_flags = query_get_u64(query, 9);
	mailbox->permanent_any = query_get_bool(query, 10);
	keywords_parse(&mailbox->keywords, query_get_text(query, 11));
	/* A text that is no stamp counts as none: the folder is scanned. */
	mailbox->has_stamp = stamp_parse(query_get_text(query, 12), &mailbox->stamp);
	mailbox->pending = query_get_u32(query, 13);
	mailbox->skipped = query_get_u32(query, 14);
	mailbox->held_policy = query_get_u64(query, 15);
	mailbox->synced_at = query_get_int(query, 16);
	mailbox->held = (enum side)query_get_int(query, 21);
	mailbox->held_since = query_get_int(query, 22);
	mailbox->has_folder = sqlite3_column_type(query->statement, 23) != SQLITE_NULL;
	mailbox->folder.inode = query_get_u64(query, 23);
	mailbox->folder.cur_inode = query_get_u64(query, 24);
	mailbox->names.has_doubles = (query_get_u32(query, 25) & NAMES_DOUBLES) != 0;
	mailbox->names.has_strays = (query_get_u32(query, 25) & NAMES_STRAYS) != 0;
	mailbox->names.are_known = sqlite3_column_type(query->statement, 26) != SQLITE_NULL;
	mailbox->names.borne = query_get_u32(query, 26);
	int status = query_get_dup(query, 1, &mailbox->name, err);
	if (status == 0) {
		status = query_get_dup(query, 8, &mailbox->mailboxid, err);
	}
	if (status == 0) {
		status = query_get_dup(query, 17, &mailbox->trouble, err);
	}
	if (status == 0) {
		status = query_get_dup(query, 18, &mailbox->letters, err);
	}
	mailbox->trusts_letters = query_get_bool(query, 19);
	mailbox->has_permanent = query_get_bool(query, 20);
	return status;
}

static int mailboxes_add(struct state_mailboxes *mailboxes, size_t *cap, const struct query *query,
			 struct err *err)
{
	int status = ARRAY_RESERVE(&mailboxes->items, mailboxes->count + 1, cap, err);
	if (status != 0) {
		return status;
	}
	struct state_mailbox *mailbox = &mailboxes->items[mailboxes->count++];
	state_mailbox_init(mailbox);
	return mailbox_read(query, mailbox, err);
}

int state_mailboxes_load(struct state *state, struct state_mailboxes *mailboxes, struct err *err)
{
	struct state_mailboxes loaded = {0};
	struct query query;
	size_t cap = 0;
	bool has_row = true;

	state_lock(state);
	int status = query_init(&query, state, mailbox_select, err);
	if (status == 0) {
		while (status == 0) {
			status = query_next(&query, &has_row, err);
			if (status != 0 || !has_row) {
				break;
			}
			status = mailboxes_add(&loaded, &cap, &query, err);
		}
		query_finish(&query);
	}
	state_unlock(state);
	if (status == 0) {
		*mailboxes = loaded;
	} else {
		state_mailboxes_finish(&loaded);
	}
	return status;
}

void state_mailboxes_finish(struct state_mailboxes *mailboxes)
{
	for (size_t i = 0; i < mailboxes->count; i++) {
		state_mailbox_finish(&mailboxes->items[i]);
	}
	free(mailboxes->items);
	*mailboxes = (struct state_mailboxes){0};
}

static int mailbox_write(struct state *state, const struct state_mailbox *mailbox,
			 const char *keywords, struct err *err)
{
	struct query query;
	char stamp[STAMP_TEXT_SIZE];
	int status = query_init(&query, state, mailbox_upsert, err);

	if (status != 0) {
		return status;
	}
	if (mailbox->id == 0) {
		query_null(&query);
	} else {
		query_int(&query, mailbox->id);
	}
	query_text(&query, mailbox->name);
	query_int(&query, mailbox->had_local);
	query_int(&query, mailbox->had_remote);
	query_told(&query, mailbox->numbers.uidvalidity);
	query_told(&query, mailbox->numbers.uidnext);
	query_told(&query, mailbox->numbers.modseq);
	query_told(&query, mailbox->numbers.messages);
	query_text(&query, mailbox->mailboxid);
	query_u64(&query, mailbox->permanent_flags);
	query_int(&query, mailbox->permanent_any);
	query_text(&query, keywords);
	if (mailbox->has_stamp) {
		stamp_format(&mailbox->stamp, stamp);
	}
	query_text(&query, mailbox->has_stamp ? stamp : NULL);
	query_u64(&query, mailbox->held_policy);
	query_int(&query, mailbox->synced_at);
	query_text(&query, mailbox->trouble);
	query_text(&query, mailbox->letters == NULL ? "" : mailbox->letters);
	query_int(&query, mailbox->trusts_letters);
	query_int(&query, mailbox->has_permanent);
	query_int(&query, mailbox->held);
	query_int(&query, mailbox->held_since);
	if (mailbox->has_folder) {
		query_u64(&query, mailbox->folder.inode);
		query_u64(&query, mailbox->folder.cur_inode);
	} else {
		query_null(&query);
		query_null(&query);
	}
	query_int(&query, (mailbox->names.has_doubles ? NAMES_DOUBLES : 0) |
				  (mailbox->names.has_strays ? NAMES_STRAYS : 0));
	if (mailbox->names.are_known) {
		query_int(&query, mailbox->names.borne);
	}
	status = query_run(&query, err);
	query_finish(&query);
	return status;
}

int state_mailbox_put(struct state *state, struct state_mailbox *mailbox, struct err *err)
{
	struct buf keywords;
	bool own;

	buf_init(&keywords, KEYWORDS_TEXT_MAX);
	keywords_format(&mailbox->keywords, &keywords);
	int status = buf_status(&keywords, "the keywords of a mailbox", err);
	if (status == 0) {
		status = state_write_begin(state, &own, err);
	}
	if (status != 0) {
		goto finish_keywords;
	}
	status = mailbox_write(state, mailbox, keywords.data, err);
	int64_t id = sqlite3_last_insert_rowid(state->db);
	status = state_write_end(state, own, status, err);
	if (status == 0 && mailbox->id == 0) {
		mailbox->id = id;
	}
finish_keywords:
	buf_finish(&keywords);
	return status;
}

static int mailbox_count(struct state *state, int64_t mailbox, uint32_t counts[2], struct err *err)
{
	struct query query;
	bool has_row;
	int status = query_init(&query, state, mailbox_counts, err);

	if (status != 0) {
		return status;
	}
	query_int(&query, mailbox);
	status = query_next(&query, &has_row, err);
	if (status == 0) {
		counts[0] = query_get_u32(&query, 0);
		counts[1] = query_get_u32(&query, 1);
	}
	query_finish(&query);
	if (status != 0) {
		return status;
	}
	status = query_init(&query, state, mailbox_store_counts, err);
	if (status != 0) {
		return status;
	}
	query_int(&query, mailbox);
	query_int(&query, counts[0]);
	query_int(&query, counts[1]);
	status = query_run(&query, err);
	query_finish(&query);
	return status;
}

int state_mailbox_count(struct state *state, struct state_mailbox *mailbox, struct err *err)
{
	uint32_t counts[2] = {0, 0};
	bool own;
	int status = state_write_begin(state, &own, err);

	if (status != 0) {
		return status;
	}
	status = mailbox_count(state, mailbox->id, counts, err);
	status = state_write_end(state, own, status, err);
	if (status == 0) {
		mailbox->pending = counts[0];
		mailbox->skipped = counts[1];
	}
	return status;
}

/* Empties a mailbox, then runs LAST on it. */
static int mailbox_empty(struct state *state, int64_t mailbox, const char *last, struct err *err)
{
	const char *const steps[] = {mailbox_delete_uids, mailbox_delete_names,
				     mailbox_delete_intents, last};
	bool own;
	int status = state_write_begin(state, &own, err);

	if (status != 0) {
		return status;
	}
	for (size_t i = 0; status == 0 && i < sizeof(steps) / sizeof(steps[0]); i++) {
		status = state_run_ints(state, steps[i], mailbox, 0, err);
	}
	return state_write_end(state, own, status, err);
}

int state_mailbox_set_trouble(struct state *state, int64_t mailbox, const char *trouble,
			      struct err *err)
{
	struct query query;
	int status = query_begin_write(&query, state, mailbox_store_trouble, err);

	if (status == 0) {
		query_int(&query, mailbox);
		query_text(&query, trouble);
		status = query_end_write(&query, err);
	}
	return status;
}

int state_look_again(struct state *state, struct err *err)
{
	return state_write_exec(state, mailboxes_look_again, err);
}

int state_mailbox_drop(struct state *state, int64_t mailbox, struct err *err)
{
	bool own;
	int status = state_write_begin(state, &own, err);

	if (status != 0) {
		return status;
	}
	status = mailbox_empty(state, mailbox, mailbox_delete, err);
	if (status == 0) {
		status = state_run_ints(state, mailbox_delete_recent, mailbox, 0, err);
	}
	return state_write_end(state, own, status, err);
}

int state_mailbox_clear(struct state *state, int64_t mailbox, struct err *err)
{
	return mailbox_empty(state, mailbox, mailbox_reset, err);
}
