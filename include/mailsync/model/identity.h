/*
 * What identifies a message wherever it lies: Message-ID, Date and a digest of its header. Who
 * makes it, and what the digest leaves out: proto/header.h.
 */
#ifndef MAILSYNC_MODEL_IDENTITY_H
#define MAILSYNC_MODEL_IDENTITY_H

#include <stdbool.h>
#include <stdint.h>

#define HEADER_DIGEST_SIZE 16  /* SHA-256, cut */
#define HEADER_ID_MAX      998 /* longer Message-IDs are cut there */

struct header_identity {
	uint8_t digest[HEADER_DIGEST_SIZE];
	bool has_message_id;
	char message_id[HEADER_ID_MAX +
			1]; /* with its angle brackets, white space removed; the first one */
	bool has_date;
	int64_t date;            /* of Date:, seconds since 1970 */
	bool is_complete;        /* the empty line that ends the header was seen */
	uint64_t left_out_bytes; /* of the fields that are not in the digest, with CRLF; lines over
				  * 1 KiB are not counted */
};

/* A hash of the Message-ID; 0 where there is none. */
uint64_t identity_id_hash(const struct header_identity *identity);
/* A message's SIZE without what other programs put into their copy of the header. */
uint64_t identity_own_size(const struct header_identity *identity, uint64_t size);

#endif
