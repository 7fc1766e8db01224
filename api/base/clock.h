/* Time. A day is a day in Asia/Jakarta (UTC+7, no daylight saving); instants are UTC. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

int64_t clock_monotonic_ms(void);
int64_t clock_monotonic_us(void);
int64_t clock_unix_s(void);
int64_t clock_unix_ms(void);
void clock_today(char ret_day[11]);               /* "2026-11-21" in Asia/Jakarta */
void clock_day(int64_t unix_s, char ret_day[11]); /* the day of that instant in Asia/Jakarta */
void clock_rfc3339(int64_t unix_ms, char ret_text[25]); /* "2026-11-21T10:00:00.123Z" */

#endif
