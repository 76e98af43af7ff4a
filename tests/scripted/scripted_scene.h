/* A scripted server and a connection to it, for the tests of both. */
#ifndef TESTS_SCRIPTED_SCENE_H
#define TESTS_SCRIPTED_SCENE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "mailsync/model/flags.h"
#include "scripted.h"

struct scene {
	struct scripted *server;
	struct remote *remote;
	struct keywords keywords; /* ours, of the mailbox that is looked at */
	struct err err;
};

#define OK(scene, call)                                               \
	do {                                                          \
		if ((call) < 0) {                                     \
			fail_msg("%s: %s", #call, (scene)->err.text); \
		}                                                     \
	} while (0)

static inline int scene_open(void **state)
{
	struct scene *scene = calloc(1, sizeof(*scene));
	assert_non_null(scene);
	scene->server = scripted_create();
	scene->remote = scripted_connect(scene->server);
	keywords_init(&scene->keywords);
	*state = scene;
	return 0;
}

static inline int scene_close(void **state)
{
	struct scene *scene = *state;
	remote_close(&scene->remote);
	scripted_destroy(&scene->server);
	keywords_finish(&scene->keywords);
	free(scene);
	return 0;
}

/* Three messages, with UIDs 1 to 3. */
static inline void fill(struct scene *scene)
{
	scripted_add(scene->server, "INBOX", "", "Message-ID: <1>\n\none\n");
	scripted_add(scene->server, "INBOX", "\\Seen", "Message-ID: <2>\n\ntwo\n");
	scripted_add(scene->server, "INBOX", "$Junk", "Message-ID: <3>\n\nthree\n");
}

static inline void expect_told(struct scene *scene, const char *wire, const char *expected)
{
	char *told = scripted_told(scene->server, wire);
	assert_string_equal(told, expected);
	free(told);
}

static inline void set_of(struct uidset *set, uint32_t first, uint32_t last)
{
	struct err err;
	uidset_init(set);
	assert_int_equal(uidset_add(set, first, last, &err), 0);
}

#define SCENE_TEST(name) cmocka_unit_test_setup_teardown(name, scene_open, scene_close)

#endif
