#define _GNU_SOURCE /* memmem */
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <openssl/evp.h>

#include "mailsync/base/digest.h"

static void assert_hex(const uint8_t *bytes, size_t len, const char *expected)
{
	char hex[2 * DIGEST_MAX_SIZE + 1];

	hex_encode(bytes, len, hex);
	assert_string_equal(hex, expected);
}

static void digest_of_known_texts_is_known(void **state)
{
	uint8_t out[DIGEST_MAX_SIZE];
	struct err err;

	(void)state;
	assert_int_equal(digest_of(DIGEST_MD5, SPAN_LIT("abc"), out, &err), 0);
	assert_hex(out, 16, "900150983cd24fb0d6963f7d28e17f72");
	assert_int_equal(digest_of(DIGEST_SHA1, SPAN_LIT("abc"), out, &err), 0);
	assert_hex(out, 20, "a9993e364706816aba3e25717850c26c9cd0d89d");
	assert_int_equal(digest_of(DIGEST_SHA256, span_of(NULL), out, &err), 0);
	assert_hex(out, 32, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

static void digest_in_pieces_equals_digest_at_once_and_starts_anew(void **state)
{
	uint8_t once[DIGEST_MAX_SIZE], pieces[DIGEST_MAX_SIZE];
	struct digest *digest = NULL;
	struct err err;

	(void)state;
	assert_int_equal(digest_of(DIGEST_SHA256, SPAN_LIT("hello world"), once, &err), 0);
	assert_int_equal(digest_create(&digest, DIGEST_SHA256, &err), 0);
	for (int round = 0; round < 2; round++) {
		assert_int_equal(digest_update(digest, SPAN_LIT("hello "), &err), 0);
		assert_int_equal(digest_update(digest, span_of(NULL), &err), 0);
		assert_int_equal(digest_update(digest, SPAN_LIT("world"), &err), 0);
		assert_int_equal(digest_result(digest, pieces, &err), 0);
		assert_memory_equal(once, pieces, sizeof(once));
	}
	assert_int_equal(digest_of(DIGEST_SHA256, span_of(NULL), once, &err), 0);
	assert_int_equal(digest_result(digest, pieces, &err), 0);
	assert_memory_equal(once, pieces, sizeof(once));
	digest_destroy(&digest);
	assert_null(digest);
	digest_destroy(&digest);
}

/* RFC 2202 and RFC 4231, case 2; RFC 2195. */
static void digest_hmac_matches_the_rfcs(void **state)
{
	const struct span key = SPAN_LIT("Jefe"), text = SPAN_LIT("what do ya want for nothing?");
	uint8_t out[DIGEST_MAX_SIZE];
	struct err err;

	(void)state;
	assert_int_equal(digest_hmac(DIGEST_MD5, key, text, out, &err), 0);
	assert_hex(out, 16, "750c783e6ab0b503eaa86e310a5db738");
	assert_int_equal(digest_hmac(DIGEST_SHA1, key, text, out, &err), 0);
	assert_hex(out, 20, "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
	assert_int_equal(digest_hmac(DIGEST_SHA256, key, text, out, &err), 0);
	assert_hex(out, 32, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
	assert_int_equal(digest_hmac(DIGEST_SHA256, span_of(NULL), span_of(NULL), out, &err), 0);
	assert_hex(out, 32, "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

/* RFC 6070. */
static void digest_pbkdf2_matches_the_rfc(void **state)
{
	uint8_t out[DIGEST_MAX_SIZE];
	struct err err;

	(void)state;
	assert_int_equal(
		digest_pbkdf2(DIGEST_SHA1, SPAN_LIT("password"), SPAN_LIT("salt"), 4096, out, &err),
		0);
	assert_hex(out, 20, "4b007901b765489abead49d926f721d065a429c1");
	assert_int_equal(
		digest_pbkdf2(DIGEST_SHA256, SPAN_LIT("password"), SPAN_LIT("salt"), 1, out, &err),
		0);
	assert_hex(out, 32, "120fb6cffcf8b32c43e7225256c4f837a86548c92ccc35480805987cb70be17b");
	assert_int_equal(digest_pbkdf2(DIGEST_SHA1, SPAN_LIT("p"), SPAN_LIT("s"), 0, out, &err),
			 -ERR_PROTOCOL);
}

/* Passwords and salts around the sizes of a block, of which a longer password is hashed first. */
static void digest_pbkdf2_is_what_openssl_computes(void **state)
{
	static const size_t sizes[] = {0, 1, 20, 55, 56, 63, 64, 65, 127, 128, 200};
	static const struct {
		enum digest_kind kind;
		const char *name;
	} kinds[] = {{DIGEST_MD5, "MD5"}, {DIGEST_SHA1, "SHA1"}, {DIGEST_SHA256, "SHA256"}};
	uint8_t out[DIGEST_MAX_SIZE], known[DIGEST_MAX_SIZE];
	char text[200];
	struct err err;

	(void)state;
	for (size_t i = 0; i < sizeof(text); i++) {
		text[i] = (char)(i * 7 + 1);
	}
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]) * 3 * 3; i++) {
		const size_t len = sizes[i / 9], size = digest_size(kinds[i % 3].kind);
		const int rounds = (int)(i / 3 % 3) * 50 + 1;
		const struct span password = {text, len}, salt = {text + 3, len / 2 + 1};
		EVP_MD *md = EVP_MD_fetch(NULL, kinds[i % 3].name, NULL);
		assert_int_equal(PKCS5_PBKDF2_HMAC(password.data, (int)password.len,
						   (const unsigned char *)salt.data, (int)salt.len,
						   rounds, md, (int)size, known),
				 1);
		EVP_MD_free(md);
		assert_int_equal(digest_pbkdf2(kinds[i % 3].kind, password, salt, (uint32_t)rounds,
					       out, &err),
				 0);
		assert_memory_equal(out, known, size);
	}
}

#define STACK_SIZE ((size_t)1 << 20)

struct derivation {
	enum digest_kind kind;
	struct span password;
	uint8_t out[DIGEST_MAX_SIZE];
};

static void *derive(void *context)
{
	struct derivation *derivation = context;
	struct err err;

	(void)digest_pbkdf2(derivation->kind, derivation->password, SPAN_LIT("salt"), 2,
			    derivation->out, &err);
	return NULL;
}

/* Derives on a stack of its own; what is left there, to be freed. */
static uint8_t *stack_after(struct derivation *derivation)
{
	uint8_t *left = malloc(STACK_SIZE);
	void *stack = NULL;
	pthread_attr_t attr;
	pthread_t thread;

	assert_non_null(left);
	assert_int_equal(posix_memalign(&stack, 4096, STACK_SIZE), 0);
	memset(stack, 0, STACK_SIZE);
	assert_int_equal(pthread_attr_init(&attr), 0);
	assert_int_equal(pthread_attr_setstack(&attr, stack, STACK_SIZE), 0);
	assert_int_equal(pthread_create(&thread, &attr, derive, derivation), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
	pthread_attr_destroy(&attr);
	/* Not by reading it, which those who look after memory forbid. */
	int fd = open("/proc/self/mem", O_RDONLY);
	ssize_t len = pread(fd, left, STACK_SIZE, (off_t)(uintptr_t)stack);
	close(fd);
	free(stack);
	if (len != (ssize_t)STACK_SIZE) {
		free(left);
		skip();
	}
	return left;
}

/* A long password's digest is as good as the password. */
static void digest_pbkdf2_leaves_no_key_on_the_stack(void **state)
{
	static const enum digest_kind kinds[] = {DIGEST_SHA1, DIGEST_SHA256};
	char password[100];
	uint8_t key[DIGEST_MAX_SIZE];
	uint32_t words[4]; /* as a digest's context holds them */
	struct err err;

	(void)state;
	memset(password, 'p', sizeof(password));
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		struct derivation derivation = {kinds[i], {password, sizeof(password)}, {0}};
		assert_int_equal(digest_of(kinds[i], derivation.password, key, &err), 0);
		for (size_t k = 0; k < 4; k++) {
			words[k] = (uint32_t)key[4 * k] << 24 | (uint32_t)key[4 * k + 1] << 16 |
				   (uint32_t)key[4 * k + 2] << 8 | key[4 * k + 3];
		}
		uint8_t *left = stack_after(&derivation);
		assert_null(memmem(left, STACK_SIZE, words, sizeof(words)));
		assert_null(memmem(left, STACK_SIZE, key, sizeof(words)));
		free(left);
	}
}

/* RFC 4648, section 10. */
static void base64_goes_both_ways(void **state)
{
	static const char *const pairs[][2] = {
		{"", ""},
		{"f", "Zg=="},
		{"fo", "Zm8="},
		{"foo", "Zm9v"},
		{"foob", "Zm9vYg=="},
		{"fooba", "Zm9vYmE="},
		{"foobar", "Zm9vYmFy"},
		{"\xfb\xef\xff", "++//"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		struct buf text, bytes;
		struct err err;

		buf_init(&text, 100);
		buf_init(&bytes, 100);
		base64_encode(span_of(pairs[i][0]), &text);
		assert_string_equal(text.data, pairs[i][1]);
		assert_int_equal(base64_decode(buf_span(&text), &bytes, &err), 0);
		assert_string_equal(bytes.data, pairs[i][0]);
		buf_finish(&text);
		buf_finish(&bytes);
	}
}

static void base64_refuses_what_is_not_base64(void **state)
{
	static const char *const bad[] = {
		"Z", "Zg=", "Zg==Zg==", "=Zg=", "Z===", "====", "Zg=a", "Z g=", "Zm9-", "Zm9v\n"};
	struct buf out;
	struct err err;

	(void)state;
	buf_init(&out, 100);
	buf_append_cstr(&out, "kept");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(base64_decode(span_of(bad[i]), &out, &err), -ERR_PROTOCOL);
		assert_string_equal(out.data, "kept");
	}
	buf_finish(&out);
}

static void random_bytes_differ(void **state)
{
	uint8_t first[16], second[16];
	struct err err;

	(void)state;
	assert_int_equal(random_bytes(first, sizeof(first), &err), 0);
	assert_int_equal(random_bytes(second, sizeof(second), &err), 0);
	assert_memory_not_equal(first, second, sizeof(first));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(digest_of_known_texts_is_known),
		cmocka_unit_test(digest_in_pieces_equals_digest_at_once_and_starts_anew),
		cmocka_unit_test(digest_hmac_matches_the_rfcs),
		cmocka_unit_test(digest_pbkdf2_matches_the_rfc),
		cmocka_unit_test(digest_pbkdf2_is_what_openssl_computes),
		cmocka_unit_test(digest_pbkdf2_leaves_no_key_on_the_stack),
		cmocka_unit_test(base64_goes_both_ways),
		cmocka_unit_test(base64_refuses_what_is_not_base64),
		cmocka_unit_test(random_bytes_differ),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
