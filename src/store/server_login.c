#include "server_login.h"

void server_conn_params(const struct server *server, struct conn_params *out)
{
	static const enum conn_tls tls[] = {
		[SERVER_TLS_IMPLICIT] = CONN_TLS_IMPLICIT,
		[SERVER_TLS_STARTTLS] = CONN_TLS_STARTTLS,
		[SERVER_TLS_NONE] = CONN_TLS_NONE,
	};
	*out = (struct conn_params){
		.host = server->host,
		.port = server->port,
		.tls = tls[server->tls],
		.ca_file = server->ca_file,
		.cert_file = server->cert_file,
		.key_file = server->key_file,
		.pin_sha256 = server->pin_sha256,
		.tls_min = server->tls_min,
		.proxy = server->proxy,
		.tunnel = server->tunnel,
		.timeout_s = server->timeout_s,
		.progress = server->progress,
	};
	if ((auth_row(server->auth)->marks & AUTH_BY_LIBCURL) != 0) {
		out->login_mech = auth_row(server->auth)->name;
		out->user = server->user;
		out->password = server->password;
	}
}
