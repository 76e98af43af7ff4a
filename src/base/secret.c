/*
 * Invariants:
 * 1. The bytes of a secret live in a mapping of their own that core dumps leave out, so
 *    that no allocator keeps or moves them.
 * 2. They are zeroed before that mapping is given back.
 */
#define _DEFAULT_SOURCE /* MAP_ANONYMOUS, madvise */
#include "mailsync/base/secret.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <openssl/crypto.h>

void secret_init(struct secret *secret)
{
	secret->data = NULL;
	secret->len = 0;
}

/* Bytes that a mapping for LEN bytes and a terminator takes. */
static size_t mapping_size(size_t len)
{
	long page = sysconf(_SC_PAGESIZE);
	size_t unit = page > 0 ? (size_t)page : 4096;

	return (len / unit + 1) * unit;
}

void secret_finish(struct secret *secret)
{
	if (secret->data) {
		secret_wipe(secret->data, secret->len);
		munmap(secret->data, mapping_size(secret->len));
	}
	secret_init(secret);
}

int secret_set(struct secret *secret, struct span data, struct err *err)
{
	if (data.len > SECRET_MAX) {
		return err_set(err, ERR_CONFIG, SCOPE_ACCOUNT,
			       "a password or token is longer than %d bytes", SECRET_MAX);
	}
	size_t size = mapping_size(data.len);
	char *copy = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (copy == MAP_FAILED) {
		return err_nomem(err);
	}
#ifdef MADV_DONTDUMP
	(void)madvise(copy, size, MADV_DONTDUMP);
#endif
	if (data.len > 0) {
		memcpy(copy, data.data, data.len);
	}
	secret_finish(secret); /* after the copy: DATA may lie in it */
	secret->data = copy;
	secret->len = data.len;
	return 0;
}

struct span secret_span(const struct secret *secret)
{
	return secret->data ? (struct span){secret->data, secret->len} : span_of(NULL);
}

bool secret_same(struct span x, struct span y)
{
	return x.len == y.len && (x.len == 0 || CRYPTO_memcmp(x.data, y.data, x.len) == 0);
}

void secret_wipe(void *data, size_t len)
{
	OPENSSL_cleanse(data, len);
}

/*
 * Core dumps only. PR_SET_DUMPABLE would also shut out debuggers, but it gives /proc/self to
 * root (breaking /proc/self/fd, sanitizers and strace for the user), and whoever may trace
 * us is the same user, who can read the config and run password_command himself.
 *
 * On Linux a limit of 0 does not reach dumps that are piped to a collector; 1 stops those
 * too, and is too small for a dump to a file (core(5), do_coredump).
 */
void secret_protect_process(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_CORE, &limit) != 0) {
		return;
	}
#ifdef __linux__
	limit.rlim_cur = limit.rlim_max < 1 ? limit.rlim_max : 1;
#else
	limit.rlim_cur = 0;
#endif
	(void)setrlimit(RLIMIT_CORE, &limit);
}
