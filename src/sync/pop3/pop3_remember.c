/* What a listing told, put into the rows. */
#include <stdlib.h>
#include <string.h>

#include "pop3_private.h"
#include "guard/claim.h"

int pop3_put_row(struct pop3_job *job, struct pop3_item *item, const struct pop3_row *row,
		 struct err *err)
{
	struct pop3_row made = *row;
	struct pop3_row *known = item->row == POP3_NO_ROW ? NULL : &job->rows.items[item->row];

	made.id = known ? known->id : 0;
	made.occurrence = known ? known->occurrence : item->occurrence;
	made.uidl = span_dup(span_of(item->key));
	made.unique = span_dup(span_of(row->unique));
	int code = made.uidl && made.unique ? state_pop3_put(job->run.session->state, &made, err)
					    : err_nomem(err);
	if (!code && !known && job->rows.count == job->rows_cap) {
		size_t cap = job->rows_cap ? job->rows_cap * 2 : 64;
		struct pop3_row *grown = realloc(job->rows.items, cap * sizeof(*grown));
		code = grown ? 0 : err_nomem(err);
		if (grown) {
			job->rows.items = grown;
			job->rows_cap = cap;
		}
	}
	if (code) {
		free(made.uidl);
		free(made.unique);
		return code;
	}
	if (known) {
		free(known->uidl);
		free(known->unique);
		*known = made;
	} else {
		item->row = (uint32_t)job->rows.count;
		job->rows.items[job->rows.count++] = made;
	}
	return 0;
}

/* A row whose message is listed: its size, key and header may have become known. */
static bool is_news(const struct pop3_job *job, const struct pop3_item *item)
{
	const struct pop3_row *row = &job->rows.items[item->row];

	return item->is_renamed || row->is_deleted || row->gone_since != 0 ||
	       (item->size_bytes != 0 && item->size_bytes != row->size_bytes) ||
	       (item->header != POP3_NO_ROW && !row->has_digest);
}

static int put_listed(struct pop3_job *job, struct pop3_item *item, struct err *err)
{
	struct pop3_row *row = &job->rows.items[item->row];

	if (item->is_renamed) {
		char *uidl = span_dup(span_of(item->key));
		if (!uidl) {
			return err_nomem(err);
		}
		free(row->uidl);
		row->uidl = uidl;
		row->occurrence = item->occurrence;
		item->is_renamed = false;
	}
	row->gone_since = 0;
	row->is_deleted = false; /* it is still there, whatever QUIT said */
	row->size_bytes = item->size_bytes ? item->size_bytes : row->size_bytes;
	if (item->header != POP3_NO_ROW && !row->has_digest) {
		row->has_digest = true;
		memcpy(row->digest, job->headers[item->header].digest, ROW_DIGEST_SIZE);
	}
	return state_pop3_put(job->run.session->state, row, err);
}

/* The seconds that the name of a file of ours begins with. */
static int64_t delivered_at(const char *unique)
{
	uint64_t seconds;
	size_t len = strspn(unique, "0123456789");

	return span_to_u64((struct span){unique, len}, &seconds) && seconds <= INT64_MAX
		     ? (int64_t)seconds
		     : 0;
}

static int put_new(struct pop3_job *job, struct pop3_item *item, struct err *err)
{
	const struct pop3_header *header =
		item->header == POP3_NO_ROW ? NULL : &job->headers[item->header];
	char none[] = "";
	struct pop3_row row = {
		.size_bytes = item->size_bytes,
		.unique = none,
		.first_seen = job->policy.now,
		.reason = REASON_POLICY,
		.has_digest = header != NULL,
	};
	char *unique = NULL;
	int code = 0;

	if (header) {
		memcpy(row.digest, header->digest, ROW_DIGEST_SIZE);
	}
	if (item->act == POP3_ACT_ADOPT) {
		code = pop3_adoptable(job, item, &unique, err);
		row.unique = unique ? unique : none;
		row.reason = REASON_NONE;
		row.first_seen = delivered_at(row.unique);
	} else if (item->act == POP3_ACT_OLD) {
		row.reason = REASON_TOO_OLD;
		row.first_seen = header ? header->date : job->policy.now;
	}
	return code ? code : pop3_put_row(job, item, &row, err);
}

static bool is_remembered(const struct pop3_item *item)
{
	return item->act == POP3_ACT_OLD || item->act == POP3_ACT_KNOWN ||
	       item->act == POP3_ACT_ADOPT;
}

static bool is_expired(const struct pop3_job *job, const struct pop3_row *row)
{
	return row->reason == REASON_TOO_OLD ||
	       (row->gone_since != 0 && job->policy.now - row->gone_since > POP3_GONE_KEPT_S);
}

/* J3: a server that lists only some messages tells nothing of the others. */
static bool is_gone(const struct pop3_job *job, size_t row)
{
	return !job->is_listed[row] && !job->is_partial;
}

static int put_gone(struct pop3_job *job, struct err *err)
{
	int code = 0;

	for (size_t r = 0; !code && r < job->listed_count; r++) {
		struct pop3_row *row = &job->rows.items[r];
		if (!is_gone(job, r)) {
			continue;
		}
		if (is_expired(job, row)) {
			code = state_pop3_drop(job->run.session->state, row->id, err);
		} else if (row->gone_since == 0) {
			row->gone_since = job->policy.now;
			code = state_pop3_put(job->run.session->state, row, err);
		}
	}
	return code;
}

/* Deletions that a cut left open: the listing has told which of them happened. */
static int drop_intents(struct pop3_job *job, struct err *err)
{
	struct intents intents = {0};
	int code = state_intents_load(job->run.session->state, 0, &intents, err);

	for (size_t i = 0; !code && i < intents.count; i++) {
		if (intents.items[i].kind == INTENT_POP3_DELETE) {
			log_line(job->run.log, LOG_INFO,
				 "%s: the last session was cut while it deleted; what is still "
				 "listed was not deleted",
				 job->run.account->name);
			code = state_intent_drop(job->run.session->state, intents.items[i].id, err);
		}
	}
	state_intents_finish(&intents);
	return code;
}

static bool has_news(const struct pop3_job *job)
{
	for (size_t i = 0; i < job->listing.count; i++) {
		const struct pop3_item *item = &job->items[i];
		if (is_remembered(item) || (item->row != POP3_NO_ROW && is_news(job, item))) {
			return true;
		}
	}
	for (size_t r = 0; r < job->listed_count; r++) {
		const struct pop3_row *row = &job->rows.items[r];
		if (is_gone(job, r) && (row->gone_since == 0 || is_expired(job, row))) {
			return true;
		}
	}
	return job->run.session->was_unclean || job->is_other ||
	       (job->is_nobodys && job->listing.count > 0);
}

static int put_all(struct pop3_job *job, struct err *err)
{
	int code = drop_intents(job, err);

	if (!code && (job->is_other || job->is_nobodys)) {
		code = pop3_whose_put(job, err);
	}
	for (size_t i = 0; !code && i < job->listing.count; i++) {
		struct pop3_item *item = &job->items[i];
		if (is_remembered(item)) {
			code = put_new(job, item, err);
		} else if (item->row != POP3_NO_ROW && is_news(job, item)) {
			code = put_listed(job, item, err);
		}
	}
	return code ? code : put_gone(job, err);
}

int pop3_remember(struct pop3_job *job, struct err *err)
{
	if (!has_news(job)) {
		return 0;
	}
	int code = run_claim(&job->run, err);
	if (!code) {
		code = state_begin(job->run.session->state, err);
	}
	if (code) {
		return code;
	}
	code = put_all(job, err);
	if (code) {
		state_rollback(job->run.session->state);
		return code;
	}
	return state_commit(job->run.session->state, err);
}
