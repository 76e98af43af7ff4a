/* A state database in a directory of its own, for the tests of src/state. */
#ifndef STATE_SCENE_H
#define STATE_SCENE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mailsync/base/buf.h"
#include "mailsync/model/flags.h"
#include "mailsync/state/state.h"

/* A directory of its own for each test, with one open database in it. */
struct scene {
	char dir[64];
	char path[96];
	struct state *state;
	struct err err;
};

#define OK(scene, call)                                               \
	do {                                                          \
		if ((call) != 0) {                                    \
			fail_msg("%s: %s", #call, (scene)->err.text); \
		}                                                     \
	} while (0)

static inline int scene_open(void **state)
{
	struct scene *scene = calloc(1, sizeof(*scene));
	const char *tmp = getenv("TMPDIR");

	snprintf(scene->dir, sizeof(scene->dir), "%.40s/state-XXXXXX", tmp == NULL ? "/tmp" : tmp);
	if (mkdtemp(scene->dir) == NULL) {
		return -1;
	}
	snprintf(scene->path, sizeof(scene->path), "%s/sub/a.db", scene->dir);
	*state = scene;
	return state_open(&scene->state, scene->path, STATE_WRITE, &scene->err);
}

static inline void scene_clear_dir(const char *dir)
{
	char name[512];
	DIR *stream = opendir(dir);
	struct dirent *entry;

	if (stream == NULL) {
		return;
	}
	while ((entry = readdir(stream)) != NULL) {
		if (entry->d_name[0] != '.') {
			snprintf(name, sizeof(name), "%s/%s", dir, entry->d_name);
			unlink(name);
		}
	}
	closedir(stream);
	rmdir(dir);
}

static inline int scene_close(void **state)
{
	struct scene *scene = *state;
	char sub[80];

	state_close(&scene->state);
	snprintf(sub, sizeof(sub), "%s/sub", scene->dir);
	scene_clear_dir(sub);
	scene_clear_dir(scene->dir);
	free(scene);
	return 0;
}

static inline void scene_reopen(struct scene *scene, enum state_mode mode)
{
	state_close(&scene->state);
	OK(scene, state_open(&scene->state, scene->path, mode, &scene->err));
}

/* The names in the database's directory, and how many. */
static inline int scene_files(const struct scene *scene, const char *needle, int *matches)
{
	char sub[80];
	int count = 0;
	struct dirent *entry;

	snprintf(sub, sizeof(sub), "%s/sub", scene->dir);
	DIR *stream = opendir(sub);
	assert_non_null(stream);
	*matches = 0;
	while ((entry = readdir(stream)) != NULL) {
		if (entry->d_name[0] != '.') {
			count++;
			*matches += strstr(entry->d_name, needle) != NULL;
		}
	}
	closedir(stream);
	return count;
}

static inline int64_t scene_mailbox(struct scene *scene, const char *name)
{
	struct state_mailbox mailbox;

	state_mailbox_init(&mailbox);
	mailbox.name = strdup(name);
	OK(scene, state_mailbox_put(scene->state, &mailbox, &scene->err));
	int64_t id = mailbox.id;
	state_mailbox_finish(&mailbox);
	return id;
}

static inline struct row scene_row(struct scene *scene, int64_t mailbox, uint32_t uid,
				   const char *unique)
{
	struct row row;

	row_init(&row);
	row.mailbox = mailbox;
	row.uid = uid;
	row.remote = uid != 0 ? MESSAGE_PRESENT : MESSAGE_ABSENT;
	row.local = unique[0] != '\0' ? MESSAGE_PRESENT : MESSAGE_ABSENT;
	row.is_agreed = uid != 0 && unique[0] != '\0';
	OK(scene, row_set_unique(&row, unique, strlen(unique), &scene->err));
	return row;
}

static inline int64_t scene_put(struct scene *scene, int64_t mailbox, uint32_t uid,
				const char *unique)
{
	struct row row = scene_row(scene, mailbox, uid, unique);

	OK(scene, state_row_put(scene->state, &row, &scene->err));
	int64_t id = row.id;
	row_finish(&row);
	return id;
}

static inline size_t scene_pending(struct scene *scene, int64_t mailbox, bool deleted_too)
{
	struct state_slice slice = {.deleted_too = deleted_too};
	struct row_list rows;

	row_list_init(&rows);
	OK(scene, state_rows_pending(scene->state, mailbox, &slice, &rows, &scene->err));
	assert_true(slice.is_last);
	size_t count = rows.count;
	row_list_finish(&rows);
	return count;
}

#define SCENE_TEST(name) cmocka_unit_test_setup_teardown(name, scene_open, scene_close)

#endif
