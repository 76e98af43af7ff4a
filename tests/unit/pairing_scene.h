/* What the tests of pairing share: both sides hold messages of which base does not know. */
#ifndef TESTS_PAIRING_SCENE_H
#define TESTS_PAIRING_SCENE_H

#include "run_scene.h"

#include <string.h>

/* Those with the subjects, and UIDs, 1 to COUNT. */
static inline void add_letters(struct run_scene *scene, unsigned count)
{
	for (unsigned i = 1; i <= count; i++) {
		char text[96];
		snprintf(text, sizeof(text), "Subject: %u\nMessage-ID: <%u@x>\n\ntext %u\n", i, i,
			 i);
		scripted_add(scene->server, "INBOX", "", text);
	}
}

/* Both sides hold the same COUNT, base knows of none, and the server was asked nothing yet. */
static inline void lose_base(struct run_scene *scene, unsigned count)
{
	add_letters(scene, count);
	RUN_OK(scene, run_scene_sync(scene));
	assert_int_equal(scene->report.total.downloaded, count);
	run_scene_forget_base(scene);
	memset(scene->server->asked, 0, sizeof(scene->server->asked));
}

static inline void expect_copied(const struct run_scene *scene, uint64_t downloaded,
				 uint64_t uploaded)
{
	assert_int_equal(scene->report.total.downloaded, downloaded);
	assert_int_equal(scene->report.total.uploaded, uploaded);
	assert_int_equal(scene->report.total.deleted_local, 0);
	assert_int_equal(scene->report.total.deleted_remote, 0);
}

/* One run that ends well. */
static inline void expect_run(struct run_scene *scene, uint64_t downloaded, uint64_t uploaded)
{
	scripted_heard(scene->server);
	RUN_OK(scene, run_scene_sync(scene));
	expect_copied(scene, downloaded, uploaded);
}

#endif
