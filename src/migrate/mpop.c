/* The file of mpop: accounts that take over what `defaults` and other accounts say. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "mailsync/base/buf.h"
#include "delivery.h"
#include "readers.h"

#define TEXT_MAX 65536

const char *const mpop_kinds[] = {"account", "defaults", NULL};

static const struct rule rules[] = {
	{"tls_key_file", FATE_PATH, "tls_key_file", NULL},
	{"tls_cert_file", FATE_PATH, "tls_cert_file", NULL},
	{"skipsize", FATE_LIMIT, "max_message_size", NULL},
	{"timeout", FATE_LIMIT, "timeout", WAITS_FOR_EVER},
	{"killsize", FATE_TELL, NULL, "mailsync deletes nothing that it has not fetched"},
	{"filter", FATE_TELL, NULL, "mailsync fetches all; filter and sort behind it"},
	{"only_new", FATE_TELL, NULL, "mailsync fetches what it has not"},
	{"pipelining", FATE_TELL, NULL, "mailsync finds out"},
	{"received_header", FATE_TELL, NULL, "mailsync adds nothing to messages"},
	{"ntlmdomain", FATE_TELL, NULL, "there is no key for it"},
	{"source_ip", FATE_TELL, NULL, "there is no key for it"},
	{"socket", FATE_TELL, NULL, "see the key `tunnel`, say socat - UNIX-CONNECT:FILE"},
	{"tls_crl_file", FATE_TELL, NULL, "there is no key for it"},
	{"tls_priorities", FATE_TELL, NULL, "see the key `tls_min_version`"},
	{"tls_min_dh_prime_bits", FATE_TELL, NULL, "see the key `tls_min_version`"},
	{"tls_force_sslv3", FATE_TELL, NULL, "SSL is not spoken"},
	{"tls_host_override", FATE_TELL, NULL, "the certificate has to be for `host`"},
	{"tls_nocertcheck", FATE_TELL, NULL, "certificates are always checked"},
	{"eval", FATE_TELL, NULL, "put the line itself in its place"},
};

/* An argument may stand in quotes as a whole. */
static void take_quotes(char *value)
{
	size_t len = strlen(value);

	if (len > 1 && value[0] == '"' && value[len - 1] == '"') {
		memmove(value, value + 1, len - 2);
		secret_wipe(value + len - 2, 2);
	}
}

static void take_all_quotes(struct source *source)
{
	for (size_t i = 0; i < source->count; i++) {
		take_quotes(source->sections[i].name);
		for (size_t k = 0; k < source->sections[i].count; k++) {
			take_quotes(source->sections[i].entries[k].value);
		}
	}
}

/* --- what an account takes over --- */

static void copy_entries(struct facts *facts, size_t from)
{
	if (facts->code == 0) {
		facts->code = source_copy_entries(facts->source, from, facts->err);
	}
}

static size_t find_whole(const struct source *source, struct span name)
{
	for (size_t i = source->count; i-- > 0;) {
		if (strcmp(source->sections[i].kind, "whole") == 0 &&
		    span_equal_cstr(name, source->sections[i].name)) {
			return i;
		}
	}
	return source->count;
}

/* "NAME : PARENT, PARENT" */
static void copy_parents(struct facts *facts, int line, const char *list)
{
	while (*list && facts->code == 0) {
		size_t len = strcspn(list, ",");
		struct span name = span_trim((struct span){list, len});
		size_t parent = find_whole(facts->source, name);
		if (parent + 1 < facts->source->count) {
			copy_entries(facts, parent);
		} else if (name.len > 0) {
			facts_rest(facts);
			facts_note(facts, line, "account", "there is no account %.*s before it",
				   (int)name.len, name.data);
		}
		list += len + (list[len] == ',');
	}
}

/* A section "whole" with all that holds for the account of section AT. */
static bool add_whole(struct facts *facts, size_t at, size_t defaults)
{
	struct source *source = facts->source;
	char *name = span_dup(span_of(source->sections[at].name));
	int line = source->sections[at].line;

	if (!name) {
		facts->code = err_nomem(facts->err);
		return false;
	}
	char *colon = strchr(name, ':');
	struct span head = {name, colon ? (size_t)(colon - name) : strlen(name)};
	/* "account default : work" is another name for one. */
	bool is_alias = colon && source->sections[at].count == 0;
	if (!is_alias) {
		facts->code = source_add_section(source, line, SPAN_LIT("whole"), span_trim(head),
						 facts->err);
	}
	if (!is_alias && facts->code == 0) {
		if (defaults < at) {
			copy_entries(facts, defaults);
		}
		copy_parents(facts, line, colon ? colon + 1 : "");
		copy_entries(facts, at);
	}
	free(name);
	return !is_alias && facts->code == 0;
}

/* --- the account --- */

static void set_tls(struct facts *facts, struct section *section)
{
	const struct entry *tls = section_take(section, "tls");
	const struct entry *starttls = section_take(section, "tls_starttls");
	const struct entry *trust = section_take(section, "tls_trust_file");
	const struct entry *check = section_take(section, "tls_certcheck");
	const struct entry *print = section_take(section, "tls_fingerprint");
	bool is_on = tls && (!*tls->value || source_is_yes(tls->value));

	facts_set_tls(facts, entry_line(tls),
		      !is_on                  ? TLS_NONE
		      : entry_is_no(starttls) ? TLS_IMPLICIT
					      : TLS_STARTTLS);
	if (trust && *trust->value && strcmp(trust->value, "system") != 0) {
		facts_set_path(facts, trust->line, "tls_ca_file", trust->value);
	}
	if (entry_is_no(check)) {
		facts_note(facts, check->line, "tls_certcheck",
			   "certificates are always checked; see the keys `tls_ca_file` and "
			   "`tls_pin_sha256`");
	}
	if (print && *print->value) {
		facts_tell_fingerprint(facts, print->line, "tls_fingerprint");
	}
}

static void set_login(struct facts *facts, struct section *section)
{
	const struct entry *command = section_take(section, "passwordeval");
	const struct entry *password = section_take(section, "password");
	const struct entry *auth = section_take(section, "auth");

	if (command && password && password > command) {
		command = NULL; /* the command was a parent's */
	} else if (command) {
		password = NULL;
	}
	facts_set(facts, entry_line(command), "password_command", command ? command->value : NULL);
	facts_secret(facts, entry_line(password), password ? password->value : NULL);
	if (!command && !password) {
		facts_note(
			facts, section->line, "password",
			"mpop takes it from a key ring, ~/.netrc or the terminal; for a key ring "
			"password_command = secret-tool lookup host HOST service pop3 user USER");
	}
	if (auth) {
		/* "user" is USER and PASS. */
		facts_set_auth(facts, auth->line,
			       strcasecmp(auth->value, "user") == 0 ? "login" : auth->value);
	}
}

static void set_delivery(struct facts *facts, struct section *section)
{
	const struct entry *delivery = section_take(section, "delivery");
	struct span rest = span_of(delivery ? delivery->value : "");
	struct buf method;

	buf_init(&method, TEXT_MAX);
	bool is_maildir = source_next_word(&rest, &method) && method.failed == 0 &&
			  strcasecmp(method.data, "maildir") == 0;
	char *path = span_dup(span_trim(rest));
	if (is_maildir && path && *path) {
		take_quotes(path);
		delivery_set_maildir(facts, delivery->line, path);
	} else {
		delivery_tell_elsewhere(facts, entry_line(delivery), "delivery");
	}
	free(path);
	buf_finish(&method);
}

/* What it fetched it remembers where mailsync looks, unless it was told otherwise. */
static void tell_uidls(struct facts *facts, struct section *section)
{
	const struct entry *file = section_take(section, "uidls_file");
	const char *host = facts_value(facts, "host"), *user = facts_value(facts, "user");

	if (file && !strstr(file->value, ".mpop_uidls/%U_at_%H")) {
		facts_note(
			facts, file->line, "uidls_file",
			"what was fetched and then deleted here is known by that file: copy it to "
			"~/.mpop_uidls/%s_at_%s before the first run",
			user ? user : "USER", host ? host : "HOST");
	}
}

static void set_rest(struct facts *facts, struct section *section)
{
	const struct entry *keep = section_take(section, "keep");
	const struct entry *proxy = section_take(section, "proxy_host");
	const struct entry *port = section_take(section, "proxy_port");
	bool is_kept = keep && !source_is_no(keep->value);
	char text[512];

	delivery_set_policy(facts, entry_line(keep), true, !is_kept);
	/* A duration since 1.4.23; one that is not known here keeps all. */
	if (is_kept && *keep->value && !source_is_yes(keep->value)) {
		facts_set_days(facts, keep->line, "leave_on_server", keep->value);
	}
	if (proxy && *proxy->value) {
		bool is_ipv6 = strchr(proxy->value, ':') && *proxy->value != '[';
		snprintf(text, sizeof(text), "socks5h://%s%s%s:%s", is_ipv6 ? "[" : "",
			 proxy->value, is_ipv6 ? "]" : "",
			 port && *port->value ? port->value : "1080");
		facts_set(facts, proxy->line, "proxy", text);
	}
}

static void add_account(struct facts *facts, struct section *section)
{
	static const struct rule login[] = {
		{"host", FATE_COPY, "host", NULL},
		{"port", FATE_COPY, "port", NULL},
		{"user", FATE_COPY, "user", NULL},
	};

	facts_begin(facts, section->name);
	facts_set(facts, section->line, "protocol", "pop3");
	facts_apply(facts, section, RULES(login));
	if (facts->code < 0) {
		return;
	}
	set_login(facts, section);
	set_tls(facts, section);
	set_delivery(facts, section);
	set_rest(facts, section);
	tell_uidls(facts, section);
	facts_apply(facts, section, RULES(rules));
	facts_tell_left(facts, section);
}

void migrate_mpop(struct facts *facts)
{
	const size_t count = facts->source->count;
	size_t defaults = count;

	take_all_quotes(facts->source);
	for (size_t i = 0; i < count && facts->code == 0; i++) {
		if (strcmp(facts->source->sections[i].kind, "defaults") == 0) {
			defaults = i;
		} else if (strcmp(facts->source->sections[i].kind, "account") == 0 &&
			   add_whole(facts, i, defaults)) {
			add_account(facts, &facts->source->sections[facts->source->count - 1]);
		}
	}
	/* What stands before all sections: `eval` alone may. */
	facts_rest(facts);
	facts_apply(facts, &facts->source->sections[0], RULES(rules));
	facts_tell_left(facts, &facts->source->sections[0]);
}
