/* Any bytes as a configuration: no crash; refused with a complaint, or each account is complete. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mailsync/conf/conf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char path[] = "/tmp/fuzz-conf-XXXXXX";

static void remove_file(void)
{
	unlink(path);
}

/* One file, mode 0600, written over for each input. */
static int file_fd(void)
{
	static int fd = -1;
	if (fd < 0) {
		fd = mkstemp(path);
		assert(fd >= 0);
		atexit(remove_file);
		setenv("HOME", "/home/fuzz", 1);
	}
	return fd;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct conf *conf = NULL;
	struct conf_errors errors;
	struct err err;
	int fd = file_fd();

	if (ftruncate(fd, 0) != 0 || pwrite(fd, data, size, 0) != (ssize_t)size) {
		return 0;
	}
	if (conf_load(&conf, path, &errors, &err) == 0) {
		assert(errors.count == 0);
		assert(conf->state_dir != NULL && conf->state_dir[0] == '/');
		for (size_t i = 0; i < conf->count; i++) {
			const struct conf_account *account = &conf->accounts[i];
			assert(account->name != NULL && account->maildir != NULL);
			assert(account->host != NULL || account->tunnel != NULL);
			assert(account->tunnel != NULL || account->port > 0);
			assert(account->timeout_s > 0 && account->connections > 0);
			assert(account->max_delete_percent <= 100);
			for (size_t j = 0; j < i; j++) {
				assert(strcmp(conf->accounts[j].name, account->name) != 0);
			}
		}
	} else {
		assert(err.code == ERR_NOMEM || errors.count > 0);
		for (size_t i = 0; i < errors.count; i++) {
			assert(errors.items[i].text != NULL && errors.items[i].text[0] != '\0');
		}
	}
	conf_destroy(&conf);
	conf_errors_finish(&errors);
	return 0;
}
