/*
 * Writing dovecot-keywords.
 *
 * Invariants:
 * 1. A number once given to a name keeps it; new ones are above every number in the file.
 * 2. The file is written under dovecot-keywords.lock, from what was read under it; lines that are
 *    not understood stay, unless names were lost. As Dovecot does, the lock file itself becomes the
 *    new file.
 * 3. The lock is a second name of a file of ours in tmp/. So the lock of a run that died is told
 *    from another program's: it goes with that file when tmp/ is swept.
 */
#include "maildir_keywords.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "mailsync/base/clock.h"
#include "mailsync/base/file.h"
#include "mailsync/base/there.h"

#define LOCK_STALE_NS INT64_C(120000000000)
#define LOCK_POLL_MS  50
#define LOCK_POLLS    40

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

/* TEXT, the file's, with the names that it lost, and with Dovecot's line ends. Where names were
 * lost a line that is not understood is what became of them. */
static void write_mended(const struct maildir_table *table, struct span text, struct buf *out)
{
	struct maildir_table_line line;

	while (maildir_table_next_line(&text, &line)) {
		if (line.letter < 0 ? table->lost == 0 : (table->lost >> line.letter & 1) == 0) {
			buf_append(out, line.text.data, line.text.len);
			buf_append_char(out, '\n');
		}
	}
	for (int i = 0; i < MAILDIR_LETTERS; i++) {
		if ((table->lost >> i & 1) != 0) {
			buf_printf(out, "%d %s\n", i, table->names[i]);
		}
	}
}

/* Gives a number to each keyword of FLAGS that has none, while there are any. */
static int write_new(struct maildir_folder *folder, uint64_t flags, const struct keywords *keywords,
		     struct buf *out, int *added, struct err *err)
{
	uint32_t letters = 0;

	int code = keywords == NULL ? 0 : maildir_table_free(folder, &letters, err);
	for (int i = 0; code == 0 && keywords != NULL && i < keywords->count; i++) {
		const char *name = keywords->names[i];
		if ((flags & FLAG_KEYWORD(i)) == 0 ||
		    maildir_table_find(&folder->table, name) >= 0 ||
		    maildir_table_is_other(folder, name)) {
			continue;
		}
		int letter = maildir_table_take_free(folder, &letters);
		if (letter < 0) {
			return 0;
		}
		buf_printf(out, "%d %s\n", letter, name);
		(*added)++;
	}
	return code;
}

/* Under the lock. 1 where there was something to write. */
static int table_write(struct maildir_folder *folder, int fd, uint64_t flags,
		       const struct keywords *keywords, struct err *err)
{
	const struct maildir_table *table = &folder->table;
	struct buf text, out;
	int added = 0;

	buf_init(&text, TABLE_SIZE_MAX);
	buf_init(&out, TABLE_SIZE_MAX);
	int code = maildir_table_read(folder, &text, err);
	if (code < 0 || table->is_barred) {
		goto finish;
	}
	write_mended(table, buf_span(&text), &out);
	if ((code = write_new(folder, flags, keywords, &out, &added, err)) < 0 ||
	    (code = buf_status(&out, TABLE_FILE, err)) < 0) {
		goto finish;
	}
	if (added > 0 || table->lost != 0 || table->has_cr) {
		code = lock_commit(folder, fd, buf_span(&out), err);
		code = code < 0 ? code : 1;
	}
finish:
	buf_finish(&text);
	buf_finish(&out);
	return code;
}

int maildir_table_allot(struct maildir_folder *folder, uint64_t flags,
			const struct keywords *keywords, struct err *err)
{
	struct table_lock lock;

	int code = lock_take(folder, &lock, err);
	if (code == 0) {
		folder->table.gave_up = true;
		if (maildir_tells_first(folder, MAILDIR_TELLS_LOCKED)) {
			log_line(folder->maildir->log, LOG_WARN,
				 "mailbox %s: %s is held by another program; new keywords wait",
				 folder->name, TABLE_LOCK);
		}
	}
	if (code <= 0) {
		return code;
	}
	code = table_write(folder, lock.fd, flags, keywords, err);
	close(lock.fd);
	if (code <= 0) {
		struct err ignored;
		(void)file_unlink(folder->fd, TABLE_LOCK, &ignored);
	}
	lock_drop_temp(&lock);
	return code < 0 ? code : maildir_table_refresh(folder, err);
}

bool maildir_folder_is_mendable(struct maildir_folder *folder)
{
	struct err ignored;
	const struct maildir_table *table = &folder->table;

	return maildir_table_refresh(folder, &ignored) == 0 && folder->maildir->has_keywords &&
	       !table->is_barred && !table->gave_up && (table->lost != 0 || table->has_cr);
}

void maildir_folder_mend(struct maildir_folder *folder)
{
	struct log *log = folder->maildir->log;
	struct err err;

	int code = maildir_table_allot(folder, 0, NULL, &err);
	if (code < 0) {
		log_line(log, LOG_WARN,
			 "mailbox %s: %s has lost names, which could not be put back: %s",
			 folder->name, TABLE_FILE, err.text);
	} else if (folder->table.lost == 0) {
		log_line(log, LOG_INFO, "mailbox %s: names that %s had lost are put back",
			 folder->name, TABLE_FILE);
	}
}
