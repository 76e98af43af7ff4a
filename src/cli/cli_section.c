#include "cli_section.h"

#include <string.h>

#include "mailsync/base/auth.h"
#include "mailsync/base/url.h"

bool cli_section_is_pop3(const struct cli_section *section)
{
	if (section->provider) {
		return provider_value(section->provider, "host") == NULL;
	}
	return section->server && section->server->protocol == CONN_POP3;
}

const char *cli_section_host(const struct cli_section *section)
{
	const char *host = NULL;

	if (section->provider) {
		host = provider_value(section->provider,
				      cli_section_is_pop3(section) ? "pop3_host" : "host");
	}
	return host ? host : section->server ? section->server->host : "";
}

const char *cli_section_user(const struct cli_section *section)
{
	const struct cli_address *address = section->address;
	bool is_local = section->provider &&
			provider_login_length(section->provider, address->text, address->at) <
				strlen(address->text);

	return is_local ? address->local : address->text;
}

/* --- how one logs in --- */

static unsigned mechs_of(const struct cli_section *section)
{
	return section->offer ? section->offer->mechs : 0;
}

/* The server says that it takes a token; where it was not heard, that is not known. */
static bool takes_token(const struct cli_section *section)
{
	return (mechs_of(section) & (AUTH_BIT(AUTH_OAUTHBEARER) | AUTH_BIT(AUTH_XOAUTH2))) != 0;
}

/* It takes a password of one kind or another. */
static bool takes_password(const struct cli_section *section)
{
	for (enum auth mech = AUTH_NONE + 1; mech < AUTH_COUNT; mech++) {
		unsigned marks = auth_row(mech)->marks;
		if ((mechs_of(section) & AUTH_BIT(mech)) &&
		    !(marks & (AUTH_TAKES_TOKEN | AUTH_NO_SECRET | AUTH_ASKED_ONLY))) {
			return true;
		}
	}
	return false;
}

static bool is_by_pacc(const struct cli_section *section)
{
	return section->server && strncmp(section->server->source, "PACC", 4) == 0;
}

const char *cli_section_issuer(const struct cli_section *section)
{
	const struct pacc *pacc = section->found ? &section->found->pacc : NULL;

	/* A server that the DNS alone names gets no tokens of PACC's issuer. */
	if (section->provider || !pacc || !pacc->issuer || !is_by_pacc(section)) {
		return NULL;
	}
	return takes_token(section) || pacc->is_token_alone ? pacc->issuer : NULL;
}

bool cli_section_issuer_is_outside(const struct cli_section *section)
{
	const char *issuer = cli_section_issuer(section);
	struct url url;

	return issuer && !(url_read(span_of(issuer), &url) &&
			   url_host_is_below(url.host, span_of(section->address->domain)));
}

bool cli_section_signs_in(const struct cli_section *section)
{
	return cli_section_issuer(section) ||
	       (section->provider && provider_value(section->provider, "oauth"));
}

void cli_section_append_password_file(const struct cli_section *section, struct buf *out)
{
	buf_printf(out, "%s/%s.password", section->folder, section->name);
}

static void write_password(const struct cli_section *section, struct buf *out)
{
	const char *offer =
		section->provider ? provider_value(section->provider, "oauth_offer") : NULL;

	buf_append_cstr(out, "password_file = ");
	cli_section_append_password_file(section, out);
	buf_append_char(out, '\n');
	if (offer) {
		buf_printf(
			out,
			"# Or, instead of a password, by OAuth2: `oauth = %s`, and then `mailsync "
			"login %s`.\n",
			offer, section->name);
	}
}

static void write_issuer(const struct cli_section *section, const char *issuer, struct buf *out)
{
	buf_printf(out, "# By OAuth2, as PACC tells%s:\n",
		   section->found->pacc.is_token_alone
			   ? ""
			   : "; `password_file` in its place would do, too");
	if (cli_section_issuer_is_outside(section)) {
		buf_printf(out,
			   "# %s is outside of %s: make sure that it is your provider's before "
			   "you sign in.\n",
			   issuer, section->address->domain);
	}
	buf_printf(out, "oauth = %s\n", issuer);
}

static void write_login(const struct cli_section *section, struct buf *out)
{
	const char *issuer = cli_section_issuer(section);

	if (issuer) {
		write_issuer(section, issuer, out);
	} else if (cli_section_signs_in(section)) {
		buf_printf(out, "# By OAuth2 (%s), as the provider demands.\n",
			   provider_value(section->provider, "oauth"));
	} else {
		write_password(section, out);
	}
}

/* --- a provider --- */

/* Neither what is said of the provider and of no account, nor what may be a secret. */
static bool is_of_account(const char *key)
{
	static const char *const others[] = {"title",
					     "domains",
					     "mx",
					     "oauth_offer",
					     "login",
					     "pop3_host",
					     "pop3_port",
					     "oauth_client_secret",
					     "oauth_client_secret_command",
					     "proxy"};

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		if (strcmp(key, others[i]) == 0) {
			return false;
		}
	}
	return strncmp(key, "help_", 5) != 0;
}

static void write_helps(const struct provider *provider, struct buf *out)
{
	for (size_t i = 0; i < provider->count; i++) {
		if (strncmp(provider->pairs[i].key, "help_", 5) == 0) {
			buf_printf(out, "# %s\n", provider->pairs[i].value);
		}
	}
}

static void write_provider(const struct cli_section *section, struct buf *out)
{
	const struct provider *provider = section->provider;

	buf_append_cstr(out, section->is_own ? "# From the section of that provider:\n"
					     : "# From the built-in table of providers:\n");
	for (size_t i = 0; i < provider->count; i++) {
		if (is_of_account(provider->pairs[i].key)) {
			buf_printf(out, "#   %s = %s\n", provider->pairs[i].key,
				   provider->pairs[i].value);
		}
	}
	buf_printf(out, "provider = %s\n%s", provider->name,
		   cli_section_is_pop3(section) ? "protocol = pop3\n" : "");
	if (section->is_by_dns) {
		buf_printf(out,
			   "# %s is no domain of that provider's own, and the DNS may be forged on "
			   "the way: make sure that it is yours before you log in.\n",
			   section->address->domain);
	}
}

/* --- a server --- */

static const char *words_of_tls(enum conn_tls tls)
{
	return tls == CONN_TLS_STARTTLS ? "starttls" : "implicit";
}

/* How far SERVER's name is to be believed. */
static void write_source(const struct cli_section *section, struct buf *out)
{
	const struct discover_server *server = section->server;
	const struct discover_found *found = section->found;
	bool is_pacc = is_by_pacc(section);

	buf_printf(out, "# By %s", server->source);
	if (is_pacc) {
		static const char *const words[] = {
			[DISCOVER_UNPROVEN] = ", for which there is no digest in the DNS",
			[DISCOVER_UNASKED] = ", whose digest was not asked for (`proxy`)",
			[DISCOVER_PROVEN] = ", whose digest in the DNS is right",
		};
		buf_append_cstr(out, words[found->proof]);
	}
	buf_append_cstr(out, ".\n");
	if (server->is_outside) {
		buf_printf(out,
			   "# %s is outside of %s%s: make sure that it is your provider's before "
			   "you log in.\n",
			   server->host, section->address->domain,
			   is_pacc ? "" : ", and the DNS may be forged on the way");
	}
}

static void write_offer(const struct cli_section *section, struct buf *out)
{
	bool is_pop3 = cli_section_is_pop3(section);
	size_t count = 0;

	if (!section->offer) {
		buf_printf(out, "# It could not be asked: %s\n",
			   section->trouble ? section->trouble : "?");
		return;
	}
	if (!section->offer->is_told) {
		buf_append_cstr(out, "# It does not say which logins it takes");
		buf_append_cstr(out, " (its certificate is right).\n");
		return;
	}
	buf_append_cstr(out, "# It says that it takes ");
	for (enum auth mech = AUTH_NONE + 1; mech < AUTH_COUNT; mech++) {
		if (section->offer->mechs & AUTH_BIT(mech)) {
			buf_printf(out, "%s%s", count++ > 0 ? ", " : "",
				   mech == AUTH_COMMAND && is_pop3 ? "USER and PASS"
								   : auth_row(mech)->name);
		}
	}
	buf_printf(out, "%s (asked without logging in; its certificate is right).\n",
		   count > 0 ? "" : "no login that mailsync knows");
	if (takes_token(section) && !takes_password(section) && !cli_section_signs_in(section)) {
		buf_append_cstr(out, "# That is OAuth2 alone: put the key `oauth` in place of "
				     "`password_file`, with the address of who gives out its "
				     "tokens.\n");
	}
}

static void write_server(const struct cli_section *section, struct buf *out)
{
	const struct discover_server *server = section->server;

	write_source(section, out);
	buf_printf(out, "%shost = %s\nport = %u\ntls = %s\n",
		   cli_section_is_pop3(section) ? "protocol = pop3\n" : "", server->host,
		   server->port, words_of_tls(server->tls));
	write_offer(section, out);
	buf_printf(out,
		   "# The address as a whole; where the server knows no such user, try %s alone.\n"
		   "user = %s\n",
		   section->address->local, section->address->text);
}

/* --- all of it --- */

static void write_title(const struct cli_section *section, struct buf *out)
{
	const struct pacc *pacc = section->found ? &section->found->pacc : NULL;
	const char *title = section->provider ? provider_value(section->provider, "title") : NULL;

	if (!title && pacc) {
		title = pacc->provider;
	}
	buf_printf(out, "# %s", section->address->text);
	if (title) {
		buf_printf(out, ": %s", title);
	}
	if (section->source) {
		buf_printf(out, " (%s)", section->source);
	}
	buf_append_char(out, '\n');
}

void cli_section_write(const struct cli_section *section, struct buf *out)
{
	write_title(section, out);
	buf_printf(out, "[account %s]\n", section->name);
	if (section->provider) {
		write_provider(section, out);
		buf_printf(out, "user = %s\n", cli_section_user(section));
		write_helps(section->provider, out);
	} else {
		write_server(section, out);
		if (section->found->pacc.help) {
			buf_printf(out, "# The provider's help: %s\n", section->found->pacc.help);
		}
	}
	write_login(section, out);
	buf_printf(out, "maildir = ~/Mail/%s\n", section->name);
}

void cli_section_write_empty(const struct cli_section *section, struct buf *out)
{
	buf_printf(out,
		   "# To be filled in, and the signs before it taken off:\n"
		   "#[account %s]\n"
		   "#host = \n"
		   "#port = 993\n"
		   "#tls = implicit\n"
		   "#user = %s\n"
		   "#password_file = ",
		   section->name, section->address->text);
	cli_section_append_password_file(section, out);
	buf_printf(out, "\n#maildir = ~/Mail/%s\n", section->name);
}
