#include "mailsync/base/digest.h"

#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>

#include <openssl/evp.h>
#include <openssl/rand.h>

#include "pbkdf2.h"

struct digest {
	EVP_MD *md;
	EVP_MD_CTX *context;
	bool is_running;
};

struct digest_row {
	const char *name;
	size_t size;
};

static const struct digest_row digest_rows[] = {
	[DIGEST_MD5] = {"MD5", 16},
	[DIGEST_SHA1] = {"SHA1", 20},
	[DIGEST_SHA256] = {"SHA256", 32},
};

size_t digest_size(enum digest_kind kind)
{
	return digest_rows[kind].size;
}

static int digest_fail(enum digest_kind kind, struct err *err)
{
	return err_set(err, ERR_INTERNAL, SCOPE_ACCOUNT,
		       "OpenSSL cannot compute %s here (a FIPS policy may forbid it)",
		       digest_rows[kind].name);
}

static int running_fail(struct err *err)
{
	return err_set(err, ERR_INTERNAL, SCOPE_ACCOUNT, "OpenSSL failed to compute a digest");
}

int digest_create(struct digest **digest, enum digest_kind kind, struct err *err)
{
	struct digest *made = calloc(1, sizeof(*made));

	if (!made) {
		return err_nomem(err);
	}
	made->context = EVP_MD_CTX_new();
	if (!made->context) {
		digest_destroy(&made);
		return err_nomem(err);
	}
	made->md = EVP_MD_fetch(NULL, digest_rows[kind].name, NULL);
	if (!made->md) {
		digest_destroy(&made);
		return digest_fail(kind, err);
	}
	*digest = made;
	return 0;
}

static bool digest_start(struct digest *digest)
{
	if (!digest->is_running) {
		digest->is_running = EVP_DigestInit_ex2(digest->context, digest->md, NULL) == 1;
	}
	return digest->is_running;
}

int digest_update(struct digest *digest, struct span data, struct err *err)
{
	if (!digest_start(digest)) {
		return running_fail(err);
	}
	if (data.len > 0 && EVP_DigestUpdate(digest->context, data.data, data.len) != 1) {
		return running_fail(err);
	}
	return 0;
}

int digest_result(struct digest *digest, uint8_t out[DIGEST_MAX_SIZE], struct err *err)
{
	if (!digest_start(digest) || EVP_DigestFinal_ex(digest->context, out, NULL) != 1) {
		return running_fail(err);
	}
	digest->is_running = false;
	return 0;
}

void digest_destroy(struct digest **digest)
{
	if (!*digest) {
		return;
	}
	EVP_MD_CTX_free((*digest)->context);
	EVP_MD_free((*digest)->md);
	free(*digest);
	*digest = NULL;
}

int digest_of(enum digest_kind kind, struct span data, uint8_t *out, struct err *err)
{
	if (EVP_Q_digest(NULL, digest_rows[kind].name, NULL, data.data, data.len, out, NULL) != 1) {
		return digest_fail(kind, err);
	}
	return 0;
}

int digest_hmac(enum digest_kind kind, struct span key, struct span data, uint8_t *out,
		struct err *err)
{
	const void *key_data = key.len > 0 ? key.data : ""; /* NULL would mean "no key set" */
	size_t len;

	if (!EVP_Q_mac(NULL, "HMAC", NULL, digest_rows[kind].name, NULL, key_data, key.len,
		       (const unsigned char *)data.data, data.len, out, digest_rows[kind].size,
		       &len)) {
		return digest_fail(kind, err);
	}
	return 0;
}

int digest_pbkdf2(enum digest_kind kind, struct span password, struct span salt,
		  uint32_t iterations, uint8_t *out, struct err *err)
{
	if (iterations == 0 || iterations > INT_MAX || password.len > INT_MAX ||
	    salt.len > INT_MAX) {
		return err_set(err, ERR_PROTOCOL, SCOPE_ACCOUNT,
			       "the server asks for a key derivation that cannot be");
	}
	/* A policy that forbids the digest is heeded. */
	EVP_MD *md = EVP_MD_fetch(NULL, digest_rows[kind].name, NULL);
	if (!md) {
		return digest_fail(kind, err);
	}
	int done = pbkdf2_derive(kind, password, salt, iterations, out) ||
		   PKCS5_PBKDF2_HMAC(password.len > 0 ? password.data : "", (int)password.len,
				     (const unsigned char *)salt.data, (int)salt.len,
				     (int)iterations, md, (int)digest_rows[kind].size, out);
	EVP_MD_free(md);
	return done == 1 ? 0 : digest_fail(kind, err);
}

int random_bytes(uint8_t *out, size_t len, struct err *err)
{
	if (len > INT_MAX || RAND_bytes(out, (int)len) != 1) {
		return err_set(err, ERR_INTERNAL, SCOPE_RUN, "the system has no random bytes");
	}
	return 0;
}
