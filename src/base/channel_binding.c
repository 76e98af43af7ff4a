#include "mailsync/base/channel_binding.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#define EXPORTER_LABEL "EXPORTER-Channel-Binding"
#define EXPORTER_SIZE  32

static const char *const names[CHANNEL_BINDING_COUNT] = {
	[CHANNEL_BINDING_EXPORTER] = "tls-exporter",
	[CHANNEL_BINDING_END_POINT] = "tls-server-end-point",
	[CHANNEL_BINDING_UNIQUE] = "tls-unique",
};

const char *channel_binding_name(enum channel_binding kind)
{
	return names[kind];
}

const char *channel_binding_library(void)
{
	return OpenSSL_version(OPENSSL_VERSION_STRING);
}

bool channel_binding_is_tls13(void *ssl)
{
	return SSL_version(ssl) >= TLS1_3_VERSION;
}

bool channel_binding_is_resumed(void *ssl)
{
	return SSL_session_reused(ssl) == 1;
}

/* Without it two connections can have one master secret ("triple handshake"), and what is derived
 * from it binds to neither. TLS 1.3 always has the like. */
static bool has_own_secret(SSL *ssl)
{
	return SSL_version(ssl) >= TLS1_3_VERSION || SSL_get_extms_support(ssl) == 1;
}

static int append_exported(SSL *ssl, struct buf *out, struct err *err)
{
	unsigned char data[EXPORTER_SIZE];

	if (SSL_version(ssl) < TLS1_3_VERSION) {
		return 0;
	}
	if (SSL_export_keying_material(ssl, data, sizeof(data), EXPORTER_LABEL,
				       sizeof(EXPORTER_LABEL) - 1, (const unsigned char *)"", 0,
				       1) != 1) {
		return err_set(err, ERR_INTERNAL, SCOPE_ACCOUNT,
			       "OpenSSL exports no keying material for the channel binding");
	}
	buf_append(out, (const char *)data, sizeof(data));
	return 0;
}

/* The digest of the certificate's signature, but SHA-256 for MD5 and SHA-1. */
static const EVP_MD *end_point_digest(X509 *certificate)
{
	int nid = NID_undef;

	if (X509_get_signature_info(certificate, &nid, NULL, NULL, NULL) != 1 || nid == NID_undef) {
		return NULL;
	}
	return nid == NID_md5 || nid == NID_sha1 ? EVP_sha256() : EVP_get_digestbynid(nid);
}

static int append_end_point(SSL *ssl, struct buf *out, struct err *err)
{
	unsigned char data[EVP_MAX_MD_SIZE];
	unsigned len = 0;
	X509 *certificate = SSL_get_peer_certificate(ssl);
	const EVP_MD *digest = certificate ? end_point_digest(certificate) : NULL;
	bool is_done = digest != NULL && X509_digest(certificate, digest, data, &len) == 1;

	X509_free(certificate);
	if (digest != NULL && !is_done) {
		return err_set(err, ERR_INTERNAL, SCOPE_ACCOUNT,
			       "OpenSSL gives no digest of the server's certificate");
	}
	buf_append(out, (const char *)data, len);
	return 0;
}

/* The first Finished is the client's, but the server's where a session was taken up again. */
static void append_finished(SSL *ssl, struct buf *out)
{
	unsigned char data[EVP_MAX_MD_SIZE];
	size_t len = SSL_session_reused(ssl) ? SSL_get_peer_finished(ssl, data, sizeof(data))
					     : SSL_get_finished(ssl, data, sizeof(data));

	buf_append(out, (const char *)data, len < sizeof(data) ? len : sizeof(data));
}

int channel_binding_get(void *ssl, enum channel_binding kind, struct buf *out, struct err *err)
{
	int code = 0;

	switch (kind) {
	case CHANNEL_BINDING_EXPORTER:
		code = append_exported(ssl, out, err);
		break;
	case CHANNEL_BINDING_END_POINT:
		code = append_end_point(ssl, out, err);
		break;
	case CHANNEL_BINDING_UNIQUE:
		if (has_own_secret(ssl)) {
			append_finished(ssl, out);
		}
		break;
	case CHANNEL_BINDING_COUNT:
		break;
	}
	return code < 0 ? code : buf_status(out, "the channel binding", err);
}
