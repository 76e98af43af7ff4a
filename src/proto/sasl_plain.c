/* PLAIN (RFC 4616), LOGIN (draft-murchison-sasl-login), EXTERNAL (RFC 4422 appendix A). */
#include "sasl_private.h"

int sasl_plain_step(struct sasl *sasl, struct span challenge, struct buf *response, struct err *err)
{
	(void)challenge;
	if (sasl->steps != 0) {
		return sasl_unexpected(sasl, err);
	}
	buf_append_char(response, '\0');
	buf_append_cstr(response, sasl->params.user);
	buf_append_char(response, '\0');
	buf_append_span(response, secret_span(sasl->params.secret));
	return 0;
}

/* What the challenges say ("User Name", "Password:", nothing) differs; their order does not. */
int sasl_login_step(struct sasl *sasl, struct span challenge, struct buf *response, struct err *err)
{
	(void)challenge;
	switch (sasl->steps) {
	case 0:
		buf_append_cstr(response, sasl->params.user);
		return 0;
	case 1:
		buf_append_span(response, secret_span(sasl->params.secret));
		return 0;
	default:
		return sasl_unexpected(sasl, err);
	}
}

int sasl_external_step(struct sasl *sasl, struct span challenge, struct buf *response,
		       struct err *err)
{
	(void)challenge;
	if (sasl->steps != 0) {
		return sasl_unexpected(sasl, err);
	}
	if (sasl->params.user != NULL) {
		buf_append_cstr(response, sasl->params.user);
	}
	return 0;
}
