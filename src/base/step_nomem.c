/*
 * Allocations that fail, in a build with MAILSYNC_STEPS: the linker sends ours here (--wrap, in the
 * Makefile), not those of libraries.
 *
 *   MAILSYNC_STEP_NOMEM=N         the N-th allocation fails, once
 *   MAILSYNC_STEP_NOMEM_LOG=FILE  write the number of allocations to FILE at the end
 */
#include "mailsync/base/step.h"

#ifdef MAILSYNC_STEPS

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
char *__real_strdup(const char *text);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);
char *__wrap_strdup(const char *text);

static pthread_once_t nomem_once = PTHREAD_ONCE_INIT;
static unsigned long nomem_at; /* 0: none */
static const char *nomem_log;
static atomic_ulong nomem_count;

static void nomem_write_count(void)
{
	int fd = open(nomem_log, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd >= 0) {
		dprintf(fd, "%lu\n", atomic_load(&nomem_count));
		close(fd);
	}
}

static void nomem_read(void)
{
	const char *at = getenv("MAILSYNC_STEP_NOMEM");

	nomem_at = at ? strtoul(at, NULL, 10) : 0;
	nomem_log = getenv("MAILSYNC_STEP_NOMEM_LOG");
	if (nomem_log) {
		atexit(nomem_write_count);
	}
}

static bool nomem_is_now(void)
{
	pthread_once(&nomem_once, nomem_read);
	if (atomic_fetch_add(&nomem_count, 1) + 1 != nomem_at) {
		return false;
	}
	errno = ENOMEM;
	return true;
}

void *__wrap_malloc(size_t size)
{
	return nomem_is_now() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
	return nomem_is_now() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *old, size_t size)
{
	return nomem_is_now() ? NULL : __real_realloc(old, size);
}

char *__wrap_strdup(const char *text)
{
	return nomem_is_now() ? NULL : __real_strdup(text);
}

#endif
