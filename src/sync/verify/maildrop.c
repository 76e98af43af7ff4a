/*
 * Over POP3: what the maildrop still has, against base, and its bodies. What it has no more is no
 * problem: it may be deleted after the download, here or by others, and the files stay.
 */
#include "verify_private.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "mailsync/base/array.h"
#include "mailsync/model/content.h"

#include "pop3/pop3_run.h"

/* A file that is what the server has, of a row that did not say what it was. */
struct learnt {
	int64_t row;
	struct maildir_proof proof;
};

struct bodies {
	struct verify_mailbox *at;
	struct content_scan *scan;
	uint64_t size;
	struct learnt *learnt;
	size_t learnt_count, learnt_cap;
};

static bool wants(void *context, const struct pop3_row *row)
{
	const struct bodies *bodies = context;
	struct verify_mailbox *at = bodies->at;
	bool has_file = maildir_scan_find(&at->scan, span_of(row->unique)) != NULL &&
			!verify_is_damaged(at, row->id);
	return row->unique[0] != '\0' && (row->has_content || has_file) &&
	       share_has(&at->share, row->id);
}

static int begin(void *context, const struct pop3_row *row, struct err *err)
{
	struct bodies *bodies = context;
	uint8_t ignored[CONTENT_DIGEST_SIZE];
	(void)row;
	bodies->size = 0;
	return content_scan_result(bodies->scan, ignored, err); /* of one that was cut */
}

static int feed(void *context, struct span data, struct err *err)
{
	struct bodies *bodies = context;
	bodies->size += data.len;
	return content_scan_feed(bodies->scan, data, err);
}

static void tell_unproven(struct bodies *bodies, const char *what, struct span words)
{
	struct verify *verify = bodies->at->verify;
	struct err why;
	size_t len = words.len < 200 ? words.len : 200;
	err_set(&why, ERR_PARTIAL, SCOPE_MESSAGE, "the server %s, so that it is not proven%s%.*s",
		what, len > 0 ? ": " : "", (int)len, len > 0 ? words.data : "");
	verify->report->not_compared++;
	run_report_error(verify->run, bodies->at->mailbox, 0, &why);
}

static int refused(void *context, const struct pop3_row *row, struct span words, struct err *err)
{
	(void)row;
	(void)err;
	tell_unproven(context, "did not give a message", words);
	return 0;
}

static int learn(struct bodies *bodies, const struct pop3_row *row,
		 const struct maildir_proof *proof, struct err *err)
{
	if (ARRAY_RESERVE(&bodies->learnt, bodies->learnt_count + 1, &bodies->learnt_cap, err) <
	    0) {
		return -ERR_NOMEM;
	}
	bodies->learnt[bodies->learnt_count++] = (struct learnt){row->id, *proof};
	return 0;
}

static int outlive(struct verify_mailbox *at, const struct pop3_row *pop3,
		   const struct maildir_entry *entry, int code, struct err *err)
{
	struct err why = *err;
	struct row_list rows;
	row_list_init(&rows);
	int added = verify_pop3_row(&rows, at->mailbox->base.id, pop3, err);
	if (added == 0) {
		*err = why;
		code = verify_outlives_file(at, &rows.items[0], entry, code, err);
	}
	row_list_finish(&rows);
	return added < 0 ? added : code;
}

/* Whether CONTENT is what ROW's message is to be. */
static int compare(struct bodies *bodies, const struct pop3_row *row, const uint8_t *content,
		   bool *is_same, struct err *err)
{
	struct verify_mailbox *at = bodies->at;
	struct maildir_proof proof;
	if (row->has_content) {
		*is_same = memcmp(content, row->content, ROW_CONTENT_SIZE) == 0;
		return 0;
	}
	const struct maildir_entry *entry = maildir_scan_find(&at->scan, span_of(row->unique));
	int code = maildir_prover_read(at->verify->prover, at->mailbox->dir, entry->name,
				       entry->in_new, &proof, err);
	if (code < 0) {
		*is_same = true; /* or not, which the file does not tell */
		return outlive(at, row, entry, code, err);
	}
	*is_same = memcmp(content, proof.content, ROW_CONTENT_SIZE) == 0;
	return *is_same ? learn(bodies, row, &proof, err) : 0;
}

static int tell(struct bodies *bodies, const struct pop3_row *pop3, struct err *err)
{
	struct verify_mailbox *at = bodies->at;
	struct row_list rows;
	row_list_init(&rows);
	int code = verify_pop3_row(&rows, at->mailbox->base.id, pop3, err);
	if (code == 0 && pop3->has_content) {
		code = verify_tell_differs_there(at, &rows.items[0], err);
	} else if (code == 0) {
		code = verify_find(at, VERIFY_DIFFERS_HERE, &rows.items[0], NULL, err,
				   VERIFY_UNLIKE_SERVER);
		code = code < 0 ? code : verify_wish(at, &rows.items[0], true, err);
	}
	row_list_finish(&rows);
	return code;
}

static int end(void *context, const struct pop3_row *row, bool is_whole, struct err *err)
{
	struct bodies *bodies = context;
	uint8_t content[CONTENT_DIGEST_SIZE];
	bool is_same = false;
	int code;
	bodies->at->verify->report->bytes += bodies->size;
	if ((code = content_scan_result(bodies->scan, content, err)) < 0 ||
	    (code = compare(bodies, row, content, &is_same, err)) < 0 || is_same) {
		return code;
	}
	if (!is_whole) {
		tell_unproven(bodies, "gave a message otherwise than it lists it",
			      (struct span){NULL, 0});
		return 0;
	}
	return tell(bodies, row, err);
}

static int write_learnt(const struct bodies *bodies, struct err *err)
{
	struct state *proofs = bodies->at->verify->proofs;
	int code = bodies->learnt_count > 0 ? state_begin(proofs, err) : 0;
	for (size_t i = 0; code == 0 && i < bodies->learnt_count; i++) {
		struct row row;
		row_init(&row);
		row.id = bodies->learnt[i].row;
		code = verify_learn(bodies->at, &row, &bodies->learnt[i].proof, err);
	}
	return bodies->learnt_count > 0 ? state_end(proofs, code, err) : code;
}

static int read_bodies(struct verify_mailbox *at, struct err *err)
{
	struct bodies bodies = {.at = at};
	const struct pop3_reader reader = {
		.context = &bodies,
		.wants = wants,
		.begin = begin,
		.data = feed,
		.end = end,
		.refused = refused,
	};
	int code = content_scan_create(&bodies.scan, err);
	code = code < 0 ? code : pop3_look_read(at->verify->run, &reader, err);
	code = code < 0 ? code : write_learnt(&bodies, err);
	content_scan_destroy(&bodies.scan);
	free(bodies.learnt);
	return code;
}

/* Rows whose messages were there when that was last told. */
static int count_present(const struct verify *verify, uint64_t *count, struct err *err)
{
	struct pop3_rows rows = {0};
	int code = state_pop3_load(verify->proofs, &rows, err);
	*count = 0;
	for (size_t i = 0; i < rows.count; i++) {
		*count += rows.items[i].gone_since == 0 && !rows.items[i].is_deleted;
	}
	state_pop3_finish(&rows);
	return code;
}

static int tell_sum(struct verify_mailbox *at, struct err *err)
{
	const struct pop3_looked looked = pop3_look_sum(at->verify->run);
	uint64_t present = 0;
	int code = looked.is_partial ? count_present(at->verify, &present, err) : 0;
	at->verify->report->pending += looked.news;
	verify_left_out(at, looked.unknown,
			"it does not tell which they are, or the connection ended on them");
	verify_left_out(at, present > looked.known ? present - looked.known : 0,
			"it lists only some in each session");
	return code;
}

int verify_maildrop(struct verify_mailbox *at, struct err *err)
{
	struct verify *verify = at->verify;
	enum verify_level level = verify->options->level;
	int code;
	if (level == VERIFY_FILES && verify->wishes.count == 0) {
		return 0;
	}
	if ((code = pop3_look_begin(verify->run, at->mailbox, err)) < 0 || level == VERIFY_FILES ||
	    (code = tell_sum(at, err)) < 0 || level == VERIFY_SERVER) {
		return code;
	}
	return read_bodies(at, err);
}
