/*
 * What the maildir_watch*.c files share: the directories that are watched, of all Maildirs in one
 * table by the system's number, and how a tree of them is gone through.
 */
#ifndef MAILSYNC_STORE_MAILDIR_WATCH_PRIVATE_H
#define MAILSYNC_STORE_MAILDIR_WATCH_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "maildir_private.h"
#include "mailsync/base/notify.h"
#include "mailsync/store/maildir_watch.h"

enum place_kind {
	PLACE_FOLDER,  /* the root, or any directory that mailboxes may be in, or be */
	PLACE_MESSAGES /* a cur or new */
};

/* A directory that is watched. */
struct place {
	int id; /* notify.h */
	enum place_kind kind;
	bool has_news;
	struct maildir_watch *watch;
	char *path; /* below the root; "." is the root */
};

struct maildir_watcher {
	struct notify *notify; /* NULL: there is nothing of the kind */
	struct err why;        /* then */
	struct place *places;  /* by id */
	size_t count;
	size_t cap;
	struct maildir_watch *watches;
	bool has_lost; /* everything is to be begun again */
};

struct maildir_watch {
	struct maildir_watcher *watcher;
	struct maildir_watch *next;
	struct maildir tree; /* for names and paths; its root is open only while folders are read */
	uint64_t root_dev;   /* of the directory that is watched as the root */
	uint64_t root_inode;
	bool has_root;
	bool has_news_of_all;
	bool is_remote;
	struct err barred; /* why a folder is not heard; its code is ERR_NONE: all are */
};

/* What a directory is to the layout, in the folder where it is. */
enum place_child {
	CHILD_NOTHING, /* hidden, or where no mailbox can be */
	CHILD_TEMP,    /* makes the folder a mailbox, but nothing happens in it */
	CHILD_MESSAGES,
	CHILD_FOLDER
};
enum place_child place_child_of(const struct maildir_watch *watch, const char *above,
				const char *name);
/* NAME in the folder ABOVE, as heap string; NULL: it is too long for a mailbox's, or no memory. */
char *place_join(const char *above, const char *name);

/* NULL: it is not watched any more. */
struct place *place_find(const struct maildir_watcher *watcher, int id);
/* 1 when PATH is watched, 0 when not, which WATCH remembers unless nothing is there. Pointers to
 * places end. */
int place_add(struct maildir_watch *watch, const char *path, enum place_kind kind, struct err *err);
/* Watches the folder PATH and all that is in it. */
int places_add_tree(struct maildir_watch *watch, const char *path, struct err *err);
/* Hears no more of PLACE, which the system does not watch any more. */
void place_forget(struct maildir_watcher *watcher, struct place *place);
/* Hears no more of the folder PATH, nor of what is in it. */
void places_drop(struct maildir_watch *watch, const char *path);
/* Notes the first reason why not all is heard. */
void place_bar(struct maildir_watch *watch, const struct err *why);

#endif
