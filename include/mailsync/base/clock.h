/* Time and the identity of this boot. The one place that reads clocks. */
#ifndef MAILSYNC_BASE_CLOCK_H
#define MAILSYNC_BASE_CLOCK_H

#include <stdint.h>

/* Nanoseconds since 1970 (UTC). May jump. */
int64_t clock_real_ns(void);
/* Seconds of the same. */
int64_t clock_real_s(void);
/* Milliseconds on a clock that never goes back; only differences mean something. */
int64_t clock_monotonic_ms(void);
/* Same in microseconds. */
int64_t clock_monotonic_us(void);
/* How long this machine has been suspended since it was started, as far as the system tells (only
 * differences mean something). */
int64_t clock_asleep_ms(void);
/* Sleeps that long, or until a signal comes. */
void clock_sleep_ms(int64_t ms);

#define BOOT_ID_SIZE 40
/* The kernel's boot id (Linux), else one made of the boot time; "" where neither is known. */
void clock_boot_id(char id[BOOT_ID_SIZE]);

#endif
