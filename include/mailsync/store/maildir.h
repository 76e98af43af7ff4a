/*
 * The local side: a tree of Maildirs (D. J. Bernstein's Maildir; Maildir++ where the layout says
 * so) below one root. Finds mailboxes and files, delivers, renames, removes. Knows nothing of
 * IMAP or of what should be done.
 *
 * MUAs rename, move, add and delete files at any time: every act names the file as it was last
 * seen, never overwrites, and answers -ERR_CHANGED when the file is no longer so. No message is
 * opened to find out what changed.
 *
 * The *unique part* of a file name goes up to the first `,` or `:` (or the configured info
 * delimiter); it stays through renames and moves and identifies the message in its folder. Where
 * what follows is no field and no info, as in "Invoice, 2019.eml" and "Re: one", it is part of it,
 * up to the info part: these are names that people gave, and one of many. The
 * info part is `:2,` and letters; unknown letters and lower-case letters without a keyword stay
 * through our renames. Other fields between unique part and info (",S=123", ",U=7") stay too.
 *
 * Threads: a struct maildir may be used from several; a struct maildir_folder from one at a time,
 * but for drafts: while one thread creates, writes and closes some, another may publish or discard
 * earlier ones and sync.
 */
#ifndef MAILSYNC_STORE_MAILDIR_H
#define MAILSYNC_STORE_MAILDIR_H

#include <stdbool.h>
#include <stdint.h>

#include "mailsync/base/err.h"
#include "mailsync/base/log.h"
#include "mailsync/base/strlist.h"
#include "mailsync/model/content.h"
#include "mailsync/model/flags.h"
#include "mailsync/model/identity.h"
#include "mailsync/model/mbname.h"
#include "mailsync/model/row.h"
#include "mailsync/model/stamp.h"

#define MAILDIR_NAME_MAX   255
#define MAILDIR_UNIQUE_MAX 160 /* of names that we make */

enum maildir_durability {
	MAILDIR_SYNC_BATCH,
	MAILDIR_SYNC_FILE,
	MAILDIR_SYNC_NONE
};

struct maildir_params {
	const char *root;
	enum mbname_layout layout;
	const char *inbox_folder; /* fs layout: the folder that INBOX is */
	char info_delimiter;
	bool keywords; /* letters a-z and dovecot-keywords */
	enum maildir_durability durability;
	const char
		*changes; /* what is done to messages is listed there (changes.h); NULL: nowhere */
	struct log *log;
};

struct maildir;
struct maildir_folder;

/* Opens the root, made (0700, with parents) where it is missing and MAY_CREATE; a missing one
 * otherwise is success with maildir_exists() false (dry run, unmounted). Values in PARAMS are
 * copied. */
int maildir_open(struct maildir **maildir, const struct maildir_params *params, bool may_create,
		 struct err *err);
void maildir_close(struct maildir **maildir);
bool maildir_exists(const struct maildir *maildir);

/*
 * Every mailbox below the root as canonical names (mbname.h), sorted. A directory is a mailbox
 * when it has cur, new or tmp; directories are followed only when real (no symlinks below the
 * root). One that cannot be a mailbox name, or whose name maps to the same mailbox as another's,
 * is reported to the log and left out. A directory that is the modified UTF-7 of its name (as
 * mbsync 1.4 and offlineimap leave it) is given under the decoded name when no directory has
 * that name itself: the mapping is kept in the maildir handle, so that the other calls find it.
 */
int maildir_list(struct maildir *maildir, struct strlist *names, struct err *err);

/*
 * The same, where one directory that cannot be looked at is not to hold up the others. What lies
 * there, and below it, is untold: neither there nor absent. So is all that a repair of the file
 * system may have put into a `lost+found` below the root; one that only the system may read tells
 * nothing, and is left alone. A root that cannot be read is a failure.
 */
struct maildir_blind {
	struct strlist names;    /* of mailboxes, not sorted; each with: */
	struct strlist why;      /* a sentence with the directory's name */
	struct strlist left_out; /* directories that can be no mailbox: a sentence for each */
	bool has_lost_found;     /* a `lost+found` holds something */
	/* INBOX's folder is not there, and another directory may be it, by another `inbox`: a
	 * sentence that says which; NULL: none. INBOX and what is below it are untold, too. */
	char *other_inbox;
};
void maildir_blind_init(struct maildir_blind *blind);
void maildir_blind_finish(struct maildir_blind *blind);
int maildir_list_seen(struct maildir *maildir, struct strlist *names, struct maildir_blind *blind,
		      struct err *err);
/* Why it cannot be told whether mailbox NAME, which is not listed, is there; NULL: it can. */
const char *maildir_blind_why(const struct maildir *maildir, const struct maildir_blind *blind,
			      const char *name);

/*
 * From now on mailbox NAME is kept in the directory that is listed as LISTED, until the handle is
 * closed.
 */
int maildir_adopt(struct maildir *maildir, const char *name, const char *listed, struct err *err);

/* What is in the place of the directory of a mailbox that is not listed. */
enum maildir_place {
	MAILDIR_PLACE_FREE,   /* nothing: it is absent; also of a name that can have none */
	MAILDIR_PLACE_BARRED, /* a link, or anything else that is no directory, there or above it:
			       * it is not listed, and yet not gone */
	MAILDIR_PLACE_HOLLOW, /* a directory that holds nothing but perhaps a lost+found, as a mount
			       * point does */
	MAILDIR_PLACE_TAKEN   /* a directory that holds other things */
};
/* A failure: it cannot be told. */
int maildir_place(struct maildir *maildir, const char *name, enum maildir_place *place,
		  struct err *err);

/* Creates the mailbox (cur, new, tmp; maildirfolder under Maildir++), durably; existing parts
 * are fine. -ERR_PARTIAL (scope mailbox) when the name cannot be one, or when the file system
 * gives a directory that already is another mailbox (case folding, normalisation). */
int maildir_create_folder(struct maildir *maildir, const char *name, struct err *err);
/* Removes the directories and our and Dovecot's index files; only when no message is left in it:
 * -ERR_CHANGED else. Children stay. */
int maildir_remove_folder(struct maildir *maildir, const char *name, struct err *err);
/* Renames the mailbox; its children go along, as with IMAP's RENAME. -ERR_CHANGED when FROM is not
 * there or a directory TO is; INBOX that is the root stays (-ERR_PARTIAL). Folders that are open
 * keep working, on the directory under its new name. */
int maildir_rename_folder(struct maildir *maildir, const char *from, const char *to,
			  struct err *err);

/* Opens the three directories. -ERR_CHANGED when it is not there. */
int maildir_folder_open(struct maildir *maildir, const char *name, struct maildir_folder **folder,
			struct err *err);
void maildir_folder_close(struct maildir_folder **folder);

/* The stamps of folder, cur and new: three stat calls, no directory kept open. -ERR_CHANGED when
 * it is not there. dovecot-keywords is replaced by rename in the folder, so its changes show in
 * the folder's. */
int maildir_stat(struct maildir *maildir, const char *name, struct stamp *stamp, struct err *err);

/* One message file of a scan. */
struct maildir_entry {
	const char *name;    /* the file name, in the scan's memory */
	uint16_t unique_len; /* of its unique part */
	bool in_new;
	bool has_letters; /* a to z, with a name or without */
	uint8_t tells;    /* enum maildir_tells */
	uint64_t flags;   /* system letters, and keywords by their letters' names */
};

/* What a name tells of flags. What it does not tell is not known: it is not "none". */
enum maildir_tells {
	MAILDIR_TELLS_NOTHING, /* in cur without info part, or with a garbled one */
	MAILDIR_TELLS_SYSTEM,  /* in new without info part: it has none of the system flags */
	MAILDIR_TELLS_ALL      /* but for keywords that have no letter */
};
struct maildir_told {
	uint64_t flags;
	uint64_t known; /* the flags that the name tells of at all */
	bool has_letters;
};

struct maildir_scan {
	/* Sorted by unique part (memcmp, then length), each part once: a file in cur wins. */
	struct maildir_entry *entries;
	size_t count;
	/* The other files of unique parts that several share, in the same order. */
	struct maildir_entry *doubles;
	size_t double_count;
	struct stamp stamp;    /* taken before the readdir */
	bool is_still;         /* nothing can have moved during it: absences are proven */
	uint64_t lettered;     /* keywords that a file without their letter has not */
	uint32_t borne;        /* letters a to z that files bear, by bits */
	struct strlist others; /* sorted unique parts of what is no regular file: not messages, and
				* no message of that name is gone */
	size_t stray_count;    /* files whose names do not identify them */
	struct strlist stray;  /* the name of one of them */
	/* private */
	char *arena;
	size_t arena_size;
};

/*
 * Lists new, then cur, completely (an error otherwise). Repeats up to three times while the
 * directories change, and once when they changed just before. Memory: about 60 bytes and the
 * name per message. Hidden files are left out; directories, symlinks and other non-regular files
 * are only named in `others`. Letters a-z become keywords through the dovecot-keywords table, their
 * names interned in KEYWORDS; a letter without a name (or with keywords off) is not in `flags`.
 */
int maildir_folder_scan(struct maildir_folder *folder, struct keywords *keywords,
			struct maildir_scan *scan, struct err *err);
void maildir_scan_finish(struct maildir_scan *scan);
/* The entry whose unique part is UNIQUE, or NULL. */
const struct maildir_entry *maildir_scan_find(const struct maildir_scan *scan, struct span unique);
/* The first of the doubles of UNIQUE, and their number; NULL: there is none. */
const struct maildir_entry *maildir_scan_doubles(const struct maildir_scan *scan,
						 struct span unique, size_t *count);
/* What the name of an ENTRY of SCAN tells. */
struct maildir_told maildir_scan_told(const struct maildir_scan *scan,
				      const struct maildir_entry *entry);

/* Which keywords (bits of KEYWORDS) have a letter in this mailbox or could get one now (26 in
 * all; names as yet without a letter are counted in index order while letters are free). */
int maildir_folder_keyword_mask(struct maildir_folder *folder, const struct keywords *keywords,
				uint64_t *mask, struct err *err);

/* Allots letters to the keywords of FLAGS. *GRANTED: FLAGS less the keywords that got none, since
 * the table is full or another program holds its lock: a name cannot say these now. */
int maildir_folder_grant(struct maildir_folder *folder, uint64_t flags,
			 const struct keywords *keywords, uint64_t *granted, struct err *err);

/* Dovecot is at work on the folder: dovecot-uidlist is there. */
bool maildir_folder_has_uidlist(const struct maildir_folder *folder);
/* What FILE's name tells by the keyword table of this folder (for a file that was moved here
 * or away with the letters of another folder). Names are interned in KEYWORDS as in a scan. */
int maildir_folder_read_letters(struct maildir_folder *folder, const char *file, bool in_new,
				struct keywords *keywords, struct maildir_told *told,
				struct err *err);

/*
 * The names of a folder's letters are remembered beside dovecot-keywords, which programs and people
 * remove, empty or garble. Where it lost a name the remembered one stands in, and
 * maildir_folder_mend() puts it back. A letter that the file gives another name than the remembered
 * one means nothing until no file bears it any more: files from before may still mean the old name.
 *
 * LETTERS: lines "<number> <name>", as in the file. What the handle knows of a letter stays; it
 * learns by itself, and what it knows comes back in LETTERS, which the caller frees (NULL: it was
 * told nothing of that mailbox).
 */
int maildir_remember(struct maildir *maildir, const char *mailbox, const char *letters,
		     struct err *err);
int maildir_remembered(struct maildir *maildir, const char *mailbox, char **letters,
		       struct err *err);
/* Whether maildir_folder_mend() has something to do. */
bool maildir_folder_is_mendable(struct maildir_folder *folder);
/* After a scan: letters that the table gives another name, and that no file bears, mean that from
 * now on (1: there were some); of others it is logged that they mean nothing. */
int maildir_folder_adopt_letters(struct maildir_folder *folder, struct err *err);
/* Puts lost names back into the file. Where that cannot be now it is logged, and no failure. */
void maildir_folder_mend(struct maildir_folder *folder);

/* What is known of a file without changing it. */
struct maildir_file {
	uint64_t size_bytes;
	int64_t mtime;    /* seconds */
	int64_t mtime_ns; /* the same with its fraction: did it change while it was read? */
	uint64_t inode;
};
/* As rows keep it. */
struct file_mark maildir_file_mark(const struct maildir_file *file);
/* -ERR_CHANGED when no such regular file is there. */
int maildir_folder_stat_file(struct maildir_folder *folder, const char *file, bool in_new,
			     struct maildir_file *info, struct err *err);
/* Finds the file of a unique part by looking (both folders); its full name into NAME.
 * -ERR_CHANGED when there is none. */
int maildir_folder_find(struct maildir_folder *folder, struct span unique,
			char name[MAILDIR_NAME_MAX + 1], bool *in_new, struct err *err);
/* Looks for a file under the few names that it has where they tell of no more than these flags,
 * without reading a directory; else as maildir_folder_find. A failure says no more than that it has
 * another name. */
struct maildir_known {
	const char *unique;
	uint64_t flags;
	const struct keywords *keywords;
};
int maildir_folder_guess(struct maildir_folder *folder, const struct maildir_known *known,
			 char name[MAILDIR_NAME_MAX + 1], bool *in_new, struct err *err);
/* The letters that files bear (of an earlier scan, since which no name has changed). */
void maildir_folder_know_borne(struct maildir_folder *folder, uint32_t borne);
/* Message-ID, Date and header digest of a file; reads no more than the header. */
int maildir_folder_identify(struct maildir_folder *folder, const char *file, bool in_new,
			    struct header_identity *identity, struct err *err);
/* All that a file's bytes tell. -ERR_CHANGED too when they changed while they were read. */
struct maildir_reading {
	struct maildir_file file; /* that was read */
	struct header_identity identity;
	uint8_t content[CONTENT_DIGEST_SIZE];
};
int maildir_folder_read(struct maildir_folder *folder, const char *file, bool in_new,
			struct maildir_reading *reading, struct err *err);
/* Without `content`, as maildir_folder_identify; the file is as it was before that was read. */
int maildir_folder_read_header(struct maildir_folder *folder, const char *file, bool in_new,
			       struct maildir_reading *reading, struct err *err);
/* For many files one after the other: the digest of their content alone, as fast as disk and
 * processor give it. maildir_prover_read: errors as maildir_folder_read. */
struct maildir_proof {
	struct maildir_file file; /* that was read */
	uint8_t content[CONTENT_DIGEST_SIZE];
};
struct maildir_prover;
int maildir_prover_create(struct maildir_prover **prover, struct err *err);
void maildir_prover_destroy(struct maildir_prover **prover);
int maildir_prover_read(struct maildir_prover *prover, struct maildir_folder *folder,
			const char *file, bool in_new, struct maildir_proof *proof,
			struct err *err);
/* Opens a message for reading; *FD is the caller's. Regular files only, no symlink is followed. */
int maildir_folder_open_file(struct maildir_folder *folder, const char *file, bool in_new, int *fd,
			     struct maildir_file *info, struct err *err);

/*
 * Reading a message for upload: line ends become CRLF (a LF after a CR stays as it is), all else
 * is kept. The wire size has to be known first, so the file is read twice (once counting); a
 * file that changed in between is -ERR_CHANGED.
 */
struct maildir_reader;
int maildir_reader_open(struct maildir_folder *folder, const char *file, bool in_new,
			struct maildir_reader **reader, struct err *err);
void maildir_reader_close(struct maildir_reader **reader);
uint64_t maildir_reader_wire_size(const struct maildir_reader *reader);
const struct maildir_file *maildir_reader_file(const struct maildir_reader *reader);
/* Of what was counted. CONTENT_DIGEST_SIZE bytes, the reader's. */
const uint8_t *maildir_reader_content(const struct maildir_reader *reader);
/* The next piece in wire form; an empty span at the end. Valid until the next call. At the end
 * size, mtime and inode are compared: -ERR_CHANGED when the file is no longer what was counted
 * (the caller must not complete the APPEND then). */
int maildir_reader_next(struct maildir_reader *reader, struct span *piece, struct err *err);

/*
 * Delivery. A draft is a file in tmp/ that is being written; published, it is a message.
 *
 *     maildir_draft_create, maildir_draft_write ..., maildir_draft_close     each
 *     maildir_sync_drafts                                                    the batch
 *     maildir_draft_publish                                                  each
 *     maildir_folder_sync_names, or maildir_sync_names                       the batch
 *
 * After that everything published is durable (as the durability setting promises).
 */
struct maildir_draft {
	char temp_name[96];
	int fd;                             /* -1 when closed */
	uint64_t size_bytes;                /* as stored */
	bool had_cr;                        /* the last piece ended in CR that is not yet written */
	uint8_t digest[HEADER_DIGEST_SIZE]; /* of the header, once it is closed, as are these: */
	uint8_t content[CONTENT_DIGEST_SIZE];
	struct file_mark mark;
	/* private */
	struct header_scan *scan;
	struct content_scan *content_scan;
	struct maildir_folder *folder;
	char *pending;
	size_t pending_len;
};
/* The draft keeps a pointer to FOLDER until it is published or discarded. */
int maildir_draft_create(struct maildir_folder *folder, struct maildir_draft *draft,
			 struct err *err);
/* CRLF becomes LF; all else is kept. Small writes are gathered. */
int maildir_draft_write(struct maildir_draft *draft, struct span data, struct err *err);
/* Sets mtime (INTERNALDATE; untold it is that of the last write), closes; fdatasync with
 * MAILDIR_SYNC_FILE. */
int maildir_draft_close(struct maildir_draft *draft, struct told_time mtime, struct err *err);
/* Closes and removes it; safe on a zeroed, published or discarded draft. */
void maildir_draft_discard(struct maildir_folder *folder, struct maildir_draft *draft);
/* Makes the contents of COUNT closed drafts durable, as far as their setting is MAILDIR_SYNC_BATCH:
 * by one syncfs a file system, or an fdatasync each where there is none. */
int maildir_sync_drafts(const struct maildir_draft *const *drafts, size_t count, struct err *err);
/* Renames it to UNIQUE (new/ without any letter, else cur/ with info), never over anything:
 * -ERR_CHANGED when a file of that very name is there. FLAGS' keywords get their letters from
 * the folder's table, new ones allotted. */
int maildir_draft_publish(struct maildir_folder *folder, struct maildir_draft *draft,
			  const char *unique, uint64_t flags, const struct keywords *keywords,
			  struct err *err);
/* Puts it in the place of FILE, which keeps its name: at once, so that there always is one of the
 * two. WAS: what FILE is known to be; where it is another file by now that stays: -ERR_CHANGED.
 * -ERR_LIMIT: the file system cannot do that. What was there is gone: keep a copy first. */
int maildir_draft_exchange(struct maildir_folder *folder, struct maildir_draft *draft,
			   const char *file, bool in_new, const struct file_mark *was,
			   struct err *err);
/* fsync of cur and new, once for all publishes, renames and removes before. Nothing with
 * MAILDIR_SYNC_NONE. */
int maildir_folder_sync_names(struct maildir_folder *folder, struct err *err);
/* The same for several folders at a time, with as few syncs as the file systems allow. */
int maildir_sync_names(struct maildir_folder *const *folders, size_t count, struct err *err);

/*
 * Changes the flags of FILE by a rename: letters of ADD are put in, of REMOVE taken out,
 * everything else in the name stays (unknown letters, other fields). A file in new/ moves to
 * cur/ when it gets a letter; none goes back. RESULT, unless NULL, gets the new name.
 * -ERR_CHANGED when FILE is not there or the target is.
 */
struct maildir_change {
	const char *file;
	bool in_new;
	uint64_t add;
	uint64_t remove;
	const struct keywords *keywords;
	/* Where the file came from another folder, else NULL: letters a-z that ADD does not name
	 * go, if they mean something in that folder or in this one. */
	const struct maildir_folder *came_from;
};
int maildir_folder_set_flags(struct maildir_folder *folder, const struct maildir_change *change,
			     char result[MAILDIR_NAME_MAX + 1], struct err *err);
/* Removes exactly that file; -ERR_CHANGED when it is not there under that name. */
int maildir_folder_remove(struct maildir_folder *folder, const char *file, bool in_new,
			  struct err *err);
/* Gives FILE, which shares its unique part with another message, one of its own, made of its
 * CONTENT's digest; the rest of its name stays. RESULT gets the new name. */
int maildir_folder_set_unique(struct maildir_folder *folder, const char *file, bool in_new,
			      const uint8_t content[CONTENT_DIGEST_SIZE],
			      char result[MAILDIR_NAME_MAX + 1], struct err *err);
/* Whether both names, of which one may be a unique part alone, are equal up to the first `,`, `:`,
 * `;` or `!`: then they may be of one file, renamed by a program that takes no more for its own, or
 * from before the delimiter was another one. */
bool maildir_folder_is_variant(const struct maildir_folder *folder, const char *one,
			       const char *other);
/* Moves a message into another mailbox, under the unique part UNIQUE and with FLAGS by the target's
 * keyword table; never over anything. With COPY the old one stays: the new name is a hard link or,
 * where that cannot be, a copy made in tmp. */
struct maildir_transfer {
	struct maildir_folder *from;
	const char *file;
	bool in_new;
	bool copy;
	struct maildir_folder *to;
	const char *unique;
	uint64_t flags;
	const struct keywords *keywords;
};
int maildir_transfer(const struct maildir_transfer *transfer, struct err *err);

/* Makes everything durable that was written to the file system of the root; -ERR_LIMIT where the
 * system has no syncfs. */
int maildir_sync_all(struct maildir *maildir, struct err *err);

/* True once a message could not be given its date, since the file system lets no time be set. */
bool maildir_refuses_times(struct maildir *maildir);

/* Removes our own leftovers from tmp/ (names that begin with our prefix and are older than this
 * run). Call under the account's lock. */
int maildir_folder_sweep(struct maildir_folder *folder, struct err *err);

/*
 * Names of files that we deliver: `<seconds>.<folder key>_<uidvalidity>_<uid>.<host>`. FOLDER_KEY:
 * 16 hex digits of a hash of account and mailbox. Seconds and host are not compared.
 */
#define MAILDIR_KEY_SIZE 17
int maildir_folder_key(const char *account, const char *mailbox, char key[MAILDIR_KEY_SIZE],
		       struct err *err);
int maildir_unique_make(char out[MAILDIR_UNIQUE_MAX + 1], const char *key, uint32_t uidvalidity,
			uint32_t uid, struct err *err);
/* `<SECONDS>.<digest>.<host>`, for a message that is not ours. */
int maildir_unique_make_foreign(char out[MAILDIR_UNIQUE_MAX + 1], int64_t seconds,
				const uint8_t content[CONTENT_DIGEST_SIZE], struct err *err);
/* The same name a second later, for where UNIQUE is taken. */
void maildir_unique_later(char *unique);
/* POP3: `<seconds>.<account key>_p_<DIGEST_HEX>.<host>`. */
int maildir_unique_make_pop3(char out[MAILDIR_UNIQUE_MAX + 1], const char *key,
			     const char *digest_hex, struct err *err);
struct maildir_unique {
	char key[MAILDIR_KEY_SIZE];
	bool is_pop3;
	char pop3_digest[65];
	uint32_t uidvalidity;
	uint32_t uid;
};
/* True when the unique part has that form. */
bool maildir_unique_parse(struct span unique, struct maildir_unique *parsed);
/* The number of mbsync's ",U=123" in a file name, or 0. */
uint32_t maildir_mbsync_uid(const char *file);
/* mbsync's `.uidvalidity` of the folder: its first line; 0 when there is none. */
uint32_t maildir_folder_mbsync_uidvalidity(struct maildir_folder *folder);

/*
 * `mailsync-id` in the root: which account, database and generation this tree belongs to.
 */
struct maildir_id {
	char account[128];
	char database[40];
	uint64_t generation;
};
/* *FOUND false when there is none. A file that cannot be read as one is -ERR_CONFIG. */
int maildir_id_read(struct maildir *maildir, struct maildir_id *id, bool *found, struct err *err);
/* Atomically and durably. */
int maildir_id_write(struct maildir *maildir, const struct maildir_id *id, struct err *err);

/* Real path of the root, for comparing roots; the caller frees it. NULL when it does not exist. */
char *maildir_real_root(const struct maildir *maildir);

/* A root, and whose it is. */
struct maildir_root {
	const char *owner; /* for people */
	const struct maildir_params *params;
};
/* Compares the roots of several owners before anything is touched: no two may share one, nor may
 * one lie in another's. -ERR_CONFIG for the one at *CULPRIT; *AROUND is one before it, which
 * it lies in and would be a folder of, else COUNT. */
int maildir_check_roots(const struct maildir_root *roots, size_t count, size_t *culprit,
			size_t *around, struct err *err);

#endif
