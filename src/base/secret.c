/*
 * Invariants:
 * 1. The bytes of a secret live in mappings that hold nothing else and that core dumps leave out,
 *    so that no allocator keeps or moves them.
 * 2. They are zeroed before another secret, or the system, gets their place.
 *
 * A mapping for each would be simpler, but to give one back costs a signal to all processors: with
 * a dozen secrets a connection that was a twelfth of the CPU of runs with nothing to do. So most
 * get a slot of a mapping that stays.
 */
#define _DEFAULT_SOURCE /* MAP_ANONYMOUS, madvise */
#include "mailsync/base/secret.h"

#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <openssl/crypto.h>

#define SLAB_SIZE ((size_t)65536)

/* A slot that is free holds this, and zeroes. */
struct slot {
	struct slot *next;
};

static struct slot_kind {
	size_t size;
	struct slot *free; /* guarded by slots_mutex */
} slot_kinds[] = {{128, NULL}, {2048, NULL}};
#define SLOT_KINDS (sizeof(slot_kinds) / sizeof(slot_kinds[0]))

static pthread_mutex_t slots_mutex = PTHREAD_MUTEX_INITIALIZER;

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

/* NULL: there is no memory. */
static char *map(size_t size)
{
	char *mapped = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (mapped == MAP_FAILED) {
		return NULL;
	}
#ifdef MADV_DONTDUMP
	(void)madvise(mapped, size, MADV_DONTDUMP);
#endif
	return mapped;
}

/* Whose slots hold LEN bytes and a terminator; NULL: these get a mapping of their own. */
static struct slot_kind *kind_of(size_t len)
{
	for (size_t i = 0; i < SLOT_KINDS; i++) {
		if (len < slot_kinds[i].size) {
			return &slot_kinds[i];
		}
	}
	return NULL;
}

/* The mutex is held. */
static void give_slot(struct slot_kind *kind, char *data)
{
	struct slot *slot = (struct slot *)(void *)data;

	slot->next = kind->free;
	kind->free = slot;
}

static char *take_slot(struct slot_kind *kind)
{
	struct slot *slot;

	pthread_mutex_lock(&slots_mutex);
	char *slab = kind->free == NULL ? map(SLAB_SIZE) : NULL;
	for (size_t at = 0; slab != NULL && at < SLAB_SIZE; at += kind->size) {
		give_slot(kind, slab + at);
	}
	if ((slot = kind->free) != NULL) {
		kind->free = slot->next;
		slot->next = NULL;
	}
	pthread_mutex_unlock(&slots_mutex);
	return (char *)slot;
}

void secret_finish(struct secret *secret)
{
	struct slot_kind *kind = kind_of(secret->len);

	if (secret->data) {
		secret_wipe(secret->data, secret->len);
	}
	if (secret->data && kind) {
		pthread_mutex_lock(&slots_mutex);
		give_slot(kind, secret->data);
		pthread_mutex_unlock(&slots_mutex);
	} else if (secret->data) {
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
	struct slot_kind *kind = kind_of(data.len);
	char *copy = kind ? take_slot(kind) : map(mapping_size(data.len));
	if (!copy) {
		return err_nomem(err);
	}
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
