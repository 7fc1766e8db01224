/* Validation: every keyword's fault with its pointer and argument, all faults of a body together,
 * and what a client is told when it put a field in the wrong place. (That the keywords mean what
 * JSON Schema says, the public suite tests: schema_suite_test.c.) */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "api/base/text.h"
#include "api/validate.h"

/* The contract of this test. */
const char *const contract_patterns[] = {"^[a-z]+$", "^(a+)+$", "\\d"};
const uint16_t contract_pattern_count = 3;

#define TYPE(name, bits) static const struct schema name = {.types = (bits)}
TYPE(any_text, SCHEMA_STRING);
TYPE(integer_or_null, SCHEMA_INTEGER | SCHEMA_NULL);
TYPE(any_number, SCHEMA_NUMBER);
TYPE(any_boolean, SCHEMA_BOOLEAN);
static const struct schema never = {.never = true}, anything = {.types = 0};
static const struct schema slug = {.types = SCHEMA_STRING,
                                   .pattern = "^[a-z]+$",
                                   .pattern_index = 0,
                                   .has = HAS_MIN_LENGTH | HAS_MAX_LENGTH,
                                   .min_length = 2,
                                   .max_length = 4};
static const struct schema day = {.types = SCHEMA_STRING, .format = FORMAT_DATE};
static const struct schema code = {.types = SCHEMA_STRING, .format = FORMAT_DOTTED_CODE};
static const char *const kinds[] = {"\"village\"", "\"tbm\"",    "null",
                                    "1",           "\"a\\\"b\"", "{\"a\":[1,2]}"};
static const struct schema kind = {.enumeration = kinds, .enumeration_count = 6};
static const struct schema ratio = {.types = SCHEMA_NUMBER,
                                    .has = HAS_MINIMUM | HAS_EXCLUSIVE_MAXIMUM | HAS_MULTIPLE_OF,
                                    .minimum = 0.5,
                                    .exclusive_maximum = 10,
                                    .multiple_of = 0.01};
static const struct schema count = {.types = SCHEMA_INTEGER,
                                    .has = HAS_EXCLUSIVE_MINIMUM | HAS_MAXIMUM,
                                    .exclusive_minimum = 0,
                                    .maximum = 9007199254740992.0};

static const struct schema_property member_properties[] = {{"name", &any_text}, {"role", &slug}};
static const char *const member_required[] = {"name"};
static const struct schema member = {.types = SCHEMA_OBJECT,
                                     .properties = member_properties,
                                     .property_count = 2,
                                     .required = member_required,
                                     .required_count = 1,
                                     .additional_refused = true};
static const struct schema members = {.types = SCHEMA_ARRAY,
                                      .items = &member,
                                      .unique_items = true,
                                      .has = HAS_MIN_ITEMS | HAS_MAX_ITEMS,
                                      .min_items = 1,
                                      .max_items = 3};
static const struct schema_property decree_properties[] = {
    {"date", &day}, {"name", &any_text}, {"number", &any_text}};
static const char *const decree_required[] = {"number"};
static const struct schema decree = {.types = SCHEMA_OBJECT | SCHEMA_NULL,
                                     .properties = decree_properties,
                                     .property_count = 3,
                                     .required = decree_required,
                                     .required_count = 1,
                                     .additional_refused = true};
static const struct schema_property body_properties[] = {
    {"code", &code},   {"count", &count},     {"decree", &decree},
    {"kind", &kind},   {"members", &members}, {"never", &never},
    {"ratio", &ratio}, {"slug", &slug},       {"x", &integer_or_null}};
static const char *const body_required[] = {"slug", "x"};
static const struct schema body = {.types = SCHEMA_OBJECT,
                                   .properties = body_properties,
                                   .property_count = 9,
                                   .required = body_required,
                                   .required_count = 2,
                                   .additional_refused = true,
                                   .has = HAS_MIN_PROPERTIES | HAS_MAX_PROPERTIES,
                                   .min_properties = 1,
                                   .max_properties = 6};

static struct arena *arena;
static struct faults faults;

static int setup(void **state)
{
    (void)state;
    validate_init();
    arena = arena_new(65536);
    faults = (struct faults){.arena = arena};
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_free(arena);
    return 0;
}

static void check_partial(const struct schema *schema, const char *text, bool partial)
{
    json_t *json = json_loads(text, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    if (!json)
        fail_msg("no JSON: %s", text);
    faults.count = faults.dropped = 0;
    validate_json(schema, json, partial, &faults);
    if (!partial) /* the two ways to ask agree */
        assert_int_equal(validate_holds(schema, json), faults.count == 0);
    json_decref(json);
}

static void check(const struct schema *schema, const char *text)
{
    check_partial(schema, text, false);
}

static void expect_fault(size_t index, const char *pointer, enum fault_code wanted,
                         const char *argument)
{
    assert_true(index < faults.count);
    const struct fault *fault = &faults.list[index];
    assert_string_equal(arena_cstr(arena, fault->pointer), pointer);
    assert_string_equal(fault_texts[fault->code].code, fault_texts[wanted].code);
    if (argument)
        assert_string_equal(fault->argument.ptr ? arena_cstr(arena, fault->argument) : "",
                            argument);
    assert_null(fault->parameter.ptr);
}

static void expect_one(const struct schema *schema, const char *text, const char *pointer,
                       enum fault_code wanted, const char *argument)
{
    check(schema, text);
    if (faults.count != 1)
        fail_msg("%zu faults: %s", faults.count, text);
    expect_fault(0, pointer, wanted, argument);
}

static void expect_valid(const struct schema *schema, const char *text)
{
    check(schema, text);
    if (faults.count)
        fail_msg("%s: %s at %.*s", text, fault_texts[faults.list[0].code].code,
                 SPAN_ARG(faults.list[0].pointer));
}

static void takes_a_good_body(void **state)
{
    (void)state;
    expect_valid(&body, "{\"slug\":\"ab\",\"x\":null}");
    expect_valid(
        &body,
        "{\"slug\":\"ab\",\"x\":1.0,\"kind\":\"a\\\"b\",\"ratio\":0.57,\"decree\":null,\"code\":\"19.01\"}");
    expect_valid(
        &body,
        "{\"slug\":\"ab\",\"x\":-1,\"members\":[{\"name\":\"a\"},{\"name\":\"b\",\"role\":\"abc\"}]}");
    expect_valid(&anything, "[1,{\"a\":null}]");
}

static void tells_all_faults_together(void **state)
{
    (void)state;
    check(
        &body,
        "{\"slug\":\"A\",\"x\":\"1\",\"members\":[{\"role\":\"abcde\"},{\"name\":1}],\"decree\":{\"date\":\"2026-02-30\"}}");
    assert_int_equal(faults.count, 8);
    expect_fault(0, "/slug", FAULT_min_length, "2");
    expect_fault(1, "/slug", FAULT_pattern, "^[a-z]+$");
    expect_fault(2, "/x", FAULT_type, "integer or null");
    expect_fault(3, "/members/0/name", FAULT_required, NULL);
    expect_fault(4, "/members/0/role", FAULT_max_length, "4");
    expect_fault(5, "/members/1/name", FAULT_type, "text");
    expect_fault(6, "/decree/number", FAULT_required, NULL);
    expect_fault(7, "/decree/date", FAULT_format, "date");
}

static void keeps_count_of_too_many_faults(void **state)
{
    (void)state;
    static const struct schema list = {.types = SCHEMA_ARRAY, .items = &any_boolean};
    char text[2 * 150 + 2] = "[";
    for (int i = 0; i < 150; i++)
        memcpy(text + 1 + 2 * i, i ? ",1" : " 1", 2);
    memcpy(text + 301, "]", 1);
    json_t *json = json_loadb(text, 302, 0, NULL);
    validate_json(&list, json, false, &faults);
    json_decref(json);
    assert_int_equal(faults.count, FAULTS_MAX);
    assert_int_equal(faults.dropped, 150 - FAULTS_MAX);
}

static void names_the_types(void **state)
{
    (void)state;
    expect_one(&body, "[]", "", FAULT_type, "object");
    expect_one(&integer_or_null, "1.5", "", FAULT_type, "integer or null");
    expect_one(&integer_or_null, "true", "", FAULT_type, "integer or null");
    expect_one(&any_text, "null", "", FAULT_type, "text");
    expect_one(&any_boolean, "\"true\"", "", FAULT_type, "true or false");
    expect_one(&any_number, "\"1\"", "", FAULT_type, "number");
    expect_one(&decree, "1", "", FAULT_type, "object or null");
    expect_one(&members, "{}", "", FAULT_type, "list");
    expect_valid(&any_number, "1");
}

static void whole_numbers(void **state)
{
    (void)state;
    expect_valid(&integer_or_null, "1.0");
    expect_valid(&integer_or_null, "-9223372036854775808");
    expect_valid(&integer_or_null, "9e15");
    expect_one(&integer_or_null, "1e19", "", FAULT_number_range,
               NULL); /* whole, but PostgreSQL has no place for it */
    expect_one(&integer_or_null, "-1e19", "", FAULT_number_range, NULL);
    expect_one(&integer_or_null, "9223372036854775808.0", "", FAULT_number_range, NULL);
}

static void limits_of_numbers(void **state)
{
    (void)state;
    expect_valid(&ratio, "0.5");
    expect_valid(&ratio, "9.99");
    expect_one(&ratio, "0.49", "", FAULT_minimum, "0.5");
    expect_one(&ratio, "10", "", FAULT_exclusive_maximum, "10");
    expect_one(&ratio, "0.575", "", FAULT_multiple_of, "0.01");
    expect_one(&count, "0", "", FAULT_exclusive_minimum, "0");
    expect_valid(&count, "9007199254740992");
    expect_one(&count, "9007199254740993", "", FAULT_maximum,
               NULL); /* a double cannot tell these two apart */
}

static void multiples_are_decimal(void **state)
{
    (void)state;
    static const struct schema cents = {.has = HAS_MULTIPLE_OF, .multiple_of = 0.01};
    static const struct schema hundreds = {.has = HAS_MULTIPLE_OF, .multiple_of = 100};
    static const struct schema tiny = {.has = HAS_MULTIPLE_OF, .multiple_of = 1e-10};
    static const struct schema half = {.has = HAS_MULTIPLE_OF, .multiple_of = 1.5};
    static const char *const good[] = {
        "0", "0.07", "1.13", "4.35", "-19.99", "1e300", "9007199254740993", "123456789.01"};
    static const char *const bad[] = {"0.001", "0.005", "1e-300", "4.355", "-0.011"};
    for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
        expect_valid(&cents, good[i]);
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        expect_one(&cents, bad[i], "", FAULT_multiple_of, "0.01");
    expect_valid(&hundreds, "1e22");
    expect_valid(&hundreds, "-9223372036854775800");
    expect_one(&hundreds, "9223372036854775807", "", FAULT_multiple_of, "100");
    expect_one(&hundreds, "150", "", FAULT_multiple_of, "100");
    expect_valid(&tiny, "0.0000000003");
    expect_one(&tiny, "0.00000000035", "", FAULT_multiple_of, "1e-10");
    expect_valid(&half, "4.5");
    expect_valid(&half, "3e20");
    expect_one(&half, "35", "", FAULT_multiple_of, "1.5");
    expect_valid(&cents, "\"text\"");
}

static void lengths_are_code_points(void **state)
{
    (void)state;
    static const struct schema four = {
        .has = HAS_MIN_LENGTH | HAS_MAX_LENGTH, .min_length = 4, .max_length = 4};
    expect_valid(&four, "\"\xc3\xa9\xf0\x9f\x98\x80xy\"");
    expect_one(&four, "\"\xf0\x9f\x98\x80\"", "", FAULT_min_length, "4");
    expect_one(&four, "\"\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x80xy\"", "",
               FAULT_max_length, "4");
}

static void patterns(void **state)
{
    (void)state;
    static const struct schema letters = {.pattern = "^[a-z]+$", .pattern_index = 0};
    static const struct schema digit = {.pattern = "\\d", .pattern_index = 2};
    static const struct schema costly = {.pattern = "^(a+)+$", .pattern_index = 1};
    expect_valid(&digit, "\"x1y\"");                              /* not anchored */
    expect_one(&digit, "\"\xd9\xa3\"", "", FAULT_pattern, "\\d"); /* ASCII, as ECMA 262 has it */
    expect_one(&letters, "\"abc\\n\"", "", FAULT_pattern, NULL);  /* $ is the very end */
    /* what would take for ever is no match, at once */
    expect_one(&costly,
               "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab\"", "",
               FAULT_pattern, NULL);
    expect_valid(&costly,
                 "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"");
}

static void formats(void **state)
{
    (void)state;
    expect_one(&day, "\"2026-02-29\"", "", FAULT_format, "date");
    expect_one(&code, "\"19.1\"", "", FAULT_format, NULL);
    expect_one(&code, "\"1901062002\"", "", FAULT_undotted_code, NULL);
}

static void enumerations(void **state)
{
    (void)state;
    static const char *const good[] = {"\"village\"", "null",       "1",
                                       "1.0",         "\"a\\\"b\"", "{\"a\":[1,2.0]}"};
    for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
        expect_valid(&kind, good[i]);
    static const char *const bad[] = {"\"villag\"",    "\"villages\"", "2",    "\"1\"",
                                      "{\"a\":[2,1]}", "\"null\"",     "false"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        expect_one(&kind, bad[i], "", FAULT_enum,
                   "village, tbm, null, 1, \"a\\\"b\", {\"a\":[1,2]}");
    static const struct schema empty = {.enumeration = kinds, .enumeration_count = 0};
    expect_one(&empty, "1", "", FAULT_enum, "");
}

static void lists(void **state)
{
    (void)state;
    static const struct schema set = {.unique_items = true};
    expect_one(&members, "[]", "", FAULT_min_items, "1");
    expect_one(&members, "[{\"name\":\"a\"},{\"name\":\"b\"},{\"name\":\"c\"},{\"name\":\"a\"}]",
               "", FAULT_max_items, "3");
    expect_one(&members, "[{\"name\":\"a\",\"role\":\"ab\"},{\"role\":\"ab\",\"name\":\"a\"}]", "",
               FAULT_unique_items, NULL);
    expect_one(&set, "[1,1.0]", "", FAULT_unique_items, NULL);
    expect_one(&set, "[[{\"a\":1}],[{\"a\":1.0}]]", "", FAULT_unique_items, NULL);
    expect_valid(&set, "[1,\"1\",true,null,[],{},[1],{\"a\":1},{\"b\":1},0,false,\"\"]");
}

static void objects(void **state)
{
    (void)state;
    static const struct schema few = {.has = HAS_MIN_PROPERTIES | HAS_MAX_PROPERTIES,
                                      .min_properties = 1,
                                      .max_properties = 1,
                                      .additional = &any_number};
    expect_one(&few, "{}", "", FAULT_min_properties, "1");
    expect_one(&few, "{\"a\":1,\"b\":2}", "", FAULT_max_properties, "1");
    expect_one(&few, "{\"a\":\"1\"}", "/a", FAULT_type, "number");
    expect_one(&body, "{\"slug\":\"ab\",\"x\":1,\"never\":1}", "/never", FAULT_not_allowed, NULL);
    expect_one(&body, "{\"slug\":\"ab\",\"x\":1,\"y\":1}", "/y", FAULT_unknown_field, NULL);
    expect_one(&body, "{\"slug\":\"ab\",\"x\":1,\"a/b~\":1}", "/a~1b~0", FAULT_unknown_field, NULL);
    json_t *object = json_pack("{s:s, s:i}", "slug", "ab", "x", 1);
    json_object_setn_new(object, "slug\0", 5, json_null()); /* only its beginning is like ours */
    faults.count = 0;
    validate_json(&body, object, false, &faults);
    json_decref(object);
    assert_int_equal(faults.count, 1);
    assert_int_equal(faults.list[0].code, FAULT_unknown_field);
}

static void names_the_home_of_a_misplaced_field(void **state)
{
    (void)state;
    expect_one(&body, "{\"slug\":\"ab\",\"x\":1,\"number\":\"7\"}", "/number",
               FAULT_misplaced_field, "/decree/number");
    expect_one(&body, "{\"slug\":\"ab\",\"x\":1,\"role\":\"ab\"}", "/role", FAULT_misplaced_field,
               "/members/*/role");
    expect_one(&body, "{\"slug\":\"ab\",\"x\":1,\"decree\":{\"number\":\"1\",\"slug\":\"ab\"}}",
               "/decree/slug", FAULT_misplaced_field, "/slug");
    expect_one(
        &body,
        "{\"slug\":\"ab\",\"x\":1,\"members\":[{\"name\":\"a\"},{\"name\":\"b\",\"date\":\"2026-01-01\"}]}",
        "/members/1/date", FAULT_misplaced_field, "/decree/date");
    /* two homes are none; nor is a place where it is never allowed */
    expect_one(&body, "{\"slug\":\"ab\",\"x\":1,\"name\":\"a\"}", "/name", FAULT_unknown_field,
               NULL);
    expect_one(&body, "{\"slug\":\"ab\",\"x\":1,\"decree\":{\"number\":\"1\",\"never\":1}}",
               "/decree/never", FAULT_unknown_field, NULL);
}

static void no_home_is_where_it_stands(void **state)
{
    (void)state;
    static const struct schema_property a[] = {{"a", &any_text}}, b[] = {{"b", &any_text}};
    static const struct schema closed = {
        .properties = a, .property_count = 1, .additional_refused = true};
    static const struct schema open = {.properties = b, .property_count = 1};
    static const struct schema *const parts[] = {&closed, &open};
    static const struct schema both = {.all_of = parts, .all_of_count = 2};
    expect_one(&both, "{\"a\":\"x\",\"b\":\"y\"}", "/b", FAULT_unknown_field, NULL);
}

static void alternatives(void **state)
{
    (void)state;
    static const struct schema *const decree_or_slug[] = {&decree, &slug};
    static const struct schema *const texts[] = {&slug, &day};
    static const struct schema either = {.any_of = decree_or_slug, .any_of_count = 2};
    static const struct schema two_texts = {.any_of = texts, .any_of_count = 2};
    static const struct schema one = {.one_of = decree_or_slug, .one_of_count = 2};
    static const struct schema *const same[] = {&any_text, &slug};
    static const struct schema both = {.one_of = same, .one_of_count = 2};
    expect_valid(&either, "\"abc\"");
    expect_valid(&either, "null");
    expect_one(&either, "\"ABC\"", "", FAULT_pattern, NULL); /* the only text form was meant */
    expect_one(&either, "{\"date\":\"2026-01-01\"}", "/number", FAULT_required, NULL);
    expect_one(&either, "7", "", FAULT_any_of, NULL);
    expect_one(&two_texts, "\"ABC\"", "", FAULT_any_of, NULL);
    expect_one(&one, "{\"date\":\"2026-01-01\"}", "/number", FAULT_required, NULL);
    expect_one(&one, "7", "", FAULT_one_of, NULL);
    expect_valid(&both, "\"ABC\"");
    expect_one(&both, "\"abc\"", "", FAULT_one_of, NULL);
    expect_one(&both, "1", "", FAULT_one_of, NULL);
}

static void all_and_not(void **state)
{
    (void)state;
    static const struct schema *const parts[] = {&any_text, &slug};
    static const struct schema all = {.all_of = parts, .all_of_count = 2},
                               no_text = {.negated = &any_text};
    expect_valid(&all, "\"abc\"");
    expect_one(&all, "\"abcde\"", "", FAULT_max_length, "4");
    expect_valid(&no_text, "1");
    expect_one(&no_text, "\"x\"", "", FAULT_not_allowed, NULL);
    expect_one(&never, "1", "", FAULT_not_allowed, NULL);
}

static void a_merge_patch_requires_nothing_but_in_lists(void **state)
{
    (void)state;
    check_partial(&body, "{\"decree\":{\"date\":\"2026-01-01\"}}", true);
    assert_int_equal(faults.count, 0);
    check_partial(&body, "{\"members\":[{}]}", true); /* a list is replaced whole */
    assert_int_equal(faults.count, 1);
    expect_fault(0, "/members/0/name", FAULT_required, NULL);
    check_partial(&body, "{\"slug\":null,\"decree\":{\"number\":1},\"number\":1}", true);
    assert_int_equal(faults.count, 3);
    expect_fault(0, "/slug", FAULT_type, "text");
    expect_fault(1, "/decree/number", FAULT_type, "text");
    expect_fault(2, "/number", FAULT_misplaced_field, "/decree/number");
    check_partial(&body, "{}", true);
    expect_fault(0, "", FAULT_min_properties, "1");
}

static void refuses_null_characters(void **state)
{
    (void)state;
    expect_one(&any_text, "\"a\\u0000b\"", "", FAULT_null_character, NULL);
}

static void refuses_control_characters(void **state)
{
    (void)state;
    static const struct schema name = {.types = SCHEMA_STRING, .text = TEXT_LINE};
    static const struct schema note = {.types = SCHEMA_STRING, .text = TEXT_FREE};
    expect_one(&name, "\"a\\u0001b\"", "", FAULT_control_character, "U+0001");
    expect_one(&name, "\"a\\tb\"", "", FAULT_control_character, "U+0009");
    expect_one(&note, "\"a\\u007fb\"", "", FAULT_control_character, "U+007F");
    expect_one(&note, "\"a\\u000bb\"", "", FAULT_control_character, "U+000B");
    check_partial(&note, "\"a\\t\\r\\nb\"", false);
    assert_int_equal(faults.count, 0);
}

static void refuses_what_nobody_sees(void **state)
{
    (void)state;
    static const struct schema name = {.types = SCHEMA_STRING, .text = TEXT_NAME};
    expect_one(&name, "\"Siti\\u202eAminah\"", "", FAULT_invisible_character, "U+202E");
    expect_one(&name, "\"...\"", "", FAULT_no_letter, NULL);
    expect_one(&name, "\"-\"", "", FAULT_absent, NULL);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(takes_a_good_body),
        TEST(tells_all_faults_together),
        TEST(keeps_count_of_too_many_faults),
        TEST(names_the_types),
        TEST(whole_numbers),
        TEST(limits_of_numbers),
        TEST(multiples_are_decimal),
        TEST(lengths_are_code_points),
        TEST(patterns),
        TEST(formats),
        TEST(enumerations),
        TEST(lists),
        TEST(objects),
        TEST(names_the_home_of_a_misplaced_field),
        TEST(no_home_is_where_it_stands),
        TEST(alternatives),
        TEST(all_and_not),
        TEST(a_merge_patch_requires_nothing_but_in_lists),
        TEST(refuses_null_characters),
        TEST(refuses_control_characters),
        TEST(refuses_what_nobody_sees),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
