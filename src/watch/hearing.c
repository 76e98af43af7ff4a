#include "mailsync/watch/hearing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mailsync/base/array.h"
#include "mailsync/model/mbname.h"
#include "mailsync/store/remote_watch.h"

#define ANSWER_MS 10000
#define TOLD_MAX  1000 /* mailboxes; more is as if all */

/* One connection. */
struct ear {
	struct remote *remote;
	int64_t renew_ms; /* when it is asked for a sign of life */
	int64_t limit_ms; /* until when it has to answer; 0: it was not asked */
};

struct hearing {
	struct hearing_params params;
	enum hearing_how how;
	struct ear ears[HEARING_FDS_MAX];
	size_t count;
	struct remote_mailboxes listed; /* when it began */
	struct remote_mailboxes told;
	size_t told_cap;
	bool is_all;
	uint64_t heard;
};

void hearing_close(struct hearing **hearing)
{
	if (*hearing == NULL) {
		return;
	}
	for (size_t i = 0; i < (*hearing)->count; i++) {
		remote_close(&(*hearing)->ears[i].remote);
	}
	remote_mailboxes_finish(&(*hearing)->listed);
	remote_mailboxes_finish(&(*hearing)->told);
	free(*hearing);
	*hearing = NULL;
}

enum hearing_how hearing_how(const struct hearing *hearing)
{
	return hearing->how;
}

uint64_t hearing_count(const struct hearing *hearing)
{
	return hearing->heard;
}

/* Without the key it is all with NOTIFY, else INBOX. */
bool hearing_is_of(const struct hearing *hearing, const char *name)
{
	const struct hearing_params *params = &hearing->params;
	if (hearing->how == HEARS_NOTHING) {
		return false;
	}
	if (params->pattern_count > 0) {
		return mbname_selected(params->patterns, params->pattern_count, name);
	}
	return hearing->how == HEARS_BY_NOTIFY || strcmp(name, "INBOX") == 0;
}

/* NAME is called WIRE there. What happens in it does not tell its special use; one that came since
 * may have any. */
static bool is_chosen(const struct hearing *hearing, const char *name, const char *wire)
{
	const struct account *account = hearing->params.account;
	if (!remote_chooses_by_use(account->patterns, account->pattern_count)) {
		return mbname_selected(account->patterns, account->pattern_count, name);
	}
	for (size_t i = 0; i < hearing->listed.count; i++) {
		const struct remote_mailbox *listed = &hearing->listed.items[i];
		if (strcmp(listed->wire, wire) == 0) {
			return hearing->listed.has_uses
				     ? remote_is_chosen(account->patterns, account->pattern_count,
							name, listed->attributes)
				     : remote_may_be_chosen(account->patterns,
							    account->pattern_count, name);
		}
	}
	return true;
}

static bool is_of_wire(const struct hearing *hearing, const char *wire)
{
	struct buf name;
	struct err ignored;
	buf_init(&name, MBNAME_MAX);
	bool is_so = mbname_from_wire(&hearing->told.wire, span_of(wire), &name, &ignored) == 0 &&
		     is_chosen(hearing, name.data, wire) && hearing_is_of(hearing, name.data);
	buf_finish(&name);
	return is_so;
}

/* Of a mailbox that was told of before, what is told now. */
static int tell(struct hearing *hearing, const char *wire, const struct numbers *numbers,
		struct err *err)
{
	struct remote_mailboxes *told = &hearing->told;
	for (size_t i = 0; i < told->count; i++) {
		if (strcmp(told->items[i].wire, wire) == 0) {
			told->items[i].counts.numbers = *numbers;
			return 0;
		}
	}
	if (told->count >= TOLD_MAX) {
		hearing->is_all = true;
		return 0;
	}
	if (ARRAY_RESERVE(&told->items, told->count + 1, &hearing->told_cap, err) < 0) {
		return -ERR_NOMEM;
	}
	char *copy = span_dup(span_of(wire));
	if (copy == NULL) {
		return err_nomem(err);
	}
	told->items[told->count++] =
		(struct remote_mailbox){.wire = copy, .counts.numbers = *numbers};
	return 0;
}

static int tell_first(struct hearing *hearing, const struct remote_mailboxes *first,
		      struct err *err)
{
	int code = 0;
	for (size_t i = 0; code == 0 && i < first->count; i++) {
		if (is_of_wire(hearing, first->items[i].wire)) {
			code = tell(hearing, first->items[i].wire, &first->items[i].counts.numbers,
				    err);
		}
	}
	return code;
}

static int ear_open(struct hearing *hearing, struct err *err)
{
	const struct hearing_params *params = &hearing->params;
	char label[160];
	snprintf(label, sizeof(label), "%s#watch%zu", params->account->name, hearing->count + 1);
	const struct remote_params remote = {
		.server = &params->account->server,
		.log = params->options->log,
		.label = label,
		.stop = params->options->stop,
	};
	struct ear *ear = &hearing->ears[hearing->count];
	*ear = (struct ear){0};
	int code = remote_open_imap(&ear->remote, &remote, err);
	hearing->count += code == 0;
	return code;
}

/* One that does not hear. */
static void ear_close(struct ear *ear)
{
	struct err ignored;
	(void)remote_logout(ear->remote, &ignored);
	remote_close(&ear->remote);
}

/* The last connection hears from now on. */
static int ear_begin(struct hearing *hearing, enum remote_watch how, const char *wire, int64_t now,
		     struct err *err)
{
	struct ear *ear = &hearing->ears[hearing->count - 1];
	struct remote_mailboxes first = {0};
	int code = remote_watch_begin(ear->remote, how, wire, &first, err);
	if (code == 0) {
		hearing->how = how == REMOTE_WATCH_NOTIFY ? HEARS_BY_NOTIFY : HEARS_BY_IDLE;
		code = tell_first(hearing, &first, err);
	}
	ear->renew_ms = now + hearing->params.renew_ms;
	remote_mailboxes_finish(&first);
	return code;
}

/* A connection a mailbox, as far as they go; the first is there already. */
static int begin_idle(struct hearing *hearing, int64_t now, struct err *err)
{
	const struct remote_mailboxes *found = &hearing->listed;
	size_t most = hearing->params.connections;
	size_t begun = 0;
	int code = 0;
	hearing->how = HEARS_BY_IDLE;
	most = most < HEARING_FDS_MAX ? most : HEARING_FDS_MAX;
	for (size_t i = 0; code == 0 && begun < most && i < found->count; i++) {
		const struct remote_mailbox *mailbox = &found->items[i];
		if ((mailbox->attributes & REMOTE_NOSELECT) != 0 ||
		    !is_of_wire(hearing, mailbox->wire)) {
			continue;
		}
		code = hearing->count > begun ? 0 : ear_open(hearing, err);
		if (code < 0 && err->code == ERR_TEMPORARY) {
			code = 0; /* fewer than are allowed is what the server allows */
			break;
		}
		code = code < 0 ? code
				: ear_begin(hearing, REMOTE_WATCH_IDLE, mailbox->wire, now, err);
		if (code == -ERR_REFUSED) {
			code = 0; /* this one may not be opened: the next on the same connection */
			continue;
		}
		begun++;
	}
	if (code == 0 && begun > 0 && hearing->count > begun) {
		ear_close(&hearing->ears[--hearing->count]);
	}
	hearing->how = begun > 0 ? HEARS_BY_IDLE : HEARS_NOTHING;
	return code;
}

static int begin(struct hearing *hearing, int64_t now, struct err *err)
{
	const struct hearing_params *params = &hearing->params;
	int code = ear_open(hearing, err);
	if (code < 0 ||
	    (code = remote_list(hearing->ears[0].remote, false, &hearing->listed, err)) < 0) {
		return code;
	}
	hearing->told.wire = hearing->listed.wire;
	struct remote *remote = hearing->ears[0].remote;
	if (params->may_notify && remote_watch_can(remote, REMOTE_WATCH_NOTIFY)) {
		code = ear_begin(hearing, REMOTE_WATCH_NOTIFY, NULL, now, err);
	}
	if (hearing->how == HEARS_NOTHING && (code == 0 || code == -ERR_REFUSED)) {
		bool can_idle = params->may_idle && remote_watch_can(remote, REMOTE_WATCH_IDLE);
		code = can_idle ? begin_idle(hearing, now, err) : 0;
	}
	return code;
}

int hearing_open(struct hearing **hearing, const struct hearing_params *params, int64_t now,
		 struct err *err)
{
	struct hearing *created = calloc(1, sizeof(*created));
	if (created == NULL) {
		return err_nomem(err);
	}
	created->params = *params;
	int code = begin(created, now, err);
	while (code == 0 && created->how == HEARS_NOTHING && created->count > 0) {
		ear_close(&created->ears[--created->count]);
	}
	if (code < 0) {
		hearing_close(&created);
		return code;
	}
	*hearing = created;
	return 0;
}

size_t hearing_fds(const struct hearing *hearing, int fds[HEARING_FDS_MAX])
{
	for (size_t i = 0; i < hearing->count; i++) {
		fds[i] = remote_watch_fd(hearing->ears[i].remote);
	}
	return hearing->count;
}

static int hear(struct hearing *hearing, const struct remote_heard *heard, bool *is_news,
		struct err *err)
{
	switch (heard->kind) {
	case REMOTE_HEARD_SIGN:
		return 0;
	case REMOTE_HEARD_OVER:
		return err_set(err, ERR_REFUSED, SCOPE_ACCOUNT,
			       "the server tells no more of what happens");
	case REMOTE_HEARD_MAILBOX:
		if (!is_of_wire(hearing, heard->wire)) {
			return 0;
		}
		hearing->heard++;
		*is_news = true;
		return tell(hearing, heard->wire, &heard->numbers, err);
	case REMOTE_HEARD_MAILBOXES:
	case REMOTE_HEARD_LOST:
		hearing->heard++;
		hearing->is_all = true;
		*is_news = true;
		break;
	}
	return 0;
}

/* Takes what came; once nothing is open that it was asked for, no more is waited for. */
static int ear_take(struct hearing *hearing, struct ear *ear, bool *is_news, struct err *err)
{
	struct remote_heard heard;
	int code;
	while ((code = remote_watch_next(ear->remote, &heard, err)) == 1) {
		if ((code = hear(hearing, &heard, is_news, err)) < 0) {
			return code;
		}
	}
	if (code == 0 && !remote_watch_is_asking(ear->remote)) {
		ear->limit_ms = 0;
	}
	return code;
}

static int ear_ask(struct hearing *hearing, struct ear *ear, int64_t now, bool *is_news,
		   struct err *err)
{
	int code = remote_watch_renew(ear->remote, err);
	ear->renew_ms = now + hearing->params.renew_ms;
	ear->limit_ms = ear->limit_ms == 0 ? now + ANSWER_MS : ear->limit_ms;
	/* It goes out now. */
	return code < 0 ? code : ear_take(hearing, ear, is_news, err);
}

int hearing_take(struct hearing *hearing, int64_t now, struct err *err)
{
	bool is_news = false;
	int code = 0;
	for (size_t i = 0; code == 0 && i < hearing->count; i++) {
		struct ear *ear = &hearing->ears[i];
		code = ear_take(hearing, ear, &is_news, err);
		if (code == 0 && ear->limit_ms != 0 && now >= ear->limit_ms) {
			return err_set(err, ERR_TEMPORARY, SCOPE_ACCOUNT,
				       "the server does not answer any more");
		}
		if (code == 0 && ear->limit_ms == 0 && now >= ear->renew_ms) {
			code = ear_ask(hearing, ear, now, &is_news, err);
		}
	}
	return code < 0 ? code : is_news;
}

int64_t hearing_next_ms(const struct hearing *hearing)
{
	int64_t next_ms = INT64_MAX;
	for (size_t i = 0; i < hearing->count; i++) {
		const struct ear *ear = &hearing->ears[i];
		int64_t due_ms = ear->limit_ms != 0 ? ear->limit_ms : ear->renew_ms;
		next_ms = due_ms < next_ms ? due_ms : next_ms;
	}
	return next_ms;
}

int hearing_probe(struct hearing *hearing, int64_t now, struct err *err)
{
	bool is_news = false;
	int code = 0;
	for (size_t i = 0; code == 0 && i < hearing->count; i++) {
		code = ear_ask(hearing, &hearing->ears[i], now, &is_news, err);
	}
	return code < 0 ? code : is_news;
}

void hearing_told(struct hearing *hearing, struct remote_mailboxes *told, bool *is_all)
{
	*told = hearing->told;
	*is_all = hearing->is_all;
	hearing->told = (struct remote_mailboxes){.wire = told->wire};
	hearing->told_cap = 0;
	hearing->is_all = false;
}
