#include "tunnel.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mailsync/base/buf.h"
#include "mailsync/base/command.h"
#include "mailsync/base/log.h"

#define REAP_SLICE_MS   5
#define REAP_ROUNDS     100 /* half a second for each degree of force */
#define EXIT_ROUNDS     20
#define ERRORS_LINE_MAX 2048
#define ERRORS_PIECES   16 /* read at once */

struct tunnel {
	int fd;
	pid_t pid;      /* -1 when reaped */
	int status;     /* as waitpid gives it, when reaped */
	bool was_alive; /* bytes came from it */
	const struct conn_params *params;
	int errors_fd;   /* -1: nobody reads them, or they have ended */
	struct buf line; /* of its errors, not ended yet */
};

static void log_errors(struct tunnel *tunnel)
{
	const struct conn_params *params = tunnel->params;
	struct buf shown;

	buf_init(&shown, ERRORS_LINE_MAX * 4);
	blot_append(params->blot, buf_span(&tunnel->line), &shown);
	log_line(params->log, LOG_ERROR, "%s: tunnel: %s", params->label, buf_span(&shown).data);
	buf_finish(&shown);
	buf_clear(&tunnel->line);
}

/* A line goes out when it is whole: a secret may come in two pieces. */
static void take_error_bytes(struct tunnel *tunnel, struct span bytes)
{
	for (size_t i = 0; i < bytes.len; i++) {
		bool is_end = bytes.data[i] == '\n';
		if (!is_end && bytes.data[i] != '\0') {
			buf_append_char(&tunnel->line, bytes.data[i]);
		}
		if ((is_end && tunnel->line.len > 0) || tunnel->line.len == ERRORS_LINE_MAX) {
			log_errors(tunnel);
		}
	}
}

int tunnel_errors_fd(const struct tunnel *tunnel)
{
	return tunnel->errors_fd;
}

void tunnel_take_errors(struct tunnel *tunnel)
{
	char bytes[1024];
	ssize_t n = 1;

	/* A command that never stops talking does not hold up the rest. */
	for (int i = 0; i < ERRORS_PIECES && tunnel->errors_fd >= 0 && n > 0; i++) {
		n = read(tunnel->errors_fd, bytes, sizeof(bytes));
		if (n > 0) {
			take_error_bytes(tunnel, (struct span){bytes, (size_t)n});
		} else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
			(void)close(tunnel->errors_fd);
			tunnel->errors_fd = -1;
		}
	}
}

/* What stands in no line yet, too. */
static void finish_errors(struct tunnel *tunnel)
{
	tunnel_take_errors(tunnel);
	if (tunnel->line.len > 0) {
		log_errors(tunnel);
	}
	if (tunnel->errors_fd >= 0) {
		(void)close(tunnel->errors_fd);
	}
	buf_finish(&tunnel->line);
}

static int socket_pair(int fds[2])
{
#ifdef SOCK_CLOEXEC
	return socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds);
#else
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, fds) != 0) {
		return -1;
	}
	(void)fcntl(fds[0], F_SETFD, FD_CLOEXEC);
	(void)fcntl(fds[1], F_SETFD, FD_CLOEXEC);
	return 0;
#endif
}

/* Without a log nobody would read its errors: they go where ours go. */
static int open_errors(struct tunnel *tunnel, struct command_ends *ends)
{
	int fds[2];
	int errnum;

	tunnel->errors_fd = -1;
	buf_init(&tunnel->line, ERRORS_LINE_MAX);
	if (tunnel->params->log == NULL) {
		return 0;
	}
	if ((errnum = command_pipe(fds)) != 0) {
		return errnum;
	}
	(void)fcntl(fds[0], F_SETFL, O_NONBLOCK);
	tunnel->errors_fd = fds[0];
	ends->errors = fds[1];
	return 0;
}

/* Starts it with FD as its standard input and output. Returns 0 or an errno. */
static int start_command(struct tunnel *tunnel, int fd)
{
	struct command_ends ends = {.in = fd, .out = fd, .errors = COMMAND_STDERR};
	int errnum = open_errors(tunnel, &ends);

	if (errnum == 0) {
		errnum = command_start(tunnel->params->tunnel, &ends, NULL, &tunnel->pid);
	}
	if (ends.errors != COMMAND_STDERR) {
		(void)close(ends.errors);
	}
	if (errnum != 0) {
		finish_errors(tunnel);
	}
	return errnum;
}

int tunnel_create(struct tunnel **tunnel, const struct conn_params *params, struct err *err)
{
	struct tunnel *new_tunnel = calloc(1, sizeof(*new_tunnel));
	int fds[2];
	int code;

	if (new_tunnel == NULL) {
		return err_nomem(err);
	}
	new_tunnel->params = params;
	if (socket_pair(fds) != 0) {
		code = err_set_errno(err, ERR_LOCAL, SCOPE_ACCOUNT, errno,
				     "cannot make a socket for the tunnel");
		goto fail_alloc;
	}
	code = start_command(new_tunnel, fds[1]);
	if (code != 0) {
		code = err_set_errno(err, ERR_LOCAL, SCOPE_ACCOUNT, code,
				     "cannot start the tunnel command");
		goto fail_sockets;
	}
	(void)close(fds[1]);
	new_tunnel->fd = fds[0];
	*tunnel = new_tunnel;
	return 0;

fail_sockets:
	(void)close(fds[0]);
	(void)close(fds[1]);
fail_alloc:
	free(new_tunnel);
	return code;
}

/* True when the command has ended, now or earlier. */
static bool tunnel_reaped(struct tunnel *tunnel, int options)
{
	pid_t pid;

	if (tunnel->pid < 0) {
		return true;
	}
	do {
		pid = waitpid(tunnel->pid, &tunnel->status, options);
	} while (pid < 0 && errno == EINTR);
	if (pid == 0) {
		return false;
	}
	if (pid < 0) {
		tunnel->status = 0;
	}
	tunnel->pid = -1;
	return true;
}

static bool tunnel_reaped_within(struct tunnel *tunnel, int rounds)
{
	int i;

	for (i = 0; i < rounds; i++) {
		if (tunnel_reaped(tunnel, WNOHANG)) {
			return true;
		}
		(void)poll(NULL, 0, REAP_SLICE_MS);
	}
	return tunnel_reaped(tunnel, WNOHANG);
}

void tunnel_destroy(struct tunnel **tunnel)
{
	struct tunnel *old = *tunnel;

	if (old == NULL) {
		return;
	}
	(void)close(old->fd);
	if (!tunnel_reaped_within(old, REAP_ROUNDS)) {
		(void)kill(old->pid, SIGTERM);
		if (!tunnel_reaped_within(old, REAP_ROUNDS)) {
			(void)kill(old->pid, SIGKILL);
			(void)tunnel_reaped(old, 0);
		}
	}
	finish_errors(old);
	free(old);
	*tunnel = NULL;
}

int tunnel_fd(const struct tunnel *tunnel)
{
	return tunnel->fd;
}

/* Whoever closes its output is about to end: wait a moment for how. */
static int tunnel_ended(struct tunnel *tunnel, struct err *err)
{
	int status;

	if (!tunnel_reaped_within(tunnel, EXIT_ROUNDS)) {
		return err_set(err, ERR_TEMPORARY, SCOPE_ACCOUNT,
			       "connection closed by the tunnel command");
	}
	status = tunnel->status;
	if (WIFSIGNALED(status)) {
		return err_set(err, ERR_TEMPORARY, SCOPE_ACCOUNT,
			       "the tunnel command was ended by signal %d", WTERMSIG(status));
	}
	if (!tunnel->was_alive && (WEXITSTATUS(status) == 127 || WEXITSTATUS(status) == 126)) {
		return err_set(err, ERR_CONFIG, SCOPE_ACCOUNT,
			       "the tunnel command cannot be run (exit status %d): check `tunnel`",
			       WEXITSTATUS(status));
	}
	return err_set(err, ERR_TEMPORARY, SCOPE_ACCOUNT,
		       "connection closed: the tunnel command ended with exit status %d",
		       WEXITSTATUS(status));
}

int tunnel_send(struct tunnel *tunnel, struct span data, size_t *sent, struct err *err)
{
	ssize_t n = send(tunnel->fd, data.data, data.len, MSG_DONTWAIT | MSG_NOSIGNAL);

	if (n >= 0) {
		*sent = (size_t)n;
		return 0;
	}
	if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) {
		*sent = 0;
		return 0;
	}
	return tunnel_ended(tunnel, err);
}

int tunnel_recv(struct tunnel *tunnel, char *data, size_t size, size_t *received, struct err *err)
{
	ssize_t n = recv(tunnel->fd, data, size, MSG_DONTWAIT);

	if (n > 0) {
		tunnel->was_alive = true;
		*received = (size_t)n;
		return 0;
	}
	if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) {
		*received = 0;
		return 0;
	}
	return tunnel_ended(tunnel, err);
}
