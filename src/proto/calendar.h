/* Dates of the Gregorian calendar as seconds since 1970, and the words of mail for them. */
#ifndef MAILSYNC_PROTO_CALENDAR_H
#define MAILSYNC_PROTO_CALENDAR_H

#include <stdbool.h>
#include <stdint.h>

#include "mailsync/base/span.h"

struct calendar {
	int year;
	int month; /* 1 to 12 */
	int day;   /* 1 to 31 */
	int hour;
	int minute;
	int second;       /* 0 to 60 */
	int zone_minutes; /* east of Greenwich */
};

/* False when a field is out of its range (years 1 to 9999). */
bool calendar_to_seconds(const struct calendar *calendar, int64_t *seconds);

/* UTC. SECONDS out of the years 1 to 9999 are clamped. */
void calendar_from_seconds(int64_t seconds, struct calendar *calendar);

/* 1 to 12 for a word that begins with "jan" to "dec" in any case, else 0. */
int calendar_month(struct span word);

/* "Jan" to "Dec". MONTH is 1 to 12. */
const char *calendar_month_name(int month);

#endif
