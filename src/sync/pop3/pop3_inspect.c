/* `list` and `check` for POP3 accounts. */
#include <stdio.h>
#include <stdlib.h>

#include "pop3_private.h"
#include "pop3_run.h"

/* Logs in and asks what there is. The caller says pop3_quit, where it likes to, and closes. */
static int look(const struct account *account, const struct sync_options *options,
		struct pop3 **pop3, struct pop3_listing *found, struct err *err)
{
	int code = pop3_connect(account, options, false, pop3, err);
	return code < 0 ? code : pop3_list(*pop3, found, err);
}

static int list_inbox(struct listing *listing, size_t messages, struct err *err)
{
	listing->items = calloc(1, sizeof(*listing->items));
	if (listing->items == NULL) {
		return err_nomem(err);
	}
	listing->count = 1;
	struct listing_entry *entry = &listing->items[0];
	*entry = (struct listing_entry){
		.name = span_dup(SPAN_LIT("INBOX")),
		.special_use = span_dup(SPAN_LIT("")),
		.messages = messages,
		.has_messages = true,
		.is_selected = true,
	};
	return entry->name != NULL && entry->special_use != NULL ? 0 : err_nomem(err);
}

int pop3_run_list(const struct account *account, const struct sync_options *options,
		  struct listing *listing, struct err *err)
{
	struct pop3_listing found = {0};
	struct pop3 *pop3 = NULL;
	struct err ignored;
	int code;
	if ((code = look(account, options, &pop3, &found, err)) == 0 &&
	    (code = list_inbox(listing, found.count, err)) == 0) {
		(void)pop3_quit(pop3, &ignored); /* of no consequence */
	}
	pop3_listing_finish(&found);
	pop3_close(&pop3);
	return code;
}

static int add_line(struct strlist *lines, const char *what, const char *how, struct err *err)
{
	char line[256];
	snprintf(line, sizeof(line), "%s: %s", what, how);
	return strlist_add(lines, span_of(line), err);
}

static int explain(const struct pop3 *pop3, const struct pop3_listing *found, struct strlist *lines,
		   struct err *err)
{
	const char *told[][2] = {
		{"login", pop3_login_name(pop3)},
		{"connection", pop3_is_tls(pop3) ? "TLS" : "without TLS"},
		{"identity of messages",
		 found->has_uidl ? "UIDL" : "digests of headers, as there is no UIDL"},
		{"commands", (pop3_caps(pop3) & POP3_CAP_PIPELINING) != 0
				     ? "pipelined"
				     : "one at a time (no PIPELINING)"},
		{"headers", pop3_has_top(pop3) ? "TOP" : "RETR, as there is no TOP"},
	};
	int code = 0;
	for (size_t i = 0; code == 0 && i < sizeof(told) / sizeof(told[0]); i++) {
		code = add_line(lines, told[i][0], told[i][1], err);
	}
	return code;
}

int pop3_run_check(const struct account *account, const struct sync_options *options,
		   struct strlist *lines, struct err *err)
{
	struct pop3_listing found = {0};
	struct pop3 *pop3 = NULL;
	struct err ignored;
	int code;
	if ((code = look(account, options, &pop3, &found, err)) == 0 &&
	    (code = explain(pop3, &found, lines, err)) == 0) {
		(void)pop3_quit(pop3, &ignored); /* of no consequence */
	}
	pop3_listing_finish(&found);
	pop3_close(&pop3);
	return code;
}
