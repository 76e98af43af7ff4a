/*
 * The least that a first sync can cost: one connection and LOGIN.
 *
 * pull: for each mailbox EXAMINE and one `UID FETCH 1:* (UID FLAGS INTERNALDATE BODY.PEEK[])`; each
 * body goes to a file of its own with CRLF made LF, and one syncfs ends it. drop: the same without
 * files. push: the files of DIR/MAILBOX/cur, LF made CRLF, by APPENDs of 200 messages each.
 *
 * A yardstick for tests/bench, which trusts its server: no bounds but its buffers', no certificate
 * check.
 *
 *     bare pull|drop|push tls|plain PORT USER PASSWORD DIR MAILBOX...
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct wire {
	int fd;
	SSL *ssl;
	char buffer[65536];
	size_t at, end;
};

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static void fill(struct wire *wire)
{
	ssize_t got = wire->ssl ? SSL_read(wire->ssl, wire->buffer, sizeof(wire->buffer))
				: read(wire->fd, wire->buffer, sizeof(wire->buffer));

	if (got <= 0) {
		die("read");
	}
	wire->at = 0;
	wire->end = (size_t)got;
}

static void send_bytes(struct wire *wire, const char *data, size_t size)
{
	ssize_t sent =
		wire->ssl ? SSL_write(wire->ssl, data, (int)size) : write(wire->fd, data, size);

	if (sent != (ssize_t)size) {
		die("write");
	}
}

static void send_text(struct wire *wire, const char *text)
{
	send_bytes(wire, text, strlen(text));
}

/* One line with its LF; what does not fit is dropped. */
static void read_line(struct wire *wire, char *line, size_t size)
{
	size_t length = 0;
	char byte;

	do {
		if (wire->at == wire->end) {
			fill(wire);
		}
		byte = wire->buffer[wire->at++];
		if (length + 1 < size) {
			line[length++] = byte;
		}
	} while (byte != '\n');
	line[length] = '\0';
}

/* Takes SIZE bytes of a literal; into FD with CRLF made LF unless FD is -1. */
static void take_literal(struct wire *wire, size_t size, int fd)
{
	static char out[sizeof(wire->buffer)];

	while (size > 0) {
		size_t length, kept = 0;

		if (wire->at == wire->end) {
			fill(wire);
		}
		length = wire->end - wire->at < size ? wire->end - wire->at : size;
		if (fd >= 0) {
			const char *from = wire->buffer + wire->at;

			for (size_t i = 0; i < length; i++) {
				if (from[i] != '\r') {
					out[kept++] = from[i];
				}
			}
			if (write(fd, out, kept) != (ssize_t)kept) {
				die("write");
			}
		}
		wire->at += length;
		size -= length;
	}
}

static void finish_command(struct wire *wire, const char *tag, int folder)
{
	static char line[65536];
	static unsigned serial;
	size_t tag_size = strlen(tag);

	for (;;) {
		char *brace;

		read_line(wire, line, sizeof(line));
		if (strncmp(line, tag, tag_size) == 0) {
			if (strncmp(line + tag_size, " OK", 3) != 0) {
				fputs(line, stderr);
				exit(1);
			}
			return;
		}
		brace = strrchr(line, '{');
		if (brace != NULL && strstr(brace, "}\r\n") != NULL) {
			char name[32];
			int fd = -1;

			if (folder >= 0) {
				snprintf(name, sizeof(name), "%u", serial++);
				fd = openat(folder, name, O_WRONLY | O_CREAT | O_TRUNC, 0600);
				if (fd < 0) {
					die("open");
				}
			}
			take_literal(wire, strtoul(brace + 1, NULL, 10), fd);
			if (fd >= 0) {
				close(fd);
			}
		}
	}
}

static void dial(struct wire *wire, const char *kind, const char *port)
{
	struct sockaddr_in address = {.sin_family = AF_INET};

	address.sin_port = htons((unsigned short)strtoul(port, NULL, 10));
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	wire->fd = socket(AF_INET, SOCK_STREAM, 0);
	if (wire->fd < 0 || connect(wire->fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
		die("connect");
	}
	if (strcmp(kind, "tls") == 0) {
		wire->ssl = SSL_new(SSL_CTX_new(TLS_client_method()));
		SSL_set_fd(wire->ssl, wire->fd);
		if (SSL_connect(wire->ssl) != 1) {
			die("tls");
		}
	}
}

/* TEXT as an IMAP quoted string. */
static void quote(char *out, size_t size, const char *text)
{
	size_t length = 0;

	out[length++] = '"';
	for (; *text != '\0' && length + 3 < size; text++) {
		if (*text == '"' || *text == '\\') {
			out[length++] = '\\';
		}
		out[length++] = *text;
	}
	out[length++] = '"';
	out[length] = '\0';
}

static void pull(struct wire *wire, const char *mailbox, int folder)
{
	char text[2048], word[512];

	quote(word, sizeof(word), mailbox);
	snprintf(text, sizeof(text),
		 "e EXAMINE %s\r\n"
		 "f UID FETCH 1:* (UID FLAGS INTERNALDATE BODY.PEEK[])\r\n",
		 word);
	send_text(wire, text);
	finish_command(wire, "e", -1);
	finish_command(wire, "f", folder);
}

/* One file as a message of an APPEND. */
static void push_file(struct wire *wire, int folder, const char *name)
{
	static char in[1 << 20], out[2 << 20];
	char text[64];
	size_t size = 0;
	int fd = openat(folder, name, O_RDONLY);
	ssize_t length = fd < 0 ? -1 : read(fd, in, sizeof(in));

	if (length < 0) {
		die(name);
	}
	close(fd);
	for (ssize_t i = 0; i < length; i++) {
		if (in[i] == '\n') {
			out[size++] = '\r';
		}
		out[size++] = in[i];
	}
	snprintf(text, sizeof(text), " (\\Seen) {%zu+}\r\n", size);
	send_text(wire, text);
	send_bytes(wire, out, size);
}

static void push(struct wire *wire, const char *dir, const char *mailbox)
{
	char text[2048], word[512];
	const struct dirent *entry;
	unsigned count = 0;
	DIR *files;

	snprintf(text, sizeof(text), "%s/%s/cur", dir, mailbox);
	files = opendir(text);
	if (files == NULL) {
		die(text);
	}
	quote(word, sizeof(word), mailbox);
	snprintf(text, sizeof(text), "a APPEND %s", word);
	while ((entry = readdir(files)) != NULL) {
		if (entry->d_name[0] == '.') {
			continue;
		}
		if (count % 200 == 0) {
			send_text(wire, count == 0 ? "" : "\r\n");
			send_text(wire, text);
		}
		push_file(wire, dirfd(files), entry->d_name);
		count++;
	}
	closedir(files);
	send_text(wire, "\r\n");
	for (unsigned sent = 0; sent < count; sent += 200) {
		finish_command(wire, "a", -1);
	}
}

int main(int argc, char **argv)
{
	static struct wire wire;
	char text[2048], word[512], line[4096];
	int folder = -1;

	if (argc < 8) {
		return 2;
	}
	dial(&wire, argv[2], argv[3]);
	read_line(&wire, line, sizeof(line));
	quote(word, sizeof(word), argv[5]);
	snprintf(text, sizeof(text), "l LOGIN %s %s\r\n", argv[4], word);
	send_text(&wire, text);
	finish_command(&wire, "l", -1);
	if (strcmp(argv[1], "pull") == 0) {
		folder = open(argv[6], O_RDONLY | O_DIRECTORY);
	}
	for (int i = 7; i < argc; i++) {
		if (strcmp(argv[1], "push") == 0) {
			push(&wire, argv[6], argv[i]);
		} else {
			pull(&wire, argv[i], folder);
		}
	}
	if (folder >= 0 && syncfs(folder) != 0) {
		die("syncfs");
	}
	return 0;
}
