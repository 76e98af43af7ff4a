#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "mailsync/base/clock.h"
#include "mailsync/store/credential.h"

#define PATH_SIZE 128

/* A folder with the files `secret`, which the command below prints, and `asked`, a line longer each
 * time that it runs. */
struct scene {
	char folder[64];
	char command[512];
	char file[PATH_SIZE];
	struct secret password;
	struct credential *credential;
};

static void scene_write(const struct scene *scene, const char *text)
{
	FILE *stream = fopen(scene->file, "w");

	assert_non_null(stream);
	assert_int_equal(fwrite(text, 1, strlen(text), stream), strlen(text));
	assert_int_equal(fclose(stream), 0);
}

static void scene_init(struct scene *scene)
{
	struct err err;

	memset(scene, 0, sizeof(*scene));
	secret_init(&scene->password);
	snprintf(scene->folder, sizeof(scene->folder), "/tmp/mailsync-credential-XXXXXX");
	assert_non_null(mkdtemp(scene->folder));
	snprintf(scene->file, sizeof(scene->file), "%s/secret", scene->folder);
	snprintf(scene->command, sizeof(scene->command),
		 "echo x >>%s/asked; sleep 0.05; cat %s/secret", scene->folder, scene->folder);
	scene_write(scene, "first\n");
	assert_int_equal(secret_set(&scene->password, SPAN_LIT("plain"), &err), 0);
}

static struct credential_params scene_params(const struct scene *scene, enum credential_kind kind)
{
	return (struct credential_params){
		.kind = kind,
		.account = "work",
		.password = &scene->password,
		.command = scene->command,
		.file = scene->file,
	};
}

static void scene_begin(struct scene *scene, enum credential_kind kind)
{
	struct credential_params params;
	struct err err;

	scene_init(scene);
	params = scene_params(scene, kind);
	assert_int_equal(credential_create(&scene->credential, &params, &err), 0);
}

static void scene_end(struct scene *scene)
{
	char asked[PATH_SIZE];

	credential_destroy(&scene->credential);
	assert_null(scene->credential);
	secret_finish(&scene->password);
	snprintf(asked, sizeof(asked), "%s/asked", scene->folder);
	(void)unlink(asked);
	(void)unlink(scene->file);
	assert_int_equal(rmdir(scene->folder), 0);
}

/* How often the command ran. */
static int asked(const struct scene *scene)
{
	char path[PATH_SIZE];
	struct stat status;

	snprintf(path, sizeof(path), "%s/asked", scene->folder);
	return stat(path, &status) == 0 ? (int)(status.st_size / 2) : 0;
}

static void expect_text(const struct secret *secret, const char *text)
{
	assert_non_null(secret->data);
	assert_int_equal(secret->len, strlen(text));
	assert_memory_equal(secret->data, text, secret->len);
}

static void expect_secret(struct credential *credential, const char *text)
{
	struct secret secret;
	struct err err;

	secret_init(&secret);
	err_clear(&err);
	int code = credential_secret(credential, NULL, &secret, &err);
	if (code < 0) {
		fail_msg("%s", err.text);
	}
	expect_text(&secret, text);
	secret_finish(&secret);
}

static void refuse(struct credential *credential, const char *text)
{
	struct secret secret;
	struct err err;

	secret_init(&secret);
	assert_int_equal(secret_set(&secret, span_of(text), &err), 0);
	credential_refused(credential, &secret);
	secret_finish(&secret);
}

static void a_password_is_copied_at_each_login(void **state)
{
	struct scene scene;
	struct err err;

	(void)state;
	scene_begin(&scene, CREDENTIAL_PASSWORD);
	expect_secret(scene.credential, "plain");
	refuse(scene.credential, "plain");
	expect_secret(scene.credential, "plain");
	assert_int_equal(secret_set(&scene.password, SPAN_LIT(""), &err), 0);
	expect_secret(scene.credential, "");
	secret_finish(&scene.password);
	expect_secret(scene.credential, "");
	scene_end(&scene);
}

static void a_command_runs_once_a_session(void **state)
{
	struct scene scene;

	(void)state;
	scene_begin(&scene, CREDENTIAL_COMMAND);
	assert_int_equal(asked(&scene), 0);
	expect_secret(scene.credential, "first");
	scene_write(&scene, "second\n");
	expect_secret(scene.credential, "first");
	assert_int_equal(asked(&scene), 1);
	scene_end(&scene);
}

static void a_command_runs_again_after_the_server_refused_what_it_gave(void **state)
{
	struct scene scene;

	(void)state;
	scene_begin(&scene, CREDENTIAL_COMMAND);
	expect_secret(scene.credential, "first");
	scene_write(&scene, "second\n");
	refuse(scene.credential, "first");
	assert_int_equal(asked(&scene), 1);
	expect_secret(scene.credential, "second");
	assert_int_equal(asked(&scene), 2);
	scene_end(&scene);
}

/* Two connections logged in with the same bad secret: the second to hear it has nothing to add. */
static void what_was_asked_since_is_not_dropped_by_a_late_refusal(void **state)
{
	struct scene scene;

	(void)state;
	scene_begin(&scene, CREDENTIAL_COMMAND);
	expect_secret(scene.credential, "first");
	scene_write(&scene, "second\n");
	refuse(scene.credential, "first");
	expect_secret(scene.credential, "second");
	refuse(scene.credential, "first");
	expect_secret(scene.credential, "second");
	assert_int_equal(asked(&scene), 2);
	scene_end(&scene);
}

static void another_token_is_there_when_the_command_gives_one(void **state)
{
	struct scene scene;
	struct err err;

	(void)state;
	scene_begin(&scene, CREDENTIAL_COMMAND);
	assert_int_equal(credential_renew(scene.credential, NULL, &err), 0);
	expect_secret(scene.credential, "first");
	refuse(scene.credential, "first");
	assert_int_equal(credential_renew(scene.credential, NULL, &err), 0); /* the same again */
	scene_write(&scene, "second\n");
	refuse(scene.credential, "first");
	assert_int_equal(credential_renew(scene.credential, NULL, &err), 1);
	scene_write(&scene, "");
	refuse(scene.credential, "second");
	assert_int_equal(credential_renew(scene.credential, NULL, &err), 0); /* it fails */
	scene_end(&scene);
	scene_begin(&scene, CREDENTIAL_PASSWORD);
	refuse(scene.credential, "plain");
	assert_int_equal(credential_renew(scene.credential, NULL, &err), 0);
	scene_end(&scene);
}

static void a_file_is_read_at_each_login(void **state)
{
	struct scene scene;

	(void)state;
	scene_begin(&scene, CREDENTIAL_FILE);
	expect_secret(scene.credential, "first");
	scene_write(&scene, "second\r\nmore\n");
	expect_secret(scene.credential, "second");
	scene_end(&scene);
}

struct login {
	struct credential *credential;
	const stop_flag *stop;
	struct secret secret;
	struct err err;
	int code;
};

static void *log_in(void *argument)
{
	struct login *login = argument;

	secret_init(&login->secret);
	err_clear(&login->err);
	login->code =
		credential_secret(login->credential, login->stop, &login->secret, &login->err);
	return NULL;
}

static void logins_at_once_run_the_command_once(void **state)
{
	struct scene scene;
	pthread_t threads[4];
	struct login logins[4];

	(void)state;
	scene_begin(&scene, CREDENTIAL_COMMAND);
	for (size_t i = 0; i < 4; i++) {
		logins[i] = (struct login){.credential = scene.credential};
		assert_int_equal(pthread_create(&threads[i], NULL, log_in, &logins[i]), 0);
	}
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(pthread_join(threads[i], NULL), 0);
		assert_int_equal(logins[i].code, 0);
		expect_text(&logins[i].secret, "first");
		secret_finish(&logins[i].secret);
	}
	assert_int_equal(asked(&scene), 1);
	scene_end(&scene);
}

static void accounts_that_share_a_turn_ask_one_after_another(void **state)
{
	pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;
	struct credential *credentials[2];
	struct login logins[2];
	pthread_t threads[2];
	struct scene scene;
	struct err err;

	(void)state;
	scene_init(&scene);
	snprintf(scene.command, sizeof(scene.command),
		 "mkdir %s/busy || exit 7; sleep 0.1; rmdir %s/busy; echo one", scene.folder,
		 scene.folder);
	struct credential_params params = scene_params(&scene, CREDENTIAL_COMMAND);
	params.turn = &turn;
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(credential_create(&credentials[i], &params, &err), 0);
		logins[i] = (struct login){.credential = credentials[i]};
		assert_int_equal(pthread_create(&threads[i], NULL, log_in, &logins[i]), 0);
	}
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(pthread_join(threads[i], NULL), 0);
		assert_int_equal(logins[i].code, 0);
		secret_finish(&logins[i].secret);
		credential_destroy(&credentials[i]);
	}
	scene_end(&scene);
}

static void a_signal_ends_the_command_and_who_waits_for_it(void **state)
{
	stop_flag stop = 0;
	struct login logins[2];
	pthread_t threads[2];
	struct scene scene;

	(void)state;
	scene_begin(&scene, CREDENTIAL_COMMAND);
	snprintf(scene.command, sizeof(scene.command), "echo x >>%s/asked; exec sleep 20",
		 scene.folder);
	int64_t began = clock_monotonic_ms();
	for (size_t i = 0; i < 2; i++) {
		logins[i] = (struct login){.credential = scene.credential, .stop = &stop};
		assert_int_equal(pthread_create(&threads[i], NULL, log_in, &logins[i]), 0);
	}
	while (asked(&scene) == 0) {
		clock_sleep_ms(5);
	}
	stop = 1;
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(pthread_join(threads[i], NULL), 0);
		assert_int_equal(logins[i].code, -ERR_INTERRUPTED);
		assert_non_null(strstr(logins[i].err.text, "stopped by a signal"));
		assert_null(logins[i].secret.data);
	}
	assert_int_equal(asked(&scene), 1);
	assert_true(clock_monotonic_ms() - began < 5000);
	scene_end(&scene);
}

static void expect_given(enum credential_kind kind, const char *source, int code, const char *part)
{
	struct scene scene;
	struct secret secret;
	struct err err;

	scene_init(&scene);
	struct credential_params params = scene_params(&scene, kind);
	params.command = params.file = source;
	secret_init(&secret);
	assert_int_equal(credential_create(&scene.credential, &params, &err), 0);
	assert_int_equal(credential_secret(scene.credential, NULL, &secret, &err), code);
	if (code == 0) {
		expect_text(&secret, part);
	} else {
		assert_non_null(strstr(err.text, part));
		assert_non_null(strstr(err.text, "password_"));
		assert_null(secret.data);
	}
	secret_finish(&secret);
	scene_end(&scene);
}

static void a_secret_is_the_first_line(void **state)
{
	(void)state;
	expect_given(CREDENTIAL_COMMAND, "printf 'a b\\r\\nc\\n'", 0, "a b");
	expect_given(CREDENTIAL_COMMAND, "printf x; cat", 0, "x");
	expect_given(CREDENTIAL_COMMAND, "yes | head -c 200000", 0, "y");
}

/* What it does afterwards, or leaves running with its output open, is its own matter. */
static void a_line_counts_as_soon_as_it_is_there(void **state)
{
	int64_t began = clock_monotonic_ms();

	(void)state;
	expect_given(CREDENTIAL_COMMAND, "(sleep 20 &) ; echo pass", 0, "pass");
	expect_given(CREDENTIAL_COMMAND, "echo pass; exec sleep 20", 0, "pass");
	expect_given(CREDENTIAL_COMMAND, "echo pass; exit 3", 0, "pass");
	assert_true(clock_monotonic_ms() - began < 10000);
}

static void a_command_that_says_nothing_in_time_is_ended(void **state)
{
	static const char *const before[] = {"", "exec >&-; "};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct scene scene;
		struct secret secret;
		struct err err;
		scene_init(&scene);
		snprintf(scene.command, sizeof(scene.command), "%sexec sleep 60", before[i]);
		struct credential_params params = scene_params(&scene, CREDENTIAL_COMMAND);
		params.timeout_s = 1;
		secret_init(&secret);
		assert_int_equal(credential_create(&scene.credential, &params, &err), 0);
		assert_int_equal(credential_secret(scene.credential, NULL, &secret, &err),
				 -ERR_TEMPORARY);
		assert_non_null(strstr(err.text, "within 1 s"));
		assert_null(secret.data);
		scene_end(&scene);
	}
}

static void a_failure_is_told_with_its_cause(void **state)
{
	(void)state;
	expect_given(CREDENTIAL_COMMAND, "exit 3", -ERR_LOGIN, "status 3");
	expect_given(CREDENTIAL_COMMAND, "exec >&-; sleep 0.1; exit 4", -ERR_LOGIN, "status 4");
	expect_given(CREDENTIAL_COMMAND, "kill -9 $$", -ERR_LOGIN, "signal 9");
	expect_given(CREDENTIAL_COMMAND, "echo", -ERR_LOGIN, "empty");
	expect_given(CREDENTIAL_FILE, "/dev/null", -ERR_LOGIN, "empty");
	expect_given(CREDENTIAL_FILE, "/nonexistent/x", -ERR_CONFIG, "cannot be read");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_password_is_copied_at_each_login),
		cmocka_unit_test(a_command_runs_once_a_session),
		cmocka_unit_test(a_command_runs_again_after_the_server_refused_what_it_gave),
		cmocka_unit_test(what_was_asked_since_is_not_dropped_by_a_late_refusal),
		cmocka_unit_test(another_token_is_there_when_the_command_gives_one),
		cmocka_unit_test(a_file_is_read_at_each_login),
		cmocka_unit_test(logins_at_once_run_the_command_once),
		cmocka_unit_test(accounts_that_share_a_turn_ask_one_after_another),
		cmocka_unit_test(a_signal_ends_the_command_and_who_waits_for_it),
		cmocka_unit_test(a_secret_is_the_first_line),
		cmocka_unit_test(a_line_counts_as_soon_as_it_is_there),
		cmocka_unit_test(a_command_that_says_nothing_in_time_is_ended),
		cmocka_unit_test(a_failure_is_told_with_its_cause),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
