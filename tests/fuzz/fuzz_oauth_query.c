/* The query that a browser brings, or that somebody pastes; and addresses. What is taken as a code
 * came with the state, and has no control characters. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "mailsync/base/url.h"
#include "mailsync/oauth/flow.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_url(struct span text)
{
	struct url url;

	if (url_read(text, &url) && (url.host.len == 0 || url.host.data < text.data ||
				     url.host.data + url.host.len > text.data + text.len)) {
		abort();
	}
	(void)url_is_safe(text);
}

/* What was encoded decodes to itself. */
static void check_encoding(struct span text)
{
	struct buf there, back;

	buf_init(&there, 1u << 20);
	buf_init(&back, 1u << 20);
	url_append_encoded(&there, text);
	bool is_read = url_append_decoded(&back, buf_span(&there));
	bool has_nul = text.len > 0 && memchr(text.data, '\0', text.len) != NULL;
	if (there.failed == 0 &&
	    (is_read == has_nul || (is_read && !span_equal(buf_span(&back), text)))) {
		abort();
	}
	buf_finish(&back);
	buf_finish(&there);
}

static void check_answer(const struct oauth_flow *flow, const struct oauth_client *client,
			 struct span text)
{
	struct secret code;
	struct err err;

	secret_init(&code);
	if (oauth_flow_read(flow, client, oauth_query_of(text), &code, &err) == OAUTH_ANSWER_CODE) {
		if (code.len == 0 || memchr(code.data, '\0', code.len) ||
		    memchr(code.data, '\n', code.len)) {
			abort();
		}
	}
	secret_finish(&code);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct oauth_settings settings = {
		.account = "work", .oauth = "https://example.org", .client_id = "id"};
	struct span text = {(const char *)data, size};
	struct oauth_client client;
	struct oauth_flow flow;
	uint8_t random[64] = {0};
	struct err err;

	oauth_client_init(&client);
	if (oauth_client_resolve(&client, &settings, &err) < 0 ||
	    oauth_flow_init(&flow, random, "http://127.0.0.1:1/", &err) < 0) {
		abort();
	}
	/* One that a fuzzer can guess. */
	memcpy(flow.state, "s", 2);
	check_url(text);
	check_encoding(text);
	check_answer(&flow, &client, text);
	oauth_flow_finish(&flow);
	oauth_client_finish(&client);
	return 0;
}
