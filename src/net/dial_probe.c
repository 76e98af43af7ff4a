/* Is a server that does not greet one that waits for TLS? */
#include "dial.h"

#define PROBE_MS 1000L

/* Only the handshake is tried: nothing is proven of the server, and nothing said to it. The scheme
 * is one of which libcurl wants no more than that. */
static CURLcode set_options(CURL *easy, const struct conn_params *params)
{
	CURLcode code = dial_set_url(easy, params, "https");
	const struct {
		CURLoption option;
		long value;
	} numbers[] = {
		{CURLOPT_CONNECT_ONLY, 1},
		{CURLOPT_NOSIGNAL, 1},
		{CURLOPT_SSL_VERIFYPEER, 0},
		{CURLOPT_SSL_VERIFYHOST, 0},
		{CURLOPT_SSL_ENABLE_ALPN, 0},
		{CURLOPT_SSL_SESSIONID_CACHE, 0},
		{CURLOPT_CONNECTTIMEOUT_MS, PROBE_MS},
	};
	for (size_t i = 0; code == CURLE_OK && i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		code = curl_easy_setopt(easy, numbers[i].option, numbers[i].value);
	}
	if (code == CURLE_OK) {
		code = curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, dial_open_socket);
	}
	if (code == CURLE_OK) {
		code = curl_easy_setopt(easy, CURLOPT_PROXY,
					params->proxy != NULL ? params->proxy : "");
	}
	return code == CURLE_OK ? curl_easy_setopt(easy, CURLOPT_NOPROXY, "") : code;
}

bool dial_speaks_tls(struct dial *dial)
{
	CURL *easy = curl_easy_init();
	bool speaks = easy != NULL && set_options(easy, dial->params) == CURLE_OK &&
		      curl_easy_perform(easy) == CURLE_OK;
	curl_easy_cleanup(easy);
	return speaks;
}
