/* Assembling statements: which lines stand, how parameters are numbered and typed, what a
 * count leaves out, and that a variant is all that the text depends on. The contract here is
 * made by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "db/statement.h"

enum { /* names of the statement below, after the engine's own */
       NAME_WITHIN = NAME_BUILTIN_COUNT,
       NAME_AS_OF,
       NAME_SORT_REGION,
       NAME_SORT_DISTANCE,
       NAME_KIND,
       NAME_COUNT_ALL
};
const char *const contract_names[] = {
#define NAME(id, text, type) text,
#include "openapi/builtin_names.def"
#undef NAME
    "within", "as_of", "sort.region", "sort.distance", "kind",
};
const uint16_t contract_name_count = NAME_COUNT_ALL;

#define END NAME_NONE
static const struct condition conditions[] = {
    {{NAME_WITHIN, NAME_AS_OF, END}, {false, true}},   /* 0: within and not as_of */
    {{NAME_CURSOR, NAME_SORT_REGION, END}, {false}},   /* 1: cursor and sort.region */
    {{NAME_CURSOR, NAME_SORT_DISTANCE, END}, {false}}, /* 2: cursor and sort.distance */
    {{NAME_SORT_REGION, END, END}, {false}},           /* 3: sort.region */
    {{NAME_PAGE_ROWS, END, END}, {false}},             /* 4: page_rows */
    {{NAME_KIND, END, END}, {false}},                  /* 5: kind */
};
static const struct statement_parameter parameters[] = {
    {NAME_KIND, VALUE_TEXT_LIST}, {NAME_WITHIN, VALUE_TEXT},       {NAME_KEY_1, VALUE_TEXT},
    {NAME_KEY_2, VALUE_TEXT},     {NAME_PAGE_ROWS, VALUE_INTEGER}, {NAME_TODAY, VALUE_DATE},
};
#define TEXT(text, parameter, condition)                                                           \
    {                                                                                              \
        text, sizeof(text) - 1, parameter, condition                                               \
    }
static const struct fragment fragments[] = {
    TEXT("SELECT id FROM library\nWHERE founded_on <= ", 5, -1),
    TEXT("\n", -1, -1),
    TEXT("  AND place >= ", 1, 0),
    TEXT(" AND place < ", 1, 0),
    TEXT(" || '/'\n", -1, 0),
    TEXT("  AND (place, id) > (", 2, 1),
    TEXT(", ", 3, 1),
    TEXT(")\n", -1, 1),
    TEXT("  AND (distance, id) > (", 2, 2),
    TEXT(", ", 3, 2),
    TEXT(")\n", -1, 2),
    TEXT("  AND kind = ANY(", 0, 5),
    TEXT(")\n", -1, 5),
    TEXT("ORDER BY place, id\n", -1, 3),
    TEXT("LIMIT ", 4, 4),
    TEXT("\n", -1, 4),
};
static const struct statement list_libraries = {
    .name = "list_libraries",
    .index = 7,
    .cardinality = CARDINALITY_MANY,
    .condition_count = 6,
    .fragment_count = sizeof fragments / sizeof *fragments,
    .parameter_count = sizeof parameters / sizeof *parameters,
    .conditions = conditions,
    .fragments = fragments,
    .parameters = parameters,
};

static struct value values[NAME_COUNT_ALL];

static int clear_values(void **state)
{
    (void)state;
    memset(values, 0, sizeof values);
    values[NAME_TODAY] = (struct value){"2026-11-21", 10, VALUE_PRESENT, VALUE_DATE};
    return 0;
}

static void give(uint16_t name, const char *text)
{
    values[name] = (struct value){text, (uint32_t)strlen(text), VALUE_PRESENT, 0};
}

static void give_typed(uint16_t name, const char *text, enum value_type type)
{
    give(name, text);
    values[name].type = (uint8_t)type;
}

static void assert_text(struct variant variant, const char *expected)
{
    struct buffer text = {0};
    statement_text(&variant, &text);
    buffer_char(&text, '\0');
    assert_string_equal(text.data, expected);
    buffer_free(&text);
}

/* The bound values in the order of $1, $2, ..., joined by '|'. */
static void assert_bound(struct variant variant, const char *expected)
{
    struct statement_binding binding;
    struct buffer joined = {0};
    statement_bind(&variant, &binding);
    for (uint8_t i = 0; i < binding.count; i++) {
        const char *text = statement_value(&variant, binding.parameters[i], values);
        buffer_printf(&joined, "%s%s", i ? "|" : "", text ? text : "NULL");
    }
    buffer_char(&joined, '\0');
    assert_string_equal(joined.data, expected);
    buffer_free(&joined);
}

static void only_lines_whose_condition_holds(void **state)
{
    (void)state;
    struct variant variant = statement_variant(&list_libraries, values, false);
    assert_text(variant, "SELECT id FROM library\nWHERE founded_on <= $1\n");
    assert_bound(variant, "2026-11-21");
    assert_true(variant.mask == 0);
}

static void a_parameter_used_twice_has_one_number(void **state)
{
    (void)state;
    give(NAME_WITHIN, "19");
    give(NAME_PAGE_ROWS, "51");
    struct variant variant = statement_variant(&list_libraries, values, false);
    assert_text(variant, "SELECT id FROM library\nWHERE founded_on <= $1\n"
                         "  AND place >= $2 AND place < $2 || '/'\nLIMIT $3\n");
    assert_bound(variant, "2026-11-21|19|51");
}

static void negation_and_conjunction(void **state)
{
    (void)state;
    give(NAME_WITHIN, "19");
    give(NAME_AS_OF, "2021-01-01");
    assert_true(statement_variant(&list_libraries, values, false).mask == 0);
    values[NAME_AS_OF].state = VALUE_ABSENT;
    assert_true(statement_variant(&list_libraries, values, false).mask == 1);
    give(NAME_CURSOR, "");
    assert_true(statement_variant(&list_libraries, values, false).mask == 1); /* no order said */
    give(NAME_SORT_REGION, "");
    assert_true(statement_variant(&list_libraries, values, false).mask == (1 | 2 | 8));
}

static void null_is_present(void **state)
{
    (void)state;
    values[NAME_KIND].state = VALUE_NULL;
    struct variant variant = statement_variant(&list_libraries, values, false);
    assert_text(variant, "SELECT id FROM library\nWHERE founded_on <= $1\n  AND kind = ANY($2)\n");
    assert_bound(variant, "2026-11-21|NULL");
}

static void absent_in_a_line_that_always_stands_is_null(void **state)
{
    (void)state;
    values[NAME_TODAY].state = VALUE_ABSENT;
    assert_bound(statement_variant(&list_libraries, values, false), "NULL");
}

static void key_types_make_another_variant(void **state)
{
    (void)state;
    give(NAME_CURSOR, "");
    give(NAME_SORT_REGION, "");
    give_typed(NAME_KEY_1, "19.01", VALUE_TEXT);
    give_typed(NAME_KEY_2, "0193a0c8-0000-7000-8000-000000000000", VALUE_UUID);
    struct variant by_text = statement_variant(&list_libraries, values, false);
    assert_int_equal(statement_type(&by_text, 2), VALUE_TEXT);
    assert_int_equal(statement_type(&by_text, 3), VALUE_UUID);
    assert_int_equal(statement_type(&by_text, 4), VALUE_INTEGER);
    give_typed(NAME_KEY_1, "12.5", VALUE_NUMBER);
    struct variant by_number = statement_variant(&list_libraries, values, false);
    assert_int_equal(statement_type(&by_number, 2), VALUE_NUMBER);
    assert_true(by_text.mask == by_number.mask);
    assert_int_not_equal(by_text.key_types, by_number.key_types);
}

static void a_count_leaves_out_cursor_order_and_page(void **state)
{
    (void)state;
    give(NAME_WITHIN, "19");
    give(NAME_KIND, "{village}");
    give(NAME_CURSOR, "");
    give(NAME_SORT_REGION, "");
    give_typed(NAME_KEY_1, "19.01", VALUE_TEXT);
    give_typed(NAME_KEY_2, "x", VALUE_UUID);
    give(NAME_PAGE_ROWS, "51");
    struct variant variant = statement_variant(&list_libraries, values, true);
    assert_text(variant,
                "SELECT count(*) FROM (SELECT id FROM library\nWHERE founded_on <= $1\n"
                "  AND place >= $2 AND place < $2 || '/'\n  AND kind = ANY($3)\n\n) AS counted");
    assert_bound(variant, "2026-11-21|19|{village}");
    assert_int_equal(variant.key_types, 0);
}

/* Every combination of presence, counted and not: equal variants have equal texts, each number
 * up to the count of bound parameters appears, and no other. */
static void the_variant_decides_the_text(void **state)
{
    (void)state;
    static const uint16_t names[] = {NAME_WITHIN, NAME_AS_OF,  NAME_SORT_REGION, NAME_SORT_DISTANCE,
                                     NAME_KIND,   NAME_CURSOR, NAME_PAGE_ROWS};
    for (unsigned set = 0; set < 1U << 7 << 1; set++) {
        for (unsigned i = 0; i < 7; i++)
            values[names[i]].state = set >> i & 1U ? VALUE_PRESENT : VALUE_ABSENT;
        struct variant variant = statement_variant(&list_libraries, values, set >> 7);
        struct statement_binding binding;
        struct buffer text = {0};
        char number[8];
        statement_bind(&variant, &binding);
        statement_text(&variant, &text);
        buffer_char(&text, '\0');
        for (unsigned i = 1; i <= binding.count; i++) {
            snprintf(number, sizeof number, "$%u", i);
            assert_non_null(strstr(text.data, number));
        }
        snprintf(number, sizeof number, "$%u", binding.count + 1U);
        assert_null(strstr(text.data, number));
        buffer_free(&text);
    }
}

static void types_have_the_catalogue_s_numbers(void **state)
{
    (void)state;
    assert_int_equal(statement_oid(VALUE_TEXT), 25);
    assert_int_equal(statement_oid(VALUE_INTEGER), 20);
    assert_int_equal(statement_oid(VALUE_NUMBER), 701);
    assert_int_equal(statement_oid(VALUE_BOOLEAN), 16);
    assert_int_equal(statement_oid(VALUE_UUID), 2950);
    assert_int_equal(statement_oid(VALUE_DATE), 1082);
    assert_int_equal(statement_oid(VALUE_TIMESTAMP), 1184);
    assert_int_equal(statement_oid(VALUE_JSON), 3802);
    assert_int_equal(statement_oid(VALUE_TEXT_LIST), 1009);
    assert_int_equal(statement_oid(VALUE_INTEGER_LIST), 1016);
    assert_int_equal(statement_oid(VALUE_UUID_LIST), 2951);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(only_lines_whose_condition_holds, clear_values),
        cmocka_unit_test_setup(a_parameter_used_twice_has_one_number, clear_values),
        cmocka_unit_test_setup(negation_and_conjunction, clear_values),
        cmocka_unit_test_setup(null_is_present, clear_values),
        cmocka_unit_test_setup(absent_in_a_line_that_always_stands_is_null, clear_values),
        cmocka_unit_test_setup(key_types_make_another_variant, clear_values),
        cmocka_unit_test_setup(a_count_leaves_out_cursor_order_and_page, clear_values),
        cmocka_unit_test_setup(the_variant_decides_the_text, clear_values),
        cmocka_unit_test_setup(types_have_the_catalogue_s_numbers, clear_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
