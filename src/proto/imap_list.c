/* Responses about mailboxes: LIST, STATUS, NAMESPACE, QUOTA. */
#include <string.h>

#include "imap_private.h"

struct list_attribute {
	const char *name;
	unsigned bits;
};

static const struct list_attribute list_attributes[] = {
	{"\\Noselect", IMAP_LIST_NOSELECT},
	{"\\NonExistent", IMAP_LIST_NOSELECT},
	{"\\Subscribed", IMAP_LIST_SUBSCRIBED},
	{"\\Noinferiors", IMAP_LIST_NOINFERIORS},
	{"\\HasChildren", IMAP_LIST_HASCHILDREN},
	{"\\All", IMAP_LIST_ALL},
	{"\\AllMail", IMAP_LIST_ALL},
	{"\\Archive", IMAP_LIST_ARCHIVE},
	{"\\Drafts", IMAP_LIST_DRAFTS},
	{"\\Flagged", IMAP_LIST_FLAGGED},
	{"\\Starred", IMAP_LIST_FLAGGED},
	{"\\Junk", IMAP_LIST_JUNK},
	{"\\Spam", IMAP_LIST_JUNK},
	{"\\Sent", IMAP_LIST_SENT},
	{"\\Trash", IMAP_LIST_TRASH},
	{"\\Important", IMAP_LIST_IMPORTANT},
};

static unsigned attributes_read(struct span text)
{
	unsigned bits = 0;
	struct span word;
	while (imap_next_word(&text, &word)) {
		for (size_t i = 0; i < sizeof(list_attributes) / sizeof(list_attributes[0]); i++) {
			if (span_equal_nocase(word, list_attributes[i].name)) {
				bits |= list_attributes[i].bits;
			}
		}
	}
	return bits;
}

/* DQUOTE QUOTED-CHAR DQUOTE / nil; unquoted too. */
static bool separator_read(struct imap_cursor *cursor, char *separator)
{
	struct span text;
	bool is_string = imap_lex_at_string(cursor);
	if (!imap_lex_astring(cursor, &text)) {
		return false;
	}
	if (text.len == 0 || (!is_string && span_equal_nocase(text, "NIL"))) {
		*separator = '\0';
		return true;
	}
	*separator = text.data[0];
	return text.len == 1;
}

static bool rest_is_clean(struct imap_cursor *cursor)
{
	imap_lex_spaces(cursor);
	return cursor->at == cursor->end;
}

/* SP mbox-list-extended, of which nothing is used. */
static bool extended_skip(struct imap_cursor *cursor)
{
	imap_lex_spaces(cursor);
	if (cursor->at == cursor->end) {
		return true;
	}
	return imap_lex_at(cursor, '(') && imap_lex_skip(cursor) == LEX_OK && rest_is_clean(cursor);
}

/*
 * mbox-list-extended-item = mbox-list-extended-item-tag SP tagged-ext-val
 * An unquoted name may go on with a parenthesis, too; in an item a second one opens the value.
 */
static bool at_extended(struct imap_cursor ahead)
{
	char *before = ahead.at;
	imap_lex_spaces(&ahead);
	if (ahead.at == ahead.end) {
		return true;
	}
	if (ahead.at == before || !imap_lex_char(&ahead, '(')) {
		return false;
	}
	while (ahead.at < ahead.end && *ahead.at != ' ' && *ahead.at != '(' && *ahead.at != ')') {
		ahead.at++;
	}
	imap_lex_spaces(&ahead);
	return imap_lex_at(&ahead, '(');
}

/*
 * mailbox = "INBOX" / astring
 * Servers send names with blanks and tabs unquoted: such a name goes to the end of the line.
 */
static bool list_name_read(struct imap_cursor *cursor, struct span *name)
{
	if (imap_lex_at_string(cursor)) {
		return imap_lex_string(cursor, name) && extended_skip(cursor);
	}
	if (imap_lex_at(cursor, '"')) {
		return false;
	}
	struct imap_cursor whole = *cursor;
	if (imap_lex_atom(cursor, name) && at_extended(*cursor) && extended_skip(cursor)) {
		return !span_equal_nocase(*name, "NIL"); /* a mailbox of that name is quoted */
	}
	*name = imap_lex_rest(&whole);
	return name->len > 0 && memchr(name->data, '\n', name->len) == NULL &&
	       memchr(name->data, '"', name->len) == NULL;
}

/* mailbox-list = "(" [mbx-list-flags] ")" SP separator SP mailbox [SP mbox-list-extended] */
bool imap_list_parse(struct imap_cursor *cursor, struct imap_event *event)
{
	struct span attributes;
	event->type = IMAP_LIST;
	imap_lex_spaces(cursor);
	if (!imap_lex_flat_list(cursor, &attributes)) {
		return false;
	}
	event->list.attributes = attributes_read(attributes);
	imap_lex_spaces(cursor);
	if (!separator_read(cursor, &event->list.separator)) {
		return false;
	}
	imap_lex_spaces(cursor);
	event->list.has_name = list_name_read(cursor, &event->list.name);
	return event->list.has_name;
}

/* False when the value is over 32 bits; a negative one is as if not sent. */
static bool count_read(struct span value, struct told *count)
{
	uint32_t number;
	if (value.len > 0 && value.data[0] == '-') {
		return true;
	}
	if (!span_to_u32(value, &number)) {
		return false;
	}
	*count = told(number);
	return true;
}

/* nz-number: 0 is as if not sent, too. */
static bool uid_read(struct span value, struct told *uid)
{
	bool is_number = count_read(value, uid);
	*uid = told_unless_0(uid->number);
	return is_number;
}

static void modseq_read(struct span value, struct told *modseq)
{
	uint64_t number;
	if (span_to_u64(value, &number) && number <= INT64_MAX) {
		*modseq = told_unless_0(number);
	}
}

/* Without its parentheses it is untold: NIL, "", or garbage, and garbage that is taken for an id
 * proves that this is another mailbox. */
static bool mailboxid_read(struct imap_cursor *cursor, struct imap_counts *counts)
{
	struct span id;
	if (imap_lex_flat_list(cursor, &id)) {
		counts->mailboxid = imap_objectid(id);
		return true;
	}
	return imap_lex_astring(cursor, &id);
}

/*
 * status-att-val = "MESSAGES" SP number / "UIDNEXT" SP nz-number / "UIDVALIDITY" SP nz-number /
 *     "UNSEEN" SP number / "SIZE" SP number64 / "HIGHESTMODSEQ" SP mod-sequence-valzer /
 *     "MAILBOXID" SP "(" objectid ")" / "APPENDLIMIT" SP (number64 / nil) / label SP value
 */
static bool count_take(struct imap_cursor *cursor, struct imap_counts *counts)
{
	struct span name;
	struct span value;
	if (!imap_lex_atom(cursor, &name)) {
		return false;
	}
	imap_lex_spaces(cursor);
	if (span_equal_nocase(name, "MAILBOXID")) {
		return mailboxid_read(cursor, counts);
	}
	struct imap_cursor before = *cursor;
	if (imap_lex_at(cursor, '(') || imap_lex_at_string(cursor)) {
		return imap_lex_skip(cursor) == LEX_OK;
	}
	if (!imap_lex_atom(&before, &value)) {
		return false;
	}
	*cursor = before;
	if (span_equal_nocase(name, "MESSAGES")) {
		return count_read(value, &counts->messages);
	}
	if (span_equal_nocase(name, "UIDNEXT")) {
		return uid_read(value, &counts->uidnext);
	}
	if (span_equal_nocase(name, "UIDVALIDITY")) {
		return uid_read(value, &counts->uidvalidity);
	}
	if (span_equal_nocase(name, "UNSEEN")) {
		return count_read(value, &counts->unseen);
	}
	if (span_equal_nocase(name, "HIGHESTMODSEQ")) {
		modseq_read(value, &counts->highestmodseq);
	}
	uint64_t size;
	if (span_equal_nocase(name, "SIZE") && span_to_u64(value, &size)) {
		counts->size = told(size);
	}
	if (span_equal_nocase(name, "APPENDLIMIT") && span_to_u64(value, &size)) {
		counts->append_limit = told(size);
	}
	return true;
}

/* An unquoted name may hold blanks: it ends before " (". */
static bool status_name_read(struct imap_cursor *cursor, struct span *name)
{
	if (imap_lex_at_string(cursor)) {
		bool is_whole = imap_lex_string(cursor, name);
		imap_lex_spaces(cursor);
		return is_whole;
	}
	char *start = cursor->at;
	while (cursor->at < cursor->end && *cursor->at != '\r' && *cursor->at != '\n' &&
	       !(cursor->end - cursor->at > 1 && cursor->at[0] == ' ' && cursor->at[1] == '(')) {
		cursor->at++;
	}
	char *stop = cursor->at;
	while (stop > start && stop[-1] == ' ') {
		stop--;
	}
	*name = (struct span){start, (size_t)(stop - start)};
	imap_lex_spaces(cursor);
	return name->len > 0 && *start != '"';
}

/* mailbox-data =/ "STATUS" SP mailbox SP "(" [status-att-list] ")" */
bool imap_status_parse(struct imap_cursor *cursor, struct imap_event *event)
{
	event->type = IMAP_STATUS;
	imap_lex_spaces(cursor);
	if (!status_name_read(cursor, &event->mailbox) || !imap_lex_char(cursor, '(')) {
		return false;
	}
	for (;;) {
		imap_lex_spaces(cursor);
		if (imap_lex_char(cursor, ')')) {
			return rest_is_clean(cursor);
		}
		if (!count_take(cursor, &event->counts)) {
			return false;
		}
	}
}

/*
 * namespace = "NIL" / "(" 1*("(" string SP separator *extension ")") ")"
 * What is taken is the first of the personal ones, which come first.
 */
bool imap_namespace_parse(struct imap_cursor *cursor, struct imap_event *event)
{
	struct span word;
	event->type = IMAP_NAMESPACE;
	imap_lex_spaces(cursor);
	if (!imap_lex_char(cursor, '(')) {
		return imap_lex_atom(cursor, &word) && span_equal_nocase(word, "NIL");
	}
	imap_lex_spaces(cursor);
	if (imap_lex_char(cursor, ')')) {
		return true;
	}
	if (!imap_lex_char(cursor, '(')) {
		return false;
	}
	imap_lex_spaces(cursor);
	if (!imap_lex_string(cursor, &event->list.name)) {
		return false;
	}
	imap_lex_spaces(cursor);
	event->list.has_name = separator_read(cursor, &event->list.separator);
	return event->list.has_name;
}

/* quota-resource = resource-name SP resource-usage SP resource-limit */
static bool quota_resource(struct imap_cursor *cursor, struct imap_quota *quota)
{
	struct span name, used, limit;
	uint64_t has, most;
	imap_lex_spaces(cursor);
	if (!imap_lex_atom(cursor, &name)) {
		return false;
	}
	imap_lex_spaces(cursor);
	if (!imap_lex_atom(cursor, &used) || !span_to_u64(used, &has)) {
		return false;
	}
	imap_lex_spaces(cursor);
	if (!imap_lex_atom(cursor, &limit) || !span_to_u64(limit, &most)) {
		return false;
	}
	if (span_equal_nocase(name, "STORAGE")) {
		quota->storage_used = told(has);
		quota->storage_limit = told(most);
	} else if (span_equal_nocase(name, "MESSAGE")) {
		quota->messages_used = told(has);
		quota->messages_limit = told(most);
	}
	return true;
}

/* quota-response = "QUOTA" SP quota-root-name SP "(" [quota-resource *(SP quota-resource)] ")" */
bool imap_quota_parse(struct imap_cursor *cursor, struct imap_event *event)
{
	struct span root;
	event->type = IMAP_QUOTA;
	event->quota = (struct imap_quota){0};
	imap_lex_spaces(cursor);
	if (!imap_lex_astring(cursor, &root)) {
		return false;
	}
	imap_lex_spaces(cursor);
	if (!imap_lex_char(cursor, '(')) {
		return false;
	}
	imap_lex_spaces(cursor);
	while (!imap_lex_char(cursor, ')')) {
		if (!quota_resource(cursor, &event->quota)) {
			return false;
		}
		imap_lex_spaces(cursor);
	}
	return true;
}
