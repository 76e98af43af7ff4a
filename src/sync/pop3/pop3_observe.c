/* From UIDL and LIST to a decision for each message. Nothing is written here. */
#include <stdlib.h>
#include <string.h>

#include "mailsync/base/digest.h"
#include "mailsync/store/pop3_seed.h"

#include "guard/guard.h"
#include "pop3_private.h"

static int make_items(struct pop3_session *session, struct err *err)
{
	const struct pop3_listing *listing = &session->listing;
	session->items = calloc(listing->count + 1, sizeof(*session->items));
	session->is_listed = calloc(session->rows.count + 1, sizeof(*session->is_listed));
	if (session->items == NULL || session->is_listed == NULL) {
		return err_nomem(err);
	}
	session->known_count = session->rows.count;
	for (size_t i = 0; i < listing->count; i++) {
		session->items[i] = (struct pop3_item){
			.number = listing->items[i].number,
			.row = POP3_NO_ROW,
			.header = POP3_NO_ROW,
			.size_bytes = listing->items[i].size_bytes,
			.key = pop3_entry_uidl(listing, &listing->items[i]),
		};
	}
	return 0;
}

int pop3_observe_list(struct run *run, struct err *err)
{
	struct pop3_job *job = run->pop3;
	struct pop3_session *session = &job->session;
	int code;
	if ((code = pop3_list(session->pop3, &session->listing, err)) < 0 ||
	    (code = state_pop3_load(run->session->state, &session->rows, err)) < 0) {
		return code;
	}
	job->mailbox->base.messages = (uint32_t)session->listing.count;
	return make_items(session, err);
}

static int make_key(struct pop3_session *session, struct pop3_item *item, struct err *err)
{
	char text[2 * ROW_DIGEST_SIZE + 8] = "header ";
	hex_encode(session->headers[item->header].digest, ROW_DIGEST_SIZE, text + 7);
	int code = strlist_add(&session->keys, span_of(text), err);
	if (code == 0) {
		item->key = session->keys.items[session->keys.count - 1];
	}
	return code;
}

/* Messages without a unique-id are known by their header. */
static int make_keys(struct pop3_job *job, struct err *err)
{
	struct pop3_session *session = &job->session;
	bool is_any = false;
	for (size_t i = 0; i < session->listing.count; i++) {
		session->items[i].wants_header = session->items[i].key[0] == '\0';
		is_any = is_any || session->items[i].wants_header;
	}
	int code = is_any ? pop3_fetch_headers(job, err) : 0;
	for (size_t i = 0; code == 0 && is_any && i < session->listing.count; i++) {
		struct pop3_item *item = &session->items[i];
		if (item->key[0] == '\0' && item->header != POP3_NO_ROW) {
			code = make_key(session, item, err);
		}
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
	return pop3_job_report(job, item, &why, err);
}

int pop3_observe_keys(struct run *run, struct err *err)
{
	struct pop3_job *job = run->pop3;
	struct pop3_session *session = &job->session;
	int code = make_keys(job, err);
	for (size_t i = 0; code == 0 && i < session->listing.count; i++) {
		struct pop3_item *item = &session->items[i];
		if (item->key[0] == '\0') {
			code = fail_nameless(job, item, err);
		} else {
			item->is_failed = strlist_find(&job->learnt.failed, item->key) >= 0;
		}
	}
	return code;
}

int pop3_observe_rows(struct run *run, struct err *err)
{
	struct pop3_session *session = &run->pop3->session;
	int code = whose_rows(run, &session->whose, err);
	if (code < 0) {
		return code;
	}
	if (session->whose == WHOSE_OTHERS) {
		log_line(run->log, LOG_INFO,
			 "%s: another server or user than last time; known messages are told by "
			 "their headers",
			 run->account->name);
	}
	struct pop3_view view = pop3_job_view(run->pop3);
	return pop3_match(&view, err);
}

static bool is_first_run(const struct pop3_job *job)
{
	return pop3_is_first_run(job->run->session->pair_all, job->session.whose == WHOSE_NOBODYS);
}

/* K7. */
static int adopt(struct pop3_job *job, struct pop3_item *item, struct err *err)
{
	const char *unique;
	int code = pop3_is_unknown(item) ? pop3_delivered(job, item, &unique, err) : 0;
	if (code < 0 || !pop3_is_unknown(item) || unique == NULL) {
		return code;
	}
	item->act = POP3_ACT_ADOPT;
	return strlist_add(&job->local.adopted, span_of(unique), err);
}

int pop3_observe_delivered(struct run *run, struct err *err)
{
	struct pop3_job *job = run->pop3;
	struct pop3_session *session = &job->session;
	bool is_due = is_first_run(job) || run->session->was_unclean;
	int code = is_due ? pop3_find_delivered(job, err) : 0;
	for (size_t i = 0; code == 0 && i < session->listing.count; i++) {
		code = adopt(job, &session->items[i], err);
	}
	strlist_sort(&job->local.adopted);
	return code;
}

/* K8. */
static int seed(struct pop3_job *job, struct err *err)
{
	struct strlist uidls;
	strlist_init(&uidls);
	int code = pop3_seed_load(&job->run->account->server, &uidls, err);
	for (size_t i = 0; code == 0 && uidls.count > 0 && i < job->session.listing.count; i++) {
		struct pop3_item *item = &job->session.items[i];
		if (pop3_is_unknown(item) && strlist_find(&uidls, item->key) >= 0) {
			item->act = POP3_ACT_KNOWN;
		}
	}
	strlist_finish(&uidls);
	return code;
}

/* What may be known from elsewhere on a first run: over an INBOX that another program filled, or
 * that we did before the database was lost and the server changed its unique-ids. */
static int find_others(struct pop3_job *job, struct pop3_others *others, struct err *err)
{
	int code = 0;
	*others = (struct pop3_others){0};
	if (is_first_run(job) && job->session.listing.count > 0) {
		code = pop3_read_others(job, others, err);
	}
	return code == 0 && others->has_foreign ? seed(job, err) : code;
}

static int fetch_wanted(struct pop3_job *job, struct pop3_view *view, bool is_pairing,
			struct err *err)
{
	int code = pop3_mark_doubts(view, err);
	for (size_t i = 0; code == 0 && i < view->count; i++) {
		if (pop3_is_unknown(&view->items[i]) &&
		    (is_pairing || job->policy.oldest != INT64_MIN)) {
			view->items[i].wants_header = true;
		}
	}
	return code < 0 ? code : pop3_fetch_headers(job, err);
}

static void count_skipped(struct pop3_job *job)
{
	struct sync_counts *counts = &job->mailbox->done.counts;
	counts->skipped = 0;
	for (size_t i = 0; i < job->session.listing.count; i++) {
		counts->skipped += job->session.items[i].act == POP3_ACT_SKIP;
	}
}

int pop3_observe_new(struct run *run, struct err *err)
{
	struct pop3_job *job = run->pop3;
	struct pop3_view view = pop3_job_view(job);
	struct pop3_others others;
	int code;
	if ((code = find_others(job, &others, err)) < 0 ||
	    (code = fetch_wanted(job, &view, others.count > 0, err)) < 0) {
		goto finish;
	}
	view = pop3_job_view(job); /* with the headers that came */
	if ((code = pop3_settle_doubts(&view, err)) < 0 ||
	    (code = pop3_pair(&view, others.items, others.count, err)) < 0) {
		goto finish;
	}
	pop3_decide(&view, &job->policy);
	count_skipped(job);
finish:
	free(others.items);
	return code;
}
