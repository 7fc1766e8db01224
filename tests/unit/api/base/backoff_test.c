/* What fails again and again: when the next try is, and what is told. */
#include "api/base/backoff.h"

#include "tests/unit/api/check.h"

static void test_the_same_failure_waits_twice_as_long(void **state)
{
    (void)state;
    struct backoff backoff = {.why = ""};
    uint64_t times = 0;
    const int64_t pauses[] = {250, 500, 1000, 2000, 4000, 5000, 5000};
    int64_t now = 1;
    for (size_t i = 0; i < sizeof pauses / sizeof *pauses; i++) {
        assert_int_equal(backoff_failed(&backoff, "23514", 250, 5000, now, &times), i == 0);
        assert_int_equal(backoff.pause_ms, pauses[i]);
        now += backoff.pause_ms;
    }
    assert_int_equal(times, 1);
    assert_true(backoff_failed(&backoff, "57014", 250, 5000, now, &times)); /* another failure */
    assert_int_equal(backoff.pause_ms, 250);
    backoff_good(&backoff);
    assert_int_equal(backoff.pause_ms, 0);
    assert_true(backoff_failed(&backoff, "57014", 250, 5000, now, &times));
}

static void test_one_line_a_minute(void **state)
{
    (void)state;
    struct backoff backoff = {.why = ""};
    uint64_t times, told = 0, stood_for = 0;
    for (int64_t now = 0; now < 600 * 1000; now += 250)
        if (backoff_failed(&backoff, "the same", 250, 250, now, &times)) {
            told++;
            stood_for += times;
        }
    assert_int_equal(told, 10);
    assert_int_equal(stood_for, 1 + 9 * 240); /* none is forgotten, but those since the last line */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_same_failure_waits_twice_as_long),
        cmocka_unit_test(test_one_line_a_minute),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
