/* Whether what was read again is the same for an account. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "mailsync/conf/conf.h"

#include "conf_keys.h"
#include "conf_scene.h"
#include "conf_value.h"

#define WORK                                                   \
	"[account work]\nhost = imap.example.org\nuser = me\n" \
	"password_command = echo secret\nmaildir = /mail\n"
#define HOME                                                   \
	"[account home]\nhost = imap.example.org\nuser = me\n" \
	"oauth = google\nmaildir = /home\n"

static bool are_same(const char *one, const char *two, const char *name)
{
	struct loaded before, after;

	load(&before, one);
	load(&after, two);
	assert_int_equal(before.rc, 0);
	assert_int_equal(after.rc, 0);
	bool are = conf_says_the_same(before.conf, after.conf, name);
	unload(&before);
	unload(&after);
	return are;
}

/* Another value of KEY, of its type. */
static void change(const struct conf_key *key, struct conf_account *account)
{
	void *field = (char *)account + key->offset;
	struct err err;

	switch ((int)key->type) {
	case CONF_TYPE_YES_NO:
		*(bool *)field = !*(bool *)field;
		break;
	case CONF_TYPE_SIZE:
		++*(uint64_t *)field;
		break;
	case CONF_TYPE_AGE:
		++*(int64_t *)field;
		break;
	case CONF_TYPE_SIGN:
		++*(char *)field;
		break;
	case CONF_TYPE_SECRET:
		assert_int_equal(secret_set(field, SPAN_LIT("another"), &err), 0);
		break;
	case CONF_TYPE_PATTERNS:
	case CONF_TYPE_CAPABILITIES:
		assert_int_equal(strlist_add(field, SPAN_LIT("ANOTHER"), &err), 0);
		break;
	case CONF_TYPE_WORD:
	case CONF_TYPE_NUMBER:
	case CONF_TYPE_DURATION:
	case CONF_TYPE_PERCENT:
	case CONF_TYPE_LEAVE:
		++*(int *)field;
		break;
	default:
		free(*(char **)field);
		*(char **)field = strdup("another");
		break;
	}
}

static void each_key_that_changed_is_seen(void **state)
{
	(void)state;
	for (size_t i = 0; i < conf_key_count; i++) {
		struct loaded before, after;
		if (conf_keys[i].marks & CONF_OF_OTHERS) {
			continue;
		}
		load(&before, WORK);
		load(&after, WORK);
		assert_true(conf_says_the_same(before.conf, after.conf, "work"));
		change(&conf_keys[i], &after.conf->accounts[0]);
		bool are = conf_says_the_same(before.conf, after.conf, "work");
		unload(&before);
		unload(&after);
		if (are) {
			fail_msg("%s is another, which is not seen", conf_keys[i].name);
		}
	}
}

static void an_age_in_other_words_is_another(void **state)
{
	(void)state;
	assert_false(are_same(WORK "protocol = pop3\nleave_on_server = 3d\n",
			      WORK "protocol = pop3\nleave_on_server = 4d\n", "work"));
	assert_true(are_same(WORK "protocol = pop3\nleave_on_server = 7d\n",
			     WORK "protocol = pop3\nleave_on_server = 1w\n", "work"));
}

static void others_do_not_matter_but_where_tokens_are_shared(void **state)
{
	(void)state;
	assert_true(are_same(WORK HOME, "# a line\n" HOME "timeout = 5\n" WORK, "work"));
	assert_false(are_same(WORK HOME, WORK "timeout = 5\n" HOME, "home"));
	assert_false(are_same(WORK HOME, WORK, "home"));
	assert_false(are_same(WORK, "[defaults]\nstate_dir = /elsewhere\n" WORK, "work"));
	assert_false(are_same(WORK, "[defaults]\ntimeout = 5\n" WORK, "work"));
	assert_true(are_same(WORK, "[defaults]\ntimeout = 60\n" WORK, "work"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_key_that_changed_is_seen),
		cmocka_unit_test(an_age_in_other_words_is_another),
		cmocka_unit_test(others_do_not_matter_but_where_tokens_are_shared),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
