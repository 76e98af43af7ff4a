#include "cli_trust.h"

#include <stdlib.h>
#include <string.h>

#include "mailsync/base/array.h"
#include "mailsync/net/conn.h"

/* PATH; NULL: the system's. */
static const struct trust *get(struct cli_trusts *trusts, const char *path)
{
	struct err ignored;

	path = path ? path : conn_system_bundle();
	for (size_t i = 0; path && i < trusts->count; i++) {
		if (strcmp(trusts->items[i].path, path) == 0) {
			return trusts->items[i].trust;
		}
	}
	if (!path || ARRAY_RESERVE(&trusts->items, trusts->count + 1, &trusts->cap, &ignored) < 0) {
		return NULL;
	}
	struct cli_trust_file *file = &trusts->items[trusts->count++];
	*file = (struct cli_trust_file){.path = path};
	(void)trust_create(&file->trust, path, &ignored);
	return file->trust;
}

void cli_trusts_lend(struct cli_trusts *trusts, bool is_for_long, struct server *server)
{
	struct err ignored;

	server->trust = get(trusts, server->ca_file);
	if (!is_for_long && trusts->cache == NULL) {
		(void)tls_cache_create(&trusts->cache, &ignored);
	}
	server->tls_cache = is_for_long ? NULL : trusts->cache;
}

void cli_trusts_finish(struct cli_trusts *trusts)
{
	for (size_t i = 0; i < trusts->count; i++) {
		trust_destroy(&trusts->items[i].trust);
	}
	tls_cache_destroy(&trusts->cache);
	free(trusts->items);
	*trusts = (struct cli_trusts){0};
}
