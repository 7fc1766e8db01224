/* Names in mails: readable, and no addresses of pages. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "auth/user_mail.h"

static void test_no_link_is_left(void **state)
{
    static const char *const names[][2] = {
        {"Siti Aminah", "Siti Aminah"},
        {"Dr. Siti Aminah, S.Pd., M.Si.", "Dr. Siti Aminah, S. Pd. , M. Si."},
        {"Siti \xc4\xab \xe5\x8c\x97\xe4\xba\xac", "Siti \xc4\xab \xe5\x8c\x97\xe4\xba\xac"},
        {"You won! https://evil.example/claim", "You won! https   evil. example claim"},
        {"www.evil.example", "www. evil. example"},
        {"mailto:a@evil.example", "mailto a evil. example"},
        {"<b>x</b>", " b x  b "},
        {"evil.example\\x", "evil. example x"},
        {"evil\xe3\x80\x82"
         "example",
         "evil. example"},
        {"evil\xef\xbc\x8e"
         "example\xef\xbc\x8f"
         "a",
         "evil. example a"},
        {"evil\xef\xbd\xa1"
         "example",
         "evil. example"},
        {"https\xef\xbc\x9a//evil\xe2\x80\xa4"
         "example",
         "https   evil. example"},
        {"a\xef\xbc\xa0"
         "evil\xef\xb9\x92"
         "example",
         "a evil. example"},
        {"", ""},
    };
    struct arena *arena = arena_new(1024);
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        assert_string_equal(arena_cstr(arena, user_mail_name(arena, span_of(names[i][0]))),
                            names[i][1]);
    arena_free(arena);
}

static void test_it_is_cut(void **state)
{
    struct arena *arena = arena_new(1024);
    char name[2 * 200 + 1];
    (void)state;
    for (size_t i = 0; i < 200; i++)
        memcpy(name + 2 * i, "\xc3\xa9", 2);
    assert_int_equal(user_mail_name(arena, (struct span){name, 400}).len,
                     2 * 60); /* characters, not bytes */
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_no_link_is_left),
                                       cmocka_unit_test(test_it_is_cut)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
