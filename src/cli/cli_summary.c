#include "cli_summary.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli_report.h"

#define SUMMARY_S  1.0 /* a sync that lasts longer says what it did */
#define FOLD_ABOVE 20  /* accounts; of more, those without anything to do have no line */

static void print_seconds(struct buf *out, double seconds)
{
	uint64_t whole = (uint64_t)seconds;

	if (seconds < 60) {
		buf_printf(out, "%.1f s", seconds);
	} else if (whole < 3600) {
		buf_printf(out, "%" PRIu64 " min %" PRIu64 " s", whole / 60, whole % 60);
	} else {
		buf_printf(out, "%" PRIu64 " h %" PRIu64 " min", whole / 3600, whole / 60 % 60);
	}
}

/* "mailsync: home: 20,000 downloaded (81 MB, 12.3 s)" */
static void print_done(struct buf *out, const char *whom, const struct cli_job *job)
{
	buf_printf(out, "mailsync: %s: ", whom);
	if (!cli_report_counts(out, &job->total)) {
		buf_append_cstr(out, job->status == 0 ? "nothing to do" : "nothing was done");
	}
	buf_append_cstr(out, " (");
	cli_print_size(out, job->bytes);
	buf_append_cstr(out, ", ");
	print_seconds(out, job->seconds);
	buf_append_cstr(out, ")\n");
}

static bool is_idle(const struct cli_job *job)
{
	static const struct sync_counts none;
	struct sync_counts total = job->total;

	if (job->output.is_stopped) {
		total.errors = 0; /* that it did not come to it is said of the run */
	} else if (job->status != 0) {
		return false;
	}
	return memcmp(&total, &none, sizeof(none)) == 0 && cli_plan_is_empty(&job->plan);
}

static void print_job(struct buf *out, const char *whom, const struct cli_job *job, bool dry_run)
{
	if (dry_run) {
		cli_plan_summary(out, whom, &job->plan);
	} else {
		print_done(out, whom, job);
	}
}

/* Without a terminal nobody hears of a dry run that would do nothing. */
static bool is_told(const struct cli_summary *summary, const struct cli_options *options,
		    const struct cli_job *sum)
{
	if (options->command != CLI_SYNC || options->level < LOG_WARN) {
		return false;
	}
	if (options->dry_run) {
		return summary->on_terminal || (!options->json && !cli_plan_is_empty(&sum->plan));
	}
	return options->level == LOG_WARN && summary->on_terminal && summary->seconds >= SUMMARY_S;
}

void cli_summary_write(struct buf *out, const struct cli_summary *summary,
		       const struct cli_options *options)
{
	struct cli_job sum = {.seconds = summary->seconds};
	size_t wanted = 0;
	char whom[32];

	for (size_t i = 0; i < summary->count; i++) {
		const struct cli_job *job = &summary->jobs[i];
		if (job->is_wanted) {
			wanted++;
			sum.bytes += job->bytes;
			sum.status = sum.status == 0 ? job->status : sum.status;
			sync_counts_add(&sum.total, &job->total);
			cli_plan_sum_add(&sum.plan, &job->plan);
		}
	}
	if (!is_told(summary, options, &sum)) {
		return;
	}
	for (size_t i = 0; i < summary->count; i++) {
		const struct cli_job *job = &summary->jobs[i];
		if (job->is_wanted && (wanted <= FOLD_ABOVE || !is_idle(job))) {
			print_job(out, job->conf->name, job, options->dry_run);
		}
	}
	if (wanted > 1) {
		snprintf(whom, sizeof(whom), "%zu accounts", wanted);
		print_job(out, whom, &sum, options->dry_run);
	}
}

bool cli_summary_is_stopped(const struct cli_summary *summary)
{
	for (size_t i = 0; i < summary->count; i++) {
		if (summary->jobs[i].is_wanted && summary->jobs[i].output.is_stopped) {
			return true;
		}
	}
	return false;
}
