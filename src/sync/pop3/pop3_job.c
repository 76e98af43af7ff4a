/* What all steps of a POP3 run use: the items, their rows, and their failures. */
#include <stdio.h>
#include <stdlib.h>

#include "pop3_private.h"

static bool is_for(const struct pop3_job *job, const struct pop3_item *item,
		   enum pop3_purpose purpose)
{
	switch (purpose) {
	case POP3_FOR_HEADER:
		return item->wants_header && item->header == POP3_NO_ROW && !item->is_failed &&
		       !item->is_aside;
	case POP3_FOR_DOWNLOAD:
		return item->act == POP3_ACT_DOWNLOAD || item->act == POP3_ACT_PROVE;
	case POP3_FOR_DELETION:
		return item->row != POP3_NO_ROW && !item->is_failed && !item->waits &&
		       !item->is_aside &&
		       pop3_is_due(&job->session.rows.items[item->row], &job->policy);
	}
	return false;
}

struct pop3_item *pop3_next(struct pop3_job *job, enum pop3_purpose purpose, size_t *at)
{
	struct pop3_view *view = &job->session.view;
	while (*at < view->count) {
		struct pop3_item *item = &view->items[(*at)++];
		if (is_for(job, item, purpose)) {
			return item;
		}
	}
	return NULL;
}

int pop3_ask_for(struct pop3_job *job, enum pop3_purpose purpose, enum pop3_want want, size_t *at,
		 struct err *err)
{
	struct pop3 *pop3 = job->session.pop3;
	int code = 0;
	while (code == 0 && *at < job->session.view.count && pop3_has_room(pop3)) {
		const struct pop3_item *item = pop3_next(job, purpose, at);
		code = item == NULL ? 0 : pop3_queue(pop3, want, item->number, err);
	}
	return code;
}

int pop3_job_fail(struct pop3_job *job, struct pop3_item *item, const struct err *why,
		  struct err *err)
{
	int code = 0;
	if (why != NULL) {
		run_report_error(job->run, job->mailbox, 0, why);
	}
	item->is_failed = true;
	item->act = POP3_ACT_NONE;
	if (item->key[0] != '\0') {
		job->session.outcome.has_failures = true;
		code = strlist_add(&job->learnt.failed, span_of(item->key), err);
	}
	return code;
}

bool pop3_job_lacks_utf8(struct pop3_job *job, struct span words)
{
	if (!span_starts_nocase(words, "[UTF8]") || job->session.has_utf8) {
		return false;
	}
	job->learnt.wants_utf8 = true;
	job->session.outcome.lacked_utf8 = true;
	return true;
}

void pop3_job_refused(struct pop3_job *job, const char *what, const struct pop3_item *item,
		      struct span words)
{
	struct err why;
	err_set(&why, ERR_REFUSED, SCOPE_MESSAGE,
		"the server refused %s %u, saying \"%.*s\"; it is tried again next time", what,
		(unsigned)item->number,
		(int)(words.len > POP3_WORDS_MAX ? POP3_WORDS_MAX : words.len),
		words.data != NULL ? words.data : "");
	run_report_error(job->run, job->mailbox, 0, &why);
}

struct pop3_row *pop3_row_name(struct pop3_job *job, struct pop3_item *item, const char *unique,
			       struct err *err)
{
	struct pop3_rows *rows = &job->session.rows;
	char *uidl = span_dup(span_of(item->key));
	char *copy = span_dup(span_of(unique));
	if (uidl == NULL || copy == NULL) {
		free(uidl);
		free(copy);
		err_nomem(err);
		return NULL;
	}
	if (item->row == POP3_NO_ROW) {
		item->row = (uint32_t)rows->count++;
		rows->items[item->row] = (struct pop3_row){.occurrence = item->occurrence};
	}
	struct pop3_row *row = &rows->items[item->row];
	free(row->uidl);
	free(row->unique);
	row->uidl = uidl;
	row->unique = copy;
	return row;
}

void pop3_refusal_set(struct pop3_refusal *refusal, struct pop3_item *item, struct span words)
{
	size_t len = words.len > POP3_WORDS_MAX ? POP3_WORDS_MAX : words.len;
	*refusal = (struct pop3_refusal){.item = item};
	snprintf(refusal->words, sizeof(refusal->words), "%.*s", (int)len,
		 words.data != NULL ? words.data : "");
}
