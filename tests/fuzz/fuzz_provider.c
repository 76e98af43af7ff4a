/*
 * Providers alone: behind the first line any bytes as sections of a configuration, in memory; the
 * first line is a name that is then looked for in every way, among them and the built-in ones.
 */
#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "conf_provider.h"
#include "conf_source.h"

#define NAME_MAX_LEN 300

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Whether FOUND is one of those that may be found. */
static bool is_known(const struct providers *own, const struct provider *found)
{
	const struct provider *provider;

	for (size_t at = 0; (provider = provider_next(own, &at)) != NULL;) {
		if (provider == found) {
			return true;
		}
	}
	return false;
}

static void look_for(const struct providers *own, const char *name)
{
	const struct provider *found[] = {
		provider_by_name(own, name),
		provider_by_domain(own, name),
		provider_by_mx(own, name),
		provider_by_host(own, name, 993),
	};

	for (size_t i = 0; i < sizeof(found) / sizeof(found[0]); i++) {
		assert(!found[i] || is_known(own, found[i]));
	}
	(void)provider_nearest(own, name);
}

static void check(const struct conf_source *source, const struct providers *own)
{
	for (size_t i = 0; i < own->count; i++) {
		const struct provider *provider = &own->items[i];
		assert(provider->name != NULL && provider->name[0] != '\0');
		assert(provider_login_length(provider, "me@example.org", 2) <= 14);
		for (size_t j = 0; j < provider->count; j++) {
			const char *value = provider->pairs[j].value;
			assert(value != NULL && strpbrk(value, "\r\n") == NULL);
			assert(provider_value(provider, provider->pairs[j].key) == value);
		}
	}
	for (size_t i = 0; i < source->errors->count; i++) {
		assert(source->errors->items[i].text != NULL);
	}
}

static void read_all(FILE *stream, const char *name)
{
	struct conf_errors errors = {0};
	struct conf_source source;
	struct providers own = {NULL, 0};
	struct err err;

	conf_source_init(&source, "fuzz", &errors);
	if (conf_source_read(&source, stream, &err) == 0 &&
	    conf_providers_read(&source, &own, &err) == 0) {
		check(&source, &own);
		look_for(&own, name);
	}
	conf_providers_finish(&own);
	conf_source_finish(&source);
	conf_errors_finish(&errors);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *end = size > 0 ? memchr(data, '\n', size) : NULL;
	size_t len = end ? (size_t)(end - data) : 0;
	char name[NAME_MAX_LEN + 1];

	if (!end || len > NAME_MAX_LEN || len + 1 == size) {
		return 0;
	}
	memcpy(name, data, len);
	name[len] = '\0';
	FILE *stream = fmemopen((void *)(uintptr_t)(end + 1), size - len - 1, "r");
	if (stream) {
		read_all(stream, name);
		fclose(stream);
	}
	return 0;
}
