/* A client and a server of OpenSSL's in memory: what ties a login to their connection. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "mailsync/base/channel_binding.h"

struct wire {
	SSL_CTX *contexts[2];
	SSL *client;
	SSL *server;
	X509 *certificate;
};

static X509 *certificate_make(EVP_PKEY *key, const EVP_MD *digest)
{
	X509 *certificate = X509_new();
	X509_NAME *name = X509_get_subject_name(certificate);

	X509_set_version(certificate, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
	X509_gmtime_adj(X509_getm_notBefore(certificate), 0);
	X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
	X509_set_pubkey(certificate, key);
	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"x", -1, -1, 0);
	X509_set_issuer_name(certificate, name);
	assert_true(X509_sign(certificate, key, digest) > 0);
	return certificate;
}

static void wire_open(struct wire *wire, int version, const char *key_type, const EVP_MD *digest)
{
	EVP_PKEY *key = strcmp(key_type, "EC") == 0 ? EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256")
						    : EVP_PKEY_Q_keygen(NULL, NULL, key_type);
	BIO *ends[2];

	assert_non_null(key);
	wire->certificate = certificate_make(key, digest);
	wire->contexts[0] = SSL_CTX_new(TLS_client_method());
	wire->contexts[1] = SSL_CTX_new(TLS_server_method());
	SSL_CTX_set_max_proto_version(wire->contexts[0], version);
	assert_int_equal(SSL_CTX_use_certificate(wire->contexts[1], wire->certificate), 1);
	assert_int_equal(SSL_CTX_use_PrivateKey(wire->contexts[1], key), 1);
	EVP_PKEY_free(key);
	wire->client = SSL_new(wire->contexts[0]);
	wire->server = SSL_new(wire->contexts[1]);
	assert_int_equal(BIO_new_bio_pair(&ends[0], 65536, &ends[1], 65536), 1);
	SSL_set_bio(wire->client, ends[0], ends[0]);
	SSL_set_bio(wire->server, ends[1], ends[1]);
	SSL_set_connect_state(wire->client);
	SSL_set_accept_state(wire->server);
	for (int turn = 0; turn < 8; turn++) {
		(void)SSL_do_handshake(wire->client);
		(void)SSL_do_handshake(wire->server);
	}
	assert_true(SSL_is_init_finished(wire->client) && SSL_is_init_finished(wire->server));
}

static void wire_close(struct wire *wire)
{
	SSL_free(wire->client);
	SSL_free(wire->server);
	SSL_CTX_free(wire->contexts[0]);
	SSL_CTX_free(wire->contexts[1]);
	X509_free(wire->certificate);
}

static void get(SSL *ssl, enum channel_binding kind, struct buf *out)
{
	struct err err;

	buf_init(out, 256);
	assert_int_equal(channel_binding_get(ssl, kind, out, &err), 0);
}

static void both_ends_export_the_same_and_no_other_connection_does(void **state)
{
	struct wire wires[2];
	struct buf data[3];

	(void)state;
	for (int i = 0; i < 2; i++) {
		wire_open(&wires[i], TLS1_3_VERSION, "EC", EVP_sha256());
	}
	assert_true(channel_binding_is_tls13(wires[0].client));
	get(wires[0].client, CHANNEL_BINDING_EXPORTER, &data[0]);
	get(wires[0].server, CHANNEL_BINDING_EXPORTER, &data[1]);
	get(wires[1].client, CHANNEL_BINDING_EXPORTER, &data[2]);
	assert_int_equal(data[0].len, 32); /* RFC 9266 */
	assert_memory_equal(data[0].data, data[1].data, 32);
	assert_memory_not_equal(data[0].data, data[2].data, 32);
	for (int i = 0; i < 3; i++) {
		buf_finish(&data[i]);
	}
	wire_close(&wires[0]);
	wire_close(&wires[1]);
}

static void tls_1_2_exports_nothing_and_has_its_first_finished(void **state)
{
	struct wire wire;
	struct buf data;
	unsigned char finished[64];

	(void)state;
	wire_open(&wire, TLS1_2_VERSION, "EC", EVP_sha256());
	assert_false(channel_binding_is_tls13(wire.client));
	get(wire.client, CHANNEL_BINDING_EXPORTER, &data);
	assert_int_equal(data.len, 0);
	buf_finish(&data);
	get(wire.client, CHANNEL_BINDING_UNIQUE, &data);
	assert_int_equal(data.len, SSL_get_peer_finished(wire.server, finished, sizeof(finished)));
	assert_memory_equal(data.data, finished, data.len);
	buf_finish(&data);
	wire_close(&wire);
}

/* RFC 5929 4.1. */
static void the_end_point_is_hashed_as_its_certificate_was_signed(void **state)
{
	const struct {
		const char *key;
		const EVP_MD *signed_with;
		const EVP_MD *hashed_with; /* NULL: there is no such binding */
	} cases[] = {
		{"EC", EVP_sha1(), EVP_sha256()},
		{"EC", EVP_sha256(), EVP_sha256()},
		{"EC", EVP_sha384(), EVP_sha384()},
		{"EC", EVP_sha512(), EVP_sha512()},
		{"ED25519", NULL, NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct wire wire;
		struct buf data;
		unsigned char expected[EVP_MAX_MD_SIZE];
		unsigned len = 0;

		wire_open(&wire, TLS1_3_VERSION, cases[i].key, cases[i].signed_with);
		get(wire.client, CHANNEL_BINDING_END_POINT, &data);
		if (cases[i].hashed_with != NULL) {
			X509_digest(wire.certificate, cases[i].hashed_with, expected, &len);
		}
		assert_int_equal(data.len, len);
		assert_true(len == 0 || memcmp(data.data, expected, len) == 0);
		buf_finish(&data);
		wire_close(&wire);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_ends_export_the_same_and_no_other_connection_does),
		cmocka_unit_test(tls_1_2_exports_nothing_and_has_its_first_finished),
		cmocka_unit_test(the_end_point_is_hashed_as_its_certificate_was_signed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
