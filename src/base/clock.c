/* Where the boot time is asked for by sysctl(), _POSIX_C_SOURCE would hide that. */
#if defined(__APPLE__) || defined(__FreeBSD__) || defined(__NetBSD__) || defined(__OpenBSD__)
#undef _POSIX_C_SOURCE
#define CLOCK_HAS_SYSCTL 1
#include <sys/types.h>
#include <sys/sysctl.h>
#endif

#include "mailsync/base/clock.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define BOOT_ID_PATH "/proc/sys/kernel/random/boot_id"

int64_t clock_real_ns(void)
{
	struct timespec now = {0, 0};

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int64_t clock_real_s(void)
{
	return clock_real_ns() / 1000000000;
}

int64_t clock_monotonic_us(void)
{
	struct timespec now = {0, 0};

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t clock_monotonic_ms(void)
{
	return clock_monotonic_us() / 1000;
}

int64_t clock_asleep_ms(void)
{
#ifdef CLOCK_BOOTTIME
	struct timespec all = {0, 0}, awake = {0, 0};

	if (clock_gettime(CLOCK_MONOTONIC, &awake) == 0 &&
	    clock_gettime(CLOCK_BOOTTIME, &all) == 0) {
		return (int64_t)(all.tv_sec - awake.tv_sec) * 1000 +
		       (all.tv_nsec - awake.tv_nsec) / 1000000;
	}
#endif
	return 0;
}

void clock_sleep_ms(int64_t ms)
{
	const struct timespec pause = {(time_t)(ms / 1000), (long)(ms % 1000) * 1000000L};

	nanosleep(&pause, NULL);
}

/* Only affects how careful a run is: an id that changes without a boot costs a look. */
static void boot_id_from_time(char id[BOOT_ID_SIZE])
{
#ifdef CLOCK_HAS_SYSCTL
	int name[2] = {CTL_KERN, KERN_BOOTTIME};
	struct timeval boot;
	size_t size = sizeof(boot);

	if (sysctl(name, 2, &boot, &size, NULL, 0) == 0) {
		snprintf(id, BOOT_ID_SIZE, "t%lld", (long long)boot.tv_sec);
	}
#else
	id[0] = '\0';
#endif
}

void clock_boot_id(char id[BOOT_ID_SIZE])
{
#ifdef MAILSYNC_STEPS
	/* The crash proof cuts the power without a boot. */
	const char *pretended = getenv("MAILSYNC_STEP_BOOT");

	if (pretended) {
		snprintf(id, BOOT_ID_SIZE, "%s", pretended);
		return;
	}
#endif
	int fd = open(BOOT_ID_PATH, O_RDONLY | O_CLOEXEC);
	ssize_t len = fd >= 0 ? read(fd, id, BOOT_ID_SIZE - 1) : 0;

	if (fd >= 0) {
		close(fd);
	}
	id[len > 0 ? len : 0] = '\0';
	id[strcspn(id, "\n")] = '\0';
	if (id[0] == '\0') {
		boot_id_from_time(id);
	}
}
