#include "mailsync/model/stamp.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static bool dir_equal(const struct stamp_dir *x, const struct stamp_dir *y)
{
	return x->dev == y->dev && x->inode == y->inode && x->mtime_ns == y->mtime_ns &&
	       x->ctime_ns == y->ctime_ns;
}

struct stamp_folder stamp_folder_of(const struct stamp *stamp)
{
	return (struct stamp_folder){stamp->dirs[0].inode, stamp->dirs[1].inode};
}

bool stamp_has_new(const struct stamp *stamp)
{
	return stamp->dirs[2].inode != 0;
}

bool stamp_folder_equal(const struct stamp_folder *x, const struct stamp_folder *y)
{
	return x->inode == y->inode && x->cur_inode == y->cur_inode;
}

bool stamp_equal(const struct stamp *x, const struct stamp *y)
{
	for (int i = 0; i < STAMP_DIRS; i++) {
		if (!dir_equal(&x->dirs[i], &y->dirs[i])) {
			return false;
		}
	}
	return true;
}

bool stamp_is_proven(const struct stamp *stamp)
{
	int64_t limit = stamp->taken_ns - (stamp->is_heard ? STAMP_TICK_NS : STAMP_SETTLE_NS);

	for (int i = 0; i < STAMP_DIRS; i++) {
		if (stamp->dirs[i].mtime_ns > limit || stamp->dirs[i].ctime_ns > limit) {
			return false;
		}
	}
	return true;
}

void stamp_format(const struct stamp *stamp, char text[STAMP_TEXT_SIZE])
{
	size_t at = 0;

	/* Three times four numbers of 20 digits at most, and one more: 272 bytes. */
	for (int i = 0; i < STAMP_DIRS; i++) {
		const struct stamp_dir *dir = &stamp->dirs[i];
		at += (size_t)snprintf(text + at, STAMP_TEXT_SIZE - at,
				       "%" PRIu64 ":%" PRIu64 ":%" PRId64 ":%" PRId64 " ", dir->dev,
				       dir->inode, dir->mtime_ns, dir->ctime_ns);
	}
	snprintf(text + at, STAMP_TEXT_SIZE - at, "%" PRId64 "%s", stamp->taken_ns,
		 stamp->is_heard ? "h" : "");
}

/* Takes the field that ends before the next END (0: the rest) off TEXT. */
static bool field_take(struct span *text, char end, struct span *field)
{
	const char *stop = text->data + text->len;

	if (end != '\0') {
		stop = text->len > 0 ? memchr(text->data, end, text->len) : NULL;
		if (!stop) {
			return false;
		}
	}
	field->data = text->data;
	field->len = (size_t)(stop - text->data);
	size_t used = field->len + (end != '\0');
	text->data += used;
	text->len -= used;
	return true;
}

static bool take_unsigned(struct span *text, char end, uint64_t *value)
{
	struct span field;

	return field_take(text, end, &field) && span_to_u64(field, value);
}

static bool take_signed(struct span *text, char end, int64_t *value)
{
	struct span field;
	uint64_t magnitude;

	if (!field_take(text, end, &field)) {
		return false;
	}
	bool is_negative = field.len > 0 && field.data[0] == '-';
	field.data += is_negative;
	field.len -= is_negative;
	if (!span_to_u64(field, &magnitude) || magnitude > INT64_MAX) {
		return false;
	}
	*value = is_negative ? -(int64_t)magnitude : (int64_t)magnitude;
	return true;
}

bool stamp_parse(struct span text, struct stamp *stamp)
{
	struct stamp result = {.is_heard = text.len > 0 && text.data[text.len - 1] == 'h'};

	text.len -= result.is_heard;
	for (int i = 0; i < STAMP_DIRS; i++) {
		struct stamp_dir *dir = &result.dirs[i];
		if (!take_unsigned(&text, ':', &dir->dev) ||
		    !take_unsigned(&text, ':', &dir->inode) ||
		    !take_signed(&text, ':', &dir->mtime_ns) ||
		    !take_signed(&text, ' ', &dir->ctime_ns)) {
			return false;
		}
	}
	if (!take_signed(&text, '\0', &result.taken_ns)) {
		return false;
	}
	*stamp = result;
	return true;
}
