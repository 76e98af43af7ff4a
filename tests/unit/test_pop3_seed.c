/* Lists that other tools keep of what they fetched (K8). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "mailsync/store/pop3_seed.h"

static void check_seed(enum pop3_seed_kind kind, struct span text, const char *first, size_t count)
{
	struct strlist uidls;
	struct err err;

	strlist_init(&uidls);
	assert_int_equal(pop3_seed_parse(kind, text, "joe", "pop.example", &uidls, &err), 0);
	assert_int_equal(uidls.count, count);
	assert_string_equal(uidls.items[0], first);
	strlist_finish(&uidls);
}

static void uidl_files_of_other_tools_are_read_for_this_user_only(void **state)
{
	(void)state;
	check_seed(POP3_SEED_MPOP,
		   SPAN_LIT("# c\n 1 other joe\nz\n 2 POP.example joe\nu1\nu2 1700000000\n 1 "
			    "pop.example ann\ny\n"),
		   "u1", 2);
	check_seed(POP3_SEED_GETMAIL, SPAN_LIT("u1\0001700000000\nbroken\nu2\0001\n"), "u1", 2);
	check_seed(POP3_SEED_FETCHMAIL,
		   SPAN_LIT("joe@pop.example u1\nann@pop.example x\njoe@other y\nnonsense"), "u1",
		   1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(uidl_files_of_other_tools_are_read_for_this_user_only),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
