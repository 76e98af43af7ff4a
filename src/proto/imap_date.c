/* INTERNALDATE, in the forms that servers write it. */
#include "calendar.h"
#include "imap_private.h"

/* Up to MAX_DIGITS digits off TEXT; false when there is none. */
static bool digits_take(struct span *text, size_t max_digits, int *value)
{
	size_t i = 0;
	int sum = 0;
	while (i < text->len && i < max_digits && text->data[i] >= '0' && text->data[i] <= '9') {
		sum = sum * 10 + (text->data[i] - '0');
		i++;
	}
	if (i == 0) {
		return false;
	}
	text->data += i;
	text->len -= i;
	*value = sum;
	return true;
}

static bool char_take(struct span *text, char c)
{
	if (text->len == 0 || text->data[0] != c) {
		return false;
	}
	text->data++;
	text->len--;
	return true;
}

static void spaces_skip(struct span *text)
{
	while (char_take(text, ' ')) {
	}
}

/* date = date-day "-" date-month "-" date-year */
static bool date_take(struct span *text, struct calendar *date)
{
	if (!digits_take(text, 2, &date->day) || !char_take(text, '-') || text->len < 3) {
		return false;
	}
	date->month = calendar_month((struct span){text->data, 3});
	text->data += 3;
	text->len -= 3;
	return char_take(text, '-') && digits_take(text, 4, &date->year);
}

/* time = 2DIGIT ":" 2DIGIT ":" 2DIGIT; the seconds may be missing. */
static bool time_take(struct span *text, struct calendar *date)
{
	if (!digits_take(text, 2, &date->hour) || !char_take(text, ':') ||
	    !digits_take(text, 2, &date->minute)) {
		return false;
	}
	return !char_take(text, ':') || digits_take(text, 2, &date->second);
}

/* zone = ("+" / "-") 4DIGIT; whatever else stands there is read as UTC. */
static void zone_take(struct span *text, struct calendar *date)
{
	bool is_west = text->len > 0 && text->data[0] == '-';
	int value;
	if (!char_take(text, '+') && !char_take(text, '-')) {
		return;
	}
	if (text->len >= 4 && digits_take(text, 4, &value)) {
		int minutes = value / 100 * 60 + value % 100;
		date->zone_minutes = is_west ? -minutes : minutes;
	}
}

/* date-time = DQUOTE date-day-fixed "-" date-month "-" date-year SP time SP zone DQUOTE */
bool imap_date_parse(struct span text, int64_t *seconds)
{
	struct calendar date = {0};
	spaces_skip(&text);
	if (!date_take(&text, &date)) {
		return false;
	}
	spaces_skip(&text);
	if (!time_take(&text, &date)) {
		return false;
	}
	spaces_skip(&text);
	zone_take(&text, &date);
	return calendar_to_seconds(&date, seconds);
}
