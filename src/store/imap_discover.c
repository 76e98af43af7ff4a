/*
 * Which mailboxes there are, and with LIST-STATUS (RFC 5819) all their numbers, in one round trip.
 * ENABLE (RFC 5161) and NAMESPACE (RFC 2342) travel in the same write.
 */
#include <stdlib.h>
#include <string.h>

#include "mailsync/base/array.h"
#include "mailsync/base/hash.h"

#include "imap_private.h"

#define COOKIE_LIST      1
#define COOKIE_NAMESPACE 2
#define COOKIE_LSUB      3
#define COOKIE_PROBE     4      /* NAMESPACE, though it is not offered */
#define COOKIE_STATUS    5      /* and the mailbox's place in the list */
#define DISCOVER_MAX     200000 /* mailboxes; more is no mail account but a fault */

struct discovery {
	struct remote_mailboxes *mailboxes;
	bool is_listing; /* else an unasked LIST adds nothing */
	enum remote_naming naming;
	bool has_namespace; /* a line of it */
	bool has_lsub;      /* answered OK */
	bool has_broken;    /* a line that could not be read, of whatever but: */
	/* STATUS lines that came with LIST. Cyrus 3.6 gives a mailbox that was just renamed an id
	 * of random bytes in one: that says nothing of the listing. */
	unsigned broken_status;
	size_t cap;
	char list_separator;
	char prefix[256];
	uint32_t *slots;   /* hash table by name: positions in mailboxes + 1, 0 for none */
	size_t slot_count; /* a power of two, over twice the mailboxes; 0 before the first */
};

/* INBOX is one name in any case. */
static struct span name_key(struct span name)
{
	return span_equal_nocase(name, "INBOX") ? SPAN_LIT("INBOX") : name;
}

/* Where NAME is in the table, or the empty slot where it would be. There must be an empty one. */
static uint32_t *discovery_slot(const struct discovery *discovery, struct span name)
{
	struct span key = name_key(name);
	for (size_t at = (size_t)hash_span(key);; at++) {
		uint32_t *slot = &discovery->slots[at & (discovery->slot_count - 1)];
		if (*slot == 0 ||
		    span_equal(key,
			       name_key(span_of(discovery->mailboxes->items[*slot - 1].wire)))) {
			return slot;
		}
	}
}

static struct remote_mailbox *discovery_find(const struct discovery *discovery, struct span name)
{
	uint32_t slot = discovery->slot_count == 0 ? 0 : *discovery_slot(discovery, name);
	return slot == 0 ? NULL : &discovery->mailboxes->items[slot - 1];
}

/* Makes room for one name more. */
static int discovery_reserve(struct discovery *discovery, struct err *err)
{
	const struct remote_mailboxes *mailboxes = discovery->mailboxes;
	if ((mailboxes->count + 1) * 2 <= discovery->slot_count) {
		return 0;
	}
	size_t slot_count = 64;
	while (slot_count < (mailboxes->count + 1) * 4) {
		slot_count *= 2;
	}
	uint32_t *slots = calloc(slot_count, sizeof(*slots));
	if (slots == NULL) {
		return err_nomem(err);
	}
	free(discovery->slots);
	discovery->slots = slots;
	discovery->slot_count = slot_count;
	for (size_t i = 0; i < mailboxes->count; i++) {
		*discovery_slot(discovery, span_of(mailboxes->items[i].wire)) = (uint32_t)i + 1;
	}
	return 0;
}

static void discovery_finish(struct discovery *discovery)
{
	free(discovery->slots);
}

static int discovery_add(struct discovery *discovery, const struct imap_list *list, struct err *err)
{
	struct remote_mailboxes *mailboxes = discovery->mailboxes;
	struct remote_mailbox *known = discovery_find(discovery, list->name);
	if (known != NULL) {
		known->attributes |= list->attributes;
		return 0;
	}
	if (mailboxes->count >= DISCOVER_MAX) {
		return err_set(err, ERR_PROTOCOL, SCOPE_ACCOUNT,
			       "the server lists more than %d mailboxes", DISCOVER_MAX);
	}
	if (ARRAY_RESERVE(&mailboxes->items, mailboxes->count + 1, &discovery->cap, err) < 0 ||
	    discovery_reserve(discovery, err) < 0) {
		return -ERR_NOMEM;
	}
	if (list->name.len > 0 && memchr(list->name.data, '\0', list->name.len) != NULL) {
		discovery->has_broken = true; /* cannot be asked for either */
		return 0;
	}
	char *wire = span_dup(list->name);
	if (wire == NULL) {
		return err_nomem(err); /* left out, it would seem to be gone from the server */
	}
	*discovery_slot(discovery, list->name) = (uint32_t)mailboxes->count + 1;
	mailboxes->items[mailboxes->count++] =
		(struct remote_mailbox){.wire = wire, .attributes = list->attributes};
	return 0;
}

static int note_counts(struct remote_counts *told, const struct imap_counts *counts,
		       struct err *err)
{
	enum remote_refusal refusal = told->refusal;
	remote_counts_finish(told);
	*told = (struct remote_counts){
		.numbers = {.messages = counts->messages,
			    .uidnext = counts->uidnext,
			    .uidvalidity = counts->uidvalidity,
			    .modseq = counts->highestmodseq},
		.append_limit = counts->append_limit,
		.refusal = refusal,
	};
	if (counts->mailboxid.len > 0) {
		told->mailboxid = span_dup(counts->mailboxid);
	}
	return counts->mailboxid.len > 0 && told->mailboxid == NULL ? err_nomem(err) : 0;
}

static void note_namespace(struct discovery *discovery, const struct imap_list *list)
{
	discovery->has_namespace = list->name.len < sizeof(discovery->prefix);
	if (!list->has_name || !discovery->has_namespace) {
		discovery->naming = REMOTE_NAMING_NONE;
		return;
	}
	discovery->naming = REMOTE_NAMING_TOLD;
	memcpy(discovery->prefix, list->name.data, list->name.len);
	discovery->prefix[list->name.len] = '\0';
	if (list->separator != 0) {
		discovery->list_separator = list->separator;
	}
}

static int note_list(struct discovery *discovery, const struct imap_list *list, struct err *err)
{
	if (discovery->list_separator == 0) {
		discovery->list_separator = list->separator;
	}
	if (list->is_lsub) {
		struct remote_mailbox *known = discovery_find(discovery, list->name);
		if (known != NULL) {
			known->attributes |= IMAP_LIST_SUBSCRIBED;
		}
		return 0;
	}
	return discovery_add(discovery, list, err);
}

/* What STATUS may ask of this server. */
static void append_items(const struct imap *imap, struct buf *out)
{
	buf_append_cstr(out, "MESSAGES UIDNEXT UIDVALIDITY");
	if (imap->caps & IMAP_CAP_CONDSTORE) {
		buf_append_cstr(out, " HIGHESTMODSEQ");
	}
	if (imap->caps & IMAP_CAP_OBJECTID) {
		buf_append_cstr(out, " MAILBOXID");
	}
	if (imap->caps & IMAP_CAP_APPENDLIMIT) {
		buf_append_cstr(out, " APPENDLIMIT");
	}
}

static int send_list(struct imap *imap, struct err *err)
{
	imap_line_begin(imap);
	buf_append_cstr(&imap->line, "LIST \"\" \"*\"");
	if (imap->caps & IMAP_CAP_LIST_EXTENDED) {
		buf_append_cstr(&imap->line, " RETURN (SUBSCRIBED");
		if (imap->caps & IMAP_CAP_SPECIAL_USE) {
			buf_append_cstr(&imap->line, " SPECIAL-USE");
		}
		if ((imap->caps & IMAP_CAP_LIST_STATUS) && !imap->remote.lists_plainly) {
			buf_append_cstr(&imap->line, " STATUS (");
			append_items(imap, &imap->line);
			buf_append_char(&imap->line, ')');
		}
		buf_append_char(&imap->line, ')');
	}
	return imap_line_end(imap, IMAP_COMMAND_SIMPLE, COOKIE_LIST, err);
}

static int send_simple(struct imap *imap, const char *text, uint64_t cookie, struct err *err)
{
	imap_line_begin(imap);
	buf_append_cstr(&imap->line, text);
	return imap_line_end(imap, IMAP_COMMAND_SIMPLE, cookie, err);
}

static int send_all(struct imap *imap, bool subscribed, struct err *err)
{
	int code = 0;
	if (imap->is_qresync_on || imap->is_condstore_on) {
		code = 0; /* listed before: ENABLE has its place before the first SELECT only */
	} else if (imap->caps & IMAP_CAP_QRESYNC) {
		code = send_simple(imap, "ENABLE QRESYNC", 0, err);
	} else if ((imap->caps & IMAP_CAP_CONDSTORE) && (imap->caps & IMAP_CAP_ENABLE)) {
		code = send_simple(imap, "ENABLE CONDSTORE", 0, err);
	}
	if (code == 0 && (imap->caps & IMAP_CAP_NAMESPACE)) {
		code = send_simple(imap, "NAMESPACE", COOKIE_NAMESPACE, err);
	}
	if (code == 0) {
		code = send_list(imap, err);
	}
	if (code == 0 && subscribed && (imap->caps & IMAP_CAP_LIST_EXTENDED) == 0) {
		code = send_simple(imap, "LSUB \"\" \"*\"", COOKIE_LSUB, err);
	}
	return code;
}

static void note_enabled(struct imap *imap, struct span names)
{
	struct span word;
	while (imap_next_word(&names, &word)) {
		imap->is_qresync_on |= span_equal_nocase(word, "QRESYNC");
		imap->is_condstore_on |=
			span_equal_nocase(word, "QRESYNC") || span_equal_nocase(word, "CONDSTORE");
	}
}

static int discovery_event(struct imap *imap, struct discovery *discovery,
			   const struct imap_event *event, struct err *err)
{
	switch ((int)event->type) {
	case IMAP_LIST:
		return discovery->is_listing ? note_list(discovery, &event->list, err) : 0;
	case IMAP_NAMESPACE:
		note_namespace(discovery, &event->list);
		return 0;
	case IMAP_ENABLED:
		note_enabled(imap, event->names);
		return 0;
	case IMAP_STATUS: {
		struct remote_mailbox *mailbox = discovery_find(discovery, event->mailbox);
		return mailbox == NULL ? 0 : note_counts(&mailbox->counts, &event->counts, err);
	}
	default:
		discovery->broken_status += event->is_broken && event->meant == IMAP_STATUS;
		return 0;
	}
}

/* Of STATUS: NONEXISTENT is proof that the mailbox is not there, so it must be a plain NO. */
static enum remote_refusal refusal_of(const struct imap_event *event)
{
	bool is_proof = event->status == IMAP_NO && !imap_status_is_passing(event);
	return event->status == IMAP_OK || is_proof ? imap_refusal(event) : REMOTE_REFUSAL_OTHER;
}

/* By the end of NAMESPACE. */
static enum remote_naming naming_by(const struct discovery *discovery,
				    const struct imap_event *event)
{
	bool is_told = event->status == IMAP_OK && discovery->has_namespace;
	return is_told ? discovery->naming : REMOTE_NAMING_UNTOLD;
}

/* Takes events until every outstanding command is answered. LIST's refusal is the result, those of
 * STATUS are noted. */
static int discovery_read(struct imap *imap, struct discovery *discovery, struct err *err)
{
	int failed = 0;
	while (imap->queue_len > 0) {
		struct imap_event event;
		struct imap_command command;
		int code = imap_event_next(imap, &event, err);
		if (code == 0) {
			code = discovery_event(imap, discovery, &event, err);
		}
		if (code < 0) {
			return code;
		}
		if (event.type != IMAP_TAGGED || !imap_command_answered(imap, &event, &command)) {
			continue;
		}
		/* One mailbox whose line cannot be read holds up no other; who needs the list to be
		 * whole looks there. */
		discovery->has_broken |= command.broken > discovery->broken_status;
		if (command.cookie >= COOKIE_STATUS) {
			discovery->mailboxes->items[command.cookie - COOKIE_STATUS].counts.refusal =
				refusal_of(&event);
		} else if (command.cookie == COOKIE_NAMESPACE) {
			discovery->naming = naming_by(discovery, &event);
		} else if (command.cookie == COOKIE_PROBE && event.status != IMAP_BAD) {
			discovery->naming = naming_by(discovery, &event);
		} else if (command.cookie == COOKIE_LSUB) {
			discovery->has_lsub = event.status == IMAP_OK;
		} else if (command.cookie == COOKIE_LIST && failed == 0) {
			struct err why;
			failed = imap_status_error(&event, "LIST", &why);
			if (failed < 0) {
				why.scope = SCOPE_ACCOUNT;
				*err = why;
			}
		}
	}
	return failed;
}

static int list_all(struct imap *imap, bool subscribed, struct discovery *discovery,
		    struct err *err)
{
	int code = send_all(imap, subscribed, err);
	return code < 0 ? code : discovery_read(imap, discovery, err);
}

/* What is known of the namespace where NAMESPACE is not sent. What a server can do before the login
 * is commonly less than after it. */
static enum remote_naming naming_without_asking(const struct imap *imap)
{
	if (imap_is_disabled(imap, "NAMESPACE")) {
		return REMOTE_NAMING_TOLD;
	}
	return imap->caps_known ? REMOTE_NAMING_UNOFFERED : REMOTE_NAMING_UNTOLD;
}

/* Special uses are asked for by RETURN alone; some servers tell them by themselves. */
static bool tells_uses(const struct imap *imap, const struct remote_mailboxes *found)
{
	bool is_told = (imap->caps & IMAP_CAP_LIST_EXTENDED) != 0 &&
		       (imap->caps & IMAP_CAP_SPECIAL_USE) != 0;
	for (size_t i = 0; i < found->count; i++) {
		is_told |= (found->items[i].attributes & REMOTE_USES) != 0;
	}
	return is_told;
}

/* Offers are left out, too. A server that does not know the command has no namespaces. */
static int probe_namespace(struct imap *imap, struct discovery *discovery, struct err *err)
{
	int code = 0;
	discovery->mailboxes->wire.separator = discovery->list_separator;
	if (discovery->naming == REMOTE_NAMING_UNOFFERED &&
	    remote_is_all_below_inbox(discovery->mailboxes) &&
	    (code = send_simple(imap, "NAMESPACE", COOKIE_PROBE, err)) == 0) {
		code = discovery_read(imap, discovery, err);
	}
	return code;
}

int imap_list(struct remote *remote, bool subscribed, struct remote_mailboxes *mailboxes,
	      struct err *err)
{
	struct imap *imap = imap_of(remote);
	struct remote_mailboxes found = {0};
	struct discovery discovery = {
		.mailboxes = &found,
		.is_listing = true,
		.naming = naming_without_asking(imap),
	};
	int code = list_all(imap, subscribed, &discovery, err);
	if (code == -ERR_REFUSED && (imap->caps & IMAP_CAP_LIST_EXTENDED)) {
		log_line(imap->log, LOG_INFO, "%s: %s; asking in the plain way", imap->label,
			 err->text);
		imap->caps &= ~(unsigned)(IMAP_CAP_LIST_EXTENDED | IMAP_CAP_LIST_STATUS);
		discovery.has_broken = false;
		discovery.broken_status = 0;
		code = list_all(imap, subscribed, &discovery, err);
	}
	if (code == 0) {
		code = probe_namespace(imap, &discovery, err);
	}
	found.naming = discovery.naming;
	found.has_subscriptions = !discovery.has_broken &&
				  ((imap->caps & IMAP_CAP_LIST_EXTENDED) || discovery.has_lsub);
	found.has_uses = tells_uses(imap, &found);
	found.is_read = !discovery.has_broken;
	found.is_whole = found.is_read && discovery_find(&discovery, SPAN_LIT("INBOX")) != NULL;
	discovery_finish(&discovery);
	if (code < 0) {
		remote_mailboxes_finish(&found);
		return code;
	}
	/* A server that claims QRESYNC and does not confirm ENABLE (iCloud) is not believed. */
	if (!imap->is_qresync_on && (imap->caps & IMAP_CAP_QRESYNC)) {
		log_line(imap->log, LOG_INFO,
			 "%s: the server did not confirm ENABLE QRESYNC; going without it",
			 imap->label);
		imap->caps &= ~(unsigned)IMAP_CAP_QRESYNC;
	}
	found.wire.separator = discovery.list_separator;
	memcpy(found.wire.prefix, discovery.prefix, sizeof(found.wire.prefix));
	*mailboxes = found;
	return 0;
}

static int send_status(struct imap *imap, const char *wire, uint64_t cookie, struct err *err)
{
	struct err ignored;
	imap_line_begin(imap);
	buf_append_cstr(&imap->line, "STATUS ");
	if (imap_line_string(imap, wire, &ignored) < 0) {
		return 0; /* a name that cannot be sent: no counts */
	}
	buf_append_cstr(&imap->line, " (");
	append_items(imap, &imap->line);
	buf_append_char(&imap->line, ')');
	return imap_line_end(imap, IMAP_COMMAND_SIMPLE, cookie, err);
}

int imap_count(struct remote *remote, struct remote_mailboxes *mailboxes, struct err *err)
{
	struct imap *imap = imap_of(remote);
	struct discovery discovery = {.mailboxes = mailboxes};
	int code = discovery_reserve(&discovery, err);
	for (size_t i = 0; code == 0 && i < mailboxes->count; i++) {
		if (mailboxes->items[i].is_asked) {
			remote_counts_finish(&mailboxes->items[i].counts);
			code = send_status(imap, mailboxes->items[i].wire, COOKIE_STATUS + i, err);
		}
	}
	if (code == 0) {
		code = discovery_read(imap, &discovery, err);
	}
	discovery_finish(&discovery);
	return code;
}
