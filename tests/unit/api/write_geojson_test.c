/* Rows as GeoJSON features. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>

#include "api/row_plan.h"
#include "tests/unit/api/fake_rows.h"

static const char *feature_of(const struct rows *rows, size_t row, const struct span *fields,
                              size_t count)
{
    struct buffer buffer = {0};
    write_geojson(&buffer, row_plan_new(arena, rows, fields, count, true), rows, row);
    char *text = arena_cstr(arena, (struct span){buffer.data, buffer.len});
    json_t *json = json_loadb(buffer.data, buffer.len, JSON_REJECT_DUPLICATES, NULL);
    if (!json)
        fail_msg("no JSON: %s", text);
    json_decref(json);
    buffer_free(&buffer);
    return text;
}

static const struct rows library = {
    .columns = 6,
    .count = 4,
    .heads = {{"id", CELL_TEXT},
              {"name", CELL_TEXT},
              {"latitude", CELL_NUMBER},
              {"longitude", CELL_NUMBER},
              {"region.code", CELL_TEXT},
              {"@deleted_at", CELL_TIMESTAMP}},
    .cells = {{"x1", "Ilmu", "-6.2", "106.8", "19.01", NULL},
              {"x2", "Ilmu", NULL, NULL, NULL, NULL},
              {"x3", "Ilmu", "-6.2", NULL, "19", NULL},
              {"x4", "Ilmu", "-6.2", "106.8", "19.01", "2026-11-21 10:00:00+00"}},
};

static void longitude_stands_first(void **state)
{
    (void)state;
    assert_string_equal(feature_of(&library, 0, NULL, 0),
                        "{\"type\":\"Feature\",\"id\":\"x1\","
                        "\"geometry\":{\"type\":\"Point\",\"coordinates\":[106.8,-6.2]},"
                        "\"properties\":{\"name\":\"Ilmu\",\"region\":{\"code\":\"19.01\"}}}");
}

static void without_a_place_it_is_a_feature_still(void **state)
{
    (void)state;
    assert_string_equal(feature_of(&library, 1, NULL, 0),
                        "{\"type\":\"Feature\",\"id\":\"x2\",\"geometry\":null,"
                        "\"properties\":{\"name\":\"Ilmu\",\"region\":null}}");
    assert_string_equal(feature_of(&library, 2, NULL, 0),
                        "{\"type\":\"Feature\",\"id\":\"x3\",\"geometry\":null,"
                        "\"properties\":{\"name\":\"Ilmu\",\"region\":{\"code\":\"19\"}}}");
}

static void fields_keep_the_place(void **state)
{
    (void)state;
    const struct span name[] = {SPAN("name")}, id[] = {SPAN("id"), SPAN("latitude")};
    assert_string_equal(feature_of(&library, 0, name, 1),
                        "{\"type\":\"Feature\",\"id\":\"x1\","
                        "\"geometry\":{\"type\":\"Point\",\"coordinates\":[106.8,-6.2]},"
                        "\"properties\":{\"name\":\"Ilmu\"}}");
    assert_string_equal(
        feature_of(&library, 0, id, 2),
        "{\"type\":\"Feature\",\"id\":\"x1\","
        "\"geometry\":{\"type\":\"Point\",\"coordinates\":[106.8,-6.2]},\"properties\":{}}");
}

static void tells_tombstones(void **state)
{
    (void)state;
    assert_string_equal(feature_of(&library, 3, NULL, 0),
                        "{\"type\":\"Feature\",\"id\":\"x4\",\"geometry\":null,"
                        "\"properties\":{\"deleted_at\":\"2026-11-21T10:00:00Z\"}}");
}

static void works_without_location_columns(void **state)
{
    (void)state;
    static const struct rows rows = {.columns = 2,
                                     .count = 1,
                                     .heads = {{"id", CELL_TEXT}, {"t", CELL_TEXT}},
                                     .cells = {{"\x01\x01\x01", "\x02"}}};
    assert_string_equal(feature_of(&rows, 0, NULL, 0),
                        "{\"type\":\"Feature\",\"id\":\"\\u0001\\u0001\\u0001\",\"geometry\":null,"
                        "\"properties\":{\"t\":\"\\u0002\"}}");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(longitude_stands_first),         TEST(without_a_place_it_is_a_feature_still),
        TEST(fields_keep_the_place),          TEST(tells_tombstones),
        TEST(works_without_location_columns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
