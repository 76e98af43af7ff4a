#include "mailsync/base/service.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mailsync/base/clock.h"
#include "mailsync/base/span.h"

#ifndef MSG_NOSIGNAL
#define MSG_NOSIGNAL 0
#endif

#define MESSAGE_SIZE (SERVICE_STATUS_SIZE + 64)

/* True where PATH is an address: absolute, or with @ for the NUL of an abstract one. */
static bool address_of(const char *path, struct service *service)
{
	struct sockaddr_un *address = &service->address;
	size_t len = strlen(path);

	if ((path[0] != '/' && path[0] != '@') || len < 2 || len >= sizeof(address->sun_path)) {
		return false;
	}
	address->sun_family = AF_UNIX;
	memcpy(address->sun_path, path, len + 1);
	service->address_len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
	if (path[0] == '@') {
		address->sun_path[0] = '\0';
	} else {
		service->address_len++;
	}
	return true;
}

/* A number of the environment; 0: none. */
static uint64_t number_of(const char *name)
{
	const char *text = getenv(name);
	uint64_t number = 0;

	return text && span_to_u64(span_of(text), &number) ? number : 0;
}

void service_open(struct service *service)
{
	const char *path = getenv("NOTIFY_SOCKET");
	uint64_t demanded_us = number_of("WATCHDOG_USEC");
	uint64_t whose = number_of("WATCHDOG_PID");

	*service = (struct service){.fd = -1};
	if (path && address_of(path, service)) {
		service->fd = socket(AF_UNIX, SOCK_DGRAM, 0);
	}
	if (service->fd >= 0) {
		(void)fcntl(service->fd, F_SETFD, FD_CLOEXEC);
		(void)fcntl(service->fd, F_SETFL, O_NONBLOCK);
	}
	if (demanded_us > 0 && (whose == 0 || whose == (uint64_t)getpid())) {
		uint64_t half_ms = demanded_us / 2000;
		service->watchdog_ms = half_ms == 0        ? 1
				     : half_ms > INT32_MAX ? INT32_MAX
							   : (int64_t)half_ms;
	}
	(void)unsetenv("NOTIFY_SOCKET");
	(void)unsetenv("WATCHDOG_USEC");
	(void)unsetenv("WATCHDOG_PID");
}

void service_close(struct service *service)
{
	if (service->fd >= 0) {
		close(service->fd);
		service->fd = -1;
	}
}

/* True when it was sent. */
static bool tell(const struct service *service, const char *text)
{
	const struct sockaddr *address = (const struct sockaddr *)&service->address;
	size_t len = strlen(text);

	return service->fd >= 0 && sendto(service->fd, text, len, MSG_NOSIGNAL, address,
					  service->address_len) == (ssize_t)len;
}

void service_ready(struct service *service)
{
	(void)tell(service, "READY=1");
}

void service_reloading(struct service *service)
{
	char text[MESSAGE_SIZE];

	snprintf(text, sizeof(text), "RELOADING=1\nMONOTONIC_USEC=%" PRId64, clock_monotonic_us());
	(void)tell(service, text);
}

void service_stopping(struct service *service)
{
	(void)tell(service, "STOPPING=1");
}

void service_status(struct service *service, const char *status)
{
	char text[MESSAGE_SIZE];

	if (strncmp(status, service->status, sizeof(service->status) - 1) == 0) {
		return;
	}
	snprintf(service->status, sizeof(service->status), "%s", status);
	snprintf(text, sizeof(text), "STATUS=%s", service->status);
	if (!tell(service, text)) {
		service->status[0] = '\0'; /* said again */
	}
}

static int64_t due_ms(const struct service *service)
{
	return service->alive_ms == 0 ? 0 : service->alive_ms + service->watchdog_ms;
}

void service_alive(struct service *service)
{
	int64_t now = clock_monotonic_ms();

	if (service->watchdog_ms > 0 && now >= due_ms(service) && tell(service, "WATCHDOG=1")) {
		service->alive_ms = now;
	}
}

int service_pause_ms(const struct service *service)
{
	if (service->fd < 0 || service->watchdog_ms == 0) {
		return -1;
	}
	int64_t left_ms = due_ms(service) - clock_monotonic_ms();

	return left_ms > 0 ? (int)left_ms : 1;
}
