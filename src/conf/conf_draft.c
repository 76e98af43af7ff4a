#include "conf_draft.h"

#include <stdlib.h>
#include <string.h>

#include "conf_provider.h"
#include "conf_rules.h"
#include "conf_value.h"

const struct conf_entry *conf_draft_find(const struct conf_draft *draft, const char *name)
{
	const struct conf_key *key = conf_key_find(name);
	const struct conf_entry *entry = conf_source_find(draft->source, draft->section, key);

	return entry ? entry : conf_source_find(draft->source, draft->defaults, key);
}

static unsigned long key_marks_of(const struct conf_account *account)
{
	return account->protocol == CONF_POP3 ? CONF_FOR_POP3 : CONF_FOR_IMAP;
}

/* Reads ENTRY's value as that of KEY. SILENT: its complaint has been made already. */
static int draft_apply(struct conf_draft *draft, const struct conf_key *key,
		       const struct conf_entry *entry, bool silent, struct err *err)
{
	struct err why;
	int code = conf_value_read(key, entry->value, draft->account, &why);

	if (code == -ERR_NOMEM) {
		*err = why;
		return code;
	}
	if (code < 0) {
		draft->bad_keys[key - conf_keys] = true;
	}
	if (code < 0 && !silent) {
		conf_source_complain_of_value(draft->source, entry, why.text);
	}
	return 0;
}

/* The key of the account that ENTRY sets; NULL: none. */
static const struct conf_key *draft_key(const struct conf_draft *draft,
					const struct conf_entry *entry)
{
	if (entry->section == draft->provider) {
		return conf_provider_key(entry->key, draft->account->protocol);
	}
	return entry->key->marks & CONF_OF_OTHERS ? NULL : entry->key;
}

/* True when SECTION sets KEY, or one that stands for it. */
static bool draft_is_set(const struct conf_draft *draft, size_t section, const struct conf_key *key)
{
	size_t end = conf_source_end(draft->source, section);

	for (size_t i = conf_source_begin(draft->source, section); i < end; i++) {
		const struct conf_key *other = draft_key(draft, &draft->source->entries[i]);
		if (other && (other == key || (key->rivals && other->rivals == key->rivals))) {
			return true;
		}
	}
	return false;
}

/* True when KEY of SECTION, [defaults] or the provider's, holds for the account. */
static bool draft_inherits(const struct conf_draft *draft, size_t section,
			   const struct conf_key *key)
{
	bool adds_up = key->type == CONF_TYPE_CAPABILITIES; /* draft_add_disabled */

	if (!(key->marks & key_marks_of(draft->account)) ||
	    draft_is_set(draft, draft->section, key)) {
		return false;
	}
	return section == draft->provider ? !adds_up
					  : adds_up || !draft_is_set(draft, draft->provider, key);
}

static int draft_apply_section(struct conf_draft *draft, size_t section, struct err *err)
{
	bool is_own = section == draft->section;
	size_t end = conf_source_end(draft->source, section);
	int code = 0;

	for (size_t i = conf_source_begin(draft->source, section); i < end && code == 0; i++) {
		const struct conf_entry *entry = &draft->source->entries[i];
		const struct conf_key *key = draft_key(draft, entry);
		if (key && (is_own || draft_inherits(draft, section, key))) {
			code = draft_apply(draft, key, entry, !is_own, err);
		}
	}
	return code;
}

void conf_account_init(struct conf_account *account)
{
	memset(account, 0, sizeof(*account));
	for (size_t i = 0; i < conf_key_count; i++) {
		if (!(conf_keys[i].marks & CONF_OF_OTHERS)) {
			conf_value_init(&conf_keys[i], account);
		}
	}
}

void conf_account_finish(struct conf_account *account)
{
	for (size_t i = 0; i < conf_key_count; i++) {
		if (!(conf_keys[i].marks & CONF_OF_OTHERS)) {
			conf_value_finish(&conf_keys[i], account);
		}
	}
	free(account->name);
	account->name = NULL;
}

static int account_set_initial(struct conf_account *account, struct err *err)
{
	int code = 0;

	for (size_t i = 0; i < conf_key_count && code == 0; i++) {
		if (conf_keys[i].initial && !(conf_keys[i].marks & CONF_OF_OTHERS)) {
			code = conf_value_read(&conf_keys[i], conf_keys[i].initial, account, err);
		}
	}
	return code;
}

/* Which keys of other sections hold depends on the protocol, so it is read first. */
static int draft_apply_protocol(struct conf_draft *draft, struct err *err)
{
	const struct conf_entry *entry = conf_draft_find(draft, "protocol");

	return entry ? draft_apply(draft, entry->key, entry, true, err) : 0;
}

/* Finds the section of the account's provider. */
static int draft_find_provider(struct conf_draft *draft, struct err *err)
{
	const struct conf_entry *entry = conf_draft_find(draft, "provider");
	struct err why;

	if (!entry || !*entry->value) {
		return 0;
	}
	int code = conf_provider_section(draft->source, draft->providers, entry, &draft->provider,
					 &why);
	if (code == -ERR_CONFIG) {
		draft->bad_keys[entry->key - conf_keys] = true;
		if (entry->section == draft->section) {
			conf_source_complain(draft->source, entry->line, "%s", why.text);
		}
		return 0;
	}
	if (code < 0) {
		*err = why;
	}
	return code;
}

/* What the provider gets wrong is left alone whatever else the account names; an empty value of
 * its own takes even that back. */
static int draft_add_disabled(struct conf_draft *draft, struct err *err)
{
	const struct conf_key *key = conf_key_find("disable_extensions");
	const struct conf_entry *own = conf_source_find(draft->source, draft->section, key);
	const struct conf_entry *more = conf_source_find(draft->source, draft->provider, key);
	struct strlist *words = &draft->account->disable_extensions;
	struct conf_account scratch;
	int code = 0;

	if (!more || (own && !*own->value) || draft->account->protocol == CONF_POP3) {
		return 0;
	}
	conf_account_init(&scratch);
	if (conf_value_read(key, more->value, &scratch, err) == -ERR_NOMEM) {
		code = -ERR_NOMEM;
	}
	for (size_t i = 0; i < scratch.disable_extensions.count && code == 0; i++) {
		const char *word = scratch.disable_extensions.items[i];
		if (!strlist_has(words, word)) {
			code = strlist_add(words, span_of(word), err);
		}
	}
	conf_account_finish(&scratch);
	return code;
}

static void account_set_port(struct conf_account *account)
{
	bool is_implicit = account->tls == CONF_TLS_IMPLICIT;

	if (account->port == 0 && account->protocol == CONF_POP3) {
		account->port = is_implicit ? 995 : 110;
	} else if (account->port == 0) {
		account->port = is_implicit ? 993 : 143;
	}
}

static int draft_apply_all(struct conf_draft *draft, struct err *err)
{
	const size_t weakest_first[] = {draft->defaults, draft->provider, draft->section};
	int code = 0;

	for (size_t i = 0; i < 3 && code == 0; i++) {
		if (weakest_first[i] != CONF_NO_SECTION) {
			code = draft_apply_section(draft, weakest_first[i], err);
		}
	}
	return code < 0 ? code : draft_add_disabled(draft, err);
}

int conf_draft_read(struct conf_draft *draft, struct err *err)
{
	const struct conf_section *section = &draft->source->sections[draft->section];
	int code;

	draft->account->line = section->line;
	draft->account->name = span_dup(span_of(section->name));
	if (!draft->account->name) {
		return err_nomem(err);
	}
	if ((code = account_set_initial(draft->account, err)) < 0 ||
	    (code = draft_apply_protocol(draft, err)) < 0 ||
	    (code = draft_find_provider(draft, err)) < 0 ||
	    (code = draft_apply_all(draft, err)) < 0) {
		return code;
	}
	account_set_port(draft->account);
	conf_rules_check(draft);
	return 0;
}

int conf_draft_check_defaults(struct conf_source *source, const struct providers *providers,
			      size_t defaults, struct err *err)
{
	struct conf_account scratch;
	struct conf_draft draft = {source,          &scratch,        providers, defaults,
				   CONF_NO_SECTION, CONF_NO_SECTION, {false}};

	if (defaults == CONF_NO_SECTION) {
		return 0;
	}
	conf_account_init(&scratch);
	int code = draft_apply_section(&draft, defaults, err);
	if (code == 0) {
		code = draft_find_provider(&draft, err);
	}
	conf_rules_check_rivals(source, defaults);
	conf_account_finish(&scratch);
	return code;
}
