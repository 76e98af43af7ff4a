#include "facts.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "mailsync/base/array.h"
#include "mailsync/base/auth.h"
#include "mailsync/base/strlist.h"
#include "mailsync/base/url.h"
#include "mailsync/model/mbname.h"
#include "mailsync/model/mutf7.h"

#define NAME_MAX_SHOWN 60
#define TEXT_MAX       65536

static bool is_over(const struct facts *facts)
{
	return facts->code < 0;
}

static char *own(struct facts *facts, const char *text)
{
	char *made = span_dup(span_of(text));

	if (!made) {
		facts->code = err_nomem(facts->err);
	}
	return made;
}

void facts_begin(struct facts *facts, const char *name)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				    "0123456789._-";
	struct migrate *migrate = facts->migrate;
	char shown[NAME_MAX_SHOWN + 1] = "account";
	size_t len = 0;

	for (; *name && len < NAME_MAX_SHOWN; name++) {
		shown[len++] = strchr(plain, *name) ? *name : '_';
	}
	shown[len > 0 ? len : strlen(shown)] = '\0';
	if (shown[strspn(shown, ".")] == '\0') {
		shown[0] = '_';
	}
	if (is_over(facts)) {
		return;
	}
	if (ARRAY_RESERVE(&migrate->accounts, migrate->count + 1, &migrate->cap, facts->err) < 0) {
		facts->code = -ERR_NOMEM;
		return;
	}
	facts->account = &migrate->accounts[migrate->count++];
	*facts->account = (struct migrate_account){.name = own(facts, shown)};
	secret_init(&facts->account->password);
}

void facts_rest(struct facts *facts)
{
	facts->account = &facts->migrate->rest;
}

void facts_note(struct facts *facts, int line, const char *word, const char *format, ...)
{
	struct migrate_account *account = facts->account;
	char sentence[ERR_TEXT_SIZE];
	struct err shown; /* control characters are taken out there */
	va_list args;

	if (is_over(facts)) {
		return;
	}
	va_start(args, format);
	vsnprintf(sentence, sizeof(sentence), format, args);
	va_end(args);
	(void)err_set(&shown, ERR_NONE, SCOPE_RUN, "%s", sentence);
	struct migrate_note note = {line, NULL, own(facts, shown.text)};
	(void)err_set(&shown, ERR_NONE, SCOPE_RUN, "%.*s", NAME_MAX_SHOWN, word);
	note.word = is_over(facts) ? NULL : own(facts, shown.text);
	if (is_over(facts) || ARRAY_RESERVE(&account->notes, account->note_count + 1,
					    &account->note_cap, facts->err) < 0) {
		free(note.word);
		free(note.why);
		facts->code = -ERR_NOMEM;
		return;
	}
	account->notes[account->note_count++] = note;
}

/* --- keys --- */

static struct migrate_pair *find(const struct migrate_account *account, const char *key)
{
	for (size_t i = 0; i < account->pair_count; i++) {
		if (strcmp(account->pairs[i].key, key) == 0) {
			return &account->pairs[i];
		}
	}
	return NULL;
}

const char *migrate_value(const struct migrate_account *account, const char *key)
{
	const struct migrate_pair *pair = find(account, key);
	return pair ? pair->value : NULL;
}

const char *facts_value(const struct facts *facts, const char *key)
{
	return migrate_value(facts->account, key);
}

bool facts_has(const struct facts *facts, const char *key)
{
	return facts_value(facts, key) != NULL;
}

void facts_unset(struct facts *facts, const char *key)
{
	struct migrate_account *account = facts->account;
	struct migrate_pair *pair = find(account, key);

	if (pair) {
		size_t behind = (size_t)(account->pairs + account->pair_count - (pair + 1));
		free(pair->key);
		free(pair->value);
		memmove(pair, pair + 1, behind * sizeof(*pair));
		account->pair_count--;
	}
}

static bool is_zero(const char *value)
{
	return *value && value[strspn(value, "0")] == '\0';
}

/* Of these there is at least one, or a limit of none has another word. */
static bool is_counted(const char *key)
{
	return strcmp(key, "port") == 0 || strcmp(key, "timeout") == 0 ||
	       strcmp(key, "connections") == 0 || strcmp(key, "max_message_size") == 0;
}

/* The most that a key with a number alone takes; 0: it is none. */
static unsigned long most_of(const char *key)
{
	return strcmp(key, "port") == 0 ? 65535 : strcmp(key, "connections") == 0 ? 64 : 0;
}

static bool is_number_within(const char *value, unsigned long most)
{
	size_t len = strspn(value, "0123456789");
	return len > 0 && len < 10 && value[len] == '\0' && strtoul(value, NULL, 10) <= most;
}

/* A configuration has no quoting, and takes a value in quotes for a mistake. */
static bool is_fit(const char *key, const char *value)
{
	size_t len = strlen(value);
	bool is_quoted = len > 1 && (*value == '"' || *value == '\'') && value[len - 1] == *value;
	bool may_be_quoted = strcmp(key, "mailboxes") == 0 || strstr(key, "command") != NULL;
	unsigned long most = most_of(key);

	return len > 0 && err_shows(value) && (!is_quoted || may_be_quoted) &&
	       span_trim(span_of(value)).len == len && !(is_counted(key) && is_zero(value)) &&
	       (most == 0 || is_number_within(value, most));
}

static void store(struct facts *facts, const char *key, const char *value)
{
	struct migrate_account *account = facts->account;
	struct migrate_pair *there = find(account, key);
	char *made = own(facts, value);

	if (there && made) {
		free(there->value);
		there->value = made;
		return;
	}
	struct migrate_pair pair = {made ? own(facts, key) : NULL, made};
	if (!pair.key || ARRAY_RESERVE(&account->pairs, account->pair_count + 1, &account->pair_cap,
				       facts->err) < 0) {
		free(pair.key);
		free(pair.value);
		facts->code = -ERR_NOMEM;
		return;
	}
	account->pairs[account->pair_count++] = pair;
}

void facts_set(struct facts *facts, int line, const char *key, const char *value)
{
	if (is_over(facts) || !value || !*value) {
		return;
	}
	if (!is_fit(key, value)) {
		facts_note(facts, line, key, "its value cannot stand in a configuration");
		return;
	}
	store(facts, key, value);
}

void facts_set_path(struct facts *facts, int line, const char *key, const char *path)
{
	struct buf text;

	if (is_over(facts) || !path || !*path) {
		return;
	}
	if (*path != '/' && *path != '$' && strcmp(path, "~") != 0 && strncmp(path, "~/", 2) != 0) {
		facts_note(facts, line, key,
			   "the path is neither absolute nor below ~/; put the whole of it here");
		return;
	}
	buf_init(&text, TEXT_MAX);
	buf_append_cstr(&text, path);
	while (text.len > 1 && text.data[text.len - 1] == '/') {
		buf_truncate(&text, text.len - 1);
	}
	if (buf_status(&text, "a path", facts->err) == 0) {
		facts_set(facts, line, key, text.data);
	}
	buf_finish(&text);
}

void facts_secret(struct facts *facts, int line, const char *password)
{
	if (is_over(facts) || !password || !*password) {
		return;
	}
	if (strpbrk(password, "\r\n")) {
		facts_note(facts, line, "password", "it is more than a line; it is not taken over");
		return;
	}
	facts->account->password_line = line;
	facts->code = secret_set(&facts->account->password, span_of(password), facts->err);
}

bool account_logs_in(const struct migrate_account *account)
{
	const char *auth = migrate_value(account, "auth");
	/* A tunnel that leads no further than to the server's greeting has a password, too. */
	bool is_let_in = migrate_value(account, "tunnel") && account->password_line == 0;

	return !is_let_in &&
	       !(auth && (strcmp(auth, "external") == 0 || strcmp(auth, "gssapi") == 0));
}

/* --- entries --- */

static void apply(struct facts *facts, const struct entry *entry, const struct rule *rule)
{
	switch (rule->fate) {
	case FATE_COPY:
		facts_set(facts, entry->line, rule->key, entry->value);
		break;
	case FATE_PATH:
		facts_set_path(facts, entry->line, rule->key, entry->value);
		break;
	case FATE_LIMIT:
		if (!is_zero(entry->value) && !entry_is_no(entry)) {
			facts_set(facts, entry->line, rule->key, entry->value);
		} else if (rule->why) {
			facts_note(facts, entry->line, entry->key, "%s", rule->why);
		}
		break;
	case FATE_YES:
		facts_set(facts, entry->line, rule->key, source_is_yes(entry->value) ? "yes" : "");
		break;
	case FATE_TELL:
		facts_note(facts, entry->line, entry->key, "%s", rule->why);
		break;
	}
}

void facts_apply(struct facts *facts, struct section *section, const struct rule *rules,
		 size_t count)
{
	for (size_t i = 0; section && i < count; i++) {
		const struct entry *entry = section_look(section, rules[i].word);
		if (entry && !entry->is_taken) {
			(void)section_take(section, rules[i].word);
			apply(facts, entry, &rules[i]);
		}
	}
}

void facts_tell_left(struct facts *facts, struct section *section)
{
	for (size_t i = 0; section && i < section->count; i++) {
		struct entry *entry = &section->entries[i];
		if (!entry->is_taken && !entry->is_default && !entry->is_referred) {
			entry->is_taken = true;
			facts_note(facts, entry->line, entry->key,
				   "it is not known here; see whether it is needed");
		}
	}
}

void facts_tell_defaults(struct facts *facts)
{
	struct section *defaults = source_find(facts->source, "default", "");

	for (size_t i = 0; defaults && i < defaults->count; i++) {
		struct entry *entry = &defaults->entries[i];
		entry->is_taken = source_has_taken(facts->source, entry->key);
	}
	facts_tell_left(facts, defaults);
}

void facts_tell_section(struct facts *facts, const struct section *section, const char *why)
{
	char word[NAME_MAX_SHOWN];

	snprintf(word, sizeof(word), "%s%s%s", section->kind, *section->name ? " " : "",
		 section->name);
	facts_note(facts, section->line, word, "%s", why);
}

/* --- values of one kind --- */

void facts_set_tls(struct facts *facts, int line, enum tls tls)
{
	const char *host = facts_value(facts, "host");
	bool is_here = host && url_host_is_loopback(span_of(host));

	if (tls == TLS_NONE && !is_here) {
		facts_note(
			facts, line, "tls",
			"without TLS the password would go over the net in clear, which mailsync "
			"does not do: STARTTLS is demanded");
		tls = TLS_STARTTLS;
	}
	facts_set(facts, line, "tls",
		  tls == TLS_IMPLICIT   ? "implicit"
		  : tls == TLS_STARTTLS ? "starttls"
					: "none");
}

void facts_set_auth(struct facts *facts, int line, const char *mechanism)
{
	for (enum auth mech = AUTH_NONE + 1; mech < AUTH_COUNT; mech++) {
		const struct auth_row *row = auth_row(mech);
		if (row->word && (strcasecmp(row->word, mechanism) == 0 ||
				  strcasecmp(row->name, mechanism) == 0)) {
			facts_set(facts, line, "auth", row->word);
			return;
		}
	}
	if (strcmp(mechanism, "*") != 0 && strcasecmp(mechanism, "any") != 0 &&
	    strcasecmp(mechanism, "on") != 0 && *mechanism) {
		facts_note(facts, line, "auth",
			   "that way to log in is not known here; the strongest on offer is taken");
	}
}

void facts_tell_fingerprint(struct facts *facts, int line, const char *word)
{
	const char *host = facts_value(facts, "host");
	const char *port = facts_value(facts, "port");
	const char *tls = facts_value(facts, "tls");
	bool is_starttls = tls && strcmp(tls, "starttls") == 0;
	bool is_pop3 = facts_has(facts, "protocol");
	const char *port_by_tls =
		is_pop3 ? (is_starttls ? "110" : "995") : (is_starttls ? "143" : "993");

	facts_note(
		facts, line, word,
		"it is of the certificate, tls_pin_sha256 of its key, which stays when the "
		"certificate is renewed. Having made sure that the certificate is the right one: "
		"openssl s_client %s-connect %s:%s </dev/null | openssl x509 -pubkey -noout | "
		"openssl pkey -pubin -outform der | openssl dgst -sha256 -binary | base64",
		!is_starttls ? ""
		: is_pop3    ? "-starttls pop3 "
			     : "-starttls imap ",
		host ? host : "HOST", port ? port : port_by_tls);
}

void facts_set_days(struct facts *facts, int line, const char *key, const char *days)
{
	const char *number = days + strspn(days, "0");
	size_t len = strspn(number, "0123456789");
	const char *unit = number + len;
	bool is_unit = !*unit || strcmp(unit, "d") == 0 || strcmp(unit, "w") == 0;
	char age[32];

	if (unit == days || len > 5 || !is_unit) {
		facts_note(facts, line, key, "it is no number of days; see the key %s", key);
		return;
	}
	if (len > 0) {
		snprintf(age, sizeof(age), "%.*s%s", (int)len, number, *unit ? unit : "d");
		facts_set(facts, line, key, age);
	}
}

/* Modified UTF-7, as on the wire, where that is what it is. */
static void append_name(struct buf *out, const char *name)
{
	struct err ignored;
	size_t before = out->len;

	if (!strchr(name, '&') || mutf7_decode(span_of(name), out, &ignored) < 0) {
		buf_truncate(out, before);
		buf_append_cstr(out, name);
	}
}

/* Quotes, a comma behind it and a backslash before it mean something here, as does "!". */
static bool is_pattern(const char *name, bool is_out)
{
	return *name && !strchr(name, '"') && name[strlen(name) - 1] != ',' && *name != '\\' &&
	       (is_out || *name != '!') && utf8_is_valid(span_of(name)) && err_shows(name);
}

/* What cannot be written becomes "%": that leaves out more. */
static void loosen(char *name)
{
	for (; *name; name++) {
		bool is_plain = *name >= ' ' && *name < 0x7f && !strchr("\",\\", *name);
		*name = is_plain ? *name : '%';
	}
}

static void append_pattern(struct facts *facts, int line, const char *name, bool is_out)
{
	const char *before = facts_value(facts, "mailboxes");
	bool is_spaced = name[strcspn(name, " \t")] != '\0';
	struct buf text;

	buf_init(&text, TEXT_MAX);
	buf_printf(&text, "%s%s%s%s%s%s", before ? before : "", before ? " " : "",
		   is_spaced ? "\"" : "", is_out ? "!" : "", name, is_spaced ? "\"" : "");
	int code = buf_status(&text, "patterns", facts->err);
	if (code == 0) {
		facts_set(facts, line, "mailboxes", text.data);
	} else if (!is_over(facts)) {
		facts->code = code; /* one that leaves out must not be lost */
	}
	buf_finish(&text);
}

void facts_add_pattern(struct facts *facts, int line, const char *name, bool is_out)
{
	struct buf text;

	if (is_out && !facts_has(facts, "mailboxes")) {
		return;
	}
	buf_init(&text, TEXT_MAX);
	append_name(&text, name);
	bool is_good = text.failed == 0 && is_pattern(text.data, is_out);
	if (!is_good) {
		facts_note(facts, line, "mailboxes", "a pattern that cannot be written here%s",
			   is_out ? ": what comes near to it is left out" : "");
	}
	if (!is_good && is_out) {
		loosen(text.data);
	}
	if (text.len > 0 && (is_good || is_out)) {
		append_pattern(facts, line, text.data, is_out);
	}
	buf_finish(&text);
}

void facts_add_name(struct facts *facts, int line, const char *name, bool is_out)
{
	if (!is_out && strpbrk(name, "*%")) {
		facts_note(facts, line, "mailboxes",
			   "a name with * or %% in it, which stand for others here");
		return;
	}
	facts_add_pattern(facts, line, name, is_out);
}

void facts_add_wire_name(struct facts *facts, int line, const char *name, bool is_out)
{
	char *inner = strncmp(name, "INBOX.", 6) == 0 ? span_dup(span_of(name + 6)) : NULL;

	facts_add_name(facts, line, name, is_out);
	for (char *c = inner; c && *c; c++) {
		*c = *c == '.' ? '/' : *c;
	}
	if (inner) {
		facts_add_name(facts, line, inner, is_out);
	}
	free(inner);
}

bool facts_selects(struct facts *facts, const char *mailbox)
{
	const char *text = facts_value(facts, "mailboxes");
	struct strlist patterns;

	strlist_init(&patterns);
	while (text && *text && !is_over(facts)) {
		bool is_quoted = *text == '"';
		text += is_quoted;
		size_t len = strcspn(text, is_quoted ? "\"" : " ");
		facts->code = strlist_add(&patterns, (struct span){text, len}, facts->err);
		text += len + (is_quoted && text[len] == '"');
		text += strspn(text, " ");
	}
	bool is_selected =
		patterns.count > 0 &&
		mbname_selected((const char *const *)patterns.items, patterns.count, mailbox);
	strlist_finish(&patterns);
	return is_selected;
}
