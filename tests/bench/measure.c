/*
 * Runs a command and tells its wall time in seconds, its peak memory in KiB and its CPU time in
 * seconds on file descriptor 3. The kernel counts what a process held before it became the command,
 * so a large parent would be counted too: hence a small one.
 *
 *     measure COMMAND ARG...
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double seconds(const struct timeval *time)
{
	return (double)time->tv_sec + (double)time->tv_usec / 1e6;
}

int main(int argc, char **argv)
{
	struct timespec began, ended;
	struct rusage usage;
	int status = 0;
	pid_t child;

	if (argc < 2) {
		return 2;
	}
	clock_gettime(CLOCK_MONOTONIC, &began);
	child = fork();
	if (child == 0) {
		close(3);
		execvp(argv[1], argv + 1);
		_exit(127);
	}
	if (child < 0 || wait4(child, &status, 0, &usage) != child) {
		return 126;
	}
	clock_gettime(CLOCK_MONOTONIC, &ended);
	dprintf(3, "%.6f %ld %.6f\n",
		(double)(ended.tv_sec - began.tv_sec) +
			(double)(ended.tv_nsec - began.tv_nsec) / 1e9,
		usage.ru_maxrss, seconds(&usage.ru_utime) + seconds(&usage.ru_stime));
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
