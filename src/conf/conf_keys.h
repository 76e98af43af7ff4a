/*
 * The table of keys: one row a key, and everything that is known of it. Parsing, checks, the
 * example file, docs/CONFIG.md and the man page's list come from these rows. To add a key: a
 * field in struct conf_account, a row here, a test.
 */
#ifndef MAILSYNC_CONF_KEYS_H
#define MAILSYNC_CONF_KEYS_H

#include <stdbool.h>
#include <stddef.h>

/* What a value is; it decides which C type the field has. */
enum conf_type {
	CONF_TYPE_WORD,         /* an enum or unsigned: one of `words` */
	CONF_TYPE_YES_NO,       /* bool */
	CONF_TYPE_NUMBER,       /* unsigned or int, min to max */
	CONF_TYPE_DURATION,     /* int, seconds, min to max */
	CONF_TYPE_PERCENT,      /* unsigned, min to max */
	CONF_TYPE_SIZE,         /* uint64_t, bytes */
	CONF_TYPE_AGE,          /* int64_t, seconds */
	CONF_TYPE_TEXT,         /* char * */
	CONF_TYPE_COMMAND,      /* char *, for a shell */
	CONF_TYPE_HOST,         /* char *, without the brackets of an IPv6 address */
	CONF_TYPE_PATH,         /* char *, expanded and absolute */
	CONF_TYPE_FOLDER,       /* char *, a relative path that stays inside */
	CONF_TYPE_MAILBOX,      /* char *, quotes taken off */
	CONF_TYPE_PROXY,        /* char *, a URL with a scheme that libcurl takes */
	CONF_TYPE_PIN,          /* char *, base64 of 32 bytes */
	CONF_TYPE_URL,          /* char *, an address that secrets may be sent to */
	CONF_TYPE_REDIRECT,     /* char *, an address of this machine */
	CONF_TYPE_OAUTH,        /* char *, a word of OAUTH_PRESETS, or an issuer's address */
	CONF_TYPE_SECRET,       /* struct secret */
	CONF_TYPE_SIGN,         /* char */
	CONF_TYPE_PATTERNS,     /* struct strlist */
	CONF_TYPE_CAPABILITIES, /* struct strlist, upper case */
	CONF_TYPE_LEAVE         /* enum conf_leave, and leave_age_s */
};

struct conf_word {
	const char *word; /* NULL ends a list */
	int value;
};

/* Marks of a row. */
#define CONF_FOR_IMAP      1u
#define CONF_FOR_POP3      2u
#define CONF_DEFAULTS_ONLY 4u  /* a field of struct conf, allowed in [defaults] alone */
#define CONF_OF_PROVIDERS  8u  /* allowed in [provider NAME], too */
#define CONF_PROVIDER_ONLY 16u /* a field of struct conf_hints, allowed there alone */

/* Those that are no field of struct conf_account. */
#define CONF_OF_OTHERS (CONF_DEFAULTS_ONLY | CONF_PROVIDER_ONLY)

struct conf_key {
	const char *name;
	enum conf_type type;
	size_t offset;       /* of its field in struct conf_account, conf or conf_hints */
	const char *initial; /* default, as it would be written; NULL: unset */
	const char *shown;   /* the default as documentation puts it, where not `initial` */
	long min, max;       /* of numbers */
	const struct conf_word *words;
	unsigned marks;
	char rivals; /* keys with the same letter replace one another; 0: none */
	const char *help;
};

#define CONF_KEYS_MAX 128

extern const struct conf_key conf_keys[];
extern const size_t conf_key_count;

/* What only a provider has (mailsync/conf/provider.h). It is kept as text: here values are read to
 * see whether they are good. */
enum conf_login {
	CONF_LOGIN_ADDRESS,
	CONF_LOGIN_LOCAL
};
struct conf_hints {
	char *text;
	char *oauth_offer;
	enum conf_login login;
	char *pop3_host;
	unsigned pop3_port;
};

/* The row of NAME, or NULL. */
const struct conf_key *conf_key_find(const char *name);
/* The name most like NAME, of a provider's keys or of all others, or NULL when none is close. */
const char *conf_key_nearest(const char *name, bool is_provider);
/* "yes, no or auto": the words of a row, into TEXT. */
void conf_key_words(const struct conf_key *key, char *text, size_t size);

#endif
