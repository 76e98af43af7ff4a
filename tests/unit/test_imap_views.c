/* Whose the data of a pipelined SELECT is, and what an answer is worth that cannot be read (I9). */
#include "imap_dialogue.h"

#define OPENING(exists, uidnext)                                                                  \
	"* " exists " EXISTS\\r\\n* OK [UIDVALIDITY 7] x\\r\\n* OK [UIDNEXT " uidnext "] x\\r\\n" \
	"* OK [HIGHESTMODSEQ 50] x\\r\\n"
#define LINE(number, uid)                                                 \
	"* " number " FETCH (UID " uid " FLAGS (\\\\Seen) RFC822.SIZE 9 " \
	"INTERNALDATE \"01-Jan-2020 00:00:00 +0000\")\\r\\n"

/* EXISTS and UIDNEXT; number and UID. */
#define LINE_1_5    LINE("1", "5")
#define LINE_3_5    LINE("3", "5")
#define LINE_3_6    LINE("3", "6")
#define LINE_5_5    LINE("5", "5")
#define OPENING_1_6 OPENING("1", "6")
#define OPENING_1_7 OPENING("1", "7")
#define OPENING_2_6 OPENING("2", "6")
#define OPENING_3_6 OPENING("3", "6")
#define OPENING_3_7 OPENING("3", "7")
#define OPENING_5_6 OPENING("5", "6")
#define OPENING_5_7 OPENING("5", "7")

/* What base knows of a mailbox. */
static struct remote_view_request since(const char *wire, struct keywords *keywords)
{
	return (struct remote_view_request){.wire = wire,
					    .uidvalidity = told(7),
					    .uidnext = told(6),
					    .modseq = told(40),
					    .keywords = keywords};
}

/* Views of "a" and "b", and what came of them. */
static void two_views(struct dialogue *dialogue, struct remote_view views[2])
{
	static const char *const wires[] = {"a", "b"};
	struct keywords keywords[2];
	for (size_t i = 0; i < 2; i++) {
		keywords_init(&keywords[i]);
		struct remote_view_request request = since(wires[i], &keywords[i]);
		OK(dialogue, remote_view_queue(dialogue->remote, &request, &dialogue->err));
	}
	for (size_t i = 0; i < 2; i++) {
		views[i] = (struct remote_view){0};
		OK(dialogue, remote_view_next(dialogue->remote, &views[i], &dialogue->err));
		keywords_finish(&keywords[i]);
	}
}

static void views_finish(struct remote_view views[2])
{
	remote_view_finish(&views[0]);
	remote_view_finish(&views[1]);
}

static void one_view(struct dialogue *dialogue, const struct remote_view_request *request,
		     struct remote_view *view)
{
	*view = (struct remote_view){0};
	OK(dialogue, remote_view_queue(dialogue->remote, request, &dialogue->err));
	OK(dialogue, remote_view_next(dialogue->remote, view, &dialogue->err));
}

/* Lines of UIDs 1 to 10001, but for 7; then 7 comes, and 9 has got a flag. By a loop: the script is
 * too long for a command otherwise. */
#define LINES_10001                                                                               \
	"'; i=0; while [ $i -lt 10001 ]; do i=$((i + 1)); [ $i = 7 ] || printf '* %d FETCH (UID " \
	"%d FLAGS ())\\r\\n' $i $i; done; printf '"                                               \
	"* 7 FETCH (UID 7 FLAGS ())\\r\\n* 9 FETCH (UID 9 FLAGS (\\\\Seen))\\r\\n"

static void a_long_listing_comes_in_parts(void **state)
{
	struct dialogue dialogue;
	struct remote_view view;
	struct keywords keywords;
	(void)state;
	DIALOGUE(&dialogue, "",
		 {2, OPENING("10001", "10002") "m1 OK x\\r\\n" LINES_10001 "m2 OK x\\r\\n"});
	keywords_init(&keywords);
	const struct remote_view_request request = {.wire = "a", .keywords = &keywords};
	one_view(&dialogue, &request, &view);
	assert_true(view.is_part);
	assert_true(view.is_full);
	assert_true(told_is(view.numbers.uidvalidity, 7));
	assert_int_equal(view.count, 10000);
	assert_int_equal(view.messages[6].uid, 8);
	assert_int_equal(view.messages[9999].uid, 10001);
	remote_view_finish(&view);
	OK(&dialogue, remote_view_next(dialogue.remote, &view, &dialogue.err));
	assert_false(view.is_part);
	assert_true(view.is_full);
	assert_int_equal(view.unread, 0);
	assert_true(told_is(view.numbers.messages, 10001));
	assert_int_equal(view.count, 2);
	assert_int_equal(view.messages[0].uid, 7);
	assert_int_equal(view.messages[1].uid, 9);
	assert_int_equal(view.messages[1].flags, FLAG_SEEN);
	remote_view_finish(&view);
	keywords_finish(&keywords);
	dialogue_close(&dialogue);
}

static void what_comes_before_closed_is_of_the_mailbox_before(void **state)
{
	struct dialogue dialogue;
	struct remote_view views[2];
	(void)state;
	DIALOGUE(&dialogue, "CONDSTORE",
		 {6, OPENING_1_6 "m1 OK x\\r\\nm2 OK x\\r\\n" LINE_1_5 "m3 OK x\\r\\n"
				 "* 1 FETCH (UID 5 FLAGS (\\\\Deleted))\\r\\n* 1 EXPUNGE\\r\\n"
				 "* 9 EXISTS\\r\\n"
				 "* OK [UIDVALIDITY 99] x\\r\\n* OK [CLOSED] x\\r\\n" OPENING_3_7
				 "* 2 FETCH (UID 2 FLAGS (\\\\Flagged))\\r\\n"
				 "m4 OK x\\r\\n"
				 "m5 OK x\\r\\n" LINE_3_6 "m6 OK x\\r\\n"});
	two_views(&dialogue, views);
	assert_int_equal(views[0].count, 1);
	assert_int_equal(views[0].messages[0].flags, FLAG_SEEN);
	assert_true(told_is(views[0].numbers.messages, 1));
	assert_true(told_is(views[1].numbers.messages, 3));
	assert_true(told_is(views[1].numbers.uidvalidity, 7));
	assert_int_equal(views[1].count, 2);
	assert_int_equal(views[1].messages[0].uid, 2);
	assert_int_equal(views[1].messages[1].uid, 6);
	assert_int_equal(views[0].unread + views[1].unread, 0);
	views_finish(views);
	dialogue_close(&dialogue);
}

static void without_closed_what_comes_before_the_answer_is_nobodys(void **state)
{
	struct dialogue dialogue;
	struct remote_view views[2];
	(void)state;
	DIALOGUE(&dialogue, "CONDSTORE",
		 {6, OPENING_1_6
		  "m1 OK x\\r\\nm2 OK x\\r\\n" LINE_1_5 "m3 OK x\\r\\n"
		  "* 9 EXISTS\\r\\n* 1 FETCH (UID 1 FLAGS (\\\\Deleted))\\r\\n" OPENING_3_6
		  "* 1 EXPUNGE\\r\\n* VANISHED 2\\r\\n"
		  "* 1 FETCH garbage\\r\\nm4 OK x\\r\\n"
		  "m5 OK x\\r\\n" LINE_3_5 "m6 OK x\\r\\n"});
	two_views(&dialogue, views);
	assert_true(told_is(views[1].numbers.messages, 3)); /* the last one told */
	assert_int_equal(views[1].count, 1);
	assert_int_equal(views[1].messages[0].uid, 5);
	assert_int_equal(views[1].gone.count, 0);
	assert_int_equal(views[1].unread, 0);
	views_finish(views);
	dialogue_close(&dialogue);
}

/* QRESYNC's own lines come before the answer too, so that what they tell is missed then. */
static void without_closed_a_view_by_qresync_is_not_whole(void **state)
{
	struct dialogue dialogue;
	struct remote_view views[2];
	struct remote_mailboxes found = {0};
	struct keywords keywords;
	(void)state;
	DIALOGUE(&dialogue, "ENABLE CONDSTORE QRESYNC",
		 {2, "* ENABLED QRESYNC\\r\\nm1 OK x\\r\\nm2 OK x\\r\\n"},
		 {4, OPENING_1_6 "* 1 FETCH (UID 5 FLAGS (\\\\Answered))\\r\\n"
				 "m3 OK x\\r\\n" LINE_1_5 "m4 OK x\\r\\n" OPENING_3_6
				 "* 1 FETCH (UID 1 FLAGS (\\\\Deleted))\\r\\nm5 OK x\\r\\n" LINE_3_5
				 "m6 OK x\\r\\n"},
		 {3, OPENING_3_6 "m7 OK x\\r\\n* 1 FETCH (UID 1 FLAGS ())\\r\\n"
				 "m8 OK x\\r\\n" LINE_3_5 "m9 OK x\\r\\n"});
	OK(&dialogue, remote_list(dialogue.remote, false, &found, &dialogue.err));
	remote_mailboxes_finish(&found);
	two_views(&dialogue, views);
	assert_int_equal(views[0].unread, 0); /* nothing was open before it */
	assert_int_equal(views[0].count, 1);
	assert_int_equal(views[1].unread, 1);
	assert_int_equal(views[1].count, 1);
	views_finish(views);
	keywords_init(&keywords);
	struct remote_view_request again = since("b", &keywords);
	one_view(&dialogue, &again, &views[0]);
	assert_int_equal(views[0].unread, 0);
	assert_int_equal(views[0].count, 2);
	remote_view_finish(&views[0]);
	keywords_finish(&keywords);
	char *text = heard(&dialogue);
	assert_non_null(strstr(text, "m5 EXAMINE \"b\" (QRESYNC (7 40))\n"));
	assert_non_null(strstr(text, "m7 EXAMINE \"b\" (CONDSTORE)\n"
				     "m8 UID FETCH 1:5 (UID FLAGS) (CHANGEDSINCE 40)\n"));
	free(text);
	dialogue_close(&dialogue);
}

static void bodies_are_not_of_the_mailbox_before(void **state)
{
	struct dialogue dialogue;
	struct remote_body body;
	struct uidset uids;
	uint32_t told = 0;
	(void)state;
	DIALOGUE(&dialogue, "",
		 {4,
		  OPENING_1_6 "m1 OK x\\r\\n* 1 FETCH (UID 5 BODY[] {1}\\r\\na)\\r\\nm2 OK x\\r\\n"
			      "* 1 FETCH (UID 5 BODY[] {1}\\r\\na)\\r\\n"
			      "* OK [UIDVALIDITY 3] x\\r\\n"
			      "* OK [CLOSED] x\\r\\n* OK [UIDVALIDITY 8] x\\r\\nm3 OK x\\r\\n"
			      "* 1 FETCH (UID 5 BODY[] {1}\\r\\nb)\\r\\nm4 OK x\\r\\n"});
	struct remote *remote = dialogue.remote;
	uidset_init(&uids);
	OK(&dialogue, uidset_add(&uids, 5, 5, &dialogue.err));
	OK(&dialogue, remote_fetch_open_queue(remote, "a", 1, &dialogue.err));
	OK(&dialogue, remote_fetch_queue(remote, REMOTE_WHOLE, &uids, 2, &dialogue.err));
	OK(&dialogue, remote_fetch_open_queue(remote, "b", 3, &dialogue.err));
	OK(&dialogue, remote_fetch_queue(remote, REMOTE_WHOLE, &uids, 4, &dialogue.err));
	do {
		OK(&dialogue, remote_fetch_next(remote, &body, &dialogue.err));
		if (body.type == REMOTE_FETCHED_OPENED) {
			assert_true(told_is(body.uidvalidity, body.cookie == 1 ? 7 : 8));
		}
		told += body.type == REMOTE_FETCHED_MESSAGE;
	} while (body.type != REMOTE_FETCHED_DONE || body.cookie != 4);
	assert_int_equal(told, 2);
	uidset_finish(&uids);
	dialogue_close(&dialogue);
}

static void lines_that_cannot_be_read_are_counted_on_their_view(void **state)
{
	struct dialogue dialogue;
	struct remote_view views[2];
	(void)state;
	DIALOGUE(&dialogue, "CONDSTORE",
		 {6, OPENING_5_7 "m1 OK x\\r\\n"
				 "* 3 FETCH (UID 3 FLAGS NIL)\\r\\n"
				 "* 4 FETCH (FLAGS (\\\\Seen))\\r\\nm2 OK x\\r\\n"
				 "* 5 FETCH (UID 6 FLAGS (\\\\Seen)\\r\\nm3 OK x\\r\\n" OPENING_1_6
				 "* FLAGS (\\\\Seen\\r\\nm4 OK x\\r\\n"
				 "m5 OK x\\r\\n" LINE_1_5 "m6 OK x\\r\\n"});
	two_views(&dialogue, views);
	assert_int_equal(views[0].unread, 3);
	assert_int_equal(views[1].unread, 0); /* nothing relies on FLAGS */
	views_finish(views);
	dialogue_close(&dialogue);
}

static void flags_that_come_with_another_line_are_told(void **state)
{
	struct dialogue dialogue;
	struct remote_view view;
	struct keywords keywords;
	(void)state;
	DIALOGUE(&dialogue, "CONDSTORE",
		 {3, OPENING_5_6 "m1 OK x\\r\\n* 3 FETCH (UID 3 MODSEQ (44))\\r\\n"
				 "* 3 FETCH (UID 3 FLAGS ())\\r\\nm2 OK x\\r\\n" LINE_5_5
				 "m3 OK x\\r\\n"});
	keywords_init(&keywords);
	struct remote_view_request request = since("a", &keywords);
	one_view(&dialogue, &request, &view);
	assert_int_equal(view.unread, 0);
	remote_view_finish(&view);
	keywords_finish(&keywords);
	dialogue_close(&dialogue);
}

/* One was expunged and one came since the counts were told: EXISTS is as before. */
static void new_mail_that_was_not_asked_for_leaves_a_view_that_is_not_whole(void **state)
{
	struct dialogue dialogue;
	struct remote_view view;
	struct keywords keywords;
	(void)state;
	DIALOGUE(&dialogue, "CONDSTORE", {2, OPENING_5_7 "m1 OK x\\r\\nm2 OK x\\r\\n"},
		 {2, OPENING_5_6 "m3 OK x\\r\\nm4 OK x\\r\\n"},
		 {2, "* 5 EXISTS\\r\\n* OK [UIDVALIDITY 7] x\\r\\nm5 OK x\\r\\nm6 OK x\\r\\n"},
		 {1, OPENING_1_7 "m7 OK x\\r\\n"});
	keywords_init(&keywords);
	struct remote_view_request request = since("a", &keywords);
	request.skip_new = true;
	one_view(&dialogue, &request, &view);
	assert_int_equal(view.unread, 1);
	remote_view_finish(&view);
	one_view(&dialogue, &request, &view);
	assert_int_equal(view.unread, 0);
	remote_view_finish(&view);
	one_view(&dialogue, &request, &view); /* UIDNEXT untold */
	assert_int_equal(view.unread, 1);
	remote_view_finish(&view);
	request.is_empty = true;
	one_view(&dialogue, &request, &view);
	assert_int_equal(view.unread, 1);
	assert_false(view.is_full);
	remote_view_finish(&view);
	keywords_finish(&keywords);
	dialogue_close(&dialogue);
}

static void a_count_that_cannot_be_read_is_not_told(void **state)
{
	static const char *const lines[] = {"* -1 EXISTS", "* 99999999999999999999 EXISTS",
					    "* 5 EXISTS\\r\\n* many EXISTS", "* EXISTS"};
	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		struct dialogue dialogue;
		char reply[200];
		snprintf(reply, sizeof(reply), "%s\\r\\n* OK [UIDVALIDITY 7] x\\r\\nm1 OK x\\r\\n",
			 lines[i]);
		DIALOGUE(&dialogue, "", {1, reply});
		assert_int_equal(remote_open(dialogue.remote, "a", REMOTE_READ, told(7), NULL,
					     &dialogue.err),
				 -ERR_PARTIAL);
		assert_non_null(strstr(dialogue.err.text, "EXISTS"));
		dialogue_close(&dialogue);
	}
}

static void search_is_believed_only_when_it_was_answered_and_read(void **state)
{
	static const struct {
		const char *reply;
		int code;
	} cases[] = {
		{"* SEARCH 1 2\\r\\nm2 OK x\\r\\n", 0},
		{"* SEARCH\\r\\nm2 OK x\\r\\n", 0},
		{"m2 OK x\\r\\n", -ERR_PARTIAL},
		{"* SEARCH 1 x\\r\\nm2 OK x\\r\\n", -ERR_PARTIAL},
		{"* SEARCH 1\\r\\n* -1 EXISTS\\r\\nm2 OK x\\r\\n", -ERR_PARTIAL},
		{"* SEARCH 1\\r\\nm2 NO x\\r\\n", -ERR_REFUSED},
	};
	static const enum remote_which which[] = {REMOTE_UIDS_ALL, REMOTE_UIDS_DELETED};
	(void)state;
	for (size_t i = 0; i < 2 * sizeof(cases) / sizeof(cases[0]); i++) {
		struct dialogue dialogue;
		struct uidset uids;
		struct told exists = UNTOLD;
		uidset_init(&uids);
		DIALOGUE(&dialogue, "", {1, OPENING_2_6 "m1 OK x\\r\\n"}, {1, cases[i / 2].reply});
		OK(&dialogue,
		   remote_open(dialogue.remote, "a", REMOTE_READ, told(7), NULL, &dialogue.err));
		assert_int_equal(
			remote_uids(dialogue.remote, which[i % 2], &uids, &exists, &dialogue.err),
			cases[i / 2].code);
		uidset_finish(&uids);
		dialogue_close(&dialogue);
	}
}

static void headers_among_which_is_one_that_cannot_be_read_are_not_whole(void **state)
{
	struct dialogue dialogue;
	struct uidset uids;
	struct remote_identity told;
	(void)state;
	DIALOGUE(&dialogue, "",
		 {1, "* 1 FETCH (UID 1 BODY[HEADER] {19}\\r\\nMessage-ID: <a>\\r\\n\\r\\n)\\r\\n"
		     "* 2 FETCH (UID two)\\r\\nm1 OK x\\r\\n"});
	uidset_init(&uids);
	OK(&dialogue, uidset_add(&uids, 1, 2, &dialogue.err));
	OK(&dialogue, remote_headers_begin(dialogue.remote, &uids, &dialogue.err));
	do {
		OK(&dialogue, remote_headers_next(dialogue.remote, &told, &dialogue.err));
	} while (!told.is_done);
	assert_int_equal(told.status, -ERR_PARTIAL);
	assert_false(told.is_whole);
	uidset_finish(&uids);
	dialogue_close(&dialogue);
}

static void a_list_with_a_line_that_cannot_be_read_is_not_whole(void **state)
{
	struct dialogue dialogue;
	struct remote_mailboxes found = {0};
	(void)state;
	DIALOGUE(&dialogue, "", {1, "* LIST () \"/\" INBOX\\r\\nm1 OK x\\r\\n"},
		 {1, "* LIST () \"/\" INBOX\\r\\n* LIST ) \"/\" Work\\r\\nm2 OK x\\r\\n"});
	OK(&dialogue, remote_list(dialogue.remote, false, &found, &dialogue.err));
	assert_true(found.is_whole && found.is_read);
	remote_mailboxes_finish(&found);
	OK(&dialogue, remote_list(dialogue.remote, false, &found, &dialogue.err));
	assert_false(found.is_whole || found.is_read);
	assert_int_equal(found.count, 1);
	remote_mailboxes_finish(&found);
	dialogue_close(&dialogue);
}

static void a_copyuid_beside_a_line_that_cannot_be_read_tells_not_all(void **state)
{
	struct dialogue dialogue;
	struct uidset uids;
	struct remote_done done;
	(void)state;
	DIALOGUE(&dialogue, "MOVE UIDPLUS",
		 {1, "* OK [COPYUID 5 1 9] x\\r\\n* 0 EXPUNGE\\r\\nm1 OK x\\r\\n"});
	uidset_init(&uids);
	OK(&dialogue, uidset_add(&uids, 1, 2, &dialogue.err));
	struct remote_change change = {.kind = REMOTE_MOVE, .uids = &uids, .wire = "b"};
	remote_done_init(&done);
	OK(&dialogue, remote_change_now(dialogue.remote, &change, &done, &dialogue.err));
	assert_int_equal(done.status, 0);
	assert_false(done.has_copied);
	assert_int_equal(done.copied.count, 1);
	remote_done_finish(&done);
	uidset_finish(&uids);
	dialogue_close(&dialogue);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_long_listing_comes_in_parts),
		cmocka_unit_test(what_comes_before_closed_is_of_the_mailbox_before),
		cmocka_unit_test(without_closed_what_comes_before_the_answer_is_nobodys),
		cmocka_unit_test(without_closed_a_view_by_qresync_is_not_whole),
		cmocka_unit_test(bodies_are_not_of_the_mailbox_before),
		cmocka_unit_test(lines_that_cannot_be_read_are_counted_on_their_view),
		cmocka_unit_test(flags_that_come_with_another_line_are_told),
		cmocka_unit_test(new_mail_that_was_not_asked_for_leaves_a_view_that_is_not_whole),
		cmocka_unit_test(a_count_that_cannot_be_read_is_not_told),
		cmocka_unit_test(search_is_believed_only_when_it_was_answered_and_read),
		cmocka_unit_test(headers_among_which_is_one_that_cannot_be_read_are_not_whole),
		cmocka_unit_test(a_list_with_a_line_that_cannot_be_read_is_not_whole),
		cmocka_unit_test(a_copyuid_beside_a_line_that_cannot_be_read_tells_not_all),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
