/* Is one account's configuration another one than before? */
#include "mailsync/conf/conf.h"

#include <string.h>

#include "conf_keys.h"
#include "conf_value.h"

static const struct conf_account *account_named(const struct conf *conf, const char *name)
{
	for (size_t i = 0; i < conf->count; i++) {
		if (strcmp(conf->accounts[i].name, name) == 0) {
			return &conf->accounts[i];
		}
	}
	return NULL;
}

static bool keys_are_same(const struct conf_account *one, const struct conf_account *two)
{
	bool are_same = one && two;

	for (size_t i = 0; are_same && i < conf_key_count; i++) {
		are_same = (conf_keys[i].marks & CONF_OF_OTHERS) ||
			   conf_value_same(&conf_keys[i], one, two);
	}
	return are_same;
}

static bool all_are_same(const struct conf *one, const struct conf *two)
{
	bool are_same = one->count == two->count;

	for (size_t i = 0; are_same && i < one->count; i++) {
		are_same =
			keys_are_same(&one->accounts[i], account_named(two, one->accounts[i].name));
	}
	return are_same;
}

bool conf_says_the_same(const struct conf *one, const struct conf *two, const char *name)
{
	const struct conf_account *account = account_named(one, name);
	bool are_same = keys_are_same(account, account_named(two, name)) &&
			strcmp(one->state_dir, two->state_dir) == 0;

	return are_same && ((!account->oauth && !account->oauth_account) || all_are_same(one, two));
}
