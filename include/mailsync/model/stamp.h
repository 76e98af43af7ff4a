/*
 * What a Maildir folder looked like to stat(2): device, inode, mtime and ctime of the folder,
 * cur and new. Equal stamps mean that nothing was added, renamed or removed, provided that they
 * were taken before a complete readdir, or are heard, and are *proven*: no time in them younger
 * than STAMP_SETTLE_NS (STAMP_TICK_NS) before the moment they were taken, none in the future (a
 * later change could bear the same time at the clock's or file system's granularity).
 */
#ifndef MAILSYNC_MODEL_STAMP_H
#define MAILSYNC_MODEL_STAMP_H

#include <stdbool.h>
#include <stdint.h>

#include "mailsync/base/span.h"

#define STAMP_SETTLE_NS INT64_C(2000000000)
#define STAMP_TICK_NS   INT64_C(20000000) /* of the kernel's clock for files: 10 ms at most */
#define STAMP_DIRS      3                 /* the folder, cur, new */

struct stamp_dir {
	uint64_t dev;
	uint64_t inode;
	int64_t mtime_ns;
	int64_t ctime_ns;
};

struct stamp {
	struct stamp_dir dirs[STAMP_DIRS];
	int64_t taken_ns; /* real time when it was taken; not compared */
	/* Every change up to then is known without a readdir, for the system told of each
	 * (store/maildir_alone.h); this one's times have digits enough that STAMP_TICK_NS tell an
	 * earlier change from a later one. */
	bool is_heard;
};

/* Which directories they are, whatever is in them: inode numbers, 0 where there is none. Devices
 * are left out: their numbers change when a file system is mounted anew. */
struct stamp_folder {
	uint64_t inode;
	uint64_t cur_inode;
};
struct stamp_folder stamp_folder_of(const struct stamp *stamp);
bool stamp_has_new(const struct stamp *stamp);
bool stamp_folder_equal(const struct stamp_folder *x, const struct stamp_folder *y);

bool stamp_equal(const struct stamp *x, const struct stamp *y);
/* True when no change after it was taken can look the same. */
bool stamp_is_proven(const struct stamp *stamp);
/* Text form for the state database, "dev:inode:mtime:ctime ..." of the three and the time taken,
 * with an "h" where it is_heard; false when TEXT is none. */
#define STAMP_TEXT_SIZE 288
void stamp_format(const struct stamp *stamp, char text[STAMP_TEXT_SIZE]);
bool stamp_parse(struct span text, struct stamp *stamp);

#endif
