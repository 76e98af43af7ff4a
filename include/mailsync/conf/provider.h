/*
 * Mail providers: what each asks of an account, as keys of the configuration with their values as
 * they would be written there, and what only a provider has:
 *
 *   title                  its name, as people write it
 *   domains                of its addresses; `yahoo.*` is yahoo.com, yahoo.co.uk and so on
 *   mx                     what the names of its mail exchangers end with, for own domains
 *   oauth_offer            a value of `oauth` that goes there, too, beside a password
 *   login                  what the user name is of the address: `address` (default) or `local`
 *   pop3_host, pop3_port   POP3's server, where `host` and `port` are IMAP's; no host: no POP3
 *   help_...               the usual cause of a refusal, a sentence that ends with the page to
 *                          open (PROVIDER_HELPS)
 *
 * The built-in ones are made from data/providers.ini when mailsync is built. The sections
 * `[provider NAME]` of a configuration come before them, and replace one of the same name. A
 * provider gives defaults, and hints for errors; it never decides.
 */
#ifndef MAILSYNC_CONF_PROVIDER_H
#define MAILSYNC_CONF_PROVIDER_H

#include <stdbool.h>
#include <stddef.h>

struct provider_pair {
	const char *key;
	const char *value;
};

struct provider {
	const char *name;
	const struct provider_pair *pairs;
	size_t count;
};

struct providers {
	const struct provider *items;
	size_t count;
};

/* The causes of a refusal that a provider may name: ROW(id, key). */
#define PROVIDER_HELPS(ROW)                                                              \
	ROW(APP_PASSWORD, "help_app_password") /* another password than the account's */ \
	ROW(CODE, "help_code")                 /* a code made for programs */            \
	ROW(IMAP_OFF, "help_imap_off")         /* to be allowed on the website first */  \
	ROW(OAUTH_ONLY, "help_oauth_only")     /* no password at all */                  \
	ROW(REGION, "help_region")             /* another server holds the account */    \
	ROW(CONNECT, "help_connect")           /* why there is no connection */

/* The built-in ones, in the order of data/providers.ini. */
extern const struct providers provider_table;

/* The value of KEY, or NULL. */
const char *provider_value(const struct provider *provider, const char *key);
/* What a server's login name is of ADDRESS, whose '@' is at AT: as many of its first bytes. */
size_t provider_login_length(const struct provider *provider, const char *address, size_t at);

/*
 * These look among OWN first (NULL: there are none), then among the built-in ones, and return
 * NULL where nothing fits. Case does not count.
 *
 * By the name of a section, or one of its domains (gmx.com is a name of the provider for it).
 */
const struct provider *provider_by_name(const struct providers *own, const char *name);
/* By an address's domain. */
const struct provider *provider_by_domain(const struct providers *own, const char *domain);
/* By the name of a mail exchanger, with or without its last dot. */
const struct provider *provider_by_mx(const struct providers *own, const char *exchanger);
/* By a server, of IMAP or POP3. Where a provider names a port, it is that one (Proton's is on this
 * machine, as much else). */
const struct provider *provider_by_host(const struct providers *own, const char *host,
					unsigned port);
/* The name most like NAME, or NULL. */
const char *provider_nearest(const struct providers *own, const char *name);
/* Walks over all, those first that OWN adds or replaces; *AT is 0 at first. NULL at the end. */
const struct provider *provider_next(const struct providers *own, size_t *at);

#endif
