#include <stdio.h>
#include <string.h>

#include "mailsync/base/clock.h"
#include "mailsync/net/http.h"
#include "discover_private.h"

#define HTTP_WAIT_S 5

/* Asks for the document; *WAS_TOLD where one came. */
static int fetch(struct discover *discover, const char *url, struct http_reply *reply,
		 bool *was_told, struct err *err)
{
	const struct http_params params = {
		.proxy = discover->proxy,
		.timeout_s = discover_left_s(discover, HTTP_WAIT_S),
		.stop = discover->stop,
		.log = discover->log,
		.label = "init",
	};
	const struct http_request request = {.url = url};
	struct err why;

	*was_told = false;
	if (params.timeout_s == 0 || discover->is_deaf) {
		discover->is_unsure = true;
		return discover_note(discover, err, "%s was not asked for: there is no time left",
				     url);
	}
	int64_t began_ms = clock_monotonic_ms();
	int code = http_ask(&params, &request, reply, &why);
	if (code == -ERR_NOMEM || code == -ERR_INTERRUPTED) {
		*err = why;
		return code;
	}
	if (code < 0) {
		/* Most domains have no such host; a host that is silent may tell another time. */
		discover->is_unsure |= clock_monotonic_ms() - began_ms >= DISCOVER_DEAF_MS;
		return discover_note(discover, err, "PACC: %s", why.text);
	}
	if (reply->status != 200) {
		return discover_note(discover, err, "PACC: %s gives HTTP status %ld", url,
				     reply->status);
	}
	*was_told = true;
	return 0;
}

/* Whether the digest in the DNS is that of TEXT; *IS_WRONG where there is one, and it is not. */
static int prove(struct discover *discover, struct span text, enum discover_proof *proof,
		 bool *is_wrong, struct err *err)
{
	char name[DISCOVER_NAME_MAX + 1];
	struct dns_answer answer;
	bool was_told;

	*is_wrong = false;
	*proof = DISCOVER_UNASKED;
	if (discover->keeps_names) {
		return 0;
	}
	dns_answer_init(&answer);
	(void)snprintf(name, sizeof(name), "_ua-auto-config.%s", discover->domain);
	int code = discover_ask(discover, name, DNS_TXT, &answer, &was_told, err);
	*proof = DISCOVER_UNPROVEN;
	/* What the DNS does not tell proves nothing, and may hide that it is wrong. */
	*is_wrong = !was_told;
	for (size_t i = 0; i < answer.count && *proof == DISCOVER_UNPROVEN; i++) {
		enum pacc_record record = pacc_record(text, answer.items[i].text);
		*is_wrong = *is_wrong || record == PACC_RECORD_WRONG;
		if (record == PACC_RECORD_RIGHT) {
			*proof = DISCOVER_PROVEN;
		}
	}
	*is_wrong = *is_wrong && *proof == DISCOVER_UNPROVEN;
	dns_answer_finish(&answer);
	if (code < 0 || !*is_wrong || !was_told) {
		return code;
	}
	log_line(discover->log, LOG_WARN,
		 "the document of ua-auto-config.%s is not used: the DNS has the digest of another",
		 discover->domain);
	return discover_note(discover, err, "PACC: not used, the digest in TXT %s is another",
			     name);
}

static void add(const struct discover *discover, struct discover_found *found,
		enum conn_protocol protocol, const char *host)
{
	struct discover_server server = {.protocol = protocol,
					 .tls = CONN_TLS_IMPLICIT,
					 .port = protocol == CONN_IMAP ? 993 : 995};

	if (host) {
		(void)snprintf(server.host, sizeof(server.host), "%s", host);
		(void)snprintf(server.source, sizeof(server.source), "PACC of %s",
			       discover->domain);
		discover_add(discover, found, &server);
	}
}

/* The document TEXT, which came. */
static int take(struct discover *discover, struct span text, struct discover_found *found,
		struct err *err)
{
	struct err why;
	bool is_wrong;
	int code = prove(discover, text, &found->proof, &is_wrong, err);

	if (code < 0 || is_wrong) {
		return code;
	}
	code = pacc_read(&found->pacc, text, &why);
	if (code == -ERR_NOMEM) {
		*err = why;
		return code;
	}
	if (code < 0) {
		return discover_note(discover, err,
				     "PACC: the document of ua-auto-config.%s makes no sense: %s",
				     discover->domain, why.text);
	}
	add(discover, found, CONN_IMAP, found->pacc.imap_host);
	if (found->count == 0) {
		add(discover, found, CONN_POP3, found->pacc.pop3_host);
	}
	if (found->count == 0) {
		return discover_note(discover, err,
				     "PACC: %s tells of neither an IMAP nor a POP3 server",
				     discover->domain);
	}
	return 0;
}

int discover_pacc(struct discover *discover, struct discover_found *found, struct err *err)
{
	char url[DISCOVER_NAME_MAX + 64];
	struct http_reply reply;
	bool was_told;
	int code = discover_check(discover, err);

	if (code < 0) {
		return code;
	}
	(void)snprintf(url, sizeof(url),
		       "https://ua-auto-config.%s/.well-known/user-agent-configuration.json",
		       discover->domain);
	http_reply_init(&reply);
	code = fetch(discover, url, &reply, &was_told, err);
	if (code == 0 && was_told) {
		code = take(discover, buf_span(&reply.body), found, err);
	}
	http_reply_finish(&reply);
	return code;
}
