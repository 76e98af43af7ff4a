/* mboxrd: what a message is in the file. */
#include <stdio.h>
#include <string.h>

#include "mailsync/proto/mbox.h"
#include "calendar.h"

static const char from[] = "From ";
#define FROM_LEN (sizeof(from) - 1)

void mbox_format_from(int64_t date, char line[MBOX_FROM_SIZE])
{
	static const char *const days[7] = {"Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"};
	int64_t day = date / 86400 - (date % 86400 < 0 ? 1 : 0);
	struct calendar at;

	calendar_from_seconds(date, &at);
	snprintf(line, MBOX_FROM_SIZE, "From mailsync %s %s %2d %02d:%02d:%02d %04d\n",
		 days[(day % 7 + 7) % 7], calendar_month_name(at.month), at.day, at.hour, at.minute,
		 at.second, at.year);
}

/* What was held of the beginning of a line goes out as it is. */
static void let_go(struct mbox_quote *quote, struct buf *out)
{
	for (; quote->arrows > 0; quote->arrows--) {
		buf_append_char(out, '>');
	}
	buf_append(out, from, quote->matched);
	quote->matched = 0;
}

/* C, at the undecided beginning of a line; false where it belongs to what follows. */
static bool decide(struct mbox_quote *quote, char c, struct buf *out)
{
	if (quote->matched == 0 && c == '>') {
		quote->arrows++;
		return true;
	}
	if (c != from[quote->matched]) {
		let_go(quote, out);
		quote->is_inside = true;
		return false;
	}
	if (++quote->matched == FROM_LEN) {
		buf_append_char(out, '>');
		let_go(quote, out);
		quote->is_inside = true;
	}
	return true;
}

void mbox_quote(struct mbox_quote *quote, struct span data, struct buf *out)
{
	for (size_t i = 0; i < data.len;) {
		if (!quote->is_inside) {
			i += decide(quote, data.data[i], out);
			continue;
		}
		const char *lf = memchr(data.data + i, '\n', data.len - i);
		size_t end = lf ? (size_t)(lf - data.data) + 1 : data.len;
		buf_append(out, data.data + i, end - i);
		quote->is_inside = lf == NULL;
		i = end;
	}
}

void mbox_quote_end(struct mbox_quote *quote, struct buf *out)
{
	let_go(quote, out);
	/* An end for the last line, or an empty line behind it. */
	buf_append_char(out, '\n');
}
