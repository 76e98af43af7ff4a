#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "mailsync/model/flags.h"
#include "mailsync/proto/mbox.h"

/* What stands between messages when a file is told as one text. */
#define NEXT "|"

/* The messages of TEXT, fed in pieces of STEP bytes, as one text; "!" behind one that is cut. */
static void read_all(struct span text, size_t step, struct buf *out)
{
	struct mbox *mbox = NULL;
	struct span data;
	struct err err;
	size_t room;

	assert_int_equal(mbox_create(&mbox, &err), 0);
	for (;;) {
		switch (mbox_next(mbox, &data)) {
		case MBOX_MORE: {
			char *place = mbox_room(mbox, &room);
			size_t len = text.len < step ? text.len : step;
			len = len < room ? len : room;
			if (len == 0) {
				mbox_feed_end(mbox);
				break;
			}
			memcpy(place, text.data, len);
			mbox_feed(mbox, len);
			text = (struct span){text.data + len, text.len - len};
			break;
		}
		case MBOX_DATA:
			buf_append_span(out, data);
			break;
		case MBOX_END:
			buf_append_cstr(out, mbox_message(mbox)->is_cut ? "!" NEXT : NEXT);
			break;
		case MBOX_DONE:
			mbox_destroy(&mbox);
			return;
		case MBOX_BEGIN:
		case MBOX_BODY:
			break;
		}
	}
}

static void expect(const char *text, const char *wanted)
{
	static const size_t steps[] = {1, 2, 3, 7, 100000};

	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		struct buf out;
		buf_init(&out, 1 << 20);
		read_all(span_of(text), steps[i], &out);
		if (strcmp(out.data, wanted) != 0) {
			fail_msg("%s\nin pieces of %zu:\n%s\nexpected:\n%s", text, steps[i],
				 out.data, wanted);
		}
		buf_finish(&out);
	}
}

static void write_message(struct span message, size_t step, struct buf *out)
{
	struct mbox_quote quote = {0};
	char from[MBOX_FROM_SIZE];

	mbox_format_from(0, from);
	buf_append_cstr(out, from);
	while (message.len > 0) {
		size_t len = message.len < step ? message.len : step;
		mbox_quote(&quote, (struct span){message.data, len}, out);
		message = (struct span){message.data + len, message.len - len};
	}
	mbox_quote_end(&quote, out);
}

#define FROM "From mailsync Thu Jan  1 00:00:00 1970\n"

static const char *const tricks[] = {
	"",
	"\n",
	"\n\n",
	"\n\n\n\n",
	"Subject: a\n",
	"Subject: a",
	"Subject: a\n\n",
	"Subject: a\n\nbody\n",
	"Subject: a\n\nbody",
	"Subject: a\n\nbody\n\n",
	"Subject: a\n\n\n\nbody\n\n\n",
	"From me Thu Jan  1 00:00:00 1970\nSubject: a\n\nbody\n",
	">From me\nSubject: a\n\nbody\n",
	"Subject: a\n\nFrom me\n",
	"Subject: a\n\nFrom me",
	"Subject: a\n\n>From me\n>>From me\n>>>>>From \n",
	"Subject: a\n\n\nFrom mailsync Thu Jan  1 00:00:00 1970\nSubject: b\n\nx\n",
	"Subject: a\n\n" FROM FROM "\n" FROM,
	"Subject: a\n\nFrom\nFrom",
	"Subject: a\n\nFrom:\n>From:\nFrom\tme\n from me\nfrom me\nFROM ME\n",
	"Subject: a\n\nx\n>",
	"Subject: a\n\nx\n>>>",
	"Subject: a\n\nx\n>>>Fro",
	"Subject: a\n\nx\n>>>From ",
	"Content-Length: 3\n\nabcdef\n\n" FROM "Subject: b\n\n",
	"Status: RO\nContent-Length: 0\n\nFrom me Thu Jan  1 00:00:00 1970\nX: y\n\n",
	"Subject: a\n\n\x80\xff\x01\n>\n",
	"\rFrom \n\r\n",
};
#define TRICKS (sizeof(tricks) / sizeof(tricks[0]))

static void what_is_written_is_read_byte_for_byte(void **state)
{
	static const size_t steps[] = {1, 2, 5, 100000};

	(void)state;
	for (size_t i = 0; i < TRICKS; i++) {
		for (size_t k = 0; k < TRICKS; k++) {
			struct buf file, one, wanted;
			buf_init(&file, 1 << 20);
			buf_init(&one, 1 << 20);
			buf_init(&wanted, 1 << 20);
			write_message(span_of(tricks[i]), steps[k % 4], &file);
			write_message(span_of(tricks[k]), steps[i % 4], &file);
			buf_printf(&wanted, "%s" NEXT "%s" NEXT, tricks[i], tricks[k]);
			read_all(buf_span(&file), 1 + i % 9, &one);
			if (strcmp(one.data, wanted.data) != 0) {
				fail_msg("%zu, %zu:\n%s\ncame of:\n%s\nexpected:\n%s", i, k,
					 one.data, file.data, wanted.data);
			}
			buf_finish(&wanted);
			buf_finish(&one);
			buf_finish(&file);
		}
	}
}

static void a_message_is_written_as_mboxrd(void **state)
{
	struct buf out;

	(void)state;
	buf_init(&out, 4096);
	write_message(SPAN_LIT("Subject: a\n\nFrom me\n>From me\n"), 1, &out);
	write_message(SPAN_LIT("Subject: b\n\nx"), 1, &out);
	write_message(SPAN_LIT("Subject: c\n\nx\n"), 1, &out);
	assert_string_equal(out.data, FROM "Subject: a\n\n>From me\n>>From me\n\n" FROM
					   "Subject: b\n\nx\n" FROM "Subject: c\n\nx\n\n");
	buf_finish(&out);
}

#define JOE "From joe@example.org Sat Jan  3 01:05:34 1996\n"

static void files_of_others_are_read(void **state)
{
	static const char *const cases[][2] = {
		{"", ""},
		{"\n\n", ""},
		{JOE "S: a\n\nx\n\n", "S: a\n\nx\n|"},
		{JOE "S: a\n\nx\n\n" JOE "S: b\n\ny\n\n", "S: a\n\nx\n|S: b\n\ny\n|"},
		{JOE "S: a\n\nx\n" JOE "S: b\n\ny\n", "S: a\n\nx|S: b\n\ny\n|"},
		{"\n\n" JOE "S: a\n\nx\n", "S: a\n\nx\n|"},
		/* Quoted, or not: */
		{JOE "S: a\n\n>From me\n>>From me\n", "S: a\n\nFrom me\n>From me\n|"},
		{JOE "S: a\n\nFrom me to you\n\nFrom here on\n",
		 "S: a\n\nFrom me to you\n\nFrom here on\n|"},
		{JOE "S: a\n\nx\n" JOE "no field\n", "S: a\n\nx\n" JOE "no field\n|"},
		{JOE "S: a\n\nx\n\n" JOE "no field\n\n", "S: a\n\nx\n|no field\n|"},
		{JOE ">From joe\nS: a\n\nx\n", ">From joe\nS: a\n\nx\n|"},
		/* Dates as others write them: */
		{"From - Thu Jan 1 00:00:00 1970\nS: a\n\n\n"
		 "From 12@xxx Thu Jan 01 00:00:00 +0000 2015\n"
		 "S: b\n\n\nFrom a b Thu, 1 Jan 1970 00:00:00 +0000\nS: c\n\n\n"
		 "From ???@??? Thu Jan 01 "
		 "00:00 EST 2015 remote from x\nS: d\n",
		 "S: a\n\n|S: b\n\n|S: c\n\n|S: d\n!|"},
		{"From joe\nS: a\n\nFrom me\n\nFrom you\nS: b\n\ny\n",
		 "S: a\n\nFrom me\n|S: b\n\ny\n|"},
		/* Other line ends: */
		{"From joe Sat Jan  3 01:05:34 1996\r\nS: a\r\n\r\n>From x\r\n\r\n\r\n"
		 "From joe Sat Jan  3 01:05:34 1996\r\nS: b\r\n\r\ny\r\n\r\n",
		 "S: a\n\nFrom x\n\n|S: b\n\ny\n|"},
		{JOE "S: a\r\n\r\n>From x\r\n\r\n\n" JOE "S: b\r\n\r\ny\r\n\r\n",
		 "S: a\n\nFrom x\n\n|S: b\n\ny\n|"},
		/* Cut: */
		{JOE "S: a\n\nx", "S: a\n\nx!|"},
		{JOE "S: a\n", "S: a\n!|"},
		{JOE "S: a", "S: a!|"},
		{JOE, "|"},
		{"From joe Sat Jan", "!|"},
		{JOE "S: a\n\nx\n\nFrom joe Sat J", "S: a\n\nx\n|!|"},
		{FROM "S: a\n\nx\n\nFrom mails", "S: a\n\nx\n|!|"},
		{FROM "S: a\n\nx\n\n" FROM "S: b\n\ny", "S: a\n\nx\n|S: b\n\ny!|"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		expect(cases[i][0], cases[i][1]);
	}
}

static void a_body_of_known_length_is_taken_as_it_stands(void **state)
{
	static const char file[] =
		JOE "Content-Length: 42\n\nx\n\n" JOE "\n" JOE "S: b\n\n>From y\n";
	struct mbox *mbox = NULL;
	struct span data;
	struct buf out;
	struct err err;
	size_t room;

	(void)state;
	buf_init(&out, 4096);
	assert_int_equal(mbox_create(&mbox, &err), 0);
	assert_int_equal(mbox_next(mbox, &data), MBOX_MORE);
	memcpy(mbox_room(mbox, &room), file, sizeof(file) - 1);
	mbox_feed(mbox, sizeof(file) - 1);
	enum mbox_event event;
	while ((event = mbox_next(mbox, &data)) != MBOX_DONE) {
		if (event == MBOX_BODY && mbox_message(mbox)->has_length) {
			assert_int_equal(mbox_message(mbox)->length, 42);
			assert_int_equal(mbox_offset(mbox), strlen(JOE) + 20);
			mbox_take_body(mbox, 3 + strlen(JOE), false);
		} else if (event == MBOX_DATA) {
			buf_append_span(&out, data);
		} else if (event == MBOX_END) {
			buf_append_cstr(&out, NEXT);
		} else if (event == MBOX_MORE) {
			mbox_feed_end(mbox);
		}
	}
	assert_string_equal(out.data,
			    "Content-Length: 42\n\nx\n\n" JOE NEXT "S: b\n\nFrom y\n" NEXT);
	mbox_destroy(&mbox);
	buf_finish(&out);
}

static void dates_and_flags_are_told(void **state)
{
	static const char file[] = "From joe Sat Jan  3 01:05:34 1996\n"
				   "Status: RO\nX-Status: AF\n\nx\n";
	struct mbox *mbox = NULL;
	struct span data;
	struct err err;
	size_t room;
	int64_t date;

	(void)state;
	assert_int_equal(mbox_create(&mbox, &err), 0);
	memcpy(mbox_room(mbox, &room), file, sizeof(file) - 1);
	mbox_feed(mbox, sizeof(file) - 1);
	mbox_feed_end(mbox);
	while (mbox_next(mbox, &data) != MBOX_DONE) {
	}
	assert_true(mbox_message(mbox)->has_date);
	assert_int_equal(mbox_message(mbox)->date, 820631134);
	assert_int_equal(mbox_message(mbox)->flags, FLAG_SEEN | FLAG_ANSWERED | FLAG_FLAGGED);
	mbox_destroy(&mbox);
	assert_true(mbox_is_from(SPAN_LIT("From 1@xxx Thu Jan 01 01:00:00 +0100 2015"), &date));
	assert_int_equal(date, 1420070400);
	assert_false(mbox_is_from(SPAN_LIT("From Thursday to 12:30 at 2015"), &date));
	assert_false(mbox_is_from(SPAN_LIT("From: Thu Jan 01 01:00:00 2015"), &date));
	assert_false(mbox_is_from(SPAN_LIT("From"), &date));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_is_read_byte_for_byte),
		cmocka_unit_test(a_message_is_written_as_mboxrd),
		cmocka_unit_test(files_of_others_are_read),
		cmocka_unit_test(a_body_of_known_length_is_taken_as_it_stands),
		cmocka_unit_test(dates_and_flags_are_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
