#include "mailsync/base/trust.h"

#include <stdlib.h>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

struct trust {
	X509_STORE *store;
};

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

void trust_use(const struct trust *trust, void *ssl_ctx)
{
	SSL_CTX_set1_cert_store(ssl_ctx, trust->store);
}
