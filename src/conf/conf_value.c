#include "conf_value.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "mailsync/base/special_use.h"
#include "mailsync/base/buf.h"
#include "mailsync/base/digest.h"
#include "mailsync/base/file.h"
#include "mailsync/base/oauth_preset.h"
#include "mailsync/base/url.h"
#include "mailsync/conf/conf.h"
#include "conf_scan.h"

#define PATH_SIZE_MAX 65536

/* Words are stored into enums, unsigned and int fields alike. */
_Static_assert(sizeof(enum conf_protocol) == sizeof(int) && sizeof(enum conf_tls) == sizeof(int) &&
		       sizeof(enum auth) == sizeof(int) &&
		       sizeof(enum conf_compress) == sizeof(int) &&
		       sizeof(enum conf_durability) == sizeof(int) &&
		       sizeof(enum conf_layout) == sizeof(int) &&
		       sizeof(enum conf_direction) == sizeof(int) &&
		       sizeof(enum conf_watch) == sizeof(int) &&
		       sizeof(enum conf_leave) == sizeof(int),
	       "an enum of conf.h is not as large as int");

static int bad(struct err *err, const char *good)
{
	return err_set(err, ERR_CONFIG, SCOPE_RUN, "%s", good);
}

static void store_int(void *field, int value)
{
	memcpy(field, &value, sizeof(value));
}

static int store_text(void *field, struct span text, struct err *err)
{
	char **place = field;
	char *copy = text.len > 0 ? span_dup(text) : NULL;

	if (text.len > 0 && !copy) {
		return err_nomem(err);
	}
	free(*place);
	*place = copy;
	return 0;
}

static int read_word(const struct conf_key *key, const char *text, void *field, struct err *err)
{
	char words[256];

	for (const struct conf_word *word = key->words; word->word; word++) {
		if (strcasecmp(word->word, text) == 0) {
			store_int(field, word->value);
			return 0;
		}
	}
	conf_key_words(key, words, sizeof(words));
	return err_set(err, ERR_CONFIG, SCOPE_RUN, "it can be %s", words);
}

static int read_yes_no(const char *text, bool *field, struct err *err)
{
	bool is_yes = strcasecmp(text, "yes") == 0;

	if (!is_yes && strcasecmp(text, "no") != 0) {
		return bad(err, "it can be yes or no");
	}
	*field = is_yes;
	return 0;
}

static int read_number(const struct conf_key *key, const char *text, void *field, struct err *err)
{
	long number;

	if (!conf_scan_number(text, key->min, key->max, &number)) {
		return err_set(err, ERR_CONFIG, SCOPE_RUN, "it can be a number from %ld to %ld",
			       key->min, key->max);
	}
	store_int(field, (int)number);
	return 0;
}

static int read_duration(const struct conf_key *key, const char *text, void *field, struct err *err)
{
	int64_t seconds;

	if (!conf_scan_duration(text, &seconds) || seconds < key->min || seconds > key->max) {
		return err_set(err, ERR_CONFIG, SCOPE_RUN,
			       "it can be a duration such as 90s, 5m, 1h or 2d, of %ld to %ld "
			       "seconds",
			       key->min, key->max);
	}
	store_int(field, (int)seconds);
	return 0;
}

static int read_percent(const struct conf_key *key, const char *text, void *field, struct err *err)
{
	char digits[8];
	long number;
	size_t len = strlen(text);

	if (len < 2 || len >= sizeof(digits) || text[len - 1] != '%') {
		return bad(err, "it can be a percentage such as 50%");
	}
	memcpy(digits, text, len - 1);
	digits[len - 1] = '\0';
	if (!conf_scan_number(digits, key->min, key->max, &number)) {
		return err_set(err, ERR_CONFIG, SCOPE_RUN, "it can be %ld%% to %ld%%", key->min,
			       key->max);
	}
	store_int(field, (int)number);
	return 0;
}

static bool is_none(const char *text)
{
	return !*text || strcasecmp(text, "none") == 0;
}

static int read_size(const char *text, uint64_t *field, struct err *err)
{
	uint64_t bytes = 0;

	if (!is_none(text) && (!conf_scan_size(text, &bytes) || bytes == 0)) {
		return bad(err, "it can be a size such as 500k, 10M or 1G, or none");
	}
	*field = bytes;
	return 0;
}

static int read_age(const char *text, int64_t *field, struct err *err)
{
	int64_t seconds = 0;

	if (!is_none(text) && !conf_scan_age(text, &seconds)) {
		return bad(err, "it can be an age such as 90d, 12w, 6m or 2y, or none");
	}
	*field = seconds;
	return 0;
}

static int read_leave(const char *text, struct conf_account *account, struct err *err)
{
	int64_t seconds = 0;
	enum conf_leave leave = CONF_LEAVE_AGE;

	if (strcasecmp(text, "yes") == 0) {
		leave = CONF_LEAVE_YES;
	} else if (strcasecmp(text, "no") == 0) {
		leave = CONF_LEAVE_NO;
	} else if (!conf_scan_age(text, &seconds)) {
		return bad(err, "it can be yes, no, or an age such as 14d, 2w, 6m or 1y");
	}
	account->leave_on_server = leave;
	account->leave_age_s = seconds;
	return 0;
}

static int read_host(const char *text, void *field, struct err *err)
{
	struct span host = span_of(text);

	if (host.len > 2 && host.data[0] == '[' && host.data[host.len - 1] == ']') {
		host.data++;
		host.len -= 2;
	}
	/* An address has more than one colon. */
	const char *colon = memchr(host.data, ':', host.len);
	bool has_port = colon != NULL && strchr(colon + 1, ':') == NULL;
	if (has_port || host.len > 255 || strcspn(host.data, " \t/@?#\\\"'<>[]") < host.len) {
		return bad(err,
			   "it can be a name such as imap.example.org, or an address; the port "
			   "goes into the key port");
	}
	return store_text(field, host, err);
}

static int read_path(const char *text, void *field, struct err *err)
{
	struct buf path, whole;
	char *here = NULL;

	if (!*text) {
		return store_text(field, span_of(""), err);
	}
	if (text[0] == '~' && text[1] && text[1] != '/') {
		return bad(err, "only ~ alone and ~/ stand for a home; write the whole path");
	}
	buf_init(&path, PATH_SIZE_MAX);
	buf_init(&whole, PATH_SIZE_MAX);
	int code = file_expand(text, &path, err);
	if (code == 0 && path.len == 0) {
		code = bad(err, "the path is empty once its variables are expanded");
	}
	if (code == 0 && path.data[0] != '/') {
		char room[4096];
		here = getcwd(room, sizeof(room));
		if (!here) {
			code = bad(err,
				   "the path is relative, and the current directory is unknown");
		} else {
			buf_printf(&whole, "%s/", here);
		}
	}
	if (code == 0) {
		buf_append_span(&whole, buf_span(&path));
		while (whole.len > 1 && whole.data[whole.len - 1] == '/') {
			buf_truncate(&whole, whole.len - 1);
		}
		code = buf_status(&whole, "a path", err);
	}
	if (code == 0) {
		code = store_text(field, buf_span(&whole), err);
	}
	buf_finish(&whole);
	buf_finish(&path);
	return code;
}

static int read_folder(const char *text, void *field, struct err *err)
{
	struct span folder = span_of(text);
	const char *end = folder.data + folder.len;

	if (folder.len == 0) {
		return bad(err, "it can be a folder such as INBOX, or . for the root");
	}
	if (folder.len == 1 && *folder.data == '.') {
		return store_text(field, folder, err);
	}
	for (const char *at = folder.data; at <= end; at++) {
		size_t len = 0;
		while (at + len < end && at[len] != '/') {
			len++;
		}
		bool is_dots =
			(len == 1 && at[0] == '.') || (len == 2 && at[0] == '.' && at[1] == '.');
		if (len == 0 || len > 255 || is_dots) {
			return bad(err,
				   "it can be a folder below maildir, such as INBOX, or . for the "
				   "root");
		}
		at += len;
	}
	return store_text(field, folder, err);
}

static int read_mailbox(const char *text, void *field, struct err *err)
{
	struct span name = span_of(text);

	if (name.len > 0 && name.data[0] == '\\') {
		if (!span_equal_nocase(name, "\\Trash")) {
			return bad(err, "it can be a mailbox's name, or \\Trash");
		}
		name = SPAN_LIT("\\Trash");
	}
	return store_text(field, name, err);
}

static int read_proxy(const char *text, void *field, struct err *err)
{
	static const char *const schemes[] = {"socks5h://", "socks5://", "socks4a://",
					      "socks4://",  "http://",   "https://"};

	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
		if (strncasecmp(text, schemes[i], strlen(schemes[i])) == 0 &&
		    text[strlen(schemes[i])] && !strpbrk(text, " \t")) {
			return store_text(field, span_of(text), err);
		}
	}
	if (!*text) {
		return store_text(field, span_of(text), err);
	}
	return bad(err, "it can be a URL such as socks5h://localhost:9050 or http://proxy:3128");
}

static int read_pin(const char *text, void *field, struct err *err)
{
	struct span pin = span_of(text);
	struct buf digest;

	if (strncmp(text, "sha256//", 8) == 0) {
		pin = span_of(text + 8);
	}
	if (pin.len > 0) {
		buf_init(&digest, 256);
		int code = base64_decode(pin, &digest, err);
		size_t len = digest.len;
		buf_finish(&digest);
		if (code < 0 || len != 32) {
			return bad(err, "it can be the 44 base64 characters of a SHA-256");
		}
	}
	return store_text(field, pin, err);
}

static int read_url(const char *text, void *field, struct err *err)
{
	if (*text && !url_is_safe(span_of(text))) {
		return bad(err, "it can be an address such as https://example.org/token (http only "
				"to this machine, such as http://127.0.0.1:8080/token)");
	}
	return store_text(field, span_of(text), err);
}

static int read_redirect(const char *text, void *field, struct err *err)
{
	struct url url;

	if (*text && (!url_read(span_of(text), &url) || !span_equal_nocase(url.scheme, "http") ||
		      !url_host_is_loopback(url.host) || url.query.len > 0)) {
		return bad(err, "it can be an address of this machine such as http://127.0.0.1/ or "
				"http://localhost");
	}
	return store_text(field, span_of(text), err);
}

static int read_oauth(const char *text, void *field, struct err *err)
{
#define WORD(id, word) word,
	static const char *const words[] = {"", OAUTH_PRESETS(WORD)};
#undef WORD

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcasecmp(words[i], text) == 0) {
			return store_text(field, span_of(words[i]), err);
		}
	}
	if (!url_is_safe(span_of(text))) {
		return bad(err,
			   "it can be google, microsoft, fastmail, yandex, mailru, yahoo, aol, "
			   "custom, or an issuer's address such as https://auth.example.org/");
	}
	return store_text(field, span_of(text), err);
}

/* Signs that file names hold anyway would be taken for the delimiter. */
static int read_sign(const char *text, char *field, struct err *err)
{
	if (strlen(text) != 1 || !strchr(":;!#%+@^~$&|", text[0])) {
		return bad(err, "it can be one of : ; ! # % + @ ^ ~ $ & |");
	}
	*field = text[0];
	return 0;
}

/* "\\All", with or without a "!" before it. */
static bool is_use(const char *pattern)
{
	static const char *const uses[] = {
#define ROW(id, name) name,
		SPECIAL_USES(ROW)
#undef ROW
	};
	for (size_t i = 0; i < sizeof(uses) / sizeof(uses[0]); i++) {
		if (strcasecmp(pattern, uses[i]) == 0) {
			return true;
		}
	}
	return false;
}

static int check_patterns(const struct conf_key *key, const struct strlist *patterns,
			  struct err *err)
{
	bool has_uses = strcmp(key->name, "mailboxes") == 0;

	for (size_t i = 0; i < patterns->count; i++) {
		const char *pattern = patterns->items[i];
		const char *name = pattern + (pattern[0] == '!');
		if (name[0] == '\\' && !has_uses) {
			return err_set(err, ERR_CONFIG, SCOPE_RUN,
				       "%s: special uses are for the key mailboxes; here are names",
				       name);
		}
		if (name[0] == '\\' && !is_use(name)) {
			return err_set(err, ERR_CONFIG, SCOPE_RUN,
				       "%s is no special use; there are \\All, \\Archive, "
				       "\\Drafts, \\Flagged, \\Junk, \\Sent, \\Trash and "
				       "\\Important",
				       name);
		}
		/* "INBOX, Work" names a mailbox "INBOX,". */
		if (pattern[strlen(pattern) - 1] == ',') {
			return err_set(err, ERR_CONFIG, SCOPE_RUN,
				       "patterns are separated by spaces; leave out the comma "
				       "behind '%.*s'",
				       (int)strlen(pattern) - 1, pattern);
		}
	}
	return 0;
}

static int read_list(const struct conf_key *key, const char *text, struct strlist *field,
		     struct err *err)
{
	struct strlist words;

	strlist_init(&words);
	int code = conf_scan_words(text, &words, err);
	if (code == 0 && key->type == CONF_TYPE_PATTERNS) {
		code = check_patterns(key, &words, err);
	}
	if (code < 0) {
		strlist_finish(&words);
		return code;
	}
	for (size_t i = 0; i < words.count && key->type == CONF_TYPE_CAPABILITIES; i++) {
		ascii_upper_all(words.items[i]);
	}
	strlist_finish(field);
	*field = words;
	return 0;
}

/* Patterns have quotes, and a shell takes those of its commands off; nobody else does. */
static bool has_useless_quotes(const struct conf_key *key, const char *text)
{
	size_t len = strlen(text);

	return key->type != CONF_TYPE_PATTERNS && key->type != CONF_TYPE_COMMAND && len >= 2 &&
	       (text[0] == '"' || text[0] == '\'') && text[len - 1] == text[0];
}

int conf_value_read(const struct conf_key *key, const char *text, void *base, struct err *err)
{
	void *field = (char *)base + key->offset;

	if (has_useless_quotes(key, text)) {
		return bad(err, "quotes would be part of the value: leave them out");
	}
	switch (key->type) {
	case CONF_TYPE_WORD:
		return read_word(key, text, field, err);
	case CONF_TYPE_YES_NO:
		return read_yes_no(text, field, err);
	case CONF_TYPE_NUMBER:
		return read_number(key, text, field, err);
	case CONF_TYPE_DURATION:
		return read_duration(key, text, field, err);
	case CONF_TYPE_PERCENT:
		return read_percent(key, text, field, err);
	case CONF_TYPE_SIZE:
		return read_size(text, field, err);
	case CONF_TYPE_AGE:
		return read_age(text, field, err);
	case CONF_TYPE_TEXT:
	case CONF_TYPE_COMMAND:
		return store_text(field, span_of(text), err);
	case CONF_TYPE_HOST:
		return read_host(text, field, err);
	case CONF_TYPE_PATH:
		return read_path(text, field, err);
	case CONF_TYPE_FOLDER:
		return read_folder(text, field, err);
	case CONF_TYPE_MAILBOX:
		return read_mailbox(text, field, err);
	case CONF_TYPE_PROXY:
		return read_proxy(text, field, err);
	case CONF_TYPE_PIN:
		return read_pin(text, field, err);
	case CONF_TYPE_URL:
		return read_url(text, field, err);
	case CONF_TYPE_REDIRECT:
		return read_redirect(text, field, err);
	case CONF_TYPE_OAUTH:
		return read_oauth(text, field, err);
	case CONF_TYPE_SECRET:
		return secret_set(field, span_of(text), err);
	case CONF_TYPE_SIGN:
		return read_sign(text, field, err);
	case CONF_TYPE_PATTERNS:
	case CONF_TYPE_CAPABILITIES:
		return read_list(key, text, field, err);
	case CONF_TYPE_LEAVE:
		return read_leave(text, base, err);
	}
	return err_set(err, ERR_INTERNAL, SCOPE_RUN, "key %s has no type", key->name);
}

/* True for the types whose field is a char *. */
static bool is_text(enum conf_type type)
{
	static const enum conf_type types[] = {
		CONF_TYPE_TEXT,   CONF_TYPE_COMMAND,  CONF_TYPE_HOST,  CONF_TYPE_PATH,
		CONF_TYPE_FOLDER, CONF_TYPE_MAILBOX,  CONF_TYPE_PROXY, CONF_TYPE_PIN,
		CONF_TYPE_URL,    CONF_TYPE_REDIRECT, CONF_TYPE_OAUTH};

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if (types[i] == type) {
			return true;
		}
	}
	return false;
}

static bool is_list(enum conf_type type)
{
	return type == CONF_TYPE_PATTERNS || type == CONF_TYPE_CAPABILITIES;
}

void conf_value_init(const struct conf_key *key, void *base)
{
	void *field = (char *)base + key->offset;

	if (is_text(key->type)) {
		*(char **)field = NULL;
	} else if (key->type == CONF_TYPE_SECRET) {
		secret_init(field);
	} else if (is_list(key->type)) {
		strlist_init(field);
	}
}

static bool texts_are_same(const char *one, const char *two)
{
	return one && two ? strcmp(one, two) == 0 : one == two;
}

static bool lists_are_same(const struct strlist *one, const struct strlist *two)
{
	bool are_same = one->count == two->count;

	for (size_t i = 0; are_same && i < one->count; i++) {
		are_same = strcmp(one->items[i], two->items[i]) == 0;
	}
	return are_same;
}

/* Of a field that is neither text, secret nor list. */
static size_t size_of(enum conf_type type)
{
	switch ((int)type) {
	case CONF_TYPE_YES_NO:
		return sizeof(bool);
	case CONF_TYPE_SIZE:
		return sizeof(uint64_t);
	case CONF_TYPE_AGE:
		return sizeof(int64_t);
	case CONF_TYPE_SIGN:
		return sizeof(char);
	default:
		return sizeof(int);
	}
}

bool conf_value_same(const struct conf_key *key, const void *one, const void *two)
{
	const void *own = (const char *)one + key->offset;
	const void *other = (const char *)two + key->offset;

	if (is_text(key->type)) {
		return texts_are_same(*(char *const *)own, *(char *const *)other);
	}
	if (key->type == CONF_TYPE_SECRET) {
		return secret_same(secret_span(own), secret_span(other));
	}
	if (is_list(key->type)) {
		return lists_are_same(own, other);
	}
	bool is_same = memcmp(own, other, size_of(key->type)) == 0;
	return is_same && (key->type != CONF_TYPE_LEAVE ||
			   ((const struct conf_account *)one)->leave_age_s ==
				   ((const struct conf_account *)two)->leave_age_s);
}

void conf_value_finish(const struct conf_key *key, void *base)
{
	void *field = (char *)base + key->offset;

	if (is_text(key->type)) {
		free(*(char **)field);
	} else if (key->type == CONF_TYPE_SECRET) {
		secret_finish(field);
	} else if (is_list(key->type)) {
		strlist_finish(field);
	}
	conf_value_init(key, base);
}
