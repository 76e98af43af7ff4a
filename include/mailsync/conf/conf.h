/*
 * The configuration file: INI, read with inih (the one user of it), checked against one table
 * of keys (conf_keys.c: name, type, default, range, help) from which the example file and the
 * man page's list are generated. All errors of a file are found in one run, each with file, line
 * and what to do.
 */
#ifndef MAILSYNC_CONF_CONF_H
#define MAILSYNC_CONF_CONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mailsync/base/auth.h"
#include "mailsync/base/buf.h"
#include "mailsync/base/err.h"
#include "mailsync/base/secret.h"
#include "mailsync/base/side.h"
#include "mailsync/base/strlist.h"
#include "mailsync/conf/provider.h"

enum conf_protocol {
	CONF_IMAP,
	CONF_POP3
};
enum conf_tls {
	CONF_TLS_IMPLICIT,
	CONF_TLS_STARTTLS,
	CONF_TLS_NONE
};
enum conf_compress {
	CONF_COMPRESS_NO,
	CONF_COMPRESS_YES,
	CONF_COMPRESS_AUTO
};
enum conf_durability {
	CONF_DURABILITY_BATCH,
	CONF_DURABILITY_FILE,
	CONF_DURABILITY_NONE
};
enum conf_layout {
	CONF_LAYOUT_FS,
	CONF_LAYOUT_MAILDIRPP
};
enum conf_direction {
	CONF_DIRECTION_BOTH,
	CONF_DIRECTION_PULL,
	CONF_DIRECTION_PUSH
};
enum conf_keywords {
	CONF_KEYWORDS_YES,
	CONF_KEYWORDS_PULL,
	CONF_KEYWORDS_NO
};

enum conf_watch {
	CONF_WATCH_AUTO,
	CONF_WATCH_NOTIFY,
	CONF_WATCH_IDLE,
	CONF_WATCH_POLL
};

enum conf_leave {
	CONF_LEAVE_YES,
	CONF_LEAVE_NO,
	CONF_LEAVE_AGE
};

/* The keys of one account in the order of docs/CONFIG.md; strings are owned, NULL where unset. */
struct conf_account {
	char *name;
	enum conf_protocol protocol;
	char *provider;
	char *host;
	unsigned port;
	enum conf_tls tls;
	char *tls_ca_file;
	char *tls_cert_file;
	char *tls_key_file;
	char *tls_pin_sha256;
	int tls_min_version; /* 12 or 13 */
	char *user;
	struct secret password; /* of the key `password` */
	char *password_command;
	char *password_file;
	char *oauth; /* a word of OAUTH_PRESETS, or an issuer's address */
	char *oauth_client_id;
	struct secret oauth_client_secret;
	char *oauth_client_secret_command;
	char *oauth_tenant;
	char *oauth_scope;
	char *oauth_auth_url;
	char *oauth_token_url;
	char *oauth_device_url;
	char *oauth_register_url;
	char *oauth_redirect;
	char *oauth_ca_file;
	char *oauth_account; /* whose token to use */
	enum auth auth;
	char *proxy;
	char *tunnel;
	int timeout_s;
	int patience_s;
	int connections;
	enum conf_compress compress;
	enum conf_durability durability;
	struct strlist disable_extensions; /* upper case */
	char *maildir;                     /* expanded */
	enum conf_layout layout;
	char *inbox;
	char info_delimiter;
	struct strlist mailboxes; /* patterns, quotes taken off, "!" kept */
	bool subscribed_only;
	enum conf_direction direction;
	enum side copy; /* SIDE_LOCAL | SIDE_REMOTE, not yet capped by direction */
	enum side flags;
	enum side delete_;
	enum side expunge;
	enum side create;
	enum side remove_mailboxes;
	char *trash;                 /* canonical name, or "\\Trash" */
	uint64_t max_message_size;   /* bytes; 0: none */
	int64_t max_age_s;           /* 0: none */
	unsigned max_delete_percent; /* 0 to 100 */
	enum conf_keywords keywords;
	enum conf_watch watch;
	struct strlist watch_mailboxes; /* patterns; empty: by how it is watched */
	int watch_interval_s;
	int watch_renew_s;
	enum conf_leave leave_on_server;
	int64_t leave_age_s;
	char *pre_sync;
	char *post_sync;
	char *on_new;
	char *on_change;
	char *on_error;
	int line; /* of its section */
};

struct conf {
	char *path;                 /* the file */
	char *state_dir;            /* expanded, absolute */
	struct providers providers; /* of its sections, owned */
	char *proxy;                /* of [defaults], for what no account does; NULL: none */
	struct conf_account *accounts;
	size_t count;
};

/* One complaint about the file: "mailsync.conf:12: unknown key 'hots' in [account work]; did you
 * mean 'host'?" */
struct conf_error {
	int line;
	char *text;
};
struct conf_errors {
	struct conf_error *items;
	size_t count;
	size_t cap;
};

/* PATH, or NULL for $MAILSYNC_CONFIG, $XDG_CONFIG_HOME/mailsync/mailsync.conf,
 * ~/.config/mailsync/mailsync.conf. On -ERR_CONFIG, ERRORS holds all complaints (also that the
 * file is missing) and ERR a summary. ERRORS is set in any case, and the caller finishes it.
 * From one thread at a time (inih keeps its settings in variables). */
int conf_load(struct conf **conf, const char *path, struct conf_errors *errors, struct err *err);
/* The same for a file that need not be there, nor have an account in it. */
int conf_load_sections(struct conf **conf, const char *path, struct conf_errors *errors,
		       struct err *err);
void conf_destroy(struct conf **conf);
void conf_errors_finish(struct conf_errors *errors);

/* The path of the file that conf_load reads for PATH; the caller frees it. */
int conf_path(const char *path, char **result, struct err *err);
/* Appends SECTION to the file PATH, which is made where it is not there, for nobody else to read;
 * what is in it stays as it is. All or nothing: -ERR_CONFIG where the whole would be no
 * configuration any more, -ERR_TEMPORARY where the file was changed meanwhile, -ERR_LOCAL. */
int conf_append(const char *path, struct span section, struct err *err);

/* Whether two readings of a file come to the same for account NAME: its own keys, and what of
 * others it uses. Where it signs in by OAuth2 these are all accounts. What stands in files that it
 * names is not looked at. */
bool conf_says_the_same(const struct conf *one, const struct conf *two, const char *name);

/* True when the account has a password_file that others can read: worth a warning. */
bool conf_password_file_is_exposed(const struct conf_account *account);

/* The example file, generated from the table. */
int conf_write_example(struct buf *out, struct err *err);
/* docs/mailsync.conf.5 (roff, man macros), generated likewise. */
int conf_write_man(struct buf *out, struct err *err);
/* docs/CONFIG.md, generated likewise. */
int conf_write_docs(struct buf *out, struct err *err);

#endif
