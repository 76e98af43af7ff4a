/* A getmailrc: one account, fetched into one place. */
#include <string.h>
#include <strings.h>

#include "mailsync/base/buf.h"
#include "delivery.h"
#include "python.h"
#include "readers.h"

#define TEXT_MAX 65536

static const struct rule retriever_rules[] = {
	{"server", FATE_COPY, "host", NULL},
	{"port", FATE_COPY, "port", NULL},
	{"username", FATE_COPY, "user", NULL},
};

static const struct rule more_rules[] = {
	{"timeout", FATE_LIMIT, "timeout", WAITS_FOR_EVER},
	{"ca_certs", FATE_PATH, "tls_ca_file", NULL},
	{"certfile", FATE_PATH, "tls_cert_file", NULL},
	{"keyfile", FATE_PATH, "tls_key_file", NULL},
	{"move_on_delete", FATE_TELL, NULL, "mailsync moves nothing because it was fetched"},
	{"imap_search", FATE_TELL, NULL, "see the keys `max_age` and `max_message_size`"},
	{"imap_on_delete", FATE_TELL, NULL, "flags are as the server has them"},
	{"use_peek", FATE_TELL, NULL, "fetching marks nothing read"},
	{"record_mailbox", FATE_TELL, NULL, "mailsync adds nothing to messages"},
	{"delete_dup_msgids", FATE_TELL, NULL, "mailsync deletes nothing that it has not fetched"},
	{"envelope_recipient", FATE_TELL, NULL, "mail is not given out by its recipients"},
	{"ssl_version", FATE_TELL, NULL, "TLS from 1.2 on; see the key `tls_min_version`"},
	{"ssl_ciphers", FATE_TELL, NULL, "the ciphers are the system's"},
	{"ssl_cert_hostname", FATE_TELL, NULL, "the certificate has to be for `host`"},
	{"getmaildir", FATE_TELL, NULL,
	 "what was fetched is known by oldmail-... there: copy it to ~/.getmail before the first "
	 "run"},
};

static const struct rule option_rules[] = {
	{"max_message_size", FATE_LIMIT, "max_message_size", NULL},
	{"delete_bigger_than", FATE_TELL, NULL, "mailsync deletes nothing that it has not fetched"},
	{"max_messages_per_session", FATE_TELL, NULL, "a run that is cut goes on with the next"},
	{"max_bytes_per_session", FATE_TELL, NULL, "a run that is cut goes on with the next"},
	{"delivered_to", FATE_TELL, NULL, "mailsync adds nothing to messages"},
	{"received", FATE_TELL, NULL, "mailsync adds nothing to messages"},
	{"verbose", FATE_TELL, NULL, "see the options -v and -q"},
	{"message_log", FATE_TELL, NULL, "see the options -v and --json"},
	{"message_log_verbose", FATE_TELL, NULL, "see the options -v and --json"},
	{"message_log_syslog", FATE_TELL, NULL, "see the options -v and --json"},
	{"read_all", FATE_TELL, NULL, "mailsync fetches what it has not"},
	{"to_oldmail_on_each_mail", FATE_TELL, NULL, "not needed"},
	{"skip_imap_fetch_size", FATE_TELL, NULL, "not needed"},
};

static void set_command(struct facts *facts, const struct entry *entry)
{
	struct strlist words;
	struct buf command;

	strlist_init(&words);
	buf_init(&command, TEXT_MAX);
	if (python_strings(span_of(entry->value), &words) && words.count > 0) {
		python_append_command(&words, &command);
	}
	if (command.len > 0 && command.failed == 0) {
		facts_set(facts, entry->line, "password_command", command.data);
	} else {
		facts_note(facts, entry->line, "password_command", "it is no list of words");
	}
	buf_finish(&command);
	strlist_finish(&words);
}

static void set_login(struct facts *facts, struct section *retriever)
{
	const struct entry *command = section_take(retriever, "password_command");
	const struct entry *password = section_take(retriever, "password");
	const struct entry *token = section_take(retriever, "use_xoauth2");
	const struct entry *kerberos = section_take(retriever, "use_kerberos");
	const struct entry *apop = section_take(retriever, "use_apop");
	const struct entry *cram = section_take(retriever, "use_cram_md5");

	if (command) {
		set_command(facts, command);
	}
	facts_secret(facts, entry_line(password), password ? password->value : NULL);
	if (!command && !password && !entry_is_yes(kerberos)) {
		facts_note(facts, retriever->line, "password",
			   "getmail takes it from a key ring or the terminal");
	}
	if (entry_is_yes(token)) {
		facts_set(facts, token->line, "auth", "xoauth2");
		facts_note(
			facts, token->line, "use_xoauth2",
			"the command has to print an access token; mailsync can sign in by itself: "
			"see the key `oauth`");
	} else if (entry_is_yes(kerberos)) {
		facts_set(facts, kerberos->line, "auth", "gssapi");
	} else if (entry_is_yes(apop)) {
		facts_set(facts, apop->line, "auth", "apop");
	} else if (entry_is_yes(cram)) {
		facts_set(facts, cram->line, "auth", "cram-md5");
	}
}

static void set_mailboxes(struct facts *facts, struct section *retriever)
{
	const struct entry *entry = section_take(retriever, "mailboxes");
	struct strlist names;

	strlist_init(&names);
	if (entry && !python_strings(span_of(entry->value), &names)) { /* or ALL */
		strlist_finish(&names);
		facts_note(facts, entry->line, "mailboxes",
			   "it is no list of names; INBOX alone is synced");
	} else if (entry) {
		delivery_set_mailboxes(facts, entry->line, "mailboxes", &names);
	}
	strlist_finish(&names);
}

static void set_destination(struct facts *facts, struct section *destination)
{
	const struct entry *type = section_take(destination, "type");
	const struct entry *path = section_take(destination, "path");

	if (type && path && strcasecmp(type->value, "maildir") == 0) {
		delivery_set_maildir(facts, path->line, path->value);
		facts_tell_left(facts, destination);
		return;
	}
	delivery_tell_elsewhere(facts, entry_line(type), "destination");
	for (size_t i = 0; destination && i < destination->count; i++) {
		destination->entries[i].is_taken = true;
	}
}

static void set_options(struct facts *facts, struct section *options, bool is_pop3)
{
	const struct entry *deletes = section_take(options, "delete");
	const struct entry *after = section_take(options, "delete_after");
	bool is_after = after && strcmp(after->value, "0") != 0;
	bool is_deleted = entry_is_yes(deletes);

	delivery_set_policy(facts, entry_line(is_deleted ? deletes : after), is_pop3,
			    is_deleted || (is_after && !is_pop3));
	if (is_after && is_pop3 && !is_deleted) {
		facts_set_days(facts, after->line, "leave_on_server", after->value);
	}
	facts_apply(facts, options, RULES(option_rules));
	facts_tell_left(facts, options);
}

/* Destinations have whatever names. */
static bool is_own(const char *kind)
{
	return !*kind || strcmp(kind, "retriever") == 0 || strcmp(kind, "destination") == 0 ||
	       strcmp(kind, "options") == 0 || strcmp(kind, "default") == 0;
}

static void tell_others(struct facts *facts)
{
	for (size_t i = 0; i < facts->source->count; i++) {
		const struct section *section = &facts->source->sections[i];
		if (!is_own(section->kind)) {
			facts_tell_section(
				facts, section,
				strncmp(section->kind, "filter", 6) == 0
					? "mailsync filters nothing; do it behind it "
					  "(on_new)"
					: "mailsync has one place for an account's mail: "
					  "see `maildir`");
		}
	}
	facts_tell_defaults(facts);
}

void migrate_getmail(struct facts *facts)
{
	struct section *retriever = source_find(facts->source, "retriever", NULL);
	const struct entry *type = section_take(retriever, "type");
	const struct entry *prints = section_take(retriever, "ssl_fingerprints");
	const char *host = section_value(retriever, "server");
	bool is_pop3 = type && span_contains_nocase(span_of(type->value), "POP3");

	if (!type || !host) {
		return;
	}
	delivery_begin(facts, host);
	facts_set(facts, type->line, "protocol", is_pop3 ? "pop3" : "");
	facts_apply(facts, retriever, RULES(retriever_rules));
	set_login(facts, retriever);
	facts_set_tls(facts, type->line,
		      span_contains_nocase(span_of(type->value), "SSL") ? TLS_IMPLICIT : TLS_NONE);
	set_destination(facts, source_find(facts->source, "destination", NULL));
	set_options(facts, source_find(facts->source, "options", NULL), is_pop3);
	if (span_starts_nocase(span_of(type->value), "multidrop")) {
		facts_note(facts, type->line, "type", "mail is not given out by its recipients");
	}
	if (prints) {
		facts_tell_fingerprint(facts, prints->line, "ssl_fingerprints");
	}
	if (!is_pop3) {
		set_mailboxes(facts, retriever);
	}
	facts_apply(facts, retriever, RULES(more_rules));
	facts_tell_left(facts, retriever);
	tell_others(facts);
}
