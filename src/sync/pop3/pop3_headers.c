/* TOP n 0 for the items that want it, pipelined; RETR where the server has no TOP. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "mailsync/base/digest.h"

#include "pop3_private.h"

int pop3_header_of(const struct header_identity *identity, struct pop3_header *header,
		   struct err *err)
{
	uint8_t digest[DIGEST_MAX_SIZE];

	memset(header, 0, sizeof(*header));
	memcpy(header->digest, identity->digest, ROW_DIGEST_SIZE);
	header->has_date = identity->has_date;
	header->date = identity->has_date ? identity->date : 0;
	if (!identity->has_message_id) {
		return 0;
	}
	int code = digest_of(DIGEST_SHA256, span_of(identity->message_id), digest, err);
	if (!code) {
		header->has_id = true;
		memcpy(header->id, digest, ROW_DIGEST_SIZE);
	}
	return code;
}

static int keep_header(struct pop3_job *job, struct pop3_item *item,
		       const struct header_identity *identity, struct err *err)
{
	if (job->header_count == job->header_cap) {
		size_t cap = job->header_cap ? job->header_cap * 2 : 64;
		struct pop3_header *grown = realloc(job->headers, cap * sizeof(*grown));
		if (!grown) {
			return err_nomem(err);
		}
		job->headers = grown;
		job->header_cap = cap;
	}
	struct pop3_header *header = &job->headers[job->header_count];
	int code = pop3_header_of(identity, header, err);
	if (!code) {
		header->size_bytes = item->size_bytes;
		item->header = (uint32_t)job->header_count++;
	}
	return code;
}

static bool is_wanted(const struct pop3_item *item)
{
	return item->wants_header && item->header == POP3_NO_ROW && !item->is_failed;
}

/* The next wanted item from *AT on, which then stands behind it; NULL at the end. */
static struct pop3_item *next_wanted(struct pop3_job *job, size_t *at)
{
	while (*at < job->listing.count) {
		struct pop3_item *item = &job->items[(*at)++];
		if (is_wanted(item)) {
			return item;
		}
	}
	return NULL;
}

struct pass {
	struct pop3_job *job;
	enum pop3_want want;
	size_t queued;   /* items up to here were asked for */
	size_t answered; /* items up to here were answered */
	struct pop3_item *item;
	bool was_refused;
};

static int queue_more(struct pass *pass, struct err *err)
{
	int code = 0;

	while (!code && pop3_has_room(pass->job->pop3)) {
		struct pop3_item *item = next_wanted(pass->job, &pass->queued);
		if (!item) {
			break;
		}
		code = pop3_fetch_queue(pass->job->pop3, pass->want, item->number, err);
	}
	return code;
}

/* The item that an answer belongs to. Those asked for before it have their headers, or were
 * refused. */
static struct pop3_item *answered_item(struct pass *pass, uint32_t number)
{
	while (pass->answered < pass->job->listing.count) {
		struct pop3_item *item = &pass->job->items[pass->answered++];
		if (item->number == number) {
			return item;
		}
	}
	return NULL;
}

static int take_piece(struct pass *pass, const struct pop3_piece *piece,
		      const struct header_identity *identity, struct err *err)
{
	int code = 0;

	switch (piece->kind) {
	case PIECE_BEGIN:
		pass->item = answered_item(pass, piece->number);
		break;
	case PIECE_END:
		if (pass->item) {
			code = keep_header(pass->job, pass->item, identity, err);
		}
		break;
	case PIECE_REFUSED:
		(void)answered_item(pass, piece->number);
		pass->was_refused = true;
		break;
	case PIECE_DATA:
	case PIECE_NONE:
		break;
	}
	return code;
}

static int run_pass(struct pass *pass, struct err *err)
{
	struct pop3_piece piece = {.kind = PIECE_BEGIN};
	struct header_identity identity;
	int code = 0;

	while (!code && piece.kind != PIECE_NONE) {
		code = run_check_stop(&pass->job->run, err);
		if (!code) {
			code = queue_more(pass, err);
		}
		if (!code) {
			code = pop3_identity_next(pass->job->pop3, &piece, &identity, err);
		}
		if (!code) {
			code = take_piece(pass, &piece, &identity, err);
		}
	}
	return code;
}

int pop3_fetch_headers(struct pop3_job *job, struct err *err)
{
	unsigned caps = pop3_caps(job->pop3);
	bool has_top = !job->has_no_top && (!(caps & POP3_CAP_KNOWN) || (caps & POP3_CAP_TOP));
	int code = 0;

	if (has_top) {
		struct pass pass = {.job = job, .want = POP3_WANT_HEADER};
		code = run_pass(&pass, err);
		if (code || !pass.was_refused) {
			return code;
		}
		log_line(job->run.log, LOG_INFO,
			 "%s: the server refuses TOP; reading headers by RETR",
			 job->run.account->name);
		job->has_no_top = true;
	}
	struct pass pass = {.job = job, .want = POP3_WANT_MESSAGE};
	return run_pass(&pass, err);
}
