/*
 * What the connection ends on, of POP3 (run/suspects.h). A message has no row before it is here, so
 * what it is remembered by is a hash of its key and its size; without a key, since numbers change
 * with each deletion, of its size and which of that size it is.
 *
 * Answers come in the order of the commands: of all that are on their way the connection ended on
 * the first that has none. A server that dies with answers unsent makes that one of those before
 * the real one, so once there are suspects only a few commands are on their way at once.
 */
#include <stdlib.h>
#include <string.h>

#include "mailsync/base/hash.h"

#include "pop3_private.h"

#define FEW 8 /* commands */

void pop3_suspects_limit(struct pop3_job *job)
{
	size_t most = suspects_are_any(job->run) ? FEW : SIZE_MAX;
	pop3_limit(job->session.pop3, suspects_batch(job->run, most));
}

/* Positive. */
static int64_t hash_of(const struct pop3_item *item)
{
	uint64_t hash = item->key[0] != '\0' ? hash_span(span_of(item->key)) : item->occurrence;
	hash = hash * 31 + told_or(item->size, 0);
	return (int64_t)(hash >> 1 | 1);
}

static struct suspect_item suspect_of(const struct pop3_job *job, const struct pop3_item *item,
				      enum suspect_act act)
{
	return (struct suspect_item){
		.kind = SUSPECT_POP3,
		.act = act,
		.mailbox = job->mailbox->name,
		.row = hash_of(item),
		.uid = item->number,
	};
}

static const struct pop3_item *item_at(const void *place)
{
	return *(struct pop3_item *const *)place;
}

static int compare_size(const void *x, const void *y)
{
	const struct pop3_item *one = item_at(x), *other = item_at(y);
	uint64_t a = told_or(one->size, 0), b = told_or(other->size, 0);
	if (a != b) {
		return a < b ? -1 : 1;
	}
	return one->number < other->number ? -1 : one->number > other->number;
}

int pop3_suspects_number(struct pop3_view *view, struct err *err)
{
	struct pop3_item **nameless = calloc(view->count + 1, sizeof(struct pop3_item *));
	size_t count = 0;
	if (nameless == NULL) {
		return err_nomem(err);
	}
	for (size_t i = 0; i < view->count; i++) {
		if (view->items[i].key[0] == '\0') {
			nameless[count++] = &view->items[i];
		}
	}
	qsort(nameless, count, sizeof(struct pop3_item *), compare_size);
	for (size_t i = 0; i < count; i++) {
		bool is_alike =
			i > 0 && told_or(nameless[i]->size, 0) == told_or(nameless[i - 1]->size, 0);
		nameless[i]->occurrence = is_alike ? nameless[i - 1]->occurrence + 1 : 1;
	}
	free(nameless);
	return 0;
}

void pop3_suspects_set_aside(struct pop3_job *job)
{
	struct pop3_view *view = &job->session.view;
	for (size_t i = 0; suspects_are_any(job->run) && i < view->count; i++) {
		struct pop3_item *item = &view->items[i];
		enum suspect_place place =
			suspects_place(job->run, SUSPECT_POP3, job->mailbox->name, hash_of(item));
		job->session.left += !item->is_aside && place == SUSPECT_IS_LEFT;
		item->is_aside |= place == SUSPECT_IS_LEFT ||
				  (place == SUSPECT_IS_LATER && !job->run->options->dry_run);
	}
}

void pop3_suspects_went(struct pop3_job *job, const struct pop3_item *item, enum suspect_act act)
{
	const struct suspect_item went = suspect_of(job, item, act);
	suspects_went(job->run, &went);
}

void pop3_suspects_lost(struct pop3_job *job, const struct pop3_item *item, enum suspect_act act,
			const struct err *err)
{
	if (item != NULL) {
		const struct suspect_item lost = suspect_of(job, item, act);
		suspects_lost(job->run, &lost, 1, err);
	}
}
