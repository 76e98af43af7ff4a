/* The scripted server is looked at as by what stands above store/remote.h: lists, views, bodies. */
#include "scripted_scene.h"

static struct remote_view_request all_of_inbox(struct scene *scene)
{
	return (struct remote_view_request){
		.wire = "INBOX", .keywords = &scene->keywords, .intern = true};
}

static void view(struct scene *scene, const struct remote_view_request *request,
		 struct remote_view *result)
{
	OK(scene, remote_view_queue(scene->remote, request, &scene->err));
	OK(scene, remote_view_next(scene->remote, result, &scene->err));
}

/* What changed in INBOX since VIEW. */
static void view_since(struct scene *scene, const struct remote_view *before,
		       struct remote_view *result)
{
	struct remote_view_request request = all_of_inbox(scene);
	request.uidvalidity = before->numbers.uidvalidity;
	request.uidnext = before->numbers.uidnext;
	request.modseq = before->numbers.modseq;
	view(scene, &request, result);
}

static void a_first_view_tells_everything(void **state)
{
	struct scene *scene = *state;
	struct remote_view all;
	fill(scene);
	struct remote_view_request request = all_of_inbox(scene);
	view(scene, &request, &all);
	assert_int_equal(all.status, 0);
	assert_true(all.is_full);
	assert_int_equal(all.count, 3);
	assert_true(told_is(all.numbers.messages, 3));
	assert_true(told_is(all.numbers.uidnext, 4));
	assert_int_equal(all.messages[1].flags, FLAG_SEEN);
	assert_int_equal(all.messages[2].flags, FLAG_KEYWORD(0));
	assert_string_equal(scene->keywords.names[0], "$Junk");
	assert_true(told_is(all.messages[0].size, strlen("Message-ID: <1>\r\n\r\none\r\n")));
	assert_true(all.messages[0].date.is_told);
	assert_non_null(remote_view_emailid(&all, &all.messages[0]));
	assert_string_not_equal(remote_view_emailid(&all, &all.messages[0]),
				remote_view_emailid(&all, &all.messages[1]));
	assert_false(all.is_writable || all.permanent_any);
	remote_view_finish(&all);
	request.is_writable = true;
	view(scene, &request, &all);
	assert_true(all.is_writable && all.permanent_any);
	remote_view_finish(&all);
	assert_string_equal(scripted_heard(scene->server), "view INBOX\nview INBOX for writing\n");
	assert_string_equal(scripted_heard(scene->server), "");
}

/* A change, a removal and a new message, as each kind of server tells them. */
static void look_after_changes(struct scene *scene, struct remote_view *delta)
{
	struct remote_view before;
	fill(scene);
	struct remote_view_request request = all_of_inbox(scene);
	view(scene, &request, &before);
	scripted_flag(scene->server, "INBOX", 1, "\\Flagged");
	scripted_expunge(scene->server, "INBOX", 2);
	scripted_add(scene->server, "INBOX", "", "x\n");
	view_since(scene, &before, delta);
	assert_true(told_is(delta->numbers.messages, 3));
	remote_view_finish(&before);
}

static void a_server_that_tells_gone_tells_just_the_changes(void **state)
{
	struct scene *scene = *state;
	struct remote_view delta;
	look_after_changes(scene, &delta);
	assert_false(delta.is_full);
	assert_int_equal(delta.count, 2);
	assert_int_equal(delta.messages[0].uid, 1);
	assert_int_equal(delta.messages[0].flags, FLAG_FLAGGED);
	assert_false(delta.messages[0].date.is_told);
	assert_int_equal(delta.messages[1].uid, 4);
	assert_true(delta.messages[1].date.is_told);
	assert_int_equal(uidset_size(&delta.gone), 1);
	assert_true(uidset_contains(&delta.gone, 2));
	remote_view_finish(&delta);
}

static void a_server_that_tells_changes_only_tells_no_removal(void **state)
{
	struct scene *scene = *state;
	struct remote_view delta;
	scene->server->tells_gone = false;
	look_after_changes(scene, &delta);
	assert_false(delta.is_full);
	assert_int_equal(delta.count, 2);
	assert_int_equal(delta.gone.count, 0);
	remote_view_finish(&delta);
}

static void a_plain_server_tells_all_flags(void **state)
{
	struct scene *scene = *state;
	struct remote_view delta;
	scene->server->tells_gone = false;
	scene->server->facts.tells_changes = false;
	look_after_changes(scene, &delta);
	assert_true(delta.is_full);
	assert_false(delta.numbers.modseq.is_told);
	assert_int_equal(delta.count, 3);
	assert_false(delta.messages[0].date.is_told);
	assert_true(delta.messages[2].date.is_told);
	remote_view_finish(&delta);
}

static void a_view_of_a_renumbered_mailbox_tells_no_removal(void **state)
{
	struct scene *scene = *state;
	struct remote_view before;
	struct remote_view delta;
	fill(scene);
	struct remote_view_request request = all_of_inbox(scene);
	view(scene, &request, &before);
	scripted_renumber(scene->server, "INBOX", 1);
	scripted_expunge(scene->server, "INBOX", 1);
	view_since(scene, &before, &delta);
	assert_false(told_equal(delta.numbers.uidvalidity, before.numbers.uidvalidity));
	assert_int_equal(delta.gone.count, 0);
	remote_view_finish(&before);
	remote_view_finish(&delta);
}

static void views_are_pipelined_and_fail_one_by_one(void **state)
{
	struct scene *scene = *state;
	struct remote_view result;
	struct remote_view_request request = all_of_inbox(scene);
	scripted_make(scene->server, "a");
	scripted_make(scene->server, "b")->is_read_only = true;
	scripted_fault(scene->server, &(struct scripted_fault){.op = SCRIPTED_VIEW,
							       .what = SCRIPTED_BUSY,
							       .wire = "a",
							       .busy_ms = 70});
	scripted_fault(
		scene->server,
		&(struct scripted_fault){.op = SCRIPTED_VIEW, .what = SCRIPTED_UNTOLD, .nth = 3});
	static const char *const wires[] = {"a", "b", "INBOX", "none"};
	static const int statuses[] = {-ERR_TEMPORARY, 0, -ERR_PARTIAL, -ERR_REFUSED};
	for (size_t i = 0; i < 4; i++) {
		request.wire = wires[i];
		request.is_writable = true;
		OK(scene, remote_view_queue(scene->remote, &request, &scene->err));
	}
	int64_t wanted_ms = 0;
	assert_false(remote_busy_is_due(scene->remote));
	for (size_t i = 0; i < 4; i++) {
		OK(scene, remote_view_next(scene->remote, &result, &scene->err));
		assert_int_equal(result.status, statuses[i]);
		assert_false(i == 1 && result.is_writable);
		remote_view_finish(&result);
	}
	assert_true(remote_busy_take(scene->remote, &wanted_ms));
	assert_int_equal(wanted_ms, 70);
	assert_false(remote_busy_is_due(scene->remote));
}

static void lists_tell_numbers_where_the_server_can(void **state)
{
	struct scene *scene = *state;
	struct remote_mailboxes found = {0};
	struct remote_counts counts[2] = {0};
	static const char *const wires[] = {"INBOX", "none"};
	fill(scene);
	scripted_make(scene->server, "Bin")->attributes |= REMOTE_TRASH;
	scripted_make(scene->server, "hidden")->is_unlisted = true;
	OK(scene, remote_list(scene->remote, false, &found, &scene->err));
	assert_int_equal(found.count, 2);
	assert_true(told_is(found.items[0].counts.numbers.messages, 3));
	assert_true(told_is(found.items[0].counts.numbers.uidnext, 4));
	assert_true(found.items[0].counts.numbers.modseq.is_told);
	assert_true(found.items[1].attributes & REMOTE_TRASH);
	remote_mailboxes_finish(&found);
	scene->server->facts.lists_counts = false;
	OK(scene, remote_list(scene->remote, false, &found, &scene->err));
	assert_false(found.items[0].counts.numbers.messages.is_told);
	remote_mailboxes_finish(&found);
	OK(scene, remote_count_names(scene->remote, wires, 2, counts, &scene->err));
	assert_true(told_is(counts[0].numbers.messages, 3));
	assert_false(counts[1].numbers.messages.is_told);
	assert_int_equal(counts[1].refusal, REMOTE_REFUSAL_NONEXISTENT);
	remote_counts_finish(&counts[0]);
	remote_counts_finish(&counts[1]);
}

static void one_mailbox_is_open_at_a_time(void **state)
{
	struct scene *scene = *state;
	struct remote_opened opened;
	struct uidset uids;
	struct told exists;
	fill(scene);
	scripted_flag(scene->server, "INBOX", 2, "\\Deleted");
	struct told uidvalidity = told(scripted_find(scene->server, "INBOX")->uidvalidity);
	struct remote *remote = scene->remote;
	OK(scene, remote_open(remote, "INBOX", REMOTE_READ, uidvalidity, &opened, &scene->err));
	assert_true(opened.numbers.messages.is_told);
	assert_true(told_is(opened.numbers.messages, 3));
	remote_opened_finish(&opened);
	OK(scene, remote_open(remote, "INBOX", REMOTE_READ, uidvalidity, &opened, &scene->err));
	assert_false(opened.numbers.messages.is_told);
	uidset_init(&uids);
	OK(scene, remote_uids(remote, REMOTE_UIDS_ALL, &uids, &exists, &scene->err));
	assert_int_equal(uidset_size(&uids), 3);
	assert_true(told_is(exists, 3));
	uidset_finish(&uids);
	OK(scene, remote_uids(remote, REMOTE_UIDS_DELETED, &uids, &exists, &scene->err));
	assert_int_equal(uidset_size(&uids), 1);
	uidset_finish(&uids);
	scripted_find(scene->server, "INBOX")->is_read_only = true;
	assert_int_equal(
		remote_open(remote, "INBOX", REMOTE_WRITE, uidvalidity, &opened, &scene->err),
		-ERR_REFUSED);
	assert_true(opened.is_read_only);
	remote_opened_finish(&opened);
	assert_int_equal(remote_open(remote, "x", REMOTE_READ, UNTOLD, NULL, &scene->err),
			 -ERR_REFUSED);
	assert_false(remote_selected(remote, "INBOX", false).is_told);
	assert_string_equal(scripted_heard(scene->server), "open INBOX\nuids INBOX\ndeleted INBOX\n"
							   "open INBOX for writing\nopen x\n");
}

/* Takes fetch events to the end of one fetch: the messages that came with their texts. */
static int take_bodies(struct scene *scene, char *texts, size_t size, struct remote_body *body)
{
	struct buf text;
	int code = 0;
	buf_init(&text, size - 1);
	do {
		code = remote_fetch_next(scene->remote, body, &scene->err);
		if (code == 0 && body->type == REMOTE_FETCHED_DATA) {
			buf_append_span(&text, body->data);
		} else if (code == 0 && body->type == REMOTE_FETCHED_MESSAGE) {
			buf_printf(&text, "<%u%s>", (unsigned)body->uid,
				   body->has_body ? "" : " nil");
		}
	} while (code == 0 && body->type != REMOTE_FETCHED_DONE);
	memcpy(texts, text.len > 0 ? text.data : "", text.len + 1);
	buf_finish(&text);
	return code;
}

/* The messages FIRST to LAST of INBOX. */
static int fetch(struct scene *scene, uint32_t first, uint32_t last, char texts[512],
		 struct remote_body *body)
{
	struct uidset uids;
	set_of(&uids, first, last);
	OK(scene, remote_open(scene->remote, "INBOX", REMOTE_READ, UNTOLD, NULL, &scene->err));
	OK(scene, remote_fetch_queue(scene->remote, REMOTE_WHOLE, &uids, 5, &scene->err));
	uidset_finish(&uids);
	return take_bodies(scene, texts, 512, body);
}

static void bodies_come_in_pieces(void **state)
{
	struct scene *scene = *state;
	struct remote_body body;
	char texts[512];
	scripted_add(scene->server, "INBOX", "", "a: b\n\none\n");
	scripted_add(scene->server, "INBOX", "", "c: d\n\ntwo\n");
	scene->server->piece_len = 3;
	OK(scene, fetch(scene, 1, 9, texts, &body));
	assert_string_equal(texts, "a: b\r\n\r\none\r\n<1>c: d\r\n\r\ntwo\r\n<2>");
	assert_int_equal(body.cookie, 5);
	assert_int_equal(body.status, 0);
}

static void a_body_can_be_missing_empty_or_not_given(void **state)
{
	struct scene *scene = *state;
	static const enum scripted_what whats[] = {SCRIPTED_OMITTED, SCRIPTED_EMPTY, SCRIPTED_NIL};
	struct remote_body body;
	char texts[512];
	for (uint32_t i = 0; i < 3; i++) {
		scripted_add(scene->server, "INBOX", "", "x\n");
		scripted_fault(scene->server, &(struct scripted_fault){.op = SCRIPTED_FETCH,
								       .what = whats[i],
								       .uid = i + 1});
	}
	OK(scene, fetch(scene, 1, 3, texts, &body));
	assert_string_equal(texts, "<2><3 nil>");
	OK(scene, fetch(scene, 1, 3, texts, &body));
	assert_string_equal(texts, "x\r\n<1>x\r\n<2>x\r\n<3>");
}

static void a_connection_cut_within_a_body_stays_cut(void **state)
{
	struct scene *scene = *state;
	struct remote_body body;
	struct uidset uids;
	char texts[512];
	fill(scene);
	scripted_fault(
		scene->server,
		&(struct scripted_fault){.op = SCRIPTED_FETCH, .what = SCRIPTED_CUT, .uid = 2});
	set_of(&uids, 1, 3);
	OK(scene, remote_open(scene->remote, "INBOX", REMOTE_WRITE, UNTOLD, NULL, &scene->err));
	OK(scene, remote_fetch_queue(scene->remote, REMOTE_WHOLE, &uids, 0, &scene->err));
	OK(scene, remote_fetch_queue(scene->remote, REMOTE_WHOLE, &uids, 1, &scene->err));
	assert_int_equal(take_bodies(scene, texts, sizeof(texts), &body), -ERR_TEMPORARY);
	assert_string_equal(texts, "Message-ID: <1>\r\n\r\none\r\n<1>Message-ID: ");
	assert_int_equal(scene->err.scope, SCOPE_ACCOUNT);
	struct remote_change change = {
		.kind = REMOTE_STORE, .uids = &uids, .flags = FLAG_SEEN, .is_add = true};
	assert_int_equal(remote_change_now(scene->remote, &change, NULL, &scene->err),
			 -ERR_TEMPORARY);
	expect_told(scene, "INBOX", "1, 2 \\Seen, 3 $Junk");
	uidset_finish(&uids);
}

static void a_mailbox_is_opened_in_the_middle_of_fetches(void **state)
{
	struct scene *scene = *state;
	struct remote_body body;
	struct uidset uids;
	char texts[512];
	scripted_add(scene->server, "INBOX", "", "x\n");
	scripted_make(scene->server, "a");
	scripted_add(scene->server, "a", "", "y\n");
	set_of(&uids, 1, 1);
	OK(scene, remote_open(scene->remote, "INBOX", REMOTE_READ, UNTOLD, NULL, &scene->err));
	OK(scene, remote_fetch_queue(scene->remote, REMOTE_WHOLE, &uids, 0, &scene->err));
	OK(scene, remote_fetch_open_queue(scene->remote, "a", 7, &scene->err));
	OK(scene, remote_fetch_queue(scene->remote, REMOTE_WHOLE, &uids, 1, &scene->err));
	OK(scene, take_bodies(scene, texts, sizeof(texts), &body));
	assert_string_equal(texts, "x\r\n<1>");
	OK(scene, remote_fetch_next(scene->remote, &body, &scene->err));
	assert_int_equal(body.type, REMOTE_FETCHED_OPENED);
	assert_int_equal(body.cookie, 7);
	assert_true(told_is(body.uidvalidity, scripted_find(scene->server, "a")->uidvalidity));
	OK(scene, take_bodies(scene, texts, sizeof(texts), &body));
	assert_string_equal(texts, "y\r\n<1>");
	uidset_finish(&uids);
}

static void headers_become_identities(void **state)
{
	struct scene *scene = *state;
	struct remote_identity told;
	struct uidset uids;
	fill(scene);
	set_of(&uids, 2, 9);
	OK(scene, remote_open(scene->remote, "INBOX", REMOTE_READ, UNTOLD, NULL, &scene->err));
	OK(scene, remote_headers_begin(scene->remote, &uids, &scene->err));
	OK(scene, remote_headers_next(scene->remote, &told, &scene->err));
	assert_string_equal(told.identity.message_id, "<2>");
	OK(scene, remote_headers_next(scene->remote, &told, &scene->err));
	assert_int_equal(told.uid, 3);
	OK(scene, remote_headers_next(scene->remote, &told, &scene->err));
	assert_true(told.is_done && told.is_whole);
	assert_int_equal(told.told, 2);
	uidset_finish(&uids);
}

static void counts_can_be_wrong_and_listings_short(void **state)
{
	struct scene *scene = *state;
	struct remote_view all;
	struct uidset uids;
	struct told exists;
	fill(scene);
	scripted_find(scene->server, "INBOX")->exists_off = 2;
	scripted_fault(
		scene->server,
		&(struct scripted_fault){.op = SCRIPTED_VIEW, .what = SCRIPTED_OMITTED, .uid = 2});
	scripted_fault(
		scene->server,
		&(struct scripted_fault){.op = SCRIPTED_UIDS, .what = SCRIPTED_OMITTED, .uid = 3});
	struct remote_view_request request = all_of_inbox(scene);
	view(scene, &request, &all);
	assert_true(told_is(all.numbers.messages, 5));
	assert_int_equal(all.count, 2);
	assert_int_equal(all.messages[1].uid, 3);
	remote_view_finish(&all);
	uidset_init(&uids);
	OK(scene, remote_uids(scene->remote, REMOTE_UIDS_ALL, &uids, &exists, &scene->err));
	assert_int_equal(uidset_size(&uids), 2);
	assert_true(told_is(exists, 5));
	uidset_finish(&uids);
}

static void expunge_the_first(struct scripted *server)
{
	scripted_expunge(server, "INBOX", 1);
}

static void somebody_else_can_come_in_between(void **state)
{
	struct scene *scene = *state;
	struct remote_body body;
	char texts[512];
	scripted_add(scene->server, "INBOX", "", "x\n");
	scripted_add(scene->server, "INBOX", "", "y\n");
	scripted_fault(scene->server, &(struct scripted_fault){.op = SCRIPTED_FETCH,
							       .what = SCRIPTED_MEANWHILE,
							       .act = expunge_the_first});
	OK(scene, fetch(scene, 1, 2, texts, &body));
	assert_string_equal(texts, "y\r\n<2>");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCENE_TEST(a_first_view_tells_everything),
		SCENE_TEST(a_server_that_tells_gone_tells_just_the_changes),
		SCENE_TEST(a_server_that_tells_changes_only_tells_no_removal),
		SCENE_TEST(a_plain_server_tells_all_flags),
		SCENE_TEST(a_view_of_a_renumbered_mailbox_tells_no_removal),
		SCENE_TEST(views_are_pipelined_and_fail_one_by_one),
		SCENE_TEST(lists_tell_numbers_where_the_server_can),
		SCENE_TEST(one_mailbox_is_open_at_a_time),
		SCENE_TEST(bodies_come_in_pieces),
		SCENE_TEST(a_body_can_be_missing_empty_or_not_given),
		SCENE_TEST(a_connection_cut_within_a_body_stays_cut),
		SCENE_TEST(a_mailbox_is_opened_in_the_middle_of_fetches),
		SCENE_TEST(headers_become_identities),
		SCENE_TEST(somebody_else_can_come_in_between),
		SCENE_TEST(counts_can_be_wrong_and_listings_short),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
