#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "mailsync/base/command.h"
#include "mailsync/base/shell.h"

static void a_word_is_quoted_where_need_be(void **state)
{
	static const struct {
		const char *text, *word;
	} cases[] = {
		{"home/INBOX", "home/INBOX"},
		{"a-b_c.d@e%f+g=h:i,j/0", "a-b_c.d@e%f+g=h:i,j/0"},
		{"a b", "'a b'"},
		{"it's", "'it'\\''s'"},
		{"'", "''\\'''"},
		{"", "''"},
		{"~/x", "'~/x'"},
		{"$(x)", "'$(x)'"},
		{"a\nb", "'a\nb'"},
		{"\xc3\xa4", "'\xc3\xa4'"},
	};
	struct buf out;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		buf_init(&out, 100);
		shell_append_word(&out, cases[i].text);
		assert_string_equal(out.data, cases[i].word);
		buf_finish(&out);
	}
}

/* What a shell makes of it is what went in. */
static void a_shell_reads_the_word_back(void **state)
{
	static const char *const texts[] = {"a  b", "'\"\\$HOME`id`!*?[x]", "~", "-n",
					    "a;b&c|d<e>f"};
	struct buf out;
	char line[100];
	pid_t pid;
	int from;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		buf_init(&out, 200);
		buf_append_cstr(&out, "printf %s ");
		shell_append_word(&out, texts[i]);
		assert_int_equal(command_read(out.data, &from, NULL, &pid), 0);
		ssize_t len = read(from, line, sizeof(line) - 1);
		assert_int_equal(len, strlen(texts[i]));
		assert_memory_equal(line, texts[i], (size_t)len);
		close(from);
		assert_int_equal(waitpid(pid, NULL, 0), pid);
		buf_finish(&out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_word_is_quoted_where_need_be),
		cmocka_unit_test(a_shell_reads_the_word_back),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
