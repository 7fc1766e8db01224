/* Parameters: their text becomes a value only in its strict form. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "api/validate.h"

/* The contract of this test. */
const char *const contract_patterns[] = {"^[a-z]+$"};
const uint16_t contract_pattern_count = 1;

static const struct schema any_text = {.types = SCHEMA_STRING},
                           any_number = {.types = SCHEMA_NUMBER};
static const struct schema any_boolean = {.types = SCHEMA_BOOLEAN};
static const struct schema integer_or_null = {.types = SCHEMA_INTEGER | SCHEMA_NULL};
static const struct schema count = {
    .types = SCHEMA_INTEGER, .has = HAS_EXCLUSIVE_MINIMUM, .exclusive_minimum = 0};
static const struct schema cents = {
    .types = SCHEMA_NUMBER, .has = HAS_MULTIPLE_OF, .multiple_of = 0.01};
static const struct schema slug = {.types = SCHEMA_STRING,
                                   .pattern = "^[a-z]+$",
                                   .pattern_index = 0,
                                   .has = HAS_MAX_LENGTH,
                                   .max_length = 4};
static const struct schema code = {.types = SCHEMA_STRING, .format = FORMAT_DOTTED_CODE};

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

static void expect_text(const struct schema *schema, const char *text, enum fault_code wanted,
                        const char *argument)
{
    faults.count = 0;
    validate_text(schema, SPAN("within"), span_of(text), &faults);
    if (wanted == FAULT_COUNT) {
        if (faults.count)
            fail_msg("refused: %s", text);
        return;
    }
    if (faults.count != 1)
        fail_msg("%zu faults: %s", faults.count, text);
    assert_int_equal(faults.list[0].code, wanted);
    assert_string_equal(arena_cstr(arena, faults.list[0].parameter), "within");
    assert_null(faults.list[0].pointer.ptr);
    if (argument)
        assert_string_equal(arena_cstr(arena, faults.list[0].argument), argument);
}

static void reads_parameters_strictly(void **state)
{
    (void)state;
    static const char *const no_integers[] = {"01", "+1",  " 1",  "1 ",  "1.0", "1e2",  "",
                                              "-",  "0x1", "1,2", "--1", "a",   "null", "\xd9\xa3"};
    static const char *const no_numbers[] = {"01", "+1", " 1",  "1 ",  "1.",    ".5", "1e",
                                             "",   "-",  "nan", "inf", "0x1p3", "1,5"};
    for (size_t i = 0; i < sizeof(no_integers) / sizeof(*no_integers); i++)
        expect_text(&count, no_integers[i], FAULT_type, "integer");
    for (size_t i = 0; i < sizeof(no_numbers) / sizeof(*no_numbers); i++)
        expect_text(&any_number, no_numbers[i], FAULT_type, "number");
    expect_text(&count, "12", FAULT_COUNT, NULL);
    expect_text(&integer_or_null, "-12", FAULT_COUNT, NULL);
    expect_text(&integer_or_null, "0", FAULT_COUNT, NULL);
    expect_text(&count, "9223372036854775808", FAULT_number_range, NULL);
    expect_text(&count, "0", FAULT_exclusive_minimum, "0");
    expect_text(&any_number, "-0.5e3", FAULT_COUNT, NULL);
    expect_text(&any_number, "7", FAULT_COUNT, NULL);
    expect_text(&any_number, "1e999", FAULT_number_range, NULL);
    expect_text(&cents, "0.575", FAULT_multiple_of, "0.01");
    expect_text(&any_boolean, "true", FAULT_COUNT, NULL);
    expect_text(&any_boolean, "false", FAULT_COUNT, NULL);
    expect_text(&any_boolean, "True", FAULT_type, NULL);
    expect_text(&any_boolean, "1", FAULT_type, NULL);
}

static void reads_parameters_as_text(void **state)
{
    (void)state;
    static const char *const choices[] = {"\"1\"", "\"village\""};
    static const struct schema choice = {
        .types = SCHEMA_STRING, .enumeration = choices, .enumeration_count = 2};
    expect_text(&any_text, "123", FAULT_COUNT, NULL); /* stays a text */
    expect_text(&any_text, "true", FAULT_COUNT, NULL);
    expect_text(&choice, "1", FAULT_COUNT, NULL);
    expect_text(&choice, "Village", FAULT_enum, "1, village");
    expect_text(&choice, "", FAULT_enum, NULL);
    expect_text(&slug, "abcde", FAULT_max_length, "4");
    expect_text(&code, "19.01", FAULT_COUNT, NULL);
    expect_text(&code, "1901", FAULT_undotted_code, NULL);
    expect_text(&code, "19.1", FAULT_format, NULL);
    expect_text(&any_text, "\xff", FAULT_bad_utf8, NULL);
    static const struct schema *const forms[] = {&count, &code};
    static const struct schema either = {.any_of = forms, .any_of_count = 2};
    expect_text(&either, "190106", FAULT_COUNT, NULL);
    expect_text(&either, "19.01", FAULT_COUNT, NULL);
}

static void faults_gather(void **state)
{
    (void)state;
    validate_text(&slug, SPAN("q"), SPAN("ABC1"), &faults);
    validate_text(&count, SPAN("limit"), SPAN("x"), &faults);
    assert_int_equal(faults.count, 2);
    assert_string_equal(arena_cstr(arena, faults.list[0].parameter), "q");
    assert_int_equal(faults.list[0].code, FAULT_pattern);
    assert_string_equal(arena_cstr(arena, faults.list[1].parameter), "limit");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(reads_parameters_strictly),
        TEST(reads_parameters_as_text),
        TEST(faults_gather),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
