#include "cli_init.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "mailsync/base/buf.h"
#include "mailsync/conf/provider.h"
#include "cli_init_address.h"
#include "cli_json.h"
#include "cli_migrate.h"

#define LIST_MAX 1048576

/* What a row of the list has, with the width of its column. */
static const struct {
	const char *key;
	const char *port_key;
	const char *head;
	int width;
} columns[] = {
	{"host", "port", "IMAP", 24},
	{"pop3_host", "pop3_port", "POP3", 24},
	{"domains", NULL, "addresses", 0},
};
#define COLUMNS    (sizeof(columns) / sizeof(columns[0]))
#define NAME_WIDTH 12

static void list_line(struct buf *out, const struct provider *provider)
{
	buf_printf(out, "%-*s", NAME_WIDTH, provider->name);
	for (size_t i = 0; i < COLUMNS; i++) {
		const char *value = provider_value(provider, columns[i].key);
		const char *port =
			columns[i].port_key ? provider_value(provider, columns[i].port_key) : NULL;
		const char *unset = columns[i].port_key ? "-" : "your own domain";
		char cell[1024];
		snprintf(cell, sizeof(cell), "%s%s%s", value ? value : unset, port ? ":" : "",
			 port ? port : "");
		buf_printf(out, "  %-*s", columns[i].width, cell);
	}
	buf_append_char(out, '\n');
}

static void list_object(struct buf *out, const struct provider *provider)
{
	static const char *const keys[] = {"title", "domains",    "mx",        "login",
					   "host",  "port",       "pop3_host", "pop3_port",
					   "oauth", "oauth_offer"};

	event_begin(out, "provider");
	event_text(out, "name", provider->name);
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		event_text(out, keys[i], provider_value(provider, keys[i]));
	}
	event_end(out);
}

/* The providers that are built in. */
static int init_list(const struct cli_options *options)
{
	const struct provider *provider;
	struct buf out;
	struct err err;

	buf_init(&out, LIST_MAX);
	for (size_t i = 0; i < COLUMNS && !options->json; i++) {
		buf_printf(&out, "%s%-*s", i == 0 ? "provider      " : "  ", columns[i].width,
			   columns[i].head);
	}
	buf_append_cstr(&out, options->json ? "" : "\n");
	for (size_t at = 0; (provider = provider_next(NULL, &at)) != NULL;) {
		if (options->json) {
			list_object(&out, provider);
		} else {
			list_line(&out, provider);
		}
	}
	int code = buf_status(&out, "the list of providers", &err);
	if (code == 0 && fwrite(out.data, 1, out.len, stdout) != out.len && errno != EPIPE) {
		code = err_set_errno(&err, ERR_LOCAL, SCOPE_RUN, errno,
				     "the list of providers could not be written");
	}
	if (code < 0) {
		fprintf(stderr, "mailsync: %s\n", err.text);
	}
	buf_finish(&out);
	return code < 0 ? err_exit_status(err.code) : 0;
}

int cli_init_run(const struct cli_options *options)
{
	if (options->list) {
		return init_list(options);
	}
	return options->from ? cli_migrate(options) : cli_init_address(options);
}
