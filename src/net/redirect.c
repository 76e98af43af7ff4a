#define _DEFAULT_SOURCE /* in6addr_loopback, SOCK_CLOEXEC */
#include "mailsync/net/redirect.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "mailsync/base/buf.h"
#include "mailsync/base/clock.h"
#include "mailsync/base/secret.h"

#ifndef MSG_NOSIGNAL
#define MSG_NOSIGNAL 0 /* SIGPIPE is ignored anyway */
#endif

#define REQUEST_MAX  8192
#define VISITORS_MAX 8
#define VISIT_MS     10000
#define POLL_MS      100 /* a signal is heeded that soon */
#define PORT_TRIES   16

struct visitor {
	int fd; /* -1: none */
	int64_t until_ms;
	struct buf request;
};

struct redirect {
	int fds[2]; /* IPv4, IPv6; -1: none */
	unsigned port;
	bool listens;
	struct visitor visitors[VISITORS_MAX];
	struct visitor *asking; /* whose query is with the caller; NULL: nobody's */
	struct buf pasted;
	size_t line_len; /* of the pasted line that is with the caller */
	bool is_input_over;
};

/* --- the port --- */

static socklen_t fill_address(struct sockaddr_storage *address, int family, unsigned port)
{
	memset(address, 0, sizeof(*address));
	if (family == AF_INET) {
		struct sockaddr_in *ipv4 = (struct sockaddr_in *)address;
		ipv4->sin_family = AF_INET;
		ipv4->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		ipv4->sin_port = htons((uint16_t)port);
		return sizeof(*ipv4);
	}
	struct sockaddr_in6 *ipv6 = (struct sockaddr_in6 *)address;
	ipv6->sin6_family = AF_INET6;
	ipv6->sin6_addr = in6addr_loopback;
	ipv6->sin6_port = htons((uint16_t)port);
	return sizeof(*ipv6);
}

/* Bound to FAMILY's loopback address and PORT; -1 with errno set. */
static int bind_port(int family, unsigned port, bool is_fixed, bool listens)
{
	struct sockaddr_storage address;
	socklen_t len = fill_address(&address, family, port);
	int fd = socket(family, SOCK_STREAM, 0);
	int yes = 1;

	if (fd < 0) {
		return -1;
	}
	(void)fcntl(fd, F_SETFD, FD_CLOEXEC);
	(void)fcntl(fd, F_SETFL, O_NONBLOCK);
	if (family == AF_INET6) {
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &yes, sizeof(yes));
	}
	if (is_fixed) {
		(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
	}
	if (bind(fd, (struct sockaddr *)&address, len) == 0 &&
	    (!listens || listen(fd, VISITORS_MAX) == 0)) {
		return fd;
	}
	int errnum = errno;
	(void)close(fd);
	errno = errnum;
	return -1;
}

static unsigned port_of(int fd)
{
	struct sockaddr_in address;
	socklen_t len = sizeof(address);

	return getsockname(fd, (struct sockaddr *)&address, &len) == 0 ? ntohs(address.sin_port)
								       : 0;
}

/* The same port of both addresses; where this machine has but one of them, of that. 0 or an errno;
 * EADDRINUSE: another port may be free in both. */
static int bind_both(struct redirect *redirect, unsigned wanted)
{
	redirect->fds[0] = bind_port(AF_INET, wanted, wanted != 0, redirect->listens);
	int errnum = redirect->fds[0] < 0 ? errno : 0;

	if (redirect->fds[0] < 0 && errnum != EADDRNOTAVAIL && errnum != EAFNOSUPPORT) {
		return errnum;
	}
	redirect->port = redirect->fds[0] < 0 ? wanted : port_of(redirect->fds[0]);
	redirect->fds[1] = bind_port(AF_INET6, redirect->port, wanted != 0, redirect->listens);
	if (redirect->fds[1] >= 0) {
		redirect->port = redirect->port != 0 ? redirect->port : port_of(redirect->fds[1]);
		return 0;
	}
	return errno == EADDRINUSE ? EADDRINUSE : errnum;
}

static void close_port(struct redirect *redirect)
{
	for (int i = 0; i < 2; i++) {
		if (redirect->fds[i] >= 0) {
			(void)close(redirect->fds[i]);
		}
		redirect->fds[i] = -1;
	}
}

static int take_port(struct redirect *redirect, unsigned wanted, struct err *err)
{
	int errnum = EADDRINUSE;

	for (int i = 0; i < PORT_TRIES && errnum == EADDRINUSE; i++) {
		close_port(redirect);
		errnum = bind_both(redirect, wanted);
		if (wanted != 0) {
			break;
		}
	}
	if (errnum != 0) {
		return err_set_errno(err, ERR_LOCAL, SCOPE_ACCOUNT, errnum,
				     "no port of this machine can be listened on for the browser");
	}
	return 0;
}

int redirect_open(struct redirect **redirect, unsigned port, bool listens, struct err *err)
{
	struct redirect *opened = calloc(1, sizeof(*opened));

	if (!opened) {
		return err_nomem(err);
	}
	opened->fds[0] = opened->fds[1] = -1;
	opened->listens = listens;
	buf_init(&opened->pasted, REQUEST_MAX);
	for (int i = 0; i < VISITORS_MAX; i++) {
		opened->visitors[i].fd = -1;
		buf_init(&opened->visitors[i].request, REQUEST_MAX);
	}
	int code = take_port(opened, port, err);
	if (code < 0) {
		redirect_close(&opened);
		return code;
	}
	*redirect = opened;
	return 0;
}

static void visitor_leave(struct visitor *visitor)
{
	if (visitor->fd >= 0) {
		(void)close(visitor->fd);
	}
	visitor->fd = -1;
	buf_finish_secret(&visitor->request);
}

void redirect_close(struct redirect **redirect)
{
	if (!*redirect) {
		return;
	}
	close_port(*redirect);
	for (int i = 0; i < VISITORS_MAX; i++) {
		visitor_leave(&(*redirect)->visitors[i]);
	}
	buf_finish_secret(&(*redirect)->pasted);
	free(*redirect);
	*redirect = NULL;
}

unsigned redirect_port(const struct redirect *redirect)
{
	return redirect->port;
}

/* --- requests --- */

#define PAGE(status, words)                               \
	"HTTP/1.1 " status "\r\n"                         \
	"Content-Type: text/html; charset=utf-8\r\n"      \
	"Cache-Control: no-store\r\n"                     \
	"Referrer-Policy: no-referrer\r\n"                \
	"Content-Security-Policy: default-src 'none'\r\n" \
	"Connection: close\r\n"                           \
	"\r\n"                                            \
	"<!doctype html><title>mailsync</title><p>" words "</p>\n"

static const char right_page[] =
	PAGE("200 OK", "mailsync has the answer. Close this window and look at the terminal.");
static const char wrong_page[] =
	PAGE("400 Bad Request", "This is not the answer that mailsync waits for.");
static const char absent_page[] = PAGE("404 Not Found", "There is nothing here.");
static const char large_page[] =
	PAGE("431 Request Header Fields Too Large", "This request is too large.");

static void visitor_answer(struct visitor *visitor, const char *page)
{
	(void)send(visitor->fd, page, strlen(page), MSG_NOSIGNAL);
	(void)shutdown(visitor->fd, SHUT_WR);
	visitor_leave(visitor);
}

/* Whose place a new visitor takes: a free one, else that of who came first. */
static struct visitor *place_for_visitor(struct redirect *redirect)
{
	struct visitor *oldest = &redirect->visitors[0];

	for (int i = 0; i < VISITORS_MAX; i++) {
		struct visitor *visitor = &redirect->visitors[i];
		if (visitor->fd < 0) {
			return visitor;
		}
		if (visitor->until_ms < oldest->until_ms) {
			oldest = visitor;
		}
	}
	visitor_leave(oldest);
	return oldest;
}

static void let_in(struct redirect *redirect, int listener)
{
	int fd = accept(listener, NULL, NULL);

	if (fd < 0) {
		return;
	}
	(void)fcntl(fd, F_SETFD, FD_CLOEXEC);
	(void)fcntl(fd, F_SETFL, O_NONBLOCK);
	struct visitor *visitor = place_for_visitor(redirect);
	visitor->fd = fd;
	visitor->until_ms = clock_monotonic_ms() + VISIT_MS;
}

/* Reads what is there. True once the head of the request is whole. */
static bool visitor_read(struct visitor *visitor)
{
	char chunk[1024];
	ssize_t got = recv(visitor->fd, chunk, sizeof(chunk), 0);

	if (got > 0) {
		buf_append(&visitor->request, chunk, (size_t)got);
		secret_wipe(chunk, sizeof(chunk));
	} else if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
		visitor_leave(visitor);
		return false;
	}
	if (visitor->request.failed != 0) {
		visitor_answer(visitor, large_page);
		return false;
	}
	return strstr(visitor->request.data, "\r\n\r\n") != NULL ||
	       strstr(visitor->request.data, "\n\n") != NULL;
}

/* The query of a GET of PATH; false for any other request. */
static bool request_query(const struct visitor *visitor, const char *path, struct span *query)
{
	const char *line = visitor->request.data;
	size_t path_len = strlen(path);

	if (strncmp(line, "GET ", 4) != 0 || strncmp(line + 4, path, path_len) != 0 ||
	    line[4 + path_len] != '?') {
		return false;
	}
	const char *begin = line + 4 + path_len + 1;
	*query = (struct span){begin, strcspn(begin, " \r\n")};
	return strncmp(begin + query->len, " HTTP/1.", 8) == 0;
}

/* True when VISITOR has a query for the caller. */
static bool visitor_look(struct redirect *redirect, struct visitor *visitor, const char *path,
			 struct redirect_query *query)
{
	if (visitor_read(visitor)) {
		if (request_query(visitor, path, &query->text)) {
			redirect->asking = visitor;
			query->is_pasted = false;
			return true;
		}
		visitor_answer(visitor, absent_page);
	}
	if (visitor->fd >= 0 && clock_monotonic_ms() >= visitor->until_ms) {
		visitor_leave(visitor);
	}
	return false;
}

void redirect_answer(struct redirect *redirect, bool is_right)
{
	if (redirect->asking) {
		visitor_answer(redirect->asking, is_right ? right_page : wrong_page);
		redirect->asking = NULL;
	}
}

/* --- what is pasted --- */

/* Takes the line away that the caller had. */
static void forget_line(struct redirect *redirect)
{
	struct buf *pasted = &redirect->pasted;
	size_t left = pasted->len - redirect->line_len;

	if (redirect->line_len > 0) {
		memmove(pasted->data, pasted->data + redirect->line_len, left);
		secret_wipe(pasted->data + left, redirect->line_len);
		buf_truncate(pasted, left);
		redirect->line_len = 0;
	}
}

/* True when a line is whole. One that is too long is no line of ours. */
static bool find_line(struct redirect *redirect, struct redirect_query *query)
{
	struct buf *pasted = &redirect->pasted;
	const char *end = pasted->len > 0 ? memchr(pasted->data, '\n', pasted->len) : NULL;

	if (pasted->failed != 0) {
		buf_finish_secret(pasted);
		return false;
	}
	if (!end && !(redirect->is_input_over && pasted->len > 0)) {
		return false;
	}
	size_t len = end ? (size_t)(end - pasted->data) : pasted->len;
	redirect->line_len = end ? len + 1 : len;
	*query = (struct redirect_query){{pasted->data, len}, true};
	return true;
}

static bool read_pasted(struct redirect *redirect, int input, struct redirect_query *query)
{
	char chunk[1024];
	ssize_t got = read(input, chunk, sizeof(chunk));

	if (got > 0) {
		buf_append(&redirect->pasted, chunk, (size_t)got);
		secret_wipe(chunk, sizeof(chunk));
	} else if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
		redirect->is_input_over = true;
	}
	return find_line(redirect, query);
}

/* --- waiting --- */

struct watch {
	struct pollfd fds[3 + VISITORS_MAX]; /* both listeners, the input, then the visitors */
};

static void watch_fill(struct watch *watch, const struct redirect *redirect, int input)
{
	for (int i = 0; i < 2; i++) {
		watch->fds[i].fd = redirect->listens ? redirect->fds[i] : -1;
	}
	watch->fds[2].fd = redirect->is_input_over ? -1 : input;
	for (int i = 0; i < VISITORS_MAX; i++) {
		watch->fds[3 + i].fd = redirect->visitors[i].fd;
	}
	for (int i = 0; i < 3 + VISITORS_MAX; i++) {
		watch->fds[i].events = POLLIN;
		watch->fds[i].revents = 0;
	}
}

/* Looks at what came; true when there is something for the caller. */
static bool look(struct redirect *redirect, const struct watch *watch,
		 const struct redirect_wait *wait, struct redirect_query *query)
{
	if (watch->fds[2].revents != 0 && read_pasted(redirect, wait->input, query)) {
		return true;
	}
	for (int i = 0; i < VISITORS_MAX; i++) {
		struct visitor *visitor = &redirect->visitors[i];
		if (visitor->fd >= 0 && visitor->fd == watch->fds[3 + i].fd &&
		    visitor_look(redirect, visitor, wait->path, query)) {
			return true;
		}
	}
	for (int i = 0; i < 2; i++) {
		if (watch->fds[i].revents != 0) {
			let_in(redirect, redirect->fds[i]);
		}
	}
	return false;
}

static int check_wait(const struct redirect *redirect, const struct redirect_wait *wait,
		      struct err *err)
{
	if (wait->stop && *wait->stop != 0) {
		return err_stopped(err);
	}
	if (!redirect->listens && (wait->input < 0 || redirect->is_input_over)) {
		return err_set(err, ERR_LOGIN, SCOPE_ACCOUNT,
			       "standard input ended without the address that the browser was sent "
			       "to");
	}
	if (clock_monotonic_ms() >= wait->until_ms) {
		return err_set(err, ERR_LOGIN, SCOPE_ACCOUNT,
			       "no answer came from the browser in time");
	}
	return 0;
}

int redirect_next(struct redirect *redirect, const struct redirect_wait *wait,
		  struct redirect_query *query, struct err *err)
{
	struct watch watch;
	int code;

	redirect_answer(redirect, false);
	forget_line(redirect);
	if (find_line(redirect, query)) {
		return 0;
	}
	while ((code = check_wait(redirect, wait, err)) == 0) {
		watch_fill(&watch, redirect, wait->input);
		if (poll(watch.fds, 3 + VISITORS_MAX, POLL_MS) >= 0 &&
		    look(redirect, &watch, wait, query)) {
			return 0;
		}
	}
	return code;
}
