#include "mailsync/model/identity.h"

#include "mailsync/base/digest.h"

uint64_t identity_id_hash(const struct header_identity *identity)
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

uint64_t identity_own_size(const struct header_identity *identity, uint64_t size)
{
	return size > identity->left_out_bytes ? size - identity->left_out_bytes : 0;
}
