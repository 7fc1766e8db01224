/* Scopes: bits and text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "auth/scope.h"
#include "openapi/contract.h"

static void test_parse(void **state)
{
    (void)state;
    uint32_t scopes = 0;
    uint32_t read = scope_bit(SPAN("published:read")), write = scope_bit(SPAN("libraries:write"));
    assert_true(read && write && read != write);
    assert_true(scope_parse(SPAN("published:read"), true, &scopes));
    assert_int_equal(scopes, read);
    assert_true(scope_parse(SPAN("libraries:write published:read libraries:write"), true, &scopes));
    assert_int_equal(scopes, read | write);
    assert_true(scope_parse(SPAN("libraries:write unknown"), false, &scopes));
    assert_int_equal(scopes, write);
    scopes = 77;
    static const char *const malformed[] = {"",
                                            " ",
                                            "published:read ",
                                            " published:read",
                                            "published:read  libraries:write",
                                            "a\tb",
                                            "published:read\n",
                                            "\"published:read\"",
                                            "published\\read",
                                            "published:re\xC3\xA4"
                                            "d",
                                            "a\x7f",
                                            "a\x01"};
    for (size_t i = 0; i < sizeof malformed / sizeof *malformed; i++) {
        assert_false(scope_parse(span_of(malformed[i]), true, &scopes));
        assert_false(scope_parse(span_of(malformed[i]), false, &scopes));
    }
    assert_false(scope_parse(SPAN("a\0b"), false, &scopes));
    static const char *const unknown[] = {
        "unknown",       "Published:Read",  "published:read,libraries:write",
        "published:rea", "published:readx", "published:read unknown"};
    for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++)
        assert_false(scope_parse(span_of(unknown[i]), true, &scopes));
    assert_int_equal(scopes, 77); /* untouched by a refusal */
}

static void test_text(void **state)
{
    (void)state;
    struct arena *arena = arena_new(1024);
    assert_true(span_is(scope_text(arena, 0), ""));
    for (unsigned i = 0; i < contract_scope_count; i++)
        assert_true(span_is(scope_text(arena, UINT32_C(1) << i), contract_scopes[i]));
    uint32_t all = contract_scope_count == 32 ? UINT32_MAX
                                              : (UINT32_C(1) << contract_scope_count) - 1,
             back = 0;
    assert_true(scope_parse(scope_text(arena, all), true, &back));
    assert_int_equal(back, all);
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_parse), cmocka_unit_test(test_text)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
