#include "conf_provider.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "conf_draft.h"
#include "conf_rules.h"
#include "conf_value.h"

static bool is_provider(const struct conf_section *section)
{
	return section->kind == CONF_SECTION_PROVIDER && !section->is_twin;
}

/* Reads a value of a section to see whether it is good. */
static int check_entry(struct conf_source *source, const struct conf_entry *entry,
		       struct conf_account *account, struct conf_hints *hints)
{
	void *base = entry->key->marks & CONF_PROVIDER_ONLY ? (void *)hints : (void *)account;
	struct err why;
	int code = conf_value_read(entry->key, entry->value, base, &why);

	if (code == -ERR_CONFIG) {
		conf_source_complain_of_value(source, entry, why.text);
		code = 0;
	}
	return code;
}

static int check_section(struct conf_source *source, size_t section, struct err *err)
{
	struct conf_account account;
	struct conf_hints hints = {0};
	int code = 0;

	conf_account_init(&account);
	for (size_t i = 0; i < source->entry_count && code == 0; i++) {
		if (source->entries[i].section == section &&
		    check_entry(source, &source->entries[i], &account, &hints) < 0) {
			code = err_nomem(err);
		}
	}
	conf_rules_check_rivals(source, section);
	for (size_t i = 0; i < conf_key_count; i++) {
		if (conf_keys[i].marks & CONF_PROVIDER_ONLY) {
			conf_value_finish(&conf_keys[i], &hints);
		}
	}
	conf_account_finish(&account);
	return code;
}

static void finish_provider(const struct provider *provider)
{
	for (size_t i = 0; i < provider->count; i++) {
		char *value = (char *)provider->pairs[i].value;
		if (value) { /* a client's secret may be among them */
			secret_wipe(value, strlen(value));
		}
		free(value);
	}
	free((void *)provider->pairs);
	free((void *)provider->name);
}

void conf_providers_finish(struct providers *own)
{
	for (size_t i = 0; i < own->count; i++) {
		finish_provider(&own->items[i]);
	}
	free((void *)own->items);
	*own = (struct providers){NULL, 0};
}

/* A section as a provider; false when out of memory, what there is of it then to be finished. */
static bool copy_section(const struct conf_source *source, size_t section,
			 struct provider *provider)
{
	struct provider_pair *pairs = calloc(source->entry_count + 1, sizeof(*pairs));

	provider->name = span_dup(span_of(source->sections[section].name));
	provider->pairs = pairs;
	if (!pairs || !provider->name) {
		return false;
	}
	for (size_t i = 0; i < source->entry_count; i++) {
		const struct conf_entry *entry = &source->entries[i];
		if (entry->section != section || !*entry->value) {
			continue;
		}
		struct provider_pair *pair = &pairs[provider->count++];
		pair->key = entry->key->name;
		pair->value = span_dup(span_of(entry->value));
		if (!pair->value) {
			return false;
		}
	}
	return true;
}

int conf_providers_read(struct conf_source *source, struct providers *own, struct err *err)
{
	struct provider *items = calloc(source->section_count + 1, sizeof(*items));
	int code = items ? 0 : err_nomem(err);

	own->items = items;
	for (size_t i = 0; i < source->section_count && code == 0; i++) {
		if (!is_provider(&source->sections[i])) {
			continue;
		}
		code = check_section(source, i, err);
		if (code == 0 && !copy_section(source, i, &items[own->count++])) {
			code = err_nomem(err);
		}
	}
	return code;
}

/* The section of a provider of this name, or CONF_NO_SECTION. */
static size_t find_section(const struct conf_source *source, const char *name)
{
	for (size_t i = 0; i < source->section_count; i++) {
		if (is_provider(&source->sections[i]) &&
		    strcasecmp(source->sections[i].name, name) == 0) {
			return i;
		}
	}
	return CONF_NO_SECTION;
}

int conf_provider_section(struct conf_source *source, const struct providers *own,
			  const struct conf_entry *entry, size_t *section, struct err *err)
{
	const struct provider *provider = provider_by_name(own, entry->value);

	if (!provider) {
		const char *nearest = provider_nearest(own, entry->value);
		return err_set(err, ERR_CONFIG, SCOPE_RUN,
			       "provider = %s: there is no such provider%s%s%s", entry->value,
			       nearest ? "; did you mean '" : "", nearest ? nearest : "",
			       nearest ? "'?" : "; `mailsync init --list` names them");
	}
	*section = find_section(source, provider->name);
	return *section == CONF_NO_SECTION
		     ? conf_source_add_provider(source, provider, section, err)
		     : 0;
}

const struct conf_key *conf_provider_key(const struct conf_key *key, enum conf_protocol protocol)
{
	static const char *const pop3[][2] = {{"pop3_host", "host"}, {"pop3_port", "port"}};
	unsigned mark = protocol == CONF_POP3 ? CONF_FOR_POP3 : CONF_FOR_IMAP;

	for (size_t i = 0; i < 2 && protocol == CONF_POP3; i++) {
		if (strcmp(key->name, pop3[i][0]) == 0) {
			return conf_key_find(pop3[i][1]);
		}
		if (strcmp(key->name, pop3[i][1]) == 0) {
			return NULL; /* IMAP's */
		}
	}
	return (key->marks & CONF_OF_PROVIDERS) && (key->marks & mark) ? key : NULL;
}
