#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "mailsync/conf/provider.h"

static const char *name_of(const struct provider *provider)
{
	return provider ? provider->name : "none";
}

/* Cuts blanks off both ends. */
static char *trimmed(char *text)
{
	text += strspn(text, " \t");
	for (size_t len = strlen(text); len > 0 && strchr(" \t\r\n", text[len - 1]); len--) {
		text[len - 1] = '\0';
	}
	return text;
}

/* A reader of its own: the table is made by another one. */
static void each_line_of_the_data_is_in_the_table(void **state)
{
	FILE *stream = fopen("data/providers.ini", "r");
	char line[4096], name[128] = "";
	size_t sections = 0, pairs = 0, held = 0;

	(void)state;
	assert_non_null(stream); /* tests run in the top folder */
	while (fgets(line, sizeof(line), stream)) {
		char *text = trimmed(line), *equals = strchr(text, '=');
		if (sscanf(text, "[provider %127[^]]]", name) == 1) {
			sections++;
		} else if (*text && *text != ';') {
			assert_non_null(equals);
			*equals = '\0';
			const struct provider *provider = provider_by_name(NULL, name);
			assert_string_equal(name_of(provider), name);
			const char *value = provider_value(provider, trimmed(text));
			assert_non_null(value);
			assert_string_equal(value, trimmed(equals + 1));
			pairs++;
		}
	}
	fclose(stream);
	for (size_t i = 0; i < provider_table.count; i++) {
		held += provider_table.items[i].count;
	}
	assert_int_equal(provider_table.count, sections);
	assert_int_equal(held, pairs);
	assert_true(sections >= 30);
}

/* Calls CHECK with each word of VALUE. */
static void each_word(const char *value, const struct provider *provider,
		      void (*check)(const struct provider *, const char *word))
{
	char word[128];

	for (const char *at = value ? value : ""; *at; at += strspn(at, " ")) {
		size_t len = strcspn(at, " ");
		snprintf(word, sizeof(word), "%.*s", (int)len, at);
		check(provider, word);
		at += len;
	}
}

static void finds_its_domain(const struct provider *provider, const char *word)
{
	char domain[256];
	size_t len = strcspn(word, "*");

	snprintf(domain, sizeof(domain), "%.*s%s", (int)len, word, word[len] ? "com" : "");
	assert_string_equal(name_of(provider_by_domain(NULL, domain)), provider->name);
	assert_string_equal(name_of(provider_by_name(NULL, domain)), provider->name);
}

static void finds_its_mx(const struct provider *provider, const char *word)
{
	char exchanger[256];

	snprintf(exchanger, sizeof(exchanger), "mx1.%s.", word);
	assert_string_equal(name_of(provider_by_mx(NULL, exchanger)), provider->name);
	snprintf(exchanger, sizeof(exchanger), "not%s", word);
	assert_string_not_equal(name_of(provider_by_mx(NULL, exchanger)), provider->name);
}

static void each_provider_is_found_by_what_it_has(void **state)
{
	(void)state;
	for (size_t i = 0; i < provider_table.count; i++) {
		const struct provider *provider = &provider_table.items[i];
		const char *port = provider_value(provider, "port");
		each_word(provider_value(provider, "domains"), provider, finds_its_domain);
		each_word(provider_value(provider, "mx"), provider, finds_its_mx);
		assert_true(provider_value(provider, "domains") || provider_value(provider, "mx"));
		assert_non_null(provider_value(provider, "title"));
		const struct provider *of_host =
			provider_by_host(NULL, provider_value(provider, "host"),
					 port ? (unsigned)strtoul(port, NULL, 10) : 993);
		assert_string_equal(name_of(of_host), provider->name);
	}
}

static void a_domain_is_found_whatever_its_case(void **state)
{
	static const struct {
		const char *domain, *name;
	} cases[] = {
		{"GMail.com", "gmail"},
		{"yahoo.co.uk", "yahoo"},
		{"yahoo.com.br", "yahoo"},
		{"yahoo.co.jp", "yahoo-jp"},
		{"yahoo.of.my.own", "none"},
		{"yahoo.", "none"},
		{"notyahoo.com", "none"},
		{"mail.gmx.net", "none"},
		{"gmx.ch", "gmx"},
		{"gmx.com", "gmx.com"},
		{"hotmail.co.uk", "outlook"},
		{"example.org", "none"},
		{"", "none"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct provider *found = provider_by_domain(NULL, cases[i].domain);
		if (strcmp(name_of(found), cases[i].name) != 0) {
			fail_msg("%s is %s, not %s", cases[i].domain, name_of(found),
				 cases[i].name);
		}
	}
}

static void an_exchanger_is_found_by_its_end(void **state)
{
	(void)state;
	assert_string_equal(name_of(provider_by_mx(NULL, "aspmx.l.google.com.")), "gmail");
	assert_string_equal(
		name_of(provider_by_mx(NULL, "example-org.mail.protection.OUTLOOK.com")),
		"outlook");
	assert_string_equal(name_of(provider_by_mx(NULL, "in1-smtp.messagingengine.com")),
			    "fastmail");
	assert_string_equal(name_of(provider_by_mx(NULL, "mx.zoho.eu")), "zoho-eu-pro");
	assert_null(provider_by_mx(NULL, "google.com.example.org"));
	assert_null(provider_by_mx(NULL, "notgoogle.com"));
	assert_null(provider_by_mx(NULL, "com"));
	assert_null(provider_by_mx(NULL, "."));
}

static void what_is_on_this_machine_is_not_proton_but_by_its_port(void **state)
{
	(void)state;
	assert_string_equal(name_of(provider_by_host(NULL, "127.0.0.1", 1143)), "proton");
	assert_null(provider_by_host(NULL, "127.0.0.1", 993));
	assert_string_equal(name_of(provider_by_host(NULL, "POP.gmail.com", 995)), "gmail");
}

static void a_login_is_the_address_or_what_stands_before_its_sign(void **state)
{
	const char *address = "me@icloud.com";

	(void)state;
	assert_int_equal(provider_login_length(provider_by_name(NULL, "icloud"), address, 2), 2);
	assert_int_equal(provider_login_length(provider_by_name(NULL, "gmail"), address, 2),
			 strlen(address));
}

static void ones_own_come_first_and_replace(void **state)
{
	static const struct provider_pair pairs[] = {{"host", "imap.example.org"},
						     {"domains", "example.org yahoo.com"}};
	static const struct provider items[] = {{"home", pairs, 2}, {"Gmail", pairs, 1}};
	const struct providers own = {items, 2};
	size_t count = 0;

	(void)state;
	assert_ptr_equal(provider_by_name(&own, "home"), &items[0]);
	assert_ptr_equal(provider_by_name(&own, "gmail"), &items[1]);
	assert_ptr_equal(provider_by_domain(&own, "yahoo.com"), &items[0]);
	assert_ptr_equal(provider_by_host(&own, "imap.example.org", 993), &items[0]);
	assert_null(provider_by_domain(&own, "gmail.com"));
	assert_string_equal(name_of(provider_by_domain(&own, "yahoo.de")), "yahoo");
	for (size_t at = 0; provider_next(&own, &at) != NULL;) {
		count++;
	}
	assert_int_equal(count, provider_table.count + 1);
	assert_string_equal(provider_nearest(&own, "hime"), "home");
	assert_string_equal(provider_nearest(NULL, "fastmial"), "fastmail");
	assert_null(provider_nearest(NULL, "somewhere.example.org"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_line_of_the_data_is_in_the_table),
		cmocka_unit_test(each_provider_is_found_by_what_it_has),
		cmocka_unit_test(a_domain_is_found_whatever_its_case),
		cmocka_unit_test(an_exchanger_is_found_by_its_end),
		cmocka_unit_test(what_is_on_this_machine_is_not_proton_but_by_its_port),
		cmocka_unit_test(a_login_is_the_address_or_what_stands_before_its_sign),
		cmocka_unit_test(ones_own_come_first_and_replace),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
