#include "cli_account.h"

#include <string.h>

#include "mailsync/model/mbname.h"

static const enum server_tls tls_of[] = {
	[CONF_TLS_IMPLICIT] = SERVER_TLS_IMPLICIT,
	[CONF_TLS_STARTTLS] = SERVER_TLS_STARTTLS,
	[CONF_TLS_NONE] = SERVER_TLS_NONE,
};

static const enum server_compress compress_of[] = {
	[CONF_COMPRESS_NO] = SERVER_COMPRESS_NO,
	[CONF_COMPRESS_YES] = SERVER_COMPRESS_YES,
	[CONF_COMPRESS_AUTO] = SERVER_COMPRESS_AUTO,
};

static const enum maildir_durability durability_of[] = {
	[CONF_DURABILITY_BATCH] = MAILDIR_SYNC_BATCH,
	[CONF_DURABILITY_FILE] = MAILDIR_SYNC_FILE,
	[CONF_DURABILITY_NONE] = MAILDIR_SYNC_NONE,
};

static const enum account_direction direction_of[] = {
	[CONF_DIRECTION_BOTH] = DIRECTION_BOTH,
	[CONF_DIRECTION_PULL] = DIRECTION_PULL,
	[CONF_DIRECTION_PUSH] = DIRECTION_PUSH,
};

static const enum account_keywords keywords_of[] = {
	[CONF_KEYWORDS_YES] = KEYWORDS_YES,
	[CONF_KEYWORDS_PULL] = KEYWORDS_PULL,
	[CONF_KEYWORDS_NO] = KEYWORDS_NO,
};

static const enum account_leave leave_of[] = {
	[CONF_LEAVE_YES] = LEAVE_YES,
	[CONF_LEAVE_NO] = LEAVE_NO,
	[CONF_LEAVE_AGE] = LEAVE_AGE,
};

static void fill_server(struct server *server, const struct conf_account *conf,
			struct credential *credential)
{
	server->host = conf->host;
	server->port = conf->port;
	server->tls = tls_of[conf->tls];
	server->ca_file = conf->tls_ca_file;
	server->cert_file = conf->tls_cert_file;
	server->key_file = conf->tls_key_file;
	server->pin_sha256 = conf->tls_pin_sha256;
	server->tls_min = conf->tls_min_version;
	server->proxy = conf->proxy;
	server->tunnel = conf->tunnel;
	server->timeout_s = conf->timeout_s;
	server->user = conf->user;
	server->auth = conf->auth;
	server->credential = credential;
	server->has_token = conf->oauth || conf->oauth_account;
	server->compress = compress_of[conf->compress];
	server->disabled = &conf->disable_extensions;
}

static void fill_maildir(struct maildir_params *maildir, const struct conf_account *conf)
{
	maildir->root = conf->maildir;
	maildir->layout = conf->layout == CONF_LAYOUT_FS ? LAYOUT_FS : LAYOUT_MAILDIRPP;
	maildir->inbox_folder = conf->inbox;
	maildir->info_delimiter = conf->info_delimiter;
	maildir->keywords = conf->keywords != CONF_KEYWORDS_NO;
	maildir->durability = durability_of[conf->durability];
}

static void fill_help(struct account *account, const struct conf_account *conf,
		      const struct providers *own)
{
#define KEY(id, key) [SERVER_HELP_##id] = (key),
	static const char *const keys[SERVER_HELP_COUNT] = {PROVIDER_HELPS(KEY)};
#undef KEY
	const struct provider *provider = NULL;

	if (conf->provider) {
		provider = provider_by_name(own, conf->provider);
	} else if (conf->host && !conf->tunnel) {
		provider = provider_by_host(own, conf->host, conf->port);
	}
	for (size_t i = 0; i < SERVER_HELP_COUNT && provider; i++) {
		account->server.help[i] = provider_value(provider, keys[i]);
	}
}

void cli_account_fill(struct account *account, const struct conf_account *conf,
		      const struct conf *whole, struct credential *credential, const char *trash)
{
	memset(account, 0, sizeof(*account));
	account->name = conf->name;
	account->is_pop3 = conf->protocol == CONF_POP3;
	fill_server(&account->server, conf, credential);
	fill_help(account, conf, &whole->providers);
	fill_maildir(&account->maildir, conf);
	account->connections = conf->connections;
	account->patterns = (const char *const *)conf->mailboxes.items;
	account->pattern_count = conf->mailboxes.count;
	account->subscribed_only = conf->subscribed_only;
	account->direction = direction_of[conf->direction];
	account->copy = conf->copy;
	account->flags = conf->flags;
	account->delete_ = conf->delete_;
	account->expunge = conf->expunge;
	account->create = conf->create;
	account->remove_mailboxes = conf->remove_mailboxes;
	account->trash = trash;
	account->max_message_size = conf->max_message_size;
	account->max_age_s = conf->max_age_s;
	account->max_delete_percent = conf->max_delete_percent;
	account->keywords = keywords_of[conf->keywords];
	account->leave_on_server = leave_of[conf->leave_on_server];
	account->leave_age_s = conf->leave_age_s;
	account->patience_s = conf->patience_s;
}

bool cli_account_is_shared(const struct conf *conf, const struct conf_account *owner)
{
	for (size_t i = 0; i < conf->count; i++) {
		const struct conf_account *other = &conf->accounts[i];
		if (other->oauth_account && strcmp(other->oauth_account, owner->name) == 0 &&
		    other->protocol != owner->protocol) {
			return true;
		}
	}
	return false;
}

void cli_account_authority(const struct conf_account *conf, struct oauth_settings *settings,
			   struct authority_params *params)
{
	*settings = (struct oauth_settings){
		.account = conf->name,
		.oauth = conf->oauth,
		.user = conf->user,
		.is_pop3 = conf->protocol == CONF_POP3,
		.client_id = conf->oauth_client_id,
		.tenant = conf->oauth_tenant,
		.scope = conf->oauth_scope,
		.auth_url = conf->oauth_auth_url,
		.token_url = conf->oauth_token_url,
		.device_url = conf->oauth_device_url,
		.register_url = conf->oauth_register_url,
		.redirect = conf->oauth_redirect,
	};
	*params = (struct authority_params){
		.account = conf->name,
		.settings = settings,
		.ca_file = conf->oauth_ca_file,
		.proxy = conf->proxy,
		.timeout_s = conf->timeout_s,
	};
}

bool cli_account_client_secret(const struct conf_account *conf, struct credential_params *params)
{
	*params = (struct credential_params){
		.kind = conf->oauth_client_secret_command ? CREDENTIAL_COMMAND
							  : CREDENTIAL_PASSWORD,
		.account = conf->name,
		.key = "oauth_client_secret_command",
		.password = &conf->oauth_client_secret,
		.command = conf->oauth_client_secret_command,
	};
	return conf->oauth_client_secret_command || conf->oauth_client_secret.len > 0;
}

void cli_account_credential(const struct conf_account *conf, struct tokens *tokens,
			    struct credential_params *params)
{
	*params = (struct credential_params){
		.kind = tokens                 ? CREDENTIAL_OAUTH
		      : conf->password_command ? CREDENTIAL_COMMAND
		      : conf->password_file    ? CREDENTIAL_FILE
					       : CREDENTIAL_PASSWORD,
		/* That `login` takes. */
		.account = conf->oauth_account ? conf->oauth_account : conf->name,
		.password = &conf->password,
		.command = conf->password_command,
		.file = conf->password_file,
		.tokens = tokens,
	};
}

int cli_account_trash(const struct conf_account *conf, char **trash, struct err *err)
{
	struct buf name;
	char *copy = NULL;
	int code = 0;

	if (conf->trash) {
		buf_init(&name, MBNAME_MAX);
		if (conf->trash[0] == '\\') {
			buf_append_cstr(&name, conf->trash);
		} else {
			code = mbname_from_user(span_of(conf->trash), &name, err);
		}
		if (code < 0) {
			code = err_set(err, ERR_CONFIG, SCOPE_ACCOUNT,
				       "trash = %s of account %s: %s", conf->trash, conf->name,
				       err->text);
		} else {
			copy = buf_steal(&name);
			code = copy ? 0 : err_nomem(err);
		}
		buf_finish(&name);
	}
	if (code == 0) {
		*trash = copy;
	}
	return code;
}
