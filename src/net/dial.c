#include "dial.h"

#include <dirent.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "mailsync/base/channel_binding.h"
#include "mailsync/base/clock.h"
#include "mailsync/base/trust.h"

#define RECEIVE_BUFFER 65536L
#define OPENSSL_WORD   "OpenSSL/"

/* Two copies of OpenSSL in one program know nothing of each other's sessions. */
static bool is_our_openssl(const char *version)
{
	size_t len = strlen(OPENSSL_WORD);

	return version != NULL && strncmp(version, OPENSSL_WORD, len) == 0 &&
	       strcmp(version + len, channel_binding_library()) == 0;
}

/* libcurl tells it only while it calls back; it stays where it is until the connection ends. */
static void *tls_session(const struct dial *dial)
{
	const struct curl_tlssessioninfo *session = NULL;

	if (curl_easy_getinfo(dial->easy, CURLINFO_TLS_SSL_PTR, &session) != CURLE_OK ||
	    session == NULL || session->backend != CURLSSLBACKEND_OPENSSL ||
	    !is_our_openssl(curl_version_info(CURLVERSION_NOW)->ssl_version)) {
		return NULL;
	}
	return session->internals;
}

static size_t header_seen(char *data, size_t size, size_t count, void *context)
{
	struct dial *dial = context;
	struct span bytes = {data, size * count};

	dial->tls_session = tls_session(dial);
	if (!preamble_feed(&dial->preamble, bytes, clock_monotonic_us())) {
		return 0;
	}
	/* Else libcurl would wait for a line that it knows, until its time is over. */
	return preamble_is_odd(&dial->preamble) ? 0 : bytes.len;
}

static size_t body_dropped(char *data, size_t size, size_t count, void *context)
{
	(void)data;
	(void)context;
	return size * count;
}

/* Since the connection was made, if it is. */
static bool is_silent(const struct dial *dial)
{
	curl_off_t connected_us = 0;

	if (!dial->is_hasty || dial->preamble.lines.len > 0 ||
	    curl_easy_getinfo(dial->easy, CURLINFO_CONNECT_TIME_T, &connected_us) != CURLE_OK ||
	    connected_us == 0) {
		return false;
	}
	return clock_monotonic_ms() - dial->began_ms - connected_us / 1000 >= DIAL_SILENCE_MS;
}

static int progress_seen(void *context, curl_off_t dltotal, curl_off_t dlnow, curl_off_t ultotal,
			 curl_off_t ulnow)
{
	struct dial *dial = context;

	(void)dltotal;
	(void)dlnow;
	(void)ultotal;
	(void)ulnow;
	if (dial->params->stop != NULL && *dial->params->stop != 0) {
		return 1;
	}
	dial->was_silent = is_silent(dial);
	return dial->was_silent;
}

/* Close-on-exec, so that no command we run inherits a connection. */
curl_socket_t dial_open_socket(void *context, curlsocktype purpose, struct curl_sockaddr *addr)
{
	(void)context;
	(void)purpose;
#ifdef SOCK_CLOEXEC
	return socket(addr->family, addr->socktype | SOCK_CLOEXEC, addr->protocol);
#else
	{
		int fd = socket(addr->family, addr->socktype, addr->protocol);

		if (fd >= 0) {
			(void)fcntl(fd, F_SETFD, FD_CLOEXEC);
		}
		return fd;
	}
#endif
}

static const char *dial_scheme(const struct conn_params *params)
{
	if (params->protocol == CONN_POP3) {
		return params->tls == CONN_TLS_IMPLICIT ? "pop3s" : "pop3";
	}
	return params->tls == CONN_TLS_IMPLICIT ? "imaps" : "imap";
}

/* Built part by part, so that no character of the host can become another part of the URL. */
CURLcode dial_set_url(CURL *easy, const struct conn_params *params, const char *scheme)
{
	struct buf host;
	struct buf port;
	CURLUcode rc = CURLUE_OUT_OF_MEMORY;
	CURLU *url = curl_url();
	char *whole = NULL;
	CURLcode code = CURLE_OUT_OF_MEMORY;

	buf_init(&host, 1024);
	buf_init(&port, 32);
	buf_printf(&host, strchr(params->host, ':') != NULL ? "[%s]" : "%s", params->host);
	buf_printf(&port, "%u", params->port);
	if (url != NULL && host.failed == 0 && port.failed == 0) {
		rc = curl_url_set(url, CURLUPART_SCHEME, scheme, 0);
	}
	if (rc == CURLUE_OK) {
		rc = curl_url_set(url, CURLUPART_HOST, host.data, 0);
	}
	if (rc == CURLUE_OK) {
		rc = curl_url_set(url, CURLUPART_PORT, port.data, 0);
	}
	if (rc == CURLUE_OK) {
		rc = curl_url_set(url, CURLUPART_PATH, "/", 0);
	}
	if (rc == CURLUE_OK) {
		rc = curl_url_get(url, CURLUPART_URL, &whole, 0);
	}
	if (rc == CURLUE_OK) {
		code = curl_easy_setopt(easy, CURLOPT_URL, whole);
	} else if (rc != CURLUE_OUT_OF_MEMORY) {
		code = CURLE_URL_MALFORMAT;
	}
	curl_free(whole);
	curl_url_cleanup(url);
	buf_finish(&port);
	buf_finish(&host);
	return code;
}

/* Keeps the first failure. */
static void keep_first(CURLcode *first, CURLcode code)
{
	if (*first == CURLE_OK) {
		*first = code;
	}
}

/* True when the directory PATH holds certificates under the hash names that OpenSSL looks for. */
static bool dir_has_hashes(const char *path)
{
	DIR *dir = opendir(path);
	const struct dirent *entry;
	bool found = false;

	if (dir == NULL) {
		return false;
	}
	while (!found && (entry = readdir(dir)) != NULL) {
		found = strspn(entry->d_name, "0123456789abcdef") == 8 &&
			strcmp(entry->d_name + 8, ".0") == 0;
	}
	(void)closedir(dir);
	return found;
}

static bool uses_trust(const struct dial *dial)
{
	return dial->params->trust != NULL && dial->params->pin_sha256 == NULL;
}

static CURLcode before_handshake(CURL *easy, void *ssl_ctx, void *context)
{
	struct dial *dial = context;

	(void)easy;
	if (uses_trust(dial)) {
		trust_use(dial->params->trust, ssl_ctx);
	}
	trust_note_pin(ssl_ctx, dial->pin);
	return CURLE_OK;
}

const char *conn_system_bundle(void)
{
	const curl_version_info_data *info = curl_version_info(CURLVERSION_NOW);

	if (info->age < CURLVERSION_SEVENTH ||
	    (info->capath != NULL && dir_has_hashes(info->capath))) {
		return NULL;
	}
	return info->cainfo;
}

/*
 * Whom to trust. Reading Debian's whole bundle takes some 10 ms a connection, its directory of
 * hashed names next to nothing, so the directory is tried first where libcurl knows one. A given CA
 * file is the only authority then; a pin without a CA file is the whole proof by itself.
 */
static CURLcode dial_set_trust(struct dial *dial)
{
	const struct conn_params *params = dial->params;
	const curl_version_info_data *info = curl_version_info(CURLVERSION_NOW);
	CURL *easy = dial->easy;
	CURLcode code = CURLE_OK;
	struct buf pin;

	bool is_ours = is_our_openssl(info->ssl_version);
	if (is_ours) {
		keep_first(&code, curl_easy_setopt(easy, CURLOPT_SSL_CTX_DATA, dial));
		keep_first(&code,
			   curl_easy_setopt(easy, CURLOPT_SSL_CTX_FUNCTION, before_handshake));
	}
	if (is_ours && uses_trust(dial)) {
		keep_first(&code, curl_easy_setopt(easy, CURLOPT_CAINFO, NULL));
		keep_first(&code, curl_easy_setopt(easy, CURLOPT_CAPATH, NULL));
	} else if (params->ca_file != NULL) {
		keep_first(&code, curl_easy_setopt(easy, CURLOPT_CAINFO, params->ca_file));
		keep_first(&code, curl_easy_setopt(easy, CURLOPT_CAPATH, NULL));
	} else if (params->pin_sha256 != NULL) {
		keep_first(&code, curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L));
		keep_first(&code, curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L));
	} else if (!dial->use_bundle && info->age >= CURLVERSION_SEVENTH && info->capath != NULL &&
		   dir_has_hashes(info->capath)) {
		dial->has_bundle_left = info->cainfo != NULL;
		keep_first(&code, curl_easy_setopt(easy, CURLOPT_CAPATH, info->capath));
		keep_first(&code, curl_easy_setopt(easy, CURLOPT_CAINFO, NULL));
	}
	if (params->pin_sha256 != NULL) {
		buf_init(&pin, 4096);
		buf_printf(&pin, "sha256//%s", params->pin_sha256);
		keep_first(&code, pin.failed != 0 ? CURLE_OUT_OF_MEMORY
						  : curl_easy_setopt(easy, CURLOPT_PINNEDPUBLICKEY,
								     pin.data));
		buf_finish(&pin);
	}
	return code;
}

static CURLcode dial_set_tls(struct dial *dial)
{
	const struct conn_params *params = dial->params;
	CURL *easy = dial->easy;
	CURLcode code = CURLE_OK;
	long version = params->tls_min == 13 ? (long)CURL_SSLVERSION_TLSv1_3
					     : (long)CURL_SSLVERSION_TLSv1_2;
	/* Never CURLUSESSL_TRY: it goes on in the clear where STARTTLS is refused. */
	long use = params->tls == CONN_TLS_NONE ? (long)CURLUSESSL_NONE : (long)CURLUSESSL_ALL;

	keep_first(&code, curl_easy_setopt(easy, CURLOPT_USE_SSL, use));
	if (params->tls == CONN_TLS_NONE) {
		return code;
	}
	keep_first(&code, curl_easy_setopt(easy, CURLOPT_SSLVERSION, version));
	keep_first(&code, dial->sessions != NULL
				  ? tls_sessions_use(dial->sessions, easy)
				  : curl_easy_setopt(easy, CURLOPT_SSL_SESSIONID_CACHE, 0L));
	if (params->cert_file != NULL) {
		keep_first(&code, curl_easy_setopt(easy, CURLOPT_SSLCERT, params->cert_file));
	}
	if (params->key_file != NULL) {
		keep_first(&code, curl_easy_setopt(easy, CURLOPT_SSLKEY, params->key_file));
	}
	keep_first(&code, dial_set_trust(dial));
	return code;
}

static CURLcode dial_set_callbacks(struct dial *dial)
{
	CURL *easy = dial->easy;
	CURLcode code = CURLE_OK;

	keep_first(&code, curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, dial->error));
	keep_first(&code, curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, header_seen));
	keep_first(&code, curl_easy_setopt(easy, CURLOPT_HEADERDATA, dial));
	keep_first(&code, curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, body_dropped));
	keep_first(&code, curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, dial_open_socket));
	keep_first(&code, curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, progress_seen));
	keep_first(&code, curl_easy_setopt(easy, CURLOPT_XFERINFODATA, dial));
	keep_first(&code, curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0L));
	return code;
}

/* Only where libcurl is asked to log in: without a user it stops before. */
static CURLcode dial_set_login(struct dial *dial)
{
	const struct conn_params *params = dial->params;
	CURL *easy = dial->easy;
	CURLcode code = CURLE_OK;
	char option[64];

	if (params->login_mech == NULL) {
		return CURLE_OK;
	}
	snprintf(option, sizeof(option), "AUTH=%s", params->login_mech);
	keep_first(&code, curl_easy_setopt(easy, CURLOPT_LOGIN_OPTIONS, option));
	keep_first(&code, curl_easy_setopt(easy, CURLOPT_USERNAME,
					   params->user != NULL ? params->user : ""));
	if (params->password != NULL && params->password->data != NULL) {
		keep_first(&code, curl_easy_setopt(easy, CURLOPT_PASSWORD, params->password->data));
	}
	return code;
}

static CURLcode dial_set_options(struct dial *dial)
{
	const struct conn_params *params = dial->params;
	CURL *easy = dial->easy;
	CURLcode code = CURLE_OK;
	long timeout_s =
		params->timeout_s > 0 && params->timeout_s < 1000000 ? params->timeout_s : 60;

	keep_first(&code, dial_set_callbacks(dial));
	keep_first(&code, dial_set_url(easy, params, dial_scheme(params)));
	keep_first(&code, curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "imap,imaps,pop3,pop3s"));
	keep_first(&code, curl_easy_setopt(easy, CURLOPT_CONNECT_ONLY, 1L));
	keep_first(&code, curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L));
	/* "" and not NULL, which would let the environment choose. */
	keep_first(&code, curl_easy_setopt(easy, CURLOPT_PROXY,
					   params->proxy != NULL ? params->proxy : ""));
	keep_first(&code, curl_easy_setopt(easy, CURLOPT_NOPROXY, ""));
	keep_first(&code, curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L));
	keep_first(&code, curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, timeout_s * 1000));
	keep_first(&code, curl_easy_setopt(easy, CURLOPT_SERVER_RESPONSE_TIMEOUT, timeout_s));
	keep_first(&code, curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L));
	keep_first(&code, curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, RECEIVE_BUFFER));
	keep_first(&code, dial_set_tls(dial));
	keep_first(&code, dial_set_login(dial));
	return code;
}

static bool address_is_loopback(const char *address)
{
	return strncmp(address, "127.", 4) == 0 || strcmp(address, "::1") == 0 ||
	       strncmp(address, "::ffff:127.", 11) == 0;
}

/* What was sent and is not acknowledged, be it a keep-alive, ends the connection in that time, so
 * that one that only waits need not ask by itself whether the path is dead. */
static void limit_silence(const struct dial *dial)
{
#ifdef TCP_USER_TIMEOUT
	unsigned ms = (unsigned)dial->params->timeout_s * 1000;

	(void)setsockopt(dial->fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &ms, sizeof(ms));
#else
	(void)dial;
#endif
}

/* Whether there may be one to take up. */
static bool dial_choose_sessions(struct dial *dial)
{
	const struct conn_params *params = dial->params;

	dial->has_anew_left = false;
	dial->sessions =
		dial->is_anew ? NULL : tls_cache_get(params->tls_cache, params, dial->use_bundle);
	return dial->sessions != NULL && tls_sessions_are_any(dial->sessions);
}

static bool is_of_tls(CURLcode code)
{
	return code == CURLE_SSL_CONNECT_ERROR || code == CURLE_PEER_FAILED_VERIFICATION ||
	       code == CURLE_SSL_PINNEDPUBKEYNOTMATCH;
}

static int dial_attempt(struct dial *dial, struct err *err)
{
	const struct conn_params *params = dial->params;
	const char *address = NULL;
	bool may_resume = dial_choose_sessions(dial);
	CURLcode code;

	dial->has_bundle_left = false;
	dial->was_silent = false;
	dial->began_ms = clock_monotonic_ms();
	dial->error[0] = '\0';
	dial->easy = curl_easy_init();
	if (dial->easy == NULL) {
		return err_nomem(err);
	}
	code = dial_set_options(dial);
	if (code == CURLE_OK) {
		code = curl_easy_perform(dial->easy);
	}
	if (code == CURLE_OK) {
		code = curl_easy_getinfo(dial->easy, CURLINFO_ACTIVESOCKET, &dial->fd);
	}
	if (code != CURLE_OK) {
		dial->has_anew_left = may_resume && is_of_tls(code);
		dial->has_bundle_left =
			dial->has_bundle_left && code == CURLE_PEER_FAILED_VERIFICATION;
		return dial_error(dial, code, err);
	}
	if (dial->fd == CURL_SOCKET_BAD) {
		return dial_error(dial, CURLE_RECV_ERROR, err);
	}
	if (curl_easy_getinfo(dial->easy, CURLINFO_PRIMARY_IP, &address) == CURLE_OK &&
	    address != NULL && params->proxy == NULL) {
		dial->is_loopback = address_is_loopback(address);
	}
	limit_silence(dial);
	preamble_seal(&dial->preamble);
	if (dial->sessions != NULL) {
		tls_sessions_note(dial->sessions);
	}
	return 0;
}

static int dial_again(struct dial *dial, struct err *err)
{
	const struct conn_params *params = dial->params;

	curl_easy_cleanup(dial->easy);
	preamble_finish(&dial->preamble);
	preamble_init(&dial->preamble, params->protocol, params->tls == CONN_TLS_STARTTLS);
	return dial_attempt(dial, err);
}

int dial_create(struct dial **dial, const struct conn_params *params, struct err *err)
{
	struct dial *new_dial = calloc(1, sizeof(*new_dial));
	int code;

	if (new_dial == NULL) {
		return err_nomem(err);
	}
	new_dial->params = params;
	new_dial->fd = CURL_SOCKET_BAD;
	new_dial->is_hasty = params->tls != CONN_TLS_IMPLICIT;
	preamble_init(&new_dial->preamble, params->protocol, params->tls == CONN_TLS_STARTTLS);
	code = dial_attempt(new_dial, err);
	if (code != 0 && new_dial->was_silent) {
		new_dial->is_hasty = false;
		code = dial_speaks_tls(new_dial) ? dial_needs_tls(new_dial, err)
						 : dial_again(new_dial, err);
	}
	/* A server may trip over what it gave itself, and what key it shows, to be told, only a
	 * whole handshake knows. */
	if (code != 0 && new_dial->has_anew_left) {
		new_dial->is_anew = true;
		code = dial_again(new_dial, err);
	}
	/* An authority may be known to the bundle alone. */
	if (code != 0 && new_dial->has_bundle_left) {
		new_dial->use_bundle = true;
		code = dial_again(new_dial, err);
	}
	if (code != 0) {
		dial_destroy(&new_dial);
		return code;
	}
	*dial = new_dial;
	return 0;
}

void dial_destroy(struct dial **dial)
{
	if (*dial == NULL) {
		return;
	}
	curl_easy_cleanup((*dial)->easy);
	preamble_finish(&(*dial)->preamble);
	free(*dial);
	*dial = NULL;
}

int dial_send(struct dial *dial, struct span data, size_t *sent, struct err *err)
{
	size_t n = 0;
	CURLcode code = curl_easy_send(dial->easy, data.data, data.len, &n);

	if (code != CURLE_OK && code != CURLE_AGAIN) {
		return dial_error(dial, code, err);
	}
	*sent = code == CURLE_OK ? n : 0;
	return 0;
}

int dial_recv(struct dial *dial, char *data, size_t size, size_t *received, struct err *err)
{
	size_t n = 0;
	CURLcode code = curl_easy_recv(dial->easy, data, size, &n);

	if (code == CURLE_AGAIN) {
		*received = 0;
		return 0;
	}
	if (code != CURLE_OK) {
		return dial_error(dial, code, err);
	}
	if (n == 0) {
		return err_set(err, ERR_TEMPORARY, SCOPE_ACCOUNT,
			       "connection closed by the server %s:%u", dial->params->host,
			       dial->params->port);
	}
	*received = n;
	return 0;
}
