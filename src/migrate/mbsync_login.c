/* How an mbsync account logs in: the entries of an IMAPAccount, or of a store that is its own. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "mailsync/base/buf.h"
#include "mbsync.h"

#define TEXT_MAX 65536

static const struct rule login_rules[] = {
	{"host", FATE_COPY, "host", NULL},
	{"port", FATE_COPY, "port", NULL},
	{"user", FATE_COPY, "user", NULL},
	{"clientcertificate", FATE_PATH, "tls_cert_file", NULL},
	{"clientkey", FATE_PATH, "tls_key_file", NULL},
	{"usercmd", FATE_TELL, NULL, "mailsync has no command for the name: put it into `user`"},
	{"usekeychain", FATE_TELL, NULL,
	 "use password_command = security find-internet-password -s HOST -a USER -w"},
	{"usetlsv1", FATE_TELL, NULL, "TLS older than 1.2 is not spoken"},
	{"cipherstring", FATE_TELL, NULL, "the ciphers are the system's"},
	{"pipelinedepth", FATE_TELL, NULL, "not needed: what is in flight is bounded"},
};

static void set_word(struct facts *facts, struct section *section, const struct rule *rule)
{
	struct buf word;
	int line;

	buf_init(&word, TEXT_MAX);
	if (section_take_word(section, rule->word, &word, &line)) {
		if (rule->fate == FATE_PATH) {
			facts_set_path(facts, line, rule->key, word.data);
		} else {
			facts_set(facts, line, rule->key, word.data);
		}
	}
	buf_finish_secret(&word);
}

void mbsync_apply(struct facts *facts, struct section *section, const struct rule *rules,
		  size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (rules[i].fate == FATE_COPY || rules[i].fate == FATE_PATH) {
			set_word(facts, section, &rules[i]);
		} else {
			facts_apply(facts, section, &rules[i], 1);
		}
	}
}

static void set_tls(struct facts *facts, struct section *login)
{
	struct buf type;
	int line;

	buf_init(&type, TEXT_MAX);
	bool is_told = section_take_word(login, "ssltype", &type, &line) ||
		       section_take_word(login, "tlstype", &type, &line);
	const char *host = facts_value(facts, "host");
	bool is_old = source_is_yes(section_value(login, "useimaps"));

	if (host && strncasecmp(host, "imaps:", 6) == 0 && host[6]) { /* before 1.2 */
		char *name = span_dup(span_of(host + 6));
		facts_set(facts, login->line, "host", name);
		free(name);
		is_old = true;
	}
	(void)section_take(login, "useimaps");
	(void)section_take(login, "requiressl");
	if (!facts_has(facts, "tunnel")) {
		facts_set_tls(facts, line,
			      is_old || (is_told && strcasecmp(type.data, "imaps") == 0)
				      ? TLS_IMPLICIT
			      : is_told && strcasecmp(type.data, "none") == 0 ? TLS_NONE
									      : TLS_STARTTLS);
	} else if (is_told && strcasecmp(type.data, "none") != 0) {
		facts_note(facts, line, "tls", "what comes through a tunnel is taken as it is");
	}
	buf_finish(&type);
}

static void set_tls_versions(struct facts *facts, struct section *login)
{
	const struct entry *old = section_take(login, "sslversions");
	const struct entry *versions = section_take(login, "tlsversions");

	versions = versions ? versions : old;
	struct span rest = span_of(versions ? versions->value : "");
	struct buf words;
	buf_init(&words, TEXT_MAX);
	while (source_next_word(&rest, &words)) {
		buf_append_char(&words, ' ');
	}
	/* What is taken away or added: from 1.2 on is the default of both. */
	bool is_change = strchr(words.data, '-') || strchr(words.data, '+');
	bool has_old = strstr(words.data, "1.2") != NULL;
	if (versions && !is_change && !has_old && strstr(words.data, "1.3")) {
		facts_set(facts, versions->line, "tls_min_version", "1.3");
	} else if (versions && !is_change && !has_old) {
		facts_note(facts, versions->line, "tls", "TLS older than 1.2 is not spoken");
	}
	buf_finish(&words);
}

static void set_authorities(struct facts *facts, struct section *login)
{
	static const struct rule file = {"certificatefile", FATE_PATH, "tls_ca_file", NULL};
	bool has_system = !source_is_no(section_value(login, "systemcertificates"));

	(void)section_take(login, "systemcertificates");
	set_word(facts, login, &file);
	if (has_system && facts_has(facts, "tls_ca_file")) {
		facts_note(
			facts, section_look(login, "certificatefile")->line, "certificatefile",
			"tls_ca_file stands in place of the system's authorities, not beside them; "
			"where the system knows the server's, leave it out");
	}
}

static void set_mechanism(struct facts *facts, struct section *login)
{
	const struct entry *entry = section_take(login, "authmechs");
	struct span rest = span_of(entry ? entry->value : "");
	struct buf word, more;

	entry = entry ? entry : section_take(login, "authmech");
	buf_init(&word, TEXT_MAX);
	buf_init(&more, TEXT_MAX);
	if (source_next_word(&rest, &word) && word.failed == 0) {
		if (source_next_word(&rest, &more)) {
			facts_note(facts, entry->line, "authmechs",
				   "of several ways the strongest on offer is taken; see the key "
				   "`auth`");
		} else {
			facts_set_auth(facts, entry->line, word.data);
		}
	}
	buf_finish(&more);
	buf_finish(&word);
}

static void set_password(struct facts *facts, struct section *login)
{
	struct buf word;
	int line;

	buf_init(&word, TEXT_MAX);
	if (section_take_word(login, "passcmd", &word, &line)) {
		/* "+": it talks to the terminal, which any may here. */
		facts_set(facts, line, "password_command", word.data + (word.data[0] == '+'));
	}
	buf_clear(&word);
	if (section_take_word(login, "pass", &word, &line)) {
		facts_secret(facts, line, word.data);
	}
	buf_finish_secret(&word);
}

/* Words of DisableExtension are capabilities. */
static void set_extensions(struct facts *facts, struct section *login)
{
	struct buf all, word;

	buf_init(&all, TEXT_MAX);
	buf_init(&word, TEXT_MAX);
	for (size_t i = 0; i < login->count; i++) {
		struct entry *entry = &login->entries[i];
		struct span rest = span_of(entry->value);
		if (strncmp(entry->key, "disableextension", 16) != 0) {
			continue;
		}
		entry->is_taken = true;
		for (; source_next_word(&rest, &word); buf_clear(&word)) {
			buf_printf(&all, "%s%s", all.len > 0 ? " " : "", word.data);
		}
	}
	if (all.failed == 0 && all.len > 0) {
		facts_set(facts, login->line, "disable_extensions", all.data);
	}
	buf_finish(&word);
	buf_finish(&all);
}

void mbsync_set_login(struct facts *facts, struct section *login)
{
	static const struct rule tunnel = {"tunnel", FATE_COPY, "tunnel", NULL};
	static const struct rule timeout = {"timeout", FATE_LIMIT, "timeout", WAITS_FOR_EVER};

	set_word(facts, login, &tunnel);
	mbsync_apply(facts, login, RULES(login_rules));
	set_tls(facts, login);
	set_tls_versions(facts, login);
	set_authorities(facts, login);
	set_mechanism(facts, login);
	set_password(facts, login);
	set_extensions(facts, login);
	facts_apply(facts, login, &timeout, 1);
}
