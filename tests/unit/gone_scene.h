/* What the tests say again and again of runs in which something was not told; a test includes
 * run_scene.h before it. */
#ifndef TESTS_GONE_SCENE_H
#define TESTS_GONE_SCENE_H

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "run_scene.h"

/* A run whose outcome is STATUS. */
static inline void sync_to(struct run_scene *scene, int status)
{
	scripted_heard(scene->server);
	(void)run_scene_sync(scene);
	if (scene->report.status != status) {
		fail_msg("status %d, not %d: %s", scene->report.status, status,
			 scene->report.error_count > 0 ? scene->report.errors[0].text : "");
	}
}

static inline void expect_error(const struct run_scene *scene, const char *mailbox,
				const char *text)
{
	for (size_t i = 0; i < scene->report.error_count; i++) {
		const struct report_error *error = &scene->report.errors[i];
		if (strstr(error->text, text) != NULL &&
		    (mailbox == NULL ||
		     (error->mailbox != NULL && strcmp(error->mailbox, mailbox) == 0))) {
			return;
		}
	}
	fail_msg("no error says \"%s\": %s", text,
		 scene->report.error_count == 0 ? "" : scene->report.errors[0].text);
}

/* A mailbox with three messages, which both sides hold. */
static inline void shared(struct run_scene *scene, const char *wire)
{
	scripted_make(scene->server, wire);
	for (int i = 0; i < 3; i++) {
		char text[64];
		snprintf(text, sizeof(text), "Message-ID: <%d@%s>\n\ntext\n", i, wire);
		scripted_add(scene->server, wire, "", text);
	}
	sync_to(scene, 0);
	assert_int_equal(scene->report.total.downloaded, 3);
}

static inline void expect_nothing_done(const struct run_scene *scene)
{
	const struct sync_counts *total = &scene->report.total;
	assert_int_equal(total->downloaded, 0);
	assert_int_equal(total->uploaded, 0);
	assert_int_equal(total->moved, 0);
	assert_int_equal(total->deleted_local, 0);
	assert_int_equal(total->deleted_remote, 0);
}

static inline void expect_there(struct run_scene *scene, const char *wire, const char *expected)
{
	char *told = scripted_told(scene->server, wire);
	assert_string_equal(told, expected);
	free(told);
}

static inline void move_folder(struct run_scene *scene, const char *from, const char *to)
{
	char old[512];
	char new[512];
	snprintf(old, sizeof(old), "%s/%s", scene->maildir, from);
	snprintf(new, sizeof(new), "%s/%s", scene->maildir, to);
	assert_int_equal(rename(old, new), 0);
}

static inline void expect_no_folder(struct run_scene *scene, const char *folder)
{
	char path[512];
	snprintf(path, sizeof(path), "%s/%s", scene->maildir, folder);
	assert_int_not_equal(access(path, F_OK), 0);
}

#endif
