/* Instants and days. The machine's time zone must not matter. */
#include "tests/unit/api/check.h"

#include <stdlib.h>
#include <time.h>

#include "api/base/clock.h"

static void writes_instants(void **state)
{
    (void)state;
    static const struct {
        int64_t unix_ms;
        const char *text;
    } rows[] = {
        {0, "1970-01-01T00:00:00.000Z"},
        {-1, "1969-12-31T23:59:59.999Z"},
        {1795255200123, "2026-11-21T10:00:00.123Z"},
        {951782400007, "2000-02-29T00:00:00.007Z"},
        {253402300799999, "9999-12-31T23:59:59.999Z"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[25];
        clock_rfc3339(rows[i].unix_ms, text);
        assert_string_equal(text, rows[i].text);
    }
}

static void a_day_begins_in_jakarta(void **state)
{
    (void)state;
    char day[11];
    clock_day(1795280399, day); /* 16:59:59Z is 23:59:59 in Jakarta */
    assert_string_equal(day, "2026-11-21");
    clock_day(1795280400, day); /* 17:00:00Z */
    assert_string_equal(day, "2026-11-22");

    char expected[11];
    time_t now = (time_t)clock_unix_s();
    clock_today(day);
    setenv("TZ", "Asia/Jakarta", 1);
    tzset();
    struct tm local;
    localtime_r(&now, &local);
    strftime(expected, sizeof expected, "%Y-%m-%d", &local);
    if (local.tm_hour || local.tm_min) /* not within a minute of midnight */
        assert_string_equal(day, expected);
}

static void clocks_run_forward(void **state)
{
    (void)state;
    int64_t us = clock_monotonic_us(), ms = clock_monotonic_ms();
    assert_true(ms >= us / 1000 && ms <= us / 1000 + 1000);
    nanosleep(&(struct timespec){.tv_nsec = 3000000}, NULL);
    int64_t later = clock_monotonic_us();
    assert_true(later - us >= 3000);
    int64_t unix_ms = clock_unix_ms();
    assert_true(unix_ms / 1000 - clock_unix_s() <= 0);
    assert_true(clock_unix_s() >= time(NULL) - 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_instants),
        cmocka_unit_test(a_day_begins_in_jakarta),
        cmocka_unit_test(clocks_run_forward),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
