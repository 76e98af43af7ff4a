#include "mailsync/store/pop3_seed.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mailsync/base/buf.h"
#include "mailsync/base/file.h"

#define SEED_FILE_MAX (64u << 20)
#define SEED_PATH_MAX 4096
#define SEED_NAME_MAX (SEED_PATH_MAX / 2)

/* Takes what stands before the next SEPARATOR, and that, off TEXT. */
static struct span take_until(struct span *text, char separator)
{
	const char *end = text->len == 0 ? NULL : memchr(text->data, separator, text->len);
	size_t len = end == NULL ? text->len : (size_t)(end - text->data);
	size_t used = len + (end != NULL);
	struct span word = {text->data, len};
	text->data += used;
	text->len -= used;
	return word;
}

/* Takes a line, without its end, off TEXT. */
static struct span take_line(struct span *text)
{
	struct span line = take_until(text, '\n');
	line.len -= line.len > 0 && line.data[line.len - 1] == '\r';
	return line;
}

/* Whose unique-ids are wanted; and, for mpop, whether the last heading named that one. */
struct reading {
	const char *user;
	const char *host;
	bool is_ours;
};

/* " COUNT HOST USER" opens a list, one unique-id a line follows; "#" is a comment. Later versions
 * put a time behind the unique-id. */
static struct span read_mpop(struct reading *reading, struct span line)
{
	if (line.len == 0 || line.data[0] == '#') {
		return (struct span){0};
	}
	if (line.data[0] != ' ') {
		return reading->is_ours ? take_until(&line, ' ') : (struct span){0};
	}
	(void)take_until(&line, ' ');
	(void)take_until(&line, ' ');
	struct span name = take_until(&line, ' ');
	reading->is_ours =
		span_equal_nocase(name, reading->host) && span_equal_cstr(line, reading->user);
	return (struct span){0};
}

/* UNIQUE-ID NUL SECONDS. The file's name tells host and user. */
static struct span read_getmail(struct span line)
{
	struct span rest = line;
	struct span uidl = take_until(&rest, '\0');
	return uidl.len < line.len ? uidl : (struct span){0};
}

/* USER@HOST BLANK UNIQUE-ID. */
static struct span read_fetchmail(const struct reading *reading, struct span line)
{
	size_t user_len = strlen(reading->user);
	struct span who = take_until(&line, ' ');
	if (who.len <= user_len + 1 || memcmp(who.data, reading->user, user_len) != 0 ||
	    who.data[user_len] != '@') {
		return (struct span){0};
	}
	struct span host = {who.data + user_len + 1, who.len - user_len - 1};
	return span_equal_nocase(host, reading->host) ? line : (struct span){0};
}

/* The unique-id that LINE tells, or nothing. */
static struct span read_line(struct reading *reading, enum pop3_seed_kind kind, struct span line)
{
	switch (kind) {
	case POP3_SEED_MPOP:
		return read_mpop(reading, line);
	case POP3_SEED_GETMAIL:
		return read_getmail(line);
	case POP3_SEED_FETCHMAIL:
		return read_fetchmail(reading, line);
	}
	return (struct span){0};
}

int pop3_seed_parse(enum pop3_seed_kind kind, struct span text, const char *user, const char *host,
		    struct strlist *uidls, struct err *err)
{
	struct reading reading = {.user = user, .host = host};
	int code = 0;
	while (code == 0 && text.len > 0) {
		struct span uidl = read_line(&reading, kind, take_line(&text));
		code = uidl.len > 0 ? strlist_add(uidls, uidl, err) : 0;
	}
	return code;
}

/* As mpop names its file: but a path that a name of a server or user leads elsewhere is none. */
static void mpop_name(char name[SEED_NAME_MAX], const struct server *server)
{
	snprintf(name, SEED_NAME_MAX, "%s_at_%s", server->user, server->host);
	if (strchr(name, '/') != NULL) {
		name[0] = '\0';
	}
}

/* As getmail makes a file name of them. */
static void getmail_name(char name[SEED_NAME_MAX], const struct server *server)
{
	snprintf(name, SEED_NAME_MAX, "oldmail-%s-%u-%s", server->host, (unsigned)server->port,
		 server->user);
	for (char *c = name; *c != '\0'; c++) {
		*c = *c == ':' || *c == '/' ? '-' : *c;
	}
}

static int load_file(enum pop3_seed_kind kind, const char *path, const struct server *server,
		     struct strlist *uidls, struct err *err)
{
	struct buf text;
	struct err unread;
	int code = 0;
	buf_init(&text, SEED_FILE_MAX);
	if (file_read(AT_FDCWD, path, &text, &unread) == 0) {
		code = pop3_seed_parse(kind, buf_span(&text), server->user, server->host, uidls,
				       err);
	}
	buf_finish(&text);
	return code;
}

int pop3_seed_load(const struct server *server, struct strlist *uidls, struct err *err)
{
	const char *home = getenv("HOME");
	const char *fetchmail_home = getenv("FETCHMAILHOME");
	char mpop[SEED_NAME_MAX], getmail[SEED_NAME_MAX], path[SEED_PATH_MAX];
	int code = 0;
	if (home == NULL || server->host == NULL || server->user == NULL) {
		return 0;
	}
	mpop_name(mpop, server);
	getmail_name(getmail, server);
	const struct {
		enum pop3_seed_kind kind;
		const char *root, *folder, *name;
	} files[] = {
		{POP3_SEED_MPOP, home, ".mpop_uidls", mpop},
		{POP3_SEED_GETMAIL, home, ".config/getmail", getmail},
		{POP3_SEED_GETMAIL, home, ".getmail", getmail},
		{POP3_SEED_FETCHMAIL, fetchmail_home == NULL ? home : fetchmail_home, ".",
		 ".fetchids"},
	};
	for (size_t i = 0; code == 0 && i < sizeof(files) / sizeof(files[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s/%s", files[i].root, files[i].folder,
			 files[i].name);
		code = files[i].name[0] == '\0'
			     ? 0
			     : load_file(files[i].kind, path, server, uidls, err);
	}
	strlist_sort(uidls);
	return code;
}
