#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cli_json.h"
#include "cli_print.h"
#include "cli_progress.h"
#include "cli_report.h"

static char inbox[] = "INBOX", file[] = "cur/1.x:2,S", why[] = "new here";

static void json_text_is_escaped_and_always_utf_8(void **state)
{
	struct buf out;

	(void)state;
	buf_init(&out, 4096);
	event_begin(&out, "x");
	event_text(&out, "a", "\"\\\n\t\x01 \xC3\xA4 \xF0\x9F\x92\xA9");
	event_text(&out, "b", "\xFF|\xC3|\xC0\xAF|\xED\xA0\x80|\xF5\x80");
	event_text(&out, "c", NULL);
	event_seconds(&out, "d", 1.2346);
	event_end(&out);
	assert_string_equal(
		out.data,
		"{\"event\":\"x\",\"a\":\"\\\"\\\\\\n\\t\\u0001 \xC3\xA4 \xF0\x9F\x92\xA9\","
		"\"b\":\"\xEF\xBF\xBD|\xEF\xBF\xBD|\xEF\xBF\xBD\xEF\xBF\xBD|"
		"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD|\xEF\xBF\xBD\xEF\xBF\xBD\","
		"\"c\":null,\"d\":1.235}\n");
	buf_finish(&out);
}

static void a_quiet_success_says_nothing(void **state)
{
	struct report_mailbox mailbox = {inbox, {.downloaded = 2}, true};
	struct report report = {
		.mailboxes = &mailbox, .mailbox_count = 1, .total = {.downloaded = 2}};
	struct cli_output output;

	(void)state;
	cli_output_init(&output, false, false);
	cli_print_report(&output, "work", &report);
	assert_int_equal(output.out.len, 0);
	assert_int_equal(output.err.len, 0);
	cli_output_finish(&output);
}

static void an_error_tells_its_mailbox_and_message(void **state)
{
	const struct cli_trouble trouble = {"work", inbox, 7, ERR_PARTIAL, "it is gone"};
	struct cli_output output;

	(void)state;
	cli_output_init(&output, false, false);
	cli_print_error(&output, &trouble);
	assert_string_equal(output.err.data, "mailsync: work/INBOX UID 7: it is gone\n");
	cli_output_finish(&output);
}

static void progress_counts_messages_once_there_is_a_plan(void **state)
{
	struct progress progress = {0};
	struct cli_meter meter = {0};
	struct buf out;

	(void)state;
	buf_init(&out, 4096);
	cli_progress_line(&out, "work", &meter, 80);
	assert_string_equal(out.data, "work: connecting");
	buf_clear(&out);
	progress_bytes(&progress, 1250);
	cli_meter_look(&meter, &progress, 1000);
	cli_progress_line(&out, "work", &meter, 80);
	assert_string_equal(out.data, "work: looking");
	buf_clear(&out);
	progress_bytes(&progress, 1500000);
	cli_meter_look(&meter, &progress, 1000);
	cli_progress_line(&out, "work", &meter, 80);
	assert_string_equal(out.data, "work: looking, 1.5 MB");
	progress_plan(&progress, 20000, 0);
	progress_copied(&progress, 5000);
	progress_bytes(&progress, UINT64_C(3100000000));
	buf_clear(&out);
	meter = (struct cli_meter){0};
	cli_meter_look(&meter, &progress, 2000);
	cli_progress_line(&out, "work", &meter, 80);
	assert_string_equal(out.data, "work: 1 of 20,000 messages, 3.1 GB");
	buf_finish(&out);
}

/* 620 messages, 4.65 MB more, and a look. */
static void a_second_passes(struct cli_meter *meter, struct progress *progress, int64_t now)
{
	for (int i = 0; i < 620; i++) {
		progress_copied(progress, 7500);
	}
	progress_bytes(progress, 4650000);
	cli_meter_look(meter, progress, now);
}

static struct cli_meter at_work(void)
{
	struct progress progress = {0};
	struct cli_meter meter = {0};

	progress_plan(&progress, 20000, 171000000);
	cli_meter_look(&meter, &progress, 1000);
	a_second_passes(&meter, &progress, 2000);
	a_second_passes(&meter, &progress, 3000);
	return meter;
}

/* Neither is it told before there is something to go by, nor does it begin far too high. */
static void the_time_left_is_right_from_the_first(void **state)
{
	struct progress progress = {0};
	struct cli_meter meter = {0};
	struct buf out;

	(void)state;
	buf_init(&out, 4096);
	progress_plan(&progress, 20000, 0);
	cli_meter_look(&meter, &progress, 250);
	progress_copied(&progress, 0);
	cli_meter_look(&meter, &progress, 9000);
	for (int64_t now = 9250; now <= 15000; now += 250) {
		for (int i = 0; i < 100; i++) {
			progress_copied(&progress, 0);
		}
		cli_meter_look(&meter, &progress, now);
		buf_clear(&out);
		cli_progress_line(&out, "home", &meter, 80);
		const char *left = strstr(out.data, "bytes, ");
		if (now < 9750) {
			assert_null(left);
		} else if (now >= 10000) {
			assert_non_null(left);
			assert_in_range(strtol(left + 7, NULL, 10), 44, 51);
		}
	}
	buf_finish(&out);
}

static void progress_fits_the_terminal(void **state)
{
	static const struct {
		size_t columns;
		const char *line;
	} cases[] = {
		{20, "home: 31 s left"},
		{40, "home: 1,240 of 20,000, 31 s left"},
		{50, "home: 1,240 of 20,000, 9.3 of 171 MB, 31 s left"},
		{60, "home: 1,240 of 20,000 messages, 9.3 of 171 MB, 31 s left"},
		{80, "home: 1,240 of 20,000 messages, 9.3 of 171 MB, 31 s left, 4.6 MB/s"},
		{120, "home: 1,240 of 20,000 messages, 9.3 of 171 MB, 31 s left, 4.6 MB/s"},
		{200, "home: 1,240 of 20,000 messages, 9.3 of 171 MB, 31 s left, 4.6 MB/s"},
	};
	const struct cli_meter meter = at_work();
	struct buf out;

	(void)state;
	buf_init(&out, 4096);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		buf_clear(&out);
		cli_progress_line(&out, "home", &meter, cases[i].columns);
		assert_string_equal(out.data, cases[i].line);
		assert_true(out.len < cases[i].columns);
	}
	buf_clear(&out);
	cli_progress_line(&out, "an-account-with-a-long-name", &meter, 60);
	assert_string_equal(out.data, "an-account-with-a-lo: 1,240 of 20,000 messages, 31 s left");
	buf_finish(&out);
}

static void progress_of_many_accounts_is_summed(void **state)
{
	const struct cli_meter one = at_work();
	struct cli_progress_sum sum = {.wanted = 300, .begun = 28, .done = 12, .ms = 6000};
	struct buf out;

	(void)state;
	buf_init(&out, 4096);
	cli_meter_add(&sum.all, &one);
	cli_meter_add(&sum.all, &one);
	cli_progress_sum(&out, &sum, 80);
	assert_string_equal(out.data, "12 of 300 accounts done, 2,480 messages, 18.6 MB, "
				      "2 min left, 9.3 MB/s");
	buf_clear(&out);
	cli_progress_sum(&out, &sum, 40);
	assert_string_equal(out.data, "12 of 300 accounts, 18.6 MB, 2 min left");
	buf_clear(&out);
	sum = (struct cli_progress_sum){.wanted = 2, .begun = 2, .done = 1, .all = sum.all};
	cli_progress_sum(&out, &sum, 80);
	assert_string_equal(out.data, "1 of 2 accounts done, 2,480 of 40,000 messages, 18.6 MB, "
				      "31 s left, 9.3 MB/s");
	buf_finish(&out);
}

static void sizes_and_counts_are_as_people_read_them(void **state)
{
	static const struct {
		uint64_t bytes;
		const char *text;
	} cases[] = {
		{0, "0 bytes"},      {999, "999 bytes"},    {1000, "1.0 kB"},
		{9349999, "9.3 MB"}, {171000000, "171 MB"}, {UINT64_C(20000000000), "20.0 GB"},
	};
	struct buf out;

	(void)state;
	buf_init(&out, 4096);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		buf_clear(&out);
		cli_print_size(&out, cases[i].bytes);
		assert_string_equal(out.data, cases[i].text);
	}
	buf_clear(&out);
	cli_print_count(&out, 1234567);
	buf_append_char(&out, ' ');
	cli_print_count(&out, 999);
	assert_string_equal(out.data, "1,234,567 999");
	buf_finish(&out);
}

static void a_verbose_report_names_changed_mailboxes(void **state)
{
	struct report_mailbox mailbox = {inbox, {.downloaded = 2, .flags_remote = 1}, true};
	struct report report = {.mailboxes = &mailbox,
				.mailbox_count = 1,
				.total = {.downloaded = 2, .flags_remote = 1}};
	struct cli_output output;

	(void)state;
	cli_output_init(&output, false, true);
	cli_print_report(&output, "work", &report);
	assert_non_null(strstr(output.err.data,
			       "mailsync: work/INBOX: 2 downloaded, 1 flagged on the server\n"));
	assert_int_equal(output.out.len, 0);
	cli_output_finish(&output);
}

static void json_lines_end_with_the_account(void **state)
{
	struct report_mailbox mailbox = {inbox, {.uploaded = 1}, true};
	struct report_error error = {inbox, 7, ERR_REFUSED, why};
	struct report report = {.mailboxes = &mailbox,
				.mailbox_count = 1,
				.errors = &error,
				.error_count = 1,
				.total = {.uploaded = 1, .errors = 1},
				.status = 1,
				.mailboxes_selected = 5,
				.seconds = 0.05};
	struct cli_output output;

	(void)state;
	cli_output_init(&output, true, false);
	cli_print_report(&output, "a", &report);
	assert_string_equal(
		output.out.data,
		"{\"event\":\"mailbox\",\"account\":\"a\",\"mailbox\":\"INBOX\",\"downloaded\":0,"
		"\"uploaded\":1,\"moved\":0,\"flags_local\":0,\"flags_remote\":0,"
		"\"deleted_local\":0,\"deleted_remote\":0,\"skipped\":0,\"errors\":0}\n"
		"{\"event\":\"error\",\"account\":\"a\",\"mailbox\":\"INBOX\",\"uid\":7,"
		"\"code\":\"refused\",\"message\":\"new here\"}\n"
		"{\"event\":\"account\",\"account\":\"a\",\"status\":1,\"downloaded\":0,"
		"\"uploaded\":1,\"moved\":0,\"flags_local\":0,\"flags_remote\":0,"
		"\"deleted_local\":0,\"deleted_remote\":0,\"skipped\":0,\"errors\":1,"
		"\"mailboxes\":5,\"mailboxes_changed\":0,\"connections\":0,\"commands\":0,"
		"\"round_trips\":0,\"bytes_in\":0,\"bytes_out\":0,\"seconds\":0.050}\n");
	assert_string_equal(output.err.data, "mailsync: a/INBOX UID 7: new here\n");
	cli_output_finish(&output);
}

static void a_plan_is_printed_for_people_and_machines(void **state)
{
	struct report_plan plan = {inbox, REPORT_UPLOAD, 0, 0, file, why};
	struct report report = {.plan = &plan, .plan_count = 1};
	struct cli_output output;
	struct buf out;

	(void)state;
	cli_output_init(&output, false, false);
	cli_print_report(&output, "a", &report);
	assert_string_equal(output.out.data, "a/INBOX: upload cur/1.x:2,S (new here)\n");
	cli_output_finish(&output);
	buf_init(&out, 4096);
	cli_report_json(&out, "a", &report, false);
	assert_string_equal(out.data, "{\"event\":\"plan\",\"account\":\"a\",\"mailbox\":\"INBOX\","
				      "\"op\":\"upload\",\"uid\":null,\"file\":\"cur/1.x:2,S\","
				      "\"why\":\"new here\"}\n");
	buf_finish(&out);
}

static void names_from_a_server_cannot_write_to_the_terminal(void **state)
{
	char name[] = "x\x1b[2J\xC2\x9B", use[] = "\\Sent";
	struct listing_entry entry = {
		.name = name,
		.special_use = use,
		.messages = 3,
		.has_messages = true,
		.is_selected = true,
	};
	struct listing listing = {&entry, 1};
	struct strlist only;
	struct cli_output output;

	(void)state;
	strlist_init(&only);
	cli_output_init(&output, false, false);
	cli_print_listing(&output, "a", &listing, &only);
	assert_non_null(strstr(output.out.data, "x?[2J?"));
	assert_null(strchr(output.out.data, 0x1b));
	assert_non_null(strstr(output.out.data, "\\Sent"));
	cli_output_finish(&output);
	strlist_finish(&only);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(json_text_is_escaped_and_always_utf_8),
		cmocka_unit_test(a_quiet_success_says_nothing),
		cmocka_unit_test(an_error_tells_its_mailbox_and_message),
		cmocka_unit_test(progress_counts_messages_once_there_is_a_plan),
		cmocka_unit_test(progress_fits_the_terminal),
		cmocka_unit_test(the_time_left_is_right_from_the_first),
		cmocka_unit_test(progress_of_many_accounts_is_summed),
		cmocka_unit_test(sizes_and_counts_are_as_people_read_them),
		cmocka_unit_test(a_verbose_report_names_changed_mailboxes),
		cmocka_unit_test(json_lines_end_with_the_account),
		cmocka_unit_test(a_plan_is_printed_for_people_and_machines),
		cmocka_unit_test(names_from_a_server_cannot_write_to_the_terminal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
