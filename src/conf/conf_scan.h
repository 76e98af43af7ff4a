/* The small languages inside values: sizes, ages, durations, words with quotes. Pure. */
#ifndef MAILSYNC_CONF_SCAN_H
#define MAILSYNC_CONF_SCAN_H

#include <stdbool.h>
#include <stdint.h>

#include "mailsync/base/err.h"
#include "mailsync/base/strlist.h"

/* "500k", "10M", "1G", plain bytes; a B may follow. Powers of 1024. */
bool conf_scan_size(const char *text, uint64_t *bytes);
/* "90d", "12w", "6m" (30 days each), "2y" (365 days each). */
bool conf_scan_age(const char *text, int64_t *seconds);
/* "90", "90s", "5m", "5min", "1h", "2d". */
bool conf_scan_duration(const char *text, int64_t *seconds);
/* Decimal digits and nothing else, MIN to MAX. */
bool conf_scan_number(const char *text, long min, long max, long *number);
/* Words separated by blanks. In double quotes blanks are part of a word, and \" and \\ stand for
 * the sign itself. -ERR_CONFIG for an open quote and for an empty word. */
int conf_scan_words(const char *text, struct strlist *words, struct err *err);

#endif
