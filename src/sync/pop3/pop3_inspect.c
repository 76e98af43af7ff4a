/* `list` and `check` for POP3 accounts. */
#include <stdlib.h>

#include "pop3_private.h"
#include "pop3_run.h"

static int list_inbox(struct listing *listing, size_t messages, struct err *err)
{
	listing->items = calloc(1, sizeof(*listing->items));
	if (listing->items == NULL) {
		return err_nomem(err);
	}
	listing->count = 1;
	listing->items[0] = (struct listing_entry){
		.name = span_dup(SPAN_LIT("INBOX")),
		.special_use = span_dup(SPAN_LIT("")),
		.messages = messages,
		.has_messages = true,
		.is_selected = true,
	};
	return listing->items[0].name != NULL && listing->items[0].special_use != NULL
		     ? 0
		     : err_nomem(err);
}

int pop3_inspect(const struct account *account, const struct sync_options *options,
		 struct listing *listing, struct strlist *lines, struct err *err)
{
	struct pop3_listing found = {0};
	struct pop3 *pop3 = NULL;
	int code;
	if ((code = pop3_connect(account, options, false, &pop3, err)) < 0 ||
	    (code = pop3_list(pop3, &found, err)) < 0) {
		goto finish;
	}
	code = listing != NULL ? list_inbox(listing, found.count, err)
			       : pop3_explain(pop3, found.has_uidl, lines, err);
	if (code == 0) {
		pop3_leave(pop3);
	}
finish:
	pop3_listing_finish(&found);
	pop3_close(&pop3);
	return code;
}
