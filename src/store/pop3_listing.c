/* UIDL and LIST into compact arrays, as they stream. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mailsync/base/array.h"
#include "mailsync/base/digest.h"

#include "pop3_private.h"

void pop3_listing_finish(struct pop3_listing *listing)
{
	free(listing->items);
	free(listing->uidls);
	*listing = (struct pop3_listing){0};
}

const char *pop3_entry_uidl(const struct pop3_listing *listing, const struct pop3_entry *entry)
{
	return listing->uidls ? listing->uidls + entry->uidl_at : "";
}

/* Appends ID and a terminator to `uidls`. */
static int keep_text(struct pop3_listing *listing, struct span text, uint32_t *at, struct err *err)
{
	size_t need = listing->uidls_len + text.len + 1;
	int code = ARRAY_RESERVE(&listing->uidls, need, &listing->uidls_cap, err);

	if (code < 0) {
		return code;
	}
	*at = (uint32_t)listing->uidls_len;
	if (text.len > 0) {
		memcpy(listing->uidls + listing->uidls_len, text.data, text.len);
	}
	listing->uidls[listing->uidls_len + text.len] = '\0';
	listing->uidls_len = need;
	return 0;
}

static int keep_uidl(struct pop3_listing *listing, struct span uidl, uint32_t *at, struct err *err)
{
	uint8_t digest[DIGEST_MAX_SIZE];
	char hex[2 * DIGEST_MAX_SIZE + 1], text[sizeof(hex) + 8];

	if (uidl.len == 0) {
		*at = 0;
		return 0;
	}
	if (pop3_uidl_is_plain(uidl, POP3_UIDL_MAX)) {
		return keep_text(listing, uidl, at, err);
	}
	int code = digest_of(DIGEST_SHA256, uidl, digest, err);
	if (code) {
		return code;
	}
	hex_encode(digest, 16, hex);
	snprintf(text, sizeof(text), "digest %s", hex);
	return keep_text(listing, span_of(text), at, err);
}

static int add_entry(struct pop3_listing *listing, const struct pop3_entry *entry, struct err *err)
{
	if (listing->count == POP3_LISTING_MAX) {
		return err_set(err, ERR_LIMIT, SCOPE_ACCOUNT,
			       "the server lists over %u messages, more than POP3 is good for",
			       POP3_LISTING_MAX);
	}
	int code = ARRAY_RESERVE(&listing->items, listing->count + 1, &listing->cap, err);
	if (code < 0) {
		return code;
	}
	listing->items[listing->count++] = *entry;
	return 0;
}

static int compare_numbers(const void *x, const void *y)
{
	const struct pop3_entry *a = x, *b = y;

	return a->number < b->number ? -1 : a->number > b->number;
}

static bool is_ascending(const struct pop3_listing *listing)
{
	for (size_t i = 1; i < listing->count; i++) {
		if (listing->items[i - 1].number >= listing->items[i].number) {
			return false;
		}
	}
	return true;
}

/* A message that is told two sizes, or unique-ids, is told none: which would be right? */
static void note_size(struct pop3_entry *entry, struct told size)
{
	entry->has_two_sizes |=
		entry->size.is_told && size.is_told && !told_equal(entry->size, size);
	entry->size = entry->has_two_sizes ? UNTOLD : size.is_told ? size : entry->size;
}

static void note_uidl(struct pop3_listing *listing, struct pop3_entry *entry,
		      const struct pop3_entry *other)
{
	entry->has_two_uidls |=
		other->has_two_uidls ||
		(entry->uidl_at != 0 && other->uidl_at != 0 &&
		 strcmp(listing->uidls + entry->uidl_at, listing->uidls + other->uidl_at) != 0);
	entry->uidl_at = entry->has_two_uidls ? 0
		       : entry->uidl_at       ? entry->uidl_at
					      : other->uidl_at;
}

/* Sorts by number and joins what both answers said of one message. UIDL's entries have an id,
 * LIST's a size. */
static void join_entries(struct pop3_listing *listing)
{
	size_t kept = 0;

	if (!is_ascending(listing)) {
		qsort(listing->items, listing->count, sizeof(*listing->items), compare_numbers);
	}
	for (size_t i = 0; i < listing->count; i++) {
		struct pop3_entry *item = &listing->items[i];
		struct pop3_entry *last = kept > 0 ? &listing->items[kept - 1] : NULL;
		if (last && last->number == item->number) {
			note_uidl(listing, last, item);
			note_size(last, item->size);
		} else {
			listing->items[kept++] = *item;
		}
	}
	listing->count = kept;
}

static struct pop3_entry *find_entry(struct pop3_listing *listing, size_t known, uint32_t number,
				     size_t hint)
{
	struct pop3_entry key = {.number = number};

	if (hint < known && listing->items[hint].number == number) {
		return &listing->items[hint];
	}
	return array_find(listing->items, known, sizeof(key), &key, compare_numbers);
}

/* The lines of UIDL's answer. A line without an id leaves its message to LIST. */
static int read_uidls(struct pop3 *pop3, struct pop3_listing *listing, struct err *err)
{
	struct pop3_event event;

	for (;;) {
		int code = pop3_event_next(pop3, &event, err);
		if (code) {
			return code;
		}
		if (event.type == POP3_END) {
			join_entries(listing);
			return 0;
		}
		if (event.is_broken) {
			log_line(pop3->log, LOG_INFO, "%s: a line of UIDL makes no sense: %.*s",
				 pop3->label, (int)(event.text.len > 80 ? 80 : event.text.len),
				 event.text.data ? event.text.data : "");
			continue;
		}
		struct pop3_entry entry = {.number = event.number};
		code = keep_uidl(listing, event.text, &entry.uidl_at, err);
		if (!code) {
			code = add_entry(listing, &entry, err);
		}
		if (code) {
			return code;
		}
	}
}

static int read_sizes(struct pop3 *pop3, struct pop3_listing *listing, struct err *err)
{
	size_t known = listing->count, hint = 0;
	struct pop3_event event;

	for (;;) {
		int code = pop3_event_next(pop3, &event, err);
		if (code) {
			return code;
		}
		if (event.type == POP3_END) {
			break;
		}
		if (event.number == 0) {
			continue;
		}
		struct pop3_entry *found = find_entry(listing, known, event.number, hint++);
		if (found) {
			note_size(found, told_unless_0(event.size_bytes));
			continue;
		}
		/* 0: servers say it that do not know. */
		struct pop3_entry entry = {.number = event.number,
					   .size = told_unless_0(event.size_bytes)};
		code = add_entry(listing, &entry, err);
		if (code) {
			return code;
		}
	}
	join_entries(listing);
	return 0;
}

static int list_uidls(struct pop3 *pop3, struct pop3_listing *listing, struct err *err)
{
	struct pop3_event status;
	int code = pop3_event_next(pop3, &status, err);

	if (code) {
		return code;
	}
	if (!status.is_ok) {
		if (status.is_broken || pop3_is_passing(&status)) {
			return pop3_refused(&status, "UIDL", ERR_REFUSED, err);
		}
		log_line(pop3->log, LOG_INFO, "%s: the server has no UIDL", pop3->label);
		return 0;
	}
	listing->has_uidl = true;
	return read_uidls(pop3, listing, err);
}

static int list_sizes(struct pop3 *pop3, struct pop3_listing *listing, struct err *err)
{
	struct pop3_event status;
	int code = pop3_event_next(pop3, &status, err);

	if (code) {
		return code;
	}
	if (!status.is_ok) {
		return pop3_refused(&status, "LIST", ERR_PROTOCOL, err);
	}
	return read_sizes(pop3, listing, err);
}

static int list_both(struct pop3 *pop3, struct pop3_listing *listing, struct err *err)
{
	bool is_piped = (pop3->caps & POP3_CAP_PIPELINING) != 0;
	uint32_t none;
	int code = keep_text(listing, SPAN_LIT(""), &none, err);

	if (!code) {
		code = pop3_send(pop3, "UIDL", POP3_REPLY_UIDL, err);
	}
	if (!code && is_piped) {
		code = pop3_send(pop3, "LIST", POP3_REPLY_LIST, err);
	}
	if (!code) {
		code = list_uidls(pop3, listing, err);
	}
	if (!code && !is_piped) {
		code = pop3_send(pop3, "LIST", POP3_REPLY_LIST, err);
	}
	return code ? code : list_sizes(pop3, listing, err);
}

int pop3_list(struct pop3 *pop3, struct pop3_listing *listing, struct err *err)
{
	struct pop3_listing made = {0};
	int code = list_both(pop3, &made, err);

	if (code) {
		pop3_listing_finish(&made);
		return code;
	}
	*listing = made;
	return 0;
}
