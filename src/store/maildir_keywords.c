/*
 * Invariants:
 * 1. A number once given to a name keeps it; new ones are above every number in the file.
 * 2. The file is written under dovecot-keywords.lock, from what was read under it; lines that are
 *    not understood stay. As Dovecot does, the lock file itself becomes the new file.
 * 3. The lock is a second name of a file of ours in tmp/. So the lock of a run that died is told
 *    from another program's: it goes with that file when tmp/ is swept.
 */
#include "maildir_keywords.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "maildir_name.h"
#include "mailsync/base/clock.h"
#include "mailsync/base/file.h"
#include "mailsync/base/there.h"

#define TABLE_FILE     "dovecot-keywords"
#define TABLE_LOCK     "dovecot-keywords.lock"
#define TABLE_SIZE_MAX 65536
#define LOCK_STALE_NS  INT64_C(120000000000)
#define LOCK_POLL_MS   50
#define LOCK_POLLS     40

static void table_clear(struct maildir_table *table)
{
	for (int i = 0; i < MAILDIR_LETTERS; i++) {
		free(table->names[i]);
		table->names[i] = NULL;
	}
	table->next = 0;
}

void maildir_table_finish(struct maildir_table *table)
{
	table_clear(table);
	table->was_read = false;
}

/* A line "<number> <name>"; others are none of ours. */
static int table_line(struct maildir_table *table, struct span line, struct err *err)
{
	const char *space = line.len > 0 ? memchr(line.data, ' ', line.len) : NULL;
	uint32_t number;

	if (!space) {
		return 0;
	}
	struct span digits = {line.data, (size_t)(space - line.data)};
	struct span name = {space + 1, line.len - digits.len - 1};
	if (!span_to_u32(digits, &number) || number >= MAILDIR_LETTERS) {
		return 0;
	}
	if ((int)number >= table->next) {
		table->next = (int)number + 1;
	}
	if (name.len == 0 || table->names[number] || memchr(name.data, '\0', name.len)) {
		return 0;
	}
	table->names[number] = span_dup(name);
	return table->names[number] ? 0 : err_nomem(err);
}

static int table_parse(struct maildir_table *table, struct span text, struct err *err)
{
	int code = 0;

	while (text.len > 0 && code == 0) {
		const char *end = memchr(text.data, '\n', text.len);
		size_t len = end ? (size_t)(end - text.data) : text.len;
		code = table_line(table, (struct span){text.data, len}, err);
		text.data += len + (end != NULL);
		text.len -= len + (end != NULL);
	}
	return code;
}

/* What the file is now; all zeroes when it is not there or is no regular file. */
static int table_look(const struct maildir_folder *folder, struct maildir_file *seen,
		      struct err *err)
{
	struct stat st;

	memset(seen, 0, sizeof(*seen));
	if (fstatat(folder->fd, TABLE_FILE, &st, AT_SYMLINK_NOFOLLOW) != 0) {
		return is_absent(errno)
			     ? 0
			     : maildir_fail(err, SCOPE_MAILBOX, errno, "look at", TABLE_FILE);
	}
	if (S_ISREG(st.st_mode)) {
		maildir_file_of(&st, seen);
	}
	return 0;
}

static bool table_is_same(const struct maildir_file *one, const struct maildir_file *other)
{
	return one->inode == other->inode && one->mtime_ns == other->mtime_ns &&
	       one->size_bytes == other->size_bytes;
}

/* Reads the file whatever is remembered of it, its text into OUT. */
static int table_read(struct maildir_folder *folder, struct buf *out, struct err *err)
{
	struct maildir_table *table = &folder->table;
	struct maildir_file seen;

	table->was_read = false;
	table_clear(table);
	int code = table_look(folder, &seen, err);
	if (code == 0 && seen.inode != 0) {
		code = file_read(folder->fd, TABLE_FILE, out, err);
		if (code == -ERR_CHANGED) { /* removed just now */
			code = 0;
		}
	}
	if (code == 0) {
		code = table_parse(table, buf_span(out), err);
	}
	if (code == 0) {
		table->seen = seen;
		table->was_read = true;
	}
	return code;
}

int maildir_table_refresh(struct maildir_folder *folder, struct err *err)
{
	struct maildir_file seen;
	struct buf text;

	if (!folder->maildir->has_keywords) {
		return 0;
	}
	int code = table_look(folder, &seen, err);
	if (code < 0 || (folder->table.was_read && table_is_same(&seen, &folder->table.seen))) {
		return code;
	}
	buf_init(&text, TABLE_SIZE_MAX);
	code = table_read(folder, &text, err);
	buf_finish(&text);
	return code;
}

uint64_t maildir_table_flag(const struct maildir_folder *folder, char letter,
			    struct keywords *keywords)
{
	const char *name = folder->table.names[letter - 'a'];

	if (!folder->maildir->has_keywords || !name || !keywords) {
		return 0;
	}
	int index = keywords_intern(keywords, span_of(name));
	return index < 0 ? 0 : FLAG_KEYWORD(index);
}

/* The number of NAME, or -1. */
static int table_find(const struct maildir_table *table, const char *name)
{
	for (int i = 0; i < MAILDIR_LETTERS; i++) {
		if (table->names[i] && span_equal_nocase(span_of(name), table->names[i])) {
			return i;
		}
	}
	return -1;
}

/* Removes a lock that nobody has touched for two minutes. */
static int lock_break_stale(struct maildir_folder *folder, const struct stat *st, struct err *err)
{
	int64_t mtime_ns = maildir_time_ns(st->st_mtim);

	if (clock_real_ns() - LOCK_STALE_NS < mtime_ns) {
		return 0;
	}
	log_line(folder->maildir->log, LOG_INFO, "mailbox %s: a stale %s is removed", folder->name,
		 TABLE_LOCK);
	return file_unlink(folder->fd, TABLE_LOCK, err);
}

struct table_lock {
	int fd;
	int tmp_fd;
	char temp[sizeof(((struct maildir_draft *)NULL)->temp_name)]; /* empty: none */
};

static void lock_drop_temp(struct table_lock *lock)
{
	struct err ignored;

	if (lock->temp[0] != '\0') {
		(void)file_unlink(lock->tmp_fd, lock->temp, &ignored);
		lock->temp[0] = '\0';
	}
}

static int lock_prepare(struct maildir_folder *folder, struct table_lock *lock, struct err *err)
{
	char temp[sizeof(lock->temp)];

	lock->temp[0] = '\0';
	int code = maildir_folder_dir(folder, MAILDIR_TMP, &lock->tmp_fd, err);
	if (code == 0) {
		maildir_temp_name(folder->maildir, temp, sizeof(temp));
		code = file_create(lock->tmp_fd, temp, &lock->fd, err);
	}
	if (code == 0) {
		memcpy(lock->temp, temp, sizeof(temp));
	}
	return code;
}

/* One try. Where the file system has no links the lock is a file of its own. */
static int lock_try(struct maildir_folder *folder, struct table_lock *lock, struct err *err)
{
	int code = -ERR_LIMIT;

	if (lock->temp[0] != '\0') {
		code = file_link(lock->tmp_fd, lock->temp, folder->fd, TABLE_LOCK, err);
	}
	if (code == -ERR_LIMIT) {
		if (lock->temp[0] != '\0') {
			close(lock->fd);
			lock->fd = -1;
			lock_drop_temp(lock);
		}
		code = file_create(folder->fd, TABLE_LOCK, &lock->fd, err);
	}
	return code;
}

/* 1 when the lock is ours, 0 when someone else kept it; not 1: LOCK is finished. */
static int lock_take(struct maildir_folder *folder, struct table_lock *lock, struct err *err)
{
	const struct timespec pause = {0, LOCK_POLL_MS * 1000000};
	struct stat st;
	int code = lock_prepare(folder, lock, err);

	if (code < 0) {
		return code;
	}
	for (int poll = 0; poll < LOCK_POLLS; poll++) {
		if (fstatat(folder->fd, TABLE_LOCK, &st, AT_SYMLINK_NOFOLLOW) == 0) {
			code = lock_break_stale(folder, &st, err);
			if (code < 0) {
				break;
			}
		}
		code = lock_try(folder, lock, err);
		if (code == 0) {
			return 1;
		}
		bool is_held = fstatat(folder->fd, TABLE_LOCK, &st, AT_SYMLINK_NOFOLLOW) == 0;
		if (!is_held && (!is_absent(errno) || poll > 0)) {
			break; /* not for the lock's sake: the directory cannot be written */
		}
		code = 0;
		(void)nanosleep(&pause, NULL);
	}
	if (lock->fd >= 0) {
		close(lock->fd);
	}
	lock_drop_temp(lock);
	return code;
}

void maildir_table_sweep(struct maildir_folder *folder, const struct stat *leftover)
{
	struct err ignored;
	struct stat st;

	if (fstatat(folder->fd, TABLE_LOCK, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    st.st_ino == leftover->st_ino && st.st_dev == leftover->st_dev) {
		(void)file_unlink(folder->fd, TABLE_LOCK, &ignored);
	}
}

/* Writes TEXT into the lock file and puts it in the table's place. */
static int lock_commit(struct maildir_folder *folder, int fd, struct span text, struct err *err)
{
	int code = file_write(fd, text.data, text.len, err);

	if (code == 0 && folder->maildir->durability != MAILDIR_SYNC_NONE) {
		code = file_sync(fd, err);
	}
	if (code == 0) {
		code = file_replace(folder->fd, TABLE_LOCK, folder->fd, TABLE_FILE, err);
	}
	if (code == 0) {
		folder->folder_touched = true;
		folder->table.was_read = false;
	}
	return code;
}

/* Gives a number to each keyword of FLAGS that has none, while there are any. */
static int table_allot(struct maildir_folder *folder, uint64_t flags,
		       const struct keywords *keywords, struct err *err)
{
	struct table_lock lock;
	struct buf text;
	int added = 0;

	int code = lock_take(folder, &lock, err);
	if (code == 0) {
		folder->table.gave_up = true;
		log_line(folder->maildir->log, LOG_WARN,
			 "mailbox %s: %s is held by another program; new keywords wait",
			 folder->name, TABLE_LOCK);
	}
	if (code <= 0) {
		return code;
	}
	buf_init(&text, TABLE_SIZE_MAX);
	code = table_read(folder, &text, err);
	if (text.len > 0 && text.data[text.len - 1] != '\n') {
		buf_append_char(&text, '\n');
	}
	int next = folder->table.next;
	for (int i = 0; i < keywords->count && code == 0 && next < MAILDIR_LETTERS; i++) {
		if ((flags & FLAG_KEYWORD(i)) != 0 &&
		    table_find(&folder->table, keywords->names[i]) < 0) {
			buf_printf(&text, "%d %s\n", next++, keywords->names[i]);
			added++;
		}
	}
	if (code == 0) {
		code = buf_status(&text, TABLE_FILE, err);
	}
	if (code == 0 && added > 0) {
		code = lock_commit(folder, lock.fd, buf_span(&text), err);
	}
	close(lock.fd);
	if (code < 0 || added == 0) {
		struct err ignored;
		(void)file_unlink(folder->fd, TABLE_LOCK, &ignored);
	}
	lock_drop_temp(&lock);
	buf_finish(&text);
	return code < 0 ? code : maildir_table_refresh(folder, err);
}

/* The letters there are; *MISSING: the flags without one. */
static uint64_t letters_known(const struct maildir_folder *folder, uint64_t flags,
			      const struct keywords *keywords, uint64_t *missing)
{
	uint64_t letters = 0;

	*missing = 0;
	for (int i = 0; i < keywords->count; i++) {
		if ((flags & FLAG_KEYWORD(i)) == 0) {
			continue;
		}
		int number = table_find(&folder->table, keywords->names[i]);
		if (number >= 0) {
			letters |= maildir_letter((char)('a' + number));
		} else {
			*missing |= FLAG_KEYWORD(i);
		}
	}
	return letters;
}

int maildir_table_letters(struct maildir_folder *folder, uint64_t flags,
			  const struct keywords *keywords, bool allot, uint64_t *letters,
			  struct err *err)
{
	uint64_t missing;

	if (!folder->maildir->has_keywords || !keywords || (flags & ~FLAGS_SYSTEM) == 0) {
		*letters = 0;
		return 0;
	}
	int code = maildir_table_refresh(folder, err);
	if (code < 0) {
		return code;
	}
	uint64_t known = letters_known(folder, flags, keywords, &missing);
	if (missing != 0 && allot && !folder->table.gave_up &&
	    folder->table.next < MAILDIR_LETTERS) {
		code = table_allot(folder, missing, keywords, err);
		if (code < 0) {
			return code;
		}
		known = letters_known(folder, flags, keywords, &missing);
	}
	*letters = known;
	return 0;
}

int maildir_folder_grant(struct maildir_folder *folder, uint64_t flags,
			 const struct keywords *keywords, uint64_t *granted, struct err *err)
{
	uint64_t letters, missing = flags & ~FLAGS_SYSTEM;

	int code = maildir_table_letters(folder, flags, keywords, true, &letters, err);
	if (code == 0 && folder->maildir->has_keywords && keywords) {
		(void)letters_known(folder, flags, keywords, &missing);
	}
	if (code == 0) {
		*granted = flags & ~missing;
	}
	return code;
}

int maildir_folder_keyword_mask(struct maildir_folder *folder, const struct keywords *keywords,
				uint64_t *mask, struct err *err)
{
	uint64_t result = 0;

	int code = maildir_table_refresh(folder, err);
	if (code < 0) {
		return code;
	}
	int next = folder->table.next;
	for (int i = 0; i < keywords->count && folder->maildir->has_keywords; i++) {
		if (table_find(&folder->table, keywords->names[i]) >= 0) {
			result |= FLAG_KEYWORD(i);
		} else if (next < MAILDIR_LETTERS) {
			result |= FLAG_KEYWORD(i);
			next++;
		}
	}
	*mask = result;
	return 0;
}
