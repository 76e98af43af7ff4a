/* From UIDL and LIST to a decision for each message. Nothing is written here. */
#include <stdlib.h>
#include <string.h>

#include "mailsync/base/digest.h"

#include "pop3_private.h"
#include "pop3_seed.h"

void pop3_job_view(struct pop3_job *job, struct pop3_view *view)
{
	*view = (struct pop3_view){
		.items = job->items,
		.count = job->listing.count,
		.headers = job->headers,
		.rows = job->rows.items,
		.row_count = job->listed_count,
		.is_listed = job->is_listed,
		.is_partial = job->is_partial,
		.is_other = job->is_other,
	};
}

static int make_items(struct pop3_job *job, struct err *err)
{
	const struct pop3_listing *listing = &job->listing;

	job->items = calloc(listing->count + 1, sizeof(*job->items));
	job->is_listed = calloc(job->rows.count + 1, sizeof(*job->is_listed));
	if (!job->items || !job->is_listed) {
		return err_nomem(err);
	}
	job->listed_count = job->rows.count;
	for (size_t i = 0; i < listing->count; i++) {
		job->items[i] = (struct pop3_item){
			.number = listing->items[i].number,
			.row = POP3_NO_ROW,
			.header = POP3_NO_ROW,
			.size_bytes = listing->items[i].size_bytes,
			.key = pop3_entry_uidl(listing, &listing->items[i]),
		};
	}
	return 0;
}

/* Messages without a unique-id are known by their header. */
static int make_keys(struct pop3_job *job, struct err *err)
{
	bool is_any = false;

	for (size_t i = 0; i < job->listing.count; i++) {
		struct pop3_item *item = &job->items[i];
		item->wants_header = item->key[0] == '\0';
		is_any = is_any || item->wants_header;
	}
	int code = is_any ? pop3_fetch_headers(job, err) : 0;
	for (size_t i = 0; !code && is_any && i < job->listing.count; i++) {
		struct pop3_item *item = &job->items[i];
		char hex[2 * ROW_DIGEST_SIZE + 1], text[sizeof(hex) + 8];
		if (item->key[0] != '\0' || item->header == POP3_NO_ROW) {
			continue;
		}
		hex_encode(job->headers[item->header].digest, ROW_DIGEST_SIZE, hex);
		memcpy(text, "header ", 7);
		memcpy(text + 7, hex, sizeof(hex));
		code = strlist_add(&job->keys, span_of(text), err);
		if (!code) {
			item->key = job->keys.items[job->keys.count - 1];
		}
	}
	return code;
}

/* Nothing can be done with a message that has neither unique-id nor header. */
static int fail_unknown(struct pop3_job *job, struct err *err)
{
	int code = 0;

	for (size_t i = 0; !code && i < job->listing.count; i++) {
		struct pop3_item *item = &job->items[i];
		struct err why;
		if (item->key[0] == '\0') {
			err_set(&why, ERR_PARTIAL, SCOPE_MESSAGE,
				"the server gives neither a unique-id nor the header of message %u",
				(unsigned)item->number);
			code = pop3_job_fail(job, item, &why, err);
		} else {
			item->is_failed = strlist_find(&job->failed, item->key) >= 0;
		}
	}
	return code;
}

static bool is_open(const struct pop3_item *item)
{
	return item->row == POP3_NO_ROW && item->act == POP3_ACT_NONE && item->key[0] != '\0';
}

/* No run with this database has got as far as remembering what there was on the server. */
static bool is_first_run(const struct pop3_job *job)
{
	return job->run.session->pair_all || job->is_nobodys;
}

static int adopt(struct pop3_job *job, struct err *err)
{
	int code = 0;

	if ((is_first_run(job) || job->run.session->was_unclean) && !job->adoptable_known) {
		code = pop3_find_adoptable(job, err);
	}
	for (size_t i = 0; !code && job->adoptable.count > 0 && i < job->listing.count; i++) {
		char *unique = NULL;
		if (!is_open(&job->items[i])) {
			continue;
		}
		code = pop3_adoptable(job, &job->items[i], &unique, err);
		if (unique) {
			job->items[i].act = POP3_ACT_ADOPT;
			code = strlist_add(&job->adopted, span_of(unique), err);
		}
	}
	strlist_sort(&job->adopted);
	return code;
}

/* What other tools' UIDL files name was fetched by them. */
static int seed(struct pop3_job *job, struct err *err)
{
	const struct server *server = &job->run.account->server;
	struct strlist uidls;
	int code;

	if (!server->host || !server->user) {
		return 0;
	}
	strlist_init(&uidls);
	code = pop3_seed_load(server->user, server->host, server->port, &uidls, err);
	for (size_t i = 0; !code && uidls.count > 0 && i < job->listing.count; i++) {
		if (is_open(&job->items[i]) && strlist_find(&uidls, job->items[i].key) >= 0) {
			job->items[i].act = POP3_ACT_KNOWN;
		}
	}
	strlist_finish(&uidls);
	return code;
}

static int fetch_wanted(struct pop3_job *job, bool is_pairing, struct err *err)
{
	struct pop3_view view;
	int code;

	pop3_job_view(job, &view);
	code = pop3_mark_doubts(&view, err);
	for (size_t i = 0; !code && i < view.count; i++) {
		if (is_open(&view.items[i]) && (is_pairing || job->policy.oldest != INT64_MIN)) {
			view.items[i].wants_header = true;
		}
	}
	return code ? code : pop3_fetch_headers(job, err);
}

/* A first run over an INBOX that another tool filled, or that we did before the database was lost
 * and the server changed its unique-ids. */
static int settle(struct pop3_job *job, struct err *err)
{
	struct pop3_header *locals = NULL;
	struct pop3_view view;
	size_t local_count = 0;
	bool has_foreign = false;
	int code = 0;

	if (is_first_run(job) && job->listing.count > 0) {
		code = pop3_read_others(job, &locals, &local_count, &has_foreign, err);
	}
	if (!code && has_foreign) {
		code = seed(job, err);
	}
	if (!code) {
		code = fetch_wanted(job, local_count > 0, err);
	}
	pop3_job_view(job, &view);
	if (!code) {
		code = pop3_settle_doubts(&view, err);
	}
	if (!code && local_count > 0) {
		code = pop3_pair(&view, locals, local_count, err);
	}
	if (!code) {
		pop3_decide(&view, &job->policy);
	}
	free(locals);
	return code;
}

int pop3_observe(struct pop3_job *job, struct err *err)
{
	struct pop3_view view;
	int code = pop3_list(job->pop3, &job->listing, err);

	if (!code) {
		code = state_pop3_load(job->run.session->state, &job->rows, err);
	}
	if (!code) {
		job->rows_cap = job->rows.count;
		code = make_items(job, err);
	}
	if (!code) {
		code = make_keys(job, err);
	}
	if (!code) {
		code = fail_unknown(job, err);
	}
	if (!code) {
		code = pop3_whose_check(job, err);
	}
	pop3_job_view(job, &view);
	if (!code) {
		code = pop3_match(&view, err);
	}
	if (!code) {
		code = adopt(job, err);
	}
	return code ? code : settle(job, err);
}
