/* Which items are suspects, over the passes of a session (suspects.h). */
#include "suspects.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mailsync/base/array.h"
#include "mailsync/base/clock.h"

#include "run.h"

static int compare_keys(const struct state_suspect *one, const struct state_suspect *other)
{
	if (one->kind != other->kind) {
		return one->kind < other->kind ? -1 : 1;
	}
	if (one->row != other->row) {
		return one->row < other->row ? -1 : 1;
	}
	/* A message is one wherever it is moved to. */
	return one->row != 0 ? 0 : strcmp(one->mailbox, other->mailbox);
}

static int compare_to_item(const void *key, const void *item)
{
	return compare_keys(key, &((const struct suspect *)item)->of);
}

static struct suspects *suspects_of(const struct run *run)
{
	return &run->session->suspects;
}

static struct suspect *find(const struct suspects *suspects, const struct state_suspect *key)
{
	return suspects->count == 0 ? NULL
				    : array_find(suspects->items, suspects->count,
						 sizeof(*suspects->items), key, compare_to_item);
}

/* KEY's, which is added where it is new; its strings are copied. NULL: no memory. */
static struct suspect *find_or_add(struct suspects *suspects, const struct state_suspect *key)
{
	struct err ignored;
	struct suspect *items = suspects->items;
	size_t at = array_lower_bound(items, suspects->count, sizeof(*items), key, compare_to_item);
	if (at < suspects->count && compare_keys(key, &items[at].of) == 0) {
		return &items[at];
	}
	struct suspect added = {.of = *key, .stage = SUSPECT_CLEARED};
	added.of.mailbox = span_dup(span_of(key->mailbox));
	if (added.of.mailbox == NULL ||
	    ARRAY_RESERVE(&suspects->items, suspects->count + 1, &suspects->cap, &ignored) < 0) {
		free(added.of.mailbox);
		return NULL;
	}
	items = suspects->items + at;
	memmove(items + 1, items, (suspects->count - at) * sizeof(*items));
	*items = added;
	suspects->count++;
	return items;
}

void suspects_finish(struct suspects *suspects)
{
	for (size_t i = 0; i < suspects->count; i++) {
		state_suspect_finish(&suspects->items[i].of);
		free(suspects->items[i].why);
	}
	free(suspects->items);
	*suspects = (struct suspects){0};
}

int suspects_load(struct run *run, struct err *err)
{
	struct suspects *suspects = suspects_of(run);
	struct state_suspects known = {0};
	int64_t now = clock_real_s();
	int code = state_suspects_load(run->session->state, &known, err);
	for (size_t i = 0; code == 0 && i < known.count; i++) {
		struct suspect *suspect = find_or_add(suspects, &known.items[i]);
		if (suspect == NULL) {
			code = err_nomem(err);
			break;
		}
		suspect->is_marked = true;
		suspect->is_of_before = suspect->of.mark.runs > 0 || suspect->of.mark.losses > 0;
		suspect->stage = SUSPECT_KNOWN;
		suspect->turn = suspect_turn(suspect->of.kind, &suspect->of.mark, now);
	}
	state_suspects_finish(&known);
	return code;
}

static bool is_singly(const struct suspect *suspect)
{
	return suspect->stage == SUSPECT_DOUBTED ||
	       (suspect->stage == SUSPECT_KNOWN && suspect->turn == SUSPECT_LAST);
}

static enum suspect_place place_of(const struct suspects *suspects, const struct suspect *suspect)
{
	bool is_left = suspect->stage == SUSPECT_KNOWN && suspect->turn == SUSPECT_NOT_NOW;
	if (is_left || suspect->stage == SUSPECT_CLEARED) {
		return is_left ? SUSPECT_IS_LEFT : SUSPECT_GOES;
	}
	bool goes = (suspects->step == SUSPECT_STEP_SINGLY && is_singly(suspect)) ||
		    (suspects->step == SUSPECT_STEP_FRESH && suspect->is_alone);
	return goes ? SUSPECT_GOES : SUSPECT_IS_LATER;
}

enum suspect_place suspects_place(struct run *run, enum suspect_kind kind, const char *mailbox,
				  int64_t row)
{
	struct state_suspect key = {.kind = kind, .mailbox = (char *)mailbox, .row = row};
	pthread_mutex_lock(&run->mutex);
	struct suspect *suspect = find(suspects_of(run), &key);
	enum suspect_place place = SUSPECT_GOES;
	if (suspect != NULL) {
		suspect->is_seen = true;
		place = place_of(suspects_of(run), suspect);
	}
	pthread_mutex_unlock(&run->mutex);
	return place;
}

/* Nothing is held against it any more. */
static void clear(struct suspect *suspect)
{
	suspect->stage = SUSPECT_CLEARED;
	suspect->of.mark = (struct suspect_mark){0};
}

void suspects_forget_unseen(struct run *run, enum suspect_kind kind)
{
	struct suspects *suspects = suspects_of(run);
	for (size_t i = 0; i < suspects->count; i++) {
		struct suspect *suspect = &suspects->items[i];
		if (suspect->of.kind == kind && !suspect->is_seen) {
			clear(suspect);
		}
	}
}

bool suspects_want_control(const struct run *run)
{
	const struct suspects *suspects = suspects_of(run);
	size_t ended = 0;
	bool was_confirmed = false;
	for (size_t i = 0; i < suspects->count; i++) {
		const struct suspect *suspect = &suspects->items[i];
		bool is_one = suspect->of.kind == SUSPECT_MAILBOX &&
			      (suspect->stage == SUSPECT_ENDED || suspect->stage == SUSPECT_PROVEN);
		ended += is_one;
		was_confirmed |= is_one && suspect->of.mark.runs > 0;
	}
	return ended == 1 && !was_confirmed && suspects->went[SUSPECT_AT_OPEN] == 0 &&
	       !suspects->has_no_mailbox;
}

void suspects_note_control(struct run *run, int code, const struct err *err)
{
	struct suspects *suspects = suspects_of(run);
	if (code == 0) {
		suspects->went[SUSPECT_AT_OPEN]++;
	} else if (suspects_is_loss(err)) {
		suspects->has_no_mailbox = true;
		suspects->has_cause = true;
	}
}

bool suspects_are_any(const struct run *run)
{
	return suspects_of(run)->count > 0;
}

size_t suspects_batch(const struct run *run, size_t most)
{
	const struct suspects *suspects = suspects_of(run);
	bool is_free = suspects->step == SUSPECT_STEP_REST || suspects->batch > most;
	return is_free ? most : suspects->batch;
}

struct suspect_item mailbox_item(const struct mailbox *mailbox, enum suspect_act act)
{
	return (struct suspect_item){.kind = SUSPECT_MAILBOX, .act = act, .mailbox = mailbox->name};
}

struct suspect_item message_item(const struct mailbox *mailbox, const struct row *row,
				 enum suspect_act act)
{
	return (struct suspect_item){
		.kind = SUSPECT_MESSAGE,
		.act = act,
		.mailbox = mailbox->name,
		.row = row->id,
		.uid = row->uid,
	};
}

static struct state_suspect key_of(const struct suspect_item *item)
{
	return (struct state_suspect){
		.kind = item->kind,
		.mailbox = (char *)item->mailbox,
		.row = item->row,
		.uid = item->uid,
		.act = item->act,
	};
}

void suspects_went(struct run *run, const struct suspect_item *item)
{
	struct suspects *suspects = suspects_of(run);
	const struct state_suspect key = key_of(item);
	pthread_mutex_lock(&run->mutex);
	struct suspect *suspect = find(suspects, &key);
	suspects->went[item->act]++;
	suspects->went_now[item->act]++;
	if (suspect != NULL && suspect->of.act == item->act &&
	    place_of(suspects, suspect) == SUSPECT_GOES) {
		clear(suspect);
	}
	pthread_mutex_unlock(&run->mutex);
}

bool suspects_is_loss(const struct err *err)
{
	return (err->code == ERR_TEMPORARY || err->code == ERR_PROTOCOL) &&
	       err->scope == SCOPE_ACCOUNT;
}

/* So that a run that dies here leaves them for the end of the next one, and with what is known. */
static void mark(struct run *run, struct suspect *suspect)
{
	struct err ignored; /* only the order is the poorer */
	if (suspect->of.mark.runs == 0) {
		suspect->of.mark.last_at = clock_real_s();
	}
	suspect->is_marked |= state_suspect_put(run->session->state, &suspect->of, &ignored) == 0;
}

static void lose(struct run *run, const struct suspect_item *item, bool was_alone,
		 const struct err *err)
{
	struct suspects *suspects = suspects_of(run);
	const struct state_suspect key = key_of(item);
	struct suspect *suspect = find_or_add(suspects, &key);
	if (suspect == NULL) {
		return;
	}
	const struct suspect_loss loss = {
		.was_alone = was_alone,
		.act = item->act,
		.end = err->end,
		.end_at = err->end_at,
	};
	suspect->stage = suspect_after_loss(suspect->stage, &suspect->of.mark, &loss);
	suspect->of.act = item->act;
	suspect->of.uid = item->uid;
	suspect->ended_on = suspects->losses + 1;
	free(suspect->why);
	suspect->why = span_dup(span_of(err->text));
	mark(run, suspect);
}

void suspects_lost(struct run *run, const struct suspect_item *items, size_t count,
		   const struct err *err)
{
	struct err ignored;
	if (!suspects_is_loss(err)) {
		return;
	}
	int code = state_begin(run->session->state, &ignored);
	pthread_mutex_lock(&run->mutex);
	for (size_t i = 0; i < count; i++) {
		lose(run, &items[i], count == 1, err);
	}
	suspects_of(run)->has_cause |= count > 0;
	pthread_mutex_unlock(&run->mutex);
	(void)state_end(run->session->state, code, &ignored);
}

/* All that went by a connection that is gone. */
static size_t went_by_it(const struct suspects *suspects)
{
	size_t went = 0;
	for (size_t act = 0; act < SUSPECT_ACT_COUNT; act++) {
		went += suspects->went_now[act];
	}
	return went;
}

/* X9: what ended an earlier connection, where its act went through by the one that is gone now. */
static void prove_by_act(struct suspects *suspects)
{
	for (size_t i = 0; i < suspects->count; i++) {
		struct suspect *suspect = &suspects->items[i];
		if (suspect->stage == SUSPECT_ENDED && suspect->ended_on <= suspects->losses &&
		    suspects->went_now[suspect->of.act] > 0) {
			suspect->stage = SUSPECT_PROVEN;
		}
	}
}

/* Nothing was on its way that could be set aside: only where something went through before it is
 * that worth another connection. */
static bool is_worth_another(const struct suspects *suspects)
{
	return suspects->has_cause || went_by_it(suspects) > 0;
}

static void note_loss(struct suspects *suspects, const struct err *err)
{
	bool has_gone = went_by_it(suspects) > 0;
	prove_by_act(suspects);
	suspects->losses++;
	suspects->losses_in_a_row = has_gone ? 1 : suspects->losses_in_a_row + 1;
	suspects->has_cause = false;
	suspects->loss = *err;
	memset(suspects->went_now, 0, sizeof(suspects->went_now));
}

/* The pass came to its end: so did what it was for, and what ended a connection before it is proven
 * by that (X9). */
static void note_end(struct suspects *suspects)
{
	for (size_t i = 0; i < suspects->count; i++) {
		struct suspect *suspect = &suspects->items[i];
		if (place_of(suspects, suspect) == SUSPECT_GOES) {
			clear(suspect);
		} else if (suspect->stage == SUSPECT_ENDED) {
			suspect->stage = SUSPECT_PROVEN;
		}
	}
	suspects->rest_is_done = true;
	suspects->losses_in_a_row = 0;
}

static struct suspect_tally count_all(const struct suspects *suspects)
{
	struct suspect_tally tally = {
		.rest_is_done = suspects->rest_is_done,
		.losses = suspects->losses,
		.losses_in_a_row = suspects->losses_in_a_row,
	};
	for (size_t i = 0; i < suspects->count; i++) {
		const struct suspect *suspect = &suspects->items[i];
		tally.due += suspect->stage == SUSPECT_KNOWN && is_singly(suspect);
		tally.doubted += suspect->stage == SUSPECT_DOUBTED;
		tally.candidates += suspect->stage == SUSPECT_CANDIDATE;
		tally.ended += suspect->stage == SUSPECT_ENDED;
	}
	return tally;
}

static void choose_alone(struct suspects *suspects)
{
	bool is_chosen = suspects->step != SUSPECT_STEP_FRESH;
	for (size_t i = 0; i < suspects->count; i++) {
		struct suspect *suspect = &suspects->items[i];
		suspect->is_alone = !is_chosen && suspect->stage == SUSPECT_CANDIDATE;
		is_chosen |= suspect->is_alone;
	}
}

/* Nobody has said what was on its way: then it was about the mailbox that is open. */
static void lose_open_mailbox(struct run *run, const struct err *err)
{
	const char *wire = remote_about(run->session->remote);
	for (size_t i = 0; wire != NULL && i < run->mailboxes.count; i++) {
		const struct mailbox *mailbox = &run->mailboxes.items[i];
		if (mailbox->wire != NULL && strcmp(mailbox->wire, wire) == 0) {
			const struct suspect_item item = mailbox_item(mailbox, SUSPECT_AT_LOOK);
			suspects_lost(run, &item, 1, err);
			return;
		}
	}
}

int suspects_after(struct run *run, int code, enum suspect_step *step, bool *is_cut,
		   struct err *err)
{
	struct suspects *suspects = suspects_of(run);
	bool is_lost = code < 0 && suspects_is_loss(err);
	*step = SUSPECT_STEP_GIVE_UP;
	*is_cut = is_lost;
	if (is_lost && !suspects->has_cause && run->session->remote != NULL) {
		lose_open_mailbox(run, err);
	}
	if ((code < 0 && !is_lost) || (is_lost && !is_worth_another(suspects))) {
		return code;
	}
	if (is_lost) {
		note_loss(suspects, err);
	} else {
		note_end(suspects);
	}
	const struct suspect_tally tally = count_all(suspects);
	suspects->step = suspect_next_step(&tally);
	suspects->batch = suspect_batch(suspects->step, tally.doubted + tally.due);
	choose_alone(suspects);
	*is_cut |= suspects->step == SUSPECT_STEP_FRESH;
	*step = suspects->step;
	return *step == SUSPECT_STEP_GIVE_UP ? code : 0;
}

bool suspects_has_unsettled(const struct run *run)
{
	const struct suspects *suspects = suspects_of(run);
	for (size_t i = 0; i < suspects->count; i++) {
		const struct suspect *suspect = &suspects->items[i];
		bool is_once = suspect->of.act == SUSPECT_AT_APPEND ||
			       suspect->of.act == SUSPECT_AT_MOVE ||
			       suspect->of.act == SUSPECT_AT_EXPUNGE;
		if (is_once && suspect->ended_on == suspects->losses) {
			return true;
		}
	}
	return false;
}

/* X10 */
static bool is_believed(const struct suspects *suspects, const struct suspect *suspect)
{
	enum suspect_act act = suspect->of.act;
	size_t proven = suspect->of.kind == SUSPECT_MAILBOX && suspects->has_no_mailbox;
	for (size_t i = 0; i < suspects->count; i++) {
		const struct suspect *other = &suspects->items[i];
		proven += other->stage == SUSPECT_PROVEN && other->of.act == act &&
			  other->of.mark.runs == 0;
	}
	return suspect->of.mark.runs > 0 || suspects_are_believed(proven, suspects->went[act]);
}

static const char *act_name(enum suspect_act act)
{
	static const char *const names[SUSPECT_ACT_COUNT] = {
		[SUSPECT_AT_OPEN] = "is opened",
		[SUSPECT_AT_COUNT] = "is asked for its numbers (STATUS)",
		[SUSPECT_AT_LIST] = "is listed",
		[SUSPECT_AT_FETCH] = "is fetched",
		[SUSPECT_AT_APPEND] = "is uploaded",
		[SUSPECT_AT_STORE] = "has its flags changed there",
		[SUSPECT_AT_MOVE] = "is moved there",
		[SUSPECT_AT_EXPUNGE] = "is removed there",
		[SUSPECT_AT_RETR] = "is fetched",
		[SUSPECT_AT_TOP] = "has its header fetched",
		[SUSPECT_AT_DELE] = "is deleted there",
		[SUSPECT_AT_LOOK] = "is looked into",
	};
	return names[act];
}

static void tell(struct run *run, const struct suspect *suspect)
{
	const struct state_suspect *of = &suspect->of;
	bool is_mailbox = of->kind == SUSPECT_MAILBOX;
	bool is_next = suspect_next_try(of->kind, &of->mark) == 0;
	const char *again = is_mailbox ? "again in an hour" : "again in a day";
	struct err err;
	if (of->kind == SUSPECT_LISTING) {
		log_line(run->log, LOG_INFO,
			 "%s: the connection ends each time mailboxes are listed with their "
			 "numbers; they are listed without",
			 run->account->name);
		return;
	}
	char what[32] = "this message";
	if (is_mailbox) {
		snprintf(what, sizeof(what), "this mailbox");
	} else if (of->kind == SUSPECT_POP3) {
		snprintf(what, sizeof(what), "message %u", (unsigned)of->uid);
	}
	err_set(&err, ERR_PARTIAL, is_mailbox ? SCOPE_MAILBOX : SCOPE_MESSAGE,
		"the connection ends each time %s %s (%s); it is tried %s", what, act_name(of->act),
		suspect->why, is_next ? "last in the next run" : again);
	run_report_error(run, run_mailbox(run, of->mailbox), of->uid, &err);
}

/* Who was to blame. */
struct verdict {
	bool is_explained; /* somebody was confirmed */
	bool is_open;      /* something was neither confirmed, nor did it go through */
};

static int settle(struct run *run, struct suspect *suspect, struct verdict *verdict,
		  struct err *err)
{
	struct state *state = run->session->state;
	bool is_confirmed =
		suspect->stage == SUSPECT_PROVEN && is_believed(suspects_of(run), suspect);
	if (suspect->stage == SUSPECT_CLEARED) {
		int code = suspect->is_marked ? state_suspect_drop(state, &suspect->of, err) : 0;
		suspect->is_marked = false;
		return code;
	}
	verdict->is_explained |= is_confirmed;
	verdict->is_open |= !is_confirmed && suspect->stage != SUSPECT_KNOWN;
	if (!is_confirmed) {
		return 0;
	}
	suspect_confirm(&suspect->of.mark, clock_real_s());
	tell(run, suspect);
	return state_suspect_put(state, &suspect->of, err);
}

static int settle_all(struct run *run, struct verdict *verdict, struct err *err)
{
	struct suspects *suspects = suspects_of(run);
	int code = state_begin(run->session->state, err);
	for (size_t i = 0; code == 0 && i < suspects->count; i++) {
		code = settle(run, &suspects->items[i], verdict, err);
	}
	if (code == 0) {
		code = state_suspects_sweep(run->session->state, err);
	}
	return state_end(run->session->state, code, err);
}

/* X9, where there is no connection more to be had: all else went through in this run, and so after
 * what an earlier one lost on it. */
static void prove_by_this_run(struct suspects *suspects)
{
	for (size_t i = 0; suspects->rest_is_done && i < suspects->count; i++) {
		struct suspect *suspect = &suspects->items[i];
		if (suspect->stage == SUSPECT_ENDED && suspect->is_of_before) {
			suspect->stage = SUSPECT_PROVEN;
		}
	}
}

int suspects_conclude(struct run *run, int code, struct err *err)
{
	struct suspects *suspects = suspects_of(run);
	struct verdict verdict = {0};
	struct err why;
	if (code < 0) {
		prove_by_this_run(suspects);
	}
	int settled = suspects->count == 0 ? 0 : settle_all(run, &verdict, &why);
	bool is_told = verdict.is_explained && !verdict.is_open && suspects->rest_is_done;
	if (code < 0 && !(is_told && suspects_is_loss(err))) {
		return code;
	}
	if (settled < 0) {
		*err = why;
		return settled;
	}
	if (suspects->losses == 0 || (verdict.is_explained && !verdict.is_open)) {
		return 0;
	}
	*err = suspects->loss; /* X11: the line was bad, though all may be done by now */
	return -(int)err->code;
}
