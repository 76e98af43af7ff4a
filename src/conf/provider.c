#include "mailsync/conf/provider.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "mailsync/base/span.h"
#include "mailsync/base/url.h"
#include "mailsync/conf/nearest.h"

#define BLANKS          " \t"
#define WILD_LABELS_MAX 2 /* com, co.uk */

/* Whether a word of a value fits NAME. */
typedef bool (*fits_fn)(struct span word, const char *name);

const char *provider_value(const struct provider *provider, const char *key)
{
	for (size_t i = 0; i < provider->count; i++) {
		if (strcmp(provider->pairs[i].key, key) == 0) {
			return provider->pairs[i].value;
		}
	}
	return NULL;
}

size_t provider_login_length(const struct provider *provider, const char *address, size_t at)
{
	const char *login = provider_value(provider, "login");

	return login && strcasecmp(login, "local") == 0 ? at : strlen(address);
}

/* "yahoo.*" is yahoo.com and yahoo.co.uk, not yahoo.my.own.example. */
static bool is_domain(struct span word, const char *name)
{
	size_t labels = 1, len = word.len - 1;

	if (word.data[len] != '*') {
		return span_equal_nocase(word, name);
	}
	if (strncasecmp(word.data, name, len) != 0 || !name[len]) {
		return false;
	}
	for (const char *at = name + len; *at; at++) {
		labels += *at == '.';
	}
	return labels <= WILD_LABELS_MAX;
}

static bool is_suffix(struct span word, const char *name)
{
	return url_host_is_below(span_of(name), word);
}

/* Whether a word of KEY's value fits NAME. */
static bool has_word(const struct provider *provider, const char *key, const char *name,
		     fits_fn fits)
{
	const char *at = provider_value(provider, key);

	while (at && *at) {
		size_t len = strcspn(at, BLANKS);
		if (len > 0 && fits((struct span){at, len}, name)) {
			return true;
		}
		at += len;
		at += strspn(at, BLANKS);
	}
	return false;
}

static bool is_replaced(const struct providers *own, const struct provider *provider)
{
	for (size_t i = 0; own && i < own->count; i++) {
		if (strcasecmp(own->items[i].name, provider->name) == 0) {
			return true;
		}
	}
	return false;
}

const struct provider *provider_next(const struct providers *own, size_t *at)
{
	size_t own_count = own ? own->count : 0;

	while (*at < own_count + provider_table.count) {
		size_t index = (*at)++;
		if (index < own_count) {
			return &own->items[index];
		}
		const struct provider *provider = &provider_table.items[index - own_count];
		if (!is_replaced(own, provider)) {
			return provider;
		}
	}
	return NULL;
}

/* The first one with a word of KEY's value that fits NAME. */
static const struct provider *find(const struct providers *own, const char *key, const char *name,
				   fits_fn fits)
{
	const struct provider *provider;

	for (size_t at = 0; (provider = provider_next(own, &at)) != NULL;) {
		if (has_word(provider, key, name, fits)) {
			return provider;
		}
	}
	return NULL;
}

const struct provider *provider_by_name(const struct providers *own, const char *name)
{
	const struct provider *provider;

	for (size_t at = 0; (provider = provider_next(own, &at)) != NULL;) {
		if (strcasecmp(provider->name, name) == 0) {
			return provider;
		}
	}
	return provider_by_domain(own, name);
}

const struct provider *provider_by_domain(const struct providers *own, const char *domain)
{
	const struct provider *provider = find(own, "domains", domain, span_equal_nocase);

	return provider ? provider : find(own, "domains", domain, is_domain);
}

const struct provider *provider_by_mx(const struct providers *own, const char *exchanger)
{
	return find(own, "mx", exchanger, is_suffix);
}

/* Whether it is the server of these two keys. */
static bool is_server(const struct provider *provider, const char *host_key, const char *port_key,
		      const char *name, unsigned number)
{
	const char *host = provider_value(provider, host_key);
	const char *port = provider_value(provider, port_key);

	return host && strcasecmp(host, name) == 0 && (!port || strtoul(port, NULL, 10) == number);
}

const struct provider *provider_by_host(const struct providers *own, const char *host,
					unsigned port)
{
	const struct provider *provider;

	for (size_t at = 0; (provider = provider_next(own, &at)) != NULL;) {
		if (is_server(provider, "host", "port", host, port) ||
		    is_server(provider, "pop3_host", "pop3_port", host, port)) {
			return provider;
		}
	}
	return NULL;
}

const char *provider_nearest(const struct providers *own, const char *name)
{
	const struct provider *provider;
	struct nearest nearest;

	nearest_init(&nearest, name);
	for (size_t at = 0; (provider = provider_next(own, &at)) != NULL;) {
		nearest_offer(&nearest, provider->name);
	}
	return nearest.best;
}
