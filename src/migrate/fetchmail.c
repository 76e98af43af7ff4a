/* fetchmail's servers and their users; each user is an account. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "delivery.h"
#include "readers.h"

#define NO_WORK "mailsync passes mail on to nobody"
#define AS_IS   "messages are kept as they are, byte for byte"
#define IN_TURN "a run that is cut goes on with the next"

static const struct rule rules[] = {
	{"timeout", FATE_LIMIT, "timeout", WAITS_FOR_EVER},
	{"sslcertfile", FATE_PATH, "tls_ca_file", NULL},
	{"sslcert", FATE_PATH, "tls_cert_file", NULL},
	{"sslkey", FATE_PATH, "tls_key_file", NULL},
	{"preconnect", FATE_COPY, "pre_sync", NULL},
	{"postconnect", FATE_COPY, "post_sync", NULL},
	{"limit", FATE_LIMIT, "max_message_size", NULL},
	{"sslcertpath", FATE_TELL, NULL, "see the key `tls_ca_file`, a file"},
	{"sslcommonname", FATE_TELL, NULL, "the certificate has to be for `host`"},
	{"plugin", FATE_TELL, NULL, "see the key `tunnel`"},
	{"plugout", FATE_TELL, NULL, NO_WORK},
	{"principal", FATE_TELL, NULL, "there is no key for it"},
	{"interface", FATE_TELL, NULL, "see the key `pre_sync`"},
	{"monitor", FATE_TELL, NULL, "see the key `pre_sync`"},
	{"interval", FATE_TELL, NULL, "name the account on a timer's command line of its own"},
	{"envelope", FATE_TELL, NULL, "mail is not given out by its recipients"},
	{"qvirtual", FATE_TELL, NULL, "mail is not given out by its recipients"},
	{"aka", FATE_TELL, NULL, "mail is not given out by its recipients"},
	{"localdomains", FATE_TELL, NULL, "mail is not given out by its recipients"},
	{"dns", FATE_TELL, NULL, "mail is not given out by its recipients"},
	{"checkalias", FATE_TELL, NULL, "mail is not given out by its recipients"},
	{"fetchdomains", FATE_TELL, NULL, "mail is not given out by its recipients"},
	{"tracepolls", FATE_TELL, NULL, AS_IS},
	{"esmtpname", FATE_TELL, NULL, NO_WORK},
	{"esmtppassword", FATE_TELL, NULL, NO_WORK},
	{"smtpaddress", FATE_TELL, NULL, NO_WORK},
	{"smtpname", FATE_TELL, NULL, NO_WORK},
	{"antispam", FATE_TELL, NULL, NO_WORK},
	{"lmtp", FATE_TELL, NULL, NO_WORK},
	{"bad-header", FATE_TELL, NULL, AS_IS},
	{"rewrite", FATE_TELL, NULL, AS_IS},
	{"stripcr", FATE_TELL, NULL, AS_IS},
	{"forcecr", FATE_TELL, NULL, AS_IS},
	{"pass8bits", FATE_TELL, NULL, AS_IS},
	{"dropstatus", FATE_TELL, NULL, AS_IS},
	{"dropdelivered", FATE_TELL, NULL, AS_IS},
	{"mimedecode", FATE_TELL, NULL, AS_IS},
	{"flush", FATE_TELL, NULL, "mailsync deletes nothing that it has not fetched"},
	{"limitflush", FATE_TELL, NULL, "mailsync deletes nothing that it has not fetched"},
	{"fetchall", FATE_TELL, NULL, "mailsync fetches what it has not"},
	{"uidl", FATE_TELL, NULL, "unique-ids are used where the server has them"},
	{"fastuidl", FATE_TELL, NULL, "not needed"},
	{"idle", FATE_TELL, NULL, "see `mailsync watch`"},
	{"warnings", FATE_TELL, NULL, "what is too large is told by -v, and counted as skipped"},
	{"batchlimit", FATE_TELL, NULL, IN_TURN},
	{"fetchlimit", FATE_TELL, NULL, IN_TURN},
	{"fetchsizelimit", FATE_TELL, NULL, IN_TURN},
	{"expunge", FATE_TELL, NULL, IN_TURN},
	{"properties", FATE_TELL, NULL, "not needed"},
};

static void set_tls_version(struct facts *facts, const struct entry *version)
{
	const char *value = version->value;

	if (strncasecmp(value, "tls1.3", 6) == 0) {
		facts_set(facts, version->line, "tls_min_version", "1.3");
	} else if (strncasecmp(value, "ssl", 3) == 0 ||
		   (strncasecmp(value, "tls1", 4) == 0 && strncasecmp(value, "tls1.2", 6) != 0)) {
		facts_note(facts, version->line, version->key, "TLS from 1.2 on is spoken alone");
	}
}

static void set_tls(struct facts *facts, struct section *section)
{
	const struct entry *ssl = section_take(section, "ssl");
	const struct entry *version = section_take(section, "sslproto");
	const struct entry *check = section_take(section, "sslcertck");
	const struct entry *print = section_take(section, "sslfingerprint");

	facts_set_tls(facts, entry_line(ssl ? ssl : version),
		      entry_is_yes(ssl)             ? TLS_IMPLICIT
		      : version && !*version->value ? TLS_NONE
						    : TLS_STARTTLS);
	if (version) {
		set_tls_version(facts, version);
	}
	if (entry_is_no(check)) {
		facts_note(facts, check->line, "sslcertck",
			   "certificates are always checked; see the keys `tls_ca_file` and "
			   "`tls_pin_sha256`");
	}
	if (print) {
		facts_tell_fingerprint(facts, print->line, "sslfingerprint");
	}
}

static void set_login(struct facts *facts, struct section *section)
{
	const struct entry *auth = section_take(section, "auth");
	const struct entry *password = section_take(section, "password");

	facts_secret(facts, entry_line(password), password ? password->value : NULL);
	if (!password) {
		facts_note(facts, section->line, "password",
			   "fetchmail takes it from ~/.netrc or the terminal");
	}
	if (auth && strncasecmp(auth->value, "kerberos", 8) == 0) {
		facts_set(facts, auth->line, "auth", "gssapi");
	} else if (auth && strcasecmp(auth->value, "password") != 0) {
		facts_set_auth(facts, auth->line, auth->value);
	}
}

static void tell_delivery(struct facts *facts, struct section *section)
{
	const struct entry *mda = section_take(section, "mda");
	const struct entry *bsmtp = section_take(section, "bsmtp");
	const struct entry *smtp = section_take(section, "smtphost");
	const struct entry *whose = section_take(section, "is");
	const struct entry *way = mda ? mda : bsmtp ? bsmtp : smtp;
	size_t count = 0;

	delivery_tell_elsewhere(facts, entry_line(way), way ? way->key : "delivery");
	for (size_t i = 0; i < section->count; i++) {
		count += strcmp(section->entries[i].key, "is") == 0;
	}
	if (count > 1 || (whose && strcmp(whose->value, "*") == 0)) {
		facts_note(
			facts, whose->line, "is",
			"mail is not given out by its recipients: all of it goes into one Maildir");
	}
}

/* Behind the policy. */
static void set_folders(struct facts *facts, struct section *section, bool is_pop3)
{
	const struct entry *folder = section_take(section, "folder");
	struct strlist names;

	strlist_init(&names);
	for (size_t i = 0; i < section->count && facts->code == 0; i++) {
		if (strcmp(section->entries[i].key, "folder") == 0) {
			facts->code =
				strlist_add(&names, span_of(section->entries[i].value), facts->err);
		}
	}
	if (folder && !is_pop3) {
		delivery_set_mailboxes(facts, folder->line, "folder", &names);
	}
	strlist_finish(&names);
}

#define SPOKEN "mailsync speaks IMAP and POP3 alone; "

static const struct protocol {
	const char *word;
	bool is_pop3;
	const char *why; /* it is taken; NULL: it is that */
} protocols[] = {
	{"imap", false, NULL},
	{"pop3", true, NULL},
	{"apop", true, NULL},
	{"auto", false, "fetchmail tries several; IMAP is taken, `protocol = pop3` is the other"},
	{"kpop", true, SPOKEN "POP3 is taken"},
	{"rpop", true, SPOKEN "POP3 is taken"},
	{"sdps", true, SPOKEN "POP3 is taken"},
	{"pop2", true, SPOKEN "POP3 is taken"},
	{NULL, false, SPOKEN "IMAP is taken"},
};

static void set_protocol(struct facts *facts, struct section *section, bool *is_pop3)
{
	const struct entry *entry = section_take(section, "protocol");
	const char *word = entry ? entry->value : "auto";
	const struct protocol *protocol = protocols;

	while (protocol->word && strcasecmp(protocol->word, word) != 0) {
		protocol++;
	}
	*is_pop3 = protocol->is_pop3;
	facts_set(facts, entry_line(entry), "protocol", *is_pop3 ? "pop3" : "");
	facts_set(facts, entry_line(entry), "auth", strcasecmp(word, "apop") == 0 ? "apop" : "");
	if (protocol->why) {
		facts_note(facts, entry_line(entry), "protocol", "%s", protocol->why);
	}
}

static void set_server(struct facts *facts, struct section *section, const char *host)
{
	const struct entry *via = section_take(section, "via");
	const struct entry *port = section_take(section, "port");

	facts_set(facts, section->line, "host", via ? via->value : host);
	if (port && strspn(port->value, "0123456789") == strlen(port->value)) {
		facts_set(facts, port->line, "port", port->value);
	} else if (port) {
		facts_note(facts, port->line, "service",
			   "the number of that port belongs into `port`");
	}
}

/* SECTION holds all that holds for the user who is its name. */
static void add_account(struct facts *facts, struct section *section, const struct section *server)
{
	const struct entry *keep = section_look(section, "keep");
	bool is_pop3 = false;

	delivery_begin(facts, server->name);
	if (facts->code < 0) {
		return;
	}
	set_protocol(facts, section, &is_pop3);
	set_server(facts, section, server->name);
	facts_set(facts, section->line, "user", section->name);
	set_login(facts, section);
	set_tls(facts, section);
	tell_delivery(facts, section);
	(void)section_take(section, "keep");
	delivery_set_policy(facts, entry_line(keep), is_pop3, !entry_is_yes(keep));
	set_folders(facts, section, is_pop3);
	if (strcmp(server->kind, "skip") == 0) {
		facts_note(facts, server->line, "skip",
			   "mailsync without names of accounts syncs all of them, this one too");
	}
	facts_apply(facts, section, RULES(rules));
	facts_tell_left(facts, section);
}

/* Where things stand in the source; its count: nowhere. */
struct places {
	size_t defaults;
	size_t user_defaults;
	size_t server;
};

/* AT: the user's section, or none: the user is that of `defaults`. */
static void add_user(struct facts *facts, const struct places *places, size_t at, size_t count)
{
	struct source *source = facts->source;
	const struct section *named = &source->sections[at < count ? at : places->user_defaults];
	int line = source->sections[at < count ? at : places->server].line;
	char *name = span_dup(span_of(named->name));

	facts->code = name ? source_add_section(source, line, SPAN_LIT("whole"), span_of(name),
						facts->err)
			   : err_nomem(facts->err);
	free(name);
	if (facts->code < 0) {
		return;
	}
	const size_t from[] = {places->defaults, places->user_defaults, places->server, at};
	for (size_t i = 0; i < sizeof(from) / sizeof(from[0]) && facts->code == 0; i++) {
		if (from[i] < count) {
			facts->code = source_copy_entries(source, from[i], facts->err);
		}
	}
	if (facts->code == 0) {
		add_account(facts, &source->sections[source->count - 1],
			    &source->sections[places->server]);
	}
}

static void tell_set(struct facts *facts, const struct section *section)
{
	facts_rest(facts);
	if (strcasecmp(section->name, "daemon") == 0) {
		facts_note(
			facts, section->line, "set daemon",
			"`mailsync watch` stays and looks every `watch_interval`, or let a timer "
			"run "
			"`mailsync`");
	} else if (strcasecmp(section->name, "idfile") == 0) {
		facts_note(
			facts, section->line, "set idfile",
			"what was fetched is known by that file: copy it to ~/.fetchids before the "
			"first run");
	} else {
		facts_tell_section(facts, section, "mailsync has nothing like it");
	}
}

/* A server of which no user is told. */
static bool is_alone(const struct source *source, size_t at, size_t count)
{
	return at + 1 >= count || strcmp(source->sections[at + 1].kind, "user") != 0;
}

void migrate_fetchmail(struct facts *facts)
{
	const size_t count = facts->source->count;
	struct places places = {count, count, count};

	for (size_t i = 0; i < count && facts->code == 0; i++) {
		const char *kind = facts->source->sections[i].kind;
		if (strcmp(kind, "defaults") == 0) {
			places = (struct places){i, count, count};
		} else if (strcmp(kind, "server") == 0 || strcmp(kind, "skip") == 0) {
			places.server = i;
			if (!is_alone(facts->source, i, count)) {
				continue;
			}
			if (places.user_defaults < count) {
				add_user(facts, &places, count, count);
			} else {
				facts_rest(facts);
				facts_tell_section(facts, &facts->source->sections[i],
						   "no user is named; add `user NAME` to it");
			}
		} else if (strcmp(kind, "set") == 0) {
			tell_set(facts, &facts->source->sections[i]);
		} else if (strcmp(kind, "user") == 0 && places.server < count) {
			add_user(facts, &places, i, count);
		} else if (strcmp(kind, "user") == 0) {
			places.user_defaults = i;
		}
	}
}
