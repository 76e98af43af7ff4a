/* What the server can do: before login from greeting and CAPABILITY, later from the latter. */
#include "imap_offer.h"

#include <string.h>

#include "imap_private.h"

static const struct {
	const char *name;
	unsigned cap;
} cap_names[] = {
	{"ENABLE", IMAP_CAP_ENABLE},
	{"CONDSTORE", IMAP_CAP_CONDSTORE},
	{"QRESYNC", IMAP_CAP_QRESYNC},
	{"UIDPLUS", IMAP_CAP_UIDPLUS},
	{"MOVE", IMAP_CAP_MOVE},
	{"LITERAL+", IMAP_CAP_LITERAL_PLUS},
	{"LITERAL-", IMAP_CAP_LITERAL_MINUS},
	{"MULTIAPPEND", IMAP_CAP_MULTIAPPEND},
	{"LIST-EXTENDED", IMAP_CAP_LIST_EXTENDED},
	{"LIST-STATUS", IMAP_CAP_LIST_STATUS},
	{"SPECIAL-USE", IMAP_CAP_SPECIAL_USE},
	{"NAMESPACE", IMAP_CAP_NAMESPACE},
	{"ESEARCH", IMAP_CAP_ESEARCH},
	{"UNSELECT", IMAP_CAP_UNSELECT},
	{"OBJECTID", IMAP_CAP_OBJECTID},
	{"X-GM-EXT-1", IMAP_CAP_GMAIL},
	{"COMPRESS=DEFLATE", IMAP_CAP_COMPRESS},
	{"APPENDLIMIT", IMAP_CAP_APPENDLIMIT},
	{"SASL-IR", IMAP_CAP_SASL_IR},
	{"LOGINDISABLED", IMAP_CAP_LOGINDISABLED},
	{"IMAP4REV2", IMAP_CAP_IMAP4REV2},
	{"IDLE", IMAP_CAP_IDLE},
	{"NOTIFY", IMAP_CAP_NOTIFY},
	{"QUOTA", IMAP_CAP_QUOTA},
};

bool imap_is_disabled(const struct imap *imap, const char *name)
{
	return strlist_has(imap->server->disabled, name);
}

/* What stands in WORD behind NAME ("MESSAGELIMIT=1000"); untold where that is no number. */
static bool limit_of(struct span word, const char *name, struct told *limit)
{
	size_t len = strlen(name);
	uint64_t number = 0;
	if (!span_starts_nocase(word, name)) {
		return false;
	}
	bool is_number = span_to_u64((struct span){word.data + len, word.len - len}, &number);
	*limit = is_number ? told(number) : UNTOLD;
	return true;
}

static void note_limits(struct imap *imap, struct span word)
{
	struct told limit;
	if (limit_of(word, "MESSAGELIMIT=", &limit)) {
		imap->message_limit = limit.number <= UINT32_MAX ? (uint32_t)told_or(limit, 0) : 0;
	}
	if (limit_of(word, "APPENDLIMIT=", &limit) && !imap_is_disabled(imap, "APPENDLIMIT")) {
		imap->append_limit = limit;
	}
}

/* Each names the protocol (RFC 3501 7.2.1, RFC 9051 7.2.2). One that does not was not told: "NIL",
 * the rest of a broken line. */
static bool is_list_of_caps(struct span names)
{
	struct span word;
	while (imap_next_word(&names, &word)) {
		if (span_equal_nocase(word, "IMAP4REV1") || span_equal_nocase(word, "IMAP4REV2") ||
		    span_equal_nocase(word, "IMAP4")) {
			return true;
		}
	}
	return false;
}

void imap_note_caps(struct imap *imap, struct span names)
{
	unsigned caps = 0;
	struct span word;
	if (!is_list_of_caps(names)) {
		return;
	}
	while (imap_next_word(&names, &word)) {
		imap->wants_id |= span_equal_nocase(word, "X-CM-EXT-1");
		note_limits(imap, word);
		for (size_t i = 0; i < sizeof(cap_names) / sizeof(cap_names[0]); i++) {
			if (span_equal_nocase(word, cap_names[i].name) &&
			    !imap_is_disabled(imap, cap_names[i].name)) {
				caps |= cap_names[i].cap;
			}
		}
	}
	if (caps & IMAP_CAP_QRESYNC) {
		caps |= imap_is_disabled(imap, "CONDSTORE") ? 0 : IMAP_CAP_CONDSTORE;
	}
	if ((caps & IMAP_CAP_CONDSTORE) == 0 || (caps & IMAP_CAP_ENABLE) == 0) {
		caps &= ~IMAP_CAP_QRESYNC;
	}
	imap->caps = caps;
	imap->caps_known = true;
}

static void offer_note(struct imap *imap, struct imap_offer *offer, struct span names)
{
	offer->has_capability = true;
	offer->sasl.mechs = AUTH_BIT(AUTH_COMMAND);
	struct span word;
	struct span rest = names;
	while (imap_next_word(&rest, &word)) {
		if (span_starts_nocase(word, "AUTH=")) {
			enum auth mech = sasl_by_name((struct span){word.data + 5, word.len - 5});
			offer->sasl.mechs |= mech == AUTH_NONE ? 0 : AUTH_BIT(mech);
		} else if (span_equal_nocase(word, "LOGINDISABLED")) {
			offer->sasl.mechs &= ~AUTH_BIT(AUTH_COMMAND);
		}
	}
	imap_note_caps(imap, names);
	offer->has_ir = (imap->caps & IMAP_CAP_SASL_IR) != 0;
}

static void offer_event(struct imap *imap, struct imap_offer *offer, const struct imap_event *event)
{
	if (event->type == IMAP_UNTAGGED) {
		offer->is_preauth |= event->status == IMAP_PREAUTH;
		imap->wants_id |= span_contains_nocase(event->text, "Coremail");
	}
	if (event->type == IMAP_CAPABILITY) {
		offer_note(imap, offer, event->names);
	} else if (event->code.type == IMAP_CODE_CAPABILITY) {
		offer_note(imap, offer, event->code.args);
	}
}

/* With STARTTLS what the greeting claimed in the clear is not believed. */
static int offer_from_events(struct imap *imap, struct imap_parser *parser,
			     struct imap_offer *offer, struct err *err)
{
	bool is_greeting = true;
	for (;;) {
		struct imap_event event;
		int code = imap_parser_next(parser, &event, err);
		if (code < 0 || event.type == IMAP_MORE) {
			return code;
		}
		if (is_greeting && imap->server->tls == SERVER_TLS_STARTTLS) {
			event.code.type = IMAP_CODE_NONE;
		}
		is_greeting = false;
		offer_event(imap, offer, &event);
	}
}

/* Reads what libcurl saw. */
static int offer_from_preamble(struct imap *imap, struct imap_offer *offer, struct err *err)
{
	struct span preamble = conn_preamble(imap->conn);
	struct imap_parser *parser = NULL;
	int code = imap_parser_create(&parser, 1024, err);
	if (code < 0) {
		return code;
	}
	char *room = imap_parser_reserve(parser, preamble.len, err);
	if (room == NULL) {
		code = -(int)err->code;
		goto finish;
	}
	memcpy(room, preamble.data, preamble.len);
	imap_parser_commit(parser, preamble.len);
	code = offer_from_events(imap, parser, offer, err);
finish:
	imap_parser_destroy(&parser);
	return code;
}

/* A tunnel: the greeting is still to come. */
static int read_greeting(struct imap *imap, struct imap_offer *offer, struct err *err)
{
	struct imap_event event;
	int code = imap_event_next(imap, &event, err);
	if (code < 0) {
		return code;
	}
	if (event.type != IMAP_UNTAGGED ||
	    (event.status != IMAP_OK && event.status != IMAP_PREAUTH)) {
		return err_set(err, ERR_SERVER, SCOPE_ACCOUNT,
			       "what the tunnel command gave is no IMAP greeting; check `tunnel`");
	}
	offer_event(imap, offer, &event);
	return 0;
}

int imap_ask_capability(struct imap *imap, struct imap_offer *offer, struct err *err)
{
	imap_line_begin(imap);
	buf_append_cstr(&imap->line, "CAPABILITY");
	int code = imap_line_end(imap, IMAP_COMMAND_SIMPLE, 0, err);
	if (code < 0) {
		return code;
	}
	for (;;) {
		struct imap_event event;
		struct imap_command command;
		code = imap_event_next(imap, &event, err);
		if (code < 0) {
			return code;
		}
		if (offer != NULL) {
			offer_event(imap, offer, &event);
		}
		if (event.type == IMAP_TAGGED && imap_command_answered(imap, &event, &command)) {
			return imap_status_error(&event, "CAPABILITY", err);
		}
	}
}

int imap_offer_read(struct imap *imap, struct imap_offer *offer, struct err *err)
{
	int code = imap->server->tunnel != NULL ? read_greeting(imap, offer, err)
						: offer_from_preamble(imap, offer, err);
	if (code < 0 ||
	    (!offer->has_capability && (code = imap_ask_capability(imap, offer, err)) < 0)) {
		return code;
	}
	if (!offer->has_capability) {
		return err_set(
			err, ERR_PROTOCOL, SCOPE_ACCOUNT,
			"the server does not tell what it can do (no CAPABILITY, or none that "
			"can be read)");
	}
	offer->sasl.is_protected = conn_is_tls(imap->conn) || conn_is_local(imap->conn);
	return 0;
}
