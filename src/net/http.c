#include "mailsync/net/http.h"

#include <stdbool.h>
#include <string.h>

#include <curl/curl.h>

#include "mailsync/base/clock.h"
#include "mailsync/base/secret.h"
#include "mailsync/base/step.h"
#include "mailsync/base/url.h"
#include "dial.h"

#define HEADER_MAX (512 * 1024) /* a client's secret, encoded */

struct exchange {
	const struct http_params *params;
	const struct http_request *request;
	struct http_reply *reply;
	CURL *easy;
	struct curl_slist *headers;
	int64_t until_ms;
	int64_t stop_ms; /* when a stop was seen first; 0: not yet */
	bool is_late;
	char error[CURL_ERROR_SIZE];
};

void http_reply_init(struct http_reply *reply)
{
	*reply = (struct http_reply){0};
	buf_init(&reply->body, HTTP_BODY_MAX);
}

void http_reply_finish(struct http_reply *reply)
{
	buf_finish_secret(&reply->body);
}

/* --- what libcurl calls --- */

static size_t take_body(char *data, size_t size, size_t count, void *context)
{
	struct exchange *exchange = context;

	buf_append(&exchange->reply->body, data, size * count);
	return exchange->reply->body.failed == 0 ? size * count : 0;
}

/* A stop holds at once, but for an act, whose answer has HTTP_ACT_MS more. */
static bool is_stopped(struct exchange *exchange, int64_t now_ms)
{
	const stop_flag *stop = exchange->params->stop;

	if (!stop || *stop == 0) {
		return false;
	}
	exchange->stop_ms = exchange->stop_ms ? exchange->stop_ms : now_ms;
	return !exchange->request->is_act || now_ms - exchange->stop_ms >= HTTP_ACT_MS;
}

static int look_at_time(void *context, curl_off_t dltotal, curl_off_t dlnow, curl_off_t ultotal,
			curl_off_t ulnow)
{
	struct exchange *exchange = context;
	int64_t now_ms = clock_monotonic_ms();

	(void)dltotal;
	(void)dlnow;
	(void)ultotal;
	(void)ulnow;
	exchange->is_late = now_ms >= exchange->until_ms;
	return exchange->is_late || is_stopped(exchange, now_ms);
}

/* --- options --- */

static CURLcode add_header(struct exchange *exchange, const char *name, struct span value)
{
	struct buf line;

	buf_init(&line, HEADER_MAX);
	buf_printf(&line, "%s:%s", name, value.len > 0 ? " " : "");
	buf_append_span(&line, value);
	struct curl_slist *longer =
		line.failed == 0 ? curl_slist_append(exchange->headers, line.data) : NULL;
	buf_finish_secret(&line);
	if (!longer) {
		return CURLE_OUT_OF_MEMORY;
	}
	exchange->headers = longer;
	return CURLE_OK;
}

static void free_headers(struct exchange *exchange)
{
	for (struct curl_slist *header = exchange->headers; header; header = header->next) {
		secret_wipe(header->data, strlen(header->data));
	}
	curl_slist_free_all(exchange->headers);
}

static CURLcode set_request(struct exchange *exchange)
{
	const struct http_request *request = exchange->request;
	CURL *easy = exchange->easy;
	CURLcode code;

	if ((code = add_header(exchange, "Accept", SPAN_LIT("application/json"))) != CURLE_OK) {
		return code;
	}
	if (request->authorization.len > 0 &&
	    (code = add_header(exchange, "Authorization", request->authorization)) != CURLE_OK) {
		return code;
	}
	if (request->content_type &&
	    ((code = add_header(exchange, "Content-Type", span_of(request->content_type))) !=
		     CURLE_OK ||
	     (code = add_header(exchange, "Expect", SPAN_LIT(""))) != CURLE_OK ||
	     (code = curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request->body.data)) != CURLE_OK ||
	     (code = curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE, (long)request->body.len)) !=
		     CURLE_OK)) {
		return code;
	}
	return curl_easy_setopt(easy, CURLOPT_HTTPHEADER, exchange->headers);
}

/* True where it stays on this machine: in clear, and never by a proxy. */
static bool is_local(const char *address)
{
	struct url url;

	return url_read(span_of(address), &url) && url_host_is_loopback(url.host);
}

static CURLcode set_way(struct exchange *exchange)
{
	const struct http_params *params = exchange->params;
	const char *proxy = params->proxy && !is_local(exchange->request->url) ? params->proxy : "";
	CURL *easy = exchange->easy;
	CURLcode code;

	if ((code = curl_easy_setopt(easy, CURLOPT_URL, exchange->request->url)) != CURLE_OK ||
	    (code = curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https")) != CURLE_OK ||
	    (code = curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L)) != CURLE_OK ||
	    (code = curl_easy_setopt(easy, CURLOPT_PROXY, proxy)) != CURLE_OK ||
	    (code = curl_easy_setopt(easy, CURLOPT_NOPROXY, "")) != CURLE_OK ||
	    (code = curl_easy_setopt(easy, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED)) != CURLE_OK ||
	    (code = curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L)) != CURLE_OK ||
	    (code = curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2)) !=
		    CURLE_OK ||
	    (code = curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, params->timeout_s * 1000L)) !=
		    CURLE_OK) {
		return code;
	}
	if (params->ca_file &&
	    ((code = curl_easy_setopt(easy, CURLOPT_CAINFO, params->ca_file)) != CURLE_OK ||
	     (code = curl_easy_setopt(easy, CURLOPT_CAPATH, NULL)) != CURLE_OK)) {
		return code;
	}
	return CURLE_OK;
}

static CURLcode set_callbacks(struct exchange *exchange)
{
	CURL *easy = exchange->easy;
	CURLcode code;

	if ((code = curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, exchange->error)) != CURLE_OK ||
	    (code = curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, dial_open_socket)) !=
		    CURLE_OK ||
	    (code = curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_body)) != CURLE_OK ||
	    (code = curl_easy_setopt(easy, CURLOPT_WRITEDATA, exchange)) != CURLE_OK ||
	    (code = curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, look_at_time)) != CURLE_OK ||
	    (code = curl_easy_setopt(easy, CURLOPT_XFERINFODATA, exchange)) != CURLE_OK) {
		return code;
	}
	return curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0L);
}

static CURLcode perform(struct exchange *exchange)
{
	CURLcode code;

	if ((code = set_callbacks(exchange)) != CURLE_OK ||
	    (code = set_way(exchange)) != CURLE_OK || (code = set_request(exchange)) != CURLE_OK) {
		return code;
	}
	return curl_easy_perform(exchange->easy);
}

/* --- what failed --- */

static enum err_code code_of(CURLcode code)
{
	switch ((int)code) {
	case CURLE_URL_MALFORMAT:
	case CURLE_COULDNT_RESOLVE_PROXY:
	case CURLE_SSL_CACERT_BADFILE:
		return ERR_CONFIG;
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_SSL_ISSUER_ERROR:
	case CURLE_SSL_CIPHER:
		return ERR_SERVER;
	case CURLE_UNSUPPORTED_PROTOCOL: /* the reply's: addresses are http or https */
	case CURLE_WEIRD_SERVER_REPLY:
	case CURLE_HTTP2:
	case CURLE_BAD_CONTENT_ENCODING:
		return ERR_PROTOCOL;
	default:
		return ERR_TEMPORARY;
	}
}

static int failed(const struct exchange *exchange, CURLcode code, struct err *err)
{
	const struct http_params *params = exchange->params;
	struct url url;
	struct span host = SPAN_LIT("?");

	if (url_read(span_of(exchange->request->url), &url)) {
		host = url.host;
	}
	if (code == CURLE_OUT_OF_MEMORY) {
		return err_nomem(err);
	}
	if (params->stop && *params->stop != 0) {
		return err_stopped(err);
	}
	if (exchange->is_late) {
		return err_set(err, ERR_TEMPORARY, SCOPE_ACCOUNT,
			       "%.*s gave no answer within %d s (timeout)", (int)host.len,
			       host.data, params->timeout_s);
	}
	if (exchange->reply->body.failed != 0) {
		return err_set(err, ERR_PROTOCOL, SCOPE_ACCOUNT,
			       "the answer of %.*s is larger than %d bytes", (int)host.len,
			       host.data, HTTP_BODY_MAX);
	}
	return err_set(err, code_of(code), SCOPE_ACCOUNT, "%.*s cannot be asked: %s", (int)host.len,
		       host.data, exchange->error[0] ? exchange->error : curl_easy_strerror(code));
}

static int ask(struct exchange *exchange, struct err *err)
{
	curl_off_t retry_s = 0;
	CURLcode code;

	exchange->easy = curl_easy_init();
	if (!exchange->easy) {
		return err_nomem(err);
	}
	code = perform(exchange);
	CURLcode told =
		curl_easy_getinfo(exchange->easy, CURLINFO_RESPONSE_CODE, &exchange->reply->status);
	code = code == CURLE_OK ? told : code;
	if (code != CURLE_OK) {
		return failed(exchange, code, err);
	}
	if (curl_easy_getinfo(exchange->easy, CURLINFO_RETRY_AFTER, &retry_s) == CURLE_OK) {
		exchange->reply->retry_s = retry_s > 0 && retry_s < 86400 ? (long)retry_s : 0;
	}
	return 0;
}

int http_ask(const struct http_params *params, const struct http_request *request,
	     struct http_reply *reply, struct err *err)
{
	struct exchange exchange = {
		.params = params,
		.request = request,
		.reply = reply,
		.until_ms = clock_monotonic_ms() + params->timeout_s * INT64_C(1000),
	};
	int errnum = STEP("http request");

	if (!url_is_safe(span_of(request->url))) {
		return err_set(err, ERR_CONFIG, SCOPE_ACCOUNT,
			       "%s is no address that secrets may be sent to: it has to be https",
			       request->url);
	}
	if (errnum != 0) {
		return err_set_errno(err, ERR_TEMPORARY, SCOPE_ACCOUNT, errnum,
				     "%s cannot be asked", request->url);
	}
	log_line(params->log, LOG_WIRE, "%s > %s %s (%zu bytes)", params->label,
		 request->content_type ? "POST" : "GET", request->url, request->body.len);
	int code = ask(&exchange, err);
	curl_easy_cleanup(exchange.easy);
	free_headers(&exchange);
	if (code == 0) {
		log_line(params->log, LOG_WIRE, "%s < HTTP status %ld (%zu bytes)", params->label,
			 reply->status, reply->body.len);
	}
	return code;
}
