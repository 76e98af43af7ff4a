#include "cli_init_address.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mailsync/conf/conf.h"
#include "mailsync/conf/nearest.h"
#include "cli_complain.h"
#include "cli_init_look.h"
#include "cli_init_next.h"
#include "cli_json.h"
#include "cli_section.h"
#include "cli_there.h"

#define SECTION_MAX    65536
#define NAME_SIZE_MAX  1024
#define NAME_SHOWN_MAX 100 /* bytes of an account name */

struct init {
	const struct cli_options *options;
	struct log *log;
	struct cli_address address;
	struct cli_there there;
	struct buf name; /* of the account */
	struct buf text;
	struct cli_look look;
	struct cli_section section;
};

/* "gmail", else "gmail-me", else with a number. */
static int choose_name(struct init *init, struct err *err)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				    "0123456789._-";
	struct buf *name = &init->name;

	cli_address_append_name(&init->address, name);
	size_t label = name->len;
	if (name->failed == 0 && cli_there_has(&init->there, name->data)) {
		buf_append_char(name, '-');
		for (const char *c = init->address.local; *c && name->len < NAME_SHOWN_MAX; c++) {
			buf_append_char(name, strchr(plain, *c) ? *c : '_');
		}
	}
	for (unsigned number = 2; name->failed == 0 && cli_there_has(&init->there, name->data);
	     number++) {
		buf_truncate(name, label);
		buf_printf(name, "-%u", number);
	}
	return buf_status(name, "the account's name", err);
}

/* --- what is said of it --- */

static void print_json(const struct init *init, bool is_written)
{
	const struct cli_section *section = &init->section;
	const struct discover_server *server = section->server;
	struct buf line;

	buf_init(&line, SECTION_MAX * 8);
	event_begin(&line, "init");
	event_text(&line, "account", section->name);
	event_text(&line, "address", init->address.text);
	event_text(&line, "provider", section->provider ? section->provider->name : NULL);
	event_text(&line, "host", cli_section_host(section));
	event_text(&line, "user", cli_section_user(section));
	event_text(&line, "source",
		   section->source ? section->source
		   : server        ? server->source
				   : NULL);
	event_bool(&line, "outside", server && server->is_outside);
	event_bool(&line, "oauth", cli_section_signs_in(section));
	event_text(&line, "issuer", cli_section_issuer(section));
	event_bool(&line, "issuer_outside", cli_section_issuer_is_outside(section));
	event_bool(&line, "written", is_written);
	event_text(&line, "section", init->text.data);
	event_end(&line);
	fwrite(line.data, 1, line.len, stdout);
	buf_finish(&line);
}

/* A domain of a provider that NAME may be meant for, or NULL. */
static char *nearest_domain(const struct init *init)
{
	const struct provider *provider;
	struct strlist domains;
	struct nearest nearest;
	struct err ignored;
	char *best = NULL;

	strlist_init(&domains);
	for (size_t at = 0;
	     (provider = provider_next(&init->there.conf->providers, &at)) != NULL;) {
		const char *rest = provider_value(provider, "domains");
		while (rest && *rest) {
			size_t len = strcspn(rest, " ");
			if (len > 0 && !memchr(rest, '*', len)) {
				(void)strlist_add(&domains, (struct span){rest, len}, &ignored);
			}
			rest += len + strspn(rest + len, " ");
		}
	}
	nearest_init(&nearest, init->address.domain);
	for (size_t i = 0; i < domains.count; i++) {
		nearest_offer(&nearest, domains.items[i]);
	}
	if (nearest.best) {
		best = span_dup(span_of(nearest.best));
	}
	strlist_finish(&domains);
	return best;
}

/* Nothing was found: what was asked, what it may be, and what to fill in. */
static int say_nothing_found(struct init *init)
{
	const struct discover *discover = &init->look.discover;
	bool is_unsure = discover->is_unsure && !discover->is_no_name;
	enum err_code code = is_unsure ? ERR_TEMPORARY : ERR_SERVER;
	char *nearest = nearest_domain(init);
	struct buf line;

	buf_init(&line, SECTION_MAX);
	if (discover->is_no_name) {
		buf_printf(&line, "there is no domain %s", init->address.domain);
	} else {
		buf_printf(&line, "no mail server was found for %s%s", init->address.domain,
			   is_unsure ? ", but not all could be asked; try again later" : "");
	}
	if (nearest) {
		buf_printf(&line, "; did you mean %s?", nearest);
	}
	free(nearest);
	cli_complain(init->options, code, line.data);
	buf_finish(&line);
	for (size_t i = 0; i < discover->notes.count; i++) {
		fprintf(stderr, "  %s\n", discover->notes.items[i]);
	}
	cli_section_write_empty(&init->section, &init->text);
	if (!init->options->json && init->text.failed == 0) {
		fputs("The names of your provider's servers are in its help pages, often "
		      "imap.DOMAIN or mail.DOMAIN. What to write:\n",
		      stderr);
		fputs(init->text.data, stdout);
	}
	return err_exit_status(code);
}

/* A server that is not the one it should be: its section may be of use all the same, but has to be
 * put into the file by hand. */
static int say_unproven(struct init *init)
{
	if (init->options->json) {
		print_json(init, false);
	} else {
		fputs(init->text.data, stdout);
	}
	cli_complain(init->options, init->look.trouble.code, init->look.trouble.text);
	if (init->options->write) {
		fputs("Nothing was written.\n", stderr);
	}
	return err_exit_status(init->look.trouble.code);
}

static int say_found(struct init *init, struct err *err)
{
	const struct conf_account *twin = cli_there_twin(
		&init->there, cli_section_host(&init->section), cli_section_user(&init->section));
	const bool is_write = init->options->write;
	int code;

	if (twin && is_write) {
		return cli_there_refuse(&init->there, twin, err);
	}
	if (is_write &&
	    (code = conf_append(init->there.place.path, buf_span(&init->text), err)) < 0) {
		return code;
	}
	if (init->options->json) {
		print_json(init, is_write);
	} else {
		fputs(init->text.data, stdout);
	}
	/* Before what comes next; a reader that went away has what it wanted. */
	if ((fflush(stdout) != 0 || ferror(stdout)) && errno != EPIPE) {
		return err_set_errno(err, ERR_LOCAL, SCOPE_RUN, errno,
				     "the section cannot be printed");
	}
	if (twin) {
		cli_there_say(twin);
	}
	if (init->section.trouble) {
		log_line(init->log, LOG_WARN, "it could not be tried: %s", init->section.trouble);
	}
	if (init->options->level > LOG_ERROR) {
		cli_init_next(&init->there.place, &init->section, is_write);
	}
	return 0;
}

/* The exit status, or a negative error. */
static int report(struct init *init, struct err *err)
{
	int code;

	if (!init->section.provider && !init->section.server) {
		return say_nothing_found(init);
	}
	cli_section_write(&init->section, &init->text);
	if ((code = buf_status(&init->text, "the section", err)) < 0) {
		return code;
	}
	bool is_unproven = init->section.trouble && init->look.trouble.code != ERR_TEMPORARY;
	return is_unproven ? say_unproven(init) : say_found(init, err);
}

static int run(struct init *init, struct err *err)
{
	int code;

	if ((code = cli_address_read(&init->address, init->options->arguments[0], err)) < 0 ||
	    (code = cli_there_read(&init->there, init->options, err)) < 0 ||
	    (code = choose_name(init, err)) < 0) {
		return code;
	}
	init->section.name = init->name.data;
	init->section.address = &init->address;
	init->section.folder = init->there.place.folder;
	cli_look_init(&init->look, &init->address, init->there.conf, init->log);
	code = cli_look_run(&init->look, &init->section, err);
	if (code == 0) {
		code = report(init, err);
	}
	cli_look_finish(&init->look);
	return code;
}

static void init_begin(struct init *init, const struct cli_options *options, struct log *log)
{
	*init = (struct init){.options = options, .log = log};
	buf_init(&init->name, NAME_SIZE_MAX);
	buf_init(&init->text, SECTION_MAX);
}

static void init_end(struct init *init)
{
	buf_finish(&init->text);
	buf_finish(&init->name);
	cli_there_finish(&init->there);
	cli_address_finish(&init->address);
}

int cli_init_address(const struct cli_options *options)
{
	struct init init;
	struct log log;
	struct err err;

	if (log_init(&log, stderr, options->level) < 0) {
		return err_exit_status(ERR_NOMEM);
	}
	init_begin(&init, options, &log);
	int status = run(&init, &err);
	if (status < 0) {
		if (!init.there.is_said) {
			cli_complain(options, err.code, err.text);
		}
		status = err_exit_status(err.code);
	}
	init_end(&init);
	log_finish(&log);
	return status;
}
