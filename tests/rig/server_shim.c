/*
 * Preloaded into test servers that have no setting for it: what they would send to syslog goes to
 * the file $SHIM_LOG, and with $SHIM_NOSYNC they do not wait for the disk. Debian builds with
 * _FORTIFY_SOURCE, so the servers call the _chk variants of syslog. File alteration monitors are
 * not there: Courier's imapd would look for gamin's for over a second at each APPEND.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int FAMOpen(void *connection);
int FAMOpen2(void *connection, const char *name);
void openlog(const char *ident, int option, int facility);
void closelog(void);
void syslog(int priority, const char *format, ...);
void vsyslog(int priority, const char *format, va_list args);
void __syslog_chk(int priority, int flag, const char *format, ...);
void __vsyslog_chk(int priority, int flag, const char *format, va_list args);

extern char *program_invocation_short_name;

/* One write a line to a file open for appending, so that lines of several processes do not mix. */
static void log_line(const char *format, va_list args)
{
	int saved = errno; /* for %m */
	const char *path = getenv("SHIM_LOG");
	char line[2048];
	size_t at, room;
	int length, fd;

	if (path == NULL) {
		return;
	}
	at = (size_t)snprintf(line, sizeof(line), "%s[%d]: ", program_invocation_short_name,
			      (int)getpid());
	room = sizeof(line) - at - 1;
	errno = saved;
	length = vsnprintf(line + at, room, format, args);
	if (length > 0) {
		at += (size_t)length < room ? (size_t)length : room - 1;
	}
	line[at++] = '\n';
	fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
	if (fd >= 0) {
		if (write(fd, line, at) < 0) {
			/* There is nowhere left to say so. */
		}
		close(fd);
	}
	errno = saved;
}

void openlog(const char *ident, int option, int facility)
{
	(void)ident;
	(void)option;
	(void)facility;
}

void closelog(void)
{
}

void vsyslog(int priority, const char *format, va_list args)
{
	(void)priority;
	log_line(format, args);
}

void __vsyslog_chk(int priority, int flag, const char *format, va_list args)
{
	(void)priority;
	(void)flag;
	log_line(format, args);
}

void syslog(int priority, const char *format, ...)
{
	va_list args;

	(void)priority;
	va_start(args, format);
	log_line(format, args);
	va_end(args);
}

void __syslog_chk(int priority, int flag, const char *format, ...)
{
	va_list args;

	(void)priority;
	(void)flag;
	va_start(args, format);
	log_line(format, args);
	va_end(args);
}

static int sync_unless_told(const char *name, int fd)
{
	int (*real)(int);

	if (getenv("SHIM_NOSYNC") != NULL) {
		return 0;
	}
	*(void **)&real = dlsym(RTLD_NEXT, name);
	return real(fd);
}

int fsync(int fd)
{
	return sync_unless_told("fsync", fd);
}

int fdatasync(int fd)
{
	return sync_unless_told("fdatasync", fd);
}

int FAMOpen(void *connection)
{
	(void)connection;
	return -1;
}

int FAMOpen2(void *connection, const char *name)
{
	(void)name;
	return FAMOpen(connection);
}
