/* What is known of providers, a row each. */
#ifndef OAUTH_PRESET_H
#define OAUTH_PRESET_H

#include <stdbool.h>

#include "mailsync/base/oauth_preset.h"
#include "mailsync/base/span.h"

#define PRESET_ID(id, word) PRESET_##id,
enum oauth_preset_id {
	OAUTH_PRESETS(PRESET_ID) PRESET_COUNT
};
#undef PRESET_ID

/* NULL where there is none. */
struct oauth_preset {
	const char *name;     /* for people */
	const char *auth_url; /* "TENANT" in it stands for the key oauth_tenant */
	const char *token_url;
	const char *device_url;
	const char *register_url;
	const char *revoke_url;
	const char *scope;     /* for reading by IMAP, and sending */
	const char *pop_scope; /* the same by POP3; NULL: one scope for both */
	const char *redirect;
	const char *extra;      /* further fields of the address to open, as they stand there */
	const char *grant;      /* what the device flow's grant_type is, where not RFC 8628's */
	const char *get_client; /* where one gets a client id */
	const char *no_device;  /* why there is no device flow */
	const char *rules;      /* what the provider does to tokens */
	bool has_testing;
};

const struct oauth_preset *oauth_preset(enum oauth_preset_id id);
/* NULL for a word that is none. */
const struct oauth_preset *oauth_preset_find(const char *word);
/* The packager's client for the key OAUTH (a preset or an issuer): "ID", or "ID:SECRET"; empty:
 * none. CLIENTS: "WORD=ID WORD=ID:SECRET ...". */
struct span oauth_packaged_client(const char *clients, const char *oauth);

#endif
