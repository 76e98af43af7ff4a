/* Bodies that are not proven to be all of their messages: A16 to A18 of rules/pop3_rules.h. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mailsync/base/clock.h"

#include "fetch/fetch.h"
#include "guard/guard.h"
#include "pop3_private.h"

/* What a file of ours holds. *IS_THERE false: it went, or was renamed, or changed meanwhile. */
struct content {
	bool is_there;
	uint64_t wire_bytes;
	uint8_t digest[ROW_CONTENT_SIZE];
};

static int read_file(struct pop3_job *job, const char *delivered, struct content *content,
		     struct err *err)
{
	struct pop3_file file = pop3_file_of(delivered);
	struct maildir_folder *folder = NULL;
	struct maildir_reader *reader = NULL;
	char name[MAILDIR_NAME_MAX + 1];
	bool in_new = file.in_new;
	int code;
	content->is_there = false;
	snprintf(name, sizeof(name), "%s", file.name);
	if ((code = maildir_folder_open(job->run->session->maildir, file.mailbox, &folder, err)) <
	    0) {
		goto finish;
	}
	code = maildir_reader_open(folder, name, in_new, &reader, err);
	if (code == -ERR_CHANGED && /* a MUA renamed it */
	    (code = maildir_folder_find(folder, span_of(delivered), name, &in_new, err)) == 0) {
		code = maildir_reader_open(folder, name, in_new, &reader, err);
	}
	if (code == 0) {
		content->is_there = true;
		content->wire_bytes = maildir_reader_wire_size(reader);
		memcpy(content->digest, maildir_reader_content(reader), ROW_CONTENT_SIZE);
	}
finish:
	maildir_reader_close(&reader);
	maildir_folder_close(&folder);
	return code == -ERR_CHANGED ? 0 : code;
}

/* The file DELIVERED, where it is of the size of BODY. */
static int read_if_as_large(struct pop3_job *job, const struct pop3_arrival *body,
			    const char *delivered, struct content *content, struct err *err)
{
	struct pop3_file file = pop3_file_of(delivered);
	struct maildir_folder *folder = NULL;
	struct maildir_file info = {0};
	struct err ignored;
	bool is_as_large =
		maildir_folder_open(job->run->session->maildir, file.mailbox, &folder, &ignored) ==
			0 &&
		maildir_folder_stat_file(folder, file.name, file.in_new, &info, &ignored) == 0 &&
		info.size_bytes == body->draft.size_bytes;
	maildir_folder_close(&folder);
	content->is_there = false;
	return is_as_large ? read_file(job, delivered, content, err) : 0;
}

/* Some row goes by DELIVERED. */
static bool has_row(const struct pop3_job *job, const char *delivered)
{
	const struct pop3_rows *rows = &job->session.rows;
	for (size_t i = 0; i < rows->count; i++) {
		if (strcmp(rows->items[i].unique, delivered) == 0) {
			return true;
		}
	}
	return false;
}

/* The first of FILES that has what BODY has, in *FOUND, else NULL. ANY: they are not known to be
 * of this message, and may be another's. */
static int look_among(struct pop3_job *job, const struct pop3_arrival *body,
		      const struct strlist *files, bool any, const char **found, struct err *err)
{
	int code = 0;
	*found = NULL;
	for (size_t i = 0; code == 0 && i < files->count && *found == NULL; i++) {
		struct content content;
		code = read_if_as_large(job, body, files->items[i], &content, err);
		if (code == 0 && content.is_there &&
		    memcmp(content.digest, body->draft.content, ROW_CONTENT_SIZE) == 0 &&
		    !(any && has_row(job, files->items[i]))) {
			*found = files->items[i];
		}
	}
	return code;
}

/* Whether a file of ours of the message has what BODY has: its name, on the heap, then in *FOUND,
 * else NULL. Its unique-id or its size may not have been told when one of its files came. */
static int look_in_files(struct pop3_job *job, const struct pop3_arrival *body,
			 struct pop3_proof_facts *facts, char **found, struct err *err)
{
	const char *name = NULL;
	char *const *files;
	size_t count;
	int code = pop3_find_files(job, body->item, &files, &count, err);
	facts->has_files = code == 0 && count > 0;
	if (code == 0) {
		const struct strlist own = {.items = (char **)files, .count = count};
		code = look_among(job, body, &own, false, &name, err);
	}
	if (code == 0 && name == NULL) {
		code = look_among(job, body, &job->local.delivered, true, &name, err);
	}
	facts->is_in_file = name != NULL;
	if (code == 0 && name != NULL && (*found = span_dup(span_of(name))) == NULL) {
		code = err_nomem(err);
	}
	return code;
}

/* Whether what BODY has came before, in a file of ours: then as look_in_files(). */
static int look_back(struct pop3_job *job, const struct pop3_arrival *body,
		     struct pop3_proof_facts *facts, char **found, struct err *err)
{
	int code = look_in_files(job, body, facts, found, err);
	if (code == 0 && !facts->is_in_file) {
		code = state_pop3_earlier(job->run->session->state,
					  &job->session.rows.items[body->item->row],
					  body->draft.content, found, err);
		facts->is_earlier = *found != NULL;
	}
	return code;
}

/* Both bodies are kept; the user is told, since one of them is not the message. */
static void report_other(struct pop3_job *job, const struct pop3_arrival *body)
{
	struct err why;
	err_set(&why, ERR_PARTIAL, SCOPE_MESSAGE,
		"message %u came with another content than before (%" PRIu64 " bytes, %" PRIu64
		" are listed); both are kept here",
		(unsigned)body->item->number, body->came_bytes, body->item->size.number);
	run_report_error(job->run, job->mailbox, 0, &why);
}

/* UNIQUE comes behind TAKEN, a name of the same message. */
static void go_behind(char unique[MAILDIR_UNIQUE_MAX + 1], const char *taken)
{
	if (strcmp(unique, taken) <= 0) {
		snprintf(unique, MAILDIR_UNIQUE_MAX + 1, "%s", taken);
		maildir_unique_later(unique);
	}
}

/* A name that none of our files of the message has, for the one that takes the row's place. */
static int rename_row(struct pop3_job *job, const struct pop3_arrival *body, struct err *err)
{
	char digest[POP3_DIGEST_SIZE];
	char unique[MAILDIR_UNIQUE_MAX + 1];
	char *const *files;
	size_t count;
	int code;
	if ((code = pop3_item_digest(job, body->item, digest, err)) < 0 ||
	    (code = maildir_unique_make_pop3(unique, job->local.key, digest, err)) < 0 ||
	    (code = pop3_find_files(job, body->item, &files, &count, err)) < 0) {
		return code;
	}
	go_behind(unique, job->session.rows.items[body->item->row].unique);
	if (count > 0) {
		go_behind(unique, files[count - 1]);
	}
	return pop3_row_name(job, body->item, unique, err) != NULL ? 0 : -(int)err->code;
}

static void learn(struct pop3_job *job, const struct pop3_arrival *body, enum pop3_proof proof)
{
	struct pop3_sizes before = job->learnt.sizes;
	pop3_sizes_learn(&job->learnt.sizes, proof, body->item->size, body->came_bytes);
	job->learnt.has_sizes_news |= memcmp(&before, &job->learnt.sizes, sizeof(before)) != 0;
}

int pop3_prove(struct pop3_job *job, struct pop3_arrival *body, bool *is_stored, struct err *err)
{
	struct pop3_row *row = &job->session.rows.items[body->item->row];
	struct pop3_proof_facts facts = {
		.has_content = row->has_content,
		.is_same = row->has_content &&
			   memcmp(row->content, body->draft.content, ROW_CONTENT_SIZE) == 0,
	};
	char *found = NULL;
	int code = 0;
	if (!facts.is_same && (code = look_back(job, body, &facts, &found, err)) < 0) {
		free(found);
		return code;
	}
	enum pop3_proof proof = pop3_judge_proof(&facts);
	uint32_t doubts = pop3_doubts_after(row->doubts, proof, body->is_proven);
	*is_stored = proof == POP3_PROOF_STORE;
	if (proof == POP3_PROOF_STORE) {
		report_other(job, body);
		code = rename_row(job, body, err);
	} else if (proof == POP3_PROOF_OTHER_FILE) {
		code = pop3_row_name(job, body->item, found, err) != NULL ? 0 : -(int)err->code;
		row->has_content = code == 0;
		memcpy(row->content, body->draft.content, ROW_CONTENT_SIZE);
	}
	free(found);
	if (code < 0) {
		return code;
	}
	learn(job, body, proof);
	row->doubts = doubts;
	if (!*is_stored) {
		maildir_draft_discard(job->mailbox->dir, &body->draft);
		body->item->state = WANT_DONE;
	}
	return 0;
}

/* Whether ROW is of HEADER, and its content is not known, as where it took over a file (K7). */
static bool is_unread(const struct pop3_row *row, const struct pair_candidate *header)
{
	return !row->has_content && row->unique[0] != '\0' && row->has_digest &&
	       memcmp(row->digest, header->digest, ROW_DIGEST_SIZE) == 0;
}

/* Whether ROW's file, which is there, has what BODY has. */
static int has_file_of(struct pop3_job *job, const struct pop3_arrival *body,
		       const struct pop3_row *row, bool *has, struct err *err)
{
	const struct strlist *delivered = &job->local.delivered;
	const char *found = NULL;
	char *const *files;
	size_t count;
	int code = pop3_find_files(job, body->item, &files, &count, err); /* looks for all */
	for (size_t i = 0; code == 0 && found == NULL && i < delivered->count; i++) {
		if (strcmp(delivered->items[i], row->unique) == 0) {
			const struct strlist own = {.items = &delivered->items[i], .count = 1};
			code = look_among(job, body, &own, false, &found, err);
		}
	}
	*has = found != NULL;
	return code;
}

/* The row whose content BODY has, or POP3_NO_ROW. */
static int find_row_of(struct pop3_job *job, const struct pop3_arrival *body, uint32_t *index,
		       struct err *err)
{
	const struct pop3_view *view = &job->session.view;
	const struct pair_candidate *header = pop3_header_of(view, body->item);
	int code = 0;
	*index = pop3_row_of_content(view, body->draft.content);
	for (uint32_t r = 0; code == 0 && *index == POP3_NO_ROW && r < view->row_count; r++) {
		bool is_it = false;
		if (header != NULL && !view->is_listed[r] && is_unread(&view->rows[r], header)) {
			code = has_file_of(job, body, &view->rows[r], &is_it, err);
		}
		*index = is_it ? r : POP3_NO_ROW;
	}
	return code;
}

int pop3_recognise(struct pop3_job *job, struct pop3_arrival *body, bool *is_stored,
		   struct err *err)
{
	struct pop3_view *view = &job->session.view;
	struct pop3_item *item = body->item;
	uint32_t index = POP3_NO_ROW;
	int code = find_row_of(job, body, &index, err);
	*is_stored = index == POP3_NO_ROW;
	if (code < 0 || *is_stored) {
		return code;
	}
	item->row = index;
	struct pop3_row *row = pop3_row_name(job, item, view->rows[index].unique, err);
	if (row == NULL) {
		return -ERR_NOMEM;
	}
	view->is_listed[index] = true;
	row->has_content = true;
	memcpy(row->content, body->draft.content, ROW_CONTENT_SIZE);
	row->occurrence = item->occurrence;
	row->size = item->size;
	row->gone_since = 0;
	row->is_deleted = false;
	row->doubts = pop3_doubts_after(row->doubts, POP3_PROOF_SAME, body->is_proven);
	maildir_draft_discard(job->mailbox->dir, &body->draft);
	item->act = POP3_ACT_PROVE;
	item->state = WANT_DONE;
	return 0;
}

int pop3_judge_adopted(struct pop3_job *job, const struct pop3_item *item, struct err *err)
{
	struct pop3_row *row = &job->session.rows.items[item->row];
	struct content content = {0};
	int code = 0;
	row->doubts = 1;
	if (pop3_is_deleting(&job->policy)) {
		code = read_file(job, item->unique, &content, err);
	}
	if (code == 0 && content.is_there) {
		row->has_content = true;
		memcpy(row->content, content.digest, ROW_CONTENT_SIZE);
		row->doubts = pop3_is_proven(item->size, content.wire_bytes, POP3_FILE_SLACK,
					     &job->learnt.sizes)
				    ? 0
				    : 1;
	}
	return code;
}

int pop3_put_proven(struct pop3_job *job, struct err *err)
{
	struct state *state = job->run->session->state;
	struct pop3_view *view = &job->session.view;
	bool has_any = false;
	for (size_t i = 0; i < view->count; i++) {
		has_any |=
			view->items[i].act == POP3_ACT_PROVE && view->items[i].state == WANT_DONE;
	}
	if (!has_any) {
		return 0;
	}
	int code = run_begin(job->run, err);
	if (code < 0) {
		return code;
	}
	for (size_t i = 0; code == 0 && i < view->count; i++) {
		const struct pop3_item *item = &view->items[i];
		if (item->act == POP3_ACT_PROVE && item->state == WANT_DONE) {
			code = state_pop3_put(state, &job->session.rows.items[item->row], err);
		}
	}
	return state_end(state, code, err);
}

/* --- A18 from run to run --- */

int pop3_sizes_load(struct pop3_job *job, struct err *err)
{
	char text[64];
	struct pop3_sizes *sizes = &job->learnt.sizes;
	int code = state_get(job->run->session->state, "pop3_short", text, sizeof(text), err);
	if (code == 0 && sscanf(text, "%" SCNu32 " %" SCNu64 " %" SCNu32, &sizes->short_count,
				&sizes->short_bytes, &sizes->short_share) != 3) {
		*sizes = (struct pop3_sizes){0};
	}
	return code;
}

int pop3_sizes_store(struct pop3_job *job, struct err *err)
{
	char text[64];
	if (!job->learnt.has_sizes_news) {
		return 0;
	}
	snprintf(text, sizeof(text), "%" PRIu32 " %" PRIu64 " %" PRIu32,
		 job->learnt.sizes.short_count, job->learnt.sizes.short_bytes,
		 job->learnt.sizes.short_share);
	return state_set(job->run->session->state, "pop3_short", text, err);
}
