/*
 * Invariant: a directory is watched before it is read, so that what comes into it is heard or seen.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "maildir_dir.h"
#include "maildir_watch_private.h"
#include "mailsync/base/array.h"
#include "mailsync/base/file.h"

static int compare_id(const void *key, const void *item)
{
	int id = *(const int *)key;
	const struct place *place = item;

	return (id > place->id) - (id < place->id);
}

struct place *place_find(const struct maildir_watcher *watcher, int id)
{
	return array_find(watcher->places, watcher->count, sizeof(*watcher->places), &id,
			  compare_id);
}

/* PATH belongs to the place from now on, or is freed. */
static int place_put(struct maildir_watch *watch, int id, enum place_kind kind, char *path,
		     struct err *err)
{
	struct maildir_watcher *watcher = watch->watcher;
	struct place *place = place_find(watcher, id);

	if (place && place->watch != watch) {
		free(path);
		return err_set(err, ERR_LIMIT, SCOPE_MAILBOX,
			       "a directory is in the Maildirs of two accounts");
	}
	if (place) { /* it has another name now */
		free(place->path);
		place->path = path;
		place->kind = kind;
		return 0;
	}
	if (ARRAY_RESERVE(&watcher->places, watcher->count + 1, &watcher->cap, err) < 0) {
		notify_remove(watcher->notify, id);
		free(path);
		return -ERR_NOMEM;
	}
	size_t at = array_lower_bound(watcher->places, watcher->count, sizeof(*watcher->places),
				      &id, compare_id);
	place = watcher->places + at;
	memmove(place + 1, place, (watcher->count - at) * sizeof(*place));
	*place = (struct place){.id = id, .kind = kind, .watch = watch, .path = path};
	watcher->count++;
	return 0;
}

/* Whether PATH is ABOVE or below it. */
static bool is_below(const char *path, const char *above)
{
	size_t len = strlen(above);

	return strcmp(above, ".") == 0 ||
	       (strncmp(path, above, len) == 0 && (path[len] == '\0' || path[len] == '/'));
}

void place_forget(struct maildir_watcher *watcher, struct place *place)
{
	size_t after = watcher->count - (size_t)(place - watcher->places) - 1;

	free(place->path);
	memmove(place, place + 1, after * sizeof(*place));
	watcher->count--;
}

void places_drop(struct maildir_watch *watch, const char *above)
{
	struct maildir_watcher *watcher = watch->watcher;
	size_t kept = 0;

	for (size_t i = 0; i < watcher->count; i++) {
		struct place *place = &watcher->places[i];
		if (place->watch == watch && is_below(place->path, above)) {
			notify_remove(watcher->notify, place->id);
			free(place->path);
		} else {
			watcher->places[kept++] = *place;
		}
	}
	watcher->count = kept;
}

char *place_join(const char *above, const char *name)
{
	struct buf path;

	buf_init(&path, FILE_PATH_SIZE);
	if (strcmp(above, ".") != 0) {
		buf_printf(&path, "%s/", above);
	}
	buf_append_cstr(&path, name);
	return buf_steal(&path);
}

enum place_child place_child_of(const struct maildir_watch *watch, const char *above,
				const char *name)
{
	if (strcmp(name, "cur") == 0 || strcmp(name, "new") == 0) {
		return CHILD_MESSAGES;
	}
	if (strcmp(name, "tmp") == 0) {
		return CHILD_TEMP;
	}
	if (watch->tree.layout == LAYOUT_MAILDIRPP) {
		return strcmp(above, ".") == 0 && name[0] == '.' ? CHILD_FOLDER : CHILD_NOTHING;
	}
	return name[0] == '.' || strcmp(name, MAILDIR_LOST_FOUND) == 0 ? CHILD_NOTHING
								       : CHILD_FOLDER;
}

void place_bar(struct maildir_watch *watch, const struct err *why)
{
	if (watch->barred.code == ERR_NONE) {
		watch->barred = *why;
	}
}

int place_add(struct maildir_watch *watch, const char *path, enum place_kind kind, struct err *err)
{
	bool is_root = strcmp(path, ".") == 0;
	char *full = is_root ? strdup(watch->tree.root) : place_join(watch->tree.root, path);
	char *own = strdup(path);
	struct err why;
	int id = 0;

	if (!full || !own) {
		free(full);
		free(own);
		return err_nomem(err);
	}
	int code = notify_add(watch->watcher->notify, full, is_root, &id, &why);
	free(full);
	if (code == 0) {
		code = place_put(watch, id, kind, own, &why);
	} else {
		free(own);
	}
	if (code == -ERR_NOMEM) {
		return err_nomem(err);
	}
	if (code < 0 && (code != -ERR_CHANGED || is_root)) {
		place_bar(watch, &why);
	}
	watch->has_root |= is_root && code == 0;
	return code == 0;
}

/* Watches the folder PATH; those in it are put into QUEUE. */
static int folder_watch(struct maildir_watch *watch, const char *path, struct strlist *queue,
			struct err *err)
{
	struct dir_stream stream;
	enum dir_kind kind;
	const char *name;
	struct err why;
	int fd;

	int code = place_add(watch, path, PLACE_FOLDER, err);
	if (code <= 0) {
		return code;
	}
	if ((code = maildir_open_path(&watch->tree, path, &fd, &why)) < 0 ||
	    (code = dir_stream_adopt(&stream, fd, path, &why)) < 0) {
		if (code != -ERR_CHANGED) {
			place_bar(watch, &why);
		}
		return 0;
	}
	while (code >= 0 && dir_stream_next(&stream, &name, &kind, &why) > 0) {
		if (kind != DIR_KIND_DIR) {
			continue;
		}
		enum place_child child = place_child_of(watch, path, name);
		char *below = place_join(path, name);
		if (!below) {
			continue; /* too long for a mailbox */
		}
		if (child == CHILD_MESSAGES) {
			code = place_add(watch, below, PLACE_MESSAGES, err);
		} else if (child == CHILD_FOLDER) {
			code = strlist_add(queue, span_of(below), err);
		}
		free(below);
	}
	dir_stream_close(&stream);
	return code < 0 ? code : 0;
}

int places_add_tree(struct maildir_watch *watch, const char *path, struct err *err)
{
	struct strlist queue;
	struct err why;
	int code;

	if (file_open_dir(AT_FDCWD, watch->tree.root, false, &watch->tree.root_fd, &why) < 0) {
		place_bar(watch, &why);
		return 0;
	}
	strlist_init(&queue);
	code = strlist_add(&queue, span_of(path), err);
	for (size_t i = 0; code == 0 && i < queue.count; i++) {
		code = folder_watch(watch, queue.items[i], &queue, err);
	}
	strlist_finish(&queue);
	close(watch->tree.root_fd);
	watch->tree.root_fd = -1;
	return code;
}
