/* What is remembered of a mailbox whose EXISTS is always off by the same number (D38). */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "observe_private.h"

#define KEY_SIZE   40
#define VALUE_SIZE 100

static void key_of(const struct mailbox *mailbox, char key[KEY_SIZE])
{
	snprintf(key, KEY_SIZE, "surplus %" PRId64, mailbox->base.id);
}

/* "OFFSET SINCE PROVEN UIDVALIDITY" */
static void value_of(const struct mailbox *mailbox, const struct surplus *surplus,
		     char value[VALUE_SIZE])
{
	value[0] = '\0';
	if (surplus->offset != 0) {
		snprintf(value, VALUE_SIZE, "%" PRId64 " %" PRId64 " %d %" PRIu64, surplus->offset,
			 surplus->since, surplus->is_proven,
			 mailbox->base.numbers.uidvalidity.number);
	}
}

static struct surplus surplus_read(const char *value)
{
	char *at = NULL;
	struct surplus surplus = {.offset = strtoll(value, &at, 10)};
	surplus.since = strtoll(at, &at, 10);
	surplus.is_proven = strtoll(at, &at, 10) == 1;
	return surplus;
}

int surplus_load(struct run *run, const struct mailbox *mailbox, struct surplus *surplus,
		 struct err *err)
{
	char key[KEY_SIZE];
	char value[VALUE_SIZE];
	char same[VALUE_SIZE];
	*surplus = (struct surplus){0};
	if (!mailbox->in_base) {
		return 0;
	}
	key_of(mailbox, key);
	int code = state_get(run->session->state, key, value, sizeof(value), err);
	if (code < 0 || value[0] == '\0') {
		return code;
	}
	*surplus = surplus_read(value);
	value_of(mailbox, surplus, same);
	if (strcmp(value, same) != 0) {
		*surplus = (struct surplus){0}; /* of another UIDVALIDITY */
	}
	return 0;
}

int surplus_store(struct run *run, const struct mailbox *mailbox, const struct surplus *surplus,
		  struct err *err)
{
	char key[KEY_SIZE];
	char value[VALUE_SIZE];
	key_of(mailbox, key);
	value_of(mailbox, surplus, value);
	return state_set(run->session->state, key, value, err);
}
