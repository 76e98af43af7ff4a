#include "cli_watch_set.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mailsync/base/array.h"
#include "mailsync/base/trust.h"
#include "cli_signal.h"

int watch_source_open(struct watch_source *source, const struct cli_options *options,
		      struct conf **conf, struct err *err)
{
	*source = (struct watch_source){.conf = *conf};
	int code = cli_run_create(&source->run, options, *conf, cli_signal_stop(), err);

	if (code == 0 && (code = cli_run_select(source->run, err)) == 0 &&
	    cli_run_begin(source->run, stderr) != 0) {
		code = err_nomem(err);
	}
	if (code < 0) {
		cli_run_destroy(&source->run);
		return code;
	}
	*conf = NULL;
	return 0;
}

void watch_source_close(struct watch_source *source)
{
	if (source->run) {
		cli_run_end(source->run);
	}
	cli_run_destroy(&source->run);
	conf_destroy(&source->conf);
}

int watch_set_open(struct watch_set *set, const struct cli_options *options, struct err *err)
{
	*set = (struct watch_set){.options = options};
	return maildir_watcher_create(&set->watcher, err);
}

/* A job of SOURCE that is to run, from the I-th on; NULL: there is none. */
static struct cli_job *next_job(const struct watch_source *source, size_t *i)
{
	const struct cli_jobs jobs = cli_run_jobs(source->run);

	while (*i < jobs.count && !jobs.items[*i].is_wanted) {
		(*i)++;
	}
	return *i < jobs.count ? &jobs.items[(*i)++] : NULL;
}

static const struct watch_source *source_of(const struct watch_set *set,
					    const struct watched *watched)
{
	size_t i = 0;

	while (set->sources[i].run != watched->run) {
		i++;
	}
	return &set->sources[i];
}

/* Nothing would be done otherwise in SOURCE's place. */
static bool may_stay(const struct watch_set *set, const struct watched *watched,
		     const struct watch_source *source)
{
	const struct cli_jobs jobs = cli_run_jobs(source->run);
	const struct cli_job *job = cli_jobs_find(&jobs, watched->job->conf->name);
	const struct trust *before = watched->job->account.server.trust;

	return job && job->is_wanted && !watched->is_over && job->refusal.code == ERR_NONE &&
	       conf_says_the_same(source_of(set, watched)->conf, source->conf, job->conf->name) &&
	       trust_same(before, job->account.server.trust);
}

void watch_set_dismiss(struct watch_set *set, const struct watch_source *source)
{
	for (size_t i = 0; i < set->count; i++) {
		if (!source || !may_stay(set, set->items[i], source)) {
			set->items[i]->stop = 1;
		}
	}
}

bool watch_set_is_leaving(const struct watch_set *set)
{
	bool is_leaving = false;

	for (size_t i = 0; i < set->count; i++) {
		const struct watched *watched = set->items[i];
		is_leaving = is_leaving || (watched->stop && watched_is_busy(watched));
	}
	return is_leaving;
}

void watch_set_join(struct watch_set *set)
{
	for (size_t i = 0; i < set->count; i++) {
		if (set->items[i]->stop) {
			watched_join(set->items[i]);
		}
	}
}

/* The status of the first that failed of those that left. */
static int part(struct watch_set *set)
{
	size_t kept = 0;
	int status = 0;

	for (size_t i = 0; i < set->count; i++) {
		struct watched *watched = set->items[i];
		if (!watched->stop) {
			set->items[kept++] = watched;
			continue;
		}
		watched_join(watched);
		status = status ? status : watched->status;
		watched_finish(watched);
		free(watched);
	}
	set->count = kept;
	return status;
}

/* Closes configurations that no account is from any more. */
static void drop_unused(struct watch_set *set)
{
	size_t kept = 0;

	for (size_t i = 0; i < set->source_count; i++) {
		bool is_used = false;
		for (size_t j = 0; j < set->count && !is_used; j++) {
			is_used = set->items[j]->run == set->sources[i].run;
		}
		if (is_used) {
			set->sources[kept++] = set->sources[i];
		} else {
			watch_source_close(&set->sources[i]);
		}
	}
	set->source_count = kept;
}

/* That of JOB's account, which stayed. */
static struct watched *one_that_stayed(const struct watch_set *set, const struct cli_job *job)
{
	for (size_t i = 0; i < set->count; i++) {
		if (strcmp(set->items[i]->job->conf->name, job->conf->name) == 0) {
			return set->items[i];
		}
	}
	return NULL;
}

/* Puts those that stayed, and new ones, into ITEMS, which has room for all. */
static bool fill(struct watch_set *set, const struct watch_source *source, struct watched **items,
		 size_t *count)
{
	struct cli_job *job;
	size_t i = 0;

	while ((job = next_job(source, &i)) != NULL) {
		struct watched *watched = one_that_stayed(set, job);
		if (!watched && !(watched = calloc(1, sizeof(*watched)))) {
			return false;
		}
		if (!watched->job) {
			watched_init(watched, source->run, job, set->watcher, set->options);
		} else if (watched_is_failing(watched)) {
			watched_call(watched, FROM_USER); /* what failed may be mended */
		}
		items[(*count)++] = watched;
	}
	return true;
}

/* Those of ITEMS that are SOURCE's. */
static void drop_new(const struct watch_source *source, struct watched **items, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (items[i]->run == source->run) {
			watched_finish(items[i]);
			free(items[i]);
		}
	}
}

static size_t count_wanted(const struct watch_source *source)
{
	size_t i = 0, wanted = 0;

	while (next_job(source, &i) != NULL) {
		wanted++;
	}
	return wanted;
}

int watch_set_take(struct watch_set *set, struct watch_source *source, struct err *err)
{
	size_t count = 0;

	(void)part(set);
	struct watched **items = calloc(count_wanted(source) + 1, sizeof(struct watched *));
	if (!items || !fill(set, source, items, &count) ||
	    ARRAY_RESERVE(&set->sources, set->source_count + 1, &set->source_cap, err) < 0) {
		drop_new(source, items, count);
		free(items);
		watch_source_close(source);
		return err_nomem(err);
	}
	set->sources[set->source_count++] = *source;
	free(set->items);
	set->items = items;
	set->count = count;
	drop_unused(set);
	return 0;
}

int watch_set_close(struct watch_set *set)
{
	int status = part(set);

	drop_unused(set);
	maildir_watcher_destroy(&set->watcher);
	free(set->items);
	free(set->sources);
	*set = (struct watch_set){0};
	return status;
}
