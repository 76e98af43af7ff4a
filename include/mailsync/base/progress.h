/*
 * How far an account's run is, for a line that people watch. Any thread counts, and reads at any
 * time; the figures decide nothing.
 */
#ifndef MAILSYNC_BASE_PROGRESS_H
#define MAILSYNC_BASE_PROGRESS_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

struct progress {
	_Atomic uint64_t planned; /* messages to be copied, both ways; 0: not known yet, or none */
	_Atomic uint64_t planned_bytes; /* of these; 0: not known */
	_Atomic uint64_t copied;
	_Atomic uint64_t copied_bytes;
	_Atomic uint64_t bytes; /* over the wire, both ways */
};

/* PROGRESS may be NULL: nobody looks. */
static inline void progress_plan(struct progress *progress, uint64_t messages, uint64_t bytes)
{
	if (progress != NULL) {
		atomic_store_explicit(&progress->copied, 0, memory_order_relaxed);
		atomic_store_explicit(&progress->copied_bytes, 0, memory_order_relaxed);
		atomic_store_explicit(&progress->planned_bytes, bytes, memory_order_relaxed);
		atomic_store_explicit(&progress->planned, messages, memory_order_relaxed);
	}
}

/* One message more, of BYTES. */
static inline void progress_copied(struct progress *progress, uint64_t bytes)
{
	if (progress != NULL) {
		atomic_fetch_add_explicit(&progress->copied, 1, memory_order_relaxed);
		atomic_fetch_add_explicit(&progress->copied_bytes, bytes, memory_order_relaxed);
	}
}

static inline void progress_bytes(struct progress *progress, uint64_t bytes)
{
	if (progress != NULL) {
		atomic_fetch_add_explicit(&progress->bytes, bytes, memory_order_relaxed);
	}
}

#endif
