/*
 * The accounts of a `watch`, and the configurations that they are from. When the file is read
 * again, an account whose section says the same goes on undisturbed, with what it has.
 *
 *     watch_source_open(&source, ...)
 *     watch_set_dismiss(&set, &source);  while (watch_set_is_leaving(&set)) ...
 *     watch_set_join(&set)
 *     watch_set_take(&set, &source, &err)
 */
#ifndef MAILSYNC_CLI_WATCH_SET_H
#define MAILSYNC_CLI_WATCH_SET_H

#include "mailsync/conf/conf.h"
#include "mailsync/store/maildir_watch.h"
#include "cli_options.h"
#include "cli_run.h"
#include "cli_watched.h"

/* A configuration as it was read once. */
struct watch_source {
	struct conf *conf;
	struct cli_run *run; /* of the accounts that are named; begun */
};

struct watch_set {
	const struct cli_options *options;
	struct maildir_watcher *watcher;
	struct watched **items; /* in the order of the file as it was read last */
	size_t count;
	struct watch_source *sources; /* those that some account is from */
	size_t source_count, source_cap;
};

/* Takes *CONF over, but where it fails. */
int watch_source_open(struct watch_source *source, const struct cli_options *options,
		      struct conf **conf, struct err *err);
void watch_source_close(struct watch_source *source);

int watch_set_open(struct watch_set *set, const struct cli_options *options, struct err *err);
/* The status of the first account that failed. The caller has dismissed all: what is under way of
 * them is waited for. */
int watch_set_close(struct watch_set *set);

/* Those that SOURCE does not have, or has otherwise, end at the next batch; NULL: all. */
void watch_set_dismiss(struct watch_set *set, const struct watch_source *source);
/* One of them has not ended. */
bool watch_set_is_leaving(const struct watch_set *set);
/* Waits for them, and tells what they came to. */
void watch_set_join(struct watch_set *set);
/* Puts SOURCE's accounts in their place. SOURCE is the set's from now on, or closed. */
int watch_set_take(struct watch_set *set, struct watch_source *source, struct err *err);

#endif
