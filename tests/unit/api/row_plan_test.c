/* Rows as JSON: nesting, NULL, kinds of cells, escapes, tombstones, chosen fields. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>
#include <stdlib.h>

#include "api/row_plan.h"
#include "tests/unit/api/fake_rows.h"

/* The row as text; what it says is JSON with every name once. */
static const char *json_of(const struct rows *rows, size_t row, const struct span *fields,
                           size_t count)
{
    struct buffer buffer = {0};
    struct row_plan *plan = row_plan_new(arena, rows, fields, count, false);
    write_json(&buffer, plan, rows, row);
    assert_true(buffer.len <= buffer.cap);
    char *text = arena_cstr(arena, (struct span){buffer.data, buffer.len});
    json_t *json = json_loadb(buffer.data, buffer.len, JSON_REJECT_DUPLICATES, NULL);
    if (!json)
        fail_msg("no JSON: %s", text);
    json_decref(json);
    buffer_free(&buffer);
    return text;
}

static const struct rows library = {
    .columns = 9,
    .count = 3,
    .heads = {{"@place", CELL_TEXT},
              {"id", CELL_TEXT},
              {"name", CELL_TEXT},
              {"computers", CELL_NUMBER},
              {"contact_public", CELL_BOOLEAN},
              {"region.code", CELL_TEXT},
              {"region.name", CELL_TEXT},
              {"applications", CELL_JSON},
              {"updated_at", CELL_TIMESTAMP}},
    .cells = {{"19.01", "x1", "Ilmu", "12", "t", "19.01.06.2002", "Air",
               "[{\"name\": \"Inlislite\"}]", "2026-11-21 10:00:00.123456+00"},
              {"19.01", "x2", NULL, NULL, NULL, NULL, "Air", NULL, NULL},
              {NULL, "x3", "", "-0.5", "f", "19", NULL, "{}", "2026-11-21 10:00:00+00"}},
};

static void writes_every_kind(void **state)
{
    (void)state;
    assert_string_equal(json_of(&library, 0, NULL, 0),
                        "{\"id\":\"x1\",\"name\":\"Ilmu\",\"computers\":12,\"contact_public\":true,"
                        "\"region\":{\"code\":\"19.01.06.2002\",\"name\":\"Air\"},"
                        "\"applications\":[{\"name\": \"Inlislite\"}],"
                        "\"updated_at\":\"2026-11-21T10:00:00.123456Z\"}");
    assert_string_equal(json_of(&library, 2, NULL, 0),
                        "{\"id\":\"x3\",\"name\":\"\",\"computers\":-0.5,\"contact_public\":false,"
                        "\"region\":{\"code\":\"19\",\"name\":null},\"applications\":{},"
                        "\"updated_at\":\"2026-11-21T10:00:00Z\"}");
}

static void an_object_without_its_key_is_null(void **state)
{
    (void)state;
    assert_string_equal(json_of(&library, 1, NULL, 0),
                        "{\"id\":\"x2\",\"name\":null,\"computers\":null,\"contact_public\":null,"
                        "\"region\":null,\"applications\":null,\"updated_at\":null}");
}

static void keeps_chosen_fields(void **state)
{
    (void)state;
    const struct span fields[] = {SPAN("region"), SPAN("id")};
    assert_string_equal(json_of(&library, 0, fields, 2),
                        "{\"id\":\"x1\",\"region\":{\"code\":\"19.01.06.2002\",\"name\":\"Air\"}}");
    assert_string_equal(json_of(&library, 0, fields, 1),
                        "{\"region\":{\"code\":\"19.01.06.2002\",\"name\":\"Air\"}}");
    const struct span others[] = {SPAN("nam"), SPAN("region.code"), SPAN("@place")};
    assert_string_equal(json_of(&library, 0, others, 3), "{}");
}

static void nests_deeply(void **state)
{
    (void)state;
    static const struct rows rows = {
        .columns = 7,
        .count = 4,
        .heads = {{"a.b.c.id", CELL_NUMBER},
                  {"a.b.c.x", CELL_NUMBER},
                  {"a.b.y", CELL_NUMBER},
                  {"d.e", CELL_NUMBER},
                  {"d.f.g", CELL_NUMBER},
                  {"d.h.g", CELL_NUMBER},
                  {"i.j", CELL_NUMBER}},
        .cells = {{"1", "2", "3", "4", "5", "6", "7"},
                  {NULL, "2", "3", "4", NULL, "6", NULL},
                  {"1", NULL, NULL, NULL, "5", "6", "7"},
                  {NULL, NULL, NULL, "4", "5", NULL, "7"}},
    };
    assert_string_equal(json_of(&rows, 0, NULL, 0),
                        "{\"a\":{\"b\":{\"c\":{\"id\":1,\"x\":2},\"y\":3}},"
                        "\"d\":{\"e\":4,\"f\":{\"g\":5},\"h\":{\"g\":6}},\"i\":{\"j\":7}}");
    assert_string_equal(json_of(&rows, 1, NULL, 0),
                        "{\"a\":null,\"d\":{\"e\":4,\"f\":null,\"h\":{\"g\":6}},\"i\":null}");
    assert_string_equal(
        json_of(&rows, 2, NULL, 0),
        "{\"a\":{\"b\":{\"c\":{\"id\":1,\"x\":null},\"y\":null}},\"d\":null,\"i\":{\"j\":7}}");
    assert_string_equal(json_of(&rows, 3, NULL, 0),
                        "{\"a\":null,\"d\":{\"e\":4,\"f\":{\"g\":5},\"h\":null},\"i\":{\"j\":7}}");
}

static void tells_tombstones(void **state)
{
    (void)state;
    static const struct rows rows = {
        .columns = 3,
        .count = 2,
        .heads = {{"id", CELL_TEXT}, {"name", CELL_TEXT}, {"@deleted_at", CELL_TIMESTAMP}},
        .cells = {{"x1", "Ilmu", NULL}, {"x2", "Ilmu", "2026-11-21 10:00:00.5+00"}},
    };
    const struct span fields[] = {SPAN("name")};
    assert_string_equal(json_of(&rows, 0, NULL, 0), "{\"id\":\"x1\",\"name\":\"Ilmu\"}");
    assert_string_equal(json_of(&rows, 1, NULL, 0),
                        "{\"id\":\"x2\",\"deleted_at\":\"2026-11-21T10:00:00.5Z\"}");
    assert_string_equal(json_of(&rows, 1, fields, 1),
                        "{\"id\":\"x2\",\"deleted_at\":\"2026-11-21T10:00:00.5Z\"}");
    static const struct rows regions = {
        /* whose key is another */
        .columns = 3,
        .count = 1,
        .heads = {{"@deleted_at", CELL_TIMESTAMP}, {"code", CELL_TEXT}, {"name", CELL_TEXT}},
        .cells = {{"2026-11-21 10:00:00+00", "19.01", "Bangka"}},
    };
    assert_string_equal(json_of(&regions, 0, NULL, 0),
                        "{\"code\":\"19.01\",\"deleted_at\":\"2026-11-21T10:00:00Z\"}");
}

/* One text cell, written and read back. */
static void expect_round_trip(struct span text)
{
    struct rows rows = {.columns = 1, .count = 1, .heads = {{"t", CELL_TEXT}}};
    rows.cells[0][0] = arena_cstr(arena, text);
    struct buffer buffer = {0};
    write_json(&buffer, row_plan_new(arena, &rows, NULL, 0, false), &rows, 0);
    json_t *json = json_loadb(buffer.data, buffer.len, 0, NULL);
    if (!json)
        fail_msg("no JSON: %.*s", (int)buffer.len, buffer.data);
    assert_string_equal(json_string_value(json_object_get(json, "t")), rows.cells[0][0]);
    json_decref(json);
    buffer_free(&buffer);
}

static void escapes_text(void **state)
{
    (void)state;
    static const char special[] =
        "\"\\/\b\f\n\r\t\x01\x1f\x20\x7f\xc3\xa9\xe2\x80\xa8\xf0\x9f\x98\x80'<&>";
    expect_round_trip(SPAN(special));
    /* every byte that is escaped, at every place of a word of eight, among every kind of neighbour
     */
    for (size_t len = 1; len <= 24; len++)
        for (size_t at = 0; at < len; at++)
            for (int c = 1; c < 128; c++) {
                char text[24];
                memset(text, len % 2 ? 'x' : '~', sizeof(text));
                text[at] = (char)c;
                expect_round_trip((struct span){text, len});
            }
    char all[4000];
    memset(all, 1, sizeof(all)); /* six bytes a byte: the most there can be */
    expect_round_trip((struct span){all, sizeof(all)});
    struct rows rows = {
        .columns = 1, .count = 1, .heads = {{"t", CELL_TEXT}}, .cells = {{"a\x1f\"\\\n/"}}};
    assert_string_equal(json_of(&rows, 0, NULL, 0), "{\"t\":\"a\\u001f\\\"\\\\\\n/\"}");
}

static void never_writes_what_is_no_json(void **state)
{
    (void)state;
    static const struct rows rows = {
        .columns = 4,
        .count = 2,
        .heads = {{"a", CELL_NUMBER},
                  {"b", CELL_NUMBER},
                  {"c", CELL_NUMBER},
                  {"d", CELL_TIMESTAMP}},
        .cells = {{"NaN", "-Infinity", "1e+100", "infinity"},
                  {"", "0", "-12.50", "2026-11-21 17:00:00+07"}},
    };
    assert_string_equal(json_of(&rows, 0, NULL, 0),
                        "{\"a\":null,\"b\":null,\"c\":1e+100,\"d\":\"infinity\"}");
    assert_string_equal(json_of(&rows, 1, NULL, 0),
                        "{\"a\":null,\"b\":0,\"c\":-12.50,\"d\":\"2026-11-21T17:00:00+07:00\"}");
}

static void appends(void **state)
{
    (void)state;
    struct buffer buffer = {0};
    struct row_plan *plan = row_plan_new(arena, &library, NULL, 0, false);
    for (int i = 0; i < 100; i++)
        write_json(&buffer, plan, &library, (size_t)i % 3);
    const char *first = json_of(&library, 0, NULL, 0), *second = json_of(&library, 1, NULL, 0);
    assert_memory_equal(buffer.data, first, strlen(first));
    assert_memory_equal(buffer.data + strlen(first), second, strlen(second));
    buffer_free(&buffer);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(writes_every_kind),
        TEST(an_object_without_its_key_is_null),
        TEST(keeps_chosen_fields),
        TEST(nests_deeply),
        TEST(tells_tombstones),
        TEST(escapes_text),
        TEST(appends),
        TEST(never_writes_what_is_no_json),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
