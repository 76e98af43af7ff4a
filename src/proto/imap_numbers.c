/*
 * SEARCH, ESEARCH and VANISHED: responses as long as a mailbox is large, read token by token
 * as they stream, whatever their length.
 */
#include <string.h>

#include "imap_private.h"

#define TOKEN_MAX 1024
#define KIND_MAX  64 /* the response's name ends within these bytes, or is none of ours */

void imap_numbers_init(struct imap_numbers *numbers)
{
	memset(numbers, 0, sizeof(*numbers));
	buf_init(&numbers->tag, TOKEN_MAX);
}

void imap_numbers_finish(struct imap_numbers *numbers)
{
	buf_finish(&numbers->tag);
}

void imap_numbers_open(struct imap_numbers *numbers, enum imap_numbers_kind kind)
{
	struct buf tag = numbers->tag;
	memset(numbers, 0, sizeof(*numbers));
	numbers->tag = tag;
	buf_clear(&numbers->tag);
	numbers->kind = kind;
}

static bool char_is_letter(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

enum imap_numbers_kind imap_numbers_kind(struct span data, size_t *used)
{
	size_t max = data.len < KIND_MAX ? data.len : KIND_MAX;
	enum imap_numbers_kind undecided = max < KIND_MAX ? NUMBERS_UNKNOWN : NUMBERS_NONE;
	if (max > 0 && data.data[0] != '*') {
		return NUMBERS_NONE;
	}
	size_t start = 1;
	while (start < max && data.data[start] == ' ') {
		start++;
	}
	size_t end = start;
	while (end < max && char_is_letter(data.data[end])) {
		end++;
	}
	if (end >= max) {
		return undecided;
	}
	struct span word = {data.data + start, end - start};
	if (strchr(" \t\r\n(", data.data[end]) == NULL || data.data[end] == '\0') {
		return NUMBERS_NONE;
	}
	*used = end;
	if (span_equal_nocase(word, "SEARCH")) {
		return NUMBERS_SEARCH;
	}
	if (span_equal_nocase(word, "ESEARCH")) {
		return NUMBERS_ESEARCH;
	}
	return span_equal_nocase(word, "VANISHED") ? NUMBERS_VANISHED : NUMBERS_NONE;
}

/* nz-number / nz-number ":" nz-number; 0 alone is let through as "nothing". */
static bool range_read(struct span text, struct uidrange *range)
{
	const char *colon = memchr(text.data, ':', text.len);
	size_t first_len = colon == NULL ? text.len : (size_t)(colon - text.data);
	uint32_t last;
	if (!span_to_u32((struct span){text.data, first_len}, &range->first)) {
		return false;
	}
	range->last = range->first;
	if (colon == NULL) {
		return true;
	}
	if (!span_to_u32((struct span){colon + 1, text.len - first_len - 1}, &last) || last == 0 ||
	    range->first == 0) {
		return false;
	}
	if (last < range->first) {
		range->first = last;
	} else {
		range->last = last;
	}
	return true;
}

static enum imap_numbered range_event(struct imap_numbers *numbers, struct span text,
				      struct imap_event *event)
{
	struct uidrange range;
	bool is_vanished = numbers->kind == NUMBERS_VANISHED;
	if (!range_read(text, &range)) {
		return NUMBERED_BROKEN;
	}
	if (range.first == 0) {
		return NUMBERED_MORE;
	}
	event->type = is_vanished ? IMAP_VANISHED : IMAP_NUMBERS;
	event->range = range;
	event->is_uid = numbers->is_uid;
	event->is_earlier = numbers->is_earlier;
	return NUMBERED_EVENT;
}

/* mailbox-data =/ "SEARCH" *(SP nz-number) [SP "(" "MODSEQ" SP mod-sequence-value ")"] */
static enum imap_numbered search_token(struct imap_numbers *numbers, struct span token,
				       struct imap_event *event)
{
	if (numbers->depth > 0) {
		return NUMBERED_MORE;
	}
	if (memchr(token.data, ':', token.len) != NULL || numbers->is_continued) {
		return NUMBERED_BROKEN;
	}
	return range_event(numbers, token, event);
}

/* expunged-resp = "VANISHED" [SP "(EARLIER)"] SP known-uids */
static enum imap_numbered vanished_token(struct imap_numbers *numbers, struct span token,
					 struct imap_event *event)
{
	if (numbers->depth == 0) {
		return range_event(numbers, token, event);
	}
	if (!span_equal_nocase(token, "EARLIER")) {
		return NUMBERED_BROKEN;
	}
	numbers->is_earlier = true;
	return NUMBERED_MORE;
}

/* search-correlator = SP "(" "TAG" SP tag-string ")"; other lists are values, not looked into. */
static enum imap_numbered listed_token(struct imap_numbers *numbers, struct span token)
{
	if (numbers->expects_value) {
		return NUMBERED_MORE;
	}
	if (numbers->expects_tag) {
		buf_clear(&numbers->tag);
		buf_append_span(&numbers->tag, token);
	}
	numbers->expects_tag = !numbers->expects_tag && span_equal_nocase(token, "TAG");
	return NUMBERED_MORE;
}

/*
 * esearch-response = "ESEARCH" [search-correlator] [SP "UID"] *(SP search-return-data)
 * search-return-data = "ALL" SP sequence-set / "COUNT" SP number / label SP value
 */
static enum imap_numbered esearch_token(struct imap_numbers *numbers, struct span token,
					struct imap_event *event)
{
	if (numbers->depth > 0) {
		return listed_token(numbers, token);
	}
	if (numbers->expects_value || numbers->is_continued) {
		numbers->expects_value = false;
		if (numbers->is_all) {
			return range_event(numbers, token, event);
		}
		if (numbers->is_count) {
			numbers->has_count = span_to_u64(token, &numbers->count);
			return numbers->has_count ? NUMBERED_MORE : NUMBERED_BROKEN;
		}
		return NUMBERED_MORE;
	}
	if (span_equal_nocase(token, "UID")) {
		numbers->is_uid = true;
		return NUMBERED_MORE;
	}
	numbers->is_all = span_equal_nocase(token, "ALL");
	numbers->is_count = span_equal_nocase(token, "COUNT");
	numbers->expects_value = true;
	return NUMBERED_MORE;
}

static enum imap_numbered token_read(struct imap_numbers *numbers, struct span token,
				     struct imap_event *event)
{
	enum imap_numbered result = NUMBERED_BROKEN;
	switch (numbers->kind) {
	case NUMBERS_SEARCH:
		result = search_token(numbers, token, event);
		break;
	case NUMBERS_ESEARCH:
		result = esearch_token(numbers, token, event);
		break;
	case NUMBERS_VANISHED:
		result = vanished_token(numbers, token, event);
		break;
	case NUMBERS_NONE:
	case NUMBERS_UNKNOWN:
		break;
	}
	numbers->is_continued = false;
	return result;
}

static enum imap_numbered line_end(struct imap_numbers *numbers, struct imap_event *event)
{
	if (numbers->depth > 0 || numbers->expects_value || numbers->is_continued) {
		return NUMBERED_BROKEN;
	}
	event->type = numbers->kind == NUMBERS_VANISHED ? IMAP_VANISHED_END : IMAP_NUMBERS_END;
	event->is_uid = numbers->is_uid;
	event->is_earlier = numbers->is_earlier;
	event->has_count = numbers->has_count;
	event->number = numbers->count;
	event->tag = buf_span(&numbers->tag);
	return NUMBERED_END;
}

static enum imap_numbered parenthesis_read(struct imap_numbers *numbers, char c)
{
	if (c == '(') {
		numbers->depth++;
		return numbers->depth > IMAP_NESTING_MAX ? NUMBERED_TOO_DEEP : NUMBERED_MORE;
	}
	if (numbers->depth == 0) {
		return NUMBERED_BROKEN;
	}
	numbers->depth--;
	if (numbers->depth == 0) {
		/* The value of ALL or COUNT is no list. */
		if (numbers->expects_value && (numbers->is_all || numbers->is_count)) {
			return NUMBERED_BROKEN;
		}
		numbers->expects_value = false;
		numbers->expects_tag = false;
	}
	return NUMBERED_MORE;
}

/* The length of the atom or quoted string that DATA begins with, 0 when its end is not there. */
static size_t token_len(struct span data)
{
	size_t i = 1;
	if (data.data[0] == '"') {
		while (i < data.len && data.data[i] != '"' && data.data[i] != '\n') {
			i += data.data[i] == '\\' && i + 1 < data.len && data.data[i + 1] != '\n'
				   ? 2
				   : 1;
		}
		return i < data.len ? i + 1 : 0;
	}
	while (i < data.len && memchr(" \t,()\r\n\"", data.data[i], 8) == NULL) {
		i++;
	}
	return i < data.len ? i : 0;
}

/* An atom or quoted string; a tag has nothing to escape, so escapes stay. */
static enum imap_numbered word_read(struct imap_numbers *numbers, struct span data, size_t *used,
				    struct imap_event *event)
{
	size_t len = token_len(data);
	if (len > TOKEN_MAX || (len == 0 && data.len > TOKEN_MAX + 1)) {
		return NUMBERED_BROKEN;
	}
	if (len == 0) {
		*used = 0;
		return NUMBERED_MORE;
	}
	*used = len;
	if (data.data[0] != '"') {
		return token_read(numbers, (struct span){data.data, len}, event);
	}
	if (data.data[len - 1] != '"' || len < 2) {
		*used = 0;
		return NUMBERED_BROKEN;
	}
	return token_read(numbers, (struct span){data.data + 1, len - 2}, event);
}

enum imap_numbered imap_numbers_step(struct imap_numbers *numbers, struct span data, size_t *used,
				     struct imap_event *event)
{
	size_t at = 0;
	enum imap_numbered result = NUMBERED_MORE;
	while (at < data.len && result == NUMBERED_MORE) {
		char c = data.data[at];
		size_t step = 1;
		if (c == ',') {
			result = numbers->is_continued ? NUMBERED_BROKEN : NUMBERED_MORE;
			numbers->is_continued = numbers->depth == 0;
		} else if (c == '(' || c == ')') {
			result = parenthesis_read(numbers, c);
		} else if (c == '\n') {
			result = line_end(numbers, event);
			step = result == NUMBERED_END ? 1 : 0;
		} else if (c != ' ' && c != '\t' && c != '\r') {
			struct span rest = {data.data + at, data.len - at};
			result = word_read(numbers, rest, &step, event);
			if (step == 0 && result == NUMBERED_MORE) {
				break;
			}
		}
		at += step;
	}
	*used = at;
	return result;
}
