/* Text in CSV: what is guarded against being run, against becoming a number, and what stands as it is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "api/csv_text.h"

static const struct csv_form machine = {',', false}, people = {',', true}, semicolon = {';', true};

static void expect(const struct csv_form *form, const char *text, const char *field)
{
    struct buffer buffer = {0};
    csv_text_add(&buffer, form, span_of(text), false);
    buffer_char(&buffer, '\0');
    assert_string_equal(buffer.data, field);
    buffer_free(&buffer);
}

static void expect_json(const char *json, const char *field)
{
    struct buffer buffer = {0};
    csv_json_add(&buffer, &machine, span_of(json));
    buffer_char(&buffer, '\0');
    assert_string_equal(buffer.data, field);
    buffer_free(&buffer);
}

static void expect_everywhere(const char *text, const char *field)
{
    expect(&machine, text, field);
    expect(&people, text, field);
    expect(&semicolon, text, field);
}

static void disarms_formulas(void **state)
{
    (void)state;
    expect_everywhere("=1+1", "'=1+1");
    expect_everywhere("+62 21", "'+62 21");
    expect_everywhere("-1", "'-1");
    expect_everywhere("@SUM(A1)", "'@SUM(A1)");
    expect(&machine, "\tx", "'\tx");
    expect(&machine, "\t=1", "'\t'=1");
    expect_everywhere("\n=1", "\"'\n'=1\"");
    expect_everywhere("\rx", "\"'\rx\"");
    expect_everywhere("=HYPERLINK(\"x\")", "\"'=HYPERLINK(\"\"x\"\")\"");
    expect_everywhere("sama=1", "sama=1");
    expect_everywhere("Kapuk - Mendo", "Kapuk - Mendo");
}

static void disarms_every_alphabet(void **state)
{
    (void)state;
    expect_everywhere("\xef\xbc\x9d"
                      "1",
                      "'\xef\xbc\x9d"
                      "1"); /* full-width */
    expect_everywhere("\xef\xbc\x8b", "'\xef\xbc\x8b");
    expect_everywhere("\xef\xbc\x8d", "'\xef\xbc\x8d");
    expect_everywhere("\xef\xbc\xa0x", "'\xef\xbc\xa0x");
    expect_everywhere("\xef\xb9\xa6", "'\xef\xb9\xa6"); /* small */
    expect_everywhere("\xe2\x88\x92x", "'\xe2\x88\x92x");
}

static void sees_through_blanks(void **state)
{
    (void)state;
    expect_everywhere("  =1", "'  =1");
    expect_everywhere("\xc2\xa0=x", "'\xc2\xa0=x"); /* U+00A0 */
    expect_everywhere("\xe3\x80\x80\xe2\x80\x83=x", "'\xe3\x80\x80\xe2\x80\x83=x");
    expect_everywhere("\xef\xbb\xbf=x", "'\xef\xbb\xbf=x"); /* a byte order mark */
    expect_everywhere("\x01=x", "'\x01=x");
    expect_everywhere("\"=x", "\"'\"\"=x\"");
    expect_everywhere("'=x", "''=x"); /* so that one apostrophe less is always the text */
}

static void disarms_what_another_separator_makes(void **state)
{
    (void)state;
    expect(&machine, "Dinas;=1+1", "Dinas;'=1+1");
    expect(&people, "Dinas;=1+1", "\"Dinas;'=1+1\"");
    expect(&semicolon, "Dinas,=1+1", "\"Dinas,'=1+1\"");
    expect(&machine, "Dinas, =1+1", "\"Dinas,' =1+1\"");
    expect(&machine, "Dinas;\"=1\"", "\"Dinas;'\"\"=1\"\"\"");
    expect_everywhere("Dinas\n=1", "\"Dinas\n'=1\"");
    expect_everywhere("Dinas\r\n@x", "\"Dinas\r\n'@x\"");
    expect(&machine, "a;;b;-", "a;;b;'-");
    expect(&machine, "a;\xef\xbc\x9dx", "a;'\xef\xbc\x9dx");
    expect(&machine, "a; b", "a; b");
}

static void keeps_json_json(void **state)
{
    (void)state;
    expect_json("{\"a\": 1}", "\"{\"\"a\"\": 1}\"");
    expect_json("[\"=1\"]", "\"[\"\"=1\"\"]\""); /* the cell begins with its bracket */
    expect_json("[\"a\", \"=1\"]", "\"[\"\"a\"\", \"\"\\u003d1\"\"]\"");
    expect_json("[\"a;\xef\xbc\x9d;=\"]", "\"[\"\"a;\\uff1d;\\u003d\"\"]\"");
    expect_json("[\"\\\"; @x\"]", "\"[\"\"\\\"\"; \\u0040x\"\"]\"");
    expect_json("[1, -2]", "\"[1, -2]\"");
}

static void keeps_text_text(void **state)
{
    (void)state;
    static const char *const numbers[] = {
        "19.01.06",   "0001234", "0812 3456", "1.5",  "1e5",     "3/4",        "12:30",
        "3 Mei 2020", "5-Des",   "12%",       "Rp 5", "(021) 5", "2020-01-01", "12\xc2\xa0Mei"};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        char field[64];
        snprintf(field, sizeof field, "\"\t%s\"", numbers[i]);
        expect(&people, numbers[i], field);
        expect(&semicolon, numbers[i], field);
        expect(&machine, numbers[i], numbers[i]);
    }
    expect(&people, "1,5", "\"\t1,5\"");
    expect_everywhere("Jalan Mawar 5", "Jalan Mawar 5");
    expect_everywhere("17 Agustus di Kapuk", "17 Agustus di Kapuk");
    expect_everywhere("Mei", "Mei");
    expect_everywhere("\xc3\x89lo\xc3\xa9 2", "\xc3\x89lo\xc3\xa9 2");
    expect_everywhere("", "\"\"");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(disarms_formulas),
        cmocka_unit_test(disarms_every_alphabet),
        cmocka_unit_test(sees_through_blanks),
        cmocka_unit_test(disarms_what_another_separator_makes),
        cmocka_unit_test(keeps_json_json),
        cmocka_unit_test(keeps_text_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
