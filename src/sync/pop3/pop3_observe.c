/* From UIDL and LIST to a decision for each message. Nothing is written here. */
#include <stdlib.h>
#include <string.h>

#include "mailsync/base/array.h"
#include "mailsync/base/digest.h"
#include "mailsync/store/pop3_seed.h"

#include "guard/guard.h"
#include "pop3_private.h"

static int make_view(struct pop3_session *session, struct err *err)
{
	const struct pop3_listing *listing = &session->listing;
	struct pop3_rows *rows = &session->rows;
	struct pop3_view *view = &session->view;
	if (ARRAY_RESERVE(&rows->items, rows->count + listing->count, &rows->cap, err) < 0) {
		return -ERR_NOMEM;
	}
	view->rows = rows->items;
	view->row_count = rows->count;
	view->items = calloc(listing->count + 1, sizeof(*view->items));
	view->is_listed = calloc(rows->count + 1, sizeof(*view->is_listed));
	view->news = calloc(rows->count + 1, sizeof(*view->news));
	if (view->items == NULL || view->is_listed == NULL || view->news == NULL) {
		return err_nomem(err);
	}
	for (; view->count < listing->count; view->count++) {
		const struct pop3_entry *entry = &listing->items[view->count];
		view->items[view->count] = (struct pop3_item){
			.number = entry->number,
			.row = POP3_NO_ROW,
			.header = POP3_NO_ROW,
			.size = entry->size,
			.key = pop3_entry_uidl(listing, entry),
			.unique = "",
		};
	}
	return 0;
}

/* The rows that were there when the run began. */
static void note_known(struct pop3_job *job)
{
	const struct pop3_rows *rows = &job->session.rows;
	for (size_t i = 0; !job->learnt.was_base_listed && i < rows->count; i++) {
		int64_t id = rows->items[i].id;
		job->policy.known_id = id > job->policy.known_id ? id : job->policy.known_id;
	}
	job->learnt.was_base_listed = true;
}

int pop3_observe_list(struct run *run, struct err *err)
{
	struct pop3_session *session = &run->pop3->session;
	int code;
	if ((code = pop3_list(session->pop3, &session->listing, err)) < 0 ||
	    (code = state_pop3_load(run->session->state, &session->rows, err)) < 0) {
		return code;
	}
	run->pop3->mailbox->base.numbers.messages = told(session->listing.count);
	note_known(run->pop3);
	return make_view(session, err);
}

static int make_key(struct pop3_session *session, struct pop3_item *item, struct err *err)
{
	char text[2 * ROW_DIGEST_SIZE + sizeof(POP3_HEADER_KEY)] = POP3_HEADER_KEY;
	hex_encode(pop3_header_of(&session->view, item)->digest, ROW_DIGEST_SIZE,
		   text + strlen(POP3_HEADER_KEY));
	int code = strlist_add(&session->keys, span_of(text), err);
	if (code == 0) {
		item->key = session->keys.items[session->keys.count - 1];
	}
	return code;
}

/* Nothing can be done with a message that has neither unique-id nor header. */
static int fail_nameless(struct pop3_job *job, struct pop3_item *item, struct err *err)
{
	struct err why;
	err_set(&why, ERR_PARTIAL, SCOPE_MESSAGE,
		"the server gives neither a unique-id nor the header of message %u",
		(unsigned)item->number);
	/* A session with UTF8 may get it. */
	return pop3_job_fail(job, item, job->session.outcome.lacked_utf8 ? NULL : &why, err);
}

/* Messages without a unique-id are known by their header. */
int pop3_observe_keys(struct run *run, struct err *err)
{
	struct pop3_job *job = run->pop3;
	struct pop3_view *view = &job->session.view;
	strlist_sort(&job->learnt.failed);
	for (size_t i = 0; i < view->count; i++) {
		view->items[i].wants_header = view->items[i].key[0] == '\0';
	}
	pop3_suspects_limit(job);
	int code = pop3_suspects_number(view, err);
	if (code < 0) {
		return code;
	}
	pop3_suspects_set_aside(job);
	code = pop3_fetch_headers(job, err);
	for (size_t i = 0; code == 0 && i < view->count; i++) {
		struct pop3_item *item = &view->items[i];
		if (item->wants_header && item->header == POP3_NO_ROW) {
			code = item->is_aside ? 0 : fail_nameless(job, item, err);
			continue;
		}
		code = item->wants_header ? make_key(&job->session, item, err) : 0;
		item->is_failed = strlist_find(&job->learnt.failed, item->key) >= 0;
	}
	pop3_suspects_set_aside(job);
	if (code == 0 && !view->is_partial) {
		suspects_forget_unseen(job->run, SUSPECT_POP3);
	}
	return code;
}

int pop3_observe_rows(struct run *run, struct err *err)
{
	struct pop3_view *view = &run->pop3->session.view;
	int code = whose_rows(run, &view->whose, err);
	if (code < 0) {
		return code;
	}
	if (view->whose == WHOSE_OTHERS) {
		log_line(run->log, LOG_INFO,
			 "%s: another server or user than last time; known messages are told by "
			 "their headers",
			 run->account->name);
	}
	return pop3_match(view, err);
}

/* K8. */
static int seed(const struct run *run, struct pop3_view *view, struct err *err)
{
	struct strlist uidls;
	strlist_init(&uidls);
	int code = pop3_seed_load(&run->account->server, &uidls, err);
	for (size_t i = 0; code == 0 && i < view->count; i++) {
		struct pop3_item *item = &view->items[i];
		if (pop3_is_unknown(item) && strlist_find(&uidls, item->key) >= 0) {
			item->act = POP3_ACT_KNOWN;
		}
	}
	strlist_finish(&uidls);
	return code;
}

/* K15 and K16 hold up nothing else, and are told; but where a session with UTF8 follows. */
static void report_waiting(struct pop3_job *job)
{
	struct err why;
	for (size_t i = 0; i < job->session.view.count; i++) {
		const struct pop3_item *item = &job->session.view.items[i];
		if (item->waits && !item->is_aside && !item->is_failed &&
		    !job->session.outcome.lacked_utf8) {
			err_set(&why, ERR_PARTIAL, SCOPE_MESSAGE,
				"the server does not tell which message number %u is; it waits for "
				"the next run",
				(unsigned)item->number);
			run_report_error(job->run, job->mailbox, 0, &why);
		}
	}
}

int pop3_observe_new(struct run *run, struct err *err)
{
	struct pop3_job *job = run->pop3;
	struct pop3_view *view = &job->session.view;
	struct pop3_others others = {0};
	int code;
	if ((code = pop3_read_others(job, &others, err)) < 0 ||
	    (code = others.has_foreign ? seed(run, view, err) : 0) < 0 ||
	    (code = pop3_mark_doubts(view, others.count > 0 || job->policy.oldest != INT64_MIN,
				     err)) < 0 ||
	    (code = pop3_fetch_headers(job, err)) < 0 ||
	    (code = pop3_settle_doubts(view, err)) < 0 ||
	    (code = pop3_pair(view, others.items, others.count, err)) < 0) {
		goto finish;
	}
	pop3_adopt_pairs(job, &others);
	report_waiting(job);
	job->mailbox->done.counts.skipped = pop3_decide(view, &job->policy) + job->session.left;
finish:
	free(others.items);
	return code;
}
