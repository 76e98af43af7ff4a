#include "login_binding.h"

#define BINDING_MAX 256 /* bytes; the longest has 64 */

/* RFC 9266 for TLS 1.3; before it the certificate, which is there whatever ends the TLS. */
static const enum channel_binding tls13_order[] = {
	CHANNEL_BINDING_EXPORTER,
	CHANNEL_BINDING_END_POINT,
	CHANNEL_BINDING_COUNT,
};
static const enum channel_binding tls12_order[] = {
	CHANNEL_BINDING_END_POINT,
	CHANNEL_BINDING_UNIQUE,
	CHANNEL_BINDING_COUNT,
};
/* Cyrus 3.6 knows the first alone, under TLS 1.3, too, and makes who tries another wait. */
static const enum channel_binding cyrus_order[] = {
	CHANNEL_BINDING_UNIQUE,
	CHANNEL_BINDING_EXPORTER,
	CHANNEL_BINDING_COUNT,
};

void binding_init(struct login_binding *binding)
{
	*binding = (struct login_binding){.order = NULL};
	buf_init(&binding->data, BINDING_MAX);
}

void binding_begin(struct login_binding *binding, const struct conn *conn)
{
	binding->session = conn_tls_session(conn);
	if (binding->session == NULL) {
		return;
	}
	if (span_contains_nocase(conn_preamble(conn), "cyrus")) {
		binding->order = cyrus_order;
	} else {
		binding->order =
			channel_binding_is_tls13(binding->session) ? tls13_order : tls12_order;
	}
}

void binding_finish(struct login_binding *binding)
{
	buf_finish(&binding->data);
}

bool binding_can(const struct login_binding *binding)
{
	return binding->order != NULL && *binding->order != CHANNEL_BINDING_COUNT;
}

int binding_take(struct login_binding *binding, struct err *err)
{
	buf_clear(&binding->data);
	while (binding_can(binding)) {
		int code =
			channel_binding_get(binding->session, *binding->order, &binding->data, err);
		if (code < 0 || binding->data.len > 0) {
			return code;
		}
		binding->order++;
	}
	return 0;
}

const char *binding_name(const struct login_binding *binding)
{
	return binding_can(binding) ? channel_binding_name(*binding->order) : "";
}

void binding_refused(struct login_binding *binding)
{
	binding->was_refused = true;
	binding->order++;
}
