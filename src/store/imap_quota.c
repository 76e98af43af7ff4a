/* GETQUOTAROOT (RFC 9208). */
#include "imap_private.h"

#define UNIT 1024 /* octets, of STORAGE */

static uint64_t left_of(struct told used, struct told limit)
{
	return limit.number > used.number ? limit.number - used.number : 0;
}

/* ONE is told, and nearer than what is KNOWN. */
static bool is_nearer(struct told used, struct told limit, struct told known_used,
		      struct told known_limit)
{
	return limit.is_told &&
	       (!known_limit.is_told || left_of(used, limit) < left_of(known_used, known_limit));
}

static struct told in_bytes(struct told units)
{
	return units.is_told && units.number <= UINT64_MAX / UNIT ? told(units.number * UNIT)
								  : UNTOLD;
}

static void note(struct remote_quota *quota, const struct imap_quota *told)
{
	const struct told used = in_bytes(told->storage_used);
	const struct told limit = in_bytes(told->storage_limit);
	if (is_nearer(used, limit, quota->used, quota->limit)) {
		quota->used = used;
		quota->limit = limit;
	}
	if (is_nearer(told->messages_used, told->messages_limit, quota->messages,
		      quota->messages_limit)) {
		quota->messages = told->messages_used;
		quota->messages_limit = told->messages_limit;
	}
}

int imap_quota(struct remote *remote, const char *wire, struct remote_quota *quota, struct err *err)
{
	struct imap *imap = imap_of(remote);
	struct imap_command command = {.tag = 0};
	struct remote_quota found = {0};
	int code;
	if ((imap->caps & IMAP_CAP_QUOTA) == 0) {
		return 0;
	}
	imap_line_begin(imap);
	buf_append_cstr(&imap->line, "GETQUOTAROOT ");
	if (imap_line_string(imap, wire, err) < 0) {
		return 0; /* a name that cannot be sent */
	}
	code = imap_line_end(imap, IMAP_COMMAND_SIMPLE, 0, err);
	while (code == 0) {
		struct imap_event event;
		if ((code = imap_event_next(imap, &event, err)) < 0) {
			break;
		}
		if (event.type == IMAP_QUOTA) {
			note(&found, &event.quota);
		}
		if (event.type == IMAP_TAGGED && imap_command_answered(imap, &event, &command)) {
			/* A refusal tells nothing, and is no failure. */
			if (event.status == IMAP_OK) {
				*quota = found;
			}
			return 0;
		}
	}
	return code;
}
