#include "mailsync/discover/discover.h"

#include <stdio.h>
#include <string.h>

#include "mailsync/base/clock.h"
#include "mailsync/base/url.h"
#include "discover_private.h"

#define NOTE_MAX 1024

static bool keeps_names(const char *proxy)
{
	struct span text = span_of(proxy);

	return span_starts_nocase(text, "socks5h:") || span_starts_nocase(text, "socks4a:");
}

void discover_init(struct discover *discover, const char *domain, const char *proxy,
		   const stop_flag *stop, struct log *log)
{
	*discover = (struct discover){
		.domain = domain,
		.proxy = proxy,
		.keeps_names = keeps_names(proxy),
		.stop = stop,
		.log = log,
		.until_ms = clock_monotonic_ms() + DISCOVER_WAIT_S * INT64_C(1000),
	};
	strlist_init(&discover->notes);
}

void discover_finish(struct discover *discover)
{
	strlist_finish(&discover->notes);
}

void discover_found_init(struct discover_found *found)
{
	*found = (struct discover_found){.count = 0};
	pacc_init(&found->pacc);
}

void discover_found_finish(struct discover_found *found)
{
	pacc_finish(&found->pacc);
	discover_found_init(found);
}

/* --- what the sources share --- */

int discover_left_s(const struct discover *discover, int limit)
{
	int64_t left_ms = discover->until_ms - clock_monotonic_ms();

	if (left_ms >= limit * INT64_C(1000)) {
		return limit;
	}
	return left_ms > 0 ? (int)(left_ms / 1000) : 0;
}

int discover_check(const struct discover *discover, struct err *err)
{
	if (*discover->stop) {
		return err_stopped(err);
	}
	return 0;
}

int discover_note(struct discover *discover, struct err *err, const char *format, ...)
{
	struct err line; /* which takes out what does not belong on a terminal */
	char text[NOTE_MAX];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	(void)err_set(&line, ERR_NONE, SCOPE_RUN, "%s", text);
	log_line(discover->log, LOG_INFO, "%s", line.text);
	return strlist_add(&discover->notes, span_of(line.text), err);
}

/* A question that could not be asked, or was not answered. */
static int note_failure(struct discover *discover, const struct err *why, struct err *err)
{
	discover->is_unsure |= why->code != ERR_CONFIG;
	return discover_note(discover, err, "%s", why->text);
}

int discover_ask(struct discover *discover, const char *name, enum dns_type type,
		 struct dns_answer *answer, bool *was_told, struct err *err)
{
	struct err why;
	int code;

	*was_told = false;
	if ((code = discover_check(discover, err)) < 0) {
		return code;
	}
	if (discover->keeps_names) {
		return discover_note(discover, err,
				     "%s was not asked for: `proxy` keeps names from "
				     "the DNS here",
				     name);
	}
	if (discover->is_deaf || discover_left_s(discover, DNS_WAIT_S) < DNS_WAIT_S) {
		discover->is_unsure = true;
		return discover_note(discover, err, "%s was not asked for: there is no time left",
				     name);
	}
	int64_t began_ms = clock_monotonic_ms();
	code = dns_ask(answer, name, type, &why);
	if (code == -ERR_NOMEM) {
		*err = why;
		return code;
	}
	discover->is_deaf =
		code == -ERR_TEMPORARY && clock_monotonic_ms() - began_ms >= DISCOVER_DEAF_MS;
	*was_told = code == 0;
	return code < 0 ? note_failure(discover, &why, err) : 0;
}

void discover_add(const struct discover *discover, struct discover_found *found,
		  const struct discover_server *server)
{
	if (found->count == DISCOVER_SERVERS_MAX) {
		return;
	}
	struct discover_server *added = &found->items[found->count++];
	*added = *server;
	added->is_outside = !url_host_is_below(span_of(added->host), span_of(discover->domain));
}

/* --- mail exchangers --- */

int discover_exchangers(struct discover *discover, struct dns_answer *answer, struct err *err)
{
	bool was_told;
	int code = discover_ask(discover, discover->domain, DNS_MX, answer, &was_told, err);

	if (code < 0 || !was_told) {
		return code;
	}
	discover->is_no_name = answer->is_no_name;
	if (answer->is_no_name) {
		return discover_note(discover, err, "the DNS knows no domain %s", discover->domain);
	}
	if (answer->count == 0) {
		return discover_note(discover, err, "MX %s: none", discover->domain);
	}
	return discover_note(discover, err, "MX %s: %s", discover->domain,
			     answer->items[0].host[0] ? answer->items[0].host : "not offered");
}

/* --- services --- */

static const struct {
	const char *label;
	enum conn_protocol protocol;
	enum conn_tls tls;
} services[] = {
	/* TLS from the first byte comes first (RFC 8314 5.1), IMAP before POP3. */
	{"_imaps._tcp", CONN_IMAP, CONN_TLS_IMPLICIT},
	{"_imap._tcp", CONN_IMAP, CONN_TLS_STARTTLS},
	{"_pop3s._tcp", CONN_POP3, CONN_TLS_IMPLICIT},
	{"_pop3._tcp", CONN_POP3, CONN_TLS_STARTTLS},
};

/* A target that is the root means that the service is not there (RFC 6186 3.4). */
static int take_services(struct discover *discover, size_t service, const struct dns_answer *answer,
			 struct discover_found *found, struct err *err)
{
	struct discover_server server = {.protocol = services[service].protocol,
					 .tls = services[service].tls};
	size_t before = found->count;

	(void)snprintf(server.source, sizeof(server.source), "SRV %s.%s", services[service].label,
		       discover->domain);
	for (size_t i = 0; i < answer->count; i++) {
		const struct dns_record *record = &answer->items[i];
		if (record->host[0] && strchr(record->host, '.') && record->port > 0) {
			memcpy(server.host, record->host, sizeof(server.host));
			server.port = record->port;
			discover_add(discover, found, &server);
		}
	}
	if (found->count > before) {
		return 0;
	}
	return discover_note(discover, err, "%s: %s", server.source,
			     answer->count > 0 ? "not offered" : "none");
}

int discover_srv(struct discover *discover, struct discover_found *found, struct err *err)
{
	char name[DISCOVER_NAME_MAX + 1];
	struct dns_answer answer;
	int code = 0;

	for (size_t i = 0; i < sizeof(services) / sizeof(services[0]) && found->count == 0; i++) {
		bool was_told;
		dns_answer_init(&answer);
		(void)snprintf(name, sizeof(name), "%s.%s", services[i].label, discover->domain);
		code = discover_ask(discover, name, DNS_SRV, &answer, &was_told, err);
		if (code == 0 && was_told) {
			code = take_services(discover, i, &answer, found, err);
		}
		dns_answer_finish(&answer);
		if (code < 0) {
			return code;
		}
	}
	return 0;
}
