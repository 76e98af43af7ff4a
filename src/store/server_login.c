#include "server_login.h"

#include "mailsync/proto/sasl.h"

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
	/* The two that libcurl has to do itself. */
	if (server->auth == SERVER_AUTH_GSSAPI || server->auth == SERVER_AUTH_NTLM) {
		out->login_mech = server->auth == SERVER_AUTH_GSSAPI ? "GSSAPI" : "NTLM";
		out->user = server->user;
		out->password = server->password;
	}
}

unsigned server_wanted_mechs(enum server_auth auth)
{
	switch (auth) {
	case SERVER_AUTH_PLAIN:
		return 1u << SASL_PLAIN;
	case SERVER_AUTH_LOGIN:
		return 1u << SASL_LOGIN;
	case SERVER_AUTH_CRAM_MD5:
		return 1u << SASL_CRAM_MD5;
	case SERVER_AUTH_SCRAM_SHA_1:
		return 1u << SASL_SCRAM_SHA_1;
	case SERVER_AUTH_SCRAM_SHA_256:
		return 1u << SASL_SCRAM_SHA_256;
	case SERVER_AUTH_XOAUTH2:
		return 1u << SASL_XOAUTH2;
	case SERVER_AUTH_OAUTHBEARER:
		return 1u << SASL_OAUTHBEARER;
	case SERVER_AUTH_EXTERNAL:
		return 1u << SASL_EXTERNAL;
	case SERVER_AUTH_APOP:
		return 1u << SASL_APOP;
	case SERVER_AUTH_AUTO:
	case SERVER_AUTH_GSSAPI:
	case SERVER_AUTH_NTLM:
		break;
	}
	return 0;
}
