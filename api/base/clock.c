/* Clocks and their texts. The one rule: a day is a day in Asia/Jakarta, never the machine's. */
#include "api/base/clock.h"

#include <assert.h>
#include <time.h>

#define JAKARTA_OFFSET_S (7 * 3600)

static struct timespec clock_read(clockid_t clock)
{
    struct timespec now;
    int failed = clock_gettime(clock, &now);
    assert(!failed);
    (void)failed;
    return now;
}

int64_t clock_monotonic_ms(void)
{
    return clock_monotonic_us() / 1000;
}

int64_t clock_monotonic_us(void)
{
    struct timespec now = clock_read(CLOCK_MONOTONIC);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t clock_unix_s(void)
{
    return clock_read(CLOCK_REALTIME).tv_sec;
}

int64_t clock_unix_ms(void)
{
    struct timespec now = clock_read(CLOCK_REALTIME);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void digits(char *at, int count, int value)
{
    for (int i = count - 1; i >= 0; i--) {
        at[i] = (char)('0' + value % 10);
        value /= 10;
    }
}

/* Writes "2026-11-21" and returns the broken-down time. */
static struct tm write_day(int64_t unix_s, char *ret_day)
{
    time_t at = (time_t)unix_s;
    struct tm parts;
    gmtime_r(&at, &parts);
    digits(ret_day, 4, parts.tm_year + 1900);
    ret_day[4] = ret_day[7] = '-';
    digits(ret_day + 5, 2, parts.tm_mon + 1);
    digits(ret_day + 8, 2, parts.tm_mday);
    return parts;
}

void clock_day(int64_t unix_s, char ret_day[11])
{
    write_day(unix_s + JAKARTA_OFFSET_S, ret_day);
    ret_day[10] = '\0';
}

void clock_today(char ret_day[11])
{
    clock_day(clock_unix_s(), ret_day);
}

void clock_rfc3339(int64_t unix_ms, char ret_text[25])
{
    int64_t seconds = unix_ms / 1000, ms = unix_ms % 1000;
    if (ms < 0) { /* before 1970 */
        ms += 1000;
        seconds--;
    }
    struct tm parts = write_day(seconds, ret_text);
    ret_text[10] = 'T';
    digits(ret_text + 11, 2, parts.tm_hour);
    digits(ret_text + 14, 2, parts.tm_min);
    digits(ret_text + 17, 2, parts.tm_sec);
    ret_text[13] = ret_text[16] = ':';
    ret_text[19] = '.';
    digits(ret_text + 20, 3, (int)ms);
    ret_text[23] = 'Z';
    ret_text[24] = '\0';
}
