#include "cli_migrate.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mailsync/base/file.h"
#include "mailsync/conf/conf.h"
#include "mailsync/migrate/migrate.h"
#include "cli_complain.h"
#include "cli_init_next.h"
#include "cli_json.h"
#include "cli_there.h"

#define SOURCE_MAX (1024 * 1024)
#define TEXT_MAX   (16 * 1024 * 1024)
#define NAME_SIZE  160

struct job {
	const struct cli_options *options;
	struct migrate migrate;
	struct cli_there there;
	struct migrate_place shown;
	struct buf text; /* all sections */
};

/* --- what is there --- */

static int read_source(struct job *job, struct err *err)
{
	const char *file = job->options->from;
	struct buf text;

	buf_init(&text, SOURCE_MAX);
	int code = file_read(AT_FDCWD, file, &text, err);
	if (code == -ERR_CHANGED) {
		code = err_set(err, ERR_CONFIG, SCOPE_RUN, "there is no file %s", file);
	}
	if (code == 0) {
		code = migrate_read(&job->migrate, buf_span(&text), file, err);
	}
	buf_finish_secret(&text);
	return code;
}

static bool is_taken(const struct job *job, size_t at, const char *name)
{
	for (size_t i = 0; i < at; i++) {
		if (strcasecmp(job->migrate.accounts[i].name, name) == 0) {
			return true;
		}
	}
	return cli_there_has(&job->there, name);
}

/* "work", else with a number. */
static int choose_names(struct job *job, struct err *err)
{
	int code = 0;

	for (size_t i = 0; i < job->migrate.count && code == 0; i++) {
		struct migrate_account *account = &job->migrate.accounts[i];
		char name[NAME_SIZE];
		snprintf(name, sizeof(name), "%s", account->name);
		for (unsigned number = 2; is_taken(job, i, name); number++) {
			snprintf(name, sizeof(name), "%s-%u", account->name, number);
		}
		code = migrate_rename(account, name, err);
	}
	return code;
}

/* --- what is written --- */

static int check_twins(const struct job *job, struct err *err)
{
	for (size_t i = 0; i < job->migrate.count; i++) {
		const struct migrate_account *account = &job->migrate.accounts[i];
		const struct conf_account *twin =
			cli_there_twin(&job->there, migrate_value(account, "host"),
				       migrate_value(account, "user"));
		if (twin && job->options->write) {
			return cli_there_refuse(&job->there, twin, err);
		}
		if (twin) {
			cli_there_say(twin);
		}
	}
	return 0;
}

static bool has_secret(const struct migrate_account *account)
{
	return account->password_line > 0 && migrate_needs_password(account);
}

/* Of the file that the account's section names. */
static int password_path(const struct job *job, const struct migrate_account *account,
			 struct buf *path, struct err *err)
{
	struct buf named;

	buf_init(&named, FILE_PATH_SIZE);
	migrate_append_password_file(account, job->there.place.folder, &named);
	int code = buf_status(&named, "a path", err);
	if (code == 0) {
		code = file_expand(named.data, path, err);
	}
	buf_finish(&named);
	return code;
}

/* None is there yet: it may be another account's. */
static int check_password_files(const struct job *job, struct err *err)
{
	int code = 0;

	for (size_t i = 0; i < job->migrate.count && code == 0; i++) {
		const struct migrate_account *account = &job->migrate.accounts[i];
		struct buf path;
		struct stat there;
		if (!has_secret(account)) {
			continue;
		}
		buf_init(&path, FILE_PATH_SIZE);
		code = password_path(job, account, &path, err);
		if (code == 0 && lstat(path.data, &there) == 0) {
			code = err_set(err, ERR_CONFIG, SCOPE_RUN,
				       "there is a file %s already, into which the password of %s "
				       "would go; nothing was written",
				       path.data, account->name);
		}
		buf_finish(&path);
	}
	return code;
}

static int write_password(const struct job *job, const struct migrate_account *account,
			  struct err *err)
{
	struct span password = secret_span(&account->password);
	struct buf path;
	int fd = -1;

	buf_init(&path, FILE_PATH_SIZE);
	int code = password_path(job, account, &path, err);
	if (code == 0) {
		code = file_create(AT_FDCWD, path.data, &fd, err);
	}
	if (code == 0 && (code = file_write(fd, password.data, password.len, err)) == 0 &&
	    (code = file_write(fd, "\n", 1, err)) == 0) {
		code = file_sync(fd, err);
	}
	if (fd >= 0) {
		close(fd);
	}
	if (code < 0) {
		err_prefix(err, "the password of %s was not copied", account->name);
	}
	buf_finish(&path);
	return code;
}

static int write_all(const struct job *job, struct err *err)
{
	int code = check_password_files(job, err);

	if (code == 0) {
		code = conf_append(job->there.place.path, buf_span(&job->text), err);
	}
	for (size_t i = 0; i < job->migrate.count && code == 0; i++) {
		if (has_secret(&job->migrate.accounts[i])) {
			code = write_password(job, &job->migrate.accounts[i], err);
		}
	}
	return code;
}

/* --- what is said --- */

/* ACCOUNT is NULL for the notes of none. */
static void print_event(const struct job *job, const struct migrate_account *account)
{
	const struct migrate *migrate = &job->migrate;
	struct buf line, section;

	buf_init(&line, TEXT_MAX);
	buf_init(&section, TEXT_MAX);
	if (account) {
		migrate_write(account, migrate->kind, &job->shown, &section);
	} else {
		migrate_write_rest(migrate, &job->shown, &section);
	}
	event_begin(&line, "init");
	event_text(&line, "account", account ? account->name : NULL);
	event_text(&line, "host", account ? migrate_value(account, "host") : NULL);
	event_text(&line, "user", account ? migrate_value(account, "user") : NULL);
	event_text(&line, "source", migrate_kind_name(migrate->kind));
	event_text(&line, "file", job->options->from);
	event_number(&line, "left_out", account ? account->note_count : migrate->rest.note_count);
	event_bool(&line, "written", job->options->write);
	event_text(&line, "section", section.data);
	event_end(&line);
	fwrite(line.data, 1, line.len, stdout);
	buf_finish(&section);
	buf_finish(&line);
}

static void print_json(const struct job *job)
{
	for (size_t i = 0; i < job->migrate.count; i++) {
		print_event(job, &job->migrate.accounts[i]);
	}
	if (job->migrate.rest.note_count > 0) {
		print_event(job, NULL);
	}
}

/* With a password to be typed for each account that has none yet. */
static void say_next(const struct job *job)
{
	const char *folder = job->there.place.folder;
	struct buf text, file;

	buf_init(&text, TEXT_MAX);
	cli_next_begin(&text, &job->there.place, job->options->write);
	buf_printf(&text, "  (stop what runs %s by itself: cron, a timer, a daemon)\n",
		   migrate_kind_name(job->migrate.kind));
	for (size_t i = 0; i < job->migrate.count; i++) {
		const struct migrate_account *account = &job->migrate.accounts[i];
		if (!migrate_needs_password(account) ||
		    (has_secret(account) && job->options->write)) {
			continue;
		}
		buf_init(&file, FILE_PATH_SIZE);
		migrate_append_password_file(account, job->there.place.folder, &file);
		cli_next_password(&text, folder, file.data);
		folder = ""; /* is made once */
		buf_finish(&file);
	}
	cli_next_command(&text, &job->there.place, "check", "");
	cli_next_command(&text, &job->there.place, "--dry-run", "");
	cli_next_command(&text, &job->there.place, "", "");
	if (text.failed == 0) {
		fwrite(text.data, 1, text.len, stderr);
	}
	buf_finish(&text);
}

static int report(struct job *job, struct err *err)
{
	int code;

	for (size_t i = 0; i < job->migrate.count; i++) {
		buf_append_cstr(&job->text, i > 0 ? "\n" : "");
		migrate_write(&job->migrate.accounts[i], job->migrate.kind, &job->shown,
			      &job->text);
	}
	migrate_write_rest(&job->migrate, &job->shown, &job->text);
	if ((code = buf_status(&job->text, "the sections", err)) < 0 ||
	    (code = check_twins(job, err)) < 0 ||
	    (job->options->write && (code = write_all(job, err)) < 0)) {
		return code;
	}
	if (job->options->json) {
		print_json(job);
	} else {
		fwrite(job->text.data, 1, job->text.len, stdout);
	}
	if ((fflush(stdout) != 0 || ferror(stdout)) && errno != EPIPE) {
		return err_set_errno(err, ERR_LOCAL, SCOPE_RUN, errno,
				     "the sections cannot be printed");
	}
	if (job->options->level > LOG_ERROR) {
		say_next(job);
	}
	return 0;
}

static int run(struct job *job, struct err *err)
{
	int code;

	if ((code = cli_there_read(&job->there, job->options, err)) < 0 ||
	    (code = read_source(job, err)) < 0 || (code = choose_names(job, err)) < 0) {
		return code;
	}
	job->shown = (struct migrate_place){job->options->from, job->there.place.folder};
	return report(job, err);
}

int cli_migrate(const struct cli_options *options)
{
	struct job job = {.options = options};
	struct err err;

	buf_init(&job.text, TEXT_MAX);
	migrate_init(&job.migrate);
	int code = run(&job, &err);
	if (code < 0 && !job.there.is_said) {
		cli_complain(options, err.code, err.text);
	}
	migrate_finish(&job.migrate);
	buf_finish(&job.text);
	cli_there_finish(&job.there);
	return code < 0 ? err_exit_status(err.code) : 0;
}
