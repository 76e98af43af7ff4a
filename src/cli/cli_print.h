/*
 * What is said of one account: text for people and JSON lines, into buffers that the caller
 * writes out whole, so that accounts that run side by side do not mix.
 */
#ifndef MAILSYNC_CLI_PRINT_H
#define MAILSYNC_CLI_PRINT_H

#include <stdbool.h>

#include "mailsync/base/buf.h"
#include "mailsync/base/err.h"
#include "mailsync/base/strlist.h"
#include "mailsync/sync/sync.h"

struct cli_output {
	struct buf out; /* for standard output */
	struct buf err; /* for standard error */
	bool json;
	bool verbose;
	bool colours;    /* trouble is red */
	bool folds;      /* what a dry run would do many times is one line */
	bool is_stopped; /* a signal ended it, which is said once of all that it ended */
};

void cli_output_init(struct cli_output *output, bool json, bool verbose);
void cli_output_finish(struct cli_output *output);

/* An error of an account (NULL: of the run); MAILBOX may be NULL and UID 0. */
struct cli_trouble {
	const char *account;
	const char *mailbox;
	uint32_t uid;
	enum err_code code;
	const char *text;
};
void cli_print_error(struct cli_output *output, const struct cli_trouble *trouble);

/* A sync or dry run. */
void cli_print_report(struct cli_output *output, const char *account, const struct report *report);
/* ONLY: the mailboxes to print; empty: all. Whether NAME is one: */
bool cli_print_wants(const struct strlist *only, const char *name);
void cli_print_listing(struct cli_output *output, const char *account,
		       const struct listing *listing, const struct strlist *only);
void cli_print_status(struct cli_output *output, const char *account, const struct status *status,
		      const struct strlist *only);
void cli_print_never_synced(struct cli_output *output, const char *account);
/* ACCESS is a secret; END_S: 0 where it is not known. */
void cli_print_token(struct cli_output *output, const char *account, const char *access,
		     int64_t end_s);
void cli_print_check(struct cli_output *output, const char *account, const struct strlist *lines);

#endif
