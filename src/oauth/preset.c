/* Facts of November 2026, from the providers' documentation. */
#include "preset.h"

#include <string.h>

#define MS     "https://login.microsoftonline.com/TENANT/oauth2/v2.0/"
#define MS_FOR "https://outlook.office.com/"
#define FM     "https://api.fastmail.com/oauth/"
#define FM_FOR "https://www.fastmail.com/dev/protocol-"

#define ANY_PORT "http://127.0.0.1/"

/* clang-format off */
static const struct oauth_preset presets[PRESET_COUNT] = {
	[PRESET_GOOGLE] = {
		.name = "Google",
		.auth_url = "https://accounts.google.com/o/oauth2/v2/auth",
		.token_url = "https://oauth2.googleapis.com/token",
		.revoke_url = "https://oauth2.googleapis.com/revoke",
		.scope = "https://mail.google.com/",
		.redirect = ANY_PORT,
		/* Without them there is no refresh token but at the very first consent. */
		.extra = "access_type=offline&prompt=consent",
		.get_client =
			"make a project of your own at https://console.cloud.google.com/ with an "
			"OAuth client of the kind \"Desktop app\"",
		.no_device = "Google's device flow gives out no tokens for mail",
		.rules =
			"Google: a refresh token ends after 6 months without use, when the "
			"password is changed, and 7 days after the login where the project's "
			"publishing status is \"Testing\"; an IMAP session ends with its access "
			"token",
		.has_testing = true,
	},
	[PRESET_MICROSOFT] = {
		.name = "Microsoft",
		.auth_url = MS "authorize",
		.token_url = MS "token",
		.device_url = MS "devicecode",
		.scope = MS_FOR "IMAP.AccessAsUser.All " MS_FOR "SMTP.Send offline_access",
		.pop_scope = MS_FOR "POP.AccessAsUser.All " MS_FOR "SMTP.Send offline_access",
		/* Any port is taken with this name only, and it may have no path. */
		.redirect = "http://localhost",
		.get_client =
			"register an application for mobile and desktop at "
			"https://entra.microsoft.com/, with the redirect http://localhost and "
			"public client flows allowed",
		.rules =
			"Microsoft: a refresh token ends after 90 days without use; each refresh "
			"gives a new one",
	},
	[PRESET_FASTMAIL] = {
		.name = "Fastmail",
		.auth_url = FM "authorize",
		.token_url = FM "refresh",
		.register_url = FM "register",
		.revoke_url = FM "revoke",
		.scope = FM_FOR "imap " FM_FOR "smtp",
		.pop_scope = FM_FOR "pop " FM_FOR "smtp",
		.redirect = "http://localhost/",
		.get_client =
			"ask Fastmail for one (https://www.fastmail.com/for-developers/oauth/), or "
			"use an app password instead",
	},
	[PRESET_YANDEX] = {
		.name = "Yandex",
		.auth_url = "https://oauth.yandex.com/authorize",
		.token_url = "https://oauth.yandex.com/token",
		.device_url = "https://oauth.yandex.com/device/code",
		.scope = "mail:imap_full mail:smtp",
		.redirect = ANY_PORT,
		.grant = "device_code",
		.get_client =
			"register an application at https://oauth.yandex.com/client/new with the "
			"permissions mail:imap_full and mail:smtp",
	},
	[PRESET_MAILRU] = {
		.name = "Mail.ru",
		.auth_url = "https://o2.mail.ru/login",
		.token_url = "https://o2.mail.ru/token",
		.scope = "mail.imap",
		.redirect = ANY_PORT,
		.get_client =
			"register an application at https://o2.mail.ru/app/, or use a password for "
			"external applications instead",
	},
	[PRESET_YAHOO] = {
		.name = "Yahoo",
		.auth_url = "https://api.login.yahoo.com/oauth2/request_auth",
		.token_url = "https://api.login.yahoo.com/oauth2/get_token",
		.scope = "mail-w",
		.redirect = ANY_PORT,
		.get_client = "Yahoo gives them out by agreement only; use an app password instead",
	},
	[PRESET_AOL] = {
		.name = "AOL",
		.auth_url = "https://api.login.aol.com/oauth2/request_auth",
		.token_url = "https://api.login.aol.com/oauth2/get_token",
		.scope = "mail-w",
		.redirect = ANY_PORT,
		.get_client = "AOL gives them out by agreement only; use an app password instead",
	},
	[PRESET_CUSTOM] = {
		.name = "the authorization server",
		.redirect = ANY_PORT,
		.get_client = "ask who runs the authorization server",
	},
};
/* clang-format on */

#define PRESET_WORD(id, word) [PRESET_##id] = (word),
static const char *const words[PRESET_COUNT] = {OAUTH_PRESETS(PRESET_WORD)};

const struct oauth_preset *oauth_preset(enum oauth_preset_id id)
{
	return &presets[id];
}

const struct oauth_preset *oauth_preset_find(const char *word)
{
	for (size_t i = 0; i < PRESET_COUNT; i++) {
		if (strcmp(words[i], word) == 0) {
			return &presets[i];
		}
	}
	return NULL;
}

struct span oauth_packaged_client(const char *clients, const char *oauth)
{
	size_t len = strlen(oauth);

	while (*clients) {
		size_t word = strcspn(clients, " ");
		if (word > len && strncmp(clients, oauth, len) == 0 && clients[len] == '=') {
			return (struct span){clients + len + 1, word - len - 1};
		}
		clients += word + (clients[word] == ' ');
	}
	return SPAN_LIT("");
}
