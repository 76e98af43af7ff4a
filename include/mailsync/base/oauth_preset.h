/*
 * The words of the key `oauth` but an issuer's address: the configuration knows them by this table,
 * and src/oauth/preset.c has a row for each.
 */
#ifndef MAILSYNC_BASE_OAUTH_PRESET_H
#define MAILSYNC_BASE_OAUTH_PRESET_H

#define OAUTH_PRESETS(ROW)          \
	ROW(GOOGLE, "google")       \
	ROW(MICROSOFT, "microsoft") \
	ROW(FASTMAIL, "fastmail")   \
	ROW(YANDEX, "yandex")       \
	ROW(MAILRU, "mailru")       \
	ROW(YAHOO, "yahoo")         \
	ROW(AOL, "aol")             \
	ROW(CUSTOM, "custom")

#endif
