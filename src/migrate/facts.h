/*
 * An account's facts while they are gathered. Failure sticks: after memory ran out nothing is added
 * any more, and `code` tells at the end.
 */
#ifndef MAILSYNC_MIGRATE_FACTS_H
#define MAILSYNC_MIGRATE_FACTS_H

#include "mailsync/base/err.h"
#include "mailsync/migrate/migrate.h"
#include "source.h"

struct facts {
	struct migrate *migrate;
	struct source *source;
	struct migrate_account *account; /* the open one, or migrate->rest */
	int code;
	struct err *err;
};

/* What becomes of an entry of another program. */
enum fate {
	FATE_COPY,  /* its value is that of KEY */
	FATE_PATH,  /* likewise, a path */
	FATE_LIMIT, /* likewise, a number; 0, or no, is no limit: nothing, but for WHY */
	FATE_YES,   /* it is KEY = yes where it is yes; where it is no, nothing */
	FATE_TELL   /* it is not carried over: WHY */
};

struct rule {
	const char *word; /* lower case */
	enum fate fate;
	const char *key;
	const char *why;
};
#define WAITS_FOR_EVER                                                    \
	"it waits for ever there; mailsync gives up on a server that is " \
	"silent: see the key `timeout`"
#define RULES(rules) (rules), sizeof(rules) / sizeof((rules)[0])

/* Opens an account, whose name is made of NAME. */
void facts_begin(struct facts *facts, const char *name);
/* What follows is said of no account. */
void facts_rest(struct facts *facts);

/* KEY = VALUE; again: the new one holds. A VALUE that is no line of a configuration becomes a note.
 * NULL or empty: nothing. LINE is for that note. */
void facts_set(struct facts *facts, int line, const char *key, const char *value);
/* A path without a "/" at its end; one that is neither absolute nor "~/..." becomes a note. */
void facts_set_path(struct facts *facts, int line, const char *key, const char *path);
void facts_note(struct facts *facts, int line, const char *word, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
/* A password in clear. */
void facts_secret(struct facts *facts, int line, const char *password);
/* KEY is not said any more. */
void facts_unset(struct facts *facts, const char *key);
bool facts_has(const struct facts *facts, const char *key);
const char *facts_value(const struct facts *facts, const char *key);

/* False: nobody logs in by a name and a password; a tunnel (unless a password is there), a
 * certificate or Kerberos does. */
bool account_logs_in(const struct migrate_account *account);

/* Takes what RULES name out of SECTION. */
void facts_apply(struct facts *facts, struct section *section, const struct rule *rules,
		 size_t count);
/* What is left of SECTION is noted: unknown. */
void facts_tell_left(struct facts *facts, struct section *section);
/* What of [DEFAULT] was of use to no section; in the end. */
void facts_tell_defaults(struct facts *facts);
/* A note of SECTION as a whole. */
void facts_tell_section(struct facts *facts, const struct section *section, const char *why);

/* The key `tls`, and what it means that the source would have had none: passwords go in clear to
 * this machine alone. IS_NONE: no TLS at all; else implicit or starttls. Call it behind `host`. */
enum tls {
	TLS_IMPLICIT,
	TLS_STARTTLS,
	TLS_NONE
};
void facts_set_tls(struct facts *facts, int line, enum tls tls);
/* A mechanism as RFC 4422 or the other program names it, in any case; "*" and "any": none. */
void facts_set_auth(struct facts *facts, int line, const char *mechanism);
/* A certificate's digest is no key's: tells how to find the key's. */
void facts_tell_fingerprint(struct facts *facts, int line, const char *word);
/* KEY is what DAYS of age come to: "30d" of "30", "30d"; "2w". 0: nothing. */
void facts_set_days(struct facts *facts, int line, const char *key, const char *days);

/* A pattern for `mailboxes` behind those there, quoted where need be; IS_OUT: leaves out, and does
 * nothing where none is there, since all but NAME would be meant. NAME is as the other program has
 * it; modified UTF-7 is decoded. */
void facts_add_pattern(struct facts *facts, int line, const char *name, bool is_out);
/* The same for the name of one mailbox. */
void facts_add_name(struct facts *facts, int line, const char *name, bool is_out);
/* The same for one as the server has it: perhaps below "INBOX", with dots. */
void facts_add_wire_name(struct facts *facts, int line, const char *name, bool is_out);
/* The patterns there select MAILBOX; there have to be any. */
bool facts_selects(struct facts *facts, const char *mailbox);

#endif
