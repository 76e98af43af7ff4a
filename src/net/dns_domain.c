/* Internationalised names: libcurl turns them into ASCII by libidn2, which goes by LC_CTYPE. */
#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>

#include "mailsync/net/dns.h"

#define ADDRESS_MAX 1024
#define LABEL_MAX   63

/* Appends NAME in lower case: two or more labels of letters, digits and "-". */
static bool append_labels(const char *name, struct buf *out)
{
	size_t label = 0, labels = 1;

	for (const char *c = name; *c; c++) {
		char low = ascii_lower(*c);
		bool is_letter = (low >= 'a' && low <= 'z') || (low >= '0' && low <= '9');
		if (*c == '.' && label > 0 && c[-1] != '-') {
			labels++;
			label = 0;
		} else if ((is_letter || (*c == '-' && label > 0)) && label < LABEL_MAX) {
			label++;
		} else {
			return false;
		}
		buf_append_char(out, low);
	}
	return labels > 1 && label > 0 && out->data[out->len - 1] != '-' &&
	       out->len <= DNS_NAME_MAX;
}

/* Signs that begin another part of an address. */
static bool is_plain(struct span domain)
{
	for (size_t i = 0; i < domain.len; i++) {
		if ((unsigned char)domain.data[i] <= ' ' || strchr("/?#@:[]%\\", domain.data[i])) {
			return false;
		}
	}
	return domain.len > 0;
}

/* The ASCII form of "https://DOMAIN"; NULL where there is none. */
static char *ascii_of(const char *address)
{
	CURLU *url = curl_url();
	char *ascii = NULL;

	if (url && curl_url_set(url, CURLUPART_URL, address, 0) == CURLUE_OK) {
		(void)curl_url_get(url, CURLUPART_HOST, &ascii, CURLU_PUNYCODE);
	}
	curl_url_cleanup(url);
	return ascii;
}

static bool append_domain(struct span domain, struct buf *name)
{
	struct buf address;
	char *ascii = NULL;

	if (domain.len > 0 && domain.data[domain.len - 1] == '.') {
		domain.len--;
	}
	buf_init(&address, ADDRESS_MAX);
	buf_append_cstr(&address, "https://");
	buf_append_span(&address, domain);
	if (is_plain(domain) && address.failed == 0) {
		ascii = ascii_of(address.data);
	}
	bool is_name = ascii && append_labels(ascii, name);
	name->failed = address.failed == -ERR_NOMEM ? address.failed : name->failed;
	curl_free(ascii);
	buf_finish(&address);
	return is_name;
}

int dns_domain(struct span domain, struct buf *out, struct err *err)
{
	struct buf name;
	int code = 0;

	buf_init(&name, ADDRESS_MAX);
	bool is_name = append_domain(domain, &name);
	if (name.failed == -ERR_NOMEM) {
		code = err_nomem(err);
	} else if (is_name) {
		buf_append_span(out, buf_span(&name));
	} else {
		code = err_set(err, ERR_USAGE, SCOPE_RUN, "\"%.*s\" is no domain of mail addresses",
			       (int)(domain.len < 100 ? domain.len : 100), domain.data);
	}
	buf_finish(&name);
	return code;
}
