/* One-time codes by time: the vectors of RFC 6238, the window, and what is no code. */
#include "auth/totp.h"

#include "tests/unit/api/check.h"

#define RFC_SECRET ((const unsigned char *)"12345678901234567890")

/* RFC 6238 appendix B, SHA-1, the last six of its eight digits. */
static const struct {
    int64_t at_s, step;
    const char *code;
} vectors[] = {
    {59, 0x1, "287082"},
    {1111111109, 0x23523EC, "081804"},
    {1111111111, 0x23523ED, "050471"},
    {1234567890, 0x273EF07, "005924"},
    {2000000000, 0x3F940AA, "279037"},
    {20000000000, 0x27BC86AA, "353130"},
};

static void test_the_vectors_of_rfc_6238(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
        int64_t step = -1;
        assert_true(totp_check(RFC_SECRET, span_of(vectors[i].code), vectors[i].at_s, &step));
        assert_int_equal(step, vectors[i].step);
    }
}

static void test_one_step_on_either_side(void **state)
{
    (void)state;
    for (size_t i = 1; i < sizeof vectors / sizeof *vectors; i++) {
        int64_t begin_s = vectors[i].step * TOTP_STEP_S, step = -1;
        for (int64_t at_s = begin_s - 90; at_s < begin_s + 120; at_s++) {
            bool near = at_s >= begin_s - TOTP_STEP_S && at_s < begin_s + 2 * TOTP_STEP_S;
            /* near 1111111109 two codes of the list are alive; each is of its own step all the same */
            assert_int_equal(totp_check(RFC_SECRET, span_of(vectors[i].code), at_s, &step), near);
            if (near)
                assert_int_equal(step, vectors[i].step);
        }
    }
}

static void test_what_is_no_code(void **state)
{
    (void)state;
    const char *const texts[] = {"",        "28708",  "2870822",  "0287082", "28708a", " 287082",
                                 "287082 ", "+87082", "94287082", "287 82",  "२८७०८२"};
    int64_t step;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        assert_false(totp_check(RFC_SECRET, span_of(texts[i]), 59, &step));
    assert_false(totp_check(RFC_SECRET, SPAN("287083"), 59, &step));
    assert_false(
        totp_check((const unsigned char *)"12345678901234567891", SPAN("287082"), 59, &step));
    assert_false(totp_check(RFC_SECRET, (struct span){"28708\0", 6}, 59, &step));
}

static void test_base_32_has_no_padding(void **state)
{
    (void)state;
    struct arena *arena = arena_new(256);
    assert_true(span_is(totp_base32(arena, RFC_SECRET, 20), "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"));
    assert_true(span_is(totp_base32(arena, (const unsigned char *)"foobar", 6), "MZXW6YTBOI"));
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_vectors_of_rfc_6238),
        cmocka_unit_test(test_one_step_on_either_side),
        cmocka_unit_test(test_what_is_no_code),
        cmocka_unit_test(test_base_32_has_no_padding),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
