/* The text form of UID sets: RFC 9051 sequence-set without "*". */
#include <inttypes.h>
#include <string.h>

#include "mailsync/model/uidset.h"

/* "4294967295:4294967295," */
#define RANGE_TEXT_MAX 24

static bool number_take(struct span *text, uint32_t *number)
{
	uint64_t value = 0;
	size_t i = 0;
	while (i < text->len && text->data[i] >= '0' && text->data[i] <= '9') {
		value = value * 10 + (uint64_t)(text->data[i] - '0');
		if (value > UINT32_MAX) {
			return false;
		}
		i++;
	}
	if (i == 0 || value == 0) {
		return false;
	}
	text->data += i;
	text->len -= i;
	*number = (uint32_t)value;
	return true;
}

/*
 * seq-range = nz-number ":" nz-number
 * Both orders are the same range.
 */
static bool range_take(struct span *text, struct uidrange *range)
{
	if (!number_take(text, &range->first)) {
		return false;
	}
	range->last = range->first;
	if (text->len > 0 && text->data[0] == ':') {
		text->data++;
		text->len--;
		return number_take(text, &range->last);
	}
	return true;
}

/* sequence-set = (nz-number / seq-range) *("," (nz-number / seq-range)) */
static int set_take(struct uidset *set, struct span text, struct err *err)
{
	while (text.len > 0) {
		struct uidrange range;
		if (!range_take(&text, &range)) {
			return err_set(err, ERR_PROTOCOL, SCOPE_MAILBOX,
				       "a set of UIDs is malformed");
		}
		int code = uidset_add(set, range.first, range.last, err);
		if (code != 0) {
			return code;
		}
		if (text.len == 0) {
			break;
		}
		if (text.data[0] != ',' || text.len == 1) {
			return err_set(err, ERR_PROTOCOL, SCOPE_MAILBOX,
				       "a set of UIDs is malformed");
		}
		text.data++;
		text.len--;
	}
	return 0;
}

int uidset_parse(struct uidset *set, struct span text, uint64_t max_size, struct err *err)
{
	struct uidset parsed;
	uidset_init(&parsed);
	int code = set_take(&parsed, text, err);
	if (code == 0 && uidset_size(&parsed) > max_size) {
		code = err_set(err, ERR_PROTOCOL, SCOPE_MAILBOX,
			       "a set of %" PRIu64 " UIDs is larger than the %" PRIu64 " expected",
			       uidset_size(&parsed), max_size);
	}
	if (code != 0) {
		uidset_finish(&parsed);
		return code;
	}
	uidset_finish(set);
	*set = parsed;
	return 0;
}

static size_t number_write(char *out, uint32_t number)
{
	char digits[10];
	size_t count = 0;
	do {
		digits[count++] = (char)('0' + number % 10);
		number /= 10;
	} while (number > 0);
	for (size_t i = 0; i < count; i++) {
		out[i] = digits[count - 1 - i];
	}
	return count;
}

static size_t range_write(char out[RANGE_TEXT_MAX], struct uidrange range)
{
	size_t len = number_write(out, range.first);
	if (range.last != range.first) {
		out[len++] = ':';
		len += number_write(out + len, range.last);
	}
	return len;
}

void uidset_format(const struct uidset *set, struct buf *out)
{
	size_t from = 0;
	uidset_format_some(set, &from, SIZE_MAX, out);
}

bool uidset_format_some(const struct uidset *set, size_t *from, size_t max_len, struct buf *out)
{
	size_t used = 0;
	if (*from >= set->count) {
		return false;
	}
	for (size_t i = *from; i < set->count; i++) {
		char text[RANGE_TEXT_MAX];
		size_t len = 0;
		if (used > 0) {
			text[len++] = ',';
		}
		len += range_write(text + len, set->ranges[i]);
		/* The first always goes, so that a small MAX_LEN cannot stand still. */
		if (used > 0 && len > max_len - used) {
			break;
		}
		buf_append(out, text, len);
		used = len > SIZE_MAX - used ? SIZE_MAX : used + len;
		*from = i + 1;
		if (used >= max_len) {
			break;
		}
	}
	return true;
}
