/* Both sides of a scene as people see them, what somebody does in the Maildir, and the proof that a
 * run had nothing to do. */
#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "run_scene.h"

#include "mailsync/model/flags.h"

#define LISTING_MAX (1u << 20)
#define PATH_SIZE   512
#define TEXT_SIZE   4096

/* What follows "Subject: ", of which all texts begin with. */
static struct span subject_of(const char *text)
{
	static const char field[] = "Subject: ";
	assert_true(strncmp(text, field, sizeof(field) - 1) == 0);
	text += sizeof(field) - 1;
	return (struct span){text, strcspn(text, "\r\n")};
}

static void read_text(const char *path, char text[TEXT_SIZE])
{
	FILE *file = fopen(path, "rb");
	if (file == NULL) {
		fail_msg("cannot read %s", path);
	}
	text[fread(text, 1, TEXT_SIZE - 1, file)] = '\0';
	fclose(file);
}

/* The path of each entry of a directory, but for hidden ones. */
static void list_entries(struct run_scene *scene, const char *path, struct strlist *paths)
{
	DIR *dir = opendir(path);
	if (dir == NULL) {
		fail_msg("cannot read %s", path);
	}
	for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
		char full[PATH_SIZE];
		snprintf(full, sizeof(full), "%s/%s", path, entry->d_name);
		if (entry->d_name[0] != '.') {
			RUN_OK(scene, strlist_add(paths, span_of(full), &scene->err));
		}
	}
	closedir(dir);
}

static void list_files(struct run_scene *scene, const char *folder, struct strlist *paths)
{
	char path[PATH_SIZE];
	strlist_init(paths);
	snprintf(path, sizeof(path), "%s/%s/cur", scene->maildir, folder);
	list_entries(scene, path, paths);
	snprintf(path, sizeof(path), "%s/%s/new", scene->maildir, folder);
	list_entries(scene, path, paths);
}

static void add_name(struct run_scene *scene, struct strlist *names, const char *text,
		     const char *letters)
{
	char name[TEXT_SIZE];
	struct span subject = subject_of(text);
	snprintf(name, sizeof(name), "%.*s/%s", (int)subject.len, subject.data, letters);
	RUN_OK(scene, strlist_add(names, span_of(name), &scene->err));
}

static void names_there(struct run_scene *scene, const char *wire, struct strlist *names)
{
	const struct scripted_mailbox *mailbox = scripted_find(scene->server, wire);
	assert_non_null(mailbox);
	for (size_t i = 0; i < mailbox->count; i++) {
		char letters[8] = "";
		size_t len = 0;
		for (uint64_t bit = FLAG_DRAFT; bit <= FLAG_DELETED; bit <<= 1) {
			if (mailbox->messages[i].flags & bit) {
				letters[len++] = letter_of_flag(bit);
			}
		}
		add_name(scene, names, mailbox->messages[i].text, letters);
	}
}

static void names_here(struct run_scene *scene, const char *folder, struct strlist *names)
{
	struct strlist paths;
	list_files(scene, folder, &paths);
	for (size_t i = 0; i < paths.count; i++) {
		char text[TEXT_SIZE];
		const char *letters = strstr(paths.items[i], ":2,");
		read_text(paths.items[i], text);
		add_name(scene, names, text, letters == NULL ? "" : letters + 3);
	}
	strlist_finish(&paths);
}

static int compare_text(const void *x, const void *y)
{
	return strcmp(*(char *const *)x, *(char *const *)y);
}

static void expect_names(struct strlist *names, const char *expected)
{
	struct buf text;
	buf_init(&text, LISTING_MAX);
	if (names->count > 0) {
		qsort(names->items, names->count, sizeof(names->items[0]), compare_text);
	}
	for (size_t i = 0; i < names->count; i++) {
		buf_printf(&text, "%s%s", i > 0 ? " " : "", names->items[i]);
	}
	assert_string_equal(text.len == 0 ? "" : text.data, expected);
	buf_finish(&text);
}

void run_scene_expect_there(struct run_scene *scene, const char *mailbox, const char *expected)
{
	struct strlist names;
	strlist_init(&names);
	names_there(scene, mailbox, &names);
	expect_names(&names, expected);
	strlist_finish(&names);
}

void run_scene_expect_here(struct run_scene *scene, const char *mailbox, const char *expected)
{
	struct strlist names;
	strlist_init(&names);
	names_here(scene, mailbox, &names);
	expect_names(&names, expected);
	strlist_finish(&names);
}

void run_scene_expect_both(struct run_scene *scene, const char *mailbox, const char *expected)
{
	run_scene_expect_there(scene, mailbox, expected);
	run_scene_expect_here(scene, mailbox, expected);
}

/* The path of the file of FOLDER that bears this subject. */
static void find_file(struct run_scene *scene, const char *folder, const char *subject,
		      char found[PATH_SIZE])
{
	struct strlist paths;
	found[0] = '\0';
	list_files(scene, folder, &paths);
	for (size_t i = 0; i < paths.count; i++) {
		char text[TEXT_SIZE];
		read_text(paths.items[i], text);
		if (span_equal_cstr(subject_of(text), subject)) {
			snprintf(found, PATH_SIZE, "%s", paths.items[i]);
		}
	}
	strlist_finish(&paths);
	if (found[0] == '\0') {
		fail_msg("no file of %s has the subject %s", folder, subject);
	}
}

void run_scene_move_file(struct run_scene *scene, const char *folder, const char *subject,
			 const char *to, const char *letters)
{
	char from[PATH_SIZE];
	char target[2 * PATH_SIZE];
	find_file(scene, folder, subject, from);
	const char *name = strrchr(from, '/') + 1;
	snprintf(target, sizeof(target), "%s/%s/cur/%.*s:2,%s", scene->maildir, to,
		 (int)strcspn(name, ":"), name, letters);
	assert_int_equal(rename(from, target), 0);
}

void run_scene_remove_file(struct run_scene *scene, const char *folder, const char *subject)
{
	char path[PATH_SIZE];
	find_file(scene, folder, subject, path);
	assert_int_equal(remove(path), 0);
}

/* What lies below PATH: names, files and when they were changed last. */
static void print_tree(struct run_scene *scene, const char *path, struct buf *out)
{
	struct stat st;
	struct strlist paths;
	strlist_init(&paths);
	list_entries(scene, path, &paths);
	if (paths.count > 0) {
		qsort(paths.items, paths.count, sizeof(paths.items[0]), compare_text);
	}
	for (size_t i = 0; i < paths.count; i++) {
		assert_int_equal(lstat(paths.items[i], &st), 0);
		buf_printf(out, "%s %" PRIu64 " %" PRId64 ".%09ld\n", paths.items[i],
			   (uint64_t)st.st_ino, (int64_t)st.st_ctim.tv_sec, st.st_ctim.tv_nsec);
		if (S_ISDIR(st.st_mode)) {
			print_tree(scene, paths.items[i], out);
		}
	}
	strlist_finish(&paths);
}

/* Commands that change something there, and fetches. */
static size_t count_work(const struct run_scene *scene)
{
	size_t count = 0;
	for (size_t op = 0; op < SCRIPTED_LIST; op++) {
		count += scene->server->asked[op];
	}
	return count + scene->server->asked[SCRIPTED_FETCH];
}

/* The first line in which they differ is told. */
static void expect_same(const char *before, const char *after)
{
	while (*before != '\0' || *after != '\0') {
		size_t len = strcspn(before, "\n") + 1;
		if (strncmp(before, after, len) != 0) {
			fail_msg("%.*s is %.*s", (int)len - 1, before, (int)strcspn(after, "\n"),
				 after);
		}
		before += len;
		after += len;
	}
}

static void expect_nothing_done(const struct sync_counts *total)
{
	assert_int_equal(total->downloaded + total->uploaded + total->moved, 0);
	assert_int_equal(total->flags_local + total->flags_remote, 0);
	assert_int_equal(total->deleted_local + total->deleted_remote, 0);
}

void run_scene_expect_idle(struct run_scene *scene, int status)
{
	struct buf before;
	struct buf after;
	size_t work = count_work(scene);
	buf_init(&before, LISTING_MAX);
	buf_init(&after, LISTING_MAX);
	print_tree(scene, scene->maildir, &before);
	RUN_OK(scene, run_scene_sync(scene));
	print_tree(scene, scene->maildir, &after);
	assert_int_equal(scene->report.status, status);
	expect_nothing_done(&scene->report.total);
	assert_int_equal(count_work(scene), work);
	expect_same(before.data, after.data);
	buf_finish(&before);
	buf_finish(&after);
}
