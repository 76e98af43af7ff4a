/*
 * XOAUTH2 (Google's, "user=...^Aauth=Bearer ...^A^A") and OAUTHBEARER (RFC 7628). A refused token
 * is told in a challenge of JSON, and the server's NO comes only after an answer to it.
 */
#include "sasl_private.h"

static int error_challenge(struct sasl *sasl, struct span challenge, struct err *err)
{
	if (sasl->steps != 1) {
		return sasl_unexpected(sasl, err);
	}
	sasl_keep_error(sasl, challenge);
	return 0;
}

int sasl_xoauth2_step(struct sasl *sasl, struct span challenge, struct buf *response,
		      struct err *err)
{
	if (sasl->steps != 0) {
		return error_challenge(sasl, challenge, err);
	}
	buf_append_cstr(response, "user=");
	buf_append_cstr(response, sasl->params.user);
	buf_append_cstr(response, "\1auth=Bearer ");
	buf_append_span(response, secret_span(sasl->params.secret));
	buf_append_cstr(response, "\1\1");
	return 0;
}

int sasl_oauthbearer_step(struct sasl *sasl, struct span challenge, struct buf *response,
			  struct err *err)
{
	if (sasl->steps != 0) {
		buf_append_char(response, '\1');
		return error_challenge(sasl, challenge, err);
	}
	buf_append_cstr(response, "n,a=");
	sasl_append_name(response, sasl->params.user);
	buf_append_char(response, ',');
	if (sasl->params.host != NULL) {
		buf_printf(response, "\1host=%s\1port=%u", sasl->params.host, sasl->params.port);
	}
	buf_append_cstr(response, "\1auth=Bearer ");
	buf_append_span(response, secret_span(sasl->params.secret));
	buf_append_cstr(response, "\1\1");
	return 0;
}
