/* The byte pass over JSON bodies: what it refuses and where it says so, and that what it accepts is
 * the document jansson reads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include "api/base/buffer.h"
#include "api/json_scan.h"

static struct arena *arena;
static struct faults faults;
static struct span arguments;
static json_t *json;

static int setup(void **state)
{
    (void)state;
    arena = arena_new(65536);
    faults = (struct faults){.arena = arena};
    arguments = SPAN_NONE;
    json = NULL;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    json_decref(json);
    arena_free(arena);
    return 0;
}

/* Every call works on a copy of exactly that size, so that the sanitizer sees a byte read too far.
 */
static enum problem_code scan_bytes(const char *bytes, size_t len)
{
    char *copy = malloc(len ? len : 1);
    memcpy(copy, bytes, len);
    json_decref(json);
    json = NULL;
    faults.count = faults.dropped = 0;
    enum problem_code code = json_scan(arena, (struct span){copy, len}, &json, &faults, &arguments);
    free(copy);
    return code;
}

static enum problem_code scan(const char *text)
{
    return scan_bytes(text, strlen(text));
}

#define SCAN(literal) scan_bytes(literal, sizeof(literal) - 1)

static void expect_fault(size_t index, enum fault_code code, const char *pointer)
{
    assert_true(index < faults.count);
    assert_int_equal(faults.list[index].code, code);
    assert_string_equal(arena_cstr(arena, faults.list[index].pointer), pointer);
}

static void expect_syntax(const char *text, const char *what)
{
    assert_int_equal(scan(text), PROBLEM_invalid_json);
    assert_null(json);
    assert_int_equal(faults.count, 0);
    struct span said = problem_fill(arena, "{reason}", LANGUAGE_EN, arguments);
    assert_string_equal(arena_cstr(arena, said), what);
}

static void takes_json(void **state)
{
    (void)state;
    static const char *const good[] = {
        "{}",
        "[]",
        "0",
        "-0",
        "1.5e3",
        "-1E-2",
        "\"x\"",
        "true",
        "false",
        "null",
        " \t\r\n[1 , 2]\n",
        "{\"a\":{\"b\":[1,{\"c\":null}]},\"d\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\ud83d\\ude00\"}",
        "\"\xc3\xa9\xf0\x9f\x98\x80\x7f\"",
        "{\"\":1}",
        "9223372036854775807",
        "-9223372036854775808",
        "1.7976931348623157e308",
        "1e-400",
        "[\"\",\"\"]",
    };
    for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
        assert_int_equal(scan(good[i]), PROBLEM_NONE);
        json_t *other = json_loads(good[i], JSON_DECODE_ANY, NULL);
        assert_true(json_equal(json, other));
        json_decref(other);
    }
}

static void names_line_and_column(void **state)
{
    (void)state;
    expect_syntax("", "the text ends where a value was expected at line 1, column 1");
    expect_syntax("{\n  \"a\": 1\n  \"b\": 2\n}", "a comma or } was expected at line 3, column 3");
    expect_syntax("{\"\xc3\xa9\": tru}", "a value was expected at line 1, column 7");
    expect_syntax("[1,\r\n\r\n x]", "a value was expected at line 3, column 2");
    expect_syntax("\"\x1f\"", "a control character inside a string at line 1, column 2");
    expect_syntax("\xEF\xBB\xBF{}", "a byte order mark is not allowed at line 1, column 1");
}

static void refuses_broken_syntax(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "{",         "[",          "[1",          "[1,",        "[1,]",     "{\"a\"",    "{\"a\":",
        "{\"a\":1,", "{\"a\":1,}", "{,}",         "{a:1}",      "{'a':1}",  "{\"a\" 1}", "[1 2]",
        "}",         "]",          "1 2",         "{} {}",      "\"",       "\"a",       "\"\\",
        "\"\\x\"",   "\"\\u12\"",  "\"\\u12g4\"", "\"\\u123\"", "\"\n\"",   "\"\t\"",    "01",
        "-01",       "+1",         "-",           "1.",         ".5",       "1.e5",      "1e",
        "1e+",       "0x10",       "1_000",       "NaN",        "Infinity", "-Infinity", "nul",
        "truex",     "True",       "undefined",   "/* c */ 1",  "// c\n1",  "\f1",       "\x01",
        "\xff",      "[\xc3\xa9]", "\xc2\xa0{}",  "{\"a\":1}x",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        if (scan(bad[i]) != PROBLEM_invalid_json)
            fail_msg("accepted: %s", bad[i]);
        assert_null(json);
    }
    assert_int_equal(SCAN("{}\0"), PROBLEM_invalid_json);
    assert_int_equal(SCAN("\"a\0b\""), PROBLEM_invalid_json);
    assert_int_equal(json_scan(arena, SPAN_NONE, &json, &faults, &arguments), PROBLEM_invalid_json);
}

static void names_every_duplicate(void **state)
{
    (void)state;
    assert_int_equal(
        scan(
            "{\"a\":1,\"b\":{\"c\":1,\"d\":0,\"c\":2,\"c\":3},\"a\":2,\"l\":[{},{\"x\":1,\"x\":1}]}"),
        PROBLEM_invalid_body);
    assert_int_equal(faults.count, 3);
    expect_fault(0, FAULT_duplicate_field, "/b/c");
    expect_fault(1, FAULT_duplicate_field, "/l/1/x");
    expect_fault(2, FAULT_duplicate_field, "/a");
}

static void compares_names_unescaped(void **state)
{
    (void)state;
    assert_int_equal(scan("{\"name\":1,\"n\\u0061me\":2}"), PROBLEM_invalid_body);
    expect_fault(0, FAULT_duplicate_field, "/name");
    assert_int_equal(scan("{\"\xf0\x9f\x98\x80\":1,\"\\ud83d\\ude00\":2}"), PROBLEM_invalid_body);
    assert_int_equal(scan("{\"\xc3\xa9\":1,\"\\u00E9\":2}"), PROBLEM_invalid_body);
    assert_int_equal(scan("{\"\\/\":1,\"/\":2}"), PROBLEM_invalid_body);
    expect_fault(0, FAULT_duplicate_field, "/~1");
    assert_int_equal(scan("{\"\":1,\"\":2}"), PROBLEM_invalid_body);
    expect_fault(0, FAULT_duplicate_field, "/");
    /* the same name in another object, and names that only look alike, are none */
    assert_int_equal(
        scan("{\"a\":{\"a\":{\"a\":1}},\"A\":1,\"a \":1,\"ab\":[{\"a\":1},{\"a\":1}]}"),
        PROBLEM_NONE);
    assert_int_equal(scan("{\"e\xcc\x81\":1,\"\xc3\xa9\":1}"), PROBLEM_NONE);
}

static void escapes_pointers(void **state)
{
    (void)state;
    assert_int_equal(scan("{\"a/b~c\":{\"~1\":1e999}}"), PROBLEM_invalid_body);
    expect_fault(0, FAULT_number_range, "/a~1b~0c/~01");
}

static void cuts_huge_names(void **state)
{
    (void)state;
    struct buffer text = {0};
    BUFFER_LITERAL(&text, "{\"x");
    for (int i = 0; i < 5000; i++)
        BUFFER_LITERAL(&text, "\xc3\xa9");
    BUFFER_LITERAL(&text, "\":1e999}");
    assert_int_equal(scan_bytes(text.data, text.len), PROBLEM_invalid_body);
    buffer_free(&text);
    assert_true(faults.list[0].pointer.len < 140);
    json_t *pointer = json_stringn(faults.list[0].pointer.ptr, faults.list[0].pointer.len);
    assert_non_null(pointer); /* still UTF-8 */
    json_decref(pointer);
}

static void refuses_bad_utf8(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "\x80",
        "\xff",
        "\xc0\x80",
        "\xc1\xbf",
        "\xc3",
        "\xe0\x80\x80",
        "\xe2\x82",
        "\xed\xa0\x80",
        "\xed\xbf\xbf",
        "\xf0\x80\x80\x80",
        "\xf4\x90\x80\x80",
        "\xf5\x80\x80\x80",
        "\xf0\x9f\x98",
        "\xc3\x28",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        const char *text = arena_printf(arena, "{\"a\":[0,\"x%sy\"]}", bad[i]);
        if (scan(text) != PROBLEM_invalid_body)
            fail_msg("accepted: %s", text);
        expect_fault(0, FAULT_bad_utf8, "/a/1");
        assert_null(json);
        assert_int_equal(scan(arena_printf(arena, "{\"x%sy\":1}", bad[i])), PROBLEM_invalid_body);
        assert_int_equal(faults.list[0].code, FAULT_bad_utf8);
        json_t *pointer = json_stringn(faults.list[0].pointer.ptr, faults.list[0].pointer.len);
        assert_non_null(pointer); /* what is told of it is UTF-8 again */
        json_decref(pointer);
    }
    /* two flawed names are not taken for the same name */
    assert_int_equal(scan("{\"\xff\":1,\"\xfe\":1}"), PROBLEM_invalid_body);
    assert_int_equal(faults.count, 2);
    assert_int_equal(faults.list[1].code, FAULT_bad_utf8);
}

static void refuses_null_characters(void **state)
{
    (void)state;
    assert_int_equal(scan("{\"a\":\"x\\u0000\"}"), PROBLEM_invalid_body);
    expect_fault(0, FAULT_null_character, "/a");
    assert_int_equal(scan("{\"a\\u0000b\":1}"), PROBLEM_invalid_body);
    expect_fault(0, FAULT_null_character,
                 "/a\xef\xbf\xbd"
                 "b");
    assert_int_equal(scan("\"\\\\u0000\""), PROBLEM_NONE);
}

static void refuses_half_surrogates(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "\"\\ud800\"",        "\"\\udc00\"",        "\"\\ud83dx\"",      "\"\\ud83d\\n\"",
        "\"\\ud83d\\ud83d\"", "\"\\ude00\\ud83d\"", "\"\\ud83d\\u0041\""};
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        if (scan(bad[i]) != PROBLEM_invalid_body)
            fail_msg("accepted: %s", bad[i]);
        expect_fault(0, FAULT_surrogate, "");
    }
}

static void refuses_numbers_out_of_range(void **state)
{
    (void)state;
    static const char *const bad[] = {"9223372036854775808",
                                      "-9223372036854775809",
                                      "99999999999999999999",
                                      "1e309",
                                      "-1e309",
                                      "1e999999999999999999999",
                                      "1.8e308"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        if (scan(bad[i]) != PROBLEM_invalid_body)
            fail_msg("accepted: %s", bad[i]);
        expect_fault(0, FAULT_number_range, "");
    }
    struct buffer text = {0};
    for (int i = 0; i < 400; i++)
        buffer_char(&text, '9');
    BUFFER_LITERAL(&text, ".0");
    assert_int_equal(scan_bytes(text.data, text.len), PROBLEM_invalid_body);
    text.len = 0;
    BUFFER_LITERAL(&text, "0.");
    for (int i = 0; i < 400; i++)
        buffer_char(&text, '9');
    assert_int_equal(scan_bytes(text.data, text.len), PROBLEM_NONE);
    buffer_free(&text);
}

static void tells_all_flaws_together(void **state)
{
    (void)state;
    assert_int_equal(scan("{\"a\":\"\\u0000\xff\\ud800\",\"b\":1e999,\"c\":1,\"c\":2}"),
                     PROBLEM_invalid_body);
    assert_int_equal(faults.count, 5);
    /* but of text that is no JSON only where it breaks */
    expect_syntax("{\"a\":\"\\u0000\",\"b\":}", "a value was expected at line 1, column 19");
}

static void keeps_earlier_faults(void **state)
{
    (void)state;
    faults_add(&faults, (struct fault){.parameter = SPAN("x"), .code = FAULT_required});
    assert_int_equal(json_scan(arena, SPAN("{\"a\":1e999,}"), &json, &faults, &arguments),
                     PROBLEM_invalid_json);
    assert_int_equal(faults.count, 1);
}

static char *nested(size_t depth, const char *open, const char *close)
{
    struct buffer text = {0};
    for (size_t i = 0; i < depth; i++)
        buffer_span(&text, span_of(open));
    buffer_char(&text, '1');
    for (size_t i = 0; i < depth; i++)
        buffer_span(&text, span_of(close));
    buffer_char(&text, '\0');
    size_t len;
    return buffer_take(&text, &len);
}

static void limits_depth(void **state)
{
    (void)state;
    char *text = nested(JSON_DEPTH_MAX, "[", "]");
    assert_int_equal(scan(text), PROBLEM_NONE);
    free(text);
    text = nested(JSON_DEPTH_MAX + 1, "{\"a\":", "}");
    assert_int_equal(scan(text), PROBLEM_invalid_body);
    assert_int_equal(faults.count, 1);
    assert_int_equal(faults.list[0].code, FAULT_too_deep);
    assert_string_equal(arena_cstr(arena, faults.list[0].argument), "32");
    assert_int_equal(faults.list[0].pointer.len, 2 * JSON_DEPTH_MAX);
    free(text);
    text = nested(1000000, "[", "]");
    assert_int_equal(scan(text), PROBLEM_invalid_body); /* and no stack runs out */
    free(text);
}

static void limits_values(void **state)
{
    (void)state;
    struct buffer text = {0};
    buffer_char(&text, '[');
    for (int i = 0; i < JSON_VALUES_MAX - 1; i++)
        buffer_span(&text, i ? SPAN(",1") : SPAN("1"));
    size_t full = text.len;
    buffer_char(&text, ']');
    assert_int_equal(scan_bytes(text.data, text.len), PROBLEM_NONE); /* with the list itself */
    text.len = full;
    BUFFER_LITERAL(&text, ",1]");
    assert_int_equal(scan_bytes(text.data, text.len), PROBLEM_invalid_body);
    expect_fault(0, FAULT_too_many_values, "");
    buffer_free(&text);
}

static void many_names_stay_fast(void **state)
{
    (void)state;
    struct buffer text = {0};
    for (int i = 0; i < JSON_VALUES_MAX - 1; i++)
        buffer_printf(&text, "%c\"%d\":0", i ? ',' : '{', i);
    buffer_char(&text, '}');
    assert_int_equal(scan_bytes(text.data, text.len), PROBLEM_NONE);
    text.len--;
    BUFFER_LITERAL(&text, ",\"777\":1}");
    assert_int_equal(scan_bytes(text.data, text.len),
                     PROBLEM_invalid_body); /* one value too many */
    buffer_free(&text);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(takes_json),
        TEST(names_line_and_column),
        TEST(refuses_broken_syntax),
        TEST(names_every_duplicate),
        TEST(compares_names_unescaped),
        TEST(escapes_pointers),
        TEST(cuts_huge_names),
        TEST(refuses_bad_utf8),
        TEST(refuses_null_characters),
        TEST(refuses_half_surrogates),
        TEST(refuses_numbers_out_of_range),
        TEST(tells_all_flaws_together),
        TEST(keeps_earlier_faults),
        TEST(limits_depth),
        TEST(limits_values),
        TEST(many_names_stay_fast),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
