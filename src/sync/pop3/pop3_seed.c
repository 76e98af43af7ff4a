#include "pop3_seed.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mailsync/base/buf.h"
#include "mailsync/base/file.h"

#define SEED_FILE_MAX (64u << 20)
#define SEED_PATH_MAX 4096

/* Takes the next line without its end; false at the end of TEXT. */
static bool take_line(struct span *text, struct span *line)
{
	if (text->len == 0) {
		return false;
	}
	const char *lf = memchr(text->data, '\n', text->len);
	size_t len = lf ? (size_t)(lf - text->data) : text->len;
	size_t used = lf ? len + 1 : len;

	*line = (struct span){text->data, len};
	if (len > 0 && line->data[len - 1] == '\r') {
		line->len--;
	}
	text->data += used;
	text->len -= used;
	return true;
}

/* Takes the word up to SEPARATOR, and that, off TEXT. */
static struct span take_until(struct span *text, char separator)
{
	const char *end = memchr(text->data, separator, text->len);
	size_t len = end ? (size_t)(end - text->data) : text->len;
	struct span word = {text->data, len};

	text->data += len + (end ? 1 : 0);
	text->len -= len + (end ? 1 : 0);
	return word;
}

/* " COUNT HOST USER" opens a list, one unique-id a line follows; "#" is a comment. */
static int parse_mpop(struct span text, const char *user, const char *host, struct strlist *uidls,
		      struct err *err)
{
	struct span line;
	bool is_ours = false;

	while (take_line(&text, &line)) {
		if (line.len == 0 || line.data[0] == '#') {
			continue;
		}
		if (line.data[0] == ' ') {
			line.data++;
			line.len--;
			(void)take_until(&line, ' ');
			struct span name = take_until(&line, ' ');
			is_ours = span_equal_nocase(name, host) && span_equal_cstr(line, user);
			continue;
		}
		/* Later versions put a time behind the unique-id. */
		int code = is_ours ? strlist_add(uidls, take_until(&line, ' '), err) : 0;
		if (code) {
			return code;
		}
	}
	return 0;
}

/* UNIQUE-ID NUL SECONDS. The file's name tells host and user. */
static int parse_getmail(struct span text, struct strlist *uidls, struct err *err)
{
	struct span line;

	while (take_line(&text, &line)) {
		if (line.len > 0 && memchr(line.data, '\0', line.len)) {
			int code = strlist_add(uidls, take_until(&line, '\0'), err);
			if (code) {
				return code;
			}
		}
	}
	return 0;
}

/* USER@HOST BLANK UNIQUE-ID. */
static int parse_fetchmail(struct span text, const char *user, const char *host,
			   struct strlist *uidls, struct err *err)
{
	size_t user_len = strlen(user);
	struct span line;

	while (take_line(&text, &line)) {
		struct span who = take_until(&line, ' ');
		if (who.len <= user_len + 1 || memcmp(who.data, user, user_len) != 0 ||
		    who.data[user_len] != '@') {
			continue;
		}
		struct span name = {who.data + user_len + 1, who.len - user_len - 1};
		if (line.len > 0 && span_equal_nocase(name, host)) {
			int code = strlist_add(uidls, line, err);
			if (code) {
				return code;
			}
		}
	}
	return 0;
}

int pop3_seed_parse(enum pop3_seed_kind kind, struct span text, const char *user, const char *host,
		    struct strlist *uidls, struct err *err)
{
	switch (kind) {
	case POP3_SEED_MPOP:
		return parse_mpop(text, user, host, uidls, err);
	case POP3_SEED_GETMAIL:
		return parse_getmail(text, uidls, err);
	case POP3_SEED_FETCHMAIL:
		return parse_fetchmail(text, user, host, uidls, err);
	}
	return 0;
}

struct seed_file {
	enum pop3_seed_kind kind;
	char path[SEED_PATH_MAX];
};

/* A name of a server or user stands in a path: never one that leads elsewhere. */
static bool is_safe(const char *name)
{
	return name[0] != '\0' && !strchr(name, '/');
}

/* As getmail makes a file name of them. */
static void getmail_name(char *name, size_t size, const char *host, unsigned port, const char *user)
{
	snprintf(name, size, "oldmail-%s-%u-%s", host, port, user);
	for (char *c = name; *c; c++) {
		*c = *c == ':' || *c == '/' ? '-' : *c;
	}
}

static int load_file(const struct seed_file *file, const char *user, const char *host,
		     struct strlist *uidls, struct err *err)
{
	struct buf text;
	struct err unread;
	int code = 0;

	buf_init(&text, SEED_FILE_MAX);
	if (file_read(AT_FDCWD, file->path, &text, &unread) == 0) {
		code = pop3_seed_parse(file->kind, buf_span(&text), user, host, uidls, err);
	}
	buf_finish(&text);
	return code;
}

int pop3_seed_load(const char *user, const char *host, unsigned port, struct strlist *uidls,
		   struct err *err)
{
	const char *home = getenv("HOME");
	const char *fetchmail_home = getenv("FETCHMAILHOME");
	struct seed_file *files = calloc(4, sizeof(*files));
	int code = files ? 0 : err_nomem(err);

	if (!code && home) {
		char name[SEED_PATH_MAX / 2];
		getmail_name(name, sizeof(name), host, port, user);
		files[0].kind = POP3_SEED_MPOP;
		if (is_safe(user) && is_safe(host)) {
			snprintf(files[0].path, SEED_PATH_MAX, "%s/.mpop_uidls/%s_at_%s", home,
				 user, host);
		}
		files[1].kind = POP3_SEED_GETMAIL;
		snprintf(files[1].path, SEED_PATH_MAX, "%s/.config/getmail/%s", home, name);
		files[2].kind = POP3_SEED_GETMAIL;
		snprintf(files[2].path, SEED_PATH_MAX, "%s/.getmail/%s", home, name);
		files[3].kind = POP3_SEED_FETCHMAIL;
		snprintf(files[3].path, SEED_PATH_MAX, "%s/.fetchids",
			 fetchmail_home ? fetchmail_home : home);
		for (int i = 0; !code && i < 4; i++) {
			code = load_file(&files[i], user, host, uidls, err);
		}
	}
	free(files);
	strlist_sort(uidls);
	return code;
}
