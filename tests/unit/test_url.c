#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "mailsync/base/url.h"

static bool below(const char *host, const char *domain)
{
	return url_host_is_below(span_of(host), span_of(domain));
}

static void a_host_is_below_its_own_domain_and_those_above(void **state)
{
	(void)state;
	assert_true(below("example.org", "example.org"));
	assert_true(below("imap.example.org", "example.org"));
	assert_true(below("a.b.Example.ORG", "b.exAmple.org"));
	assert_true(below("imap.example.org.", "example.org"));
	assert_true(below("imap.example.org", "org"));
}

static void what_only_ends_alike_is_not_below(void **state)
{
	(void)state;
	assert_false(below("myexample.org", "example.org"));
	assert_false(below("example.org", "imap.example.org"));
	assert_false(below("example.org.evil.example", "example.org"));
	assert_false(below("", "example.org"));
	assert_false(below("example.org", ""));
	assert_false(below(".", "org"));
	assert_false(below("\xc3\x84.example", "\xc3\xa4.example"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_host_is_below_its_own_domain_and_those_above),
		cmocka_unit_test(what_only_ends_alike_is_not_below),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
