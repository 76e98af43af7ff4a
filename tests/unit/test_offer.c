#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "discover_private.h"
#include "mailsync/base/auth.h"

static const struct {
	enum conn_protocol protocol;
	const char *lines;
	bool is_told;
	unsigned mechs;
} cases[] = {
	{CONN_IMAP, "", false, 0},
	{CONN_IMAP, "* OK hello\r\nA001 OK done\r\n", false, 0},
	{CONN_IMAP, "* OK hello\r\n* CAPABILITY IMAP4rev1\r\nA001 OK done\r\n", true,
	 AUTH_BIT(AUTH_COMMAND)},
	{CONN_IMAP, "* CAPABILITY IMAP4rev1 AUTH=PLAIN auth=oauthbearer AUTH=NEW LOGINDISABLED\r\n",
	 true, AUTH_BIT(AUTH_PLAIN) | AUTH_BIT(AUTH_OAUTHBEARER)},
	{CONN_IMAP, "* CAPABILITY LOGINDISABLED\n* capability IMAP4rev1 AUTH=PLAIN", true,
	 AUTH_BIT(AUTH_PLAIN) | AUTH_BIT(AUTH_COMMAND)},
	{CONN_IMAP, "A001 CAPABILITY AUTH=PLAIN\r\n*\r\n \r\n\r\n", false, 0},
	{CONN_IMAP, "* CAPABILITY AUTH= AUTH", true, AUTH_BIT(AUTH_COMMAND)},
	{CONN_POP3, "+OK\r\nUIDL\r\nTOP\r\n.\r\n", false, 0},
	{CONN_POP3, "+OK\r\nUSER\r\nSASL PLAIN SCRAM-SHA-256\r\n.\r\n", true,
	 AUTH_BIT(AUTH_COMMAND) | AUTH_BIT(AUTH_PLAIN) | AUTH_BIT(AUTH_SCRAM_SHA_256)},
	{CONN_POP3, "SASL\r\n", true, 0},
};

static void what_a_server_offers_is_read(void **state)
{
	struct discover_offer offer;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		offer_read(cases[i].protocol, span_of(cases[i].lines), &offer);
		assert_int_equal(offer.is_told, cases[i].is_told);
		assert_int_equal(offer.mechs, cases[i].mechs);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_a_server_offers_is_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
