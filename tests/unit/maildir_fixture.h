/* A Maildir tree in a directory of its own, for the tests of store/maildir. */
#ifndef MAILSYNC_TESTS_MAILDIR_FIXTURE_H
#define MAILSYNC_TESTS_MAILDIR_FIXTURE_H

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "mailsync/base/file.h"
#include "mailsync/store/maildir.h"

struct fixture {
	char root[64];
	struct maildir *maildir;
	struct maildir_folder *folder;
	struct keywords keywords;
	struct err err;
	char result[MAILDIR_NAME_MAX + 1];
};

/* 0, or fails the test with the sentence. */
#define must(fixture, call)                                             \
	do {                                                            \
		if ((call) < 0) {                                       \
			fail_msg("%s: %s", #call, (fixture)->err.text); \
		}                                                       \
	} while (0)

static inline void fixture_open_as(struct fixture *fixture, const struct maildir_params *params)
{
	memset(fixture, 0, sizeof(*fixture));
	snprintf(fixture->root, sizeof(fixture->root), "/tmp/mailsync-test-XXXXXX");
	assert_non_null(mkdtemp(fixture->root));
	struct maildir_params own = *params;
	own.root = fixture->root;
	keywords_init(&fixture->keywords);
	must(fixture, maildir_open(&fixture->maildir, &own, true, &fixture->err));
}

/* With an open INBOX. */
static inline void fixture_open(struct fixture *fixture)
{
	struct maildir_params params = {.layout = LAYOUT_FS,
					.inbox_folder = "INBOX",
					.info_delimiter = ':',
					.keywords = true,
					.durability = MAILDIR_SYNC_NONE};
	fixture_open_as(fixture, &params);
	must(fixture, maildir_create_folder(fixture->maildir, "INBOX", &fixture->err));
	must(fixture,
	     maildir_folder_open(fixture->maildir, "INBOX", &fixture->folder, &fixture->err));
}

static inline void path_below(const struct fixture *fixture, const char *path, char out[512])
{
	int len = snprintf(out, 512, "%s/%s", fixture->root, path);
	assert_in_range(len, 1, 511);
}

static inline void tree_remove(const char *path)
{
	struct stat st;
	DIR *dir = lstat(path, &st) == 0 && S_ISDIR(st.st_mode) ? opendir(path) : NULL;
	for (struct dirent *entry; dir && (entry = readdir(dir)) != NULL;) {
		struct buf child;
		buf_init(&child, 4096);
		buf_printf(&child, "%s/%s", path, entry->d_name);
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
			tree_remove(child.data);
		}
		buf_finish(&child);
	}
	if (dir) {
		closedir(dir);
	}
	assert_int_equal(remove(path), 0);
}

static inline void fixture_close(struct fixture *fixture)
{
	maildir_folder_close(&fixture->folder);
	maildir_close(&fixture->maildir);
	keywords_finish(&fixture->keywords);
	tree_remove(fixture->root);
}

static inline void make_dirs(struct fixture *fixture, const char *path)
{
	char full[512];
	path_below(fixture, path, full);
	must(fixture, file_make_dirs(full, &fixture->err));
}

/* A directory with cur, new and tmp. */
static inline void make_folder(struct fixture *fixture, const char *path)
{
	char part[512];
	static const char *const names[] = {"cur", "new", "tmp"};
	for (int i = 0; i < 3; i++) {
		snprintf(part, sizeof(part), "%s/%s", path, names[i]);
		make_dirs(fixture, part);
	}
}

static inline void write_file(const struct fixture *fixture, const char *path, const char *text)
{
	char full[512];
	path_below(fixture, path, full);
	FILE *file = fopen(full, "wb");
	assert_non_null(file);
	assert_int_equal(fwrite(text, 1, strlen(text), file), strlen(text));
	assert_int_equal(fclose(file), 0);
}

static inline bool is_there(const struct fixture *fixture, const char *path)
{
	char full[512];
	struct stat st;
	path_below(fixture, path, full);
	return lstat(full, &st) == 0;
}

/* The contents, at most 4095 bytes, into OUT. */
static inline void read_text(const struct fixture *fixture, const char *path, char out[4096])
{
	char full[512];
	path_below(fixture, path, full);
	FILE *file = fopen(full, "rb");
	if (!file) {
		fail_msg("no file %s", full);
	}
	size_t len = fread(out, 1, 4095, file);
	out[len] = '\0';
	fclose(file);
}

#endif
