/*
 * How many bytes the kernel has of a connection: also those of a TLS record that never came whole,
 * which nobody gets to read.
 */
#ifndef MAILSYNC_NET_ARRIVED_H
#define MAILSYNC_NET_ARRIVED_H

#include <stdbool.h>
#include <stdint.h>

/* False where the system does not tell, or FD is no TCP. */
bool arrived_at(int fd, uint64_t *bytes);

#endif
