#include "mailsync/base/trust.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

struct trust {
	X509_STORE *store;
	size_t count;
	unsigned char sum[SHA256_DIGEST_LENGTH]; /* of their fingerprints, in any order */
};

static void count_authorities(struct trust *trust)
{
	STACK_OF(X509_OBJECT) *objects = X509_STORE_get0_objects(trust->store);
	unsigned char print[EVP_MAX_MD_SIZE];

	for (int i = 0; i < sk_X509_OBJECT_num(objects); i++) {
		X509 *authority = X509_OBJECT_get0_X509(sk_X509_OBJECT_value(objects, i));
		if (!authority || X509_digest(authority, EVP_sha256(), print, NULL) != 1) {
			continue;
		}
		trust->count++;
		for (size_t j = 0; j < sizeof(trust->sum); j++) {
			trust->sum[j] ^= print[j];
		}
	}
}

int trust_create(struct trust **trust, const char *path, struct err *err)
{
	struct trust *created = calloc(1, sizeof(*created));

	if (created == NULL || (created->store = X509_STORE_new()) == NULL) {
		free(created);
		return err_nomem(err);
	}
	if (X509_STORE_load_locations(created->store, path, NULL) != 1) {
		ERR_clear_error();
		trust_destroy(&created);
		return err_set(err, ERR_CONFIG, SCOPE_ACCOUNT,
			       "%s has no certificates that can be read", path);
	}
	/* As libcurl has it: an authority in the middle of a chain will do. */
	(void)X509_STORE_set_flags(created->store,
				   X509_V_FLAG_PARTIAL_CHAIN | X509_V_FLAG_TRUSTED_FIRST);
	count_authorities(created);
	*trust = created;
	return 0;
}

void trust_destroy(struct trust **trust)
{
	if (*trust == NULL) {
		return;
	}
	X509_STORE_free((*trust)->store);
	free(*trust);
	*trust = NULL;
}

bool trust_same(const struct trust *one, const struct trust *two)
{
	return one && two
		     ? one->count == two->count && memcmp(one->sum, two->sum, sizeof(one->sum)) == 0
		     : one == two;
}

void trust_use(const struct trust *trust, void *ssl_ctx)
{
	SSL_CTX_set1_cert_store(ssl_ctx, trust->store);
}

/* The pin of the key of the certificate that the server showed for itself. */
static void note_pin(X509_STORE_CTX *chain, char *pin)
{
	X509 *shown = X509_STORE_CTX_get0_cert(chain);
	unsigned char digest[SHA256_DIGEST_LENGTH];
	unsigned char *key = NULL;
	int len = shown != NULL ? i2d_X509_PUBKEY(X509_get_X509_PUBKEY(shown), &key) : 0;

	if (len > 0 && SHA256(key, (size_t)len, digest) != NULL) {
		(void)EVP_EncodeBlock((unsigned char *)pin, digest, sizeof(digest));
	}
	OPENSSL_free(key);
}

static int check_chain(X509_STORE_CTX *chain, void *pin)
{
	note_pin(chain, pin);
	return X509_verify_cert(chain);
}

void trust_note_pin(void *ssl_ctx, char pin[TRUST_PIN_SIZE])
{
	pin[0] = '\0';
	SSL_CTX_set_cert_verify_callback(ssl_ctx, check_chain, pin);
}
