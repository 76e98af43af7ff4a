#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "mailsync/base/log.h"

/* Writes with a log of LEVEL into memory; the caller frees what it wrote. */
static char *written(enum log_level level, void (*act)(struct log *log))
{
	struct log log;
	char *text = NULL;
	size_t size = 0;
	FILE *stream = open_memstream(&text, &size);

	assert_non_null(stream);
	assert_int_equal(log_init(&log, stream, level), 0);
	act(&log);
	log_finish(&log);
	fclose(stream);
	return text;
}

static void one_of_each(struct log *log)
{
	log_line(log, LOG_ERROR, "error %d", 1);
	log_line(log, LOG_WARN, "warn");
	log_line(log, LOG_INFO, "info");
	log_wire(log, "a#1 >", SPAN_LIT("x1 NOOP"), NULL);
}

static void odd_bytes(struct log *log)
{
	log_line(log, LOG_ERROR, "a\x1b[0m\nb\xff");
	log_wire(log, "<", SPAN_LIT("* OK \0\r\n"), NULL);
	log_wire(log, "<", span_of(NULL), NULL);
}

static void long_wire_line(struct log *log)
{
	char line[5000];

	memset(line, 'x', sizeof(line));
	log_wire(log, "<", (struct span){line, sizeof(line)}, NULL);
}

static void log_writes_up_to_its_level(void **state)
{
	char *text = written(LOG_WARN, one_of_each);

	(void)state;
	assert_string_equal(text, "mailsync: error 1\nmailsync: warn\n");
	free(text);
	text = written(LOG_WIRE, one_of_each);
	assert_string_equal(text, "mailsync: error 1\nmailsync: warn\nmailsync: info\n"
				  "mailsync: a#1 > x1 NOOP\n");
	free(text);
}

static void log_lines_hold_no_control_characters(void **state)
{
	char *text = written(LOG_WIRE, odd_bytes);

	(void)state;
	assert_string_equal(text, "mailsync: a?[0m?b?\nmailsync: < * OK ???\nmailsync: < \n");
	free(text);
}

static void log_wire_cuts_long_lines_and_tells_their_length(void **state)
{
	char *text = written(LOG_WIRE, long_wire_line);

	(void)state;
	assert_true(strlen(text) < 1000);
	assert_non_null(strstr(text, "x... (5000 bytes)\n"));
	free(text);
}

static void progress_around_a_hold(struct log *log)
{
	log_progress(log, "1 of 3");
	log_hold(log);
	log_progress(log, "2 of 3");
	log_line(log, LOG_ERROR, "error");
	log_release(log);
	log_progress(log, "3 of 3");
}

static void log_shows_no_progress_while_it_is_held(void **state)
{
	char *text = written(LOG_WARN, progress_around_a_hold);

	(void)state;
	assert_string_equal(text, "1 of 3\r\033[Kmailsync: error\n3 of 3");
	free(text);
}

static void progress_of_three_lines(struct log *log)
{
	log_progress(log, "a\nb\nc");
	log_progress(log, "d");
	log_progress(log, NULL);
}

static void log_takes_away_all_lines_of_a_progress(void **state)
{
	char *text = written(LOG_WARN, progress_of_three_lines);

	(void)state;
	assert_string_equal(text, "a\nb\nc\r\033[K\033[A\033[K\033[A\033[Kd\r\033[K");
	free(text);
}

/* A terminal that gets it in parts flickers; standard error has no buffer. Each write to such a
 * socket is a packet of its own. */
static void log_shows_a_progress_in_one_piece(void **state)
{
	char packet[200];
	struct log log;
	int ends[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM, 0, ends), 0);
	FILE *stream = fdopen(ends[0], "w");
	assert_non_null(stream);
	assert_int_equal(setvbuf(stream, NULL, _IONBF, 0), 0);
	assert_int_equal(log_init(&log, stream, LOG_WARN), 0);
	log_progress(&log, "a\nb\nc");
	log_progress(&log, "d\ne\nf");
	log_finish(&log);
	fclose(stream);
	assert_int_equal(read(ends[1], packet, sizeof(packet)), 5);
	ssize_t len = read(ends[1], packet, sizeof(packet));
	assert_int_equal(len, strlen("\r\033[K\033[A\033[K\033[A\033[Kd\ne\nf"));
	close(ends[1]);
}

static void log_without_a_stream_is_silent(void **state)
{
	struct log log;

	(void)state;
	assert_int_equal(log_init(&log, NULL, LOG_WIRE), 0);
	assert_false(log_enabled(&log, LOG_ERROR));
	assert_false(log_enabled(NULL, LOG_ERROR));
	one_of_each(&log);
	log_finish(&log);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(log_writes_up_to_its_level),
		cmocka_unit_test(log_lines_hold_no_control_characters),
		cmocka_unit_test(log_wire_cuts_long_lines_and_tells_their_length),
		cmocka_unit_test(log_shows_no_progress_while_it_is_held),
		cmocka_unit_test(log_takes_away_all_lines_of_a_progress),
		cmocka_unit_test(log_shows_a_progress_in_one_piece),
		cmocka_unit_test(log_without_a_stream_is_silent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
