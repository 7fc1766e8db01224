/* UUIDv7: form, version, order in time, no repetition. */
#include "tests/unit/api/check.h"

#include <stdlib.h>

#include "api/base/clock.h"
#include "api/base/uuid.h"

static void is_version_7_of_now(void **state)
{
    (void)state;
    for (int i = 0; i < 200; i++) {
        char text[37];
        int64_t before = clock_unix_ms();
        uuid_v7(text);
        int64_t after = clock_unix_ms();
        assert_int_equal(strlen(text), 36);
        assert_true(uuid_valid(span_of(text)));
        assert_int_equal(text[14], '7');
        assert_non_null(strchr("89ab", text[19]));
        char stamp[13] = {0};
        memcpy(stamp, text, 8);
        memcpy(stamp + 8, text + 9, 4);
        int64_t ms = strtoll(stamp, NULL, 16);
        assert_true(ms >= before && ms <= after);
    }
}

static int compare(const void *a, const void *b)
{
    return strcmp(a, b);
}

static void never_repeats(void **state)
{
    (void)state;
    static char texts[20000][37];
    size_t count = sizeof texts / sizeof *texts;
    for (size_t i = 0; i < count; i++)
        uuid_v7(texts[i]);
    qsort(texts, count, sizeof *texts, compare);
    for (size_t i = 1; i < count; i++)
        assert_string_not_equal(texts[i - 1], texts[i]);
}

static void accepts_the_form_alone(void **state)
{
    (void)state;
    assert_true(uuid_valid(SPAN("0190163d-8694-739b-aea5-966c26f8ad91")));
    assert_true(uuid_valid(SPAN("0190163D-8694-739B-AEA5-966C26F8AD91")));
    assert_true(uuid_valid(SPAN("00000000-0000-0000-0000-000000000000")));
    static const char *const bad[] = {
        "",
        "0190163d-8694-739b-aea5-966c26f8ad9",
        "0190163d-8694-739b-aea5-966c26f8ad911",
        "0190163d8694739baea5966c26f8ad91",
        "0190163d8-694-739b-aea5-966c26f8ad91",
        "0190163g-8694-739b-aea5-966c26f8ad91",
        "{190163d-8694-739b-aea5-966c26f8ad9}",
        "0190163d-8694-739b-aea5-966c26f8ad9 ",
        "------------------------------------",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(uuid_valid(span_of(bad[i])));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_version_7_of_now),
        cmocka_unit_test(never_repeats),
        cmocka_unit_test(accepts_the_form_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
