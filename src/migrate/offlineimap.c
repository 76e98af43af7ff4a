/* The file of offlineimap: accounts of two repositories each. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "mailsync/base/strlist.h"
#include "python.h"
#include "readers.h"

#define EVALUATED "it is Python, which is not run here: put in what comes out"
#define NOT_RUN   "it is Python, which is not run here. "
#define QUIRK     "not needed, or not known, here"

static const struct rule account_rules[] = {
	{"presynchook", FATE_COPY, "pre_sync", NULL},
	{"postsynchook", FATE_COPY, "post_sync", NULL},
	{"maxsize", FATE_COPY, "max_message_size", NULL},
	{"autorefresh", FATE_TELL, NULL,
	 "`mailsync watch` stays and hears of changes, or let a timer run `mailsync`"},
	{"quick", FATE_TELL, NULL, "each run costs only what changed"},
	{"synclabels", FATE_TELL, NULL, "labels are not kept in headers; keywords come as flags"},
	{"labelsheader", FATE_TELL, NULL, "labels are not kept in headers"},
	{"ignorelabels", FATE_TELL, NULL, "labels are not kept in headers"},
	{"filterheaders", FATE_TELL, NULL, "messages are kept as they are, byte for byte"},
	{"status_backend", FATE_TELL, NULL, "mailsync keeps its own state, in state_dir"},
	{"utf8foldernames", FATE_TELL, NULL,
	 "folders have names in UTF-8; those that are there keep theirs"},
	{"newmailhook", FATE_TELL, NULL, "see the key `on_new`"},
	{"proxy", FATE_TELL, NULL,
	 "put it into `proxy`, as socks5h://HOST:PORT or http://HOST:PORT"},
	{"authproxy", FATE_TELL, NULL, "see the key `proxy`"},
};

static const struct rule local_rules[] = {
	{"localfolders", FATE_PATH, "maildir", NULL},
	{"startdate", FATE_TELL, NULL, "see the key `max_age`"},
	{"restoreatime", FATE_TELL, NULL, QUIRK},
	{"utime_from_header", FATE_TELL, NULL, "a file's time is that of its arrival"},
	{"filename_use_mail_timestamp", FATE_TELL, NULL, QUIRK},
	{"foldersort", FATE_TELL, NULL, QUIRK},
};

static const struct rule remote_rules[] = {
	{"remotehost", FATE_COPY, "host", NULL},
	{"remoteport", FATE_COPY, "port", NULL},
	{"remoteuser", FATE_COPY, "user", NULL},
	{"preauthtunnel", FATE_COPY, "tunnel", NULL},
	{"transporttunnel", FATE_COPY, "tunnel", NULL},
	{"remotepassfile", FATE_PATH, "password_file", NULL},
	{"sslclientcert", FATE_PATH, "tls_cert_file", NULL},
	{"sslclientkey", FATE_PATH, "tls_key_file", NULL},
	{"maxconnections", FATE_COPY, "connections", NULL},
	{"subscribedonly", FATE_YES, "subscribed_only", NULL},
	{"remotehosteval", FATE_TELL, NULL, EVALUATED " into `host`"},
	{"remoteporteval", FATE_TELL, NULL, EVALUATED " into `port`"},
	{"remoteusereval", FATE_TELL, NULL, EVALUATED " into `user`"},
	{"remotepasseval", FATE_TELL, NULL,
	 "it is Python, which is not run here: the command that it runs belongs into "
	 "password_command"},
	{"remote_identity", FATE_TELL, NULL, "there is no key for another identity"},
	{"ssl_version", FATE_TELL, NULL, "TLS from 1.2 on; see the key `tls_min_version`"},
	{"tls_level", FATE_TELL, NULL, "TLS from 1.2 on; see the key `tls_min_version`"},
	{"idlefolders", FATE_TELL, NULL, "see `mailsync watch` and the key `watch_mailboxes`"},
	{"keepalive", FATE_TELL, NULL, "see `mailsync watch`"},
	{"holdconnectionopen", FATE_TELL, NULL, "see `mailsync watch`"},
	{"spamfolder", FATE_TELL, NULL, "see the key `mailboxes`"},
	{"decodefoldernames", FATE_TELL, NULL,
	 "folders have names in UTF-8; those that are there keep theirs"},
	{"dynamic_folderfilter", FATE_TELL, NULL, QUIRK},
	{"foldersort", FATE_TELL, NULL, QUIRK},
	{"newmail_hook", FATE_TELL, NULL, "see the key `on_new`"},
	{"copy_ignore_eval", FATE_TELL, NULL, EVALUATED},
	{"retrycount", FATE_TELL, NULL, QUIRK},
	{"singlethreadperfolder", FATE_TELL, NULL, QUIRK},
	{"ipv6", FATE_TELL, NULL, "both are tried"},
	{"oauth2_client_secret", FATE_TELL, NULL,
	 "it is not shown here; see the keys `oauth_client_secret` and ..._command"},
	{"oauth2_refresh_token", FATE_TELL, NULL,
	 "it is not taken over: sign in by `mailsync login`"},
	{"oauth2_access_token", FATE_TELL, NULL,
	 "it is not taken over: sign in by `mailsync login`"},
	{"oauth2_access_token_eval", FATE_TELL, NULL, "sign in by `mailsync login`"},
	{"oauth2_refresh_token_eval", FATE_TELL, NULL, "sign in by `mailsync login`"},
	{"oauth2_client_id_eval", FATE_TELL, NULL, EVALUATED " into `oauth_client_id`"},
	{"oauth2_client_secret_eval", FATE_TELL, NULL,
	 EVALUATED " into `oauth_client_secret_command`"},
};

static const struct rule general_rules[] = {
	{"socktimeout", FATE_TELL, NULL, "see the key `timeout`"},
	{"metadata", FATE_TELL, NULL, "mailsync keeps its own state, in state_dir"},
	{"maxsyncaccounts", FATE_TELL, NULL, "see the option --jobs"},
	{"ui", FATE_TELL, NULL, "see the options -v, -q and --json"},
	{"pythonfile", FATE_TELL, NULL, "Python is not run here"},
	{"fsync", FATE_TELL, NULL, "see the key `durability`"},
};

/* One account and its two repositories. */
struct account {
	struct section *account, *local, *remote;
};

/* --- login --- */

static void set_tls(struct facts *facts, struct section *remote)
{
	const struct entry *ssl = section_take(remote, "ssl");
	const struct entry *starttls = section_take(remote, "starttls");
	const struct entry *authorities = section_take(remote, "sslcacertfile");
	const struct entry *print = section_take(remote, "cert_fingerprint");

	if (!facts_has(facts, "tunnel")) {
		facts_set_tls(facts, entry_line(ssl),
			      !entry_is_no(ssl)       ? TLS_IMPLICIT
			      : entry_is_no(starttls) ? TLS_NONE
						      : TLS_STARTTLS);
	}
	if (authorities && strcasecmp(authorities->value, "OS-DEFAULT") != 0) {
		facts_set_path(facts, authorities->line, "tls_ca_file", authorities->value);
	}
	if (print) {
		facts_tell_fingerprint(facts, print->line, "cert_fingerprint");
	}
}

/* Who gives out tokens is known by where they are asked for. */
static void set_oauth(struct facts *facts, struct section *remote)
{
	const struct entry *url = section_take(remote, "oauth2_request_url");
	const struct entry *id = section_take(remote, "oauth2_client_id");
	struct span where = span_of(url ? url->value : "");
	const char *issuer = span_contains_nocase(where, "google")    ? "google"
			   : span_contains_nocase(where, "microsoft") ? "microsoft"
								      : NULL;

	if (issuer) {
		facts_set(facts, url->line, "oauth", issuer);
		facts_set(facts, entry_line(id), "oauth_client_id", id ? id->value : NULL);
	} else if (url) {
		facts_note(facts, url->line, url->key,
			   "see the key `oauth` for who gives out tokens there");
	}
}

static void set_mechanism(struct facts *facts, const struct entry *entry)
{
	if (!entry) {
		return;
	}
	if (strchr(entry->value, ',')) {
		facts_note(facts, entry->line, entry->key,
			   "of several ways the strongest on offer is taken; see the key `auth`");
	} else if (!facts_has(facts, "oauth")) {
		facts_set_auth(facts, entry->line, entry->value);
	}
}

/* Gmail keeps among all mail what is only taken out of a folder, and not for long what lies in its
 * trash: where offlineimap did the one, the other would lose mail. */
static void set_trash(struct facts *facts, struct section *remote)
{
	const struct entry *moves = section_take(remote, "realdelete");
	const struct entry *trash = section_take(remote, "trashfolder");

	if (entry_is_yes(moves)) {
		facts_set(facts, moves->line, "trash", trash ? trash->value : "[Gmail]/Trash");
	} else if (trash) {
		facts_note(facts, trash->line, trash->key,
			   "offlineimap does not move there what is deleted, but takes it out of "
			   "its folder alone; the key `trash` moves it");
	}
}

static void set_login(struct facts *facts, struct section *remote)
{
	const struct entry *password = section_take(remote, "remotepass");

	facts_apply(facts, remote, RULES(remote_rules));
	if (strcasecmp(section_value(remote, "type"), "gmail") == 0 && !facts_has(facts, "host")) {
		facts_set(facts, remote->line, "host", "imap.gmail.com");
	}
	set_trash(facts, remote);
	set_tls(facts, remote);
	set_oauth(facts, remote);
	set_mechanism(facts, section_take(remote, "auth_mechanisms"));
	facts_secret(facts, entry_line(password), password ? password->value : NULL);
	const struct entry *compress = section_take(remote, "usecompression");
	if (entry_is_yes(compress)) {
		facts_set(facts, compress->line, "compress", "auto");
	}
}

/* --- mailboxes --- */

/* False where it cannot be read. */
static bool set_filter(struct facts *facts, const struct entry *filter)
{
	struct strlist names;
	bool is_out = false;

	strlist_init(&names);
	bool is_good = python_filter(span_of(filter->value), &names, &is_out);
	if (is_good && is_out) {
		facts_set(facts, filter->line, "mailboxes", "*");
	}
	for (size_t i = 0; is_good && i < names.count; i++) {
		facts_add_wire_name(facts, filter->line, names.items[i], is_out);
	}
	if (is_good && !facts_has(facts, "mailboxes")) {
		facts_set(facts, filter->line, "mailboxes", "!*");
	}
	strlist_finish(&names);
	return is_good;
}

static void add_includes(struct facts *facts, const struct entry *includes)
{
	struct strlist names;

	strlist_init(&names);
	if (!facts_has(facts, "mailboxes") || !python_strings(span_of(includes->value), &names)) {
		facts_note(facts, includes->line, includes->key, "put the names into `mailboxes`");
		strlist_finish(&names);
		return;
	}
	for (size_t i = 0; i < names.count; i++) {
		facts_add_wire_name(facts, includes->line, names.items[i], false);
	}
	strlist_finish(&names);
}

/* What cannot be read makes no mailbox, so that none is copied under another name. */
static void guard(struct facts *facts, const struct entry *entry, const char *why)
{
	facts_set(facts, entry->line, "create", "none");
	facts_note(facts, entry->line, entry->key,
		   "%s Until then no mailbox is made on either side (`create = none`)", why);
}

static void set_mailboxes(struct facts *facts, const struct account *account)
{
	const struct entry *filter = section_take(account->remote, "folderfilter");
	const struct entry *kept = section_take(account->local, "folderfilter");
	const struct entry *reference = section_take(account->remote, "reference");
	const struct entry *includes = section_take(account->remote, "folderincludes");
	const struct entry *there = section_take(account->remote, "nametrans");
	const struct entry *here = section_take(account->local, "nametrans");
	const struct entry *separator = section_take(account->local, "sep");

	if (filter && !set_filter(facts, filter)) {
		guard(facts, filter, NOT_RUN "Put into `mailboxes` what it lets through.");
	}
	if (kept) {
		guard(facts, kept, NOT_RUN "Take out of `mailboxes` what it keeps here.");
	}
	if (reference && *reference->value) {
		guard(facts, reference,
		      "offlineimap saw only what lies below it. Put that into `mailboxes`, without "
		      "the server's own prefix (NAMESPACE).");
	}
	if (includes) {
		add_includes(facts, includes);
	}
	if (there || here) {
		guard(facts, there ? there : here,
		      NOT_RUN
		      "Folders need the names that the server's mailboxes have, without its own "
		      "prefix "
		      "(INBOX.): rename those that differ.");
	}
	if (!separator || strcmp(separator->value, ".") == 0) {
		facts_note(facts, entry_line(separator), "sep",
			   "folders a.b that are there stay a/b's; a new mailbox a/b gets a folder "
			   "a/b");
	} else if (strcmp(separator->value, "/") != 0) {
		facts_note(facts, separator->line, "sep",
			   "the folder of a mailbox a/b is not a/b here: rename these folders");
		facts_set(facts, separator->line, "create", "none");
	}
}

/* --- what goes where --- */

static void set_policy(struct facts *facts, const struct account *account)
{
	bool is_read = source_is_yes(section_value(account->remote, "readonly"));
	bool is_kept = source_is_yes(section_value(account->local, "readonly"));
	bool from_local = !entry_is_no(section_take(account->local, "sync_deletes"));
	bool from_remote = !entry_is_no(section_take(account->remote, "sync_deletes"));
	const struct entry *expunge = section_take(account->remote, "expunge");
	bool makes_local = !entry_is_no(section_take(account->local, "createfolders"));
	bool makes_remote = !entry_is_no(section_take(account->remote, "createfolders"));

	(void)section_take(account->remote, "readonly");
	(void)section_take(account->local, "readonly");
	facts_set(facts, 0, "direction", is_read ? "pull" : is_kept ? "push" : NULL);
	if (entry_is_no(expunge)) {
		facts_note(facts, expunge->line, "expunge",
			   "offlineimap only marks as deleted there what is gone here; mailsync "
			   "leaves "
			   "it alone there (`delete`)");
		from_local = false;
	}
	if (!from_local || !from_remote) {
		facts_set(facts, 0, "delete",
			  from_local    ? "remote"
			  : from_remote ? "local"
					: "none");
	}
	if ((!makes_local || !makes_remote) && !facts_has(facts, "create")) {
		facts_set(facts, 0, "create",
			  makes_local    ? "local"
			  : makes_remote ? "remote"
					 : "none");
	}
}

/* customflag_a = NAME: the folder's table of names has to tell that, too. */
static void tell_letters(struct facts *facts, struct section *local)
{
	for (size_t i = 0; i < local->count; i++) {
		struct entry *entry = &local->entries[i];
		if (strncmp(entry->key, "customflag_", 11) != 0 || entry->is_taken) {
			continue;
		}
		entry->is_taken = true;
		facts_note(facts, entry->line, entry->key,
			   "a line `%d KEYWORD` in the file dovecot-keywords of each folder keeps "
			   "that "
			   "letter's name",
			   entry->key[11] >= 'a' && entry->key[11] <= 'z' ? entry->key[11] - 'a'
									  : 0);
	}
}

static void set_limits(struct facts *facts, struct section *section)
{
	const struct entry *age = section_take(section, "maxage");

	if (age) {
		facts_set_days(facts, age->line, "max_age", age->value);
	}
}

/* --- accounts --- */

static struct section *repository_of(struct facts *facts, struct section *account, const char *key)
{
	const struct entry *entry = section_take(account, key);
	struct section *repository =
		entry ? source_find(facts->source, "repository", entry->value) : NULL;

	if (repository) {
		section_again(repository); /* accounts may share one */
		(void)section_take(repository, "type");
	}
	return repository;
}

static bool is_of_type(const struct section *repository, const char *one, const char *other)
{
	const char *type = section_value(repository, "type");
	return type && (strcasecmp(type, one) == 0 || strcasecmp(type, other) == 0);
}

static void add_account(struct facts *facts, struct section *section)
{
	struct account account = {section, repository_of(facts, section, "localrepository"),
				  repository_of(facts, section, "remoterepository")};

	section->is_taken = true;
	if (!is_of_type(account.local, "Maildir", "GmailMaildir") ||
	    !is_of_type(account.remote, "IMAP", "Gmail")) {
		facts_rest(facts);
		facts_tell_section(facts, section,
				   "it is not between an IMAP server and a Maildir");
		return;
	}
	facts_begin(facts, section->name);
	if (facts->code < 0) {
		return;
	}
	set_login(facts, account.remote);
	facts_apply(facts, account.local, RULES(local_rules));
	set_mailboxes(facts, &account);
	set_policy(facts, &account);
	set_limits(facts, section);
	tell_letters(facts, account.local);
	facts_apply(facts, section, RULES(account_rules));
	facts_tell_left(facts, section);
	facts_tell_left(facts, account.local);
	facts_tell_left(facts, account.remote);
}

#define REFERRED_MAX   4096
#define DEPTH_MAX      10
#define REFERENCES_MAX 100

/* NAME of "%(NAME)s", of the same section, where [DEFAULT]'s are, too; NULL: there is none. */
static const char *refer(struct section *section, struct span name)
{
	const char *value = NULL;

	for (size_t i = 0; i < section->count; i++) {
		if (span_equal_nocase(name, section->entries[i].key)) {
			section->entries[i].is_referred = true;
			value = section->entries[i].value;
		}
	}
	return value;
}

/* As Python's configparser: "%" is doubled, and "%(NAME)s" another value. False: that is not there,
 * or goes round. LEFT: so many references more. */
static bool expand(struct section *section, const char *value, int depth, int *left,
		   struct buf *out)
{
	for (const char *in = value; *in; in++) {
		const char *end = in[0] == '%' && in[1] == '(' ? strstr(in, ")s") : NULL;
		if (end) {
			struct span name = {in + 2, (size_t)(end - in) - 2};
			const char *other = refer(section, name);
			if (!other || depth >= DEPTH_MAX || (*left)-- <= 0 ||
			    !expand(section, other, depth + 1, left, out)) {
				return false;
			}
			in = end + 1;
		} else {
			in += in[0] == '%' && in[1] == '%';
			buf_append_char(out, *in);
		}
	}
	return true;
}

static char *expanded(struct facts *facts, struct section *section, struct entry *entry)
{
	int left = REFERENCES_MAX;
	struct buf out;

	buf_init(&out, strlen(entry->value) + REFERRED_MAX);
	if (!expand(section, entry->value, 0, &left, &out) || out.failed != 0) {
		facts_note(facts, entry->line, entry->key,
			   "it refers to another value, which is not there");
		entry->is_taken = true;
		buf_clear(&out);
	}
	char *made = span_dup(buf_span(&out));
	if (!made) {
		facts->code = err_nomem(facts->err);
	}
	buf_finish_secret(&out);
	return made;
}

/* All of them by what the file says, before any is replaced. */
static void interpolate_section(struct facts *facts, struct section *section)
{
	char **values = calloc(section->count + 1, sizeof(*values));

	for (size_t i = 0; values && i < section->count && facts->code == 0; i++) {
		values[i] = expanded(facts, section, &section->entries[i]);
	}
	if (!values) {
		facts->code = err_nomem(facts->err);
	}
	for (size_t i = 0; values && i < section->count; i++) {
		char *before = section->entries[i].value;
		if (values[i]) {
			section->entries[i].value = values[i];
			secret_wipe(before, strlen(before));
			free(before);
		}
	}
	free((void *)values);
}

static void interpolate(struct facts *facts)
{
	facts_rest(facts);
	for (size_t i = 0; i < facts->source->count && facts->code == 0; i++) {
		interpolate_section(facts, &facts->source->sections[i]);
	}
}

void migrate_offlineimap(struct facts *facts)
{
	struct section *general = source_find(facts->source, "general", NULL);
	interpolate(facts);
	const struct entry *wanted = section_take(general, "accounts");

	for (const char *list = wanted ? wanted->value : ""; *list && facts->code == 0;) {
		size_t len = strcspn(list, ",");
		char *name = span_dup(span_trim((struct span){list, len}));
		struct section *section = name ? source_find(facts->source, "account", name) : NULL;
		if (section && !section->is_taken) {
			add_account(facts, section);
		} else if (!section && name && *name) {
			facts_rest(facts);
			facts_note(facts, wanted->line, "accounts", "there is no [Account %s]",
				   name);
		}
		free(name);
		list += len + (list[len] == ',');
	}
	facts_rest(facts);
	for (size_t i = 0; i < facts->source->count; i++) {
		struct section *section = &facts->source->sections[i];
		if (!section->is_taken && *section->kind && section != general &&
		    strcmp(section->kind, "default") != 0) {
			facts_tell_section(facts, section,
					   strcmp(section->kind, "mbnames") == 0
						   ? "see `mailsync list` and the key `on_change`"
						   : "no account needs it");
		}
	}
	facts_apply(facts, general, RULES(general_rules));
	facts_tell_left(facts, general);
	facts_tell_defaults(facts);
}
