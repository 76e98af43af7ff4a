/* What the mechanisms of SASL share: one row each in sasl.c's table, one file a family. */
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

struct sasl_row {
	const char *name;
	bool has_initial;
	bool needs_binding;
	bool sends_secret; /* the password or token itself goes over the wire */
	enum digest_kind digest;
	/* NULL for the commands that are no SASL exchange. */
	int (*step)(struct sasl *sasl, struct span challenge, struct buf *response,
		    struct err *err);
};

/* SCRAM's state between its messages. */
struct sasl_scram {
	struct buf bare; /* client-first-message-bare */
	uint8_t server_signature[DIGEST_MAX_SIZE];
};

struct sasl {
	enum sasl_mech mech;
	const struct sasl_row *row;
	struct sasl_params params;
	unsigned steps; /* messages of ours so far */
	bool is_proven; /* SCRAM: the server knows the password too */
	struct buf error_text;
	struct sasl_scram scram;
};

/* sasl.c */
int sasl_unexpected(const struct sasl *sasl, struct err *err);
void sasl_keep_error(struct sasl *sasl, struct span text);

/* sasl_plain.c */
int sasl_plain_step(struct sasl *sasl, struct span challenge, struct buf *response,
		    struct err *err);
int sasl_login_step(struct sasl *sasl, struct span challenge, struct buf *response,
		    struct err *err);
int sasl_external_step(struct sasl *sasl, struct span challenge, struct buf *response,
		       struct err *err);

/* sasl_md5.c */
int sasl_cram_step(struct sasl *sasl, struct span challenge, struct buf *response, struct err *err);

/* sasl_oauth.c */
int sasl_xoauth2_step(struct sasl *sasl, struct span challenge, struct buf *response,
		      struct err *err);
int sasl_oauthbearer_step(struct sasl *sasl, struct span challenge, struct buf *response,
			  struct err *err);

/* sasl_scram.c; the escaped user name of RFC 5801 is OAUTHBEARER's too. */
int sasl_scram_step(struct sasl *sasl, struct span challenge, struct buf *response,
		    struct err *err);
void sasl_append_name(struct buf *out, const char *user);

#endif
