/* The form of typed text, and what is refused in it. Characters are named by their code points in what Unicode's files say of them. */
#include "tests/unit/api/check.h"

#include "api/base/text.h"
#include "api/base/utf8.h"
#include <stdio.h>

static struct arena *arena;

static int begin(void **state)
{
    (void)state;
    arena = arena_new(4096);
    return 0;
}

static int end(void **state)
{
    (void)state;
    arena_free(arena);
    return 0;
}

static void expect_clean(enum text_kind kind, const char *text, const char *wanted)
{
    struct span clean = text_clean(arena, kind, span_of(text));
    assert_string_equal(arena_cstr(arena, clean), wanted);
    assert_true(span_equal(text_clean(arena, kind, clean), clean));
}

static void one_form(void **state)
{
    (void)state;
    expect_clean(TEXT_NAME, "  Perpustakaan  Desa ", "Perpustakaan Desa");
    expect_clean(TEXT_NAME,
                 "\xC2\xA0"
                 "Bank\xE3\x80\x80\xE2\x80\x89"
                 "BRI\xE2\x80\xA8",
                 "Bank BRI");                               /* U+00A0, U+3000, U+2009, U+2028 */
    expect_clean(TEXT_LINE, "Cafe\xCC\x81", "Caf\xC3\xA9"); /* U+0065 U+0301 is U+00E9 */
    expect_clean(TEXT_LINE, "\xEF\xBC\xA9OS1", "\xEF\xBC\xA9OS1"); /* full width stays in a line */
    expect_clean(TEXT_CODE, " \xEF\xBC\xA9OS1 ", "IOS1");          /* and is folded in a code */
    expect_clean(TEXT_FREE, "\n satu\n\n  dua \r\n", "satu\n\n  dua");
    expect_clean(TEXT_LINE, "a\tb\n", "a\tb");
    expect_clean(TEXT_OPAQUE, " a  b ", " a  b ");
    expect_clean(TEXT_NAME, " \xE2\x80\x83 ", "");
    expect_clean(TEXT_NAME, "\xFF  bad", "\xFF  bad"); /* no UTF-8: left to who refuses it */
}

static void expect_fault(enum text_kind kind, const char *text, enum fault_code wanted,
                         const char *point)
{
    char found[TEXT_POINT_MAX];
    enum fault_code fault = text_fault(kind, span_of(text), found);
    if (fault != wanted || strcmp(found, point) != 0)
        fail_msg("\"%s\": %s %s", text, fault == FAULT_COUNT ? "good" : fault_texts[fault].code,
                 found);
}

static void faults(void **state)
{
    (void)state;
    static const struct {
        const char *text, *point;
        enum fault_code fault;
    } names[] = {
        {"\xE2\x80\x8B", "U+200B", FAULT_invisible_character},
        {"a\xE2\x81\xA0", "U+2060", FAULT_invisible_character},
        {"\xE2\xA0\x80", "U+2800", FAULT_invisible_character},
        {"\xE3\x85\xA4", "U+3164", FAULT_invisible_character},
        {"\xE1\x85\x9F", "U+115F", FAULT_invisible_character},
        {"\xE1\x85\xA0", "U+1160", FAULT_invisible_character},
        {"a\xC2\xAD"
         "b",
         "U+00AD", FAULT_invisible_character},
        {"\xEF\xBB\xBF"
         "a",
         "U+FEFF", FAULT_invisible_character},
        {"a\xE2\x80\xAE"
         "b",
         "U+202E", FAULT_invisible_character},
        {"a\xE2\x81\xA6"
         "b",
         "U+2066", FAULT_invisible_character},
        {"a\xEF\xB8\x8F", "U+FE0F", FAULT_invisible_character},
        {"a\xF3\xA0\x81\x81", "U+E0041", FAULT_invisible_character},
        {"a\xEE\x80\x80", "U+E000", FAULT_unknown_character},
        {"a\xEF\xBF\xBE", "U+FFFE", FAULT_unknown_character},
        {"a\xF4\x8F\xBF\xBF", "U+10FFFF", FAULT_unknown_character},
        {"a\xCD\xB8", "U+0378", FAULT_unknown_character},
        {"\xCC\x81", "U+0301", FAULT_bare_mark},
        {"a \xCC\x81", "U+0301", FAULT_bare_mark},
        {"a\xC2\x85"
         "b",
         "U+0085", FAULT_control_character},
        {"a\tb", "U+0009", FAULT_control_character},
        {"...", "", FAULT_no_letter},
        {"Ma'rang", "", FAULT_COUNT},
        {"Jum\xE2\x80\x99"
         "at",
         "", FAULT_COUNT},
        {"\xD9\x85\xD9\x83\xD8\xAA\xD8\xA8\xD8\xA9", "", FAULT_COUNT},
        {"\xEA\xA6\x8F\xEA\xA6\xA4\xEA\xA7\x80", "",
         FAULT_COUNT}, /* Javanese, with a vowel killer */
        {"", "", FAULT_COUNT},
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        expect_fault(TEXT_NAME, names[i].text, names[i].fault, names[i].point);
    expect_fault(TEXT_LINE, "...", FAULT_COUNT, "");
    expect_fault(TEXT_FREE, "baris\n\tdua \xE2\x9D\xA4\xEF\xB8\x8F", FAULT_COUNT,
                 ""); /* a heart with its U+FE0F */
    expect_fault(TEXT_FREE, "a\xE2\x80\xAE", FAULT_invisible_character, "U+202E");
    expect_fault(TEXT_FREE, "\xE2\x80\x8B\n\xE2\x80\x8B", FAULT_invisible_character, "U+200B");
    expect_fault(TEXT_OPAQUE, "a\xE2\x80\xAE", FAULT_COUNT, "");
    expect_fault(TEXT_OPAQUE, "a\n", FAULT_control_character, "U+000A");
    expect_fault(TEXT_ANY, "a\n", FAULT_COUNT, "");
}

static void nothing(void **state)
{
    (void)state;
    assert_true(text_is_absent(TEXT_LINE, SPAN("-")) && text_is_absent(TEXT_NAME, SPAN("0")));
    assert_false(text_is_absent(TEXT_LINE, SPAN("00")) || text_is_absent(TEXT_LINE, SPAN("")) ||
                 text_is_absent(TEXT_OPAQUE, SPAN("0")));
}

static size_t put(uint32_t point, char *text)
{
    int len = point < 0x80 ? snprintf(text, 5, "%c", (int)point)
              : point < 0x800
                  ? snprintf(text, 5, "%c%c", (int)(0xC0 | point >> 6), (int)(0x80 | (point & 63)))
              : point < 0x10000
                  ? snprintf(text, 5, "%c%c%c", (int)(0xE0 | point >> 12),
                             (int)(0x80 | (point >> 6 & 63)), (int)(0x80 | (point & 63)))
                  : snprintf(text, 5, "%c%c%c%c", (int)(0xF0 | point >> 18),
                             (int)(0x80 | (point >> 12 & 63)), (int)(0x80 | (point >> 6 & 63)),
                             (int)(0x80 | (point & 63)));
    return (size_t)len;
}

/* Whatever the character, its form is stable, valid and never longer by more than it may be. */
static void every_character(void **state)
{
    (void)state;
    char text[8] = "a";
    for (uint32_t point = 1; point <= 0x10FFFF; point++) {
        if (point >= 0xD800 && point <= 0xDFFF)
            continue;
        size_t len = put(point, text + 1);
        struct span once = text_clean(arena, TEXT_CODE, (struct span){text, len + 1});
        struct span twice = text_clean(arena, TEXT_CODE, once);
        if (!utf8_valid(once) || !span_equal(once, twice))
            fail_msg("U+%04X", (unsigned)point);
        if (point % 1024 == 0)
            arena_reset(arena);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {TEST(one_form), TEST(faults), TEST(nothing),
                                       TEST(every_character)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
