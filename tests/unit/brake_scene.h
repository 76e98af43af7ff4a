/* A scripted server, a Maildir and the brake, for the tests of whole runs. */
#ifndef BRAKE_SCENE_H
#define BRAKE_SCENE_H

#include "run_scene.h"
#include "scripted_door.h"

#include <dirent.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define HELD err_exit_status(ERR_BRAKE)

static inline void add(struct run_scene *scene, const char *wire, int number)
{
	char text[160];
	snprintf(
		text, sizeof(text),
		"Subject: %02d\nMessage-ID: <%d@x>\nDate: Mon, 1 Jan 2024 10:00:%02d +0000\n\n%d\n",
		number, number, number % 60, number);
	scripted_add(scene->server, wire, "", text);
}

static inline void add_many(struct run_scene *scene, const char *wire, int first, int count)
{
	for (int i = first; i < first + count; i++) {
		add(scene, wire, i);
	}
}

static inline void sync_to(struct run_scene *scene, int status)
{
	(void)run_scene_sync(scene);
	if (scene->report.status != status) {
		fail_msg("status %d, not %d: %s%s", scene->report.status, status, scene->err.text,
			 scene->report.error_count > 0 ? scene->report.errors[0].text : "");
	}
}

static inline void settle(struct run_scene *scene)
{
	sync_to(scene, 0);
	run_scene_expect_idle(scene, 0);
}

/* COUNT messages in WIRE, which both sides hold, under the usual brake. */
static inline void shared(struct run_scene *scene, const char *wire, int count)
{
	scene->account.max_delete_percent = 50;
	if (scripted_find(scene->server, wire) == NULL) {
		scripted_make(scene->server, wire);
	}
	add_many(scene, wire, 1, count);
	settle(scene);
}

static inline size_t count_there(struct run_scene *scene, const char *wire)
{
	return scripted_find(scene->server, wire)->count;
}

static inline size_t count_here(struct run_scene *scene, const char *folder)
{
	char *files = run_scene_files(scene, folder);
	size_t count = files[0] != '\0';
	for (const char *at = files; *at != '\0'; at++) {
		count += *at == ' ';
	}
	free(files);
	return count;
}

static inline void expect_counts(struct run_scene *scene, const char *wire, size_t here,
				 size_t there)
{
	assert_int_equal(count_here(scene, wire), here);
	assert_int_equal(count_there(scene, wire), there);
}

/* Removes up to COUNT files of FOLDER. */
static inline void remove_files(struct run_scene *scene, const char *folder, int count)
{
	static const char *const parts[] = {"cur", "new"};
	for (size_t i = 0; i < 2; i++) {
		char path[512];
		char file[1024];
		snprintf(path, sizeof(path), "%s/%s/%s", scene->maildir, folder, parts[i]);
		DIR *dir = opendir(path);
		for (struct dirent *entry;
		     dir != NULL && count > 0 && (entry = readdir(dir)) != NULL;) {
			snprintf(file, sizeof(file), "%s/%s", path, entry->d_name);
			if (entry->d_name[0] != '.') {
				assert_int_equal(unlink(file), 0);
				count--;
			}
		}
		if (dir != NULL) {
			closedir(dir);
		}
	}
	assert_int_equal(count, 0);
}

static inline void expunge_first(struct run_scene *scene, const char *wire, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		scripted_expunge(scene->server, wire,
				 scripted_find(scene->server, wire)->messages[0].uid);
	}
}

static inline bool says(const struct run_scene *scene, const char *text)
{
	for (size_t i = 0; i < scene->report.error_count; i++) {
		if (strstr(scene->report.errors[i].text, text) != NULL) {
			return true;
		}
	}
	return false;
}

static inline void expect_said(const struct run_scene *scene, const char *text)
{
	if (!says(scene, text)) {
		fail_msg("not said: %s; but: %s", text,
			 scene->report.error_count > 0 ? scene->report.errors[0].text : "nothing");
	}
}

static inline void run_sql(struct run_scene *scene, const char *sql)
{
	char path[128];
	sqlite3 *db = NULL;
	snprintf(path, sizeof(path), "%s/test.db", scene->state_dir);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

/* What was deleted so far was so many seconds earlier. */
static inline void time_passes(struct run_scene *scene, int seconds)
{
	char sql[80];
	snprintf(sql, sizeof(sql), "UPDATE deleted SET time = time - %d", seconds);
	run_sql(scene, sql);
}

static inline void allow(struct run_scene *scene)
{
	scene->options.allow_mass_delete = true;
	sync_to(scene, 0);
	scene->options.allow_mass_delete = false;
	run_scene_expect_idle(scene, 0);
}

static inline void bring_back_to(struct run_scene *scene, int status)
{
	scene->options.bring_back = true;
	sync_to(scene, status);
	scene->options.bring_back = false;
}

static inline void bring(struct run_scene *scene)
{
	bring_back_to(scene, 0);
	run_scene_expect_idle(scene, 0);
}

static inline void rename_in(struct run_scene *scene, const char *from, const char *to)
{
	char old[512];
	char new[512];
	snprintf(old, sizeof(old), "%s/%s", scene->maildir, from);
	snprintf(new, sizeof(new), "%s/%s", scene->maildir, to);
	assert_int_equal(rename(old, new), 0);
}

static inline void replace_folder(struct run_scene *scene, const char *folder, const char *aside)
{
	rename_in(scene, folder, aside);
	run_scene_folder(scene, folder);
}

#endif
