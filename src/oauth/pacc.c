#include "mailsync/oauth/pacc.h"

#include <stdlib.h>
#include <string.h>

#include "mailsync/base/digest.h"
#include "mailsync/base/url.h"
#include "object.h"

#define NAME_MAX_LEN 253
#define TEXT_MAX_LEN 200
#define RECORD_MAX   1024

void pacc_init(struct pacc *pacc)
{
	*pacc = (struct pacc){0};
}

void pacc_finish(struct pacc *pacc)
{
	free(pacc->imap_host);
	free(pacc->pop3_host);
	free(pacc->issuer);
	free(pacc->provider);
	free(pacc->help);
	pacc_init(pacc);
}

/* --- the document --- */

/* A name with a dot in it, which could be that of a host. */
static bool is_host(const char *text)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789-.";
	size_t len = strlen(text);

	return len > 0 && len <= NAME_MAX_LEN && text[strspn(text, plain)] == '\0' &&
	       strchr(text, '.') && !strstr(text, "..") && text[0] != '.' && text[0] != '-' &&
	       text[len - 1] != '.' && text[len - 1] != '-';
}

static bool is_web(const char *text)
{
	struct url url;

	return strlen(text) <= TEXT_MAX_LEN && url_read(span_of(text), &url) &&
	       span_equal_nocase(url.scheme, "https");
}

static bool is_line(const char *text)
{
	return strlen(text) <= TEXT_MAX_LEN && err_shows(text);
}

/* What PATH leads to, where it passes the check; else *COPY stays NULL. */
static int take(const struct object *object, const char *const *path, bool (*fits)(const char *),
		char **copy, struct err *err)
{
	const char *text = object_text_at(object, path);

	if (!text || !*text || !fits(text)) {
		return 0;
	}
	*copy = span_dup(span_of(text));
	return *copy ? 0 : err_nomem(err);
}

static int take_all(struct pacc *pacc, const struct object *object, struct err *err)
{
	static const char *const password[] = {"authentication", "password", NULL};
	static const char *const imap[] = {"protocols", "imap", "host", NULL};
	static const char *const pop3[] = {"protocols", "pop3", "host", NULL};
	static const char *const issuer[] = {"authentication", "oauth-public", "issuer", NULL};
	static const char *const provider[] = {"info", "provider", "name", NULL};
	static const char *const help[] = {"info", "help", "documentation", NULL};
	int code;

	if ((code = take(object, imap, is_host, &pacc->imap_host, err)) < 0 ||
	    (code = take(object, pop3, is_host, &pacc->pop3_host, err)) < 0 ||
	    (code = take(object, issuer, is_web, &pacc->issuer, err)) < 0 ||
	    (code = take(object, provider, is_line, &pacc->provider, err)) < 0 ||
	    (code = take(object, help, is_web, &pacc->help, err)) < 0) {
		return code;
	}
	if (pacc->imap_host) {
		ascii_lower_all(pacc->imap_host);
	}
	if (pacc->pop3_host) {
		ascii_lower_all(pacc->pop3_host);
	}
	pacc->is_token_alone = object_is_false_at(object, password);
	return 0;
}

int pacc_read(struct pacc *pacc, struct span text, struct err *err)
{
	struct object *object = NULL;
	struct pacc read;
	int code;

	pacc_init(&read);
	if ((code = object_read(&object, text, err)) < 0) {
		return code;
	}
	code = take_all(&read, object, err);
	object_finish(&object);
	if (code < 0) {
		pacc_finish(&read);
		return code;
	}
	*pacc = read;
	return 0;
}

/* --- the proof --- */

/* The value of the field NAME of "v=UAAC1; a=sha256; d=..."; empty where there is none. */
static struct span field_of(const char *record, char name)
{
	while (*record) {
		size_t len = strcspn(record, ";");
		struct span field = span_trim((struct span){record, len});
		if (field.len > 0 && field.data[0] == name) {
			struct span rest = span_trim((struct span){field.data + 1, field.len - 1});
			if (rest.len > 0 && rest.data[0] == '=') {
				return span_trim((struct span){rest.data + 1, rest.len - 1});
			}
		}
		record += len + (record[len] == ';');
	}
	return SPAN_LIT("");
}

enum pacc_record pacc_record(struct span text, const char *record)
{
	uint8_t digest[DIGEST_MAX_SIZE];
	enum pacc_record result = PACC_RECORD_OTHER;
	struct buf told;
	struct err err;

	if (!span_equal_cstr(field_of(record, 'v'), "UAAC1") ||
	    !span_equal_nocase(field_of(record, 'a'), "sha256")) {
		return PACC_RECORD_OTHER;
	}
	buf_init(&told, RECORD_MAX);
	if (digest_of(DIGEST_SHA256, text, digest, &err) == 0) {
		bool is_right = base64_decode(field_of(record, 'd'), &told, &err) == 0 &&
				span_equal(buf_span(&told),
					   (struct span){(const char *)digest, sizeof(digest)});
		result = is_right ? PACC_RECORD_RIGHT : PACC_RECORD_WRONG;
	}
	buf_finish(&told);
	return result;
}
