/* UTF-8 against an independent definition: encode every code point, and try every two-byte text. */
#include "tests/unit/api/check.h"

#include "api/base/utf8.h"

static size_t encode(uint32_t point, char *text)
{
    if (point < 0x80) {
        text[0] = (char)point;
        return 1;
    }
    size_t more = point < 0x800 ? 1 : point < 0x10000 ? 2 : 3;
    for (size_t i = more; i > 0; i--) {
        text[i] = (char)(0x80 | (point & 0x3F));
        point >>= 6;
    }
    static const unsigned char leads[] = {0, 0xC0, 0xE0, 0xF0};
    text[0] = (char)(leads[more] | point);
    return more + 1;
}

static void every_code_point(void **state)
{
    (void)state;
    for (uint32_t point = 0; point < 0x140000; point++) {
        char text[4];
        size_t len = encode(point, text);
        bool scalar = point <= 0x10FFFF && !(point >= 0xD800 && point <= 0xDFFF);
        if (utf8_valid((struct span){text, len}) != scalar)
            fail_msg("U+%04X", point);
        if (scalar && utf8_character((struct span){text, len}) != len)
            fail_msg("length of U+%04X", point);
        if (scalar && len > 1 && utf8_valid((struct span){text, len - 1}))
            fail_msg("cut U+%04X", point);
    }
}

static void every_pair_of_bytes(void **state)
{
    (void)state;
    for (int a = 0; a < 256; a++) {
        for (int b = 0; b < 256; b++) {
            char text[2] = {(char)a, (char)b};
            bool two = a >= 0xC2 && a <= 0xDF && b >= 0x80 && b <= 0xBF;
            bool expected = (a < 0x80 && b < 0x80) || two;
            if (utf8_valid((struct span){text, 2}) != expected)
                fail_msg("%02x %02x", a, b);
        }
    }
}

static void known_attacks(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "\xC0\xAF", /* over-long slash */
        "\xE0\x80\xAF",
        "\xF0\x80\x80\xAF",
        "\xC1\xBF",
        "\xED\xA0\x80",     /* a surrogate */
        "\xF4\x90\x80\x80", /* above U+10FFFF */
        "\xF8\x88\x80\x80\x80",
        "\x80",
        "a\xFF",
        "\xE2\x82",
        "\xE2\x28\xA1",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(utf8_valid(span_of(bad[i])));
    assert_true(utf8_valid(SPAN("")));
    assert_true(utf8_valid(SPAN("Pulau Sumba, Désa, 村, \xF0\x9F\x93\x9A")));
    assert_int_equal(utf8_character(SPAN("")), 0);
}

/* ASCII is read in eights: a bad byte must show at every place before, in and behind them. */
static void bad_byte_at_every_place(void **state)
{
    (void)state;
    for (size_t len = 1; len <= 40; len++) {
        char text[40];
        memset(text, 'a', sizeof text);
        assert_true(utf8_valid((struct span){text, len}));
        for (size_t at = 0; at < len; at++) {
            text[at] = '\xA9';
            assert_false(utf8_valid((struct span){text, len}));
            text[at] = 'a';
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_code_point),
        cmocka_unit_test(every_pair_of_bytes),
        cmocka_unit_test(known_attacks),
        cmocka_unit_test(bad_byte_at_every_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
