/* IMAP behind the seam: what is sent, and what is made of the answers. */
#include "imap_dialogue.h"

/* Every second UID from FIRST on: COUNT ranges of one. */
static void scattered(struct uidset *set, uint32_t first, size_t count)
{
	struct err err;
	uidset_init(set);
	for (size_t i = 0; i < count; i++) {
		uint32_t uid = first + (uint32_t)i * 2;
		assert_int_equal(uidset_add(set, uid, uid, &err), 0);
	}
}

static void facts_follow_the_capabilities(void **state)
{
	struct dialogue dialogue;
	(void)state;
	DIALOGUE(&dialogue, "UIDPLUS MOVE X-GM-EXT-1 LITERAL+", {0, ""});
	const struct remote_facts *facts = remote_facts(dialogue.remote);
	assert_true(facts->has_move);
	assert_true(facts->has_uid_expunge);
	assert_true(facts->has_message_ids);
	assert_true(facts->appends_without_wait);
	assert_false(facts->takes_many_appends);
	assert_false(facts->tells_changes);
	assert_false(facts->is_tls);
	assert_string_equal(facts->login_name, "PREAUTH");
	dialogue_close(&dialogue);
}

static void capabilities_that_do_not_name_the_protocol_are_not_told(void **state)
{
	static const char *const lists[] = {"NIL", "(", "NAMESPA", ""};
	(void)state;
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		struct dialogue dialogue;
		struct remote_mailboxes found = {0};
		char reply[256];
		snprintf(reply, sizeof(reply),
			 "* CAPABILITY %s\\r\\n* NAMESPACE ((\"\" \"/\")) NIL NIL\\r\\n"
			 "* LIST () \"/\" INBOX\\r\\nm1 OK [CAPABILITY %s] x\\r\\nm2 OK x\\r\\n",
			 lists[i], lists[i]);
		DIALOGUE(&dialogue, "NAMESPACE", {2, reply},
			 {2, "* LIST () \"/\" INBOX\\r\\nm3 OK\\r\\nm4 OK x\\r\\n"});
		OK(&dialogue, remote_list(dialogue.remote, false, &found, &dialogue.err));
		remote_mailboxes_finish(&found);
		OK(&dialogue, remote_list(dialogue.remote, false, &found, &dialogue.err));
		remote_mailboxes_finish(&found);
		expect_heard(&dialogue, "m1 NAMESPACE\nm2 LIST \"\" \"*\"\n"
					"m3 NAMESPACE\nm4 LIST \"\" \"*\"\n");
		dialogue_close(&dialogue);
	}
}

static void a_claim_of_qresync_that_enable_does_not_confirm_is_no_fact(void **state)
{
	struct dialogue dialogue;
	struct remote_mailboxes found = {0};
	struct keywords keywords;
	struct remote_view view = {0};
	const struct remote_view_request request = {.wire = "INBOX",
						    .uidvalidity = {true, 7},
						    .uidnext = {true, 5},
						    .modseq = {true, 9},
						    .skip_new = true,
						    .keywords = &keywords};
	(void)state;
	keywords_init(&keywords);
	DIALOGUE(&dialogue, "ENABLE CONDSTORE QRESYNC",
		 {2, "* LIST () \"/\" INBOX\\r\\n* LIST (\\\\Trash \\\\Noselect) \"/\" Bin\\r\\n"
		     "m1 OK\\r\\nm2 OK\\r\\n"},
		 {2, "* 4 EXISTS\\r\\n* OK [UIDVALIDITY 7] x\\r\\nm3 OK x\\r\\nm4 OK x\\r\\n"});
	OK(&dialogue, remote_list(dialogue.remote, false, &found, &dialogue.err));
	OK(&dialogue, remote_view_queue(dialogue.remote, &request, &dialogue.err));
	OK(&dialogue, remote_view_next(dialogue.remote, &view, &dialogue.err));
	remote_view_finish(&view);
	expect_heard(&dialogue, "m1 ENABLE QRESYNC\nm2 LIST \"\" \"*\"\n"
				"m3 EXAMINE \"INBOX\" (CONDSTORE)\n"
				"m4 UID FETCH 1:4 (UID FLAGS) (CHANGEDSINCE 9)\n");
	assert_true(remote_facts(dialogue.remote)->tells_changes);
	assert_int_equal(found.count, 2);
	assert_string_equal(found.items[0].wire, "INBOX");
	assert_false(found.items[0].counts.numbers.messages.is_told);
	assert_int_equal(found.items[1].attributes, REMOTE_TRASH | REMOTE_NOSELECT);
	assert_int_equal(found.wire.separator, '/');
	remote_mailboxes_finish(&found);
	dialogue_close(&dialogue);
}

static void counts_say_what_was_told(void **state)
{
	struct dialogue dialogue;
	struct remote_counts counts = {0};
	(void)state;
	DIALOGUE(&dialogue, "CONDSTORE",
		 {1, "* STATUS a (MESSAGES 3 UIDNEXT 9 UIDVALIDITY 7)\\r\\nm1 OK\\r\\n"},
		 {1, "m2 NO none\\r\\n"});
	OK(&dialogue, remote_count_one(dialogue.remote, "a", &counts, &dialogue.err));
	assert_true(told_is(counts.numbers.messages, 3));
	assert_true(told_is(counts.numbers.uidnext, 9));
	assert_true(told_is(counts.numbers.uidvalidity, 7));
	remote_counts_finish(&counts);
	OK(&dialogue, remote_count_one(dialogue.remote, "b", &counts, &dialogue.err));
	assert_false(counts.numbers.messages.is_told);
	assert_int_equal(counts.refusal, REMOTE_REFUSAL_UNCODED);
	remote_counts_finish(&counts);
	expect_heard(&dialogue, "m1 STATUS \"a\" (MESSAGES UIDNEXT UIDVALIDITY HIGHESTMODSEQ)\n"
				"m2 STATUS \"b\" (MESSAGES UIDNEXT UIDVALIDITY HIGHESTMODSEQ)\n");
	dialogue_close(&dialogue);
}

static void what_is_open_is_not_opened_again_unless_anew(void **state)
{
	struct dialogue dialogue;
	struct remote_opened opened;
	(void)state;
	DIALOGUE(&dialogue, "", {1, "* 4 EXISTS\\r\\n* OK [UIDVALIDITY 7] x\\r\\nm1 OK\\r\\n"},
		 {1, "* 5 EXISTS\\r\\n* OK [UIDVALIDITY 7] x\\r\\nm2 OK\\r\\n"},
		 {1, "* 5 EXISTS\\r\\n* OK [UIDVALIDITY 7] x\\r\\nm3 OK [READ-WRITE]\\r\\n"});
	struct remote *remote = dialogue.remote;
	OK(&dialogue, remote_open(remote, "a", REMOTE_READ, told(7), &opened, &dialogue.err));
	assert_true(opened.numbers.messages.is_told);
	assert_true(told_is(opened.numbers.messages, 4));
	OK(&dialogue, remote_open(remote, "a", REMOTE_READ, told(7), &opened, &dialogue.err));
	assert_false(opened.numbers.messages.is_told);
	assert_true(told_is(opened.numbers.uidvalidity, 7));
	OK(&dialogue, remote_open(remote, "a", REMOTE_ANEW, told(7), &opened, &dialogue.err));
	assert_true(told_is(opened.numbers.messages, 5));
	OK(&dialogue, remote_open(remote, "a", REMOTE_WRITE, told(7), NULL, &dialogue.err));
	OK(&dialogue, remote_open(remote, "a", REMOTE_READ, told(7), NULL, &dialogue.err));
	assert_true(told_is(remote_selected(remote, "a", true), 7));
	assert_false(remote_selected(remote, "b", false).is_told);
	expect_heard(&dialogue, "m1 EXAMINE \"a\"\nm2 EXAMINE \"a\"\nm3 SELECT \"a\"\n");
	dialogue_close(&dialogue);
}

static void opening_tells_refused_read_only_and_renumbered_apart(void **state)
{
	struct dialogue dialogue;
	struct remote_opened opened;
	(void)state;
	DIALOGUE(&dialogue, "", {1, "m1 NO no such\\r\\n"},
		 {1, "* 0 EXISTS\\r\\n* OK [UIDVALIDITY 7] x\\r\\nm2 OK [READ-ONLY] x\\r\\n"},
		 {1, "* 0 EXISTS\\r\\n* OK [UIDVALIDITY 8] x\\r\\nm3 OK x\\r\\n"});
	struct remote *remote = dialogue.remote;
	struct err *err = &dialogue.err;
	assert_int_equal(remote_open(remote, "a", REMOTE_READ, told(7), &opened, err),
			 -ERR_REFUSED);
	assert_false(opened.is_read_only);
	assert_int_equal(remote_open(remote, "a", REMOTE_WRITE, told(7), &opened, err),
			 -ERR_REFUSED);
	assert_true(opened.is_read_only);
	assert_int_equal(remote_open(remote, "b", REMOTE_READ, told(7), &opened, err),
			 -ERR_TEMPORARY);
	assert_true(opened.is_renumbered);
	assert_non_null(strstr(err->text, "renumbered"));
	assert_true(told_is(opened.numbers.uidvalidity, 8));
	dialogue_close(&dialogue);
}

/* 300 UIDs of four digits do not fit a line: the set goes as two MOVEs, 180 and 120. */
static void a_split_move_has_one_answer_with_all_uids(void **state)
{
	struct dialogue dialogue;
	struct uidset uids;
	struct remote_done done;
	(void)state;
	DIALOGUE(&dialogue, "MOVE UIDPLUS",
		 {2, "* OK [COPYUID 5 1000,1002 1:2] x\\r\\nm1 OK x\\r\\n"
		     "* OK [COPYUID 5 1500 3] x\\r\\nm2 OK x\\r\\n"});
	scattered(&uids, 1000, 300);
	struct remote_change change = {.kind = REMOTE_MOVE, .uids = &uids, .wire = "b"};
	remote_done_init(&done);
	OK(&dialogue, remote_change_queue(dialogue.remote, &change, 42, &dialogue.err));
	assert_int_equal(remote_outstanding(dialogue.remote), 1);
	OK(&dialogue, remote_done_next(dialogue.remote, &done, &dialogue.err));
	assert_int_equal(remote_outstanding(dialogue.remote), 0);
	assert_int_equal(done.cookie, 42);
	assert_int_equal(done.status, 0);
	assert_true(done.has_copied);
	assert_true(told_is(done.uidvalidity, 5));
	assert_int_equal(done.copied.count, 3);
	assert_int_equal(done.copied.from[2], 1500);
	assert_int_equal(done.copied.to[2], 3);
	assert_int_equal(done.refused.count, 0);
	remote_done_finish(&done);
	uidset_finish(&uids);
	char *text = heard(&dialogue);
	char *second = strchr(text, '\n');
	assert_non_null(second);
	assert_true(second - text < 1000);
	assert_int_equal(strncmp(second, "\nm2 UID MOVE 13", 15), 0);
	free(text);
	dialogue_close(&dialogue);
}

static void a_refused_piece_is_told_beside_the_one_that_was_done(void **state)
{
	struct dialogue dialogue;
	struct uidset uids;
	struct remote_done done;
	(void)state;
	DIALOGUE(&dialogue, "MOVE UIDPLUS",
		 {2, "m2 NO [OVERQUOTA] full\\r\\n"
		     "* OK [COPYUID 5 1000 1] x\\r\\nm1 OK x\\r\\n"});
	scattered(&uids, 1000, 300);
	struct remote_change change = {.kind = REMOTE_MOVE, .uids = &uids, .wire = "b"};
	remote_done_init(&done);
	OK(&dialogue, remote_change_now(dialogue.remote, &change, &done, &dialogue.err));
	assert_int_equal(done.status, -ERR_REFUSED);
	assert_int_equal(done.refusal, REMOTE_REFUSAL_OVERQUOTA);
	assert_non_null(strstr(done.err.text, "full"));
	assert_true(done.has_copied);
	assert_int_equal(done.copied.count, 1);
	assert_int_equal(done.copied.from[0], 1000);
	assert_false(uidset_contains(&done.refused, 1000));
	assert_true(uidset_contains(&done.refused, 1598));
	assert_true(uidset_size(&done.refused) > 100);
	assert_true(uidset_size(&done.refused) < 200);
	remote_done_finish(&done);
	uidset_finish(&uids);
	dialogue_close(&dialogue);
}

static void an_empty_set_is_answered_without_a_command(void **state)
{
	struct dialogue dialogue;
	struct uidset none;
	struct remote_body body;
	(void)state;
	DIALOGUE(&dialogue, "", {0, ""});
	uidset_init(&none);
	struct remote_change change = {
		.kind = REMOTE_STORE, .uids = &none, .flags = FLAG_SEEN, .is_add = true};
	OK(&dialogue, remote_change_now(dialogue.remote, &change, NULL, &dialogue.err));
	OK(&dialogue, remote_fetch_queue(dialogue.remote, REMOTE_WHOLE, &none, 3, &dialogue.err));
	OK(&dialogue, remote_fetch_next(dialogue.remote, &body, &dialogue.err));
	assert_int_equal(body.type, REMOTE_FETCHED_DONE);
	assert_int_equal(body.cookie, 3);
	expect_heard(&dialogue, "");
	dialogue_close(&dialogue);
}

static void a_refusal_is_the_result_where_nobody_takes_the_answer(void **state)
{
	struct dialogue dialogue;
	(void)state;
	DIALOGUE(&dialogue, "", {1, "m1 NO [ALREADYEXISTS] there\\r\\n"},
		 {1, "m2 NO [UNAVAILABLE] later\\r\\n"}, {1, "m3 OK x\\r\\n"});
	struct remote_change change = {.kind = REMOTE_CREATE, .wire = "a"};
	struct err *err = &dialogue.err;
	assert_int_equal(remote_change_now(dialogue.remote, &change, NULL, err), -ERR_REFUSED);
	assert_false(remote_busy_is_due(dialogue.remote));
	assert_int_equal(remote_change_now(dialogue.remote, &change, NULL, err), -ERR_TEMPORARY);
	assert_true(remote_busy_is_due(dialogue.remote));
	change = (struct remote_change){.kind = REMOTE_RENAME, .wire = "a", .to = "b"};
	OK(&dialogue, remote_change_now(dialogue.remote, &change, NULL, err));
	expect_heard(&dialogue, "m1 CREATE \"a\"\nm2 CREATE \"a\"\nm3 RENAME \"a\" \"b\"\n");
	dialogue_close(&dialogue);
}

static void bodies_come_as_events_and_end_once(void **state)
{
	struct dialogue dialogue;
	struct uidset uids;
	struct remote_body body;
	size_t messages = 0;
	(void)state;
	DIALOGUE(&dialogue, "",
		 {2, "* 1 FETCH (UID 1000 BODY[] {3}\\r\\nabc)\\r\\nm1 OK x\\r\\n"
		     "* 9 FETCH (UID 1500 BODY[] NIL)\\r\\nm2 NO x\\r\\n"});
	scattered(&uids, 1000, 300);
	assert_int_equal(remote_fetch_room(dialogue.remote), 8);
	OK(&dialogue, remote_fetch_queue(dialogue.remote, REMOTE_WHOLE, &uids, 77, &dialogue.err));
	assert_int_equal(remote_fetch_room(dialogue.remote), 6);
	do {
		OK(&dialogue, remote_fetch_next(dialogue.remote, &body, &dialogue.err));
		if (body.type == REMOTE_FETCHED_DATA) {
			assert_true(span_equal_cstr(body.data, "abc"));
		}
		if (body.type == REMOTE_FETCHED_MESSAGE) {
			assert_int_equal(body.has_body, messages == 0);
			messages++;
		}
	} while (body.type != REMOTE_FETCHED_DONE);
	assert_int_equal(messages, 2);
	assert_int_equal(body.cookie, 77);
	assert_int_equal(body.status, -ERR_REFUSED);
	assert_int_equal(remote_fetch_room(dialogue.remote), 8);
	uidset_finish(&uids);
	dialogue_close(&dialogue);
}

static void headers_of_an_open_end_leave_out_what_was_not_asked_for(void **state)
{
	struct dialogue dialogue;
	struct uidset uids;
	struct remote_identity told;
	(void)state;
	DIALOGUE(&dialogue, "",
		 {1, "* 1 FETCH (UID 9 BODY[HEADER] {19}\\r\\nMessage-ID: <a>\\r\\n\\r\\n)\\r\\n"
		     "* 2 FETCH (UID 20 BODY[HEADER] {19}\\r\\nMessage-ID: <b>\\r\\n\\r\\n)\\r\\n"
		     "* 2 FETCH (UID 20 BODY[HEADER] {19}\\r\\nMessage-ID: <c>\\r\\n\\r\\n)\\r\\n"
		     "m1 OK x\\r\\n"});
	uidset_init(&uids);
	OK(&dialogue, uidset_add(&uids, 10, UINT32_MAX, &dialogue.err));
	OK(&dialogue, remote_headers_begin(dialogue.remote, &uids, &dialogue.err));
	OK(&dialogue, remote_headers_next(dialogue.remote, &told, &dialogue.err));
	assert_false(told.is_done);
	assert_int_equal(told.uid, 20);
	assert_string_equal(told.identity.message_id, "<b>");
	OK(&dialogue, remote_headers_next(dialogue.remote, &told, &dialogue.err));
	assert_true(told.is_done);
	assert_true(told.is_whole);
	assert_int_equal(told.told, 1);
	expect_heard(&dialogue, "m1 UID FETCH 10:* (UID INTERNALDATE BODY.PEEK[HEADER])\n");
	uidset_finish(&uids);
	dialogue_close(&dialogue);
}

static void headers_without_uid_or_text_are_not_whole(void **state)
{
	struct dialogue dialogue;
	struct uidset uids;
	struct remote_identity told;
	(void)state;
	DIALOGUE(&dialogue, "", {1, "* 1 FETCH (UID 1 BODY[HEADER] NIL)\\r\\nm1 OK x\\r\\n"});
	uidset_init(&uids);
	OK(&dialogue, uidset_add(&uids, 1, 1, &dialogue.err));
	OK(&dialogue, remote_headers_begin(dialogue.remote, &uids, &dialogue.err));
	OK(&dialogue, remote_headers_next(dialogue.remote, &told, &dialogue.err));
	assert_true(told.is_done);
	assert_int_equal(told.status, 0);
	assert_false(told.is_whole);
	assert_int_equal(told.told, 0);
	uidset_finish(&uids);
	dialogue_close(&dialogue);
}

/* What came of a response that broke off is nobody's header. */
static void a_broken_response_does_not_name_the_next_message(void **state)
{
	struct dialogue dialogue;
	struct uidset uids;
	struct remote_identity told;
	(void)state;
	DIALOGUE(&dialogue, "",
		 {1,
		  "* 1 FETCH (BODY[HEADER] {19}\\r\\nMessage-ID: <a>\\r\\n\\r\\n nonsense((\\r\\n"
		  "* 2 FETCH (UID 2 BODY[HEADER] {19}\\r\\nMessage-ID: <b>\\r\\n\\r\\n)\\r\\n"
		  "m1 OK x\\r\\n"});
	uidset_init(&uids);
	OK(&dialogue, uidset_add(&uids, 1, 2, &dialogue.err));
	OK(&dialogue, remote_headers_begin(dialogue.remote, &uids, &dialogue.err));
	OK(&dialogue, remote_headers_next(dialogue.remote, &told, &dialogue.err));
	assert_false(told.is_done);
	assert_int_equal(told.uid, 2);
	assert_string_equal(told.identity.message_id, "<b>");
	uidset_finish(&uids);
	dialogue_close(&dialogue);
}

static void headers_of_many_are_asked_for_some_at_a_time(void **state)
{
	struct dialogue dialogue;
	struct uidset uids;
	struct remote_identity told;
	(void)state;
	DIALOGUE(&dialogue, "", {8, "m1 OK x\\r\\nm2 OK x\\r\\nm3 OK x\\r\\nm4 OK x\\r\\n"},
		 {2, "m5 OK\\r\\nm6 OK\\r\\nm7 OK\\r\\nm8 OK\\r\\nm9 NO gone\\r\\nm10 OK\\r\\n"});
	scattered(&uids, 1000, 1750); /* ten lines */
	OK(&dialogue, remote_headers_begin(dialogue.remote, &uids, &dialogue.err));
	OK(&dialogue, remote_headers_next(dialogue.remote, &told, &dialogue.err));
	assert_true(told.is_done);
	assert_int_equal(told.status, -ERR_REFUSED);
	assert_non_null(strstr(told.err.text, "gone"));
	uidset_finish(&uids);
	dialogue_close(&dialogue);
}

static void an_upload_refused_at_its_literal_has_its_answer_at_once(void **state)
{
	struct dialogue dialogue;
	struct remote_done done;
	struct remote_append message = {.flags = FLAG_SEEN, .size = 3};
	(void)state;
	DIALOGUE(&dialogue, "UIDPLUS", {1, "m1 NO [TRYCREATE] none\\r\\n"}, {1, "+ go\\r\\n"},
		 {1, "m2 OK [APPENDUID 5 17] x\\r\\n"});
	struct err *err = &dialogue.err;
	remote_done_init(&done);
	OK(&dialogue, remote_append_begin(dialogue.remote, "a", 4, err));
	assert_int_equal(remote_append_message(dialogue.remote, &message, err), -ERR_REFUSED);
	assert_true(remote_append_was_refused(dialogue.remote));
	OK(&dialogue, remote_done_next(dialogue.remote, &done, err));
	assert_int_equal(done.cookie, 4);
	assert_int_equal(done.refusal, REMOTE_REFUSAL_TRYCREATE);
	OK(&dialogue, remote_append_begin(dialogue.remote, "a", 5, err));
	OK(&dialogue, remote_append_message(dialogue.remote, &message, err));
	OK(&dialogue, remote_append_data(dialogue.remote, SPAN_LIT("abc"), err));
	OK(&dialogue, remote_append_end(dialogue.remote, err));
	OK(&dialogue, remote_done_next(dialogue.remote, &done, err));
	assert_int_equal(done.cookie, 5);
	assert_int_equal(done.status, 0);
	assert_true(done.has_appended);
	assert_true(told_is(done.uidvalidity, 5));
	assert_true(uidset_contains(&done.appended, 17));
	remote_done_finish(&done);
	dialogue_close(&dialogue);
}

static void check_explains_what_the_server_has(void **state)
{
	struct dialogue dialogue;
	struct strlist lines;
	(void)state;
	DIALOGUE(&dialogue, "MOVE X-GM-EXT-1", {0, ""});
	strlist_init(&lines);
	OK(&dialogue, remote_explain(dialogue.remote, &lines, &dialogue.err));
	assert_int_equal(lines.count, 11);
	assert_string_equal(lines.items[4], "yes MOVE              moves are one command");
	assert_string_equal(lines.items[7],
			    "yes X-GM-EXT-1        moves made elsewhere are recognised");
	strlist_finish(&lines);
	dialogue_close(&dialogue);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(facts_follow_the_capabilities),
		cmocka_unit_test(capabilities_that_do_not_name_the_protocol_are_not_told),
		cmocka_unit_test(a_claim_of_qresync_that_enable_does_not_confirm_is_no_fact),
		cmocka_unit_test(counts_say_what_was_told),
		cmocka_unit_test(what_is_open_is_not_opened_again_unless_anew),
		cmocka_unit_test(opening_tells_refused_read_only_and_renumbered_apart),
		cmocka_unit_test(a_split_move_has_one_answer_with_all_uids),
		cmocka_unit_test(a_refused_piece_is_told_beside_the_one_that_was_done),
		cmocka_unit_test(an_empty_set_is_answered_without_a_command),
		cmocka_unit_test(a_refusal_is_the_result_where_nobody_takes_the_answer),
		cmocka_unit_test(bodies_come_as_events_and_end_once),
		cmocka_unit_test(headers_of_an_open_end_leave_out_what_was_not_asked_for),
		cmocka_unit_test(headers_without_uid_or_text_are_not_whole),
		cmocka_unit_test(a_broken_response_does_not_name_the_next_message),
		cmocka_unit_test(headers_of_many_are_asked_for_some_at_a_time),
		cmocka_unit_test(an_upload_refused_at_its_literal_has_its_answer_at_once),
		cmocka_unit_test(check_explains_what_the_server_has),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
