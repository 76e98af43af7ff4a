#include "conf_keys.h"

#include <stdio.h>
#include <string.h>

#include "mailsync/conf/conf.h"
#include "mailsync/conf/nearest.h"

#define BOTH      (CONF_FOR_IMAP | CONF_FOR_POP3)
#define IMAP      CONF_FOR_IMAP
#define POP3      CONF_FOR_POP3
#define ANY       (BOTH | CONF_OF_PROVIDERS)
#define ONLY      (BOTH | CONF_PROVIDER_ONLY)
#define AT(field) offsetof(struct conf_account, field)
#define IN(field) offsetof(struct conf_hints, field)

static const struct conf_word protocol_words[] = {
	{"imap", CONF_IMAP}, {"pop3", CONF_POP3}, {NULL, 0}};
static const struct conf_word tls_words[] = {{"implicit", CONF_TLS_IMPLICIT},
					     {"starttls", CONF_TLS_STARTTLS},
					     {"none", CONF_TLS_NONE},
					     {NULL, 0}};
static const struct conf_word tls_version_words[] = {{"1.2", 12}, {"1.3", 13}, {NULL, 0}};
#define WORD(id, word, name, step, marks) {word, AUTH_##id},
#define NO_WORD(id, of, name, step, marks)
static const struct conf_word auth_words[] = {{"auto", AUTH_AUTO},
					      AUTH_TABLE(WORD, NO_WORD){NULL, 0}};
static const struct conf_word compress_words[] = {{"yes", CONF_COMPRESS_YES},
						  {"no", CONF_COMPRESS_NO},
						  {"auto", CONF_COMPRESS_AUTO},
						  {NULL, 0}};
static const struct conf_word durability_words[] = {{"batch", CONF_DURABILITY_BATCH},
						    {"file", CONF_DURABILITY_FILE},
						    {"none", CONF_DURABILITY_NONE},
						    {NULL, 0}};
static const struct conf_word keywords_words[] = {{"yes", CONF_KEYWORDS_YES},
						  {"pull", CONF_KEYWORDS_PULL},
						  {"no", CONF_KEYWORDS_NO},
						  {NULL, 0}};
static const struct conf_word login_words[] = {
	{"address", CONF_LOGIN_ADDRESS}, {"local", CONF_LOGIN_LOCAL}, {NULL, 0}};
static const struct conf_word layout_words[] = {
	{"fs", CONF_LAYOUT_FS}, {"maildir++", CONF_LAYOUT_MAILDIRPP}, {NULL, 0}};
static const struct conf_word direction_words[] = {{"both", CONF_DIRECTION_BOTH},
						   {"pull", CONF_DIRECTION_PULL},
						   {"push", CONF_DIRECTION_PUSH},
						   {NULL, 0}};
static const struct conf_word watch_words[] = {{"auto", CONF_WATCH_AUTO},
					       {"notify", CONF_WATCH_NOTIFY},
					       {"idle", CONF_WATCH_IDLE},
					       {"poll", CONF_WATCH_POLL},
					       {NULL, 0}};
static const struct conf_word side_words[] = {{"both", SIDE_LOCAL | SIDE_REMOTE},
					      {"local", SIDE_LOCAL},
					      {"remote", SIDE_REMOTE},
					      {"none", 0},
					      {NULL, 0}};

/* name, type, field, default, default in words, min, max, words, marks, rivals, help */
const struct conf_key conf_keys[] = {
	{"protocol", CONF_TYPE_WORD, AT(protocol), "imap", NULL, 0, 0, protocol_words, BOTH, 0,
	 "imap keeps both sides in sync; pop3 only fetches new mail of one inbox."},
	{"provider", CONF_TYPE_TEXT, AT(provider), NULL, NULL, 0, 0, NULL, BOTH, 0,
	 "A mail provider, such as gmail or fastmail (`mailsync init --list` names them), or a "
	 "section [provider NAME] of this file. What the account does not set itself comes from "
	 "there, and only then from [defaults]; disable_extensions adds up."},
	{"host", CONF_TYPE_HOST, AT(host), NULL, "required, unless provider or tunnel is set", 0, 0,
	 NULL, ANY, 'h', "Name or address of the server."},
	{"port", CONF_TYPE_NUMBER, AT(port), NULL, "993, 143, 995 or 110, by protocol and tls", 1,
	 65535, NULL, ANY, 0, "TCP port of the server."},
	{"tls", CONF_TYPE_WORD, AT(tls), "implicit", NULL, 0, 0, tls_words, ANY, 0,
	 "implicit: TLS from the first byte. starttls: begins in the clear, and goes on only "
	 "inside TLS. none: only to this machine (localhost, 127.0.0.0/8, ::1)."},
	{"tls_ca_file", CONF_TYPE_PATH, AT(tls_ca_file), NULL, "the system's", 0, 0, NULL, ANY, 0,
	 "PEM file of the authorities to trust."},
	{"tls_cert_file", CONF_TYPE_PATH, AT(tls_cert_file), NULL, NULL, 0, 0, NULL, BOTH, 0,
	 "PEM file of a client certificate."},
	{"tls_key_file", CONF_TYPE_PATH, AT(tls_key_file), NULL, NULL, 0, 0, NULL, BOTH, 0,
	 "PEM file of the client certificate's key."},
	{"tls_pin_sha256", CONF_TYPE_PIN, AT(tls_pin_sha256), NULL, NULL, 0, 0, NULL, ANY, 0,
	 "Base64 of the SHA-256 of the server's public key; any other key is refused."},
	{"tls_min_version", CONF_TYPE_WORD, AT(tls_min_version), "1.2", NULL, 0, 0,
	 tls_version_words, ANY, 0, "Oldest TLS version accepted."},
	{"user", CONF_TYPE_TEXT, AT(user), NULL,
	 "required, unless tunnel is set or auth is external or gssapi", 0, 0, NULL, BOTH, 0,
	 "Login name."},
	{"password", CONF_TYPE_SECRET, AT(password), NULL,
	 "one of the three or oauth is required, as for user", 0, 0, NULL, BOTH, 'p',
	 "The password itself; the file must then be readable by its owner alone."},
	{"password_command", CONF_TYPE_COMMAND, AT(password_command), NULL, NULL, 0, 0, NULL, BOTH,
	 'p',
	 "A command for /bin/sh -c, run once a run, and again when an access token was refused; "
	 "the first line that it prints is the password."},
	{"password_file", CONF_TYPE_PATH, AT(password_file), NULL, NULL, 0, 0, NULL, BOTH, 'p',
	 "A file whose first line is the password."},
	{"oauth", CONF_TYPE_OAUTH, AT(oauth), NULL, NULL, 0, 0, NULL, ANY, 'p',
	 "Sign in by OAuth2 instead of a password, with `mailsync login`: google, microsoft, "
	 "fastmail, yandex, mailru, yahoo, aol; an issuer's https address; or custom, with the "
	 "addresses below. auth = auto is then oauthbearer where offered, else xoauth2."},
	{"oauth_client_id", CONF_TYPE_TEXT, AT(oauth_client_id), NULL,
	 "the packager's, else registered where the server does so", 0, 0, NULL, ANY, 0,
	 "The client that you registered with the provider; see docs/SIGNING-IN.md."},
	{"oauth_client_secret", CONF_TYPE_SECRET, AT(oauth_client_secret), NULL, NULL, 0, 0, NULL,
	 ANY, 's', "Its secret, where the provider gave one."},
	{"oauth_client_secret_command", CONF_TYPE_COMMAND, AT(oauth_client_secret_command), NULL,
	 NULL, 0, 0, NULL, ANY, 's', "A command that prints it, as password_command does."},
	{"oauth_tenant", CONF_TYPE_TEXT, AT(oauth_tenant), "common", NULL, 0, 0, NULL, ANY, 0,
	 "Microsoft: common, consumers (outlook.com), organizations, or a tenant's id or domain."},
	{"oauth_scope", CONF_TYPE_TEXT, AT(oauth_scope), NULL, "by oauth", 0, 0, NULL, ANY, 0,
	 "What is asked for, separated by blanks; reading and sending by default."},
	{"oauth_auth_url", CONF_TYPE_URL, AT(oauth_auth_url), NULL, "by oauth", 0, 0, NULL, ANY, 0,
	 "Where the browser is sent to. These addresses are https, or http to this machine."},
	{"oauth_token_url", CONF_TYPE_URL, AT(oauth_token_url), NULL, "by oauth", 0, 0, NULL, ANY,
	 0, "Where tokens come from."},
	{"oauth_device_url", CONF_TYPE_URL, AT(oauth_device_url), NULL, "by oauth", 0, 0, NULL, ANY,
	 0, "Where `login --device` begins."},
	{"oauth_register_url", CONF_TYPE_URL, AT(oauth_register_url), NULL, "by oauth", 0, 0, NULL,
	 ANY, 0, "Where clients are registered by themselves (RFC 7591)."},
	{"oauth_redirect", CONF_TYPE_REDIRECT, AT(oauth_redirect), NULL, "by oauth", 0, 0, NULL,
	 ANY, 0,
	 "Where the browser brings the answer, as registered: http://127.0.0.1/ or "
	 "http://localhost, with a path if need be. Without a port any free one is taken."},
	{"oauth_ca_file", CONF_TYPE_PATH, AT(oauth_ca_file), NULL, "the system's", 0, 0, NULL, ANY,
	 0, "PEM file of the authorities to trust for these addresses."},
	{"oauth_account", CONF_TYPE_TEXT, AT(oauth_account), NULL, NULL, 0, 0, NULL, BOTH, 'p',
	 "Use the token of another account of this file, which has oauth."},
	{"auth", CONF_TYPE_WORD, AT(auth), "auto", NULL, 0, 0, auth_words, ANY, 0,
	 "How to log in; auto takes the strongest way on offer. For xoauth2 and oauthbearer "
	 "without oauth the password is the access token. apop is for POP3."},
	{"proxy", CONF_TYPE_PROXY, AT(proxy), NULL, NULL, 0, 0, NULL, ANY, 0,
	 "Proxy to connect through, such as socks5h://localhost:9050 or http://proxy:3128."},
	{"tunnel", CONF_TYPE_COMMAND, AT(tunnel), NULL, NULL, 0, 0, NULL, BOTH, 'h',
	 "A command whose standard input and output are the connection, instead of host, such as "
	 "ssh host exec imapd."},
	{"timeout", CONF_TYPE_DURATION, AT(timeout_s), "60", NULL, 1, 86400, NULL, ANY, 0,
	 "Seconds (or 90s, 5m, 1h) without progress after which the connection is given up; also "
	 "how long a run waits in all where a server that is too busy asks for patience."},
	{"patience", CONF_TYPE_DURATION, AT(patience_s), "1h", NULL, 0, 31536000, NULL, BOTH, 0,
	 "How long temporary failures (75) are borne without a word by runs whose standard error "
	 "is no terminal, counted from the first one after a success; 0: not at all."},
	{"connections", CONF_TYPE_NUMBER, AT(connections), "4", NULL, 1, 64, NULL, ANY, 0,
	 "Connections at most; more than one is opened only when it pays. POP3 uses one."},
	{"compress", CONF_TYPE_WORD, AT(compress), "no", NULL, 0, 0, compress_words,
	 IMAP | CONF_OF_PROVIDERS, 0, "COMPRESS=DEFLATE; auto: only where the wire is the brake."},
	{"durability", CONF_TYPE_WORD, AT(durability), "batch", NULL, 0, 0, durability_words, BOTH,
	 0,
	 "batch: all files of a batch are on disk before it is recorded. file: each file by "
	 "itself. none: left to the system; a power cut may cost a second download, never a "
	 "message."},
	{"disable_extensions", CONF_TYPE_CAPABILITIES, AT(disable_extensions), NULL, NULL, 0, 0,
	 NULL, IMAP | CONF_OF_PROVIDERS, 0,
	 "IMAP capabilities not to use, such as QRESYNC CONDSTORE, for servers that get them "
	 "wrong."},
	{"maildir", CONF_TYPE_PATH, AT(maildir), NULL, "required", 0, 0, NULL, BOTH, 0,
	 "Root of this account's local mail. No two accounts may share or nest one."},
	{"layout", CONF_TYPE_WORD, AT(layout), "fs", NULL, 0, 0, layout_words, BOTH, 0,
	 "fs: mailbox a/b is directory a/b. maildir++: it is .a.b, and INBOX is the root."},
	{"inbox", CONF_TYPE_FOLDER, AT(inbox), "INBOX", NULL, 0, 0, NULL, BOTH, 0,
	 "Folder under maildir that INBOX is, with layout fs; . is the root. While it is not "
	 "there, and another folder may be it, INBOX waits."},
	{"info_delimiter", CONF_TYPE_SIGN, AT(info_delimiter), ":", NULL, 0, 0, NULL, BOTH, 0,
	 "Sign before the flags in file names; another one, such as ; or !, for file systems "
	 "that cannot hold a colon."},
	{"mailboxes", CONF_TYPE_PATTERNS, AT(mailboxes), "*", NULL, 0, 0, NULL,
	 IMAP | CONF_OF_PROVIDERS, 0,
	 "Patterns separated by spaces; the last one that matches wins. * is anything, % anything "
	 "but /, a leading ! leaves out; where the first leaves out, * stands before it. Quote "
	 "names with spaces: \"My Box\". \\All, \\Sent and so on are what the server marks so, "
	 "whatever its name."},
	{"subscribed_only", CONF_TYPE_YES_NO, AT(subscribed_only), "no", NULL, 0, 0, NULL,
	 IMAP | CONF_OF_PROVIDERS, 0,
	 "Only INBOX and mailboxes that you are subscribed to; new ones are subscribed."},
	{"direction", CONF_TYPE_WORD, AT(direction), "both", NULL, 0, 0, direction_words, BOTH, 0,
	 "pull: nothing is changed on the server. push: nothing is changed locally. Caps the six "
	 "keys below."},
	{"copy", CONF_TYPE_WORD, AT(copy), "both", NULL, 0, 0, side_words, IMAP, 0,
	 "Where new messages are copied to."},
	{"flags", CONF_TYPE_WORD, AT(flags), "both", NULL, 0, 0, side_words, IMAP, 0,
	 "Where flag changes are carried out."},
	{"delete", CONF_TYPE_WORD, AT(delete_), "both", NULL, 0, 0, side_words, BOTH, 0,
	 "Where deletions of messages are carried out. direction = pull with delete = none is an "
	 "archive: nothing is ever removed."},
	{"expunge", CONF_TYPE_WORD, AT(expunge), "none", NULL, 0, 0, side_words, IMAP, 0,
	 "Where messages that carry \\Deleted (T) are removed; a new one that carries it is then "
	 "not copied."},
	{"create", CONF_TYPE_WORD, AT(create), "both", NULL, 0, 0, side_words, IMAP, 0,
	 "Where missing mailboxes are created."},
	{"remove_mailboxes", CONF_TYPE_WORD, AT(remove_mailboxes), "none", NULL, 0, 0, side_words,
	 IMAP, 0, "Where mailboxes that are gone from the other side are removed."},
	{"trash", CONF_TYPE_MAILBOX, AT(trash), NULL, NULL, 0, 0, NULL, IMAP | CONF_OF_PROVIDERS, 0,
	 "Mailbox, or \\Trash for the one that the server marks so, that remote deletions are "
	 "moved to instead of being expunged."},
	{"max_message_size", CONF_TYPE_SIZE, AT(max_message_size), "none", NULL, 0, 0, NULL, BOTH,
	 0, "Larger messages are not copied in either direction, such as 500k, 10M, 1G."},
	{"max_age", CONF_TYPE_AGE, AT(max_age_s), "none", NULL, 0, 0, NULL, BOTH, 0,
	 "Older messages are not downloaded, and never deleted for that reason: 90d, 12w, 6m (of "
	 "30 days), 2y (of 365)."},
	{"max_delete", CONF_TYPE_PERCENT, AT(max_delete_percent), "50%", NULL, 0, 100, NULL, IMAP,
	 0,
	 "The brake: a run that would delete more than this share (and more than 10) of a "
	 "mailbox or of the account deletes nothing there and says so; 100% switches it off."},
	{"keywords", CONF_TYPE_WORD, AT(keywords), "yes", NULL, 0, 0, keywords_words, IMAP, 0,
	 "Sync IMAP keywords as letters a to z, named in a dovecot-keywords file. pull: they come, "
	 "and what happens to the letters here changes none on the server; for programs that "
	 "drop letters which they do not know."},
	{"watch", CONF_TYPE_WORD, AT(watch), "auto", NULL, 0, 0, watch_words, ANY, 0,
	 "How `mailsync watch` hears of the server: notify or idle, or poll, to look every "
	 "watch_interval; auto: the best that it offers. POP3 is always polled."},
	{"watch_mailboxes", CONF_TYPE_PATTERNS, AT(watch_mailboxes), NULL,
	 "all with NOTIFY, else INBOX", 0, 0, NULL, ANY, 0,
	 "Patterns, as in mailboxes: what to hear of at once; with IDLE each takes a connection. "
	 "All others are looked at every watch_interval."},
	{"watch_interval", CONF_TYPE_DURATION, AT(watch_interval_s), "5m", NULL, 1, 604800, NULL,
	 ANY, 0, "How often to look at what is not watched, and whether the watch is deaf."},
	{"watch_renew", CONF_TYPE_DURATION, AT(watch_renew_s), "9m", NULL, 1, 86400, NULL, ANY, 0,
	 "How often an IDLE is begun anew; servers and routers forget those that are silent."},
	{"leave_on_server", CONF_TYPE_LEAVE, AT(leave_on_server), "yes", NULL, 0, 0, NULL, POP3, 0,
	 "Whether fetched mail stays on the server: yes, no, or for an age such as 14d, counted "
	 "from the download."},
	{"pre_sync", CONF_TYPE_COMMAND, AT(pre_sync), NULL, NULL, 0, 0, NULL, BOTH, 0,
	 "Shell command before a sync; when it fails, the account is not synced (status 75). Hooks "
	 "find the account's name in $MAILSYNC_ACCOUNT; what they print goes to standard error."},
	{"post_sync", CONF_TYPE_COMMAND, AT(post_sync), NULL, NULL, 0, 0, NULL, BOTH, 0,
	 "Shell command after a sync, failed ones too; $MAILSYNC_STATUS is the exit status of the "
	 "account so far, $MAILSYNC_NEW the number of new messages."},
	{"on_new", CONF_TYPE_COMMAND, AT(on_new), NULL, NULL, 0, 0, NULL, BOTH, 0,
	 "Shell command after a run that delivered new mail, before post_sync, with the same "
	 "variables."},
	{"on_change", CONF_TYPE_COMMAND, AT(on_change), NULL, NULL, 0, 0, NULL, BOTH, 0,
	 "Shell command after a run that changed any file of the Maildir, behind on_new. "
	 "$MAILSYNC_CHANGES is a list of these files, for indexers; see docs/USAGE.md."},
	{"on_error", CONF_TYPE_COMMAND, AT(on_error), NULL, NULL, 0, 0, NULL, BOTH, 0,
	 "Shell command after a run that ended with another status than 0, behind post_sync; for "
	 "temporary failures (75) only when patience is over."},
	{"state_dir", CONF_TYPE_PATH, offsetof(struct conf, state_dir), NULL,
	 "$XDG_STATE_HOME/mailsync, else ~/.local/state/mailsync", 0, 0, NULL,
	 BOTH | CONF_DEFAULTS_ONLY, 0,
	 "Where mailsync remembers what both sides held: one database an account. Only in "
	 "[defaults]."},
	{"title", CONF_TYPE_TEXT, IN(text), NULL, NULL, 0, 0, NULL, ONLY, 0,
	 "The provider's name, as people write it."},
	{"domains", CONF_TYPE_TEXT, IN(text), NULL, NULL, 0, 0, NULL, ONLY, 0,
	 "Domains of its addresses, for `mailsync init`; example.* is any of example.com, "
	 "example.co.uk and so on."},
	{"mx", CONF_TYPE_TEXT, IN(text), NULL, NULL, 0, 0, NULL, ONLY, 0,
	 "What the names of its mail exchangers end with, for `mailsync init` with an address of "
	 "a domain of one's own."},
	{"login", CONF_TYPE_WORD, IN(login), NULL, "address", 0, 0, login_words, ONLY, 0,
	 "What `mailsync init` makes of the address for the key user: all of it, or what stands "
	 "before the @."},
	{"pop3_host", CONF_TYPE_HOST, IN(pop3_host), NULL, NULL, 0, 0, NULL, ONLY, 0,
	 "What host is to accounts with protocol = pop3; host is for IMAP then."},
	{"pop3_port", CONF_TYPE_NUMBER, IN(pop3_port), NULL, "995 or 110, by tls", 1, 65535, NULL,
	 ONLY, 0, "What port is to accounts with protocol = pop3; port is for IMAP then."},
	{"oauth_offer", CONF_TYPE_OAUTH, IN(oauth_offer), NULL, NULL, 0, 0, NULL, ONLY, 0,
	 "A value for oauth that `mailsync init` offers beside a password."},
	{"help_app_password", CONF_TYPE_TEXT, IN(text), NULL, NULL, 0, 0, NULL, ONLY, 0,
	 "The usual cause of a refused password, a sentence that ends with the page to open: "
	 "another password than the account's is wanted."},
	{"help_code", CONF_TYPE_TEXT, IN(text), NULL, NULL, 0, 0, NULL, ONLY, 0,
	 "Likewise: a code that is made for mail programs."},
	{"help_imap_off", CONF_TYPE_TEXT, IN(text), NULL, NULL, 0, 0, NULL, ONLY, 0,
	 "Likewise: IMAP and POP3 have to be switched on first."},
	{"help_oauth_only", CONF_TYPE_TEXT, IN(text), NULL, NULL, 0, 0, NULL, ONLY, 0,
	 "Likewise: no password is taken at all."},
	{"help_region", CONF_TYPE_TEXT, IN(text), NULL, NULL, 0, 0, NULL, ONLY, 0,
	 "Likewise: another server holds the account."},
	{"help_connect", CONF_TYPE_TEXT, IN(text), NULL, NULL, 0, 0, NULL, ONLY, 0,
	 "The usual cause of a connection that is refused."},
};

_Static_assert(sizeof(conf_keys) / sizeof(conf_keys[0]) <= CONF_KEYS_MAX, "too many keys");

const size_t conf_key_count = sizeof(conf_keys) / sizeof(conf_keys[0]);

const struct conf_key *conf_key_find(const char *name)
{
	for (size_t i = 0; i < conf_key_count; i++) {
		if (strcmp(conf_keys[i].name, name) == 0) {
			return &conf_keys[i];
		}
	}
	return NULL;
}

/* What other programs, or habit, call a key; without "_" and "-". */
static const struct {
	const char *word, *name;
} meanings[] = {
	{"pass", "password"},
	{"passwd", "password"},
	{"pw", "password"},
	{"passcmd", "password_command"},
	{"passwordcmd", "password_command"},
	{"passwordeval", "password_command"},
	{"passeval", "password_command"},
	{"remotepasseval", "password_command"},
	{"passfile", "password_file"},
	{"remotepassfile", "password_file"},
	{"remotepass", "password"},
	{"login", "user"},
	{"username", "user"},
	{"remoteuser", "user"},
	{"email", "user"},
	{"server", "host"},
	{"hostname", "host"},
	{"imaphost", "host"},
	{"remotehost", "host"},
	{"remoteport", "port"},
	{"ssl", "tls"},
	{"tlstype", "tls"},
	{"ssltype", "tls"},
	{"starttls", "tls"},
	{"certificatefile", "tls_ca_file"},
	{"sslcacertfile", "tls_ca_file"},
	{"cacert", "tls_ca_file"},
	{"fingerprint", "tls_pin_sha256"},
	{"certfingerprint", "tls_pin_sha256"},
	{"authmechs", "auth"},
	{"authmechanisms", "auth"},
	{"path", "maildir"},
	{"localfolders", "maildir"},
	{"mailpath", "maildir"},
	{"folders", "mailboxes"},
	{"patterns", "mailboxes"},
	{"folderfilter", "mailboxes"},
	{"interval", "watch_interval"},
	{"autorefresh", "watch_interval"},
	{"keep", "leave_on_server"},
	{"maxsize", "max_message_size"},
	{"maxconnections", "connections"},
	{"maxage", "max_age"},
	{"readonly", "direction"},
	{"sync", "direction"},
	{"presynchook", "pre_sync"},
	{"postsynchook", "post_sync"},
};

static bool means(const char *name, const char *word)
{
	for (; *name != '\0'; name++) {
		char sign = ascii_lower(*name);
		if (sign != '_' && sign != '-' && sign != *word++) {
			return false;
		}
	}
	return *word == '\0';
}

const char *conf_key_nearest(const char *name, bool is_provider)
{
	struct nearest nearest;

	for (size_t i = 0; i < sizeof(meanings) / sizeof(meanings[0]) && !is_provider; i++) {
		if (means(name, meanings[i].word)) {
			return meanings[i].name;
		}
	}

	nearest_init(&nearest, name);
	for (size_t i = 0; i < conf_key_count; i++) {
		unsigned marks = conf_keys[i].marks;
		if (is_provider ? (marks & (CONF_OF_PROVIDERS | CONF_PROVIDER_ONLY)) != 0
				: !(marks & CONF_PROVIDER_ONLY)) {
			nearest_offer(&nearest, conf_keys[i].name);
		}
	}
	return nearest.best;
}

void conf_key_words(const struct conf_key *key, char *text, size_t size)
{
	size_t used = 0;

	text[0] = '\0';
	for (const struct conf_word *word = key->words; word->word && used < size; word++) {
		const char *before = word == key->words ? "" : word[1].word ? ", " : " or ";
		int len = snprintf(text + used, size - used, "%s%s", before, word->word);
		used += len > 0 ? (size_t)len : 0;
	}
}
