/* Moves and removals carried out: whole runs against the scripted server. */
#include "run_scene.h"
#include "scripted_door.h"

#include <stdlib.h>
#include <string.h>

/* Lines of what was heard that change something, since this was last asked. */
static const char *changes(struct run_scene *scene)
{
	static char text[4096];
	static const char *const verbs[] = {"store ", "expunge", "copy ", "move "};
	const char *line = scripted_heard(scene->server);
	size_t used = 0;

	while (*line != '\0') {
		size_t len = strcspn(line, "\n") + 1;
		for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
			if (strncmp(line, verbs[i], strlen(verbs[i])) == 0) {
				assert_true(used + len < sizeof(text));
				memcpy(text + used, line, len);
				used += len;
			}
		}
		line += len;
	}
	text[used] = '\0';
	return text;
}

static void expect_there(struct run_scene *scene, const char *wire, const char *expected)
{
	char *told = scripted_told(scene->server, wire);

	assert_string_equal(told, expected);
	free(told);
}

static size_t files_in(struct run_scene *scene, const char *folder)
{
	char *files = run_scene_files(scene, folder);
	size_t count = files[0] != '\0';

	for (const char *at = files; *at != '\0'; at++) {
		count += *at == ' ';
	}
	free(files);
	return count;
}

/* Archive and Trash on both sides, COUNT messages in INBOX, all in sync. */
static void begin(struct run_scene *scene, unsigned count, uint32_t first)
{
	char text[128];

	scripted_make(scene->server, "Archive");
	scripted_make(scene->server, "Trash");
	for (unsigned i = 0; i < count; i++) {
		snprintf(text, sizeof(text), "Subject: %u\nMessage-ID: <%u@test>\n\ntext\n", i, i);
		scripted_add(scene->server, "INBOX", "", text);
	}
	scripted_renumber(scene->server, "INBOX", first);
	RUN_OK(scene, run_scene_sync(scene));
	assert_int_equal(scene->report.total.downloaded, count);
	scripted_heard(scene->server);
}

/* Every STEPth file of INBOX, by name, goes to TO, or with TO NULL away. */
static void take(struct run_scene *scene, unsigned step, const char *to)
{
	char *files = run_scene_files(scene, "INBOX");
	const char *name = files;

	for (unsigned number = 0; *name != '\0'; number++) {
		char from[512];
		char target[512];
		int len = (int)strcspn(name, " ");
		snprintf(from, sizeof(from), "%s/INBOX/new/%.*s", scene->maildir, len, name);
		snprintf(target, sizeof(target), "%s/%s/new/%.*s", scene->maildir, to ? to : "",
			 len, name);
		if (number % step == 0) {
			assert_int_equal(to == NULL ? remove(from) : rename(from, target), 0);
		}
		name += len + (name[len] == ' ');
	}
	free(files);
}

static void moved_files_are_one_move_there(void **state)
{
	struct run_scene *scene = *state;

	begin(scene, 3, 7);
	take(scene, 2, "Archive");
	RUN_OK(scene, run_scene_sync(scene));
	assert_string_equal(changes(scene), "move INBOX 7,9 Archive\n");
	assert_int_equal(scene->report.total.moved, 2);
	expect_there(scene, "INBOX", "8");
	expect_there(scene, "Archive", "1, 2");
	run_scene_expect_idle(scene, 0);
}

static void without_move_originals_go_after_their_copies(void **state)
{
	struct run_scene *scene = *state;

	scene->server->facts.has_move = false;
	begin(scene, 3, 7);
	take(scene, 2, "Archive");
	RUN_OK(scene, run_scene_sync(scene));
	assert_string_equal(changes(scene), "copy INBOX 7,9 Archive\n"
					    "store INBOX 7,9 +\\Deleted\n"
					    "expunge INBOX 7,9\n");
	assert_int_equal(scene->report.total.moved, 2);
	assert_int_equal(scene->report.total.deleted_remote, 0);
	expect_there(scene, "INBOX", "8");
	run_scene_expect_idle(scene, 0);
}

/* Two of INBOX's messages go to Archive, which holds one; their new UIDs are told from FIRST on. */
static void expect_moved(struct run_scene *scene, uint32_t first)
{
	begin(scene, 3, 7);
	scripted_add(scene->server, "Archive", "", "Message-ID: <old@test>\n\nold\n");
	RUN_OK(scene, run_scene_sync(scene));
	take(scene, 2, "Archive");
	for (size_t i = 0; i < 2; i++) {
		const enum scripted_op ops[] = {SCRIPTED_MOVE, SCRIPTED_COPY};
		scripted_fault(scene->server,
			       &(struct scripted_fault){ops[i], SCRIPTED_MISTOLD, .uid = first});
	}
	RUN_OK(scene, run_scene_sync(scene));
	assert_int_equal(scene->report.status, 0);
	RUN_OK(scene, run_scene_sync(scene));
	expect_there(scene, "INBOX", "8");
	expect_there(scene, "Archive", "1, 2, 3");
	assert_int_equal(files_in(scene, "INBOX"), 1);
	assert_int_equal(files_in(scene, "Archive"), 3);
	run_scene_expect_idle(scene, 0);
}

static void where_a_move_says_that_it_put_what_was_there_it_is_looked_for(void **state) /* U7 */
{
	expect_moved(*state, 1);
}

static void so_it_is_under_uids_that_are_not_there(void **state) /* D40, W26 */
{
	expect_moved(*state, 17);
}

static void so_it_is_of_copies(void **state)
{
	((struct run_scene *)*state)->server->facts.has_move = false;
	expect_moved(*state, 17);
}

static void originals_that_stay_are_removed_later_and_copied_no_more(void **state)
{
	struct run_scene *scene = *state;

	scene->server->facts.has_move = false;
	scene->account.trash = "Trash";
	begin(scene, 1, 7);
	take(scene, 1, "Archive");
	scripted_fault(scene->server, &(struct scripted_fault){.op = SCRIPTED_STORE,
							       .what = SCRIPTED_REFUSED,
							       .always = true});
	RUN_OK(scene, run_scene_sync(scene));
	expect_there(scene, "INBOX", "7");
	expect_there(scene, "Archive", "1");
	scripted_forget_faults(scene->server);
	changes(scene);
	RUN_OK(scene, run_scene_sync(scene));
	assert_string_equal(changes(scene), "store INBOX 7 +\\Deleted\nexpunge INBOX 7\n");
	expect_there(scene, "INBOX", "");
	expect_there(scene, "Archive", "1");
	expect_there(scene, "Trash", "");
	run_scene_expect_idle(scene, 0);
}

/* The run loses its connection there, and gets no other. */
static void die_at(struct run_scene *scene, enum scripted_op op, enum scripted_what what)
{
	const struct scripted_fault fault = {.op = op, .what = what, .for_good = true};
	scripted_fault(scene->server, &fault);
}

/* The file that comes back is the message of where it was, not the original that was to go. */
static void a_file_moved_back_before_its_original_went_is_not_lost_with_it(void **state) /* R26 */
{
	struct run_scene *scene = *state;

	scene->server->facts.has_move = false;
	scene->server->facts.has_uid_expunge = false;
	begin(scene, 2, 7);
	take(scene, 2, "Archive");
	die_at(scene, SCRIPTED_EXPUNGE_ALL, SCRIPTED_CUT);
	assert_true(run_scene_sync(scene) < 0);
	expect_there(scene, "Archive", "1");
	run_scene_move_file(scene, "Archive", "0", "INBOX", "");
	scripted_expunge(scene->server, "INBOX", 7);
	RUN_OK(scene, run_scene_sync(scene));
	assert_int_equal(files_in(scene, "INBOX"), 2);
	assert_int_equal(scripted_find(scene->server, "INBOX")->count, 2);
	expect_there(scene, "Archive", "");
	assert_int_equal(scene->report.total.deleted_local, 0);
	run_scene_expect_idle(scene, 0);
}

static void a_part_that_is_refused_does_not_take_the_rest_along(void **state)
{
	struct run_scene *scene = *state;

	begin(scene, 400, 10001);
	take(scene, 2, "Archive"); /* 200 of them, whose UIDs do not fit a line */
	scripted_fault(
		scene->server,
		&(struct scripted_fault){.op = SCRIPTED_MOVE, .what = SCRIPTED_REFUSED, .nth = 2});
	RUN_OK(scene, run_scene_sync(scene));
	uint64_t moved = scene->report.total.moved;
	assert_true(moved > 0 && moved < 200);
	assert_int_equal(scene->report.total.errors, 200 - moved);
	assert_int_equal(scripted_find(scene->server, "Archive")->count, moved);
	RUN_OK(scene, run_scene_sync(scene));
	assert_int_equal(scene->report.total.moved, 200 - moved);
	assert_int_equal(scripted_find(scene->server, "Archive")->count, 200);
	assert_int_equal(scripted_find(scene->server, "INBOX")->count, 200);
	assert_int_equal(files_in(scene, "Archive"), 200);
	assert_int_equal(files_in(scene, "INBOX"), 200);
	run_scene_expect_idle(scene, 0);
}

/* A server of IMAP4rev1 and nothing else; 12 of its 14 messages are moved, which as deletions would
 * be over the brake. */
static void move_twelve(struct run_scene *scene)
{
	scene->server->facts.has_move = false;
	scene->server->facts.has_uid_expunge = false;
	scene->server->tells_appended_uid = false;
	begin(scene, 14, 7);
	take(scene, 1, "Archive");
	for (unsigned i = 0; i < 2; i++) {
		char subject[4];
		snprintf(subject, sizeof(subject), "%u", i);
		run_scene_move_file(scene, "Archive", subject, "INBOX", "");
	}
}

static void expect_twelve_moved(struct run_scene *scene)
{
	assert_int_equal(scene->report.status, 0);
	assert_int_equal(scene->report.total.deleted_remote, 0);
	assert_int_equal(scene->report.total.downloaded, 0);
	assert_int_equal(scene->report.total.uploaded, 0);
	expect_there(scene, "INBOX", "7, 8");
	assert_int_equal(scripted_find(scene->server, "Archive")->count, 12);
	assert_int_equal(scripted_find(scene->server, "Trash")->count, 0);
	assert_int_equal(files_in(scene, "Archive"), 12);
	run_scene_expect_idle(scene, 0);
}

static void without_move_and_uidplus_moves_are_no_deletions(void **state) /* R26 */
{
	struct run_scene *scene = *state;

	move_twelve(scene);
	RUN_OK(scene, run_scene_sync(scene));
	assert_int_equal(scene->report.total.moved, 12);
	expect_twelve_moved(scene);
}

static void nor_do_their_originals_go_to_the_trash(void **state) /* T12 */
{
	struct run_scene *scene = *state;
	scene->account.trash = "Trash";
	move_twelve(scene);
	RUN_OK(scene, run_scene_sync(scene));
	assert_int_equal(scene->report.total.moved, 12);
	expect_twelve_moved(scene);
}

static void nor_are_they_after_a_run_that_died_before_the_removal(void **state) /* R26 */
{
	struct run_scene *scene = *state;
	scene->account.trash = "Trash";
	move_twelve(scene);
	die_at(scene, SCRIPTED_STORE, SCRIPTED_CUT);
	assert_true(run_scene_sync(scene) < 0);
	assert_int_equal(scene->report.total.moved, 12);
	RUN_OK(scene, run_scene_sync(scene));
	expect_twelve_moved(scene);
}

static void nor_after_one_that_died_before_the_answer(void **state) /* R26 */
{
	struct run_scene *scene = *state;
	scene->account.trash = "Trash";
	move_twelve(scene);
	die_at(scene, SCRIPTED_COPY, SCRIPTED_LOST);
	assert_true(run_scene_sync(scene) < 0);
	RUN_OK(scene, run_scene_sync(scene));
	assert_int_equal(scene->report.total.moved, 12);
	expect_twelve_moved(scene);
}

/* It learnt MOVE since: what was copied already is not moved to the trash. */
static void an_original_that_was_copied_is_not_moved_to_the_trash_either(void **state) /* T12 */
{
	struct run_scene *scene = *state;
	scene->account.trash = "Trash";
	move_twelve(scene);
	die_at(scene, SCRIPTED_STORE, SCRIPTED_CUT);
	assert_true(run_scene_sync(scene) < 0);
	scene->server->facts.has_move = true;
	scene->server->facts.has_uid_expunge = true;
	run_scene_remove_file(scene, "INBOX", "0");
	RUN_OK(scene, run_scene_sync(scene));
	assert_int_equal(scene->report.total.deleted_remote, 1);
	expect_there(scene, "INBOX", "8");
	assert_int_equal(scripted_find(scene->server, "Archive")->count, 12);
	assert_int_equal(scripted_find(scene->server, "Trash")->count, 1);
}

static void refuse_after_the_first(struct run_scene *scene, enum scripted_op op)
{
	scripted_fault(scene->server, &(struct scripted_fault){.op = op,
							       .what = SCRIPTED_HALF,
							       .uid = 8,
							       .code = REMOTE_REFUSAL_OVERQUOTA});
}

/* One of three was moved before the target was full: it is there once, and the rest follows. */
static void expect_moved_once(struct run_scene *scene, uint64_t first)
{
	RUN_OK(scene, run_scene_sync(scene));
	assert_int_equal(scene->report.total.moved, first);
	assert_int_equal(scene->report.total.uploaded, 0);
	assert_true(scene->report.total.errors > 0);
	scripted_forget_faults(scene->server);
	RUN_OK(scene, run_scene_sync(scene));
	assert_int_equal(scene->report.total.moved, 3 - first);
	assert_int_equal(scene->report.total.uploaded, 0);
	assert_int_equal(scene->report.total.downloaded, 0);
	assert_int_equal(scene->report.total.deleted_remote, 0);
	run_scene_expect_both(scene, "Archive", "0/ 1/ 2/");
	run_scene_expect_both(scene, "INBOX", "");
	run_scene_expect_idle(scene, 0);
}

static void what_was_moved_before_a_refusal_is_moved(void **state) /* U7 */
{
	struct run_scene *scene = *state;

	begin(scene, 3, 7);
	take(scene, 1, "Archive");
	refuse_after_the_first(scene, SCRIPTED_MOVE);
	expect_moved_once(scene, 1);
}

static void so_it_is_where_the_server_does_not_tell(void **state) /* U7 */
{
	struct run_scene *scene = *state;

	scene->server->tells_appended_uid = false;
	begin(scene, 3, 7);
	take(scene, 1, "Archive");
	refuse_after_the_first(scene, SCRIPTED_MOVE);
	expect_moved_once(scene, 1);
}

static void what_was_copied_before_a_refusal_is_copied_once(void **state) /* U7 */
{
	struct run_scene *scene = *state;

	scene->server->facts.has_move = false;
	begin(scene, 3, 7);
	take(scene, 1, "Archive");
	refuse_after_the_first(scene, SCRIPTED_COPY);
	expect_moved_once(scene, 1);
}

static void an_expunge_refused_half_way_removes_no_more_and_no_less(void **state)
{
	struct run_scene *scene = *state;

	begin(scene, 3, 7);
	take(scene, 1, NULL);
	refuse_after_the_first(scene, SCRIPTED_EXPUNGE);
	RUN_OK(scene, run_scene_sync(scene));
	scripted_forget_faults(scene->server);
	RUN_OK(scene, run_scene_sync(scene));
	assert_int_equal(scene->report.total.downloaded, 0);
	run_scene_expect_both(scene, "INBOX", "");
	run_scene_expect_idle(scene, 0);
}

/* OK [MODIFIED 8]: it stays, unmarked, and so does base's word that it is to go. */
static void what_a_store_left_as_it_was_is_not_taken_for_removed(void **state)
{
	struct run_scene *scene = *state;

	begin(scene, 3, 7);
	take(scene, 1, NULL);
	scripted_fault(
		scene->server,
		&(struct scripted_fault){.op = SCRIPTED_STORE, .what = SCRIPTED_OMITTED, .uid = 8});
	RUN_OK(scene, run_scene_sync(scene));
	expect_there(scene, "INBOX", "8");
	assert_int_equal(scene->report.total.deleted_remote, 2);
	assert_true(scene->report.total.errors > 0);
	RUN_OK(scene, run_scene_sync(scene));
	assert_int_equal(scene->report.total.downloaded, 0);
	run_scene_expect_both(scene, "INBOX", "");
	run_scene_expect_idle(scene, 0);
}

static void a_dry_run_moves_on_paper(void **state)
{
	struct run_scene *scene = *state;

	begin(scene, 2, 7);
	scripted_flag(scene->server, "INBOX", 7, "$Work");
	take(scene, 2, "Archive");
	scene->options.dry_run = true;
	RUN_OK(scene, run_scene_sync(scene));
	scene->options.dry_run = false;
	assert_string_equal(changes(scene), "");
	assert_int_equal(scene->report.plan_count, 2);
	assert_int_equal(scene->report.plan[0].op, REPORT_MOVE);
	assert_string_equal(scene->report.plan[0].mailbox, "Archive");
	assert_int_equal(scene->report.plan[1].op, REPORT_FLAGS_LOCAL);
	assert_string_equal(scene->report.plan[1].mailbox, "Archive");
	RUN_OK(scene, run_scene_sync(scene));
	assert_int_equal(scene->report.total.moved, 1);
	assert_int_equal(scene->report.total.flags_local, 1);
	run_scene_expect_idle(scene, 0);
}

/* Moved by another client: the file goes along. */
static void move_there(struct run_scene *scene)
{
	begin(scene, 3, 7);
	scripted_move(scene->server, "INBOX", 8, "Archive");
	RUN_OK(scene, run_scene_sync(scene));
	assert_string_equal(changes(scene), "");
	assert_int_equal(scene->report.total.moved, 1);
	assert_int_equal(scene->report.total.downloaded, 0);
	assert_int_equal(files_in(scene, "INBOX"), 2);
	assert_int_equal(files_in(scene, "Archive"), 1);
	run_scene_expect_idle(scene, 0);
}

static void moved_there_by_emailid(void **state)
{
	struct run_scene *scene = *state;

	scene->server->facts.has_message_ids = true;
	move_there(scene);
}

static void moved_there_by_date_and_header(void **state)
{
	struct run_scene *scene = *state;

	scene->server->facts.has_message_ids = false;
	move_there(scene);
}

static void where_deletions_do_not_go_it_is_fetched_and_stays(void **state)
{
	struct run_scene *scene = *state;

	scene->account.delete_ = SIDE_REMOTE;
	begin(scene, 2, 7);
	scripted_move(scene->server, "INBOX", 8, "Archive");
	RUN_OK(scene, run_scene_sync(scene));
	assert_int_equal(scene->report.total.downloaded, 1);
	assert_int_equal(files_in(scene, "INBOX"), 2);
	assert_int_equal(files_in(scene, "Archive"), 1);
	run_scene_expect_idle(scene, 0);
}

static void removed_messages_go_to_the_trash_by_move(void **state)
{
	struct run_scene *scene = *state;
	scene->account.trash = "Trash";
	begin(scene, 3, 7);
	take(scene, 2, NULL);
	RUN_OK(scene, run_scene_sync(scene));
	assert_string_equal(changes(scene), "move INBOX 7,9 Trash\n");
	assert_int_equal(scene->report.total.deleted_remote, 2);
	expect_there(scene, "INBOX", "8");
	run_scene_expect_idle(scene, 0);
}

static void removed_messages_go_to_the_trash_by_copy(void **state)
{
	struct run_scene *scene = *state;

	scene->server->facts.has_move = false;
	scene->account.trash = "Trash";
	begin(scene, 3, 7);
	take(scene, 2, NULL);
	RUN_OK(scene, run_scene_sync(scene));
	assert_string_equal(changes(scene), "copy INBOX 7,9 Trash\n"
					    "store INBOX 7,9 +\\Deleted\n"
					    "expunge INBOX 7,9\n");
	expect_there(scene, "Trash", "1, 2");
	run_scene_expect_idle(scene, 0);
}

/* The COPY was carried out and its answer lost: it is found by its header. */
static void a_copy_to_the_trash_is_not_done_again(void **state)
{
	struct run_scene *scene = *state;

	scene->server->facts.has_move = false;
	scene->account.trash = "Trash";
	begin(scene, 1, 7);
	take(scene, 1, NULL);
	die_at(scene, SCRIPTED_COPY, SCRIPTED_LOST);
	assert_true(run_scene_sync(scene) < 0);
	changes(scene);
	RUN_OK(scene, run_scene_sync(scene));
	assert_string_equal(changes(scene), "store INBOX 7 +\\Deleted\nexpunge INBOX 7\n");
	expect_there(scene, "INBOX", "");
	expect_there(scene, "Trash", "1");
	run_scene_expect_idle(scene, 0);
}

static void without_the_trash_nothing_is_removed(void **state)
{
	struct run_scene *scene = *state;

	scene->account.trash = "Wastebin";
	begin(scene, 1, 7);
	take(scene, 1, NULL);
	RUN_OK(scene, run_scene_sync(scene));
	assert_string_equal(changes(scene), "");
	assert_int_equal(scene->report.total.errors, 1);
	expect_there(scene, "INBOX", "7");
}

static void what_others_marked_is_not_expunged(void **state)
{
	struct run_scene *scene = *state;

	scene->server->facts.has_uid_expunge = false;
	begin(scene, 3, 7);
	scripted_flag(scene->server, "INBOX", 8, "\\Deleted");
	take(scene, 3, NULL);
	RUN_OK(scene, run_scene_sync(scene));
	assert_string_equal(changes(scene), "");
	assert_int_equal(scene->report.total.skipped, 1);
	scripted_flag(scene->server, "INBOX", 8, "");
	changes(scene);
	RUN_OK(scene, run_scene_sync(scene));
	assert_string_equal(changes(scene), "store INBOX 7 +\\Deleted\nexpunge INBOX all\n");
	expect_there(scene, "INBOX", "8, 9");
	run_scene_expect_idle(scene, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RUN_TEST(moved_files_are_one_move_there),
		RUN_TEST(without_move_originals_go_after_their_copies),
		RUN_TEST(where_a_move_says_that_it_put_what_was_there_it_is_looked_for),
		RUN_TEST(so_it_is_under_uids_that_are_not_there),
		RUN_TEST(so_it_is_of_copies),
		RUN_TEST(originals_that_stay_are_removed_later_and_copied_no_more),
		RUN_TEST(a_file_moved_back_before_its_original_went_is_not_lost_with_it),
		RUN_TEST(a_part_that_is_refused_does_not_take_the_rest_along),
		RUN_TEST(without_move_and_uidplus_moves_are_no_deletions),
		RUN_TEST(nor_do_their_originals_go_to_the_trash),
		RUN_TEST(nor_are_they_after_a_run_that_died_before_the_removal),
		RUN_TEST(nor_after_one_that_died_before_the_answer),
		RUN_TEST(an_original_that_was_copied_is_not_moved_to_the_trash_either),
		RUN_TEST(what_was_moved_before_a_refusal_is_moved),
		RUN_TEST(so_it_is_where_the_server_does_not_tell),
		RUN_TEST(what_was_copied_before_a_refusal_is_copied_once),
		RUN_TEST(an_expunge_refused_half_way_removes_no_more_and_no_less),
		RUN_TEST(what_a_store_left_as_it_was_is_not_taken_for_removed),
		RUN_TEST(a_dry_run_moves_on_paper),
		RUN_TEST(moved_there_by_emailid),
		RUN_TEST(moved_there_by_date_and_header),
		RUN_TEST(where_deletions_do_not_go_it_is_fetched_and_stays),
		RUN_TEST(removed_messages_go_to_the_trash_by_move),
		RUN_TEST(removed_messages_go_to_the_trash_by_copy),
		RUN_TEST(a_copy_to_the_trash_is_not_done_again),
		RUN_TEST(without_the_trash_nothing_is_removed),
		RUN_TEST(what_others_marked_is_not_expunged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
