#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "mailsync/model/mbname.h"

static const struct mbname_wire wire_slash = {.separator = '/'};
static const struct mbname_wire wire_dot = {.separator = '.'};
static const struct mbname_wire wire_courier = {.separator = '.', .prefix = "INBOX."};
static const struct mbname_wire wire_flat = {.separator = '\0'};
static const struct mbname_wire wire_utf8 = {.separator = '/', .is_utf8 = true};

static void expect_wire(const struct mbname_wire *wire, const char *sent, const char *canonical)
{
	struct buf out;
	struct err err;
	buf_init(&out, MBNAME_MAX);
	if (mbname_from_wire(wire, span_of(sent), &out, &err) != 0) {
		fail_msg("%s: %s", sent, err.text);
	}
	assert_string_equal(out.data, canonical);
	buf_clear(&out);
	assert_int_equal(mbname_to_wire(wire, canonical, &out, &err), 0);
	assert_string_equal(out.data, sent);
	buf_finish(&out);
}

static void wire_names_go_both_ways(void **state)
{
	(void)state;
	expect_wire(&wire_slash, "INBOX", "INBOX");
	expect_wire(&wire_slash, "a/b", "a/b");
	expect_wire(&wire_slash, "a.b", "a.b");
	expect_wire(&wire_dot, "a.b", "a/b");
	expect_wire(&wire_dot, "a/b.c", "a%2Fb/c");
	expect_wire(&wire_dot, "100%", "100%");
	expect_wire(&wire_dot, "100%zz", "100%zz");
	expect_wire(&wire_dot, "100%2Fx", "100%252Fx");
	expect_wire(&wire_dot, "%%25", "%%2525");
	expect_wire(&wire_dot, "%/2F", "%%2F2F");
	expect_wire(&wire_flat, "a/b.c", "a%2Fb.c");
	expect_wire(&wire_slash, "Entw&APw-rfe", "Entw\xc3\xbcrfe");
	expect_wire(&wire_utf8, "Entw\xc3\xbcrfe & x", "Entw\xc3\xbcrfe & x");
	expect_wire(&wire_courier, "INBOX.Work", "Work");
	expect_wire(&wire_courier, "INBOX.INBOX.Child", "INBOX/Child");
	expect_wire(&wire_courier, "INBOX.a.b", "a/b");
	expect_wire(&wire_slash, "..", "..");
}

static void expect_from_wire(const struct mbname_wire *wire, struct span sent,
			     const char *canonical)
{
	struct buf out;
	struct err err;
	buf_init(&out, MBNAME_MAX);
	int code = mbname_from_wire(wire, sent, &out, &err);
	if (canonical == NULL) {
		assert_int_equal(code, -ERR_PARTIAL);
		assert_int_equal(err.scope, SCOPE_MAILBOX);
		assert_int_equal(out.len, 0);
	} else {
		assert_int_equal(code, 0);
		assert_string_equal(out.data, canonical);
	}
	buf_finish(&out);
}

static void wire_names_are_read_leniently(void **state)
{
	(void)state;
	expect_from_wire(&wire_dot, SPAN_LIT("inbox"), "INBOX");
	expect_from_wire(&wire_dot, SPAN_LIT("Inbox.x"), "INBOX/x");
	expect_from_wire(&wire_courier, SPAN_LIT("Inbox.Work"), "Work");
	expect_from_wire(&wire_courier, SPAN_LIT("shared.Work"), "shared/Work");
	expect_from_wire(&wire_slash, SPAN_LIT("Entw\xc3\xbcrfe"), "Entw\xc3\xbcrfe");
	expect_from_wire(&wire_slash, SPAN_LIT("A & B"), "A & B");
}

static void wire_names_that_are_none_are_refused(void **state)
{
	(void)state;
	expect_from_wire(&wire_slash, SPAN_LIT(""), NULL);
	expect_from_wire(&wire_slash, SPAN_LIT("a//b"), NULL);
	expect_from_wire(&wire_slash, SPAN_LIT("/a"), NULL);
	expect_from_wire(&wire_slash, SPAN_LIT("a/"), NULL);
	expect_from_wire(&wire_slash, SPAN_LIT("a\nb"), NULL);
	expect_from_wire(&wire_slash, (struct span){"a\0b", 3}, NULL);
	expect_from_wire(&wire_slash, SPAN_LIT("tab&AAk-"), NULL);
	expect_from_wire(&wire_slash, SPAN_LIT("caf\xe9"), NULL);
	expect_from_wire(&wire_courier, SPAN_LIT("INBOX.INBOX"), NULL);
	expect_from_wire(&wire_courier, SPAN_LIT("INBOX."), NULL);
}

static void names_that_a_server_cannot_hold_are_refused(void **state)
{
	static const char *const bad[] = {"a.b",  "",     "a//b", "/a",   "a/",  "inbox",
					  "a\tb", "a%41", "a%2f", "a%25", "\xff"};
	struct buf out;
	struct err err;
	(void)state;
	buf_init(&out, MBNAME_MAX);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(mbname_to_wire(&wire_dot, bad[i], &out, &err), -ERR_PARTIAL);
	}
	assert_int_equal(mbname_to_wire(&wire_flat, "a/b", &out, &err), -ERR_PARTIAL);
	assert_int_equal(mbname_to_wire(&wire_slash, "a%2Fb", &out, &err), -ERR_PARTIAL);
	assert_int_equal(out.len, 0);
	buf_finish(&out);
}

static void expect_path(enum mbname_layout layout, const char *inbox, const char *name,
			const char *path)
{
	struct buf out;
	struct err err;
	buf_init(&out, MBNAME_MAX);
	if (mbname_to_path(layout, inbox, name, &out, &err) != 0) {
		fail_msg("%s: %s", name, err.text);
	}
	assert_string_equal(out.data, path);
	buf_clear(&out);
	assert_int_equal(mbname_from_path(layout, inbox, span_of(path), &out, &err), 0);
	assert_string_equal(out.data, name);
	buf_finish(&out);
}

static void paths_go_both_ways(void **state)
{
	(void)state;
	expect_path(LAYOUT_FS, "INBOX", "INBOX", "INBOX");
	expect_path(LAYOUT_FS, ".", "INBOX", ".");
	expect_path(LAYOUT_FS, "mail", "INBOX", "mail");
	expect_path(LAYOUT_FS, "INBOX", "INBOX/Child", "INBOX/Child");
	expect_path(LAYOUT_FS, "Inbox", "INBOX/Child", "Inbox/Child");
	expect_path(LAYOUT_FS, "mail", "INBOX/Child", "INBOX/Child");
	expect_path(LAYOUT_FS, "INBOX", "a/b", "a/b");
	expect_path(LAYOUT_FS, "INBOX", "a.b", "a.b");
	expect_path(LAYOUT_FS, "INBOX", "a%2Fb", "a%2Fb");
	expect_path(LAYOUT_FS, "INBOX", "..", "%2E.");
	expect_path(LAYOUT_FS, "INBOX", ".hidden/x", "%2Ehidden/x");
	expect_path(LAYOUT_FS, "INBOX", "cur/new/tmp", "%63ur/%6Eew/%74mp");
	expect_path(LAYOUT_FS, "INBOX", "x%252E", "x%252E");
	expect_path(LAYOUT_FS, "INBOX", "mailsync-id", "%6Dailsync-id");
	expect_path(LAYOUT_MAILDIRPP, "", "INBOX", ".");
	expect_path(LAYOUT_MAILDIRPP, "", "a/b", ".a.b");
	expect_path(LAYOUT_MAILDIRPP, "", "INBOX/x", ".INBOX.x");
	expect_path(LAYOUT_MAILDIRPP, "", "a.b/cur", ".a%2Eb.cur");
	expect_path(LAYOUT_MAILDIRPP, "", "..", ".%2E%2E");
}

static void directories_that_are_no_mailboxes_are_refused(void **state)
{
	static const char *const fs[] = {"cur", "a/cur", ".a",   "..",     "../x",    "a/../b",
					 "/a",  "a//b",  "a/",   "inbox",  "inbox/x", "a%41",
					 "%2e", "%61",   "\xff", "INBOX/", "."};
	static const char *const maildirpp[] = {"a",    "..",   ".a..b",    ".a.", ".INBOX",
						".a/b", ".%61", ".inbox.x", "/",   ".a%2E%2e"};
	struct buf out;
	struct err err;
	(void)state;
	buf_init(&out, MBNAME_MAX);
	for (size_t i = 0; i < sizeof(fs) / sizeof(fs[0]); i++) {
		if (mbname_from_path(LAYOUT_FS, "INBOX", span_of(fs[i]), &out, &err) !=
		    -ERR_PARTIAL) {
			fail_msg("accepted %s", fs[i]);
		}
	}
	for (size_t i = 0; i < sizeof(maildirpp) / sizeof(maildirpp[0]); i++) {
		if (mbname_from_path(LAYOUT_MAILDIRPP, "", span_of(maildirpp[i]), &out, &err) !=
		    -ERR_PARTIAL) {
			fail_msg("accepted %s", maildirpp[i]);
		}
	}
	assert_int_equal(mbname_from_path(LAYOUT_FS, "INBOX", SPAN_LIT("inbox/x"), &out, &err),
			 -ERR_PARTIAL);
	assert_non_null(strstr(err.text, "(it would be INBOX/x); rename it"));
	assert_int_equal(mbname_from_path(LAYOUT_FS, "Mail", SPAN_LIT("INBOX"), &out, &err),
			 -ERR_PARTIAL);
	assert_int_equal(mbname_to_path(LAYOUT_FS, "Mail", "Mail", &out, &err), -ERR_PARTIAL);
	assert_int_equal(out.len, 0);
	buf_finish(&out);
}

static void components_over_255_bytes_are_refused(void **state)
{
	char name[258];
	struct buf out;
	struct err err;
	(void)state;
	buf_init(&out, MBNAME_MAX);
	memset(name, 'x', sizeof(name));
	name[255] = '\0';
	assert_int_equal(mbname_to_path(LAYOUT_FS, "INBOX", name, &out, &err), 0);
	assert_int_equal(mbname_to_path(LAYOUT_MAILDIRPP, "", name, &out, &err), -ERR_PARTIAL);
	name[255] = 'x';
	name[256] = '\0';
	assert_int_equal(mbname_to_path(LAYOUT_FS, "INBOX", name, &out, &err), -ERR_PARTIAL);
	buf_finish(&out);
}

/* True when PATH is one that may not come out of mbname_to_path. */
static bool path_is_dangerous(enum mbname_layout layout, const char *path)
{
	if (path[0] == '/' || path[0] == '\0') {
		return true;
	}
	if (layout == LAYOUT_MAILDIRPP) {
		return path[0] != '.' || strchr(path, '/') != NULL || strstr(path, "..") != NULL;
	}
	for (const char *at = path; at != NULL; at = strchr(at, '/')) {
		at += *at == '/' ? 1 : 0;
		size_t len = strcspn(at, "/");
		if (len == 0 || at[0] == '.' ||
		    (len == 3 && (memcmp(at, "cur", 3) == 0 || memcmp(at, "new", 3) == 0 ||
				  memcmp(at, "tmp", 3) == 0))) {
			return true;
		}
	}
	return false;
}

static void random_name(char *name, size_t *len)
{
	static const char *const pieces[] = {"/",     ".",     "..", "cur", "new",   "tmp",
					     "%",     "2F",    "25", "2E",  "63ur",  "a",
					     "INBOX", "inbox", "&",  "&-",  "&AOk-", "\xc3\xa9",
					     "\xff",  "\n",    "~",  "\\",  " ",     "mailsync-id"};
	int count = rand() % 8;
	*len = 0;
	for (int i = 0; i < count; i++) {
		const char *piece = pieces[(size_t)rand() % (sizeof(pieces) / sizeof(pieces[0]))];
		memcpy(name + *len, piece, strlen(piece));
		*len += strlen(piece);
	}
	if (rand() % 16 == 0) {
		name[(*len)++] = (char)rand();
	}
	name[*len] = '\0';
}

static void expect_path_inverse(const char *name)
{
	for (int layout = LAYOUT_FS; layout <= LAYOUT_MAILDIRPP; layout++) {
		struct buf path;
		struct buf again;
		struct err err;
		buf_init(&path, MBNAME_MAX * 4);
		buf_init(&again, MBNAME_MAX);
		if (mbname_to_path((enum mbname_layout)layout, "INBOX", name, &path, &err) == 0) {
			bool is_root = layout == LAYOUT_MAILDIRPP && strcmp(name, "INBOX") == 0;
			if (!is_root && path_is_dangerous((enum mbname_layout)layout, path.data)) {
				fail_msg("%s became %s", name, path.data);
			}
			assert_int_equal(mbname_from_path((enum mbname_layout)layout, "INBOX",
							  buf_span(&path), &again, &err),
					 0);
			assert_string_equal(again.data, name);
		}
		buf_finish(&again);
		buf_finish(&path);
	}
}

static void expect_path_read(struct span path)
{
	for (int layout = LAYOUT_FS; layout <= LAYOUT_MAILDIRPP; layout++) {
		struct buf name;
		struct buf again;
		struct err err;
		buf_init(&name, MBNAME_MAX);
		buf_init(&again, MBNAME_MAX);
		if (mbname_from_path((enum mbname_layout)layout, "INBOX", path, &name, &err) == 0) {
			assert_int_equal(mbname_to_path((enum mbname_layout)layout, "INBOX",
							name.data, &again, &err),
					 0);
			assert_true(span_equal(buf_span(&again), path));
		}
		buf_finish(&again);
		buf_finish(&name);
	}
}

/* The identity does not hold for another case of INBOX, nor for what is no modified UTF-7. */
static bool wire_is_lossy(const struct mbname_wire *wire, struct span sent, struct span again)
{
	return (sent.len == again.len && span_starts_nocase(sent, "inbox")) ||
	       (wire->prefix[0] != '\0') || (!wire->is_utf8 && memchr(sent.data, '&', sent.len)) ||
	       (!wire->is_utf8 && memchr(sent.data, 0xc3, sent.len));
}

static void expect_wire_inverse(struct span sent)
{
	static const struct mbname_wire *const wires[] = {&wire_slash, &wire_dot, &wire_courier,
							  &wire_flat, &wire_utf8};
	for (size_t i = 0; i < sizeof(wires) / sizeof(wires[0]); i++) {
		struct buf name;
		struct buf again;
		struct err err;
		buf_init(&name, MBNAME_MAX);
		buf_init(&again, MBNAME_MAX);
		if (mbname_from_wire(wires[i], sent, &name, &err) == 0) {
			expect_path_inverse(name.data);
			assert_int_equal(mbname_to_wire(wires[i], name.data, &again, &err), 0);
			if (!span_equal(buf_span(&again), sent) &&
			    !wire_is_lossy(wires[i], sent, buf_span(&again))) {
				fail_msg("%s became %s became %s", sent.data, name.data,
					 again.data);
			}
			struct buf user;
			buf_init(&user, MBNAME_MAX);
			assert_int_equal(mbname_from_user(buf_span(&name), &user, &err), 0);
			assert_true(span_equal(buf_span(&user), buf_span(&name)));
			buf_finish(&user);
		}
		buf_finish(&again);
		buf_finish(&name);
	}
}

static void no_bytes_make_a_dangerous_path(void **state)
{
	unsigned seed = 4711;
	(void)state;
	print_message("seed %u\n", seed);
	srand(seed);
	for (int round = 0; round < 60000; round++) {
		char name[128];
		size_t len;
		random_name(name, &len);
		expect_path_inverse(name);
		expect_path_read((struct span){name, len});
		expect_wire_inverse((struct span){name, len});
	}
}

static void names_of_users_are_normalised(void **state)
{
	static const char *const cases[][2] = {{"/a//b/", "a/b"},      {"inbox", "INBOX"},
					       {"Inbox/x", "INBOX/x"}, {"a%41", "a%2541"},
					       {"a%2Fb", "a%2Fb"},     {"a%2541", "a%2541"}};
	struct buf out;
	struct err err;
	(void)state;
	buf_init(&out, MBNAME_MAX);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		buf_clear(&out);
		assert_int_equal(mbname_from_user(span_of(cases[i][0]), &out, &err), 0);
		assert_string_equal(out.data, cases[i][1]);
	}
	buf_clear(&out);
	assert_true(mbname_from_user(SPAN_LIT("//"), &out, &err) < 0);
	buf_finish(&out);
}

static void the_last_pattern_that_matches_wins(void **state)
{
	static const char *const all_but[] = {"!Spam*"};
	static const char *const some[] = {"INBOX", "Lists/%", "!Lists/x", "Lists/x/*"};
	static const char *const any_case[] = {"inbox/*"};
	(void)state;
	assert_true(mbname_selected(NULL, 0, "x"));
	assert_true(mbname_selected(all_but, 1, "x/Spam"));
	assert_false(mbname_selected(all_but, 1, "Spam/y"));
	assert_true(mbname_selected(some, 4, "INBOX"));
	assert_true(mbname_selected(some, 4, "Lists/a"));
	assert_false(mbname_selected(some, 4, "Lists/a/b"));
	assert_false(mbname_selected(some, 4, "Lists/x"));
	assert_true(mbname_selected(some, 4, "Lists/x/y/z"));
	assert_false(mbname_selected(some, 4, "Other"));
	assert_true(mbname_selected(any_case, 1, "INBOX/a/b"));
	assert_false(mbname_selected(any_case, 1, "INBOX"));
}

static void patterns_take_no_exponential_time(void **state)
{
	static const char *const pattern[] = {"*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*b"};
	char name[2001];
	(void)state;
	memset(name, 'a', 2000);
	name[2000] = '\0';
	assert_false(mbname_selected(pattern, 1, name));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wire_names_go_both_ways),
		cmocka_unit_test(wire_names_are_read_leniently),
		cmocka_unit_test(wire_names_that_are_none_are_refused),
		cmocka_unit_test(names_that_a_server_cannot_hold_are_refused),
		cmocka_unit_test(paths_go_both_ways),
		cmocka_unit_test(directories_that_are_no_mailboxes_are_refused),
		cmocka_unit_test(components_over_255_bytes_are_refused),
		cmocka_unit_test(no_bytes_make_a_dangerous_path),
		cmocka_unit_test(names_of_users_are_normalised),
		cmocka_unit_test(the_last_pattern_that_matches_wins),
		cmocka_unit_test(patterns_take_no_exponential_time),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
