#include "mailsync/base/there.h"
#include "mailsync/conf/conf.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mailsync/base/file.h"
#include "conf_draft.h"
#include "conf_keys.h"
#include "conf_provider.h"
#include "conf_rules.h"
#include "conf_source.h"
#include "conf_value.h"

#define PATH_SIZE_MAX 65536

void conf_errors_finish(struct conf_errors *errors)
{
	for (size_t i = 0; i < errors->count; i++) {
		free(errors->items[i].text);
	}
	free(errors->items);
	*errors = (struct conf_errors){0};
}

/* Stable, by line: the order in which they were found tells nothing to a reader. */
static void conf_errors_sort(struct conf_errors *errors)
{
	for (size_t i = 1; i < errors->count; i++) {
		struct conf_error item = errors->items[i];
		size_t at = i;
		for (; at > 0 && errors->items[at - 1].line > item.line; at--) {
			errors->items[at] = errors->items[at - 1];
		}
		errors->items[at] = item;
	}
}

/* "$NAME" + REST, or where that is unset or empty "~" + HOME_REST. */
static int path_in(const char *name, const char *rest, const char *home_rest, char **path,
		   struct err *err)
{
	const char *base = getenv(name);
	struct buf buf;
	int code = 0;

	buf_init(&buf, PATH_SIZE_MAX);
	if (base && *base) {
		buf_append_cstr(&buf, base);
	} else {
		code = file_expand("~", &buf, err);
		rest = home_rest;
	}
	buf_append_cstr(&buf, rest);
	if (code == 0) {
		code = buf_status(&buf, "a path", err);
	}
	if (code == 0) {
		*path = buf_steal(&buf);
		code = *path ? 0 : err_nomem(err);
	}
	buf_finish(&buf);
	return code;
}

int conf_path(const char *path, char **result, struct err *err)
{
	const char *from_environment = getenv("MAILSYNC_CONFIG");

	if (!path && from_environment && *from_environment) {
		path = from_environment;
	}
	if (!path) {
		return path_in("XDG_CONFIG_HOME", "/mailsync/mailsync.conf",
			       "/.config/mailsync/mailsync.conf", result, err);
	}
	*result = span_dup(span_of(path));
	return *result ? 0 : err_nomem(err);
}

static size_t source_find_defaults(const struct conf_source *source)
{
	for (size_t i = 0; i < source->section_count; i++) {
		if (source->sections[i].kind == CONF_SECTION_DEFAULTS) {
			return i;
		}
	}
	return CONF_NO_SECTION;
}

static int conf_read_state_dir(struct conf *conf, struct conf_source *source, size_t defaults,
			       struct err *err)
{
	const struct conf_key *key = conf_key_find("state_dir");
	const struct conf_entry *entry = conf_source_find(source, defaults, key);
	struct err why;
	int code = 0;

	if (entry) {
		code = conf_value_read(key, entry->value, conf, &why);
	}
	if (code < 0) {
		conf_source_complain(source, entry->line, "state_dir = %s: %s", entry->value,
				     why.text);
		return 0;
	}
	if (conf->state_dir) {
		return 0;
	}
	return path_in("XDG_STATE_HOME", "/mailsync", "/.local/state/mailsync", &conf->state_dir,
		       err);
}

/* `init` looks around before there is an account. */
static int conf_read_proxy(struct conf *conf, const struct conf_source *source, size_t defaults,
			   struct err *err)
{
	const struct conf_entry *entry = conf_source_find(source, defaults, conf_key_find("proxy"));

	if (!entry || !*entry->value) {
		return 0;
	}
	conf->proxy = span_dup(span_of(entry->value));
	return conf->proxy ? 0 : err_nomem(err);
}

static int conf_read_accounts(struct conf *conf, struct conf_source *source, bool may_lack,
			      struct err *err)
{
	size_t defaults = source_find_defaults(source);
	int code = conf_draft_check_defaults(source, &conf->providers, defaults, err);

	if (code == 0) {
		code = conf_read_state_dir(conf, source, defaults, err);
	}
	if (code == 0) {
		code = conf_read_proxy(conf, source, defaults, err);
	}
	conf->accounts = calloc(source->section_count + 1, sizeof(*conf->accounts));
	if (!conf->accounts) {
		return err_nomem(err);
	}
	for (size_t i = 0; i < source->section_count && code == 0; i++) {
		if (source->sections[i].kind == CONF_SECTION_ACCOUNT &&
		    !source->sections[i].is_twin) {
			struct conf_account *account = &conf->accounts[conf->count++];
			struct conf_draft draft = {source,   account,         &conf->providers, i,
						   defaults, CONF_NO_SECTION, {false}};
			conf_account_init(account);
			code = conf_draft_read(&draft, err);
		}
	}
	if (code == 0) {
		conf_rules_check_accounts(source, conf);
	}
	if (code == 0 && conf->count == 0 && source->errors->count == 0 && !may_lack) {
		conf_source_complain(source, 0, "there is no [account NAME] section");
	}
	return code;
}

/* "socks5h://USER:PASSWORD@HOST" */
static bool has_password(const char *proxy)
{
	const char *scheme = strstr(proxy, "://");
	const char *user = scheme ? scheme + 3 : proxy;
	const char *at = strrchr(user, '@');

	return at && memchr(user, ':', (size_t)(at - user));
}

/* What others must not read of ENTRY, and what to do but `chmod`; NULL: nothing. */
static const char *secret_of(const struct conf_entry *entry, const char **instead)
{
	*instead = "";
	if (entry->key->type == CONF_TYPE_PROXY) {
		return has_password(entry->value) ? "a proxy's password" : NULL;
	}
	if (entry->key->type != CONF_TYPE_SECRET || !*entry->value) {
		return NULL;
	}
	bool is_password = strcmp(entry->key->name, "password") == 0;
	*instead =
		is_password ? ", or use password_command" : ", or use oauth_client_secret_command";
	return is_password ? "a password" : "the secret of an OAuth2 client";
}

/* A secret in a file that others can read is none. */
static void conf_check_mode(struct conf_source *source, FILE *stream)
{
	struct stat status;

	if (fstat(fileno(stream), &status) != 0 || !(status.st_mode & (S_IRGRP | S_IROTH))) {
		return;
	}
	for (size_t i = 0; i < source->entry_count; i++) {
		const char *instead;
		const char *secret = secret_of(&source->entries[i], &instead);
		if (secret) {
			conf_source_complain(
				source, source->entries[i].line,
				"the file holds %s, but others can read it (mode %04o); chmod 600 "
				"it%s",
				secret, (unsigned)(status.st_mode & 07777), instead);
			return;
		}
	}
}

bool conf_password_file_is_exposed(const struct conf_account *account)
{
	struct stat status;

	return account->password_file && stat(account->password_file, &status) == 0 &&
	       (status.st_mode & (S_IRGRP | S_IROTH)) != 0;
}

/* MAY_LACK: the file, and accounts in it. */
static int conf_read(struct conf *conf, struct conf_source *source, bool may_lack, struct err *err)
{
	int fd = open(conf->path, O_RDONLY | O_CLOEXEC);
	FILE *stream = fd < 0 ? NULL : fdopen(fd, "r");

	if (!stream) {
		char reason[128];
		int errnum = errno;
		if (may_lack && is_absent(errnum)) {
			return 0;
		}
		if (strerror_r(errnum, reason, sizeof(reason)) != 0) {
			reason[0] = '\0';
		}
		if (fd >= 0) {
			close(fd);
		}
		conf_source_complain(source, 0, "cannot be opened: %s%s", reason,
				     is_absent(errnum)
					     ? "; `mailsync init EMAIL --write` makes one, "
					       "`mailsync --print-example` prints one to "
					       "begin with"
					     : "");
		return 0;
	}
	int code = conf_source_read(source, stream, err);
	if (code == 0) {
		conf_check_mode(source, stream);
		code = conf_providers_read(source, &conf->providers, err);
	}
	if (code == 0) {
		code = conf_read_accounts(conf, source, may_lack, err);
	}
	fclose(stream);
	return code;
}

static int load(struct conf **conf, const char *path, bool may_lack, struct conf_errors *errors,
		struct err *err)
{
	struct conf_source source;
	struct conf *loaded = calloc(1, sizeof(*loaded));

	*errors = (struct conf_errors){0};
	if (!loaded) {
		return err_nomem(err);
	}
	int code = conf_path(path, &loaded->path, err);
	if (code < 0) {
		goto out_conf;
	}
	conf_source_init(&source, loaded->path, errors);
	code = conf_read(loaded, &source, may_lack, err);
	if (code == 0 && source.out_of_memory) {
		code = err_nomem(err);
	}
	if (code == 0 && errors->count > 0) {
		conf_errors_sort(errors);
		code = err_set(err, ERR_CONFIG, SCOPE_RUN, "%s: %zu error%s", loaded->path,
			       errors->count, errors->count == 1 ? "" : "s");
	}
	if (code == 0) {
		*conf = loaded;
		loaded = NULL;
	}
	conf_source_finish(&source);
out_conf:
	conf_destroy(&loaded);
	return code;
}

int conf_load(struct conf **conf, const char *path, struct conf_errors *errors, struct err *err)
{
	return load(conf, path, false, errors, err);
}

int conf_load_sections(struct conf **conf, const char *path, struct conf_errors *errors,
		       struct err *err)
{
	return load(conf, path, true, errors, err);
}

void conf_destroy(struct conf **conf)
{
	if (!*conf) {
		return;
	}
	for (size_t i = 0; i < (*conf)->count; i++) {
		conf_account_finish(&(*conf)->accounts[i]);
	}
	free((*conf)->accounts);
	conf_providers_finish(&(*conf)->providers);
	if ((*conf)->proxy) { /* a password may be in it */
		secret_wipe((*conf)->proxy, strlen((*conf)->proxy));
	}
	free((*conf)->proxy);
	free((*conf)->state_dir);
	free((*conf)->path);
	free(*conf);
	*conf = NULL;
}
