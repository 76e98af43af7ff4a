/* What the mechanisms of SASL share: one row each in base/auth.h, one file a family. */
#ifndef MAILSYNC_PROTO_SASL_PRIVATE_H
#define MAILSYNC_PROTO_SASL_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mailsync/base/buf.h"
#include "mailsync/base/digest.h"
#include "mailsync/base/err.h"
#include "mailsync/base/span.h"
#include "mailsync/proto/sasl.h"

#define SASL_CHALLENGE_MAX 8192 /* bytes; real ones stay under 1 KiB */
#define SASL_ERROR_MAX     2048

/* Answers CHALLENGE into RESPONSE, which is empty; `steps` of SASL counts the answers so far. */
typedef int sasl_step_fn(struct sasl *sasl, struct span challenge, struct buf *response,
			 struct err *err);

/* sasl_plain_step and so on, each in its file. */
#define SASL_DECLARE(id, word, name, step, marks) sasl_step_fn sasl_##step##_step;
AUTH_TABLE(SASL_DECLARE, SASL_DECLARE)
#undef SASL_DECLARE

/* SCRAM's state between its messages. */
struct sasl_scram {
	enum digest_kind digest;
	struct buf bare; /* client-first-message-bare */
	uint8_t server_signature[DIGEST_MAX_SIZE];
};

struct sasl {
	const struct auth_row *row;
	sasl_step_fn *step;
	struct sasl_params params;
	unsigned steps; /* messages of ours so far */
	bool is_proven; /* the server knows the password too */
	struct buf error_text;
	struct sasl_scram scram;
};

/* sasl.c */
int sasl_unexpected(const struct sasl *sasl, struct err *err);
void sasl_keep_error(struct sasl *sasl, struct span text);

/* sasl_scram.c; the escaped user name of RFC 5801 is OAUTHBEARER's too. */
void sasl_append_name(struct buf *out, const char *user);

#endif
