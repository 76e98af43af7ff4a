#include "mailsync/base/surroundings.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifdef __linux__
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#endif

#include "mailsync/base/clock.h"
#include "mailsync/base/hash.h"

#define SLEPT_MS      2000 /* less is no sleep that a connection would notice */
#define ADDRESSES_MAX 64   /* more are not told apart */
#define TOLD_SIZE     8192

struct surroundings {
	int addresses_fd; /* rtnetlink */
	int clock_fd;     /* readable when the clock is set, as it is after a sleep */
	int64_t asleep_ms;
	bool is_listing; /* what comes is what was there before */
	uint64_t addresses[ADDRESSES_MAX];
	size_t count;
};

#ifdef __linux__

/* A timer that never ends, but by the clock being set. */
static void arm_clock(struct surroundings *surroundings)
{
	const struct itimerspec never = {.it_value.tv_sec = (time_t)INT32_MAX * 1000};

	if (surroundings->clock_fd >= 0) {
		(void)timerfd_settime(surroundings->clock_fd,
				      TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &never, NULL);
	}
}

static int open_addresses(void)
{
	struct sockaddr_nl groups = {
		.nl_family = AF_NETLINK,
		.nl_groups = RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR,
	};
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);

	if (fd >= 0 && bind(fd, (struct sockaddr *)&groups, sizeof(groups)) != 0) {
		close(fd);
		fd = -1;
	}
	return fd;
}

/* Asks for the addresses that are there. */
static bool list_addresses(int fd)
{
	struct {
		struct nlmsghdr header;
		struct ifaddrmsg message;
	} request;

	memset(&request, 0, sizeof(request));
	request.header.nlmsg_len = sizeof(request);
	request.header.nlmsg_type = RTM_GETADDR;
	request.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	request.message.ifa_family = AF_UNSPEC;
	return fd >= 0 && send(fd, &request, sizeof(request), 0) == (ssize_t)sizeof(request);
}

static void begin_listening(struct surroundings *surroundings)
{
	surroundings->clock_fd = timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC | TFD_NONBLOCK);
	arm_clock(surroundings);
	surroundings->addresses_fd = open_addresses();
	surroundings->is_listing = list_addresses(surroundings->addresses_fd);
}

/* Whether KEY is new here (IS_THERE), or was here; from now on it is as IS_THERE says. */
static bool note_address(struct surroundings *surroundings, uint64_t key, bool is_there)
{
	size_t at = 0;

	while (at < surroundings->count && surroundings->addresses[at] != key) {
		at++;
	}
	bool was_there = at < surroundings->count;
	if (is_there && !was_there && at < ADDRESSES_MAX) {
		surroundings->addresses[surroundings->count++] = key;
	} else if (!is_there && was_there) {
		surroundings->addresses[at] = surroundings->addresses[--surroundings->count];
	}
	return is_there != was_there;
}

/* An address that leads elsewhere. It is told again whenever its life is prolonged: by its key it
 * is known. */
static bool take_address(struct surroundings *surroundings, const struct nlmsghdr *header)
{
	const struct ifaddrmsg *message = NLMSG_DATA(header);
	size_t len = header->nlmsg_len - NLMSG_HDRLEN;
	struct rtattr *attribute = IFA_RTA(message);
	int left = (int)IFA_PAYLOAD(header);
	uint64_t key = 0;

	if (len < sizeof(*message) || message->ifa_scope != RT_SCOPE_UNIVERSE) {
		return false;
	}
	for (; RTA_OK(attribute, left); attribute = RTA_NEXT(attribute, left)) {
		if (attribute->rta_type == IFA_ADDRESS) {
			key = hash_span((struct span){RTA_DATA(attribute), RTA_PAYLOAD(attribute)});
		}
	}
	key = key * 31 + message->ifa_index;
	return note_address(surroundings, key, header->nlmsg_type == RTM_NEWADDR);
}

static bool take_addresses(struct surroundings *surroundings)
{
	_Alignas(struct nlmsghdr) char told[TOLD_SIZE];
	bool has_changed = false;
	ssize_t got;

	while (surroundings->addresses_fd >= 0 &&
	       (got = recv(surroundings->addresses_fd, told, sizeof(told), 0)) > 0) {
		size_t left = (size_t)got;
		for (struct nlmsghdr *header = (struct nlmsghdr *)told; NLMSG_OK(header, left);
		     header = NLMSG_NEXT(header, left)) {
			if (header->nlmsg_type == NLMSG_DONE || header->nlmsg_type == NLMSG_ERROR) {
				surroundings->is_listing = false;
			} else if (header->nlmsg_type == RTM_NEWADDR ||
				   header->nlmsg_type == RTM_DELADDR) {
				has_changed = (take_address(surroundings, header) &&
					       !surroundings->is_listing) ||
					      has_changed;
			}
		}
	}
	return has_changed;
}

static void take_clock(struct surroundings *surroundings)
{
	uint64_t ignored;

	/* -1 and ECANCELED: the clock was set, and the timer waits for that no more. */
	if (surroundings->clock_fd >= 0 &&
	    read(surroundings->clock_fd, &ignored, sizeof(ignored)) < 0) {
		arm_clock(surroundings);
	}
}

#else

static void begin_listening(struct surroundings *surroundings)
{
	surroundings->clock_fd = surroundings->addresses_fd = -1;
}

static bool take_addresses(struct surroundings *surroundings)
{
	(void)surroundings;
	return false;
}

static void take_clock(struct surroundings *surroundings)
{
	(void)surroundings;
}

#endif

int surroundings_create(struct surroundings **surroundings, struct err *err)
{
	struct surroundings *created = calloc(1, sizeof(*created));

	if (created == NULL) {
		return err_nomem(err);
	}
	begin_listening(created);
	created->asleep_ms = clock_asleep_ms();
	*surroundings = created;
	return 0;
}

void surroundings_destroy(struct surroundings **surroundings)
{
	struct surroundings *old = *surroundings;

	if (old == NULL) {
		return;
	}
	if (old->addresses_fd >= 0) {
		close(old->addresses_fd);
	}
	if (old->clock_fd >= 0) {
		close(old->clock_fd);
	}
	free(old);
	*surroundings = NULL;
}

void surroundings_fds(const struct surroundings *surroundings, int fds[SURROUNDINGS_FDS])
{
	fds[0] = surroundings->addresses_fd;
	fds[1] = surroundings->clock_fd;
}

bool surroundings_changed(struct surroundings *surroundings)
{
	int64_t asleep_ms = clock_asleep_ms();
	bool has_slept = asleep_ms - surroundings->asleep_ms >= SLEPT_MS;

	take_clock(surroundings);
	if (has_slept) {
		surroundings->asleep_ms = asleep_ms;
	}
	return take_addresses(surroundings) || has_slept;
}
