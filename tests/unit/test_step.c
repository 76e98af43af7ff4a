/* Steps exist in a build of their own; here step.c is compiled as in that one, and each
 * claim is made in a child, since a process counts its steps but once. */
#ifndef MAILSYNC_STEPS
#define MAILSYNC_STEPS
#endif
#include "../../src/base/step.c"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>

#include <cmocka.h>

/* Three steps in a child with variable NAME set; its wait status. The exit status is how
 * many steps were carried out, plus ten times the number of the failed one. */
static int three_steps(const char *name, const char *value)
{
	pid_t child = fork();
	int status = 0;

	assert_true(child >= 0);
	if (child == 0) {
		int done = 0;
		setenv(name, value, 1);
		for (int i = 1; i <= 3; i++) {
			int errnum = STEP("try");
			done += errnum == 0 ? 1 : errnum == ENOSPC ? 10 * i : 100;
		}
		_exit(done);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	return status;
}

static void step_without_a_plan_does_nothing(void **state)
{
	int status = three_steps("MAILSYNC_STEP_STOP", "");

	(void)state;
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 3);
}

static void step_stop_kills_before_the_next_step(void **state)
{
	int status = three_steps("MAILSYNC_STEP_STOP", "2");

	(void)state;
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGKILL);
	status = three_steps("MAILSYNC_STEP_STOP", "0");
	assert_true(WIFSIGNALED(status));
	status = three_steps("MAILSYNC_STEP_STOP", "3");
	assert_true(WIFEXITED(status));
}

static void step_fail_fails_one_step_once(void **state)
{
	char value[32];

	(void)state;
	snprintf(value, sizeof(value), "2:%d", ENOSPC);
	int status = three_steps("MAILSYNC_STEP_FAIL", value);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 22);
}

/* Stopped before its second step, a child has carried out one; it goes on when told to. */
static void step_pause_waits_for_sigcont(void **state)
{
	int told[2];
	char done[4] = "";
	int status;

	(void)state;
	assert_int_equal(pipe(told), 0);
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		setenv("MAILSYNC_STEP_PAUSE", "2", 1);
		for (int i = 0; i < 3; i++) {
			if (STEP("try") != 0 || write(told[1], "x", 1) != 1) {
				_exit(1);
			}
		}
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, WUNTRACED), child);
	assert_true(WIFSTOPPED(status));
	assert_int_equal(WSTOPSIG(status), SIGSTOP);
	assert_int_equal(read(told[0], done, sizeof(done)), 1);
	assert_int_equal(kill(child, SIGCONT), 0);
	assert_int_equal(waitpid(child, &status, WUNTRACED), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	assert_int_equal(read(told[0], done, sizeof(done)), 2);
	close(told[0]);
	close(told[1]);
}

/* Looks are counted apart from steps. */
static void step_look_waits_for_sigcont(void **state)
{
	int status;

	(void)state;
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		setenv("MAILSYNC_STEP_LOOK", "2", 1);
		(void)STEP("try");
		STEP_LOOK(AT_FDCWD);
		(void)STEP("try");
		STEP_LOOK(AT_FDCWD);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, WUNTRACED), child);
	assert_true(WIFSTOPPED(status));
	assert_int_equal(kill(child, SIGCONT), 0);
	assert_int_equal(waitpid(child, &status, WUNTRACED), child);
	assert_true(WIFEXITED(status));
}

static void step_log_numbers_what_was_reached(void **state)
{
	char path[] = "/tmp/mailsync-step-XXXXXX";
	char text[64] = "";
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	three_steps("MAILSYNC_STEP_LOG", path);
	assert_true(read(fd, text, sizeof(text) - 1) > 0);
	close(fd);
	unlink(path);
	assert_string_equal(text, "1 try\n2 try\n3 try\n");
}

static void step_log_tells_paths_and_keeps_what_is_removed(void **state)
{
	char dir[] = "/tmp/mailsync-step-XXXXXX";
	char path[64];
	char kept[64];
	char text[256] = "";
	char want[256];

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/log", dir);
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		setenv("MAILSYNC_STEP_LOG", path, 1);
		setenv("MAILSYNC_STEP_KEEP", dir, 1);
		int fd = open(dir, O_RDONLY | O_DIRECTORY);
		(void)STEP_AT("fsync directory", fd, NULL);
		(void)STEP_MOVE("rename", fd, "one", AT_FDCWD, "/two");
		(void)STEP_AT("unlink", fd, "log");
		_exit(0);
	}
	assert_int_equal(waitpid(child, NULL, 0), child);
	int fd = open(path, O_RDONLY);
	assert_true(read(fd, text, sizeof(text) - 1) > 0);
	close(fd);
	snprintf(want, sizeof(want),
		 "1 fsync directory\t%s\n2 rename\t%s/one\t/two\n"
		 "3 unlink\t%s/log\n",
		 dir, dir, dir);
	assert_string_equal(text, want);
	snprintf(kept, sizeof(kept), "%s/3", dir);
	assert_int_equal(unlink(kept), 0);
	unlink(path);
	rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(step_without_a_plan_does_nothing),
		cmocka_unit_test(step_stop_kills_before_the_next_step),
		cmocka_unit_test(step_fail_fails_one_step_once),
		cmocka_unit_test(step_pause_waits_for_sigcont),
		cmocka_unit_test(step_look_waits_for_sigcont),
		cmocka_unit_test(step_log_numbers_what_was_reached),
		cmocka_unit_test(step_log_tells_paths_and_keeps_what_is_removed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
