#include "cli_init_look.h"

#include "mailsync/net/conn.h"
#include "cli_signal.h"

#define SOURCE_MAX 1024

void cli_look_init(struct cli_look *look, const struct cli_address *address,
		   const struct conf *conf, struct log *log)
{
	*look = (struct cli_look){.address = address, .own = &conf->providers, .log = log};
	buf_init(&look->source, SOURCE_MAX);
	discover_found_init(&look->found);
	discover_init(&look->discover, address->domain, conf->proxy, cli_signal_stop(), log);
}

void cli_look_finish(struct cli_look *look)
{
	discover_finish(&look->discover);
	discover_found_finish(&look->found);
	buf_finish(&look->source);
}

/* One that has no server is none here. */
static const struct provider *with_server(const struct provider *provider)
{
	bool has_server = provider && (provider_value(provider, "host") ||
				       provider_value(provider, "pop3_host"));

	return has_server ? provider : NULL;
}

static void take_provider(const struct cli_look *look, struct cli_section *section,
			  const struct provider *provider)
{
	const struct providers *own = look->own;

	section->provider = provider;
	section->is_own = provider >= own->items && provider < own->items + own->count;
	section->source = look->source.data;
}

static void look_by_domain(struct cli_look *look, struct cli_section *section)
{
	const struct provider *provider =
		with_server(provider_by_domain(look->own, look->address->domain));

	if (provider) {
		buf_printf(&look->source, "by the domain %s", look->address->domain);
		take_provider(look, section, provider);
	}
}

static int look_by_exchanger(struct cli_look *look, struct cli_section *section, struct err *err)
{
	struct dns_answer answer;

	dns_answer_init(&answer);
	int code = discover_exchangers(&look->discover, &answer, err);
	for (size_t i = 0; i < answer.count && !section->provider; i++) {
		const char *host = answer.items[i].host;
		const struct provider *provider =
			host[0] ? with_server(provider_by_mx(look->own, host)) : NULL;
		if (provider) {
			buf_printf(&look->source, "by the mail exchanger %s of %s", host,
				   look->address->domain);
			section->is_by_dns = true;
			take_provider(look, section, provider);
		}
	}
	dns_answer_finish(&answer);
	return code;
}

/* The first server that answers; else the first, and why it does not. One that a known provider
 * runs needs not be asked. */
static int look_at_servers(struct cli_look *look, struct cli_section *section, struct err *err)
{
	struct discover_found *found = &look->found;
	struct err why;

	section->found = found;
	for (size_t i = 0; i < found->count; i++) {
		const struct discover_server *server = &found->items[i];
		const struct provider *provider =
			server->protocol == CONN_IMAP
				? provider_by_host(look->own, server->host, server->port)
				: NULL;
		if (provider) {
			section->server = server;
			section->is_by_dns = true;
			buf_printf(&look->source, "by %s, which leads to %s", server->source,
				   server->host);
			take_provider(look, section, provider);
			return 0;
		}
		int code = discover_probe(&look->discover, server, &look->offer, &why);
		if (code == -ERR_INTERRUPTED || code == -ERR_NOMEM) {
			*err = why;
			return code;
		}
		if (code == 0) {
			section->server = server;
			section->offer = &look->offer;
			return 0;
		}
		if (i == 0) {
			look->trouble = why;
		}
	}
	section->server = &found->items[0];
	section->trouble = look->trouble.text;
	return 0;
}

static int look_around(struct cli_look *look, struct cli_section *section, struct err *err)
{
	struct discover *discover = &look->discover;
	int code;

	if ((code = look_by_exchanger(look, section, err)) < 0 || section->provider ||
	    discover->is_no_name) {
		return code;
	}
	if ((code = discover_pacc(discover, &look->found, err)) < 0) {
		return code;
	}
	if (look->found.count == 0 && (code = discover_srv(discover, &look->found, err)) < 0) {
		return code;
	}
	return look->found.count > 0 ? look_at_servers(look, section, err) : 0;
}

int cli_look_run(struct cli_look *look, struct cli_section *section, struct err *err)
{
	int code;

	look_by_domain(look, section);
	if (!section->provider) {
		if ((code = conn_global_init(err)) < 0) {
			return code;
		}
		code = look_around(look, section, err);
		conn_global_finish();
		if (code < 0) {
			return code;
		}
	}
	return buf_status(&look->source, "a source", err);
}
