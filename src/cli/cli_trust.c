#include "cli_trust.h"

#include <stdlib.h>
#include <string.h>

#include "mailsync/base/array.h"
#include "mailsync/net/conn.h"

const struct trust *cli_trusts_get(struct cli_trusts *trusts, const char *path)
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

void cli_trusts_finish(struct cli_trusts *trusts)
{
	for (size_t i = 0; i < trusts->count; i++) {
		trust_destroy(&trusts->items[i].trust);
	}
	free(trusts->items);
	*trusts = (struct cli_trusts){0};
}
