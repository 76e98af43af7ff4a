#include "maildir_fixture.h"
#include "mailsync/store/changes.h"

struct scene {
	struct fixture fixture;
	char list[80]; /* beside the root */
	long seen;     /* bytes of it */
};

static void maildir_begin(struct scene *scene, enum mbname_layout layout, bool lists)
{
	struct maildir_params params = {.layout = layout,
					.inbox_folder = "INBOX",
					.info_delimiter = ':',
					.durability = MAILDIR_SYNC_BATCH,
					.changes = lists ? scene->list : NULL};
	struct fixture *fixture = &scene->fixture;
	fixture_open_as(fixture, &params);
	must(fixture, maildir_create_folder(fixture->maildir, "INBOX", &fixture->err));
	must(fixture,
	     maildir_folder_open(fixture->maildir, "INBOX", &fixture->folder, &fixture->err));
}

static void scene_begin(struct scene *scene, enum mbname_layout layout)
{
	memset(scene, 0, sizeof(*scene));
	snprintf(scene->list, sizeof(scene->list), "/tmp/mailsync-changes-XXXXXX");
	int fd = mkstemp(scene->list);
	assert_true(fd >= 0);
	close(fd);
	maildir_begin(scene, layout, true);
}

static void scene_end(struct scene *scene)
{
	static const char *const suffixes[] = {"", "-next", "-list", "-lock"};
	char path[128];
	for (size_t i = 0; i < 4; i++) {
		snprintf(path, sizeof(path), "%s%s", scene->list, suffixes[i]);
		(void)unlink(path);
	}
	fixture_close(&scene->fixture);
}

static void put(const char *path, const char *bytes, size_t len)
{
	FILE *file = fopen(path, "wb");
	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, len, file), len);
	assert_int_equal(fclose(file), 0);
}

/* What PATH lists from FROM on, the root left out and each NUL a blank; *END where it ends. */
static const char *listed_in(const struct scene *scene, const char *path, long from, long *end)
{
	static char text[8192];
	char raw[4096];
	size_t root = strlen(scene->fixture.root), out = 0;
	FILE *file = fopen(path, "rb");
	assert_non_null(file);
	assert_int_equal(fseek(file, from, SEEK_SET), 0);
	size_t len = fread(raw, 1, sizeof(raw), file);
	fclose(file);
	for (size_t at = 0; at < len;) {
		size_t size = strnlen(raw + at, len - at);
		bool is_below = size > root && memcmp(raw + at + 1, scene->fixture.root, root) == 0;
		size_t skipped = is_below ? root : 0;
		out += (size_t)snprintf(text + out, sizeof(text) - out, "%c%.*s ", raw[at],
					(int)(size - 1 - skipped), raw + at + 1 + skipped);
		at += size + 1;
	}
	text[out] = '\0';
	*end = from + (long)len;
	return text;
}

/* Since it was asked last. */
static void listed(struct scene *scene, const char *expected)
{
	assert_string_equal(listed_in(scene, scene->list, scene->seen, &scene->seen), expected);
}

static int deliver(struct scene *scene, const char *unique, uint64_t flags)
{
	struct fixture *fixture = &scene->fixture;
	struct maildir_draft draft;
	must(fixture, maildir_draft_create(fixture->folder, &draft, &fixture->err));
	must(fixture, maildir_draft_write(&draft, SPAN_LIT("text"), &fixture->err));
	must(fixture, maildir_draft_close(&draft, told_time(1), &fixture->err));
	int code = maildir_draft_publish(fixture->folder, &draft, unique, flags, &fixture->keywords,
					 &fixture->err);
	maildir_draft_discard(fixture->folder, &draft);
	must(fixture, maildir_folder_sync_names(fixture->folder, &fixture->err));
	return code;
}

static int flag(struct scene *scene, const char *file, bool in_new)
{
	struct fixture *fixture = &scene->fixture;
	const struct maildir_change change = {
		.file = file, .in_new = in_new, .add = FLAG_SEEN, .keywords = &fixture->keywords};
	return maildir_folder_set_flags(fixture->folder, &change, NULL, &fixture->err);
}

static int transfer(struct scene *scene, const char *file, bool copy)
{
	struct fixture *fixture = &scene->fixture;
	struct maildir_folder *to = NULL;
	must(fixture, maildir_create_folder(fixture->maildir, "a/b", &fixture->err));
	must(fixture, maildir_folder_open(fixture->maildir, "a/b", &to, &fixture->err));
	const struct maildir_transfer transfer = {.from = fixture->folder,
						  .file = file,
						  .copy = copy,
						  .to = to,
						  .unique = "9.x",
						  .flags = copy ? 0 : FLAG_FLAGGED,
						  .keywords = &fixture->keywords};
	int code = maildir_transfer(&transfer, &fixture->err);
	maildir_folder_close(&to);
	return code;
}

static void what_is_done_to_a_message_is_listed_in_order(void **state)
{
	static const uint8_t content[CONTENT_DIGEST_SIZE] = {7};
	struct scene scene;
	char expected[600];
	(void)state;
	scene_begin(&scene, LAYOUT_FS);
	struct fixture *fixture = &scene.fixture;
	must(fixture, deliver(&scene, "1.a", 0));
	must(fixture, deliver(&scene, "2.b", FLAG_FLAGGED));
	listed(&scene, "+/INBOX/new/1.a +/INBOX/cur/2.b:2,F ");
	must(fixture, flag(&scene, "1.a", true));
	listed(&scene, "=/INBOX/new/1.a >/INBOX/cur/1.a:2,S ");
	must(fixture, flag(&scene, "1.a:2,S", false)); /* nothing to do */
	listed(&scene, "");
	must(fixture, transfer(&scene, "1.a:2,S", true));
	must(fixture, transfer(&scene, "1.a:2,S", false));
	listed(&scene, "+/a/b/new/9.x =/INBOX/cur/1.a:2,S >/a/b/cur/9.x:2,F ");
	must(fixture, maildir_folder_set_unique(fixture->folder, "2.b:2,F", false, content,
						fixture->result, &fixture->err));
	snprintf(expected, sizeof(expected), "=/INBOX/cur/2.b:2,F >/INBOX/cur/%s ",
		 fixture->result);
	listed(&scene, expected);
	must(fixture,
	     maildir_folder_remove(fixture->folder, fixture->result, false, &fixture->err));
	snprintf(expected, sizeof(expected), "-/INBOX/cur/%s ", fixture->result);
	listed(&scene, expected);
	scene_end(&scene);
}

static void what_could_not_be_done_is_taken_back(void **state)
{
	struct scene scene;
	(void)state;
	scene_begin(&scene, LAYOUT_FS);
	struct fixture *fixture = &scene.fixture;
	write_file(fixture, "INBOX/cur/1.a:2,", "x");
	write_file(fixture, "INBOX/cur/1.a:2,S", "y");
	assert_int_equal(flag(&scene, "1.a:2,", false), -ERR_CHANGED);
	listed(&scene, "=/INBOX/cur/1.a:2, >/INBOX/cur/1.a:2,S "
		       "=/INBOX/cur/1.a:2,S >/INBOX/cur/1.a:2, ");
	assert_int_equal(deliver(&scene, "1.a", FLAG_SEEN), -ERR_CHANGED);
	listed(&scene, "+/INBOX/cur/1.a:2,S -/INBOX/cur/1.a:2,S ");
	/* What is seen beforehand is not listed at all. */
	assert_int_equal(flag(&scene, "7.none", false), -ERR_CHANGED);
	assert_int_equal(maildir_folder_remove(fixture->folder, "7.none", false, &fixture->err),
			 -ERR_CHANGED);
	listed(&scene, "");
	scene_end(&scene);
}

/* Names sorted, since a directory gives them in any order. */
static void a_renamed_mailbox_lists_each_message_below_it(void **state)
{
	struct scene scene;
	(void)state;
	scene_begin(&scene, LAYOUT_FS);
	struct fixture *fixture = &scene.fixture;
	make_folder(fixture, "a");
	make_folder(fixture, "a/b");
	write_file(fixture, "a/new/1.x", "x");
	write_file(fixture, "a/b/cur/2.y:2,S", "y");
	write_file(fixture, "a/tmp/3.z", "z");
	write_file(fixture, "a/cur/.hidden", "z");
	must(fixture, maildir_rename_folder(fixture->maildir, "a", "c/d", &fixture->err));
	listed(&scene, "=/a/new/1.x >/c/d/new/1.x =/a/b/cur/2.y:2,S >/c/d/b/cur/2.y:2,S ");
	make_folder(fixture, "e");
	write_file(fixture, "e/new/4.x", "x");
	assert_int_equal(maildir_rename_folder(fixture->maildir, "e", "INBOX", &fixture->err),
			 -ERR_CHANGED);
	listed(&scene, "");
	scene_end(&scene);

	scene_begin(&scene, LAYOUT_MAILDIRPP);
	make_folder(fixture, ".a");
	make_folder(fixture, ".a.b");
	write_file(fixture, ".a/new/1.x", "x");
	write_file(fixture, ".a.b/cur/2.y:2,S", "y");
	must(fixture, maildir_rename_folder(fixture->maildir, "a", "c", &fixture->err));
	listed(&scene, "=/.a/new/1.x >/.c/new/1.x =/.a.b/cur/2.y:2,S >/.c.b/cur/2.y:2,S ");
	must(fixture, deliver(&scene, "1.a", 0)); /* the root is INBOX */
	listed(&scene, "+/new/1.a ");
	scene_end(&scene);
}

static void a_dead_run_s_list_is_gone_on_with_behind_its_last_whole_act(void **state)
{
	static const struct {
		const char *left;
		size_t len;
		const char *kept;
	} cases[] = {
		{"+/x/1\0-/x/2\0", 12, "+/x/1 -/x/2 "},
		{"+/x/1\0-/x", 9, "+/x/1 "},
		{"+/x/1\0=/x/2\0", 12, "+/x/1 "},
		{"+/x/1\0=/x/2\0>/x", 15, "+/x/1 "},
		{"=/x/2\0>/x/3\0", 12, "=/x/2 >/x/3 "},
		{"=/x", 3, ""},
		{"=/x/2\0", 6, ""},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct scene scene;
		char expected[100];
		scene_begin(&scene, LAYOUT_FS);
		put(scene.list, cases[i].left, cases[i].len);
		must(&scene.fixture, deliver(&scene, "1.a", 0));
		snprintf(expected, sizeof(expected), "%s+/INBOX/new/1.a ", cases[i].kept);
		listed(&scene, expected);
		scene_end(&scene);
	}
}

static void an_act_that_cannot_be_listed_is_not_done(void **state)
{
	struct scene scene;
	(void)state;
	memset(&scene, 0, sizeof(scene));
	snprintf(scene.list, sizeof(scene.list), "/tmp/mailsync-no-such-directory/list");
	maildir_begin(&scene, LAYOUT_FS, true);
	assert_int_equal(deliver(&scene, "1.a", 0), -ERR_LOCAL);
	assert_false(is_there(&scene.fixture, "INBOX/new/1.a"));
	fixture_close(&scene.fixture);
	maildir_begin(&scene, LAYOUT_FS, false);
	must(&scene.fixture, deliver(&scene, "1.a", 0));
	fixture_close(&scene.fixture);
}

static void lists_wait_for_hooks_in_order_until_one_has_seen_them(void **state)
{
	struct scene scene;
	char list[FILE_PATH_SIZE];
	uint64_t size;
	long end;
	(void)state;
	scene_begin(&scene, LAYOUT_FS);
	struct err *err = &scene.fixture.err;
	must(&scene.fixture, changes_hand_over(scene.list, err)); /* empty */
	must(&scene.fixture, changes_take(scene.list, list, &size, err));
	assert_int_equal(size, 0);
	assert_int_equal(access(list, F_OK), 0);
	must(&scene.fixture, changes_drop(list, err));
	put(scene.list, "+/x/1", 6);
	must(&scene.fixture, changes_hand_over(scene.list, err));
	put(scene.list, "-/x/1", 6);
	must(&scene.fixture, changes_hand_over(scene.list, err));
	must(&scene.fixture, changes_take(scene.list, list, &size, err));
	assert_int_equal(size, 12);
	assert_string_equal(listed_in(&scene, list, 0, &end), "+/x/1 -/x/1 ");
	/* A run ends while the hook reads, and the hook fails. */
	put(scene.list, "+/x/2", 6);
	must(&scene.fixture, changes_hand_over(scene.list, err));
	must(&scene.fixture, changes_take(scene.list, list, &size, err));
	assert_string_equal(listed_in(&scene, list, 0, &end), "+/x/1 -/x/1 +/x/2 ");
	put(scene.list, "+/x/3", 6);
	must(&scene.fixture, changes_hand_over(scene.list, err));
	must(&scene.fixture, changes_drop(list, err));
	must(&scene.fixture, changes_take(scene.list, list, &size, err));
	assert_string_equal(listed_in(&scene, list, 0, &end), "+/x/3 ");
	scene_end(&scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_done_to_a_message_is_listed_in_order),
		cmocka_unit_test(what_could_not_be_done_is_taken_back),
		cmocka_unit_test(a_renamed_mailbox_lists_each_message_below_it),
		cmocka_unit_test(a_dead_run_s_list_is_gone_on_with_behind_its_last_whole_act),
		cmocka_unit_test(an_act_that_cannot_be_listed_is_not_done),
		cmocka_unit_test(lists_wait_for_hooks_in_order_until_one_has_seen_them),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
