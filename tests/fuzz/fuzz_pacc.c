/*
 * What a mail domain may say of its servers: up to the first NUL a TXT record, behind it the
 * document. What is taken of it may stand in a configuration file, each in one line.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "mailsync/oauth/pacc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_line(const char *text)
{
	for (; text && *text; text++) {
		unsigned char c = (unsigned char)*text;
		if (c < ' ' || c == 0x7F) {
			abort();
		}
	}
}

static void check_host(const char *host)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyz0123456789-.";

	if (host && (strlen(host) > 253 || host[strspn(host, plain)] != '\0')) {
		abort();
	}
}

static void check(const struct pacc *pacc)
{
	check_host(pacc->imap_host);
	check_host(pacc->pop3_host);
	check_line(pacc->issuer);
	check_line(pacc->provider);
	check_line(pacc->help);
	if (pacc->issuer && strlen(pacc->issuer) > 200) {
		abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *end = size > 0 ? memchr(data, '\0', size) : NULL;
	struct pacc pacc;
	struct err err;

	if (!end) {
		return 0;
	}
	struct span text = {(const char *)end + 1, size - (size_t)(end - data) - 1};
	pacc_init(&pacc);
	(void)pacc_record(text, (const char *)data);
	if (pacc_read(&pacc, text, &err) == 0) {
		check(&pacc);
	}
	pacc_finish(&pacc);
	return 0;
}
