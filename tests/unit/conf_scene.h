/* A configuration as a text, loaded, and what is complained of. */
#ifndef TESTS_CONF_SCENE_H
#define TESTS_CONF_SCENE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "mailsync/conf/conf.h"

struct loaded {
	struct conf *conf;
	struct conf_errors errors;
	int rc;
	char path[64];
};

/* Loads TEXT from a file of mode MODE. */
static inline void load_mode(struct loaded *loaded, const char *text, mode_t mode)
{
	struct err err;

	memset(loaded, 0, sizeof(*loaded));
	snprintf(loaded->path, sizeof(loaded->path), "/tmp/mailsync-conf-XXXXXX");
	int fd = mkstemp(loaded->path);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
	loaded->rc = conf_load(&loaded->conf, loaded->path, &loaded->errors, &err);
	unlink(loaded->path);
}

static inline void load(struct loaded *loaded, const char *text)
{
	load_mode(loaded, text, 0600);
}

static inline void unload(struct loaded *loaded)
{
	conf_errors_finish(&loaded->errors);
	conf_destroy(&loaded->conf);
}

/* True when an error of LINE holds PART. */
static inline bool complains(const struct loaded *loaded, int line, const char *part)
{
	for (size_t i = 0; i < loaded->errors.count; i++) {
		const struct conf_error *error = &loaded->errors.items[i];
		if (error->line == line && strstr(error->text, part)) {
			return true;
		}
	}
	for (size_t i = 0; i < loaded->errors.count; i++) {
		print_error("got: %s\n", loaded->errors.items[i].text);
	}
	return false;
}

/* TEXT has exactly one error, in LINE, that holds PART. */
static inline void expect_error(const char *text, int line, const char *part)
{
	struct loaded loaded;

	load(&loaded, text);
	assert_int_equal(loaded.rc, -ERR_CONFIG);
	assert_true(complains(&loaded, line, part));
	assert_int_equal(loaded.errors.count, 1);
	unload(&loaded);
}

static inline void expect_unquoted(const char *text, const char *secret)
{
	struct loaded loaded;

	load(&loaded, text);
	assert_int_equal(loaded.errors.count, 1);
	assert_null(strstr(loaded.errors.items[0].text, secret));
	unload(&loaded);
}

#endif
