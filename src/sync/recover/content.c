#include "content.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "mailsync/base/digest.h"

#include "mailsync/store/imap.h" /* until it is converted */

static uint64_t id_hash(const struct header_identity *identity)
{
	uint8_t digest[DIGEST_MAX_SIZE];
	struct err ignored;
	uint64_t hash = 0;
	if (!identity->has_message_id ||
	    digest_of(DIGEST_SHA256, span_of(identity->message_id), digest, &ignored) < 0) {
		return 0;
	}
	for (int i = 0; i < 8; i++) {
		hash = hash << 8 | digest[i];
	}
	return hash == 0 ? 1 : hash;
}

void pair_identify(struct pair_candidate *candidate, const struct header_identity *identity)
{
	memcpy(candidate->digest, identity->digest, ROW_DIGEST_SIZE);
	candidate->message_id = id_hash(identity);
	candidate->header_date = identity->has_date ? identity->date : INT64_MIN;
	candidate->has_identity = true;
}

bool pair_is_nameless(const struct pair_candidate *candidate)
{
	return candidate->message_id == 0 && candidate->header_date == INT64_MIN;
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

static int content_end(struct content *content, struct pair_candidate *candidate, bool is_whole,
		       struct err *err)
{
	uint8_t result[DIGEST_MAX_SIZE];
	int code = is_whole ? digest_result(content->digest, result, err) : 0;
	if (code == 0 && is_whole) {
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
	int end = content_end(&content, candidate, code == 0 && is_whole, err);
	return code < 0 ? code : end;
}

int pair_content_remote(struct remote *remote, struct pair_candidate *candidate, struct err *err)
{
	struct content content;
	char uid[16];
	bool is_whole = false;
	bool is_done = false;
	int len = snprintf(uid, sizeof(uid), "%" PRIu32, candidate->uid);
	int code = content_begin(&content, candidate, err);
	if (code == 0) {
		code = imap_fetch_queue(remote_imap(remote), IMAP_WHOLE,
					(struct span){uid, (size_t)len}, 0, err);
	}
	while (code == 0 && !is_done) {
		struct imap_body body;
		code = imap_fetch_next(remote_imap(remote), &body, err);
		if (code == 0 && body.type == IMAP_FETCHED_DATA && !is_whole) {
			code = content_feed(&content, body.data, err);
		} else if (code == 0 && body.type == IMAP_FETCHED_MESSAGE) {
			is_whole |= body.has_body && body.uid == candidate->uid;
		}
		is_done = code == 0 && body.type == IMAP_FETCHED_DONE;
	}
	int end = content_end(&content, candidate, code == 0 && is_whole, err);
	return code < 0 ? code : end;
}
