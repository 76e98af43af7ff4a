/*
 * What an authorization server, a mail server's challenge or a token file may say: the first byte
 * chooses which, the rest is the text. A token that is read can be written, and reads the same.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "mailsync/oauth/client.h"
#include "mailsync/oauth/flow.h"
#include "mailsync/oauth/token.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct oauth_now now = {1700000000, 5000, "boot"};

static void check_no_control(const struct secret *secret)
{
	for (size_t i = 0; i < secret->len; i++) {
		unsigned char c = (unsigned char)secret->data[i];
		if (c < ' ' || c == 0x7F) {
			abort();
		}
	}
}

static void write_text(const struct oauth_token *token, struct buf *text)
{
	struct err err;

	if (oauth_token_write(token, text, &err) < 0 && text->failed == 0) {
		abort();
	}
}

static void read_file(struct span text)
{
	struct oauth_token token, again;
	struct buf one, two;
	struct err err;

	buf_init(&one, OAUTH_FILE_MAX);
	buf_init(&two, OAUTH_FILE_MAX);
	oauth_token_init(&token);
	oauth_token_init(&again);
	if (oauth_token_read(&token, text, &err) == 0) {
		check_no_control(&token.access);
		(void)oauth_token_is_fresh(&token, &now);
		(void)oauth_token_ended_in_testing(&token, &now);
		write_text(&token, &one);
		if (one.failed == 0 && oauth_token_read(&again, buf_span(&one), &err) < 0) {
			abort();
		}
		write_text(&again, &two);
		if (one.failed == 0 && !span_equal(buf_span(&one), buf_span(&two))) {
			abort();
		}
	}
	oauth_token_finish(&again);
	oauth_token_finish(&token);
	buf_finish(&two);
	buf_finish(&one);
}

/* As long as the token is one, a member more that makes no sense costs nothing of it. */
static void check_salvage(const struct oauth_token *token, struct span text)
{
	struct oauth_token again;
	struct buf spoilt;
	struct err err;

	while (text.len > 0 && strchr(" \t\r\n", text.data[text.len - 1])) {
		text.len--;
	}
	if (text.len == 0 || text.data[text.len - 1] != '}') {
		return; /* it was spoilt already */
	}
	oauth_token_init(&again);
	buf_init(&spoilt, OAUTH_FILE_MAX);
	buf_append(&spoilt, text.data, text.len - 1);
	buf_append_cstr(&spoilt, ",\"spoilt\":1e999}");
	if (spoilt.failed == 0 &&
	    (oauth_token_take_reply(&again, buf_span(&spoilt), &now, &err) < 0 ||
	     !secret_same(secret_span(&again.access), secret_span(&token->access)) ||
	     !secret_same(secret_span(&again.refresh), secret_span(&token->refresh)) ||
	     again.lifetime_s != token->lifetime_s)) {
		abort();
	}
	buf_finish(&spoilt);
	oauth_token_finish(&again);
}

static void read_token(struct span text)
{
	struct oauth_token token;
	struct err err;

	oauth_token_init(&token);
	int code = oauth_token_take_reply(&token, text, &now, &err);
	check_no_control(&token.access);
	check_no_control(&token.refresh);
	if (code == 0) {
		if (!token.access.data || token.lifetime_s <= 0 ||
		    token.lifetime_s > OAUTH_LIFETIME_MAX) {
			abort();
		}
		check_salvage(&token, text);
	} else if (token.access.data) {
		abort();
	}
	oauth_token_finish(&token);
}

static void read_others(unsigned which, struct span text)
{
	static const struct oauth_settings settings = {
		.account = "work", .oauth = "https://example.org", .client_id = "id"};
	struct oauth_reply reply = {400, text, 0};
	struct oauth_challenge challenge;
	struct oauth_client client;
	struct oauth_device device;
	struct err err;

	oauth_client_init(&client);
	oauth_device_init(&device);
	if (oauth_client_resolve(&client, &settings, &err) < 0) {
		abort();
	}
	switch (which) {
	case 0:
		(void)oauth_client_take_metadata(&client, text, &err);
		break;
	case 1:
		(void)oauth_client_take_registration(&client, text, &err);
		break;
	case 2:
		(void)oauth_device_read(&device, text, &err);
		break;
	case 3:
		(void)oauth_refusal_read(&client, &reply, NULL, &err);
		break;
	default:
		(void)oauth_challenge_read(text, &challenge);
		break;
	}
	oauth_device_finish(&device);
	oauth_client_finish(&client);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0) {
		return 0;
	}
	struct span text = {(const char *)data + 1, size - 1};
	unsigned which = data[0] % 7;
	if (which == 5) {
		read_token(text);
	} else if (which == 6) {
		read_file(text);
	} else {
		read_others(which, text);
	}
	return 0;
}
