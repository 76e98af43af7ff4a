/* Who messages are: by their headers, and where these identify nothing by all of their content. */
#include <stdlib.h>
#include <string.h>

#include "mailsync/base/array.h"
#include "mailsync/base/digest.h"

#include "recover_private.h"

int candidates_add(struct candidates *candidates, const struct pair_candidate *candidate,
		   struct err *err)
{
	if (ARRAY_RESERVE(&candidates->items, candidates->count + 1, &candidates->cap, err) < 0) {
		return -ERR_NOMEM;
	}
	candidates->items[candidates->count++] = *candidate;
	return 0;
}

int candidates_part(struct candidates *candidates, struct candidates *missing, struct err *err)
{
	size_t kept = 0;
	int code = 0;
	for (size_t i = 0; i < candidates->count; i++) {
		if (candidates->items[i].has_identity) {
			candidates->items[kept++] = candidates->items[i];
		} else if (missing != NULL && code == 0) {
			code = candidates_add(missing, &candidates->items[i], err);
		}
	}
	candidates->count = kept;
	return code;
}

static int compare_uid(const void *x, const void *y)
{
	uint32_t one = ((const struct pair_candidate *)x)->uid;
	uint32_t two = ((const struct pair_candidate *)y)->uid;
	return (one > two) - (one < two);
}

int candidates_fetch(struct remote *remote, const struct uidset *uids,
		     struct candidates *candidates, bool *is_whole, struct err *err)
{
	const size_t known = candidates->count;
	struct remote_identity told = {.is_done = false};
	int code = remote_headers_begin(remote, uids, err);
	while (code == 0 && (code = remote_headers_next(remote, &told, err)) == 0 &&
	       !told.is_done) {
		struct pair_candidate fresh = {.uid = told.uid, .is_blank = told.is_blank};
		struct pair_candidate *candidate =
			array_find(candidates->items, known, sizeof(fresh), &fresh, compare_uid);
		if (candidate != NULL) {
			pair_identify(candidate, &told.identity);
			candidate->is_blank = told.is_blank;
		} else {
			pair_identify(&fresh, &told.identity);
			code = candidates_add(candidates, &fresh, err);
		}
	}
	if (code == 0 && told.status < 0) {
		candidates->why = told.err;
	}
	*is_whole = told.is_whole;
	return code;
}

static struct suspect_item item_of(const struct candidates *candidates, size_t i)
{
	const struct pair_candidate *candidate = &candidates->items[i];
	return (struct suspect_item){
		.kind = SUSPECT_MESSAGE,
		.act = SUSPECT_AT_FETCH,
		.mailbox = candidates->mailbox->name,
		.row = candidate->index,
		.uid = candidate->uid,
	};
}

static bool is_aside(const struct candidates *candidates, size_t i)
{
	return candidates->run != NULL &&
	       suspects_place(candidates->run, SUSPECT_MESSAGE, candidates->mailbox->name,
			      candidates->items[i].index) != SUSPECT_GOES;
}

/* Those of UIDS were on their way when the connection ended. */
static void lose(const struct candidates *candidates, const struct uidset *uids,
		 const struct err *err)
{
	struct suspect_item *items =
		candidates->run == NULL ? NULL : calloc(candidates->count + 1, sizeof(*items));
	size_t count = 0;
	for (size_t i = 0; items != NULL && i < candidates->count; i++) {
		const struct pair_candidate *candidate = &candidates->items[i];
		if (!candidate->has_identity && uidset_contains(uids, candidate->uid)) {
			items[count++] = item_of(candidates, i);
		}
	}
	if (items != NULL) {
		suspects_lost(candidates->run, items, count, err);
	}
	free(items);
}

static void lose_one(const struct candidates *candidates, size_t i, const struct err *err)
{
	if (candidates->run != NULL) {
		const struct suspect_item item = item_of(candidates, i);
		suspects_lost(candidates->run, &item, 1, err);
	}
}

/* As many as may be on their way at once, of those from *NEXT on. */
static int fetch_some(struct remote *remote, struct candidates *candidates, size_t *next,
		      struct err *err)
{
	const size_t most =
		candidates->run == NULL ? SIZE_MAX : suspects_batch(candidates->run, SIZE_MAX);
	struct uidset uids;
	bool is_whole = false;
	size_t asked = 0;
	int code = 0;
	uidset_init(&uids);
	for (; code == 0 && *next < candidates->count && asked < most; (*next)++) {
		uint32_t uid = candidates->items[*next].uid;
		if (!is_aside(candidates, *next)) {
			code = uidset_add(&uids, uid, uid, err);
			asked++;
		}
	}
	if (code == 0 && asked > 0 &&
	    (code = candidates_fetch(remote, &uids, candidates, &is_whole, err)) < 0) {
		lose(candidates, &uids, err);
	}
	uidset_finish(&uids);
	return code;
}

int candidates_identify(struct remote *remote, const struct mailbox *mailbox,
			struct candidates *candidates, struct err *err)
{
	int code = remote_open(remote, mailbox->wire, REMOTE_READ,
			       mailbox->base.numbers.uidvalidity, NULL, err);
	array_sort(candidates->items, candidates->count, sizeof(*candidates->items), compare_uid);
	const size_t count = candidates->count; /* strangers come behind */
	for (size_t next = 0; code == 0 && next < count;) {
		code = fetch_some(remote, candidates, &next, err);
	}
	return code;
}

struct content {
	struct digest *digest;
	bool in_body;
	bool in_line; /* of the header, behind its first byte that is no CR */
};

static int content_begin(struct content *content, const struct pair_candidate *candidate,
			 struct err *err)
{
	struct span header = {(const char *)candidate->digest, sizeof(candidate->digest)};
	*content = (struct content){0};
	int code = digest_create(&content->digest, DIGEST_SHA256, err);
	return code < 0 ? code : digest_update(content->digest, header, err);
}

/* The body begins behind the first empty line. */
static int content_feed(struct content *content, struct span data, struct err *err)
{
	for (; !content->in_body && data.len > 0; data.data++, data.len--) {
		if (*data.data == '\n') {
			content->in_body = !content->in_line;
			content->in_line = false;
		} else if (*data.data != '\r') {
			content->in_line = true;
		}
	}
	return data.len == 0 ? 0 : digest_update(content->digest, data, err);
}

/* CODE is what came before; the candidate gets the digest where that went well. */
static int content_end(struct content *content, struct pair_candidate *candidate, bool is_whole,
		       int code, struct err *err)
{
	uint8_t result[DIGEST_MAX_SIZE];
	if (code == 0 && is_whole && (code = digest_result(content->digest, result, err)) == 0) {
		memcpy(candidate->digest, result, sizeof(candidate->digest));
		candidate->has_content = true;
	}
	digest_destroy(&content->digest);
	return code;
}

int candidate_read_file(struct maildir_reader *reader, struct pair_candidate *candidate,
			struct err *err)
{
	struct content content;
	struct span piece = {"", 1};
	struct err why;
	bool is_whole = true;
	int code = content_begin(&content, candidate, err);
	while (code == 0 && is_whole && piece.len > 0) {
		is_whole = maildir_reader_next(reader, &piece, &why) == 0;
		if (is_whole && piece.len > 0) {
			code = content_feed(&content, piece, err);
		}
	}
	return content_end(&content, candidate, is_whole, code, err);
}

/* Feeds the message UID as it comes. *IS_WHOLE: it came. */
static int content_fetch(struct content *content, struct remote *remote, uint32_t uid,
			 bool *is_whole, struct err *err)
{
	struct remote_body body = {.type = REMOTE_FETCHED_OPENED};
	int code = 0;
	while (code == 0 && body.type != REMOTE_FETCHED_DONE) {
		code = remote_fetch_next(remote, &body, err);
		if (code == 0 && body.type == REMOTE_FETCHED_DATA && !*is_whole) {
			code = content_feed(content, body.data, err);
		} else if (code == 0 && body.type == REMOTE_FETCHED_MESSAGE) {
			*is_whole |= body.has_body && body.uid == uid;
		}
	}
	return code;
}

static int read_message(struct remote *remote, struct pair_candidate *candidate, struct err *err)
{
	struct content content;
	struct uidset uids;
	bool is_whole = false;
	int code;
	uidset_init(&uids);
	if ((code = content_begin(&content, candidate, err)) == 0 &&
	    (code = uidset_add(&uids, candidate->uid, candidate->uid, err)) == 0 &&
	    (code = remote_fetch_queue(remote, REMOTE_WHOLE, &uids, 0, err)) == 0) {
		code = content_fetch(&content, remote, candidate->uid, &is_whole, err);
	}
	uidset_finish(&uids);
	return content_end(&content, candidate, is_whole, code, err);
}

static int verify(struct remote *remote, struct pair_candidate *candidate, struct err *err)
{
	struct header_identity identity;
	bool is_whole = false;
	int code = remote_header_of_whole(remote, candidate->uid, &identity, &is_whole, err);
	bool is_as_told = candidate->has_identity && is_whole &&
			  memcmp(candidate->header, identity.digest, ROW_DIGEST_SIZE) == 0;
	if (code < 0 || is_as_told) {
		return code;
	}
	candidate->has_identity = false;
	if (is_whole && candidate->has_waited) {
		pair_identify(candidate, &identity);
	}
	return 0;
}

int candidates_verify(struct remote *remote, struct candidates *candidates, struct err *err)
{
	int code = 0;
	for (size_t i = 0; code == 0 && i < candidates->count; i++) {
		struct pair_candidate *candidate = &candidates->items[i];
		bool is_due = candidate->has_identity ? candidate->is_blank : candidate->has_waited;
		if (is_due && !is_aside(candidates, i) &&
		    (code = verify(remote, candidate, err)) < 0) {
			lose_one(candidates, i, err);
		}
	}
	return code;
}

int candidates_read(struct remote *remote, struct candidates *candidates,
		    const struct candidates *others, struct err *err)
{
	int code = 0;
	for (size_t i = 0; code == 0 && i < candidates->count; i++) {
		struct pair_candidate *candidate = &candidates->items[i];
		bool is_due = others == NULL
				    ? pair_is_nameless(candidate)
				    : pair_wants_content(candidate, others->items, others->count);
		if (is_due && !is_aside(candidates, i) &&
		    (code = read_message(remote, candidate, err)) < 0) {
			lose_one(candidates, i, err);
		}
	}
	return code;
}
