/*
 * The pages of the manual, docs/mailsync.1 and those of groups of commands, against the tables of
 * commands and options. Runs in the top folder.
 */
#include <ctype.h>
#include <fcntl.h>
#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "mailsync/base/buf.h"
#include "mailsync/base/file.h"
#include "cli_options.h"

#define PAGES_MAX 16
#define OVERVIEW  "mailsync"

struct page {
	char name[32]; /* "mailsync-watch" */
	struct buf text;
};

struct manual {
	struct page pages[PAGES_MAX];
	size_t count;
};

static int manual_read(void **state)
{
	static struct manual manual;
	glob_t found;
	struct err err;

	assert_int_equal(glob("docs/*.1", 0, NULL, &found), 0);
	assert_in_range(found.gl_pathc, 2, PAGES_MAX);
	manual.count = found.gl_pathc;
	for (size_t i = 0; i < manual.count; i++) {
		struct page *page = &manual.pages[i];
		const char *name = found.gl_pathv[i] + strlen("docs/");
		snprintf(page->name, sizeof(page->name), "%.*s", (int)strcspn(name, "."), name);
		buf_init(&page->text, 1 << 20);
		if (file_read(AT_FDCWD, found.gl_pathv[i], &page->text, &err) < 0) {
			fail_msg("%s: %s", found.gl_pathv[i], err.text);
		}
	}
	globfree(&found);
	*state = &manual;
	return 0;
}

static int manual_finish(void **state)
{
	struct manual *manual = *state;

	for (size_t i = 0; i < manual->count; i++) {
		buf_finish(&manual->pages[i].text);
	}
	return 0;
}

static const struct page *page_find(const struct manual *manual, const char *name)
{
	for (size_t i = 0; i < manual->count; i++) {
		if (strcmp(manual->pages[i].name, name) == 0) {
			return &manual->pages[i];
		}
	}
	fail_msg("there is no docs/%s.1", name);
	return NULL;
}

/* The text of section NAME of PAGE, in OUT, which is empty where there is none. */
static void section(const struct page *page, const char *name, struct buf *out)
{
	char head[64];

	snprintf(head, sizeof(head), "\n.SH %s\n", name);
	const char *begin = strstr(page->text.data, head);
	const char *end = begin != NULL ? strstr(begin + 1, "\n.SH ") : NULL;
	buf_init(out, 1 << 20);
	if (begin != NULL) {
		size_t len = end != NULL ? (size_t)(end + 1 - begin) : strlen(begin);
		buf_append(out, begin, len);
	}
	buf_append_char(out, '\0');
}

/* WORD as roff writes it: its hyphens are minus signs. */
static void to_roff(const char *word, char *roff, size_t size)
{
	size_t used = 0;

	for (; *word != '\0' && used + 3 < size; word++) {
		if (*word == '-') {
			roff[used++] = '\\';
		}
		roff[used++] = *word;
	}
	roff[used] = '\0';
}

static bool section_has(const struct page *page, const char *name, const char *text)
{
	struct buf body;

	section(page, name, &body);
	bool has = strstr(body.data, text) != NULL;
	buf_finish(&body);
	return has;
}

/* Whether a paragraph of OPTIONS is about --NAME. */
static bool describes_option(const struct page *page, const char *name)
{
	struct buf body;
	char roff[64];
	bool has = false;

	to_roff(name, roff, sizeof(roff));
	section(page, "OPTIONS", &body);
	for (const char *at = strstr(body.data, "\n.TP\n"); at != NULL && !has;
	     at = strstr(at + 1, "\n.TP\n")) {
		const char *line = at + strlen("\n.TP\n");
		const char *end = line + strcspn(line, "\n");
		const char *word = strstr(line, "\\-\\-");
		has = word != NULL && word < end && strncmp(word + 4, roff, strlen(roff)) == 0 &&
		      strchr(" =\"\n", word[4 + strlen(roff)]) != NULL;
	}
	buf_finish(&body);
	return has;
}

static void a_command_is_described_in_one_page_that_help_names(void **state)
{
	const struct manual *manual = *state;
	const struct cli_command_row *row;
	char head[64];
	size_t i = 0;

	for (; (row = cli_command_row(i)) != NULL; i++) {
		snprintf(head, sizeof(head), "\n.TP\n.B %s\n", row->word);
		page_find(manual, row->page);
		for (size_t k = 0; k < manual->count; k++) {
			bool is_its = strcmp(manual->pages[k].name, row->page) == 0;
			if (section_has(&manual->pages[k], "COMMANDS", head) != is_its) {
				fail_msg("%s: %s in %s", row->word, is_its ? "is not" : "is",
					 manual->pages[k].name);
			}
		}
	}
	assert_true(i >= 15);
}

/* So that `man mailsync-token` finds mailsync-login(1), and the reader of mailsync(1) both. */
static void a_page_is_named_by_its_commands_and_by_the_overview(void **state)
{
	const struct manual *manual = *state;
	const struct page *overview = page_find(manual, OVERVIEW);
	const struct cli_command_row *row;
	char text[64];

	for (size_t i = 0; (row = cli_command_row(i)) != NULL; i++) {
		const struct page *page = page_find(manual, row->page);
		if (page != overview) {
			snprintf(text, sizeof(text), "mailsync\\-%s", row->word);
			assert_true(section_has(page, "NAME", text));
			snprintf(text, sizeof(text), "\n.BR %s ", row->word);
			assert_true(section_has(overview, "COMMANDS", text));
		}
	}
}

static bool is_for_page(const struct cli_option_word *option, const struct page *page)
{
	const struct cli_command_row *row;

	for (size_t i = 0; (row = cli_command_row(i)) != NULL; i++) {
		if (strcmp(row->page, page->name) == 0 && cli_option_is_for(option, row->command)) {
			return true;
		}
	}
	return false;
}

/* What stands in the overview is not said again; else each page tells what its commands make of
 * it. */
static void an_option_is_described_in_the_overview_or_with_its_commands(void **state)
{
	const struct manual *manual = *state;
	const struct page *overview = page_find(manual, OVERVIEW);
	struct cli_option_word option;
	size_t i = 0;

	for (; cli_option_word(i, &option); i++) {
		bool in_overview = describes_option(overview, option.name);
		for (size_t k = 0; k < manual->count; k++) {
			const struct page *page = &manual->pages[k];
			bool should = in_overview ? page == overview : is_for_page(&option, page);
			if (describes_option(page, option.name) != should) {
				fail_msg("--%s %s in %s", option.name, should ? "is not" : "is",
					 page->name);
			}
		}
	}
	assert_true(i >= 30);
}

static void a_page_has_its_name_and_a_date(void **state)
{
	const struct manual *manual = *state;
	int year, month, day;

	for (size_t k = 0; k < manual->count; k++) {
		char roff[64], head[128];
		int end = 0;
		to_roff(manual->pages[k].name, roff, sizeof(roff));
		for (char *at = roff; *at != '\0'; at++) {
			*at = (char)toupper((unsigned char)*at);
		}
		snprintf(head, sizeof(head), ".TH %s 1 ", roff);
		assert_memory_equal(manual->pages[k].text.data, head, strlen(head));
		int got = sscanf(manual->pages[k].text.data + strlen(head),
				 "\"%4d-%2d-%2d\" \"mailsync\" \"User commands\"\n%n", &year,
				 &month, &day, &end);
		assert_int_equal(got, 3);
		assert_true(end > 0);
		assert_in_range(year, 2026, 2100);
		assert_in_range(month, 1, 12);
		assert_in_range(day, 1, 31);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_command_is_described_in_one_page_that_help_names),
		cmocka_unit_test(a_page_is_named_by_its_commands_and_by_the_overview),
		cmocka_unit_test(an_option_is_described_in_the_overview_or_with_its_commands),
		cmocka_unit_test(a_page_has_its_name_and_a_date),
	};

	return cmocka_run_group_tests(tests, manual_read, manual_finish);
}
