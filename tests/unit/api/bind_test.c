/* JSON values as the text PostgreSQL reads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include "api/bind.h"
#include "api/decimal.h"

static void expect(const char *json, enum value_type type, const char *text)
{
    struct arena *arena = arena_new(4096);
    json_t *value = json_loads(json, JSON_DECODE_ANY, NULL);
    assert_non_null(value);
    struct span bound = bind_json(arena, value, type);
    assert_non_null(bound.ptr);
    assert_string_equal(bound.ptr, text);
    assert_int_equal(bound.len, strlen(text));
    json_decref(value);
    arena_free(arena);
}

static void scalars(void **state)
{
    (void)state;
    expect("\"a\\\"\\\\b\"", VALUE_TEXT, "a\"\\b");
    expect("\"\"", VALUE_TEXT, "");
    expect("\"2026-11-21\"", VALUE_DATE, "2026-11-21");
    expect("true", VALUE_BOOLEAN, "true");
    expect("false", VALUE_BOOLEAN, "false");
    expect("-9223372036854775808", VALUE_INTEGER, "-9223372036854775808");
    expect("1.0", VALUE_INTEGER, "1");
    expect("9e15", VALUE_INTEGER, "9000000000000000");
    expect("-0.0", VALUE_INTEGER, "0");
    expect("0.1", VALUE_NUMBER, "0.1");
    expect("-6.175392", VALUE_NUMBER, "-6.175392");
    expect("106.82715300000001", VALUE_NUMBER, "106.82715300000001");
    expect("1e-7", VALUE_NUMBER, "1e-07");
    expect("1e300", VALUE_NUMBER, "1e+300");
    expect("5", VALUE_NUMBER, "5");
}

static void null_is_absent_text(void **state)
{
    (void)state;
    struct arena *arena = arena_new(4096);
    assert_null(bind_json(arena, json_null(), VALUE_TEXT).ptr);
    assert_null(bind_json(arena, json_null(), VALUE_JSON).ptr);
    arena_free(arena);
}

static void lists_are_array_literals(void **state)
{
    (void)state;
    expect("[]", VALUE_TEXT_LIST, "{}");
    expect("[\"a\",\"b,c\",\"{d}\",\"\",\"NULL\",\"e\\\"\\\\\",null]", VALUE_TEXT_LIST,
           "{\"a\",\"b,c\",\"{d}\",\"\",\"NULL\",\"e\\\"\\\\\",NULL}");
    expect("[1,2.0,-3]", VALUE_INTEGER_LIST, "{1,2,-3}");
    expect("[\"0193b5a0-7c1e-7abc-8def-0123456789ab\"]", VALUE_UUID_LIST,
           "{\"0193b5a0-7c1e-7abc-8def-0123456789ab\"}");
}

static void json_is_compact(void **state)
{
    (void)state;
    expect(
        "[ { \"name\" : \"x\\n\\u00e9\", \"v\" : [ 0.1, 1.0, null, true, false ], \"o\": {}, \"l\": [] } ]",
        VALUE_JSON,
        "[{\"name\":\"x\\n\xc3\xa9\",\"v\":[0.1,1,null,true,false],\"o\":{},\"l\":[]}]");
    expect("\"x\"", VALUE_JSON, "\"x\"");
    expect("7", VALUE_JSON, "7");
    expect("[\"a\"]", VALUE_TEXT, "[\"a\"]");
}

static void shortest_texts_read_back(void **state)
{
    (void)state;
    static const double values[] = {0.1,
                                    0.3,
                                    1.0 / 3,
                                    5e-324,
                                    1.7976931348623157e308,
                                    2.2250738585072014e-308,
                                    123456.789,
                                    9007199254740993.0,
                                    -0.000123,
                                    4.35};
    for (size_t i = 0; i < sizeof(values) / sizeof(*values); i++) {
        char text[DECIMAL_TEXT_MAX];
        size_t len = decimal_text(values[i], text);
        assert_int_equal(len, strlen(text));
        assert_true(strtod(text, NULL) == values[i]);
        assert_true(strlen(text) < 25);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scalars),
        cmocka_unit_test(null_is_absent_text),
        cmocka_unit_test(lists_are_array_literals),
        cmocka_unit_test(json_is_compact),
        cmocka_unit_test(shortest_texts_read_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
