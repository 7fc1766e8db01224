/* The tables of problems and faults, their texts and places. */
#include "tests/unit/api/check.h"

#include "api/base/problem.h"
#include "api/base/utf8.h"

static bool wire_name(const char *code)
{
    return code[0] && strspn(code, "abcdefghijklmnopqrstuvwxyz_0123456789") == strlen(code);
}

/* Every {place} of one text must be in the other. */
static void same_places(const char *one, const char *other)
{
    for (const char *open = strchr(one, '{'); open; open = strchr(open + 1, '{')) {
        const char *close = strchr(open, '}');
        assert_non_null(close);
        char place[64] = {0};
        memcpy(place, open, (size_t)(close - open) + 1);
        if (!strstr(other, place))
            fail_msg("%s is missing in: %s", place, other);
    }
}

static void tables_are_complete(void **state)
{
    (void)state;
    assert_string_equal(problem_texts[PROBLEM_NONE].code, "");
    for (int i = PROBLEM_NONE + 1; i < PROBLEM_COUNT; i++) {
        const struct problem_text *text = &problem_texts[i];
        assert_true(wire_name(text->code));
        assert_in_range(text->status, 400, 599);
        for (int language = 0; language < 2; language++) {
            assert_true(text->title[language][0] && utf8_valid(span_of(text->title[language])));
            assert_true(text->detail[language][0] && utf8_valid(span_of(text->detail[language])));
            assert_null(strchr(text->title[language], '{'));
        }
        same_places(text->detail[LANGUAGE_ID], text->detail[LANGUAGE_EN]);
        same_places(text->detail[LANGUAGE_EN], text->detail[LANGUAGE_ID]);
        assert_int_equal(problem_find(span_of(text->code)), i);
    }
    for (int i = 0; i < FAULT_COUNT; i++) {
        assert_true(wire_name(fault_texts[i].code));
        same_places(fault_texts[i].detail[LANGUAGE_ID], fault_texts[i].detail[LANGUAGE_EN]);
        same_places(fault_texts[i].detail[LANGUAGE_EN], fault_texts[i].detail[LANGUAGE_ID]);
        for (int other = 0; other < i; other++)
            assert_string_not_equal(fault_texts[i].code, fault_texts[other].code);
    }
}

static void known_codes(void **state)
{
    (void)state;
    assert_int_equal(problem_texts[PROBLEM_invalid_body].status, 422);
    assert_string_equal(problem_texts[PROBLEM_busy].code, "busy");
    assert_string_equal(fault_texts[FAULT_enum].code, "enum");
    assert_int_equal(problem_find(SPAN("not_found")), PROBLEM_not_found);
    assert_int_equal(problem_find(SPAN("not_foun")), PROBLEM_NONE);
    assert_int_equal(problem_find(SPAN("")), PROBLEM_NONE);
}

static void fills_places(void **state)
{
    (void)state;
    struct arena *arena = arena_new(256);
    struct span arguments = SPAN(
        "{\"code\":\"19.01\",\"n\":42,\"share\":0.5,\"list\":[1],\"none\":null}");
    static const struct {
        const char *text, *expected;
    } rows[] = {
        {"no place", "no place"},
        {"", ""},
        {"code {code}, n {n}.", "code 19.01, n 42."},
        {"{code}{code}", "19.0119.01"},
        {"{share}", "0.5"},
        {"[{unknown}]", "[]"},
        {"[{list}{none}]", "[]"}, /* only strings and numbers fill a place */
        {"an open { stays", "an open { stays"},
        {"a lone } too", "a lone } too"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_span(problem_fill(arena, rows[i].text, LANGUAGE_EN, arguments), rows[i].expected);
    assert_span(problem_fill(arena, "[{code}]", LANGUAGE_EN, SPAN_NONE), "[]");
    assert_span(problem_fill(arena, "[{code}]", LANGUAGE_EN, SPAN("no json")), "[]");
    assert_span(problem_fill(arena, "at most {} items", LANGUAGE_EN, SPAN("5")), "at most 5 items");
    assert_span(problem_fill(arena, "one of {}", LANGUAGE_EN, SPAN("{a}, {b}")),
                "one of {a}, {b}"); /* once */
    assert_span(problem_fill(arena, "{code}", LANGUAGE_EN, SPAN("{\"code\":\"{n}\",\"n\":1}")),
                "{n}");
    arena_free(arena);
}

/* Whatever may stand at {reason}, in each language, with all its places filled. */
static void reasons_are_told_in_one_language(void **state)
{
    (void)state;
    struct arena *arena = arena_new(256);
    for (int language = LANGUAGE_ID; language <= LANGUAGE_EN; language++) {
        for (int i = REASON_NONE + 1; i < REASON_COUNT; i++) {
            const struct said said = {.reason = (enum reason)i,
                                      .inner = REASON_escape_cut,
                                      .header = "If-Match",
                                      .line = 3,
                                      .column = 7};
            struct span arguments = reason_arguments(arena, said);
            for (int code = PROBLEM_NONE + 1; code < PROBLEM_COUNT; code++) {
                const char *detail = problem_texts[code].detail[language];
                assert_null(strstr(detail, "{inner}"));
                if (!strstr(detail, "{reason}"))
                    continue;
                char *text = arena_cstr(
                    arena, problem_fill(arena, detail, (enum language)language, arguments));
                assert_null(strchr(text, '{'));
                const char *other = reason_texts[i].detail[!language];
                assert_true(strcmp(other, reason_texts[i].detail[language]) != 0);
                assert_null(strstr(text, other));
                assert_null(strstr(text, reason_texts[REASON_escape_cut].detail[!language]));
            }
        }
    }
    arena_free(arena);
}

static void what_is_no_reason_is_not_told(void **state)
{
    (void)state;
    struct arena *arena = arena_new(256);
    static const char *const arguments[] = {"{\"reason\":\"some words of somebody\"}",
                                            "{\"reason\":7}", "{\"inner\":\"method\"}",
                                            "{\"reason\":\"form\",\"inner\":\"some words\"}"};
    static const char *const expected[] = {"[]", "[]", "[]", "[the form is malformed: ]"};
    for (size_t i = 0; i < 4; i++)
        assert_span(problem_fill(arena, "[{reason}]", LANGUAGE_EN, span_of(arguments[i])),
                    expected[i]);
    assert_span(problem_fill(arena, "[{inner}]", LANGUAGE_EN, SPAN("{\"inner\":\"method\"}")),
                "[]");
    assert_span(problem_fill(arena, "{reason}", LANGUAGE_ID,
                             reason_arguments(arena, (struct said){.reason = REASON_json_place,
                                                                   .inner = REASON_json_value,
                                                                   .line = 1,
                                                                   .column = 9})),
                "di sini seharusnya sebuah nilai pada baris 1, kolom 9");
    /* a reason that names itself is told once */
    assert_span(problem_fill(arena, "{reason}", LANGUAGE_EN,
                             SPAN("{\"reason\":\"path\",\"inner\":\"path\"}")),
                "the path is malformed: the path is malformed: ");
    arena_free(arena);
}

static void faults_are_kept_and_counted(void **state)
{
    (void)state;
    struct arena *arena = arena_new(256);
    struct faults faults = {.arena = arena};
    char pointer[] = "/a";
    for (int i = 0; i < FAULTS_MAX + 7; i++) {
        pointer[1] = (char)('a' + i % 26);
        faults_add(&faults, (struct fault){.pointer = span_of(pointer), .code = FAULT_required});
    }
    assert_int_equal(faults.count, FAULTS_MAX);
    assert_int_equal(faults.dropped, 7);
    assert_span(faults.list[0].pointer, "/a"); /* copied: the caller's text has changed since */
    assert_span(faults.list[27].pointer, "/b");
    assert_null(faults.list[27].parameter.ptr);
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tables_are_complete),
        cmocka_unit_test(known_codes),
        cmocka_unit_test(fills_places),
        cmocka_unit_test(reasons_are_told_in_one_language),
        cmocka_unit_test(what_is_no_reason_is_not_told),
        cmocka_unit_test(faults_are_kept_and_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
