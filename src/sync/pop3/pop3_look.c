/* What the maildrop has of base, for `verify`: pop3_run.c has the session. */
#include <stdlib.h>

#include "pop3_private.h"
#include "pop3_run.h"

static const struct pop3_row *row_of(const struct pop3_job *job, const struct pop3_item *item)
{
	bool is_sure =
		item->row != POP3_NO_ROW && !item->waits && !item->is_failed && !item->is_aside;
	return is_sure ? &job->session.rows.items[item->row] : NULL;
}

struct pop3_looked pop3_look_sum(const struct run *run)
{
	const struct pop3_view *view = &run->pop3->session.view;
	struct pop3_looked looked = {.is_partial = view->is_partial};
	for (size_t i = 0; i < view->count; i++) {
		const struct pop3_item *item = &view->items[i];
		looked.known += row_of(run->pop3, item) != NULL;
		looked.unknown += item->waits || item->is_failed || item->is_aside;
		looked.news += item->row == POP3_NO_ROW && item->act != POP3_ACT_NONE;
	}
	return looked;
}

struct reading {
	struct pop3_job *job;
	const struct pop3_reader *reader;
	bool *are_wanted; /* of each item */
	size_t asked_at, answered_at;
};

static struct pop3_item *next(struct reading *reading, size_t *at)
{
	struct pop3_view *view = &reading->job->session.view;
	while (*at < view->count && !reading->are_wanted[*at]) {
		(*at)++;
	}
	return *at < view->count ? &view->items[(*at)++] : NULL;
}

static int ask(struct reading *reading, struct err *err)
{
	struct pop3 *pop3 = reading->job->session.pop3;
	int code = 0;
	while (code == 0 && pop3_has_room(pop3)) {
		const struct pop3_item *item = next(reading, &reading->asked_at);
		if (item == NULL) {
			break;
		}
		code = pop3_queue(pop3, POP3_WANT_MESSAGE, item->number, err);
	}
	return code;
}

static int take(struct reading *reading, const struct pop3_piece *piece,
		const struct pop3_item **coming, struct err *err)
{
	const struct pop3_reader *reader = reading->reader;
	const struct pop3_item *item = *coming;
	bool is_whole;
	switch (piece->kind) {
	case PIECE_BEGIN:
		*coming = next(reading, &reading->answered_at);
		return reader->begin(reader->context, row_of(reading->job, *coming), err);
	case PIECE_DATA:
		return reader->data(reader->context, piece->data, err);
	case PIECE_END:
		is_whole = pop3_judge_body(item->size, piece->size_bytes, piece->has_lone_dot) !=
				   POP3_BODY_TORN &&
			   pop3_is_proven(item->size, piece->size_bytes, piece->slack_bytes,
					  &reading->job->learnt.sizes);
		return reader->end(reader->context, row_of(reading->job, item), is_whole, err);
	case PIECE_REFUSED:
		*coming = next(reading, &reading->answered_at);
		return reader->refused(reader->context, row_of(reading->job, *coming), piece->data,
				       err);
	case PIECE_NONE:
		break;
	}
	return 0;
}

int pop3_look_read(struct run *run, const struct pop3_reader *reader, struct err *err)
{
	struct pop3_job *job = run->pop3;
	const struct pop3_view *view = &job->session.view;
	struct reading reading = {.job = job, .reader = reader};
	struct pop3_piece piece = {.kind = PIECE_BEGIN};
	const struct pop3_item *coming = NULL;
	int code = 0;
	reading.are_wanted = calloc(view->count + 1, sizeof(*reading.are_wanted));
	if (reading.are_wanted == NULL) {
		return err_nomem(err);
	}
	for (size_t i = 0; i < view->count; i++) {
		const struct pop3_row *row = row_of(job, &view->items[i]);
		reading.are_wanted[i] = row != NULL && reader->wants(reader->context, row);
	}
	job->session.has_read = true;
	while (code == 0 && piece.kind != PIECE_NONE) {
		if ((code = run_check_stop(run, err)) == 0 && (code = ask(&reading, err)) == 0 &&
		    (code = pop3_fetch_next(job->session.pop3, &piece, err)) == 0) {
			code = take(&reading, &piece, &coming, err);
		}
	}
	free(reading.are_wanted);
	return code;
}
