/* Runs against the scripted server. */
#include "run_scene.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mailsync/base/clock.h"
#include "mailsync/model/flags.h"

#include "guard/guard.h"
#include "observe/observe.h"

#define TEXT_MAX 65536

static void account_init(struct run_scene *scene)
{
	enum side both = SIDE_LOCAL | SIDE_REMOTE;
	scene->account = (struct account){
		.name = "test",
		.server = {.host = "scripted", .user = "test", .timeout_s = 1},
		.maildir = {.root = scene->maildir,
			    .layout = LAYOUT_FS,
			    .inbox_folder = "INBOX",
			    .info_delimiter = ':',
			    .keywords = true,
			    .durability = MAILDIR_SYNC_NONE},
		.connections = 1,
		.copy = both,
		.flags = both,
		.delete_ = both,
		.create = both,
		.max_delete_percent = 100,
		.keywords = true,
	};
	scene->options = (struct sync_options){.settles_at_once = true,
					       .state_dir = scene->state_dir,
					       .only = &scene->only,
					       .log = &scene->log};
}

/* Where a sync costs nothing, if there is such a place: a test has dozens. */
static const char *temporary_folder(void)
{
	const char *tmp = getenv("TMPDIR");
	return tmp != NULL ? tmp : access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
}

int run_scene_open(void **state)
{
	struct run_scene *scene = calloc(1, sizeof(*scene));
	assert_non_null(scene);
	snprintf(scene->root, sizeof(scene->root), "%.40s/mailsync-XXXXXX", temporary_folder());
	assert_non_null(mkdtemp(scene->root));
	snprintf(scene->maildir, sizeof(scene->maildir), "%s/mail", scene->root);
	snprintf(scene->state_dir, sizeof(scene->state_dir), "%s/state", scene->root);
	scene->quiet = fopen("/dev/null", "w");
	assert_non_null(scene->quiet);
	assert_int_equal(log_init(&scene->log, scene->quiet, LOG_ERROR), 0);
	strlist_init(&scene->only);
	report_init(&scene->report);
	account_init(scene);
	scene->server = scripted_create();
	scripted_behind_door(scene->server);
	run_scene_folder(scene, "INBOX");
	*state = scene;
	return 0;
}

static void tree_remove(const char *path)
{
	struct stat st;
	DIR *dir = lstat(path, &st) == 0 && S_ISDIR(st.st_mode) ? opendir(path) : NULL;
	for (struct dirent *entry; dir != NULL && (entry = readdir(dir)) != NULL;) {
		char child[4096];
		snprintf(child, sizeof(child), "%s/%s", path, entry->d_name);
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
			tree_remove(child);
		}
	}
	if (dir != NULL) {
		closedir(dir);
	}
	assert_int_equal(remove(path), 0);
}

int run_scene_close(void **state)
{
	struct run_scene *scene = *state;
	if (scene->is_begun) {
		run_scene_end(scene);
	}
	report_finish(&scene->report);
	scripted_destroy(&scene->server);
	strlist_finish(&scene->only);
	log_finish(&scene->log);
	fclose(scene->quiet);
	tree_remove(scene->root);
	free(scene);
	return 0;
}

int run_scene_begin(struct run_scene *scene)
{
	struct run *run = &scene->run;
	struct err *err = &scene->err;
	int code;
	report_finish(&scene->report);
	report_init(&scene->report);
	session_init(&scene->session, &scene->account, &scene->options);
	run_init(run, &scene->session, &scene->report);
	scene->plan = (struct plan){0};
	run->plan = &scene->plan;
	scene->is_begun = true;
	int64_t now = clock_real_s();
	if ((code = policy_make(run->account, run->options, now, &run->policy, err)) < 0 ||
	    (code = run_open_lock(run, err)) < 0 || (code = run_open_local(run, err)) < 0 ||
	    (code = run_connect(run, 1, &scene->session.remote, err)) < 0) {
		return code;
	}
	return observe_mailboxes(run, err);
}

void run_scene_end(struct run_scene *scene)
{
	struct session *session = &scene->session;
	RUN_OK(scene, run_release(&scene->run, &scene->err));
	plan_finish(&scene->plan);
	run_finish(&scene->run);
	session_finish(session);
	scene->is_begun = false;
}

int run_scene_sync(struct run_scene *scene)
{
	report_finish(&scene->report);
	report_init(&scene->report);
	scene->server->is_down = false;
	return sync_account(&scene->account, &scene->options, &scene->report, &scene->err);
}

void run_scene_forget_base(struct run_scene *scene)
{
	char path[160];
	snprintf(path, sizeof(path), "%s/test.db", scene->state_dir);
	assert_int_equal(unlink(path), 0);
}

void run_scene_folder(struct run_scene *scene, const char *folder)
{
	static const char *const parts[] = {"cur", "new", "tmp"};
	for (size_t i = 0; i < 3; i++) {
		char path[512];
		snprintf(path, sizeof(path), "%s/%s/%s", scene->maildir, folder, parts[i]);
		RUN_OK(scene, file_make_dirs(path, &scene->err));
	}
}

void run_scene_write(struct run_scene *scene, const char *path, const char *text)
{
	char full[512];
	snprintf(full, sizeof(full), "%s/%s", scene->maildir, path);
	FILE *file = fopen(full, "wb");
	if (file == NULL) {
		fail_msg("cannot write %s", full);
	}
	fputs(text, file);
	fclose(file);
}

static int compare_text(const void *x, const void *y)
{
	return strcmp(*(char *const *)x, *(char *const *)y);
}

static void list_names(struct run_scene *scene, const char *folder, const char *part,
		       struct strlist *names)
{
	char path[512];
	snprintf(path, sizeof(path), "%s/%s/%s", scene->maildir, folder, part);
	DIR *dir = opendir(path);
	for (struct dirent *entry; dir != NULL && (entry = readdir(dir)) != NULL;) {
		if (entry->d_name[0] != '.') {
			RUN_OK(scene, strlist_add(names, span_of(entry->d_name), &scene->err));
		}
	}
	if (dir != NULL) {
		closedir(dir);
	}
}

char *run_scene_files(struct run_scene *scene, const char *folder)
{
	struct strlist names;
	struct buf text;
	strlist_init(&names);
	list_names(scene, folder, "cur", &names);
	list_names(scene, folder, "new", &names);
	if (names.count > 0) {
		qsort(names.items, names.count, sizeof(names.items[0]), compare_text);
	}
	buf_init(&text, TEXT_MAX);
	for (size_t i = 0; i < names.count; i++) {
		buf_printf(&text, "%s%s", i > 0 ? " " : "", names.items[i]);
	}
	strlist_finish(&names);
	char *result = text.len == 0 ? span_dup(SPAN_LIT("")) : buf_steal(&text);
	buf_finish(&text);
	assert_non_null(result);
	return result;
}

static void print_side(enum presence state, uint64_t flags, const struct keywords *keywords,
		       struct buf *out)
{
	buf_append_char(out, state == MESSAGE_PRESENT ? '+' : state == MESSAGE_GONE ? 'x' : '-');
	buf_append_char(out, '(');
	flags_to_imap(flags, keywords, out);
	buf_append_char(out, ')');
}

static void print_row(const struct row *row, const struct keywords *keywords, struct buf *out)
{
	char uid[16] = "-";
	if (row->uid != 0) {
		snprintf(uid, sizeof(uid), "%" PRIu32, row->uid);
	}
	buf_printf(out, "%s %s ", uid, row->unique[0] == '\0' ? "-" : row->unique);
	print_side(row->remote, row->remote_flags, keywords, out);
	buf_append_char(out, ' ');
	print_side(row->local, row->local_flags, keywords, out);
	if (row->is_agreed) {
		buf_append_cstr(out, " =(");
		flags_to_imap(row->flags, keywords, out);
		buf_append_char(out, ')');
	}
	buf_append_char(out, '\n');
}

/* Those with a UID, or those without. */
static void print_rows(struct run_scene *scene, const struct state_mailbox *mailbox, bool with_uid,
		       struct buf *out)
{
	struct state_cursor *cursor = NULL;
	const struct row *row = NULL;
	enum state_order order = with_uid ? STATE_BY_UID : STATE_BY_UNIQUE;
	RUN_OK(scene,
	       state_cursor_open(scene->session.state, mailbox->id, order, &cursor, &scene->err));
	RUN_OK(scene, state_cursor_next(cursor, &row, &scene->err));
	while (row != NULL) {
		if (with_uid == (row->uid != 0)) {
			print_row(row, &mailbox->keywords, out);
		}
		RUN_OK(scene, state_cursor_next(cursor, &row, &scene->err));
	}
	state_cursor_close(&cursor);
}

void run_scene_expect_rows(struct run_scene *scene, const char *name, const char *expected)
{
	struct mailbox *mailbox = run_mailbox(&scene->run, name);
	struct buf text;
	buf_init(&text, TEXT_MAX);
	assert_non_null(mailbox);
	if (mailbox->in_base) {
		print_rows(scene, &mailbox->base, true, &text);
		print_rows(scene, &mailbox->base, false, &text);
	}
	assert_string_equal(text.len == 0 ? "" : text.data, expected);
	buf_finish(&text);
}
