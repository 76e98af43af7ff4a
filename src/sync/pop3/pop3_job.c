/* What all steps of a POP3 run use: the items, their rows, and their failures. */
#include <stdlib.h>

#include "mailsync/base/array.h"

#include "pop3_private.h"

#define WORDS_MAX 300 /* of the server's, in an error */

struct pop3_view pop3_job_view(struct pop3_job *job)
{
	struct pop3_session *session = &job->session;
	return (struct pop3_view){
		.items = session->items,
		.count = session->listing.count,
		.headers = session->headers,
		.rows = session->rows.items,
		.row_count = session->known_count,
		.is_listed = session->is_listed,
		.is_partial = session->is_partial,
		.is_other = session->whose == WHOSE_OTHERS,
	};
}

int pop3_job_fail(struct pop3_job *job, struct pop3_item *item, struct err *err)
{
	int code = 0;
	item->is_failed = true;
	item->act = POP3_ACT_NONE;
	if (item->key[0] != '\0') {
		code = strlist_add(&job->learnt.failed, span_of(item->key), err);
		strlist_sort(&job->learnt.failed);
	}
	return code;
}

int pop3_job_report(struct pop3_job *job, struct pop3_item *item, const struct err *why,
		    struct err *err)
{
	run_report_error(job->run, job->mailbox, 0, why);
	return pop3_job_fail(job, item, err);
}

void pop3_job_refused(struct pop3_job *job, const char *what, uint32_t number, struct span words)
{
	struct err why;
	err_set(&why, ERR_REFUSED, SCOPE_MESSAGE,
		"the server refused %s %u, saying \"%.*s\"; it is tried again next time", what,
		(unsigned)number, (int)(words.len > WORDS_MAX ? WORDS_MAX : words.len),
		words.data != NULL ? words.data : "");
	run_report_error(job->run, job->mailbox, 0, &why);
}

int pop3_row_begin(struct pop3_job *job, const struct pop3_item *item, const char *unique,
		   struct pop3_row *row, struct err *err)
{
	bool is_new = item->row == POP3_NO_ROW;
	const struct pop3_row *known = is_new ? NULL : &job->session.rows.items[item->row];
	row->id = is_new ? 0 : known->id;
	row->occurrence = is_new ? item->occurrence : known->occurrence;
	row->uidl = span_dup(span_of(item->key));
	row->unique = span_dup(span_of(unique));
	if (row->uidl == NULL || row->unique == NULL) {
		pop3_row_drop(row);
		return err_nomem(err);
	}
	return 0;
}

void pop3_row_keep(struct pop3_job *job, struct pop3_item *item, struct pop3_row *row)
{
	struct pop3_rows *rows = &job->session.rows;
	if (item->row == POP3_NO_ROW) {
		item->row = (uint32_t)rows->count++;
	} else {
		pop3_row_drop(&rows->items[item->row]);
	}
	rows->items[item->row] = *row;
	*row = (struct pop3_row){0};
}

void pop3_row_drop(struct pop3_row *row)
{
	free(row->uidl);
	free(row->unique);
	*row = (struct pop3_row){0};
}

int pop3_asked_add(struct pop3_asked *asked, struct pop3_item *item, struct err *err)
{
	int code = ARRAY_RESERVE(&asked->items, asked->count + 1, &asked->cap, err);
	if (code == 0) {
		asked->items[asked->count++] = item;
	}
	return code;
}

int pop3_asked_queue(struct pop3_asked *asked, struct pop3 *pop3, enum pop3_want want,
		     struct err *err)
{
	int code = 0;
	while (code == 0 && asked->queued < asked->count && pop3_has_room(pop3)) {
		code = pop3_queue(pop3, want, asked->items[asked->queued++]->number, err);
	}
	return code;
}

struct pop3_item *pop3_asked_next(struct pop3_asked *asked, struct err *err)
{
	if (asked->answered == asked->count) {
		err_set(err, ERR_INTERNAL, SCOPE_ACCOUNT,
			"an answer about a message that was not asked for");
		return NULL;
	}
	return asked->items[asked->answered++];
}
