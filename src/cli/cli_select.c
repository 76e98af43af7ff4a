#include "cli_select.h"

#include <stdlib.h>
#include <string.h>

#include "mailsync/conf/nearest.h"
#include "mailsync/model/mbname.h"

struct selection {
	const struct cli_jobs *jobs;
	const struct cli_options *options;
	const char *path;
};

/* A word that is an option without its dashes. */
static bool is_option(const char *name)
{
	struct cli_option_word word;

	for (size_t i = 0; cli_option_word(i, &word); i++) {
		if (strcmp(word.name, name) == 0) {
			return true;
		}
	}
	return false;
}

static int complain_of_account(const struct selection *selection, const char *name, struct err *err)
{
	struct nearest nearest;
	bool is_meant = is_option(name);

	nearest_init(&nearest, name);
	for (size_t i = 0; i < selection->jobs->count; i++) {
		nearest_offer(&nearest, selection->jobs->items[i].conf->name);
	}
	for (size_t i = 0; !selection->options->has_command && cli_command_row(i) != NULL; i++) {
		nearest_offer(&nearest, cli_command_row(i)->word);
	}
	const char *best = is_meant ? name : nearest.best;
	return err_set(err, ERR_USAGE, SCOPE_RUN, "there is no %saccount '%s' in %s%s%s%s%s",
		       selection->options->has_command ? "" : "command or ", name, selection->path,
		       best ? "; did you mean '" : "", is_meant ? "--" : "", best ? best : "",
		       best ? "'?" : "");
}

struct cli_job *cli_jobs_find(const struct cli_jobs *jobs, const char *name)
{
	for (size_t i = 0; i < jobs->count; i++) {
		if (strcmp(jobs->items[i].conf->name, name) == 0) {
			return &jobs->items[i];
		}
	}
	return NULL;
}

static int job_add_mailbox(struct cli_job *job, const char *text, struct err *err)
{
	struct buf name;

	buf_init(&name, MBNAME_MAX);
	int code = mbname_from_user(span_of(text), &name, err);
	if (code < 0) {
		code = err_set(err, ERR_USAGE, SCOPE_RUN, "%s/%s is no mailbox: %s",
			       job->conf->name, text, err->text);
	} else {
		code = strlist_add(&job->only, buf_span(&name), err);
	}
	buf_finish(&name);
	return code;
}

static int select_one(const struct selection *selection, const char *argument, struct err *err)
{
	const char *slash = strchr(argument, '/');
	size_t len = slash ? (size_t)(slash - argument) : strlen(argument);
	char *name = span_dup((struct span){argument, len});
	int code = 0;

	if (!name) {
		return err_nomem(err);
	}
	struct cli_job *job = cli_jobs_find(selection->jobs, name);
	if (!job) {
		code = complain_of_account(selection, name, err);
	} else {
		job->is_wanted = true;
		if (slash && slash[1]) {
			code = job_add_mailbox(job, slash + 1, err);
		} else {
			job->is_whole = true;
		}
	}
	free(name);
	return code;
}

int cli_select(struct cli_jobs *jobs, const struct cli_options *options, const char *path,
	       struct err *err)
{
	const struct selection selection = {jobs, options, path};
	/* Behind a mailbox to import into come files. */
	int count = options->command == CLI_IMPORT ? 1 : options->argument_count;
	int code = 0;

	for (int i = 0; i < count && code == 0; i++) {
		code = select_one(&selection, options->arguments[i], err);
	}
	for (size_t i = 0; i < jobs->count && code == 0; i++) {
		struct cli_job *job = &jobs->items[i];
		bool is_wanted = job->is_wanted || options->argument_count == 0;
		code = cli_share_holds(&options->shard, job->conf->name, &job->is_wanted, err);
		job->is_wanted = job->is_wanted && is_wanted;
		if (job->is_whole) {
			strlist_finish(&job->only);
			strlist_init(&job->only);
		}
	}
	return code;
}
