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
#include "conf_keys.h"
#include "conf_rules.h"
#include "conf_source.h"
#include "conf_value.h"

#define NO_SECTION    ((size_t)-1)
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

static int conf_find_path(const char *path, char **result, struct err *err)
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

static unsigned long key_marks_of(const struct conf_account *account)
{
	return account->protocol == CONF_POP3 ? CONF_FOR_POP3 : CONF_FOR_IMAP;
}

/* Reads one entry's value. SILENT: its complaint has been made already. */
static int draft_apply(struct conf_draft *draft, const struct conf_entry *entry, bool silent,
		       struct err *err)
{
	struct err why;
	int code = conf_value_read(entry->key, entry->value, draft->account, &why);

	if (code == -ERR_NOMEM) {
		*err = why;
		return code;
	}
	if (code < 0) {
		draft->bad_keys[entry->key - conf_keys] = true;
	}
	if (code < 0 && !silent) {
		/* A proxy's URL may name a user and his password. */
		bool is_secret =
			entry->key->type == CONF_TYPE_SECRET || entry->key->type == CONF_TYPE_PROXY;
		conf_source_complain(draft->source, entry->line, "%s%s%s: %s", entry->key->name,
				     is_secret ? "" : " = ", is_secret ? "" : entry->value,
				     why.text);
	}
	return 0;
}

/* True when the account itself sets the key of [defaults], or one that stands for it. */
static bool draft_overrides(const struct conf_draft *draft, const struct conf_key *key)
{
	for (size_t i = 0; i < draft->source->entry_count; i++) {
		const struct conf_entry *entry = &draft->source->entries[i];
		bool is_rival = key->rivals && entry->key->rivals == key->rivals;
		if (entry->section == draft->section && (entry->key == key || is_rival)) {
			return true;
		}
	}
	return false;
}

static int draft_apply_section(struct conf_draft *draft, size_t section, bool is_defaults,
			       struct err *err)
{
	int code = 0;

	for (size_t i = 0; i < draft->source->entry_count && code == 0; i++) {
		const struct conf_entry *entry = &draft->source->entries[i];
		bool is_here =
			entry->section == section && !(entry->key->marks & CONF_DEFAULTS_ONLY);
		bool counts = !is_defaults || ((entry->key->marks & key_marks_of(draft->account)) &&
					       !draft_overrides(draft, entry->key));
		if (is_here && counts) {
			code = draft_apply(draft, entry, is_defaults, err);
		}
	}
	return code;
}

static void account_init(struct conf_account *account)
{
	memset(account, 0, sizeof(*account));
	for (size_t i = 0; i < conf_key_count; i++) {
		if (!(conf_keys[i].marks & CONF_DEFAULTS_ONLY)) {
			conf_value_init(&conf_keys[i], account);
		}
	}
}

static void account_finish(struct conf_account *account)
{
	for (size_t i = 0; i < conf_key_count; i++) {
		if (!(conf_keys[i].marks & CONF_DEFAULTS_ONLY)) {
			conf_value_finish(&conf_keys[i], account);
		}
	}
	free(account->name);
	account->name = NULL;
}

static int account_set_initial(struct conf_account *account, struct err *err)
{
	int code = 0;

	for (size_t i = 0; i < conf_key_count && code == 0; i++) {
		if (conf_keys[i].initial && !(conf_keys[i].marks & CONF_DEFAULTS_ONLY)) {
			code = conf_value_read(&conf_keys[i], conf_keys[i].initial, account, err);
		}
	}
	return code;
}

/* Which keys of [defaults] hold depends on the protocol, so it is read first. */
static int draft_apply_protocol(struct conf_draft *draft, struct err *err)
{
	const struct conf_key *key = conf_key_find("protocol");
	const struct conf_entry *entry = conf_source_find(draft->source, draft->section, key);

	if (!entry) {
		entry = conf_source_find(draft->source, draft->defaults, key);
	}
	return entry ? draft_apply(draft, entry, true, err) : 0;
}

static void account_set_port(struct conf_account *account)
{
	bool is_implicit = account->tls == CONF_TLS_IMPLICIT;

	if (account->port == 0 && account->protocol == CONF_POP3) {
		account->port = is_implicit ? 995 : 110;
	} else if (account->port == 0) {
		account->port = is_implicit ? 993 : 143;
	}
}

static int conf_read_account(struct conf_draft *draft, struct err *err)
{
	const struct conf_section *section = &draft->source->sections[draft->section];

	draft->account->line = section->line;
	draft->account->name = span_dup(span_of(section->name));
	int code = draft->account->name ? 0 : err_nomem(err);
	if (code == 0) {
		code = account_set_initial(draft->account, err);
	}
	if (code == 0) {
		code = draft_apply_protocol(draft, err);
	}
	if (code == 0 && draft->defaults != NO_SECTION) {
		code = draft_apply_section(draft, draft->defaults, true, err);
	}
	if (code == 0) {
		code = draft_apply_section(draft, draft->section, false, err);
	}
	if (code == 0) {
		account_set_port(draft->account);
		conf_rules_check(draft);
	}
	return code;
}

static size_t source_find_defaults(const struct conf_source *source)
{
	for (size_t i = 0; i < source->section_count; i++) {
		if (source->sections[i].kind == CONF_SECTION_DEFAULTS) {
			return i;
		}
	}
	return NO_SECTION;
}

/* Complains of bad values in [defaults] once, whatever accounts there are. */
static int conf_check_defaults(struct conf_source *source, size_t defaults, struct err *err)
{
	struct conf_account scratch;
	struct conf_draft draft = {source, &scratch, defaults, NO_SECTION, {false}};

	if (defaults == NO_SECTION) {
		return 0;
	}
	account_init(&scratch);
	int code = draft_apply_section(&draft, defaults, false, err);
	conf_rules_check_rivals(&draft);
	account_finish(&scratch);
	return code;
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

static int conf_read_accounts(struct conf *conf, struct conf_source *source, struct err *err)
{
	size_t defaults = source_find_defaults(source);
	int code = conf_check_defaults(source, defaults, err);

	if (code == 0) {
		code = conf_read_state_dir(conf, source, defaults, err);
	}
	conf->accounts = calloc(source->section_count + 1, sizeof(*conf->accounts));
	if (!conf->accounts) {
		return err_nomem(err);
	}
	for (size_t i = 0; i < source->section_count && code == 0; i++) {
		if (source->sections[i].kind == CONF_SECTION_ACCOUNT &&
		    !source->sections[i].is_twin) {
			struct conf_account *account = &conf->accounts[conf->count++];
			struct conf_draft draft = {source, account, i, defaults, {false}};
			account_init(account);
			code = conf_read_account(&draft, err);
		}
	}
	if (code == 0) {
		conf_rules_check_accounts(source, conf);
	}
	if (code == 0 && conf->count == 0 && source->errors->count == 0) {
		conf_source_complain(source, 0, "there is no [account NAME] section");
	}
	return code;
}

/* A password in a file that others can read is no secret. */
static void conf_check_mode(struct conf_source *source, FILE *stream)
{
	struct stat status;
	const struct conf_key *key = conf_key_find("password");

	if (fstat(fileno(stream), &status) != 0 || !(status.st_mode & (S_IRGRP | S_IROTH))) {
		return;
	}
	for (size_t i = 0; i < source->entry_count; i++) {
		if (source->entries[i].key == key) {
			conf_source_complain(
				source, source->entries[i].line,
				"the file holds a password, but others can read it (mode "
				"%04o); chmod 600 it, or use password_command",
				(unsigned)(status.st_mode & 07777));
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

static int conf_read(struct conf *conf, struct conf_source *source, struct err *err)
{
	int fd = open(conf->path, O_RDONLY | O_CLOEXEC);
	FILE *stream = fd < 0 ? NULL : fdopen(fd, "r");

	if (!stream) {
		char reason[128];
		int errnum = errno;
		if (strerror_r(errnum, reason, sizeof(reason)) != 0) {
			reason[0] = '\0';
		}
		if (fd >= 0) {
			close(fd);
		}
		conf_source_complain(source, 0, "cannot be opened: %s%s", reason,
				     is_absent(errnum)
					     ? "; `mailsync --print-example` prints one to "
					       "begin with"
					     : "");
		return 0;
	}
	int code = conf_source_read(source, stream, err);
	if (code == 0) {
		conf_check_mode(source, stream);
		code = conf_read_accounts(conf, source, err);
	}
	fclose(stream);
	return code;
}

int conf_load(struct conf **conf, const char *path, struct conf_errors *errors, struct err *err)
{
	struct conf_source source;
	struct conf *loaded = calloc(1, sizeof(*loaded));

	*errors = (struct conf_errors){0};
	if (!loaded) {
		return err_nomem(err);
	}
	int code = conf_find_path(path, &loaded->path, err);
	if (code < 0) {
		goto out_conf;
	}
	conf_source_init(&source, loaded->path, errors);
	code = conf_read(loaded, &source, err);
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

void conf_destroy(struct conf **conf)
{
	if (!*conf) {
		return;
	}
	for (size_t i = 0; i < (*conf)->count; i++) {
		account_finish(&(*conf)->accounts[i]);
	}
	free((*conf)->accounts);
	free((*conf)->state_dir);
	free((*conf)->path);
	free(*conf);
	*conf = NULL;
}
