/*
 * `verify`: shows that both sides hold what base says that they hold, and says where not. Under the
 * account's lock, since it needs a steady view; nothing is changed but when rows were last proven,
 * unless `repairs`.
 *
 *     verify_report_init, sync_verify, verify_report_finish
 */
#ifndef MAILSYNC_SYNC_VERIFY_H
#define MAILSYNC_SYNC_VERIFY_H

#include "mailsync/sync/sync.h"

enum verify_level {
	VERIFY_FILES,  /* no network: each file is there, and is what was delivered or sent */
	VERIFY_SERVER, /* also UIDs, flags, keywords and dates of both sides */
	VERIFY_BYTES   /* also every body of the server's */
};

struct verify_options {
	enum verify_level level;
	unsigned share; /* of `shares` at a time, so that they take turns; 0: all */
	unsigned shares;
	unsigned percent; /* of the messages, at random; 0: all */
	bool repairs;
	bool accepts; /* what is missing here is well: it is never told again */
};

enum verify_problem {
	VERIFY_MISSING_HERE,
	VERIFY_MISSING_THERE,
	VERIFY_DIFFERS_HERE,
	VERIFY_DIFFERS_THERE,
	VERIFY_FLAGS,
	VERIFY_KEYWORDS,
	VERIFY_DATE,
	VERIFY_UNKNOWN_HERE,
	VERIFY_UNKNOWN_THERE
};
/* "missing_here" */
const char *verify_problem_word(enum verify_problem problem);
/* "files" */
const char *verify_level_word(enum verify_level level);

struct verify_finding {
	char *mailbox;
	uint32_t uid; /* 0: it has none */
	char *file;   /* "cur/...", or what its name begins with; NULL: it has none */
	enum verify_problem problem;
	bool is_repaired;
	char *message;
};

struct verify_report {
	struct verify_finding *findings;
	size_t count, cap; /* the first VERIFY_FINDINGS_MAX; `problems` goes on */
	uint64_t messages; /* looked at */
	uint64_t bytes;    /* read, of files and of bodies */
	uint64_t problems;
	uint64_t pending; /* what the next sync settles */
	uint64_t repaired;
	uint64_t taken; /* files of which base knew too little, and takes what they are now */
	uint64_t not_compared; /* messages that were left out where the server was looked at: each
				* such reason is among the errors of `run` */
	uint64_t accepted;     /* files that are gone, which the user said is well */
	int64_t oldest_proof;  /* seconds; 0: some message was never proven, or there is none */
	struct report run;     /* its errors, status and seconds */
};
#define VERIFY_FINDINGS_MAX 20000

void verify_report_init(struct verify_report *report);
void verify_report_finish(struct verify_report *report);

/* Returns 0 or the error that ended the account; REPORT is filled as far as it came. */
int sync_verify(const struct account *account, const struct sync_options *options,
		const struct verify_options *verify, struct verify_report *report, struct err *err);

#endif
