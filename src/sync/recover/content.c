#include "content.h"

#include <string.h>

#include "mailsync/base/digest.h"

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
	while (!content->in_body && data.len > 0) {
		char c = data.data[0];
		data.data++;
		data.len--;
		if (c == '\n') {
			content->in_body = !content->in_line;
			content->in_line = false;
		} else if (c != '\r') {
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

int pair_content_local(struct maildir_reader *reader, struct pair_candidate *candidate,
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

int pair_content_remote(struct remote *remote, struct pair_candidate *candidate, struct err *err)
{
	struct content content;
	struct uidset uids;
	bool is_whole = false;
	uidset_init(&uids);
	int code = content_begin(&content, candidate, err);
	if (code < 0 || (code = uidset_add(&uids, candidate->uid, candidate->uid, err)) < 0 ||
	    (code = remote_fetch_queue(remote, REMOTE_WHOLE, &uids, 0, err)) < 0) {
		goto finish;
	}
	code = content_fetch(&content, remote, candidate->uid, &is_whole, err);
finish:
	uidset_finish(&uids);
	return content_end(&content, candidate, is_whole, code, err);
}
