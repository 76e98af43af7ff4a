#include "conf_rules.h"

#include <stdlib.h>
#include <string.h>

#include "mailsync/base/url.h"

/* The line to complain of: where the account sets NAME, else where its provider or [defaults] do,
 * else the section's. */
static int line_of(const struct conf_draft *draft, const char *name)
{
	const size_t sections[] = {draft->section, draft->provider, draft->defaults};
	const struct conf_key *key = conf_key_find(name);

	for (size_t i = 0; i < sizeof(sections) / sizeof(sections[0]); i++) {
		const struct conf_entry *entry = conf_source_find(draft->source, sections[i], key);
		if (entry && entry->line == 0) { /* built in */
			entry = conf_draft_find(draft, "provider");
		}
		if (entry) {
			return entry->line;
		}
	}
	return draft->account->line;
}

/* True when the account itself sets NAME. */
static bool is_set_here(const struct conf_draft *draft, const char *name)
{
	return conf_source_find(draft->source, draft->section, conf_key_find(name)) != NULL;
}

static bool is_bad(const struct conf_draft *draft, const char *name)
{
	return draft->bad_keys[conf_key_find(name) - conf_keys];
}

static void complain_of_host(struct conf_draft *draft)
{
	const struct conf_account *account = draft->account;
	bool is_pop3 = account->protocol == CONF_POP3;

	if (draft->provider == CONF_NO_SECTION) {
		conf_source_complain(draft->source, account->line,
				     "[account %s] needs 'host' (or 'provider' or 'tunnel')",
				     account->name);
	} else {
		conf_source_complain(draft->source, conf_draft_find(draft, "provider")->line,
				     "provider = %s: it names no server for %s; [account %s] needs "
				     "'host'%s",
				     account->provider, is_pop3 ? "POP3" : "IMAP", account->name,
				     is_pop3 ? ", or no protocol = pop3" : "");
	}
}

static void check_required(struct conf_draft *draft)
{
	const struct conf_account *account = draft->account;
	bool no_secret = account->tunnel ||
			 (auth_row(account->auth)->marks & AUTH_NO_SECRET) != 0 ||
			 is_bad(draft, "auth");

	if (!account->maildir && !is_bad(draft, "maildir")) {
		conf_source_complain(draft->source, account->line, "[account %s] needs 'maildir'",
				     account->name);
	}
	if (!account->host && !account->tunnel && !is_bad(draft, "host") &&
	    !is_bad(draft, "provider")) {
		complain_of_host(draft);
	}
	if (!account->user && !no_secret && !is_bad(draft, "user")) {
		conf_source_complain(draft->source, account->line, "[account %s] needs 'user'",
				     account->name);
	}
	bool has_secret = account->password.len > 0 || account->password_command ||
			  account->password_file || account->oauth || account->oauth_account ||
			  is_bad(draft, "password") || is_bad(draft, "password_file") ||
			  is_bad(draft, "oauth");
	if (!has_secret && !no_secret) {
		conf_source_complain(draft->source, account->line,
				     "[account %s] needs one of 'password', 'password_command', "
				     "'password_file' and 'oauth'",
				     account->name);
	}
}

static void check_tls(struct conf_draft *draft)
{
	const struct conf_account *account = draft->account;

	if (account->tls == CONF_TLS_NONE && !account->tunnel && account->host &&
	    !url_host_is_loopback(span_of(account->host))) {
		conf_source_complain(
			draft->source, line_of(draft, "tls"),
			"tls = none would send the password of [account %s] in the clear "
			"to %s; use implicit or starttls",
			account->name, account->host);
	}
	if (account->tunnel && is_set_here(draft, "tls") && account->tls != CONF_TLS_NONE &&
	    !is_bad(draft, "tls")) {
		conf_source_complain(
			draft->source, line_of(draft, "tls"),
			"tls has no effect on a tunnel, whose command sees to secrecy; "
			"leave it out");
	}
	if (account->tls_key_file && !account->tls_cert_file && !is_bad(draft, "tls_cert_file")) {
		conf_source_complain(draft->source, line_of(draft, "tls_key_file"),
				     "'tls_key_file' needs 'tls_cert_file'");
	}
}

static void check_auth(struct conf_draft *draft)
{
	const struct conf_account *account = draft->account;
	const struct auth_row *auth = auth_row(account->auth);

	if ((auth->marks & AUTH_POP3_ONLY) != 0 && account->protocol != CONF_POP3) {
		conf_source_complain(draft->source, line_of(draft, "auth"),
				     "auth = %s is for protocol = pop3", auth->word);
	}
	if ((auth->marks & AUTH_BY_LIBCURL) != 0 && account->tunnel) {
		conf_source_complain(draft->source, line_of(draft, "auth"),
				     "auth = %s does not work through a tunnel", auth->word);
	}
	bool has_token = account->oauth || account->oauth_account;
	if (has_token && account->auth != AUTH_AUTO && (auth->marks & AUTH_TAKES_TOKEN) == 0) {
		conf_source_complain(
			draft->source, line_of(draft, "auth"),
			"auth = %s takes no token, and [account %s] signs in by oauth; "
			"leave it out",
			auth->word, account->name);
	}
}

/* Keys that do nothing where they stand are a mistake. */
static void check_oauth_key(struct conf_draft *draft, const char *name, bool counts,
			    const char *needs)
{
	if (!counts && is_set_here(draft, name) && !is_bad(draft, "oauth")) {
		conf_source_complain(draft->source, line_of(draft, name),
				     "'%s' has no effect without %s in [account %s]", name, needs,
				     draft->account->name);
	}
}

static void check_oauth(struct conf_draft *draft)
{
	static const char *const names[] = {
		"oauth_client_id",  "oauth_client_secret", "oauth_client_secret_command",
		"oauth_scope",      "oauth_auth_url",      "oauth_token_url",
		"oauth_device_url", "oauth_register_url",  "oauth_redirect",
		"oauth_ca_file",
	};
	const struct conf_account *account = draft->account;
	bool is_custom = account->oauth && strcmp(account->oauth, "custom") == 0;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		check_oauth_key(draft, names[i], account->oauth != NULL, "oauth");
	}
	check_oauth_key(draft, "oauth_tenant",
			account->oauth && strcmp(account->oauth, "microsoft") == 0,
			"oauth = microsoft");
	if (is_custom && !account->oauth_token_url && !is_bad(draft, "oauth_token_url")) {
		conf_source_complain(draft->source, line_of(draft, "oauth"),
				     "oauth = custom needs 'oauth_token_url'");
	}
	if (is_custom && !account->oauth_auth_url && !account->oauth_device_url &&
	    !is_bad(draft, "oauth_auth_url") && !is_bad(draft, "oauth_device_url")) {
		conf_source_complain(draft->source, line_of(draft, "oauth"),
				     "oauth = custom needs 'oauth_auth_url' or 'oauth_device_url'");
	}
}

static void check_protocol(struct conf_draft *draft)
{
	const struct conf_account *account = draft->account;
	bool is_pop3 = account->protocol == CONF_POP3;
	unsigned mark = is_pop3 ? CONF_FOR_POP3 : CONF_FOR_IMAP;

	for (size_t i = 0; i < conf_key_count && !is_bad(draft, "protocol"); i++) {
		const struct conf_entry *entry =
			conf_source_find(draft->source, draft->section, &conf_keys[i]);
		if (entry && !(conf_keys[i].marks & mark)) {
			conf_source_complain(
				draft->source, entry->line,
				"key '%s' is only for %s accounts, and [account %s] has "
				"protocol = %s",
				conf_keys[i].name, is_pop3 ? "IMAP" : "POP3", account->name,
				is_pop3 ? "pop3" : "imap");
		}
	}
	if (is_pop3 && account->direction == CONF_DIRECTION_PUSH) {
		conf_source_complain(draft->source, line_of(draft, "direction"),
				     "direction = push makes no sense with protocol = pop3, which "
				     "only fetches");
	}
	if (is_pop3 && account->direction == CONF_DIRECTION_PULL &&
	    account->leave_on_server == CONF_LEAVE_NO) {
		conf_source_complain(draft->source, line_of(draft, "leave_on_server"),
				     "direction = pull changes nothing on the server, so "
				     "'leave_on_server' must not be no");
	}
}

/* host and tunnel may both be there: the tunnel is used, and the host is its name. */
static void check_rivals(struct conf_source *source, size_t section, char rivals)
{
	const struct conf_entry *first = NULL;
	size_t end = conf_source_end(source, section);

	for (size_t i = conf_source_begin(source, section); i < end; i++) {
		const struct conf_entry *entry = &source->entries[i];
		if (entry->key->rivals != rivals || !*entry->value) {
			continue;
		}
		if (first) {
			conf_source_complain(
				source, entry->line,
				"'%s' is given beside '%s' of line %d; keep one of them",
				entry->key->name, first->key->name, first->line);
		} else {
			first = entry;
		}
	}
}

void conf_rules_check_rivals(struct conf_source *source, size_t section)
{
	check_rivals(source, section, 'p');
	check_rivals(source, section, 's');
}

/* Whose token an account may use. */
static void check_token_account(struct conf_source *source, const struct conf *conf,
				const struct conf_entry *entry)
{
	const char *user = source->sections[entry->section].name;

	for (size_t i = 0; i < conf->count; i++) {
		const struct conf_account *account = &conf->accounts[i];
		if (strcmp(account->name, entry->value) != 0) {
			continue;
		}
		if (!account->oauth && !(user && strcmp(user, account->name) == 0)) {
			conf_source_complain(source, entry->line,
					     "oauth_account = %s: that account has no 'oauth'",
					     entry->value);
		}
		if (user && strcmp(user, account->name) == 0) {
			conf_source_complain(source, entry->line,
					     "oauth_account = %s is this account itself",
					     entry->value);
		}
		return;
	}
	conf_source_complain(source, entry->line, "oauth_account = %s: there is no such account",
			     entry->value);
}

void conf_rules_check_accounts(struct conf_source *source, const struct conf *conf)
{
	const struct conf_key *key = conf_key_find("oauth_account");

	for (size_t i = 0; i < source->entry_count; i++) {
		if (source->entries[i].key == key && *source->entries[i].value) {
			check_token_account(source, conf, &source->entries[i]);
		}
	}
}

void conf_rules_check(struct conf_draft *draft)
{
	check_required(draft);
	conf_rules_check_rivals(draft->source, draft->section);
	check_tls(draft);
	check_auth(draft);
	check_oauth(draft);
	check_protocol(draft);
}
