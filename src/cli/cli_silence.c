#include "cli_silence.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* systemd says which device and inode the journal is, since others may have redirected it. */
static bool is_journal(int fd)
{
	const char *stream = getenv("JOURNAL_STREAM");
	uintmax_t device, inode;
	struct stat st;

	return stream && sscanf(stream, "%" SCNuMAX ":%" SCNuMAX, &device, &inode) == 2 &&
	       fstat(fd, &st) == 0 && (uintmax_t)st.st_dev == device &&
	       (uintmax_t)st.st_ino == inode;
}

bool cli_is_unattended(const struct cli_options *options)
{
	return !options->json && options->level < LOG_INFO && !isatty(STDERR_FILENO) &&
	       !is_journal(STDERR_FILENO);
}
