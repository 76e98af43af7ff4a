/* Every body of the server's, streamed into a digest: nothing is written, none is marked read. */
#include "verify_private.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "mailsync/model/content.h"
#include "rules/transfer_rules.h"

/* What follows the header, on its way into a digest. */
struct body_part {
	bool is_reached;
	bool is_at_line_start;
};

struct bodies {
	struct verify_mailbox *at;
	struct remote *remote;
	struct row_list rows; /* a slice, of the real database */
	struct wants wants;
	size_t next; /* not yet asked for */
	size_t in_flight;
	bool one_by_one;
	struct content_scan *scan; /* of the body that is coming in */
	uint64_t wire_bytes;
	char head[FETCH_HEAD_SIZE];
	size_t head_len;
	bool is_whole;
	struct err refusal; /* the last; code 0: none */
	bool is_by_part;    /* the digest is of the body alone, and ends in: */
	struct body_part part;
	uint8_t part_content[CONTENT_DIGEST_SIZE];
	/* Files of rows that do not say what they were, by place; those are to be learnt that are
	 * what the server has. */
	struct maildir_proof *files;
	bool *are_learnt;
	uint64_t aside; /* messages that the connection ended on */
};

static int ask(struct bodies *bodies, struct err *err)
{
	struct wants *wants = &bodies->wants;
	struct remote_batch batch;
	int code = 0;
	remote_batch_init(&batch);
	for (; code == 0 && bodies->next < wants->count; bodies->next++) {
		const struct row *row = wants->rows[bodies->next];
		bool is_full = batch.count == (bodies->one_by_one ? 1 : REMOTE_BATCH_MESSAGES);
		if (wants->states[bodies->next] != WANT_OPEN) {
			continue;
		}
		if (is_full || !remote_batch_has_room(bodies->remote, &batch)) {
			break;
		}
		code = remote_batch_add(&batch, row->uid, row->size, err);
	}
	if (code == 0 && batch.count > 0) {
		code = remote_fetch_queue(bodies->remote, REMOTE_WHOLE, &batch.uids, 1, err);
		bodies->in_flight += code == 0;
	}
	remote_batch_finish(&batch);
	return code;
}

int64_t verify_delivered_at(const struct row *row)
{
	struct maildir_unique ours;
	bool is_ours = maildir_unique_parse(span_of(row->unique), &ours) && ours.uid == row->uid;
	return is_ours ? strtoll(row->unique, NULL, 10) : 0;
}

/* Some servers render a message anew each time. */
int verify_tell_differs_there(struct verify_mailbox *at, const struct row *row, struct err *err)
{
	bool is_pop3 = at->verify->run->account->is_pop3;
	int64_t seconds = is_pop3 ? told_time_or(row->date, 0) : verify_delivered_at(row);
	time_t time = (time_t)seconds;
	struct tm parts;
	char date[16];
	if (seconds == 0 || gmtime_r(&time, &parts) == NULL ||
	    strftime(date, sizeof(date), "%Y-%m-%d", &parts) == 0) {
		return verify_find(at, VERIFY_DIFFERS_THERE, row, NULL, err,
				   "the server's message differs from what was sent to it");
	}
	return verify_find(at, VERIFY_DIFFERS_THERE, row, NULL, err,
			   "the server's message differs from what it sent on %s", date);
}

/* Base does not say what the file was: the server's message and the file may be the same. */
static int tell_differs(struct bodies *bodies, const struct row *row, struct err *err)
{
	struct verify_mailbox *at = bodies->at;
	if (row->has_content) {
		return verify_tell_differs_there(at, row, err);
	}
	int code = verify_find(at, VERIFY_DIFFERS_HERE, row, NULL, err, VERIFY_UNLIKE_SERVER);
	return code < 0 ? code : verify_wish(at, row, true, err);
}

/* Of DATA what belongs to the body, into SCAN. */
static int feed_part(struct body_part *part, struct content_scan *scan, struct span data,
		     struct err *err)
{
	size_t i = 0;
	for (; !part->is_reached && i < data.len; i++) {
		char c = data.data[i];
		part->is_reached = c == '\n' && part->is_at_line_start;
		part->is_at_line_start = c == '\n' || (c == '\r' && part->is_at_line_start);
	}
	return content_scan_feed(scan, (struct span){data.data + i, data.len - i}, err);
}

static int begin(struct bodies *bodies, struct err *err)
{
	bodies->part = (struct body_part){.is_at_line_start = true};
	uint8_t ignored[CONTENT_DIGEST_SIZE];
	bodies->wire_bytes = 0;
	bodies->head_len = 0;
	bodies->is_whole = false;
	return content_scan_result(bodies->scan, ignored, err); /* of one that was cut */
}

static int feed(struct bodies *bodies, struct span data, struct err *err)
{
	size_t room = sizeof(bodies->head) - bodies->head_len;
	size_t len = data.len < room ? data.len : room;
	memcpy(bodies->head + bodies->head_len, data.data, len);
	bodies->head_len += len;
	bodies->wire_bytes += data.len;
	return bodies->is_by_part ? feed_part(&bodies->part, bodies->scan, data, err)
				  : content_scan_feed(bodies->scan, data, err);
}

/* What the message of place INDEX is to be, of which CONTENT came. */
static int compare(struct bodies *bodies, size_t index, const uint8_t *content, bool *is_same,
		   struct err *err)
{
	struct verify_mailbox *at = bodies->at;
	const struct row *row = bodies->wants.rows[index];
	struct maildir_proof *file = &bodies->files[index];
	if (row->has_content) {
		*is_same = memcmp(content, row->content, ROW_CONTENT_SIZE) == 0;
		return 0;
	}
	const struct maildir_entry *entry = maildir_scan_find(&at->scan, span_of(row->unique));
	int code = maildir_prover_read(at->verify->prover, at->mailbox->dir, entry->name,
				       entry->in_new, file, err);
	if (code < 0) {
		*is_same = true; /* or not, which the file does not tell */
		return verify_outlives_file(at, row, entry, code, err);
	}
	*is_same = memcmp(content, file->content, ROW_CONTENT_SIZE) == 0;
	bodies->are_learnt[index] = *is_same;
	return 0;
}

static int judge(struct bodies *bodies, const struct remote_body *body, struct err *err)
{
	struct wants *wants = &bodies->wants;
	size_t index = body->uid == 0 ? WANT_NONE : wants_find(wants, body->uid);
	const struct fetch_answer answer = {
		.is_wanted = index != WANT_NONE && wants->states[index] == WANT_OPEN,
		.has_whole_body = bodies->is_whole && body->has_body,
		.told = index != WANT_NONE ? wants->rows[index]->size : UNTOLD,
		.wire_bytes = bodies->wire_bytes,
		.head = {bodies->head, bodies->head_len},
	};
	uint8_t content[CONTENT_DIGEST_SIZE];
	bool is_same = false;
	bodies->is_whole = false;
	if (fetch_judge(&answer) != FETCH_MESSAGE) {
		return 0;
	}
	const struct row *row = wants->rows[index];
	int code = content_scan_result(bodies->scan, content, err);
	wants->states[index] = WANT_DONE;
	bodies->at->verify->report->bytes += bodies->wire_bytes;
	if (bodies->is_by_part) {
		memcpy(bodies->part_content, content, sizeof(content));
		return code;
	}
	code = code < 0 ? code : compare(bodies, index, content, &is_same, err);
	if (code < 0 || is_same) {
		return code;
	}
	if (verify_delivered_at(row) == 0) {
		wants->states[index] = WANT_PARTLY; /* is_same_but_header */
		return 0;
	}
	return tell_differs(bodies, row, err);
}

static int take(struct bodies *bodies, const struct remote_body *body, struct err *err)
{
	switch (body->type) {
	case REMOTE_FETCHED_BEGIN:
		return begin(bodies, err);
	case REMOTE_FETCHED_DATA:
		return feed(bodies, body->data, err);
	case REMOTE_FETCHED_END:
		bodies->is_whole = true;
		break;
	case REMOTE_FETCHED_MESSAGE:
		return judge(bodies, body, err);
	case REMOTE_FETCHED_DONE:
		bodies->in_flight--;
		if (body->status < 0) {
			bodies->refusal = body->err;
		}
		break;
	case REMOTE_FETCHED_OPENED:
		break; /* none was asked for */
	}
	return 0;
}

static int fetch(struct bodies *bodies, struct err *err)
{
	int code = 0;
	bodies->next = 0;
	while (code == 0 && (bodies->next < bodies->wants.count || bodies->in_flight > 0)) {
		struct remote_body body;
		while (code == 0 && bodies->next < bodies->wants.count &&
		       remote_fetch_room(bodies->remote) > 0) {
			code = ask(bodies, err);
		}
		if (code < 0 || bodies->in_flight == 0) {
			break;
		}
		if ((code = remote_fetch_next(bodies->remote, &body, err)) == 0 &&
		    (code = take(bodies, &body, err)) == 0) {
			code = run_check_stop(bodies->at->verify->run, err);
		}
	}
	return code;
}

/* Asked for twice, and not given. */
static void tell_unread(struct bodies *bodies)
{
	struct run *run = bodies->at->verify->run;
	struct err why;
	for (size_t i = 0; i < bodies->wants.count; i++) {
		if (bodies->wants.states[i] == WANT_OPEN) {
			bodies->wants.states[i] = WANT_FAILED;
			err_set(&why, ERR_PARTIAL, SCOPE_MESSAGE,
				"the server did not give the message, so that it is not proven%s%s",
				bodies->refusal.code == ERR_NONE ? "" : ": ",
				bodies->refusal.code == ERR_NONE ? "" : bodies->refusal.text);
			run_report_error(run, bodies->at->mailbox, bodies->wants.rows[i]->uid,
					 &why);
			bodies->at->verify->report->not_compared++;
		}
	}
}

/* NAME has room for that of the file ENTRY of ROW, as it is by now. */
static int read_part(struct bodies *bodies, const struct row *row, struct maildir_entry *entry,
		     char name[MAILDIR_NAME_MAX + 1], uint8_t content[CONTENT_DIGEST_SIZE],
		     struct err *err)
{
	struct maildir_folder *dir = bodies->at->mailbox->dir;
	struct body_part part = {.is_at_line_start = true};
	struct maildir_reader *reader = NULL;
	struct span piece = {"", 1};
	int code = maildir_folder_find(dir, span_of(row->unique), name, &entry->in_new, err);
	entry->name = name;
	if (code < 0 || (code = maildir_reader_open(dir, name, entry->in_new, &reader, err)) < 0) {
		return code;
	}
	while (code == 0 && piece.len > 0) {
		if ((code = maildir_reader_next(reader, &piece, err)) == 0) {
			code = feed_part(&part, bodies->scan, piece, err);
		}
	}
	maildir_reader_close(&reader);
	return code < 0 ? code : content_scan_result(bodies->scan, content, err);
}

/* Programs such as mbsync put lines of their own into the headers of what they fetch: the header's
 * digest leaves these out, and the bodies are compared by themselves. INDEX: of a message that
 * another program brought here, or that was sent. */
static int is_same_but_header(struct bodies *bodies, size_t index, bool *is_same, struct err *err)
{
	const struct row *row = bodies->wants.rows[index];
	struct header_identity identity;
	char name[MAILDIR_NAME_MAX + 1] = "";
	uint8_t content[CONTENT_DIGEST_SIZE];
	bool is_whole = false;
	int code = remote_header_of_whole(bodies->remote, row->uid, &identity, &is_whole, err);
	*is_same = code == 0 && is_whole && row->has_digest &&
		   memcmp(identity.digest, row->digest, ROW_DIGEST_SIZE) == 0;
	if (!*is_same || bodies->at->mailbox->dir == NULL) {
		return code;
	}
	bodies->wants.states[index] = WANT_OPEN;
	bodies->is_by_part = true;
	code = fetch(bodies, err);
	bodies->is_by_part = false;
	*is_same = code == 0 && bodies->wants.states[index] == WANT_DONE;
	if (code < 0 || !*is_same) {
		return code;
	}
	struct maildir_entry entry = {0};
	if ((code = read_part(bodies, row, &entry, name, content, err)) < 0) {
		return verify_outlives_file(bodies->at, row, &entry, code, err);
	}
	*is_same = memcmp(content, bodies->part_content, sizeof(content)) == 0;
	bodies->are_learnt[index] = *is_same && !row->has_content;
	return 0;
}

static int settle_doubts(struct bodies *bodies, struct err *err)
{
	int code = 0;
	for (size_t i = 0; code == 0 && i < bodies->wants.count; i++) {
		const struct row *row = bodies->wants.rows[i];
		bool is_same = true;
		if (bodies->wants.states[i] != WANT_PARTLY) {
			continue;
		}
		/* Else its file tells nothing of the server's message, and was told of. */
		if (!verify_is_damaged(bodies->at, row->id)) {
			code = is_same_but_header(bodies, i, &is_same, err);
		}
		if (code == 0 && bodies->wants.states[i] == WANT_OPEN) {
			tell_unread(bodies); /* what was not given is no difference */
		} else if (code == 0 && !is_same) {
			code = tell_differs(bodies, row, err);
		}
		bodies->wants.states[i] = WANT_DONE;
	}
	return code;
}

/* Whether there is anything to compare it with. */
static bool is_known(const struct bodies *bodies, const struct row *row)
{
	struct verify_mailbox *at = bodies->at;
	return row->has_content || (at->mailbox->dir != NULL && !verify_is_damaged(at, row->id) &&
				    maildir_scan_find(&at->scan, span_of(row->unique)) != NULL);
}

/* Base has it on both sides, it is listed, and it is known what it is. */
static bool is_wanted(struct bodies *bodies, const struct row *row)
{
	struct verify_mailbox *at = bodies->at;
	if (!row->is_agreed || row->remote != MESSAGE_PRESENT || !share_has(&at->share, row->id) ||
	    !uidset_contains(&at->listed, row->uid) || !is_known(bodies, row)) {
		return false;
	}
	bool is_aside = suspects_place(at->verify->run, SUSPECT_MESSAGE, at->mailbox->name,
				       row->id) != SUSPECT_GOES;
	bodies->aside += is_aside;
	return !is_aside;
}

static int write_learnt(struct bodies *bodies, struct err *err)
{
	struct state *proofs = bodies->at->verify->proofs;
	int code = state_begin(proofs, err);
	for (size_t i = 0; code == 0 && i < bodies->wants.count; i++) {
		if (bodies->are_learnt[i]) {
			code = verify_learn(bodies->at, bodies->wants.rows[i], &bodies->files[i],
					    err);
		}
	}
	return state_end(proofs, code, err);
}

static int prove_slice(struct bodies *bodies, struct err *err)
{
	struct wants *wants = &bodies->wants;
	int code;
	wants->count = 0;
	for (size_t i = 0; i < bodies->rows.count; i++) {
		if (is_wanted(bodies, &bodies->rows.items[i])) {
			bodies->are_learnt[wants->count] = false;
			wants->states[wants->count] = WANT_OPEN;
			wants->rows[wants->count++] = &bodies->rows.items[i];
		}
	}
	err_clear(&bodies->refusal);
	bodies->one_by_one = false;
	if ((code = fetch(bodies, err)) < 0) {
		return code;
	}
	bodies->one_by_one = true;
	if (wants_open(wants) > 0 && (code = fetch(bodies, err)) == 0) {
		tell_unread(bodies);
	}
	if (code < 0 || (code = settle_doubts(bodies, err)) < 0) {
		return code;
	}
	return write_learnt(bodies, err);
}

static int prove_all(struct bodies *bodies, struct err *err)
{
	const struct verify_mailbox *at = bodies->at;
	uint32_t after = 0;
	bool is_last = false;
	int code = remote_open(bodies->remote, at->mailbox->wire, REMOTE_READ,
			       at->mailbox->base.numbers.uidvalidity, NULL, err);
	while (code == 0 && !is_last) {
		code = state_rows_numbered(at->verify->proofs, at->mailbox->base.id, after,
					   VERIFY_SLICE_ROWS, &bodies->rows, err);
		is_last = code < 0 || bodies->rows.count < VERIFY_SLICE_ROWS;
		if (code == 0 && bodies->rows.count > 0) {
			after = bodies->rows.items[bodies->rows.count - 1].uid;
			code = prove_slice(bodies, err);
		}
	}
	return code;
}

int verify_bytes(struct verify_mailbox *at, struct err *err)
{
	struct bodies *bodies = calloc(1, sizeof(*bodies));
	if (bodies == NULL) {
		return err_nomem(err);
	}
	bodies->at = at;
	bodies->remote = at->verify->run->session->remote;
	bodies->wants.rows = calloc(VERIFY_SLICE_ROWS, sizeof(*bodies->wants.rows));
	bodies->wants.states = calloc(VERIFY_SLICE_ROWS, sizeof(*bodies->wants.states));
	bodies->files = calloc(VERIFY_SLICE_ROWS, sizeof(*bodies->files));
	bodies->are_learnt = calloc(VERIFY_SLICE_ROWS, sizeof(*bodies->are_learnt));
	bool has_room = bodies->wants.rows != NULL && bodies->wants.states != NULL &&
			bodies->files != NULL && bodies->are_learnt != NULL;
	int code = has_room ? content_scan_create(&bodies->scan, err) : err_nomem(err);
	code = code < 0 ? code : prove_all(bodies, err);
	verify_left_out(at, code < 0 ? 0 : bodies->aside, "the connection ended on them before");
	content_scan_destroy(&bodies->scan);
	row_list_finish(&bodies->rows);
	free(bodies->files);
	free(bodies->are_learnt);
	free(bodies->wants.rows);
	free(bodies->wants.states);
	free(bodies);
	return code;
}
