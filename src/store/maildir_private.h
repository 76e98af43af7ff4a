/*
 * What the maildir_*.c files share: the handles, and how names become directories. Everything is
 * opened relative to the root's descriptor, one component at a time, without following links.
 */
#ifndef MAILSYNC_STORE_MAILDIR_PRIVATE_H
#define MAILSYNC_STORE_MAILDIR_PRIVATE_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "mailsync/base/buf.h"
#include "mailsync/proto/header.h"
#include "mailsync/store/maildir.h"

/* What a file of ours in tmp/ begins with. */
#define MAILDIR_TEMP_PREFIX "mailsync."
#define MAILDIR_LETTERS     26
/* Where a repair of the file system puts what it found. */
#define MAILDIR_LOST_FOUND "lost+found"

/* A mailbox whose directory is not the one that mbname_to_path gives. */
struct maildir_alias {
	char *name;
	char *path;
};

struct maildir_aliases {
	struct maildir_alias *items;
	size_t count;
	size_t cap;
};

/* What is remembered of a mailbox's letters. */
struct maildir_memory {
	char *mailbox;
	char *names[MAILDIR_LETTERS];
	uint32_t told; /* what was said of it already, by bits (enum maildir_telling) */
};

struct maildir_memories {
	struct maildir_memory *items;
	size_t count;
	size_t cap;
};

/* The list of changes (changes.h). */
struct maildir_list {
	char *path; /* NULL: none is kept */
	int fd;     /* -1: nothing was written yet */
	uint64_t size;
	bool is_synced;
};

struct maildir {
	char *root;
	int root_fd; /* -1: there is no root */
	enum mbname_layout layout;
	char *inbox_folder;
	char info_delimiter;
	bool has_keywords;
	enum maildir_durability durability;
	struct log *log;
	int64_t opened_ns;
	char temp_tag[64];     /* of this run's names in tmp/, prefix included */
	pthread_mutex_t mutex; /* guards what follows */
	uint32_t temp_count;
	bool refuses_times;             /* the file system does */
	struct maildir_aliases aliases; /* as maildir_list found them */
	struct maildir_aliases adopted; /* by maildir_adopt */
	struct maildir_memories memories;
	struct maildir_list changes;
	pthread_mutex_t alone_mutex;
	struct maildir_alone *alone; /* maildir_alone.c; NULL: nothing is listened to */
};

enum maildir_dir {
	MAILDIR_CUR,
	MAILDIR_NEW,
	MAILDIR_TMP,
	MAILDIR_DIRS
};

extern const char *const maildir_dir_names[MAILDIR_DIRS];

/* dovecot-keywords as it was last read, joined with what is remembered. */
struct maildir_table {
	char *names[MAILDIR_LETTERS];  /* by letter, NULL where it means nothing */
	char *others[MAILDIR_LETTERS]; /* what the file calls a letter that is remembered under
					* another name; it means nothing then */
	int next;                      /* the first number never given; 26: none */
	uint32_t lined;                /* letters with a line of whatever kind, by bits */
	uint32_t lost;                 /* letters whose names are to be put back, by bits */
	uint32_t doubted;              /* letters whose names one of `others` is remembered under:
					* files may still bear that one for it */
	int cut;                       /* the letter of a last line without an end, or -1 */
	bool has_cr;                   /* CRLF, which Dovecot takes for part of the names */
	bool is_barred; /* it cannot be read, or is no file: nothing is written either */
	bool was_read;
	bool gave_up; /* its lock stayed with another program: not waited for again */
	bool knows_borne;
	uint32_t borne; /* letters that files bear, by bits: not to be given to a new keyword */
	struct maildir_file seen;
};

struct maildir_folder {
	struct maildir *maildir;
	char *name;
	char *path; /* below the root, when it was opened */
	int fd;
	int dirs[MAILDIR_DIRS];     /* -1: not there yet */
	bool touched[MAILDIR_DIRS]; /* since the last maildir_folder_sync_names */
	bool folder_touched;
	struct maildir_table table;
	char *spare_pending; /* a draft's buffer and scans, kept for the next */
	struct header_scan *spare_scan;
	struct content_scan *spare_content;
};

/* ERR_LOCAL "cannot WHAT NAME: reason"; a full disk has scope account, else SCOPE. */
int maildir_fail(struct err *err, enum err_scope scope, int errnum, const char *what,
		 const char *name);
/* Likewise of scope message, of FILE in the directory DIRFD, with its path. */
int maildir_fail_in(struct err *err, int errnum, const char *what, int dirfd, const char *file);

/* The path of mailbox NAME below the root, appended to OUT (aliases seen). */
int maildir_path(struct maildir *maildir, const char *name, struct buf *out, struct err *err);
/* The name of the mailbox in the directory PATH, as it is listed. REASON: why it can be none. */
int maildir_name_of_path(const struct maildir *maildir, const char *path, struct buf *name,
			 struct err *reason);
/* maildir_inbox.c: 1 when PATH below the root has cur, new or tmp. */
int maildir_has_parts(const struct maildir *maildir, const char *path, struct err *err);
/* Whether there are messages in PATH, which is "." or INBOX in some case. */
bool maildir_has_mail(const struct maildir *maildir, const char *path);
/* What says that INBOX's mail may be in PATH ("." is the root, which HAS_DOTTED ones of Maildir++'s
 * folders), and what to do. */
void maildir_inbox_advice(const struct maildir *maildir, const char *path, bool has_dotted,
			  struct buf *out);
void maildir_aliases_finish(struct maildir_aliases *aliases);
void maildir_memories_finish(struct maildir_memories *memories);
/* Mailboxes got other names. */
void maildir_memories_forget(struct maildir *maildir);
/* NAME with each component that is modified UTF-7 decoded; false when there is none such. */
bool maildir_name_decode(const struct maildir *maildir, const char *name, struct buf *out);

/* Opens PATH below the root; -ERR_CHANGED when it is not there or is no real directory. */
int maildir_open_path(const struct maildir *maildir, const char *path, int *fd, struct err *err);

int64_t maildir_time_ns(struct timespec time);
void maildir_file_of(const struct stat *st, struct maildir_file *file);
/* Of a folder's open directories; one that is not there counts as zeroes. */
int maildir_folder_stamp(const struct maildir_folder *folder, struct stamp *stamp, struct err *err);

/* Opens those of cur, new and tmp that are there and not yet open; -ERR_CHANGED when none is. */
int maildir_folder_open_parts(struct maildir_folder *folder, struct err *err);
/* The descriptor of a directory of the folder, made where it is missing. */
int maildir_folder_dir(struct maildir_folder *folder, enum maildir_dir dir, int *fd,
		       struct err *err);

/*
 * Everything that changes a message file notes it in the list of changes, where one is kept: before
 * it is done, and when it could not be done. A message comes (FROM is NULL), goes (TO is NULL), or
 * becomes another file.
 *
 *     code = maildir_note(from, to, err);
 *     if (code == 0) {
 *             code = maildir_note_end(from, to, file_rename(...));
 *     }
 */
struct maildir_spot {
	const struct maildir_folder *folder;
	enum maildir_dir dir;
	const char *file;
};
int maildir_note(const struct maildir_spot *from, const struct maildir_spot *to, struct err *err);
/* CODE, of the act. */
int maildir_note_end(const struct maildir_spot *from, const struct maildir_spot *to, int code);
/* The same of all messages in the folder FROM and below it, which is going to be TO (paths); where
 * nothing comes of it, what was noted since the mark is cut off. While nothing else is noted. */
uint64_t maildir_note_mark(struct maildir *maildir);
int maildir_note_folder(struct maildir *maildir, const char *from, const char *to, struct err *err);
void maildir_note_cut(struct maildir *maildir, uint64_t mark);
/* An act of ours was done: SPOT came, or went. */
void maildir_alone_note(const struct maildir_spot *spot, bool came);
void maildir_alone_finish(struct maildir *maildir);
/* Makes what was noted so far durable. */
int maildir_note_sync(struct maildir *maildir, struct err *err);

/* A name for tmp/ that no other file bears. */
void maildir_temp_name(struct maildir *maildir, char *name, size_t size);
/* read() resumed after signals: the length, 0 at the end, or negative. */
ssize_t maildir_read(int fd, void *data, size_t size, const char *name, struct err *err);
/* A header scan from the folder's pool, to be given back when it is ready for another message. */
int maildir_scan_take(struct maildir_folder *folder, struct header_scan **scan, struct err *err);
void maildir_scan_give_back(struct maildir_folder *folder, struct header_scan **scan);
/* Likewise. */
int maildir_content_take(struct maildir_folder *folder, struct content_scan **scan,
			 struct err *err);
void maildir_content_give_back(struct maildir_folder *folder, struct content_scan **scan);
/* The letters of FLAGS in FOLDER, new ones allotted. */
int maildir_folder_letters(struct maildir_folder *folder, uint64_t flags,
			   const struct keywords *keywords, uint64_t *letters, struct err *err);

/* Where the file system refuses, the date is base's alone, and maildir_refuses_times() tells. */
int maildir_set_mtime(struct maildir *maildir, int fd, int64_t seconds, struct err *err);

#endif
