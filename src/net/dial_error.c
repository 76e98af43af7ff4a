#include "dial.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define WORDS_SHOWN    200
#define GREETING_SHOWN 100
#define PIN_LINE_SIZE  (TRUST_PIN_SIZE + 32)

static int host_error(const struct dial *dial, enum err_code code, struct err *err,
		      const char *format, ...) __attribute__((format(printf, 4, 5)));

/* WORDS of the server, SHOWN bytes of them. */
static void append_words(const struct dial *dial, struct span words, size_t shown, struct buf *out)
{
	struct buf clean;

	buf_init(&clean, PREAMBLE_MAX * 2);
	blot_append(dial->params->blot, words, &clean);
	buf_append(out, clean.data, clean.len < shown ? clean.len : shown);
	buf_finish(&clean);
}

/* The sentence, with "HOST:PORT: " before it and the server's last words behind it. */
static int host_error(const struct dial *dial, enum err_code code, struct err *err,
		      const char *format, ...)
{
	struct span words = preamble_complaint(&dial->preamble);
	struct buf text;
	char part[512];
	va_list args;
	int rc;

	va_start(args, format);
	(void)vsnprintf(part, sizeof(part), format, args);
	va_end(args);
	buf_init(&text, 1024);
	buf_append_cstr(&text, part);
	if (words.len > 0) {
		buf_append_cstr(&text, " (the server said: \"");
		append_words(dial, words, WORDS_SHOWN, &text);
		buf_append_cstr(&text, "\")");
	}
	rc = err_set(err, code, SCOPE_ACCOUNT, "%s:%u: %s", dial->params->host, dial->params->port,
		     text.failed == 0 ? text.data : part);
	buf_finish(&text);
	return rc;
}

static int busy_error(const struct dial *dial, struct err *err, const char *text)
{
	int code = host_error(dial, ERR_TEMPORARY, err, "%s", text);

	err_set_patience(err, 0);
	return code;
}

static bool error_has(const struct dial *dial, const char *word)
{
	return strstr(dial->error, word) != NULL;
}

/* libcurl's own words, where it had some. */
static const char *error_words(const struct dial *dial, CURLcode code)
{
	return dial->error[0] != '\0' ? dial->error : curl_easy_strerror(code);
}

/* Likewise, without what each of those about certificates begins with. */
static const char *certificate_words(const struct dial *dial, CURLcode code)
{
	static const char begin[] = "SSL certificate problem: ";
	const char *words = error_words(dial, code);

	return strncmp(words, begin, sizeof(begin) - 1) == 0 ? words + sizeof(begin) - 1 : words;
}

static int odd_greeting(const struct dial *dial, struct err *err)
{
	struct span greeting = preamble_greeting(&dial->preamble);
	const char *protocol = dial->params->protocol == CONN_POP3 ? "a POP3" : "an IMAP";

	if (greeting.len == 0) {
		return host_error(dial, ERR_SERVER, err,
				  "not %s server (%s): check `host`, `port` and `tls`", protocol,
				  error_words(dial, CURLE_WEIRD_SERVER_REPLY));
	}
	struct buf words;
	buf_init(&words, GREETING_SHOWN);
	append_words(dial, greeting, GREETING_SHOWN, &words);
	int code = host_error(dial, ERR_SERVER, err,
			      "not %s server, it greets with \"%s\": check `port` and `protocol`",
			      protocol, words.failed == 0 ? words.data : "");
	buf_finish(&words);
	return code;
}

static int greeting_error(const struct dial *dial, struct err *err)
{
	struct span words = preamble_complaint(&dial->preamble);

	if (preamble_is_odd(&dial->preamble) || dial->preamble.greeting_len == 0) {
		return odd_greeting(dial, err);
	}
	if (dial->preamble.is_starttls && dial->preamble.commands >= 1 && words.len == 0) {
		return host_error(dial, ERR_SERVER, err,
				  "more came with the answer to STARTTLS than that: somebody on "
				  "the way may have put it there; try `tls = implicit`");
	}
	if (words.len == 0) {
		return host_error(dial, ERR_SERVER, err,
				  "the server's answers while connecting make no sense (%s)",
				  error_words(dial, CURLE_WEIRD_SERVER_REPLY));
	}
	if (preamble_is_passing(words)) {
		return busy_error(dial, err, "the server has no time now, try again later");
	}
	return host_error(dial, ERR_SERVER, err, "the server refuses the connection");
}

static int starttls_error(const struct dial *dial, struct err *err)
{
	struct span greeting = preamble_greeting(&dial->preamble);

	if (span_starts_nocase(greeting, "* PREAUTH")) {
		return host_error(dial, ERR_SERVER, err,
				  "the server logged us in before STARTTLS (PREAUTH), which "
				  "`tls = starttls` forbids: anyone on the way could have said so; "
				  "use `tls = implicit`");
	}
	if (dial->preamble.commands >= 2) {
		return host_error(dial, ERR_SERVER, err,
				  "the server refuses STARTTLS, which `tls = starttls` demands; "
				  "try `tls = implicit`");
	}
	return host_error(dial, ERR_SERVER, err,
			  "the server does not offer STARTTLS, which `tls = starttls` demands; "
			  "try `tls = implicit`");
}

/* What to write to pin the key that the server has shown. */
static const char *pin_line(const struct dial *dial, char line[PIN_LINE_SIZE])
{
	snprintf(line, PIN_LINE_SIZE, "`tls_pin_sha256%s%s`", dial->pin[0] != '\0' ? " = " : "",
		 dial->pin);
	return line;
}

static int certificate_error(const struct dial *dial, CURLcode code, struct err *err)
{
	char pin[PIN_LINE_SIZE];

	if (error_has(dial, "match")) {
		return host_error(dial, ERR_SERVER, err,
				  "the server's certificate is for another host than \"%s\": check "
				  "`host`, or, if you know that its key is right, give that: %s",
				  dial->params->host, pin_line(dial, pin));
	}
	if (error_has(dial, "has expired")) {
		return host_error(
			dial, ERR_SERVER, err,
			"the server's certificate has expired: who runs it has to renew it "
			"(or is the clock here wrong?); until then, if you know that its "
			"key is right, give that: %s",
			pin_line(dial, pin));
	}
	return host_error(dial, ERR_SERVER, err,
			  "the server's certificate is not trusted (%s): give its authority in "
			  "`tls_ca_file` or, if you know that its key is right, that: %s",
			  certificate_words(dial, code), pin_line(dial, pin));
}

static int pin_error(const struct dial *dial, struct err *err)
{
	char pin[PIN_LINE_SIZE];

	return host_error(dial, ERR_SERVER, err,
			  "the server's key is not the one in `tls_pin_sha256`: somebody may be in "
			  "the way; if it has a new one, as who runs it can tell, give that: %s",
			  pin_line(dial, pin));
}

/* The handshake failed: cut off, not TLS at all, or no agreement. */
static int handshake_error(const struct dial *dial, struct err *err)
{
	const char *words = error_words(dial, CURLE_SSL_CONNECT_ERROR);

	if (error_has(dial, "SSL_ERROR_SYSCALL") || error_has(dial, "reset by peer") ||
	    error_has(dial, "unexpected eof") || error_has(dial, "Broken pipe") ||
	    error_has(dial, "timed out")) {
		return host_error(dial, ERR_TEMPORARY, err,
				  "the connection was cut during the TLS handshake (%s)", words);
	}
	if (error_has(dial, "wrong version number") || error_has(dial, "packet length too long") ||
	    error_has(dial, "record layer failure")) {
		return host_error(dial, ERR_SERVER, err,
				  "the server does not speak TLS here (%s): check `port`, or use "
				  "`tls = starttls`",
				  words);
	}
	if (error_has(dial, "protocol version") || error_has(dial, "unsupported protocol")) {
		return host_error(dial, ERR_SERVER, err,
				  "the server does not speak TLS 1.%d or newer (%s), see "
				  "`tls_min_version`",
				  dial->params->tls_min == 13 ? 3 : 2, words);
	}
	return host_error(dial, ERR_SERVER, err, "no agreement on TLS (%s)", words);
}

static int login_error(const struct dial *dial, struct err *err)
{
	if (preamble_is_passing(preamble_complaint(&dial->preamble))) {
		return busy_error(dial, err, "login is not possible now");
	}
	const char *mech = dial->params->login_mech;
	if (mech != NULL && !span_contains_nocase(preamble_lines(&dial->preamble), mech)) {
		return host_error(dial, ERR_LOGIN, err,
				  "the server does not offer %s, which `auth` asks for", mech);
	}
	return host_error(dial, ERR_LOGIN, err,
			  "login by %s refused: check `user`, `password` and `auth`",
			  mech != NULL ? mech : "libcurl");
}

static int proxy_error(const struct dial *dial, CURLcode code, struct err *err)
{
	long status = 0;

	if (code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_ISSUER_ERROR) {
		return host_error(dial, ERR_SERVER, err,
				  "the certificate of the proxy is not trusted (%s): check `proxy`",
				  certificate_words(dial, code));
	}
	(void)curl_easy_getinfo(dial->easy, CURLINFO_HTTP_CONNECTCODE, &status);
	if (status == 407 || error_has(dial, "nsupported proxy") ||
	    code == CURLE_UNSUPPORTED_PROTOCOL) {
		return host_error(dial, ERR_CONFIG, err,
				  "the proxy cannot be used (%s): check `proxy`",
				  error_words(dial, code));
	}
	return host_error(dial, ERR_TEMPORARY, err,
			  "no connection through the proxy (%s): check `proxy`",
			  error_words(dial, code));
}

/* The system's reason, which libcurl says at length and with the time that it took. */
static int connect_error(const struct dial *dial, CURLcode code, struct err *err)
{
	long errnum = 0;
	char reason[CURL_ERROR_SIZE];

	(void)curl_easy_getinfo(dial->easy, CURLINFO_OS_ERRNO, &errnum);
	if (errnum == 0 || strerror_r((int)errnum, reason, sizeof(reason)) != 0) {
		snprintf(reason, sizeof(reason), "%s", error_words(dial, code));
	}
	return host_error(dial, ERR_TEMPORARY, err, "no connection: %s; check `host` and `port`",
			  reason);
}

static int network_error(const struct dial *dial, CURLcode code, struct err *err)
{
	if (preamble_is_odd(&dial->preamble)) {
		return odd_greeting(dial, err);
	}
	if (code == CURLE_COULDNT_RESOLVE_HOST) {
		return host_error(dial, ERR_TEMPORARY, err,
				  "the name \"%s\" is not found: check `host` and the network",
				  dial->params->host);
	}
	if (code == CURLE_COULDNT_CONNECT) {
		return connect_error(dial, code, err);
	}
	if (code == CURLE_OPERATION_TIMEDOUT) {
		return host_error(dial, ERR_TEMPORARY, err,
				  "no answer in %d seconds%s: check the network, `port` and `tls`",
				  dial->params->timeout_s,
				  error_has(dial, "Resolving") ? " from the DNS" : "");
	}
	return host_error(dial, ERR_TEMPORARY, err, "connection lost (%s)",
			  error_words(dial, code));
}

int dial_needs_tls(const struct dial *dial, struct err *err)
{
	return host_error(
		dial, ERR_SERVER, err,
		"the server waits for TLS to begin: use `tls = implicit` for this port, or "
		"port %d with `tls = starttls`",
		dial->params->protocol == CONN_POP3 ? 110 : 143);
}

static int file_error(const struct dial *dial, CURLcode code, struct err *err)
{
	if (code == CURLE_SSL_CACERT_BADFILE) {
		return host_error(dial, ERR_CONFIG, err,
				  "cannot use the CA certificates (%s): check `tls_ca_file`",
				  error_words(dial, code));
	}
	return host_error(dial, ERR_CONFIG, err,
			  "cannot use the client certificate (%s): check "
			  "`tls_cert_file` and `tls_key_file`",
			  error_words(dial, code));
}

/* What is wrong with our side rather than with the server or the way to it. */
static int setup_error(const struct dial *dial, CURLcode code, struct err *err)
{
	if (preamble_is_odd(&dial->preamble)) {
		return odd_greeting(dial, err);
	}
	if (dial->preamble.lines.failed != 0) {
		return host_error(dial, ERR_PROTOCOL, err, "the server's greeting does not end");
	}
	if (code == CURLE_ABORTED_BY_CALLBACK) {
		return err_stopped(err);
	}
	if (code == CURLE_URL_MALFORMAT) {
		return host_error(dial, ERR_CONFIG, err, "\"%s\" is not a host name: check `host`",
				  dial->params->host);
	}
	return host_error(dial, ERR_CONFIG, err, "this build of libcurl cannot do it (%s)",
			  error_words(dial, code));
}

/* TLS failed before the proxy was asked for anything: it is that with the proxy, and what was shown
 * is not the server's. */
static bool is_tls_with_proxy(const struct dial *dial, CURLcode code)
{
	long status = 0;

	(void)curl_easy_getinfo(dial->easy, CURLINFO_HTTP_CONNECTCODE, &status);
	return status == 0 && span_starts_nocase(span_of(dial->params->proxy), "https://") &&
	       (code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_ISSUER_ERROR ||
		code == CURLE_SSL_CONNECT_ERROR);
}

static bool is_proxy_failure(const struct dial *dial, CURLcode code)
{
	if (dial->params->proxy != NULL && is_tls_with_proxy(dial, code)) {
		return true;
	}
	return dial->params->proxy != NULL &&
	       (code == CURLE_COULDNT_RESOLVE_PROXY || code == CURLE_PROXY ||
		code == CURLE_UNSUPPORTED_PROTOCOL || code == CURLE_COULDNT_CONNECT ||
		error_has(dial, "CONNECT tunnel") || error_has(dial, "proxy") ||
		error_has(dial, "Proxy") || error_has(dial, "SOCKS"));
}

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wswitch-enum"

int dial_error(const struct dial *dial, CURLcode code, struct err *err)
{
	if (code == CURLE_OUT_OF_MEMORY) {
		return err_nomem(err);
	}
	if (dial->fd == CURL_SOCKET_BAD && is_proxy_failure(dial, code)) {
		return proxy_error(dial, code, err);
	}
	/* A connection that says BYE and closes fails in many ways: the words say it better. */
	if (dial->fd == CURL_SOCKET_BAD && preamble_complaint(&dial->preamble).len > 0 &&
	    dial->preamble.commands == 0 && code != CURLE_ABORTED_BY_CALLBACK) {
		return greeting_error(dial, err);
	}
	switch (code) {
	case CURLE_WEIRD_SERVER_REPLY:
		return greeting_error(dial, err);
	case CURLE_USE_SSL_FAILED:
		return starttls_error(dial, err);
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_ISSUER_ERROR:
		return certificate_error(dial, code, err);
	case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
		return pin_error(dial, err);
	case CURLE_SSL_CONNECT_ERROR:
		return handshake_error(dial, err);
	case CURLE_LOGIN_DENIED:
	case CURLE_AUTH_ERROR:
		return login_error(dial, err);
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_SSL_CERTPROBLEM:
		return file_error(dial, code, err);
	case CURLE_WRITE_ERROR:
	case CURLE_ABORTED_BY_CALLBACK:
	case CURLE_URL_MALFORMAT:
	case CURLE_UNSUPPORTED_PROTOCOL:
	case CURLE_NOT_BUILT_IN:
	case CURLE_UNKNOWN_OPTION:
	case CURLE_SSL_ENGINE_NOTFOUND:
	case CURLE_SSL_CIPHER:
		return setup_error(dial, code, err);
	default:
		return network_error(dial, code, err);
	}
}

#pragma GCC diagnostic pop
