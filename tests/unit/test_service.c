#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "mailsync/base/clock.h"
#include "mailsync/base/service.h"

/* The manager's end, and where it is. */
struct manager {
	int fd;
	char path[64]; /* as in $NOTIFY_SOCKET */
};

static void manager_listen(struct manager *manager, bool is_abstract)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	snprintf(manager->path, sizeof(manager->path), "%smailsync-test-%d",
		 is_abstract ? "@" : "/tmp/", (int)getpid());
	size_t len = strlen(manager->path);
	memcpy(address.sun_path, manager->path, len);
	if (is_abstract) {
		address.sun_path[0] = '\0';
	}
	manager->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	assert_true(manager->fd >= 0);
	socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
	assert_int_equal(bind(manager->fd, (struct sockaddr *)&address, size), 0);
	assert_int_equal(setenv("NOTIFY_SOCKET", manager->path, 1), 0);
}

static void manager_close(struct manager *manager)
{
	close(manager->fd);
	if (manager->path[0] == '/') {
		assert_int_equal(unlink(manager->path), 0);
	}
}

/* The next datagram; "" where there is none. */
static const char *heard(const struct manager *manager)
{
	static char text[512];
	ssize_t len = recv(manager->fd, text, sizeof(text) - 1, 0);
	text[len > 0 ? len : 0] = '\0';
	return text;
}

static void the_manager_hears_how_it_stands(const char *kind)
{
	struct manager manager;
	struct service service;
	char expected[80];
	uint64_t at_us;
	manager_listen(&manager, kind[0] == '@');
	service_open(&service);
	assert_null(getenv("NOTIFY_SOCKET"));
	service_ready(&service);
	assert_string_equal(heard(&manager), "READY=1");
	service_status(&service, "1 account: 1 watched");
	assert_string_equal(heard(&manager), "STATUS=1 account: 1 watched");
	service_status(&service, "1 account: 1 watched");
	assert_string_equal(heard(&manager), "");
	service_status(&service, "1 account: 1 syncing");
	assert_string_equal(heard(&manager), "STATUS=1 account: 1 syncing");
	service_reloading(&service);
	const char *text = heard(&manager);
	assert_int_equal(sscanf(text, "RELOADING=1\nMONOTONIC_USEC=%" SCNu64, &at_us), 1);
	assert_true(at_us <= (uint64_t)clock_monotonic_us());
	snprintf(expected, sizeof(expected), "RELOADING=1\nMONOTONIC_USEC=%" PRIu64, at_us);
	assert_string_equal(text, expected);
	service_stopping(&service);
	assert_string_equal(heard(&manager), "STOPPING=1");
	/* No sign of life is demanded. */
	service_alive(&service);
	assert_string_equal(heard(&manager), "");
	assert_int_equal(service_pause_ms(&service), -1);
	service_close(&service);
	manager_close(&manager);
}

static void a_manager_at_a_path_hears_how_it_stands(void **state)
{
	(void)state;
	the_manager_hears_how_it_stands("/");
}

static void a_manager_at_an_abstract_address_hears_how_it_stands(void **state)
{
	(void)state;
	the_manager_hears_how_it_stands("@");
}

static void signs_of_life_come_twice_as_often_as_demanded(void **state)
{
	struct manager manager;
	struct service service;
	(void)state;
	manager_listen(&manager, false);
	assert_int_equal(setenv("WATCHDOG_USEC", "200000", 1), 0);
	service_open(&service);
	assert_int_equal(service_pause_ms(&service), 1);
	service_alive(&service);
	assert_string_equal(heard(&manager), "WATCHDOG=1");
	service_alive(&service);
	assert_string_equal(heard(&manager), "");
	assert_in_range(service_pause_ms(&service), 1, 100);
	service.alive_ms -= 100;
	service_alive(&service);
	assert_string_equal(heard(&manager), "WATCHDOG=1");
	service_close(&service);
	manager_close(&manager);
}

static void a_watchdog_of_another_process_is_not_ours(void **state)
{
	struct manager manager;
	struct service service;
	(void)state;
	manager_listen(&manager, false);
	assert_int_equal(setenv("WATCHDOG_USEC", "200000", 1), 0);
	assert_int_equal(setenv("WATCHDOG_PID", "1", 1), 0);
	service_open(&service);
	service_alive(&service);
	assert_string_equal(heard(&manager), "");
	service_close(&service);
	manager_close(&manager);
}

static void without_a_manager_nothing_is_said(void **state)
{
	static const char *const nowhere[] = {
		NULL, "", "relative", "/", "/tmp/mailsync-no-such", "vsock:2:1234"};
	(void)state;
	for (size_t i = 0; i < sizeof(nowhere) / sizeof(nowhere[0]); i++) {
		struct service service;
		if (nowhere[i]) {
			assert_int_equal(setenv("NOTIFY_SOCKET", nowhere[i], 1), 0);
		}
		service_open(&service);
		service_ready(&service);
		service_status(&service, "x");
		service_alive(&service);
		service_stopping(&service);
		service_close(&service);
	}
}

/* It holds up nothing, and says so later. */
static void a_manager_that_does_not_read_is_not_waited_for(void **state)
{
	struct manager manager;
	struct service service;
	char text[32] = "";
	(void)state;
	manager_listen(&manager, false);
	service_open(&service);
	for (int i = 0; i < 10000; i++) {
		snprintf(text, sizeof(text), "status %d", i);
		service_status(&service, text);
	}
	while (heard(&manager)[0] != '\0') {
	}
	service_status(&service, text);
	assert_string_equal(heard(&manager), "STATUS=status 9999");
	service_close(&service);
	manager_close(&manager);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_manager_at_a_path_hears_how_it_stands),
		cmocka_unit_test(a_manager_at_an_abstract_address_hears_how_it_stands),
		cmocka_unit_test(signs_of_life_come_twice_as_often_as_demanded),
		cmocka_unit_test(a_watchdog_of_another_process_is_not_ours),
		cmocka_unit_test(without_a_manager_nothing_is_said),
		cmocka_unit_test(a_manager_that_does_not_read_is_not_waited_for),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
