/*
 * What a process that stays tells the manager that started it: sd_notify(3) by hand, a datagram of
 * lines to $NOTIFY_SOCKET. Without such a manager all of this does nothing. What cannot be sent at
 * once is not: a manager that is busy holds up no mail.
 *
 *     service_open(&service)                  before there are threads: it takes the variables out
 *                                             of the environment, so that no child speaks for us
 *     service_ready(&service)
 *     service_status(&service, "...")         said when it is another
 *     poll(..., service_pause_ms(&service))
 *     service_alive(&service)                 by the loop that does the work, as often as it turns
 *     service_reloading, then service_ready
 *     service_stopping(&service); service_close(&service)
 *
 * For one thread.
 */
#ifndef MAILSYNC_BASE_SERVICE_H
#define MAILSYNC_BASE_SERVICE_H

#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>

#define SERVICE_STATUS_SIZE 160

struct service {
	int fd; /* -1: there is no manager */
	struct sockaddr_un address;
	socklen_t address_len;
	int64_t watchdog_ms; /* between two signs of life, half of what is demanded; 0: none is */
	int64_t alive_ms;    /* when the last one was given */
	char status[SERVICE_STATUS_SIZE];
};

void service_open(struct service *service);
void service_close(struct service *service);

void service_ready(struct service *service);
void service_reloading(struct service *service);
void service_stopping(struct service *service);
/* STATUS: a line for people. */
void service_status(struct service *service, const char *status);

/* Gives a sign of life where one is due. */
void service_alive(struct service *service);
/* Until the next one, as poll takes it; -1: never. */
int service_pause_ms(const struct service *service);

#endif
