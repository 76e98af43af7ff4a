#include "calendar.h"

#define SECONDS_PER_DAY   INT64_C(86400)
#define YEAR_1_SECONDS    INT64_C(-62135596800)
#define YEAR_9999_SECONDS INT64_C(253402300799)

static const char *const month_names[12] = {
	"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
};

/* Days since 1970-01-01, counted in eras of 400 years that begin on 1 March. */
static int64_t days_of_date(int64_t year, int month, int day)
{
	year -= month <= 2 ? 1 : 0;
	int64_t era = (year >= 0 ? year : year - 399) / 400;
	int64_t year_of_era = year - era * 400;
	int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
	int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
	return era * 146097 + day_of_era - 719468;
}

bool calendar_to_seconds(const struct calendar *calendar, int64_t *seconds)
{
	if (calendar->year < 1 || calendar->year > 9999 || calendar->month < 1 ||
	    calendar->month > 12 || calendar->day < 1 || calendar->day > 31 || calendar->hour < 0 ||
	    calendar->hour > 23 || calendar->minute < 0 || calendar->minute > 59 ||
	    calendar->second < 0 || calendar->second > 60 || calendar->zone_minutes <= -6000 ||
	    calendar->zone_minutes >= 6000) {
		return false;
	}
	int64_t days = days_of_date(calendar->year, calendar->month, calendar->day);
	*seconds = days * SECONDS_PER_DAY + calendar->hour * 3600 + calendar->minute * 60 +
		   calendar->second - (int64_t)calendar->zone_minutes * 60;
	return true;
}

void calendar_from_seconds(int64_t seconds, struct calendar *calendar)
{
	if (seconds < YEAR_1_SECONDS) {
		seconds = YEAR_1_SECONDS;
	}
	if (seconds > YEAR_9999_SECONDS) {
		seconds = YEAR_9999_SECONDS;
	}
	/* All of the years 1 to 9999 are positive once shifted to era 0 (0000-03-01). */
	int64_t shifted = seconds + INT64_C(719468) * SECONDS_PER_DAY;
	int64_t days = shifted / SECONDS_PER_DAY;
	int rest = (int)(shifted % SECONDS_PER_DAY);
	int64_t era = days / 146097;
	int64_t day_of_era = days % 146097;
	int64_t year_of_era =
		(day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
	int64_t day_of_year =
		day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	int64_t shifted_month = (5 * day_of_year + 2) / 153;
	calendar->day = (int)(day_of_year - (153 * shifted_month + 2) / 5 + 1);
	calendar->month = (int)(shifted_month < 10 ? shifted_month + 3 : shifted_month - 9);
	calendar->year = (int)(year_of_era + era * 400 + (calendar->month <= 2 ? 1 : 0));
	calendar->hour = rest / 3600;
	calendar->minute = rest / 60 % 60;
	calendar->second = rest % 60;
	calendar->zone_minutes = 0;
}

int calendar_month(struct span word)
{
	for (int i = 0; i < 12; i++) {
		if (span_starts_nocase(word, month_names[i])) {
			return i + 1;
		}
	}
	return 0;
}

const char *calendar_month_name(int month)
{
	return month_names[month - 1];
}
