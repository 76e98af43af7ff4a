/*
 * Thousands of HMACs under one key. OpenSSL 3's own (PKCS5_PBKDF2_HMAC) copies three contexts on
 * the heap for each: 1.7 ms for 4,096 rounds of SHA-256. With contexts that are plain memory it is
 * 0.6, and that is much of what a login costs here. These functions of OpenSSL are deprecated, not
 * gone; a library built without them leaves it to its own.
 */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "pbkdf2.h"

#include <string.h>

#include <openssl/crypto.h>
#include <openssl/sha.h>

#ifdef OPENSSL_NO_DEPRECATED_3_0

bool pbkdf2_derive(enum digest_kind kind, struct span password, struct span salt,
		   uint32_t iterations, uint8_t *out)
{
	(void)kind, (void)password, (void)salt, (void)iterations, (void)out;
	return false;
}

#else

#define BLOCK_SIZE 64 /* of both digests */

union context {
	SHA_CTX sha1;
	SHA256_CTX sha256;
};

/* The digest's context behind the key's two blocks, and how to go on from there. */
struct rounds {
	bool is_sha256;
	size_t size; /* of the digest */
	union context inner, outer;
};

static void add(const struct rounds *rounds, union context *context, const void *data, size_t len)
{
	if (rounds->is_sha256) {
		SHA256_Update(&context->sha256, data, len);
	} else {
		SHA1_Update(&context->sha1, data, len);
	}
}

static void end(const struct rounds *rounds, union context *context, uint8_t *out)
{
	if (rounds->is_sha256) {
		SHA256_Final(out, &context->sha256);
	} else {
		SHA1_Final(out, &context->sha1);
	}
}

static void begin(const struct rounds *rounds, union context *context)
{
	if (rounds->is_sha256) {
		SHA256_Init(&context->sha256);
	} else {
		SHA1_Init(&context->sha1);
	}
}

/* KEY XOR PAD, all of a block. */
static void add_key(const struct rounds *rounds, union context *context, const uint8_t *key,
		    uint8_t pad)
{
	uint8_t block[BLOCK_SIZE];

	for (size_t i = 0; i < BLOCK_SIZE; i++) {
		block[i] = key[i] ^ pad;
	}
	begin(rounds, context);
	add(rounds, context, block, BLOCK_SIZE);
	OPENSSL_cleanse(block, sizeof(block));
}

static void rounds_init(struct rounds *rounds, enum digest_kind kind, struct span password)
{
	uint8_t key[BLOCK_SIZE] = {0};
	union context context;

	rounds->is_sha256 = kind == DIGEST_SHA256;
	rounds->size = digest_size(kind);
	if (password.len > BLOCK_SIZE) {
		begin(rounds, &context);
		add(rounds, &context, password.data, password.len);
		end(rounds, &context, key);
		OPENSSL_cleanse(&context, sizeof(context)); /* it holds the key yet */
	} else if (password.len > 0) {
		memcpy(key, password.data, password.len);
	}
	add_key(rounds, &rounds->inner, key, 0x36);
	add_key(rounds, &rounds->outer, key, 0x5c);
	OPENSSL_cleanse(key, sizeof(key));
}

/* The outer half of an HMAC whose inner one is CONTEXT. */
static void hmac_end(const struct rounds *rounds, union context *context, uint8_t *out)
{
	end(rounds, context, out);
	*context = rounds->outer;
	add(rounds, context, out, rounds->size);
	end(rounds, context, out);
}

bool pbkdf2_derive(enum digest_kind kind, struct span password, struct span salt,
		   uint32_t iterations, uint8_t *out)
{
	static const uint8_t first_block[] = {0, 0, 0, 1};
	uint8_t mac[DIGEST_MAX_SIZE];
	struct rounds rounds;
	union context context;

	if (kind == DIGEST_MD5) {
		return false;
	}
	rounds_init(&rounds, kind, password);
	context = rounds.inner;
	add(&rounds, &context, salt.data, salt.len);
	add(&rounds, &context, first_block, sizeof(first_block));
	hmac_end(&rounds, &context, mac);
	memcpy(out, mac, rounds.size);
	for (uint32_t i = 1; i < iterations; i++) {
		context = rounds.inner;
		add(&rounds, &context, mac, rounds.size);
		hmac_end(&rounds, &context, mac);
		for (size_t k = 0; k < rounds.size; k++) {
			out[k] ^= mac[k];
		}
	}
	OPENSSL_cleanse(mac, sizeof(mac));
	OPENSSL_cleanse(&context, sizeof(context));
	OPENSSL_cleanse(&rounds, sizeof(rounds));
	return true;
}

#endif
