/* The scripted server takes changes and uploads as what stands above store/remote.h sends them. */
#include "scripted_scene.h"

static void flags_are_stored_by_name(void **state)
{
	struct scene *scene = *state;
	struct uidset uids;
	fill(scene);
	set_of(&uids, 1, 2);
	assert_int_equal(keywords_intern(&scene->keywords, SPAN_LIT("$Other")), 0);
	struct remote_change change = {.kind = REMOTE_STORE,
				       .uids = &uids,
				       .flags = FLAG_FLAGGED | FLAG_KEYWORD(0),
				       .is_add = true,
				       .keywords = &scene->keywords};
	OK(scene, remote_open(scene->remote, "INBOX", REMOTE_READ, UNTOLD, NULL, &scene->err));
	assert_int_equal(remote_change_now(scene->remote, &change, NULL, &scene->err),
			 -ERR_REFUSED);
	OK(scene, remote_open(scene->remote, "INBOX", REMOTE_WRITE, UNTOLD, NULL, &scene->err));
	scripted_heard(scene->server);
	OK(scene, remote_change_now(scene->remote, &change, NULL, &scene->err));
	expect_told(scene, "INBOX", "1 \\Flagged $Other, 2 \\Flagged \\Seen $Other, 3 $Junk");
	assert_string_equal(scripted_heard(scene->server), "store INBOX 1:2 +\\Flagged $Other\n");
	change.is_add = false;
	change.flags = FLAG_SEEN;
	scripted_find(scene->server, "INBOX")->permanent_flags = FLAG_DELETED;
	OK(scene, remote_change_now(scene->remote, &change, NULL, &scene->err));
	expect_told(scene, "INBOX", "1 \\Flagged $Other, 2 \\Flagged \\Seen $Other, 3 $Junk");
	uidset_finish(&uids);
}

static void expunges_take_what_is_marked(void **state)
{
	struct scene *scene = *state;
	struct uidset uids;
	fill(scene);
	scripted_flag(scene->server, "INBOX", 1, "\\Deleted");
	scripted_flag(scene->server, "INBOX", 2, "\\Deleted");
	set_of(&uids, 2, 3);
	struct remote_change change = {.kind = REMOTE_EXPUNGE, .uids = &uids};
	OK(scene, remote_open(scene->remote, "INBOX", REMOTE_WRITE, UNTOLD, NULL, &scene->err));
	OK(scene, remote_change_now(scene->remote, &change, NULL, &scene->err));
	expect_told(scene, "INBOX", "1 \\Deleted, 3 $Junk");
	scene->server->facts.has_uid_expunge = false;
	assert_int_equal(remote_change_now(scene->remote, &change, NULL, &scene->err),
			 -ERR_REFUSED);
	change = (struct remote_change){.kind = REMOTE_EXPUNGE_ALL};
	OK(scene, remote_change_now(scene->remote, &change, NULL, &scene->err));
	expect_told(scene, "INBOX", "3 $Junk");
	uidset_finish(&uids);
}

static void copies_and_moves_tell_their_uids(void **state)
{
	struct scene *scene = *state;
	struct remote_done done;
	struct uidset uids;
	fill(scene);
	scripted_make(scene->server, "a");
	set_of(&uids, 2, 3);
	struct remote_change change = {.kind = REMOTE_COPY, .uids = &uids, .wire = "a"};
	remote_done_init(&done);
	OK(scene, remote_open(scene->remote, "INBOX", REMOTE_WRITE, UNTOLD, NULL, &scene->err));
	OK(scene, remote_change_now(scene->remote, &change, &done, &scene->err));
	assert_true(done.has_copied);
	assert_int_equal(done.copied.count, 2);
	assert_int_equal(done.copied.from[1], 3);
	assert_int_equal(done.copied.to[1], 2);
	assert_true(told_is(done.uidvalidity, scripted_find(scene->server, "a")->uidvalidity));
	change.kind = REMOTE_MOVE;
	scene->server->tells_appended_uid = false;
	OK(scene, remote_change_now(scene->remote, &change, &done, &scene->err));
	assert_false(done.has_copied);
	expect_told(scene, "INBOX", "1");
	expect_told(scene, "a", "1 \\Seen, 2 $Junk, 3 \\Seen, 4 $Junk");
	assert_string_equal(scripted_message(scene->server, "a", 1)->emailid,
			    scripted_message(scene->server, "a", 3)->emailid);
	change.wire = "b";
	OK(scene, remote_change_now(scene->remote, &change, &done, &scene->err));
	assert_int_equal(done.refusal, REMOTE_REFUSAL_TRYCREATE);
	remote_done_finish(&done);
	uidset_finish(&uids);
}

static void mailboxes_are_made_renamed_and_removed(void **state)
{
	struct scene *scene = *state;
	struct remote_done done;
	const struct {
		struct remote_change change;
		enum remote_refusal refusal;
	} cases[] = {
		{{.kind = REMOTE_CREATE, .wire = "a"}, REMOTE_REFUSAL_NONE},
		{{.kind = REMOTE_CREATE, .wire = "a"}, REMOTE_REFUSAL_ALREADY_EXISTS},
		{{.kind = REMOTE_CREATE, .wire = "a/b"}, REMOTE_REFUSAL_NONE},
		{{.kind = REMOTE_SUBSCRIBE, .wire = "a/b"}, REMOTE_REFUSAL_NONE},
		{{.kind = REMOTE_RENAME, .wire = "a", .to = "INBOX"},
		 REMOTE_REFUSAL_ALREADY_EXISTS},
		{{.kind = REMOTE_RENAME, .wire = "a", .to = "c"}, REMOTE_REFUSAL_NONE},
		{{.kind = REMOTE_DELETE, .wire = "a"}, REMOTE_REFUSAL_NONEXISTENT},
		{{.kind = REMOTE_DELETE, .wire = "c"}, REMOTE_REFUSAL_NONE},
	};
	remote_done_init(&done);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		OK(scene, remote_change_queue(scene->remote, &cases[i].change, i, &scene->err));
	}
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		OK(scene, remote_done_next(scene->remote, &done, &scene->err));
		assert_int_equal(done.cookie, i);
		assert_int_equal(done.refusal, cases[i].refusal);
	}
	assert_int_equal(remote_outstanding(scene->remote), 0);
	assert_null(scripted_find(scene->server, "c"));
	assert_int_equal(scripted_find(scene->server, "c/b")->attributes, REMOTE_SUBSCRIBED);
	remote_done_finish(&done);
}

/* One append of COUNT messages with one byte each. */
static void append(struct scene *scene, const char *wire, size_t count, struct remote_done *done)
{
	struct remote_append message = {.flags = FLAG_SEEN, .date = 99, .size = 1};
	OK(scene, remote_append_begin(scene->remote, wire, 8, &scene->err));
	for (size_t i = 0; i < count; i++) {
		OK(scene, remote_append_message(scene->remote, &message, &scene->err));
		OK(scene, remote_append_data(scene->remote, SPAN_LIT("x"), &scene->err));
	}
	OK(scene, remote_append_end(scene->remote, &scene->err));
	OK(scene, remote_done_next(scene->remote, done, &scene->err));
	assert_int_equal(done->cookie, 8);
}

static void appends_are_taken_whole_or_not_at_all(void **state)
{
	struct scene *scene = *state;
	struct remote_done done;
	remote_done_init(&done);
	append(scene, "INBOX", 2, &done);
	assert_int_equal(done.status, 0);
	assert_true(done.has_appended);
	assert_int_equal(uidset_size(&done.appended), 2);
	assert_int_equal(scripted_message(scene->server, "INBOX", 2)->date, 99);
	scripted_fault(scene->server, &(struct scripted_fault){.op = SCRIPTED_APPEND,
							       .what = SCRIPTED_REFUSED,
							       .code = REMOTE_REFUSAL_OVERQUOTA});
	append(scene, "INBOX", 2, &done);
	assert_int_equal(done.status, -ERR_REFUSED);
	assert_int_equal(done.refusal, REMOTE_REFUSAL_OVERQUOTA);
	scripted_fault(scene->server,
		       &(struct scripted_fault){.op = SCRIPTED_APPEND, .what = SCRIPTED_UNTOLD});
	append(scene, "INBOX", 1, &done);
	assert_int_equal(done.status, 0);
	assert_false(done.has_appended);
	append(scene, "none", 1, &done);
	assert_int_equal(done.refusal, REMOTE_REFUSAL_TRYCREATE);
	expect_told(scene, "INBOX", "1 \\Seen, 2 \\Seen, 3 \\Seen");
	remote_done_finish(&done);
}

static void an_upload_that_waits_can_be_refused_before_its_data(void **state)
{
	struct scene *scene = *state;
	struct remote_done done;
	struct remote_append message = {.size = 1};
	scene->server->facts.appends_without_wait = false;
	remote_done_init(&done);
	OK(scene, remote_append_begin(scene->remote, "none", 3, &scene->err));
	assert_int_equal(remote_append_message(scene->remote, &message, &scene->err), -ERR_REFUSED);
	assert_true(remote_append_was_refused(scene->remote));
	OK(scene, remote_done_next(scene->remote, &done, &scene->err));
	assert_int_equal(done.refusal, REMOTE_REFUSAL_TRYCREATE);
	assert_false(remote_append_was_refused(scene->remote));
	append(scene, "INBOX", 1, &done);
	assert_int_equal(done.status, 0);
	remote_done_finish(&done);
}

static void what_is_lost_was_carried_out(void **state)
{
	struct scene *scene = *state;
	struct remote_change change = {.kind = REMOTE_CREATE, .wire = "a"};
	scripted_fault(scene->server,
		       &(struct scripted_fault){.op = SCRIPTED_CREATE, .what = SCRIPTED_LOST});
	assert_int_equal(remote_change_now(scene->remote, &change, NULL, &scene->err),
			 -ERR_TEMPORARY);
	assert_non_null(scripted_find(scene->server, "a"));
	remote_close(&scene->remote);
	scene->remote = scripted_connect(scene->server);
	scripted_fault(scene->server,
		       &(struct scripted_fault){.op = SCRIPTED_DELETE, .what = SCRIPTED_CUT});
	change.kind = REMOTE_DELETE;
	assert_int_equal(remote_change_now(scene->remote, &change, NULL, &scene->err),
			 -ERR_TEMPORARY);
	assert_non_null(scripted_find(scene->server, "a"));
}

static void faults_wait_for_their_turn(void **state)
{
	struct scene *scene = *state;
	struct remote_change change = {.kind = REMOTE_SUBSCRIBE, .wire = "INBOX"};
	scripted_fault(scene->server, &(struct scripted_fault){.op = SCRIPTED_SUBSCRIBE,
							       .what = SCRIPTED_REFUSED,
							       .nth = 2});
	OK(scene, remote_change_now(scene->remote, &change, NULL, &scene->err));
	assert_int_equal(remote_change_now(scene->remote, &change, NULL, &scene->err),
			 -ERR_REFUSED);
	OK(scene, remote_change_now(scene->remote, &change, NULL, &scene->err));
	scripted_fault(scene->server, &(struct scripted_fault){.op = SCRIPTED_SUBSCRIBE,
							       .what = SCRIPTED_REFUSED,
							       .always = true});
	for (int i = 0; i < 3; i++) {
		assert_int_equal(remote_change_now(scene->remote, &change, NULL, &scene->err),
				 -ERR_REFUSED);
	}
	scripted_forget_faults(scene->server);
	OK(scene, remote_change_now(scene->remote, &change, NULL, &scene->err));
	assert_int_equal(scene->server->asked[SCRIPTED_SUBSCRIBE], 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCENE_TEST(flags_are_stored_by_name),
		SCENE_TEST(expunges_take_what_is_marked),
		SCENE_TEST(copies_and_moves_tell_their_uids),
		SCENE_TEST(mailboxes_are_made_renamed_and_removed),
		SCENE_TEST(appends_are_taken_whole_or_not_at_all),
		SCENE_TEST(an_upload_that_waits_can_be_refused_before_its_data),
		SCENE_TEST(what_is_lost_was_carried_out),
		SCENE_TEST(faults_wait_for_their_turn),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
