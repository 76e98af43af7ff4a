#include "conf_draft.h"

#include <stdlib.h>
#include <string.h>

#include "conf_rules.h"
#include "conf_value.h"

static unsigned long key_marks_of(const struct conf_account *account)
{
	return account->protocol == CONF_POP3 ? CONF_FOR_POP3 : CONF_FOR_IMAP;
}

/* Reads one entry's value. SILENT: its complaint has been made already. */
static int draft_apply(struct conf_draft *draft, const struct conf_entry *entry, bool silent,
		       struct err *err)
{
	struct err why;
	int code = conf_value_read(entry->key, entry->value, draft->account, &why);

	if (code == -ERR_NOMEM) {
		*err = why;
		return code;
	}
	if (code < 0) {
		draft->bad_keys[entry->key - conf_keys] = true;
	}
	if (code < 0 && !silent) {
		/* A proxy's URL may name a user and his password. */
		bool is_secret =
			entry->key->type == CONF_TYPE_SECRET || entry->key->type == CONF_TYPE_PROXY;
		conf_source_complain(draft->source, entry->line, "%s%s%s: %s", entry->key->name,
				     is_secret ? "" : " = ", is_secret ? "" : entry->value,
				     why.text);
	}
	return 0;
}

/* True when the account itself sets the key of [defaults], or one that stands for it. */
static bool draft_overrides(const struct conf_draft *draft, const struct conf_key *key)
{
	for (size_t i = 0; i < draft->source->entry_count; i++) {
		const struct conf_entry *entry = &draft->source->entries[i];
		bool is_rival = key->rivals && entry->key->rivals == key->rivals;
		if (entry->section == draft->section && (entry->key == key || is_rival)) {
			return true;
		}
	}
	return false;
}

static int draft_apply_section(struct conf_draft *draft, size_t section, bool is_defaults,
			       struct err *err)
{
	int code = 0;

	for (size_t i = 0; i < draft->source->entry_count && code == 0; i++) {
		const struct conf_entry *entry = &draft->source->entries[i];
		bool is_here =
			entry->section == section && !(entry->key->marks & CONF_DEFAULTS_ONLY);
		bool counts = !is_defaults || ((entry->key->marks & key_marks_of(draft->account)) &&
					       !draft_overrides(draft, entry->key));
		if (is_here && counts) {
			code = draft_apply(draft, entry, is_defaults, err);
		}
	}
	return code;
}

void conf_account_init(struct conf_account *account)
{
	memset(account, 0, sizeof(*account));
	for (size_t i = 0; i < conf_key_count; i++) {
		if (!(conf_keys[i].marks & CONF_DEFAULTS_ONLY)) {
			conf_value_init(&conf_keys[i], account);
		}
	}
}

void conf_account_finish(struct conf_account *account)
{
	for (size_t i = 0; i < conf_key_count; i++) {
		if (!(conf_keys[i].marks & CONF_DEFAULTS_ONLY)) {
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
		if (conf_keys[i].initial && !(conf_keys[i].marks & CONF_DEFAULTS_ONLY)) {
			code = conf_value_read(&conf_keys[i], conf_keys[i].initial, account, err);
		}
	}
	return code;
}

/* Which keys of [defaults] hold depends on the protocol, so it is read first. */
static int draft_apply_protocol(struct conf_draft *draft, struct err *err)
{
	const struct conf_key *key = conf_key_find("protocol");
	const struct conf_entry *entry = conf_source_find(draft->source, draft->section, key);

	if (!entry) {
		entry = conf_source_find(draft->source, draft->defaults, key);
	}
	return entry ? draft_apply(draft, entry, true, err) : 0;
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

int conf_draft_read(struct conf_draft *draft, struct err *err)
{
	const struct conf_section *section = &draft->source->sections[draft->section];

	draft->account->line = section->line;
	draft->account->name = span_dup(span_of(section->name));
	int code = draft->account->name ? 0 : err_nomem(err);
	if (code == 0) {
		code = account_set_initial(draft->account, err);
	}
	if (code == 0) {
		code = draft_apply_protocol(draft, err);
	}
	if (code == 0 && draft->defaults != CONF_NO_SECTION) {
		code = draft_apply_section(draft, draft->defaults, true, err);
	}
	if (code == 0) {
		code = draft_apply_section(draft, draft->section, false, err);
	}
	if (code == 0) {
		account_set_port(draft->account);
		conf_rules_check(draft);
	}
	return code;
}

int conf_draft_check_defaults(struct conf_source *source, size_t defaults, struct err *err)
{
	struct conf_account scratch;
	struct conf_draft draft = {source, &scratch, defaults, CONF_NO_SECTION, {false}};

	if (defaults == CONF_NO_SECTION) {
		return 0;
	}
	conf_account_init(&scratch);
	int code = draft_apply_section(&draft, defaults, false, err);
	conf_rules_check_rivals(&draft);
	conf_account_finish(&scratch);
	return code;
}
