/*
 * Invariant: what is not sure to have been heard is news about all: directories that come and go, a
 * queue that ran over, a root that is another one.
 */
#include "mailsync/store/maildir_watch.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "maildir_watch_private.h"
#include "mailsync/base/file.h"

int maildir_watcher_create(struct maildir_watcher **watcher, struct err *err)
{
	struct maildir_watcher *created = calloc(1, sizeof(*created));

	if (!created) {
		return err_nomem(err);
	}
	if (notify_create(&created->notify, &created->why) == -ERR_NOMEM) {
		free(created);
		return err_nomem(err);
	}
	*watcher = created;
	return 0;
}

void maildir_watcher_destroy(struct maildir_watcher **watcher)
{
	if (*watcher) {
		notify_destroy(&(*watcher)->notify);
		free((*watcher)->places);
		free(*watcher);
		*watcher = NULL;
	}
}

int maildir_watcher_fd(const struct maildir_watcher *watcher)
{
	return watcher->notify ? notify_fd(watcher->notify) : -1;
}

static void root_lost(struct maildir_watch *watch)
{
	places_drop(watch, ".");
	watch->has_root = false;
	watch->has_news_of_all = true;
	err_clear(&watch->barred);
	(void)err_set(&watch->barred, ERR_LOCAL, SCOPE_ACCOUNT, "%s is not there any more",
		      watch->tree.root);
}

/* Begins anew with what is in the root's place. */
static int root_watch(struct maildir_watch *watch, struct err *err)
{
	struct stat st;

	places_drop(watch, ".");
	watch->has_root = false;
	watch->has_news_of_all = true;
	err_clear(&watch->barred);
	if (!watch->watcher->notify) {
		place_bar(watch, &watch->watcher->why);
		return 0;
	}
	if (stat(watch->tree.root, &st) != 0) {
		(void)maildir_fail(&watch->barred, SCOPE_ACCOUNT, errno, "look at",
				   watch->tree.root);
		return 0;
	}
	watch->root_dev = (uint64_t)st.st_dev;
	watch->root_inode = (uint64_t)st.st_ino;
	watch->is_remote = notify_is_remote(watch->tree.root);
	return places_add_tree(watch, ".", err);
}

int maildir_watch_open(struct maildir_watch **watch, struct maildir_watcher *watcher,
		       const struct maildir_params *params, struct err *err)
{
	struct maildir_watch *opened = calloc(1, sizeof(*opened));

	if (!opened) {
		return err_nomem(err);
	}
	opened->watcher = watcher;
	opened->next = watcher->watches;
	watcher->watches = opened;
	opened->tree.root_fd = -1;
	opened->tree.layout = params->layout;
	opened->tree.root = strdup(params->root);
	opened->tree.inbox_folder = strdup(params->inbox_folder ? params->inbox_folder : "INBOX");
	int code = opened->tree.root && opened->tree.inbox_folder ? root_watch(opened, err)
								  : err_nomem(err);
	if (code < 0) {
		maildir_watch_close(&opened);
		return code;
	}
	opened->has_news_of_all = false; /* the caller knows that it has looked at nothing yet */
	*watch = opened;
	return 0;
}

void maildir_watch_close(struct maildir_watch **watch)
{
	struct maildir_watch *closing = *watch;

	if (!closing) {
		return;
	}
	struct maildir_watch **link = &closing->watcher->watches;
	while (*link != closing) {
		link = &(*link)->next;
	}
	*link = closing->next;
	places_drop(closing, ".");
	free(closing->tree.inbox_folder);
	free(closing->tree.root);
	free(closing);
	*watch = NULL;
}

/* A directory came into the folder that PLACE is, or went from it. */
static int hear_folder(struct maildir_watch *watch, const char *above,
		       const struct notify_event *event, struct err *err)
{
	enum place_child child = place_child_of(watch, above, event->name);
	char *path = child == CHILD_NOTHING ? NULL : place_join(above, event->name);
	int code = 0;

	if (!path) {
		return 0; /* no mailbox's */
	}
	watch->has_news_of_all = true;
	if (event->what == NOTIFY_WENT) {
		places_drop(watch, path);
	} else if (child == CHILD_MESSAGES) {
		code = place_add(watch, path, PLACE_MESSAGES, err);
	} else if (child == CHILD_FOLDER) {
		code = places_add_tree(watch, path, err);
	}
	free(path);
	return code < 0 ? code : 0;
}

static int hear_name(struct place *place, const struct notify_event *event, struct err *err)
{
	char above[FILE_PATH_SIZE];

	if (place->kind == PLACE_MESSAGES) {
		place->has_news |= event->name[0] != '.';
		return 0;
	}
	if (!event->is_dir) {
		place->has_news |= strcmp(event->name, "dovecot-keywords") == 0;
		return 0;
	}
	/* Places move as others come. */
	snprintf(above, sizeof(above), "%s", place->path);
	return hear_folder(place->watch, above, event, err);
}

static int hear(struct maildir_watcher *watcher, const struct notify_event *event, struct err *err)
{
	struct place *place = place_find(watcher, event->id);

	watcher->has_lost |= event->what == NOTIFY_LOST;
	if (!place) {
		return 0;
	}
	bool is_root = strcmp(place->path, ".") == 0;
	switch (event->what) {
	case NOTIFY_CAME:
	case NOTIFY_WENT:
		return hear_name(place, event, err);
	case NOTIFY_MOVED:
	case NOTIFY_ENDED:
		if (is_root) {
			root_lost(place->watch);
		} else if (event->what == NOTIFY_ENDED) {
			place_forget(watcher, place);
		} /* else the directory above tells */
		return 0;
	case NOTIFY_LOST:
		break;
	}
	return 0;
}

int maildir_watcher_read(struct maildir_watcher *watcher, struct err *err)
{
	struct notify_event event;
	int code = 0;

	while (code >= 0 && watcher->notify &&
	       (code = notify_next(watcher->notify, &event, err)) > 0) {
		code = hear(watcher, &event, err);
	}
	/* What is heard while directories are watched anew is read by the next call. */
	for (struct maildir_watch *watch = watcher->watches;
	     code >= 0 && watch && watcher->has_lost; watch = watch->next) {
		code = root_watch(watch, err);
	}
	watcher->has_lost = watcher->has_lost && code < 0;
	return code < 0 ? code : 0;
}

bool maildir_watch_has_news(const struct maildir_watch *watch)
{
	const struct maildir_watcher *watcher = watch->watcher;
	bool has_news = watch->has_news_of_all;

	for (size_t i = 0; i < watcher->count && !has_news; i++) {
		has_news = watcher->places[i].watch == watch && watcher->places[i].has_news;
	}
	return has_news;
}

/* Adds the mailbox whose messages, or keywords, PLACE holds; none where it can be no mailbox's. */
static int news_add(const struct place *place, struct strlist *mailboxes, struct err *err)
{
	const char *slash = strrchr(place->path, '/');
	struct span folder = place->kind == PLACE_FOLDER ? span_of(place->path)
			   : slash ? (struct span){place->path, (size_t)(slash - place->path)}
				   : SPAN_LIT(".");
	char *path = span_dup(folder);
	struct err reason;
	struct buf name;

	if (!path) {
		return err_nomem(err);
	}
	buf_init(&name, MBNAME_MAX);
	int code = maildir_name_of_path(&place->watch->tree, path, &name, &reason);
	if (code == 0) {
		code = strlist_add(mailboxes, buf_span(&name), err);
	} else {
		code = code == -ERR_NOMEM ? err_nomem(err) : 0;
	}
	buf_finish(&name);
	free(path);
	return code;
}

/* LIST is sorted. */
static void drop_repeated(struct strlist *list)
{
	size_t kept = 0;

	for (size_t i = 0; i < list->count; i++) {
		if (kept > 0 && strcmp(list->items[i], list->items[kept - 1]) == 0) {
			free(list->items[i]);
		} else {
			list->items[kept++] = list->items[i];
		}
	}
	list->count = kept;
}

int maildir_watch_take(struct maildir_watch *watch, struct maildir_news *news, struct err *err)
{
	struct maildir_watcher *watcher = watch->watcher;
	struct strlist mailboxes;
	int code = 0;

	strlist_init(&mailboxes);
	for (size_t i = 0; i < watcher->count && code == 0; i++) {
		if (watcher->places[i].watch == watch && watcher->places[i].has_news) {
			code = news_add(&watcher->places[i], &mailboxes, err);
		}
	}
	if (code < 0) {
		strlist_finish(&mailboxes);
		return code;
	}
	for (size_t i = 0; i < watcher->count; i++) {
		struct place *place = &watcher->places[i];
		place->has_news = place->has_news && place->watch != watch;
	}
	strlist_sort(&mailboxes);
	drop_repeated(&mailboxes);
	news->mailboxes = mailboxes;
	news->all = watch->has_news_of_all;
	watch->has_news_of_all = false;
	return 0;
}

void maildir_news_finish(struct maildir_news *news)
{
	strlist_finish(&news->mailboxes);
}

const char *maildir_watch_why(const struct maildir_watch *watch)
{
	return watch->barred.code != ERR_NONE ? watch->barred.text
	     : watch->is_remote ? "what other machines change on this file system is not told"
				: NULL;
}

int maildir_watch_renew(struct maildir_watch *watch, struct err *err)
{
	struct stat st;
	bool is_there = stat(watch->tree.root, &st) == 0;

	if (!watch->watcher->notify || (!is_there && !watch->has_root)) {
		return 0;
	}
	if (!is_there) {
		root_lost(watch);
		return 0;
	}
	if (!watch->has_root || watch->root_dev != (uint64_t)st.st_dev ||
	    watch->root_inode != (uint64_t)st.st_ino) {
		/* Where it could not be watched, and cannot be now, nothing was heard. */
		bool had_root = watch->has_root, had_news = watch->has_news_of_all;
		int code = root_watch(watch, err);
		watch->has_news_of_all = had_news || had_root || watch->has_root;
		return code;
	}
	if (watch->barred.code == ERR_NONE) {
		return 0;
	}
	err_clear(&watch->barred);
	return places_add_tree(watch, ".", err);
}
