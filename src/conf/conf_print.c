/* The texts that are made from the table: the example file, docs/CONFIG.md, the man page's list. */
#include <string.h>

#include "mailsync/conf/conf.h"
#include "conf_keys.h"

#define TEXT_MAX 262144
#define WIDTH    78

static const char example_head[] =
	"# mailsync.conf: an example with every key. Made from the table in src/conf/conf_keys.c\n"
	"# by `mailsync --print-example`; do not edit it here.\n"
	"#\n"
	"# Put your own at ~/.config/mailsync/mailsync.conf; chmod 600 it if it holds a password.\n"
	"# A comment begins a line with # or ;. Inside a line these are ordinary signs. An entry\n"
	"# is one line, indented or not. ~ and $VAR expand in paths. An empty value unsets a key.\n"
	"\n"
	"[defaults]\n"
	"\n"
	"[account example]\n"
	"host = imap.example.org\n"
	"user = me@example.org\n"
	"password_command = secret-tool lookup mail example\n"
	"maildir = ~/Mail/example\n"
	"\n"
	"# All keys, with their defaults. They may stand in [defaults] or in an account.\n";

static const char docs_head[] =
	"# Configuration\n"
	"\n"
	"<!-- Made from the table in src/conf/conf_keys.c by `mailsync --print-docs`. -->\n"
	"\n"
	"One INI file: `--config FILE`, else `$MAILSYNC_CONFIG`, else\n"
	"`$XDG_CONFIG_HOME/mailsync/mailsync.conf`, else `~/.config/mailsync/mailsync.conf`.\n"
	"`mailsync check` validates it and tries each login.\n"
	"\n"
	"- `[defaults]` holds keys for all accounts, `[account NAME]` those of one,\n"
	"  which win, `[provider NAME]` those that accounts name ([below](#providers)). NAME:\n"
	"  letters, digits, `.`, `_`, `-`. Sections in any order, each once.\n"
	"- An entry is one line `key = value`, of up to 16,000 bytes, indented or not: an\n"
	"  indented line does not continue the one before.\n"
	"- `#` and `;` begin a comment at the start of a line only.\n"
	"- Words such as `yes` may be written in any case; names of keys may not.\n"
	"- In paths `~` and `$VAR` or `${VAR}` expand; a relative path starts where mailsync was\n"
	"  started, so under cron write the whole path.\n"
	"- An empty value unsets a key that is optional, even if `[defaults]` set it.\n"
	"- A way to the password, or `host` or `tunnel`, that an account sets replaces the\n"
	"  one of `[defaults]`.\n"
	"- A file holding `password`, `oauth_client_secret`, or a `proxy` with a password in it,\n"
	"  must be readable by its owner alone. `password_file` is only warned about.\n"
	"- A line may hold no control character but tabs.\n"
	"- All mistakes of a file are told in one run, with their lines; exit status 78.\n"
	"\n"
	"*for* says which accounts a key is for. Set in an account of the other protocol it is an\n"
	"error, from `[defaults]` or a provider it is without effect there.\n"
	"\n"
	"| key | for | default | meaning |\n"
	"|---|---|---|---|\n";

static const char docs_providers[] =
	"\n"
	"## Providers\n"
	"\n"
	"    [account home]\n"
	"    provider = fastmail\n"
	"    user = me@fastmail.com\n"
	"    password_command = secret-tool lookup mail home\n"
	"    maildir = ~/Mail/home\n"
	"\n"
	"`provider` names one of the table below (`mailsync init --list`), or a domain of its\n"
	"addresses, such as `gmx.net`. What the account sets itself comes first, then the\n"
	"provider's keys, then those of `[defaults]`; a password key of the account replaces\n"
	"the provider's `oauth`. `disable_extensions` adds up: what the provider's server\n"
	"gets wrong is left alone whatever else the account names, unless it says\n"
	"`disable_extensions =`. A provider's keys that do not hold for POP3 are without\n"
	"effect there. When a login is refused, the provider's usual cause is told with it.\n"
	"\n"
	"A section `[provider NAME]` adds a provider, or replaces the one of that name. It may\n"
	"have\n";

static const char docs_provider_keys[] = ", and\n"
					 "\n"
					 "| key | default | meaning |\n"
					 "|---|---|---|\n";

static const char docs_provider_table[] =
	"\n"
	"These are built in (`data/providers.ini`, which has the causes of refusals, too):\n"
	"\n"
	"| name | provider | IMAP | POP3 | sets |\n"
	"|---|---|---|---|---|\n";

/* "# " and TEXT in lines of at most WIDTH. */
static void print_comment(struct buf *out, const char *text)
{
	size_t column = 0;

	while (*text) {
		size_t len = strcspn(text, " ");
		if (column > 0 && column + 1 + len > WIDTH) {
			buf_append_char(out, '\n');
			column = 0;
		}
		buf_append_cstr(out, column == 0 ? "# " : " ");
		buf_append(out, text, len);
		column += (column == 0 ? 2 : 1) + len;
		text += len + strspn(text + len, " ");
	}
	buf_append_char(out, '\n');
}

static const char *protocols_of(const struct conf_key *key)
{
	switch (key->marks & (CONF_FOR_IMAP | CONF_FOR_POP3)) {
	case CONF_FOR_IMAP:
		return "IMAP";
	case CONF_FOR_POP3:
		return "POP3";
	default:
		return "both";
	}
}

/* What its value can be, where that is not told by the help. */
static void print_words(struct buf *out, const struct conf_key *key, const char *mark)
{
	char words[256];

	if (key->words) {
		conf_key_words(key, words, sizeof(words));
		buf_printf(out, "%s%s.", mark, words);
	} else if (key->type == CONF_TYPE_NUMBER) {
		buf_printf(out, "%s%ld to %ld.", mark, key->min, key->max);
	}
}

static int print_example_key(struct buf *out, const struct conf_key *key, struct err *err)
{
	struct buf comment;

	buf_init(&comment, TEXT_MAX);
	buf_append_cstr(&comment, key->help);
	print_words(&comment, key, " One of: ");
	if (key->shown) {
		buf_printf(&comment, " (%s)", key->shown);
	}
	if ((key->marks & CONF_FOR_IMAP) == 0 || (key->marks & CONF_FOR_POP3) == 0) {
		buf_printf(&comment, " Only for %s.", protocols_of(key));
	}
	int code = buf_status(&comment, "a comment", err);
	if (code == 0) {
		buf_append_char(out, '\n');
		print_comment(out, comment.data);
		buf_printf(out, "#%s =%s%s\n", key->name, key->initial ? " " : "",
			   key->initial ? key->initial : "");
	}
	buf_finish(&comment);
	return code;
}

int conf_write_example(struct buf *out, struct err *err)
{
	int code = 0;

	buf_append_cstr(out, example_head);
	for (size_t i = 0; i < conf_key_count && code == 0; i++) {
		if (!(conf_keys[i].marks & CONF_PROVIDER_ONLY)) {
			code = print_example_key(out, &conf_keys[i], err);
		}
	}
	return code < 0 ? code : buf_status(out, "the example", err);
}

/* Text inside a cell of a Markdown table. */
static void print_cell(struct buf *out, const char *text)
{
	for (; *text; text++) {
		if (strchr("|*<\\_", *text)) {
			buf_append_char(out, '\\');
		}
		buf_append_char(out, *text);
	}
}

static void print_docs_key(struct buf *out, const struct conf_key *key)
{
	buf_printf(out, "| `%s` | ", key->name);
	if (!(key->marks & CONF_PROVIDER_ONLY)) {
		buf_printf(out, "%s | ", protocols_of(key));
	}
	if (key->shown) {
		print_cell(out, key->shown);
	} else if (key->initial) {
		buf_printf(out, "`%s`", key->initial);
	}
	buf_append_cstr(out, " | ");
	print_cell(out, key->help);
	print_words(out, key, " One of: ");
	buf_append_cstr(out, " |\n");
}

/* The keys that only providers have, or all others. */
static void print_docs_keys(struct buf *out, bool of_providers)
{
	for (size_t i = 0; i < conf_key_count; i++) {
		if (of_providers == ((conf_keys[i].marks & CONF_PROVIDER_ONLY) != 0)) {
			print_docs_key(out, &conf_keys[i]);
		}
	}
}

/* "`host`, `port` and `tls`": the account's keys that a provider may have. */
static void print_shared_keys(struct buf *out, const char *mark, const char *end_mark)
{
	const char *before = "";

	for (size_t i = 0; i < conf_key_count; i++) {
		if (conf_keys[i].marks & CONF_OF_PROVIDERS) {
			buf_printf(out, "%s%s%s%s", before, mark, conf_keys[i].name, end_mark);
			before = ", ";
		}
	}
}

/* The values that an account gets, but for the servers. */
static void print_gifts(struct buf *out, const struct provider *provider)
{
	const char *before = "";

	for (size_t i = 0; i < provider->count; i++) {
		const struct provider_pair *pair = &provider->pairs[i];
		const struct conf_key *key = conf_key_find(pair->key);
		bool is_server = strcmp(pair->key, "host") == 0 || strcmp(pair->key, "port") == 0;
		if (key && (key->marks & CONF_OF_PROVIDERS) && !is_server) {
			buf_printf(out, "%s`%s = %s`", before, pair->key, pair->value);
			before = ", ";
		}
	}
}

/* "imap.example.org:1143" in a cell of its own. */
static void print_server(struct buf *out, const struct provider *provider, const char *host_key,
			 const char *port_key)
{
	const char *host = provider_value(provider, host_key);
	const char *port = provider_value(provider, port_key);

	buf_printf(out, " | %s%s%s", host ? host : "", port ? ":" : "", port ? port : "");
}

static void print_docs_provider(struct buf *out, const struct provider *provider)
{
	const char *title = provider_value(provider, "title");

	buf_printf(out, "| `%s` | %s", provider->name, title ? title : "");
	print_server(out, provider, "host", "port");
	print_server(out, provider, "pop3_host", "pop3_port");
	buf_append_cstr(out, " | ");
	print_gifts(out, provider);
	buf_append_cstr(out, " |\n");
}

int conf_write_docs(struct buf *out, struct err *err)
{
	buf_append_cstr(out, docs_head);
	print_docs_keys(out, false);
	buf_append_cstr(out, docs_providers);
	print_shared_keys(out, "`", "`");
	buf_append_cstr(out, docs_provider_keys);
	print_docs_keys(out, true);
	buf_append_cstr(out, docs_provider_table);
	for (size_t i = 0; i < provider_table.count; i++) {
		print_docs_provider(out, &provider_table.items[i]);
	}
	return buf_status(out, "the documentation", err);
}

static const char man_head[] =
	".\\\" Made from the table in src/conf/conf_keys.c by `mailsync --print-man`.\n"
	".TH MAILSYNC.CONF 5 \"2026-11-29\" \"mailsync\" \"File formats\"\n"
	".SH NAME\n"
	"mailsync.conf \\- configuration of mailsync\n"
	".SH SYNOPSIS\n"
	".I ~/.config/mailsync/mailsync.conf\n"
	".SH DESCRIPTION\n"
	"One INI file says which accounts\n"
	".BR mailsync (1)\n"
	"keeps in sync.\n"
	".B [defaults]\n"
	"holds keys for all accounts,\n"
	".BI \"[account \" NAME ]\n"
	"those of one, which win,\n"
	".BI \"[provider \" NAME ]\n"
	"those that accounts name (see PROVIDERS). NAME is made of letters, digits, \\(lq.\\(rq,\n"
	"\\(lq_\\(rq and \\(lq\\-\\(rq. Sections stand in any order, each once.\n"
	".PP\n"
	"An entry is one line\n"
	".IR key \\~=\\~ value ,\n"
	"indented or not; an indented line does not continue the one before. A comment is a line\n"
	"that begins with # or ;. Inside a line these are ordinary signs. Words such as\n"
	".B yes\n"
	"may be written in any case. In paths ~ and $VAR expand; a relative path\n"
	"starts where mailsync was started. An empty value unsets a key that is optional, even if\n"
	"[defaults] set it.\n"
	".PP\n"
	"All mistakes of the file are told in one run, with their lines, and the exit\n"
	"status is then 78.\n"
	"A file that holds\n"
	".BR password ,\n"
	".BR oauth_client_secret ,\n"
	"or a\n"
	".B proxy\n"
	"with a password in it,\n"
	"must be readable by its owner alone.\n"
	".SH KEYS\n"
	"A key that is only for accounts of the other protocol is an error in an account, and\n"
	"without effect in [defaults] or from a provider.\n";

static const char man_providers[] =
	".SH PROVIDERS\n"
	".B provider\n"
	"names one of the list below, or a domain of its addresses. What the account sets itself\n"
	"comes first, then the provider\\(aqs keys, then those of [defaults]; disable_extensions\n"
	"adds up. When a login is refused, the provider\\(aqs usual cause is told with it.\n"
	".PP\n"
	"A section\n"
	".BI \"[provider \" NAME ]\n"
	"of the file adds a provider, or replaces the one of that name. It may have\n";

static const char man_provider_list[] = ".PP\nThese are built in:\n";

static const char man_tail[] =
	".SH EXAMPLES\n"
	"An account with all its mailboxes:\n"
	".PP\n"
	".EX\n"
	"[account home]\n"
	"host = imap.example.org\n"
	"user = me@example.org\n"
	"password_command = secret\\-tool lookup mail home\n"
	"maildir = \\(ti/Mail/home\n"
	".EE\n"
	".PP\n"
	"A backup that nothing is ever removed from, and that never touches the server:\n"
	".PP\n"
	".EX\n"
	"[account archive]\n"
	"host = imap.example.org\n"
	"user = me@example.org\n"
	"password_file = \\(ti/.config/mailsync/archive.pass\n"
	"maildir = /backup/mail\n"
	"direction = pull\n"
	"delete = none\n"
	".EE\n"
	".SH SEE ALSO\n"
	".BR mailsync (1)\n";

/* roff: a leading dot or quote would be a request, a backslash an escape, and signs that shells and
 * paths know would come out as typographic ones. */
static void print_roff(struct buf *out, const char *text)
{
	static const char *const signs[][2] = {{"\\", "\\e"},  {"~", "\\(ti"}, {"^", "\\(ha"},
					       {"`", "\\(ga"}, {"'", "\\(aq"}, {"-", "\\-"},
					       {"\"", "\\(dq"}};

	if (*text == '.') {
		buf_append_cstr(out, "\\&");
	}
	for (; *text; text++) {
		size_t i = 0;
		while (i < sizeof(signs) / sizeof(signs[0]) && *text != signs[i][0][0]) {
			i++;
		}
		if (i < sizeof(signs) / sizeof(signs[0])) {
			buf_append_cstr(out, signs[i][1]);
		} else {
			buf_append_char(out, *text);
		}
	}
}

static int print_man_key(struct buf *out, const struct conf_key *key, struct err *err)
{
	struct buf words;

	buf_init(&words, TEXT_MAX);
	print_words(&words, key, "One of: ");
	int code = buf_status(&words, "a list of words", err);
	buf_printf(out, ".TP\n.B %s\n", key->name);
	print_roff(out, key->help);
	buf_append_char(out, '\n');
	if (code == 0 && words.len > 0) {
		print_roff(out, words.data);
		buf_append_char(out, '\n');
	}
	if (key->shown) {
		buf_append_char(out, '(');
		print_roff(out, key->shown);
		buf_append_cstr(out, ")\n");
	} else if (key->initial) {
		buf_append_cstr(out, "Default: ");
		print_roff(out, key->initial);
		buf_append_cstr(out, ".\n");
	}
	if ((key->marks & CONF_FOR_IMAP) == 0 || (key->marks & CONF_FOR_POP3) == 0) {
		buf_printf(out, "Only for %s.\n", protocols_of(key));
	}
	buf_finish(&words);
	return code;
}

/* The keys that only providers have, or all others. */
static int print_man_keys(struct buf *out, bool of_providers, struct err *err)
{
	int code = 0;

	for (size_t i = 0; i < conf_key_count && code == 0; i++) {
		if (of_providers == ((conf_keys[i].marks & CONF_PROVIDER_ONLY) != 0)) {
			code = print_man_key(out, &conf_keys[i], err);
		}
	}
	return code;
}

static void print_man_provider(struct buf *out, const struct provider *provider)
{
	const char *title = provider_value(provider, "title");
	const char *domains = provider_value(provider, "domains");

	buf_printf(out, ".TP\n.B %s\n", provider->name);
	print_roff(out, title ? title : provider->name);
	buf_append_cstr(out, ": ");
	print_roff(out, domains ? domains : "domains of one's own");
	buf_append_cstr(out, "\n");
}

int conf_write_man(struct buf *out, struct err *err)
{
	buf_append_cstr(out, man_head);
	int code = print_man_keys(out, false, err);
	buf_append_cstr(out, man_providers);
	print_shared_keys(out, "\\fB", "\\fP");
	buf_append_cstr(out, ", and\n");
	if (code == 0) {
		code = print_man_keys(out, true, err);
	}
	buf_append_cstr(out, man_provider_list);
	for (size_t i = 0; i < provider_table.count; i++) {
		print_man_provider(out, &provider_table.items[i]);
	}
	buf_append_cstr(out, man_tail);
	return code < 0 ? code : buf_status(out, "the man page", err);
}
