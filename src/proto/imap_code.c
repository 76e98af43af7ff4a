/* resp-text and its response codes (RFC 9051 7.1). */
#include <stdlib.h>
#include <string.h>

#include "imap_private.h"

#define OBJECTID_MAX 255 /* RFC 8474 */

enum code_argument {
	ARG_TEXT,      /* as it stands */
	ARG_NZ_NUMBER, /* 1 to 2^32-1, else the code is broken */
	ARG_MODSEQ,    /* 0 where it is nonsense */
	ARG_LIST,      /* without its parentheses */
	ARG_OBJECTID   /* likewise; empty where it tells none */
};

struct code_name {
	const char *name;
	enum imap_code_type type;
	enum code_argument argument;
};

static const struct code_name code_names[] = {
	{"ALERT", IMAP_CODE_ALERT, ARG_TEXT},
	{"ALREADYEXISTS", IMAP_CODE_ALREADYEXISTS, ARG_TEXT},
	{"APPENDUID", IMAP_CODE_APPENDUID, ARG_TEXT},
	{"AUTHENTICATIONFAILED", IMAP_CODE_AUTHENTICATIONFAILED, ARG_TEXT},
	{"AUTHORIZATIONFAILED", IMAP_CODE_AUTHORIZATIONFAILED, ARG_TEXT},
	{"CANNOT", IMAP_CODE_CANNOT, ARG_TEXT},
	{"CAPABILITY", IMAP_CODE_CAPABILITY, ARG_TEXT},
	{"CLOSED", IMAP_CODE_CLOSED, ARG_TEXT},
	{"CONTACTADMIN", IMAP_CODE_CONTACTADMIN, ARG_TEXT},
	{"COPYUID", IMAP_CODE_COPYUID, ARG_TEXT},
	{"EXPIRED", IMAP_CODE_EXPIRED, ARG_TEXT},
	{"EXPUNGEISSUED", IMAP_CODE_EXPUNGEISSUED, ARG_TEXT},
	{"HIGHESTMODSEQ", IMAP_CODE_HIGHESTMODSEQ, ARG_MODSEQ},
	{"INUSE", IMAP_CODE_INUSE, ARG_TEXT},
	{"LIMIT", IMAP_CODE_LIMIT, ARG_TEXT},
	{"MAILBOXID", IMAP_CODE_MAILBOXID, ARG_OBJECTID},
	{"MODIFIED", IMAP_CODE_MODIFIED, ARG_TEXT},
	{"NOMODSEQ", IMAP_CODE_NOMODSEQ, ARG_TEXT},
	{"NONEXISTENT", IMAP_CODE_NONEXISTENT, ARG_TEXT},
	{"NOPERM", IMAP_CODE_NOPERM, ARG_TEXT},
	{"OVERQUOTA", IMAP_CODE_OVERQUOTA, ARG_TEXT},
	{"PERMANENTFLAGS", IMAP_CODE_PERMANENTFLAGS, ARG_LIST},
	{"PRIVACYREQUIRED", IMAP_CODE_PRIVACYREQUIRED, ARG_TEXT},
	{"READ-ONLY", IMAP_CODE_READ_ONLY, ARG_TEXT},
	{"READ-WRITE", IMAP_CODE_READ_WRITE, ARG_TEXT},
	{"SERVERBUG", IMAP_CODE_SERVERBUG, ARG_TEXT},
	{"THROTTLED", IMAP_CODE_THROTTLED, ARG_TEXT},
	{"TOOBIG", IMAP_CODE_TOOBIG, ARG_TEXT},
	{"TRYCREATE", IMAP_CODE_TRYCREATE, ARG_TEXT},
	{"UIDNEXT", IMAP_CODE_UIDNEXT, ARG_NZ_NUMBER},
	{"UIDNOTSTICKY", IMAP_CODE_UIDNOTSTICKY, ARG_TEXT},
	{"UIDVALIDITY", IMAP_CODE_UIDVALIDITY, ARG_NZ_NUMBER},
	{"UNAVAILABLE", IMAP_CODE_UNAVAILABLE, ARG_TEXT},
	{"UNSEEN", IMAP_CODE_UNSEEN, ARG_NZ_NUMBER},
};

static bool is_objectid_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '-' || c == '_';
}

/* Cyrus 3.6 gives a mailbox that was just renamed an id of random bytes: that is none. */
struct span imap_objectid(struct span text)
{
	bool is_id = text.len > 0 && text.len <= OBJECTID_MAX && !span_equal_nocase(text, "NIL");
	for (size_t i = 0; is_id && i < text.len; i++) {
		is_id = is_objectid_char(text.data[i]);
	}
	return is_id ? text : (struct span){NULL, 0};
}

/* Either parenthesis may be missing. */
static struct span span_unlist(struct span text)
{
	if (text.len > 0 && text.data[0] == '(') {
		text.data++;
		text.len--;
	}
	if (text.len > 0 && text.data[text.len - 1] == ')') {
		text.len--;
	}
	return span_trim(text);
}

static bool is_list(struct span text)
{
	size_t parens = 0;
	for (size_t i = 0; i < text.len; i++) {
		parens += text.data[i] == '(' || text.data[i] == ')';
	}
	return parens == 2 && text.data[0] == '(' && text.data[text.len - 1] == ')';
}

/* False when the argument is none that the code can have. */
static bool argument_read(enum code_argument argument, struct imap_code *code)
{
	uint32_t small;
	switch (argument) {
	case ARG_TEXT:
		return true;
	case ARG_LIST:
		code->is_list = is_list(code->args);
		code->args = span_unlist(code->args);
		return true;
	case ARG_OBJECTID: /* without its parentheses it is untold, as in STATUS */
		code->args = is_list(code->args) ? imap_objectid(span_unlist(code->args))
						 : (struct span){NULL, 0};
		return true;
	case ARG_NZ_NUMBER:
		if (!span_to_u32(code->args, &small) || small == 0) {
			return false;
		}
		code->number = small;
		return true;
	case ARG_MODSEQ:
		if (!span_to_u64(code->args, &code->number) || code->number > INT64_MAX) {
			code->number = 0;
		}
		return true;
	}
	return false;
}

/*
 * The "]" that ends the code whose "[" is at 0: the first outside of parentheses, as keywords
 * such as [css3-page] stand in PERMANENTFLAGS; the first at all where these are unbalanced.
 */
static size_t code_end(struct span text)
{
	unsigned depth = 0;
	size_t first = 0;
	for (size_t i = 1; i < text.len; i++) {
		char c = text.data[i];
		if (c == '(') {
			depth++;
		} else if (c == ')' && depth > 0) {
			depth--;
		} else if (c == ']') {
			first = first == 0 ? i : first;
			if (depth == 0) {
				return i;
			}
		}
	}
	return first;
}

/*
 * resp-text-code = atom [SP 1*<any TEXT-CHAR except "]">]
 * A known code with an impossible argument becomes IMAP_CODE_OTHER, the event broken.
 */
static void code_read(struct span text, struct imap_event *event)
{
	struct imap_code *code = &event->code;
	struct span rest = span_trim(text);
	if (!imap_next_word(&rest, &code->name)) {
		return;
	}
	code->args = span_trim(rest);
	code->type = IMAP_CODE_OTHER;
	for (size_t i = 0; i < sizeof(code_names) / sizeof(code_names[0]); i++) {
		if (!span_equal_nocase(code->name, code_names[i].name)) {
			continue;
		}
		if (argument_read(code_names[i].argument, code)) {
			code->type = code_names[i].type;
		} else {
			event->is_broken = true;
		}
		return;
	}
}

/* resp-text = ["[" resp-text-code "]" SP] [text] */
void imap_code_parse(struct imap_cursor *cursor, struct imap_event *event)
{
	imap_lex_spaces(cursor);
	struct span text = imap_lex_rest(cursor);
	if (text.len > 0 && text.data[0] == '[') {
		size_t end = code_end(text);
		if (end > 0) {
			code_read((struct span){text.data + 1, end - 1}, event);
			text.data += end + 1;
			text.len -= end + 1;
		}
	}
	event->text = span_trim(text);
}

bool imap_next_word(struct span *list, struct span *word)
{
	size_t start = 0;
	while (start < list->len && (list->data[start] == ' ' || list->data[start] == '\t')) {
		start++;
	}
	size_t end = start;
	while (end < list->len && list->data[end] != ' ' && list->data[end] != '\t') {
		end++;
	}
	*word = (struct span){list->data + start, end - start};
	list->data += end;
	list->len -= end;
	return word->len > 0;
}

static int code_malformed(const char *name, struct err *err)
{
	return err_set(err, ERR_PROTOCOL, SCOPE_MESSAGE,
		       "the server's response code %s cannot be read", name);
}

/* uniqueid or uid-range off *TEXT. */
static bool range_next(struct span *text, struct uidrange *range)
{
	const char *comma = memchr(text->data, ',', text->len);
	size_t len = comma == NULL ? text->len : (size_t)(comma - text->data);
	const char *colon = memchr(text->data, ':', len);
	size_t first_len = colon == NULL ? len : (size_t)(colon - text->data);
	struct span first = {text->data, first_len};
	if (!span_to_u32(first, &range->first)) {
		return false;
	}
	range->last = range->first;
	if (colon != NULL &&
	    !span_to_u32((struct span){colon + 1, len - first_len - 1}, &range->last)) {
		return false;
	}
	if (range->first == 0 || range->last < range->first || len + 1 == text->len) {
		return false;
	}
	size_t used = comma == NULL ? len : len + 1;
	text->data += used;
	text->len -= used;
	return true;
}

/* The members of TEXT in the order written: counted, and stored unless UIDS is NULL. They have to
 * ascend, as UIDs are given: of others it is not said which message each is, and a wrong pair is
 * worse than none. */
static bool uids_expand(struct span text, uint64_t count_max, uint32_t *uids, size_t *count)
{
	size_t filled = 0;
	uint32_t last = 0;
	while (text.len > 0) {
		struct uidrange range;
		if (!range_next(&text, &range) || range.first <= last) {
			return false;
		}
		last = range.last;
		uint64_t size = (uint64_t)range.last - range.first + 1;
		if (size > count_max || filled > count_max - size || size > SIZE_MAX / 8 - filled) {
			return false;
		}
		for (size_t i = 0; uids != NULL && i < size; i++) {
			uids[filled + i] = range.first + (uint32_t)i;
		}
		filled += (size_t)size;
	}
	*count = filled;
	return filled > 0;
}

/* resp-code-apnd = "APPENDUID" SP nz-number SP append-uid */
int imap_code_appenduid(const struct imap_code *code, uint64_t count_max, uint32_t *uidvalidity,
			struct uidset *uids, struct err *err)
{
	struct span rest = code->args;
	struct span word;
	struct span set;
	uint32_t validity;
	size_t count;
	if (!imap_next_word(&rest, &word) || !span_to_u32(word, &validity) || validity == 0 ||
	    !imap_next_word(&rest, &set) || span_trim(rest).len > 0 ||
	    !uids_expand(set, count_max, NULL, &count)) {
		return code_malformed("APPENDUID", err);
	}
	int failed = uidset_parse(uids, set, count_max, err);
	if (failed == 0) {
		*uidvalidity = validity;
	}
	return failed;
}

/* resp-code-copy = "COPYUID" SP nz-number SP uid-set SP uid-set */
int imap_code_copyuid(const struct imap_code *code, uint64_t count_max, struct imap_copyuid *copied,
		      struct err *err)
{
	struct span rest = code->args;
	struct span word;
	struct span from;
	struct span to;
	struct imap_copyuid read = {0, NULL, NULL, 0};
	size_t to_count;
	if (!imap_next_word(&rest, &word) || !span_to_u32(word, &read.uidvalidity) ||
	    read.uidvalidity == 0 || !imap_next_word(&rest, &from) || !imap_next_word(&rest, &to) ||
	    span_trim(rest).len > 0 || !uids_expand(from, count_max, NULL, &read.count) ||
	    !uids_expand(to, count_max, NULL, &to_count) || read.count != to_count) {
		return code_malformed("COPYUID", err);
	}
	read.from = malloc(read.count * sizeof(*read.from));
	read.to = malloc(read.count * sizeof(*read.to));
	if (read.from == NULL || read.to == NULL) {
		imap_copyuid_finish(&read);
		return err_nomem(err);
	}
	uids_expand(from, count_max, read.from, &read.count);
	uids_expand(to, count_max, read.to, &to_count);
	*copied = read;
	return 0;
}

void imap_copyuid_finish(struct imap_copyuid *copied)
{
	free(copied->from);
	free(copied->to);
	copied->from = NULL;
	copied->to = NULL;
	copied->count = 0;
}
