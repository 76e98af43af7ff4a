/* What IMAP servers tell of what they did, or half did (remote.h, struct remote_done). */
#include "imap_dialogue.h"

/* What KIND of UIDs 5 to 7 comes to when the server says REPLY. */
static void change_of_three(enum remote_change_kind kind, const char *reply,
			    struct remote_done *done)
{
	struct dialogue dialogue;
	struct uidset uids;
	struct err err;
	struct remote_change change = {
		.kind = kind, .uids = &uids, .wire = "b", .flags = FLAG_SEEN, .is_add = true};
	uidset_init(&uids);
	assert_int_equal(uidset_add(&uids, 5, 7, &err), 0);
	DIALOGUE(&dialogue, "MOVE UIDPLUS", {1, reply});
	remote_done_init(done);
	OK(&dialogue, remote_change_now(dialogue.remote, &change, done, &dialogue.err));
	uidset_finish(&uids);
	dialogue_close(&dialogue);
}

static void what_a_refused_move_did_is_told(void **state)
{
	static const char *const replies[] = {
		"* OK [COPYUID 9 5 40] x\\r\\n* 1 EXPUNGE\\r\\nm1 NO [OVERQUOTA] full\\r\\n",
		"m1 NO [COPYUID 9 5 40] full\\r\\n",
	};
	(void)state;
	for (size_t i = 0; i < sizeof(replies) / sizeof(replies[0]); i++) {
		struct remote_done done;
		change_of_three(REMOTE_MOVE, replies[i], &done);
		assert_int_equal(done.status, -ERR_REFUSED);
		assert_true(told_is(done.uidvalidity, 9));
		assert_int_equal(done.copied.count, 1);
		assert_int_equal(done.copied.to[0], 40);
		assert_false(uidset_contains(&done.refused, 5));
		assert_int_equal(uidset_size(&done.refused), 2);
		remote_done_finish(&done);
	}
}

static void a_copyuid_may_come_in_parts_or_twice(void **state)
{
	struct remote_done done;
	(void)state;
	change_of_three(REMOTE_MOVE,
			"* OK [COPYUID 9 5 40] x\\r\\n* OK [COPYUID 9 6:7 41:42] x\\r\\n"
			"m1 OK x\\r\\n",
			&done);
	assert_true(done.has_copied);
	assert_int_equal(done.copied.count, 3);
	assert_int_equal(done.copied.from[2], 7);
	assert_int_equal(done.copied.to[2], 42);
	remote_done_finish(&done);
	change_of_three(REMOTE_COPY,
			"* OK [COPYUID 9 5:7 40:42] x\\r\\nm1 OK [COPYUID 9 5:7 40:42] x\\r\\n",
			&done);
	assert_int_equal(done.copied.count, 3);
	remote_done_finish(&done);
}

static void a_copyuid_that_makes_no_sense_is_none(void **state)
{
	static const char *const replies[] = {
		"m1 OK x\\r\\n",
		"m1 OK [COPYUID] x\\r\\n",
		"m1 OK [COPYUID 9 5:7] x\\r\\n",
		"m1 OK [COPYUID 9 5:7 40:41] x\\r\\n",
		"m1 OK [COPYUID 0 5:7 40:42] x\\r\\n",
		"m1 OK [COPYUID 9 5:7 40:*] x\\r\\n",
		"m1 OK [COPYUID 9 5:7 NIL] x\\r\\n",
	};
	(void)state;
	for (size_t i = 0; i < sizeof(replies) / sizeof(replies[0]); i++) {
		struct remote_done done;
		change_of_three(REMOTE_COPY, replies[i], &done);
		assert_int_equal(done.status, 0);
		assert_false(done.has_copied);
		assert_int_equal(done.copied.count, 0);
		remote_done_finish(&done);
	}
}

static void what_a_store_left_as_it_was_is_told(void **state)
{
	struct remote_done done;
	(void)state;
	change_of_three(REMOTE_STORE, "m1 OK [MODIFIED 6:7] x\\r\\n", &done);
	assert_int_equal(done.status, 0);
	assert_int_equal(uidset_size(&done.refused), 2);
	assert_true(uidset_contains(&done.refused, 6));
	remote_done_finish(&done);
	change_of_three(REMOTE_STORE, "m1 OK [MODIFIED x] x\\r\\n", &done);
	assert_int_equal(done.status, -ERR_REFUSED);
	assert_int_equal(uidset_size(&done.refused), 3);
	remote_done_finish(&done);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_a_refused_move_did_is_told),
		cmocka_unit_test(a_copyuid_may_come_in_parts_or_twice),
		cmocka_unit_test(a_copyuid_that_makes_no_sense_is_none),
		cmocka_unit_test(what_a_store_left_as_it_was_is_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
