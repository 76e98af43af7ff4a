#include "mailsync/proto/imap_write.h"

#include "calendar.h"

/* quoted = DQUOTE *QUOTED-CHAR DQUOTE */
bool imap_write_quoted(struct buf *out, struct span text)
{
	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.data[i];
		if (c == '\0' || c == '\r' || c == '\n' || c >= 0x80) {
			return false;
		}
	}
	buf_append_char(out, '"');
	for (size_t i = 0; i < text.len; i++) {
		if (text.data[i] == '"' || text.data[i] == '\\') {
			buf_append_char(out, '\\');
		}
		buf_append_char(out, text.data[i]);
	}
	buf_append_char(out, '"');
	return true;
}

/* date-time = DQUOTE date-day-fixed "-" date-month "-" date-year SP time SP zone DQUOTE */
void imap_write_date_time(struct buf *out, int64_t seconds)
{
	struct calendar date;
	calendar_from_seconds(seconds, &date);
	buf_printf(out, "\"%2d-%s-%04d %02d:%02d:%02d +0000\"", date.day,
		   calendar_month_name(date.month), date.year, date.hour, date.minute, date.second);
}
