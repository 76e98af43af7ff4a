/* Preloaded into the program: the machine slept as many seconds as the file $SLEPT_FILE says, by
 * the clock that goes on meanwhile. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

int clock_gettime(clockid_t id, struct timespec *now)
{
	int (*next)(clockid_t, struct timespec *) = dlsym(RTLD_NEXT, "clock_gettime");
	int rc = next(id, now);
	if (rc == 0 && id == CLOCK_BOOTTIME) {
		FILE *file = fopen(getenv("SLEPT_FILE"), "re");
		long seconds = 0;
		if (file != NULL) {
			if (fscanf(file, "%ld", &seconds) == 1) {
				now->tv_sec += seconds;
			}
			fclose(file);
		}
	}
	return rc;
}
